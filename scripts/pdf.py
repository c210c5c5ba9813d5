"""Make one PDF of the built book: _build/paper/gaussian-mixtures-and-em.pdf.

    python scripts/pdf.py

The pages of the site become one page, in the order of the contents: names are made unique, links
between pages lead inside the PDF, explorers stand as their pictures with the address of the live
ones, and solutions are gathered at the end. A browser prints it, twice: the first time tells on
which page each section begins. Code that the site folds away is left out.

Addresses are relative to the folder of the site, which lies beside the PDF in what `make zip`
packs; with BOOK_ADDRESS=https://… in the environment they are whole, and links.
"""

import ctypes
import html
import os
import posixpath
import re
import sys
import tomllib
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import yaml
from bs4 import BeautifulSoup

from book import OUTPUT, ROOT, SITE, contents, fingerprint
from browser import chromium

sys.path.append(str(ROOT / "_ext"))

from search import in_line

PAPER = OUTPUT / "paper"
TARGET = PAPER / "gaussian-mixtures-and-em.pdf"
SOURCE = PAPER / "book.html"  # the one page that is printed
STYLE = Path(__file__).with_name("pdf.css")
REFERRING = ("for", "aria-labelledby", "aria-describedby", "aria-controls")
# What a press of a button would bring, or a script reads.
NOT_ON_PAPER = "script, style, .headerlink, details.hide, .explorer-error, p.live-only, nav, button"


