"""Search: the places of a page and their text, and where questions lead in a browser."""

import pytest
from bs4 import BeautifulSoup
from explorer_page import run_axe
from test_site import serious, settle

import search
from formulas import to_mathml

PAGE = """
<html><article class="bd-article"><section id="title"><h1>A title<a class="headerlink">#</a></h1>
<p>Begins <em>here</em>, with <span class="math">%s</span>.</p>
<section id="part"><h2>A part<a class="headerlink">#</a></h2>
<p>Its text</p><div class="cell"><div class="highlight"><pre>import hidden</pre></div>
<div class="cell_output"><pre>0.123</pre><figcaption>A figure.</figcaption></div></div>
<details class="replies"><summary>Replies</summary><p>the answer</p></details>
<dl class="simple glossary"><dt id="term-mode">mode</dt><dd><p>The highest point.</p></dd></dl>
<section id="inner"><h3>Inside</h3><p>Deeper.</p></section>
</section></section></article></html>
"""


@pytest.mark.parametrize(
    ("tex", "line"),
    [
        (r"\mu_1", "μ₁"),
        (r"w_j^{(i)}", "wⱼ⁽ⁱ⁾"),
        (r"x^2 + y^{n+1}", "x²+yⁿ⁺¹"),
        (r"\theta_{\mathrm{new}}", "θ_(new)"),
        (r"\frac{1}{2}", "1/2"),
        (r"\frac{a+b}{\sqrt{c}}", "(a+b)/(√(c))"),
        (r"\sum_{i=1}^m x_i", "∑xᵢ"),
        (r"\log p(x; \theta) \le \ell", "log p(x;θ)≤ℓ"),
        (r"\operatorname{KL}(q \,\|\, p)", "KL(q ‖ p)"),
    ],
)
def test_a_formula_in_one_line(tex, line):
    math = BeautifulSoup(to_mathml(tex), "html.parser").math
    assert search.in_line(math).replace(" ", "") == line.replace(" ", "")


def test_a_page_falls_into_its_places():
    places = search.places_of(PAGE % to_mathml(r"\mu_1"))
    assert {
        place["title"]: (place["kind"], place["anchor"], place["text"]) for place in places
    } == {
        "A title": ("page", "", "Begins here, with μ₁."),
        "A part": ("section", "part", "Its text A figure."),
        "Inside": ("section", "inner", "Deeper."),
        "mode": ("term", "term-mode", "The highest point."),
    }


def test_nothing_of_the_book_is_quoted_as_tex_or_listing(site):
    text = next((site / "_static").glob("search-*.js")).read_text("utf-8")
    data, _, script = text.partition(";\n")
    assert "function look" in script
    for sign in ("\\\\frac", "\\\\sum", "\\\\theta", "\\\\(", "$$", "import numpy", "plt.subplots"):
        assert sign not in data, sign
    assert not (site / "searchindex.js").exists()


# What a reader writes, where the first places lead, and what a quotation shows.
QUESTIONS = [
    ("responsibility", ["glossary.html#term-responsibility"], "the probability that point i"),
    ("Jensen's inequality", ["#term-Jensen-s-inequality", "04-jensens-inequality.html"], "average"),
    ("E step", ["#term-E-step", "05-deriving-em.html#the-e-step"], "computes the responsibilities"),
    ("log-sum-exp underflow", ["#"], "log"),
    ("old faithful", ["03-em-for-gaussian-mixtures.html#two-dimensions-old-faithful"], "geyser"),
    ("em_states", ["library.html#gmm_lib.em_states"], "Yield the states of EM"),
]


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_a_question_leads_to_the_section(protocol, site, site_url, open_page):
    base = site_url if protocol == "http" else site.as_uri() + "/"
    page = open_page(base + "search.html")
    for query, addresses, shown in QUESTIONS:
        page.locator(".bd-search-container input[name=q]").fill(query)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=*")
        results = page.locator("#search-results li")
        results.first.wait_for()
        assert page.locator(".bd-search-container input[name=q]").input_value() == query
        for number, address in enumerate(addresses):
            link = results.nth(number).locator("a")
            assert address in link.get_attribute("href"), (query, number)
        quotations = " ".join(results.locator("p").all_inner_texts()[:8])
        assert shown in quotations, query
        assert page.locator("#search-results mark").count() > 0
        settle(page)
    first = page.locator("#search-results li a").first
    anchor = first.get_attribute("href").partition("#")[2]
    first.click()
    page.wait_for_url(f"**#{anchor}")
    settle(page)
    assert page.locator(f"[id='{anchor}']").evaluate(
        "(each) => Math.abs(each.getBoundingClientRect().top) < innerHeight / 2"
    )


def test_what_is_not_there_is_said(site_url, open_page):
    page = open_page(site_url + "search.html?q=xyzzy")
    assert "Nothing in the book has “xyzzy”" in page.get_by_role("status").inner_text()
    settle(page)


@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_of_results_can_be_read(width, site_url, open_page):
    page = open_page(site_url + "search.html?q=likelihood", width=width)
    settle(page)
    field = page.locator(".bd-search-container input[name=q]")
    sign = page.locator(".bd-search-container .fa-magnifying-glass")
    written = field.evaluate(
        """(each) => each.getBoundingClientRect().left
          + parseFloat(getComputedStyle(each).paddingLeft)"""
    )
    box = sign.bounding_box()
    assert box["x"] + box["width"] <= written  # the first letter is not under it
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(run_axe(page)) == []
