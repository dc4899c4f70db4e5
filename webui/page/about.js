// How to call the app from a program, and what it stores.
const field = (name) => element.querySelector(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
for (const name of ["api", "api-note", "api-link", "privacy", "privacy-no", "privacy-file", "privacy-yes"]) {
  field(name).textContent = texts[`predict.${name.replace("-", "_")}`];
}
const example = element.querySelector("pre");
const address = `${window.location.origin}${window.location.pathname}`;
drawForChosenModel((model) => {
  const code = props.example.replace("ADDRESS", address);
  // One model goes without saying.
  example.textContent = models.size > 1 ? code.replace('"MODEL"', () => JSON.stringify(model.name)) : code.replace(/.*"MODEL".*\n/, "");
});
field("copy").textContent = texts["page.copy"];
field("copy").addEventListener("click", async () => {
  let isCopied = false;
  try {
    await navigator.clipboard.writeText(example.textContent);
    isCopied = true;
  } catch {
    window.getSelection().selectAllChildren(example);
    isCopied = document.execCommand("copy");
  }
  field("copy").textContent = texts[isCopied ? "page.copied" : "page.copy_failed"];
  window.setTimeout(() => (field("copy").textContent = texts["page.copy"]), 2000);
});
// Gradio 6.31 opens its API page from its own footer only (the address ?view=api shows nothing), and page.css hides that.
field("api-link").addEventListener("click", () => {
  document.querySelector("footer .show-api").click();
  choosePython(performance.now() + 10_000);
});
// That page begins with MCP where there is such a server, and comes by and by; the example beside the link is in Python.
function choosePython(until) {
  const languages = [...document.querySelectorAll(".api-docs .snippets > .snippet")];
  const python = languages.find(({ textContent }) => textContent.trim() === "Python");
  if (python) python.click();
  else if (performance.now() < until) requestAnimationFrame(() => choosePython(until));
}
