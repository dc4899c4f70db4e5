// The entities of one document while a person works on them, with undo and redo.
//
// An entity is a frozen object {start, end, label, source, score}: half-open code points; source "human" or "model";
// a model's entity is a suggestion that nobody has decided on and has a score. The list is replaced, never changed, so
// that one step of undo is one reference, and "dirty" is a comparison of two references.

class AnnotationState {
  constructor(document) {
    this.offsets = new TextOffsets(document.text);
    this.entities = AnnotationState.entitiesOf(document);
    this.saved = this.entities;
    this.active = null;
    this.undoSteps = [];
    this.redoSteps = [];
    this.plan = null; // the last answer of `planPropagation`
    this.beforeDrag = null; // while the mouse pulls a border: what it began with
  }

  static entitiesOf(document) {
    return AnnotationState.#inOrder([
      ...document.spans.map((span) => AnnotationState.humanEntity(span.start, span.end, span.label)),
      ...document.suggestions.map((span) => Object.freeze({ ...span, source: "model" })),
    ]);
  }

  static humanEntity(start, end, label) {
    return Object.freeze({ start, end, label, source: "human" });
  }

  static isSame(first, second) {
    const key = (entities) =>
      JSON.stringify(entities.map(({ start, end, label, source }) => [start, end, label, source]));
    return key(first) === key(second);
  }

  get isDirty() {
    return this.entities !== this.saved;
  }

  get suggestions() {
    return this.entities.filter((entity) => entity.source === "model");
  }

  mention(entity) {
    return this.offsets.slice(entity.start, entity.end);
  }

  // Returns the entities that had to give way to the new one.
  label(start, end, label, allowOverlap) {
    const added = AnnotationState.humanEntity(start, end, label);
    const replaced = this.#inTheWay(added, this.entities, allowOverlap);
    this.#commit([...this.entities.filter((entity) => !replaced.includes(entity)), added], added);
    return replaced;
  }

  relabel(label) {
    const { start, end } = this.active;
    this.#replaceActive(AnnotationState.humanEntity(start, end, label));
  }

  accept() {
    const { start, end, label } = this.active;
    this.#replaceActive(AnnotationState.humanEntity(start, end, label));
  }

  acceptAll() {
    if (!this.suggestions.length) return;
    const { active } = this;
    const accepted = new Map(
      this.suggestions.map((entity) => [
        entity,
        AnnotationState.humanEntity(entity.start, entity.end, entity.label),
      ]),
    );
    const entities = this.entities.map((entity) => accepted.get(entity) ?? entity);
    this.#commit(entities, accepted.get(active) ?? active);
  }

  remove() {
    this.#commit(
      this.entities.filter((entity) => entity !== this.active),
      null,
    );
  }

  // Moves one border of the active entity by one code point. Returns null, or why it cannot move: "edge" when the
  // entity would be empty or leave the text, else the entity it would run into.
  moveBorder(border, step, allowOverlap) {
    const { active } = this;
    const range = { start: active.start, end: active.end };
    range[border] += step;
    if (range.start < 0 || range.end > this.offsets.numPoints || range.start >= range.end) return "edge";
    const moved = AnnotationState.humanEntity(range.start, range.end, active.label);
    const [inTheWay] = this.#inTheWay(moved, obstaclesOf(active, this.entities), allowOverlap);
    if (inTheWay) return inTheWay;
    this.#replaceActive(moved);
    return null;
  }

  // One border of the active entity follows the mouse, as near as other entities let it. However far it goes, it is one
  // step of undo: `dropBorder` makes it, `cancelDrag` goes back.
  dragBorder(border, point, allowOverlap) {
    this.beforeDrag ??= { entities: this.entities, active: this.active };
    const { entities, active } = this.beforeDrag;
    const { lowest, highest } = this.#reachOf(active, border, allowOverlap);
    const range = { start: active.start, end: active.end };
    range[border] = Math.min(Math.max(point, lowest), highest);
    if (range[border] === active[border]) {
      Object.assign(this, this.beforeDrag);
      return;
    }
    const moved = AnnotationState.humanEntity(range.start, range.end, active.label);
    const others = entities.filter((entity) => entity !== active && !isEqual(entity, moved));
    this.entities = AnnotationState.#inOrder([...others, moved]);
    this.active = moved;
  }

  // Returns whether the border has moved.
  dropBorder() {
    const { beforeDrag, entities, active } = this;
    this.cancelDrag();
    if (!beforeDrag || beforeDrag.active === active) return false;
    this.#commit(entities, active);
    return true;
  }

  cancelDrag() {
    if (this.beforeDrag) Object.assign(this, this.beforeDrag);
    this.beforeDrag = null;
  }

  // What labelling the active entity's string everywhere would add, and how many places a person's entity keeps. Asked for
  // several times after each key, so the last answer is kept.
  planPropagation(allowOverlap) {
    const { entities, active, plan } = this;
    const isKnown = plan?.entities === entities && plan.active === active && plan.allowOverlap === allowOverlap;
    if (!isKnown) this.plan = { entities, active, allowOverlap, ...this.#plan(allowOverlap) };
    return this.plan;
  }

  #plan(allowOverlap) {
    const { active } = this;
    const length = active.end - active.start;
    const others = this.entities.filter((entity) => entity.source === "human" && entity !== active);
    const done = new Set(others.filter((entity) => entity.label === active.label).map(rangeKey));
    const taken = this.#coverage(allowOverlap ? [active] : [active, ...others]);
    const additions = [];
    let numKept = 0;
    let free = 0;
    for (const start of this.offsets.findAll(this.mention(active))) {
      const place = AnnotationState.humanEntity(start, start + length, active.label);
      if (start < free || overlaps(place, active) || done.has(rangeKey(place))) continue;
      if (isCovered(taken, place)) {
        numKept += 1;
      } else {
        additions.push(place);
        free = place.end;
      }
    }
    return { additions, numKept };
  }

  // One step of undo. A suggestion gives way to what the person says about the string; a person's entity does not.
  propagate(allowOverlap) {
    const { active } = this;
    const { additions, numKept } = this.planPropagation(allowOverlap);
    if (!additions.length && active.source === "human") return { numAdded: 0, numKept, replaced: [] };
    const decided = AnnotationState.humanEntity(active.start, active.end, active.label);
    const added = new Set(additions.map(rangeKey));
    const taken = this.#coverage(additions);
    const givesWay = (entity) =>
      allowOverlap
        ? entity.label === active.label && added.has(rangeKey(entity))
        : isCovered(taken, entity);
    const kept = this.entities.filter(
      (entity) => entity !== active && !(entity.source === "model" && givesWay(entity)),
    );
    // A suggestion of the very same entity is taken over, any other is replaced.
    const isTakenOver = (entity) => entity.label === active.label && added.has(rangeKey(entity));
    const replaced = this.entities.filter(
      (entity) => entity !== active && !kept.includes(entity) && !isTakenOver(entity),
    );
    this.#commit([...kept, decided, ...additions], decided);
    return { numAdded: additions.length, numKept, replaced };
  }

  undo() {
    return this.#step(this.undoSteps, this.redoSteps);
  }

  redo() {
    return this.#step(this.redoSteps, this.undoSteps);
  }

  // Takes over entities from a draft or from a conflict; undo goes back to what was there before.
  restore(entities) {
    this.#commit(entities, null);
  }

  // With overlap allowed, only the same range with the same label is in the way: it would be there twice.
  #inTheWay(added, entities, allowOverlap) {
    return entities.filter((entity) => (allowOverlap ? isEqual(entity, added) : overlaps(entity, added)));
  }

  // How far a border can go: an entity keeps one character, and stops at its neighbours unless it may overlap them.
  #reachOf(active, border, allowOverlap) {
    const { entities } = this.beforeDrag;
    const obstacles = allowOverlap ? [] : obstaclesOf(active, entities);
    if (border === "start") {
      const ends = obstacles.filter((other) => other.end <= active.start).map((other) => other.end);
      return { lowest: Math.max(0, ...ends), highest: active.end - 1 };
    }
    const starts = obstacles.filter((other) => other.start >= active.end).map((other) => other.start);
    return { lowest: active.start + 1, highest: Math.min(this.offsets.numPoints, ...starts) };
  }

  // One byte for each character: 1 where an entity lies.
  #coverage(entities) {
    const covered = new Uint8Array(this.offsets.numPoints);
    for (const entity of entities) covered.fill(1, entity.start, entity.end);
    return covered;
  }

  #replaceActive(entity) {
    const kept = this.entities.filter((other) => other !== this.active && !isEqual(other, entity));
    this.#commit([...kept, entity], entity);
  }

  #commit(entities, active) {
    this.undoSteps.push({ entities: this.entities, active: this.active });
    this.redoSteps.length = 0;
    this.entities = AnnotationState.#inOrder(entities);
    this.active = active;
  }

  #step(from, to) {
    const step = from.pop();
    if (!step) return false;
    to.push({ entities: this.entities, active: this.active });
    this.entities = step.entities;
    this.active = step.active;
    return true;
  }

  static #inOrder(entities) {
    return [...entities].sort(
      (first, second) =>
        first.start - second.start || first.end - second.end || (first.label < second.label ? -1 : 1),
    );
  }
}

// Entities that overlap already may go on doing so; only a new collision stops a border.
function obstaclesOf(active, entities) {
  return entities.filter((entity) => entity !== active && !overlaps(entity, active));
}

function isEqual(first, second) {
  return first.start === second.start && first.end === second.end && first.label === second.label;
}

function isCovered(coverage, entity) {
  return coverage.subarray(entity.start, entity.end).includes(1);
}

function rangeKey(entity) {
  return `${entity.start}-${entity.end}`;
}
