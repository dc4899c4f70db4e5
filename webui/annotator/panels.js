// Everything around the text: palette, lists, status and buttons. It draws what it is told and decides nothing.

// In a longer list, rows are filled when they come into sight: hundreds of them cost more than drawing the text.
const LONG_LIST = 60;

class Panels {
  constructor(parts, words, language) {
    this.parts = parts;
    this.words = words;
    this.language = language;
    // Entities never change, so neither do their rows.
    this.rows = new WeakMap();
    const fillVisible = (entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting) this.#fillRow(target);
    };
    this.inSight = new IntersectionObserver(fillVisible, { root: parts.entities, rootMargin: "300px" });
  }

  drawPalette(styles) {
    const { palette } = this.parts;
    palette.replaceChildren(
      ...styles.map((style, index) => {
        const button = createElement("button", "ed-label-button", { type: "button" });
        button.dataset.testid = "label-button";
        button.dataset.label = style.label;
        button.dataset.command = "label";
        button.dataset.argument = index;
        button.labelStyle = style;
        button.style.setProperty("--color", style.color);
        if (index < 20) {
          const key = `${index < 10 ? "" : "⇧"}${(index + 1) % 10}`;
          button.append(createElement("kbd", "", { textContent: key }));
          button.setAttribute("aria-keyshortcuts", key.replace("⇧", "Shift+"));
        }
        button.append(createElement("span", "", { textContent: style.name }));
        const other = this.language === "zh" ? style.en : style.zh;
        if (other !== style.name) button.append(createElement("small", "", { textContent: other, lang: this.language === "zh" ? "en" : "zh" }));
        return button;
      }),
    );
  }

  drawPosition(document, numTotal) {
    const { parts, words } = this;
    parts.position.textContent = words("annotate.position", { position: document.position, total: numTotal });
    parts.progress.style.width = `${(100 * document.position) / Math.max(numTotal, 1)}%`;
    parts.status.textContent = words(`annotate.status_${document.status}`);
    parts.status.dataset.status = document.status;
  }

  drawEntities(state, styleOf) {
    const { parts, words } = this;
    const numSuggestions = state.suggestions.length;
    parts["entities-title"].textContent =
      words("annotate.entities", { total: state.entities.length }) +
      (numSuggestions ? ` · ${words("annotate.undecided", { total: numSuggestions })}` : "");
    const isLong = state.entities.length > LONG_LIST;
    const rows = state.entities.map((entity) => {
      const row = this.#rowOf(entity, () => this.#entityParts(state, entity, styleOf(entity)));
      if (!isLong) this.#fillRow(row);
      else if (!row.firstChild) this.inSight.observe(row);
      return row;
    });
    if (!rows.length) rows.push(createElement("li", "ed-hint", { textContent: words("annotate.no_entities") }));
    // Only rows that changed are touched.
    let next = parts.entities.firstChild;
    for (const row of rows) {
      if (row === next) next = next.nextSibling;
      else parts.entities.insertBefore(row, next);
    }
    while (next) {
      const following = next.nextSibling;
      this.inSight.unobserve(next);
      next.remove();
      next = following;
    }
    this.markActiveRow(state.active);
  }

  markActiveRow(active) {
    for (const row of this.parts.entities.querySelectorAll("li.ed-active")) {
      row.classList.remove("ed-active");
      row.removeAttribute("aria-current");
    }
    if (!active) return;
    const list = this.parts.entities;
    const row = this.rows.get(active);
    row.classList.add("ed-active");
    row.setAttribute("aria-current", "true");
    // scrollIntoView would move the page as well.
    if (row.offsetTop < list.scrollTop) list.scrollTop = row.offsetTop;
    const overhang = row.offsetTop + row.offsetHeight - list.scrollTop - list.clientHeight;
    if (overhang > 0) list.scrollTop += overhang;
  }

  markHoveredRow(entity) {
    for (const row of this.parts.entities.querySelectorAll("li.ed-hover")) row.classList.remove("ed-hover");
    if (entity) this.rows.get(entity)?.classList.add("ed-hover");
  }

  drawCurrent(state, styleOf, plan) {
    const { parts, words } = this;
    const { active } = state;
    for (const button of parts.current.querySelectorAll("button")) button.disabled = !active;
    parts.accept.disabled = active?.source !== "model";
    parts.reject.disabled = active?.source !== "model";
    parts.propagate.disabled = !active;
    parts["propagate-words"].textContent = plan
      ? words("annotate.propagate_count", { total: plan.additions.length })
      : words("annotate.propagate");
    for (const button of parts.palette.children) {
      button.setAttribute("aria-pressed", String(button.dataset.label === active?.label));
    }
    parts.undo.disabled = !state.undoSteps.length;
    parts.redo.disabled = !state.redoSteps.length;
    parts["current-entity"].classList.toggle("ed-hint", !active);
    if (!active) {
      parts["current-entity"].textContent = words("annotate.current_hint");
      return;
    }
    const style = styleOf(active);
    parts["current-entity"].style.setProperty("--color", style.color);
    parts["current-entity"].replaceChildren(
      createElement("strong", "", { textContent: state.mention(active), lang: "zh" }),
      createElement("span", "", { textContent: ` ${style.name} ${active.start}–${active.end}` }),
    );
  }

  drawRevisions(document) {
    const { parts, words } = this;
    const rows = document.history.map((revision) =>
      createElement("li", "", { textContent: this.describeRevision(revision) }),
    );
    if (!rows.length) rows.push(createElement("li", "ed-hint", { textContent: words("annotate.no_revisions") }));
    parts.revisions.replaceChildren(...rows);
  }

  describeRevision(revision) {
    const { words } = this;
    const who = {
      model: `${words("annotate.by_model")} · ${revision.annotator}`,
      import: `${words("annotate.by_import")} ${revision.annotator}`.trim(),
      human: revision.annotator,
    }[revision.source];
    const what = words("annotate.num_changes", { total: revision.num_changes });
    const status = words(`annotate.status_${revision.status}`);
    const facts = [revision.number, who, this.#timeOf(revision.created_at)];
    if (revision.source !== "model") facts.push(status, what);
    return facts.join(" · ");
  }

  drawSaveStatus(state, text) {
    const pill = this.parts["save-status"];
    pill.dataset.state = state;
    pill.textContent = text;
    this.parts.retry.hidden = state !== "error";
  }

  drawHelp() {
    this.parts["help-keys"].replaceChildren(
      ...HELP_ROWS.flatMap(([keys, key]) => {
        const term = createElement("dt");
        for (const name of keys) term.append(createElement("kbd", "", { textContent: name }));
        return [term, createElement("dd", "", { textContent: this.words(key) })];
      }),
    );
  }

  #rowOf(entity, makeParts) {
    if (!this.rows.has(entity)) {
      this.rows.set(entity, Object.assign(createElement("li"), { entity, makeParts }));
    }
    return this.rows.get(entity);
  }

  #fillRow(row) {
    this.inSight.unobserve(row);
    if (!row.firstChild) row.append(...row.makeParts());
  }

  #entityParts(state, entity, style) {
    const { words } = this;
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

  #timeOf(isoTime) {
    const time = new Date(isoTime);
    const now = new Date();
    if (now - time < 60_000) return this.words("annotate.just_now");
    const locale = this.language === "zh" ? "zh-CN" : "en";
    const clock = time.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", hour12: false });
    if (time.toDateString() === now.toDateString()) return clock;
    return `${time.toLocaleDateString(locale, { month: "short", day: "numeric" })} ${clock}`;
  }
}

function createElement(name, className = "", properties = {}) {
  const element = document.createElement(name);
  if (className) element.className = className;
  return Object.assign(element, properties);
}
