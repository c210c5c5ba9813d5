"""The EM explorer: EM on points of one or two features, half step by half step."""

from itertools import islice

import numpy as np
from traitlets import Dict, TraitError, Unicode, default, observe, validate

from gmm_lib import datasets
from gmm_lib._validate import as_points
from gmm_lib.covariance import COVARIANCE_TYPES, DegenerateComponentError
from gmm_lib.em import as_mixture, e_step, em_states
from gmm_lib.initial import kmeans_plus_plus
from gmm_lib.mixture import GaussianMixture
from gmm_lib.widgets.base import (
    LIMIT,
    Choice,
    Explorer,
    Numbers,
    Whole,
    as_tuples,
    format_fixed,
    format_number,
    format_percent,
)

CUSTOM = "custom"  # the name of data that are not one of the book's sets
MAX_COMPONENTS = 6  # as many as there are colors
CHOICES = ("ten-points", "thousand-points", "old-faithful", "overlapping")
PARTS = ("points", "weights", "means", "covariances")
SMALL_GAIN = 1e-8  # per point, as in fit()
ITERATIONS = 10_000  # the most that is asked of a browser; em_explorer.js has it too


class EMExplorer(Explorer, kind="em", module="em_explorer.js"):
    """EM to take hold of: drag means and spreads, move points, go through E and M steps.

    Parameters
    ----------
    data : str or array_like, shape (m, d) or (m,), optional
        The name of one of the book's data sets, or points of one or two features; the ten points
        if not given.
    start : GaussianMixture, optional
        θ_0; the data set's own start if not given, or k-means++ with two components.
    iteration : int
        t, the index of θ_t on show, at most 10,000.
    half : {"m", "e"}
        "e": the responsibilities of θ_t are computed, and color the points. "m": θ_t is fresh (the
        start, or out of an M step), and the colors are those of the E step before.
    covariance_type : {"full", "tied", "diag", "spherical"}
        The constraint on Σ from the first M step on.
    selected : int or None
        Index of the point whose responsibilities are told.
    choices : sequence of str
        The data sets that the reader can choose from.
    language, anchor : str
        As in `Explorer`.

    Attributes
    ----------
    points, weights, means, covariances : nested tuples
        The data (m, d) and θ_0, shapes (k,), (k, d), (k, d, d): traits, to be set and observed. To
        change several at once, set `start`.

    Raises
    ------
    TraitError
        If an option is not as described.

    Examples
    --------
    >>> explorer = EMExplorer(iteration=3)
    >>> round(explorer.log_likelihood, 4)
    -33.7933
    """

    STATE = ("data", *PARTS, "iteration", "half", "covariance_type", "selected")
    VALUES = {
        "data": 'name of the data, "custom" once a point was moved',
        "components": "how many there are",
        "iteration": "t of the parameters on show",
        "half": '"e" after an E step, "m" at the start and after an M step',
        "log_likelihood": "of the parameters on show",
        "converged": "whether the last M step gained next to nothing",
        "degenerate": "number of the component that has collapsed, if one has",
    }

    data = Unicode().tag(sync=True)
    points = Numbers((1, 2), "(m, d) or (m,)")
    weights = Numbers(1, "(k,)")
    means = Numbers((1, 2), "(k, d) or (k,)")
    covariances = Numbers((1, 3), "(k, d, d) or (k,)", limit=LIMIT**2)
    iteration = Whole(most=ITERATIONS)
    half = Choice(("m", "e"))
    covariance_type = Choice(COVARIANCE_TYPES)
    selected = Whole(allow_none=True)
    datasets = Dict(read_only=True).tag(sync=True)

    def __init__(self, data=None, start=None, *, choices=CHOICES, **options):
        self._choices = tuple(choices)
        for name in self._choices:
            _named(name, "choices")
        if start is not None:
            options.update(_parameters(start))
        super().__init__(**(self._data_options(data, options) | options))

    @staticmethod
    def _data_options(data, given):
        """Return the traits that the data bring along where they are not given."""
        if data is None:
            data = CUSTOM if "points" in given else "ten-points"
        if isinstance(data, str) and data != CUSTOM:
            return {"data": data} | _dataset_options(_named(data, "data"))
        points = given.get("points") if isinstance(data, str) else data
        try:
            X = as_points(points)
            start = {} if "means" in given else _parameters(_own_start(X))
        except (TypeError, ValueError) as error:
            raise TraitError(str(error)) from None
        return {"data": CUSTOM, "points": X, "selected": None} | start

    @classmethod
    def _options(cls):
        return sorted([*super()._options(), "choices", "start"])

    @default("datasets")
    def _default_datasets(self):
        names = [*self._choices, *({self.data} & set(datasets.NAMES) - set(self._choices))]
        return {
            name: {key: as_tuples(value) for key, value in _dataset_options(name).items()}
            | {"axes": list(self.words[f"axes-{name}"])}
            for name in names
        }

    # -- checks

    @validate(*PARTS)
    def _consistent(self, proposal):
        name = proposal["trait"].name
        parts = {part: getattr(self, part) for part in PARTS} | {name: proposal["value"]}
        try:
            theta = GaussianMixture(parts["weights"], parts["means"], parts["covariances"])
            X = as_points(parts["points"], theta.d, name="points")
        except (TypeError, ValueError) as error:
            raise TraitError(
                f"{error} To change several parameters at once, set "
                "start = GaussianMixture(weights, means, covariances)."
            ) from None
        if theta.k > MAX_COMPONENTS:
            raise TraitError(
                f"weights: expected 1 to {MAX_COMPONENTS} components, got {theta.k}; "
                "there are no more colors to tell them apart."
            )
        _in_view(X, "points")
        try:
            e_step(X, theta)
        except ValueError:  # a point is out of reach of every component
            raise TraitError(
                f"{name}: expected a mixture near the points, got one under which their "
                "log-likelihood has no finite value; choose wider components or nearer points."
            ) from None
        return as_tuples({"points": X, **_parameters(theta)}[name])

    @validate("selected")
    def _existing(self, proposal):
        i = proposal["value"]
        if i is not None and i >= len(self.points):
            raise TraitError(
                f"selected: expected the index of a point, 0 to {len(self.points) - 1}, or None, "
                f"got {i}; count from 0."
            )
        return i

    @validate("data")
    def _known(self, proposal):
        name = proposal["value"]
        if name != CUSTOM and name not in self.datasets:
            known = ", ".join([*self.datasets, CUSTOM])
            raise TraitError(
                f"data: expected one of {known}, got {name!r}; give choices=… to offer others."
            )
        return name

    @observe("data", "points")
    def _follow(self, change):
        """A data set chosen by name brings its points and start; other points are nobody's set."""
        if not self.means or self.data == CUSTOM:  # still being made, or named rightly
            return
        own = self.datasets[self.data]
        if self.points == own["points"]:
            return
        if change["name"] == "points":
            self.data = CUSTOM
            return
        with self.hold_sync(), self.hold_trait_notifications():
            for name in (*PARTS, "selected"):
                setattr(self, name, own.get(name))
            self.iteration, self.half = 0, "m"

    # -- what follows from the state

    @property
    def start(self):
        """θ_0; set it to begin elsewhere, at iteration 0."""
        return GaussianMixture(self.weights, self.means, self.covariances)

    @start.setter
    def start(self, mixture):
        with self.hold_sync(), self.hold_trait_notifications():
            for name, value in _parameters(mixture).items():
                setattr(self, name, value)
            self.iteration, self.half = 0, "m"

    @property
    def states(self):
        """The states of EM from the start to the iteration on show: a list of `EMState`.

        Raises
        ------
        DegenerateComponentError
            If EM cannot get to that iteration.
        """
        states, error = self._sound_states()
        if error is not None:
            raise error
        return states

    @property
    def mixture(self):
        """θ_t, the parameters on show."""
        return self.states[-1].mixture

    @property
    def responsibilities(self):
        """w_t, shape (m, k): the responsibilities of θ_t, whichever half is on show."""
        return self.states[-1].responsibilities

    @property
    def log_likelihood(self):
        """ℓ(θ_t), in nats."""
        return self.states[-1].log_likelihood

    def _sound_states(self):
        """Return the states up to the iteration, or to the last that exists, and the error."""
        key = (*(getattr(self, name) for name in PARTS), self.covariance_type, self.iteration)
        if getattr(self, "_computed", (None,))[0] != key:
            states, error = [], None
            try:
                path = em_states(np.array(self.points), self.start, self.covariance_type)
                for state in islice(path, self.iteration + 1):
                    states.append(state)
            except DegenerateComponentError as degenerate:
                error = degenerate
            self._computed = key, states, error
        return self._computed[1:]

    @property
    def state(self):
        """The state a link carries: points of the book's own sets are named, not listed."""
        state = super().state
        if self.data != CUSTOM:
            del state["points"]
        return state

    # -- the still picture

    def _colors(self):
        """Return the responsibilities that color the points, None before the first E step."""
        states, error = self._sound_states()
        if self.half == "e" or error is not None:
            return states[-1].responsibilities
        return states[-2].responsibilities if len(states) > 1 else None

    def still(self):
        """Return a matplotlib Figure of the state: points, mixture, log-likelihood."""
        from gmm_lib import plotting

        states, _ = self._sound_states()
        figure, main, side = self._side_by_side((9, 4), [3, 1.2])
        plotting.draw_state(np.array(self.points), states[-1].mixture, self._colors(), ax=main)
        plotting.draw_log_likelihood([state.log_likelihood for state in states], ax=side)
        side.set_xlim(-0.5, max(8, len(states) - 0.5))
        limits = self._limits()
        main.set_xlim(limits[0])
        if len(limits) == 2:
            main.set_ylim(limits[1])
        return figure

    def _limits(self):
        """Return the range of each feature, as the live picture shows it: the data and θ_0."""
        X, start = np.array(self.points), self.start
        reach = 2 * np.sqrt(np.einsum("kii->ki", start.covariances))
        low = np.minimum(X.min(axis=0), (start.means - reach).min(axis=0))
        high = np.maximum(X.max(axis=0), (start.means + reach).max(axis=0))
        pad = 0.05 * (high - low)
        return list(zip(low - pad, high + pad, strict=True))

    def describe(self):
        """Return one sentence on the state, as the explorer's live text has it."""
        m, d = np.shape(self.points)
        return self.say(
            f"describe-{d}",
            name=self.say("name"),
            m=m,
            k=len(self.weights),
            status=self.status(),
        )

    def status(self):
        """Return what the explorer's live text says of the state."""
        states, error = self._sound_states()
        t, theta, _, log_likelihood = states[-1]
        if self.half == "m" and error is None:
            phase = "phase-start" if t == 0 else "phase-m"
            what = self.say("means", means=", ".join(self._place(mean) for mean in theta.means))
        else:
            phase, what = "phase-e", self._shares()
        gain = log_likelihood - states[-2].log_likelihood if t else np.inf
        return self.say(
            "status",
            t=t,
            phase=self.say(phase),
            what=what,
            l=format_fixed(log_likelihood, 2),
            end=self.say("converged") if gain < SMALL_GAIN * len(self.points) else "",
        )

    def _place(self, x):
        numbers = [format_number(value) for value in x]
        return numbers[0] if len(x) == 1 else self.say("pair", x=numbers[0], y=numbers[1])

    def _shares(self):
        """Return whose the selected point is: all of three components, of more the two largest."""
        if self.selected is None:
            return self.say("colored")
        w = self._colors()[self.selected]
        named = range(len(w)) if len(w) <= 3 else np.argsort(-w, kind="stable")[:2]
        x = self.points[self.selected]
        point = self.say("point-1", x=self._place(x)) if len(x) == 1 else self._place(x)
        shares = ", ".join(self.say("share", percent=format_percent(w[j]), j=j + 1) for j in named)
        return self.say("belongs", point=point, shares=shares)


