// What a mouse or a finger does to the text: picks an entity, selects characters, pulls a border.
//
// A mouse selects by dragging. A finger that drags scrolls, so it taps the first and the last character instead.

class Pointer {
  constructor(editor) {
    this.editor = editor;
    this.view = editor.view;
    this.hovered = null;
    this.dragged = null; // "start" or "end" while that border follows the pointer
    this.tapped = null; // the first character {start, end} that a finger has chosen
    this.before = null; // what was selected when the pointer came down; the browser drops it before the click
    const { text, entities } = editor.parts;
    text.addEventListener("pointerdown", () => {
      this.before = { start: this.view.start, end: this.view.end };
    });
    text.addEventListener("click", (event) => this.#onClick(event));
    document.addEventListener("selectionchange", () => this.#onSelectionChange());
    for (const place of [text, entities]) {
      place.addEventListener("pointerover", (event) => this.#hover(entityOf(event.target)));
      place.addEventListener("pointerleave", () => this.#hover(null));
    }
    for (const [border, grip] of Object.entries(this.view.grips)) this.#listenToGrip(border, grip);
  }

  get isDragging() {
    return this.dragged !== null;
  }

  // Goes back to where the border was.
  cancelDrag() {
    this.editor.state.cancelDrag();
    this.editor.draw();
    this.#setDragged(null);
  }

  #onClick(event) {
    const { editor, view } = this;
    if (!editor.isEditable) return;
    if (event.pointerType === "touch" && this.#onTap(event)) return;
    view.readSelection();
    if (!view.hasSelection) editor.commands.pick(this.#entityUnder(event.target));
    editor.retarget();
  }

  // Of entities that lie one in the other, each click picks the next one further out.
  #entityUnder(target) {
    const under = [];
    for (let element = entityElementOf(target); element; element = entityElementOf(element.parentElement)) {
      under.push(element.entity);
    }
    const next = under.indexOf(this.editor.state.active) + 1;
    return under[next % Math.max(under.length, 1)] ?? null;
  }

  // Returns whether the tap chose characters; an entity is picked where no character has been chosen before.
  #onTap({ clientX, clientY, target }) {
    const { view, tapped, before } = this;
    const character = view.layout.characterAt(clientX, clientY);
    const isSecond = tapped !== null && before?.start === tapped.start && before.end === tapped.end;
    this.tapped = null;
    if (!character || (!isSecond && entityOf(target))) return false;
    const { commands } = this.editor;
    if (!isSecond) {
      this.tapped = character;
      commands.select(character.start, character.end, "annotate.tapped");
    } else if (character.start === tapped.start) {
      commands.escape(); // the same character again: never mind
    } else {
      commands.select(Math.min(tapped.start, character.start), Math.max(tapped.end, character.end));
    }
    return true;
  }

  #onSelectionChange() {
    const { editor, view } = this;
    if (!editor.isEditable || this.isDragging || !editor.parts.root.isConnected) return;
    if (!view.readSelection() || !view.hasSelection) return;
    if (editor.state.active) editor.tell("");
    editor.activate(null);
    editor.retarget();
  }

  #hover(entity) {
    if (this.hovered === entity) return;
    this.hovered = entity;
    this.editor.hover(entity);
  }

  #setDragged(border) {
    this.dragged = border;
    this.view.frame.classList.toggle("ed-dragging", border !== null);
    this.view.drawSelection(); // the tag comes or goes, and the text moves
  }

  #listenToGrip(border, grip) {
    grip.addEventListener("pointerdown", (event) => {
      if (!this.editor.isEditable || event.button !== 0) return;
      event.preventDefault();
      this.editor.parts.root.focus({ preventScroll: true });
      grip.setPointerCapture(event.pointerId);
      this.#setDragged(border);
    });
    grip.addEventListener("pointermove", (event) => {
      if (!this.isDragging) return;
      const point = this.view.layout.pointAt(event.clientX, event.clientY);
      if (point !== null) this.editor.commands.dragBorder(border, point);
    });
    grip.addEventListener("pointerup", () => {
      if (!this.isDragging) return;
      this.#setDragged(null);
      this.editor.commands.dropBorder();
    });
    grip.addEventListener("pointercancel", () => {
      if (this.isDragging) this.cancelDrag();
    });
  }
}

function entityElementOf(node) {
  return node?.closest(".ed-entity, li") ?? null;
}

function entityOf(node) {
  return entityElementOf(node)?.entity ?? null;
}
