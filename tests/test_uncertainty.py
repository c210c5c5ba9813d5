"""Standard errors: against theory, differences of ℓ, and data drawn again and again."""

from itertools import islice

import numpy as np
import pytest

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    GaussianMixture,
    datasets,
    em_states,
    fit,
    log_likelihood_gradient,
    n_parameters,
    standard_errors,
    uncertainty,
)

TEN = datasets.ten_points()
PLANE = datasets.overlapping()
GEYSER = datasets.old_faithful()


def with_parameters(mixture, covariance_type, values):
    """The mixture with other free parameters, in the order that `names` says; written out anew."""
    k, d = mixture.means.shape
    values = list(values)
    weights = [values.pop(0) for _ in range(k - 1)]
    means = np.array([[values.pop(0) for _ in range(d)] for _ in range(k)])
    covariances = np.zeros((k, d, d))
    for j in range(1 if covariance_type == "tied" else k):
        if covariance_type == "spherical":
            covariances[j] = values.pop(0) * np.eye(d)
            continue
        for a in range(d):
            for b in range(a + 1):
                if covariance_type != "diag" or a == b:
                    covariances[j, a, b] = covariances[j, b, a] = values.pop(0)
    if covariance_type == "tied":
        covariances[:] = covariances[0]
    assert not values
    return GaussianMixture([*weights, 1 - sum(weights)], means, covariances)


def parameters(mixture, covariance_type):
    """The free parameters, in the order that `names` says."""
    k, d = mixture.means.shape
    found = [*mixture.weights[:-1], *mixture.means.ravel()]
    for j in range(1 if covariance_type == "tied" else k):
        sigma = mixture.covariances[j]
        if covariance_type == "spherical":
            found.append(sigma[0, 0])
        elif covariance_type == "diag":
            found.extend(np.diag(sigma))
        else:
            found.extend(sigma[np.tril_indices(d)])
    return np.array(found)


def second_differences(f, x, size):
    """Minus the matrix of second derivatives of f at x, by central differences."""
    p = len(x)
    found = np.empty((p, p))
    steps = np.diag(size)
    for a in range(p):
        for b in range(p):
            corners = [
                f(x + sa * steps[a] + sb * steps[b]) * sa * sb for sa in (1, -1) for sb in (1, -1)
            ]
            found[a, b] = -sum(corners) / (4 * size[a] * size[b])
    return found


CASES = [
    (TEN.X, TEN.start, None),
    (GEYSER.X, GEYSER.start, None),
    (PLANE.X, PLANE.mixture, None),
    (PLANE.X, PLANE.mixture, CovariancePrior(5.0, [[1.0, 0.3], [0.3, 2.0]])),
]


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("X", "start", "prior"), CASES)
def test_information_is_minus_the_second_differences(X, start, prior, covariance_type):
    weight = 1.0 + np.arange(len(X)) % 2
    options = {"covariance_type": covariance_type, "sample_weight": weight, "prior": prior}
    mixture = fit(X, start, tol=1e-14, max_iter=20_000, **options).mixture
    errors = standard_errors(X, mixture, **options)
    assert errors.distance < 1e-3
    assert len(errors.names) == n_parameters(*mixture.means.shape, covariance_type)

    def height(values):
        changed = with_parameters(mixture, covariance_type, values)
        bonus = prior.log_density(changed.cholesky) if prior else 0.0
        return weight @ changed.log_density(X) + bonus

    at = parameters(mixture, covariance_type)
    own = np.sqrt(np.diag(errors.information))
    numbers = second_differences(height, at, 0.02 / own)
    np.testing.assert_allclose(
        errors.information / np.outer(own, own), numbers / np.outer(own, own), atol=2e-3
    )
    np.testing.assert_allclose(errors.information @ errors.covariance, np.eye(len(own)), atol=1e-7)
    # Named and placed: the entries of the arrays are the square roots of the diagonal.
    found = np.sqrt(np.diag(errors.covariance))
    k, d = mixture.means.shape
    np.testing.assert_array_equal(errors.weights[:-1], found[: k - 1])
    np.testing.assert_array_equal(errors.means.ravel(), found[k - 1 : k - 1 + k * d])
    for name, value in zip(errors.names, found, strict=True):
        entry = eval(name, {n: getattr(errors, n) for n in ("weights", "means", "covariances")})
        if covariance_type == "tied" and name.startswith("cov"):
            a, b = eval(name.removeprefix("covariances"))
            entry = errors.covariances[:, a, b]
        if covariance_type == "spherical" and name.startswith("cov"):
            np.testing.assert_array_equal(entry, value * np.eye(d))
        else:
            np.testing.assert_array_equal(entry, value)


