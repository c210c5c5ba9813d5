// What the EM explorer asks of a mixture, apart from any picture: whether a state can be, other numbers of components,
// what lies between two moments.
import { COVARIANCE_TYPES, constrained, eStep, flatten, logDensity, makeMixture, moments, nested, unlessDegenerate } from "./em.js";
import { LIMIT } from "./numbers.js";

export const MAX_K = 6;
export const EM_ITERATIONS = 10000; // the most a link may ask for; em_explorer.py has it too

const numbers = (value, depth) =>
  depth === 0 ? Number.isFinite(value) : Array.isArray(value) && value.length > 0 && value.every((item) => numbers(item, depth - 1));

// null, or what is wrong with a state of the EM explorer: links and Python may bring anything. `known`: its numbers have
// been computed with before.
export function emProblem(state, t, known) {
  const { points, weights, means, covariances } = state;
  const [m, k, d] = [points?.length, weights?.length, means?.[0]?.length];
  const sound =
    numbers(points, 2) && numbers(weights, 1) && numbers(means, 2) && numbers(covariances, 3) &&
    k <= MAX_K && (d === 1 || d === 2) && points.every((x) => x.length === d) &&
    means.length === k && means.every((mean) => mean.length === d) &&
    covariances.length === k && covariances.every((rows) => rows.length === d && rows.every((line) => line.length === d)) &&
    weights.every((weight) => weight > 0) && Math.abs(weights.reduce((a, b) => a + b) - 1) < 1e-6 &&
    Number.isInteger(state.iteration) && state.iteration >= 0 && state.iteration <= EM_ITERATIONS &&
    ["e", "m"].includes(state.half) && COVARIANCE_TYPES.includes(state.covariance_type) && typeof state.data === "string" &&
    (state.selected === null || (Number.isInteger(state.selected) && state.selected >= 0 && state.selected < m));
  if (!sound) return t("bad-state");
  const within = (value, limit) => value.flat(2).every((number) => Math.abs(number) <= limit);
  if (!within(points, LIMIT) || !within(means, LIMIT) || !within(covariances, LIMIT ** 2)) return t("too-far", { limit: LIMIT });
  if (known) return null;
  const theta = unlessDegenerate(() => makeMixture(weights, means, covariances), () => null);
  if (!theta) return t("not-positive");
  return Number.isFinite(eStep(flatten(points).x, m, theta, new Float64Array(m * k))) ? null : t("no-likelihood");
}

// θ with one component more, and more, up to k: each begins at the point that those before it explain worst.
export function grown(mixture, { x, m, d }, k, type) {
  const { weights, means, covariances } = nested(mixture);
  const { scatter } = moments(x, m, new Float64Array(m).fill(1), 1, d);
  const spread = Array.from({ length: d }, (_, a) => (scatter[a * d + a] / m || 1) / (k * k));
  for (let j = weights.length; j < k; j += 1) {
    const all = weights.reduce((a, b) => a + b);
    const soFar = makeMixture(weights.map((weight) => weight / all), means, covariances);
    let worst = 0;
    let least = Infinity;
    for (let i = 0; i < m; i += 1) {
      const density = logDensity(soFar, x, i * d);
      if (density < least) [worst, least] = [i, density];
    }
    means.push(Array.from(x.subarray(worst * d, worst * d + d)));
    covariances.push(spread.map((variance, a) => spread.map((_, b) => (a === b ? variance : 0))));
    weights.push(all / j);
  }
  const total = weights.reduce((a, b) => a + b);
  return nested(constrained(makeMixture(weights.map((weight) => weight / total), means, covariances), type));
}

// The first k components, with the weights they have among each other.
export function shrunk(mixture, k) {
  const { weights, means, covariances } = nested(mixture);
  const kept = weights.slice(0, k);
  const total = kept.reduce((a, b) => a + b);
  return { weights: kept.map((weight) => weight / total), means: means.slice(0, k), covariances: covariances.slice(0, k) };
}

// Between two mixtures, and between two tables of responsibilities, at f from 0 to 1.
export function blend(a, b, f) {
  if (f <= 0) return a;
  if (f >= 1) return b;
  const part = (name) => a[name].map((value, i) => value + (b[name][i] - value) * f);
  const between = nested({ k: a.k, d: a.d, weights: part("weights"), means: part("means"), covariances: part("covariances") });
  try {
    return makeMixture(between.weights, between.means, between.covariances);
  } catch {
    return b;
  }
}

export const mixShares = (a, b, f) => (a && b ? a.map((share, i) => share + (b[i] - share) * f) : b ?? a);
