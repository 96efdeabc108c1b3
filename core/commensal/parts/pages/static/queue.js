// For pages that work without a network. Such a page shows a list from its own store, and notes what happens in a queue
// that only grows: an event leaves it by being sent, and its id is its Idempotency-Key, so sending it again is harmless.

const EVERY = 20_000; // milliseconds between attempts to send

export class Queue {
  list = null; // as the server sent it last
  events = []; // of this list, in the order in which they were noted
  loggedOut = false;
  #store;
  #offlineSince = null;
  #sending = null;

  // name:    of the database of this kind of pages
  // subject: ids of what the list is about, such as { enterprise, session }; the last one is its key
  // home:    the path of the page
  // source:  the path of its list, which says when it was `loaded`, `until` when it is kept, and `texts`
  // worker:  the path of its service worker, which controls the folder where it stands, and the page at its address
  // request: returns the path and the body with which an event is sent
  // draw:    shows what is so now
  // read:    makes the list of the answer of its source; null if there is none any more
  constructor({ name, subject, home, source, worker, request, draw, read = (answer) => answer.json() }) {
    Object.assign(this, { name, subject, home, source, worker, request, draw, read });
    this.key = Object.keys(subject).at(-1);
  }

  // Opens the store, asks for the list, and keeps both up to date. Returns whether there is a list to show.
  async begin() {
    if (!window.indexedDB || !navigator.serviceWorker) return false; // the page works without
    this.#store = await this.#opened();
    await this.#readEvents();
    await this.#forgetOld();
    this.list = await this.#run("lists", "readonly", (table) => table.get(this.subject[this.key])) ?? null;
    await this.load();
    await this.#keepPage();
    if (!this.list) { await this.send(); return false; }
    addEventListener("online", () => { this.#offlineSince = null; this.#again(); });
    addEventListener("offline", () => { this.#offlineSince ??= new Date(); this.draw(); });
    setInterval(() => this.#again(), EVERY);
    document.querySelector("form[action='/logout']")?.addEventListener("submit", (event) => this.#leave(event));
    return true;
  }

  // What is to be sent in the name of who is logged in; of older events nobody knows who noted them.
  get waiting() {
    return this.events.filter((event) => event.state === "waiting" && isBy(event, this.list?.person));
  }

  // What somebody else noted on this telephone, and will send once they log in again.
  get others() {
    return this.events.filter((event) => event.state === "waiting" && !isBy(event, this.list?.person));
  }

  // What the server has not recorded: "conflict", it says why and has listed what was taken; "refused", it has nothing.
  get conflicts() {
    return this.events.filter((event) => event.state === "conflict" || event.state === "refused");
  }

  // -------------------------------------------------------------------------------------------- the store

  #opened() {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("lists", { keyPath: this.key });
        request.result.createObjectStore("events", { autoIncrement: true });
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  #run(name, mode, action) {
    return new Promise((resolve, reject) => {
      const transaction = this.#store.transaction(name, mode, { durability: "strict" });
      const request = action(transaction.objectStore(name));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
    });
  }

  async #readEvents() {
    const [keys, values] = await Promise.all([
      this.#run("events", "readonly", (table) => table.getAllKeys()),
      this.#run("events", "readonly", (table) => table.getAll()),
    ]);
    this.all = values.map((value, index) => ({ ...value, place: keys[index] }));
    this.events = this.all.filter((event) => event[this.key] === this.subject[this.key]);
  }

  // Notes an event: it is stored before it is sent.
  async note(event) {
    const entry = { ...event, id: crypto.randomUUID(), ...this.subject, by: this.list.person, at: new Date().toISOString(), state: "waiting" };
    await this.#run("events", "readwrite", (table) => table.add(entry));
    await this.#readEvents();
    this.send();
  }

  #mark(event, state, text = "") {
    const { place, ...entry } = { ...event, state, text };
    return this.#run("events", "readwrite", (table) => table.put(entry, place));
  }

  // Forgets lists whose time is over, with their events, unless one of these was not sent yet, by whomever, or is money
  // that nobody else knows of.
  async #forgetOld() {
    for (const list of await this.#run("lists", "readonly", (table) => table.getAll())) {
      const events = this.all.filter((event) => event[this.key] === list[this.key]);
      if (!isOver(list) || events.some(isHere)) continue;
      await this.#run("lists", "readwrite", (table) => table.delete(list[this.key]));
      for (const event of events) await this.#run("events", "readwrite", (table) => table.delete(event.place));
      await this.#readEvents();
    }
  }

  // Forgets money that the server has not recorded, once it was told to whom it concerns.
  async #told(events) {
    for (const event of events) await this.#run("events", "readwrite", (table) => table.delete(event.place));
    await this.#readEvents();
    this.draw();
  }

  async #drop() {
    this.list = null;
    await this.#run("lists", "readwrite", (table) => table.delete(this.subject[this.key]));
  }

