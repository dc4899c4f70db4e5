// What was added and what was not: `props.value` is an `AddReport` of data_tab.py, or null.
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
  const parts = report.num_errors ? [] : [fill("data.added", { added: report.num_added })];
  if (report.num_duplicates) parts.push(fill("data.duplicates", { count: report.num_duplicates }));
  put("summary", parts.join(" "));
  put("problem", report.num_errors ? fill("data.nothing_added", { count: report.num_errors }) : "");
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
