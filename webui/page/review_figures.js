// The figures beside the list: agreement by label, and which labels stand for which.
const formatShare = (share) => (share == null ? "–" : share.toFixed(3));

const drawFigures = (agreement) => {
  const table = make("table", "figures-table");
  const head = make("tr");
  for (const column of ["column_label", "column_left", "column_right", "f1", "kappa"]) {
    const heading = make("th", "", texts[`review.${column}`]);
    heading.scope = "col";
    head.append(heading);
  }
  table.append(make("thead"), make("tbody"));
  table.tHead.append(head);
  const addRow = (name, color, figures, label) => {
    const row = make("tr");
    if (label) row.dataset.label = label;
    const heading = make("th", color ? "has-color" : "", name);
    heading.scope = "row";
    if (color) heading.style.setProperty("--color", color);
    row.append(heading, make("td", "", figures.num_left), make("td", "", figures.num_right));
    const isUsed = figures.num_left + figures.num_right > 0;
    const f1 = make("td", "", isUsed ? formatShare(figures.f1) : "–");
    f1.dataset.testid = "f1";
    const kappa = make("td", "", formatShare(figures.kappa));
    kappa.dataset.testid = "kappa";
    if (figures.kappa == null) kappa.title = texts["review.undefined"];
    row.append(f1, kappa);
    table.tBodies[0].append(row);
  };
  addRow(texts["review.all_labels"], "", agreement.total);
  for (const of of agreement.labels) addRow(nameOf(of.label), styleOf(of.label).color, of, of.label);
  const same = `${texts["review.same_texts"]} ${agreement.num_same_texts} / ${agreement.num_measured}`;
  const header = make("header", "card-header");
  header.append(make("h2", "", texts["review.agreement"]), make("span", "quiet", same));
  field("figures").replaceChildren(header, table, make("p", "quiet small", texts["review.figures_note"]));
};

// Only labels that are confused at all: of ten labels, most cells are empty.
const drawConfusion = (agreement, onChoose) => {
  const labels = agreement.labels.map(({ label }) => label);
  const isConfused = (index) => labels.some((_, other) => other !== index && agreement.matrix[index][other] + agreement.matrix[other][index]);
  const shown = labels.map((_, index) => index).filter(isConfused);
  field("confusion").hidden = !shown.length;
  if (!shown.length) return;
  const most = Math.max(...shown.flatMap((row) => shown.map((column) => (row === column ? 0 : agreement.matrix[row][column]))));
  const table = make("table", "confusion-table");
  const head = make("tr");
  head.append(make("td"));
  for (const column of shown) {
    const heading = make("th", "");
    heading.scope = "col";
    heading.append(make("span", "", nameOf(labels[column])));
    head.append(heading);
  }
  table.append(make("thead"), make("tbody"));
  table.tHead.append(head);
  for (const row of shown) {
    const line = make("tr");
    const heading = make("th", "has-color", nameOf(labels[row]));
    heading.scope = "row";
    heading.style.setProperty("--color", styleOf(labels[row]).color);
    line.append(heading);
    for (const column of shown) {
      const count = agreement.matrix[row][column];
      const cell = make("td");
      if (row === column) {
        cell.className = "same";
        cell.textContent = count;
      } else if (count) {
        const values = { left: nameOf(labels[row]), right: nameOf(labels[column]), count };
        const button = makeButton("", count, () => onChoose(labels[row], labels[column]));
        button.setAttribute("aria-label", fill("review.matrix_cell", values));
        button.title = fill("review.matrix_cell", values);
        cell.style.setProperty("--share", count / most);
        cell.append(button);
      }
      line.append(cell);
    }
    table.tBodies[0].append(line);
  }
  const scroll = make("div", "scroll");
  scroll.append(table);
  field("confusion").replaceChildren(make("h2", "", texts["review.confusion"]), scroll, make("p", "quiet small", texts["review.confusion_note"]));
};
