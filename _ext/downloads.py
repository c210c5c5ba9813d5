"""The notebook that a page offers for download reads whole in any Jupyter.

A notebook of the book is MyST, which JupyterLab shows with an extension and which other Jupyters
(Notebook, Colab, VS Code, nbconvert) do not. So the site offers another notebook, made from the
same source: the same code cells, and the text as plain Markdown.

==============================  ================================================================
in the book                     in the notebook for download
==============================  ================================================================
a box, a theorem                a quotation that begins with the title in bold
a fold, replies, a solution     ``<details>``; code cells of a solution are closed, as are those
                                that the page does not show or folds
an exercise                     its title in bold, then its text and its cells
a figure's caption and number   a line below the cell that draws it
an equation's label             ``\\tag{number}``
a reference, a citation         what the page says, linked; works that are cited come at the end
==============================  ================================================================

What a reference says and where it leads is asked of Sphinx, so it is the same as on the page.
Addresses are relative to where the site offers the notebook: a page that has a notebook is linked
by it (pages of one folder lie side by side for the reader, too), any other page by its HTML; with
``html_baseurl`` set, the site's own address is taken for both. Within the notebook a link leads
to the heading above its target, the one kind of place that every Jupyter knows.

A directive or role that this file does not know is a warning, so it fails the build.
"""

import html
import json
import posixpath
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
NOTES = ("attention", "caution", "danger", "hint", "important", "note", "seealso", "tip", "warning")
ROLES = {  # role: domain and type of the reference that MyST makes of it
    "eq": ("math", "eq"),
    "numref": ("std", "numref"),
    "ref": ("std", "ref"),
    "term": ("std", "term"),
    "cite": ("cite", "p"),
    "explorer": (None, "explorer"),
    "slides": (None, "slides"),
}
# Cells that the page does not show, or shows when they are opened.
CLOSED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
OPENING = re.compile(r"( *)(`{3,}|:{3,})(?:\{([\w:-]+)\}[ ]*(.*)|[\w+-]*)$")
OPTION = re.compile(r":([\w-]+):[ ]*(.*)$")
LABEL = re.compile(r" *\([\w:-]+\)=$")
DISPLAY_END = re.compile(r"(.*)\$\$(?:\s*\(([\w:-]+)\))?\s*$")
INLINE = re.compile(
    r"""(?P<same>\\. | (?P<tick>`+)(?!`).*?[^`](?P=tick)(?!`) | \$[^$]+\$)
    | \{(?P<role>[\w:.-]+)\}`(?P<content>[^`]+)`
    | (?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]*)\)""",
    re.X | re.S,
)
# MyST that would stand in the text as it is.
LEFT = re.compile(
    r"^\s*>?\s*(?::{3,}|`{3,}\{)|\{[a-z][\w:.-]*\}`|^\([\w:-]+\)=$|\[\]\(|^%|^\+\+\+|^\{[.#]", re.M
)
DONE = re.compile(r" *<!-- done:.*?-->", re.S)  # when a step of a task is done, for the site alone
SAFE = "!'*+,/:;=?@"  # what may stand in an address within Markdown as it is
SOLUTION = "\0solution\0"  # a line that begins a solution; its title follows
SOLUTION_END = "\0end"


@dataclass
class Reference:
    """What a reference says on the page, and its address in the notebook."""

    text: str
    address: str


@dataclass
class Page:
    """A page on its way to a notebook: what Sphinx knows of it, and what has been seen."""

    app: object
    name: str
    references: dict = field(default_factory=dict)  # by domain, type and target
    works: dict = field(default_factory=dict)  # what the page cites: in full, by address
    titles: dict = field(default_factory=dict)  # of its exercises, by label

    def complain(self, text: str) -> None:
        LOGGER.warning(f"{self.name}, for download: {text}", location=self.name)

    def number(self, kind: str, label: str) -> str:
        """The number of a figure, an equation, an exercise, … of this page, such as 3.2."""
        found = self.app.env.toc_fignumbers.get(self.name, {}).get(kind, {}).get(label)
        if found is None:
            self.complain(f"expected a number for the {kind} {label!r}, found none")
        return ".".join(map(str, found or ()))

    def reference(self, domain: str | None, kind: str, target: str) -> Reference:
        found = self.references.get((domain, kind, target))
        if found is None:
            self.complain(f"expected a reference to {target!r} ({kind}), found none")
        return found or Reference(target, "")


# What Sphinx knows


