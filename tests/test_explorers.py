"""What must hold of every explorer: numbers of any size, any width, any way to read it."""

import json
import re

import pytest
from explorer_page import data, set_traits, status, trait, traits_of
from traitlets import TraitError

from gmm_lib import GaussianMixture, datasets, fit, widgets
from gmm_lib.widgets import (
    BoundExplorer,
    BreakItExplorer,
    EMExplorer,
    JensenExplorer,
    LabelsExplorer,
    LikelihoodExplorer,
    PathsExplorer,
    ShardsExplorer,
    SoftHardExplorer,
    base,
)
from gmm_lib.widgets.bound import VARIANCES
from gmm_lib.widgets.em_explorer import ITERATIONS

KINDS = list(widgets.EXPLORERS)
NO_NUMBER = re.compile(r"NaN|Infinity|undefined|(?<![.\d])\d{13,}")


def field(page, name):
    return page.get_by_role("spinbutton", name=name, exact=True)


def enter(page, name, text):
    field(page, name).fill(text)
    page.keyboard.press("Enter")


def assert_sound(page):
    """All numbers of the page are numbers that one can read, in words and in the picture."""
    shown = page.evaluate(
        """() => {
          const root = document.querySelector("[data-explorer]");
          const drawn = [...root.querySelectorAll("svg *")].flatMap((node) => [...node.attributes]);
          return [root.innerText, ...drawn.map((each) => each.value)].join(" | ");
        }"""
    )
    assert not NO_NUMBER.search(shown)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_page_tells_is_declared(kind, explorer_page):
    """`VALUES` has the name of every value, also of those that there are not at the moment."""
    page = explorer_page(widgets.explorer_class(kind)())
    told = page.evaluate(
        """async () => {
          const root = document.querySelector("[data-explorer]");
          const told = new Set(root.getAttributeNames());
          const remove = Element.prototype.removeAttribute;
          Element.prototype.removeAttribute = function (name) {
            if (this === root) told.add(name);
            remove.call(this, name);
          };
          document.getElementById("host").style.width = "500px"; // so that it is drawn anew
          for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
          return [...told].filter((name) => name.startsWith("data-"));
        }"""
    )
    told = {name.removeprefix("data-").replace("-", "_") for name in told}
    ours = {"explorer", "anchor", "dark", "projector"}  # of all explorers, not of their state
    assert told - ours == set(widgets.explorer_class(kind).VALUES)


# -- numbers of any size


def test_both_sides_have_the_same_limits():
    ui, em = (
        (base.HERE / name).read_text(encoding="utf-8") for name in ("numbers.js", "em_state.js")
    )
    assert float(re.search(r"LIMIT = (\S+);", ui)[1]) == base.LIMIT
    assert int(re.search(r"EM_ITERATIONS = (\d+);", em)[1]) == ITERATIONS
    bound = (base.HERE / "bound_explorer.js").read_text(encoding="utf-8")
    low, high = re.search(r"BOUND_VARIANCES = \[(\S+), (\S+)\];", bound).groups()
    assert (float(low), float(high)) == VARIANCES


@pytest.mark.parametrize("number", ["1e7", "1e11", "1e16", "1e155", "1e308", "-1e308"])
def test_em_refuses_a_point_that_is_too_far_in_words(explorer_page, number):
    page = explorer_page(EMExplorer())
    page.get_by_text("Points", exact=True).click()
    enter(page, "x", number)
    assert status(page) == "This field takes a number from −1000000 to 1000000."
    assert field(page, "x").input_value() == "9"
    assert trait(page, "points")[4] == [9]
    page.get_by_role("combobox", name="Components").select_option("3")
    assert len(trait(page, "means")) == 3
    assert_sound(page)


@pytest.mark.parametrize("number", ["1e-320", "1e-9", "1000000", "-999999.5"])
def test_em_draws_every_point_up_to_the_limit(explorer_page, number):
    page = explorer_page(EMExplorer())
    page.get_by_text("Points", exact=True).click()
    enter(page, "x", number)
    assert trait(page, "points")[4] == [float(number)]
    for name in ("E step", "M step", "E step"):
        page.get_by_role("button", name=name, exact=True).click()
    page.get_by_role("combobox", name="Components").select_option("4")
    assert_sound(page)
    again = explorer_page(
        EMExplorer(), fragment=EMExplorer([[1], [2], [3], [float(number)]]).fragment
    )
    assert_sound(again)


