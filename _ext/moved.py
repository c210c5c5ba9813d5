"""Old addresses of what moved from one page to another keep working.

``moved.json`` names, for each page that something left, the anchors that are gone and where each is
now: ``{"chapters/old": {"anchor": "depth/new", "name-then": "depth/new#name-now"}}``. Anchors are
those of headings, labels, equations and figures, and the names of explorers, of which links carry a
state: ``#anchor=state`` leads to ``#name-now=state``.

The old page gets a script in its head that goes on to the new address before anything is painted,
also from ``file://``; and, for readers without scripts, at its end a line for each anchor, which
shows when it is the target of the link that brought them. An entry that leads nowhere, or names
what the old page still has, is a warning, so it fails the build.
"""

import html
import json
import posixpath
import re
from pathlib import Path

from docutils import nodes
from sphinx.util import logging

from explorers import site_words

LOGGER = logging.getLogger(__name__)
TABLE = Path(__file__).with_name("moved.json")
# Whoever comes by a link goes on at once, and "back" leads where that link was.
GO_ON = """\
<script>((moved) => {
  const go = () => {
    const [, name, state] = location.hash.match(/^#([^=&]*)(.*)$/) ?? [];
    let to;
    try { to = moved[decodeURIComponent(name ?? "")]; } catch { return; }
    if (to) location.replace(new URL(to + state, location.href));
  };
  go();
  addEventListener("hashchange", go);
})(%s);</script>
"""


def table() -> dict[str, dict[str, str]]:
    return json.loads(TABLE.read_text(encoding="utf-8"))


def place_of(anchor: str, target: str) -> tuple[str, str]:
    """The page and the anchor where something is now."""
    page, _, name = target.partition("#")
    return page, name or anchor


def addresses(page: str) -> dict[str, str]:
    """For each anchor that the page has no longer, the address that its links lead to."""
    folder = posixpath.dirname(page)
    places = {anchor: place_of(anchor, to) for anchor, to in table().get(page, {}).items()}
    return {
        anchor: f"{posixpath.relpath(to, folder or '.')}.html#{name}"
        for anchor, (to, name) in places.items()
    }


def add_signposts(app, page, template, context, doctree) -> None:
    """Put what leads on into the page that something left."""
    moved = addresses(page) if doctree is not None else {}
    if not moved:
        return
    inline = json.dumps(moved, ensure_ascii=False).replace("<", "\\u003c")
    context["metatags"] += GO_ON % inline
    words = html.escape(site_words()["moved"])
    for anchor, address in moved.items():
        to = place_of(anchor, table()[page][anchor])[0]
        title = app.env.titles.get(to, nodes.title()).astext()
        link = f'<a href="{html.escape(address)}">{html.escape(title)}</a>'
        line = words.replace("{page}", link)
        context["body"] += f'<p class="moved" id="{html.escape(anchor)}">{line}</p>\n'


def anchors_of(page: str) -> set[str]:
    """What links into a page may name: its ids but the signposts', and its explorers."""
    own = re.sub(r'<p class="moved" id="[^"]*">', "", page)
    states = re.findall(r'class="explorer-state">(.*?)</script>', page, re.S)
    explorers = (json.loads(state) for state in states)
    names = {state.get("anchor") or state["kind"] for state in explorers}
    return {html.unescape(name) for name in re.findall(r'\sid="([^"]*)"', own)} | names


def check_table(app, exception) -> None:
    """Tell each entry that cannot be right."""
    if exception is not None or app.builder.format != "html":
        return

    def anchors(page: str) -> set[str]:
        path = Path(app.outdir) / f"{page}.html"
        return anchors_of(path.read_text(encoding="utf-8"))

    def complain(what: str) -> None:
        LOGGER.warning(f"{TABLE.name}, {page!r}, {anchor!r}: {what}")

    for page, entries in table().items():
        for anchor, target in entries.items():
            to, name = place_of(anchor, target)
            for each in (page, to):
                if each not in app.env.found_docs:
                    complain(f"expected a page of the book, got {each!r}")
                    break
            else:
                if anchor in anchors(page):
                    complain("expected what has left the page, got what is still there")
                if name not in anchors(to):
                    complain(f"expected a place in {to}, got {name!r}, which is not there")


def setup(app):
    app.connect("html-page-context", add_signposts)
    app.connect("build-finished", check_table)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
