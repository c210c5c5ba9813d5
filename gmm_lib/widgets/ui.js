// What every explorer shares: state with undo and links, controls, figures, handles, motion.
//
// A NEW EXPLORER IN TEN LINES. gmm_lib/widgets/my.py holds the traits and still()/describe(); the words go in
// words.en.json under "my" (at least "name" and "help"); one line goes in EXPLORERS of __init__.py; and my.js is
//
//   import { button, explorer, figure } from "./ui.js";
//   function render({ model, el }) {
//     const ex = explorer({ model, el, kind: "my", traits: ["a"], draw });   // the traits that are the state
//     const plot = figure(ex, { label: ex.t("plot"), x: { label: "a", domain: [0, 1] }, y: { domain: [0, 1] } });
//     const knob = plot.handle({ label: ex.t("knob"), step: [0.01, 0], drag: (x) => ex.change({ a: x }) });
//     ex.controls.append(button(ex.t("half"), () => ex.change({ a: 0.5 })));
//     function draw({ a }) {            // called after every change, whoever made it: reader, Python, link, undo
//       knob.place(a, 0.5, { now: a, min: 0, max: 1 });
//       ex.data({ a });                 // data-a on the root, in full precision, for tests and teachers' scripts
//       ex.tell(ex.t("status", { a: formatNumber(a) }));
//     }
//     return ex.start();
//   }
//   export default { render };
//
// explorer() gives: ex.state, ex.change(patch, {gesture, animate}), ex.t(key, values), ex.tell(text), ex.data({…}),
//   ex.plots and ex.controls (elements to append to), ex.undo(), ex.reset(), ex.tween(ms, frame), ex.player({step, end}),
//   ex.numberInput({…}), ex.color(name), ex.mix(shares), ex.gesture(), ex.warn(text, buttons) for states the reader
//   must be told of, ex.onCleanup(fn), ex.start(); ex.stateRow() with Undo, Reset, Copy link and Projector; and
//   ex.parts(tables, …) with the parts that open: the numbers of every picture as tables, and Help.
// - ex.next = () => …: the next step of a presentation, on Page Down in projector mode; Page Up is Undo.
// - Sizes of text and of what a finger hits are multiples of --px, which follows the browser's font size and the
//   projector; plot.unit is the same as a number, for margins and offsets in pictures.
// - State is the listed traits and nothing else; a change is {trait: value}. Changes that carry the same `gesture`
//   (handles give one: drag(x, y, gesture)) are one entry for undo. `valid(state)` may return a text: the change is
//   then refused (from a link or from Python it is told, never thrown).
// - draw(state, before, {animate}) must be a function of the state alone. To move softly, use ex.tween in it. It is
//   also called with before === state after a resize or a change of theme: let a tween under way (ex.moving()) go on.
// - The bundler joins modules into one text: top-level names must be unique across ui.js and yours; imports only as
//   above; no code at the top level that touches the document.
// - Wording only from ex.t; colors only from CSS variables (explorer.css); numbers through formatNumber.
// - Never innerHTML: links are input from strangers.

// ------------------------------------------------------------------------------------------------ elements

export function h(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

export function s(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else setAttribute(element, name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// null, undefined and false take the attribute away; writing only what differs keeps layout quiet.
export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : value);
}

// ------------------------------------------------------------------------------------------------- numbers

export const LIMIT = 1e6; // no coordinate that a reader, a link or Python brings is further out; base.LIMIT is the same

// At most `digits` significant digits, no trailing zeros; what would fill a line with zeros as a multiple of a power of
// ten. base.format_number in Python writes the same.
export function formatNumber(value, digits = 4) {
  if (!Number.isFinite(value)) return "–"; // an explorer must say why instead; this is only the last line of defence
  const rounded = Number(value.toPrecision(digits));
  if (rounded === 0) return "0";
  if (Math.abs(rounded) >= 1e-6 && Math.abs(rounded) < 1e9) return String(rounded);
  return withPower(Number(rounded.toExponential().split("e")[0]), Number(rounded.toExponential().split("e")[1]));
}

// With `decimals` places after the point, as long as that is a number one can read; base.format_fixed in Python.
export function formatFixed(value, decimals) {
  return Math.abs(value) < 1e9 ? value.toFixed(decimals) : formatNumber(value);
}

function withPower(mantissa, exponent) {
  return `${mantissa} × ${powerOfTen(exponent)}`;
}

// Text with a true minus where a hyphen stands before a number; base.minus in Python does the same.
export function minus(text) {
  return text.replace(/(^|[^\p{L}\p{N}])-(?=\d)/gu, "$1−");
}

// As formatNumber, but tiny and huge numbers as a multiple of a power of ten; base.powers in Python writes the same.
export function formatPower(value, digits = 4) {
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5)) return formatNumber(value, digits);
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return withPower(mantissa, Number(exponent));
}

