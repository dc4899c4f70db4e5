// Work that is not saved yet, kept in this browser until the server has it. One draft for each document, revision that
// the work started from, and person: several people may use one browser. Nobody is offered a draft of somebody else, and
// what they do leaves it alone.

const DRAFT_PREFIX = "ner_drafts/";
// Up to version 0.4 drafts named the project and no person. They are everybody's until somebody decides on them.
const NAMELESS_PREFIX = "ner_draft/";
const WRITE_AFTER_MS = 300;

class Drafts {
  // `getAnnotator()` gives the name of the person there.
  constructor(storage, tabId, getAnnotator) {
    this.storage = storage;
    this.tabId = tabId;
    this.getAnnotator = getAnnotator;
    this.waiting = null; // the draft to be written when there is time for it: {key, value, onFailed, timer}
    // The last moment of which a page is sure to be told.
    globalThis.document.addEventListener("visibilitychange", () => this.#writeWaiting());
    globalThis.addEventListener("pagehide", () => this.#writeWaiting());
  }

  // Keeps a draft within a moment: to write all of a long text with each key would take longer than to draw it.
  // `note` is what is typed to say why the text is flagged. `onFailed()` is called where the browser cannot keep it, as
  // private windows and a full storage cannot.
  keep(document, entities, note, onFailed) {
    const key = this.#key(document.id, document.revision);
    if (this.waiting?.key !== key) this.#writeWaiting();
    clearTimeout(this.waiting?.timer);
    const timer = setTimeout(() => this.#writeWaiting(), WRITE_AFTER_MS);
    this.waiting = { key, value: this.#draftOf(document, entities, note), onFailed, timer };
  }

  // Writes a draft at once; `note` is that of a save on its way, "" where it has none.
  write(document, entities, note = "") {
    this.#writeWaiting();
    this.#store(this.#key(document.id, document.revision), this.#draftOf(document, entities, note));
  }

  // `annotator` is whoever saved; another name may have been typed in since.
  remove(document, annotator = this.getAnnotator()) {
    this.#writeWaiting();
    this.storage.removeItem(this.#key(document.id, document.revision, annotator));
  }

  removeAll(document) {
    for (const draft of this.#of(document)) this.storage.removeItem(draft.key);
  }

  // The newest draft of a document, or null. Its labels have their present names: the map `formerLabels` gives that of each
  // former one. What has a label that is no longer there is left out of `entities` and stands in `lost`.
  find(document, labels, formerLabels) {
    const known = new Set(labels.map((style) => style.label));
    const numPoints = Array.from(document.text).length;
    const fits = ({ start, end }) => start >= 0 && start < end && end <= numPoints;
    const draft = this.#of(document).find(({ entities }) => entities.every(fits));
    if (!draft) return null;
    const entities = draft.entities.map((entity) =>
      Object.freeze({ ...entity, label: formerLabels.get(entity.label) ?? entity.label }),
    );
    const isKnown = ({ label }) => known.has(label);
    return { ...draft, entities: entities.filter(isKnown), lost: entities.filter((entity) => !isKnown(entity)) };
  }

  // The newest draft of all, of any project, or null.
  findNewest() {
    this.#writeWaiting();
    return this.#read()[0] ?? null;
  }

  // Another database at the same address may use the same numbers.
  #of(document) {
    this.#writeWaiting();
    return this.#read(document.id).filter((draft) => draft.text === document.text);
  }

  #draftOf(document, entities, note) {
    const isNoteOnly = note !== "" && AnnotationState.isSame(entities, AnnotationState.entitiesOf(document));
    return { text: document.text, entities, note, isNoteOnly, at: new Date().toISOString(), tab: this.tabId };
  }

  // Returns whether the browser could keep it.
  #store(key, draft) {
    try {
      this.storage.setItem(key, JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  #writeWaiting() {
    if (!this.waiting) return;
    const { key, value, onFailed, timer } = this.waiting;
    this.waiting = null;
    clearTimeout(timer);
    if (!this.#store(key, value)) onFailed();
  }

  // The person's own drafts and those without a name, {key, documentId, base, text, entities, at, tab}, the newest first;
  // those of one document, or all.
  #read(wantedId = null) {
    const keys = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index));
    const drafts = keys.flatMap((key) => {
      const [documentId, base] = this.#numbersIn(key);
      if (documentId === undefined || (wantedId !== null && documentId !== wantedId)) return [];
      try {
        const draft = JSON.parse(this.storage.getItem(key));
        return { ...draft, key, documentId, base, entities: draft.entities.map((entity) => Object.freeze(entity)) };
      } catch {
        return []; // written by something else; the editor must open all the same
      }
    });
    return drafts.sort((first, second) => (first.at < second.at ? 1 : -1));
  }

  // [document, revision] of a draft; nothing where it is somebody else's, or no draft.
  #numbersIn(key) {
    const [prefix, ...rest] = key.split("/");
    if (`${prefix}/` === NAMELESS_PREFIX) return rest.slice(-2).map(Number);
    const [documentId, revision, ...name] = rest;
    const isOwn = `${prefix}/` === DRAFT_PREFIX && name.join("/") === this.getAnnotator();
    return isOwn ? [Number(documentId), Number(revision)] : [];
  }

  #key(documentId, revision, annotator = this.getAnnotator()) {
    return `${DRAFT_PREFIX}${documentId}/${revision}/${annotator}`;
  }
}
