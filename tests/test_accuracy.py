"""How many digits are right, against EM in 50-digit arithmetic.

The reference below is the textbook's formulas in mpmath, on the very numbers that float64 holds.
"""

from itertools import islice

import mpmath
import numpy as np
import pytest

from gmm_lib import COVARIANCE_TYPES, GaussianMixture, em_states, engine, fit

mpmath.mp.dps = 50


def as_exact(array):
    return [mpmath.mpf(float(x)) for x in np.ravel(array)]


def exact_em(X, start, n, covariance_type):
    """Weights, means, covariances after n iterations, and ℓ(θ_0), …, ℓ(θ_n), to 50 digits."""
    m, d = X.shape
    k = start.k
    points = [mpmath.matrix(as_exact(x)) for x in X]
    phi = as_exact(start.weights)
    mu = [mpmath.matrix(as_exact(mean)) for mean in start.means]
    sigma = [mpmath.matrix(d, d) for _ in range(k)]
    for j in range(k):
        for a in range(d):
            for b in range(d):
                sigma[j][a, b] = mpmath.mpf(float(start.covariances[j, a, b]))
    log_likelihoods = []
    for iteration in range(n + 1):
        inverse = [s**-1 for s in sigma]
        scale = [
            phi[j] / mpmath.sqrt((2 * mpmath.pi) ** d * mpmath.det(sigma[j])) for j in range(k)
        ]
        w, total = [], mpmath.mpf(0)
        for x in points:
            joint = [
                scale[j] * mpmath.exp(-((x - mu[j]).T * inverse[j] * (x - mu[j]))[0] / 2)
                for j in range(k)
            ]
            total += mpmath.log(sum(joint))
            w.append([p / sum(joint) for p in joint])
        log_likelihoods.append(total)
        if iteration == n:
            break
        counts = [sum(w[i][j] for i in range(m)) for j in range(k)]
        phi = [count / m for count in counts]
        mu = [sum((w[i][j] * points[i] for i in range(m)), mpmath.zeros(d, 1)) / counts[j]
              for j in range(k)]  # fmt: skip
        scatter = [
            sum((w[i][j] * (points[i] - mu[j]) * (points[i] - mu[j]).T for i in range(m)),
                mpmath.zeros(d, d))
            for j in range(k)
        ]  # fmt: skip
        if covariance_type == "tied":
            pooled = sum(scatter, mpmath.zeros(d, d)) / m
            sigma = [pooled.copy() for _ in range(k)]
        else:
            sigma = [scatter[j] / counts[j] for j in range(k)]
        if covariance_type in ("diag", "spherical"):
            for j in range(k):
                trace = sum(sigma[j][a, a] for a in range(d)) / d
                diagonal = [
                    trace if covariance_type == "spherical" else sigma[j][a, a] for a in range(d)
                ]
                sigma[j] = mpmath.diag(diagonal)
    return phi, mu, sigma, log_likelihoods


def worst(exact, mixture, log_likelihoods):
    """Largest relative error of ℓ, and of the parameters: covariances by their own scale."""
    phi, mu, sigma, ells = exact
    in_ell = max(
        abs((mpmath.mpf(float(a)) - b) / b) for a, b in zip(log_likelihoods, ells, strict=True)
    )
    errors = []
    for j in range(mixture.k):
        errors.append(abs(mpmath.mpf(float(mixture.weights[j])) / phi[j] - 1))
        size = max(abs(x) for x in mu[j])
        for a in range(mixture.d):
            errors.append(abs(mpmath.mpf(float(mixture.means[j, a])) - mu[j][a]) / size)
            for b in range(mixture.d):
                unit = mpmath.sqrt(sigma[j][a, a] * sigma[j][b, b])
                entry = mpmath.mpf(float(mixture.covariances[j, a, b]))
                errors.append(abs(entry - sigma[j][a, b]) / unit)
    return float(in_ell), float(max(errors))


def problem(d, k, separation, offset, seed=0, m=40):
    """Groups `separation` standard deviations apart, all of it far from the origin."""
    rng = np.random.default_rng(seed)
    centers = separation * np.arange(k)[:, None] * np.ones(d) / np.sqrt(d)
    X = offset + centers[np.arange(m) % k] + rng.normal(size=(m, d)) @ rng.normal(size=(d, d))
    means = offset + centers + 0.2 * rng.normal(size=(k, d))
    return X, GaussianMixture(np.full(k, 1 / k), means, np.tile(2.0 * np.eye(d), (k, 1, 1)))


PROBLEMS = [
    (1, 2, 3.0, 0.0),
    (2, 3, 3.0, 0.0),
    (5, 2, 3.0, 0.0),
    (1, 3, 2.0, 1e8),
    (2, 2, 3.0, 1e8),
    (5, 2, 3.0, 1e8),
    (1, 2, 1e6, 0.0),
    (2, 2, 1e6, 0.0),
    (2, 3, 1e6, 1e8),
    (5, 2, 1e6, 0.0),
    (2, 2, 100.0, 0.0),  # the product form at the edge of what it may be used for
]


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("d", "k", "separation", "offset"), PROBLEMS)
def test_digits_of_fit_and_em_states(d, k, separation, offset, covariance_type, monkeypatch):
    n = 4
    X, start = problem(d, k, separation, offset)
    exact = exact_em(X, start, n, covariance_type)
    for few in (engine.FEW, 0):  # 0: not whitened for the sake of speed
        monkeypatch.setattr(engine, "FEW", few)
        found = fit(X, start, covariance_type=covariance_type, tol=0, max_iter=n)
        in_ell, in_parameters = worst(exact, found.mixture, found.log_likelihoods)
        assert in_ell < 1e-12
        assert in_parameters < 1e-8
    states = list(islice(em_states(X, start, covariance_type), n + 1))
    # em_states goes on from means as the data have them: near 1e8 each is rounded to 1e-8.
    in_ell, in_parameters = worst(
        exact, states[-1].mixture, [state.log_likelihood for state in states]
    )
    assert in_ell < (1e-12 if offset == 0 else 1e-7)
    assert in_parameters < (1e-8 if offset == 0 else 1e-6)


def test_weights_in_50_digits():
    """Integer weights are repetition, in the reference literally so."""
    X, start = problem(2, 2, 3.0, 0.0, m=20)
    weight = np.arange(20) % 3
    found = fit(X, start, sample_weight=weight, tol=0, max_iter=3)
    repeated = np.repeat(X, weight, axis=0)
    exact = exact_em(repeated, start, 3, "full")
    in_ell, in_parameters = worst(exact, found.mixture, found.log_likelihoods)
    assert in_ell < 1e-12
    assert in_parameters < 1e-8
