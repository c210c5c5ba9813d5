"""Chapter 8's explorer: sums made on several machines add up to the sums of the whole."""

from functools import reduce
from itertools import islice
from operator import add

import numpy as np
from traitlets import Dict, Float, List, TraitError, default, observe
from traitlets import Int as Integer

from gmm_lib import datasets
from gmm_lib.em import e_step, em_states
from gmm_lib.mixture import GaussianMixture
from gmm_lib.statistics import SufficientStatistics
from gmm_lib.widgets.base import Choice, Explorer, Whole, as_tuples, chosen, format_number

MACHINES = 8  # shards.js has the same numbers
ITERATIONS = 200
SHUFFLES = 10**6
SETS = ("thousand-points", "old-faithful")


def dealt(m, machines, shuffle):
    """Return the machine (m,) that each of m points is dealt to in the given shuffle, from 0.

    A hash of the point's number instead of a random generator: the browser has the same.
    """
    h = (np.arange(1, m + 1, dtype=np.uint64) * 0x9E3779B1 + shuffle * 0x85EBCA6B) & 0xFFFFFFFF
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return ((h ^ (h >> np.uint64(16))) % np.uint64(machines)).astype(int)


def even_cuts(x, machines):
    """Return the places (machines - 1,) that cut values x into parts of one size, nearly."""
    x = np.sort(x)
    at = [len(x) * s // machines for s in range(1, machines)]
    return tuple(float(round((x[i - 1] + x[i]) / 2, 3)) for i in at)


def merged_groups(machines, order, merged):
    """Return which parts have been merged after that many merges: a list of lists of parts.

    "tree" merges neighbors, then the pairs with each other, and so on; "chain" adds one part after
    another to the first.
    """
    groups, at = [[part] for part in range(machines)], 0
    for _ in range(merged):
        groups[at] += groups.pop(at + 1)
        at = 0 if order == "chain" or at + 1 >= len(groups) - 1 else at + 1
    return groups


class ShardsExplorer(Explorer, kind="shards"):
    """A data set over several machines: own sums, merged, and beside them the sums of the whole.

    Parameters
    ----------
    data : {"thousand-points", "old-faithful"}
    machines : int from 1 to 8
    cuts : sequence of machines - 1 numbers, ascending
        Where the first feature is cut, if the points are split by place.
    shuffle : int
        0: split by place. From 1 on: the number of the shuffle that deals the points out.
    iteration : int
        t, from 0 to 200: the sums are those of the E step under θ_t.
    order : {"tree", "chain"}
        How the sums are merged.
    merged : int
        How many merges have been made, at most machines - 1.
    keepers : list of int
        Which machine has summed each part; -1 where the sums are lost.
    dead : list of int
        The machines that are gone.

    Examples
    --------
    >>> explorer = ShardsExplorer()
    >>> explorer.machines, explorer.X.shape
    (4, (1000, 1))
    """

    STATE = (
        "data",
        "machines",
        "cuts",
        "shuffle",
        "iteration",
        "order",
        "merged",
        "keepers",
        "dead",
    )
    VALUES = {
        "data": "name of the data",
        "iteration": "t of the parameters on show",
        "machines": "how many there are",
        "parts": "how many points each part has",
        "shuffle": "number of the shuffle, 0 where the parts are cut by place",
        "order": '"tree" or "chain"',
        "merged": "how many merges have been made",
        "complete": "whether all parts are merged into one",
        "groups": "the sums of what is merged so far",
        "difference": "largest relative one between merged sums and those in one place",
        "theta": "parameters of the next M step, once all is merged",
        "theta_difference": "largest relative one between these and those in one place",
        "keepers": "for each part the machine that has its sums, -1 where they are lost",
        "dead": "how many machines have been killed",
    }

    _ready = False  # until the constructor has set all traits, they need not fit each other

    data = Choice(SETS)
    machines = Whole(4, least=1, most=MACHINES)
    cuts = List(Float()).tag(sync=True)
    shuffle = Whole(most=SHUFFLES)
    iteration = Whole(most=ITERATIONS)
    order = Choice(("tree", "chain"))
    merged = Whole()
    keepers = List(Integer()).tag(sync=True)
    dead = List(Integer()).tag(sync=True)
    datasets = Dict(read_only=True).tag(sync=True)

    def __init__(self, data="thousand-points", machines=4, **options):
        chosen("data", data, SETS)
        if isinstance(machines, int) and 1 <= machines <= MACHINES:
            x = datasets.NAMES[data]().X[:, 0]
            options = {
                "cuts": list(even_cuts(x, machines)),
                "keepers": list(range(machines)),
            } | options
        super().__init__(data=data, machines=machines, **options)
        if problem := self._problem():
            raise TraitError(problem)
        self._ready = True

    @default("datasets")
    def _default_datasets(self):
        sets = {}
        for name in SETS:
            found = datasets.NAMES[name]()
            sets[name] = {
                "points": as_tuples(found.X),
                "weights": as_tuples(found.start.weights),
                "means": as_tuples(found.start.means),
                "covariances": as_tuples(found.start.covariances),
                "axis": self.words[f"axis-{name}"],
            }
        return sets

    @observe("data", "machines")
    def _follow(self, change):
        """What does not fit other data or another number of machines is split anew."""
        if not self._ready:
            return
        if self._problem():
            x = self.X[:, 0]
            with self.hold_sync():
                self.cuts = list(even_cuts(x, self.machines))
                self.keepers, self.dead = list(range(self.machines)), []
                self.merged = 0

    def _problem(self):
        """Return what is wrong with the state as a whole, None if nothing is."""
        n = self.machines
        low, high = self.X[:, 0].min(), self.X[:, 0].max()
        inside = all(low <= cut <= high for cut in self.cuts)
        if len(self.cuts) != n - 1 or list(self.cuts) != sorted(self.cuts) or not inside:
            return (
                f"cuts: expected {n - 1} ascending numbers from {low:g} to {high:g}, got "
                f"{list(self.cuts)}; give one between two machines."
            )
        if self.merged > n - 1 or (self.merged and -1 in self.keepers):
            return (
                f"merged: expected at most {n - 1}, and 0 while sums are lost, got {self.merged}; "
                "count the additions that can be made."
            )
        if not set(self.dead) < set(range(n)):
            return (
                f"dead: expected some, not all, of 0 to {n - 1}, got {list(self.dead)}; leave a "
                "machine alive."
            )
        living = set(range(-1, n)) - set(self.dead)
        if len(self.keepers) != n or not set(self.keepers) <= living:
            return (
                f"keepers: expected {n} living machines, or -1, got {list(self.keepers)}; name the "
                "machine that keeps each sum, or -1 for none."
            )
        return None

    # -- what follows from the state

    @property
    def X(self):
        """The points, shape (m, d)."""
        return np.array(self.datasets[self.data]["points"])

    @property
    def mixture(self):
        """θ_t, the same on every machine."""
        own = self.datasets[self.data]
        start = GaussianMixture(own["weights"], own["means"], own["covariances"])
        return next(islice(em_states(self.X, start), self.iteration, None)).mixture

    def parts(self):
        """Return the indices of the points of each part: a list of arrays."""
        X = self.X
        if self.shuffle:
            label = dealt(len(X), self.machines, self.shuffle)
        else:
            label = np.searchsorted(self.cuts, X[:, 0], side="right")
        return [np.flatnonzero(label == part) for part in range(self.machines)]

    def sums(self, index, mixture=None):
        """Return (statistics, log-likelihood) of some points, as a machine that has only these."""
        mixture = mixture or self.mixture
        k, d = mixture.k, mixture.d
        if not len(index):
            nothing = np.zeros(k), np.zeros((k, d)), np.zeros((k, d, d))
            return SufficientStatistics(*nothing), 0.0
        X = self.X[index]
        w, log_likelihood = e_step(X, mixture)
        return SufficientStatistics.of(X, w), log_likelihood

    def groups(self):
        """Return what has been merged so far: a list of (parts, statistics, log-likelihood)."""
        mixture = self.mixture
        own = [self.sums(index, mixture) for index in self.parts()]
        return [
            (
                group,
                reduce(add, (own[part][0] for part in group)),
                sum(own[part][1] for part in group),
            )
            for group in merged_groups(self.machines, self.order, self.merged)
        ]

    def whole(self):
        """Return (statistics, log-likelihood) of all points in one place."""
        return self.sums(np.arange(len(self.X)))

    def difference(self):
        """Return the largest difference, relative to size, of the merged sums to the whole's.

        None while they are not merged, or lost in part.
        """
        if self.merged < self.machines - 1 or -1 in self.keepers:
            return None
        ((_, ours, mine),), (theirs, yours) = self.groups(), self.whole()
        pairs = [(getattr(ours, n), getattr(theirs, n)) for n in ("counts", "means", "scatter")]
        return max(np.abs(a - b).max() / np.abs(b).max() for a, b in [*pairs, (mine, yours)])

    def status(self):
        """Return what the explorer's live text says, but for what just happened."""
        n, difference = self.machines, self.difference()
        if -1 in self.keepers:
            lost = [str(part + 1) for part, keeper in enumerate(self.keepers) if keeper == -1]
            told = self.say("lost", parts=", ".join(lost))
        elif difference is None:
            told = self.say("open", n=n, done=self.merged, all=n - 1)
        elif difference == 0:
            told = self.say("equal")
        else:
            told = self.say("close", difference=f"{difference:.0e}")
        return " ".join([self.say("iteration-told", t=self.iteration), told])

    def still(self):
        """Return a matplotlib Figure: the points machine by machine, and the sums stacked up."""
        from gmm_lib import plotting

        X, mixture = self.X, self.mixture
        figure, main, side = self._side_by_side((9, 4), [2.2, 1.4])
        inside = self._inside()
        for part, index in enumerate(self.parts()):
            if len(index) and self.keepers[part] != -1:
                colors = plotting.responsibility_colors(mixture.responsibilities(X[index]))
                main.scatter(X[index, 0], part + 1 + inside[index], c=colors, s=9)
        main.set(xlabel="$x$" if X.shape[1] == 1 else "$x_1$", ylim=(self.machines + 0.5, 0.5))
        main.set_yticks(range(1, self.machines + 1))
        groups, (whole, _) = self.groups(), self.whole()
        rows = {
            r"$N$": lambda s: s.counts,
            r"$\Sigma w x$": lambda s: s.counts * s.means[:, 0],
            r"$\Sigma w x^2$": lambda s: s.scatter[:, 0, 0] + s.counts * s.means[:, 0] ** 2,
        }
        for r, value in enumerate(rows.values()):
            scale = np.abs(value(whole)).max()
            for j in range(mixture.k):
                left, y = 0.0, 3 * r + j
                for _, own, _ in groups:
                    width = value(own)[j] / scale
                    color = plotting.component_color(j)
                    side.barh(y, width, left=left, color=color, edgecolor="white", height=0.8)
                    left += width
        side.set_yticks([3 * r + 0.5 for r in range(3)], list(rows))
        side.invert_yaxis()
        side.set_xticks([])
        return figure

    def _inside(self):
        """Return where each point stands in its machine's row, from -0.36 (top) to 0.36."""
        X = self.X
        if X.shape[1] == 1:
            return 0.72 * ((np.arange(len(X)) * 0.6180339887498949) % 1 - 0.5)
        y = X[:, 1]
        return 0.72 * (0.5 - (y - y.min()) / np.ptp(y))

    def describe(self):
        """Return one sentence on the picture and the state."""
        return self.say("alt", m=format_number(len(self.X)), n=self.machines, status=self.status())
