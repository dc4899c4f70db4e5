// The text on the page: its entities, the selection, a caret that the keyboard moves, and grips at the active entity.
//
// The selection is the browser's own, so that it is read aloud and copied as everywhere else. Its marks, the caret and
// the grips are elements of this page: a browser would mark the full height of the wide lines. Positions are code points.

// Places that "label all" would add are marked by the browser (CSS Custom Highlight API): no element for each.
const PLACES_HIGHLIGHT = "annotator-places";

class TextView {
  constructor({ frame, text, selection, caret, "start-grip": startGrip, "end-grip": endGrip }) {
    this.frame = frame;
    this.text = text;
    this.marks = selection;
    this.caret = new Caret(caret);
    this.grips = { start: startGrip, end: endGrip };
    this.offsets = new TextOffsets("");
    this.tagged = new TaggedText(text, "entity", { isSightFirst: true });
    this.layout = new TextLayout(text, this.tagged);
    this.active = null;
    this.marked = new Map(); // class name -> the elements that have it
    this.places = []; // that "label all" would add, {start, end}
    this.followsCaret = false; // until somebody scrolls
    this.anchor = 0;
    this.focus = 0;
    this.goalX = null;
    text.addEventListener("copy", (event) => this.#copy(event));
    for (const type of ["wheel", "pointerdown", "touchmove"]) {
      frame.addEventListener(type, () => (this.followsCaret = false), { passive: true });
    }
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

  // Where the frame's content begins, in pixels of the window.
  get origin() {
    const frame = this.frame.getBoundingClientRect();
    return {
      left: frame.left + this.frame.clientLeft - this.frame.scrollLeft,
      top: frame.top + this.frame.clientTop - this.frame.scrollTop,
    };
  }

  get partInSight() {
    return this.layout.partIn(this.frame.getBoundingClientRect());
  }

  // Changes what the text is made up of; `showMarks` then puts everything else in its place.
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
  }

  // Draws all anew the next time: colours or names of labels are others now.
  forget() {
    this.tagged.forget();
  }

  // Marks an entity as the active one; `showMarks` then brings the grips to it.
  markActive(active) {
    this.active = active;
    this.#mark("ed-active", active);
  }

  // Marks the suggestion that is decided on next while none is active.
  markTarget(target) {
    this.#mark("ed-target", target);
  }

  markHovered(entity) {
    this.#mark("ed-hover", entity);
  }

  // Puts everything that lies over the text where the text now is. All questions to the layout are asked here, when all
  // elements are what they will be: each change between two questions would have the text laid out once more.
  showMarks() {
    this.#selectInBrowser();
    this.drawSelection();
    this.showPlaces();
  }

  // Marks the places that "label all" would add, and only those in sight: 400 marks cost as much as all the rest.
  showPlaces() {
    if (!globalThis.Highlight) return; // before Firefox 140 and Safari 17.2: the number on the button has to do
    if (!CSS.highlights.delete(PLACES_HIGHLIGHT) && !this.places.length) return;
    const { partInSight } = this;
    const inSight = this.places.filter((place) => overlaps(place, partInSight));
    const ranges = inSight.map(({ start, end }) => this.layout.staticRange(start, end));
    CSS.highlights.set(PLACES_HIGHLIGHT, new Highlight(...ranges));
  }

  // Anchor and focus may be equal: then there is only a caret.
  select(anchor, focus, { keepGoal = false } = {}) {
    this.anchor = anchor;
    this.focus = focus;
    if (!keepGoal) this.goalX = null;
    this.followsCaret = true;
    this.#selectInBrowser();
    this.drawSelection();
    this.#scrollToCaret();
  }

  // To be called when the text's height has changed: of a long text, blocks get theirs when they come into sight.
  relayout() {
    this.drawSelection();
    if (this.followsCaret) this.#scrollToCaret();
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
    const { layout, offsets } = this;
    const start = startsInText ? layout.pointOfNode(range.startContainer, range.startOffset) : 0;
    const end = endsInText ? layout.pointOfNode(range.endContainer, range.endOffset) : offsets.numPoints;
    if (start === this.start && end === this.end) return true;
    const isBackward =
      selection.focusNode === range.startContainer && selection.focusOffset === range.startOffset;
    this.anchor = isBackward ? end : start;
    this.focus = isBackward ? start : end;
    this.goalX = null;
    this.drawSelection();
    return true;
  }

  // Where the caret lands one visual line up (-1) or down (+1); it keeps to the column it started from.
  pointOnLine(direction) {
    this.goalX ??= this.layout.rectAt(this.focus).left;
    return this.layout.pointOnLine(this.focus, direction, this.goalX);
  }

  // First (-1) or last (+1) position on the caret's visual line.
  lineEdge(direction) {
    return this.layout.lineEdge(this.focus, direction);
  }

  drawSelection() {
    const { origin } = this;
    const marks = this.hasSelection ? this.layout.lineRects(this.start, this.end) : [];
    const caret = this.layout.rectAt(this.focus);
    this.marks.replaceChildren(
      ...marks.map((rect) => {
        const mark = document.createElement("div");
        place(mark, rect, origin);
        mark.style.width = `${rect.width}px`;
        return mark;
      }),
    );
    this.caret.put(caret, origin);
    this.#drawGrips(origin);
  }

  #selectInBrowser() {
    if (this.hasSelection || this.text.contains(getSelection().anchorNode)) {
      this.layout.selectInBrowser(this.anchor, this.focus);
    }
  }

  // The characters of the text: the browser would add line breaks where a block ends.
  #copy(event) {
    if (!this.readSelection() || !this.hasSelection) return;
    event.clipboardData.setData("text/plain", this.offsets.slice(this.start, this.end));
    event.preventDefault();
  }

  #drawGrips(origin) {
    const { active, grips, layout } = this;
    for (const grip of Object.values(grips)) grip.hidden = !active;
    if (!active) return;
    place(grips.start, layout.rectAt(active.start), origin);
    place(grips.end, layout.rectBehind(active.end), origin);
  }

  #mark(className, entity) {
    const old = this.marked.get(className) ?? [];
    const elements = entity ? this.tagged.elementsOf(entity) : [];
    for (const element of old) if (!elements.includes(element)) element.classList.remove(className);
    for (const element of elements) element.classList.add(className);
    this.marked.set(className, elements);
  }

  #scrollToCaret() {
    const rect = this.layout.rectAt(this.focus);
    const frame = this.frame.getBoundingClientRect();
    const margin = rect.height;
    if (rect.top < frame.top + margin) this.frame.scrollTop -= frame.top + margin - rect.top;
    if (rect.bottom > frame.bottom - margin) this.frame.scrollTop += rect.bottom - frame.bottom + margin;
  }
}

// Puts an element of the frame over a rectangle of the window.
function place(element, rect, origin) {
  element.style.transform = `translate(${rect.left - origin.left}px, ${rect.top - origin.top}px)`;
  element.style.height = `${rect.height}px`;
}
