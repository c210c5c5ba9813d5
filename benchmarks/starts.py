"""Measure where `fit` starts from: how high EM gets from there, how often it collapses, how long it
takes; against points far apart, and against scikit-learn's own start.

Each way starts from the same seeds, with nothing added to the covariances (`reg_covar=0`) and to
the same tolerance. What is told of a way is its median seed: by how much what EM climbs (the
log-likelihood, or with a prior the posterior) falls short of the best that is known, in nats a
point; a collapse falls short without bound. Known are what any way reached, and what is reached
from the groups that the data were made with or have been given. The best is not always what one
wants: where points are few for their features, it is a maximum near a collapse. The share is that
of the start in the time of a default fit, start included.
"""

import math
import statistics
import time
from typing import NamedTuple

import numpy as np
from sklearn import datasets as shipped
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture as ScikitLearn

from gmm_lib import CovariancePrior, DegenerateComponentError, datasets, fit
from gmm_lib.initial import starts


class Problem(NamedTuple):
    """Points, a number of components, the group of each point if known, a prior if needed."""

    name: str
    X: np.ndarray
    k: int
    truth: np.ndarray | None = None
    prior: CovariancePrior | None = None


def groups(m, d, k, spread, seed, weights=None, long=False):
    """Points of k normal groups, their means `spread` standard deviations from 0 in each feature.

    If `long`, each group is stretched in directions of its own. Returns also the groups.
    """
    rng = np.random.default_rng(seed)
    means = rng.normal(0, spread, (k, d))
    z = rng.choice(k, size=m, p=weights)
    noise = rng.normal(size=(m, d))
    if long:
        maps = rng.normal(size=(k, d, d)) / np.sqrt(d) + 0.3 * np.eye(d)
        noise = np.einsum("iab,ib->ia", maps[z], noise)
    return means[z] + noise, z


def unequal():
    """Nine tenths of the points in one group, the rest in three, all well apart."""
    return groups(10_000, 4, 4, 3, 4, weights=[0.9, 0.05, 0.03, 0.02])


def shifted():
    """Two groups whose means are one standard deviation apart in each of thirty features."""
    X = np.random.default_rng(1).normal(size=(1000, 30))
    X[:500] += 1
    return X, np.arange(1000) // 500


def problems():
    """Yield the problems: the book's, scikit-learn's, and some that are made up."""
    yield Problem("ten points", datasets.ten_points().X, 2)
    yield Problem("galaxies", datasets.galaxies().X, 3)
    yield Problem("Old Faithful", datasets.old_faithful().X, 2)
    yield Problem("iris", *known(shipped.load_iris, 3))
    yield Problem("wine", *known(shipped.load_wine, 3))
    yield Problem("breast cancer", *known(shipped.load_breast_cancer, 2))
    digits, k, truth = known(shipped.load_digits, 10)
    main = PCA(16, svd_solver="full").fit_transform(digits)
    yield Problem("digits, 16 main features", main, k, truth)
    yield Problem("digits, prior", digits, k, truth, CovariancePrior.from_data(digits, k))
    for name, k, (X, truth) in (
        ("overlapping", 5, groups(5000, 2, 5, 1.5, 2)),
        ("many, far apart", 15, groups(5000, 2, 15, 20, 1)),
        ("shifted a little in all", 2, shifted()),
        ("unequal sizes", 4, unequal()),
        ("long and overlapping", 6, groups(10_000, 8, 6, 1.5, 5, long=True)),
        ("far apart", 8, groups(4000, 64, 8, 1, 6)),
    ):
        yield Problem(name, X, k, truth)


def known(load, k):
    """Points, k and the groups of a data set that scikit-learn brings."""
    data = load()
    return data.data, k, data.target


