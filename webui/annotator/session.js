// The documents of one visit: which one is shown, which come next, what is saved and what is not.
//
// A "work" is a document as the server last sent it together with what the person has made of it. Saving shows the next
// document at once; the answer comes later and is matched by its token.

const NUM_DOCUMENTS_AT_HAND = 4;
const MAX_SEEN = 500;
// A lease of a document lasts 180 seconds (`annotation_store.leases`).
const HOLD_MS = 45_000;
const HOLD_WHILE_MS = 150_000;

class Session {
  // `page` is told what happened: showWork(work), showDraft(draft), showNothing(...), savingChanged(), tell(key, values),
  // showConflict(...), resume(), forgetTypedAhead().
  constructor(page, send) {
    this.page = page;
    this.presence = new TabPresence(sessionStorage);
    this.drafts = new Drafts(localStorage, this.presence.id);
    this.send = send;
    this.lane = new RequestLane(send, () => this.#onLate());
    this.timer = new WorkTimer(page.parts.root);
    this.works = new Map();
    this.current = null;
    this.ahead = [];
    this.hasMoreAhead = true;
    this.moving = null; // "next" or "previous" while that document is on its way
    this.isFetchingAhead = false;
    this.lastSaved = null;
    this.refusal = null;
    this.labels = [];
    this.guideline = null;
    this.numTotal = 0;
    this.username = null;
    // Documents that this visit has shown, in order: the queue passes over them, and `previous` goes back along them.
    this.trail = [];
    setInterval(() => this.#keepHeld(), HOLD_MS);
    document.addEventListener(QUEUE_EVENT, () => this.#changeQueue());
  }

  get isMoving() {
    return this.moving !== null;
  }

  get numUnsaved() {
    return this.lane.waiting.filter((request) => request.event === "save").length;
  }

  // Whether what is on screen is on its way to the server as it stands.
  get isSavingAsShown() {
    const { current, lane } = this;
    const save = lane.waiting.findLast((request) => request.work === current);
    return save !== undefined && AnnotationState.isSame(save.entities, current.state.entities);
  }

  receive(message) {
    if (message.request !== null) {
      this.lane.settle(message);
    } else if (message.kind === "documents") {
      // Another page chose this document; answers to what was asked before are of no use now.
      this.lane.drop((request) => request.event === "open");
      this.#stopMoving();
      this.#jumpTo(message);
    } else if (message.kind === "project") {
      this.#restart();
    }
  }

  // Work that was left unsaved comes first, then what nobody has reviewed.
  async openFirst() {
    const draft = this.drafts.findNewest();
    const isAbandoned = draft && !(await this.presence.isOpenElsewhere(draft.tab));
    if (this.current) return;
    const showFirst = (documents, message) => {
      // Another page may have chosen a document meanwhile.
      if (!this.current) this.#jumpTo(message);
    };
    const openFirstUnreviewed = () => this.#open({}, showFirst);
    if (!isAbandoned) {
      openFirstUnreviewed();
      return;
    }
    const showDrafted = (documents, message) => {
      if (documents[0].text === draft.text) showFirst(documents, message);
      else openFirstUnreviewed();
    };
    this.#open({ document_id: draft.documentId }, showDrafted, openFirstUnreviewed);
  }

  // Brings in what others did to the shown document while this page was out of sight.
  refresh() {
    if (this.lane.waiting.length) return;
    if (!this.current) {
      this.openFirst();
      return;
    }
    const { current } = this;
    if (current.state.isDirty) return;
    this.#open({ document_id: current.document.id, num_documents: 1 }, ([document]) => {
      if (document && this.current === current) this.#show(this.#workOf(document));
    });
  }

  next() {
    if (this.ahead.length) {
      this.#show(this.works.get(this.ahead.shift()));
      this.#fetchAhead();
    } else if (this.hasMoreAhead) {
      this.moving = "next";
      this.#fetchAhead();
    } else {
      this.page.tell("annotate.is_last");
    }
  }

  previous() {
    const { id } = this.current.document;
    this.moving = "previous";
    const shown = this.trail.lastIndexOf(id);
    const asked = shown > 0 ? { document_id: this.trail[shown - 1] } : { before: id };
    this.#open({ ...asked, num_documents: 1 }, ([document]) => {
      if (this.moving !== "previous") return;
      this.moving = null;
      if (shown > 0) this.trail.splice(shown - 1);
      if (document) {
        this.ahead.unshift(id);
        this.#show(this.#workOf(document));
      } else {
        this.page.tell("annotate.is_first");
      }
      this.page.resume();
    });
  }

  // To be called after each change of the current work.
  keepDraft() {
    const { document, state } = this.current;
    this.lastSaved = null;
    this.refusal = null;
    if (!state.isDirty) this.drafts.remove(document);
    else if (!this.drafts.write(document, state.entities)) this.page.tell("annotate.draft_impossible");
    this.page.savingChanged();
  }

  save(status, annotator) {
    const work = this.current;
    const { entities } = work.state;
    this.drafts.write(work.document, entities);
    this.lastSaved = null;
    this.#save(work, { entities, status, annotator, duration_s: this.timer.take(work) });
    this.page.savingChanged();
  }

  retry() {
    this.lane.retry();
    this.page.savingChanged();
  }

  // `label` null stands for all labels; "" goes back to the program's own words.
  saveGuideline(label, text, onSaved) {
    this.lane.push({
      event: "guideline",
      payload: () => ({ label, text }),
      onAnswer: (message) => {
        if (message.kind === "guideline") onSaved();
        else this.page.tell("annotate.refused", { reason: message.reason });
      },
    });
  }

  restoreDraft() {
    const { current } = this;
    current.state.restore(current.draft.entities);
    current.draft = null;
  }

  discardDraft() {
    this.drafts.removeAll(this.current.document);
    this.current.draft = null;
  }

  // A save is {entities, status, annotator, duration_s}; the same one may be sent again after a conflict.
  #save(work, save) {
    const { entities, ...rest } = save;
    const bare = ({ start, end, label }) => ({ start, end, label });
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
      onAnswer: (message) => this.#afterSave(work, save, message),
    });
  }

  #afterSave(work, save, message) {
    this.refusal = null;
    if (message.kind === "saved") {
      this.drafts.remove(work.document);
      const { document } = work;
      document.revision = message.revision.number;
      document.status = message.status;
      document.history = [message.revision, ...document.history];
      this.#markSaved(work, save.entities);
    } else if (message.kind === "conflict") {
      this.#afterConflict(work, save, message.document);
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

  #afterConflict(work, save, theirs) {
    const { entities, status } = save;
    this.drafts.remove(work.document);
    this.lane.drop((request) => request.work === work);
    const isMine = AnnotationState.isSame(entities, AnnotationState.entitiesOf(theirs));
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
      onKeepMine: () => {
        this.#save(work, save);
        this.page.savingChanged();
      },
      onTakeTheirs: () => {
        this.drafts.removeAll(theirs);
        work.state = new AnnotationState(theirs);
        if (this.current === work) this.#show(work);
        this.page.savingChanged();
      },
    });
  }

  #open(asked, onDocuments, onRefused = (reason) => this.#tellRefused(reason)) {
    this.lane.push({
      event: "open",
      payload: () => ({
        num_documents: NUM_DOCUMENTS_AT_HAND,
        queue: readQueue(),
        seen: [...new Set([...this.trail, ...this.ahead])].slice(-MAX_SEEN),
        holder: this.presence.id,
        annotator: this.page.parts.annotator.value,
        ...asked,
      }),
      onAnswer: (message) => {
        if (message.kind === "documents") {
          this.#takeProject(message);
          onDocuments(message.documents, message);
        } else {
          onRefused(message.reason);
        }
      },
    });
  }

  #tellRefused(reason) {
    this.#stopMoving();
    if (this.current) this.page.tell("annotate.refused", { reason });
    else this.page.showNothing("annotate.refused", { reason });
  }

  #onLate() {
    this.#stopMoving();
    if (!this.current) this.page.showNothing("annotate.no_answer");
    this.page.savingChanged();
  }

  // The shown document can be worked on again.
  #stopMoving() {
    this.moving = null;
    this.isFetchingAhead = false;
    this.page.forgetTypedAhead();
  }

  #takeProject(message) {
    this.drafts.project = message.project;
    this.labels = message.labels;
    this.guideline = message.guideline;
    this.numTotal = message.num_total;
    this.username = message.username;
  }

  // Another project was chosen. Saves of the one before go on; what was typed there and not saved is kept as a draft.
  #restart() {
    this.lane.drop((request) => request.event === "open");
    this.#stopMoving();
    this.current = null;
    this.ahead = [];
    this.trail = [];
    this.hasMoreAhead = true;
    forgetLabels();
    this.openFirst();
  }

  #jumpTo(message) {
    this.#takeProject(message);
    const [first, ...rest] = message.documents.map((document) => this.#workOf(document));
    this.ahead = rest.map((work) => work.document.id);
    this.hasMoreAhead = true;
    if (!first) {
      this.current = null;
      this.page.showNothing(message.num_total ? "annotate.queue_done" : "annotate.empty_title");
      return;
    }
    this.#show(first);
    this.#fetchAhead();
  }

  #fetchAhead() {
    if (this.ahead.length >= 2 || !this.hasMoreAhead || this.isFetchingAhead) return;
    this.isFetchingAhead = true;
    const { current } = this;
    const after = this.ahead.at(-1) ?? current.document.id;
    this.#open({ after }, (documents) => {
      this.isFetchingAhead = false;
      // The person may have gone elsewhere while the answer was on its way.
      const isStillNeeded = after === (this.ahead.at(-1) ?? this.current?.document.id);
      if (isStillNeeded) {
        this.ahead.push(...documents.map((document) => this.#workOf(document).document.id));
        this.hasMoreAhead = documents.length === NUM_DOCUMENTS_AT_HAND;
      }
      if (this.moving === "next") {
        this.moving = null;
        this.next();
        this.page.resume();
      }
    });
  }

  // Unsaved work stays as it is; should somebody else have saved meanwhile, its own save will be told so.
  #workOf(document) {
    const known = this.works.get(document.id);
    if (known?.state.isDirty) return known;
    if (known && known.document.revision === document.revision) return known;
    const work = { document, state: new AnnotationState(document), draft: null };
    this.works.set(document.id, work);
    return work;
  }

  #show(work) {
    const { document } = work;
    this.current = work;
    if (this.trail.at(-1) !== document.id) this.trail.push(document.id);
    this.timer.start(work);
    this.page.showWork(work);
    if (document.held_by) this.page.tell("annotate.held_by", { annotator: document.held_by });
    this.#offerDraft(work);
    globalThis.document.dispatchEvent(new CustomEvent(MOVED_EVENT));
  }

  // Others are not given what is on screen or at hand here, as long as somebody works on it.
  #keepHeld() {
    if (!this.current || !this.timer.isRecent(HOLD_WHILE_MS)) return;
    this.send("hold", {
      document_ids: [this.current.document.id, ...this.ahead],
      holder: this.presence.id,
      annotator: this.page.parts.annotator.value,
    });
  }

  // The order or the filter was changed: what comes next is another document. Unsaved work stays on screen.
  #changeQueue() {
    this.lane.drop((request) => request.event === "open");
    this.#stopMoving();
    this.trail = this.current?.state.isDirty ? [this.current.document.id] : [];
    this.ahead = [];
    this.hasMoreAhead = true;
    if (this.trail.length) this.#fetchAhead();
    else this.#open({}, (documents, message) => this.#jumpTo(message));
  }

  async #offerDraft(work) {
    const { document, state } = work;
    const draft = this.drafts.find(document, this.labels);
    if (!draft || (draft.tab !== this.presence.id && (await this.presence.isOpenElsewhere(draft.tab)))) return;
    // A save of this document on its way keeps its draft until the answer comes.
    const isSaving = this.lane.waiting.some((request) => request.work === work);
    if (isSaving || state.isDirty || this.current !== work) return;
    if (AnnotationState.isSame(draft.entities, state.entities)) {
      this.drafts.removeAll(document);
    } else if (draft.base === document.revision) {
      work.draft = draft;
      this.page.showDraft(draft);
    } else {
      this.page.showConflict({
        document,
        entities: draft.entities,
        onKeepMine: () => {
          this.drafts.removeAll(document);
          work.draft = draft;
          this.page.run("restoreDraft");
        },
        onTakeTheirs: () => this.drafts.removeAll(document),
      });
    }
  }
}
