// EM for Gaussian mixtures in the browser: gmm_lib/mixture.py, em.py and covariance.py once more, for live pictures.
// tests/test_parity.py holds it to them, to 1e-10. Arrays are flat, row by row: points x[i * d + c],
// responsibilities w[i * k + j], means[j * d + c], covariances[(j * d + a) * d + b].

const EPS = 2 ** -52;
const LOG_2PI = Math.log(2 * Math.PI);
const EMPTY_SHARE = 1e-300; // as in covariance.py: less than this of all weight is nothing

export const COVARIANCE_TYPES = ["full", "tied", "diag", "spherical"];

// A component has lost its points ("empty") or its spread ("point": onto one place, "flat": onto a line).
export class DegenerateComponent extends Error {
  constructor(component, reason) {
    super(`component ${component + 1}: ${reason}`);
    this.component = component;
    this.reason = reason;
  }
}

// What make() gives; where a component is degenerate, what otherwise(error) gives.
/** @type {<A, B>(make: () => A, otherwise: (error: DegenerateComponent) => B) => A | B} */
export const unlessDegenerate = (make, otherwise) => {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof DegenerateComponent)) throw error;
    return otherwise(error);
  }
};

// points: [[…], …] -> { x, m, d }
export function flatten(points) {
  return { x: Float64Array.from(points.flat()), m: points.length, d: points[0].length };
}

// θ from nested lists: weights [k], means [k][d], covariances [k][d][d]. Throws DegenerateComponent.
export function makeMixture(weights, means, covariances) {
  const [k, d] = [weights.length, means[0].length];
  return finishMixture(k, d, Float64Array.from(weights), Float64Array.from(means.flat()), Float64Array.from(covariances.flat(2)));
}

// θ as nested lists, for traits.
export function nested({ k, d, weights, means, covariances }) {
  const rows = (flat, size, count) => Array.from({ length: count }, (_, i) => Array.from(flat.subarray(i * size, (i + 1) * size)));
  return {
    weights: Array.from(weights),
    means: rows(means, d, k),
    covariances: rows(covariances, d * d, k).map((flat) => rows(Float64Array.from(flat), d, d)),
  };
}

// Adds what the E step needs: lower Cholesky factors of Σ and the log of each component's constant.
function finishMixture(k, d, weights, means, covariances) {
  const cholesky = new Float64Array(k * d * d);
  const constants = new Float64Array(k);
  for (let j = 0; j < k; j += 1) {
    const at = j * d * d;
    // Two rules free of units, as in covariance.checked_cholesky: a variance lost in the rounding of the data, and a
    // feature that the features before it explain up to rounding.
    for (let a = 0; a < d; a += 1) {
      let meanSquare = 0;
      for (let l = 0; l < k; l += 1) meanSquare += weights[l] * (means[l * d + a] ** 2 + covariances[(l * d + a) * d + a]);
      if (!(covariances[at + a * d + a] > (8 * EPS) ** 2 * meanSquare)) throw new DegenerateComponent(j, "point");
    }
    let logDeterminant = 0;
    for (let a = 0; a < d; a += 1) {
      for (let b = 0; b <= a; b += 1) {
        let sum = covariances[at + a * d + b];
        for (let c = 0; c < b; c += 1) sum -= cholesky[at + a * d + c] * cholesky[at + b * d + c];
        if (a > b) cholesky[at + a * d + b] = sum / cholesky[at + b * d + b];
        else {
          if (d > 1 && !(sum > 16 * d * EPS * covariances[at + a * d + a])) throw new DegenerateComponent(j, "flat");
          cholesky[at + a * d + a] = Math.sqrt(sum);
        }
      }
      logDeterminant += 2 * Math.log(cholesky[at + a * d + a]);
    }
    constants[j] = Math.log(weights[j]) - 0.5 * (d * LOG_2PI + logDeterminant);
  }
  return { k, d, weights, means, covariances, cholesky, constants };
}

const scratch = new Float64Array(64); // whitened coordinates of one point, so that no step allocates

