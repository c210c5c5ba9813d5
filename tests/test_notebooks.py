"""The chapters as files: clean, in one form, and ready for JupyterLab, VS Code and Colab.

That every cell runs is nbval's part: `pytest` collects the notebooks themselves.
"""

import nbformat
import pytest
import yaml
from conftest import ROOT

NOTEBOOKS = sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("appendices/*.ipynb")])
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


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
def test_first_code_cell_imports_the_library(path):
    first = next(c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    assert "gmm_lib" in first.source


def test_every_source_is_in_the_table_of_contents():
    listed = {entry["file"] for part in TOC["parts"] for entry in part["chapters"]}
    present = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for folder in ("chapters", "appendices")
        for path in (ROOT / folder).iterdir()
        if path.suffix in (".ipynb", ".md")
    }
    assert listed == present
