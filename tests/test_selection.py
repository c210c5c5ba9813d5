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
    icl,
    n_parameters,
)

TEN = datasets.ten_points()
PLANE = datasets.overlapping()
GEYSER = datasets.old_faithful()


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


def test_icl_is_bic_of_the_points_with_their_most_likely_labels():
    """Biernacki, Celeux and Govaert: the complete log-likelihood at the labels, in place of ℓ."""
    row = compare(PLANE.X, [3], rng=np.random.default_rng(3), n_init=3)[0]
    mixture = row.fit.mixture
    labels = mixture.responsibilities(PLANE.X).argmax(axis=1)
    complete = mixture.component_log_density(PLANE.X)[np.arange(300), labels].sum()
    assert row.icl == pytest.approx(row.n_parameters * np.log(300) - 2 * complete, rel=1e-12)
    assert row.icl > row.bic + 10
    assert icl(50.0, [[1, 0], [0, 1]]) == 50
    assert icl(50.0, [[0.5, 0.5]], sample_weight=[3]) == pytest.approx(50 + 6 * np.log(2))


def test_icl_prefers_what_stands_apart_where_bic_takes_every_bend():
    """A box needs several overlapping Gaussians to be described, but is one cluster."""
    box = np.random.default_rng(0).uniform(size=(2000, 1))
    rows = compare(box, range(1, 5), rng=np.random.default_rng(0), n_init=5)
    assert rows.best("bic").k > 1
    assert rows.best("icl").k == 1


def test_weights_are_repetition_in_every_criterion():
    twice = np.full(272, 2)
    one = compare(GEYSER.X, [1], rng=np.random.default_rng(0), sample_weight=twice)[0]
    other = compare(np.repeat(GEYSER.X, 2, axis=0), [1], rng=np.random.default_rng(0))[0]
    assert round(one.bic, 3) == 5190.682
    for criterion in ("log_likelihood", "aic", "bic", "icl"):
        assert getattr(one, criterion) == pytest.approx(getattr(other, criterion), rel=1e-12)
    weight = np.arange(300) % 3
    one = compare(PLANE.X, [2], rng=np.random.default_rng(0), n_init=5, sample_weight=weight)[0]
    repeated = np.repeat(PLANE.X, weight, axis=0)
    other = compare(repeated, [2], rng=np.random.default_rng(0), n_init=5)[0]
    for criterion in ("log_likelihood", "aic", "bic", "icl"):
        assert getattr(one, criterion) == pytest.approx(getattr(other, criterion), rel=1e-5)


def test_held_out_weights_count_in_fit_and_score():
    X, weight = TEN.X, np.arange(1.0, 11)
    score = held_out_log_likelihood(
        X, 1, rng=np.random.default_rng(0), folds=10, sample_weight=weight
    )
    expected = 0.0
    for i in range(10):
        rest, w = np.delete(X[:, 0], i), np.delete(weight, i)
        mean = np.average(rest, weights=w)
        variance = np.average((rest - mean) ** 2, weights=w)
        expected -= (
            weight[i] * (np.log(2 * np.pi * variance) + (X[i, 0] - mean) ** 2 / variance) / 2
        )
    assert score == pytest.approx(expected / weight.sum(), rel=1e-12)
    # Weight 0 is absence: the same deal, fits and score as without those points.
    present = np.append(np.ones(7), np.zeros(3))
    one = held_out_log_likelihood(X, 1, rng=np.random.default_rng(1), sample_weight=present)
    assert one == held_out_log_likelihood(
        X[:7], 1, rng=np.random.default_rng(1), sample_weight=np.ones(7)
    )


def test_a_collapse_does_not_end_the_sweep():
    rows = compare(TEN.X, range(1, 9), rng=np.random.default_rng(0), folds=5)
    assert [row.k for row in rows] == list(range(1, 9))
    failed = [row for row in rows if row.fit is None]
    assert failed
    for row in failed:
        assert "degenerated" in row.failure
        assert (row.aic, row.bic, row.icl) == (np.inf,) * 3
        assert (row.log_likelihood, row.held_out) == (-np.inf, -np.inf)
        assert row.n_parameters == n_parameters(row.k, 1)
    fine = [row for row in rows if row.failure is None]
    assert {row.k for row in fine} >= {1, 2}
    # Plain min and max choose among those that did not fail, wherever the failed ones stand.
    assert min(reversed(rows), key=lambda row: row.bic) == rows.best("bic")
    assert max(rows, key=lambda row: row.held_out) == rows.best("held_out")
    assert rows.best("bic").k == 2