// log φ_j + log N(x; μ_j, Σ_j) of the point at x[at …]: subtract, then whiten, which keeps every digit far out.
export function logJoint(mixture, j, x, at = 0) {
  const { d, means, cholesky, constants } = mixture;
  let squares = 0;
  for (let a = 0; a < d; a += 1) {
    let z = x[at + a] - means[j * d + a];
    const row = (j * d + a) * d;
    for (let b = 0; b < a; b += 1) z -= cholesky[row + b] * scratch[b];
    z /= cholesky[row + a];
    scratch[a] = z;
    squares += z * z;
  }
  return constants[j] - 0.5 * squares;
}

// log p(x) of the point at x[at …].
export function logDensity(mixture, x, at) {
  let top = -Infinity;
  for (let j = 0; j < mixture.k; j += 1) top = Math.max(top, logJoint(mixture, j, x, at));
  let total = 0;
  for (let j = 0; j < mixture.k; j += 1) total += Math.exp(logJoint(mixture, j, x, at) - top);
  return top + Math.log(total);
}

// The standard deviation of component j along feature a.
export function spreadOf({ d, covariances }, j, a = 0) {
  return Math.sqrt(covariances[(j * d + a) * d + a]);
}

// E step: fills w with the responsibilities and returns ℓ(θ). Log-sum-exp: the largest term becomes exp(0).
export function eStep(x, m, mixture, w) {
  const { k, d } = mixture;
  let logLikelihood = 0;
  for (let i = 0; i < m; i += 1) {
    const row = i * k;
    let top = -Infinity;
    for (let j = 0; j < k; j += 1) {
      const value = logJoint(mixture, j, x, i * d);
      w[row + j] = value;
      if (value > top) top = value;
    }
    let total = 0;
    for (let j = 0; j < k; j += 1) {
      w[row + j] = Math.exp(w[row + j] - top);
      total += w[row + j];
    }
    for (let j = 0; j < k; j += 1) w[row + j] /= total;
    logLikelihood += top + Math.log(total);
  }
  return logLikelihood;
}

// The constraint on Σ, in place; counts as in covariance.py.
function constrain(type, counts, covariances, k, d) {
  if (type === "tied") {
    let total = 0;
    for (let j = 0; j < k; j += 1) total += counts[j];
    for (let c = 0; c < d * d; c += 1) {
      let pooled = 0;
      for (let j = 0; j < k; j += 1) pooled += counts[j] * covariances[j * d * d + c];
      for (let j = 0; j < k; j += 1) covariances[j * d * d + c] = pooled / total;
    }
  } else if (type === "diag" || type === "spherical") {
    for (let j = 0; j < k; j += 1) {
      const at = j * d * d;
      let trace = 0;
      for (let a = 0; a < d; a += 1) trace += covariances[at + a * d + a];
      for (let a = 0; a < d; a += 1) {
        for (let b = 0; b < d; b += 1) if (a !== b) covariances[at + a * d + b] = 0;
        if (type === "spherical") covariances[at + a * d + a] = trace / d;
      }
    }
  }
}

// All the M step needs of the points: N_j, Σ w x / N_j and Σ w (x - mean)(x - mean)ᵀ, as gmm_lib.statistics keeps them.
// The mean of a component without points is 0.
export function moments(x, m, w, k, d) {
  const counts = new Float64Array(k);
  const means = new Float64Array(k * d);
  const scatter = new Float64Array(k * d * d);
  const left = new Float64Array(k * d); // what is left about the mean: a sum of many numbers is off by many roundings
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < k; j += 1) {
      const share = w[i * k + j];
      counts[j] += share;
      for (let a = 0; a < d; a += 1) means[j * d + a] += share * x[i * d + a];
    }
  }
  for (let j = 0; j < k; j += 1) for (let a = 0; a < d; a += 1) means[j * d + a] /= counts[j] || 1;
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < k; j += 1) {
      const share = w[i * k + j];
      const at = j * d * d;
      for (let a = 0; a < d; a += 1) {
        const weighted = share * (x[i * d + a] - means[j * d + a]); // from the new mean, not from the old
        left[j * d + a] += weighted;
        for (let b = 0; b <= a; b += 1) scatter[at + a * d + b] += weighted * (x[i * d + b] - means[j * d + b]);
      }
    }
  }
  for (let j = 0; j < k; j += 1) {
    for (let a = 0; a < d; a += 1) {
      const step = left[j * d + a] / (counts[j] || 1);
      means[j * d + a] += step;
      for (let b = 0; b <= a; b += 1) scatter[(j * d + a) * d + b] -= step * left[j * d + b];
      for (let b = 0; b < a; b += 1) scatter[(j * d + b) * d + a] = scatter[(j * d + a) * d + b];
    }
  }
  return { counts, means, scatter };
}

