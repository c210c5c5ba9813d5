"""The examples in docstrings are true, and every public name is documented."""

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT
from test_site import parsed

import descriptions
import gmm_lib

# Where public names live. An example may take for granted what its reader has typed before:
# `import numpy as np`, `from gmm_lib import *`, and the same of `gmm_lib.widgets` for explorers.
DOORS = [
    "gmm_lib",
    "gmm_lib.check",
    "gmm_lib.datasets",
    "gmm_lib.online",
    "gmm_lib.plotting",
    "gmm_lib.stream",
    "gmm_lib.widgets",
    "gmm_lib.worksheet",
]
MODULES = sorted(
    ".".join(path.relative_to(Path(gmm_lib.__file__).parents[1]).with_suffix("").parts)
    for path in Path(gmm_lib.__file__).parent.rglob("*.py")
    if path.name != "__init__.py"
)


def public_names(door):
    """The names that a module offers, in order; all that it defines, where it lists none."""
    module = import_module(door)
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    return [
        name
        for name, value in sorted(vars(module).items())
        if not name.startswith("_") and getattr(value, "__module__", None) == door
    ]


PUBLIC = [
    (door, name)
    for door in DOORS
    for name in public_names(door)
    if callable(getattr(import_module(door), name))
]
every_public_name = pytest.mark.parametrize(
    ("door", "name"), PUBLIC, ids=[f"{door}.{name}" for door, name in PUBLIC]
)


def typed_before():
    """What an example finds defined."""
    names = {"np": np, "gmm_lib": gmm_lib}
    for door in ("gmm_lib", "gmm_lib.widgets"):
        module = import_module(door)
        names |= {name: getattr(module, name) for name in module.__all__}
    return names


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    result = doctest.testmod(import_module(name), extraglobs=typed_before())
    assert result.failed == 0


@every_public_name
def test_every_public_name_has_an_example_that_runs(door, name, capsys):
    """With nothing defined but what a reader has typed before."""
    public = getattr(import_module(door), name)
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner()
    (test,) = finder.find(public, name, globs=typed_before(), module=False)
    assert test.examples, f"{door}.{name} has no example"
    if inspect.isfunction(public):
        assert any(f"{name}(" in example.source for example in test.examples)
    assert runner.run(test).failed == 0, capsys.readouterr().out


def test_there_are_examples_to_be_true():
    finder = doctest.DocTestFinder()
    examples = [
        example
        for name in MODULES
        for test in finder.find(import_module(name))
        for example in test.examples
    ]
    assert len(examples) > 20


@pytest.mark.parametrize("name", [n for n in gmm_lib.__all__ if callable(getattr(gmm_lib, n))])
def test_public_names_say_what_they_return_and_refuse(name):
    public = getattr(gmm_lib, name)
    text = inspect.getdoc(public) or ""
    assert len(text.splitlines()[0]) > 20
    if inspect.isfunction(public):
        assert "Raises\n------" in text
        assert any(word in text for word in ("Returns\n-------", "Yields\n------", "Return "))
        if inspect.signature(public).parameters:
            assert "Parameters\n----------" in text


# On the site


def test_every_public_name_is_described_in_the_book_with_its_source(site):
    page = parsed(site / "appendices/library.html")
    for door, name in PUBLIC:
        entry = page.find(id=f"{door}.{name}")
        assert entry is not None, f"{door}.{name} is not on the page of the library"
        file, _, mark = entry.select_one("a:has(.viewcode-link)")["href"].partition("#")
        assert f'id="{mark}"' in (site / "appendices" / file).read_text("utf-8"), name
    tables = {link["title"] for link in page.select("table.autosummary a[title]")}
    assert {f"{door}.{name}" for door, name in PUBLIC} <= tables
    assert page.find(id="gmm_lib.COVARIANCE_TYPES")
    assert page.find(id="gmm_lib.widgets.EXPLORERS")


def test_every_page_says_what_it_is(site):
    """In its head, for those who find it in a list; a chapter by the question it answers."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    names = [toc["root"], *(each["file"] for part in toc["parts"] for each in part["chapters"])]
    told = {}
    for name in names:
        page = parsed(site / f"{name}.html")
        (meta,) = page.select('meta[name="description"]')
        told[name] = meta["content"]
        shown = {each["property"]: each["content"] for each in page.select("meta[property^='og:']")}
        assert shown["og:description"] == meta["content"]
        picture = (site / name).parent / shown["og:image"]
        assert picture.read_bytes() == descriptions.PICTURE.read_bytes()
        assert 50 <= len(meta["content"]) <= descriptions.LENGTH
        if name.startswith("chapters/"):
            question = page.select_one("article section p").text
            assert question.endswith("?")
            assert meta["content"].startswith(question)
    assert len(set(told.values())) == len(names)
