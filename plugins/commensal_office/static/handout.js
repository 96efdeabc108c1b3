// The hand-out on a telephone: who comes, what they get, and what they owe. It works without a network (queue.js).

const [{ Queue, element, fill }, { Camera, canScan }, { total }] = await Promise.all([...document.querySelectorAll("link[rel=modulepreload]")].map((link) => import(link.href)));

const main = document.getElementById("main");
const [, , enterprise, , session] = location.pathname.split("/");
const home = `/office/${enterprise}/handout/${session}`;
let result = { words: "", ids: [], others: [] }, searching; // what the server finds: the list here has names and numbers only
let texts, shown = new URLSearchParams(location.search).get("show") ?? "", words = "", message = null;

const queue = new Queue({
  name: "handout", subject: { enterprise, session }, home, source: `${home}/list.json`,
  worker: `/office/${enterprise}/handout/worker.js`, request, draw,
});

function request(event) {
  const path = `/api/-/office/enterprises/${event.enterprise}/orders/${event.order}/hand-out`;
  if (event.kind === "undo") return { path: `${path}/undo`, body: null };
  return { path, body: { weights: event.weights, method: event.method, amount: event.amount, returned: event.returned ?? [], at_estimate: event.at_estimate ?? true, at: event.at } };
}

// ------------------------------------------------------------------------------------------------ what is so

// An order with what this telephone has noted since the list was loaded.
function now(order) {
  let state = { ...order };
  for (const event of queue.events.filter((each) => each.order === order.id && !queue.conflicts.includes(each))) {
    if (event.kind === "undo") state = { ...state, gone: null, due: (state.due ?? 0) + (state.taken ?? 0), taken: 0, paid: (state.paid ?? 0) - (state.taken ?? 0) };
    else if (!state.gone) state = { ...state, gone: event.at, returned: event.returned ?? state.returned, taken: event.amount, due: (event.due ?? state.due) - event.amount, paid: (state.paid ?? 0) + event.amount };
  }
  return state;
}

// A text for one or for several: the server sends both forms.
const count = (forms, number) => fill(forms[new Intl.PluralRules(queue.list.language).select(number) === "one" ? 0 : 1], { number });
const money = (amount) => new Intl.NumberFormat(queue.list.language === "fr" ? "fr-FR" : "en-GB", { style: "currency", currency: queue.list.currency }).format(amount / minor());
const minor = () => 10 ** new Intl.NumberFormat("en", { style: "currency", currency: queue.list.currency }).resolvedOptions().maximumFractionDigits;
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
const unweighed = (order) => order.lines.some((line) => line.weigh && line.quantity && line.final === null);

// A weight like 0,985 or 0.5+0.48; null if it is none.
function weight(text) {
  const parts = text.split("+").map((part) => part.trim().replace(",", "."));
  return parts.every((part) => /^\d+(\.\d*)?$|^\.\d+$/.test(part)) ? parts.reduce((sum, part) => sum + Number(part), 0) : null;
}

// ------------------------------------------------------------------------------------------------ what is shown

function go(path) {
  history.pushState(null, "", path);
  message = null;
  draw();
  scrollTo(0, 0);
}

const link = (attributes, path, ...children) => element("a", { ...attributes, href: path, onclick: (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(path);
} }, ...children);

const bar = () => queue.bar(`${count(texts.complete, queue.list.orders.length)} · ${fill(texts.list_of, { hour: queue.hour(queue.list.loaded) })}`);

function draw() {
  if (!queue.list) return;
  const typed = document.activeElement?.id === "q";
  const id = location.pathname.split("/")[5];
  const order = queue.list.orders.find((each) => each.id === id);
  if (order && main.dataset.order === id && main.querySelector(".pay")) { // somebody is typing weights there
    main.querySelector(".network").replaceWith(bar());
    return;
  }
  main.dataset.order = id ?? "";
  main.replaceChildren(bar(), ...(order ? person(now(order)) : everybody()));
  if (typed) { const field = document.getElementById("q"); field?.focus(); field?.setSelectionRange(words.length, words.length); } // an order has no such field
}