// The θ that moments of m points call for. Throws DegenerateComponent.
// prior: { strength, covariance: flat d x d }, as gmm_lib.CovariancePrior.
export function maximize({ counts, means, scatter }, m, k, d, type = "full", prior = null) {
  for (let j = 0; j < k; j += 1) if (!(counts[j] > EMPTY_SHARE * m)) throw new DegenerateComponent(j, "empty");
  const effective = Float64Array.from(counts);
  const covariances = new Float64Array(k * d * d);
  for (let j = 0; j < k; j += 1) {
    if (prior) effective[j] += prior.strength;
    for (let c = 0; c < d * d; c += 1) {
      covariances[j * d * d + c] = (scatter[j * d * d + c] + (prior ? prior.strength * prior.covariance[c] : 0)) / effective[j];
    }
  }
  constrain(type, effective, covariances, k, d);
  const weights = counts.map((count) => count / m);
  return finishMixture(k, d, weights, means, covariances);
}

// M step: the θ that the responsibilities call for. Throws DegenerateComponent.
export function mStep(x, m, w, k, d, type = "full", prior = null) {
  return maximize(moments(x, m, w, k, d), m, k, d, type, prior);
}

// θ with its covariances brought under the constraint of a type, as an M step would average them.
export function constrained(mixture, type) {
  const { k, d, weights, means } = mixture;
  const covariances = Float64Array.from(mixture.covariances);
  constrain(type, weights, covariances, k, d);
  return finishMixture(k, d, weights, means, covariances);
}

// The states of EM from a start, computed when first asked for and kept: gmm_lib.em_states.
export class Trajectory {
  /**
   * @param {ReturnType<typeof flatten>} data
   * @param {ReturnType<typeof makeMixture>} start
   * @param {string} type
   * @param {{ strength: number, covariance: ArrayLike<number> } | null} prior
   */
  constructor({ x, m, d }, start, type = "full", prior = null) {
    this.x = x;
    this.m = m;
    this.d = d;
    this.k = start.k;
    this.type = type;
    this.prior = prior;
    this.states = [];
    this.failure = null; // { iteration: the one whose M step failed, component, reason }
    this.w = new Float64Array(m * start.k); // responsibilities of iteration this.wOf
    this.wOf = -1;
    this.push(type === "full" ? start : constrained(start, type)); // or the first M step could come down
  }

  push(mixture) {
    this.states.push({ mixture, logLikelihood: eStep(this.x, this.m, mixture, this.w) });
    this.wOf = this.states.length - 1;
  }

  // The θ that follows the last state. Throws DegenerateComponent.
  next() {
    return mStep(this.x, this.m, this.responsibilities(this.states.length - 1), this.k, this.d, this.type, this.prior);
  }

  // Iteration t: { mixture, logLikelihood }; null where EM cannot get there (this.failure tells why).
  at(t) {
    const fail = ({ component, reason }) => (this.failure = { iteration: this.states.length, component, reason });
    while (this.states.length <= t && !this.failure) unlessDegenerate(() => this.push(this.next()), fail);
    return this.states[t] ?? null;
  }

  // w_t, valid until the next call; copy it to keep it.
  responsibilities(t) {
    if (this.wOf !== t) {
      eStep(this.x, this.m, this.at(t).mixture, this.w);
      this.wOf = t;
    }
    return this.w;
  }
}
