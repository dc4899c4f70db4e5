// The left end of the header: the link past it, seen while it has the focus, and the app's name.
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
document.title = texts["page.title"];
element.querySelector("h1").textContent = texts["page.title"];
const skip = element.querySelector("a");
skip.textContent = texts["page.skip"];
skip.addEventListener("click", (event) => {
  event.preventDefault();
  const page = [...document.querySelectorAll("#pages > .tabitem")].find((each) => each.offsetParent);
  page?.setAttribute("tabindex", "-1");
  page?.focus();
});
