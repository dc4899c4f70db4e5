// A button for each example; the event "choose" carries its index.
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const group = element.querySelector(".examples");
const title = props.texts[language]["predict.examples"];
group.setAttribute("aria-label", title);
group.querySelector("span").textContent = title;
for (const [index, example] of props.examples.entries()) {
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
  button.addEventListener("click", () => trigger("choose", { index }));
  group.append(button);
}
