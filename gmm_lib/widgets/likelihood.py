"""Chapter 1's explorer: a bell curve, its heights at the points, their product and its log."""

import numpy as np
from traitlets import Bool, Dict, Float, TraitError, default, validate

from gmm_lib import datasets
from gmm_lib.clinic import log_normal
from gmm_lib.widgets.base import (
    Choice,
    Explorer,
    Numbers,
    Whole,
    as_tuples,
    chosen,
    format_number,
    powers,
)

DATA = ("five-points", "thousand-points")
# Where points, curves and maps may go: the ranges of each set, and of them all together.
RANGES = {
    "five-points": {"x": (-4.0, 20.0), "sigma": (0.5, 12.0)},
    "thousand-points": {"x": (-12.0, 22.0), "sigma": (0.5, 16.0)},
}
STARTS = {"five-points": (9.0, 2.0), "thousand-points": (-3.0, 4.0)}
CANDIDATES = {
    "five-points": {"a": (5.0, 3.0), "b": (10.0, 3.0)},
    "thousand-points": {"a": (5.0, 8.0), "b": (10.0, 8.0)},
}


def _points(name):
    """Return the points (m,) of a set; the five are the first group of the ten."""
    if name == "five-points":
        return datasets.ten_points().X[:5, 0]
    return datasets.thousand_points().X[:, 0]


