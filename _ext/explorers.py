"""Explorers on static pages.

myst-nb leaves each widget as a ``widget-view`` script plus one JSON script with the state of every
widget of the page, and expects a kernel or a CDN to make something of them. Here, at the moment a
page has been read, each view of one of our explorers becomes a host element that holds

- the still picture that the explorer put beside its view (``image/png``), its alt text being the
  explorer's description of its state (``text/plain``): it is what readers see before scripts run;
- the explorer's state, as JSON.

``_static/explorer-host.js`` swaps the live explorer in. Code and style go to files below
``_static/explorers`` that are named after their content, so a browser fetches what explorers share
once.

A widget that is not one of our explorers cannot live without a kernel: it fails the build, unless
its cell carries the tag ``live-only``; then the page shows the still picture, if there is one, and
a note that the cell runs in the notebook.
"""

import hashlib
import html
import json
import re
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import WIDGET_VIEW_MIMETYPE
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)
LIVE_ONLY = "live-only"
ROOMS = Path(__file__).with_name("rooms.json")
WORDS = Path(__file__).resolve().parents[1] / "gmm_lib" / "widgets" / "words.en.json"


def site_words(part: str = "site") -> dict[str, str]:
    """The sentences of the site around explorers, or another part of the one table of words."""
    return json.loads(WORDS.read_text(encoding="utf-8"))[part]


def is_explorer(model: dict) -> bool:
    """Whether a saved widget model is one of the book's explorers (a module and a kind)."""
    state = model.get("state", {})
    return model.get("model_module") == "anywidget" and "_esm" in state and "kind" in state


def module_files(state: dict) -> dict[str, str]:
    """Names and texts of the files with the code and the style of an explorer with this state.

    One file for each module that was joined into the explorer's (see ``bundle`` in
    ``gmm_lib/widgets/base.py``), named after it and its content: explorers share most of them.
    """
    files = {}
    for text in re.split(r"^(?=// [\w-]+\.js$)", state["_esm"], flags=re.M):
        if not text.strip():
            continue
        named = re.match(r"// ([\w-]+)\.js$", text, re.M)
        name = f"{named[1] if named else state['kind']}-{digest(text)}.js"
        # As text, because an ES module cannot be loaded by its path from file://.
        source = json.dumps(text, ensure_ascii=False)
        files[name] = f"explorerHost.register({json.dumps(name)}, {source});\n"
    if style := state.get("_css"):
        files[f"style-{digest(style)}.css"] = style
    return files


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def room_name(traits: dict) -> str:
    """What names the room of an explorer that starts in this state: the words do not count."""
    text = json.dumps({k: v for k, v in traits.items() if k not in ("words", "datasets")})
    return f"{traits['kind']}-{digest(text)[:8]}"


def room_style(name: str) -> str:
    """The style that reserves the height of the live explorer at every width of the column.

    ``rooms.json`` holds, as ``make sizes`` measured them, the least widths and the heights from
    there on. A state that was not measured takes the room of another one of its kind.
    """
    rooms = json.loads(ROOMS.read_text(encoding="utf-8"))
    kind = name.rpartition("-")[0]
    steps = rooms.get(name) or next((rooms[each] for each in rooms if each.startswith(kind)), [])
    return "".join(
        f"@container explorer (min-width:{width}px){{.room-{name}{{min-height:{height}px}}}}"
        for width, height in steps
    )


