"""Questions that wait for an answer.

A question is written as plain MyST, which any notebook shows as a box with a list and a fold::

    ::::{admonition} Predict: does 9 change sides?
    :class: question one covers-next
    :name: q-em-weights

    The text of the question, with mathematics where it is needed.

    1. a choice
    2. another choice

    :::{admonition} Replies
    :class: dropdown right-2

    1. what the reader who took the first choice should hear
    2. why this is right
    :::
    ::::

The kinds, and what `right-` says:

one      one choice is right: ``right-2``
many     all that hold are to be ticked: ``right-1-3``
number   no choices; each reply opens with its number in bold, the last one with none: it is for
         any other number. A number stands for all that round to it; ``**.41 ± .02**`` says
         otherwise. ``right-1`` is the reply with the right one.
order    the choices stand in another order than the right one, ``right-3-1-2``; the first reply
         says why choice 3 comes first, and so on

A question may cover what answers it: ``covers-next`` the next block (a cell, a paragraph, …),
``covers-rest`` all up to the next heading, ``covers-until-<label>`` all up to what has the label.

At the moment a page has been read, each question is checked, its replies become a ``<details>``
with the right ones marked, what it covers goes in one element, and `_static/questions.js` finds
beside it what it needs to know. Without scripts nothing is covered, and the replies are a fold.
A malformed question is a warning, so it fails the build.
"""

import html
import json
import re
from itertools import takewhile

from docutils import nodes
from sphinx.util import logging

from explorers import digest, raw, site_words

LOGGER = logging.getLogger(__name__)
KINDS = ("one", "many", "number", "order")
NUMBER = re.compile(r"([-−]?)(\d*)(?:\.(\d+))?")
INVISIBLE = (nodes.target, nodes.comment, nodes.substitution_definition)


class MalformedQuestionError(ValueError):
    """The message says what was expected, what stands there, and what to do."""


def only(found: list, what: str):
    """The one element of a list of classes or nodes."""
    if len(found) != 1:
        got = ", ".join(map(str, found)) if found and isinstance(found[0], str) else len(found)
        raise MalformedQuestionError(f"expected {what}, got {got or 'none'}")
    return found[0]


def kind_of(box: nodes.admonition) -> str:
    kinds = [each for each in box["classes"] if each in KINDS]
    return only(kinds, f"one of the classes {', '.join(KINDS)}")


def replies_box(box: nodes.admonition) -> nodes.admonition:
    last = box.children[-1]
    if not (isinstance(last, nodes.admonition) and "dropdown" in last["classes"]):
        raise MalformedQuestionError(
            "expected a box of class `dropdown` with the replies at the end, inside the question "
            f"(which needs one colon more), got {last.tagname}"
        )
    return last


def list_items(node: nodes.Node, what: str) -> list[nodes.list_item]:
    """The items of a numbered list, each of which begins with a paragraph."""
    if not isinstance(node, nodes.enumerated_list):
        raise MalformedQuestionError(f"expected a numbered list of {what}, got {node.tagname}")
    if not all(item.children and isinstance(item[0], nodes.paragraph) for item in node):
        raise MalformedQuestionError(f"expected words in every one of the {what}")
    return list(node.children)


def choices_of(box: nodes.admonition) -> list[nodes.list_item]:
    choices = list_items(box.children[-2], "choices above the replies")
    if not all(len(choice) == 1 for choice in choices):
        raise MalformedQuestionError("expected choices of one paragraph each")
    return choices


def right_ones(replies: nodes.admonition, kind: str, count: int) -> list[int]:
    """What `right-…` names, counted from 0."""
    found = [each for each in replies["classes"] if each.startswith("right-")]
    text = only(found, "one class right-… beside `dropdown`, that tells the right answer")
    parts = text.removeprefix("right-").split("-")
    if not all(part.isdigit() and 1 <= int(part) <= count for part in parts):
        raise MalformedQuestionError(f"expected numbers from 1 to {count} in right-…, got {text}")
    right = [int(part) - 1 for part in parts]
    if len(set(right)) < len(right):
        raise MalformedQuestionError(f"expected each number once, got {text}")
    if kind in ("one", "number") and len(right) > 1:
        raise MalformedQuestionError(f"expected one right answer, got {text}; or is it `many`?")
    if kind == "order" and len(right) < count:
        raise MalformedQuestionError(f"expected all of the {count} choices in right-…, got {text}")
    if kind == "order" and right == sorted(right):
        raise MalformedQuestionError("expected the choices in another order than the right one")
    return right


def value_of(text: str) -> tuple[float, float]:
    """A number as it is written, and half a unit of its last digit.

    Raises
    ------
    MalformedQuestionError
        If it is no number in decimal digits.
    """
    found = NUMBER.fullmatch(text.strip())
    if found is None or not (found[2] or found[3]):
        raise MalformedQuestionError(
            f"expected a number such as **.41**, **-3** or **.41 ± .02**, got **{text}**"
        )
    sign, whole, decimals = found[1], found[2] or "0", found[3] or ""
    value = float(f"{whole}.{decimals or 0}") * (-1 if sign else 1)
    return value, 0.5 * 10 ** -len(decimals)


def numbers_of(replies: list[nodes.list_item]) -> list[tuple[float, float] | None]:
    """For each reply its number and how far off it may be; None for the one for other numbers."""
    numbers = []
    for reply in replies:
        bold = next((node for node in reply[0] if node.astext()), None)
        if not isinstance(bold, nodes.strong):
            numbers.append(None)
            continue
        value, _, tolerance = bold.astext().partition("±")
        number, half = value_of(value)
        numbers.append((number, value_of(tolerance)[0] if tolerance else half))
    if [each is None for each in numbers] != [False] * (len(numbers) - 1) + [True]:
        raise MalformedQuestionError(
            "expected replies that open with a number in bold, and then one that does not, for any "
            "other number"
        )
    given = sorted(numbers[:-1])
    for (low, below), (high, above) in zip(given, given[1:], strict=False):
        if high - above < low + below - 1e-12:
            raise MalformedQuestionError(
                f"expected numbers that can be told apart, got {low:g} ± {below:g} and "
                f"{high:g} ± {above:g}"
            )
    return numbers


