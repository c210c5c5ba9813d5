"""Feedback on learners' functions: each mistake, made by a function of its own, is named."""

import numpy as np
import pytest

import gmm_lib
from gmm_lib import check, datasets

# What a learner writes: the textbook formulas, each with a place for a mistake.


def joint(x, weights, means, variances, *, mistake=None):
    x = x[:, None]
    if mistake == "variance-as-sd":
        variances = variances**2
    if mistake == "sd-as-variance":
        variances = np.sqrt(variances)
    half = 1 if mistake == "no-half" else 2
    height = np.exp(-((x - means) ** 2) / (half * variances))
    if mistake != "no-constant":
        height = height / np.sqrt(2 * np.pi * variances)
    return height if mistake == "forgot-weights" else weights * height


def e_step(x, weights, means, variances, *, mistake=None):
    p = joint(x, weights, means, variances, mistake=mistake)
    if mistake == "not-normalized":
        return p
    if mistake == "wrong-axis":
        return p / p.sum(axis=0)
    w = p / p.sum(axis=1, keepdims=True)
    if mistake == "transposed":
        return w.T
    if mistake == "hard-labels":
        return np.array([[float(a > b), float(b >= a)] for a, b in w])
    return w


def m_step(x, w, *, mistake=None, old_means=None):
    if mistake == "hard-labels":
        w = (w == w.max(axis=1, keepdims=True)).astype(float)
    m, N = len(x), w.sum(axis=0)
    n = {"divided-by-m": np.full(len(N), m), "not-divided-by-N": 1}.get(mistake, N)
    means = (w * x[:, None]).sum(axis=0) / n
    centers = {"stale-means": old_means, "overall-mean": x.mean()}.get(mistake, means)
    squares = (x[:, None] - centers) ** 2
    if mistake == "unweighted-variance":
        variances = squares.mean(axis=0)
    else:
        variances = (w * squares).sum(axis=0) / (n - 1 if mistake == "divided-by-N-1" else n)
    if mistake == "returned-sds":
        variances = np.sqrt(variances)
    if mistake == "swapped":
        return means, variances, N / m
    return (N if mistake == "counts-as-weights" else N / m), means, variances


def em_step(x, weights, means, variances, *, mistake=None):
    w = e_step(x, weights, means, variances, mistake=mistake)
    new = m_step(x, w, mistake=mistake, old_means=means)
    return (weights, *new[1:]) if mistake == "unchanged-weights" else new


def log_likelihood(x, weights, means, variances, *, mistake=None):
    p = joint(x, weights, means, variances, mistake=mistake)
    if mistake == "sum-of-logs":
        return np.log(p).sum()
    if mistake == "points-inside-log":
        return np.log(p.sum())
    if mistake == "likelihood":
        return p.sum(axis=1).prod()
    value = np.log(p.sum(axis=1)).sum()
    return {"averaged": value / len(x), "sign": -value}.get(mistake, value)


def normal_log_likelihood(x, mean, variance, *, mistake=None):
    one = (np.array([value]) for value in (1.0, mean, variance))
    value = log_likelihood(x, *one, mistake=mistake)
    once = mistake == "constant-once"
    return value + (len(x) - 1) / 2 * np.log(2 * np.pi * variance) if once else value


def labelled_fit(x, z, *, mistake=None):
    names = [0, 1] if mistake == "labels-from-0" else [1, 2]
    return m_step(x, (z[:, None] == names).astype(float), mistake=mistake)


def xlogx(w):
    return w * np.log(np.where(w > 0, w, 1))


def elbo(x, w, weights, means, variances, *, mistake=None):
    if mistake == "log-likelihood":
        return log_likelihood(x, weights, means, variances)
    complete = (w * np.log(joint(x, weights, means, variances, mistake=mistake))).sum()
    entropy = -xlogx(w).sum()
    if mistake == "zero-log-zero":
        entropy = -(w * np.log(w)).sum()
    if mistake == "no-entropy":
        return complete
    value = complete - entropy if mistake == "entropy-sign" else complete + entropy
    return {"averaged": value / len(x), "sign": -value}.get(mistake, value)


