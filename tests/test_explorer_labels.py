"""The labels explorer in a real browser: the hard loop sticks and recovers as the book says."""

from itertools import islice

import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    data,
    drag,
    send_click,
    set_traits,
    status,
    told,
    touch_drag,
    trait,
)
from traitlets import TraitError

from gmm_lib import GaussianMixture, datasets, em_states, hard_states
from gmm_lib.covariance import DegenerateComponentError
from gmm_lib.widgets import LabelsExplorer

X = datasets.ten_points().X
TRUTH = [1] * 5 + [2] * 5
STUCK = [1] * 4 + [2] * 6
VARIANTS = [(0, True), (0, False), (1, True), (1, False)]


def start_of(page):
    sigmas = np.array(trait(page, "sigmas"))
    return GaussianMixture(trait(page, "weights"), trait(page, "means"), sigmas**2)


def reached(states, t):
    found = []
    try:
        for state in islice(states, t + 1):
            found.append(state)
    except DegenerateComponentError:
        pass
    return found


def agrees(page):
    """Both loops on the page are those of gmm_lib, from the page's start."""
    says = told(page)
    t, half = trait(page, "iteration"), says["half"]
    options = {"ddof": says["ddof"], "use_weights": says["shares"]}
    hard = reached(hard_states(X, start_of(page), **options), t)
    soft = reached(em_states(X, start_of(page)), t)
    assert says["iteration"] == hard[-1].iteration
    assert says["soft-iteration"] == soft[-1].iteration
    for prefix, state in (("", hard[-1]), ("soft-", soft[-1])):
        for name, value in (
            ("weights", state.mixture.weights),
            ("means", state.mixture.means[:, 0]),
            ("variances", state.mixture.covariances[:, 0, 0]),
        ):
            np.testing.assert_allclose(says[prefix + name], value, rtol=1e-10)
        shown = says[f"{prefix}log-likelihood"]
        assert shown == pytest.approx(state.log_likelihood, rel=1e-12)
    complete = hard[-1].complete_log_likelihood
    assert says["complete-log-likelihood"] == pytest.approx(complete, rel=1e-12)
    back = 0 if half == "e" else 1
    if len(hard) > back:
        assert says["labels"] == (hard[-1 - back].labels + 1).tolist()
    else:
        assert says["labels"] == list(trait(page, "labels"))
    if len(soft) > back:
        w = soft[-1 - back].responsibilities[:, 0]
        np.testing.assert_allclose(says["soft-responsibilities"], w, rtol=1e-9)
    else:
        assert says["soft-responsibilities"] is None


def press(page, *names):
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize(("ddof", "shares"), VARIANTS)
def test_it_sticks_and_recovers_as_the_source_does(explorer_page, ddof, shares):
    page = explorer_page(LabelsExplorer())
    page.get_by_role("combobox", name="Variance divides by").select_option(str(ddof))
    page.get_by_role("checkbox", name="labels use the shares").set_checked(shares)
    for t in range(6):
        push = send_click if t else press
        push(page, "Label")
        agrees(page)
        push(page, "Refit")
        agrees(page)
    press(page, "Label")
    assert data(page, "resting") is True
    assert data(page, "iteration") == 6
    if (ddof, shares) == (1, False):
        assert data(page, "labels") == TRUTH
        assert data(page, "means") == pytest.approx([5, 23.8])
        assert status(page).endswith("Every point is with its group.")
    else:
        assert data(page, "labels") == STUCK
        assert data(page, "means") == pytest.approx([4, 21.3333], abs=1e-4)
        sigmas = np.sqrt(data(page, "variances"))
        assert sigmas == pytest.approx([[1.8708, 6.3944], [2.1602, 7.0048]][ddof], abs=1e-4)
        assert status(page).endswith("On the wrong side: 9.")


def test_soft_labels_recover_from_the_same_start(explorer_page):
    page = explorer_page(LabelsExplorer(soft=True))
    nine, heights = [], []
    for t in range(7):
        push = send_click if t else press
        push(page, "Label")
        says = told(page)
        assert says["soft-iteration"] == t
        nine.append(says["soft-responsibilities"][4])
        heights.append(says["soft-log-likelihood"])
        agrees(page)
        push(page, "Refit")
    assert nine == pytest.approx([0.1444, 0.2009, 0.3456, 0.5801, 0.8483, 0.9872, 0.9994], abs=5e-5)
    assert heights == pytest.approx(
        [-60.7213, -34.5257, -34.1747, -33.7933, -33.2247, -32.4948, -32.2416], abs=5e-5
    )
    page.get_by_role("slider", name="Round").fill("12")
    page.get_by_role("slider", name="Round").press("End")
    agrees(page)
    assert data(page, "soft-log-likelihood") == pytest.approx(-32.239059, abs=5e-7)
    assert data(page, "labels") == STUCK  # the hard loop rests where it was


