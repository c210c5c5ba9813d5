"""Pictures of data, mixtures and EM: draw_…(…, ax=None) adds to the axes and returns the artists.

No words are drawn, only symbols (x, p(x), t, ℓ(θ_t)): words belong to captions, where they can be
translated. Components are told apart by color *and* by marker or line style; the colors are Okabe
and Ito's [1]_, chosen for color-blind readers, in an order that is legible on white. Needs
matplotlib, which `import gmm_lib` alone does not load.

References
----------
.. [1] M. Okabe and K. Ito (2008), Color universal design (CUD).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._extras import needing
from gmm_lib._validate import (
    as_count,
    as_flag,
    as_function,
    as_number,
    as_points,
    as_real,
    as_responsibilities,
)
from gmm_lib.em import as_mixture
from gmm_lib.initial import as_labels
from gmm_lib.mixture import GaussianMixture

with needing("plot", "gmm_lib.plotting"):
    import matplotlib.pyplot as plt
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.colors import ListedColormap, to_rgb
    from matplotlib.contour import QuadContourSet
    from matplotlib.lines import Line2D
    from matplotlib.patches import Ellipse, Patch
    from matplotlib.ticker import MaxNLocator

COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
MARKERS = ["o", "s", "^", "D", "v", "P"]
LINE_STYLES = ["--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1))]
INK = "#222222"
UNLABELLED = "#666666"
# Viridis without its bright end, which is too pale for lines on white (contrast below 3).
HEIGHTS = ListedColormap(plt.get_cmap("viridis")(np.linspace(0, 0.6, 256)))


def draw_points(
    X: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    ax: Axes | None = None,
    size: float | None = None,
) -> list[PathCollection]:
    """Draw the points: on the axis in one dimension, as a scatter in two.

    Parameters
    ----------
    X : array_like, shape (m, d) or (m,), d = 1 or 2
    labels : array_like of int, shape (m,), optional
        Groups from 0, drawn with a color and a marker each; gray circles if not given.
    ax : matplotlib.axes.Axes, optional
        The current axes if not given.
    size : float, optional
        Area of a marker in points squared; smaller for more points if not given.

    Returns
    -------
    list of matplotlib.collections.PathCollection
        One for each group that has points, or one for all.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> ten = datasets.ten_points()
    >>> len(plotting.draw_points(ten.X, ten.labels))
    2
    >>> plotting.plt.close()
    """
    x, y = _coordinates(X)
    ax, size = _axes(ax), _size(len(x), size)
    style = _point_style(X)
    if labels is None:
        artists = [ax.scatter(x, y, s=size, color=UNLABELLED, **style)]
    else:
        labels = as_labels(labels, len(x))
        artists = [
            ax.scatter(a, b, s=size, color=component_color(j), marker=_marker(j), **style)
            for j, (a, b) in _groups(x, y, labels)
        ]
    _name_axes(X, ax)
    return artists


def draw_responsibilities(
    X: ArrayLike, responsibilities: ArrayLike, *, ax: Axes | None = None, size: float | None = None
) -> list[PathCollection]:
    """Draw the points, each in the mixture of the components' colors that its responsibilities are.

    A point of one component alone has its color, a point between two a color in between; the
    marker is that of the likeliest component.

    Parameters
    ----------
    X : array_like, shape (m, d) or (m,), d = 1 or 2
    responsibilities : array_like, shape (m, k)
    ax : matplotlib.axes.Axes, optional
    size : float, optional
        Area of a marker in points squared.

    Returns
    -------
    list of matplotlib.collections.PathCollection
        One for each component that is the likeliest of some point.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> ten = datasets.ten_points()
    >>> artists = plotting.draw_responsibilities(ten.X, ten.start.responsibilities(ten.X))
    >>> plotting.plt.close()
    """
    x, y = _coordinates(X)
    w = as_responsibilities(responsibilities, len(x))
    ax, size, colors = _axes(ax), _size(len(x), size), responsibility_colors(w)
    likeliest = w.argmax(axis=1)
    artists = [
        ax.scatter(
            a,
            b,
            s=size,
            c=colors[likeliest == j],
            marker=_marker(j),
            edgecolors=INK,
            linewidths=0.4,
            **_point_style(X),
        )
        for j, (a, b) in _groups(x, y, likeliest)
    ]
    _name_axes(X, ax)
    return artists


# Linear red-green-blue to the response of cones, and its cube root to Oklab; as in color.js.
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def responsibility_colors(responsibilities: ArrayLike) -> np.ndarray:
    """Return the color of each point, shape (m, 3), red-green-blue from 0 to 1.

    The components' colors are mixed in Oklab [1]_, as in the explorers: there halfway between two
    colors looks halfway, where mixed red-green-blue values turn gray.

    Parameters
    ----------
    responsibilities : array_like, shape (m, k)

    Raises
    ------
    TypeError, ValueError
        If they are not responsibilities.

    References
    ----------
    .. [1] B. Ottosson (2020), A perceptual color space for image processing.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> plotting.responsibility_colors([[1, 0], [0.5, 0.5]]).round(3).tolist()
    [[0.0, 0.447, 0.698], [0.539, 0.449, 0.463]]
    """
    w = as_responsibilities(responsibilities)
    srgb = np.array([to_rgb(component_color(j)) for j in range(w.shape[1])])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    mixed = w @ (np.cbrt(linear @ CONES.T) @ OKLAB.T)
    linear = np.clip((mixed @ np.linalg.inv(OKLAB).T) ** 3 @ np.linalg.inv(CONES).T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def component_color(j: int) -> str:
    """Return the color of component j, counted from 0; after six they come round again.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> plotting.component_color(0) == plotting.component_color(6)
    True
    """
    return COLORS[as_count(j, "j", least=0) % len(COLORS)]


def draw_density(
    mixture: GaussianMixture,
    *,
    ax: Axes | None = None,
    x: ArrayLike | None = None,
    components: bool = True,
) -> list[Line2D]:
    """Draw the density of a mixture in one dimension, and each component's share φ_j N_j.

    Parameters
    ----------
    mixture : GaussianMixture, d = 1
    ax : matplotlib.axes.Axes, optional
    x : array_like, shape (n,), optional
        Where to evaluate; four standard deviations around every mean if not given.
    components : bool
        Whether to draw the components too.

    Returns
    -------
    list of matplotlib.lines.Line2D
        The mixture's, then one for each component.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> len(plotting.draw_density(datasets.ten_points().start))
    3
    >>> plotting.plt.close()
    """
    _dimension(mixture, 1, "use draw_ellipses in two dimensions")
    x = _range_of(mixture) if x is None else as_points(x, 1, name="x")[:, 0]
    ax, components = _axes(ax), as_flag(components, "components")
    parts = np.exp(mixture.component_log_density(x))
    lines = ax.plot(x, parts.sum(axis=1), color=INK, linewidth=2)
    if components:
        for j in range(mixture.k):
            style = LINE_STYLES[j % len(LINE_STYLES)]
            lines += ax.plot(
                x, parts[:, j], color=component_color(j), linestyle=style, linewidth=1.8
            )
    ax.set_xlabel("$x$")
    ax.set_ylabel("$p(x)$")
    return lines


def draw_heights(
    x: ArrayLike, heights: ArrayLike, *, ax: Axes | None = None, color: Any = INK
) -> LineCollection:
    """Draw a stem of the given height at each point: the factors of a likelihood.

    Parameters
    ----------
    x, heights : array_like, shape (m,)
    ax : matplotlib.axes.Axes, optional
    color : color

    Returns
    -------
    matplotlib.collections.LineCollection

    Raises
    ------
    TypeError, ValueError
        If x and heights are not m numbers each.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> artists = plotting.draw_heights([1, 4, 5], [0.1, 0.2, 0.1])
    >>> plotting.plt.close()
    """
    x, heights = as_points(x, 1, name="x")[:, 0], as_points(heights, 1, name="heights")[:, 0]
    if len(x) != len(heights):
        raise ValueError(
            f"heights: expected {len(x)} numbers, one for each x, got {len(heights)}; pass as many."
        )
    return _axes(ax).vlines(x, 0, heights, color=color, linewidth=1.5)


def draw_ellipses(
    mixture: GaussianMixture,
    *,
    ax: Axes | None = None,
    n_std: float | Sequence[float] = (1.0, 2.0),
    means: bool = True,
) -> list[Patch]:
    """Draw each component in two dimensions as ellipses of equal density about its mean.

    Parameters
    ----------
    mixture : GaussianMixture, d = 2
    ax : matplotlib.axes.Axes, optional
    n_std : float or sequence of float
        Mahalanobis distances: the ellipse for r holds 1 - exp(-r²/2) of its component (39% at
        1, 86% at 2).
    means : bool
        Whether to mark the means.

    Returns
    -------
    list of matplotlib.patches.Ellipse
        One for each number in n_std, component by component.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> mixture = GaussianMixture([0.5, 0.5], [[0, 0], [3, 1]], [np.eye(2)] * 2)
    >>> artists = plotting.draw_ellipses(mixture)
    >>> plotting.plt.close()
    """
    _dimension(mixture, 2, "use draw_density in one dimension")
    n_std = [as_number(r, "n_std", strict=True) for r in np.atleast_1d(as_real(n_std, "n_std"))]
    ax, means = _axes(ax), as_flag(means, "means")
    ellipses = []
    for j in range(mixture.k):
        lengths, directions = np.linalg.eigh(mixture.covariances[j])  # in rising order
        angle = np.degrees(np.arctan2(directions[1, 1], directions[0, 1]))
        minor, major = np.sqrt(lengths)
        for r in n_std:
            ellipse = Ellipse(
                mixture.means[j],
                2 * r * major,
                2 * r * minor,
                angle=angle,
                fill=False,
                color=component_color(j),
                linestyle=LINE_STYLES[j % len(LINE_STYLES)],
                linewidth=1.8,
            )
            ellipses.append(ax.add_patch(ellipse))
        if means:
            ax.plot(
                *mixture.means[j],
                color=component_color(j),
                marker=_marker(j),
                markersize=8,
                markeredgecolor="white",
            )
    ax.autoscale_view()
    return ellipses


def draw_state(
    X: ArrayLike,
    mixture: GaussianMixture,
    responsibilities: ArrayLike | None = None,
    *,
    ax: Axes | None = None,
) -> tuple[list, list]:
    """Draw one moment of EM: the points, in the colors of their responsibilities, and the mixture.

    Parameters
    ----------
    X : array_like, shape (m, d) or (m,), d = 1 or 2
    mixture : GaussianMixture
    responsibilities : array_like, shape (m, k), optional
        Gray points if not given.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    points, mixture : lists of artists
        As from `draw_points` or `draw_responsibilities`, and `draw_density` or `draw_ellipses`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> ten = datasets.ten_points()
    >>> artists = plotting.draw_state(ten.X, ten.start)
    >>> plotting.plt.close()
    """
    X = as_points(X, as_mixture(mixture).d)
    ax = _axes(ax)
    if responsibilities is None:
        points = draw_points(X, ax=ax)
    else:
        w = as_responsibilities(responsibilities, len(X), mixture.k)
        points = draw_responsibilities(X, w, ax=ax)
    if mixture.d == 2:
        return points, draw_ellipses(mixture, ax=ax)
    x = np.union1d(np.linspace(X.min(), X.max(), 401), _range_of(mixture))
    return points, draw_density(mixture, ax=ax, x=x)


def draw_log_likelihood(
    log_likelihoods: ArrayLike, *, ax: Axes | None = None, color: Any = INK
) -> Line2D:
    """Draw ℓ(θ_t) against t.

    Parameters
    ----------
    log_likelihoods : array_like, shape (n,)
        ℓ(θ_0), ℓ(θ_1), …
    ax : matplotlib.axes.Axes, optional
    color : color

    Returns
    -------
    matplotlib.lines.Line2D

    Raises
    ------
    TypeError, ValueError
        If they are not at least one number.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> found = fit(datasets.ten_points().X, datasets.ten_points().start)
    >>> artists = plotting.draw_log_likelihood(found.log_likelihoods)
    >>> plotting.plt.close()
    """
    values = as_points(log_likelihoods, 1, name="log_likelihoods")[:, 0]
    ax = _axes(ax)
    (line,) = ax.plot(np.arange(len(values)), values, color=color, marker="o", markersize=4)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("$t$")
    ax.set_ylabel(r"$\ell(\theta_t)$")
    return line


def evaluate_grid(f: Callable, xs: ArrayLike, ys: ArrayLike) -> np.ndarray:
    """Return f(x, y) for every x in xs and y in ys, shape (len(ys), len(xs)).

    Parameters
    ----------
    f : callable
        Takes two numbers and returns one.
    xs, ys : array_like, shape (n,)

    Raises
    ------
    TypeError, ValueError
        If xs or ys is not such an array.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> plotting.evaluate_grid(lambda x, y: x + 10 * y, [1, 2, 3], [0, 1]).tolist()
    [[1.0, 2.0, 3.0], [11.0, 12.0, 13.0]]
    """
    as_function(f, "f")
    xs, ys = as_points(xs, 1, name="xs")[:, 0], as_points(ys, 1, name="ys")[:, 0]
    return np.array([[float(f(x, y)) for x in xs] for y in ys])


def draw_contour(
    f: Callable,
    xs: ArrayLike,
    ys: ArrayLike,
    *,
    ax: Axes | None = None,
    levels: int | ArrayLike = 12,
) -> QuadContourSet:
    """Draw a function of two parameters as contour lines.

    Parameters
    ----------
    f : callable
        Takes two numbers and returns one; not-finite values are left blank.
    xs, ys : array_like, shape (n,), n >= 2
        Where to evaluate.
    ax : matplotlib.axes.Axes, optional
    levels : int or array_like
        How many lines, or at which values.

    Returns
    -------
    matplotlib.contour.QuadContourSet

    Raises
    ------
    TypeError, ValueError
        If xs or ys is not such an array.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> lines = plotting.draw_contour(lambda x, y: x * y, [0, 1, 2], [0, 1])
    >>> type(lines).__name__
    'QuadContourSet'
    >>> plotting.plt.close()
    """
    xs, ys = _sides(xs, "xs"), _sides(ys, "ys")
    heights = np.ma.masked_invalid(evaluate_grid(f, xs, ys))
    return _axes(ax).contour(xs, ys, heights, levels=levels, cmap=HEIGHTS, linewidths=1.2)


def draw_surface(f: Callable, xs: ArrayLike, ys: ArrayLike, *, ax: Any = None) -> Artist:
    """Draw a function of two parameters as a surface in space.

    Parameters
    ----------
    f, xs, ys
        As in `draw_contour`.
    ax : mpl_toolkits.mplot3d.Axes3D, optional
        A new one if not given.

    Returns
    -------
    mpl_toolkits.mplot3d.art3d.Poly3DCollection

    Raises
    ------
    TypeError, ValueError
        If xs or ys is not such an array, or ax is not three-dimensional.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> surface = plotting.draw_surface(lambda x, y: x * y, [0, 1, 2], [0, 1])
    >>> plotting.plt.close()
    """
    heights = evaluate_grid(f, _sides(xs, "xs"), _sides(ys, "ys"))
    if ax is None:
        ax = plt.figure().add_subplot(projection="3d")
    elif not hasattr(ax, "plot_surface"):
        raise TypeError(
            f"ax: expected three-dimensional axes, got {type(ax).__name__}; make them with "
            "plt.figure().add_subplot(projection='3d')."
        )
    return ax.plot_surface(*np.meshgrid(xs, ys), heights, cmap=HEIGHTS, linewidth=0)


def draw_path(
    path: ArrayLike, *, ax: Axes | None = None, color: Any = INK, marker: str = "o"
) -> tuple[Line2D, Line2D]:
    """Draw the way an algorithm took through two parameters, its end marked larger.

    Parameters
    ----------
    path : array_like, shape (n, 2)
        One row an iteration.
    ax : matplotlib.axes.Axes, optional
    color : color
    marker : str

    Returns
    -------
    way, end : matplotlib.lines.Line2D

    Raises
    ------
    TypeError, ValueError
        If the path is not of that shape.

    Examples
    --------
    >>> from gmm_lib import plotting
    >>> artists = plotting.draw_path([[0, 0], [1, 0.5], [2, 0.7]])
    >>> plotting.plt.close()
    """
    path = as_points(path, 2, name="path")
    ax = _axes(ax)
    (way,) = ax.plot(*path.T, color=color, marker=marker, markersize=3, linewidth=1.4)
    (end,) = ax.plot(*path[-1], color=color, marker=marker, markersize=9, markeredgecolor="white")
    return way, end


def _axes(ax):
    if ax is not None and not isinstance(ax, Axes):
        raise TypeError(
            f"ax: expected matplotlib Axes, got {type(ax).__name__}; pass one, for example "
            "plt.gca(), or of several axes[0]."
        )
    return plt.gca() if ax is None else ax


def _coordinates(X):
    """The two coordinates to draw points of one or two features at."""
    X = as_points(X)
    if X.shape[1] > 2:
        raise ValueError(
            f"X: expected one or two features to draw, got {X.shape[1]}; choose two columns, for "
            "example X[:, :2]."
        )
    return X[:, 0], X[:, 1] if X.shape[1] == 2 else np.zeros(len(X))


def _groups(x, y, labels):
    """Pairs (j, (x, y)) of the points of each label j that occurs."""
    return [(j, (x[labels == j], y[labels == j])) for j in np.unique(labels)]


def _marker(j):
    return MARKERS[j % len(MARKERS)]


def _in_plane(X):
    return np.ndim(X) == 2 and np.shape(X)[1] == 2


def _point_style(X) -> dict[str, Any]:
    # On a line the points sit on the axis, above it, and are not cut in half by its edge.
    return {"alpha": 0.85} if _in_plane(X) else {"zorder": 3, "clip_on": False}


def _size(m, size):
    if size is not None:
        return as_number(size, "size", strict=True)
    return 36.0 if m <= 100 else 14.0


def _name_axes(X, ax):
    ax.set_xlabel("$x_1$" if _in_plane(X) else "$x$")
    if _in_plane(X):
        ax.set_ylabel("$x_2$")


def _dimension(mixture, d, instead):
    if as_mixture(mixture).d != d:
        raise ValueError(
            f"mixture: expected {d} feature{'s'[: d != 1]}, got {mixture.d}; {instead}."
        )


def _range_of(mixture):
    """401 places that show every component: four standard deviations around every mean.

    Each component has places of its own, so that a narrow one keeps its peak beside a wide one.
    """
    mean, sd = mixture.means[:, 0], np.sqrt(mixture.covariances[:, 0, 0])
    everywhere = np.linspace((mean - 4 * sd).min(), (mean + 4 * sd).max(), 401)
    near = mean[:, None] + sd[:, None] * np.linspace(-4, 4, 81)
    return np.union1d(everywhere, near)


def _sides(values, name):
    """Return the places along one side of a grid, at least two and rising."""
    side = as_points(values, 1, name=name, least=2)[:, 0]
    if (np.diff(side) <= 0).any():
        raise ValueError(
            f"{name}: expected rising numbers, got {name} that repeat or fall; use np.linspace."
        )
    return side