def ask_sphinx(app, name: str) -> Page:
    """The page with all its references resolved."""
    page = Page(app, name)
    tree = app.env.get_doctree(name)
    asked = []
    for node in list(tree.findall(addnodes.pending_xref)):
        place = nodes.inline()
        node.parent.insert(node.parent.index(node), place)
        node.parent.remove(node)
        place += node
        key = (node.get("refdomain"), node["reftype"], node["reftarget"])
        asked.append((key, node["refexplicit"], place))
    for link in tree.findall(nodes.reference):
        if link.get("id_link"):  # MyST itself has resolved a link within the page
            asked.append(((None, "myst", link["refid"]), False, link))
        elif "written" in link:  # see embed.py
            asked.append(((None, *link["written"]), True, link))
    app.env.resolve_references(tree, name, app.builder)
    for key, explicit, place in asked:
        links = [each for each in place.findall() if is_link(each)]
        for link in links:
            if link.get("reftitle"):
                page.works[address(page, link)] = link["reftitle"]
        if links and (key not in page.references or not explicit):
            page.references[key] = Reference(markdown(page, place), address(page, links[0]))
    return page


def is_link(node: nodes.Node) -> bool:
    return isinstance(node, nodes.reference | addnodes.number_reference)


def markdown(page: Page, node: nodes.Node) -> str:
    """A resolved inline node as Markdown."""
    if isinstance(node, nodes.Text):
        return re.sub(r"([\\`*_$\[\]<])", r"\\\1", str(node))
    inner = "".join(markdown(page, child) for child in node.children)
    if is_link(node):
        return f"[{inner}]({address(page, node)})"
    if isinstance(node, nodes.math):
        return f"${node.astext()}$"
    if isinstance(node, nodes.literal):
        return f"`{node.astext()}`"
    if isinstance(node, nodes.emphasis):
        return f"*{inner}*"
    return f"**{inner}**" if isinstance(node, nodes.strong) else inner


def address(page: Page, link: nodes.Element) -> str:
    """Where a resolved link of the page leads, for its notebook."""
    if "refid" in link:
        return address_of(page, page.name, link["refid"])
    where, _, mark = link["refuri"].partition("#")
    if "://" in where:
        return link["refuri"]
    other = posixpath.normpath(posixpath.join(posixpath.dirname(page.name), where))
    other = other.removesuffix(".html")
    if other not in page.app.env.found_docs:
        return on_site(page, other) + (f"#{mark}" if mark else "")
    return address_of(page, other, mark)


def address_of(page: Page, other: str, mark: str = "") -> str:
    """The address of a place on some page of the book, for the notebook of ``page``."""
    heading, title = heading_above(page.app.env, other, mark), heading_above(page.app.env, other)
    if other == page.name:
        return heading
    if page.app.config.html_baseurl or not is_notebook(page.app.env, other):
        return on_site(page, other) + (f"#{mark}" if mark else "")
    file = posixpath.relpath(f"{other}.ipynb", posixpath.dirname(page.name) or ".")
    return file if heading == title else file + heading


def on_site(page: Page, other: str) -> str:
    """The address of some page's HTML, as seen from where the notebook of ``page`` is offered."""
    if base := page.app.config.html_baseurl:
        return f"{base.rstrip('/')}/{other}.html"
    return posixpath.relpath(f"{other}.html", f"_sources/{posixpath.dirname(page.name)}")


def is_notebook(env, name: str) -> bool:
    return name in env.found_docs and str(env.doc2path(name)).endswith(".ipynb")


@cache
def tree_of(env, name: str) -> nodes.document:
    return env.get_doctree(name)


def heading_above(env, name: str, mark: str = "") -> str:
    """``#`` and what Jupyter calls the heading of the section that holds the id ``mark``.

    Without a mark, or with an unknown one, that of the page.
    """
    elements = tree_of(env, name).findall(nodes.Element)
    found = next((each for each in elements if mark in each["ids"]), None) if mark else None
    found = found or tree_of(env, name).next_node(nodes.section)
    while found is not None and not (
        isinstance(found, nodes.section) and isinstance(found[0], nodes.title)
    ):
        found = found.parent
    if found is None:
        return ""
    # In the notebook quotes are as they were typed.
    plain = found[0].astext().translate(str.maketrans("’‘“”", "''\"\"")).replace(" ", "-")
    return f"#{quote(plain, safe=SAFE)}"


# From MyST to Markdown


def inline(page: Page, text: str) -> str:
    """A paragraph's text with roles and links resolved."""

    def plain(found: re.Match) -> str:
        if found["same"]:
            return found[0]
        if found["role"]:
            return role(page, found["role"], found["content"])
        words, target = found["text"], found["target"]
        if re.match(r"https?://|mailto:", target):
            return found[0]
        known = page.reference(None, "myst", target.removeprefix("#"))
        return f"[{inline(page, words)}]({known.address})" if words else known.text

    return INLINE.sub(plain, text)


