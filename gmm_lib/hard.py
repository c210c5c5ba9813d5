"""Hard labels: EM's blunt cousins, in which every point belongs to one component alone.

`hard_states` alternates labelling each point by its likeliest component with refitting each
component to its own points; `kmeans_states` is k-means, the same with equal round components.
On the book's ten points the first gets stuck, which is the reason for soft labels.

References
----------
.. [1] G. Celeux and G. Govaert (1992), A classification EM algorithm for clustering and two
   stochastic versions, Computational Statistics and Data Analysis 14, 315-332.
.. [2] C. M. Bishop (2006), Pattern Recognition and Machine Learning, sections 9.1 and 9.3.2.
"""

from collections.abc import Iterator
from itertools import count, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import (
    as_components,
    as_count,
    as_flag,
    as_plain_array,
    as_points,
    as_rng,
    as_sample_weight,
)
from gmm_lib.covariance import OWN_PRIOR, PRIOR, RESTART, DegenerateComponentError
from gmm_lib.em import as_mixture, constrained, m_step
from gmm_lib.initial import one_hot
from gmm_lib.mixture import GaussianMixture, normalize
from gmm_lib.partition import far_apart


class HardState(NamedTuple):
    """Iteration t of the hard loop: its parameters and the labels they give.

    Examples
    --------
    >>> state = next(hard_states(datasets.ten_points().X, datasets.ten_points().start))
    >>> state.labels.tolist()
    [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    """

    iteration: int  # t, from 0: the start
    mixture: GaussianMixture  # θ_t; its weights are all 1/k where they are not used
    labels: np.ndarray  # 0-based, shape (m,): the likeliest component of each point under θ_t
    log_likelihood: float  # ℓ(θ_t), that of the mixture, to compare with EM
    complete_log_likelihood: float  # Σ_i log p(x^(i), z^(i) = its label; θ_t), what the loop climbs


class KMeansState(NamedTuple):
    """Iteration t of k-means: its centers and the labels they give.

    Examples
    --------
    >>> state = next(kmeans_states([1, 2, 3, 11, 12], [[0], [10]]))
    >>> state.iteration, state.labels.tolist(), state.inertia
    (0, [0, 0, 0, 1, 1], 19.0)
    """

    iteration: int  # t, from 0: the start
    centers: np.ndarray  # shape (k, d)
    labels: np.ndarray  # 0-based, shape (m,): the nearest center of each point
    inertia: float  # the sum of the squared distances to it, which k-means lowers


class KMeansFit(NamedTuple):
    """Where `kmeans` ended.

    Examples
    --------
    >>> found = kmeans([1, 2, 3, 11, 12], [[0], [10]])
    >>> found.centers.ravel().tolist(), found.labels.tolist()
    ([2.0, 11.5], [0, 0, 0, 1, 1])
    """

    centers: np.ndarray  # shape (k, d)
    labels: np.ndarray  # 0-based, shape (m,)
    inertia: float
    converged: bool  # whether the last iteration changed nothing
    n_iter: int  # how many times the centers were moved


def hard_states(
    X: ArrayLike,
    initial: GaussianMixture,
    covariance_type: str = "full",
    *,
    ddof: int = 0,
    use_weights: bool = True,
) -> Iterator[HardState]:
    """Yield the states of the hard-label loop from `initial`, without end; you decide when to stop.

    With the defaults this is classification EM [1]_, and `complete_log_likelihood` never falls.
    Once the labels repeat, nothing changes any more.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    initial : GaussianMixture
        θ_0, once its covariances fit the covariance type: see `gmm_lib.em.constrained`.
    covariance_type : {"full", "tied", "diag", "spherical"}
    ddof : {0, 1}
        Covariances divide by m_j - ddof: 0 is maximum likelihood, 1 the unbiased estimate.
    use_weights : bool
        Whether the likeliest component takes account of φ; without, all φ_j are 1/k.

    Yields
    ------
    HardState
        For t = 0, 1, 2, …

    Raises
    ------
    DegenerateComponentError
        At the iteration that leaves a component without points or without spread.
    TypeError, ValueError
        At once, if an argument is not as described.

    Examples
    --------
    The ten points, from the source's start: x = 9 stays with the far group for ever.

    >>> from itertools import islice
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> start = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
    >>> [state.labels[4] for state in islice(hard_states(x, start), 4)]
    [np.int64(1), np.int64(1), np.int64(1), np.int64(1)]
    """
    as_mixture(initial, "initial")
    X = as_points(X, initial.d)
    initial = constrained(initial, covariance_type)
    if as_count(ddof, "ddof", least=0) > 1:
        raise ValueError(
            f"ddof: expected 0 or 1, got {ddof}; 0 divides by m_j (maximum likelihood), 1 by "
            "m_j - 1 (unbiased)."
        )
    if not as_flag(use_weights, "use_weights"):
        equal = np.full(initial.k, 1 / initial.k)
        initial = GaussianMixture(equal, initial.means, initial.covariances)
    return _hard_states(X, initial, covariance_type, ddof, use_weights)


def _hard_states(X, mixture, covariance_type, ddof, use_weights):
    # Apart from hard_states, because a generator would check its arguments only when first asked.
    for t in count():
        log_joint = mixture.component_log_density(X)
        labels = log_joint.argmax(axis=1)
        yield HardState(
            t,
            mixture,
            labels,
            float(normalize(log_joint)[1].sum()),
            float(log_joint.max(axis=1).sum()),
        )
        try:
            mixture = _refit(X, labels, mixture.k, covariance_type, ddof, use_weights)
        except DegenerateComponentError as error:
            # There is no prior here to be advised.
            possible = [r for r in error.remedies if r not in (PRIOR, OWN_PRIOR)]
            raise DegenerateComponentError(error.component, error.reason, t + 1, possible) from None


