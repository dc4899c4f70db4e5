// The documents of one visit: which one is shown and what is made of it.
//
// A "work" is a document as the server last sent it together with what the person has made of it. Saving shows the next
// document at once; the answer comes later and is matched by its token.

// A lease of a document lasts 180 seconds (`annotation_store.leases`).
const HOLD_MS = 45_000;
const HOLD_WHILE_MS = 150_000;

class Session {
  // `page` is told what happened: showWork(work), showDraft(draft), hideDraft(), showNothing(...), savingChanged(), tell(key, values),
  // showConflict(...), resume(), forgetTypedAhead(), run(command).
  constructor(page, send) {
    this.page = page;
    this.send = send;
    this.works = new Map();
    this.current = null;
    this.project = null; // its name
    this.labels = [];
    this.formerLabels = new Map();
    this.guideline = null;
    this.numTotal = 0;
    this.numReviewed = 0;
    this.annotatorsPerText = 1;
    this.username = null;
    this.presence = new TabPresence(sessionStorage);
    this.drafts = new Drafts(localStorage, this.presence.id, () => page.annotatorName);
    this.lane = new RequestLane(send, () => this.#onLate());
    this.timer = new WorkTimer(page.parts.root);
    const { drafts, lane, presence } = this;
    const show = (work) => this.current === work && this.#show(work);
    const onReviewed = () => (this.numReviewed += 1);
    this.saves = new Saves({ lane, drafts, page, show, onReviewed });
    this.offers = new DraftOffers({ drafts, presence, saves: this.saves, page });
    this.route = new Route({
      open: (asked, onDocuments) => this.#open(asked, onDocuments),
      workOf: (document) => this.#workOf(document),
    });
    setInterval(() => this.#keepHeld(), HOLD_MS);
    document.addEventListener(QUEUE_EVENT, () => this.#changeQueue());
    document.addEventListener(RANKED_EVENT, () => this.#fetchAnew());
  }

  // While another document is on its way, the shown one is left alone.
  get isMoving() {
    return this.route.moving !== null;
  }

  receive(message) {
    if (message.request !== null) {
      this.lane.settle(message);
    } else if (message.kind === "documents") {
      // Another page chose this document; answers to what was asked before are of no use now.
      this.#forgetAsked();
      const [document] = message.documents;
      // Other pages do not know by which name somebody goes here, and so not which version is theirs.
      if (document?.is_independent && message.username === null) this.#openAgain(document);
      else this.#jumpTo(message);
    } else if (message.kind === "project" && message.project !== this.project) {
      // A page that has just been loaded may have documents of it before it is told.
      this.project = message.project;
      this.#restart();
    }
  }

  // Work that was left unsaved comes first, then what nobody has reviewed.
  async openFirst() {
    const name = this.page.annotatorName;
    const draft = await this.offers.findAbandoned();
    if (this.current) return;
    const showFirst = (documents, message) => {
      // Another page may have chosen a document meanwhile.
      if (this.current) return;
      // The server may have said who has signed in: their drafts are others.
      if (this.page.annotatorName === name) this.#jumpTo(message);
      else this.openFirst();
    };
    const openFirstUnreviewed = () => this.#open({}, showFirst);
    if (!draft) {
      openFirstUnreviewed();
      return;
    }
    const showDrafted = (documents, message) => {
      if (documents[0].text === draft.text) showFirst(documents, message);
      else openFirstUnreviewed();
    };
    this.#open({ document_id: draft.documentId }, showDrafted, openFirstUnreviewed);
  }

  // Another name was typed in. What is unsaved on this page goes on under it; drafts offered so far stay with the name
  // before. Of what several people label independently, each sees only their own version.
  changeAnnotator() {
    for (const work of this.works.values()) {
      work.draft = null;
      if (isUnsaved(work)) this.drafts.write(work.document, work.state.entities, work.typedNote);
    }
    this.page.hideDraft();
    if (this.annotatorsPerText > 1) {
      this.#forgetAsked();
      this.route.restart(this.route.trail);
    }
    this.refresh();
  }

  // Brings in what others did to the shown document while this page was out of sight.
  refresh() {
    if (this.lane.waiting.length) return;
    if (!this.current) {
      this.openFirst();
      return;
    }
    const { current } = this;
    if (isUnsaved(current)) return;
    this.#open({ document_id: current.document.id, num_documents: 1 }, ([document]) => {
      if (document && this.current === current) this.#show(this.#workOf(document));
    });
  }

  next() {
    this.saves.lastSaved = null;
    this.route.next((id) => {
      if (id === null) this.page.tell("annotate.is_last");
      else this.#show(this.works.get(id));
      this.page.resume();
    });
  }

  previous() {
    this.saves.lastSaved = null;
    this.route.previous((work) => {
      if (work) this.#show(work);
      else this.page.tell("annotate.is_first");
      this.page.resume();
    });
  }

  // To be called after each change of the current work, or of the note that is typed for it.
  keepDraft() {
    const { document, state } = this.current;
    const note = this.page.noteForm.typed;
    this.current.typedNote = note;
    this.saves.forgetAnswer(this.current);
    const tellImpossible = () => this.page.tell("annotate.draft_impossible");
    if (isUnsaved(this.current)) this.drafts.keep(document, state.entities, note, tellImpossible);
    else this.drafts.remove(document);
    this.page.savingChanged();
  }

  // Goes back to what is stored of the current work.
  discardChanges() {
    const { current } = this;
    if (!isUnsaved(current)) return;
    this.drafts.remove(current.document);
    current.typedNote = "";
    current.state = new AnnotationState(current.document);
    this.#show(current);
  }

  save(status, annotator, note) {
    const work = this.current;
    const { entities } = work.state;
    work.typedNote = "";
    this.saves.push(work, { entities, status, annotator, note, duration_s: this.timer.take(work) });
  }

  retry() {
    if (this.lane.isLate) this.lane.retry();
    this.saves.retryRefused();
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

  #open(asked, onDocuments, onRefused = (reason) => this.#tellRefused(reason)) {
    this.lane.push({
      event: "open",
      payload: () => ({
        num_documents: NUM_DOCUMENTS_AT_HAND,
        queue: readQueue(),
        seen: this.route.seen,
        holder: this.presence.id,
        annotator: this.page.annotatorName,
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

  #openAgain({ id }) {
    this.#open({ document_id: id }, (documents, message) => this.#jumpTo(message));
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
    this.route.stop();
    this.page.forgetTypedAhead();
  }

  #forgetAsked() {
    this.lane.drop((request) => request.event === "open");
    this.#stopMoving();
  }

  #takeProject(message) {
    this.project = message.project;
    this.labels = message.labels;
    this.formerLabels = new Map(Object.entries(message.former_labels));
    this.guideline = message.guideline;
    this.numTotal = message.num_total;
    this.numReviewed = message.num_reviewed;
    this.annotatorsPerText = message.annotators_per_text;
    this.username = message.username;
  }

  // Another project was chosen. Saves of the one before go on; what was typed there and not saved is kept as a draft.
  #restart() {
    this.#forgetAsked();
    this.current = null;
    this.route.restart([]);
    forgetLabels();
    this.openFirst();
  }

  #jumpTo(message) {
    this.#takeProject(message);
    const [first, ...rest] = message.documents.map((document) => this.#workOf(document));
    const ahead = rest.map((work) => work.document.id);
    this.route.restart(this.route.trail, ahead);
    if (!first) {
      this.current = null;
      this.page.showNothing(message.num_total ? "annotate.queue_done" : "annotate.empty_title");
      return;
    }
    this.#show(first);
    this.route.fetch();
  }

  // Unsaved work stays as it is; should somebody else have saved meanwhile, its own save will be told so.
  #workOf(document) {
    const known = this.works.get(document.id);
    // The others' versions, which nobody sees here, change no revision.
    if (known) known.document.is_closed = document.is_closed;
    if (known && isUnsaved(known)) return known;
    if (known && known.document.revision === document.revision) return known;
    const work = { document, state: new AnnotationState(document), draft: null, typedNote: "" };
    this.works.set(document.id, work);
    return work;
  }

  #show(work) {
    const { document } = work;
    this.current = work;
    this.route.arriveAt(document.id);
    this.timer.start(work);
    this.page.showWork(work);
    if (document.held_by) this.page.tell("annotate.held_by", { annotator: document.held_by });
    this.offers.offer(work, this, () => this.current === work);
    globalThis.document.dispatchEvent(new CustomEvent(MOVED_EVENT));
  }

  // Others are not given what is on screen or at hand here, as long as somebody works on it.
  #keepHeld() {
    if (!this.current || !this.timer.isRecent(HOLD_WHILE_MS)) return;
    const { document } = this.current;
    // Somebody else is waiting to label a text of which this person's own version is stored.
    const isHandedOn = document.is_independent && document.status !== "new" && !isUnsaved(this.current);
    this.send("hold", {
      document_ids: [...(isHandedOn ? [] : [document.id]), ...this.route.ahead],
      holder: this.presence.id,
      annotator: this.page.annotatorName,
    });
  }

  // What is at hand was chosen before the model had read the others; the shown document stays.
  #fetchAnew() {
    if (!this.current || this.isMoving) return;
    this.#forgetAsked();
    this.route.restart(this.route.trail);
    this.route.fetch();
  }

  // The order or the filter was changed: what comes next is another document. Unsaved work stays on screen.
  #changeQueue() {
    this.#forgetAsked();
    const stays = this.current !== null && isUnsaved(this.current);
    this.route.restart(stays ? [this.current.document.id] : []);
    if (stays) this.route.fetch();
    else this.#open({}, (documents, message) => this.#jumpTo(message));
  }
}

function isUnsaved({ state, typedNote }) {
  return state.isDirty || typedNote !== "";
}
