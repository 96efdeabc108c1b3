// The service worker of "What I bring": without a network, it shows the last list that was read.

const STORE = "bring";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(keep(event.data.keep));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/-/office/static/")) event.respondWith(fromStore(event.request, url.pathname));
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

async function page(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(path);
    if (kept) return kept;
    throw error;
  }
}
