// The service worker of the hand-out and of what a producer brings, each at an address of its own: it stores the page
// and its files, so that they open without a network. What happened at the table is stored by handout.js.

const STORE = location.pathname.split("/").at(-2); // "handout" or "bring"

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(keep(event.data.keep));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (/^\/-\/\w+\/static\//.test(url.pathname)) event.respondWith(fromStore(event.request, url.pathname));
  else if (event.request.mode === "navigate") event.respondWith(page(event.request, url.pathname));
});

async function keep(paths) {
  const store = await caches.open(STORE);
  await Promise.all(paths.map(async (path) => {
    const answer = await fetch(path);
    if (answer.ok && !answer.redirected) await store.put(path, answer);
  }));
}

async function fromStore(request, path) {
  return (await caches.match(path)) ?? fetch(request);
}

// A hand-out's page, and that of each person on it, is one page: the script shows what the address says.
async function page(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    const list = path.split("/").slice(0, 5).join("/");
    const stored = await caches.match(list);
    if (stored) return stored;
    throw error;
  }
}
