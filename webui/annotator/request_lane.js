// Requests to the server, one at a time and in order. Gradio 6.31 delivers events of one tick in any order, and answers
// that arrive together overwrite each other; with one request under way there is nothing to mix up.

const ANSWER_TIMEOUT_MS = 8000;

class RequestLane {
  // `send(event, payload)` hands a request to Gradio, which never says whether the server got it; `onLate()` is called
  // when no answer came in time.
  constructor(send, onLate) {
    this.send = send;
    this.onLate = onLate;
    this.waiting = [];
    this.isLate = false;
    this.timer = null;
    this.sent = null;
  }

  // A request is {event, payload(), onAnswer(message)}; the payload is made when the request is sent, from what earlier
  // answers have brought by then.
  push(request) {
    this.waiting.push(request);
    if (this.isLate) this.retry();
    else this.#sendNext();
  }

  // The same request goes out again, with the same token: an answer to either counts.
  retry() {
    this.isLate = false;
    this.sent = null;
    this.#sendNext();
  }

  // Returns whether the message answers the request under way.
  settle(message) {
    const [request] = this.waiting;
    if (!request || message.request !== request.token) return false;
    clearTimeout(this.timer);
    this.waiting.shift();
    this.sent = null;
    this.isLate = false;
    request.onAnswer(message);
    this.#sendNext();
    return true;
  }

  // Forgets requests; an answer to one that is under way will find nobody who asked.
  drop(isUnwanted) {
    this.waiting = this.waiting.filter((request) => !isUnwanted(request));
    if (this.sent && !this.waiting.includes(this.sent)) {
      clearTimeout(this.timer);
      this.sent = null;
      this.isLate = false;
    }
    this.#sendNext();
  }

  #sendNext() {
    if (this.sent || !this.waiting.length) return;
    [this.sent] = this.waiting;
    this.sent.token ??= randomToken();
    this.timer = setTimeout(() => {
      this.isLate = true;
      this.onLate();
    }, ANSWER_TIMEOUT_MS);
    this.send(this.sent.event, { request: this.sent.token, ...this.sent.payload() });
  }
}
