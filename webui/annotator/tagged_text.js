// Draws a text with its entities. Everything goes in through text nodes and attributes: a text is never markup.
//
// In the editor, only the blocks in sight of a long text are drawn at once, the others when the browser has time or somebody
// asks for them: one key may change hundreds of entities.

// Of a block that was never in sight: tags make a line hold fewer characters.
const WIDTH_WITH_TAGS = 1.3;
const NUM_FIRST_IN_SIGHT = 4; // until the browser says which blocks are
const MAX_CATCHING_UP_MS = 5; // a key may come at any time
// A block this near is drawn at once too: by a scroll of two lines it is there.
const NEARLY_IN_SIGHT = "100px";

class TaggedText {
  // `isSightFirst` cuts the text into blocks, which are in sight when they are in what scrolls the container: its parent. A
  // text that nobody edits stays in one piece: it is drawn once, and copied from as it is.
  constructor(container, testId, { isSightFirst = false } = {}) {
    this.container = container;
    this.testId = testId;
    this.isSightFirst = isSightFirst;
    this.offsets = new TextOffsets("");
    this.blocks = [];
    this.isCatchingUp = false;
    if (!isSightFirst) return;
    // `content-visibility: auto` also tells, but counts what is a window and a half away as in sight.
    this.sight = new IntersectionObserver((entries) => entries.forEach(takeSight), {
      root: container.parentElement,
      rootMargin: NEARLY_IN_SIGHT,
    });
  }

  // `entities` are in the order of their starts.
  draw(offsets, entities, styleOf) {
    if (offsets !== this.offsets) this.#takeText(offsets);
    const partsOf = partsOfBlocks(this.blocks, entities);
    this.blocks.forEach((block, index) => block.draw(partsOf[index], styleOf));
    if (this.blocks.some((block) => block.waiting)) this.#catchUpSoon();
  }

  // Draws all anew the next time: colours or names of labels are others now.
  forget() {
    this.offsets = new TextOffsets("");
  }

  // The block with the character at a position, drawn; at the end of the text, the last one. An empty text has none.
  blockAt(point) {
    const { blocks } = this;
    let low = 0;
    let high = blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (blocks[middle].start <= point) low = middle;
      else high = middle - 1;
    }
    blocks[low]?.catchUp();
    return blocks[low];
  }

  // The blocks with characters between two positions, drawn.
  blocksBetween(start, end) {
    const blocks = this.blocks.filter((block) => block.start < end && block.end > start);
    for (const block of blocks) block.catchUp();
    return blocks;
  }

  // The elements that an entity is drawn with: several where it crosses another one or goes on in the next block.
  elementsOf(entity) {
    const blocks = this.blocksBetween(entity.start, entity.end);
    const elements = blocks.flatMap((block) => [...block.element.querySelectorAll(".ed-entity")]);
    return elements.filter((element) => element.entity === entity);
  }

  #takeText(offsets) {
    this.offsets = offsets;
    const whole = { start: 0, end: offsets.numPoints, isContinuation: false };
    const cut = this.isSightFirst ? cutIntoBlocks(offsets) : [whole];
    this.blocks = cut.map((block) => new DrawnBlock(block, offsets, this.testId));
    if (this.isSightFirst) for (const block of this.blocks.slice(NUM_FIRST_IN_SIGHT)) block.isInSight = false;
    if (this.blocks.length > 1) this.#estimateHeights();
    this.container.replaceChildren(...this.blocks.map((block) => block.element));
    this.sight?.disconnect();
    // A single block is always drawn at once.
    if (this.blocks.length > 1) for (const { element } of this.blocks) this.sight?.observe(element);
  }

  #catchUpSoon() {
    if (this.isCatchingUp) return;
    this.isCatchingUp = true;
    whenIdle(() => {
      this.isCatchingUp = false;
      const until = performance.now() + MAX_CATCHING_UP_MS;
      for (const block of this.blocks) {
        if (performance.now() > until) {
          this.#catchUpSoon();
          return;
        }
        block.catchUp();
      }
    });
  }

  // For the scroll bar, until a block has been in sight.
  #estimateHeights() {
    const { fontSize, lineHeight } = getComputedStyle(this.container);
    const perLine = Math.max(1, this.container.clientWidth / (parseFloat(fontSize) * WIDTH_WITH_TAGS));
    for (const { start, end, element } of this.blocks) {
      const lines = this.offsets.slice(start, end).replace(/\n$/, "").split("\n");
      const numLines = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / perLine)), 0);
      element.style.containIntrinsicBlockSize = `auto ${Math.round(numLines * parseFloat(lineHeight))}px`;
    }
  }
}

function takeSight({ target: { block }, isIntersecting }) {
  block.isInSight = isIntersecting;
  if (isIntersecting) block.catchUp();
}

// Safari 18 has no idle callbacks.
function whenIdle(act) {
  if (globalThis.requestIdleCallback) requestIdleCallback(act);
  else setTimeout(act, 50);
}
