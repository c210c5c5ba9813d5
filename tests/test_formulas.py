"""Formulas set when the book is built: what they become, their font, how pages carry them."""

import io
import re

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from math_core import LatexError
from test_site import CHAPTERS, NOTEBOOKS, every_page, parsed, settle

import formulas

DERIVATION = "chapters/05-deriving-em.html"


def parts(mathml):
    return BeautifulSoup(mathml, "html.parser")


def test_a_formula_becomes_mathml_with_its_tex_beside_it():
    inline = parts(formulas.to_mathml(r"\mu_1 < x"))
    assert inline.math.get("display") is None
    assert inline.msub.get_text() == "μ1"
    assert inline.annotation.get_text() == r"\mu_1 < x"
    assert parts(formulas.to_mathml("x", display=True)).math["display"] == "block"


@pytest.mark.parametrize(
    "tex",
    [
        r"a &= b \\ &= c",
        r"\begin{aligned} a &= b \\ &= c \end{aligned}",
    ],
)
def test_lines_are_aligned_with_or_without_an_environment(tex):
    table = parts(formulas.to_mathml(tex, display=True)).find_all("mtable")
    assert len(table) == 1
    assert [len(row.find_all("mtd")) for row in table[0].find_all("mtr")] == [2, 2]


def test_a_matrix_within_a_line_is_no_set_of_lines():
    tex = r"A = \begin{pmatrix} 1 \\ 2 \end{pmatrix} + \begin{pmatrix} 3 \\ 4 \end{pmatrix}"
    rows = parts(formulas.to_mathml(tex, display=True)).select("mtable mtable")
    assert [len(each.find_all("mtr")) for each in rows] == [2, 2]


@pytest.mark.parametrize("tex", [r"\nosuch{x}", r"\frac{1}{", r"\left( x", r"\begin{align} x"])
def test_what_cannot_be_set_is_refused(tex):
    with pytest.raises(LatexError):
        formulas.to_mathml(tex)


@pytest.mark.parametrize(
    ("tex", "drawn"),
    [
        ("x", "𝑥"),
        ("h", "ℎ"),
        (r"\Sigma_j", "Σ𝑗"),  # TeX's capitals stand upright
        (r"\mathbf{X}", "𝐗"),
        (r"\phi, \partial", "𝜙,𝜕"),
        (r"\mathrm{d}", "d"),
        (r"\log x", "log𝑥"),
        (r"x < \infty", "𝑥<∞"),
    ],
)
def test_the_font_is_asked_for_what_a_browser_draws(tex, drawn):
    assert set(drawn) <= formulas.characters(formulas.to_mathml(tex))


def test_the_font_has_those_and_the_parts_of_large_ones():
    used = formulas.characters(formulas.to_mathml(r"\left( \sum_i \sqrt{x_i} \right)", True))
    assert formulas.missing(used) == set()
    font = TTFont(io.BytesIO(formulas.font_for(used)))
    assert {ord(each) for each in used} <= set(font.getBestCmap())
    assert ord("ξ") not in font.getBestCmap()
    variants = font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    assert {font.getBestCmap()[ord(each)] for each in "(√∑"} <= set(variants)
    assert "Open Font License" in font["name"].getDebugName(13)


def test_a_character_without_a_form_is_told():
    assert formulas.missing({"x", "가"}) == {"가"}


@every_page
def test_every_formula_of_the_book_is_set(name, site):
    page = parsed(site / name)
    text = (site / name).read_text("utf-8")
    places = page.select("span.math, div.math")
    assert len(places) == text.count('class="math notranslate')
    for place in places:
        assert len(place.find_all("math")) == 1
        assert place.annotation["encoding"] == "application/x-tex"
        shown = formulas.TEX.sub("", str(place.math))
        assert "\\" not in shown
    raw = re.compile(r"\\[(\[]|\$\$|\\(frac|sum|mu|theta)\b")
    loose = page.article.find_all(string=raw)
    kept = ("pre", "code", "script", "annotation")
    assert [each for each in loose if not each.find_parent(kept)] == []
    fonts = [link["href"] for link in page.select("link[href*='formulas-']")]
    assert len(fonts) == bool(places)


