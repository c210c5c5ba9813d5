"""The EM explorer in JupyterLab with a live kernel: browser to Python, and Python to browser."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytestmark = pytest.mark.xdist_group("JupyterLab")  # one fixture serves all tests here
CELLS = [
    "from gmm_lib.widgets import EMExplorer\nexplorer = EMExplorer()\nexplorer",
    "import ipywidgets\n"
    "slider = ipywidgets.IntSlider(max=20, description='iteration')\n"
    "link = ipywidgets.link((slider, 'value'), (explorer, 'iteration'))\n"
    "seen = []\n"
    "explorer.observe(lambda change: seen.append(change['new']), 'means')\n"
    "slider",
]


class Lab:
    """A JupyterLab server on a folder of its own, and a client of its one kernel."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None

    def __enter__(self):
        environment = os.environ | {
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.folder / "workspaces"),
            "PYTHONPATH": str(ROOT),
        }
        settings = self.folder / "settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True)
        (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')
        self.log = open(self.folder / "lab.log", "w+")  # noqa: SIM115 (closed on exit)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
            + ["--IdentityProvider.token=", "--ServerApp.password="]
            + [f"--ServerApp.root_dir={self.folder / 'work'}"]
            + ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = list((self.folder / "runtime").glob("jpserver-*.json"))
            if found and (text := found[0].read_text()):
                self.url = json.loads(text)["url"]
                return self
            assert self.process.poll() is None, (self.folder / "lab.log").read_text()[-2000:]
            time.sleep(0.2)
        raise TimeoutError((self.folder / "lab.log").read_text()[-2000:])

    def __exit__(self, *error):
        if hasattr(self, "kernel"):
            self.kernel.stop_channels()
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()

    def python(self, expression):
        """The value of an expression in the notebook's kernel."""
        if not hasattr(self, "kernel"):
            from jupyter_client import BlockingKernelClient

            with urllib.request.urlopen(self.url + "api/sessions") as answer:
                identity = json.load(answer)[0]["kernel"]["id"]
            file = self.folder / "runtime" / f"kernel-{identity}.json"
            self.kernel = BlockingKernelClient(connection_file=str(file))
            self.kernel.load_connection_file()
            self.kernel.start_channels()
            self.kernel.wait_for_ready(timeout=30)
        printed = []
        reply = self.kernel.execute_interactive(
            f"import json as _json; print(_json.dumps({expression}))",
            timeout=30,
            store_history=False,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        assert reply["content"]["status"] == "ok", reply["content"]
        return json.loads("".join(printed))

    def eventually(self, expression, holds):
        """Wait until the value of an expression satisfies ``holds``; return it."""
        for _ in range(50):
            value = self.python(expression)
            if holds(value):
                return value
            time.sleep(0.1)
        raise AssertionError(f"{expression} stayed {value}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "work").mkdir()
    cells = [new_markdown_cell("# Live", id="title")]
    cells += [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "work" / "live.ipynb")
    with Lab(folder) as running:
        yield running


def run_all(lab, chromium):
    """The page of JupyterLab with the notebook open and all its cells set going."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(lab.url + "lab/tree/live.ipynb")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    return page


@pytest.fixture(scope="module")
def live(lab, chromium):
    """The notebook in JupyterLab, all cells run, and the root of its explorer on the page."""
    page = run_all(lab, chromium)
    root = page.locator("[data-explorer=em]")
    root.wait_for()
    page.locator(".widget-slider").wait_for()
    yield root
    page.context.close()


def wait_for(root, name, value):
    """Wait until the root's data-… attribute has the value."""
    root.page.locator(f"[data-explorer=em][data-{name}='{value}']").wait_for()


def test_button_in_the_browser_arrives_in_python(lab, live):
    assert lab.python("[explorer.iteration, explorer.half]") == [0, "m"]
    live.get_by_role("button", name="E step", exact=True).click()
    wait_for(live, "half", "e")
    lab.eventually("explorer.half", lambda half: half == "e")


def test_drag_in_the_browser_arrives_in_python(lab, live):
    before = lab.python("explorer.means")
    handle = live.get_by_role("slider", name=re.compile("mean", re.I)).first
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = live.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 60, y, steps=6)
    mouse.up()
    lab.eventually("explorer.means", lambda means: means != before)
    assert lab.python("len(seen)") > 0


def test_trait_set_in_python_moves_the_picture(lab, live):
    curve = live.locator(".gmm-density")
    before = curve.get_attribute("d")
    lab.python("setattr(explorer, 'iteration', 4)")
    wait_for(live, "iteration", 4)
    moved = "(before) => document.querySelector('.gmm-density').getAttribute('d') !== before"
    live.page.wait_for_function(moved, arg=before)
    assert float(live.get_attribute("data-log-likelihood")) == pytest.approx(
        lab.python("explorer.log_likelihood"), rel=1e-10
    )


def test_linked_slider_follows_and_leads(lab, live):
    lab.eventually("slider.value", lambda value: value == 4)
    lab.python("setattr(slider, 'value', 2)")
    wait_for(live, "iteration", 2)
