// The column beside the EM explorer's picture: ℓ by iteration, and the shares of one point.
import { h } from "./elements.js";
import { figure } from "./figure.js";
import { formatFixed, formatPercent, minus } from "./numbers.js";

export function sideColumn(ex, plot) {
  const { t } = ex;
  const side = h("div", { class: "gmm-side" });
  ex.plots.append(side);
  const trace = figure(ex, {
    label: t("trace"), parent: side, class: "gmm-trace",
    x: { label: t("iteration-axis"), domain: [0, 8], format: (value) => (Number.isInteger(value) ? String(value) : "") },
    y: { label: "ℓ(θ)", domain: [-1, 0], ticks: 3 },
    height: () => (beside() ? Math.max(60, trace.element.clientHeight / ex.unit) : 88),
    margin: { top: 24, left: 52 },
  });
  const readout = h("div", { class: "gmm-readout" });
  side.append(readout);
  const beside = () => side.offsetTop < plot.element.offsetTop + plot.element.offsetHeight - 20;
  const readoutTitle = h("div", { class: "gmm-readout-title" });
  const readoutBar = h("div", { class: "gmm-shares", "aria-hidden": "true" });
  const readoutText = h("div", { class: "gmm-readout-text" });
  readout.append(readoutTitle, readoutBar, readoutText);

  // The shares of the point at hand, whose place is given in words.
  function tell({ mixture: { k }, w: all }, active, place) {
    readoutTitle.textContent = place ?? t("no-point");
    while (readoutBar.children.length > k) readoutBar.lastChild.remove();
    while (readoutBar.children.length < k) readoutBar.append(h("span", { style: `background: var(--c${readoutBar.children.length + 1})` }));
    const w = active === null ? null : all;
    const parts = [];
    for (let j = 0; j < k; j += 1) {
      readoutBar.children[j].hidden = !w;
      if (w) readoutBar.children[j].style.width = `${100 * w[active * k + j]}%`;
      if (w) parts.push(`${j + 1}: ${formatPercent(w[active * k + j])}`);
    }
    readoutText.textContent = active === null ? "" : w ? parts.join("   ") : t("no-shares");
  }

  // ℓ up to the furthest iteration that has been seen of a trajectory, and where the reader is.
  function draw(along, visited, now) {
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

  return { draw, tell };
}
