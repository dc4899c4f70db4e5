// The tour: offered on the first visit, in the flow of the page; a ring and a card while it runs. Nothing of it takes the
// focus by itself or lies in the way of the mouse but the card: whoever would rather work, works on.
const field = (name) => element.querySelector(`[data-field="${name}"]`);
const texts = props.texts[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
const REMEMBERED = "ner_tour";
// What a step points at, the first that is on the screen; otherwise the whole page.
const TARGETS = {
  predict: ["#predict-text"],
  annotate: ['#annotator .ed-frame:not([hidden])', '#annotator [data-part="empty"]'],
  data: ["#data-documents"],
  review: [],
  train: [],
  statistics: ["#statistics-summary"],
  projects: [],
};
const MARGIN_PX = 12;

const tabOf = (name) =>
  [...document.querySelectorAll('#pages > .tab-wrapper [role="tab"]')].find(
    (tab) => tab.textContent.trim() === texts[`${name}.tab`],
  );
const pageShown = () => [...document.querySelectorAll("#pages > .tabitem")].find((page) => page.offsetParent);
const targetOf = (name) => {
  const found = TARGETS[name].map((selector) => document.querySelector(selector)).find((each) => each?.offsetParent);
  return found ?? pageShown();
};

let steps = [];
let place = -1; // of the step in `steps`; -1 while the tour does not run
const isRunning = () => place >= 0;

// Ring and card follow what they belong to: pages load, windows are resized, people scroll.
const FOLLOW_EVERY_MS = 150;
let follower = 0;
const follow = () => {
  if (!isRunning()) return;
  const target = targetOf(steps[place]);
  if (target) {
    const box = target.getBoundingClientRect();
    const edges = { top: Math.max(box.top, 0), bottom: Math.min(box.bottom, window.innerHeight) };
    const ring = field("ring").style;
    ring.left = `${Math.max(4, box.left - 4)}px`;
    ring.top = `${edges.top - 4}px`;
    ring.width = `${Math.min(box.width + 8, document.documentElement.clientWidth - 8)}px`;
    ring.height = `${Math.max(0, edges.bottom - edges.top) + 8}px`;
    // Below the target, else above it, else at the bottom of the window, where a phone always has it.
    const card = field("card");
    const isPhone = window.innerWidth <= 720;
    const below = box.bottom + MARGIN_PX;
    const above = box.top - MARGIN_PX - card.offsetHeight;
    const lowest = window.innerHeight - card.offsetHeight - MARGIN_PX;
    const top = isPhone || (below > lowest && above < MARGIN_PX) ? lowest : below <= lowest ? below : above;
    card.style.top = `${top}px`;
    const rightmost = document.documentElement.clientWidth - card.offsetWidth - MARGIN_PX;
    const isApart = top === below || top === above;
    card.style.left = `${isPhone ? MARGIN_PX : isApart ? Math.min(Math.max(box.left, MARGIN_PX), rightmost) : rightmost}px`;
  }
};
document.addEventListener("scroll", follow, { capture: true, passive: true });
window.addEventListener("resize", follow);

const show = (step) => {
  place = step;
  const name = steps[step];
  const tab = tabOf(name);
  if (tab.getAttribute("aria-selected") !== "true") tab.click();
  field("position").textContent = texts["tour.position"].replace("{step}", step + 1).replace("{steps}", steps.length);
  field("title").textContent = texts[`tour.${name}_title`];
  field("words").textContent = texts[`tour.${name}_words`];
  field("back").disabled = step === 0;
  field("next").textContent = texts[step === steps.length - 1 ? "tour.done" : "tour.next"];
  field("ring").hidden = false;
  field("card").hidden = false;
  window.scrollTo(0, 0);
  window.clearInterval(follower);
  follower = window.setInterval(follow, FOLLOW_EVERY_MS);
  follow();
};

const remember = () => {
  window.localStorage.setItem(REMEMBERED, "seen");
  field("offer").hidden = true;
};
const start = () => {
  remember();
  steps = Object.keys(TARGETS).filter(tabOf); // an app without accounts or models may lack a page
  show(0);
  field("next").focus();
};
const end = () => {
  const hadFocus = element.contains(document.activeElement);
  place = -1;
  window.clearInterval(follower);
  field("ring").hidden = true;
  field("card").hidden = true;
  remember();
  if (hadFocus) document.querySelector('#header-tools [data-field="tour"]')?.focus();
};

field("offer").setAttribute("aria-label", texts["tour.name"]);
field("offer-words").textContent = texts["tour.offer"];
for (const name of ["start", "decline", "back", "end"]) field(name).textContent = texts[`tour.${name}`];
field("start").addEventListener("click", start);
field("decline").addEventListener("click", end);
field("back").addEventListener("click", () => show(place - 1));
field("next").addEventListener("click", () => (place + 1 < steps.length ? show(place + 1) : end()));
field("end").addEventListener("click", end);
document.addEventListener("ner:tour", start);
// Not while an input method is at work: there, Escape takes back what was typed.
document.addEventListener("keydown", (event) => {
  const isOffered = !field("offer").hidden && element.contains(document.activeElement);
  if (event.key === "Escape" && !event.isComposing && (isRunning() || isOffered)) end();
});
field("offer").hidden = window.localStorage.getItem(REMEMBERED) !== null;
