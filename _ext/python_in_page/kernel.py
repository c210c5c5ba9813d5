"""The kernel of Python in the page: runs one cell at a time and says what came of it.

It lives in Pyodide, in a worker of the browser, and is part of the memory that the page starts
from. What a notebook's kernel does over sockets it does by one function, `post`, that takes a
message as JSON: printed text, what a display shows, an error in a reader's terms.

Of IPython the book needs `display`, `Markdown` and the printing of values, and ipywidgets a few
names; they are provided here and in the one module of the real package, `IPython.lib.pretty`.
"""

import ast
import base64
import gc
import importlib.metadata
import importlib.util
import io
import json
import linecache
import re
import sys
import traceback
import types
import warnings

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

import __main__
from python_in_page.needed import names_of

# Bytes of text that one cell may print: a loop without end fills the page, not the memory.
MOST_TEXT = 200_000
# What a person sees of a figure is twice as fine as its nominal size, as on sharp screens.
FINE = 2


def send(message):
    """Replaced by `connect`."""


def connect(post):
    """Have messages go to `post`, a function of one JSON text; called once Python has started."""
    globals()["send"] = lambda message: post(json.dumps(message))
    seed_anew()
    # It asks Pyodide for its libraries in a way that is going out of use.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="threadpoolctl")


def seed_anew():
    """Draw new seeds for generators without one: the memory Python starts from is everyone's."""
    import random

    import numpy as np

    random.seed()
    np.random.seed()  # noqa: NPY002 - the legacy generator is the one that was seeded at import


# ---------------------------------------------------------------------------------- what cells show


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr: sends text on, up to a limit a cell."""

    def __init__(self, name):
        self.name = name
        self.sent = 0
        self.waiting = []

    def writable(self):
        return True

    def write(self, text):
        if self.sent <= MOST_TEXT:
            self.waiting.append(text)
            self.sent += len(text)
            if self.sent > MOST_TEXT:
                self.waiting.append("\n…\n")
            if sum(map(len, self.waiting)) > 2000:
                self.flush()
        return len(text)

    def flush(self):
        if self.waiting:
            send({"kind": "stream", "name": self.name, "text": "".join(self.waiting)})
            self.waiting.clear()


class Cell:
    """The cell that runs: whether anybody looks at its output."""

    shown = True


def show(data):
    """Send one output: a dictionary from MIME types to text, the richest first."""
    if Cell.shown:
        sys.stdout.flush()
        sys.stderr.flush()
        send({"kind": "display", "data": data})


class Markdown:
    """Text that is shown as Markdown."""

    def __init__(self, data):
        self.data = data

    def _repr_markdown_(self):
        return self.data


class HTML:
    """Text that is shown as HTML."""

    def __init__(self, data):
        self.data = data

    def _repr_html_(self):
        return self.data


def html_of_markdown(text):
    """Return HTML of Markdown with tables and dollar mathematics, which the page then sets."""

    def formula(content, options):
        left, right = ("\\[", "\\]") if options["display_mode"] else ("\\(", "\\)")
        escaped = content.replace("&", "&amp;").replace("<", "&lt;")
        return f'<span class="math notranslate nohighlight">{left}{escaped}{right}</span>'

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return parser.use(dollarmath_plugin, renderer=formula).render(text)


def display(*values, **_):
    """Show values as a notebook does."""
    for value in values:
        if not Cell.shown:
            continue
        if is_widget(value):
            show_widget(value)
        elif type(value).__module__.startswith("matplotlib.figure"):
            show_figure(value)
        elif (own := getattr(value, "_ipython_display_", None)) and not isinstance(value, type):
            own()
        else:
            show(bundle_of(value))


def bundle_of(value):
    """Return what shows a value, by MIME type; empty if it asks for nothing to be shown."""
    if isinstance(value, type):
        return {"text/plain": pretty(value)}
    if whole := getattr(value, "_repr_mimebundle_", None):
        data = whole()
        return data[0] if isinstance(data, tuple) else data
    for name, mime in (("html", "text/html"), ("markdown", "text/markdown")):
        if method := getattr(value, f"_repr_{name}_", None):
            text = method()
            if text is not None:
                return {"text/html": text if mime == "text/html" else html_of_markdown(text)}
    return {"text/plain": pretty(value)}


def clear_output(*_, **__):
    """Take away what the cell has shown."""
    send({"kind": "clear"})


def pretty(value):
    """Return the text that a notebook shows of a value."""
    from IPython.lib.pretty import pretty as ipython_pretty

    return ipython_pretty(value)


# ------------------------------------------------------------------------------------------ figures


def show_figure(figure):
    """Send a figure as the notebook draws it."""
    data = io.BytesIO()
    dpi = figure.dpi
    figure.savefig(data, format="png", bbox_inches="tight", dpi=FINE * dpi)
    show({"image/png": base64.b64encode(data.getvalue()).decode(), "scale": FINE})


def show_figures(*_, **__):
    """Send all open figures and close them: plt.show() of the page."""
    from matplotlib import pyplot as plt

    for number in plt.get_fignums():
        if Cell.shown:
            show_figure(plt.figure(number))
    plt.close("all")


# ---------------------------------------------------------------------------------------- explorers


WIDGETS = {}  # model id -> widget, of those that the page shows


class PageComm:
    """What ipywidgets speaks through: to the page, for the explorers that are shown there."""

    def __init__(self, target_name="", data=None, metadata=None, buffers=None, comm_id=None, **_):
        self.comm_id = comm_id or f"page-{id(self)}"

    def send(self, data=None, metadata=None, buffers=None):
        if self.comm_id in WIDGETS and data.get("method") in ("update", "echo_update"):
            send({"kind": "traits", "model": self.comm_id, "state": plain(data["state"])})

    def open(self, *_, **__):
        """Do nothing: the page is always there."""

    close = on_msg = on_close = open


def plain(state):
    """Return traits without those of the widget protocol."""
    protocol = ("layout", "tabbable", "tooltip")
    return {k: v for k, v in state.items() if not k.startswith("_") and k not in protocol}


def is_widget(value):
    """Whether a value is an ipywidget, without importing ipywidgets."""
    return "ipywidgets" in sys.modules and isinstance(value, sys.modules["ipywidgets"].Widget)


def show_widget(widget):
    """Send an explorer's module and state; any other widget cannot live here."""
    if not hasattr(widget, "_esm") or not hasattr(widget, "kind"):
        show({"note": "live-only"})
        return
    WIDGETS[widget.model_id] = widget
    state = plain(widget.get_state())
    own = {"model": widget.model_id, "esm": widget._esm, "css": widget._css, "state": state}
    show({"explorer": own})


