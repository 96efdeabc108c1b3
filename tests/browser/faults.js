// What is wrong with the page as it stands on the screen, as a list of sentences: what axe finds, and what axe does not
// look at or cannot decide. Where a rule comes from is said as the number of a success criterion of WCAG 2.2.

// Rules of axe that are off unless they are asked for.
const RULES = ["focus-order-semantics", "table-fake-caption", "target-size", "td-has-header"];

async function faults() {
  const found = [];
  const say = (element, what) => found.push(`${named(element)} ${what}`);
  document.querySelectorAll("details").forEach((one) => (one.open = true));
  const undecided = await unpinned(() => tellOfAxe(say));
  if (document.documentElement.scrollWidth > window.innerWidth) {
    say(document.documentElement, `scrolls sideways: ${document.documentElement.scrollWidth} px (1.4.10)`);
  }
  for (const one of shown(".table-frame").filter((frame) => frame.scrollWidth > frame.clientWidth + 1)) {
    say(one, `hides columns: ${one.scrollWidth} px in ${one.clientWidth} (1.4.10)`);
  }
  labels(say);
  contrasts(say, undecided);
  columns(say);
  focus(say);
  return found;
}

// Says what violates a rule of axe. Returns the elements whose contrast axe could not tell, as what something lies over.
async function tellOfAxe(say) {
  const { violations, incomplete } = await axe.run(document, {
    rules: Object.fromEntries(RULES.map((name) => [name, { enabled: true }])),
    resultTypes: ["violations", "incomplete"],
    elementRef: true,
    preload: false, // it would fetch the styles once more
  });
  for (const { id, help, tags, nodes } of violations) {
    const criteria = tags.flatMap((tag) => tag.match(/^wcag\d{3,}$/) ? [tag.slice(4).replace(/^(.)(.)/, "$1.$2.")] : []);
    nodes.forEach(({ element }) => say(element, `${id}: ${help} (${criteria.join(", ") || "best practice"})`));
  }
  return incomplete.filter(({ id }) => id === "color-contrast").flatMap(({ nodes }) => nodes.map((node) => node.element));
}

// Does something while no bar sticks to the screen: axe takes what lies under one, until somebody scrolls, for covered.
async function unpinned(act) {
  const bars = shown("body *").filter((one) => /sticky|fixed/.test(getComputedStyle(one).position));
  const positions = bars.map((one) => one.style.position);
  bars.forEach((one) => one.style.setProperty("position", "static", "important"));
  const result = await act();
  bars.forEach((one, place) => one.style.setProperty("position", positions[place]));
  return result;
}

const FIELDS = "input:not([type=hidden]), textarea, select";

function named(element) {
  const words = (element.innerText || element.id || "").trim().replace(/\s+/g, " ").slice(0, 40);
  return `<${element.localName}> ${words}`.trim();
}

const shown = (selector) =>
  [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility({ visibilityProperty: true }));

// For axe, a placeholder is label enough. It is gone as soon as somebody types.
function labels(say) {
  for (const one of shown(FIELDS)) {
    if (![...one.labels].some((label) => label.innerText.trim())) say(one, "has no label (3.3.2)");
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

function contrasts(say, undecided) {
  undecided.forEach((one) => legible(say, one, getComputedStyle(one), ""));
  for (const one of shown(FIELDS).filter((each) => each.placeholder)) {
    legible(say, one, getComputedStyle(one, "::placeholder"), " before typing");
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
