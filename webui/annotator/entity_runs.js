// How a block of the text is made up: a tree of runs. A run of an entity holds the runs inside it, the others are plain
// text. Entities may nest and cross: of two that cross, the second is drawn in two parts; so is one that goes on in the
// next block.

// For each block its parts {entity, start, end, level} of the entities, which are in the order of their starts. The level
// is the depth of an entity's underline.
function partsOfBlocks(blocks, entities) {
  const levels = underlineLevels(entities);
  const partsOf = blocks.map(() => []);
  let first = 0;
  for (const entity of entities) {
    while (blocks[first].end <= entity.start) first += 1;
    for (let index = first; index < blocks.length && blocks[index].start < entity.end; index += 1) {
      const start = Math.max(entity.start, blocks[index].start);
      const end = Math.min(entity.end, blocks[index].end);
      partsOf[index].push({ entity, start, end, level: levels.get(entity) ?? 0 });
    }
  }
  return partsOf;
}

// Runs {entity or null, start, end, level, children} of a block with these parts.
function planRuns(block, parts) {
  const top = { end: block.end, children: [] };
  const open = [top];
  let position = block.start;

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

  const waiting = [...parts].sort(outerFirst);
  for (let index = 0; index < waiting.length; index += 1) {
    const part = waiting[index];
    closeUntil(part.start);
    writeUntil(part.start);
    const limit = open.at(-1).end;
    if (part.end > limit) {
      const rest = { ...part, start: limit };
      const place = waiting.findIndex((other, later) => later > index && outerFirst(rest, other) < 0);
      waiting.splice(place < 0 ? waiting.length : place, 0, rest);
    }
    const run = { ...part, end: Math.min(part.end, limit), children: [] };
    open.at(-1).children.push(run);
    open.push(run);
  }
  closeUntil(block.end);
  writeUntil(block.end);
  return top.children;
}

function outerFirst(first, second) {
  return first.start - second.start || second.end - first.end;
}

function overlaps(first, second) {
  return first.start < second.end && second.start < first.end;
}

// Entities that share a character get underlines at different depths; the shorter one is nearer to the text. Those that
// share none with any other are left out.
function underlineLevels(entities) {
  const levels = new Map();
  let group = [];
  let furthestEnd = 0;
  for (const entity of entities) {
    if (entity.start >= furthestEnd) {
      levelGroup(group, levels);
      group = [];
    }
    group.push(entity);
    furthestEnd = Math.max(furthestEnd, entity.end);
  }
  levelGroup(group, levels);
  return levels;
}

function levelGroup(group, levels) {
  if (group.length < 2) return;
  const shortestFirst = [...group].sort((first, second) => first.end - first.start - (second.end - second.start));
  shortestFirst.forEach((entity, index) => {
    const shorter = shortestFirst.slice(0, index).filter((other) => overlaps(other, entity));
    const taken = new Set(shorter.map((other) => levels.get(other)));
    let level = 0;
    while (taken.has(level)) level += 1;
    levels.set(entity, level);
  });
}
