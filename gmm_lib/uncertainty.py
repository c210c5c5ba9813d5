r"""How well the data fix the parameters: standard errors from the curvature of ℓ at its maximum.

The observed information is :math:`I_o = -\nabla^2 \ell(\hat\theta)`. Its inverse estimates the
covariance matrix of the estimates, where there are enough points for ℓ to look like a parabola as
far as the estimates scatter [1]_. Louis [2]_ wrote it with what EM knows. Let s_j be the slope of
log p(x, z = j; θ) for one point, and H_j its matrix of second derivatives. Then

.. math::
    \nabla \log p(x) &= \sum_j w_j s_j = \bar s, \\
    -\nabla^2 \log p(x) &= -\sum_j w_j H_j
        - \Bigl( \sum_j w_j s_j s_j^T - \bar s \bar s^T \Bigr),

complete information minus missing information: the second term is the covariance of the slopes over
the labels that nobody saw. Both are summed over the points.

The parameters are free numbers, as `n_parameters` counts them: φ_1 … φ_{k-1} (the last weight is 1
minus the others), then the means, then the entries of the covariances that the type leaves free.
For a small change D of Σ, with A = Σ⁻¹, v = A (x - μ) and log N for the log-density,

.. math::
    \partial_D \log N &= \tfrac12 (v^T D v - \mathrm{tr}\, A D), \\
    -\partial_\mu \partial_\mu \log N &= A, \qquad -\partial_\mu \partial_D \log N = A D v, \\
    -\partial_D \partial_E \log N &= v^T D A E v - \tfrac12 \mathrm{tr}\, A D A E.

References
----------
.. [1] B. Efron and D. V. Hinkley (1978), Assessing the accuracy of the maximum likelihood
   estimator: observed versus expected Fisher information, Biometrika 65, 457-483.
.. [2] T. A. Louis (1982), Finding the observed information matrix when using the EM algorithm,
   Journal of the Royal Statistical Society B 44, 226-233.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import as_choice, as_points, as_sample_weight
from gmm_lib.covariance import COVARIANCE_TYPES, diagonals
from gmm_lib.em import as_mixture
from gmm_lib.features import features_of
from gmm_lib.mixture import GaussianMixture, in_words
from gmm_lib.prior import CovariancePrior, as_prior

# The information counts as singular where less than this share of the complete information is left
# in some direction: rounding alone makes about 1e-13 of it.
SINGULAR = 1e-10
# Standard errors that a mixture may be from the maximum.
NEAR = 0.1
REMEDY = (
    "pass the data, covariance_type, weights and prior of its fit, and fit with a smaller tol, or "
    "from another start if two components are alike."
)
# The information holds fourth powers of a standard deviation, and of its inverse.
WIDEST = 1e70
# Points whose slopes are held at once.
BLOCK = 4096


@dataclass(frozen=True, eq=False)
class StandardErrors:
    """Standard errors of a mixture's parameters, and the information that they come from.

    Attributes
    ----------
    weights : ndarray, shape (k,)
        Standard errors of φ; the last by propagation, φ_k being 1 minus the others.
    means : ndarray, shape (k, d)
        Of μ, in the units of the data.
    covariances : ndarray, shape (k, d, d)
        Of the entries of Σ, in the units of the data squared; 0 where the type fixes an entry.
    names : tuple of str, length p
        The free parameters, in the order of the matrices below, counted from 0: "weights[0]", …,
        "means[0, 1]", …, "covariances[0][1, 0]", …; without a first index where all share one.
    information : ndarray, shape (p, p)
        The observed information I_o.
    covariance : ndarray, shape (p, p)
        Its inverse: the estimated covariance matrix of the free parameters.
    missing_fraction : float
        The largest share of the complete information I_c that is missing without labels, over all
        directions: the largest eigenvalue of I_c⁻¹ (I_c - I_o). It is the rate of EM: near the end
        an iteration multiplies the error by it.
    condition : float
        Largest over smallest eigenvalue of I_c⁻¹ I_o: 1 where labels would tell nothing new; from
        about 1e6 on the data hardly fix some combination of parameters.
    distance : float
        How far the mixture is from the maximum as Newton's method sees it, in standard errors.

    Examples
    --------
    >>> X = datasets.old_faithful().X
    >>> errors = standard_errors(X, fit(X, 2, rng=np.random.default_rng(0)).mixture)
    >>> errors.means.shape, errors.covariances.shape, len(errors.names)
    ((2, 2), (2, 2, 2), 11)
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    names: tuple
    information: np.ndarray
    covariance: np.ndarray
    missing_fraction: float
    condition: float
    distance: float

    def __repr__(self):
        errors = in_words(self.weights, self.means, self.covariances)
        return f"StandardErrors({errors}, condition={self.condition:.3g})"


