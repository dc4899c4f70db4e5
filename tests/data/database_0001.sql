-- What version 0001 of the store made of four documents and some saves (sqlite3's iterdump).
BEGIN TRANSACTION;
CREATE TABLE annotation_store_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT annotation_store_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "annotation_store_version" VALUES('0001');
CREATE TABLE document (
    id INTEGER NOT NULL,
    project_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    text_sha256 VARCHAR(64) NOT NULL,
    external_id TEXT NOT NULL,
    revision_number INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_document PRIMARY KEY (id),
    CONSTRAINT fk_document_project_id_project FOREIGN KEY(project_id) REFERENCES project (id),
    CONSTRAINT uq_document_project_id_position UNIQUE (project_id, position),
    CONSTRAINT uq_document_project_id_text_sha256 UNIQUE (project_id, text_sha256),
    CONSTRAINT ck_document_position_counts_from_one CHECK (position >= 1),
    CONSTRAINT ck_document_text_not_empty CHECK (text <> ''),
    CONSTRAINT ck_document_digest_is_sha256 CHECK (length(text_sha256) = 64),
    CONSTRAINT ck_document_revision_number_not_negative CHECK (revision_number >= 0),
    CONSTRAINT ck_document_status_is_known CHECK (status IN ('new', 'accepted', 'rejected', 'ignored', 'flagged')),
    CONSTRAINT ck_document_unlabelled_is_new CHECK (revision_number > 0 OR status = 'new')
);
INSERT INTO "document" VALUES(1,1,1,'浙商银行企业信贷部叶老桂博士','2d0c6023fe0656d5c0fed2fa870eeb028eaef535e310a1437c84bcf53e2b3aaf','a-1',2,'flagged','2025-03-01 08:00:02.000000');
INSERT INTO "document" VALUES(2,1,2,'😀𠮷野家' || char(13, 10) || '在北京','0cac29180f2505ebfff05b3e0ba6e4bce19622c3a457b9d3b4e3a177bf4d77c8','',2,'accepted','2025-03-01 08:00:02.000000');
INSERT INTO "document" VALUES(3,1,3,'今天' || char(9) || '下雨 ','2e0a6ad22c775905e49246bbae2675ec2a80ccc3663fb48229f0ef171ee4bab0','空',1,'accepted','2025-03-01 08:00:02.000000');
INSERT INTO "document" VALUES(4,2,1,'他在长沙','0839ecfb7f217d22027d92656f52e1a442cc0de54306ae7fdc88273f07b7d9e6','',1,'rejected','2025-03-01 08:00:03.000000');
CREATE TABLE project (
    id INTEGER NOT NULL,
    name VARCHAR(200) NOT NULL,
    labels JSON NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_project PRIMARY KEY (id),
    CONSTRAINT uq_project_name UNIQUE (name),
    CONSTRAINT ck_project_name_not_empty CHECK (name <> '')
);
INSERT INTO "project" VALUES(1,'default','["address", "book", "company", "game", "government", "movie", "name", "organization", "position", "scene"]','2025-03-01 08:00:00.000000');
INSERT INTO "project" VALUES(2,'新闻','["PER", "LOC", "ORG"]','2025-03-01 08:00:01.000000');
CREATE TABLE revision (
    document_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    label JSON NOT NULL,
    suggestions JSON NOT NULL,
    status VARCHAR(16) NOT NULL,
    source VARCHAR(16) NOT NULL,
    annotator TEXT NOT NULL,
    num_changes INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    CONSTRAINT pk_revision PRIMARY KEY (document_id, number),
    CONSTRAINT fk_revision_document_id_document FOREIGN KEY(document_id) REFERENCES document (id),
    CONSTRAINT ck_revision_number_counts_from_one CHECK (number >= 1),
    CONSTRAINT ck_revision_num_changes_not_negative CHECK (num_changes >= 0),
    CONSTRAINT ck_revision_status_is_known CHECK (status IN ('new', 'accepted', 'rejected', 'ignored', 'flagged')),
    CONSTRAINT ck_revision_source_is_known CHECK (source IN ('model', 'human', 'import'))
);
INSERT INTO "revision" VALUES(1,1,'{"company": {"浙商银行": [[0, 3]]}, "name": {"叶老桂": [[9, 11]]}}','[]','accepted','import','',2,'2025-03-01 08:00:02.000000');
INSERT INTO "revision" VALUES(3,1,'{}','[]','accepted','import','',0,'2025-03-01 08:00:02.000000');
INSERT INTO "revision" VALUES(2,1,'{}','[{"start": 6, "end": 8, "label": "address", "score": 0.75}]','new','model','cluener-small',0,'2025-03-01 08:00:04.000000');
INSERT INTO "revision" VALUES(2,2,'{"address": {"北京": [[7, 8]]}, "company": {"𠮷野家": [[1, 3]]}}','[]','accepted','human','李雷',2,'2025-03-01 08:00:05.000000');
INSERT INTO "revision" VALUES(1,2,'{"company": {"浙商银行": [[0, 3]]}, "name": {"叶老桂": [[9, 11]]}, "position": {"博士": [[12, 13]]}}','[]','flagged','human','韩梅梅 ''x''',1,'2025-03-01 08:00:06.000000');
INSERT INTO "revision" VALUES(4,1,'{"LOC": {"长沙": [[2, 3]]}}','[]','rejected','human','',1,'2025-03-01 08:00:07.000000');
CREATE INDEX ix_document_project_id_status_position ON document (project_id, status, position);
CREATE TRIGGER revision_no_update BEFORE UPDATE ON revision BEGIN SELECT RAISE(ABORT, 'a revision is never changed'); END;
CREATE TRIGGER revision_no_delete BEFORE DELETE ON revision BEGIN SELECT RAISE(ABORT, 'a revision is never deleted'); END;
CREATE TRIGGER document_no_text_update BEFORE UPDATE OF text, text_sha256 ON document BEGIN SELECT RAISE(ABORT, 'a text is never changed'); END;
PRAGMA application_id = 1313165921;
COMMIT;
