// Charts. Every <div class="chart" role="img" aria-label="..." data-curves="URL"> becomes the curves that URL (series.json)
// tells of: a plot, a legend of buttons, and the values as a table. With data-live it is asked again every two seconds.
// A form [data-chart-controls] on the page says how curves are drawn: x, log, smooth.

import { isDark } from "./ui.js";

const LIGHT = ["#0b6173", "#b3401a", "#5b3fa8", "#14692f", "#a8246b", "#8a5300", "#0b5cad", "#5f5a00"];
const DARK = ["#62cfe0", "#ff9d72", "#b9a4ff", "#7bd897", "#ff8fc4", "#f3c06a", "#8dc2ff", "#d8d264"];
const DASHES = ["solid", "dashed", "dotted"];
const LIVE_EVERY = 2000;

export const colour = (place) => (isDark() ? DARK : LIGHT)[place % LIGHT.length];
export const dash = (place) => DASHES[Math.floor(place / LIGHT.length) % DASHES.length];
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const figure = (value) =>
  typeof value === "number" ? String(Number(value.toPrecision(6))) : value === null || value === undefined ? "–" : value;

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

let library;
function echarts() {
  library ??= new Promise((resolve, reject) => {
    if (window.echarts) return resolve(window.echarts);
    document.head.append(element("script", {
      src: new URL("vendor/echarts.min.js", import.meta.url).href,
      onload: () => resolve(window.echarts),
      onerror: () => reject(new Error("The chart library could not be loaded.")),
    }));
  });
  return library;
}

// One chart: the element of the page, and what is in it.
export class Chart {
  static all = new Map();

  constructor(host, redraw) {
    this.host = host;
    this.redraw = redraw;
    this.hidden = new Set();
    const label = host.getAttribute("aria-label") ?? "Chart";
    host.classList.add("drawn");
    host.setAttribute("role", "group");
    this.above = element("div", { className: "selects", hidden: true });
    this.plot = element("div", { className: "plot" });
    this.plot.setAttribute("role", "img");
    this.plot.setAttribute("aria-label", label);
    this.legend = element("div", { className: "legend" });
    this.note = element("p", { className: "note", hidden: true });
    this.values = element("details", { hidden: true }, element("summary", { textContent: "Values as a table" }));
    host.replaceChildren(this.above, this.plot, this.legend, this.note, this.values);
    Chart.all.set(host, this);
  }

  async show(option) {
    const { init } = await echarts();
    if (!this.host.isConnected) return;
    if (!this.drawing) {
      this.drawing = init(this.plot, null, { renderer: "canvas" });
      this.resizing = new ResizeObserver(() => this.drawing.resize());
      this.resizing.observe(this.plot);
    }
    this.drawing.setOption({ ...frame(), ...option }, { notMerge: true });
    this.host.dataset.drawn = "true";
  }

  say(text) {
    this.note.textContent = text;
    this.note.hidden = !text;
  }

  // A button a line: the keyboard's way to leave some out. `lines`: {place, label}.
  tell(lines) {
    const told = JSON.stringify(lines);
    if (told !== this.told) {
      this.told = told;
      this.legend.replaceChildren(...lines.map(({ place, label }) => {
        const button = element("button", { type: "button" }, element("span", { className: "swatch" }), label);
        button.dataset.place = place;
        button.addEventListener("click", () => {
          this.hidden.has(place) ? this.hidden.delete(place) : this.hidden.add(place);
          this.redraw();
        });
        return button;
      }));
    }
    this.legend.hidden = lines.length < 2;
    for (const button of this.legend.children) {
      const place = Number(button.dataset.place);
      button.setAttribute("aria-pressed", String(!this.hidden.has(place)));
      dye(button.firstChild, place);
    }
  }

  // The text alternative: what the chart shows, in cells.
  list(headings, rows, words = "") {
    const line = (cells, name) => element("tr", {}, ...cells.map((text, column) =>
      element(column === 0 ? "th" : name, { textContent: figure(text), scope: name === "th" ? "col" : column === 0 ? "row" : "" })));
    const table = element("table", {}, ...(words ? [element("caption", { textContent: words })] : []), element("thead", {}, line(headings, "th")),
      element("tbody", {}, ...rows.map((row) => line(row, "td"))));
    const scroll = element("div", { className: "scroll", tabIndex: 0 }, table);
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", `Values: ${this.plot.getAttribute("aria-label")}`);
    this.values.lastChild === this.values.firstChild ? this.values.append(scroll) : this.values.lastChild.replaceWith(scroll);
    this.values.hidden = false;
  }

