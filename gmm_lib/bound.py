r"""Jensen's inequality, the lower bound on the log-likelihood, and the gradients of both.

For any responsibilities w, one distribution over the components for each point,

.. math:: \ell(\theta) = \underbrace{\sum_{i,j} w_j^{(i)}
          \log\frac{p(x^{(i)}, z^{(i)} = j; \theta)}{w_j^{(i)}}}_{\text{evidence lower bound}}
          + \sum_i \mathrm{KL}\left(w^{(i)} \,\|\, p(z \mid x^{(i)}; \theta)\right)

The E step makes the second sum 0, the M step raises the first; see [1]_ and [2]_. All logs are
natural, and 0 log 0 is 0, its limit.

References
----------
.. [1] R. M. Neal and G. E. Hinton (1998), A view of the EM algorithm that justifies incremental,
   sparse, and other variants, in Learning in Graphical Models, 355-368.
.. [2] C. M. Bishop (2006), Pattern Recognition and Machine Learning, section 9.4.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import (
    SUM_TOLERANCE,
    as_function,
    as_points,
    as_real,
    as_responsibilities,
    as_sample_weight,
)
from gmm_lib.em import as_mixture
from gmm_lib.mixture import GaussianMixture, normalize, too_far


class Gradient(NamedTuple):
    """Derivatives by the parameters of a mixture, each of the shape of its parameter."""

    weights: np.ndarray  # ∂/∂φ, shape (k,)
    means: np.ndarray  # ∂/∂μ, shape (k, d)
    covariances: np.ndarray  # ∂/∂Σ, shape (k, d, d), symmetric


def evidence_lower_bound(
    X: ArrayLike,
    mixture: GaussianMixture,
    responsibilities: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""Return the lower bound :math:`\sum_{ij} w_j^{(i)} \log (p(x^{(i)}, z = j) / w_j^{(i)})`.

    It is at most ℓ(θ) for any responsibilities, and equal to it for those of the E step.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    mixture : GaussianMixture
        θ.
    responsibilities : array_like, shape (m, k)
        w, or Q in the derivation: any distributions over the components, rows summing to 1.
    sample_weight : array_like, shape (m,), optional
        How often each point counts.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from gmm_lib import e_step, datasets
    >>> data = datasets.ten_points()
    >>> w, log_likelihood = e_step(data.X, data.start)
    >>> abs(evidence_lower_bound(data.X, data.start, w) - log_likelihood) < 1e-12
    True
    """
    log_joint, w, weight = _checked(X, mixture, responsibilities, sample_weight)
    return float(weight @ (_expected(w, log_joint) + _entropy(w)))


