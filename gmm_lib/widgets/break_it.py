"""Chapter 6's explorer: five ways in which a mixture fit fails, each to predict, run and repair."""

from functools import cache
from typing import NamedTuple

import numpy as np
from traitlets import Bool, Dict, List, TraitError, Unicode, default, observe, validate

from gmm_lib import datasets
from gmm_lib.covariance import DegenerateComponentError
from gmm_lib.em import em_states
from gmm_lib.fitting import fit
from gmm_lib.mixture import GaussianMixture
from gmm_lib.prior import CovariancePrior
from gmm_lib.widgets.base import Choice, Explorer, Whole, format_number, on_a_line

# A run stops when an iteration gains less than TOLERANCE per point, after LEAST iterations (so that
# the reader sees that nothing moves) and at most MOST.
TOLERANCE, LEAST, MOST = 1e-6, 5, 200
POINT = 9.0  # the point of the book: the one that collapses, and whose density underflows

PREDICTIONS = {
    "collapse": ("rises", "falls", "stays"),
    "symmetric": ("part", "still", "one-wins"),
    "far": ("one", "half", "no-number"),
    "many": ("five-groups", "empty", "falls-in"),
    "labels": ("left", "right", "between"),
}
HAPPENS = {
    "collapse": "rises",
    "symmetric": "still",
    "far": "no-number",
    "many": "falls-in",
    "labels": "between",
}


class Run(NamedTuple):
    """What is run: from which starts, with which repair, and whether that is one."""

    starts: tuple  # of GaussianMixture; two where two runs are compared
    verdict: str = ""  # of a repair: "works", "price" (it works, and costs something) or "fails"
    prior: CovariancePrior | None = None
    naive: bool = False  # an E step on the densities themselves, not on their logs
    ordered: bool = False  # the components numbered from left to right


@cache
def runs():
    """Return scenario -> repair -> `Run`; the repair "" is the failure itself."""
    ten = datasets.ten_points()
    x = ten.X[:, 0]
    others, spread = x[x != POINT], x.var()
    prior = CovariancePrior(1.0, 9.0)  # as if each component had been lent one point

    def start(means, variance=spread):
        k = len(means)
        return GaussianMixture(np.full(k, 1 / k), means, np.full(k, variance))

    trap = GaussianMixture([0.9, 0.1], [others.mean(), POINT], [others.var(), 1.0])
    twins = start([x.mean(), x.mean()])
    apart = start([4.0, 24.0])
    far = start([-300.0, 330.0], 10.0)
    five = start([4.0, 9.0, 19.0, 24.0, 29.0], spread / 25)
    pair = (start([4.0, 21.0]), start([26.0, 6.0]))
    return {
        "collapse": {
            "": Run((trap,)),
            "prior": Run((trap,), "works", prior),
            "restart": Run((ten.start,), "works"),
            "fewer": Run((start([others.mean()], others.var()),), "price"),
        },
        "symmetric": {
            "": Run((twins,)),
            "nudge": Run((start([x.mean() - 0.0005, x.mean() + 0.0005]),), "fails"),
            "better": Run((apart,), "works"),
            "prior": Run((twins,), "fails", prior),
        },
        "far": {
            "": Run((far,), naive=True),
            "prior": Run((far,), "fails", prior, naive=True),
            "logs": Run((far,), "works"),
            "better": Run((apart,), "works", naive=True),
        },
        "many": {
            "": Run((five,)),
            "restart": Run((start([1.0, 5.0, 9.0, 21.0, 26.0], spread / 25),), "fails"),
            "fewer": Run((apart,), "works"),
            "prior": Run((five,), "price", prior),
        },
        "labels": {
            "": Run(pair),
            "restart": Run((start([6.0, 29.0]), start([21.0, 1.0])), "fails"),
            "order": Run(pair, "works", ordered=True),
            "prior": Run(pair, "fails", prior),
        },
    }


