"""`fit`: starts, stopping, and the best of several."""

import numpy as np
import pytest
from problems import blobs, difference

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    DegenerateComponentError,
    GaussianMixture,
    datasets,
    fit,
    from_labels,
    from_responsibilities,
    random_responsibilities,
)
from gmm_lib.em import em_states
from gmm_lib.initial import STARTS, kmeans_start

TEN = np.array([1.0, 4, 5, 6, 9, 19, 21, 24, 26, 29])
START = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
TRAP = [0.0, 1, 2, 3, 50]  # k-means++ gives 50 to a component of its own, which collapses on it


def test_fit_ends_where_the_source_says():
    found = fit(TEN, START, tol=1e-12)
    assert found.converged
    assert found.log_likelihood == pytest.approx(-32.239059, abs=5e-7)
    np.testing.assert_allclose(found.mixture.means[:, 0], [4.9997, 23.7988], atol=5e-5)
    np.testing.assert_allclose(found.mixture.covariances.ravel(), [6.7993, 12.5765], atol=5e-5)
    np.testing.assert_allclose(found.mixture.weights, [0.5, 0.5], atol=5e-5)


def test_converged_and_reason_are_truthful():
    short = fit(TEN, START, max_iter=3)
    assert not short.converged
    assert short.n_iter == 3
    assert short.reason.startswith("stopped at max_iter = 3")
    full = fit(TEN, START, tol=1e-6)
    gains = np.diff(full.log_likelihoods) / len(TEN)
    assert full.converged
    assert abs(gains[-1]) < 1e-6 <= min(abs(gains[:-1]))
    assert full.reason.endswith(f"after {full.n_iter} iterations")
    assert not fit(TEN, START, max_iter=0).converged


def test_tolerance_is_per_point():
    once = fit(TEN, START, tol=1e-5)
    tenfold = fit(np.tile(TEN, 10), START, tol=1e-5)
    assert once.n_iter == tenfold.n_iter


def test_restarts_keep_the_best_and_report_all(rng):
    X = np.concatenate([rng.normal(size=60) + shift for shift in (0, 6, 12, 18)])
    found = fit(X, 4, init="random_from_data", n_init=8, rng=np.random.default_rng(5))
    ends = [
        float(line.split()[1].rstrip(":")) for line in found.attempts if line.startswith("log-")
    ]
    assert len(found.attempts) == 8
    assert found.log_likelihood == pytest.approx(max(ends), abs=1e-6)
    assert max(ends) > min(ends) + 1  # otherwise this test shows nothing