  async #wipe() {
    this.#store.close();
    indexedDB.deleteDatabase(this.name);
    for (const name of await caches.keys()) await caches.delete(name);
    for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
  }

  async #leave(event) {
    event.preventDefault();
    // Only the server ends a session: who logged out without a network would be logged in when it is back.
    const answer = await fetch("/login", { method: "HEAD", signal: AbortSignal.timeout(4000) }).catch(() => null);
    if (!answer) return alert(event.target.dataset.offline);
    const waiting = this.all.filter(isHere).length;
    if (waiting && !confirm(fill(this.list.texts.leave, { number: waiting }))) return;
    this.#wipe().finally(() => event.target.submit());
  }

  // -------------------------------------------------------------------------------------------- the network

  get isOffline() {
    return this.#offlineSince !== null || !navigator.onLine;
  }

  async #keepPage() {
    const files = [...document.querySelectorAll("link[href], script[src]")].map((each) => new URL(each.href || each.src).pathname);
    const scope = this.worker.slice(0, this.worker.lastIndexOf("/"));
    for (const older of await navigator.serviceWorker.getRegistrations()) { // it controlled what stood below alone
      if (new URL(older.scope).pathname === `${scope}/`) await older.unregister();
    }
    await navigator.serviceWorker.register(this.worker, { scope });
    const worker = (await navigator.serviceWorker.ready).active;
    worker.postMessage({ keep: [this.home, ...files], until: this.list ? Date.parse(this.list.until) : null });
    navigator.storage?.persist?.();
  }

  async #again() {
    await this.load();
    await this.send();
    if (isOver(this.list) && !this.events.some(isHere)) {
      await this.#forgetOld();
      return location.reload();
    }
    this.draw();
  }

  async load() {
    const sent = this.events.filter((event) => event.state === "sent"); // the list that comes now knows them
    try {
      const answer = await fetch(this.source);
      this.#offlineSince = null;
      if (answer.redirected || answer.status === 401) { this.loggedOut = true; return; }
      if (!answer.ok && answer.status !== 404) return;
      const list = answer.ok ? await this.read(answer) : null;
      // Who may not see the list any more still sees what of theirs was not recorded.
      if (!list) return this.events.some((event) => event.state !== "sent") ? undefined : await this.#drop();
      list.person = await this.#person() ?? this.list?.person;
      this.list = list;
      this.list.ahead = Date.now() - Date.parse(this.list.loaded); // of the server's clock is the one here, in milliseconds
      this.list.until = new Date(Date.parse(this.list.until) + this.list.ahead).toISOString();
      this.loggedOut = false;
      await this.#run("lists", "readwrite", (table) => table.put(this.list));
      for (const event of sent) await this.#run("events", "readwrite", (table) => table.delete(event.place));
      await this.#readEvents();
    } catch {
      this.#offlineSince ??= new Date();
    }
  }

  // The id of who is logged in; null for nobody, and where the server does not say.
  async #person() {
    const answer = await fetch("/api/me");
    if (answer.status === 401) this.loggedOut = true;
    return answer.ok ? (await answer.json()).id : null;
  }

  send() {
    this.#sending ??= this.#sendAll().finally(() => { this.#sending = null; });
    return this.#sending;
  }

  async #sendAll() {
    if (!this.events.some((event) => event.state === "waiting")) return;
    const person = await this.#person().catch(() => { this.#offlineSince ??= new Date(); return null; });
    if (!person) return this.draw();
    for (let event; (event = this.events.find((each) => each.state === "waiting" && isBy(each, person)));) {
      const { path, body } = this.request(event);
      let answer;
      try {
        answer = await fetch(path, {
          method: "POST",
          headers: { "Content-Type": "application/json", "Idempotency-Key": event.id, "Accept-Language": document.documentElement.lang },
          body: body && JSON.stringify(body),
        });
      } catch {
        this.#offlineSince ??= new Date();
        return this.draw();
      }
      this.#offlineSince = null;
      if (answer.status === 401) { this.loggedOut = true; return this.draw(); }
      if (answer.status === 429 || answer.status >= 500) return this.draw(); // later again
      const outcome = await answer.json().catch(() => ({}));
      const isDone = answer.ok && outcome.outcome === "done";
      await this.#mark(event, isDone ? "sent" : answer.ok ? "conflict" : "refused", isDone ? "" : outcome.text ?? outcome.detail ?? outcome.title ?? "");
      await this.#readEvents();
      this.draw();
    }
  }

  // -------------------------------------------------------------------------------------------- what is shown

  // The line that says whether there is a network, and what still waits for it; `aside` stands at its end.
  bar(aside) {
    const { texts } = this.list;
    const waiting = this.waiting.length;
    return element("div", { class: `network${this.isOffline ? " off" : ""}`, role: "status" },
      element("span", {}, `${this.isOffline ? texts.offline : texts.online} · ${waiting ? fill(texts.waiting, { number: waiting }) : texts.nothing_waiting}${this.others.length ? ` · ${fill(texts.others_waiting, { number: this.others.length })}` : ""}`),
      element("span", {}, aside));
  }

  // The request to log in again; null for who is logged in.
  door() {
    return this.loggedOut && element("div", { class: "message warning", role: "alert" }, element("p", {}, element("a", { href: `/login?next=${encodeURIComponent(this.home)}` }, this.list.texts.log_in)));
  }

  // The `events` that the server has not recorded; `describe` says what each was, and `why` what to do. False if there
  // are none.
  refusals(describe, why = this.list.texts.conflict_why, events = this.conflicts) {
    const { texts } = this.list;
    return events.length > 0 && element("div", { class: "message wrong", role: "alert" },
      element("p", {}, element("strong", {}, texts.conflicts), ` – ${why}`),
      element("ul", {}, events.map((event) => element("li", {}, `${describe(event)} ${event.text}`))),
      texts.told && events.every(isUntold) && element("button", { onclick: () => this.#told(events) }, texts.told));
  }

  hour(at) {
    return new Date(at).toLocaleTimeString(this.list.language === "fr" ? "fr-FR" : "en-GB", { hour: "2-digit", minute: "2-digit", timeZone: this.list.zone });
  }
}

const isBy = (event, person) => !event.by || event.by === person;
const isUntold = (event) => event.state === "refused" && event.amount > 0;
const isHere = (event) => event.state === "waiting" || isUntold(event); // and nowhere else
const isOver = (list) => !list?.until || Date.parse(list.until) < Date.now();

// A text with its {gaps} filled.
export function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// An element of the page; `attributes` like { onclick } listen, and children that are null or false are left out.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}
