// The name that a person goes by: one for all pages, kept in the browser. Where people sign in, the server takes the
// account's name whatever comes from here.

const DEFAULT_ANNOTATOR = "annotator-1";
const ANNOTATOR_KEY = "ner_annotator";
const ANNOTATOR_EVENT = "ner:annotator";

function readAnnotatorName() {
  return localStorage.getItem(ANNOTATOR_KEY)?.trim() || DEFAULT_ANNOTATOR;
}

// Keeps what is typed into a field; when it is complete, `onTyped()` and whoever else shows the name hear of it. What was
// typed elsewhere on the page, or in another tab, is put into the field, and `onTyped()` hears of that, too: of another
// tab's once this one is looked at again, when the name is complete.
function shareAnnotatorName(field, onTyped = () => {}) {
  field.value = readAnnotatorName();
  field.addEventListener("input", () => localStorage.setItem(ANNOTATOR_KEY, field.value));
  field.addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent(ANNOTATOR_EVENT));
    onTyped();
  });
  const follow = () => {
    // Disabled: who has signed in goes by the account's name.
    if (field.disabled || field.value.trim() === readAnnotatorName()) return;
    field.value = readAnnotatorName();
    onTyped();
  };
  document.addEventListener(ANNOTATOR_EVENT, follow);
  window.addEventListener("focus", follow);
}
