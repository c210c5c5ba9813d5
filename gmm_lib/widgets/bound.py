"""Chapter 5's explorer: the log-likelihood and its computed lower bound along a coordinate."""

import numpy as np
from traitlets import Dict, Float, List, TraitError, default, validate

from gmm_lib import datasets
from gmm_lib.bound import evidence_lower_bound, kl_to_posterior
from gmm_lib.em import e_step
from gmm_lib.mixture import GaussianMixture
from gmm_lib.widgets.base import (
    Choice,
    Explorer,
    Numbers,
    Whole,
    as_tuples,
    chosen,
    format_number,
    on_a_line,
)

COORDINATES = ("mean-2", "mean-1", "variance-1", "variance-2", "weight-1")
SYMBOLS = (r"\mu_2", r"\mu_1", r"\sigma_1^2", r"\sigma_2^2", r"\phi_1")
DATA = ("ten-points", "old-faithful")
PARTS = ("weights", "means", "variances")
VARIANCES = (1e-9, 1e12)  # bound_explorer.js has the same
WEIGHTS = (1e-9, 1 - 1e-9)
HEIGHTS = (-1e30, 1e30)


def _points(name):
    """Return the points (m,) of a data set; of Old Faithful, the waiting times."""
    return datasets.load(name).X[:, -1]


def _start(name):
    if name == "ten-points":
        return datasets.ten_points().start
    return GaussianMixture([0.5, 0.5], [60.0, 70.0], [80.0, 120.0])