function everybody() {
  const orders = queue.list.orders.map(now);
  const gone = orders.filter((order) => order.gone).length;
  const key = plain(words);
  const isFound = key && result.words === words.trim();
  const fits = (order) => (!key || plain(`${order.name} ${order.collector}`).includes(key) || String(order.number) === key.replace("#", "") || (isFound && result.ids.includes(order.id)))
    && (shown !== "left" || !order.gone) && (shown !== "weigh" || (!order.gone && unweighed(order)));
  const slots = new Map();
  for (const order of orders.filter(fits)) slots.set(order.slot, [...(slots.get(order.slot) ?? []), order]);
  const sorted = [...slots].sort(([, as], [, bs]) => as.every((each) => each.gone) - bs.every((each) => each.gone)); // else as listed
  return [
    element("div", { class: "row between" },
      element("h1", {}, document.title.split(" – ")[0]),
      element("p", { class: "counter" }, element("strong", {}, String(gone)), `/${orders.length}`)),
    queue.door(),
    message?.gone && !queue.conflicts.some((each) => each.at === message.gone) && done(message),
    refusals("conflict", texts.conflict_why),
    refusals("refused", texts.refused_why),
    element("div", { class: "search find" }, element("div", { class: "field wide" },
      element("label", { for: "q" }, texts.search),
      element("input", { id: "q", type: "search", value: words, autocomplete: "off", oninput: (event) => { words = event.target.value; draw(); clearTimeout(searching); searching = setTimeout(search, 400); } }))),
    canScan && scanner(),
    element("ul", { class: "chips" }, [["", texts.everybody], ["left", isOver() ? texts.not_collected : texts.to_come], ["weigh", texts.to_weigh]].map(([value, label]) =>
      element("li", {}, element("button", { class: "chip", "aria-pressed": String(shown === value), onclick: () => { shown = value; draw(); } }, label)))),
    sorted.length === 0 && !(isFound && result.others.length) && element("p", {}, texts.nobody),
    ...sorted.map(([slot, inSlot]) => section(slot, inSlot)),
    isFound && result.others.length > 0 && elsewhere(result.others),
  ].filter(Boolean);
}

// Asks the server, if there is a network, for what this telephone does not keep: telephone numbers, e-mail addresses,
// cancelled orders and those of other sales.
async function search() {
  const query = words.trim();
  if (query.length < 3) return;
  const answer = await fetch(`${home}/search.json?q=${encodeURIComponent(query)}`, { signal: AbortSignal.timeout(4000) })
    .then((each) => each.ok ? each.json() : null).catch(() => null);
  if (!answer || query !== words.trim()) return;
  result = { words: query, ...answer };
  if (document.getElementById("q")) draw();
}

function elsewhere(others) {
  return element("section", {},
    element("div", { class: "slot" }, element("h2", {}, texts.elsewhere)),
    element("ul", { class: "rows" }, others.map((each) => element("li", {}, element("a", { class: "line gone", href: each.url },
      element("span", { class: "no" }, String(each.number)),
      element("span", { class: "name" }, element("strong", {}, each.name), element("span", { class: "s q" }, each.text)))))));
}

const isOver = () => Date.parse(queue.list.ends) <= Date.now() - (queue.list.ahead ?? 0);

// What the server refused to record, in words.
// What is to be done about events in a state: `why`, if money was taken with one.
function refusals(state, why) {
  const events = queue.conflicts.filter((each) => each.state === state);
  return queue.refusals(refused, events.some((each) => each.amount) ? why : texts.conflict_again, events);
}

function refused(event) {
  const order = queue.list.orders.find((each) => each.id === event.order);
  return `${order?.number ?? ""} · ${order?.name ?? ""}:${event.amount ? ` ${money(event.amount)}.` : ""}`;
}

