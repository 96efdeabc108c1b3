// The run sheet on a driver's telephone. The page's own list is kept, and what was noted since is shown on it; it works
// without a network (queue.js).

const { Queue, element, fill } = await import(document.querySelector("link[rel=modulepreload]").href);

const sheet = document.getElementById("sheet");
const after = document.getElementById("after");
const [, , enterprise, , , trip] = location.pathname.split("/");
const home = `/office/${enterprise}/transport/trips/${trip}`;

const queue = new Queue({
  name: "transport", subject: { enterprise, trip }, home, source: home,
  worker: `/office/${enterprise}/transport/trips/worker.js`, request, draw, read,
});

// The list is a part of the page; a trip that is over has none.
async function read(answer) {
  const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("sheet");
  return part?.dataset.kept ? { ...JSON.parse(part.dataset.kept), trip, stops: part.innerHTML } : null;
}

function request(event) {
  const path = `/api/-/transport/enterprises/${event.enterprise}/trips/${event.trip}/events`;
  return { path, body: { booking_id: event.booking, event: event.event, crates: event.crates, celsius: event.celsius, empties: event.empties ?? null, at: event.at } };
}

// ------------------------------------------------------------------------------------------------ what is shown

function draw() {
  if (!queue.list) return;
  const bar = queue.bar(fill(queue.list.texts.list_of, { hour: queue.hour(queue.list.loaded) }));
  if (sheet.contains(document.activeElement) && document.activeElement.matches("input")) { // somebody is typing there
    sheet.querySelector(".network")?.replaceWith(bar);
    return;
  }
  const stops = element("div");
  stops.innerHTML = queue.list.stops;
  for (const entry of stops.querySelectorAll("[data-booking]")) show(entry);
  const isOpen = (stop) => stop.querySelector("form:not([hidden])") !== null;
  const all = [...stops.querySelectorAll(".stops > li")];
  all.find(isOpen)?.setAttribute("aria-current", "step");
  const isDone = !all.some(isOpen) && !stops.querySelector("[data-state=picked_up]");
  sheet.replaceChildren(bar, ...[queue.door(), queue.refusals(describe)].filter(Boolean), ...stops.childNodes,
    ...(isDone && !queue.waiting.length ? [element("p", { class: "actions" }, element("a", { class: "button", href: `${home}?done=noted` }, queue.list.texts.over))] : []));
  if (after) after.hidden = queue.isOffline || queue.waiting.length > 0;
}

// Shows a booking at a stop as it is with what this telephone has noted since.
function show(entry) {
  const noted = queue.events.filter((event) => event.booking === entry.dataset.booking && event.state !== "conflict");
  for (const event of noted) entry.dataset.state = event.after;
  if (noted.length) entry.querySelector(".state").textContent = `${noted.at(-1).deed} ${queue.hour(noted.at(-1).at)}`;
  const form = entry.querySelector("form");
  for (const button of form.querySelectorAll("button")) button.hidden = button.dataset.before !== entry.dataset.state;
  for (const part of [...form.querySelectorAll("details"), form]) part.hidden = !part.querySelector("button:not([hidden])");
}

// What the server refused to record, in words.
function describe(event) {
  return `${queue.hour(event.at)} ${event.what}.`;
}

// ------------------------------------------------------------------------------------------------ what happens

function noteDown(event) {
  event.preventDefault();
  const { target: form, submitter } = event;
  const crates = form.elements.crates.value.trim();
  const celsius = form.elements.celsius?.value.trim().replace(",", ".").replace("−", "-") ?? "";
  const empties = form.elements.empties?.value.trim() ?? "";
  const isCount = [crates, empties].every((count) => /^\d{0,5}$/.test(count) && Number(count) <= 10_000);
  const isTemperature = !celsius || (/^-?\d{1,2}(\.\d)?$/.test(celsius) && Math.abs(celsius) <= 60);
  if (!isCount || !isTemperature) {
    form.querySelector(".problem")?.remove();
    form.append(element("p", { class: "problem", role: "alert" }, isCount ? queue.list.texts.not_celsius : queue.list.texts.not_crates));
    return;
  }
  const entry = form.closest("[data-booking]");
  document.activeElement.blur();
  queue.note({
    booking: entry.dataset.booking, event: submitter.value, before: submitter.dataset.before, after: submitter.dataset.after,
    what: submitter.textContent, deed: submitter.querySelector(".deed").textContent,
    crates: crates ? Number(crates) : null, celsius: celsius || null, empties: empties ? Number(empties) : null,
  }).then(draw);
}

if (await queue.begin()) {
  draw();
  sheet.addEventListener("submit", noteDown);
  document.getElementById("main").dataset.ready = "yes";
  queue.send();
}
