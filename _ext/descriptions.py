"""A description in the head of every page, for those who find it in a list of results.

It is the page's own first paragraph, which in a chapter is the question that it answers, and what
the page is. A link that is sent around shows it beside a picture: the explorer that README shows.
Most programs that preview links ask for a whole address, which is there once the book has
``html_baseurl``.
"""

import html
import re
import shutil
from pathlib import Path

from docutils import nodes

PICTURE = Path(__file__).resolve().parents[1] / "images" / "em-explorer.png"
SHOWS = "Ten points on a line and two bell curves, with the log-likelihood rising beside them"
PLACE = f"_static/{PICTURE.name}"
LENGTH = 160  # characters; what is longer is cut off where descriptions are shown


def describe(page: nodes.document, book: str) -> str:
    """The description of a page: its first sentences, and its title if there is room."""
    section = page.next_node(nodes.section)
    title = section.next_node(nodes.title).astext()
    first = next((each for each in section if isinstance(each, nodes.paragraph)), None)
    text = " ".join(first.astext().split()) if first is not None else ""
    parts = re.split(r"(?<=[.?!]) ", text) if text else []
    parts.append(f"{book}." if title == book else f"{title}, in the interactive book {book}.")
    kept = parts[:1]
    for part in parts[1:]:
        if len(" ".join([*kept, part])) <= LENGTH:
            kept.append(part)
    return " ".join(kept)


def add_description(app, page, template, context, doctree) -> None:
    if doctree is None:
        return
    base = app.config.html_baseurl.rstrip("/")
    text = describe(doctree, app.config.html_title)
    title = doctree.next_node(nodes.title).astext()
    said = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": title,
        "og:description": text,
        "og:image": f"{base}/{PLACE}" if base else context["pathto"](PLACE, resource=True),
        "og:image:alt": SHOWS,
    }
    tags = [f'<meta name="description" content="{html.escape(text)}" />']
    tags += [f'<meta property="{k}" content="{html.escape(v)}" />' for k, v in said.items()]
    context["metatags"] += "\n".join([*tags, ""])


def add_picture(app, exception) -> None:
    if exception is None and app.builder.format == "html":
        shutil.copy(PICTURE, Path(app.outdir) / PLACE)


def setup(app):
    app.connect("html-page-context", add_description)
    app.connect("build-finished", add_picture)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
