"""Make sheets to print, a page each, as PDF: _build/paper/sheets.pdf.

    python scripts/sheets.py

EM by hand on the ten points and the derivation of EM, each blank and filled in; and for every
explorer of a chapter its picture, its task as the chapter puts it, and room to write. Numbers are
computed here; tasks and pictures come from the built book.
"""

import html
import posixpath
import sys
from itertools import islice

import numpy as np

from book import ROOT, page_names

sys.path.append(str(ROOT / "_ext"))

from browser import chromium
from formulas import markdown
from gmm_lib import datasets, e_step, em_states
from gmm_lib.bound import evidence_lower_bound
from gmm_lib.worksheet import em_worksheet
from pdf import PAPER, address, head_for, parse, print_page

TARGET = PAPER / "sheets.pdf"
SHEETS = ("em-blank", "em-filled", "derivation-blank", "derivation-filled")
# The left side, what is to be filled in, and the reason for the sign between them.
DERIVATION = [
    (
        r"\ell(\theta) =",
        r"\sum_i \log \sum_z p(x^{(i)}, z; \theta)",
        "the density, summed over the labels",
    ),
    (
        "=",
        r"\sum_i \log \sum_z Q_i(z)\, \frac{p(x^{(i)}, z; \theta)}{Q_i(z)}",
        "times and divided by $Q_i(z) > 0$",
    ),
    (
        r"\ge",
        r"\sum_i \sum_z Q_i(z) \log \frac{p(x^{(i)}, z; \theta)}{Q_i(z)} = B(Q, \theta)",
        "Jensen: the log is concave",
    ),
    (
        r"Q_i(z) =",
        r"p(z \mid x^{(i)}; \theta_t)",
        "E step: the ratio must not depend on $z$, so that “=” holds",
    ),
    (r"\ell(\theta_t) =", r"B(Q, \theta_t)", "the bound touches at $\\theta_t$"),
    (r"\theta_{t+1} =", r"\arg\max_\theta\, B(Q, \theta)", "M step: $Q$ stays as it is"),
    (r"\ell(\theta_{t+1}) \ge", r"B(Q, \theta_{t+1})", "the bound is below $\\ell$ everywhere"),
    (r"\ge", r"B(Q, \theta_t)", "$\\theta_{t+1}$ is the top of the bound"),
    ("=", r"\ell(\theta_t)", "it touched there; so $\\ell$ never falls"),
]


def numbers(values) -> str:
    return ", ".join(f"{value:g}" for value in np.ravel(values))


def em_sheet(filled: bool) -> str:
    """One iteration of EM by hand."""
    ten = datasets.ten_points()
    x, start = ten.X[:, 0], ten.start
    text = f"""# One iteration of EM by hand{", filled in" if filled else ""}

Points {numbers(x)}. Start: $\\mu = ({numbers(start.means)})$,
$\\sigma^2 = ({numbers(start.covariances)})$, $\\phi = ({numbers(start.weights)})$.

$$\\mathcal{{N}}(x; \\mu, \\sigma^2) = \\frac{{1}}{{\\sqrt{{2\\pi\\sigma^2}}}}
\\exp\\left(-\\frac{{(x - \\mu)^2}}{{2\\sigma^2}}\\right) \\qquad
w_j^{{(i)}} = \\frac{{\\phi_j\\, \\mathcal{{N}}(x^{{(i)}}; \\mu_j, \\sigma_j^2)}}{{p(x^{{(i)}})}}$$

{em_worksheet(x, start, filled=filled)}

**Test yourself.** The two shares of each row sum to 1. The soft counts sum to {len(x)}. And
$\\phi_1 \\mu_1 + \\phi_2 \\mu_2 = {x.mean():g}$, the plain average of the points.
"""
    return markdown(text)


