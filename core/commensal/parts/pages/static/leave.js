// For every page with a button that logs out: what pages have stored in the browser goes too, whichever plugin stored it.
// An entry of an object store `events` in the state "waiting" was not sent yet: it stays for who noted it: queue.js
// sends nothing in the name of somebody else. So does money that the server has "refused": nobody else knows of it.

document.querySelector("form[action='/logout']")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  // Only the server ends a session: who logged out without a network would be logged in when it is back.
  const answer = await fetch("/login", { method: "HEAD", signal: AbortSignal.timeout(4000) }).catch(() => null);
  if (!answer) return alert(event.target.dataset.offline);
  forget().finally(() => event.target.submit());
});

async function forget() {
  localStorage.clear();
  sessionStorage.clear();
  if (!window.caches || !navigator.serviceWorker) return;
  for (const name of await caches.keys()) await caches.delete(name);
  for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
  for (const { name } of await indexedDB.databases()) await forgetDatabase(name);
}

function forgetDatabase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const stores = [...request.result.objectStoreNames];
      if (!stores.length) return gone(request.result, name, resolve);
      const transaction = request.result.transaction(stores, "readwrite");
      for (const store of stores) if (store !== "events") transaction.objectStore(store).clear();
      const events = stores.includes("events") ? transaction.objectStore("events").getAll() : { result: [] };
      transaction.onerror = () => reject(transaction.error);
      transaction.oncomplete = () => {
        if (events.result.some((event) => event.state === "waiting" || (event.state === "refused" && event.amount > 0))) return resolve(request.result.close());
        gone(request.result, name, resolve);
      };
    };
  });
}

function gone(database, name, resolve) {
  database.close();
  indexedDB.deleteDatabase(name);
  resolve();
}
