"""Sufficient statistics: sums that add."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from problems import blobs, difference

from gmm_lib import COVARIANCE_TYPES, CovariancePrior, GaussianMixture, e_step, m_step
from gmm_lib.statistics import SufficientStatistics


@pytest.mark.parametrize("cuts", [[1], [40], [10, 20, 30], [3, 4, 90]])
def test_statistics_of_parts_add_up_to_those_of_the_whole(cuts):
    X, mixture = blobs(100, 3, 2)
    X += 1e6  # far from the origin, where adding raw squares would lose 12 digits
    mixture = GaussianMixture(mixture.weights, mixture.means + 1e6, mixture.covariances)
    w, _ = e_step(X, mixture)
    whole = SufficientStatistics.of(X, w)
    parts = [
        SufficientStatistics.of(x, v)
        for x, v in zip(np.split(X, cuts), np.split(w, cuts), strict=True)
    ]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged + part
    np.testing.assert_allclose(merged.counts, whole.counts, rtol=1e-14)
    np.testing.assert_allclose(merged.means, whole.means, rtol=1e-15)
    # A mean near 1e6 is itself rounded to 1e-10; raw squares would be off by 1e-4.
    assert difference(merged.maximize(), m_step(X, w)) < 1e-8


@given(some.integers(0, 2**32 - 1), some.integers(1, 4), some.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_adding_is_associative_and_commutative(seed, d, k):
    rng = np.random.default_rng(seed)
    a, b, c = (
        SufficientStatistics.of(rng.normal(size=(n, d)) * 10, rng.dirichlet(np.ones(k), size=n))
        for n in rng.integers(1, 9, size=3)
    )
    for one, other in (((a + b) + c, a + (b + c)), (a + b, b + a)):
        np.testing.assert_allclose(one.counts, other.counts, rtol=1e-13)
        np.testing.assert_allclose(one.means, other.means, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(one.scatter, other.scatter, rtol=1e-9, atol=1e-9)


def test_a_part_without_weight_adds_nothing():
    X, mixture = blobs(20, 2, 2)
    w, _ = e_step(X, mixture)
    some_points = SufficientStatistics.of(X, w)
    none = SufficientStatistics(np.zeros(2), np.zeros((2, 2)), np.zeros((2, 2, 2)))
    for both in (some_points + none, none + some_points):
        np.testing.assert_array_equal(both.means, some_points.means)
        np.testing.assert_array_equal(both.scatter, some_points.scatter)
    assert (none + none).counts.sum() == 0
    with pytest.raises(TypeError):
        some_points + 1


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_statistics_lead_to_the_same_mixture_as_the_m_step(covariance_type):
    X, mixture = blobs(80, 3, 2)
    w, _ = e_step(X, mixture)
    weight = np.arange(80) % 3.0
    prior = CovariancePrior(2.0, np.eye(3))
    ours = SufficientStatistics.of(X, w, sample_weight=weight).maximize(covariance_type, prior)
    theirs = m_step(X, w, covariance_type, sample_weight=weight, prior=prior)
    assert difference(ours, theirs) < 1e-13
