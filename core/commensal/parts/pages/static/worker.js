// The service worker of pages that open without a network, each kind at an address of its own: it stores a page and its
// files. What people note on the page is stored by queue.js.

const STORE = location.pathname.split("/").at(-2); // such as "handout"
const UNTIL = "X-Kept-Until"; // milliseconds since 1970

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

// keep: the paths of a page, first, and of its files; until: the moment after which the page is forgotten, if there is one
addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(forgetOld().then(() => keep(event.data.keep, event.data.until)));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (/^\/-\/\w+\/static\//.test(url.pathname)) event.respondWith(fromStore(event.request, url.pathname));
  else if (event.request.mode === "navigate") event.respondWith(page(event.request, url.pathname));
});

async function keep([path, ...files], until) {
  const store = await caches.open(STORE);
  await Promise.all([path, ...files].map(async (each) => {
    const answer = await fetch(each);
    if (!answer.ok || answer.redirected) return;
    const headers = new Headers(answer.headers);
    if (each === path && until) headers.set(UNTIL, until);
    await store.put(each, new Response(await answer.blob(), { headers }));
  }));
}

async function forgetOld() {
  const store = await caches.open(STORE);
  for (const request of await store.keys()) {
    const stored = await store.match(request);
    if (Number(stored.headers.get(UNTIL) ?? Infinity) < Date.now()) await store.delete(request);
  }
}

async function fromStore(request, path) {
  return (await caches.match(path)) ?? fetch(request);
}

// A page stands for those below it too: the script shows what the address says. The address above it, which chooses
// among the pages below, leads to the one that is kept longest.
async function page(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    await forgetOld();
    for (let stored = path; stored; stored = stored.slice(0, stored.lastIndexOf("/"))) {
      const answer = await caches.match(stored);
      if (answer) return answer;
    }
    const below = await keptLongest(`${path}/`);
    if (below) return Response.redirect(below);
    throw error;
  }
}

// The address of the stored page below a path that is forgotten last; undefined if there is none.
async function keptLongest(path) {
  const store = await caches.open(STORE);
  const pages = [];
  for (const request of await store.keys()) {
    if (!new URL(request.url).pathname.startsWith(path)) continue;
    pages.push([Number((await store.match(request)).headers.get(UNTIL) ?? 0), request.url]);
  }
  return pages.sort(([one], [other]) => other - one)[0]?.[1];
}