def role(page: Page, name: str, content: str) -> str:
    domain, _, kind = name.partition(":")
    domain, kind = ROLES.get(name, (domain, kind))
    if not kind:
        page.complain(f"the role {{{name}}} is not known here")
        return content
    explicit = re.fullmatch(r"(.+?)\s*<(.+)>", content, re.S)
    known = page.reference(domain, kind, explicit[2] if explicit else content)
    return f"[{explicit[1]}]({known.address})" if explicit else known.text


def display(page: Page, body: list[str], label: str | None, boxed: bool) -> list[str]:
    """A displayed formula, with its number."""
    lines = [line.strip() for line in body if line.strip()]
    if label:
        number = page.number("displaymath", nodes.make_id(f"equation-{label}"))
        lines.append(rf"\tag{{{number}}}")
    # In a quotation, some Jupyters take the marks before its lines for part of the formula.
    return [f"$$ {' '.join(lines)} $$"] if boxed else ["$$", *lines, "$$"]


def quoted(lines: list[str]) -> list[str]:
    return [f"> {line}".rstrip() for line in lines]


def folded(title: str, body: list[str]) -> list[str]:
    words = html.escape(re.sub(r"\[(.*?)\]\([^()]*\)", r"\1", title), quote=False)
    words = re.sub(r"`([^`]*)`", r"<code>\1</code>", words)
    words = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", words)
    return [f"<details><summary><b>{words}</b></summary>", "", *body, "", "</details>"]


def stripped(lines: list[str]) -> list[str]:
    """The lines without blank ones at either end, and no two blank ones in a row."""
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return text.split("\n") if text else []


def convert(page: Page, lines: list[str], boxed: bool = False) -> list[str]:
    """MyST as plain Markdown, by lines; ``boxed`` inside a box."""
    done, waiting, at = [], [], 0

    def flush():
        if waiting:
            done.extend(inline(page, "\n".join(waiting)).split("\n"))
            waiting.clear()

    while at < len(lines):
        line, at = lines[at], at + 1
        if opening := OPENING.match(line):
            flush()
            indent, fence, name, argument = opening.groups()
            closing = re.compile(rf" *{fence[0]}{{{len(fence)},}}\s*$")
            end = next((n for n in range(at, len(lines)) if closing.match(lines[n])), len(lines))
            body, at = [each.removeprefix(indent) for each in lines[at:end]], end + 1
            made = directive(page, name, argument, body, boxed) if name else [line, *body, fence]
            done += [each if each == line else indent + each for each in made]
        elif line.lstrip().startswith("$$"):
            flush()
            body = [line.lstrip()[2:]]
            while not (ending := DISPLAY_END.match(body[-1])) and at < len(lines):
                body, at = [*body, lines[at]], at + 1
            body[-1] = ending[1] if ending else body[-1]
            indent = line[: len(line) - len(line.lstrip())]
            made = display(page, body, ending and ending[2], boxed)
            done += [indent + each for each in made]
        elif not LABEL.match(line):
            waiting.append(line)
    flush()
    return stripped(done)


def directive(page: Page, name: str, argument: str, body: list[str], boxed: bool) -> list[str]:
    """What stands for a directive."""
    options = {}
    while body and (option := OPTION.match(body[0])):
        options[option[1]] = option[2]
        body = body[1:]
    label, fold = options.get("label"), "dropdown" in options.get("class", "").split()
    title = inline(page, argument)
    if name == "math":
        return display(page, body, label, boxed)
    inner = convert(page, body, boxed=True)
    if name == "admonition" or name in NOTES:
        title = title or name.capitalize()
        return folded(title, inner) if fold else quoted([f"**{title}**", "", *inner])
    if name.startswith("prf:"):
        heading = name[4:].capitalize()
        if name != "prf:proof":
            known = page.app.env.proof_list[label]
            if not known["nonumber"]:
                heading += f" {page.number(known['countertype'], label)}"
        heading += f" ({title})" if title else ""
        return folded(heading, inner) if fold else quoted([f"**{heading}**", "", *inner])
    if name in ("exercise", "exercise-start"):
        page.titles[label] = f"Exercise {page.number('exercise', label)} ({title})"
        return [f"**{page.titles[label]}**", "", *convert(page, body)]
    if name in ("solution", "solution-start"):
        heading = f"Solution to {page.titles.get(argument.strip(), 'the exercise')}"
        ending = [SOLUTION_END] if name == "solution" else []
        return [SOLUTION + heading, *convert(page, body), *ending]
    if name == "solution-end":
        return [SOLUTION_END]
    if name == "exercise-end":
        return []
    page.complain(f"the directive {{{name}}} is not known here; teach it to _ext/downloads.py")
    return inner


