"""How many components? Criteria that weigh fit against the number of parameters.

AIC aims at prediction, BIC at the number of components that made the data (its theory does not
hold strictly for mixtures), the held-out log-likelihood measures prediction directly. They may
disagree, and on the galaxies they do.

References
----------
.. [1] H. Akaike (1974), A new look at the statistical model identification, IEEE Transactions on
   Automatic Control 19, 716-723.
.. [2] G. Schwarz (1978), Estimating the dimension of a model, Annals of Statistics 6, 461-464.
.. [3] C. Fraley and A. E. Raftery (2002), Model-based clustering, discriminant analysis,
   and density estimation, Journal of the American Statistical Association 97, 611-631.
"""

import math
from typing import NamedTuple

import numpy as np

from gmm_lib._validate import as_choice, as_components, as_count, as_points, as_real, as_rng
from gmm_lib.covariance import COVARIANCE_TYPES
from gmm_lib.fitting import Fit, fit


class Candidate(NamedTuple):
    """One number of components tried by `compare`."""

    k: int
    n_parameters: int
    log_likelihood: float
    aic: float  # smaller is better
    bic: float  # smaller is better
    held_out: float | None  # log-likelihood per held-out point, larger is better; None: not asked
    fit: Fit


def n_parameters(k, d, covariance_type="full"):
    """Return how many free numbers a mixture has.

    k - 1 mixing weights (they sum to 1), k d means, and for the covariances k d(d+1)/2 ("full"),
    d(d+1)/2 ("tied"), k d ("diag") or k ("spherical"). The number k itself is not counted.

    Parameters
    ----------
    k, d : int
    covariance_type : {"full", "tied", "diag", "spherical"}

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> n_parameters(2, 1), n_parameters(3, 2, "tied")
    (5, 11)
    """
    k, d = as_count(k, "k"), as_count(d, "d")
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    matrix = d * (d + 1) // 2
    covariances = {"full": k * matrix, "tied": matrix, "diag": k * d, "spherical": k}
    return (k - 1) + k * d + covariances[covariance_type]


def aic(log_likelihood, parameters):
    """Return Akaike's criterion 2p - 2ℓ [1]_; smaller is better.

    Parameters
    ----------
    log_likelihood : float
        ℓ at its maximum, summed over all points.
    parameters : int
        p, as from `n_parameters`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    .. [1] H. Akaike (1974), IEEE Transactions on Automatic Control 19, 716-723.
    """
    return 2.0 * as_count(parameters, "parameters", least=0) - 2.0 * _as_finite(log_likelihood)


def bic(log_likelihood, parameters, m):
    """Return the Bayesian information criterion p log m - 2ℓ [1]_; smaller is better.

    Some software (R's mclust) has the sign turned round, so that larger is better.

    Parameters
    ----------
    log_likelihood : float
        ℓ at its maximum, summed over all points.
    parameters : int
        p, as from `n_parameters`.
    m : int
        The number of points.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    .. [1] G. Schwarz (1978), Annals of Statistics 6, 461-464.
    """
    penalty = as_count(parameters, "parameters", least=0) * math.log(as_count(m, "m"))
    return penalty - 2.0 * _as_finite(log_likelihood)


def held_out_log_likelihood(X, k, *, rng, folds=5, covariance_type="full", **options):
    """Return the mean log-density of points under fits that never saw them (cross-validation).

    The points are dealt at random into `folds` parts; each part is scored by a mixture fitted to
    the others.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    k : int
    rng : numpy.random.Generator
        Deals the points, and draws the starting points of the fits.
    folds : int
        From 2 to m.
    covariance_type : {"full", "tied", "diag", "spherical"}
    **options
        For `fit`: n_init, tol, max_iter, prior.

    Returns
    -------
    float
        In nats per point; larger is better.

    Raises
    ------
    DegenerateComponentError
        If a fit collapses from every start.
    TypeError, ValueError
        If an argument is not as described.
    """
    X, rng = as_points(X, least=2), as_rng(rng)
    folds = as_count(folds, "folds", least=2)
    if folds > len(X):
        raise ValueError(
            f"folds: expected at most one fold a point, got {folds} for {len(X)} points; "
            "use fewer folds."
        )
    order = rng.permutation(len(X))
    total = 0.0
    for part in np.array_split(order, folds):
        seen = np.delete(np.arange(len(X)), part)
        k = as_components(k, len(seen))
        found = fit(X[seen], k, covariance_type=covariance_type, rng=rng, **options)
        total += found.mixture.log_density(X[part]).sum()
    return float(total / len(X))


def compare(X, ks, *, rng, folds=None, covariance_type="full", **options):
    """Fit a mixture for each number of components and return the criteria side by side.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    ks : iterable of int
    rng : numpy.random.Generator
    folds : int, optional
        If given, also the held-out log-likelihood, with that many folds (as many fits again).
    covariance_type : {"full", "tied", "diag", "spherical"}
    **options
        For `fit`: n_init, tol, max_iter, prior.

    Returns
    -------
    list of Candidate
        One for each k, in the order given.

    Raises
    ------
    DegenerateComponentError
        If a fit collapses from every start.
    TypeError, ValueError
        If an argument is not as described.
    """
    X, rng = as_points(X), as_rng(rng)
    try:
        ks = [as_components(k, len(X)) for k in ks]
    except TypeError as error:
        raise TypeError(
            f"ks: expected whole numbers of components, got {ks!r}; pass for example range(1, 6)."
        ) from error
    if not ks:
        raise ValueError("ks: expected at least one number of components, got none; pass some.")
    return [_candidate(X, k, rng, folds, covariance_type, options) for k in ks]


def _candidate(X, k, rng, folds, covariance_type, options):
    m, d = X.shape
    found = fit(X, k, covariance_type=covariance_type, rng=rng, **options)
    p = n_parameters(k, d, covariance_type)
    held_out = None
    if folds is not None:
        held_out = held_out_log_likelihood(
            X, k, rng=rng, folds=folds, covariance_type=covariance_type, **options
        )
    ell = found.log_likelihood
    return Candidate(k, p, ell, aic(ell, p), bic(ell, p, m), held_out, found)


def _as_finite(log_likelihood):
    value = as_real(log_likelihood, "log_likelihood")
    if value.ndim:
        raise ValueError(
            f"log_likelihood: expected one number, got shape {value.shape}; "
            "pass the sum over all points, such as Fit.log_likelihood."
        )
    return float(value)
