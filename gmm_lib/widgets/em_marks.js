// The points of the EM explorer: a mark each, in the mixture of colors that its responsibilities are.
import { markPath } from "./color.js";
import { clamp } from "./numbers.js";

export const MANY = 60; // above this many points: small marks, a histogram instead of stems

// As large as leaves room between the points of a line.
export function markRadius(points, plot) {
  if (points.length > MANY) return points[0].length === 1 ? 2 : plot.width < 400 ? 2.6 : 3.4;
  if (points[0].length === 2) return 5;
  const xs = points.map(([x]) => plot.x(x)).sort((a, b) => a - b);
  let gap = Infinity;
  for (let i = 1; i < xs.length; i += 1) if (xs[i] - xs[i - 1] > 0.5) gap = Math.min(gap, xs[i] - xs[i - 1]);
  return clamp(0.48 * gap, 4.5, 9 * plot.unit);
}

// known: from 0, all gray, to 1, in colors; w: null where there are no responsibilities; spot(i): where point i is drawn.
export function paintMarks(context, { ex, active, markRadius: radius }, spot, { mixture, known }, w) {
  const { k, d } = mixture;
  const m = ex.state.points.length;
  const r = radius();
  const last = active ?? m - 1; // drawn last, on top
  for (let n = 0; n < m; n += 1) {
    const i = n === m - 1 ? last : n === last ? m - 1 : n;
    const [px, py] = spot(i);
    let likeliest = 0;
    if (w) for (let j = 1; j < k; j += 1) if (w[i * k + j] > w[i * k + likeliest]) likeliest = j;
    context.beginPath();
    markPath(context, w && known > 0.5 ? likeliest : 0, px, py, r);
    context.globalAlpha = m > MANY && d === 1 ? 0.75 : 0.92;
    context.fillStyle = ex.color("unknown");
    if (known < 1 || !w) context.fill();
    if (w && known > 0) {
      context.globalAlpha *= known;
      context.fillStyle = ex.mix(w, k, i * k);
      context.fill();
    }
    context.globalAlpha = 1;
    if (m <= MANY || d === 2) {
      context.lineWidth = m <= MANY ? 1 : 0.6;
      context.strokeStyle = ex.color("surface");
      context.stroke();
    }
    if (i === active) {
      context.beginPath();
      context.arc(px, py, r + 4, 0, 2 * Math.PI);
      context.lineWidth = 2;
      context.strokeStyle = ex.color("ink");
      context.stroke();
    }
  }
}