def ours(problem, seed, init="kmeans"):
    """What was reached (minus infinity after a collapse), seconds, and those of the start."""
    rng, began = np.random.default_rng(seed), time.perf_counter()
    try:
        start = next(starts(problem.X, problem.k, init, rng=rng, prior=problem.prior))
        started = time.perf_counter() - began
        reached = fit(problem.X, start, prior=problem.prior).objectives[-1]
    except DegenerateComponentError:
        reached, started = -math.inf, math.nan
    return reached, time.perf_counter() - began, started


def theirs(problem, seed):
    """The same of scikit-learn, whose start is not timed apart."""
    began = time.perf_counter()
    model = ScikitLearn(problem.k, reg_covar=0, tol=1e-8, max_iter=1000, random_state=seed)
    try:
        reached = model.fit(problem.X).score(problem.X) * len(problem.X)
    except ValueError:  # a covariance that is not positive definite
        reached = -math.inf
    return reached, time.perf_counter() - began, math.nan


WAYS = {
    "groups": ours,
    "points": lambda problem, seed: ours(problem, seed, "k-means++"),
    "scikit-learn": theirs,
}


class Row(NamedTuple):
    """What one problem showed."""

    problem: Problem
    best: float  # the highest that is known
    short: dict  # how much the median seed of each way falls short of it, in nats a point
    collapses: dict
    seconds: dict  # the median
    share: float  # of the start in a default fit's time

    def cells(self, seeds):
        m, d = self.problem.X.shape
        yield from (f"{self.problem.name}, {m:,} x {d}, {self.problem.k}", f"{self.best:.1f}")
        for way in self.short:
            fell = f", {self.collapses[way]} of {seeds} collapse" if self.collapses[way] else ""
            yield f"{self.short[way]:.4f}{fell}; {self.seconds[way] * 1e3:.3g} ms"
        yield f"{self.share:.0%}"


def measure(problem, seeds):
    """Return the `Row` of a problem. scikit-learn takes no part where a prior is needed."""
    ways = {n: way for n, way in WAYS.items() if problem.prior is None or way is not theirs}
    runs = {name: [way(problem, seed) for seed in range(seeds)] for name, way in ways.items()}
    reached = {name: [run[0] for run in found] for name, found in runs.items()}
    best = max(max(each) for each in reached.values())
    if problem.truth is not None:
        told = fit(problem.X, problem.k, init=problem.truth, prior=problem.prior)
        best = max(best, told.objectives[-1])
    return Row(
        problem,
        best,
        {n: (best - statistics.median(each)) / len(problem.X) for n, each in reached.items()},
        {n: sum(math.isinf(each) for each in found) for n, found in reached.items()},
        {n: statistics.median(run[1] for run in found) for n, found in runs.items()},
        sum(run[2] for run in runs["groups"]) / sum(run[1] for run in runs["groups"]),
    )


def report(seeds):
    """Print the table and return what falls short of what is wanted."""
    header = ["points x features, k", "best", *WAYS, "share of the start"]
    print(f"\n## Starts, one thread: short of the best, nats a point\n\n| {' | '.join(header)} |")
    print(f"|{'---|' * len(header)}")
    rows, spent, started = [], 0.0, 0.0
    for problem in problems():
        row = measure(problem, seeds)
        rows.append(row)
        spent += row.seconds["groups"]
        started += row.seconds["groups"] * row.share
        cells = list(row.cells(seeds))
        cells[4:4] = ["no prior"] * (len(header) - len(cells))
        print(f"| {' | '.join(cells)} |", flush=True)
    for way in WAYS:
        told = [row for row in rows if way in row.short]
        fell, tried = sum(row.collapses[way] for row in told), seeds * len(told)
        print(f"\n{way}: {fell} of {tried} fits collapse")
    worst = max(rows, key=lambda row: row.short["groups"])
    short = worst.short["groups"]
    print(f"\nWorst for groups: {worst.problem.name}, short by {short:.3f} a point")
    share = started / spent
    print(f"\nThe start takes {share:.1%} of the time of default fits (wanted: at most 25%)")
    return [f"start: {share:.0%} of a fit, wanted 25%"] if share > 0.25 else []