class BoundExplorer(Explorer, kind="bound", module="bound_explorer.js"):
    """ℓ(θ) and its lower bound for a table Q of your choice, along one coordinate of θ.

    Parameters
    ----------
    data : {"ten-points", "old-faithful"}
        The points; of Old Faithful the waiting times, in minutes.
    coordinate : {"mean-1", "mean-2", "variance-1", "variance-2", "weight-1"}
        The parameter on the horizontal axis; the others are fixed.
    climb : {"coordinate", "all"}
        Whether the M step maximizes the bound along the coordinate, or over all five parameters.
    weights, means, variances : sequences of 2 numbers
        θ.
    q : sequence of m numbers from 0 to 1
        Q: the share of component 1 in each point.
    selected : int
        Index of the point whose share can be dragged.
    iteration, half
        How many M steps have been made; and which half step came last, "e" or "m".
    before : sequence of 2 numbers, or empty
        ℓ and the bound before the last M step, to tell what it gained.

    Examples
    --------
    >>> explorer = BoundExplorer()
    >>> bool(explorer.lower_bound <= explorer.log_likelihood)
    True
    """

    STATE = ("data", "coordinate", "climb", *PARTS, "q", "selected", "iteration", "half", "before")
    VALUES = {
        "iteration": "how many M steps there were",
        "half": '"e" after an E step, "m" at the start and after an M step',
        "coordinate": "name of the parameter on the axis",
        "theta": "value of the parameter on the axis",
        "log_likelihood": "of the present parameters",
        "bound": "for the present Q and parameters",
        "gap": "log_likelihood - bound",
        "kl": "divergence of Q from the responsibilities",
        "selected_kl": "part of the selected point in it",
        "selected_q": "share of component 1 in the selected point",
    }

    data = Choice(DATA)
    coordinate = Choice(COORDINATES)
    climb = Choice(("coordinate", "all"))
    weights = Numbers(1, "(2,)")
    means = Numbers(1, "(2,)")
    variances = Numbers(1, "(2,)", limit=VARIANCES[1])
    q = Numbers(1, "(m,)")
    selected = Whole()
    iteration = Whole()
    half = Choice(("m", "e"))
    before = List(Float(), maxlen=2).tag(sync=True)
    sets = Dict(read_only=True).tag(sync=True)

    def __init__(self, data="ten-points", **options):
        start = _start(chosen("data", data, DATA))
        own = {
            **on_a_line(start),
            "q": np.full(len(_points(data)), 0.5),
            "selected": 4,  # x = 9 among the ten points
        }
        super().__init__(data=data, **(own | options))

    @default("sets")
    def _default_sets(self):
        return {
            name: {"points": as_tuples(_points(name)), **on_a_line(_start(name))} for name in DATA
        }

    @validate(*PARTS)
    def _check_parameters(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        good = {
            "weights": lambda: min(value) >= WEIGHTS[0] and abs(sum(value) - 1) < 1e-8,
            "means": lambda: True,
            "variances": lambda: min(value) >= VARIANCES[0],
        }[name]
        if len(value) != 2 or not good():
            raise TraitError(
                f"{name}: expected 2 numbers, weights of at least {WEIGHTS[0]:g} and of sum 1, "
                f"variances of at least {VARIANCES[0]:g}, got {list(value)}; give one for each "
                "component."
            )
        return value

    @validate("q")
    def _check_q(self, proposal):
        q, m = proposal["value"], len(_points(self.data))
        if len(q) != m or min(q) < 0 or max(q) > 1:
            raise TraitError(
                f"q: expected {m} numbers from 0 to 1, the share of component 1 in each point, got "
                f"{len(q)} from {min(q)} to {max(q)}; give one share a point."
            )
        return q

    @validate("before")
    def _check_before(self, proposal):
        before = proposal["value"]
        # A NaN is in no range, so it is refused as well.
        if len(before) == 1 or not all(HEIGHTS[0] <= each <= HEIGHTS[1] for each in before):
            raise TraitError(
                f"before: expected ℓ and the bound before the last M step, from {HEIGHTS[0]:g} to "
                f"{HEIGHTS[1]:g}, or none, got {before}; leave it out unless you have both."
            )
        return before

    @validate("selected")
    def _check_selected(self, proposal):
        i, m = proposal["value"], len(_points(self.data))
        if i >= m:
            raise TraitError(
                f"selected: expected the index of a point, 0 to {m - 1}, got {i}; count from 0."
            )
        return i

    # -- what follows from the state

    @property
    def X(self):
        """The points, shape (m, 1)."""
        return _points(self.data)[:, None]

    @property
    def mixture(self):
        """θ, as a `GaussianMixture`."""
        return GaussianMixture(self.weights, self.means, self.variances)

    @property
    def responsibilities(self):
        """Q, shape (m, 2)."""
        q = np.array(self.q)
        return np.column_stack([q, 1 - q])

    @property
    def log_likelihood(self):
        """ℓ(θ), in nats."""
        return e_step(self.X, self.mixture)[1]

    @property
    def lower_bound(self):
        """The evidence lower bound at θ and Q, in nats."""
        return evidence_lower_bound(self.X, self.mixture, self.responsibilities)

    @property
    def divergence(self):
        """Σ_i KL(Q_i ‖ posterior), in nats: the gap, computed on its own."""
        return float(kl_to_posterior(self.X, self.mixture, self.responsibilities).sum())

    def _at(self, value):
        """θ with the coordinate at `value`."""
        parts = {name: list(getattr(self, name)) for name in PARTS}
        name, j = self.coordinate.rsplit("-", 1)
        parts[f"{name}s"][int(j) - 1] = value
        if name == "weight":
            parts["weights"][1] = 1 - value
        return GaussianMixture(*(parts[part] for part in PARTS))

    @property
    def _range(self):
        """Where the coordinate can go; bound_explorer.js has the same rule."""
        x = self.X
        span = float(np.ptp(x))
        if self.coordinate.startswith("mean"):
            return float(x.min()) - 0.15 * span, float(x.max()) + 0.15 * span
        if self.coordinate.startswith("variance"):
            return 0.004 * span**2, 0.16 * span**2
        return 0.01, 0.99

    def still(self):
        """Return a matplotlib Figure: ℓ and the bound along the coordinate, and the table Q."""
        from gmm_lib.plotting import COLORS

        figure, main, side = self._side_by_side((9, 4.2), [3, 1.6])
        values = np.linspace(*self._range, 161)
        thetas = [self._at(value) for value in values]
        height = np.array([e_step(self.X, theta)[1] for theta in thetas])
        bound = np.array(
            [evidence_lower_bound(self.X, theta, self.responsibilities) for theta in thetas]
        )
        name, j = self.coordinate.rsplit("-", 1)
        here = getattr(self, f"{name}s")[int(j) - 1]
        main.plot(values, height, color="0.2")
        main.plot(values, bound, "--", color=COLORS[0])
        main.plot([here, here], [self.lower_bound, self.log_likelihood], color=COLORS[2], lw=4)
        main.plot(here, self.log_likelihood, "o", color="0.2")
        main.plot(here, self.lower_bound, "D", color=COLORS[0])
        low = min(height.min(), self.lower_bound)
        main.set_ylim(low - 0.05 * (height.max() - low), height.max() + 0.08 * (height.max() - low))
        symbol = SYMBOLS[COORDINATES.index(self.coordinate)]
        main.set(xlabel=f"${symbol}$", ylabel=r"$\ell$")
        side.plot(
            self.X[:, 0], self.mixture.responsibilities(self.X)[:, 0], "_", color="0.4", ms=12
        )
        side.plot(self.X[:, 0], self.q, "o", color=COLORS[0])
        side.set(xlabel="$x$", ylabel="$Q_1$", ylim=(-0.05, 1.05))
        return figure

    def describe(self):
        """Return one sentence that tells ℓ, the bound and the gap."""
        return self.say(
            "alt",
            coordinate=self.words[f"coordinate-{self.coordinate}"],
            l=format_number(self.log_likelihood, 6),
            bound=format_number(self.lower_bound, 6),
            gap=format_number(self.log_likelihood - self.lower_bound),
        )
