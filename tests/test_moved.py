"""Old addresses of what moved to another page: with and without scripts, and what is refused."""

import json

import pytest
from conftest import serving
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbformat.v4 import writes as notebook_text
from test_build import EXPLORER, TOC, build, copy_machinery
from test_site import parsed

import moved

OLD, NEW = "chapters/page", "depth/new"
TABLE = {OLD: {"gone": f"{NEW}#is-here", "tiny": NEW, "equation-a-formula": NEW}}


@pytest.fixture(scope="module")
def moved_book(tmp_path_factory):
    """A book from whose first page a section, a formula and an explorer went to another one."""
    folder = tmp_path_factory.mktemp("moved")
    copy_machinery(folder, TABLE)
    (folder / "_toc.yml").write_text(TOC + f"      - file: {NEW}\n")
    (folder / "index.md").write_text("# Small book\n")
    (folder / "references.bib").write_text("")
    for each in ("chapters", "depth"):
        (folder / each).mkdir()
    (folder / f"{OLD}.md").write_text("# The page\n\n## What stays\n\nText.\n")
    cells = [
        new_markdown_cell("# The & new page", id="title"),
        new_code_cell(EXPLORER, id="code"),
        new_code_cell("Tiny()", id="show"),
        new_markdown_cell("(is-here)=\n## Is here\n\n$$x$$ (a-formula)\n", id="section"),
    ]
    notebook = new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    (folder / f"{NEW}.ipynb").write_text(notebook_text(notebook))
    said, status = build(folder)
    assert status == 0, said
    where_one_comes_from = '<!doctype html><title>Before</title><link rel="icon" href="data:,">'
    (folder / "_build" / "html" / "before.html").write_text(where_one_comes_from)
    return folder


@pytest.fixture(params=["http", "file"])
def base(request, moved_book):
    site = moved_book / "_build" / "html"
    with serving(site) as url:
        yield url if request.param == "http" else site.as_uri() + "/"


# What follows the address of the old page, and what it becomes on the new one; None: it stays.
LINKS = {
    "#gone": "#is-here",
    "#equation-a-formula": "#equation-a-formula",
    "#tiny=eyJjb3VudCI6MX0&other=e30": "#tiny=eyJjb3VudCI6MX0&other=e30",
    "#gone=e30": "#is-here=e30",
    "#g%6Fne": "#is-here",
    "#what-stays": None,
    "#%E0%A4%A": None,
    "": None,
}


def test_an_old_link_leads_to_the_new_page(base, open_page):
    page = open_page(f"{base}before.html", allow=["ERR_ABORTED"])  # the old page is left at once
    for before, after in LINKS.items():
        page.goto(f"{base}{OLD}.html{before}")
        page.wait_for_function("document.documentElement.dataset.set")
        expected = f"{base}{NEW}.html{after}" if after else f"{base}{OLD}.html{before}"
        assert page.url == expected
        page.go_back()
        assert page.url == f"{base}before.html", before


def test_a_link_followed_on_the_old_page_leads_on_too(base, open_page):
    page = open_page(f"{base}{OLD}.html", allow=["ERR_ABORTED"])
    page.evaluate("location.hash = 'gone'")
    page.wait_for_url(f"{base}{NEW}.html#is-here")


def test_without_scripts_the_link_ends_at_a_line_that_says_where(base, open_page):
    page = open_page(f"{base}{OLD}.html", scripts=False, allow=[" csp", "ERR_ABORTED"])
    assert page.locator("p.moved:visible").count() == 0
    page.goto(f"{base}{OLD}.html#gone")
    line = page.locator("p.moved:visible")
    assert line.inner_text() == "What this link is for has moved: The & new page"
    line.get_by_role("link").click()
    assert page.url == f"{base}{NEW}.html#is-here"


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({OLD: {"what-stays": f"{NEW}#is-here"}}, "expected what has left the page"),
        ({NEW: {"tiny": f"{OLD}#what-stays"}}, "expected what has left the page"),
        ({OLD: {"gone": f"{NEW}#nowhere"}}, "expected a place in depth/new, got 'nowhere'"),
        ({OLD: {"gone": "depth/none"}}, "expected a page of the book, got 'depth/none'"),
        ({"chapters/none": {"gone": NEW}}, "expected a page of the book, got 'chapters/none'"),
    ],
)
def test_an_entry_that_cannot_be_right_is_told(table, complaint, moved_book, monkeypatch):
    class App:
        outdir = moved_book / "_build" / "html"
        builder = type("Builder", (), {"format": "html"})
        env = type("Environment", (), {"found_docs": {"index", OLD, NEW}})

    said = []
    monkeypatch.setattr(moved, "table", lambda: table)
    monkeypatch.setattr(moved.LOGGER, "warning", said.append)
    moved.check_table(App, None)
    assert len(said) == 1
    assert complaint in said[0]


def test_such_an_entry_fails_the_build(moved_book):
    (moved_book / "_ext" / "moved.json").write_text(json.dumps({OLD: {"gone": "depth/none"}}))
    said, status = build(moved_book)
    assert status != 0
    assert "expected a page of the book, got 'depth/none'" in " ".join(said.split())
    (moved_book / "_ext" / "moved.json").write_text(json.dumps(TABLE))


def test_every_old_address_of_the_book_leads_to_its_place(site):
    """The build has looked that each is there; here, that the old page says so."""
    for old, entries in moved.table().items():
        page = parsed(site / f"{old}.html")
        assert {line["id"] for line in page.select("p.moved")} == set(entries)
        for line in page.select("p.moved"):
            path, _, name = line.a["href"].partition("#")
            new = (site / old).parent / path
            assert name in moved.anchors_of(new.read_text("utf-8"))
