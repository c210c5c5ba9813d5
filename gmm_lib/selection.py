"""How many components, and of which covariance type? Criteria that weigh fit against parameters.

AIC aims at prediction, BIC at the number of components that made the data (its theory does not
hold strictly for mixtures), ICL at components that do not overlap; the held-out log-likelihood
measures prediction directly. They may disagree, and on the galaxies they do.

AIC, BIC and ICL are meant for maxima of the likelihood. Under a prior the maximum of the posterior
takes its place [1]_: close to it if the prior is weak.

References
----------
.. [1] C. Fraley and A. E. Raftery (2007), Bayesian regularization for normal mixture estimation and
   model-based clustering, Journal of Classification 24, 155-181.
"""

import math
from collections.abc import Iterable
from textwrap import shorten
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import (
    as_choice,
    as_components,
    as_count,
    as_number,
    as_points,
    as_responsibilities,
    as_rng,
    as_sample_weight,
)
from gmm_lib.covariance import COVARIANCE_TYPES, DegenerateComponentError
from gmm_lib.fitting import Fit, fit
from gmm_lib.partition import TooFewDifferentError
from gmm_lib.rows import present


class Candidate(NamedTuple):
    """One mixture tried by `compare`.

    Attributes
    ----------
    k : int
    covariance_type : str
    n_parameters : int
    log_likelihood : float
        ℓ of the fit, in nats.
    aic, bic, icl : float
        Smaller is better.
    held_out : float or None
        Log-likelihood per held-out point, larger is better; None if `folds` was not given.
    fit : Fit or None
        None if every start collapsed.
    failure : str or None
        Why there is no fit, or no held-out score. What could not be computed is infinite, on the
        side where it is never the best: criteria inf, log_likelihood and held_out -inf.

    Examples
    --------
    >>> table = compare(datasets.ten_points().X, [1, 2], rng=np.random.default_rng(0))
    >>> candidate = table[1]
    >>> candidate.k, candidate.n_parameters, round(candidate.bic, 2)
    (2, 5, 75.99)
    """

    k: int
    covariance_type: str
    n_parameters: int
    log_likelihood: float
    aic: float
    bic: float
    icl: float
    held_out: float | None
    fit: Fit | None
    failure: str | None

    def __repr__(self):
        values = (f"{n}={v!r}" for n, v in self._asdict().items() if n != "fit" and v is not None)
        return f"Candidate({', '.join(values)})"


class Comparison(list):
    """Candidates side by side: a list that prints as a table and names its best.

    Examples
    --------
    >>> table = compare(datasets.ten_points().X, [1, 2], rng=np.random.default_rng(0))
    >>> table.best('bic').k
    2
    """

    def best(self, criterion: str = "bic") -> Candidate:
        """Return the best candidate.

        Parameters
        ----------
        criterion : {"aic", "bic", "icl", "held_out"}

        Returns
        -------
        Candidate

        Raises
        ------
        ValueError
            If there is no such criterion, it was not computed, or all candidates failed.
        """
        as_choice(criterion, "criterion", ("aic", "bic", "icl", "held_out"))
        sign = -1 if criterion == "held_out" else 1
        scores = [getattr(candidate, criterion) for candidate in self]
        if None in scores:
            raise ValueError(
                "criterion: expected one that was computed, got 'held_out' without folds; pass "
                "folds=5 to compare."
            )
        if not np.isfinite(scores).any():
            raise ValueError(
                "criterion: expected at least one candidate that did not fail, got none; read "
                "their `failure`, and lend the components a prior."
            )
        return self[int(np.argmin(sign * np.array(scores)))]

    def __repr__(self):
        folds = any(candidate.held_out is not None for candidate in self)
        head = " k  covariances     p    log-lik.       AIC       BIC       ICL"
        lines = [head + "  held-out" * folds]
        for c in self:
            line = f"{c.k:2}  {c.covariance_type:11} {c.n_parameters:5}"
            if c.fit is not None:
                line += f"  {c.log_likelihood:10.2f}{c.aic:10.2f}{c.bic:10.2f}{c.icl:10.2f}"
                line += f"{c.held_out:10.4f}" if c.held_out is not None else ""
            if c.failure:
                line += f"{'' if c.fit is None else chr(10)}  failed: {shorten(c.failure, 56)}"
            lines.append(line)
        return "\n".join(lines)


