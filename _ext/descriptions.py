"""A description in the head of every page, for those who find it in a list of results.

It is the page's own first paragraph, which in a chapter is the question that it answers, and what
the page is.
"""

import html
import re

from docutils import nodes

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
    if doctree is not None:
        text = html.escape(describe(doctree, app.config.html_title))
        context["metatags"] += f'<meta name="description" content="{text}" />\n'


def setup(app):
    app.connect("html-page-context", add_description)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
