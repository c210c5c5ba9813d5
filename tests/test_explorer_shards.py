"""The shards explorer in a real browser: its sums are those of gmm_lib's SufficientStatistics."""

import re

import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    data,
    drag,
    set_traits,
    status,
    texts,
    touch_drag,
    trait,
    traits_of,
)
from traitlets import TraitError

from gmm_lib import e_step, m_step
from gmm_lib.statistics import SufficientStatistics
from gmm_lib.widgets import ShardsExplorer, base, shards

SETS = shards.SETS
LARGEST = 1e-13  # what rounding may leave of the difference to the whole, relative


def python_side(page):
    """The explorer in Python in the state of the page."""
    return ShardsExplorer(**traits_of(page, ShardsExplorer.STATE))


def agrees(page):
    """Every group of parts on the page has the sums of the library; so has their M step."""
    there = python_side(page)
    groups = data(page, "groups")
    assert [group["parts"] for group in groups] == [parts for parts, _, _ in there.groups()]
    assert data(page, "parts") == [len(index) for index in there.parts()]
    for shown, (_, statistics, log_likelihood) in zip(groups, there.groups(), strict=True):
        for name in ("counts", "means", "scatter"):
            expected = getattr(statistics, name)
            size = max(np.abs(expected).max(), 1e-300)
            found = np.reshape(shown[name], expected.shape)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * size)
        assert shown["logLikelihood"] == pytest.approx(log_likelihood, rel=1e-11, abs=1e-11)
    if data(page, "complete"):
        w, _ = e_step(there.X, there.mixture)
        theta = m_step(there.X, w)
        for name in ("weights", "means", "covariances"):
            expected = getattr(theta, name)
            found = np.reshape(data(page, "theta")[name], expected.shape)
            np.testing.assert_allclose(found, expected, rtol=1e-9)
        assert 0 <= data(page, "difference") < LARGEST
        assert 0 <= data(page, "theta-difference") < LARGEST
        assert there.difference() < LARGEST
    else:
        assert data(page, "difference") is None
        assert there.difference() is None
        assert there.status() in status(page)


def merge(page):
    page.get_by_role("button", name="Merge", exact=True).click(force=True)  # also if disabled


def shown_cards(page):
    return [card.get_attribute("aria-label") for card in page.locator(".gmm-shard:visible").all()]


def test_both_sides_have_the_same_constants():
    text = (base.HERE / "shards.js").read_text(encoding="utf-8")
    for name in ("MACHINES", "ITERATIONS", "SHUFFLES"):
        assert float(re.search(rf"SHARDS_{name} = (.*);", text)[1]) == getattr(shards, name)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("order", ["tree", "chain"])
def test_sums_are_the_librarys_and_merge_to_the_whole(explorer_page, name, order):
    page = explorer_page(ShardsExplorer(name, 5, order=order, iteration=4))
    agrees(page)
    for n in range(1, 5):
        merge(page)
        assert data(page, "merged") == n
        agrees(page)
    assert data(page, "complete") is True
    assert shown_cards(page) == ["1 + 2 + 3 + 4 + 5 merged", "All in one place"]
    merge(page)
    assert status(page) == "All sums are merged already. The M step is next."


