"""The numbers of the source's ten points, recomputed: the book's text stands on these."""

from itertools import islice

import numpy as np
import pytest

from gmm_lib import (
    GaussianMixture,
    datasets,
    e_step,
    em_states,
    fit,
    from_labels,
    hard_states,
)

TEN = datasets.ten_points()
X, X9 = TEN.X[:, 0], 4  # the point x = 9 is the fifth


def test_one_gaussian_for_the_first_five():
    five = X[:5]
    assert five.mean() == 5
    assert five.var() == pytest.approx(6.8)
    assert five.var(ddof=1) == pytest.approx(8.5)
    mixture = from_labels(five, [0] * 5)
    assert mixture.means[0, 0] == 5
    assert mixture.covariances[0, 0, 0] == pytest.approx(6.8)


def test_the_start_has_the_published_standard_deviations():
    sd = np.sqrt(TEN.start.covariances[:, 0, 0])
    np.testing.assert_allclose(sd, [2.9155, 3.9623], atol=5e-5)
    # They are the groups' own, with m - 1: the source's loop starts from the right widths.
    own = [X[TEN.labels == j].std(ddof=1) for j in (0, 1)]
    np.testing.assert_allclose(sd, own, rtol=1e-12)


STUCK, RECOVERED = [0, 0, 0, 0, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("ddof", "use_weights", "labels", "means", "sd"),
    [
        (0, True, STUCK, [4, 21.3333], [1.8708, 6.3944]),
        (0, False, STUCK, [4, 21.3333], [1.8708, 6.3944]),
        (1, True, STUCK, [4, 21.3333], [2.1602, 7.0048]),
        (1, False, RECOVERED, [5, 23.8], [2.9155, 3.9623]),
    ],
)
def test_where_the_hard_loop_ends(ddof, use_weights, labels, means, sd):
    states = list(islice(hard_states(X, TEN.start, ddof=ddof, use_weights=use_weights), 11))
    end = states[10]
    np.testing.assert_array_equal(end.labels, labels)
    np.testing.assert_allclose(end.mixture.means[:, 0], means, atol=5e-5)
    np.testing.assert_allclose(np.sqrt(end.mixture.covariances[:, 0, 0]), sd, atol=5e-5)
    # It has come to rest: the last refit changed nothing.
    np.testing.assert_array_equal(end.mixture.means, states[9].mixture.means)
    # All four loops begin by giving x = 9 to component 2.
    np.testing.assert_array_equal(states[0].labels, STUCK)


@pytest.mark.parametrize("use_weights", [True, False])
def test_maximum_likelihood_sticks_at_once(use_weights):
    states = list(islice(hard_states(X, TEN.start, use_weights=use_weights), 3))
    np.testing.assert_array_equal(states[1].labels, states[0].labels)
    np.testing.assert_array_equal(states[2].mixture.means, states[1].mixture.means)


def test_the_published_loop_passes_through_the_published_values():
    state = list(islice(hard_states(X, TEN.start, ddof=1, use_weights=False), 2))[1]
    np.testing.assert_allclose(state.mixture.means[:, 0], [4, 21.33], atol=5e-3)
    np.testing.assert_allclose(
        np.sqrt(state.mixture.covariances[:, 0, 0]), [2.1602, 7.0048], atol=5e-5
    )


def test_soft_labels_bring_x_9_back():
    states = list(islice(em_states(X, TEN.start), 7))
    w9 = [state.responsibilities[X9, 0] for state in states]
    np.testing.assert_allclose(
        w9, [0.1444, 0.2009, 0.3456, 0.5801, 0.8483, 0.9872, 0.9994], atol=5e-5
    )
    ell = [state.log_likelihood for state in states]
    np.testing.assert_allclose(
        ell, [-60.7213, -34.5257, -34.1747, -33.7933, -33.2247, -32.4948, -32.2416], atol=5e-5
    )


def test_where_soft_labels_end():
    found = fit(X, TEN.start, tol=1e-12)
    assert found.converged
    assert found.log_likelihood == pytest.approx(-32.239059, abs=5e-7)
    np.testing.assert_allclose(found.mixture.means[:, 0], [4.9997, 23.7988], atol=5e-5)
    np.testing.assert_allclose(found.mixture.covariances[:, 0, 0], [6.7993, 12.5765], atol=5e-5)
    np.testing.assert_allclose(found.mixture.weights, [0.5, 0.5], atol=5e-5)


@pytest.mark.parametrize(("sd", "ell"), [(1e-2, -33.3), (1e-4, -28.7)])
def test_a_spike_on_x_9_wins_only_when_extreme(sd, ell):
    rest = np.delete(X, X9)
    spike = GaussianMixture([0.1, 0.9], [9, rest.mean()], [sd**2, rest.var()])
    spiked = e_step(X, spike)[1]
    assert spiked == pytest.approx(ell, abs=0.05)
    good = fit(X, TEN.start).log_likelihood
    assert (spiked > good) == (sd == 1e-4)


def test_the_thousand_points_from_far_away_in_fifty_iterations():
    data = datasets.thousand_points()
    states = list(islice(em_states(data.X, data.start), 51))
    assert np.diff([state.log_likelihood for state in states]).min() > -1e-9
    end = states[50].mixture
    # Within four standard errors of the truth, had the labels been known.
    np.testing.assert_allclose(end.means[:, 0], [0, 15], atol=4 * np.sqrt(12 / 700))
    np.testing.assert_allclose(end.covariances[:, 0, 0], [12, 3], rtol=4 * np.sqrt(2 / 300))
    np.testing.assert_allclose(end.weights, [0.7, 0.3], atol=4 * np.sqrt(0.21 / 1000))
