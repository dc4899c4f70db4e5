// How long a person has worked on each document. Time counts from one sign of life (a key, the mouse, a finger) to the
// next, but no more than a minute at once: whoever reads does not move, whoever has left does not either. Nothing counts
// while the page is out of sight.

const MAX_IDLE_MS = 60_000;
const SIGNS_OF_LIFE = ["keydown", "pointerdown", "pointermove", "wheel", "touchmove"];

class WorkTimer {
  // `clock` gives milliseconds.
  constructor(root, clock = () => performance.now()) {
    this.clock = clock;
    this.work = null; // what the time goes to; it gets `activeMs`
    this.since = null; // null while nothing counts
    this.isInSight = true;
    for (const type of SIGNS_OF_LIFE) root.addEventListener(type, () => this.#count(), { passive: true, capture: true });
    document.addEventListener("visibilitychange", () => this.setInSight(this.isInSight));
  }

  // From now on the time goes to this work.
  start(work) {
    this.#count();
    this.work = work;
    work.activeMs ??= 0;
  }

  // The page of the editor was opened or closed.
  setInSight(isInSight) {
    this.#count();
    this.isInSight = isInSight;
    this.since = isInSight && !document.hidden ? this.clock() : null;
  }

  // Seconds since the work was taken last, to a tenth.
  take(work) {
    this.#count();
    const seconds = Math.round(work.activeMs / 100) / 10;
    work.activeMs = 0;
    return seconds;
  }

  // Whether there was a sign of life in the last milliseconds, so many of them.
  isRecent(ms) {
    return this.since !== null && this.clock() - this.since < ms;
  }

  #count() {
    if (this.since === null && (!this.isInSight || document.hidden)) return;
    const now = this.clock();
    if (this.work && this.since !== null) this.work.activeMs += Math.min(now - this.since, MAX_IDLE_MS);
    this.since = now;
  }
}