  end() {
    this.resizing?.disconnect();
    this.drawing?.dispose();
    Chart.all.delete(this.host);
  }
}

export function dye(swatch, place) {
  swatch.style.borderTopColor = colour(place);
  swatch.style.borderTopStyle = dash(place);
}

function frame() {
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { color: token("--text"), fontFamily: getComputedStyle(document.body).fontFamily },
    aria: { enabled: false },
  };
}

export const axis = (more = {}) => ({
  scale: true,
  nameLocation: "middle",
  nameTextStyle: { color: token("--quiet") },
  axisLabel: { color: token("--quiet"), hideOverlap: true },
  axisLine: { lineStyle: { color: token("--line") } },
  axisTick: { lineStyle: { color: token("--line") } },
  splitLine: { lineStyle: { color: token("--line"), opacity: 0.6 } },
  ...more,
});

// Names are a job's: rich text is drawn, never HTML.
export const tooltip = (more = {}) => ({
  renderMode: "richText",
  confine: true,
  backgroundColor: token("--card"),
  borderColor: token("--line"),
  textStyle: { color: token("--text"), fontSize: 12 },
  ...more,
});

// Draw when a person comes near it, and again when the theme changes.
const watched = new WeakMap();
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    watched.get(target)();
  }
}, { rootMargin: "300px" });

export function whenNear(host, draw) {
  if (watched.has(host)) return;
  watched.set(host, draw);
  near.observe(host);
}

const redrawAll = () => Chart.all.forEach((chart) => chart.redraw());
document.addEventListener("themechange", redrawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);

// Curves

const controls = () => {
  const form = document.querySelector("[data-chart-controls]");
  return {
    x: form?.elements.x.value ?? "",
    log: form?.elements.log.checked ?? false,
    smooth: Number(form?.elements.smooth.value ?? 0),
  };
};

function xKind(series, wanted) {
  if (wanted) return wanted;
  if (series.some((one) => one.steps)) return "step";
  const spread = series.some((one) => one.times.at(-1) > one.times[0]);
  return spread ? "time" : "order";
}

function places(one, kind) {
  if (kind === "order") return one.numbers;
  if (kind === "time") return one.times.map((at) => at * 1000);
  if (kind === "elapsed") return one.times.map((at) => at - one.times[0]);
  return one.steps ?? one.numbers;
}

// Exponential, with the weight of the beginning taken out, as TensorBoard's is.
function smoothed(values, weight) {
  let sum = 0, count = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + (1 - weight) * value;
    count += 1;
    return sum / (1 - weight ** count);
  });
}

function points(one, kind, values, log) {
  const at = places(one, kind);
  const found = values.map((value, place) => [at[place], log && value <= 0 ? null : value]).filter(([x]) => x !== null);
  return found.sort((left, right) => left[0] - right[0]);
}

const AXES = { step: "step", order: "order", elapsed: "seconds since the first value", time: "" };

