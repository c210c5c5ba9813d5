"""EM on sums: the fast path, and the one for data that do not fit anywhere.

The M step needs of the data only sums over the points (`gmm_lib.statistics`), and the E step needs
of a point x only the features q that its log-density is linear in (`gmm_lib.features`). With the
features of a block of n points as the columns of Q (D, n) and the natural parameters θ (k, D), one
iteration is two matrix products:

    L = θ Q        log joint densities (k, n), then Bayes' rule in place makes responsibilities R
    S = R Qᵀ       the sums (k, D) of w_j q(z), from which φ, μ and Σ are read

The blocks are small enough to stay in the processor's cache, and memory beyond the data is that of
one block. Points lie along the last axis, so that each numpy call runs over long rows.

The product form squares z, and so loses digits when a component is narrow and far from c. How many
is estimated from the parameters (`Engine.e_step`), and where it is too many a block is *whitened*:
subtract each mean first, then multiply by the inverse Cholesky factor. Slower, and sound.

Symbols: m points, d features, k components, n points in a block, D features q of a point.
"""

import math
from functools import partial

import numpy as np

from gmm_lib._validate import as_choice
from gmm_lib.covariance import (
    COVARIANCE_TYPES,
    EPS,
    LOG_2PI,
    DegenerateComponentError,
    diagonals,
)
from gmm_lib.features import features_of
from gmm_lib.mixture import GaussianMixture, too_far
from gmm_lib.rows import ONE_THREAD_PRODUCT
from gmm_lib.statistics import SufficientStatistics, moments
from gmm_lib.stream import as_source

# Largest relative error of a log-density or covariance that the product form may cause. Far above
# rounding (2e-16), so that ordinary data take the fast path; far below the 1e-10 to which `fit`
# promises to agree with `em_states`.
TOLERANCE = 5e-12
# exp is many times slower where its result is subnormal (below -708) and so are products with it.
# e^-700 beside a total of at least e^-600 is e^-100, nothing: exponents are clipped here.
LOWEST, SAFE = -700.0, -600.0
# Features from which on products are faster with points along the first axis.
WIDE = 128
# Up to so many points x components x features the time is that of numpy's calls, not of their work.
FEW = 4000
# Numbers a block holds, and its fewest points. At 2.6 MB caches still serve, and the overhead of
# some twenty numpy calls a block is small.
BLOCK_NUMBERS, LEAST_BLOCK = 320 * 1024, 256


# ------------------------------------------------------- kernels: sums over the points of one part

# The squares of points far away may overflow; the engine looks whether what comes of it is finite.
# Numpy is told in the kernels, not around them, for they run in threads and on other machines.
with_far_points = np.errstate(over="ignore", invalid="ignore")


def posterior(log_joint, weight, peaked=True, sums=True):
    """Bayes' rule in place: log p(x, z = j) (k, n) becomes weighted responsibilities.

    Without `sums` only the log-likelihood is wanted, and the responsibilities are left unfinished.
    If `peaked`, log joint densities are known to be at most about 0 (their peak was subtracted), so
    as long as none is very small nothing can over- or underflow, and a plain exp will do.

    Returns
    -------
    float
        Σ_i weight_i log p(x^(i)).
    """
    log_likelihood = 0.0
    if not peaked or log_joint.min() < LOWEST:
        top = log_joint.max(axis=0)
        if not peaked or top.min() < SAFE:
            log_joint -= top
            log_likelihood += float(top.sum() if weight is None else weight @ top)
        # A row of floors, since numpy takes the maximum with a lone number four times more slowly.
        np.maximum(log_joint, np.full_like(top, LOWEST), out=log_joint)
    np.exp(log_joint, out=log_joint)
    total = log_joint.sum(axis=0)
    log_total = np.log(total)
    log_likelihood += float(log_total.sum() if weight is None else weight @ log_total)
    if not sums:
        return log_likelihood
    np.divide(1.0 if weight is None else weight, total, out=total)
    log_joint *= total
    return log_likelihood


