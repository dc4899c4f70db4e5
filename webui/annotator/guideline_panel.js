// What the label at hand is for: that of the active entity or of the label button under the pointer, else what holds for
// all labels. The user may put it in other words; until then the program's own are shown.

class GuidelinePanel {
  // `save(label, text)` has the user's words stored; label null stands for all labels.
  constructor(parts, words, language, save) {
    this.parts = parts;
    this.words = words;
    this.language = language;
    this.save = save;
    this.general = { own: "", default: { zh: "", en: "" } };
    this.active = null; // style of the active entity's label
    this.pointed = null; // style of the label button under the pointer
    this.edited = undefined; // style (or null) whose text is being written
    const { palette, "guideline-input": input } = parts;
    const point = (button) => {
      this.pointed = button ? button.labelStyle : null;
      this.draw();
    };
    for (const type of ["pointerover", "focusin"]) {
      palette.addEventListener(type, (event) => point(event.target.closest("button")));
    }
    for (const type of ["pointerleave", "focusout"]) palette.addEventListener(type, () => point(null));
    input.addEventListener("keydown", (event) => this.#onKey(event));
  }

  get isOpen() {
    return this.edited !== undefined;
  }

  showActive(style) {
    this.active = style;
    this.draw();
  }

  draw() {
    if (this.isOpen) return;
    const { parts, words } = this;
    const style = this.pointed ?? this.active;
    const text = this.#textOf(style);
    const title = style
      ? words("annotate.guideline", { label: describeLabel(style, this.language) })
      : words("annotate.guideline_general");
    setText(parts["guideline-title"], title);
    setText(parts["guideline-text"], text || words("annotate.guideline_empty"));
    parts["guideline-text"].classList.toggle("ed-hint", !text);
    setStyle(parts.guideline, "--color", style?.color ?? "var(--line)");
  }

  edit() {
    const { parts } = this;
    this.draw();
    this.edited = this.pointed ?? this.active;
    const { own } = this.#guidelineOf(this.edited);
    parts["guideline-input"].value = this.#textOf(this.edited);
    parts["guideline-reset"].hidden = !own;
    this.#showForm(true);
    parts["guideline-input"].focus();
  }

  // Words that are the program's own are not the user's.
  submit() {
    const text = this.parts["guideline-input"].value.trim();
    const style = this.edited;
    const isDefault = text === this.#guidelineOf(style).default[this.language];
    this.close();
    this.#store(style, isDefault ? "" : text);
  }

  reset() {
    const style = this.edited;
    this.close();
    this.#store(style, "");
  }

  close() {
    this.edited = undefined;
    this.#showForm(false);
    this.draw();
    this.parts.root.focus();
  }

  #store(style, text) {
    const guideline = this.#guidelineOf(style);
    if (text === guideline.own) return;
    this.save(style?.label ?? null, text, () => {
      guideline.own = text;
      this.draw();
    });
  }

  #onKey(event) {
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.submit();
    else return;
    event.preventDefault();
  }

  #showForm(isShown) {
    const { parts } = this;
    parts["guideline-form"].hidden = !isShown;
    parts["guideline-text"].hidden = isShown;
    parts["guideline-edit"].hidden = isShown;
  }

  #guidelineOf(style) {
    return style ? style.guideline : this.general;
  }

  #textOf(style) {
    const guideline = this.#guidelineOf(style);
    return guideline.own || guideline.default[this.language];
  }
}

// "姓名 name": in the reader's language first.
function describeLabel(style, language) {
  const names = language === "zh" ? [style.zh, style.en] : [style.en, style.zh];
  return [...new Set(names)].join(" ");
}
