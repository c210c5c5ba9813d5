"""Exercises with code: solutions are accepted and well-known mistakes named, in the page too."""

import ast
import json
import os
import re
import subprocess
import sys
from functools import cache

import exercises
import pytest
import test_check
from conftest import ROOT
from exercises import ANSWERS, MARK, NOTEBOOKS, RIGHT, code_cells, starters
from test_python_in_page import RUN, ready

from gmm_lib import check

WITH_STARTERS = [notebook for notebook in NOTEBOOKS if starters(notebook)]
each_notebook = pytest.mark.parametrize("notebook", WITH_STARTERS, ids=lambda path: path.stem)


@cache
def told_in_notebooks():
    """Return, for each notebook, starter, answer and what it was told in IPython."""
    command = [sys.executable, exercises.__file__, *WITH_STARTERS]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, env=environment, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(zip(WITH_STARTERS, json.loads(done.stdout), strict=True))


def in_page(page, notebook):
    """Return a function that runs cells of the page: see `exercises.tell`."""

    def run(name, text):
        status, output = page.evaluate(RUN, [code_cells(notebook)[name][0], text])
        assert status == "Done.", (name, text, output)
        return output

    return run


def known(notebook):
    """Yield what the checks of a notebook can say of mistakes: keys of the advice, or texts."""
    mistakes = {function.__name__: keys for function, keys in test_check.MISTAKES.items()}
    mistakes["variance"] = [key for key in test_check.BY_HAND.values() if key != "number"]
    for _, text in code_cells(notebook).values():
        if MARK.search(text) and (
            called := re.search(r"^check\.(\w+)\(\w+[,)]", text, re.MULTILINE)
        ):
            yield from mistakes.get(called[1], [])
        if "check.number(" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Dict):
                    yield from (value.value for value in node.values)


def test_every_starter_has_answers():
    found = [name for notebook in NOTEBOOKS for name in starters(notebook)]
    assert sorted(found) == sorted(ANSWERS)


@each_notebook
def test_every_mistake_that_a_check_knows_is_made(notebook):
    made = {told for name in starters(notebook) for _, told in ANSWERS[name]}
    mistakes = set(known(notebook))
    assert mistakes
    assert [text for text in mistakes if not any(told in text for told in made)] == []


@each_notebook
def test_mistakes_are_named_and_solutions_accepted(notebook):
    expected = {
        (name, answer): told for name in starters(notebook) for answer, told in ANSWERS[name]
    }
    for name, answer, told in told_in_notebooks()[notebook]:
        if not answer:
            assert told == "", f"{name}, untouched"
            continue
        key = expected.pop((name, answer))
        words, _, _ = check.ADVICE.get(key, key).partition("{")  # numbers and names follow
        assert words in told, f"{name}:\n{answer}"
        assert told.startswith("Right") == (key in RIGHT), f"{name}:\n{answer}"
    assert not expected


@pytest.mark.slow
@each_notebook
def test_the_page_says_what_the_notebook_says(notebook, open_page, site_url):
    address = notebook.relative_to(ROOT).with_suffix(".html").as_posix()
    page = ready(open_page(site_url + address))
    assert exercises.tell(notebook, in_page(page, notebook)) == told_in_notebooks()[notebook]
