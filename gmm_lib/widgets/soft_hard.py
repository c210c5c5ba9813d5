"""Chapter 6's explorer: one slider, the variance, from soft responsibilities to k-means."""

from itertools import pairwise

import numpy as np
from traitlets import Dict, Float, TraitError, default, observe, validate

from gmm_lib import datasets
from gmm_lib.bound import entropy
from gmm_lib.covariance import DegenerateComponentError
from gmm_lib.hard import kmeans_states
from gmm_lib.mixture import GaussianMixture
from gmm_lib.statistics import SufficientStatistics
from gmm_lib.widgets.base import (
    Choice,
    Explorer,
    Numbers,
    as_tuples,
    chosen,
    format_number,
    format_percent,
)

# soft_hard.js has the same numbers; a test holds them equal.
RANGE = (1e-3, 1e4)  # of the variance
DECIDED = 0.99  # a point has made up its mind when one component has at least this share of it
NEAR = 0.002  # in standard deviations of the data: what no eye can tell apart is told as one

# Where the means start: in the book's example the two means stand at 4 and 21; the others are
# rounded places near the middle, from which the way to k-means can be watched.
STARTS = {
    "ten-points": ((4.0,), (21.0,)),
    "old-faithful": ((-0.5, 0.8), (0.6, -0.7)),
    "overlapping": ((-2.0, 3.0), (1.0, -2.0), (5.0, 3.0)),
}


def points_of(name):
    """Return the points (m, d) of a data set; those of Old Faithful standardized, 4 decimals."""
    X = datasets.NAMES[name]().X
    if name == "old-faithful":
        X = ((X - X.mean(axis=0)) / X.std(axis=0)).round(4)
    return X