def test_tree_and_chain_merge_in_their_own_order():
    assert shards.merged_groups(5, "tree", 2) == [[0, 1], [2, 3], [4]]
    assert shards.merged_groups(5, "tree", 3) == [[0, 1, 2, 3], [4]]
    assert shards.merged_groups(8, "tree", 6) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert shards.merged_groups(5, "chain", 2) == [[0, 1, 2], [3], [4]]
    for order in ("tree", "chain"):
        assert shards.merged_groups(7, order, 6) == [[0, 1, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize("name", SETS)
def test_any_number_of_machines_and_any_shuffle(explorer_page, name):
    page = explorer_page(ShardsExplorer(name))
    slider = page.get_by_role("slider", name="Machines", exact=True)
    for n in (1, 2, 7, 8):
        slider.fill(str(n))
        assert len(data(page, "parts")) == n
        agrees(page)
        page.get_by_role("button", name="Shuffle").click()
        agrees(page)
        assert sum(data(page, "parts")) == len(python_side(page).X)
    assert trait(page, "shuffle") == 4
    assert page.get_by_role("slider", name="Cut between machines 1 and 2").count() == 0
    page.get_by_role("button", name="Split by place").click()
    assert page.get_by_role("slider", name="Cut between machines 1 and 2").count() == 1


def test_shuffles_deal_evenly_and_differently():
    first, second = (np.bincount(shards.dealt(1000, 4, n), minlength=4) for n in (1, 2))
    assert first.min() > 200
    assert not np.array_equal(shards.dealt(1000, 4, 1), shards.dealt(1000, 4, 2))
    assert second.sum() == 1000


def test_cuts_are_dragged_by_mouse_touch_and_keys(explorer_page):
    page = explorer_page(ShardsExplorer(), touch=True)
    cut = page.get_by_role("slider", name="Cut between machines 1 and 2")
    before = trait(page, "cuts")
    drag(page, cut, -60, 0)
    assert trait(page, "cuts")[0] < before[0]
    agrees(page)
    drag(page, cut, 700, 0)  # no farther than the next cut; nothing is left for machine 2
    assert trait(page, "cuts")[0] == before[1]
    assert data(page, "parts")[1] == 0
    agrees(page)
    for _ in range(3):
        merge(page)
    agrees(page)
    touch_drag(page, cut, -90, 0)
    assert data(page, "merged") == 0
    assert data(page, "parts")[1] > 0
    cut.press("ArrowLeft")
    agrees(page)


@pytest.mark.parametrize("name", SETS)
def test_a_killed_machine_loses_sums_and_another_makes_the_same(explorer_page, name):
    page = explorer_page(ShardsExplorer(name, 3, iteration=2))
    before = data(page, "groups")
    merge(page)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Kill machine 2").click()
    assert data(page, "keepers") == [0, -1, 2]
    assert "the sums of part 2 are lost" in status(page)
    agrees(page)
    merge(page)
    assert status(page) == "Some sums are lost: recompute them first."
    assert data(page, "merged") == 0
    again = page.get_by_role("button", name="Recompute part 2 on another machine")
    again.press("Enter")
    assert data(page, "keepers") == [0, 0, 2]
    assert "machine 1 has summed part 2 anew and got the very same numbers" in status(page)
    assert data(page, "groups") == before
    # Killing the helper loses both parts; the last machine takes all and cannot be killed.
    page.get_by_role("button", name="Kill machine 1").first.click()
    assert data(page, "keepers") == [-1, -1, 2]
    for part in (1, 2):
        page.get_by_role("button", name=f"Recompute part {part}").click()
    assert data(page, "keepers") == [2, 2, 2]
    page.get_by_role("button", name="Kill machine 3").first.click()
    assert status(page) == "This is the last machine: somebody must do the work."
    for _ in range(2):
        merge(page)
    assert data(page, "complete") is True
    agrees(page)


def test_the_m_step_goes_on_as_in_one_place(explorer_page):
    page = explorer_page(ShardsExplorer("old-faithful", 2))
    page.get_by_role("button", name="M step").press("Enter")
    assert status(page) == "The M step needs the sums of all points: merge them first."
    for t in range(3):
        merge(page)
        theta = data(page, "theta")
        agrees(page)
        page.get_by_role("button", name="M step").click()
        assert data(page, "iteration") == t + 1
        assert data(page, "merged") == 0
        there = python_side(page).mixture
        np.testing.assert_allclose(np.reshape(theta["means"], (2, 2)), there.means, rtol=1e-10)


def test_play_merges_to_the_end(explorer_page):
    page = explorer_page(ShardsExplorer(machines=3))
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('[data-explorer]').dataset.complete === 'true'")
    assert trait(page, "merged") == 2
    page.get_by_role("button", name="Play").wait_for()
    page.get_by_role("button", name="Undo").click()
    assert trait(page, "merged") == 0


def test_the_numbers_table_tells_every_quantity(explorer_page):
    page = explorer_page(ShardsExplorer(machines=2, merged=1))
    page.get_by_text("Numbers").click()
    sums = page.get_by_role("table", name="Merged sums and sums in one place")
    rows = texts(sums.locator("tbody tr"), 2 * 3 + 1 + 2 * 3)
    name, merged, whole, _ = rows[0].split("\t")
    assert name == "N, 1"
    counts = data(page, "groups")[0]["counts"]
    assert float(merged) == counts[0]
    assert float(whole) == pytest.approx(counts[0], rel=1e-13)


@pytest.mark.parametrize("name", SETS)
def test_a_link_carries_the_state(explorer_page, name):
    first = ShardsExplorer(name, 6, shuffle=3, iteration=2, order="chain", merged=2)
    page = explorer_page(ShardsExplorer(), fragment=first.fragment)
    assert len(data(page, "groups")) == 4
    agrees(page)
    page.get_by_role("button", name="Reset").click()
    assert {name: trait(page, name) for name in ShardsExplorer.STATE} == ShardsExplorer().state


def test_a_state_that_cannot_be_is_refused(explorer_page):
    page = explorer_page(ShardsExplorer())
    set_traits(page, dead=[0])
    assert "could not be read" in status(page)
    assert data(page, "keepers") == [0, 1, 2, 3]


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1280, "dark")])
@pytest.mark.parametrize("name", SETS)
def test_it_is_accessible_and_fits(explorer_page, width, theme, name):
    page = explorer_page(ShardsExplorer(name, 8), width=width, theme=theme)
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator("button:visible, select:visible, input:visible").all():
        assert control.bounding_box()["height"] >= 44


