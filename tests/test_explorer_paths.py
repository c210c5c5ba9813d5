"""The paths explorer in a real browser: each climber goes where gmm_lib says."""

from itertools import islice

import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    data,
    drag,
    set_traits,
    status,
    told,
    touch_drag,
    trait,
    traits_of,
)
from traitlets import TraitError

from gmm_lib.widgets import PathsExplorer
from gmm_lib.widgets.paths import CLIMBERS


def agrees(page):
    """All three are where the library puts them, at the library's height."""
    there = PathsExplorer(**traits_of(page, ("start", "step_size", "iteration")))
    says = told(page)
    for name in CLIMBERS:
        place = there.path(name)[-1]
        np.testing.assert_allclose(says[name], place, rtol=1e-9)
        height = says[f"{name}-log-likelihood"]
        assert height == pytest.approx(there.log_likelihood(place), rel=1e-10)


@pytest.mark.parametrize(
    ("start", "step_size"), [((3, 10), 0.3), ((3, 10), 4), ((25, 4), 1.3), ((14, 13), 0.05)]
)
def test_all_three_go_where_the_library_says(explorer_page, start, step_size):
    page = explorer_page(PathsExplorer(start))
    for iteration in (0, 1, 7, 30):
        set_traits(page, step_size=step_size, iteration=iteration)
        agrees(page)


def test_a_large_step_falls_and_em_does_not(explorer_page):
    page = explorer_page(PathsExplorer(iteration=30))
    assert "fell" not in status(page)
    set_traits(page, step_size=4)
    assert "gradient ascent fell" in status(page)
    there = PathsExplorer(step_size=4, iteration=30)
    heights = {n: [there.log_likelihood(p) for p in there.path(n)] for n in ("em", "gradient")}
    assert np.diff(heights["em"]).min() > -1e-10
    assert np.diff(heights["gradient"]).min() < -1


def test_swapped_starts_end_swapped_and_hard_em_can_end_elsewhere():
    """What the tasks of chapter 5 send the reader to find is there to be found."""
    swapped = PathsExplorer((24, 4), iteration=40)
    for name in ("em", "hard"):
        assert swapped.path(name)[-1][0] > swapped.path(name)[-1][1]
    explorers = (
        PathsExplorer((a, b), iteration=60) for a in range(0, 31, 2) for b in range(0, 31, 2)
    )
    apart = (
        each.start
        for each in explorers
        if not np.allclose(each.path("em")[-1], each.path("hard")[-1], atol=1)
    )
    assert len(list(islice(apart, 3))) == 3  # and more, which need not be computed


def test_dragging_the_start_moves_all_and_undo_takes_it_back(explorer_page):
    page = explorer_page(PathsExplorer())
    drag(page, page.get_by_role("slider", name="Start of all three"), 150, -80)
    assert trait(page, "start")[0] > 6
    assert trait(page, "start")[1] > 11
    agrees(page)
    page.get_by_role("button", name="Undo").click()
    assert trait(page, "start") == [3, 10]


def test_keyboard_and_controls(explorer_page):
    page = explorer_page(PathsExplorer())
    knob = page.get_by_role("slider", name="Start of all three")
    knob.press("ArrowRight")
    knob.press("Shift+ArrowUp")
    assert trait(page, "start") == [3.5, 15]
    page.get_by_role("slider", name="iteration").press("End")
    assert data(page, "iteration") == 60
    page.get_by_role("slider", name="Step size").press("End")
    assert trait(page, "step_size") == 10
    agrees(page)
    assert "run away" in status(page)
    page.get_by_role("checkbox", name="Hard EM").uncheck()
    assert "Hard EM" not in status(page)
    page.get_by_role("checkbox", name="Color by where EM ends").check()
    assert trait(page, "basins") is True


def test_touch_on_a_phone(explorer_page):
    page = explorer_page(PathsExplorer(), width=360, touch=True)
    touch_drag(page, page.get_by_role("slider", name="Start of all three"), 40, -40)
    assert trait(page, "start") != [3, 10]
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    agrees(page)


def test_a_link_carries_the_state(explorer_page):
    first = PathsExplorer((20.0, 5.0), step_size=2.0, iteration=4, basins=True)
    page = explorer_page(PathsExplorer(), fragment=first.fragment)
    assert trait(page, "start") == [20, 5]
    agrees(page)
    assert PathsExplorer.from_link("x" + first.fragment).state == first.state


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(explorer_page, theme):
    assert axe_violations(explorer_page(PathsExplorer(), theme=theme)) == []


def test_the_picture_and_its_text():
    explorer = PathsExplorer()
    assert explorer.still_png().startswith(b"\x89PNG")
    assert "EM is at (5, 23.8), log-likelihood −32.24" in explorer.describe()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": (0, 40)}, "start: expected 2 numbers from -2 to 32"),
        ({"step_size": 0.0}, "step_size: expected a number above 0"),
        ({"iteration": 61}, "iteration: expected at most 60, got 61"),
        ({"shown": ["newton"]}, "shown: expected names among em, hard, gradient"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        PathsExplorer(**options)
