"""Take out of the theme's style sheets what no page of the book can use.

They come before anything is painted, 500 kB of them: Bootstrap, a thousand icons, and what styles
boxes that the book does not have. A rule stays when every class that its selector asks for is
written somewhere in the site: on a page, or in a script, which may set it. The font of icons keeps
those that are left.
"""

import re
from pathlib import Path

import tinycss2
from fontTools import subset
from fontTools.ttLib import TTFont

LARGE = 20_000  # bytes; smaller sheets are left as they are
HOLDING = ("media", "supports", "layer", "container")  # rules that hold rules
CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
# Inside of these a class may be unknown, and the selector holds all the same.
CHOICES = re.compile(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)")
ICON = re.compile(r"\\([ef][0-9a-f]{3})\b|([\ue000-\uf8ff])")  # written by its number, or as it is


def words_of_site(out: Path) -> set[str]:
    """All that can be a class: what pages and scripts hold, as words."""
    found = set()
    for path in [*out.rglob("*.html"), *out.glob("_static/**/*.js")]:
        if "_static/python/" not in path.as_posix() or path.name == "page.js":
            found.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    return found


def can_hold(selector: str, words: set[str]) -> bool:
    if "\\" in selector:
        return True
    return all(name in words for name in CLASS.findall(CHOICES.sub("", selector)))


def selectors(prelude: list) -> list[str]:
    """The selectors of a rule, which commas part, but not those within brackets."""
    parts = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [tinycss2.serialize(part).strip() for part in parts]


def reduced(rules: list, words: set[str]) -> str:
    """The rules that can hold, as CSS."""
    kept = []
    for rule in rules:
        if rule.type == "qualified-rule":
            left = [each for each in selectors(rule.prelude) if can_hold(each, words)]
            if left:
                kept.append(f"{','.join(left)}{{{tinycss2.serialize(rule.content).strip()}}}")
        elif rule.type == "at-rule" and rule.lower_at_keyword in HOLDING and rule.content:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if text := reduced(inner, words):
                head = tinycss2.serialize(rule.prelude).strip()
                kept.append(f"@{rule.at_keyword} {head}{{{text}}}")
        elif rule.type == "at-rule":
            kept.append(rule.serialize())
        else:
            told = getattr(rule, "message", rule.type)
            raise ValueError(f"expected a rule of CSS in line {rule.source_line}: {told}")
    return "\n".join(kept)


def license_of(sheet: str) -> str:
    """The comment that a sheet begins with, as a license may ask."""
    found = re.match(r"(?:@charset [^;]+;)?\s*(/\*.*?\*/)", sheet, re.S)
    return f"{found[1]}\n" if found else ""


def reduce_icons(font: Path, icons: set[int]) -> None:
    """Rewrite a font with these characters alone."""
    with TTFont(font, recalcTimestamp=False) as whole:
        reducer = subset.Subsetter(subset.Options(hinting=False, name_IDs=["*"]))
        reducer.populate(unicodes=icons)
        reducer.subset(whole)
        whole.flavor = "woff2"
        whole.save(font.with_suffix(".fresh"))
    font.with_suffix(".fresh").replace(font)


def is_own(path: Path) -> bool:
    """Whether a sheet is the book's: it has no rule too many, and scripts compose its classes."""
    return path.parent.name == "explorers" or path.name.startswith("formulas-")


def reduce_styles(app, exception) -> None:
    if exception is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    words = words_of_site(out)
    for path in out.glob("_static/**/*.css"):
        sheet = path.read_text(encoding="utf-8")
        if len(sheet) < LARGE or is_own(path):
            continue
        rules = tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True)
        path.unlink()  # a cache may share its file
        path.write_text(license_of(sheet) + reduced(rules, words), encoding="utf-8")
    sheets = (path.read_text(encoding="utf-8") for path in out.glob("_static/**/*.css"))
    found = [each for sheet in sheets for each in ICON.findall(sheet)]
    icons = {int(code, 16) if code else ord(sign) for code, sign in found}
    for font in out.glob("_static/vendor/fontawesome/*/webfonts/fa-*.woff2"):
        reduce_icons(font, icons)


def setup(app):
    app.connect("build-finished", reduce_styles, priority=950)  # when all pages are written
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
