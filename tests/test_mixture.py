"""GaussianMixture: densities, responsibilities, sampling, and what it refuses."""

import pickle

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from gmm_lib import GaussianMixture, e_step, evidence_lower_bound, fit, kl_to_posterior

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


def test_points_out_of_reach_are_refused_and_never_nan():
    narrow = GaussianMixture([0.5, 0.5], [0, 1], [1e-290, 1e-290])
    for ask in (narrow.responsibilities, narrow.log_density, lambda X: e_step(X, narrow)):
        with pytest.raises(ValueError, match="X: expected points less than .* got row 1 farther"):
            ask([0.5, 1e145])
    # In reach of one component is enough: of the other there is then nothing at all.
    mixed = GaussianMixture([0.5, 0.5], [0, 1], [1e-290, 1])
    np.testing.assert_array_equal(mixed.responsibilities([1e10]), [[0, 1]])
    w, log_likelihood = e_step([1e10], mixed)
    assert evidence_lower_bound([1e10], mixed, w) == pytest.approx(log_likelihood, rel=1e-15)
    np.testing.assert_array_equal(kl_to_posterior([1e10], mixed, w), [0])


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


@pytest.mark.parametrize("order", [[0, 0, 1], [0, 1], 0, [2.0, 0, 1], ["2", "0", "1"], [None] * 3])
def test_what_is_no_permutation_is_refused(plane, order):
    with pytest.raises(ValueError, match="order: expected a permutation of 0 to 2, got"):
        plane.permuted(order)


def test_truth_values_are_no_permutation():
    """Sorted they are 0 and 1; as indices they would leave a component out."""
    mixture = GaussianMixture([0.5, 0.5], [0, 1], [1, 1])
    with pytest.raises(ValueError, match=r"order: expected a permutation.*got \[True, False\]"):
        mixture.permuted([True, False])


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


def test_variances_as_large_as_data_can_have_are_taken_and_unpickled(rng):
    X = rng.normal(size=(40, 2))
    huge, plain = fit(X * 1e149, 1, rng=rng).mixture, fit(X, 1, rng=rng).mixture
    np.testing.assert_allclose(huge.covariances / 1e298, plain.covariances, rtol=1e-12)
    again = pickle.loads(pickle.dumps(huge))
    np.testing.assert_array_equal(again.covariances, huge.covariances)
    with pytest.raises(ValueError, match="read-only"):
        again.means[0] = 7
    remade = GaussianMixture(huge.weights, huge.means, huge.covariances)
    np.testing.assert_array_equal(remade.log_density(X), huge.log_density(X))


@pytest.fixture
def space(rng):
    """Three components in four dimensions."""
    roots = rng.normal(size=(3, 4, 6))
    return GaussianMixture(
        [0.2, 0.5, 0.3], 2 * rng.normal(size=(3, 4)), roots @ roots.transpose(0, 2, 1) / 6
    )


@pytest.mark.parametrize("columns", [[0], [2, 0], [3, 1, 0], [0, 1, 2, 3], [3, 2, 1, 0]])
def test_marginal_agrees_with_scipy(space, columns, rng):
    X = rng.normal(scale=3, size=(20, len(columns)))
    expected = sum(
        phi * multivariate_normal(mu[columns], sigma[np.ix_(columns, columns)]).pdf(X)
        for phi, mu, sigma in zip(space.weights, space.means, space.covariances, strict=True)
    )
    np.testing.assert_allclose(space.marginal(columns).log_density(X), np.log(expected), rtol=1e-12)


def test_marginal_is_the_integral_over_the_other_feature(plane):
    for x in (-1.0, 0.5, 3.0):
        area = quad(lambda y, x=x: np.exp(plane.log_density([[x, y]])[0]), -30, 30, epsabs=1e-12)[0]
        assert np.exp(plane.marginal(0).log_density([x])[0]) == pytest.approx(area, rel=1e-8)


@pytest.mark.parametrize("columns", [[0], [3], [2, 0], [0, 1, 3], [3, 1, 0]])
def test_conditional_times_marginal_is_joint(space, columns, rng):
    """p(b | a) p(a) = p(a, b), at many points: Bayes' rule for densities."""
    rest = [c for c in range(4) if c not in columns]
    for x in rng.normal(scale=3, size=(20, 4)):
        given = space.conditional(columns, x[columns])
        assert given.d == len(rest)
        product = given.log_density(x[None, rest]) + space.marginal(columns).log_density(
            x[None, columns]
        )
        np.testing.assert_allclose(product, space.log_density(x[None]), rtol=1e-12)


