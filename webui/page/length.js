// How long the text is, in code points.
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const show = () => {
  element.querySelector("span").textContent = texts["predict.length"].replace("{count}", props.value.toLocaleString());
};
watch("value", show);
show();
