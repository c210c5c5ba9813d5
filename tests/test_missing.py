"""EM for points with gaps: against theory, 50 digits, published figures, and EM without gaps."""

import contextlib
from itertools import islice, pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from test_accuracy import as_exact, worst
from test_properties import assert_alike, examples, problems, types

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    DegenerateComponentError,
    GaussianMixture,
    datasets,
    em_states,
    fit,
    fit_missing,
    missing_states,
)
from gmm_lib.em import constrained

PLANE = datasets.overlapping()
GEYSER = datasets.old_faithful()
NAN = np.nan

# Murray's twelve points, from the discussion of Dempster, Laird and Rubin (1977).
MURRAY = np.array(
    [[1, 1], [1, -1], [-1, 1], [-1, -1]]
    + [[2, NAN], [2, NAN], [-2, NAN], [-2, NAN]]
    + [[NAN, 2], [NAN, 2], [NAN, -2], [NAN, -2]]
)


def with_gaps(X, rng, share=0.3):
    """X with values taken out at random, at least one left in each row and column."""
    X = X.copy()
    gaps = rng.random(X.shape) < share
    gaps[np.arange(len(X)), rng.integers(X.shape[1], size=len(X))] = False
    gaps[rng.integers(len(X))] = False
    X[gaps] = NAN
    return X


def exact_states(X, start, n, covariance_type):
    """The textbook's formulas, one point after another, in 50 digits; as `exact_em`."""
    m, d = X.shape
    k = start.k
    phi = as_exact(start.weights)
    mu = [mpmath.matrix(as_exact(mean)) for mean in start.means]
    sigma = [mpmath.matrix(d, d) for _ in range(k)]
    for j in range(k):
        for a in range(d):
            for b in range(d):
                sigma[j][a, b] = mpmath.mpf(float(start.covariances[j, a, b]))

    def block(matrix, rows, columns):
        return mpmath.matrix([[matrix[a, b] for b in columns] for a in rows])

    log_likelihoods = []
    for iteration in range(n + 1):
        total, completed = mpmath.mpf(0), []
        for x in X:
            o, u = np.flatnonzero(~np.isnan(x)).tolist(), np.flatnonzero(np.isnan(x)).tolist()
            joint, means, squares = [], [], []
            for j in range(k):
                inverse = block(sigma[j], o, o) ** -1
                away = mpmath.matrix([mpmath.mpf(float(x[a])) - mu[j][a] for a in o])
                height = mpmath.exp(-(away.T * inverse * away)[0] / 2)
                scale = (2 * mpmath.pi) ** len(o) * mpmath.det(block(sigma[j], o, o))
                joint.append(phi[j] * height / mpmath.sqrt(scale))
                mean = mpmath.zeros(d, 1)
                square = mpmath.zeros(d, d)
                for a in o:
                    mean[a] = mpmath.mpf(float(x[a]))
                if u:
                    slope = block(sigma[j], u, o) * inverse
                    left = block(sigma[j], u, u) - slope * block(sigma[j], o, u)
                    shift = slope * away
                    for p, a in enumerate(u):
                        mean[a] = mu[j][a] + shift[p]
                        for q, b in enumerate(u):
                            square[a, b] = left[p, q]
                means.append(mean)
                squares.append(square)
            total += mpmath.log(sum(joint))
            completed.append(([p / sum(joint) for p in joint], means, squares))
        log_likelihoods.append(total)
        if iteration == n:
            break
        counts = [sum(w[j] for w, _, _ in completed) for j in range(k)]
        phi = [c / m for c in counts]
        mu = [
            sum((w[j] * x[j] for w, x, _ in completed), mpmath.zeros(d, 1)) / counts[j]
            for j in range(k)
        ]
        scatter = [
            sum(
                (w[j] * ((x[j] - mu[j]) * (x[j] - mu[j]).T + c[j]) for w, x, c in completed),
                mpmath.zeros(d, d),
            )
            for j in range(k)
        ]
        if covariance_type == "tied":
            sigma = [sum(scatter, mpmath.zeros(d, d)) / m] * k
        else:
            sigma = [s / c for s, c in zip(scatter, counts, strict=True)]
        if covariance_type == "diag":
            sigma = [mpmath.diag([s[a, a] for a in range(d)]) for s in sigma]
        if covariance_type == "spherical":
            sigma = [mpmath.eye(d) * (sum(s[a, a] for a in range(d)) / d) for s in sigma]
    return phi, mu, sigma, log_likelihoods


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("d", "k", "offset"), [(2, 1, 0.0), (2, 2, 0.0), (3, 2, 0.0), (3, 2, 1e8)])
def test_fifty_digits(d, k, offset, covariance_type):
    rng = np.random.default_rng(d + k)
    X = with_gaps(offset + rng.normal(size=(24, d)) + 3 * (np.arange(24) % k)[:, None], rng)
    means = offset + 3.0 * np.arange(k)[:, None] + 0.3 * rng.normal(size=(k, d))
    start = GaussianMixture(np.full(k, 1 / k), means, np.tile(0.5 + 1.5 * np.eye(d), (k, 1, 1)))
    exact = exact_states(X, constrained(start, covariance_type), 3, covariance_type)
    found = fit_missing(X, start, covariance_type=covariance_type, tol=0, max_iter=3)
    in_ell, in_parameters = worst(exact, found.mixture, found.log_likelihoods)
    assert in_ell < 1e-12
    assert in_parameters < 1e-12
    for t, state in enumerate(islice(missing_states(X, start, covariance_type), 4)):
        assert state.log_likelihood == pytest.approx(found.log_likelihoods[t], rel=1e-13)