// 10 raised to a whole number, as text.
export function powerOfTen(exponent) {
  return `10${Array.from(String(exponent), (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
}

// Whole per cent, never 0% or 100% of what is not exactly so.
export function formatPercent(share) {
  if (share > 0 && share < 0.01) return "<1%";
  if (share > 0.99 && share < 1) return ">99%";
  return `${Math.round(100 * share)}%`;
}

export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// Round numbers that cut [low, high] in about `count` parts.
export function niceTicks(low, high, count = 6) {
  const raw = (high - low) / Math.max(count, 1);
  if (!(raw > 0) || !Number.isFinite(raw)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  if (!(last - first < 1000)) return [low];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// A tick's number in full, as ticks are round; only what is huge is cut.
export function formatTick(value) {
  return formatNumber(value, Math.abs(value) < 1e9 ? 12 : 3);
}

// The ticks of an axis and their texts: [[value, text], …]; along `room` px every other one, where the texts would meet.
export function labelled(domain, { ticks, format }, room = Infinity) {
  let found = niceTicks(...domain, ticks).map((value) => [value, minus(format(value))]);
  const longest = Math.max(...found.map(([, text]) => text.length));
  while (found.length > 2 && found.length * (CHARACTER * longest + 8) > room) found = found.filter((_, i) => i % 2 === 0);
  return found;
}

// ---------------------------------------------------------------------------------------------------- link

export function encodeState(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function decodeState(code) {
  const text = atob(code.replace(/-/g, "+").replace(/_/g, "/"));
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(text, (c) => c.charCodeAt(0))));
}

// The fragment is #anchor=code, and several joined with & where a link carries several explorers.
export function readFragment(fragment, anchor) {
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at > 0 && decodeURIComponent(part.slice(0, at)) === anchor) return part.slice(at + 1);
  }
  return null;
}

// ------------------------------------------------------------------------------------------------ controls

// Labels are given whole and visible; `name` overrides what a screen reader says where the label is a symbol.
export function button(label, onclick, { name = null, kind = null, title = null } = {}) {
  return h("button", { type: "button", class: "gmm-button", "aria-label": name, "data-kind": kind, title, onclick }, label);
}

// A button that cannot be used now stays focusable and says why when pressed.
export function setEnabled(element, enabled) {
  setAttribute(element, "aria-disabled", enabled ? null : "true");
}

export function setPressed(element, pressed) {
  setAttribute(element, "aria-pressed", pressed ? "true" : "false");
}

// Each control returns its element with `.set(value)`; set never calls the listener.
export function slider({ label, min, max, step = 1, value = min, format = String, oninput, name = null }) {
  const input = h("input", { type: "range", min, max, step, "aria-label": name ?? label });
  const output = h("span", { class: "gmm-value", "aria-hidden": "true" }); // <output> would be a second role=status
  const element = h("label", { class: "gmm-slider" }, h("span", { class: "gmm-label" }, label), input, output);
  element.input = input;
  element.set = (now, limits = {}) => {
    for (const key of ["min", "max", "step"]) if (limits[key] !== undefined) setAttribute(input, key, limits[key]);
    if (Number(input.value) !== now) input.value = now;
    output.textContent = format(now);
    setAttribute(input, "aria-valuetext", format(now));
  };
  let gesture = newGesture();
  input.addEventListener("input", () => oninput(Number(input.value), gesture));
  input.addEventListener("change", () => (gesture = newGesture()));
  element.set(value);
  return element;
}

// options: [[value, text], …]
export function select({ label, options, value, onchange, name = null }) {
  const input = h("select", { class: "gmm-select", "aria-label": name });
  const element = h("label", { class: "gmm-choice" }, h("span", { class: "gmm-label" }, label), input);
  element.input = input;
  let values = [];
  element.set = (now, choices = null) => {
    if (choices) {
      values = choices.map(([item]) => item);
      input.replaceChildren(...choices.map(([item, text]) => h("option", { value: String(item) }, text)));
    }
    input.value = String(now);
  };
  input.addEventListener("change", () => onchange(values[input.selectedIndex]));
  element.set(value, options);
  return element;
}

// Commits on Enter and on leaving the field. What is not a number inside the limits goes back to what was, and
// refuse(low, high) says so; explorers make theirs by ex.numberInput, which does.
export function numberInput({ label, name = null, value = 0, min = -LIMIT, max = LIMIT, step = "any", onchange, refuse = () => {} }) {
  const input = h("input", { type: "number", class: "gmm-number", inputmode: "decimal", step, min, max, "aria-label": name ?? label });
  const element = label === null ? input : h("label", { class: "gmm-choice" }, h("span", { class: "gmm-label" }, label), input);
  let shown = value;
  element.input = input;
  element.set = (now, digits = 6) => {
    shown = now;
    if (document.activeElement !== input || !input.dataset.dirty) input.value = Number(now.toPrecision(digits));
  };
  input.addEventListener("input", () => (input.dataset.dirty = "1"));
  input.addEventListener("change", () => {
    delete input.dataset.dirty;
    const typed = input.valueAsNumber;
    const [low, high] = [Number(input.min), Number(input.max)];
    if (Number.isFinite(typed) && typed >= low && typed <= high && onchange(typed) !== false) return;
    if (!(typed >= low && typed <= high)) refuse(low, high);
    element.set(shown);
  });
  element.set(value);
  return element;
}

export function checkbox({ label, value = false, onchange, name = null }) {
  const input = h("input", { type: "checkbox", "aria-label": name });
  const element = h("label", { class: "gmm-check" }, input, h("span", {}, label));
  element.input = input;
  element.set = (now) => (input.checked = now);
  input.addEventListener("change", () => onchange(input.checked));
  element.set(value);
  return element;
}

export function row(...children) {
  return h("div", { class: "gmm-row" }, ...children);
}

// Parts that open on demand, side by side while closed.
export function more(...parts) {
  return h("div", { class: "gmm-more" }, ...parts);
}

// One such part: numbers, options.
export function disclosure(label, ...children) {
  return h("details", { class: "gmm-details" }, h("summary", {}, label), ...children);
}

let gestures = 0;

// A name for one gesture (a drag, a held key, one play): changes that share it are one entry for undo.
export function newGesture() {
  gestures += 1;
  return `gesture-${gestures}`;
}

// -------------------------------------------------------------------------------------------------- motion

const SPEEDS = [1, 4, 16];
const MOVES_AT_MOST = 5000; // on the way to the end

export function prefersReducedMotion() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

export function ease(t) {
  return t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
}

// -------------------------------------------------------------------------------------------------- color

// A page says it is dark in its own way; ask the ones that exist, then the system.
export function isDark() {
  const { documentElement: page, body } = document;
  const said = page.dataset.theme ?? page.getAttribute("theme");
  if (said === "dark" || said === "light") return said === "dark";
  if (body?.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body?.classList.contains("vscode-dark") || body?.classList.contains("vscode-high-contrast")) return true;
  if (body?.classList.contains("vscode-light")) return false;
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function toLinear(channel) {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function toByte(linear) {
  const c = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(255 * clamp(c, 0, 1));
}

// Mixes happen in Oklab, where halfway between two colors looks halfway (https://bottosson.github.io/posts/oklab/).
export function hexToOklab(hex) {
  const n = parseInt(hex.slice(1), 16);
  const [r, g, b] = [toLinear(n >> 16), toLinear((n >> 8) & 255), toLinear(n & 255)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const t = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * t,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * t,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * t,
  ];
}

export function oklabToRgb(L, A, B) {
  const l = (L + 0.3963377774 * A + 0.2158037573 * B) ** 3;
  const m = (L - 0.1055613458 * A - 0.0638541728 * B) ** 3;
  const t = (L - 0.0894841775 * A - 1.291485548 * B) ** 3;
  const r = toByte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * t);
  const g = toByte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * t);
  const b = toByte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * t);
  return `rgb(${r},${g},${b})`;
}

// The second cue beside color: dashes of component j's curve, and the shape of its points.
const DASHES = ["", "7 4", "2 3", "10 3 2 3", "12 5", "5 2 1 2 1 2"];

export function dash(j) {
  return DASHES[j % DASHES.length];
}

// Adds the outline of component j's mark (circle, square, triangle, diamond, cross, inverted triangle) to a path.
export function markPath(context, j, x, y, r) {
  const shape = j % 6;
  if (shape === 0) {
    context.moveTo(x + r, y);
    context.arc(x, y, r, 0, 2 * Math.PI);
  } else if (shape === 1) {
    const a = 0.88 * r;
    context.rect(x - a, y - a, 2 * a, 2 * a);
  } else if (shape === 4) {
    const [a, b] = [1.15 * r, 0.42 * r];
    const corners = [[-b, -a], [b, -a], [b, -b], [a, -b], [a, b], [b, b], [b, a], [-b, a], [-b, b], [-a, b], [-a, -b], [-b, -b]];
    corners.forEach(([dx, dy], i) => (i ? context.lineTo(x + dx, y + dy) : context.moveTo(x + dx, y + dy)));
    context.closePath();
  } else {
    const [n, turn, a] = { 2: [3, -Math.PI / 2, 1.25], 3: [4, -Math.PI / 2, 1.25], 5: [3, Math.PI / 2, 1.25] }[shape];
    for (let i = 0; i < n; i += 1) {
      const angle = turn + (2 * Math.PI * i) / n;
      const [px, py] = [x + a * r * Math.cos(angle), y + a * r * Math.sin(angle)];
      if (i) context.lineTo(px, py);
      else context.moveTo(px, py);
    }
    context.closePath();
  }
}

// ------------------------------------------------------------------------------------------------ explorer

// The name of an explorer in links: the second of one name on a page is name~2.
function uniqueAnchor(wanted) {
  const taken = new Set([...document.querySelectorAll("[data-anchor]")].map((node) => node.dataset.anchor));
  let anchor = wanted;
  for (let n = 2; taken.has(anchor); n += 1) anchor = `${wanted}~${n}`;
  return anchor;
}

const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

// See the top of this file. `traits`: names of the traits that are the state. `valid(state)`: null, or why not.
// `linkState(state)`: what a link carries of it (default: all); `fromLink(stored)`: the change it means.
export function explorer({ model, el, kind, traits, draw, valid = () => null, linkState = (x) => x, fromLink = (x) => x }) {
  const words = model.get("words");
  // Links and Python may bring anything: what a check stumbles over is no state either.
  const check = (state) => {
    try {
      return valid(state);
    } catch {
      return t("bad-link");
    }
  };
  const cleanups = [];
  const history = [];
  let lastGesture = null;
  let busy = 0; // > 0 while the reader drags or a play runs: the live text is then announced sparingly
  let lastAnnounced = 0;
  let running = null; // the tween under way
  let palette = null;
  let started = false;
  let hushed = false;
  let announceTimer = 0;

  const status = h("p", { class: "gmm-status", role: "status", "aria-live": "polite" });
  const warning = h("div", { class: "gmm-warning", role: "alert", hidden: true });
  const notice = h("div", { class: "gmm-warning gmm-notice", role: "alert", hidden: true }); // about the link, until closed
  const plots = h("div", { class: "gmm-plots" });
  const controls = h("div", { class: "gmm-controls" });
  const root = h("div", { class: "gmm-explorer", "data-explorer": kind, role: "group" }, plots, status, notice, warning, controls);

  const t = (key, values = {}) => {
    const text = words[key];
    if (text === undefined) throw new Error(`no word for "${key}" in the table of the ${kind} explorer`);
    return minus(text.replace(/\{(\w+)\}/g, (_, name) => String(values[name])));
  };
  setAttribute(root, "aria-label", t("name"));

  const read = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const ex = { root, plots, controls, status, model, kind, t, state: read(), redraws: [], unit: 1, next: null };
  const followers = []; // what is filled anew after each drawing
  const initial = ex.state;

  function redraw(before = ex.state, options = {}) {
    if (!started) return;
    for (const prepare of ex.redraws) prepare();
    // A resize or a change of theme has nothing to tell: what was told last stays.
    hushed = before === ex.state && status.textContent !== "";
    draw(ex.state, before, { animate: false, ...options });
    hushed = false;
    for (const follow of followers) follow();
  }
  ex.redraw = redraw;

  // Sets the state: `to` is complete. Writes to the model what differs, so Python and other views follow.
  function become(to, options, write = true) {
    const before = ex.state;
    ex.state = to;
    if (write) {
      let changed = false;
      for (const name of traits) {
        if (same(before[name], to[name])) continue;
        model.set(name, to[name]);
        changed = true;
      }
      if (changed) model.save_changes();
    }
    setEnabled(undoButton, history.length > 0);
    redraw(before, options);
  }

  // record: false for what undo should pass over, such as which point is selected.
  ex.change = (patch, { gesture = null, animate = !gesture, record = true } = {}) => {
    const to = { ...ex.state, ...patch };
    if (traits.every((name) => same(to[name], ex.state[name]))) return true;
    const problem = check(to);
    if (problem) {
      redraw(); // a control may show what has been refused
      ex.tell(problem);
      return false;
    }
    if (record && (gesture === null || gesture !== lastGesture)) {
      history.push(ex.state);
      if (history.length > 200) history.shift();
    }
    if (record) lastGesture = gesture;
    become(to, { animate });
    return true;
  };

  ex.undo = () => {
    if (!history.length) {
      ex.tell(t("nothing-to-undo"));
      return;
    }
    stopAll();
    lastGesture = null;
    become(history.pop(), { animate: true });
  };
  ex.reset = (to = initial) => {
    stopAll();
    ex.change(to);
  };

  const undoButton = button(t("undo"), () => ex.undo());
  ex.undoButton = () => undoButton;
  ex.resetButton = (action = () => ex.reset()) => button(t("reset"), action);
  ex.canUndo = () => history.length > 0;

  // -- what is told

  ex.data = (values) => {
    for (const [name, value] of Object.entries(values)) setAttribute(root, `data-${name}`, value);
  };
  ex.tell = (text) => {
    if (hushed || status.textContent === text) return;
    const now = performance.now();
    clearTimeout(announceTimer);
    const aloud = !busy || now - lastAnnounced > 3000;
    setAttribute(status, "aria-live", aloud ? "polite" : "off");
    if (aloud) lastAnnounced = now;
    else announceTimer = setTimeout(() => !busy && ex.announce(), 600);
    status.textContent = text;
  };
  // Says the present text again, once the reader has let go.
  ex.announce = () => {
    const text = status.textContent;
    setAttribute(status, "aria-live", "polite");
    status.replaceChildren(text);
    lastAnnounced = performance.now();
  };
  ex.busy = (on) => {
    busy += on ? 1 : -1;
    if (!busy) ex.announce();
  };
  ex.numberInput = (options) =>
    numberInput({ ...options, refuse: (low, high) => ex.tell(t("number-limits", { low: formatNumber(low, 6), high: formatNumber(high, 6) })) });
  // tables: [{ caption, head: () => [text, …], rows: () => [[text, …], …] }, …]; a table without rows is left out. Filled
  // only while they can be seen.
  ex.tables = (tables, ...more) => {
    const boxes = tables.map(() => h("table"));
    const part = disclosure(t("numbers"), h("div", { class: "gmm-scroll gmm-tables", tabindex: 0, role: "region", "aria-label": t("numbers") }, ...more, ...boxes));
    const fill = () => {
      if (!part.open) return;
      tables.forEach(({ caption, head, rows }, n) => {
        const lines = rows();
        boxes[n].hidden = lines.length === 0;
        const cell = (text, i) => (i ? h("td", {}, text) : h("th", { scope: "row" }, text));
        boxes[n].replaceChildren(
          h("caption", {}, caption),
          h("thead", {}, h("tr", {}, ...head().map((text) => h("th", { scope: "col" }, text)))),
          h("tbody", {}, ...lines.map((line) => h("tr", {}, ...line.map((text, i) => cell(minus(String(text)), i))))),
        );
      });
    };
    part.addEventListener("toggle", fill);
    followers.push(fill);
    return part;
  };
  ex.help = () => disclosure(t("help"), h("p", { class: "gmm-help" }, t("help-text")), h("p", { class: "gmm-help" }, t("help-keys")));
  ex.parts = (tables, ...others) => more(...others, ex.tables(tables), ex.help());
  ex.stateRow = () => row(ex.undoButton(), ex.resetButton(), ex.linkButton(), projectorButton);

  // -- projector: the explorer alone on the whole screen, all sizes with it; a presenter's keys step and go back

  const projectorButton = button(t("projector"), () => project(!root.hasAttribute("data-projector")), { title: t("projector-title") });
  setPressed(projectorButton, false);
  ex.projectorButton = () => projectorButton;
  function project(on) {
    if (on === root.hasAttribute("data-projector")) return;
    setAttribute(root, "data-projector", on);
    setPressed(projectorButton, on);
    // In the top layer nothing of the page lies above it; where there is none, it is fixed at least.
    setAttribute(root, "popover", on && root.showPopover ? "manual" : null);
    if (on) root.showPopover?.();
    document[on ? "addEventListener" : "removeEventListener"]("keydown", presenter, true);
    ex.resize();
    projectorButton.focus({ preventScroll: true });
    root.scrollTop = 0;
    if (!on) root.scrollIntoView({ block: "nearest" });
    ex.tell(t(on ? "projector-on" : "projector-off"));
  }
  function presenter(event) {
    if (event.key === "PageDown") ex.next?.();
    else if (event.key === "PageUp") ex.undo();
    else if (event.key === "Escape") project(false);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  ex.sizes = [];
  ex.resize = () => {
    for (const forget of ex.sizes) forget();
    redraw();
  };
  cleanups.push(() => document.removeEventListener("keydown", presenter, true));

  let warned = null;
  ex.warn = (text, buttons = () => []) => {
    if (text === warned) return;
    warned = text;
    warning.hidden = !text;
    warning.replaceChildren(...(text ? [h("p", {}, text), row(...buttons())] : []));
  };

  // -- color

  ex.color = (name) => {
    if (!palette) palette = { css: getComputedStyle(root), got: {}, oklab: [] };
    return (palette.got[name] ??= palette.css.getPropertyValue(`--${name}`).trim());
  };
  // The color of a point that belongs shares[at + j] to component j.
  ex.mix = (shares, k, at = 0) => {
    ex.color("c1");
    const sum = [0, 0, 0];
    for (let j = 0; j < k; j += 1) {
      const lab = (palette.oklab[j] ??= hexToOklab(ex.color(`c${j + 1}`)));
      for (let c = 0; c < 3; c += 1) sum[c] += shares[at + j] * lab[c];
    }
    return oklabToRgb(...sum);
  };
  const retheme = () => {
    const dark = isDark();
    if (palette && root.hasAttribute("data-dark") === dark) return;
    setAttribute(root, "data-dark", dark);
    palette = null;
    redraw();
  };
  const themes = new MutationObserver(retheme);
  for (const node of [document.documentElement, document.body]) {
    themes.observe(node, { attributes: true, attributeFilter: ["data-theme", "theme", "class", "data-jp-theme-light"] });
  }
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", retheme);
  cleanups.push(() => themes.disconnect(), () => scheme.removeEventListener("change", retheme));

  // -- motion

  // Calls frame(f) with f from 0 to 1 over `ms`; one tween at a time, a new one takes over where the old one is.
  ex.tween = (ms, frame, done = () => {}) => {
    ex.stopTween();
    if (ms <= 0 || prefersReducedMotion() || document.hidden) {
      frame(1);
      done();
      return;
    }
    const lasts = players.some(({ playing }) => playing) ? ms / speed : ms;
    const began = performance.now();
    const tick = (now) => {
      const f = clamp((now - began) / lasts, 0, 1);
      running = f < 1 ? requestAnimationFrame(tick) : null;
      frame(ease(f));
      if (f === 1) done();
    };
    running = requestAnimationFrame(tick);
  };
  ex.stopTween = () => {
    if (running !== null) cancelAnimationFrame(running);
    running = null;
  };
  ex.moving = () => running !== null;
  cleanups.push(() => ex.stopTween());

  // A Play/Pause button: step(gesture) makes one move and returns false when there is no further one.
  // Beside it a choice of speed, and a button that goes to the end at once: end(gesture), or all moves without a pause.
  const players = [];
  let speed = 1;
  ex.player = ({ step, interval = 900, end = null }) => {
    let timer = null;
    let gesture = null;
    const player = { playing: false };
    player.button = button(t("play"), () => (player.playing ? player.stop() : player.play()), { kind: "play" });
    const speeds = select({ label: "", name: t("speed"), options: SPEEDS.map((times) => [times, `${times}×`]), value: 1, onchange: (times) => (speed = times) });
    const toEnd = button(t("to-end"), () => {
      player.stop();
      const held = newGesture();
      if (end) end(held);
      else for (let n = 0; n < MOVES_AT_MOST && step(held) !== false; n += 1);
    });
    player.controls = [player.button, speeds, toEnd];
    player.toEnd = toEnd;
    player.play = () => {
      if (player.playing) return;
      player.playing = true;
      gesture = newGesture();
      player.button.textContent = t("pause");
      ex.busy(true);
      const move = () => {
        if (step(gesture) === false) player.stop();
        else timer = setTimeout(move, interval / speed);
      };
      move();
    };
    player.stop = () => {
      if (!player.playing) return;
      player.playing = false;
      clearTimeout(timer);
      player.button.textContent = t("play");
      ex.busy(false);
    };
    players.push(player);
    cleanups.push(player.stop);
    return player;
  };
  function stopAll() {
    for (const player of players) player.stop();
  }
  ex.stopPlaying = stopAll;

  // -- links

  let anchor = null;
  ex.link = () => {
    const here = location.href.split("#")[0];
    return `${here}#${encodeURIComponent(anchor)}=${encodeState(linkState(ex.state))}`;
  };
  const linkText = h("input", { class: "gmm-link", type: "text", readonly: true, hidden: true, "aria-label": t("link") });
  ex.linkButton = () => {
    const copy = button(t("copy-link"), async () => {
      const link = ex.link();
      try {
        history_replace(link);
        await navigator.clipboard.writeText(link);
        ex.tell(t("link-copied"));
      } catch {
        // No clipboard here (an old browser, or a page that is not secure): show the link, ready to be copied.
        linkText.hidden = false;
        linkText.value = link;
        linkText.focus();
        linkText.select();
        ex.tell(t("link-shown"));
      }
    });
    return h("span", { class: "gmm-linking" }, copy, linkText);
  };
  // The address bar follows where the page allows it; some hosts (srcdoc frames) do not.
  function history_replace(link) {
    try {
      window.history.replaceState(window.history.state, "", link);
    } catch {
      /* the copied link is what counts */
    }
  }
  function takeLink() {
    let code = null;
    try {
      code = readFragment(location.hash, anchor);
    } catch {
      return;
    }
    if (code === null) return;
    let problem = null;
    try {
      const stored = decodeState(code);
      if (stored === null || typeof stored !== "object" || Array.isArray(stored)) throw new Error("no state");
      const to = { ...ex.state, ...fromLink(stored) };
      problem = Object.keys(to).every((name) => traits.includes(name)) ? check(to) : t("bad-link");
      if (!problem) ex.change(to);
    } catch {
      problem = t("bad-link");
    }
    notice.hidden = !problem;
    const close = button(t("dismiss"), () => (notice.hidden = true));
    notice.replaceChildren(...(problem ? [h("p", {}, problem), row(close)] : []));
    root.scrollIntoView?.({ block: "center", behavior: "auto" });
  }

  // -- Python and other views

  let pending = false;
  function listen() {
    if (pending) return;
    pending = true;
    // One message may change several traits; look at them together.
    queueMicrotask(() => {
      pending = false;
      const to = read();
      if (traits.every((name) => same(to[name], ex.state[name]))) return;
      const problem = check(to);
      if (problem) {
        ex.tell(problem);
        return;
      }
      stopAll();
      lastGesture = null;
      history.push(ex.state);
      become(to, { animate: true }, false);
    });
  }

  ex.onCleanup = (fn) => cleanups.push(fn);
  ex.gesture = newGesture;

  ex.start = () => {
    for (const name of traits) model.on(`change:${name}`, listen);
    cleanups.push(() => traits.forEach((name) => model.off(`change:${name}`, listen)));
    anchor = uniqueAnchor(model.get("anchor") || kind);
    setAttribute(root, "data-anchor", anchor);
    el.append(root);
    setAttribute(root, "data-dark", isDark());
    setAttribute(status, "id", `${anchor}-status`);
    for (const picture of root.querySelectorAll(".gmm-front")) setAttribute(picture, "aria-describedby", status.id);
    setAttribute(root, "id", document.getElementById(anchor) ? null : anchor);
    started = true;
    redraw();
    takeLink();
    window.addEventListener("hashchange", takeLink);
    cleanups.push(() => window.removeEventListener("hashchange", takeLink));
    const keys = (event) => {
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (plain && event.key.toLowerCase() === "p" && !event.target.matches("input:not([type=range], [type=checkbox]), select")) {
        project(!root.hasAttribute("data-projector"));
      } else if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z" && !event.target.matches("input")) {
        event.preventDefault();
        ex.undo();
      }
    };
    root.addEventListener("keydown", keys);
    return () => {
      for (const cleanup of cleanups.splice(0)) cleanup();
      root.remove();
    };
  };
  setEnabled(undoButton, false);
  return ex;
}

