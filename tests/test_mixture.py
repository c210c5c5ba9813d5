"""GaussianMixture: densities, responsibilities, sampling, and what it refuses."""

import pickle

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from gmm_lib import GaussianMixture

EYE = np.eye(2)


@pytest.fixture
def plane():
    return GaussianMixture(
        [0.2, 0.5, 0.3],
        [[0, 0], [3, 1], [-2, 4]],
        [EYE, [[2, 0.5], [0.5, 1]], [[0.5, -0.3], [-0.3, 0.7]]],
    )


def test_densities_agree_with_scipy(plane, rng):
    X = rng.normal(scale=4, size=(50, 2))
    expected = np.column_stack(
        [
            np.log(phi) + multivariate_normal(mu, sigma).logpdf(X)
            for phi, mu, sigma in zip(plane.weights, plane.means, plane.covariances, strict=True)
        ]
    )
    np.testing.assert_allclose(plane.component_log_density(X), expected, rtol=1e-12)
    np.testing.assert_allclose(plane.log_density(X), np.log(np.exp(expected).sum(1)), rtol=1e-12)


def test_responsibilities_are_bayes_rule(plane, rng):
    X = rng.normal(scale=4, size=(50, 2))
    joint = np.exp(plane.component_log_density(X))
    w = plane.responsibilities(X)
    np.testing.assert_allclose(w, joint / joint.sum(axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(w.sum(axis=1), 1, rtol=1e-15)


def test_one_dimension_takes_vectors():
    vector = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
    matrix = GaussianMixture([0.5, 0.5], [[3], [10]], [[[8.5]], [[15.7]]])
    x = [1.0, 4.0, 9.0]
    assert vector.means.shape == (2, 1)
    assert vector.covariances.shape == (2, 1, 1)
    np.testing.assert_array_equal(vector.responsibilities(x), matrix.responsibilities(np.c_[x]))
    density = 0.5 * norm(3, 8.5**0.5).pdf(9) + 0.5 * norm(10, 15.7**0.5).pdf(9)
    assert vector.log_density([9])[0] == pytest.approx(np.log(density), rel=1e-14)


def test_log_density_may_exceed_zero():
    assert GaussianMixture([1], [0], [1e-4]).log_density([0])[0] == pytest.approx(
        -0.5 * np.log(2 * np.pi * 1e-4)
    )
    assert GaussianMixture([1], [0], [1e-4]).log_density([0])[0] > 3


@pytest.mark.parametrize("distance", [1e3, 1e8, 1e15])
def test_far_points_neither_overflow_nor_underflow(distance):
    mixture = GaussianMixture([0.5, 0.5], [0, 1], [1, 1])
    w = mixture.responsibilities([-distance, distance])
    np.testing.assert_array_equal(w, [[1, 0], [0, 1]])
    exact = -0.5 * distance**2
    np.testing.assert_allclose(mixture.log_density([-distance])[0], exact, rtol=1e-2 / distance)


def test_points_halfway_between_far_components_belong_to_both():
    mixture = GaussianMixture([0.5, 0.5], [-1e8, 1e8], [1, 1])
    np.testing.assert_array_equal(mixture.responsibilities([0]), [[0.5, 0.5]])


def test_an_offset_of_1e8_keeps_the_digits(plane, rng):
    X = np.round(rng.normal(scale=4, size=(50, 2)), 3)
    # 1e8 + 0.123 is rounded when it is stored: compare with what was stored, shifted back.
    shifted = X + 1e8
    X = shifted - 1e8
    moved = GaussianMixture(plane.weights, plane.means + 1e8, plane.covariances)
    np.testing.assert_allclose(moved.log_density(shifted), plane.log_density(X), rtol=1e-14)


def test_float32_is_computed_in_float64(plane):
    X = np.array([[0.1, 0.2]], dtype=np.float32)
    assert plane.log_density(X).dtype == np.float64
    assert plane.log_density(X) == plane.log_density(X.astype(float))


def test_samples_have_the_moments_of_the_mixture(plane, rng):
    m = 200_000
    X, labels = plane.sample(m, rng)
    assert X.shape == (m, 2)
    assert labels.shape == (m,)
    share = np.bincount(labels, minlength=3) / m
    np.testing.assert_array_less(
        np.abs(share - plane.weights), 5 * np.sqrt(plane.weights * (1 - plane.weights) / m)
    )
    for j in range(3):
        mine = X[labels == j]
        error = 5 * np.sqrt(np.diag(plane.covariances[j]) / len(mine))
        np.testing.assert_array_less(np.abs(mine.mean(axis=0) - plane.means[j]), error)
        # Catches a sampler that takes variances for standard deviations.
        variance = np.diag(plane.covariances[j])
        spread = 5 * variance * np.sqrt(2 / len(mine))
        np.testing.assert_array_less(np.abs(mine.var(axis=0) - variance), spread)
        assert np.corrcoef(mine.T)[0, 1] == pytest.approx(
            plane.covariances[j][0, 1] / np.sqrt(variance.prod()), abs=5 / np.sqrt(len(mine))
        )


def test_sampling_repeats_with_the_seed(plane):
    first, second = (plane.sample(5, np.random.default_rng(3))[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_permuted_leaves_the_density_alone(plane, rng):
    X = rng.normal(size=(9, 2))
    other = plane.permuted([2, 0, 1])
    np.testing.assert_array_equal(other.means[0], plane.means[2])
    np.testing.assert_allclose(other.log_density(X), plane.log_density(X), rtol=1e-14)
    with pytest.raises(
        ValueError, match=r"order: expected a permutation of 0 to 2, got \[0, 0, 1\]"
    ):
        plane.permuted([0, 0, 1])


def test_a_mixture_cannot_be_changed(plane):
    with pytest.raises(AttributeError):
        plane.weights = [1]
    with pytest.raises(ValueError, match="read-only"):
        plane.means[0] = 7


def test_a_mixture_does_not_follow_the_arrays_it_was_made_from():
    means = np.array([0.0, 1.0])
    mixture = GaussianMixture([0.5, 0.5], means, [1, 1])
    means[0] = 9
    assert mixture.means[0] == 0


def test_it_can_be_pickled_and_printed(plane):
    again = pickle.loads(pickle.dumps(plane))
    np.testing.assert_array_equal(again.covariances, plane.covariances)
    line = GaussianMixture([0.25, 0.75], [3, 10], [8.5, 15.7])
    assert repr(line) == (
        "GaussianMixture(weights=[0.25, 0.75], means=[ 3., 10.], covariances=[ 8.5, 15.7])"
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.5, 0.6], [0, 1], [1, 1]), ValueError, "sum to 1, got 1.1; divide"),
        (
            ([1.5, -0.5], [0, 1], [1, 1]),
            ValueError,
            r"positive mixing weights, got weights\[1\] = -0.5",
        ),
        (([1, 0], [0, 1], [1, 1]), ValueError, "leave a component without weight out"),
        (([], [], []), ValueError, r"weights: expected shape \(k,\).*got \(0,\)"),
        (([[1]], [0], [1]), ValueError, r"weights: expected shape \(k,\).*got \(1, 1\)"),
        (
            ([0.5, 0.5], [0, 1, 2], [1, 1]),
            ValueError,
            r"means: expected shape \(2, d\).*got \(3, 1\)",
        ),
        (([1], [[0, 1]], [[1, 1]]), ValueError, r"covariances: expected shape \(1, 2, 2\)"),
        (([1], [0], [[1, 2]]), ValueError, r"\(1,\) variances, to match the means"),
        (([1], [[0, 0]], [[[1, 0.5], [0.4, 1]]]), ValueError, r"symmetric.*\(S \+ S.T\) / 2"),
        (([1], [[0, 0]], [[[1, 2], [2, 1]]]), ValueError, "positive definite.*eigenvalue -1"),
        (([0.5, 0.5], [0, 1], [1, 0]), ValueError, r"component 2 \(index 1\)"),
        (([0.5, 0.5], [0, 1], [1, -1]), ValueError, "positive definite"),
        (([1], [np.nan], [1]), ValueError, r"means: expected finite numbers.*means\[0\] = nan"),
        (([1], [0], [np.inf]), ValueError, "covariances: expected finite numbers"),
        ((["a"], [0], [1]), TypeError, "weights: expected real numbers, got dtype"),
        (([1], [1j], [1]), TypeError, "means: expected real numbers, got dtype complex128"),
        (([0.5, 0.5], [[0, 1], [2]], [1, 1]), ValueError, "rows of different lengths"),
    ],
)
def test_bad_parameters_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        GaussianMixture(*arguments)


@pytest.mark.parametrize(
    ("m", "rng", "error", "message"),
    [
        (0, np.random.default_rng(0), ValueError, "m: expected at least 1, got 0"),
        (2.5, np.random.default_rng(0), TypeError, "m: expected a whole number, got 2.5"),
        (3, 7, TypeError, r"pass np.random.default_rng\(seed\)"),
    ],
)
def test_bad_sampling_arguments_are_refused(plane, m, rng, error, message):
    with pytest.raises(error, match=message):
        plane.sample(m, rng)
