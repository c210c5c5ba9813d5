"""The engine that fit runs on."""

import os
import signal
import warnings
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from problems import blobs, difference

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    DegenerateComponentError,
    GaussianMixture,
    datasets,
    e_step,
    em_states,
    fit,
    kmeans_plus_plus,
    m_step,
)
from gmm_lib import engine as room
from gmm_lib.em import constrained
from gmm_lib.engine import Engine
from gmm_lib.rows import Rows, available_threads


def climb(X, start, n, covariance_type="full", **options):
    """The mixtures and log-likelihoods of n iterations of an engine."""
    engine = Engine(X, covariance_type, **options)
    mixtures, log_likelihoods = [engine.centered(constrained(start, covariance_type))], []
    for _ in range(n):
        statistics, log_likelihood = engine.e_step(mixtures[-1])
        log_likelihoods.append(log_likelihood)
        mixtures.append(engine.m_step(statistics))
    return [engine.restored(mixture) for mixture in mixtures], log_likelihoods


def assert_same_path(X, start, n, covariance_type="full", tolerance=1e-10, **options):
    """The engine's iterations are those of em_states."""
    weight, prior = options.get("sample_weight"), options.get("prior")
    reference = list(
        islice(em_states(X, start, covariance_type, sample_weight=weight, prior=prior), n + 1)
    )
    mixtures, log_likelihoods = climb(X, start, n, covariance_type, **options)
    for t in range(n):
        assert log_likelihoods[t] == pytest.approx(reference[t].log_likelihood, rel=tolerance)
        assert difference(mixtures[t + 1], reference[t + 1].mixture) < tolerance, f"iteration {t}"


@pytest.fixture(params=["few points", "many points"])
def either_path(request, monkeypatch):
    """Small problems are whitened for speed; this puts them on the path of large ones, too."""
    if request.param == "many points":
        monkeypatch.setattr(room, "FEW", 0)


# ------------------------------------------------------------------------- the engine's iterations


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize(("m", "d", "k"), [(300, 2, 3), (500, 1, 4), (9000, 5, 3), (400, 20, 2)])
def test_the_engine_walks_the_path_of_em_states(m, d, k, covariance_type, either_path):
    X, start = blobs(m, d, k)
    assert_same_path(X, start, 6, covariance_type)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_weights_and_prior_enter_as_in_em_states(covariance_type, either_path):
    X, start = blobs(200, 2, 2)
    weight = np.random.default_rng(1).integers(0, 4, size=200)
    prior = CovariancePrior(3.0, [[2.0, 0.3], [0.3, 1.0]])
    assert_same_path(X, start, 5, covariance_type, sample_weight=weight, prior=prior)
    repeated, _ = climb(np.repeat(X, weight, axis=0), start, 5, covariance_type)
    weighted, _ = climb(X, start, 5, covariance_type, sample_weight=weight)
    assert difference(weighted[-1], repeated[-1]) < 1e-12


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("name", ["ten-points", "thousand-points", "old-faithful", "iris"])
def test_fit_agrees_with_em_states_on_the_data_of_the_book(name, covariance_type, either_path):
    data = datasets.NAMES[name]()
    start = data.start
    if start is None:
        start = kmeans_plus_plus(data.X, 3, rng=np.random.default_rng(2))
    n = 25
    found = fit(data.X, start, covariance_type=covariance_type, tol=0, max_iter=n)
    *_, last = islice(em_states(data.X, start, covariance_type), n + 1)
    assert found.log_likelihood == pytest.approx(last.log_likelihood, rel=1e-10)
    assert difference(found.mixture, last.mixture) < 1e-10


@given(
    seed=some.integers(0, 2**32 - 1),
    d=some.integers(1, 4),
    k=some.integers(1, 4),
    separation=some.sampled_from([0.5, 3.0, 30.0, 1e3, 1e5, 1e7]),
    offset=some.sampled_from([0.0, 1e4, 1e8]),
    unit=some.sampled_from([1e-30, 1.0, 1e30]),
    covariance_type=some.sampled_from(COVARIANCE_TYPES),
    few=some.sampled_from([0, room.FEW]),
)
@settings(max_examples=80, deadline=None)
def test_fit_agrees_with_em_states_wherever_the_data_lie(
    seed, d, k, separation, offset, unit, covariance_type, few
):
    X, start = blobs(60 * k, d, k, seed, separation)
    X, means = (X + offset) * unit, (start.means + offset) * unit
    start = GaussianMixture(start.weights, means, start.covariances * unit**2)
    try:
        *_, last = islice(em_states(X, start, covariance_type), 5)
    except DegenerateComponentError as error:
        expected = error.iteration
        with pytest.raises(DegenerateComponentError) as ours:
            fit(X, start, covariance_type=covariance_type, tol=0, max_iter=4)
        assert ours.value.iteration == expected
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "FEW", few)
        found = fit(X, start, covariance_type=covariance_type, tol=0, max_iter=4)
    # Near 1e8 the data themselves are rounded to 1e-8, and so is every mean.
    tolerance = max(1e-10, 1e-14 * max(offset, separation))
    scale = max(abs(last.log_likelihood), len(X))
    assert abs(found.log_likelihood - last.log_likelihood) < tolerance * scale
    assert difference(found.mixture, last.mixture) < tolerance


