"""A prior on covariances: the remedy for collapse that keeps the objective rising."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import LARGEST, as_count, as_number, as_real
from gmm_lib.covariance import EPS, DegenerateComponentError, checked_cholesky, log_determinants
from gmm_lib.engine import survey
from gmm_lib.mixture import as_covariances, positive_definite
from gmm_lib.stream import as_source


@dataclass(frozen=True, eq=False)
class CovariancePrior:
    r"""What we believe of every Σ_j before the data, as if we had seen a few points more.

    To the log-likelihood it adds, for each component and up to a constant,

    .. math:: -\tfrac{\nu}{2} \left(\log|\Sigma_j| + \operatorname{tr}(C \Sigma_j^{-1})\right)

    so the M step adds ν points of covariance C to each component, and a component can no longer
    collapse. EM then climbs ℓ(θ) plus this, and stays a hill climb.

    Parameters
    ----------
    strength : float
        ν > 0, in points: 1 is weak, the number of points is strong.
    covariance : array_like, shape (d, d), or a number (a variance) in one dimension
        C, in the units of the data squared; a common choice is the covariance of all data divided
        by k^(2/d).

    Raises
    ------
    TypeError, ValueError
        If strength is not positive or covariance is not symmetric and positive definite.

    Notes
    -----
    As a log-density of the precision Λ_j = Σ_j⁻¹ this is a Wishart density of ν + d + 1 degrees of
    freedom and scale (νC)⁻¹, and so proper for every ν > 0. Read as a log-density of Σ_j itself it
    is an inverse Wishart of ν - d - 1 degrees of freedom and scale νC, as in [1]_, which has a
    finite integral only if ν > 2d. The top of a density moves when it is told in another parameter,
    so the fit is the most probable θ (MAP) for this choice, (φ, μ, Λ), and for flat priors on φ and
    μ.

    References
    ----------
    .. [1] C. Fraley and A. E. Raftery (2007), Bayesian regularization for normal mixture
       estimation and model-based clustering, Journal of Classification 24, 155-181.

    Examples
    --------
    A component that would collapse onto the point 50 keeps the spread of the prior:

    >>> from gmm_lib import fit
    >>> x = [0, 1, 2, 3, 50]
    >>> rng = np.random.default_rng(0)
    >>> found = fit(x, 2, prior=CovariancePrior(1, 4), rng=rng)
    >>> found.mixture.covariances[:, 0, 0].round(2)
    array([1.8, 2. ])
    """

    strength: float
    covariance: np.ndarray

    if TYPE_CHECKING:  # the field is an array, whatever it is made from

        def __init__(self, strength: float, covariance: ArrayLike) -> None: ...

    def __post_init__(self):
        strength = as_number(self.strength, "strength", strict=True)
        covariance = np.atleast_2d(as_real(self.covariance, "covariance", LARGEST**2))
        if covariance.shape != covariance.shape[:1] * 2 or not covariance.size:
            raise ValueError(
                f"covariance: expected shape (d, d), or one variance, got {covariance.shape}; "
                "pass one covariance matrix, shared by all components."
            )
        covariance = as_covariances(covariance[None], 1, len(covariance))
        positive_definite(covariance)
        covariance = covariance[0].copy()
        covariance.setflags(write=False)
        vars(self).update(strength=strength, covariance=covariance)

    def __reduce__(self):  # a copy made from a pickle is read-only, too
        return type(self), (self.strength, self.covariance)

    @classmethod
    def from_data(
        cls, X: Any, k: int = 1, *, strength: float = 1.0, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Return a prior of the size of the data: their covariance, shared out among k components.

        C is the covariance of all points divided by k^(2/d), so that k ellipses of it fill the
        volume of the one [1]_. Where some features determine another, it is the diagonal of that. A
        feature that does not vary tells no scale of its own, and gets the mean variance of those
        that do.

        Parameters
        ----------
        X : array_like, shape (m, d) or (m,), or blocks of rows, as for `fit`
        k : int
            The number of components that the prior is for.
        strength : float
            ν > 0, in points.
        sample_weight : array_like, shape (m,), optional
            How often each point counts.

        Returns
        -------
        CovariancePrior

        Raises
        ------
        ValueError
            If no feature varies.
        TypeError, ValueError
            If an argument is not as described.

        References
        ----------
        .. [1] C. Fraley and A. E. Raftery (2007), Bayesian regularization for normal mixture
           estimation and model-based clustering, Journal of Classification 24, 155-181.

        Examples
        --------
        >>> CovariancePrior.from_data([[0, 7], [2, 7], [4, 7]], k=2).covariance
        array([[1.33333333, 0.        ],
               [0.        , 1.33333333]])
        """
        k = as_count(k, "k")
        (overall,) = as_source(X, sample_weight).total(survey)
        covariance = overall.scatter[0] / overall.counts[0]
        variances = covariance.diagonal().copy()
        varies = variances > (8 * EPS * overall.means[0]) ** 2
        if not varies.any():
            raise ValueError(
                "X: expected data that vary, to take the scale of the prior from, got "
                f"{overall.counts[0]:g} points at one place; pass CovariancePrior(strength, "
                "covariance) with a covariance of your own."
            )
        variances[~varies] = variances[varies].mean()
        covariance[~varies] = covariance[:, ~varies] = 0
        np.fill_diagonal(covariance, variances)
        try:
            checked_cholesky(np.ones(1), overall.means, covariance[None])
        except DegenerateComponentError:
            covariance = np.diag(variances)
        return cls(strength, covariance / k ** (2 / len(covariance)))

    @property
    def d(self) -> int:
        """Number of features."""
        return len(self.covariance)

    def log_density(self, cholesky: np.ndarray) -> float:
        """Return Σ_j log p(Σ_j), up to a constant.

        Parameters
        ----------
        cholesky : ndarray, shape (k, d, d)
            Lower Cholesky factors of the covariances (`GaussianMixture.cholesky`).

        Returns
        -------
        float
        """
        # With Σ = L Lᵀ: tr(C Σ⁻¹) = tr(L⁻¹ C L⁻ᵀ).
        half = np.linalg.solve(cholesky, np.broadcast_to(self.covariance, cholesky.shape))
        traces = np.einsum("kab,kab->k", half, np.linalg.inv(cholesky))
        return float(-0.5 * self.strength * (log_determinants(cholesky) + traces).sum())


def as_prior(prior, d):
    """Return `prior` if it is None or a `CovariancePrior` of d features.

    Raises
    ------
    TypeError, ValueError
        If it is not.
    """
    if prior is None:
        return None
    if not isinstance(prior, CovariancePrior):
        raise TypeError(
            f"prior: expected None or a CovariancePrior, got {prior!r}; "
            "pass CovariancePrior(strength, covariance)."
        )
    if prior.d != d:
        raise ValueError(
            f"prior: expected a covariance of {d} features as in the data, got {prior.d}; "
            f"pass one of shape ({d}, {d})."
        )
    return prior
