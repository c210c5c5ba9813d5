"""Pack the book for a room without a network: _build/paper/gaussian-mixtures-and-em.zip.

    python scripts/pack.py

One folder: the site with its notebooks and slides, the PDF, the sheets. Unpacked it opens by a
double click on ``index.html``, and can be put on any web server. The machine of Python in the page
lies in the site twice: a page opened from a folder can load scripts only, a page from a server
fetches the files they are made of, which are smaller. Here the scripts alone are packed, and serve
both: half the room, and on a server in the room the same speed. What each part weighs is printed.
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
MACHINE = "_static/python/"
# Stands before the script that loads the machine: as if the page were opened from a folder.
SCRIPTS_ONLY = "window.pagePython.file = true;\n"


def kind_of(name: str) -> str:
    """What a reader would call a file, by its place in the folder."""
    if name.startswith(MACHINE):
        return "Python in the page"
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
    site = {n: p for n, p in site.items() if not (n.startswith(MACHINE) and n.endswith(".bin"))}
    files = site | {PDF.name: PDF, SHEETS.name: SHEETS}
    fresh = TARGET.with_suffix(".fresh")
    sizes = {}
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
        for name in sorted(files):
            if name.startswith(MACHINE) and name.endswith("/page.js"):
                text = SCRIPTS_ONLY + files[name].read_text(encoding="utf-8")
                packed.writestr(f"{NAME}/{name}", text)
            else:
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