def n_parameters(k: int, d: int, covariance_type: str = "full") -> int:
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


def aic(log_likelihood: float, parameters: int) -> float:
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
    .. [1] H. Akaike (1974), A new look at the statistical model identification, IEEE Transactions
       on Automatic Control 19, 716-723.

    Examples
    --------
    >>> aic(-32.24, 5)
    74.48
    """
    penalty = 2.0 * as_count(parameters, "parameters", least=0)
    return penalty - 2.0 * as_number(log_likelihood, "log_likelihood", least=-math.inf)


def bic(log_likelihood: float, parameters: int, m: int) -> float:
    """Return the Bayesian information criterion p log m - 2ℓ [1]_; smaller is better.

    Some software (R's mclust) has the sign turned round, so that larger is better.

    Parameters
    ----------
    log_likelihood : float
        ℓ at its maximum, summed over all points.
    parameters : int
        p, as from `n_parameters`.
    m : float
        The number of points, or the sum of their weights; at least 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    .. [1] G. Schwarz (1978), Estimating the dimension of a model, Annals of Statistics 6, 461-464.

    Examples
    --------
    >>> round(bic(-32.24, 5, 10), 2)
    75.99
    """
    penalty = as_count(parameters, "parameters", least=0) * math.log(as_number(m, "m", least=1))
    return penalty - 2.0 * as_number(log_likelihood, "log_likelihood", least=-math.inf)


def icl(
    bic: float, responsibilities: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    r"""Return the integrated completed likelihood criterion [1]_; smaller is better.

    It is BIC of the points together with their most likely labels,

    .. math:: \mathrm{ICL} = \mathrm{BIC} - 2 \sum_i \log \max_j w_j^{(i)},

    so it charges for labels that are in doubt, and prefers components that do not overlap.

    Parameters
    ----------
    bic : float
        As from `bic`.
    responsibilities : array_like, shape (m, k)
        Of the points under the fit.
    sample_weight : array_like, shape (m,), optional
        How often each point counts.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    .. [1] C. Biernacki, G. Celeux and G. Govaert (2000), Assessing a mixture model for clustering
       with the integrated completed likelihood, IEEE Transactions on Pattern Analysis and Machine
       Intelligence 22, 719-725.

    Examples
    --------
    >>> round(icl(100.0, [[0.5, 0.5], [1, 0]]), 4)  # one point in doubt
    101.3863
    """
    certainty = np.log(as_responsibilities(responsibilities).max(axis=1))
    weight = as_sample_weight(sample_weight, len(certainty))
    doubt = -(certainty.sum() if weight is None else weight @ certainty)
    return as_number(bic, "bic", least=-math.inf) + 2.0 * float(doubt)


def held_out_log_likelihood(
    X: ArrayLike,
    k: int,
    *,
    rng: np.random.Generator,
    folds: int = 5,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    **options: Any,
) -> float:
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
    sample_weight : array_like, shape (m,), optional
        How often each point counts, in the fits and in the score. Points of weight 0 are not dealt;
        all of a point lies in one part.
    **options
        For `fit`: n_init, tol, max_iter, prior.

    Returns
    -------
    float
        In nats per point; larger is better. -inf if a fit collapses from every start, so that a
        loop over k goes on and does not choose it; `compare` tells the reason.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> X = datasets.old_faithful().X
    >>> held = [held_out_log_likelihood(X, k, rng=np.random.default_rng(0)) for k in (1, 2)]
    >>> bool(held[1] > held[0])
    True
    """
    points = as_points(X, least=2)
    points, weight = present(points, as_sample_weight(sample_weight, len(points)))
    folds = _as_folds(folds, k, len(points))
    rng = as_rng(rng)
    options = {"covariance_type": covariance_type, **options}
    return _held_out(points, weight, k, rng, folds, options)[0]


def compare(
    X: ArrayLike,
    ks: Iterable[int],
    *,
    rng: np.random.Generator,
    folds: int | None = None,
    covariance_type: str = "full",
    sample_weight: ArrayLike | None = None,
    **options: Any,
) -> Comparison:
    """Fit a mixture for each number of components and return the criteria side by side.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    ks : iterable of int
    rng : numpy.random.Generator
    folds : int, optional
        If given, also the held-out log-likelihood, with that many folds (as many fits again).
    covariance_type : str, or iterable of str
        One or several of "full", "tied", "diag", "spherical"; each is tried with each k.
    sample_weight : array_like, shape (m,), optional
        How often each point counts; their sum is the number of points in BIC.
    **options
        For `fit`: n_init, tol, max_iter, prior.

    Returns
    -------
    Comparison
        A list of `Candidate`, type after type, in the order given. One whose fits collapse from
        every start says so in its `failure`, and the others are tried all the same.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> found = compare(x, range(1, 4), rng=np.random.default_rng(0), n_init=5)
    >>> found.best("bic").k
    2
    """
    points = as_points(X)
    points, weight = present(points, as_sample_weight(sample_weight, len(points)))
    rng, m = as_rng(rng), len(points)
    try:
        ks = [as_components(k, m) for k in ks]
    except TypeError as error:
        raise TypeError(
            f"ks: expected whole numbers of components, got {ks!r}; pass for example range(1, 6)."
        ) from error
    if not ks:
        raise ValueError("ks: expected at least one number of components, got none; pass some.")
    several = np.iterable(covariance_type) and not isinstance(covariance_type, str)
    types = list(covariance_type) if several else [covariance_type]
    if not types:
        raise ValueError("covariance_type: expected at least one type, got none; pass some.")
    for kind in types:
        as_choice(kind, "covariance_type", COVARIANCE_TYPES)
    if folds is not None:
        folds = _as_folds(folds, max(ks), m)
    if weight is not None and weight.sum() < 1:
        raise ValueError(
            "sample_weight: expected weights that count points, of sum at least 1, got "
            f"{weight.sum():g}; multiply them by the number of points."
        )
    return Comparison(
        _candidate(points, weight, k, rng, folds, {"covariance_type": kind, **options})
        for kind in types
        for k in ks
    )


def _candidate(X, weight, k, rng, folds, options):
    kind = options["covariance_type"]
    m, p = len(X) if weight is None else weight.sum(), n_parameters(k, X.shape[1], kind)
    found, failure = _tried(X, weight, k, rng, options)
    score = None if folds is None else -math.inf
    if found is None:
        return Candidate(k, kind, p, -math.inf, *[math.inf] * 3, score, None, failure)
    if folds is not None:
        score, failure = _held_out(X, weight, k, rng, folds, options)
    ell = found.log_likelihood
    by_bic = bic(ell, p, m)
    by_icl = icl(by_bic, found.mixture.responsibilities(X), sample_weight=weight)
    return Candidate(k, kind, p, ell, aic(ell, p), by_bic, by_icl, score, found, failure)


def _tried(X, weight, k, rng, options):
    """A fit and None, or None and why these data have none."""
    try:
        return fit(X, k, rng=rng, sample_weight=weight, **options), None
    except (DegenerateComponentError, TooFewDifferentError) as error:
        return None, str(error)


def _held_out(X, weight, k, rng, folds, options):
    """The score and None, or -inf and why there is none."""
    order = rng.permutation(len(X))
    total = 0.0
    for number, part in enumerate(np.array_split(order, folds), start=1):
        seen = np.delete(np.arange(len(X)), part)
        found, failure = _tried(X[seen], None if weight is None else weight[seen], k, rng, options)
        if found is None:
            return -math.inf, f"without part {number} of {folds}: {failure}"
        log_density = found.mixture.log_density(X[part])
        total += log_density.sum() if weight is None else weight[part] @ log_density
    return float(total / (len(X) if weight is None else weight.sum())), None


def _as_folds(folds, k, m):
    """The number of folds, if the points that are left for a fit suffice for k components."""
    folds = as_count(folds, "folds", least=2)
    if folds > m:
        raise ValueError(
            f"folds: expected at most one fold a point, got {folds} for {m} points; "
            "use fewer folds."
        )
    as_components(k, m - math.ceil(m / folds))
    return folds
