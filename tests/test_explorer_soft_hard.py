"""The soft-hard explorer in a real browser: what it shows is what gmm_lib computes."""

import json
import re

import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    data,
    drag,
    nothing_due,
    set_traits,
    status,
    told,
    touch_drag,
    trait,
    traits_of,
    watch_timers,
)
from traitlets import TraitError

from gmm_lib import GaussianMixture, entropy, kmeans
from gmm_lib.widgets import SoftHardExplorer, base, soft_hard

SETS = list(soft_hard.STARTS)


def python_side(page):
    """The explorer in Python in the state of the page."""
    return SoftHardExplorer(**traits_of(page, ("data", "variance", "start", "means")))


def agrees(page):
    """Every number on the page is that of the library at the page's state."""
    there, says = python_side(page), told(page)
    means = np.array(trait(page, "means"))
    k, d = means.shape
    theta = GaussianMixture(np.full(k, 1 / k), means, [says["variance"] * np.eye(d)] * k)
    w = theta.responsibilities(there.X)
    shown = np.reshape(says["responsibilities"], w.shape)
    np.testing.assert_allclose(shown, w, rtol=1e-9, atol=1e-12)
    assert says["uncertainty"] == pytest.approx(entropy(w).sum(), rel=1e-9, abs=1e-10)
    at = there.decided_at()
    assert says["last-at"] == pytest.approx(at.min(), rel=1e-9)
    assert says["undecided"] == (at < says["variance"]).sum()
    assert says["undecided"] == (w.max(axis=1) < 0.99 - 1e-9).sum()
    centers = there.kmeans()
    if centers is None:
        assert says["kmeans"] is None
    else:
        np.testing.assert_allclose(says["kmeans"], centers, rtol=1e-12, atol=1e-12)
    assert status(page) == there.status()


def step(page):
    page.get_by_role("button", name="EM step on the means").click()


def test_both_sides_have_the_same_constants():
    text = (base.HERE / "soft_hard.js").read_text(encoding="utf-8")
    low, high = re.search(r"SOFT_RANGE = \[(.*), (.*)\]", text).groups()
    assert (float(low), float(high)) == soft_hard.RANGE
    for name in ("DECIDED", "NEAR"):
        found = re.search(rf"SOFT_{name} = (.*);", text)[1]
        assert float(found) == getattr(soft_hard, name)


@pytest.mark.parametrize("name", SETS)
def test_every_data_set_agrees_with_the_library(explorer_page, name):
    page = explorer_page(SoftHardExplorer())
    page.get_by_role("combobox", name="Data").select_option(name)
    for epsilon in (1e4, 30.0, 2.0, 0.05, 1e-3):
        set_traits(page, variance=epsilon)
        agrees(page)
    set_traits(page, variance=1.0 if name != "ten-points" else 40.0)
    for _ in range(3):
        expected = python_side(page).moved()
        step(page)
        np.testing.assert_allclose(trait(page, "means"), expected, rtol=1e-11, atol=1e-12)
        agrees(page)


def test_the_task_of_the_chapter(explorer_page):
    """From large to small by the slider: x = 9 makes up its mind last."""
    page = explorer_page(SoftHardExplorer())
    slider = page.get_by_role("slider", name="Variance of every component")
    slider.press("End")
    assert data(page, "variance") == 1e4
    assert data(page, "undecided") == 10
    assert status(page).endswith("each component has about 50% of every one.")
    assert data(page, "uncertainty") == pytest.approx(10 * np.log(2), rel=1e-3)
    open_points = [10]
    while data(page, "undecided"):
        slider.press("ArrowLeft")
        open_points.append(data(page, "undecided"))
        if open_points[-1] == 1:
            assert "One point alone is undecided: x = 9 with" in status(page)
    assert 1 in open_points
    assert open_points == sorted(open_points, reverse=True)
    assert "x = 9 was the last, at ε = 12.9" in status(page)
    agrees(page)
    slider.press("Home")
    assert data(page, "uncertainty") == 0
    page.get_by_role("button", name="Undo").click()
    assert data(page, "variance") > 1e-3


@pytest.mark.parametrize("name", SETS)
def test_a_small_variance_is_k_means(explorer_page, name):
    explorer = SoftHardExplorer(name, variance=1e-3)
    page = explorer_page(explorer)
    watch_timers(page)
    play = page.get_by_role("button", name="Play")
    play.click()
    nothing_due(page)
    assert play.count() == 1  # no longer Pause
    expected = kmeans(explorer.X, explorer.start).centers
    np.testing.assert_allclose(trait(page, "means"), expected, rtol=1e-6)
    assert status(page).endswith("The means stand where k-means ends.")
    step(page)
    assert status(page).startswith("At this variance the means have settled")
    page.get_by_role("button", name="Means to their start").click()
    assert trait(page, "means") == [list(mean) for mean in explorer.start]


