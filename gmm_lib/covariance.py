"""Constraints on the covariances Σ, and the last line of every M step.

A covariance type is a function that takes the components' counts N_j (k,) and their unconstrained
weighted covariances (k, d, d) and returns the covariances (k, d, d) that maximize the expected
complete log-likelihood under its constraint [1]_. To add one, write it and name it in
`CONSTRAINTS`.

References
----------
.. [1] G. J. McLachlan and D. Peel (2000), Finite Mixture Models, Wiley, sections 3.2, 3.3
   and 3.12.
"""

import math

import numpy as np

LOG_2PI = math.log(2 * math.pi)
EPS = np.finfo(float).eps
# A component with less than this share of all weight owns nothing that float64 can tell from 0.
EMPTY_SHARE = 1e-300


class DegenerateComponentError(ValueError):
    """A component has lost its points or its spread, so that its density is no longer defined.

    Attributes
    ----------
    component : int
        Index of the component, from 0.
    iteration : int or None
        The iteration whose M step met it, from 1; None outside an iteration.
    reason : str
        What happened to the component.
    remedies : tuple of str
        What may help, for this model and these data.

    Examples
    --------
    >>> try:
    ...     fit([1, 4, 5, 6, 9], GaussianMixture([0.5, 0.5], [5, 9], [4, 1e-4]))
    ... except DegenerateComponentError as error:
    ...     print(error.component)
    1
    """

    def __init__(self, component, reason, iteration=None, remedies=()):
        self.component, self.reason, self.iteration = component, reason, iteration
        self.remedies = tuple(remedies)
        when = "" if iteration is None else f" at iteration {iteration}"
        advice = f" Try {', or '.join(remedies)}." if remedies else ""
        super().__init__(
            f"component {component + 1} (index {component}) degenerated{when}: {reason}.{advice}"
        )

    def at(self, iteration):
        """Return the same error, told as that of an iteration."""
        return type(self)(self.component, self.reason, iteration, self.remedies)

    def __reduce__(self):
        return type(self), (self.component, self.reason, self.iteration, self.remedies)


# What may help against a collapse; `remedies` chooses.
RESTART = "another start (a larger n_init tries several)"
FEWER = "fewer components"
TIED = "covariance_type='tied'"
DIAG = "covariance_type='diag'"
LEAVE_OUT = "leaving that feature out"
PRIOR = "a prior: prior=CovariancePrior.from_data(X, k)"
OWN_PRIOR = "a prior with a covariance of your own: prior=CovariancePrior(strength, covariance)"


def remedies(k, covariance_type, prior, *, flat=False, empty=False, one_place=False):
    """What may help k components of this type, so that nobody is told to do what he does.

    `one_place`: all points are there, and have no scale to take a prior from.
    """
    if one_place:
        return [OWN_PRIOR] if prior is None else []
    found = [RESTART, FEWER] if k > 1 else []
    if empty:
        return found
    if k > 1 and covariance_type != "tied":
        found.append(TIED)
    if k == 1 and not flat:
        found.append(LEAVE_OUT)
    if flat and covariance_type in ("full", "tied"):
        found.append(DIAG)
    if prior is None:
        found.append(PRIOR)
    return found


def full(counts, covariances):
    """Each component has a covariance of its own: nothing to do."""
    return covariances


def tied(counts, covariances):
    """All components share one covariance: the average, weighted by the counts."""
    pooled = np.tensordot(counts, covariances, axes=1) / counts.sum()
    return np.repeat(pooled[None], len(counts), axis=0)


def diag(counts, covariances):
    """No correlation between features: keep the variances."""
    return covariances * np.eye(covariances.shape[-1])


def spherical(counts, covariances):
    """One variance in every direction: the average over the features."""
    d = covariances.shape[-1]
    variances = np.trace(covariances, axis1=1, axis2=2) / d
    return variances[:, None, None] * np.eye(d)


CONSTRAINTS = {"full": full, "tied": tied, "diag": diag, "spherical": spherical}
COVARIANCE_TYPES = tuple(CONSTRAINTS)


