// Which model will read a file.
const words = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"]["predict.batch_model"];
drawForChosenModel((model) => {
  element.querySelector("span").textContent = words.replace("{model}", () => model.name);
});
