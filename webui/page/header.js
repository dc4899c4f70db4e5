// The right end of the header: the model in use, the language switch and the dark switch.
const field = (name) => element.querySelector(`[data-field="${name}"]`);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];

field("model").textContent = props.model;

const languageSwitch = field("language");
languageSwitch.textContent = "中 / EN";
languageSwitch.setAttribute("aria-label", texts["page.switch_language"]);
languageSwitch.title = texts["page.switch_language"];
languageSwitch.addEventListener("click", () => {
  const other = language === "zh" ? "en" : "zh";
  document.cookie = `ner_language=${other}; path=/; max-age=31536000; SameSite=Lax`;
  window.location.reload();
});

const themeSwitch = field("theme");
const showTheme = () => {
  const isDark = document.body.classList.contains("dark");
  themeSwitch.textContent = isDark ? "☀" : "☾";
  themeSwitch.setAttribute("aria-pressed", String(isDark));
};
themeSwitch.setAttribute("aria-label", texts["page.switch_theme"]);
themeSwitch.title = texts["page.switch_theme"];
themeSwitch.addEventListener("click", () => {
  const theme = document.body.classList.contains("dark") ? "light" : "dark";
  document.body.classList.toggle("dark", theme === "dark");
  window.localStorage.setItem("ner_theme", theme);
  const address = new URL(window.location.href);
  address.searchParams.delete("__theme");
  window.history.replaceState(null, "", address);
});
new MutationObserver(showTheme).observe(document.body, { attributeFilter: ["class"] });
showTheme();