def test_no_page_loads_a_program_for_formulas(site):
    assert not (site / "_static" / "mathjax").exists()
    for path in site.rglob("*.html"):
        assert "MathJax" not in path.read_text("utf-8")


@pytest.mark.parametrize("place", ["http", "file"])
def test_formulas_are_drawn_in_their_font(place, site, site_url, open_page):
    page = open_page((site_url if place == "http" else site.as_uri() + "/") + DERIVATION)
    page.evaluate("document.fonts.ready.then(() => 0)")
    loaded = page.evaluate(
        """[...document.fonts].filter((font) => font.family.includes("Book Math"))
        .map((font) => font.status)"""
    )
    assert loaded == ["loaded"]
    # A sum in a line of its own is larger than a letter, and its limits stand above and below.
    total = page.locator("div.math munderover").first
    boxes = total.evaluate(
        "(sum) => [...sum.children].map((each) => each.getBoundingClientRect().toJSON())"
    )
    letter = page.locator("div.math mi").first.bounding_box()
    assert boxes[0]["height"] > 1.5 * letter["height"]
    assert boxes[1]["top"] >= boxes[0]["bottom"] - 2
    assert boxes[2]["bottom"] <= boxes[0]["top"] + 2
    settle(page)


def test_equations_have_numbers_and_links_lead_to_them(site, site_url, open_page):
    page = open_page(site_url + DERIVATION)
    settle(page)
    link = page.locator("article a[href^='#equation-']:not(.headerlink):visible").first
    number = link.inner_text()
    target = page.locator(f"[id='{link.get_attribute('href')[1:]}']")
    assert re.fullmatch(r"\(5\.\d+\)", number)
    assert number in target.locator(".eqno").inner_text()
    link.click()
    page.wait_for_function(
        "(id) => document.getElementById(id).getBoundingClientRect().top < innerHeight",
        arg=link.get_attribute("href")[1:],
    )


@pytest.mark.parametrize("name", CHAPTERS[:6])
def test_a_wide_formula_scrolls_in_its_box_by_keyboard_too(name, site_url, open_page):
    page = open_page(f"{site_url}{name}.html", width=320)
    settle(page)
    looked = page.locator(".formula:visible").evaluate_all(
        """(all) => all.map((box) => [
          box.scrollWidth > box.clientWidth, box.tabIndex === 0,
          box.getBoundingClientRect().right <= innerWidth + 1])"""
    )
    assert all(inside for _, _, inside in looked)
    assert all(focusable == wide for wide, focusable, _ in looked)


WIDE = """(all) => all.filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => [box.textContent, box.parentElement.clientWidth - box.clientWidth])"""


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_formula_is_cut_only_where_the_whole_screen_is_too_narrow(name, site_url, open_page):
    # Without scripts nothing is covered, and no fold is closed.
    page = open_page(f"{site_url}{name}.html", scripts=False, allow=[" csp"])
    assert page.locator(".formula:visible").evaluate_all(WIDE) == []
    page.set_viewport_size({"width": 360, "height": 900})
    beside = page.locator(".formula:visible").evaluate_all(WIDE)
    assert [formula for formula, left in beside if left > 1] == []


def test_who_copies_gets_tex(site_url, open_page):
    page = open_page(site_url + DERIVATION)
    settle(page)
    copied = page.evaluate(
        """() => {
          const place = document.querySelector("article p:has(math)");
          getSelection().selectAllChildren(place);
          const data = new DataTransfer();
          const event = new ClipboardEvent("copy", { clipboardData: data, cancelable: true });
          document.dispatchEvent(event);
          return [data.getData("text/plain"), place.querySelector("annotation").textContent];
        }"""
    )
    assert f"${copied[1]}$" in copied[0]
    assert copied[0].count("$") % 2 == 0


def test_print_keeps_formulas_whole(site, open_page, tmp_path):
    from paper import text_of

    page = open_page((site / DERIVATION).as_uri())
    settle(page)
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    text = "".join(text_of(tmp_path / "page.pdf"))
    assert "(5.2)" in text
    assert "annotation" not in text
    assert "\\frac" not in text
