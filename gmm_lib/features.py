"""Features of a point: what a covariance type asks of x, so that a log-density is linear in them.

With z = x - c about a fixed center c,

    log φ_j N(x; μ_j, Σ_j) = θ_j · q(z),    q(z) = (1, z, z_a z_b for a <= b)

because a Gaussian is an exponential family. A constraint on Σ needs fewer features than that. Each
class here lifts points to features q, writes natural parameters θ, and reads second moments off
sums of q; `gmm_lib.engine` does the rest.
"""

from functools import lru_cache

import numpy as np


class Full:
    """q(z) = (1, z, z_a z_b for a <= b): D = (d + 1)(d + 2) / 2.

    These are the entries on and above the diagonal of the matrix (1, z)(1, z)ᵀ.
    """

    peaked = True  # every row θ_j describes a density of finite height

    def __init__(self, d):
        a, b = np.triu_indices(d + 1)
        self._keep(d, a, b)
        self.mirror = np.empty((d + 1, d + 1), dtype=np.intp)  # where an entry is found in q
        self.mirror[a, b] = self.mirror[b, a] = np.arange(self.size)

    def _keep(self, d, a, b):
        """Features are the entries (a, b) of the matrix (1, z)(1, z)ᵀ."""
        self.d, self.size = d, len(a)
        self.entries = a * (d + 1) + b  # in the flattened matrix
        self.halves = np.where(a == b, -0.5, -1.0)  # z_a z_b stands for z_b z_a as well

    def lift(self, points, center, q):
        """Write q(x - center) for the rows of points (n, d) into the columns of q (D, n)."""
        q[0] = 1
        z = np.subtract(points.T, center[:, None], out=q[1 : self.d + 1])
        self.squares(z, q[self.d + 1 :])

    def squares(self, z, out):
        """Write the quadratic features."""
        row = 0
        for a in range(self.d):
            products = out[row : row + self.d - a]
            # Filled first, so that both factors are contiguous: faster than one broadcast product.
            products[:] = z[a]
            products *= z[a:]
            row += self.d - a

    def coefficients(self, form):
        """θ (k, D) with θ_j · q(z) = -(1, z) form_j (1, z)ᵀ / 2 for symmetric (k, d + 1, d + 1)."""
        return form.reshape(len(form), -1).take(self.entries, axis=1) * self.halves

    def describe(self, covariances):
        """Whether these features are enough for covariances (k, d, d), as those of a start."""
        return True

    def second_moments(self, sums):
        """Matrices (k, d, d) Σ w z zᵀ, as far as the type needs them, from sums of q (k, D)."""
        return sums.take(self.mirror[1:, 1:], axis=1)


class Diag(Full):
    """q(z) = (1, z, z_a²): D = 2d + 1."""

    def __init__(self, d):
        one, each = np.zeros(d + 1, dtype=np.intp), np.arange(1, d + 1)
        self._keep(d, np.append(one, each), np.concatenate([[0], each, each]))

    def squares(self, z, out):
        np.multiply(z, z, out=out)

    def describe(self, covariances):
        return np.array_equal(covariances, covariances * np.eye(self.d))

    def second_moments(self, sums):
        return sums[:, self.d + 1 :, None] * np.eye(self.d)


class Spherical(Diag):
    """q(z) = (1, z, |z|²): D = d + 2."""

    def __init__(self, d):
        one = np.zeros(d + 1, dtype=np.intp)
        self._keep(d, np.append(one, 1), np.append(np.arange(d + 1), 1))

    def squares(self, z, out):
        np.einsum("an,an->n", z, z, out=out[0])

    def describe(self, covariances):
        return np.array_equal(covariances, covariances[:, :1, :1] * np.eye(self.d))

    def second_moments(self, sums):
        return (sums[:, self.d + 1, None, None] / self.d) * np.eye(self.d)


class Tied(Full):
    """q(z) = (1, z): D = d + 1.

    The square zᵀ Σ⁻¹ z is the same for all components. Bayes' rule cancels it, and its sum over the
    data needs only the total Σ z zᵀ, which no iteration changes.
    """

    peaked = False  # without the square a row is a plane

    def __init__(self, d):
        self._keep(d, np.zeros(d + 1, dtype=np.intp), np.arange(d + 1))

    def squares(self, z, out):
        pass

    def describe(self, covariances):
        return np.array_equal(covariances, np.broadcast_to(covariances[0], covariances.shape))


FEATURES = {"full": Full, "tied": Tied, "diag": Diag, "spherical": Spherical}


@lru_cache(maxsize=32)
def features_of(covariance_type, d):
    """The features of a type: never changed, so made once."""
    return FEATURES[covariance_type](d)
