"""Tasks that lead through their explorer: walked as a reader would, seen whole, written plainly."""

import json
import re

import nbformat
import pytest
from conftest import ROOT
from task_walks import WALKS, answer

WORDS = json.loads((ROOT / "gmm_lib/widgets/words.en.json").read_text(encoding="utf-8"))["tasks"]
TASKS = [(page, place) for page, walks in WALKS.items() for place in range(len(walks))]
every_task = pytest.mark.parametrize(("name", "place"), TASKS)


def led(page, place):
    """A task of the page, once its explorer is alive, and the explorer's root."""
    page.wait_for_function("document.documentElement.dataset.set")
    box = page.locator(".task").nth(place)
    box.scroll_into_view_if_needed()
    root = box.locator("xpath=following-sibling::*[1]").locator("[data-explorer]")
    root.wait_for()
    return box, root


def ticked(box):
    """Which steps carry a tick."""
    return box.evaluate(
        "(box) => [...box.querySelectorAll(':scope > ol > li')].flatMap((step, n) =>"
        " step.classList.contains('done') ? [n] : [])"
    )


def at_hand(box):
    """The step on show: the only one that can be seen."""
    steps = box.locator("> ol > li")
    seen = [n for n, step in enumerate(steps.all()) if step.locator("p").first.is_visible()]
    assert len(seen) == 1
    return seen[0]


def place_text(box):
    return box.locator(".task-at").inner_text()


def do(move, box, root):
    if move is answer:
        answer(box.locator("> ol > li").nth(at_hand(box)))
    else:
        move(root)


def next_step(box):
    box.get_by_role("button", name=WORDS["next"]).click()


def walk(box, root, moves):
    """Do each step, and see it ticked when it is done, no sooner, and none but it."""
    of = box.locator("> ol > li").count()
    assert of == len(moves)
    for n, move in enumerate(moves):
        assert at_hand(box) == n
        assert ticked(box) == list(range(n))
        do(move, box, root)
        box.page.wait_for_function(
            "([box, n]) => box.querySelectorAll(':scope > ol > li')[n].classList.contains('done')",
            arg=[box.element_handle(), n],
        )
        assert ticked(box) == list(range(n + 1))
        if n < of - 1:
            assert at_hand(box) == n
            assert place_text(box) == WORDS["at-done"].format(n=n + 1, of=of)
            next_step(box)
    assert place_text(box) == WORDS["finished"].format(done=of, of=of)


@every_task
def test_every_task_can_be_done_and_begun_again(name, place, site_url, open_page):
    page = open_page(f"{site_url}{name}.html")
    box, root = led(page, place)
    attributes = "(root) => ({ ...root.dataset })"
    before = root.evaluate(attributes)
    walk(box, root, WALKS[name][place])
    box.get_by_role("button", name=WORDS["over"]).click()
    assert root.evaluate(attributes) == before
    assert at_hand(box) == 0
    answered = WALKS[name][place][0] is answer  # what the reader has answered stays so
    assert ticked(box) == ([0] if answered else [])
