r"""EM with longer steps: squared extrapolation (SQUAREM), for data on which EM creeps.

Near its end EM multiplies the error by the same matrix in every iteration, so two iterations tell
where a geometric series of them would lead. With θ a vector of numbers that may be anything (below)
and F one iteration of EM, a cycle of scheme S3 of Varadhan and Roland (see `squarem_states`) is

.. math::
    \theta_1 = F(\theta_0), \quad \theta_2 = F(\theta_1), \quad
    r = \theta_1 - \theta_0, \quad v = (\theta_2 - \theta_1) - r, \quad
    \alpha = -\frac{|r|}{|v|}, \\
    \theta' = \theta_0 - 2 \alpha r + \alpha^2 v, \quad \theta_0 \leftarrow F(\theta').

With α = -1, θ' is θ_2: plain EM. The step α is what the last two steps of EM suggest, and the
last F makes good what the extrapolation did to directions that it does not fit.

The vector holds log φ_j, the means, and the Cholesky factors of Σ_j with the logs of their
diagonals: whatever numbers an extrapolation leads to, they are a mixture again. All components move
by the same α, so tied, diagonal and spherical covariances stay what they are. Means and factors are
measured in standard deviations of their feature, so that units do not matter.
"""

from collections.abc import Iterator
from itertools import count

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import as_choice, as_points, as_sample_weight
from gmm_lib.covariance import (
    COVARIANCE_TYPES,
    EMPTY_SHARE,
    DegenerateComponentError,
    checked_cholesky,
    diagonals,
)
from gmm_lib.em import EMState, as_mixture, constrained, e_step, m_step
from gmm_lib.mixture import GaussianMixture
from gmm_lib.prior import CovariancePrior, as_prior


def squarem_states(
    X: ArrayLike,
    initial: GaussianMixture,
    covariance_type: str = "full",
    *,
    sample_weight: ArrayLike | None = None,
    prior: CovariancePrior | None = None,
) -> Iterator[EMState]:
    """Yield the states of accelerated EM (SQUAREM [1]_) from `initial`, without end.

    Each state is three EM maps (M steps) after the one before: two that show the direction, and one
    after the extrapolation. Where that leads to no mixture, or to a lower log-likelihood than the
    first of the two, plain EM goes on from the second instead, so ℓ does not fall.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    initial : GaussianMixture
        θ_0, once its covariances fit the covariance type: see `gmm_lib.em.constrained`.
    covariance_type : {"full", "tied", "diag", "spherical"}
    sample_weight : array_like, shape (m,), optional
        How often each point counts.
    prior : CovariancePrior, optional
        If given, the posterior is what does not fall.

    Yields
    ------
    EMState
        As `em_states` does; `iteration` counts the EM maps so far, 0, 3, 6, …, so that the two can
        be compared.

    Raises
    ------
    DegenerateComponentError
        If a component collapses under plain EM.
    TypeError, ValueError
        At once, if an argument is not as described.

    References
    ----------
    .. [1] R. Varadhan and C. Roland (2008), Simple and globally convergent methods for accelerating
       the convergence of any EM algorithm, Scandinavian Journal of Statistics 35, 335-353.

    Examples
    --------
    >>> from itertools import islice
    >>> x = [1, 4, 5, 6, 9, 19, 21, 24, 26, 29]
    >>> start = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
    >>> for state in islice(squarem_states(x, start), 4):
    ...     print(state.iteration, round(state.log_likelihood, 4))
    0 -60.7213
    3 -33.7933
    6 -32.2416
    9 -32.2391
    """
    as_mixture(initial, "initial")
    X = as_points(X, initial.d)
    as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
    weight = as_sample_weight(sample_weight, len(X))
    initial = constrained(initial, covariance_type)
    return _squarem_states(X, initial, covariance_type, weight, as_prior(prior, initial.d))


def _squarem_states(X, mixture, covariance_type, weight, prior):
    # Apart, because a generator would check its arguments only when first asked.
    off = X - np.average(X, axis=0, weights=weight)
    spread = np.sqrt(np.average(off * off, axis=0, weights=weight))
    unit = np.where(spread > 0, spread, 1)

    def e(mixture):
        """Responsibilities, ℓ, and the height of what is climbed: with a prior the posterior."""
        w, log_likelihood = e_step(X, mixture, sample_weight=weight)
        bonus = prior.log_density(mixture.cholesky) if prior else 0.0
        return w, log_likelihood, log_likelihood + bonus

    def m(w, t):
        """The M step that makes θ_t."""
        try:
            return m_step(X, w, covariance_type, sample_weight=weight, prior=prior)
        except DegenerateComponentError as error:
            raise error.at(t) from None

    for t in count(0, 3):
        w, log_likelihood, _ = e(mixture)
        yield EMState(t, mixture, w, log_likelihood)
        first = m(w, t + 1)
        w, _, height = e(first)
        second = m(w, t + 2)
        try:
            w, _, reached = e(extrapolated(mixture, first, second, unit))
            mixture = m(w, t + 3) if reached >= height else None
        except ValueError:  # no mixture, or one that has left its points
            mixture = None
        if mixture is None:
            mixture = m(e(second)[0], t + 3)


def extrapolated(start, first, second, unit):
    """Return θ' = θ_0 - 2αr + α²v; θ_2 itself where two steps of EM suggest no longer one.

    Parameters
    ----------
    start, first, second : GaussianMixture
        θ_0 and two iterations of EM from it.
    unit : ndarray, shape (d,)
        What lengths are measured in, for each feature.

    Returns
    -------
    GaussianMixture

    Raises
    ------
    DegenerateComponentError
        If θ' has an empty or singular component, in floating point.
    """
    zero, one, two = (_as_vector(mixture, unit) for mixture in (start, first, second))
    r, v = one - zero, two - 2 * one + zero
    lengths = np.linalg.norm(r), np.linalg.norm(v)
    if lengths[0] <= lengths[1] or lengths[1] == 0:
        return second
    alpha = -lengths[0] / lengths[1]
    return _as_mixture(zero - 2 * alpha * r + alpha**2 * v, start.k, unit)


def _as_vector(mixture, unit):
    """A mixture as numbers without constraints: log φ, μ, and L with the logs of its diagonal."""
    factors = mixture.cholesky / unit[:, None]
    diagonals(factors)[:] = np.log(diagonals(factors))
    return np.concatenate(
        [np.log(mixture.weights), (mixture.means / unit).ravel(), factors.ravel()]
    )


def _as_mixture(vector, k, unit):
    """The mixture that such a vector describes; weights are divided by their sum."""
    d = len(unit)
    logs, means, factors = np.split(vector, [k, k + k * d])
    factors = factors.reshape(k, d, d)
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        diagonals(factors)[:] = np.exp(diagonals(factors))
        factors *= unit[:, None]
        covariances = factors @ factors.transpose(0, 2, 1)
    if not weights.min() > EMPTY_SHARE:
        reason, remedy = "its weight left the range of floats", "a shorter step"
        raise DegenerateComponentError(int(weights.argmin()), reason, remedies=[remedy])
    means = means.reshape(k, d) * unit
    factors = checked_cholesky(weights, means, covariances)
    return GaussianMixture._trusted(weights, means, covariances, factors)