def test_the_same_seed_gives_the_same_fit():
    first, second = (fit(TEN, 2, n_init=3, rng=np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first.mixture.means, second.mixture.means)


def test_fit_skips_starts_that_collapse_and_says_so(rng):
    found = fit(TRAP + [51.0], 2, n_init=6, rng=rng, covariance_type="tied")
    assert len(found.attempts) == 6
    with pytest.raises(DegenerateComponentError):
        fit(TRAP, 2, n_init=3, rng=rng, tol=0, max_iter=200)


# ------------------------------------------------------------------------------------------ starts


def seeded(seed=0):
    return np.random.default_rng(seed)


def agreement(labels, truth, k):
    """The share of points whose group is named alike, under the best naming of found groups."""
    table = np.zeros((k, k))
    np.add.at(table, (labels, truth), 1)
    total = 0
    for _ in range(k):  # greedy, which is best where groups are found
        a, b = np.unravel_index(table.argmax(), table.shape)
        total += table[a, b]
        table[a], table[:, b] = -1, -1
    return total / len(labels)


def test_groups_that_only_many_features_together_tell_apart_are_found():
    """A shift of one standard deviation in each of 30 features is plain to see: 5.5 in all."""
    Z = seeded(1).normal(size=(1000, 30))
    Z[:500] += 1
    truth = (np.arange(1000) >= 500).astype(int)
    for n_init in (1, 10):
        found = fit(Z, 2, rng=seeded(), n_init=n_init)
        assert found.log_likelihood == pytest.approx(-42475.1, abs=0.05)
        labels = found.mixture.responsibilities(Z).argmax(axis=1)
        assert agreement(labels, truth, 2) == 0.997


@pytest.mark.parametrize(("d", "k"), [(1, 4), (2, 10), (8, 12), (32, 16), (64, 16)])
@pytest.mark.parametrize("seed", range(3))
def test_separated_groups_are_found_in_any_dimension(d, k, seed):
    rng = seeded(seed)
    centers = rng.normal(size=(k, d)) * 11 / np.sqrt(2 * d)  # 11 standard deviations apart, if so
    if d < 8:  # in few dimensions some would fall together
        centers = 12 * np.stack([np.arange(k), np.arange(k) % 3])[:d].T
    truth = np.arange(200 * k) % k
    X = centers[truth] + rng.normal(size=(200 * k, d))
    found, best = (
        agreement(fit(X, k, **start).mixture.responsibilities(X).argmax(axis=1), truth, k)
        for start in ({"rng": rng}, {"init": truth})
    )
    assert found > best - 0.001
    assert found > 0.98


@pytest.mark.slow
def test_the_worst_that_is_told_of_the_start_is_so():
    """What the docstring says, measured as the benchmark does; scikit-learn alone is left out."""
    pytest.importorskip("sklearn")
    from benchmarks import starts

    problems = {problem.name: problem for problem in starts.problems()}
    assert len(problems) == 14
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(starts.WAYS, "scikit-learn")
        digits = starts.measure(problems["digits, prior"], 3).short
        unequal = starts.measure(problems["unequal sizes"], 3).short
    told = " ".join(kmeans_start.__doc__.split())
    for measured, words in (
        (digits["groups"], "ends 1.5 nats a point below the best"),
        (digits["points"], "from points far apart 5.5"),
        (unequal["groups"], "0.027 nats a point are lost"),
    ):
        assert f"{measured:.2g}" in words
        assert words in told
    tried = fit(problems["unequal sizes"].X, 4, rng=seeded(), n_init=20, tol=1e-6)
    assert tried.log_likelihood == pytest.approx(-61088.16, abs=0.1)


def test_units_and_offsets_do_not_change_the_groups():
    X = datasets.iris().X
    here = fit(X, 3, rng=seeded())
    there = fit(X * [1e6, 1e-6, 1, 1] + [0, 1, 1e6, -1e6], 3, rng=seeded())
    stretch = 150 * np.log(1e6 * 1e-6)
    assert there.log_likelihood + stretch == pytest.approx(here.log_likelihood, abs=1e-4)


def test_a_scale_of_1e80_is_no_mistake():
    X = datasets.old_faithful().X
    found = fit(X * 1e80, 2, rng=seeded())
    assert found.log_likelihood == pytest.approx(
        fit(X, 2, rng=seeded()).log_likelihood - X.size * np.log(1e80), rel=1e-12
    )


@pytest.mark.parametrize("init", STARTS)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_every_start_by_name_leads_to_a_fit(init, covariance_type):
    X, _ = blobs(300, 3, 2, separation=6.0)
    found = fit(X, 2, init=init, covariance_type=covariance_type, n_init=6, rng=seeded())
    best = fit(X, 2, covariance_type=covariance_type, rng=seeded())
    assert len(found.attempts) == 6
    assert found.log_likelihood == pytest.approx(best.log_likelihood, rel=1e-6)


def test_restarts_from_groups_are_not_the_same_again():
    X = datasets.overlapping().X
    found = fit(X, 5, n_init=6, rng=seeded(), max_iter=0)
    assert len(set(found.attempts)) == 6


@pytest.mark.parametrize("init", STARTS)
def test_weight_0_is_absence_and_2_repetition_for_a_start_too(init):
    """The far points of weight 0 neither attract a component nor set the scale."""
    X, _ = blobs(200, 2, 2, separation=6.0)
    far = np.concatenate([X, np.full((50, 2), 1e6) + seeded().normal(size=(50, 2))])
    weight = np.append(np.full(200, 2.0), np.zeros(50))
    weighted = fit(far, 2, init=init, rng=seeded(), sample_weight=weight, tol=1e-12)
    repeated = fit(np.repeat(X, 2, axis=0), 2, init=init, rng=seeded(), tol=1e-12)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-9)


