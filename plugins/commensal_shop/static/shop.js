// The page of a sale, where there is JavaScript: quantities have buttons and are saved where they stand, and searches
// show what they find in place. Without it the same form does the same with a button.

const form = document.querySelector("form[data-saves]");
const SOON = 350; // milliseconds after the last tap until it is saved
const LATER = 4000; // until the next try, where there is no connection

// ------------------------------------------------------------------------------------------------ quantities

const fields = () => [...form.querySelectorAll(".step input")];
const itemOf = (field) => field.name.slice("items/".length);
const piecesIn = (field) => (/^\d{1,9}$/.test(field.value) ? Number(field.value) : 0);
const show = (field, pieces) => (field.value = pieces || "");

function addButtons() {
  for (const step of form.querySelectorAll(".step:not(:has(button))")) {
    const name = nameOf(step);
    step.prepend(button("−", `${form.dataset.less}, ${name}`, -1));
    step.append(button("+", `${form.dataset.more}, ${name}`, 1));
  }
}

// What a button buys, for who hears it: product and producer, then the size.
function nameOf(step) {
  const label = step.closest(".size").querySelector("label");
  return [".unseen", ".what"].map((part) => label.querySelector(part).textContent).join("").trim();
}

function button(sign, label, by) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: sign });
  made.setAttribute("aria-label", label);
  made.dataset.by = by;
  return made;
}

form?.addEventListener("click", (event) => {
  const pressed = event.target.closest(".step button");
  if (!pressed) return;
  const field = pressed.parentElement.querySelector("input");
  const most = field.max === "" ? Infinity : Number(field.max);
  show(field, Math.max(0, Math.min(piecesIn(field) + Number(pressed.dataset.by), Math.max(most, piecesIn(field)))));
  soon();
});

// Marks goods as a favourite where they stand; without an answer the button does what it does without a script.
form?.addEventListener("click", async (event) => {
  const star = event.target.closest(".star");
  if (!star || star.disabled) return;
  event.preventDefault();
  star.disabled = true;
  const answer = await send(new URLSearchParams([["then", star.value], ["member", "1"], ["was", wasText()]]));
  star.disabled = false;
  if (!answer || answer.link) return form.requestSubmit(star);
  const marked = star.value.startsWith("star/");
  star.setAttribute("aria-pressed", marked);
  star.value = star.value.replace(/^(un)?star/, marked ? "unstar" : "star");
});

form?.addEventListener("input", (event) => {
  if (event.target.closest(".step")) soon();
  else if (event.target.name === "q") soonSearched();
});

// Opens the shelf that a link leads to, where the browser does not do so by itself; a print shows them all.
form?.addEventListener("click", (event) => {
  const link = event.target.closest('.chip[href^="#"]');
  if (link) document.querySelector(link.hash).closest("details").open = true;
});
addEventListener("beforeprint", () => form?.querySelectorAll(".shelf").forEach((shelf) => (shelf.open = true)));

form?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.closest?.(".step input")) return;
  event.preventDefault(); // it would press the first button of the form, which searches
  save();
});

// ------------------------------------------------------------------------------------------------ saving

let saved = new Map(); // pieces by item, as the server has them
let underway = null; // the changes of which no answer has come; they are sent again, and the server counts them once
let busy = null; // the promise of the request that is being made
let timer = 0;

const wasText = () => [...saved].map(([item, pieces]) => `${item}:${pieces}`).join(" ");
const readWas = (text) =>
  new Map(text.split(" ").filter(Boolean).map((pair) => [pair.split(":")[0], Number(pair.split(":")[1])]));
const changed = () => fields().filter((field) => piecesIn(field) !== (saved.get(itemOf(field)) ?? 0));

function soon() {
  keep();
  clearTimeout(timer);
  timer = setTimeout(save, SOON);
}

// Saves all changes, one request after the other, or asks for the state of the basket. Tells whether the server has
// them all.
async function save(ask = false) {
  clearTimeout(timer);
  while (busy) await busy;
  while (ask || underway || changed().length) {
    ask = false;
    underway ??= new URLSearchParams([
      ...changed().map((field) => [field.name, String(piecesIn(field))]),
      ["was", wasText()],
      ["member", form.elements.member?.value ?? ""],
    ]);
    busy = send(underway);
    const answer = await busy;
    busy = null;
    if (!answer) {
      underway.set("again", "1");
      tell(form.dataset.offline, "");
      timer = setTimeout(save, LATER);
      return false;
    }
    const sent = underway;
    underway = null;
    take(answer, sent);
    if (answer.refused) return false;
  }
  return true;
}