@with_far_points
def product_form(points, weight, work, *, theta, center, features, sums=True):
    """Sums S (k, D) of w_j q(z) and log-likelihood of points (n, d), as two products a block.

    Without `sums` the second product is left out, and S is 0.
    """
    k, size = theta.shape
    length = block_length(len(points), k, size)
    columns, wide = product_columns(k, size, work.product), size > WIDE
    shape = (size, k) if wide else (k, size)
    Q, L, P, part = work.arrays((size, length), (k, length), (length if wide else 0, k), shape)
    S, log_likelihood = np.zeros(shape), 0.0
    for start in range(0, len(points), length):
        block = points[start : start + length]
        n = len(block)
        q, log_joint = Q[:, :n], L[:, :n]
        if work.lifted is not points:
            features.lift(block, center, q)
        w = None if weight is None else weight[start : start + length]
        cuts = [slice(c, min(c + columns, n)) for c in range(0, n, columns)]
        if wide:  # with many features BLAS is faster when points come first
            for cut in cuts:
                np.matmul(q[:, cut].T, theta.T, out=P[cut])
            log_joint[:] = P[:n].T
        else:
            for cut in cuts:
                np.matmul(theta, q[:, cut], out=log_joint[:, cut])
        log_likelihood += posterior(log_joint, w, features.peaked, sums)
        if not sums:
            continue
        if wide:
            P[:n] = log_joint.T
            for cut in cuts:
                S += np.matmul(q[:, cut], P[cut], out=part)
        else:
            for cut in cuts:
                S += np.matmul(log_joint[:, cut], q[:, cut].T, out=part)
    work.lifted = points if length == len(points) else None
    return S.T if wide else S, log_likelihood


@with_far_points
def whitened(points, weight, work, *, mixture, whiten, peaks, center, sums=True):
    """Statistics about μ_j and log-likelihood of points (n, d), subtracting before squaring.

    Each log-density is found as -|√½ W_j (x - μ_j)|² with W_j the inverse Cholesky factor, and each
    scatter about the block's own mean, so that errors are those of x - μ_j itself.
    """
    k, d = mixture.means.shape
    length = block_length(len(points), k, (2 * k + 1) * d)
    X, Y, Z, L = work.arrays((d, length), (k, d, length), (k, d, length), (k, length))
    statistics, log_likelihood, half = None, 0.0, math.sqrt(0.5) * whiten
    for start in range(0, len(points), length):
        block = points[start : start + length]
        n = len(block)
        x, y, z, log_joint = X[:, :n], Y[:, :, :n], Z[:, :, :n], L[:, :n]
        if work.lifted is not points:
            np.subtract(block.T, center[:, None], out=x)
        np.subtract(x, mixture.means[:, :, None], out=y)
        np.matmul(half, y, out=z)
        np.einsum("kan,kan->kn", z, z, out=log_joint)
        np.subtract(peaks[:, None], log_joint, out=log_joint)
        w = None if weight is None else weight[start : start + length]
        log_likelihood += posterior(log_joint, w, sums=sums)
        if sums:
            part = moments(y, log_joint)
            statistics = part if statistics is None else statistics + part
    work.lifted = points if length == len(points) else None
    return (statistics, log_likelihood) if sums else (log_likelihood,)


def survey(points, weight, work):
    """Statistics of all points as one component."""
    n, d = points.shape
    length, total = block_length(n, 1, 8 * d), None
    for start in range(0, n, length):
        block = points[start : start + length]
        w = None if weight is None else weight[None, start : start + length]
        z = np.subtract(block.T, block[0][:, None], order="C")[None]  # rows of a feature are long
        part = moments(z, w).shifted(block[0])
        total = part if total is None else total + part
    return (total,)


