"""What every explorer shares: one base class, one table of words, one way to join ES modules.

An explorer is an anywidget whose traits are its whole state. Its module text (``_esm``) runs in two
hosts: Jupyter, where Python reads and sets the traits, and the static site, where a small script of
ours reads the traits saved in the page. Both offer the module the same five methods of a model:
``get``, ``set``, ``save_changes``, ``on`` and ``off``.
"""

import base64
import binascii
import io
import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import anywidget
import numpy as np
from traitlets import Dict, TraitError, TraitType, Unicode, default

from gmm_lib._extras import needing
from gmm_lib._validate import as_plain_array

HERE = Path(__file__).parent

# --------------------------------------------------------------------------------------- ES modules

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+\.js)";[ \t]*$', re.M)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+)?(?:function|const|class)\b)", re.M)
_DECLARED = re.compile(
    r"^(export\s+)?(?:async\s+)?(?:function\s*\*?|const|let|var|class)\s*([\w$]+|[{\[])", re.M
)
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*.*?\*/[ \t]*)\n", re.M | re.S)
_DEFAULT = "export default { render };"


class BundleError(ValueError):
    """An explorer's module uses something the joining of modules does not support."""


def bundle(entry, folder=HERE):
    """Return one ES module text: `entry` and the modules it imports, dependencies first.

    Modules are written as plain ES modules and joined by concatenation, because both hosts take a
    single text and the book shall need no JavaScript tool. So the forms are few:
    ``import { a, b } from "./x.js";`` on lines of their own, and ``export function``, ``const`` or
    ``class`` at the start of a line. Names at the top level must differ across all modules joined.
    The entry ends with ``export default { render };``.

    Parameters
    ----------
    entry : str
        File name of the explorer's module.
    folder : pathlib.Path
        Where the modules are.

    Returns
    -------
    str
        The joined text, without comments but one at the start of each module, its name: the
        static site takes the text apart again there, to load what explorers share once.

    Raises
    ------
    BundleError
        On an import or export of another form, a missing module or name, a cycle, or a name used
        twice.
    """
    folder = Path(folder)
    texts, exports, owner = {}, {}, {}

    def visit(name, trail):
        if name in trail:
            raise BundleError(
                f"{name}: expected modules that do not import each other, got "
                f"{' -> '.join([*trail, name])}; move what both need to a third."
            )
        if name in texts:
            return
        path = folder / name
        if not path.is_file():
            raise BundleError(
                f"{trail[-1] if trail else 'bundle'}: expected modules of {folder.name}/, got no "
                f"module {name!r}; look at its name."
            )
        text = _COMMENT.sub("", path.read_text(encoding="utf-8") + "\n")
        for names, source in _IMPORT.findall(text):
            visit(source, [*trail, name])
            for wanted in filter(None, (part.strip() for part in names.split(","))):
                if not re.fullmatch(r"[\w$]+", wanted):
                    raise BundleError(
                        f"{name}: expected plain names imported from {source!r}, got {wanted!r}; "
                        "import it under the name it has."
                    )
                if wanted not in exports[source]:
                    raise BundleError(
                        f"{name}: expected exported names, got {wanted!r}, but {source} exports no "
                        f"{wanted!r}; it exports {', '.join(sorted(exports[source]))}."
                    )
        text = _IMPORT.sub("", text)
        if odd := re.search(r"^\s*import\b[^\n]*|^[^\n]*\bimport\s*[(.][^\n]*", text, re.M):
            raise BundleError(
                f'{name}: expected import {{ a, b }} from "./module.js", got {odd[0].strip()!r}; '
                "import names so, one statement a module."
            )
        exports[name] = set()
        for exported, declared in _DECLARED.findall(text):
            if declared in "{[":
                raise BundleError(
                    f"{name}: expected one name per declaration at the top level, got destructuring"
                    "; declare the names one by one."
                )
            if declared in owner:
                raise BundleError(
                    f"{name}: expected names that no other module has, got one twice: {declared!r} "
                    f"is declared at the top level of both {owner[declared]} and {name}; rename "
                    "one of them."
                )
            owner[declared] = name
            if exported:
                exports[name].add(declared)
        text = _EXPORT.sub("", text)
        if name == entry and text.count(_DEFAULT) != 1:
            raise BundleError(
                f"{name}: expected exactly one line {_DEFAULT!r}, got {text.count(_DEFAULT)}; end "
                "the module with it."
            )
        if odd := re.search(r"^export\b[^\n]*", text.replace(_DEFAULT, "", name == entry), re.M):
            raise BundleError(
                f"{name}: expected export function, const or class, got {odd[0].strip()!r}; export "
                "where it is declared."
            )
        texts[name] = text.strip() + "\n"

    visit(entry, [])
    return "".join(f"// {name}\n{text}" for name, text in texts.items())


