"""Starting points for EM: each function returns a `GaussianMixture` to begin from.

EM climbs to the nearest maximum, so the start decides which one. Starts that pick points all share
one covariance: that of the data, shrunk so that k ellipses together fill the volume of one.
"""

import numpy as np

from gmm_lib._validate import (
    as_choice,
    as_components,
    as_count,
    as_points,
    as_rng,
    as_sample_weight,
)
from gmm_lib.covariance import COVARIANCE_TYPES, DegenerateComponentError
from gmm_lib.em import m_step
from gmm_lib.mixture import GaussianMixture


def random_start(X, k, *, rng, covariance_type="full"):
    """Return a start with its means on k different points, drawn with equal chances.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    k : int
    rng : numpy.random.Generator
    covariance_type : {"full", "tied", "diag", "spherical"}
        The constraint on the covariance that all components share at the start.

    Returns
    -------
    GaussianMixture
        With weights 1/k.

    Raises
    ------
    DegenerateComponentError
        If the data have no spread.
    TypeError, ValueError
        If an argument is not as described, or there are fewer than k different points.
    """
    X = as_points(X)
    k, rng = as_components(k, len(X)), as_rng(rng)
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    order = rng.permutation(len(X))
    # Two means on equal points would stay together for ever, so equal points count once.
    first = np.sort(np.unique(X[order], axis=0, return_index=True)[1])
    if len(first) < k:
        raise _too_few_different(k, len(first))
    return _equal_start(X, X[order[first[:k]]], covariance_type)


def kmeans_plus_plus(X, k, *, rng, covariance_type="full", sample_weight=None):
    """Return a start with its means on k points far apart, drawn as k-means++ does [1]_.

    The first mean is any point; each next one is a point drawn with probability proportional to
    its squared distance from the *nearest* mean so far. Distances are taken after dividing each
    feature by its standard deviation, so that the choice of units does not matter.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    k : int
    rng : numpy.random.Generator
    covariance_type : {"full", "tied", "diag", "spherical"}
        The constraint on the covariance that all components share at the start.
    sample_weight : array_like, shape (m,), optional
        How often each point counts; one of weight 0 is never drawn.

    Returns
    -------
    GaussianMixture
        With weights 1/k.

    Raises
    ------
    DegenerateComponentError
        If the data have no spread.
    TypeError, ValueError
        If an argument is not as described, or there are fewer than k different points.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii (2007), k-means++: the advantages of careful seeding,
       Proceedings of the 18th ACM-SIAM Symposium on Discrete Algorithms, 1027-1035.
    """
    X = as_points(X)
    k, rng = as_components(k, len(X)), as_rng(rng)
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    weight = as_sample_weight(sample_weight, len(X))
    spread = X.std(axis=0)
    rows = far_apart(X / np.where(spread > 0, spread, 1), k, rng, weight)
    return _equal_start(X, X[rows], covariance_type, weight)


def far_apart(X, k, rng, weight=None):
    """Return the indices (k,) of points drawn by k-means++; input is trusted.

    Raises
    ------
    ValueError
        If there are fewer than k different points to draw.
    """
    weight = np.ones(len(X)) if weight is None else weight
    chosen = []
    nearest = np.ones(len(X))  # squared distance to the nearest chosen point; no matter at first
    for _ in range(k):
        chance = weight * nearest
        if chance.sum() == 0:
            raise _too_few_different(k, len(chosen))
        chosen.append(int(rng.choice(len(X), p=chance / chance.sum())))
        distance = ((X - X[chosen[-1]]) ** 2).sum(axis=1)
        nearest = distance if len(chosen) == 1 else np.minimum(nearest, distance)
    return np.array(chosen)


