// Chapter 1's explorer: a bell curve over points, its heights, their product, the sum of their logs, and the map of ℓ.
import { button, h, row, setAttribute, setEnabled, setPressed, slider } from "./elements.js";
import { explorer, remembered } from "./explorer.js";
import { figure } from "./figure.js";
import { clamp, formatNumber, formatPercent, formatPower, minus, powerOfTen, samples } from "./numbers.js";
import { levelSegments, sampleGrid, strokeLevels } from "./contours.js";

const LIKELIHOOD_TRAITS = ["data", "mu", "sigma", "points", "factors", "tried", "shown"];
const MAP_NODES = 56;
// Level lines lie so far below the maximum, in nats a point; the innermost would give it away before it is shown.
const MAP_LEVELS = [0.1, 0.2, 0.4, 0.7, 1.1, 1.7, 2.6, 4, 7, 12, 22, 45];
const MAP_LEVELS_SHOWN = [0.01, 0.04, ...MAP_LEVELS];
const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;
const CELLS = 5; // factors written out

export function normalLogHeight(x, mu, sigma) {
  return -HALF_LOG_2PI - Math.log(sigma) - ((x - mu) / sigma) ** 2 / 2;
}

// The mean of the points and their summed squared deviations: all that ℓ(μ, σ) knows of them.
export function normalMoments(points) {
  const mean = points.reduce((a, b) => a + b, 0) / points.length;
  return { m: points.length, mean, squares: points.reduce((sum, x) => sum + (x - mean) ** 2, 0) };
}

export function normalLogLikelihood({ m, mean, squares }, mu, sigma) {
  return -m * (HALF_LOG_2PI + Math.log(sigma)) - (squares + m * (mu - mean) ** 2) / (2 * sigma * sigma);
}

// Heights and logs of all points; product and sum of the first n; the factor (from 1) that makes the product 0, if any.
export function likelihoodNumbers(points, mu, sigma, n) {
  const logs = points.map((x) => normalLogHeight(x, mu, sigma));
  const heights = logs.map(Math.exp);
  let [product, sum, gone] = [1, 0, null];
  for (let i = 0; i < n; i += 1) {
    product *= heights[i];
    sum += logs[i];
    if (product === 0) gone ??= i + 1;
  }
  return { logs, heights, product, sum, gone, logLikelihood: logs.reduce((a, b) => a + b, 0) };
}

