"""Sources of training data: label sets, maps, dev, shared texts, and the report on them."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.conll import write_conll
from ner_core.formats import write_cluener
from ner_core.label_map import parse_images
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.spans import Example, Span
from trainer.config import DataSettings, DataSource
from trainer.data import TrainingData, load_training_data
from trainer.data_report import SourceCounts, SourceReport, find_shared_texts, format_data_report
from trainer.held_out import is_held_out, rank_held_out
from trainer.sources import name_source, split_project

MSRA_IMAGES = parse_images(
    "PER=name,ORG=company|organization|government,LOC=address|scene|government"
)


def make_examples(label: str, num_examples: int) -> list[Example]:
    """Different sentences, each with one entity."""
    return [Example("", f"第{number}句", (Span(1, 2, label),)) for number in range(num_examples)]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., DataSource]:
    """Writes examples into a file of a source's format."""

    def write_source(name: str, examples: list[Example], file: str = "train") -> DataSource:
        path = tmp_path / f"{name}-{file}"
        (write_cluener if name == "cluener" else write_conll)(path, examples)
        return DataSource(name, str(path))

    return write_source


def make_settings(*train: DataSource, **changes: object) -> DataSettings:
    settings = DataSettings(train=train, dev=None, dev_fraction=0.1, labels=None)
    return replace(settings, **changes)  # type: ignore[arg-type]


def fail(settings: DataSettings) -> str:
    with pytest.raises(ValueError) as caught:
        load_training_data(settings)
    return str(caught.value)


# Label sets and maps


def test_a_mapped_source_keeps_its_labels_and_the_others_give_the_runs(
    write: Callable[..., DataSource],
) -> None:
    msra = write("msra", make_examples("ORG", 5))
    cluener = write("cluener", make_examples("book", 20))
    data = load_training_data(make_settings(msra, cluener, maps={"msra": MSRA_IMAGES}))
    assert data.labels == CLUENER
    mapped, own = data.sources
    assert mapped.label_map is not None
    assert (mapped.label_map.source, mapped.label_map.target) == (MSRA, CLUENER)
    assert own.label_map is None
    assert [span.label for example in mapped.examples for span in example.spans] == ["ORG"] * 5
    assert data.train == (*mapped.examples, *own.examples)
    assert data.full_gold == own.examples
    assert {span.label for example in data.dev for span in example.spans} == {"book"}


def test_another_label_set_without_a_map_is_refused_with_both_sets_and_the_map_it_wants(
    write: Callable[..., DataSource],
) -> None:
    cluener, msra = write("cluener", make_examples("book", 9)), write("msra", [])
    message = fail(make_settings(cluener, msra))
    assert message.startswith(
        f"expected the run's labels {', '.join(CLUENER.labels)}, got PER, LOC, ORG"
        f" (msra=msra-train); --map msra:PER=...,LOC=...,ORG=... says for which of the run's labels"
    )


def test_given_labels_make_every_source_of_another_set_a_mapped_one(
    write: Callable[..., DataSource],
) -> None:
    msra = write("msra", make_examples("PER", 9))
    labels = LabelSet(("PER", "LOC", "ORG", "GPE"))
    message = fail(make_settings(msra, labels=labels))
    assert "expected the run's labels PER, LOC, ORG, GPE, got PER, LOC, ORG" in message
    in_other_order = LabelSet(("ORG", "PER", "LOC"))
    assert load_training_data(make_settings(msra, labels=in_other_order)).labels == in_other_order


def test_given_labels_take_a_file_of_cluener_format_that_is_annotated_in_them(
    write: Callable[..., DataSource],
) -> None:
    cluener = write("cluener", [*make_examples("river", 5), *make_examples("name", 5)])
    labels = LabelSet(("river", "name", "lake"))
    data = load_training_data(make_settings(cluener, labels=labels, allow_shared_texts=True))
    assert data.labels == labels
    assert "expected one of the labels address" in fail(make_settings(cluener))
    assert "got 'river'" in fail(make_settings(cluener, labels=MSRA))


def test_a_conll_file_has_the_runs_labels_when_it_holds_no_others(
    write: Callable[..., DataSource],
) -> None:
    cluener, conll = write("cluener", make_examples("book", 9)), write("conll", [])
    assert load_training_data(make_settings(cluener, conll)).sources[1].label_map is None
    conll = write("conll", make_examples("river", 2))
    assert ", scene, got river (conll=conll-train); --map conll:river=..." in fail(
        make_settings(cluener, conll)
    )


