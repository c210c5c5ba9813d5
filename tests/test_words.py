"""How much there is to read is counted as a reader would."""

from functools import cache

import pytest
from bs4 import BeautifulSoup

import words

read = cache(words.read)
PAGE = """<html><article><section><h1>Two words<a class="headerlink">#</a></h1>
<p>Nine is <span class="math">\\(x = 9\\)</span>, of <em>group</em> two – or one.</p>
<div class="cell"><pre>not = read</pre></div><div class="highlight"><pre>nor this</pre></div>
<div class="math">\\[a = b\\]</div>
<details><summary>A fold</summary><p>of five words</p><div class="math">\\[c\\]</div></details>
<div class="admonition dropdown"><p>Another fold</p><details>inside it</details></div>
<p class="moved" id="old">Gone to <a>another page</a></p>
<section id="exercises"><h2>Exercises</h2><p>Do it.</p><details>So.</details></section>
</section></article></html>"""


def test_words_are_counted_where_they_stand():
    assert words.count(PAGE) == words.Reading(
        title="Two words", words=10, folded=9, exercises=4, formulas=1
    )


@pytest.mark.parametrize(
    ("seen", "formulas", "minutes"), [(2400, 0, 12), (2400, 30, 22), (90, 0, 0), (110, 0, 1)]
)
def test_minutes_are_those_of_the_open(seen, formulas, minutes):
    assert words.Reading("", seen, 5000, 5000, formulas).minutes == minutes


def test_every_page_has_words(site):
    for name, reading in read(site).items():
        assert reading.words > 150, name


def test_the_first_page_tells_how_long_each_page_takes(site):
    table = (site / "index.html").read_text(encoding="utf-8")
    rows = BeautifulSoup(table, "html.parser").select_one("#what-you-will-find table").select("tr")
    told = {
        row.a["href"].split(".html")[0]: int(row.select("td")[-1].get_text()) for row in rows[1:]
    }
    readings = read(site)
    assert list(told) == [name for name in readings if name.startswith(("chapters/", "depth/"))]
    for name, minutes in told.items():  # a minute more or less is not worth an edit
        assert abs(minutes - readings[name].minutes) <= 1, (name, readings[name].minutes)
