// The choice of an export; the event "export" carries {format, status}. `props.value` is {num_documents, num_dropped}.
const field = (name) => element.querySelector(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const nameOf = (status) => {
  const name = texts[status === "all" ? "data.status_all" : `annotate.status_${status}`];
  return name[0].toUpperCase() + name.slice(1);
};
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

field("title").textContent = texts["data.export"];
field("format-name").textContent = texts["data.export_format"];
field("status-name").textContent = texts["data.export_status"];
field("run").textContent = texts["data.export_run"];
const addOption = (select, value, name) => {
  const option = document.createElement("option");
  option.value = value;
  option.textContent = name;
  select.append(option);
};
for (const format of props.formats) addOption(field("format"), format, props.names[format]);
for (const status of props.statuses) addOption(field("status"), status, nameOf(status));
field("status").value = "accepted";
field("run").addEventListener("click", () =>
  trigger("export", { format: field("format").value, status: field("status").value }),
);
watch("value", () => {
  const report = props.value;
  field("report").hidden = !report;
  if (!report) return;
  const parts = [fill("data.export_done", { count: report.num_documents })];
  if (report.num_dropped) parts.push(fill("data.export_dropped", { count: report.num_dropped }));
  field("report").textContent = parts.join(" ");
});
