"""Find a Chromium or Chrome on this machine, for tests and measurements.

    python scripts/browser.py

prints which one is used, or ends with what to install.
"""

import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The first is Chromium without windows: the same engine, and a page costs it less.
COMMANDS = [
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
]
PLACES = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
]
REMEDY = (
    "Install Chromium or Chrome (Debian: apt-get install chromium; any system: "
    f"{sys.executable} -m playwright install chromium), or name it in the variable CHROMIUM"
)
# Where Node cannot start, it is the system that tells which library is missing, on the line before.
NODE_REMEDY = (
    "install the library that the line above names "
    "(Debian: apt-get install libatomic1 for libatomic.so.1)"
)


class NoBrowserError(RuntimeError):
    """There is no browser on this machine; the message says what to install."""


def find_chromium(own: str | None = None) -> str:
    """Path of a browser: the one ``CHROMIUM`` names, one of the system's, Playwright's ``own``."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not Path(named).exists():
            raise NoBrowserError(f"CHROMIUM names {named}, which does not exist. {REMEDY}")
        return named
    for path in [*map(shutil.which, COMMANDS), *PLACES, own]:
        if path and Path(path).exists():
            return path
    raise NoBrowserError(f"no Chromium or Chrome found. {REMEDY}")


@contextmanager
def chromium(*flags: str):
    """A headless browser of Playwright's sync interface, closed when the block ends."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = find_chromium(playwright.chromium.executable_path)
        with playwright.chromium.launch(executable_path=path, args=[*FLAGS, *flags]) as browser:
            yield browser


def main() -> None:
    from playwright.sync_api import sync_playwright

    try:
        with sync_playwright() as playwright:
            print(f"The browser: {find_chromium(playwright.chromium.executable_path)}")
    except NoBrowserError as error:
        sys.exit(f"The tests need a browser: {error}.\n`make test-fast` needs none.")
    except Exception as error:
        sys.exit(f"Playwright's Node cannot start ({error}): {NODE_REMEDY}.")


if __name__ == "__main__":
    main()
