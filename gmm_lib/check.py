"""Instant feedback on a learner's own function: not only whether it is right, but what went wrong.

Each check runs the function on the ten points of the book and compares its result with the right
one and with what each well-known mistake gives. What comes back prints as advice and counts as
true when right:

>>> from gmm_lib import check
>>> check.mle(lambda x: (x.mean(), x.var(ddof=1)))
Not yet: you divided by m - 1. Maximum likelihood divides by m (np.var does so by default).
>>> assert check.mle(lambda x: (x.mean(), x.var()))

Where the learner's part is still `...`, as the book leaves it, there is nothing to say: a check of
a function that returns `...`, or of the number `...`, returns None, which no notebook displays.

>>> def my_mle(x):
...     return ...  # your turn
>>> check.mle(my_mle)

The functions to write work on plain arrays in one dimension: x (m,), weights, means, variances
(k,), responsibilities (m, k). An exception of the learner's function is left to show its traceback.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib import bound, datasets, selection
from gmm_lib._validate import as_function, as_number, as_points
from gmm_lib.em import e_step as _library_e_step
from gmm_lib.mixture import GaussianMixture

# The wording, in one table, so that another language needs only another table.
ADVICE = {
    "right": "Right.",
    "nothing": "your function returns nothing yet. End it with return.",
    "underflow": (
        "Right on these points. Far from every component, though, it gives {got}: all densities "
        "underflow to 0. Work with logs and subtract the largest before np.exp (log-sum-exp)."
    ),
    "underflow-one": (
        "Right on these points. Far from the center, though, it gives {got}: the height underflows "
        "to 0 before its log is taken. Take the log on paper and sum the logs."
    ),
    "wrong-axis": (
        "you normalized over the points. Each *row* must sum to 1: divide by the sum over the "
        "components (axis=1, keepdims=True)."
    ),
    "transposed": "your result is transposed. One row a point, one column a component, please.",
    "not-normalized": (
        "these are φ_j N(x; μ_j, σ_j²), the numerators of Bayes' rule. Divide each row by its sum."
    ),
    "hard-labels": (
        "you gave each point to its likeliest component alone. Responsibilities are probabilities: "
        "keep the share of every component."
    ),
    "forgot-weights": "you forgot φ: each density must be multiplied by its mixing weight φ_j.",
    "variance-as-sd": (
        "you used the variance as a standard deviation. The exponent is -(x - μ)²/(2σ²), with the "
        "variance σ² itself; if your function wants σ, pass np.sqrt(variances)."
    ),
    "sd-as-variance": (
        "you used a standard deviation where a variance belongs: the arguments are variances "
        "already, no square root in the exponent."
    ),
    "no-constant": (
        "you left out 1/√(2πσ²) in front of the exponential. It differs between curves of "
        "different width, so it does not cancel."
    ),
    "no-half": (
        "your exponent lacks the 2 below: it is -(x - μ)²/(2σ²), half of the squared distance "
        "over the variance."
    ),
    "constant-once": (
        "you counted log 1/√(2πσ²) once. Every point brings it, so it is there m times."
    ),
    "returned-sd": "your second number is the standard deviation. We asked for the variance, σ².",
    "returned-sds": "you returned standard deviations. We asked for the variances, σ².",
    "sd-number": "this is the standard deviation. We asked for the variance, its square.",
    "divided-by-m-1": (
        "you divided by m - 1. Maximum likelihood divides by m (np.var does so by default)."
    ),
    "divided-by-N-1": (
        "you divided by N_j - 1. Maximum likelihood divides by N_j, the component's own count."
    ),
    "not-divided": "you have the sum. Divide it by the number of points, m.",
    "not-divided-by-N": (
        "you have sums. Divide them by the component's own count N_j, for its mean as for its "
        "variance."
    ),
    "swapped": "you returned them in another order. We asked for {names}.",
    "about-zero": (
        "your variance is the mean of x². Subtract the mean from each point before squaring."
    ),
    "divided-by-m": (
        "you divided by m. A component's mean and variance divide by its own count N_j: the number "
        "of its points, or with responsibilities the sum of w_j^(i) over i."
    ),
    "labels-from-0": "you took the labels for 0 and 1. They are 1 and 2.",
    "counts-as-weights": (
        "your weights are the counts N_j. Divide them by m, so that they sum to 1."
    ),
    "overall-mean": (
        "your variances are taken about the mean of all points. Use each component's own new mean."
    ),
    "unweighted-variance": (
        "your variances count every point fully for every component. Weight each squared "
        "difference by its responsibility."
    ),
    "stale-means": (
        "your variances are taken about the old means. Update the means first, then compute the "
        "variances about the new ones."
    ),
    "unchanged-weights": "you kept the old mixing weights. φ_j is updated too: N_j / m.",
    "sum-of-logs": (
        "you took the log of a sum for a sum of logs. Add the components φ_j N_j of a point first, "
        "then take the log, then add over the points."
    ),
    "points-inside-log": (
        "you added over the points inside the log. Inside it stands the sum over the components "
        "(axis=1); the points are added outside."
    ),
    "likelihood": "this is the likelihood itself, a product. Take its log: sum the logs instead.",
    "averaged": "this is the average over the points. The log-likelihood is their sum.",
    "sign": "the sign is turned round.",
    "no-entropy": (
        "this is the expected complete log-likelihood. The bound also has the entropy of the "
        "responsibilities, -Σ w log w."
    ),
    "entropy-sign": "the entropy has the wrong sign: the bound is Σ w (log p(x, z) - log w).",
    "log-likelihood": (
        "this is the log-likelihood, which the bound equals only at the responsibilities of the "
        "E step. Use those that were passed in."
    ),
    "zero-log-zero": (
        "right, except where a responsibility is 0: there you have 0 log 0, which is NaN in numpy "
        "but 0 in the limit. Leave those terms out (np.where)."
    ),
    "reversed": "this is KL(p ‖ q). The average is taken under the first argument, q.",
    "cross-entropy": "this is the cross-entropy, -Σ q log p. The divergence also has Σ q log q.",
    "base-2": "you used logs of base 2. Use natural logs throughout.",
    "all-weights-free": "the mixing weights sum to 1, so only k - 1 of them are free.",
    "no-weights": "you left the mixing weights out: k - 1 more.",
    "square-covariances": "a covariance matrix is symmetric: d(d+1)/2 free entries, not d².",
    "no-diagonal": (
        "you left out the diagonal of the covariances: d(d+1)/2 free entries, not d(d-1)/2."
    ),
    "one-covariance": "you counted one covariance for all. Each of the k components has its own.",
    "scatters-added": (
        "you added the two scatters alone. The means differ, and that adds "
        "n_a n_b / n times their squared difference."
    ),
    "step-not-divided": (
        "divide n_a n_b times the squared difference of the means by n = n_a + n_b."
    ),
    "mean-of-means": (
        "your mean is halfway between the two. Each counts with its number of points: "
        "(n_a x̄_a + n_b x̄_b) / n."
    ),
    "cancellation": (
        "right near zero, but wrong for the same points moved by {shift:.0e}: squares of large "
        "numbers are subtracted, and their digits are lost. Square the difference of the means."
    ),
    "shape": "expected {expected}, got {got}.",
    "not-finite": "your result holds {got}. Look for a division by 0 or the log of 0.",
    "rows": "row {row} sums to {got:.6g}. Probabilities sum to 1.",
    "different": "{name}: expected {expected:.6g}, got {got:.6g}{where}.",
    "number": "expected another number than {got:.6g}.",
}


@dataclass(frozen=True)
class Feedback:
    """What a check found; true when the function is right, and printed as advice.

    Attributes
    ----------
    right : bool
    message : str
        What to tell the learner.
    mistake : str or None
        The key in `ADVICE` of the mistake recognized; None if right.

    Examples
    --------
    >>> feedback = check.number(2.5, 2.6)
    >>> bool(feedback)
    False
    >>> feedback.message
    'expected another number than 2.5.'
    """

    right: bool
    message: str
    mistake: str | None = None

    def __bool__(self):
        return self.right

    def __repr__(self):
        return self.message if self.right else f"Not yet: {self.message}"


_X = datasets.ten_points().X[:, 0]
# Not the book's start: unequal weights, or else forgetting φ would not show.
_WEIGHTS, _MEANS, _VARIANCES = np.array([0.3, 0.7]), np.array([3.0, 10.0]), np.array([8.5, 15.7])
_THETA, _NAMES = (_WEIGHTS, _MEANS, _VARIANCES), ("weights", "means", "variances")
_SHIFT = 1e8  # squares of points that far out have no digits left for a variance of the book
_FAR = 1e5  # more than a thousand standard deviations from both components


def mle(function: Callable) -> Feedback | None:
    """Check `function(x) -> (mean, variance)`, the maximum-likelihood fit of one Gaussian.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> check.mle(lambda x: (x.mean(), x.std()))
    Not yet: your second number is the standard deviation. We asked for the variance, σ².
    """
    x = _X[:5]
    mean, variance = x.mean(), x.var()
    mistakes = [
        ("divided-by-m-1", (mean, x.var(ddof=1))),
        ("returned-sd", (mean, x.std())),
        ("not-divided", (mean, len(x) * variance)),
        ("about-zero", (mean, (x**2).mean())),
    ]
    return _compare(_call(function, x), (mean, variance), mistakes, ("mean", "variance"))


def normal_log_likelihood(function: Callable) -> Feedback | None:
    """Check `function(x, mean, variance) -> float`, ℓ of one Gaussian.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> check.normal_log_likelihood(lambda x, mean, variance: -np.sum((x - mean) ** 2) / 2)
    Not yet: log-likelihood: expected -14.8104, got -27.
    """
    x, mean, variance = _X[:5], 3.0, 4.0

    def ell(variance):
        return GaussianMixture([1.0], [mean], [variance]).log_density(x).sum()

    right = ell(variance)
    mistakes = [
        ("variance-as-sd", ell(variance**2)),
        ("sd-as-variance", ell(variance**0.5)),
        ("no-half", 2 * right + len(x) / 2 * np.log(2 * np.pi * variance)),
        ("no-constant", right + len(x) / 2 * np.log(2 * np.pi * variance)),
        ("constant-once", right + (len(x) - 1) / 2 * np.log(2 * np.pi * variance)),
        ("likelihood", np.exp(right)),
        ("averaged", right / len(x)),
        ("sign", -right),
    ]
    found = _compare(_call(function, x, mean, variance), right, mistakes, ("log-likelihood",))
    return _unless_far(found, function, (mean, variance), "underflow-one")


def log_likelihood(function: Callable) -> Feedback | None:
    """Check `function(x, weights, means, variances) -> float`, ℓ of a mixture.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> check.log_likelihood(lambda x, phi, mu, variances: -30.0)
    Not yet: log-likelihood: expected -59.7281, got -30.
    """
    right = _log_density(*_THETA).sum()
    log_joint = GaussianMixture(*_THETA).component_log_density(_X)
    joint = np.exp(log_joint)
    mistakes = [
        ("sum-of-logs", log_joint.sum()),
        ("points-inside-log", np.log(joint.sum())),
        ("points-inside-log", np.log(joint.sum(axis=0)).sum()),
        ("forgot-weights", np.log((joint / _WEIGHTS).sum(axis=1)).sum()),
        ("variance-as-sd", _log_density(_WEIGHTS, _MEANS, _VARIANCES**2).sum()),
        ("sd-as-variance", _log_density(_WEIGHTS, _MEANS, _VARIANCES**0.5).sum()),
        ("no-half", (_log_density(_WEIGHTS, _MEANS, _VARIANCES / 2) - np.log(2) / 2).sum()),
        ("no-constant", np.log(joint @ np.sqrt(2 * np.pi * _VARIANCES)).sum()),
        ("likelihood", np.exp(right)),
        ("averaged", right / len(_X)),
        ("sign", -right),
    ]
    found = _compare(_call(function, _X, *_THETA), right, mistakes, ("log-likelihood",))
    return _unless_far(found, function, _THETA)


def labelled_fit(function: Callable) -> Feedback | None:
    """Check `function(x, z) -> (weights, means, variances)`, each (k,), with labels z in {1..k}.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> def halves(x, z):
    ...     groups = [x[z == 1], x[z == 2]]
    ...     return [0.5, 0.5], [g.mean() for g in groups], [g.var(ddof=1) for g in groups]
    >>> check.labelled_fit(halves)
    Not yet: weights: expected 0.4, got 0.5 at [0].
    """
    # The fifth point in group 2: unequal counts, or else equal weights would pass.
    z = np.where(np.arange(len(_X)) < 4, 1, 2)
    w = (z[:, None] == [1, 2]).astype(float)
    mistakes = [pair for pair in _wrong_refits(w) if pair[0] != "hard-labels"]
    with np.errstate(invalid="ignore"):  # nobody has the label 0
        mistakes.append(("labels-from-0", _refit((z[:, None] == [0, 1]).astype(float))))
    return _compare(_call(function, _X, z), _refit(w), mistakes, _NAMES)


def e_step(function: Callable) -> Feedback | None:
    """Check `function(x, weights, means, variances) -> responsibilities` of shape (m, k).

    If the function returns a pair, as `gmm_lib.e_step` does, its first part is checked.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> check.e_step(lambda x, phi, mu, variances: np.full((10, 2), 0.5))
    Not yet: w: expected 0.858614, got 0.5 at [0, 0].
    """
    w = _first(_call(function, _X, *_THETA))
    right = _responsibilities(*_THETA)
    joint = np.exp(GaussianMixture(*_THETA).component_log_density(_X))
    mistakes = [*_wrong_responsibilities(), ("transposed", right.T), ("not-normalized", joint)]
    found = _compare(w, right, mistakes, ("w",))
    if found is not None and found.mistake == "different":
        off = np.abs(np.asarray(w).sum(axis=1) - 1)
        if off.max() > 1e-6:
            row = int(np.argmax(off))
            return _not_yet("rows", row=row, got=float(np.sum(w[row])))
    return _unless_far(found, function, _THETA)


def m_step(function: Callable) -> Feedback | None:
    """Check `function(x, responsibilities) -> (weights, means, variances)`, each of shape (k,).

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> def unweighted(x, w):
    ...     return w.mean(axis=0), w.T @ x / len(x), w.T @ (x - x.mean()) ** 2 / len(x)
    >>> check.m_step(unweighted)
    Not yet: means: expected 3.5855, got 0.870603 at [0].
    """
    w = _responsibilities(*_THETA)
    return _compare(_call(function, _X, w), _refit(w), _wrong_refits(w), _NAMES)


def em_step(function: Callable) -> Feedback | None:
    """Check `function(x, weights, means, variances) -> (weights, means, variances)`: E, then M.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> check.em_step(lambda x, phi, mu, variances: (phi, mu, variances))
    Not yet: weights: expected 0.242812, got 0.3 at [0].
    """
    w = _responsibilities(*_THETA)
    weights, means, variances = right = _refit(w)
    mistakes = [
        ("stale-means", (weights, means, _spread(w, _MEANS))),
        ("unchanged-weights", (_WEIGHTS, means, variances)),
        *_wrong_refits(w),
        *((key, _refit(wrong)) for key, wrong in _wrong_responsibilities()),
    ]
    return _compare(_call(function, _X, *_THETA), right, mistakes, _NAMES)


def elbo(function: Callable) -> Feedback | None:
    """Check `function(x, responsibilities, weights, means, variances) -> float`, the lower bound.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> check.elbo(lambda x, w, phi, mu, variances: 0.0)
    Not yet: bound: expected -59.8578, got 0.
    """
    # Not those of the E step at θ, where the bound would equal the log-likelihood.
    w = _responsibilities(_WEIGHTS, _MEANS + 1, _VARIANCES)
    right = _bound(w, *_THETA)
    entropy = bound.entropy(w).sum()
    mistakes = [
        ("no-entropy", right - entropy),
        ("entropy-sign", right - 2 * entropy),
        ("log-likelihood", _log_density(*_THETA).sum()),
        ("forgot-weights", right - (w @ np.log(_WEIGHTS)).sum()),
        ("variance-as-sd", _bound(w, _WEIGHTS, _MEANS, _VARIANCES**2)),
        ("sd-as-variance", _bound(w, _WEIGHTS, _MEANS, _VARIANCES**0.5)),
        ("no-half", _bound(w, _WEIGHTS, _MEANS, _VARIANCES / 2) - len(_X) / 2 * np.log(2)),
        ("no-constant", right + (w @ np.log(2 * np.pi * _VARIANCES)).sum() / 2),
        ("averaged", right / len(_X)),
        ("sign", -right),
    ]
    found = _compare(_call(function, _X, w, *_THETA), right, mistakes, ("bound",))
    if found:
        hard = np.eye(2)[w.argmax(axis=1)]
        with np.errstate(all="ignore"):
            value = np.asarray(_call(function, _X, hard, *_THETA))
        if not np.isfinite(value).all():
            return _not_yet("zero-log-zero")
    return found


def kl(function: Callable) -> Feedback | None:
    """Check `function(q, p) -> float`, the KL divergence of two distributions of shape (k,).

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> check.kl(lambda q, p: np.sum(p * np.log(p / q)))
    Not yet: this is KL(p ‖ q). The average is taken under the first argument, q.
    """
    q, p = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.2, 0.6])
    right = bound.kl_divergence(q, p)[0]
    mistakes = [
        ("reversed", bound.kl_divergence(p, q)[0]),
        ("cross-entropy", -(q * np.log(p)).sum()),
        ("base-2", right / np.log(2)),
        ("sign", -right),
    ]
    found = _compare(_call(function, q, p), right, mistakes, ("KL",))
    if found:
        with np.errstate(all="ignore"):
            value = np.asarray(_call(function, np.array([0.5, 0.5, 0.0]), p))
        if not np.isfinite(value).all():
            return _not_yet("zero-log-zero")
    return found


def n_parameters(function: Callable) -> Feedback | None:
    """Check `function(k, d) -> int`, the number of free parameters with full covariances.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> check.n_parameters(lambda k, d: k + k * d + k * d * (d + 1) // 2)
    Not yet: the mixing weights sum to 1, so only k - 1 of them are free.
    """
    k, d = 3, 4
    right = selection.n_parameters(k, d)
    mistakes = [
        ("all-weights-free", right + 1),
        ("no-weights", right - (k - 1)),
        ("square-covariances", right + k * d * (d - 1) // 2),
        ("no-diagonal", right - k * d),
        ("one-covariance", right - (k - 1) * d * (d + 1) // 2),
    ]
    return _compare(_call(function, k, d), right, mistakes, (f"k = {k}, d = {d}",))


def merge(function: Callable) -> Feedback | None:
    """Check `function(a, b) -> (count, mean, scatter)`, of the points of two such triples together.

    Parameters
    ----------
    function : callable

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError
        If function cannot be called; and whatever it raises itself.

    Examples
    --------
    >>> def merged(a, b):
    ...     n, step = a[0] + b[0], b[1] - a[1]
    ...     return n, a[1] + step * b[0] / n, a[2] + b[2] + step**2 * a[0] * b[0] / n
    >>> check.merge(merged)
    Right.
    """

    def triple(x):
        return len(x), x.mean(), ((x - x.mean()) ** 2).sum()

    # Unequal counts, or else the mean of the means would be right.
    a, b = triple(_X[:4]), triple(_X[4:])
    n, mean, scatter = right = triple(_X)
    (n_a, mean_a, scatter_a), (n_b, mean_b, scatter_b) = a, b
    within = scatter_a + scatter_b
    halfway = (mean_a + mean_b) / 2
    mistakes = [
        ("scatters-added", (n, mean, within)),
        ("step-not-divided", (n, mean, within + n_a * n_b * (mean_b - mean_a) ** 2)),
        ("mean-of-means", (n, halfway, scatter)),
        ("mean-of-means", (n, halfway, scatter + n * (mean - halfway) ** 2)),
        ("mean-of-means", (n, halfway, within)),
    ]
    found = _compare(_call(function, a, b), right, mistakes, ("count", "mean", "scatter"))
    if found:
        far = _call(function, triple(_X[:4] + _SHIFT), triple(_X[4:] + _SHIFT))
        if not np.isclose(far[2], scatter, rtol=1e-6):
            return _not_yet("cancellation", shift=_SHIFT)
    return found


def number(
    answer: float, expected: float, *, tol: float = 1e-3, mistakes: Mapping | None = None
) -> Feedback | None:
    """Check a number worked out by hand.

    Parameters
    ----------
    answer : float
        The learner's.
    expected : float
        The right one.
    tol : float
        How far off it may be, absolutely.
    mistakes : dict from float to str, optional
        Numbers that well-known mistakes give, each with what to say.

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError, ValueError
        If answer, expected or tol is not one finite real number, or mistakes are no dict.

    Examples
    --------
    >>> check.number(8.5, 6.8, mistakes={8.5: "you divided by m - 1."})
    Not yet: you divided by m - 1.
    """
    if answer is ...:
        return None
    answer = as_number(answer, "answer", least=-np.inf)
    expected = as_number(expected, "expected", least=-np.inf)
    tol, mistakes = as_number(tol, "tol"), {} if mistakes is None else mistakes
    if not isinstance(mistakes, Mapping):
        raise TypeError(
            f"mistakes: expected a dict from numbers to advice, got {type(mistakes).__name__}; "
            "pass {8.5: 'you divided by m - 1.'}."
        )
    if abs(answer - expected) <= tol:
        return Feedback(True, ADVICE["right"])
    for value, advice in mistakes.items():
        if abs(answer - value) <= tol:
            return Feedback(False, advice, "number")
    return _not_yet("number", got=answer)


def variance(answer: float, points: ArrayLike, *, tol: float = 1e-2) -> Feedback | None:
    """Check a variance worked out by hand: the maximum-likelihood one of points on a line.

    Parameters
    ----------
    answer : float
        The learner's.
    points : array_like, shape (m,)
    tol : float
        How far off it may be, absolutely.

    Returns
    -------
    Feedback or None

    Raises
    ------
    TypeError, ValueError
        If answer or tol is not one finite real number, or points are not points on a line.

    Examples
    --------
    >>> check.variance(8.5, [1, 4, 5, 6, 9])
    Not yet: you divided by m - 1. Maximum likelihood divides by m (np.var does so by default).
    """
    x = as_points(points, 1, name="points")[:, 0]
    right = x.var()
    mistakes = {right**0.5: ADVICE["sd-number"], len(x) * right: ADVICE["not-divided"]}
    if len(x) > 1:
        mistakes[x.var(ddof=1)] = ADVICE["divided-by-m-1"]
    mistakes[(x**2).mean()] = ADVICE["about-zero"]
    return number(answer, right, tol=tol, mistakes=mistakes)


def _call(function, *arguments):
    """Call the learner's function on copies, so that nothing it does in place reaches us."""
    as_function(function, "function")
    return function(*(a.copy() if isinstance(a, np.ndarray) else a for a in arguments))


def _compare(got, right, mistakes, names):
    """Feedback on a result, a tuple of arrays (or one), against the right one and the mistakes."""
    if got is ...:
        return None
    if got is None:
        return _not_yet("nothing")
    right = right if isinstance(right, tuple) else (right,)
    if len(right) > 1 and isinstance(got, np.ndarray) and got.ndim:
        got = tuple(got)  # np.array([mean, variance]) is a pair, too
    if len(right) == 1:
        got = (got,)
    elif not isinstance(got, (tuple, list)) or len(got) != len(right):
        what = f"{len(got)} values" if isinstance(got, (tuple, list)) else type(got).__name__
        return _not_yet("shape", expected=f"{len(right)} values, {', '.join(names)}", got=what)
    try:
        arrays = tuple(map(np.asarray, got))
        if any(array.dtype.kind in "cSUmM" for array in arrays):  # a cast might make numbers of it
            raise TypeError
        got = tuple(array.astype(float) for array in arrays)
    except (TypeError, ValueError):
        kinds = ", ".join(type(part).__name__ for part in got)
        return _not_yet("shape", expected=f"numbers ({', '.join(names)})", got=kinds)
    if _same(got, right):
        return Feedback(True, ADVICE["right"])
    for key, wrong in mistakes:
        if _same(got, wrong if isinstance(wrong, tuple) else (wrong,)):
            return _not_yet(key)
    if any(_same(got, other) for other in permutations(right)):
        return _not_yet("swapped", names=", ".join(names))
    for name, part, target in zip(names, got, right, strict=True):
        target = np.asarray(target, dtype=float)
        if part.shape != target.shape:
            return _not_yet(
                "shape", expected=f"{name} of shape {target.shape}", got=f"shape {part.shape}"
            )
        if not np.isfinite(part).all():
            return _not_yet("not-finite", got="NaN" if np.isnan(part).any() else "infinity")
        off = ~np.isclose(part, target, rtol=1e-6, atol=1e-9)
        if off.any():
            place = tuple(int(i) for i in np.argwhere(off)[0])
            where = f" at {list(place)}" if place else ""
            return _not_yet(
                "different",
                name=name,
                expected=float(target[place]),
                got=float(part[place]),
                where=where,
            )


def _same(got, other):
    # 0 is not the same as a number that is small everywhere, such as a likelihood.
    return all(
        np.shape(a) == np.shape(b)
        and np.allclose(a, b, rtol=1e-6, atol=1e-9 * (min(1, np.abs(b).max()) or 1), equal_nan=True)
        for a, b in zip(got, other, strict=True)
    )


def _not_yet(mistake, **values):
    return Feedback(False, ADVICE[mistake].format(**values), mistake)


def _unless_far(found, function, theta, advice="underflow"):
    """Add a warning to a right result if the function underflows far from every component."""
    if found:
        with np.errstate(all="ignore"):
            value = np.asarray(_first(_call(function, np.array([_FAR]), *theta)), dtype=float)
        if not np.isfinite(value).all():
            got = "NaN" if np.isnan(value).any() else "-inf"
            return Feedback(True, ADVICE[advice].format(got=got))
    return found


def _first(result):
    return result[0] if isinstance(result, tuple) and len(result) == 2 else result


def _responsibilities(weights, means, variances):
    return _library_e_step(_X, GaussianMixture(weights, means, variances))[0]


def _log_density(weights, means, variances):
    return GaussianMixture(weights, means, variances).log_density(_X)


def _bound(w, weights, means, variances):
    return bound.evidence_lower_bound(_X, GaussianMixture(weights, means, variances), w)


def _refit(w):
    # Written out, for m_step would refuse the wrong responsibilities that we must refit to.
    N = w.sum(axis=0)
    means = w.T @ _X / N
    return N / len(_X), means, _spread(w, means)


def _spread(w, centers):
    """Variances (k,) of the points, weighted by w, about given centers."""
    return (w * (_X[:, None] - centers) ** 2).sum(axis=0) / w.sum(axis=0)


def _wrong_responsibilities():
    """Pairs of a mistake and the responsibilities it gives."""
    joint = np.exp(GaussianMixture(*_THETA).component_log_density(_X))
    kernels = joint * np.sqrt(_VARIANCES)
    equal = np.full(2, 0.5)  # φ that is equal for all cancels, as φ that was forgotten
    right = _responsibilities(*_THETA)
    return [
        ("wrong-axis", joint / joint.sum(axis=0)),
        ("forgot-weights", _responsibilities(equal, _MEANS, _VARIANCES)),
        ("variance-as-sd", _responsibilities(_WEIGHTS, _MEANS, _VARIANCES**2)),
        ("sd-as-variance", _responsibilities(_WEIGHTS, _MEANS, _VARIANCES**0.5)),
        ("no-half", _responsibilities(_WEIGHTS, _MEANS, _VARIANCES / 2)),
        ("no-constant", kernels / kernels.sum(axis=1, keepdims=True)),
        ("hard-labels", np.eye(2)[right.argmax(axis=1)]),
    ]


def _wrong_refits(w):
    """Pairs of a mistake and the weights, means and variances it gives."""
    weights, means, variances = _refit(w)
    N, m = w.sum(axis=0), len(_X)

    def divided_by(n):
        """Both the means and the variances about them."""
        return weights, means * N / n, _spread(w, means * N / n) * N / n

    return [
        ("counts-as-weights", (N, means, variances)),
        ("divided-by-N-1", divided_by(N - 1)),
        ("divided-by-N-1", (weights, means, variances * N / (N - 1))),
        ("not-divided-by-N", divided_by(1)),
        ("not-divided-by-N", (weights, means * N, _spread(w, means * N))),
        ("not-divided-by-N", (weights, means, variances * N)),
        ("returned-sds", (weights, means, np.sqrt(variances))),
        ("divided-by-m", divided_by(m)),
        ("divided-by-m", (weights, means, variances * N / m)),
        ("overall-mean", (weights, means, _spread(w, _X.mean()))),
        ("unweighted-variance", (weights, means, _spread(np.ones_like(w), means))),
        ("hard-labels", _refit(np.eye(2)[w.argmax(axis=1)])),
    ]
