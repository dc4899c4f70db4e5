// What became of the work on screen, in the words and the colour of the pill over the text.

class SaveStatus {
  constructor({ "save-status": pill, retry }, words) {
    this.pill = pill;
    this.retry = retry;
    this.words = words;
  }

  // Returns what else is to be told, as {key, values}, or null.
  draw(session, hasConflict) {
    const { saves, lane, current } = session;
    const { lastSaved } = saves;
    const [[refused, { reason } = {}] = []] = saves.refused;
    this.pill.title = reason ?? "";
    const { document, state } = current;
    if (hasConflict) {
      this.#show("conflict", "annotate.save_conflict");
    } else if (lane.isLate) {
      const key = saves.numWaiting ? "annotate.save_error" : "annotate.no_answer";
      this.#show("error", key);
      return { key };
    } else if (refused) {
      if (refused === current) this.#show("error", "annotate.save_error");
      else this.#show("error", "annotate.save_error_other", { position: refused.document.position });
    } else if (state.isDirty && !saves.isWaitingAsItIs(current)) {
      this.#show("dirty", "annotate.save_dirty");
    } else if (saves.numWaiting) {
      this.#show("saving", "annotate.save_saving");
    } else if (lastSaved === current) {
      this.#show("saved", "annotate.save_saved", { revision: document.revision });
    } else if (lastSaved) {
      const { position, status } = lastSaved.document;
      this.#show("saved", "annotate.save_saved_other", { position, status: this.words(`annotate.status_${status}`) });
    } else {
      this.#show("clean", "annotate.save_clean", { revision: document.revision });
    }
    return null;
  }

  #show(state, key, values) {
    this.pill.dataset.state = state;
    setText(this.pill, this.words(key, values));
    this.retry.hidden = state !== "error";
  }
}
