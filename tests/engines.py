"""Browsers other than Chromium, where they are installed: Firefox and WebKitGTK.

Firefox is driven by Mozilla's own client, ``marionette_driver``, with no other program in between;
WebKit by the few calls of the WebDriver standard that are needed here, to the server that comes
with it. A test takes the fixture ``engine``, which gives it one after the other:

    engine.navigate(address), engine.go_back(), engine.execute_script("return …", arguments)

Without the browser it is skipped, which CI counts as a failure.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from functools import partial

import pytest

FIREFOX = ["firefox-esr", "firefox"]
PREFERENCES = {
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.sessionhistory.max_total_viewers": 0,  # Back loads the page again, as it may anywhere
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(driver, script, *arguments, seconds=120):
    """Return what `script` returns once that is true of the page."""
    end = time.monotonic() + seconds
    while not (found := driver.execute_script(script, list(arguments))):
        assert time.monotonic() < end, script
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def firefox(tmp_path_factory):
    """A headless Firefox under remote control."""
    from marionette_driver.marionette import Marionette

    path = next(filter(None, map(shutil.which, FIREFOX)), None)
    if path is None:
        pytest.skip("no Firefox here (Debian: apt-get install firefox-esr)")
    profile, port = tmp_path_factory.mktemp("firefox"), free_port()
    settings = PREFERENCES | {"marionette.port": port}
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(v)});" for name, v in settings.items())
    (profile / "user.js").write_text("\n".join(lines))
    command = [path, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    driver = Marionette(host="127.0.0.1", port=port, socket_timeout=180)
    driver.raise_for_port(timeout=120)
    driver.start_session()
    driver.timeout.script = 150
    driver.execute_script = partial(driver.execute_script, sandbox=None)  # among the page's own
    yield driver
    driver.delete_session()
    process.terminate()
    process.wait(30)


class WebDriver:
    """A session of a WebDriver server on this machine: https://www.w3.org/TR/webdriver2/."""

    def __init__(self, port, capabilities):
        self.root = f"http://127.0.0.1:{port}/session"
        asked = {"capabilities": {"alwaysMatch": capabilities}}
        self.root += "/" + self.call("POST", "", asked)["sessionId"]
        self.call("POST", "/timeouts", {"script": 150_000, "pageLoad": 120_000})

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.root + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from None

    def navigate(self, address):
        self.call("POST", "/url", {"url": address})

    def go_back(self):
        self.call("POST", "/back", {})

    def execute_script(self, script, arguments=()):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def delete_session(self):
        self.call("DELETE", "")


@pytest.fixture(scope="session")
def webkit(tmp_path_factory):
    """WebKitGTK's own little browser under remote control, on a display that nobody sees."""
    for program in ("WebKitWebDriver", "Xvfb"):
        if shutil.which(program) is None:
            pytest.skip("no WebKitGTK here (Debian: apt-get install webkit2gtk-driver xvfb)")
    home, port = tmp_path_factory.mktemp("webkit"), free_port()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1280x800x24"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    display = screen.stdout.readline().decode().strip()
    surroundings = os.environ | {
        "DISPLAY": f":{display}",
        "GDK_BACKEND": "x11",
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "XDG_CACHE_HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "NO_AT_BRIDGE": "1",  # no bus for screen readers is there to connect to
        "WEBKIT_DISABLE_DMABUF_RENDERER": "1",  # no graphics processor
        "LIBGL_ALWAYS_SOFTWARE": "1",
    }
    server = subprocess.Popen(
        ["WebKitWebDriver", "--host=127.0.0.1", f"--port={port}"],
        env=surroundings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert time.monotonic() < end, "WebKitWebDriver does not answer"
            time.sleep(0.05)
    driver = WebDriver(port, {})
    yield driver
    driver.delete_session()
    for process in (server, screen):
        process.terminate()
        process.wait(30)


@pytest.fixture(params=["firefox", "webkit"])
def engine(request):
    """Firefox, then WebKit."""
    return request.getfixturevalue(request.param)