def test_the_map_of_a_conll_file_may_name_labels_that_it_lacks_but_must_name_those_it_has(
    write: Callable[..., DataSource],
) -> None:
    sources = [
        write("cluener", make_examples("book", 20)),
        write("conll", make_examples("river", 5)),
        write("conll", make_examples("lake", 5), "more"),
    ]
    images = {"river": ("scene",), "lake": ("scene", "address"), "sea": ("O",)}
    data = load_training_data(make_settings(*sources, maps={"conll": images}))
    for source in data.sources[1:]:
        assert source.label_map is not None
        assert source.label_map.source == LabelSet(("river", "lake", "sea"))
    message = fail(make_settings(*sources, maps={"conll": {"river": ("scene",)}}))
    assert message.startswith("--map conll: expected a map for each of river, lake to labels of")
    assert message.endswith("got none for lake (conll=conll-more)")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ({"PER": ("name",)}, "scene; got none for LOC, ORG (msra=msra-train)"),
        ({**MSRA_IMAGES, "GPE": ("address",)}, "scene; got one for GPE (msra=msra-train)"),
        ({**MSRA_IMAGES, "PER": ("person",)}, "got PER=person (msra=msra-train)"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_its_source(
    images: dict[str, tuple[str, ...]], message: str, write: Callable[..., DataSource]
) -> None:
    sources = write("cluener", make_examples("book", 9)), write("msra", [])
    assert message in fail(make_settings(*sources, maps={"msra": images}))


@pytest.mark.parametrize("flag", ["map", "weight"])
def test_a_map_or_weight_for_no_source_is_refused(
    flag: str, write: Callable[..., DataSource]
) -> None:
    given = {"maps": {"msra": MSRA_IMAGES}} if flag == "map" else {"weights": {"msra": 2.0}}
    cluener = write("cluener", make_examples("book", 9))
    assert fail(make_settings(cluener, cluener, **given)) == (
        f"expected --{flag} for a source of --train (cluener), got 'msra'"
    )


def test_without_a_source_of_the_runs_labels_they_must_be_given(
    write: Callable[..., DataSource],
) -> None:
    msra = write("msra", make_examples("PER", 9))
    dev = write("cluener", make_examples("name", 2), "dev")
    settings = make_settings(msra, maps={"msra": MSRA_IMAGES}, dev=dev)
    assert "--labels names them too" in fail(settings)
    settings = replace(settings, labels=CLUENER, allow_shared_texts=True)
    data = load_training_data(settings)
    assert (data.labels, data.full_gold, len(data.train)) == (CLUENER, (), 9)
    assert "expected --dev, or a source without --map" in fail(replace(settings, dev=None))


def test_a_conll_file_without_entities_names_no_label_set(write: Callable[..., DataSource]) -> None:
    message = fail(make_settings(write("conll", [Example("", "甲")])))
    assert "conll-train, found none; --labels names the set" in message


def make_database(path: Path, labels: LabelSet) -> DataSource:
    """Four accepted documents, the first of them corrected, and one that nobody has read."""
    with AnnotationStore.open(path) as store:
        store.create_project("default", labels)
        store.add(
            NewDocument(text=e.text, spans=e.spans, status="accepted")
            for e in make_examples("company", 4)
        )
        store.add([NewDocument(text="没有人看过的一句")])
        spans = [Span(0, 3, "company")]
        store.save(1, base_revision=1, spans=spans, status="accepted", annotator="lin")
    return DataSource("annotations", str(path))


def test_annotations_give_accepted_documents_in_their_newest_revision(tmp_path: Path) -> None:
    source = make_database(tmp_path / "annotations.db", CLUENER)
    data = load_training_data(make_settings(source, dev_fraction=0.25))
    assert data.labels == CLUENER
    spans = {example.text: example.spans for example in (*data.train, *data.dev)}
    assert sorted(spans) == [f"第{n}句" for n in range(4)]
    assert spans["第0句"] == (Span(0, 3, "company"),)
    assert data.sources[0].sha256 is None


def test_one_of_several_projects_is_named_behind_the_database(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    with AnnotationStore.open(path) as store:
        for name in ("财经", "体育/足球"):
            store.create_project(name, LabelSet(("name",)))
            store.add(
                [NewDocument(f"{name}{n}", status="accepted") for n in range(4)], project=name
            )
    settings = make_settings(DataSource("annotations", f"{path}#体育/足球"))
    data = load_training_data(settings)
    assert {example.text[:-1] for example in (*data.train, *data.dev)} == {"体育/足球"}
    assert name_source(settings.train[0]) == "annotations=annotations.db#体育/足球"
    problem = fail(make_settings(DataSource("annotations", str(path))))
    assert "one project, or DATABASE#PROJECT, got 财经, 体育/足球 (in" in problem
    problem = fail(make_settings(DataSource("annotations", f"{path}#娱乐")))
    assert "the project '娱乐', got 财经, 体育/足球 (in annotations=annotations.db#娱乐)" in problem


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("a.db", ("a.db", None)),
        ("a.db#news", ("a.db", "news")),
        ("c#/a.db", ("c#/a.db", None)),
        ("c#/a.db#体育/#1", ("c#/a.db", "体育/#1")),
        ("c#/none.db#news", ("c#/none.db", "news")),
        ("sqlite:///c#/a.db", ("sqlite:///c#/a.db", None)),
        ("sqlite:///c#/a.db#news", ("sqlite:///c#/a.db", "news")),
        (f"a.db#{'长' * 200}", ("a.db", "长" * 200)),
        ("postgresql://u:pa#ss@host/db", ("postgresql://u:pa#ss@host/db", None)),
        ("postgresql://u:pa#ss@host/db#a@b", ("postgresql://u:pa#ss@host/db", "a@b")),
        ("postgresql://host/db#news", ("postgresql://host/db", "news")),
    ],
)
def test_the_mark_of_a_project_may_stand_in_folders_and_passwords_too(
    location: str,
    expected: tuple[str, str | None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "c#").mkdir()
    for name in ("a.db", "c#/a.db"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert split_project(location) == expected


def test_texts_that_all_belong_to_the_share_are_not_all_held_out(tmp_path: Path) -> None:
    texts = [text for text in (f"第{number}条" for number in range(60)) if is_held_out(text)][:3]
    source = DataSource("annotations", str(tmp_path / "annotations.db"))
    with AnnotationStore.open(source.path) as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument(text=text, status="accepted") for text in texts])
    data = load_training_data(make_settings(source))
    assert [example.text for example in data.train] == [max(texts, key=rank_held_out)]
    assert len(data.dev) == 2


