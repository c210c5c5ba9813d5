"""The EM explorer in a page: all its controls by mouse, touch and keyboard, checked by gmm_lib."""

import base64
import json
import re

import matplotlib
import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    center,
    data,
    drag,
    nothing_due,
    root,
    set_traits,
    status,
    texts,
    told,
    touch_drag,
    trait,
    traits_of,
    watch_timers,
)
from traitlets import TraitError

from gmm_lib import DegenerateComponentError, GaussianMixture, datasets, em_states, m_step
from gmm_lib.widgets import EMExplorer

matplotlib.use("agg")

TEN = datasets.ten_points()


def moment(page):
    """Where the explorer stands: (iteration, half)."""
    there = told(page)
    return there["iteration"], there["half"]


def click(page, *names):
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


def knob(page, name):
    return page.get_by_role("slider", name=name, exact=True)


def start_of(page):
    """θ_0 as the page holds it."""
    return GaussianMixture(**traits_of(page, ("weights", "means", "covariances")))


def expected(page):
    """ℓ(θ_t) by gmm_lib for the state the page holds."""
    points, covariance_type = traits_of(page, ("points", "covariance_type")).values()
    t = data(page, "iteration")
    path = em_states(points, start_of(page), covariance_type)
    return next(s.log_likelihood for s in path if s.iteration == t)


def agrees(page):
    assert data(page, "log-likelihood") == pytest.approx(expected(page), rel=1e-10)


def test_the_trace_keeps_to_its_room_whatever_happens_between_two_frames(explorer_page):
    """On a projector four shares take two lines, no shares one: so the trace is lower or higher."""
    page = explorer_page(EMExplorer())
    page.get_by_label("Components").select_option("4")
    click(page, "E step", "Projector")
    heights = """async () => {
      for (let n = 0; n < 5; n += 1) await new Promise(requestAnimationFrame);
      const trace = document.querySelector(".gmm-trace");
      return [trace.clientHeight, Number(trace.querySelector(".gmm-front").getAttribute("height"))];
    }"""
    room, drawn = page.evaluate(heights)
    assert drawn == room
    names = ["Undo", "Projector", "Projector", "E step"]
    buttons = [page.get_by_role("button", name=name, exact=True).first for name in names]
    page.evaluate(
        "(all) => all.forEach((button) => button.click())",
        [button.element_handle() for button in buttons],
    )
    assert page.evaluate(heights) == [room, room]


# -- the story of the ten points


def test_it_begins_at_the_books_start(explorer_page):
    page = explorer_page(EMExplorer())
    assert moment(page) == (0, "m")
    assert data(page, "log-likelihood") == pytest.approx(-60.7213, abs=5e-5)
    assert root(page).get_attribute("aria-label") == "EM explorer"
    assert status(page) == "iteration 0, start: means 3, 10; log-likelihood −60.72"


def test_half_steps_tell_the_responsibilities_of_nine(explorer_page):
    """The numbers of the source: .14 .20 .35 .58 .85 .99 of x = 9 belong to component 1."""
    page = explorer_page(EMExplorer())
    percents, values = [], []
    for t in range(6):
        assert moment(page) == (t, "m")
        click(page, "E step")
        assert moment(page) == (t, "e")
        agrees(page)
        percents.append(re.search(r"x = 9 belongs (\S+) to component 1", status(page))[1])
        values.append(data(page, "log-likelihood"))
        click(page, "M step")
    assert percents == ["14%", "20%", "35%", "58%", "85%", "99%"]
    assert values == pytest.approx(
        [-60.7213, -34.5257, -34.1747, -33.7933, -33.2247, -32.4948], abs=5e-5
    )


def test_step_does_what_is_left_of_the_iteration(explorer_page):
    page = explorer_page(EMExplorer())
    click(page, "Step")
    assert moment(page) == (1, "m")
    click(page, "E step", "Step")
    assert moment(page) == (2, "m")
    agrees(page)


