// One block of a text as it is drawn. What has not changed keeps its elements, and an entity that only means something else
// now (another label, accepted) keeps its characters: they need not be laid out anew.

// Joins a tag to the last character of its entity, so that no line break can come between.
const WORD_JOINER = "\u2060";

class DrawnBlock {
  // `testId` is what tests find the entities by.
  constructor({ start, end, isContinuation }, offsets, testId) {
    this.start = start;
    this.end = end;
    this.offsets = offsets;
    this.testId = testId;
    this.element = document.createElement("div");
    this.element.className = "ed-block";
    this.element.classList.toggle("ed-continuation", isContinuation);
    this.element.block = this;
    this.isInSight = true;
    this.waiting = null; // what is still to be drawn: {parts, styleOf}
    this.parts = null;
    this.runs = [];
    this.nodes = []; // the text nodes in order, each with the UTF-16 unit it begins at
    this.draw([], null); // the characters alone, until its entities are known
  }

  // Draws the parts of entities that `partsOfBlocks` gave this block: at once where they are seen, else when `catchUp` is
  // called.
  draw(parts, styleOf) {
    const isDrawn = this.parts && isSameList(parts, this.parts, isSamePart);
    this.waiting = isDrawn ? null : { parts, styleOf };
    if (this.isInSight) this.catchUp();
  }

  catchUp() {
    if (!this.waiting) return;
    const { parts, styleOf } = this.waiting;
    this.waiting = null;
    this.parts = parts;
    const old = this.runs;
    const runs = planRuns(this, parts);
    let head = 0;
    while (head < Math.min(old.length, runs.length) && isSameShape(old[head], runs[head])) head += 1;
    let tail = 0;
    const rest = Math.min(old.length, runs.length) - head;
    while (tail < rest && isSameShape(old.at(-1 - tail), runs.at(-1 - tail))) tail += 1;

    for (const run of old.slice(head, old.length - tail)) run.dom.remove();
    const fragment = document.createDocumentFragment();
    runs.forEach((run, index) => {
      if (index < head) this.#takeOver(old[index], run, styleOf);
      else if (index >= runs.length - tail) this.#takeOver(old[index - runs.length + old.length], run, styleOf);
      else fragment.append(this.#build(run, styleOf));
    });
    this.element.insertBefore(fragment, runs[runs.length - tail]?.dom ?? null);
    this.runs = runs;
    this.nodes = runs.flatMap((run) => this.#nodesOf(run));
  }

  #build(run, styleOf) {
    if (!run.entity) {
      run.dom = document.createTextNode(this.offsets.slice(run.start, run.end));
      return run.dom;
    }
    run.dom = document.createElement("span");
    run.dom.className = "ed-entity";
    run.dom.append(...run.children.map((child) => this.#build(child, styleOf)));
    this.#dress(run, styleOf);
    return run.dom;
  }

  // The new run gets the elements of the old one, which has the same characters.
  #takeOver(oldRun, run, styleOf) {
    run.dom = oldRun.dom;
    if (!run.entity) return;
    run.children.forEach((child, index) => this.#takeOver(oldRun.children[index], child, styleOf));
    if (oldRun.entity !== run.entity || oldRun.level !== run.level) this.#dress(run, styleOf);
  }

  // The first part of an entity carries the attributes that pages and tests rely on, the last one its tag.
  #dress({ dom, entity, start, end, level }, styleOf) {
    const { testId } = this;
    const style = styleOf(entity);
    const score = percentOf(entity);
    const isFirst = start === entity.start;
    dom.entity = entity;
    dom.classList.toggle("ed-human", entity.source === "human");
    dom.classList.toggle("ed-model", entity.source === "model");
    setStyle(dom, "--color", style.color);
    if (level) dom.style.setProperty("--level", level);
    else dom.style.removeProperty("--level");
    setAttribute(dom, "data-testid", isFirst ? testId : null);
    setAttribute(dom, "data-start", isFirst ? entity.start : null);
    setAttribute(dom, "data-end", isFirst ? entity.end : null);
    setAttribute(dom, "data-label", isFirst ? entity.label : null);
    setAttribute(dom, "data-source", isFirst ? entity.source : null);
    setAttribute(dom, "data-score", isFirst ? entity.score : null);
    const tag = `${WORD_JOINER}${style.name}${score && `\u00a0${score}`}`;
    setAttribute(dom, "data-tag", end === entity.end ? tag : null);
  }

  #nodesOf(run) {
    if (run.entity) return run.children.flatMap((child) => this.#nodesOf(child));
    return [{ node: run.dom, unit: this.offsets.toUnit(run.start) }];
  }
}

function isSameList(first, second, isSame) {
  return first.length === second.length && first.every((item, index) => isSame(item, second[index]));
}

function isSamePart(first, second) {
  return first.entity === second.entity && first.level === second.level;
}

// Whether two runs divide the same characters in the same way.
function isSameShape(first, second) {
  return (
    first.start === second.start &&
    first.end === second.end &&
    Boolean(first.entity) === Boolean(second.entity) &&
    (!first.entity || isSameList(first.children, second.children, isSameShape))
  );
}
