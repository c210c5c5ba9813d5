"""The bound explorer in a real browser: both curves and both numbers are those of gmm_lib."""

import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    crossed_names,
    data,
    drag,
    send_click,
    set_traits,
    status,
    texts,
    told,
    touch_drag,
    trait,
    traits_of,
)
from traitlets import TraitError

from gmm_lib import e_step, evidence_lower_bound, m_step
from gmm_lib.bound import kl_to_posterior
from gmm_lib.widgets import BoundExplorer
from gmm_lib.widgets.bound import COORDINATES, PARTS

NAMES = ("data", *PARTS, "q")


def same_in_python(page):
    """The explorer in the state that the page is in."""
    return BoundExplorer(**traits_of(page, NAMES))


def agrees(page):
    there, says = same_in_python(page), told(page)
    _, log_likelihood = e_step(there.X, there.mixture)
    bound = evidence_lower_bound(there.X, there.mixture, there.responsibilities)
    kl = kl_to_posterior(there.X, there.mixture, there.responsibilities)
    assert says["log-likelihood"] == pytest.approx(log_likelihood, rel=1e-12)
    assert says["bound"] == pytest.approx(bound, rel=1e-12)
    assert says["kl"] == pytest.approx(kl.sum(), rel=1e-10, abs=1e-12)
    assert says["selected-kl"] == pytest.approx(kl[trait(page, "selected")], abs=1e-12)
    # The gap is the divergence, though each is computed on its own.
    assert says["gap"] == pytest.approx(says["kl"], abs=1e-10)


CHAPTER = {"coordinate": "mean-1", "means": (12, 15), "variances": (20, 20)}  # its start
WIDE, PHONE = (
    {"width": 768, "height": 800},
    {"width": 360, "height": 640},
)  # 752 px: the book's column


def chain(page):
    """The lines of the chain, as [sign, term, height, by how much it is below the one above]."""
    return [
        [
            line.locator(f".gmm-chain-{part}").inner_text().replace("−", "-")
            for part in PARTS_OF_LINE
        ]
        for line in page.get_by_role("list", name="The chain").get_by_role("listitem").all()
    ]


PARTS_OF_LINE = ("sign", "term", "value", "by")


def levels(page):
    """Where the levels at the picture's edge are, from the highest down, in px."""
    return page.locator(".gmm-front .gmm-level").evaluate_all(
        "(all) => all.map((each) => Number(each.getAttribute('y1'))).sort((a, b) => a - b)"
    )


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("name", ["ten-points", "old-faithful"])
@pytest.mark.parametrize("coordinate", COORDINATES)
def test_e_touches_and_m_climbs(explorer_page, name, coordinate):
    page = explorer_page(BoundExplorer(name, coordinate=coordinate))
    agrees(page)
    assert data(page, "gap") > 1
    for t in range(1, 4):
        push = press if t == 1 else send_click
        push(page, "E step")
        says = told(page)
        assert says["half"] == "e"
        assert abs(says["gap"]) <= 1e-12 * max(1, abs(says["log-likelihood"]))
        floor = says["bound"]
        push(page, "M step")
        agrees(page)
        then = told(page)
        assert then["iteration"] == t
        assert then["bound"] >= floor
        assert then["log-likelihood"] - floor >= then["bound"] - floor - 1e-10


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
        there = BoundExplorer(coordinate=coordinate, **traits_of(page, NAMES))
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