def expected_complete_log_likelihood(
    X: ArrayLike,
    mixture: GaussianMixture,
    responsibilities: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""Return :math:`\sum_{ij} w_j^{(i)} \log p(x^{(i)}, z = j; \theta)`, which the M step climbs.

    It is the lower bound without the entropy of w, which does not depend on θ.

    Parameters
    ----------
    X, mixture, responsibilities, sample_weight
        As in `evidence_lower_bound`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> ten = datasets.ten_points()
    >>> w, log_likelihood = e_step(ten.X, ten.start)
    >>> expected = expected_complete_log_likelihood(ten.X, ten.start, w)
    >>> bool(np.isclose(expected + entropy(w).sum(), log_likelihood))
    True
    """
    log_joint, w, weight = _checked(X, mixture, responsibilities, sample_weight)
    return float(weight @ _expected(w, log_joint))


def entropy(q: ArrayLike) -> np.ndarray:
    """Return the entropy -Σ_j q_j log q_j of each row, shape (m,), in nats.

    Parameters
    ----------
    q : array_like, shape (m, k), or (k,) for a single distribution
        Rows sum to 1.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    TypeError, ValueError
        If a row is not a distribution.

    Examples
    --------
    >>> entropy([[0.5, 0.5], [0.9, 0.1]]).round(4).tolist()
    [0.6931, 0.3251]
    """
    return _entropy(_distributions(q, "q"))


def kl_divergence(q: ArrayLike, p: ArrayLike) -> np.ndarray:
    """Return KL(q ‖ p) = Σ_j q_j log(q_j / p_j) for each row, shape (m,), in nats.

    It is 0 where the rows are equal and positive where they are not; infinite where q gives
    probability to something that p excludes.

    Parameters
    ----------
    q, p : array_like, shape (m, k), or (k,) for a single distribution
        Rows sum to 1.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    TypeError, ValueError
        If a row is not a distribution, or the shapes differ.

    Examples
    --------
    >>> kl_divergence([0.5, 0.5], [0.9, 0.1]).round(4).tolist()
    [0.5108]
    """
    q, p = _distributions(q, "q"), _distributions(p, "p")
    if q.shape != p.shape:
        raise ValueError(
            f"p: expected shape {q.shape} as q has, got {p.shape}; compare row with row."
        )
    with np.errstate(divide="ignore"):
        return _kl(q, np.log(p))


def kl_to_posterior(
    X: ArrayLike, mixture: GaussianMixture, responsibilities: ArrayLike
) -> np.ndarray:
    """Return how much bound each point loses: KL(w^(i) ‖ p(z | x^(i); θ)), shape (m,), in nats.

    Unlike `kl_divergence` of the posterior it stays in log space, so that it is finite and exact
    even where a posterior probability is too small for float64.

    Parameters
    ----------
    X, mixture, responsibilities
        As in `evidence_lower_bound`.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> ten = datasets.ten_points()
    >>> kl_to_posterior(ten.X, ten.start, np.full((10, 2), 0.5)).round(3)[4].item()
    0.352
    """
    log_joint, w, _ = _checked(X, mixture, responsibilities, None)
    return _kl(w, log_joint - normalize(log_joint)[1][:, None])


def jensen_gap(f: Callable, values: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Return E[f(X)] - f(E[X]) for X that takes `values` with probabilities `weights`.

    Jensen's inequality [1]_: at least 0 for convex f, at most 0 for concave f such as log. For
    strictly convex or concave f it is 0 exactly when X is constant.

    Parameters
    ----------
    f : callable
        Takes an array and returns one of the same shape.
    values : array_like, shape (n,)
    weights : array_like, shape (n,), optional
        Probabilities, of sum 1; equal if not given.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If values or weights are not as described, or f is not defined (finite) at a value of
        positive weight or at the mean.

    References
    ----------
    .. [1] J. L. W. V. Jensen (1906), Sur les fonctions convexes et les inégalités entre les
       valeurs moyennes, Acta Mathematica 30, 175-193.

    Examples
    --------
    >>> jensen_gap(np.square, [1, 3])
    1.0
    """
    as_function(f, "f")
    values = as_real(values, "values")
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(
            f"values: expected shape (n,) with at least one value, got {values.shape}; "
            "pass a list of numbers."
        )
    if weights is None:
        q = np.full(len(values), 1 / len(values))
    else:
        weights = as_real(weights, "weights")
        if weights.shape != values.shape:
            raise ValueError(
                f"weights: expected shape {values.shape}, one probability a value, got "
                f"{weights.shape}; pass as many weights as values."
            )
        q = _distributions(weights, "weights")[0]
    values, q = values[q > 0], q[q > 0]
    points = np.append(values, q @ values)
    with np.errstate(divide="ignore", invalid="ignore"):
        heights = np.asarray(f(points), dtype=float)
    if heights.shape != points.shape:
        raise ValueError(
            f"f: expected a function that maps arrays value by value, got shape {heights.shape} "
            f"for {points.shape}; wrap it in np.vectorize."
        )
    if not np.isfinite(heights).all():
        bad = points[np.argmin(np.isfinite(heights))]
        raise ValueError(
            f"f: expected a function defined at every value and at their mean, got a result that "
            f"is not finite at {bad:g}; move the values (log needs them above 0)."
        )
    return float(q @ heights[:-1] - heights[-1])


def log_likelihood_gradient(
    X: ArrayLike, mixture: GaussianMixture
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return the gradient of ℓ at θ.

    With one point, :math:`\ell = \log \sum_j \phi_j N_j`, so for any parameter :math:`\theta_j`
    of component j

    .. math:: \frac{\partial \ell}{\partial \theta_j}
              = \frac{\phi_j N_j}{\sum_l \phi_l N_l}
                \frac{\partial \log(\phi_j N_j)}{\partial \theta_j}
              = w_j \frac{\partial \log(\phi_j N_j)}{\partial \theta_j}

    because :math:`\partial g = g \, \partial \log g`. This is the gradient of the lower bound at
    the responsibilities of the E step (Fisher's identity), which is how it is computed here: see
    `bound_gradient` for the three derivatives.

    Parameters
    ----------
    X : array_like, shape (m, d), or (m,) in one dimension
    mixture : GaussianMixture
        θ.

    Returns
    -------
    Gradient
        weights (k,), means (k, d), covariances (k, d, d), as in `bound_gradient`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> ten = datasets.ten_points()
    >>> found = fit(ten.X, ten.start).mixture
    >>> bool(np.allclose(log_likelihood_gradient(ten.X, found)[1], 0, atol=1e-3))
    True
    """
    return bound_gradient(X, mixture, as_mixture(mixture).responsibilities(X))


def bound_gradient(
    X: ArrayLike, mixture: GaussianMixture, responsibilities: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return the gradient of the lower bound by θ, for fixed responsibilities w.

    Only :math:`\sum_{ij} w_j^{(i)} (\log\phi_j + \log N(x^{(i)}; \mu_j, \Sigma_j))` depends on θ.
    Write :math:`N_j = \sum_i w_j^{(i)}`, and :math:`\log N = -\frac12 (d \log 2\pi +
    \log|\Sigma| + (x - \mu)^T \Sigma^{-1} (x - \mu))`.

    - **φ**: :math:`\partial/\partial\phi_j = N_j / \phi_j`, each φ_j taken as free. On the simplex
      only differences between components count: at a maximum all k entries are equal to m, the
      Lagrange multiplier.
    - **μ**: the quadratic has derivative :math:`-2 \Sigma^{-1} (x - \mu)`, hence
      :math:`\partial/\partial\mu_j = \Sigma_j^{-1} \sum_i w_j^{(i)} (x^{(i)} - \mu_j)`.
    - **Σ**: :math:`\partial \log|\Sigma| = \mathrm{tr}(\Sigma^{-1} \partial\Sigma)` and
      :math:`\partial \Sigma^{-1} = -\Sigma^{-1} \, \partial\Sigma \, \Sigma^{-1}`, hence
      :math:`\partial/\partial\Sigma_j = \frac12 \Sigma_j^{-1} (S_j - N_j \Sigma_j) \Sigma_j^{-1}`
      with :math:`S_j = \sum_i w_j^{(i)} (x^{(i)} - \mu_j)(x^{(i)} - \mu_j)^T`. All d² entries are
      taken as free: a small symmetric change D of Σ_j changes the value by
      :math:`\mathrm{tr}(G_j D)`, G_j the gradient.

    Parameters
    ----------
    X, mixture, responsibilities
        As in `evidence_lower_bound`.

    Returns
    -------
    Gradient
        weights (k,), means (k, d), covariances (k, d, d).

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    .. [1] K. P. Murphy (2012), Machine Learning: A Probabilistic Perspective, section 11.4.

    Examples
    --------
    >>> ten = datasets.ten_points()
    >>> w = ten.start.responsibilities(ten.X)
    >>> gradient = bound_gradient(ten.X, ten.start, w)
    >>> bool(np.allclose(gradient[1], log_likelihood_gradient(ten.X, ten.start)[1]))
    True
    """
    X = as_points(X, as_mixture(mixture).d)
    w = as_responsibilities(responsibilities, len(X), mixture.k)
    N = w.sum(axis=0)
    whiten = np.linalg.inv(mixture.cholesky)  # L⁻¹, so that Σ⁻¹ = L⁻ᵀ L⁻¹
    means, covariances = np.empty_like(mixture.means), np.empty_like(mixture.covariances)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
        for j in range(mixture.k):
            z = (X - mixture.means[j]) @ whiten[j].T
            means[j] = whiten[j].T @ (w[:, j] @ z)
            excess = (w[:, j, None] * z).T @ z - N[j] * np.eye(mixture.d)
            covariances[j] = 0.5 * whiten[j].T @ excess @ whiten[j]
    if not (np.isfinite(means).all() and np.isfinite(covariances).all()):
        raise too_far("X", "one")
    return Gradient(N / mixture.weights, means, covariances)


def _checked(X, mixture, responsibilities, sample_weight):
    """log p(x, z = j) (m, k), responsibilities (m, k) and weights (m,), from raw arguments."""
    log_joint = as_mixture(mixture).component_log_density(X)
    w = as_responsibilities(responsibilities, *log_joint.shape)
    weight = as_sample_weight(sample_weight, len(w))
    return log_joint, w, np.ones(len(w)) if weight is None else weight


def _distributions(q, name) -> np.ndarray:
    """Return q as an array (m, k) of rows that are distributions; a vector becomes one row."""
    q = np.atleast_2d(as_real(q, name))
    if q.ndim != 2 or q.size == 0:
        raise ValueError(
            f"{name}: expected shape (m, k), one distribution a row, or (k,), got {q.shape}; "
            "pass at least one row of at least one probability."
        )
    off = np.abs(q.sum(axis=1) - 1)
    if (q < 0).any() or (off > SUM_TOLERANCE).any():
        i = int(np.argmax((q < 0).any(axis=1) | (off > SUM_TOLERANCE)))
        raise ValueError(
            f"{name}: expected probabilities of sum 1 in each row, got sum {q[i].sum():.10g} and "
            f"minimum {q[i].min():g} in row {i}; divide each row by its sum."
        )
    return q


def _log_or_zero(q):
    """log q, and 0 where q is 0: there it is multiplied by q, and 0 log 0 is 0."""
    return np.log(np.where(q > 0, q, 1))


def _expected(q, values):
    """Σ_j q_j values_j; where q is 0 a value may be infinite, and does not count."""
    return (q * np.where(q > 0, values, 0)).sum(axis=1)


def _entropy(q):
    return -(q * _log_or_zero(q)).sum(axis=1)


def _kl(q, log_p):
    """Σ_j q_j (log q_j - log p_j), the terms with q_j = 0 left out."""
    return _expected(q, _log_or_zero(q) - log_p)
