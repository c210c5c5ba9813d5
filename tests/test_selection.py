"""The criteria for the number of components."""

import numpy as np
import pytest

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    aic,
    bic,
    compare,
    datasets,
    fit,
    held_out_log_likelihood,
    n_parameters,
)

TEN = datasets.ten_points()
PLANE = datasets.overlapping()


def free_numbers(k, d, covariance_type):
    """Count the free numbers of a mixture by writing each down."""
    entries = {(a, b) for a in range(d) for b in range(d) if a <= b}
    if covariance_type == "diag":
        entries = {(a, a) for a in range(d)}
    if covariance_type == "spherical":
        entries = {(0, 0)}
    copies = 1 if covariance_type == "tied" else k
    names = [("φ", j) for j in range(k - 1)]
    names += [("μ", j, a) for j in range(k) for a in range(d)]
    names += [("Σ", j, *entry) for j in range(copies) for entry in entries]
    return len(set(names))


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_n_parameters_counts_the_free_numbers(covariance_type):
    for k in range(1, 6):
        for d in range(1, 6):
            assert n_parameters(k, d, covariance_type) == free_numbers(k, d, covariance_type)


def test_criteria_by_hand():
    assert aic(-32.0, 5) == 74
    assert bic(-32.0, 5, 10) == pytest.approx(64 + 5 * np.log(10))
    assert bic(-32.0, 5, 1) == 64


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_criteria_agree_with_scikit_learn(covariance_type):
    from sklearn.mixture import GaussianMixture as Theirs

    X = PLANE.X
    theirs = Theirs(3, covariance_type=covariance_type, random_state=0).fit(X)
    p = n_parameters(3, 2, covariance_type)
    ell = theirs.score(X) * len(X)
    assert theirs._n_parameters() == p
    assert aic(ell, p) == pytest.approx(theirs.aic(X), rel=1e-12)
    assert bic(ell, p, len(X)) == pytest.approx(theirs.bic(X), rel=1e-12)


def test_held_out_scores_each_point_by_a_fit_without_it():
    X = TEN.X
    score = held_out_log_likelihood(X, 1, rng=np.random.default_rng(0), folds=10)
    expected = 0.0
    for i in range(10):
        rest = np.delete(X, i)
        mean, variance = rest.mean(), rest.var()
        expected -= 0.5 * (np.log(2 * np.pi * variance) + (X[i, 0] - mean) ** 2 / variance)
    assert score == pytest.approx(expected / 10, rel=1e-12)


def test_held_out_does_not_rise_with_every_component():
    """The reason to hold points out: ℓ itself always rises."""
    candidates = compare(
        PLANE.X[:120],
        [1, 3, 8],
        folds=4,
        n_init=3,
        tol=1e-5,
        rng=np.random.default_rng(1),
        prior=CovariancePrior(0.1, np.eye(2)),
    )
    ell = [c.log_likelihood for c in candidates]
    held_out = [c.held_out for c in candidates]
    assert ell[0] < ell[1] < ell[2]
    assert held_out[0] < held_out[1] > held_out[2]
    assert held_out[2] < ell[2] / 120


def test_compare_fills_each_row():
    rows = compare(PLANE.X, range(1, 4), rng=np.random.default_rng(3), n_init=3)
    assert [row.k for row in rows] == [1, 2, 3]
    for row in rows:
        assert row.n_parameters == n_parameters(row.k, 2)
        assert row.log_likelihood == row.fit.log_likelihood
        assert row.fit.mixture.k == row.k
        assert row.aic == aic(row.log_likelihood, row.n_parameters)
        assert row.bic == bic(row.log_likelihood, row.n_parameters, 300)
        assert row.held_out is None
    # Three components made these points, and both criteria find them.
    assert min(rows, key=lambda row: row.bic).k == 3
    assert min(rows, key=lambda row: row.aic).k == 3


def test_compare_passes_options_on():
    row = compare(PLANE.X, [2], covariance_type="tied", max_iter=2, rng=np.random.default_rng(0))[0]
    assert row.fit.n_iter == 2
    np.testing.assert_array_equal(*row.fit.mixture.covariances)
    again = fit(PLANE.X, 2, covariance_type="tied", max_iter=2, rng=np.random.default_rng(0))
    assert row.log_likelihood == again.log_likelihood


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda rng: n_parameters(0, 1), ValueError, "k: expected at least 1"),
        (lambda rng: n_parameters(1, 0), ValueError, "d: expected at least 1"),
        (lambda rng: n_parameters(1.5, 1), TypeError, "k: expected a whole number"),
        (lambda rng: n_parameters(1, 1, "round"), ValueError, "covariance_type: expected one of"),
        (lambda rng: aic(np.nan, 5), ValueError, "log_likelihood: expected finite"),
        (lambda rng: aic([1.0, 2.0], 5), ValueError, "log_likelihood: expected one number"),
        (lambda rng: aic(-1.0, -1), ValueError, "parameters: expected at least 0"),
        (lambda rng: bic(-1.0, 5, 0), ValueError, "m: expected at least 1"),
        (lambda rng: bic("low", 5, 10), TypeError, "log_likelihood: expected real"),
        (
            lambda rng: held_out_log_likelihood(TEN.X, 2, rng=rng, folds=1),
            ValueError,
            "folds: expected at least 2",
        ),
        (
            lambda rng: held_out_log_likelihood(TEN.X, 2, rng=rng, folds=11),
            ValueError,
            "folds: expected at most one fold a point",
        ),
        (
            lambda rng: held_out_log_likelihood(TEN.X, 9, rng=rng, folds=5),
            ValueError,
            "k: expected at most as many components as points, got k = 9 for 8",
        ),
        (lambda rng: held_out_log_likelihood([1.0], 1, rng=rng), ValueError, "at least 2 points"),
        (lambda rng: held_out_log_likelihood(TEN.X, 2, rng=3), TypeError, "rng: expected"),
        (lambda rng: compare(TEN.X, [], rng=rng), ValueError, "ks: expected at least one"),
        (lambda rng: compare(TEN.X, 3, rng=rng), TypeError, "ks: expected whole numbers"),
        (lambda rng: compare(TEN.X, [1, 2.5], rng=rng), TypeError, "ks: expected whole numbers"),
        (lambda rng: compare(TEN.X, [0], rng=rng), ValueError, "k: expected at least 1"),
        (lambda rng: compare(TEN.X, [11], rng=rng), ValueError, "k: expected at most"),
        (lambda rng: compare([np.inf], [1], rng=rng), ValueError, "X: expected finite"),
        (lambda rng: compare(TEN.X, [1], rng=None), TypeError, "rng: expected"),
    ],
)
def test_bad_input_is_refused(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng)
