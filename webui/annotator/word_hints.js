// A letter over each word in sight: the way to any word without the mouse. One letter selects its word, a second one
// selects from there to another word.

const HINT_LETTERS = "fjdkslaghrueiwoqptyvncmxbz"; // where the fingers rest comes first
const NO_HINT = /^[\s，。、；：？！…,;:?!“”‘’"']+$/; // a title begins with its 《

class WordHints {
  // `frame` is the scrolled element around the text, `layer` the element to draw in; `view` is the `TextView`.
  constructor({ frame, hints: layer }, view) {
    this.frame = frame;
    this.layer = layer;
    this.view = view;
    this.words = new Map();
    this.typed = "";
    this.first = null;
  }

  get isOpen() {
    return !this.layer.hidden;
  }

  open() {
    const words = this.#wordsInSight();
    const codes = hintCodes(words.length);
    const { origin } = this.view;
    this.words = new Map(codes.map((code, index) => [code, words[index]]));
    this.typed = "";
    this.first = null;
    this.layer.hidden = !words.length;
    // Each is in its place before it is on the page: to ask for the frame's place in between would have all of them laid
    // out twice.
    this.layer.replaceChildren(
      ...Array.from(this.words, ([code, { start, end, rect }]) => {
        const hint = createElement("kbd", "", { textContent: code.toUpperCase() });
        Object.assign(hint.dataset, { code, start, end });
        putHint(hint, rect, origin);
        return hint;
      }),
    );
  }

  // To be called when the text has been laid out anew: blocks above it may have got their height.
  relayout() {
    if (!this.isOpen) return;
    const rects = Array.from(this.words.values(), ({ start }) => this.view.layout.rectAt(start));
    const { origin } = this.view;
    rects.forEach((rect, index) => putHint(this.layer.children[index], rect, origin));
  }

  close() {
    this.layer.hidden = true;
    this.layer.replaceChildren();
  }

  // One letter more. Returns the range {start, end} to select once a word is told, else null; closes itself when there
  // is nothing more to choose or no word has such letters.
  type(letter) {
    this.typed += letter;
    const word = this.words.get(this.typed);
    const mayFollow = [...this.words.keys()].some((code) => code.startsWith(this.typed));
    if (!word) {
      if (mayFollow) this.#dim();
      else this.close();
      return null;
    }
    this.typed = "";
    if (this.first === null) {
      this.first = word;
      this.#dim();
      return { start: word.start, end: word.end };
    }
    this.close();
    return {
      start: Math.min(this.first.start, word.start),
      end: Math.max(this.first.end, word.end),
    };
  }

  // Only what the letters so far can become stays bright.
  #dim() {
    for (const hint of this.layer.children) {
      hint.classList.toggle("ed-dim", !hint.dataset.code.startsWith(this.typed));
    }
  }

  #wordsInSight() {
    const { offsets, layout, partInSight } = this.view;
    const frame = this.frame.getBoundingClientRect();
    const words = [];
    for (let start = partInSight.start, end; start < partInSight.end; start = end) {
      end = offsets.nextWord(start);
      if (NO_HINT.test(offsets.slice(start, end))) continue;
      const rect = layout.rectAt(start);
      if (rect.bottom < frame.top) continue;
      if (rect.top > frame.bottom) break;
      words.push({ start, end, rect });
    }
    return words;
  }
}

// Puts a letter over a rectangle of the window.
function putHint({ style }, rect, origin) {
  style.left = `${rect.left - origin.left}px`;
  style.top = `${rect.top - origin.top}px`;
}

// As many codes as asked for (676 at most), none of which begins another: single letters as far as they go, then pairs.
function hintCodes(numCodes) {
  const letters = Array.from(HINT_LETTERS);
  const numMissing = Math.max(0, numCodes - letters.length);
  const numPrefixes = Math.min(letters.length, Math.ceil(numMissing / (letters.length - 1)));
  const prefixes = letters.slice(letters.length - numPrefixes);
  const singles = letters.slice(0, letters.length - numPrefixes);
  const pairs = prefixes.flatMap((prefix) => letters.map((letter) => prefix + letter));
  return [...singles, ...pairs].slice(0, numCodes);
}
