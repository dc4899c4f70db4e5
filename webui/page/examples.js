// A button for each example of the chosen model; the event "choose" carries the model and the example's index.
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const group = element.querySelector(".examples");
const title = group.querySelector("span");
title.textContent = props.texts[language]["predict.examples"];
group.setAttribute("aria-label", title.textContent);

const makeButton = (model, example, index) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.title = example.text;
  button.dataset.testid = "example";
  if (example.color) button.style.setProperty("--color", example.color);
  const [name, second] = example.names[language];
  button.textContent = name;
  if (second) {
    const quiet = document.createElement("span");
    quiet.className = "quiet";
    quiet.textContent = second;
    button.append(" ", quiet);
  }
  button.addEventListener("click", () => trigger("choose", { model: model.name, index }));
  return button;
};

drawForChosenModel((model) => {
  group.replaceChildren(title, ...model.examples.map((example, index) => makeButton(model, example, index)));
});
