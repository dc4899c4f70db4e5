// The list of entities beside the text. Of a long one only the rows in sight and some around them exist: hundreds of rows
// cost more than the text.

const ROW_PX = 46; // both as in side.css
const LIST_PX = 340;
const NUM_ROWS_IN_SIGHT = Math.ceil(LIST_PX / ROW_PX) + 1; // of the first and the last one, only a part
const NUM_ROWS_AROUND = 5;

class EntityList {
  constructor({ entities: list, "entities-title": title }, words) {
    this.list = list;
    this.title = title;
    this.words = words;
    this.state = null;
    this.styleOf = null;
    this.active = null;
    this.hovered = null;
    this.scrollTop = 0; // as it is or will be: to ask the list for it would have the page laid out
    this.isAboutToScroll = false;
    this.isCatchingUp = false;
    this.first = 0; // which entity the first row is of
    this.rows = new WeakMap(); // entities never change, so neither do their rows
    list.addEventListener("scroll", () => {
      // Told of a frame ago, when keys come fast: by now the list is to stand elsewhere.
      if (this.isAboutToScroll) return;
      const { scrollTop } = list;
      // Its own scroll, whose rows in sight are there: to make more of them now would take the next key's frame.
      if (Math.abs(scrollTop - this.scrollTop) < 1) return;
      this.scrollTop = scrollTop;
      this.#showRows({ isComplete: true });
    });
  }

  draw(state, styleOf) {
    const { words } = this;
    const numSuggestions = state.suggestions.length;
    const undecided = numSuggestions ? ` · ${words("annotate.undecided", { total: numSuggestions })}` : "";
    setText(this.title, words("annotate.entities", { total: state.entities.length }) + undecided);
    if (state !== this.state) this.#scrollTo(0);
    this.state = state;
    this.styleOf = styleOf;
    this.markActive(state.active);
  }

  // Makes all rows anew the next time: colours or names of labels are others now.
  forget() {
    this.rows = new WeakMap();
  }

  // Brings its row into sight.
  markActive(active) {
    this.active = active;
    const index = this.state.entities.indexOf(active);
    const lowest = (index + 1) * ROW_PX - LIST_PX;
    if (index >= 0) this.#scrollTo(Math.min(Math.max(this.scrollTop, lowest), index * ROW_PX));
    this.#showRows();
  }

  markHovered(entity) {
    this.hovered = entity;
    this.#showRows();
  }

  // Takes effect with the next frame, which is laid out anyway.
  #scrollTo(top) {
    if (top === this.scrollTop) return;
    this.scrollTop = top;
    if (this.isAboutToScroll) return;
    this.isAboutToScroll = true;
    requestAnimationFrame(() => {
      this.isAboutToScroll = false;
      this.list.scrollTop = this.scrollTop;
    });
  }

  // Rows around those in sight that do not exist yet are made when the browser has time: one key may change all of them.
  #showRows({ isComplete = false } = {}) {
    const { list, state } = this;
    if (!state) return;
    const { entities } = state;
    const firstInSight = Math.min(Math.floor(this.scrollTop / ROW_PX), entities.length - NUM_ROWS_IN_SIGHT);
    let first = Math.max(0, firstInSight);
    let last = Math.min(entities.length, first + NUM_ROWS_IN_SIGHT);
    const lowest = Math.max(0, first - NUM_ROWS_AROUND);
    const highest = Math.min(entities.length, last + NUM_ROWS_AROUND);
    while (first > lowest && (isComplete || this.rows.has(entities[first - 1]))) first -= 1;
    while (last < highest && (isComplete || this.rows.has(entities[last]))) last += 1;
    if (first > lowest || last < highest) this.#catchUpSoon();
    const rows = entities.slice(first, last).map((entity, index) => this.#rowOf(entity, first + index));
    if (!rows.length) rows.push(createElement("li", "ed-hint", { textContent: this.words("annotate.no_entities") }));
    const focused = [...list.children].findIndex((row) => row.contains(document.activeElement));
    const focusedIndex = this.first + focused - first;
    this.first = first;
    replaceRows(list, rows);
    setStyle(list, "--above", `${first * ROW_PX}px`);
    setStyle(list, "--below", `${(entities.length - last) * ROW_PX}px`);
    // Whoever decides on entities from row to row goes on where the row was that has changed.
    const hasLostFocus = focused >= 0 && !list.contains(document.activeElement);
    if (!hasLostFocus) return;
    const row = rows[Math.max(0, Math.min(focusedIndex, rows.length - 1))];
    row.querySelector("button")?.focus({ preventScroll: true });
  }

  #catchUpSoon() {
    if (this.isCatchingUp) return;
    this.isCatchingUp = true;
    whenIdle(() => {
      this.isCatchingUp = false;
      this.#showRows({ isComplete: true });
    });
  }

  #rowOf(entity, index) {
    if (!this.rows.has(entity)) {
      const row = Object.assign(createElement("li"), { entity });
      row.append(...this.#partsOf(entity));
      this.rows.set(entity, row);
    }
    const row = this.rows.get(entity);
    const isActive = entity === this.active;
    row.classList.toggle("ed-active", isActive);
    row.classList.toggle("ed-hover", entity === this.hovered);
    setAttribute(row, "aria-current", isActive ? "true" : null);
    setAttribute(row, "aria-posinset", index + 1);
    setAttribute(row, "aria-setsize", this.state.entities.length);
    return row;
  }

  #partsOf(entity) {
    const { state, words } = this;
    const style = this.styleOf(entity);
    const mention = createElement("button", "ed-mention", { type: "button" });
    mention.dataset.command = "activate";
    mention.style.setProperty("--color", style.color);
    mention.append(
      createElement("strong", "", { textContent: state.mention(entity), lang: "zh" }),
      createElement("span", "", { textContent: `${style.name} ${entity.start}–${entity.end}` }),
    );
    if (entity.source === "human") {
      return [mention, createElement("span", "ed-origin", { textContent: words("annotate.human") })];
    }
    const decisions = [
      ["accept", "✓ A"],
      ["reject", "✗ X"],
    ].map(([command, textContent]) => {
      const button = createElement("button", "ed-button ed-tiny", { type: "button", textContent });
      button.dataset.command = command;
      button.setAttribute("aria-label", `${words(`annotate.${command}`)} ${state.mention(entity)}`);
      return button;
    });
    return [mention, createElement("span", "ed-origin", { textContent: percentOf(entity) }), ...decisions];
  }
}

// Touches only rows that come, go or change places. Those that go do so first: one that stayed in the way would have all rows
// behind it change places.
function replaceRows(list, rows) {
  const staying = new Set(rows);
  for (const row of [...list.children]) if (!staying.has(row)) row.remove();
  let next = list.firstChild;
  for (const row of rows) {
    if (row === next) next = next.nextSibling;
    else list.insertBefore(row, next);
  }
}
