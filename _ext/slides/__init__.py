"""Slides for the chapters, made of their own formulas, figures, questions and explorers.

``slides/<chapter>.yml`` says what goes on the slides of a chapter; each becomes
``slides/<chapter>.html`` of the site, a deck on reveal.js. A file is a list of slides::

    - title: Why multiply?
      text: Independent draws: their heights **multiply**.
      equation: eq-mle-likelihood
      step: product

What stands on a slide, in the order in which it is written:

text       Markdown, with formulas between dollars; ``then`` is a text that waits for a key
equation   the label of a formula of the book, with its number
figure     the label of a figure: its picture, with its alt text
box        the label of a definition, a theorem, an algorithm
question   the name of a question: its choices; the next key marks the right one, with its reply
explorer   an explorer in a state, as the role ``explorer`` takes it (see embed.py): alive

``step`` names a step of the lesson plans (its label without ``step-``), ``notes`` is Markdown; both
are what the speaker sees, and every slide has one of them. What is named is taken from the pages
as they are built, whichever page it stands on. A name that no page has is a warning, so it fails
the build. The role ``slides`` links to a deck: {slides}`the slides <01-maximum-likelihood>`.

reveal.js comes with the package sphinx-revealjs, which is maintained, on the Python registry, and
follows reveal.js closely; nothing else of it is used. (nbconvert has slides, too, but looks for
reveal.js on the network or wherever one has put it. RISE needs a kernel.)
"""

import html
import importlib.util
import re
import shutil
from copy import copy
from functools import cached_property
from pathlib import Path

import yaml
from bs4 import BeautifulSoup
from math_core import LatexError
from sphinx.util import logging

import formulas
from embed import explorer_of, parsed, role_to, seen_from
from explorers import host_markup

