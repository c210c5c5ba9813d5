"""Measure the room that each live explorer of the built book takes, into _ext/rooms.json.

The pages reserve it (see _ext/explorers.py), so that nothing moves when the explorer takes the
place of its picture. Run it after a change to how explorers look; a test of the site tells when to.
"""

import json

from book import ROOT, SITE, page_names, served
from browser import chromium

WIDTHS = range(264, 1105, 8)  # from a phone's column to the page for the projector
MEASURE = """
async (width) => {
  const hosts = [...document.querySelectorAll(".explorer-host")];
  for (const host of hosts) {
    host.style.width = `${width}px`;
    host.querySelector(".explorer-room").style.minHeight = "0";
  }
  for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  const height = (host) => host.querySelector(".explorer-live").offsetHeight;
  return hosts.map((host) => [host.dataset.room, height(host)]);
}
"""


def steps(heights: dict[int, int]) -> list[tuple[int, int]]:
    """From heights at widths to [least width, height from there on], tall enough in between."""
    found = []
    widths = sorted(heights)
    for width, following in zip(widths, widths[1:] + widths[-1:], strict=True):
        height = max(heights[width], heights[following])
        if not found or found[-1][1] != height:
            found.append((width, height))
    return found


def main() -> None:
    address, rooms = served(SITE), {}
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        for name in page_names():
            if "explorer-host" not in (SITE / f"{name}.html").read_text(encoding="utf-8"):
                continue
            page.goto(f"{address}{name}.html")
            page.wait_for_function("!document.querySelector('.explorer-host:not([data-alive])')")
            for width in WIDTHS:
                for room, height in page.evaluate(MEASURE, width):
                    rooms.setdefault(room, {})[width] = height
            print(name, flush=True)
    lines = [f"  {json.dumps(room)}: {json.dumps(steps(rooms[room]))}" for room in sorted(rooms)]
    (ROOT / "_ext" / "rooms.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