def test_without_gaps_it_is_fit_far_from_the_origin_too():
    far = PLANE.X + [1e8, 0]
    moved = GaussianMixture(
        PLANE.mixture.weights, PLANE.mixture.means + [1e8, 0], PLANE.mixture.covariances
    )
    one, other = (f(far, moved, tol=0, max_iter=30) for f in (fit_missing, fit))
    assert_alike(one.mixture, other.mixture, rtol=1e-10)
    np.testing.assert_allclose(one.log_likelihoods, other.log_likelihoods, rtol=1e-12)
    drawn = [
        f(far, 2, rng=np.random.default_rng(4), tol=0, max_iter=30) for f in (fit_missing, fit)
    ]
    assert_alike(drawn[0].mixture, drawn[1].mixture, rtol=1e-9)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_without_gaps_it_is_fit(covariance_type):
    options = {"covariance_type": covariance_type, "tol": 0, "max_iter": 30}
    weight = np.arange(len(PLANE.X)) % 3
    for more in ({}, {"sample_weight": weight}, {"prior": CovariancePrior(2.0, np.eye(2))}):
        one = fit_missing(PLANE.X, PLANE.mixture, **options, **more)
        other = fit(PLANE.X, PLANE.mixture, **options, **more)
        assert_alike(one.mixture, other.mixture, rtol=1e-10)
        np.testing.assert_allclose(one.log_likelihoods, other.log_likelihoods, rtol=1e-12)
        np.testing.assert_allclose(one.objectives, other.objectives, rtol=1e-12)
    drawn = [f(PLANE.X, 3, rng=np.random.default_rng(4), n_init=2, **options)
             for f in (fit_missing, fit)]  # fmt: skip
    assert_alike(drawn[0].mixture, drawn[1].mixture, rtol=1e-10)
    assert len(drawn[0].attempts) == 2
    for one, other in zip(
        islice(missing_states(PLANE.X, PLANE.mixture, covariance_type), 4),
        islice(em_states(PLANE.X, PLANE.mixture, covariance_type), 4),
        strict=True,
    ):
        np.testing.assert_allclose(one.responsibilities, other.responsibilities, atol=1e-10)


def observed_log_likelihood(X, mixture):
    """ℓ of what was seen, by scipy, one point after another."""
    total = 0.0
    for x in X:
        o = ~np.isnan(x)
        total += np.log(
            sum(
                phi * multivariate_normal(mu[o], sigma[np.ix_(o, o)]).pdf(x[o])
                for phi, mu, sigma in zip(
                    mixture.weights, mixture.means, mixture.covariances, strict=True
                )
            )
        )
    return total


@examples
@given(problems(), types, st.booleans())
def test_the_observed_log_likelihood_never_falls(problem, covariance_type, with_prior):
    X, mixture, rng = problem
    X = with_gaps(X, rng)
    prior = CovariancePrior(1.0, np.eye(X.shape[1])) if with_prior else None
    states = []
    with contextlib.suppress(DegenerateComponentError):
        states.extend(islice(missing_states(X, mixture, covariance_type, prior=prior), 20))
    heights = [
        s.log_likelihood + (prior.log_density(s.mixture.cholesky) if prior else 0) for s in states
    ]
    assert len(states) > 1
    assert all(after >= before - 1e-9 * (1 + abs(before)) for before, after in pairwise(heights))
    first = states[0]
    assert first.log_likelihood == pytest.approx(
        observed_log_likelihood(X, first.mixture), rel=1e-9
    )
    np.testing.assert_allclose(states[-1].responsibilities.sum(axis=1), 1, rtol=1e-14)


