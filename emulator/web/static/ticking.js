// Durations of what goes on: each tells how long it lasted when the server answered, and is counted on from there.

const began = new WeakMap();

// As the filter `duration` of the pages says it.
export function duration(seconds) {
  if (seconds < 0.1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
  const minutes = Math.floor(whole / 60);
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

function tick() {
  if ("offline" in document.documentElement.dataset) return;
  for (const element of document.querySelectorAll("[data-ticks]")) {
    const told = element.dataset.ticks;
    let known = began.get(element);
    if (known?.told !== told) {
      known = { told, at: performance.now() - 1000 * Number(told) };
      began.set(element, known);
    }
    const text = duration((performance.now() - known.at) / 1000);
    if (element.textContent !== text) element.textContent = text;
  }
}

document.addEventListener("htmx:afterSettle", tick);
setInterval(tick, 500);
tick();