def naive_e_step(x, mixture):
    """The E step on densities as they are, for points (m,) on a line: what a first program does.

    Returns
    -------
    responsibilities : ndarray, shape (m, k), or None
        None where a point has density 0 in double precision: there is no dividing by it.
    log_likelihood : float
        -inf in that case.
    """
    mean, variance = mixture.means[:, 0], mixture.covariances[:, 0, 0]
    height = np.exp(-((x[:, None] - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    joint = mixture.weights * height
    density = joint.sum(axis=1)
    if (density == 0).any():
        return None, -np.inf
    return joint / density[:, None], float(np.log(density).sum())


class Path(NamedTuple):
    """A run from one start: its states up to the end, and how it ended."""

    states: list  # of EMState
    outcome: str  # "converged", "most", "collapse" or "underflow"
    component: int | None  # of a collapse, 0-based

    @property
    def last(self):
        """The iteration at which the run ended; where it broke, the one without a result."""
        broke = self.outcome in ("collapse", "underflow")
        return len(self.states) if broke else len(self.states) - 1


@cache
def paths(scenario, repair=""):
    """Return the `Path` of each start of a run."""
    run = runs()[scenario][repair]
    return tuple(_path(run, start) for start in run.starts)


def _path(run, start):
    X = datasets.ten_points().X
    states, before = [], -np.inf
    try:
        for state in em_states(X, start, prior=run.prior):
            states.append(state)
            if run.naive:
                w, log_likelihood = naive_e_step(X[:, 0], state.mixture)
                if w is None:
                    return Path(states, "underflow", None)
                states[-1] = state._replace(responsibilities=w, log_likelihood=log_likelihood)
            objective = states[-1].log_likelihood
            if run.prior:
                objective += run.prior.log_density(state.mixture.cholesky)
            if state.iteration >= LEAST and abs(objective - before) < TOLERANCE * len(X):
                return Path(states, "converged", None)
            if state.iteration == MOST:
                return Path(states, "most", None)
            before = objective
    except DegenerateComponentError as error:
        return Path(states, "collapse", error.component)


@cache
def facts():
    """Return the log-likelihoods that the texts compare with, in nats.

    ``good`` is that of the fit that finds both groups; ``spike-2`` and ``spike-4`` have component 2
    on x = 9 with standard deviation 1e-2 and 1e-4, and component 1 fitted to the other nine points.
    """
    ten = datasets.ten_points()
    x = ten.X[:, 0]
    others = x[x != POINT]

    def spike(sigma):
        theta = GaussianMixture([0.9, 0.1], [others.mean(), POINT], [others.var(), sigma**2])
        return float(theta.log_density(ten.X).sum())

    good = fit(ten.X, ten.start, tol=1e-12).log_likelihood
    return {"good": good, "spike-2": spike(1e-2), "spike-4": spike(1e-4)}


class BreakItExplorer(Explorer, kind="break-it", module="break_it.js"):
    """Five failures of a mixture fit on the ten points: predict, run, diagnose, repair.

    Parameters
    ----------
    scenario : {"collapse", "symmetric", "far", "many", "labels"}
    prediction : str
        What the reader expects, one of ``PREDICTIONS[scenario]``; "" before the reader has chosen.
        Nothing runs before that.
    repair : str
        Which repair is tried, one of those of the scenario in `runs`; "": none yet.
    iteration : int
        How far the run has been followed; beyond its end it is its end.
    seen : bool
        Whether the end of this run has been reached.
    solved : list of str
        The scenarios that the reader has repaired.

    Examples
    --------
    >>> explorer = BreakItExplorer()
    >>> explorer.scenario, explorer.stage
    ('collapse', 'predict')
    """

    STATE = ("scenario", "prediction", "repair", "iteration", "seen", "solved")
    VALUES = {
        "scenario": "name of the failure",
        "stage": '"predict", "run", "diagnose", "repair" or "repaired"',
        "prediction": 'what the reader expects, "" before the reader has chosen',
        "repair": 'name of the repair under trial, "" for the failure itself',
        "iteration": "t of the parameters on show",
        "last": "of the run, once it was seen to its end",
        "outcome": 'how the run ended, at its end: "converged", "most", "collapse", "underflow"',
        "log_likelihood": "of the parameters on show",
        "smallest_variance": "of the components",
        "smallest_count": "of the components: sum of responsibilities",
        "gap": "between the leftmost and the rightmost mean",
        "log_density": "at the point the scenario looks at",
        "average": "of component 1's mean over the runs",
        "weights": "of the components",
        "means": "of the components",
        "variances": "of the components",
        "responsibilities": "of all points, a row each",
        "second_means": "of the second run, where there are two",
        "second_responsibilities": "of the second run",
        "second_log_likelihood": "of the second run",
        "right": "whether the prediction came true, once that was seen",
        "verdict": 'of a repair that was run: "works", "price" or "fails"',
        "good": "log-likelihood of the good fit",
        "solved": "how many failures have been repaired",
    }

    scenario = Choice(tuple(PREDICTIONS))
    prediction = Unicode().tag(sync=True)
    repair = Unicode().tag(sync=True)
    iteration = Whole()
    seen = Bool(False).tag(sync=True)
    solved = List(Choice(tuple(PREDICTIONS))).tag(sync=True)
    points: List = List(datasets.ten_points().X[:, 0].tolist(), read_only=True).tag(sync=True)
    setups = Dict(read_only=True).tag(sync=True)

    def __init__(self, scenario="collapse", **options):
        super().__init__(scenario=scenario, **options)
        if self.iteration and not self.prediction:
            raise TraitError(
                f"prediction: expected one of {', '.join(PREDICTIONS[scenario])} before iteration "
                f"{self.iteration}, got none; predict first."
            )

    @default("setups")
    def _default_setups(self):
        def plain(run):
            return {
                "starts": [on_a_line(start) for start in run.starts],
                "prior": run.prior and [run.prior.strength, float(run.prior.covariance[0, 0])],
                "naive": run.naive,
                "ordered": run.ordered,
                "verdict": run.verdict,
            }

        return {
            "rules": {"tolerance": TOLERANCE, "least": LEAST, "most": MOST, "point": POINT},
            "facts": facts(),
            "predictions": {name: list(each) for name, each in PREDICTIONS.items()},
            "happens": HAPPENS,
            "runs": {
                name: {repair: plain(run) for repair, run in each.items()}
                for name, each in runs().items()
            },
        }

    @validate("prediction")
    def _check_prediction(self, proposal):
        known = PREDICTIONS[self.scenario]
        if proposal["value"] not in ("", *known):
            raise TraitError(
                f"prediction: expected one of {', '.join(known)} for the scenario "
                f"{self.scenario!r}, got {proposal['value']!r}; choose one of these."
            )
        return proposal["value"]

    @validate("repair")
    def _check_repair(self, proposal):
        if proposal["value"] not in runs()[self.scenario]:
            known = ", ".join(filter(None, runs()[self.scenario]))
            raise TraitError(
                f"repair: expected one of {known} for the scenario {self.scenario!r}, "
                f"got {proposal['value']!r}; choose one of these."
            )
        return proposal["value"]

    @observe("scenario")
    def _begin(self, change):
        # What was predicted of another failure says nothing of this one.
        if self.prediction not in ("", *PREDICTIONS[self.scenario]):
            self.set_trait("repair", "")
            self.set_trait("prediction", "")
            self.set_trait("iteration", 0)
            self.set_trait("seen", False)

    # -- what follows from the state

    @property
    def paths(self):
        """The `Path` of each start of the present run."""
        return paths(self.scenario, self.repair)

    @property
    def last(self):
        """The iteration at which the present run ends."""
        return max(path.last for path in self.paths)

    @property
    def shown(self):
        """The iteration shown: where the reader is, or the end."""
        return min(self.iteration, self.last)

    @property
    def stage(self):
        """Where the reader is: "predict", "run", "diagnose", "repair" or "repaired"."""
        ended = self.seen or self.iteration >= self.last
        if not self.prediction:
            return "predict"
        if not self.repair:
            return "diagnose" if ended else "run"
        return "repaired" if ended else "repair"

    @property
    def outcome(self):
        """How the present run ended, or "" before its end."""
        return self.paths[0].outcome if self.shown == self.last else ""

    @property
    def moments(self):
        """The `EMState` shown of each start; where a run broke, its last sound one."""
        ordered = runs()[self.scenario][self.repair].ordered
        found = []
        for path in self.paths:
            state = path.states[min(self.shown, len(path.states) - 1)]
            if ordered:
                order = np.argsort(state.mixture.means[:, 0])
                state = state._replace(
                    mixture=state.mixture.permuted(order),
                    responsibilities=state.responsibilities[:, order],
                )
            found.append(state)
        return found

    @property
    def numbers(self):
        """The numbers that matter, by name; None where the run cannot know them."""
        moments = self.moments
        theta = moments[0].mixture
        underflow = self.paths[0].outcome == "underflow"
        counts = moments[0].responsibilities.sum(axis=0)
        return {
            "log-likelihood": (-np.inf if self.shown else None)
            if underflow
            else moments[0].log_likelihood,
            "smallest-variance": float(theta.covariances.min()),
            "smallest-count": None if underflow else float(counts.min()),
            "gap": float(np.ptp(theta.means)),
            "log-density": float(theta.log_density([POINT])[0]),
            "average": float(np.mean([each.mixture.means[0, 0] for each in moments])),
        }

    @property
    def matters(self):
        """The name, among `numbers`, of the one that gives this failure away."""
        return {
            "collapse": "smallest-variance",
            "symmetric": "gap",
            "far": "log-density",
            "many": "smallest-count",
            "labels": "average",
        }[self.scenario]

    def still(self):
        """Return a matplotlib Figure: the mixture over the points, ℓ and the smallest variance."""
        from matplotlib.figure import Figure

        from gmm_lib.plotting import COLORS

        x = datasets.ten_points().X[:, 0]
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        grid = figure.add_gridspec(2, 2, width_ratios=[2.4, 1])
        main = figure.add_subplot(grid[:, 0])
        for theta, style in zip((each.mixture for each in self.moments), "-:", strict=False):
            means, reach = theta.means[:, 0], 4 * np.sqrt(theta.covariances[:, 0, 0])
            wide = abs(means).max() > 60  # far means widen the picture, as in break_it.js
            low, high = ((means - reach).min(), (means + reach).max()) if wide else (-4, 34)
            peaks = (means + reach * np.linspace(-1, 1, 81)[:, None]).ravel()
            at = np.sort(np.append(np.linspace(low, high, 400), peaks))
            log_joint = theta.component_log_density(at)
            main.plot(at, np.exp(log_joint).sum(axis=1), style, color="0.2")
            for j in range(theta.k):
                main.plot(at, np.exp(log_joint[:, j]), style, color=COLORS[j])
            main.set_xlim(low, high)
        main.plot(x, np.full(len(x), -0.004), "|", color="0.2", markersize=12)
        main.set(xlabel="$x$", ylim=(-0.01, 0.1))
        states = self.paths[0].states[: self.shown + 1]
        upper, lower = (figure.add_subplot(grid[i, 1]) for i in (0, 1))
        if self.paths[0].outcome != "underflow":
            upper.plot([state.log_likelihood for state in states], ".-", color="0.2")
        upper.axhline(facts()["good"], color="0.6", linestyle="--")
        variances = [state.mixture.covariances[:, 0, 0].min() for state in states]
        lower.semilogy(variances, ".-", color=COLORS[1])
        upper.set(ylabel=r"$\ell$")
        lower.set(xlabel="$t$", ylabel=r"$\min\;\sigma^2$")
        for axes in (main, upper, lower):
            axes.spines[["top", "right"]].set_visible(False)
        return figure

    def describe(self):
        """Return one sentence that tells the failure, the iteration and the numbers."""
        numbers = self.numbers
        value = numbers["log-likelihood"]
        if value is None:
            height = self.words["unknown"]
        else:
            height = "−∞" if np.isinf(value) else f"{value:.2f}"
        return self.say(
            "alt",
            scenario=self.words[f"scenario-{self.scenario}"],
            t=self.shown,
            l=height,
            number=self.say(f"key-{self.scenario}", v=format_number(numbers[self.matters])),
        )