LOGGER = logging.getLogger(__name__)
HERE = Path(__file__).parent
FOLDER = "slides"
PARTS = ("text", "then", "equation", "figure", "box", "question", "explorer")
REVEAL = ("dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE")
PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="description" content="{description}" />
<title>{title}</title>
<link rel="icon" href="../_static/favicon.svg" />
<link rel="stylesheet" href="../_static/reveal/reveal.css" />
<link rel="stylesheet" href="../_static/reveal/deck.css" />
<script src="../_static/explorer-host.js"></script>
<script defer src="../_static/reveal/reveal.js"></script>
<script defer src="../_static/reveal/notes.js"></script>
<script defer src="../_static/reveal/deck.js"></script>
</head>
<body>
<div class="reveal">
<div class="slides">
{slides}
</div>
</div>
</body>
</html>
"""


class MissingError(ValueError):
    """A slide names what the book does not have, or is not as it should be."""


def markdown(text: str) -> str:
    """HTML of Markdown, its formulas set."""
    try:
        return formulas.markdown(text)
    except LatexError as error:
        raise MissingError(f"expected formulas that can be set, in {text!r}: {error}") from None


def line(text: str) -> str:
    """HTML of Markdown without a paragraph around it."""
    return re.sub(r"^<p>|</p>\n?$", "", markdown(text))


def clean(element) -> None:
    """Take out of a piece of a page what is for the page: links, ids, marks."""
    for mark in element.select(".headerlink, script, style, button"):
        mark.decompose()
    for link in element.select("a"):
        link.unwrap()
    for each in [element, *element.select("[id]")]:
        del each["id"]
    for part in element.select("section"):
        part.name = "div"  # to reveal.js a section is a slide


class Book:
    """The built pages, by the names of what stands on them."""

    def __init__(self, app):
        self.app, self.folder = app, Path(app.outdir)

    @cached_property
    def pages(self) -> dict[str, BeautifulSoup]:
        names = [self.app.config.root_doc, *self.app.env.toctree_includes[self.app.config.root_doc]]
        return {name: parsed(self.folder / f"{name}.html") for name in names}

    @cached_property
    def named(self) -> dict[str, tuple[str, object]]:
        """The page and the element of every id, articles only."""
        return {
            each["id"]: (name, each)
            for name, page in self.pages.items()
            for each in page.select("article.bd-article [id]")
        }

    def find(self, kind: str, name: str):
        """A copy of the element with this id, its pictures as seen from the slides."""
        if name not in self.named:
            raise MissingError(f"expected a {kind} with the label {name!r}, found none")
        page, element = self.named[name]
        copied = copy(element)
        seen_from(FOLDER, copied, page)
        return copied

    def equation(self, name: str) -> str:
        found = self.find("equation", f"equation-{name}")
        number = found.select_one(".eqno")
        told = number.extract().get_text().strip("#\u00b6 \n") if number else ""
        clean(found)
        return f'<div class="equation">{found}<span class="number">{told}</span></div>'

    def figure(self, name: str) -> str:
        picture = self.find("figure", name).find("img")
        if picture is None:
            raise MissingError(f"expected a picture in the figure {name!r}, found none")
        for size in ("width", "height", "style"):
            del picture[size]
        return f'<div class="figure">{picture}</div>'

    def box(self, name: str) -> str:
        found = self.find("box", name)
        clean(found)
        return f'<div class="box">{found.decode_contents()}</div>'

    def question(self, name: str) -> str:
        """The question with its choices; what the next key shows is the right one, and why."""
        found = self.find("question", name)
        replies = found.select_one("details.replies")
        if replies is None:
            raise MissingError(f"expected a question named {name!r}, found something else")
        replies.extract()
        right = replies.select("ol > li:has(.right-sign)") or replies.select("ol > li")
        for mark in replies.select(".right-sign"):
            mark.decompose()
        found.select_one(".admonition-title").decompose()
        for each in [found, *right]:
            clean(each)
        reply = "".join(each.decode_contents() for each in right)
        asked = found.decode_contents()
        return f'<div class="question">{asked}<div class="fragment reply">{reply}</div></div>'

    def explorer(self, call: str) -> str:
        """An explorer in a state: alive, and a picture where no script runs."""
        try:
            explorer = explorer_of(call)
        except Exception as error:  # an explorer may refuse a state in many ways
            raise MissingError(str(error)) from None
        self.models = getattr(self, "models", 0) + 1
        opening, closing = host_markup(
            explorer.get_state(), str(self.models), self.folder / "_static"
        )
        image = f"{FOLDER}/{explorer.kind}-{self.models}.png"
        (self.folder / image).write_bytes(explorer.still_png())
        still = f'<img src="../{image}" alt="{html.escape(explorer.describe())}" />'
        return opening + still + closing

    def step(self, name: str) -> str:
        """A step of the lesson plans, as notes."""
        found = self.find("step", f"step-{name}")
        title, items = found.select_one(".admonition-title"), found.find("ul")
        clean(title)
        clean(items)
        return f"<h4>{title.decode_contents()}</h4>{items}"

    def text(self, text: str) -> str:
        return f'<div class="text">{markdown(text)}</div>'

    def then(self, text: str) -> str:
        return f'<div class="text fragment">{markdown(text)}</div>'

    def title(self, chapter: str) -> tuple[str, str]:
        """The title of a chapter, with its number, and the question that it asks."""
        page = self.pages[chapter]
        body = page.select_one("article.bd-article > section")
        title = page.title.string.partition(" \u2014 ")[0]
        return title, body.find("p").get_text()


def slide(book: Book, given: dict) -> str:
    """The markup of one slide."""
    unknown = set(given) - {"title", "step", "notes", *PARTS}
    if unknown or "title" not in given:
        raise MissingError(
            f"expected a title and any of {', '.join(PARTS)}, step, notes; got {', '.join(given)}"
        )
    notes = [book.step(given["step"])] if "step" in given else []
    notes += [markdown(given["notes"])] if "notes" in given else []
    if not notes:
        raise MissingError("expected notes, or a step of the lesson plans, got none")
    parts = []
    for kind, value in given.items():
        if kind in PARTS:
            values = value if isinstance(value, list) else [value]
            parts += [getattr(book, kind)(each) for each in values]
    kinds = " ".join(f"has-{kind}" for kind in given if kind in PARTS)
    return (
        f'<section class="{kinds}"><h2>{line(given["title"])}</h2>'
        f'<div class="body">{"".join(parts)}</div>'
        f'<aside class="notes">{"".join(notes)}</aside></section>'
    )


def deck(book: Book, source: Path) -> str:
    """The page of a deck."""
    chapter, name = f"chapters/{source.stem}", book.app.config.html_title
    if chapter not in book.pages:
        raise MissingError(f"expected the name of a chapter, got {source.stem!r}")
    title, asked = book.title(chapter)
    slides = [
        f'<section class="opening"><p class="book">{html.escape(name)}</p>'
        f'<h1>{html.escape(title)}</h1><p class="asked">{html.escape(asked)}</p>'
        '<aside class="notes"><p>Read the question, take answers, and leave it open. '
        "S: this view. P on an explorer: alone on the screen. Esc: all slides.</p></aside>"
        "</section>"
    ]
    for number, given in enumerate(yaml.safe_load(source.read_text("utf-8")), 2):
        try:
            slides.append(slide(book, given))
        except MissingError as error:
            where = f"{FOLDER}/{source.name}, slide {number} ({given.get('title', 'no title')})"
            LOGGER.warning(f"{where}: {error}")
    return PAGE.format(
        title=html.escape(f"{title}: slides \u2014 {name}"),
        description=html.escape(f"Slides for the chapter {title} of the book {name}."),
        slides="\n".join(slides),
    )


def write_decks(app, exception) -> None:
    """Write the deck of every chapter that has one, and what they share."""
    sources = sorted((Path(app.srcdir) / FOLDER).glob("*.yml"))
    if exception is not None or app.builder.format != "html" or not sources:
        return
    found = importlib.util.find_spec("sphinx_revealjs")
    if found is None:
        LOGGER.warning("slides need reveal.js: pip install sphinx-revealjs")
        return
    home = Path(found.submodule_search_locations[0]) / "_static" / "revealjs"
    out, shared = Path(app.outdir) / FOLDER, Path(app.outdir) / "_static" / "reveal"
    out.mkdir(exist_ok=True)
    shared.mkdir(exist_ok=True)
    for path in [home / each for each in REVEAL] + [HERE / "deck.css", HERE / "deck.js"]:
        shutil.copy(path, shared)
    book = Book(app)
    for source in sources:
        (out / f"{source.stem}.html").write_text(deck(book, source), encoding="utf-8")


def address_of(env, name: str) -> str:
    """The address of a deck, from the folder of the site."""
    if not (Path(env.srcdir) / FOLDER / f"{name}.yml").exists():
        raise MissingError(f"expected in angle brackets a file of {FOLDER}/, got {name!r}")
    return f"{FOLDER}/{name}.html"


def setup(app):
    app.add_role("slides", role_to(address_of))
    # After the pages have got their final form.
    app.connect("build-finished", write_decks, priority=800)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
