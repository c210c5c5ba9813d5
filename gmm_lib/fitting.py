"""`fit`: EM from starts to a stop, and the best of what was found.

It knows where to start (`gmm_lib.initial`), what makes an iteration (`gmm_lib.engine`) and where
the points live (`gmm_lib.stream`); what is here is the loop about them.
"""

from dataclasses import dataclass

import numpy as np

from gmm_lib._validate import (
    as_choice,
    as_components,
    as_count,
    as_number,
    as_rng,
    refuse_shape,
)
from gmm_lib.covariance import COVARIANCE_TYPES, DegenerateComponentError
from gmm_lib.engine import Engine
from gmm_lib.initial import kmeans_plus_plus
from gmm_lib.mixture import GaussianMixture
from gmm_lib.prior import as_prior
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
    """

    mixture: GaussianMixture
    log_likelihoods: np.ndarray
    objectives: np.ndarray
    converged: bool
    reason: str
    attempts: tuple = ()

    @property
    def log_likelihood(self):
        """ℓ of the fitted mixture, in nats."""
        return float(self.log_likelihoods[-1])

    @property
    def n_iter(self):
        """How many M steps were made."""
        return len(self.log_likelihoods) - 1


def fit(
    X,
    k_or_initial,
    *,
    covariance_type="full",
    tol=1e-8,
    max_iter=1000,
    n_init=1,
    rng=None,
    sample_weight=None,
    prior=None,
    threads=None,
    progress=False,
):
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
        The number of components, to start from `n_init` k-means++ starts and keep the best fit; or
        the start itself.
    covariance_type : {"full", "tied", "diag", "spherical"}
    tol : float
        Stop when an iteration gains less than this per point (in nats). 0: never, run `max_iter`.
    max_iter : int
        The most M steps from one start; 0 evaluates the start.
    n_init : int
        Number of starts; with a mixture given there is only one.
    rng : numpy.random.Generator
        Needed when k is given.
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
    """
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    tol, max_iter = as_number(tol, "tol"), as_count(max_iter, "max_iter", least=0)
    n_init = as_count(n_init, "n_init")
    source = as_source(X, sample_weight, threads)
    prior = as_prior(prior, source.d)
    engine = Engine(source, covariance_type, prior=prior)
    starts = starts_of(source, k_or_initial, n_init, rng, covariance_type)
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
    return Fit(
        best.mixture,
        best.log_likelihoods,
        best.objectives,
        best.converged,
        best.reason,
        tuple(attempts),
    )


def starts_of(source, k_or_initial, n_init, rng, covariance_type):
    """The mixtures to start from, made one at a time as they are asked for."""
    if isinstance(k_or_initial, GaussianMixture):
        if k_or_initial.d != source.d:
            refuse_shape((source.m, source.d), k_or_initial.d)
        if n_init != 1:
            raise ValueError(
                f"n_init: expected 1 with a given start, got {n_init}; every run from one start "
                "ends alike, so pass k instead to try several."
            )
        return iter([k_or_initial])
    k = as_components(k_or_initial, source.m)
    if rng is None:
        raise TypeError(
            "rng: expected a numpy.random.Generator to draw starting points with, got None; pass "
            "rng=np.random.default_rng(seed), or a GaussianMixture to start from."
        )
    X, weight = source.sample(START_SAMPLE, as_rng(rng))
    return (
        kmeans_plus_plus(X, k, rng=rng, covariance_type=covariance_type, sample_weight=weight)
        for _ in range(n_init)
    )


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
            raise DegenerateComponentError(error.component, error.reason, t + 1) from None
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