class SoftHardExplorer(Explorer, kind="soft-hard", module="soft_hard.js"):
    """Equal round components of one variance, from soft responsibilities to nearest means.

    Parameters
    ----------
    data : {"ten-points", "old-faithful", "overlapping"}
        Old Faithful is standardized: circles need features on one scale.
    variance : float from 0.001 to 10000
        ε: every component has the covariance ε I and the same weight.
    means : array_like, shape (k, d)
        Where the means are now.
    start : array_like, shape (k, d)
        Where they set out, and where the k-means shown for comparison starts.

    Examples
    --------
    >>> explorer = SoftHardExplorer(variance=1.0)
    >>> explorer.responsibilities.shape
    (10, 2)
    """

    STATE = ("data", "variance", "start", "means")
    VALUES = {
        "data": "name of the data",
        "variance": "epsilon, of all components",
        "means": "of the components",
        "kmeans": "where k-means ends from the same start, if it does not lose a center",
        "responsibilities": "of all points, row by row",
        "uncertainty": "sum of the entropies of the responsibilities",
        "undecided": "how many points no component has 99% of",
        "last": "index of the point that decides last",
        "last_at": "the variance at which it does",
    }

    data = Choice(tuple(STARTS))
    variance = Float(100.0).tag(sync=True)
    start = Numbers(2, "(k, d)")
    means = Numbers(2, "(k, d)")
    datasets = Dict(read_only=True).tag(sync=True)

    def __init__(self, data="ten-points", **options):
        own = options.get("start", STARTS[chosen("data", data, STARTS)])
        super().__init__(data=data, **({"start": own, "means": own} | options))

    @default("datasets")
    def _default_datasets(self):
        return {
            name: {
                "points": as_tuples(points_of(name)),
                "means": start,
                "axes": list(self.words[f"axes-{name}"]),
            }
            for name, start in STARTS.items()
        }

    @validate("variance")
    def _check_variance(self, proposal):
        if not RANGE[0] <= proposal["value"] <= RANGE[1]:
            raise TraitError(
                f"variance: expected a number from {RANGE[0]:g} to {RANGE[1]:g}, got "
                f"{proposal['value']}; choose one in between."
            )
        return proposal["value"]

    @validate("start", "means")
    def _check_means(self, proposal):
        expected = np.shape(STARTS[self.data])
        name, value = proposal["trait"].name, proposal["value"]
        if np.shape(value) != expected:
            raise TraitError(
                f"{name}: expected shape {expected} for {self.data}, got {np.shape(value)}; give "
                "one center a component."
            )
        X = self.X
        slack = 1e-9 * np.ptp(X, axis=0)  # of rounding
        low, high = X.min(axis=0), X.max(axis=0)
        if not ((low - slack <= value) & (value <= high + slack)).all():
            raise TraitError(
                f"{name}: expected means among the points, from {low} to {high}, got {value}; "
                "choose centers amid the data."
            )
        return value

    @observe("data")
    def _follow(self, change):
        """Another data set brings its own start."""
        if self.means and np.shape(self.means) != np.shape(STARTS[self.data]):
            with self.hold_sync():
                self.start = self.means = STARTS[self.data]

    @property
    def X(self):
        """The points, shape (m, d)."""
        return np.array(self.datasets[self.data]["points"])

    def mixture(self, variance=None):
        """Return the mixture on show, or the one with another variance."""
        k, d = np.shape(self.means)
        variance = self.variance if variance is None else variance
        return GaussianMixture(np.full(k, 1 / k), self.means, [variance * np.eye(d)] * k)

    @property
    def responsibilities(self):
        """Shape (m, k), at the present variance and means."""
        return self.mixture().responsibilities(self.X)

    def uncertainty(self, variance=None):
        """Return the sum over the points of the entropy of their responsibilities, in nats."""
        return float(entropy(self.mixture(variance).responsibilities(self.X)).sum())

    def moved(self):
        """Return the means (k, d) after one EM step; one that owns nothing stays where it is."""
        sums = SufficientStatistics.of(self.X, self.responsibilities)
        return np.where(sums.counts[:, None] > 0, sums.means, self.means)

    def kmeans(self):
        """Return the centers (k, d) that k-means reaches from the start; None if one gets lost."""
        try:
            for before, after in pairwise(kmeans_states(self.X, self.start)):
                if np.array_equal(before.labels, after.labels):
                    return after.centers
        except DegenerateComponentError:
            return None

    def decided_at(self):
        """Return for each point the variance (m,) below which one component has 99% of it or more.

        Notes
        -----
        With equal weights the share of the nearest mean c is 1 / (1 + Σ_j exp(-D_j / 2ε)), D_j the
        excess of the squared distance to mean j over that to c. With two means this is solved by
        ε = D / (2 log 99); with k means the other terms are between 1 and k - 1 times the largest,
        which brackets the answer for a bisection. 0 where two means are equally near.
        """
        squares = ((self.X[:, None, :] - np.array(self.means)) ** 2).sum(axis=2)
        excess = np.sort(squares - squares.min(axis=1, keepdims=True), axis=1)[:, 1:]
        odds = DECIDED / (1 - DECIDED)
        high = excess[:, 0] / (2 * np.log(odds))
        low = excess[:, 0] / (2 * np.log(odds * excess.shape[1]))
        for _ in range(60 if excess.shape[1] > 1 else 0):
            middle = (low + high) / 2
            safe = np.where(middle > 0, middle, 1)
            decided = np.exp(-excess / (2 * safe[:, None])).sum(axis=1) <= 1 / odds
            low, high = np.where(decided, middle, low), np.where(decided, high, middle)
        return low

    def _told_point(self, i):
        place = [format_number(value, 3) for value in self.X[i]]
        return f"x = {place[0]}" if len(place) == 1 else f"({', '.join(place)})"

    def status(self):
        """Return what the explorer's live text says of the state."""
        w, m = self.responsibilities, len(self.X)
        at = self.decided_at()
        # By the same bracket as the browser, not by the shares: they agree but for rounding.
        open_points = int((at < self.variance).sum())
        last = int(at.argmin())
        unsure = int(w.max(axis=1).argmin())
        told = self._told_point
        if open_points == 0:
            end = self.say("last", point=told(last), epsilon=format_number(at[last], 3))
        elif open_points == 1:
            end = self.say("one", point=told(last), shares=self._shares(w[last]))
        elif w.max() - 1 / w.shape[1] < 0.01:
            end = self.say("none", share=format_percent(1 / w.shape[1]))
        else:
            shares = self._shares(w[unsure])
            end = self.say("some", n=open_points, m=m, point=told(unsure), shares=shares)
        begin = self.say(
            "status",
            epsilon=format_number(self.variance, 3),
            h=f"{self.uncertainty():.2f}",
            most=f"{m * np.log(w.shape[1]):.2f}",
        )
        return " ".join([begin, end, *self._met()])

    def _met(self):
        """Return what is to be told of the means: met each other, arrived where k-means ends."""
        means, near = np.array(self.means), NEAR * self.X.std()
        if np.ptp(means, axis=0).max() < near:
            return [self.say("met")]
        centers = self.kmeans()
        if centers is None:
            return [self.say("no-kmeans")]
        return [self.say("arrived")] if np.abs(means - centers).max() < near else []

    def _shares(self, row):
        return " : ".join(format_percent(share) for share in row)

    def still(self):
        """Return a matplotlib Figure: the points by responsibility, and the uncertainty over ε."""
        from gmm_lib import plotting

        X, means, w = self.X, np.array(self.means), self.responsibilities
        figure, main, side = self._side_by_side((9, 4), [3, 1.2])
        centers = self.kmeans()
        if X.shape[1] == 1:
            low, high = X.min() - 2, X.max() + 2
            x = np.linspace(low, high, 300)
            shares = self.mixture().responsibilities(x)
            for j in range(len(means)):
                style = ("-", "--", ":")[j]
                main.plot(x, shares[:, j], style, color=plotting.component_color(j))
                main.plot(means[j], -0.12, "o", color=plotting.component_color(j), markersize=11)
            main.vlines(X[:, 0], 0, w[:, 0], color="0.8", linewidth=1, zorder=0)
            main.scatter(X[:, 0], w[:, 0], c=plotting.responsibility_colors(w), s=60, zorder=3)
            if centers is not None:
                main.plot(centers[:, 0], np.full(len(centers), -0.12), "x", color="0.1")
            main.set(xlabel="$x$", ylabel="$w_j$", xlim=(low, high))
        else:
            main.scatter(*X.T, c=plotting.responsibility_colors(w), s=18)
            for j, mean in enumerate(means):
                main.plot(*mean, "o", color=plotting.component_color(j), markersize=12, mec="white")
            if centers is not None:
                main.plot(*centers.T, "x", color="0.1", markersize=9)
            main.set(xlabel="$x_1$", ylabel="$x_2$")
            main.set_aspect("equal", adjustable="datalim")
        epsilon = np.geomspace(*RANGE, 141)
        side.semilogx(epsilon, [self.uncertainty(each) for each in epsilon], color="0.35")
        side.plot(self.variance, self.uncertainty(), "o", color="0.1")
        side.set(xlabel=r"$\varepsilon$", ylabel="$H$")
        return figure

    def describe(self):
        """Return one sentence on the picture and the state."""
        return self.say(f"alt-{self.X.shape[1]}", m=len(self.X), status=self.status())
