"""Chapter 4's explorer: average first or bend first, and the gap between them."""

import numpy as np
from traitlets import List, TraitError, Unicode, validate

from gmm_lib.bound import jensen_gap
from gmm_lib.widgets.base import Choice, Explorer, Numbers, format_number

# The curves, and where their points may lie. jensen.js has the same table; a test holds them equal.
CURVES = {
    "log": (np.log, (0.1, 10.0)),
    "square": (np.square, (-5.0, 10.0)),
    "exp": (np.exp, (-1.0, 2.5)),
    "line": (lambda x: x / 2 + 1, (-5.0, 10.0)),
    "cubic": (lambda x: x**3, (-2.0, 3.0)),
}
WAYS = ("weight", "place")  # to a gap of zero, for the reader to find
SYMBOLS = {
    "log": r"\log x",
    "square": "x^2",
    "exp": "e^x",
    "line": r"\frac{x}{2}+1",
    "cubic": "x^3",
}


class JensenExplorer(Explorer, kind="jensen"):
    """Points on a curve, the curve at their average, and the average of their heights.

    Parameters
    ----------
    curve : {"log", "square", "exp", "line", "cubic"}
    values : sequence of 2 to 6 numbers
        Where the points are, inside the range of the curve.
    masses : sequence of as many numbers from 0 to 1
        What each point weighs; the weights are these divided by their sum.

    Examples
    --------
    >>> explorer = JensenExplorer('square', values=[1, 9])
    >>> explorer.gap
    16.0
    """

    STATE = ("curve", "values", "masses", "found")
    VALUES = {
        "curve": 'name of the curve: "log", "square", "exp", "line", "cubic"',
        "mean": "average of the points",
        "average_first": "the curve at the average",
        "bend_first": "the average of the heights",
        "gap": "bend_first - average_first: below 0 where averaging first is on top",
        "found": "how many ways to a gap of zero were found, under curves that bend one way",
    }

    curve = Choice(CURVES)
    values = Numbers(1, "(n,)")
    masses = Numbers(1, "(n,)")
    found = List(Unicode(), help="The ways to a gap of zero found so far.").tag(sync=True)

    def __init__(self, curve="log", **kwargs):
        values = kwargs.setdefault("values", (1.0, 9.0))
        kwargs.setdefault("masses", (0.5,) * (len(tuple(values)) if np.iterable(values) else 2))
        super().__init__(curve=curve, **kwargs)

    @validate("found")
    def _check_found(self, proposal):
        found = proposal["value"]
        if not set(found) <= set(WAYS) or len(set(found)) != len(found):
            raise TraitError(
                f"found: expected some of {', '.join(WAYS)}, got {found}; name each way once."
            )
        return found

    @validate("values")
    def _check_values(self, proposal):
        values = proposal["value"]
        low, high = CURVES[self.curve][1]
        if not 2 <= len(values) <= 6 or min(values) < low or max(values) > high:
            raise TraitError(
                f"values: expected 2 to 6 numbers from {low:g} to {high:g} for the curve "
                f"{self.curve!r}, got {list(values)}; choose such points."
            )
        return values

    @validate("masses")
    def _check_masses(self, proposal):
        masses = proposal["value"]
        if not 2 <= len(masses) <= 6 or min(masses) < 0 or max(masses) > 1 or sum(masses) == 0:
            raise TraitError(
                "masses: expected 2 to 6 numbers from 0 to 1, not all 0, got "
                f"{list(masses)}; give each point its weight."
            )
        return masses

    @property
    def weights(self):
        """The weights of the points, shape (n,), of sum 1."""
        masses = np.array(self.masses)
        return masses / masses.sum()

    @property
    def gap(self):
        """E[f(X)] - f(E[X]), as `gmm_lib.jensen_gap` computes it."""
        return jensen_gap(CURVES[self.curve][0], self.values, self.weights)

    def still(self):
        """Return a matplotlib Figure: the curve, its points, both marks and the gap."""
        from gmm_lib.plotting import COLORS

        f, (low, high) = CURVES[self.curve]
        values, weights = np.array(self.values), self.weights
        mean, height = weights @ values, weights @ f(values)
        figure, ax = self._side_by_side((7.6, 4.2), [1])
        x = np.linspace(low, high, 300)
        ax.plot(x, f(x), color="0.35")
        order = np.argsort(values)
        outline = np.append(order, order[0])
        ax.plot(values[outline], f(values)[outline], ":", color="0.5")
        ax.plot([mean, mean], [height, f(mean)], color=COLORS[2], linewidth=4)
        ax.scatter(values, f(values), s=40 + 400 * weights, color="0.35", zorder=3)
        ax.plot(mean, f(mean), "s", color=COLORS[0], markersize=9)
        ax.plot(mean, height, "D", color=COLORS[1], markersize=9)
        ax.set(xlabel="$x$", ylabel=f"${SYMBOLS[self.curve]}$")
        return figure

    def describe(self):
        """Return one sentence that tells the curve, both heights and the gap."""
        f = CURVES[self.curve][0]
        values, weights = np.array(self.values), self.weights
        return self.say(
            "alt",
            curve=self.words[f"curve-{self.curve}"],
            values=", ".join(format_number(v) for v in self.values),
            first=format_number(f(weights @ values)),
            second=format_number(weights @ f(values)),
            gap=format_number(abs(self.gap)),
        )
