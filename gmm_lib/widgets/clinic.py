"""The bug clinic: programs for EM seen from outside; which half step is broken, and by what?"""

import numpy as np
from traitlets import Bool, Dict, List, TraitError, Unicode, default, observe, validate

from gmm_lib import clinic, datasets
from gmm_lib.clinic import ALIKE, CASES, CAUSES
from gmm_lib.widgets.base import Choice, Explorer, Whole

PLACES = ("e", "m", "around", "sound")


class ClinicExplorer(Explorer, kind="clinic", module="clinic.js"):
    """Programs for EM, seen from outside by half step: what is broken, and which line did it?

    Parameters
    ----------
    case : int from 1 to 18
        Which of ``gmm_lib.clinic.CASES``.
    step : int
        How many half steps have been made; beyond the end of the run it is its end.
    where : {"", "e", "m", "around", "sound"}
        The reader's answer to what is broken; "" before there is one.
    cause : str
        The reader's answer to which error it is: a key of ``gmm_lib.clinic.CAUSES`` that belongs to
        `where`, which must be right; "" before there is one.
    mended : bool
        Whether the mended program runs beside it; `cause` must be right.
    solved : list of int
        The cases that the reader has solved.

    Examples
    --------
    >>> explorer = ClinicExplorer(4, step=1)
    >>> explorer.stage, explorer.shown[-1].counts.round(6).tolist()
    ('where', [1.0, 1.0])
    """

    STATE = ("case", "step", "where", "cause", "mended", "solved")
    VALUES = {
        "case": "number of the program, from 1",
        "step": "how many half steps have been run",
        "of": "how many half steps there are",
        "stage": "where the reader is in the diagnosis",
        "where": 'which half step the reader calls broken, "" before an answer',
        "cause": 'which cause the reader names, "" before an answer',
        "mended": "whether the repair has been put in",
        "solved": "how many cases are solved",
        "half": 'the half step run last, "e" or "m"',
        "log_likelihood": "after it",
        "bound": "after it",
        "printed": "the log-likelihood that the program itself prints",
        "weights": "of the components",
        "means": "of the components",
        "variances": "of the components",
        "responsibilities": "of all points, once there are some",
    }

    _ready = False  # until the constructor has set all traits, they need not fit each other

    case = Whole(1)
    step = Whole()
    where = Choice(("", *PLACES))
    cause = Unicode().tag(sync=True)
    mended = Bool(False).tag(sync=True)
    solved = List(Whole()).tag(sync=True)
    points: List = List(datasets.ten_points().X[:, 0].tolist(), read_only=True).tag(sync=True)
    setups = Dict(read_only=True).tag(sync=True)

    def __init__(self, case=1, **options):
        super().__init__(case=case, **options)
        if problem := self._problem(self.where, self.cause, self.mended):
            raise TraitError(problem)
        self._ready = True

    @default("setups")
    def _default_setups(self):
        return {
            "cases": [
                {"cause": cause, "difficulty": difficulty, "start": [list(each) for each in start]}
                for cause, difficulty, start in CASES
            ],
            "causes": {name: [list(each) for each in CAUSES[name].changes] for name in CAUSES},
            "places": {
                place: [name for name in CAUSES if CAUSES[name].where == place] for place in PLACES
            },
        }

    @validate("case")
    def _check_case(self, proposal):
        if not 1 <= proposal["value"] <= len(CASES):
            raise TraitError(
                f"case: expected 1 to {len(CASES)}, got {proposal['value']}; choose one of these."
            )
        return proposal["value"]

    @validate("solved")
    def _check_solved(self, proposal):
        found = proposal["value"]
        if len(set(found)) < len(found) or not set(found) <= set(range(1, len(CASES) + 1)):
            raise TraitError(
                f"solved: expected different numbers from 1 to {len(CASES)}, got {found}; name "
                "each case once."
            )
        return found

    @validate("where", "cause", "mended")
    def _check_answers(self, proposal):
        answers = {name: getattr(self, name) for name in ("where", "cause", "mended")}
        answers[proposal["trait"].name] = proposal["value"]
        if self._ready and (problem := self._problem(**answers)):
            raise TraitError(problem)
        return proposal["value"]

    @observe("case")
    def _begin(self, change):
        # What was found of another case says nothing of this one.
        if self._ready and self._problem(self.where, self.cause, self.mended):
            with self.hold_trait_notifications():  # one by one they would not fit each other
                self.set_trait("mended", False)
                self.set_trait("cause", "")
                self.set_trait("where", "")

    def _problem(self, where, cause, mended):
        """Return what is wrong with answers to the present case, None if nothing is."""
        known = [name for name in CAUSES if CAUSES[name].where == self.place]
        if cause and (where != self.place or cause not in known):
            return (
                f"cause: expected none before it is found what is broken, then one of "
                f"{', '.join(known)}, got {cause!r} with where {where!r}; answer where first."
            )
        if mended and (cause != self.truth or not CAUSES[self.truth].changes):
            return (
                f"mended: expected False before the error is found, got True with the cause "
                f"{cause!r}; find it first."
            )
        return None

    # -- what follows from the state

    @property
    def truth(self):
        """The cause of this case: the right answer."""
        return CASES[self.case - 1].cause

    @property
    def place(self):
        """Where this case is broken: the right answer to the first question."""
        return CAUSES[self.truth].where

    @property
    def stage(self):
        """What is asked: "where" or "cause"; "solved" when both are answered."""
        if self.where != self.place:
            return "where"
        return "solved" if self.cause == self.truth else "cause"

    @property
    def run(self):
        """All half steps of the program of this case."""
        return clinic.run(self.truth, CASES[self.case - 1].start)

    @property
    def shown(self):
        """The half steps made so far; at the start none."""
        return self.run[: self.step]

    def status(self):
        """Return what the explorer's live text says."""
        shown = self.shown
        if not shown:
            return self.say("status-start", n=self.case, l=_fixed(self.run[0].log_likelihood))
        now = shown[-1]
        values = {
            "t": len(shown) // 2,
            "l": _fixed(now.log_likelihood),
            "b": _fixed(now.bound),
            "end": self.words["stopped"] if len(shown) == len(self.run) else "",
        }
        if now.step == "m":
            before = shown[-2]
            moved = (now.log_likelihood - before.log_likelihood, now.bound - before.bound)
            return self.say(
                "status-m", dl=self._moved(moved[0]), db=self._moved(moved[1]), **values
            )
        gap = now.log_likelihood - now.bound
        told = "meet" if abs(gap) < ALIKE else "below" if gap > 0 else "above"
        printed = self.words["no-print"] if now.printed is None else _fixed(now.printed)
        return self.say(
            "status-e", gap=self.say(told, gap=_fixed(abs(gap))), printed=printed, **values
        )

    def _moved(self, by):
        return self.say(
            "still" if abs(by) < ALIKE else "up" if by > 0 else "down", by=_fixed(abs(by))
        )

    def still(self):
        """Return a matplotlib Figure: ℓ and the bound by half step, and the mixture."""
        from gmm_lib.plotting import COLORS

        figure, trace, picture = self._side_by_side((9, 3.8), [2, 1])
        shown = self.shown or self.run[:1]
        t = np.arange(len(shown)) / 2
        trace.plot(t, [each.log_likelihood for each in shown], "-", color="0.2")
        trace.plot(t, [each.bound for each in shown], "--", color=COLORS[0])
        trace.set(xlabel="$t$", xlim=(-0.2, max(5, len(shown) / 2) + 0.3))
        trace.set_ylabel(r"$\ell, B$")
        x = datasets.ten_points().X[:, 0]
        now = shown[-1]
        at = np.linspace(-4, 34, 381)
        sd = np.sqrt(now.variances)
        heights = now.weights * np.exp(clinic.log_normal(at[:, None], now.means, sd))
        picture.plot(at, heights.sum(axis=1), color="0.2")
        bottom = np.full(len(x), -0.03)
        for j in range(2):
            picture.plot(at, heights[:, j], color=COLORS[j])
            part = 0.026 * now.responsibilities[:, j] if self.shown else np.zeros(len(x))
            picture.bar(x, part, 0.8, bottom, color=COLORS[j])
            bottom = bottom + part
        picture.plot(x, np.full(len(x), -0.002), "|", color="0.2", markersize=6)
        picture.set(xlabel="$x$", ylim=(-0.032, 0.1))
        return figure

    def describe(self):
        """Return one sentence on the picture and the state."""
        return self.say("alt", n=self.case, all=len(CASES), status=self.status())


def _fixed(value):
    return f"{value:.4f}"
