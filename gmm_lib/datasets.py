"""The data of the book, each set with its units, its source and, where there is one, the truth.

Every function returns a fresh `Dataset`; nothing is downloaded. The real data sets are read from
CSV files inside the package, the synthetic ones are drawn with fixed seeds and rounded, so that
every reader on every machine sees the same points.

>>> from gmm_lib import datasets
>>> datasets.ten_points().X.ravel()
array([ 1.,  4.,  5.,  6.,  9., 19., 21., 24., 26., 29.])
"""

import csv
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from gmm_lib._validate import as_choice, as_flag
from gmm_lib.mixture import GaussianMixture

SOURCE = "The source of this book: A. Yeo, a post on GMM and EM (in Korean), 2021"


@dataclass(frozen=True, eq=False)
class Dataset:
    """Points with what is known about them.

    Attributes
    ----------
    name : str
        The key of the set in `NAMES`, such as ``"old-faithful"``.
    X : ndarray, shape (m, d)
        The points, read-only; one-dimensional data has d = 1.
    labels : ndarray of int, shape (m,), or None
        Which group each point comes from (0-based), where that is known.
    features : tuple of str, length d
        What each column is.
    units : tuple of str, length d
        The unit of each column; ``"1"`` for a bare number.
    source : str
        Where the data come from, as it should be cited.
    mixture : GaussianMixture or None
        The mixture the points were drawn from, where there is one.
    start : GaussianMixture or None
        A starting point for EM that the book uses with these data.
    label_names : tuple of str
        The name of each group, where the groups have names; else empty.

    Examples
    --------
    >>> data = datasets.iris()
    >>> data
    Dataset('iris', 150 points, features=sepal length, sepal width, petal length, petal width)
    >>> data.X.shape, data.labels.shape, data.label_names
    ((150, 4), (150,), ('setosa', 'versicolor', 'virginica'))
    """

    name: str
    X: np.ndarray
    labels: np.ndarray | None
    features: tuple[str, ...]
    units: tuple[str, ...]
    source: str
    mixture: GaussianMixture | None = None
    start: GaussianMixture | None = None
    label_names: tuple[str, ...] = ()

    def __post_init__(self):
        # Read-only, so that a cell that changes X in place fails instead of changing later cells.
        self.X.setflags(write=False)
        if self.labels is not None:
            self.labels.setflags(write=False)

    def __reduce__(self):  # a copy made from a pickle is read-only, too
        return type(self), tuple(vars(self).values())

    @property
    def m(self) -> int:
        """The number of points."""
        return self.X.shape[0]

    @property
    def d(self) -> int:
        """The number of features."""
        return self.X.shape[1]

    def __repr__(self):
        return f"Dataset({self.name!r}, {self.m} points, features={', '.join(self.features)})"


def ten_points() -> Dataset:
    """Return the ten labelled points on a line that run through the whole book.

    The start, means (3, 10) and variances (8.5, 15.7), is the source's: its hard-label loop gets
    stuck from there with x = 9 on the wrong side, while EM recovers.

    Examples
    --------
    >>> ten = datasets.ten_points()
    >>> ten.X.ravel().tolist()
    [1.0, 4.0, 5.0, 6.0, 9.0, 19.0, 21.0, 24.0, 26.0, 29.0]
    >>> ten.start.means.ravel().tolist()
    [3.0, 10.0]
    """
    return Dataset(
        name="ten-points",
        X=np.array([1.0, 4, 5, 6, 9, 19, 21, 24, 26, 29])[:, None],
        labels=np.repeat([0, 1], 5),
        features=("x",),
        units=("1",),
        source=SOURCE,
        start=GaussianMixture([0.5, 0.5], [3.0, 10.0], [8.5, 15.7]),
    )


