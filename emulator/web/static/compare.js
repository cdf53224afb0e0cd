// Runs beside one another: parallel coordinates, a scatter, and the curves of ROC and precision-recall charts.

import { Chart, axis, colour, dash, dye, element, figure, token, tooltip, whenNear } from "./charts.js";

const MOST_AXES = 10;
const data = (id) => JSON.parse(document.getElementById(id).textContent);
const words = (column) => [...new Set(column.values.map((value) => value ?? "–"))];

function chooser(chart, columns, chosen, redraw) {
  const box = element("details", {}, element("summary", { textContent: "Axes" }));
  const inside = element("div", { className: "selects" });
  columns.forEach((column, place) => {
    const tick = element("input", { type: "checkbox", checked: chosen.has(place) });
    tick.addEventListener("change", () => { tick.checked ? chosen.add(place) : chosen.delete(place); redraw(); });
    const label = element("label", { className: "tick" }, tick, `${column.title} (${column.kind})`);
    inside.append(label);
  });
  box.append(inside);
  chart.above.append(box);
  chart.above.hidden = false;
}

function parallel(host) {
  const { labels, columns } = data(host.dataset.parallel);
  const first = columns.map((column, place) => ({ column, place })).filter(({ column }) => column.differs);
  const chosen = new Set((first.length ? first : columns.map((column, place) => ({ column, place }))).slice(0, MOST_AXES).map(({ place }) => place));
  const chart = new Chart(host, () => draw());
  const draw = () => {
    const shown = columns.filter((_, place) => chosen.has(place));
    chart.tell(labels.map((label, place) => ({ place, label })));
    chart.list(["Run", ...shown.map((column) => column.title)], labels.map((label, run) => [label, ...shown.map((column) => column.values[run])]));
    chart.say(shown.length > 1 ? "Drag along an axis to pick a range of it; a click on it ends that." : "Choose at least two axes.");
    if (shown.length < 2) return;
    chart.show({
      parallel: { left: 50, right: 70, top: 40, bottom: 16, parallelAxisDefault: { areaSelectStyle: { color: token("--accent"), opacity: 0.25, borderColor: token("--accent") } } },
      parallelAxis: shown.map((column, dim) => ({
        ...axis(), dim, name: column.title, nameLocation: "end", nameTruncate: { maxWidth: 110 },
        type: column.numeric ? "value" : "category", ...(column.numeric ? {} : { data: words(column) }),
        nameTextStyle: { color: token("--text") }, axisLabel: { color: token("--quiet"), formatter: (value) => shortened(column.numeric ? figure(value) : value) },
      })),
      tooltip: tooltip({ trigger: "item", formatter: ({ seriesName, value }) => [seriesName, ...shown.map((column, dim) => `${column.title}: ${figure(value[dim])}`)].join("\n") }),
      series: labels.map((label, run) => ({
        type: "parallel", name: label, smooth: false,
        lineStyle: { width: 2.5, color: colour(run), type: dash(run), opacity: 0.9 }, inactiveOpacity: 0.08,
        data: chart.hidden.has(run) ? [] : [shown.map((column) => column.values[run] ?? (column.numeric ? "-" : "–"))],
      })),
    });
  };
  chooser(chart, columns, chosen, draw);
  draw();
}

const shortened = (text) => (String(text).length > 18 ? `${String(text).slice(0, 17)}…` : text);

function select(title, columns, chosen, redraw) {
  const made = element("select", {}, ...columns.map((column, place) => element("option", { value: place, textContent: `${column.title} (${column.kind})` })));
  made.value = chosen;
  made.addEventListener("change", redraw);
  return [made, element("label", {}, title, made)];
}

