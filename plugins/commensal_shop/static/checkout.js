// The checkout, where there is JavaScript: the total follows what is chosen. Without it a button shows the new total.

const form = document.querySelector("form[data-follows]");
const CHOICES = ["shipping", "payment_method", "address/postcode"]; // that may change the total
let requests = 0;
let busy = null;

form?.addEventListener("change", (event) => {
  if (CHOICES.includes(event.target.name)) busy = follow();
});

form?.addEventListener("submit", async (event) => {
  if (!busy || event.submitter?.value !== "order") return;
  event.preventDefault();
  await busy; // the total on the page is then that of the choice
  form.requestSubmit(event.submitter);
});

async function follow() {
  const number = ++requests;
  const body = new URLSearchParams(new FormData(form));
  body.set("then", "update");
  form.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!response.ok || response.redirected || number !== requests) return;
    show(new DOMParser().parseFromString((await response.json()).page, "text/html"));
  } catch {
    return; // without a connection the button remains, and the server compares totals in any case
  } finally {
    if (number === requests) {
      busy = null;
      form.removeAttribute("aria-busy");
    }
  }
}

function show(page) {
  const sums = page.querySelector("#sums");
  if (!sums) return;
  document.querySelector("#sums").replaceChildren(...sums.childNodes);
  for (const name of ["total", "with"]) form.elements[name].value = page.querySelector(`[name=${name}]`).value;
}

document.querySelectorAll("[data-needless]").forEach((part) => (part.hidden = true));
