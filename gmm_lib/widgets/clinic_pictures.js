// The clinic's two pictures: log-likelihood and bound by half step, and the mixture over the points with their shares.
import { dash } from "./color.js";
import { figure } from "./figure.js";
import { clamp, formatNumber, minus, samples } from "./numbers.js";

const CLINIC_TOP = 0.1; // of the density axis; what is higher leaves the picture
const CLINIC_STRIP = 0.032; // the band below it, where the points and their shares are
/** @type {[number, number]} */
const CLINIC_RANGE = [-4, 34];
export const CLINIC_ALIKE = 1e-6; // numbers that differ by less are one number to a reader; clinic.py has it too

// Log-likelihood and bound of measured half steps: { show({ seen, all, others }) }.
export function clinicTrace(ex) {
  const { t } = ex;
  const plot = figure(ex, {
    label: t("plot"),
    x: { label: t("iteration-axis") },
    y: { format: (v) => formatNumber(v, 6), ticks: 5 },
    margin: { top: 12, right: 26 },
    height: (w) => clamp(0.44 * w, 190, 250),
    clip: true,
  });

  // The axis holds what happens from the first M step on, and the start where it is not far from that.
  function domainOf(all) {
    const heights = ({ logLikelihood, bound }) => [logLikelihood, bound];
    const later = all.flatMap((each) => each.slice(1).flatMap(heights));
    let [low, high] = [Math.min(...later), Math.max(...later)];
    const room = Math.max(high - low, 0.01);
    for (const value of all.flatMap((each) => each.slice(0, 1).flatMap(heights))) {
      if (value > low - 2 * room && value < high + 2 * room) [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    const pad = 0.09 * Math.max(high - low, 0.01);
    return [low - pad, high + pad];
  }

  // seen: the half steps made so far; all: the whole run; others: runs beside it, [{ run, mended }].
  function show({ seen, all, others }) {
    const longest = Math.max(seen.length, 11, ...others.map(({ run }) => run.length));
    const domain = domainOf([all, ...others.map(({ run }) => run)]);
    plot.domain({ x: [-0.25, longest / 2 + 0.1], y: domain });
    const line = (name, run, height, attributes) => plot.line(name, run.map((_, n) => n / 2), run.map(height), attributes);
    const [ell, bound] = [(each) => each.logLikelihood, (each) => each.bound];
    others.forEach(({ run, mended }, n) => {
      const look = { class: "gmm-clinic-other", style: `--knob: var(--${mended ? "c3" : "muted"})` };
      line(`other ${n}`, run, ell, { ...look, "stroke-dasharray": mended ? null : "1.5 3.5" });
      line(`other bound ${n}`, run, bound, { ...look, "stroke-dasharray": mended ? "6 4" : "1.5 6" });
    });
    line("bound", seen, bound, { class: "gmm-clinic-bound", "stroke-dasharray": "6 4" });
    line("likelihood", seen, ell, { class: "gmm-clinic-line" });
    seen.forEach((now, n) => {
      const [x, y, low] = [plot.x(n / 2), plot.y(now.logLikelihood), plot.y(now.bound)];
      const inside = (px) => px >= -2 && px <= plot.height + 2;
      const r = n === seen.length - 1 ? 5.5 : 3.5;
      // Heights that leave the picture end at its rim.
      const [from, to] = [low, y].map((px) => clamp(px, -4, plot.height + 4));
      if (now.step === "e" && Math.abs(now.logLikelihood - now.bound) > CLINIC_ALIKE) {
        // One that lies off the axis as a whole is a stub at its rim.
        const stub = from === to && !inside(to) ? (to < 0 ? 12 : -12) : 0;
        plot.mark(`gap ${n}`, "path", { d: `M${x} ${from}V${to + stub}`, class: "gmm-clinic-gap" }, plot.under);
      }
      const before = n ? seen[n - 1] : now;
      [["likelihood", before.logLikelihood - now.logLikelihood, y], ["bound", before.bound - now.bound, low]].forEach(([name, fall, px]) => {
        const tip = clamp(px + 9, 8, plot.height - 1);
        if (fall > CLINIC_ALIKE) plot.mark(`fall ${name} ${n}`, "path", { d: `M${x - 5} ${tip - 8}h10L${x} ${tip}Z`, class: "gmm-clinic-fall", "data-hollow": name === "bound" }, plot.over);
      });
      if (inside(low)) plot.mark(`b ${n}`, "circle", { cx: x, cy: low, r: r - 1.5, class: "gmm-clinic-knot" });
      if (inside(y)) plot.mark(`l ${n}`, "circle", { cx: x, cy: y, r, class: `gmm-trace-here ${now.step === "e" ? "gmm-e" : ""}` }, plot.over);
      if (now.printed !== null && Math.abs(now.printed - now.logLikelihood) > CLINIC_ALIKE) {
        const py = clamp(plot.y(now.printed), 5, plot.height - 5);
        plot.mark(`x ${n}`, "path", { d: `M${x - 5} ${py - 5}l10 10m0 -10l-10 10`, class: "gmm-clinic-printed" }, plot.over);
      }
    });
    const end = seen[seen.length - 1];
    if (end) {
      const names = [["ℓ", end.logLikelihood], ["B", end.bound]].filter(([, value]) => value >= domain[0] && value <= domain[1]);
      // Where the lines meet, ℓ stands above B.
      const [one, two] = names.map(([, value]) => plot.y(value));
      const apart = names.length === 2 && Math.abs(one - two) < 16 * plot.unit ? (16 * plot.unit - Math.abs(one - two)) / 2 : 0;
      names.forEach(([name, value], n) => {
        const up = names.length === 2 && (one === two ? n === 0 : plot.y(value) === Math.min(one, two)) ? -1 : 1;
        plot.mark(`name ${name}`, "text", { x: plot.x((seen.length - 1) / 2) + 9, y: clamp(plot.y(value) + up * apart, 8, plot.height - 6), dy: "0.35em", text: name, class: "gmm-name" }, plot.over);
      });
      // A start far off the axis is told, not drawn.
      const off = seen[0].logLikelihood < domain[0];
      if (off) plot.mark("below", "text", { x: 6, y: plot.height - 8, text: `↓ ${minus(seen[0].logLikelihood.toFixed(2))}`, class: "gmm-trace-below gmm-clinic-below" }, plot.over);
    }
    plot.sweep();
  }
  return { show };
}

// The mixture of a half step over the points, each with a frame that its shares fill: { show(half, shares or null) }.
export function clinicMixture(ex, x, parent) {
  const plot = figure(ex, {
    label: ex.t("mixture"),
    parent,
    x: { label: "x", domain: CLINIC_RANGE },
    y: { domain: [-CLINIC_STRIP, CLINIC_TOP], from: 0, ticks: 3 },
    height: () => 150,
    clip: true,
  });

  function show({ weights, means, variances }, shares) {
    const at = samples(CLINIC_RANGE, means.map((mean, j) => [mean, Math.sqrt(variances[j])]));
    const curves = [0, 1].map((j) => at.map((v) => (weights[j] * Math.exp(-((v - means[j]) ** 2) / (2 * variances[j]))) / Math.sqrt(2 * Math.PI * variances[j])));
    curves.forEach((ys, j) => plot.line(`curve ${j}`, at, ys, { class: "gmm-component", "stroke-dasharray": dash(j), style: `--knob: var(--c${j + 1})` }));
    plot.line("density", at, at.map((_, i) => curves[0][i] + curves[1][i]), { class: "gmm-density" });
    plot.mark("base", "path", { d: `M0 ${plot.y(0)}H${plot.width}`, class: "gmm-zero" }, plot.under);
    // Shares that sum to less than 1 do not fill the frame, others stand out of it.
    const [top, bottom] = [plot.y(0) + 5, plot.height - 3];
    const width = clamp(0.72 * (plot.x(1) - plot.x(0)), 2, 13);
    x.forEach((value, i) => {
      const px = plot.x(value) - width / 2;
      let y = bottom;
      for (const j of [0, 1]) {
        const tall = shares ? (bottom - top) * Math.min(shares[i][j], 1) : 0;
        y -= tall;
        plot.mark(`share ${i} ${j}`, "rect", { x: px.toFixed(2), y: y.toFixed(2), width: width.toFixed(2), height: tall.toFixed(2), fill: `var(--c${j + 1})` }, plot.over);
      }
      plot.mark(`frame ${i}`, "rect", { x: px.toFixed(2), y: top, width: width.toFixed(2), height: bottom - top, fill: "none", stroke: "var(--muted)", "stroke-width": 1 }, plot.over);
    });
  }
  return { show };
}
