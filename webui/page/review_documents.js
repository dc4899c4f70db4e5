// Draws the texts of a page of differences; what its buttons do stands in review.js.
const describeSpan = (span) => (span ? `${span.text} ${nameOf(span.label)}` : texts["review.nothing"]);

const drawSpan = (button, span, side) => {
  if (!span) button.append(make("span", "quiet", texts["review.nothing"]));
  else {
    const mention = make("span", "mention", span.text);
    mention.lang = "zh";
    const tag = make("span", "tag", nameOf(span.label) + (span.score == null ? "" : ` ${percentOf(span.score)}`));
    tag.style.setProperty("--color", styleOf(span.label).color);
    button.append(mention, tag);
  }
  button.setAttribute("aria-label", fill("review.take", { side, span: describeSpan(span) }));
};

const drawDocument = (shown, place) => {
  const card = make("article", "review-document");
  card.dataset.testid = "review-document";
  card.dataset.documentId = shown.id;
  const isDone = shown.saved || shown.is_reviewed;
  card.dataset.state = shown.saved ?? (shown.is_reviewed ? "reviewed" : "open");
  const header = make("header");
  header.append(make("span", "quiet", fill("review.document", { position: shown.position })));
  const status = make("span", "review-status");
  status.setAttribute("role", "status");
  if (shown.saved === "saving") status.textContent = texts["review.saving"];
  else if (shown.saved === "saved") status.textContent = fill("review.decided", { revision: shown.revision });
  else if (shown.reviewer != null) status.textContent = fill("review.decided_by", { name: shown.reviewer || texts["review.nobody"] });
  else if (shown.is_reviewed) status.textContent = texts["review.settled"];
  else status.textContent = shown.note;
  header.append(status);
  if (shown.saved === "saved" || (shown.reviewer != null && !shown.saved)) {
    header.append(makeButton("button small", texts["review.undo"], () => undo(place)));
  }
  const open = makeButton("button small", texts["review.open"], () => trigger("open", { id: shown.id }));
  header.append(open);
  card.append(header);
  if (shown.newer != null) card.append(make("p", "quiet small", fill("review.newer", { name: shown.newer || texts["review.nobody"] })));
  for (const { name, text } of shown.notes) {
    card.append(make("p", "quiet small", fill("review.note", { name: name || texts["review.nobody"], text })));
  }
  card.append(drawText(shown, place));
  const differences = make("ol", "review-differences");
  shown.differences.forEach((difference, number) => differences.append(drawDifference(shown, place, difference, number)));
  card.append(differences);
  if (!isDone && shown.differences.length > 1) {
    const whole = make("div", "review-whole");
    whole.append(
      makeButton("button small", texts["review.take_all_left"], () => choose(place, null, "l")),
      makeButton("button small", texts["review.take_all_right"], () => choose(place, null, "r")),
    );
    card.append(whole);
  }
  // Tab goes through the buttons of the active text only: keys reach the other texts.
  if (place !== active.document) for (const button of card.querySelectorAll("button")) button.tabIndex = -1;
  return card;
};

const KEY_OF = { l: "1", r: "2" };
const joinNames = (names) => names.map((name) => name || texts["review.side_unnamed"]).join(texts["page.separator"]);

// Where only others differ, both sides say the same and are one choice.
const choiceOf = (difference, choice) => (difference.kind === "other" && choice === "r" ? "l" : choice);

// What can be chosen of a difference.
const optionsOf = ({ kind, left, right, others }) => {
  const [leftName, rightName] = [nameOfSide(compared.left), nameOfSide(compared.right)];
  const sides = [
    { choice: "l", side: "left", names: kind === "other" ? joinNames([leftName, rightName]) : leftName, span: left },
    { choice: "r", side: "right", names: rightName, span: right },
  ];
  const further = others.map(({ names, span }, index) => ({ choice: String(index + 3), side: "other", names: joinNames(names), span }));
  return [...(kind === "other" ? sides.slice(0, 1) : sides), ...further];
};

// The left version stands over the text, the right one under it; where both agree, the text is tinted.
const drawText = (shown, place) => {
  const paragraph = make("p", "review-text");
  paragraph.lang = "zh";
  const marks = shown.agreed.map((span) => ({ ...span, lane: "both" }));
  shown.differences.forEach((difference, number) => {
    const isActive = active.document === place && active.difference === number;
    if (difference.kind === "other") {
      if (difference.left) marks.push({ ...difference.left, lane: "over", isActive });
      for (const { names, span } of difference.others) {
        if (span) marks.push({ ...span, lane: "under", name: `${joinNames(names)} ${nameOf(span.label)}`, isActive });
      }
      return;
    }
    if (difference.left) marks.push({ ...difference.left, lane: "over", isActive });
    if (difference.right) marks.push({ ...difference.right, lane: "under", isActive });
  });
  let end = 0;
  for (const part of shown.parts) {
    if (part.start > end) paragraph.append(" … ");
    drawMarkedText(paragraph, part.start, part.text, marks);
    end = part.start + Array.from(part.text).length;
  }
  if (end < shown.length) paragraph.append(" …");
  return paragraph;
};

const drawDifference = (shown, place, difference, number) => {
  const item = make("li", "review-difference");
  item.dataset.testid = "difference";
  item.dataset.kind = difference.kind;
  item.dataset.choice = shown.choices[number] ?? "";
  item.classList.toggle("active", active.document === place && active.difference === number);
  item.append(make("span", "kind", texts[`review.kind_${difference.kind}`]));
  for (const { choice, side, names, span } of optionsOf(difference)) {
    const button = makeButton(`take ${side}`, "", () => choose(place, number, choice));
    button.dataset.testid = `take-${side}`;
    button.setAttribute("aria-pressed", String(shown.choices[number] === choice));
    button.disabled = Boolean(shown.saved) || shown.is_reviewed;
    button.append(make("kbd", "", KEY_OF[choice] ?? choice), make("span", "quiet side", names));
    drawSpan(button, span, names);
    item.append(button);
  }
  // Not on a button: the card would be drawn anew between the press and the release, and there would be no click.
  item.addEventListener("mousedown", (event) => {
    if (event.target.closest("button")) return;
    if (active.document !== place || active.difference !== number) move(place, number, false);
  });
  return item;
};
