// Why a text is flagged: a line over the text, that of whoever flagged it, and the field to write it in.

class NoteForm {
  // `run(command)` runs a command of the editor; `onTyped()` is called after each change of the field by a person.
  constructor({ root, note, "note-form": form, "note-input": input }, run, onTyped) {
    this.root = root;
    this.shown = note;
    this.form = form;
    this.input = input;
    input.addEventListener("input", onTyped);
    input.addEventListener("keydown", (event) => {
      // Safari's Enter that ends a composition says so by its key code only.
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter") run("saveNote");
      else if (event.key === "Escape") run("cancelNote");
      else return;
      event.preventDefault();
    });
  }

  // `text` is the note of the document on screen, or "".
  draw(text) {
    setText(this.shown, text);
    this.shown.hidden = !text;
  }

  get isOpen() {
    return !this.form.hidden;
  }

  // The note in the field, which nobody has saved; "" while it is closed.
  get typed() {
    return this.isOpen ? this.input.value.trim() : "";
  }

  open(text) {
    this.show(text);
    this.input.focus();
  }

  // Without the focus: whoever comes back to a text they left goes on with its keys.
  show(text) {
    this.input.value = text;
    this.form.hidden = false;
  }

  // Returns what was typed.
  take() {
    const { typed } = this;
    this.close();
    return typed;
  }

  close() {
    if (!this.isOpen) return;
    this.form.hidden = true;
    this.input.value = "";
    this.root.focus({ preventScroll: true });
  }
}