def _named(name, argument):
    """Return the name of a data set that can be drawn."""
    if not isinstance(name, str) or name not in datasets.NAMES:
        known = ", ".join(datasets.NAMES)
        raise TraitError(
            f"{argument}: expected the name of a data set ({known}), got {name!r}; choose one of "
            "these."
        )
    _in_view(datasets.load(name).X, argument)
    return name


def _in_view(X, argument):
    """Refuse points of more features than can be drawn."""
    if X.shape[1] > 2:
        raise TraitError(
            f"{argument}: expected one or two features to draw, got {X.shape[1]}; "
            "choose two columns, for example X[:, :2]."
        )


def _parameters(mixture):
    """Return the three parameters of a mixture by name."""
    try:
        as_mixture(mixture, "start")
    except TypeError as error:
        raise TraitError(str(error)) from None
    return {name: getattr(mixture, name) for name in PARTS[1:]}


def _dataset_options(name):
    """Return the traits that one of the book's data sets brings along with its name."""
    data = datasets.load(name)
    # x = 9 is the point of the ten that the book follows.
    selected = 4 if name == "ten-points" else None
    return {"points": data.X, "selected": selected} | _parameters(data.start)


def _own_start(X):
    """Return a start for data that come without one: two components, the same every time."""
    return kmeans_plus_plus(X, min(2, len(np.unique(X, axis=0))), rng=np.random.default_rng(0))