def test_a_link_or_python_with_a_point_too_far_is_refused_in_words(explorer_page):
    far = json.loads(json.dumps(EMExplorer().state)) | {"data": "custom"}
    code = base.base64.urlsafe_b64encode(
        json.dumps(far | {"points": [[1.0]] * 9 + [[1e155]]}).encode()
    ).decode()
    page = explorer_page(EMExplorer(), fragment=f"#em={code.rstrip('=')}")
    alert = page.get_by_role("alert")
    assert "this one is further out" in alert.inner_text()
    assert len(trait(page, "points")) == 10
    page.get_by_role("button", name="Close").click()
    assert page.get_by_role("alert").count() == 0
    set_traits(page, points=[[1.0], [1e155]], data="custom", selected=None)
    assert "this one is further out" in status(page)
    narrow = {"weights": [1.0], "means": [[0.0]], "covariances": [[[1e-320]]]}
    set_traits(page, points=[[0.0], [29.0]], **narrow)
    assert "too far from such narrow components" in status(page)
    assert_sound(page)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": [1.0, 2.0, 1e7]}, "points: expected numbers from -1e"),
        (
            {"start": GaussianMixture([0.5, 0.5], [0, 1e7], [1, 1])},
            "means: expected numbers from -1e",
        ),
        (
            {"data": [0.0, 29.0], "start": GaussianMixture([1.0], [0.0], [1e-320])},
            "no finite value",
        ),
        ({"iteration": 10_001}, "iteration: expected at most 10000"),
    ],
)
def test_python_refuses_what_cannot_be_drawn(options, message):
    with pytest.raises(TraitError, match=message):
        EMExplorer(**options)


def test_em_takes_components_that_do_not_fit_in_words(explorer_page):
    """Points so close together that no covariance can be made of them: refused, and all goes on."""
    page = explorer_page(
        EMExplorer([999999.9999999999, 1000000.0], start=GaussianMixture([1], [1e6], [1]))
    )
    page.get_by_role("combobox", name="Components").select_option("3")
    assert "give no covariance" in status(page)
    assert page.get_by_role("combobox", name="Components").input_value() == "1"
    page.get_by_role("combobox", name="Data").select_option("ten-points")
    assert data(page, "log-likelihood") == pytest.approx(EMExplorer().log_likelihood)


def test_a_point_moves_by_keys_though_undo_has_unselected_it(explorer_page):
    page = explorer_page(EMExplorer("old-faithful"))
    page.get_by_role("button", name="E step", exact=True).click()
    page.get_by_role("slider", name=re.compile("^Point")).focus()
    page.keyboard.press("Control+z")
    assert trait(page, "selected") is None or trait(page, "half") == "m"
    set_traits(page, selected=None)
    before = trait(page, "points")
    page.keyboard.press("Shift+ArrowRight")
    assert trait(page, "selected") is not None
    assert trait(page, "points") != before