def test_a_half_step_out_of_turn_says_why(explorer_page):
    page = explorer_page(EMExplorer())
    click(page, "M step")
    assert moment(page) == (0, "m")
    assert "do the E step first" in status(page)
    click(page, "E step", "E step")
    assert moment(page) == (0, "e")
    assert "The M step is next" in status(page)
    click(page, "M step", "M step")
    assert moment(page) == (1, "m")
    assert "The E step is next" in status(page)


def test_play_goes_on_to_convergence_and_is_one_undo(explorer_page):
    page = explorer_page(EMExplorer(iteration=20))
    watch_timers(page)
    click(page, "Play")
    nothing_due(page)
    assert page.get_by_role("button", name="Play", exact=True).count() == 1  # no longer Pause
    assert status(page).endswith("; converged")
    reached = data(page, "iteration")
    assert reached > 20
    states = list(zip(range(reached + 1), em_states(TEN.X, TEN.start), strict=False))
    gains = np.diff([state.log_likelihood for _, state in states])
    assert gains[-1] < 1e-8 * 10
    click(page, "Undo")
    assert moment(page) == (20, "m")


def test_pause_stops(explorer_page):
    page = explorer_page(EMExplorer())
    watch_timers(page)
    click(page, "Play")
    assert page.evaluate("due.size") > 0
    click(page, "Pause")
    here = moment(page)
    nothing_due(page)
    assert moment(page) == here


def test_the_slider_goes_to_any_iteration(explorer_page):
    page = explorer_page(EMExplorer())
    slider = page.get_by_role("slider", name="Iteration")
    slider.fill("12")
    assert moment(page) == (12, "m")
    agrees(page)
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert data(page, "iteration") == 11
    assert trait(page, "iteration") == 11
    set_traits(page, iteration=120)
    assert data(page, "iteration") == 120
    assert int(slider.get_attribute("max")) >= 120


# -- taking hold


def test_a_dragged_mean_is_a_new_start(explorer_page):
    page = explorer_page(EMExplorer(iteration=4))
    before = data(page, "log-likelihood")
    drag(page, knob(page, "Mean of component 2"), 60, 0)
    assert moment(page) == (0, "m")
    agrees(page)
    theta4 = next(s for s in em_states(TEN.X, TEN.start) if s.iteration == 4).mixture
    assert trait(page, "means")[0][0] == pytest.approx(theta4.means[0, 0], rel=1e-12)
    assert trait(page, "means")[1][0] > theta4.means[1, 0] + 1
    click(page, "Undo")
    assert moment(page) == (4, "m")
    assert data(page, "log-likelihood") == before


def test_a_mean_dragged_after_the_e_step_recolors_the_points(explorer_page):
    page = explorer_page(EMExplorer(half="e"))
    before = status(page)
    drag(page, knob(page, "Mean of component 1"), 40, 0)
    assert moment(page) == (0, "e")
    assert "x = 9 belongs" in status(page) != before
    agrees(page)


def test_touch_and_keys_move_means_and_spreads(explorer_page):
    page = explorer_page(EMExplorer(), width=360, touch=True)
    touch_drag(page, knob(page, "Mean of component 1"), 30, 0)
    mean = trait(page, "means")[0][0]
    assert mean > 3.5
    knob(page, "Mean of component 1").focus()
    page.keyboard.press("ArrowLeft")
    step = mean - trait(page, "means")[0][0]
    assert step > 0
    page.keyboard.press("Shift+ArrowRight")
    assert trait(page, "means")[0][0] == pytest.approx(mean + 9 * step)
    spread = knob(page, "Standard deviation of component 2")
    before = trait(page, "covariances")[1][0][0]
    touch_drag(page, spread, 25, 0)
    wider = trait(page, "covariances")[1][0][0]
    assert wider > before
    spread.focus()
    page.keyboard.press("ArrowDown")
    assert trait(page, "covariances")[1][0][0] < wider
    agrees(page)


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_ellipses_keep_their_constraint(explorer_page, covariance_type):
    explorer = EMExplorer("old-faithful", iteration=2, covariance_type=covariance_type)
    page = explorer_page(explorer)
    for axis in (1, 2):
        before = trait(page, "covariances")
        drag(page, knob(page, f"Spread of component 2, axis {axis}"), 24, -31)
        after = np.array(trait(page, "covariances"))
        assert not np.allclose(after[1], before[1])
        agrees(page)
        if covariance_type == "tied":
            assert np.array_equal(after[0], after[1])
        if covariance_type in ("diag", "spherical"):
            assert np.all(after[:, 0, 1] == 0)
        if covariance_type == "spherical":
            assert np.all(after[:, 0, 0] == after[:, 1, 1])
    handle = knob(page, "Spread of component 1, axis 1")
    handle.focus()
    before = trait(page, "covariances")[0]
    page.keyboard.press("ArrowUp")
    assert np.linalg.det(trait(page, "covariances")[0]) > np.linalg.det(before)


