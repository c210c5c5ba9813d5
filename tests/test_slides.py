"""Slides: each fits its screen, explorers live in them, and the speaker has notes."""

import json
import re
from functools import cache
from types import SimpleNamespace

import pytest
import yaml
from conftest import ROOT
from test_site import parsed as parsed_page

import slides

SPINE = sorted(path.stem for path in (ROOT / "chapters").glob("0[1-6]*.ipynb"))
SCREENS = [(1280, 720), (1920, 1080)]
LEAST = {"text": 2, "explorer": 0.8}  # of the size of text in a page
NUMBER = re.compile(r"(?<![\w.])\d*\.\d+|(?<![\w.])\d{3,}(?![\w.])")
every_deck = pytest.mark.parametrize("name", SPINE)

# What sticks out of a slide or its parts, and the smallest text of each kind, in rem.
LOOK = """() => {
  const slide = Reveal.getCurrentSlide();
  const out = [...slide.querySelectorAll("h1, h2, .body > *, .body img, .body math")]
    .filter((each) => {
      const { width, left, right, top, bottom } = each.getBoundingClientRect();
      const inside = left > -1 && top > -1 && right < innerWidth + 1 && bottom < innerHeight + 1;
      return width && !inside;
    })
    .map((each) => each.outerHTML.slice(0, 90));
  for (const each of [slide, ...slide.querySelectorAll(".body")]) {
    const hidden = each.scrollHeight - each.clientHeight;
    if (hidden > 1) out.push(`${hidden}px`);
  }
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const text = [...slide.querySelectorAll(".body :is(.text, .box, .question) :is(p, li)")];
  const root = slide.querySelector(".gmm-explorer");
  return {
    out,
    text: Math.min(...text.map((each) => parseFloat(getComputedStyle(each).fontSize) / rem)),
    lives: slide.matches(".has-explorer"),
    explorer: root ? parseFloat(getComputedStyle(root).fontSize) / rem / (15 / 16) : null,
    broken: [...slide.querySelectorAll("img")].filter((each) => !each.naturalWidth).length,
    raw: /\\\\[([]/.test(slide.querySelector(".body")?.innerText ?? ""),
    errors: slide.querySelectorAll("merror, .explorer-error").length,
  };
}"""


def parsed(site, name):
    return parsed_page(site / "slides" / f"{name}.html")


def ready(page):
    page.wait_for_function("() => document.documentElement.dataset.set")
    return page


def go(page, number):
    """Show a slide, counted from 1, and wait until it has settled."""
    page.evaluate("(index) => Reveal.slide(index)", number - 1)
    page.wait_for_function("() => Reveal.getCurrentSlide().dataset.settled")


def number_of(name, key, value=None):
    """On which slide of a deck something stands, counted from 1."""
    given = yaml.safe_load((ROOT / "slides" / f"{name}.yml").read_text("utf-8"))
    return next(n for n, each in enumerate(given, 2) if key in each and value in (None, each[key]))


def here(page):
    return page.evaluate("Reveal.getIndices().h") + 1


def test_every_chapter_of_the_spine_has_a_deck(site):
    assert sorted(path.stem for path in (site / "slides").glob("*.html")) == SPINE


@every_deck
def test_a_deck_has_so_many_slides_each_with_notes(name, site):
    found = parsed(site, name).select(".slides > section")
    assert 12 <= len(found) <= 20
    for slide in found:
        assert len(slide.select_one("aside.notes").get_text(strip=True)) > 40, slide.h2
    assert len({slide.find(["h1", "h2"]).text for slide in found}) == len(found)
    assert len(parsed(site, name).select(".explorer-host")) >= 2