# -------------------------------------------------------------------------- which path, and why


def spied(monkeypatch):
    """Count how often each kernel is used."""
    calls = {"product_form": 0, "whitened": 0}
    for name in calls:
        kernel = getattr(room, name)

        def counted(*args, kernel=kernel, name=name, **kwargs):
            calls[name] += 1
            return kernel(*args, **kwargs)

        monkeypatch.setattr(room, name, counted)
    return calls


def test_ordinary_data_take_the_fast_path_and_narrow_far_components_the_sound_one(monkeypatch):
    calls = spied(monkeypatch)
    for d, k in ((2, 3), (32, 16)):
        climb(*blobs(2000, d, k), 2)
    assert calls == {"product_form": 4, "whitened": 0}
    climb(*blobs(200, 2, 2, separation=1e5), 2)
    assert calls["whitened"] == 2


def test_the_error_estimate_tracks_the_error_of_the_product_form(monkeypatch):
    """So a tolerance of 1e-12 keeps the promise of 1e-10, and is not given away either."""
    monkeypatch.setattr(room, "FEW", 0)
    monkeypatch.setattr(room, "TOLERANCE", np.inf)
    for separation in (1e2, 1e3, 1e4, 1e5):
        for d in (1, 2, 8):
            X, start = blobs(300, d, 3, seed=d, separation=separation)
            engine = Engine(X)
            centered = engine.centered(start)
            statistics, log_likelihood = engine.e_step(centered)
            estimate = max(
                engine.natural_parameters(mixture)[2]
                for mixture in (centered, engine.m_step(statistics))
            )
            w, exact = e_step(X, start)
            errors = [
                abs(log_likelihood - exact) / len(X),
                difference(engine.restored(statistics.maximize()), m_step(X, w)),
            ]
            assert max(errors) / 10 < estimate < max(errors) * 1000


def test_strong_correlation_counts_as_narrow(monkeypatch):
    """Every feature is wide here; only their difference is narrow."""
    calls = spied(monkeypatch)
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    X = np.column_stack([x, x + 1e-5 * rng.normal(size=500)])
    start = GaussianMixture([1.0], [[0.0, 0.0]], [np.cov(X.T)])
    assert_same_path(X, start, 2)
    assert calls["whitened"] > 0


def test_statistics_that_turn_out_too_narrow_are_made_again(monkeypatch):
    """A wide start bears the product form, the narrow mixture that it leads to does not."""
    calls = spied(monkeypatch)
    X, start = blobs(2000, 2, 2, separation=1e4)
    wide = GaussianMixture(start.weights, start.means, start.covariances * 1e7)
    engine = Engine(X)
    assert engine.natural_parameters(engine.centered(wide))[2] < room.TOLERANCE
    assert_same_path(X, wide, 2)
    assert calls["product_form"] > 0
    assert calls["whitened"] > 0


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("far", [1e5, 1e10])
def test_far_outliers_leave_the_others_alone(covariance_type, far, either_path):
    X, start = blobs(100, 2, 2)
    X[:4] = [[far, -far], [-far, far], [far, far], [-far, -far]]
    start = GaussianMixture(
        [0.45, 0.45, 0.1],
        np.vstack([start.means, [0.0, 0.0]]),
        np.concatenate([start.covariances, [far**2 * np.eye(2)]]),
    )
    assert_same_path(X, start, 1 if covariance_type == "tied" else 2, covariance_type)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_a_start_of_another_covariance_type(covariance_type, either_path):
    X, start = blobs(100, 2, 2)
    crooked = GaussianMixture(
        start.weights, start.means, [[[1, 0.3], [0.3, 2]], [[3, -0.2], [-0.2, 1]]]
    )
    assert_same_path(X, crooked, 3, covariance_type)
    expected = e_step(X, crooked)[1]
    engine = Engine(X, covariance_type)
    assert engine.log_likelihood(engine.centered(crooked)) == pytest.approx(expected, rel=1e-13)


def test_far_apart_points_do_not_underflow(either_path):
    """The farthest point is 1e8 standard deviations from every component."""
    X = np.array([[0.0], [1.0], [2.0], [1e8]])
    start = GaussianMixture([0.5, 0.5], [0.0, 1.5], [1.0, 1.0])
    engine = Engine(X)
    _, log_likelihood = engine.e_step(engine.centered(start))
    assert log_likelihood == pytest.approx(e_step(X, start)[1], rel=1e-12)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("m", [10, 100_000])
def test_a_point_too_far_for_its_square_is_refused(m, threads):
    """By both paths and in threads: no NaN comes back, and numpy does not warn."""
    x = np.arange(float(m)) * 1e-5
    x[0] = 1e149
    start = GaussianMixture([0.5, 0.5], [0.0, 1.0], [1e-20, 1e-20])
    with (
        pytest.raises(ValueError, match="X: expected points less than 1e150 .*, got one farther"),
        warnings.catch_warnings(action="error"),
    ):
        fit(x, start, max_iter=0, threads=threads)


