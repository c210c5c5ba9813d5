// The EM explorer's picture of points on a line: densities above a strip with the points.
// `view` is what em_explorer.js offers its pictures; each gives { spot, dragSpread, keySpread, topOf, show, ground, forget }.
import { dash } from "./color.js";
import { logDensity, logJoint, spreadOf } from "./em.js";
import { MANY } from "./em_marks.js";
import { apart, together } from "./figure.js";
import { clamp, formatNumber, niceTicks, samples } from "./numbers.js";

const STRIP = 40; // px: the band below the density where points on a line lie

export function linePicture(view) {
  const { ex, t, plot, unit, snap, scales, setSpread, markRadius, legend } = view;

  // Where point i is drawn, in px: in the strip; many are spread over it, always the same way.
  function spot(i) {
    const { points } = ex.state;
    if (points.length <= MANY) return [plot.x(points[i][0]), plot.height - STRIP / 2];
    return [plot.x(points[i][0]), plot.height - STRIP + 5 + (STRIP - 10) * ((i * 0.6180339887) % 1)];
  }

  // σ to the right of the mean; the handle is kept off it.
  function dragSpread(j, a, px, py, gesture) {
    const away = together(Math.abs(px - plot.x(view.now.mixture.means[j]))) / scales()[0];
    const value = Math.max(snap(away), unit() / 10);
    setSpread(j, [[value * value]], gesture);
  }

  function keySpread(j, a, dx, dy, gesture) {
    const { mixture } = view.now;
    const value = clamp(spreadOf(mixture, j) + (dx + dy) * unit(), unit() / 10, Math.max(250 * unit(), spreadOf(mixture, j)));
    setSpread(j, [[snap(value) ** 2]], gesture);
  }

  // The top of the density axis; it stays unless curves leave it or get lost in it.
  function topOf({ mixture, w }, had) {
    const { x, m } = view.path;
    let highest = 0;
    for (let j = 0; j < mixture.k; j += 1) highest = Math.max(highest, Math.exp(logDensity(mixture, mixture.means, j)));
    if (m > MANY) {
      const bars = histogram(x, m, w, mixture.k);
      for (let b = 0; b < bars.count; b += 1) highest = Math.max(highest, bars.heights[(b + 1) * bars.k - 1]);
    }
    return highest < 0.97 * had && highest > 0.4 * had ? had : 1.12 * highest;
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

  function show({ mixture, top }) {
    const { k, means, weights } = mixture;
    plot.domain({ y: [(-top * STRIP) / (plot.height - STRIP), top] });
    const [low, high] = plot.domain().x;
    const at = samples([low, high], Array.from(means, (mean, j) => [mean, spreadOf(mixture, j)])); // a narrow one keeps its peak
    const total = new Float64Array(at.length);
    for (let j = 0; j < k; j += 1) {
      const ys = at.map((_, i) => Math.exp(logJoint(mixture, j, at, i)));
      ys.forEach((value, i) => (total[i] += value));
      const style = `--knob: var(--c${j + 1})`;
      plot.line(`fill ${j}`, [low, ...at, high], [0, ...ys, 0], { class: "gmm-fill", style }, plot.under);
      plot.line(`curve ${j}`, at, ys, { class: "gmm-component", "stroke-dasharray": dash(j), style });
      const value = spreadOf(mixture, j);
      const peak = weights[j] / (Math.sqrt(2 * Math.PI) * value);
      const [mx, my] = [plot.x(means[j]), plot.y(peak)];
      const away = apart(value * scales()[0]);
      const end = mx + away < plot.width ? mx + away : mx - away;
      const sx = clamp(end, 8, plot.width - 8); // what lies outside is held at the rim
      const sy = plot.y(peak * Math.exp(-0.5));
      plot.mark(`stick ${j}`, "path", { d: `M${mx} ${plot.y(0)}V${my}M${mx} ${sy}H${sx}`, class: "gmm-stick", style }, plot.over);
      view.handles[j].mean.place(means[j], peak, { now: means[j], min: low, max: high, text: formatNumber(means[j]) });
      view.handles[j].spread[0].place(means[j] + value, peak, { px: [sx, sy], now: value, min: 0, max: high - low, text: formatNumber(value) });
      view.handles[j].spread[0].off = [end - sx, 0];
    }
    plot.line("density", at, total, { class: "gmm-density" });
    legend(t("legend-1"));
    plot.mark("base", "path", { d: `M0 ${plot.y(0)}H${plot.width}`, class: "gmm-zero" });
  }

  // Below the points: the strip they lie in, and their stems or bars.
  function ground(context, { mixture, known }, w) {
    context.globalAlpha = 0.07;
    context.fillStyle = ex.color("ink");
    context.fillRect(0, plot.height - STRIP, plot.width, STRIP);
    context.globalAlpha = 1;
    (view.path.m > MANY ? paintBars : paintStems)(context, mixture, w, known, ex.color("unknown"));
  }

  // A stem up to p(x), cut where the shares end: its parts are the responsibilities.
  function paintStems(context, mixture, w, known, gray) {
    const { k } = mixture;
    const base = plot.y(0);
    const active = view.active;
    const { x, m } = view.path;
    const across = clamp(markRadius(), 4, 7);
    for (let i = 0; i < m; i += 1) {
      const px = plot.x(x[i]);
      const tall = base - plot.y(Math.exp(logDensity(mixture, x, i)));
      const wide = i === active ? across : across - 2;
      context.globalAlpha = 0.45 * (1 - known);
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
    const { x, m } = view.path;
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

  return { spot, dragSpread, keySpread, topOf, show, ground, forget: () => {} };
}
