// Keeps the list of what a producer brings, so that it opens without a network.

const here = location.pathname;

if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register(`${here}/worker.js`, { scope: here });
  const { active } = await navigator.serviceWorker.ready;
  const files = [...document.querySelectorAll("link[href], script[src]")].map((each) => new URL(each.href || each.src).pathname);
  active.postMessage({ keep: [here, ...files] });
}
