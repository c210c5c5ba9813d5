"""The explorers: pictures of the book that a reader can take hold of.

One Python class and one ES module per explorer, plus the modules they share (``explorer.js``,
``figure.js``, ``em.js`` and more).
Nothing is imported until asked for: ``import gmm_lib`` needs neither anywidget nor matplotlib.
"""

from importlib import import_module

# kind (the root element's data-explorer) -> (module, class). A new explorer adds its line here.
EXPLORERS = {
    "em": ("em_explorer", "EMExplorer"),
    "likelihood": ("likelihood", "LikelihoodExplorer"),
    "labels": ("labels", "LabelsExplorer"),
    "bound": ("bound", "BoundExplorer"),
    "break-it": ("break_it", "BreakItExplorer"),
    "jensen": ("jensen", "JensenExplorer"),
    "paths": ("paths", "PathsExplorer"),
    "soft-hard": ("soft_hard", "SoftHardExplorer"),
    "shards": ("shards", "ShardsExplorer"),
}

_MODULE_OF = {name: module for module, name in EXPLORERS.values()} | {"Explorer": "base"}

__all__ = ["EXPLORERS", "explorer_class", *_MODULE_OF]


def explorer_class(kind):
    """Return the class of the explorer named `kind` (a key of `EXPLORERS`).

    Raises
    ------
    ValueError
        If there is no explorer of that name.
    """
    if kind not in EXPLORERS:
        raise ValueError(f"expected kind to be one of {', '.join(EXPLORERS)}, got {kind!r}")
    module, name = EXPLORERS[kind]
    return getattr(import_module(f"{__name__}.{module}"), name)


def __getattr__(name):
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__():
    return sorted(__all__)
