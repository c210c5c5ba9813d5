"""Exam questions: marks add up, answers are folded, and none is an exercise of the book."""

import json
import math
import re
from collections import Counter

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from exercises import NOTEBOOKS, starters

EXAM = ROOT / "appendices" / "exam.ipynb"
QUESTION = re.compile(r"^\(exam-([\w-]+)\)=\n### (\d+)\. (.+) \((\d+) points?\)$", re.M)
ALIKE = 0.4  # cosine of the words of two problems, rare ones counting for more
# Two questions that were exercises in other words, and the exercises.
WERE_EXERCISES = {
    "ex-labels-bayes": """Where the border lies. The same two curves, but component 1 is four times
        as common as component 2. Where do both hold one half of a point? Now the log of the ratio
        is log 4 + 8 - 4x, which is zero at x = 2 + (log 4)/4 = 2.347. The border moves away from
        the more common component.""",
    "ex-em-hardsoft": """Hard and soft. On the ten points hard labels leave 9 in the wrong group for
        ever, and EM does not. Explain with at most four sentences. With hard labels group 1 learns
        nothing from 9: its mean stays at 4, and group 2, which holds 9 beside five far points,
        becomes so wide that it keeps 9 at the next decision. The same labels give the same fit, and
        the loop has ended. In EM component 1 keeps a share of 9, which draws its mean toward 9 and
        widens it; so its share grows at the next E step. A label cannot change by a little, a
        responsibility can.""",
}


def text_of(notebook):
    """Return all Markdown of a notebook."""
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(each["source"]) for each in found if each["cell_type"] == "markdown")


def questions():
    """Return name -> (number, points, text with the answer) of each question, in order."""
    text = text_of(EXAM)
    found = list(QUESTION.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    return {
        each[1]: (int(each[2]), int(each[4]), text[each.start() : end])
        for each, end in zip(found, ends, strict=True)
    }


def exercises():
    """Return label -> text with the solution of each exercise of the book."""
    pattern = r"```\{exercise-start\} (.*?)\n:label: (\S+)\n```\n(.*?)```\{solution-end\}"
    return {
        each[2]: each[1] + re.sub(r"\*Difficulty.*?\*", "", each[3])
        for notebook in NOTEBOOKS
        for each in re.finditer(pattern, text_of(notebook), re.S)
    }


def words(text):
    return Counter(re.findall(r"[a-z]{4,}", re.sub(r"\$[^$]*\$", " ", text).lower()))


def long_numbers(text):
    """Return the numbers that no two problems share by chance."""
    return set(re.findall(r"(?<![\d.])\d*\.\d{3,}", text))


def twins(asked):
    """Return the exercises that a question repeats: by what is said, or by what comes out."""
    known = exercises()
    counted = {name: words(text) for name, text in known.items()} | {None: words(asked)}
    spread = Counter(word for each in counted.values() for word in each)

    def weighed(name):
        return {
            word: (1 + math.log(count)) * math.log(len(counted) / spread[word])
            for word, count in counted[name].items()
        }

    def norm(vector):
        return math.sqrt(sum(value**2 for value in vector.values()))

    ours, found = weighed(None), set()
    for name, text in known.items():
        other = weighed(name)
        product = sum(value * other.get(word, 0) for word, value in ours.items())
        if product > ALIKE * norm(ours) * norm(other) or long_numbers(asked) & long_numbers(text):
            found.add(name)
    return found


def test_questions_are_many_and_numbered():
    found = questions()
    assert len(found) >= 20
    assert [number for number, _, _ in found.values()] == list(range(1, len(found) + 1))


@pytest.mark.parametrize("name", questions())
def test_marks_add_up(name):
    _, points, text = questions()[name]
    (notes,) = re.findall(r"^\*Marking\.\* (.*)$", text, re.M)
    assert sum(int(mark) for mark in re.findall(r"\*\*(\d+)\*\*", notes)) == points


@pytest.mark.parametrize("name", questions())
def test_no_question_is_an_exercise(name):
    assert twins(questions()[name][2]) == set()


@pytest.mark.parametrize("name", WERE_EXERCISES)
def test_an_exercise_in_other_words_is_found(name):
    assert name in twins(WERE_EXERCISES[name])


def test_each_stands_beside_one_page_of_the_book():
    rows = re.findall(r"^\| \[\]\(#[\w-]+\) \| ([\d, ]+) \|$", text_of(EXAM), re.M)
    assert sorted(int(each) for row in rows for each in row.split(", ")) == [
        number for number, _, _ in questions().values()
    ]


def test_four_have_data_to_compute_with():
    asked = questions()
    assert len(starters(EXAM)) == 4
    assert {name.removesuffix("-try") for name in starters(EXAM)} <= set(asked)


def test_answers_are_folded_on_the_page(site):
    page = BeautifulSoup((site / "appendices/exam.html").read_text("utf-8"), "html.parser")
    folds = page.select(".admonition.dropdown")
    assert len(folds) == len(questions())
    shown = page.select_one("article")
    for fold in folds:
        assert "Marking." in fold.text
        fold.extract()
    assert "Marking." not in shown.text
