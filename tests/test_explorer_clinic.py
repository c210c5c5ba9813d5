"""The bug clinic in a real browser: its programs are those of gmm_lib.clinic, its replies true."""

import re

import numpy as np
import pytest
from explorer_page import (
    axe_violations,
    data,
    module_page,
    send_click,
    set_traits,
    shown,
    status,
    told,
    trait,
    traits_of,
)
from traitlets import TraitError

from gmm_lib import clinic, datasets
from gmm_lib.clinic import ALIKE, CASES, CAUSES
from gmm_lib.widgets import ClinicExplorer, base

X = datasets.ten_points().X[:, 0]
WORDS = ClinicExplorer().words
PLACES = ("e", "m", "around", "sound")
NUMBER = {case.cause: n for n, case in enumerate(CASES, 1)}

every_case = pytest.mark.parametrize("number", range(1, len(CASES) + 1))


def truth(number):
    cause = CASES[number - 1].cause
    return CAUSES[cause].where, cause


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def solved(number, **more):
    where, cause = truth(number)
    return ClinicExplorer(number, step=99, where=where, cause=cause, solved=[number], **more)


def heard(page):
    return page.locator(".gmm-outcome").inner_text()


def agrees(page):
    """Every number on the page is the one that Python has for the state of the page."""
    explorer = ClinicExplorer(**traits_of(page, ClinicExplorer.STATE))
    there = told(page)
    now = explorer.shown[-1] if explorer.shown else explorer.run[0]
    assert there["log-likelihood"] == pytest.approx(now.log_likelihood, rel=1e-9)
    assert there["weights"] == pytest.approx(now.weights, rel=1e-9)
    assert there["means"] == pytest.approx(now.means, rel=1e-9)
    assert there["variances"] == pytest.approx(now.variances, rel=1e-9)
    if explorer.shown:
        assert there["bound"] == pytest.approx(now.bound, rel=1e-9)
        assert np.allclose(there["responsibilities"], now.responsibilities, rtol=1e-7, atol=0)
        assert there["half"] == now.step
        assert there["printed"] == (
            None if now.printed is None else pytest.approx(now.printed, rel=1e-9, abs=1e-12)
        )
    else:
        assert there["responsibilities"] is None
    assert (there["step"], there["of"]) == (len(explorer.shown), len(explorer.run))
    assert there["stage"] == explorer.stage
    assert status(page) == explorer.status()
    assert not re.search(r"NaN|Infinity|undefined|null|[{}]", shown(page))
    return explorer


# -- parity


@pytest.fixture(scope="module")
def programs(chromium):
    """A page in which the browser's programs are in reach."""
    with module_page(chromium, "clinic_program.js") as page:
        yield page


@pytest.mark.parametrize("cause", CAUSES)
def test_every_half_step_of_every_program_is_that_of_python(programs, cause):
    """From every start of a case, also where the run breaks down: to 1e-9."""
    for start in dict.fromkeys(case.start for case in CASES):
        ours = clinic.run(cause, start)
        theirs = programs.evaluate(
            """([x, start, cause]) => clinicRun(x, start, cause)
              .map((half) => ({ ...half, ...clinicMeasure(x, half) }))""",
            [X.tolist(), start, cause],
        )
        assert len(theirs) == len(ours)
        for browser, python in zip(theirs, ours, strict=True):
            assert browser["step"] == python.step
            assert np.allclose(browser["weights"], python.weights, rtol=1e-9)
            assert np.allclose(browser["means"], python.means, rtol=1e-9)
            assert np.allclose(browser["variances"], python.variances, rtol=1e-9)
            assert np.allclose(browser["shares"], python.responsibilities, rtol=1e-7, atol=1e-300)
            assert browser["logLikelihood"] == pytest.approx(python.log_likelihood, rel=1e-10)
            assert browser["bound"] == pytest.approx(python.bound, rel=1e-9)
            if python.printed is None:
                assert browser["printed"] is None
            else:
                assert browser["printed"] == pytest.approx(python.printed, rel=1e-9, abs=1e-12)


@every_case
def test_the_signs_are_those_of_python(programs, number):
    cause, _, start = CASES[number - 1]
    theirs = programs.evaluate(
        "([x, start, cause]) => clinicSigns(x, start, cause)", [X.tolist(), start, cause]
    )
    ours = clinic.signs(cause, start)
    assert list(theirs) == list(ours)
    assert theirs == pytest.approx(ours, rel=1e-8, abs=1e-9)


