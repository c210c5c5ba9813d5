"""The EM algorithm for Gaussian mixtures, one iteration after another.

Symbols: X data (m, d); w responsibilities (m, k); N_j = Σ_i w_j^(i) counts; φ, μ, Σ the parameters
of a `GaussianMixture`; ℓ the log-likelihood in nats.

References
----------
.. [1] A. P. Dempster, N. M. Laird and D. B. Rubin (1977), Maximum likelihood from incomplete data
   via the EM algorithm, Journal of the Royal Statistical Society B 39, 1-38.
.. [2] C. M. Bishop (2006), Pattern Recognition and Machine Learning, section 9.2.2.
"""

from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import as_choice, as_points, as_responsibilities, as_sample_weight
from gmm_lib.covariance import (
    CONSTRAINTS,
    COVARIANCE_TYPES,
    DegenerateComponentError,
    maximize,
)
from gmm_lib.features import features_of
from gmm_lib.mixture import GaussianMixture, normalize
from gmm_lib.prior import CovariancePrior, as_prior


class EMState(NamedTuple):
    """Iteration t of EM. The half steps are (θ_t, w_t) after E and (θ_t+1, w_t) after M.

    Examples
    --------
    >>> state = next(em_states(datasets.ten_points().X, datasets.ten_points().start))
    >>> state.iteration, state.responsibilities.shape, round(state.log_likelihood, 2)
    (0, (10, 2), -60.72)
    """

    iteration: int  # t, from 0: the start
    mixture: GaussianMixture  # θ_t
    responsibilities: np.ndarray  # w_t, shape (m, k)
    log_likelihood: float  # ℓ(θ_t)


def e_step(
    X: ArrayLike, mixture: GaussianMixture, *, sample_weight: ArrayLike | None = None
) -> tuple[np.ndarray, float]:
    """E step: how much of each point belongs to each component, and how likely the data are.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    mixture : GaussianMixture
        θ, the current parameters.
    sample_weight : array_like, shape (m,), optional
        How often each point counts: 0 is absence, 2 is repetition. It scales the point's share of
        ℓ and leaves its responsibilities alone.

    Returns
    -------
    responsibilities : ndarray, shape (m, k)
        w_j^(i) = p(z^(i) = j | x^(i); θ); each row sums to 1.
    log_likelihood : float
        ℓ(θ) = Σ_i log p(x^(i); θ), in nats.

    Raises
    ------
    TypeError, ValueError
        If X or sample_weight is not such an array, or mixture is not a mixture of d features.

    Examples
    --------
    >>> ten = datasets.ten_points()
    >>> w, log_likelihood = e_step(ten.X, ten.start)
    >>> w[4].round(4).tolist(), round(log_likelihood, 2)
    ([0.1444, 0.8556], -60.72)
    """
    as_mixture(mixture)
    log_joint = mixture.component_log_density(X)  # log p(x, z = j), shape (m, k)
    responsibilities, log_density = normalize(log_joint)  # Bayes' rule; log p(x)
    weight = as_sample_weight(sample_weight, len(log_density))
    log_likelihood = log_density.sum() if weight is None else weight @ log_density
    return responsibilities, float(log_likelihood)


