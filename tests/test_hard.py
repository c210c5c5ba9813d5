"""The hard-label loop and k-means."""

from itertools import islice, pairwise

import numpy as np
import pytest

from gmm_lib import (
    COVARIANCE_TYPES,
    DegenerateComponentError,
    GaussianMixture,
    datasets,
    hard_states,
    kmeans,
    kmeans_states,
)

TEN = datasets.ten_points()
PLANE = datasets.overlapping()


def take(states, n):
    return list(islice(states, n))


def test_each_state_follows_from_the_one_before():
    for before, after in pairwise(take(hard_states(PLANE.X, PLANE.start), 6)):
        for j in range(3):
            own = PLANE.X[before.labels == j]
            np.testing.assert_allclose(after.mixture.weights[j], len(own) / 300)
            np.testing.assert_allclose(after.mixture.means[j], own.mean(axis=0))
            np.testing.assert_allclose(after.mixture.covariances[j], np.cov(own.T, ddof=0))


def test_a_state_is_consistent_in_itself():
    state = take(hard_states(PLANE.X, PLANE.start), 4)[3]
    joint = state.mixture.component_log_density(PLANE.X)
    assert state.iteration == 3
    np.testing.assert_array_equal(state.labels, joint.argmax(axis=1))
    own = joint[np.arange(300), state.labels].sum()
    assert state.complete_log_likelihood == pytest.approx(own, rel=1e-13)
    ell = state.mixture.log_density(PLANE.X).sum()
    assert state.log_likelihood == pytest.approx(ell, rel=1e-13)
    # A sum of positive terms is more than its largest.
    assert state.complete_log_likelihood < state.log_likelihood


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("use_weights", [True, False])
def test_what_the_loop_climbs_never_falls(covariance_type, use_weights):
    states = take(hard_states(PLANE.X, PLANE.start, covariance_type, use_weights=use_weights), 30)
    climbed = np.array([state.complete_log_likelihood for state in states])
    assert np.diff(climbed).min() > -1e-9
    assert climbed[-1] > climbed[0] + 100
    np.testing.assert_array_equal(states[-1].labels, states[-2].labels)


def test_without_weights_all_components_count_alike():
    uneven = GaussianMixture([0.9, 0.1], TEN.start.means, TEN.start.covariances)
    for state in take(hard_states(TEN.X, uneven, use_weights=False), 3):
        np.testing.assert_array_equal(state.mixture.weights, [0.5, 0.5])
    likeliest = take(hard_states(TEN.X, uneven), 1)[0].labels
    nearest = take(hard_states(TEN.X, uneven, use_weights=False), 1)[0].labels
    assert likeliest.sum() < nearest.sum()  # φ = 0.9 draws points to component 1


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_ddof_divides_by_one_less(covariance_type):
    state, unbiased = (
        take(hard_states(PLANE.X, PLANE.start, covariance_type, ddof=ddof), 2)[1] for ddof in (0, 1)
    )
    labels = take(hard_states(PLANE.X, PLANE.start, covariance_type), 1)[0].labels
    n = np.bincount(labels)
    ratio = np.full(3, 300 / 297) if covariance_type == "tied" else n / (n - 1)
    np.testing.assert_allclose(
        unbiased.mixture.covariances,
        state.mixture.covariances * ratio[:, None, None],
        rtol=1e-12,
    )


def test_a_component_that_loses_all_points_is_reported():
    start = GaussianMixture([0.5, 0.5], [3, 1000], [8.5, 15.7])
    states = hard_states(TEN.X, start)
    assert next(states).labels.sum() == 0
    with pytest.raises(DegenerateComponentError, match=r"component 2 \(index 1\).*iteration 1.*no"):
        next(states)


def test_a_component_left_with_one_point_is_reported():
    start = GaussianMixture([0.5, 0.5], [1, 20], [1, 15.7])
    with pytest.raises(DegenerateComponentError, match=r"component 1 \(index 0\).*collapsed") as e:
        take(hard_states([0.0, 19, 21, 24], start), 3)
    assert (e.value.component, e.value.iteration) == (0, 1)