def set_traits(model, state):
    """Take over what a reader did to an explorer in the page; return null or how it failed.

    As JSON. It can fail: the reader's own functions may observe the explorer.
    """
    failure = None
    try:
        if model in WIDGETS:
            WIDGETS[model].set_state(json.loads(state))
    except BaseException as error:
        failure = explain(error)
    return json.dumps(failure)


# -------------------------------------------------------------------------------------- the modules


def install_modules():
    """Put the few names of IPython that the book and ipywidgets use where they are looked for."""

    def module(name, **names):
        made = sys.modules[name] = types.ModuleType(name)
        vars(made).update(names)
        return made

    ipython = sys.modules.get("IPython")
    if ipython is None:
        spec = importlib.util.find_spec("IPython")
        ipython = module("IPython", __path__=list(spec.submodule_search_locations))
    ipython.get_ipython = lambda: None
    ipython.version_info = (9, 0)
    shown = {"display": display, "clear_output": clear_output, "Markdown": Markdown, "HTML": HTML}
    ipython.display = module("IPython.display", **shown)
    shell = type("InteractiveShell", (), {"initialized": lambda: False})
    interactiveshell = module("IPython.core.interactiveshell", InteractiveShell=shell)
    ipython.core = module("IPython.core", interactiveshell=interactiveshell)
    # Which IPython the book is built with decides whether its pretty.py asks for these.
    module("IPython.utils")
    module("IPython.utils.decorators", undoc=lambda function: function)
    module("IPython.utils.py3compat", PYPY=False)
    import comm
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    module("page_figures", FigureCanvas=FigureCanvasAgg, show=show_figures)

    comm.create_comm = PageComm


def settle():
    """Leave nothing open or half done in the memory that pages start from.

    Returns
    -------
    str
        The names of the modules it holds, as JSON: their sources need not be shipped.
    """
    import matplotlib.font_manager
    import matplotlib.mathtext
    from matplotlib import pyplot as plt

    plt.close("all")
    # Fonts are open files, and files are not part of the memory.
    matplotlib.mathtext.MathTextParser._parse_cached.cache_clear()
    matplotlib.font_manager._get_font.cache_clear()
    importlib.metadata.MetadataPathFinder.invalidate_caches()
    for name in [name for name in vars(__main__) if not name.startswith("__")]:
        del vars(__main__)[name]
    linecache.clearcache()
    gc.collect()
    write_zeros()
    return json.dumps(sorted(sys.modules))


