"""Print what each page of the built book weighs, and how soon its explorers answer when it is slow.

    python scripts/weigh.py [--slow-down 4] [--mbit 1.6] [page ...]

Bytes are those of gzip, by kind, each file once per page, after reading to the end. "text" is the
time from the start of the navigation until all of the page stands with its formulas, "alive" until
the first and the last explorer have taken the place of their pictures (those a screen or more below
wait for the menus, or for the reader to come near); "answers" the time from a press of the first
explorer's first button until the next frame is painted. With --mbit the network is slow too; what
comes through it is not compressed.
"""

import argparse
import gzip

from book import SITE, page_names, served
from browser import chromium

KINDS = ["page", "explorers", "pictures", "mathematics", "theme"]
WATCH = """
window.lives = [];
new MutationObserver((changes) => {
  for (const { target } of changes) {
    if (target.dataset.alive) window.lives.push(performance.now());
  }
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-alive"] });
document.addEventListener("DOMContentLoaded", () =>
  document.fonts.ready.then(() => (window.read = performance.now())));
"""
READ = """
async () => {
  for (let y = 0; y < document.body.scrollHeight; y += 600) {
    scrollTo({ top: y, behavior: "instant" });
    await new Promise((done) => setTimeout(done, 50));
  }
}
"""
PRESS = """
() => new Promise((done) => {
  const button = document.querySelector("[data-explorer] button:not([disabled])");
  const before = performance.now();
  button.click();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - before)));
})
"""


def kind_of(path: str) -> str:
    """Which part of the site a file belongs to."""
    if path.endswith(".html"):
        return "page"
    if "/explorers/" in path or path.endswith("explorer-host.js"):
        return "explorers"
    if "/_images/" in path:
        return "pictures"
    return "mathematics" if "/formulas-" in path else "theme"


def weigh(browser, url: str, slow_down: float, mbit: float | None):
    """Bytes by kind, the moments (ms) of text and explorers, and the answer time (ms)."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slow_down})
    if mbit:
        speed = {"downloadThroughput": mbit * 1e6 / 8, "uploadThroughput": -1, "latency": 100}
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", {"offline": False, **speed})
    files = {}
    page.on("response", lambda got: files.setdefault(got.url.split("?")[0], got))
    page.goto(url)
    hosts = page.locator(".explorer-host").count()
    page.wait_for_function(f"window.lives.length >= {hosts}", timeout=60_000)
    page.evaluate(READ)
    page.wait_for_load_state("networkidle")
    sizes = dict.fromkeys(KINDS, 0)
    for address, response in list(files.items()):
        sizes[kind_of(address)] += len(gzip.compress(response.body()))
    read, lives = page.evaluate("[window.read, window.lives.sort((a, b) => a - b)]")
    answer = page.evaluate(PRESS) if hosts else None
    context.close()
    return sizes, read, lives, answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--slow-down", type=float, default=4, help="factor on the processor's time")
    parser.add_argument("--mbit", type=float, help="Mbit/s of the network; as it is if none")
    parser.add_argument("pages", nargs="*", help="pages without .html; all of the book if none")
    arguments = parser.parse_args()
    address = served(SITE)
    print(f"kB gzip by kind; ms at {arguments.slow_down:g}x slow-down of the processor")
    header = "".join(f"{kind:>12}" for kind in KINDS)
    print(f"{'':38}{header}{'own':>8}{'text':>7}{'alive':>16}{'answers':>9}")
    with chromium() as browser:
        for name in arguments.pages or page_names():
            url = f"{address}{name}.html"
            sizes, read, lives, answer = weigh(browser, url, arguments.slow_down, arguments.mbit)
            own = sum(sizes[kind] for kind in ("page", "explorers", "pictures"))
            row = "".join(f"{sizes[kind] / 1000:12.1f}" for kind in KINDS)
            alive = f"{lives[0]:.0f} to {lives[-1]:.0f}" if lives else "-"
            told = f"{answer:.0f}" if answer is not None else "-"
            print(f"{name:38}{row}{own / 1000:8.1f}{read:7.0f}{alive:>16}{told:>9}", flush=True)


if __name__ == "__main__":
    main()
