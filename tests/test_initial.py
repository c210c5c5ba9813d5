"""Starting points."""

import numpy as np
import pytest

from gmm_lib import (
    COVARIANCE_TYPES,
    DegenerateComponentError,
    datasets,
    from_labels,
    from_responsibilities,
    kmeans,
    kmeans_plus_plus,
    kmeans_start,
    m_step,
    random_responsibilities,
    random_start,
)
from gmm_lib.initial import one_hot
from gmm_lib.partition import far_apart

TEN = datasets.ten_points()
PLANE = datasets.overlapping()
POINT_STARTS = [random_start, kmeans_plus_plus]


@pytest.mark.parametrize("start", POINT_STARTS)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_means_are_points_and_ellipses_share_the_volume(start, covariance_type, rng):
    k = 4
    mixture = start(PLANE.X, k, rng=rng, covariance_type=covariance_type)
    rows = {tuple(x) for x in PLANE.X}
    assert len({tuple(mean) for mean in mixture.means}) == k
    assert all(tuple(mean) in rows for mean in mixture.means)
    np.testing.assert_array_equal(mixture.weights, np.full(k, 1 / k))
    whole = m_step(PLANE.X, np.ones((300, 1)), covariance_type).covariances[0]
    for covariance in mixture.covariances:
        np.testing.assert_allclose(covariance, whole / 4 ** (2 / 2), rtol=1e-12)
    volume = np.sqrt(np.linalg.det(mixture.covariances)).sum()
    assert volume == pytest.approx(np.sqrt(np.linalg.det(whole)))


@pytest.mark.parametrize("start", POINT_STARTS)
def test_the_same_seed_gives_the_same_start(start):
    one, two, other = (
        start(PLANE.X, 3, rng=np.random.default_rng(seed)).means for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("start", POINT_STARTS)
def test_repeated_points_never_give_two_equal_means(start):
    X = np.repeat([[1.0], [2.0], [7.0]], [50, 1, 1], axis=0)
    for seed in range(20):
        means = start(X, 3, rng=np.random.default_rng(seed)).means[:, 0]
        np.testing.assert_array_equal(np.sort(means), [1, 2, 7])


def test_random_start_draws_every_point_alike(rng):
    X = np.arange(5.0)
    first = [random_start(X, 2, rng=rng).means[0, 0] for _ in range(1000)]
    counts = np.bincount(np.array(first, dtype=int), minlength=5)
    assert np.abs(counts - 200).max() < 5 * np.sqrt(1000 * 0.2 * 0.8)


def test_kmeans_plus_plus_draws_by_squared_distance_to_the_nearest(rng):
    # With 0 and 10 drawn, 1 and 12 are at squared distances 1 and 4 of their nearest.
    X = np.array([[0.0], [10.0], [1.0], [12.0]])
    drawn = [far_apart(X, 3, rng) for _ in range(4000)]
    third = [rows[2] for rows in drawn if set(rows[:2]) == {0, 1}]
    share = np.mean(np.array(third) == 3)
    assert abs(share - 4 / 5) < 4 * np.sqrt(0.16 / len(third))


def test_kmeans_plus_plus_finds_far_groups(rng):
    X = np.concatenate([rng.normal(c, 0.1, size=(30, 2)) for c in (0, 100, 200)])
    for _ in range(20):
        means = kmeans_plus_plus(X, 3, rng=rng).means
        assert sorted(np.round(means[:, 0] / 100)) == [0, 1, 2]


def test_kmeans_plus_plus_does_not_depend_on_units():
    start = kmeans_plus_plus(PLANE.X, 3, rng=np.random.default_rng(5))
    scaled = kmeans_plus_plus(PLANE.X * [1000, 1e-3], 3, rng=np.random.default_rng(5))
    np.testing.assert_allclose(scaled.means, start.means * [1000, 1e-3], rtol=1e-12)


def test_a_point_of_weight_zero_is_never_drawn_nor_counted(rng):
    X = np.array([0.0, 1, 2, 3, 1e6])
    weight = [1, 1, 1, 1, 0]
    for _ in range(20):
        start = kmeans_plus_plus(X, 2, rng=rng, sample_weight=weight)
        assert start.means.max() <= 3
        np.testing.assert_allclose(start.covariances, np.var(X[:4]) / 4)


def test_data_on_a_line_still_have_a_start(rng):
    x = np.arange(10.0)
    X = np.stack([x, 2 * x], axis=1)
    start = kmeans_plus_plus(X, 2, rng=rng)
    np.testing.assert_allclose(start.covariances[0], np.diag(X.var(axis=0)) / 2)


@pytest.mark.parametrize("start", POINT_STARTS)
def test_data_without_spread_have_none(start, rng):
    with pytest.raises(DegenerateComponentError, match="collapsed"):
        start(np.ones((5, 2)), 1, rng=rng)


@pytest.mark.parametrize("start", POINT_STARTS)
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"X": []}, ValueError, "X: expected at least 1 point"),
        ({"X": [np.nan, 1]}, ValueError, "X: expected finite"),
        ({"X": np.zeros((2, 2, 2))}, ValueError, r"X: expected shape \(m, d\)"),
        ({"X": ["a", "b"]}, TypeError, "X: expected real numbers"),
        ({"k": 0}, ValueError, "k: expected at least 1, got 0"),
        ({"k": 11}, ValueError, "k: expected at most as many components as points"),
        ({"k": 2.0}, TypeError, "k: expected a whole number"),
        ({"X": [1, 1, 2], "k": 3}, ValueError, "k = 3 for 2 different points"),
        ({"rng": 7}, TypeError, "rng: expected a numpy.random.Generator, got 7"),
        ({"covariance_type": "round"}, ValueError, "covariance_type: expected one of"),
    ],
)
def test_point_starts_refuse(start, change, error, message):
    arguments = {"X": TEN.X, "k": 2, "rng": np.random.default_rng(0)} | change
    with pytest.raises(error, match=message):
        start(**arguments)


