// Draws a text with its entities. Everything goes in through text nodes and attributes: a text is never markup.

// Joins a tag to the last character of its entity, so that no line break can come between.
const WORD_JOINER = "\u2060";

class TaggedText {
  constructor(container, testId) {
    this.container = container;
    this.testId = testId;
    this.offsets = new TextOffsets("");
    this.runs = [];
    this.nodes = [];
    this.ids = new WeakMap();
    this.numIds = 0;
  }

  // Afterwards `nodes` has the text nodes in order, each with the UTF-16 unit it begins at. What has not changed keeps
  // its elements: laying out 6,000 characters anew costs several times as much as one entity.
  draw(offsets, entities, styleOf) {
    const old = offsets === this.offsets ? this.runs : [];
    if (offsets !== this.offsets) this.container.replaceChildren();
    this.offsets = offsets;
    this.runs = planRuns(offsets.numPoints, entities);
    for (const run of this.runs) run.key = this.#keyOf(run);
    const isSame = (first, second) => first !== undefined && second !== undefined && first.key === second.key;
    let head = 0;
    while (isSame(old[head], this.runs[head])) head += 1;
    let tail = 0;
    const rest = Math.min(old.length, this.runs.length) - head;
    while (tail < rest && isSame(old.at(-1 - tail), this.runs.at(-1 - tail))) tail += 1;

    for (const run of old.slice(head, old.length - tail)) run.dom.remove();
    const fragment = document.createDocumentFragment();
    this.runs.forEach((run, index) => {
      const oldRun = index < head ? old[index] : old[index - this.runs.length + old.length];
      if (index < head || index >= this.runs.length - tail) {
        run.dom = oldRun.dom;
        run.nodes = oldRun.nodes;
      } else {
        run.nodes = [];
        run.dom = this.#build(run, run.nodes, styleOf);
        fragment.append(run.dom);
      }
    });
    this.container.insertBefore(fragment, this.runs[this.runs.length - tail]?.dom ?? null);
    this.nodes = this.runs.flatMap((run) => run.nodes);
  }

  #build(run, nodes, styleOf) {
    if (!run.entity) {
      const node = document.createTextNode(this.offsets.slice(run.start, run.end));
      nodes.push({ node, unit: this.offsets.toUnit(run.start) });
      return node;
    }
    const element = entityElement(run, styleOf(run.entity), this.testId);
    element.append(...run.children.map((child) => this.#build(child, nodes, styleOf)));
    return element;
  }

  #keyOf(run) {
    if (!run.entity) return `${run.start}-${run.end}`;
    if (!this.ids.has(run.entity)) this.ids.set(run.entity, (this.numIds += 1));
    const children = run.children.map((child) => this.#keyOf(child)).join(" ");
    return `${this.ids.get(run.entity)}/${run.level}(${children})`;
  }
}

// The text as a tree of runs: a run of an entity holds the runs inside it, the others are plain text. Entities may nest
// and cross: of two that cross, the second is drawn in two parts.
function planRuns(numPoints, entities) {
  const top = { end: numPoints, children: [] };
  const open = [top];
  const levels = underlineLevels(entities);
  let position = 0;

  const writeUntil = (end) => {
    if (end > position) open.at(-1).children.push({ entity: null, start: position, end });
    position = Math.max(position, end);
  };
  const closeUntil = (end) => {
    while (open.length > 1 && open.at(-1).end <= end) {
      writeUntil(open.at(-1).end);
      open.pop();
    }
  };

  const parts = entities.map((entity) => ({ entity, start: entity.start, end: entity.end }));
  parts.sort(outerFirst);
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index];
    closeUntil(part.start);
    writeUntil(part.start);
    const limit = open.at(-1).end;
    if (part.end > limit) {
      const rest = { entity: part.entity, start: limit, end: part.end };
      const place = parts.findIndex((other, later) => later > index && outerFirst(rest, other) < 0);
      parts.splice(place < 0 ? parts.length : place, 0, rest);
      part.end = limit;
    }
    const run = { ...part, level: levels.get(part.entity) ?? 0, children: [] };
    open.at(-1).children.push(run);
    open.push(run);
  }
  closeUntil(numPoints);
  writeUntil(numPoints);
  return top.children;
}

function outerFirst(first, second) {
  return first.start - second.start || second.end - first.end;
}

// The first part of an entity carries the attributes that pages and tests rely on, the last one its tag.
function entityElement(run, style, testId) {
  const { entity } = run;
  const element = document.createElement("span");
  element.className = `ed-entity ed-${entity.source}`;
  element.style.setProperty("--color", style.color);
  if (run.level) element.style.setProperty("--level", run.level);
  element.entity = entity;
  if (run.start === entity.start) {
    element.dataset.testid = testId;
    element.dataset.start = entity.start;
    element.dataset.end = entity.end;
    element.dataset.label = entity.label;
    element.dataset.source = entity.source;
    if (entity.score != null) element.dataset.score = entity.score;
  }
  if (run.end === entity.end) {
    const score = percentOf(entity);
    element.dataset.tag = `${WORD_JOINER}${style.name}${score && `\u00a0${score}`}`;
  }
  return element;
}

// Entities that share a character get underlines at different depths; the shorter one is nearer to the text.
function underlineLevels(entities) {
  const levels = new Map();
  let furthestEnd = 0;
  const mayOverlap = entities.some((entity) => {
    const isInside = entity.start < furthestEnd;
    furthestEnd = Math.max(furthestEnd, entity.end);
    return isInside;
  });
  if (!mayOverlap) return levels;
  const shortestFirst = [...entities].sort((first, second) => first.end - first.start - (second.end - second.start));
  for (const entity of shortestFirst) {
    const taken = new Set();
    for (const [other, level] of levels) if (overlaps(other, entity)) taken.add(level);
    let level = 0;
    while (taken.has(level)) level += 1;
    levels.set(entity, level);
  }
  return levels;
}
