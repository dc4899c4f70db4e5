// Progress and report of a batch: `props.value` is what `BatchReport.to_value` in batch.py makes, or null.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

const put = (target, content) => {
  target.textContent = content;
  target.hidden = !content;
};

watch("value", () => {
  const report = props.value ?? { state: "none", errors: [] };
  find(".batch-progress").hidden = report.state !== "running";
  if (report.state === "running") {
    const { done, total } = report;
    find("progress").value = total ? done / total : 0;
    find("progress").setAttribute("aria-label", texts["predict.batch"]);
    field("progress").textContent = fill("predict.batch_running", { done, total });
  }
  const time = report.seconds < 1 ? `${Math.round(report.seconds * 1000)} ms` : `${report.seconds?.toFixed(1)} s`;
  put(
    field("summary"),
    report.state === "done"
      ? report.total
        ? fill("predict.batch_done", { ...report, time })
        : texts["predict.batch_empty"]
      : report.state === "cancelled"
        ? texts["predict.batch_cancelled"]
        : "",
  );
  put(field("errors-title"), report.errors.length ? fill("predict.batch_errors", { count: report.num_errors }) : "");
  const lines = report.errors.map((error) => {
    const item = document.createElement("li");
    item.textContent = error;
    return item;
  });
  if (report.num_errors > report.errors.length) {
    const rest = document.createElement("li");
    rest.textContent = fill("predict.batch_more", { count: report.num_errors - report.errors.length });
    lines.push(rest);
  }
  find("ul").replaceChildren(...lines);
  find("ul").hidden = !lines.length;
});
