// The text on the page: its entities, the selection and a caret that the keyboard moves.
//
// The selection is the browser's own, so that it is read aloud and copied as everywhere else. Its marks and the caret are
// elements of this page: a browser would mark the full height of the wide lines, and shows no caret where nothing can
// be typed. Positions are code points.

class TextView {
  constructor({ frame, text, selection, caret }) {
    this.frame = frame;
    this.text = text;
    this.marks = selection;
    this.caret = caret;
    this.offsets = new TextOffsets("");
    this.tagged = new TaggedText(text, "entity");
    this.anchor = 0;
    this.focus = 0;
    this.goalX = null;
    const reduceMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.blink = reduceMotion
      ? null
      : caret.animate([{ opacity: 1 }, { opacity: 1, offset: 0.5 }, { opacity: 0, offset: 0.55 }, { opacity: 0 }], {
          duration: 1100,
          iterations: Infinity,
        });
  }

  get start() {
    return Math.min(this.anchor, this.focus);
  }

  get end() {
    return Math.max(this.anchor, this.focus);
  }

  get hasSelection() {
    return this.anchor !== this.focus;
  }

  draw(offsets, entities, active, styleOf) {
    const isNewText = offsets !== this.offsets;
    this.offsets = offsets;
    this.tagged.draw(offsets, entities, styleOf);
    if (isNewText) {
      this.frame.scrollTop = 0;
      this.anchor = 0;
      this.focus = 0;
    }
    this.markActive(active);
    this.#showSelection();
  }

  markActive(active) {
    for (const element of this.text.querySelectorAll(".ed-active")) element.classList.remove("ed-active");
    if (!active) return;
    for (const element of this.text.querySelectorAll(".ed-entity")) {
      element.classList.toggle("ed-active", element.entity === active);
    }
  }

  // Anchor and focus may be equal: then there is only a caret.
  select(anchor, focus, { keepGoal = false } = {}) {
    this.anchor = anchor;
    this.focus = focus;
    if (!keepGoal) this.goalX = null;
    this.#showSelection();
    this.#scrollToCaret();
  }

  // Takes over what the mouse (or a finger, or a screen reader) selected. Returns whether it lies in this text.
  readSelection() {
    const selection = getSelection();
    if (!selection.rangeCount) return false;
    const range = selection.getRangeAt(0);
    const isInText = (node) => this.text.contains(node);
    const startsInText = isInText(range.startContainer);
    const endsInText = isInText(range.endContainer);
    if (!startsInText && !endsInText) return false;
    // A triple click may end in the element behind the text: such an end is the end of the text.
    const start = startsInText ? this.#pointAt(range.startContainer, range.startOffset) : 0;
    const end = endsInText ? this.#pointAt(range.endContainer, range.endOffset) : this.offsets.numPoints;
    if (start === this.start && end === this.end) return true;
    const isBackward =
      selection.focusNode === range.startContainer && selection.focusOffset === range.startOffset;
    this.anchor = isBackward ? end : start;
    this.focus = isBackward ? start : end;
    this.goalX = null;
    this.drawSelection();
    return true;
  }

  // Where the caret lands one visual line up (-1) or down (+1), as near as can be to the column it started from.
  pointOnLine(direction) {
    const from = this.#rectAt(this.focus);
    this.goalX ??= from.left;
    const { numPoints } = this.offsets;
    const halfLine = from.height / 2;
    let best = null;
    let lineTop = null;
    for (let point = this.focus; ; ) {
      const next = direction < 0 ? this.offsets.previousGrapheme(point) : this.offsets.nextGrapheme(point);
      if (next === point) break;
      point = next;
      const rect = this.#rectAt(point);
      if (Math.abs(rect.top - from.top) < halfLine) continue;
      lineTop ??= rect.top;
      if (Math.abs(rect.top - lineTop) >= halfLine) break;
      const distance = Math.abs(rect.left - this.goalX);
      if (!best || distance < best.distance) best = { point, distance };
    }
    return best ? best.point : direction < 0 ? 0 : numPoints;
  }

  // First (-1) or last (+1) position on the caret's visual line.
  lineEdge(direction) {
    const from = this.#rectAt(this.focus);
    let edge = this.focus;
    for (;;) {
      const next = direction < 0 ? this.offsets.previousGrapheme(edge) : this.offsets.nextGrapheme(edge);
      if (next === edge || Math.abs(this.#rectAt(next).top - from.top) >= from.height / 2) return edge;
      edge = next;
    }
  }

  #showSelection() {
    const selection = getSelection();
    if (this.hasSelection || this.text.contains(selection.anchorNode)) {
      const anchor = this.#domPosition(this.anchor);
      const focus = this.#domPosition(this.focus);
      selection.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset);
    }
    this.drawSelection();
  }

