// How much there is to learn from. `props.value` is what `describe_data` in train_view.py makes; the event "remove" carries
// the kind of a file.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const make = (tag, className, content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
};

field("title").textContent = texts["train.data"];
for (const column of ["label", "accepted", "new", "dev"]) {
  const heading = make("th", column, texts[`train.column_${column}`]);
  heading.scope = "col";
  find("thead tr").append(heading);
}

const drawRow = (count) => {
  const row = document.createElement("tr");
  row.style.setProperty("--color", count.color);
  row.dataset.label = count.label;
  const name = make("td", "label", count[language]);
  name.title = count.label;
  row.append(name, make("td", "", count.accepted), make("td", "new", count.new || "–"), make("td", "", count.dev || "–"));
  return row;
};

const drawSource = (kind, count) => {
  const term = make("dt", "quiet", texts[`train.${kind}_file`]);
  const words = make("dd", "", count === null ? texts[`train.${kind}_none`] : fill("train.file_sentences", { count }));
  if (count !== null) {
    const remove = make("button", "chip", texts["train.remove_file"]);
    remove.type = "button";
    remove.setAttribute("aria-label", `${texts["train.remove_file"]} ${term.textContent}`);
    remove.addEventListener("click", () => trigger("remove", { kind }));
    words.append(" ", remove);
  }
  return [term, words];
};

const draw = () => {
  const data = props.value;
  if (!data) return;
  const { model, num_accepted: accepted, num_new, num_train: train, num_dev: dev, plan } = data;
  field("summary").textContent = fill(data.is_first ? "train.summary_first" : "train.summary", { accepted, new: num_new, model });
  field("split").textContent = accepted ? fill(data.is_dev_held_out ? "train.split_held_out" : "train.split_file", { train, dev }) : "";
  field("few").hidden = !accepted || dev >= 200;
  field("few").textContent = fill("train.few_dev", { dev });
  find("tbody").replaceChildren(...data.labels.map(drawRow));
  find(".train-sources").replaceChildren(
    ...drawSource("dev", data.is_dev_held_out ? null : dev),
    ...drawSource("original", data.num_original || null),
  );
  const words = [];
  if (plan) {
    words.push(fill("train.plan", { model, ...plan }));
    if (plan.original) words.push(fill("train.plan_original", plan));
    if (!plan.keeps_head) words.push(fill("train.plan_new_head", { model }));
  }
  field("plan").textContent = words.join(language === "zh" ? "" : " ");
};
watch("value", draw);
draw();
