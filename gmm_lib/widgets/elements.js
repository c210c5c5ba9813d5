// Elements of HTML and SVG, and the controls made of them.
import { LIMIT } from "./numbers.js";

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

// Labels are given whole and visible; `name` overrides what a screen reader says where the label is a symbol.
export function button(label, onclick, { name = null, kind = null, title = null } = {}) {
  return h("button", { type: "button", class: "gmm-button", "aria-label": name, "data-kind": kind, title, onclick }, label);
}

// Shows `text` in an element, which is hidden where there is none.
export function put(element, text) {
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
}

// A button that cannot be used now stays focusable and says why when pressed.
export function setEnabled(element, enabled) {
  setAttribute(element, "aria-disabled", enabled ? null : "true");
}

export function setPressed(element, pressed) {
  setAttribute(element, "aria-pressed", pressed ? "true" : "false");
}

// Each control returns its element with `.set(value)`; set never calls the listener.
/**
 * @param {{ label: string, min: number, max: number, step?: number, value?: number, format?: (value: number) => string,
 *   oninput: (value: number, gesture: string) => void, name?: string | null }} options
 */
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

/**
 * @template V
 * @param {{ label: string, options: [value: V, text: string][], value?: V, onchange: (value: V) => void, name?: string | null }} options
 */
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
/**
 * @param {{ label: string | null, name?: string | null, value?: number, min?: number, max?: number, step?: number | "any",
 *   onchange: (value: number) => unknown, refuse?: (low: number, high: number) => void }} options
 */
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