def test_a_text_of_a_database_never_changes_sides_while_the_project_grows(tmp_path: Path) -> None:
    texts = [f"第{number}条" for number in range(300)]
    source = DataSource("annotations", str(tmp_path / "annotations.db"))
    learned, judged = [], []
    with AnnotationStore.open(source.path) as store:
        store.create_project("default", CLUENER)
        for part in (texts[:100], texts[100:]):
            store.add([NewDocument(text=text, status="accepted") for text in part])
            data = load_training_data(make_settings(source))
            learned.append({example.text for example in data.train})
            judged.append({example.text for example in data.dev})
    assert learned[0] < learned[1] and judged[0] < judged[1]
    # The same as on the page Train.
    assert judged[1] == {text for text in texts if is_held_out(text)}
    assert learned[1] | judged[1] == set(texts)


def test_a_single_text_is_held_out_where_the_share_takes_none(tmp_path: Path) -> None:
    texts = [text for text in (f"第{number}条" for number in range(10)) if not is_held_out(text)]
    source = DataSource("annotations", str(tmp_path / "annotations.db"))
    with AnnotationStore.open(source.path) as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument(text=text, status="accepted") for text in texts])
    data = load_training_data(make_settings(source))
    assert [example.text for example in data.dev] == [min(texts, key=rank_held_out)]
    assert len(data.train) == len(texts) - 1


def test_a_larger_share_holds_out_what_a_smaller_one_does_and_more() -> None:
    texts = [f"第{number}条" for number in range(2000)]
    shares = [{text for text in texts if is_held_out(text, share)} for share in (0.05, 0.1, 0.25)]
    assert shares[0] < shares[1] < shares[2]
    for share, taken in zip((0.05, 0.1, 0.25), shares, strict=True):
        assert len(taken) / len(texts) == pytest.approx(share, abs=0.02)


def test_a_project_that_lacks_some_of_the_runs_labels_needs_a_map(
    write: Callable[..., DataSource], tmp_path: Path
) -> None:
    """Where annotators had no label for books, O does not mean that there is none."""
    cluener = write("cluener", make_examples("book", 20))
    source = make_database(tmp_path / "annotations.db", LabelSet(("company", "name")))
    settings = make_settings(cluener, source, allow_shared_texts=True)
    assert "scene, got company, name (annotations=annotations.db); --map" in fail(settings)
    images = {"company": ("company",), "name": ("name",)}
    data = load_training_data(replace(settings, maps={"annotations": images}))
    label_map = data.sources[1].label_map
    assert label_map is not None
    assert label_map.allowed_tags[0, CLUENER.tag_ids["B-book"]]
    assert not label_map.allowed_tags[0, CLUENER.tag_ids["B-name"]]


# Dev