def test_nothing_left_to_divide_by_is_reported():
    start = GaussianMixture([0.5, 0.5], [0, 10], [1, 1])
    with pytest.raises(DegenerateComponentError, match="collapsed"):
        take(hard_states([0.0, 10.0], start, "tied", ddof=1), 2)
    # Two points a component: Σ (x - μ_j)² = 1 over m - k = 2.
    state = take(hard_states([0.0, 1.0, 10.0, 11.0], start, "tied", ddof=1), 2)[1]
    assert state.mixture.covariances[0, 0, 0] == 0.5


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((TEN.X, "start"), {}, TypeError, "initial: expected a GaussianMixture"),
        ((PLANE.X, TEN.start), {}, ValueError, "X: expected 1 feature"),
        (([np.nan, 1], TEN.start), {}, ValueError, "X: expected finite"),
        ((TEN.X, TEN.start, "round"), {}, ValueError, "covariance_type: expected one of"),
        ((TEN.X, TEN.start), {"ddof": 2}, ValueError, "ddof: expected 0 or 1, got 2"),
        ((TEN.X, TEN.start), {"ddof": 0.5}, TypeError, "ddof: expected a whole number"),
    ],
)
def test_hard_states_refuses_at_once(arguments, options, error, message):
    with pytest.raises(error, match=message):
        hard_states(*arguments, **options)


def test_kmeans_by_hand():
    states = take(kmeans_states([0, 1, 10, 11], [0, 1]), 4)
    np.testing.assert_array_equal(states[0].labels, [0, 1, 1, 1])
    assert states[0].inertia == 81 + 100
    np.testing.assert_allclose(states[1].centers[:, 0], [0, 22 / 3])
    np.testing.assert_array_equal(states[1].labels, [0, 0, 1, 1])
    np.testing.assert_array_equal(states[2].centers[:, 0], [0.5, 10.5])
    assert states[2].inertia == 4 * 0.25
    assert states[3].inertia == states[2].inertia
    assert [state.iteration for state in states] == [0, 1, 2, 3]


def test_kmeans_never_raises_its_inertia(rng):
    states = take(kmeans_states(PLANE.X, PLANE.X[:5]), 40)
    inertia = np.array([state.inertia for state in states])
    assert np.diff(inertia).max() < 1e-9
    assert inertia[-1] < inertia[0]


def test_kmeans_agrees_with_scikit_learn():
    from sklearn.cluster import KMeans

    start = PLANE.X[[0, 1, 2]]
    theirs = KMeans(3, init=start, n_init=1, tol=0, algorithm="lloyd").fit(PLANE.X)
    ours = kmeans(PLANE.X, start)
    assert ours.converged
    np.testing.assert_allclose(ours.centers, theirs.cluster_centers_, rtol=1e-12)
    np.testing.assert_array_equal(ours.labels, theirs.labels_)
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-12)


def test_kmeans_is_truthful_about_stopping():
    start = PLANE.X[:3]
    early = kmeans(PLANE.X, start, max_iter=1)
    assert (early.converged, early.n_iter) == (False, 1)
    late = kmeans(PLANE.X, start)
    assert late.converged
    assert late.n_iter > 1
    assert late.inertia < early.inertia
    exact = kmeans(PLANE.X, start, max_iter=late.n_iter)
    assert (exact.converged, exact.n_iter) == (True, late.n_iter)


def test_more_starts_are_never_worse():
    X = datasets.iris().X
    one = kmeans(X, 3, rng=np.random.default_rng(1))
    many = kmeans(X, 3, n_init=10, rng=np.random.default_rng(1))
    assert many.inertia <= one.inertia
    # R's kmeans(iris[, 1:4], 3, nstart = 10) reports a total within sum of squares of 78.85144.
    assert many.inertia == pytest.approx(78.85144, abs=1e-5)


def test_kmeans_does_not_change_the_centers_it_is_given():
    start = np.array([[0.0, 0.0], [3.0, 1.0], [1.0, 4.0]])
    kept = start.copy()
    take(kmeans_states(PLANE.X, start), 5)
    np.testing.assert_array_equal(start, kept)


# Nine points whose rows 7, 8 and 4, as centers, leave the first without points in two iterations.
TRAP = np.array(
    [[0, 0], [0, 3], [2, 3], [5, 2], [5, 10], [7, 10], [10, 6], [11, 5], [11, 7]], dtype=float
)


def test_restarts_skip_a_start_that_loses_a_center(monkeypatch):
    with pytest.raises(DegenerateComponentError, match="iteration 2.*no point is nearest"):
        kmeans(TRAP, TRAP[[7, 8, 4]])
    starts = iter([[7, 8, 4], [0, 4, 8], [7, 8, 4]])
    monkeypatch.setattr("gmm_lib.hard.far_apart", lambda *_: next(starts))
    found = kmeans(TRAP, 3, n_init=3, rng=np.random.default_rng(0))
    alone = kmeans(TRAP, TRAP[[0, 4, 8]])
    assert found.inertia == alone.inertia
    np.testing.assert_array_equal(found.centers, alone.centers)
    starts = iter([[7, 8, 4], [7, 8, 4]])
    with pytest.raises(DegenerateComponentError, match="iteration 2"):
        kmeans(TRAP, 3, n_init=2, rng=np.random.default_rng(0))


