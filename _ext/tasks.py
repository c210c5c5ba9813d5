"""Tasks that lead through an explorer, one step at a time.

A task is a box of class `task` with a numbered list, right above its explorer; each step ends with
a comment, which nothing shows, that tells when the step is done::

    :::{admonition} Your task
    :class: tip task

    1. Press **E step**. Find the point at 9: whose is it, mostly? <!-- done: half == "e" -->
    2. Stop, and answer the question. <!-- done: answered("q-em-nine") -->
    3. Try the square and the exponential. <!-- done: curve == "square"; curve == "exp" -->
    :::

A condition is an expression of Python in the values that the explorer tells of its state; which
there are, says `VALUES` of its class in ``gmm_lib/widgets``. Beside them there are numbers, texts,
``True`` and ``False``, comparisons, ``and``, ``or``, ``not``, ``+`` and ``-``, and

answered("name")     the question of that name, further down in the same section, has been answered
                     (or its replies looked up); the site asks it inside this step
min(x), max(x)       of a value that is a list
first; second        each has been true at some time since the step was at hand, in any order
first then second    the second has been true after the first

A comparison with a value that there is not at the moment does not hold.

At the moment a page has been read the conditions are checked and compiled to JSON, and
`_static/tasks.js` takes the steps into the explorer. Without scripts, on paper and in JupyterLab
they are the list that they are. A malformed task is a warning, so it fails the build.
"""

import ast
import re

from docutils import nodes
from sphinx.util import logging

from explorers import digest, raw, site_words
from gmm_lib.widgets import EXPLORERS, explorer_class
from questions import INVISIBLE, as_data

LOGGER = logging.getLogger(__name__)
COMMENT = re.compile(r"<!--\s*done:(.*?)-->", re.S)
COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
SUMS = {ast.Add: "+", ast.Sub: "-"}


class MalformedTaskError(ValueError):
    """The message says what was expected, what stands there, and what to do."""


def compiled(text: str, names: dict[str, str]) -> list[list]:
    """The parts of a condition, each a list of what must be true one after the other.

    Each of these is nested lists: ``[">=", ["value", "iteration"], 1]``.

    Parameters
    ----------
    text : str
        The condition, as it stands in the comment.
    names : dict of str to str
        The values it may ask for.

    Raises
    ------
    MalformedTaskError
        If it is no expression of this small language, or asks for another value.
    """

    def one(part):
        try:
            return _compiled(ast.parse(part.strip(), mode="eval").body, names)
        except SyntaxError:
            raise MalformedTaskError(
                'expected a condition such as `iteration >= 1 and half == "m"`, got '
                f"`{part.strip()}`"
            ) from None

    return [[one(each) for each in re.split(r"\bthen\b", part)] for part in text.split(";")]


def _compiled(node: ast.expr, names: dict[str, str]):
    def inner(child):
        return _compiled(child, names)

    match node:
        case ast.Constant(value=bool() | int() | float() | str()):
            return node.value
        case ast.Name():
            if node.id not in names:
                raise MalformedTaskError(
                    f"expected a value that the explorer tells ({', '.join(names)}), got {node.id}"
                )
            return ["value", node.id]
        case ast.BoolOp():
            word = "and" if isinstance(node.op, ast.And) else "or"
            return [word, *map(inner, node.values)]
        case ast.UnaryOp(op=ast.Not()):
            return ["not", inner(node.operand)]
        case ast.UnaryOp(op=ast.USub()):
            return ["-", 0, inner(node.operand)]
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return [SUMS[type(node.op)], inner(node.left), inner(node.right)]
        case ast.Compare(ops=ops) if all(type(op) in COMPARISONS for op in ops):
            values = list(map(inner, [node.left, *node.comparators]))
            pairs = zip(ops, values, values[1:], strict=False)
            return ["and", *([COMPARISONS[type(op)], a, b] for op, a, b in pairs)]
        case ast.Call(
            func=ast.Name(id="min" | "max" as name), args=[ast.Name() as of], keywords=[]
        ):
            return [name, inner(of)]
        case ast.Call(
            func=ast.Name(id="answered"), args=[ast.Constant(value=str() as of)], keywords=[]
        ):
            return ["answered", of]
    raise MalformedTaskError(
        f"expected values, comparisons, and, or, not, +, -, min, max and answered, got "
        f"`{ast.unparse(node)}`"
    )


