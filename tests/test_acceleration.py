"""SQUAREM: where EM ends, sooner, and never down."""

import contextlib
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_properties import assert_alike, examples, problems, types

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    DegenerateComponentError,
    GaussianMixture,
    acceleration,
    datasets,
    em_states,
    fit,
    kmeans_plus_plus,
    squarem_states,
)

TEN = datasets.ten_points()
PLANE = datasets.overlapping()
GALAXIES = datasets.galaxies()


def maps_until(states, end, distance=1e-6, limit=5000):
    """How many EM maps until all five numbers of two bells are within `distance` of `end`."""
    for state in islice(states, limit):
        mixture = state.mixture
        error = [mixture.weights - end.weights, mixture.means - end.means,
                 mixture.covariances - end.covariances]  # fmt: skip
        if np.linalg.norm(np.concatenate([e.ravel() for e in error])) < distance:
            return state.iteration
    return np.inf


@pytest.mark.parametrize(("distance", "least", "most"), [(2, 900, 45), (3, 100, 30), (6, 6, 10)])
def test_overlapping_bells_need_far_fewer_maps(distance, least, most):
    """Two groups two standard deviations apart: a thousand iterations become some thirty-four."""
    truth = GaussianMixture([0.5, 0.5], [0, distance], [1, 1])
    X = truth.sample(1000, np.random.default_rng(5))[0]
    end = list(islice(squarem_states(X, truth), 200))[-1]
    # It is the same top: from there EM does not move.
    assert maps_until(em_states(X, end.mixture), end.mixture, 1e-9) == 0
    assert fit(X, end.mixture, tol=0, max_iter=50).log_likelihood == pytest.approx(
        end.log_likelihood, abs=1e-9
    )
    assert maps_until(em_states(X, truth), end.mixture) >= least
    assert maps_until(squarem_states(X, truth), end.mixture) <= most


def test_galaxies_with_a_prior_reach_the_same_top_in_a_fraction():
    prior = CovariancePrior(1.0, 0.25)
    start = kmeans_plus_plus(GALAXIES.X, 4, rng=np.random.default_rng(1))
    end = fit(GALAXIES.X, start, prior=prior, tol=1e-14, max_iter=5000)

    def arrival(states):
        close = (s for s in states if abs(s.log_likelihood - end.log_likelihood) < 1e-6)
        return next(close).iteration

    plain = arrival(islice(em_states(GALAXIES.X, start, prior=prior), 5000))
    fast = arrival(islice(squarem_states(GALAXIES.X, start, prior=prior), 500))
    assert plain > 3 * fast


@examples
@given(problems(), types, st.booleans())
def test_what_is_climbed_never_falls(problem, covariance_type, with_prior):
    X, mixture, _ = problem
    prior = CovariancePrior(2.0, np.eye(X.shape[1])) if with_prior else None
    found = []
    with contextlib.suppress(DegenerateComponentError):
        found.extend(islice(squarem_states(X, mixture, covariance_type, prior=prior), 12))
    heights = [
        s.log_likelihood + (prior.log_density(s.mixture.cholesky) if prior else 0) for s in found
    ]
    assert len(found) > 1
    assert all(after >= before - 1e-9 * (1 + abs(before)) for before, after in pairwise(heights))
    for state in found[1:]:
        GaussianMixture(state.mixture.weights, state.mixture.means, state.mixture.covariances)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_covariances_keep_their_type(covariance_type):
    states = list(islice(squarem_states(PLANE.X, PLANE.mixture, covariance_type), 60))
    last = states[-1].mixture
    assert [s.iteration for s in states[:4]] == [0, 3, 6, 9]
    found = fit(PLANE.X, PLANE.mixture, covariance_type=covariance_type, tol=1e-13, max_iter=5000)
    assert_alike(last, found.mixture, rtol=1e-4)
    assert states[-1].log_likelihood >= found.log_likelihood - 1e-9


