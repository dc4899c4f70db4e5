// The coloured text. `props.value` is what `describe_result` in result_view.py makes, or null before the first result.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const nameOf = (style) => (language === "zh" ? style.chinese : style.english);
const threshold = find("input");
const text = find(".tagged-text");
const tagged = new TaggedText(text, "entity");

field("title").textContent = texts["predict.result"];
field("threshold-name").textContent = texts["predict.threshold"];
field("meaning").textContent = texts["predict.score_meaning"];
text.setAttribute("aria-label", texts["predict.result"]);

const makeLegendItem = (style, number, isAbsent) => {
  const item = document.createElement("li");
  item.style.setProperty("--color", style.color);
  item.dataset.label = style.label;
  item.classList.toggle("absent", isAbsent);
  const names = [style.chinese, style.english].filter((name, index, all) => all.indexOf(name) === index);
  for (const [index, name] of names.entries()) {
    const part = document.createElement("span");
    part.className = index ? "quiet" : "";
    part.textContent = name;
    item.append(part);
  }
  const count = document.createElement("b");
  count.textContent = number || "";
  item.append(count);
  return item;
};

// Suggestions in the editor are of the model that fits the project, which may be another one than the result's.
const drawCorrection = (model) => {
  const suggesting = models.get(props.suggesting) ?? model;
  const isOther = suggesting.name !== model.name;
  const labelsOf = ({ labels }) => labels.map(({ label }) => label).sort().join();
  const note = labelsOf(suggesting) === labelsOf(model) ? "predict.correct_other_model" : "predict.correct_other_labels";
  const names = { model: model.name, suggesting: suggesting.name };
  field("correct").textContent = isOther ? fill("predict.correct_with", names) : texts["predict.correct"];
  field("correct").title = isOther ? fill(note, names) : texts["predict.correct_hint"];
  field("correct-note").textContent = isOther ? fill(note, names) : "";
  field("correct-note").hidden = !isOther;
};

let offsets = null;

const formatSeconds = (seconds) =>
  seconds < 1 ? `${Math.max(1, Math.round(seconds * 1000))} ms` : `${seconds.toFixed(1)} s`;

const draw = () => {
  const { value } = props;
  const model = value ? (models.get(value.model) ?? { name: value.model, labels: [] }) : chosenModel();
  text.hidden = !value;
  find(".result-footer").hidden = !value;
  find("output").textContent = `${threshold.value}%`;
  const shown = value ? value.spans.filter((span) => span.score * 100 >= Number(threshold.value)) : [];
  const numHidden = value ? value.spans.length - shown.length : 0;
  field("hidden").textContent = numHidden ? fill("predict.hidden", { count: numHidden }) : "";

  const hint = !value
    ? "predict.result_empty"
    : !value.spans.length
      ? "predict.none_found"
      : !shown.length
        ? "predict.none_shown"
        : "";
  field("hint").textContent = hint ? texts[hint] : "";
  field("hint").hidden = !hint;

  const legend = model.labels.map((style) => {
    const number = shown.filter((span) => span.label === style.label).length;
    return makeLegendItem(style, number, Boolean(value) && !number);
  });
  field("legend").replaceChildren(...legend);
  if (value) {
    drawCorrection(model);
    const took = fill("predict.latency", { time: formatSeconds(value.seconds) });
    const words = [took, model.name, props.device].join(" · ");
    // It is announced when it changes, which it does not while the threshold moves.
    if (field("latency").textContent !== words) field("latency").textContent = words;
    offsets ??= new TextOffsets(value.text);
    const entities = shown.map((span) => ({ ...span, source: "model" }));
    const styleOf = (entity) => {
      const style = model.labels.find(({ label }) => label === entity.label) ?? { color: "#5B6470", chinese: entity.label, english: entity.label };
      return { color: style.color, name: nameOf(style) };
    };
    tagged.draw(offsets, entities, styleOf);
  }
  document.dispatchEvent(new CustomEvent("ner:entities", { detail: value && { text: value.text, model: model.name, spans: shown } }));
};

threshold.addEventListener("input", draw);
watch("value", () => {
  offsets = null;
  draw();
  // On a phone the result lies below the fold.
  const { top } = element.getBoundingClientRect();
  if (props.value && top > window.innerHeight * 0.8) element.scrollIntoView({ block: "start", behavior: "smooth" });
});
watch("suggesting", draw);
field("correct").addEventListener("click", () => trigger("correct", { text: props.value.text }));

// What is shown was asked of another model: the same text goes to the one that is chosen now.
document.addEventListener("ner:model", () => {
  if (props.value) trigger("retag", { text: props.value.text, model: chosenModel().name });
  else draw();
});

// The table points at an entity.
document.addEventListener("ner:point", ({ detail }) => {
  for (const entity of text.querySelectorAll(".ed-entity")) {
    const isMeant = Boolean(detail) && entity.entity.start === detail.start && entity.entity.label === detail.label;
    entity.classList.toggle("ed-active", isMeant);
    if (isMeant && detail.scroll) entity.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }
});
draw();
