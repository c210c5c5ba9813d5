// Chapter 4's explorer: points on a curve, the curve at their average, the average of their heights.
import { button, checkbox, row, setAttribute, setEnabled, slider } from "./elements.js";
import { explorer } from "./explorer.js";
import { figure } from "./figure.js";
import { placesAround, writeName } from "./names.js";
import { clamp, formatNumber, formatPercent, samples } from "./numbers.js";

const JENSEN_CURVES = {
  log: { f: Math.log, range: [0.1, 10], bends: true },
  square: { f: (x) => x * x, range: [-5, 10], bends: true },
  exp: { f: Math.exp, range: [-1, 2.5], bends: true },
  line: { f: (x) => x / 2 + 1, range: [-5, 10], bends: false },
  cubic: { f: (x) => x ** 3, range: [-2, 3], bends: false },
};
const JENSEN_MOST = 6;
const JENSEN_WAYS = ["weight", "place"];

export function jensenNumbers({ curve, values, masses }) {
  const { f } = JENSEN_CURVES[curve];
  const total = masses.reduce((a, b) => a + b, 0);
  const weights = masses.map((mass) => mass / total);
  const mean = values.reduce((sum, x, i) => sum + weights[i] * x, 0);
  const bendFirst = values.reduce((sum, x, i) => sum + weights[i] * f(x), 0);
  const averageFirst = f(mean);
  // What rounding leaves of a gap that is zero is not a gap.
  const size = Math.max(...values.map((x) => Math.abs(f(x))), 1);
  const zero = Math.abs(bendFirst - averageFirst) < 1e-13 * size;
  return { weights, mean, bendFirst, averageFirst, gap: bendFirst - averageFirst, zero };
}

