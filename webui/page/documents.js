// The list of documents. `props.value` is what `DocumentList.to_value` in data_tab.py makes; the events are "query" with
// {status, query, offset} and "open" with {id}.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const nameOf = (status) => texts[status === "all" ? "data.status_all" : `annotate.status_${status}`];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const make = (tag, className, content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
};

const search = find("input");
const asked = { status: "all", query: "", offset: 0 };
const ask = (change) => trigger("query", Object.assign(asked, change));

field("title").textContent = texts["data.list"];
search.placeholder = texts["data.search"];
search.setAttribute("aria-label", texts["data.search"]);
find(".filters").setAttribute("aria-label", texts["data.column_status"]);
field("previous").setAttribute("aria-label", texts["data.previous_page"]);
field("next").setAttribute("aria-label", texts["data.next_page"]);
for (const column of ["position", "text", "entities", "revision", "status"]) {
  const heading = make("th", column, texts[`data.column_${column}`]);
  heading.scope = "col";
  find("thead tr").append(heading);
}

const filters = props.statuses.map((status) => {
  const button = make("button", "filter", nameOf(status));
  button.type = "button";
  button.dataset.status = status;
  const count = make("b", "", "");
  button.append(" ", count);
  button.addEventListener("click", () => ask({ status, offset: 0 }));
  find(".filters").append(button);
  return { status, button, count };
});

const drawRow = (row) => {
  const line = document.createElement("tr");
  line.dataset.testid = "document";
  line.dataset.documentId = row.id;
  line.dataset.status = row.status;
  const text = make("td", "text", "");
  const open = make("button", "", row.snippet);
  open.type = "button";
  open.lang = "zh";
  open.title = fill("data.open", { position: row.position });
  text.append(open);
  if (row.note) text.append(make("p", "note quiet", row.note));
  const entities = make("td", "entities", row.num_spans || (row.num_suggestions ? "" : "–"));
  if (row.num_suggestions) {
    entities.append(make("span", "quiet", fill("data.suggested", { count: row.num_suggestions })));
  }
  const status = make("td", "status", "");
  status.append(make("span", `badge ${row.status}`, nameOf(row.status)));
  line.append(make("td", "position", row.position), text, entities, make("td", "revision", row.revision || "–"), status);
  line.addEventListener("click", () => trigger("open", { id: row.id }));
  return line;
};

const draw = () => {
  const list = props.value;
  if (!list) return;
  Object.assign(asked, { status: list.status, offset: list.offset });
  for (const { status, button, count } of filters) {
    count.textContent = list.counts[status].toLocaleString();
    button.setAttribute("aria-pressed", String(status === list.status));
  }
  find("tbody").replaceChildren(...list.rows.map(drawRow));
  find("table").hidden = !list.rows.length;
  field("empty").hidden = list.rows.length > 0;
  field("empty").textContent = texts[list.counts.all ? "data.no_match" : "data.empty"];
  find(".pager").hidden = list.num_total <= list.limit;
  field("previous").disabled = list.offset === 0;
  field("next").disabled = list.offset + list.limit >= list.num_total;
  const last = list.offset + list.rows.length;
  field("range").textContent = fill("data.page", { first: list.offset + 1, last, total: list.num_total });
};

field("previous").addEventListener("click", () => ask({ offset: Math.max(0, asked.offset - props.value.limit) }));
field("next").addEventListener("click", () => ask({ offset: asked.offset + props.value.limit }));

// A pause in typing, not each key, asks the server; nothing is asked while pinyin is being composed.
let pause = 0;
search.addEventListener("input", (event) => {
  window.clearTimeout(pause);
  if (event.isComposing) return;
  pause = window.setTimeout(() => ask({ query: search.value, offset: 0 }), 250);
});
search.addEventListener("compositionend", () => ask({ query: search.value, offset: 0 }));

watch("value", draw);
// What was done in the editor shows when the visitor comes back to this page.
new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) ask({});
}).observe(element);
