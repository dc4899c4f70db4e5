// The queue bar. `props.value` is what `QueueBar.describe` in queue_bar.py makes; the event is "describe" with
// {queue, holder, annotator}. What is chosen is kept in the browser's tab, where the editor reads it (annotator/queue.js).
const QUEUE_KEY = "ner_queue";
const DEFAULT = { order: "path", status: "new", label: "", annotator: "", query: "", differs: false };
const FILTERS = ["label", "annotator", "query", "differs"];
const WHILE_READING_MS = 3000;
const AT_REST_MS = 30_000;
const AFTER_A_MOVE_MS = 800;
const AFTER_TYPING_MS = 400;

const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];
const words = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const field = (name) => element.querySelector(`[data-field="${name}"]`);

const read = () => {
  try {
    return { ...DEFAULT, ...JSON.parse(sessionStorage.getItem(QUEUE_KEY)) };
  } catch {
    return { ...DEFAULT };
  }
};
let chosen = read();
let timer = null;
let lastReading = null; // as the bar was told last

const ask = () => {
  clearTimeout(timer);
  // The token under which the editor holds documents (annotator/tab_presence.js).
  const holder = sessionStorage.getItem("ner_tab") ?? "";
  trigger("describe", { queue: chosen, holder, annotator: readAnnotatorName() });
  askLater();
};
const askLater = (pause = props.value?.reading?.is_going_on ? WHILE_READING_MS : AT_REST_MS) => {
  clearTimeout(timer);
  // Nobody looks at a bar that is out of sight.
  timer = setTimeout(() => (element.checkVisibility() && !document.hidden ? ask() : askLater()), pause);
};
const choose = (change) => {
  chosen = { ...chosen, ...change };
  sessionStorage.setItem(QUEUE_KEY, JSON.stringify(chosen));
  draw();
  document.dispatchEvent(new CustomEvent("ner:queue"));
  ask();
};

const fill = (select, options, value) => {
  const known = options.some((option) => option.value === value);
  select.replaceChildren(...options.map((option) => new Option(option.name, option.value, false, option.value === value)));
  // A choice that is on offer no longer stays visible: it is still what the queue is filtered by.
  if (!known && value) select.append(new Option(value, value, false, true));
};
const draw = () => {
  const { labels = [], annotators = [], num_matching, num_held, num_left_out, reading } = props.value ?? {};
  fill(field("order"), props.orders.map((order) => ({ value: order, name: words(`queue.order_${order}`) })), chosen.order);
  field("order").title = texts[`queue.order_${chosen.order}_hint`] ?? "";
  const nameOfStatus = (status) => texts[status === "all" ? "queue.status_all" : `annotate.status_${status}`];
  fill(field("status"), props.statuses.map((status) => ({ value: status, name: nameOfStatus(status) })), chosen.status);
  const nameOfLabel = ({ label, chinese, english }) => (language === "zh" ? chinese : english) || label;
  fill(
    field("label"),
    [
      { value: "", name: words("queue.any_label") },
      ...labels.map((style) => ({ value: style.label, name: nameOfLabel(style) })),
    ],
    chosen.label,
  );
  fill(
    field("annotator"),
    [{ value: "", name: words("queue.any_annotator") }, ...annotators.map((name) => ({ value: name, name }))],
    chosen.annotator,
  );
  if (document.activeElement !== field("query")) field("query").value = chosen.query;
  field("differs").checked = chosen.differs;

  const numActive = FILTERS.filter((name) => chosen[name]).length;
  field("toggle").textContent = numActive ? words("queue.filter_active", { count: numActive }) : words("queue.filter");
  field("toggle").classList.toggle("active", numActive > 0);
  field("clear").hidden = numActive === 0;
  if (num_matching !== undefined) {
    const counts = { count: num_matching.toLocaleString(), held: num_held.toLocaleString() };
    const left = { left: num_left_out.toLocaleString() };
    field("count").textContent =
      words(num_held ? "queue.count_held" : "queue.count", counts) + (num_left_out ? words("queue.left_out", left) : "");
    field("count").title = num_left_out ? words("queue.left_out_hint") : "";
  }
  field("reading").textContent = reading && ranks() ? describeReading(reading) : "";
  field("reading").title = reading?.is_going_on ? words("queue.reading_hint") : "";
};
const ranks = () => chosen.order === "path" || chosen.order === "token";
const describeReading = ({ model, num_read, num_total, has_failed, is_going_on }) => {
  if (model === null) return num_total ? words("queue.no_model") : "";
  if (has_failed) return words("queue.reading_failed", { model });
  if (!is_going_on) return "";
  return words("queue.reading", { model, read: num_read.toLocaleString(), total: num_total.toLocaleString() });
};

for (const name of ["order", "status", "label", "annotator", "query", "differs"]) {
  field(`${name}-name`).textContent = words(`queue.${name}`);
}
element.querySelector(".queue").setAttribute("aria-label", words("queue.name"));
field("clear").textContent = words("queue.clear");
for (const name of ["order", "status", "label", "annotator"]) {
  field(name).addEventListener("change", () => choose({ [name]: field(name).value }));
}
field("differs").addEventListener("change", () => choose({ differs: field("differs").checked }));
let typing = null;
field("query").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => choose({ query: field("query").value }), AFTER_TYPING_MS);
});
field("clear").addEventListener("click", () => {
  choose(Object.fromEntries(FILTERS.map((name) => [name, DEFAULT[name]])));
  field("toggle").focus();
});
const open = (isOpen) => {
  field("filters").hidden = !isOpen;
  field("toggle").setAttribute("aria-expanded", String(isOpen));
};
field("toggle").addEventListener("click", () => open(field("filters").hidden));
open(FILTERS.some((name) => chosen[name]));

// Saving and moving on changes the number; not with every key of somebody who is quick.
document.addEventListener("ner:moved", () => askLater(AFTER_A_MOVE_MS));
// A text that was read since may be the one to come next.
const tellWhatWasRead = () => {
  const { project, reading } = props.value ?? {};
  const before = lastReading;
  lastReading = reading && { project, ...reading };
  if (!ranks() || !before || before.project !== project || before.model !== reading?.model) return;
  if (reading.num_read > before.num_read) document.dispatchEvent(new CustomEvent("ner:ranked"));
};
watch("value", () => {
  // Another project has other labels and people; the editor has forgotten those of the one before.
  chosen = read();
  draw();
  tellWhatWasRead();
  askLater();
});
draw();
ask();
