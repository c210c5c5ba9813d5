// Light or dark, colors between colors, and the marks that tell components apart without color.
import { clamp } from "./numbers.js";

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
