// The head of a card of the page Statistics; the event "download" asks for its table as a CSV file.
const field = (name) => element.querySelector(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const title = texts[`statistics.${props.card}_title`];
const download = field("download");

field("title").textContent = title;
download.textContent = texts["statistics.download"];
download.setAttribute("aria-label", texts["statistics.download_named"].replace("{title}", () => title));
download.addEventListener("click", () =>
  trigger("download", { card: props.card, utc_offset_min: -new Date().getTimezoneOffset() }),
);