def standard_errors(
    X: ArrayLike,
    mixture: GaussianMixture,
    covariance_type: str = "full",
    *,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> StandardErrors:
    """Return the standard errors of a fitted mixture, from the observed information [1]_.

    They say how much the estimates would scatter over data sets drawn anew, near this maximum, if
    the model is right. A bootstrap does not need the parabola; this needs no refit.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
        The points that the mixture was fitted to.
    mixture : GaussianMixture
        The maximum, as from `fit` with a small `tol`.
    covariance_type : {"full", "tied", "diag", "spherical"}
        The one of the fit.
    sample_weight : array_like, shape (m,), optional
        How often each point counts: as many more observations, not as their precision.
    prior : CovariancePrior, optional
        The one of the fit; then it is the curvature of the posterior.

    Returns
    -------
    StandardErrors

    Raises
    ------
    ValueError
        If the mixture is not near a maximum, or is one where ℓ is flat in some direction, as with
        two components that are alike.
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    .. [1] T. A. Louis (1982), Finding the observed information matrix when using the EM algorithm,
       Journal of the Royal Statistical Society B 44, 226-233.

    Examples
    --------
    One Gaussian: the standard error of the mean is σ/√m, that of the variance σ² √(2/m).

    >>> from gmm_lib import fit
    >>> x = np.array([1.0, 4, 5, 6, 9])
    >>> standard_errors(x, fit(x, 1, rng=np.random.default_rng(0)).mixture)
    StandardErrors(weights=[0.], means=[1.1662], covariances=[4.3007], condition=1)
    >>> print(round(x.std() / 5**0.5, 4), round(x.var() * (2 / 5) ** 0.5, 4))
    1.1662 4.3007
    """
    X = as_points(X, as_mixture(mixture).d)
    weight = as_sample_weight(sample_weight, len(X))
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    coordinates = Coordinates(mixture, covariance_type)
    weight = np.ones(len(X)) if weight is None else weight
    return _errors(coordinates, *coordinates.derivatives(X, weight, as_prior(prior, mixture.d)))


class Coordinates:
    """The free parameters of a mixture of a type, and the slopes of its log-likelihood by them.

    Attributes
    ----------
    directions : ndarray, shape (q, d, d)
        The changes of a covariance that the type leaves free.
    names : tuple of str, length p
    """

    def __init__(self, mixture, covariance_type):
        k, d = mixture.means.shape
        if not features_of(covariance_type, d).describe(mixture.covariances):
            raise ValueError(
                f"mixture: expected covariances of type {covariance_type!r}, got others; pass the "
                "covariance_type that the mixture was fitted with."
            )
        sd = np.sqrt(diagonals(mixture.covariances))
        if sd.min() < 1 / WIDEST or sd.max() > WIDEST:
            raise ValueError(
                f"mixture: expected standard deviations from {1 / WIDEST:g} to {WIDEST:g}, got "
                f"{sd.min():.3g} to {sd.max():.3g}, whose fourth powers overflow; change the unit "
                "of the data."
            )
        self.mixture, self.shared = mixture, covariance_type == "tied"
        self.precisions = np.linalg.inv(mixture.covariances)
        if covariance_type == "spherical":
            self.directions, entries = np.eye(d)[None], [""]
        else:
            rows, columns = np.tril_indices(d)
            if covariance_type == "diag":
                rows = columns = np.arange(d)
            self.directions = np.zeros((len(rows), d, d))
            each = np.arange(len(rows))
            self.directions[each, rows, columns] = self.directions[each, columns, rows] = 1
            entries = [f"[{a}, {b}]" for a, b in zip(rows, columns, strict=True)]
        owners = [""] if self.shared else [f"[{j}]" for j in range(k)]
        self.names = (
            *(f"weights[{j}]" for j in range(k - 1)),
            *(f"means[{j}, {a}]" for j in range(k) for a in range(d)),
            *(f"covariances{owner}{entry}" for owner in owners for entry in entries),
        )

    def places(self, j):
        """Where the means and the covariance of component j are among the parameters: slices."""
        (k, d), q = self.mixture.means.shape, len(self.directions)
        mean = k - 1 + j * d
        covariance = k - 1 + k * d + (0 if self.shared else j * q)
        return slice(mean, mean + d), slice(covariance, covariance + q)

    def slopes(self, X, j):
        """s_j of each point, shape (n, p): the derivatives of log φ_j + log N(x; μ_j, Σ_j)."""
        k, D = self.mixture.k, self.directions
        v = (X - self.mixture.means[j]) @ self.precisions[j]
        slopes = np.zeros((len(X), len(self.names)))
        mean, covariance = self.places(j)
        slopes[:, : k - 1] = self._weight_slope(j)
        slopes[:, mean] = v
        squares = (v[:, :, None] * v[:, None, :]).reshape(len(X), -1) @ D.reshape(len(D), -1).T
        traces = np.einsum("ab,rab->r", self.precisions[j], D)
        slopes[:, covariance] = 0.5 * (squares - traces)
        return slopes

    def _weight_slope(self, j):
        """The derivatives of log φ_j by φ_1 … φ_{k-1}."""
        k, weights = self.mixture.k, self.mixture.weights
        return np.eye(k)[j, :-1] / weights[j] if j < k - 1 else np.full(k - 1, -1 / weights[j])

    def curvature(self, j, count, first, scatter, pseudo=0.0):
        """-Σ H_j (p, p) over points that sum up to these moments about μ_j: complete information.

        `pseudo` points count for Σ_j alone: those of a prior.
        """
        A, D = self.precisions[j], self.directions
        mean, covariance = self.places(j)
        information = np.zeros((len(self.names),) * 2)
        slope = self._weight_slope(j)
        information[: len(slope), : len(slope)] = count * np.outer(slope, slope)
        information[mean, mean] = count * A
        across = np.einsum("ab,rbc,c->ar", A, D, A @ first)
        information[mean, covariance], information[covariance, mean] = across, across.T
        AD = A @ D
        within = np.einsum("rab,sbc,cd,da->rs", AD, AD, A, scatter, optimize=True)
        volume = np.einsum("rab,sba->rs", AD, AD)
        information[covariance, covariance] = within - 0.5 * (count + pseudo) * volume
        return information

    @np.errstate(over="ignore", invalid="ignore")  # `_errors` looks whether the sums are finite
    def derivatives(self, X, weight, prior=None):
        """Return the gradient (p,) of what was climbed, complete and missing information (p, p)."""
        mixture, p = self.mixture, len(self.names)
        gradient, complete, missing = np.zeros(p), np.zeros((p, p)), np.zeros((p, p))
        w = mixture.responsibilities(X)
        for rows in (slice(i, i + BLOCK) for i in range(0, len(X), BLOCK)):
            average = np.zeros((len(X[rows]), p))
            for j in range(mixture.k):
                slopes = self.slopes(X[rows], j)
                average += w[rows, j, None] * slopes
                missing += (slopes.T * (weight[rows] * w[rows, j])) @ slopes
            gradient += weight[rows] @ average
            missing -= (average.T * weight[rows]) @ average
        for j in range(mixture.k):
            difference = X - mixture.means[j]
            share = weight * w[:, j]
            scatter, pseudo = (share[:, None] * difference).T @ difference, 0.0
            if prior is not None:
                pseudo = prior.strength
                scatter += pseudo * prior.covariance
                excess = prior.covariance - mixture.covariances[j]
                pull = self.precisions[j] @ excess @ self.precisions[j]
                gradient[self.places(j)[1]] += (
                    0.5 * pseudo * np.einsum("ab,rab->r", pull, self.directions)
                )
            complete += self.curvature(j, share.sum(), share @ difference, scatter, pseudo)
        return gradient, complete, missing


def _errors(coordinates, gradient, complete, missing):
    """The standard errors, or why there are none."""
    # Each parameter in the unit that makes its complete information 1, or digits would be lost.
    unit = 1 / np.sqrt(np.maximum(np.abs(np.diag(complete)), np.finfo(float).tiny))
    try:
        if not all(np.isfinite(each).all() for each in (gradient, complete, missing)):
            raise np.linalg.LinAlgError
        factor = np.linalg.cholesky(complete * unit[:, None] * unit)
    except np.linalg.LinAlgError:
        raise ValueError(
            "mixture: expected a maximum, got a mixture so far from one that the points would not "
            f"fix it even if their labels were known; {REMEDY}"
        ) from None
    information = complete - missing
    whiten = np.linalg.inv(factor) * unit  # so that I_c becomes the identity
    left, vectors = np.linalg.eigh(whiten @ information @ whiten.T)
    if left[0] <= SINGULAR:
        direction = (whiten.T @ vectors[:, 0]) / unit
        where = coordinates.names[int(np.abs(direction).argmax())]
        flat = left[0] >= -SINGULAR
        raise ValueError(
            "mixture: expected a maximum, where ℓ curves down in every direction, got curvature "
            f"{left[0]:.3g} of 1 (1: as if labels were known) in one that is mainly {where}; "
            + ("use fewer components: the data do not fix these parameters." if flat else REMEDY)
        )
    half = whiten.T @ vectors / np.sqrt(left)
    covariance = half @ half.T
    distance = float(np.linalg.norm(gradient @ half))
    if distance > NEAR:
        raise ValueError(
            f"mixture: expected a maximum, got a mixture that is {distance:.3g} standard errors "
            f"from it; {REMEDY}"
        )
    mixture, error = coordinates.mixture, np.sqrt(np.diag(covariance))
    k, d = mixture.means.shape
    last = covariance[: k - 1, : k - 1].sum()  # the variance of φ_1 + … + φ_{k-1}
    places = [coordinates.places(j) for j in range(k)]
    return StandardErrors(
        weights=np.append(error[: k - 1], np.sqrt(last)),
        means=np.array([error[mean] for mean, _ in places]),
        covariances=np.array(
            [np.tensordot(error[entry], coordinates.directions, axes=1) for _, entry in places]
        ),
        names=coordinates.names,
        information=information,
        covariance=covariance,
        missing_fraction=float(1 - left[0]),
        condition=float(left[-1] / left[0]),
        distance=distance,
    )
