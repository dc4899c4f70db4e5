// The caret: an element of the page, since a browser shows none where nothing can be typed.
//
// It blinks by a timer, twice a second. As an animation it kept the page's main thread busy with sixty frames a second, and
// every key had to wait for one of them.

const BLINK_MS = 550;

class Caret {
  constructor(element) {
    this.element = element;
    this.timer = null;
    this.blinks = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  // Puts it over a rectangle of the window; `origin` is where the frame's content begins. One that has just moved is seen at
  // once, not in the dark half of its blinking.
  put(rect, origin) {
    place(this.element, rect, origin);
    this.element.classList.remove("ed-dark");
    if (!this.blinks) return;
    clearInterval(this.timer);
    this.timer = setInterval(() => this.element.classList.toggle("ed-dark"), BLINK_MS);
  }
}
