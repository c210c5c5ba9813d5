"""Pages with a single explorer, and links that open an explorer in a given state.

Each explorer of the book gets a page of its own, ``embed/<kind>.html``, without the theme: for a
projector, or for an ``<iframe>`` on another site. It holds the explorer as the book shows it first
(on the page of all explorers, if there is one), works from any static host and from ``file://``,
and takes a state from the fragment of its address as every page of the book does.

The role ``explorer`` links to such a page. The state is written as one would make it in Python::

    {explorer}`after three steps <em(iteration=3, half="e")>`

A state that the explorer would refuse, or an explorer that the book does not show, is a warning,
so it fails the build.
"""

import ast
import html
import posixpath
import re
from copy import copy
from functools import cache
from pathlib import Path

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.util import logging

from gmm_lib.widgets import EXPLORERS, explorer_class

LOGGER = logging.getLogger(__name__)
FOLDER = "embed"
ALL = "appendices/explorers"  # where each explorer stands with a title of its own
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="description" content="{description}" />
<title>{title}</title>
<link rel="icon" href="../_static/favicon.svg" />
<script src="../_static/explorer-host.js"></script>
<style>
:root {{ color-scheme: light dark; font: 100%/1.4 system-ui, sans-serif; }}
body {{ margin: 0 auto; padding: 8px; max-width: 1100px; background: Canvas; color: CanvasText; }}
h1 {{ margin: 0 0 8px; font-size: 1.1rem; }}
p {{ margin: 8px 0 0; font-size: 0.875rem; }}
a {{ color: LinkText; }}
.explorer-host {{ container: explorer / inline-size; }}
.explorer-still img {{ max-width: 100%; height: auto; }}
[data-alive] .explorer-still {{ display: none; }}
@media print {{
  [data-alive] .explorer-still {{ display: block; }}
  .explorer-live {{ display: none; }}
}}
</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{host}
</main>
<p>From <a href="../{page}" target="_top">{book}</a>. Text CC BY 4.0, code MIT.</p>
<script>
addEventListener("DOMContentLoaded", () => explorerHost.inView());
// Keys are the explorer's, whether or not something of it has the focus.
addEventListener("keydown", (event) => {{
  if (event.target !== document.body) return;
  document.querySelector(".gmm-explorer")?.dispatchEvent(new KeyboardEvent("keydown", event));
}});
</script>
</body>
</html>
"""


def explorer_of(call: str):
    """The explorer that a call such as ``em(iteration=3, half="e")`` names.

    Raises
    ------
    ValueError, TraitError
        If it is not such a call, there is no explorer of that kind, or it refuses the state.
    """
    found = re.fullmatch(r"([a-z-]+)\((.*)\)", call.strip(), re.S)
    if found is None or found[1] not in EXPLORERS:
        raise ValueError(
            f"expected an explorer and its state, such as em(iteration=3), got {call!r}; the "
            f"explorers are {', '.join(EXPLORERS)}"
        )
    try:
        arguments = ast.parse(f"call({found[2]})", mode="eval").body
        if arguments.args:
            raise ValueError
        state = {each.arg: ast.literal_eval(each.value) for each in arguments.keywords}
    except (SyntaxError, ValueError):
        raise ValueError(
            f"expected names with plain values in parentheses, got {call!r}; write name=value"
        ) from None
    return explorer_class(found[1])(**state)


def address_of(call: str) -> str:
    """The address, from the folder of the site, that opens this state."""
    explorer = explorer_of(call)
    return f"{FOLDER}/{explorer.kind}.html{explorer.fragment}"


def linked_address(env, call: str) -> str:
    """The same, noted as one that a page links to."""
    address = address_of(call)
    env.metadata[env.docname].setdefault("explorers linked", set()).add(address.partition("#")[0])
    return address


def role_to(address_of):
    """A role for links with words of their own to files of the site that are no pages of the book.

    ``address_of(env, target)`` is the address from the folder of the site, or raises an error.
    """

    def role(name, rawtext, text, line, inliner, options=None, content=None):
        env, found = inliner.document.settings.env, re.fullmatch(r"(.+?)\s*<(.+)>", text, re.S)
        try:
            if found is None:
                raise ValueError(f"expected words and a target in angle brackets, got {text!r}")
            address = address_of(env, found[2])
        except Exception as error:  # an explorer may refuse a state in many ways
            told = inliner.reporter.warning(f"{{{name}}}: {error}", line=line)
            return [nodes.literal(rawtext, text)], [told]
        up = "../" * env.docname.count("/")
        link = nodes.reference(rawtext, found[1], internal=True, refuri=up + address)
        link["written"] = (name, found[2])  # by this downloads.py finds the link again
        return [link], []

    return role


def seen_from(folder: str, piece, page: str) -> None:
    """Give a piece of a page, which goes to another folder, its pictures there, and at once."""
    for picture in piece.select("img[src]"):
        place = posixpath.join(posixpath.dirname(page), picture["src"])
        picture["src"] = posixpath.relpath(posixpath.normpath(place), folder)
        del picture["loading"]


@cache
def parsed(page: Path) -> BeautifulSoup:
    """A page in its final form, read once for all that take pieces of it; a piece is copied."""
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def first_hosts(app) -> dict[str, tuple[str, str, str]]:
    """For each kind of explorer: the page that shows it first, its title there, and its markup.

    The page of all explorers comes before the others, for titles and markup; the page named is a
    chapter's where there is one.
    """
    pages = app.env.toctree_includes.get(app.config.root_doc, [])
    found, homes = {}, {}
    for name in sorted([app.config.root_doc, *pages], key=lambda name: name != ALL):
        for shown in parsed(Path(app.outdir) / f"{name}.html").select(".explorer-host"):
            kind = shown["data-kind"]
            if name not in (ALL, app.config.root_doc):
                homes.setdefault(kind, name)
            if kind in found:
                continue
            heading = copy(shown.find_parent("section").find(["h1", "h2", "h3"]))
            for mark in heading.select(".headerlink"):
                mark.decompose()
            host = copy(shown)
            seen_from(FOLDER, host, name)
            host["data-model"] = "0"
            found[kind] = (name, heading.get_text().strip(), str(host))
    return {
        kind: (homes.get(kind, name), title, host) for kind, (name, title, host) in found.items()
    }


def write_pages(app, exception) -> None:
    """Write a page for every explorer of the book."""
    if exception is not None or app.builder.format != "html":
        return
    folder, hosts, book = Path(app.outdir) / FOLDER, first_hosts(app), app.config.html_title
    for kind, (page, title, host) in hosts.items():
        folder.mkdir(exist_ok=True)
        heading, name = html.escape(title), html.escape(book)
        text = PAGE.format(
            title=f"{heading} — {name}",
            heading=heading,
            book=name,
            description=f"{heading}: an explorer of the interactive book {name}.",
            page=f"{page}.html",
            host=host,
        )
        (folder / f"{kind}.html").write_text(text, encoding="utf-8")
    written = {f"{FOLDER}/{kind}.html" for kind in hosts}
    for page, facts in app.env.metadata.items():
        for missing in facts.get("explorers linked", set()) - written:
            LOGGER.warning(f"{page}: a link leads to {missing}, but no page shows that explorer")


def setup(app):
    app.add_role("explorer", role_to(linked_address))
    # After the pages have got their final form.
    app.connect("build-finished", write_pages, priority=800)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
