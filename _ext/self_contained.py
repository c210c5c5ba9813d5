"""Take out of every page what a self-contained, light site does not need.

The theme loads FontAwesome twice, as a style with fonts and as a script of half a megabyte that
turns each icon into an SVG; the style alone does. It asks the browser to fetch the fonts before
they are needed in a way that is refused on ``file://``. Its menus keep a slow computer busy for a
second: they wait (``data-later``, see ``_static/book.js``) until the first explorer is alive, and
its smaller scripts until the page is read. Pictures have millions of colors at their disposal and
use a hundred; and pages do not say how large they are, so text moves as they come.
"""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, ImageChops, ImageStat
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
UNWANTED = {
    "FontAwesome's script": r'\s*<script src="[^"]*fontawesome/[^"]*all\.min\.js[^"]*"></script>',
    "the fonts' preload": r'\s*<link rel="preload" as="font"[^>]*/>',
}
LATER = re.compile(
    r'<script(?: defer="defer")? '
    r'src="([^"]*/(?:bootstrap|pydata-sphinx-theme)\.js[^"]*)"></script>'
)
# Small scripts that wait for the page to be read anyway, but would have it wait for them.
DEFER = re.compile(
    r'<script (src="[^"]*/(?:clipboard\.min|copybutton|sphinx-book-theme|togglebutton)\.js[^"]*">)'
)
FORMULA_END = re.compile(r'(<span class="math [^"]*">(?:(?!</?span).)*</span>[.,;:!?)’”]+)', re.S)
# Exercises, solutions and proofs have one id for all their boxes, the theme one for two fields.
REPEATED = re.compile(r'\s+id="((?:exercise|solution|proof)-content|proof|search-input)"')
FOLD = re.compile(r'<p class="(collapsed|expanded) admonition-title">([^<]*)</p>')
OUTPUT = re.compile(r'<div class="(output [^"]*)">(<div class="highlight"><pre>(.*?)</pre>)', re.S)
# The feedback on a reader's answer, a line that ends as sentences do, or one past the column.
SENTENCE = re.compile(r"Not yet: |[a-z)]\.(?: [A-Z]|$)|^.{92}", re.M)
# Names, punctuation, operators and blanks of listings look like plain text: two elements in three.
PLAIN = re.compile(r'<span class="(?:n|nn|o|p|w)">([^<]*)</span>')
COLORS = (16, 24, 32, 48, 64, 96, 128)
# Root mean square difference, of 255, that a picture may take from fewer colors: not to be seen.
VISIBLE = 2.7


def lighten_picture(path: Path) -> Path:
    """Rewrite a PNG as WebP: a drawing with as few colors as nobody misses, else a photograph.

    Returns where the picture is now.
    """
    with Image.open(path) as opened:
        if opened.mode == "RGBA" and opened.getextrema()[3][0] < 255:
            return path  # the transparent parts would turn black
        full = opened.convert("RGB")
    light = path.with_suffix(".webp")
    path.unlink()
    for colors in COLORS:
        few = full.quantize(colors, dither=Image.Dither.NONE, kmeans=2).convert("RGB")
        difference = ImageStat.Stat(ImageChops.difference(full, few))
        if max(difference.rms) < VISIBLE:
            few.save(light, lossless=True, quality=60)
            return light
    full.save(light, quality=75)
    return light


def with_size(page: Path):
    """A function that adds its picture's size to an ``<img>`` tag of the page."""

    def add(found: re.Match) -> str:
        tag = found[0]
        source = re.search(r'src="([^"]+\.(?:png|webp))"', tag)
        if source is None or re.search(r"\b(width|height|style)=", tag):
            return tag
        with Image.open(page.parent / source[1]) as picture:
            width, height = picture.size
        return tag.replace("<img ", f'<img width="{width}" height="{height}" loading="lazy" ')

    return add


def wrap_sentences(found: re.Match) -> str:
    """Mark an output that is for reading (feedback, messages): its lines wrap, tables' do not."""
    classes, rest, printed = found.groups()
    prose = SENTENCE.search(html.unescape(re.sub(r"<[^>]*>", "", printed)))
    return f'<div class="{classes}{" prose" if prose else ""}">{rest}'


def preload_first_explorer(text: str) -> str:
    """Have the browser fetch the code of the page's first explorer while it reads the page."""
    files = re.search(r'<div class="explorer-host"[^>]* data-files="([^"]*)"', text)
    static = re.search(r'<script src="([^"]*)explorer-host\.js', text)
    if files is None or static is None:
        return text
    links = "".join(
        f'<link rel="preload" as="{"style" if name.endswith(".css") else "script"}" '
        f'href="{static[1]}explorers/{name}" />\n'
        for name in files[1].split()
    )
    return text.replace("</head>", f"{links}</head>", 1)


def without_repeated_ids(text: str) -> str:
    """The page with each such id where it comes first: what links and scripts find by it."""
    seen = set()

    def keep_first(found: re.Match) -> str:
        if found[1] in seen:
            return ""
        seen.add(found[1])
        return found[0]

    return REPEATED.sub(keep_first, text)


def clean_pages(app, exception) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pictures = list(out.glob("_images/*.png"))
    with ThreadPoolExecutor() as pool:
        light = pool.map(lighten_picture, pictures)
        moved = {old.name: new.name for old, new in zip(pictures, light, strict=True) if old != new}
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if "<head>" not in text:
            continue
        for what, pattern in UNWANTED.items():
            text, count = re.subn(pattern, "", text)
            if count == 0:
                LOGGER.warning(f"{page.name}: {what} was not found; has the theme changed?")
        text, count = LATER.subn(r'<script data-later="\1"></script>', text)
        if count < 2:
            LOGGER.warning(f"{page.name}: the theme's scripts were not found; has it changed?")
        text = DEFER.sub(r"<script defer \1", text)
        text = preload_first_explorer(text)
        for old, new in moved.items():
            text = text.replace(old, new)
        text = re.sub(r"<img [^>]*>", with_size(page), text)
        text = PLAIN.sub(r"\1", text).replace("<pre><span></span>", "<pre>")
        text = OUTPUT.sub(wrap_sentences, text)
        # The full stop stays on the line of the formula before it.
        text = FORMULA_END.sub(r'<span class="stay">\1</span>', text)
        text = without_repeated_ids(text)
        text = FOLD.sub(r'<span class="\1">\2</span>', text)  # a <summary> holds no paragraph
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
