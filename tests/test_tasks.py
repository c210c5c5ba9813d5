"""Tasks that lead through their explorer: walked as a reader would, seen whole, written plainly."""

import json
import re

import pytest
from conftest import ROOT, pages
from explorer_page import run_axe
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from task_walks import EM, WALKS, answer, press
from test_build import TOC, build, copy_machinery
from test_site import overflow

import tasks

WORDS = json.loads((ROOT / "gmm_lib/widgets/words.en.json").read_text(encoding="utf-8"))["tasks"]
every_page = pytest.mark.parametrize("name", WALKS)


def led(page, place):
    """A task of the page, once its explorer is alive, and the explorer's root."""
    page.wait_for_function("document.documentElement.dataset.set")
    box = page.locator(".task").nth(place)
    box.scroll_into_view_if_needed()
    root = box.locator("xpath=following-sibling::*[1]").locator("[data-explorer]")
    root.wait_for()
    return box, root


# The steps that can be seen, those that carry a tick, and what the line about them says.
LOOK = """
(box) => {
  const steps = [...box.querySelectorAll(":scope > ol > li")];
  const numbers = (holds) => steps.flatMap((step, n) => (holds(step) ? [n] : []));
  const shown = (text) => text.checkVisibility({ visibilityProperty: true }) && text.offsetHeight;
  return [
    numbers((step) => shown(step.querySelector("p"))),
    numbers((step) => step.classList.contains("done")),
    box.querySelector(".task-at").innerText,
  ];
}
"""


def look(box):
    """The step on show, the only one that can be seen; the steps with a tick; what is said."""
    (seen,), ticks, told = box.evaluate(LOOK)
    return seen, ticks, told


def ticked(box):
    return look(box)[1]


def at_hand(box):
    return look(box)[0]


def place_text(box):
    return box.evaluate(LOOK)[2]


def do(move, box, root, n=0):
    """Do what the step on show asks for, which is the one of this number."""
    if move is answer:
        answer(box.locator("> ol > li").nth(n))
    else:
        move(root)


def next_step(box):
    box.get_by_role("button", name=WORDS["next"]).click()


def start_over(box):
    box.get_by_role("button", name=WORDS["over"]).click()


def room(page):
    """The height of the window below the bar at its top."""
    bar = page.locator(".bd-header-article").bounding_box()
    return page.viewport_size["height"] - bar["height"]


# -- each step is done, with the picture and what one presses in one window

# Notes, when the reader takes hold of something, how tall a window must be to show it with the
# picture, the one it is in or the first, and how tall for the step as well.
WATCH = """
([box, root]) => {
  window.used = [];
  const spread = (...elements) => {
    const [tops, bottoms] = ["top", "bottom"].map((side) =>
      elements.map((each) => each.getBoundingClientRect()[side]));
    return Math.max(...bottoms) - Math.min(...tops);
  };
  const note = (event) => {
    const target = event.target.closest("button, select, input, .gmm-handle");
    if (!target) return;
    const picture = target.closest(".gmm-figure") ?? root.querySelector(".gmm-figure");
    const name = target.getAttribute("aria-label") ?? target.textContent;
    window.used.push([name, spread(picture, target), spread(box, picture, target)]);
  };
  for (const kind of ["pointerdown", "keydown", "input"]) root.addEventListener(kind, note, true);
  window.asked = () => spread(box, root.querySelector(".gmm-figure"));
}
"""


