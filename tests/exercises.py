"""What readers answer to the exercises of the book: the right solution, and well-known mistakes.

    python tests/exercises.py chapters/01-maximum-likelihood.ipynb …

gives the answers to the starters of notebooks in IPython, as in a notebook, and prints what each is
told, as JSON: a list for each notebook. test_exercises.py gives the same answers in the page.

`ANSWERS` goes by the ids of the starters, in whichever notebook they stand.
"""

import importlib
import json
import multiprocessing
import os
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "_ext"))
import python_in_page  # noqa: E402
from python_in_page.needed import names_of  # noqa: E402

FOLDERS = ("chapters", "depth", "appendices")
NOTEBOOKS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.ipynb"))

# What a reader is to replace: dots, or a line with a check that is to be switched on.
MARK = re.compile(r"(?<== )\.\.\.|^ *return \.\.\..*|^# .*\bcheck\..*", re.MULTILINE)
RIGHT = {"right", "underflow", "underflow-one"}  # advice of check.py for what is right


@dataclass(frozen=True)
class Answers:
    """Answers to one starter.

    Attributes
    ----------
    solution : str
        What stands in place of the mark: a number, or the body of a function. Where there are
        several marks, one line for each.
    others : dict
        Other answers, and what each is told: a key of `gmm_lib.check.ADVICE`, or words of it. An
        answer is a text in place of the mark, or a pair: the solution with the first text replaced
        by the second.
    told : str
        What the solution is told.
    check : str
        Id of the cell that tells it, if that is not the starter.
    """

    solution: str
    others: dict = field(default_factory=dict)
    told: str = "right"
    check: str = ""

    def __iter__(self):
        """Yield pairs of an answer and what it is told, the solution last."""
        for answer, told in self.others.items():
            if isinstance(answer, tuple):
                old, new = answer
                if old not in self.solution:
                    raise ValueError(f"the solution has no {old!r}:\n{self.solution}")
                answer = self.solution.replace(old, new)
            yield answer, told
        yield self.solution, self.told


def filled(starter, answer):
    """Return the text of a starter with an answer in place of its marks."""
    marks = len(MARK.findall(starter))
    parts = iter([answer] if marks == 1 else answer.split("\n"))

    def in_place_of(mark):
        indent = " " * (len(mark[0]) - len(mark[0].lstrip()))
        return "\n".join(indent + line if line else line for line in next(parts).split("\n"))

    return MARK.sub(in_place_of, starter)


@cache
def code_cells(notebook):
    """Return the code cells of a notebook, id -> (place among all cells, text)."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return {
        cell["id"]: (index, "".join(cell["source"]))
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "code"
    }


def starters(notebook):
    """Return the ids of a notebook's starters, in order."""
    return [name for name, (_, text) in code_cells(notebook).items() if MARK.search(text)]


def tell(notebook, run):
    """Give all answers to the starters of a notebook.

    Parameters
    ----------
    notebook : Path
    run : callable
        ``run(name, text)`` runs a cell with a text of the reader, or of the book if that is None,
        after the cells above it that have not run, and returns what the cell printed.

    Returns
    -------
    list of [str, str, str]
        Starter, answer ("" for the untouched starter) and what it was told, in the order given.
    """
    rows = []
    for name in starters(notebook):
        answers, (_, book) = ANSWERS[name], code_cells(notebook)[name]
        for answer in ["", *(answer for answer, _ in answers)]:
            told = run(name, filled(book, answer) if answer else None)
            if answers.check:
                told += run(answers.check, None)
            rows.append([name, answer, told])
    return rows


def needed_above(cells, place, needs):
    """The cells above a place that must run for one that needs names: the rule of ``page.js``."""
    needed, names = [], set(needs)
    for cell in reversed(cells[:place]):
        if not cell["leaf"] or names.intersection(cell["makes"]):
            needed.insert(0, cell)
            names.update(cell["needs"])
    return needed