def test_notes_of_a_step_are_those_of_the_plan(site):
    plan = parsed_page(site / "appendices/teaching.html")
    used = 0
    for name in SPINE:
        given = yaml.safe_load((ROOT / "slides" / f"{name}.yml").read_text("utf-8"))
        for slide, element in zip(given, parsed(site, name).select("section")[1:], strict=True):
            if "step" in slide:
                step = plan.find(id=f"step-{slide['step']}").find("ul")
                assert step.get_text() in element.select_one("aside.notes").get_text()
                used += 1
    assert used > 20
    steps = {each["id"].removeprefix("step-") for each in plan.select(".admonition.step")}
    assert len(steps) > 25


@cache
def numbers_in(site):
    """The numbers in the text of the book."""
    pages = book_at(site).pages.values()
    return set(NUMBER.findall(" ".join(page.select_one("article").get_text(" ") for page in pages)))


@every_deck
def test_numbers_on_slides_are_numbers_of_the_book(name, site):
    """There they are pinned, each in a cell of its page."""
    known = numbers_in(site)
    written = set(NUMBER.findall((ROOT / "slides" / f"{name}.yml").read_text("utf-8")))
    assert written - known == set()


# Waits until the slide on show has settled, ten seconds at most.
SETTLED = """async () => {
  const late = performance.now() + 10_000;
  while (!Reveal.getCurrentSlide().dataset.settled) {
    if (performance.now() > late) throw new Error("the slide has not settled after 10 s");
    await new Promise(requestAnimationFrame);
  }
}"""
# Shows one slide after another, each until it has settled, and looks at it.
WALK = f"""async () => {{
  const seen = [];
  for (let index = 0; index < Reveal.getTotalSlides(); index += 1) {{
    Reveal.slide(index);
    await ({SETTLED})();
    seen.push(({LOOK})());
  }}
  return seen;
}}"""


@pytest.mark.slow
@every_deck
def test_every_slide_fits_and_can_be_read(name, site, open_page):
    page, asked = open_page(), []
    page.on("request", lambda request: asked.append(request.url))
    ready(page.goto((site / "slides" / f"{name}.html").as_uri()) and page)
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        looks = page.evaluate(WALK)
        assert len(looks) == len(parsed(site, name).select(".slides > section"))
        for number, seen in enumerate(looks, 1):
            at = f"slide {number} at {width} x {height}"
            assert seen["out"] == [], at
            assert seen["broken"] == seen["errors"] == 0, at
            assert not seen["raw"], at
            if seen["lives"]:
                assert seen["explorer"] >= LEAST["explorer"], at
            elif seen["text"] is not None:
                assert seen["text"] >= LEAST["text"] - 0.01, at
    assert [each for each in asked if not each.startswith((site.as_uri(), "blob:", "data:"))] == []


# Shows the second slide, and has it fitted anew so many frames later, before it has settled.
HURRY = f"""async (frames) => {{
  Reveal.slide(0);
  Reveal.slide(1);
  for (let n = 0; n < frames; n += 1) await new Promise(requestAnimationFrame);
  dispatchEvent(new Event("resize"));
  await ({SETTLED})();
  return ({LOOK})();
}}"""


@pytest.mark.slow
def test_a_slide_that_is_fitted_twice_at_once_fits(site, open_page):
    page = ready(open_page((site / f"slides/{SPINE[2]}.html").as_uri(), height=720))
    for frames in range(8):
        seen = page.evaluate(HURRY, frames)
        assert seen["lives"]
        assert seen["out"] == [], frames


@pytest.mark.slow
def test_an_explorer_on_a_slide_moves(site, open_page):
    page = ready(open_page((site / f"slides/{SPINE[2]}.html").as_uri(), height=720))
    go(page, number_of(SPINE[2], "explorer", "em()"))
    slide = page.locator("section.present")
    status = slide.get_by_role("status").first
    slide.get_by_role("button", name="E step", exact=True).click()
    assert "14%" in status.inner_text()
    handle = slide.get_by_role("slider", name=re.compile("Mean of component 2")).first
    box, before = handle.bounding_box(), handle.get_attribute("aria-valuenow")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 90, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert float(handle.get_attribute("aria-valuenow")) > float(before) + 1


