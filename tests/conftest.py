"""Fixtures that several test modules share.

rng             a seeded generator
chromium        a headless browser, one for the whole run
explorer_page   one explorer in a page of its own (see explorer_page.py)
site            folder of the built book; it is built first where it is missing or out of date
site_url        address of a server of that folder
open_page       a function that opens a page of the site, at a size, in a color scheme
engine          Firefox, then WebKitGTK, where they are installed (see engines.py)
page            open_page's page at 1280 px, light, nothing opened yet

A page from ``open_page`` (so ``page`` too) fails its test on any console error, any script error,
any request to another host. With GMM_LIB_NO_SKIPS=1 in the environment a skip is a failure.

A test that needs one of these carries a mark, so that `make test-fast` leaves it out: ``browser``
where it uses the browser, ``book`` where a book is built for it.
"""

import gc
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

# Before numpy is there: tests run side by side, and threads of BLAS that wait for each other on
# busy processors take twice the time of one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from engines import engine, firefox, webkit  # noqa: F401 (fixtures)
from explorer_page import explorer_page, idle_hosts  # noqa: F401 (fixtures)

import book
import browser

ROOT = Path(__file__).resolve().parents[1]
MARKS = {"chromium": "browser", "site": "book", "small_book": "book"}  # by the fixture in use


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items):
    for item in items:
        for name in MARKS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(MARKS[name])
    marked = {
        mark: {item.path for item in items if item.get_closest_marker(mark)}
        for mark in ("book", "browser", "slow")
    }
    builder = next((item.path for item in items if item.path in marked["book"]), None)

    def turn(item):
        """One file has the book built while others run; the short ones let all end together."""
        if item.path in marked["book"]:
            return 0 if item.path == builder else 2
        return 1 if item.path in marked["browser"] | marked["slow"] else 3

    items.sort(key=turn)


def pytest_collection_finish():
    """What is there by now stays: the garbage collector need not walk through it each time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and os.environ.get("GMM_LIB_NO_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report


@pytest.fixture
def rng():
    """A generator with a fixed seed, fresh for each test."""
    return np.random.default_rng(20210208)


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium or Chrome, whichever is there; without one, tests of it fail.

    It compiles WebAssembly once, not again for speed: no page of a test lives long enough to gain
    by that.
    """
    try:
        with browser.chromium("--js-flags=--liftoff-only") as running:
            yield running
    except browser.NoBrowserError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def site(request):
    """The folder of the built book, up to date; where it cannot be built no more tests begin."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "book.py", "build"], capture_output=True, text=True
    )
    if done.returncode:
        request.session.shouldfail = "the book was not built"
        told = f"{request.session.shouldfail}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        pytest.fail(told, pytrace=False)
    return book.SITE


@pytest.fixture(scope="session")
def site_url(site):
    """``http://127.0.0.1:<port>/`` of the built book."""
    with serving(site) as url:
        yield url


class serving:
    """``with serving(folder) as url``: the folder on a free port of this machine."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        def handler(*args):
            return book.Handler(*args, directory=self.folder)

        self.server = book.Server(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def pages(chromium):
    """``with pages(chromium) as open_page``, in which that is what the fixture gives a test."""
    contexts, problems = [], []

    def open_page(
        address=None,
        *,
        width=1280,
        height=900,
        dark=False,
        scripts=True,
        allow=(),
        touch=False,
    ):
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            reduced_motion="reduce",
            has_touch=touch,
        )
        contexts.append(context)
        context.set_default_timeout(10_000)

        def complain(text):
            if not any(part in text for part in allow):
                problems.append(text)

        def request(asked):
            local = asked.url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:"))
            if not local:
                complain(f"request to {asked.url}")

        context.on("request", request)
        context.on("requestfailed", lambda asked: complain(f"failed: {asked.url} {asked.failure}"))
        context.on(
            "response", lambda got: got.status >= 400 and complain(f"{got.status}: {got.url}")
        )
        context.on("weberror", lambda error: complain(f"script error: {error.error}"))
        context.on(
            "console", lambda said: said.type == "error" and complain(f"console: {said.text}")
        )
        page = context.new_page()
        if address is not None:
            page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not problems, "\n".join(dict.fromkeys(problems))


@pytest.fixture
def open_page(chromium):
    """A function ``(address=None, *, width=1280, height=900, dark=False, scripts=True, allow=(),
    touch=False)``.

    Opens the address, if there is one, in a fresh context, and returns Playwright's page. ``allow``
    holds parts of console messages that the test brings about on purpose.
    """
    with pages(chromium) as open_page:
        yield open_page


@pytest.fixture
def page(open_page):
    """A page of 1280 px that fails its test on errors and foreign requests."""
    return open_page()
