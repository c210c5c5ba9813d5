"""The explorers: pictures of the book that a reader can take hold of.

One Python class and one ES module per explorer, plus the modules they share (``explorer.js``,
``figure.js``, ``em.js`` and more).
Nothing is imported until asked for: ``import gmm_lib`` needs neither anywidget nor matplotlib.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from gmm_lib._extras import needing

if TYPE_CHECKING:  # loaded on use
    from gmm_lib.widgets.base import Explorer as Explorer
    from gmm_lib.widgets.bound import BoundExplorer as BoundExplorer
    from gmm_lib.widgets.break_it import BreakItExplorer as BreakItExplorer
    from gmm_lib.widgets.clinic import ClinicExplorer as ClinicExplorer
    from gmm_lib.widgets.em_explorer import EMExplorer as EMExplorer
    from gmm_lib.widgets.jensen import JensenExplorer as JensenExplorer
    from gmm_lib.widgets.labels import LabelsExplorer as LabelsExplorer
    from gmm_lib.widgets.likelihood import LikelihoodExplorer as LikelihoodExplorer
    from gmm_lib.widgets.paths import PathsExplorer as PathsExplorer
    from gmm_lib.widgets.shards import ShardsExplorer as ShardsExplorer
    from gmm_lib.widgets.soft_hard import SoftHardExplorer as SoftHardExplorer

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
    "clinic": ("clinic", "ClinicExplorer"),
}

_MODULE_OF = {name: module for module, name in EXPLORERS.values()} | {"Explorer": "base"}

__all__ = ["EXPLORERS", "explorer_class", *_MODULE_OF]


def explorer_class(kind: str) -> type:
    """Return the class of the explorer named `kind` (a key of `EXPLORERS`).

    Raises
    ------
    ValueError
        If there is no explorer of that name.

    Examples
    --------
    >>> explorer_class('em').__name__
    'EMExplorer'
    """
    if kind not in EXPLORERS:
        raise ValueError(
            f"kind: expected one of {', '.join(EXPLORERS)}, got {kind!r}; choose one of these."
        )
    module, name = EXPLORERS[kind]
    return _from(module, name)


def _from(module, name):
    with needing("widgets", __name__):
        return getattr(import_module(f"{__name__}.{module}"), name)


if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return _from(_MODULE_OF[name], name)


def __dir__():
    return sorted(__all__)
