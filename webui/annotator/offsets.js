// Positions in one text. The wire, the database and `data-start` count code points; the DOM counts UTF-16 units.

class TextOffsets {
  constructor(text) {
    this.text = text;
    const units = [];
    let unit = 0;
    for (const character of text) {
      units.push(unit);
      unit += character.length;
    }
    units.push(unit);
    this.numPoints = units.length - 1;
    this.unitOfPoint = Uint32Array.from(units);
    // The second unit of a pair counts to the character it belongs to.
    this.pointOfUnit = new Uint32Array(unit + 1);
    for (let point = 0; point < this.numPoints; point += 1) {
      this.pointOfUnit.fill(point, units[point], units[point + 1]);
    }
    this.pointOfUnit[unit] = this.numPoints;
    this.graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text);
    this.words = new Intl.Segmenter("zh", { granularity: "word" }).segment(text);
  }

  toUnit(point) {
    return this.unitOfPoint[point];
  }

  toPoint(unit) {
    return this.pointOfUnit[unit];
  }

  slice(start, end) {
    return this.text.slice(this.toUnit(start), this.toUnit(end));
  }

  // The caret steps over what a reader sees as one character (an emoji family, a letter with its accents), so that it
  // never stops where nothing is drawn. Only the keys that move an entity's border go by code points.
  nextGrapheme(point) {
    return this.#segmentEnd(this.graphemes, point);
  }

  previousGrapheme(point) {
    return this.#segmentStart(this.graphemes, point);
  }

  nextWord(point) {
    return this.#segmentEnd(this.words, point);
  }

  previousWord(point) {
    return this.#segmentStart(this.words, point);
  }

  // Starts of every place where the mention stands, in code points; places may overlap each other.
  findAll(mention) {
    const starts = [];
    for (let unit = this.text.indexOf(mention); unit >= 0; unit = this.text.indexOf(mention, unit + 1)) {
      starts.push(this.toPoint(unit));
    }
    return starts;
  }

  #segmentEnd(segments, point) {
    if (point >= this.numPoints) return this.numPoints;
    const segment = segments.containing(this.toUnit(point));
    return this.toPoint(segment.index + segment.segment.length);
  }

  #segmentStart(segments, point) {
    if (point <= 0) return 0;
    return this.toPoint(segments.containing(this.toUnit(point) - 1).index);
  }
}