# -------------------------------------------------------------------------------------------- words


@cache
def load_words(language="en"):
    """Return the table of words of a language: explorer kind (or "shared") -> key -> text.

    Raises
    ------
    ValueError
        If there is no table of that language.
    """
    path = HERE / f"words.{language}.json"
    if not path.is_file():
        known = ", ".join(sorted(p.name.split(".")[1] for p in HERE.glob("words.*.json")))
        raise ValueError(
            f"language: expected one with a table of words ({known}), got {language!r}; choose one "
            "of these."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def fill(template, /, **values):
    """Return `template` with each ``{name}`` replaced by its value, as the browser's ``t`` does."""
    return minus(re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), template))


def minus(text):
    """Return `text` with a true minus where a hyphen stands before a number."""
    return re.sub(r"(?<![^\W_])-(?=\d)", "−", text)


LIMIT = 1e6  # no coordinate that comes from outside is further out; numbers.js has it too


def format_number(value, digits=4):
    """Return `value` to at most `digits` significant digits, as numbers.js does.

    What would fill a line with zeros is a multiple of a power of ten: ``"3.2 × 10⁻⁷"``.
    """
    if not np.isfinite(value):
        raise ValueError(
            f"value: expected a finite number to show, got {value}; say in words what it is."
        )
    rounded = float(f"{value:.{digits}g}")
    if rounded == 0:
        return "0"
    if 1e-6 <= abs(rounded) < 1e9:
        return np.format_float_positional(rounded, trim="-")
    mantissa, exponent = f"{rounded:.{digits - 1}e}".split("e")
    return _with_power(np.format_float_positional(float(mantissa), trim="-"), exponent)


def format_fixed(value, decimals):
    """Return `value` with `decimals` places if one can read that, as numbers.js does."""
    return f"{value:.{decimals}f}" if abs(value) < 1e9 else format_number(value)


def _with_power(mantissa, exponent):
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} × 10{raised}"


def powers(value, digits=4):
    """Return `value` to `digits` digits, as a multiple of a power of ten where it is tiny or huge.

    As ``formatPower`` of numbers.js does: 6.29e-06 becomes ``"6.29 × 10⁻⁶"``.
    """
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return format_number(value, digits)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return _with_power(mantissa, exponent)


def format_percent(share):
    """Return a share as whole per cent, never 0% or 100% of what is not exactly so."""
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{int(np.floor(100 * share + 0.5))}%"


# ------------------------------------------------------------------------------------------- traits


class Numbers(TraitType):
    """A trait that holds an array of finite numbers, as nested tuples: it cannot change unnoticed.

    Parameters
    ----------
    ndim : int or tuple of int
        Number of axes accepted.
    meaning : str
        What the axes are, for the message: ``"(k, d)"``.
    limit : float
        No number may be further from 0.
    """

    def __init__(self, ndim, meaning, limit=LIMIT, **kwargs):
        self.limit = limit
        self.ndims = (ndim,) if isinstance(ndim, int) else tuple(ndim)
        self.meaning = meaning
        super().__init__(default_value=(), **kwargs)
        self.tag(sync=True)

    def validate(self, obj, value):
        try:
            array = as_plain_array(value, self.name)
            if array.dtype.kind not in "iuf":
                raise ValueError
            array = array.astype(float)
        except (ValueError, TypeError):
            raise TraitError(
                f"{self.name}: expected numbers of shape {self.meaning}, got {_short(value)}; give "
                "real numbers, every row as long."
            ) from None
        if array.ndim not in self.ndims or array.size == 0:
            raise TraitError(
                f"{self.name}: expected shape {self.meaning}, got shape {array.shape}; "
                "give one row per point or component."
            )
        if not np.isfinite(array).all():
            raise TraitError(
                f"{self.name}: expected finite numbers, got {array[~np.isfinite(array)][0]}; "
                "leave out points without a value."
            )
        if np.abs(array).max() > self.limit:
            raise TraitError(
                f"{self.name}: expected numbers from {-self.limit:g} to {self.limit:g}, got "
                f"{array.flat[np.abs(array).argmax()]:g}; shift or rescale them to draw them."
            )
        return as_tuples(array)


