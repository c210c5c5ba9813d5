"""A prior on covariances: the remedy for collapse that keeps the objective rising."""

from dataclasses import dataclass

import numpy as np

from gmm_lib._validate import as_number
from gmm_lib.covariance import log_determinants
from gmm_lib.mixture import as_covariances, positive_definite


@dataclass(frozen=True, eq=False)
class CovariancePrior:
    r"""What we believe of every Σ_j before the data, as if we had seen a few points more.

    The prior is conjugate (an inverse Wishart density up to a constant) [1]_:

    .. math:: \log p(\Sigma_j) = -\tfrac{\nu}{2}
              \left(\log|\Sigma_j| + \operatorname{tr}(C \Sigma_j^{-1})\right)

    so the M step adds ν points of covariance C to each component, and a component can no longer
    collapse. EM then climbs ℓ(θ) + Σ_j log p(Σ_j) and stays a hill climb.

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

    References
    ----------
    .. [1] C. Fraley and A. E. Raftery (2007), Bayesian regularization for normal mixture
       estimation and model-based clustering, Journal of Classification 24, 155-181.
    """

    strength: float
    covariance: np.ndarray

    def __post_init__(self):
        strength = as_number(self.strength, "strength", strict=True)
        covariance = np.atleast_2d(self.covariance)
        if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
            raise ValueError(
                f"covariance: expected shape (d, d), or one variance, got {covariance.shape}; "
                "pass one covariance matrix, shared by all components."
            )
        covariance = as_covariances(covariance[None], 1, len(covariance))
        positive_definite(covariance)
        covariance = covariance[0].copy()
        covariance.setflags(write=False)
        object.__setattr__(self, "strength", strength)
        object.__setattr__(self, "covariance", covariance)

    @property
    def d(self):
        """Number of features."""
        return len(self.covariance)

    def log_density(self, cholesky):
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
