"""Pack the book for a room without a network: _build/paper/gaussian-mixtures-and-em.zip.

    python scripts/pack.py

One folder: the site with its notebooks and slides, the PDF, the sheets. Unpacked it opens by a
double click on ``index.html``, and can be put on any web server. The machine of Python in the page
lies there twice: a page opened from a folder can load scripts only, a page from a server asks for
the files they are made of. What each part weighs is printed.
"""

import os
import sys
import zipfile

from book import ROOT, SITE
from pdf import PAPER
from pdf import TARGET as PDF
from sheets import TARGET as SHEETS

NAME = "gaussian-mixtures-and-em"
TARGET = PAPER / f"{NAME}.zip"


def kind_of(name: str) -> str:
    """What a reader would call a file, by its place in the folder."""
    if name.startswith("_static/python/"):
        return "Python in the page, " + ("server" if name.endswith(".bin") else "folder")
    if name.startswith("_sources/"):
        return "notebooks"
    if name.startswith(("slides/", "_static/reveal/")):
        return "slides"
    return {PDF.name: "PDF", SHEETS.name: "sheets"}.get(name, "site")


def main() -> None:
    missing = [path for path in (SITE / "index.html", PDF, SHEETS) if not path.exists()]
    if missing:
        names = ", ".join(str(path.relative_to(ROOT)) for path in missing)
        sys.exit(f"Expected the site, the PDF and the sheets, missing: {names}. Run: make zip")
    site = {path.relative_to(SITE).as_posix(): path for path in SITE.rglob("*") if path.is_file()}
    del site[".fingerprint"]
    files = site | {PDF.name: PDF, SHEETS.name: SHEETS}
    fresh = TARGET.with_suffix(".fresh")
    sizes = {}
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
        for name in sorted(files):
            packed.write(files[name], f"{NAME}/{name}")
            info = packed.getinfo(f"{NAME}/{name}")
            plain, small = sizes.get(kind_of(name), (0, 0))
            sizes[kind_of(name)] = plain + info.file_size, small + info.compress_size
    os.replace(fresh, TARGET)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size / 1e6:.1f} MB")
    for kind, (plain, small) in sorted(sizes.items()):
        print(f"  {kind:28}{plain / 1e6:8.1f} MB, packed {small / 1e6:6.1f} MB")


if __name__ == "__main__":
    main()
