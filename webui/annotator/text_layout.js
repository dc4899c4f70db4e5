// Where the characters of a drawn text are on the screen, and which character is under a place on the screen.
//
// Positions are code points; rectangles are in pixels of the window, as the browser gives them.

class TextLayout {
  // `tagged` has drawn the text (see `TaggedText`), `container` is the element it is in.
  constructor(container, tagged) {
    this.container = container;
    this.tagged = tagged;
    // The one range that everything is measured with: until one is collected as garbage, the browser corrects it for
    // each node that is added or removed.
    this.range = document.createRange();
  }

  get offsets() {
    return this.tagged.offsets;
  }

  // The left edge of the character at a position; at the end of a line, the right edge of the one before.
  rectAt(point) {
    const { offsets } = this;
    const isLineEnd = point >= offsets.numPoints || /^[\r\n]/.test(offsets.slice(point, point + 1));
    const isLineStart = point === 0 || offsets.slice(point - 1, point) === "\n";
    if (!isLineEnd) return this.#edgeOf(point, offsets.nextGrapheme(point), "left");
    if (!isLineStart) return this.rectBehind(point);
    const { node, offset } = this.#domPosition(point);
    const { range } = this;
    range.setStart(node, offset);
    range.collapse(true);
    // An empty line has no character; a collapsed range behind the last line break has no rectangle either.
    const rect = [...range.getClientRects()].at(-1);
    if (rect) return { left: rect.left, top: rect.top, bottom: rect.bottom, height: rect.height };
    const box = this.container.getBoundingClientRect();
    const height = parseFloat(getComputedStyle(this.container).fontSize) * 1.3;
    const top = point === 0 ? box.top : box.bottom - height;
    return { left: box.left, top, bottom: top + height, height };
  }

  // The right edge of the character that ends at a position: where an entity's end is, on its own line.
  rectBehind(point) {
    return this.#edgeOf(this.offsets.previousGrapheme(point), point, "right");
  }

  // One rectangle for each line and piece of text between two positions, the touching ones joined.
  lineRects(start, end) {
    const joined = [];
    for (const range of this.#textRanges(start, end)) {
      for (const rect of range.getClientRects()) {
        const last = joined.at(-1);
        if (last && last.top === rect.top && Math.abs(last.left + last.width - rect.left) < 1) {
          last.width = rect.right - last.left;
        } else if (rect.width > 0) {
          joined.push({ left: rect.left, top: rect.top, width: rect.width, height: rect.height });
        }
      }
    }
    return joined;
  }

  // Where the caret lands one visual line up (-1) or down (+1) of a position, as near as can be to the column `goalX`.
  pointOnLine(from, direction, goalX) {
    const fromRect = this.rectAt(from);
    const halfLine = fromRect.height / 2;
    let best = null;
    let lineTop = null;
    for (let point = from; ; ) {
      const next = this.#step(point, direction);
      if (next === point) break;
      point = next;
      const rect = this.rectAt(point);
      if (Math.abs(rect.top - fromRect.top) < halfLine) continue;
      lineTop ??= rect.top;
      if (Math.abs(rect.top - lineTop) >= halfLine) break;
      const distance = Math.abs(rect.left - goalX);
      if (!best || distance < best.distance) best = { point, distance };
    }
    return best ? best.point : direction < 0 ? 0 : this.offsets.numPoints;
  }

  // First (-1) or last (+1) position on a position's visual line.
  lineEdge(from, direction) {
    const fromRect = this.rectAt(from);
    let edge = from;
    for (;;) {
      const next = this.#step(edge, direction);
      if (next === edge || Math.abs(this.rectAt(next).top - fromRect.top) >= fromRect.height / 2) return edge;
      edge = next;
    }
  }

  // The border between two characters that is nearest to a place in the window, or null when that is not in the text.
  pointAt(x, y) {
    const { node, offset } = caretAt(x, y);
    return node && this.container.contains(node) ? this.pointOfNode(node, offset) : null;
  }

