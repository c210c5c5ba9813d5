"""The clinic's programs: the line shown is the line that runs, and each leaves its own signs."""

import difflib
from inspect import getsource

import numpy as np
import pytest

from gmm_lib import GaussianMixture, clinic, datasets, em_states, evidence_lower_bound
from gmm_lib.clinic import ALIKE, CASES, CAUSES, run, signs, source

X = datasets.ten_points().X
BOOK = CASES[0].start
START = {case.cause: case.start for case in CASES}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.cause)
every_cause = pytest.mark.parametrize("cause", CAUSES)


def sign(cause):
    return signs(cause, START[cause])


def steps(cause):
    return run(cause, START[cause])


def test_every_cause_is_a_case_once_from_easy_to_hard():
    assert sorted(case.cause for case in CASES) == sorted(CAUSES)
    difficulties = [case.difficulty for case in CASES]
    assert difficulties == sorted(difficulties)
    assert {each: difficulties.count(each) for each in difficulties} == {1: 6, 2: 6, 3: 6}


# -- what runs


@every_cause
def test_the_line_that_is_shown_is_the_line_that_runs(cause):
    """The text that runs is that of the program, but for the lines of the cause."""
    sound = [line.strip() for line in getsource(clinic.program).splitlines()]
    broken = [line.strip() for line in source(cause).splitlines()]
    assert len(sound) == len(broken)
    differ = [pair for pair in zip(sound, broken, strict=True) if pair[0] != pair[1]]
    assert sorted(differ) == sorted(CAUSES[cause].changes)
    assert all(sound.count(line) == 1 for line, _ in CAUSES[cause].changes)
    if CAUSES[cause].where != "sound":
        assert len(differ) == 1


def test_a_program_that_is_run_is_its_text(monkeypatch):
    """No second program stands behind the text: another text would give another run."""
    other = source("sd").replace("sd = variance", "sd = 2 * variance")
    assert difflib.SequenceMatcher(None, other, source("sd")).ratio() > 0.9
    run.cache_clear()
    monkeypatch.setattr(clinic, "source", lambda cause: other)
    changed = run("sd", BOOK)[1].means
    run.cache_clear()
    monkeypatch.undo()
    assert not np.allclose(changed, run("sd", BOOK)[1].means)


@every_case
def test_the_sound_program_is_the_librarys_em(case):
    start = GaussianMixture(*case.start)
    for state, e, m in zip(
        em_states(X, start),
        run("healthy", case.start)[::2],
        run("healthy", case.start)[1::2],
        strict=False,
    ):
        assert np.allclose(e.responsibilities, state.responsibilities, rtol=1e-9, atol=1e-14)
        assert np.allclose(m.means, m.responsibilities.T @ X[:, 0] / m.counts)
        assert e.printed == pytest.approx(state.log_likelihood, rel=1e-12)
        mixture = GaussianMixture(m.weights, m.means, m.variances)
        assert m.log_likelihood == pytest.approx(mixture.log_density(X).sum(), rel=1e-12)
        assert m.bound == pytest.approx(
            evidence_lower_bound(X, mixture, m.responsibilities), rel=1e-12
        )


@every_case
def test_a_run_ends_where_a_variance_is_none(case):
    for cause in CAUSES:
        for each in run(cause, case.start):
            assert np.isfinite(each.log_likelihood)
            assert np.isfinite(each.bound)
            assert np.all(each.variances > 0)
    assert len(run("shortcut", START["weights-kept"])) < 2 * clinic.MOST


def test_an_unknown_cause_is_refused():
    with pytest.raises(ValueError, match="cause: expected one of 'sd'"):
        source("gremlins")


# -- the signs, on which the replies rest


@every_case
def test_where_it_is_broken_shows_from_outside(case):
    """E: no touching. M: the top of the bound is missed. Around: a wrong number or end."""
    found, where = signs(case.cause, case.start), CAUSES[case.cause].where
    broken_e = found["gap"] > ALIKE or found["rows"] > ALIKE
    assert broken_e == (where == "e")
    if case.cause not in ("axis", "prior", "old-mean"):
        assert (found["miss"] > ALIKE) == (where == "m")
    if where == "around":
        assert found["print"] > ALIKE or found["left"] > 0.1
    elif found["print"] > ALIKE:
        assert where == "e" or case.cause == "prior"
    printed = [each.printed for each in run(case.cause, case.start) if each.printed is not None]
    if where != "around":
        assert abs(printed[-1] - printed[-2]) < 1e-3  # it has settled


