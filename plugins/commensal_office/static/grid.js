// The grid of prices and stock: arrow keys and Enter move, a block of a spreadsheet is pasted, changes are marked.
// Without it the page is a form like any other.

const form = document.querySelector(".grid-form");
const bar = document.querySelector(".changes");
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

form?.addEventListener("input", mark);
form?.addEventListener("submit", () => { sent = true; });
form?.addEventListener("keydown", (event) => {
  if (!event.target.matches("input.cell")) return;
  const by = { ArrowDown: 1, Enter: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  move(event.target, by);
});
form?.addEventListener("paste", (event) => {
  const rows = event.clipboardData.getData("text").replace(/\r/g, "").replace(/\n$/, "").split("\n");
  if (!event.target.matches("input.cell") || rows.length < 2) return;
  event.preventDefault();
  const list = column(event.target);
  const first = list.indexOf(event.target);
  rows.forEach((row, index) => {
    const cell = list[first + index];
    if (cell) cell.value = row.split("\t")[0].replace(/[€\s]/g, "");
  });
  mark();
});
addEventListener("beforeunload", (event) => {
  if (form && !sent && mark()) event.preventDefault();
});
if (form) mark();
