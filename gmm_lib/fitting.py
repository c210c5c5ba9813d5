"""`fit`: EM from starts to a stop, and the best of what was found.

It knows where to start (`gmm_lib.initial`), what makes an iteration (`gmm_lib.engine`) and where
the points live (`gmm_lib.stream`); what is here is the loop about them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import (
    as_choice,
    as_components,
    as_count,
    as_flag,
    as_number,
    as_plain_array,
    as_responsibilities,
    as_rng,
    refuse_shape,
)
from gmm_lib.covariance import COVARIANCE_TYPES, DegenerateComponentError
from gmm_lib.em import constrained, m_step
from gmm_lib.engine import Engine
from gmm_lib.initial import STARTS, as_labels, one_hot
from gmm_lib.initial import starts as starts_by_name
from gmm_lib.mixture import GaussianMixture
from gmm_lib.prior import CovariancePrior, as_prior
from gmm_lib.rows import Rows
from gmm_lib.stream import as_source

# Points drawn to choose a start from, where not all of them are in memory.
START_SAMPLE = 20_000


@dataclass(frozen=True, eq=False)
class Fit:
    """What `fit` found, and why it stopped.

    Attributes
    ----------
    mixture : GaussianMixture
        θ_n, the last parameters.
    log_likelihoods : ndarray, shape (n + 1,)
        ℓ(θ_0), …, ℓ(θ_n), in nats; the last is that of `mixture`.
    objectives : ndarray, shape (n + 1,)
        What was climbed: ℓ plus the log-density of the prior, if there is one (up to a constant).
    converged : bool
        Whether the last gain per point was below `tol`.
    reason : str
        Why it stopped, in words and numbers.
    attempts : tuple of str
        One line for each start tried: where it ended, or why it failed.

    Examples
    --------
    >>> ten = datasets.ten_points()
    >>> found = fit(ten.X, ten.start)
    >>> found.converged, round(found.log_likelihood, 3)
    (True, -32.239)
    >>> found.mixture.means.round(2).ravel().tolist()
    [5.0, 23.8]
    """

    mixture: GaussianMixture
    log_likelihoods: np.ndarray
    objectives: np.ndarray
    converged: bool
    reason: str
    attempts: tuple = ()

    @property
    def log_likelihood(self) -> float:
        """ℓ of the fitted mixture, in nats."""
        return float(self.log_likelihoods[-1])

    @property
    def n_iter(self) -> int:
        """How many M steps were made."""
        return len(self.log_likelihoods) - 1


def fit(
    X: Any,
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
    threads: int | None = None,
    progress: bool = False,
) -> Fit:
    """Fit a Gaussian mixture by EM.

    The iterations are those of `em_states`, to rounding, but run on sums over blocks of points
    (`gmm_lib.engine`): no responsibilities are kept, and the data need not be in memory.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension; or blocks of rows
        In memory: an array, a list, a table of pandas or polars. Blocks are walked once an
        iteration: a memory map, a Parquet or .npy file, Arrow tables, a function that returns an
        iterator of arrays, a Dask array; see `gmm_lib.stream`.
    k_or_initial : int or GaussianMixture
        The number of components; or the start itself, a mixture: see `gmm_lib.em.constrained` for
        one whose covariances do not fit the covariance type.
    init : {"kmeans", "k-means++", "random_from_data", "random"} or array_like
        Where to start from, if k is given. By name, as `gmm_lib.initial.starts` describes: from the
        groups that k-means finds, from points far apart, from any points, from random
        responsibilities. Or from the M step of responsibilities of your own, shape (m, k), or of
        labels from 0 to k - 1, shape (m,).
    covariance_type : {"full", "tied", "diag", "spherical"}
    tol : float
        Stop when an iteration gains less than this per point (in nats). 0: never, run `max_iter`.
    max_iter : int
        The most M steps from one start; 0 evaluates the start.
    n_init : int
        Number of starts, of which the best fit is kept; from a mixture, responsibilities or labels
        there is only one.
    rng : numpy.random.Generator
        Needed for a start by name.
    sample_weight : array_like, shape (m,), optional
        How often each point counts. Blocks bring weights of their own.
    prior : CovariancePrior, optional
        Keeps components from collapsing; the posterior is climbed instead of the likelihood.
    threads : int, optional
        How many threads share the points; if not given, one a processor, where that pays. The
        result depends on it by rounding only.
    progress : bool
        Show a bar over the iterations (needs tqdm).

    Returns
    -------
    Fit

    Raises
    ------
    DegenerateComponentError
        If a component collapses from every start.
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> found = fit(x, GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7]))
    >>> round(found.log_likelihood, 4), found.converged
    (-32.2391, True)
    >>> fit(x, 2, rng=np.random.default_rng(0)).mixture.weights.round(4)
    array([0.5, 0.5])
    >>> fit(x, 2, init=[0, 0, 0, 0, 0, 1, 1, 1, 1, 1], max_iter=0).mixture.means[:, 0]
    array([ 5. , 23.8])
    """
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    tol, max_iter = as_number(tol, "tol"), as_count(max_iter, "max_iter", least=0)
    n_init, progress = as_count(n_init, "n_init"), as_flag(progress, "progress")
    source = as_source(X, sample_weight, threads)
    prior = as_prior(prior, source.d)
    engine = Engine(source, covariance_type, prior=prior)
    starts = starts_of(source, k_or_initial, n_init, rng, covariance_type, init, prior)
    return best_of(engine, starts, tol, max_iter, progress)


def best_of(engine, starts, tol, max_iter, progress=False):
    """Return the highest fit that EM reaches from several mixtures; input is trusted.

    Parameters
    ----------
    engine : Engine, or an object with the same methods
    starts : iterable of GaussianMixture
    tol, max_iter, progress
        As in `fit`.

    Returns
    -------
    Fit

    Raises
    ------
    DegenerateComponentError
        If a component collapses from every start.
    """
    best, attempts, failure = None, [], None
    for start in starts:
        try:
            found = _climb(engine, start, tol, max_iter, progress)
        except DegenerateComponentError as error:
            attempts.append(str(error))
            failure = error
            continue
        attempts.append(f"log-likelihood {found.log_likelihood:.6f}: {found.reason}")
        if best is None or found.objectives[-1] > best.objectives[-1]:
            best = found
    if best is None:
        raise failure
    return replace(best, attempts=tuple(attempts))


def starts_of(
    source, k_or_initial, n_init, rng, covariance_type, init="kmeans", prior=None
) -> Iterator[GaussianMixture]:
    """The mixtures to start from, made one at a time as they are asked for."""
    if isinstance(k_or_initial, GaussianMixture):
        if k_or_initial.d != source.d:
            refuse_shape((source.m, source.d), k_or_initial.d)
        _only_one(n_init, "a given start")
        if not isinstance(init, str) or init != "kmeans":
            raise TypeError(
                "init: expected no init beside a mixture, which is the start itself, got both; "
                "pass k in place of the mixture, or leave init out."
            )
        return iter([constrained(k_or_initial, covariance_type)])
    k = as_components(k_or_initial, source.m)
    if not isinstance(init, str):
        _only_one(n_init, "responsibilities or labels")
        return iter([_start_from(init, source, k, covariance_type, prior)])
    as_choice(init, "init", STARTS)
    if rng is None:
        raise TypeError(
            "rng: expected a numpy.random.Generator to draw a start with, got None; pass "
            "rng=np.random.default_rng(seed), or a GaussianMixture to start from."
        )
    X, weight = source.sample(START_SAMPLE, as_rng(rng))
    drawn = starts_by_name(
        X, k, init, rng=rng, covariance_type=covariance_type, sample_weight=weight, prior=prior
    )
    return islice(drawn, n_init)


def _only_one(n_init, start):
    if n_init != 1:
        raise ValueError(
            f"n_init: expected 1 with {start}, got {n_init}; every run from one start "
            "ends alike, so pass k and the name of an init to try several."
        )


def _start_from(init, source, k, covariance_type, prior):
    """The M step of responsibilities (m, k) or of labels (m,)."""
    if isinstance(init, GaussianMixture):
        raise TypeError(
            "init: expected a name, responsibilities or labels, got a GaussianMixture; pass it in "
            "the place of k: fit(X, mixture)."
        )
    if not isinstance(source, Rows):
        raise TypeError(
            f"init: expected one of {', '.join(map(repr, STARTS))} with data that are not in "
            f"memory, got {type(init).__name__}; or pass a GaussianMixture in the place of k."
        )
    w, m = as_plain_array(init, "init"), source.given
    if w.ndim not in (1, 2):
        raise TypeError(
            f"init: expected one of {', '.join(map(repr, STARTS))}, responsibilities (m, k) or "
            f"labels (m,), got {init!r}; leave it out to start from the groups of k-means."
        )
    if w.ndim == 1:
        labels = as_labels(w, m)
        if labels.max() >= k:
            raise ValueError(
                f"init: expected labels from 0 to {k - 1}, as k = {k}, got {labels.max()}; number "
                "the groups 0, 1, 2, … without gaps, or pass a larger k."
            )
        w = one_hot(labels, k)
    w = source.of_present(as_responsibilities(w, m, k))
    return m_step(source.X, w, covariance_type, sample_weight=source.weight, prior=prior)


def _climb(engine, mixture, tol, max_iter, progress):
    """Run EM from one start until the gain per point is below tol, or for max_iter iterations."""
    prior, mixture = engine.prior, engine.centered(mixture)
    log_likelihoods, objectives = [], []
    for t in _counted(max_iter, progress):
        if t < max_iter:
            statistics, log_likelihood = engine.e_step(mixture)
        else:
            log_likelihood = engine.log_likelihood(mixture)
        log_likelihoods.append(log_likelihood)
        bonus = prior.log_density(mixture.cholesky) if prior else 0.0
        objectives.append(log_likelihood + bonus)
        gain = (objectives[-1] - objectives[-2]) / engine.points if t else np.inf
        converged = abs(gain) < tol
        if converged or t == max_iter:
            break
        try:
            mixture = engine.m_step(statistics)
        except DegenerateComponentError as error:
            raise error.at(t + 1) from None
    if converged:
        reason = f"gain {gain:.3g} per point below tol = {tol:g} after {t} iterations"
    else:
        reason = f"stopped at max_iter = {max_iter}, last gain {gain:.3g} per point"
    return Fit(
        engine.restored(mixture),
        np.array(log_likelihoods),
        np.array(objectives),
        converged,
        reason,
    )


def _counted(max_iter, progress):
    """0, 1, … max_iter, with a bar if asked for."""
    if not progress:
        return range(max_iter + 1)
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            f"progress: expected tqdm to be installed, got {error}; pip install tqdm, or leave "
            "progress out."
        ) from error
    return tqdm(range(max_iter + 1), total=max_iter, desc="EM", unit="iteration")