def block_length(n, k, rows):
    """Points a block: as many as keep its arrays in cache, few enough calls, at most all n.

    Rows of a length that a power of two divides fall on the same few lines of the cache.
    """
    length = max(BLOCK_NUMBERS // (k + rows), LEAST_BLOCK)
    return min(n, length // 64 * 64 + 8)


def product_columns(k, size, product):
    """Columns a product (k, size) x (size, ·) of that many multiply-adds may have; or any number,
    where they would be so few that cutting costs more than it gains.
    """
    columns = product // (k * size) // 8 * 8
    return columns if columns >= 64 else 2**20


def heights(mixture):
    """Inverse Cholesky factors (k, d, d), log peaks of φ_j N_j (k,) below the highest, and that."""
    factors = mixture.cholesky
    whiten = 1 / factors if mixture.d == 1 else np.linalg.inv(factors)
    peaks = np.log(mixture.weights) - np.log(diagonals(factors)).sum(axis=1)
    highest = max(peaks.tolist())
    return whiten, peaks - highest, highest - 0.5 * mixture.d * LOG_2PI


# --------------------------------------------------------------------------------------- the engine


class Centered:
    """Mixtures as they are seen from `center`, a point amid the data.

    `centered` takes a mixture there and `restored` takes it back. So a mean keeps its digits where
    all data are far from the origin, which it could not as a number near 1e8.
    """

    center: np.ndarray

    def centered(self, mixture):
        """Return a mixture as seen from the center."""
        return self._moved(mixture, -self.center)

    def restored(self, mixture):
        """Return a mixture seen from the center in the coordinates of the data."""
        return self._moved(mixture, self.center)

    def _moved(self, mixture, by):
        if not by.any():
            return mixture
        return GaussianMixture._trusted(
            mixture.weights, mixture.means + by, mixture.covariances, mixture.cholesky
        )


class Engine(Centered):
    """The E and M step on data that stay where they are.

    Mixtures and statistics are told about `center`.

    Parameters
    ----------
    X : array_like, shape (m, d) or (m,), or blocks of rows; or a source
        Whatever `gmm_lib.stream.as_source` takes. It is checked there, and trusted here.
    covariance_type : {"full", "tied", "diag", "spherical"}
    prior : CovariancePrior, optional
    sample_weight : array_like, shape (m,), optional
    threads : int, optional

    Attributes
    ----------
    points : float
        Number of points, or the sum of their weights.
    center : ndarray, shape (d,)
        The mean in features that lie far from 0, and 0 in the others.

    Examples
    --------
    >>> engine = Engine(np.array([[1.0], [4.0], [6.0], [19.0], [24.0], [29.0]]))
    >>> start = GaussianMixture([0.5, 0.5], [3, 10], [8.5, 15.7])
    >>> statistics, log_likelihood = engine.e_step(engine.centered(start))
    >>> statistics.counts.round(3)
    array([2.307, 3.693])
    >>> engine.restored(engine.m_step(statistics)).means[:, 0].round(3)
    array([ 3.28 , 20.424])
    """

    def __init__(self, X, covariance_type="full", *, prior=None, sample_weight=None, threads=None):
        source = as_source(X, sample_weight, threads)
        as_choice(covariance_type, "covariance_type", COVARIANCE_TYPES)
        self.source, self.covariance_type, self.prior = source, covariance_type, prior
        self.features = features_of(covariance_type, source.d)
        (overall,) = source.total(survey)
        self.points = float(overall.counts[0])
        mean, scatter = overall.means[0], overall.scatter[0]
        # x - c is rounded to eps |c|, which costs digits where |x| is much smaller: the center is
        # 0 unless the mean lies ten standard deviations away, for then hardly a point is nearer.
        away = mean * mean > diagonals(overall.scatter)[0] * (100 / self.points)
        self.center = mean * away
        if not self.features.peaked:
            offset = mean - self.center  # the second moment is told about the center, too
            self.second_moment = scatter + self.points * offset[:, None] * offset
        self._natural = self._successor = (None, None)

    def e_step(self, mixture):
        """Return the sufficient statistics of the data under the mixture's responsibilities.

        The product form is used if both this mixture and the one the statistics lead to can bear
        it; otherwise the points are walked once more, with whitening. Whitening is also what few
        points get, because it needs fewer calls.

        Returns
        -------
        statistics : SufficientStatistics
            About the center, as much of them as the covariance type needs.
        log_likelihood : float
            ℓ(θ) of the mixture given, in nats.
        """
        if not self._few(mixture) and self.natural_parameters(mixture)[2] <= TOLERANCE:
            # A component without points has no mean, which the M step reports.
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                statistics, log_likelihood = self._by_products(mixture)
                if math.isfinite(log_likelihood) and self._resolves(statistics):
                    return statistics, log_likelihood
        statistics, log_likelihood = self._by_whitening(mixture)
        return statistics.shifted(mixture.means), log_likelihood

    def log_likelihood(self, mixture):
        """Return ℓ(θ) in nats: the E step without its sums."""
        if not self._few(mixture) and self.natural_parameters(mixture)[2] <= TOLERANCE:
            log_likelihood = self._by_products(mixture, sums=False)
            if math.isfinite(log_likelihood):
                return log_likelihood
        return self._by_whitening(mixture, sums=False)

    def _few(self, mixture):
        return self.source.m * mixture.means.size <= FEW

    def m_step(self, statistics):
        """Return the mixture that maximizes the expected complete log-likelihood.

        Raises
        ------
        DegenerateComponentError
            If a component is empty or has collapsed.
        """
        if self._successor[0] is not statistics:
            successor = statistics.maximize(self.covariance_type, self.prior, self.center)
            self._successor = statistics, successor
        return self._successor[1]

    def natural_parameters(self, mixture):
        """Return θ (k, D), the constant taken out of it, and the product form's relative error.

        The error is infinite for a mixture that the features cannot describe: a start whose
        covariances are not of the engine's type.

        Notes
        -----
        With A = Σ⁻¹ and δ the mean about the center, the log-density is a sum of terms A_ab z_a z_b
        of either sign. For points of the component, where z_a² is about s_a² = δ_a² + Σ_aa, they
        are as large as B_ab = A_ab s_a s_b, though the sum is only of the size of 1. Each term is
        rounded to eps times its size; such errors are independent and add in quadrature, to eps
        times the Frobenius norm of B. B is positive semidefinite (Schur's product theorem), so this
        norm is at most its trace and at least its trace / √d. Hence the estimate

            eps · max_j Σ_a A_aa (δ_a² + Σ_aa).

        The same holds for the covariance that is read off the sums: entry ab is the small
        difference of Σ w z_a z_b / N and δ_a δ_b, off by eps s_a s_b; measured in units of Σ
        itself, that is B once more.
        """
        if self._natural[0] is mixture:
            return self._natural[1]
        delta, features = mixture.means, self.features
        whiten, peaks, shift = heights(mixture)
        k, d = delta.shape
        # |W (z - δ)|² is the square of the linear map (-W δ, W) of (1, z).
        affine = np.empty((k, d, d + 1))
        affine[:, :, 1:] = whiten
        np.matmul(whiten, -delta[:, :, None], out=affine[:, :, :1])
        form = affine.transpose(0, 2, 1) @ affine
        theta = features.coefficients(form)
        theta[:, 0] += peaks

        if mixture is self._successor[1] or features.describe(mixture.covariances):
            squares = delta * delta + diagonals(mixture.covariances)  # s_a²
            error = EPS * max(np.vecdot(diagonals(form)[:, 1:], squares).tolist())
        else:
            error = math.inf
        self._natural = mixture, (theta, shift, error)
        return self._natural[1]

    def _by_products(self, mixture, sums=True):
        """Statistics and log-likelihood by the product form; without `sums` the latter alone."""
        theta, shift, _ = self.natural_parameters(mixture)
        kernel = partial(
            product_form, theta=theta, center=self.center, features=self.features, sums=sums
        )
        shared = theta.size * 128 <= ONE_THREAD_PRODUCT
        S, log_likelihood = self.source.total(kernel, shared=shared)
        log_likelihood += shift * self.points
        if not self.features.peaked:  # the square that all components share was left out
            whiten = np.linalg.inv(mixture.cholesky[0])
            total = self.second_moment
            log_likelihood -= 0.5 * float(np.einsum("ab,cb,ca->", total, whiten, whiten))
        if not sums:
            return log_likelihood

        counts, d = S[:, 0], self.features.d
        firsts = S[:, 1 : d + 1]
        offsets = firsts / counts[:, None]
        between = firsts[:, :, None] * offsets[:, None, :]  # N δ δᵀ
        if self.features.peaked:
            scatter = self.features.second_moments(S) - between
        else:
            # The total about c does not change; what is left of it within the components is handed
            # out by counts, and the tied M step will pool it again.
            share = counts / counts.sum()
            scatter = share[:, None, None] * (self.second_moment - between.sum(axis=0))
        return SufficientStatistics(counts, offsets, scatter), log_likelihood

    def _by_whitening(self, mixture, sums=True):
        """Statistics about each μ_j and log-likelihood by whitening; or the latter alone."""
        whiten, peaks, shift = heights(mixture)
        kernel = partial(
            whitened, mixture=mixture, whiten=whiten, peaks=peaks, center=self.center, sums=sums
        )
        *statistics, log_likelihood = self.source.total(kernel, shared=mixture.d <= 16)
        if not math.isfinite(log_likelihood):
            raise too_far("X", "one")
        log_likelihood += shift * self.points
        return (*statistics, log_likelihood) if sums else log_likelihood

    def _resolves(self, statistics):
        """Whether the product form can tell the mixture these statistics lead to from rounding."""
        try:
            successor = self.m_step(statistics)
        except DegenerateComponentError:  # perhaps only by rounding: let whitening decide
            return False
        return self.natural_parameters(successor)[2] <= TOLERANCE
