// What the keys do to the caret and the selection.

class SelectionCommands {
  constructor(editor) {
    this.editor = editor;
    this.view = editor.view;
    this.hints = editor.hints;
    this.session = editor.session;
    this.parts = editor.parts;
  }

  get state() {
    return this.session.current.state;
  }

  select(start, end, key = "annotate.selected") {
    this.editor.activate(null);
    this.view.select(start, end);
    this.#tellSelected(key);
  }

  selectAll() {
    this.editor.activate(null);
    this.view.select(0, this.state.offsets.numPoints);
  }

  escape() {
    const { state, view, hints } = this;
    if (hints.isOpen) hints.close();
    else if (view.hasSelection) view.select(view.focus, view.focus);
    else if (state.active) this.editor.activate(null);
    else {
      this.editor.leavesOnTab = true;
      this.editor.tell("annotate.tab_leaves");
    }
  }

  moveCaret({ by, direction, extend }) {
    const { view } = this;
    const { offsets } = this.state;
    const isForward = direction > 0;
    if (by === "character" && view.hasSelection && !extend) {
      const edge = isForward ? view.end : view.start;
      view.select(edge, edge);
      return;
    }
    const point = {
      character: () => (isForward ? offsets.nextGrapheme(view.focus) : offsets.previousGrapheme(view.focus)),
      word: () => (isForward ? offsets.nextWord(view.focus) : offsets.previousWord(view.focus)),
      line: () => view.pointOnLine(direction),
      lineEdge: () => view.lineEdge(direction),
      text: () => (isForward ? offsets.numPoints : 0),
    }[by]();
    this.editor.activate(null);
    view.select(extend ? view.anchor : point, point, { keepGoal: by === "line" });
    if (view.hasSelection) this.#tellSelected("annotate.selected");
    else this.editor.speak(offsets.slice(point, offsets.nextGrapheme(point)));
  }

  // Moves one border of the selection by one character, as the same keys move that of an entity.
  moveSelection(border, step) {
    const { view } = this;
    const { offsets } = this.state;
    const move = (point) => (step < 0 ? offsets.previousGrapheme(point) : offsets.nextGrapheme(point));
    const start = border === "start" ? move(view.start) : view.start;
    const end = border === "end" ? move(view.end) : view.end;
    if (start >= end || (start === view.start && end === view.end)) {
      this.editor.tell("annotate.border_edge");
      return;
    }
    view.select(start, end);
    this.#tellSelected("annotate.selected");
  }

  pickWord() {
    if (this.hints.isOpen) {
      this.hints.close();
      return;
    }
    this.editor.activate(null);
    this.hints.open();
    this.editor.tell("annotate.pick_word");
  }

  // A letter typed while words have letters.
  typeHint(letter) {
    const range = this.hints.type(letter);
    if (range) this.select(range.start, range.end, this.hints.isOpen ? "annotate.picked_word" : "annotate.selected");
    else this.editor.tell(this.hints.isOpen ? "annotate.pick_word" : "");
  }

  #tellSelected(key) {
    const { start, end } = this.view;
    this.editor.tell(key, { mention: shorten(this.state.offsets.slice(start, end)) });
  }
}

// A notice has one line.
function shorten(mention) {
  const characters = Array.from(mention);
  return characters.length > 24 ? `${characters.slice(0, 23).join("")}…` : mention;
}
