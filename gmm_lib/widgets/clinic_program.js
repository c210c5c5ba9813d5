// The clinic's program, EM for two normals on a line, with the error that a cause makes of it; and what a run shows from
// outside. gmm_lib/clinic.py has the same: there each cause changes a line of the text, here each is an alternative.
const CLINIC_MOST = 40;
const HALF_LOG_2PI = Math.log(2 * Math.PI) / 2;
const clinicSum = (values) => values.reduce((sum, value) => sum + value, 0);
const clinicTotals = (rows) => [0, 1].map((j) => clinicSum(rows.map((row) => row[j])));
const logNormal = (x, mean, sd) => -Math.log(sd) - HALF_LOG_2PI - ((x - mean) / sd) ** 2 / 2;

/**
 * All half steps of a run from a start: E, M, E, M, … up to the E step after which it stops, or before the M step
 * that gives a variance that is none.
 * @typedef {{ step: "e" | "m", weights: number[], means: number[], variances: number[], shares: number[][], printed: number | null }} HalfStep
 * @param {number[]} x
 * @param {number[][]} start weights, means and variances
 * @param {string} cause a key of CAUSES in clinic.py
 * @returns {HalfStep[]}
 */
export function clinicRun(x, [weights, means, variances], cause) {
  /** @type {HalfStep[]} */
  const steps = [];
  let [phi, mu, variance, old, sd, last] = [weights, means, variances, means, null, -Infinity];
  for (let t = 0; t < CLINIC_MOST; t += 1) {
    // E step
    if (cause === "sd") sd = variance;
    else if (cause !== "cached" || t === 0) sd = variance.map(Math.sqrt);
    const a = x.map((value) =>
      [0, 1].map((j) => {
        const log = logNormal(value, mu[j], sd[j]);
        if (cause === "no-weights") return log;
        return cause === "floor" ? Math.max(Math.log(phi[j]) + log, -20) : Math.log(phi[j]) + log;
      }),
    );
    const top = a.map((row) => Math.max(...row));
    const joint = a.map((row, i) => row.map((value) => Math.exp(value - top[i])));
    const columns = clinicTotals(joint);
    const w = joint.map((row, i) =>
      row.map((value, j) => {
        if (cause === "hard") return a[i][j] === top[i] ? 1 : 0;
        return value / (cause === "axis" ? columns[j] : clinicSum(row));
      }),
    );
    let ell = clinicSum(joint.map((row, i) => (cause === "no-top" ? 0 : top[i]) + Math.log(clinicSum(row))));
    if (cause === "prior") ell -= clinicSum(variance.map((v) => 2 * Math.log(v) + 40 / v));
    const told = cause === "late" ? last : ell;
    steps.push({ step: "e", weights: phi, means: mu, variances: variance, shares: w, printed: Number.isFinite(told) ? told : null });
    if (t && (cause === "one-mean" ? Math.abs(mu[0] - old[0]) < 0.5 : Math.abs(ell - last) < 1e-6)) break;
    last = ell;
    // M step
    const N = clinicTotals(w);
    if (cause !== "weights-kept") phi = N.map((count) => count / (cause === "weights-k" ? N.length : x.length));
    old = mu;
    mu = clinicTotals(w.map((row, i) => row.map((share) => share * x[i]))).map((sum, j) => sum / (cause === "mean-m" ? x.length : N[j]));
    if (cause === "sorted") mu = [...mu].sort((one, two) => one - two);
    const center = cause === "old-mean" ? old : cause === "shortcut" ? [0, 0] : mu;
    const squares = clinicTotals(w.map((row, i) => row.map((share, j) => share * (x[i] - center[j]) ** 2)));
    variance = squares.map((sum, j) => {
      if (cause === "prior") return (sum + 80) / (N[j] + 4);
      if (cause === "shortcut") return sum / N[j] - old[j] ** 2;
      return sum / (cause === "one-less" ? N[j] - 1 : N[j]);
    });
    if (!variance.every((v) => v > 0)) break;
    steps.push({ step: "m", weights: phi, means: mu, variances: variance, shares: w, printed: null });
  }
  return steps;
}

// What a half step is worth, measured from outside: { logLikelihood, bound }.
export function clinicMeasure(x, { weights, means, variances, shares }) {
  let logLikelihood = 0;
  let bound = 0;
  x.forEach((value, i) => {
    const a = [0, 1].map((j) => Math.log(weights[j]) + logNormal(value, means[j], Math.sqrt(variances[j])));
    const top = Math.max(...a);
    logLikelihood += top + Math.log(clinicSum(a.map((log) => Math.exp(log - top))));
    shares[i].forEach((share, j) => (bound += share > 0 ? share * (a[j] - Math.log(share)) : 0));
  });
  return { logLikelihood, bound };
}

// The highest bound that any parameters have with these shares.
function clinicTop(x, half) {
  const N = clinicTotals(half.shares);
  const mean = clinicTotals(half.shares.map((row, i) => row.map((share) => share * x[i]))).map((sum, j) => sum / N[j]);
  const variance = clinicTotals(half.shares.map((row, i) => row.map((share, j) => share * (x[i] - mean[j]) ** 2))).map((sum, j) => sum / N[j]);
  const weights = N.map((count) => count / clinicSum(N));
  return clinicMeasure(x, { ...half, weights, means: mean, variances: variance }).bound;
}

// What a run shows from outside, as `signs` in clinic.py tells.
export function clinicSigns(x, start, cause) {
  const steps = clinicRun(x, start, cause);
  const measured = steps.map((half) => clinicMeasure(x, half));
  const of = (step) => steps.flatMap((half, n) => (half.step === step ? [n] : []));
  const gaps = of("e").map((n) => Math.abs(measured[n].logLikelihood - measured[n].bound));
  const fall = (name, n) => measured[n - 1][name] - measured[n][name];
  const falls = of("m").map((n) => fall("logLikelihood", n));
  const largest = Math.max(...falls);
  const most = (values) => Math.max(0, ...values);
  const last = steps[steps.length - 1];
  const onward = clinicRun(x, [last.weights, last.means, last.variances], "healthy").slice(0, 2).map((half) => clinicMeasure(x, half).logLikelihood);
  const healthy = clinicRun(x, start, "healthy");
  return {
    gap: most(gaps),
    "first-gap": gaps[0],
    "last-gap": gaps[gaps.length - 1],
    rows: most(steps.flatMap(({ shares }) => shares.map((row) => Math.abs(clinicSum(row) - 1)))),
    miss: most(of("m").map((n) => Math.abs(clinicTop(x, steps[n]) - measured[n].bound))),
    fall: most(falls),
    "fall-at": largest > 1e-6 ? falls.indexOf(largest) + 1 : 0,
    "fall-e": most(of("e").slice(1).map((n) => fall("bound", n))),
    "fall-m": most(of("m").map((n) => fall("bound", n))),
    print: most(steps.flatMap(({ printed }, n) => (printed === null ? [] : [Math.abs(printed - measured[n].logLikelihood)]))),
    iterations: Math.floor(steps.length / 2),
    end: measured[measured.length - 1].logLikelihood,
    good: clinicMeasure(x, healthy[healthy.length - 1]).logLikelihood,
    left: onward[1] - onward[0],
  };
}
