// What each key and each button does. The names are those of `keys.js` and of `data-command` on the page.

class Commands {
  constructor(editor) {
    this.editor = editor;
    this.view = editor.view;
    this.session = editor.session;
    this.parts = editor.parts;
  }

  get state() {
    return this.session.current.state;
  }

  label(index) {
    const { state, view } = this;
    const style = this.editor.styles[index];
    if (!style) return;
    if (view.hasSelection) {
      const { start, end } = view;
      const replaced = state.label(start, end, style.label, this.editor.allowOverlap);
      view.select(end, end);
      const old = replaced.filter((entity) => !isEqual(entity, state.active));
      if (old.length) this.editor.tell("annotate.replaced", { entities: this.#nameAll(old) });
      else this.#tellActive("annotate.labelled");
    } else if (state.active) {
      state.relabel(style.label);
      this.#tellActive("annotate.labelled");
    } else {
      this.editor.tell("annotate.select_first");
      return;
    }
    this.editor.changed();
  }

  nextEntity() {
    const { entities, active } = this.state;
    const next = active
      ? entities[entities.indexOf(active) + 1]
      : entities.find((entity) => entity.start >= this.view.start);
    this.#goTo(next ?? entities[0]);
  }

  previousEntity() {
    const { entities, active } = this.state;
    const previous = active
      ? entities[entities.indexOf(active) - 1]
      : entities.findLast((entity) => entity.end <= this.view.start);
    this.#goTo(previous ?? entities.at(-1));
  }

  activate(entity) {
    this.#goTo(entity);
  }

  remove() {
    this.#withActive((active) => {
      this.view.select(active.start, active.start);
      this.state.remove();
      this.editor.tell("annotate.removed", { entities: this.#nameAll([active]) });
    });
  }

  accept(entity) {
    if (entity) this.editor.activate(entity);
    this.#withSuggestion(() => {
      this.state.accept();
      this.#tellActive("annotate.accepted");
    });
  }

  reject(entity) {
    if (entity) this.editor.activate(entity);
    this.#withSuggestion((active) => {
      this.view.select(active.start, active.start);
      this.state.remove();
      this.editor.tell("annotate.rejected", { entities: this.#nameAll([active]) });
    });
  }

  startLeft() {
    this.#moveBorder("start", -1);
  }

  startRight() {
    this.#moveBorder("start", 1);
  }

  endLeft() {
    this.#moveBorder("end", -1);
  }

  endRight() {
    this.#moveBorder("end", 1);
  }

  propagate() {
    this.#withActive(() => {
      const { numAdded, numKept, replaced } = this.state.propagate(this.editor.allowOverlap);
      if (replaced.length) {
        const entities = this.#nameAll(replaced);
        this.editor.tell("annotate.propagated_over", { added: numAdded, entities });
      } else {
        const key = numKept ? "annotate.propagated_some" : "annotate.propagated";
        this.editor.tell(key, { added: numAdded, kept: numKept });
      }
    });
  }

  undo() {
    if (!this.state.undo()) this.editor.tell("annotate.nothing_to_undo");
    this.editor.changed();
  }

  redo() {
    if (!this.state.redo()) this.editor.tell("annotate.nothing_to_redo");
    this.editor.changed();
  }

  saveAndNext() {
    this.state.acceptAll();
    this.#saveAndGoOn("accepted");
  }

  skip() {
    this.#saveAndGoOn("ignored");
  }

  flag() {
    this.#saveAndGoOn("flagged");
  }

  next() {
    this.session.lastSaved = null;
    this.session.next();
  }

  previous() {
    this.session.lastSaved = null;
    this.session.previous();
  }

  retry() {
    this.session.retry();
  }

  restoreDraft() {
    this.session.restoreDraft();
    this.parts.draft.hidden = true;
    this.parts.root.focus();
    this.editor.changed();
  }

  discardDraft() {
    this.session.discardDraft();
    this.parts.draft.hidden = true;
    this.parts.root.focus();
  }

  help() {
    this.parts.help.showModal();
  }

  escape() {
    const { state, view } = this;
    if (view.hasSelection) view.select(view.focus, view.focus);
    else if (state.active) this.editor.activate(null);
    else {
      this.editor.leavesOnTab = true;
      this.editor.tell("annotate.tab_leaves");
    }
  }

  selectAll() {
    const { view } = this;
    this.editor.activate(null);
    view.select(0, this.state.offsets.numPoints);
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
    if (view.hasSelection) {
      this.editor.tell("annotate.selected", { mention: shorten(offsets.slice(view.start, view.end)) });
    }
  }

  #goTo(entity) {
    if (!entity) {
      this.editor.tell("annotate.no_entities");
      return;
    }
    this.view.select(entity.end, entity.end);
    this.editor.activate(entity);
    this.#tellActive("annotate.is_active");
  }

  #moveBorder(border, step) {
    this.#withActive(() => {
      const obstacle = this.state.moveBorder(border, step, this.editor.allowOverlap);
      if (obstacle === "edge") this.editor.tell("annotate.border_edge");
      else if (obstacle) this.editor.tell("annotate.border_blocked", { entities: this.#nameAll([obstacle]) });
      else {
        const { end } = this.state.active;
        this.view.select(end, end);
        this.#tellActive("annotate.moved");
      }
    });
  }

  #saveAndGoOn(status) {
    const annotator = this.parts.annotator.value.trim() || DEFAULT_ANNOTATOR;
    this.session.save(status, annotator);
    this.editor.draw();
    this.session.next();
  }

  // The active entity or, where none is, the shortest one around the selection or in front of the caret.
  #withActive(act) {
    const { start, end, hasSelection } = this.view;
    const isAround = (entity) => end <= entity.end && (hasSelection ? entity.start <= start : entity.start < start);
    const around = this.state.entities.filter(isAround);
    around.sort((first, second) => first.end - first.start - (second.end - second.start));
    this.state.active ??= around[0] ?? null;
    if (!this.state.active) {
      this.editor.tell("annotate.activate_first");
      return;
    }
    act(this.state.active);
    this.editor.changed();
  }

  #withSuggestion(act) {
    this.#withActive((active) => {
      if (active.source === "human") this.editor.tell("annotate.not_a_suggestion");
      else act(active);
    });
  }

  #tellActive(key) {
    this.editor.tell(key, { entities: this.#nameAll([this.state.active]) });
  }

  #nameAll(entities) {
    const nameOf = (entity) => `${shorten(this.state.mention(entity))} (${this.editor.styleOf(entity).name})`;
    return entities.map(nameOf).join(this.editor.words("annotate.separator"));
  }
}

// A notice has one line.
function shorten(mention) {
  const characters = Array.from(mention);
  return characters.length > 24 ? `${characters.slice(0, 23).join("")}…` : mention;
}
