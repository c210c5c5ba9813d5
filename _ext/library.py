"""The page of the library: Sphinx's autodoc, made ready for docstrings in numpydoc's form.

Napoleon reads the sections, viewcode puts the source into the site. What is left to do here: works
are numbered from 1 in every docstring, but footnotes belong to the page, on which a number may
stand once; so numbers stay what they are for the eye, and are no footnotes.
"""

import re

AUTODOC = {
    "autodoc_typehints": "none",  # the docstrings say what is what, with shapes
    "autodoc_member_order": "bysource",
    "autosummary_generate": False,
    "default_role": "py:obj",
    "napoleon_google_docstring": False,
    "napoleon_use_param": False,
    "napoleon_use_rtype": False,
}


def plain_references(app, what, name, obj, options, lines) -> None:
    text = "\n".join(lines)
    text = re.sub(r"\[(\d+)\]_", r"[\1]", text)
    text = re.sub(r"^\.\. \[(\d+)\] (.*(?:\n +\S.*)*)", reference, text, flags=re.M)
    lines[:] = text.split("\n")


def reference(found: re.Match) -> str:
    """One work of a docstring's list, as a paragraph that begins with its number."""
    return f"[{found[1]}] " + re.sub(r"\s*\n\s*", " ", found[2]) + "\n"


def setup(app):
    for name in ("autodoc", "autosummary", "napoleon", "viewcode"):
        app.setup_extension(f"sphinx.ext.{name}")
    for name, value in AUTODOC.items():
        app.config[name] = value
    app.connect("autodoc-process-docstring", plain_references, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
