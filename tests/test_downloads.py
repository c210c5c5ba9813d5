"""The notebooks that pages offer: whole in any Jupyter, equal to their pages, and they run."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from types import SimpleNamespace
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from markdown_it import MarkdownIt
from packaging.requirements import Requirement
from test_live_jupyterlab import Lab
from test_notebooks import NOTEBOOKS
from test_site import parsed

import downloads

NAMES = [path.relative_to(ROOT).with_suffix("").as_posix() for path in NOTEBOOKS]
every_name = pytest.mark.parametrize("name", NAMES)
HEADING = re.compile(r"^#+ (.+)$", re.M)


class SmallPage(downloads.Page):
    """A page of a book with one equation, one theorem, one exercise and two references."""

    def __init__(self):
        env = SimpleNamespace(
            toc_fignumbers={
                "page": {
                    "displaymath": {"equation-eq-a": (3, 1)},
                    "theorem": {"thm-a": (3, 2)},
                    "exercise": {"ex-a": (3, 3)},
                }
            },
            proof_list={"thm-a": {"countertype": "theorem", "nonumber": False}},
        )
        super().__init__(SimpleNamespace(env=env), "page")
        self.complaints = []
        self.references = {
            (None, "myst", "ch-em"): downloads.Reference("[EM](em.ipynb)", "em.ipynb"),
            ("math", "eq", "eq-a"): downloads.Reference("[(3.1)](#Sums)", "#Sums"),
        }

    def complain(self, text):
        self.complaints.append(text)


def converted(text):
    page = SmallPage()
    lines, running = downloads.fold_solutions(page, downloads.convert(page, text.split("\n")), None)
    assert (page.complaints, running) == ([], None)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("myst", "plain"),
    [
        ("(a-label)=\n## Sums", "## Sums"),
        ("See [](#ch-em), [here](#ch-em),\n{eq}`eq-a`.",
         "See [EM](em.ipynb), [here](em.ipynb),\n[(3.1)](#Sums)."),
        ("{eq}`the sum <eq-a>` and [a](https://a.org)", "[the sum](#Sums) and [a](https://a.org)"),
        ("`[](#ch-em)`, ``a `{eq}`b` ``, $[a](b)$", "`[](#ch-em)`, ``a `{eq}`b` ``, $[a](b)$"),
        ("$$\na = b\n$$ (eq-a)\n\nAnd", "$$\na = b\n\\tag{3.1}\n$$\n\nAnd"),
        ("$$ a = b $$", "$$\na = b\n$$"),
        ("```{math}\n:label: eq-a\n\na\n= b\n```", "$$\na\n= b\n\\tag{3.1}\n$$"),
        ("```python\n{eq}`eq-a`\n```", "```python\n{eq}`eq-a`\n```"),
        (":::{admonition} Mind\n:class: note\n\nOne.\n\n$$\na\n= b\n$$\n:::",
         "> **Mind**\n>\n> One.\n>\n> $$ a = b $$"),
        (":::{note}\nOne.\n:::", "> **Note**\n>\n> One."),
        ("::::{admonition} Why?\n:class: question one\n:name: q-a\n\n1. a\n\n"
         ":::{admonition} Replies\n:class: dropdown right-1\n\n1. Yes.\n:::\n::::",
         "> **Why?**\n>\n> 1. a\n>\n> <details><summary><b>Replies</b></summary>\n>\n> 1. Yes.\n>\n"
         "> </details>"),
        ("```{prf:theorem} Sums\n:label: thm-a\n\nAll.\n```\n\n```{prf:proof}\nSee.\n```",
         "> **Theorem 3.2 (Sums)**\n>\n> All.\n\n> **Proof**\n>\n> See."),
        ("```{exercise-start} Try\n:label: ex-a\n```\n\nDo.\n\n```{exercise-end}\n```\n\n"
         "```{solution-start} ex-a\n:label: sol-a\n:class: dropdown\n```\n\nSo.\n\n"
         "```{solution-end}\n```\n\nAfter.",
         "**Exercise 3.3 (Try)**\n\nDo.\n\n"
         "<details><summary><b>Solution to Exercise 3.3 (Try)</b></summary>\n\nSo.\n\n"
         "</details>\n\nAfter."),
        ("- item\n\n  :::{note}\n  Deep.\n  :::", "- item\n\n  > **Note**\n  >\n  > Deep."),
    ],
)  # fmt: skip
def test_myst_becomes_plain_markdown(myst, plain):
    assert converted(myst) == plain


def test_solution_over_several_cells_is_folded_cell_by_cell():
    page = SmallPage()
    page.titles["ex-a"] = "Exercise 3.3 (Try)"
    cells = ["```{solution-start} ex-a\n```", "Then.", "At last.\n\n```{solution-end}\n```\n\nOut."]
    running, done = None, []
    for cell in cells:
        lines, running = downloads.fold_solutions(
            page, downloads.convert(page, cell.split("\n")), running
        )
        done.append("\n".join(lines))
    assert running is None
    assert done[0] == "**Solution to Exercise 3.3 (Try)** is in the closed cells below."
    assert "Exercise 3.3, continued</b></summary>\n\nThen.\n\n</details>" in done[1]
    assert done[2].endswith("\n\nAt last.\n\n</details>\n\nOut.")


@pytest.mark.parametrize(
    ("myst", "complaint"),
    [
        ("```{figure} a.png\n```", "directive {figure} is not known"),
        ("{kbd}`a`", "role {kbd} is not known"),
        ("[](#nowhere)", "expected a reference to 'nowhere'"),
        ("{eq}`nowhere`", "expected a reference to 'nowhere'"),
        ("$$\na\n$$ (eq-b)", "expected a number for the displaymath 'equation-eq-b'"),
    ],
)
def test_what_cannot_be_converted_is_told(myst, complaint):
    page = SmallPage()
    downloads.convert(page, myst.split("\n"))
    assert [complaint in each for each in page.complaints] == [True]


# The notebooks of the book


@cache
def read(file):
    return nbformat.read(file, as_version=nbformat.NO_CONVERT)


def offered(site, name):
    """The notebook that the download button of a page fetches."""
    button = parsed(site / f"{name}.html").select_one("a.btn-download-source-button")
    return read(((site / f"{name}.html").parent / button["href"]).resolve())


def source_of(name):
    return nbformat.read(ROOT / f"{name}.ipynb", as_version=nbformat.NO_CONVERT)


def words_of(notebook):
    """Its text, formulas and code apart, which may hold anything."""
    text = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    text = re.sub(r"```.*?```|\$\$.*?\$\$", "", text, flags=re.S)
    return re.sub(r"`[^`]*`|\$[^$]*\$", "", text)


@every_name
def test_no_myst_is_left(site, name):
    notebook = offered(site, name)
    nbformat.validate(notebook)
    text = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    words = words_of(notebook)
    assert ":::" not in text
    assert "```{" not in text
    assert "<!--" not in text
    for kind in (
        r"\{[\w:.-]+\}`",
        r"^ *\([\w:-]+\)=",
        r"\[\]\(",
        r"\]\(\)",
        r"^\s*:[\w-]+:",
        r"\0",
    ):
        assert re.findall(kind, text, re.M) == [], kind
    assert re.findall(r"\{[\w:-]+\}", words) == []


@every_name
def test_code_is_that_of_the_book(site, name):
    """The same cells in the same order; so what nbval proves of the book holds here, too."""
    made, source = offered(site, name), source_of(name)
    assert made.metadata == source.metadata

    def code(notebook):
        return [(c.id, c.source) for c in notebook.cells if c.cell_type == "code"]

    assert code(made) == code(source)
    for cell in made.cells:
        if cell.cell_type == "code":
            told = downloads.CLOSED & set(cell.metadata.get("tags", []))
            assert not told or cell.metadata.jupyter.source_hidden


@every_name
def test_links_lead_somewhere(site, name):
    """To a file of the site, and to a heading of that notebook."""
    notebook = offered(site, name)
    here = site / "_sources" / name
    links = re.findall(r"(?<!\\)\]\(([^()\s]+)\)", words_of(notebook))
    assert len(links) > 3
    for link in links:
        if re.match("https?:", link):
            continue
        file, _, mark = link.partition("#")
        target = (here.parent / file).resolve() if file else here.with_suffix(".ipynb")
        assert target.is_file(), link
        if mark and target.suffix == ".ipynb":
            titles = [
                title
                for cell in read(target).cells
                if cell.cell_type == "markdown"
                for title in HEADING.findall(cell.source)
            ]
            assert unquote(mark) in [title.replace(" ", "-") for title in titles], link
        elif mark and "=" not in mark:  # that is a state of an explorer: test_embed.py opens it
            assert parsed(target).find(id=unquote(mark)), link


@every_name
def test_numbers_are_those_of_the_page(site, name):
    notebook = offered(site, name)
    text = "\n\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    page = parsed(site / f"{name}.html")
    equations = [re.match(r"\((.*)\)", each.text)[1] for each in page.select(".eqno")]
    assert re.findall(r"\\tag\{(.*?)\}", text) == equations
    numbered = [each.text.strip() for each in page.select(".caption-number")]
    kinds = r"Fig\.|Theorem|Lemma|Definition|Algorithm|Exercise"
    assert re.findall(rf"^(?:> )?\*\*((?:{kinds}) [\d.]*\d)", text, re.M) == numbered


@every_name
def test_references_say_what_the_page_says(site, name):
    page = parsed(site / f"{name}.html")
    body = page.select_one("article")
    shown = (" ".join(each.text.split()) for each in body.select("a.reference.internal"))
    said = {text.replace("’", "'") for text in shown}
    links = re.findall(r"(?<!\\)\[([^\[\]]*)\]\([^()\s]+\)", words_of(offered(site, name)))
    for text in links[1:]:  # the first one leads to the page itself
        plain = text.replace("*", "").replace("\\", "").replace("’", "'")
        assert plain in said or not said, plain


@every_name
def test_first_cell_names_what_to_install(site, name):
    first = offered(site, name).cells[0]
    assert first.cell_type == "markdown"
    assert 'pip install ".[chapters]"' in first.source


def test_extra_for_chapters_holds_all_that_they_import():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]

    def packages(needs):
        for need in map(Requirement, needs):
            inner = (packages(extras[extra]) for extra in need.extras)
            yield from chain.from_iterable(inner) if need.name == "gmm-lib" else [need.name]

    wanted = {*project["dependencies"][0].split(">")[:1], *packages(extras["chapters"])}
    assert {"numpy", "matplotlib"} <= wanted
    found = packages_distributions()
    for name in NAMES:
        code = "\n".join(c.source for c in source_of(name).cells if c.cell_type == "code")
        for top in set(re.findall(r"^\s*(?:import|from) (\w+)", code, re.M)):
            if top not in sys.stdlib_module_names and top != "gmm_lib":
                assert set(found[top]) & wanted, f"{name} imports {top}"


def test_a_download_runs_from_top_to_bottom(site, tmp_path):
    """One does for all, as their cells are the book's; here beside nothing of the book."""
    name = "chapters/04-jensens-inequality"
    nbformat.write(offered(site, name), tmp_path / "download.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider"]
        + ["--rootdir", tmp_path, "-c", os.devnull, tmp_path / "download.ipynb"],
        cwd=tmp_path,
        env=os.environ | {"JUPYTER_PREFER_ENV_PATH": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    cells = sum(c.cell_type == "code" for c in offered(site, name).cells)
    assert f"{cells} passed" in done.stdout


@every_name
def test_boxes_and_folds_are_whole_as_commonmark(site, name):
    """What any Jupyter makes of a cell: every fold that opens closes, in the box it opened in."""
    for cell in offered(site, name).cells:
        if cell.cell_type != "markdown":
            continue
        html = MarkdownIt("commonmark").enable("table").render(cell.source)
        assert html.count("<details>") == html.count("</details>") == html.count("</summary>")
        for quote in BeautifulSoup(html, "html.parser").select("blockquote"):
            folds = str(quote).count("<details>")
            assert folds == cell.source.count("> <details>") or folds <= 1
            assert quote.find("p").find("strong")
        for fold in BeautifulSoup(html, "html.parser").select("details"):
            assert fold.find("summary").text.strip()
            assert len(fold.text) > len(fold.find("summary").text) + 10


def test_pages_that_are_no_notebooks_offer_print_alone(site):
    page = parsed(site / "appendices/glossary.html")
    assert page.select("button.btn-download-pdf-button")
    assert not page.select("a.btn-download-source-button")
    assert list((site / "_sources").rglob("*.md")) == []


def test_with_a_public_address_links_lead_there():
    env = SimpleNamespace(
        found_docs={"chapters/a", "chapters/b"}, doc2path=lambda name: f"{name}.ipynb"
    )
    config = SimpleNamespace(html_baseurl="https://a.org/book/")
    page = downloads.Page(SimpleNamespace(env=env, config=config), "chapters/a")
    assert downloads.on_site(page, "chapters/b") == "https://a.org/book/chapters/b.html"
    config.html_baseurl = ""
    assert downloads.on_site(page, "chapters/b") == "../../chapters/b.html"


# In Notebook 7


@pytest.fixture(scope="module")
def notebook_7(site, tmp_path_factory):
    """Notebook 7 without the extension for MyST, on the folder with all that the site offers."""
    pytest.importorskip("notebook")
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copytree(site / "_sources", folder / "work")
    config = folder / "config" / "labconfig"
    config.mkdir(parents=True)
    (config / "page_config.json").write_text('{"disabledExtensions": {"jupyterlab-myst": true}}')
    # All cells at once, not only those in the window.
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with Lab(folder, "notebook") as running:
        yield running


@pytest.fixture(scope="module")
def opened(site, notebook_7, chromium):
    """Chapter 3 in Notebook 7, its text shown."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(notebook_7.url + "notebooks/chapters/03-em-for-gaussian-mixtures.ipynb")
    cells = offered(site, "chapters/03-em-for-gaussian-mixtures").cells
    texts = sum(cell.cell_type == "markdown" for cell in cells)
    page.wait_for_function(
        """(texts) => document.querySelectorAll(".jp-RenderedMarkdown").length === texts
          && document.querySelectorAll(".jp-RenderedMarkdown mjx-container").length > 100""",
        arg=texts,
    )
    yield page
    context.close()


def test_notebook_7_shows_no_markup(opened):
    text = "\n".join(opened.locator(".jp-RenderedMarkdown").all_inner_texts())
    assert len(text) > 20_000
    for mark in (":::", "{eq}", "{cite", "{prf:", "$", "](", "<details>", "**", ")="):
        assert mark not in text, text[text.index(mark) - 200 :][:400]
    assert "In Labelled and unlabelled every point had to pick a side" in text
    assert opened.locator("mjx-merror").count() == 0


def test_notebook_7_shows_boxes_folds_and_numbers(opened):
    box = opened.locator("blockquote", has_text="Predict: will 9 ever change sides?")
    reply = box.get_by_text("It changes sides, but only after several iterations.")
    assert box.locator("ol").first.locator("li").count() == 4
    reply.wait_for()
    answer = box.get_by_text("A small part is enough to start from.")
    assert not answer.is_visible()
    box.locator("summary").click()
    answer.wait_for()
    definition = opened.locator("blockquote", has_text="Definition 3.1 (Responsibility)")
    formula = definition.locator("mjx-container[display=true]")
    assert formula.count() == 1
    assert formula.locator("mjx-c.mjx-c3E").count() == 0  # ">", a mark of the quotation
    assert formula.locator("mjx-labels mjx-c").count() == len("(3.6)")


def test_notebook_7_follows_links(opened):
    opened.locator("a", has_text="At the top").click()
    heading = opened.locator("h2", has_text="Whose is x = 9?")
    opened.wait_for_function(
        "(each) => { const { top } = each.getBoundingClientRect(); return top > 0 && top < 900; }",
        arg=heading.element_handle(),
    )
