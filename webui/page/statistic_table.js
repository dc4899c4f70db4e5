// What a chart of the page Statistics shows, in words and as a table; `props.value` is a `Card` of statistics_cards.py.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const title = texts[`statistics.${props.card}_title`];

const FORMATS = {
  text: String,
  count: (number) => number.toLocaleString(),
  decimal: (number) => number.toLocaleString(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
  percent: (share) => share.toLocaleString(undefined, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }),
};
const make = (tag, className, content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
};

find("summary").textContent = texts["statistics.table"];
find("summary").setAttribute("aria-label", `${texts["statistics.table"]}: ${title}`);
find("table").setAttribute("aria-label", title);

const draw = () => {
  const card = props.value;
  if (!card) return;
  const isEmpty = !card.rows.length;
  field("empty").hidden = !isEmpty;
  field("empty").textContent = texts[`statistics.${props.card}_empty`];
  field("note").hidden = isEmpty;
  field("note").textContent = texts[`statistics.${props.card}_note`].replace(/\{(\w+)\}/g, (_, name) =>
    card.note_values[name].toLocaleString(),
  );
  find("details").hidden = isEmpty;
  // Where there is no chart, the table says it all.
  if (!isEmpty && !card.chart) find("details").open = true;
  find("thead tr").replaceChildren(
    ...card.columns.map((column) => {
      const heading = make("th", column.kind, column.heading);
      heading.scope = "col";
      return heading;
    }),
  );
  find("tbody").replaceChildren(
    ...card.rows.map((cells) => {
      const row = document.createElement("tr");
      row.append(
        ...cells.map((cell, index) => {
          const { kind } = card.columns[index];
          const made = make(index ? "td" : "th", kind, cell === null ? "–" : FORMATS[kind](cell));
          if (!index) made.scope = "row";
          return made;
        }),
      );
      return row;
    }),
  );
};
watch("value", draw);

// The chart repeats the table: Vega would have a screen reader say "mark" for every bar, in English.
const card = element.closest(".statistic");
new MutationObserver(() => {
  for (const chart of card.querySelectorAll(".vega-embed")) chart.setAttribute("aria-hidden", "true");
}).observe(card, { childList: true, subtree: true });
