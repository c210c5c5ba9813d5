"""What must hold for every mixture and all data, tried on many that hypothesis makes up."""

import contextlib
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    DegenerateComponentError,
    GaussianMixture,
    bound_gradient,
    e_step,
    em_states,
    evidence_lower_bound,
    expected_complete_log_likelihood,
    fit,
    hard_states,
    kl_divergence,
    kl_to_posterior,
    kmeans_states,
    log_likelihood_gradient,
    m_step,
)
from gmm_lib.statistics import SufficientStatistics

# The same examples every time: a run that fails can be run again. To look further afield, raise
# max_examples and set derandomize=False.
examples = settings(max_examples=100, deadline=None, derandomize=True)

types = st.sampled_from(COVARIANCE_TYPES)


@st.composite
def problems(draw, max_k=4, least=20):
    """Data of one to three features, a mixture near them, and a generator for more."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    d, k = draw(st.integers(1, 3)), draw(st.integers(1, max_k))
    m = draw(st.integers(least, 60))
    separation = draw(st.floats(0, 6))
    centers = separation * rng.standard_normal((k, d))
    X = centers[rng.integers(k, size=m)] + rng.standard_normal((m, d))
    roots = rng.standard_normal((k, d, d + 3))
    covariances = roots @ roots.transpose(0, 2, 1) / (d + 3) + 0.05 * np.eye(d)
    weights = rng.dirichlet(np.full(k, 2.0)) * 0.95 + 0.05 / k
    return X, GaussianMixture(weights / weights.sum(), centers, covariances), rng


def states_until_collapse(states, n):
    """The first n states, or those before a component degenerates, which random data may do."""
    found = []
    with contextlib.suppress(DegenerateComponentError):
        found.extend(islice(states, n))
    return found


def refit(X, w, covariance_type, **options):
    """An M step, or None where the data do not determine it."""
    try:
        return m_step(X, w, covariance_type, **options)
    except DegenerateComponentError:
        return None


def assert_alike(one, other, rtol=1e-9):
    """Two mixtures are equal up to rounding, covariances by their own scale."""
    sd = np.sqrt(np.einsum("kii->ki", other.covariances))
    np.testing.assert_allclose(one.weights, other.weights, rtol=rtol, atol=1e-300)
    assert (np.abs(one.means - other.means) <= rtol * (np.abs(other.means) + sd)).all()
    scale = sd[:, :, None] * sd[:, None, :]
    assert (np.abs(one.covariances - other.covariances) <= rtol * scale).all()


@examples
@given(problems(), st.floats(0, 1e8))
def test_responsibilities_are_probabilities_however_far_the_points(problem, distance):
    X, mixture, _ = problem
    w = mixture.responsibilities(X + distance)
    assert w.min() >= 0
    np.testing.assert_allclose(w.sum(axis=1), 1, rtol=0, atol=1e-14)
    assert np.isfinite(mixture.log_density(X + distance)).all()


@examples
@given(problems(), types)
def test_the_log_likelihood_never_falls(problem, covariance_type):
    X, mixture, _ = problem
    states = states_until_collapse(em_states(X, mixture, covariance_type), 25)
    ell = [state.log_likelihood for state in states]
    # A sum of m rounded terms; where a component nears collapse each has lost digits.
    assert all(after >= before - 1e-9 * (1 + abs(before)) for before, after in pairwise(ell))


@examples
@given(
    m=st.integers(1000, 5000),
    d=st.integers(1, 3),
    value=st.floats(-1, 1).filter(lambda value: abs(value) > 1e-3),
    size=st.sampled_from([1.0, 7.7, 1e4, 1e8, 1e-8]),
    share=st.floats(0.01, 1),
)
def test_thousands_of_equal_values_are_one_place_wherever_it_is(m, d, value, size, share):
    """The sum of many numbers is off by many roundings, and so is a mean made of it alone."""
    X = np.full((m, d), value * size)
    w = np.full((m, 2), [share, 1 - share]) if share < 1 else np.ones((m, 1))
    np.testing.assert_array_max_ulp(SufficientStatistics.of(X, w).means, X[: w.shape[1]], 1)
    for refit_all in (m_step, lambda X, w: SufficientStatistics.of(X, w).maximize()):
        with pytest.raises(DegenerateComponentError, match="collapsed onto one place"):
            refit_all(X, w)
    start = GaussianMixture([1.0], X[:1] + 3 * size, [size**2 * np.eye(d)])
    for climb in (fit, lambda X, start: list(islice(em_states(X, start), 3))):
        with pytest.raises(DegenerateComponentError, match="iteration 1: it collapsed"):
            climb(X, start)


@examples
@given(
    m=st.integers(1000, 3000),
    value=st.floats(-5, 5),
    offset=st.sampled_from([0.0, 10.0, 1e4]),
    seed=st.integers(0, 2**32 - 1),
)
def test_on_the_way_to_a_heap_of_equal_values_the_likelihood_never_falls(m, value, offset, seed):
    rng = np.random.default_rng(seed)
    x = np.append(np.full(m, value), rng.normal(size=m // 3)) + offset
    start = GaussianMixture([0.5, 0.5], [value + offset + 0.5, offset], [1.0, 4.0])
    states = states_until_collapse(em_states(x, start), 60)
    assert len(states) < 60  # it collapses, and is seen to
    ell = [state.log_likelihood for state in states]
    assert all(after >= before - 1e-9 * (1 + abs(before)) for before, after in pairwise(ell))
    with pytest.raises(DegenerateComponentError) as caught:
        fit(x, start, tol=0)
    assert abs(caught.value.iteration - len(states)) <= 1


@examples
@given(problems(), types, st.floats(0.1, 20))
def test_with_a_prior_the_posterior_never_falls(problem, covariance_type, strength):
    X, mixture, _ = problem
    prior = CovariancePrior(strength, 0.5 * np.eye(mixture.d))
    states = list(islice(em_states(X, mixture, covariance_type, prior=prior), 15))
    objective = [s.log_likelihood + prior.log_density(s.mixture.cholesky) for s in states]
    assert all(after >= before - 1e-10 * (1 + abs(before)) for before, after in pairwise(objective))


@examples
@given(problems(), types)
def test_what_the_hard_loop_climbs_never_falls(problem, covariance_type):
    X, mixture, _ = problem
    states = states_until_collapse(hard_states(X, mixture, covariance_type), 15)
    climbed = [s.complete_log_likelihood for s in states][0 if covariance_type == "full" else 1 :]
    assert all(after >= before - 1e-9 * (1 + abs(before)) for before, after in pairwise(climbed))


@examples
@given(problems())
def test_the_inertia_of_k_means_never_rises(problem):
    X, mixture, _ = problem
    states = states_until_collapse(kmeans_states(X, mixture.means), 15)
    inertia = [state.inertia for state in states]
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(inertia))


@examples
@given(problems(), types)
def test_the_order_of_the_components_does_not_matter(problem, covariance_type):
    X, mixture, rng = problem
    order = rng.permutation(mixture.k)
    w, ell = e_step(X, mixture)
    w_permuted, ell_permuted = e_step(X, mixture.permuted(order))
    np.testing.assert_allclose(w_permuted, w[:, order], rtol=1e-12, atol=1e-15)
    assert ell_permuted == pytest.approx(ell, rel=1e-12)
    after = refit(X, w, covariance_type)
    if after is not None:
        assert_alike(m_step(X, w[:, order], covariance_type), after.permuted(order))


@examples
@given(problems(), types)
def test_the_order_of_the_points_does_not_matter(problem, covariance_type):
    X, mixture, rng = problem
    order = rng.permutation(len(X))
    w, ell = e_step(X, mixture)
    w_permuted, ell_permuted = e_step(X[order], mixture)
    np.testing.assert_allclose(w_permuted, w[order], rtol=1e-12, atol=1e-15)
    assert ell_permuted == pytest.approx(ell, rel=1e-12)
    after = refit(X, w, covariance_type)
    if after is not None:
        assert_alike(m_step(X[order], w[order], covariance_type), after)


def moved(mixture, A, b):
    """The mixture of A x + b when x is of `mixture`."""
    covariances = A @ mixture.covariances @ A.T
    covariances = (covariances + covariances.transpose(0, 2, 1)) / 2
    return GaussianMixture(mixture.weights, mixture.means @ A.T + b, covariances)


def random_map(rng, d, covariance_type):
    """An invertible matrix that keeps the covariance type: any, of scales, or a turned scale."""
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    scales = np.exp(rng.uniform(-2, 2, d))
    return {
        "full": turn * scales,
        "tied": turn * scales,
        "diag": np.diag(scales),
        "spherical": turn * scales[0],
    }[covariance_type]


@examples
@given(problems(), types)
def test_affine_maps_of_the_data_are_affine_maps_of_the_fit(problem, covariance_type):
    X, mixture, rng = problem
    A, b = random_map(rng, mixture.d, covariance_type), 10 * rng.standard_normal(mixture.d)
    Y, image = X @ A.T + b, moved(mixture, A, b)
    w, ell = e_step(X, mixture)
    w_image, ell_image = e_step(Y, image)
    np.testing.assert_allclose(w_image, w, atol=1e-9)
    # A density is per unit of volume, and volumes have changed by |det A|.
    change = len(X) * np.log(abs(np.linalg.det(A)))
    assert ell_image == pytest.approx(ell - change, rel=1e-9, abs=1e-7)
    after = refit(X, w, covariance_type)
    if after is not None and np.linalg.cond(after.covariances).max() < 1e8:
        assert_alike(m_step(Y, w, covariance_type), moved(after, A, b), rtol=1e-6)


@examples
@given(problems(least=30), st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_a_whole_fit_follows_shift_and_scale(problem, shift, scale):
    X, mixture, _ = problem
    options = {"tol": 0, "max_iter": 5, "covariance_type": "tied"}
    found = fit(X, mixture, **options).mixture
    image = fit(
        scale * X + scale * shift,
        moved(mixture, scale * np.eye(mixture.d), scale * shift),
        **options,
    ).mixture
    assert_alike(image, moved(found, scale * np.eye(mixture.d), scale * shift), rtol=1e-6)


@examples
@given(problems(), types)
def test_an_integer_weight_is_repetition_and_zero_is_absence(problem, covariance_type):
    X, mixture, rng = problem
    times = rng.integers(0, 4, size=len(X))
    times[0] = 1  # not zero in all
    w, ell = e_step(X, mixture, sample_weight=times)
    w_repeated, ell_repeated = e_step(np.repeat(X, times, axis=0), mixture)
    np.testing.assert_allclose(np.repeat(w, times, axis=0), w_repeated, rtol=1e-12, atol=1e-300)
    assert ell == pytest.approx(ell_repeated, rel=1e-12)
    after = refit(X, w, covariance_type, sample_weight=times)
    repeated = refit(np.repeat(X, times, axis=0), w_repeated, covariance_type)
    if after is not None and repeated is not None:
        assert_alike(after, repeated)


@examples
@given(problems(least=40), types, st.floats(0.01, 100))
def test_a_fit_knows_weights_only_by_their_ratios(problem, covariance_type, factor):
    X, mixture, rng = problem
    weight = rng.integers(0, 4, size=len(X)) + (np.arange(len(X)) == 0)
    options = {"covariance_type": covariance_type, "tol": 0, "max_iter": 4}
    try:
        one = fit(X, mixture, sample_weight=weight, **options)
        other = fit(X, mixture, sample_weight=factor * weight, **options)
        repeated = fit(np.repeat(X, weight, axis=0), mixture, **options)
    except DegenerateComponentError:
        return
    assert_alike(one.mixture, other.mixture, rtol=1e-7)
    assert_alike(one.mixture, repeated.mixture, rtol=1e-7)
    assert other.log_likelihood == pytest.approx(factor * one.log_likelihood, rel=1e-7, abs=1e-7)


@examples
@given(problems(max_k=1), types)
def test_one_component_is_the_maximum_likelihood_fit_in_one_step(problem, covariance_type):
    X, mixture, _ = problem
    covariance = np.cov(X.T, ddof=0).reshape(mixture.d, mixture.d)
    expected = {
        "full": covariance,
        "tied": covariance,
        "diag": np.diag(np.diag(covariance)),
        "spherical": np.eye(mixture.d) * np.trace(covariance) / mixture.d,
    }[covariance_type]
    states = list(islice(em_states(X, mixture, covariance_type), 3))
    once, twice = states[1].mixture, states[2].mixture
    assert_alike(once, GaussianMixture([1.0], [X.mean(axis=0)], [expected]))
    assert_alike(twice, once, rtol=1e-12)


@examples
@given(problems(), types, st.data())
def test_statistics_of_parts_add_up(problem, covariance_type, data):
    X, mixture, _ = problem
    w, _ = e_step(X, mixture)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(X) - 1), max_size=5, unique=True)))
    parts = [
        SufficientStatistics.of(x, v)
        for x, v in zip(np.split(X, cuts), np.split(w, cuts), strict=True)
    ]
    whole = refit(X, w, covariance_type)
    if whole is not None:
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        assert_alike(total.maximize(covariance_type), whole, rtol=1e-8)


@examples
@given(problems(), types, st.integers(1, 3))
def test_no_neighbor_of_the_m_step_does_better(problem, covariance_type, seed):
    """The M step maximizes the expected complete log-likelihood within its type."""
    X, mixture, rng = problem
    w, _ = e_step(X, mixture)
    best = refit(X, w, covariance_type)
    if best is None:
        return
    top = expected_complete_log_likelihood(X, best, w)
    nudged = np.exp(0.05 * rng.standard_normal(best.k)) * best.weights
    sd = np.sqrt(np.einsum("kii->ki", best.covariances))
    scale = np.exp(0.05 * rng.standard_normal())
    for other in (
        GaussianMixture(nudged / nudged.sum(), best.means, best.covariances),
        GaussianMixture(
            best.weights, best.means + 0.05 * sd * rng.standard_normal(sd.shape), best.covariances
        ),
        GaussianMixture(best.weights, best.means, scale * best.covariances),
    ):
        assert expected_complete_log_likelihood(X, other, w) <= top + 1e-10 * (1 + abs(top))


@examples
@given(problems())
def test_the_bound_touches_after_the_e_step(problem):
    X, mixture, _ = problem
    w, ell = e_step(X, mixture)
    assert abs(ell - evidence_lower_bound(X, mixture, w)) <= 1e-12 * (1 + abs(ell))
    assert np.abs(kl_to_posterior(X, mixture, w)).max() <= 1e-12


@examples
@given(problems(), st.floats(0, 1))
def test_the_bound_and_its_gap_make_the_log_likelihood(problem, softness):
    X, mixture, rng = problem
    # Between hard labels (with their zeros) and evenly random responsibilities.
    hard = np.eye(mixture.k)[rng.integers(mixture.k, size=len(X))]
    q = softness * rng.dirichlet(np.ones(mixture.k), size=len(X)) + (1 - softness) * hard
    p, ell = e_step(X, mixture)
    bound, gap = evidence_lower_bound(X, mixture, q), kl_to_posterior(X, mixture, q)
    assert np.isfinite(bound)
    assert gap.min() >= -1e-12
    assert bound <= ell + 1e-10 * (1 + abs(ell))
    assert bound + gap.sum() == pytest.approx(ell, rel=1e-12, abs=1e-12 * (1 + gap.sum()))
    clear = p.min(axis=1) > 1e-250
    np.testing.assert_allclose(kl_divergence(q, p)[clear], gap[clear], rtol=1e-9, atol=1e-12)


def along(mixture, direction, h):
    """The parameters θ + h · direction, as arrays: φ need not sum to 1 here."""
    theta = (mixture.weights, mixture.means, mixture.covariances)
    return [part + h * step for part, step in zip(theta, direction, strict=True)]


def log_joint_at(X, weights, means, covariances):
    """log φ_j N, written with inverses and determinants, for any positive φ."""
    difference = X[:, None, :] - means
    squares = np.einsum("ija,jab,ijb->ij", difference, np.linalg.inv(covariances), difference)
    log_determinant = np.linalg.slogdet(covariances)[1]
    return np.log(weights) - 0.5 * (X.shape[1] * np.log(2 * np.pi) + log_determinant + squares)


def random_direction(mixture, rng):
    """A direction of change of all parameters, in units of their own size; symmetric for Σ."""
    sd = np.sqrt(np.einsum("kii->ki", mixture.covariances))
    turn = rng.standard_normal(mixture.covariances.shape)
    smallest = np.linalg.eigvalsh(mixture.covariances)[:, 0]
    return (
        mixture.weights * rng.standard_normal(mixture.k),
        sd * rng.standard_normal(sd.shape),
        smallest[:, None, None] * (turn + turn.transpose(0, 2, 1)) / 4,
    )


def check_slope(value, gradient, mixture, direction):
    h = 1e-5
    up, down = (value(*along(mixture, direction, s * h)) for s in (1, -1))
    numeric = (up - down) / (2 * h)
    parts = [(g * step).sum() for g, step in zip(gradient, direction, strict=True)]
    size = sum(np.abs(g * step).sum() for g, step in zip(gradient, direction, strict=True))
    # Rounding of the value, and the third derivative, are all that may part them.
    assert abs(sum(parts) - numeric) <= 1e-6 * size + 1e-9 * abs(up) + 1e-6


@examples
@given(problems())
def test_the_gradient_of_the_log_likelihood_by_finite_differences(problem):
    X, mixture, rng = problem

    def ell(*theta):
        return np.logaddexp.reduce(log_joint_at(X, *theta), axis=1).sum()

    direction = random_direction(mixture, rng)
    check_slope(ell, log_likelihood_gradient(X, mixture), mixture, direction)


@examples
@given(problems())
def test_the_gradient_of_the_bound_by_finite_differences(problem):
    X, mixture, rng = problem
    w = rng.dirichlet(np.ones(mixture.k), size=len(X))

    def bound(*theta):  # without the entropy, which θ does not change
        return (w * log_joint_at(X, *theta)).sum()

    direction = random_direction(mixture, rng)
    check_slope(bound, bound_gradient(X, mixture, w), mixture, direction)
