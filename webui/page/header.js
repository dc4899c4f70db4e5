// The right end of the header: the models on offer, the language switch and the dark switch.
const field = (name) => element.querySelector(`[data-field="${name}"]`);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];

const showModels = (models) => {
  const names = models.join(texts["page.separator"]);
  const shown = models.length > 2 ? texts["page.num_models"].replace("{count}", models.length) : names;
  field("model").textContent = `${shown} · ${props.device}`;
  field("model").title = names;
};
showModels(props.models);
document.addEventListener("ner:models", ({ detail }) => showModels(detail.models.map((model) => model.name)));

const tour = field("tour");
tour.setAttribute("aria-label", texts["page.tour"]);
tour.title = texts["page.tour"];
tour.addEventListener("click", () => document.dispatchEvent(new CustomEvent("ner:tour")));

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

// A reload (the language switch, or Gradio's own when a server is back) brings back the page and what was typed on it.
const TYPED = "#page-predict textarea";
const REMEMBERED = "ner_page";
const tabs = () => [...document.querySelectorAll('#pages [role="tab"]')];
window.addEventListener("pagehide", () => {
  const tab = tabs().findIndex((each) => each.getAttribute("aria-selected") === "true");
  const text = document.querySelector(TYPED)?.value ?? "";
  window.sessionStorage.setItem(REMEMBERED, JSON.stringify({ tab, text }));
});
const bringBack = ({ tab, text }, triesLeft) => {
  const input = document.querySelector(TYPED);
  if (!input || !tabs().length) {
    if (triesLeft) setTimeout(bringBack, 50, { tab, text }, triesLeft - 1);
    return;
  }
  if (text && !input.value) {
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (tab > 0) tabs()[tab]?.click();
};
const remembered = window.sessionStorage.getItem(REMEMBERED);
window.sessionStorage.removeItem(REMEMBERED);
if (remembered) bringBack(JSON.parse(remembered), 100);
