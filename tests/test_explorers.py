"""What must hold of every explorer: numbers of any size, any width, any way to read it."""

import json
import re

import pytest
from explorer_page import data, set_traits, status, trait
from traitlets import TraitError

from gmm_lib import GaussianMixture, widgets
from gmm_lib.widgets import EMExplorer, LikelihoodExplorer, PathsExplorer, SoftHardExplorer, base
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


# -- numbers of any size


def test_both_sides_have_the_same_limits():
    ui, em = (
        (base.HERE / name).read_text(encoding="utf-8") for name in ("ui.js", "em_explorer.js")
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


def test_small_factors_stay_inside_a_phone(explorer_page):
    page = explorer_page(LikelihoodExplorer(mu=9.0, sigma=0.5), width=360)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
