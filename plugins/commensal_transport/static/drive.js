// The run sheet on a driver's telephone. The page's own list is kept, and what was noted since is shown on it; it works
// without a network (queue.js).

const [{ Queue, element, fill }, { Camera, canScan }] = await Promise.all([...document.querySelectorAll("link[rel=modulepreload]")].map((link) => import(link.href)));

const sheet = document.getElementById("sheet");
const online = document.querySelectorAll("#after, #photos form"); // what takes a network, and all that was noted
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
  return { path, body: { booking_id: event.booking, event: event.event, crates: event.crates, celsius: event.celsius, empties: event.empties ?? null, code: event.code ?? "", at: event.at } };
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
  sheet.replaceChildren(bar, ...[queue.door(), queue.refusals(describe), canScan && scanner()].filter(Boolean), ...stops.childNodes,
    ...(isDone && !queue.waiting.length ? [element("p", { class: "actions" }, element("a", { class: "button", href: `${home}?done=noted` }, queue.list.texts.over))] : []));
  for (const part of online) part.hidden = queue.isOffline || queue.waiting.length > 0;
}

// Shows a booking at a stop as it is with what this telephone has noted since.
function show(entry) {
  const noted = queue.events.filter((event) => event.booking === entry.dataset.booking && !queue.conflicts.includes(event));
  for (const event of noted) entry.dataset.state = event.after;
  if (noted.length) entry.querySelector(".state").textContent = `${noted.at(-1).deed} ${queue.hour(noted.at(-1).at)}`;
  const form = entry.querySelector("form");
  for (const button of form.querySelectorAll("button")) button.hidden = button.dataset.before !== entry.dataset.state;
  for (const part of [...form.querySelectorAll("details"), form]) part.hidden = !part.querySelector("button:not([hidden])");
  form.elements.code.value = scanned.get(form.elements.code.id) ?? "";
}

// What the server refused to record, in words.
function describe(event) {
  return `${queue.hour(event.at)} ${event.what}.`;
}

// ------------------------------------------------------------------------------------------------ codes

const camera = new Camera();
const scanned = new Map(); // codes that were read and wait for what is noted with them, by the ids of their fields
let scanMessage = ""; // what was said of the last code

function scanner() {
  const problem = element("p", { class: "problem", role: "alert" }, scanMessage);
  const place = element("div", { class: "scan" });
  const button = element("button", { class: "second", type: "button", onclick: () => camera.video ? stopCamera() : read() }, camera.video ? queue.list.texts.stop_scan : queue.list.texts.scan);
  if (camera.video) place.append(camera.video);

  async function read() {
    scanMessage = "";
    try {
      place.append(await camera.open(useCode));
      button.textContent = queue.list.texts.stop_scan;
    } catch {
      problem.textContent = queue.list.texts.no_camera;
    }
  }

  return element("div", {}, button, place, problem);
}

function stopCamera() {
  camera.close();
  draw();
}

// Writes a code that was read to the load of which it is.
async function useCode(text) {
  if (!camera.video) return;
  const { texts } = queue.list;
  const code = asCode(text);
  const entry = code && document.querySelector(`[data-digest="${await digestOf(code)}"]`);
  const form = entry?.querySelector("form");
  const isOpen = form && form.querySelector(`button:not([hidden])`);
  scanMessage = fill(!code ? texts.not_a_code : !entry ? texts.other_code : isOpen ? texts.read_code : texts.used_code, { name: entry?.dataset.sender ?? "" });
  if (isOpen) scanned.set(form.elements.code.id, code);
  stopCamera();
  if (isOpen) document.getElementById(form.elements.code.id).scrollIntoView({ block: "center" });
}

// A code in the one way in which it is compared, as `codes.py` reads it; null if it is none.
function asCode(text) {
  const code = text.trim().toLowerCase().replace(/^commensal:load:/, "").replace(/[\s.-]/g, "");
  return /^[0-9a-f]{32}$/.test(code) || (/^\d{7}$/.test(code) && checkSum(code) % 10 === 0) ? code : null;
}

// ISO/IEC 7812-1 (Luhn); it is a multiple of ten for digits that are typed without a slip.
const checkSum = (digits) => [...digits].reverse().map(Number).reduce((sum, digit, place) => sum + (place % 2 ? Math.floor(2 * digit / 10) + (2 * digit) % 10 : digit), 0);

async function digestOf(code) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ------------------------------------------------------------------------------------------------ what happens

async function noteDown(event) {
  event.preventDefault();
  const { target: form, submitter } = event;
  const { texts } = queue.list;
  const entry = form.closest("[data-booking]");
  const crates = form.elements.crates.value.trim();
  const celsius = form.elements.celsius?.value.trim().replace(",", ".").replace("−", "-") ?? "";
  const empties = form.elements.empties?.value.trim() ?? "";
  const isCount = [crates, empties].every((count) => /^\d{0,5}$/.test(count) && Number(count) <= 10_000);
  const isTemperature = !celsius || (/^-?\d{1,2}(\.\d)?$/.test(celsius) && Math.abs(celsius) <= 60);
  const typed = ["pick_up", "deliver"].includes(submitter.value) ? form.elements.code.value.trim() : "";
  const code = typed && asCode(typed);
  const isOther = code?.length === 32 && await digestOf(code) !== entry.dataset.digest;
  const wrong = !isCount ? texts.not_crates : !isTemperature ? texts.not_celsius : code === null ? texts.not_a_code : isOther ? texts.other_code : "";
  if (wrong) {
    form.querySelector(".problem")?.remove();
    form.append(element("p", { class: "problem", role: "alert" }, wrong));
    return;
  }
  scanned.delete(form.elements.code.id);
  scanMessage = "";
  document.activeElement.blur();
  queue.note({
    booking: entry.dataset.booking, event: submitter.value, before: submitter.dataset.before, after: submitter.dataset.after,
    what: submitter.textContent, deed: submitter.querySelector(".deed").textContent,
    crates: crates ? Number(crates) : null, celsius: celsius || null, empties: empties ? Number(empties) : null, code,
  }).then(draw);
}

if (await queue.begin()) {
  draw();
  sheet.addEventListener("submit", noteDown);
  document.getElementById("main").dataset.ready = "yes";
  queue.send();
}
