// The grid of prices and stock: arrow keys and Enter move, with Shift they select, a block of a spreadsheet is pasted,
// a selection is filled or changed by a percentage, and all of that can be undone. Without it the page is a form like
// any other. Nothing is saved but by the form.

const form = document.querySelector(".grid-form");
const bar = document.querySelector(".changes");
const tools = document.querySelector(".tools");
const cells = () => [...form.querySelectorAll("input.cell")];
const before = (cell) => form.elements[`was/${cell.name}`].value;
let sent = false;

function column(cell) {
  const kind = cell.name.split("/")[0];
  return cells().filter((each) => each.name.startsWith(`${kind}/`));
}

function move(cell, by) {
  const list = column(cell);
  const next = list[list.indexOf(cell) + by];
  next?.focus();
  next?.select();
}

function mark() {
  const changed = cells().filter((cell) => cell.value.trim() !== before(cell));
  for (const cell of cells()) cell.classList.toggle("dirty", changed.includes(cell));
  bar.textContent = changed.length ? `${changed.length} ✎` : "";
  return changed.length;
}

// ------------------------------------------------------------------------------------------------ undoing

const done = []; // batches of changes: the cells with the values that they had before
let entered = null; // the cell that has the focus, and its value when it got it

// Writes new values, as one batch that can be undone.
function write(changes) {
  const batch = changes.filter(([cell, value]) => cell.value !== value).map(([cell]) => [cell, cell.value]);
  for (const [cell, value] of changes) cell.value = value;
  if (batch.length) done.push(batch);
  if (entered) entered = [entered[0], entered[0].value];
  mark();
}

function undo() {
  for (const [cell, value] of done.pop() ?? []) cell.value = value;
  if (entered) entered = [entered[0], entered[0].value];
  mark();
}

// ------------------------------------------------------------------------------------------------ selecting

let anchor = null; // where the selection begins
let head = null; // and where it ends

function picked() {
  if (!anchor) return [];
  const list = column(anchor);
  const [first, last] = [list.indexOf(anchor), list.indexOf(head)].sort((one, other) => one - other);
  return list.slice(first, last + 1);
}

function select(from, to) {
  if (column(from).includes(to)) [anchor, head] = [from, to];
  const chosen = picked();
  for (const cell of cells()) cell.classList.toggle("picked", chosen.length > 1 && chosen.includes(cell));
}

// Gives the cells of the selection, or else all below, the value of the first.
function fill() {
  if (!anchor) return;
  const chosen = picked();
  const list = column(anchor);
  const goals = chosen.length > 1 ? chosen : list.slice(list.indexOf(anchor));
  write(goals.map((cell) => [cell, goals[0].value]));
}

// Prices are worked out in whole parts of their last digit, so that no binary fraction comes in.
function byPercent(text, percent) {
  const parts = /^(\d+)(?:([.,])(\d*))?$/.exec(text.trim());
  if (!parts) return text;
  const [, whole, point = "", rest = ""] = parts;
  const worked = String(Math.round((Number(whole + rest) * (10_000 + Math.round(percent * 100))) / 10_000));
  if (!point) return worked;
  const padded = worked.padStart(rest.length + 1, "0");
  return `${padded.slice(0, padded.length - rest.length)}${point}${padded.slice(padded.length - rest.length)}`;
}

function changePrices() {
  const percent = Number(document.getElementById("percent").value.trim().replace(",", "."));
  if (!Number.isFinite(percent) || percent <= -100) return;
  const prices = cells().filter((cell) => cell.name.startsWith("price/"));
  const chosen = picked().filter((cell) => prices.includes(cell));
  write((chosen.length > 1 ? chosen : prices).map((cell) => [cell, byPercent(cell.value, percent)]));
}

// ------------------------------------------------------------------------------------------------ events

form?.addEventListener("input", mark);
form?.addEventListener("submit", () => { sent = true; });
form?.addEventListener("focusin", (event) => {
  if (!event.target.matches("input.cell")) return;
  entered = [event.target, event.target.value];
  select(event.target, event.target);
});
form?.addEventListener("change", (event) => {
  if (entered?.[0] !== event.target || entered[1] === event.target.value) return;
  done.push([[event.target, entered[1]]]);
  entered = [event.target, event.target.value];
});
form?.addEventListener("mousedown", (event) => {
  if (!event.shiftKey || !anchor || !event.target.matches("input.cell")) return;
  event.preventDefault(); // the focus stays where the selection begins
  select(anchor, event.target);
});
form?.addEventListener("keydown", (event) => {
  if (!event.target.matches("input.cell")) return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z") {
    if (event.target.value !== entered?.[1]) return; // the browser undoes what is being typed
    event.preventDefault();
    return undo();
  }
  if ((event.ctrlKey || event.metaKey) && key === "d") {
    event.preventDefault();
    return fill();
  }
  const by = { ArrowDown: 1, Enter: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  if (event.shiftKey && event.key !== "Enter") {
    const list = column(event.target);
    const next = list[list.indexOf(head) + by];
    if (next) select(anchor, next);
  } else move(event.target, by);
});
form?.addEventListener("paste", (event) => {
  const rows = event.clipboardData.getData("text").replace(/\r/g, "").replace(/\n$/, "").split("\n");
  if (!event.target.matches("input.cell") || rows.length < 2) return;
  event.preventDefault();
  const list = column(event.target);
  const first = list.indexOf(event.target);
  write(
    rows
      .map((row, index) => [list[first + index], row.split("\t")[0].replace(/[€\s]/g, "")])
      .filter(([cell]) => cell),
  );
});
tools?.addEventListener("click", (event) => {
  const tool = event.target.dataset.tool;
  if (tool === "undo") undo();
  if (tool === "fill") fill();
  if (tool === "percent") changePrices();
});
addEventListener("beforeunload", (event) => {
  if (form && !sent && mark()) event.preventDefault();
});
if (form) {
  mark();
  if (tools) tools.hidden = false;
}
