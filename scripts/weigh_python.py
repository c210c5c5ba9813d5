"""Print how soon Python in the page answers, beside bare Pyodide in the same browser.

    python scripts/weigh_python.py [--runs 3]

Medians, in seconds. "bare" is Pyodide from the same files, with numpy imported and nothing else.
"first answer" is the check of chapter 3's E step from the first press, the cells above it included;
"second page" the same in a page opened after it; "figure" the first figure of a new page; "later"
a check when Python is there. "longest frame" (ms) is what the page itself was held up meanwhile.
"""

import argparse
import gzip
import statistics

from book import OUTPUT, SITE, served
from browser import chromium

CHAPTER = "chapters/03-em-for-gaussian-mixtures.html"
OTHER = "chapters/02-labels-and-no-labels.html"
BARE = """<!doctype html><title>bare</title><script type="module">
import { loadPyodide } from "./pyodide.mjs";
window.go = async () => {
  const begun = performance.now();
  const python = await loadPyodide({ packages: ["numpy"] });
  python.runPython("import numpy");
  return (performance.now() - begun) / 1000;
};
</script>"""
PRESS = """
async (marker) => {
  const cell = [...document.querySelectorAll(".cell")].find(
    (each) => each.querySelector(".py-bar") && each.textContent.includes(marker));
  let longest = 0, last = performance.now(), on = true;
  const frame = (now) => { longest = Math.max(longest, now - last); last = now;
    if (on) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  const begun = performance.now();
  cell.querySelector(".py-run").click();
  const isOver = () => /^(Done|It ended|Python could not)/.test(
    cell.querySelector(".py-status")?.textContent ?? "");
  await new Promise((done) => {
    const watch = new MutationObserver(() => isOver() && (watch.disconnect(), done()));
    setTimeout(() => watch.observe(cell, { subtree: true, childList: true, characterData: true }));
  });
  on = false;
  return [(performance.now() - begun) / 1000, longest,
    cell.querySelector(".py-status").textContent];
}
"""
CHECK, FIGURE = "check.e_step(my_e_step)", "plt.subplots"


def opened(browser, url: str):
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(url)
    page.wait_for_function("document.documentElement.dataset.set")
    return page


def press(page, marker: str) -> tuple[float, float]:
    """Seconds until the cell with this text has run, and the longest frame in ms."""
    seconds, longest, status = page.evaluate(PRESS, marker)
    if status != "Done.":
        raise RuntimeError(f"{page.url}, {marker}: {status}")
    return seconds, longest


def measure_bare(browser, url: str) -> float:
    page = browser.new_context().new_page()
    page.goto(url + "bare.html")
    page.wait_for_function("window.go")
    seconds = page.evaluate("go()")
    page.context.close()
    return seconds


def measure(browser, base: str) -> dict[str, float]:
    """One visit: two pages, a check in each, a later check, and a figure in a third page."""
    first = opened(browser, base + CHAPTER)
    found = {}
    found["first answer"], found["longest frame"] = press(first, CHECK)
    found["later"], _ = press(first, CHECK)
    second = first.context.new_page()
    second.goto(base + CHAPTER)
    second.wait_for_function("document.documentElement.dataset.set")
    found["second page"], _ = press(second, CHECK)
    first.context.close()
    third = opened(browser, base + OTHER)
    found["figure"], _ = press(third, FIGURE)
    third.context.close()
    return found


def weight_before_press() -> float:
    """kB (gzip) that Python in the page adds to a page before a press."""
    page = (SITE / CHAPTER).read_text(encoding="utf-8")
    begin = page.index("<script>window.pagePython=")
    own = page[begin : page.index("</script>", begin)]
    parts = [
        own.encode(),
        *((SITE / "_static" / f"run.{kind}").read_bytes() for kind in ("js", "css")),
    ]
    return sum(len(gzip.compress(part)) for part in parts) / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    pyodide = OUTPUT / "python" / "pyodide"
    (pyodide / "bare.html").write_text(BARE)
    bare_url, places = served(pyodide), {"http": served(SITE), "file": SITE.as_uri() + "/"}
    bare, found = [], {place: [] for place in places}
    with chromium() as browser:
        for _ in range(runs):  # by turns: what slows the machine slows all
            bare.append(measure_bare(browser, bare_url))
            for place, base in places.items():
                found[place].append(measure(browser, base))
    base = statistics.median(bare)
    print(f"before a press a page weighs {weight_before_press():.1f} kB (gzip) more")
    print(f"bare Pyodide with numpy: {base:.2f} s")
    for place, rows in found.items():
        print(f"{place}:")
        for name in rows[0]:
            value = statistics.median(row[name] for row in rows)
            told = (
                f"{value:.0f} ms"
                if name == "longest frame"
                else f"{value:.2f} s, {value / base:.2f} x bare"
            )
            print(f"  {name:14} {told}")


if __name__ == "__main__":
    main()