@pytest.mark.slow
def test_a_remote_turns_slides_whatever_has_the_focus(site, open_page):
    page = ready(open_page((site / f"slides/{SPINE[2]}.html").as_uri(), height=720))
    at = number_of(SPINE[2], "explorer")
    go(page, at)
    slide = page.locator("section.present")
    slide.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")  # the handle's own key
    assert here(page) == at
    page.keyboard.press("PageDown")
    assert here(page) == at + 1
    page.keyboard.press("PageUp")
    assert here(page) == at
    # Alone on the screen the explorer takes both keys.
    page.locator("section.present .gmm-explorer").get_by_role("button", name="Projector").click()
    before = page.locator("section.present").get_by_role("status").first.inner_text()
    page.keyboard.press("PageDown")
    assert here(page) == at
    assert page.locator("section.present").get_by_role("status").first.inner_text() != before
    page.keyboard.press("Escape")
    page.keyboard.press("PageDown")
    assert here(page) == at + 1
    page.keyboard.press("PageUp")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("p")
    assert here(page) == at
    assert page.locator("[data-projector]").count() == 1


def test_the_next_key_shows_the_reply(site, open_page):
    page = ready(open_page((site / f"slides/{SPINE[0]}.html").as_uri(), height=720))
    at = number_of(SPINE[0], "question")
    go(page, at)
    reply = page.locator("section.present .reply")
    assert not reply.is_visible()
    page.keyboard.press("PageDown")
    reply.wait_for(state="visible")
    assert here(page) == at


@pytest.mark.slow
def test_the_speaker_sees_notes_and_the_next_slide(site, open_page):
    page = ready(open_page((site / f"slides/{SPINE[2]}.html").as_uri(), height=720))
    at = number_of(SPINE[2], "step", "share")
    go(page, at)
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value")
    notes.get_by_text("May 9 belong to both").wait_for()
    assert notes.locator("math").count() > 0
    opened.value.keyboard.press("PageDown")
    page.wait_for_function("(at) => Reveal.getIndices().h === at", arg=at)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"title": "A", "equation": "eq-nowhere", "notes": "b"}, "equation with the label"),
        ({"title": "A", "figure": "fig-nowhere", "notes": "b"}, "figure with the label"),
        ({"title": "A", "question": "q-nowhere", "notes": "b"}, "question with the label"),
        ({"title": "A", "question": "ch-mle", "notes": "b"}, "something else"),
        ({"title": "A", "explorer": "em(speed=2)", "notes": "b"}, "expected options"),
        ({"title": "A", "step": "nowhere"}, "step with the label"),
        ({"title": "A", "text": "b"}, "expected notes"),
        ({"title": "A", "picture": "b", "notes": "c"}, "expected a title and any of"),
        ({"text": "A", "notes": "c"}, "expected a title and any of"),
    ],
)
def test_what_the_book_does_not_have_is_told(given, told, site):
    with pytest.raises(slides.MissingError, match=told):
        slides.slide(book_at(site), given)


@cache
def book_at(site):
    """The built pages, as the extension finds them at the end of a build, and copies from them."""
    names = [
        each["file"]
        for part in yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))["parts"]
        for each in part["chapters"]
    ]
    book = slides.Book(
        SimpleNamespace(
            outdir=str(site),
            config=SimpleNamespace(root_doc="index", html_title="Gaussian mixtures and EM"),
            env=SimpleNamespace(toctree_includes={"index": names}),
        )
    )
    book.pages = {name: parsed_page(site / f"{name}.html") for name in ["index", *names]}
    return book


def test_a_slide_that_lacks_something_is_a_warning_with_its_place(site, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(slides.LOGGER, "warning", told.append)
    source = tmp_path / f"{SPINE[0]}.yml"
    source.write_text(json.dumps([{"title": "Why?", "equation": "eq-gone", "notes": "n"}]))
    slides.deck(book_at(site), source)
    (line,) = told
    assert "slide 2 (Why?)" in line
    assert "eq-gone" in line
