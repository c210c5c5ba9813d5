// The EM explorer. Its state (see TRAITS) is the data, the start θ_0, the iteration t, the half of it, the covariance
// type and the selected point; θ_t, responsibilities, ℓ and the whole picture follow from these.

import { button, disclosure, more, row, select, setAttribute, setEnabled, slider } from "./elements.js";
import { COVARIANCE_TYPES, Trajectory, constrained, flatten, makeMixture, nested, unlessDegenerate } from "./em.js";
import { linePicture } from "./em_line.js";
import { MANY, markRadius, paintMarks } from "./em_marks.js";
import { parameterTable } from "./em_parameters.js";
import { planePicture } from "./em_plane.js";
import { sideColumn } from "./em_side.js";
import { EM_ITERATIONS, MAX_K, blend, emProblem, grown, mixShares, shrunk } from "./em_state.js";
import { explorer } from "./explorer.js";
import { figure, nearestTo } from "./figure.js";
import { clamp, formatFixed, formatNumber, formatPercent, niceTicks } from "./numbers.js";

const TRAITS = ["data", "points", "weights", "means", "covariances", "iteration", "half", "covariance_type", "selected"];
const CUSTOM = "custom"; // the name of data that are nobody's but the reader's
const TOLD = 200; // iterations in the table
const SMALL_GAIN = 1e-8; // per point: fit() stops there too
const SMALLEST_VIEW = 1e-9; // of the larger end of an axis: what is closer together is drawn as one

