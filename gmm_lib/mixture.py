"""The Gaussian mixture θ = (φ, μ, Σ) as a value: it is made, checked, and never changed.

Symbols: m points, d features, k components; φ_j `weights`, μ_j `means`, Σ_j `covariances`;
w_j^(i) `responsibilities`.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import (
    LARGEST,
    SUM_TOLERANCE,
    as_count,
    as_plain_array,
    as_points,
    as_real,
    as_rng,
)
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
    done in float64, whatever comes in, and in log space: a point may be 1e150 standard deviations
    away. See [1]_.

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

    if TYPE_CHECKING:  # the fields are arrays, whatever they are made from

        def __init__(
            self, weights: ArrayLike, means: ArrayLike, covariances: ArrayLike
        ) -> None: ...

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
        return type(self)._trusted, (self.weights, self.means, self.covariances, self.cholesky)

    @property
    def k(self) -> int:
        """Number of components."""
        return self.means.shape[0]

    @property
    def d(self) -> int:
        """Number of features."""
        return self.means.shape[1]

    def component_log_density(self, X: ArrayLike) -> np.ndarray:
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
        with np.errstate(over="ignore", invalid="ignore"):  # too far for a square: -inf
            for j in range(self.k):
                z = (X - self.means[j]) @ whiten[j].T
                log_density[:, j] = constants[j] - 0.5 * np.einsum("id,id->i", z, z)
        return log_density

    def log_density(self, X: ArrayLike) -> np.ndarray:
        """Return log p(x^(i)), shape (m,): the log of a density, which may exceed 0.

        Raises
        ------
        TypeError, ValueError
            If X is not finite data of d features, or a point is too far from all components for
            its squared distance to be a number.
        """
        return normalize(self.component_log_density(X))[1]

    def responsibilities(self, X: ArrayLike) -> np.ndarray:
        """Return w_j^(i) = p(z^(i) = j | x^(i)), shape (m, k), by Bayes' rule; rows sum to 1.

        Raises
        ------
        TypeError, ValueError
            If X is not finite data of d features, or a point is too far from all components for
            its squared distance to be a number.
        """
        return normalize(self.component_log_density(X))[0]

    def marginal(self, columns: ArrayLike) -> Self:
        """Return the mixture of some features alone, the others being summed over.

        The marginal of a Gaussian is the Gaussian with the matching entries of μ_j and Σ_j [1]_;
        the weights stay as they are.

        Parameters
        ----------
        columns : int or array_like of int
            The features to keep, from 0, each once; they come out in this order.

        Returns
        -------
        GaussianMixture
            Of len(columns) features.

        Raises
        ------
        TypeError, ValueError
            If columns are not different features of the mixture.

        References
        ----------
        .. [1] C. M. Bishop (2006), Pattern Recognition and Machine Learning, section 2.3.

        Examples
        --------
        >>> plane = GaussianMixture([0.5, 0.5], [[0, 1], [2, 3]], [[[1, 0.5], [0.5, 4]]] * 2)
        >>> plane.marginal(1)
        GaussianMixture(weights=[0.5, 0.5], means=[1., 3.], covariances=[4., 4.])
        """
        columns = _as_columns(columns, self.d)
        covariances = self.covariances[:, columns[:, None], columns]
        return self._trusted(
            self.weights.copy(), self.means[:, columns], covariances, positive_definite(covariances)
        )

    def conditional(self, columns: ArrayLike, values: ArrayLike) -> Self:
        r"""Return the mixture of the remaining features, given the values of the named ones.

        Write a for the named features and b for the others. Then, by Bayes' rule and the
        conditional of a Gaussian [1]_,

        .. math::
            \phi_j' &\propto \phi_j N(x_a; \mu_{ja}, \Sigma_{jaa}), \\
            \mu_j' &= \mu_{jb} + \Sigma_{jba} \Sigma_{jaa}^{-1} (x_a - \mu_{ja}), \\
            \Sigma_j' &= \Sigma_{jbb} - \Sigma_{jba} \Sigma_{jaa}^{-1} \Sigma_{jab}.

        Parameters
        ----------
        columns : int or array_like of int
            The features that are known, from 0, each once; at least one and not all.
        values : float or array_like, shape (len(columns),)
            Their values, in the same order.

        Returns
        -------
        GaussianMixture
            Of the other features, in the order they have here. Component j stays component j; a
            weight too small for float64 becomes the smallest normal number, 2.2e-308.

        Raises
        ------
        TypeError, ValueError
            If columns are not different features of the mixture, or all of them, or values are not
            as many finite numbers.

        Notes
        -----
        With a before b the lower Cholesky factor of Σ_j has blocks L_aa, L_ba and L_bb, and
        Σ_ba Σ_aa⁻¹ = L_ba L_aa⁻¹, Σ_j' = L_bb L_bbᵀ: no difference is taken and no digit lost.

        References
        ----------
        .. [1] C. M. Bishop (2006), Pattern Recognition and Machine Learning, section 2.3.

        Examples
        --------
        >>> plane = GaussianMixture([0.5, 0.5], [[0, 1], [2, 3]], [[[1, 0.5], [0.5, 4]]] * 2)
        >>> plane.conditional(0, 1.0)
        GaussianMixture(weights=[0.5, 0.5], means=[1.5, 2.5], covariances=[3.75, 3.75])
        """
        known = _as_columns(columns, self.d)
        if len(known) == self.d:
            raise ValueError(
                f"columns: expected fewer than all {self.d} features, got {known.tolist()}; leave "
                "out those whose distribution you ask for."
            )
        values = np.atleast_1d(as_real(values, "values"))
        if values.shape != known.shape:
            raise ValueError(
                f"values: expected shape {known.shape}, one value a column, got {values.shape}; "
                "pass as many values as columns."
            )
        n = len(known)
        ordered = self.marginal(np.append(known, np.setdiff1d(np.arange(self.d), known)))
        given = self.marginal(known).component_log_density(values[None])
        weights = np.maximum(normalize(given, "values")[0][0], np.finfo(float).tiny)
        z = np.linalg.solve(ordered.cholesky[:, :n, :n], (values - ordered.means[:, :n])[..., None])
        means = ordered.means[:, n:] + (ordered.cholesky[:, n:, :n] @ z)[..., 0]
        factors = ordered.cholesky[:, n:, n:].copy()
        return self._trusted(weights, means, factors @ factors.transpose(0, 2, 1), factors)

    def sample(self, m: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
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

    def permuted(self, order: ArrayLike) -> Self:
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
        order = as_plain_array(order, "order")
        # By kind, too: truth values would choose components instead of ordering them.
        whole = order.shape == (self.k,) and order.dtype.kind in "iu"
        if not whole or not np.array_equal(np.sort(order), np.arange(self.k)):
            raise ValueError(
                f"order: expected a permutation of 0 to {self.k - 1}, got {order.tolist()}; name "
                "each component once, for example np.argsort(mixture.means[:, 0])."
            )
        return self._trusted(
            self.weights[order], self.means[order], self.covariances[order], self.cholesky[order]
        )

    def __repr__(self):
        return f"GaussianMixture({in_words(self.weights, self.means, self.covariances)})"


def in_words(weights, means, covariances):
    """The parameters of a mixture, or what has their shapes, on a line."""
    if means.shape[1] == 1:
        means, covariances = means[:, 0], covariances[:, 0, 0]
    values = {"weights": weights, "means": means, "covariances": covariances}
    return ", ".join(
        f"{name}={np.array2string(value, precision=4, separator=', ')}"
        for name, value in values.items()
    ).replace("\n", " ")


def normalize(log_joint, name="X"):
    """Return p(z | x) and log p(x) from log p(x, z): Bayes' rule in log space (log-sum-exp).

    Subtracting the row's maximum makes the largest exponential 1: no row over- or underflows. The
    probabilities are divided by their own sum, so a row sums to 1 even where log p(x) is so large
    that adding log(sum) to it is lost to rounding.

    Parameters
    ----------
    log_joint : ndarray, shape (m, k)
    name : str
        What to call the points in messages.

    Returns
    -------
    posterior : ndarray, shape (m, k)
    log_marginal : ndarray, shape (m,)

    Raises
    ------
    ValueError
        If a row holds no number: its point is too far from every component.
    """
    top = log_joint.max(axis=1, keepdims=True)
    if not np.isfinite(top).all():
        raise too_far(name, f"row {int(np.isfinite(top).argmin())}")
    posterior = np.exp(log_joint - top)
    total = posterior.sum(axis=1, keepdims=True)
    posterior /= total
    return posterior, (top + np.log(total))[:, 0]


def too_far(name, which):
    """The error for a point that is too far from every component."""
    return ValueError(
        f"{name}: expected points less than 1e150 standard deviations from some component, got "
        f"{which} farther from all; check the units of the data and of the mixture."
    )


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
            f"weights: expected mixing weights that sum to 1, got {weights.sum():.10g}; divide "
            "them by their sum if only their ratios are meant, in float64 (float32 keeps 7 digits)."
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


def _as_columns(columns, d) -> np.ndarray:
    """Return indices of features as an int array (n,), refusing others."""
    array = np.atleast_1d(as_plain_array(columns, "columns"))
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"columns: expected at least one feature, got {columns!r}; name features by their "
            f"indices, from 0 to {d - 1}."
        )
    if array.dtype.kind not in "iu":
        raise TypeError(
            f"columns: expected whole numbers, got {columns!r}; name features by their indices, "
            f"from 0 to {d - 1} (np.flatnonzero makes indices of a mask)."
        )
    if array.min() < 0 or array.max() >= d:
        raise ValueError(
            f"columns: expected features from 0 to {d - 1}, got {array.tolist()}; the mixture has "
            f"{d} feature{'s'[: d != 1]}."
        )
    if len(np.unique(array)) < len(array):
        raise ValueError(
            f"columns: expected different features, got {array.tolist()}; name each once."
        )
    return array.astype(np.intp)


def as_covariances(covariances, k, d):
    """Return symmetric matrices (k, d, d) as float64, refusing others."""
    covariances = as_real(covariances, "covariances", LARGEST**2)
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
            f"{float(covariances[j, a, b])!r} but [{b}, {a}] = {float(covariances[j, b, a])!r}; if "
            "only rounding parts them (float32 keeps 7 digits), pass (S + S.T) / 2."
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
