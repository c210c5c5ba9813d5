"""e_step, m_step and em_states."""

import pickle
from itertools import islice

import numpy as np
import pytest

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    DegenerateComponentError,
    GaussianMixture,
    e_step,
    em_states,
    fit,
    m_step,
)
from gmm_lib.em import constrained

TEN = np.array([1.0, 4, 5, 6, 9, 19, 21, 24, 26, 29])
START = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
SPIKE = GaussianMixture([0.1, 0.9], [9, 15], [1e-6, 90])


@pytest.fixture
def blobs(rng):
    """Three overlapping groups in three dimensions and a start in their midst."""
    X = rng.normal(size=(150, 3)) + 2 * rng.integers(0, 3, size=(150, 1))
    return X, GaussianMixture([0.2, 0.3, 0.5], X[:3], [np.eye(3)] * 3)


def naive_log_likelihood(X, mixture):
    """The textbook formula, in plain loops."""
    total = 0.0
    for x in X:
        density = 0.0
        for phi, mu, sigma in zip(mixture.weights, mixture.means, mixture.covariances, strict=True):
            q = (x - mu) @ np.linalg.solve(sigma, x - mu)
            density += phi * np.exp(-q / 2) / np.sqrt(np.linalg.det(2 * np.pi * sigma))
        total += np.log(density)
    return total


def naive_m_step(X, w):
    """The source's update formulas, point by point."""
    m, k = w.shape
    phi = [sum(w[i, j] for i in range(m)) / m for j in range(k)]
    mu = [sum(w[i, j] * X[i] for i in range(m)) / sum(w[:, j]) for j in range(k)]
    sigma = [
        sum(w[i, j] * np.outer(X[i] - mu[j], X[i] - mu[j]) for i in range(m)) / sum(w[:, j])
        for j in range(k)
    ]
    return GaussianMixture(phi, mu, sigma)


def test_steps_agree_with_the_formulas_written_as_loops(blobs):
    X, mixture = blobs
    w, log_likelihood = e_step(X, mixture)
    assert log_likelihood == pytest.approx(naive_log_likelihood(X, mixture), rel=1e-12)
    ours, naive = m_step(X, w), naive_m_step(X, w)
    for name in ("weights", "means", "covariances"):
        np.testing.assert_allclose(
            getattr(ours, name), getattr(naive, name), rtol=1e-11, atol=1e-13
        )


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_covariance_types_have_their_shape(blobs, covariance_type):
    X, mixture = blobs
    sigma = m_step(X, e_step(X, mixture)[0], covariance_type).covariances
    off_diagonal = sigma[:, ~np.eye(3, dtype=bool)]
    variances = np.einsum("kii->ki", sigma)
    assert (np.ptp(sigma, axis=0) == 0).all() == (covariance_type == "tied")
    assert (off_diagonal == 0).all() == (covariance_type in ("diag", "spherical"))
    assert (np.ptp(variances, axis=1) == 0).all() == (covariance_type == "spherical")


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_no_other_covariance_of_its_type_is_better(blobs, covariance_type, rng):
    """The M step maximizes the expected complete log-likelihood within its type."""
    X, mixture = blobs
    w, _ = e_step(X, mixture)
    best = m_step(X, w, covariance_type)

    def expected(mixture):
        return (w * mixture.component_log_density(X)).sum()

    for _ in range(20):
        noise = rng.normal(scale=1e-2, size=(3, 3, 3))
        noise = (noise + noise.transpose(0, 2, 1)) / 2
        if covariance_type == "tied":
            noise = np.repeat(noise[:1], 3, axis=0)
        elif covariance_type == "diag":
            noise = noise * np.eye(3)
        elif covariance_type == "spherical":
            noise = noise[:, :1, :1] * np.eye(3)
        other = GaussianMixture(best.weights, best.means, best.covariances + noise)
        assert expected(other) < expected(best)


def test_states_follow_the_source(source_trajectory):
    states = list(islice(em_states(TEN, START), len(source_trajectory)))
    for t, (state, (w9, log_likelihood)) in enumerate(zip(states, source_trajectory, strict=True)):
        assert state.iteration == t
        assert state.responsibilities[4, 0] == pytest.approx(w9, abs=5e-5)
        assert state.log_likelihood == pytest.approx(log_likelihood, abs=5e-5)


@pytest.fixture
def source_trajectory():
    """w_1(x = 9) and ℓ by iteration, as recomputed from the source's start."""
    return list(
        zip(
            (0.1444, 0.2009, 0.3456, 0.5801, 0.8483, 0.9872, 0.9994),
            (-60.7213, -34.5257, -34.1747, -33.7933, -33.2247, -32.4948, -32.2416),
            strict=True,
        )
    )