class Whole(TraitType):
    """A trait that holds a whole number from `least` to `most`.

    Or None where `allow_none` says so.
    """

    def __init__(self, value=0, *, least=0, most=np.inf, **kwargs):
        self.least, self.most = least, most
        none = kwargs.get("allow_none")
        super().__init__(default_value=None if none else value, **kwargs)
        self.tag(sync=True)

    def validate(self, obj, value):
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
            raise TraitError(
                f"{self.name}: expected a whole number, got {_short(value)}; give an int."
            )
        if value < self.least:
            raise TraitError(
                f"{self.name}: expected a number of at least {self.least}, got {value}; count from "
                f"{self.least}."
            )
        if value > self.most:
            raise TraitError(
                f"{self.name}: expected at most {self.most}, got {value}; choose a smaller number."
            )
        return int(value)


class Choice(TraitType):
    """A trait that holds one of a few texts; the first is the default."""

    def __init__(self, values, **kwargs):
        self.values = tuple(values)
        super().__init__(default_value=self.values[0], **kwargs)
        self.tag(sync=True)

    def validate(self, obj, value):
        return chosen(self.name, value, self.values)


def chosen(name, value, values):
    """Return `value` if it is one of `values`, which are texts.

    Raises
    ------
    TraitError
        If it is not.
    """
    if not isinstance(value, str) or value not in values:
        known = ", ".join(map(repr, values))
        raise TraitError(
            f"{name}: expected one of {known}, got {_short(value)}; choose one of these."
        )
    return value


def _short(value, limit=60):
    text = repr(value).replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 3] + "..."


def on_a_line(mixture):
    """Return the parameters of a mixture of one feature by name, as plain numbers."""
    return {
        "weights": as_tuples(mixture.weights),
        "means": as_tuples(mixture.means[:, 0]),
        "variances": as_tuples(mixture.covariances[:, 0, 0]),
    }


