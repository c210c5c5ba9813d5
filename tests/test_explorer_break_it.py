"""The break-it lab in a real browser: every failure and every repair is what gmm_lib computes."""

import numpy as np
import pytest
from explorer_page import (
    ROOT,
    axe_violations,
    data,
    send_click,
    set_traits,
    shown,
    status,
    told,
    traits_of,
)
from traitlets import TraitError

from gmm_lib import datasets, e_step
from gmm_lib.widgets import BreakItExplorer
from gmm_lib.widgets.break_it import HAPPENS, MOST, PREDICTIONS, facts, naive_e_step, paths, runs

ALL = [(scenario, repair) for scenario, each in runs().items() for repair in each]
X = datasets.ten_points().X
WORDS = BreakItExplorer().words


def agrees(page):
    """Every number on the page is the one that Python has for the state of the page."""
    explorer = BreakItExplorer(**traits_of(page, BreakItExplorer.STATE))
    there = told(page)
    for name, value in explorer.numbers.items():
        assert there[name] == (
            None if value is None else pytest.approx(value, rel=1e-7, abs=1e-9)
        ), name
    first, *second = (each.mixture for each in explorer.moments)
    assert there["weights"] == pytest.approx(first.weights, rel=1e-8)
    assert there["means"] == pytest.approx(first.means[:, 0], rel=1e-8)
    assert there["variances"] == pytest.approx(first.covariances[:, 0, 0], rel=1e-7)
    for name, each in zip(("", "second-"), explorer.moments, strict=False):
        shares = there[f"{name}responsibilities"]
        if explorer.paths[0].outcome == "underflow":
            assert shares is None
        else:
            assert np.array(shares) == pytest.approx(each.responsibilities, rel=1e-6, abs=1e-12)
    if second:
        assert there["second-means"] == pytest.approx(second[0].means[:, 0], rel=1e-8)
    assert there["iteration"] == explorer.shown
    assert there["stage"] == explorer.stage
    assert (there["outcome"] or "") == explorer.outcome
    assert not page.evaluate(f"{ROOT}.outerHTML.includes('NaN')")
    text = shown(page)
    assert not any(odd in text for odd in ("NaN", "Infinity", "undefined", "null", "{", "}"))
    return explorer


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def word(key):
    return WORDS[key]


def run_to_the_end(page):
    """Step by step, and each agrees; the first by a click, the others as fast as events go."""
    now = told(page)
    while now["outcome"] in (None, ""):
        before = now["iteration"]
        (send_click if before else press)(page, "Step")
        now = told(page)
        assert now["iteration"] == before + 1
        agrees(page)
        if before == 12:  # the rest of a long run at once
            set_traits(page, iteration=MOST + 1, seen=True)
            agrees(page)
            now = told(page)


@pytest.mark.parametrize(("scenario", "repair"), ALL)
def test_every_failure_and_every_repair_agrees_with_the_library(explorer_page, scenario, repair):
    page = explorer_page(BreakItExplorer())
    if scenario != "collapse":
        press(page, word(f"scenario-{scenario}"))
    agrees(page)
    assert data(page, "stage") == "predict"
    press(page, word(f"predict-{PREDICTIONS[scenario][0]}"))
    assert data(page, "stage") == "run"
    agrees(page)
    run_to_the_end(page)
    assert data(page, "stage") == "diagnose"
    if not repair:
        return
    press(page, word(f"repair-{scenario}-{repair}"))
    assert (data(page, "stage"), data(page, "iteration")) == ("repair", 0)
    agrees(page)
    run_to_the_end(page)
    assert data(page, "stage") == "repaired"
    assert data(page, "verdict") == runs()[scenario][repair].verdict


@pytest.mark.parametrize(("scenario", "repair"), ALL)
def test_what_is_said_of_a_run_is_so(scenario, repair):
    """Failures fail, repairs that work end at the good fit, and the others do not."""
    explorer = BreakItExplorer(
        scenario, prediction=HAPPENS[scenario], repair=repair, iteration=MOST + 1
    )
    numbers, run, good = explorer.numbers, runs()[scenario][repair], facts()["good"]
    assert run.verdict in (("",) if not repair else ("works", "price", "fails"))
    steps = [state.log_likelihood for state in explorer.paths[0].states]
    if run.prior is None and explorer.outcome != "underflow":
        assert np.all(np.diff(steps) > -1e-9)
    whole = (
        explorer.outcome == "converged"
        and abs(numbers["log-likelihood"] - good) < 0.01
        and (scenario != "labels" or abs(numbers["average"] - 5) < 0.01)
    )
    assert whole == (run.verdict == "works")
    broken = explorer.outcome in ("collapse", "underflow")
    assert not (broken and run.verdict in ("works", "price"))
    if scenario in ("collapse", "many", "far"):
        assert broken == (run.verdict in ("", "fails"))
    if scenario == "symmetric" and run.verdict != "works":
        assert numbers["gap"] < 0.0011
    if scenario == "labels" and run.verdict != "works":
        assert numbers["average"] == pytest.approx(14.4, abs=0.01)


