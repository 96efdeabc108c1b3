// Ticks while packing: each is saved at once, and what other telephones tick appears here. Without a network they wait
// in this browser, by the ids of lines only.

const page = document.querySelector("[data-pack]");
if (page) begin(page.dataset.pack, page.dataset.sale);

function begin(address, sale) {
  const store = `pack ${sale}`;
  const waiting = new Map(Object.entries(JSON.parse(localStorage.getItem(store) ?? "{}"))); // whether ticked, by line
  const boxes = new Map([...document.querySelectorAll("input[data-line]")].map((box) => [box.dataset.line, box]));
  let isBusy = false;
  const notice = document.querySelector("[data-waiting]");

  for (const button of document.querySelectorAll("[data-without-script]")) button.hidden = true;
  for (const [line, ticked] of waiting) if (boxes.has(line)) boxes.get(line).checked = ticked;
  document.addEventListener("change", ({ target }) => {
    if (!target.dataset.line) return;
    waiting.set(target.dataset.line, target.checked);
    save();
  });
  addEventListener("online", save);
  setInterval(() => document.hidden || save(), 15000);

  function remember() {
    if (waiting.size) localStorage.setItem(store, JSON.stringify(Object.fromEntries(waiting)));
    else localStorage.removeItem(store);
  }

  // Sends what waits, or asks what others have done, and shows the answer.
  async function save() {
    remember();
    if (isBusy) return; // what was ticked meanwhile is sent after that
    isBusy = true;
    await send().finally(() => { isBusy = false; });
  }

  async function send() {
    const sent = new Map(waiting);
    const body = new URLSearchParams({ script: "1", lines: [...sent.keys()].join(" ") });
    for (const [line, ticked] of sent) if (ticked) body.set(`tick/${line}`, "1");
    const request = sent.size
      ? fetch(`${address}?then=ticks&sale=${sale}`, { method: "POST", body, signal: AbortSignal.timeout(8000) })
      : fetch(`${address}/progress.json?sale=${sale}`, { signal: AbortSignal.timeout(8000) });
    const answer = await request.then((each) => (each.ok && !each.redirected ? each.json() : null)).catch(() => null);
    notice.hidden = answer !== null || !waiting.size;
    if (answer === null) return;
    for (const [line, ticked] of sent) if (waiting.get(line) === ticked) waiting.delete(line);
    remember();
    show(answer);
    if (waiting.size) await send();
  }

  function show({ lines, crates }) {
    const ticked = new Set(lines);
    for (const [line, box] of boxes) if (!waiting.has(line)) box.checked = ticked.has(line);
    for (const [order, text] of Object.entries(crates)) {
      const place = document.querySelector(`[data-order="${CSS.escape(order)}"]`);
      if (place && place.textContent !== text) place.textContent = text;
    }
  }
}