def test_a_dragged_axis_follows_the_pointer(explorer_page):
    """Where the axis is dropped is where its handle is then drawn."""
    page = explorer_page(EMExplorer("overlapping"))
    for name in ("Spread of component 1, axis 1", "Spread of component 2, axis 2"):
        x, y = center(knob(page, name))
        drag(page, knob(page, name), 35, 20)
        assert center(knob(page, name)) == pytest.approx((x + 35, y + 20), abs=1.5)


def test_a_mean_moves_in_the_plane(explorer_page):
    page = explorer_page(EMExplorer("old-faithful"))
    x, y = trait(page, "means")[0]
    drag(page, knob(page, "Mean of component 1"), 50, 40)
    assert trait(page, "means")[0][0] > x
    assert trait(page, "means")[0][1] < y
    knob(page, "Mean of component 1").focus()
    page.keyboard.press("ArrowUp")
    agrees(page)


# -- points


def point(page, i, of=10):
    return knob(page, f"Point {i} of {of}")


def test_points_are_dragged(explorer_page):
    page = explorer_page(EMExplorer(half="e"))
    drag(page, point(page, 5), -100, 0)
    moved = trait(page, "points")[4][0]
    assert moved < 8
    assert trait(page, "data") == "custom"
    assert page.get_by_label("Data").input_value() == "custom"
    assert f"x = {moved:g} belongs" in status(page)
    agrees(page)
    click(page, "Undo")
    assert trait(page, "points")[4] == [9]
    assert trait(page, "data") == "ten-points"


def test_points_are_added_and_deleted(explorer_page):
    page = explorer_page(EMExplorer())
    page.get_by_text("Points", exact=True).click()
    click(page, "Add point")
    assert len(trait(page, "points")) == 11
    assert trait(page, "points")[10] == [14]  # the middle of the widest gap
    agrees(page)
    page.get_by_role("spinbutton", name="x", exact=True).fill("30.5")
    page.keyboard.press("Enter")
    assert trait(page, "points")[10] == [30.5]
    page.get_by_role("spinbutton", name="Point", exact=True).fill("2")
    page.keyboard.press("Enter")
    click(page, "Delete point")
    assert [x for (x,) in trait(page, "points")] == [1, 5, 6, 9, 19, 21, 24, 26, 29, 30.5]
    for _ in range(9):
        click(page, "Delete point")
    assert len(trait(page, "points")) == 1
    page.get_by_role("button", name="Delete point").click(force=True)
    assert "last point stays" in status(page)
    for _ in range(12):
        click(page, "Undo")
    assert trait(page, "points") == [[x] for x in TEN.X[:, 0]]


def test_points_by_keyboard_alone(explorer_page):
    page = explorer_page(EMExplorer(half="e"))
    point(page, 5).focus()
    page.keyboard.press("ArrowRight")
    assert "x = 19 belongs" in status(page)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    assert trait(page, "points")[4][0] < 9
    page.keyboard.press("End")
    assert "x = 29 belongs" in status(page)
    page.keyboard.press("Delete")
    assert len(trait(page, "points")) == 9
    page.keyboard.press("Insert")
    assert len(trait(page, "points")) == 10