  // The character under a place in the window, as {start, end}, or null.
  characterAt(x, y) {
    const point = this.pointAt(x, y);
    if (point === null) return null;
    const { offsets } = this;
    const candidates = [
      [offsets.previousGrapheme(point), point],
      [point, offsets.nextGrapheme(point)],
    ];
    for (const [start, end] of candidates) {
      const isUnder = (rect) => x >= rect.left && x <= rect.left + rect.width;
      if (start < end && this.lineRects(start, end).some(isUnder)) return { start, end };
    }
    return null;
  }

  // Position of a place in the document tree that lies in the text.
  pointOfNode(node, offset) {
    const { offsets } = this;
    if (node === this.container) return this.tagged.blocks[offset]?.start ?? offsets.numPoints;
    const { block } = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest(".ed-block");
    const { range } = this;
    range.setStart(block.element, 0);
    range.setEnd(node, offset);
    return offsets.toPoint(offsets.toUnit(block.start) + range.toString().length);
  }

  // The part of the text {start, end} that a box in the window shows, and a little more.
  partIn({ top, bottom }) {
    const isIn = ({ element }) => {
      const rect = element.getBoundingClientRect();
      return rect.bottom > top && rect.top < bottom;
    };
    const blocks = this.tagged.blocks.filter(isIn);
    return { start: blocks.at(0)?.start ?? 0, end: blocks.at(-1)?.end ?? 0 };
  }

  // A range that costs nothing while the text changes under it, unlike the browser's live ones.
  staticRange(start, end) {
    const from = this.#domPosition(start);
    const to = this.#domPosition(end);
    return new StaticRange({
      startContainer: from.node,
      startOffset: from.offset,
      endContainer: to.node,
      endOffset: to.offset,
    });
  }

  // Makes the browser's own selection that of the two positions.
  selectInBrowser(anchor, focus) {
    const from = this.#domPosition(anchor);
    const to = this.#domPosition(focus);
    getSelection().setBaseAndExtent(from.node, from.offset, to.node, to.offset);
  }

  #step(point, direction) {
    return direction < 0 ? this.offsets.previousGrapheme(point) : this.offsets.nextGrapheme(point);
  }

  #domPosition(point) {
    const block = this.tagged.blockAt(point);
    if (!block) return { node: this.container, offset: 0 };
    const { nodes } = block;
    const unit = this.offsets.toUnit(point);
    let low = 0;
    let high = nodes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (nodes[middle].unit <= unit) low = middle;
      else high = middle - 1;
    }
    return { node: nodes[low].node, offset: unit - nodes[low].unit };
  }

  #edgeOf(start, end, side) {
    const { range } = this;
    const from = this.#domPosition(start);
    const to = this.#domPosition(end);
    range.setStart(from.node, from.offset);
    range.setEnd(to.node, to.offset);
    const rects = [...range.getClientRects()].filter((rect) => rect.width > 0);
    const rect = rects[0] ?? range.getBoundingClientRect();
    return { left: rect[side], top: rect.top, bottom: rect.bottom, height: rect.height };
  }

  // The range of each text node, to be used before the next one is asked for: a range over all would also give the boxes of
  // whole entities, tags included.
  *#textRanges(start, end) {
    const { range } = this;
    const [first, last] = [this.offsets.toUnit(start), this.offsets.toUnit(end)];
    const nodes = this.tagged.blocksBetween(start, end).flatMap((block) => block.nodes);
    for (const { node, unit } of nodes) {
      if (unit + node.length <= first || unit >= last) continue;
      range.setStart(node, Math.max(first - unit, 0));
      range.setEnd(node, Math.min(last - unit, node.length));
      yield range;
    }
  }
}

// Safari 18 has only the older of the two functions.
function caretAt(x, y) {
  const position = document.caretPositionFromPoint?.(x, y);
  if (position) return { node: position.offsetNode, offset: position.offset };
  const range = document.caretRangeFromPoint?.(x, y);
  return { node: range?.startContainer ?? null, offset: range?.startOffset ?? 0 };
}
