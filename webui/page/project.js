// The selector of the project. `props.value` is what `describe_choice` in project_choice.py makes; the event is "choose"
// with {name}.
const find = (selector) => element.querySelector(selector);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const select = find("select");
find('[data-field="name"]').textContent = texts["page.project"];

const remember = (name) => {
  document.cookie = `${props.cookie}=${encodeURIComponent(name)}; path=/; max-age=31536000; SameSite=Lax`;
};
const draw = () => {
  const { projects = [], current } = props.value ?? {};
  select.replaceChildren(...projects.map((name) => new Option(name, name, false, name === current)));
  find(".header-project").hidden = projects.length < 2;
  if (current) remember(current);
};
const choose = (name) => {
  remember(name);
  trigger("choose", { name });
};
select.addEventListener("change", () => choose(select.value));
// The list on the page Projects chooses, too.
document.addEventListener("ner:project", ({ detail }) => choose(detail));
watch("value", draw);
draw();