def test_random_starts_agree_with_the_library(explorer_page, rng):
    page = explorer_page(LabelsExplorer())
    broken = 0
    for ddof, shares in VARIANTS * 3:
        weight = rng.uniform(0.2, 0.8)
        set_traits(
            page,
            means=rng.uniform(-4, 34, 2).tolist(),
            sigmas=rng.uniform(0.5, 9, 2).tolist(),
            weights=[weight, 1 - weight],
            ddof=ddof,
            shares=shares,
            iteration=4,
            half="e",
        )
        agrees(page)
        broken += data(page, "iteration") < 4
        assert ("There is no refit" in status(page)) == (data(page, "iteration") < 4)
    assert broken  # some starts leave a curve without points or with one


def test_labels_by_hand_and_refit(explorer_page):
    page = explorer_page(LabelsExplorer())
    chips = page.get_by_role("group", name="Labels of the points").get_by_role("button")
    for i in range(5):
        chips.nth(i).click()
    chips.nth(5).press("2")
    for i in range(6, 10):
        chips.nth(i).click()  # gives the label given last
    assert data(page, "labels") == TRUTH
    assert chips.nth(4).get_attribute("aria-label") == "x = 9, label 1"
    press(page, "Refit")
    assert data(page, "means") == pytest.approx([5, 23.8])
    assert data(page, "variances") == pytest.approx([6.8, 12.56])
    agrees(page)
    press(page, "Label")
    assert data(page, "resting") is True
    assert "Every point is with its group." in status(page)
    # 9 on the wrong side by hand: the curves then keep it there.
    press(page, "Undo")
    chips.nth(4).click()
    assert data(page, "labels") == STUCK
    press(page, "Refit")
    assert data(page, "means") == pytest.approx([4, 64 / 3])
    press(page, "Label")
    assert data(page, "labels") == STUCK
    agrees(page)
    page.get_by_role("combobox", name="Variance divides by").select_option("1")
    press(page, "Back to the start")
    assert trait(page, "means") == [3, 10]
    assert data(page, "labels") == [0] * 10
    assert data(page, "ddof") == 1  # only Reset takes the settings back
    press(page, "Reset")
    assert data(page, "ddof") == 0


def test_the_points_in_the_picture_take_clicks_too(explorer_page):
    page = explorer_page(LabelsExplorer())
    picture = page.locator(".gmm-front").first
    box = picture.bounding_box()
    at = page.evaluate("() => document.querySelector('.gmm-zero').getBoundingClientRect().top")
    left, right = box["x"] + 14, box["x"] + box["width"] - 12
    for value in (9, 29, 29):
        page.mouse.click(left + (value + 4) / 38 * (right - left), at + 17)
    assert data(page, "labels") == [0, 0, 0, 0, 1, 0, 0, 0, 0, 2]


def test_a_group_of_one_has_no_curve(explorer_page):
    page = explorer_page(LabelsExplorer())
    page.get_by_role("button", name="Refit").press("Enter")
    assert status(page).startswith("There are no labels yet")
    chips = page.get_by_role("group", name="Labels of the points").get_by_role("button")
    chips.nth(0).press("1")
    press(page, "Refit")
    assert "curve 2 has no points" in status(page)
    for i, label in ((1, "1"), (2, "2")):
        chips.nth(i).press(label)
    press(page, "Refit")
    assert "curve 2 has a single point" in status(page)
    chips.nth(3).press("2")
    press(page, "Refit")  # the others have no label and are left out
    assert data(page, "means") == pytest.approx([2.5, 5.5])
    chips.nth(3).press("Delete")
    assert data(page, "labels") == [1, 1, 2] + [0] * 7


def test_the_curves_can_be_dragged_to_another_start(explorer_page):
    page = explorer_page(LabelsExplorer())
    press(page, "Label", "Refit", "Label")
    curve = page.get_by_role("slider", name="Center of curve 1")
    drag(page, curve, 60, 0)
    assert data(page, "iteration") == 0
    assert trait(page, "means")[0] > 4
    agrees(page)
    width = page.get_by_role("slider", name="Width of curve 2")
    before = trait(page, "sigmas")[1]
    width.press("ArrowLeft")
    assert trait(page, "sigmas")[1] == pytest.approx(before - 0.25, abs=0.006)
    agrees(page)
    press(page, "Undo", "Undo")
    assert (data(page, "iteration"), data(page, "half")) == (1, "e")
    agrees(page)


