// Work that is not saved yet, kept in this browser until the server has it. One draft for each document and revision
// that the work started from.

class Drafts {
  constructor(storage) {
    this.storage = storage;
    this.project = "";
  }

  // Returns whether the browser could keep it; private windows and a full storage cannot.
  write(document, entities) {
    const draft = { text: document.text, entities, at: new Date().toISOString() };
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

  // The newest draft of a document: {base, entities, at}, or null. Another database at the same address may use the
  // same numbers, so a draft counts only for the text it was made for.
  find(document) {
    const drafts = [];
    const prefix = this.#key(document.id, "");
    for (let index = 0; index < this.storage.length; index += 1) {
      const key = this.storage.key(index);
      if (!key.startsWith(prefix)) continue;
      const draft = JSON.parse(this.storage.getItem(key));
      if (draft.text !== document.text) continue;
      const entities = draft.entities.map((entity) => Object.freeze(entity));
      drafts.push({ base: Number(key.slice(prefix.length)), entities, at: draft.at });
    }
    return drafts.sort((first, second) => (first.at < second.at ? 1 : -1))[0] ?? null;
  }

  removeAll(document) {
    const prefix = this.#key(document.id, "");
    const keys = Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index));
    for (const key of keys) if (key.startsWith(prefix)) this.storage.removeItem(key);
  }

  #key(documentId, revision) {
    return `ner_draft/${this.project}/${documentId}/${revision}`;
  }
}