def test_labels_give_the_fit_of_each_group():
    data = datasets.iris()
    mixture = from_labels(data.X, data.labels)
    for j in range(3):
        own = data.X[data.labels == j]
        np.testing.assert_allclose(mixture.weights[j], 1 / 3)
        np.testing.assert_allclose(mixture.means[j], own.mean(axis=0))
        np.testing.assert_allclose(mixture.covariances[j], np.cov(own.T, ddof=0))


def test_labels_are_hard_responsibilities():
    w = one_hot(TEN.labels, 2)
    a, b = from_labels(TEN.X, TEN.labels), from_responsibilities(TEN.X, w)
    np.testing.assert_array_equal(a.means, b.means)
    np.testing.assert_array_equal(a.covariances, b.covariances)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (["a"] * 10, TypeError, "labels: expected whole numbers, got dtype"),
        ([0.0] * 10, TypeError, "labels: expected whole numbers"),
        ([[0], [0, 1]], ValueError, "labels: .*rows of different lengths"),
        (
            np.ma.array([0, 1] * 5, mask=[0] * 9 + [1]),
            ValueError,
            "labels: expected an array without masked entries, got 1 masked",
        ),
        ([0] * 9, ValueError, r"labels: expected shape \(10,\)"),
        ([-1] + [0] * 9, ValueError, "labels: expected labels from 0, got -1"),
        ([10] + [0] * 9, ValueError, "labels: expected labels below the number of points"),
        ([0] * 5 + [2] * 5, DegenerateComponentError, r"component 2 \(index 1\).*no point"),
        ([0] * 9 + [1], DegenerateComponentError, r"component 2 \(index 1\).*collapsed"),
    ],
)
def test_bad_labels_are_refused(labels, error, message):
    with pytest.raises(error, match=message):
        from_labels(TEN.X, labels)


@pytest.mark.parametrize("call", [kmeans_start, kmeans_plus_plus, kmeans])
def test_points_too_close_for_squares_are_different_points(call):
    """Their squared distances are 0 in float64: to say that all points are equal would be wrong."""
    with pytest.raises(ValueError, match="X: expected points whose distances can be squared"):
        call(TEN.X * 1e-180, 2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="k = 3 for 2 different points"):
        call(
            [1e-180, 1e-180, 0.5, 0.5], 3, rng=np.random.default_rng(0), sample_weight=[1, 0, 1, 1]
        )


def test_bad_responsibilities_are_refused():
    with pytest.raises(ValueError, match="responsibilities: expected rows that sum to 1"):
        from_responsibilities(TEN.X, np.ones((10, 2)))


def test_random_responsibilities_are_distributions(rng):
    w = random_responsibilities(2000, 3, rng)
    assert w.shape == (2000, 3)
    assert w.min() >= 0
    np.testing.assert_allclose(w.sum(axis=1), 1)
    # Uniform on the simplex: each share has mean 1/3 and variance 1/18.
    assert np.abs(w.mean(axis=0) - 1 / 3).max() < 4 * np.sqrt(1 / 18 / 2000)
    assert np.abs(w.var(axis=0) - 1 / 18).max() < 0.01


def test_random_responsibilities_start_every_component_near_the_middle(rng):
    X = PLANE.X
    mixture = from_responsibilities(X, random_responsibilities(300, 3, rng))
    assert np.abs(mixture.means - X.mean(axis=0)).max() < X.std(axis=0).max() / 2


@pytest.mark.parametrize(
    ("m", "k", "rng", "error", "message"),
    [
        (0, 1, np.random.default_rng(0), ValueError, "m: expected at least 1"),
        (3, 4, np.random.default_rng(0), ValueError, "k: expected at most"),
        (3, 2, 0, TypeError, "rng: expected a numpy.random.Generator"),
    ],
)
def test_random_responsibilities_refuse(m, k, rng, error, message):
    with pytest.raises(error, match=message):
        random_responsibilities(m, k, rng)