def derivation_sheet(filled: bool) -> str:
    """The derivation of EM on a page: what stands right of each sign, and why."""
    ten = datasets.ten_points()
    before, after = (state.mixture for state in islice(em_states(ten.X, ten.start), 2))
    w = e_step(ten.X, before)[0]
    rows = [
        f"| $\\displaystyle {left}$ | "
        + (f"$\\displaystyle {right}$ | {why} |" if filled else " | |")
        for left, right, why in DERIVATION
    ]
    values = {
        r"\ell(\theta_0)": e_step(ten.X, before)[1],
        r"B(Q, \theta_0)": evidence_lower_bound(ten.X, before, w),
        r"B(Q, \theta_1)": evidence_lower_bound(ten.X, after, w),
        r"\ell(\theta_1)": e_step(ten.X, after)[1],
    }
    cells = [f"{value:.4f}" if filled else " " for value in values.values()]
    names = " | ".join(f"${name}$" for name in values)
    text = "\n".join(
        [
            f"# Why EM never goes down{', filled in' if filled else ''}\n",
            "Complete each line, and say beside it why the sign holds. $Q_1, \\dots, Q_m$ are "
            "distributions over the labels, one for each point.\n",
            "| | the line | why |\n|---:|:---|:---|",
            *rows,
            "\n**On the ten points**, for the first iteration from the start of the book. Before "
            "you compute them: which two are equal, and which is the largest?\n",
            f"| {names} |\n|{'---:|' * len(values)}\n| {' | '.join(cells)} |",
        ]
    )
    return markdown(text)


def explorer_sheets() -> dict[str, str]:
    """For each explorer of the book, once: its picture, its task, room to write."""
    sheets = {}
    for page in page_names():
        if not page.startswith(("chapters/", "depth/")):
            continue
        for host in parse(page).select(".explorer-host"):
            kind = host["data-kind"]
            task = host.find_previous("div", class_="task")
            if kind in sheets or task is None:
                continue
            section = host.find_parent("section")
            picture = host.select_one(".explorer-still img")
            source = posixpath.join("../html", posixpath.dirname(page), picture["src"])
            # A link would lead nowhere on a sheet of its own, and a question brings its replies.
            for link in task.select("a"):
                link.unwrap()
            for question in task.select(".question"):
                question.decompose()
            parts = [each.decode_contents() for each in task.ol.find_all("li", recursive=False)]
            heading = section.find(["h2", "h3"])
            for anchor in heading.select(".headerlink"):
                anchor.decompose()
            items = "".join(f"<li>{part}<div class='room'></div></li>" for part in parts)
            sheets[kind] = (
                f"<h1>{heading.decode_contents()}</h1>"
                f'<img class="still" src="{source}" alt="{html.escape(picture["alt"])}"/>'
                f'<p class="address">Alive in the book: {address(page, section["id"])}</p>'
                f'<ol class="tasks">{items}</ol>'
            )
    return sheets


def all_sheets() -> dict[str, str]:
    """Every sheet by its name, in order."""
    made = [em_sheet(False), em_sheet(True), derivation_sheet(False), derivation_sheet(True)]
    return dict(zip(SHEETS, made, strict=True)) | explorer_sheets()


def main() -> None:
    sheets = all_sheets()
    PAPER.mkdir(parents=True, exist_ok=True)
    source = PAPER / "sheets.html"
    body = "".join(
        f'<section class="sheet {name}"><div>{text}</div>'
        '<p class="name">Name: <i></i> Gaussian mixtures and EM, CC BY 4.0</p></section>'
        for name, text in sheets.items()
    )
    head = head_for("Sheets to print: Gaussian mixtures and EM")
    source.write_text(
        f'<!DOCTYPE html><html lang="en" data-theme="light">{head}'
        f'<body class="sheets"><article class="bd-article">{body}</article></body></html>',
        encoding="utf-8",
    )
    with chromium() as browser:
        page = print_page(browser, source)
        page.pdf(path=TARGET, prefer_css_page_size=True, tagged=True, outline=True)
    source.unlink()
    size = TARGET.stat().st_size / 1e3
    print(f"{TARGET.relative_to(ROOT)}: {len(sheets)} sheets, {size:.0f} kB")


if __name__ == "__main__":
    main()
