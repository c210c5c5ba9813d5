"""Jensen's gap, the lower bound, KL, and the gradients that the derivation promises."""

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy
from scipy.stats import multivariate_normal

from gmm_lib import (
    GaussianMixture,
    bound_gradient,
    datasets,
    e_step,
    entropy,
    evidence_lower_bound,
    expected_complete_log_likelihood,
    fit,
    jensen_gap,
    kl_divergence,
    kl_to_posterior,
    log_likelihood_gradient,
    m_step,
    random_responsibilities,
)

TEN = datasets.ten_points()
PLANE = datasets.overlapping()
PROBLEMS = [TEN, PLANE, datasets.old_faithful()]


@pytest.mark.parametrize("data", PROBLEMS, ids=lambda data: data.name)
def test_the_bound_touches_after_the_e_step(data):
    w, log_likelihood = e_step(data.X, data.start)
    gap = log_likelihood - evidence_lower_bound(data.X, data.start, w)
    assert abs(gap) <= 1e-12 * abs(log_likelihood)


def test_the_gap_on_the_ten_points_is_below_1e_12():
    w, log_likelihood = e_step(TEN.X, TEN.start)
    assert abs(log_likelihood - evidence_lower_bound(TEN.X, TEN.start, w)) <= 1e-12


@pytest.mark.parametrize("data", PROBLEMS, ids=lambda data: data.name)
def test_the_gap_is_the_kl_divergence(data, rng):
    w = random_responsibilities(len(data.X), data.start.k, rng)
    posterior, log_likelihood = e_step(data.X, data.start)
    bound = evidence_lower_bound(data.X, data.start, w)
    gaps = kl_to_posterior(data.X, data.start, w)
    assert gaps.min() > 0
    assert bound < log_likelihood
    assert log_likelihood == pytest.approx(bound + gaps.sum(), rel=1e-12)
    close = posterior.min(axis=1) > 1e-200  # where plain probabilities still have all digits
    np.testing.assert_allclose(gaps[close], kl_divergence(w, posterior)[close], rtol=1e-10)


def test_each_inequality_of_the_derivation_on_the_ten_points():
    theta = TEN.start
    for _ in range(8):
        w, before = e_step(TEN.X, theta)
        touching = evidence_lower_bound(TEN.X, theta, w)
        theta = m_step(TEN.X, w)
        climbed = evidence_lower_bound(TEN.X, theta, w)
        after = e_step(TEN.X, theta)[1]
        assert touching == pytest.approx(before, abs=1e-12)
        assert climbed >= touching - 1e-12
        assert after >= climbed - 1e-12


@pytest.mark.parametrize("w", [np.eye(2)[TEN.labels], np.eye(2)[1 - TEN.labels]])
def test_hard_labels_give_no_nan(w):
    bound = evidence_lower_bound(TEN.X, TEN.start, w)
    own = TEN.start.component_log_density(TEN.X)[w == 1].sum()
    assert bound == pytest.approx(own, rel=1e-13)
    assert bound == expected_complete_log_likelihood(TEN.X, TEN.start, w)
    np.testing.assert_array_equal(entropy(w), np.zeros(10))


def test_the_gap_is_finite_where_the_posterior_underflows():
    mixture = GaussianMixture([0.5, 0.5], [0, 1000], [1, 1])
    w = np.array([[0.5, 0.5]])
    assert mixture.responsibilities([0.0])[0, 1] == 0
    assert np.isinf(kl_divergence(w, mixture.responsibilities([0.0])))
    gap = kl_to_posterior([0.0], mixture, w)
    # log posterior of component 2 is -1000²/2, of component 1 it is 0.
    np.testing.assert_allclose(gap, -np.log(2) + 0.5 * 1000**2 / 2, rtol=1e-14)
    bound = evidence_lower_bound([0.0], mixture, w)
    assert bound + gap.sum() == pytest.approx(e_step([0.0], mixture)[1], abs=1e-9)


def test_the_bound_is_complete_log_likelihood_plus_entropy(rng):
    w = random_responsibilities(300, 3, rng)
    bound = evidence_lower_bound(PLANE.X, PLANE.start, w)
    complete = expected_complete_log_likelihood(PLANE.X, PLANE.start, w)
    assert bound == pytest.approx(complete + entropy(w).sum(), rel=1e-13)
    joint = sum(
        w[i, j]
        * (
            np.log(PLANE.start.weights[j])
            + multivariate_normal.logpdf(
                PLANE.X[i], PLANE.start.means[j], PLANE.start.covariances[j]
            )
        )
        for i in range(20)
        for j in range(3)
    )
    assert joint == pytest.approx(
        expected_complete_log_likelihood(PLANE.X[:20], PLANE.start, w[:20]), rel=1e-12
    )


