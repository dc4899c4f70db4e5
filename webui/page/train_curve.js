// The learning curve in words. `props.value` is what `describe_curve` in train_curve.py makes; the event "start" measures it.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
field("title").textContent = texts["train.curve"];
field("note").textContent = texts["train.curve_note"];
field("start").textContent = texts["train.curve_start"];
field("start").addEventListener("click", () => {
  field("start").disabled = true;
  trigger("start", {});
});
const drawPoint = ({ num_sentences: count, f1, low, high }) => {
  const item = document.createElement("li");
  const interval = `${low.toFixed(3)} – ${high.toFixed(3)}`;
  item.textContent = fill("train.curve_point", { count, f1: f1.toFixed(3), interval });
  return item;
};
const draw = () => {
  const curve = props.value;
  if (!curve) return;
  const words = [];
  if (!curve.points.length) words.push(texts["train.curve_empty"]);
  else words.push(fill("train.curve_base", { model: curve.base, dev: curve.num_dev }));
  if (curve.points.length && curve.num_measured !== curve.num_now) {
    words.push(fill("train.curve_stale", { count: curve.num_measured, now: curve.num_now }));
  }
  field("about").textContent = words.join(language === "zh" ? "" : " ");
  find("ul").replaceChildren(...curve.points.map(drawPoint));
  find("ul").hidden = !curve.points.length;
  field("start").disabled = !curve.can_start;
};
watch("value", draw);
draw();
