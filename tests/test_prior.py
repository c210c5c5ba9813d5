"""The prior on covariances."""

import pickle

import numpy as np
import pytest
from scipy.stats import invwishart, wishart

from gmm_lib import CovariancePrior, GaussianMixture, datasets, fit
from gmm_lib.covariance import maximize

TEN = np.array([1.0, 4, 5, 6, 9, 19, 21, 24, 26, 29])
SPIKE = GaussianMixture([0.1, 0.9], [9, 15], [1e-6, 90])


def test_a_prior_prevents_the_collapse_and_its_objective_never_falls():
    prior = CovariancePrior(1, 10)
    found = fit(TEN, SPIKE, prior=prior, tol=1e-12)
    assert found.converged
    assert np.diff(found.objectives).min() > -1e-10
    assert np.diff(found.log_likelihoods).min() < -1  # it trades likelihood away, and says so
    with_bonus = found.log_likelihood + prior.log_density(found.mixture.cholesky)
    assert found.objectives[-1] == pytest.approx(with_bonus, rel=1e-12)


def test_a_prior_stays_as_it_is_made_from_a_pickle_too():
    prior = CovariancePrior(2, [[3.0, 1], [1, 4]])
    for each in (prior, pickle.loads(pickle.dumps(prior))):
        assert (each.strength, each.covariance.tolist()) == (2, [[3, 1], [1, 4]])
        with pytest.raises(ValueError, match="read-only"):
            each.covariance[0, 0] = 0


def test_bad_priors_are_refused():
    for strength, covariance, error, message in (
        (0, 1, ValueError, "strength: expected a number greater than 0, got 0"),
        (1, -1, ValueError, "positive definite"),
        (1, np.empty((0, 0)), ValueError, r"covariance: expected shape \(d, d\)"),
        (1, [[1], [0, 1]], ValueError, "covariance: .*rows of different lengths"),
        (1, [np.ma.array([1.0, 0], mask=[1, 0]), [0, 1.0]], ValueError, "covariance: .*1 masked"),
        (1, np.ones((2, 3)), ValueError, r"covariance: expected shape \(d, d\)"),
        ("strong", 1, TypeError, "strength: expected real numbers"),
    ):
        with pytest.raises(error, match=message):
            CovariancePrior(strength, covariance)


def random_covariance(d, rng):
    half = rng.normal(size=(d, d))
    return half @ half.T + 0.1 * np.eye(d)


@pytest.mark.parametrize(("d", "strength"), [(1, 2.5), (1, 7.0), (3, 6.5), (3, 20.0)])
def test_it_is_an_inverse_wishart_and_a_wishart_density_as_the_docstring_says(d, strength, rng):
    """Differences of logarithms, because the constant is left out."""
    prior = CovariancePrior(strength, random_covariance(d, rng))
    sigmas = [random_covariance(d, rng) for _ in range(5)]
    ours = np.array([prior.log_density(np.linalg.cholesky(sigma)[None]) for sigma in sigmas])
    of_sigma = invwishart(df=strength - d - 1, scale=strength * prior.covariance)
    of_lambda = wishart(df=strength + d + 1, scale=np.linalg.inv(strength * prior.covariance))
    for density in (
        [of_sigma.logpdf(sigma) for sigma in sigmas],
        [of_lambda.logpdf(np.linalg.inv(sigma)) for sigma in sigmas],
    ):
        offset = ours - np.array(density)
        np.testing.assert_allclose(offset, offset[0], rtol=1e-10, atol=1e-10)


def test_as_a_density_of_a_variance_it_is_proper_above_strength_2_only():
    """The integral to 10^e in logarithmic steps: it settles, or goes on growing."""

    def integral(strength, top, power):
        log_s = np.linspace(np.log(1e-3), np.log(10.0**top), 20_001)
        s = np.exp(log_s)
        height = np.exp(-strength / 2 * (np.log(s) + 1 / s))
        return np.trapezoid(height * s**power, log_s)

    # ds = s d log s; as a density of the precision 1/s, d(1/s) = d log s / s.
    assert integral(3, 12, 1) == pytest.approx(integral(3, 10, 1), rel=1e-4)
    for improper in (1, 2):
        assert integral(improper, 12, 1) > 1.1 * integral(improper, 10, 1)
        assert integral(improper, 12, -1) == pytest.approx(integral(improper, 10, -1), rel=1e-9)


