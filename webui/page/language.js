// Runs before Gradio's scripts: the language and the colours that the visitor chose, or those of the browser.
(() => {
  const chosen = /(?:^|; )ner_language=(zh|en)(?:;|$)/.exec(document.cookie);
  const language = chosen ? chosen[1] : /^zh\b/i.test(navigator.language) ? "zh" : "en";
  const locale = language === "zh" ? "zh-CN" : "en";
  Object.defineProperty(Navigator.prototype, "language", { configurable: true, get: () => locale });
  document.documentElement.lang = locale;

  // Gradio takes its theme from the address; it never sees the visitor's choice otherwise.
  const address = new URL(window.location.href);
  const theme = window.localStorage.getItem("ner_theme");
  if (theme && !address.searchParams.has("__theme")) {
    address.searchParams.set("__theme", theme);
    window.history.replaceState(null, "", address);
  }
})();
