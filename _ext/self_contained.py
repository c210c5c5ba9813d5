"""Take out of every page what a self-contained, light site does not need.

The theme loads FontAwesome twice, as a style with fonts and as a script of half a megabyte that
turns each icon into an SVG; the style alone does. It asks the browser to fetch the fonts before
they are needed in a way that is refused on ``file://``. Pictures have millions of colors at their
disposal and use a hundred; and pages do not say how large they are, so text moves as they come.
"""

import re
from pathlib import Path

from PIL import Image, ImageChops, ImageStat
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
UNWANTED = {
    "FontAwesome's script": r'\s*<script src="[^"]*fontawesome/[^"]*all\.min\.js[^"]*"></script>',
    "the fonts' preload": r'\s*<link rel="preload" as="font"[^>]*/>',
}
COLORS = 128
# Root mean square difference, of 255, that a picture may take from fewer colors: not to be seen.
VISIBLE = 2.0


def lighten_picture(path: Path) -> None:
    """Rewrite a PNG with a palette, where that makes it smaller and nobody sees a difference."""
    with Image.open(path) as opened:
        if opened.mode == "RGBA" and opened.getextrema()[3][0] < 255:
            return  # the transparent parts would turn black
        full = opened.convert("RGB")
    few = full.quantize(COLORS, dither=Image.Dither.NONE)
    difference = ImageStat.Stat(ImageChops.difference(full, few.convert("RGB")))
    if max(difference.rms) < VISIBLE:
        few.save(path, optimize=True)


def with_size(page: Path):
    """A function that adds its picture's size to an ``<img>`` tag of the page."""

    def add(found: re.Match) -> str:
        tag = found[0]
        source = re.search(r'src="([^"]+\.png)"', tag)
        if source is None or re.search(r"\b(width|height|style)=", tag):
            return tag
        with Image.open(page.parent / source[1]) as picture:
            width, height = picture.size
        return tag.replace("<img ", f'<img width="{width}" height="{height}" loading="lazy" ')

    return add


def clean_pages(app, exception) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for picture in out.glob("_images/*.png"):
        lighten_picture(picture)
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if "<head>" not in text:
            continue
        for what, pattern in UNWANTED.items():
            text, count = re.subn(pattern, "", text)
            if count == 0:
                LOGGER.warning(f"{page.name}: {what} was not found; has the theme changed?")
        text = re.sub(r"<img [^>]*>", with_size(page), text)
        # The entries of a bibliography have a role of their own, which a "list" may not hold.
        text = text.replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )
        # A notebook is for keeping, not for reading as text in a new tab.
        text = re.sub(r'(<a href="[^"]*_sources/[^"]*") target="_blank"', r"\1 download", text)
        page.write_text(text, encoding="utf-8")
    for script in out.glob("_static/vendor/fontawesome/*/js/*"):
        script.unlink()


def setup(app):
    app.connect("build-finished", clean_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
