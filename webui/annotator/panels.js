// Everything around the text: palette, status and buttons. It draws what it is told and decides nothing.

class Panels {
  constructor(parts, words, language) {
    this.parts = parts;
    this.words = words;
    this.language = language;
    this.drawnRevisions = null;
    const locale = language === "zh" ? "zh-CN" : "en";
    // Made once: making one takes longer than all the rest of a row.
    this.clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hour12: false });
    this.day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" });
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

  drawPosition(document, numReviewed, numTotal) {
    const { parts, words } = this;
    setText(parts.position, words("annotate.position", { position: document.position }));
    setText(parts.reviewed, words("annotate.reviewed", { reviewed: numReviewed.toLocaleString(), total: numTotal.toLocaleString() }));
    parts.progress.max = Math.max(numTotal, 1);
    parts.progress.value = numReviewed;
    setText(parts.status, words(`annotate.status_${document.status}`));
    parts.status.dataset.status = document.status;
    parts.independent.hidden = !document.is_independent;
    const independent = document.is_closed ? "annotate.closed" : "annotate.independent";
    setText(parts.independent, words(independent));
    parts.independent.title = words(`${independent}_hint`);
  }

  // `target` is the suggestion that accept and reject decide on, `plan` what "label all" would do. Borders are those of the
  // selection where there is one.
  drawCurrent({ state, target, hasSelection, styleOf, plan }) {
    const { parts, words } = this;
    const { active } = state;
    for (const button of parts.borders.querySelectorAll("button")) button.disabled = !active && !hasSelection;
    parts.remove.disabled = !active;
    parts.accept.disabled = !target;
    parts.reject.disabled = !target;
    const total = plan?.additions.length;
    parts.propagate.disabled = !total;
    setText(parts["propagate-words"], words(total ? "annotate.propagate_count" : "annotate.propagate", { total }));
    for (const button of parts.palette.children) {
      setAttribute(button, "aria-pressed", button.dataset.label === active?.label);
    }
    parts.undo.disabled = !state.undoSteps.length;
    parts.redo.disabled = !state.redoSteps.length;
    const shown = active ?? target;
    setText(parts["current-title"], words(target && !active ? "annotate.next_suggestion" : "annotate.current"));
    parts["current-entity"].classList.toggle("ed-hint", !shown);
    parts["current-entity"].classList.toggle("ed-next", shown !== active);
    if (!shown) {
      setText(parts["current-entity"], words("annotate.current_hint"));
      return;
    }
    const style = styleOf(shown);
    setStyle(parts["current-entity"], "--color", style.color);
    parts["current-entity"].replaceChildren(
      createElement("strong", "", { textContent: state.mention(shown), lang: "zh" }),
      createElement("span", "", { textContent: ` ${style.name} ${shown.start}–${shown.end}` }),
    );
  }

  drawRevisions(document) {
    const { parts, words } = this;
    const lines = document.history.map((revision) => this.describeRevision(revision));
    if (lines.join("\n") === this.drawnRevisions) return;
    this.drawnRevisions = lines.join("\n");
    const rows = lines.map((textContent) => createElement("li", "", { textContent }));
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
    if (revision.note) facts.push(revision.note);
    return facts.join(" · ");
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

  #timeOf(isoTime) {
    const time = new Date(isoTime);
    const now = new Date();
    if (now - time < 60_000) return this.words("annotate.just_now");
    const clock = this.clock.format(time);
    if (time.toDateString() === now.toDateString()) return clock;
    return `${this.day.format(time)} ${clock}`;
  }
}