def host_markup(state: dict, model: str, static: Path) -> tuple[str, str]:
    """The opening and closing HTML around an explorer's still picture.

    Writes the explorer's code below ``static`` when it is not there yet.
    """
    files = module_files(state)
    (static / "explorers").mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (static / "explorers" / name).write_text(text, encoding="utf-8")
    # The rest belongs to the widget protocol, not to the explorer.
    traits = {
        key: value
        for key, value in state.items()
        if not key.startswith("_") and key not in ("layout", "tabbable", "tooltip")
    }
    room = room_name(traits)
    attributes = {
        "class": "explorer-host",
        "data-kind": state["kind"],
        "data-files": " ".join(files),
        "data-model": model,
        "data-room": room,
        "data-failed": site_words()["failed"],
        "data-broke": site_words()["broke"],
    }
    opening = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
    # Nothing in the text can end the script it stands in.
    saved = json.dumps(traits, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    style = room_style(room)
    return (
        f'<div {opening}><style>{style}</style><div class="explorer-room room-{room}">'
        '<div class="explorer-still">',
        "</div></div>"
        f'<script type="application/json" class="explorer-state">{saved}</script>'
        "<script>window.explorerHost?.start(document.currentScript.parentElement)</script></div>",
    )


def saved_models(app, docname: str) -> dict[str, dict]:
    """Take the widget models that myst-nb would write into the page, with its loader scripts."""
    scripts = NbMetadataCollector.get_js_files(app.env, docname)
    saved = scripts.pop("ipywidgets_state", None)
    for key in [key for key in scripts if key.startswith("ipywidgets_")]:
        del scripts[key]
    if saved is None:
        return {}
    return json.loads(saved[1]["body"].replace(r"<\/script>", "</script>"))["state"]


def raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def cell_of(node: nodes.Node) -> nodes.Element:
    """The code cell that an output belongs to."""
    while node.get("nb_element") != "cell_code":
        node = node.parent
    return node


def tell_live_only(outputs: nodes.Element) -> None:
    """Say below the outputs of a cell, once, that it answers in the notebook."""
    if not any("live-only" in child.get("classes", []) for child in outputs.children):
        note = raw(f'<p class="live-only">{html.escape(site_words()["live-only"])}</p>')
        outputs += nodes.container("", note, classes=["live-only"])


def host_widgets(app, doctree: nodes.document) -> None:
    """Replace every widget view of a page by the explorer's host, or tell why that cannot be."""
    docname = app.env.docname
    models = saved_models(app, docname)
    if app.builder.format != "html":
        return  # print and PDF take the still picture
    numbers = {}  # of the models on the page: their own ids are drawn anew in each run
    for bundle in list(doctree.findall(nodes.container)):
        if bundle.get("nb_element") != "mime_bundle":
            continue
        kinds = {child["mime_type"]: child for child in bundle.children}
        view = kinds.get(WIDGET_VIEW_MIMETYPE)
        if view is None:
            continue
        cell = cell_of(bundle)
        where = f"{docname}, cell {cell['cell_index'] + 1}"
        saved = next(view.findall(nodes.raw)).astext()
        model_id = json.loads(saved[saved.index("{") : saved.rindex("}") + 1])["model_id"]
        model = models.get(model_id, {})
        still = next(iter(bundle.findall(nodes.image)), None)
        if still is not None:
            still["alt"] = kinds["text/plain"].astext()
        if LIVE_ONLY in cell["cell_metadata"].get("tags", []):
            view.children = [] if still is None else [still.deepcopy()]
            tell_live_only(bundle.parent)
        elif not is_explorer(model):
            LOGGER.warning(
                f"{where}: the widget {model.get('model_name', 'without saved state')} cannot live "
                f"on a static page. Show an explorer, or give the cell the tag {LIVE_ONLY!r}",
                location=docname,
            )
        elif still is None or model.get("buffers"):
            LOGGER.warning(
                f"{where}: the explorer {model['state']['kind']!r} needs a still picture "
                "(image/png) and traits without binary buffers",
                location=docname,
            )
        else:
            number = numbers.setdefault(model_id, str(len(numbers)))
            opening, closing = host_markup(model["state"], number, Path(app.outdir) / "_static")
            view.children = []
            view["explorer"] = model["state"]["kind"]  # for tasks.py
            view += [raw(opening), still.deepcopy(), raw(closing)]


def demand_alt_text(app, doctree: nodes.document, docname: str) -> None:
    """Every picture says in words what it shows."""
    for image in doctree.findall(nodes.image):
        if image.get("alt", "").strip():
            continue
        LOGGER.warning(
            f"{docname}: the image {image['uri']} has no alt text. In a code cell, set the cell "
            'metadata {"mystnb": {"image": {"alt": "…"}}}; in Markdown, write ![…](…)',
            location=image,
        )


def setup(app):
    app.connect("doctree-read", host_widgets)
    app.connect("doctree-resolved", demand_alt_text)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
