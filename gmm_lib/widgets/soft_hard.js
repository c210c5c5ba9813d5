// Chapter 6's explorer: one slider, the variance of equal round components, from soft responsibilities to k-means.
import { markPath } from "./color.js";
import { button, checkbox, row, setEnabled, slider } from "./elements.js";
import { explorer, remembered } from "./explorer.js";
import { figure } from "./figure.js";
import { clamp, formatNumber, formatPercent } from "./numbers.js";
import { eStep, flatten, makeMixture, moments } from "./em.js";

const SOFT_RANGE = [1e-3, 1e4];
const SOFT_DECADES = Math.log10(SOFT_RANGE[1] / SOFT_RANGE[0]);
const SOFT_STEPS = 40 * SOFT_DECADES; // of the slider
const SOFT_DECIDED = 0.99;
const SOFT_NEAR = 0.002;
const SOFT_MOVES = 5000; // the most on the way to the end
const SOFT_POWERS = Array.from({ length: 71 }, (_, n) => -3 + n / 10); // of ten: the variances of the small picture
const SOFT_STRIP = -0.13; // where the means stand below the shares of one feature

function render({ model, el }) {
  const sets = model.get("datasets");
  const ex = explorer({ model, el, kind: "soft-hard", traits: ["data", "variance", "start", "means"], draw, valid });
  const { t } = ex;

  // -- numbers: the E step is em.js's; of the M step only the means are taken

  const known = {};
  function dataOf(name) {
    if (!known[name]) {
      const data = flatten(sets[name].points);
      const { x, m, d } = data;
      const mean = Array.from({ length: d }, (_, a) => sum(m, (i) => x[i * d + a]) / m);
      const all = sum(m * d, (c) => x[c]) / (m * d);
      data.sd = Math.sqrt(sum(m * d, (c) => (x[c] - all) ** 2) / (m * d));
      data.low = mean.map((_, a) => least(m, (i) => x[i * d + a]));
      data.high = mean.map((_, a) => -least(m, (i) => -x[i * d + a]));
      data.k = sets[name].means.length;
      data.w = new Float64Array(m * data.k);
      known[name] = data;
    }
    return known[name];
  }
  function sum(n, f) {
    let total = 0;
    for (let i = 0; i < n; i += 1) total += f(i);
    return total;
  }
  function least(n, f) {
    let low = Infinity;
    for (let i = 0; i < n; i += 1) low = Math.min(low, f(i));
    return low;
  }
  function mixtureAt({ means }, epsilon) {
    const d = means[0].length;
    const sphere = Array.from({ length: d }, (_, a) => Array.from({ length: d }, (_, b) => (a === b ? epsilon : 0)));
    return makeMixture(means.map(() => 1 / means.length), means, means.map(() => sphere));
  }
  function entropyOf(w) {
    let total = 0;
    for (const share of w) if (share > 0) total -= share * Math.log(share);
    return total;
  }
  const uncertainty = (state, epsilon) => {
    const { x, m, k } = dataOf(state.data);
    const w = new Float64Array(m * k);
    eStep(x, m, mixtureAt(state, epsilon), w);
    return entropyOf(w);
  };
  // One EM step on the means; a component that owns nothing stays where it is.
  function moved(state) {
    const { x, m, d, k, w } = dataOf(state.data);
    eStep(x, m, mixtureAt(state, state.variance), w);
    const { counts, means } = moments(x, m, w, k, d);
    return state.means.map((old, j) => (counts[j] > 0 ? Array.from(means.subarray(j * d, (j + 1) * d)) : old));
  }
  function squaresTo({ x, d }, i, means) {
    return means.map((mean) => mean.reduce((total, mu, a) => total + (x[i * d + a] - mu) ** 2, 0));
  }
  const smallestOf = (values) => values.indexOf(Math.min(...values));
  // Where k-means ends from the start; null where a center is left without points.
  function kmeansFrom(data, start) {
    const { x, m, d, k } = data;
    let centers = start;
    let labels = null;
    for (;;) {
      const now = Array.from({ length: m }, (_, i) => smallestOf(squaresTo(data, i, centers)));
      if (labels && now.every((label, i) => label === labels[i])) return centers;
      labels = now;
      const w = new Float64Array(m * k);
      labels.forEach((label, i) => (w[i * k + label] = 1));
      const { counts, means } = moments(x, m, w, k, d);
      if (counts.some((count) => count === 0)) return null;
      centers = centers.map((_, j) => Array.from(means.subarray(j * d, (j + 1) * d)));
    }
  }
  // The variance below which one component has 99% of a point or more; SoftHardExplorer.decided_at says how.
  function decidedAt(data, means) {
    const odds = SOFT_DECIDED / (1 - SOFT_DECIDED);
    return Float64Array.from({ length: data.m }, (_, i) => {
      const squares = squaresTo(data, i, means);
      const c = smallestOf(squares);
      const excess = squares.filter((_, j) => j !== c).map((square) => square - squares[c]);
      const margin = Math.min(...excess);
      let high = margin / (2 * Math.log(odds));
      let low = margin / (2 * Math.log(odds * excess.length));
      for (let n = 0; n < 60 && low < high; n += 1) {
        const middle = (low + high) / 2;
        const others = excess.reduce((total, each) => total + Math.exp(-each / (2 * middle)), 0);
        if (others <= 1 / odds) low = middle;
        else high = middle;
        if (middle === low && middle === high) break;
      }
      return low;
    });
  }

  const decided = remembered(["data", "means"], ({ data, means }) => decidedAt(dataOf(data), means));
  const centersOf = remembered(["data", "start"], ({ data, start }) => kmeansFrom(dataOf(data), start));
  const traceOf = remembered(["data", "means"], (state) => SOFT_POWERS.map((power) => uncertainty(state, 10 ** power)));

  // -- pictures

  const plot = figure(ex, {
    label: t("plot"),
    x: { label: "x" },
    y: { label: "w₁", from: 0 },
    margin: { top: 26 },
    height: (width) => clamp(0.62 * width, 280, 460),
    paint,
  });
  const side = figure(ex, {
    label: t("trace"),
    class: "gmm-side",
    x: { label: "ε", domain: SOFT_RANGE.map(Math.log10), ticks: 4, format: (power) => formatNumber(10 ** power) },
    y: { label: "H" },
    margin: { top: 26, right: 22 },
    height: (width) => (width < 300 ? clamp(0.9 * width, 180, 260) : 170),
  });
  const knobs = Array.from({ length: Math.max(...Object.values(sets).map(({ means }) => means.length)) }, (_, j) =>
    plot.handle({
      label: t("mean-of", { j: j + 1 }),
      text: String(j + 1),
      color: `var(--c${j + 1})`,
      step: () => (dataOf(ex.state.data).d === 1 ? [0.1, 0] : [0.05, 0.05]),
      drag: (x, y, gesture) => place(j, [x, y], gesture),
    }),
  );

  function place(j, wanted, gesture) {
    const { low, high, d } = dataOf(ex.state.data);
    const mean = low.map((_, a) => clamp(Number(wanted[a].toFixed(d === 1 ? 1 : 2)), low[a], high[a]));
    const means = ex.state.means.map((old, i) => (i === j ? mean : old));
    ex.change({ means, start: means }, { gesture });
  }

  let shown = null; // what paint needs: { state (means as drawn), data, w, at }
  function paint(context) {
    if (!shown) return;
    const { state, data, w, at } = shown;
    const { x, m, d, k } = data;
    const mixture = mixtureAt(state, state.variance);
    context.save();
    if (d === 1) {
      const [top, tall] = [plot.y(SOFT_STRIP + 0.07), plot.y(SOFT_STRIP - 0.07) - plot.y(SOFT_STRIP + 0.07)];
      const share = new Float64Array(k);
      for (let px = 0; px < plot.width; px += 2) {
        eStep([plot.toX(px + 1)], 1, mixture, share);
        context.fillStyle = ex.mix(share, k);
        context.fillRect(px, top, Math.min(2, plot.width - px), tall);
      }
    } else ground(context, mixture, k);
    context.restore();
    for (const open of [false, true]) {
      for (let i = 0; i < m; i += 1) {
        if (at[i] < state.variance !== open) continue;
        const px = plot.x(x[i * d]);
        const py = plot.y(d === 1 ? w[i * k] : x[i * d + 1]);
        if (d === 1) {
          context.fillStyle = ex.color("line");
          context.fillRect(px - 0.5, py, 1, plot.y(0) - py);
        }
        let j = 0;
        for (let l = 1; l < k; l += 1) if (w[i * k + l] > w[i * k + j]) j = l;
        context.beginPath();
        markPath(context, j, px, py, d === 1 ? 8 : 4.2);
        context.fillStyle = ex.mix(w, k, i * k);
        context.fill();
        context.lineWidth = d === 1 ? 2.5 : 1.4;
        context.strokeStyle = ex.color(open ? "ink" : "surface");
        context.stroke();
      }
    }
  }
  // The plane colored as a point there would be: coarse, then smoothed by the browser.
  const tile = document.createElement("canvas");
  function ground(context, mixture, k) {
    const [wide, tall] = [72, 54];
    [tile.width, tile.height] = [wide, tall];
    const pixels = new ImageData(wide, tall);
    const share = new Float64Array(k);
    const colors = Array.from({ length: k }, (_, j) => parseInt(ex.color(`c${j + 1}`).slice(1), 16));
    const place = [0, 0];
    for (let r = 0; r < tall; r += 1) {
      for (let c = 0; c < wide; c += 1) {
        place[0] = plot.toX(((c + 0.5) / wide) * plot.width);
        place[1] = plot.toY(((r + 0.5) / tall) * plot.height);
        eStep(place, 1, mixture, share);
        const cell = 4 * (r * wide + c);
        for (let j = 0; j < k; j += 1) for (let b = 0; b < 3; b += 1) pixels.data[cell + b] += share[j] * ((colors[j] >> (16 - 8 * b)) & 255);
        pixels.data[cell + 3] = 255;
      }
    }
    tile.getContext("2d").putImageData(pixels, 0, 0);
    context.globalAlpha = 0.17;
    context.imageSmoothingEnabled = true;
    context.drawImage(tile, 0, 0, plot.width, plot.height);
    // Each component's circle of one standard deviation, √ε.
    context.globalAlpha = 0.8;
    context.beginPath();
    context.rect(0, 0, plot.width, plot.height);
    context.clip();
    const radius = (Math.sqrt(shown.state.variance) * plot.width) / (plot.domain().x[1] - plot.domain().x[0]);
    context.lineWidth = 1.5;
    shown.state.means.forEach(([a, b], j) => {
      context.strokeStyle = ex.color(`c${j + 1}`);
      context.beginPath();
      context.arc(plot.x(a), plot.y(b), radius, 0, 2 * Math.PI);
      context.stroke();
    });
  }

  // -- controls

  const toStep = (epsilon) => Math.round((SOFT_STEPS * Math.log10(epsilon / SOFT_RANGE[0])) / SOFT_DECADES);
  const fromStep = (n) => Number((SOFT_RANGE[0] * 10 ** ((n * SOFT_DECADES) / SOFT_STEPS)).toPrecision(3));
  const epsilon = slider({
    label: t("variance"),
    name: t("variance-name"),
    min: 0,
    max: SOFT_STEPS,
    format: () => formatNumber(ex.state.variance, 3),
    oninput: (n, gesture) => ex.change({ variance: fromStep(n) }, { gesture }),
  });
  const choice = ex.choice("data", Object.keys(sets), (data) =>
    ex.change({ data, start: sets[data].means, means: sets[data].means, variance: data === "old-faithful" ? Math.min(ex.state.variance, 1) : ex.state.variance }),
  );
  const still = (state) => {
    const next = moved(state);
    const { sd } = dataOf(state.data);
    return next.every((mean, j) => mean.every((mu, a) => Math.abs(mu - state.means[j][a]) < 1e-9 * sd));
  };
  function settledFrom(state) {
    let now = state;
    for (let n = 0; n < SOFT_MOVES && !still(now); n += 1) now = { ...now, means: moved(now) };
    return now.means;
  }
  ex.next = () => advance({ animate: true });
  const advance = (options) => {
    if (still(ex.state)) return ex.tell(t("settled"));
    return ex.change({ means: moved(ex.state) }, options);
  };
  const step = button(t("step"), () => {
    ex.stopPlaying();
    advance({ animate: true });
  });
  const player = ex.player({ interval: 260, end: (gesture) => ex.change({ means: settledFrom(ex.state) }, { gesture, animate: true }), step: (gesture) => !still(ex.state) && ex.change({ means: moved(ex.state) }, { gesture, animate: true }) });
  const back = button(t("back"), () => {
    ex.stopPlaying();
    ex.change({ means: ex.state.start });
  });
  const border = checkbox({ label: t("border"), onchange: () => ex.redraw() });
  ex.controls.append(row(epsilon), row(step, ...player.controls, back, choice, border), ex.stateRow(), ex.parts([
    { caption: t("means-table"), head: () => [t("component"), ...axesOf(ex.state), t("kmeans-column")], rows: meanRows },
    { caption: t("points-table"), head: () => [t("point-column"), ...ex.state.means.map((_, j) => `w${"₁₂₃"[j]}`), t("decided-column")], rows: pointRows },
    { caption: t("trace"), head: () => ["ε", "H"], rows: () => [-3, -2, -1, 0, 1, 2, 3, 4].map((power) => [formatNumber(10 ** power), uncertainty(ex.state, 10 ** power).toFixed(2)]) },
  ]));

  // What the pictures show, as numbers; of many points those that are still undecided, and the first of the others.
  const axesOf = (state) => (dataOf(state.data).d === 1 ? ["x"] : sets[state.data].axes);
  const pair = (values) => (values.length === 1 ? `x = ${formatNumber(values[0], 3)}` : `(${values.map((value) => formatNumber(value, 3)).join(", ")})`);
  function meanRows() {
    const centers = centersOf(ex.state);
    return ex.state.means.map((mean, j) => [j + 1, ...mean.map((mu) => formatNumber(mu)), centers ? pair(centers[j]) : "–"]);
  }
  function pointRows() {
    const { x, d, k, w, m } = dataOf(ex.state.data);
    const at = decided(ex.state);
    const order = Array.from({ length: m }, (_, i) => i).sort((a, b) => at[a] - at[b]).slice(0, 30);
    return order.map((i) => [pair(Array.from(x.subarray(i * d, i * d + d))), ...Array.from(w.subarray(i * k, i * k + k), (share) => share.toFixed(4)), formatNumber(at[i], 3)]);
  }

  function valid({ data, variance, start, means }) {
    const own = sets[data]?.means;
    const fits = (list) =>
      Array.isArray(list) && list.length === own.length &&
      list.every((mean) => Array.isArray(mean) && mean.length === own[0].length && mean.every(among));
    // Among the points, up to rounding: further out there is nothing to see.
    const among = (mu, a) => {
      const { low, high } = dataOf(data);
      const slack = 1e-9 * (high[a] - low[a]);
      return Number.isFinite(mu) && mu >= low[a] - slack && mu <= high[a] + slack;
    };
    const sound = Object.hasOwn(sets, data) && Number.isFinite(variance) && variance >= SOFT_RANGE[0] && variance <= SOFT_RANGE[1] && fits(start) && fits(means);
    return sound ? null : t("bad-link");
  }

  // -- drawing

  function draw(state, before, { animate }) {
    if (animate && before.data === state.data && before.means !== state.means && before.variance === state.variance) {
      const from = shown?.state.data === state.data ? shown.state.means : before.means;
      ex.tween(220, (f) => picture({ ...state, means: state.means.map((mean, j) => mean.map((mu, a) => from[j][a] + f * (mu - from[j][a]))) }));
    } else {
      ex.stopTween();
      picture(state);
    }
    tellOf(state);
    epsilon.set(toStep(state.variance));
    setEnabled(back, JSON.stringify(state.means) !== JSON.stringify(state.start));
  }

  // The lines on which two means are equally near and no third is nearer.
  function borders(means) {
    const lines = [];
    const [xs, ys] = [plot.domain().x, plot.domain().y];
    means.forEach((a, i) => {
      means.slice(0, i).forEach((b) => {
        if (a.every((value, c) => value === b[c])) return undefined; // at one place there is no border
        const middle = a.map((value, c) => (value + b[c]) / 2);
        if (a.length === 1) return lines.push([middle[0], ys[0], middle[0], ys[1]]);
        const [dx, dy] = [b[1] - a[1], a[0] - b[0]];
        let [low, high] = [-Infinity, Infinity];
        // Along middle + s (dx, dy), c + s g >= 0 must hold for each condition.
        const cut = (c, g) => {
          if (g > 0) low = Math.max(low, -c / g);
          else if (g < 0) high = Math.min(high, -c / g);
          else if (c < 0) high = -Infinity;
        };
        cut(middle[0] - xs[0], dx);
        cut(xs[1] - middle[0], -dx);
        cut(middle[1] - ys[0], dy);
        cut(ys[1] - middle[1], -dy);
        for (const other of means) {
          if (other === a || other === b) continue;
          const half = [(a[0] + other[0]) / 2, (a[1] + other[1]) / 2];
          const [nx, ny] = [a[0] - other[0], a[1] - other[1]];
          cut((middle[0] - half[0]) * nx + (middle[1] - half[1]) * ny, dx * nx + dy * ny);
        }
        return low < high && lines.push([middle[0] + low * dx, middle[1] + low * dy, middle[0] + high * dx, middle[1] + high * dy]);
      });
    });
    return lines;
  }

  function picture(state) {
    const data = dataOf(state.data);
    const { x, m, d, k, w, low, high } = data;
    eStep(x, m, mixtureAt(state, state.variance), w);
    const at = decided(state);
    shown = { state, data, w, at };
    const pad = low.map((_, a) => 0.07 * (high[a] - low[a]));
    let [xs, ys] = [[low[0] - pad[0], high[0] + pad[0]], [SOFT_STRIP - 0.1, 1.06]];
    if (d === 2) {
      // A unit is as long one way as the other, so that circles are round.
      ys = [low[1] - pad[1], high[1] + pad[1]];
      const unit = Math.min(plot.width / (xs[1] - xs[0]), plot.height / (ys[1] - ys[0]));
      /** @type {(range: number[], size: number) => number[]} */
      const around = ([a, b], size) => [(a + b) / 2 - size / unit / 2, (a + b) / 2 + size / unit / 2];
      [xs, ys] = [around(xs, plot.width), around(ys, plot.height)];
    }
    plot.domain({ x: xs, y: ys });
    plot.labels(...sets[state.data].axes);

    // One feature: the share of each component as a function of x, from flat to a step.
    const curve = Array.from({ length: 301 }, (_, n) => xs[0] + ((xs[1] - xs[0]) * n) / 300);
    const shares = new Float64Array(curve.length * k);
    if (d === 1) eStep(curve, curve.length, mixtureAt(state, state.variance), shares);
    for (let j = 0; j < 2; j += 1) {
      plot.line(`share-${j}`, d === 1 ? curve : null, curve.map((_, n) => shares[n * k + j]), {
        fill: "none", stroke: `var(--c${j + 1})`, "stroke-width": j ? 1.5 : 2.5, "stroke-dasharray": j ? "7 4" : null, "stroke-opacity": j ? 0.7 : 1,
      }, plot.under);
    }
    plot.paint();

    const lines = border.input.checked ? borders(state.means) : [];
    lines.forEach(([xa, ya, xb, yb], n) => {
      plot.mark(`border-${n}`, "line", { x1: plot.x(xa), y1: plot.y(ya), x2: plot.x(xb), y2: plot.y(yb), stroke: "var(--ink)", "stroke-width": 1.5, "stroke-dasharray": "2 4" });
    });
    const centers = centersOf(state);
    for (let j = 0; j < knobs.length; j += 1) {
      const target = centers && j < k ? [plot.x(centers[j][0]), plot.y(d === 1 ? SOFT_STRIP : centers[j][1])] : null;
      const cross = target && `M${target[0] - 5} ${target[1] - 5}l10 10m0 -10l-10 10`;
      plot.mark(`halo-${j}`, "circle", target && { cx: target[0], cy: target[1], r: 16, fill: "none", stroke: "var(--surface)", "stroke-width": 5 }, plot.over);
      plot.mark(`target-${j}`, "circle", target && { cx: target[0], cy: target[1], r: 16, fill: "none", stroke: "var(--ink)", "stroke-width": 2 }, plot.over);
      plot.mark(`cross-${j}`, "path", target && { d: cross, stroke: "var(--ink)", "stroke-width": 2 }, plot.over);
      const mean = state.means[j];
      knobs[j].place(mean?.[0] ?? 0, d === 1 ? SOFT_STRIP : (mean?.[1] ?? 0), {
        hidden: j >= k,
        now: mean?.[0] ?? 0,
        min: xs[0],
        max: xs[1],
        text: (mean ?? []).map((mu) => formatNumber(mu, 3)).join(", "),
      });
    }
    // Once all have decided, the last one is shown.
    const last = smallestOf(at);
    const over = at[last] >= state.variance;
    plot.mark("last", "circle", over ? { cx: plot.x(x[last * d]), cy: plot.y(d === 1 ? w[last * k] : x[last * d + 1]), r: d === 1 ? 15 : 11, fill: "none", stroke: "var(--ink)", "stroke-width": 2, "stroke-dasharray": "4 3" } : null, plot.over);
    plot.sweep();

    const most = m * Math.log(k);
    side.domain({ y: [0, 1.08 * most] });
    side.line("trace", SOFT_POWERS, traceOf(state), { fill: "none", stroke: "var(--muted)", "stroke-width": 2 });
    const here = [side.x(Math.log10(state.variance)), side.y(entropyOf(w))];
    side.mark("drop", "line", { x1: here[0], x2: here[0], y1: here[1], y2: side.height, stroke: "var(--line)" }, side.under);
    side.mark("here", "circle", { class: "gmm-trace-here", cx: here[0], cy: here[1], r: 6 }, side.over);
  }

  function tellOf(state) {
    const { x, m, d, k, sd } = dataOf(state.data);
    const w = new Float64Array(m * k);
    eStep(x, m, mixtureAt(state, state.variance), w);
    const at = decided(state);
    const open = at.reduce((count, each) => count + (each < state.variance ? 1 : 0), 0);
    const top = Array.from({ length: m }, (_, i) => Math.max(...w.subarray(i * k, (i + 1) * k)));
    const unsure = smallestOf(top);
    const last = smallestOf(at);
    const point = (i) => pair(Array.from(x.subarray(i * d, (i + 1) * d)));
    const shares = (i) => Array.from(w.subarray(i * k, (i + 1) * k), formatPercent).join(" : ");
    const total = entropyOf(w);
    const centers = centersOf(state);
    const range = (a) => Math.max(...state.means.map((mean) => mean[a])) - Math.min(...state.means.map((mean) => mean[a]));
    const away = centers && Math.max(...state.means.flatMap((mean, j) => mean.map((mu, a) => Math.abs(mu - centers[j][a]))));

    const told = [t("status", { epsilon: formatNumber(state.variance, 3), h: total.toFixed(2), most: (m * Math.log(k)).toFixed(2) })];
    if (open === 0) told.push(t("last", { point: point(last), epsilon: formatNumber(at[last], 3) }));
    else if (open === 1) told.push(t("one", { point: point(last), shares: shares(last) }));
    else if (Math.max(...w) - 1 / k < 0.01) told.push(t("none", { share: formatPercent(1 / k) }));
    else told.push(t("some", { n: open, m, point: point(unsure), shares: shares(unsure) }));
    if (Math.max(...state.means[0].map((_, a) => range(a))) < SOFT_NEAR * sd) told.push(t("met"));
    else if (!centers) told.push(t("no-kmeans"));
    else if (away < SOFT_NEAR * sd) told.push(t("arrived"));
    ex.tell(told.join(" "));
    ex.data({
      data: state.data,
      variance: state.variance,
      means: JSON.stringify(state.means),
      kmeans: centers ? JSON.stringify(centers) : null,
      responsibilities: JSON.stringify(Array.from(w)),
      uncertainty: total,
      undecided: open,
      last,
      "last-at": at[last],
    });
  }

  return ex.start();
}

export default { render };