def test_both_sides_have_the_same_limits():
    pictures, program = (
        (base.HERE / f"clinic_{name}.js").read_text(encoding="utf-8")
        for name in ("pictures", "program")
    )
    assert float(re.search(r"CLINIC_ALIKE = (\S+);", pictures)[1]) == ALIKE
    assert int(re.search(r"CLINIC_MOST = (\d+);", program)[1]) == clinic.MOST


# -- the reader's way


@every_case
def test_every_case_is_run_and_solved(explorer_page, number):
    where, cause = truth(number)
    page = explorer_page(ClinicExplorer(number))
    assert WORDS[f"complaint-{cause}"] in shown(page)
    agrees(page)
    for name in ("E step", "M step", "E step"):
        press(page, name)
        agrees(page)
    press(page, "To the end")
    assert agrees(page).stage == "where"
    press(page, WORDS[f"where-{where}"])
    assert data(page, "stage") == "cause"
    assert data(page, "solved") == 0
    press(page, WORDS[f"cause-{cause}"])
    assert agrees(page).stage == "solved"
    assert data(page, "solved") == 1
    assert "That is it" in heard(page)
    code = page.locator(".gmm-clinic-code")
    changes = CAUSES[cause].changes
    if not changes:
        assert not code.is_visible()
        return
    lines = [text for right, wrong in changes for text in (f"+ {right}", f"− {wrong}")]
    assert sorted(code.inner_text().splitlines()) == sorted(lines)
    press(page, WORDS["mend-sound" if where == "sound" else "mend"])
    good = clinic.signs(cause, CASES[number - 1].start)["good"]
    assert f"ends at {good:.4f}".replace("-", "−") in heard(page)
    agrees(page)


@every_case
def test_a_wrong_answer_is_told_what_one_would_see(explorer_page, number):
    place, cause = truth(number)
    signs = clinic.signs(cause, CASES[number - 1].start)
    page = explorer_page(ClinicExplorer(number, step=99))
    for where in PLACES:
        if where == place:
            continue
        send_click(page, WORDS[f"where-{where}"])
        assert data(page, "stage") == "where"
        agrees(page)
        told = heard(page)
        # What a reply says of this case is so.
        if told == WORDS["not-e"]:
            assert max(signs["gap"], signs["rows"]) < ALIKE
        elif told == WORDS["not-m"]:
            assert signs["miss"] < ALIKE
        elif told == WORDS["not-m-shares"]:
            assert signs["rows"] > ALIKE
        elif told == WORDS["not-around"]:
            assert signs["print"] < ALIKE
        elif told == WORDS["not-around-sound"]:
            assert cause == "prior"
        elif told != WORDS["not-sound"]:
            key = {"m": "not-m-sound", "around": "not-around-e"}[where]
            value = signs["miss" if where == "m" else "print"]
            number_told = base.powers(value).replace("-", "−")
            wanted = WORDS[key].replace("{miss}", number_told).replace("{print}", number_told)
            assert told == wanted
            assert value > ALIKE
    send_click(page, WORDS[f"where-{place}"])
    for other in (name for name in CAUSES if CAUSES[name].where == place and name != cause):
        send_click(page, WORDS[f"cause-{other}"])
        assert data(page, "stage") == "cause"
        assert heard(page) == f"{WORDS[f'would-{other}']} {WORDS['ghost']}"
        assert page.locator(".gmm-clinic-other").count() == 2
        agrees(page)
    assert data(page, "solved") == 0


def test_nothing_is_diagnosed_unseen(explorer_page):
    page = explorer_page(ClinicExplorer())
    page.get_by_role("button", name="The E step", exact=True).press("Enter")
    assert status(page) == WORDS["run-first"]
    assert trait(page, "where") == ""


def test_marks_show_what_is_off(explorer_page):
    """A bar where an E step leaves a gap, triangles at falls, crosses at wrong numbers."""

    def marks(cause):
        page = explorer_page(ClinicExplorer(NUMBER[cause], step=99))
        names = ("gap", "fall", "printed")
        return tuple(page.locator(f".gmm-clinic-{name}").count() for name in names)

    assert marks("healthy") == (0, 0, 0)
    assert marks("late") == (0, 0, 7)  # at the end the number before is the same
    gaps, falls, crosses = marks("sd")
    assert gaps >= 1
    assert falls >= 2
    assert crosses == 5
    assert marks("one-less")[0] == 0
    assert marks("one-less")[1] >= 2