def test_a_center_without_points_is_reported():
    with pytest.raises(DegenerateComponentError, match=r"component 2 \(index 1\).*iteration 1.*no"):
        kmeans([0.0, 1, 2], [1, 100])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: kmeans_states(PLANE.X, [[0, 0, 0]]), ValueError, "centers: expected 2 features"),
        (lambda: kmeans_states([], [0]), ValueError, "X: expected at least 1 point"),
        (lambda: kmeans_states(TEN.X, [np.inf]), ValueError, "centers: expected finite"),
        (lambda: kmeans_states([1.0], [1, 2]), ValueError, "k: expected at most as many"),
        (lambda: kmeans(TEN.X, 11, rng=np.random.default_rng(0)), ValueError, "k: expected at m"),
        (lambda: kmeans(TEN.X, 0, rng=np.random.default_rng(0)), ValueError, "k: expected at le"),
        (lambda: kmeans(TEN.X, [[1], [2, 3]]), ValueError, "k_or_centers: .*different lengths"),
        (lambda: kmeans(TEN.X, "two"), TypeError, "k: expected a whole number"),
        (lambda: kmeans(TEN.X, 2), TypeError, "rng: expected a numpy.random.Generator"),
        (lambda: kmeans(TEN.X, [3, 10], n_init=2), ValueError, "n_init: expected 1 with given"),
        (lambda: kmeans(TEN.X, [3, 10], max_iter=0), ValueError, "max_iter: expected at least 1"),
        (
            lambda: kmeans([1, 1, 2], 3, rng=np.random.default_rng(0)),
            ValueError,
            "k = 3 for 2 different points",
        ),
    ],
)
def test_kmeans_refuses(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_weights_of_points_are_repetition_and_absence_for_k_means():
    X = PLANE.X
    weight = np.arange(len(X)) % 4
    start = X[[1, 2, 3]]
    weighted = kmeans(X, start, sample_weight=weight)
    repeated = kmeans(np.repeat(X, weight, axis=0), start)
    np.testing.assert_allclose(weighted.centers, repeated.centers, rtol=1e-12)
    assert weighted.inertia == pytest.approx(repeated.inertia, rel=1e-12)
    np.testing.assert_array_equal(np.repeat(weighted.labels, weight), repeated.labels)
    far = np.append(X, [[1e9, 1e9]], axis=0)  # of weight 0, it is never a center
    for seed in range(5):
        found = kmeans(far, 3, rng=np.random.default_rng(seed), sample_weight=[1] * len(X) + [0])
        assert np.abs(found.centers).max() < 1e3
    with pytest.raises(ValueError, match="sample_weight: expected shape"):
        kmeans(X, 3, rng=np.random.default_rng(0), sample_weight=[1.0])


def test_centers_of_thousands_of_equal_values_are_that_value():
    x = np.append(np.full(3000, 7.7), np.full(2000, 0.1))
    states = take(kmeans_states(x, [5.0, 1.0]), 2)
    np.testing.assert_array_equal(states[1].centers[:, 0], [7.7, 0.1])
    assert states[1].inertia == 0


def test_the_hard_loop_advises_what_it_has():
    with pytest.raises(DegenerateComponentError) as caught:
        take(hard_states([0.0, 1, 2, 50], GaussianMixture([0.5, 0.5], [1, 50], [1, 1])), 3)
    assert "'tied'" in str(caught.value)
    assert "prior" not in str(caught.value)
    with pytest.raises(DegenerateComponentError, match="or fewer centers"):
        kmeans([0.0, 1, 2], [1, 100])


@pytest.mark.parametrize("covariance_type", ["tied", "diag", "spherical"])
def test_the_hard_loop_climbs_from_a_start_of_another_type(covariance_type):
    covariances = [[[1, 0.6], [0.6, 2]], [[3, -0.9], [-0.9, 1]]]
    crooked = GaussianMixture([0.5, 0.5], [[0, 1], [3, 2]], covariances)
    states = take(hard_states(PLANE.X, crooked, covariance_type), 9)
    assert np.diff([state.complete_log_likelihood for state in states]).min() > -1e-9
