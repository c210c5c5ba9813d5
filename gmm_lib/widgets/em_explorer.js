// The EM explorer. Its state (see TRAITS) is the data, the start θ_0, the iteration t, the half of it, the covariance
// type and the selected point; θ_t, responsibilities, ℓ and the whole picture follow from these.

import { dash, markPath } from "./color.js";
import { button, disclosure, h, more, row, select, setAttribute, setEnabled, slider } from "./elements.js";
import { explorer } from "./explorer.js";
import { figure } from "./figure.js";
import { LIMIT, clamp, formatFixed, formatNumber, formatPercent, minus, niceTicks } from "./numbers.js";
import { COVARIANCE_TYPES, DegenerateComponent, Trajectory, constrained, eStep, flatten, logJoint, makeMixture, nested } from "./em.js";

const TRAITS = ["data", "points", "weights", "means", "covariances", "iteration", "half", "covariance_type", "selected"];
const CUSTOM = "custom"; // the name of data that are nobody's but the reader's
const MAX_K = 6;
const MANY = 60; // above this many points: small marks, a histogram instead of stems
const STRIP = 40; // px: the band below the density where points on a line lie
const SMALL_GAIN = 1e-8; // per point: fit() stops there too
const EM_ITERATIONS = 10000; // the most a link may ask for; em_explorer.py has it too
const SMALLEST_VIEW = 1e-9; // of the larger end of an axis: what is closer together is drawn as one

