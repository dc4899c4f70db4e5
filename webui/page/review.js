// Two versions of each text and the choice between them. Answers are made by review_messages.py; the events are "sides",
// "compare", "list", "decide", "undo", "stop" and "open".
const asked = { kind: "all", label: "", left_label: "", right_label: "", state: "open", order: "position", offset: 0 };
let sides = null;
let compared = null; // {left, right} of what is shown
let page = null;
let documents = []; // of the page, each with {choices, saved, note}
let active = { document: 0, difference: 0 };
let comparing = null; // token of a comparison under way
let lastDecided = [];
const MOST_PAIRS = 12;

const sideName = ({ kind, name }) => {
  if (kind === "human" && !name) return texts["review.side_unnamed"];
  return fill(`review.side_${kind}`, { name }).trim();
};
const nameOfSide = (value) => sideName(sides.sides.find((side) => side.value === value) ?? { kind: "human", name: value });
const payload = () => ({ ...compared, ...asked });

for (const [name, key] of [["left-name", "left"], ["right-name", "right"], ["name-name", "your_name"], ["compare", "compare"], ["stop", "stop"], ["title", "differences"]]) {
  field(name).textContent = texts[`review.${key}`];
}
field("previous").setAttribute("aria-label", texts["review.previous_page"]);
field("next").setAttribute("aria-label", texts["review.next_page"]);
field("list").setAttribute("aria-label", texts["review.list_label"]);
field("kinds").setAttribute("aria-label", texts["review.kind"]);
field("undecided").setAttribute("aria-label", texts["review.undecided"]);
for (const [name, values] of [["state", ["open", "reviewed", "all"]], ["order", ["position", "certainty"]]]) {
  field(name).setAttribute("aria-label", texts[`review.${name}`]);
  field(name).append(...values.map((value) => makeOption(value, texts[`review.${name}_${value}`])));
  field(name).addEventListener("change", () => list({ [name]: field(name).value, offset: 0 }));
}
field("label").setAttribute("aria-label", texts["review.label"]);
field("label").addEventListener("change", () => list({ label: field("label").value, offset: 0 }));
const KEYS_SHOWN = [["1 2", "take"], ["3 … 6", "others"], ["⇧1 ⇧2", "whole"], ["K J", "move"], ["U", "undo"], ["E", "open"]];
for (const [keys, key] of KEYS_SHOWN) {
  const item = make("span");
  item.dataset.key = key;
  item.append(...keys.split(" ").map((each) => make("kbd", "", each)), ` ${texts[`review.keys_${key}`]}`);
  field("keys").append(item);
}
shareAnnotatorName(field("name"));

const say = (words) => {
  field("status").textContent = words;
};

const drawSides = () => {
  const isFirst = !field("left").options.length;
  const before = [field("left").value, field("right").value];
  for (const select of [field("left"), field("right")]) {
    const groups = [["confirmed", ["confirmed"]], ["people", ["human", "import"]], ["models", ["model"]]].map(([group, kinds]) => {
      const optgroup = document.createElement("optgroup");
      optgroup.label = texts[`review.group_${group}`];
      for (const side of sides.sides.filter(({ kind }) => kinds.includes(kind))) {
        const name = sideName(side);
        const words = side.count == null ? name : fill("review.side_count", { side: name, count: side.count });
        optgroup.append(makeOption(side.value, words));
      }
      return optgroup;
    });
    select.replaceChildren(...groups.filter((group) => group.children.length));
  }
  const has = (value) => sides.sides.some((side) => side.value === value);
  const keeps = !isFirst && before.every(has);
  field("left").value = keeps ? before[0] : sides.left;
  field("right").value = keeps ? before[1] : (sides.right ?? sides.left);
  field("name").closest("label").hidden = Boolean(sides.username);
  checkSides();
  drawUndecided();
  if (compared || comparing) return;
  const isLabelled = sides.num_people > 0;
  const hint = !sides.num_documents ? "no_documents" : !isLabelled ? "nothing_labelled" : sides.num_people > 1 ? "many_annotators" : "one_annotator";
  say(texts[`review.${hint}`]);
};