class InIPython:
    """Runs cells of a notebook in this process, with the Python of a notebook."""

    def __init__(self, notebook):
        from IPython.core.displayhook import DisplayHook
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        os.environ["MPLBACKEND"] = "agg"
        os.chdir(notebook.parent)
        self.places = {name: place for place, name in enumerate(code_cells(notebook))}
        self.cells = python_in_page.code_cells(notebook)
        self.ran = set()
        # A notebook shows a value without the "Out[1]:" of a terminal.
        DisplayHook.write_output_prompt = lambda self: None
        self.shell = InteractiveShell.instance(config=Config(HistoryManager={"enabled": False}))

    def __call__(self, name, text):
        place = self.places[name]
        text = text or self.cells[place]["text"]
        for above in needed_above(self.cells, place, names_of(text)[0]):
            if above["index"] not in self.ran:
                self.run(above, above["text"])
        return self.run(self.cells[place], text)

    def run(self, cell, text):
        from IPython.utils.capture import capture_output

        with capture_output() as printed:
            self.shell.run_cell(text).raise_error()
        self.ran.add(cell["index"])
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
        values = [output.data["text/plain"] for output in printed.outputs]
        return "\n".join([printed.stdout, *values]).strip()


# ------------------------------------------------------------------------------------ by hand


def variance(points):
    """Return answers to a question for the variance of points on a line."""
    x = np.array(points, dtype=float)
    return Answers(
        f"{x.var():.3f}",
        {
            f"{x.var(ddof=1):.3f}": "divided-by-m-1",
            f"{x.std():.3f}": "sd-number",
            f"{len(x) * x.var():.3f}": "not-divided",
            f"{(x**2).mean():.3f}": "about-zero",
        },
    )


