// Chapter 2's explorer: ten points, labels by hand or by the curves, the hard loop, and soft EM from the same start.
import { dash, markPath } from "./color.js";
import { button, checkbox, h, row, select, setAttribute, setEnabled, setPressed, slider } from "./elements.js";
import { explorer, remembered } from "./explorer.js";
import { figure } from "./figure.js";
import { clamp, formatFixed, formatNumber, formatPercent, minus, samples } from "./numbers.js";
import { Trajectory, logJoint, makeMixture, mStep, unlessDegenerate } from "./em.js";

const LABELS_TRAITS = ["labels", "weights", "means", "sigmas", "iteration", "half", "ddof", "shares", "soft"];
const LABELS_MOST = 30;
/** @type {[number, number]} */
const LABELS_RANGE = [-4, 34];
/** @type {[number, number]} */
const LABELS_SPREADS = [0.1, 20];
const BAND = 46; // px below the zero line: the points, and who wins where

// θ from the labels 1 and 2 (0: left out), variances divided by m_j - ddof: hard._refit. Throws DegenerateComponent.
export function refitLabels(points, labels, ddof, shares) {
  const kept = points.map((_, i) => i).filter((i) => labels[i] > 0);
  const x = Float64Array.from(kept, (i) => points[i]);
  const counts = [1, 2].map((j) => labels.filter((label) => label === j).length);
  const fitted = mStep(x, x.length, Float64Array.from(kept.flatMap((i) => [labels[i] === 1 ? 1 : 0, labels[i] === 2 ? 1 : 0])), 2, 1);
  const weights = shares ? Array.from(fitted.weights) : [0.5, 0.5];
  const variances = Array.from(fitted.covariances, (v, j) => (v * counts[j]) / (counts[j] - ddof));
  return makeMixture(weights, Array.from(fitted.means, (mu) => [mu]), variances.map((v) => [[v]]));
}

// The states of the hard loop: gmm_lib.hard_states.
export class HardLoop extends Trajectory {
  /**
   * @param {number[]} points
   * @param {ReturnType<typeof makeMixture>} start
   * @param {number} ddof
   * @param {boolean} shares
   */
  constructor(points, start, ddof, shares) {
    const even = makeMixture([0.5, 0.5], Array.from(start.means, (mu) => [mu]), Array.from(start.covariances, (v) => [[v]]));
    super({ x: Float64Array.from(points), m: points.length, d: 1 }, shares ? start : even);
    this.next = () => refitLabels(points, this.states[this.states.length - 1].labels, ddof, shares);
  }

  push(mixture) {
    super.push(mixture);
    const joint = Array.from(this.x, (_, i) => [logJoint(mixture, 0, this.x, i), logJoint(mixture, 1, this.x, i)]);
    Object.assign(this.states[this.states.length - 1], {
      labels: joint.map(([one, two]) => (two > one ? 2 : 1)),
      complete: joint.reduce((sum, [one, two]) => sum + Math.max(one, two), 0),
    });
  }
}

