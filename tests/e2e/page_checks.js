// Checks of what is on the screen, run inside a page. Each returns a list of findings, a line each.
(() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();
  // Any CSS colour as [red, green, blue, alpha], all from 0 to 1: the browser paints it.
  const parse = (color) => {
    if (!known.has(color)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = "rgba(0,0,0,0)";
      pen.fillStyle = color;
      pen.fillRect(0, 0, 1, 1);
      known.set(color, [...pen.getImageData(0, 0, 1, 1).data].map((part) => part / 255));
    }
    return known.get(color);
  };
  const over = (top, bottom) => {
    const alpha = top[3];
    return [0, 1, 2].map((i) => top[i] * alpha + bottom[i] * (1 - alpha)).concat(1);
  };
  // https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
  const luminance = (color) => {
    const [red, green, blue] = color.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };

  const isShown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  const isDisabled = (element) => Boolean(element.closest(":disabled, [aria-disabled='true']"));
  const describe = (element) => {
    const path = [];
    for (let each = element; each && path.length < 3; each = each.parentElement) {
      const classes = typeof each.className === "string" ? each.className.trim().split(/\s+/).filter((name) => name && !name.startsWith("svelte-")) : [];
      path.unshift(each.tagName.toLowerCase() + (each.id ? `#${each.id}` : "") + classes.slice(0, 2).map((name) => `.${name}`).join(""));
      if (each.id) break;
    }
    return path.join(" ");
  };

  // What is painted behind an element, as far as plain colours go; null behind an image.
  const backdrop = (element) => {
    const layers = [];
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.backgroundImage !== "none") return null;
      const color = parse(style.backgroundColor);
      if (color[3]) layers.push(color);
      if (color[3] === 1) break;
    }
    return layers.reverse().reduce((bottom, top) => over(top, bottom), [1, 1, 1, 1]);
  };
  const opacity = (element) => {
    let found = 1;
    for (let each = element; each; each = each.parentElement) found *= Number(getComputedStyle(each).opacity);
    return found;
  };

  // WCAG 2.2, 1.4.3: text against what is behind it. What is disabled is exempt.
  const lowContrast = () => {
    const findings = new Set();
    const check = (element, style, color, words) => {
      const behind = backdrop(element);
      if (!behind) return;
      const text = [...parse(color)];
      text[3] *= opacity(element);
      const size = parseFloat(style.fontSize);
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const ratio = contrast(over(text, behind), behind);
      if (ratio < (isLarge ? 3 : 4.5) - 0.005) {
        findings.add(`${ratio.toFixed(2)}:1 ${describe(element)} "${words.trim().slice(0, 24)}"`);
      }
    };
    // Words that a style sheet adds, such as the tags of entities.
    for (const element of document.body.querySelectorAll("*")) {
      for (const pseudo of ["::before", "::after"]) {
        const style = getComputedStyle(element, pseudo);
        if (/^".*[\p{L}\p{N}].*"$/u.test(style.content) && isShown(element) && !isDisabled(element)) {
          check(element, style, style.color, style.content.slice(1, -1));
        }
      }
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.data.trim() || !element || /^(SCRIPT|STYLE|OPTION|TEMPLATE)$/.test(element.tagName)) continue;
      if (!isShown(element) || isDisabled(element)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      const style = getComputedStyle(element);
      check(element, style, element instanceof SVGElement ? style.fill : style.color, node.data);
    }
    return [...findings];
  };

  const overflow = () => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.body.querySelectorAll("*")].filter(
      (each) => isShown(each) && each.getBoundingClientRect().right > width + 1,
    );
    return [`${document.documentElement.scrollWidth} px of ${width}: ${wide.slice(-3).map(describe).join(", ")}`];
  };

  // Keys that nobody has turned into words, and values that nobody has filled in.
  const untranslated = (keys) => {
    const findings = new Set();
    const check = (words, element) => {
      const text = words.trim();
      if (keys.includes(text) || /\bundefined\b|\bNaN\b|\[object /.test(text)) findings.add(`${describe(element)} "${text.slice(0, 60)}"`);
    };
    for (const element of document.body.querySelectorAll("*")) {
      if (/^(SCRIPT|STYLE|TEMPLATE)$/.test(element.tagName) || !isShown(element)) continue;
      for (const name of ["aria-label", "title", "placeholder", "alt"]) {
        if (element.hasAttribute(name)) check(element.getAttribute(name), element);
      }
      for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) check(node.data, element);
    }
    return [...findings];
  };

  // Chinese in an English interface: texts to annotate say `lang="zh"`, or are excepted.
  const foreign = (excepted) => {
    const findings = new Set();
    const isForeign = (words) => /\p{Script=Han}/u.test(words);
    for (const element of document.body.querySelectorAll("*")) {
      if (/^(SCRIPT|STYLE|TEMPLATE)$/.test(element.tagName) || !isShown(element)) continue;
      if (element.closest(`[lang^="zh"]:not(html), ${excepted}`)) continue;
      const words = ["aria-label", "title", "placeholder"].map((name) => element.getAttribute(name) ?? "");
      for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) words.push(node.data);
      for (const each of words) if (isForeign(each)) findings.add(`${describe(element)} "${each.trim().slice(0, 40)}"`);
    }
    return [...findings];
  };

  // Tab begins at the top again. Without the mark it goes on from what had the focus: a blur does not forget that.
  const startOver = () => {
    window.seen = undefined;
    getSelection().removeAllRanges();
    const mark = document.createElement("span");
    mark.tabIndex = -1;
    document.body.prepend(mark);
    mark.focus();
    mark.remove();
    window.scrollTo(0, 0);
  };

  // What has the focus, whether one can see that, and whether it is on the screen.
  const focused = () => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    if (!window.seen) window.seen = new WeakMap();
    if (!window.seen.has(element)) window.seen.set(element, (window.numSeen = (window.numSeen ?? 0) + 1));
    // A ring may be drawn by what is around a control: a choice with its label, an input in its frame.
    let ring = false;
    for (let each = element, steps = 0; each && steps < 4; each = each.parentElement, steps += 1) {
      const around = getComputedStyle(each);
      const isOutlined = around.outlineStyle !== "none" && parseFloat(around.outlineWidth) >= 1 && parse(around.outlineColor)[3] > 0.3;
      const isNear = each === element || each.matches(":focus-within");
      if (isNear && (isOutlined || around.boxShadow !== "none")) ring = true;
    }
    // The editor has no ring around itself but one around its text, a list one around its active item.
    const item = element.querySelector(":scope > .active");
    if (item && getComputedStyle(item).outlineStyle !== "none") ring = true;
    const frame = element.matches(".annotator") && element.querySelector(".ed-frame");
    if (frame && isShown(frame) && getComputedStyle(frame).boxShadow !== "none") ring = true;
    return {
      id: window.seen.get(element),
      name: describe(element),
      ring,
      shown: isShown(element) && box.width > 0 && box.height > 0 && style.visibility === "visible",
    };
  };

  // Controls that a mouse can use and Tab should reach, but for those that arrow keys reach in a group.
  const tabbable = () =>
    [...document.body.querySelectorAll("button, a[href], input, select, textarea, summary, [tabindex='0']")]
      .filter((each) => isShown(each) && !isDisabled(each) && each.tabIndex >= 0 && each.type !== "file")
      .filter((each) => each.getBoundingClientRect().width > 0)
      .filter((each) => each.type !== "radio" || each.checked)
      .filter((each) => each.tagName !== "SUMMARY" || each.parentElement.tagName === "DETAILS");
  const unreached = () => tabbable().filter((each) => !window.seen?.has(each)).map(describe);

  // Resolves when the page has been drawn as it is now, its transitions over.
  const settle = async () => {
    await new Promise(requestAnimationFrame);
    const transitions = document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(transitions.map((each) => each.finished));
    await new Promise(requestAnimationFrame);
  };

  window.checks = { settle, lowContrast, overflow, untranslated, foreign, startOver, focused, unreached };
})();
