"""EM that moves before it has seen all the data: incremental and stepwise.

Ordinary EM reads all m points to make one move. But the M step needs only sums, and sums can be
brought up to date part by part, with a move after each. For large data a pass then makes many moves
instead of one; the last digits are still the business of `fit`.

References
----------
.. [1] R. M. Neal and G. E. Hinton (1998), A view of the EM algorithm that justifies incremental,
   sparse, and other variants, in Learning in Graphical Models, 355-368.
.. [2] O. Cappé and E. Moulines (2009), On-line expectation-maximization algorithm for latent data
   models, Journal of the Royal Statistical Society B 71, 593-613.
"""

from collections.abc import Iterator
from functools import reduce
from itertools import count
from operator import add
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import as_count, as_number, as_points, as_rng, as_sample_weight
from gmm_lib.em import as_mixture, constrained, e_step
from gmm_lib.mixture import GaussianMixture
from gmm_lib.prior import CovariancePrior, as_prior
from gmm_lib.statistics import SufficientStatistics


class OnlineState(NamedTuple):
    """Where an online EM stands.

    Examples
    --------
    >>> from gmm_lib.online import stepwise_states
    >>> ten = datasets.ten_points()
    >>> states = stepwise_states(ten.X, ten.start, batch=5, rng=np.random.default_rng(0))
    >>> next(states).passes, next(states).passes
    (0.0, 0.5)
    """

    passes: float  # how often the data have been read, in parts of them
    mixture: GaussianMixture