def test_sample_weights_repeat_points(rng):
    w = random_responsibilities(10, 2, rng)
    times = np.array([0, 1, 2, 3, 0, 1, 1, 2, 5, 1])
    for function in (evidence_lower_bound, expected_complete_log_likelihood):
        weighted = function(TEN.X, TEN.start, w, sample_weight=times)
        repeated = function(np.repeat(TEN.X, times, 0), TEN.start, np.repeat(w, times, 0))
        assert weighted == pytest.approx(repeated, rel=1e-13)


def test_entropy_and_kl_agree_with_scipy(rng):
    q, p = rng.dirichlet(np.ones(4), size=(2, 50))
    np.testing.assert_allclose(entropy(q), scipy_entropy(q, axis=1), rtol=1e-12)
    np.testing.assert_allclose(kl_divergence(q, p), scipy_entropy(q, p, axis=1), rtol=1e-12)


def test_kl_at_the_edge():
    assert kl_divergence([0.5, 0.5], [0.5, 0.5]) == [0.0]
    assert kl_divergence([1.0, 0.0], [0.5, 0.5]) == pytest.approx([np.log(2)])
    assert kl_divergence([0.5, 0.5], [1.0, 0.0]) == [np.inf]
    assert kl_divergence([1.0, 0.0], [1.0, 0.0]) == [0.0]
    assert entropy([0.25] * 4) == pytest.approx([np.log(4)])


@pytest.mark.parametrize(
    ("f", "values", "weights", "gap"),
    [
        (np.square, [1, 3], None, 1.0),  # the variance
        (np.square, [1, 3], [0.25, 0.75], 0.75),
        (np.log, [1, np.e**2], None, 1 - np.log((1 + np.e**2) / 2)),
        (np.log, [5, 5, 5], None, 0.0),  # X is constant
        (np.log, [5, 7, -1], [1, 0, 0], 0.0),  # and so it is here: two values have weight 0
        (lambda x: 3 * x - 2, [1, 4, 10], [0.2, 0.3, 0.5], 0.0),  # a straight line
        (np.exp, [2.0], None, 0.0),
    ],
)
def test_jensens_gap(f, values, weights, gap):
    assert jensen_gap(f, values, weights) == pytest.approx(gap, abs=1e-14)


def test_jensens_gap_has_the_sign_of_the_bend(rng):
    for _ in range(50):
        values, weights = rng.gamma(2, size=6), rng.dirichlet(np.ones(6))
        assert jensen_gap(np.log, values, weights) < 0
        assert jensen_gap(np.square, values, weights) > 0
        assert jensen_gap(np.exp, values, weights) > 0


# ℓ and the bound written with scipy and free parameters: an implementation of their own.


def log_likelihood_at(X, weights, means, covariances):
    density = sum(
        weights[j] * multivariate_normal.pdf(X, means[j], covariances[j])
        for j in range(len(weights))
    )
    return np.log(density).sum()


def bound_at(X, w, weights, means, covariances):
    return sum(
        w[:, j]
        @ (
            np.log(weights[j])
            + multivariate_normal.logpdf(X, means[j], covariances[j])
            - np.log(w[:, j])
        )
        for j in range(len(weights))
    )


def differences(value, parameters):
    """Central differences of value(weights, means, covariances) by every entry.

    Covariances are moved symmetrically: both off-diagonal entries at once, so that a change D has
    value tr(G D); entry (a, b) of the result is then that of the symmetric gradient G.
    """
    results = []
    for n, part in enumerate(parameters):
        result = np.empty_like(part)
        for place in np.ndindex(part.shape):
            direction = np.zeros_like(part)
            direction[place] += 0.5
            if n == 2:
                direction[place[0], place[2], place[1]] += 0.5
            else:
                direction *= 2
            h = 1e-5 * max(1, abs(part[place]))
            up, down = (
                value(*[p + s * h * direction if i == n else p for i, p in enumerate(parameters)])
                for s in (1, -1)
            )
            result[place] = (up - down) / (2 * h)
        results.append(result)
    return results