// Between whose independent versions somebody has to decide: a button for each pair.
const drawUndecided = () => {
  const { undecided } = sides;
  field("undecided").hidden = !undecided.length;
  const buttons = undecided.slice(0, MOST_PAIRS).map(({ left, right, count }) => {
    const pair = { left: nameOfSide(left), right: nameOfSide(right), count };
    return makeButton("filter", fill("review.undecided_pair", pair), () => {
      if (comparing) return;
      field("left").value = left;
      field("right").value = right;
      checkSides();
      compare();
    });
  });
  field("undecided").replaceChildren(make("span", "", texts["review.undecided"]), ...buttons);
};

const checkSides = () => {
  const [left, right] = [field("left").value, field("right").value];
  const isWrong = left === right || (left.startsWith("model:") && right.startsWith("model:"));
  field("compare").disabled = isWrong || Boolean(comparing) || !sides?.num_people;
  if (isWrong && sides?.num_people) say(texts["review.same_sides"]);
  else if (field("status").textContent === texts["review.same_sides"]) say("");
};
field("left").addEventListener("change", checkSides);
field("right").addEventListener("change", checkSides);

const showComparing = (isComparing) => {
  field("stop").hidden = !isComparing;
  field("compare").hidden = isComparing;
  field("progress").hidden = !isComparing;
  field("progress").removeAttribute("value");
};

// On how many texts the figures stand, and whether those who labelled them saw each other's work.
const describeTexts = ({ num_texts: total, num_independent: count }) => {
  if (!total) return texts["review.no_common"];
  if (!count) return texts["review.many_annotators"];
  return fill(count === total ? "review.independent" : "review.some_independent", { count, total });
};

const compare = () => {
  const chosen = { left: field("left").value, right: field("right").value };
  Object.assign(asked, { kind: "all", label: "", left_label: "", right_label: "", state: "open", offset: 0 });
  if (![chosen.left, chosen.right].some((side) => side.startsWith("model:"))) asked.order = "position";
  say(texts["review.waiting"]);
  showComparing(true);
  comparing = push("compare", () => ({ ...chosen, ...asked }), (message) => {
    if (message.kind === "progress") {
      field("progress").max = message.total;
      field("progress").value = message.done;
      say(fill("review.reading", message));
      return;
    }
    comparing = null;
    showComparing(false);
    checkSides();
    if (message.kind === "stopped") say(texts["review.stopped"]);
    else if (message.kind !== "comparison") sayProblem(message);
    else {
      compared = { left: message.left, right: message.right };
      lastDecided = [];
      const isWithModel = [message.left, message.right].some((side) => side.startsWith("model:"));
      say(isWithModel && message.agreement.num_texts ? "" : describeTexts(message.agreement));
      find(".review-columns").hidden = !message.agreement.num_texts;
      drawFigures(message.agreement);
      drawConfusion(message.agreement, (left, right) => list({ left_label: left, right_label: right, kind: "label", label: "", state: "all", offset: 0 }));
      drawFilters(message.agreement);
      showPage(message);
      field("list").focus({ preventScroll: true });
    }
  });
};
field("compare").addEventListener("click", compare);
field("stop").addEventListener("click", () => trigger("stop", { request: comparing }));

const sayProblem = (message) => say(message.kind === "late" ? texts["review.late"] : (message.reason ?? ""));

const list = (change) => {
  Object.assign(asked, change);
  push("list", payload, (message) => (message.kind === "page" ? showPage(message) : sayProblem(message)));
};

const drawFilters = (agreement) => {
  const total = Object.values(agreement.kinds).reduce((sum, count) => sum + count, 0);
  const kinds = [["all", total], ...Object.entries(agreement.kinds)];
  field("kinds").replaceChildren(
    ...kinds.map(([kind, count]) => {
      const button = makeButton("filter", `${texts[`review.kind_${kind}`]} `, () => list({ kind, left_label: "", right_label: "", offset: 0 }));
      button.dataset.kind = kind;
      button.append(make("b", "", count.toLocaleString()));
      return button;
    }),
  );
  const options = [makeOption("", texts["review.label_all"]), ...agreement.labels.map(({ label }) => makeOption(label, nameOf(label)))];
  field("label").replaceChildren(...options);
  field("order").hidden = ![compared.left, compared.right].some((side) => side.startsWith("model:"));
};

