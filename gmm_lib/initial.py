"""Starting points for EM: each function returns a `GaussianMixture` to begin from.

EM climbs to the nearest maximum, so the start decides which one. `kmeans_start` cuts the data into
k groups and fits each: it sees groups that only many features together tell apart. Starts that pick
points all share one covariance: that of the data, shrunk so that k ellipses together fill the
volume of one.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import (
    as_choice,
    as_components,
    as_count,
    as_plain_array,
    as_points,
    as_rng,
    as_sample_weight,
)
from gmm_lib.covariance import COVARIANCE_TYPES, DegenerateComponentError
from gmm_lib.em import m_step
from gmm_lib.mixture import GaussianMixture
from gmm_lib.partition import far_apart, partition, standardized, too_few_different
from gmm_lib.prior import CovariancePrior, as_prior
from gmm_lib.rows import present
from gmm_lib.statistics import SufficientStatistics, moments

# The starts that `fit` knows by name, which are those of scikit-learn's init_params.
STARTS = ("kmeans", "k-means++", "random_from_data", "random")


def starts(
    X, k, init="kmeans", *, rng, covariance_type="full", sample_weight=None, prior=None
) -> Iterator[GaussianMixture]:
    """Yield starts of a kind, each drawn anew, without end.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    k : int
    init : {"kmeans", "k-means++", "random_from_data", "random"}
        "kmeans": the first is `kmeans_start`. As runs of k-means tend to end alike, the later ones
        are by turns the groups that a single round makes of new centers, and `kmeans_plus_plus`.
        "k-means++": `kmeans_plus_plus`, means on points far apart.
        "random_from_data": `random_start`, means on any points.
        "random": the M step of `random_responsibilities`, all means near the middle.
    rng : numpy.random.Generator
    covariance_type, sample_weight, prior
        As in `kmeans_start`.

    Yields
    ------
    GaussianMixture

    Raises
    ------
    DegenerateComponentError
        If the data have no spread and there is no prior.
    TypeError, ValueError
        If an argument is not as described, or there are fewer than k different points.

    Examples
    --------
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> several = starts(x, 2, "k-means++", rng=np.random.default_rng(0))
    >>> [next(several).means[:, 0].tolist() for _ in range(2)]
    [[21.0, 1.0], [1.0, 6.0]]
    """
    X, k, rng, weight, prior = _checked(X, k, rng, covariance_type, sample_weight, prior)
    as_choice(init, "init", STARTS)
    options = {"covariance_type": covariance_type, "sample_weight": weight, "prior": prior}
    return _starts(X, k, init, rng, options)


def _starts(X, k, init, rng, options):
    # Apart from starts, because a generator would check its arguments only when first asked.
    if init == "kmeans":
        yield kmeans_start(X, k, rng=rng, **options)
    while True:
        if init == "kmeans":
            yield _of_groups(X, k, rng, **options, settled=False)
            yield kmeans_plus_plus(X, k, rng=rng, **options)
        elif init == "k-means++":
            yield kmeans_plus_plus(X, k, rng=rng, **options)
        elif init == "random_from_data":
            yield random_start(X, k, rng=rng, **options)
        else:
            yield m_step(X, random_responsibilities(len(X), k, rng), **options)


def kmeans_start(
    X: ArrayLike,
    k: int,
    *,
    rng: np.random.Generator,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> GaussianMixture:
    """Return the fits of the k groups that k-means finds: the start that `fit` takes by itself.

    Runs of k-means from k-means++ centers [1]_ compete on a sample of the points. In the partition
    of least inertia, groups are then cut in two and others made one as long as that lowers the
    inertia. Distances are taken after dividing each feature by its standard deviation, so that the
    choice of units does not matter. The share, the mean and the covariance of a group make a
    component; to each covariance d + 1 points are added that are spread as groups are on average,
    so that a small group has one, too.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    k : int
    rng : numpy.random.Generator
    covariance_type : {"full", "tied", "diag", "spherical"}
        The constraint on the covariances.
    sample_weight : array_like, shape (m,), optional
        How often each point counts; one of weight 0 is left out.
    prior : CovariancePrior, optional
        The one that EM will be run with. Data without spread have a start only with a prior.

    Returns
    -------
    GaussianMixture

    Raises
    ------
    DegenerateComponentError
        If the data have no spread, or a feature has none, and there is no prior.
    TypeError, ValueError
        If an argument is not as described, or there are fewer than k different points.

    Notes
    -----
    Where every group is a single place, the components have the covariance of all data, shrunk, as
    those of `kmeans_plus_plus` do. That is a start itself, should k-means lose a center.

    `python -m benchmarks starts` measures on 14 data sets how high EM gets from here. The worst is
    that of 1,797 handwritten digits in 64 features, with k = 10 and a prior: the fit ends 1.5 nats
    a point below the best known (from points far apart 5.5). Of groups that are plain to see some
    are missed where sizes are most unequal: of 10,000 points in four features nine tenths make one
    group, and k-means would rather cut that in two than keep the three small ones apart; 0.027 nats
    a point are lost. With n_init, `fit` tries other starts.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii (2007), k-means++: the advantages of careful seeding,
       Proceedings of the 18th ACM-SIAM Symposium on Discrete Algorithms, 1027-1035.

    Examples
    --------
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> kmeans_start(x, 2, rng=np.random.default_rng(0)).means[:, 0]
    array([23.8,  5. ])
    """
    X, k, rng, weight, prior = _checked(X, k, rng, covariance_type, sample_weight, prior)
    return _of_groups(X, k, rng, covariance_type, weight, prior)


def _of_groups(X, k, rng, covariance_type, sample_weight, prior, settled=True):
    """The start that a partition makes; input is trusted."""
    X, weight = present(X, sample_weight)
    labels = partition(X, k, rng, weight, settled=settled)
    if not np.bincount(labels, minlength=k).all():  # a center is nearest to no point
        return kmeans_plus_plus(
            X, k, rng=rng, covariance_type=covariance_type, sample_weight=weight, prior=prior
        )
    groups = _groups(X, labels, k, weight)
    try:
        return _helped(groups, len(X), prior, covariance_type).maximize(covariance_type)
    except DegenerateComponentError:
        return _equal_start(X, groups.means, covariance_type, weight, prior)


def _groups(X, labels, k, weight):
    """The statistics of groups of points, none of them empty: those of hard responsibilities."""
    d = X.shape[1]
    groups = SufficientStatistics(np.empty(k), np.empty((k, d)), np.empty((k, d, d)))
    for j in range(k):
        own = np.flatnonzero(labels == j)
        part = moments(X[own].T[None].copy(), None if weight is None else weight[None, own])
        for name, kept in vars(groups).items():
            kept[j] = getattr(part, name)[0]
    return groups


def _helped(groups, points, prior, covariance_type):
    """The statistics of groups, with d + 1 points more of the average spread in each covariance.

    Raises
    ------
    DegenerateComponentError
        If the average has no spread either.
    """
    d = groups.means.shape[1]
    total = groups.counts.sum()
    average = SufficientStatistics(
        np.array([total]),
        (groups.counts @ groups.means)[None] / total,
        groups.scatter.sum(axis=0)[None],
    ).maximize(covariance_type, prior)
    more = (d + 1) * total / points  # sample weights may be in any unit
    share = groups.counts / (groups.counts + more)
    scatter = share[:, None, None] * (groups.scatter + more * average.covariances)
    return SufficientStatistics(groups.counts, groups.means, scatter)


def random_start(
    X: ArrayLike,
    k: int,
    *,
    rng: np.random.Generator,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> GaussianMixture:
    """Return a start with its means on k different points, drawn with equal chances.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    k : int
    rng : numpy.random.Generator
    covariance_type : {"full", "tied", "diag", "spherical"}
        The constraint on the covariance that all components share at the start.
    sample_weight : array_like, shape (m,), optional
        How often each point counts: the chances are in proportion.
    prior : CovariancePrior, optional
        The one that EM will be run with. Data without spread have a start only with a prior.

    Returns
    -------
    GaussianMixture
        With weights 1/k.

    Raises
    ------
    DegenerateComponentError
        If the data have no spread and there is no prior.
    TypeError, ValueError
        If an argument is not as described, or there are fewer than k different points.

    Examples
    --------
    >>> start = random_start([1, 4, 5, 6, 9], 2, rng=np.random.default_rng(0))
    >>> start.weights, start.covariances[:, 0, 0]
    (array([0.5, 0.5]), array([1.7, 1.7]))
    """
    X, k, rng, weight, prior = _checked(X, k, rng, covariance_type, sample_weight, prior)
    if weight is None:
        order = rng.permutation(len(X))
    else:  # the first of several exponential waiting times is each in proportion to its rate
        present = np.flatnonzero(weight)
        order = present[np.argsort(rng.exponential(size=len(present)) / weight[present])]
    # Two means on equal points would stay together for ever, so equal points count once.
    first = np.sort(np.unique(X[order], axis=0, return_index=True)[1])
    if len(first) < k:
        raise too_few_different(k, len(first))
    return _equal_start(X, X[order[first[:k]]], covariance_type, weight, prior)


def kmeans_plus_plus(
    X: ArrayLike,
    k: int,
    *,
    rng: np.random.Generator,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> GaussianMixture:
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
    prior : CovariancePrior, optional
        The one that EM will be run with. Data without spread have a start only with a prior.

    Returns
    -------
    GaussianMixture
        With weights 1/k.

    Raises
    ------
    DegenerateComponentError
        If the data have no spread and there is no prior.
    TypeError, ValueError
        If an argument is not as described, or there are fewer than k different points.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii (2007), k-means++: the advantages of careful seeding,
       Proceedings of the 18th ACM-SIAM Symposium on Discrete Algorithms, 1027-1035.

    Examples
    --------
    >>> start = kmeans_plus_plus([1, 2, 3, 101, 102], 2, rng=np.random.default_rng(0))
    >>> start.means[:, 0]
    array([101.,   1.])
    """
    X, k, rng, weight, prior = _checked(X, k, rng, covariance_type, sample_weight, prior)
    rows = far_apart(standardized(X, weight), k, rng, weight)
    return _equal_start(X, X[rows], covariance_type, weight, prior)


