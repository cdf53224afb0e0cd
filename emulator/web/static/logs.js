// The log viewer: it stays at the end while the reader is there, stays put while they read, and can be paused.

const NEAR = 48;
const MOST_LINES = 5000;
const NEWS_EVERY = 10_000;

const isAtEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
const toEnd = (log) => { log.scrollTop = log.scrollHeight; };
const logOf = (element) => element?.closest?.(".log");

function begin(viewer) {
  if (viewer.dataset.begun) return;
  viewer.dataset.begun = "yes";
  const log = viewer.querySelector(".log");
  const current = log.querySelector(".current");
  if (current) log.scrollTop += current.getBoundingClientRect().top - log.getBoundingClientRect().top - log.clientHeight / 3;
  else if (!new URLSearchParams(location.search).has("before")) toEnd(log);
}

// What is far above goes while the reader is at the end, so that a log may go on for days.
function trim(log) {
  const lines = log.getElementsByClassName("line");
  if (lines.length <= MOST_LINES) return;
  let older = log.querySelector("[data-log-older]");
  const excess = lines.length - MOST_LINES;
  for (let number = 0; number < excess; number += 1) lines[0].remove();
  const before = lines[0].id.slice(1);
  const tail = log.querySelector("[data-log-tail]");
  if (!older) {
    if (!tail) return;
    older = document.createElement("p");
    older.className = "more";
    older.dataset.logOlder = "";
    const link = document.createElement("a");
    link.className = "button";
    link.textContent = "Older lines";
    for (const [name, value] of Object.entries({ "hx-target": "closest .more", "hx-swap": "outerHTML", "hx-push-url": "false" }))
      link.setAttribute(name, value);
    link.setAttribute("hx-get", tail.getAttribute("hx-get"));
    link.href = lines[0].querySelector(".n").href;
    older.append(link);
    log.prepend(older);
  }
  const link = older.querySelector("a");
  for (const attribute of ["hx-get", "href"]) {
    const url = new URL(link.getAttribute(attribute), location.href);
    for (const name of ["after", "follow", "hosts", "at"]) url.searchParams.delete(name);
    url.searchParams.set("before", before);
    url.hash = "";
    link.setAttribute(attribute, url.pathname + url.search);
  }
  window.htmx.process(link);
}

let untold = 0;
let toldAt = 0;

function tell(viewer) {
  const end = viewer.querySelector("[data-log-end]");
  const stops = viewer.querySelector("[data-log-stops]")?.dataset.logStops ?? "";
  const count = stops.split("_").reduce((sum, one) => sum + Number(one.split(".")[1] ?? 0), 0);
  const total = viewer.querySelector("[data-log-total]");
  untold += count - Number(total.dataset.logTotal);
  total.dataset.logTotal = count;
  total.textContent = `${count.toLocaleString("en")} ${count === 1 ? "line" : "lines"}`;
  if (!end && Date.now() - toldAt < NEWS_EVERY) return;
  if (untold || end)
    viewer.querySelector("[data-log-news]").textContent =
      `${untold} new ${untold === 1 ? "line" : "lines"}.${end ? ` ${end.textContent}` : ""}`;
  untold = 0;
  toldAt = Date.now();
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const tail = event.detail.elt.closest?.("[data-log-tail]");
  if (!tail) return;
  const log = logOf(tail);
  const isFull = log.getElementsByClassName("line").length > 4 * MOST_LINES && !isAtEnd(log);
  if (isFull || tail.closest(".log-viewer").dataset.paused) event.preventDefault();
});

// One who is at the end wants the newest lines, however many there are; one who reads wants each.
document.addEventListener("htmx:configRequest", (event) => {
  const { elt, parameters } = event.detail;
  if (elt.matches?.("[data-log-tail]") && isAtEnd(logOf(elt))) parameters.set("skip", "1");
});

// Before lines come in: where the reader is, measured from the edge that will not move.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig } = event.detail;
  const log = logOf(target);
  if (!log) return;
  if (target.matches("[data-log-older]")) log.readerFromEnd = log.scrollHeight - log.scrollTop;
  else if (requestConfig.elt.matches("[data-log-tail]")) log.followed = { atEnd: isAtEnd(log) };
});

document.addEventListener("htmx:afterSwap", (event) => {
  const log = logOf(event.detail.target) ?? document.querySelector(".log-viewer .log");
  if (!log) return;
  if (log.readerFromEnd !== undefined) {
    log.scrollTop = log.scrollHeight - log.readerFromEnd;
    delete log.readerFromEnd;
  }
  if (log.followed) {
    const { atEnd } = log.followed;
    delete log.followed;
    tell(log.closest(".log-viewer"));
    if (atEnd) { trim(log); toEnd(log); }
    if (!log.querySelector("[data-log-tail]")) log.closest(".log-viewer").querySelector("[data-log-follow]")?.remove();
  }
});

document.addEventListener("htmx:load", (event) => {
  const { elt } = event.detail;
  if (elt.matches?.(".log-viewer")) begin(elt);
  else elt.querySelectorAll?.(".log-viewer").forEach(begin);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-log-follow]");
  if (!button) return;
  const viewer = button.closest(".log-viewer");
  const pauses = !viewer.dataset.paused;
  if (pauses) viewer.dataset.paused = "yes";
  else delete viewer.dataset.paused;
  button.textContent = pauses ? "Follow" : "Pause";
  if (pauses) return;
  const tail = viewer.querySelector("[data-log-tail]");
  toEnd(viewer.querySelector(".log"));
  if (tail) window.htmx.trigger(tail, "follow");
});

document.querySelectorAll(".log-viewer").forEach(begin);