# From notebook to notebook


def close(cell: dict, *what: str) -> None:
    cell["metadata"] = cell["metadata"] | {"jupyter": dict.fromkeys(what, True)}


def markdown_cell(lines: list[str], name: str) -> dict:
    return {
        "cell_type": "markdown",
        "id": name,
        "metadata": {},
        "source": "\n".join(lines).splitlines(keepends=True),
    }


def fold_solutions(page: Page, lines: list[str], running: str | None) -> tuple[list, str | None]:
    """Put into folds what belongs to a solution; ``running`` is the title of one begun above."""
    done, part, first = [], [], False

    def finish():
        text = stripped(part)
        if text:
            title = running if first else f"{running.partition(' (')[0]}, continued"
            done.extend(folded(title, text))
        elif first:
            done.append(f"**{running}** is in the closed cells below.")
        part.clear()

    for line in lines:
        if line.startswith(SOLUTION):
            running, first = line.removeprefix(SOLUTION), True
        elif line == SOLUTION_END:
            finish()
            running, first = None, False
        else:
            (done if running is None else part).append(line)
    if running is not None:
        finish()
    return stripped(done), running


def opening_cell(page: Page) -> dict:
    """What the notebook is, and what it needs."""
    title, book = page.app.env.titles[page.name].astext(), page.app.config.html_title
    lines = [
        f"*This notebook is the page [{title}]({on_site(page, page.name)}) of the book {book}.*",
        "",
        "To run it you need Python 3.11 or newer, and the book's library with all that the "
        "chapters use. In a copy of the book's folder, once for all chapters:",
        "",
        "```sh",
        'pip install ".[chapters]"',
        "```",
    ]
    return markdown_cell(lines, "for-download")


def notebook_for_download(page: Page, notebook: dict) -> dict:
    """The notebook with its text in plain Markdown, and what it needs told first."""
    cells, running = [opening_cell(page)], None
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text = DONE.sub("", text)
            lines, running = fold_solutions(page, convert(page, text.split("\n")), running)
            if lines:
                cells.append(markdown_cell(lines, cell["id"]))
            continue
        cell = cell | {"metadata": dict(cell["metadata"])}
        if running is not None:
            close(cell, "source_hidden", "outputs_hidden")
        elif CLOSED & set(cell["metadata"].get("tags", [])):
            close(cell, "source_hidden")
        cells.append(cell)
        figure = cell["metadata"].get("mystnb", {}).get("figure", {})
        if "caption" in figure:
            named = "name" in figure
            number = f"**Fig. {page.number('figure', figure['name'])}.** " if named else ""
            caption = convert(page, figure["caption"].split("\n"))
            cells.append(markdown_cell([number + caption[0], *caption[1:]], f"{cell['id']}-cap"))
    if page.works:
        lines = ["## Works cited", "", *(f"- {work}" for work in page.works.values())]
        cells.append(markdown_cell(lines, "works-cited"))
    for cell in cells:
        if cell["cell_type"] == "markdown" and (left := LEFT.search("".join(cell["source"]))):
            page.complain(f"{left[0].strip()!r} is left in the text of cell {cell['id']}")
    return notebook | {"cells": cells}


def write_notebooks(app, exception) -> None:
    """Put the notebooks for download where the theme's button looks for them."""
    if exception is not None or app.builder.format != "html":
        return
    for name in sorted(app.env.found_docs):
        offered = Path(app.outdir) / "_sources" / app.env.doc2path(name, base=False)
        if is_notebook(app.env, name):
            source = json.loads(Path(app.env.doc2path(name)).read_text(encoding="utf-8"))
            made = notebook_for_download(ask_sphinx(app, name), source)
            text = json.dumps(made, indent=1, ensure_ascii=False)
            offered.write_text(f"{text}\n", encoding="utf-8")
        else:
            offered.unlink(missing_ok=True)


def offer_notebooks_alone(app, page, template, context, doctree) -> None:
    """A page that is no notebook is for reading and printing: its source is not offered."""
    if is_notebook(app.env, page):
        return
    for button in context.get("header_buttons", []):
        if button.get("label") == "download-buttons":
            button["buttons"] = [
                each for each in button["buttons"] if each["label"] != "download-source-button"
            ]


def setup(app):
    app.connect("html-page-context", offer_notebooks_alone, priority=900)
    app.connect("build-finished", write_notebooks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