def from_responsibilities(
    X: ArrayLike,
    responsibilities: ArrayLike,
    covariance_type: str = "full",
    *,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> GaussianMixture:
    """Return the mixture that an M step makes of given responsibilities.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    responsibilities : array_like, shape (m, k)
        Rows sum to 1.
    covariance_type : {"full", "tied", "diag", "spherical"}
    sample_weight : array_like, shape (m,), optional
        How often each point counts.
    prior : CovariancePrior, optional
        As in `m_step`.

    Returns
    -------
    GaussianMixture

    Raises
    ------
    DegenerateComponentError
        If a component owns no point or has no spread.
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from_responsibilities([1, 2, 3, 4], [[1, 0], [0.5, 0.5], [0.5, 0.5], [0, 1]]).means[:, 0]
    array([1.75, 3.25])
    """
    return m_step(X, responsibilities, covariance_type, sample_weight=sample_weight, prior=prior)


def from_labels(
    X: ArrayLike,
    labels: ArrayLike,
    covariance_type: str = "full",
    *,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> GaussianMixture:
    """Return the maximum-likelihood mixture of labelled points: each group's own fit.

    φ_j is the share of label j, μ_j and Σ_j are the mean and the covariance (1/m_j) of its points.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    labels : array_like of int, shape (m,)
        From 0 to k - 1, each at least once.
    covariance_type : {"full", "tied", "diag", "spherical"}
    sample_weight : array_like, shape (m,), optional
        How often each point counts.
    prior : CovariancePrior, optional
        As in `m_step`.

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
    hard = one_hot(labels, labels.max() + 1)
    return m_step(X, hard, covariance_type, sample_weight=sample_weight, prior=prior)


def random_responsibilities(m: int, k: int, rng: np.random.Generator) -> np.ndarray:
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

    Examples
    --------
    >>> w = random_responsibilities(4, 3, np.random.default_rng(0))
    >>> w.shape, w.sum(axis=1).round(12).tolist()
    ((4, 3), [1.0, 1.0, 1.0, 1.0])
    """
    m = as_count(m, "m")
    return as_rng(rng).dirichlet(np.ones(as_components(k, m)), size=m)


def as_labels(labels, m) -> np.ndarray:
    """Return labels as an int array of shape (m,), each 0 or more.

    Raises
    ------
    TypeError, ValueError
        If they are anything else.
    """
    array = as_plain_array(labels, "labels")
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


def one_hot(labels, k) -> np.ndarray:
    """Return hard responsibilities (m, k): 1 in the column of each point's label, else 0."""
    return (labels[:, None] == np.arange(k)).astype(float)


def _checked(
    X, k, rng, covariance_type, sample_weight, prior
) -> tuple[np.ndarray, int, np.random.Generator, np.ndarray | None, Any]:
    """The arguments that starts have in common."""
    X = as_points(X)
    k, rng = as_components(k, len(X)), as_rng(rng)
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    return X, k, rng, as_sample_weight(sample_weight, len(X)), as_prior(prior, X.shape[1])


def _equal_start(X, means, covariance_type, weight=None, prior=None):
    """Components of equal weight and covariance at `means`."""
    k, d = means.shape
    whole = _as_one(X, covariance_type, weight, prior)
    covariance, cholesky = whole.covariances / k ** (2 / d), whole.cholesky / k ** (1 / d)
    return GaussianMixture._trusted(
        np.full(k, 1 / k),
        means.copy(),
        np.repeat(covariance, k, axis=0),
        np.repeat(cholesky, k, axis=0),
    )


def _as_one(X, covariance_type, weight, prior):
    """All data as one component; with a diagonal covariance where that is singular.

    Features that determine one another have a singular covariance, but a start needs only a rough
    size: whether EM can go on from there is for its M step (and the prior) to say.
    """
    everything = np.ones((len(X), 1))
    try:
        return m_step(X, everything, covariance_type, sample_weight=weight)
    except DegenerateComponentError:
        possible = "diag" if prior is None else covariance_type
        return m_step(X, everything, possible, sample_weight=weight, prior=prior)
