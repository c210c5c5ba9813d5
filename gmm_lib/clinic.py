"""The bug clinic: a program for EM that is sound, and what becomes of it by a wrong line.

`program` is EM for two normals on a line, as one writes it first. A cause changes a line of it: the
text of the program is taken, the line replaced, and what comes of it runs. So the line that a
reader is shown is the line that ran. What a run leaves behind is measured from outside, by
functions of their own: a broken program is a poor witness of itself.

Symbols: x data (m,); φ, μ, σ² the parameters (2,); w responsibilities (m, 2); ℓ the log-likelihood.
"""

from functools import cache
from inspect import getsource
from typing import Any, NamedTuple

import numpy as np

from gmm_lib import datasets
from gmm_lib._validate import as_choice

MOST = 40  # iterations; clinic_program.js has the same
ALIKE = 1e-6  # numbers that differ by less are one number to a reader
Start = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]  # φ, μ, σ²


def log_normal(x: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return log N(x; mean, sd²)."""
    return -np.log(sd) - np.log(2 * np.pi) / 2 - ((x - mean) / sd) ** 2 / 2


def program(x, phi, mu, variance):
    """Yield what EM for two normals on a line has after each half step."""
    x, last = x[:, None], -np.inf
    for t in range(MOST):
        # E step
        sd = np.sqrt(variance)
        a = np.log(phi) + log_normal(x, mu, sd)
        top = a.max(axis=1, keepdims=True)
        joint = np.exp(a - top)
        w = joint / joint.sum(axis=1, keepdims=True)
        ell = (top[:, 0] + np.log(joint.sum(axis=1))).sum()
        yield "e", phi, mu, variance, w, ell
        if t and abs(ell - last) < 1e-6:
            return
        last = ell
        # M step
        N = w.sum(axis=0)
        phi = N / len(x)
        old, mu = mu, (w * x).sum(axis=0) / N
        variance = (w * (x - mu) ** 2).sum(axis=0) / N
        yield "m", phi, mu, variance, w, ell


class Cause(NamedTuple):
    """What is the matter with a program, and where."""

    where: str  # "e", "m", "around" (what it prints, when it stops) or "sound" (nothing)
    changes: tuple[tuple[str, str], ...]  # (line of `program`, what stands there instead)


def _causes() -> dict[str, Cause]:
    sd = "sd = np.sqrt(variance)"
    joint = "a = np.log(phi) + log_normal(x, mu, sd)"
    shares = "w = joint / joint.sum(axis=1, keepdims=True)"
    total = "ell = (top[:, 0] + np.log(joint.sum(axis=1))).sum()"
    told = 'yield "e", phi, mu, variance, w, ell'
    done = "if t and abs(ell - last) < 1e-6:"
    weights = "phi = N / len(x)"
    means = "old, mu = mu, (w * x).sum(axis=0) / N"
    spread = "variance = (w * (x - mu) ** 2).sum(axis=0) / N"

    def cause(where, *changes):
        return Cause(where, changes)

    return {
        # E step
        "sd": cause("e", (sd, "sd = variance")),
        "axis": cause("e", (shares, "w = joint / joint.sum(axis=0, keepdims=True)")),
        "hard": cause("e", (shares, "w = np.where(a == top, 1.0, 0.0)")),
        "no-weights": cause("e", (joint, "a = log_normal(x, mu, sd)")),
        "cached": cause("e", (sd, "sd = sd if t else np.sqrt(variance)")),
        "floor": cause("e", (joint, "a = np.maximum(np.log(phi) + log_normal(x, mu, sd), -20)")),
        # M step
        "mean-m": cause("m", (means, "old, mu = mu, (w * x).sum(axis=0) / len(x)")),
        "weights-k": cause("m", (weights, "phi = N / len(N)")),
        "weights-kept": cause("m", (weights, "# phi = N / len(x)")),
        "shortcut": cause("m", (spread, "variance = (w * x**2).sum(axis=0) / N - old**2")),
        "one-less": cause("m", (spread, "variance = (w * (x - mu) ** 2).sum(axis=0) / (N - 1)")),
        "sorted": cause("m", (means, "old, mu = mu, np.sort((w * x).sum(axis=0) / N)")),
        # around them
        "no-top": cause("around", (total, "ell = np.log(joint.sum(axis=1)).sum()")),
        "one-mean": cause("around", (done, "if t and abs(mu[0] - old[0]) < 0.5:")),
        "late": cause("around", (told, 'yield "e", phi, mu, variance, w, last')),
        # sound
        "healthy": cause("sound"),
        "old-mean": cause("sound", (spread, "variance = (w * (x - old) ** 2).sum(axis=0) / N")),
        "prior": cause(
            "sound",
            (total, f"{total} - (2 * np.log(variance) + 40 / variance).sum()"),
            (spread, "variance = ((w * (x - mu) ** 2).sum(axis=0) + 80) / (N + 4)"),
        ),
    }


CAUSES = _causes()


class Case(NamedTuple):
    """A program on the clinic's list: what is the matter with it, how hard it is, its start."""

    cause: str
    difficulty: int  # 1 to 3
    start: Start


def _cases() -> tuple[Case, ...]:
    book: Start = ((0.5, 0.5), (3.0, 10.0), (8.5, 15.7))
    uneven: Start = ((0.8, 0.2), (3.0, 10.0), (8.5, 15.7))
    narrow: Start = ((0.5, 0.5), (9.0, 19.0), (1.0, 1.0))
    top: Start = ((0.5, 0.5), (5.0, 23.8), (6.8, 12.6))  # all but the maximum
    crossed: Start = ((0.4, 0.6), (24.0, 5.0), (16.0, 6.0))
    return (
        Case("sd", 1, book),
        Case("weights-k", 1, book),
        Case("healthy", 1, book),
        Case("axis", 1, book),
        Case("no-top", 1, book),
        Case("mean-m", 1, book),
        Case("hard", 2, book),
        Case("weights-kept", 2, uneven),
        Case("one-mean", 2, book),
        Case("shortcut", 2, book),
        Case("cached", 2, book),
        Case("sorted", 2, crossed),
        Case("one-less", 3, top),
        Case("floor", 3, narrow),
        Case("prior", 3, top),
        Case("late", 3, book),
        Case("no-weights", 3, uneven),
        Case("old-mean", 3, book),
    )


CASES = _cases()


class HalfStep(NamedTuple):
    """What a program has after an E or an M step."""

    step: str  # "e" or "m"
    weights: np.ndarray  # φ, shape (2,)
    means: np.ndarray
    variances: np.ndarray
    responsibilities: np.ndarray  # w, shape (m, 2)
    printed: float | None  # what it prints as its log-likelihood after an E step

    @property
    def counts(self) -> np.ndarray:
        """N_j, shape (2,): how many points each component owns."""
        return self.responsibilities.sum(axis=0)

    @property
    def log_joint(self) -> np.ndarray:
        """Return log φ_j + log N(x_i; μ_j, σ_j²), shape (m, 2), as it ought to be."""
        sd = np.sqrt(self.variances)
        return np.log(self.weights) + log_normal(_points()[:, None], self.means, sd)

    @property
    def log_likelihood(self) -> float:
        """ℓ of the parameters, measured from outside; weights need not sum to 1."""
        return float(np.logaddexp.reduce(self.log_joint, axis=1).sum())

    @property
    def bound(self) -> float:
        """The lower bound with these shares, measured from outside; 0 log 0 is 0."""
        w = self.responsibilities
        log_w = np.log(np.where(w > 0, w, 1))
        return float((w * (self.log_joint - log_w)).sum())


def _points() -> np.ndarray:
    return datasets.ten_points().X[:, 0]


def source(cause: str = "healthy") -> str:
    """Return the text of the program with the change that a cause makes: what `run` runs.

    Parameters
    ----------
    cause : str
        A key of `CAUSES`.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such cause.

    Examples
    --------
    >>> "sd = variance" in source("sd"), "sd = variance" in source()
    (True, False)
    """
    text = getsource(program)
    for line, instead in CAUSES[as_choice(cause, "cause", tuple(CAUSES))].changes:
        text = text.replace(f"    {line}\n", f"    {instead}\n")
    return text


@cache
def run(cause: str = "healthy", start: Start = CASES[0].start) -> tuple[HalfStep, ...]:
    """Run the program with a cause in it on the ten points, and return all its half steps.

    Parameters
    ----------
    cause : str
        A key of `CAUSES`.
    start : tuple
        φ, μ and σ² of the two components, as tuples.

    Returns
    -------
    tuple of HalfStep
        E, M, E, M, …, up to the E step after which it stops, or before the M step that gives a
        variance that is none.

    Raises
    ------
    ValueError
        If there is no such cause.

    Examples
    --------
    >>> steps = run("hard")
    >>> [round(step.log_likelihood - step.bound, 2) for step in steps if step.step == "e"]
    [1.36, 0.43, 0.43]
    """
    names: dict[str, Any] = {"np": np, "log_normal": log_normal, "MOST": MOST}
    exec(source(cause), names)
    steps = []
    for step, phi, mu, variance, w, printed in names["program"](_points(), *map(np.array, start)):
        if not (variance > 0).all():
            break
        told = float(printed) if step == "e" and np.isfinite(printed) else None
        steps.append(HalfStep(step, phi, mu, variance, w, told))
    return tuple(steps)


def _top(half: HalfStep) -> float:
    """The highest bound that any parameters have with these shares."""
    x, w = _points()[:, None], half.responsibilities
    N = half.counts
    mean = (w * x).sum(axis=0) / N
    variance = (w * (x - mean) ** 2).sum(axis=0) / N
    best = half._replace(weights=N / N.sum(), means=mean, variances=variance)
    return best.bound


@cache
def signs(cause: str = "healthy", start: Start = CASES[0].start) -> dict[str, float]:
    """Return what a run shows from outside, in nats unless said otherwise.

    Parameters
    ----------
    cause, start
        As in `run`.

    Returns
    -------
    dict
        ``"gap"``, ``"first-gap"`` and ``"last-gap"``: what is left between ℓ and the bound after
        an E step, at most, at first and at last. ``"rows"``: by how much the shares of a point
        miss the sum 1, at most. ``"miss"``: by how much an M step misses the highest bound that
        its shares allow, at most. ``"fall"``: the largest fall of ℓ in an M step, and
        ``"fall-at"`` its iteration, 0 where there is none; ``"fall-e"`` and ``"fall-m"``: those
        of the bound in an E and in an M step. ``"print"``: by how much what is printed differs
        from ℓ, at most. ``"iterations"``, ``"end"``: how far it went, and ℓ there; ``"good"``:
        where the sound program ends; ``"left"``: what one sound iteration more would gain.

    Raises
    ------
    ValueError
        If there is no such cause.

    Examples
    --------
    >>> signs("sd")["gap"] > 10, signs()["gap"] < 1e-12
    (True, True)
    """
    steps = run(cause, start)
    ell = np.array([each.log_likelihood for each in steps])
    bound = np.array([each.bound for each in steps])
    e = np.array([each.step == "e" for each in steps])
    gaps = np.abs(ell - bound)[e]
    told = [
        abs(each.printed - value)
        for each, value in zip(steps, ell, strict=True)
        if each.printed is not None
    ]
    rows = [np.abs(each.responsibilities.sum(axis=1) - 1).max() for each in steps]
    miss = [abs(_top(each) - each.bound) for each in steps if each.step == "m"]
    falls, bound_falls = -np.diff(ell)[::2], -np.diff(bound)  # ℓ stands still in an E step
    last = steps[-1]
    theta = (last.weights, last.means, last.variances)
    healthy = run("healthy", tuple(tuple(map(float, each)) for each in theta))
    return {
        "gap": float(gaps.max()),
        "first-gap": float(gaps[0]),
        "last-gap": float(gaps[-1]),
        "rows": float(max(rows)),
        "miss": float(max(miss)),
        "fall": float(max(falls.max(), 0)),
        "fall-at": float(falls.argmax() + 1) if falls.max() > ALIKE else 0.0,
        "fall-e": float(max(bound_falls[e[1:]].max(), 0)),
        "fall-m": float(max(bound_falls[~e[1:]].max(), 0)),
        "print": float(max(told)),
        "iterations": float(len(steps) // 2),
        "end": float(ell[-1]),
        "good": run("healthy", start)[-1].log_likelihood,
        "left": healthy[1].log_likelihood - healthy[0].log_likelihood,
    }
