// The figures at the top of the page; `props.value` is what `_sum_up` in statistics_tab.py makes. The event "show" asks for all cards.
const field = (name) => element.querySelector(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const fill = (key, values) => texts[`statistics.${key}`].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const write = (number, digits = 0) => number.toLocaleString(undefined, { maximumFractionDigits: digits });
const percent = (part, whole) => (whole ? part / whole : 0).toLocaleString(undefined, { style: "percent", maximumFractionDigits: 1 });

field("title").textContent = texts["statistics.tab"];

const make = (tag, className, content) => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = content;
  return made;
};
const figure = (name, value, note) => {
  const box = document.createElement("div");
  box.dataset.figure = name;
  box.append(make("dt", "quiet", texts[`statistics.${name}`]), make("dd", "figure", value), make("dd", "quiet small", note));
  return box;
};

const draw = () => {
  const counts = props.value;
  if (!counts) return;
  element.querySelector("dl").replaceChildren(
    figure(
      "done",
      write(counts.num_done),
      fill("done_of", { total: write(counts.num_texts), percent: percent(counts.num_done, counts.num_texts) }),
    ),
    figure("confirmed", write(counts.num_entities), fill("confirmed_in", { count: write(counts.num_accepted) })),
    figure(
      "speed",
      counts.per_hour === null ? "–" : write(counts.per_hour),
      counts.per_hour === null ? fill("speed_none") : fill("speed_of", { minutes: write(counts.minutes, 1) }),
    ),
    figure(
      "untouched",
      counts.num_compared ? percent(counts.num_untouched, counts.num_compared) : "–",
      counts.num_compared
        ? fill("untouched_of", { count: write(counts.num_compared), untouched: write(counts.num_untouched) })
        : fill("untouched_none"),
    ),
  );
};
watch("value", draw);

const ask = () => {
  if (element.offsetParent) trigger("show", { utc_offset_min: -new Date().getTimezoneOffset() });
};
// What was done on other pages shows when the visitor comes back to this one, or chooses another project on it.
new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) ask();
}).observe(document.querySelector("#page-statistics"));
document.addEventListener("ner:statistics", ask);
