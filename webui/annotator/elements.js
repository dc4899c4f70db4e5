// Making elements, and writing to them only what changes: a page is laid out anew for the same words as for other ones.

function createElement(name, className = "", properties = {}) {
  const element = document.createElement(name);
  if (className) element.className = className;
  return Object.assign(element, properties);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// For custom properties: all elements that inherit one get their style anew, even when it is the same.
function setStyle(element, name, value) {
  if (element.style.getPropertyValue(name) !== value) element.style.setProperty(name, value);
}

// Null or undefined removes the attribute.
function setAttribute(element, name, value) {
  if (value == null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}
