// The choice of an export; the event "export" carries {format, status}. `props.value` is an `ExportResult` of exchange.py with the
// format's name, or null.
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
for (const format of props.formats) addOption(field("format"), format, texts[`data.format_${format}`]);
for (const status of props.statuses) addOption(field("status"), status, nameOf(status));
field("status").value = "accepted";
field("run").addEventListener("click", () =>
  trigger("export", { format: field("format").value, status: field("status").value }),
);
const describe = () => {
  field("note").textContent = texts[`data.export_note_${field("format").value}`];
};
field("format").addEventListener("change", () => {
  describe();
  for (const name of ["report", "losses"]) field(name).hidden = true;
});
field("format").value = "cluener";
describe();

watch("value", () => {
  const report = props.value;
  field("report").hidden = !report;
  field("losses").hidden = true;
  if (!report) return;
  field("report").textContent = fill("data.export_done", { count: report.num_documents.toLocaleString() });
  const losses = ["left_out", "spans", "suggestions", "ids", "statuses", "annotators"]
    .filter((name) => report[`num_${name}`])
    .map((name) => fill(`data.lost_${name}`, { count: report[`num_${name}`].toLocaleString() }));
  if (!losses.length) return;
  field("losses").hidden = false;
  field("losses").textContent = fill("data.export_lost", {
    format: texts[`data.format_${report.format}`],
    losses: losses.join(texts["page.separator"]),
  });
});
