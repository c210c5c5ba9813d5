"""The book on paper and on a stick: one PDF, the sheets, and one file with all of it."""

import ctypes
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from conftest import ROOT, serving
from paper import filled, text_of
from test_python_in_page import cells
from test_site import CHAPTERS, PAGES, parsed, settle

import book
import pack
import pdf
import sheets
from gmm_lib import datasets, e_step
from gmm_lib.widgets import EXPLORERS

pytestmark = pytest.mark.slow
FIRST, MOST = 10, 15e6


def run(script):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def book_pdf(site, chromium):
    run("pdf.py")
    return pdf.TARGET


@pytest.fixture(scope="module")
def book_text(book_pdf):
    return text_of(book_pdf)


@pytest.fixture(scope="module")
def sheets_pdf(site, chromium):
    run("sheets.py")
    return sheets.TARGET


def words(text):
    """Text as one line; a PDF's lines end where the paper does, and code has a blank after it."""
    return re.sub(r" ([,.;:)])", r"\1", " ".join(text.split()))


def outline(path):
    """Level, title and page (from 1) of each entry."""
    with pypdfium2.PdfDocument(path) as document:
        return [
            (entry.level, words(entry.get_title()), entry.get_dest().get_index() + 1)
            for entry in document.get_toc(max_depth=6)
        ]


def fonts_embedded(path, pages):
    """For each text of these pages, whether its font is in the file."""
    found = []
    with pypdfium2.PdfDocument(path) as document:
        for number in pages:
            for each in document[number].get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT]):
                font = pdfium.FPDFTextObj_GetFont(each)
                found.append(pdfium.FPDFFont_GetIsEmbedded(font) == 1)
    return found


def links(path):
    """Per page: how many links lead inside, and the addresses of those that lead out."""
    inside, outside = [], []
    with pypdfium2.PdfDocument(path) as document:
        for page in document:
            count = 0
            for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
                note = pdfium.FPDFPage_GetAnnot(page, index)
                if pdfium.FPDFAnnot_GetSubtype(note) == pdfium.FPDF_ANNOT_LINK:
                    link = pdfium.FPDFAnnot_GetLink(note)
                    action = pdfium.FPDFLink_GetAction(link)
                    size = pdfium.FPDFAction_GetURIPath(document, action, None, 0)
                    if size and not pdfium.FPDFLink_GetDest(document, link):
                        buffer = ctypes.create_string_buffer(size)
                        pdfium.FPDFAction_GetURIPath(document, action, buffer, size)
                        outside.append(buffer.value.decode())
                    else:
                        count += bool(pdfium.FPDFLink_GetDest(document, link))
                pdfium.FPDFPage_CloseAnnot(note)
            inside.append(count)
    return inside, outside


def test_the_pdf_is_whole_tagged_and_light(book_pdf, book_text):
    assert book_pdf.stat().st_size < MOST
    assert len(book_text) > 100
    with pypdfium2.PdfDocument(book_pdf) as document:
        assert document.get_metadata_value("Title") == "Gaussian mixtures and EM"
        assert pdfium.FPDFCatalog_IsTagged(document)
    assert book_pdf.read_bytes().count(b"/Alt ") > 1000  # pictures and formulas, in words
    found = fonts_embedded(book_pdf, range(0, len(book_text), 10))
    assert len(found) > 1000
    assert all(found)
    empty = [number for number, share in enumerate(filled(book_pdf), 1) if share == 0]
    assert empty == []


