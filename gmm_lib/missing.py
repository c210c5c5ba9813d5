r"""EM for points with gaps: NaN marks a value that nobody wrote down.

Nothing about EM changes; there is only more that was not seen. Write o for the features of a point
that are observed and u for the others. The E step takes the responsibilities from the marginal
densities of what was seen, and completes each point once for every component [1]_, [2]_:

.. math::
    w_j &\propto \phi_j N(x_o; \mu_{jo}, \Sigma_{joo}), \\
    \hat x_{ju} &= \mu_{ju} + \Sigma_{juo} \Sigma_{joo}^{-1} (x_o - \mu_{jo}), \\
    C_j &= \Sigma_{juu} - \Sigma_{juo} \Sigma_{joo}^{-1} \Sigma_{jou}.

The M step is the one for complete points, of the expected sums: each gap adds w_j C_j to the
scatter, because the expected square of a value is the square of its expectation *plus its
variance*. What rises is the log-likelihood of the observed values.

All this assumes that whether a value is missing depends at most on values that were observed
("missing at random"). Of features that are never observed together the data tell no correlation:
the start decides it.

Points with gaps in the same features form a group and are treated together. The conditional comes
from a Cholesky factor as in `GaussianMixture.conditional`.

References
----------
.. [1] A. P. Dempster, N. M. Laird and D. B. Rubin (1977), Maximum likelihood from incomplete data
   via the EM algorithm, Journal of the Royal Statistical Society B 39, 1-38.
.. [2] Z. Ghahramani and M. I. Jordan (1994), Supervised learning from incomplete data via an EM
   approach, Advances in Neural Information Processing Systems 6, 120-127.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from itertools import count
from operator import add

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib import tables
from gmm_lib._validate import (
    as_choice,
    as_count,
    as_number,
    as_plain_array,
    as_points,
    as_sample_weight,
)
from gmm_lib.covariance import (
    COVARIANCE_TYPES,
    LOG_2PI,
    DegenerateComponentError,
    log_determinants,
)
from gmm_lib.em import EMState, as_mixture, constrained
from gmm_lib.engine import Centered
from gmm_lib.fitting import Fit, best_of, starts_of
from gmm_lib.mixture import GaussianMixture, normalize
from gmm_lib.prior import CovariancePrior, as_prior
from gmm_lib.statistics import moments
from gmm_lib.stream import as_source

# Iterations of EM with one Gaussian before its conditional means stand in for gaps, in a start.
FILLING = 20


def missing_states(
    X: ArrayLike,
    initial: GaussianMixture,
    covariance_type: str = "full",
    *,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> Iterator[EMState]:
    """Yield the states of EM on points with gaps, without end; you decide when to stop.

    Parameters
    ----------
    X : array_like, shape (m, d)
        NaN (or a masked entry, or NA in a table) is a missing value; each row and each column holds
        at least one that is not.
    initial : GaussianMixture
        θ_0, once its covariances fit the covariance type: see `gmm_lib.em.constrained`.
    covariance_type : {"full", "tied", "diag", "spherical"}
    sample_weight : array_like, shape (m,), optional
        How often each point counts.
    prior : CovariancePrior, optional

    Yields
    ------
    EMState
        As from `em_states`; ℓ is the log-likelihood of the observed values. Without a prior it
        never falls beyond rounding.

    Raises
    ------
    DegenerateComponentError
        At the iteration whose M step meets it.
    TypeError, ValueError
        At once, if an argument is not as described.

    Examples
    --------
    >>> from itertools import islice
    >>> X = [[1, 2], [2, 5], [3, np.nan], [4, 7], [np.nan, 4], [6, 9]]
    >>> start = GaussianMixture([1], [[3, 5]], [np.eye(2)])
    >>> [round(state.log_likelihood, 3) for state in islice(missing_states(X, start), 4)]
    [-31.689, -16.43, -15.851, -15.689]
    """
    as_mixture(initial, "initial")
    gaps = Gaps(X, covariance_type, sample_weight, prior, initial.d)
    return _missing_states(gaps, constrained(initial, covariance_type))


def _missing_states(gaps, mixture):
    # Apart, because a generator would check its arguments only when first asked.
    mixture = gaps.centered(mixture)
    for t in count():
        responsibilities, log_likelihood = gaps.posterior(mixture)
        yield EMState(t, gaps.restored(mixture), responsibilities, log_likelihood)
        try:
            mixture = gaps.m_step(gaps.e_step(mixture)[0])
        except DegenerateComponentError as error:
            raise error.at(t + 1) from None


def fit_missing(
    X: ArrayLike,
    k_or_initial: int | GaussianMixture,
    *,
    init: str | ArrayLike = "kmeans",
    covariance_type: str = "full",
    tol: float = 1e-8,
    max_iter: int = 1000,
    n_init: int = 1,
    rng: np.random.Generator | None = None,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> Fit:
    """Fit a Gaussian mixture by EM to points with gaps.

    Where nothing is missing the fit is that of `fit`, to rounding.

    Parameters
    ----------
    X : array_like, shape (m, d)
        NaN (or a masked entry, or NA in a table) is a missing value; each row and each column holds
        at least one that is not. `fit`, like the rest of the library, refuses NaN.
    k_or_initial : int or GaussianMixture
        The number of components, or the start. The starts for k are those of `fit` on points whose
        gaps are filled by the conditional mean under one Gaussian: good enough to start from.
    init, covariance_type, tol, max_iter, n_init, rng, sample_weight, prior
        As in `fit`. (`CovariancePrior.from_data` wants complete rows:
        X[~np.isnan(X).any(axis=1)].)

    Returns
    -------
    Fit
        Its log-likelihoods are those of the observed values.

    Raises
    ------
    DegenerateComponentError
        If a component collapses from every start.
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    Anderson's case (1957): some of one feature is missing. Its mean is then that of the regression
    on the other feature, at the other's mean over all points.

    >>> X = np.array([[1, 2], [2, 3], [3, 5], [4, 6], [5, np.nan], [6, np.nan]])
    >>> slope, intercept = np.polyfit(X[:4, 0], X[:4, 1], 1)
    >>> found = fit_missing(X, 1, rng=np.random.default_rng(0), tol=1e-12)
    >>> found.mixture.means.round(4)
    array([[3.5, 5.4]])
    >>> float(round(intercept + slope * X[:, 0].mean(), 4))
    5.4
    """
    tol, max_iter = as_number(tol, "tol"), as_count(max_iter, "max_iter", least=0)
    n_init = as_count(n_init, "n_init")
    gaps = Gaps(X, covariance_type, sample_weight, prior)
    given = isinstance(k_or_initial, GaussianMixture)  # then no start is looked for in the points
    source = as_source(gaps.X if given else gaps.filled(), gaps.weight, None)
    starts = starts_of(source, k_or_initial, n_init, rng, covariance_type, init, gaps.prior)
    return best_of(gaps, starts, tol, max_iter)


class Gaps(Centered):
    """The E and M step on points with gaps, with the methods of `gmm_lib.engine.Engine`.

    Parameters
    ----------
    X : array_like, shape (m, d)
    covariance_type : str
    sample_weight : array_like, shape (m,), optional
    prior : CovariancePrior, optional
    d : int, optional
        The number of features expected; any if not given.

    Attributes
    ----------
    X : ndarray, shape (m, d)
        About the center, with 0 in the gaps.
    center : ndarray, shape (d,)
        The mean in features that lie far from 0, and 0 in the others.
    seen : ndarray of bool, shape (m, d)
    groups : list of (rows, o, u)
        Indices of points with the same gaps, of their observed and of their other features.
    points : float
        Number of points, or the sum of their weights.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    """

    def __init__(self, X, covariance_type="full", sample_weight=None, prior=None, d=None):
        self.X, self.seen = _as_points_with_gaps(X, d)
        m, d = self.X.shape
        self.weight = as_sample_weight(sample_weight, m)
        self.points = float(m if self.weight is None else self.weight.sum())
        self.covariance_type = as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
        self.prior = as_prior(prior, d)
        weight = np.ones(m) if self.weight is None else self.weight
        how_often = self.seen.T @ weight
        if not how_often.all():
            raise ValueError(
                f"X: expected each feature to be observed at least once, got none in column "
                f"{int(how_often.argmin())} (of rows with weight); leave the feature out."
            )
        mean = weight @ self.X / how_often  # the gaps add nothing to either sum
        variance = weight @ (self.seen * (self.X - mean) ** 2) / how_often
        self.center = np.where(mean**2 > 100 * variance, mean, 0)
        self.X = self.seen * (self.X - self.center)
        self.mean, self.variance = mean - self.center, variance
        patterns, which = np.unique(self.seen, axis=0, return_inverse=True)
        which = which.ravel()
        self.groups = [
            (np.flatnonzero(which == p), np.flatnonzero(seen), np.flatnonzero(~seen))
            for p, seen in enumerate(patterns)
        ]

    def e_step(self, mixture):
        """Return the expected sufficient statistics, and ℓ of the observed values."""
        log_likelihood, parts = 0.0, []
        for rows, o, u in self.groups:
            log_joint, deviations, left_over = self._completed(mixture, rows, o, u)
            w, log_density = normalize(log_joint)
            if self.weight is not None:
                w *= self.weight[rows, None]
                log_density *= self.weight[rows]
            log_likelihood += float(log_density.sum())
            part = moments(deviations, w.T)
            part.scatter[:, u[:, None], u] += part.counts[:, None, None] * left_over
            parts.append(part)
        return reduce(add, parts).shifted(mixture.means), log_likelihood

    def m_step(self, statistics):
        """Return the mixture that maximizes the expected complete log-likelihood."""
        return statistics.maximize(self.covariance_type, self.prior)

    def log_likelihood(self, mixture):
        """Return ℓ of the observed values."""
        return self.posterior(mixture)[1]

    def posterior(self, mixture):
        """Return the responsibilities (m, k) given the observed values, and their ℓ."""
        log_joint = np.empty((len(self.X), mixture.k))
        for group in self.groups:
            log_joint[group[0]] = self._completed(mixture, *group)[0]
        w, log_density = normalize(log_joint)
        return w, float(log_density.sum() if self.weight is None else self.weight @ log_density)

    def filled(self):
        """Return the points with their gaps filled by the conditional mean under one Gaussian."""
        spread = np.where(self.variance > 0, self.variance, 1)
        one = GaussianMixture([1.0], self.mean[None], np.diag(spread)[None])
        with suppress(DegenerateComponentError):  # then the means so far have to do
            for _ in range(FILLING):
                one = self.m_step(self.e_step(one)[0])
        points = self.X.copy()
        for rows, o, u in self.groups:
            deviations = self._completed(one, rows, o, u)[1][0]
            points[np.ix_(rows, u)] = one.means[0, u] + deviations[u].T
        return points + self.center

    def _completed(self, mixture, rows, o, u):
        """What the E step says of one group of n points.

        Returns
        -------
        log_joint : ndarray, shape (n, k)
            log φ_j + log N(x_o; μ_jo, Σ_joo).
        deviations : ndarray, shape (k, d, n)
            x - μ_j where observed; where not, its conditional mean.
        left_over : ndarray, shape (k, len(u), len(u))
            The conditional covariance C_j of what was not observed.
        """
        n = len(o)
        factors = mixture.marginal(np.append(o, u)).cholesky
        seen, across, left = factors[:, :n, :n], factors[:, n:, :n], factors[:, n:, n:]
        deviations = np.empty((mixture.k, mixture.d, len(rows)))
        deviations[:, o] = self.X[rows[:, None], o].T - mixture.means[:, o, None]
        z = np.linalg.solve(seen, deviations[:, o])
        deviations[:, u] = across @ z
        constants = np.log(mixture.weights) - 0.5 * (n * LOG_2PI + log_determinants(seen))
        with np.errstate(over="ignore"):  # too far for a square: -inf
            log_joint = constants - 0.5 * np.einsum("kan,kan->nk", z, z)
        return log_joint, deviations, left @ left.transpose(0, 2, 1)


def _as_points_with_gaps(X, d):
    """Return points (m, d) with 0 where a value is missing, and where one is not."""
    masked = np.False_
    if tables.is_table(X):
        X = tables.as_array(X, "X")
    elif isinstance(X, np.ma.MaskedArray):
        X, masked = X.data, np.ma.getmaskarray(X)
    array = as_plain_array(X, "X")
    missing = np.zeros(array.shape, dtype=bool)
    if array.dtype.kind in "iuf":  # else the door for points says what it is
        missing = np.isnan(array) | masked
        X = np.where(missing, 0, array)
    points = as_points(X, d)
    seen = ~missing.reshape(points.shape)
    empty = ~seen.any(axis=1)
    if empty.any():
        raise ValueError(
            f"X: expected at least one value in each row, got none in {int(empty.sum())}, the "
            f"first row {int(empty.argmax())}; leave such rows out, they tell nothing: "
            "X[~np.isnan(X).all(axis=1)]."
        )
    return points, seen
