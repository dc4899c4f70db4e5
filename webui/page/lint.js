// What lint finds. Answers are made by lint_tab.py; the events are "show", "check", "list", "dismiss", "repair",
// "repair_all", "stop" and "open".
const asked = { kind: "all", offset: 0, shows_dismissed: false };
let ready = null;
let shown = null;
let active = 0;
let checking = null;

for (const [name, key] of [["title", "title"], ["run", "run"], ["keys", "keys"]]) field(name).textContent = texts[`lint.${key}`];
field("stop").textContent = texts["review.stop"];
field("previous").setAttribute("aria-label", texts["review.previous_page"]);
field("next").setAttribute("aria-label", texts["review.next_page"]);
field("list").setAttribute("aria-label", texts["lint.list_label"]);
field("kinds").setAttribute("aria-label", texts["lint.kind"]);
field("model").setAttribute("aria-label", texts["lint.model"]);

const say = (words) => {
  field("status").textContent = words;
};
const sayProblem = (message) => say(message.kind === "gone" ? texts["lint.gone"] : message.kind === "late" ? texts["review.late"] : (message.reason ?? ""));

const showReady = (message) => {
  ready = message;
  const before = field("model").value;
  const options = [makeOption("", texts["lint.model_none"])];
  for (const name of message.models) options.push(makeOption(name, `${texts["lint.model"]} · ${name}`));
  field("model").replaceChildren(...options);
  if (message.models.includes(before)) field("model").value = before;
  field("model").hidden = !message.models.length;
  field("run").disabled = !message.num_confirmed;
  field("note").textContent = message.num_confirmed ? fill("lint.note", { count: message.num_confirmed.toLocaleString() }) : texts["lint.nothing_accepted"];
};

const showChecking = (isChecking) => {
  field("stop").hidden = !isChecking;
  field("run").hidden = isChecking;
  field("progress").hidden = !isChecking;
  field("progress").removeAttribute("value");
};

const check = () => {
  Object.assign(asked, { kind: "all", offset: 0, shows_dismissed: false });
  say(texts["lint.checking"]);
  showChecking(true);
  checking = push("check", () => ({ ...asked, model: field("model").value || null }), (message) => {
    if (message.kind === "progress") {
      field("progress").max = message.total;
      field("progress").value = message.done;
      say(fill("review.reading", message));
      return;
    }
    checking = null;
    showChecking(false);
    if (message.kind === "stopped") say(texts["review.stopped"]);
    else if (message.kind !== "findings") sayProblem(message);
    else {
      field("run").textContent = texts["lint.again"];
      showFindings(message);
      field("list").focus({ preventScroll: true });
    }
  });
};
field("run").addEventListener("click", check);
field("stop").addEventListener("click", () => trigger("stop", { request: checking }));

const request = (event, more = {}) =>
  push(event, () => ({ ...asked, ...more, annotator: readAnnotatorName() }), (message) => {
    if (message.kind !== "page") return sayProblem(message);
    showFindings(message);
    if (message.num_repaired) say(fill("lint.fixed", { count: message.num_repaired }));
  });
const list = (change) => {
  Object.assign(asked, change);
  active = 0;
  request("list");
};
field("previous").addEventListener("click", () => list({ offset: Math.max(0, asked.offset - shown.limit) }));
field("next").addEventListener("click", () => list({ offset: asked.offset + shown.limit }));
field("safe").addEventListener("click", () => request("repair_all"));

const showFindings = (message) => {
  const hadFocus = field("list").contains(document.activeElement);
  shown = message;
  asked.offset = message.offset;
  field("findings").hidden = false;
  const total = Object.values(message.counts).reduce((sum, count) => sum + count, 0);
  const values = { documents: message.num_documents.toLocaleString(), findings: total.toLocaleString(), model: message.model };
  say(fill(message.model ? "lint.with_model" : "lint.checked", values));
  const kinds = [["all", total], ...Object.entries(message.counts).filter(([kind, count]) => count || kind === asked.kind), ["dismissed", message.num_dismissed]];
  field("kinds").replaceChildren(
    ...kinds.map(([kind, count]) => {
      const isDismissed = kind === "dismissed";
      const button = makeButton("filter", `${texts[`lint.${kind}`]} `, () => list({ kind: isDismissed ? "all" : kind, shows_dismissed: isDismissed, offset: 0 }));
      const isChosen = isDismissed ? asked.shows_dismissed : !asked.shows_dismissed && asked.kind === kind;
      button.setAttribute("aria-pressed", String(isChosen));
      button.dataset.kind = kind;
      button.append(make("b", "", count.toLocaleString()));
      return button;
    }),
  );
  active = Math.min(active, Math.max(0, message.findings.length - 1));
  field("list").replaceChildren(...message.findings.map(drawFinding));
  if (hadFocus) field("list").focus({ preventScroll: true });
  field("empty").hidden = message.findings.length > 0;
  field("empty").textContent = texts[total || asked.shows_dismissed ? "lint.none_of_kind" : "lint.clean"];
  field("keys").hidden = !message.findings.length;
  field("safe").hidden = !message.num_safe;
  field("safe").textContent = fill("lint.fix_safe", { count: message.num_safe });
  const last = message.offset + message.findings.length;
  find(".pager").hidden = message.num_listed <= message.limit;
  field("previous").disabled = message.offset === 0;
  field("next").disabled = last >= message.num_listed;
  field("range").textContent = fill("review.page", { first: message.offset + 1, last, total: message.num_listed.toLocaleString() });
};