@every_case
def test_no_other_cause_of_the_same_place_looks_like_it(case):
    """From the same start, each other error gives another log-likelihood, bound or number."""

    def seen(cause):
        return [
            (each.log_likelihood, each.bound, each.printed or 0) for each in run(cause, case.start)
        ]

    own = seen(case.cause)
    for other, found in CAUSES.items():
        if other == case.cause or found.where != CAUSES[case.cause].where:
            continue
        theirs = seen(other)
        both = min(len(own), len(theirs))
        assert len(own) != len(theirs) or not np.allclose(own[:both], theirs[:both], atol=0.01), (
            other
        )


def gaps(cause):
    return [each.log_likelihood - each.bound for each in steps(cause) if each.step == "e"]


def test_variances_for_standard_deviations():
    assert sign("sd")["first-gap"] == pytest.approx(10.18, abs=5e-3)
    assert min(gaps("sd")[:2]) > 4
    assert np.allclose(steps("sd")[-1].means, 14.4, atol=1e-3)
    assert len(steps("sd")) // 2 == 4
    printed = [each.printed for each in steps("sd")[::2]]
    assert np.all(np.diff(printed)[:3] < 0)


def test_shares_that_sum_to_1_over_the_points():
    for each in steps("axis"):
        assert np.allclose(each.counts, 1)
    end = steps("axis")[-1]
    assert np.allclose(end.weights, 0.1)
    good = run("healthy", BOOK)[-1]
    assert np.allclose(end.means, good.means, atol=0.01)
    assert np.allclose(end.variances, good.variances, atol=0.01)
    assert min(each.bound - each.log_likelihood for each in steps("axis")) > 40


def test_all_or_nothing():
    for each in steps("hard"):
        assert set(each.responsibilities.ravel()) == {0.0, 1.0}
    assert sign("hard")["last-gap"] == pytest.approx(0.428, abs=5e-4)
    assert sign("hard")["iterations"] == 2
    assert steps("hard")[-1].responsibilities[4, 1] == 1  # 9, with the right-hand group
    assert np.all(np.diff([each.bound for each in steps("hard")]) >= -1e-12)


def test_weights_left_out():
    open_ = np.array(gaps("no-weights"))
    differ = np.array([abs(each.weights[0] - 0.5) for each in steps("no-weights")[::2]])
    assert np.all(np.diff(differ) < 0)
    assert np.all(np.diff(open_) < 1e-12)
    assert open_[0] == pytest.approx(0.68, abs=5e-3)
    assert abs(open_[-1]) < ALIKE
    last = steps("no-weights")[-1]
    assert round(last.printed, 2) == -25.31
    assert round(last.log_likelihood, 2) == -32.24
    told = [each.printed - each.log_likelihood for each in steps("no-weights")[::2]]
    assert max(told) == pytest.approx(sign("no-weights")["print"])
    assert min(told) > 0


def test_spreads_of_the_start():
    assert abs(gaps("cached")[0]) < ALIKE
    assert min(gaps("cached")[1:]) > 1e-3
    assert gaps("cached")[1] == pytest.approx(sign("cached")["gap"])
    last = steps("cached")[-1]
    assert (round(last.printed, 2), round(last.log_likelihood, 2)) == (-32.35, -32.24)
    assert sign("cached")["end"] == pytest.approx(-32.2391, abs=1e-4)


def test_a_floor_under_the_densities():
    first = steps("floor")[0].responsibilities
    halves = X[np.all(first == 0.5, axis=1), 0]
    assert halves.tolist() == [1, 26, 29]
    assert max(map(abs, gaps("floor")[1:])) < 1e-5
    assert sign("floor")["iterations"] == 8
    assert len(run("healthy", START["floor"])) // 2 == 3
    assert sign("floor")["end"] == pytest.approx(sign("floor")["good"], abs=1e-6)


def test_means_divided_by_m():
    for each in steps("mean-m")[1:]:
        assert each.means.sum() == pytest.approx(14.4)
        assert X.mean() == pytest.approx(14.4)
    assert np.all(steps("mean-m")[1].means < run("healthy", BOOK)[1].means)


def test_weights_divided_by_2():
    for each in steps("weights-k")[1:]:
        assert each.weights.sum() == pytest.approx(5)
    assert sign("weights-k")["end"] - sign("weights-k")["good"] == pytest.approx(10 * np.log(5))
    assert round(10 * np.log(5), 2) == 16.09
    assert round(sign("weights-k")["end"], 2) == -16.14
    assert round(sign("weights-k")["good"], 2) == -32.24