def test_a_dev_source_must_have_the_runs_labels_itself(write: Callable[..., DataSource]) -> None:
    cluener, msra = write("cluener", make_examples("book", 9)), write("msra", [])
    message = fail(make_settings(cluener, dev=msra))
    assert message.startswith("expected a dev source with the run's labels address, book,")
    assert "scene, got PER, LOC, ORG (msra=msra-train)" in message
    mapped = make_settings(cluener, msra, dev=msra, maps={"msra": MSRA_IMAGES})
    assert "expected a dev source without --map, got one for msra" in fail(mapped)


def test_dev_is_cut_off_the_end_of_each_source_without_a_map(
    write: Callable[..., DataSource],
) -> None:
    first = make_examples("book", 20)
    second = [Example("", f"又{e.text}", e.spans) for e in make_examples("name", 11)]
    third = [Example("", f"再{e.text}", e.spans) for e in make_examples("ORG", 10)]
    sources = write("cluener", first), write("cluener", second, "2"), write("msra", third)
    data = load_training_data(make_settings(*sources, maps={"msra": MSRA_IMAGES}))
    texts = [example.text for example in data.dev]
    assert texts == ["第18句", "第19句", "又第10句"]
    assert [len(source.examples) for source in data.sources] == [18, 10, 10]


def test_little_data_gives_one_dev_example_and_a_caution(write: Callable[..., DataSource]) -> None:
    sources = (
        write("cluener", make_examples("book", 1)),
        write("cluener", make_examples("name", 4), "2"),
    )
    data = load_training_data(make_settings(*sources, allow_shared_texts=True))
    assert [example.text for example in data.dev] == ["第3句"]
    assert data.report[-1] == "caution: scores on 1 dev examples say little"


def test_a_text_of_dev_that_is_trained_on_is_refused_by_place_and_never_by_its_words(
    write: Callable[..., DataSource],
) -> None:
    cluener = write("cluener", make_examples("book", 20))
    dev = write("cluener", [Example("", "新的一句"), *make_examples("name", 6)[2:]], "dev")
    settings = make_settings(cluener, dev=dev)
    message = fail(settings)
    assert message.startswith(
        "expected dev texts that are not trained on, got 4 of 5 texts"
        " (sentence 2 of dev is sentence 3 of cluener=cluener-train,"
        " sentence 3 of dev is sentence 4 of cluener=cluener-train,"
        " sentence 4 of dev is sentence 5 of cluener=cluener-train, ...)"
    )
    assert "句" not in message
    data = load_training_data(replace(settings, allow_shared_texts=True))
    assert len(data.shared_texts) == 4
    assert "trained on and in dev: 4 of 5 texts (sentence 2 of dev" in "\n".join(data.report)


def test_empty_texts_are_not_shared_and_the_first_place_counts() -> None:
    train = [("a", [Example("", ""), Example("", "甲")]), ("b", [Example("", "甲")])]
    shared = find_shared_texts(train, [Example("", ""), Example("", "甲"), Example("", "乙")])
    assert [str(text) for text in shared] == ["sentence 2 of dev is sentence 2 of a"]


@pytest.mark.parametrize("role", ["training", "dev"])
def test_sources_without_a_text_are_refused_with_what_was_found(
    role: str, write: Callable[..., DataSource]
) -> None:
    full = write("cluener", make_examples("book", 9))
    empty = write("cluener", [Example("", "")], "empty")
    train, dev = (empty, full) if role == "training" else (full, empty)
    message = fail(make_settings(train, dev=dev))
    assert message.startswith(f"expected {role} examples, got none (train: cluener=")
    assert (
        f"{'train' if role == 'training' else 'dev'}: cluener=cluener-empty, 1 sentences" in message
    )


# The report


