"""Chapter 5's second explorer: ℓ over the two means, and three ways up from one start."""

import numpy as np
from traitlets import Bool, Float, List, TraitError, Unicode, validate

from gmm_lib import datasets
from gmm_lib.bound import log_likelihood_gradient
from gmm_lib.em import e_step
from gmm_lib.fitting import fit
from gmm_lib.mixture import GaussianMixture
from gmm_lib.widgets.base import Explorer, Numbers, Whole, format_fixed, format_number

DOMAIN = (-2.0, 32.0)
MOST = 60
LOST = 1e4  # where gradient ascent is given up: with too large a step it runs away without end
CLIMBERS = ("em", "hard", "gradient")


class PathsExplorer(Explorer, kind="paths"):
    """The log-likelihood of the ten points over (μ_1, μ_2), and three climbers.

    Only the means move; weights and variances are those of the final fit. EM gives each mean the
    M step, hard EM the same with each point given whole to its likelier component, and gradient
    ascent adds `step_size` times the gradient.

    Parameters
    ----------
    start : sequence of 2 numbers from -2 to 32
        Where all three set out.
    step_size : float
        Of gradient ascent, above 0, at most 10.
    iteration : int
        How many steps each has made, at most 60.
    shown : list of {"em", "hard", "gradient"}
    basins : bool
        Whether to color the map by where EM ends.

    Examples
    --------
    >>> explorer = PathsExplorer(start=[3, 10])
    >>> explorer.X.shape
    (10, 1)
    """

    STATE = ("start", "step_size", "iteration", "shown", "basins")
    VALUES = {
        "iteration": "how many steps each climber has made",
        "step_size": "of gradient ascent",
        "exchanged": "whether component 1 sets out on the right of component 2",
        "falls": "whether gradient ascent has fallen on its way",
        "apart": "distance between the places where EM and hard EM end",
        "em": "EM's two means",
        "em_log_likelihood": "of EM's two means",
        "hard": "hard EM's two means",
        "hard_log_likelihood": "of hard EM's two means",
        "gradient": "gradient ascent's two means",
        "gradient_log_likelihood": "of gradient ascent's two means",
    }

    points = Numbers(1, "(m,)")
    weights = Numbers(1, "(2,)")
    variances = Numbers(1, "(2,)")
    start = Numbers(1, "(2,)")
    step_size = Float(0.3).tag(sync=True)
    iteration = Whole(8, most=MOST)
    shown = List(Unicode(), list(CLIMBERS)).tag(sync=True)
    basins = Bool(False).tag(sync=True)

    def __init__(self, start=(3.0, 10.0), **options):
        ten = datasets.ten_points()
        final = fit(ten.X, ten.start, tol=1e-12).mixture
        own = {
            "points": ten.X[:, 0],
            "weights": final.weights,
            "variances": final.covariances[:, 0, 0],
        }
        super().__init__(start=start, **(own | options))

    @validate("start")
    def _check_start(self, proposal):
        start = proposal["value"]
        if len(start) != 2 or min(start) < DOMAIN[0] or max(start) > DOMAIN[1]:
            raise TraitError(
                f"start: expected 2 numbers from {DOMAIN[0]:g} to {DOMAIN[1]:g}, got {list(start)}"
                "; begin in the picture."
            )
        return start

    @validate("step_size")
    def _check_step_size(self, proposal):
        if not 0 < proposal["value"] <= 10:
            raise TraitError(
                f"step_size: expected a number above 0 and at most 10, got {proposal['value']}; "
                "begin with 1."
            )
        return proposal["value"]

    @validate("shown")
    def _check_shown(self, proposal):
        if not set(proposal["value"]) <= set(CLIMBERS):
            raise TraitError(
                f"shown: expected names among {', '.join(CLIMBERS)}, got {proposal['value']}; "
                "leave out the others."
            )
        return proposal["value"]

    @property
    def X(self):
        """The points, shape (m, 1)."""
        return np.array(self.points)[:, None]

    def at(self, means):
        """Return the mixture with these means and the map's weights and variances."""
        return GaussianMixture(self.weights, means, self.variances)

    def path(self, name):
        """Return the places (iteration + 1, 2) that a climber has visited.

        Parameters
        ----------
        name : {"em", "hard", "gradient"}
        """
        places = [np.array(self.start)]
        for _ in range(self.iteration):
            places.append(self._move(name, places[-1]))
        return np.array(places)

    def _move(self, name, means):
        if name == "gradient":
            if np.abs(means).max() > LOST:
                return means
            slope = log_likelihood_gradient(self.X, self.at(means)).means[:, 0]
            return means + self.step_size * slope
        w = self.at(means).responsibilities(self.X)
        if name == "hard":
            w = np.eye(2)[w.argmax(axis=1)]
        counts = w.sum(axis=0)
        # A component that owns nothing stays where it is.
        return np.where(counts > 0, (w.T @ self.X[:, 0]) / np.where(counts > 0, counts, 1), means)

    def log_likelihood(self, means):
        """Return ℓ at a place of the map, in nats."""
        return e_step(self.X, self.at(means))[1]

    def still(self):
        """Return a matplotlib Figure: the map with the three paths, and ℓ along each."""
        from gmm_lib import plotting

        figure, main, side = self._side_by_side((9, 5), [2.4, 1.2])
        main.spines[:].set_visible(True)  # a map
        grid = np.linspace(*DOMAIN, 60)
        top = max(self.log_likelihood(self.path(name)[-1]) for name in CLIMBERS)
        plotting.draw_contour(
            lambda a, b: self.log_likelihood([a, b]),
            grid,
            grid,
            ax=main,
            levels=np.sort(top - 0.4 * 1.75 ** np.arange(13)),
        )
        for name, color, style in zip(CLIMBERS, plotting.COLORS, ("-", "--", ":"), strict=False):
            if name in self.shown:
                path = self.path(name)
                main.plot(*path.T, style, color=color, marker="o", markersize=4)
                side.plot([self.log_likelihood(place) for place in path], style, color=color)
        main.plot(*self.start, "D", markerfacecolor="white", markeredgecolor="0.2", markersize=9)
        main.set(xlabel=r"$\mu_1$", ylabel=r"$\mu_2$", xlim=DOMAIN, ylim=DOMAIN)
        side.set(xlabel="$t$", ylabel=r"$\ell$")
        return figure

    def describe(self):
        """Return one sentence that tells where each climber is."""
        told = [
            self.say(
                "told",
                who=self.words[name],
                a=format_number(self.path(name)[-1][0], 3),
                b=format_number(self.path(name)[-1][1], 3),
                l=format_fixed(self.log_likelihood(self.path(name)[-1]), 2),
            )
            for name in CLIMBERS
            if name in self.shown
        ]
        return " ".join([self.say("alt"), self.say("after", n=self.iteration), *told])
