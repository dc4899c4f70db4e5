// A file on its way into the store. `props.value` is what `ImportJob.describe` in import_job.py makes, or null. The events are
// "choose" and "start" with {format, column, is_predicted, offsets}, and "keep", "cancel", "discard" and "report" with nothing.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const say = (key, values = {}) => texts[`data.import_${key}`].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const show = (name, isShown) => {
  field(name).hidden = !isShown;
};
const put = (name, content) => {
  field(name).textContent = content;
  show(name, Boolean(content));
};
const count = (number) => number.toLocaleString();
const megabytes = (bytes) => (bytes < 100_000 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

for (const name of ["format", "column", "offsets"]) field(`${name}-name`).textContent = say(name);
field("predicted-name").textContent = say("labels");
for (const name of ["start", "cancel", "discard", "report"]) field(name).textContent = say(name);
field("preview-name").textContent = say("preview");
find("ul").setAttribute("aria-label", say("errors"));
find("progress").setAttribute("aria-label", say("progress"));

const fillSelect = (select, options, chosen) => {
  const made = options.map(([value, name]) => {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = name;
    return option;
  });
  select.replaceChildren(...made);
  select.value = chosen;
};
const nameColumn = (column) => {
  const isNumber = /^\d+$/.test(column) && props.value.format === "csv";
  return isNumber ? say("column_number", { number: column }) : column;
};
const choice = () => ({
  format: field("format").value,
  column: field("column").value || null,
  is_predicted: field("predicted").value === "predicted",
  offsets: field("offsets").value,
});

// Another format has other columns.
field("format").addEventListener("change", () => trigger("choose", { ...choice(), column: null }));
for (const name of ["column", "predicted", "offsets"]) {
  field(name).addEventListener("change", () => trigger("choose", choice()));
}
let isAsked = false; // one press, one import
const ask = (name, data) => {
  if (isAsked) return;
  isAsked = true;
  trigger(name, data);
};
field("start").addEventListener("click", () => ask("start", choice()));
field("keep").addEventListener("click", () => ask("keep"));
field("cancel").addEventListener("click", () => {
  field("cancel").disabled = true;
  trigger("cancel");
});
field("report").addEventListener("click", () => trigger("report"));
field("discard").addEventListener("click", () => {
  trigger("discard");
  props.value = null;
  find(".import").hidden = true;
});

const list = (parent, items) => {
  const made = items.map((content) => {
    const item = document.createElement("li");
    item.textContent = content;
    return item;
  });
  parent.replaceChildren(...made);
  parent.hidden = !made.length;
};

const summarize = (job) => {
  const { result } = job;
  if (job.state === "cancelled") return say("cancelled");
  if (!result) return "";
  const time = job.seconds < 10 ? job.seconds.toFixed(1) : Math.round(job.seconds);
  const parts = [say("done", { count: count(result.num_added), time })];
  const { notes } = result;
  for (const [key, number] of [
    ["duplicates", result.num_duplicates],
    ["preannotated", result.num_preannotated],
    ["left_out", result.num_errors],
    ["repaired_tags", notes.num_repaired_tags],
    ["moved_spans", notes.num_moved_spans],
    ["disagreements", notes.num_disagreements],
  ]) {
    if (number) parts.push(say(key, { count: count(number) }));
  }
  return parts.join(" ");
};

const findProblem = (job) => {
  if (job.state === "chosen" && job.first_problem) return say("nothing_readable");
  if (job.state === "failed") return job.problem || say("internal_error");
  if (job.state !== "errors") return "";
  const values = { count: count(job.num_errors), good: count(job.num_documents) };
  return say(job.num_documents ? "line_errors" : "all_wrong", values);
};

const draw = () => {
  const job = props.value;
  const wasHidden = find(".import").hidden;
  find(".import").hidden = !job;
  if (!job) return;
  isAsked = false;
  const isChosen = job.state === "chosen";
  const isRunning = job.state === "running";
  find(".import").dataset.state = job.state;
  field("title").textContent = job.name;
  field("title").title = job.name;
  field("size").textContent = megabytes(job.size);
  show("choices", isChosen);
  fillSelect(field("format"), props.formats.map((format) => [format, texts[`data.format_${format}`]]), job.format);
  fillSelect(field("column"), job.columns.map((column) => [column, nameColumn(column)]), job.column ?? "");
  show("column-label", job.columns.length > 1);
  fillSelect(
    field("predicted"),
    ["checked", "predicted"].map((name) => [name, say(name)]),
    job.is_predicted ? "predicted" : "checked",
  );
  // Of tables only our own have labels.
  const hasLabels = job.format === "csv" ? job.columns.includes("suggestions") : job.format !== "txt";
  show("predicted-label", hasLabels);
  fillSelect(field("offsets"), props.offset_units.map((unit) => [unit, say(`offsets_${unit}`)]), job.offsets);
  show("offsets-label", job.format === "doccano");
  show("preview", isChosen && job.texts.length > 0);
  list(find("ol"), isChosen ? job.texts : []);
  show("running", isRunning);
  find("progress").value = job.share;
  const values = { done: count(job.done), total: count(job.total), percent: Math.floor(job.share * 100) };
  field("progress").textContent = isRunning ? say(`step_${job.step}`, values) : "";
  put("summary", summarize(job));
  put("problem", findProblem(job));
  const errors = isChosen && job.first_problem ? [job.first_problem] : [...job.errors];
  const numMore = job.num_errors - job.errors.length;
  if (numMore > 0) errors.push(texts["data.more_errors"].replace("{count}", count(numMore)));
  list(find("ul"), errors);
  show("start", isChosen);
  field("start").disabled = !job.texts.length;
  const canKeep = job.state === "errors" && job.num_documents > 0;
  show("keep", canKeep);
  field("keep").textContent = canKeep ? say("keep", { count: count(job.num_documents) }) : "";
  show("report", job.num_errors > 0);
  show("cancel", isRunning);
  field("cancel").disabled = !isRunning || job.step === "entering";
  show("discard", !isRunning);
  field("discard").textContent = say(["done", "cancelled", "failed"].includes(job.state) ? "close" : "discard");
  // The card stands above the list; a visitor who pressed a button further down would miss it.
  if (wasHidden) {
    find(".import").focus({ preventScroll: true });
    find(".import").scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
};

watch("value", draw);
