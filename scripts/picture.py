"""Take the README's picture of the explorer from the built book: images/em-explorer.png."""

from PIL import Image

from book import ROOT, SITE
from browser import chromium

TARGET = ROOT / "images" / "em-explorer.png"


def main() -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        page.goto((SITE / "index.html").as_uri())
        explorer = page.locator("[data-explorer=em]")
        for _ in range(3):
            explorer.get_by_role("button", name="Step", exact=True).click()
        explorer.get_by_role("button", name="E step", exact=True).click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)
        TARGET.parent.mkdir(exist_ok=True)
        explorer.screenshot(path=str(TARGET))
    with Image.open(TARGET) as picture:
        few = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(TARGET, optimize=True)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