def test_a_state_is_consistent_in_itself(blobs):
    X, mixture = blobs
    for state in islice(em_states(X, mixture), 4):
        w, log_likelihood = e_step(X, state.mixture)
        np.testing.assert_array_equal(state.responsibilities, w)
        assert state.log_likelihood == log_likelihood


def test_nothing_given_is_changed(blobs):
    X, mixture = blobs
    before = X.copy()
    list(islice(em_states(X, mixture), 3))
    fit(X, mixture, max_iter=3)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
def test_fit_is_the_last_of_the_states(blobs, covariance_type):
    X, mixture = blobs
    found = fit(X, mixture, covariance_type=covariance_type, tol=0, max_iter=12)
    states = list(islice(em_states(X, mixture, covariance_type), 13))
    np.testing.assert_allclose(
        found.log_likelihoods, [state.log_likelihood for state in states], rtol=1e-12
    )
    for name in ("weights", "means", "covariances"):
        np.testing.assert_allclose(
            getattr(found.mixture, name), getattr(states[-1].mixture, name), rtol=1e-10, atol=1e-12
        )


def test_collapse_is_an_error_with_component_iteration_and_remedy():
    with pytest.raises(DegenerateComponentError) as caught:
        fit(TEN, SPIKE)
    assert caught.value.component == 0
    assert caught.value.iteration == 1
    message = str(caught.value)
    assert message.startswith("component 1 (index 0) degenerated at iteration 1: it collapsed")
    assert "prior=CovariancePrior" in message


@pytest.mark.parametrize("shift", [0.0, 1e-3, 1e8])
def test_collapse_is_met_wherever_the_point_lies(shift):
    """At 0 too, where no rounding error of the mean itself would give the size of a variance."""
    others = TEN[1:]
    x = np.append(0, others) + shift
    means = np.array([others.mean(), 0]) + shift
    start = GaussianMixture([0.9, 0.1], means, [others.var(), 1])
    with pytest.raises(DegenerateComponentError, match="collapsed onto one place"):
        fit(x, start)
    with pytest.raises(DegenerateComponentError, match="collapsed onto one place"):
        for _ in em_states(x, start):
            pass


def test_components_1e6_standard_deviations_apart_are_no_collapse(rng):
    x = np.concatenate([rng.normal(size=50), 1e6 + rng.normal(size=50)])
    found = fit(x, GaussianMixture([0.5, 0.5], [0, 1e6], [1, 1]))
    assert found.converged
    np.testing.assert_allclose(found.mixture.means[:, 0], [x[:50].mean(), x[50:].mean()])


def test_states_up_to_a_collapse_are_delivered():
    states = em_states(TEN, SPIKE)
    assert next(states).iteration == 0
    with pytest.raises(DegenerateComponentError, match="iteration 1"):
        next(states)


def test_an_empty_component_is_reported():
    w = np.array([[1.0, 0.0]] * 10)
    with pytest.raises(DegenerateComponentError, match="component 2.*no point belongs to it"):
        m_step(TEN, w)


def test_points_on_a_line_are_flat_not_a_number():
    X = np.c_[TEN, 2 * TEN]
    with pytest.raises(DegenerateComponentError, match="flat: feature 2 is a linear function"):
        m_step(X, np.ones((10, 1)))
    # A constraint that does not follow the line is a remedy.
    assert m_step(X, np.ones((10, 1)), "diag").k == 1


def test_small_units_are_not_mistaken_for_collapse():
    X = np.c_[TEN * 1e-12, TEN[::-1] ** 2 * 1e12]
    w = np.ones((10, 1))
    plain = m_step(np.c_[TEN, TEN[::-1] ** 2], w).covariances[0]
    scale = np.outer([1e-12, 1e12], [1e-12, 1e12])
    np.testing.assert_allclose(m_step(X, w).covariances[0], plain * scale, rtol=1e-12)


def test_an_offset_of_1e8_changes_nothing_but_the_means():
    moved = GaussianMixture(START.weights, START.means + 1e8, START.covariances)
    here, there = fit(TEN, START, tol=1e-12), fit(TEN + 1e8, moved, tol=1e-12)
    np.testing.assert_allclose(there.mixture.covariances, here.mixture.covariances, rtol=1e-6)
    assert there.log_likelihood == pytest.approx(here.log_likelihood, rel=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e150, -1e200])
@pytest.mark.parametrize(
    "layout", [np.ascontiguousarray, np.asfortranarray, lambda X: np.repeat(X, 2, axis=1)[:, ::2]]
)
def test_bad_numbers_are_found_in_every_layout(layout, bad):
    X = np.arange(12.0).reshape(6, 2)
    start = GaussianMixture([1.0], [[5.0, 6.0]], [10 * np.eye(2)])
    assert np.isfinite(e_step(layout(X), start)[1])
    # The sum of their squares is too large, each of them is not.
    assert np.isfinite(e_step(layout(X + 9e149), start)[0]).all()
    X[4, 1] = bad
    with pytest.raises(ValueError, match=r"X\[4, 1\]"):
        e_step(layout(X), start)