def covered_by(box: nodes.admonition) -> list[nodes.Node]:
    """The nodes after the box that it covers."""
    classes = [each for each in box["classes"] if re.match("covers?-", each)]
    if not classes:
        return []
    cover = only(classes, "one class covers-…")
    after = box.parent.children[box.parent.index(box) + 1 :]
    after = list(takewhile(lambda node: not isinstance(node, nodes.section), after))
    if cover.startswith("covers-until-"):
        label = cover.removeprefix("covers-until-")
        ends = [n for n, node in enumerate(after) if label in ids_in(node)]
        if not ends:
            raise MalformedQuestionError(
                f"expected the label {label} after the question and before the next heading"
            )
        after = after[: ends[0]]
    elif cover == "covers-next":
        seen = [n for n, node in enumerate(after) if not isinstance(node, INVISIBLE)]
        after = after[: seen[0] + 1] if seen else []
    elif cover != "covers-rest":
        raise MalformedQuestionError(
            f"expected covers-next, covers-rest or covers-until-<label>, got {cover}"
        )
    if all(isinstance(node, INVISIBLE) for node in after):
        raise MalformedQuestionError(f"{cover}: there is nothing to cover")
    return after


def ids_in(node: nodes.Node) -> set[str]:
    return {name for each in node.findall(nodes.Element) for name in each["ids"]}


def as_data(value: dict, name: str) -> nodes.raw:
    """JSON for the script, in an element of this class."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return raw(f'<script type="application/json" class="{name}">{text}</script>')


def fold(replies: nodes.admonition, right: list[int]) -> list[nodes.Node]:
    """The replies as an element that folds by itself, the right ones marked."""
    title, body = replies.children[0], replies.children[1:]
    for index in right:
        body[0][index][0].insert(0, nodes.inline("", "✓ ", classes=["right-sign"]))
    opening = f'<details class="replies"><summary>{html.escape(title.astext())}</summary>'
    return [raw(opening), *body, raw("</details>")]


def prepare(box: nodes.admonition, names: dict[str, str], page: str, live: bool) -> None:
    """Check a question and, if `live`, make it ready for the script."""
    kind = kind_of(box)
    if not box["names"] or names.setdefault(box["names"][0], page) != page:
        name = (box["names"] or box["dupnames"] or [None])[0]
        raise MalformedQuestionError(
            f"expected a :name: of its own, got {name or 'none'}"
            + (f", which {names[name]} has too" if name in names else "")
        )
    replies = replies_box(box)
    answers = list_items(only(replies.children[1:], "one numbered list of replies"), "replies")
    choices = answers if kind == "number" else choices_of(box)
    if len(choices) != len(answers):
        raise MalformedQuestionError(
            f"expected a reply for every choice, got {len(answers)} for {len(choices)} choices"
        )
    if len(choices) < 2:
        raise MalformedQuestionError(f"expected 2 {'replies' if kind == 'number' else 'choices'}")
    right = right_ones(replies, kind, len(answers))
    data = {"kind": kind, "right": right}
    if kind == "number":
        data["numbers"] = numbers_of(answers)
        if data["numbers"][right[0]] is None:
            raise MalformedQuestionError("expected right-… to name a reply with a number")
    covered = covered_by(box)
    if not live:
        return
    text = "\n".join([box["ids"][0], *(child.astext() for child in box.children[:-1])])
    data["digest"] = digest(f"{data}{text}")
    box.remove(replies)
    box += fold(replies, right if kind != "order" else [])
    box += as_data(data, "question-data")
    parent, place = box.parent, box.parent.index(box) + 1
    # By now the browser has read what belongs to the question, and has painted none of it.
    wake = [raw(f"<script>window.questions?.wake({json.dumps(box['ids'][0])})</script>")]
    if covered:
        cover = nodes.container("", classes=["cover"], ids=[f"{box['ids'][0]}-cover"])
        cover += covered
        wake.insert(0, cover)
    parent.children[place : place + len(covered)] = []
    parent.insert(place, wake)


def ask(app, doctree: nodes.document) -> None:
    """Make the questions of a page ready, or tell what is wrong with them."""
    page, live = app.env.docname, app.builder.format == "html"
    boxes = [each for each in doctree.findall(nodes.admonition) if "question" in each["classes"]]
    for box in boxes:
        try:
            prepare(box, names_of(app.env), page, live)
        except MalformedQuestionError as error:
            title = box.children[0].astext()
            LOGGER.warning(f"{page}, question {title!r}: {error}", location=box)
    if boxes and live:
        boxes[0] += as_data({"page": page, "words": site_words("questions")}, "questions-data")


def names_of(env) -> dict[str, str]:
    """The names of all questions, each with the page it stands on."""
    return vars(env).setdefault("question_names", {})


def purge(app, env, docname: str) -> None:
    env.question_names = {name: page for name, page in names_of(env).items() if page != docname}


def merge(app, env, docnames, other) -> None:
    for name, page in names_of(other).items():
        if (first := names_of(env).setdefault(name, page)) != page:
            LOGGER.warning(f"{page}: the question {name} has the name of one in {first}")


def setup(app):
    app.connect("doctree-read", ask)
    app.connect("env-purge-doc", purge)
    app.connect("env-merge-info", merge)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