def kl(q, p, *, mistake=None):
    if mistake == "reversed":
        q, p = p, q
    if mistake == "zero-log-zero":
        return (q * np.log(q / p)).sum()
    if mistake == "cross-entropy":
        return -(q * np.log(p)).sum()
    value = (xlogx(q) - q * np.log(p)).sum()
    return {"base-2": value / np.log(2), "sign": -value}.get(mistake, value)


def mle(x, *, mistake=None):
    mean, variance = x.mean(), x.var()
    return {
        "divided-by-m-1": (mean, x.var(ddof=1)),
        "returned-sd": (mean, x.std()),
        "not-divided": (mean, ((x - mean) ** 2).sum()),
        "swapped": (variance, mean),
        "about-zero": (mean, (x**2).mean()),
    }.get(mistake, (mean, variance))


def n_parameters(k, d, *, mistake=None):
    weights = {"all-weights-free": k, "no-weights": 0}.get(mistake, k - 1)
    covariance = {"square-covariances": d * d, "no-diagonal": d * (d - 1) // 2}.get(
        mistake, d * (d + 1) // 2
    )
    return weights + k * d + (1 if mistake == "one-covariance" else k) * covariance


def merge(a, b, *, mistake=None):
    (n_a, mean_a, scatter_a), (n_b, mean_b, scatter_b) = a, b
    n = n_a + n_b
    mean = (
        (mean_a + mean_b) / 2 if mistake == "mean-of-means" else (n_a * mean_a + n_b * mean_b) / n
    )
    between = n_a * n_b * (mean_b - mean_a) ** 2
    if mistake == "scatters-added":
        between = 0
    elif mistake == "cancellation":
        between = n_a * mean_a**2 + n_b * mean_b**2 - n * mean**2
    elif mistake != "step-not-divided":
        between /= n
    return n, mean, scatter_a + scatter_b + between


DENSITY = ["forgot-weights", "variance-as-sd", "sd-as-variance", "no-half", "no-constant"]
REFIT = [
    "counts-as-weights",
    "swapped",
    "divided-by-N-1",
    "not-divided-by-N",
    "returned-sds",
    "divided-by-m",
    "overall-mean",
    "unweighted-variance",
    "hard-labels",
]
MISTAKES = {
    mle: ["divided-by-m-1", "returned-sd", "not-divided", "swapped", "about-zero"],
    log_likelihood: [*DENSITY, "sum-of-logs", "points-inside-log"]
    + ["likelihood", "averaged", "sign"],
    normal_log_likelihood: [
        "variance-as-sd",
        "sd-as-variance",
        "no-half",
        "no-constant",
        "constant-once",
        "likelihood",
        "averaged",
        "sign",
    ],
    labelled_fit: [*REFIT[:-1], "labels-from-0"],
    e_step: [*DENSITY, "wrong-axis", "hard-labels", "transposed", "not-normalized"],
    m_step: REFIT,
    em_step: [*DENSITY, "wrong-axis", "stale-means", "unchanged-weights", *REFIT],
    elbo: [*DENSITY, "no-entropy", "entropy-sign", "log-likelihood", "averaged", "sign"]
    + ["zero-log-zero"],
    kl: ["reversed", "cross-entropy", "base-2", "sign", "zero-log-zero"],
    n_parameters: ["all-weights-free", "no-weights", "square-covariances"]
    + ["no-diagonal", "one-covariance"],
    merge: ["scatters-added", "step-not-divided", "mean-of-means", "cancellation"],
}


@pytest.mark.parametrize("function", MISTAKES, ids=lambda function: function.__name__)
def test_the_right_function_passes(function):
    feedback = getattr(check, function.__name__)(function)
    assert feedback
    assert feedback.mistake is None
    assert repr(feedback).startswith("Right")