function scatter(host) {
  const { labels, columns } = data(host.dataset.scatter);
  const chart = new Chart(host, () => draw());
  const firstX = Math.max(0, columns.findIndex((column) => column.kind === "parameter" && column.differs));
  const metric = (wanted) => columns.findIndex((column) => column.kind === "metric" && new Set(column.values).size >= wanted);
  const firstY = Math.max(0, metric(2) === -1 ? metric(1) : metric(2));
  const [across, acrossLabel] = select("Across", columns, firstX, () => draw());
  const [up, upLabel] = select("Up", columns, firstY, () => draw());
  chart.above.append(acrossLabel, upLabel);
  chart.above.hidden = false;
  const side = (column, more) => axis({ name: column.title, ...more, ...(column.numeric ? { type: "value" } : { type: "category", data: words(column) }) });
  const draw = () => {
    const x = columns[across.value], y = columns[up.value];
    chart.tell(labels.map((label, place) => ({ place, label })));
    chart.list(["Run", x.title, y.title], labels.map((label, run) => [label, x.values[run], y.values[run]]));
    const missing = labels.filter((_, run) => x.values[run] === null || y.values[run] === null).length;
    chart.say(missing ? `${missing} run${missing === 1 ? " has" : "s have"} no value for both.` : "");
    chart.show({
      grid: { left: 36, right: 24, top: 16, bottom: 30, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      xAxis: side(x, { nameGap: 26 }), yAxis: side(y, { nameGap: 46 }),
      tooltip: tooltip({ trigger: "item", formatter: ({ seriesName, value }) => `${seriesName}\n${x.title}: ${figure(value[0])}\n${y.title}: ${figure(value[1])}` }),
      series: labels.map((label, run) => ({
        type: "scatter", name: label, symbolSize: 13, symbol: ["circle", "rect", "triangle", "diamond"][run % 4], itemStyle: { color: colour(run) },
        data: chart.hidden.has(run) || x.values[run] === null || y.values[run] === null ? [] : [[x.values[run], y.values[run]]],
      })),
    });
  };
  draw();
}

const RATES = {
  ROCCurve: { x: "false positive rate", y: "true positive rate", score: "area under the curve" },
  PrecisionRecallCurve: { x: "recall", y: "precision", score: "average precision" },
};

function rates(host) {
  const { curves, labels } = data(host.dataset.rates);
  const kind = RATES[host.dataset.kind];
  const chart = new Chart(host, () => draw());
  const draw = () => {
    chart.tell(curves.map(({ run }) => ({ place: run, label: labels[run] })));
    chart.list(["Run", kind.score, "Points"], curves.map((one) => [labels[one.run], one.score, one.x.length]));
    const chance = host.dataset.kind === "ROCCurve" ? [[0, 0], [1, 1]] : curves.filter((one) => one.noSkill !== null).slice(0, 1).flatMap((one) => [[0, one.noSkill], [1, one.noSkill]]);
    chart.show({
      grid: { left: 36, right: 20, top: 16, bottom: 30, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      xAxis: axis({ type: "value", min: 0, max: 1, name: kind.x, nameGap: 26 }), yAxis: axis({ type: "value", min: 0, max: 1, name: kind.y, nameGap: 34 }),
      tooltip: tooltip({ trigger: "item", formatter: ({ seriesName, value }) => `${seriesName}\n${kind.x}: ${figure(value[0])}\n${kind.y}: ${figure(value[1])}` }),
      series: [
        ...curves.filter(({ run }) => !chart.hidden.has(run)).map((one) => ({
          type: "line", name: `${labels[one.run]}${one.score === null ? "" : ` (${figure(one.score)})`}`, data: one.x.map((x, place) => [x, one.y[place]]),
          showSymbol: false, triggerLineEvent: true, lineStyle: { width: 2, type: dash(one.run) }, itemStyle: { color: colour(one.run) },
        })),
        { type: "line", name: "chance", silent: true, showSymbol: false, data: chance, lineStyle: { width: 1, type: "dashed" }, itemStyle: { color: token("--quiet") } },
      ],
    });
  };
  draw();
}

for (const [name, draw] of Object.entries({ parallel, scatter, rates }))
  for (const host of document.querySelectorAll(`.chart[data-${name}]`)) whenNear(host, () => draw(host));

const dyeAll = () => document.querySelectorAll("[data-swatch]").forEach((swatch) => dye(swatch, Number(swatch.dataset.swatch)));
document.addEventListener("themechange", dyeAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dyeAll);
dyeAll();