@pytest.mark.parametrize("name", SETS)
def test_python_alone(name):
    explorer = ShardsExplorer(name, 4, merged=3, iteration=3)
    ((_, merged, _),), (whole, _) = explorer.groups(), explorer.whole()
    w, _ = e_step(explorer.X, explorer.mixture)
    expected = SufficientStatistics.of(explorer.X, w)
    np.testing.assert_allclose(merged.scatter, expected.scatter, rtol=1e-12)
    np.testing.assert_array_equal(whole.counts, expected.counts)
    assert explorer.difference() < LARGEST
    assert explorer.still_png().startswith(b"\x89PNG")
    assert explorer.status() in explorer.describe()
    explorer.machines = 6
    assert len(explorer.cuts) == 5
    assert explorer.keepers == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"machines": 9}, "machines: expected at most 8, got 9"),
        ({"machines": 0}, "machines: expected a number of at least 1, got 0"),
        ({"cuts": [1.0]}, "cuts: expected 3 ascending numbers"),
        ({"cuts": [3.0, 2.0, 1.0]}, "cuts: expected 3 ascending"),
        ({"iteration": 201}, "iteration: expected at most 200"),
        ({"shuffle": 10**7}, "shuffle: expected at most 1000000"),
        ({"merged": 4}, "merged: expected at most 3"),
        ({"keepers": [0, 1, 2, -1], "merged": 1}, "0 while sums are lost"),
        ({"dead": [1]}, "keepers: expected 4 living machines"),
        ({"dead": [0, 1, 2, 3], "keepers": [-1] * 4}, "dead: expected some, not all"),
        ({"data": "iris"}, "expected one of"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        ShardsExplorer(**options)


def test_all_stands_on_one_screen(explorer_page):
    page = explorer_page(ShardsExplorer(), width=768, height=800)  # the column of the book
    whole = page.locator("[data-explorer]")
    assert whole.bounding_box()["height"] <= 800 - 48 - 60  # the header of the page, and a task
    for _ in range(3):
        merge(page)
        assert whole.bounding_box()["height"] <= 800 - 48 - 60


@pytest.mark.parametrize(
    "options", [{}, {"machines": 8}, {"data": "old-faithful"}], ids=["four", "eight", "planar"]
)
def test_a_projector_shows_all_of_it(explorer_page, options):
    page = explorer_page(ShardsExplorer(**options), width=1920, height=1080)
    page.keyboard.press("Tab")
    page.keyboard.press("p")
    assert page.locator("[data-projector]").count() == 1
    assert page.locator("[data-explorer]").evaluate("(all) => all.scrollHeight") <= 1080


def test_on_a_phone_merge_stands_by_the_picture(explorer_page):
    page = explorer_page(ShardsExplorer(), width=360, height=640)
    picture = page.locator(".gmm-figure").first.bounding_box()
    button = page.get_by_role("button", name="Merge", exact=True).bounding_box()
    assert button["y"] + button["height"] - picture["y"] <= 640 - 48


@pytest.mark.parametrize("width", [360, 500, 768, 1280])
@pytest.mark.parametrize("machines", [4, 8])
@pytest.mark.parametrize("name", SETS)
def test_no_number_leaves_its_column(explorer_page, name, machines, width):
    page = explorer_page(ShardsExplorer(name, machines), width=width)
    cells = page.locator(".gmm-shard-value:visible")
    wide = cells.evaluate_all(
        "(all) => all.filter((each) => each.scrollWidth > each.clientWidth + 1)"
        ".map((each) => each.textContent)"
    )
    assert cells.count() >= 6
    assert wide == []