function render({ model, el }) {
  const datasets = model.get("datasets");
  const ex = explorer({ model, el, kind: "em", traits: TRAITS, draw, valid: (state) => valid(state), linkState, fromLink });
  const { t } = ex;
  const initial = ex.state;

  // ------------------------------------------------------------------------------------- the state and what follows

  const isKnown = (name) => Object.hasOwn(datasets, name);
  const valid = (state) => emProblem(state, t, pathOf !== null && PARTS.every((name) => pathOf[name] === state[name]));

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
  const attempt = (action) => (...values) =>
    unlessDegenerate(() => action(...values), () => {
      ex.redraw(); // a control may show what has been refused
      ex.tell(t("not-positive"));
      return false;
    });

  // Whatever is taken hold of, what is on show becomes the new start.
  /**
   * @param {{ weights?: number[], means?: number[][], covariances?: number[][][] }} parts
   * @param {{ gesture?: string | null, selected?: number | null, data?: string, points?: number[][], half?: "e" | "m" }} options
   */
  function restart(parts, { gesture = null, selected = ex.state.selected, ...rest } = {}) {
    const start = { ...nested(now.mixture), ...parts };
    return ex.change({ ...rest, ...start, selected, iteration: 0, half: now.half }, { gesture });
  }

  function eStepNow(gesture = null) {
    if (now.half === "m") ex.change({ iteration: now.iteration, half: "e" }, { gesture, animate: true });
    else if (now.failure) ex.announce();
    else ex.tell(t("e-again"));
  }

  function mStepNow(gesture = null) {
    if (now.half === "m") ex.tell(t(now.iteration === 0 ? "m-first" : "m-again"));
    else stepNow(gesture);
  }

  // What is left of this iteration: E and M, or M alone.
  function stepNow(gesture = null) {
    if (now.failure) ex.announce();
    else ex.change({ iteration: now.iteration + 1, half: "m" }, { gesture, animate: true });
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
    if (k < now.mixture.k) restart(shrunk(now.mixture, k));
    else restart(grown(now.mixture, path, k, ex.state.covariance_type), { half: "m" });
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

  const plot = figure(ex, {
    label: t("plot"), paint, pick, hover,
    x: { label: "x", domain: [0, 1] },
    y: { domain: [0, 1] },
    height: (width) => clamp(Math.round(0.54 * width), 280, 450),
    margin: { left: 44, top: 28 },
  });
  const side = sideColumn(ex, plot);

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

  const nearestPoint = (px, py, reach) => nearestTo(px, py, ex.state.points.map((_, i) => picture().spot(i)), reach);

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

  function buildHandles() {
    const { k, d } = now.mixture;
    const key = `${k} ${d}`;
    if (key === handlesFor) return;
    handlesFor = key;
    for (const { mean, spread } of handles) [mean, ...spread].forEach((handle) => handle.remove());
    plot.sweep(); // of what the last mixture has drawn, nothing stays
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
            picture().dragSpread(j, a, plot.x(x) + handle.slip[0], plot.y(y) + handle.slip[1], gesture);
          },
          keys: (dx, dy, gesture) => picture().keySpread(j, a, dx, dy, gesture),
        }),
      );
      return { mean, spread };
    });
  }

  const scales = () => {
    const { x, y } = plot.domain();
    return [plot.width / (x[1] - x[0]), -plot.height / (y[1] - y[0])];
  };

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

  // What the two pictures need; each draws the points of its dimension.
  const view = {
    ex, t, plot, unit, snap, scales, setSpread, legend, markRadius: () => markRadius(ex.state.points, plot),
    get now() { return now; },
    get path() { return path; },
    get handles() { return handles; },
    get active() { return hovered ?? ex.state.selected; },
  };
  const pictures = { 1: linePicture(view), 2: planePicture(view) };
  const picture = () => pictures[dimension()];

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
    picture().forget();
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
    target.top = picture().topOf(target, shown?.mixture.d === 1 ? shown.top : 0);
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

  // Draws `shown`: curves or ellipses, handles, and the canvas with the points.
  function show() {
    picture().show(shown);
    plot.sweep();
    plot.paint();
    const { points, selected } = ex.state;
    const at = held();
    const x = points[at];
    pointHandle.place(x[0], x[1] ?? 0, {
      px: picture().spot(at), now: at + 1, min: 1, max: points.length, text: pointText(at), label: t("point-of", { i: at + 1, m: points.length }),
    });
    pointHandle.node.classList.toggle("gmm-quiet", selected === null);
    pointHandle.node.style.setProperty("--r", `${view.markRadius() + 3}px`);
  }

  // What the lines are, above the picture where there is room.
  function legend(text) {
    const room = plot.width - (text === t("legend-2") ? 150 : 30) * plot.unit;
    plot.mark("legend", "text", room > 6.4 * plot.unit * text.length ? { x: plot.width, y: -12 * plot.unit, text, "text-anchor": "end", class: "gmm-note" } : null, plot.over);
  }

  function paint(context) {
    if (!shown) return;
    const { w, mixture } = shown;
    const sound = w && w.length === ex.state.points.length * mixture.k ? w : null;
    picture().ground(context, shown, sound);
    paintMarks(context, view, picture().spot, shown, sound);
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
    side.tell(now, active, active === null ? null : placeText(active));
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

  const parameters = parameterTable(ex, restart);
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
  const numbersPart = ex.tables(
    [
      { caption: t("responsibilities"), head: () => [t("point"), ...Array.from({ length: now.mixture.k }, (_, j) => `w${"₁₂₃₄₅₆"[j]}`)], rows: shareRows },
      {
        caption: t("log-likelihoods"), head: () => [t("iteration-column"), "ℓ(θ)"],
        rows: () => path.states.slice(0, Math.min(visited + 1, TOLD)).map(({ logLikelihood }, n) => [n, formatFixed(logLikelihood, 4)]),
      },
    ],
    parameters.table,
  );
  numbersPart.addEventListener("toggle", () => parameters.update(now));
  const pointsPart = disclosure(t("points"), row(pointNumber, pointX, pointY, button(t("add-point"), () => addPoint()), deleteButton));

  ex.controls.append(
    row(eButton, mButton, button(t("step"), () => stepNow()), ...player.controls),
    row(dataSelect, kSelect, typeSelect),
    row(ex.undoButton(), ex.resetButton(resetNow), slide, ex.linkButton(), ex.projectorButton()),
    more(pointsPart, numbersPart, ex.help()),
  );

  // Everything that is words, numbers and controls; told at once, whatever still moves.
  function update() {
    const { points, selected, covariance_type: type } = ex.state;
    const { iteration, half, mixture, logLikelihood, failure } = now;
    ex.data({
      data: ex.state.data, components: mixture.k, iteration, half, "log-likelihood": logLikelihood,
      converged: String(now.converged), degenerate: failure ? failure.component + 1 : null,
    });
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
    parameters.update(now);
    side.draw(path, visited, now);
  }

  return ex.start();
}

export default { render };
