// Chapter 6's lab: five failures of a mixture fit. Predict, run, diagnose, repair. What is run comes from break_it.py
// (the trait setups); the iterations are computed here.
import { dash } from "./color.js";
import { button, h, put, row, setAttribute, setEnabled, setPressed, slider } from "./elements.js";
import { explorer, remembered } from "./explorer.js";
import { figure } from "./figure.js";
import { clamp, formatNumber, minus, powerOfTen, samples } from "./numbers.js";
import { Trajectory, eStep, logJoint, makeMixture } from "./em.js";

const BREAK_TOP = 0.1; // of the density axis; a spike leaves the picture and its height is told
const BREAK_STRIP = 0.026; // the band below it, where the points are
const BREAK_MATTERS = { collapse: "smallest-variance", symmetric: "gap", far: "log-density", many: "smallest-count", labels: "average" };
// The axis of the number that matters, and a line to hold it against.
const BREAK_AXES = {
  collapse: { y: [-9, 2.6], log: true },
  symmetric: { y: [-1.5, 21], guide: 18.8 },
  far: { y: [-5300, 400], guide: -745 },
  many: { y: [-0.15, 2.9], guide: 1 },
  labels: { y: [0, 31] },
};

// The E step of a first program, on a line: densities as they are. w is filled, and log-likelihood returned; where a
// point has density 0 there is no dividing by it, and the answer is -Infinity.
export function naiveEStep(x, { k, weights, means, covariances }, w) {
  let sum = 0;
  for (let i = 0; i < x.length; i += 1) {
    let density = 0;
    for (let j = 0; j < k; j += 1) {
      const height = Math.exp(-((x[i] - means[j]) ** 2) / (2 * covariances[j])) / Math.sqrt(2 * Math.PI * covariances[j]);
      w[i * k + j] = weights[j] * height;
      density += w[i * k + j];
    }
    if (density === 0) return -Infinity;
    for (let j = 0; j < k; j += 1) w[i * k + j] /= density;
    sum += Math.log(density);
  }
  return sum;
}

// A run from one start: { states: [{mixture, logLikelihood, w}], outcome, component, last }, as break_it.py's Path.
export function breakRun(x, { weights, means, variances }, { prior, naive }, { tolerance, least, most }) {
  const m = x.length;
  const theta = makeMixture(weights, means.map((mean) => [mean]), variances.map((v) => [[v]]));
  const belief = prior && { strength: prior[0], covariance: [prior[1]] };
  const path = new Trajectory({ x, m, d: 1 }, theta, "full", belief);
  const states = [];
  const ended = (outcome, component = null) => ({
    states, outcome, component, last: outcome === "collapse" || outcome === "underflow" ? states.length : states.length - 1,
  });
  let before = -Infinity;
  for (let t = 0; ; t += 1) {
    const found = path.at(t);
    if (!found) return ended("collapse", path.failure.component);
    const { mixture } = found;
    const w = path.responsibilities(t).slice();
    const state = { mixture, w, logLikelihood: found.logLikelihood };
    states.push(state);
    if (naive) {
      state.logLikelihood = naiveEStep(x, mixture, w);
      if (state.logLikelihood === -Infinity) return ended("underflow");
    }
    let objective = state.logLikelihood;
    if (prior) for (const v of mixture.covariances) objective -= (prior[0] / 2) * (Math.log(v) + prior[1] / v);
    if (t >= least && Math.abs(objective - before) < tolerance * m) return ended("converged");
    if (t === most) return ended("most");
    before = objective;
  }
}

// A state with its components numbered from left to right.
export function leftToRight({ mixture, w, logLikelihood }, x) {
  const { k, weights, means, covariances } = mixture;
  const order = Array.from(means.keys()).sort((a, b) => means[a] - means[b]);
  const sorted = makeMixture(order.map((j) => weights[j]), order.map((j) => [means[j]]), order.map((j) => [[covariances[j]]]));
  return { mixture: sorted, logLikelihood, w: w.map((_, at) => w[at - (at % k) + order[at % k]]) };
}