def test_a_start_that_brings_nine_home(explorer_page):
    page = explorer_page(LabelsExplorer(means=(3.0, 20.0)))
    page.get_by_role("slider", name="Round").fill("8")
    assert data(page, "labels") == TRUTH
    agrees(page)


def test_play_stops_where_the_loop_rests(explorer_page):
    page = explorer_page(LabelsExplorer())
    press(page, "Play")
    page.wait_for_function("document.querySelector('[data-resting=true]')", timeout=15000)
    page.get_by_role("button", name="Play").wait_for()
    assert data(page, "labels") == STUCK
    press(page, "Undo")
    assert (data(page, "iteration"), data(page, "half")) == (0, "m")


def test_steps_out_of_turn_are_explained(explorer_page):
    page = explorer_page(LabelsExplorer())
    press(page, "Label")
    page.get_by_role("button", name="Label", exact=True).press("Enter")
    assert status(page) == "The points have their labels. Refit is next."
    press(page, "Refit")
    page.get_by_role("button", name="Refit").press("Enter")
    assert status(page) == "The curves fit these labels. Label is next."


def test_touch_on_a_phone(explorer_page):
    page = explorer_page(LabelsExplorer(soft=True), width=360, touch=True)
    touch_drag(page, page.get_by_role("slider", name="Center of curve 2"), 40, 0)
    assert trait(page, "means")[1] > 10
    page.get_by_role("group", name="Labels of the points").get_by_role("button").nth(4).tap()
    assert data(page, "labels")[4] == 1
    at = page.evaluate("() => document.querySelector('.gmm-zero').getBoundingClientRect().top")
    box = page.locator(".gmm-front").first.bounding_box()
    page.touchscreen.tap(box["x"] + 14 + 13 / 38 * (box["width"] - 26), at + 17)
    assert data(page, "labels")[4] == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    agrees(page)


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_shifts_while_the_loop_runs(explorer_page, width):
    page = explorer_page(LabelsExplorer(), width=width)
    heights = set()
    for name in ("Label", "Refit") * 4:
        heights.add(page.locator("[data-explorer]").bounding_box()["height"])
        press(page, name)
    assert len(heights) == 1


def test_a_link_carries_the_state(explorer_page):
    first = LabelsExplorer(ddof=1, shares=False, iteration=3, half="e", soft=True)
    page = explorer_page(LabelsExplorer(), fragment=first.fragment)
    assert data(page, "iteration") == 3
    assert page.locator(".gmm-figure:visible").count() == 2
    agrees(page)
    press(page, "Copy link")
    link = page.evaluate("navigator.clipboard.readText()")
    assert LabelsExplorer.from_link(link).state == first.state


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(explorer_page, theme):
    page = explorer_page(LabelsExplorer(soft=True, iteration=3, half="e"), theme=theme)
    assert axe_violations(page) == []


def test_the_picture_and_its_text():
    for explorer in (
        LabelsExplorer(),
        LabelsExplorer(labels=(1, 1, 1, 1, 1, 2, 2, 2, 0, 0)),
        LabelsExplorer(soft=True),
        LabelsExplorer(soft=True, iteration=4, half="m"),
        LabelsExplorer(means=(1.0, 1.0), sigmas=(0.1, 0.1), iteration=9, half="e"),
    ):
        assert explorer.still_png().startswith(b"\x89PNG")
    told = LabelsExplorer(iteration=3, half="e", soft=True).describe()
    assert "Label 1: 1, 4, 5, 6; label 2: 9, 19, 21, 24, 26, 29." in told
    assert "centers 4 and 21.33 and widths 1.871 and 6.394" in told
    assert told.endswith("x = 9 belongs 58% to curve 1.")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": (1, 2)}, "labels: expected 10 labels"),
        ({"labels": (3,) * 10}, "each 1, 2 or 0"),
        ({"means": (0.0, 50.0)}, "means: expected 2 numbers from -4 to 34"),
        ({"sigmas": (0.0, 1.0)}, "sigmas: expected 2 numbers from 0.1 to 20"),
        ({"weights": (0.5, 0.6)}, "weights: expected 2 positive numbers of sum 1"),
        ({"ddof": 2}, "ddof: expected 0 for 1/m or 1"),
        ({"iteration": 31}, "iteration: expected at most 30"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        LabelsExplorer(**options)