def as_tuples(value):
    """Return an array as nested tuples of plain numbers, anything else as it is."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return tuple(as_tuples(item) for item in value) if isinstance(value, list) else value


# --------------------------------------------------------------------------------------- base class


class Explorer(anywidget.AnyWidget):
    """An explorable picture. Subclass it as ``class MyExplorer(Explorer, kind="my")``.

    The class keyword `kind` names everything: the module ``my.js`` (give `module` where it is
    called otherwise), the part ``"my"`` of the word table, ``data-explorer="my"`` on the page. A
    subclass declares its traits (tagged ``sync=True``), lists in `STATE` those that make up the
    state a link carries, and defines `still` and `describe`. In `VALUES` it says, by name, what the
    page tells of the state in full precision, as ``data-…`` of the explorer's root element (there
    ``log_likelihood`` is ``data-log-likelihood``): for tests, and for the conditions of tasks.

    Attributes
    ----------
    kind : str
        Name of the explorer; read only.
    language : str
        Which table of words to use.
    words : dict
        The words of this explorer in that language, shared ones included; read only.
    anchor : str
        Name of this explorer in links to its state; give it where a page has two of one kind.

    Examples
    --------
    >>> explorer = explorer_class('jensen')('square', values=[1, 9])
    >>> isinstance(explorer, Explorer), explorer.state['values']
    (True, (1.0, 9.0))
    """

    STATE: tuple[str, ...] = ()
    VALUES: dict[str, str] = {}

    kind = Unicode(read_only=True).tag(sync=True)
    language = Unicode("en").tag(sync=True)
    words = Dict(read_only=True).tag(sync=True)
    anchor = Unicode().tag(sync=True)

    def __init_subclass__(cls, kind=None, module=None, **kwargs):
        super().__init_subclass__(**kwargs)
        if kind is not None:  # anywidget derives a class per instance; those inherit all this
            cls._kind = kind
            cls._esm = bundle(module or f"{kind}.js")
            cls._css = (HERE / "explorer.css").read_text(encoding="utf-8")

    def __init__(self, *args, **kwargs):
        unknown = set(kwargs) - set(self.trait_names())
        if unknown:
            raise TraitError(
                f"{self._kind} explorer: expected options among {', '.join(self._options())}, "
                f"got {', '.join(sorted(unknown))}; leave out what is not among them."
            )
        super().__init__(*args, **kwargs)
        load_words(self.language)

    @classmethod
    def _options(cls):
        """Return the names of the traits a reader may set, sorted."""
        inherited = set(anywidget.AnyWidget.class_trait_names())
        own = set(cls.class_trait_names()) - inherited - {"kind", "words"}
        return sorted(name for name in own if not name.startswith("_"))

    @default("kind")
    def _default_kind(self):
        return self._kind

    @default("anchor")
    def _default_anchor(self):
        return self._kind

    @default("words")
    def _default_words(self):
        table = load_words(self.language)
        return {**table["shared"], **table.get(self._kind, {})}

    def say(self, key, /, **values):
        """Return the text `key` of the word table with its places filled."""
        return fill(self.words[key], **values)

    # -- state and links

    @property
    def state(self):
        """The state a link carries: the traits named in `STATE`, as plain values."""
        return {name: getattr(self, name) for name in self.STATE}

    @property
    def fragment(self):
        """The URL fragment that opens this state on a page with this explorer (``"#em=…"``)."""
        text = json.dumps(self.state, separators=(",", ":"), ensure_ascii=False)
        code = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return f"#{self.anchor}={code}"

    @classmethod
    def from_link(cls, link, anchor=None):
        """Return an explorer in the state that a copied link (or its fragment) describes.

        Parameters
        ----------
        link : str
            The link, as "Copy link" gave it.
        anchor : str, optional
            Which explorer of the page, where it is not the class's own name.

        Raises
        ------
        ValueError
            If the link carries no state of this explorer, or one that is not valid.
        """
        anchor = anchor or cls._kind
        parts = dict(
            part.partition("=")[::2] for part in unquote(link.partition("#")[2]).split("&") if part
        )
        if anchor not in parts:
            raise ValueError(
                f'link: expected one with "#{anchor}=…" in it, got {_short(link)}; '
                "use the one that the explorer's Copy link button gives."
            )
        code = parts[anchor]
        try:
            state = json.loads(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)))
            if not isinstance(state, dict) or not set(state) <= set(cls.STATE):
                raise ValueError
        except (ValueError, binascii.Error):
            raise ValueError(
                f"link: expected the state of the {cls._kind} explorer after #{anchor}=, "
                f"got {_short(code)}; it may have been cut short: copy it again."
            ) from None
        return cls(**state, anchor=anchor)

    # -- the picture that stands in where no script runs

    @staticmethod
    def _side_by_side(size, widths):
        """Return an empty matplotlib Figure of a size (inches), and axes of relative widths."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0]
        for each in axes:
            each.spines[["top", "right"]].set_visible(False)
        return figure, *axes

    def still(self):
        """Return a matplotlib Figure of the present state, without words in it."""
        raise NotImplementedError(
            f"{type(self).__name__}: expected a method still(), got none; define one."
        )

    def describe(self):
        """Return one sentence that tells the present state: the picture's alternative text."""
        raise NotImplementedError(
            f"{type(self).__name__}: expected a method describe(), got none; define one."
        )

    def still_png(self, dpi=90):
        """Return `still` as PNG bytes."""
        with needing("widgets", "the picture of an explorer"):
            figure = self.still()
        buffer = io.BytesIO()
        # No date or version in the file: the same state gives the same bytes.
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()

    def _repr_mimebundle_(self, **kwargs):
        bundled = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundled if isinstance(bundled, tuple) else (bundled, {})
        data = {
            **data,
            "image/png": base64.b64encode(self.still_png()).decode(),
            "text/plain": self.describe(),
        }
        return data, metadata