function render({ model, el }) {
  const datasets = model.get("datasets");
  const ex = explorer({ model, el, kind: "em", traits: TRAITS, draw, valid, linkState, fromLink });
  const { t } = ex;
  const initial = ex.state;

  // ------------------------------------------------------------------------------------- the state and what follows

  const isKnown = (name) => Object.hasOwn(datasets, name);
  const numbers = (value, depth) =>
    depth === 0 ? Number.isFinite(value) : Array.isArray(value) && value.length > 0 && value.every((item) => numbers(item, depth - 1));

  // null, or what is wrong: links and Python may bring anything.
  function valid(state) {
    const { points, weights, means, covariances } = state;
    const [m, k, d] = [points?.length, weights?.length, means?.[0]?.length];
    const sound =
      numbers(points, 2) && numbers(weights, 1) && numbers(means, 2) && numbers(covariances, 3) &&
      k <= MAX_K && (d === 1 || d === 2) && points.every((x) => x.length === d) &&
      means.length === k && means.every((mean) => mean.length === d) &&
      covariances.length === k && covariances.every((rows) => rows.length === d && rows.every((line) => line.length === d)) &&
      weights.every((weight) => weight > 0) && Math.abs(weights.reduce((a, b) => a + b) - 1) < 1e-6 &&
      Number.isInteger(state.iteration) && state.iteration >= 0 && state.iteration <= EM_ITERATIONS &&
      ["e", "m"].includes(state.half) && COVARIANCE_TYPES.includes(state.covariance_type) && typeof state.data === "string" &&
      (state.selected === null || (Number.isInteger(state.selected) && state.selected >= 0 && state.selected < m));
    if (!sound) return t("bad-state");
    const within = (value, limit) => value.flat(2).every((number) => Math.abs(number) <= limit);
    if (!within(points, LIMIT) || !within(means, LIMIT) || !within(covariances, LIMIT ** 2)) return t("too-far", { limit: LIMIT });
    if (pathOf && PARTS.every((name) => pathOf[name] === state[name])) return null;
    try {
      const theta = makeMixture(weights, means, covariances);
      return Number.isFinite(eStep(flatten(points).x, m, theta, new Float64Array(m * k))) ? null : t("no-likelihood");
    } catch (error) {
      if (!(error instanceof DegenerateComponent)) throw error;
      return t("not-positive");
    }
  }

  function linkState(state) {
    const { points, ...rest } = state;
    return isKnown(state.data) ? rest : state;
  }

  function fromLink(stored) {
    return isKnown(stored.data) ? { points: datasets[stored.data].points, ...stored } : stored;
  }

  // The trajectory of a state; the last one is kept, as most changes only walk along it.
  let path = null;
  let pathOf = null;
  let visited = 0; // the furthest iteration seen of it: how much of the trace is drawn
  const PARTS = ["points", "weights", "means", "covariances", "covariance_type"];

  function trajectory(state) {
    if (!pathOf || PARTS.some((name) => pathOf[name] !== state[name])) {
      path = new Trajectory(flatten(state.points), makeMixture(state.weights, state.means, state.covariances), state.covariance_type);
      pathOf = state;
      visited = 0;
    }
    return path;
  }

  // What there is to see of a state. Where EM cannot get to the iteration asked for, it is the last sound moment.
  function moment(state) {
    const along = trajectory(state);
    const failed = along.at(state.iteration) === null;
    const iteration = failed ? along.states.length - 1 : state.iteration;
    const half = failed ? "e" : state.half;
    const { mixture, logLikelihood } = along.at(iteration);
    const of = half === "e" ? iteration : iteration - 1; // whose responsibilities the colors are
    const w = of < 0 ? null : Float64Array.from(along.responsibilities(of));
    visited = Math.max(visited, iteration);
    const gain = iteration > 0 ? logLikelihood - along.at(iteration - 1).logLikelihood : Infinity;
    const converged = gain < SMALL_GAIN * along.m;
    return { iteration, half, mixture, logLikelihood, w, converged, failure: failed ? along.failure : null };
  }

  let now = null; // the moment on show

  // -------------------------------------------------------------------------------------------------- actions

  // What has no covariance is refused in words, wherever it comes up.
  const attempt = (action) => (...values) => {
    try {
      return action(...values);
    } catch (error) {
      if (!(error instanceof DegenerateComponent)) throw error;
      ex.redraw(); // a control may show what has been refused
      ex.tell(t("not-positive"));
      return false;
    }
  };

  // Whatever is taken hold of, what is on show becomes the new start.
  function restart(parts, { gesture = null, selected = ex.state.selected, ...rest } = {}) {
    const start = { ...nested(now.mixture), ...parts };
    return ex.change({ ...rest, ...start, selected, iteration: 0, half: now.half }, { gesture });
  }

  function eStepNow(gesture = null) {
    if (now.half === "e") {
      if (now.failure) ex.announce();
      else ex.tell(t("e-again"));
      return;
    }
    ex.change({ iteration: now.iteration, half: "e" }, { gesture, animate: true });
  }

  function mStepNow(gesture = null) {
    if (now.half === "m") {
      ex.tell(t(now.iteration === 0 ? "m-first" : "m-again"));
      return;
    }
    if (now.failure) ex.announce();
    else ex.change({ iteration: now.iteration + 1, half: "m" }, { gesture, animate: true });
  }

  // What is left of this iteration: E and M, or M alone.
  function stepNow() {
    if (now.failure) ex.announce();
    else ex.change({ iteration: now.iteration + 1, half: "m" }, { animate: true });
  }

  const player = ex.player({
    interval: 850,
    step: (gesture) => {
      if (now.half === "m") eStepNow(gesture);
      else mStepNow(gesture);
      return !now.failure && !(now.converged && now.half === "m");
    },
    end: (gesture) => {
      const along = trajectory(ex.state);
      const rises = (t) => along.at(t) && along.at(t).logLikelihood - along.at(t - 1).logLikelihood >= SMALL_GAIN * along.m;
      let last = Math.max(now.iteration, 1);
      while (rises(last) && last < EM_ITERATIONS) last += 1;
      ex.change({ iteration: last, half: "m" }, { gesture, animate: true });
    },
  });
  ex.next = () => (now.half === "m" ? eStepNow() : mStepNow());

  function datasetPatch(name) {
    const { points, weights, means, covariances, selected } = datasets[name];
    const start = nested(constrained(makeMixture(weights, means, covariances), ex.state.covariance_type));
    return { data: name, points, ...start, iteration: 0, half: "m", selected: selected ?? null };
  }

  let home = initial; // what Reset goes back to: the page's start, or that of the data chosen since
  function resetNow() {
    const { data } = ex.state;
    if (data === initial.data) home = initial;
    else if (isKnown(data)) home = { ...datasetPatch(data), covariance_type: ex.state.covariance_type };
    ex.reset(home);
  }

  function setK(k) {
    const { weights, means, covariances } = nested(now.mixture);
    const n = weights.length;
    if (k < n) {
      const kept = weights.slice(0, k);
      const total = kept.reduce((a, b) => a + b);
      restart({ weights: kept.map((weight) => weight / total), means: means.slice(0, k), covariances: covariances.slice(0, k) });
      return;
    }
    // Each new component begins at the point that those before it explain worst.
    const { x, m, d } = trajectory(ex.state);
    const spread = variances(x, m, d).map((variance) => variance / (k * k));
    for (let j = n; j < k; j += 1) {
      const soFar = makeMixture(weights.map((weight) => weight / weights.reduce((a, b) => a + b)), means, covariances);
      let worst = 0;
      let least = Infinity;
      for (let i = 0; i < m; i += 1) {
        const density = logDensity(soFar, x, i * d);
        if (density < least) [worst, least] = [i, density];
      }
      means.push(Array.from(x.subarray(worst * d, worst * d + d)));
      covariances.push(spread.map((variance, a) => spread.map((_, b) => (a === b ? variance : 0))));
      weights.push(weights.reduce((a, b) => a + b) / j);
    }
    const total = weights.reduce((a, b) => a + b);
    const grown = makeMixture(weights.map((weight) => weight / total), means, covariances);
    restart(nested(constrained(grown, ex.state.covariance_type)), { half: "m" });
  }

  function variances(x, m, d) {
    return Array.from({ length: d }, (_, a) => {
      let mean = 0;
      for (let i = 0; i < m; i += 1) mean += x[i * d + a] / m;
      let variance = 0;
      for (let i = 0; i < m; i += 1) variance += (x[i * d + a] - mean) ** 2 / m;
      return variance || 1;
    });
  }

  // Going through the types and back finds the start again: constraints are put on the start as it was free.
  let free = null;
  let bound = null;
  function setType(type) {
    const { weights, means, covariances } = ex.state;
    if (type === ex.state.covariance_type) return;
    if (covariances !== bound) free = covariances;
    const start = nested(constrained(makeMixture(weights, means, free), type));
    bound = start.covariances;
    ex.change({ covariance_type: type, covariances: bound, iteration: 0, half: "m" });
  }

  // -- points

  const dimension = () => ex.state.means[0].length;
  const order = () => [...ex.state.points.keys()].sort((a, b) => ex.state.points[a][0] - ex.state.points[b][0]);

  function choose(i) {
    ex.change({ selected: i }, { animate: false, record: false });
  }

  function movePoint(i, to, gesture = null) {
    const points = ex.state.points.slice();
    points[i] = to;
    return restart({}, { data: CUSTOM, points, selected: i, gesture });
  }

  // The point that the handle stands for: the selected one, or where none is, the middle one.
  const held = () => ex.state.selected ?? order()[Math.floor(ex.state.points.length / 2)];

  function addPoint(to = null) {
    const { points } = ex.state;
    if (to === null) to = dimension() === 1 ? [widestGap()] : [middle(plot.domain().x), middle(plot.domain().y)];
    restart({}, { data: CUSTOM, points: [...points, to], selected: points.length });
    pointHandle.node.focus();
  }

  function deletePoint() {
    const { points, selected } = ex.state;
    if (selected === null) ex.tell(t("select-first"));
    else if (points.length === 1) ex.tell(t("last-point"));
    else {
      const rest = points.filter((_, i) => i !== selected);
      restart({}, { data: CUSTOM, points: rest, selected: Math.min(selected, rest.length - 1) });
    }
  }

  const middle = ([low, high]) => snap((low + high) / 2);

  function widestGap() {
    const xs = ex.state.points.map(([x]) => x).sort((a, b) => a - b);
    let best = xs[0] - 10 * unit();
    let widest = 0;
    for (let i = 1; i < xs.length; i += 1) {
      if (xs[i] - xs[i - 1] > widest) [best, widest] = [(xs[i] + xs[i - 1]) / 2, xs[i] - xs[i - 1]];
    }
    return snap(best);
  }

  // ------------------------------------------------------------------------------------------------- the picture

  const side = h("div", { class: "gmm-side" });
  const plot = figure(ex, {
    label: t("plot"), paint, pick, hover,
    x: { label: "x", domain: [0, 1] },
    y: { domain: [0, 1] },
    height: (width) => clamp(Math.round(0.54 * width), 280, 450),
    margin: { left: 44, top: 28 },
  });
  ex.plots.append(side);
  const trace = figure(ex, {
    label: t("trace"), parent: side, class: "gmm-trace",
    x: { label: t("iteration-axis"), domain: [0, 8], format: (value) => (Number.isInteger(value) ? String(value) : "") },
    y: { label: "ℓ(θ)", domain: [-1, 0], ticks: 3 },
    height: () => (beside() ? Math.max(60, trace.element.clientHeight / ex.unit) : 120),
    margin: { top: 24, left: 52 },
  });
  const readout = h("div", { class: "gmm-readout" });
  side.append(readout);
  const beside = () => side.offsetTop < plot.element.offsetTop + plot.element.offsetHeight - 20;

  // Steps of handles: a round number, about a 250th of what is in view; dragged values are rounded to a tenth of it.
  function unit(axis = "x") {
    const [low, high] = plot.domain()[axis];
    const ticks = niceTicks(0, high - low, 250);
    return ticks[1] - ticks[0];
  }
  function snap(value, axis = "x") {
    const grain = unit(axis) / 10;
    return Number((Math.round(value / grain) * grain).toPrecision(12));
  }

  let handles = []; // of component j: { mean, spread: [one a feature] }
  let handlesFor = "";
  let hovered = null;

  const pointHandle = plot.handle({
    label: t("points-handle"), shape: "point", reach: 16,
    drag: (x, y, gesture) => movePoint(held(), place(x, y), gesture),
    keys: (dx, dy, gesture) => {
      const [x, y] = ex.state.points[held()];
      // Shift makes ten of one: here Shift is what tells moving a point from walking to the next.
      movePoint(held(), dimension() === 1 ? [snap(x + ((dx || dy) / 10) * unit())] : [snap(x + (dx / 10) * unit()), snap(y + (dy / 10) * unit("y"), "y")], gesture);
    },
    key: (event) => {
      const walk = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity }[event.key];
      if (event.key === "Delete" || event.key === "Backspace") deletePoint();
      else if (event.key === "Insert" || event.key === "+") addPoint();
      else if (walk && !event.shiftKey) {
        const along = order();
        choose(along[clamp(along.indexOf(held()) + walk, 0, along.length - 1)]);
      } else return false;
      return true;
    },
    focus: () => ex.state.selected === null && choose(held()),
  });
  const place = (x, y) => (dimension() === 1 ? [snap(x)] : [snap(x), snap(y, "y")]);

  function nearestPoint(px, py, reach) {
    let best = null;
    let least = reach;
    for (let i = 0; i < ex.state.points.length; i += 1) {
      const [x, y] = spot(i);
      const distance = Math.hypot(x - px, y - py);
      if (distance < least) [best, least] = [i, distance];
    }
    return best;
  }

  // A press on a point takes hold of it; with a finger among many, the first touch only selects, so the page can scroll.
  function pick(px, py, event) {
    const i = nearestPoint(px, py, 16);
    if (i === null) return null;
    if (event.type === "touchstart") return ex.state.points.length <= MANY || i === ex.state.selected ? pointHandle : null;
    choose(i);
    return pointHandle;
  }

  function hover(px, py) {
    const i = px === null ? null : nearestPoint(px, py, 14);
    if (i === hovered) return;
    hovered = i;
    plot.paint();
    tell();
  }

  plot.svg.addEventListener("dblclick", (event) => {
    const [px, py] = plot.position(event);
    if (nearestPoint(px, py, 16) === null) addPoint(place(plot.toX(px), plot.toY(py)));
  });

  // Where point i is drawn, in px. Points on a line lie in the strip; many are spread over it, always the same way.
  function spot(i) {
    const [x, y] = ex.state.points[i];
    if (y !== undefined) return [plot.x(x), plot.y(y)];
    if (ex.state.points.length <= MANY) return [plot.x(x), plot.height - STRIP / 2];
    return [plot.x(x), plot.height - STRIP + 5 + (STRIP - 10) * ((i * 0.6180339887) % 1)];
  }

  function markRadius() {
    const { points } = ex.state;
    if (points.length > MANY) return points[0].length === 1 ? 2 : plot.width < 400 ? 2.6 : 3.4;
    if (points[0].length === 2) return 5;
    const xs = points.map(([x]) => plot.x(x)).sort((a, b) => a - b);
    let gap = Infinity;
    for (let i = 1; i < xs.length; i += 1) if (xs[i] - xs[i - 1] > 0.5) gap = Math.min(gap, xs[i] - xs[i - 1]);
    return clamp(0.48 * gap, 4.5, 9 * plot.unit);
  }

  function buildHandles() {
    const { k, d } = now.mixture;
    const key = `${k} ${d}`;
    if (key === handlesFor) return;
    handlesFor = key;
    for (const { mean, spread } of handles) [mean, ...spread].forEach((handle) => handle.remove());
    plot.keep("", new Set());
    handles = Array.from({ length: k }, (_, j) => {
      const color = `var(--c${j + 1})`;
      const mean = plot.handle({
        label: t("mean-of", { j: j + 1 }), text: String(j + 1), color,
        step: () => (d === 1 ? [unit(), 0] : [unit(), unit("y")]),
        drag: (x, y, gesture) => {
          const { means } = nested(now.mixture);
          means[j] = place(x, y);
          restart({ means }, { gesture });
        },
      });
      const spread = Array.from({ length: d }, (__, a) =>
        plot.handle({
          label: d === 1 ? t("sd-of", { j: j + 1 }) : t("axis-of", { j: j + 1, axis: a + 1 }), shape: "ring", color,
          drag: (x, y, gesture) => {
            // What is drawn at the rim because it lies outside is dragged from where it really is.
            const handle = handles[j].spread[a];
            if (handle.gesture !== gesture) Object.assign(handle, { gesture, slip: handle.off });
            dragSpread(j, a, plot.x(x) + handle.slip[0], plot.y(y) + handle.slip[1], gesture);
          },
          keys: (dx, dy, gesture) => keySpread(j, a, dx, dy, gesture),
        }),
      );
      return { mean, spread };
    });
  }

  // -- spread handles. In one dimension: σ to the right of the mean. In two: half axes of the ellipse at two standard
  // deviations, in px, kept as a frame (u, v) with u uᵀ + v vᵀ = 4 Σ in px, so that a dragged axis stays the one held.

  const AWAY = 12; // px: keeps a handle off its mean, smoothly: drawn at the root of r² + AWAY²
  const apart = (r) => Math.hypot(r, AWAY);
  const together = (r) => Math.sqrt(Math.max(r * r - AWAY * AWAY, 0));
  const sd = (mixture, j, a = 0) => Math.sqrt(mixture.covariances[(j * mixture.d + a) * mixture.d + a]);
  const frames = new Map();

  const scales = () => {
    const { x, y } = plot.domain();
    return [plot.width / (x[1] - x[0]), -plot.height / (y[1] - y[0])];
  };

  function inPixels(mixture, j) {
    const [sx, sy] = scales();
    const at = j * 4;
    return [mixture.covariances[at] * sx * sx, mixture.covariances[at + 1] * sx * sy, mixture.covariances[at + 3] * sy * sy];
  }

  function frameOf(mixture, j) {
    const [xx, xy, yy] = inPixels(mixture, j);
    const kept = frames.get(j);
    if (kept) {
      const [[ux, uy], [vx, vy]] = kept;
      const off = Math.abs(ux * ux + vx * vx - 4 * xx) + Math.abs(ux * uy + vx * vy - 4 * xy) + Math.abs(uy * uy + vy * vy - 4 * yy);
      if (off < 1e-6 * (xx + yy)) return kept;
    }
    const half = Math.hypot((xx - yy) / 2, xy);
    const [large, small] = [(xx + yy) / 2 + half, Math.max((xx + yy) / 2 - half, 0)];
    const angle = 0.5 * Math.atan2(2 * xy, xx - yy);
    let [ux, uy] = [2 * Math.sqrt(large) * Math.cos(angle), 2 * Math.sqrt(large) * Math.sin(angle)];
    let [vx, vy] = [-2 * Math.sqrt(small) * Math.sin(angle), 2 * Math.sqrt(small) * Math.cos(angle)];
    if (vy > 0) [vx, vy] = [-vx, -vy];
    if (Math.abs(uy) > Math.abs(ux)) [ux, uy, vx, vy] = [vx, vy, ux, uy]; // the flatter axis is the first
    if (ux < 0) [ux, uy] = [-ux, -uy];
    if (vy > 0) [vx, vy] = [-vx, -vy];
    // Each axis has two ends: hold it by the one that is in view.
    const inside = (x, y) => x >= 0 && x <= plot.width && y >= 0 && y <= plot.height;
    const frame = [[ux, uy], [vx, vy]].map(([x, y]) => {
      const [cx, cy] = [plot.x(mixture.means[j * 2]), plot.y(mixture.means[j * 2 + 1])];
      return !inside(cx + x, cy + y) && inside(cx - x, cy - y) ? [-x, -y] : [x, y];
    });
    frames.set(j, frame);
    return frame;
  }

  function setSpread(j, covariance, gesture) {
    const parts = nested(now.mixture);
    parts.covariances = parts.covariances.map((old, l) => (l === j || ex.state.covariance_type === "tied" ? covariance : old));
    let start = null;
    try {
      // The held component decides; under the other constraints each keeps its own shape.
      const type = ex.state.covariance_type;
      start = nested(constrained(makeMixture(parts.weights, parts.means, parts.covariances), type === "tied" ? "full" : type));
    } catch {
      return; // dragged flat: stay where it last was sound
    }
    restart(start, { gesture });
  }

  function dragSpread(j, a, px, py, gesture) {
    const { mixture } = now;
    if (mixture.d === 1) {
      const away = together(Math.abs(px - plot.x(mixture.means[j]))) / scales()[0];
      const value = Math.max(snap(away), unit() / 10);
      setSpread(j, [[value * value]], gesture);
      return;
    }
    const [dx, dy] = [px - plot.x(mixture.means[j * 2]), py - plot.y(mixture.means[j * 2 + 1])];
    const drawn = Math.hypot(dx, dy);
    const length = Math.max(together(drawn), 2);
    const frame = frameOf(mixture, j).map((axis) => axis.slice());
    const type = ex.state.covariance_type;
    if (type === "diag" || type === "spherical") {
      const along = Math.max(together(Math.abs(a === 0 ? dx : dy)), 2) / 2 / Math.abs(scales()[a]);
      const variance = Math.max(snap(along, a ? "y" : "x"), unit(a ? "y" : "x") / 10) ** 2;
      const both = [mixture.covariances[j * 4], mixture.covariances[j * 4 + 3]];
      both[a] = variance;
      if (type === "spherical") both[1 - a] = variance;
      setSpread(j, [[both[0], 0], [0, both[1]]], gesture);
      return;
    }
    const held = [(dx / drawn) * length, (dy / drawn) * length];
    const other = Math.hypot(...frame[1 - a]);
    frame[a] = held;
    const turn = a === 0 ? 1 : -1;
    frame[1 - a] = [(turn * other * dy) / drawn, (-turn * other * dx) / drawn];
    const [[ux, uy], [vx, vy]] = frame;
    const [sx, sy] = scales();
    const xy = (ux * uy + vx * vy) / 4 / (sx * sy);
    const covariance = [[(ux * ux + vx * vx) / 4 / (sx * sx), xy], [xy, (uy * uy + vy * vy) / 4 / (sy * sy)]];
    frames.set(j, frame);
    setSpread(j, covariance, gesture);
  }

  // Right and up lengthen, left and down shorten; where the ellipse may turn, left and right turn it.
  function keySpread(j, a, dx, dy, gesture) {
    const { mixture } = now;
    const type = ex.state.covariance_type;
    if (mixture.d === 1) {
      const value = clamp(sd(mixture, j) + (dx + dy) * unit(), unit() / 10, Math.max(250 * unit(), sd(mixture, j)));
      setSpread(j, [[snap(value) ** 2]], gesture);
      return;
    }
    const [x, y] = frameOf(mixture, j)[a];
    const length = Math.hypot(x, y);
    const turns = type === "full" || type === "tied";
    const to = clamp(length + 2 * (turns ? dy : dx + dy), 2, Math.max(length, plot.width + plot.height));
    const angle = Math.atan2(y, x) + (turns ? (dx * Math.PI) / 90 : 0);
    dragSpread(j, a, plot.x(mixture.means[j * 2]) + apart(to) * Math.cos(angle), plot.y(mixture.means[j * 2 + 1]) + apart(to) * Math.sin(angle), gesture);
  }

  // -- ranges: fixed while the reader drags and while EM runs, so that what moves is the mixture

  function fitDomains() {
    if (plot.dragging()) return;
    const { points, means, covariances } = ex.state;
    const to = {};
    for (let a = 0; a < means[0].length; a += 1) {
      let [low, high] = [Infinity, -Infinity];
      for (const x of points) [low, high] = [Math.min(low, x[a]), Math.max(high, x[a])];
      means.forEach((mean, j) => {
        const reach = 2 * Math.sqrt(covariances[j][a][a]);
        const cap = means[0].length === 1 ? reach : Math.min(reach, high - low || reach);
        [low, high] = [Math.min(low, mean[a] - cap), Math.max(high, mean[a] + cap)];
      });
      const pad = Math.max(0.05 * (high - low), SMALLEST_VIEW * Math.max(Math.abs(low), Math.abs(high), 1)) || 1;
      const wanted = [low - pad, high + pad];
      const axis = "xy"[a];
      const had = plot.domain()[axis];
      const fits = ranged === rangeKey() && wanted[0] >= had[0] - pad / 2 && wanted[1] <= had[1] + pad / 2 && wanted[1] - wanted[0] > 0.6 * (had[1] - had[0]);
      if (!fits) to[axis] = wanted;
    }
    ranged = rangeKey();
    plot.domain(to);
    frames.clear();
  }
  let ranged = "";
  const rangeKey = () => `${ex.state.data === CUSTOM ? "" : ex.state.data} ${dimension()}`;

  // -- what is shown is a blend between moments while it moves

  let shown = null; // { mixture, w, known (0: gray points, 1: colored), top (of the density axis) }

  function draw(state, before, { animate }) {
    if (state.points !== before.points && hovered !== null) hovered = null;
    now = moment(state);
    buildHandles();
    fitDomains();
    const target = { mixture: now.mixture, w: now.w, known: now.w ? 1 : 0, top: 1 };
    target.top = densityTop(target);
    update();
    if (state === before && ex.moving()) {
      show();
      return;
    }
    const from = shown;
    const alike = from && from.mixture.k === target.mixture.k && from.mixture.d === target.mixture.d && before.points.length === state.points.length;
    if (!animate || !alike) {
      ex.stopTween();
      shown = target;
      show();
      return;
    }
    const colors = from.w !== target.w;
    const curves = from.mixture !== target.mixture;
    const both = colors && curves && from.known + target.known > 0;
    ex.tween(both ? 900 : 550, (f) => {
      const colored = both ? clamp(f / 0.45, 0, 1) : f;
      const moved = both ? clamp((f - 0.45) / 0.55, 0, 1) : f;
      shown = f === 1 ? target : {
        mixture: blend(from.mixture, target.mixture, moved),
        w: mixShares(from.w, target.w, colored),
        known: from.known + (target.known - from.known) * colored,
        top: from.top + (target.top - from.top) * f,
      };
      show();
    });
  }

  function blend(a, b, f) {
    if (f <= 0) return a;
    if (f >= 1) return b;
    const part = (name) => a[name].map((value, i) => value + (b[name][i] - value) * f);
    const between = nested({ k: a.k, d: a.d, weights: part("weights"), means: part("means"), covariances: part("covariances") });
    try {
      return makeMixture(between.weights, between.means, between.covariances);
    } catch {
      return b;
    }
  }

  const mixShares = (a, b, f) => (a && b ? a.map((share, i) => share + (b[i] - share) * f) : b ?? a);

  // The top of the density axis; it stays unless curves leave it or get lost in it.
  function densityTop({ mixture, w }) {
    if (mixture.d === 2) return 1;
    const { x, m } = path;
    let highest = 0;
    for (let j = 0; j < mixture.k; j += 1) highest = Math.max(highest, Math.exp(logDensity(mixture, mixture.means, j)));
    if (m > MANY) {
      const bars = histogram(x, m, w, mixture.k);
      for (let b = 0; b < bars.count; b += 1) highest = Math.max(highest, bars.heights[(b + 1) * bars.k - 1]);
    }
    const had = shown?.mixture.d === 1 ? shown.top : 0;
    return highest < 0.97 * had && highest > 0.4 * had ? had : 1.12 * highest;
  }

  function logDensity(mixture, x, at) {
    let top = -Infinity;
    for (let j = 0; j < mixture.k; j += 1) top = Math.max(top, logJoint(mixture, j, x, at));
    let total = 0;
    for (let j = 0; j < mixture.k; j += 1) total += Math.exp(logJoint(mixture, j, x, at) - top);
    return top + Math.log(total);
  }

  // Bars of density height, each cut by the responsibilities of its points: heights[b * k + j] is where part j ends.
  function histogram(x, m, w, k) {
    const [low, high] = plot.domain().x;
    const ticks = niceTicks(low, high, clamp(plot.width / 14, 16, 50));
    const width = ticks[1] - ticks[0];
    const first = ticks[0] - width;
    const count = ticks.length + 1;
    const parts = w ? k : 1;
    const heights = new Float64Array(count * parts);
    for (let i = 0; i < m; i += 1) {
      const b = clamp(Math.floor((x[i] - first) / width), 0, count - 1);
      if (w) for (let j = 0; j < k; j += 1) heights[b * k + j] += w[i * k + j] / (m * width);
      else heights[b] += 1 / (m * width);
    }
    for (let b = 0; b < count; b += 1) for (let j = 1; j < parts; j += 1) heights[b * parts + j] += heights[b * parts + j - 1];
    return { first, width, count, k: parts, heights };
  }

  // Draws `shown`: curves or ellipses, handles, and the canvas with the points.
  function show() {
    const { mixture } = shown;
    if (mixture.d === 1) showLine(mixture);
    else showPlane(mixture);
    plot.paint();
    const { points, selected } = ex.state;
    const at = held();
    const x = points[at];
    pointHandle.place(x[0], x[1] ?? 0, {
      px: spot(at), now: at + 1, min: 1, max: points.length, text: pointText(at), label: t("point-of", { i: at + 1, m: points.length }),
    });
    pointHandle.node.classList.toggle("gmm-quiet", selected === null);
    pointHandle.node.style.setProperty("--r", `${markRadius() + 3}px`);
  }

  function showLine(mixture) {
    const { k, means, weights } = mixture;
    const top = shown.top;
    plot.domain({ y: [(-top * STRIP) / (plot.height - STRIP), top] });
    const [low, high] = plot.domain().x;
    const xs = Array.from({ length: 241 }, (_, i) => low + ((high - low) * i) / 240);
    for (let j = 0; j < k; j += 1) {
      // A narrow component keeps its peak.
      for (let i = -20; i <= 20; i += 1) xs.push(clamp(means[j] + 0.2 * i * sd(mixture, j), low, high));
    }
    xs.sort((a, b) => a - b);
    const at = Float64Array.from(xs);
    const total = new Float64Array(at.length);
    for (let j = 0; j < k; j += 1) {
      const ys = at.map((_, i) => Math.exp(logJoint(mixture, j, at, i)));
      ys.forEach((value, i) => (total[i] += value));
      const style = `--knob: var(--c${j + 1})`;
      plot.line(`fill ${j}`, [low, ...at, high], [0, ...ys, 0], { class: "gmm-fill", style }, plot.under);
      plot.line(`curve ${j}`, at, ys, { class: "gmm-component", "stroke-dasharray": dash(j), style });
      const peak = weights[j] / (Math.sqrt(2 * Math.PI) * sd(mixture, j));
      const [mx, my] = [plot.x(means[j]), plot.y(peak)];
      const right = mx + apart(sd(mixture, j) * scales()[0]) < plot.width ? 1 : -1;
      const sx = mx + right * apart(sd(mixture, j) * scales()[0]);
      const sy = plot.y(peak * Math.exp(-0.5));
      plot.mark(`stick ${j}`, "path", { d: `M${mx} ${plot.y(0)}V${my}M${mx} ${sy}H${sx}`, class: "gmm-stick", style }, plot.over);
      handles[j].mean.place(means[j], peak, { now: means[j], min: low, max: high, text: formatNumber(means[j]) });
      const value = sd(mixture, j);
      handles[j].spread[0].place(means[j] + value, peak, { px: [sx, sy], now: value, min: 0, max: high - low, text: formatNumber(value) });
      handles[j].spread[0].off = [0, 0];
    }
    plot.line("density", at, total, { class: "gmm-density" });
    legend(t("legend-1"));
    plot.mark("base", "path", { d: `M0 ${plot.y(0)}H${plot.width}`, class: "gmm-zero" });
  }

  // What the lines are, above the picture where there is room.
  function legend(text) {
    const room = plot.width - (text === t("legend-2") ? 150 : 30) * plot.unit;
    plot.mark("legend", "text", room > 6.4 * plot.unit * text.length ? { x: plot.width, y: -12 * plot.unit, text, "text-anchor": "end", class: "gmm-note" } : null, plot.over);
  }

  function showPlane(mixture) {
    legend(t("legend-2"));
    const { k, means } = mixture;
    const { x: [low, high], y: [bottom, up] } = plot.domain();
    const away = (v) => {
      const length = Math.hypot(...v) || 1;
      return v.map((part) => (part / length) * apart(length));
    };
    for (let j = 0; j < k; j += 1) {
      const [cx, cy] = [plot.x(means[j * 2]), plot.y(means[j * 2 + 1])];
      const [u, v] = frameOf(mixture, j);
      const style = `--knob: var(--c${j + 1})`;
      // The unit circle under (u, v) is the ellipse at two standard deviations, under half of it that at one.
      const ellipse = (f) => {
        let d = "";
        for (let i = 0; i <= 72; i += 1) {
          const [c, n] = [f * Math.cos((i * Math.PI) / 36), f * Math.sin((i * Math.PI) / 36)];
          d += `${i ? "L" : "M"}${(cx + c * u[0] + n * v[0]).toFixed(1)} ${(cy + c * u[1] + n * v[1]).toFixed(1)}`;
        }
        return `${d}Z`;
      };
      plot.mark(`outer ${j}`, "path", { d: ellipse(1), class: "gmm-ellipse gmm-outer", "stroke-dasharray": dash(j), style });
      plot.mark(`inner ${j}`, "path", { d: ellipse(0.5), class: "gmm-ellipse", "stroke-dasharray": dash(j), style });
      const [a, b] = [away(u), away(v)];
      plot.mark(`stick ${j}`, "path", { d: `M${cx} ${cy}l${a[0]} ${a[1]}M${cx} ${cy}l${b[0]} ${b[1]}`, class: "gmm-stick", style }, plot.over);
      const at = [means[j * 2], means[j * 2 + 1]];
      handles[j].mean.place(at[0], at[1], { now: at[0], min: low, max: high, text: t("pair", { x: formatNumber(at[0]), y: formatNumber(at[1]) }) });
      [a, b].forEach((axis, c) => {
        const end = [cx + axis[0], cy + axis[1]];
        const to = [clamp(end[0], 8, plot.width - 8), clamp(end[1], 8, plot.height - 8)];
        handles[j].spread[c].off = [end[0] - to[0], end[1] - to[1]];
        // Its value, in words and for screen readers: the standard deviations of the component.
        const sds = t("sds", { x: formatNumber(sd(mixture, j, 0)), y: formatNumber(sd(mixture, j, 1)) });
        handles[j].spread[c].place(plot.toX(to[0]), plot.toY(to[1]), { now: sd(mixture, j, c), min: 0, max: c ? up - bottom : high - low, text: sds });
      });
    }
  }

  function paint(context) {
    if (!shown) return;
    const { points } = ex.state;
    const { mixture, w, known } = shown;
    const { k, d } = mixture;
    const m = points.length;
    const gray = ex.color("unknown");
    const ink = ex.color("ink");
    const surface = ex.color("surface");
    const r = markRadius();
    const sound = w && w.length === m * k;
    if (d === 1) {
      context.globalAlpha = 0.07;
      context.fillStyle = ink;
      context.fillRect(0, plot.height - STRIP, plot.width, STRIP);
      context.globalAlpha = 1;
      if (m > MANY) paintBars(context, mixture, sound ? w : null, known, gray);
      else paintStems(context, mixture, sound ? w : null, known, gray);
    }
    const active = hovered ?? ex.state.selected;
    const last = active ?? m - 1; // drawn last, on top
    for (let n = 0; n < m; n += 1) {
      const i = n === m - 1 ? last : n === last ? m - 1 : n;
      const [px, py] = spot(i);
      let likeliest = 0;
      if (sound) for (let j = 1; j < k; j += 1) if (w[i * k + j] > w[i * k + likeliest]) likeliest = j;
      const shape = sound && known > 0.5 ? likeliest : 0;
      context.beginPath();
      markPath(context, shape, px, py, r);
      context.globalAlpha = m > MANY && d === 1 ? 0.75 : 0.92;
      context.fillStyle = gray;
      if (known < 1 || !sound) context.fill();
      if (sound && known > 0) {
        context.globalAlpha *= known;
        context.fillStyle = ex.mix(w, k, i * k);
        context.fill();
      }
      context.globalAlpha = 1;
      if (m <= MANY || d === 2) {
        context.lineWidth = m <= MANY ? 1 : 0.6;
        context.strokeStyle = surface;
        context.stroke();
      }
      if (i === active) {
        context.beginPath();
        context.arc(px, py, r + 4, 0, 2 * Math.PI);
        context.lineWidth = 2;
        context.strokeStyle = ink;
        context.stroke();
      }
    }
  }

  // A stem up to p(x), cut where the shares end: its parts are the responsibilities.
  function paintStems(context, mixture, w, known, gray) {
    const { k } = mixture;
    const base = plot.y(0);
    const active = hovered ?? ex.state.selected;
    const { x, m } = path;
    const [across] = [clamp(markRadius(), 4, 7)];
    for (let i = 0; i < m; i += 1) {
      const px = plot.x(x[i]);
      const tall = base - plot.y(Math.exp(logDensity(mixture, x, i)));
      const wide = i === active ? across : across - 2;
      context.globalAlpha = 0.45 * (1 - known) + 0.0;
      context.fillStyle = gray;
      if (known < 1) context.fillRect(px - wide / 2, base - tall, wide, tall);
      context.globalAlpha = 0.9 * known;
      let from = base;
      for (let j = 0; w && j < k; j += 1) {
        const part = w[i * k + j] * tall;
        context.fillStyle = ex.color(`c${j + 1}`);
        context.fillRect(px - wide / 2, from - part, wide, part);
        from -= part;
      }
      context.globalAlpha = 1;
    }
  }

  function paintBars(context, mixture, w, known, gray) {
    const { x, m } = path;
    const bars = histogram(x, m, w, mixture.k);
    for (let b = 0; b < bars.count; b += 1) {
      const left = Math.max(plot.x(bars.first + b * bars.width), 0);
      const right = Math.min(plot.x(bars.first + (b + 1) * bars.width), plot.width);
      const all = plot.y(0) - plot.y(bars.heights[(b + 1) * bars.k - 1]);
      context.fillStyle = gray;
      context.globalAlpha = 0.4 * (1 - known);
      context.fillRect(left, plot.y(0) - all, right - left - 1, all);
      context.globalAlpha = 0.5 * known;
      let below = 0;
      for (let j = 0; w && j < bars.k; j += 1) {
        const height = plot.y(0) - plot.y(bars.heights[b * bars.k + j]);
        context.fillStyle = ex.color(`c${j + 1}`);
        context.fillRect(left, plot.y(0) - height, right - left - 1, height - below);
        below = height;
      }
    }
    context.globalAlpha = 1;
  }

  // ---------------------------------------------------------------------------------------- words and controls

  function placeText(i) {
    const [x, y] = ex.state.points[i];
    return y === undefined ? t("point-1", { x: formatNumber(x) }) : t("pair", { x: formatNumber(x), y: formatNumber(y) });
  }

  // "58% to component 1, 42% to component 2": all of three, of more the two largest.
  function sharesText(w, i) {
    const { k } = now.mixture;
    const shares = Array.from({ length: k }, (_, j) => [w[i * k + j], j]);
    const named = k <= 3 ? shares : shares.sort((a, b) => b[0] - a[0]).slice(0, 2);
    return named.map(([share, j]) => t("share", { percent: formatPercent(share), j: j + 1 })).join(", ");
  }

  function pointText(i) {
    return now.w ? t("belongs", { point: placeText(i), shares: sharesText(now.w, i) }) : placeText(i);
  }

  function meansText() {
    const { means } = nested(now.mixture);
    const each = means.map(([x, y]) => (y === undefined ? formatNumber(x) : t("pair", { x: formatNumber(x), y: formatNumber(y) })));
    return t("means", { means: each.join(", ") });
  }

  function tell() {
    const active = hovered ?? ex.state.selected;
    const { iteration, half, logLikelihood, failure, converged } = now;
    let what = meansText();
    if (half === "e") what = active === null ? t("colored") : pointText(active);
    else if (hovered !== null) what = pointText(hovered);
    const phase = t(half === "e" ? "phase-e" : iteration === 0 ? "phase-start" : "phase-m");
    ex.tell(t("status", { t: iteration, phase, what, l: formatFixed(logLikelihood, 2), end: converged ? t("converged") : "" }));
    if (failure) {
      const why = t(`degenerate-${failure.reason}`, { j: failure.component + 1 });
      ex.warn(t("degenerate", { t: failure.iteration, why }), () => [button(t("undo"), () => ex.undo()), button(t("reset"), resetNow)]);
    } else ex.warn(null);
    tellReadout(active);
  }

  const readoutTitle = h("div", { class: "gmm-readout-title" });
  const readoutBar = h("div", { class: "gmm-shares", "aria-hidden": "true" });
  const readoutText = h("div", { class: "gmm-readout-text" });
  readout.append(readoutTitle, readoutBar, readoutText);

  function tellReadout(active) {
    const { k } = now.mixture;
    readoutTitle.textContent = active === null ? t("no-point") : placeText(active);
    while (readoutBar.children.length > k) readoutBar.lastChild.remove();
    while (readoutBar.children.length < k) readoutBar.append(h("span", { style: `background: var(--c${readoutBar.children.length + 1})` }));
    const w = active === null ? null : now.w;
    const parts = [];
    for (let j = 0; j < k; j += 1) {
      readoutBar.children[j].hidden = !w;
      if (w) readoutBar.children[j].style.width = `${100 * w[active * k + j]}%`;
      if (w) parts.push(`${j + 1}: ${formatPercent(w[active * k + j])}`);
    }
    readoutText.textContent = active === null ? "" : w ? parts.join("   ") : t("no-shares");
  }

  const eButton = button(t("e-step"), () => eStepNow());
  const mButton = button(t("m-step"), () => mStepNow());
  const slide = slider({
    label: t("iteration"), min: 0, max: 50,
    oninput: (value, gesture) => ex.change({ iteration: value, half: now.failure ? "e" : ex.state.half }, { gesture }),
  });
  const dataSelect = select({ label: t("data"), options: [], onchange: attempt((name) => name !== CUSTOM && ex.change(datasetPatch(name))) });
  const kSelect = select({
    label: t("components"), value: 2, onchange: attempt(setK),
    options: Array.from({ length: MAX_K }, (_, i) => [i + 1, String(i + 1)]),
  });
  const typeSelect = select({
    label: t("covariances"), value: "full", onchange: attempt(setType),
    options: COVARIANCE_TYPES.map((type) => [type, t(`type-${type}`)]),
  });

  const pointNumber = ex.numberInput({ label: t("point"), min: 1, step: 1, onchange: (i) => choose(Math.round(i) - 1) });
  const pointX = ex.numberInput({ label: "x", onchange: (x) => ex.state.selected !== null && movePoint(ex.state.selected, [x, ...ex.state.points[ex.state.selected].slice(1)]) });
  const pointY = ex.numberInput({ label: "y", onchange: (y) => ex.state.selected !== null && movePoint(ex.state.selected, [ex.state.points[ex.state.selected][0], y]) });
  const deleteButton = button(t("delete-point"), deletePoint);

  // The responsibilities as on the sheet for pencil and paper; of many points, the counts alone.
  function shareRows() {
    if (!now.w) return [];
    const { k } = now.mixture;
    const { points } = ex.state;
    const line = (title, values) => [title, ...values.map((value) => value.toFixed(4))];
    const counts = Array.from({ length: k }, (_, j) => points.reduce((sum, __, i) => sum + now.w[i * k + j], 0));
    const body = points.length > MANY ? [] : order().map((i) => line(placeText(i), Array.from(now.w.subarray(i * k, i * k + k))));
    return [...body, line("N", counts)];
  }
  const table = h("table");
  const numbersPart = ex.tables(
    [
      { caption: t("responsibilities"), head: () => [t("point"), ...Array.from({ length: now.mixture.k }, (_, j) => `w${"₁₂₃₄₅₆"[j]}`)], rows: shareRows },
      {
        caption: t("log-likelihoods"), head: () => [t("iteration-column"), "ℓ(θ)"],
        rows: () => path.states.slice(0, visited + 1).map(({ logLikelihood }, n) => [n, formatFixed(logLikelihood, 4)]),
      },
    ],
    table,
  );
  const pointsPart = disclosure(t("points"), row(pointNumber, pointX, pointY, button(t("add-point"), () => addPoint()), deleteButton));
  numbersPart.addEventListener("toggle", () => updateNumbers());

  ex.controls.append(
    row(eButton, mButton, button(t("step"), stepNow), ...player.controls, ex.undoButton(), ex.resetButton(resetNow), slide),
    row(dataSelect, kSelect, typeSelect, ex.linkButton(), ex.projectorButton()),
    more(pointsPart, numbersPart, ex.help()),
  );

  // Which numbers of a component can be typed: [trait, path, symbol].
  const fields = (d) => [
    ["weights", [], "φ"],
    ...(d === 1
      ? [["means", [0], "μ"], ["covariances", [0, 0], "σ²"]]
      : [["means", [0], "μ₁"], ["means", [1], "μ₂"], ["covariances", [0, 0], "Σ₁₁"], ["covariances", [0, 1], "Σ₁₂"], ["covariances", [1, 1], "Σ₂₂"]]),
  ];

  function typed(j, name, at, value) {
    const parts = nested(now.mixture);
    if (name === "weights") {
      const rest = 1 - parts.weights[j];
      parts.weights = parts.weights.map((weight, l) => (l === j ? value : (weight * (1 - value)) / rest));
    } else if (name === "means") parts.means[j][at[0]] = value;
    else {
      const which = ex.state.covariance_type === "tied" ? parts.covariances : [parts.covariances[j]];
      for (const covariance of which) {
        covariance[at[0]][at[1]] = value;
        covariance[at[1]][at[0]] = value;
        if (ex.state.covariance_type === "spherical") covariance.forEach((line, a) => (line[a] = value));
      }
    }
    return restart(parts);
  }

  let inputs = [];
  let tableFor = "";
  function updateNumbers() {
    if (!now) return;
    const { k, d } = now.mixture;
    const columns = fields(d);
    if (tableFor !== `${k} ${d}`) {
      tableFor = `${k} ${d}`;
      inputs = Array.from({ length: k }, (_, j) =>
        columns.map(([name, at, symbol]) => {
          const limits = { weights: { min: 1e-6, max: 1 - 1e-6 }, means: {}, covariances: { min: -(LIMIT ** 2), max: LIMIT ** 2 } }[name];
          return ex.numberInput({ label: null, name: t("number-of", { symbol, j: j + 1 }), ...limits, onchange: (value) => typed(j, name, at, value) });
        }),
      );
      table.replaceChildren(
        h("caption", {}, t("parameters")),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("component")), ...columns.map(([, , symbol]) => h("th", { scope: "col" }, symbol)))),
        h("tbody", {}, ...inputs.map((line, j) => h("tr", {}, h("th", { scope: "row" }, String(j + 1)), ...line.map((input) => h("td", {}, input))))),
      );
      if (k === 1) setAttribute(inputs[0][0], "disabled", true);
    }
    if (!numbersPart.open) return;
    const parts = nested(now.mixture);
    inputs.forEach((line, j) =>
      line.forEach((input, c) => {
        const [name, at] = columns[c];
        input.set(at.reduce((value, i) => value[i], parts[name][j]));
        const off = (ex.state.covariance_type === "diag" || ex.state.covariance_type === "spherical") && at.length === 2 && at[0] !== at[1];
        setAttribute(input, "disabled", off || (k === 1 && name === "weights"));
      }),
    );
  }

  // Everything that is words, numbers and controls; told at once, whatever still moves.
  function update() {
    const { points, selected, covariance_type: type } = ex.state;
    const { iteration, half, mixture, logLikelihood, failure } = now;
    ex.data({ iteration, half, "log-likelihood": logLikelihood, degenerate: failure ? failure.component + 1 : null });
    tell();
    const next = half === "m" ? eButton : mButton;
    for (const each of [eButton, mButton]) setAttribute(each, "data-next", each === next && !failure);
    slide.set(iteration, { max: Math.max(50, 50 * Math.ceil(visited / 50)) });
    const known = Object.keys(datasets);
    const own = isKnown(ex.state.data) ? [] : [[CUSTOM, t(`data-${CUSTOM}`)]];
    dataSelect.set(own.length ? CUSTOM : ex.state.data, [...known.map((name) => [name, t(`data-${name}`)]), ...own]);
    kSelect.set(mixture.k);
    typeSelect.set(type);
    pointNumber.input.max = points.length;
    if (selected !== null) {
      pointNumber.set(selected + 1);
      pointX.set(points[selected][0]);
      if (mixture.d === 2) pointY.set(points[selected][1]);
    }
    pointY.hidden = mixture.d === 1;
    for (const control of [pointX, pointY]) control.input.disabled = selected === null;
    setEnabled(deleteButton, selected !== null && points.length > 1);
    const names = datasets[ex.state.data]?.axes ?? (mixture.d === 1 ? ["x"] : ["x₁", "x₂"]);
    plot.labels(names[0], names[1] ?? "p(x)");
    updateNumbers();
    updateTrace();
  }

  function updateTrace() {
    const along = path;
    const last = Math.min(visited, along.states.length - 1);
    const values = along.states.slice(0, last + 1).map(({ logLikelihood }) => logLikelihood);
    // A far start would flatten all that follows: from the second iteration on it lies below the picture, with its value.
    const far = last >= 2 && values[1] - values[0] > 4 * (values[last] - values[1]);
    const high = Math.max(...values);
    const low = far ? values[1] - Math.max(0.5 * (high - values[1]), 1e-9 * Math.abs(high)) : Math.min(...values);
    const pad = 0.08 * (high - low) || Math.max(0.02 * Math.abs(high), 1);
    trace.domain({ x: [0, Math.max(last, 8)], y: [low - pad, high + pad] });
    const floor = low - pad;
    const ys = values.map((value) => Math.max(value, floor));
    const first = far ? 1 : 0;
    trace.line("line", values.slice(first).map((_, i) => i + first), ys.slice(first), { class: "gmm-trace-line" });
    trace.line("cut", far ? [0, 1] : null, ys.slice(0, 2), { class: "gmm-trace-line", "stroke-dasharray": "3 4" });
    const dots = ys.map((value, i) => `M${trace.x(i) - 2.5} ${trace.y(value)}a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0 -5 0`).join("");
    trace.mark("dots", "path", { d: last <= 60 ? dots : "", class: "gmm-trace-dots" });
    trace.mark("below", "text", far ? { x: trace.width, y: trace.height - 6, "text-anchor": "end", class: "gmm-trace-below", text: `ℓ(θ₀) = ${minus(formatFixed(values[0], 2))} ↓` } : null);
    trace.mark("here", "circle", { cx: trace.x(now.iteration), cy: trace.y(Math.max(now.logLikelihood, floor)), r: 6, class: `gmm-trace-here gmm-${now.half}` });
  }

  return ex.start();
}

export default { render };
