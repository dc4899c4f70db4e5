// Saves on their way to the server and what it answers: stored, refused, or that somebody else was first.

class Saves {
  // `lane` and `drafts` are those of the session; `page` is told savingChanged(), showConflict(...) and tell(key, values);
  // `show(work)` draws a work anew that is on screen; `onReviewed()` hears of each document that nobody had decided on before.
  constructor({ lane, drafts, page, show, onReviewed }) {
    this.lane = lane;
    this.drafts = drafts;
    this.page = page;
    this.show = show;
    this.onReviewed = onReviewed;
    this.lastSaved = null; // the work, until it is changed or left
    this.refused = new Map(); // of each work that the server refused to store: {save, reason}
  }

  get numWaiting() {
    return this.lane.waiting.filter((request) => request.event === "save").length;
  }

  isWaiting(work) {
    return this.lane.waiting.some((request) => request.work === work);
  }

  // Whether a work is on its way as it now stands.
  isWaitingAsItIs(work) {
    const request = this.lane.waiting.findLast((request) => request.work === work);
    return request !== undefined && AnnotationState.isSame(request.save.entities, work.state.entities);
  }

  // What the last answer said is of no interest once the work was changed.
  forgetAnswer(work) {
    this.lastSaved = null;
    this.refused.delete(work);
  }

  retryRefused() {
    for (const [work, { save }] of this.refused) this.push(work, save);
  }

  // A save is {entities, status, annotator, note, duration_s}; the same one may be sent again after a conflict.
  push(work, save) {
    const { entities, ...rest } = save;
    const bare = ({ start, end, label }) => ({ start, end, label });
    this.forgetAnswer(work);
    this.drafts.write(work.document, entities, save.note);
    this.lane.push({
      event: "save",
      work,
      save,
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
    if (message.kind === "saved") {
      this.drafts.remove(work.document, save.annotator);
      const { document } = work;
      // One of several independent versions decides nothing yet.
      if (document.status === "new" && !document.is_independent) this.onReviewed();
      document.revision = message.revision.number;
      document.status = message.status;
      document.note = message.revision.note;
      document.history = [message.revision, ...document.history];
      this.#markSaved(work, save.entities);
    } else if (message.kind === "conflict") {
      this.#onConflict(work, save, message.document);
    } else {
      // A later save of the same work stands for this one.
      if (!this.isWaiting(work)) this.refused.set(work, { save, reason: message.reason });
      this.page.tell("annotate.refused", { reason: message.reason });
    }
    this.page.savingChanged();
  }

  #markSaved(work, entities) {
    work.state.saved = entities;
    this.refused.delete(work);
    if (isUnsaved(work)) this.drafts.write(work.document, work.state.entities, work.typedNote);
    this.lastSaved = work;
  }

  #onConflict(work, save, theirs) {
    this.drafts.remove(work.document, save.annotator);
    theirs.is_independent = work.document.is_independent;
    theirs.is_closed = work.document.is_closed;
    work.document = theirs;
    if (isStored(save, theirs)) {
      // An answer got lost and the save was sent twice: the first one did arrive. What was saved after it follows.
      this.#markSaved(work, save.entities);
      return;
    }
    // Whoever has saved the text again since chooses once, between the last of it and the other version.
    const mine = this.#takeWaiting(work, save);
    const changed = () => (work.state.isDirty && !AnnotationState.isSame(work.state.entities, mine.entities));
    this.drafts.write(theirs, changed() ? work.state.entities : mine.entities, work.typedNote || mine.note);
    this.page.showConflict({
      document: theirs,
      entities: mine.entities,
      onKeepMine: () => this.push(work, mine),
      onTakeTheirs: () => {
        const unsaved = changed() ? work.state.entities : AnnotationState.entitiesOf(theirs);
        const isLeft = changed() || work.typedNote;
        this.drafts.removeAll(theirs);
        // It was not part of the choice: it is offered.
        if (isLeft) this.drafts.write(theirs, unsaved, work.typedNote);
        work.typedNote = "";
        work.state = new AnnotationState(theirs);
        this.show(work);
        this.page.savingChanged();
      },
    });
  }

  // The last save of a work, which stands for those before it; none of them is sent any more.
  #takeWaiting(work, save) {
    const later = this.lane.waiting.filter((request) => request.work === work).map((request) => request.save);
    this.lane.drop((request) => request.work === work);
    const duration_s = later.reduce((sum, each) => sum + each.duration_s, save.duration_s);
    return { ...(later.at(-1) ?? save), duration_s };
  }
}

function isStored({ entities, status, note }, document) {
  if (document.status !== status || document.note !== note) return false;
  return AnnotationState.isSame(entities, AnnotationState.entitiesOf(document));
}
