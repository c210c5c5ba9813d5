"""The data of the book: what each set holds, and that it is the same for everybody."""

import hashlib
import pickle

import numpy as np
import pytest

from gmm_lib import GaussianMixture, datasets, fit


@pytest.mark.parametrize("name", datasets.NAMES)
def test_every_data_set_is_whole(name):
    data = datasets.load(name)
    assert data.name == name
    assert data.X.shape == (data.m, data.d)
    assert data.X.dtype == float
    assert np.isfinite(data.X).all()
    assert len(data.features) == len(data.units) == data.d
    assert data.source
    assert data.start.d == data.d
    if data.labels is not None:
        assert data.labels.shape == (data.m,)
        assert set(data.labels) == set(range(data.start.k))
    if data.mixture is not None:
        assert data.mixture.d == data.d
    assert name in repr(data)


@pytest.mark.parametrize("name", datasets.NAMES)
def test_nobody_can_change_the_data_for_others(name):
    data = datasets.load(name)
    for each in (data, pickle.loads(pickle.dumps(data))):
        assert repr(each) == repr(data)
        with pytest.raises(ValueError, match="read-only"):
            each.X[0, 0] = 0
        if data.labels is not None:
            with pytest.raises(ValueError, match="read-only"):
                each.labels[0] = 0


@pytest.mark.parametrize("name", datasets.NAMES)
def test_em_converges_from_every_recommended_start(name):
    data = datasets.load(name)
    found = fit(data.X, data.start, tol=1e-9)
    assert found.converged


def test_ten_points_are_the_sources():
    data = datasets.ten_points()
    np.testing.assert_array_equal(data.X[:, 0], [1, 4, 5, 6, 9, 19, 21, 24, 26, 29])
    np.testing.assert_array_equal(data.labels, [0] * 5 + [1] * 5)
    np.testing.assert_array_equal(data.start.means[:, 0], [3, 10])
    np.testing.assert_array_equal(data.start.covariances[:, 0, 0], [8.5, 15.7])
    np.testing.assert_array_equal(data.start.weights, [0.5, 0.5])


# What the seeds give; every page of the book and every explorer counts on these very points.
DRAWN = {
    "thousand-points": ((1000, 1), [[5.86], [-0.8], [2.87]], (4.40906,), (707, 293)),
    "overlapping": (
        (300, 2),
        [[-0.08, 0.43], [0.59, -1.6], [2.94, 1.9]],
        (1.25576667, 1.29956667),
        (132, 90, 78),
    ),
}


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_points_are_the_same_everywhere(name):
    shape, first, mean, counts = DRAWN[name]
    data = datasets.load(name)
    assert data.X.shape == shape
    np.testing.assert_array_equal(data.X[:3], first)
    np.testing.assert_allclose(data.X.mean(axis=0), mean, atol=1e-8)
    np.testing.assert_array_equal(np.bincount(data.labels), counts)
    np.testing.assert_array_equal(data.X, np.round(data.X, 2))


# Of the points in hundredths, as little-endian 64-bit integers.
DIGESTS = {"thousand-points": "79e735a97cd55e69", "overlapping": "6036469ea4b06311"}


def test_drawn_points_are_the_same_to_the_last():
    cents = {name: np.round(datasets.load(name).X * 100).astype("<i8").tobytes() for name in DRAWN}
    digests = {name: hashlib.sha256(text).hexdigest()[:16] for name, text in cents.items()}
    assert digests == DIGESTS


def test_the_thousand_points_have_the_sources_distribution():
    data = datasets.thousand_points()
    truth = data.mixture
    np.testing.assert_array_equal(truth.weights, [0.7, 0.3])
    np.testing.assert_array_equal(truth.means[:, 0], [0, 15])
    np.testing.assert_array_equal(truth.covariances[:, 0, 0], [12, 3])
    np.testing.assert_array_equal(data.start.means[:, 0], [-25, 20])
    np.testing.assert_array_equal(data.start.covariances[:, 0, 0], [7, 9.5])
    for j in range(2):
        x = data.X[data.labels == j, 0]
        variance = truth.covariances[j, 0, 0]
        # Four standard errors: of the mean, of the variance, of the share.
        assert abs(x.mean() - truth.means[j, 0]) < 4 * np.sqrt(variance / len(x))
        assert abs(x.var() - variance) < 4 * variance * np.sqrt(2 / len(x))
        assert abs(len(x) / 1000 - truth.weights[j]) < 4 * np.sqrt(0.7 * 0.3 / 1000)


def test_old_faithful():
    data = datasets.old_faithful()
    assert data.X.shape == (272, 2)
    assert data.units == ("min", "min")
    np.testing.assert_array_equal(data.X[0], [3.6, 79])
    # R's summary(faithful): means 3.488 and 70.9.
    np.testing.assert_allclose(data.X.mean(axis=0), [3.488, 70.9], atol=0.005)


def test_galaxies_with_and_without_the_typing_slip():
    printed, right = datasets.galaxies().X, datasets.galaxies(corrected=True).X
    assert printed.shape == (82, 1)
    assert datasets.galaxies().units == ("1000 km/s",)
    np.testing.assert_array_equal(np.flatnonzero(printed != right), [77])
    assert printed[77, 0] == 26.690
    assert right[77, 0] == 26.960
    assert printed[0, 0] == 9.172


def test_iris_has_its_species():
    data = datasets.iris()
    assert data.X.shape == (150, 4)
    assert data.label_names == ("setosa", "versicolor", "virginica")
    np.testing.assert_array_equal(np.bincount(data.labels), [50, 50, 50])
    # The mean sepal length of each species: the first two stand in table II of Fisher (1936), the
    # third follows from the flowers of its table I.
    means = [data.X[data.labels == j, 0].mean() for j in range(3)]
    np.testing.assert_allclose(means, [5.006, 5.936, 6.588], atol=1e-9)


def test_the_start_for_iris_reaches_a_better_maximum_than_a_wide_one():
    data = datasets.iris()
    wide = GaussianMixture(data.start.weights, data.start.means, [np.cov(data.X.T, ddof=0)] * 3)
    assert fit(data.X, data.start).log_likelihood > fit(data.X, wide).log_likelihood + 5


def test_three_clusters_follow_their_seed(rng):
    data = datasets.three_clusters(400, rng)
    again = datasets.three_clusters(400, np.random.default_rng(20210208))
    np.testing.assert_array_equal(data.X, again.X)
    assert data.X.shape == (400, 2)
    # Well separated: hardly a point lies nearer to another mean.
    guess = data.mixture.responsibilities(data.X).argmax(axis=1)
    assert (guess == data.labels).mean() > 0.99


@pytest.mark.parametrize(
    ("m", "rng", "error", "message"),
    [
        (0, np.random.default_rng(0), ValueError, "m: expected at least 1"),
        (2.5, np.random.default_rng(0), TypeError, "m: expected a whole number"),
        (5, None, TypeError, "rng: expected a numpy.random.Generator"),
    ],
)
def test_three_clusters_refuses(m, rng, error, message):
    with pytest.raises(error, match=message):
        datasets.three_clusters(m, rng)


@pytest.mark.parametrize("name", ["geyser", 3, None])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(ValueError, match="name: expected one of 'ten-points', .* got"):
        datasets.load(name)