async function send(body) {
  try {
    const headers = { Accept: "application/json" };
    const response = await fetch(form.action, { method: "POST", body, headers, keepalive: true });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

// Shows the cart as the server has it; what was typed since it was asked stays, and is saved next.
function take(answer, sent) {
  if (!answer.refused) {
    if (answer.link) acknowledge(sent);
    else adopt(answer, sent);
    tell(answer.notice, answer.link);
    keep();
  }
  for (const field of fields()) mark(field, answer.problems[itemOf(field)] ?? "");
}

// The session has ended: what was sent waits in another basket until the next log-in, and this page shows its own.
function acknowledge(sent) {
  for (const field of fields()) if (sent.has(field.name)) saved.set(itemOf(field), Number(sent.get(field.name)));
}

function adopt(answer, sent) {
  const before = (field) => (sent.has(field.name) ? Number(sent.get(field.name)) : saved.get(itemOf(field)) ?? 0);
  const untouched = fields().filter((field) => piecesIn(field) === before(field));
  saved = new Map(Object.entries(answer.items));
  form.elements.was.value = answer.was;
  for (const field of untouched) show(field, saved.get(itemOf(field)) ?? 0);
  form.querySelector("[data-dock]").innerHTML = answer.dock;
  const link = document.querySelector("[data-basket]");
  if (link) link.textContent = answer.basket;
}

function mark(field, text) {
  const id = `${field.id}-problem`;
  let problem = document.getElementById(id);
  if (!text) {
    problem?.remove();
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    return;
  }
  if (!problem) {
    problem = Object.assign(document.createElement("p"), { id, className: "problem" });
    field.closest(".size").append(problem);
  }
  problem.textContent = text;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", id);
}

// Says something in the dock, with a link if there is one; "" takes it away.
function tell(text, link) {
  const dock = form.querySelector(".dock");
  dock.querySelector(".notice")?.remove();
  if (!text) return;
  const notice = Object.assign(document.createElement("p"), { className: "notice", textContent: `${text} ` });
  notice.setAttribute("role", "alert");
  if (link) notice.append(Object.assign(document.createElement("a"), { href: link, textContent: form.dataset.link }));
  dock.prepend(notice);
}

// ------------------------------------------------------------------------------------------------ nothing is lost

const KEY = `basket ${location.pathname}`;

// Keeps in this tab what the server does not have yet: the page may be left or closed before there is a connection.
function keep() {
  const open = changed().map((field) => [itemOf(field), piecesIn(field), saved.get(itemOf(field)) ?? 0]);
  if (open.length) sessionStorage.setItem(KEY, JSON.stringify(open));
  else sessionStorage.removeItem(KEY);
}

function takeUp() {
  for (const [item, typed, was] of JSON.parse(sessionStorage.getItem(KEY) ?? "[]")) {
    const field = document.getElementById(`items/${item}`);
    const now = saved.get(item) ?? 0;
    if (field) show(field, now === was || typed === 0 ? typed : now === typed ? now : Math.max(0, now + typed - was));
  }
}

form?.addEventListener("submit", async (event) => {
  if (!busy && !underway) return; // the form itself carries what was typed
  event.preventDefault();
  if (await save()) form.requestSubmit(event.submitter);
});

addEventListener("online", () => form && save());
addEventListener("pagehide", () => form && !busy && changed().length && save());
addEventListener("pageshow", (event) => event.persisted && form && location.reload());

// ------------------------------------------------------------------------------------------------ searching

let searchTimer = 0;
let searches = 0;

function soonSearched() {
  clearTimeout(searchTimer);
  searchTimer = setTimeout(search, SOON);
}

// Replaces the goods by those that a search finds, without leaving the field.
async function search() {
  const number = ++searches;
  if (!(await save())) return;
  const parameters = new URLSearchParams(form.elements.sought.value);
  parameters.delete("q");
  if (form.elements.q.value.trim()) parameters.set("q", form.elements.q.value.trim());
  const address = `${location.pathname}${parameters.size ? `?${parameters}` : ""}`;
  const response = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok || number !== searches) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of ["#offers", ".chips", ".symbols"]) {
    document.querySelector(part).replaceWith(document.adoptNode(page.querySelector(part)));
  }
  form.elements.sought.value = page.querySelector("[name=sought]").value;
  history.replaceState(null, "", address);
  addButtons();
}

// ------------------------------------------------------------------------------------------------ the time left

// Counts down from what the server said was left: the clock of a telephone may be wrong.
function countDown(pill) {
  const left = Number(pill.dataset.left) - Math.floor(performance.now() / 60_000);
  if (left < 0) return save(true); // the server says that orders are closed
  const [hours, minutes] = [Math.floor(left / 60), left % 60];
  const time = (hours ? pill.dataset.hours : pill.dataset.minutes).replace("{hours}", hours).replace("{minutes}", minutes);
  pill.textContent = pill.dataset.text.replace("{time}", time);
  setTimeout(countDown, 20_000, pill);
}

if (form) {
  saved = readWas(form.elements.was.value);
  addButtons();
  takeUp();
  const toBasket = form.querySelector("[data-live]");
  if (toBasket) toBasket.textContent = toBasket.dataset.live;
  if (changed().length) soon();
  const pill = document.querySelector("[data-left]");
  if (pill) countDown(pill);
}