const explain = (finding) => {
  const { kind, mention, num_like: like, num_other: other } = finding;
  if (kind.startsWith("unlabelled")) return fill("lint.why_unlabelled", { mention, like, other });
  if (kind === "two-labels") return fill("lint.why_two_labels", { mention, like, other, ours: nameOf(finding.span.label), theirs: nameOf(finding.proposal.label) });
  if (kind === "contradicted") return fill("lint.why_contradicted", { percent: percentOf(finding.suspicion) });
  return "";
};

// Blanks are what some findings are about.
const showBlanks = (words) => words.replace(/\s/gu, "␣");

// Tab goes through the buttons of the active finding only: keys reach the others.
const markActive = (item, isActive) => {
  item.classList.toggle("active", isActive);
  for (const button of item.querySelectorAll("button")) button.tabIndex = isActive ? 0 : -1;
};

const drawFinding = (finding, place) => {
  const item = make("article", "lint-finding");
  item.dataset.testid = "finding";
  item.dataset.kind = finding.kind;
  item.dataset.documentId = finding.document_id;
  const header = make("header");
  header.append(make("span", "kind", texts[`lint.${finding.kind}`]), make("span", "quiet", fill("review.document", { position: finding.position })), make("span", "quiet", explain(finding)));
  const paragraph = make("p", "review-text");
  paragraph.lang = "zh";
  const marks = [];
  if (finding.span) marks.push({ ...finding.span, lane: "over" });
  if (finding.proposal) marks.push({ ...finding.proposal, lane: "under" });
  else marks.push({ ...finding.span, lane: "under", name: texts["lint.to_nothing"] });
  if (finding.is_cut[0]) paragraph.append("…");
  drawMarkedText(paragraph, finding.start, finding.text, marks);
  if (finding.is_cut[1]) paragraph.append("…");
  const actions = make("div", "lint-actions");
  if (finding.proposal && !finding.is_dismissed) {
    const span = `${showBlanks(finding.proposal.text)} ${nameOf(finding.proposal.label)}`;
    actions.append(makeButton("button small", fill(finding.span ? "lint.fix" : "lint.add", { span }), () => repair(place)));
  }
  actions.append(makeButton("button small", texts[finding.is_dismissed ? "lint.restore" : "lint.dismiss"], () => dismiss(place)));
  const open = makeButton("button small", texts["review.open"], () => trigger("open", { id: finding.document_id }));
  open.setAttribute("aria-label", fill("lint.open", { position: finding.position }));
  actions.append(open);
  item.append(header, paragraph, actions);
  markActive(item, place === active);
  item.addEventListener("mousedown", () => move(place, false));
  return item;
};

const move = (place, scroll = true) => {
  active = Math.min(shown.findings.length - 1, Math.max(0, place));
  for (const [index, item] of [...field("list").children].entries()) markActive(item, index === active);
  if (scroll) field("list").children[active]?.scrollIntoView({ block: "nearest", behavior: "smooth" });
};
const nameFinding = ({ document_id, key }) => ({ document_id, key });
const repair = (place) => {
  const finding = shown.findings[place];
  if (finding?.proposal && !finding.is_dismissed) request("repair", nameFinding(finding));
};
const dismiss = (place) => {
  const finding = shown.findings[place];
  if (finding) request("dismiss", { ...nameFinding(finding), is_dismissed: !finding.is_dismissed });
};

const keys = {
  KeyJ: () => move(active + 1),
  KeyK: () => move(active - 1),
  ArrowDown: () => move(active + 1),
  ArrowUp: () => move(active - 1),
  KeyF: () => repair(active),
  KeyX: () => dismiss(active),
  KeyE: () => shown.findings[active] && trigger("open", { id: shown.findings[active].document_id }),
};
field("list").addEventListener("keydown", (event) => {
  const act = keys[event.code];
  if (!act || !shown || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  // The answer to the key before may still change the list.
  if (!lane.sent) act();
});

watch("value", () => {
  const message = props.value;
  if (!message) return;
  if (message.kind !== "ready") return settle(message);
  styles = new Map(message.labels.map((style) => [style.label, style]));
  if (ready && ready.project !== message.project) {
    field("findings").hidden = true;
    say("");
  }
  showReady(message);
});
new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) trigger("show", {});
}).observe(element);