def incremental_states(
    X: ArrayLike,
    initial: GaussianMixture,
    covariance_type: str = "full",
    *,
    blocks: int = 10,
    rng: np.random.Generator,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> Iterator[OnlineState]:
    """Yield the states of incremental EM, without end: one after each block.

    Every block keeps the statistics it had when it was last visited. A visit replaces them by those
    under the present mixture and moves to the maximum for the sum of all. This is EM with an E step
    for some of the points only: a climb on the same lower bound, which never falls [1]_.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    initial : GaussianMixture
        θ_0, once its covariances fit the covariance type: see `gmm_lib.em.constrained`.
    covariance_type : {"full", "tied", "diag", "spherical"}
    blocks : int
        How many blocks the points are dealt to; 1 is ordinary EM.
    rng : numpy.random.Generator
        Deals them.
    sample_weight : array_like, shape (m,), optional
        How often each point counts.
    prior : CovariancePrior, optional

    Yields
    ------
    OnlineState
        The start at 0 passes, then, after a first pass of ordinary EM, one state a block.

    Raises
    ------
    DegenerateComponentError
        When a component collapses.
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from itertools import islice
    >>> from gmm_lib.online import incremental_states
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> start = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
    >>> states = incremental_states(x, start, blocks=2, rng=np.random.default_rng(0))
    >>> [state.passes for state in islice(states, 4)]
    [0.0, 1.0, 1.5, 2.0]
    """
    X, weight, initial, prior = _checked(X, initial, covariance_type, sample_weight, prior)
    blocks = as_count(blocks, "blocks")
    if blocks > len(X):
        raise ValueError(
            f"blocks: expected at most one a point, got {blocks} for {len(X)} points; "
            "use fewer blocks."
        )
    order = as_rng(rng).permutation(len(X))
    parts = [(X[rows], weight[rows]) for rows in np.array_split(order, blocks)]
    return _incremental(parts, initial, covariance_type, prior)


def _incremental(parts, mixture, covariance_type, prior):
    yield OnlineState(0.0, mixture)
    kept = [statistics_of(*part, mixture) for part in parts]
    mixture = reduce(add, kept).maximize(covariance_type, prior)
    yield OnlineState(1.0, mixture)
    for visit in count():
        b = visit % len(parts)
        kept[b] = statistics_of(*parts[b], mixture)
        mixture = reduce(add, kept).maximize(covariance_type, prior)
        yield OnlineState(1 + (visit + 1) / len(parts), mixture)


def stepwise_states(
    X: ArrayLike,
    initial: GaussianMixture,
    covariance_type: str = "full",
    *,
    batch: int = 100,
    exponent: float = 0.6,
    delay: float = 2.0,
    rng: np.random.Generator,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> Iterator[OnlineState]:
    """Yield the states of stepwise (online) EM, without end: one after each batch.

    No statistics are kept but a running average, in which batch t has the weight
    γ_t = (t + delay)^(-exponent) and all before it 1 - γ_t [2]_. What is kept does not grow with
    the data; here these are an array in memory, each pass of which is cut into batches anew. The
    weights γ_t must fall, or the path never settles, but not too fast, or it stops on the way:
    1/2 < exponent <= 1.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    initial : GaussianMixture
        θ_0, made to fit the covariance type; also taken for the average before the first batch.
    covariance_type : {"full", "tied", "diag", "spherical"}
    batch : int
        Points a batch.
    exponent, delay : float
    rng : numpy.random.Generator
        Shuffles the points before each pass.
    sample_weight : array_like, shape (m,), optional
        How often each point counts.
    prior : CovariancePrior, optional
        Its strength counts in points, as in `fit`.

    Yields
    ------
    OnlineState
        The start at 0 passes, then one a batch.

    Raises
    ------
    DegenerateComponentError
        When a component collapses.
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from itertools import islice
    >>> from gmm_lib.online import stepwise_states
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> start = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
    >>> states = stepwise_states(x, start, batch=5, rng=np.random.default_rng(0))
    >>> [state.passes for state in islice(states, 4)]
    [0.0, 0.5, 1.0, 1.5]
    """
    X, weight, initial, prior = _checked(X, initial, covariance_type, sample_weight, prior)
    batch, rng = min(as_count(batch, "batch"), len(X)), as_rng(rng)
    delay = as_number(delay, "delay")
    exponent = as_number(exponent, "exponent", least=0.5, strict=True)
    if exponent > 1:
        raise ValueError(
            f"exponent: expected above 0.5 and at most 1, got {exponent:g}; larger ones stop "
            "before the maximum."
        )
    return _stepwise(X, weight, initial, covariance_type, batch, exponent, delay, rng, prior)


def _stepwise(X, weight, mixture, covariance_type, batch, exponent, delay, rng, prior):
    yield OnlineState(0.0, mixture)
    m, total, seen = len(X), weight.sum(), 0
    # As if all points had been seen, and looked just like the start.
    counts = total * mixture.weights
    average = SufficientStatistics(
        counts, mixture.means, counts[:, None, None] * mixture.covariances
    )
    while True:
        for rows in np.array_split(rng.permutation(m), -(-m // batch)):
            seen += 1
            gamma = min(1.0, (seen + delay) ** -exponent)
            news = statistics_of(X[rows], weight[rows], mixture)
            average = average.scaled(1 - gamma) + news.scaled(gamma * total / weight[rows].sum())
            mixture = average.maximize(covariance_type, prior)
            yield OnlineState(seen / -(-m // batch), mixture)


def statistics_of(
    X: ArrayLike, weight: ArrayLike, mixture: GaussianMixture
) -> SufficientStatistics:
    """Return the sufficient statistics of points under their responsibilities: an E step.

    Examples
    --------
    >>> from gmm_lib.online import statistics_of
    >>> ten = datasets.ten_points()
    >>> statistics = statistics_of(ten.X, np.ones(10), ten.start)
    >>> statistics.counts.round(4).tolist()
    [3.1553, 6.8447]
    """
    return SufficientStatistics.of(X, e_step(X, mixture)[0], sample_weight=weight)


def _checked(
    X, initial, covariance_type, sample_weight, prior
) -> tuple[np.ndarray, np.ndarray, GaussianMixture, Any]:
    """Points that are there, their weights, the start and the prior."""
    X = as_points(X, as_mixture(initial, "initial").d)
    initial = constrained(initial, covariance_type)
    weight = as_sample_weight(sample_weight, len(X))
    if weight is None:
        weight = np.ones(len(X))
    return X[weight > 0], weight[weight > 0], initial, as_prior(prior, initial.d)
