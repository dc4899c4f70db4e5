// The way through the documents: which were shown in this visit, which are at hand, and which one is on its way.

const NUM_DOCUMENTS_AT_HAND = 4;
const NUM_BEFORE_FETCHING = 2;
const MAX_SEEN = 500;

class Route {
  // `open(asked, onDocuments)` asks the server for documents; `workOf(document)` gives the work on one of them.
  constructor({ open, workOf }) {
    this.open = open;
    this.workOf = workOf;
    this.at = null; // the document shown
    this.moving = null; // "next" or "previous" while that document is on its way
    this.isFetching = false;
    this.restart([]);
  }

  // What the queue need not give once more.
  get seen() {
    return [...new Set([...this.trail, ...this.ahead])].slice(-MAX_SEEN);
  }

  // From here on another queue gives what comes next. `trail` are documents already shown.
  restart(trail, ahead = []) {
    this.trail = trail;
    this.ahead = ahead;
    this.hasMore = true;
    this.stop();
  }

  // No longer waits for a document.
  stop() {
    this.moving = null;
    this.isFetching = false;
  }

  arriveAt(id) {
    this.at = id;
    if (this.trail.at(-1) !== id) this.trail.push(id);
  }

  // `onArrived(id)` may be called at once or later, with null where no document follows.
  next(onArrived) {
    if (this.ahead.length) {
      onArrived(this.ahead.shift());
      this.fetch();
    } else if (this.hasMore) {
      this.moving = "next";
      this.onArrived = onArrived;
      this.fetch();
    } else {
      onArrived(null);
    }
  }

  // Back along the way that was taken, then to what stands before in the project. `onArrived` as in `next`, but with the
  // work itself, which may be newer than what is known of it.
  previous(onArrived) {
    const { at } = this;
    const isOnTrail = this.trail.length > 1 && this.trail.at(-1) === at;
    const asked = isOnTrail ? { document_id: this.trail.at(-2) } : { before: at };
    this.moving = "previous";
    this.open({ ...asked, num_documents: 1 }, ([document]) => {
      if (this.moving !== "previous") return;
      this.moving = null;
      if (isOnTrail) this.trail.splice(-2);
      if (document) this.ahead.unshift(at);
      onArrived(document ? this.workOf(document) : null);
    });
  }

  // Fetches what comes next before it is needed.
  fetch() {
    if (this.ahead.length >= NUM_BEFORE_FETCHING || !this.hasMore || this.isFetching) return;
    this.isFetching = true;
    const after = this.#last;
    this.open({ after, num_documents: NUM_DOCUMENTS_AT_HAND }, (documents) => {
      this.isFetching = false;
      // The person may have gone elsewhere while the answer was on its way.
      if (after === this.#last) {
        this.ahead.push(...documents.map((document) => this.workOf(document).document.id));
        this.hasMore = documents.length === NUM_DOCUMENTS_AT_HAND;
      }
      if (this.moving !== "next") return;
      this.moving = null;
      this.next(this.onArrived);
    });
  }

  get #last() {
    return this.ahead.at(-1) ?? this.at;
  }
}