def test_a_large_variance_makes_the_means_meet(explorer_page):
    page = explorer_page(SoftHardExplorer(variance=1000.0))
    for _ in range(6):
        step(page)
    assert "The means have met" in status(page)
    np.testing.assert_allclose(trait(page, "means"), 14.4, atol=0.01)
    agrees(page)


def test_means_are_dragged_by_mouse_touch_and_keys(explorer_page):
    page = explorer_page(SoftHardExplorer("overlapping", variance=2.0), touch=True)
    mean = page.get_by_role("slider", name="Mean of component 2")
    before = trait(page, "means")
    drag(page, mean, 60, -40)
    after = trait(page, "means")
    assert after[1][0] > before[1][0]
    assert after[1][1] > before[1][1]
    assert [after[0], after[2]] == [before[0], before[2]]
    assert trait(page, "start") == after
    agrees(page)
    touch_drag(page, mean, -30, 0)
    assert trait(page, "means")[1][0] < after[1][0]
    mean.press("ArrowUp")
    agrees(page)
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    assert trait(page, "means") == before


def test_the_border_is_where_two_shares_are_equal(explorer_page):
    page = explorer_page(SoftHardExplorer())
    page.get_by_role("checkbox", name="Show where").check()
    line = page.locator("line[stroke-dasharray='2 4']")
    x = float(line.get_attribute("x1"))
    knobs = [
        page.get_by_role("slider", name=f"Mean of component {j}").get_attribute("transform")
        for j in (1, 2)
    ]
    places = [float(re.search(r"translate\((\S+)", knob)[1]) for knob in knobs]
    assert x == pytest.approx(sum(places) / 2, abs=0.05)
    set_traits(
        page, data="overlapping", means=[[-2, 3], [1, -2], [5, 3]], start=[[-2, 3], [1, -2], [5, 3]]
    )
    assert line.count() == 3


def test_a_point_halfway_never_decides_and_k_means_may_fail(explorer_page):
    halfway = [[4.0], [14.0]]  # x = 9 is in the middle
    page = explorer_page(SoftHardExplorer(start=halfway, variance=1e-3))
    assert data(page, "undecided") == 1
    assert data(page, "last-at") == 0
    assert "x = 9 with 50% : 50%" in status(page)
    agrees(page)
    set_traits(page, start=[[6.0], [6.0]], means=[[6.0], [6.0]])
    assert "The means have met" in status(page)
    assert data(page, "kmeans") is None
    agrees(page)


@pytest.mark.parametrize("name", SETS)
def test_a_link_carries_the_state(explorer_page, name):
    first = SoftHardExplorer(name, variance=0.7)
    first.means = first.moved()
    page = explorer_page(SoftHardExplorer(), fragment=first.fragment)
    assert np.array_equal(trait(page, "means"), first.means)
    agrees(page)
    page.get_by_role("button", name="Reset").click()
    assert json.loads(json.dumps(SoftHardExplorer().state)) == {
        key: trait(page, key) for key in SoftHardExplorer.STATE
    }


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1280, "dark")])
@pytest.mark.parametrize("name", SETS)
def test_it_is_accessible_and_fits(explorer_page, width, theme, name):
    page = explorer_page(SoftHardExplorer(name), width=width, theme=theme)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", SETS)
def test_the_picture_and_its_text(name):
    explorer = SoftHardExplorer(name)
    assert explorer.still_png().startswith(b"\x89PNG")
    assert explorer.status() in explorer.describe()


def test_another_data_set_brings_its_start():
    explorer = SoftHardExplorer()
    explorer.data = "overlapping"
    assert explorer.means == explorer.start == soft_hard.STARTS["overlapping"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variance": 0.0}, "variance: expected a number from 0.001 to 10000, got 0.0"),
        ({"means": [[1.0]]}, r"means: expected shape \(2, 1\) for ten-points"),
        ({"means": [[1.0], [1e9]]}, "means: expected numbers from -1e"),
        ({"means": [[1.0], [30.0]]}, "means: expected means among the points"),
        ({"data": "iris"}, "expected one of"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        SoftHardExplorer(**options)
