// What every page does: the theme, the account, local times, buttons that copy and ask, notices.

export const isDark = () =>
  (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";

export function notice(text) {
  if ([...document.querySelectorAll("#notices p")].some((shown) => shown.textContent === text)) return;
  const line = document.createElement("p");
  line.textContent = text;
  document.getElementById("notices").append(line);
  setTimeout(() => line.remove(), 6000);
}

function localTimes(root) {
  for (const time of root.querySelectorAll?.("time[datetime]") ?? []) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const text = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    if (time.textContent !== text) { time.title = time.dateTime; time.textContent = text; }
  }
}

document.addEventListener("click", async (event) => {
  const target = event.target.closest?.("[data-theme-switch], [data-copy]");
  if (!target) return;
  if (target.matches("[data-theme-switch]")) {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try { localStorage.setItem("theme", theme); } catch { /* it holds for this page */ }
    document.dispatchEvent(new CustomEvent("themechange"));
    return;
  }
  const text = target.parentElement.querySelector("pre").textContent;
  try { await navigator.clipboard.writeText(text); notice("Copied."); }
  catch { notice("The browser does not let this page copy. Select the text instead."); }
});

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-scope-picker]")) location.href = event.target.value;
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset?.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

document.addEventListener("htmx:responseError", (event) => {
  const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  notice(page.querySelector("main p")?.textContent ?? `The emulator answered ${event.detail.xhr.status}.`);
});
// What is asked for again and again and is gone: once is enough.
document.addEventListener("htmx:responseError", (event) => {
  const { elt, xhr } = event.detail;
  if (xhr.status !== 404 || !elt.matches('[hx-trigger*="every"]')) return;
  elt.removeAttribute("hx-get");
  elt.removeAttribute("hx-trigger");
  window.htmx.process(elt);
});

// Nobody answers: the page says so until somebody does, and nothing on it goes on as if it were new.
function offline(isOffline) {
  const root = document.documentElement;
  if (isOffline === "offline" in root.dataset) return;
  if (!isOffline) {
    delete root.dataset.offline;
    document.getElementById("offline")?.remove();
    return;
  }
  root.dataset.offline = "";
  const line = document.createElement("p");
  line.id = "offline";
  line.textContent = `The emulator does not answer. This page is as of ${new Date().toLocaleTimeString()}.`;
  document.getElementById("notices").append(line);
}

// A browser drops requests when the machine's networks change, as they do with each job in Docker. So what failed is
// tried again, and only if nobody answers then the page says so.
const AGAIN_AFTER = 1500;
for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, ({ detail: { elt } }) => {
  setTimeout(async () => {
    try { await fetch(document.querySelector("link[rel=icon]").href, { cache: "no-store" }); } catch { offline(true); return; }
    offline(false);
    const trigger = elt.getAttribute?.("hx-trigger") ?? "";
    if (elt.isConnected && !trigger.includes("every")) window.htmx.trigger(elt, trigger.includes("again") ? "again" : elt.matches("form") ? "submit" : "click");
  }, AGAIN_AFTER);
});
document.addEventListener("htmx:afterOnLoad", () => offline(false));

document.addEventListener("htmx:load", (event) => localTimes(event.detail.elt));
document.addEventListener("htmx:afterSettle", (event) => localTimes(event.detail.elt));
localTimes(document);
