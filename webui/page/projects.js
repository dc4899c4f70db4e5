// The page Projects. `props.value` is what `ProjectsPage.describe` in projects_tab.py makes; the events are "show" and
// "change_project" with {action, ...}. Each change is stored at once.
const SAVED_MS = 2500;

const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];
const words = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const field = (name) => element.querySelector(`[data-field="${name}"]`);
const make = (tag, attributes = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
};
let hasChanged = false;
const change = (action, values = {}) => {
  hasChanged = true;
  trigger("change_project", { action, ...values });
};

// What is drawn anew loses the focus; whoever works with the keyboard gets it back.
const keepFocus = (redraw) => {
  const { focusKey } = document.activeElement?.dataset ?? {};
  redraw();
  if (focusKey) element.querySelector(`[data-focus-key="${CSS.escape(focusKey)}"]`)?.focus();
};

// A field stores what was typed when it is left or Enter is pressed, and only if it is something else than before.
const storeOnChange = (input, store) => {
  input.addEventListener("change", () => store(input.value));
  return input;
};

// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
const luminanceOf = (color) => {
  const parts = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255);
  const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrastOf = (first, second) => {
  const [low, high] = [luminanceOf(first), luminanceOf(second)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
// On dark pages names are mixed with white, so that only a colour too light for a light page is hard to read.
const isHardToSee = (color) => contrastOf(color, "#ffffff") < 3;

const drawList = ({ name, projects }) => {
  field("list").replaceChildren(
    ...projects.map((project) => {
      const summary = words("projects.summary", {
        documents: project.num_documents.toLocaleString(),
        labels: project.num_labels,
      });
      const isCurrent = project.name === name;
      const button = make(
        "button",
        { type: "button", className: "projects-item", disabled: isCurrent, title: isCurrent ? "" : words("projects.switch", { name: project.name }) },
        make("b", { textContent: project.name }),
        make("span", { className: "quiet small", textContent: isCurrent ? `${summary} · ${words("projects.current")}` : summary }),
      );
      if (isCurrent) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("ner:project", { detail: project.name })));
      return make("li", {}, button);
    }),
  );
};

const drawModels = ({ model, models, best_model }) => {
  const best = best_model ? words("projects.model_best", { model: best_model }) : words("projects.model_none");
  const options = [new Option(best, "", false, model === null)];
  for (const { name } of models) options.push(new Option(name, name, false, name === model));
  if (model !== null && !models.some(({ name }) => name === model)) {
    options.push(new Option(words("projects.model_gone", { model }), model, false, true));
  }
  field("model").replaceChildren(...options);
  const chosen = field("new-source").value;
  field("new-source").replaceChildren(
    ...models.map(({ name, labels }) => new Option(`${words("projects.new_labels_of")} ${name}`, labels.join(" "))),
    new Option(words("projects.new_labels_own"), ""),
  );
  if (chosen) field("new-source").value = chosen;
  if (!field("new-labels").value) field("new-labels").value = field("new-source").value.replaceAll(" ", ", ");
};

const drawIndependence = ({ annotators_per_text: annotators, most_annotators, independent_percent, independent }) => {
  const names = Array.from({ length: most_annotators }, (_, index) =>
    words(index ? "projects.annotators_some" : "projects.annotators_one", { count: index + 1 }),
  );
  field("annotators").replaceChildren(...names.map((name, index) => new Option(name, index + 1, false, index + 1 === annotators)));
  const isShared = annotators > 1;
  field("percent-field").hidden = !isShared;
  field("percent").value = independent_percent;
  const { num_chosen: chosen, num_waiting: waiting, num_undecided: undecided } = independent;
  field("independence-counts").hidden = !isShared && !undecided;
  field("independence-counts").textContent = words("projects.independence_counts", { chosen, waiting, undecided });
};
// Whoever begins has a tenth of the texts done twice: that is enough to measure agreement.
const FIRST_PERCENT = 10;
const storeIndependence = () => {
  if (!field("independence-form").reportValidity()) return;
  const annotators = Number(field("annotators").value);
  const isFirst = props.value.annotators_per_text === 1;
  const percent = isFirst && annotators > 1 ? FIRST_PERCENT : Number(field("percent").value);
  change("set_annotators", { annotators, percent });
};

