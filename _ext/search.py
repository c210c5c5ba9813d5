"""Search that lands on the section.

Sphinx finds pages, and quotes their source: TeX, listings, docstrings. Here each section of each
page, each term of the glossary and each name of the library is a place of its own, with its text as
it stands in the built page: formulas in letters and signs, without listings, outputs, solutions and
replies. ``search.js`` looks through them; both are classic scripts, so that search works from
``file://`` too.
"""

import html
import json
import re
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from sphinx.util import logging

from explorers import digest, site_words

LOGGER = logging.getLogger(__name__)
SCRIPT = Path(__file__).with_name("search.js")
THEIRS = re.compile(r'\s*<script src="(?:_static/searchtools|searchindex)\.js[^"]*"></script>')
NO_TEXT = (
    "script, style, img, button, nav, .headerlink, .eqno, .highlight, .cell_output pre, "
    ".cell_output table, .replies, .solution, .moved, details.hide > summary"
)
LOW = dict(zip("0123456789+−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
HIGH = dict(zip("0123456789+−=()inT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁱⁿᵀ", strict=True))


def raised(text: str, signs: dict[str, str], mark: str) -> str:
    """An index or exponent in small signs, or after a mark where one of them is missing."""
    if all(each in signs for each in text):
        return "".join(signs[each] for each in text)
    return mark + (text if len(text) == 1 else f"({text})")


def in_line(element: Tag) -> str:
    """A formula, or a part of it, in one line of letters and signs."""
    kind = element.name
    if kind == "annotation":
        return ""
    parts = [in_line(each) for each in element.find_all(True, recursive=False)]
    if not parts:
        return re.sub(r"[\u2061-\u2064\ufe00-\ufe0f]", "", element.get_text())
    if kind == "msub":
        return parts[0] + raised(parts[1], LOW, "_")
    if kind == "msup":
        return parts[0] + raised(parts[1], HIGH, "^")
    if kind == "msubsup":
        return parts[0] + raised(parts[1], LOW, "_") + raised(parts[2], HIGH, "^")
    if kind == "mfrac":
        return "/".join(each if len(each) == 1 else f"({each})" for each in parts)
    if kind == "msqrt":
        return f"√({''.join(parts)})"
    if kind in ("munder", "mover", "munderover"):
        return parts[0]
    return (" " if kind == "mtable" else "").join(parts)


def words_of(element: Tag) -> str:
    """The text of an element in one line, without blanks that only its markup brings."""
    text = re.sub(r"\s+([.,;:!?)’”])", r"\1", " ".join(element.get_text().split()))
    return re.sub(r"([(“])\s+", r"\1", text)


def places_of(page: str) -> list[dict[str, str]]:
    """The places of a built page: ``anchor``, ``title``, ``text`` and ``kind`` of each.

    A kind is "page" (what stands before the first heading below the title), "section", "term" of
    the glossary or "name" of the library.
    """
    article = page[page.index('<article class="bd-article"') : page.index("</article>")]
    body = BeautifulSoup(article, "html.parser").section
    if body is None:
        return []
    for formula in body.select("math"):
        formula.replace_with(in_line(formula))
    for element in body.select(NO_TEXT):
        element.decompose()
    for element in body.select("p, li, td, th, dt, dd, h1, h2, h3, h4, figcaption, summary"):
        element.append(" ")
    found = []
    for section in [body, *body.select("section[id]")]:
        heading = section.find(re.compile("h[1-6]"), recursive=False)
        if heading is None:
            continue
        title = words_of(heading.extract())
        kind = "page" if section is body else "section"
        anchor = "" if section is body else section["id"]
        found.append({"anchor": anchor, "title": title, "element": section, "kind": kind})
    for entry in body.select("dl.glossary > dt[id], dl.py > dt[id]"):
        kind = "term" if "glossary" in entry.parent["class"] else "name"
        title = words_of(entry) if kind == "term" else entry["id"]
        said = entry.find_next_sibling("dd")
        found.append({"anchor": entry["id"], "title": title, "element": said, "kind": kind})
        entry.extract()
    # From the inside out, so that nothing is said twice.
    for place in reversed(found):
        element = place.pop("element")
        place["text"] = words_of(element.extract()) if element is not None else ""
    return found


def write_index(app, exception) -> None:
    """Put our search in the place of Sphinx's."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    contents = [app.config.root_doc, *app.env.toctree_includes.get(app.config.root_doc, [])]
    pages = []
    for name in [*contents, *sorted(app.env.found_docs - set(contents))]:
        page = (out / f"{name}.html").read_text(encoding="utf-8")
        title = html.unescape(re.search("<title>(.*?)</title>", page, re.S)[1])
        title = title.rpartition(" — ")[0].strip()
        pages.append({"address": f"{name}.html", "title": title, "places": places_of(page)})
    data = json.dumps({"pages": pages, "words": site_words("search")}, ensure_ascii=False)
    text = f"window.bookSearch={data};\n{SCRIPT.read_text(encoding='utf-8')}"
    script = f"search-{digest(text)}.js"
    (out / "_static" / script).write_text(text, encoding="utf-8")
    (out / "searchindex.js").unlink(missing_ok=True)
    (out / "_static" / "searchtools.js").unlink(missing_ok=True)
    target = out / "search.html"
    page, count = THEIRS.subn("", target.read_text(encoding="utf-8"))
    if count != 2:
        LOGGER.warning("search.html: Sphinx's search was not found; has it changed?")
    page = page.replace("</body>", f'<script src="_static/{script}"></script>\n</body>', 1)
    target.write_text(page, encoding="utf-8")


def setup(app):
    app.connect("build-finished", write_index, priority=800)  # after what changes the pages
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
