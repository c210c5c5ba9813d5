"""One letter, one meaning: the page on notation against every formula of the book.

What a letter means no test can read. But a letter that no row of the table knows, a symbol with
two rows, and a symbol that is met on another page than the table says are what it looks like when
a meaning slips in.
"""

import json
import re

import pytest
from conftest import ROOT

import book

GREEK = (
    "alpha|beta|gamma|delta|epsilon|varepsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|"
    "tau|phi|varphi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega|ell"
)
FORMULA = re.compile(
    r"\$\$(.+?)\$\$|(?<![\\$])\$((?:(?!\n\n)[^$])+)\$|```\{math\}\n(?::\w+:[^\n]*\n)*(.+?)```", re.S
)
NOT_LETTERS = re.compile(r"\\(?:text|textrm|mathrm|operatorname\*?|tag|begin|end|label)\{[^}]*\}")
LETTER = re.compile(rf"\\math(?:cal|bb)\{{\w\}}|\\(?:{GREEK})(?![a-zA-Z])|\\[a-zA-Z]+|[a-zA-Z]")
CONSTANTS = {"e", r"\pi"}


def formulas(text):
    """Every formula of a text in MyST."""
    for found in FORMULA.finditer(text):
        yield next(group for group in found.groups() if group)


def letters(formula):
    """The letters of a formula, as they are written in LaTeX."""
    found = LETTER.findall(NOT_LETTERS.sub("", formula))
    return {each for each in found if not each.startswith("\\") or is_letter(each)} - CONSTANTS


def is_letter(command):
    return re.fullmatch(rf"\\(?:{GREEK}|math(?:cal|bb)\{{\w\}})", command) is not None


def pages_with_formulas():
    """The text of each page with formulas, by its first label, in the order of the contents."""
    for name in (name for _, names in book.contents() for name in names):
        path = ROOT / (name + ".ipynb")
        if path.exists() and not name.startswith("appendices/"):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            text = "\n\n".join(
                "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
            )
            yield re.match(r"\(([\w-]+)\)=", text)[1], text


PAGES = dict(pages_with_formulas())
NOTATION = (ROOT / "appendices/notation.md").read_text(encoding="utf-8")


def rows(label):
    """The cells of the rows of the first table after a label of the page on notation."""
    table = re.search(r"\n\|.*?\n\n", NOTATION[NOTATION.index(f"({label})=") :], re.S)[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in table.strip().split("\n")[2:]
    ]


SYMBOLS = {
    symbol: re.search(r"\(#([\w-]+)\)", row[2])[1]
    for row in rows("notation-letters")
    for symbol in re.findall(r"\$(.+?)\$", row[0])
}
MOMENT = [each for row in rows("notation-moment") for each in re.findall(r"\$(.+?)\$", row[0])]


def head(symbol):
    """What is looked for: B of B(Q, θ)."""
    return re.match(r"(.*?)(?<!\{)(?:\(|$)", symbol)[1].strip()


def close(formula):
    """A formula without the blanks that LaTeX does not need."""
    return re.sub(r"(?<![a-zA-Z])\s+|\s+(?![a-zA-Z])", "", formula)


def test_a_symbol_has_one_row():
    symbols = [s for row in rows("notation-letters") for s in re.findall(r"\$(.+?)\$", row[0])]
    assert len(symbols) > 40
    assert sorted(set(symbols)) == sorted(symbols)
    assert sorted(set(MOMENT)) == sorted(MOMENT)


def test_a_letter_of_the_moment_has_no_meaning_beyond_it():
    """Unless an index tells it apart: a is a number, a with j and i a log weighted height."""
    alone = {symbol for symbol in SYMBOLS if letters(symbol) == {symbol}}
    assert not alone & set(MOMENT)


@pytest.mark.parametrize("page", PAGES)
def test_every_letter_is_in_a_table(page):
    known = set(MOMENT).union(*(letters(symbol) for symbol in map(head, SYMBOLS)))
    used = {letter: formula for formula in formulas(PAGES[page]) for letter in letters(formula)}
    assert not {letter: used[letter] for letter in used.keys() - known}


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_symbol_is_met_first_where_the_table_says(symbol):
    wanted = re.escape(close(head(symbol)))
    end = r"(?![a-zA-Z])" if head(symbol)[-1].isalpha() else ""
    pattern = re.compile(r"(?<![a-zA-Z\\])" + wanted + end)
    met = (
        page
        for page, text in PAGES.items()
        if any(pattern.search(close(formula)) for formula in formulas(text))
    )
    assert next(met, None) == SYMBOLS[symbol]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"so $\mu_j = \hat v$.", {r"\mu", "j", "v"}),
        (
            "```{math}\n:label: eq-a\n\\mathcal{L} = \\log \\bigl( Q \\bigr)\n```",
            {r"\mathcal{L}", "Q"},
        ),
        (r"$$\begin{aligned} & \text{if } e^{\pi} \end{aligned}$$", set()),
        (r"$\operatorname{tr}(G)$ and $\sum_{ab} x_a$", {"G", "a", "b", "x"}),
    ],
)
def test_letters_of_a_formula(text, expected):
    assert set().union(*map(letters, formulas(text))) == expected