def test_a_double_click_adds_a_point_there(explorer_page):
    page = explorer_page(EMExplorer("overlapping"))
    box = page.locator(".gmm-figure").first.bounding_box()
    page.mouse.dblclick(box["x"] + 60, box["y"] + box["height"] - 60)
    assert len(trait(page, "points")) == 301
    agrees(page)


def test_the_point_under_the_pointer_is_told(explorer_page):
    page = explorer_page(EMExplorer(half="e"))
    x9, y = center(point(page, 5))
    page.keyboard.press("Tab")
    point(page, 5).focus()
    page.keyboard.press("Home")
    x1, _ = center(point(page, 1))
    assert "x = 1 belongs" in status(page)
    page.mouse.move(x9, y)
    assert "x = 9 belongs 14% to component 1, 86% to component 2" in status(page)
    readout = page.locator(".gmm-readout").inner_text()
    assert "x = 9" in readout
    assert "1: 14%" in readout
    page.mouse.move(x9, y - 200)
    assert "x = 1 belongs" in status(page)
    assert x1 < x9


# -- choices


@pytest.mark.parametrize("name", ["thousand-points", "old-faithful", "overlapping"])
def test_data_are_chosen_by_the_reader(explorer_page, name):
    page = explorer_page(EMExplorer(iteration=3))
    page.get_by_label("Data").select_option(name)
    chosen = datasets.load(name)
    assert moment(page) == (0, "m")
    assert np.array_equal(trait(page, "points"), chosen.X)
    click(page, "Step", "Step", "E step")
    agrees(page)
    first = next(em_states(chosen.X, chosen.start)).log_likelihood
    click(page, "Reset")
    assert data(page, "log-likelihood") == pytest.approx(first, rel=1e-12)
    page.get_by_label("Data").select_option("ten-points")
    assert data(page, "log-likelihood") == pytest.approx(-60.7213, abs=5e-5)


@pytest.mark.parametrize("name", ["ten-points", "old-faithful"])
def test_components_from_one_to_six(explorer_page, name):
    page = explorer_page(EMExplorer(name))
    for k in (3, 4, 5, 6, 2, 1, 3):
        page.get_by_label("Components").select_option(str(k))
        assert len(trait(page, "weights")) == k
        assert sum(trait(page, "weights")) == pytest.approx(1)
        assert page.get_by_role("slider", name="Mean of component").count() == k
        click(page, "Step")
        agrees(page)
    for _ in range(7):
        click(page, "Undo", "Undo")
    assert start_of(page).k == 2


def test_one_component_is_the_mle_in_one_step(explorer_page):
    page = explorer_page(EMExplorer())
    page.get_by_label("Components").select_option("1")
    click(page, "Step", "Step")
    value = f"{expected(page):.2f}".replace("-", "−")
    assert status(page) == f"iteration 2, M step: means 14.4; log-likelihood {value}; converged"


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_covariance_types(explorer_page, covariance_type):
    page = explorer_page(EMExplorer("old-faithful"))
    before = trait(page, "covariances")
    page.get_by_label("Covariances").select_option("spherical")
    page.get_by_label("Covariances").select_option(covariance_type)
    click(page, "Step", "Step")
    agrees(page)
    page.get_by_label("Covariances").select_option("full")
    assert trait(page, "covariances") == before


def test_a_start_is_typed(explorer_page):
    page = explorer_page(EMExplorer())
    page.get_by_text("Numbers", exact=True).click()
    typed = {"μ of component 1": "7.5", "σ² of component 2": "20", "φ of component 1": "0.8"}
    for name, value in typed.items():
        page.get_by_role("spinbutton", name=name).fill(value)
        page.keyboard.press("Tab")
    start = start_of(page)
    assert start.means[0, 0] == 7.5
    assert start.covariances[1, 0, 0] == 20
    assert start.weights == pytest.approx([0.8, 0.2])
    agrees(page)
    page.get_by_role("spinbutton", name="σ² of component 2").fill("-1")
    page.keyboard.press("Tab")
    assert "variances must be above 0" in status(page)
    assert page.get_by_role("spinbutton", name="σ² of component 2").input_value() == "20"
    assert start_of(page).covariances[1, 0, 0] == 20


