"""The chapters as files: clean, in one form, and ready for JupyterLab, VS Code and Colab.

That every cell runs is nbval's part: `pytest` collects the notebooks themselves.
"""

import re
import sys
import tomllib

import nbformat
import pytest
import yaml
from conftest import ROOT

FOLDERS = ("chapters", "depth", "appendices")
NOTEBOOKS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.ipynb"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

CHAPTERS = [path for path in NOTEBOOKS if path.parent.name == "chapters"]
DEPTH = [path for path in NOTEBOOKS if path.parent.name == "depth"]

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
every_depth_page = pytest.mark.parametrize("path", DEPTH, ids=lambda path: path.stem)
every_page = pytest.mark.parametrize("path", CHAPTERS + DEPTH, ids=lambda path: path.stem)


@every_notebook
def test_outputs_are_stripped(path):
    for index, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type == "code":
            assert cell.outputs == [], f"cell {index + 1} has outputs: run `make format`"
            assert cell.execution_count is None, f"cell {index + 1}: run `make format`"
            assert cell.source.strip(), f"cell {index + 1} is empty"


@every_notebook
def test_form_is_the_same_everywhere(path):
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


@every_notebook
def test_lines_of_code_fit_into_the_page(path):
    """As many characters have room at 1280 px as `chapters/ruff.toml` tells the formatter."""
    room = tomllib.loads((ROOT / "chapters/ruff.toml").read_text(encoding="utf-8"))["line-length"]
    for cell in nbformat.read(path, as_version=4).cells:
        shown = not {"remove-cell", "remove-input"} & set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and shown:
            assert [line for line in cell.source.splitlines() if len(line) > room] == []


@every_notebook
def test_a_missing_library_is_told_by_the_first_code_cell(path, monkeypatch):
    first = next(c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    assert "\nfrom gmm_lib" in first.source
    monkeypatch.setitem(sys.modules, "gmm_lib", None)  # for Python: not installed
    with pytest.raises(
        ImportError, match=r'is missing. Run `pip install "\.\[chapters\]"`.*README.md'
    ):
        exec(first.source, {})


@every_chapter
def test_chapters_open_alike(path):
    """A question, what you will be able to do, and from there on the same boxes."""
    cells = nbformat.read(path, as_version=4).cells
    assert re.match(r"\(ch-[a-z-]+\)=\n# .+\n\n\*\*.+\?\*\*\n", cells[0].source)
    assert (
        ":::{admonition} After this chapter you will be able to\n:class: note\n" in cells[0].source
    )
    text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    boxes = re.findall(r"\{admonition\} (?:Predict|Your task)\n(.*)", text)
    assert set(boxes) <= {":class: tip", ":class: tip task"}


@every_depth_page
def test_depth_pages_open_alike(path):
    """A question, that the page is optional and what it builds on, what you will be able to do."""
    cells = nbformat.read(path, as_version=4).cells
    assert re.match(
        r"\(depth-[a-z-]+\)=\n# .+\n\n\*\*.+\?\*\*\n\n"
        r"\*Optional\. It builds on \[\]\(#.+\)\.\*\n",
        cells[0].source,
    )
    opening = ":::{admonition} After this page you will be able to\n:class: note\n"
    assert opening in cells[0].source


@every_page
def test_exercises_stand_in_order_of_difficulty(path):
    """Each tells how hard it is and how long it may take, or none does."""
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    openings = re.findall(r"```\{exercise-start\} .*\n:label: .*\n```\n\n(.*)\n", text)
    marks = [
        re.fullmatch(r"\*Difficulty ([123]) of 3 · [1-9]\d* minutes\*", each) for each in openings
    ]
    assert len(marks) == text.count("{exercise-start}")
    if any(marks):
        assert all(marks)
        levels = [mark[1] for mark in marks]
        assert levels == sorted(levels)
    else:
        assert path.parent.name != "depth"
        assert path.stem[:2] not in ("01", "02", "03", "04", "05", "06", "07", "08")


@every_page
def test_every_explorer_comes_with_a_task(path):
    """A box right above it, a plain list; its cell shows no code on the site."""
    cells = nbformat.read(path, as_version=4).cells
    explorers = [n for n, c in enumerate(cells) if re.search(r"^\w+Explorer\(", c.source, re.M)]
    assert explorers or path.parent.name == "depth"
    for n in explorers:
        above = cells[n - 1].source
        box = re.search(
            r"^:::\{admonition\} Your task\n:class: tip task\n\n(.*?)\n:::$", above, re.M | re.S
        )
        assert box is not None
        assert above.endswith(box[0])
        steps = box[1].split("\n")
        # To any reader of Markdown a numbered list: what is in a comment is not shown.
        for number, step in enumerate(steps, 1):
            shown = re.sub(r" <!-- done: .+? -->$", "", step)
            assert re.fullmatch(rf"{number}\. [^{{<]+", shown)
        assert "remove-input" in cells[n].metadata.tags


def test_every_source_is_in_the_table_of_contents():
    listed = {entry["file"] for part in TOC["parts"] for entry in part["chapters"]}
    present = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).iterdir()
        if path.suffix in (".ipynb", ".md")
    }
    assert listed == present
