// What the queue bar (page/queue.js) and the editor share: the order and the filter, kept as long as the browser's tab.
// The bar writes them and sends QUEUE_EVENT, and RANKED_EVENT when the model has read more texts, which therefore stand
// elsewhere in the order; the editor reads them with each request and sends MOVED_EVENT.

const QUEUE_KEY = "ner_queue";
const QUEUE_EVENT = "ner:queue";
const RANKED_EVENT = "ner:ranked";
const MOVED_EVENT = "ner:moved";

function readQueue() {
  try {
    return JSON.parse(sessionStorage.getItem(QUEUE_KEY));
  } catch {
    return null; // written by something else: the server takes its own default
  }
}

// Labels and people are those of one project.
function forgetLabels() {
  const { label, annotator, ...rest } = readQueue() ?? {};
  if (label || annotator) sessionStorage.setItem(QUEUE_KEY, JSON.stringify(rest));
}