def test_weights_never_updated():
    for each in steps("weights-kept"):
        assert each.weights.tolist() == [0.8, 0.2]
    assert sign("weights-kept")["fall"] == 0
    assert sign("weights-kept")["fall-m"] < ALIKE
    assert round(sign("weights-kept")["end"], 2) == -34.47


def test_the_variance_by_the_old_mean():
    heights = [each.log_likelihood for each in steps("shortcut")]
    assert (np.diff(heights) < -ALIKE).sum() >= 3
    assert round(sign("shortcut")["fall"], 2) == 1.21
    assert sign("shortcut")["end"] == pytest.approx(sign("shortcut")["good"], abs=1e-5)
    for before, now in zip(steps("shortcut")[::2], steps("shortcut")[1::2], strict=False):
        w, x = now.responsibilities, X
        right = (w * (x - now.means) ** 2).sum(axis=0) / now.counts
        assert np.array_equal(now.variances > right, now.means > before.means)


def test_variances_divided_by_one_less():
    for each in steps("one-less")[1::2]:
        w = each.responsibilities
        right = (w * (X - each.means) ** 2).sum(axis=0) / each.counts
        assert np.allclose(each.variances / right, each.counts / (each.counts - 1))
    heights = [each.log_likelihood for each in steps("one-less")]
    assert np.all(np.diff(heights) < ALIKE)
    assert sign("one-less")["fall"] == pytest.approx(0.115, abs=5e-4)
    assert sign("one-less")["good"] - heights[0] < 1e-4  # it starts at the maximum
    assert np.allclose(run("healthy", BOOK)[-1].variances, [6.8, 12.58], atol=5e-3)


def test_only_the_means_sorted():
    heights = [each.log_likelihood for each in steps("sorted")]
    falls = np.flatnonzero(np.diff(heights) < -ALIKE)
    assert falls.tolist() == [0]  # the first M step, and that only
    assert sign("sorted")["iterations"] == 21
    assert sign("sorted")["good"] - heights[0] < 0.3


def test_the_largest_log_not_added_back():
    printed = [each.printed for each in steps("no-top")[::2]]
    assert all(0 < each < 10 * np.log(2) for each in printed)
    assert round(10 * np.log(2), 2) == 6.93
    assert np.all(np.diff(printed) < 0)
    assert printed[-1] < 1e-3
    assert sign("no-top")["end"] == pytest.approx(sign("no-top")["good"], abs=1e-6)


def test_an_end_when_one_mean_rests():
    assert sign("one-mean")["iterations"] == 2
    last, before = steps("one-mean")[-1], steps("one-mean")[-3]
    assert abs(last.means[0] - before.means[0]) < 0.5 < abs(last.means[1] - before.means[1])
    assert round(last.responsibilities[4, 0], 2) == 0.35
    assert sign("one-mean")["left"] > 0.3


def test_the_number_of_the_iteration_before():
    own = [each.log_likelihood for each in steps("late")[::2]]
    printed = [each.printed for each in steps("late")[::2]]
    assert printed[0] is None
    assert np.allclose(printed[1:], own[:-1])
    assert printed[-1] == pytest.approx(own[-1], abs=1e-5)


def test_a_sound_program_whose_gains_grow():
    gains = np.diff([each.log_likelihood for each in steps("healthy")[::2]])
    assert [round(gain, 2) for gain in gains[1:5]] == [0.35, 0.38, 0.57, 0.73]
    assert np.all(gains > -1e-12)
    nine = [each.responsibilities[4, 0] for each in steps("healthy")[::2]]
    assert nine[1] < 0.5 < nine[4]


def test_variances_about_the_old_means_are_sound():
    heights = [each.log_likelihood for each in steps("old-mean")]
    bounds = [each.bound for each in steps("old-mean")]
    assert np.all(np.diff(heights) > -1e-12)
    assert np.all(np.diff(bounds) > -1e-12)
    assert sign("old-mean")["miss"] == pytest.approx(0.91, abs=5e-3)
    assert sign("old-mean")["iterations"] == 9
    assert len(run("healthy", BOOK)) // 2 == 8
    assert sign("old-mean")["end"] == pytest.approx(sign("old-mean")["good"], abs=1e-6)


def test_with_a_prior_the_log_likelihood_may_fall():
    heights = [each.log_likelihood for each in steps("prior")]
    printed = [each.printed for each in steps("prior")[::2]]
    assert np.all(np.diff(heights) < ALIKE)
    assert sign("prior")["fall"] > 0.4
    assert np.all(np.diff(printed) > 0)
    assert np.all(steps("prior")[-1].variances > run("healthy", BOOK)[-1].variances)