def test_all_parameters_of_a_line_are_seen_whole_on_a_phone(explorer_page):
    page = explorer_page(EMExplorer(iteration=1), width=344)  # as wide as on a page of 360
    page.get_by_text("Numbers", exact=True).click()
    region = page.get_by_role("region", name="Numbers")
    fields = region.get_by_role("spinbutton")
    assert fields.count() == 6
    assert fields.nth(5).input_value() == "67.16"
    for each in [region, *fields.all()]:
        assert each.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0


def test_the_table_shows_the_responsibilities_of_the_worksheet(explorer_page):
    page = explorer_page(EMExplorer(half="e"))
    page.get_by_text("Numbers", exact=True).click()
    w = TEN.start.responsibilities(TEN.X)
    expected = [*w, w.sum(axis=0)]  # a row a point, and one of the counts
    rows = texts(page.locator("table").nth(1).locator("tbody tr"), len(expected))
    for row, share in zip(rows, expected, strict=True):
        assert [float(cell) for cell in row.split("\t")[1:]] == pytest.approx(share, abs=5e-5)


# -- the exact state, by link


@pytest.mark.parametrize(
    "explorer",
    [
        lambda: EMExplorer(iteration=3, half="e"),
        lambda: EMExplorer("old-faithful", iteration=7, covariance_type="tied", selected=100),
        lambda: EMExplorer([1.5, 2.25, 8, 1 / 3]),
    ],
)
def test_a_link_opens_the_exact_state(explorer_page, explorer):
    page = explorer_page(explorer())
    drag(page, knob(page, "Mean of component 1"), 23, 0)
    click(page, "Step", "E step", "Copy link")
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('copied')")
    link = page.evaluate("navigator.clipboard.readText()")
    there = explorer_page(EMExplorer(), fragment=link[link.index("#") :])
    for name in ("iteration", "half", "log-likelihood"):
        assert data(there, name) == data(page, name)
    again = EMExplorer.from_link(link)
    assert again.log_likelihood == pytest.approx(data(page, "log-likelihood"), rel=1e-10)
    assert (again.iteration, again.half) == moment(page)
    assert EMExplorer.from_link(again.fragment).state == again.state


def test_a_hostile_link_changes_nothing(explorer_page):
    state = {**EMExplorer().state, "covariances": [[[0.0]], [[1.0]]]}
    explorer = EMExplorer()
    fragments = []
    for wrong in (
        state,
        {**state, "half": "<img src=x onerror=alert(1)>"},
        {"points": [[1, 2, 3]]},
    ):
        code = base64.urlsafe_b64encode(json.dumps(wrong).encode()).decode().rstrip("=")
        fragments.append(f"#em={code}")
    for fragment in fragments:
        page = explorer_page(explorer, fragment=fragment)
        assert data(page, "log-likelihood") == pytest.approx(-60.7213, abs=5e-5)
        assert page.get_by_role("button", name="Close").is_visible()


# -- degenerate states


def test_a_collapse_is_told_and_can_be_taken_back(explorer_page):
    spike = GaussianMixture([0.5, 0.5], [9, 14], [1e-4, 80])
    page = explorer_page(EMExplorer(start=spike))
    with pytest.raises(DegenerateComponentError) as caught:
        list(zip(range(100), em_states(TEN.X, spike), strict=False))
    page.get_by_role("slider", name="Iteration").fill("50")
    assert data(page, "iteration") == caught.value.iteration - 1
    assert data(page, "half") == "e"
    assert data(page, "degenerate") == caught.value.component + 1 == 1
    message = page.locator(".gmm-warning:not(.gmm-notice)")
    assert "component 1 has collapsed onto one place" in message.inner_text()
    assert "NaN" not in root(page).inner_text()
    assert "NaN" not in root(page).evaluate("(node) => node.outerHTML")
    click(page, "Step", "E step")
    assert message.is_visible()
    message.get_by_role("button", name="Undo").click()
    assert moment(page) == (0, "m")
    assert not message.is_visible()
    click(page, "Play")
    message.wait_for(timeout=15_000)
    page.get_by_role("button", name="Play", exact=True).wait_for()
    message.get_by_role("button", name="Reset").click()
    assert moment(page) == (0, "m")
    assert not message.is_visible()