def test_shares_that_are_none_do_not_fill_their_frames(explorer_page):
    def filled(cause):
        page = explorer_page(ClinicExplorer(NUMBER[cause], step=1))
        return page.evaluate(
            """() => [...document.querySelectorAll("[data-explorer] rect[fill^='var(--c']")]
              .reduce((sum, { height }) => sum + height.baseVal.value, 0)"""
        )

    assert filled("axis") == pytest.approx(0.2 * filled("healthy"), rel=0.02)


def test_play_and_the_slider_walk_through_the_run(explorer_page):
    page = explorer_page(ClinicExplorer(NUMBER["hard"]))
    page.get_by_role("combobox", name="Speed").select_option("16")
    press(page, "Play")
    page.wait_for_function("document.querySelector('[data-explorer]').dataset.step === '5'")
    assert "It stops here." in status(page)
    page.get_by_role("button", name="M step", exact=True).press("Enter")
    assert status(page) == WORDS["at-end"]
    walk = page.get_by_role("slider", name="Half step")
    walk.press("Home")
    assert data(page, "step") == 0
    walk.press("ArrowRight")
    agrees(page)
    assert data(page, "step") == 1
    press(page, "Undo")
    press(page, "Undo")
    assert data(page, "step") == 5


def test_one_case_follows_another(explorer_page):
    page = explorer_page(solved(18))
    press(page, "On to the next case")
    assert (data(page, "case"), data(page, "step"), data(page, "stage")) == (1, 0, "where")
    page.get_by_role("button", name="Previous case").click()
    assert data(page, "case") == 18
    chosen = page.get_by_role("combobox", name="Case")
    assert chosen.locator("option:checked").inner_text() == "18 of 18 · difficulty 3 ✓"
    chosen.select_option("7")
    assert data(page, "case") == 7
    agrees(page)


def test_a_case_is_solved_by_keyboard_alone(explorer_page):
    """Tab to the button, run, answer twice: the focus follows what comes next."""
    page = explorer_page(ClinicExplorer(NUMBER["hard"]))
    focused = "document.activeElement.textContent"
    page.get_by_role("combobox", name="Case").focus()
    for _ in range(12):
        if page.evaluate(focused) == "E step":
            break
        page.keyboard.press("Tab")
    for _ in range(5):
        page.keyboard.press("Enter")
    assert data(page, "step") == 5
    for _ in range(12):
        if page.evaluate(focused) == "The E step":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert data(page, "stage") == "cause"
    for _ in range(6):
        if page.evaluate(focused) == WORDS["cause-hard"]:
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert data(page, "stage") == "solved"
    assert page.evaluate(focused) == WORDS["mend"]
    assert (
        "Every share is 0 or 1"
        in page.locator("[aria-live=polite]:not([role=status])").inner_text()
    )
    page.keyboard.press("Enter")
    assert trait(page, "mended") is True


@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_at_every_stage(explorer_page, width):
    page = explorer_page(ClinicExplorer(), width=width, touch=True)
    for number in range(1, len(CASES) + 1):
        where, cause = truth(number)
        state = {"case": number, "step": 99, "where": where, "cause": cause, "mended": False}
        for change in (state, {"mended": bool(CAUSES[cause].changes)}):
            set_traits(page, **change)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(
        "[...document.querySelectorAll('.gmm-explorer button')].filter((b) => b.offsetParent)"
        ".every((b) => b.offsetHeight >= 44 && b.offsetWidth >= 44)"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", [{}, {"case": 4, "step": 4, "where": "m"}, None])
def test_axe_finds_nothing(explorer_page, theme, state):
    explorer = solved(12, mended=True) if state is None else ClinicExplorer(**state)
    assert axe_violations(explorer_page(explorer, theme=theme)) == []


def test_a_link_carries_the_state(explorer_page):
    first = ClinicExplorer(13, step=3, where="m", cause="shortcut", solved=[2, 5])
    page = explorer_page(ClinicExplorer(), fragment=first.fragment)
    agrees(page)
    assert data(page, "stage") == "cause"
    press(page, "Copy link")
    link = page.evaluate("navigator.clipboard.readText()")
    assert ClinicExplorer.from_link(link).state == first.state
    press(page, "Reset")
    assert (data(page, "case"), data(page, "step")) == (1, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"case": 0},
        {"case": 19},
        {"case": 1.5},
        {"step": -1},
        {"where": "everywhere"},
        {"cause": "sd"},
        {"where": "m", "cause": "shortcut"},
        {"mended": True},
        {"where": "e", "cause": "axis", "mended": True},
        {"solved": [1, 1]},
        {"solved": [99]},
    ],
)
def test_a_link_that_makes_no_sense_is_refused_in_words(explorer_page, change):
    first = ClinicExplorer()
    code = {**first.state, **change}
    page = explorer_page(ClinicExplorer(), fragment=fragment(code))
    assert page.get_by_role("alert").is_visible()
    agrees(page)
    assert data(page, "case") == 1