def test_murray_two_maxima_and_a_saddle():
    """Variance 8/3 and correlation ±1/2; from correlation 0 EM stays there, at 5/2."""
    height = {}
    for start in (-0.9, -0.01, 0.0, 0.01, 0.9):
        covariance = [[1, start], [start, 1]]
        found = fit_missing(
            MURRAY, GaussianMixture([1], [[0, 0]], [covariance]), tol=1e-16, max_iter=3000
        )
        rho = np.sign(start) / 2
        variance = 8 / 3 if start else 5 / 2
        expected = variance * np.array([[1, rho], [rho, 1]])
        np.testing.assert_allclose(found.mixture.covariances[0], expected, atol=1e-6)
        np.testing.assert_allclose(found.mixture.means, 0, atol=1e-12)
        height[start] = found.log_likelihood
        # The top is one: no small change of the covariance is higher; from the saddle one is.
        lean = np.array([[0, 1], [1, 0]])
        near = [
            observed_log_likelihood(MURRAY, GaussianMixture([1], [[0, 0]], [expected + e * lean]))
            for e in (-0.05, 0.05)
        ]
        assert (max(near) < found.log_likelihood) == bool(start)
    assert height[-0.9] == pytest.approx(height[0.9], rel=1e-13)
    assert height[0.9] == pytest.approx(height[0.01], rel=1e-9)
    assert height[0.0] < height[0.9]


def test_anderson_one_feature_incomplete_has_a_closed_form():
    """The regression of the incomplete feature on the complete one, carried to all points [1].

    [1] T. W. Anderson (1957), Maximum likelihood estimates for a multivariate normal distribution
    when some observations are missing, JASA 52, 200-203.
    """
    X = GEYSER.X.copy()
    X[(X[:, 0] > 3) & (np.random.default_rng(0).random(272) < 0.8), 1] = NAN
    both = ~np.isnan(X[:, 1])
    x, y = X[both].T
    slope = np.cov(x, y, ddof=0)[0, 1] / x.var()
    left = y.var() - slope**2 * x.var()
    mean, variance = X[:, 0].mean(), X[:, 0].var()
    found = fit_missing(X, 1, rng=np.random.default_rng(0), tol=1e-15, max_iter=5000).mixture
    expected = [mean, y.mean() + slope * (mean - x.mean())]
    np.testing.assert_allclose(found.means[0], expected, rtol=1e-7)
    covariance = [[variance, slope * variance], [slope * variance, left + slope**2 * variance]]
    np.testing.assert_allclose(found.covariances[0], covariance, rtol=1e-6)


def test_clusters_are_found_though_a_third_of_the_values_is_missing(rng):
    X = with_gaps(GEYSER.X, rng, share=0.3)
    whole = fit(GEYSER.X, 2, rng=np.random.default_rng(0), n_init=3).mixture
    found = fit_missing(X, 2, rng=np.random.default_rng(0), n_init=3)
    mixture = found.mixture.permuted(np.argsort(found.mixture.means[:, 0]))
    whole = whole.permuted(np.argsort(whole.means[:, 0]))
    assert found.converged
    np.testing.assert_allclose(mixture.means, whole.means, rtol=0.03)
    np.testing.assert_allclose(mixture.weights, whole.weights, atol=0.05)
    assert found.log_likelihood == pytest.approx(observed_log_likelihood(X, mixture), rel=1e-12)


def test_an_integer_weight_is_repetition_and_zero_is_absence(rng):
    X = with_gaps(PLANE.X, rng)
    weight = rng.integers(0, 3, size=len(X))
    repeated = np.repeat(X, weight, axis=0)
    one = fit_missing(X, PLANE.mixture, sample_weight=weight, tol=0, max_iter=10)
    other = fit_missing(repeated, PLANE.mixture, tol=0, max_iter=10)
    assert_alike(one.mixture, other.mixture)
    np.testing.assert_allclose(one.log_likelihoods, other.log_likelihoods, rtol=1e-12)


def test_the_order_of_rows_and_of_features_does_not_matter(rng):
    X = with_gaps(PLANE.X, rng)
    one = fit_missing(X, PLANE.mixture, tol=0, max_iter=10).mixture
    rows = rng.permutation(len(X))
    other = fit_missing(X[rows][:, ::-1], PLANE.mixture.marginal([1, 0]), tol=0, max_iter=10)
    assert_alike(other.mixture.marginal([1, 0]), one)


def test_masked_arrays_lists_and_tables_say_the_same(rng):
    pyarrow = pytest.importorskip("pyarrow")
    X = with_gaps(PLANE.X, rng)
    one = fit_missing(X, PLANE.mixture, max_iter=3)
    a, b = ([None if np.isnan(x) else x for x in column] for column in X.T)
    for other in (np.ma.masked_invalid(X), X.tolist(), pyarrow.table({"a": a, "b": b})):
        again = fit_missing(other, PLANE.mixture, max_iter=3)
        np.testing.assert_array_equal(again.mixture.means, one.mixture.means)


