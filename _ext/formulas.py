"""Formulas, set when the book is built.

TeX becomes MathML, which browsers draw by themselves (Chromium since 109, Firefox, Safari) and
screen readers read; the TeX stays beside it, for those who copy (``_static/formulas.js``). So no
page waits for a script, and nothing moves when one has come. A formula that cannot be set is a
warning, so it fails the build.

Browsers leave the look to a font with a table of mathematics, which few systems have. The site
brings one: STIX Two Math, of which it keeps the characters that the book uses, and the parts that
large ones are made of. It stands inside a style sheet, because from ``file://`` not every browser
loads the file of a font.
"""

import base64
import hashlib
import html
import io
import logging as plain_logging
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from markdown_it import MarkdownIt
from math_core import LatexError, LatexToMathML
from mdit_py_plugins.dollarmath import dollarmath_plugin
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

LOGGER = logging.getLogger(__name__)
CONVERTER = LatexToMathML(annotation=True, fancy_error=False)
WHOLE = re.compile(r"\s*\\begin\{(\w+)\}(?:(?!\\begin\{\1\}).)*\\end\{\1\}\s*", re.S)
MATH = re.compile(r"<math.*?</math>", re.S)
TEX = re.compile(r"<annotation.*?</annotation>", re.S)
# They are never drawn: blanks, and signs that only say how two things belong together.
INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2061-\u2064\ufe00-\ufe0f]")
FEATURES = ["ssty", "dtls", "flac", "kern", "mark", "mkmk", "ccmp"]
LICENSE = (
    "/* STIX Two Math, (c) 2001-2020 The STIX Fonts Project Authors "
    "(https://github.com/stipub/stixfonts), SIL Open Font License 1.1: the part this book uses. */"
)


def to_mathml(tex: str, display: bool = False) -> str:
    """A formula as a ``<math>`` element.

    Lines that end in ``\\\\`` are aligned at their ``&``, as Sphinx has it, with or without an
    environment around them.

    Raises
    ------
    LatexError
        If the formula cannot be read, or has a command that is not known.
    """
    if display and r"\\" in tex and not WHOLE.fullmatch(tex):
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    return CONVERTER.convert_with_local_state(tex.strip(), displaystyle=display)


def markdown(text: str) -> str:
    """HTML of Markdown with tables, its formulas set, for what is no page of the book.

    Raises
    ------
    LatexError
        If a formula cannot be set.
    """

    def formula(tex: str, options: dict) -> str:
        return f'<span class="math">{to_mathml(tex, options["display_mode"])}</span>'

    reader = MarkdownIt("commonmark").enable("table")
    return reader.use(dollarmath_plugin, renderer=formula).render(text)


def set_formula(translator, node: nodes.Node, display: bool) -> str:
    """The formula of a node; one that cannot be set is told, and stands as it was written."""
    try:
        return to_mathml(node.astext(), display)
    except LatexError as error:
        page = translator.builder.current_docname
        LOGGER.warning(
            f"{page}: the formula {node.astext()!r} cannot be set: {error}", location=node
        )
        return html.escape(node.astext())


def visit_math(self, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(f"{set_formula(self, node, display=False)}</span>")
    raise nodes.SkipNode


def visit_displaymath(self, node: nodes.math_block) -> None:
    if node["nowrap"]:
        LOGGER.warning(
            f"{self.builder.current_docname}: expected a formula between $$ and $$, its lines in "
            f"\\begin{{aligned}}, got the environment {node.astext()[:40]!r}",
            location=node,
        )
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(f'<div class="formula">{set_formula(self, node, display=True)}</div></div>\n')
    raise nodes.SkipNode


def drawn(letter: str) -> str:
    """What a browser draws for an ``<mi>`` of one letter: its italic twin, where it has one."""
    for first, italic in (("A", 0x1D434), ("a", 0x1D44E), ("Α", 0x1D6E2), ("α", 0x1D6FC)):
        place = ord(letter) - ord(first)
        if 0 <= place < (26 if first in "Aa" else 25):
            return "ℎ" if letter == "h" else chr(italic + place)
    return dict(zip("ϴ∇∂ϵϑϰϕϱϖ", "𝛳𝛁𝜕𝜖𝜗𝜘𝜙𝜚𝜛", strict=True)).get(letter, letter)


def characters(mathml: str) -> set[str]:
    """The characters that these formulas are drawn with."""
    shown = TEX.sub("", mathml)
    letters = {drawn(html.unescape(each)) for each in re.findall(r"<mi>(.|&\w+;)</mi>", shown)}
    text = html.unescape(re.sub(r"<[^>]*>", "", shown))
    roots = {"√"} if re.search("<(msqrt|mroot)", shown) else set()  # no one writes the sign
    return letters | roots | set(INVISIBLE.sub("", text))


@cache
def whole_font() -> bytes:
    carrier = find_spec("ziamath")  # it draws formulas itself; here only what it draws with is used
    return (Path(carrier.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf").read_bytes()


def missing(used: set[str]) -> set[str]:
    """The characters that the font does not have."""
    with TTFont(io.BytesIO(whole_font())) as font:
        return {each for each in used if ord(each) not in font.getBestCmap()}


def font_for(used: set[str]) -> bytes:
    """The font with these characters alone, as WOFF2."""
    plain_logging.getLogger("fontTools").setLevel(plain_logging.WARNING)
    options = subset.Options(layout_features=FEATURES, hinting=False, name_IDs=["*"])
    font = TTFont(io.BytesIO(whole_font()), recalcTimestamp=False)
    reducer = subset.Subsetter(options)
    reducer.populate(unicodes=[ord(each) for each in used])
    reducer.subset(font)
    # In TeX an index of a single letter stands at one height, also beside one with a descender, and
    # an exponent beside a bracket; browsers measure what they stand at. These say: not by much.
    constants = font["MATH"].table.MathConstants
    constants.SubscriptBaselineDropMin.Value = 0
    constants.SuperscriptBaselineDropMax.Value = 400
    font.flavor = "woff2"
    target = io.BytesIO()
    font.save(target)
    return target.getvalue()


def style_for(used: set[str]) -> str:
    """The style sheet of formulas, with the font in it."""
    data = base64.b64encode(font_for(used)).decode()
    source = f'url("data:font/woff2;base64,{data}") format("woff2")'
    return (
        f'{LICENSE}\n@font-face {{ font-family: "Book Math"; src: {source}; }}\n'
        # Small letters are as tall as those of the text around.
        'math { font: normal 1.12em/normal "Book Math", math; }\n'
    )


def add_font(app, exception) -> None:
    """Give the pages that have formulas their font."""
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    pages = {path: path.read_text(encoding="utf-8") for path in out.rglob("*.html")}
    formulas = {path: "".join(MATH.findall(text)) for path, text in pages.items()}
    used = characters("".join(formulas.values()))
    for each in sorted(missing(used)):
        where = [path.stem for path, text in formulas.items() if each in characters(text)]
        LOGGER.warning(f"the font of formulas has no {each!r}, in {', '.join(where)}")
    style = style_for(used - missing(used))
    name = f"formulas-{hashlib.sha256(style.encode()).hexdigest()[:12]}.css"
    (out / "_static" / name).write_text(style, encoding="utf-8")
    for path, text in pages.items():
        if formulas[path]:
            address = "../" * (len(path.relative_to(out).parts) - 1) + f"_static/{name}"
            link = f'<link rel="stylesheet" href="{address}" />\n</head>'
            path.write_text(text.replace("</head>", link, 1), encoding="utf-8")


def setup(app):
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    app.connect("build-finished", add_font, priority=900)  # slides are pages, too
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
