"""The build, on a small book: explorers hosted, dead widgets refused, nothing left half done."""

import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import nbval.kernel
import pytest
import zmq.asyncio
from bs4 import BeautifulSoup
from conftest import ROOT
from jupyter_client import channels, manager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import book

MACHINERY = ["_config.yml", "_ext", "_static", "images", "scripts", "gmm_lib", "requirements.txt"]
TOC = """
format: jb-book
root: index
parts:
  - caption: Part
    numbered: 1
    chapters:
      - file: chapters/page
"""
EXPLORER = '''
import anywidget, base64, io, traitlets
import matplotlib.pyplot as plt

class Tiny(anywidget.AnyWidget):
    _esm = """
function render({ model, el }) {
  const root = document.createElement("div");
  const button = document.createElement("button");
  const show = () => { root.dataset.count = model.get("count"); };
  root.dataset.explorer = "tiny";
  button.textContent = "Add";
  button.onclick = () => {
    if (model.get("count") === 2) throw new Error("too far </script>");
    model.set("count", model.get("count") + 1);
    model.save_changes();
  };
  model.on("change:count", show);
  show();
  root.append(button);
  el.append(root);
}
export default { render };
"""
    kind = traitlets.Unicode("tiny").tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)
    text = traitlets.Unicode("</script><b>").tag(sync=True)

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        plt.figure(figsize=(2, 1)).savefig(buffer := io.BytesIO())
        plt.close()
        picture = base64.b64encode(buffer.getvalue()).decode()
        return {**data, "image/png": picture, "text/plain": f"The count is {self.count}"}, metadata
'''
GOOD = [
    (EXPLORER, []),
    ("tiny = Tiny()\ntiny", []),
    ("tiny", []),
    (
        "import gmm_lib, ipywidgets\nprint('mark', getattr(gmm_lib, 'MARK', 0))\n"
        "print('by', get_ipython().kernel.parent.transport)",
        [],
    ),
    ("ipywidgets.interact(lambda t=3: t);", ["live-only"]),
]
BAD = [
    *GOOD,
    ("ipywidgets.IntSlider(description='dead')", []),
    ("plt.plot([1, 2]);", []),
    ("import sys; print('careless', file=sys.stderr)", []),
]