def test_own_responsibilities_and_labels_start_with_their_m_step():
    X, _ = blobs(100, 2, 3)
    w = random_responsibilities(100, 3, seeded())
    labels = w.argmax(axis=1)
    weight = np.arange(100) % 4.0 + 0.5
    prior = CovariancePrior(2.0, np.eye(2))
    starts = [(w, from_responsibilities), (labels, from_labels), (labels.tolist(), from_labels)]
    for init, make in starts:
        given = np.asarray(init)
        absent = {"sample_weight": weight * (np.arange(100) % 3)}
        for options in ({}, {"sample_weight": weight}, absent, {"prior": prior}):
            found = fit(X, 3, init=init, max_iter=0, covariance_type="diag", **options)
            assert difference(found.mixture, make(X, given, "diag", **options)) == 0


@pytest.mark.parametrize(
    ("X", "k"),
    [
        (np.repeat([[1.0], [2.0], [7.0]], [50, 1, 1], axis=0), 3),  # k = number of different points
        (np.repeat([[1.0, 5], [2, 3], [7, 7], [9, 1]], [4, 5, 6, 1], axis=0), 3),
        (np.arange(6.0), 5),
        (np.arange(4.0).reshape(2, 2), 2),
        (np.c_[np.arange(20.0), np.full(20, 0.1)], 2),  # a column that does not vary
        (np.c_[np.arange(20.0), 2 * np.arange(20)], 2),  # a line
        (np.full((9, 2), 7.7), 1),
        (np.array([[3.0, 4.0]]), 1),
    ],
)
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("init", STARTS)
def test_with_a_prior_few_equal_and_flat_points_have_a_fit(X, k, covariance_type, init):
    d = 1 if X.ndim == 1 else X.shape[1]
    prior = CovariancePrior(1, np.eye(d) * 0.1)
    found = fit(X, k, init=init, covariance_type=covariance_type, rng=seeded(), prior=prior)
    assert np.diff(found.objectives).min(initial=0) > -1e-9


@pytest.mark.parametrize("init", [name for name in STARTS if name != "random"])
def test_more_components_than_different_points_are_refused(init):
    with pytest.raises(ValueError, match="k = 3 for 2 different points"):
        fit([1.0, 1.0, 2.0], 3, init=init, rng=seeded())


def test_a_column_that_does_not_vary_gets_its_share_of_the_prior():
    X = np.c_[seeded().normal(size=100), np.full(100, 0.1)]
    prior = CovariancePrior(1, np.eye(2) * 0.1)
    variance = fit(X, 1, rng=seeded(), prior=prior).mixture.covariances[0, 1, 1]
    assert variance == pytest.approx(0.1 / 101, rel=1e-12)
    with pytest.raises(DegenerateComponentError, match="variance 0 in feature 2.*that feature out"):
        fit(X, 2, rng=seeded())


def test_large_data_start_from_a_sample():
    X, truth = blobs(60_000, 2, 3, separation=8.0)
    found = fit(X, 3, rng=seeded())
    assert found.log_likelihood == pytest.approx(fit(X, truth).log_likelihood, rel=1e-9)


# ---------------------------------------------------------------- starts of another covariance type


@pytest.mark.parametrize("covariance_type", ["tied", "diag", "spherical"])
def test_the_likelihood_never_falls_from_a_start_of_another_type(covariance_type):
    X = datasets.old_faithful().X
    full = fit(X, 2, rng=seeded()).mixture
    found = fit(X, full, covariance_type=covariance_type)
    assert np.diff(found.log_likelihoods).min() > -1e-9
    states = em_states(X, full, covariance_type)
    ells = [next(states).log_likelihood for _ in range(20)]
    assert np.diff(ells).min() > -1e-9
    n = min(20, found.n_iter)
    np.testing.assert_allclose(ells[:n], found.log_likelihoods[:n], rtol=1e-12)


