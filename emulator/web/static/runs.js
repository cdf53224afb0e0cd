// Picking runs to compare: what is picked stays picked over pages, sorting and filters, as long as the tab is open.

const form = () => document.getElementById("pick");
const key = () => `picks:${form().dataset.picks}`;
const picks = () => { try { return JSON.parse(sessionStorage.getItem(key())) ?? []; } catch { return []; } };

function keep(names) {
  try { sessionStorage.setItem(key(), JSON.stringify(names)); } catch { /* it holds for this page */ }
  show();
}

function show() {
  if (!form()) return;
  const picked = picks();
  for (const box of form().querySelectorAll("input[name=run]")) box.checked = picked.includes(box.value);
  const button = form().querySelector("[data-compare]");
  button.textContent = picked.length ? `Compare ${picked.length} picked run${picked.length === 1 ? "" : "s"}` : "Compare picked runs";
  form().querySelector("[data-clear]").hidden = !picked.length;
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches?.("#pick input[name=run]")) return;
  const others = picks().filter((name) => name !== target.value);
  keep(target.checked ? [...others, target.value] : others);
});
document.addEventListener("click", ({ target }) => { if (target.matches?.("[data-clear]")) keep([]); });
document.addEventListener("submit", (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  const address = new URL(form().action);
  for (const name of picks()) address.searchParams.append("run", name);
  location.href = address;
});
// Other columns of the same search: filters have changed since the page was loaded, and the address has them.
document.addEventListener("submit", ({ target }) => {
  if (!target.matches?.(".chooser form")) return;
  for (const one of target.querySelectorAll("input[type=hidden]")) one.remove();
  for (const [name, value] of new URL(location.href).searchParams) {
    if (name === "column" || name === "page") continue;
    const input = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    target.append(input);
  }
});
// In one go with the swap: a refreshed table knows nothing of picks, and a click may come at any moment.
document.addEventListener("htmx:afterSwap", show);
document.addEventListener("htmx:historyRestore", show);
show();