// -------------------------------------------------------------------------------------------------- figure

const PROJECTED = 0.52; // of the screen's height: a picture on a projector
let clips = 0; // a number for each clipping of a page
const FONT_SIZE = 15; // px: of an explorer's text, where the browser's is 16 (explorer.css)
const CHARACTER = 7.7; // px: about the width of a digit of a tick
// A range that has a length, also where all values are one but for rounding.
function withLength([low, high]) {
  const least = LEAST_RANGE * Math.max(Math.abs(low), Math.abs(high), 1e-300);
  return Math.abs(high - low) >= least ? [low, high] : [low - least, high + least];
}

const LEAST_RANGE = 1e-9;
// How many steps a key goes, across and up; Home and End go further than any handle can.
const HANDLE_KEYS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1],
  PageUp: [0, 10], PageDown: [0, -10], Home: [0, -1e4], End: [0, 1e4],
};
const REACH = 24; // px: how far from its center a handle can be grasped (touch targets of at least 44 px)

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
  const handles = [];
  const scale = { x: options.x?.domain ?? [0, 1], y: options.y?.domain ?? [0, 1] };
  if (options.clip) {
    clips += 1;
    setAttribute(curves, "clip-path", `url(#gmm-clip-${clips})`);
  }
  const opening = options.clip ? s("rect", { x: -4, y: -4 }) : null;
  if (opening) svg.prepend(s("defs", {}, s("clipPath", { id: `gmm-clip-${clips}` }, opening)));
  const plot = { element, svg, canvas, under, over, curves, margin, width: 300, height: 200, unit: 1, handles };
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
    const ys = y.ticks ? labelled(scale.y, y).filter(([value]) => value >= (y.from ?? -Infinity)) : [];
    makeRoom(unit * Math.max(margins.left, 11 + CHARACTER * Math.max(0, ...ys.map(([, text]) => text.length))));
    const { width } = plot;
    for (const [value, text] of x.ticks ? labelled(scale.x, x, width / unit) : []) {
      const at = plot.x(value).toFixed(1);
      items.push(s("line", { x1: at, x2: at, y1: tall, y2: tall + 5 * unit }));
      const half = (unit * CHARACTER * text.length) / 2; // at an edge it moves inwards
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
  // Takes away the marks whose name begins so and is not in `keep`.
  plot.keep = (prefix, keep) => {
    for (const name of [...parts.keys()]) if (name.startsWith(prefix) && !keep.has(name)) plot.mark(name, "g", null);
  };

  // -- handles: things to take hold of, by pointer, touch or arrow keys

  // drag(x, y, gesture): where it is wanted, in data units. step: [dx, dy] of an arrow key, or a function giving it;
  // Shift makes ten. `keys(dx, dy, gesture, event)` replaces that rule. `key(event)` sees other keys first; true: done.
  // `shape`: "disc", "ring" or "point"; `text`: what stands in it.
  plot.handle = ({ label: name, text = "", shape = "disc", color = null, step = [1, 1], drag, keys = null, key = null, release = () => {}, focus = () => {}, reach = REACH }) => {
    const symbol = shape === "ring" ? s("path", { class: "gmm-knob", d: "M-7 0L0 -7L7 0L0 7Z" }) : s("circle", { class: "gmm-knob", r: shape === "point" ? 9 : 12 });
    const letter = s("text", { class: "gmm-knob-text", "text-anchor": "middle", dy: "0.35em" }, text);
    const node = s("g", { class: `gmm-handle gmm-${shape}`, role: "slider", tabindex: 0, "aria-label": name }, s("circle", { class: "gmm-reach", r: 22 }), symbol, letter);
    if (color) node.style.setProperty("--knob", color);
    knobs.append(node);
    const handle = { node, at: [0, 0], px: [0, 0], hidden: false, reach, drag, release };
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
      if (keys) keys(dx * times, dy * times, held, event);
      else if (end !== undefined) drag(...(sx ? [handle.ends[end], handle.at[1]] : [handle.at[0], handle.ends[end]]), held);
      else {
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
      release();
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
    const { handle, moved } = grasped;
    grasped = null;
    setAttribute(element, "data-dragging", null);
    ex.busy(false);
    if (moved) handle.release();
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
    if (!stale) return false;
    if (element.clientWidth < 50) return false;
    total = element.clientWidth;
    stale = false;
    ex.unit = parseFloat(getComputedStyle(ex.root).fontSize) / FONT_SIZE;
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
  const observer = new ResizeObserver(() => (resized ??= requestAnimationFrame(() => {
    resized = null;
    stale = true;
    if (measure()) ex.redraw();
  })));
  observer.observe(element);
  ex.onCleanup(() => {
    observer.disconnect();
    cancelAnimationFrame(resized);
  });
  return plot;
}
