// What every explorer shares: state with undo and links, controls, figures, handles, motion.
//
// A NEW EXPLORER IN TEN LINES. gmm_lib/widgets/my.py holds the traits and still()/describe(); the words go in
// words.en.json under "my" (at least "name" and "help"); one line goes in EXPLORERS of __init__.py; and my.js is
//
//   import { button } from "./elements.js";
//   import { explorer } from "./explorer.js";
//   import { figure } from "./figure.js";
//   function render({ model, el }) {
//     const ex = explorer({ model, el, kind: "my", traits: ["a"], draw });   // the traits that are the state
//     const plot = figure(ex, { label: ex.t("plot"), x: { label: "a", domain: [0, 1] }, y: { domain: [0, 1] } });
//     const knob = plot.handle({ label: ex.t("knob"), step: [0.01, 0], drag: (x) => ex.change({ a: x }) });
//     ex.controls.append(button(ex.t("half"), () => ex.change({ a: 0.5 })));
//     function draw({ a }) {            // called after every change, whoever made it: reader, Python, link, undo
//       knob.place(a, 0.5, { now: a, min: 0, max: 1 });
//       ex.data({ a });                 // data-a on the root, in full precision, for tests and the conditions of tasks;
//                                       // VALUES of the class says what a is
//       ex.tell(ex.t("status", { a: formatNumber(a) }));
//     }
//     return ex.start();
//   }
//   export default { render };
//
// explorer() gives: ex.state, ex.change(patch, {gesture, animate}), ex.t(key, values), ex.tell(text), ex.data({…}),
//   ex.plots and ex.controls (elements to append to), ex.undo(), ex.reset(), ex.tween(ms, frame), ex.player({step, end}),
//   ex.numberInput({…}), ex.color(name), ex.mix(shares), ex.gesture(), ex.warn(text, buttons) for states the reader
//   must be told of, ex.onCleanup(fn), ex.start(); ex.choice(trait, values), which shows the trait by itself;
//   ex.stateRow() with Undo, Reset, Copy link and Projector; and ex.parts(tables) with the parts that open: the numbers
//   of every picture as tables, and Help.
// - ex.next = () => …: the next step of a presentation, on Page Down in projector mode; Page Up is Undo.
// - Sizes of text and of what a finger hits are multiples of --px, which follows the browser's font size and the
//   projector; plot.unit is the same as a number, for margins and offsets in pictures.
// - State is the listed traits and nothing else; a change is {trait: value}. Changes that carry the same `gesture`
//   (handles give one: drag(x, y, gesture)) are one entry for undo. `valid(state)` may return a text: the change is
//   then refused (from a link or from Python it is told, never thrown).
// - draw(state, before, {animate}) must be a function of the state alone. To move softly, use ex.tween in it. It is
//   also called with before === state after a resize or a change of theme: let a tween under way (ex.moving()) go on.
// - The bundler joins modules into one text: top-level names must be unique across all of them; imports only as
//   above; no code at the top level that touches the document.
// - Wording only from ex.t; colors only from CSS variables (explorer.css); numbers through formatNumber.
// - Never innerHTML: links are input from strangers.
import { hexToOklab, isDark, oklabToRgb } from "./color.js";
import {
  button, disclosure, h, more, newGesture, numberInput, row, select, setAttribute, setEnabled, setPressed,
} from "./elements.js";
import { clamp, formatNumber, minus } from "./numbers.js";

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

const SPEEDS = [1, 4, 16];
const MOVES_AT_MOST = 5000; // on the way to the end

export function ease(t) {
  return t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
}

// The name of an explorer in links: the second of one name on a page is name~2.
function uniqueAnchor(wanted) {
  /** @type {NodeListOf<HTMLElement>} */
  const anchored = document.querySelectorAll("[data-anchor]");
  const taken = new Set([...anchored].map((node) => node.dataset.anchor));
  let anchor = wanted;
  for (let n = 2; taken.has(anchor); n += 1) anchor = `${wanted}~${n}`;
  return anchor;
}

const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

// make(state, …), which asks of the state for no more than these traits: what it has made last is kept, or all.
/** @type {<Of extends any[], Made>(traits: string[], make: (...of: Of) => Made, all?: boolean) => (...of: Of) => Made} */
export const remembered = (traits, make, all = false) => {
  const known = new Map();
  return (...of) => {
    const [state, ...others] = of;
    const key = JSON.stringify([traits.map((name) => state[name]), others]);
    if (!known.has(key)) {
      if (!all) known.clear();
      known.set(key, make(...of));
    }
    return known.get(key);
  };
};

// See the top of this file. `traits`: names of the traits that are the state. `valid(state)`: null, or why not.
// `linkState(state)`: what a link carries of it (default: all); `fromLink(stored)`: the change it means.
/**
 * @typedef {{ get: (name: string) => any, set: (name: string, value: unknown) => void, save_changes: () => void,
 *   on: (event: string, listener: () => void) => void, off: (event: string, listener: () => void) => void }} Model
 * @param {{ model: Model, el: HTMLElement, kind: string, traits: string[],
 *   draw: (state: any, before: any, options: { animate: boolean }) => void, valid?: (state: any) => string | null,
 *   linkState?: (state: any) => object, fromLink?: (stored: any) => object }} options
 */
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

  /** @returns {any} the traits by name; which there are the explorer's own module knows */
  const read = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const ex = { root, plots, controls, status, t, state: read(), redraws: [], unit: 1, next: null };
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
  // A choice of what the trait `name` is, among `values`. It is called by the word `name`, each value by `name`-value.
  ex.choice = (name, values, onchange = (value) => ex.change({ [name]: value })) => {
    const options = values.map((value) => [value, t(`${name}-${value}`)]);
    const choice = select({ label: t(name), name: t(name), options, value: ex.state[name], onchange });
    followers.push(() => choice.set(ex.state[name]));
    return choice;
  };
  // tables: [{ caption, head: () => [text, …], rows: () => [[text, …], …] }, …]; a table without rows is left out. Filled
  // only while they can be seen.
  ex.tables = (tables, ...more) => {
    const boxes = tables.map(() => h("table", { hidden: true }));
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
  ex.parts = (tables) => more(ex.tables(tables), ex.help());
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
  ex.tween = (ms, frame) => {
    ex.stopTween();
    if (ms <= 0 || matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden) {
      frame(1);
      return;
    }
    const lasts = players.some(({ playing }) => playing) ? ms / speed : ms;
    const began = performance.now();
    const tick = (now) => {
      const f = clamp((now - began) / lasts, 0, 1);
      running = f < 1 ? requestAnimationFrame(tick) : null;
      frame(ease(f));
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
  const linkText = h("input", { class: "gmm-link", type: "text", readonly: true, hidden: true, "aria-label": t("link") });
  ex.linkButton = () => {
    const copy = button(t("copy-link"), async () => {
      const link = `${location.href.split("#")[0]}#${encodeURIComponent(anchor)}=${encodeState(linkState(ex.state))}`;
      try {
        window.history.replaceState(window.history.state, "", link);
      } catch {
        // Some hosts (srcdoc frames) do not let the address bar follow: the copied link is what counts.
      }
      try {
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
