"""Problems that several tests set, and how far two answers are apart."""

import numpy as np

from gmm_lib import GaussianMixture


def blobs(m, d, k, seed=0, separation=3.0):
    """Points of k groups and a start near them."""
    rng = np.random.default_rng(seed)
    centers = separation * rng.normal(size=(k, d))
    X = centers[rng.integers(k, size=m)] + rng.normal(size=(m, d)) @ np.diag(rng.uniform(0.5, 2, d))
    start = GaussianMixture(np.full(k, 1 / k), centers + 0.3, np.tile(1.5 * np.eye(d), (k, 1, 1)))
    return X, start


def difference(a, b):
    """Largest difference of two mixtures, each parameter in its own unit."""
    sd = np.sqrt(np.einsum("kaa->ka", b.covariances))
    scale = sd[:, :, None] * sd[:, None, :]
    return max(
        np.abs(a.weights / b.weights - 1).max(),
        (np.abs(a.means - b.means) / sd).max(),
        (np.abs(a.covariances - b.covariances) / scale).max(),
    )
