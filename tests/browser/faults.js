// What is wrong with the page as it stands on the screen, as a list of sentences. Where a rule comes from is said as
// the number of a success criterion of WCAG 2.2.

function faults() {
  const found = [];
  const say = (element, what) => found.push(`${named(element)} ${what}`);
  document.querySelectorAll("details").forEach((one) => (one.open = true));
  frame(say);
  headings(say);
  names(say);
  texts(say);
  columns(say);
  focus(say);
  return found;
}

const FIELDS = "input:not([type=hidden]), textarea, select";

function named(element) {
  const words = (element.innerText || element.id || "").trim().replace(/\s+/g, " ").slice(0, 40);
  return `<${element.localName}> ${words}`.trim();
}

const shown = (selector) =>
  [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility({ visibilityProperty: true }));

function frame(say) {
  const html = document.documentElement;
  if (!/^(fr|en)$/.test(html.lang)) say(html, "does not say its language (3.1.1)");
  if (!document.title.trim()) say(html, "has no title (2.4.2)");
  if (document.querySelectorAll("main").length !== 1) say(html, "has not one main part (1.3.1)");
  if (html.scrollWidth > window.innerWidth) say(html, `scrolls sideways: ${html.scrollWidth} px (1.4.10)`);
}

function headings(say) {
  let before = 0;
  for (const one of shown("h1, h2, h3, h4, h5, h6")) {
    const level = Number(one.localName[1]);
    if (level > before + 1) say(one, `comes after h${before} (1.3.1)`);
    if (level === 1 && before) say(one, "is a second title (1.3.1)");
    before = level;
  }
  if (!before) say(document.body, "has no heading (1.3.1)");
}

function names(say) {
  for (const one of shown(FIELDS)) {
    if (![...one.labels].some((label) => label.innerText.trim())) say(one, "has no label (3.3.2)");
  }
  for (const one of shown("a[href], button, summary")) {
    if (!one.textContent.trim() && !one.getAttribute("aria-label")) say(one, "has no name (4.1.2)");
  }
  for (const one of document.images) {
    if (!one.hasAttribute("alt")) say(one, "has no text instead of it (1.1.1)");
  }
}

// Words that are squeezed until their letters stand one under another.
function columns(say) {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const words = walker.currentNode.data.trim();
    const parent = walker.currentNode.parentElement;
    if ((words.length < 6 && !/\d\d/.test(words)) || !parent.checkVisibility({ visibilityProperty: true }) || parent.closest(".unseen")) continue;
    range.selectNodeContents(walker.currentNode);
    const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
    if (lines > 3 && words.length / lines < 4) say(parent, `stands in ${lines} lines of some letters (1.4.10)`);
    else if (lines > 1) broken(walker.currentNode, (word) => say(parent, `breaks the word ${word} (1.4.10)`));
  }
}

// Tells short words and numbers whose characters stand in two lines, without a hyphen between them.
function broken(text, tell) {
  const range = document.createRange();
  for (const { 0: word, index } of text.data.matchAll(/(?<![^\s’'])(?:\p{L}{4,12}|[\d\/]{2,12})(?![^\s,.;:!?])/gu)) {
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) tell(word);
  }
}

// ------------------------------------------------------------------------------------------------ contrast

function texts(say) {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const checked = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() && !checked.has(element)) {
      checked.add(element);
      if (element.checkVisibility({ visibilityProperty: true })) legible(say, element, getComputedStyle(element), "");
    }
  }
  for (const one of shown(FIELDS).filter((each) => !["radio", "checkbox"].includes(each.type))) {
    legible(say, one, getComputedStyle(one), " as typed");
    if (one.placeholder) legible(say, one, getComputedStyle(one, "::placeholder"), " before typing");
  }
}

function legible(say, element, style, when) {
  const ratio = contrast(over(faded(colour(style.color), element), ground(element)), ground(element));
  if (ratio < 4.5) say(element, `has a contrast of ${ratio.toFixed(2)}${when} (1.4.3)`);
}

// [red, green, blue, alpha], the first three from 0 to 255.
function colour(text) {
  const numbers = text.match(/^rgba?\(([^)]*)\)$/)?.[1].split(/[\s,/]+/).map(Number);
  if (!numbers || numbers.some(Number.isNaN)) throw new Error(`a colour that is not understood: ${text}`);
  return [...numbers.slice(0, 3), numbers[3] ?? 1];
}

const over = ([red, green, blue, alpha], below) =>
  [red, green, blue].map((part, place) => part * alpha + below[place] * (1 - alpha));

function* upwards(element) {
  for (let one = element; one; one = one.parentElement) yield one;
}

function faded([red, green, blue, alpha], element) {
  return [red, green, blue, [...upwards(element)].reduce((left, one) => left * getComputedStyle(one).opacity, alpha)];
}

// What lies behind an element's text: all backgrounds from the page up, the page being white if it says nothing.
function ground(element) {
  const layers = [...upwards(element)].map((one) => colour(getComputedStyle(one).backgroundColor));
  return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
}

function luminance(parts) {
  const [red, green, blue] = parts.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((less, more) => less - more);
  return (light + 0.05) / (dark + 0.05);
}

// ------------------------------------------------------------------------------------------------ focus

function focus(say) {
  for (const one of shown(`a[href], button, summary, ${FIELDS}`).filter((each) => !each.disabled)) {
    one.focus({ focusVisible: true });
    if (document.activeElement !== one) {
      say(one, "takes no focus (2.1.1)");
      continue;
    }
    const style = getComputedStyle(one);
    const behind = ground(one.parentElement);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) say(one, "does not show its focus (2.4.7)");
    else if (contrast(over(colour(style.outlineColor), behind), behind) < 3) say(one, "hardly shows its focus (1.4.11)");
    if (covered(one)) say(one, "is covered when it has the focus (2.4.11)");
  }
  document.activeElement.blur();
}

const focusShown = (element) => element.matches(":focus-visible") && !covered(element);

// Whether something else lies on its middle. 2.4.11 wants that not all of it is hidden; its middle can be read.
function covered(element) {
  const box = element.getClientRects()[0];
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return !top || !(element.contains(top) || top.contains(element));
}