def test_the_report_counts_what_each_source_holds(
    write: Callable[..., DataSource], tmp_path: Path
) -> None:
    overlapping = Example("", "甲" * 1200, (Span(0, 3, "name"), Span(2, 4, "company")))
    cluener = write("cluener", [overlapping, Example("", ""), *make_examples("book", 2)])
    msra = tmp_path / "msra.txt"
    msra.write_text("叶\tB-PER\n老\tI-PER\n来\tO\n\n京\tI-LOC\n好\tO\n", encoding="utf-8")
    dev = write("cluener", [Example("", "新", (Span(0, 1, "scene"),))], "dev")
    settings = make_settings(
        cluener,
        DataSource("msra", str(msra)),
        dev=dev,
        maps={"msra": MSRA_IMAGES},
        weights={"msra": 0.25},
    )
    data = load_training_data(settings)
    assert data.sources[0].counts == SourceCounts(
        num_sentences=4,
        mentions={"book": 2, "company": 1, "name": 1},
        num_repaired_tags=0,
        num_dropped_overlaps=1,
        max_characters=1200,
        num_empty_texts=1,
    )
    assert [source.weight for source in data.sources] == [1.0, 0.25]
    assert data.sources[1].sha256 == hashlib.sha256(msra.read_bytes()).hexdigest()
    assert data.dev_counts.mentions == {"scene": 1}
    checksums = [
        hashlib.sha256(Path(p).read_bytes()).hexdigest()[:16] for p in (cluener.path, dev.path)
    ]
    assert list(data.report) == [
        f"1 train: cluener=cluener-train, 4 sentences, SHA-256 {checksums[0]}",
        "2 train: msra=msra.txt, 2 sentences, read 0.25 times an epoch,"
        f" SHA-256 {data.sources[1].sha256[:16]}, map PER=name,LOC=address|scene|government,"
        "ORG=company|organization|government",
        f"3 dev: cluener=cluener-dev, 1 sentences, SHA-256 {checksums[1]}",
        "                   1 train   2 train   3 dev",
        "sentences                4         2       1",
        "mentions                 4         2       1",
        "  address                -         -       -",
        "  book                   2         -       -",
        "  company                1         -       -",
        "  game                   -         -       -",
        "  government             -         -       -",
        "  movie                  -         -       -",
        "  name                   1         -       -",
        "  organization           -         -       -",
        "  position               -         -       -",
        "  scene                  -         -       1",
        "  LOC                    -         1       -",
        "  PER                    -         1       -",
        "repaired tags            0         1       0",
        "dropped overlaps         1         0       0",
        "longest text         1,200         3       1",
        "empty texts              1         0       0",
        "trained on and in dev: 0 of 1 texts",
        "caution: scores on 1 dev examples say little",
    ]


def test_columns_stay_aligned_when_numbers_are_wider_than_their_heads() -> None:
    many = SourceCounts.of(make_examples("x", 1))
    many = replace(many, num_sentences=1_234_567_890, mentions={"x": 1_234_567_890})
    reports = [SourceReport("train", "a", many), SourceReport("dev", "b", many)]
    table = format_data_report(reports, ["x", "a-label-with-a-long-name"])[2:]
    assert len({len(line) for line in table}) == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/annotations.db", "annotations=annotations.db"),
        ("sqlite:////data/annotations.db", "annotations=annotations.db"),
        ("postgresql://lin:geheim@host/ner?password=geheim", "annotations=ner"),
        ("postgresql://lin:geheim@host", "annotations=host"),
    ],
)
def test_a_source_is_named_without_folders_and_passwords(path: str, name: str) -> None:
    assert name_source(DataSource("annotations", path)) == name


# The fingerprint


def load_two(tmp_path: Path, **changes: object) -> TrainingData:
    """Two sources and dev, from files of random names; `changes` replaces one part."""
    parts = {"text": "甲乙丙", "span": [0, 1], "label": "name", "image": "name", "weight": 1.0}
    parts |= {"dev": "丁", **changes}
    line = {
        "text": parts["text"],
        "label": {parts["label"]: {parts["text"][: parts["span"][1] + 1]: [parts["span"]]}},
    }
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps(line) + "\n", encoding="utf-8")
    (folder / "b.txt").write_text("叶\tB-PER\n", encoding="utf-8")
    (folder / "c.json").write_text(json.dumps({"text": parts["dev"], "label": {}}) + "\n", "utf-8")
    return load_training_data(
        make_settings(
            DataSource("cluener", str(folder / "a.json")),
            DataSource("msra", str(folder / "b.txt")),
            dev=DataSource("cluener", str(folder / "c.json")),
            maps={"msra": {"PER": (parts["image"],), "LOC": ("scene",), "ORG": ("company",)}},
            weights={"msra": parts["weight"]},
            labels=parts.get("labels"),
        )
    )


def test_the_fingerprint_is_that_of_the_content_wherever_it_stands(tmp_path: Path) -> None:
    assert load_two(tmp_path).fingerprint == load_two(tmp_path).fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "甲乙丁"},
        {"span": [0, 2]},
        {"label": "book"},
        {"image": "position"},
        {"weight": 2.0},
        {"dev": "戊"},
        {"labels": LabelSet(tuple(reversed(CLUENER.labels)))},
    ],
)
def test_the_fingerprint_changes_with_all_that_decides_what_is_learned(
    changes: dict[str, object], tmp_path: Path
) -> None:
    assert load_two(tmp_path).fingerprint != load_two(tmp_path, **changes).fingerprint
