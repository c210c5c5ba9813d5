"""A page of the book printed by the browser: what is on paper, and where a sheet ends."""

import re

import pytest
from paper import filled, text_of

CHAPTERS = ["01-maximum-likelihood", "03-em-for-gaussian-mixtures", "06-gmm-revisited"]
LEAST_FILLED = 0.5  # a figure that goes to the next page leaves less than half of this one empty


@pytest.fixture
def printed(site, open_page, tmp_path):
    """A function that prints a chapter as a reader would, after ``first`` was run on its page."""

    def printed(name, first=lambda page: None):
        page = open_page((site / "chapters" / f"{name}.html").as_uri())
        page.wait_for_function("document.documentElement.dataset.set", timeout=60_000)
        first(page)
        target = tmp_path / f"{name}.pdf"
        margins = dict.fromkeys(("top", "bottom", "left", "right"), "15mm")
        page.pdf(path=target, format="A4", margin=margins)
        return target

    return printed


@pytest.mark.parametrize("name", CHAPTERS)
def test_sheets_are_full_and_hold_no_buttons(name, printed):
    pdf = printed(name)
    shares = filled(pdf)
    low = {number: share for number, share in enumerate(shares[:-1], 1) if share < LEAST_FILLED}
    assert low == {}
    assert shares[-1] > 0, "an empty sheet at the end"
    text = "\n".join(text_of(pdf))
    assert "Exercises" in text
    for button in ("Show code cell", "Hide code cell", "Back to top", "Skip to main"):
        assert button not in text
    assert re.search(r"^\W*Run\b.*Edit", text, re.M) is None


def test_folds_are_as_the_reader_left_them(printed):
    name = CHAPTERS[0]
    heads = ["Solution to Exercise 1.1", "Solution to Exercise 1.2"]
    seen = {}

    def unfold(page):
        for number, head in enumerate(heads):
            solution = page.locator(".solution").nth(number)
            words = solution.locator("section p").first.text_content().split()
            seen[head] = " ".join(words[:4])
        page.locator(".solution .toggle-button").first.click()

    text = " ".join(" ".join(text_of(printed(name, unfold))).split())
    assert all(head in text for head in heads)
    assert seen[heads[0]] in text
    assert seen[heads[1]] not in text
