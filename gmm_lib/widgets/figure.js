// A picture: axes, a canvas for what is many, curves, and handles to take hold of.
import { h, newGesture, s, setAttribute } from "./elements.js";
import { CHARACTER, clamp, formatNumber, formatTick, labelled } from "./numbers.js";

const FONT_SIZE = 15; // px: of an explorer's text, where the browser's is 16 (explorer.css)
const PROJECTED = 0.52; // of the screen's height: a picture on a projector
const LEAST_RANGE = 1e-9; // of the size of the numbers on an axis
let clips = 0; // a number for each clipping of a page
// How many steps a key goes, across and up; Home and End go further than any handle can.
const HANDLE_KEYS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
  PageUp: [0, 10], PageDown: [0, -10], Home: [0, -1e4], End: [0, 1e4],
};
const REACH = 24; // px: how far from its center a handle can be grasped (touch targets of at least 44 px)

// A range that has a length, also where all values are one but for rounding.
function withLength([low, high]) {
  const least = LEAST_RANGE * Math.max(Math.abs(low), Math.abs(high), 1e-300);
  return Math.abs(high - low) >= least ? [low, high] : [low - least, high + least];
}

// The number of the nearest of `places` ([x, y] in px), null where none is less than `reach` away.
export function nearestTo(px, py, places, reach) {
  let [best, least] = [null, reach];
  places.forEach(([x, y], i) => {
    const distance = Math.hypot(x - px, y - py);
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}

const AWAY = 12; // px

// Keeps a handle off the one it belongs to, smoothly: at distance r it is drawn at the root of r² + AWAY²; and back.
export function apart(r) {
  return Math.hypot(r, AWAY);
}

export function together(r) {
  return Math.sqrt(Math.max(r * r - AWAY * AWAY, 0));
}

// A plot in three layers: axes, a canvas for what is many, SVG for curves and handles.
//   x, y: {label, domain: [low, high], ticks: about how many (0: none), format, from: no ticks below}
//   height(width) -> px; margin: {top, right, bottom, left}; parent: where to put it (default: ex.plots)
//   clip: true where curves leave the picture: what does is not drawn;
//   pick(px, py, event) -> a handle to grasp where none is near, or null;  hover(px, py) with null, null on leaving
//   paint(context, plot): draws on the canvas; called by plot.paint() and after a resize
// Gives: plot.x(v), plot.y(v) -> px; plot.toX(px), plot.toY(px); plot.domain({x, y}); plot.line(name, xs, ys, {class, …});
//   plot.mark(name, tag, attributes); plot.handle({…}); plot.paint(); plot.width, plot.height (inner px);
//   plot.under, plot.over (SVG groups below and above the curves).
export function figure(ex, options) {
  const { label, height: tallFor = (w) => clamp(0.5 * w, 220, 420), pick = () => null, hover = null, paint = null } = options;
  const margins = { top: 10, right: 12, bottom: options.x?.label ? 40 : 26, left: options.y?.ticks === 0 ? 14 : 46, ...options.margin };
  const margin = { ...margins };
  // On a projector a picture leaves room for what is told and pressed below it.
  const height = (w) => Math.min(tallFor(w / ex.unit) * ex.unit, ex.root.hasAttribute("data-projector") ? PROJECTED * window.innerHeight : Infinity);
  let total = 0; // px: the width of it all
  let ticks = 1; // how large their text is, of its usual size
  const canvas = h("canvas", { "aria-hidden": "true" });
  const under = s("g", { "aria-hidden": "true" });
  const curves = s("g", { "aria-hidden": "true" });
  const over = s("g", { "aria-hidden": "true" });
  const knobs = s("g", {});
  const axes = s("g", { class: "gmm-axes" });
  const inner = s("g", {}, under, curves, over, knobs);
  const back = s("svg", { class: "gmm-back", "aria-hidden": "true" }, axes);
  const svg = s("svg", { class: "gmm-front", role: "group", "aria-label": label }, inner);
  const element = h("div", { class: `gmm-figure ${options.class ?? ""}` }, back, canvas, svg);
  (options.parent ?? ex.plots).append(element);

  const parts = new Map();
  const drawn = new Set(); // names of those drawn since the last sweep
  const handles = [];
  const scale = { x: options.x?.domain ?? [0, 1], y: options.y?.domain ?? [0, 1] };
  if (options.clip) {
    clips += 1;
    setAttribute(curves, "clip-path", `url(#gmm-clip-${clips})`);
  }
  const opening = options.clip ? s("rect", { x: -4, y: -4 }) : null;
  if (opening) svg.prepend(s("defs", {}, s("clipPath", { id: `gmm-clip-${clips}` }, opening)));
  const plot = { element, svg, under, over, margin, width: 300, height: 200, unit: 1, handles };
  plot.labels = (x, y) => {
    if (options.x.label === x && options.y?.label === y) return;
    options.x = { ...options.x, label: x };
    options.y = { ...options.y, label: y };
    drawAxes();
  };

  plot.x = (value) => ((value - scale.x[0]) / (scale.x[1] - scale.x[0])) * plot.width;
  plot.y = (value) => (1 - (value - scale.y[0]) / (scale.y[1] - scale.y[0])) * plot.height;
  plot.toX = (px) => scale.x[0] + (px / plot.width) * (scale.x[1] - scale.x[0]);
  plot.toY = (py) => scale.y[0] + (1 - py / plot.height) * (scale.y[1] - scale.y[0]);
  plot.domain = (to = null) => {
    if (to) {
      const before = JSON.stringify(scale);
      if (to.x) scale.x = withLength(to.x);
      if (to.y) scale.y = withLength(to.y);
      if (before !== JSON.stringify(scale)) drawAxes();
    }
    return scale;
  };

  // Long numbers beside the picture push it to the right.
  function makeRoom(left) {
    if (Math.abs(left - margin.left) < 1) return;
    margin.left = Math.round(left);
    plot.width = total - margin.left - margin.right;
    for (const layer of [axes, inner]) setAttribute(layer, "transform", `translate(${margin.left} ${margin.top})`);
  }

  function drawAxes() {
    const items = [];
    const { height: tall, unit } = plot;
    const x = { ticks: clamp(Math.floor(plot.width / 55 / unit), 2, 12), format: formatTick, ...options.x };
    const y = { ticks: clamp(Math.floor(tall / 45 / unit), 2, 8), format: formatTick, ...options.y };
    let ys = y.ticks ? labelled(scale.y, y).filter(([value]) => value >= (y.from ?? -Infinity)) : [];
    const pitch = () => Math.abs(plot.y(ys[1][0]) - plot.y(ys[0][0]));
    while (ys.length > 1 && pitch() < 14 * unit * ticks) ys = ys.filter((_, i) => i % 2 === 0); // the texts would meet
    const character = CHARACTER * ticks;
    makeRoom(unit * Math.max(margins.left, 11 + character * Math.max(0, ...ys.map(([, text]) => text.length))));
    const { width } = plot;
    for (const [value, text] of x.ticks ? labelled(scale.x, x, width / unit / ticks) : []) {
      const at = plot.x(value).toFixed(1);
      items.push(s("line", { x1: at, x2: at, y1: tall, y2: tall + 5 * unit }));
      const half = (unit * character * text.length) / 2; // at an edge it moves inwards
      const middle = clamp(Number(at), half - margin.left, Math.max(0, width + margin.right - half));
      items.push(s("text", { x: middle, y: tall + 18 * unit, "text-anchor": "middle" }, text));
    }
    for (const [value, text] of ys) {
      const at = plot.y(value).toFixed(1);
      items.push(s("line", { class: "gmm-grid", x1: 0, x2: width, y1: at, y2: at }));
      items.push(s("text", { x: -7 * unit, y: at, dy: "0.32em", "text-anchor": "end" }, text));
    }
    if (opening) for (const [name, value] of [["width", width + 8], ["height", tall + 4]]) setAttribute(opening, name, value);
    items.push(s("line", { class: "gmm-base", x1: 0, x2: width, y1: tall, y2: tall }));
    if (x.label) items.push(s("text", { class: "gmm-axis-label", x: width, y: tall + 35 * unit, "text-anchor": "end" }, x.label));
    if (y.label) items.push(s("text", { class: "gmm-axis-label", x: 4 * unit - margin.left, y: 2 * unit - margin.top, dy: "0.8em" }, y.label));
    axes.replaceChildren(...items);
  }

  // Curves and marks are kept by name: made once, then only changed.
  plot.mark = (name, tag, attributes, layer = curves) => {
    if (attributes === null) {
      parts.get(name)?.remove();
      parts.delete(name);
      return null;
    }
    if (!parts.has(name)) {
      parts.set(name, s(tag));
      layer.append(parts.get(name));
    }
    drawn.add(name);
    const node = parts.get(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "text") {
        if (node.textContent !== value) node.textContent = value;
      } else if (key === "font-size") {
        node.style.fontSize = `calc(${value} * var(--px))`;
      } else setAttribute(node, key, value);
    }
    return node;
  };
  plot.line = (name, xs, ys, attributes = {}, layer = curves) => {
    if (xs === null) return plot.mark(name, "path", null);
    let d = "";
    for (let i = 0; i < xs.length; i += 1) {
      d += `${i ? "L" : "M"}${plot.x(xs[i]).toFixed(2)} ${clamp(plot.y(ys[i]), -1e4, 1e4).toFixed(2)}`;
    }
    return plot.mark(name, "path", { d, ...attributes }, layer);
  };
  // Takes away what has not been drawn since this was last called.
  plot.sweep = () => {
    for (const name of parts.keys()) if (!drawn.has(name)) plot.mark(name, "g", null);
    drawn.clear();
  };

  // -- handles: things to take hold of, by pointer, touch or arrow keys

  // drag(x, y, gesture): where it is wanted, in data units. step: [dx, dy] of an arrow key, or a function giving it;
  // Shift makes ten. `keys(dx, dy, gesture)` replaces that rule. `key(event)` sees other keys first; true: done.
  // `shape`: "disc", "ring" or "point"; `text`: what stands in it.
  /**
   * @param {{ label: string, text?: string, shape?: "disc" | "ring" | "point", color?: string | null,
   *   step?: [number, number] | (() => number[]), drag: (x: number, y: number, gesture: string) => unknown,
   *   keys?: (dx: number, dy: number, gesture: string) => void,
   *   key?: (event: KeyboardEvent) => boolean | void, focus?: () => void, reach?: number }} options
   */
  plot.handle = ({ label: name, text = "", shape = "disc", color = null, step = [1, 1], drag, keys = null, key = null, focus = () => {}, reach = REACH }) => {
    const symbol = shape === "ring" ? s("path", { class: "gmm-knob", d: "M-7 0L0 -7L7 0L0 7Z" }) : s("circle", { class: "gmm-knob", r: shape === "point" ? 9 : 12 });
    const letter = s("text", { class: "gmm-knob-text", "text-anchor": "middle", dy: "0.35em" }, text);
    const node = s("g", { class: `gmm-handle gmm-${shape}`, role: "slider", tabindex: 0, "aria-label": name }, s("circle", { class: "gmm-reach", r: 22 }), symbol, letter);
    if (color) node.style.setProperty("--knob", color);
    knobs.append(node);
    const handle = { node, at: [0, 0], px: [0, 0], hidden: false, reach, drag };
    // px: where to draw it if not at (x, y) itself.
    handle.place = (x, y, { now = x, min = -1e9, max = 1e9, text: said = formatNumber(now), label: named = null, hidden = false, px = null } = {}) => {
      handle.at = [x, y];
      handle.hidden = hidden;
      setAttribute(node, "display", hidden ? "none" : null);
      if (hidden) return;
      handle.px = px ?? [plot.x(x), plot.y(y)];
      const scaled = plot.unit === 1 ? "" : ` scale(${plot.unit.toFixed(3)})`;
      setAttribute(node, "transform", `translate(${handle.px[0].toFixed(2)} ${handle.px[1].toFixed(2)})${scaled}`);
      handle.ends = [min, max];
      setAttribute(node, "aria-valuenow", now);
      setAttribute(node, "aria-valuemin", Math.min(min, now));
      setAttribute(node, "aria-valuemax", Math.max(max, now));
      setAttribute(node, "aria-valuetext", said);
      if (named) setAttribute(node, "aria-label", named);
    };
    handle.remove = () => {
      node.remove();
      handles.splice(handles.indexOf(handle), 1);
    };
    let held = null;
    node.addEventListener("keydown", (event) => {
      if (key?.(event)) {
        event.preventDefault();
        return;
      }
      const [dx, dy] = HANDLE_KEYS[event.key] ?? [0, 0];
      if ((!dx && !dy) || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (!held) {
        held = newGesture();
        ex.busy(true);
      }
      const times = event.shiftKey ? 10 : 1;
      const end = { Home: 0, End: 1 }[event.key];
      const [sx, sy] = typeof step === "function" ? step() : step;
      if (keys) keys(dx * times, dy * times, held);
      else if (end !== undefined) {
        /** @type {[number, number]} */
        const to = sx ? [handle.ends[end], handle.at[1]] : [handle.at[0], handle.ends[end]];
        drag(...to, held);
      } else {
        // Where only one direction means something, both pairs of arrows serve it, as sliders do.
        const moveX = sy ? dx : dx + dy;
        const moveY = sx ? dy : dx + dy;
        drag(handle.at[0] + moveX * times * sx, handle.at[1] + moveY * times * sy, held);
      }
    });
    const letGo = () => {
      if (!held) return;
      held = null;
      ex.busy(false);
    };
    node.addEventListener("keyup", letGo);
    node.addEventListener("blur", letGo);
    node.addEventListener("focus", () => focus());
    handles.push(handle);
    return handle;
  };

  const position = (event) => {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left - margin.left, event.clientY - box.top - margin.top];
  };
  // The nearest handle in reach: grasping areas may overlap, and the nearest is the one meant.
  const nearest = (px, py) => {
    let best = null;
    let least = Infinity;
    for (const handle of handles) {
      if (handle.hidden) continue;
      const distance = Math.hypot(handle.px[0] - px, handle.px[1] - py);
      if (distance <= handle.reach * plot.unit && distance < least) [best, least] = [handle, distance];
    }
    return best;
  };
  let grasped = null;

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || grasped) return;
    const [px, py] = position(event);
    const handle = nearest(px, py) ?? pick(px, py, event);
    if (!handle) return;
    event.preventDefault();
    handle.node.focus({ preventScroll: true });
    svg.setPointerCapture(event.pointerId);
    grasped = { handle, id: event.pointerId, gesture: newGesture(), dx: handle.px[0] - px, dy: handle.px[1] - py, moved: false, from: [px, py] };
    setAttribute(element, "data-dragging", true);
    ex.busy(true);
  });
  svg.addEventListener("pointermove", (event) => {
    const [px, py] = position(event);
    if (!grasped) {
      if (event.pointerType !== "touch") {
        element.style.cursor = nearest(px, py) ? "grab" : "";
        hover?.(px, py);
      }
      return;
    }
    if (event.pointerId !== grasped.id) return;
    // A press that does not travel is a selection, not a drag.
    if (!grasped.moved && Math.hypot(px - grasped.from[0], py - grasped.from[1]) < 2) return;
    grasped.moved = true;
    const x = plot.toX(clamp(px + grasped.dx, 0, plot.width));
    const y = plot.toY(clamp(py + grasped.dy, 0, plot.height));
    grasped.handle.drag(x, y, grasped.gesture);
  });
  const drop = (event) => {
    if (!grasped || event.pointerId !== grasped.id) return;
    grasped = null;
    setAttribute(element, "data-dragging", null);
    ex.busy(false);
  };
  svg.addEventListener("pointerup", drop);
  svg.addEventListener("pointercancel", drop);
  svg.addEventListener("pointerleave", () => !grasped && hover?.(null, null));
  // A finger on something to grasp must not scroll the page; anywhere else it may.
  svg.addEventListener(
    "touchstart",
    (event) => {
      const [px, py] = position(event.touches[0]);
      if (event.touches.length === 1 && (nearest(px, py) || pick(px, py, event))) event.preventDefault();
    },
    { passive: false },
  );
  plot.dragging = () => grasped?.moved ?? false;
  plot.position = position;

  // -- size

  const context = canvas.getContext("2d");
  plot.paint = () => {
    if (!paint) return;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, plot.width + margin.left + margin.right, plot.height + margin.top + margin.bottom);
    context.translate(margin.left, margin.top);
    paint(context, plot);
  };
  let last = "";
  let stale = true; // asking for sizes makes the browser lay out the page, so only when they may have changed
  function measure() {
    if (!stale || element.clientWidth < 50) return false;
    total = element.clientWidth;
    stale = false;
    if (Math.abs(element.clientHeight - told) >= 1) {
      observer.unobserve(element); // else it would not tell of a height that is the one it knows again when the frame ends
      observer.observe(element);
    }
    const css = getComputedStyle(ex.root);
    ex.unit = parseFloat(css.fontSize) / FONT_SIZE;
    ticks = Number(css.getPropertyValue("--ticks"));
    const tall = Math.round(height(total));
    const ratio = window.devicePixelRatio || 1;
    const size = `${total} ${tall} ${ratio} ${ex.unit}`;
    if (size === last) return false;
    last = size;
    plot.unit = ex.unit;
    for (const side of Object.keys(margin)) margin[side] = Math.round(margins[side] * ex.unit);
    plot.width = total - margin.left - margin.right;
    plot.height = tall - margin.top - margin.bottom;
    setAttribute(svg, "width", total);
    setAttribute(svg, "height", tall);
    setAttribute(back, "width", total);
    setAttribute(back, "height", tall);
    for (const layer of [axes, inner]) setAttribute(layer, "transform", `translate(${margin.left} ${margin.top})`);
    canvas.width = Math.round(total * ratio);
    canvas.height = Math.round(tall * ratio);
    canvas.style.width = `${total}px`;
    canvas.style.height = `${tall}px`;
    drawAxes();
    return true;
  }
  ex.redraws.push(measure);
  ex.sizes.push(() => (stale = true));
  // In the next frame: a redraw may change sizes again, which an observer must not do while it is being told.
  let resized = null;
  let told = 0; // the height that the observer knows
  const observer = new ResizeObserver(([{ contentRect }]) => {
    told = contentRect.height;
    resized ??= requestAnimationFrame(() => {
      resized = null;
      stale = true;
      if (measure()) ex.redraw();
    });
  });
  observer.observe(element);
  ex.onCleanup(() => {
    observer.disconnect();
    cancelAnimationFrame(resized);
  });
  return plot;
}