function render({ model, el }) {
  const ex = explorer({ model, el, kind: "jensen", traits: ["curve", "values", "masses", "found"], draw, valid });
  const { t } = ex;
  const plot = figure(ex, {
    label: t("plot"),
    x: { label: "x" },
    y: { label: "f(x)" },
    margin: { top: 26 },
    height: (w) => clamp(0.4 * w, 260, 400),
  });
  const knobs = Array.from({ length: JENSEN_MOST }, (_, i) =>
    plot.handle({
      label: t("point", { n: i + 1 }),
      text: String(i + 1),
      color: "var(--muted)",
      step: () => [ex.state.curve === "exp" || ex.state.curve === "cubic" ? 0.05 : 0.1, 0],
      drag: (x, y, gesture) => move(i, x, gesture),
    }),
  );

  const curves = ex.choice("curve", Object.keys(JENSEN_CURVES), (curve) => choose(curve));
  const more = button(t("add"), () => add());
  const fewer = button(t("remove"), () => remove());
  const masses = Array.from({ length: JENSEN_MOST }, (_, i) =>
    slider({
      label: t("weight", { n: i + 1 }),
      min: 0,
      max: 1,
      step: 0.01,
      format: formatPercent,
      oninput: (share, gesture) => commit({ masses: shared(i, share) }, gesture),
    }),
  );
  // The weights when point i has a share of its own choice: the others keep their proportions in what is left.
  function shared(i, share) {
    const { masses: now } = ex.state;
    const others = now.reduce((sum, mass, j) => (j === i ? sum : sum + mass), 0);
    return now.map((mass, j) => (j === i ? share : (1 - share) * (others > 0 ? mass / others : 1 / (now.length - 1))));
  }
  const show = checkbox({ label: t("show-hull"), value: true, onchange: () => ex.redraw() });
  const goal = row();
  goal.classList.add("gmm-help");
  ex.controls.append(row(curves, more, fewer, show), row(...masses), goal, ex.stateRow(), ex.parts([
    {
      caption: t("table"),
      head: () => [t("point-column"), "x", "f(x)", t("weight-column")],
      rows: () => ex.state.values.map((x, i) => [i + 1, ...[x, JENSEN_CURVES[ex.state.curve].f(x)].map((value) => formatNumber(value)), formatPercent(jensenNumbers(ex.state).weights[i])]),
    },
    {
      caption: t("averages"),
      head: () => ["E[X]", "f(E[X])", "E[f(X)]"],
      rows: () => [["mean", "averageFirst", "bendFirst"].map((name) => formatNumber(jensenNumbers(ex.state)[name], 6))],
    },
  ]));

  function valid({ curve, values, masses, found }) {
    const [low, high] = JENSEN_CURVES[curve]?.range ?? [NaN, NaN];
    const fits = (list) => Array.isArray(list) && list.length >= 2 && list.length <= JENSEN_MOST && list.every(Number.isFinite);
    const ways = Array.isArray(found) && found.every((way, i) => JENSEN_WAYS.includes(way) && found.indexOf(way) === i);
    if (!fits(values) || !fits(masses) || values.length !== masses.length || !ways) return t("bad-link");
    if (!values.every((x) => x >= low && x <= high)) return t("outside", { low, high });
    if (!masses.every((mass) => mass >= 0 && mass <= 1) || masses.every((mass) => mass === 0)) return t("no-weight");
    return null;
  }

  // How the points with a weight come to have no gap between them: one is left, or all are at one place.
  function wayOf({ values, masses: now }) {
    const weighted = values.filter((_, i) => now[i] > 0);
    if (weighted.length === 1) return "weight";
    return Math.max(...weighted) === Math.min(...weighted) ? "place" : null;
  }

  // A way to a gap of zero is found by going there; on a line every way leads there, so it does not count.
  function commit(patch, gesture = null) {
    const to = { ...ex.state, ...patch };
    if (!valid(to) && JENSEN_CURVES[to.curve].bends) {
      const way = wayOf(to);
      if (way && !to.found.includes(way)) patch = { ...patch, found: [...to.found, way] };
    }
    ex.change(patch, { gesture });
  }

  // Near another point the dragged one snaps to it: a hand cannot hit a number exactly.
  function move(i, wanted, gesture) {
    const { curve, values } = ex.state;
    const [low, high] = JENSEN_CURVES[curve].range;
    const target = values.find((x, j) => j !== i && plot.dragging() && Math.abs(plot.x(x) - plot.x(wanted)) < 9);
    const x = target ?? clamp(Number(wanted.toPrecision(4)), low, high);
    commit({ values: values.map((old, j) => (j === i ? x : old)) }, gesture);
  }

  // Points that the new curve has no place for keep their place on the screen instead of their value.
  function choose(curve) {
    const { values, curve: old } = ex.state;
    const [from, to] = [JENSEN_CURVES[old].range, JENSEN_CURVES[curve].range];
    const inside = values.every((x) => x >= to[0] && x <= to[1]);
    const moved = values.map((x) => Number((to[0] + ((x - from[0]) / (from[1] - from[0])) * (to[1] - to[0])).toPrecision(4)));
    commit({ curve, values: inside ? values : moved.map((x) => clamp(x, ...to)) });
  }

  function add() {
    const { values, masses: now, curve } = ex.state;
    if (values.length === JENSEN_MOST) return ex.tell(t("most", { n: JENSEN_MOST }));
    // Into the widest space, where it can be taken hold of.
    const [low, high] = JENSEN_CURVES[curve].range;
    const sorted = [low, ...values, high].sort((a, b) => a - b);
    let widest = 0;
    for (let i = 1; i < sorted.length; i += 1) if (sorted[i] - sorted[i - 1] > sorted[widest + 1] - sorted[widest]) widest = i - 1;
    const x = Number(((sorted[widest] + sorted[widest + 1]) / 2).toPrecision(3));
    return commit({ values: [...values, x], masses: [...now, 0.5] });
  }

  function remove() {
    const { values, masses: now } = ex.state;
    if (values.length === 2) return ex.tell(t("least"));
    return commit({ values: values.slice(0, -1), masses: now.slice(0, -1) });
  }

  function draw(state) {
    const { curve, values } = state;
    const { f, range } = JENSEN_CURVES[curve];
    const found = jensenNumbers(state);
    const { weights, mean, averageFirst, bendFirst, gap, zero } = found;
    const xs = samples(range);
    const ys = xs.map(f);
    const [lowest, highest] = [Math.min(...ys), Math.max(...ys)];
    plot.domain({ x: range, y: [lowest - 0.06 * (highest - lowest), highest + 0.08 * (highest - lowest)] });
    plot.line("curve", xs, ys, { fill: "none", stroke: "var(--ink)", "stroke-width": 2 }, plot.under);

    // The average of points on the curve lies in the region they span.
    const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
    const corners = order.map((i) => `${plot.x(values[i]).toFixed(1)},${plot.y(f(values[i])).toFixed(1)}`).join(" ");
    const hull = { points: corners, fill: "var(--unknown)", "fill-opacity": 0.14, stroke: "var(--muted)", "stroke-dasharray": "3 4" };
    plot.mark("hull", "polygon", show.input.checked ? hull : null);

    const [px, top, bottom] = [plot.x(mean), plot.y(averageFirst), plot.y(bendFirst)];
    plot.mark("drop", "line", { x1: px, x2: px, y1: plot.height, y2: Math.max(top, bottom), stroke: "var(--muted)", "stroke-dasharray": "2 4" });
    plot.mark("gap", "line", { x1: px, x2: px, y1: top, y2: bottom, stroke: "var(--c3)", "stroke-width": 5 });
    plot.mark("average-first", "rect", { x: px - 7, y: top - 7, width: 14, height: 14, fill: "var(--c1)", stroke: "var(--surface)", "stroke-width": 2 }, plot.over);
    plot.mark("bend-first", "path", { d: `M${px - 8} ${bottom}L${px} ${bottom - 8}L${px + 8} ${bottom}L${px} ${bottom + 8}Z`, fill: "var(--c2)", stroke: "var(--surface)", "stroke-width": 2 }, plot.over);
    // Both averages carry their names, off the curve, the region's edge, the points and each other.
    const corner = order.map((i) => [plot.x(values[i]), plot.y(f(values[i]))]);
    const drawn = [xs.map((x, i) => [plot.x(x), plot.y(ys[i])]), [[px, plot.height], [px, Math.min(top, bottom)]], ...(show.input.checked ? [[...corner, corner[0]]] : [])];
    const spots = [...corner.map(([x, y]) => [x, y, 17 * plot.unit]), [px, top, 9 * plot.unit], [px, bottom, 9 * plot.unit]];
    const names = writeName(plot, "label-average-first", "f(E[X])", placesAround([px, top], plot.unit), { curves: drawn, spots });
    writeName(plot, "label-bend-first", "E[f(X)]", placesAround([px, bottom], plot.unit), { curves: drawn, spots, names });

    knobs.forEach((knob, i) => {
      const here = i < values.length;
      masses[i].hidden = !here;
      if (!here) return knob.place(0, 0, { hidden: true });
      setAttribute(knob.node.querySelector(".gmm-knob"), "r", (7 + 9 * Math.sqrt(weights[i])).toFixed(1));
      knob.node.style.opacity = weights[i] === 0 ? 0.45 : 1;
      knob.place(values[i], f(values[i]), {
        min: range[0],
        max: range[1],
        text: t("point-said", { x: formatNumber(values[i]), share: formatPercent(weights[i]) }),
      });
      return masses[i].set(weights[i]);
    });
    setEnabled(more, values.length < JENSEN_MOST);
    setEnabled(fewer, values.length > 2);
    goal.textContent = t("goal", { n: state.found.length });

    ex.data({ curve, mean, "average-first": averageFirst, "bend-first": bendFirst, gap, found: state.found.length });
    const numbers = { first: formatNumber(averageFirst), second: formatNumber(bendFirst), gap: zero ? "0" : formatNumber(Math.abs(gap)) };
    const key = zero ? `zero-${curve === "line" ? "line" : (wayOf(state) ?? "luck")}` : gap < 0 ? "status-average" : "status-bend";
    ex.tell(t(key, numbers));
  }

  return ex.start();
}

export default { render };
