// Why a text is flagged: a line over the text, that of whoever flagged it, and the field to write it in.

class NoteForm {
  // `run(command)` runs a command of the editor.
  constructor({ root, note, "note-form": form, "note-input": input }, run) {
    this.root = root;
    this.shown = note;
    this.form = form;
    this.input = input;
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
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

  open(text) {
    this.input.value = text;
    this.form.hidden = false;
    this.input.focus();
  }

  // Returns what was typed.
  take() {
    const text = this.input.value.trim();
    this.close();
    return text;
  }

  close() {
    if (this.form.hidden) return;
    this.form.hidden = true;
    this.root.focus({ preventScroll: true });
  }
}
