"""The theme's style sheets without what no page can use: which rules stay, and that icons do."""

import re
from functools import cache

import pytest
import tinycss2
from conftest import ROOT
from fontTools.ttLib import TTFont
from test_site import parsed

import styles

MOST = 250_000  # bytes of style sheets before a page is painted; the theme brings 700 kB


def left(css, *words):
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return styles.reduced(rules, set(words))


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".here{color:red}", ".here{color:red}"),
        (".gone{color:red}", ""),
        ("a.gone, .here .inner{color:red}", ".here .inner{color:red}"),
        (".here.gone{color:red}", ""),
        (".here:not(.gone){color:red}", ".here:not(.gone){color:red}"),
        (":is(.gone,.here) b{color:red}", ":is(.gone,.here) b{color:red}"),
        ("p:not(:has(.gone)) i{color:red}", "p:not(:has(.gone)) i{color:red}"),
        (r".w-1\/2{color:red}", r".w-1\/2{color:red}"),
        ("html{--x:.gone}", "html{--x:.gone}"),
        ("@media print{.gone{color:red}}", ""),
        ("@media print{.here{color:red}.gone{color:red}}", "@media print{.here{color:red}}"),
        ("@font-face{font-family:x}", "@font-face{font-family:x}"),
        ("@keyframes gone{0%{opacity:0}}", "@keyframes gone{0%{opacity:0}}"),
    ],
)
def test_a_rule_stays_where_it_can_hold(css, kept):
    assert left(css, "here", "inner") == kept


def test_what_is_no_css_is_told():
    with pytest.raises(ValueError, match="expected a rule of CSS in line 1"):
        left(".here{color:red} }")


def test_a_license_stays():
    assert styles.license_of('@charset "UTF-8";\n/*! MIT */\na{}') == "/*! MIT */\n"
    assert styles.license_of("a{} /* no license */") == ""


def test_the_books_own_style_is_whole(site):
    """A script may compose the name of a class, so that it is written nowhere."""
    (sheet,) = site.glob("_static/explorers/*.css")
    own = ROOT / "gmm_lib/widgets/explorer.css"
    assert sheet.read_text("utf-8") == own.read_text("utf-8")


@cache
def icon_sheet(site):
    (sheet,) = site.glob("_static/vendor/fontawesome/*/css/all.min.css")
    return sheet.read_text("utf-8")


def test_every_icon_of_the_book_has_its_form(site):
    # Some are written by a script of the page.
    pages = (path.read_text("utf-8") for path in site.rglob("*.html"))
    signs = {sign for page in pages for sign in re.findall(r"\bfa-[\w-]+", page)}
    font = next(site.glob("_static/vendor/fontawesome/*/webfonts/fa-solid-900.woff2"))
    with TTFont(font) as opened:
        forms = opened.getBestCmap()
    found = {}
    for sign in signs:
        rule = re.search(
            rf"\.{sign}:+before[^{{]*\{{[^}}]*(?:--fa|content):\"(.)\"", icon_sheet(site)
        )
        if rule:
            found[sign] = ord(rule[1])
    assert {"fa-magnifying-glass", "fa-bars", "fa-moon"} <= set(found)
    assert [sign for sign, code in found.items() if code not in forms] == []
    # Boxes of the book have theirs in its own sheets.
    for path in site.glob("_static/*.css"):
        own = styles.ICON.findall(path.read_text("utf-8"))
        assert {int(code, 16) for code, _ in own if code} <= set(forms), path.name


def test_a_page_waits_for_little_style(site):
    page = site / "chapters" / "05-deriving-em.html"
    sheets = {
        link["href"].partition("?")[0] for link in parsed(page).select("link[rel~=stylesheet]")
    }
    assert sum((page.parent / each).stat().st_size for each in sheets) < MOST