def fragment(state):
    import base64
    import json

    return "#clinic=" + base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")


# -- from Python


@every_case
def test_the_picture_and_its_text(number):
    explorer = ClinicExplorer(number, step=7)
    assert explorer.still_png().startswith(b"\x89PNG")
    assert f"Case {number} of 18 of the bug clinic" in explorer.describe()
    assert explorer.status() in explorer.describe()
    assert "nan" not in explorer.describe()


def test_the_status_says_what_a_half_step_did():
    assert ClinicExplorer().status() == (
        "Case 1, at the start: log-likelihood −60.7213. Run the program half step by half step, "
        "and look what it does."
    )
    assert ClinicExplorer(step=1).status() == (
        "Iteration 0, E step: log-likelihood −60.7213, bound −70.9004: the bound is 10.1791 lower. "
        "It prints −40.0580."
    )
    assert ClinicExplorer(step=4).status() == (
        "Iteration 2, M step: log-likelihood −37.1163, down by 0.3623; bound −37.1163, "
        "up by 3.9605."
    )
    assert "no bound can be" in ClinicExplorer(4, step=1).status()
    assert ClinicExplorer(3, step=99).status().endswith("It stops here.")


def test_another_case_from_python_begins_anew():
    explorer = solved(5, mended=True)
    explorer.case = 6
    assert (explorer.where, explorer.cause, explorer.mended) == ("", "", False)
    assert explorer.stage == "where"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"case": 19}, "case: expected 1 to 18, got 19"),
        ({"case": True}, "case: expected a whole number"),
        ({"step": -1}, "at least 0"),
        ({"where": "here"}, "expected one of '', 'e', 'm', 'around', 'sound'"),
        ({"cause": "sd"}, "answer where first"),
        ({"where": "e", "cause": "shortcut"}, "then one of sd, axis, hard"),
        ({"where": "e", "cause": "axis", "mended": True}, "find it first"),
        ({"solved": [3, 3]}, "name each case once"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(TraitError, match=message):
        ClinicExplorer(**options)


def test_an_answer_that_does_not_fit_is_refused_later_too():
    explorer = ClinicExplorer()
    with pytest.raises(TraitError, match="answer where first"):
        explorer.cause = "sd"
    explorer.where = "e"
    explorer.cause = "axis"
    with pytest.raises(TraitError, match="find it first"):
        explorer.mended = True


def test_every_word_of_the_clinic_is_used():
    """Each cause has its complaint, its button and both its replies, and nothing is left over."""
    for kind in ("complaint", "cause", "would", "found"):
        found = {
            key.partition("-")[2]
            for key in base.load_words()["clinic"]
            if key.startswith(f"{kind}-")
        }
        assert found == set(CAUSES)


@every_case
def test_case_picture_and_buttons_stand_in_one_screen(explorer_page, number):
    """In the book's column at 1280 x 800 (752 px wide, 48 px under the page's bar)."""
    page = explorer_page(ClinicExplorer(number, step=99), width=768, height=800)
    where, cause = truth(number)
    other = next(each for each in CAUSES if CAUSES[each].where == where and each != cause)
    states = [
        {},
        {"where": where},
        {"cause": other},
        {"cause": cause},
        {"mended": bool(CAUSES[cause].changes)},
    ]
    for state in states:
        set_traits(page, **state)
        tall = page.evaluate(
            """() => {
              const [root, panel] = ["[data-explorer]", ".gmm-panel"].map((name) =>
                document.querySelector(name).getBoundingClientRect());
              return panel.bottom - root.top;
            }"""
        )
        assert tall <= 752
        assert page.evaluate("document.documentElement.scrollWidth") <= 768


def test_on_a_projector_the_numbers_of_every_case_have_room(explorer_page):
    page = explorer_page(ClinicExplorer(step=99))
    press(page, "Projector")
    for number in range(1, len(CASES) + 1):
        set_traits(page, case=number, step=99)
        sticking_out = page.evaluate(
            """() => {
              const [root, table] = ["[data-explorer]", ".gmm-clinic-parameters"].map((name) =>
                document.querySelector(name).getBoundingClientRect());
              return table.right - root.right;
            }"""
        )
        assert sticking_out <= 0, number