// Reads the code of an order by the camera, where the browser can; a number may always be typed.
const camera = new Camera();

function scanner() {
  const problem = element("p", { class: "problem", role: "alert" });
  const place = element("div", { class: "scan" });
  const button = element("button", { class: "second", onclick: () => camera.video ? stopCamera() : read() }, camera.video ? texts.stop_scan : texts.scan);
  if (camera.video) place.append(camera.video);

  async function read() {
    problem.textContent = "";
    try {
      place.append(await camera.open(openBy));
      button.textContent = texts.stop_scan;
    } catch {
      problem.textContent = texts.no_camera;
    }
  }

  function openBy(code) {
    const order = queue.list.orders.find((each) => code.includes(each.id)) ?? queue.list.orders.find((each) => String(each.number) === code.trim());
    if (!order) { problem.textContent = texts.no_code; return; }
    stopCamera();
    go(`${home}/${order.id}`);
  }

  return element("div", {}, button, place, problem);
}

function stopCamera() {
  if (!camera.video) return;
  camera.close();
  draw();
}

function section(slot, orders) {
  const left = orders.filter((order) => !order.gone).length;
  orders.sort((a, b) => Boolean(a.gone) - Boolean(b.gone));
  return element("section", {},
    element("div", { class: "slot" }, element("h2", {}, slot || texts.no_slot), element("span", { class: "q" }, left ? count(texts.left, left) : texts.all_gone)),
    element("ul", { class: "rows" }, orders.map((order) => element("li", {}, link({ class: `line${order.gone ? " gone" : ""}` }, `${home}/${order.id}`,
      element("span", { class: "no" }, String(order.number)),
      element("span", { class: "name" }, element("strong", {}, order.name),
        element("span", { class: "s q" }, order.crates ? `${count(texts.crates, order.crates)} · ` : "", count(texts.articles, order.lines.reduce((sum, line) => sum + line.quantity, 0)), order.collector ? ` · ${fill(texts.collector, { name: order.collector })}` : "", order.note ? ` · ${fill(texts.quoted, { note: order.note.slice(0, 60) })}` : "", order.gone ? ` · ${queue.hour(order.gone)}` : "")),
      element("span", { class: "states" }, pills(order)))))));
}

function pills(order) {
  return [
    !order.gone && unweighed(order) && element("span", { class: "pill bad" }, texts.weigh),
    order.gone && element("span", { class: "pill none" }, texts.gone),
    queue.list.money && moneyState(order.due),
  ];
}

function moneyState(due) {
  if (due > 0) return element("span", { class: "pill late" }, fill(texts.is_due, { amount: money(due) }));
  if (due < 0) return element("span", { class: "pill far" }, fill(texts.is_owed, { amount: money(-due) }));
  return element("span", { class: "pill" }, texts.paid);
}

function done(order) {
  return element("div", { class: "message done", role: "status" },
    element("p", {}, element("strong", {}, `${order.number} · ${order.name}`), ` ${fill(texts.done_at, { hour: queue.hour(order.gone) })}${order.taken ? ` ${money(order.taken)}` : ""}`),
    element("button", { class: "second", onclick: async () => { await queue.note({ kind: "undo", order: order.id }); go(`${home}/${order.id}`); } }, texts.undo));
}

// Asks the customer by e-mail what to do with the goods that nobody has collected; this takes a network.
function notCollected(order) {
  if (!order.mailed) return element("p", {}, texts.no_email);
  const answered = element("p", { role: "status" });
  const button = element("button", { class: "second", onclick: async () => {
    button.disabled = true;
    const answer = await fetch(`${home}/${order.id}?then=tell`, { method: "POST" }).catch(() => null);
    button.disabled = Boolean(answer?.ok);
    answered.textContent = answer?.ok ? texts.asked : texts.not_asked;
  } }, texts.nobody_came);
  return element("div", {}, button, answered);
}

