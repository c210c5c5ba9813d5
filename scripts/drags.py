"""Print how long each explorer takes to answer a drag, with the largest data it offers.

    python scripts/drags.py [--slow-down 1] [kind ...]

Each explorer stands alone in a page of a real browser. The mouse takes its first handles, one after
another, and moves them (its sliders, where it has no handles); a move's time runs from the event to
the end of the frame that shows it: scripts, layout and painting. A frame of a 60 Hz display is
16.7 ms.
"""

import argparse
import statistics
import sys

import numpy as np

from book import ROOT
from browser import chromium

sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from explorer_page import ORIGIN, page_text  # noqa: E402

from gmm_lib import datasets, kmeans_plus_plus  # noqa: E402
from gmm_lib.widgets import EXPLORERS, explorer_class  # noqa: E402

MOVES, HANDLES = 40, 3
WATCH = """
window.times = [];
const { port1, port2 } = new MessageChannel();
let began = null;
port1.onmessage = () => { times.push(performance.now() - began); began = null; };
addEventListener("pointermove", () => {
  if (began !== null) return;
  began = performance.now();
  requestAnimationFrame(() => port2.postMessage(0));
}, { capture: true });
"""


PLANE = datasets.three_clusters(1000, np.random.default_rng(0)).X
# What to give an explorer for its largest data (to EM, the largest that the design promises); those
# not named have one size.
LARGEST = {
    "em": {"data": PLANE, "start": kmeans_plus_plus(PLANE, 5, rng=np.random.default_rng(0))},
    "bound": {"data": "old-faithful"},
    "likelihood": {"data": "thousand-points"},
    "soft-hard": {"data": "overlapping", "variance": 2.0},
    "break-it": {"scenario": "many", "prediction": "five-groups", "iteration": 50},
    "shards": {"machines": 8},
    "clinic": {"case": 6, "step": 79},
}


def measure(browser, kind: str, slow_down: float) -> list[float]:
    """Times (ms) of all moves."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    text = page_text(explorer_class(kind)(**LARGEST.get(kind, {})))
    page.route(
        "**/*", lambda route: route.fulfill(body=text, content_type="text/html; charset=utf-8")
    )
    page.goto(ORIGIN)
    page.wait_for_function("window.alive")
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slow_down})
    page.evaluate(WATCH)
    handles = page.locator(".gmm-handle:visible")
    if handles.count() == 0:
        handles = page.locator("input[type=range]:visible")
    for number in range(min(HANDLES, handles.count())):
        box = handles.nth(number).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for move in range(MOVES):
            page.mouse.move(x + 30 * np.sin(move / 4), y + 12 * np.sin(move / 3))
        page.mouse.up()
    times = page.evaluate("times")
    page.close()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--slow-down", type=float, default=1, help="factor on the processor's time")
    parser.add_argument("kinds", nargs="*", help="explorers; all if none")
    arguments = parser.parse_args()
    print(f"ms from a move to its picture, {arguments.slow_down:g}x slow-down of the processor")
    print(f"{'explorer':14}{'moves':>8}{'median':>9}{'95%':>9}{'worst':>9}")
    with chromium() as browser:
        for kind in arguments.kinds or EXPLORERS:
            times = sorted(measure(browser, kind, arguments.slow_down))
            high = times[int(0.95 * (len(times) - 1))]
            print(
                f"{kind:14}{len(times):8}{statistics.median(times):9.1f}{high:9.1f}{times[-1]:9.1f}"
            )


if __name__ == "__main__":
    main()