def thousand_points() -> Dataset:
    """Return a thousand points from the source's mixture, with the source's far-away start.

    The truth is φ = (0.7, 0.3), means (0, 15), variances (12, 3). The source drew its points
    without keeping a seed; these are drawn with a fixed one and rounded to two decimals, so they
    have the source's distribution but not its very values.

    Examples
    --------
    >>> data = datasets.thousand_points()
    >>> data.X.shape, data.mixture.weights.tolist()
    ((1000, 1), [0.7, 0.3])
    """
    truth = GaussianMixture([0.7, 0.3], [0.0, 15.0], [12.0, 3.0])
    X, labels = _rounded_sample(truth, m=1000, seed=20210208)
    return Dataset(
        name="thousand-points",
        X=X,
        labels=labels,
        features=("x",),
        units=("1",),
        source="Synthetic (fixed seed), distributed as in: " + SOURCE,
        mixture=truth,
        start=GaussianMixture([0.5, 0.5], [-25.0, 20.0], [7.0, 9.5]),
    )


def overlapping() -> Dataset:
    """Return 300 points in the plane from three components that overlap.

    No rule can label these points without error, so responsibilities strictly between 0 and 1
    are what a good answer looks like.

    Examples
    --------
    >>> datasets.overlapping().X.shape
    (300, 2)
    """
    truth = GaussianMixture(
        weights=[0.4, 0.35, 0.25],
        means=[[0.0, 0.0], [3.0, 1.0], [1.0, 4.0]],
        covariances=[
            [[1.5, 0.6], [0.6, 1.0]],
            [[1.0, -0.5], [-0.5, 1.2]],
            [[2.0, 0.3], [0.3, 0.8]],
        ],
    )
    X, labels = _rounded_sample(truth, m=300, seed=1977)
    return Dataset(
        name="overlapping",
        X=X,
        labels=labels,
        features=("x1", "x2"),
        units=("1", "1"),
        source="Synthetic (fixed seed)",
        mixture=truth,
        start=GaussianMixture(
            weights=[1 / 3, 1 / 3, 1 / 3],
            means=[[-2.0, 3.0], [1.0, -2.0], [5.0, 3.0]],
            covariances=np.tile(np.eye(2), (3, 1, 1)),
        ),
    )


def old_faithful() -> Dataset:
    """Return 272 eruptions of the Old Faithful geyser: length, and waiting time to the next.

    The start has both means off the two clouds, so that EM has to swing them into place.

    Examples
    --------
    >>> data = datasets.old_faithful()
    >>> data.X[0].tolist(), data.units
    ([3.6, 79.0], ('min', 'min'))
    """
    return Dataset(
        name="old-faithful",
        X=_numbers(_rows("old_faithful.csv"), 2),
        labels=None,
        features=("eruption length", "waiting time"),
        units=("min", "min"),
        source="Härdle (1991), as in R's data set faithful",
        start=GaussianMixture(
            weights=[0.5, 0.5],
            means=[[2.5, 80.0], [4.5, 55.0]],
            covariances=np.tile(np.diag([0.5, 100.0]), (2, 1, 1)),
        ),
    )


def galaxies(*, corrected: bool = False) -> Dataset:
    """Return the velocities of 82 galaxies from the Corona Borealis region, in 1000 km/s.

    Parameters
    ----------
    corrected : bool
        R's ``MASS::galaxies``, which this file follows, has a typing slip in its 78th value:
        26690 km/s where the published table has 26960. False (the default) keeps the values as
        they are commonly analyzed; True gives the published one.

    Examples
    --------
    >>> data = datasets.galaxies()
    >>> data.X.shape, data.units
    ((82, 1), ('1000 km/s',))
    >>> float(data.X[77, 0]), float(datasets.galaxies(corrected=True).X[77, 0])
    (26.69, 26.96)
    """
    X = _numbers(_rows("galaxies.csv"), 1)
    if as_flag(corrected, "corrected"):
        X[77] = 26960.0
    return Dataset(
        name="galaxies",
        X=X / 1000.0,
        labels=None,
        features=("velocity",),
        units=("1000 km/s",),
        source="Postman, Huchra & Geller (1986); Roeder (1990), as in R's MASS::galaxies",
        start=GaussianMixture([1 / 3, 1 / 3, 1 / 3], [10.0, 20.0, 30.0], [4.0, 4.0, 4.0]),
    )


