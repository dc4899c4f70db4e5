// The choice of a model with its labels, kept by this browser. The value is the model's name.
const REMEMBERED = "ner_model";
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];
const group = element.querySelector(".models");
group.setAttribute("aria-label", texts["predict.model"]);
group.querySelector(".models-title").textContent = texts["predict.model"];

const make = (tag, className, content = "") => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
};

// Gradio 6.31 sets a component's first value once more when this script has run: the radio button decides.
const keepValue = () => {
  if (props.value !== chosenModel().name) props.value = chosenModel().name;
};

const makeOption = (model) => {
  const option = make("label", "model-option");
  const radio = make("input", "");
  radio.type = "radio";
  radio.name = "ner-model";
  radio.value = model.name;
  radio.addEventListener("change", () => {
    window.localStorage.setItem(REMEMBERED, model.name);
    keepValue();
    document.dispatchEvent(new CustomEvent("ner:model", { detail: model.name }));
  });
  const names = model.labels.map((style) => (language === "zh" ? style.chinese : style.english));
  const labels = names.join(texts["page.separator"]);
  option.title = labels; // all of them: the page shows two lines
  const words = make("span", "model-words");
  words.append(make("span", "model-name", model.name), make("span", "model-labels quiet small", labels));
  option.append(radio, words);
  return option;
};

// Offers the models of `props.models`; the one of this name is chosen if there is one, else the first.
const offer = (name) => {
  const chosen = props.models.find((model) => model.name === name) ?? props.models[0];
  const options = props.models.map(makeOption);
  options[props.models.indexOf(chosen)].querySelector("input").checked = true;
  group.replaceChildren(group.querySelector(".models-title"), ...options);
  // The browser tells nobody that another one is checked now; and a page that was built with one model hears of a second.
  document.dispatchEvent(new CustomEvent("ner:models", { detail: { models: props.models, chosen: chosen.name } }));
  keepValue();
};

// Whoever put a model to use on this page wants to see it at work: the server then names it.
watch("models", () => {
  const before = chosenModel().name;
  if (props.chosen) window.localStorage.setItem(REMEMBERED, props.chosen);
  offer(props.chosen ?? window.localStorage.getItem(REMEMBERED));
  if (chosenModel().name !== before) document.dispatchEvent(new CustomEvent("ner:model", { detail: chosenModel().name }));
});
watch("value", keepValue);
offer(window.localStorage.getItem(REMEMBERED));
document.dispatchEvent(new CustomEvent("ner:model", { detail: chosenModel().name }));
