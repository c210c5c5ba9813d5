// Where a curve's name can stand: beside the curve, off what else is drawn.
import { CHARACTER, clamp } from "./numbers.js";

const NAME_HEIGHT = 16; // px, of a name's line; its letters are a little wider than a tick's digits
const NAME_AIR = 3;

// The box [left, top, right, bottom] of `text` at the place {x, y, anchor}, y being the middle of its height.
function boxOf(text, { x, y, anchor }, unit) {
  const wide = 1.05 * CHARACTER * unit * text.length;
  const left = x - { start: 0, middle: wide / 2, end: wide }[anchor];
  return [left, y - (NAME_HEIGHT / 2) * unit, left + wide, y + (NAME_HEIGHT / 2) * unit];
}

/**
 * Between which parts of its length the segment from a to b is inside the box; null where it is not.
 * @param {number[]} box
 * @param {number[]} a
 * @param {number[]} b
 */
export function partInside([left, top, right, bottom], [ax, ay], [bx, by]) {
  let [from, to] = [0, 1];
  for (const [start, step, low, high] of [[ax, bx - ax, left, right], [ay, by - ay, top, bottom]]) {
    if (step === 0 && (start < low || start > high)) return null;
    if (step === 0) continue;
    const [one, two] = [(low - start) / step, (high - start) / step];
    [from, to] = [Math.max(from, Math.min(one, two)), Math.min(to, Math.max(one, two))];
  }
  return from <= to ? [from, to] : null;
}

// The first of `places` ({x, y, anchor} in px) at which `text` is inside the picture and meets no curve ([[x, y], …]) and
// no spot ([x, y, radius]) and no other name (what writeName returned); where there is none, the one that meets least.
export function placeName(plot, text, places, { curves = [], spots = [], names = [] }) {
  const { unit, width, height } = plot;
  const air = NAME_AIR * unit;
  let [best, least] = [null, Infinity];
  for (const place of places) {
    const [left, top, right, bottom] = boxOf(text, place, unit);
    const box = [left - air, top - air, right + air, bottom + air];
    let met = left < 0 || right > width || top < -plot.margin.top || bottom > height ? 1000 : 0;
    for (const [x, y, r] of spots) if (Math.hypot(x - clamp(x, left, right), y - clamp(y, top, bottom)) < r) met += 100;
    for (const [l, t, r, b] of names) if (l < box[2] && r > box[0] && t < box[3] && b > box[1]) met += 100;
    for (const curve of curves) for (let i = 1; i < curve.length && met < least; i += 1) if (partInside(box, curve[i - 1], curve[i])) met += 1;
    if (met < least) [best, least] = [place, met];
    if (least === 0) break;
  }
  return best;
}

// Places around a mark, near ones first: above to either side, below to either side.
export function placesAround([x, y], unit) {
  const sides = [[1, -1], [-1, -1], [1, 1], [-1, 1]];
  return [12, 26, 44].flatMap((dx) => [16, 24, 34, 48, 64].flatMap((dy) => sides.map(([right, down]) => ({ x: x + right * dx * unit, y: y + down * dy * unit, anchor: right > 0 ? "start" : "end" }))));
}

// Places around points of a curve, near ones first: above, below, and to either side.
export function placesAlong(points, unit, distance = 14) {
  return points.flatMap(([x, y]) => [
    { x, y: y - distance * unit, anchor: "middle" },
    { x, y: y + distance * unit, anchor: "middle" },
    { x: x + 0.7 * distance * unit, y, anchor: "start" },
    { x: x - 0.7 * distance * unit, y, anchor: "end" },
  ]);
}

// Writes the name, or takes it away where `text` or every place is missing. Returns the boxes it takes, for the next name
// to keep off: one or none.
export function writeName(plot, key, text, places, obstacles) {
  const place = text ? placeName(plot, text, places, obstacles) : null;
  plot.mark(key, "text", place && { x: place.x, y: place.y, dy: "0.32em", "text-anchor": place.anchor, class: "gmm-name", text }, plot.over);
  return place ? [boxOf(text, place, plot.unit)] : [];
}
