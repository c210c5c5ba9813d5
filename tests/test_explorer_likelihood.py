"""The likelihood explorer in a real browser: heights, product, log-likelihood and maximum."""

import math

import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    center,
    data,
    drag,
    set_traits,
    status,
    told,
    touch_drag,
    trait,
)
from traitlets import TraitError

from gmm_lib import GaussianMixture, datasets, e_step
from gmm_lib.widgets import LikelihoodExplorer
from gmm_lib.widgets.base import powers

THOUSAND = datasets.thousand_points().X[:, 0]


def points(page):
    return np.array(trait(page, "points")) if data(page, "data") == "five-points" else THOUSAND


def agrees(page):
    """What the page shows is what gmm_lib computes for its state."""
    x, mu, sigma = points(page), trait(page, "mu"), trait(page, "sigma")
    says = told(page)
    curve = GaussianMixture([1.0], [mu], [sigma**2])
    logs = curve.log_density(x)
    assert (says["mu"], says["sigma"]) == (mu, sigma)
    assert says["log-likelihood"] == pytest.approx(e_step(x, curve)[1], rel=1e-12)
    n = says["factors"]
    assert says["product"] == pytest.approx(np.exp(logs[:n]).prod(), rel=1e-10)
    assert says["sum"] == pytest.approx(logs[:n].sum(), rel=1e-12)
    if len(x) == 5:
        assert says["heights"] == pytest.approx(np.exp(logs), rel=1e-12)
    if trait(page, "shown"):
        assert says["best-mu"] == pytest.approx(x.mean(), rel=1e-12)
        assert says["best-sigma"] == pytest.approx(x.std(), rel=1e-12)
        assert says["best-sigma-unbiased"] == pytest.approx(x.std(ddof=1), rel=1e-12)
        best = GaussianMixture([1.0], [x.mean()], [x.var()])
        assert says["best-log-likelihood"] == pytest.approx(e_step(x, best)[1], rel=1e-12)


def test_random_states_agree_with_the_library(explorer_page, rng):
    page = explorer_page(LikelihoodExplorer())
    agrees(page)
    for n in (1, 3, 5):
        set_traits(
            page,
            mu=rng.uniform(-4, 20),
            sigma=rng.uniform(0.5, 12),
            points=rng.uniform(-4, 20, 5).tolist(),
            factors=n,
            tried=True,
            shown=True,
        )
        assert data(page, "factors") == n
        agrees(page)