def test_blocks_of_points_add_up(monkeypatch):
    whole = standard_errors(GEYSER.X, fit(GEYSER.X, GEYSER.start, tol=1e-12).mixture)
    monkeypatch.setattr(uncertainty, "BLOCK", 50)
    parts = standard_errors(GEYSER.X, fit(GEYSER.X, GEYSER.start, tol=1e-12).mixture)
    np.testing.assert_allclose(parts.information, whole.information, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_one_gaussian_by_the_textbook(d, rng):
    """sd of a mean σ/√m; of an entry of Σ √((σ_aa σ_bb + σ_ab²)/m) (Anderson 2003, section 3.4)."""
    m = 50
    X = rng.normal(size=(m, d)) @ rng.normal(size=(d, d))
    mixture = fit(X, 1, rng=rng).mixture
    errors = standard_errors(X, mixture)
    sigma = mixture.covariances[0]
    np.testing.assert_allclose(errors.means[0], np.sqrt(np.diag(sigma) / m), rtol=1e-9)
    variances = np.diag(sigma)
    np.testing.assert_allclose(
        errors.covariances[0], np.sqrt((np.outer(variances, variances) + sigma**2) / m), rtol=1e-9
    )
    assert errors.weights.tolist() == [0]


def test_far_apart_groups_are_two_textbooks():
    """With certain labels the weight is a share: √(φ (1 - φ) / m)."""
    rng = np.random.default_rng(3)
    X = np.append(rng.normal(size=30), 1e4 + rng.normal(size=70))
    mixture = fit(X, GaussianMixture([0.5, 0.5], [0, 1e4], [1, 1])).mixture
    errors = standard_errors(X, mixture)
    np.testing.assert_allclose(errors.weights, np.sqrt(0.3 * 0.7 / 100), rtol=1e-9)
    sd = np.sqrt(mixture.covariances[:, 0, 0])
    np.testing.assert_allclose(errors.means[:, 0], sd / np.sqrt([30, 70]), rtol=1e-9)
    assert errors.condition == pytest.approx(1, abs=1e-6)


def test_overlap_costs_certainty():
    """Less is known than the labels would tell: errors are larger, the more so the more overlap."""
    truth = GaussianMixture([0.5, 0.5], [0, 2], [1, 1])
    X = truth.sample(1000, np.random.default_rng(5))[0]
    errors = standard_errors(X, fit(X, truth, tol=1e-13, max_iter=20_000).mixture)
    assert errors.condition > 50
    assert 0.98 < errors.missing_fraction < 1
    assert errors.means.min() > 3 * np.sqrt(1 / 500)


def test_they_say_how_estimates_scatter():
    """400 data sets drawn from a mixture, each fitted: their spread is what they predict."""
    truth = GaussianMixture([0.4, 0.6], [0, 5], [1, 2])
    rng = np.random.default_rng(0)
    drawn = [truth.sample(400, rng)[0] for _ in range(400)]
    ends = [fit(X, truth, tol=1e-9).mixture for X in drawn]
    errors = [standard_errors(X, end) for X, end in zip(drawn, ends, strict=True)]
    for name in ("weights", "means", "covariances"):
        spread = np.std([getattr(end, name) for end in ends], axis=0)
        told = np.mean([getattr(e, name) for e in errors], axis=0)
        # The standard deviation of 400 numbers is known to 3.5%; three of those.
        np.testing.assert_allclose(told, spread, rtol=0.105)


def test_an_integer_weight_is_repetition(rng):
    weight = rng.integers(1, 3, size=272)
    mixture = fit(GEYSER.X, GEYSER.start, sample_weight=weight, tol=1e-13).mixture
    one = standard_errors(GEYSER.X, mixture, sample_weight=weight)
    other = standard_errors(np.repeat(GEYSER.X, weight, axis=0), mixture)
    np.testing.assert_allclose(one.means, other.means, rtol=1e-9)


@pytest.mark.parametrize("unit", [[1e60, 1e60], [1e-60, 1e-60], [1e6, 1e-50]])
def test_units_only_scale_them(unit):
    unit = np.array(unit)
    moved = GaussianMixture(TWO.weights, TWO.means * unit, TWO.covariances * unit[:, None] * unit)
    one, other = standard_errors(GEYSER.X, TWO), standard_errors(GEYSER.X * unit, moved)
    np.testing.assert_allclose(other.weights, one.weights, rtol=1e-9)
    np.testing.assert_allclose(other.means / unit, one.means, rtol=1e-9)
    np.testing.assert_allclose(other.covariances / unit[:, None] / unit, one.covariances, rtol=1e-9)
    assert other.missing_fraction == pytest.approx(one.missing_fraction, rel=1e-9)
    assert other.condition == pytest.approx(one.condition, rel=1e-9)


def test_the_slopes_are_those_of_the_bound():
    """Away from a maximum: the gradient against `log_likelihood_gradient`."""
    coordinates = uncertainty.Coordinates(PLANE.mixture, "full")
    gradient, _, _ = coordinates.derivatives(PLANE.X, np.ones(len(PLANE.X)))
    expected = log_likelihood_gradient(PLANE.X, PLANE.mixture)
    np.testing.assert_allclose(gradient[:2], expected.weights[:2] - expected.weights[2], rtol=1e-9)
    np.testing.assert_allclose(gradient[2:8], expected.means.ravel(), rtol=1e-9)
    twice = [[g[0, 0], 2 * g[1, 0], g[1, 1]] for g in expected.covariances]
    np.testing.assert_allclose(gradient[8:], np.ravel(twice), rtol=1e-9)


ONE = fit(GEYSER.X, 1, rng=np.random.default_rng(0)).mixture
TWO = fit(GEYSER.X, GEYSER.start, tol=1e-12).mixture
TIED = fit(GEYSER.X, GEYSER.start, covariance_type="tied", tol=1e-12).mixture
TWINS = GaussianMixture([0.3, 0.7], np.repeat(ONE.means, 2, 0), np.repeat(ONE.covariances, 2, 0))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: standard_errors(GEYSER.X, GEYSER.start),
            ValueError,
            "expected a maximum, got a mixture so far from one",
        ),
        (
            lambda: standard_errors(GEYSER.X, fit(GEYSER.X, GEYSER.start, max_iter=4).mixture),
            ValueError,
            r"expected a maximum, got a mixture that is [0-9.]+ standard errors from it; pass",
        ),
        (
            lambda: standard_errors([0, 1e80], GaussianMixture([1], [0], [1])),
            ValueError,
            "expected a maximum, got a mixture so far from one",
        ),
        (lambda: standard_errors(GEYSER.X + 1, TWO), ValueError, "expected a maximum"),
        (lambda: standard_errors(GEYSER.X, TIED), ValueError, "pass the data, covariance_type"),
        (
            lambda: standard_errors(GEYSER.X, TWINS),
            ValueError,
            "ℓ curves down in every direction, got curvature -.*if two components are alike",
        ),
        (
            lambda: standard_errors(GEYSER.X, TWO, "diag"),
            ValueError,
            "expected covariances of type 'diag', got others",
        ),
        (lambda: standard_errors(GEYSER.X, TWO, "round"), ValueError, "covariance_type: expected"),
        (
            lambda: standard_errors(
                GEYSER.X * 1e-80, fit(GEYSER.X * 1e-80, 2, rng=np.random.default_rng(0)).mixture
            ),
            ValueError,
            "expected standard deviations from 1e-70 to 1e.70, got .*e-81 .*; change the unit",
        ),
        (lambda: standard_errors(GEYSER.X, 2), TypeError, "mixture: expected a GaussianMixture"),
        (lambda: standard_errors(TEN.X, TWO), ValueError, "X: expected 2 features"),
        (lambda: standard_errors(GEYSER.X, TWO, prior=1), TypeError, "prior: expected None or"),
        (
            lambda: standard_errors(GEYSER.X, TWO, sample_weight=[1]),
            ValueError,
            "sample_weight: expected shape",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_flat_direction_is_named():
    """Twins of a light-tailed cloud: no second-order change of ℓ tells them from one Gaussian."""
    x = np.linspace(-1, 1, 40)
    twins = GaussianMixture([0.3, 0.7], [0, 0], [x.var(), x.var()])
    with pytest.raises(ValueError, match="got curvature [0-9.e-]+ of 1 .*; use fewer components"):
        standard_errors(x, twins)


def test_the_missing_fraction_is_the_rate_of_em():
    """Two bells two standard deviations apart, as in the chapter on the derivation: 0.991."""
    truth = GaussianMixture([0.5, 0.5], [0, 2], [1, 1])
    X = truth.sample(1000, np.random.default_rng(5))[0]
    states = list(islice(em_states(X, truth), 3000))
    end = states[-1].mixture
    errors = [abs(s.mixture.means - end.means).max() for s in states[600:801]]
    rate = (errors[-1] / errors[0]) ** (1 / 200)
    assert standard_errors(X, end).missing_fraction == pytest.approx(rate, abs=1e-5)
    assert round(rate, 3) == 0.991
