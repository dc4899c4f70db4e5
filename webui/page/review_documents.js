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
  return card;
};

// The left version stands over the text, the right one under it; where both agree, the text is tinted.
const drawText = (shown, place) => {
  const paragraph = make("p", "review-text");
  paragraph.lang = "zh";
  const marks = shown.agreed.map((span) => ({ ...span, lane: "both" }));
  shown.differences.forEach((difference, number) => {
    const isActive = active.document === place && active.difference === number;
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
  for (const [choice, key] of [["l", "1"], ["r", "2"]]) {
    const side = choice === "l" ? "left" : "right";
    const button = makeButton(`take ${side}`, "", () => choose(place, number, choice));
    button.dataset.testid = `take-${side}`;
    button.setAttribute("aria-pressed", String(shown.choices[number] === choice));
    button.disabled = Boolean(shown.saved) || shown.is_reviewed;
    button.append(make("kbd", "", key), make("span", "quiet side", nameOfSide(compared[side])));
    drawSpan(button, difference[side], nameOfSide(compared[side]));
    item.append(button);
  }
  // Not on a button: the card would be drawn anew between the press and the release, and there would be no click.
  item.addEventListener("mousedown", (event) => {
    if (event.target.closest("button")) return;
    if (active.document !== place || active.difference !== number) move(place, number, false);
  });
  return item;
};