function curvesOption(chart, series) {
  const { x, log, smooth } = controls();
  const kind = xKind(series, x);
  const several = new Set(series.map((one) => one.metric)).size > 1;
  const lines = series.map((one, place) => ({ ...one, place: several ? place : one.place, title: several ? `${one.label} · ${one.metric}` : one.label }));
  chart.tell(lines.map((one) => ({ place: one.place, label: one.title })));
  const shown = lines.filter((one) => !chart.hidden.has(one.place));
  const line = (one, values, more) => ({
    type: "line", name: one.title, data: points(one, kind, values, log), showSymbol: one.values.length <= 60, symbolSize: 5,
    lineStyle: { width: 2, type: dash(one.place) }, itemStyle: { color: colour(one.place) }, emphasis: { disabled: true }, ...more,
  });
  const left = log ? shown.flatMap((one) => one.values).filter((value) => value !== null && value <= 0).length : 0;
  chart.say(left ? `${left} value${left === 1 ? " is" : "s are"} not above 0, and not on a logarithmic axis.` : "");
  chart.list(["Run", "Values", "First", "Last", "Smallest", "Largest"],
    lines.map((one) => [one.title, one.count, one.first, one.last, one.min, one.max]),
    series.some((one) => one.count > one.values.length) ? "Of a long curve the smallest and the largest values of each stretch are drawn." : "");
  return {
    grid: { left: 8, right: 20, top: 12, bottom: AXES[kind] ? 22 : 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: tooltip({ trigger: "axis", axisPointer: { lineStyle: { color: token("--quiet") } }, valueFormatter: figure }),
    xAxis: axis({ type: kind === "time" ? "time" : "value", name: AXES[kind], nameGap: 24, min: "dataMin", max: "dataMax", splitLine: { show: false } }),
    yAxis: axis({ type: log ? "log" : "value" }),
    dataZoom: [{ type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, filterMode: "none" }],
    series: smooth
      ? shown.flatMap((one) => [
        line(one, one.values, { silent: true, showSymbol: false, lineStyle: { width: 1, opacity: 0.3 }, tooltip: { show: false } }),
        line(one, smoothed(one.values, smooth)),
      ])
      : shown.map((one) => line(one, one.values)),
  };
}

function curves(host) {
  let series = [];
  const chart = new Chart(host, () => { if (series.length) chart.show(curvesOption(chart, series)); });
  const load = async () => {
    const url = host.dataset.curves;
    try {
      const ask = () => fetch(url, { headers: { Accept: "application/json" } });
      // Browsers drop requests when the machine's networks change.
      const answer = await ask().catch(() => new Promise((done) => setTimeout(done, 1000)).then(ask));
      if (!answer.ok) throw new Error(`The emulator answered ${answer.status}.`);
      if (url !== host.dataset.curves) return;
      series = (await answer.json()).series;
      series.length ? chart.redraw() : chart.say("No values yet.");
    } catch (error) { chart.say(`The curve could not be loaded: ${error.message}`); }
  };
  load();
  const timer = setInterval(() => {
    if (!host.isConnected) { clearInterval(timer); chart.end(); return; }
    if (host.dataset.live !== undefined && document.visibilityState === "visible") load();
    else if (host.dataset.last !== undefined) { delete host.dataset.last; load(); }
  }, LIVE_EVERY);
}

function scan(root) {
  for (const host of root.querySelectorAll?.(".chart[data-curves]") ?? []) whenNear(host, () => curves(host));
}

document.addEventListener("input", ({ target }) => {
  const form = target.closest?.("[data-chart-controls]");
  if (!form) return;
  const { x, log, smooth } = controls();
  form.elements.smoothness.value = form.elements.smooth.value;
  const address = new URL(location.href);
  for (const [name, value] of Object.entries({ x, log: log ? "1" : "", smooth: smooth ? String(smooth) : "" }))
    value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
  redrawAll();
});
document.addEventListener("submit", (event) => { if (event.target.matches?.("[data-chart-controls]")) event.preventDefault(); });

// What the charts are about has ended: each is asked for once more, then no more.
function end() {
  for (const host of document.querySelectorAll(".chart[data-live]")) { delete host.dataset.live; host.dataset.last = ""; }
}
document.addEventListener("chartsended", end);
document.addEventListener("htmx:afterSettle", () => { if (document.querySelector("#compared[data-ended]")) end(); });

// A part of the page that is brought up to date keeps its drawn charts; what they are about may have changed.
if (window.Idiomorph) window.Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) => {
  if (!old.classList?.contains("drawn") || !old.classList.contains("chart")) return true;
  if (!fresh.dataset) return true;
  if (old.dataset.live !== undefined && fresh.dataset.live === undefined) { delete old.dataset.live; old.dataset.last = ""; }
  if (fresh.dataset.live !== undefined) old.dataset.live = "";
  if (fresh.dataset.curves && fresh.dataset.curves !== old.dataset.curves) {
    old.dataset.curves = fresh.dataset.curves;
    old.dataset.last = "";
    for (const one of [old, old.querySelector(".plot")]) one?.setAttribute("aria-label", fresh.getAttribute("aria-label"));
  }
  return false;
};

document.head.append(element("link", { rel: "stylesheet", href: new URL("charts.css", import.meta.url).href }));
document.addEventListener("htmx:load", (event) => scan(event.detail.elt));
document.addEventListener("htmx:afterSettle", (event) => scan(event.detail.elt));
scan(document);