def test_an_empty_component_is_told(explorer_page):
    far = GaussianMixture([0.5, 0.5], [10, 1e6], [50, 1])
    page = explorer_page(EMExplorer(start=far))
    click(page, "Step")
    assert (
        "component 2 has lost all its points"
        in page.locator(".gmm-warning:not(.gmm-notice)").inner_text()
    )
    assert moment(page) == (0, "e")
    assert "NaN" not in root(page).evaluate("(node) => node.outerHTML")


def test_a_spread_cannot_be_dragged_to_nothing(explorer_page):
    page = explorer_page(EMExplorer())
    drag(page, knob(page, "Standard deviation of component 1"), -300, 0)
    assert trait(page, "covariances")[0][0][0] > 0
    agrees(page)


# -- look and access


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["ten-points", "old-faithful"])
def test_it_is_accessible_and_fits(explorer_page, name, width, theme):
    page = explorer_page(EMExplorer(name, iteration=2, half="e"), width=width, theme=theme)
    for part in ("Points", "Numbers", "Help"):
        page.get_by_text(part, exact=True).click()
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for control in page.locator("button:visible, select:visible, summary:visible").all():
        box = control.bounding_box()
        assert box["height"] >= 44
        assert box["width"] >= 44
    assert page.get_by_role("status").count() == 1


def test_every_handle_is_reached_by_tab(explorer_page):
    page = explorer_page(EMExplorer())
    reached = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert {"Mean of component 1", "Standard deviation of component 2", "Point 5 of 10"} <= reached


def test_curves_move_unless_motion_is_unwanted(explorer_page):
    """The density moves over several frames, and in one where the reader asks for calm."""
    watch = """() => new Promise((done) => {
      const seen = new Set();
      const curve = document.querySelector(".gmm-density");
      document.querySelector("[data-next]").click();
      document.querySelector("[data-next]").click();
      let frames = 0; // at 60 a second the move is over after 54 at most
      const look = () => {
        seen.add(curve.getAttribute("d"));
        frames += 1;
        if (seen.size < 4 && frames < 75) requestAnimationFrame(look); else done(seen.size);
      };
      look();
    })"""
    assert explorer_page(EMExplorer(), reduced=True).evaluate(watch) == 1
    assert explorer_page(EMExplorer(), reduced=False).evaluate(watch) > 3


# -- from Python


def test_python_reads_and_sets_the_state():
    explorer = EMExplorer()
    assert explorer.log_likelihood == pytest.approx(-60.7213, abs=5e-5)
    explorer.iteration = 3
    assert explorer.responsibilities[4, 0] == pytest.approx(0.5801, abs=5e-5)
    assert len(explorer.states) == 4
    previous = explorer.states[2].responsibilities
    assert explorer.mixture.means == pytest.approx(m_step(TEN.X, previous).means)
    seen = []
    explorer.observe(lambda change: seen.append(change["new"]), names="iteration")
    explorer.means = [[3], [20]]
    assert explorer.start.means[:, 0].tolist() == [3, 20]
    explorer.start = GaussianMixture([0.2, 0.3, 0.5], [1, 9, 25], [4, 4, 4])
    assert seen == [0]
    assert (explorer.iteration, explorer.half, explorer.start.k) == (0, "m", 3)
    explorer.data = "old-faithful"
    assert np.shape(explorer.points) == (272, 2)
    assert explorer.start.k == 2
    explorer.points = np.array(explorer.points)[:100]
    assert explorer.data == "custom"


def test_python_moves_the_page(explorer_page):
    page = explorer_page(EMExplorer())
    set_traits(page, iteration=2, half="e")
    assert moment(page) == (2, "e")
    set_traits(page, means=[[5], [24]], weights=[0.5, 0.5], iteration=0)
    assert data(page, "iteration") == 0
    agrees(page)
    click(page, "Undo")
    assert moment(page) == (2, "e")