// What is tiny or huge is written with its power of ten.
function signed(value, digits = 4) {
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) return minus(formatNumber(value, digits));
  const power = Math.floor(Math.log10(size));
  return `${minus(formatNumber(value / 10 ** power, digits))} × ${powerOfTen(power)}`;
}

function render({ model, el }) {
  const x = Float64Array.from(model.get("points"));
  const { rules, facts, predictions, happens, runs } = model.get("setups");
  const scenarios = Object.keys(runs);
  const repairsOf = (scenario) => Object.keys(runs[scenario]).filter((name) => name);
  const ex = explorer({ model, el, kind: "break-it", traits: ["scenario", "prediction", "repair", "iteration", "seen", "solved"], draw, valid });
  const { t } = ex;

  // -- the state and what follows

  function valid({ scenario, prediction, repair, iteration, seen, solved }) {
    const sound =
      scenarios.includes(scenario) && ["", ...predictions[scenario]].includes(prediction) && Object.hasOwn(runs[scenario], repair) &&
      Number.isInteger(iteration) && iteration >= 0 && typeof seen === "boolean" && (prediction || (!repair && !iteration && !seen)) &&
      Array.isArray(solved) && solved.every((name) => scenarios.includes(name));
    return sound ? null : t("bad-link");
  }

  const runOf = ({ scenario, repair }) => runs[scenario][repair];
  const pathsOf = remembered(["scenario", "repair"], (state) => runOf(state).starts.map((start) => breakRun(x, start, runOf(state), rules)), true);
  const lastOf = (state) => Math.max(...pathsOf(state).map((path) => path.last));
  function momentsAt(state, iteration) {
    return pathsOf(state).map(({ states }) => {
      const moment = states[Math.min(iteration, states.length - 1)];
      return runOf(state).ordered ? leftToRight(moment, x) : moment;
    });
  }
  const numbersAt = remembered(["scenario", "repair"], (state, iteration) => {
    const moments = momentsAt(state, iteration);
    const { mixture, w, logLikelihood } = moments[0];
    const { k, means, covariances } = mixture;
    const lost = pathsOf(state)[0].outcome === "underflow";
    const counts = Array.from({ length: k }, (_, j) => x.reduce((sum, _value, i) => sum + w[i * k + j], 0));
    const nine = Float64Array.of(rules.point);
    return {
      "log-likelihood": lost && iteration === 0 ? null : logLikelihood,
      "smallest-variance": Math.min(...covariances),
      "smallest-count": lost ? null : Math.min(...counts),
      gap: Math.max(...means) - Math.min(...means),
      "log-density": eStep(nine, 1, mixture, new Float64Array(k)),
      average: moments.reduce((sum, each) => sum + each.mixture.means[0], 0) / moments.length,
    };
  }, true);
  function stageOf(state, ended) {
    if (!state.prediction) return "predict";
    if (!state.repair) return ended ? "diagnose" : "run";
    return ended ? "repaired" : "repair";
  }

  // -- moves

  function choose(scenario) {
    ex.stopPlaying();
    ex.change({ scenario, prediction: "", repair: "", iteration: 0, seen: false }, { animate: false });
  }
  function predict(prediction) {
    if (!ex.state.prediction) ex.change({ prediction });
    else ex.tell(t("stands"));
  }
  function tryRepair(repair) {
    ex.stopPlaying();
    ex.change({ repair, iteration: 0, seen: false }, { animate: false });
  }
  function go(iteration, gesture = null) {
    const { state } = ex;
    if (!state.prediction) {
      ex.tell(t("predict-first"));
      return false;
    }
    const last = lastOf(state);
    const to = clamp(iteration, 0, last);
    const arrived = to === last;
    const whole = arrived && state.repair && runOf(state).verdict === "works";
    const solved = whole && !state.solved.includes(state.scenario) ? [...state.solved, state.scenario] : state.solved;
    return ex.change({ iteration: to, seen: state.seen || arrived, solved }, { gesture, animate: true });
  }

  // -- the picture

  const tabs = scenarios.map((name) => button(t(`scenario-${name}`), () => choose(name)));
  const tabRow = h("div", { class: "gmm-row gmm-tabs", role: "group", "aria-label": t("scenarios") }, ...tabs);
  const steps = [1, 2, 3, 4].map((n) => h("li", {}, t(`step-${n}`)));
  ex.root.prepend(tabRow, h("ol", { class: "gmm-steps", "aria-label": t("steps") }, ...steps));

  const projected = () => ex.root.hasAttribute("data-projector"); // there all is on the screen, with the words
  const heroes = h("div", { class: "gmm-heroes" });
  ex.plots.append(heroes);
  const panels = ["plot", "plot-second"].map((name) =>
    figure(ex, {
      label: t(name),
      parent: heroes,
      x: { label: "x" },
      y: { domain: [-BREAK_STRIP, BREAK_TOP], from: 0, label: "p(x)" },
      margin: { top: 30 },
      height: (w) => (projected() ? 176 : clamp(0.44 * w, 200, 370)),
    }),
  );
  const side = h("div", { class: "gmm-traces" });
  const walking = h("div", { class: "gmm-walk" });
  ex.plots.append(h("div", { class: "gmm-lab" }, heroes, side, walking));
  const small = (label, y, format = formatNumber) =>
    figure(ex, { label: t(label), parent: side, x: { label: t("iteration-axis") }, y: { label: y, format, ticks: 4 }, margin: { top: 44, left: 50 }, height: (w) => (projected() ? 120 : clamp(0.62 * w, 132, 180)) });
  const trace = small("trace", "ℓ");
  const keyTrace = small("key-trace", "", (v) => (BREAK_AXES[ex.state.scenario].log ? powerOfTen(v) : formatNumber(v)));

  function showMixture(plot, { mixture, w }, { lost, failed }, name) {
    const { k, weights, means, covariances } = mixture;
    const sd = (j) => Math.sqrt(covariances[j]);
    // Far means widen the picture; otherwise it stays as it is.
    const reach = Array.from(means, (mean, j) => [mean - 4 * sd(j), mean + 4 * sd(j)]);
    const wide = Math.max(...Array.from(means, Math.abs)) > 60;
    const [low, high] = wide ? [Math.min(...reach.map(([a]) => a)), Math.max(...reach.map(([, b]) => b))] : [-4, 34];
    plot.domain({ x: [low, high] });
    const xs = samples([low, high], Array.from(means, (mean, j) => [mean, sd(j)]));
    const total = new Float64Array(xs.length);
    let tallest = null;
    for (let j = 0; j < k; j += 1) {
      const ys = xs.map((_, i) => Math.exp(logJoint(mixture, j, xs, i)));
      ys.forEach((value, i) => (total[i] += value));
      const style = `--knob: var(--c${j + 1})`;
      plot.line(`fill ${j}`, [low, ...xs, high], [0, ...ys, 0], { class: "gmm-fill", style }, plot.under);
      plot.line(`curve ${j}`, xs, ys, { class: "gmm-component", "stroke-dasharray": dash(j), style });
      const peak = weights[j] / Math.sqrt(2 * Math.PI * covariances[j]);
      if (peak > BREAK_TOP && (!tallest || peak > tallest.peak)) tallest = { peak, mean: means[j] };
    }
    plot.line("density", xs, total, { class: "gmm-density" });
    plot.mark("base", "path", { d: `M0 ${plot.y(0)}H${plot.width}`, class: "gmm-zero" });
    // A spike that leaves the picture tells its height.
    const spot = tallest && plot.x(tallest.mean);
    const left = tallest && spot > plot.width - 90;
    plot.mark("peak", "text", tallest ? { x: spot + (left ? -8 : 8), y: -8, text: `↑ ${signed(tallest.peak, 3)}`, fill: "var(--ink)", "font-size": 13, "text-anchor": left ? "end" : "start" } : null, plot.over);
    plot.mark("name", "text", name ? { x: plot.width, y: -12, text: name, fill: "var(--ink)", "font-size": 14, "font-weight": 600, "text-anchor": "end" } : null, plot.over);

    // Who owns each point: its bar, cut by the responsibilities; an empty frame where there are none.
    const [top, bottom] = [plot.y(0) + 5, plot.height - 3];
    const width = clamp(0.72 * (plot.x(1) - plot.x(0)), 2, 13);
    for (let i = 0; i < x.length; i += 1) {
      const px = plot.x(x[i]) - width / 2;
      let y = bottom;
      for (let j = 0; j < k && !lost; j += 1) {
        const tall = (bottom - top) * w[i * k + j];
        y -= tall;
        plot.mark(`share ${i} ${j}`, "rect", { x: px.toFixed(2), y: y.toFixed(2), width: width.toFixed(2), height: Math.max(tall, 0).toFixed(2), fill: `var(--c${j + 1})` });
      }
      plot.mark(`frame ${i}`, "rect", { x: px.toFixed(2), y: top, width: width.toFixed(2), height: bottom - top, rx: Math.min(2, width / 2), fill: "none", stroke: lost ? "var(--ink)" : "var(--surface)", "stroke-dasharray": lost ? "2 2" : null });
    }
    plot.mark("nothing", "text", failed ? { x: plot.x((x[0] + x[x.length - 1]) / 2), y: plot.y(0) - 14, text: "0 / 0", fill: "var(--ink)", "font-size": 15, "font-weight": 600, "text-anchor": "middle" } : null, plot.over);
    // The numbers of the components stand at their means; where these meet, side by side.
    const order = Array.from(means.keys()).sort((a, b) => means[a] - means[b] || a - b);
    const places = order.map((j) => plot.x(means[j]));
    for (let pass = 0; pass < 12; pass += 1) {
      for (let n = 1; n < k; n += 1) {
        const short = 22 * plot.unit - (places[n] - places[n - 1]);
        if (short > 0.01) {
          places[n] += short / 2;
          places[n - 1] -= short / 2;
        }
      }
    }
    order.forEach((j, n) => {
      const [cx, cy] = [clamp(places[n], 0, plot.width), plot.y(0) - 14 * plot.unit];
      plot.mark(`disk ${j}`, "circle", { cx, cy, r: 10 * plot.unit, fill: `var(--c${j + 1})`, stroke: "var(--surface)", "stroke-width": 2 }, plot.over);
      plot.mark(`number ${j}`, "text", { x: cx, y: cy, dy: "0.35em", text: String(j + 1), class: "gmm-disk-number", "text-anchor": "middle" }, plot.over);
    });
    plot.sweep();
  }

  // One number by iteration, from each start; `broken` is the direction in which it leaves for ever.
  function showTrace(plot, lists, { domain, guide = null, broken = 0, upTo, value }) {
    plot.domain({ x: [0, Math.max(upTo, 5) + 0.3], y: domain });
    lists.forEach((list, n) => {
      const end = list.length - 1;
      if (end < 0) return;
      const inside = list.map((v) => clamp(v, ...domain));
      const iterations = list.map((_, i) => i);
      plot.line(`line ${n}`, iterations, inside, { class: "gmm-trace-line", "stroke-dasharray": n ? "5 4" : null });
      const [px, py] = [plot.x(end), plot.y(inside[end])];
      plot.mark(`here ${n}`, "circle", { cx: px, cy: py, r: 5, class: "gmm-trace-here" }, plot.over);
      if (broken) {
        const to = broken > 0 ? 2 : plot.height - 2;
        const nextX = plot.x(end + 1);
        const d = `M${px} ${py}L${nextX} ${to}M${nextX - 5} ${to + 9 * broken}L${nextX} ${to}L${nextX + 5} ${to + 9 * broken}`;
        plot.mark(`end ${n}`, "path", { d, fill: "none", stroke: "var(--warn-line)", "stroke-width": 2.5 }, plot.over);
      }
    });
    // A start far below the axis is not drawn on it as if it were there: its value is told.
    const below = lists[0]?.[0] < domain[0];
    plot.mark("below", "text", below ? { x: 10, y: plot.height - 6, text: `↓ ${signed(Number(lists[0][0].toFixed(2)), 7)}`, class: "gmm-trace-below" } : null, plot.over);
    plot.mark("guide", "path", guide === null ? null : { d: `M0 ${plot.y(guide)}H${plot.width}`, stroke: "var(--muted)", "stroke-dasharray": "2 4" }, plot.under);
    plot.mark("value", "text", { x: plot.width, y: -9, text: value, fill: "var(--ink)", "font-size": 14, "font-weight": 600, "text-anchor": "end" }, plot.over);
    plot.sweep();
  }

  // -- the four steps in words

  const say = (className) => h("p", { class: className });
  const question = say("gmm-question");
  const options = h("div", { class: "gmm-row gmm-options", role: "group", "aria-label": t("your-prediction") });
  const compared = say("gmm-compared");
  const diagnosis = say("gmm-diagnosis");
  const lead = say("gmm-question");
  const repairs = h("div", { class: "gmm-row gmm-options", role: "group", "aria-label": t("repairs") });
  const how = say("gmm-how");
  const verdict = say("gmm-diagnosis");
  let madeFor = null;
  function makeButtons(scenario) {
    if (madeFor === scenario) return;
    madeFor = scenario;
    options.replaceChildren(...predictions[scenario].map((name) => button(t(`predict-${name}`), () => predict(name))));
    repairs.replaceChildren(...repairsOf(scenario).map((name) => button(t(`repair-${scenario}-${name}`), () => tryRepair(name))));
  }

  let playing = null; // the gesture of the run under way: its first move starts a run that has ended from its beginning
  const player = ex.player({
    interval: 650,
    end: (gesture) => go(lastOf(ex.state), gesture),
    step: (gesture) => {
      const last = lastOf(ex.state);
      const first = playing !== gesture;
      playing = gesture;
      if (first && ex.state.prediction && ex.state.iteration >= last) return go(0, gesture);
      // A long run is shown in strides, so that none takes longer than a few breaths.
      const stride = ex.state.iteration < 10 ? 1 : Math.ceil((last - 10) / 12);
      return go(ex.state.iteration + stride, gesture) && ex.state.iteration < last;
    },
  });
  const step = button(t("step"), () => {
    if (ex.state.prediction && ex.state.iteration >= lastOf(ex.state)) ex.tell(t("at-end"));
    else go(ex.state.iteration + 1);
  });
  const walk = slider({ label: t("walk"), min: 0, max: 1, oninput: (value, gesture) => go(value, gesture) });
  ex.next = () => (!ex.state.prediction || ex.state.iteration < lastOf(ex.state) ? go(ex.state.iteration + 1) : ex.tell(t("at-end")));
  // What comes of a run is announced when it comes.
  const outcome = h("div", { class: "gmm-outcome", "aria-live": "polite" }, compared, diagnosis, how, verdict);
  const panel = h("div", { class: "gmm-panel" }, question, options, outcome, lead, repairs);
  walking.append(walk);
  ex.plots.append(panel);
  ex.controls.append(row(...player.controls, step, ex.undoButton(), ex.resetButton(), ex.linkButton(), ex.projectorButton()), ex.parts([
    { caption: t("responsibilities"), head: () => [t("run-column"), "x", ...Array.from(shownMoments()[0].mixture.means, (_, j) => `w${"₁₂₃₄₅"[j]}`)], rows: shareRows },
    { caption: t("parameters"), head: () => [t("run-column"), t("component-column"), "φ", "μ", "σ²"], rows: parameterRows },
    { caption: t("traces"), head: () => [t("iteration-axis"), "ℓ", t(`axis-${ex.state.scenario}`)], rows: traceRows },
  ]));

  // What the pictures show, as numbers.
  const shownMoments = () => momentsAt(ex.state, Math.min(ex.state.iteration, lastOf(ex.state)));
  const runName = (n) => (shownMoments().length === 1 ? "" : t(n ? "run-b" : "run-a"));
  function shareRows() {
    if (pathsOf(ex.state)[0].outcome === "underflow") return [];
    return shownMoments().flatMap(({ w, mixture: { k } }, n) => Array.from(x, (value, i) => [runName(n), formatNumber(value), ...Array.from(w.subarray(i * k, i * k + k), (share) => share.toFixed(4))]));
  }
  function parameterRows() {
    return shownMoments().flatMap(({ mixture: { weights, means, covariances } }, n) => Array.from(weights, (phi, j) => [runName(n), j + 1, formatNumber(phi), formatNumber(means[j]), signed(covariances[j])]));
  }
  function traceRows() {
    const shown = Math.min(ex.state.iteration, lastOf(ex.state));
    return Array.from({ length: shown + 1 }, (_, n) => {
      const numbers = numbersAt(ex.state, n);
      return [n, height(numbers["log-likelihood"]), signed(numbers[BREAK_MATTERS[ex.state.scenario]])];
    });
  }

  // -- drawing

  const height = (value) => (value === null ? t("unknown") : value === -Infinity ? "−∞" : minus(value.toFixed(2)));

  // What the texts are filled with: the numbers of a whole run.
  function filled(state) {
    const paths = pathsOf(state);
    const last = lastOf(state);
    const numbers = numbersAt(state, last);
    const [one, two = one] = momentsAt(state, last);
    return {
      t: last,
      l: height(numbers["log-likelihood"]),
      first: height(numbersAt(state, 0)["log-likelihood"]),
      loss: signed(facts.good - numbers["log-likelihood"], 2),
      v: signed(numbers[BREAK_MATTERS[state.scenario]]),
      n: (paths[0].component ?? 0) + 1,
      var: signed(numbers["smallest-variance"]),
      count: numbers["smallest-count"] === null ? t("unknown") : formatNumber(numbers["smallest-count"], 2),
      gap: signed(numbers.gap, 3),
      avg: signed(numbers.average),
      a: signed(one.mixture.means[0], 3),
      b: signed(two.mixture.means[0], 3),
      good: height(facts.good),
      spike2: facts["spike-2"].toFixed(1),
      spike4: facts["spike-4"].toFixed(1),
    };
  }

  function draw(state, before, { animate }) {
    const { scenario, prediction, repair } = state;
    const paths = pathsOf(state);
    const last = lastOf(state);
    const shown = Math.min(state.iteration, last);
    const ended = state.seen || shown === last;
    const stage = stageOf(state, ended);
    const numbers = numbersAt(state, shown);
    const moments = momentsAt(state, shown);
    const broken = shown === last && ["collapse", "underflow"].includes(paths[0].outcome);
    const lost = paths[0].outcome === "underflow";
    const matter = BREAK_MATTERS[scenario];

    // The picture; between two iterations of one run the curves move, the responsibilities change at once.
    if (panels[1].element.hidden !== (moments.length === 1)) {
      panels[1].element.hidden = moments.length === 1;
      for (const measure of ex.redraws) measure(); // it has a size only now
    }
    const names = moments.length === 1 ? [null] : [t("run-a"), t("run-b")];
    const from = animate && before !== state && before.scenario === scenario && before.repair === repair ? momentsAt(before, Math.min(before.iteration, last)) : moments;
    const between = (a, b, f) => {
      if (f === 1 || a === b) return b;
      const mixed = (one, two) => Array.from(two, (v, j) => one[j] + (v - one[j]) * f);
      const logs = mixed(a.mixture.covariances.map(Math.log), b.mixture.covariances.map(Math.log)).map(Math.exp);
      return { w: b.w, mixture: makeMixture(mixed(a.mixture.weights, b.mixture.weights), mixed(a.mixture.means, b.mixture.means).map((v) => [v]), logs.map((v) => [[v]])) };
    };
    const same = from.every((each, n) => each === moments[n]);
    ex.tween(same ? 0 : 350, (f) => moments.forEach((each, n) => showMixture(panels[n], between(from[n], each, f), { lost, failed: lost && broken }, names[n])));

    // The two numbers, from the start to where the reader is.
    const untilOf = (path) => Math.min(shown, path.states.length - 1);
    const listed = paths.map((path) => (lost ? [] : path.states.slice(0, untilOf(path) + 1).map((each) => each.logLikelihood)));
    const top = Math.max(facts.good + 3, ...listed.flat().map((v) => v + 3));
    showTrace(trace, listed, { domain: [facts.good - 8, top], guide: facts.good, broken: broken && !lost ? 1 : 0, upTo: shown, value: numbers["log-likelihood"] === null ? "" : height(numbers["log-likelihood"]) });
    const axis = BREAK_AXES[scenario];
    const scaled = (v) => (axis.log ? Math.log10(v) : v);
    const series = paths.map((path, n) =>
      Array.from({ length: untilOf(path) + 1 }, (_, i) => scaled(scenario === "labels" ? momentsAt(state, i)[n].mixture.means[0] : numbersAt(state, i)[matter])),
    );
    keyTrace.labels(t("iteration-axis"), t(`axis-${scenario}`));
    showTrace(keyTrace, series, { domain: axis.y, guide: axis.guide ?? null, broken: broken && axis.log ? -1 : 0, upTo: shown, value: t(`value-${scenario}`, { v: signed(numbers[matter]) }) });

    // Where the reader is.
    const at = { predict: 1, run: 2, diagnose: 3, repair: 4, repaired: 4 }[stage];
    steps.forEach((item, n) => {
      setAttribute(item, "aria-current", n + 1 === at ? "step" : null);
      setAttribute(item, "data-done", n + 1 < at || (stage === "repaired" && n === 3 && runOf(state).verdict !== "fails"));
    });
    tabs.forEach((tab, n) => {
      const name = t(`scenario-${scenarios[n]}`);
      const done = state.solved.includes(scenarios[n]);
      setPressed(tab, scenarios[n] === scenario);
      tab.textContent = done ? `${name} ✓` : name;
      setAttribute(tab, "aria-label", done ? t("repaired-name", { name }) : null);
    });
    makeButtons(scenario);
    put(question, at <= 2 ? t(`question-${scenario}`) : "");
    options.hidden = at > 2;
    predictions[scenario].forEach((name, n) => {
      setPressed(options.children[n], name === prediction);
      setEnabled(options.children[n], !prediction || name === prediction);
    });
    const failure = filled({ scenario, repair: "" });
    put(compared, at === 3 ? t("you-said", { what: t(`predict-${prediction}`), said: t(`said-${prediction}`) }) : "");
    setAttribute(compared, "data-right", prediction === happens[scenario]);
    put(diagnosis, at === 3 ? t(`diagnosis-${scenario}`, failure) : "");
    put(lead, at < 3 || stage === "repair" ? "" : stage === "diagnose" ? t("repairs") : t("others"));
    repairs.hidden = at < 3;
    repairsOf(scenario).forEach((name, n) => setPressed(repairs.children[n], name === repair));
    put(how, stage === "repair" ? t(`how-${scenario}-${repair}`) : "");
    put(verdict, stage === "repaired" ? t(`verdict-${scenario}-${repair}`, filled(state)) : "");
    setAttribute(verdict, "data-verdict", runOf(state).verdict || null);

    setEnabled(player.button, Boolean(prediction));
    setEnabled(step, Boolean(prediction) && shown < last);
    walk.hidden = !ended || !prediction;
    walk.set(shown, { max: last });

    const outcome = shown === last ? paths[0].outcome : "";
    const words = { t: shown, l: height(numbers["log-likelihood"]), number: t(`key-${scenario}`, { v: signed(numbers[matter]) }) };
    const list = (name) => moments.map((each) => JSON.stringify(Array.from(each.mixture[name])));
    const shares = moments.map(({ w, mixture: { k } }) => JSON.stringify(Array.from(x, (_, i) => Array.from(w.subarray(i * k, (i + 1) * k)))));
    ex.data({
      scenario, stage, prediction, repair, iteration: shown, last: ended ? last : null, outcome,
      ...numbers,
      weights: list("weights")[0], means: list("means")[0], variances: list("covariances")[0],
      responsibilities: lost ? null : shares[0],
      "second-means": list("means")[1] ?? null,
      "second-responsibilities": shares[1] ?? null,
      "second-log-likelihood": moments[1]?.logLikelihood ?? null,
      right: ended && prediction ? String(prediction === happens[scenario]) : null,
      verdict: stage === "repaired" ? runOf(state).verdict : null,
      good: facts.good,
      solved: state.solved.length,
    });
    if (stage === "predict") ex.tell(t("status-predict", words));
    else if (outcome) ex.tell(t("status-end", { ...words, outcome: t(`outcome-${outcome}`, { n: paths[0].component + 1 }) }));
    else ex.tell(t("status", words));
  }

  return ex.start();
}

export default { render };
