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

const remembered = models.get(window.localStorage.getItem(REMEMBERED)) ?? props.models[0];
for (const model of props.models) {
  const option = make("label", "model-option");
  const radio = make("input", "");
  radio.type = "radio";
  radio.name = "ner-model";
  radio.value = model.name;
  radio.checked = model === remembered;
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
  group.append(option);
}
watch("value", keepValue);
keepValue();
document.dispatchEvent(new CustomEvent("ner:model", { detail: remembered.name }));
