"""Gaussian mixtures and the EM algorithm: a small library to read, and fast enough to use.

`import gmm_lib` needs numpy only. `gmm_lib.plotting` and `gmm_lib.widgets` are loaded when they are
first used, and need matplotlib and anywidget.
"""

from gmm_lib.covariance import COVARIANCE_TYPES, DegenerateComponentError
from gmm_lib.em import EMState, Fit, e_step, em_states, fit, m_step
from gmm_lib.mixture import GaussianMixture
from gmm_lib.prior import CovariancePrior

__all__ = [
    "COVARIANCE_TYPES",
    "CovariancePrior",
    "DegenerateComponentError",
    "EMState",
    "Fit",
    "GaussianMixture",
    "e_step",
    "em_states",
    "fit",
    "m_step",
]