def test_the_chain_holds_the_numbers_of_the_library_and_marks_the_half_step(explorer_page):
    page = explorer_page(BoundExplorer(**CHAPTER), **WIDE)
    lines = page.get_by_role("list", name="The chain").get_by_role("button")
    marked = page.locator(".gmm-chain [aria-current=step]")
    assert [line[0] for line in chain(page)] == ["", "≥", "≥", "≤"]  # no E step yet
    assert [line[2] for line in chain(page)[:2]] == ["–", "–"]
    assert marked.count() == 0

    lines.nth(1).click()  # = ℓ(θ_t): the E step
    assert data(page, "half") == "e"
    old = same_in_python(page)
    assert marked.all_inner_texts() == [lines.nth(1).inner_text()]
    assert chain(page)[3] == ["=", "ℓ(θt)", f"{old.log_likelihood:.4f}", "0"]
    assert chain(page)[2][2] == f"{old.lower_bound:.4f}"

    lines.nth(0).focus()
    page.keyboard.press("Enter")  # ≥ B(Q_t, θ_t): the M step
    assert data(page, "half") == "m"
    assert data(page, "iteration") == 1
    new = same_in_python(page)
    assert marked.all_inner_texts() == [lines.nth(0).inner_text()]
    assert chain(page) == [
        ["", "ℓ(θt+1)", f"{new.log_likelihood:.4f}", ""],
        ["≥", "B(Qt, θt+1)", f"{new.lower_bound:.4f}", f"{new.divergence:.4f}"],
        ["≥", "B(Qt, θt)", f"{old.lower_bound:.4f}", f"{new.lower_bound - old.lower_bound:.4f}"],
        ["=", "ℓ(θt)", f"{old.log_likelihood:.4f}", "0"],
    ]
    page.get_by_text("Numbers").click()
    rows = texts(page.get_by_role("table", name="The chain").locator("tbody tr"), 4)
    assert f"{new.divergence:.4f}" in rows[1]
    assert "B(Qt, θt+1)" in rows[1]

    lines.nth(1).click()  # the next round begins where this one ended
    assert chain(page)[3][2] == f"{new.log_likelihood:.4f}"


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_touching_climb_and_gap_are_plain_to_see(explorer_page, size):
    page = explorer_page(BoundExplorer(**CHAPTER), **size)
    likelihood, bound = levels(page)
    assert bound - likelihood >= 40  # before anything: the gap
    press(page, "E step")
    bound, likelihood = levels(page)
    assert bound == pytest.approx(likelihood, abs=1e-6)
    press(page, "M step")
    new, lifted, bound, likelihood = levels(page)
    assert lifted - new >= 30  # the gap
    assert bound - lifted >= 30  # the climb
    assert bound == pytest.approx(likelihood, abs=1e-6)
    # They stand on the vertical axis: each moves by as many px as its number says.
    there = same_in_python(page)
    height = (bound - new) / (there.log_likelihood - trait(page, "before")[0])
    ticks = page.locator(".gmm-axes").first.locator("text[text-anchor=end]")
    for text, y in ticks.evaluate_all(
        "(all) => all.map((each) => [each.textContent, Number(each.getAttribute('y'))])"
    ):
        if text.startswith("−"):
            value = float(text.replace("−", "-"))
            assert y == pytest.approx(new + height * (there.log_likelihood - value), abs=0.2)


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_picture_and_chain_stand_on_one_screen(explorer_page, size):
    page = explorer_page(BoundExplorer(**CHAPTER), **size)
    picture = page.locator(".gmm-figure").first.bounding_box()
    last = page.get_by_role("list", name="The chain").get_by_role("button").last.bounding_box()
    room = size["height"] - 48 - 60  # the page's header, and the task at hand
    assert last["y"] + last["height"] - picture["y"] <= room
    if size is WIDE:
        whole = page.locator("[data-explorer]").bounding_box()
        assert whole["height"] <= room
        # Each line starts where its stem ends.
        for name in ("E step", "M step"):
            press(page, name)
        stems = page.locator(".gmm-stems path").evaluate_all(
            "(all) => all.map((each) => { const box = each.getBoundingClientRect();"
            " return [box.right, box.top, box.bottom]; })"
        )
        for (right, top, bottom), line in zip(
            stems, page.locator(".gmm-chain-line").all(), strict=True
        ):
            box = line.bounding_box()
            middle = box["y"] + box["height"] / 2
            assert right == pytest.approx(box["x"], abs=3)
            assert min(abs(top - middle), abs(bottom - middle)) < 3


def test_without_an_e_step_the_chain_does_not_hold(explorer_page):
    page = explorer_page(BoundExplorer(**CHAPTER))
    before = data(page, "log-likelihood")
    press(page, "M step")  # under the table of one half each
    assert data(page, "log-likelihood") < before
    assert chain(page)[3][0] == "≤"
    assert "the log-likelihood fell by" in status(page)


def test_points_that_lie_close_have_columns_of_their_own(explorer_page):
    page = explorer_page(BoundExplorer(**CHAPTER), **PHONE)
    centers = (
        page.locator(".gmm-figure")
        .nth(1)
        .locator("circle[r='5']")
        .evaluate_all("(all) => all.map((each) => Number(each.getAttribute('cx')))")
    )
    assert len(centers) == 10
    assert min(np.diff(sorted(centers))) > 12


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
        ({"before": [-40.0]}, "before: expected ℓ and the bound before the last M step"),
        ({"before": [-40.0, -1e31]}, "from -1e"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        BoundExplorer(**options)


@pytest.mark.parametrize("size", [WIDE, PHONE])
@pytest.mark.parametrize("name", ["ten-points", "old-faithful"])
@pytest.mark.parametrize("coordinate", COORDINATES)
def test_no_name_is_crossed(explorer_page, name, coordinate, size):
    page = explorer_page(
        BoundExplorer(name, **(CHAPTER | {"coordinate": coordinate}))
        if name == "ten-points"
        else BoundExplorer(name, coordinate=coordinate),
        **size,
    )
    for half in ("E step", "M step"):
        assert crossed_names(page) == []
        press(page, half)
    assert crossed_names(page) == []