def test_exponents_are_clipped_where_exp_would_be_subnormal():
    log_joint = np.array([[0.0, -1.0, -1e4], [-708.5, -740.0, -1e4 - 720.0]])
    room.posterior(log_joint, None)
    assert log_joint.min() > np.finfo(float).tiny
    np.testing.assert_allclose(log_joint.sum(axis=0), 1, rtol=1e-15)


@pytest.mark.parametrize("peaked", [True, False])
def test_posterior_is_bayes_rule(peaked):
    rng = np.random.default_rng(3)
    log_joint = -900 * rng.random((3, 50))
    weight = rng.integers(0, 3, size=50).astype(float)
    joint = np.exp(log_joint - log_joint.max(axis=0))
    expected = weight * joint / joint.sum(axis=0)
    log_density = log_joint.max(axis=0) + np.log(joint.sum(axis=0))
    got = room.posterior(log_joint, weight, peaked)
    assert got == pytest.approx(weight @ log_density, rel=1e-14)
    np.testing.assert_allclose(log_joint, expected, rtol=1e-12, atol=1e-290)


# ------------------------------------------------------------------------------ threads, blocks


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_threads_change_nothing_but_rounding(covariance_type, monkeypatch):
    monkeypatch.setattr(Rows, "LEAST", 100)
    X, start = blobs(5000, 2, 3)
    weight = np.random.default_rng(0).random(5000)
    one, ll_one = climb(X, start, 4, covariance_type, threads=1, sample_weight=weight)
    for threads in (2, 3, 7):
        many, ll_many = climb(X, start, 4, covariance_type, threads=threads, sample_weight=weight)
        assert ll_many == pytest.approx(ll_one, rel=1e-14)
        assert difference(many[-1], one[-1]) < 1e-12


@pytest.mark.parametrize("numbers", [100, 10_000])
@pytest.mark.parametrize("wide", [1, 1000])
@pytest.mark.parametrize("product", [64, 2**18])
def test_neither_do_block_sizes_and_layouts(numbers, wide, product, monkeypatch):
    X, start = blobs(1000, 3, 2)
    expected, log_likelihoods = climb(X, start, 3)
    monkeypatch.setattr(room, "BLOCK_NUMBERS", numbers)
    monkeypatch.setattr(room, "LEAST_BLOCK", 7)
    monkeypatch.setattr(room, "WIDE", wide)
    monkeypatch.setattr(room, "product_columns", lambda k, size, budget: product)
    got, lls = climb(X, start, 3)
    assert lls == pytest.approx(log_likelihoods, rel=1e-13)
    assert difference(got[-1], expected[-1]) < 1e-13


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_threads_work_in_a_forked_process(monkeypatch):
    monkeypatch.setattr(Rows, "LEAST", 100)
    X, start = blobs(5000, 2, 3)
    climb(X, start, 1, threads=2)
    child = os.fork()
    if child == 0:
        signal.alarm(20)  # waiting for threads that are not there would take for ever
        climb(X, start, 1, threads=2)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_number_of_threads_asked_for(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert available_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "nonsense")
    assert available_threads() >= 1
    with pytest.raises(ValueError, match="threads: expected at least 1, got 0"):
        Engine(np.ones((3, 1)), threads=0)


# ------------------------------------------------------------------------------------- collapse


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_collapse_is_told_with_component_and_iteration(covariance_type, either_path):
    X = np.array([[0.0], [1.0], [2.0], [3.0], [50.0]])
    start = GaussianMixture([0.8, 0.2], [1.5, 50.0], [1.0, 1.0])
    if covariance_type == "tied":  # shares its spread, so nothing collapses
        assert fit(X, start, covariance_type="tied", tol=0, max_iter=5).n_iter == 5
        return
    with pytest.raises(DegenerateComponentError, match="component 2 .index 1.*prior") as error:
        fit(X, start, covariance_type=covariance_type)
    assert (error.value.component, error.value.iteration) == (1, 1)


def test_an_empty_component_is_told(either_path):
    X = np.linspace(-1, 1, 50)
    start = GaussianMixture([0.5, 0.5], [0.0, 1e6], [1.0, 1.0])
    with pytest.raises(DegenerateComponentError, match="no point belongs to it"):
        fit(X, start)


def test_the_engine_refuses_what_it_cannot_walk():
    with pytest.raises(ValueError, match="NaN"):
        Engine(np.array([[1.0], [np.nan]]))
    with pytest.raises(ValueError, match="covariance_type: expected one of"):
        Engine(np.ones((3, 1)), "round")


def test_the_data_are_left_as_they_are():
    X, start = blobs(100, 2, 2)
    before = X.copy()
    X.setflags(write=False)
    climb(X, start, 2)
    np.testing.assert_array_equal(X, before)


def test_memory_beyond_the_data_does_not_grow_with_them():
    import tracemalloc

    peaks = []
    for m in (200_000, 800_000):
        X, start = blobs(m, 2, 8)
        tracemalloc.start()
        fit(X, start, tol=0, max_iter=2, threads=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0]
    assert peaks[1] < 8e6