def test_the_m_step_adds_points_of_the_prior_covariance(rng):
    scatter = random_covariance(2, rng)[None] * 7
    prior = CovariancePrior(3.0, random_covariance(2, rng))
    covariances = maximize(np.array([7.0]), np.zeros((1, 2)), scatter, "full", prior)[2]
    np.testing.assert_allclose(covariances[0], (scatter[0] + 3 * prior.covariance) / 10)


# --------------------------------------------------------------------------------------- from data


def test_from_data_is_the_covariance_shared_out_in_volume():
    X = datasets.old_faithful().X
    prior = CovariancePrior.from_data(X, 3)
    assert prior.strength == 1
    np.testing.assert_allclose(prior.covariance, np.cov(X.T, ddof=0) / 3, rtol=1e-12)
    volume = 3 * np.sqrt(np.linalg.det(prior.covariance))
    assert volume == pytest.approx(np.sqrt(np.linalg.det(np.cov(X.T, ddof=0))))
    assert CovariancePrior.from_data(TEN, 2, strength=4).covariance[0, 0] == TEN.var() / 4


def test_from_data_takes_weights_and_blocks():
    X = datasets.old_faithful().X
    weight = np.arange(272) % 3
    weighted = CovariancePrior.from_data(X, 2, sample_weight=weight).covariance
    repeated = CovariancePrior.from_data(np.repeat(X, weight, axis=0), 2).covariance
    np.testing.assert_allclose(weighted, repeated, rtol=1e-12)
    blocks = CovariancePrior.from_data([X[:100], X[100:]], 2).covariance
    np.testing.assert_allclose(blocks, CovariancePrior.from_data(X, 2).covariance, rtol=1e-12)


def test_from_data_fills_in_for_features_that_do_not_vary_or_repeat_others(rng):
    x, y = rng.normal(size=(2, 50))
    constant = CovariancePrior.from_data(np.c_[x, np.full(50, 1e6), 3 * y]).covariance
    np.testing.assert_allclose(constant[[0, 2]][:, [0, 2]], np.cov(x, 3 * y, ddof=0), rtol=1e-12)
    assert constant[1, 1] == pytest.approx((x.var() + 9 * y.var()) / 2)
    assert not constant[1, [0, 2]].any()
    line = CovariancePrior.from_data(np.c_[x, 2 * x]).covariance
    np.testing.assert_allclose(line, np.diag([x.var(), 4 * x.var()]), rtol=1e-12)


@pytest.mark.parametrize("X", [np.full((30, 2), 7.7), [[1.0, 2.0]], np.full(3000, 0.1)])
def test_from_data_refuses_data_at_one_place(X):
    with pytest.raises(ValueError, match="X: expected data that vary.*points at one place"):
        CovariancePrior.from_data(X)


def test_from_data_refuses_what_is_not_a_number_of_components():
    with pytest.raises(ValueError, match="k: expected at least 1, got 0"):
        CovariancePrior.from_data(TEN, 0)
    with pytest.raises(ValueError, match="strength: expected a number greater than 0"):
        CovariancePrior.from_data(TEN, strength=0)


def test_pixels_some_of_which_are_always_0_have_a_fit():
    """scikit-learn's digits: 64 features, three of which do not vary, and ten groups."""
    X = pytest.importorskip("sklearn.datasets").load_digits().data
    prior = CovariancePrior.from_data(X, 10)
    found = fit(X, 10, prior=prior, rng=np.random.default_rng(0), tol=1e-4)
    assert found.converged
    assert np.diff(found.objectives).min() > -1e-6
