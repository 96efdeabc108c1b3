// Keeps the list of what a producer brings, so that it opens without a network, and wipes it at log-out.

const here = location.pathname;

if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register(`${here}/worker.js`, { scope: here });
  const { active } = await navigator.serviceWorker.ready;
  const files = [...document.querySelectorAll("link[href], script[src]")].map((each) => new URL(each.href || each.src).pathname);
  active.postMessage({ keep: [here, ...files] });
}

document.querySelector("form[action='/logout']")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  await caches.delete("bring");
  for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
  event.target.submit();
});