BY_HAND = {
    "ex-high-try": Answers(
        "1226",
        {
            "4.507": "this is the error of one point.",
            "298.8": "the weights sum to m / k",
            "1524.7": "they were divided, by k.",
            "16.09": "that is the case of the clinic",
        },
    ),
    "ex-second-group-try": Answers(
        "23.8", {"119": "this is the sum.", "24": "this is the median, the point in the middle."}
    ),
    "ex-second-group-variance": variance([19, 21, 24, 26, 29]),
    "ex-wrong-nine-try": variance([1, 4, 5, 6]),
    "ex-wrong-nine-second": variance([9, 19, 21, 24, 26, 29]),
    "ex-bayes-try": Answers(
        "2.347",
        {
            "2": "that is the middle.",
            "1.653": "the distance to the middle is right, its sign is not.",
            "3.386": "Divide the log by the distance, 4.",
        },
    ),
    "ex-hand-check": Answers(
        "0.4139",
        {
            "0.5861": "this is the share of component 2.",
            "0.0267": "this is a weighted height.",
            "0.6274": "you used the variance as a standard deviation.",
            "0.3420": "you left out the factor 1/σ in front.",
        },
    ),
    "ex-two-eight-try": Answers(
        "0.2231",
        {
            "-0.2231": "the sign is turned round",
            "0.0969": "you used logs of base 10.",
            "-0.47": "you took sums.",
            "0": "the gap cannot be zero.",
        },
    ),
    "ex-largest-try": Answers(
        "0.3301",
        {
            "0.5": "equal weights do not give the largest gap",
            "0.6699": "this is the weight of 1.",
            "3.641": "this is the average.",
        },
    ),
    "ex-sd-try": Answers(
        "2.0365",
        {
            "2.6077": "this is the true one.",
            "1.44": "you divided by m.",
            "6.8": "this is the average of the variances, and right.",
        },
    ),
    "ex-floor-try": Answers(
        "0.038",
        {
            "-2.903": "this is the floor.",
            "-0.038": "the sign is turned round",
            "0.601": "you forgot to divide by Q inside the log.",
            "0.033": "this is KL(p ‖ Q).",
            "0": "Q is not the posterior, so there is a gap.",
        },
    ),
    "ex-jump-try": Answers(
        "1",
        {
            "21": "the sign of α is wrong",
            "-5": "you forgot to square α",
            "3.56": "that is where plain EM goes next.",
            "0.2": "the length of the difference of the steps.",
        },
    ),
    "ex-remaining-try": Answers(
        "49.25",
        {
            "99": "They shrink by its square.",
            "50.25": "you counted the last gain too.",
            "0": "a gain of g is not the end",
        },
    ),
    "weighted-try": Answers(
        "2",
        {
            "1": "divide by the count of component 1.",
            "6": "you counted every point fully",
            "1.4142": "that is the standard deviation",
        },
    ),
    "shift-try": Answers(
        "1.389",
        {
            "0.711": "the variances do not leave here",
            "1.577": "not alike.",
            "21.389": "this is the second mean.",
            "1.038": "you used standard deviations.",
        },
    ),
    "cross-try": Answers(
        "0.0035",
        {
            "0.0285": "a narrower curve gains",
            "0.0009": "the gain is a natural log",
            "0.001": "that gains 2.303",
        },
    ),
    "lean-try": Answers(
        "3.333",
        {
            "5": "you divided by m - 1.",
            "10": "this is the sum of the products.",
            "7.333": "Take the mean off first.",
            "2.667": "this is the variance of the first coordinate.",
            "4.667": "this is the variance of the second coordinate.",
        },
    ),
    "far-try": Answers(
        "10",
        {
            "8": "this is the ordinary squared distance.",
            "2": "the inverse has -2 beside its diagonal",
            "40": "the determinant is missing",
            "3.1623": "this is the distance.",
        },
    ),
    "bic-try": Answers(
        "2325.23",
        {
            "2296.38": "that is AIC.",
            "-2235.53": "minus twice the log-likelihood",
            "1185.04": "the log-likelihood counts twice.",
        },
    ),
    "predict-try": Answers(
        "71.3",
        {
            "65.7": "this is the answer of one Gaussian",
            "68.5": "you averaged with φ.",
            "76.8": "you left out the slopes",
            "60.5": "this is the wait of the short kind alone.",
            "72.8": "this is the wait of the long kind alone.",
        },
    ),
    "ex-burning-try": Answers(
        "16",
        {
            "4": "this is the mean of the three that failed.",
            "6.857": "you counted lamps that still burn as failures.",
            "1.714": "the hours of the four that still burn count, too.",
        },
    ),
    "ex-square-try": Answers(
        "43.5",
        {
            "42.25": "this is the square of the expectation.",
            "1.25": "this is the variance alone.",
            "17.25": "you filled in the mean of the four known values.",
            "41": "the variance is added, not taken away.",
        },
    ),
    "ex-seven-try": Answers(
        "0.5735",
        {
            "0.6472": "this is the share under the start.",
            "0.4265": "this is coin B's share.",
            "0.8069": "you forgot the three tails.",
        },
    ),
    "ex-p-try": Answers(
        "0.03",
        {
            "0.0251": "count the observed statistic among its like",
            "0.025": "the observed one is at least as large as itself, too.",
            "0.97": "this is the share of smaller ones.",
        },
    ),
    "ex-long-try": Answers(
        "0.445",
        {
            "0.198": "this is its square.",
            "0.3558": "only the waits of the long kind count.",
            "5.868": "this is the scatter of one wait",
        },
    ),
    "ex-log-try": Answers(
        "1.92",
        {
            "-1.80": "this is the interval of the variance itself",
            "24.09": "this is the upper end.",
            "0.652": "this is still a logarithm.",
        },
    ),
}

# ---------------------------------------------------------------------------------- functions