function person(order) {
  const lines = order.lines.filter((line) => line.quantity);
  const fields = new Map();
  const problem = element("p", { class: "problem", role: "alert" });
  const due = element("strong", {});
  const dueText = element("span", {});
  let sure = ""; // the questions that were asked already
  let exact = null; // what is due as the server says: for the fields as they were `written`
  let asking = 0;
  let isBusy = false;
  const empties = new Map();
  const before = (kind) => (order.returned ?? []).find((each) => each.supplier_id === kind.supplier_id && each.deposit === kind.deposit)?.pieces ?? 0;

  // Why a text is not a plausible number of containers; "" if it is one.
  function wrongEmpties(text) {
    if (!/^\d+$/.test(text)) return fill(texts.not_empties, { text: text.slice(0, 20) });
    return Number(text) > queue.list.most_empties ? fill(texts.most_empties, { most: queue.list.most_empties }) : "";
  }

  const written = () => JSON.stringify([...fields.values(), ...empties.values()].map((field) => field.value.trim()));
  const isWeighed = () => [...fields].some(([line, field]) => field.value.trim() ? weight(field.value) === null || weight(field.value) !== line.final : line.final !== null);
  const isExact = () => !isWeighed() || exact?.written === written() || totalNow() !== null;

  // Asks the server what is due: other prices may follow the weight, and only it knows them. Returns what it refuses.
  async function ask() {
    const fieldsNow = written();
    if (!queue.list.money || !isWeighed() || exact?.written === written() || queue.waiting.some((each) => each.order === order.id)) return;
    const body = new URLSearchParams();
    for (const [line, field] of fields) body.set(`weights/${line.id}`, field.value);
    for (const [kind, field] of empties) body.set(`back/${kind.supplier_id}/${kind.deposit}`, field.value);
    const answer = await fetch(`${home}/${order.id}?then=due`, { method: "POST", body, signal: AbortSignal.timeout(4000) })
      .then((each) => each.ok || each.status === 422 ? each.json() : null).catch(() => null);
    if (!answer || fieldsNow !== written()) return;
    if (answer.text) { problem.textContent = answer.text; return answer.text; }
    exact = { written: fieldsNow, due: answer.due };
    redraw();
  }

  function changed() {
    sure = "";
    problem.textContent = "";
    redraw();
    clearTimeout(asking);
    asking = setTimeout(ask, 400); // the pause after the last digit
  }

  // The empties that differ from what the list says; the server is told how many there are in all.
  function returned() {
    return [...empties].flatMap(([kind, field]) => {
      const text = field.value.trim() || "0";
      if (wrongEmpties(text)) throw new Error(wrongEmpties(text));
      return Number(text) === before(kind) ? [] : [{ supplier_id: kind.supplier_id, deposit: kind.deposit, pieces: Number(text) }];
    });
  }

  function weights() {
    const typed = {};
    for (const [line, field] of fields) {
      if (!field.value.trim()) continue;
      const value = weight(field.value);
      if (value === null) throw new Error(fill(texts.not_weight, { text: field.value.slice(0, 20) }));
      typed[line.id] = value;
    }
    return typed;
  }

  // The total with the weights as they are typed; null if only the server knows it.
  function totalNow() {
    try { return total(order, weights(), queue.list.vat_added); } catch { return null; /* a text that is no weight */ }
  }

  // What is to be paid with the weights as they are typed: what the server says, what the order's rules say without it,
  // or else about what it will be.
  function dueNow() {
    if (exact?.written === written()) return exact.due;
    let sum = order.due ?? 0;
    let typed = {};
    try { typed = weights(); } catch { /* the server names it when it is sent */ }
    const whole = isWeighed() ? totalNow() : null;
    if (whole !== null) sum = whole - (order.paid ?? 0);
    else for (const line of lines) {
      if (line.id in typed && "price" in line) sum += Math.round((typed[line.id] / line.per_piece) * line.price + 1e-9) - line.goods;
    }
    try {
      for (const each of returned()) sum -= (each.pieces - before(each)) * each.deposit;
    } catch { /* the server names it when it is sent */ }
    return sum;
  }

  // What the empties are worth beyond what the order costs: nobody pays that out, so fewer of them count.
  function beyond() {
    return queue.list.money && [...empties.values()].some((field) => field.value.trim()) ? Math.max(0, -(dueNow() + (order.paid ?? 0))) : 0;
  }

  function redraw() {
    const amount = dueNow(), over = beyond();
    dueText.textContent = over ? texts.beyond : amount > 0 ? texts.to_pay : amount < 0 ? texts.to_give_back : texts.is_paid;
    const sum = money(over || (amount === 0 ? order.paid ?? 0 : Math.abs(amount)));
    due.textContent = isExact() ? sum : fill(texts.about, { amount: sum });
    const state = over ? "beyond" : String(amount > 0);
    if (pay.dataset.due === state) return; // a button that is being pressed stays
    pay.dataset.due = state;
    pay.replaceChildren(...(over ? [element("button", { class: "wide", onclick: countFewer }, texts.count_fewer)] : buttons(amount)));
  }

  // Lowers the numbers of containers, the last kind first, until the order pays for them.
  function countFewer() {
    let over = beyond(), stay = 0;
    for (const [kind, field] of [...empties].reverse()) {
      const pieces = Number(field.value.trim() || "0");
      const fewer = Math.min(pieces, Math.ceil(Math.max(0, over) / kind.deposit));
      if (!fewer) continue;
      field.value = pieces - fewer || "";
      over -= fewer * kind.deposit;
      stay += fewer;
    }
    changed();
    problem.textContent = count(texts.stay, stay);
  }

  async function handOut(method) {
    if (isBusy) return;
    isBusy = true;
    await record(method).finally(() => { isBusy = false; });
  }

  async function record(method) {
    let typed, back;
    try { typed = weights(); back = returned(); } catch (error) { problem.textContent = error.message; return; }
    if (beyond()) { redraw(); return; }
    const doubtful = lines.some((line) => line.id in typed && typed[line.id] && Math.abs(typed[line.id] - line.per_piece * line.quantity) > line.per_piece * line.quantity * queue.list.much);
    const estimated = lines.some((line) => line.weigh && line.final === null && !(line.id in typed));
    const questions = [doubtful && texts.far_off, estimated && texts.not_weighed].filter(Boolean).join(" ");
    if (sure !== questions) { sure = questions; problem.textContent = questions; return; }
    const seen = dueNow();
    if (method && await ask()) return;
    if (method && isExact() && dueNow() !== seen) { problem.textContent = texts.exact; return; }
    const amount = method ? dueNow() : 0;
    const sent = Object.fromEntries(Object.entries(typed).map(([id, value]) => [id, String(Number(value.toFixed(6)))]));
    main.dataset.order = "";
    await queue.note({ kind: "done", order: order.id, weights: sent, returned: back, at_estimate: estimated, method, amount, due: dueNow() });
    go(home);
    message = now(queue.list.orders.find((each) => each.id === order.id));
    draw();
  }

  function buttons(amount) {
    const methods = amount > 0 ? queue.list.methods : [];
    if (!methods.length) return [element("button", { class: "wide", onclick: () => handOut("") }, texts.done)];
    return [
      ...methods.map((method, index) => element("button", { class: index ? "second" : "wide", onclick: () => handOut(method.id) }, fill(texts.received, { method: method.label }))),
      element("button", { class: "second", onclick: () => handOut("") }, texts.later),
    ];
  }

  const pay = element("div", { class: "pay" });
  const rows = order.lines.map((line) => {
    if (!line.quantity) return element("li", { class: "gone" }, element("span", { class: "what" }, element("s", {}, line.name), " ", element("span", { class: "pill bad" }, texts.missing)));
    if (line.weigh && !order.gone) {
      const field = element("input", { id: `w-${line.id}`, inputmode: "decimal", autocomplete: "off", maxlength: "60", value: String(line.final ?? "").replace(".", queue.list.language === "fr" ? "," : "."), oninput: changed });
      fields.set(line, field);
      return element("li", {}, element("label", { class: "what", for: `w-${line.id}` }, line.name, element("span", { class: "s q" }, fill(texts.ordered, { quantity: line.ordered }))), element("span", { class: "weigh" }, field, ` ${line.unit}`));
    }
    return element("li", {}, element("label", { class: "what tick" }, element("input", { type: "checkbox" }), element("span", {}, `${line.quantity} × ${line.name}`, element("span", { class: "s q" }, line.size))),
      "amount" in line && element("span", { class: "amount" }, money(line.amount)));
  });
  // What else makes up the sum to pay, so that the lines add up to it.
  const besides = [[texts.besides, order.besides], [texts.paid_already, order.due ? -order.paid : 0]]
    .filter(([, amount]) => amount)
    .map(([label, amount]) => element("li", {}, element("span", { class: "what" }, label), element("span", { class: "amount" }, money(amount))));
  const kinds = order.gone ? [] : queue.list.deposits ?? [];
  const counter = (kind, index) => {
    const field = element("input", { id: `e-${index}`, class: "short", inputmode: "numeric", autocomplete: "off", maxlength: "3", "aria-describedby": `e-${index}-problem`, value: before(kind) || "", oninput: () => {
      changed();
      wrong.textContent = wrongEmpties(field.value.trim() || "0");
      field.setAttribute("aria-invalid", String(Boolean(wrong.textContent)));
    } });
    const wrong = element("p", { id: `e-${index}-problem`, class: "problem", role: "alert" });
    empties.set(kind, field);
    const label = element("label", { for: `e-${index}` }, kind.label, ` ${money(kind.deposit)} `, element("span", { class: "s q" }, kind.inside));
    return element("div", {}, element("p", { class: "row between" }, label, field), wrong);
  };
  // What this customer had lately, or most bring back, stands first; all the rest is folded away.
  const isLikely = (kind, index) => kind.usual || order.had?.includes(index) || before(kind) > 0;
  const counters = (likely) => kinds.flatMap((kind, index) => Boolean(isLikely(kind, index)) === likely ? [counter(kind, index)] : []);
  const near = counters(true), others = counters(false);
  const rest = near.length && others.length ? [element("details", {}, element("summary", {}, texts.other_empties), others)] : others;
  const back = kinds.length > 0 && element("details", { class: "empties" }, element("summary", {}, texts.empties), near, rest);
  if (back && kinds.some(before)) back.open = true;
  const parts = [
    element("p", { class: "back" }, link({}, home, texts.back)),
    element("h1", { tabindex: "-1" }, `${order.number} · ${order.name}`),
    element("p", { class: "q" }, order.crates ? `${count(texts.crates, order.crates)} · ` : "", order.slot),
    order.collector && element("p", { class: "note" }, element("strong", {}, fill(texts.collector, { name: order.collector }))),
    order.note && element("p", { class: "note" }, fill(texts.quoted, { note: order.note })),
    order.gone && done(order),
    element("ul", { class: "lines ticks" }, rows, besides),
    back,
    problem,
    queue.list.money && element("p", { class: "due" }, dueText, " ", due),
    !order.gone && pay,
    !order.gone && isOver() && notCollected(order),
    !order.gone && element("p", {}, element("a", { href: `/office/${enterprise}/orders/${order.id}` }, texts.whole_order)),
  ].filter(Boolean);
  if (queue.list.money || !order.gone) redraw();
  return parts;
}

// ------------------------------------------------------------------------------------------------ the beginning

if (await queue.begin()) {
  texts = queue.list.texts;
  draw();
  main.dataset.ready = "yes";
  queue.send();
  addEventListener("popstate", () => { message = null; draw(); });
}