def write_page(folder, cells, text="Text."):
    notebook = new_notebook(
        cells=[new_markdown_cell(f"# The page\n\n{text}", id="title")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    for index, (source, tags) in enumerate(cells):
        notebook.cells.append(
            new_code_cell(source, id=f"cell-{index}", metadata={"tags": tags} if tags else {})
        )
    (folder / "chapters").mkdir(exist_ok=True)
    nbformat.write(notebook, folder / "chapters" / "page.ipynb")


def start(folder, *arguments):
    """Run the command of a small book, which is built without Run: that takes 15 s a book."""
    return subprocess.Popen(
        [sys.executable, folder / "scripts" / "book.py", *arguments],
        env=os.environ | {"BOOK_OUTPUT": "_build", "BOOK_PYODIDE": str(folder / "nowhere")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def build(folder):
    process = start(folder, "build")
    return process.communicate(timeout=180)[0], process.returncode


def copy_machinery(folder, moved=None):
    """What builds the book, for one with other pages."""
    for name in MACHINERY:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "_ext" / "moved.json").write_text(json.dumps(moved or {}))
    # What jsonschema checks addresses with where it can be had: it takes a second to import.
    (folder / "scripts" / "rfc3987_syntax.py").write_text("raise ImportError\n")


@pytest.fixture(scope="module")
def small_book(tmp_path_factory):
    """A book of one page, built once; tests of this module run in order and leave it whole."""
    folder = tmp_path_factory.mktemp("book")
    copy_machinery(folder)
    (folder / "_toc.yml").write_text(TOC)
    (folder / "index.md").write_text("# Small book\n\nWelcome.\n")
    (folder / "references.bib").write_text("")
    write_page(folder, GOOD)
    said, status = build(folder)
    assert status == 0, said
    assert "Python in the page is left out: the folder BOOK_PYODIDE names lacks" in said
    return folder


def page_of(folder):
    text = (folder / "_build" / "html" / "chapters" / "page.html").read_text(encoding="utf-8")
    return text, BeautifulSoup(text, "html.parser")


def test_explorers_become_hosts(small_book):
    text, page = page_of(small_book)
    hosts = page.select(".explorer-host")
    assert len(hosts) == 2
    for host in hosts:
        assert host.select_one(".explorer-still img")["alt"] == "The count is 0"
        assert json.loads(host.select_one(".explorer-state").string) == {
            "kind": "tiny",
            "count": 0,
            "text": "</script><b>",
        }
    assert hosts[0]["data-model"] == hosts[1]["data-model"] == "0"
    files = [
        small_book / "_build/html/_static/explorers" / name
        for name in hosts[0]["data-files"].split()
    ]
    assert "function render" in files[0].read_text(encoding="utf-8")
    assert "function render" not in text.replace(page.select_one(".cell_input").decode(), "")


def test_nothing_of_the_usual_widget_loader_is_left(small_book):
    text, _ = page_of(small_book)
    for trace in ("vnd.jupyter.widget", "require.js", "html-manager", "thebe", "unpkg", "jsdelivr"):
        assert trace not in text


def test_live_only_cell_shows_code_and_a_note(small_book):
    _, page = page_of(small_book)
    cell = page.select_one(".tag_live-only")
    assert "interact" in cell.select_one(".cell_input").text
    assert "notebook" in cell.select_one("p.live-only").text
    assert not cell.select("script")


@pytest.mark.parametrize("protocol", ["http", "file"])
def test_hosted_explorer_works_and_views_share_their_model(protocol, small_book, open_page):
    from conftest import serving

    site = small_book / "_build" / "html"
    with serving(site) as url:
        base = url if protocol == "http" else site.as_uri() + "/"
        page = open_page(base + "chapters/page.html", allow=["too far"])
        roots = page.locator("[data-explorer=tiny]")
        roots.nth(1).wait_for()
        roots.first.get_by_role("button").click()
        roots.nth(1).get_by_role("button").click()
        assert [root.get_attribute("data-count") for root in roots.all()] == ["2", "2"]
        assert page.locator(".explorer-error").count() == 0
        roots.first.get_by_role("button").click()  # fails after the start, in a handler
        page.locator(".explorer-error").first.wait_for()
        assert "too far" in page.locator(".explorer-error").first.inner_text()
        assert "went wrong" in page.locator(".explorer-error").first.inner_text()
        page.evaluate(
            """() => {
              const { explorerModel: model } = document.querySelector(".explorer-host");
              model.set("count", 0);
              model.save_changes();
            }"""
        )
        assert page.locator(".explorer-error").count() == 0  # over, as the explorer goes on


def test_second_build_has_nothing_to_do(small_book):
    (small_book / "chapters" / ".ruff_cache").mkdir()
    (small_book / "chapters" / ".ruff_cache" / "left").write_text("by a linter")
    said, status = build(small_book)
    assert status == 0
    assert "up to date" in said


def test_a_reply_that_was_slept_through_is_found_a_second_later(monkeypatch):
    waits = []

    class Socket(zmq.asyncio.Socket):
        def __init__(self):
            pass

        async def poll(self, timeout):
            waits.append(timeout)
            return len(waits) == 3

        async def recv_multipart(self):
            return ["the reply"]

    class Session:
        feed_identities = staticmethod(lambda message: (None, message))
        deserialize = staticmethod(lambda message: message)

    monkeypatch.setattr(
        channels.AsyncZMQSocketChannel, "get_msg", get_msg := channels.AsyncZMQSocketChannel.get_msg
    )
    book.hear_replies()
    assert channels.AsyncZMQSocketChannel.get_msg is not get_msg
    channel = channels.AsyncZMQSocketChannel(Socket(), Session())
    with pytest.raises(StopIteration) as done:  # of a coroutine that nothing keeps waiting
        channel.get_msg(timeout=120).send(None)
    assert done.value.value == ["the reply"]
    with pytest.raises(queue.Empty):
        channel.get_msg(timeout=2.5).send(None)
    assert waits == [1000, 1000, 1000, 1000, 1000, 500]


def test_kernels_that_start_at_once_do_not_share_an_address(small_book, monkeypatch):
    """In the build, and in the notebooks that pytest runs, where nbval starts them."""
    assert "by ipc" in page_of(small_book)[0]
    managers = [manager.KernelManager(), manager.AsyncKernelManager()]
    assert len({each.ip for each in managers}) == 2
    running, client = nbval.kernel.start_new_kernel()
    files = [Path(f"{running.ip}-{port}") for port in running.ports]
    assert all(file.is_socket() for file in files)
    client.stop_channels()
    running.shutdown_kernel(now=True)
    assert not any(file.exists() for file in files)
    monkeypatch.setattr(tempfile, "tempdir", "/" + "long" * 20)  # too long for a socket
    assert manager.KernelManager().transport == "tcp"


def test_edit_of_the_library_runs_notebooks_again(small_book):
    assert "mark 0" in page_of(small_book)[0]
    with open(small_book / "gmm_lib" / "__init__.py", "a") as handle:
        handle.write("\nMARK = 7\n")
    said, status = build(small_book)
    assert status == 0, said
    assert "WARNING" not in said
    assert "mark 7" in page_of(small_book)[0]


def test_defects_fail_the_build_and_leave_the_site_as_it_was(small_book):
    before = page_of(small_book)[0]
    write_page(small_book, BAD, r"This is no formula: $\nosuch$")
    for _ in range(2):  # the second time the notebook comes from the cache, and must fail as well
        said, status = build(small_book)
        assert status != 0
        said = re.sub(r"\s+", " ", said)
        assert (
            "chapters/page, cell 7: the widget IntSliderModel cannot live on a static page" in said
        )
        assert "has no alt text" in said
        assert r"chapters/page: the formula '\\nosuch' cannot be set" in said
        assert "stderr" in said
        assert "Traceback" not in said
        assert page_of(small_book)[0] == before


def test_interrupted_build_breaks_nothing(small_book):
    running = small_book / "running"
    long = f"open({str(running)!r}, 'w').close()\nimport time; time.sleep(60)"
    write_page(small_book, [*GOOD, (long, [])])
    process = start(small_book, "build")
    while not running.exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    write_page(small_book, [*GOOD, ("print('after the interruption')", [])])
    both = [start(small_book, "build"), start(small_book, "build")]  # one waits for the other
    said = [process.communicate(timeout=180)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert "after the interruption" in page_of(small_book)[0]
    assert sum("up to date" in text for text in said) == 1


def test_busy_port_is_told_in_a_sentence(small_book):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(small_book, "serve", "--port", str(port))
        said = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert f"Port {port} cannot be used" in said
    assert f"PORT={port + 1}" in said or port == 65535
    assert "Traceback" not in said


def test_a_port_that_cannot_be_is_answered_by_one_that_can(small_book):
    said = start(small_book, "serve", "--port", "99999").communicate(timeout=60)[0]
    assert "Port 99999 cannot be used" in said
    assert "PORT=8000" in said
    assert "Traceback" not in said