def test_states_are_told_with_their_own_responsibilities():
    for state in islice(squarem_states(TEN.X, TEN.start), 5):
        np.testing.assert_array_equal(state.responsibilities, state.mixture.responsibilities(TEN.X))
        assert state.log_likelihood == state.mixture.log_density(TEN.X).sum()


def test_units_do_not_matter():
    one = list(islice(squarem_states(PLANE.X, PLANE.mixture), 8))[-1]
    unit = np.array([1e3, 1e-4])
    moved = GaussianMixture(
        PLANE.mixture.weights,
        PLANE.mixture.means * unit,
        PLANE.mixture.covariances * unit[:, None] * unit,
    )
    other = list(islice(squarem_states(PLANE.X * unit, moved), 8))[-1]
    np.testing.assert_allclose(other.mixture.means / unit, one.mixture.means, rtol=1e-8)


def test_an_integer_weight_is_repetition(rng):
    weight = rng.integers(0, 3, size=len(PLANE.X))
    weighted = islice(squarem_states(PLANE.X, PLANE.mixture, sample_weight=weight), 8)
    repeated = islice(squarem_states(np.repeat(PLANE.X, weight, axis=0), PLANE.mixture), 8)
    for one, other in zip(weighted, repeated, strict=True):
        assert_alike(one.mixture, other.mixture, rtol=1e-8)


def no_mixture(start, first, second, unit):
    raise DegenerateComponentError(0, "for the test")


def worse(start, first, second, unit):
    return TEN.start


def out_of_reach(start, first, second, unit):
    return GaussianMixture([0.5, 0.5], [1e120, 2e120], [1e-200, 1e-200])


def collapsing(start, first, second, unit):
    """Higher than any other so far, but the M step from there finds one point alone."""
    return GaussianMixture([0.5, 0.5], [16.0, 9.0], [80.0, 1e-31])


@pytest.mark.parametrize("bad", [no_mixture, worse, out_of_reach, collapsing])
def test_where_extrapolation_fails_em_goes_on(bad, monkeypatch):
    monkeypatch.setattr(acceleration, "extrapolated", bad)
    plain = list(islice(em_states(TEN.X, TEN.start), 11))
    states = list(islice(squarem_states(TEN.X, TEN.start), 4))
    for state in states:
        np.testing.assert_array_equal(state.mixture.means, plain[state.iteration].mixture.means)


def test_extrapolation_leaves_no_weight_below_what_floats_hold():
    unit = np.ones(1)
    chain = [GaussianMixture([p, 1 - p], [0, 5], [1, 1]) for p in (1e-20, 1e-60, 1.001e-100)]
    with pytest.raises(DegenerateComponentError, match="its weight left the range of floats"):
        acceleration.extrapolated(*chain, unit)
    still = acceleration.extrapolated(chain[0], chain[0], chain[0], unit)
    assert still is chain[0]


def test_collapse_is_told_with_its_iteration():
    start = GaussianMixture([0.5, 0.5], [9, 15], [1e-3, 60])
    with pytest.raises(DegenerateComponentError, match="at iteration [0-9]+: it collapsed"):
        list(islice(squarem_states(TEN.X, start), 40))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: squarem_states(TEN.X, 2), TypeError, "initial: expected a GaussianMixture"),
        (lambda: squarem_states(PLANE.X, TEN.start), ValueError, "X: expected 1 feature"),
        (lambda: squarem_states(TEN.X, TEN.start, "round"), ValueError, "covariance_type: exp"),
        (
            lambda: squarem_states(TEN.X, TEN.start, sample_weight=[1]),
            ValueError,
            "sample_weight: expected shape",
        ),
        (lambda: squarem_states(TEN.X, TEN.start, prior=1), TypeError, "prior: expected None"),
    ],
)
def test_bad_input_is_refused_at_once(call, error, message):
    with pytest.raises(error, match=message):
        call()