function render({ model, el }) {
  const sets = model.get("sets");
  const ex = explorer({ model, el, kind: "likelihood", traits: LIKELIHOOD_TRAITS, draw, valid });
  const { t } = ex;
  const pointsOf = ({ data, points }) => (data === "five-points" ? points : sets[data].points);

  // -- the pictures

  const plot = figure(ex, {
    label: t("plot"),
    x: { label: "x" },
    y: { label: "N(x; μ, σ²)", from: 0 },
    margin: { top: 34, left: 46 },
    height: (w) => clamp(0.56 * w, 230, 380),
    pick: (px, py) => (Math.abs(plot.y(heightAt(plot.toX(px))) - py) < 14 ? center : null),
    paint: paintStems,
  });
  const map = figure(ex, {
    label: t("map"),
    class: "gmm-side",
    x: { label: "μ" },
    y: { label: "σ" },
    margin: { top: 34, left: 46 },
    height: (w) => clamp(0.8 * w, 230, 380),
    paint: paintMap,
  });
  const heightAt = (x) => Math.exp(normalLogHeight(x, ex.state.mu, ex.state.sigma));

  const center = plot.handle({
    label: t("mu"),
    text: "μ",
    color: "var(--c1)",
    step: [0.1, 0],
    drag: (x, y, gesture) => moveCurve(x, ex.state.sigma, gesture),
  });
  const width = plot.handle({
    label: t("sigma"),
    shape: "ring",
    color: "var(--c1)",
    drag: (x, y, gesture) => moveCurve(ex.state.mu, Math.abs(x - ex.state.mu), gesture),
    keys: (dx, dy, gesture) => moveCurve(ex.state.mu, ex.state.sigma + 0.1 * (dx + dy), gesture),
  });
  const knobs = sets["five-points"].points.map((_, i) =>
    plot.handle({
      label: t("point", { n: i + 1 }),
      shape: "point",
      step: [0.1, 0],
      drag: (x, y, gesture) => movePoint(i, x, gesture),
    }),
  );
  const place = map.handle({
    label: t("place"),
    color: "var(--c1)",
    step: [0.1, 0.1],
    drag: (mu, sigma, gesture) => moveCurve(mu, sigma, gesture),
  });

  setAttribute(place.node.querySelector(".gmm-knob"), "r", 8);
  place.node.classList.add("gmm-hollow"); // the maximum can be seen through it

  // -- the two sums

  const tally = (label) => {
    const title = h("span", { class: "gmm-label" });
    const total = h("strong", { class: "gmm-total" });
    const cells = Array.from({ length: CELLS }, () => h("span", {}));
    const element = h("div", { class: "gmm-tally" }, h("div", { class: "gmm-tally-head" }, title, total), h("div", { class: "gmm-cells", "aria-hidden": "true" }, ...cells));
    return { element, title, total, cells, label };
  };
  const product = tally("product");
  const sum = tally("sum");
  ex.status.before(h("div", { class: "gmm-tallies" }, product.element, sum.element));

  // -- the controls

  const data = ex.choice("data", Object.keys(sets), (name) => {
    const [mu, sigma] = sets[name].start;
    ex.change({ data: name, mu, sigma, points: sets["five-points"].points, factors: sets[name].points.length, tried: false, shown: false });
  });
  const candidates = ["a", "b"].map((which) =>
    button(t(`curve-${which}`), () => {
      const [mu, sigma] = sets[ex.state.data].candidates[which];
      ex.change({ mu, sigma });
    }),
  );
  const show = button(t("show"), () => {
    if (ex.state.tried) ex.change({ shown: !ex.state.shown });
    else ex.tell(t("try-first"));
  });
  const go = button(t("go"), () => {
    const { mean, squares, m } = normalMoments(pointsOf(ex.state));
    const { x, sigma } = sets[ex.state.data];
    if (ex.state.shown) ex.change({ mu: clamp(mean, ...x), sigma: clamp(Math.sqrt(squares / m), ...sigma) });
    else ex.tell(t(ex.state.tried ? "show-first" : "try-first"));
  });
  const typed = {
    mu: ex.numberInput({ label: "μ", name: t("mu-typed"), onchange: (mu) => moveCurve(mu, ex.state.sigma) }),
    sigma: ex.numberInput({ label: "σ", name: t("sigma-typed"), onchange: (sigma) => moveCurve(ex.state.mu, sigma) }),
  };
  const factors = slider({ label: t("factors"), min: 1, max: 5, oninput: (n, gesture) => ex.change({ factors: n }, { gesture }) });
  // Five factors come one by one, a thousand ten by ten; from all of them Play begins again at the first.
  let [played, ticks] = [null, 0];
  const player = ex.player({
    interval: 90,
    end: (gesture) => ex.change({ factors: pointsOf(ex.state).length }, { gesture }),
    step: (gesture) => {
      const m = pointsOf(ex.state).length;
      const { factors: n } = ex.state;
      if (played !== gesture) {
        [played, ticks] = [gesture, 0];
        ex.change({ factors: n === m ? 1 : n }, { gesture });
      } else {
        ticks += 1;
        if (m > 30 || ticks % 8 === 0) ex.change({ factors: Math.min(m, n + (m > 30 ? 10 : 1)) }, { gesture });
      }
      return ex.state.factors < m;
    },
  });
  ex.controls.append(
    row(show, go, ex.undoButton(), ex.resetButton(), ex.linkButton(), ex.projectorButton()),
    row(data, typed.mu, typed.sigma, ...candidates),
    row(...player.controls, factors),
    ex.parts([
      { caption: t("heights"), head: () => [t("point-column"), "x", "N(x; μ, σ²)", "log"], rows: heightRows },
      { caption: t("map-table"), head: () => ["σ \\ μ", ...across(sets[ex.state.data].x).map((mu) => formatNumber(mu))], rows: mapRows },
    ]),
  );
  ex.next = () => ex.change({ factors: Math.min(ex.state.factors + 1, pointsOf(ex.state).length) });

  // What the pictures show, as numbers: of a thousand points the first; of the map, a coarse grid.
  function heightRows() {
    const points = pointsOf(ex.state);
    const { heights, logs } = likelihoodNumbers(points, ex.state.mu, ex.state.sigma, 1);
    return points.slice(0, 10).map((x, i) => [i + 1, formatNumber(x), formatPower(heights[i]), formatNumber(logs[i])]);
  }
  const across = ([low, high]) => Array.from({ length: 5 }, (_, i) => low + ((high - low) * i) / 4);
  function mapRows() {
    const { x, sigma } = sets[ex.state.data];
    const moments = normalMoments(pointsOf(ex.state));
    return across(sigma).map((s) => [formatNumber(s), ...across(x).map((mu) => normalLogLikelihood(moments, mu, s).toFixed(2))]);
  }

  // -- what the reader does

  function valid(state) {
    const set = sets[state.data];
    const within = (value, [low, high]) => Number.isFinite(value) && value >= low && value <= high;
    const five = sets["five-points"];
    const sound =
      set && within(state.mu, set.x) && within(state.sigma, set.sigma) &&
      Array.isArray(state.points) && state.points.length === 5 && state.points.every((x) => within(x, five.x)) &&
      Number.isInteger(state.factors) && within(state.factors, [1, set.points.length]) &&
      typeof state.tried === "boolean" && typeof state.shown === "boolean";
    return sound ? null : t("bad-link");
  }

  function moveCurve(mu, sigma, gesture = null) {
    const set = sets[ex.state.data];
    const round = (value, range) => clamp(Math.round(value * 100) / 100, ...range);
    const to = { mu: mu === ex.state.mu ? mu : round(mu, set.x), sigma: sigma === ex.state.sigma ? sigma : round(sigma, set.sigma) };
    ex.change({ ...to, tried: true }, { gesture });
  }

  function movePoint(i, x, gesture) {
    const to = clamp(Math.round(x * 10) / 10, ...sets["five-points"].x);
    ex.change({ points: ex.state.points.map((old, j) => (j === i ? to : old)) }, { gesture });
  }

  // -- drawing

  function paintStems(context) {
    const { mu, sigma, factors: n } = ex.state;
    const points = pointsOf(ex.state);
    const few = points.length <= 30;
    const base = plot.y(0);
    for (const included of [false, true]) {
      context.strokeStyle = ex.color(included ? "c1" : "unknown");
      context.globalAlpha = few ? (included ? 0.85 : 0.4) : included ? 0.28 : 0.1;
      context.lineWidth = few ? 3 : 1;
      context.beginPath();
      points.forEach((x, i) => {
        if (i < n !== included) return;
        const px = plot.x(x);
        context.moveTo(px, base);
        context.lineTo(px, plot.y(Math.exp(normalLogHeight(x, mu, sigma))));
        if (!few) {
          context.moveTo(px, base + 3);
          context.lineTo(px, base + 10);
        }
      });
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  const levelLines = remembered(["data", "shown", "points"], (state) => {
    const { x, sigma } = sets[state.data];
    const moments = normalMoments(pointsOf(state));
    const values = sampleGrid((mu, s) => normalLogLikelihood(moments, mu, s), x, sigma, MAP_NODES);
    const best = Math.sqrt(moments.squares / moments.m);
    // Where all points are at one place ℓ has no maximum; the lines then count from the highest place of the map.
    const top = best >= sigma[0] ? normalLogLikelihood(moments, moments.mean, best) : values.reduce((a, b) => Math.max(a, b));
    const levels = (state.shown ? MAP_LEVELS_SHOWN : MAP_LEVELS).map((drop) => top - moments.m * drop);
    return levels.map((level) => levelSegments(values, MAP_NODES, level));
  });
  function paintMap(context) {
    context.strokeStyle = ex.color("muted");
    strokeLevels(context, map, levelLines(ex.state), MAP_NODES, (i) => Math.max(0.3, 0.95 - 0.06 * i));
  }

  function draw(state) {
    const { mu, sigma, shown, factors: n } = state;
    const set = sets[state.data];
    const points = pointsOf(state);
    const m = points.length;
    const numbers = likelihoodNumbers(points, mu, sigma, n);
    const moments = normalMoments(points);
    const best = Math.sqrt(moments.squares / m);
    const unbiased = Math.sqrt(moments.squares / (m - 1));
    const [low, high] = [set.x[0] - 1, set.x[1] + 1];

    // The picture grows only when the curve would leave it, so that a narrow curve is seen to be tall.
    const peak = heightAt(mu);
    const top = Math.max(1.06 * peak, state.data === "five-points" ? 0.2 : 0.09);
    plot.domain({ x: [low, high], y: [(-14 * top) / (plot.height - 14), top] });
    const xs = samples([low, high], [[mu, sigma]], 40); // a narrow curve is bent most at its center
    plot.mark("zero", "line", { class: "gmm-zero", x1: 0, x2: plot.width, y1: plot.y(0), y2: plot.y(0) }, plot.under);
    const curve = (name, a, s, attributes) => plot.line(name, a === null ? null : xs, xs.map((x) => Math.exp(normalLogHeight(x, a ?? 0, s))), { fill: "none", "stroke-width": 2.5, ...attributes });
    const there = shown && best > 0;
    curve("best", there ? moments.mean : null, there ? best : 1, { stroke: "var(--c3)", "stroke-dasharray": "7 4" });
    curve("curve", mu, sigma, { stroke: "var(--c1)" });
    plot.mark("axis", "line", { x1: plot.x(mu), x2: plot.x(mu), y1: plot.y(0), y2: plot.y(peak), stroke: "var(--c1)", "stroke-dasharray": "2 4" }, plot.under);
    plot.paint();

    center.place(mu, peak, { min: set.x[0], max: set.x[1] });
    // On the side where there is room for it.
    const side = mu + sigma <= set.x[1] + 1 ? 1 : -1;
    width.place(mu + side * sigma, heightAt(mu + sigma), { now: sigma, min: set.sigma[0], max: set.sigma[1] });
    knobs.forEach((knob, i) =>
      knob.place(state.points[i], 0, { min: set.x[0], max: set.x[1], hidden: state.data !== "five-points", text: t("point-said", { x: formatNumber(state.points[i]), height: formatPower(numbers.heights[i], 3) }) }),
    );

    map.domain({ x: set.x, y: set.sigma });
    map.paint();
    drawBest(state, moments, best, unbiased);
    place.place(mu, sigma, { now: mu, min: set.x[0], max: set.x[1], text: t("place-said", { mu: formatNumber(mu), sigma: formatNumber(sigma) }) });

    // What is multiplied and added, then the result.
    const written = m <= CELLS ? points.map((_, i) => i) : [0, 1, 2, null, n - 1];
    for (const [which, values, total, format, sign] of [
      [product, numbers.heights, formatPower(numbers.product, 5), (value) => formatPower(value, 3), "×"],
      [sum, numbers.logs, formatNumber(numbers.sum, 6), (value) => formatNumber(value, 3), "+"],
    ]) {
      which.title.textContent = n === m ? t(which.label, { n }) : t(`${which.label}-first`, { n });
      which.total.textContent = minus(total);
      which.cells.forEach((cell, i) => {
        const at = written[i];
        const hidden = at !== null && (at >= n || (m > CELLS && i < 4 && at === n - 1));
        const text = at === null ? (n > 4 ? "…" : "") : hidden ? "" : minus(format(values[at]));
        // To add a negative number is to take its size away.
        cell.textContent = text && i && at !== null ? (sign === "+" && text.startsWith("−") ? `− ${text.slice(1)}` : `${sign} ${text}`) : text;
      });
    }

    factors.set(n, { max: m });
    for (const [name, value, [least, most]] of [["mu", mu, set.x], ["sigma", sigma, set.sigma]]) {
      Object.assign(typed[name].input, { min: least, max: most });
      typed[name].set(value);
    }
    setEnabled(show, state.tried);
    setEnabled(go, shown);
    setPressed(show, shown);

    const bestLogLikelihood = best > 0 ? normalLogLikelihood(moments, moments.mean, best) : null;
    ex.data({
      data: state.data,
      mu,
      sigma,
      factors: n,
      points: state.data === "five-points" ? JSON.stringify(points) : null,
      heights: m <= CELLS ? JSON.stringify(numbers.heights) : null,
      product: numbers.product,
      sum: numbers.sum,
      "log-likelihood": numbers.logLikelihood,
      underflow: numbers.gone,
      tried: String(state.tried),
      shown: String(shown),
      "best-mu": shown ? moments.mean : null,
      "best-sigma": shown ? best : null,
      "best-sigma-unbiased": shown ? unbiased : null,
      "best-log-likelihood": shown ? bestLogLikelihood : null,
    });
    ex.tell(sentence(state, numbers, { mean: moments.mean, best, unbiased, bestLogLikelihood }));
  }

  // The two widths at the best center; and, where points have been moved, where the maximum was before.
  function drawBest(state, moments, best, unbiased) {
    const { sigma } = sets[state.data];
    const inside = (s) => state.shown && s >= sigma[0] && s <= sigma[1];
    const diamond = (a, s) => `M${map.x(a) - 7} ${map.y(s)}l7 -7l7 7l-7 7Z`;
    map.mark("unbiased", "rect", inside(unbiased) ? { x: map.x(moments.mean) - 4.5, y: map.y(unbiased) - 4.5, width: 9, height: 9, fill: "var(--surface)", stroke: "var(--c3)", "stroke-width": 2 } : null);
    map.mark("best", "path", inside(best) ? { d: diamond(moments.mean, best), fill: "var(--c3)", stroke: "var(--surface)", "stroke-width": 1.5 } : null);
    // What the two marks are stands above the map: on it there is no place off all level lines.
    const legend = [[best, "◆ 1/m"], [unbiased, "□ 1/(m−1)"]].flatMap(([s, text]) => (inside(s) ? [text] : [])).join("   ");
    map.mark("legend", "text", legend ? { x: map.width, y: -12 * map.unit, "text-anchor": "end", "font-size": 13, fill: "var(--c3)", text: legend } : null);
    const first = normalMoments(sets["five-points"].points);
    const moved = state.shown && state.data === "five-points" && state.points.some((p, i) => p !== sets["five-points"].points[i]);
    const before = Math.sqrt(first.squares / first.m);
    map.mark("was", "path", moved ? { d: diamond(first.mean, before), fill: "none", stroke: "var(--muted)", "stroke-width": 1.5 } : null);
    map.mark("way", "line", moved && inside(best) ? { x1: map.x(first.mean), y1: map.y(before), x2: map.x(moments.mean), y2: map.y(best), stroke: "var(--muted)", "stroke-dasharray": "3 3" } : null);
  }

  function sentence(state, numbers, { mean, best, unbiased, bestLogLikelihood }) {
    const m = pointsOf(state).length;
    const told = {
      n: state.factors,
      m,
      mu: formatNumber(state.mu),
      sigma: formatNumber(state.sigma),
      product: formatPower(numbers.product),
      l: formatNumber(numbers.logLikelihood, 6),
    };
    const parts = [t("status", told)];
    if (numbers.gone) {
      // The product as it would be, from the sum of logs.
      const power = Math.round(numbers.sum / Math.LN10);
      parts.push(t("underflow", { gone: numbers.gone, power: powerOfTen(power) }));
    }
    if (state.shown && best > 0) {
      const short = bestLogLikelihood - numbers.logLikelihood;
      parts.push(t("best", { mu: formatNumber(mean), sigma: formatNumber(best), unbiased: formatNumber(unbiased), l: formatNumber(bestLogLikelihood, 6) }));
      if (short < 1e-9 * Math.abs(bestLogLikelihood)) parts.push(t("reached"));
      else parts.push(t("short", { short: formatNumber(short, 3), share: formatPercent(Math.max(Math.exp(-short), 1e-9)) }));
    } else if (state.shown) parts.push(t("no-best"));
    else if (!state.tried && !numbers.gone) parts.push(t("task"));
    return parts.join(" ");
  }

  return ex.start();
}

export default { render };