@pytest.mark.parametrize(
    ("function", "mistake"),
    [(function, mistake) for function, mistakes in MISTAKES.items() for mistake in mistakes],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_mistake_is_named(function, mistake):
    feedback = getattr(check, function.__name__)(
        lambda *arguments: function(*arguments, mistake=mistake)
    )
    assert not feedback
    assert feedback.mistake == mistake
    names = "mean, variance" if function is mle else "weights, means, variances"
    assert repr(feedback) == f"Not yet: {check.ADVICE[mistake]}".format(names=names, shift=1e8)


# Variances of 1, 4, 5, 6, 9, worked out with a mistake each.
BY_HAND = {
    2.6077: "sd-number",
    34.0: "not-divided",
    8.5: "divided-by-m-1",
    31.8: "about-zero",
    7.0: "number",
}


@pytest.mark.parametrize(("answer", "mistake"), BY_HAND.items())
def test_variances_by_hand(answer, mistake):
    assert check.variance(6.8, [1, 4, 5, 6, 9])
    feedback = check.variance(answer, [1, 4, 5, 6, 9])
    assert not feedback
    assert repr(feedback) == "Not yet: " + check.ADVICE[mistake].format(got=answer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((6.8, []), "points: expected at least 1 point"),
        ((6.8, [[1, 2]]), "points: expected 1 feature"),
        ((np.nan, [1, 2]), "answer: expected finite"),
    ],
)
def test_variance_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        check.variance(*arguments)


def test_the_variance_of_one_point_is_zero():
    assert check.variance(0, [3])


def test_every_advice_is_given_by_some_test():
    named = {mistake for mistakes in MISTAKES.values() for mistake in mistakes}
    general = {"right", "nothing", "shape", "not-finite", "rows", "different", "number"}
    named |= set(BY_HAND.values())
    assert named | general | {"underflow", "underflow-one"} == set(check.ADVICE)


def test_dividing_only_the_variance_by_m_is_named_too():
    def wrong(x, w):
        weights, means, variances = m_step(x, w)
        return weights, means, variances * weights

    assert check.m_step(wrong).mistake == "divided-by-m"


