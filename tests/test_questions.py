"""Questions that wait: on a small book in a real browser, in its build, and in the chapters."""

import json
import re
import shutil

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT, serving
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from test_build import EXPLORER, TOC, build, copy_machinery
from test_site import NOTEBOOKS, overflow, parsed, serious_violations, settle

WORDS = json.loads((ROOT / "gmm_lib/widgets/words.en.json").read_text(encoding="utf-8"))[
    "questions"
]
PAGE = r"""
# A page of questions

::::{admonition} Predict: whose is it?
:class: question one covers-next
:name: q-one

Whose is $x^{(5)}$?

1. Component 1, with $\phi_1$
2. Component 2
3. Nobody

:::{admonition} Replies
:class: dropdown right-2

1. You forgot $\phi_2$.
2. It is the wider one.
3. It came from somebody.
:::
::::

The zebra is of component 2, by $\phi_2$.

See [below](#q-inside).

::::{admonition} Check: what sums to 1?
:class: question many
:name: q-many

Which sum to 1?

1. Rows
2. Columns
3. Weights

:::{admonition} Replies
:class: dropdown right-1-3

1. A row shares out a point.
2. A column is a soft count.
3. Weights are parts of one.
:::
::::

::::{admonition} By hand: the share
:class: question number
:name: q-number

What is 3/7, to four digits?

:::{admonition} Replies
:class: dropdown right-1

1. **.4286**: three parts of seven.
2. **2.333**: turned round.
3. **-1 ± .1**: below zero.
4. Any other number: divide.
:::
::::

## The second section

::::{admonition} In order: one iteration
:class: question order covers-until-q-end
:name: q-order

In which order?

1. means
2. heights
3. shares

:::{admonition} Replies
:class: dropdown right-2-3-1

1. Heights need nothing.
2. Shares need heights.
3. Means need shares.
:::
::::

A covered giraffe.

(q-inside)=
A paragraph with a name.

(q-end)=
An open paragraph.
"""
ASKING = """
::::{{admonition}} Predict: the explorer
:class: question one covers-rest
:name: q-explorer

What does it show?

1. Zero
2. One

:::{{admonition}} Replies
:class: dropdown right-1

1. {reply}
2. It does not.
:::
::::
"""