# -------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"X": [1.0, np.nan]}, ValueError, r"X: expected finite numbers, got 1 NaN.*X\[1\]"),
        ({"X": [1.0, np.inf]}, ValueError, "NaN or infinite"),
        ({"X": [1.0, 1e200]}, ValueError, "its square overflows"),
        ({"X": []}, ValueError, "at least 1 point of at least one feature"),
        ({"X": 3.0}, ValueError, r"expected shape \(m, d\)"),
        ({"X": np.ones((2, 2, 2))}, ValueError, r"got shape \(2, 2, 2\)"),
        ({"X": ["a", "b"]}, TypeError, "expected real numbers"),
        ({"X": [1j, 2]}, TypeError, "complex128"),
        ({"X": [True, False]}, TypeError, "dtype bool"),
        ({"X": [[1, 2], [3]]}, ValueError, "different lengths"),
        ({"X": np.ma.array([1.0, 2], mask=[True, False])}, ValueError, "1 masked; drop"),
        ({"X": np.ones((5, 2))}, ValueError, "expected 1 feature as in the mixture, got 2"),
        ({"k_or_initial": 0}, ValueError, "k: expected at least 1, got 0"),
        ({"k_or_initial": 11}, ValueError, "got k = 11 for 10 points"),
        ({"k_or_initial": 2.0}, TypeError, "k: expected a whole number, got 2.0"),
        ({"k_or_initial": 2}, TypeError, "rng: expected a numpy.random.Generator"),
        ({"k_or_initial": 2, "rng": 1}, TypeError, "rng: .*got 1"),
        ({"n_init": 3}, ValueError, "n_init: expected 1 with a given start"),
        ({"init": "random"}, TypeError, "init: expected no init beside a mixture"),
        ({"init": [0] * 10}, TypeError, "init: expected no init beside a mixture"),
        ({"k_or_initial": 2, "init": "best"}, ValueError, "init: expected one of 'kmeans', 'k-me"),
        (
            {"k_or_initial": 2, "init": START},
            TypeError,
            "init: .*got a GaussianMixture; pass it in",
        ),
        ({"k_or_initial": 2, "init": None}, TypeError, "init: expected one of 'kmeans'.*got None"),
        ({"k_or_initial": 2, "init": [0] * 9}, ValueError, r"labels: expected shape \(10,\)"),
        ({"k_or_initial": 2, "init": [0.5] * 10}, TypeError, "labels: expected whole numbers"),
        ({"k_or_initial": 2, "init": [0, 2] * 5}, ValueError, "init: expected labels from 0 to 1"),
        (
            {"k_or_initial": 3, "init": np.ones((10, 2)) / 2},
            ValueError,
            r"responsibilities: expected shape \(10, 3\)",
        ),
        ({"k_or_initial": 2, "init": [0, 1] * 5, "n_init": 2}, ValueError, "n_init: expected 1 wi"),
        (
            {"k_or_initial": 2, "init": np.ma.array(np.eye(2)[[0, 1] * 5], mask=np.eye(10)[:, :2])},
            ValueError,
            "init: expected an array without masked entries, got 2 masked",
        ),
        ({"k_or_initial": 2, "init": [[0], [0, 1]]}, ValueError, "init: .*different lengths"),
        ({"k_or_initial": 2, "init": [0] * 10}, DegenerateComponentError, "no point belongs"),
        (
            {"X": [TEN[:5, None], TEN[5:, None]], "k_or_initial": 2, "init": [0, 1] * 5},
            TypeError,
            "init: expected one of .* not in memory, got list",
        ),
        ({"covariance_type": "round"}, ValueError, "one of 'full', 'tied', 'diag', 'spherical'"),
        ({"tol": -1}, ValueError, "tol: expected a number at least 0, got -1"),
        ({"tol": np.nan}, ValueError, "tol: expected finite numbers, got nan; pass a finite one"),
        ({"tol": None}, TypeError, "tol: expected real numbers, got None; pass a float"),
        ({"max_iter": -1}, ValueError, "max_iter: expected at least 0"),
        ({"sample_weight": np.zeros(10)}, ValueError, "got zero in all"),
        ({"sample_weight": np.ones(9)}, ValueError, r"expected shape \(10,\).*got \(9,\)"),
        (
            {"sample_weight": -np.ones(10)},
            ValueError,
            r"no negative weight, got sample_weight\[0\]",
        ),
        ({"prior": 3}, TypeError, "prior: expected None or a CovariancePrior"),
        ({"prior": CovariancePrior(1, np.eye(2))}, ValueError, "1 features as in the data, got 2"),
    ],
)
def test_fit_refuses(change, error, message):
    arguments = {"X": TEN, "k_or_initial": START} | change
    with pytest.raises(error, match=message):
        fit(arguments.pop("X"), arguments.pop("k_or_initial"), **arguments)
