// The models that the project may use. `props.value` is what `describe_models_here` in train_view.py makes; the event "use"
// carries a name.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const make = (tag, className, content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
};
field("title").textContent = texts["train.models"];
field("note").textContent = texts["train.models_note"];

const drawModel = (model) => {
  const item = document.createElement("li");
  item.dataset.model = model.name;
  const words = make("div", "train-model", "");
  const about = model.f1 === undefined ? texts["train.given_model"] : fill("train.trained_model", { count: model.num_corrections, f1: model.f1.toFixed(3) });
  words.append(make("span", "model-name", model.name), make("span", "quiet small", about));
  item.append(words);
  if (model.name === props.value.in_use) {
    item.setAttribute("aria-current", "true");
    item.append(make("span", "badge accepted", texts["train.in_use"]));
  } else {
    const use = make("button", "button", texts["train.use"]);
    use.type = "button";
    use.setAttribute("aria-label", `${texts["train.use"]} ${model.name}`);
    use.addEventListener("click", () => {
      use.disabled = true;
      trigger("use", { name: model.name });
    });
    item.append(use);
  }
  return item;
};
const draw = () => find("ul").replaceChildren(...(props.value?.models ?? []).map(drawModel));
watch("value", draw);
draw();