@pytest.mark.parametrize("data", [TEN, PLANE], ids=lambda data: data.name)
def test_the_gradient_of_the_log_likelihood_by_finite_differences(data):
    theta = data.start if data is TEN else data.mixture
    gradient = log_likelihood_gradient(data.X, theta)
    parameters = (theta.weights, theta.means, theta.covariances)
    numeric = differences(lambda *p: log_likelihood_at(data.X, *p), parameters)
    for exact, approximate in zip(gradient, numeric, strict=True):
        np.testing.assert_allclose(exact, approximate, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("data", [TEN, PLANE], ids=lambda data: data.name)
def test_the_gradient_of_the_bound_by_finite_differences(data, rng):
    theta = data.start if data is TEN else data.mixture
    w = random_responsibilities(len(data.X), theta.k, rng)
    gradient = bound_gradient(data.X, theta, w)
    parameters = (theta.weights, theta.means, theta.covariances)
    numeric = differences(lambda *p: bound_at(data.X, w, *p), parameters)
    for exact, approximate in zip(gradient, numeric, strict=True):
        np.testing.assert_allclose(exact, approximate, rtol=1e-6, atol=1e-5)


def test_fishers_identity():
    """At the responsibilities of the E step, and only there, both have the same gradient."""
    theta = PLANE.mixture
    w = theta.responsibilities(PLANE.X)
    ours = log_likelihood_gradient(PLANE.X, theta)
    numeric = differences(
        lambda *p: bound_at(PLANE.X, w, *p), (theta.weights, theta.means, theta.covariances)
    )
    for exact, approximate in zip(ours, numeric, strict=True):
        np.testing.assert_allclose(exact, approximate, rtol=1e-6, atol=1e-5)
    elsewhere = bound_gradient(PLANE.X, theta, np.roll(w, 1, axis=1))
    assert np.abs(elsewhere.means - ours.means).max() > 1


def test_the_gradient_vanishes_where_em_stops():
    found = fit(PLANE.X, PLANE.start, tol=0, max_iter=400)
    gradient = log_likelihood_gradient(PLANE.X, found.mixture)
    assert np.abs(gradient.means).max() < 1e-6
    assert np.abs(gradient.covariances).max() < 1e-6
    # φ lives on the simplex: all derivatives equal the multiplier, the number of points.
    np.testing.assert_allclose(gradient.weights, 300, rtol=1e-7)


def test_the_m_step_is_where_the_gradient_of_the_bound_vanishes(rng):
    w = random_responsibilities(300, 3, rng)
    gradient = bound_gradient(PLANE.X, m_step(PLANE.X, w), w)
    assert np.abs(gradient.means).max() < 1e-10
    assert np.abs(gradient.covariances).max() < 1e-10
    np.testing.assert_allclose(gradient.weights, 300, rtol=1e-12)


W = np.full((10, 2), 0.5)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: evidence_lower_bound(TEN.X, 3, W), TypeError, "mixture: expected a Gaussian"),
        (lambda: evidence_lower_bound([np.nan], TEN.start, W[:1]), ValueError, "X: expected fin"),
        (lambda: evidence_lower_bound(PLANE.X, TEN.start, W), ValueError, "X: expected 1 feature"),
        (lambda: evidence_lower_bound(TEN.X, TEN.start, W.T), ValueError, "did you transpose it"),
        (lambda: evidence_lower_bound(TEN.X, TEN.start, 2 * W), ValueError, "sum to 1, got 2"),
        (
            lambda: evidence_lower_bound(TEN.X, TEN.start, W, sample_weight=[1]),
            ValueError,
            r"sample_weight: expected shape \(10,\)",
        ),
        (
            lambda: expected_complete_log_likelihood(TEN.X, TEN.start, W[:9]),
            ValueError,
            r"responsibilities: expected shape \(10, 2\)",
        ),
        (lambda: kl_to_posterior(TEN.X, TEN.start, -W), ValueError, "expected probabilities"),
        (lambda: bound_gradient(TEN.X, TEN.start, W[:, :1]), ValueError, r"shape \(10, 2\)"),
        (lambda: log_likelihood_gradient(TEN.X, None), TypeError, "mixture: expected a Gaussian"),
        (lambda: log_likelihood_gradient([], TEN.start), ValueError, "X: expected at least 1"),
        (lambda: entropy([0.5, 0.6]), ValueError, "q: expected probabilities of sum 1"),
        (lambda: entropy([-0.5, 1.5]), ValueError, "q: expected probabilities of sum 1"),
        (lambda: entropy([]), ValueError, r"q: expected shape \(m, k\)"),
        (lambda: entropy(np.ones((1, 1, 1))), ValueError, r"q: expected shape \(m, k\)"),
        (lambda: kl_divergence([1.0], [0.5, 0.5]), ValueError, r"p: expected shape \(1, 1\)"),
        (lambda: kl_divergence(["a"], [1.0]), TypeError, "q: expected real numbers"),
        (lambda: jensen_gap(np.log, []), ValueError, "values: expected shape"),
        (lambda: jensen_gap(np.log, [[1, 2]]), ValueError, "values: expected shape"),
        (lambda: jensen_gap(np.log, [1, 2], [0.5, 0.6]), ValueError, "weights: expected prob"),
        (lambda: jensen_gap(np.log, [1, 2], [1.0]), ValueError, r"weights: expected shape \(2,\)"),
        (lambda: jensen_gap(np.log, [1, 2], np.eye(2)), ValueError, r"weights: .*got \(2, 2\)"),
        (
            lambda: bound_gradient([1e145], GaussianMixture([1], [0], [1e-290]), [[1]]),
            ValueError,
            "X: expected points less than 1e150 standard deviations from some component",
        ),
        (lambda: jensen_gap("log", [1, 2]), TypeError, "f: expected a function, got str"),
        (lambda: jensen_gap(np.log, [1, -1]), ValueError, "f: expected a function defined at ev"),
        (lambda: jensen_gap(np.sum, [1, 2]), ValueError, "f: expected a function that maps"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