def test_constructors():
    own = EMExplorer([1, 2, 3, 10, 11, 12.0])
    assert own.data == "custom"
    assert own.start.k == 2
    plane = EMExplorer(np.random.default_rng(0).standard_normal((30, 2)), covariance_type="diag")
    assert plane.start.d == 2
    galaxies = EMExplorer("galaxies", choices=["galaxies"])
    assert list(galaxies.datasets) == ["galaxies"]
    for explorer in (own, plane, galaxies):
        assert explorer.describe()
        assert explorer.still_png().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "ten_points"}, "data: expected the name of a data set .ten-points"),
        ({"data": "iris"}, "expected one or two features to draw, got 4"),
        ({"data": [1, np.nan]}, "nan"),
        ({"data": []}, "expected"),
        ({"start": [1, 2]}, "start: expected a GaussianMixture"),
        ({"start": GaussianMixture([1.0], [[0, 0]], [np.eye(2)])}, "expected"),
        ({"start": GaussianMixture(np.full(7, 1 / 7), range(7), np.ones(7))}, "1 to 6 components"),
        ({"iteration": -1}, "iteration: expected a number of at least 0, got -1"),
        ({"iteration": 1.5}, "iteration: expected a whole number, got 1.5"),
        ({"iteration": True}, "iteration: expected a whole number, got True"),
        ({"half": "E"}, "half: expected one of 'm', 'e', got 'E'"),
        ({"covariance_type": "round"}, "covariance_type: expected one of 'full'"),
        ({"selected": 10}, "selected: expected the index of a point, 0 to 9"),
        ({"choices": ["nothing"]}, "choices: expected the name of a data set"),
        ({"choices": ["iris"]}, "choices: expected one or two features to draw, got 4"),
        ({"data": datasets.iris().X}, "expected one or two features to draw, got 4"),
        ({"color": "red"}, "expected options among .*choices.*got color"),
        ({"weights": [0.5, 0.6]}, "sum to 1"),
        ({"means": [3]}, "means: expected shape"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        EMExplorer(**options)


def test_bad_values_are_refused_and_change_nothing():
    explorer = EMExplorer()
    for name, value in [
        ("means", [[1.0]]),
        ("covariances", [[[1.0]], [[-1.0]]]),
        ("weights", [1.0]),
        ("points", [[1.0, 2.0]]),
        ("points", "abc"),
        ("data", "nothing"),
        ("iteration", "1"),
    ]:
        before = explorer.state
        with pytest.raises(TraitError, match="expected"):
            setattr(explorer, name, value)
        assert explorer.state == before
    with pytest.raises(TraitError, match="expected a GaussianMixture"):
        explorer.start = None


def test_a_degenerate_iteration_raises_in_python_and_is_still_shown():
    explorer = EMExplorer(start=GaussianMixture([0.5, 0.5], [9, 14], [1e-4, 80]), iteration=50)
    with pytest.raises(DegenerateComponentError):
        _ = explorer.mixture
    assert "E step" in explorer.describe()
    assert explorer.still_png().startswith(b"\x89PNG")


@pytest.mark.parametrize(("t", "half"), [(0, "m"), (0, "e"), (3, "m"), (3, "e"), (30, "e")])
@pytest.mark.parametrize("name", ["ten-points", "old-faithful", "overlapping"])
def test_the_still_pictures_words_are_the_live_ones(explorer_page, name, t, half):
    explorer = EMExplorer(name, iteration=t, half=half)
    assert explorer.status() == status(explorer_page(explorer))
    assert explorer.describe().endswith(explorer.status())


def test_what_was_told_outlasts_a_resize(explorer_page):
    page = explorer_page(EMExplorer())
    click(page, "M step")
    width = page.locator(".gmm-front").first.get_attribute("width")
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_function(
        "(width) => document.querySelector('.gmm-front').getAttribute('width') !== width", arg=width
    )
    assert "do the E step first" in status(page)
