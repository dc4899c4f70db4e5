// What each key and each button does to entities and documents. The names are those of `keys.js` and of `data-command` on
// the page.

class Commands extends SelectionCommands {
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
      else this.#tellActiveAndMore("annotate.labelled");
    } else if (state.active) {
      state.relabel(style.label);
      this.#tellActiveAndMore("annotate.labelled");
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

  // A click on an entity, or on text that has none (null).
  pick(entity) {
    if (entity === this.state.active) return;
    this.editor.activate(entity);
    if (entity) this.#tellActiveAndMore("annotate.is_active");
    else this.editor.tell("");
  }

  remove() {
    this.#withActive((active) => {
      this.view.select(active.start, active.start);
      this.state.remove();
      this.editor.tell("annotate.removed", { entities: this.#nameAll([active]) });
    });
  }

  // The suggestion that A and X decide on: the active one or, where none is, the next one behind the caret. With characters
  // selected, the one around them.
  get target() {
    const { state, view } = this;
    const { active, suggestions } = state;
    if (active) return active.source === "model" ? active : null;
    const isThere = view.hasSelection
      ? ({ start, end }) => start <= view.start && view.end <= end
      : ({ end }) => end > view.start;
    return suggestions.find(isThere) ?? null;
  }

  // Nothing is active afterwards and the caret stands where the next suggestion is looked for, so that the same keys decide
  // on one after the other.
  accept(entity) {
    this.#decide(entity, "annotate.accepted", (target) => {
      this.state.accept();
      this.state.active = null;
      this.view.select(target.end, target.end);
    });
  }

  reject(entity) {
    this.#decide(entity, "annotate.rejected", (target) => {
      this.state.remove();
      this.view.select(target.start, target.start);
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

  dragBorder(border, point) {
    const { state } = this;
    const old = state.active;
    state.dragBorder(border, point, this.editor.allowOverlap);
    if (state.active !== old) this.editor.draw();
  }

  dropBorder() {
    if (!this.state.dropBorder()) return;
    const { end } = this.state.active;
    this.view.select(end, end);
    this.#tellActive("annotate.moved");
    this.editor.changed();
  }

  toggleOverlap() {
    this.parts["allow-overlap"].click();
    this.editor.tell(this.editor.allowOverlap ? "annotate.overlap_on" : "annotate.overlap_off");
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
    if (this.editor.noteForm.typed) {
      // Typed, and then left by a click into the text: it is not to be lost.
      this.saveNote();
      return;
    }
    if (!this.session.current.document.is_closed) this.state.acceptAll();
    this.#saveAndGoOn("accepted");
  }

  skip() {
    this.#saveAndGoOn("ignored");
  }

  // A text that is flagged already keeps the note that says why.
  flag() {
    if (this.editor.noteForm.typed) {
      this.saveNote();
      return;
    }
    const { status, note } = this.session.current.document;
    this.#saveAndGoOn("flagged", status === "flagged" ? note : "");
  }

  flagWithNote() {
    // What was typed behind this key is the note's, not commands.
    this.editor.forgetTypedAhead();
    const { noteForm } = this.editor;
    noteForm.open(noteForm.typed || this.session.current.document.note);
  }

  saveNote() {
    // Another text may have come meanwhile, which closes the form.
    if (!this.editor.noteForm.isOpen) return;
    this.#saveAndGoOn("flagged", this.editor.noteForm.take());
  }

  cancelNote() {
    const { typedNote } = this.session.current;
    this.editor.noteForm.close();
    if (typedNote) this.session.keepDraft();
  }

  next() {
    this.session.next();
  }

  previous() {
    this.session.previous();
  }

  retry() {
    this.session.retry();
  }

  restoreDraft() {
    this.session.offers.accept(this.session.current);
    this.parts.draft.hidden = true;
    this.parts.root.focus();
    this.editor.changed();
  }

  discardDraft() {
    this.session.offers.discard(this.session.current);
    this.parts.draft.hidden = true;
    this.parts.root.focus();
  }

  editGuideline() {
    this.editor.guidelines.edit();
  }

  saveGuideline() {
    this.editor.guidelines.submit();
  }

  resetGuideline() {
    this.editor.guidelines.reset();
  }

  cancelGuideline() {
    this.editor.guidelines.close();
  }

  help() {
    this.parts.help.showModal();
  }

  #goTo(entity) {
    if (!entity) {
      this.editor.tell("annotate.no_entities");
      return;
    }
    this.view.select(entity.end, entity.end);
    this.editor.activate(entity);
    this.#tellActiveAndMore("annotate.is_active");
  }

  #moveBorder(border, step) {
    if (this.view.hasSelection) {
      this.moveSelection(border, step);
      return;
    }
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

  #saveAndGoOn(status, note = "") {
    const { current } = this.session;
    if (current.document.is_closed) {
      // The server would refuse: what others have seen by now is nobody's own version any more.
      this.session.discardChanges();
      this.session.next();
      this.editor.tell("annotate.closed_not_saved", { position: current.document.position });
      return;
    }
    this.session.save(status, this.editor.annotatorName, note);
    this.session.next();
    // Mostly the next document is drawn by now; this one was accepted and may still be on screen.
    if (this.session.current === current) this.editor.draw();
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

  #decide(entity, key, act) {
    if (entity) this.editor.activate(entity);
    const { target, state } = this;
    if (!target) {
      this.editor.tell(state.active ? "annotate.not_a_suggestion" : "annotate.no_suggestion");
      return;
    }
    state.active = target; // what undo comes back to
    act(target);
    const next = this.target;
    if (next) {
      const names = { entities: this.#nameAll([target]), next: this.#nameWithScore(next) };
      this.editor.tell(`${key}_next`, names);
    } else {
      this.editor.tell(key, { entities: this.#nameAll([target]) });
    }
    this.editor.changed();
  }

  #tellActive(key) {
    this.editor.tell(key, { entities: this.#nameAll([this.state.active]) });
  }

  // Also says how sure a model is of a suggestion, and what F would do.
  #tellActiveAndMore(key) {
    const { active } = this.state;
    const { additions } = this.state.planPropagation(this.editor.allowOverlap);
    const values = { entities: this.#nameWithScore(active), total: additions.length };
    this.editor.tell(additions.length ? `${key}_more` : key, values);
  }

  #nameWithScore(entity) {
    return `${this.#nameAll([entity])} ${percentOf(entity)}`.trimEnd();
  }

  #nameAll(entities) {
    const nameOf = (entity) => `${shorten(this.state.mention(entity))} (${this.editor.styleOf(entity).name})`;
    return entities.map(nameOf).join(this.editor.words("annotate.separator"));
  }
}
