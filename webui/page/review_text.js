// What both parts of the page share: words, small elements, requests one at a time, and texts with marks. Everything
// goes in through text nodes and attributes: a text is never markup.
const find = (selector) => element.querySelector(selector);
const field = (name) => find(`[data-field="${name}"]`);
const language = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
const texts = props.texts[language];
const fill = (key, values) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
const make = (tag, className, content = "") => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = content;
  return made;
};
const makeButton = (className, content, onClick) => {
  const button = make("button", className, content);
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
};
const makeOption = (value, content) => {
  const option = make("option", "", content);
  option.value = value;
  return option;
};
// As in the editor: what is not certain is never shown as 100%.
const percentOf = (score) => (score < 0.995 ? `${Math.round(score * 100)}%` : `${Math.floor(score * 1000) / 10}%`);

let styles = new Map();
const styleOf = (label) => styles.get(label) ?? { label, color: "#5B6470", chinese: label, english: label };
const nameOf = (label) => styleOf(label)[language === "zh" ? "chinese" : "english"];

// Requests go out one at a time: answers that arrive in one frame overwrite each other (Gradio 6.31).
const ANSWER_TIMEOUT_MS = 60000;
const lane = { waiting: [], sent: null, timer: 0 };
const sendNext = () => {
  if (lane.sent || !lane.waiting.length) return;
  lane.sent = lane.waiting.shift();
  const { event, payload, token } = lane.sent;
  lane.timer = window.setTimeout(() => settle({ request: token, kind: "late" }), ANSWER_TIMEOUT_MS);
  trigger(event, { ...payload(), request: token });
};
const push = (event, payload, onAnswer) => {
  const token = Math.random().toString(36).slice(2);
  lane.waiting.push({ event, payload, onAnswer, token });
  sendNext();
  return token;
};
// Progress leaves the request under way.
const settle = (message) => {
  if (!lane.sent || message.request !== lane.sent.token) return;
  window.clearTimeout(lane.timer);
  const { onAnswer, token } = lane.sent;
  if (message.kind === "progress") {
    lane.timer = window.setTimeout(() => settle({ request: token, kind: "late" }), ANSWER_TIMEOUT_MS);
  } else {
    lane.sent = null;
  }
  onAnswer(message);
  sendNext();
};

// A piece of a text with marks over and under it: `marks` are {start, end, label, lane: "over" | "under" | "both", ...}
// in code points of the whole text; the piece begins at `start`.
function drawMarkedText(container, start, text, marks) {
  const points = Array.from(text);
  const end = start + points.length;
  const here = marks.filter((mark) => mark.start < end && start < mark.end);
  const borders = new Set([start, end]);
  for (const mark of here) {
    borders.add(Math.max(start, mark.start));
    borders.add(Math.min(end, mark.end));
  }
  const cuts = [...borders].sort((first, second) => first - second);
  const owed = new Map(); // names whose room is still to come, by lane
  for (let index = 0; index + 1 < cuts.length; index += 1) {
    const [from, to] = [cuts[index], cuts[index + 1]];
    const content = points.slice(from - start, to - start).join("");
    const covering = here.filter((mark) => mark.start <= from && to <= mark.end);
    if (!covering.length) {
      container.append(content);
      continue;
    }
    const run = make("span", "marked", content);
    for (const mark of covering) {
      run.classList.add(mark.lane);
      run.style.setProperty(`--${mark.lane}`, styleOf(mark.label).color);
      if (mark.isActive) run.classList.add("active");
      // The label is written once, where the mark begins, and not where both agree.
      if (mark.start !== from || mark.lane === "both") continue;
      const names = new Set([run.dataset[mark.lane], mark.name ?? nameOf(mark.label)].filter(Boolean));
      run.dataset[mark.lane] = [...names].join(" / ");
    }
    for (const lane of ["over", "under"]) {
      const name = run.dataset[lane] ?? owed.get(lane);
      owed.delete(lane);
      if (!name) continue;
      // Room for it: a long name must not lie over the next one's, or leave the page. A blank at a mark's border gets none,
      // which would look like five of them: what the mark covers behind it has the room.
      const goesOn = to < end && covering.some((mark) => mark.lane === lane && mark.end > to);
      if (!content.trim() && goesOn) {
        owed.set(lane, name);
        continue;
      }
      const room = make("span", "tag-room");
      room.dataset.name = name;
      run.prepend(room);
    }
    container.append(run);
  }
}
