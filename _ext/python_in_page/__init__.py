"""Python in every page: code cells that a reader edits and runs where they stand.

Each code cell gets a class ``code-<index>``, its place in the notebook; each page with code a
script of a few names; and the site a folder ``_static/python`` with the machine and, for each page,
its cells, hidden ones too. Before a reader presses Run nothing of that folder is fetched.

``runtime.py`` makes the machine, ``kernel.py`` is Python's side of it, ``engine.mjs`` starts it
(when the book is built, and in the browser), ``worker.js`` and ``page.js`` are the browser's side,
``needed.py`` tells which cells run before another. When the machine cannot be had, the book is
built without Run buttons, and the build says why.
"""

import hashlib
import json
import os
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.util import logging

from explorers import WORDS, site_words
from python_in_page import runtime
from python_in_page.needed import describe

LOGGER = logging.getLogger(__name__)
HERE = Path(__file__).parent
CACHE = HERE.parents[1] / os.environ.get("BOOK_OUTPUT", "_build") / "python"


def find_machine(app) -> None:
    """Look for the machine before anything is read; without it pages keep still."""
    app.python_machine = None
    if app.builder.format != "html":
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        app.python_machine = runtime.make(CACHE)
    except runtime.NoRuntimeError as reason:
        LOGGER.info(f"Python in the page is left out: {reason}.")


def mark_cells(app, doctree: nodes.document) -> None:
    """Say in the page which cell of its notebook each code cell is."""
    if app.python_machine is None:
        return
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            cell["classes"].append(f"code-{cell['cell_index']}")


def code_cells(notebook: Path) -> list[dict]:
    """The code cells of a notebook, in order: place, text, and what ``needed.py`` tells of them."""
    every = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    cells = {index: cell for index, cell in enumerate(every) if cell["cell_type"] == "code"}
    texts = ["".join(cell["source"]) for cell in cells.values()]
    tags = [cell["metadata"].get("tags", []) for cell in cells.values()]
    told = describe(list(zip(texts, tags, strict=True)))
    return [
        {"index": index, "text": text, **each}
        for index, text, each in zip(cells, texts, told, strict=True)
    ]


def file_of_cells(page: str) -> str:
    return f"{page.replace('/', '-')}.cells.js"


def begin_page(app, page, template, context, doctree) -> None:
    """Tell the page where its cells and the machine are."""
    if app.python_machine is None or page not in app.env.found_docs:
        return
    source = Path(app.env.doc2path(page))
    if source.suffix != ".ipynb" or not code_cells(source):
        return
    where = f"_static/python/{folder_of(app.python_machine)}/"
    settings = {
        "base": context["pathto"](where, resource=True),
        "page": page,
        "words": {name: site_words("python")[name] for name in ("run", "edit")},
    }
    text = json.dumps(settings, ensure_ascii=False).replace("<", "\\u003c")
    # Resolved while the page is read: a script that comes later knows no relative address.
    context["body"] += (
        f"<script>window.pagePython=(p=>(p.base=new URL(p.base,document.baseURI).href,"
        f"p.cellsAddress=p.base+{json.dumps(file_of_cells(page))},p))({text})</script>"
    )


def folder_of(machine: Path) -> str:
    """The folder's name: that of its content, so that a browser may keep it for ever."""
    digest = hashlib.sha256(machine.name.encode() + WORDS.read_bytes())
    for path in sorted(HERE.glob("*.*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def write_machine(app, exception) -> None:
    """Put the machine and the cells of all pages into the site."""
    if exception is not None or getattr(app, "python_machine", None) is None:
        return
    folder = Path(app.outdir) / "_static" / "python" / folder_of(app.python_machine)
    shutil.copytree(app.python_machine, folder, copy_function=link_or_copy, dirs_exist_ok=True)
    engine = (HERE / "engine.mjs").read_text(encoding="utf-8").replace("\nexport ", "\n")
    worker = engine + (HERE / "worker.js").read_text(encoding="utf-8")
    shutil.copy(HERE / "page.js", folder)
    for page in app.env.found_docs:
        source = Path(app.env.doc2path(page))
        if source.suffix != ".ipynb" or not (cells := code_cells(source)):
            continue
        settings = {
            "cells": cells,
            "parts": json.loads((app.python_machine / "parts.json").read_text()),
            "worker": worker,
            "words": site_words("python"),
        }
        text = f"Object.assign(window.pagePython,{json.dumps(settings, ensure_ascii=False)});\n"
        (folder / file_of_cells(page)).write_text(text, encoding="utf-8")


def link_or_copy(source, target) -> None:
    """The parts are large and never change: one copy on disk serves cache and site."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def setup(app):
    app.connect("builder-inited", find_machine)
    app.connect("doctree-read", mark_cells)
    app.connect("html-page-context", begin_page)
    app.connect("build-finished", write_machine)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
