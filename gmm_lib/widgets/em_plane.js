// The EM explorer's picture of points in the plane: each component as its ellipses at one and two standard deviations.
// Spread handles hold half axes of the ellipse at two, in px, kept as a frame (u, v) with u uᵀ + v vᵀ = 4 Σ in px, so
// that a dragged axis stays the one held.
import { dash } from "./color.js";
import { spreadOf } from "./em.js";
import { apart, together } from "./figure.js";
import { clamp, formatNumber } from "./numbers.js";

export function planePicture(view) {
  const { ex, t, plot, unit, snap, scales, setSpread, legend } = view;
  const frames = new Map();
  const spot = (i) => [plot.x(ex.state.points[i][0]), plot.y(ex.state.points[i][1])];

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

  function dragSpread(j, a, px, py, gesture) {
    const { mixture } = view.now;
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
    const { mixture } = view.now;
    const type = ex.state.covariance_type;
    const [x, y] = frameOf(mixture, j)[a];
    const length = Math.hypot(x, y);
    const turns = type === "full" || type === "tied";
    const to = clamp(length + 2 * (turns ? dy : dx + dy), 2, Math.max(length, plot.width + plot.height));
    const angle = Math.atan2(y, x) + (turns ? (dx * Math.PI) / 90 : 0);
    dragSpread(j, a, plot.x(mixture.means[j * 2]) + apart(to) * Math.cos(angle), plot.y(mixture.means[j * 2 + 1]) + apart(to) * Math.sin(angle), gesture);
  }

  function show({ mixture }) {
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
      view.handles[j].mean.place(at[0], at[1], { now: at[0], min: low, max: high, text: t("pair", { x: formatNumber(at[0]), y: formatNumber(at[1]) }) });
      [a, b].forEach((axis, c) => {
        const end = [cx + axis[0], cy + axis[1]];
        const to = [clamp(end[0], 8, plot.width - 8), clamp(end[1], 8, plot.height - 8)];
        view.handles[j].spread[c].off = [end[0] - to[0], end[1] - to[1]];
        // Its value, in words and for screen readers: the standard deviations of the component.
        const sds = t("sds", { x: formatNumber(spreadOf(mixture, j, 0)), y: formatNumber(spreadOf(mixture, j, 1)) });
        view.handles[j].spread[c].place(plot.toX(to[0]), plot.toY(to[1]), { now: spreadOf(mixture, j, c), min: 0, max: c ? up - bottom : high - low, text: sds });
      });
    }
  }

  return { spot, dragSpread, keySpread, topOf: () => 1, show, ground: () => {}, forget: () => frames.clear() };
}