def _refit(X, labels, k, covariance_type, ddof, use_weights):
    """Fit each component to the points of its label."""
    counts = np.bincount(labels, minlength=k)
    fitted = m_step(X, one_hot(labels, k), covariance_type)
    if ddof == 0 and use_weights:
        return fitted
    # m_step divided by m_j (tied: by m, after pooling); divide by m_j - ddof (m - k ddof) instead.
    # Never by 0: a single point has no spread, and m_step has refused it.
    points, free = counts, counts - ddof
    if covariance_type == "tied":
        points, free = np.full(k, points.sum()), np.full(k, free.sum())
    weights = fitted.weights if use_weights else np.full(k, 1 / k)
    return GaussianMixture(
        weights, fitted.means, fitted.covariances * (points / free)[:, None, None]
    )


def kmeans_states(
    X: ArrayLike, centers: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> Iterator[KMeansState]:
    """Yield the states of k-means from `centers`, without end; you decide when to stop.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    centers : array_like, shape (k, d), or (k,) in one dimension
        Where the centers start.
    sample_weight : array_like, shape (m,), optional
        How often each point counts; one of weight 0 gets a label and nothing else.

    Yields
    ------
    KMeansState
        For t = 0, 1, 2, …; inertia never rises. Once the labels repeat, nothing changes.

    Raises
    ------
    DegenerateComponentError
        At the iteration that leaves a center without points.
    TypeError, ValueError
        At once, if an argument is not as described.

    Examples
    --------
    >>> from itertools import islice
    >>> states = kmeans_states([1, 4, 5, 6, 9, 19, 21], [4, 5])
    >>> [round(state.inertia, 1) for state in islice(states, 4)]
    [478.0, 162.0, 67.9, 36.0]
    """
    X = as_points(X)
    centers = as_points(centers, X.shape[1], name="centers")
    as_components(len(centers), len(X))
    weight = as_sample_weight(sample_weight, len(X))
    return _kmeans_states(X, centers, np.ones(len(X)) if weight is None else weight)


def _kmeans_states(X, centers, weight):
    # Apart from kmeans_states, because a generator would check its arguments only when first asked.
    k = len(centers)
    for t in count():
        # One center at a time: a temporary of (m, k, d) would be k times the data.
        distances = np.stack([((X - center) ** 2).sum(axis=1) for center in centers], axis=1)
        labels = distances.argmin(axis=1)
        yield KMeansState(t, centers, labels, float(weight @ distances.min(axis=1)))
        owned = one_hot(labels, k) * weight[:, None]
        counts = owned.sum(axis=0)
        if (counts == 0).any():
            raise DegenerateComponentError(
                int(counts.argmin()),
                "no point is nearest to its center",
                t + 1,
                [RESTART, "fewer centers"],
            )
        centers = (owned.T @ X) / counts[:, None]
        centers += (owned.T @ (X - centers[labels])) / counts[:, None]  # as in m_step


def kmeans(
    X: ArrayLike,
    k_or_centers: int | ArrayLike,
    *,
    n_init: int = 1,
    rng: np.random.Generator | None = None,
    max_iter: int = 1000,
    sample_weight: ArrayLike | None = None,
) -> KMeansFit:
    """Run k-means until the labels no longer change, and keep the best of several starts.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    k_or_centers : int or array_like, shape (k, d)
        The number of centers, to start from `n_init` k-means++ starts (distances as the data come,
        without rescaling); or the centers to start from.
    n_init : int
        Number of starts; with centers given there is only one.
    rng : numpy.random.Generator
        Needed when k is given.
    max_iter : int
        How often the centers move at most.
    sample_weight : array_like, shape (m,), optional
        How often each point counts.

    Returns
    -------
    KMeansFit

    Raises
    ------
    DegenerateComponentError
        If a center is left without points from every start.
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> found = kmeans(x, 2, rng=np.random.default_rng(0))
    >>> np.sort(found.centers[:, 0]), round(found.inertia, 1)
    (array([ 5. , 23.8]), 96.8)
    """
    X = as_points(X)
    weight = as_sample_weight(sample_weight, len(X))
    max_iter, n_init = as_count(max_iter, "max_iter"), as_count(n_init, "n_init")
    best, failures = None, []
    for centers in _center_starts(X, k_or_centers, n_init, rng, weight):
        try:
            found = _settle(X, centers, max_iter, weight)
        except DegenerateComponentError as error:
            failures.append(error)
            continue
        if best is None or found.inertia < best.inertia:
            best = found
    if best is None:
        raise failures[-1]
    return best


def _center_starts(X, k_or_centers, n_init, rng, weight):
    """The centers to start from, made one set at a time as they are asked for."""
    if as_plain_array(k_or_centers, "k_or_centers").ndim > 0:
        if n_init != 1:
            raise ValueError(
                f"n_init: expected 1 with given centers, got {n_init}; every run from one start "
                "ends alike, so pass k instead to try several."
            )
        return iter([k_or_centers])
    k, rng = as_components(k_or_centers, len(X)), as_rng(rng)
    return (X[far_apart(X, k, rng, weight)] for _ in range(n_init))


def _settle(X, centers, max_iter, weight):
    for before, after in pairwise(kmeans_states(X, centers, sample_weight=weight)):
        converged = np.array_equal(before.labels, after.labels)
        if converged or after.iteration == max_iter:
            return KMeansFit(after.centers, after.labels, after.inertia, converged, after.iteration)
