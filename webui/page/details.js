// The table of entities and the CLUENER JSON of what the result shows (event "ner:entities" of result.js).
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];

const make = (tag, className, content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
};

field("title").textContent = texts["predict.entities"];
field("empty").textContent = texts["predict.entities_empty"];
field("offsets").textContent = texts["predict.offsets"];
field("json-title").textContent = texts["predict.json"];
field("json-note").textContent = texts["predict.json_note"];
field("copy").textContent = texts["page.copy"];
for (const column of ["mention", "label", "start", "end", "score"]) {
  const heading = make("th", column, texts[`predict.column_${column}`]);
  heading.scope = "col";
  find("thead tr").append(heading);
}

const drawRow = (characters, span, styles) => {
  const row = document.createElement("tr");
  const style = styles.find((each) => each.label === span.label);
  row.style.setProperty("--color", style?.color ?? "#5B6470");
  const mention = make("td", "mention", "");
  const point = make("button", "", characters.slice(span.start, span.end).join(""));
  point.type = "button";
  mention.append(point);
  const name = style ? (language === "zh" ? style.chinese : style.english) : span.label;
  const label = make("td", "label", name);
  label.title = span.label;
  const percent = make("td", span.score < 0.6 ? "score low" : "score", percentOf(span));
  percent.title = span.score.toFixed(4);
  row.append(mention, label, make("td", "start", span.start), make("td", "end", span.end), percent);

  const tell = (detail) => document.dispatchEvent(new CustomEvent("ner:point", { detail }));
  row.addEventListener("mouseenter", () => tell({ ...span, scroll: false }));
  row.addEventListener("mouseleave", () => tell(null));
  point.addEventListener("focus", () => tell({ ...span, scroll: true }));
  point.addEventListener("blur", () => tell(null));
  point.addEventListener("click", () => tell({ ...span, scroll: true }));
  return row;
};

// The same line that ner_core.formats.format_cluener_line writes: ends inclusive, labels and positions sorted; a test compares them.
const toCluener = (text, characters, spans) => {
  const label = new Map();
  const byLabel = (first, second) =>
    (first.label > second.label) - (first.label < second.label) || first.start - second.start || first.end - second.end;
  for (const span of [...spans].sort(byLabel)) {
    const mention = characters.slice(span.start, span.end).join("");
    if (!label.has(span.label)) label.set(span.label, new Map());
    const mentions = label.get(span.label);
    if (!mentions.has(mention)) mentions.set(mention, []);
    mentions.get(mention).push(`[${span.start}, ${span.end - 1}]`);
  }
  const pairs = (map, write) => `{${[...map].map(([key, value]) => `${JSON.stringify(key)}: ${write(value)}`).join(", ")}}`;
  const labels = pairs(label, (mentions) => pairs(mentions, (positions) => `[${positions.join(", ")}]`));
  const line = `{"text": ${JSON.stringify(text)}, "label": ${labels}}`;
  // Characters that some programs take for the end of the line.
  return line.replace(/[\u0085\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`);
};

const show = (result) => {
  const spans = result ? result.spans : [];
  field("title").textContent = result ? `${texts["predict.entities"]} ${spans.length}` : texts["predict.entities"];
  field("empty").hidden = Boolean(result);
  field("offsets").hidden = !spans.length;
  find(".scroll").hidden = !spans.length;
  field("json-card").hidden = !result;
  const characters = result ? Array.from(result.text) : [];
  const styles = models.get(result?.model)?.labels ?? [];
  find("tbody").replaceChildren(...spans.map((span) => drawRow(characters, span, styles)));
  find("pre").textContent = result ? toCluener(result.text, characters, spans) : "";
};

// The clipboard can be written only over https or on this machine; elsewhere the text is selected for Ctrl+C.
field("copy").addEventListener("click", async () => {
  const source = find("pre");
  let isCopied = false;
  try {
    await navigator.clipboard.writeText(source.textContent);
    isCopied = true;
  } catch {
    window.getSelection().selectAllChildren(source);
    isCopied = document.execCommand("copy");
  }
  field("copy").textContent = texts[isCopied ? "page.copied" : "page.copy_failed"];
  window.setTimeout(() => (field("copy").textContent = texts["page.copy"]), 2000);
});

document.addEventListener("ner:entities", ({ detail }) => show(detail));