def m_step(
    X: ArrayLike,
    responsibilities: ArrayLike,
    covariance_type: str = "full",
    *,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> GaussianMixture:
    """M step: the maximum-likelihood fit of each component to its share of the points.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    responsibilities : array_like, shape (m, k)
        w; each row sums to 1.
    covariance_type : {"full", "tied", "diag", "spherical"}
        The constraint on Σ.
    sample_weight : array_like, shape (m,), optional
        How often each point counts.
    prior : CovariancePrior, optional
        If given, the step maximizes the posterior instead of the likelihood.

    Returns
    -------
    GaussianMixture
        The parameters that maximize the expected complete log-likelihood.

    Raises
    ------
    DegenerateComponentError
        If a component owns no point or has collapsed.
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> ten = datasets.ten_points()
    >>> w, _ = e_step(ten.X, ten.start)
    >>> m_step(ten.X, w).means.round(3).ravel().tolist()
    [3.926, 19.228]
    """
    X = as_points(X)
    w = as_responsibilities(responsibilities, len(X))
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    weight = as_sample_weight(sample_weight, len(X))
    if weight is not None:
        w = w * weight[:, None]

    N = w.sum(axis=0)  # N_j: how many points component j owns, a fractional count
    # An empty component has no mean; maximize, below, is where it is reported.
    owned = np.where(N > 0, N, 1)[:, None]
    mu = (w.T @ X) / owned
    scatter = np.empty((len(N), X.shape[1], X.shape[1]))
    for j in range(len(N)):
        # A sum of many numbers is off by many roundings; the mean of what is left mends the mean.
        mu[j] += w[:, j] @ (X - mu[j]) / owned[j]
        difference = X - mu[j]  # from the new mean, not from the old
        scatter[j] = (w[:, j, None] * difference).T @ difference
    # φ_j = N_j / m and Σ_j = scatter_j / N_j, under the constraint
    return GaussianMixture._trusted(
        *maximize(N, mu, scatter, covariance_type, as_prior(prior, X.shape[1]))
    )


def em_states(
    X: ArrayLike,
    initial: GaussianMixture,
    covariance_type: str = "full",
    *,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> Iterator[EMState]:
    """Yield the states of EM from `initial`, without end; you decide when to stop.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    initial : GaussianMixture
        θ_0, once its covariances fit the covariance type: see `constrained`.
    covariance_type, sample_weight, prior
        As in `m_step`.

    Yields
    ------
    EMState
        (t, θ_t, w_t, ℓ(θ_t)) for t = 0, 1, 2, … Without a prior, ℓ never falls beyond rounding;
        with one, ℓ plus `CovariancePrior.log_density` never does.

    Raises
    ------
    DegenerateComponentError
        At the iteration whose M step meets it.
    TypeError, ValueError
        At once, if an argument is not as described.

    Examples
    --------
    >>> from itertools import islice
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> start = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
    >>> [round(state.log_likelihood, 4) for state in islice(em_states(x, start), 3)]
    [-60.7213, -34.5257, -34.1747]
    """
    as_mixture(initial, "initial")
    X = as_points(X, initial.d)
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    as_sample_weight(sample_weight, len(X))
    as_prior(prior, initial.d)
    initial = constrained(initial, covariance_type)
    return _em_states(X, initial, covariance_type, sample_weight, prior)


def _em_states(X, mixture, covariance_type, sample_weight, prior):
    # Apart from em_states, because a generator would check its arguments only when first asked.
    for t in count():
        responsibilities, log_likelihood = e_step(X, mixture, sample_weight=sample_weight)
        yield EMState(t, mixture, responsibilities, log_likelihood)
        try:
            mixture = m_step(
                X, responsibilities, covariance_type, sample_weight=sample_weight, prior=prior
            )
        except DegenerateComponentError as error:
            raise error.at(t + 1) from None


def constrained(mixture: GaussianMixture, covariance_type: str) -> GaussianMixture:
    """Return the mixture with covariances of a type: itself, if they fit the type already.

    EM under a constraint climbs among the mixtures that keep it. From one that does not, the first
    M step would have to come down to them, and ℓ could fall. So a start takes the covariances that
    an M step would give to points spread as the start says: those of the type that are nearest to
    its own, component by component, in the Kullback-Leibler divergence.

    Parameters
    ----------
    mixture : GaussianMixture
    covariance_type : {"full", "tied", "diag", "spherical"}

    Returns
    -------
    GaussianMixture

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> crooked = GaussianMixture([1.0], [[0, 0]], [[[2, 1], [1, 3]]])
    >>> constrained(crooked, "diag").covariances[0]
    array([[2., 0.],
           [0., 3.]])
    """
    as_mixture(mixture)
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    if features_of(covariance_type, mixture.d).describe(mixture.covariances):
        return mixture
    covariances = CONSTRAINTS[covariance_type](mixture.weights, mixture.covariances)
    return GaussianMixture(mixture.weights, mixture.means, covariances)


def as_mixture(mixture, name="mixture"):
    """Return `mixture` if it is a `GaussianMixture`.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(mixture, GaussianMixture):
        raise TypeError(
            f"{name}: expected a GaussianMixture, got {type(mixture).__name__}; make one with "
            "GaussianMixture(weights, means, covariances)."
        )
    return mixture
