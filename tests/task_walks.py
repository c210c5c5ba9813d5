"""How a reader does each step of each task: for every explorer, what is pressed, dragged and typed.

`WALKS` has one entry for each task of the book, by page and place on it: a function a step, which
takes the explorer's root and does with it what the step says. A step that asks a question is
`answer`: the question stands in the step.
"""

import re

from gmm_lib.clinic import CASES, CAUSES
from gmm_lib.widgets.base import load_words

CLINIC_WORDS = load_words()["clinic"]


def press(root, *names):
    for name in names:
        root.get_by_role("button", name=name, exact=True).click()


def keys(root, handle, *pressed):
    """Press keys on a handle or slider, given by its name; ``("Shift+ArrowRight", 3)`` thrice."""
    knob = root.get_by_role("slider", name=handle, exact=True)
    knob.focus()
    for key, times in pressed:
        for _ in range(times):
            root.page.keyboard.press(key)


def slide(root, slider, value):
    root.get_by_role("slider", name=slider, exact=True).fill(str(value))


def choose(root, field, option):
    root.get_by_role("combobox", name=field, exact=True).select_option(option)


def answer(step):
    """Answer the question of a step: some answer, right or not."""
    question = step.locator(".question")
    field = question.locator("input").first
    if field.get_attribute("type") == "text":
        field.fill("0.5")
    else:
        field.check()
    question.locator("button[type=submit]").click()


def label_all(root):
    for chip in root.locator(".gmm-chip").all():
        x = float(chip.locator("span").first.inner_text())
        chip.press("1" if x < 15 else "2")
    press(root, "Refit")


def loop_until_it_rests(root):
    while root.get_attribute("data-resting") != "true":
        press(root, "Label")
        if root.get_attribute("data-resting") != "true":
            press(root, "Refit")


def both_ways_to_no_gap(root):
    slide(root, "Weight 1", 1)
    slide(root, "Weight 1", 0.5)
    keys(root, "Point 1", ("Home", 1))
    keys(root, "Point 2", ("Home", 1))


def line_and_cubic(root):
    choose(root, "Curve", "line")
    choose(root, "Curve", "cubic")
    keys(root, "Point 1", ("End", 1))
    keys(root, "Point 2", ("Home", 1))  # -2 and 3
    keys(root, "Point 1", ("Home", 1), ("Shift+ArrowRight", 6))  # -2 and 1


def open_the_gap(root):
    press(root, "E step")
    keys(root, "Share of component 1", ("Shift+ArrowUp", 2), ("Shift+ArrowDown", 1))


def to_one_undecided(root):
    knob = root.get_by_role("slider", name="Variance of every component")
    value = int(knob.input_value())
    while root.get_attribute("data-undecided") != "1":
        value -= 1
        knob.fill(str(value))


def another_start(root):
    keys(root, "Mean of component 1", ("Shift+ArrowRight", 2))
    press(root, "To the end")


def merge_all(root):
    while root.get_attribute("data-complete") != "true":
        press(root, "Merge")


def one_machine_with_few(root):
    cut = root.get_by_role("slider", name="Cut between machines 1 and 2")
    cut.press("Home")
    merge_all(root)


def tree_and_chain(root):
    press(root, "Shuffle")
    merge_all(root)
    choose(root, "Order", "chain")
    merge_all(root)


def three_components(root):
    choose(root, "Components", "3")
    press(root, "To the end")


def fit_by_hand(root):
    keys(root, "Center of the curve", ("Shift+ArrowLeft", 4))
    keys(root, "Width of the curve", ("Shift+ArrowRight", 1))


def repair_it(root):
    press(root, "A restart", "To the end")


def pull_down(root):
    point = root.get_by_role("slider", name=re.compile("^Point"))
    point.press("End")
    point.press("Shift+ArrowDown")


def diagnose(root, number):
    cause = CASES[number - 1].cause
    press(root, CLINIC_WORDS[f"where-{CAUSES[cause].where}"], CLINIC_WORDS[f"cause-{cause}"])


def solve_seven_more(root):
    for number in range(2, 9):
        choose(root, "Case", str(number))
        press(root, "To the end")
        diagnose(root, number)


EM = [
    lambda root: press(root, "E step"),
    lambda root: press(root, "M step"),
]
LIKELIHOOD = [
    fit_by_hand,
    lambda root: press(root, "Show the maximum"),
    answer,
    lambda root: keys(root, "Point 5", ("Shift+ArrowRight", 10)),
]
LABELS = [label_all, lambda root: press(root, "Back to the start"), answer, loop_until_it_rests]
JENSEN = [
    lambda root: slide(root, "Weight 1", 0.2),
    answer,
    both_ways_to_no_gap,
    lambda root: [choose(root, "Curve", name) for name in ("exp", "square")],
    line_and_cubic,
]
BOUND = [
    lambda root: press(root, "E step"),
    lambda root: press(root, "M step"),
    answer,
    open_the_gap,
    answer,
]
PATHS = [
    lambda root: slide(root, "Step size of the gradient", 62),
    lambda root: slide(root, "Step size of the gradient", 85),
    answer,
    lambda root: keys(root, "Start of all three", ("Shift+ArrowRight", 4)),
    lambda root: keys(
        root, "Start of all three", ("Shift+ArrowLeft", 2), ("ArrowRight", 2), ("ArrowUp", 6)
    ),  # from (23, 10) to (14, 13)
]
BREAK_IT = [
    lambda root: press(root, "It rises"),
    lambda root: press(root, "To the end"),
]
SOFT_HARD = [
    lambda root: slide(root, "Variance of every component", 280),
    to_one_undecided,
    answer,
    lambda root: slide(root, "Variance of every component", 0),
]
SHARDS = [
    merge_all,
    one_machine_with_few,
    tree_and_chain,
    lambda root: press(
        root, "Split by place", "Kill machine 1", "Recompute part 1 on another machine"
    ),
    answer,
]
GEYSER = [answer, lambda root: press(root, "To the end"), three_components, another_start]

CLINIC = [
    lambda root: press(root, "E step", "M step", "E step"),
    lambda root: diagnose(root, 1),
    lambda root: press(root, CLINIC_WORDS["mend"]),
    solve_seven_more,
    answer,
]

# By page, in the order of the tasks on it.
WALKS = {
    "index": [[*EM, lambda root: press(root, "Step", "Step", "Step")]],
    "chapters/01-maximum-likelihood": [LIKELIHOOD],
    "chapters/02-labels-and-no-labels": [LABELS],
    "chapters/03-em-for-gaussian-mixtures": [
        [*EM, answer, lambda root: press(root, "Step", "Step", "Step")]
    ],
    "chapters/04-jensens-inequality": [JENSEN],
    "chapters/05-deriving-em": [BOUND],
    "chapters/06-gmm-revisited": [BREAK_IT],
    "chapters/07-real-data": [GEYSER],
    "chapters/08-em-at-scale": [SHARDS],
    "depth/break-it": [[*BREAK_IT, repair_it]],
    "depth/bug-clinic": [CLINIC],
    "depth/choosing": [SOFT_HARD],
    "depth/how-em-moves": [PATHS],
    "depth/more-than-one-dimension": [
        [
            lambda root: press(root, "Step"),
            lambda root: [pull_down(root), press(root, "Step")],
            answer,
        ]
    ],
}
