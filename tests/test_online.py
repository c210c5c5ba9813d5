"""Incremental and stepwise EM."""

from itertools import islice

import numpy as np
import pytest

from gmm_lib import COVARIANCE_TYPES, CovariancePrior, GaussianMixture, em_states, entropy, fit
from gmm_lib.bound import expected_complete_log_likelihood
from gmm_lib.online import incremental_states, stepwise_states

START = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [3.0, 4.0]], [2 * np.eye(2)] * 2)


@pytest.fixture
def X(rng):
    return rng.normal(size=(3000, 2)) + 2.5 * rng.integers(0, 2, size=(3000, 1))


def generator():
    return np.random.default_rng(7)


def per_point(X, mixture):
    return mixture.log_density(X).mean()


def at_passes(states, n):
    """The mixtures after 0, 1, …, n whole passes."""
    found = []
    for state in states:
        if state.passes >= len(found) - 1e-9:
            found.append(state.mixture)
        if len(found) > n:
            return found
    raise AssertionError("states ended")


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_one_block_is_ordinary_em(X, covariance_type):
    prior = CovariancePrior(3.0, np.eye(2))
    ordinary = islice(em_states(X, START, covariance_type, prior=prior), 5)
    incremental = incremental_states(
        X, START, covariance_type, blocks=1, rng=generator(), prior=prior
    )
    for t, (expected, found) in enumerate(zip(ordinary, incremental, strict=False)):
        assert found.passes == t
        np.testing.assert_allclose(found.mixture.means, expected.mixture.means, rtol=1e-11)
        np.testing.assert_allclose(
            found.mixture.covariances, expected.mixture.covariances, rtol=1e-10, atol=1e-12
        )


def test_incremental_em_climbs_one_lower_bound(X):
    """Q of a block is that of its last visit; the bound over all blocks never falls."""
    blocks = 6
    parts = np.array_split(X[generator().permutation(len(X))], blocks)
    states = incremental_states(X, START, blocks=blocks, rng=generator())
    mixtures = [state.mixture for state in islice(states, 20)]
    used = [mixtures[0].responsibilities(part) for part in parts]
    bounds = []
    for visit in range(18):
        mixture = mixtures[visit + 1]
        bounds.append(
            sum(
                expected_complete_log_likelihood(part, mixture, w) + entropy(w).sum()
                for part, w in zip(parts, used, strict=True)
            )
        )
        used[visit % blocks] = mixture.responsibilities(parts[visit % blocks])
    assert np.diff(bounds).min() > -1e-8
    assert bounds[-1] - bounds[0] > 1


def test_both_gain_more_per_pass_than_ordinary_em(X):
    target = per_point(X, fit(X, START, tol=1e-12, max_iter=5000).mixture)
    n = 6
    ordinary = [state.mixture for state in islice(em_states(X, START), n + 1)]
    short = [
        target - per_point(X, mixtures[n])
        for mixtures in (
            ordinary,
            at_passes(incremental_states(X, START, blocks=20, rng=generator()), n),
            at_passes(stepwise_states(X, START, batch=100, rng=generator()), n),
        )
    ]
    assert short[1] < 0.5 * short[0]
    assert short[2] < 0.5 * short[0]


def test_incremental_em_ends_where_em_ends(X):
    best = fit(X, START, tol=1e-13, max_iter=5000).mixture
    last = at_passes(incremental_states(X, START, blocks=10, rng=generator()), 150)[-1]
    np.testing.assert_allclose(last.means, best.means, atol=1e-4)


def test_stepwise_em_settles_near_the_maximum(X):
    target = per_point(X, fit(X, START, tol=1e-12, max_iter=5000).mixture)
    mixtures = at_passes(stepwise_states(X, START, exponent=0.9, rng=generator()), 40)
    shortfall = target - np.array([per_point(X, mixture) for mixture in mixtures])
    assert 0 <= shortfall[-1] < 2e-3 < shortfall[0]


def test_a_batch_of_everything_with_weight_one_is_ordinary_em(X):
    states = stepwise_states(X, START, batch=10_000, delay=0, exponent=1, rng=generator())
    first, second = islice(states, 2)
    assert (first.passes, second.passes) == (0, 1)
    *_, expected = islice(em_states(X, START), 2)
    np.testing.assert_allclose(second.mixture.means, expected.mixture.means, rtol=1e-12)


def test_the_same_seed_gives_the_same_path(X):
    one, other = (list(islice(stepwise_states(X, START, rng=generator()), 9)) for _ in range(2))
    np.testing.assert_array_equal(one[-1].mixture.means, other[-1].mixture.means)


@pytest.mark.parametrize(
    ("make", "options", "error", "message"),
    [
        (incremental_states, {"blocks": 0}, ValueError, "blocks: expected at least 1"),
        (incremental_states, {"blocks": 4000}, ValueError, "blocks: expected at most one a point"),
        (incremental_states, {"rng": 3}, TypeError, "rng: expected a numpy.random.Generator"),
        (stepwise_states, {"batch": 0}, ValueError, "batch: expected at least 1"),
        (stepwise_states, {"exponent": 0.5}, ValueError, "exponent: expected a number greater"),
        (stepwise_states, {"exponent": 2}, ValueError, "exponent: .*at most 1, got 2"),
        (stepwise_states, {"delay": -1}, ValueError, "delay: expected a number at least 0"),
        (stepwise_states, {"covariance_type": "round"}, ValueError, "covariance_type"),
        (stepwise_states, {"initial": 3}, TypeError, "initial: expected a GaussianMixture"),
    ],
)
def test_refusals(X, make, options, error, message):
    arguments = {"rng": generator(), "initial": START} | options
    with pytest.raises(error, match=message):
        make(X, **arguments)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_weights_are_repetition_and_absence_in_incremental_em(X, covariance_type):
    X = X[:200]
    weight = np.arange(200) % 3.0
    prior = CovariancePrior(3.0, np.eye(2))
    options = {"blocks": 1, "rng": generator(), "prior": prior}
    weighted = incremental_states(X, START, covariance_type, sample_weight=weight, **options)
    repeated = em_states(
        np.repeat(X, weight.astype(int), axis=0), START, covariance_type, prior=prior
    )
    for expected, found in islice(zip(repeated, weighted, strict=False), 4):
        np.testing.assert_allclose(found.mixture.means, expected.mixture.means, rtol=1e-10)
        np.testing.assert_allclose(found.mixture.weights, expected.mixture.weights, rtol=1e-10)


def test_weights_count_by_their_ratios_in_stepwise_em(X):
    weight = np.where(np.arange(len(X)) % 2, 1.0, 0.0)
    runs = [
        list(islice(stepwise_states(points, START, rng=generator(), sample_weight=w), 20))
        for points, w in ((X, weight), (X, 7 * weight), (X[weight > 0], None))
    ]
    for other in runs[1:]:
        for one, two in zip(runs[0], other, strict=True):
            assert one.passes == two.passes
            np.testing.assert_allclose(one.mixture.means, two.mixture.means, rtol=1e-10)
    with pytest.raises(ValueError, match="sample_weight: expected shape"):
        stepwise_states(X, START, rng=generator(), sample_weight=[1.0])
