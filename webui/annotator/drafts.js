// Work that is not saved yet, kept in this browser until the server has it. One draft for each document and revision
// that the work started from.

const DRAFT_PREFIX = "ner_draft/";
const WRITE_AFTER_MS = 300;

class Drafts {
  constructor(storage, tabId) {
    this.storage = storage;
    this.tabId = tabId;
    this.project = "";
    this.waiting = null; // the draft to be written when there is time for it: {key, value, onFailed, timer}
    // The last moment of which a page is sure to be told.
    globalThis.document.addEventListener("visibilitychange", () => this.#writeWaiting());
    globalThis.addEventListener("pagehide", () => this.#writeWaiting());
  }

  // Keeps a draft within a moment: to write all of a long text with each key would take longer than to draw it.
  // `onFailed()` is called where the browser cannot keep it, as private windows and a full storage cannot.
  keep(document, entities, onFailed) {
    const key = this.#key(document.id, document.revision);
    if (this.waiting?.key !== key) this.#writeWaiting();
    clearTimeout(this.waiting?.timer);
    const timer = setTimeout(() => this.#writeWaiting(), WRITE_AFTER_MS);
    this.waiting = { key, value: this.#draftOf(document, entities), onFailed, timer };
  }

  // Writes a draft at once.
  write(document, entities) {
    this.#forgetWaiting(document);
    this.#store(this.#key(document.id, document.revision), this.#draftOf(document, entities));
  }

  remove(document) {
    this.#forgetWaiting(document);
    this.storage.removeItem(this.#key(document.id, document.revision));
  }

  removeAll(document) {
    this.#forgetWaiting(document);
    for (const key of this.#keys(this.#key(document.id, ""))) this.storage.removeItem(key);
  }

  // The newest draft of a document, or null. Another database at the same address may use the same numbers, so a draft
  // counts only for the text and for labels of the set it was made for.
  find(document, labels) {
    const known = new Set(labels.map((style) => style.label));
    const numPoints = Array.from(document.text).length;
    this.#writeWaiting();
    const fits = ({ start, end, label }) => known.has(label) && start >= 0 && start < end && end <= numPoints;
    const drafts = this.#read(this.#key(document.id, ""));
    return drafts.find((draft) => draft.text === document.text && draft.entities.every(fits)) ?? null;
  }

  // The newest draft of all, of any project, or null.
  findNewest() {
    this.#writeWaiting();
    return this.#read(DRAFT_PREFIX)[0] ?? null;
  }

  #draftOf(document, entities) {
    return { text: document.text, entities, at: new Date().toISOString(), tab: this.tabId };
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

  #forgetWaiting(document) {
    if (!this.waiting?.key.startsWith(this.#key(document.id, ""))) return;
    clearTimeout(this.waiting.timer);
    this.waiting = null;
  }

  // Drafts {documentId, base, text, entities, at, tab}, the newest first.
  #read(prefix) {
    const drafts = this.#keys(prefix).flatMap((key) => {
      const [documentId, base] = key.split("/").slice(-2).map(Number);
      try {
        const draft = JSON.parse(this.storage.getItem(key));
        return { ...draft, documentId, base, entities: draft.entities.map((entity) => Object.freeze(entity)) };
      } catch {
        return []; // written by something else; the editor must open all the same
      }
    });
    return drafts.sort((first, second) => (first.at < second.at ? 1 : -1));
  }

  #keys(prefix) {
    const keys = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index));
    return keys.filter((key) => key.startsWith(prefix));
  }

  #key(documentId, revision) {
    return `${DRAFT_PREFIX}${this.project}/${documentId}/${revision}`;
  }
}
