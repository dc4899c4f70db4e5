// Two versions of one document, side by side, when somebody else saved first. The person has to choose.

class ConflictView {
  constructor(parts, words, styleOf, describeRevision) {
    this.parts = parts;
    this.words = words;
    this.styleOf = styleOf;
    this.describeRevision = describeRevision;
    this.waiting = [];
    this.mine = new TaggedText(parts["conflict-mine"], "conflict-entity");
    this.theirs = new TaggedText(parts["conflict-theirs"], "conflict-entity");
    parts.conflict.addEventListener("cancel", (event) => event.preventDefault());
    parts["keep-mine"].addEventListener("click", () => this.#choose("onKeepMine"));
    parts["take-theirs"].addEventListener("click", () => this.#choose("onTakeTheirs"));
  }

  get isOpen() {
    return this.waiting.length > 0;
  }

  // A conflict is {document (the store's version), entities (mine), remark (or ""), onKeepMine(), onTakeTheirs()}.
  show(conflict) {
    this.waiting.push(conflict);
    if (this.waiting.length === 1) this.#draw();
  }

  #draw() {
    const { parts, words } = this;
    const { document: theirs, entities, remark } = this.waiting[0];
    const offsets = new TextOffsets(theirs.text);
    parts["conflict-title"].textContent = words("annotate.conflict_title", { position: theirs.position });
    parts["conflict-theirs-title"].textContent = words("annotate.conflict_theirs", {
      revision: this.describeRevision(theirs.history[0]),
    });
    const others = AnnotationState.entitiesOf(theirs);
    this.mine.draw(offsets, entities, this.styleOf);
    this.theirs.draw(offsets, others, this.styleOf);
    const onlyMine = markDifferent(parts["conflict-mine"], entities, others);
    const onlyTheirs = markDifferent(parts["conflict-theirs"], others, entities);
    const counts = { same: entities.length - onlyMine, mine: onlyMine, theirs: onlyTheirs };
    parts["conflict-summary"].textContent = words("annotate.conflict_summary", counts) + remark;
    if (!parts.conflict.open) parts.conflict.showModal();
    // Neither button: an Enter typed ahead, meant for the next document, must not choose a version.
    parts["conflict-title"].focus();
  }

  #choose(handler) {
    const conflict = this.waiting.shift();
    if (this.waiting.length) this.#draw();
    else this.parts.conflict.close();
    conflict[handler]();
  }
}

// Frames what only one version has; returns how many entities that are. A suggestion that somebody has accepted is a
// difference too.
function markDifferent(container, entities, others) {
  const isKnown = (entity) => others.some((other) => isEqual(entity, other) && entity.source === other.source);
  const different = new Set(entities.filter((entity) => !isKnown(entity)));
  for (const element of container.querySelectorAll(".ed-entity")) {
    element.classList.toggle("ed-different", different.has(element.entity));
  }
  return different.size;
}
