// What was added and what was not: `props.value` is what `AddReport.to_value` in data_tab.py makes, or null.
const find = (selector) => element.querySelector(selector);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const put = (name, content) => {
  const target = find(`[data-field="${name}"]`);
  target.textContent = content;
  target.hidden = !content;
};

watch("value", () => {
  const report = props.value;
  find(".report").hidden = !report;
  if (!report) return;
  const parts = report.is_refused ? [] : [fill("data.added", { added: report.num_added })];
  if (report.num_duplicates) parts.push(fill("data.duplicates", { count: report.num_duplicates }));
  put("summary", parts.join(" "));
  const refused = report.is_unreadable ? "data.file_unreadable" : "data.nothing_added";
  const problem = report.is_refused ? refused : "data.some_added";
  put("problem", report.num_errors ? fill(problem, { count: report.num_errors }) : "");
  const lines = [...report.errors];
  const numMore = report.num_errors - lines.length;
  if (numMore) lines.push(fill("data.more_errors", { count: numMore }));
  const items = lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  });
  find("ul").replaceChildren(...items);
  find("ul").hidden = !items.length;
});