def iris() -> Dataset:
    """Return 150 iris flowers, four lengths each, with their species as labels.

    The start puts one mean on the first flower of each species, with variance 0.2 in every
    direction: it uses three of the labels, and no more. From there EM reaches the best fit known;
    from the same means with the covariance of all flowers it ends at a lower maximum.

    Examples
    --------
    >>> np.bincount(datasets.iris().labels).tolist()
    [50, 50, 50]
    """
    rows = _rows("iris.csv")
    X = _numbers(rows, 4)
    names, labels = np.unique([row[4] for row in rows], return_inverse=True)
    first = [int(np.argmax(labels == j)) for j in range(3)]
    return Dataset(
        name="iris",
        X=X,
        labels=labels,
        features=("sepal length", "sepal width", "petal length", "petal width"),
        units=("cm", "cm", "cm", "cm"),
        source="Anderson (1935); Fisher (1936)",
        start=GaussianMixture(
            weights=[1 / 3, 1 / 3, 1 / 3],
            means=X[first],
            covariances=np.tile(0.2 * np.eye(4), (3, 1, 1)),
        ),
        label_names=tuple(str(name) for name in names),
    )


def three_clusters(m: int, rng: np.random.Generator) -> Dataset:
    """Return m points in the plane from three round, well separated components.

    Parameters
    ----------
    m : int
        How many points, at least 1.
    rng : numpy.random.Generator
        Where the randomness comes from; the same seed gives the same points.

    Raises
    ------
    TypeError, ValueError
        If m is not a whole number of at least 1, or rng is not a Generator.

    Examples
    --------
    >>> datasets.three_clusters(30, np.random.default_rng(0)).X.shape
    (30, 2)
    """
    truth = GaussianMixture(
        weights=[0.5, 0.3, 0.2],
        means=[[0.0, 0.0], [8.0, 0.0], [4.0, 7.0]],
        covariances=[np.eye(2), 1.5 * np.eye(2), 0.5 * np.eye(2)],
    )
    X, labels = truth.sample(m, rng)
    return Dataset(
        name="three-clusters",
        X=X,
        labels=labels,
        features=("x1", "x2"),
        units=("1", "1"),
        source="Synthetic",
        mixture=truth,
    )


NAMES = {
    "ten-points": ten_points,
    "thousand-points": thousand_points,
    "old-faithful": old_faithful,
    "overlapping": overlapping,
    "galaxies": galaxies,
    "iris": iris,
}


def load(name: str) -> Dataset:
    """Return the data set called `name`, one of the keys of `NAMES`.

    Raises
    ------
    ValueError
        If there is no data set of that name; the message lists those there are.

    Examples
    --------
    >>> datasets.load('old-faithful')
    Dataset('old-faithful', 272 points, features=eruption length, waiting time)
    """
    return NAMES[as_choice(name, "name", NAMES)]()


def _rounded_sample(truth, m, seed):
    """Return m points of `truth`, rounded to two decimals, and their labels.

    Rounding hides the last bits, which may differ between processors, from everything after.
    """
    X, labels = truth.sample(m, np.random.Generator(np.random.PCG64(seed)))
    # + 0.0 turns a rounded -0.0 into 0.0, which prints better.
    return np.round(X, 2) + 0.0, labels


def _rows(file):
    """Return the rows of a CSV file of the package, without its header."""
    text = (files("gmm_lib") / "data" / file).read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines()))[1:]


def _numbers(rows, d):
    """Return the first d columns of `rows` as an array of shape (m, d)."""
    return np.array([[float(cell) for cell in row[:d]] for row in rows])
