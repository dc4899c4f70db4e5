// The editor: turns keys, clicks and selections into changes of the current document, and draws what came of it.
// Gradio calls this function with `element`, `props`, `trigger` and `watch`.

class Annotator {
  constructor(parts, words, language, storage) {
    this.parts = parts;
    this.words = words;
    this.language = language;
    this.storage = storage;
    this.styles = [];
    this.styleOfLabel = new Map();
    this.typedAhead = [];
    this.leavesOnTab = false;
    this.draftOffered = null;
    this.draftShownAt = 0;
    this.target = null; // what A and X would decide on
    this.hadSelection = false; // when this was last drawn
    this.view = new TextView(parts);
    this.hints = new WordHints(parts, this.view);
    this.panels = new Panels(parts, words, language);
    this.list = new EntityList(parts, words);
    this.saveStatus = new SaveStatus(parts, words);
    this.session = new Session(this, (event, payload) => afterPaint(() => trigger(event, payload)));
    this.noteForm = new NoteForm(
      parts,
      (command) => this.run(command),
      () => this.session.current && this.session.keepDraft(),
    );
    this.guidelines = new GuidelinePanel(parts, words, language, (label, text, onSaved) =>
      this.session.saveGuideline(label, text, onSaved),
    );
    this.conflicts = new ConflictView(parts, words, (entity) => this.styleOf(entity), (revision) =>
      this.panels.describeRevision(revision),
    );
    parts["allow-overlap"].checked = storage.getItem("ner_allow_overlap") === "true";
    this.panels.drawHelp();
    this.commands = new Commands(this);
    this.pointer = new Pointer(this);
    this.#listen();
  }

  get state() {
    return this.session.current.state;
  }

  // Whether keys and mouse may change what is shown.
  get isEditable() {
    const { current, isMoving } = this.session;
    return current !== null && !current.draft && !isMoving;
  }

  // Who has signed in goes by that name.
  get annotatorName() {
    return this.session.username ?? (this.parts.annotator.value.trim() || DEFAULT_ANNOTATOR);
  }

  get allowOverlap() {
    return this.parts["allow-overlap"].checked;
  }

  styleOf(entity) {
    return this.styleOfLabel.get(entity.label) ?? { label: entity.label, name: entity.label, color: "#5b6470" };
  }

  // Told by the session

  showWork(work) {
    const { parts, session } = this;
    parts.root.dataset.state = "ready";
    this.#takeLabels(session.labels);
    parts.annotator.disabled = session.username !== null;
    if (session.username !== null) parts.annotator.value = session.username;
    this.hideDraft();
    this.noteForm.close();
    if (work.typedNote) this.noteForm.show(work.typedNote);
    this.hints.close();
    this.#takeFocus();
    this.tell("");
    this.draw();
    this.savingChanged();
    this.#speakDocument(work);
  }

  showDraft(draft) {
    const { parts } = this;
    const time = new Date(draft.at).toLocaleString(this.language === "zh" ? "zh-CN" : "en");
    parts["draft-words"].textContent = this.words("annotate.draft_offer", { time }) + this.#describeLost(draft);
    parts.draft.hidden = false;
    // The same offer may be drawn again; it is only new once.
    if (this.draftOffered !== draft.at) this.draftShownAt = performance.now();
    this.draftOffered = draft.at;
    parts["draft-restore"].focus();
  }

  hideDraft() {
    this.parts.draft.hidden = true;
  }

  showNothing(key, values) {
    this.parts.root.dataset.state = "empty";
    this.parts["empty-title"].textContent = this.words(key, values);
    this.parts["empty-hint"].hidden = key !== "annotate.empty_title";
  }

  showConflict(conflict) {
    this.conflicts.show({
      document: conflict.document,
      entities: conflict.entities,
      remark: this.#describeLost(conflict),
      onKeepMine: () => {
        conflict.onKeepMine();
        this.parts.root.focus();
      },
      onTakeTheirs: () => {
        conflict.onTakeTheirs();
        this.parts.root.focus();
      },
    });
    this.savingChanged();
    this.tell("annotate.save_conflict");
  }

  savingChanged() {
    const { session, parts } = this;
    if (!session.current) return;
    const { document } = session.current;
    parts.root.dataset.documentId = document.id;
    parts.root.dataset.revision = document.revision;
    this.panels.drawPosition(document, session.numReviewed, session.numTotal);
    this.panels.drawRevisions(document);
    this.noteForm.draw(document.note);
    const news = this.saveStatus.draw(session, this.conflicts.isOpen);
    if (news) this.tell(news.key, news.values);
  }

  tell(key, values) {
    this.parts.notice.textContent = key ? this.words(key, values) : "";
  }