HEIGHTS = """\
heights = np.exp(-((x - mu) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
"""
NORMAL_LOG_LIKELIHOOD = Answers(
    """\
constant, squares = np.log(2 * np.pi * variance), (x - mu) ** 2
return -0.5 * np.sum(constant + squares / variance)""",
    {
        ("variance", "variance**2"): "variance-as-sd",
        ("variance", "np.sqrt(variance)"): "sd-as-variance",
        ("squares /", "2 * squares /"): "no-half",
        ("constant + ", ""): "no-constant",
        ("np.sum(constant + squares / variance)", "(constant + np.sum(squares / variance))"): (
            "constant-once"
        ),
        HEIGHTS + "return np.prod(heights)": "likelihood",
        ("np.sum", "np.mean"): "averaged",
        ("-0.5", "0.5"): "sign",
        ("np.sum", ""): "expected log-likelihood of shape (), got shape (5,)",
        ("return ", ""): "nothing",
        HEIGHTS + "return np.sum(np.log(heights))": "underflow-one",
    },
)

MLE = Answers(
    """\
mu = np.sum(x) / len(x)
return mu, np.sum((x - mu) ** 2) / len(x)""",
    {
        ("2) / len(x)", "2) / (len(x) - 1)"): "divided-by-m-1",
        ("2) / len(x)", "2)"): "not-divided",
        "return np.mean(x), np.std(x)": "returned-sd",
        "return np.mean(x), np.mean(x**2)": "about-zero",
        "return np.var(x), np.mean(x)": "swapped",
        "return np.mean(x)": "expected 2 values, mean, variance",
    },
)

REFIT = """\
N = w.sum(axis=0)
means = w.T @ x / N
variances = (w * (x[:, None] - means) ** 2).sum(axis=0) / N
return N / len(x), means, variances"""
WRONG_REFITS = {
    ("return N / len(x)", "return N"): "counts-as-weights",
    ("N / len(x), means, variances", "means, variances, N / len(x)"): "swapped",
    ("means, variances", "means, np.sqrt(variances)"): "returned-sds",
    ("sum(axis=0) / N", "sum(axis=0) / (N - 1)"): "divided-by-N-1",
    (" / N\n", " / (N - 1)\n"): "divided-by-N-1",
    ("sum(axis=0) / N", "sum(axis=0)"): "not-divided-by-N",
    ("x / N", "x"): "not-divided-by-N",
    (" / N\n", "\n"): "not-divided-by-N",
    ("sum(axis=0) / N", "sum(axis=0) / len(x)"): "divided-by-m",
    (" / N\n", " / len(x)\n"): "divided-by-m",
    ("- means) ** 2).sum", "- x.mean()) ** 2).sum"): "overall-mean",
    (
        "(w * (x[:, None] - means) ** 2).sum(axis=0) / N",
        "((x[:, None] - means) ** 2).mean(axis=0)",
    ): ("unweighted-variance"),
}
HARD = {("N = w", "w = np.eye(2)[w.argmax(axis=1)]\nN = w"): "hard-labels"}

LABELLED_FIT = Answers(
    "w = (z[:, None] == [1, 2]).astype(float)\n" + REFIT,
    {**WRONG_REFITS, ("[1, 2]", "[0, 1]"): "labels-from-0"},
)
M_STEP = Answers("w = responsibilities\n" + REFIT, {**WRONG_REFITS, **HARD})

JOINT = """\
joint = weights * np.exp(-((x[:, None] - means) ** 2) / (2 * variances))
joint /= np.sqrt(2 * np.pi * variances)
"""
WRONG_JOINTS = {
    ("joint = weights * ", "joint = "): "forgot-weights",
    (" variances)", " variances**2)"): "variance-as-sd",
    (" variances)", " np.sqrt(variances))"): "sd-as-variance",
    ("(2 * variances)", "variances"): "no-half",
    ("joint /= np.sqrt(2 * np.pi * variances)\n", ""): "no-constant",
}
LOGS = """\
a = np.log(weights) - 0.5 * np.log(2 * np.pi * variances)
a = a - (x[:, None] - means) ** 2 / (2 * variances)
largest = a.max(axis=1, keepdims=True)
"""

