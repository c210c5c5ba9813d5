"""A monkey at every explorer: seeded random clicks, drags, keys and numbers, and what must hold.

No script error; no NaN, Infinity or number that fills a line, in text or in the picture; nothing
outside its box; Undo to the start gives the first state; a copied link gives the same state.
`make monkey` sends 10,000 events each instead of MONKEY_EVENTS' 300.
"""

import os
from pathlib import Path

import pytest
from explorer_page import traits_of

from gmm_lib import widgets

EVENTS = int(os.environ.get("MONKEY_EVENTS", 300))
ROUND = 150  # events until Undo goes back to the start; Undo knows the last 200 changes
WIDTHS = (1280, 360)

MONKEY = Path(__file__).with_name("monkey.js").read_text(encoding="utf-8")

UNDO = """
() => {
  const buttons = [...document.querySelectorAll("[data-explorer] button")];
  const undo = buttons.filter((each) => each.textContent === "Undo").at(-1);
  for (let n = 0; n < 250 && !undo.hasAttribute("aria-disabled"); n += 1) undo.click();
  return undo.hasAttribute("aria-disabled");
}
"""


FIELDS = {"em": 8, "likelihood": 2}  # fields for a number at the start; elsewhere there is none


def state(page, kind):
    """The explorer's state; which point is selected is nothing that Undo goes back to."""
    names = widgets.explorer_class(kind).STATE
    return traits_of(page, [name for name in names if name != "selected"])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", widgets.EXPLORERS)
def test_nothing_a_monkey_does_breaks_an_explorer(explorer_page, kind, width):
    explorer = widgets.explorer_class(kind)()
    page = explorer_page(explorer, width=width)
    page.set_default_timeout(60_000)
    first = state(page, kind)
    for n in range(-(-EVENTS // ROUND)):
        seed = 1000 * WIDTHS.index(width) + n
        events = min(ROUND, EVENTS - n * ROUND)
        told = page.evaluate(MONKEY, {"seed": seed, "events": events})
        assert told["found"] is None, f"seed {seed}: {told['found']}\n" + "\n".join(told["log"])
        if n < 3:
            page.get_by_role("button", name="Copy link").first.click()
            page.wait_for_function("location.hash.length > 1")
            left, fragment = state(page, kind), page.evaluate("location.hash")
            there = explorer_page(explorer, width=width, fragment=fragment)
            assert state(there, kind) == left
            page.evaluate("history.replaceState(null, '', location.pathname)")
        assert page.evaluate(UNDO)
        assert state(page, kind) == first


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", widgets.EXPLORERS)
def test_every_field_takes_or_refuses_every_number(explorer_page, kind, width):
    page = explorer_page(widgets.explorer_class(kind)(), width=width)
    page.set_default_timeout(60_000)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    fields = page.locator("input[type=number]:visible").count()
    assert fields == FIELDS.get(kind, 0)
    told = page.evaluate(MONKEY, {"seed": 0, "events": "numbers"})
    assert told["found"] is None, "\n".join([told["found"], *told["log"]])
    assert told["events"] == 29 * fields