def maximize(counts, means, scatter, covariance_type="full", prior=None, center=0.0):
    """Return the parameters that maximize the expected complete log-likelihood.

    Every M step ends here, whichever way its sums were made. Input is trusted.

    Parameters
    ----------
    counts : ndarray, shape (k,)
        N_j, the sum of the responsibilities for component j.
    means : ndarray, shape (k, d)
        Weighted means; rows of empty components may hold anything.
    scatter : ndarray, shape (k, d, d)
        Weighted sums of squares about those means, symmetric.
    covariance_type : str
        One of `COVARIANCE_TYPES`.
    prior : CovariancePrior, optional
        Adds its pseudo-points to every component.
    center : ndarray, shape (d,), or 0
        What the means are told about; it matters for what rounding leaves of the data.

    Returns
    -------
    weights, means, covariances, cholesky : ndarrays, shapes (k,), (k, d), (k, d, d), (k, d, d)
        φ, μ, Σ, and the lower Cholesky factors of Σ.

    Raises
    ------
    DegenerateComponentError
        If a component is empty, or its covariance is singular up to rounding.
    """
    numbers = counts.tolist()  # few, and Python is quicker with few than numpy
    total = sum(numbers)
    if min(numbers) <= EMPTY_SHARE * total:
        raise DegenerateComponentError(
            int(counts.argmin()),
            "no point belongs to it any more",
            remedies=remedies(len(numbers), covariance_type, prior, empty=True),
        )
    if prior is not None:
        scatter, effective = scatter + prior.strength * prior.covariance, counts + prior.strength
    else:
        effective = counts
    covariances = CONSTRAINTS[covariance_type](effective, scatter / effective[:, None, None])
    weights = counts / total
    cholesky = checked_cholesky(weights, means + center, covariances, covariance_type, prior)
    return weights, means, covariances, cholesky


def checked_cholesky(weights, means, covariances, covariance_type="full", prior=None):
    """Return the lower Cholesky factors (k, d, d) of covariances that rounding has left sound.

    Two measures, both free of units, tell a covariance from rounding error:

    - x - μ is rounded to about eps |x|, so a standard deviation of 8 eps times the size of the data
      or less is one point, or several at one place. The size is the root mean square of the data,
      Σ_j φ_j (μ_j² + σ_j²), and not μ_j itself: a component may well collapse at 0;
    - the square of a Cholesky pivot over its variance is 1 - R², the part of a feature that the
      features before it do not explain. It is computed to a few eps; below 16 d eps the points lie
      on a line or a plane as far as float64 can tell.

    The type and the prior matter only for the advice that an error gives.

    Raises
    ------
    DegenerateComponentError
        For the first component that fails either.
    """
    d = means.shape[1]
    variances = diagonals(covariances)
    mean_square = weights @ (means * means + variances)
    spread = variances > (8 * EPS) ** 2 * mean_square
    if not spread.all():
        j, i = (int(n) for n in np.argwhere(~spread)[0])
        apart = np.ptp(means, axis=0) > 8 * EPS * np.sqrt(mean_square)
        raise DegenerateComponentError(
            j,
            f"it collapsed onto one place, with variance {variances[j, i]:.3g} in feature {i + 1} "
            f"about its mean {means[j, i]:.6g}, where the likelihood has no bound",
            remedies=remedies(
                len(weights), covariance_type, prior, one_place=not (spread | apart).any()
            ),
        )
    if d == 1:  # the root of a variance is its Cholesky factor; teaching size is mostly this case
        return np.sqrt(covariances)
    try:
        factors = np.linalg.cholesky(covariances)
        unexplained = diagonals(factors) ** 2 / variances
    except np.linalg.LinAlgError:
        factors, unexplained = None, np.array([_unexplained(c) for c in covariances])
    least = 16 * d * EPS
    if unexplained.min() <= least:
        j, i = (int(n) for n in np.argwhere(unexplained <= least)[0])
        raise DegenerateComponentError(
            j,
            f"it became flat: feature {i + 1} is a linear function of the features before it "
            f"(unexplained share {max(unexplained[j, i], 0):.3g})",
            remedies=remedies(len(weights), covariance_type, prior, flat=True),
        )
    return factors


def _unexplained(covariance):
    """1 - R² of each feature given those before it, 0 from the first that is fully explained."""
    d = len(covariance)
    shares = np.zeros(d)
    for i in range(d):
        try:
            pivot = np.linalg.cholesky(covariance[: i + 1, : i + 1])[i, i]
        except np.linalg.LinAlgError:
            break
        shares[i] = pivot**2 / covariance[i, i]
    return shares


def log_determinants(cholesky):
    """Return log |Σ_j| (k,) from lower Cholesky factors (k, d, d)."""
    return 2 * np.log(diagonals(cholesky)).sum(axis=1)


def diagonals(matrices):
    """Diagonals (k, d) of matrices (k, d, d): a view, where these are contiguous."""
    k, d, _ = matrices.shape
    return matrices.reshape(k, d * d)[:, :: d + 1]