def parse(name: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def unique(page: str, name: str) -> str:
    """The name that an id of a page has in the one page of all."""
    return f"{page.rpartition('/')[2]}--{name}" if name else page.rpartition("/")[2]


def fragment(markup: str):
    return BeautifulSoup(markup, "html.parser")


def lead_inside(link, page: str, names: dict[str, set[str]]) -> None:
    """Make a link to a page of the book one inside the PDF; one to another file plain text."""
    path, _, name = link["href"].partition("#")
    if ":" in path.partition("/")[0]:
        return
    name = name.partition("=")[0]  # a link may hold an explorer's state
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    target = target.removesuffix(".html")
    if target in names:
        link["href"] = f"#{unique(target, name if name in names[target] else '')}"
    else:
        link.unwrap()


def address(page: str, name: str = "") -> str:
    """Markup for where something of a page is alive."""
    place = f"{page}.html" + (f"#{name}" if name else "")
    base = os.environ.get("BOOK_ADDRESS", "").rstrip("/")
    if base:
        return f'<a href="{html.escape(base)}/{place}">{html.escape(base)}/{place}</a>'
    return f"<code>{place}</code>"


def article(page: str, soup: BeautifulSoup, names: dict[str, set[str]]):
    """The text of a page, ready to stand beside those of others."""
    body = soup.select_one("article.bd-article > section")
    heading = body.find("h1")
    for host in body.select(".explorer-host"):
        place = host.find_parent("section").get("id", "")
        note = f'<p class="address">Alive in the book: {address(page, place)}</p>'
        host.append(fragment(note))
        host["class"] = ["explorer-host"]
    for element in body.select(NOT_ON_PAPER):
        element.decompose()
    # The title of the page has the chapter's number, its heading has not.
    if soup.title.string.partition(".")[0].isdigit():
        heading.string = soup.title.string.partition(" — ")[0]
    for element in body.select("details"):
        element["open"] = ""
    for formula in body.select("math"):
        # Read out as a whole: a PDF would else name every part of it as a thing of its own.
        formula["aria-label"] = in_line(formula)
        for part in formula.find_all(True):
            part["role"] = "none"
        formula["role"] = "img"
    for image in body.select("img[src]"):
        image["src"] = posixpath.join("../html", posixpath.dirname(page), image["src"])
        del image["loading"]
    for link in body.select("a[href]"):
        lead_inside(link, page, names)
    for element in [body, *body.select("[id]")]:
        element["id"] = unique(page, element["id"])
    for attribute in REFERRING:
        for element in body.select(f"[{attribute}]"):
            element[attribute] = " ".join(unique(page, each) for each in element[attribute].split())
    body.insert(0, fragment(f'<span id="{unique(page, "")}"></span>'))
    return body


def take_solutions(body) -> list:
    """Cut the solutions out of a page, and leave word where they are."""
    taken = []
    for solution in body.select(".solution[id]"):
        word = f'<p class="to-solution">Solution: <a href="#{solution["id"]}">page </a></p>'
        note = fragment(word)
        note.a.append(fragment(page_of(solution["id"])))
        solution.replace_with(note)
        taken.append(solution)
    return taken


def page_of(name: str) -> str:
    """A place for the number of the page on which ``name`` stands."""
    return f'<span class="page" data-of="{html.escape(name)}">000</span>'


def entry(name: str, words: str, level: int) -> str:
    line = f'<a href="#{name}"><span>{html.escape(words)}</span><i></i>{page_of(name)}</a>'
    return f'<li class="level-{level}">{line}</li>'


def list_of_contents(bodies: list[tuple[str | None, object]]) -> str:
    """The contents: parts, chapters and sections, each with its page."""
    lines = []
    for caption, body in bodies:
        if caption:
            lines.append(f'<li class="part">{html.escape(caption)}</li>')
        lines.append(entry(body.find("span")["id"], body.h1.get_text(), 1))
        sections = [each for each in body.find_all("section", recursive=False) if each.get("id")]
        lines += [entry(each["id"], each.find("h2").get_text(), 2) for each in sections]
    return f'<section class="contents"><h1>Contents</h1><ul>{"".join(lines)}</ul></section>'


def cover() -> str:
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return (
        f'<section class="cover-page"><p class="title">{config["title"]}</p>'
        f"<p>{config['author']}</p><p>Version {project['version']}, {config['copyright']}</p>"
        "<p>On paper everything can be read, and nothing moves: explorers are pictures, each with "
        f"the address of the live one. The book itself opens at {address('index')}.</p>"
        "<p>Text and figures CC BY 4.0, code MIT.</p></section>"
    )


def whole_book() -> str:
    """The one page that is printed."""
    soups = {name: parse(name) for _, pages in contents() for name in pages}
    names = {
        name: {each["id"] for each in soup.select("article.bd-article [id]")}
        for name, soup in soups.items()
    }
    bodies = []
    solved = fragment('<section><span id="solutions"></span><h1>Solutions</h1></section>')
    for caption, pages in contents():
        for page in pages:
            body = article(page, soups[page], names)
            taken = take_solutions(body)
            if taken:
                part = f'<section id="solutions-{unique(page, "")}"><h2></h2></section>'
                section = fragment(part).section
                section.h2.string = body.h1.get_text()
                section.extend(taken)
                solved.section.append(section)
            bodies.append((caption if page == pages[0] else None, body))
    bodies.append((None, solved.section))
    text = "".join(str(body) for _, body in bodies)
    title = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
    return (
        f'<!DOCTYPE html><html lang="en" data-theme="light">{head_for(title)}<body>'
        f'<article class="bd-article book">{cover()}{list_of_contents(bodies)}{text}</article>'
        "</body></html>"
    )


def head_for(title: str) -> str:
    """The head of a page to print beside the site: its style, the font of formulas, and ours."""
    page = contents()[1][1][0]  # a chapter: it has formulas
    head = parse(page).head
    styles = [each["href"] for each in head.select('link[rel~="stylesheet"]')]
    folder = f"../html/{posixpath.dirname(page)}"
    links = "".join(f'<link rel="stylesheet" href="{folder}/{each}"/>' for each in styles)
    return (
        f'<head><meta charset="utf-8"/><title>{html.escape(title)}</title>{links}'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head>"
    )


def pages_of_names(pdf: Path) -> dict[str, int]:
    """On which page, counted from 1, each named place of a PDF is."""
    found = {}
    with pypdfium2.PdfDocument(pdf) as document:
        for index in range(pdfium.FPDF_CountNamedDests(document)):
            size = ctypes.c_long(0)
            pdfium.FPDF_GetNamedDest(document, index, None, ctypes.byref(size))
            buffer = ctypes.create_string_buffer(size.value)
            place = pdfium.FPDF_GetNamedDest(document, index, buffer, ctypes.byref(size))
            name = buffer.raw[: size.value].decode("utf-16-le").rstrip("\0")
            found[name] = pdfium.FPDFDest_GetDestPageIndex(document, place) + 1
    return found


NUMBER = """
(pages) => {
  const unknown = [];
  for (const each of document.querySelectorAll(".page")) {
    if (!(each.dataset.of in pages)) unknown.push(each.dataset.of);
    each.textContent = pages[each.dataset.of];
  }
  return unknown;
}
"""


def print_page(browser, source: Path):
    """A page of the browser, ready to be printed: pictures and fonts are there."""
    page = browser.new_page()
    page.set_default_timeout(600_000)
    page.goto(source.as_uri(), wait_until="load")
    page.evaluate("() => document.fonts.ready.then(() => 0)")
    return page


def print_book(browser, source: Path, target: Path) -> None:
    """Print the one page, with the numbers of pages in its contents."""
    page = print_page(browser, source)
    options = {"prefer_css_page_size": True, "print_background": True}
    known = {}
    for _ in range(4):  # the numbers themselves may move what follows, hardly ever
        # The first tells the numbers alone, and sooner.
        page.pdf(path=target, tagged=bool(known), outline=bool(known), **options)
        pages = pages_of_names(target)
        if pages == known:
            page.close()
            return
        known = pages
        if unknown := page.evaluate(NUMBER, known):
            sys.exit(f"Expected a page for every entry of the contents, got none for {unknown}")
    sys.exit("Expected the numbers of pages to settle, got others after each printing")


def mend_outline(pdf: Path) -> None:
    """Halve the titles that Chromium wrote twice: those of headings that begin a page.

    Blanks take the place of what goes, so that whatever the file says of its places stays true.
    """
    doubled = re.compile(
        rb"/Title (?:\((?P<text>.+?)(?P=text)\)|<FEFF(?P<hex>[0-9A-F]+)(?P=hex)>)\n"
    )

    def once(found: re.Match) -> bytes:
        title = b"(%s)" % found["text"] if found["text"] else b"<FEFF%s>" % found["hex"]
        return (b"/Title " + title).ljust(len(found[0]) - 1) + b"\n"

    pdf.write_bytes(doubled.sub(once, pdf.read_bytes()))


def main() -> None:
    if not (SITE / ".fingerprint").exists():
        sys.exit(f"Expected the built book in {SITE}, got none. Build it first: make book")
    stamp = PAPER / ".fingerprint"
    wanted = (
        (SITE / ".fingerprint").read_text()
        + fingerprint(["scripts/pdf.*"])
        + os.environ.get("BOOK_ADDRESS", "")
    )
    if TARGET.exists() and SOURCE.exists() and stamp.exists() and stamp.read_text() == wanted:
        print(f"The PDF is up to date: {TARGET.relative_to(ROOT)}")
        return
    PAPER.mkdir(parents=True, exist_ok=True)
    fresh = PAPER / "fresh.pdf"
    SOURCE.write_text(whole_book(), encoding="utf-8")
    with chromium() as browser:
        print_book(browser, SOURCE, fresh)
    mend_outline(fresh)
    fresh.replace(TARGET)
    stamp.write_text(wanted)
    with pypdfium2.PdfDocument(TARGET) as document:
        count = len(document)
    size = TARGET.stat().st_size / 1e6
    print(f"{TARGET.relative_to(ROOT)}: {count} pages, {size:.1f} MB")


if __name__ == "__main__":
    main()