const showPage = (message) => {
  page = message;
  asked.offset = message.offset;
  documents = message.documents.map((document) => ({ ...document, choices: [], saved: null, note: "" }));
  for (const button of field("kinds").children) button.setAttribute("aria-pressed", String(button.dataset.kind === asked.kind));
  for (const name of ["label", "state", "order"]) field(name).value = asked[name];
  field("pair").hidden = !asked.left_label;
  if (asked.left_label) {
    field("pair").textContent = `${fill("review.confused", { left: nameOf(asked.left_label), right: nameOf(asked.right_label) })} ✕`;
    field("pair").title = texts["review.clear_filter"];
  }
  const last = message.offset + documents.length;
  find(".pager").hidden = message.num_matching <= message.limit;
  field("previous").disabled = message.offset === 0;
  field("next").disabled = last >= message.num_matching;
  field("range").textContent = fill("review.page", { first: message.offset + 1, last, total: message.num_matching });
  const isPlain = asked.kind === "all" && !asked.label && asked.state === "open";
  const empty = !message.num_different ? "all_same" : isPlain && !message.num_open ? "all_decided" : "no_match";
  field("empty").hidden = documents.length > 0;
  field("empty").textContent = texts[`review.${empty}`];
  field("keys").hidden = !documents.length;
  const hasOthers = documents.some(({ differences }) => differences.some(({ others }) => others.length));
  field("keys").querySelector('[data-key="others"]').hidden = !hasOthers;
  drawCount();
  active = { document: Math.max(0, documents.findIndex((document) => !document.is_reviewed)), difference: 0 };
  field("list").replaceChildren(...documents.map(drawDocument));
  showActive(false);
};
field("pair").addEventListener("click", () => list({ left_label: "", right_label: "", kind: "all", state: "open", offset: 0 }));
field("previous").addEventListener("click", () => list({ offset: Math.max(0, asked.offset - page.limit) }));
// What has been decided leaves the list of what is open, so the next page begins with what was passed over.
const nextOffset = () => asked.offset + (asked.state === "open" ? documents.filter((it) => !it.saved).length : page.limit);
field("next").addEventListener("click", () => list({ offset: nextOffset() }));

const drawCount = () => {
  const decided = documents.filter((document) => document.saved && !document.is_reviewed).length;
  field("count").textContent = fill("review.num_open", { open: page.num_open - decided, different: page.num_different });
};

const redraw = (place) => {
  const card = field("list").children[place];
  const hadFocus = card.contains(document.activeElement);
  card.replaceWith(drawDocument(documents[place], place));
  // A button that is drawn anew takes the focus with it.
  if (hadFocus) field("list").focus({ preventScroll: true });
};

const showActive = (scroll) => {
  for (const [place, card] of [...field("list").children].entries()) card.classList.toggle("active", place === active.document);
  if (scroll) field("list").children[active.document]?.scrollIntoView({ block: "nearest", behavior: "smooth" });
};

const move = (place, difference, scroll = true) => {
  const before = active.document;
  active = { document: place, difference };
  if (before !== place && documents[before]) redraw(before);
  redraw(place);
  showActive(scroll);
};

const step = (by) => {
  const flat = documents.flatMap((it, place) => it.differences.map((_, number) => [place, number]));
  const index = flat.findIndex(([place, number]) => place === active.document && number === active.difference);
  const next = flat[Math.min(flat.length - 1, Math.max(0, index + by))];
  if (next) move(...next);
};

const moveToUndecided = () => {
  const isOpen = (it) => !it.saved && !it.is_reviewed;
  const undecided = documents.flatMap((it, place) => (isOpen(it) ? it.differences.map((_, number) => [place, number]) : []));
  const free = undecided.filter(([place, number]) => !documents[place].choices[number]);
  const later = free.find(([place, number]) => place > active.document || (place === active.document && number > active.difference));
  const next = later ?? free[0];
  if (next) move(...next);
  else if (documents.every((it) => it.saved === "saved" || it.is_reviewed) && page.num_matching > documents.length) list({ offset: nextOffset() });
};