def questions_in(condition) -> set[str]:
    """The names of the questions that a compiled condition asks for."""
    if not isinstance(condition, list):
        return set()
    if condition[:1] == ["answered"]:
        return {condition[1]}
    return set().union(*map(questions_in, condition))


def explorer_below(box: nodes.admonition) -> str:
    """The kind of the explorer that the next block of the page shows."""
    after = box.parent.children[box.parent.index(box) + 1 :]
    block = next((node for node in after if not isinstance(node, INVISIBLE)), None)
    views = [] if block is None else [each for each in block.findall() if is_view(each)]
    if len(views) != 1:
        raise MalformedTaskError(
            f"expected one explorer right below the task, got {len(views) or 'none'}; leave "
            "nothing in between"
        )
    kind = views[0]["explorer"]
    if kind not in EXPLORERS:
        raise MalformedTaskError(
            f"expected one of the explorers {', '.join(EXPLORERS)} below the task, got {kind!r}"
        )
    return kind


def is_view(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Element) and bool(node.get("explorer"))


def condition_of(item: nodes.list_item) -> tuple[nodes.raw, str]:
    """The comment of a step, and the condition in it."""
    raws = ((each, COMMENT.fullmatch(each.astext().strip())) for each in item.findall(nodes.raw))
    found = [(each, match[1]) for each, match in raws if match]
    if len(found) != 1:
        raise MalformedTaskError(
            "expected one comment <!-- done: … --> at the end of the step, got "
            f"{len(found) or 'none'}"
        )
    return found[0]


def question_named(name: str, box: nodes.admonition) -> nodes.admonition:
    """The question of this name, below the task in its section."""
    after = box.parent.children[box.parent.index(box) + 1 :]
    for block in after:
        for each in block.findall(nodes.admonition):
            if "question" in each["classes"] and name in each["names"]:
                return each
    raise MalformedTaskError(
        f"expected a question :name: {name} below the task, before the next heading that is as "
        "high, found none"
    )


def prepare(box: nodes.admonition, live: bool) -> list:
    """Check a task; if `live`, bring its questions into its steps. Returns the conditions."""
    steps = box.children[-1]
    if not isinstance(steps, nodes.enumerated_list):
        raise MalformedTaskError(f"expected a numbered list at the end, got {steps.tagname}")
    kind = explorer_below(box) if live else None
    conditions = []
    for number, item in enumerate(steps.children, 1):
        try:
            comment, text = condition_of(item)
            comment.parent.remove(comment)
            if not live:
                continue
            condition = compiled(text, explorer_class(kind).VALUES)
            for name in sorted(questions_in(condition)):
                question = question_named(name, box)
                question.parent.remove(question)
                item += question
        except MalformedTaskError as error:
            raise MalformedTaskError(f"step {number}: {error}") from None
        conditions.append(condition)
    return conditions


def lead(app, doctree: nodes.document) -> None:
    """Make the tasks of a page ready, or tell what is wrong with them."""
    page, live = app.env.docname, app.builder.format == "html"
    words = site_words("tasks")
    boxes = [each for each in doctree.findall(nodes.admonition) if "task" in each["classes"]]
    for number, box in enumerate(boxes, 1):
        text = box.astext()
        try:
            conditions = prepare(box, live)
        except MalformedTaskError as error:
            LOGGER.warning(f"{page}, task {number}: {error}", location=box)
            continue
        if not live:
            continue
        # A task that has been edited is a new one.
        key = f"{page}/task-{digest(f'{conditions}{text}')}"
        box += as_data({"key": key, "conditions": conditions, "words": words}, "task-data")
        box += raw("<script>window.tasks?.wake(document.currentScript.parentElement)</script>")


def setup(app):
    # After the explorers have their hosts, and the questions what they cover.
    app.connect("doctree-read", lead, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