def test_the_librarys_own_functions_pass():
    def steps(x, weights, means, variances):
        return gmm_lib.e_step(x, gmm_lib.GaussianMixture(weights, means, variances))

    feedback = check.e_step(steps)
    assert repr(feedback) == "Right."
    assert repr(check.log_likelihood(lambda *a: steps(*a)[1])) == "Right."
    assert check.n_parameters(gmm_lib.n_parameters)
    assert check.kl(lambda q, p: gmm_lib.kl_divergence(q, p)[0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("function", "got", "remedy"),
    [
        (e_step, "NaN", "log-sum-exp"),
        (log_likelihood, "-inf", "log-sum-exp"),
        (normal_log_likelihood, "-inf", "sum the logs"),
    ],
)
def test_a_right_function_that_underflows_is_told_so(function, got, remedy):
    feedback = getattr(check, function.__name__)(function)
    assert feedback
    assert f"it gives {got}" in repr(feedback)
    assert remedy in repr(feedback)


@pytest.mark.parametrize(
    ("feedback", "mistake", "message"),
    [
        (lambda: check.mle(lambda x: x.mean()), "shape", "expected 2 values, mean, variance, got"),
        (lambda: check.mle(lambda x: (1, 2, 3)), "shape", "got 3 values"),
        (lambda: check.mle(lambda x: None), "nothing", "returns nothing yet"),
        (lambda: check.e_step(lambda x, *a: None), "nothing", "returns nothing yet"),
        (lambda: check.kl(lambda q, p: "small"), "shape", "expected numbers (KL), got str"),
        (lambda: check.mle(lambda x: ("a", 2)), "shape", "expected numbers (mean, variance)"),
        (
            lambda: check.mle(lambda x: (str(x.mean()), str(x.var()))),
            "shape",
            "expected numbers (mean, variance), got str, str",
        ),
        (
            lambda: check.mle(lambda x: (x.mean(), x.var() + 0j)),
            "shape",
            "expected numbers (mean, variance)",
        ),
        (lambda: check.mle(lambda x: ([5], 6.8)), "shape", "mean of shape (), got shape (1,)"),
        (lambda: check.mle(lambda x: (5, 7)), "different", "variance: expected 6.8, got 7."),
        (lambda: check.log_likelihood(lambda *a: 0.0), "different", "expected -59.7281, got 0."),
        (lambda: check.log_likelihood(lambda *a: np.nan), "not-finite", "your result holds NaN"),
        (lambda: check.log_likelihood(lambda *a: -np.inf), "not-finite", "holds infinity"),
        (
            lambda: check.e_step(lambda x, *a: np.ones((10, 2))),
            "rows",
            "row 0 sums to 2. Probabilities sum to 1",
        ),
        (
            lambda: check.e_step(lambda x, *a: np.full((10, 2), 0.5)),
            "different",
            "w: expected 0.858614, got 0.5 at [0, 0]",
        ),
        (lambda: check.e_step(lambda x, *a: np.ones(10)), "shape", "w of shape (10, 2), got"),
    ],
)
def test_an_unknown_mistake_is_described(feedback, mistake, message):
    found = feedback()
    assert not found
    assert found.mistake == mistake
    assert message in repr(found)


@pytest.mark.parametrize("name", [function.__name__ for function in MISTAKES])
def test_an_untouched_function_gets_no_answer(name):
    assert getattr(check, name)(lambda *arguments: ...) is None


def test_an_untouched_number_gets_no_answer():
    assert check.number(..., 6.8, mistakes={8.5: "you divided by m - 1."}) is None
    assert check.variance(..., [1, 4, 5, 6, 9]) is None


def test_values_may_come_as_rows_of_an_array():
    assert check.mle(lambda x: np.array([x.mean(), x.var()]))
    assert check.m_step(lambda x, w: np.array(m_step(x, w)))
    assert check.mle(lambda x: np.array([x.mean(), x.var(ddof=1)])).mistake == "divided-by-m-1"


def test_a_function_may_spoil_its_arguments():
    def careless(x):
        result = x.mean(), x.var()
        x[:] = 0
        return result

    assert check.mle(careless)
    assert check.mle(careless)


def test_an_exception_of_the_learner_is_left_alone():
    with pytest.raises(ZeroDivisionError):
        check.mle(lambda x: 1 / 0)


@pytest.mark.parametrize("name", [function.__name__ for function in MISTAKES])
def test_what_is_no_function_is_refused(name):
    with pytest.raises(TypeError, match="function: expected a function, got float; pass the func"):
        getattr(check, name)(3.5)


def test_numbers_by_hand():
    assert check.number(6.8, 6.8)
    assert check.number(6.8004, 6.8)
    assert not check.number(6.9, 6.8)
    known = check.number(8.5, 6.8, mistakes={8.5: "you divided by m - 1."})
    assert repr(known) == "Not yet: you divided by m - 1."
    assert repr(check.number(7, 6.8)) == "Not yet: expected another number than 7."
    assert check.number(-33.8, -33.7933, tol=0.01)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("six", 6.8), TypeError, "answer: expected real numbers"),
        (([6.8, 1], 6.8), ValueError, "answer: expected one number"),
        ((6.8, np.nan), ValueError, "expected: expected finite"),
    ],
)
def test_number_refuses(arguments, error, message):
    with pytest.raises(error, match=message):
        check.number(*arguments)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("function", [e_step, em_step, log_likelihood])
def test_mistakes_can_be_told_apart(function):
    """A check is only as good as its problem: every mistake must give other numbers."""
    x = datasets.ten_points().X[:, 0]
    theta = (np.array([0.3, 0.7]), np.array([3.0, 10.0]), np.array([8.5, 15.7]))
    results = [function(x, *theta, mistake=mistake) for mistake in [None, *MISTAKES[function]]]
    results = [np.hstack(r) if isinstance(r, tuple) else np.asarray(r) for r in results]
    for i, one in enumerate(results):
        for other in results[:i]:
            assert one.shape != other.shape or np.abs(one - other).max() > 1e-4