def test_the_curve_is_dragged_by_center_width_and_body(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    before = data(page, "product")
    drag(page, page.get_by_role("slider", name="Center of the curve"), -80, 0)
    assert trait(page, "mu") < 9
    assert trait(page, "sigma") == 2
    assert data(page, "product") > before
    agrees(page)
    mu = trait(page, "mu")
    drag(page, page.get_by_role("slider", name="Width of the curve"), 40, 0)
    assert trait(page, "mu") == mu
    assert trait(page, "sigma") > 2
    agrees(page)
    # The curve itself can be taken hold of, left of its center where there is no handle.
    x, y = center(page.get_by_role("slider", name="Width of the curve"))
    middle = center(page.get_by_role("slider", name="Center of the curve"))[0]
    page.mouse.move(2 * middle - x, y)
    page.mouse.down()
    page.mouse.move(2 * middle - x + 50, y, steps=4)
    page.mouse.up()
    assert trait(page, "mu") > mu
    page.get_by_role("button", name="Undo").click()
    assert trait(page, "mu") == mu
    agrees(page)


def test_the_map_is_the_same_curve(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    place = page.get_by_role("slider", name="Your curve on the map")
    drag(page, place, -40, -30)
    assert trait(page, "mu") < 9
    assert trait(page, "sigma") > 2
    agrees(page)
    sigma = trait(page, "sigma")
    place.press("ArrowUp")
    assert trait(page, "sigma") == pytest.approx(sigma + 0.1)


def test_the_maximum_waits_for_a_try(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    show = page.get_by_role("button", name="Show the maximum")
    show.press("Enter")
    assert not trait(page, "shown")
    assert status(page).startswith("First try it yourself")
    assert data(page, "best-mu") is None
    # A candidate set by a button is not a try.
    page.get_by_role("button", name="Curve A").click()
    show.press("Enter")
    assert not trait(page, "shown")
    page.get_by_role("slider", name="Width of the curve").press("ArrowRight")
    show.click()
    assert (data(page, "best-mu"), data(page, "best-sigma") ** 2) == (5, pytest.approx(6.8))
    assert data(page, "best-sigma-unbiased") ** 2 == pytest.approx(8.5)
    agrees(page)
    page.get_by_role("button", name="Go there").click()
    assert data(page, "log-likelihood") == pytest.approx(data(page, "best-log-likelihood"), 1e-14)
    assert status(page).endswith("Your curve is there.")
    page.get_by_role("button", name="Reset").click()
    assert (trait(page, "tried"), trait(page, "shown")) == (False, False)


def test_two_candidates_differ_by_a_factor_of_1037(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    found = []
    for name, mu in (("Curve A", 5), ("Curve B", 10)):
        page.get_by_role("button", name=name).click()
        assert (trait(page, "mu"), trait(page, "sigma")) == (mu, 3)
        agrees(page)
        found.append(data(page, "product"))
    assert round(found[0] / found[1]) == 1037


def test_the_point_at_9_dragged_to_19_moves_the_width_more(explorer_page):
    page = explorer_page(LikelihoodExplorer(shown=True))
    knob = page.get_by_role("slider", name="Point 5")
    knob.focus()
    for _ in range(10):
        knob.press("Shift+ArrowRight")
    assert trait(page, "points") == [1, 4, 5, 6, 19]
    agrees(page)
    assert data(page, "best-mu") - 5 == pytest.approx(2)
    assert data(page, "best-sigma") - math.sqrt(6.8) == pytest.approx(3.6213, abs=5e-5)
    drag(page, knob, -100, 0)
    assert trait(page, "points")[4] < 19
    agrees(page)


def test_a_thousand_factors_underflow_and_their_logs_do_not(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    page.get_by_role("combobox", name="Data").select_option("thousand-points")
    assert data(page, "product") == 0
    assert math.isfinite(data(page, "log-likelihood"))
    agrees(page)
    set_traits(page, mu=THOUSAND.mean(), sigma=THOUSAND.std(), tried=True)
    assert data(page, "underflow") == 219
    assert "10⁻¹⁴⁸⁵" in status(page)
    agrees(page)
    # Just before the end the product still is a number, the smallest there are.
    factors = page.get_by_role("slider", name="Factors")
    factors.fill("218")
    assert 0 < data(page, "product") < 1e-320
    factors.press("ArrowRight")
    assert data(page, "product") == 0
    page.get_by_role("button", name="Show the maximum").click()
    agrees(page)
    page.get_by_role("combobox", name="Data").select_option("five-points")
    assert data(page, "product") > 0
    agrees(page)


def test_play_multiplies_one_factor_after_another(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("model.get('factors') === 2")
    agrees(page)
    page.wait_for_function("model.get('factors') === 5")
    page.get_by_role("button", name="Play").wait_for()
    page.get_by_role("button", name="Undo").click()
    assert trait(page, "factors") == 5  # from all factors Play began again: one entry for undo
    assert page.get_by_role("button", name="Undo").get_attribute("aria-disabled") == "true"


def test_equal_points_have_no_maximum(explorer_page):
    page = explorer_page(LikelihoodExplorer(points=(3.0,) * 5, shown=True))
    assert "no maximum" in status(page)
    assert data(page, "best-log-likelihood") is None


def test_typed_numbers(explorer_page):
    page = explorer_page(LikelihoodExplorer())
    page.get_by_role("spinbutton", name="Center, typed").fill("4.25")
    page.get_by_role("spinbutton", name="Center, typed").press("Enter")
    page.get_by_role("spinbutton", name="Width, typed").fill("400")
    page.get_by_role("spinbutton", name="Width, typed").press("Enter")
    assert status(page) == "This field takes a number from 0.5 to 12."
    page.get_by_role("spinbutton", name="Width, typed").fill("11.5")
    page.get_by_role("spinbutton", name="Width, typed").press("Enter")
    assert (trait(page, "mu"), trait(page, "sigma")) == (4.25, 11.5)
    agrees(page)


@pytest.mark.parametrize("name", ["five-points", "thousand-points"])
def test_touch_on_a_phone(explorer_page, name):
    page = explorer_page(LikelihoodExplorer(name), width=360, touch=True)
    mu = trait(page, "mu")
    touch_drag(page, page.get_by_role("slider", name="Center of the curve"), 30, 0)
    assert trait(page, "mu") > mu
    place = page.get_by_role("slider", name="Your curve on the map")
    place.scroll_into_view_if_needed()
    touch_drag(page, place, 0, -30)
    assert trait(page, "sigma") > 2
    page.get_by_role("button", name="Show the maximum").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    agrees(page)


def test_nothing_shifts_while_the_curve_moves(explorer_page, rng):
    for width in (360, 1000):
        page = explorer_page(LikelihoodExplorer(), width=width)
        heights = set()
        for _ in range(12):
            set_traits(page, mu=rng.uniform(-4, 20), sigma=rng.uniform(0.5, 12), tried=True)
            heights.add(page.locator("[data-explorer]").bounding_box()["height"])
        assert len(heights) == 1


def test_a_link_carries_the_state(explorer_page):
    first = LikelihoodExplorer("thousand-points", mu=4.5, sigma=7.5, factors=100, shown=True)
    page = explorer_page(LikelihoodExplorer(), fragment=first.fragment)
    assert data(page, "product") == pytest.approx(first.product, rel=1e-10)
    agrees(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert LikelihoodExplorer.from_link(link).state == first.state


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(explorer_page, theme):
    assert axe_violations(explorer_page(LikelihoodExplorer(shown=True), theme=theme)) == []


def test_the_picture_and_its_text():
    for explorer in (
        LikelihoodExplorer(mu=5.0, sigma=3.0, shown=True),
        LikelihoodExplorer("thousand-points"),
        LikelihoodExplorer(points=(3.0,) * 5, shown=True),
    ):
        assert explorer.still_png().startswith(b"\x89PNG")
    told = LikelihoodExplorer(mu=5.0, sigma=3.0, shown=True).describe()
    assert "is 6.289 × 10⁻⁶, the log-likelihood −11.98" in told
    assert "center 5 and width 2.608; with 1/(m-1) the width would be 2.915" in told


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (6.29e-6, "6.29 × 10⁻⁶"),
        (5e-324, "4.94 × 10⁻³²⁴"),
        (-2e5, "-2.00 × 10⁵"),
    ],
)
def test_powers_of_ten(value, text):
    assert powers(value, 3) == text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mu": 30.0}, "mu: expected a number from -4 to 20 for five-points, got 30"),
        ({"sigma": 0.0}, "sigma: expected a number from 0.5 to 12"),
        ({"points": (1.0, 2.0)}, "points: expected 5 numbers from -4 to 20"),
        ({"factors": 6}, "factors: expected a number from 1 to 5, got 6"),
        ({"data": "ten"}, "data: expected one of 'five-points', 'thousand-points', got 'ten'"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        LikelihoodExplorer(**options)
