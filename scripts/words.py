"""Print how much there is to read on every page of the built site, and how long it takes.

Words are counted in what a reader sees without opening anything; folds and exercises are counted
apart, code and what it prints not at all, a formula in a line as one word. Minutes are those of
the words in the open, at 200 a minute (a text with formulas is read more slowly than others,
which take their readers about 240: Brysbaert, "How many words do we read per minute?", Journal of
Memory and Language 109, 2019), and a third of a minute for each displayed formula. Playing,
answering and exercises come on top.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from bs4 import BeautifulSoup

from book import SITE, contents, page_names

PACE = 200  # words a minute
FORMULA = 1 / 3  # minutes
# In this order: what is in a fold of an exercise is counted as of the exercise.
NOT_READ = "div.cell, div.highlight, script, style, svg, .headerlink, .moved"
EXERCISES = "section#exercises, .exercise, .solution"
FOLDS = "details, .admonition.dropdown, .toggle"
FORMULAS = "div.math"
BLOCKS = ["h1", "h2", "h3", "h4", "p", "li", "dt", "summary", "th", "td", "div"]


@dataclass(frozen=True)
class Reading:
    """What there is to read on a page: words in the open, in folds, in exercises; formulas."""

    title: str
    words: int
    folded: int
    exercises: int
    formulas: int

    @property
    def minutes(self) -> int:
        """For what is in the open."""
        return round(self.words / PACE + self.formulas * FORMULA)


def count(page: str) -> Reading:
    """What there is to read on a page of the site, given as HTML."""
    article = BeautifulSoup(page, "html.parser").select_one("article")
    title = article.h1
    for each in article.select(NOT_READ):
        each.decompose()
    exercises = take(article, EXERCISES)
    folded = take(article, FOLDS)
    words, formulas = weigh(article)
    return Reading(title.get_text().strip(), words, folded, exercises, formulas)


def take(article, selector: str) -> int:
    """Words of what is selected, which is taken out of the page."""
    total = 0
    for each in article.select(selector):
        if not each.decomposed:
            total += weigh(each)[0]
            each.decompose()
    return total


def weigh(part) -> tuple[int, int]:
    """Words and displayed formulas of a part of a page; it is left without its formulas."""
    displayed = part.select(FORMULAS)
    for each in displayed:
        each.decompose()
    for each in part.select("span.math"):
        each.string = "formula"
    for each in part.find_all(BLOCKS):
        each.append(" ")  # what follows is another word
    words = re.findall(r"\S*\w\S*", part.get_text())  # a dash alone is none
    return len(words), len(displayed)


def pages() -> list[tuple[str, list[str]]]:
    """The captions of the contents, each with the pages below it."""
    found = []
    for caption, names in contents():
        if caption or not found:
            found.append((caption or "", [*names]))
        else:  # a part that only numbers its pages otherwise than the one before
            found[-1][1].extend(names)
    return found


def read(site: Path = SITE) -> dict[str, Reading]:
    """What there is to read on every page of the contents, in their order."""
    return {
        name: count((site / f"{name}.html").read_text(encoding="utf-8")) for name in page_names()
    }


def main() -> None:
    if not (SITE / "index.html").exists():
        sys.exit("Expected a built book in _build/html, found none. Build it: make book")
    readings = read()
    line = "{:40} {:>7} {:>7} {:>9} {:>8} {:>7}".format
    keys = ("words", "folded", "exercises", "formulas", "minutes")
    print(line("", *keys))
    for caption, names in pages():
        rows = [[getattr(readings[name], key) for key in keys] for name in names]
        for name, row in zip(names, rows, strict=True):
            print(line(name, *row))
        if caption:
            print(line(f"  {caption}, in all", *map(sum, zip(*rows, strict=True))), end="\n\n")


if __name__ == "__main__":
    main()
