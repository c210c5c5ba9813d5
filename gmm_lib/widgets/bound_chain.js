// The chain ℓ(θ_t+1) ≥ B(Q_t, θ_t+1) ≥ B(Q_t, θ_t) = ℓ(θ_t): its lines beside the picture, its levels in it.
import { h, s, setAttribute } from "./elements.js";
import { formatFixed, formatPower, minus } from "./numbers.js";

const CHAIN_TERMS = [["ℓ(θ", "t+1", ")"], ["B(Q", "t", ", θ", "t+1", ")"], ["B(Q", "t", ", θ", "t", ")"], ["ℓ(θ", "t", ")"]];
const CHAIN_PLAYS = [null, null, "m", "e"]; // the half step that is the reason of a line
const CHAIN_PITCH = 46; // px from line to line; explorer.css gives them this height
const CHAIN_STEM = 26; // px from the picture to the lines, where these stand beside it; explorer.css has it too

// A difference of log-likelihoods to their four places; one that these would hide, as a multiple of a power of ten.
export function formatNats(value) {
  return value === 0 ? "0" : Math.abs(value) >= 5e-5 ? formatFixed(value, 4) : formatPower(value, 2);
}

// Whether two heights are one but for rounding.
export const touching = (a, b) => Math.abs(a - b) <= 1e-12 * Math.max(1, Math.abs(a), Math.abs(b));

// The lines from the highest down: {height, sign, by}, by being how far the line above is away. Until an M step has been
// made only the lower two are known (the others' height is null); where Q is not the responsibilities, they do not touch.
export function chainOf(before, logLikelihood, bound) {
  const heights = before.length ? [logLikelihood, bound, before[1], before[0]] : [null, null, bound, logLikelihood];
  return heights.map((height, n) => {
    const above = n === 0 || heights[n - 1] === null ? null : heights[n - 1];
    const one = above !== null && touching(above, height);
    return {
      height,
      sign: n === 0 ? "" : n < 3 ? (one ? "=" : "≥") : one ? "=" : "≤",
      by: above === null ? null : one ? 0 : Math.abs(above - height),
    };
  });
}

export const chainTerm = (n) => CHAIN_TERMS[n].join("");

// play: {e, m}, what a press on the line of that half step does.
// Gives `element`; `set(chain, half)`, half being the half step whose line is marked, or null; and
// `draw(plot, chain, beside)`, the levels at the picture's right edge, which needs a margin of 18 px there.
export function boundChain(t, play) {
  const term = (n) => CHAIN_TERMS[n].map((part, i) => (i % 2 ? h("sub", {}, part) : part));
  const reasons = ["", t("gap"), "M", "E"];
  const lines = CHAIN_PLAYS.map((half, n) => {
    const [sign, value, by] = ["sign", "value", "by"].map((part) => h("span", { class: `gmm-chain-${part}` }));
    const parts = [sign, " ", h("span", { class: "gmm-chain-term" }, ...term(n)), " ", value, " ", h("span", { class: "gmm-chain-reason" }, reasons[n]), " ", by];
    const line = half
      ? h("button", { type: "button", class: "gmm-button gmm-chain-line", title: t(`${half}-step`), onclick: () => play[half]() }, ...parts)
      : h("div", { class: "gmm-chain-line" }, ...parts);
    return { line, sign, value, by };
  });
  const stems = lines.map((_, n) => s("path", { class: levelClass(n) }));
  const element = h("div", { class: "gmm-chain" },
    s("svg", { class: "gmm-stems", "aria-hidden": "true" }, ...stems),
    h("ol", { role: "list", "aria-label": t("chain") }, ...lines.map(({ line }) => h("li", {}, line))),
  );

  function set(chain, marked) {
    chain.forEach(({ height, by, sign }, n) => {
      const own = lines[n];
      own.sign.textContent = sign;
      own.value.textContent = height === null ? "–" : minus(formatFixed(height, 4));
      own.by.textContent = by === null ? "" : minus(formatNats(by));
      setAttribute(own.line, "aria-current", CHAIN_PLAYS[n] && CHAIN_PLAYS[n] === marked ? "step" : null);
      setAttribute(own.line, "data-loose", sign === "≤");
    });
  }

  // Between the levels stands what the M step has gained, and the gap; from each a stem leads to its line.
  function draw(plot, chain, beside) {
    const { unit, width } = plot;
    const levels = chain.map(({ height }) => (height === null ? null : plot.y(height)));
    const bar = (name, from, to, color) =>
      plot.mark(name, "line", from === null || to === null ? null : { x1: width + 8 * unit, x2: width + 8 * unit, y1: from, y2: to, stroke: `var(--${color})`, "stroke-width": 6 * unit }, plot.over);
    bar("chain-climb", levels[2], levels[1], "c1");
    bar("chain-gap", levels[1] ?? levels[2], levels[0] ?? levels[3], "c3");
    levels.forEach((y, n) => {
      plot.mark(`level-${n}`, "line", y === null ? null : { x1: width + 1 * unit, x2: width + 16 * unit, y1: y, y2: y, class: levelClass(n) }, plot.over);
      setAttribute(stems[n], "d", y === null || !beside ? null : `M0 ${y + plot.margin.top}L${CHAIN_STEM * unit} ${(n + 0.5) * CHAIN_PITCH * unit}`);
    });
  }
  return { element, set, draw };
}

const levelClass = (n) => (n % 3 ? "gmm-level gmm-level-bound" : "gmm-level");
