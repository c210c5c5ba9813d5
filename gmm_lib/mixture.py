"""The Gaussian mixture θ = (φ, μ, Σ) as a value: it is made, checked, and never changed.

Symbols: m points, d features, k components; φ_j `weights`, μ_j `means`, Σ_j `covariances`;
w_j^(i) `responsibilities`.
"""

from dataclasses import dataclass, field

import numpy as np

from gmm_lib._validate import SUM_TOLERANCE, as_count, as_points, as_real, as_rng
from gmm_lib.covariance import LOG_2PI, log_determinants


@dataclass(frozen=True, eq=False, repr=False)
class GaussianMixture:
    r"""A mixture of k Gaussians, with density :math:`p(x) = \sum_j \phi_j N(x; \mu_j, \Sigma_j)`.

    Parameters
    ----------
    weights : array_like, shape (k,)
        Mixing weights φ, positive, of sum 1.
    means : array_like, shape (k, d), or (k,) in one dimension
        μ, in the units of the data.
    covariances : array_like, shape (k, d, d), or (k,) variances in one dimension
        Σ, symmetric and positive definite, in the units of the data squared.

    Raises
    ------
    TypeError, ValueError
        If they are anything else; nothing is normalized or made symmetric for you.

    Notes
    -----
    The arrays are copies and read-only. Data in one dimension may be given as (m,). All work is
    done in float64, whatever comes in, and in log space: no point is too far away. See [1]_.

    References
    ----------
    .. [1] C. M. Bishop (2006), Pattern Recognition and Machine Learning, section 9.2.

    Examples
    --------
    >>> mixture = GaussianMixture(weights=[0.5, 0.5], means=[3, 10], covariances=[8.5, 15.7])
    >>> mixture.responsibilities([9]).round(4)
    array([[0.1444, 0.8556]])
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    cholesky: np.ndarray = field(init=False)  # lower factors of Σ, kept because all else needs them

    def __post_init__(self):
        weights = _as_weights(self.weights)
        means = _as_means(self.means, len(weights))
        covariances = as_covariances(self.covariances, *means.shape)
        self._keep(weights.copy(), means.copy(), covariances.copy(), positive_definite(covariances))

    @classmethod
    def _trusted(cls, weights, means, covariances, cholesky):
        """The mixture of arrays that an M step has just made and checked."""
        mixture = object.__new__(cls)
        mixture._keep(weights, means, covariances, cholesky)
        return mixture

    def _keep(self, weights, means, covariances, cholesky):
        for array in (weights, means, covariances, cholesky):
            array.setflags(write=False)
        # Attributes of a frozen dataclass cannot be assigned.
        vars(self).update(weights=weights, means=means, covariances=covariances, cholesky=cholesky)

    def __reduce__(self):
        return type(self), (self.weights, self.means, self.covariances)

    @property
    def k(self):
        """Number of components."""
        return self.means.shape[0]

    @property
    def d(self):
        """Number of features."""
        return self.means.shape[1]

    def component_log_density(self, X):
        """Return log φ_j + log N(x^(i); μ_j, Σ_j), shape (m, k).

        Subtracting μ_j first and whitening with the Cholesky factor of Σ_j keeps every digit even
        far from the origin; multiplying the square out would not.

        Raises
        ------
        TypeError, ValueError
            If X is not finite data of d features.
        """
        X = as_points(X, self.d)
        constants = np.log(self.weights) - 0.5 * (
            self.d * LOG_2PI + log_determinants(self.cholesky)
        )
        whiten = np.linalg.inv(self.cholesky)
        log_density = np.empty((len(X), self.k))
        for j in range(self.k):
            z = (X - self.means[j]) @ whiten[j].T
            log_density[:, j] = constants[j] - 0.5 * np.einsum("id,id->i", z, z)
        return log_density

    def log_density(self, X):
        """Return log p(x^(i)), shape (m,): the log of a density, which may exceed 0.

        Raises
        ------
        TypeError, ValueError
            If X is not finite data of d features.
        """
        return normalize(self.component_log_density(X))[1]

    def responsibilities(self, X):
        """Return w_j^(i) = p(z^(i) = j | x^(i)), shape (m, k), by Bayes' rule; rows sum to 1.

        Raises
        ------
        TypeError, ValueError
            If X is not finite data of d features.
        """
        return normalize(self.component_log_density(X))[0]

    def sample(self, m, rng):
        """Draw m points.

        Parameters
        ----------
        m : int
        rng : numpy.random.Generator

        Returns
        -------
        X : ndarray, shape (m, d)
        labels : ndarray of int, shape (m,)
            The component each point came from, from 0.

        Raises
        ------
        TypeError, ValueError
            If m is not a whole number of at least 1 or rng is not a Generator.
        """
        m, rng = as_count(m, "m"), as_rng(rng)
        labels = rng.choice(self.k, size=m, p=self.weights)
        # Σ = L Lᵀ, so L times standard normal numbers has covariance Σ.
        noise = np.einsum("iab,ib->ia", self.cholesky[labels], rng.standard_normal((m, self.d)))
        return self.means[labels] + noise, labels

    def permuted(self, order):
        """Return the same mixture with its components in another order: the density is unchanged.

        Parameters
        ----------
        order : array_like of int, shape (k,)
            A permutation of 0 to k - 1; component order[j] comes to place j.

        Raises
        ------
        ValueError
            If it is not a permutation.
        """
        order = np.asarray(order)
        if order.shape != (self.k,) or not np.array_equal(np.sort(order), np.arange(self.k)):
            raise ValueError(
                f"order: expected a permutation of 0 to {self.k - 1}, got {order.tolist()}; name "
                "each component once, for example np.argsort(mixture.means[:, 0])."
            )
        return self._trusted(
            self.weights[order], self.means[order], self.covariances[order], self.cholesky[order]
        )

    def __repr__(self):
        parts = (
            f"{name}={np.array2string(value, precision=4, separator=', ')}"
            for name, value in (
                ("weights", self.weights),
                ("means", self.means[:, 0] if self.d == 1 else self.means),
                ("covariances", self.covariances[:, 0, 0] if self.d == 1 else self.covariances),
            )
        )
        return f"GaussianMixture({', '.join(parts)})".replace("\n", " ")


def normalize(log_joint):
    """Return p(z | x) and log p(x) from log p(x, z): Bayes' rule in log space (log-sum-exp).

    Subtracting the row's maximum makes the largest exponential 1: no row over- or underflows. The
    probabilities are divided by their own sum, so a row sums to 1 even where log p(x) is so large
    that adding log(sum) to it is lost to rounding.

    Parameters
    ----------
    log_joint : ndarray, shape (m, k)

    Returns
    -------
    posterior : ndarray, shape (m, k)
    log_marginal : ndarray, shape (m,)
    """
    top = log_joint.max(axis=1, keepdims=True)
    posterior = np.exp(log_joint - top)
    total = posterior.sum(axis=1, keepdims=True)
    posterior /= total
    return posterior, (top + np.log(total))[:, 0]


def _as_weights(weights):
    weights = as_real(weights, "weights")
    if weights.ndim != 1 or len(weights) == 0:
        raise ValueError(
            f"weights: expected shape (k,), one mixing weight a component, got {weights.shape}; "
            "pass a list of k numbers."
        )
    if (weights <= 0).any():
        j = int(np.argmax(weights <= 0))
        raise ValueError(
            f"weights: expected positive mixing weights, got weights[{j}] = {weights[j]:g}; "
            "leave a component without weight out."
        )
    if abs(weights.sum() - 1) > SUM_TOLERANCE:
        raise ValueError(
            f"weights: expected mixing weights that sum to 1, got {weights.sum():.10g}; "
            "divide them by their sum if only their ratios are meant."
        )
    return weights


def _as_means(means, k):
    means = as_real(means, "means")
    if means.ndim == 1:
        means = means[:, None]
    if means.ndim != 2 or len(means) != k or means.shape[1] == 0:
        raise ValueError(
            f"means: expected shape ({k}, d), or ({k},) in one dimension, as there are {k} "
            f"weights, got {means.shape}; pass one mean a component."
        )
    return means


def as_covariances(covariances, k, d):
    """Return symmetric matrices (k, d, d) as float64, refusing others."""
    covariances = as_real(covariances, "covariances")
    if d == 1 and covariances.ndim == 1:
        covariances = covariances[:, None, None]
    if covariances.shape != (k, d, d):
        short = f", or ({k},) variances," if d == 1 else ""
        raise ValueError(
            f"covariances: expected shape ({k}, {d}, {d}){short} to match the means, got "
            f"{covariances.shape}; pass one matrix a component (np.diag makes one of variances)."
        )
    skew = np.abs(covariances - covariances.transpose(0, 2, 1))
    size = np.sqrt(np.einsum("kii->ki", np.abs(covariances)))
    crooked = skew > 1e-10 * size[:, :, None] * size[:, None, :]
    if crooked.any():
        j, a, b = (int(n) for n in np.argwhere(crooked)[0])
        raise ValueError(
            f"covariances: expected symmetric matrices, got covariances[{j}][{a}, {b}] = "
            f"{covariances[j, a, b]:g} but [{b}, {a}] = {covariances[j, b, a]:g}; if only rounding "
            "parts them, use (S + S.T) / 2."
        )
    return covariances


def positive_definite(covariances):
    """Return the lower Cholesky factors (k, d, d), refusing matrices that have none."""
    try:
        return np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        pass
    smallest = np.linalg.eigvalsh(covariances)[:, 0]
    j = int(np.argmin(smallest))
    raise ValueError(
        "covariances: expected positive definite matrices, got one of component "
        f"{j + 1} (index {j}) with smallest eigenvalue {smallest[j]:g}; pass variances "
        "(not standard deviations), all above 0, and correlations inside (-1, 1)."
    )