// Takes one version of a difference, or one side of all of a text; the last choice of a text stores it.
const choose = (place, number, choice) => {
  const shown = documents[place];
  if (!shown || shown.saved || shown.is_reviewed || !shown.differences.length) return;
  const hasOption = (difference) => optionsOf(difference).some((option) => option.choice === choiceOf(difference, choice));
  if (number !== null && !hasOption(shown.differences[number])) return;
  if (number === null) shown.choices = shown.differences.map((difference) => choiceOf(difference, choice));
  else shown.choices[number] = choiceOf(shown.differences[number], choice);
  const before = active.document;
  active = { document: place, difference: number ?? shown.differences.length - 1 };
  if (before !== place && documents[before]) redraw(before);
  const isComplete = shown.differences.every((_, index) => shown.choices[index]);
  if (isComplete) decide(place);
  redraw(place);
  moveToUndecided();
};

const decide = (place) => {
  const shown = documents[place];
  shown.saved = "saving";
  shown.note = "";
  const request = { ...compared, document_id: shown.id, base_revision: shown.revision, state: shown.state, choices: shown.choices.join("") };
  push("decide", () => ({ ...request, annotator: readAnnotatorName() }), (message) => {
    if (documents[place] !== shown) return;
    if (message.kind === "decided") {
      Object.assign(shown, { saved: "saved", revision: message.revision });
      lastDecided.push(place);
      drawCount();
    } else showRefused(place, message);
    redraw(place);
    if (message.kind === "decided") moveOnWhenDone();
  });
};

const moveOnWhenDone = () => {
  const isDone = documents.every((it) => it.saved === "saved" || it.is_reviewed);
  if (isDone && page.num_matching > documents.length) list({ offset: nextOffset() });
  else showActive(false);
};

const showRefused = (place, message) => {
  const shown = documents[place];
  Object.assign(shown, { saved: null, choices: [] });
  if (message.kind !== "stale") shown.note = message.kind === "late" ? texts["review.late"] : (message.reason ?? "");
  else if (message.document) Object.assign(shown, message.document, { note: texts["review.stale"] });
  else Object.assign(shown, { differences: [], note: texts["review.gone"] });
};

const undo = (place) => {
  const shown = documents[place];
  if (!shown || (shown.saved !== "saved" && !shown.is_reviewed)) return;
  const before = shown.saved;
  shown.saved = "saving";
  redraw(place);
  push("undo", () => ({ ...compared, document_id: shown.id, base_revision: shown.revision }), (message) => {
    if (documents[place] !== shown) return;
    shown.saved = before;
    if (message.kind === "undone") {
      Object.assign(shown, message.document ?? {}, { saved: null, choices: [], note: texts["review.undone"] });
      lastDecided = lastDecided.filter((other) => other !== place);
      drawCount();
    } else showRefused(place, message);
    move(place, 0);
  });
};

// By a key's place and not by what it writes: Shift+1 has another character on every keyboard.
const keys = {
  Digit1: (isWhole) => choose(active.document, isWhole ? null : active.difference, "l"),
  Digit2: (isWhole) => choose(active.document, isWhole ? null : active.difference, "r"),
  KeyJ: () => step(1),
  KeyK: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  KeyU: () => undo(lastDecided.at(-1) ?? active.document),
  KeyE: () => documents[active.document] && trigger("open", { id: documents[active.document].id }),
};
for (const choice of "3456") keys[`Digit${choice}`] = keys[`Numpad${choice}`] = () => choose(active.document, active.difference, choice);
Object.assign(keys, { ArrowLeft: keys.Digit1, ArrowRight: keys.Digit2, Numpad1: keys.Digit1, Numpad2: keys.Digit2 });
field("list").addEventListener("keydown", (event) => {
  const isUndo = event.code === "KeyZ" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
  const act = isUndo ? keys.KeyU : keys[event.code];
  if (!act || event.isComposing || event.altKey || ((event.ctrlKey || event.metaKey) && !isUndo)) return;
  event.preventDefault();
  act(event.shiftKey);
});

watch("value", () => {
  const message = props.value;
  if (!message) return;
  if (message.kind !== "sides") return settle(message);
  const isOther = sides && sides.project !== message.project;
  sides = message;
  styles = new Map(message.labels.map((style) => [style.label, style]));
  if (isOther) {
    compared = null;
    find(".review-columns").hidden = true;
  }
  drawSides();
});
// What was done on other pages shows when the visitor comes back; choices that are not stored yet are kept.
new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  trigger("sides", {});
  const isBusy = lane.sent || documents.some((it) => it.saved || it.choices.length);
  if (compared && !isBusy) list({});
}).observe(element);
