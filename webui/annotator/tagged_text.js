// Draws a text with its entities. Everything goes in through text nodes and attributes: a text is never markup.

// Joins a tag to the last character of its entity, so that no line break can come between.
const WORD_JOINER = "\u2060";

// Returns the text nodes in order, each with the UTF-16 unit it begins at. Entities may nest and cross: of two that
// cross, the second is drawn in two parts, and the first part carries the attributes that pages and tests rely on.
function drawTaggedText(container, offsets, entities, styleOf, testId) {
  const fragment = document.createDocumentFragment();
  const nodes = [];
  const levels = underlineLevels(entities);
  const open = [];
  let position = 0;

  const writeUntil = (end) => {
    if (end <= position) return;
    const node = document.createTextNode(offsets.slice(position, end));
    (open.at(-1)?.element ?? fragment).append(node);
    nodes.push({ node, unit: offsets.toUnit(position) });
    position = end;
  };
  const closeUntil = (end) => {
    while (open.length && open.at(-1).end <= end) {
      writeUntil(open.at(-1).end);
      open.pop();
    }
  };

  const parts = entities.map((entity) => ({ entity, start: entity.start, end: entity.end }));
  parts.sort(outerFirst);
  while (parts.length) {
    const part = parts.shift();
    closeUntil(part.start);
    writeUntil(part.start);
    const limit = open.at(-1)?.end ?? offsets.numPoints;
    if (part.end > limit) {
      const rest = { entity: part.entity, start: limit, end: part.end };
      const index = parts.findIndex((other) => outerFirst(rest, other) < 0);
      parts.splice(index < 0 ? parts.length : index, 0, rest);
      part.end = limit;
    }
    const element = entityElement(part, styleOf(part.entity), levels.get(part.entity) ?? 0, testId);
    (open.at(-1)?.element ?? fragment).append(element);
    open.push({ element, end: part.end });
  }
  closeUntil(offsets.numPoints);
  writeUntil(offsets.numPoints);
  container.replaceChildren(fragment);
  return nodes;
}

function outerFirst(first, second) {
  return first.start - second.start || second.end - first.end;
}

function entityElement(part, style, level, testId) {
  const { entity } = part;
  const element = document.createElement("span");
  element.className = `ed-entity ed-${entity.source}`;
  element.style.setProperty("--color", style.color);
  if (level) element.style.setProperty("--level", level);
  element.entity = entity;
  if (part.start === entity.start) {
    element.dataset.testid = testId;
    element.dataset.start = entity.start;
    element.dataset.end = entity.end;
    element.dataset.label = entity.label;
    element.dataset.source = entity.source;
    if (entity.score != null) element.dataset.score = entity.score;
  }
  if (part.end === entity.end) {
    const score = percentOf(entity);
    element.dataset.tag = `${WORD_JOINER}${style.name}${score && `\u00a0${score}`}`;
  }
  return element;
}

function percentOf(entity) {
  return entity.score == null ? "" : `${Math.round(entity.score * 100)}%`;
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