  // For screen readers only: what everybody else sees.
  speak(text) {
    const { live } = this.parts;
    const name = UNSEEN_CHARACTERS[text];
    live.lang = name ? this.parts.root.lang : "zh";
    live.textContent = name ? this.words(name) : text;
  }

  // What was typed while the next document was on its way belongs to that document.
  resume() {
    while (this.typedAhead.length && !this.session.isMoving) this.run(...this.typedAhead.shift());
  }

  forgetTypedAhead() {
    this.typedAhead.length = 0;
  }

  // Drawing

  draw() {
    const { state } = this;
    const styleOf = (entity) => this.styleOf(entity);
    this.view.draw(state.offsets, state.entities, state.active, styleOf);
    this.list.draw(state, styleOf);
    this.#drawCurrent();
    this.view.showMarks();
  }

  changed() {
    this.draw();
    this.session.keepDraft();
  }

  activate(entity) {
    if (this.state.active === entity) return;
    this.state.active = entity;
    this.view.markActive(entity);
    this.list.markActive(entity);
    this.#drawCurrent();
    this.view.showMarks();
  }

  // To be called when the caret or the selection has moved.
  retarget() {
    const isSame = this.commands.target === this.target && this.view.hasSelection === this.hadSelection;
    if (!isSame) this.#drawCurrent();
  }

  hover(entity) {
    this.view.markHovered(entity);
    this.list.markHovered(entity);
  }

  // What can be done to the active entity; `showMarks` of the view has to follow.
  #drawCurrent() {
    const { active } = this.state;
    const plan = active && this.state.planPropagation(this.allowOverlap);
    this.target = this.commands.target;
    this.hadSelection = this.view.hasSelection;
    this.view.markTarget(active ? null : this.target);
    this.panels.drawCurrent({
      state: this.state,
      target: this.target,
      hasSelection: this.hadSelection,
      styleOf: (entity) => this.styleOf(entity),
      plan,
    });
    this.guidelines.showActive(active && this.styleOf(active));
    this.view.places = plan?.additions ?? [];
  }

  #speakDocument({ document }) {
    const position = this.words("annotate.position", { position: document.position });
    this.speak(`${position} ${Array.from(document.text).slice(0, MAX_SPOKEN_CHARACTERS).join("")}`);
  }

  #takeLabels(labels) {
    if (JSON.stringify(this.labels) === JSON.stringify(labels)) return;
    this.labels = labels;
    this.view.forget();
    this.list.forget();
    this.styles = labels.map((style) => ({ ...style, name: style[this.language] }));
    this.styleOfLabel = new Map(this.styles.map((style) => [style.label, style]));
    this.panels.drawPalette(this.styles);
    this.guidelines.general = this.session.guideline;
  }

  // What of a draft cannot be brought back.
  #describeLost({ lost = [] }) {
    if (!lost.length) return "";
    const labels = [...new Set(lost.map(({ label }) => label))].join(this.words("annotate.separator"));
    return this.words("annotate.draft_lost", { labels, total: lost.length });
  }

  // Commands

  run(name, argument) {
    const { session } = this;
    if (!session.current || name === "ignore") return;
    if (session.isMoving) {
      this.typedAhead.push([name, argument]);
      return;
    }
    if (this.pointer.isDragging) {
      if (name === "escape") this.pointer.cancelDrag();
      return;
    }
    if (session.current.draft && !DRAFT_COMMANDS.has(name)) {
      this.parts["draft-restore"].focus();
      this.tell("annotate.draft_first");
      return;
    }
    this.leavesOnTab = false;
    if (!HINT_COMMANDS.has(name)) this.hints.close();
    this.tell("");
    this.commands[name](argument);
    if (session.current) this.retarget();
  }

  // Events

  #listen() {
    const { root, text, frame, annotator, help } = this.parts;
    root.addEventListener("keydown", (event) => this.#onKey(event));
    root.addEventListener("mousedown", (event) => {
      const button = event.target.closest("button");
      if (!button || button.closest("dialog")) return;
      // A button takes neither the focus nor the selection away from the text.
      event.preventDefault();
      root.focus({ preventScroll: true });
    });
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-command]");
      if (!button) return;
      const isKey = event.detail === 0;
      if (isKey && button.closest("[data-part=draft]") && performance.now() - this.draftShownAt < TYPED_AHEAD_MS) return;
      const row = button.closest("li");
      this.run(button.dataset.command, row ? row.entity : Number(button.dataset.argument));
    });
    shareAnnotatorName(annotator, () => this.session.changeAnnotator());
    this.parts["allow-overlap"].addEventListener("change", (event) => {
      this.storage.setItem("ner_allow_overlap", event.target.checked);
      if (!this.session.current) return;
      this.#drawCurrent();
      this.view.showMarks();
    });
    help.addEventListener("close", () => root.focus());
    // The browser itself scrolls too, when a block above has got its height.
    for (const type of ["wheel", "touchmove", "pointerdown"]) {
      frame.addEventListener(type, () => this.hints.close(), { passive: true });
    }
    frame.addEventListener("scroll", () => this.view.showPlaces());
    new ResizeObserver(() => {
      this.view.relayout();
      this.hints.relayout();
    }).observe(text);
    this.#watchVisibility(root);
    // A click on the tab of the open page does what one on a closed page's does.
    document.addEventListener("click", ({ target }) => {
      if (target.closest?.("[role=tab][aria-selected=true]") && root.checkVisibility()) this.#takeFocus();
    });
  }

  #onKey(event) {
    const { target } = event;
    if (target.closest("dialog, input, textarea")) return;
    if (target.closest("button") && BUTTON_KEYS.has(event.code)) return;
    const letter = this.hints.isOpen && letterOf(event);
    const command = letter ? { name: "typeHint", argument: letter } : commandOf(event);
    if (!command) return;
    if (event.code === "Tab" && this.leavesOnTab) return;
    event.preventDefault();
    event.stopPropagation();
    this.run(command.name, command.argument);
  }

  // Gradio keeps the page of a closed tab, hidden; what it shows may be old when the tab is opened again.
  #watchVisibility(root) {
    let wasHidden = false;
    new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && wasHidden) {
        this.session.refresh();
        this.#takeFocus();
      }
      wasHidden = !entry.isIntersecting;
      this.session.timer.setInSight(entry.isIntersecting);
    }).observe(root);
  }

  // Whoever has just opened the page wants to use its keys, not the tab or the button that led here.
  #takeFocus() {
    const { activeElement } = document;
    const isInUse = activeElement !== document.body && activeElement.checkVisibility();
    if (isInUse && activeElement.getAttribute("role") !== "tab") return;
    this.parts.root.focus({ preventScroll: true });
  }
}