E_STEP = Answers(
    JOINT + "return joint / joint.sum(axis=1, keepdims=True)",
    {
        **WRONG_JOINTS,
        ("axis=1, keepdims=True", "axis=0"): "wrong-axis",
        (" / joint.sum(axis=1, keepdims=True)", ""): "not-normalized",
        JOINT + "return joint.T / joint.sum(axis=1)": "transposed",
        JOINT + "return np.eye(2)[joint.argmax(axis=1)]": "hard-labels",
        JOINT + "return joint.argmax(axis=1)": "expected w of shape (10, 2), got shape (10,)",
        ("return ", ""): "nothing",
        LOGS
        + "terms = np.exp(a - largest)\nreturn terms / terms.sum(axis=1, keepdims=True)": "right",
    },
    told="underflow",
)

LOG_LIKELIHOOD = Answers(
    JOINT + "return np.log(joint.sum(axis=1)).sum()",
    {
        **WRONG_JOINTS,
        ("joint.sum(axis=1)", "joint"): "sum-of-logs",
        ("np.log(joint.sum(axis=1)).sum()", "np.log(joint.sum())"): "points-inside-log",
        ("axis=1", "axis=0"): "points-inside-log",
        ("np.log(joint.sum(axis=1)).sum()", "joint.sum(axis=1).prod()"): "likelihood",
        (")).sum()", ")).mean()"): "averaged",
        ("return ", "return -"): "sign",
        LOGS + "return (largest[:, 0] + np.log(np.exp(a - largest).sum(axis=1))).sum()": "right",
    },
    told="underflow",
)

EM_STEP = Answers(
    JOINT + "w = joint / joint.sum(axis=1, keepdims=True)\n" + REFIT,
    {
        **WRONG_JOINTS,
        ("axis=1, keepdims=True", "axis=0"): "wrong-axis",
        (
            "means = w.T @ x / N\nvariances = (w * (x[:, None] - means) ** 2).sum(axis=0) / N",
            "variances = (w * (x[:, None] - means) ** 2).sum(axis=0) / N\nmeans = w.T @ x / N",
        ): "stale-means",
        ("return N / len(x)", "return weights"): "unchanged-weights",
        **WRONG_REFITS,
        **HARD,
        "return my_m_step(x, my_e_step(x, weights, means, variances))": "right",
    },
)

ELBO = Answers(
    JOINT + "w = responsibilities\n"
    "log_w = np.log(np.where(w > 0, w, 1))\n"
    "return (w * (np.log(joint) - log_w)).sum()",
    {
        **WRONG_JOINTS,
        (" - log_w", ""): "no-entropy",
        ("- log_w", "+ log_w"): "entropy-sign",
        JOINT + "return np.log(joint.sum(axis=1)).sum()": "log-likelihood",
        (".sum()", ".sum() / len(x)"): "averaged",
        ("return ", "return -"): "sign",
        ("np.where(w > 0, w, 1)", "w"): "zero-log-zero",
    },
)

KL = Answers(
    "q, p = q[q > 0], p[q > 0]\nreturn np.sum(q * np.log(q / p))",
    {
        "return np.sum(p * np.log(p / q))": "reversed",
        "return -np.sum(q * np.log(p))": "cross-entropy",
        ("np.log", "np.log2"): "base-2",
        ("q / p", "p / q"): "sign",
        "return np.sum(q * np.log(q / p))": "zero-log-zero",
        ("np.sum", ""): "expected KL of shape (), got shape (3,)",
    },
)

COUNT = Answers(
    "return (k - 1) + k * d + k * d * (d + 1) // 2",
    {
        ("(k - 1)", "k"): "all-weights-free",
        ("(k - 1) + ", ""): "no-weights",
        ("d * (d + 1) // 2", "d**2"): "square-covariances",
        ("(d + 1)", "(d - 1)"): "no-diagonal",
        ("+ k * d * (d", "+ d * (d"): "one-covariance",
    },
)

