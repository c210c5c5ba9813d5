// Chapter 5's second explorer: ℓ over the two means, and three ways up from one start.
import { checkbox, row, setAttribute, slider } from "./elements.js";
import { explorer, remembered } from "./explorer.js";
import { figure } from "./figure.js";
import { partInside } from "./names.js";
import { clamp, formatFixed, formatNumber, minus } from "./numbers.js";
import { eStep, makeMixture } from "./em.js";
import { levelSegments, sampleGrid, strokeLevels } from "./contours.js";

/** @type {[number, number]} */
const PATHS_DOMAIN = [-2, 32];
const PATHS_GRID = 90;
const PATHS_BASINS = 44;
const PATHS_MOST = 60;
const PATHS_LOST = 1e4; // where gradient ascent is given up for lost: with too large a step it runs away without end
const STEP_SIZES = [0.05, 10]; // the slider is even in the logarithm
const CLIMBERS = ["em", "hard", "gradient"];
const CLIMBER_STYLE = {
  em: { color: "c1", dash: null, end: 5 },
  hard: { color: "c2", dash: "7 4", end: 10 },
  gradient: { color: "c3", dash: "2 4", end: 7.5 },
};

function render({ model, el }) {
  const points = Float64Array.from(model.get("points"));
  const [weights, variances] = [model.get("weights"), model.get("variances")];
  const m = points.length;
  const w = new Float64Array(2 * m);
  const ex = explorer({ model, el, kind: "paths", traits: ["start", "step_size", "iteration", "shown", "basins"], draw, valid });
  const { t } = ex;

  // -- the climbers: only the means move, so that the map has two directions

  const at = ([a, b]) => makeMixture(weights, [[a], [b]], variances.map((v) => [[v]]));
  const height = (means) => eStep(points, m, at(means), w); // leaves the responsibilities in w
  const moves = {
    em(means) {
      height(means);
      return weighted(means, (i, j) => w[2 * i + j]);
    },
    hard(means) {
      height(means);
      return weighted(means, (i, j) => (w[2 * i + j] > w[2 * i + 1 - j] || (j === 0 && w[2 * i] === w[2 * i + 1]) ? 1 : 0));
    },
    gradient(means, size) {
      if (Math.max(...means.map(Math.abs)) > PATHS_LOST) return means;
      height(means);
      return means.map((mu, j) => {
        let slope = 0;
        for (let i = 0; i < m; i += 1) slope += (w[2 * i + j] * (points[i] - mu)) / variances[j];
        return mu + size * slope;
      });
    },
  };
  // The mean of the points under shares; a component that owns nothing stays where it is.
  function weighted(means, share) {
    return means.map((mu, j) => {
      let [count, sum] = [0, 0];
      for (let i = 0; i < m; i += 1) {
        count += share(i, j);
        sum += share(i, j) * points[i];
      }
      return count > 0 ? sum / count : mu;
    });
  }
  const paths = remembered(["start", "step_size"], ({ start, step_size: size }) => {
    const walked = {};
    for (const name of CLIMBERS) {
      walked[name] = [start];
      for (let n = 0; n < PATHS_MOST; n += 1) walked[name].push(moves[name](walked[name][n], size));
    }
    return walked;
  });

  // -- the map

  const levelLines = remembered([], () => {
    const values = sampleGrid((a, b) => height([a, b]), PATHS_DOMAIN, PATHS_DOMAIN, PATHS_GRID);
    const top = values.reduce((a, b) => Math.max(a, b));
    const levels = Array.from({ length: 13 }, (_, i) => top - 0.4 * 1.75 ** i);
    return levels.map((level) => levelSegments(values, PATHS_GRID, level));
  });
  // Where EM ends from a place: 0 where component 1 takes the left group, 1 where it takes the right.
  function basinAt(a, b) {
    let place = [a, b];
    for (let n = 0; n < 200; n += 1) {
      const next = moves.em(place);
      const moved = Math.abs(next[0] - place[0]) + Math.abs(next[1] - place[1]);
      place = next;
      if (moved < 1e-7) break;
    }
    return place[0] < place[1] ? 0 : 1;
  }
  const basinGrid = remembered([], () => sampleGrid(basinAt, PATHS_DOMAIN, PATHS_DOMAIN, PATHS_BASINS));

  // The part of a step that lies on the map: [[a, b], [a, b]], or nothing.
  function onMap(a, b) {
    const [low, high] = PATHS_DOMAIN;
    return partInside([low, low, high, high], a, b)?.map((f) => a.map((v, i) => v + f * (b[i] - v)));
  }
  const isOnMap = (place) => place.every((v) => v >= PATHS_DOMAIN[0] && v <= PATHS_DOMAIN[1]);

  const plot = figure(ex, {
    label: t("plot"),
    x: { label: "μ₁", domain: PATHS_DOMAIN },
    y: { label: "μ₂", domain: PATHS_DOMAIN },
    margin: { top: 30 },
    height: (width) => clamp(0.6 * width, 300, 460),
    paint,
  });
  const trace = figure(ex, {
    label: t("trace"),
    class: "gmm-side",
    x: { label: t("iteration") },
    y: { label: "ℓ" },
    margin: { top: 30 },
    clip: true,
    height: (width) => clamp(0.9 * width, 190, 300),
  });
  const knob = plot.handle({
    label: t("start"),
    text: "",
    shape: "ring",
    step: [0.5, 0.5],
    drag: (a, b, gesture) => ex.change({ start: [a, b].map((v) => clamp(Math.round(v * 100) / 100, ...PATHS_DOMAIN)) }, { gesture }),
  });

  function paint(context) {
    if (ex.state.basins) {
      const values = basinGrid();
      const [wide, tall] = [plot.width / (PATHS_BASINS - 1), plot.height / (PATHS_BASINS - 1)];
      context.globalAlpha = 0.16;
      for (let r = 0; r < PATHS_BASINS; r += 1) {
        for (let c = 0; c < PATHS_BASINS; c += 1) {
          context.fillStyle = ex.color(values[r * PATHS_BASINS + c] ? "c4" : "c6");
          const [left, bottom] = [Math.max(0, (c - 0.5) * wide), Math.max(0, (r - 0.5) * tall)];
          const [right, above] = [Math.min(plot.width, (c + 0.5) * wide), Math.min(plot.height, (r + 0.5) * tall)];
          context.fillRect(left, plot.height - above, right - left, above - bottom);
        }
      }
      context.globalAlpha = 1;
    }
    context.strokeStyle = ex.color("muted");
    context.lineWidth = 1;
    strokeLevels(context, plot, levelLines(), PATHS_GRID, (i) => 0.85 - 0.05 * i);
  }

  // -- controls

  const iteration = slider({ label: t("iteration"), min: 0, max: PATHS_MOST, oninput: (value, gesture) => ex.change({ iteration: value }, { gesture }) });
  const player = ex.player({
    interval: 350,
    end: (gesture) => ex.change({ iteration: PATHS_MOST }, { gesture }),
    step: (gesture) => ex.state.iteration < PATHS_MOST && ex.change({ iteration: ex.state.iteration + 1 }, { gesture }) && ex.state.iteration < PATHS_MOST,
  });
  const sizeAt = (i) => Number((STEP_SIZES[0] * (STEP_SIZES[1] / STEP_SIZES[0]) ** (i / 100)).toPrecision(2));
  const size = slider({
    label: t("step-size"),
    min: 0,
    max: 100,
    format: () => formatNumber(ex.state.step_size),
    oninput: (i, gesture) => ex.change({ step_size: sizeAt(i) }, { gesture }),
  });
  const shown = CLIMBERS.map((name, i) =>
    checkbox({
      label: t(name),
      name: t(name),
      onchange: (on) => ex.change({ shown: CLIMBERS.filter((other, j) => (j === i ? on : ex.state.shown.includes(other))) }),
    }),
  );
  shown.forEach((box, i) => {
    const { color, dash } = CLIMBER_STYLE[CLIMBERS[i]];
    box.style.borderBottom = `3px ${dash === null ? "solid" : dash.startsWith("7") ? "dashed" : "dotted"} var(--${color})`;
  });
  const basins = checkbox({ label: t("basins"), name: t("basins"), onchange: (on) => ex.change({ basins: on }) });
  ex.controls.append(row(...player.controls, iteration, size), row(...shown, basins), ex.stateRow(), ex.parts([
    {
      caption: t("table"),
      head: () => [t("iteration"), ...CLIMBERS.flatMap((name) => [`${t(name)}: μ₁`, "μ₂", "ℓ"])],
      rows: () => Array.from({ length: ex.state.iteration + 1 }, (_, n) => [n, ...CLIMBERS.flatMap((name) => {
        const place = paths(ex.state)[name][n];
        return [...place.map((mu) => formatNumber(mu)), formatFixed(height(place), 2)];
      })]),
    },
    {
      caption: t("map-table"),
      head: () => ["μ₂ \\ μ₁", ...[0, 8, 16, 24, 32].map(String)],
      rows: () => [32, 24, 16, 8, 0].map((b) => [b, ...[0, 8, 16, 24, 32].map((a) => height([a, b]).toFixed(1))]),
    },
  ]));
  ex.next = () => ex.change({ iteration: Math.min(ex.state.iteration + 1, PATHS_MOST) });

  function valid(state) {
    const inside = (v) => Number.isFinite(v) && v >= PATHS_DOMAIN[0] && v <= PATHS_DOMAIN[1];
    const sound =
      Array.isArray(state.start) && state.start.length === 2 && state.start.every(inside) &&
      Number.isFinite(state.step_size) && state.step_size > 0 && state.step_size <= 10 &&
      Number.isInteger(state.iteration) && state.iteration >= 0 && state.iteration <= PATHS_MOST &&
      Array.isArray(state.shown) && state.shown.every((name) => CLIMBERS.includes(name)) &&
      typeof state.basins === "boolean";
    return sound ? null : t("bad-link");
  }

  function draw(state) {
    const found = paths(state);
    const upTo = state.iteration;
    plot.paint();
    const heights = {};
    // The widest end first: all three stay visible where they meet.
    for (const name of ["hard", "gradient", "em"]) {
      const here = state.shown.includes(name);
      const walked = found[name].slice(0, upTo + 1);
      const { color, dash, end } = CLIMBER_STYLE[name];
      heights[name] = walked.map(height);
      const stroke = { fill: "none", stroke: `var(--${color})`, "stroke-width": 2.5, "stroke-dasharray": dash };
      // Of a path that leaves the map, what lies on it is drawn, to the edge.
      const steps = here ? walked.slice(1).map((place, n) => onMap(walked[n], place)).filter(Boolean) : [];
      const d = steps.map((step) => step.map(([a, b], n) => `${n ? "L" : "M"}${plot.x(a).toFixed(1)} ${plot.y(b).toFixed(1)}`).join("")).join("");
      plot.mark(`path-${name}`, "path", here ? { d, ...stroke } : null);
      const stops = here ? walked.filter(isOnMap).map(([a, b]) => `M${(plot.x(a) - 3).toFixed(1)} ${plot.y(b).toFixed(1)}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0`).join("") : null;
      plot.mark(`stops-${name}`, "path", here ? { d: stops, fill: `var(--${color})` } : null);
      const last = walked[walked.length - 1];
      plot.mark(`end-${name}`, "circle", here && isOnMap(last) ? { cx: plot.x(last[0]), cy: plot.y(last[1]), r: end, fill: `var(--${color})`, stroke: "var(--surface)", "stroke-width": 2 } : null, plot.over);
    }
    const visible = CLIMBERS.filter((name) => state.shown.includes(name));
    const all = visible.flatMap((name) => heights[name]);
    const [low, high] = all.length ? [Math.max(Math.min(...all), Math.max(...all) - 200), Math.max(...all)] : [-1, 0];
    const pad = Math.max(0.08 * (high - low), 0.5);
    trace.domain({ x: [0, Math.max(upTo, 8)], y: [low - pad, high + pad] });
    // What has fallen out of the picture is told by its number.
    const lowest = Math.min(0, ...all);
    plot.mark("left", "text", state.basins ? { x: plot.x(7), y: plot.y(29), class: "gmm-name", text: t("basin-left") } : null, plot.over);
    plot.mark("right", "text", state.basins ? { x: plot.x(31), y: plot.y(1), class: "gmm-name", "text-anchor": "end", text: t("basin-right") } : null, plot.over);
    trace.mark("below", "text", all.length && lowest < low ? { x: trace.width, y: trace.height - 6, "text-anchor": "end", class: "gmm-note gmm-name", text: `↓ ${minus(formatFixed(lowest, 0))}` } : null, trace.over);
    for (const name of CLIMBERS) {
      const { color, dash } = CLIMBER_STYLE[name];
      const steps = heights[name].map((_, n) => n);
      trace.line(`trace-${name}`, visible.includes(name) ? steps : null, heights[name], { fill: "none", stroke: `var(--${color})`, "stroke-width": 2.5, "stroke-dasharray": dash });
    }
    knob.place(state.start[0], state.start[1], { now: state.start[0], min: PATHS_DOMAIN[0], max: PATHS_DOMAIN[1], text: t("place", { a: formatNumber(state.start[0]), b: formatNumber(state.start[1]) }) });
    iteration.set(upTo);
    size.set(Math.round((100 * Math.log(state.step_size / STEP_SIZES[0])) / Math.log(STEP_SIZES[1] / STEP_SIZES[0])));
    shown.forEach((box, i) => box.set(state.shown.includes(CLIMBERS[i])));
    basins.set(state.basins);

    const falls = heights.gradient.some((value, n) => n > 0 && value < heights.gradient[n - 1] - 1e-9);
    const [soft, whole] = [found.em[PATHS_MOST], found.hard[PATHS_MOST]];
    const values = {
      iteration: upTo, "step-size": state.step_size, exchanged: String(state.start[0] > state.start[1]), falls: String(falls),
      apart: Math.hypot(soft[0] - whole[0], soft[1] - whole[1]),
    };
    for (const name of CLIMBERS) {
      values[name] = JSON.stringify(found[name][upTo]);
      values[`${name}-log-likelihood`] = heights[name][upTo];
    }
    ex.data(values);
    const told = visible.map((name) => {
      const [a, b] = found[name][upTo];
      return t("told", { who: t(name), a: formatNumber(a, 3), b: formatNumber(b, 3), l: formatFixed(heights[name][upTo], 2) });
    });
    const lost = visible.includes("gradient") && Math.max(...found.gradient[upTo].map(Math.abs)) > PATHS_LOST;
    const fallen = visible.includes("gradient") && falls;
    ex.tell([visible.length ? t("after", { n: upTo }) : t("nobody"), ...told, ...(lost ? [t("lost")] : fallen ? [t("falls")] : [])].join(" "));
    setAttribute(knob.node, "data-start", state.start.join(" "));
  }

  return ex.start();
}

export default { render };
