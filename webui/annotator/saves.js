// Saves on their way to the server and what it answers: stored, refused, or that somebody else was first.

class Saves {
  // `lane` and `drafts` are those of the session; `page` is told savingChanged() and showConflict(...); `show(work)` draws
  // a work anew that is on screen; `onReviewed()` hears of each document that nobody had decided on before.
  constructor({ lane, drafts, page, show, onReviewed }) {
    this.lane = lane;
    this.drafts = drafts;
    this.page = page;
    this.show = show;
    this.onReviewed = onReviewed;
    this.lastSaved = null; // the work, until it is changed or left
    this.refusal = null; // the server's reason
  }

  get numWaiting() {
    return this.lane.waiting.filter((request) => request.event === "save").length;
  }

  isWaiting(work) {
    return this.lane.waiting.some((request) => request.work === work);
  }

  // Whether a work is on its way as it now stands.
  isWaitingAsItIs(work) {
    const save = this.lane.waiting.findLast((request) => request.work === work);
    return save !== undefined && AnnotationState.isSame(save.entities, work.state.entities);
  }

  // What the last answer said is of no interest once something was changed.
  forgetAnswer() {
    this.lastSaved = null;
    this.refusal = null;
  }

  // A save is {entities, status, annotator, duration_s}; the same one may be sent again after a conflict.
  push(work, save) {
    const { entities, ...rest } = save;
    const bare = ({ start, end, label }) => ({ start, end, label });
    this.lastSaved = null;
    this.drafts.write(work.document, entities);
    this.lane.push({
      event: "save",
      work,
      entities,
      payload: () => ({
        document_id: work.document.id,
        // Read when the request goes out: an earlier save of the same document may be under way.
        base_revision: work.document.revision,
        spans: entities.filter((entity) => entity.source === "human").map(bare),
        suggestions: entities.filter((entity) => entity.source === "model").map(bare),
        ...rest,
      }),
      onAnswer: (message) => this.#onAnswer(work, save, message),
    });
    this.page.savingChanged();
  }

  #onAnswer(work, save, message) {
    this.refusal = null;
    if (message.kind === "saved") {
      this.drafts.remove(work.document);
      const { document } = work;
      // One of several independent versions decides nothing yet.
      if (document.status === "new" && !document.is_independent) this.onReviewed();
      document.revision = message.revision.number;
      document.status = message.status;
      document.history = [message.revision, ...document.history];
      this.#markSaved(work, save.entities);
    } else if (message.kind === "conflict") {
      this.#onConflict(work, save, message.document);
    } else {
      this.refusal = message.reason;
    }
    this.page.savingChanged();
  }

  #markSaved(work, entities) {
    work.state.saved = entities;
    if (work.state.isDirty) this.drafts.write(work.document, work.state.entities);
    this.lastSaved = work;
  }

  #onConflict(work, save, theirs) {
    const { entities, status } = save;
    this.drafts.remove(work.document);
    this.lane.drop((request) => request.work === work);
    const isMine = AnnotationState.isSame(entities, AnnotationState.entitiesOf(theirs));
    theirs.is_independent = work.document.is_independent;
    work.document = theirs;
    if (isMine && theirs.status === status) {
      // An answer got lost and the save was sent twice: the first one did arrive.
      this.#markSaved(work, entities);
      return;
    }
    this.drafts.write(theirs, entities);
    this.page.showConflict({
      document: theirs,
      entities,
      onKeepMine: () => this.push(work, save),
      onTakeTheirs: () => {
        this.drafts.removeAll(theirs);
        work.state = new AnnotationState(theirs);
        this.show(work);
        this.page.savingChanged();
      },
    });
  }
}
