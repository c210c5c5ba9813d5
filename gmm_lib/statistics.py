"""Sufficient statistics: all that the M step needs to know of points, as sums that add up.

Sums of parts add up to those of the whole, so blocks, threads, files and machines can each make
their own [1]_, [2]_.

References
----------
.. [1] R. M. Neal and G. E. Hinton (1998), A view of the EM algorithm that justifies incremental,
   sparse, and other variants, in Learning in Graphical Models, 355-368.
.. [2] T. F. Chan, G. H. Golub and R. J. LeVeque (1983), Algorithms for computing the sample
   variance: analysis and recommendations, The American Statistician 37, 242-247.
"""

from dataclasses import dataclass

import numpy as np

from gmm_lib._validate import as_points, as_responsibilities, as_sample_weight
from gmm_lib.covariance import maximize
from gmm_lib.mixture import GaussianMixture

# Stands for 0 where a sum of weights is divided by.
TINY = np.finfo(float).tiny


@dataclass(frozen=True, eq=False)
class SufficientStatistics:
    """All that the M step needs to know of some points, in a form that can be added.

    `a + b` are the statistics of both sets of points, as if they had been one. Moments about each
    component's own mean are kept instead of raw sums of squares, and merged by the formula of Chan,
    Golub and LeVeque, so that no digits are lost where data lie far from the origin.

    Attributes
    ----------
    counts : ndarray, shape (k,)
        N_j = Σ_i w_j^(i).
    means : ndarray, shape (k, d)
        Σ_i w_j^(i) x^(i) / N_j.
    scatter : ndarray, shape (k, d, d)
        Σ_i w_j^(i) (x^(i) - mean_j)(x^(i) - mean_j)ᵀ. Statistics made by an `Engine` hold as much
        of it as the covariance type needs: the diagonal; its average; or, tied, the sum over the
        components, handed out in proportion to the counts.
    """

    counts: np.ndarray
    means: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, X, responsibilities, *, sample_weight=None):
        """Return the statistics of points with given responsibilities.

        Parameters
        ----------
        X : array_like, shape (m, d), or (m,) in one dimension
        responsibilities : array_like, shape (m, k)
        sample_weight : array_like, shape (m,), optional

        Returns
        -------
        SufficientStatistics

        Raises
        ------
        TypeError, ValueError
            If an argument is not as described.
        """
        X = as_points(X)
        w = as_responsibilities(responsibilities, len(X)).T
        weight = as_sample_weight(sample_weight, len(X))
        z = np.repeat((X - X[0]).T[None], len(w), axis=0)
        return moments(z, w if weight is None else w * weight).shifted(X[0])

    def __add__(self, other):
        if not isinstance(other, SufficientStatistics):
            return NotImplemented
        if self.means.shape != other.means.shape:
            raise ValueError(
                f"statistics: expected means of one shape (k, d) to add, got {self.means.shape} "
                f"and {other.means.shape}; give both the same components and features."
            )
        counts = self.counts + other.counts
        share = other.counts / np.maximum(counts, TINY)
        step = other.means - self.means
        between = (self.counts * share)[:, None, None] * step[:, :, None] * step[:, None, :]
        return SufficientStatistics(
            counts, self.means + share[:, None] * step, self.scatter + other.scatter + between
        )

    def scaled(self, by):
        """Return the statistics of the points with all their weights multiplied by a number."""
        return SufficientStatistics(self.counts * by, self.means, self.scatter * by)

    def shifted(self, by):
        """Return the statistics of the points with `by`, (k, d) or (d,), added to them."""
        return SufficientStatistics(self.counts, self.means + by, self.scatter)

    def maximize(self, covariance_type="full", prior=None, center=0.0):
        """M step: return the mixture that these statistics make most likely.

        Parameters
        ----------
        covariance_type : {"full", "tied", "diag", "spherical"}
        prior : CovariancePrior, optional
        center : ndarray, shape (d,), or 0
            What the means are told about.

        Returns
        -------
        GaussianMixture

        Raises
        ------
        DegenerateComponentError
            If a component is empty or has collapsed.
        """
        return GaussianMixture._trusted(
            *maximize(self.counts, self.means, self.scatter, covariance_type, prior, center)
        )


def moments(z, w):
    """Statistics under w (k, n) of points z[j] (d, n), which are told about an origin for each j.

    Without w there is one component and each point counts as one. Each scatter is about the mean of
    its own block. z is overwritten.
    """
    counts = np.array([float(z.shape[2])]) if w is None else w.sum(axis=1)
    divisor = np.maximum(counts, TINY)[:, None, None]
    means = 0.0
    # A sum of many numbers is off by many roundings; the mean of what is left mends the mean.
    for _ in range(2):
        step = (z.sum(axis=2, keepdims=True) if w is None else z @ w[:, :, None]) / divisor
        z -= step
        means = means + step[:, :, 0]
    if w is not None:
        z *= np.sqrt(w)[:, None]
    return SufficientStatistics(counts, means, z @ z.transpose(0, 2, 1))