@every_page
def test_every_task_can_be_done_and_begun_again(name, site_url, open_page):
    """Each step is ticked when it is done, no sooner, and none but it.

    The step, the picture and what is pressed stand together; where a step asks a question, the
    question and the picture. Then all is done once more on a phone, where the picture stands with
    what is pressed.
    """
    page = open_page(f"{site_url}{name}.html", height=800)
    for place, moves in enumerate(WALKS[name]):
        page.set_viewport_size({"width": 1280, "height": 800})
        box, root = led(page, place)
        ends = [box.element_handle(), root.element_handle()]
        page.evaluate(WATCH, ends)
        attributes = "(root) => ({ ...root.dataset })"
        before = root.evaluate(attributes)
        of = box.locator("> ol > li").count()
        assert of == len(moves)
        for n, move in enumerate(moves):
            assert look(box)[:2] == (n, list(range(n)))
            if move is answer:
                assert page.evaluate("asked()") <= room(page), n
            do(move, box, root, n)
            page.wait_for_function(
                "([box, n]) => box.querySelectorAll(':scope > ol > li')[n].matches('.done')",
                arg=[ends[0], n],
            )
            used = page.evaluate("used.splice(0)")
            assert used or move is answer
            for pressed, _, with_all in used:
                assert with_all <= room(page), (n, pressed)
            if n < of - 1:
                told = WORDS["at-done"].format(n=n + 1, of=of)
                assert look(box) == (n, list(range(n + 1)), told)
                next_step(box)
        assert ticked(box) == list(range(of))
        assert place_text(box) == WORDS["finished"].format(done=of, of=of)
        start_over(box)
        assert root.evaluate(attributes) == before
        answered = moves[0] is answer  # what the reader has answered stays so
        assert look(box)[:2] == (0, [0] if answered else [])

        page.set_viewport_size({"width": 360, "height": 740})
        for n, move in enumerate(moves):
            assert at_hand(box) == n
            do(move, box, root, n)
            used = page.evaluate("used.splice(0)")
            assert used or move is answer
            for pressed, with_picture, _ in used:
                assert with_picture <= room(page), (n, pressed)
            if n < of - 1:
                next_step(box)


# -- how it feels: on chapter 3

CHAPTER = "chapters/03-em-for-gaussian-mixtures"


@pytest.fixture(scope="module")
def chapter_page(site_url, chromium):
    with pages(chromium) as open_page:
        yield open_page(f"{site_url}{CHAPTER}.html")


@pytest.fixture
def chapter(chapter_page):
    """The chapter, its task and the explorer, as at a first visit."""
    page = chapter_page
    page.emulate_media(forced_colors="none")
    page.keyboard.press("Escape")  # out of projector mode
    box, root = led(page, 0)
    page.evaluate("localStorage.clear()")
    start_over(box)
    return page, box, root


def said(box):
    return box.locator("> [role=status]").inner_text()


def test_the_next_step_waits_for_the_reader(chapter):
    """A step that is done stays to be read; who goes on all the same finds the next one ticked."""
    page, box, root = chapter
    do(EM[0], box, root)
    assert (at_hand(box), ticked(box)) == (0, [0])
    do(EM[1], box, root)
    assert (at_hand(box), ticked(box)) == (1, [0, 1])


def test_what_was_done_before_its_step_counts_when_the_step_comes(chapter):
    page, box, root = chapter
    for _ in range(2):
        press(root, "Step")  # an E step and an M step at once
        assert (at_hand(box), ticked(box)) == (0, [0])
    next_step(box)
    assert (at_hand(box), ticked(box)) == (1, [0, 1])


def test_steps_can_be_skipped_and_seen_whole(chapter):
    page, box, root = chapter
    of = box.locator("> ol > li").count()
    box.get_by_role("button", name=WORDS["skip"]).click()
    assert (at_hand(box), ticked(box)) == (1, [])
    whole = box.get_by_role("button", name=WORDS["all"])
    assert whole.get_attribute("aria-pressed") == "false"
    whole.click()
    assert whole.get_attribute("aria-pressed") == "true"
    steps = box.locator("> ol > li").all()
    assert all(step.locator("p").first.is_visible() for step in steps)
    assert [step.get_attribute("aria-current") for step in steps].index("step") == 1
    whole.click()
    for _ in range(of - 1):
        box.get_by_role("button", name=WORDS["skip"]).click()
    assert place_text(box) == WORDS["finished"].format(done=0, of=of)
    assert not box.get_by_role("button", name=WORDS["skip"]).is_visible()
    assert box.get_by_role("button", name=WORDS["over"]).evaluate(
        "(e) => e === document.activeElement"
    )


def test_all_is_told_to_who_cannot_see_it(chapter):
    page, box, root = chapter
    of = box.locator("> ol > li").count()
    texts = [step.locator("p").first.text_content() for step in box.locator("> ol > li").all()]
    texts = [text.strip() for text in texts]
    do(EM[0], box, root)
    done = WORDS["said-done"].format(n=1, of=of)
    assert said(box) == f"{done} {WORDS['said-next'].format(step=texts[1])}"
    next_step(box)
    assert said(box) == WORDS["said-at"].format(n=2, of=of, step=texts[1])
    snapshot = box.aria_snapshot()
    assert texts[1] in snapshot
    assert texts[2] not in snapshot  # one step, for the ear as well
    assert run_axe(page, ".task") == []


