"""The site in Firefox and WebKitGTK: pages open, explorers have Chromium's numbers, Back works."""

import json
import os
import shutil

import pytest
from conftest import serving
from engines import wait_for
from test_site import PAGES

from gmm_lib import widgets

GALLERY = "appendices/explorers.html"
# What fails is told from the first script of a page on; a load that fails, by its element.
LISTEN = """<script>
window.problems = [];
addEventListener("error", (event) => {
  if (event.target.rel === "next") return; // Firefox begins to fetch it, and may drop it
  problems.push(String(event.error ?? event.message ?? event.target.src ?? event.target.href));
}, true);
addEventListener("unhandledrejection", (event) => problems.push(String(event.reason)));
</script>"""
SETTLED = """
return document.readyState === "complete" && Boolean(document.documentElement.dataset.set) &&
  [...document.querySelectorAll(".explorer-host")].every(
    (host) => host.dataset.alive || host.querySelector(".explorer-error"))
"""
PROBLEMS = """
return [...problems, ...[...document.querySelectorAll(".explorer-error")].map((e) => e.textContent)]
"""
# The button that is pressed in each explorer.
MOVES = {
    "em": "Step",
    "likelihood": "Curve A",
    "labels": "Label",
    "bound": "E step",
    "break-it": "It rises",
    "jensen": "Add a point",
    "paths": "To the end",
    "soft-hard": "EM step on the means",
    "shards": "Merge",
    "clinic": "E step",
}
MOVE = """
const [kind, name] = arguments;
const root = document.querySelector(`[data-explorer="${kind}"]`);
[...root.querySelectorAll("button")].find((each) => each.textContent === name).click();
"""
NUMBERS = """
const root = document.querySelector(`[data-explorer="${arguments[0]}"]`);
return JSON.stringify({ ...root.dataset });
"""


@pytest.fixture(scope="module")
def listening_site(site, tmp_path_factory):
    """The built book, whose pages keep what goes wrong in `problems`."""
    copy = tmp_path_factory.mktemp("listening") / "site"

    def take(source, target):
        if not source.endswith(".html"):
            try:
                os.link(source, target)
            except OSError:  # another disk
                shutil.copyfile(source, target)
            return
        with open(source, encoding="utf-8") as page, open(target, "w", encoding="utf-8") as out:
            out.write(page.read().replace("<head>", "<head>" + LISTEN, 1))

    shutil.copytree(site, copy, copy_function=take)
    return copy


@pytest.fixture(scope="module")
def listening_url(listening_site):
    with serving(listening_site) as url:
        yield url


@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_without_an_error(engine, listening_url, name):
    engine.navigate(listening_url + name)
    wait_for(engine, SETTLED)
    assert engine.execute_script(PROBLEMS) == []


def numbers(text):
    """A tree of numbers, where the text is one, and of texts."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return text
    return {k: numbers(v) for k, v in found.items()} if isinstance(found, dict) else found


def agree(ours, theirs, where=""):
    """Engines round sums of many terms, and functions such as exp, each in its own way."""
    assert type(ours) is type(theirs) or isinstance(ours, int | float), where
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), where
        for key in ours:
            agree(ours[key], theirs[key], f"{where} {key}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for n, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            agree(one, other, f"{where} {n}")
    elif isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-11), where
    else:
        assert ours == theirs, where


@pytest.mark.parametrize("place", ["http", "file"])
def test_explorers_have_the_numbers_of_chromium(
    engine, open_page, listening_site, listening_url, place
):
    address = listening_url + GALLERY if place == "http" else (listening_site / GALLERY).as_uri()
    engine.navigate(address)
    page = open_page(address)
    wait_for(engine, SETTLED)
    page.wait_for_function(f"() => {{ {SETTLED} }}", timeout=120_000)
    kinds = engine.execute_script(
        "return [...document.querySelectorAll('[data-explorer]')].map((e) => e.dataset.explorer)"
    )
    assert set(kinds) == set(widgets.EXPLORERS)
    for kind in kinds:
        start = engine.execute_script(NUMBERS, [kind])
        engine.execute_script(MOVE, [kind, MOVES[kind]])
        page.evaluate(f"(args) => (function () {{ {MOVE} }})(...args)", [kind, MOVES[kind]])
        moved = engine.execute_script(NUMBERS, [kind])
        assert moved != start, kind
        theirs = page.evaluate(f"(kind) => (function () {{ {NUMBERS} }})(kind)", kind)
        agree(numbers(moved), numbers(theirs), kind)
    assert engine.execute_script(PROBLEMS) == []


@pytest.mark.parametrize("place", ["http", "file"])
def test_back_brings_what_was_left(engine, listening_site, listening_url, place):
    address = listening_url + GALLERY if place == "http" else (listening_site / GALLERY).as_uri()
    alive = "return Boolean(document.querySelector('[data-explorer=bound]'))"
    engine.navigate(address)
    wait_for(engine, SETTLED)
    first = engine.execute_script(NUMBERS, ["bound"])
    engine.execute_script(MOVE, ["bound", "E step"])
    left = engine.execute_script(NUMBERS, ["bound"])
    assert left != first
    engine.execute_script("document.querySelector('a.right-next, a.left-prev').click()")
    wait_for(engine, f"return !location.href.includes({GALLERY!r}) && 'problems' in window")
    engine.go_back()
    wait_for(engine, f"return location.href.includes({GALLERY!r})")
    wait_for(engine, alive)
    wait_for(engine, SETTLED)
    agree(numbers(engine.execute_script(NUMBERS, ["bound"])), numbers(left))