def test_a_number_outside_the_likelihood_map_is_refused_in_words(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    enter(page, "Center, typed", "1e308")
    assert status(page) == "This field takes a number from −4 to 20."
    assert trait(page, "mu") == 9


def test_means_at_one_place_have_no_border(explorer_page):
    page = explorer_page(SoftHardExplorer("old-faithful"))
    page.get_by_role("checkbox", name="Show where").check()
    set_traits(page, means=[[-1.0, -1.0], [-1.0, -1.0]], start=[[-1.0, -1.0], [-1.0, -1.0]])
    assert page.locator("line[stroke-dasharray='2 4']").count() == 0
    assert_sound(page)


def test_a_gradient_that_runs_away_is_told_in_numbers_one_can_read(explorer_page):
    page = explorer_page(PathsExplorer(step_size=10.0, iteration=60))
    assert_sound(page)


# -- widths


@pytest.mark.parametrize("width", [320, 360, 640])
@pytest.mark.parametrize("kind", KINDS)
def test_every_explorer_fits_into_a_narrow_page(explorer_page, kind, width):
    page = explorer_page(widgets.explorer_class(kind)(), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_numbers_of_an_axis_meet_on_a_phone(explorer_page, kind):
    page = explorer_page(widgets.explorer_class(kind)(), width=360)
    meeting = page.locator(".gmm-axes").evaluate_all(
        """(all) => all.flatMap((axes) => {
          const texts = [...axes.querySelectorAll("text")]
            .map((text) => [text.textContent, text.getBBox()]);
          return texts.flatMap(([one, a], i) => texts.slice(i + 1)
            .filter(([, b]) => a.x < b.x + b.width && b.x < a.x + a.width)
            // A box is higher than the digits in it.
            .filter(([, b]) => Math.abs(a.y + a.height / 2 - b.y - b.height / 2) < 0.85 * a.height)
            .map(([other]) => [one, other]));
        })"""
    )
    assert meeting == []


def test_small_factors_stay_inside_a_phone(explorer_page):
    page = explorer_page(LikelihoodExplorer(mu=9.0, sigma=0.5), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


# -- for everyone: by the accessibility tree and the keyboard alone

NAMELESS = """
() => [...document.querySelectorAll("[data-explorer] :is([role=slider], button, input, select)")]
  .filter((node) => node.getClientRects().length)
  .filter((node) => !node.getAttribute("aria-label") && !node.textContent)
  .filter((node) => !node.labels?.[0]?.textContent)
  .map((node) => node.outerHTML.slice(0, 80))
"""


def press(page, name, key="Enter"):
    """Press a button by its name, as a reader without a mouse does: focus, then a key."""
    button = page.get_by_role("button", name=name, exact=True)
    button.focus()
    page.keyboard.press(key)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_has_a_name_a_help_and_its_numbers(explorer_page, kind):
    page = explorer_page(widgets.explorer_class(kind)())
    assert page.evaluate(NAMELESS) == []
    described = page.locator(".gmm-front").evaluate_all(
        "(all) => all.map((each) => each.getAttribute('aria-describedby'))"
    )
    assert set(described) == {page.get_by_role("status").get_attribute("id")}
    page.locator("summary", has_text="Help").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Keys: Tab goes from one thing to the next.").wait_for()
    page.locator("summary", has_text="Numbers").focus()
    page.keyboard.press("Enter")
    numbers = page.get_by_role("region", name="Numbers")
    # What is opened is filled a moment later; a table that can be typed in is there before.
    numbers.locator("tbody tr:not(:has(input))").first.wait_for()
    tables = numbers.get_by_role("table").evaluate_all(
        """(all) => all.map((table) => ({
          head: table.querySelectorAll("thead th").length,
          rows: [...table.querySelectorAll("tbody tr")]
            .map((row) => row.querySelectorAll("th, td").length),
          captions: [...table.querySelectorAll("caption")].map((each) => each.innerText),
        }))"""
    )
    assert tables
    for table in tables:
        assert set(table["rows"]) == {table["head"]}
        assert len(table["captions"]) == 1
        assert table["captions"][0]


# Focus a handle; what it says of its value.
FOCUS = """
(n) => {
  const handle = document.querySelectorAll(".gmm-handle[role=slider]")[n];
  handle.focus();
  return handle.getAttribute("aria-valuetext");
}
"""


@pytest.mark.parametrize("kind", KINDS)
def test_home_end_and_page_keys_move_every_handle(explorer_page, kind):
    page = explorer_page(widgets.explorer_class(kind)())
    handles = page.locator(".gmm-handle[role=slider]")
    moved = 0
    for n in range(handles.count()):
        if not handles.nth(n).is_visible():
            continue
        page.evaluate(FOCUS, n)
        seen = set()
        for key in ("Home", "PageUp", "End", "PageDown"):
            page.keyboard.press(key)
            seen.add(page.evaluate(FOCUS, n))
        assert len(seen) >= 2, handles.nth(n).get_attribute("aria-label")
        moved += 1
    assert moved or kind in ("break-it", "clinic")  # where nothing is dragged
    assert_sound(page)


def test_em_is_followed_to_convergence_by_keyboard_and_text_alone(explorer_page):
    page = explorer_page(EMExplorer())
    page.get_by_role("button", name="E step", exact=True).focus()
    heights = []
    for _ in range(40):
        page.keyboard.press("Enter")  # the E step
        heights.append(
            float(re.search(r"log-likelihood (−[\d.]+)", status(page))[1].replace("−", "-"))
        )
        if "converged" in status(page):
            break
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the M step, next to it
        page.keyboard.press("Shift+Tab")
    assert "converged" in status(page)
    assert heights == sorted(heights)
    page.locator("summary", has_text="Numbers").focus()
    page.keyboard.press("Enter")
    trace = page.get_by_role("table", name="Log-likelihood by iteration")
    trace.locator("tbody tr").first.wait_for()
    rows = [row.split("\t") for row in trace.locator("tbody tr").all_inner_texts()]
    there = EMExplorer(iteration=len(rows) - 1)
    for (n, told), known in zip(rows, there.states, strict=True):
        assert int(n) == known.iteration
        assert float(told.replace("−", "-")) == pytest.approx(known.log_likelihood, abs=6e-5)


def test_the_largest_product_is_found_by_keyboard(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    page.get_by_role("slider", name="Center of the curve").focus()
    for _ in range(4):
        page.keyboard.press("Shift+ArrowLeft")  # to x = 5, the mean
    press(page, "Show the maximum")
    assert "The maximum" in status(page)
    press(page, "Go there")
    assert "Your curve is there." in status(page)
    assert (data(page, "mu"), data(page, "sigma")) == pytest.approx((5, 2.6077), abs=1e-4)


def test_labels_are_given_by_keyboard_and_fitted(explorer_page):
    page = explorer_page(LabelsExplorer())
    chips = page.get_by_role("group", name="Labels of the points").get_by_role("button")
    for n in range(10):
        chips.nth(n).focus()
        page.keyboard.press("1" if n < 5 else "2")
    press(page, "Refit")
    assert "centers 5 and 23.8" in status(page)


def test_the_bound_is_brought_to_touch_by_keyboard(explorer_page):
    page = explorer_page(BoundExplorer())
    press(page, "E step")
    assert "they touch" in status(page)
    press(page, "M step")
    assert "M step: the bound rose by" in status(page)


def test_a_failure_is_predicted_run_and_repaired_by_keyboard(explorer_page):
    page = explorer_page(BreakItExplorer())
    press(page, "It rises")
    press(page, "To the end")
    heard = page.locator("[aria-live=polite]:not([role=status])")
    assert "You saw it coming" in heard.inner_text()
    assert "came to own" in heard.inner_text()  # the diagnosis is announced
    press(page, "A restart")
    press(page, "To the end")
    assert "It works" in heard.inner_text()
    assert data(page, "verdict") == "works"


def test_both_ways_to_a_gap_of_zero_are_found_by_keyboard(explorer_page):
    page = explorer_page(JensenExplorer())
    page.get_by_role("slider", name="Weight 1").focus()
    page.keyboard.press("End")
    assert "All the weight is on one point" in status(page)
    press(page, "Undo")
    page.get_by_role("slider", name="Point 1").focus()
    page.keyboard.press("End")
    page.get_by_role("slider", name="Point 2").focus()
    page.keyboard.press("End")
    assert "All points with weight are at one place" in status(page)
    assert data(page, "found") >= 1


def test_the_gradient_is_made_to_fall_by_keyboard(explorer_page):
    page = explorer_page(PathsExplorer())
    page.get_by_role("slider", name="Step size of the gradient").focus()
    page.keyboard.press("End")
    press(page, "To the end")
    assert "run away" in status(page)
    for name in ("EM", "Hard EM", "Gradient ascent"):
        page.get_by_role("checkbox", name=name, exact=True).focus()
        page.keyboard.press("Space")
    assert status(page) == "No climber is shown: choose one of the three."


def test_shares_become_labels_by_keyboard(explorer_page):
    page = explorer_page(SoftHardExplorer())
    page.get_by_role("slider", name="Variance of every component").focus()
    page.keyboard.press("Home")
    assert "All points have made up their minds" in status(page)
    press(page, "To the end")
    assert "The means stand where k-means ends." in status(page)


def test_a_machine_is_killed_replaced_and_all_is_merged_by_keyboard(explorer_page):
    page = explorer_page(ShardsExplorer(machines=3))
    press(page, "Kill machine 2")
    focused = "(({ ariaLabel, textContent }) => ariaLabel ?? textContent)(document.activeElement)"
    assert page.evaluate(focused) == "Recompute part 2 on another machine"
    page.keyboard.press("Enter")
    assert page.evaluate(focused) == "Merge"  # one more Enter merges, and kills nobody
    for _ in range(2):
        page.keyboard.press("Enter")
    assert data(page, "complete") is True
    named = page.get_by_role("img", name=re.compile(r"^N of component 1: 76\.48$"))
    assert named.first.is_visible()


# -- sizes: the browser's text, a finger, a projector, colors of the system's choice


@pytest.mark.parametrize("kind", KINDS)
def test_text_follows_the_browsers_size_and_stays_inside(explorer_page, kind):
    page = explorer_page(widgets.explorer_class(kind)(), width=640)

    def heights():
        return page.evaluate(
            """() => ["p", ".gmm-axes text", "button"]
              .map((name) => document.querySelector(`[data-explorer] ${name}`))
              .map((node) => parseFloat(getComputedStyle(node).fontSize))"""
        )

    before = heights()
    page.add_style_tag(content="html { font-size: 200%; }")
    page.wait_for_function(
        "document.querySelector('.gmm-axes text').getBoundingClientRect().height > 20"
    )
    assert heights() == [2 * each for each in before]
    assert page.evaluate("document.documentElement.scrollWidth") <= 640


@pytest.mark.parametrize("kind", KINDS)
def test_projector_mode_fills_the_screen_and_hears_a_presenter(explorer_page, kind):
    page = explorer_page(widgets.explorer_class(kind)(), width=1920, height=1080)
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("p")
    box = page.locator("[data-explorer]").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1920, 1080)
    tick = page.locator(".gmm-axes text").first
    x_height = tick.evaluate(
        """(node) => {
          const context = document.createElement("canvas").getContext("2d");
          const { fontSize, fontFamily } = getComputedStyle(node);
          context.font = `${fontSize} ${fontFamily}`;
          return context.measureText("x").actualBoundingBoxAscent;
        }"""
    )
    assert x_height >= 14
    cls = widgets.explorer_class(kind)
    first = traits_of(page, cls.STATE)
    if kind == "break-it":
        page.keyboard.press("PageDown")
        assert "First commit to an answer" in status(page)
    elif kind not in ("jensen", "likelihood"):  # nothing to step through; all factors are there
        page.keyboard.press("PageDown")
        assert traits_of(page, cls.STATE) != first
        page.keyboard.press("PageUp")
    assert traits_of(page, cls.STATE) == first
    page.keyboard.press("Escape")
    assert page.locator("[data-explorer]").bounding_box()["width"] < 1920
    assert not page.locator("[data-projector]").count()


@pytest.mark.parametrize(("width", "height"), [(360, 640), (1920, 1080)])
@pytest.mark.parametrize("kind", KINDS)
def test_projector_mode_squeezes_nothing(explorer_page, kind, width, height):
    page = explorer_page(widgets.explorer_class(kind)(), width=width, height=height)
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("p")
    page.wait_for_selector("[data-projector]")
    cut = page.locator(":is(.gmm-figure, .gmm-status):visible").evaluate_all(
        "(all) => all.filter((each) => each.scrollHeight > each.clientHeight + 1).length"
    )
    assert cut == 0


@pytest.mark.parametrize("kind", KINDS)
def test_everything_to_press_has_44_px(explorer_page, kind):
    page = explorer_page(widgets.explorer_class(kind)(), width=360, touch=True)
    small = page.evaluate(
        """() => {
          const targets = "button, select, summary, input:not([type=checkbox]), .gmm-check";
          return [...document.querySelectorAll(`[data-explorer] :is(${targets})`)]
            .filter((node) => node.getClientRects().length)
            .filter((node) => node.getBoundingClientRect().height < 44)
            .map((node) => node.outerHTML.slice(0, 90));
        }"""
    )
    assert small == []


def test_share_bars_keep_their_colors_where_the_system_chooses(explorer_page):
    page = explorer_page(EMExplorer())
    page.emulate_media(forced_colors="active")
    page.get_by_role("button", name="E step", exact=True).click()
    colors = page.evaluate(
        """() => [...document.querySelectorAll(".gmm-shares span")]
          .map((bar) => getComputedStyle(bar).backgroundColor)"""
    )
    page.emulate_media(forced_colors="none")
    assert len(set(colors)) == 2


# -- time


def test_play_has_a_speed_and_an_end(explorer_page):
    """Old Faithful took 34 s to play; now no more than the reader likes."""
    page = explorer_page(EMExplorer("old-faithful"))
    press(page, "To the end")
    assert "converged" in status(page)
    best = fit(datasets.old_faithful().X, EMExplorer("old-faithful").start).log_likelihood
    assert data(page, "log-likelihood") == pytest.approx(best, abs=1e-3)
    press(page, "Undo")
    assert data(page, "iteration") == 0
    page.evaluate(
        """() => {
          const { setTimeout: set } = window;
          window.waits = [];
          window.setTimeout = (call, ms) => {
            window.waits.push(ms);
            return set(call, 0);
          };
        }"""
    )
    page.get_by_role("combobox", name="Speed").select_option("16")
    press(page, "Play")
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.includes('converged')"
    )
    moves = [ms for ms in page.evaluate("waits") if ms and ms < 100]
    assert sum(moves) < 10_000
    assert len(moves) >= 20


# -- a brush


def test_a_brush_labels_all_points_it_is_drawn_over_in_one_gesture(explorer_page):
    page = explorer_page(LabelsExplorer())
    page.get_by_role("button", name="Label as 2").click()
    picture = page.locator(".gmm-front").first
    box = picture.bounding_box()
    canvas = page.evaluate(
        "document.querySelector('.gmm-axes .gmm-base').getBoundingClientRect().top"
    )
    y = canvas - 28
    page.mouse.move(box["x"] + 0.8 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], y, steps=40)
    page.mouse.up()
    labels = trait(page, "labels")
    assert labels[:5] == [0] * 5
    assert labels[5:8] == [2, 2, 2]
    page.get_by_role("button", name="Undo").click()
    assert trait(page, "labels") == [0] * 10