def test_by_keyboard_alone(chapter):
    page, box, root = chapter
    box.get_by_role("button", name=WORDS["skip"]).focus()
    page.keyboard.press("Enter")
    assert at_hand(box) == 1
    assert box.get_by_role("button", name=WORDS["skip"]).evaluate(
        "(e) => e === document.activeElement"
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert at_hand(box) == 0


def test_what_is_done_is_kept_until_it_is_forgotten(chapter):
    page, box, root = chapter
    do(EM[0], box, root)
    next_step(box)
    page.reload()
    box, root = led(page, 0)
    assert (at_hand(box), ticked(box)) == (1, [0])
    assert root.get_attribute("data-half") == "m"  # the explorer begins anew
    do(lambda each: press(each, "E step", "M step"), box, root)
    assert ticked(box) == [0, 1]
    questions = json.loads((ROOT / "gmm_lib/widgets/words.en.json").read_text(encoding="utf-8"))
    page.get_by_role("button", name=questions["questions"]["forget-page"]).click()
    assert (at_hand(box), ticked(box)) == (0, [])
    page.reload()
    assert ticked(led(page, 0)[0]) == []


@pytest.mark.parametrize(
    "junk", ["7", "{", '{"states":["done","done","done","done","done"],"at":9}', '{"states":3}']
)
def test_what_cannot_have_been_kept_is_as_nothing(junk, chapter):
    page, box, root = chapter
    do(EM[0], box, root)
    page.evaluate(
        """(junk) => {
          const keys = Object.keys(localStorage).filter((key) => key.includes("/task-"));
          for (const key of keys) localStorage[key] = junk;
        }""",
        junk,
    )
    page.reload()
    assert ticked(led(page, 0)[0]) == []


def test_nothing_below_moves_as_steps_are_done(chapter):
    """But where a step asks a question."""
    page, box, root = chapter
    top = "(root) => root.getBoundingClientRect().top + scrollY"
    places = [root.evaluate(top)]
    do(EM[0], box, root)
    places.append(root.evaluate(top))
    next_step(box)
    places.append(root.evaluate(top))
    assert len(set(places)) == 1


def test_a_link_to_a_question_in_a_step_shows_it(site_url, open_page):
    page = open_page(f"{site_url}{CHAPTER}.html#q-em-nine")
    led(page, 0)
    assert page.locator("#q-em-nine").is_visible()


def test_the_projector_takes_the_task_along(chapter):
    page, box, root = chapter
    press(root, "Projector")
    alone = page.locator("[data-projector]")
    assert alone.locator("> .task").is_visible()
    do(EM[0], box, alone)
    assert ticked(box) == [0]
    page.keyboard.press("Escape")
    assert page.locator("[data-explorer] .task").count() == 0
    assert root.is_visible()  # right below it again


def test_on_paper_and_without_scripts_it_is_a_list(site_url, open_page):
    page = open_page(f"{site_url}{CHAPTER}.html")
    box, _ = led(page, 0)
    page.emulate_media(media="print")
    without = open_page(f"{site_url}{CHAPTER}.html", scripts=False, allow=["csp"])
    plain = without.locator(".task").first
    for each in (box, plain):
        steps = each.locator("> ol > li").all()
        assert len(steps) > 2
        assert all(step.locator("p").first.is_visible() for step in steps)
        tops = [step.bounding_box()["y"] for step in steps]
        assert sorted(set(tops)) == tops
        assert each.locator("button.ready, .task-press button").locator("visible=true").count() == 0
        assert "done:" not in each.inner_text()
        each.page.wait_for_load_state("networkidle")  # leaving breaks nothing off


@pytest.mark.parametrize("dark", [False, True])
def test_fingers_can_hit_its_buttons(dark, site_url, open_page):
    page = open_page(f"{site_url}{CHAPTER}.html", width=360, dark=dark, touch=True)
    box, root = led(page, 0)
    do(EM[0], box, root)
    buttons = box.locator(".task-press button").all()
    assert len(buttons) == 3
    for button in buttons:
        size = button.bounding_box()
        assert min(size["width"], size["height"]) >= 44
    assert overflow(page) == []
    assert run_axe(page, ".task") == []


def test_the_tick_and_the_next_button_show_in_forced_colors(chapter):
    page, box, root = chapter
    do(EM[0], box, root)
    page.emulate_media(forced_colors="active")
    button = box.get_by_role("button", name=WORDS["next"])
    assert button.evaluate("(e) => getComputedStyle(e).borderTopWidth") == "3px"
    assert "✓" in place_text(box)


# -- conditions

NAMES = {"iteration": "", "half": "", "gap": "", "labels": "", "resting": ""}
COMPILED = {
    "iteration >= 1": [[["and", [">=", ["value", "iteration"], 1]]]],
    "resting": [[["value", "resting"]]],
    'half == "e" and not resting or gap > -0.5': [
        [
            [
                "or",
                ["and", ["and", ["==", ["value", "half"], "e"]], ["not", ["value", "resting"]]],
                ["and", [">", ["value", "gap"], ["-", 0, 0.5]]],
            ]
        ]
    ],
    "0 < gap < iteration + 1": [
        [
            [
                "and",
                ["<", 0, ["value", "gap"]],
                ["<", ["value", "gap"], ["+", ["value", "iteration"], 1]],
            ]
        ]
    ],
    "min(labels) != 0; gap == 0 then resting == True": [
        [["and", ["!=", ["min", ["value", "labels"]], 0]]],
        [["and", ["==", ["value", "gap"], 0]], ["and", ["==", ["value", "resting"], True]]],
    ],
    'answered("q-x")': [[["answered", "q-x"]]],
}
REFUSED = {
    "iterations >= 1": "expected a value that the explorer tells (iteration, half, gap, labels, ",
    "iteration >=": "expected a condition such as",
    "": "expected a condition such as",
    "iteration >= 1;": "expected a condition such as",
    "gap > 0 then": "expected a condition such as",
    "gap = 0": "expected a condition such as",
    "gap * 2 > 1": "got `gap * 2`",
    "labels[0] > 1": "got `labels[0]`",
    "max(labels, 2) > 1": "got `max(labels, 2)`",
    "open('x')": "got `open('x')`",
    "answered(half)": "got `answered(half)`",
    "gap in labels": "got `gap in labels`",
    "half is None": "got `half is None`",
    "iteration.real > 1": "got `iteration.real`",
}


@pytest.mark.parametrize("text", COMPILED)
def test_conditions_are_compiled(text):
    assert tasks.compiled(text, NAMES) == COMPILED[text]


@pytest.mark.parametrize("text", REFUSED)
def test_other_conditions_are_refused(text):
    with pytest.raises(tasks.MalformedTaskError, match=re.escape(REFUSED[text])):
        tasks.compiled(text, NAMES)


# -- the build

STEP = '1. Press. <!-- done: half == "e" -->'
MALFORMED = {
    "no list": ("Press.", "expected a numbered list at the end, got paragraph"),
    "no comment": (f"{STEP}\n2. Then.", "step 2: expected one comment <!-- done: … -->"),
    "two comments": (
        STEP + STEP[2:],
        "step 1: expected one comment <!-- done: … --> at the end of the step, got 2",
    ),
    "an unknown value": (
        "1. Press. <!-- done: halves -->",
        "step 1: expected a value that the explorer tells (data, ",
    ),
    "an unknown question": (
        '1. Answer. <!-- done: answered("q-none") -->',
        "step 1: expected a question :name: q-none below",
    ),
    "no explorer": (STEP, "expected one explorer right below the task, got none"),
}
PAGE_CELL = "from gmm_lib.widgets import EMExplorer\n\nEMExplorer()"


def test_malformed_tasks_fail_the_build(tmp_path):
    copy_machinery(tmp_path)
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / "index.md").write_text("# Small book\n")
    (tmp_path / "references.bib").write_text("")
    cells = [new_markdown_cell("# Page\n\nText.", id="head")]
    for n, (what, (steps, _)) in enumerate(MALFORMED.items()):
        between = "\n\nText in between.\n" if what == "no explorer" else ""
        box = f":::{{admonition}} Your task\n:class: tip task\n\n{steps}\n:::\n{between}"
        cells.append(new_markdown_cell(f"## Section {n}\n\n{box}", id=f"task-{n}"))
        cells.append(new_code_cell(PAGE_CELL, id=f"show-{n}"))
    notebook = new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "page.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    said, status = build(tmp_path)
    assert status != 0
    assert "Traceback" not in said
    told = re.findall(r"WARNING: chapters/page, task (\d+): (.*?)(?:\x1b|\n)", said)
    assert [int(number) for number, _ in told] == list(range(1, len(MALFORMED) + 1))
    for (_, message), (_, expected) in zip(told, MALFORMED.values(), strict=True):
        assert expected in message