@pytest.fixture(scope="module")
def asking(tmp_path_factory):
    """A book with a page of all kinds of questions, and one with an explorer under a cover."""
    pytest.importorskip("jupyter_book")
    folder = tmp_path_factory.mktemp("asking")
    copy_machinery(folder)
    (folder / "_toc.yml").write_text(TOC + "      - file: chapters/explorer\n")
    (folder / "index.md").write_text("# Small book\n")
    (folder / "references.bib").write_text("")
    (folder / "chapters").mkdir()
    (folder / "chapters" / "page.md").write_text(PAGE, encoding="utf-8")
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# Explorer", id="title"),
            new_code_cell(EXPLORER, id="code"),
            new_markdown_cell(ASKING.format(reply="It does."), id="ask"),
            new_code_cell("Tiny()", id="show"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    (folder / "chapters" / "explorer.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    said, status = build(folder)
    assert status == 0, said
    return folder


@pytest.fixture(scope="module")
def asking_url(asking):
    with serving(asking / "_build" / "html") as url:
        yield url + "chapters/page.html"


def question(page, name):
    return page.locator(f"#{name}")


def leave(page):
    """Wait until leaving breaks nothing off."""
    settle(page)
    page.wait_for_load_state("networkidle")


def answer(page, name, *choices):
    """Choose, by mouse, and press Answer."""
    for choice in choices:
        question(page, name).get_by_label(choice, exact=True).check()
    question(page, name).get_by_role("button", name=WORDS["answer"]).click()


def reply(page, name):
    return question(page, name).locator(".reply").inner_text()


def found(page, text):
    """Whether the reader can find a text: by eye, by ear, by the browser's search."""
    seen = page.get_by_text(text).is_visible()
    heard = text in page.locator("main").aria_snapshot()
    searched = page.evaluate("(text) => (getSelection().empty(), window.find(text))", text)
    assert seen == heard == searched
    return seen


# -- the kinds


def test_one_of_several(asking_url, open_page):
    page = open_page(asking_url)
    answer(page, "q-one")
    assert WORDS["choose"] in reply(page, "q-one")
    answer(page, "q-one", "Component 2")
    assert WORDS["right"] in reply(page, "q-one")
    assert "It is the wider one." in reply(page, "q-one")
    assert "You forgot" not in reply(page, "q-one")
    answer(page, "q-one", "Nobody")
    assert WORDS["wrong"] in reply(page, "q-one")
    assert "It came from somebody." in reply(page, "q-one")


def test_all_that_hold(asking_url, open_page):
    page = open_page(asking_url)
    answer(page, "q-many", "Rows", "Columns")
    said = reply(page, "q-many")
    assert f"{WORDS['ticked']}Columns\nA column is a soft count." in re.sub(r"\n+", "\n", said)
    assert f"{WORDS['missed']}Weights\nWeights are parts of one." in re.sub(r"\n+", "\n", said)
    assert "A row shares" not in said
    question(page, "q-many").get_by_label("Columns").uncheck()
    answer(page, "q-many", "Weights")
    said = reply(page, "q-many")
    assert WORDS["right"] in said
    assert "A row shares out a point." in said
    assert "Weights are parts of one." in said


NUMBERS = {
    ".4286": "three parts of seven",
    "0.42857": "three parts of seven",
    "0,4286": "three parts of seven",
    " 3/7 ": "three parts of seven",
    "42.86%": "three parts of seven",
    "4.286e-1": "three parts of seven",
    "2.3333": "turned round",
    "−1.05": "below zero",
    "-1.2": "divide",
    ".4287": "divide",
    "3/0": WORDS["unreadable"],
    "three": WORDS["unreadable"],
    "1,2,3": WORDS["unreadable"],
    "": WORDS["choose"],
}


def test_a_number(asking_url, open_page):
    page = open_page(asking_url)
    field = question(page, "q-number").get_by_role("textbox")
    for text, said in NUMBERS.items():
        field.fill(text)
        field.press("Enter")
        assert said in reply(page, "q-number"), text
        assert (WORDS["right"] in reply(page, "q-number")) == said.startswith("three"), text


def test_an_order(asking_url, open_page):
    page = open_page(asking_url)
    box = question(page, "q-order")

    def lines():
        return box.locator("fieldset li > span").all_inner_texts()

    assert lines() == ["means", "heights", "shares"]
    answer(page, "q-order")
    assert WORDS["look"].format(place=1) in reply(page, "q-order")
    assert "Heights need nothing." in reply(page, "q-order")
    box.get_by_role("button", name=f"{WORDS['down']} means").click()
    assert lines() == ["heights", "means", "shares"]
    answer(page, "q-order")
    assert "Shares need heights." in reply(page, "q-order")
    box.get_by_role("button", name=f"{WORDS['up']} shares").click()
    assert lines() == ["heights", "shares", "means"]
    answer(page, "q-order")
    said = reply(page, "q-order")
    assert WORDS["right"] in said
    assert said.index("Heights need") < said.index("Shares need") < said.index("Means need")


def test_all_by_keyboard(asking_url, open_page):
    page = open_page(asking_url)
    keys = page.keyboard
    settle(page)
    # The links above the questions are not our matter.
    question(page, "q-one").get_by_label("Component 1,").focus()
    for key in ("ArrowDown", "Tab", "Enter"):
        keys.press(key)
    assert "It is the wider one." in reply(page, "q-one")
    assert page.evaluate("document.activeElement.textContent") == WORDS["answer"]
    question(page, "q-many").get_by_label("Rows").focus()
    for key in ("Space", "Tab", "Tab", "Space", "Tab", "Space"):
        keys.press(key)
    assert WORDS["right"] in reply(page, "q-many")
    question(page, "q-number").get_by_role("textbox").focus()
    keys.type("3/7")
    keys.press("Enter")
    assert WORDS["right"] in reply(page, "q-number")
    first = question(page, "q-order").get_by_role("button", name=f"{WORDS['down']} means")
    first.focus()
    keys.press("Enter")
    keys.press("Space")
    assert page.evaluate("document.activeElement.id") == first.get_attribute("id")
    moved = WORDS["moved"].format(place=3, of=3)
    assert moved in question(page, "q-order").get_by_role("status").all_inner_texts()
    for key in ("Tab", "Enter"):
        keys.press(key)
    assert WORDS["right"] in reply(page, "q-order")


def test_all_by_touch(asking_url, open_page):
    page = open_page(asking_url, width=360, touch=True)
    press = re.compile(f"^{WORDS['answer']}$")
    question(page, "q-one").get_by_text("Component 2").tap()
    question(page, "q-one").get_by_role("button", name=press).tap()
    assert WORDS["right"] in reply(page, "q-one")
    for text in ("Rows", "Weights"):
        question(page, "q-many").get_by_text(text, exact=True).tap()
    question(page, "q-many").get_by_role("button", name=press).tap()
    assert WORDS["right"] in reply(page, "q-many")
    question(page, "q-number").get_by_role("textbox").tap()
    page.keyboard.type("0,4286")
    question(page, "q-number").get_by_role("button", name=press).tap()
    assert WORDS["right"] in reply(page, "q-number")
    for _ in range(2):
        question(page, "q-order").get_by_role("button", name=f"{WORDS['down']} means").tap()
    question(page, "q-order").get_by_role("button", name=press).tap()
    assert WORDS["right"] in reply(page, "q-order")


def test_a_title_with_a_formula_is_told_as_it_is_drawn(site_url, open_page):
    """Not with the TeX that stands beside each formula."""
    page = open_page(site_url + "depth/choosing.html")
    asked = "Does k count as a parameter?"
    page.locator(".questions-asked a", has_text="as a parameter").wait_for()
    assert page.locator(".questions-asked a").first.inner_text() == asked
    assert page.get_by_role("group", name=asked).count() == 1


# -- the cover


def test_a_cover_covers_until_the_reader_has_answered(asking_url, open_page):
    page = open_page(asking_url)
    settle(page)
    assert not found(page, "zebra")
    assert not found(page, "giraffe")
    assert not found(page, "It is the wider one.")
    assert found(page, "An open paragraph.")
    assert page.get_by_text(WORDS["covered"]).count() == 2
    answer(page, "q-one", "Nobody")
    assert found(page, "zebra")
    assert not found(page, "giraffe")
    assert question(page, "q-one").get_by_label("Nobody").is_checked()
    page.get_by_role("button", name=WORDS["show"]).click()
    assert found(page, "giraffe")
    assert reply(page, "q-order") == ""


def test_nothing_covered_is_ever_painted(asking_url, open_page):
    page = open_page()
    page.add_init_script(
        """window.seen = [];
        const look = () => {
          const hidden = [...document.querySelectorAll(".cover, .replies")];
          seen.push(...hidden.map((each) => each.offsetHeight));
          requestAnimationFrame(look);
        };
        requestAnimationFrame(look);"""
    )
    page.goto(asking_url)
    settle(page)
    page.wait_for_function("seen.length > 0")
    assert set(page.evaluate("seen")) == {0}


def test_formulas_under_a_cover_are_as_large_as_others(asking_url, open_page):
    page = open_page(asking_url)
    settle(page)
    answer(page, "q-one", "Nobody")
    page.get_by_text("Replies").first.click()
    sizes = page.locator("math:visible").evaluate_all(
        "(all) => all.map((each) => getComputedStyle(each).fontSize)"
    )
    assert len(sizes) >= 4
    assert len(set(sizes)) == 1


@pytest.mark.parametrize("late", [False, True])
def test_a_link_into_what_is_covered_shows_it(late, asking_url, open_page):
    page = open_page(asking_url if late else f"{asking_url}#q-inside")
    if late:
        page.get_by_role("link", name="below").click()
    page.get_by_text("A paragraph with a name.").wait_for()
    assert found(page, "giraffe")
    assert page.get_by_text("A paragraph with a name.").evaluate(
        "(each) => each.getBoundingClientRect().top < innerHeight"
    )
    assert not found(page, "zebra")


@pytest.mark.parametrize("link", ["", "#tiny=e30"])
def test_an_explorer_under_a_cover_comes_alive_when_uncovered(link, asking_url, open_page):
    page = open_page(asking_url.replace("page.html", "explorer.html") + link)
    page.wait_for_function("document.documentElement.dataset.set")
    if not link:
        page.wait_for_timeout(300)  # the explorers in view, and the rest, have started by now
        assert page.locator("[data-explorer]").count() == 0
        answer(page, "q-explorer", "One")
    page.locator("[data-explorer=tiny]").wait_for()
    settle(page)
    assert page.locator("[data-explorer=tiny]").get_by_role("button").is_visible()


def test_a_question_that_fails_hides_nothing(asking_url, open_page):
    page = open_page(allow=["console: TypeError"])
    page.route(
        "**/page.html",
        lambda route: route.fulfill(
            body=route.fetch().text().replace('<details class="replies">', "<div>"),
            content_type="text/html",
        ),
    )
    page.goto(asking_url)
    assert found(page, "zebra")
    assert found(page, "giraffe")


# -- what is kept


def summary(page):
    return page.locator(".questions-asked")


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_answers_are_kept_and_forgotten(protocol, asking, asking_url, open_page):
    folder = asking / "_build" / "html" / "chapters"
    address = asking_url if protocol == "http" else (folder / "page.html").as_uri()
    page = open_page(address)
    answer(page, "q-one", "Nobody")
    answer(page, "q-many", "Rows", "Weights")
    question(page, "q-number").get_by_role("textbox").fill("7/3")
    answer(page, "q-number")
    question(page, "q-order").get_by_role("button", name=f"{WORDS['up']} heights").click()
    answer(page, "q-order")

    def check_all():
        assert WORDS["asked"].format(asked=4, answered=4) in summary(page).inner_text()
        again = summary(page).locator("ul a").all_inner_texts()
        assert again == ["Predict: whose is it?", "By hand: the share", "In order: one iteration"]
        assert found(page, "zebra")
        assert question(page, "q-one").get_by_label("Nobody").is_checked()
        assert "It came from somebody." in reply(page, "q-one")
        assert question(page, "q-many").get_by_role("checkbox", checked=True).count() == 2
        assert "turned round" in reply(page, "q-number")
        assert question(page, "q-number").get_by_role("textbox").input_value() == "7/3"
        order = question(page, "q-order").locator("fieldset li > span").all_inner_texts()
        assert order == ["heights", "means", "shares"]

    check_all()
    leave(page)
    page.reload()
    settle(page)
    check_all()
    other = address.replace("page.html", "explorer.html")
    page.goto(other)
    answer(page, "q-explorer", "Zero")
    leave(page)
    page.goto(address)
    summary(page).get_by_role("button", name=WORDS["forget-page"]).click()
    for _ in range(2):
        assert WORDS["asked"].format(asked=4, answered=0) in summary(page).inner_text()
        assert not found(page, "zebra")
        assert page.get_by_role("radio", checked=True).count() == 0
        assert page.locator(".reply:not(:empty)").count() == 0
        assert question(page, "q-number").get_by_role("textbox").input_value() == ""
        leave(page)
        page.reload()
    leave(page)
    page.goto(other)
    assert WORDS["right"] in reply(page, "q-explorer")
    summary(page).get_by_role("button", name=WORDS["forget-book"]).click()
    settle(page)
    left = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('gmm-book/'))")
    assert left == []


def test_skipped_questions_deserve_another_look(asking_url, open_page):
    page = open_page(asking_url)
    question(page, "q-many").get_by_role("button", name=WORDS["skip"]).click()
    assert found(page, "A column is a soft count.")
    leave(page)
    page.reload()
    assert found(page, "A column is a soft count.")
    assert WORDS["asked"].format(asked=4, answered=0) in summary(page).inner_text()
    assert summary(page).locator("a").all_inner_texts() == [
        "Check: what sums to 1?",
        "Predict: whose is it?",  # the first that is open
    ]


def test_without_storage_the_page_works_until_it_is_left(asking_url, open_page):
    page = open_page(allow=["script error: no", "invalid theme mode"])  # of the theme's own scripts
    page.add_init_script(
        """Object.defineProperty(window, "localStorage", {
          get() { throw new DOMException("no", "SecurityError"); } });"""
    )
    page.goto(asking_url)
    answer(page, "q-one", "Component 2")
    assert WORDS["right"] in reply(page, "q-one")
    assert WORDS["asked"].format(asked=4, answered=1) in summary(page).inner_text()
    summary(page).get_by_role("button", name=WORDS["forget-page"]).click()
    assert not found(page, "zebra")


@pytest.mark.parametrize("junk", ["null", "[", '{"answer": [99]}', '{"answer": "2"}', "7"])
def test_what_cannot_have_been_kept_is_as_nothing(junk, asking_url, open_page):
    page = open_page(asking_url)
    page.evaluate(
        """(junk) => {
          for (const each of document.querySelectorAll(".question-data")) {
            const { digest } = JSON.parse(each.textContent);
            localStorage["gmm-book/answers/chapters/page/" + digest] = junk;
          }
        }""",
        junk,
    )
    leave(page)
    page.reload()
    settle(page)
    assert question(page, "q-order").locator("fieldset li > span").all_inner_texts() == [
        "means",
        "heights",
        "shares",
    ]
    assert not found(page, "zebra")
    answer(page, "q-one", "Component 2")
    assert WORDS["right"] in reply(page, "q-one")


# -- other readers


def test_without_scripts_all_can_be_read(asking_url, open_page):
    page = open_page(asking_url, scripts=False, allow=[" csp"])
    assert page.get_by_text("zebra").is_visible()
    assert page.get_by_text("Component 2", exact=True).is_visible()
    fold = page.locator("#q-one details")
    assert not fold.get_by_text("It is the wider one.").is_visible()
    fold.locator("summary").click()
    assert fold.get_by_text("✓ It is the wider one.").is_visible()
    assert page.locator(".question form, .questions-asked").count() == 0


def test_on_paper_nothing_is_covered(asking_url, open_page):
    page = open_page(asking_url)
    settle(page)
    page.emulate_media(media="print")
    for text in ("zebra", "giraffe", "It is the wider one.", "Any other number: divide."):
        shown = page.get_by_text(text)
        assert shown.is_visible()
        assert shown.bounding_box()["height"] > 10
    assert not page.get_by_role("button", name=WORDS["answer"]).first.is_visible()
    assert not page.get_by_text(WORDS["covered"]).first.is_visible()


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_everyone_can_use_it(width, dark, answered, asking_url, open_page):
    page = open_page(asking_url, width=width, dark=dark)
    settle(page)
    if answered:
        answer(page, "q-one", "Nobody")
        answer(page, "q-many", "Columns")
        question(page, "q-number").get_by_role("textbox").fill("7/3")
        answer(page, "q-number")
        answer(page, "q-order")
    assert overflow(page) == []
    targets = page.locator(
        ".question :is(button, label, input[type=text], summary):visible, .questions-asked button"
    ).evaluate_all(
        "(all) => all.map((each) => [each.outerHTML, each.offsetWidth, each.offsetHeight])"
    )
    assert len(targets) > 15
    assert [target for target in targets if min(target[1:]) < 44] == []
    for name in ("q-one", "q-many", "q-number", "q-order"):
        title = question(page, name).locator(".admonition-title").inner_text()
        assert question(page, name).get_by_role("group", name=title).count() == 1
        assert question(page, name).locator(".reply").get_attribute("role") == "status"
    assert serious_violations(page, "chapters/page") == []


def test_what_is_uncovered_moves_only_where_motion_is_welcome(asking_url, open_page):
    page = open_page(asking_url)
    answer(page, "q-one", "Nobody")
    names = []
    for motion in ("reduce", "no-preference"):
        page.emulate_media(reduced_motion=motion)
        names.append(
            page.locator("#q-one-cover").evaluate("(e) => getComputedStyle(e).animationName")
        )
    assert names == ["none", "uncover"]


# -- the build

GOOD = {
    "title": "Fine",
    "class": "question one",
    "name": ":name: q-{n}",
    "choices": "1. a\n2. b",
    "right": "dropdown right-1",
    "replies": "1. c\n2. d",
    "after": "Next.",
}
MALFORMED = {
    "no kind": ({"class": "question"}, "expected one of the classes one, many, number, order"),
    "two kinds": ({"class": "question one many"}, "got one, many"),
    "no name": ({"name": ""}, "expected a :name: of its own, got none"),
    "a name twice": ({"name": ":name: q-elsewhere"}, "q-elsewhere, which chapters/other has too"),
    "no right answer": ({"right": "dropdown"}, "expected one class right-…"),
    "right out of range": ({"right": "dropdown right-3"}, "numbers from 1 to 2 in right-…, got"),
    "right is no number": ({"right": "dropdown right-b"}, "numbers from 1 to 2 in right-…, got"),
    "two right": ({"right": "dropdown right-1-2"}, "expected one right answer, got right-1-2"),
    "one right twice": (
        {"class": "question many", "right": "dropdown right-1-1"},
        "expected each number once, got right-1-1",
    ),
    "no fold": ({"right": "right-1"}, "expected a box of class `dropdown` with the replies"),
    "choice without reply": ({"choices": "1. a\n2. b\n3. c"}, "got 2 for 3 choices"),
    "reply without choice": ({"replies": "1. c\n2. d\n3. e"}, "got 3 for 2 choices"),
    "no choices": ({"choices": "a, b"}, "expected a numbered list of choices above the replies"),
    "bullets": ({"choices": "- a\n- b"}, "numbered list of choices above the replies, got bullet"),
    "an empty reply": ({"replies": "1. c\n2."}, "expected words in every one of the replies"),
    "a long choice": ({"choices": "1. a\n\n   more\n2. b"}, "expected choices of one paragraph"),
    "one choice": ({"choices": "1. a", "replies": "1. c"}, "expected 2 choices"),
    "an order incomplete": (
        {"class": "question order", "right": "dropdown right-2"},
        "expected all of the 2 choices in right-…, got right-2",
    ),
    "an order given away": (
        {"class": "question order", "right": "dropdown right-1-2"},
        "expected the choices in another order than the right one",
    ),
    "no number": (
        {"class": "question number", "choices": "", "replies": "1. **four**: c\n2. d"},
        "expected a number such as **.41**, **-3** or **.41 ± .02**, got **four**",
    ),
    "no other number": (
        {"class": "question number", "choices": "", "replies": "1. **4**: c\n2. **5**: d"},
        "and then one that does not, for any other number",
    ),
    "right is any number": (
        {
            "class": "question number",
            "choices": "",
            "right": "dropdown right-2",
            "replies": "1. **4**: c\n2. d",
        },
        "expected right-… to name a reply with a number",
    ),
    "numbers too near": (
        {
            "class": "question number",
            "choices": "",
            "replies": "1. **4 ± .2**: c\n2. **4.3 ± .2**: d\n3. e",
        },
        "expected numbers that can be told apart, got 4 ± 0.2 and 4.3 ± 0.2",
    ),
    "nothing next": ({"class": "question one covers-next", "after": ""}, "nothing to cover"),
    "nothing left": ({"class": "question one covers-rest", "after": ""}, "nothing to cover"),
    "an unknown label": (
        {"class": "question one covers-until-nowhere"},
        "expected the label nowhere after the question and before the next heading",
    ),
    "an unknown cover": (
        {"class": "question one covers-all"},
        "expected covers-next, covers-rest or covers-until-<label>, got covers-all",
    ),
    "two covers": ({"class": "question one covers-next covers-rest"}, "one class covers-…, got"),
}


def malformed_page():
    sections = []
    for n, (what, (changes, _)) in enumerate(MALFORMED.items()):
        parts = {**GOOD, **changes}
        sections.append(
            f"## Section {n}\n\n::::{{admonition}} {what}\n:class: {parts['class']}\n"
            f"{parts['name'].format(n=n)}\n\nText.\n\n{parts['choices']}\n\n"
            f":::{{admonition}} Replies\n:class: {parts['right']}\n\n{parts['replies']}\n"
            f":::\n::::\n\n{parts['after']}\n"
        )
    return "# Malformed\n\n" + "\n".join(sections)


def digests(folder):
    page = BeautifulSoup(
        (folder / "_build/html/chapters/page.html").read_text(encoding="utf-8"), "html.parser"
    )
    return [json.loads(each.string)["digest"] for each in page.select(".question-data")]


def test_an_edited_question_is_a_new_one(asking, tmp_path):
    folder = shutil.copytree(asking, tmp_path / "edited")
    edited = PAGE.replace("Whose is $x", "Whose now is $x").replace(
        "A row shares out", "Each row is"
    )
    (folder / "chapters" / "page.md").write_text(edited, encoding="utf-8")
    said, status = build(folder)
    assert status == 0, said
    same = [old == new for old, new in zip(digests(asking), digests(folder), strict=True)]
    assert same == [False, True, True, True]  # other words of a reply leave the answer as it is


def test_malformed_questions_fail_the_build(asking, tmp_path):
    folder = shutil.copytree(asking, tmp_path / "malformed")
    (folder / "_toc.yml").write_text(TOC + "      - file: chapters/other\n")
    (folder / "chapters" / "explorer.ipynb").unlink()
    other = ASKING.format(reply="c").replace("q-explorer", "q-elsewhere") + "\nCovered.\n"
    (folder / "chapters" / "other.md").write_text(f"# Other\n{other}", encoding="utf-8")
    (folder / "chapters" / "page.md").write_text(malformed_page(), encoding="utf-8")
    said, status = build(folder)
    assert status != 0
    assert "Traceback" not in said
    warnings = re.findall(r"WARNING: (chapters/page, question '.*?': .*?)(?:\x1b|\n)", said)
    told = {re.search(r"question '(.*?)':", each)[1]: each for each in warnings}
    assert list(told) == list(MALFORMED)
    for what, (_, message) in MALFORMED.items():
        assert message in told[what]


# -- the book

READ = [name for name in NOTEBOOKS if name.startswith(("chapters/", "depth/"))]


def given(page):
    """The name and the data of each question of a page."""
    return {
        box["id"]: json.loads(box.select_one(".question-data").string)
        for box in parsed(page).select(".question")
    }


# Answers a question so that the reply of each number in turn is due, and returns what is then
# shown and what is in it. null is all the right way; for an order, any number.
GIVE = """
(box, [data, numbers]) => {
  const press = (each) => {
    each.scrollIntoView({ block: "center", behavior: "instant" });
    const { x, y, width, height } = each.getBoundingClientRect();
    const there = document.elementFromPoint(x + width / 2, y + height / 2);
    if (each.disabled || !each.contains(there)) throw new Error(`not in reach: ${each.outerHTML}`);
    each.click();
  };
  const inputs = [...box.querySelectorAll("fieldset input")];
  const give = {
    one: (index) => press(inputs[index]),
    many: (index) => inputs.forEach((each, n) => { // one choice taken the wrong way
      if (each.checked !== (data.right.includes(n) !== (n === index))) press(each);
    }),
    number(index) {
      inputs[0].value = data.numbers[index]?.[0] ?? "-987";
      inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
    },
    order: () => data.right.forEach((item, place) => {
      const up = document.getElementById(`${box.id}-${item}-up`);
      while (!box.querySelectorAll("fieldset li")[place].contains(up)) press(up);
    }),
  };
  return numbers.map((index) => {
    give[data.kind](index);
    press(box.querySelector("form button[type=submit]"));
    const reply = box.querySelector(".reply");
    return [reply.innerText, reply.textContent];
  });
}
"""


@pytest.mark.parametrize("name", READ)
def test_pages_reply_to_every_answer(name, site, site_url, open_page):
    asked = given(site / f"{name}.html")
    assert (9 if name.startswith("chapters/") else 2) <= len(asked) <= 22
    page = open_page(f"{site_url}{name}.html")
    settle(page)
    for whole in page.locator(".task-press [aria-pressed]").all():
        whole.click()  # some questions are asked in a step of a task
    for label, data in asked.items():
        button = question(page, label).locator("form button[type=submit]")
        assert button.inner_text() == WORDS["answer"]
        replies = question(page, label).locator(".replies li")
        texts = [text.removeprefix("✓ ").strip() for text in replies.all_text_contents()]
        assert len(set(texts)) == len(texts)
        if data["kind"] == "many":
            wrong, right = [*range(len(texts))], None
        else:
            wrong = [n for n in range(len(texts)) if n not in data["right"]]
            right = data["right"][0]
        *off, (said, _) = question(page, label).evaluate(GIVE, [data, [*wrong, right]])
        for index, (shown, whole) in zip(wrong, off, strict=True):
            assert WORDS["wrong"] in shown, (label, index)
            assert texts[index] in whole, (label, index)
        assert WORDS["right"] in said, label
    told = WORDS["asked"].format(asked=len(asked), answered=len(asked))
    assert told in summary(page).inner_text()
    assert summary(page).locator("a").count() == 0
    assert page.locator(".cover:not([data-open])").count() == 0
    settle(page)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_exercises_say_nothing_before_the_reader_has_done_something(name, site):
    starters = [
        cell
        for cell in parsed(site / f"{name}.html").select(".exercise div.cell")
        if re.search(r"# your|\bcheck[._]", cell.select_one(".cell_input").text)
    ]
    assert starters or not name.startswith("chapters/")
    for cell in starters:
        assert cell.select_one(".cell_output") is None, cell.text
