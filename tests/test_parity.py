"""The browser's EM (em.js) gives what gmm_lib gives: 200 random cases, to 1e-10."""

from itertools import islice

import numpy as np
import pytest
from explorer_page import module_page

from gmm_lib import (
    COVARIANCE_TYPES,
    CovariancePrior,
    DegenerateComponentError,
    GaussianMixture,
    e_step,
    em_states,
    m_step,
)
from gmm_lib.em import constrained

TOLERANCE = 1e-10
CASES = 200

RUN = """
({ points, start, type, steps, prior }) => {
  const data = flatten(points);
  const mixture = makeMixture(start.weights, start.means, start.covariances);
  const path = new Trajectory(data, mixture, type, prior);
  const out = [];
  for (let t = 0; t <= steps; t += 1) {
    const state = path.at(t);
    if (!state) return { states: out, failure: path.failure };
    const w = Array.from(path.responsibilities(t));
    out.push({ ...nested(state.mixture), responsibilities: w, logLikelihood: state.logLikelihood });
  }
  return { states: out, failure: null };
}
"""


@pytest.fixture(scope="module")
def em_page(chromium):
    """A page in which em.js is loaded, its functions in reach."""
    with module_page(chromium, "em.js") as page:
        yield page


def random_case(seed):
    """Return (X, start, covariance type) of a random problem in one or two dimensions."""
    rng = np.random.default_rng(seed)
    d = 1 + seed % 2
    covariance_type = COVARIANCE_TYPES[seed // 2 % 4]
    k = int(rng.integers(1, 7))
    m = int(rng.integers(20 * k, 40 * k + 40))
    # scales and offsets a reader may type, and correlations close to 1
    # (offsets in units of the scale: beyond about 1e4, x - μ itself has no ten digits left)
    scale, offset = 10.0 ** rng.uniform(-3, 3), 10.0 ** rng.uniform(-3, 3)
    spread = rng.uniform(0.5, 5)
    truth = np.array([rng.standard_normal(d) * spread for _ in range(k)])
    X = truth[rng.integers(0, k, m)] + rng.standard_normal((m, d)) @ random_root(rng, d).T
    X = scale * (offset + X)
    start = GaussianMixture(
        rng.dirichlet(np.full(k, 3.0)),
        X[rng.choice(m, k, replace=False)],
        [scale**2 * spd(rng, d) for _ in range(k)],
    )
    return X, start, covariance_type


def random_root(rng, d):
    """Return a well-conditioned square matrix."""
    return np.eye(d) + 0.5 * rng.standard_normal((d, d)) / d


def spd(rng, d):
    """Return a symmetric positive definite matrix."""
    root = random_root(rng, d)
    return root @ root.T + 0.1 * np.eye(d)


def browser_states(page, X, start, covariance_type, steps, prior=None):
    """Return the browser's states as lists of dicts of arrays, and its failure or None."""
    answer = page.evaluate(
        RUN,
        {
            "points": np.asarray(X).tolist(),
            "start": {
                "weights": start.weights.tolist(),
                "means": start.means.tolist(),
                "covariances": start.covariances.tolist(),
            },
            "type": covariance_type,
            "steps": steps,
            "prior": prior
            and {"strength": prior.strength, "covariance": np.ravel(prior.covariance).tolist()},
        },
    )
    return answer["states"], answer["failure"]


def relative(a, b, scale):
    """Return the largest |a - b| in units of `scale`."""
    return float(np.max(np.abs(np.asarray(a) - np.asarray(b)) / scale))


def worst_difference(theirs, X, state):
    """Return the largest relative difference between a browser's state and gmm_lib's.

    Means and covariances are measured in units of the data's spread and responsibilities as they
    are, parts of 1: zero means and zero correlations have no relative error of their own.
    """
    sd = X.std(axis=0)
    return max(
        relative(theirs["weights"], state.mixture.weights, state.mixture.weights),
        relative(theirs["means"], state.mixture.means, np.maximum(np.abs(state.mixture.means), sd)),
        relative(
            theirs["covariances"],
            state.mixture.covariances,
            np.sqrt(
                np.einsum("kii,kjj->kij", state.mixture.covariances, state.mixture.covariances)
            ),
        ),
        relative(np.reshape(theirs["responsibilities"], (len(X), -1)), state.responsibilities, 1.0),
        relative(theirs["logLikelihood"], state.log_likelihood, abs(state.log_likelihood)),
    )


def test_one_step_agrees_on_random_cases(em_page):
    """From the same start, E step, M step and the next E step agree in every case."""
    worst = 0.0
    kinds = set()
    for seed in range(CASES):
        X, start, covariance_type = random_case(seed)
        states, failure = browser_states(em_page, X, start, covariance_type, steps=1)
        assert failure is None, f"case {seed}: {failure}"
        for theirs, ours in zip(states, em_states(X, start, covariance_type), strict=False):
            difference = worst_difference(theirs, X, ours)
            assert difference <= TOLERANCE, f"case {seed}, iteration {ours.iteration}"
            worst = max(worst, difference)
        kinds.add((X.shape[1], covariance_type))
    assert len(kinds) == 8
    print(f"largest relative difference in {CASES} cases: {worst:.1e}")


def test_the_browser_knows_a_heap_of_equal_values_for_one_place(em_page):
    """A mean made of one sum alone would be off, and leave a variance of some 1e-28."""
    X = np.full((3000, 1), 7.7)
    start = GaussianMixture([1.0], [5.0], [1.0])
    states, failure = browser_states(em_page, X, start, "full", 2)
    assert len(states) == 1
    assert (failure["iteration"], failure["component"]) == (1, 0)


def test_tiny_responsibilities_agree_relatively(em_page):
    """Even a responsibility of 1e-200 keeps its digits."""
    for seed in range(20):
        X, start, covariance_type = random_case(seed)
        states, _ = browser_states(em_page, X, start, covariance_type, steps=0)
        w, _ = e_step(X, constrained(start, covariance_type))
        theirs = np.reshape(states[0]["responsibilities"], w.shape)
        normal = w > 1e-300
        assert np.max(np.abs(theirs[normal] / w[normal] - 1)) <= TOLERANCE


def test_twenty_iterations_agree_where_em_is_stable(em_page):
    """Differences do not pile up on the book's own data."""
    from gmm_lib import datasets

    for name in ("ten-points", "thousand-points", "old-faithful", "overlapping"):
        data = datasets.load(name)
        for covariance_type in COVARIANCE_TYPES:
            states, failure = browser_states(em_page, data.X, data.start, covariance_type, 20)
            assert failure is None
            for theirs, ours in zip(
                states, em_states(data.X, data.start, covariance_type), strict=False
            ):
                assert worst_difference(theirs, data.X, ours) <= TOLERANCE


def test_a_prior_agrees(em_page):
    for seed in range(8):
        X, start, covariance_type = random_case(seed)
        prior = CovariancePrior(2.0, np.cov(X.T).reshape(X.shape[1], X.shape[1]))
        states, _ = browser_states(em_page, X, start, covariance_type, 1, prior)
        w, _ = e_step(X, constrained(start, covariance_type))
        ours = m_step(X, w, covariance_type, prior=prior)
        sd = X.std(axis=0)
        assert relative(states[1]["covariances"], ours.covariances, np.outer(sd, sd)) <= TOLERANCE


DEGENERATE = {
    "a component on one point": ([[0], [0], [5], [6], [7]], [0, 6], [1e-3, 1], "point", 0),
    "a component nobody needs": ([[0], [1], [2]], [1, 1e9], [1, 1], "empty", 1),
    "points on a line": (
        [[0, 0], [1, 1], [2, 2], [3, 3]],
        [[0, 0], [3, 3]],
        [np.eye(2).tolist()] * 2,
        "flat",
        0,
    ),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_degeneration_is_found_at_the_same_iteration(em_page, case):
    X, means, covariances, reason, component = DEGENERATE[case]
    X = np.array(X, dtype=float)
    start = GaussianMixture([0.5, 0.5], means, covariances)
    states, failure = browser_states(em_page, X, start, "full", 100)
    with pytest.raises(DegenerateComponentError) as caught:
        list(islice(em_states(X, start), 100))
    assert failure == {
        "iteration": caught.value.iteration,
        "component": caught.value.component,
        "reason": reason,
    }
    assert failure["component"] == component
    assert len(states) == failure["iteration"]


def test_a_step_takes_far_less_than_a_frame(em_page):
    """E and M for 1000 points, k = 5, d = 2: the median of 100 iterations is under 16 ms."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((1000, 2)) * [1, 3]
    start = GaussianMixture(np.full(5, 0.2), X[:5], [np.eye(2)] * 5)
    milliseconds = em_page.evaluate(
        """({ points, weights, means, covariances }) => {
          const data = flatten(points);
          const path = new Trajectory(data, makeMixture(weights, means, covariances));
          const times = [];
          for (let t = 1; t <= 100; t += 1) {
            const began = performance.now();
            path.at(t);
            times.push(performance.now() - began);
          }
          return times.sort((a, b) => a - b)[50];
        }""",
        {
            "points": X.tolist(),
            "weights": start.weights.tolist(),
            "means": start.means.tolist(),
            "covariances": start.covariances.tolist(),
        },
    )
    print(f"one iteration, 1000 points, k = 5, d = 2: {milliseconds:.2f} ms")
    assert milliseconds < 16


def test_nested_is_the_inverse_of_make_mixture(em_page):
    theirs = em_page.evaluate(
        "() => nested(makeMixture([0.25, 0.75], [[1, 2], [3, 4]], "
        "[[[2, 1], [1, 3]], [[5, 0], [0, 6]]]))"
    )
    assert theirs == {
        "weights": [0.25, 0.75],
        "means": [[1, 2], [3, 4]],
        "covariances": [[[2, 1], [1, 3]], [[5, 0], [0, 6]]],
    }


def test_constrained_averages_like_an_m_step(em_page):
    call = (
        "(type) => nested(constrained(makeMixture([0.25, 0.75], [[1, 2], [3, 4]], "
        "[[[2, 1], [1, 3]], [[5, 0], [0, 6]]]), type)).covariances"
    )
    assert em_page.evaluate(call, "full") == [[[2, 1], [1, 3]], [[5, 0], [0, 6]]]
    assert em_page.evaluate(call, "tied") == [[[4.25, 0.25], [0.25, 5.25]]] * 2
    assert em_page.evaluate(call, "diag") == [[[2, 0], [0, 3]], [[5, 0], [0, 6]]]
    assert em_page.evaluate(call, "spherical") == [[[2.5, 0], [0, 2.5]], [[5.5, 0], [0, 5.5]]]
