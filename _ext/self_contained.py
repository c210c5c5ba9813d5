"""Take out of every page what the theme puts there and a self-contained site cannot use.

The theme loads FontAwesome twice, as a style with fonts and as a script of half a megabyte that
turns each icon into an SVG; the style alone does. It asks the browser to fetch the fonts before
they are needed in a way that is refused on ``file://``.
"""

import re
from pathlib import Path

from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
UNWANTED = {
    "FontAwesome's script": r'\s*<script src="[^"]*fontawesome/[^"]*all\.min\.js[^"]*"></script>',
    "the fonts' preload": r'\s*<link rel="preload" as="font"[^>]*/>',
}


def clean_pages(app, exception) -> None:
    if exception is not None or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if "<head>" not in text:
            continue
        for what, pattern in UNWANTED.items():
            text, count = re.subn(pattern, "", text)
            if count == 0:
                LOGGER.warning(f"{page.name}: {what} was not found; has the theme changed?")
        page.write_text(text, encoding="utf-8")
    for script in Path(app.outdir).glob("_static/vendor/fontawesome/*/js/*"):
        script.unlink()


def setup(app):
    app.connect("build-finished", clean_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