def test_contents_and_outline_name_the_pages(site, book_pdf, book_text):
    entries = outline(book_pdf)
    pages = {title: page for level, title, page in entries if level == 0}
    front = words(" ".join(book_text[:FIRST]))
    numbered = [name for name in CHAPTERS if name.startswith("chapters/")]
    for number, name in enumerate(numbered, 1):
        title = words(parsed(site / f"{name}.html").title.string.partition(" — ")[0])
        assert title.startswith(f"{number}.")
        assert title in words(book_text[pages[title] - 1])
        listed = re.findall(re.escape(title) + r" ?(\d+)\b", front)  # chapter, then its solutions
        assert int(listed[0]) == pages[title], front[:400]
        assert int(listed[-1]) >= pages["Solutions"]
    assert pages["Solutions"] > pages["Bibliography"]
    halves = [(title[: len(title) // 2], title[len(title) // 2 :]) for _, title, _ in entries]
    assert [first for first, second in halves if first == second] == []


def test_text_can_be_searched_and_stands_once(site, book_text):
    text = words(" ".join(book_text))
    for name in CHAPTERS:
        article = parsed(site / f"{name}.html").select_one("article.bd-article")
        first = next(p for p in article.select("section > p") if not p.select(".math"))
        assert words(first.text)[:60] in text
    for button in ("Show code cell", "Copy link to", "Click to show"):
        assert button not in text


def test_solutions_are_gathered_at_the_end(site, book_pdf, book_text):
    start = {title: page for _, title, page in outline(book_pdf)}["Solutions"]
    before, after = words(" ".join(book_text[: start - 1])), words(" ".join(book_text[start - 1 :]))
    count = sum(len(parsed(site / f"{name}.html").select(".solution[id]")) for name in CHAPTERS)
    assert count > 50
    assert len(re.findall(r"Solution to Exercise \d", after)) == count
    assert "Solution to Exercise" not in before
    told = [int(page) for page in re.findall(r"Solution: page (\d+)", before)]
    assert len(told) == count
    assert told == sorted(told)
    assert start <= told[0] <= told[-1] <= len(book_text)


def test_equations_figures_and_explorers_are_those_of_the_site(site, book_text):
    text = words(" ".join(book_text))
    for name in CHAPTERS:
        page = parsed(site / f"{name}.html")
        for number in page.select("article .eqno"):
            assert number.find(string=True) in text
        for caption in page.select("article .caption-number"):
            assert words(caption.text) in text
    hosts = sum(len(parsed(site / name).select(".explorer-host")) for name in PAGES)
    assert hosts >= len(EXPLORERS)
    assert text.count("Alive in the book:") == hosts


def test_links_lead_inside_or_to_a_public_address(book_pdf):
    inside, outside = links(book_pdf)
    assert sum(inside) > 500
    assert outside
    assert [each for each in outside if not re.match(r"https?://|mailto:", each)] == []


def test_no_link_of_the_book_loses_its_place(book_pdf):
    ids, links = [], []

    class Places(HTMLParser):
        def handle_starttag(self, tag, attributes):
            given = dict(attributes)
            if "id" in given:
                ids.append(given["id"])
            if tag == "a" and given.get("href", "").startswith("#"):
                links.append(given["href"][1:])

    Places().feed(pdf.SOURCE.read_text(encoding="utf-8"))
    assert len(ids) == len(set(ids))
    assert len(links) > 500
    assert set(links) <= set(ids)


def test_an_address_is_whole_where_one_is_given(monkeypatch):
    assert pdf.address("index") == "<code>index.html</code>"
    monkeypatch.setenv("BOOK_ADDRESS", "https://book.example/em/")
    whole = "https://book.example/em/chapters/a.html#b"
    assert pdf.address("chapters/a", "b") == f'<a href="{whole}">{whole}</a>'


def test_a_sheet_is_a_page_and_nothing_is_cut(sheets_pdf):
    pages = [words(page) for page in text_of(sheets_pdf)]
    made = sheets.all_sheets()
    assert set(made) == {*sheets.SHEETS, *EXPLORERS}
    assert len(pages) == len(made)
    for page, sheet in zip(pages, made.values(), strict=True):
        parts = pdf.fragment(sheet)
        assert re.match(r"(\d+ )?" + re.escape(words(parts.h1.text)), page)  # the page's number
        assert page.count("CC BY 4.0") == 1
        assert "Name:" in page


def test_sheets_show_numbers_only_where_filled_in(sheets_pdf):
    pages = dict(zip(sheets.all_sheets(), text_of(sheets_pdf), strict=True))
    ten = datasets.ten_points()
    w, log_likelihood = e_step(ten.X, ten.start)
    shares = [f"{share:.5f}" for share in np.ravel(w)]
    assert all(share in pages["em-filled"] for share in shares)
    assert not any(share in pages["em-blank"] for share in shares)
    assert f"{log_likelihood:.4f}" in pages["derivation-filled"].replace("−", "-")
    assert f"{log_likelihood:.4f}" not in pages["derivation-blank"].replace("−", "-")
    assert "Jensen" in pages["derivation-filled"]
    assert "Jensen" not in pages["derivation-blank"]


def test_the_packed_book_opens_without_a_network(book_pdf, sheets_pdf, open_page, tmp_path):
    said = run("pack.py")
    assert re.search(r"Python in the page +\d+\.\d MB", said)
    with zipfile.ZipFile(pack.TARGET) as packed:
        assert packed.testzip() is None
        assert [name for name in packed.namelist() if name.endswith(".bin")] == []  # once is enough
        packed.extractall(tmp_path)
    folder = tmp_path / pack.NAME
    for path in (book_pdf, sheets_pdf):
        assert (folder / path.name).read_bytes() == path.read_bytes()
    for kind in ("slides", "embed"):  # test_slides.py and test_embed.py look into them
        assert {each.name for each in (folder / kind).iterdir()} == {
            each.name for each in (book.SITE / kind).iterdir()
        }
    with serving(folder) as url:
        for base in (folder.as_uri() + "/", url):
            page = open_page(f"{base}index.html")
            settle(page)
            explorer = page.locator("[data-explorer=em]")
            before = explorer.get_by_role("status").first.inner_text()
            explorer.get_by_role("button", name="Step", exact=True).click()
            assert explorer.get_by_role("status").first.inner_text() != before
            page.goto(f"{base}{CHAPTERS[0]}.html")
            settle(page)
            cell = cells(page)[-1].run()
            assert cell.status.startswith("Done")