# Three functions of the book, each with a mistake, and what a reader makes of one.
BUGS = Answers(
    """\
def repaired(x, weights, means, variances):
    return np.log((weights * bells(x, means, variances)).sum(axis=1)).sum()


check.log_likelihood(repaired)""",
    {
        "check.log_likelihood(first)": "sum-of-logs",
        "check.log_likelihood(second)": "forgot-weights",
        "check.log_likelihood(third)": "variance-as-sd",
    },
    told="underflow",
)

AGREEMENT = Answers(
    """\
return max(
    np.mean(np.array(order)[clusters] == labels) for order in permutations(range(3))
)""",
    {
        "return np.mean(clusters == labels)": "you compared the numbers as they stand.",
        ("np.mean", "np.sum"): "this is a count.",
        ("permutations(range(3))", "np.ndindex(3, 3, 3)"): "you let two clusters share a label.",
    },
)

# Its output is for the reader to judge: no gap, no fall, or else a half step is broken.
HALF_STEPS = Answers(
    """\
round(ell(mixture, galaxies) - B(table, mixture, galaxies), 3) + 0.0
round(B(table, new, galaxies) - B(table, mixture, galaxies), 3) + 0.0""",
    told="c 0 gap 0.0 climb",
)

MISS = Answers(
    """\
w, N = half.responsibilities, half.counts
means = w.T @ x / N
variances = (w * (x[:, None] - means) ** 2).sum(axis=0) / N
top = half._replace(weights=N / N.sum(), means=means, variances=variances)
return top.bound - half.bound""",
    {
        ("weights=N / N.sum(), ", ""): "the weights can be made better too.",
        ("top.bound - half.bound", "half.bound - top.bound"): "the sign is turned round.",
        ("top.bound", "half.log_likelihood"): "that is the gap to the log-likelihood.",
    },
)

INSPECTOR = Answers(
    """\
def miss(half):
    w, N = half.responsibilities, half.counts
    means = w.T @ x / N
    variances = (w * (x[:, None] - means) ** 2).sum(axis=0) / N
    top = half._replace(weights=N / N.sum(), means=means, variances=variances)
    return top.bound - half.bound

rows = [abs(half.responsibilities.sum(axis=1) - 1).max() for half in steps]
gaps = [abs(half.log_likelihood - half.bound) for half in steps if half.step == "e"]
if max(rows) > 1e-6 or max(gaps) > 1e-6:
    return "E step"
misses = [abs(miss(half)) for half in steps if half.step == "m"]
return "M step" if max(misses) > 1e-6 else "neither\"""",
    {
        "return 'M step'": "case 1: expected 'E step', got 'M step'.",
        (
            "max(misses) > 1e-6",
            "min(b.bound - a.bound for a, b in zip(steps, steps[1:])) < -1e-6",
        ): "case 2: expected 'M step', got 'neither'.",
        ("max(gaps) > 1e-6", "gaps[0] > 1e-6"): "case 11: expected 'E step', got 'neither'.",
    },
    told="right, for all of them.",
)

TIED = Answers(
    """\
means = responsibilities.T @ x / responsibilities.sum(axis=0)
squares = (x[:, None] - means) ** 2
return np.sum(responsibilities * squares) / len(x)""",
    {
        (" / len(x)", ""): "this is a sum of squares",
        ("(x[:, None] - means)", "(x[:, None] - x.mean())"): "not of all points",
        (
            "np.sum(responsibilities * squares) / len(x)",
            "((responsibilities * squares).sum(axis=0) / responsibilities.sum(axis=0)).mean()",
        ): "weigh with N_j / m",
        (
            "np.sum(responsibilities * squares) / len(x)",
            "np.sqrt(np.sum(responsibilities * squares) / len(x))",
        ): "that is the standard deviation",
    },
)
MERGE = Answers(
    """\
(n_a, mean_a, c_a), (n_b, mean_b, c_b) = a, b
n = n_a + n_b
mean = (n_a * mean_a + n_b * mean_b) / n
return n, mean, c_a + c_b + n_a * n_b * (mean_b - mean_a) ** 2 / n""",
    {
        (" + n_a * n_b * (mean_b - mean_a) ** 2 / n", ""): "scatters-added",
        ("2 / n", "2"): "step-not-divided",
        ("(n_a * mean_a + n_b * mean_b) / n", "(mean_a + mean_b) / 2"): "mean-of-means",
        (
            "n_a * n_b * (mean_b - mean_a) ** 2 / n",
            "n_a * mean_a**2 + n_b * mean_b**2 - n * mean**2",
        ): "cancellation",
    },
)

