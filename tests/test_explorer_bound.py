"""The bound explorer in a real browser: both curves and both numbers are those of gmm_lib."""

import numpy as np
import pytest
from explorer_page import axe_violations, data, drag, set_traits, status, touch_drag, trait
from traitlets import TraitError

from gmm_lib import e_step, evidence_lower_bound, m_step
from gmm_lib.bound import kl_to_posterior
from gmm_lib.widgets import BoundExplorer
from gmm_lib.widgets.bound import COORDINATES, PARTS

NAMES = ("data", *PARTS, "q")


def same_in_python(page):
    """The explorer in the state that the page is in."""
    return BoundExplorer(**{name: trait(page, name) for name in NAMES})


def agrees(page):
    there = same_in_python(page)
    _, log_likelihood = e_step(there.X, there.mixture)
    bound = evidence_lower_bound(there.X, there.mixture, there.responsibilities)
    kl = kl_to_posterior(there.X, there.mixture, there.responsibilities)
    assert data(page, "log-likelihood") == pytest.approx(log_likelihood, rel=1e-12)
    assert data(page, "bound") == pytest.approx(bound, rel=1e-12)
    assert data(page, "kl") == pytest.approx(kl.sum(), rel=1e-10, abs=1e-12)
    assert data(page, "selected-kl") == pytest.approx(kl[trait(page, "selected")], abs=1e-12)
    # The gap is the divergence, though each is computed on its own.
    assert data(page, "gap") == pytest.approx(data(page, "kl"), abs=1e-10)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("name", ["ten-points", "old-faithful"])
@pytest.mark.parametrize("coordinate", COORDINATES)
def test_e_touches_and_m_climbs(explorer_page, name, coordinate):
    page = explorer_page(BoundExplorer(name, coordinate=coordinate))
    agrees(page)
    assert data(page, "gap") > 1
    for t in range(1, 4):
        press(page, "E step")
        assert data(page, "half") == "e"
        assert abs(data(page, "gap")) <= 1e-12 * max(1, abs(data(page, "log-likelihood")))
        floor = data(page, "bound")
        press(page, "M step")
        agrees(page)
        assert data(page, "iteration") == t
        assert data(page, "bound") >= floor
        assert data(page, "log-likelihood") - floor >= data(page, "bound") - floor - 1e-10


def test_the_gap_after_an_e_step_on_the_ten_points_is_at_most_1e_12(explorer_page):
    page = explorer_page(BoundExplorer())
    press(page, "E step")
    assert abs(data(page, "gap")) <= 1e-12
    assert "they touch" in status(page)


def test_the_m_step_goes_to_the_top_along_the_coordinate(explorer_page):
    for coordinate in COORDINATES:
        page = explorer_page(BoundExplorer(coordinate=coordinate))
        press(page, "E step")
        press(page, "M step")
        there = BoundExplorer(coordinate=coordinate, **{n: trait(page, n) for n in NAMES})
        for factor in (0.99, 1.01):
            beside = there._at(data(page, "theta") * factor)
            bound = evidence_lower_bound(there.X, beside, there.responsibilities)
            assert bound < data(page, "bound")


def test_the_full_m_step_is_that_of_the_library(explorer_page):
    page = explorer_page(BoundExplorer(climb="all"))
    press(page, "E step")
    before = same_in_python(page)
    press(page, "M step")
    expected = m_step(before.X, before.responsibilities)
    np.testing.assert_allclose(trait(page, "means"), expected.means[:, 0], rtol=1e-12)
    np.testing.assert_allclose(trait(page, "variances"), expected.covariances.ravel(), rtol=1e-12)
    np.testing.assert_allclose(trait(page, "weights"), expected.weights, rtol=1e-12)
    assert "M step: the bound rose by" in status(page)
    # The same as the states of EM: -34.5257 after the first iteration from the source's start.
    assert data(page, "log-likelihood") == pytest.approx(-34.5257, abs=5e-5)


def test_dragging_q_opens_the_gap_as_a_divergence(explorer_page):
    page = explorer_page(BoundExplorer())
    press(page, "E step")
    log_likelihood = data(page, "log-likelihood")
    drag(page, page.get_by_role("slider", name="Share of component 1"), 0, -60)
    assert data(page, "selected-q") > 0.3
    assert data(page, "gap") > 0.01
    assert data(page, "log-likelihood") == log_likelihood  # ℓ knows nothing of Q
    agrees(page)
    assert data(page, "selected-kl") == pytest.approx(data(page, "kl"), rel=1e-9)


def test_the_keyboard_walks_over_points_and_changes_shares(explorer_page):
    page = explorer_page(BoundExplorer())
    share = page.get_by_role("slider", name="Share of component 1")
    share.press("ArrowLeft")
    assert trait(page, "selected") == 3
    share.press("ArrowUp")
    assert trait(page, "q")[3] == pytest.approx(0.52)
    theta = page.get_by_role("slider", name="mean of component 2")
    before = data(page, "theta")
    theta.press("ArrowRight")
    assert data(page, "theta") > before
    agrees(page)


def test_zero_and_one_are_shares_too(explorer_page):
    page = explorer_page(BoundExplorer())
    set_traits(page, q=[1.0, 0, 1, 0, 1, 0, 1, 0, 1, 0])
    agrees(page)
    set_traits(page, q=[0.0] * 10)
    page.get_by_role("combobox", name="Parameter").select_option("mean-1")
    press(page, "M step")
    assert "no result" in status(page)
    press(page, "Undo")
    agrees(page)


def test_touch_on_a_phone(explorer_page):
    page = explorer_page(BoundExplorer(), width=360, touch=True)
    touch_drag(page, page.get_by_role("slider", name="mean of component 2"), 40, 0)
    assert data(page, "theta") > 10
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    agrees(page)


def test_a_link_carries_the_state(explorer_page):
    first = BoundExplorer("old-faithful", coordinate="weight-1", selected=7)
    page = explorer_page(BoundExplorer(), fragment=first.fragment)
    assert data(page, "bound") == pytest.approx(first.lower_bound, rel=1e-12)
    assert BoundExplorer.from_link("x" + first.fragment).state == first.state


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(explorer_page, theme):
    assert axe_violations(explorer_page(BoundExplorer(), theme=theme)) == []


def test_the_picture_and_its_text():
    explorer = BoundExplorer()
    assert explorer.still_png().startswith(b"\x89PNG")
    assert "−60.7213" in explorer.describe()
    assert explorer.log_likelihood - explorer.lower_bound == pytest.approx(explorer.divergence)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": "iris"}, "expected one of 'ten-points', 'old-faithful', got 'iris'"),
        ({"q": (0.5,)}, "q: expected 10 numbers from 0 to 1"),
        ({"weights": (0.5, 0.6)}, "weights: expected 2 numbers"),
        ({"variances": (1.0, 0.0)}, "variances: expected 2 numbers"),
        ({"selected": 10}, "0 to 9, got 10"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        BoundExplorer(**options)
