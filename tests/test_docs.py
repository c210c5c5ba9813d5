"""The examples in docstrings are true, and every public name is documented."""

import doctest
import inspect
from importlib import import_module
from pathlib import Path

import pytest

import gmm_lib

MODULES = sorted(
    ".".join(path.relative_to(Path(gmm_lib.__file__).parents[1]).with_suffix("").parts)
    for path in Path(gmm_lib.__file__).parent.rglob("*.py")
    if path.name != "__init__.py"
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    result = doctest.testmod(import_module(name))
    assert result.failed == 0


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
