// Chapter 5's explorer: ℓ(θ) and its lower bound for any Q, along one coordinate of θ; both are computed.
import { button, h, row } from "./elements.js";
import { explorer } from "./explorer.js";
import { figure, nearestTo } from "./figure.js";
import { CHARACTER, LIMIT, clamp, formatFixed, formatNumber, formatPercent, formatTick, labelled } from "./numbers.js";
import { boundChain, chainOf, chainTerm, formatNats, touching } from "./bound_chain.js";
import { placesAlong, writeName } from "./names.js";
import { eStep, logDensity, logJoint, mStep, makeMixture, nested, unlessDegenerate } from "./em.js";

const BOUND_COORDINATES = ["mean-1", "mean-2", "variance-1", "variance-2", "weight-1"];
const BOUND_SYMBOLS = { "mean-1": "μ₁", "mean-2": "μ₂", "variance-1": "σ₁²", "variance-2": "σ₂²", "weight-1": "φ₁" };
const BOUND_TRAITS = ["data", "coordinate", "climb", "weights", "means", "variances", "q", "selected", "iteration", "half", "before"];
const BOUND_SAMPLES = 160;
const BOUND_FEW = 30; // points that have a column each
/** @type {[number, number]} */
const BOUND_VARIANCES = [1e-9, 1e12]; // bound.py has the same
/** @type {[number, number]} */
const BOUND_WEIGHTS = [1e-9, 1 - 1e-9];
/** @type {[number, number]} */
const BOUND_HEIGHTS = [-1e30, 1e30]; // of ℓ and the bound before an M step; bound.py has the same

const boundMixture = ({ weights, means, variances }) => makeMixture(weights, means.map((mu) => [mu]), variances.map((v) => [[v]]));

// Σ_i Σ_j q_j (log p(x, j) - log q_j), with 0 log 0 = 0: gmm_lib.evidence_lower_bound.
export function lowerBound(x, mixture, q) {
  let sum = 0;
  for (let i = 0; i < x.length; i += 1) {
    for (let j = 0; j < 2; j += 1) {
      const share = j ? 1 - q[i] : q[i];
      if (share > 0) sum += share * (logJoint(mixture, j, x, i) - Math.log(share));
    }
  }
  return sum;
}

// KL(q ‖ posterior) of each point, in log space: gmm_lib.bound.kl_to_posterior.
export function divergences(x, mixture, q) {
  return Array.from(x, (_, i) => {
    const evidence = logDensity(mixture, x, i);
    let sum = 0;
    for (let j = 0; j < 2; j += 1) {
      const share = j ? 1 - q[i] : q[i];
      if (share > 0) sum += share * (Math.log(share) - (logJoint(mixture, j, x, i) - evidence));
    }
    return sum;
  });
}