def from_responsibilities(X, responsibilities, covariance_type="full"):
    """Return the mixture that an M step makes of given responsibilities.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    responsibilities : array_like, shape (m, k)
        Rows sum to 1.
    covariance_type : {"full", "tied", "diag", "spherical"}

    Returns
    -------
    GaussianMixture

    Raises
    ------
    DegenerateComponentError
        If a component owns no point or has no spread.
    TypeError, ValueError
        If an argument is not as described.
    """
    return m_step(X, responsibilities, covariance_type)


def from_labels(X, labels, covariance_type="full"):
    """Return the maximum-likelihood mixture of labelled points: each group's own fit.

    φ_j is the share of label j, μ_j and Σ_j are the mean and the covariance (1/m_j) of its points.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    labels : array_like of int, shape (m,)
        From 0 to k - 1, each at least once.
    covariance_type : {"full", "tied", "diag", "spherical"}

    Returns
    -------
    GaussianMixture

    Raises
    ------
    DegenerateComponentError
        If a label between has no points, or a group has no spread.
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from_labels([1, 4, 5, 6, 9, 19, 21, 24, 26, 29], [0] * 5 + [1] * 5)
    GaussianMixture(weights=[0.5, 0.5], means=[ 5. , 23.8], covariances=[ 6.8 , 12.56])
    """
    X = as_points(X)
    labels = as_labels(labels, len(X))
    return m_step(X, one_hot(labels, labels.max() + 1), covariance_type)


def random_responsibilities(m, k, rng):
    """Return random responsibilities (m, k), each row drawn evenly from all that sum to 1.

    As a start they put every component near the middle of the data, all much alike: an instructive
    start rather than a good one.

    Parameters
    ----------
    m, k : int
    rng : numpy.random.Generator

    Raises
    ------
    TypeError, ValueError
        If m and k are not whole numbers with 1 <= k <= m, or rng is not a Generator.
    """
    m = as_count(m, "m")
    return as_rng(rng).dirichlet(np.ones(as_components(k, m)), size=m)


def as_labels(labels, m):
    """Return labels as an int array of shape (m,), each 0 or more.

    Raises
    ------
    TypeError, ValueError
        If they are anything else.
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"labels: expected whole numbers, got dtype {array.dtype}; for named groups use the "
            "inverse that np.unique(labels, return_inverse=True) returns."
        )
    if array.shape != (m,):
        raise ValueError(
            f"labels: expected shape ({m},), one label a point, got {array.shape}; "
            "pass as many labels as there are points."
        )
    if array.min() < 0:
        raise ValueError(
            f"labels: expected labels from 0, got {array.min()}; number the groups 0, 1, 2 and on."
        )
    if array.max() >= m:
        raise ValueError(
            f"labels: expected labels below the number of points, {m}, got {array.max()}; "
            "number the groups 0, 1, 2, … without gaps."
        )
    return array


def one_hot(labels, k):
    """Return hard responsibilities (m, k): 1 in the column of each point's label, else 0."""
    return (labels[:, None] == np.arange(k)).astype(float)


def _equal_start(X, means, covariance_type, weight=None):
    """Components of equal weight and covariance at `means`."""
    k, d = means.shape
    covariance = _overall_covariance(X, covariance_type, weight) / k ** (2 / d)
    return GaussianMixture(np.full(k, 1 / k), means, np.repeat(covariance, k, axis=0))


def _overall_covariance(X, covariance_type, weight):
    """The covariance (1, d, d) of all data as one component; its diagonal where it is singular.

    Features that determine one another have a singular covariance, but a start needs only a rough
    size: whether EM can go on from there is for its M step (and the prior) to say.
    """
    everything = np.ones((len(X), 1))
    try:
        return m_step(X, everything, covariance_type, sample_weight=weight).covariances
    except DegenerateComponentError:
        return m_step(X, everything, "diag", sample_weight=weight).covariances


def _too_few_different(k, different):
    return ValueError(
        f"k: expected at most as many components as different points, got k = {k} for {different} "
        f"different point{'s'[: different != 1]}; use a smaller k."
    )