def test_a_collapse_has_one_name():
    said = " ".join(map(str, WORDS.values())).lower()
    assert "collapse" in said
    assert not [name for name in ("spike ", "needle", "tower", "singularity") if name in said]


def test_the_numbers_of_the_spike_and_of_the_prose():
    assert round(facts()["spike-2"], 1) == -33.3
    assert round(facts()["spike-4"], 1) == -28.7
    assert round(facts()["good"], 4) == -32.2391
    assert facts()["spike-2"] < facts()["good"] < facts()["spike-4"]
    (trap,) = paths("collapse")
    assert trap.component == 1
    counts = trap.states[-1].responsibilities.sum(axis=0)
    assert counts[1] == pytest.approx(1, abs=0.01)
    (five,) = paths("many")
    assert five.states[-1].mixture.means[five.component, 0] == pytest.approx(29)
    assert float(np.exp(-746.0)) == 0 < float(np.exp(-745.0))
    (far,) = paths("far")
    assert e_step(X, far.states[0].mixture)[0][4, 0] == 1  # on paper component 1 gets x = 9
    (alike,) = paths("symmetric")
    assert np.allclose(alike.states[0].mixture.means, 14.4)
    assert np.allclose(alike.states[0].mixture.covariances, 98.04)
    (first, second) = paths("labels")
    assert first.states[-1].log_likelihood == pytest.approx(
        second.states[-1].log_likelihood, abs=1e-4
    )


def test_the_naive_e_step_is_the_e_step_where_nothing_underflows():
    theta = datasets.ten_points().start
    w, log_likelihood = naive_e_step(X[:, 0], theta)
    exact, value = e_step(X, theta)
    assert np.allclose(w, exact, rtol=1e-12)
    assert log_likelihood == pytest.approx(value, rel=1e-13)
    w, log_likelihood = naive_e_step(X[:, 0], runs()["far"][""].starts[0])
    assert w is None
    assert log_likelihood == -np.inf


def test_nothing_runs_before_a_prediction(explorer_page):
    page = explorer_page(BreakItExplorer())
    for name in ("Run", "Step"):
        page.get_by_role("button", name=name, exact=True).press("Enter")
        assert data(page, "iteration") == 0
        assert status(page) == word("predict-first")
        assert page.get_by_role("button", name=name, exact=True).is_visible()
    assert page.get_by_role("slider").count() == 0
    press(page, "It falls")
    page.get_by_role("button", name="It rises").press("Enter")  # committed is committed
    assert status(page) == word("stands")
    assert data(page, "prediction") == "falls"
    press(page, "Undo")
    press(page, "It rises")
    assert data(page, "prediction") == "rises"


@pytest.mark.parametrize(
    ("scenario", "prediction"), [(name, each) for name in PREDICTIONS for each in PREDICTIONS[name]]
)
def test_a_prediction_is_compared_with_what_happened(explorer_page, scenario, prediction):
    page = explorer_page(BreakItExplorer(scenario, prediction=prediction, iteration=MOST + 1))
    assert data(page, "stage") == "diagnose"
    assert data(page, "right") is (prediction == HAPPENS[scenario])
    text = shown(page)
    assert f"You predicted “{word(f'predict-{prediction}')}”. {word(f'said-{prediction}')}" in text
    agrees(page)


def test_run_plays_to_the_diagnosis_and_is_one_undo(explorer_page):
    page = explorer_page(BreakItExplorer())
    press(page, "It rises")
    press(page, "Run")
    page.wait_for_function("document.querySelector('[data-explorer]').dataset.stage === 'diagnose'")
    assert data(page, "outcome") == "collapse"
    assert page.get_by_role("button", name="Run", exact=True).is_visible()
    assert "would give component 2 the variance 0" in status(page)
    assert "stands at −33.3, one with 0.0001 at −28.7, above the −32.24" in shown(page)
    press(page, "Undo")
    assert (data(page, "stage"), data(page, "iteration")) == ("run", 0)


def test_a_repair_by_keyboard_is_remembered(explorer_page):
    page = explorer_page(BreakItExplorer("far", prediction="one", iteration=1))
    assert data(page, "log-likelihood") == -np.inf
    assert "−∞" in status(page)
    page.get_by_role("button", name="A prior").press("Enter")
    page.get_by_role("button", name="Step").press("Enter")
    assert data(page, "verdict") == "fails"
    assert data(page, "solved") == 0
    page.get_by_role("button", name="Log-sum-exp").press("Enter")
    while data(page, "stage") != "repaired":
        page.get_by_role("button", name="Step").press("Enter")
    assert data(page, "solved") == 1
    tab = page.get_by_role("button", name="Far start: repaired")
    assert tab.inner_text() == "Far start ✓"
    walk = page.get_by_role("slider", name="Iteration")
    walk.press("Home")
    assert data(page, "iteration") == 0
    assert data(page, "stage") == "repaired"  # who walks back has still seen the end
    agrees(page)
    walk.press("ArrowRight")
    assert data(page, "iteration") == 1
    agrees(page)


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_at_every_stage(explorer_page, width):
    page = explorer_page(BreakItExplorer(), width=width, touch=True)
    for scenario, each in PREDICTIONS.items():
        page.get_by_role("button", name=word(f"scenario-{scenario}")).tap()
        fits(page, width)
        page.get_by_role("button", name=word(f"predict-{each[1]}"), exact=True).tap()
        fits(page, width)
        set_traits(page, iteration=MOST + 1)
        fits(page, width)
        for repair in filter(None, runs()[scenario]):
            page.get_by_role("button", name=word(f"repair-{scenario}-{repair}"), exact=True).tap()
            fits(page, width)
            set_traits(page, iteration=MOST + 1)
            fits(page, width)