def test_conditional_weights_are_responsibilities_for_what_is_known(space):
    given = space.conditional([1, 3], [0.5, -2.0])
    known = space.marginal([1, 3])
    np.testing.assert_allclose(given.weights, known.responsibilities([[0.5, -2.0]])[0], rtol=1e-14)
    np.testing.assert_allclose(given.cholesky, np.linalg.cholesky(given.covariances), rtol=1e-12)
    one = space.marginal([0, 1]).conditional(0, 0.7)
    slope = space.covariances[:, 1, 0] / space.covariances[:, 0, 0]
    np.testing.assert_allclose(
        one.means[:, 0], space.means[:, 1] + slope * (0.7 - space.means[:, 0]), rtol=1e-12
    )
    left = space.covariances[:, 1, 1] - slope * space.covariances[:, 0, 1]
    np.testing.assert_allclose(one.covariances[:, 0, 0], left, rtol=1e-12)


def test_conditional_on_the_order_of_columns_and_on_nearly_all_of_them(space):
    one, other = space.conditional([2, 0], [1.0, -1.0]), space.conditional([0, 2], [-1.0, 1.0])
    np.testing.assert_allclose(one.means, other.means, rtol=1e-12)
    np.testing.assert_allclose(one.covariances, other.covariances, rtol=1e-12)
    last = space.conditional([0, 1, 2], [0, 0, 0])
    precision = np.linalg.inv(space.covariances)[:, 3, 3]
    np.testing.assert_allclose(last.covariances[:, 0, 0], 1 / precision, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_columns_may_be_of_any_whole_type(space, dtype):
    given = space.conditional(np.array([2, 0], dtype=dtype), [0.5, 1.0])
    np.testing.assert_array_equal(given.means, space.conditional([2, 0], [0.5, 1.0]).means)


def test_conditional_far_away_keeps_its_components():
    mixture = GaussianMixture([0.5, 0.5], [[0, 0], [1, 1]], [EYE, EYE])
    given = mixture.conditional(0, 1e6)  # e^-1000000 is no number any more
    assert given.weights.tolist() == [np.finfo(float).tiny, 1]
    np.testing.assert_array_equal(given.means[:, 0], [0, 1])
    assert np.isfinite(given.log_density([0.0, 5.0])).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.marginal([]), ValueError, r"columns: expected at least one feature, got \[\]"),
        (lambda t: t.marginal([[0, 1]]), ValueError, "columns: expected at least one feature"),
        (lambda t: t.marginal([0, 4]), ValueError, r"from 0 to 3, got \[0, 4\]; the mixture has 4"),
        (lambda t: t.marginal(-1), ValueError, r"from 0 to 3, got \[-1\]"),
        (lambda t: t.marginal([1, 2, 1]), ValueError, "different features.*name each once"),
        (lambda t: t.marginal([0.0]), TypeError, "columns: expected whole numbers, got"),
        (lambda t: t.marginal([True, False, True, False]), TypeError, "np.flatnonzero"),
        (lambda t: t.marginal([[0], [1, 2]]), ValueError, "columns: .*rows of different lengths"),
        (
            lambda t: t.marginal(np.ma.array([0, 1], mask=[0, 1])),
            ValueError,
            "columns: expected an array without masked entries",
        ),
        (lambda t: t.conditional([], []), ValueError, "columns: expected at least one feature"),
        (lambda t: t.conditional(range(4), [0] * 4), ValueError, "fewer than all 4 features"),
        (lambda t: t.conditional([0, 0], [1, 1]), ValueError, "different features"),
        (lambda t: t.conditional([0, 1], [1]), ValueError, r"values: expected shape \(2,\)"),
        (lambda t: t.conditional(0, np.nan), ValueError, "values: expected finite"),
        (lambda t: t.marginal(0).conditional(0, 1), ValueError, "fewer than all 1 features"),
    ],
)
def test_bad_columns_are_refused(space, call, error, message):
    with pytest.raises(error, match=message):
        call(space)


def test_conditional_names_values_that_are_out_of_reach():
    narrow = GaussianMixture([0.5, 0.5], [[0, 0], [1, 1]], [1e-290 * EYE, 1e-290 * EYE])
    with pytest.raises(ValueError, match="values: expected points less than"):
        narrow.conditional(0, 1e145)


def test_messages_show_the_digits_that_differ():
    crooked = [[[1, 0.3], [0.3000001, 1]]]
    with pytest.raises(ValueError, match=r"= 0.3 but \[1, 0\] = 0.3000001; if only rounding parts"):
        GaussianMixture([1], [[0, 0]], crooked)
    single = np.array(crooked, dtype=np.float32)
    with pytest.raises(ValueError, match=r"\(float32 keeps 7 digits\), pass \(S \+ S.T\) / 2"):
        GaussianMixture([1], [[0, 0]], single)
    GaussianMixture([1], [[0, 0]], (single + single.transpose(0, 2, 1)) / 2)  # the remedy
    tenths = np.full(10, 0.1, dtype=np.float32)
    with pytest.raises(ValueError, match="sum to 1, got 1.000000015; divide.*in float64"):
        GaussianMixture(tenths, range(10), [1] * 10)
    tenths = tenths.astype(float)
    GaussianMixture(tenths / tenths.sum(), range(10), [1] * 10)


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