def test_a_constant_feature_needs_a_prior(rng):
    X = with_gaps(np.column_stack([rng.normal(size=30), np.full(30, 2.0)]), rng)
    start = GaussianMixture([1], [[0, 2]], [np.eye(2)])
    with pytest.raises(DegenerateComponentError, match="it collapsed onto one place"):
        fit_missing(X, start, max_iter=5000, tol=0)
    found = fit_missing(X, start, prior=CovariancePrior(1.0, 0.1 * np.eye(2)), tol=1e-14)
    assert found.mixture.means[0, 1] == pytest.approx(2, rel=1e-9)
    with pytest.raises(DegenerateComponentError, match="at iteration"):
        list(islice(missing_states(X, start), 5000))


def test_of_features_never_seen_together_the_start_decides_the_correlation():
    """A ridge of equal log-likelihood: the data say nothing about it."""
    x = np.random.default_rng(2).normal(size=40)
    X = np.full((40, 2), NAN)
    X[:20, 0], X[20:, 1] = x[:20], x[20:]
    ends = [
        fit_missing(X, GaussianMixture([1], [[0, 0]], [[[1, r], [r, 1]]]), tol=1e-14)
        for r in (0.0, 0.5)
    ]
    assert ends[0].log_likelihood == pytest.approx(ends[1].log_likelihood, rel=1e-9)
    assert ends[1].mixture.covariances[0, 0, 1] > ends[0].mixture.covariances[0, 0, 1] + 0.1


ROW = [[1, 2], [NAN, NAN], [3, 4], [NAN, NAN]]
COLUMN = [[1, NAN], [2, NAN], [3, NAN]]


@pytest.mark.parametrize(
    ("X", "options", "error", "message"),
    [
        (ROW, {}, ValueError, r"at least one value in each row, got none in 2, the first row 1"),
        ([1.0, NAN, 2.0], {}, ValueError, "at least one value in each row, got none in 1"),
        (COLUMN, {}, ValueError, "each feature to be observed.*got none in column 1"),
        ([[1, 2], [2, NAN]], {"sample_weight": [0, 1]}, ValueError, "got none in column 1"),
        ([[1, np.inf], [2, NAN]], {}, ValueError, "X: expected finite numbers"),
        ([["a", NAN]], {}, TypeError, "X: expected real numbers"),
        ([[1, None], [2, 3]], {}, TypeError, "X: expected real numbers, got dtype object"),
        ([[1, 2], [3]], {}, ValueError, "rows of different lengths"),
        ([[True, False]] * 3, {}, TypeError, "X: expected real numbers, got dtype bool"),
        (
            np.ma.array([["1", "2"]] * 3, mask=False),
            {},
            TypeError,
            "X: expected real numbers, got dtype <U1",
        ),
        (np.ma.array([[1j, 2]] * 3), {}, TypeError, "X: expected real numbers, got dtype complex"),
        (
            [np.ma.array([1.0, 2], mask=[0, 1]), np.ma.array([3.0, 4])],
            {},
            ValueError,
            "X: expected an array without masked .*give fit_missing one masked array",
        ),
        (PLANE.X, {"rng": None}, TypeError, "rng: expected a numpy.random.Generator"),
        (PLANE.X, {"covariance_type": "round"}, ValueError, "covariance_type: expected one of"),
        (PLANE.X, {"sample_weight": [1]}, ValueError, "sample_weight: expected shape"),
        (PLANE.X, {"prior": CovariancePrior(1, 1)}, ValueError, "prior: expected a covariance of"),
        (PLANE.X, {"tol": -1}, ValueError, "tol: expected a number at least 0"),
        (PLANE.X, {"n_init": 0}, ValueError, "n_init: expected at least 1"),
        (PLANE.X, {"max_iter": -1}, ValueError, "max_iter: expected at least 0"),
    ],
)
def test_bad_input_is_refused(X, options, error, message):
    with pytest.raises(error, match=message):
        fit_missing(X, 1, **{"rng": np.random.default_rng(0), **options})


def test_starts_are_checked_at_once():
    with pytest.raises(ValueError, match="X: expected 1 feature as in the mixture, got 2"):
        missing_states(MURRAY, datasets.ten_points().start)
    with pytest.raises(ValueError, match="X: expected 1 feature as in the mixture, got 2"):
        fit_missing(MURRAY, datasets.ten_points().start)
    with pytest.raises(TypeError, match="initial: expected a GaussianMixture, got int"):
        missing_states(MURRAY, 1)
    with pytest.raises(ValueError, match="k: expected at most as many"):
        fit_missing(MURRAY, 13, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="X: expected finite numbers, got 8 NaN"):
        fit(MURRAY, 1, rng=np.random.default_rng(0))