function render({ model, el }) {
  const points = Array.from(model.get("points"));
  const truth = Array.from(model.get("truth"));
  const origin = model.get("origin");
  const m = points.length;
  const nine = Math.max(points.indexOf(9), 0);
  const ex = explorer({ model, el, kind: "labels", traits: LABELS_TRAITS, draw, valid });
  const { t } = ex;
  let lastGiven = 1; // the label that the next click on a point without one gives

  // -- both loops, from the state

  const loops = remembered(["weights", "means", "sigmas", "ddof", "shares"], ({ weights, means, sigmas, ddof, shares }) => {
    const start = makeMixture(weights, means.map((mu) => [mu]), sigmas.map((s) => [[s * s]]));
    return { hard: new HardLoop(points, start, ddof, shares), em: new Trajectory({ x: Float64Array.from(points), m, d: 1 }, start) };
  });
  const parts = ({ weights, means, covariances }) => ({ weights: Array.from(weights), means: Array.from(means), sigmas: Array.from(covariances, Math.sqrt) });

  // What is to be seen of a state; a loop that has broken down stays where it was.
  function view(state) {
    const { hard, em } = loops(state);
    const { half, iteration } = state;
    hard.at(iteration);
    em.at(iteration);
    const [th, te] = [hard, em].map((loop) => Math.min(iteration, loop.states.length - 1));
    const ofLabels = half === "e" ? th : th - 1;
    const ofShares = half === "e" ? te : te - 1;
    const labels = ofLabels < 0 ? Array.from(state.labels) : hard.states[ofLabels].labels;
    const before = ofLabels < 1 ? Array.from(state.labels) : hard.states[ofLabels - 1].labels;
    return {
      hardIteration: th,
      emIteration: te,
      hard: hard.states[th],
      em: em.states[te],
      labels,
      before,
      shares: ofShares < 0 ? null : Float64Array.from(em.responsibilities(ofShares)),
      hardCurves: parts(hard.states[th].mixture),
      emCurves: parts(em.states[te].mixture),
      resting: half === "e" && labels.every((label, i) => label === before[i]) && (th > 0 || fitsHand(state)),
      failure: hard.failure && hard.failure.iteration <= iteration ? hard.failure : null,
      emFailure: em.failure && em.failure.iteration <= iteration ? em.failure : null,
    };
  }
  // Whether the start is the fit to the reader's own labels.
  function fitsHand(state) {
    const fitted = unlessDegenerate(() => parts(refitLabels(points, state.labels, state.ddof, state.shares)), () => null);
    return fitted !== null && ["means", "sigmas", "weights"].every((name) => fitted[name].every((value, j) => Math.abs(value - state[name][j]) < 1e-9));
  }

  // -- the two pictures

  const line = (which) => {
    const plot = figure(ex, {
      label: t(`plot-${which}`),
      x: { label: "x", domain: LABELS_RANGE },
      y: { ticks: 0 },
      margin: { top: 30, left: 14 },
      height: (w) => clamp(0.3 * w, 200, 260),
      paint: (context) => paintBand(context, plot, which),
    });
    plot.mark("caption", "text", { x: 0, y: -12, text: t(which), fill: "var(--muted)", "font-size": 14 });
    return plot;
  };
  const rows = { hard: line("hard"), em: line("em") };
  const knobs = [0, 1].map((j) => ({
    mean: rows.hard.handle({
      label: t("mean", { j: j + 1 }),
      text: String(j + 1),
      color: `var(--c${j + 1})`,
      step: [0.5, 0],
      drag: (x, y, gesture) => moveCurve(j, "means", clamp(Math.round(x * 100) / 100, ...LABELS_RANGE), gesture),
    }),
    sigma: rows.hard.handle({
      label: t("sigma", { j: j + 1 }),
      shape: "ring",
      color: `var(--c${j + 1})`,
      drag: (x, y, gesture) => moveSigma(j, Math.abs(x - shown.hardCurves.means[j]), gesture),
      keys: (dx, dy, gesture) => moveSigma(j, shown.hardCurves.sigmas[j] + 0.25 * (dx + dy), gesture),
    }),
  }));
  // The point below the line that a pointer means, if any.
  function under(event) {
    const [px, py] = rows.hard.position(event);
    if (py < rows.hard.y(0) + 3) return null;
    const distances = points.map((x) => Math.abs(rows.hard.x(x) - px));
    const least = Math.min(...distances);
    return least <= 22 ? distances.indexOf(least) : null;
  }
  // A click gives a point a label; with a brush in hand, every point that it is drawn over, in one gesture.
  let brush = null;
  let stroke = null;
  const paintLabel = (event) => {
    const i = under(event);
    if (stroke && i !== null && shown.labels[i] !== brush) give(i, brush, stroke);
  };
  rows.hard.svg.addEventListener("click", (event) => brush === null && under(event) !== null && give(under(event)));
  rows.hard.svg.addEventListener("pointerdown", (event) => {
    if (brush === null || event.button !== 0 || under(event) === null) return;
    stroke = ex.gesture();
    paintLabel(event);
  });
  rows.hard.svg.addEventListener("pointermove", paintLabel);
  for (const end of ["pointerup", "pointercancel", "pointerleave"]) rows.hard.svg.addEventListener(end, () => (stroke = null));
  const brushes = [1, 2].map((j) => button(t("brush", { j }), () => hold(brush === j ? null : j)));
  function hold(j) {
    brush = j;
    brushes.forEach((each, n) => setPressed(each, n + 1 === j));
    ex.tell(t(j === null ? "brush-down" : "brush-held", { j }));
  }
  brushes.forEach((each) => setPressed(each, false));

  // -- the controls

  const chips = points.map((x, i) => {
    const label = h("span", { class: "gmm-chip-label" });
    const chip = h("button", { type: "button", class: "gmm-button gmm-chip", onclick: () => give(i, brush) }, h("span", {}, formatNumber(x)), label);
    chip.addEventListener("keydown", (event) => {
      const wanted = { 1: 1, 2: 2, 0: 0, Delete: 0, Backspace: 0 }[event.key];
      if (wanted !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) give(i, wanted);
    });
    return { chip, label };
  });
  const table = h("table", { class: "gmm-curves" });
  const strip = h("div", { class: "gmm-chips", role: "group", "aria-label": t("points") }, ...chips.map(({ chip }) => chip));
  ex.plots.append(h("div", { class: "gmm-labelling" }, strip, table));

  const label = button(t("label"), () => stepLabel());
  const refit = button(t("refit"), () => stepRefit());
  const player = ex.player({ interval: 800, step: (gesture) => advance(gesture) });
  ex.next = () => (ex.state.half === "m" ? stepLabel() : stepRefit());
  const iteration = slider({
    label: t("round"),
    min: 0,
    max: 12,
    oninput: (wanted, gesture) => {
      const reach = furthest(wanted);
      ex.change({ iteration: reach, half: "e" }, { gesture });
      if (reach < wanted) iteration.set(reach);
    },
  });
  const back = button(t("start"), () => ex.change({ ...origin, labels: points.map(() => 0), iteration: 0, half: "m" }));
  const ddof = select({
    label: t("divide"),
    options: [[0, "1/m"], [1, "1/(m−1)"]],
    value: ex.state.ddof,
    onchange: (value) => ex.change({ ddof: value }),
  });
  const shares = checkbox({ label: t("shares"), onchange: (on) => ex.change({ shares: on }) });
  const soft = checkbox({ label: t("show-soft"), onchange: (on) => ex.change({ soft: on }) });
  ex.controls.append(
    row(...brushes, label, refit, back, ...player.controls, iteration),
    row(ddof, shares, soft),
    ex.stateRow(),
    ex.parts([
      {
        caption: t("points-table"),
        head: () => ["x", t("label-column"), ...(ex.state.soft ? [t("share-column")] : [])],
        rows: () => points.map((x, i) => [formatNumber(x), shown.labels[i] || "–", ...(ex.state.soft ? [shown.shares ? shown.shares[2 * i].toFixed(4) : "–"] : [])]),
      },
    ]),
  );

  // -- what the reader does

  function valid(state) {
    const numbers = (list, n, [low, high]) => Array.isArray(list) && list.length === n && list.every((v) => Number.isFinite(v) && v >= low && v <= high);
    const sound =
      numbers(state.labels, m, [0, 2]) && state.labels.every(Number.isInteger) &&
      numbers(state.weights, 2, [1e-9, 1]) && Math.abs(state.weights[0] + state.weights[1] - 1) < 1e-8 &&
      numbers(state.means, 2, LABELS_RANGE) && numbers(state.sigmas, 2, LABELS_SPREADS) &&
      Number.isInteger(state.iteration) && state.iteration >= 0 && state.iteration <= LABELS_MOST &&
      ["m", "e"].includes(state.half) && [0, 1].includes(state.ddof) &&
      typeof state.shares === "boolean" && typeof state.soft === "boolean";
    return sound ? null : t("bad-link");
  }

  // The present curves as a new start: what a hand takes hold of begins both loops anew.
  const asStart = () => (ex.state.iteration ? { ...shown.hardCurves } : { weights: ex.state.weights, means: ex.state.means, sigmas: ex.state.sigmas });

  function give(i, wanted = null, gesture = null) {
    const now = shown.labels[i];
    const to = wanted ?? (now === 0 ? lastGiven : 3 - now);
    if (to) lastGiven = to;
    ex.stopPlaying();
    ex.change({ ...asStart(), labels: shown.labels.map((old, n) => (n === i ? to : old)), iteration: 0, half: "m" }, { gesture });
  }

  function moveCurve(j, name, value, gesture) {
    const start = asStart();
    const labels = ex.state.iteration || ex.state.half === "e" ? points.map(() => 0) : ex.state.labels;
    ex.change({ ...start, [name]: Array.from(start[name], (old, l) => (l === j ? value : old)), labels, iteration: 0, half: "m" }, { gesture });
  }

  function moveSigma(j, wanted, gesture) {
    moveCurve(j, "sigmas", clamp(Math.round(wanted * 100) / 100, 0.3, LABELS_SPREADS[1]), gesture);
  }

  function stepLabel() {
    if (ex.state.half === "e") ex.tell(t("label-again"));
    else ex.change({ half: "e" });
  }

  // How far a loop can go towards iteration `wanted`; soft labels may go on where hard ones cannot.
  function furthest(wanted) {
    const { hard, em } = loops(ex.state);
    for (const loop of [hard, em]) loop.at(wanted);
    const last = Math.max(hard.states.length, ex.state.soft ? em.states.length : 0) - 1;
    return Math.min(wanted, last, LABELS_MOST);
  }

  function stepRefit(gesture = null) {
    const { state } = ex;
    if (state.half === "e") {
      if (furthest(state.iteration + 1) > state.iteration) return ex.change({ iteration: state.iteration + 1, half: "m" }, { gesture, animate: true });
      const { failure } = loops(state).hard;
      ex.tell(failure ? degenerate(failure) : t("far-enough"));
      return false;
    }
    if (state.iteration) return ex.tell(t("refit-again"));
    if (!state.labels.some((given) => given)) return ex.tell(t("no-labels"));
    return unlessDegenerate(() => ex.change(parts(refitLabels(points, state.labels, state.ddof, state.shares))), (error) => ex.tell(degenerate(error)));
  }
  const degenerate = ({ component, reason }) => t("degenerate", { j: component + 1, why: t(`degenerate-${reason}`) });

  // One half step of Play; over when nothing moves any more.
  function advance(gesture) {
    if (ex.state.half === "m") ex.change({ half: "e" }, { gesture, animate: true });
    else if (stepRefit(gesture) === false) return false;
    const { em } = loops(ex.state);
    const settled = em.failure || (em.states.length > 1 && ex.state.iteration > 0 && em.at(ex.state.iteration).logLikelihood - em.at(ex.state.iteration - 1).logLikelihood < 1e-6);
    return !(shown.resting && (!ex.state.soft || settled)) && ex.state.iteration < LABELS_MOST;
  }

  // -- drawing

  let shown = view(ex.state);
  /** @type {Record<"hard" | "em", Record<string, number[]>>} */
  let curves = { hard: shown.hardCurves, em: shown.emCurves };

  function draw(state, before, { animate }) {
    if (before === state && ex.moving()) return; // the next frame draws at the new size
    const from = curves;
    shown = view(state);
    const to = { hard: shown.hardCurves, em: shown.emCurves };
    if (rows.em.element.hidden === state.soft) {
      rows.em.element.hidden = !state.soft;
      for (const measure of ex.redraws) measure(); // it has a size only now
    }
    write(state);
    if (!animate || before === state) {
      ex.stopTween();
      curves = to;
      paint();
      return;
    }
    const between = (a, b, f) => Object.fromEntries(Object.keys(a).map((name) => [name, a[name].map((value, j) => value + f * (b[name][j] - value))]));
    ex.tween(450, (f) => {
      curves = { hard: between(from.hard, to.hard, f), em: between(from.em, to.em, f) };
      paint();
    });
  }

  const density = (which, j, x) => {
    const { weights, means, sigmas } = curves[which];
    // Without shares the label goes to the higher curve: draw those.
    const weight = which === "em" || ex.state.shares ? weights[j] : 1;
    return (weight / (sigmas[j] * Math.sqrt(2 * Math.PI))) * Math.exp(-(((x - means[j]) / sigmas[j]) ** 2) / 2);
  };

  function paint() {
    for (const which of ex.state.soft ? ["hard", "em"] : ["hard"]) {
      const plot = rows[which];
      const { means, sigmas } = curves[which];
      const peaks = [0, 1].map((j) => density(which, j, means[j]));
      const top = 1.1 * Math.max(...peaks);
      plot.domain({ y: [(-BAND * top) / (plot.height - BAND), top] });
      plot.mark("zero", "line", { class: "gmm-zero", x1: 0, x2: plot.width, y1: plot.y(0), y2: plot.y(0) }, plot.under);
      for (const j of [0, 1]) {
        const xs = samples(LABELS_RANGE, [[means[j], sigmas[j]]], 40);
        const ys = xs.map((x) => density(which, j, x));
        const style = `--knob: var(--c${j + 1})`;
        plot.line(`fill-${j}`, [LABELS_RANGE[0], ...xs, LABELS_RANGE[1]], [0, ...ys, 0], { class: "gmm-fill", style });
        plot.line(`curve-${j}`, xs, ys, { class: "gmm-component", style, "stroke-dasharray": j ? dash(j) : null });
      }
      plot.paint();
      if (which === "em") continue;
      for (const j of [0, 1]) {
        // High enough above the points that a finger can tell them apart.
        const px = (x, y) => [plot.x(x), Math.min(plot.y(y), plot.y(0) - 26)];
        const at = clamp(means[j], ...LABELS_RANGE);
        const side = means[j] + sigmas[j] <= LABELS_RANGE[1] ? means[j] + sigmas[j] : Math.max(means[j] - sigmas[j], LABELS_RANGE[0]);
        knobs[j].mean.place(at, peaks[j], { min: LABELS_RANGE[0], max: LABELS_RANGE[1], px: px(at, peaks[j]) });
        knobs[j].sigma.place(side, density(which, j, side), { now: sigmas[j], min: 0.3, max: LABELS_SPREADS[1], px: px(side, density(which, j, side)) });
      }
    }
  }

  // Below the line: the points in the colors of their labels, and which curve would win where.
  function paintBand(context, plot, which) {
    const base = plot.y(0);
    const hard = which === "hard";
    for (let px = 0; px < plot.width; px += 2) {
      const x = plot.toX(px + 1);
      const [one, two] = [0, 1].map((j) => {
        const { weights, means, sigmas } = curves[which];
        return (hard && !ex.state.shares ? 0 : Math.log(weights[j])) - Math.log(sigmas[j]) - ((x - means[j]) / sigmas[j]) ** 2 / 2;
      });
      const share = hard ? Number(one >= two) : 1 / (1 + Math.exp(two - one));
      context.fillStyle = ex.mix([share, 1 - share], 2);
      context.globalAlpha = 0.55;
      context.fillRect(px, base + BAND - 13, Math.min(2, plot.width - px), 11);
    }
    context.globalAlpha = 1;
    const r = plot.width < 480 ? 5 : 7;
    points.forEach((x, i) => {
      const given = hard ? shown.labels[i] : 0;
      const likelier = shown.shares && shown.shares[2 * i] < 0.5 ? 1 : 0;
      context.beginPath();
      markPath(context, hard ? Math.max(given - 1, 0) : likelier, plot.x(x), base + 17, r);
      context.fillStyle = hard ? ex.color(given ? `c${given}` : "unknown") : shown.shares ? ex.mix(shown.shares, 2, 2 * i) : ex.color("unknown");
      context.fill();
      context.strokeStyle = ex.color("surface");
      context.lineWidth = 1.5;
      context.stroke();
    });
  }

  function write(state) {
    const { hard, em } = shown;
    chips.forEach(({ chip, label: text }, i) => {
      const given = shown.labels[i];
      text.textContent = given || "?";
      setAttribute(chip, "data-label", given || null);
      setAttribute(chip, "aria-label", t(given ? "chip" : "chip-none", { x: formatNumber(points[i]), label: given }));
    });
    const cells = (name, curvesOf, plain) =>
      [0, 1].map((j) => h("tr", {}, h("th", { scope: "row", "data-curve": j + 1 }, `${name} ${j + 1}`), ...[plain ? "–" : formatNumber(curvesOf.weights[j], 4), minus(formatNumber(curvesOf.means[j], 5)), formatNumber(curvesOf.sigmas[j], 5)].map((text) => h("td", {}, text))));
    table.replaceChildren(
      h("thead", {}, h("tr", {}, ...[t("curve"), "φ", "μ", "σ"].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...cells(state.soft ? t("hard-curve") : t("curve"), shown.hardCurves, !state.shares), ...(state.soft ? cells(t("em-curve"), shown.emCurves, false) : [])),
    );
    iteration.set(Math.min(state.iteration, LABELS_MOST), { max: Math.max(12, state.iteration) });
    ddof.set(state.ddof);
    shares.set(state.shares);
    soft.set(state.soft);
    const byHand = state.iteration === 0 && state.half === "m" && state.labels.some((given) => given);
    const next = state.half === "e" || (byHand && !fitsHand(state)) ? refit : label;
    for (const each of [label, refit]) setAttribute(each, "data-next", each === next);
    setEnabled(label, state.half === "m");
    setEnabled(refit, state.half === "e" || byHand);

    const list = (values) => JSON.stringify(Array.from(values));
    ex.data({
      iteration: shown.hardIteration,
      half: state.half,
      labels: list(shown.labels),
      ddof: state.ddof,
      shares: String(state.shares),
      fitted: String(byHand && fitsHand(state)),
      resting: String(shown.resting),
      weights: list(hard.mixture.weights),
      means: list(hard.mixture.means),
      variances: list(hard.mixture.covariances),
      "log-likelihood": hard.logLikelihood,
      "complete-log-likelihood": hard.complete,
      soft: String(state.soft),
      "soft-iteration": shown.emIteration,
      "soft-weights": list(em.mixture.weights),
      "soft-means": list(em.mixture.means),
      "soft-variances": list(em.mixture.covariances),
      "soft-log-likelihood": em.logLikelihood,
      "soft-responsibilities": shown.shares ? list(points.map((_, i) => shown.shares[2 * i])) : null,
    });
    tell(state, byHand);
  }

  function tell(state, byHand) {
    const { means, sigmas } = shown.hardCurves;
    const curvesSaid = { a: formatNumber(means[0]), b: formatNumber(means[1]), s: formatNumber(sigmas[0]), u: formatNumber(sigmas[1]), t: shown.hardIteration };
    const said = [];
    if (shown.failure) said.push(degenerate(shown.failure));
    else if (shown.resting) {
      const wrong = mislabelled(shown.labels);
      said.push(t("rests", { t: shown.hardIteration }), wrong.length ? t("wrong", { points: wrong.map((i) => formatNumber(points[i])).join(", ") }) : t("right"));
    } else if (state.half === "e") {
      const turned = points.map((_, i) => i).filter((i) => shown.before[i] && shown.before[i] !== shown.labels[i]);
      said.push(t("labelled", { t: shown.hardIteration, nine: shown.labels[nine], x: formatNumber(points[nine]) }));
      if (turned.length) said.push(t("turned", { points: turned.map((i) => formatNumber(points[i])).join(", ") }));
    } else if (state.iteration) said.push(t("refitted", curvesSaid));
    else if (byHand) said.push(fitsHand(state) ? t("hand-fitted", curvesSaid) : t("hand", { n: state.labels.filter((given) => given).length, m }));
    else said.push(t("begin", curvesSaid));
    if (state.soft) {
      if (shown.shares) said.push(t("soft-said", { x: formatNumber(points[nine]), share: formatPercent(shown.shares[2 * nine]), l: formatFixed(shown.em.logLikelihood, 4) }));
      if (shown.emFailure) said.push(t("soft-degenerate", { j: shown.emFailure.component + 1 }));
    }
    ex.tell(said.join(" "));
  }

  // The points on the wrong side; names are arbitrary, so the naming that fits better counts.
  function mislabelled(labels) {
    const all = points.map((_, i) => i);
    const [plain, swapped] = [all.filter((i) => labels[i] !== truth[i]), all.filter((i) => labels[i] === truth[i])];
    return plain.length <= swapped.length ? plain : swapped;
  }

  return ex.start();
}

export default { render };
