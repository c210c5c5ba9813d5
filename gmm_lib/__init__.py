"""Gaussian mixtures and the EM algorithm: a small library to read, and fast enough to use.

`import gmm_lib` needs numpy only. `gmm_lib.plotting` and `gmm_lib.widgets` are loaded when they are
first used, and need matplotlib and anywidget.
"""

import importlib
from typing import TYPE_CHECKING

from gmm_lib import check, datasets, online, stream, worksheet
from gmm_lib.acceleration import squarem_states
from gmm_lib.bound import (
    bound_gradient,
    entropy,
    evidence_lower_bound,
    expected_complete_log_likelihood,
    jensen_gap,
    kl_divergence,
    kl_to_posterior,
    log_likelihood_gradient,
)
from gmm_lib.covariance import COVARIANCE_TYPES, DegenerateComponentError
from gmm_lib.em import EMState, e_step, em_states, m_step
from gmm_lib.fitting import Fit, fit
from gmm_lib.hard import HardState, KMeansFit, KMeansState, hard_states, kmeans, kmeans_states
from gmm_lib.initial import (
    from_labels,
    from_responsibilities,
    kmeans_plus_plus,
    kmeans_start,
    random_responsibilities,
    random_start,
)
from gmm_lib.missing import fit_missing, missing_states
from gmm_lib.mixture import GaussianMixture
from gmm_lib.prior import CovariancePrior
from gmm_lib.selection import (
    Candidate,
    Comparison,
    aic,
    bic,
    compare,
    held_out_log_likelihood,
    icl,
    n_parameters,
)
from gmm_lib.uncertainty import StandardErrors, standard_errors

__all__ = [
    "COVARIANCE_TYPES",
    "Candidate",
    "Comparison",
    "CovariancePrior",
    "DegenerateComponentError",
    "EMState",
    "Fit",
    "GaussianMixture",
    "HardState",
    "KMeansFit",
    "KMeansState",
    "StandardErrors",
    "aic",
    "bic",
    "bound_gradient",
    "check",
    "compare",
    "datasets",
    "e_step",
    "em_states",
    "entropy",
    "evidence_lower_bound",
    "expected_complete_log_likelihood",
    "fit",
    "fit_missing",
    "from_labels",
    "from_responsibilities",
    "hard_states",
    "held_out_log_likelihood",
    "icl",
    "jensen_gap",
    "kl_divergence",
    "kl_to_posterior",
    "kmeans",
    "kmeans_plus_plus",
    "kmeans_start",
    "kmeans_states",
    "log_likelihood_gradient",
    "m_step",
    "missing_states",
    "n_parameters",
    "online",
    "random_responsibilities",
    "random_start",
    "squarem_states",
    "standard_errors",
    "stream",
    "worksheet",
]

if TYPE_CHECKING:
    from gmm_lib import plotting as plotting
    from gmm_lib import widgets as widgets

    __version__: str
else:

    def __getattr__(name):
        # Loaded on use, because they need more than numpy.
        if name in ("plotting", "widgets"):
            return importlib.import_module(f"gmm_lib.{name}")
        if name == "__version__":
            return _version()
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _version():
    """The version that is installed; a copy that runs where it lies, as in a page, has none."""
    from importlib import metadata

    try:
        return metadata.version("gmm-lib")
    except metadata.PackageNotFoundError:
        return "not installed"
