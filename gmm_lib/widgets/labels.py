"""Chapter 2's explorer: labels by hand, the hard loop, and soft labels beside it."""

from itertools import islice

import numpy as np
from traitlets import Bool, Dict, TraitError, default, validate

from gmm_lib import datasets
from gmm_lib.covariance import DegenerateComponentError
from gmm_lib.em import em_states
from gmm_lib.hard import hard_states
from gmm_lib.mixture import GaussianMixture
from gmm_lib.widgets.base import (
    Choice,
    Explorer,
    Numbers,
    Whole,
    as_tuples,
    format_number,
    format_percent,
)

MOST = 30
RANGE = (-4.0, 34.0)
SPREADS = (0.1, 20.0)


class LabelsExplorer(Explorer, kind="labels"):
    """The ten points, two curves, and the two questions in turn: whose point, and which curve?

    Parameters
    ----------
    labels : sequence of 10 numbers
        What the reader has said at iteration 0: 1, 2, or 0 where nothing has been said.
    weights, means, sigmas : sequences of 2 numbers
        The start of both loops, hard and soft: φ, μ and σ (standard deviations).
    iteration : int, at most 30
        How many times the curves have been refitted from that start.
    half : {"m", "e"}
        Which half came last: "e" when the points have been labelled by the present curves.
    ddof : {0, 1}
        What the hard loop's variances divide by: m_j - ddof.
    shares : bool
        Whether the hard loop's labels use φ.
    soft : bool
        Whether soft labels (EM) are shown too.

    Examples
    --------
    >>> explorer = LabelsExplorer()
    >>> explorer.start.means.ravel().tolist()
    [3.0, 10.0]
    """

    STATE = ("labels", "weights", "means", "sigmas", "iteration", "half", "ddof", "shares", "soft")
    VALUES = {
        "iteration": "how many times the curves have been refitted by the loop",
        "half": '"e" when the points have been labelled by the present curves',
        "labels": "1 or 2 for each point, 0 for one without",
        "fitted": "whether the curves are refitted to labels given by hand",
        "resting": "whether another round would change nothing",
        "ddof": "variances divide by m_j - ddof",
        "shares": "whether the curves count by their shares",
        "weights": "of the two curves",
        "means": "of the two curves",
        "variances": "of the two curves",
        "log_likelihood": "of the two curves",
        "complete_log_likelihood": "of the two curves and the labels",
        "soft": "whether EM is shown as well",
        "soft_iteration": "of EM",
        "soft_weights": "of EM's two curves",
        "soft_means": "of EM's two curves",
        "soft_variances": "of EM's two curves",
        "soft_log_likelihood": "of EM's two curves",
        "soft_responsibilities": "of component 1, once there was an E step",
    }

    points = Numbers(1, "(m,)")
    truth = Numbers(1, "(m,)")
    labels = Numbers(1, "(m,)")
    weights = Numbers(1, "(2,)")
    means = Numbers(1, "(2,)")
    sigmas = Numbers(1, "(2,)")
    iteration = Whole(most=MOST)
    half = Choice(("m", "e"))
    ddof = Whole()
    shares = Bool(True).tag(sync=True)
    soft = Bool(False).tag(sync=True)
    origin = Dict(read_only=True).tag(sync=True)

    def __init__(self, **options):
        ten = datasets.ten_points()
        own = {
            "points": ten.X[:, 0],
            "truth": ten.labels + 1,
            "labels": (0,) * ten.m,
            **self._default_origin(),
        }
        super().__init__(**(own | options))

    @default("origin")
    def _default_origin(self):
        start = datasets.ten_points().start
        return {
            "weights": as_tuples(start.weights),
            "means": as_tuples(start.means[:, 0]),
            "sigmas": as_tuples(np.sqrt(start.covariances[:, 0, 0])),
        }

    @validate("labels")
    def _check_labels(self, proposal):
        labels = proposal["value"]
        if len(labels) != len(self.points) or not set(labels) <= {0, 1, 2}:
            raise TraitError(
                f"labels: expected {len(self.points)} labels, each 1, 2 or 0 for none, "
                f"got {list(labels)}; give each point its label."
            )
        return tuple(int(label) for label in labels)

    @validate("weights", "means", "sigmas")
    def _check_start(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if name == "weights":
            wanted = "positive numbers of sum 1"
            good = min(value) > 0 and abs(sum(value) - 1) < 1e-8
        else:
            low, high = RANGE if name == "means" else SPREADS
            wanted = f"numbers from {low:g} to {high:g}"
            good = low <= min(value) and max(value) <= high
        if len(value) != 2 or not good:
            raise TraitError(
                f"{name}: expected 2 {wanted}, got {list(value)}; give one for each component."
            )
        return value

    @validate("ddof")
    def _check_ddof(self, proposal):
        if proposal["value"] > 1:
            raise TraitError(
                f"ddof: expected 0 for 1/m or 1 for 1/(m-1), got {proposal['value']}; choose one "
                "of the two."
            )
        return proposal["value"]

    # -- what follows from the state

    @property
    def X(self):
        """The points, shape (m, 1)."""
        return np.array(self.points)[:, None]

    @property
    def start(self):
        """Where both loops start, as a `GaussianMixture`."""
        return GaussianMixture(self.weights, self.means, np.square(self.sigmas))

    @property
    def hard(self):
        """The `HardState` shown, the last there is where the loop breaks down before."""
        states = hard_states(self.X, self.start, ddof=self.ddof, use_weights=self.shares)
        return _reach(states, self.iteration)

    @property
    def em(self):
        """The `EMState` shown, likewise."""
        return _reach(em_states(self.X, self.start), self.iteration)

    @property
    def shown_labels(self):
        """The labels shown, shape (m,): 1, 2, or 0 where there is none yet."""
        if self.half == "e":
            return self.hard.labels + 1
        if self.hard.iteration == 0:
            return np.array(self.labels)
        states = hard_states(self.X, self.start, ddof=self.ddof, use_weights=self.shares)
        return _reach(states, self.hard.iteration - 1).labels + 1

    def still(self):
        """Return a matplotlib Figure: points and curves, in a second row those of soft EM."""
        from matplotlib.figure import Figure

        from gmm_lib import plotting

        rows = 1 + self.soft
        figure = Figure(figsize=(8, 0.6 + 2.4 * rows), layout="constrained")
        axes = figure.subplots(rows, 1, squeeze=False, sharex=True)[:, 0]
        x = np.linspace(*RANGE, 500)
        mixtures = [self.hard.mixture, self.em.mixture]
        for ax, mixture in zip(axes, mixtures, strict=False):
            plotting.draw_density(mixture, ax=ax, x=x)
        labels = self.shown_labels
        for label in (0, 1, 2):
            here = self.X[labels == label]
            if len(here):
                style = {"labels": np.full(len(here), label - 1)} if label else {}
                plotting.draw_points(here, ax=axes[0], size=50, **style)
        if self.soft:
            t = self.em.iteration - (self.half == "m")
            if t < 0:
                plotting.draw_points(self.X, ax=axes[1], size=50)
            else:
                w = _reach(em_states(self.X, self.start), t).responsibilities
                plotting.draw_responsibilities(self.X, w, ax=axes[1], size=50)
        for ax in axes:
            ax.set(xlim=RANGE, yticks=[], ylabel="", xlabel="")
            ax.spines[["top", "right", "left"]].set_visible(False)
        axes[-1].set_xlabel("$x$")
        return figure

    def describe(self):
        """Return the state in words: labels and curves, and where soft EM is."""
        labels, mixture = self.shown_labels, self.hard.mixture
        groups = [
            ", ".join(format_number(x) for x in self.X[labels == j, 0]) or "–" for j in (1, 2)
        ]
        told = self.say(
            "alt",
            t=self.hard.iteration,
            first=groups[0],
            second=groups[1],
            a=format_number(mixture.means[0, 0]),
            b=format_number(mixture.means[1, 0]),
            s=format_number(mixture.covariances[0, 0, 0] ** 0.5),
            u=format_number(mixture.covariances[1, 0, 0] ** 0.5),
        )
        if not self.soft:
            return told
        i = self.points.index(9.0) if 9.0 in self.points else 0
        share = self.em.responsibilities[i, 0]
        soft = self.say("alt-soft", x=format_number(self.points[i]), share=format_percent(share))
        return f"{told} {soft}"


def _reach(states, t):
    """Return the state of iteration t, or the last one before a component degenerates."""
    reached = None
    try:
        for state in islice(states, t + 1):
            reached = state
    except DegenerateComponentError:
        pass
    return reached
