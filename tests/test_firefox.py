"""One chapter in Firefox, over http and from a folder: explorers alive, Python in the page answers.

Firefox is driven by Mozilla's own client, ``marionette_driver``, with no other program in between.
"""

import shutil
import socket
import subprocess
import time

import pytest
from test_python_in_page import CHAPTER, OVER, WRONG_AXIS

COMMANDS = ["firefox-esr", "firefox"]
PREFERENCES = {
    "marionette.port": None,  # filled in
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def firefox(tmp_path_factory):
    """A headless Firefox under remote control."""
    from marionette_driver.marionette import Marionette

    path = next(filter(None, map(shutil.which, COMMANDS)), None)
    if path is None:
        pytest.skip("no Firefox here (Debian: apt-get install firefox-esr)")
    profile, port = tmp_path_factory.mktemp("firefox"), free_port()
    settings = PREFERENCES | {"marionette.port": port}
    lines = (f"user_pref({name!r}, {str(value).lower()});" for name, value in settings.items())
    (profile / "user.js").write_text("\n".join(lines).replace("'", '"'))
    command = [path, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    driver = Marionette(host="127.0.0.1", port=port, socket_timeout=180)
    driver.raise_for_port(timeout=120)
    driver.start_session()
    driver.timeout.script = 150
    yield driver
    driver.delete_session()
    process.terminate()
    process.wait(30)


def wait_for(driver, script, *arguments, seconds=120):
    end = time.monotonic() + seconds
    while not (found := driver.execute_script(script, list(arguments))):
        assert time.monotonic() < end, script
        time.sleep(0.05)
    return found


@pytest.mark.parametrize("place", ["http", "file"])
def test_a_chapter(firefox, site, site_url, place):
    address = site_url + CHAPTER if place == "http" else (site / CHAPTER).as_uri()
    firefox.navigate(address)
    wait_for(firefox, "return document.documentElement.dataset.set")
    wait_for(firefox, "return document.querySelector('.explorer-host').dataset.alive")
    wait_for(
        firefox,
        """return [...document.fonts].some((font) =>
        font.family.includes("Book Math") && font.status === "loaded")""",
    )
    index = firefox.execute_script(
        """return [...document.querySelectorAll(".cell")].find((cell) =>
        cell.querySelector(".py-bar") && cell.textContent.includes("check.e_step(my_e_step)"))
        .className.match(/code-(\\d+)/)[1]"""
    )
    firefox.execute_script(f"document.querySelector('.code-{index} .py-edit').click()")
    area = wait_for(firefox, f"return document.querySelector('.code-{index} textarea')")
    area.clear()
    area.send_keys(WRONG_AXIS)
    firefox.execute_script(f"document.querySelector('.code-{index} .py-run').click()")
    wait_for(firefox, f"return ({OVER.strip()})([{index}])")
    output = firefox.execute_script(
        f"return document.querySelector('.code-{index} > .cell_output').textContent"
    )
    assert "you normalized over the points" in output
