// Which command a key press means. Keys are told by their place (`event.code`), so that they do not move with the
// keyboard's layout or an input method.

const LETTER_COMMANDS = {
  KeyF: "propagate",
  KeyA: "accept",
  KeyX: "reject",
  KeyS: "skip",
  KeyB: "flag",
  KeyW: "pickWord",
  KeyO: "toggleOverlap",
  KeyG: "editGuideline",
  KeyJ: "next",
  KeyK: "previous",
  Enter: "saveAndNext",
  NumpadEnter: "saveAndNext",
  Delete: "remove",
  Backspace: "remove",
  Escape: "escape",
};

// A key that is held down must not accept one document after another.
const ONCE_PER_PRESS = new Set([
  "saveAndNext",
  "skip",
  "flag",
  "flagWithNote",
  "propagate",
  "accept",
  "reject",
  "remove",
  "label",
  "toggleOverlap",
]);

const CARET_MOVES = {
  ArrowLeft: { by: "character", direction: -1 },
  ArrowRight: { by: "character", direction: 1 },
  ArrowUp: { by: "line", direction: -1 },
  ArrowDown: { by: "line", direction: 1 },
  Home: { by: "lineEdge", direction: -1 },
  End: { by: "lineEdge", direction: 1 },
};
const CARET_MOVES_WITH_CONTROL = {
  ArrowLeft: { by: "word", direction: -1 },
  ArrowRight: { by: "word", direction: 1 },
  Home: { by: "text", direction: -1 },
  End: { by: "text", direction: 1 },
};

// Returns {name, argument} or null when the key is the browser's.
function commandOf(event) {
  // 229 is what Chromium reports for a key that an input method has taken.
  if (event.isComposing || event.keyCode === 229) return null;
  const command = event.ctrlKey || event.metaKey ? controlCommandOf(event) : plainCommandOf(event);
  if (command && event.repeat && ONCE_PER_PRESS.has(command.name)) return { name: "ignore" };
  return command;
}

// The letter a key stands for while letters are asked for, or null.
function letterOf(event) {
  const letter = /^Key([A-Z])$/.exec(event.code);
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
  return letter && isPlain ? letter[1].toLowerCase() : null;
}

function plainCommandOf(event) {
  const { code, shiftKey } = event;
  if (event.altKey) return null;
  if (event.key === "?" || event.key === "？") return { name: "help" };
  const digit = /^Digit(\d)$/.exec(code) ?? (/^\d$/.test(event.key) && /^Numpad(\d)$/.exec(code));
  if (digit) return { name: "label", argument: ((Number(digit[1]) + 9) % 10) + (shiftKey ? 10 : 0) };
  if (code === "Tab") return { name: shiftKey ? "previousEntity" : "nextEntity" };
  if (code === "BracketLeft") return { name: shiftKey ? "endLeft" : "startLeft" };
  if (code === "BracketRight") return { name: shiftKey ? "endRight" : "startRight" };
  if (CARET_MOVES[code]) return { name: "moveCaret", argument: { ...CARET_MOVES[code], extend: shiftKey } };
  if (shiftKey) return code === "KeyB" ? { name: "flagWithNote" } : null;
  return LETTER_COMMANDS[code] ? { name: LETTER_COMMANDS[code] } : null;
}

function controlCommandOf(event) {
  const { code, shiftKey } = event;
  if (code === "KeyZ") return { name: shiftKey ? "redo" : "undo" };
  if (code === "KeyY") return { name: "redo" };
  if (code === "KeyA") return { name: "selectAll" };
  const move = CARET_MOVES_WITH_CONTROL[code];
  return move ? { name: "moveCaret", argument: { ...move, extend: shiftKey } } : null;
}

// The rows of the help: key caps and the text that says what they do.
const HELP_ROWS = [
  [["1", "…", "9", "0"], "annotate.help_label"],
  [["⇧ 1", "…"], "annotate.help_label_more"],
  [["←", "→", "↑", "↓"], "annotate.help_caret"],
  [["⇧ ←", "⇧ →"], "annotate.help_select"],
  [["W"], "annotate.help_word"],
  [["Tab", "⇧ Tab"], "annotate.help_tab"],
  [["[", "]"], "annotate.help_start"],
  [["⇧ [", "⇧ ]"], "annotate.help_end"],
  [["A", "X"], "annotate.help_decide"],
  [["F"], "annotate.help_propagate"],
  [["Delete"], "annotate.help_remove"],
  [["O"], "annotate.help_overlap"],
  [["Ctrl Z", "Ctrl ⇧ Z"], "annotate.help_undo"],
  [["G"], "annotate.help_guideline"],
  [["Enter"], "annotate.help_save"],
  [["S", "B"], "annotate.help_skip"],
  [["⇧ B"], "annotate.help_flag_note"],
  [["J", "K"], "annotate.help_move"],
  [["Esc"], "annotate.help_escape"],
];
