// Log-out on a page that keeps nothing itself: the lists that the hand-out and "What I bring" have kept go too. What was
// noted at the table and is not sent yet stays, without names, for who opens the hand-out next.

document.querySelector("form[action='/logout']")?.addEventListener("submit", (event) => {
  event.preventDefault();
  forget().finally(() => event.target.submit());
});

async function forget() {
  if (!window.caches || !navigator.serviceWorker) return;
  for (const name of await caches.keys()) await caches.delete(name);
  for (const worker of await navigator.serviceWorker.getRegistrations()) await worker.unregister();
  const databases = await indexedDB.databases();
  if (databases.some(({ name }) => name === "handout")) await forgetLists();
}

function forgetLists() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("handout");
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const transaction = request.result.transaction(["lists", "events"], "readwrite");
      transaction.objectStore("lists").clear();
      const events = transaction.objectStore("events").getAll();
      transaction.onerror = () => reject(transaction.error);
      transaction.oncomplete = () => {
        request.result.close();
        if (!events.result.some((event) => event.state === "waiting")) indexedDB.deleteDatabase("handout");
        resolve();
      };
    };
  });
}