DIAGONAL = """\
U = np.vstack([np.ones(len(X)), X.T, X.T**2])
constant = np.log(phi) - 0.5 * (np.log(2 * np.pi * variance) + mu**2 / variance).sum(
    axis=1
)
eta = np.column_stack([constant, mu / variance, -0.5 / variance])
A = eta @ U
W = np.exp(A - A.max(axis=0))
W /= W.sum(axis=0)
sums = W @ U.T
d = X.shape[1]
N, mean = sums[:, 0], sums[:, 1 : d + 1] / sums[:, :1]
return N / N.sum(), mean, sums[:, d + 1 :] / sums[:, :1] - mean**2"""

ANSWERS = {
    **BY_HAND,
    "ex-loglik-try": NORMAL_LOG_LIKELIHOOD,
    "ex-mle-try": MLE,
    "ex-labelled-try": LABELLED_FIT,
    "ex-bugs-try": BUGS,
    "ex-estep-code": E_STEP,
    "ex-loglik-code": LOG_LIKELIHOOD,
    "ex-mstep-code": M_STEP,
    "ex-mstep-both": EM_STEP,
    "ex-kl-try": KL,
    "ex-elbo-try": ELBO,
    "ex-bug-try": HALF_STEPS,
    "ex-miss-try": MISS,
    "ex-inspector-try": INSPECTOR,
    "mstep-try": TIED,
    "count-try": COUNT,
    "match-try": AGREEMENT,
    "ex-merge-code": MERGE,
    "ex-third-check": Answers(
        "3.9592",
        {
            "5.8690": "you counted all of 12",
            "3.9100": "not in the sum",
            "3.9755": "not in the count",
            "3.9261": "without 12",
        },
    ),
    "parcels-try": Answers(
        "4.9572",
        {
            "2.6316": "of the first component",
            "5.3667": "you counted parcels fully",
            "3.6875": "the mean of all parcels",
        },
    ),
    "short-try": Answers(
        "14.1387",
        {
            "0.2356": "in minutes",
            "3.3317": "60 times the variance",
            "199.9026": "in square seconds",
            "26.2225": "that is the long kind",
            "15.9292": "you cut at 3 minutes",
        },
    ),
    "rounded-try": Answers(
        ".7729",
        {
            "-.7729": "the other way around",
            "1.1151": "in bits",
            ".6679": "what the rounding takes away",
            ".0966": "of an average point",
        },
    ),
    "held-out-try": Answers(
        "-2.7776",
        {
            "-2.6105": "the galaxies it was fitted to",
            "-113.8825": "that is the sum",
            "-2.3923": "average the logs",
            "-2.7474": "you fitted to all galaxies",
        },
    ),
    "ex-diag-code": Answers(
        DIAGONAL,
        {
            ("return N / N.sum()", "return N"): "these are the counts",
            (" - mean**2", ""): "this is the mean square",
        },
    ),
}


def tell_in_ipython(notebook):
    return tell(notebook, InIPython(notebook))


if __name__ == "__main__":
    for name in ("IPython.core.interactiveshell", "gmm_lib.check", "gmm_lib.plotting"):
        importlib.import_module(name)

    notebooks = [Path(name).resolve() for name in sys.argv[1:]]
    # Each in a process of its own that has imported what these have.
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        print(json.dumps(pool.map(tell_in_ipython, notebooks, chunksize=1)))