def fits(page, width):
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(
        "[...document.querySelectorAll('.gmm-explorer button:not([hidden])')]"
        ".filter((b) => b.offsetParent).every((b) => b.offsetHeight >= 44 && b.offsetWidth >= 44)"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "state",
    [
        {},
        {"scenario": "labels", "prediction": "left", "iteration": 99},
        {"scenario": "many", "prediction": "empty", "repair": "prior", "iteration": 999},
    ],
)
def test_axe_finds_nothing(explorer_page, theme, state):
    assert axe_violations(explorer_page(BreakItExplorer(**state), theme=theme)) == []


def test_a_link_carries_the_state(explorer_page):
    first = BreakItExplorer("labels", prediction="left", repair="order", iteration=3)
    page = explorer_page(BreakItExplorer(), fragment=first.fragment)
    assert data(page, "repair") == "order"
    assert data(page, "stage") == "repair"
    agrees(page)
    press(page, "Copy link")
    link = page.evaluate("navigator.clipboard.readText()")
    assert BreakItExplorer.from_link(link).state == first.state
    press(page, "Reset")
    assert (data(page, "scenario"), data(page, "stage")) == ("collapse", "predict")


def test_a_link_cannot_skip_the_prediction(explorer_page):
    first = BreakItExplorer(prediction="rises", iteration=2)
    first.prediction = ""
    page = explorer_page(BreakItExplorer(), fragment=first.fragment)
    assert data(page, "iteration") == 0
    assert page.get_by_role("alert").is_visible()


def test_the_picture_and_its_text():
    for scenario, each in PREDICTIONS.items():
        explorer = BreakItExplorer(scenario, prediction=each[0], iteration=99)
        assert explorer.still_png().startswith(b"\x89PNG")
        assert "nan" not in explorer.describe()
    assert "log-likelihood −37.32; smallest variance 1." in BreakItExplorer().describe()


def test_another_scenario_from_python_begins_anew():
    explorer = BreakItExplorer(prediction="rises", repair="prior", iteration=4)
    explorer.scenario = "labels"
    assert explorer.state["prediction"] == explorer.state["repair"] == ""
    assert explorer.stage == "predict"
    assert explorer.numbers["average"] == 15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scenario": "fire"}, "expected one of 'collapse'"),
        ({"prediction": "left"}, "expected one of rises, falls, stays for the scenario 'collapse'"),
        ({"repair": "nudge"}, "expected one of prior, restart, fewer"),
        ({"iteration": 2}, "predict first"),
        ({"iteration": -1}, "at least 0"),
        ({"solved": ["fire"]}, "solved"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        BreakItExplorer(**options)


def rooms(page):
    """How tall the explorer is at each stage of each scenario, px."""
    heights = []
    whole = page.locator("[data-explorer]")
    for tab in page.locator(".gmm-tabs button").all():
        tab.click()
        for name in (".gmm-options button", None, ".gmm-options:visible button", None):
            heights.append(whole.evaluate("(all) => all.scrollHeight"))
            if name:
                page.locator(name).first.click()
            else:
                page.get_by_role("button", name="To the end").click()
        heights.append(whole.evaluate("(all) => all.scrollHeight"))
    return heights


def test_every_stage_stands_on_one_screen(explorer_page):
    page = explorer_page(BreakItExplorer(), width=768, height=800)  # the column of the book
    assert max(rooms(page)) <= 800 - 48 - 60  # the header of the page, and a task


def test_a_projector_shows_every_stage_whole(explorer_page):
    page = explorer_page(BreakItExplorer(), width=1920, height=1080)
    page.keyboard.press("Tab")
    page.keyboard.press("p")
    assert page.locator("[data-projector]").count() == 1
    assert max(rooms(page)) <= 1080


def test_on_a_phone_what_one_presses_stands_by_the_picture(explorer_page):
    page = explorer_page(BreakItExplorer(), width=360, height=640)
    picture = page.locator(".gmm-figure").first.bounding_box()
    last = page.locator(".gmm-options button:visible").last.bounding_box()
    assert last["y"] + last["height"] - picture["y"] <= 640 - 48
