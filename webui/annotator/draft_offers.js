// Work that was left unsaved, in this tab or in one that is closed by now, is offered when its document is shown.

class DraftOffers {
  // `page` is told showDraft(draft), showConflict(...) and run("restoreDraft"), and has a `noteForm`.
  constructor({ drafts, presence, saves, page }) {
    this.drafts = drafts;
    this.presence = presence;
    this.saves = saves;
    this.page = page;
  }

  // The newest draft that nobody is at work on, or null.
  async findAbandoned() {
    const draft = this.drafts.findNewest();
    return draft && !(await this.presence.isOpenElsewhere(draft.tab)) ? draft : null;
  }

  // `labels` and `formerLabels` are the project's. `isShown()` says whether the work is still on screen; it may have been
  // left while other tabs were asked.
  async offer(work, { labels, formerLabels }, isShown) {
    const { document, state } = work;
    const found = this.drafts.find(document, labels, formerLabels);
    // A note alone goes with whatever the text's entities are by now.
    const draft = found?.isNoteOnly ? { ...found, entities: state.entities, lost: [], base: document.revision } : found;
    // One of this tab is offered at once, before keys typed ahead can change anything.
    const isOfThisTab = draft?.tab === this.presence.id;
    if (!draft || (!isOfThisTab && (await this.presence.isOpenElsewhere(draft.tab)))) return;
    // A save of this document on its way keeps its draft until the answer comes.
    if (this.saves.isWaiting(work) || isUnsaved(work) || !isShown()) return;
    const hasNote = draft.note && draft.note !== document.note;
    if (!hasNote && !draft.lost.length && AnnotationState.isSame(draft.entities, state.entities)) {
      this.drafts.removeAll(document);
    } else if (draft.base === document.revision) {
      work.draft = draft;
      this.page.showDraft(draft);
    } else {
      this.page.showConflict({
        document,
        entities: draft.entities,
        lost: draft.lost,
        onKeepMine: () => {
          this.drafts.removeAll(document);
          work.draft = draft;
          this.page.run("restoreDraft");
        },
        onTakeTheirs: () => this.drafts.removeAll(document),
      });
    }
  }

  accept(work) {
    this.drafts.removeAll(work.document);
    const { entities, note } = work.draft;
    work.state.restore(entities);
    work.draft = null;
    // Why the text was to be flagged: Enter flags it now.
    if (note) this.page.noteForm.open(note);
  }

  discard(work) {
    this.saves.forgetAnswer(work);
    this.drafts.removeAll(work.document);
    work.draft = null;
  }
}