def test_a_fold_that_collapses_is_told_and_leaves_the_other_criteria():
    X = [2.0, 2, 2, 2, 7]  # without the last there is no spread
    assert held_out_log_likelihood(X, 1, rng=np.random.default_rng(0)) == -np.inf
    row = compare(X, [1], rng=np.random.default_rng(0), folds=5)[0]
    assert row.held_out == -np.inf
    assert row.failure.startswith("without part ")
    assert "of 5: component" in row.failure
    assert np.isfinite([row.aic, row.bic, row.icl]).all()
    table = compare(X, [1], rng=np.random.default_rng(0), folds=5)
    assert repr(table).splitlines()[1].endswith("-inf")
    assert repr(table).splitlines()[2].startswith("  failed: without part ")


def test_fewer_different_points_than_components_is_a_failed_candidate():
    rows = compare([1.0, 1, 1, 2, 2, 4], [1, 4], rng=np.random.default_rng(0))
    assert rows[0].failure is None
    assert rows[1].fit is None


def test_a_wrong_option_is_no_failed_candidate():
    with pytest.raises(ValueError, match="tol: expected"):
        compare(TEN.X, [1, 2], rng=np.random.default_rng(0), tol=-1)
    with pytest.raises(TypeError, match="prior: expected"):
        held_out_log_likelihood(TEN.X, 1, rng=np.random.default_rng(0), prior=3)


def test_types_and_numbers_of_components_in_one_table():
    rows = compare(
        PLANE.X,
        [1, 2],
        covariance_type=["full", "spherical"],
        rng=np.random.default_rng(0),
        folds=3,
    )
    tried = [(row.covariance_type, row.k) for row in rows]
    assert tried == [("full", 1), ("full", 2), ("spherical", 1), ("spherical", 2)]
    for row in rows:
        assert row.n_parameters == n_parameters(row.k, 2, row.covariance_type)
    assert np.array_equal(rows[2].fit.mixture.covariances[0] != 0, np.eye(2))
    lines = repr(rows).splitlines()
    assert len(lines) == 5
    assert " ".join(lines[0].split()) == "k covariances p log-lik. AIC BIC ICL held-out"
    for line, row in zip(lines[1:], rows, strict=True):
        k, kind, p, *criteria, held_out = line.split()
        assert (int(k), kind, int(p)) == (row.k, row.covariance_type, row.n_parameters)
        assert criteria == [f"{v:.2f}" for v in (row.log_likelihood, row.aic, row.bic, row.icl)]
        assert held_out == f"{row.held_out:.4f}"


def test_the_table_shows_what_failed_and_a_candidate_prints_without_its_fit():
    rows = compare(TEN.X, [2, 8], rng=np.random.default_rng(0))
    good, bad = repr(rows).splitlines()[1:]
    assert "failed" not in good
    assert bad.split()[:5] == ["8", "full", "23", "failed:", "component"]
    assert len(bad) <= 91  # the room for code on a page of the book
    assert repr(rows[0]).startswith("Candidate(k=2, covariance_type='full', n_parameters=5, log_")
    assert "mixture" not in repr(rows[0])
    with pytest.raises(ValueError, match="criterion: expected one that was computed, got 'held_"):
        rows.best("held_out")
    with pytest.raises(ValueError, match="criterion: expected one of 'aic', 'bic'"):
        rows.best("dic")
    with pytest.raises(ValueError, match="did not fail, got none; read their `failure`"):
        compare(TEN.X, [8], rng=np.random.default_rng(0)).best()


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
        (lambda rng: bic(-1.0, 5, 0), ValueError, "m: expected a number at least 1, got 0"),
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
        (
            lambda rng: compare(TEN.X, [9], rng=rng, folds=5),
            ValueError,
            "k: expected at most as many components as points, got k = 9 for 8",
        ),
        (lambda rng: compare(TEN.X, [1], rng=rng, folds=1), ValueError, "folds: expected at least"),
        (
            lambda rng: compare(TEN.X, [1], rng=rng, covariance_type=[]),
            ValueError,
            "covariance_type: expected at least one type",
        ),
        (
            lambda rng: compare(TEN.X, [1], rng=rng, covariance_type=None),
            ValueError,
            "covariance_type: expected one of .*, got None",
        ),
        (
            lambda rng: compare(TEN.X, [1], rng=rng, covariance_type=["full", "round"]),
            ValueError,
            "covariance_type: expected one of",
        ),
        (
            lambda rng: compare(TEN.X, [1], rng=rng, sample_weight=np.full(10, 0.01)),
            ValueError,
            "sample_weight: expected weights that count points, of sum at least 1, got 0.1",
        ),
        (
            lambda rng: compare([1, 1, 2], [3], rng=rng, tol=-1),
            ValueError,
            "tol: expected a number",
        ),
        (lambda rng: compare(TEN.X, [1], rng=rng, sample_weight=[1]), ValueError, "sample_weight"),
        (lambda rng: icl(np.nan, [[1]]), ValueError, "bic: expected finite"),
        (lambda rng: icl(1.0, [[0.5]]), ValueError, "responsibilities: expected rows that sum"),
    ],
)
def test_bad_input_is_refused(call, error, message, rng):
    with pytest.raises(error, match=message):
        call(rng)
