"""The Jensen explorer in a real browser: what it shows is what gmm_lib computes."""

import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    crossed_names,
    data,
    drag,
    set_traits,
    status,
    touch_drag,
    trait,
)
from traitlets import TraitError

from gmm_lib import jensen_gap
from gmm_lib.widgets import JensenExplorer
from gmm_lib.widgets.jensen import CURVES


def agrees(page):
    """The gap on the page is that of the points on the page."""
    masses = np.array(trait(page, "masses"))
    f = CURVES[trait(page, "curve")][0]
    values, weights = np.array(trait(page, "values")), masses / masses.sum()
    assert data(page, "gap") == pytest.approx(jensen_gap(f, values, weights), rel=1e-10, abs=1e-12)
    assert data(page, "average-first") == pytest.approx(f(weights @ values), rel=1e-12)
    assert data(page, "bend-first") == pytest.approx(weights @ f(values), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("curve", list(CURVES))
def test_every_curve_agrees_with_the_library(explorer_page, rng, curve):
    page = explorer_page(JensenExplorer())
    page.get_by_role("combobox", name="Curve").select_option(curve)
    agrees(page)
    low, high = CURVES[curve][1]
    for n in (2, 3, 6):
        set_traits(page, values=rng.uniform(low, high, n).tolist(), masses=rng.random(n).tolist())
        assert len(trait(page, "values")) == n
        agrees(page)


def test_dragging_a_point_moves_it_and_the_gap(explorer_page):
    page = explorer_page(JensenExplorer())
    before = data(page, "gap")
    drag(page, page.get_by_role("slider", name="Point 2"), -200, 0)
    assert trait(page, "values")[1] < 9
    assert before < data(page, "gap") < 0
    agrees(page)
    page.get_by_role("button", name="Undo").click()
    assert data(page, "gap") == before


def test_the_goal_is_reached_in_two_ways(explorer_page):
    page = explorer_page(JensenExplorer(values=(4.0, 5.0)))
    knob = page.get_by_role("slider", name="Point 1")
    knob.focus()
    knob.press("Shift+ArrowRight")
    assert data(page, "gap") == 0
    assert "at one place" in status(page)
    assert data(page, "found") == 1
    knob.press("Shift+ArrowLeft")
    weight = page.get_by_role("slider", name="Weight 2")
    weight.press("Home")
    assert data(page, "found") == 2
    assert "one point" in status(page)
    # The one weighted point has everything; what it gives up the others share.
    first = page.get_by_role("slider", name="Weight 1")
    assert first.get_attribute("aria-valuetext") == "100%"
    first.press("Home")
    assert trait(page, "masses") == [0, 1]
    first.press("End")
    assert trait(page, "masses") == [1, 0]
    set_traits(page, masses=[0, 0])
    assert status(page) == "At least one point must carry weight."


def test_a_drag_snaps_to_another_point(explorer_page):
    page = explorer_page(JensenExplorer(values=(4.0, 5.0)))
    one, two = (page.get_by_role("slider", name=f"Point {n}") for n in (1, 2))
    apart = two.bounding_box()["x"] - one.bounding_box()["x"]
    drag(page, one, apart + 4, 0)
    assert trait(page, "values")[0] == trait(page, "values")[1]


def test_a_tie_by_luck_and_a_line_do_not_count(explorer_page):
    page = explorer_page(JensenExplorer("cubic", values=(-1.0, 1.0)))
    assert data(page, "gap") == 0
    assert "won back" in status(page)
    page.get_by_role("combobox", name="Curve").select_option("line")
    assert "does not bend" in status(page)
    assert data(page, "found") == 0


def test_points_can_be_added_and_removed(explorer_page):
    page = explorer_page(JensenExplorer())
    add = page.get_by_role("button", name="Add a point")
    for _ in range(5):
        add.press("Enter")  # the last press finds the button disabled, but there to say why
    assert len(trait(page, "values")) == 6
    assert status(page) == "There are already 6 points."
    page.get_by_role("button", name="Remove a point").click()
    assert len(trait(page, "values")) == 5
    agrees(page)


def test_touch_on_a_phone(explorer_page):
    page = explorer_page(JensenExplorer(), width=360, touch=True)
    touch_drag(page, page.get_by_role("slider", name="Point 2"), -60, 0)
    assert trait(page, "values")[1] < 9
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    agrees(page)


def test_a_link_carries_the_state(explorer_page):
    first = JensenExplorer("square", values=(1.0, 9.0, 4.0), masses=(0.2, 0.4, 1.0))
    page = explorer_page(JensenExplorer(), fragment=first.fragment)
    assert trait(page, "values") == [1, 9, 4]
    assert data(page, "gap") == pytest.approx(first.gap, rel=1e-12)
    assert JensenExplorer.from_link("x" + first.fragment).state == first.state


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(explorer_page, theme):
    assert axe_violations(explorer_page(JensenExplorer(), theme=theme)) == []


def test_the_picture_and_its_text():
    explorer = JensenExplorer()
    assert explorer.still_png().startswith(b"\x89PNG")
    assert explorer.describe().endswith("the gap between the two marks is 0.5108.")
    assert f"{abs(explorer.gap):.4f}" == "0.5108"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": (0.0, 1.0)}, "values: expected 2 to 6 numbers from 0.1 to 10"),
        ({"values": (1.0,)}, "expected 2 to 6"),
        ({"masses": (0.0, 0.0)}, "not all 0"),
        ({"masses": (2.0, 0.0)}, "from 0 to 1"),
        ({"curve": "sine"}, "sine"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        JensenExplorer(**options)


@pytest.mark.parametrize("width", [360, 768])
@pytest.mark.parametrize(
    ("curve", "values"),
    [
        ("log", (1, 9)),
        ("log", (0.2, 0.4)),
        ("square", (-3, 4)),
        ("exp", (-0.5, 2)),
        ("line", (0, 8)),
        ("cubic", (-1, 2, 2.5)),
    ],
)
def test_no_name_is_crossed(explorer_page, curve, values, width):
    explorer = JensenExplorer(curve, values=values, masses=[0.5] * len(values))
    page = explorer_page(explorer, width=width)
    names = page.locator(".gmm-front .gmm-name")
    assert names.all_text_contents() == ["f(E[X])", "E[f(X)]"]
    assert crossed_names(page) == []
    first, second = [each.bounding_box() for each in names.all()]
    apart = abs(first["y"] - second["y"]) >= 12 or abs(first["x"] - second["x"]) >= first["width"]
    assert apart
