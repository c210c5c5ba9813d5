"""Find a Chromium or Chrome on this machine, for tests and measurements."""

import os
import shutil
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
COMMANDS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"]
PLACES = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
]
REMEDY = (
    "no Chromium or Chrome found. Install one (Debian: apt-get install chromium; any system: "
    "python -m playwright install chromium), or name it in the variable CHROMIUM"
)


class NoBrowserError(RuntimeError):
    """There is no browser on this machine; the message says what to install."""


def find_chromium(own: str | None = None) -> str:
    """Path of a browser: the one ``CHROMIUM`` names, one of the system's, Playwright's ``own``."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not Path(named).exists():
            raise NoBrowserError(f"CHROMIUM names {named}, which does not exist; {REMEDY}")
        return named
    for path in [*map(shutil.which, COMMANDS), *PLACES, own]:
        if path and Path(path).exists():
            return path
    raise NoBrowserError(REMEDY)


def launch(playwright):
    """A headless browser of Playwright's sync interface."""
    path = find_chromium(playwright.chromium.executable_path)
    return playwright.chromium.launch(executable_path=path, args=FLAGS)