@pytest.mark.parametrize(
    ("w", "message"),
    [
        (np.ones((9, 1)), r"expected shape \(10, k\)"),
        (np.ones((2, 10)) / 2, "did you transpose it"),
        (np.full((10, 2), 0.6), "rows that sum to 1, got 1.2 in row 0"),
        (np.tile([1.5, -0.5], (10, 1)), r"responsibilities\[0, 1\] = -0.5"),
        (np.full((10, 2), np.nan), "NaN"),
        (np.ones((10, 0)), "at least one point and one component"),
    ],
)
def test_m_step_refuses(w, message):
    with pytest.raises(ValueError, match=message):
        m_step(TEN, w)


def test_steps_refuse_what_is_not_a_mixture():
    with pytest.raises(TypeError, match="mixture: expected a GaussianMixture, got list"):
        e_step(TEN, [0.5, 0.5])
    with pytest.raises(TypeError, match="expected a GaussianMixture"):
        em_states(TEN, 2)  # at once, not when the first state is asked for


# ------------------------------------------------------------------------------------------ advice

SPREAD, HEAP, LINE = np.arange(8.0), np.full(8, 3.0), np.c_[np.arange(8.0), 2 * np.arange(8.0)]
PAIR = np.repeat(np.eye(2), 4, axis=0)
RESTART, FEWER, TIED, DIAG = "another start", "fewer components", "'tied'", "'diag'"
PRIOR, LEAVE = "CovariancePrior.from_data(X, k)", "leaving that feature out"
OWN_PRIOR = "CovariancePrior(strength, covariance)"


@pytest.mark.parametrize(
    ("X", "w", "covariance_type", "advice"),
    [
        (np.r_[HEAP[:4], SPREAD[:4]], PAIR, "full", {RESTART, FEWER, TIED, PRIOR}),
        (np.repeat([3.0, 5], 4), PAIR, "tied", {RESTART, FEWER, PRIOR}),
        (np.c_[SPREAD, HEAP], np.ones((8, 1)), "full", {LEAVE, PRIOR}),
        (HEAP, PAIR, "tied", {OWN_PRIOR}),
        (HEAP, np.ones((8, 1)), "full", {OWN_PRIOR}),
        (LINE, PAIR, "full", {RESTART, FEWER, TIED, DIAG, PRIOR}),
        (LINE, PAIR, "tied", {RESTART, FEWER, DIAG, PRIOR}),
        (LINE, np.ones((8, 1)), "full", {DIAG, PRIOR}),
        (SPREAD, np.eye(2)[np.zeros(8, int)], "full", {RESTART, FEWER}),
    ],
)
def test_the_advice_against_a_collapse_can_be_followed(X, w, covariance_type, advice):
    """Nobody is told to do what he does, or to have fewer components than one."""
    with pytest.raises(DegenerateComponentError) as caught:
        m_step(X, w, covariance_type)
    message = str(caught.value)
    known = (RESTART, FEWER, TIED, DIAG, PRIOR, LEAVE, OWN_PRIOR)
    assert {each for each in known if each in message} == advice
    again = pickle.loads(pickle.dumps(caught.value.at(7)))
    assert (again.iteration, again.remedies) == (7, caught.value.remedies)
    assert str(again) == message.replace("degenerated", "degenerated at iteration 7")


def test_a_prior_is_not_advised_to_who_has_one():
    weak = CovariancePrior(1e-30, np.eye(1))
    with pytest.raises(DegenerateComponentError) as caught:
        m_step(HEAP, np.ones((8, 1)), prior=weak)
    assert "CovariancePrior" not in str(caught.value)


def test_constrained_is_the_nearest_of_its_type():
    """By the Kullback-Leibler divergence from each component, and itself if it fits already."""
    mixture = GaussianMixture([0.3, 0.7], np.eye(2), [[[2, 1], [1, 3]], [[1, -0.5], [-0.5, 4]]])
    assert constrained(mixture, "full") is mixture
    expected = {
        "tied": np.tile(0.3 * mixture.covariances[0] + 0.7 * mixture.covariances[1], (2, 1, 1)),
        "diag": [np.diag([2, 3]), np.diag([1, 4])],
        "spherical": [2.5 * np.eye(2), 2.5 * np.eye(2)],
    }
    for covariance_type, covariances in expected.items():
        nearest = constrained(mixture, covariance_type)
        np.testing.assert_allclose(nearest.covariances, covariances, rtol=1e-15)
        assert constrained(nearest, covariance_type) is nearest
    with pytest.raises(ValueError, match="covariance_type: expected one of"):
        constrained(mixture, "round")
    with pytest.raises(TypeError, match="expected a GaussianMixture"):
        constrained([1], "diag")
