// Work that is not saved yet, kept in this browser until the server has it. One draft for each document and revision
// that the work started from.

const DRAFT_PREFIX = "ner_draft/";

class Drafts {
  constructor(storage, tabId) {
    this.storage = storage;
    this.tabId = tabId;
    this.project = "";
  }

  // Returns whether the browser could keep it; private windows and a full storage cannot.
  write(document, entities) {
    const draft = { text: document.text, entities, at: new Date().toISOString(), tab: this.tabId };
    try {
      this.storage.setItem(this.#key(document.id, document.revision), JSON.stringify(draft));
      return true;
    } catch {
      return false;
    }
  }

  remove(document) {
    this.storage.removeItem(this.#key(document.id, document.revision));
  }

  removeAll(document) {
    for (const key of this.#keys(this.#key(document.id, ""))) this.storage.removeItem(key);
  }

  // The newest draft of a document, or null. Another database at the same address may use the same numbers, so a draft
  // counts only for the text and for labels of the set it was made for.
  find(document, labels) {
    const known = new Set(labels.map((style) => style.label));
    const numPoints = Array.from(document.text).length;
    const fits = ({ start, end, label }) => known.has(label) && start >= 0 && start < end && end <= numPoints;
    const drafts = this.#read(this.#key(document.id, ""));
    return drafts.find((draft) => draft.text === document.text && draft.entities.every(fits)) ?? null;
  }

  // The newest draft of all, of any project, or null.
  findNewest() {
    return this.#read(DRAFT_PREFIX)[0] ?? null;
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