class LikelihoodExplorer(Explorer, kind="likelihood"):
    """One normal curve for the reader to fit: likelihood, log-likelihood, and their map.

    Parameters
    ----------
    data : {"five-points", "thousand-points"}
        The thousand points stay where they are; the five can be moved.
    mu, sigma : float
        Center and width (standard deviation) of the curve.
    points : sequence of 5 numbers from -4 to 20
        Where the five points are.
    factors : int, optional
        How many heights are multiplied, in the order of the points; all of them if not given.
    tried : bool
        Whether the reader has moved the curve; only then can the maximum be shown.
    shown : bool
        Whether the maximum is shown.

    Examples
    --------
    >>> explorer = LikelihoodExplorer(mu=5, sigma=3)
    >>> round(explorer.log_likelihood, 4)
    -11.9766
    """

    STATE = ("data", "mu", "sigma", "points", "factors", "tried", "shown")
    VALUES = {
        "data": "name of the data",
        "mu": "center of the curve",
        "sigma": "width of the curve",
        "points": "the five points",
        "factors": "how many heights are multiplied",
        "heights": "of the curve at the points, if these are few",
        "product": "of the first heights, so many as there are factors",
        "sum": "of the logs of these heights",
        "log_likelihood": "of all points",
        "underflow": "at which factor the product became 0, or false",
        "tried": "whether the reader has moved the curve",
        "shown": "whether the maximum is shown",
        "best_mu": "the best center, while it is shown",
        "best_sigma": "the best width, while it is shown",
        "best_sigma_unbiased": "the width with the divisor m - 1, while the maximum is shown",
        "best_log_likelihood": "that of the best curve, while it is shown",
    }

    data = Choice(DATA)
    mu = Float().tag(sync=True)
    sigma = Float().tag(sync=True)
    points = Numbers(1, "(5,)")
    factors = Whole()
    tried = Bool(False).tag(sync=True)
    shown = Bool(False).tag(sync=True)
    sets = Dict(read_only=True).tag(sync=True)

    def __init__(self, data="five-points", **options):
        mu, sigma = STARTS[chosen("data", data, DATA)]
        own = {
            "mu": mu,
            "sigma": sigma,
            "points": _points("five-points"),
            "factors": len(_points(data)),
            "tried": bool(options.get("shown")),
        }
        super().__init__(data=data, **(own | options))

    @default("sets")
    def _default_sets(self):
        return {
            name: {
                "points": as_tuples(_points(name)),
                "start": STARTS[name],
                "candidates": CANDIDATES[name],
                **RANGES[name],
            }
            for name in DATA
        }

    @validate("points")
    def _check_points(self, proposal):
        points = proposal["value"]
        low, high = RANGES["five-points"]["x"]
        if len(points) != 5 or min(points) < low or max(points) > high:
            raise TraitError(
                f"points: expected 5 numbers from {low:g} to {high:g}, got {list(points)}; move "
                "them there."
            )
        return points

    @validate("mu", "sigma")
    def _check_curve(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        low, high = RANGES[self.data]["x" if name == "mu" else "sigma"]
        if not low <= value <= high:
            raise TraitError(
                f"{name}: expected a number from {low:g} to {high:g} for {self.data}, got {value}; "
                "choose one in the picture."
            )
        return value

    @validate("factors")
    def _check_factors(self, proposal):
        m = len(_points(self.data))
        if not 1 <= proposal["value"] <= m:
            raise TraitError(
                f"factors: expected a number from 1 to {m}, got {proposal['value']}; there is one "
                "factor a point."
            )
        return proposal["value"]

    # -- what follows from the state

    @property
    def x(self):
        """The points shown, shape (m,)."""
        return np.array(self.points) if self.data == "five-points" else _points(self.data)

    @property
    def log_heights(self):
        """The log of the curve's height at each point, shape (m,)."""
        return log_normal(self.x, self.mu, self.sigma)

    @property
    def product(self):
        """The product of the first `factors` heights; 0 where a computer has no smaller number."""
        return float(np.multiply.reduce(np.exp(self.log_heights[: self.factors])))

    @property
    def log_likelihood(self):
        """ℓ(μ, σ²) of all points, in nats."""
        return float(self.log_heights.sum())

    @property
    def best(self):
        """The maximum (μ̂, σ̂) and the width that 1/(m-1) gives; widths are 0 for equal points."""
        return float(self.x.mean()), float(self.x.std()), float(self.x.std(ddof=1))

    def still(self):
        """Return a matplotlib Figure: the curve with its stems, and the map of ℓ."""
        from gmm_lib import plotting

        figure, main, side = self._side_by_side((9, 4.2), [1.5, 1])
        side.spines[:].set_visible(True)  # a map
        x, (low, high) = self.x, RANGES[self.data]["x"]
        grid = np.linspace(low - 1, high + 1, 400)
        few = len(x) <= 30
        stems = {"color": plotting.COLORS[0], "lw": 2 if few else 0.4, "alpha": 1 if few else 0.3}
        main.vlines(x, 0, np.exp(self.log_heights), **stems)
        bell = np.exp(log_normal(grid, self.mu, self.sigma))
        main.plot(grid, bell, color=plotting.COLORS[0], lw=2)
        main.plot(x, np.zeros_like(x), "o" if few else "|", color=plotting.INK, clip_on=False)
        main.set(xlabel="$x$", ylabel=r"$\mathcal{N}(x;\,\mu,\sigma^2)$", ylim=(0, None))

        center, width, unbiased = self.best
        spread = RANGES[self.data]["sigma"]
        if width > 0:
            top = log_normal(x, center, width).sum()
            plotting.draw_contour(
                lambda mu, sigma: log_normal(x, mu, sigma).sum(),
                np.linspace(low, high, 60),
                np.linspace(*spread, 60),
                ax=side,
                levels=np.sort(top - len(x) * np.array([0.1, 0.2, 0.4, 0.7, 1.1, 1.7, 2.6, 4, 7])),
            )
        if self.shown and spread[0] <= width <= spread[1]:
            side.plot(center, width, "D", color=plotting.COLORS[2])
            side.plot(center, unbiased, "s", color=plotting.COLORS[2], markerfacecolor="white")
            best = np.exp(log_normal(grid, center, width))
            main.plot(grid, best, "--", color=plotting.COLORS[2])
        side.plot(self.mu, self.sigma, "o", color=plotting.COLORS[0], markersize=9)
        side.set(xlabel=r"$\mu$", ylabel=r"$\sigma$", xlim=(low, high), ylim=spread)
        return figure

    def describe(self):
        """Return the state in words: the curve, the product of its heights, the sum of logs."""
        told = self.say(
            "alt",
            m=len(self.x),
            mu=format_number(self.mu),
            sigma=format_number(self.sigma),
            n=self.factors,
            product=powers(self.product),
            l=f"{self.log_likelihood:.2f}",
        )
        if not self.shown:
            return told
        center, width, unbiased = (format_number(value) for value in self.best)
        return f"{told} {self.say('alt-best', mu=center, sigma=width, unbiased=unbiased)}"