  drawSelection() {
    const frame = this.frame.getBoundingClientRect();
    const originLeft = frame.left + this.frame.clientLeft - this.frame.scrollLeft;
    const originTop = frame.top + this.frame.clientTop - this.frame.scrollTop;
    const place = (element, rect) => {
      element.style.transform = `translate(${rect.left - originLeft}px, ${rect.top - originTop}px)`;
      element.style.height = `${rect.height}px`;
    };
    const marks = this.hasSelection ? this.#lineRects(this.start, this.end) : [];
    const caret = this.#rectAt(this.focus);
    this.marks.replaceChildren(
      ...marks.map((rect) => {
        const mark = document.createElement("div");
        place(mark, rect);
        mark.style.width = `${rect.width}px`;
        return mark;
      }),
    );
    place(this.caret, caret);
    // A caret that has just moved is shown at once, not in the dark half of its blinking.
    if (this.blink) this.blink.currentTime = 0;
  }

  #scrollToCaret() {
    const rect = this.#rectAt(this.focus);
    const frame = this.frame.getBoundingClientRect();
    const margin = rect.height;
    if (rect.top < frame.top + margin) this.frame.scrollTop -= frame.top + margin - rect.top;
    if (rect.bottom > frame.bottom - margin) this.frame.scrollTop += rect.bottom - frame.bottom + margin;
  }

  #pointAt(node, offset) {
    const range = document.createRange();
    range.setStart(this.text, 0);
    range.setEnd(node, offset);
    return this.offsets.toPoint(range.toString().length);
  }

  #domPosition(point) {
    const { nodes } = this.tagged;
    if (!nodes.length) return { node: this.text, offset: 0 };
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

  // The left edge of the character at a position; at the end of a line, the right edge of the one before.
  #rectAt(point) {
    const { offsets } = this;
    const isLineEnd = point >= offsets.numPoints || /^[\r\n]/.test(offsets.slice(point, point + 1));
    const isLineStart = point === 0 || offsets.slice(point - 1, point) === "\n";
    if (!isLineEnd) return this.#edgeOf(point, offsets.nextGrapheme(point), "left");
    if (!isLineStart) return this.#edgeOf(offsets.previousGrapheme(point), point, "right");
    const { node, offset } = this.#domPosition(point);
    const range = document.createRange();
    range.setStart(node, offset);
    // An empty line has no character; a collapsed range behind the last line break has no rectangle either.
    const rect = [...range.getClientRects()].at(-1);
    if (rect) return { left: rect.left, top: rect.top, bottom: rect.bottom, height: rect.height };
    const box = this.text.getBoundingClientRect();
    const height = parseFloat(getComputedStyle(this.text).fontSize) * 1.3;
    const top = point === 0 ? box.top : box.bottom - height;
    return { left: box.left, top, bottom: top + height, height };
  }

  #edgeOf(start, end, side) {
    const range = this.#rangeOf(start, end);
    const rects = [...range.getClientRects()].filter((rect) => rect.width > 0);
    const rect = rects[0] ?? range.getBoundingClientRect();
    return { left: rect[side], top: rect.top, bottom: rect.bottom, height: rect.height };
  }

  // One rectangle for each line and piece of text, the touching ones joined.
  #lineRects(start, end) {
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

  // A range for each text node: one range over all would also give the boxes of whole entities, tags included.
  #textRanges(start, end) {
    const ranges = [];
    const [first, last] = [this.offsets.toUnit(start), this.offsets.toUnit(end)];
    for (const { node, unit } of this.tagged.nodes) {
      if (unit + node.length <= first || unit >= last) continue;
      const range = document.createRange();
      range.setStart(node, Math.max(first - unit, 0));
      range.setEnd(node, Math.min(last - unit, node.length));
      ranges.push(range);
    }
    return ranges;
  }

  #rangeOf(start, end) {
    const range = document.createRange();
    const from = this.#domPosition(start);
    const to = this.#domPosition(end);
    range.setStart(from.node, from.offset);
    range.setEnd(to.node, to.offset);
    return range;
  }
}