const openGuidelines = new Set();
const drawLabel = (style, index, styles) => {
  const { label, own } = style;
  const input = (name, value, attributes) => {
    const made = make("input", { type: "text", maxLength: 200, autocomplete: "off", spellcheck: false, value, ...attributes });
    made.setAttribute("aria-label", `${words(`projects.${name}`)} ${label}`);
    made.dataset.focusKey = `${name} ${label}`;
    return made;
  };
  const color = make("input", { type: "color", value: style.color.toLowerCase(), title: words("projects.color") });
  color.setAttribute("aria-label", `${words("projects.color")} ${label}`);
  color.dataset.focusKey = `color ${label}`;
  storeOnChange(color, (value) => change("change_label", { label, color: value.toUpperCase() }));

  const name = storeOnChange(input("label", label, { className: "projects-label" }), (value) => {
    if (value.trim() === label) name.value = label;
    else change("rename_label", { label, name: value });
  });
  const chinese = storeOnChange(input("chinese", own.chinese, { placeholder: style.chinese, lang: "zh" }), (value) =>
    change("change_label", { label, chinese: value }),
  );
  const english = storeOnChange(input("english", own.english, { placeholder: style.english, lang: "en" }), (value) =>
    change("change_label", { label, english: value }),
  );

  const move = (step) => {
    const order = styles.map((other) => other.label);
    [order[index], order[index + step]] = [order[index + step], order[index]];
    change("order_labels", { labels: order });
  };
  const button = (content, title, onClick, attributes = {}) => {
    const made = make("button", { type: "button", className: "projects-icon", title, ...attributes }, make("span", { textContent: content, ariaHidden: "true" }));
    made.setAttribute("aria-label", title);
    made.dataset.focusKey = title;
    made.addEventListener("click", onClick);
    return made;
  };
  const guideline = make("textarea", { rows: 3, maxLength: 20000, value: own.guideline, hidden: !openGuidelines.has(label) });
  guideline.setAttribute("aria-label", words("projects.label_guideline", { label }));
  guideline.dataset.focusKey = `guideline ${label}`;
  storeOnChange(guideline, (text) => change("set_guideline", { label, text }));
  const toggle = make("button", { type: "button", className: "projects-link", textContent: words("projects.guideline_open") + (own.guideline ? " ●" : "") });
  toggle.setAttribute("aria-label", words("projects.label_guideline", { label }));
  toggle.setAttribute("aria-expanded", String(!guideline.hidden));
  toggle.dataset.focusKey = `toggle ${label}`;
  toggle.addEventListener("click", () => {
    guideline.hidden = !guideline.hidden;
    toggle.setAttribute("aria-expanded", String(!guideline.hidden));
    if (guideline.hidden) openGuidelines.delete(label);
    else {
      openGuidelines.add(label);
      guideline.focus();
    }
  });

  const key = index < 20 ? `${index >= 10 ? "⇧" : ""}${(index + 1) % 10}` : "";
  const uses = make("span", { className: "projects-uses", textContent: style.num_documents.toLocaleString(), title: words("projects.uses") });
  const row = make(
    "li",
    { className: "projects-row" },
    make("kbd", { textContent: key, title: words("projects.key") }),
    color,
    name,
    chinese,
    english,
    uses,
    toggle,
    make(
      "span",
      { className: "projects-moves" },
      button("↑", words("projects.up", { label }), () => move(-1), { disabled: index === 0 }),
      button("↓", words("projects.down", { label }), () => move(1), { disabled: index === styles.length - 1 }),
      button("✕", words("projects.remove", { label }), () => change("remove_label", { label }), { disabled: styles.length === 1 }),
    ),
    guideline,
  );
  row.dataset.label = label;
  row.style.setProperty("--color", style.color);
  const notes = [];
  if (style.former.length) notes.push(words("projects.former", { names: style.former.join(", ") }));
  if (isHardToSee(style.color)) notes.push(words("projects.unusual_color"));
  if (notes.length) row.append(make("p", { className: "projects-note quiet small", textContent: notes.join(" · ") }));
  return row;
};

let shown = null;
const draw = () => {
  const { value } = props;
  if (!value?.name) return;
  keepFocus(() => {
    if (value.name !== shown) openGuidelines.clear();
    shown = value.name;
    field("name").value = value.name;
    if (document.activeElement !== field("guideline")) field("guideline").value = value.guideline;
    drawList(value);
    drawModels(value);
    drawIndependence(value);
    field("labels").replaceChildren(...value.labels.map(drawLabel));
  });
  if (hasChanged) {
    hasChanged = false;
    field("saved").textContent = words("projects.saved");
    setTimeout(() => (field("saved").textContent = ""), SAVED_MS);
  }
};

for (const [name, key] of Object.entries({
  "name-name": "name",
  "model-name": "model",
  "guideline-name": "guideline",
  "guideline-hint": "guideline_hint",
  "independence-title": "independence",
  "independence-hint": "independence_hint",
  "annotators-name": "annotators",
  "percent-name": "percent",
  "labels-name": "labels",
  "labels-hint": "labels_hint",
  "add-name": "add",
  "add-run": "add_run",
  "list-name": "list",
  "new-title": "new",
  "new-name-name": "new_name",
  "new-source-name": "labels",
  "new-labels-name": "new_labels",
  create: "create",
})) {
  field(name).textContent = words(`projects.${key}`);
}
storeOnChange(field("name"), (name) => change("rename_project", { name }));
storeOnChange(field("model"), (model) => change("set_model", { model }));
storeOnChange(field("guideline"), (text) => change("set_guideline", { label: "", text }));
storeOnChange(field("annotators"), storeIndependence);
storeOnChange(field("percent"), storeIndependence);
for (const name of ["project-form", "independence-form"]) {
  field(name).addEventListener("submit", (event) => {
    event.preventDefault();
    document.activeElement?.blur();
  });
}
field("add-form").addEventListener("submit", (event) => {
  event.preventDefault();
  change("add_label", { label: field("add").value });
  field("add").value = "";
});
field("new-source").addEventListener("change", () => {
  field("new-labels").value = field("new-source").value.replaceAll(" ", ", ");
});
field("new-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const labels = field("new-labels").value.split(/[\s,，、;；]+/u).filter(Boolean);
  change("create", { name: field("new-name").value, labels });
  field("new-name").value = "";
});

watch("value", draw);
draw();
trigger("show");
// Labels may have got entities on another page meanwhile. A refused change is taken back on screen in the same way.
let wasHidden = false;
new IntersectionObserver(([entry]) => {
  if (entry.isIntersecting && wasHidden) trigger("show");
  wasHidden = !entry.isIntersecting;
}).observe(element);