// A key pressed this soon after a question appeared was meant for something else.
const TYPED_AHEAD_MS = 500;
const UNSEEN_CHARACTERS = {
  "": "annotate.text_end",
  " ": "annotate.blank",
  "\n": "annotate.line_end",
  "\r\n": "annotate.line_end",
};
// A screen reader reads on from there by itself.
const MAX_SPOKEN_CHARACTERS = 300;
// A page that is hidden meanwhile paints nothing.
const MAX_WAIT_FOR_PAINT_MS = 100;
// These leave the letters over the words where they are.
const HINT_COMMANDS = new Set(["pickWord", "typeHint", "escape"]);
const DRAFT_COMMANDS = new Set(["restoreDraft", "discardDraft", "next", "previous", "help", "retry"]);
// What a focused button does itself.
const BUTTON_KEYS = new Set(["Enter", "NumpadEnter", "Space", "Tab", "ArrowUp", "ArrowDown"]);

// What Gradio does for an event takes as long as drawing a document: the person sees that first.
const waitingForPaint = new Set();
function afterPaint(act) {
  const actOnce = () => waitingForPaint.delete(actOnce) && act();
  waitingForPaint.add(actOnce);
  requestAnimationFrame(() => setTimeout(actOnce));
  setTimeout(actOnce, MAX_WAIT_FOR_PAINT_MS);
}
// Nothing is painted any more on a page that is left.
globalThis.addEventListener("pagehide", () => waitingForPaint.forEach((actOnce) => actOnce()));

const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = JSON.parse(props.texts)[language];
const words = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
for (const node of element.querySelectorAll("[data-words]")) node.textContent = words(node.dataset.words);
for (const node of element.querySelectorAll("[data-name]")) node.setAttribute("aria-label", words(node.dataset.name));
for (const node of element.querySelectorAll("[data-title]")) {
  node.title = words(node.dataset.title);
  node.setAttribute("aria-label", node.title);
}
for (const node of element.querySelectorAll("[data-placeholder]")) node.placeholder = words(node.dataset.placeholder);
const parts = Object.fromEntries(
  Array.from(element.querySelectorAll("[data-part]"), (node) => [node.dataset.part, node]),
);
parts.root.setAttribute("aria-label", words("annotate.editor"));
parts.root.lang = document.documentElement.lang;

// The events that Python listens to: 'open' and 'save'.
const annotator = new Annotator(parts, words, language, window.localStorage);
watch("value", () => annotator.session.receive(props.value));
// A document may have been chosen on another page before this one was opened for the first time.
if (props.value?.kind === "documents" && props.value.request === null) annotator.session.receive(props.value);
else annotator.session.openFirst();
