// The last training and its result. `props.value` is what `describe_job` in train_view.py makes; the events are "cancel",
// "resume", "use" with {name}, and "ended" when a training that was seen running is so no longer.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const points = (f1) => (100 * f1).toFixed(2);
const signed = (f1) => `${f1 < 0 ? "−" : "+"}${points(Math.abs(f1))}`;
const put = (name, content) => {
  field(name).textContent = content;
  field(name).hidden = !content;
};
const make = (tag, className, content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
};
const formatTime = (seconds) => {
  const minutes = Math.floor(seconds / 60);
  const rest = Math.round(seconds % 60);
  if (language === "zh") return minutes ? `${minutes} 分 ${rest} 秒` : `${rest} 秒`;
  return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
};
const ACTIVE = ["starting", "running", "comparing"];

field("title").textContent = texts["train.job"];
field("log-title").textContent = texts["train.log"];
field("cancel").textContent = texts["train.cancel"];
field("resume").textContent = texts["train.resume"];
field("cancel").addEventListener("click", () => {
  field("cancel").disabled = true;
  trigger("cancel", {});
});
field("resume").addEventListener("click", () => trigger("resume", {}));
field("use").addEventListener("click", () => {
  field("use").disabled = true;
  trigger("use", { name: props.value.name });
});

const nameOf = (label) => props.value.labels.find((each) => each.label === label)?.[language] ?? label;
const drawRow = (name, f1A, f1B, interval) => {
  const row = document.createElement("tr");
  const difference = make("td", "", signed(f1B - f1A));
  if (interval) difference.append(make("span", "quiet small", ` ${fill("train.range", { low: signed(interval.low), high: signed(interval.high) })}`));
  row.append(make("th", "", name), make("td", "", points(f1A)), make("td", "", points(f1B)), difference);
  row.firstChild.scope = "row";
  return row;
};

// No entity of the label to find: an F1 of 0 would look like a failure.
const drawUnmeasured = (name) => {
  const row = document.createElement("tr");
  row.append(make("th", "", name), make("td", "quiet", "–"), make("td", "quiet", "–"), make("td", "quiet small", texts["train.unmeasured"]));
  row.firstChild.scope = "row";
  return row;
};

const drawResult = (job) => {
  const { comparison } = job;
  find(".train-result").hidden = !comparison;
  field("use").hidden = !comparison || job.is_in_use || Boolean(job.other_project);
  if (!comparison) return;
  const { a, b, difference, confidence_interval: interval, verdict } = comparison;
  const kind = verdict !== "not shown" ? verdict : difference < 0 ? "below" : "not_shown";
  const p = comparison.p_value < 0.01 ? comparison.p_value.toPrecision(1) : comparison.p_value.toFixed(2);
  const names = { new: job.name, old: job.base };
  field("verdict").textContent = fill(`train.verdict_${kind}`, { ...names, points: points(Math.abs(difference)), p });
  find(".train-result").dataset.verdict = verdict;
  const count = comparison.num_examples;
  const sentences = [fill("train.interval", { low: signed(interval.low), high: signed(interval.high), count }), texts["train.selected_on_dev"]];
  if (count < 200) sentences.push(fill("train.few_dev", { dev: count }));
  field("interval").textContent = sentences.join(language === "zh" ? "" : " ");
  const headings = [texts["train.column_label"], job.base, job.name, texts["train.column_difference"]];
  find(".train-comparison thead tr").replaceChildren(
    ...headings.map((heading, index) => {
      const cell = make("th", "", index === 1 || index === 2 ? `${heading} F1` : heading);
      cell.scope = "col";
      return cell;
    }),
  );
  const rows = Object.entries(comparison.per_label).map(([label, it]) =>
    a.per_label[label].support ? drawRow(nameOf(label), it.f1_a, it.f1_b, it.interval) : drawUnmeasured(nameOf(label)),
  );
  find(".train-comparison tbody").replaceChildren(drawRow(texts["train.all_labels"], a.micro.f1, b.micro.f1, interval), ...rows);
  field("use").textContent = fill("train.use_new", { model: job.name });
  field("use").disabled = false;
};

let wasActive = false;
const draw = () => {
  const job = props.value;
  if (!job) return;
  const isActive = ACTIVE.includes(job.state);
  element.querySelector(".card-header").dataset.state = job.state;
  field("state").dataset.state = job.state;
  const isCurve = job.kind === "curve";
  const name = isCurve ? texts["train.curve"] : job.name;
  const state = job.state === "none" ? "" : `${name} · ${texts[`train.state_${isCurve && isActive ? "curve" : job.state}`]}`;
  if (field("state").textContent !== state) field("state").textContent = state;
  const notes = [];
  if (job.state === "none") notes.push(texts["train.no_job"]);
  if (job.other_project) notes.push(fill("train.other_project", { project: job.other_project }));
  if (job.state === "interrupted" && job.can_resume) notes.push(texts["train.interrupted_note"]);
  if (["interrupted", "cancelled", "failed"].includes(job.state) && !job.can_resume) notes.push(texts["train.not_saved_note"]);
  put("note", notes.join(" "));
  find(".train-progress").hidden = !isActive;
  if (isActive) {
    const words = [];
    if (job.num_steps) {
      find("progress").value = job.step / job.num_steps;
      words.push(fill("train.progress", { epoch: job.epoch, step: job.step, steps: job.num_steps }));
      if (job.remaining_s > 0) words.push(fill("train.remaining", { time: formatTime(job.remaining_s) }));
      if (job.best_f1 !== null) words.push(fill("train.best", { f1: job.best_f1.toFixed(3) }));
    } else {
      find("progress").value = job.state === "comparing" ? 1 : 0;
    }
    find("progress").setAttribute("aria-label", texts["train.job"]);
    field("progress").textContent = words.join(" · ");
  }
  put("reason", job.is_killed ? texts["train.killed_note"] : (job.reason ?? ""));
  field("cancel").hidden = !isActive || job.state === "comparing";
  field("cancel").disabled = false;
  field("resume").hidden = !job.can_resume;
  find("details").hidden = !job.log?.length;
  field("log").textContent = (job.log ?? []).join("\n");
  drawResult(job);
  if (wasActive && !isActive) trigger("ended", {});
  wasActive = isActive;
};
watch("value", draw);
draw();