function render({ model, el }) {
  const sets = model.get("sets");
  const ex = explorer({ model, el, kind: "bound", traits: BOUND_TRAITS, draw, valid });
  const { t } = ex;

  const plot = figure(ex, {
    label: t("plot"),
    x: { label: "θ" },
    y: { label: "ℓ" },
    margin: { left: 52, top: 30, right: 18 },
    clip: true,
    height: (w) => clamp(0.72 * w, 240, 430),
  });
  const here = plot.handle({
    label: t("theta"),
    text: "θ",
    step: () => [(plot.domain().x[1] - plot.domain().x[0]) / 200, 0],
    drag: (x, y, gesture) => moveTheta(x, gesture),
  });
  // Beside the picture, where there is room: the chain, and below it Q with the height that is left.
  const chain = boundChain(t, { e: () => stepE(), m: () => stepM() });
  const side = h("div", { class: "gmm-side" }, chain.element);
  ex.plots.append(side);
  const beside = () => side.offsetLeft > plot.element.offsetLeft + 50;
  let stands = false;
  const table = figure(ex, {
    label: t("table"),
    parent: side,
    x: { ticks: 0 },
    y: { label: "Q₁", domain: [0, 1], ticks: 3 },
    margin: { top: 30, bottom: 36 },
    height: () => {
      stands = beside();
      return stands ? Math.max(ex.root.hasAttribute("data-projector") ? 130 : 170, (plot.element.offsetHeight - chain.element.offsetHeight) / ex.unit) : 200;
    },
    pick: (px, py) => pick(px, py),
  });
  const share = table.handle({
    label: t("share"),
    shape: "point",
    drag: (x, y, gesture) => moveShare(ex.state.selected, y, gesture),
    keys: (dx, dy, gesture) => (dx ? walk(Math.sign(dx)) : moveShare(ex.state.selected, ex.state.q[ex.state.selected] + 0.02 * dy, gesture)),
  });

  const e = button(t("e-step"), () => stepE());
  const m = button(t("m-step"), () => stepM());
  const coordinate = ex.choice("coordinate", BOUND_COORDINATES, (name) => ex.change({ coordinate: name, before: [] }));
  const climb = ex.choice("climb", ["coordinate", "all"]);
  const data = ex.choice("data", Object.keys(sets), (name) => ex.change(fresh(name)));
  ex.controls.append(row(e, m, ex.undoButton(), ex.resetButton(), ex.linkButton(), ex.projectorButton()), row(coordinate, climb, data), ex.parts([
    { caption: t("chain"), head: () => ["", "", t("log-likelihood-or-bound"), t("apart")], rows: chainRows },
    { caption: t("curves-table"), head: () => [BOUND_SYMBOLS[ex.state.coordinate], "ℓ(θ)", "B(Q, θ)"], rows: curveRows },
    { caption: t("points-table"), head: () => ["x", "Q₁", t("responsibility"), "KL"], rows: pointRows },
  ]));
  ex.next = () => (ex.state.half === "m" ? stepE() : stepM());

  // What the pictures show, as numbers; of many points the first.
  function curveRows() {
    const { state } = ex;
    const x = Float64Array.from(sets[state.data].points);
    const [low, high] = rangeOf(state);
    return Array.from({ length: 9 }, (_, i) => low + ((high - low) * i) / 8).map((value) => {
      const theta = boundMixture(at(state, value));
      const heights = [eStep(x, x.length, theta, new Float64Array(2 * x.length)), lowerBound(x, theta, state.q)];
      return [formatNumber(value), ...heights.map((each) => formatFixed(each, 4))];
    });
  }
  function chainRows() {
    const { state } = ex;
    const lines = chainOf(state.before, posterior(state).logLikelihood, boundOf(state));
    return lines.map(({ height, sign, by }, n) => [sign, chainTerm(n), height === null ? "–" : formatFixed(height, 4), by === null ? "" : formatNats(by)]);
  }
  function pointRows() {
    const { state } = ex;
    const points = sets[state.data].points.slice(0, 30);
    const { q } = posterior(state);
    const kl = divergences(Float64Array.from(points), boundMixture(state), state.q);
    return points.map((x, i) => [formatNumber(x), state.q[i].toFixed(4), q[i].toFixed(4), formatFixed(Math.max(kl[i], 0), 4)]);
  }

  function fresh(name) {
    const { points, weights, means, variances } = sets[name];
    return { data: name, weights, means, variances, q: points.map(() => 0.5), selected: Math.min(4, points.length - 1), iteration: 0, half: "m", before: [] };
  }

  function valid(state) {
    const set = sets[state.data];
    const numbers = (list, n, [low, high] = [-LIMIT, LIMIT]) => Array.isArray(list) && list.length === n && list.every((v) => Number.isFinite(v) && v >= low && v <= high);
    const sound =
      Object.hasOwn(sets, state.data) &&
      BOUND_COORDINATES.includes(state.coordinate) &&
      ["coordinate", "all"].includes(state.climb) &&
      ["e", "m"].includes(state.half) &&
      numbers(state.weights, 2, BOUND_WEIGHTS) && Math.abs(state.weights[0] + state.weights[1] - 1) < 1e-8 &&
      numbers(state.means, 2) &&
      numbers(state.variances, 2, BOUND_VARIANCES) &&
      numbers(state.q, set.points.length, [0, 1]) &&
      Number.isInteger(state.selected) && state.selected >= 0 && state.selected < set.points.length &&
      Number.isInteger(state.iteration) && state.iteration >= 0 &&
      Array.isArray(state.before) && (state.before.length === 0 || numbers(state.before, 2, BOUND_HEIGHTS));
    return sound ? null : t("bad-link");
  }

  // -- the coordinate

  const parse = (name) => [`${name.split("-")[0]}s`, Number(name.split("-")[1]) - 1];
  const read = (state) => {
    const [part, j] = parse(state.coordinate);
    return state[part][j];
  };
  // θ with the coordinate at `value`.
  const at = (state, value) => {
    const [part, j] = parse(state.coordinate);
    const changed = state[part].map((old, l) => (l === j ? value : old));
    return { weights: state.weights, means: state.means, variances: state.variances, [part]: part === "weights" ? [value, 1 - value] : changed };
  };
  // Where the coordinate goes; an M step, a link or Python may have brought it further out.
  const rangeOf = (state) => {
    const [low, high] = usualRange(state);
    const value = read(state);
    const pad = value < low || value > high ? 0.04 * (Math.max(high, value) - Math.min(low, value)) : 0;
    const least = state.coordinate.startsWith("mean") ? -Infinity : low > value ? value / 2 : low;
    return [Math.max(least, Math.min(low, value - pad)), Math.max(high, Math.min(value + pad, state.coordinate.startsWith("weight") ? BOUND_WEIGHTS[1] : Infinity))];
  };
  const usualRange = ({ data: name, coordinate: which }) => {
    const { points } = sets[name];
    const [low, high] = [Math.min(...points), Math.max(...points)];
    const span = high - low;
    if (which.startsWith("mean")) return [low - 0.15 * span, high + 0.15 * span];
    if (which.startsWith("variance")) return [0.004 * span * span, 0.16 * span * span];
    return [0.01, 0.99];
  };

  // -- what the reader does

  function moveTheta(value, gesture) {
    const [low, high] = rangeOf(ex.state);
    ex.change({ ...at(ex.state, clamp(Number(value.toPrecision(5)), low, high)), before: [] }, { gesture });
  }

  function moveShare(i, value, gesture) {
    const q = ex.state.q.map((old, n) => (n === i ? clamp(Math.round(value * 1000) / 1000, 0, 1) : old));
    ex.change({ q, before: [] }, { gesture });
  }

  function walk(step) {
    const { points } = sets[ex.state.data];
    const order = inOrder(points);
    const next = order[order.indexOf(ex.state.selected) + step];
    if (next !== undefined) ex.change({ selected: next });
  }

  function pick(px, py) {
    const { points } = sets[ex.state.data];
    const best = nearestTo(px, py, points.map((_, i) => [across(i), table.y(ex.state.q[i])]), 26);
    if (best === null) return null;
    if (best !== ex.state.selected) ex.change({ selected: best });
    return share;
  }

  const boundOf = (state) => lowerBound(Float64Array.from(sets[state.data].points), boundMixture(state), state.q);
  const posterior = (state) => {
    const { points } = sets[state.data];
    const w = new Float64Array(2 * points.length);
    const logLikelihood = eStep(Float64Array.from(points), points.length, boundMixture(state), w);
    return { logLikelihood, q: points.map((_, i) => w[2 * i]) };
  };

  function stepE() {
    ex.change({ q: posterior(ex.state).q, half: "e", before: [] });
  }

  // Along a coordinate the bound has its top where the M step's formula for that parameter says, the others fixed.
  function top(state) {
    const { points } = sets[state.data];
    const [part, j] = parse(state.coordinate);
    const shares = state.q.map((q) => (j ? 1 - q : q));
    const count = shares.reduce((a, b) => a + b, 0);
    if (part === "weights") return clamp(count / points.length, ...BOUND_WEIGHTS);
    if (!(count > 0)) return null;
    const center = part === "means" ? 0 : state.means[j];
    const moment = part === "means" ? (x) => x : (x) => (x - center) ** 2;
    return shares.reduce((sum, w, i) => sum + w * moment(points[i]), 0) / count;
  }

  function stepM() {
    const { state } = ex;
    const { points } = sets[state.data];
    const before = [posterior(state).logLikelihood, boundOf(state)];
    const done = { half: "m", iteration: state.iteration + 1, before };
    if (state.climb === "coordinate") {
      const value = top(state);
      if (value === null || (state.coordinate.startsWith("variance") && value < BOUND_VARIANCES[0])) return ex.tell(t("no-top"));
      return ex.change({ ...at(state, value), ...done });
    }
    const w = Float64Array.from(state.q.flatMap((q) => [q, 1 - q]));
    return unlessDegenerate(() => {
      const theta = nested(mStep(Float64Array.from(points), points.length, w, 2, 1));
      if (Math.min(...theta.covariances.flat(2)) < BOUND_VARIANCES[0] || Math.min(...theta.weights) < BOUND_WEIGHTS[0]) return ex.tell(t("no-top"));
      return ex.change({ weights: theta.weights, means: theta.means.map(([mu]) => mu), variances: theta.covariances.map(([[v]]) => v), ...done });
    }, () => ex.tell(t("no-top")));
  }

  // -- the picture

  function draw(state, before, { animate }) {
    tell(state);
    // The two kinds of step move different things: Q bends the lower curve, θ walks along it.
    const comparable = animate && state.data === before.data && state.coordinate === before.coordinate && state !== before;
    if (!comparable) {
      ex.stopTween();
      paint(state);
      return;
    }
    const mix = (a, b, f) => a.map((value, i) => value + f * (b[i] - value));
    ex.tween(450, (f) => {
      if (f === 1) return paint(ex.state);
      const [weights, means, variances, q] = ["weights", "means", "variances", "q"].map((name) => mix(before[name], state[name], f));
      return paint({ ...state, weights, means, variances, q });
    });
  }

  function paint(state) {
    const { points } = sets[state.data];
    const x = Float64Array.from(points);
    const w = new Float64Array(2 * points.length);
    const [low, high] = rangeOf(state);
    const xs = Array.from({ length: BOUND_SAMPLES + 1 }, (_, i) => low + ((high - low) * i) / BOUND_SAMPLES);
    const heights = xs.map((value) => eStep(x, points.length, boundMixture(at(state, value)), w));
    const bounds = xs.map((value) => lowerBound(x, boundMixture(at(state, value)), state.q));
    const theta = boundMixture(state);
    const logLikelihood = eStep(x, points.length, theta, w); // leaves the posterior in w
    const bound = lowerBound(x, theta, state.q);
    const most = Math.max(...heights, ...state.before);
    const least = Math.min(Math.max(Math.min(...heights), most - 8 * points.length), bound, logLikelihood, ...state.before);
    plot.domain({ x: [low, high], y: [least - 0.06 * (most - least), most + 0.1 * (most - least)] });

    // The bound falls without end; what lies below the picture is not drawn.
    plot.line("likelihood", xs, heights, { fill: "none", stroke: "var(--ink)", "stroke-width": 2.5 });
    plot.line("bound", xs, bounds, { fill: "none", stroke: "var(--c1)", "stroke-width": 2.5, "stroke-dasharray": "7 4" });
    const value = read(state);
    const [px, above, below] = [plot.x(value), plot.y(logLikelihood), plot.y(bound)];
    plot.mark("gap", "line", { x1: px, x2: px, y1: above, y2: below, stroke: "var(--c3)", "stroke-width": 5 });
    plot.mark("drop", "line", { x1: px, x2: px, y1: below, y2: plot.height, stroke: "var(--muted)", "stroke-dasharray": "2 4" });
    for (const [name, y] of [["over-likelihood", above], ["over-bound", below]]) {
      plot.mark(name, "line", { x1: px, x2: plot.width + 4, y1: y, y2: y, stroke: "var(--muted)", "stroke-dasharray": "1 4" });
    }
    plot.mark("on-likelihood", "circle", { cx: px, cy: above, r: 6, fill: "var(--ink)", stroke: "var(--surface)", "stroke-width": 2 }, plot.over);
    plot.mark("on-bound", "path", { d: `M${px - 7} ${below}L${px} ${below - 7}L${px + 7} ${below}L${px} ${below + 7}Z`, fill: "var(--c1)", stroke: "var(--surface)", "stroke-width": 2 }, plot.over);
    const summit = top(state);
    const inside = summit !== null && summit >= low && summit <= high && (state.coordinate.startsWith("mean") || summit > 0);
    const there = inside ? plot.x(summit) : 0;
    const peak = inside ? plot.y(lowerBound(x, boundMixture(at(state, summit)), state.q)) : 0;
    const away = inside && Math.abs(there - px) > 4; // at the top there is nowhere to point to
    plot.mark("summit", "path", away ? { d: `M${there - 6} ${peak - 14}h12l-6 9Z`, fill: "var(--c1)" } : null, plot.over);
    plot.mark("name", "text", { x: plot.width, y: -10 * plot.unit, "text-anchor": "end", fill: "var(--muted)", "font-size": 14, text: `θ = ${BOUND_SYMBOLS[state.coordinate]}` }, plot.over);
    nameAll({ xs, heights, bounds, px, above, below, summit: away ? [there, peak - 10] : null });
    chain.draw(plot, chainOf(state.before, logLikelihood, bound), stands);
    here.place(value, 0, {
      min: low,
      max: high,
      px: [px, plot.height - 14 * plot.unit], // above the ticks
      label: t(`coordinate-${state.coordinate}`),
    });

    const few = points.length <= BOUND_FEW;
    table.domain({ x: few ? [-0.6, points.length - 0.4] : [Math.min(...points), Math.max(...points)] });
    points.forEach((_, i) => {
      const [cx, wanted] = [across(i), table.y(w[2 * i])];
      table.mark(`post-${i}`, "line", few ? { x1: cx - 7, x2: cx + 7, y1: wanted, y2: wanted, stroke: "var(--ink)", "stroke-width": 2 } : null);
      table.mark(`stem-${i}`, "line", few ? { x1: cx, x2: cx, y1: wanted, y2: table.y(state.q[i]), stroke: "var(--c3)", "stroke-width": 3 } : null);
      table.mark(`q-${i}`, "circle", { cx, cy: table.y(state.q[i]), r: few ? 5 : 3, fill: "var(--c1)", "fill-opacity": few ? 1 : 0.5 });
    });
    nameColumns(points, few);
    table.sweep();
    share.place(state.selected, state.q[state.selected], {
      px: [across(state.selected), table.y(state.q[state.selected])],
      now: state.q[state.selected],
      min: 0,
      max: 1,
      text: t("share-said", { x: formatNumber(points[state.selected]), share: formatPercent(state.q[state.selected]) }),
    });
  }

  // Where point i stands in the small picture: few points a column each, however near they lie; many at their place.
  function across(i) {
    const { points } = sets[ex.state.data];
    return table.x(points.length <= BOUND_FEW ? inOrder(points).indexOf(i) : points[i]);
  }
  const inOrder = (points) => points.map((_, i) => i).sort((a, b) => points[a] - points[b]);

  // Below the small picture what its columns are; in two rows where they are narrow.
  function nameColumns(points, few) {
    const { unit } = table;
    const columns = few ? inOrder(points).map((i, n) => [n, formatNumber(points[i])]) : labelled(table.domain().x, { ticks: 4, format: formatTick }, table.width / unit);
    const longest = Math.max(...columns.map(([, text]) => text.length));
    const rows = few && CHARACTER * unit * (longest + 0.5) > table.width / columns.length ? 2 : 1;
    columns.forEach(([place, text], n) => table.mark(`column-${n}`, "text", { x: table.x(place), y: table.height + (16 + 14 * (n % rows)) * unit, "text-anchor": "middle", class: "gmm-note", text }, table.under));
    table.mark("columns", "text", { x: -12 * unit, y: table.height + 16 * unit, "text-anchor": "end", class: "gmm-note", "font-style": "italic", text: "x" }, table.under);
  }

  // Both curves and the gap carry their names, off all else that is drawn.
  function nameAll({ xs, heights, bounds, px, above, below, summit }) {
    const { unit } = plot;
    const [upper, lower] = [heights, bounds].map((values) => xs.map((x, i) => [plot.x(x), plot.y(values[i])]));
    const along = (points, parts) => {
      const seen = points.filter(([, y]) => y <= plot.height);
      return parts.map((f) => seen[Math.round(f * (seen.length - 1))]).filter(Boolean);
    };
    const curves = [upper, lower, [[px, above], [px, plot.height]], ...[above, below].map((y) => [[px, y], [plot.width, y]])];
    const spots = [[px, above, 10 * unit], [px, below, 10 * unit], [px, plot.height - 14 * unit, 16 * unit], ...(summit ? [[...summit, 8 * unit]] : [])];
    const parts = [0.14, 0.86, 0.3, 0.7, 0.5, 0.04, 0.96, 0.22, 0.78, 0.4, 0.6];
    let names = writeName(plot, "likelihood-name", "ℓ(θ)", placesAlong(along(upper, parts), unit), { curves, spots });
    names = [...names, ...writeName(plot, "bound-name", plot.width > 330 * unit ? t("bound") : "B(Q, θ)", [16, 24, 36].flatMap((far) => placesAlong(along(lower, parts), unit, far)), { curves, spots, names })];
    const wide = below - above > 26 * unit;
    const middle = [0.5, 0.35, 0.65].map((f) => above + f * (Math.min(below, plot.height) - above));
    const sides = middle.flatMap((y) => [{ x: px + 10 * unit, y, anchor: "start" }, { x: px - 10 * unit, y, anchor: "end" }]);
    writeName(plot, "gap-name", wide ? t("gap") : "", sides, { curves: [upper, lower], spots: spots.slice(0, 2), names });
  }

  function tell(state) {
    const { points } = sets[state.data];
    const x = Float64Array.from(points);
    const theta = boundMixture(state);
    const { logLikelihood } = posterior(state);
    const bound = lowerBound(x, theta, state.q);
    const kl = divergences(x, theta, state.q);
    const divergence = kl.reduce((a, b) => a + b, 0);
    const gap = logLikelihood - bound;
    ex.data({
      iteration: state.iteration,
      half: state.half,
      coordinate: state.coordinate,
      theta: read(state),
      "log-likelihood": logLikelihood,
      bound,
      gap,
      kl: divergence,
      "selected-kl": kl[state.selected],
      "selected-q": state.q[state.selected],
    });
    const touches = touching(bound, logLikelihood);
    const numbers = {
      l: formatFixed(logLikelihood, 4),
      b: formatFixed(bound, 4),
      gap: touches ? "0" : formatNats(gap),
      kl: touches ? "0" : formatNats(divergence),
      x: formatNumber(points[state.selected]),
      point: formatNats(Math.max(kl[state.selected], 0)),
    };
    if (state.before.length) {
      const [rise, change] = [bound - state.before[1], logLikelihood - state.before[0]];
      const held = touching(...state.before); // else no bound held the log-likelihood up, and it may fall
      const told = t(held ? "status-m" : change < 0 ? "status-fell" : "status-loose", { bound: formatNats(rise), likelihood: formatNats(Math.abs(change)) });
      ex.tell(`${told} ${t("status", numbers)}`);
    } else ex.tell(touches ? t("status-touch", numbers) : `${t("status", numbers)} ${t("status-point", numbers)}`);
    chain.set(chainOf(state.before, logLikelihood, bound), state.before.length ? "m" : state.half === "e" && touches ? "e" : null);
  }

  return ex.start();
}

export default { render };
