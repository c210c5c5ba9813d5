"""The library against others: scipy's densities, scikit-learn's EM, published fits of real data."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as Theirs

from gmm_lib import (
    COVARIANCE_TYPES,
    GaussianMixture,
    bic,
    datasets,
    fit,
    from_responsibilities,
    n_parameters,
)

DATA = [datasets.ten_points(), datasets.overlapping(), datasets.old_faithful(), datasets.iris()]


@pytest.mark.parametrize("data", DATA, ids=lambda data: data.name)
def test_densities_and_responsibilities_agree_with_scipy(data):
    theta = data.start
    joint = np.stack(
        [
            np.log(theta.weights[j])
            + multivariate_normal.logpdf(data.X, theta.means[j], theta.covariances[j])
            for j in range(theta.k)
        ],
        axis=1,
    )
    marginal = logsumexp(joint, axis=1)
    np.testing.assert_allclose(theta.component_log_density(data.X), joint, rtol=1e-11)
    np.testing.assert_allclose(theta.log_density(data.X), marginal, rtol=1e-11)
    np.testing.assert_allclose(
        theta.responsibilities(data.X), np.exp(joint - marginal[:, None]), rtol=1e-9, atol=1e-300
    )


def precisions(covariances, covariance_type):
    """Our covariances (k, d, d) as scikit-learn wants its starting precisions."""
    inverse = np.linalg.inv(covariances)
    return {
        "full": inverse,
        "tied": inverse[0],
        "diag": np.einsum("kii->ki", inverse),
        "spherical": inverse[:, 0, 0],
    }[covariance_type]


def whole(theirs, covariance_type, k, d):
    """Scikit-learn's covariances as ours, (k, d, d)."""
    covariances = theirs.covariances_
    return {
        "full": lambda: covariances,
        "tied": lambda: np.tile(covariances, (k, 1, 1)),
        "diag": lambda: covariances[:, :, None] * np.eye(d),
        "spherical": lambda: covariances[:, None, None] * np.eye(d),
    }[covariance_type]()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("iterations", [1, 7, 40])
@pytest.mark.parametrize("covariance_type", COVARIANCE_TYPES)
@pytest.mark.parametrize("data", DATA, ids=lambda data: data.name)
def test_fits_agree_with_scikit_learn(data, covariance_type, iterations):
    # A start that already obeys the constraint, for scikit-learn can be given no other.
    start = from_responsibilities(data.X, data.start.responsibilities(data.X), covariance_type)
    k, d = start.k, start.d
    theirs = Theirs(
        k,
        covariance_type=covariance_type,
        tol=0,
        reg_covar=0,
        max_iter=iterations,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=precisions(start.covariances, covariance_type),
    ).fit(data.X)
    ours = fit(data.X, start, covariance_type=covariance_type, tol=0, max_iter=iterations)
    # tol=0 means "never" to both, but scikit-learn stops when nothing changes at all.
    assert theirs.n_iter_ == iterations or theirs.converged_
    np.testing.assert_allclose(ours.mixture.weights, theirs.weights_, rtol=1e-8)
    np.testing.assert_allclose(ours.mixture.means, theirs.means_, rtol=1e-8)
    scale = np.sqrt(np.einsum("kii->ki", ours.mixture.covariances))
    error = np.abs(ours.mixture.covariances - whole(theirs, covariance_type, k, d))
    assert (error / (scale[:, :, None] * scale[:, None, :])).max() < 1e-8
    assert ours.log_likelihood == pytest.approx(theirs.score(data.X) * data.m, rel=1e-8)
    np.testing.assert_allclose(
        ours.mixture.responsibilities(data.X), theirs.predict_proba(data.X), atol=1e-8
    )


# BIC of R's mclust for `faithful`, as its mclustBIC prints it (2ℓ - p log m, larger is better):
# model names VVV, EEE, VVI, VII are our full, tied, diag, spherical.
MCLUST_FAITHFUL = [
    ("full", 1, -2607.623),
    ("full", 2, -2322.192),
    ("tied", 2, -2325.220),
    ("diag", 1, -3055.835),
    ("diag", 2, -2346.065),
    ("spherical", 1, -4024.721),
    ("spherical", 2, -3458.305),
    ("spherical", 3, -3336.598),
]


@pytest.mark.parametrize(("covariance_type", "k", "published"), MCLUST_FAITHFUL)
def test_old_faithful_as_published_by_mclust(covariance_type, k, published):
    X = datasets.old_faithful().X
    found = fit(
        X, k, covariance_type=covariance_type, n_init=5, tol=1e-10, rng=np.random.default_rng(0)
    )
    p = n_parameters(k, 2, covariance_type)
    ours = -bic(found.log_likelihood, p, len(X))
    # mclust stops at a relative gain of 1e-5, a little below the maximum.
    assert published - 1e-3 < ours < published + 0.1


def test_waiting_times_as_published_by_mixtools():
    """Pearson (2011), a worked example of R's mixtools: normalmixEM(faithful$waiting).

    Its sixth and seventh digits depend on where it stops, at a gain of 1e-8.
    """
    waiting = datasets.old_faithful().X[:, 1]
    found = fit(waiting, GaussianMixture([0.5, 0.5], [55, 80], [25, 25]), tol=1e-12)
    mixture = found.mixture
    np.testing.assert_allclose(mixture.weights, [0.3608868, 0.6391132], atol=2e-6)
    np.testing.assert_allclose(mixture.means[:, 0], [54.61489, 80.09109], atol=5e-5)
    np.testing.assert_allclose(
        np.sqrt(mixture.covariances[:, 0, 0]), [5.871241, 5.867718], atol=5e-5
    )


@pytest.mark.parametrize(
    ("covariance_type", "published"),
    [("full", -180.186), ("tied", -256.355)],
)
def test_iris_as_published_by_mclust(covariance_type, published):
    """ℓ of mclust's VVV and EEE with three components, on all 150 flowers."""
    data = datasets.iris()
    found = fit(data.X, data.start, covariance_type=covariance_type, tol=1e-10)
    assert found.log_likelihood == pytest.approx(published, abs=2e-3)


@pytest.mark.parametrize(("k", "published"), [(1, -240.3379), (3, -203.1792)])
def test_galaxies_as_published(k, published):
    """ℓ as R's package sBIC prints it (Drton and Plummer 2017), for the values as MASS has them."""
    data = datasets.galaxies()
    start = data.start if k == 3 else GaussianMixture([1.0], [20.0], [20.0])
    found = fit(data.X, start, tol=1e-12)
    assert found.log_likelihood == pytest.approx(published, abs=5e-5)