def write_zeros():
    """Fill memory that was used and freed with zeros, which compress to nothing."""
    size = 1 << 20
    while size >= 512:
        blocks = [bytearray(size) for _ in range(5_000_000 // size)]
        del blocks
        size //= 2


# --------------------------------------------------------------------------------------- run a cell


def run(cell, source, shown):
    """Run a cell in the page's namespace, and send what it shows.

    Parameters
    ----------
    cell : str
    source : str
    shown : bool
        Whether its output is wanted; not when it only runs because a cell below needs it.

    Returns
    -------
    str
        JSON: null, or how it failed.
    """
    Cell.shown = shown
    name = f"<cell {cell}>"  # of the cell as a file, in tracebacks
    lines = [line + "\n" for line in source.split("\n")]
    linecache.cache[name] = (len(source), None, lines, name)
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    if not shown:
        sys.stdout.write = sys.stderr.write = len
    failure = None
    try:
        execute(source, name)
        if "matplotlib.pyplot" in sys.modules:
            show_figures()
    except BaseException as error:  # KeyboardInterrupt and SystemExit end the cell, not the page
        failure = explain(error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = streams
        Cell.shown = True
    return json.dumps(failure)


def execute(source, name):
    """Run the statements of a cell; show the value of a last expression without semicolon."""
    tree = ast.parse(source, name)
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(";"):
        last = ast.Expression(tree.body.pop().value)
    namespace = vars(__main__)
    exec(compile(tree, name, "exec"), namespace)
    if last is not None:
        value = eval(compile(last, name, "eval"), namespace)
        if value is not None:
            display(value)


def needs_of(source):
    """Return the names that a cell may need of others, as JSON.

    Every word of it, where it reaches for names by their texts.
    """
    try:
        needs, _ = names_of(source)
    except SyntaxError:
        return "[]"  # it will be told when the cell runs
    if needs & {"eval", "exec", "globals", "locals", "vars"}:
        needs |= set(re.findall(r"\w+", source))
    return json.dumps(sorted(needs))


def imports_of(source):
    """Return the top-level packages a cell imports that are not here, as JSON."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return "[]"
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.partition(".")[0])
    return json.dumps(sorted(name for name in names if not is_here(name)))


def is_here(name):
    """Whether a module can be imported."""
    return name in sys.modules or importlib.util.find_spec(name) is not None


# ----------------------------------------------------------------------------------- explain errors


# What an error most often means, by its kind and a pattern of its text; keys of the word table.
MEANINGS = [
    ("NameError", r"", "name"),
    ("ModuleNotFoundError", r"", "module"),
    ("IndentationError", r"", "indent"),
    ("SyntaxError", r"", "syntax"),
    ("ZeroDivisionError", r"", "zero"),
    ("ValueError", r"could not be broadcast|shapes .* not aligned|mismatch in its core", "shapes"),
    ("ValueError", r"truth value of an array", "truth"),
    ("TypeError", r"missing \d+ required|takes \d+ positional|takes no arguments", "arguments"),
    ("TypeError", r"'NoneType'", "none"),
    ("TypeError", r"unsupported operand", "operand"),
    ("AttributeError", r"'NoneType'", "none"),
    ("AttributeError", r"", "attribute"),
    ("IndexError", r"", "index"),
    ("KeyError", r"", "key"),
    ("AssertionError", r"", "assertion"),
    ("RecursionError", r"", "recursion"),
    ("MemoryError", r"", "memory"),
]


def explain(error):
    """Return an error in a reader's terms: their line, the message, and what it often means."""
    cell, line, text = place_of(error)
    kind, message = type(error).__name__, str(error)
    kinds = {base.__name__ for base in type(error).__mro__}
    meaning = next(
        (key for name, pattern, key in MEANINGS if name in kinds and re.search(pattern, message)),
        None,
    )
    if isinstance(error, SyntaxError):
        message = error.msg
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if isinstance(error, RuntimeError) and "can't start new thread" in message:
        missing = "threads"
    return {
        "kind": kind,
        "message": message,
        "cell": cell,
        "line": line,
        "text": text,
        "meaning": meaning,
        "missing": missing and missing.partition(".")[0],
        "trace": trace_of(error),
    }


def place_of(error):
    """Return the cell, the line and its text where a reader's code failed, as deep as it goes."""
    if isinstance(error, SyntaxError) and str(error.filename).startswith("<cell "):
        return error.filename[6:-1], error.lineno, (error.text or "").strip()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith("<cell "):
            return frame.filename[6:-1], frame.lineno, (frame.line or "").strip()
    return None, None, ""


def trace_of(error):
    """Return the traceback below this kernel, as Python prints it."""
    frames = error.__traceback__
    while frames and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return "".join(traceback.format_exception(type(error), error, frames))
