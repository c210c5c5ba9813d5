"""One rule at every door: what `fit` takes or refuses in an array, it takes or refuses everywhere.

There is one list of good inputs and one of bad ones. Each goes through every door that can hold it.
A good one gives the fit of the array, a bad one the refusal of the array, with the place named.
"""

import re
import tempfile
import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from gmm_lib import GaussianMixture, fit
from gmm_lib.blocks import Blocks
from gmm_lib.sample import Sample
from gmm_lib.stream import arrow, as_source

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")
pyarrow = pytest.importorskip("pyarrow")
dataset = pytest.importorskip("pyarrow.dataset")
pytest.importorskip("pyarrow.compute")
feather = pytest.importorskip("pyarrow.feather")
parquet = pytest.importorskip("pyarrow.parquet")
dask_array = pytest.importorskip("dask.array")

CUTS = [3, 6]  # blocks and partitions end before these rows, and so do files


# ------------------------------------------------------------------------------------------ doors


def plane(X):
    """X as tables and blocks have it, with two dimensions."""
    return X[:, None] if X.ndim == 1 else X


def columns_of(X):
    """The columns of X by name; those of a masked array as lists, in which None is missing."""
    m, d = plane(X).shape
    listed = np.ma.MaskedArray.tolist if isinstance(X, np.ma.MaskedArray) else np.asarray
    return {chr(ord("a") + j): listed(plane(X)[:, j]) for j in range(d)}


def pandas_frame(X):
    return pandas.DataFrame(plane(X), columns=list(columns_of(X)))


def converted(X, **options):
    """A table of pandas with types of its own, which it has for all but complex numbers."""
    frame = pandas_frame(X)
    return frame if X.dtype.kind == "c" else frame.convert_dtypes(**options)


def polars_frame(X):
    return polars.DataFrame(columns_of(X))


def table(X, weight=None):
    columns = columns_of(X) | ({} if weight is None else {"weight": weight})
    return pyarrow.table({name: pyarrow.array(column) for name, column in columns.items()})


def with_weight(source, weight):
    """Arrow data, and no sample_weight: one of the columns is."""
    return (source if weight is None else arrow(source, weight="weight")), None


def pandas_parquet(X, weight, path):
    """A file with an index that is stored beside the columns."""
    frame = table(X, weight).to_pandas()
    frame.set_index(np.arange(len(frame)) % 3).to_parquet(path)
    return path


def parquet_file(X, weight, path):
    parquet.write_table(table(X, weight), path, row_group_size=2)
    return path


def parquet_folder(X, weight, folder):
    parts = cut(X, weight)
    for n, (points, w) in enumerate(parts):
        if len(points) or len(X) == 0:
            parquet_file(points, w, folder / f"part-{n}.parquet")
    return folder


def feather_file(X, weight, path):
    feather.write_feather(table(X, weight), path)
    return path


def npy(X, folder):
    np.save(folder / "points.npy", X)
    return folder / "points.npy"


def cut(X, weight):
    """The blocks of X with their weights, or with None."""
    rows = [slice(a, b) for a, b in zip([0, *CUTS], [*CUTS, None], strict=True)]
    return [(X[r], None if weight is None else weight[r]) for r in rows]


def blocks(X, weight, form=lambda points: points):
    parts = cut(X if isinstance(X, list) else plane(X), weight)
    return [form(points) if w is None else (form(points), w) for points, w in parts]


def function(X, weight, form=lambda points: points):
    alone = not isinstance(X, list) and X.ndim == 0
    parts = [form(X)] if alone else blocks(X, weight, form)
    return lambda: (part for part in parts)


def dask(X, weight):
    ends = [min(end, len(X)) for end in [0, *CUTS, len(X)]]
    return dask_array.from_array(X, chunks=(tuple(np.diff(ends).tolist()), *X.shape[1:])), weight


def in_memory(row, column):
    return rf"^X: .*X\[{row}(, {column})?\]"


def in_file(name):
    return lambda row, column: rf"{name}: .*row {row}, column {column} \(from 0\)"


def in_part(name):
    def pattern(row, column):
        part = sum(row >= end for end in CUTS)
        return rf"{name % part}: .*row {row - [0, *CUTS][part]}, column {column} \(from 0\)"

    return pattern


@dataclass(frozen=True)
class Door:
    """One way for X to come in.

    make: (X, weight, folder) to what is passed as X and as sample_weight. place: (row, column) to
    the pattern that names them in a message. without: bad inputs that such a thing cannot hold.
    """

    make: object
    place: object = in_memory
    without: frozenset = frozenset()


LIST = {"ragged"}  # what only lists hold
TABLE = LIST | {"three dimensions", "no dimension"}
ARROW = TABLE | {"complex", "too few weights", "too many weights", "weights of two dimensions"}
DOORS = {
    "array": Door(lambda X, w, folder: (X, w)),
    "list": Door(lambda X, w, folder: (X if isinstance(X, list) else X.tolist(), w)),
    "pandas": Door(lambda X, w, folder: (pandas_frame(X), w), without=TABLE),
    "pandas, nullable": Door(lambda X, w, folder: (converted(X), w), without=TABLE),
    "pandas on Arrow": Door(
        lambda X, w, folder: (converted(X, dtype_backend="pyarrow"), w),
        without=TABLE,
    ),
    "polars": Door(lambda X, w, folder: (polars_frame(X), w), without=TABLE),
    "memory map": Door(
        lambda X, w, folder: (np.load(npy(X, folder), mmap_mode="r"), w),
        in_file("points.npy"),
        LIST | {"masked", "missing"},
    ),
    ".npy": Door(
        lambda X, w, folder: (npy(X, folder), w), in_file("points.npy"), LIST | {"masked"}
    ),
    "table": Door(lambda X, w, folder: with_weight(table(X, w), w), in_file("table"), ARROW),
    "record batch": Door(
        lambda X, w, folder: with_weight(table(X, w).to_batches()[0], w),
        in_file("table"),
        ARROW | {"no points", "no features"},
    ),
    "Parquet": Door(
        lambda X, w, folder: with_weight(parquet_file(X, w, folder / "x.parquet"), w),
        in_file(r"x\.parquet"),
        ARROW,
    ),
    "Parquet of pandas": Door(
        lambda X, w, folder: with_weight(pandas_parquet(X, w, folder / "x.parquet"), w),
        in_file(r"x\.parquet"),
        ARROW,
    ),
    "Parquet folder": Door(
        lambda X, w, folder: with_weight(parquet_folder(X, w, folder), w),
        in_part(r"part-%d\.parquet"),
        ARROW,
    ),
    "Feather": Door(
        lambda X, w, folder: with_weight(feather_file(X, w, folder / "x.feather"), w),
        in_file(r"x\.feather"),
        ARROW,
    ),
    "Dataset": Door(
        lambda X, w, folder: with_weight(dataset.dataset(parquet_folder(X, w, folder)), w),
        in_part(r"part-%d\.parquet"),
        ARROW,
    ),
    "ParquetFile": Door(
        lambda X, w, folder: with_weight(
            parquet.ParquetFile(parquet_file(X, w, folder / "x.parquet")), w
        ),
        in_file("Parquet file"),
        ARROW,
    ),
    "list of blocks": Door(
        lambda X, w, folder: (blocks(X, w), None),
        in_part("block %d"),
        {"no dimension"},
    ),
    "list of frames": Door(
        lambda X, w, folder: (blocks(X, w, pandas_frame), None), in_part("block %d"), TABLE
    ),
    "function": Door(lambda X, w, folder: (function(X, w), None), in_part("block %d")),
    "function of tables": Door(
        lambda X, w, folder: (function(X, w, table), None),
        in_part("block %d"),
        TABLE | {"complex"},
    ),
    "Dask": Door(lambda X, w, folder: dask(X, w), in_part("partition %d"), LIST | {"no dimension"}),
}


# ------------------------------------------------------------------------------------ good inputs

X = np.array([1, 4, 5, 6, 9, 19, 21, 24, 26, 29.5])[:, None] * [1, -0.5] + [
    [0, j % 3] for j in range(10)
]
ZEROS_FIRST = np.array([0, 0, 0, 0, 1, 2, 1, 3, 1, 1.0])
FAR = X.copy()
FAR[:2] = [[-1e15, 1e12], [1e15, 3]]
GOOD = {
    "floats": (X, None),
    "single precision": (X.astype(np.float32), None),
    "whole numbers": (np.rint(X).astype(np.int32), None),
    "one feature": (X[:, 0], None),
    "one feature as a column": (X[:, :1], None),
    "by columns": (np.asfortranarray(X), None),
    "every second row": (np.repeat(X, 2, axis=0)[::2], None),
    "far from zero": (X + 1e9, None),
    "in a small unit": (X * 1e70, None),
    "in a large unit": (X * 1e-150, None),
    "weights": (X, np.linspace(0.5, 2, 10)),
    "weights that are whole numbers": (X, np.arange(1, 11)),
    "weight zero in the first block": (X, ZEROS_FIRST),
    "weight zero in the last block": (X, ZEROS_FIRST[::-1].copy()),
    "weight zero for points far away": (FAR, np.r_[0, 0, np.ones(8)]),
}


def start_for(X):
    """A start of as many features as X has."""
    X = plane(X).astype(float)
    spread = np.diag(X[4:].var(axis=0))
    return GaussianMixture([0.5, 0.5], X[[4, 7]], [spread, spread])


def assert_same(found, expected):
    np.testing.assert_allclose(found.log_likelihoods, expected.log_likelihoods, rtol=1e-10)
    for name in ("weights", "means", "covariances"):
        ours, theirs = (getattr(f.mixture, name) for f in (found, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * np.abs(theirs).max())


@pytest.mark.parametrize("what", GOOD)
@pytest.mark.parametrize("door", DOORS)
def test_every_door_gives_the_fit_of_the_array(door, what, tmp_path):
    X, weight = GOOD[what]
    source, sample_weight = DOORS[door].make(X, weight, tmp_path)
    start = start_for(X)
    options = {"tol": 0, "max_iter": 4, "covariance_type": "tied"}
    found = fit(source, start, sample_weight=sample_weight, **options)
    expected = fit(np.asarray(X, dtype=float), start, sample_weight=weight, **options)
    assert_same(found, expected)
    present = slice(None) if weight is None else weight > 0
    weight = None if weight is None else weight[present]
    assert_same(found, fit(X[present], start, sample_weight=weight, **options))


def test_a_point_of_weight_zero_may_be_anywhere(monkeypatch):
    """By products, too, where all is told about a center: the mean of what is there."""
    monkeypatch.setattr("gmm_lib.engine.FEW", 0)
    _, weight = GOOD["weight zero for points far away"]
    options = {"tol": 0, "max_iter": 4, "covariance_type": "tied"}
    found = fit(FAR, start_for(X), sample_weight=weight, **options)
    assert_same(found, fit(X[2:], start_for(X), **options))


def test_labels_to_start_from_are_given_for_absent_points_too():
    labels, weight = np.arange(10) % 2, ZEROS_FIRST
    options = {"tol": 0, "max_iter": 2, "covariance_type": "tied"}
    found = fit(X, 2, init=labels, sample_weight=weight, **options)
    here = weight > 0
    assert_same(found, fit(X[here], 2, init=labels[here], sample_weight=weight[here], **options))


@pytest.mark.parametrize("what", ["floats", "one feature", "weight zero in the first block"])
@pytest.mark.parametrize("door", DOORS)
def test_every_door_draws_the_starts_of_the_array(door, what, tmp_path):
    X, weight = GOOD[what]
    source, sample_weight = DOORS[door].make(X, weight, tmp_path)
    options = {"tol": 0, "max_iter": 3, "covariance_type": "spherical"}
    found = fit(source, 2, rng=np.random.default_rng(1), sample_weight=sample_weight, **options)
    expected = fit(X, 2, rng=np.random.default_rng(1), sample_weight=weight, **options)
    assert_same(found, expected)


# ------------------------------------------------------------------------------------- bad inputs


def with_entry(value, row=7, column=1):
    bad = X.copy()
    bad[row, column] = value
    return bad


def weights_with(value, row=7):
    weight = np.ones(10)
    weight[row] = value
    return weight


NO_NUMBERS = "expected (real numbers|numeric columns), got"
# A list or a table has no mask: what is missing is None, an object of its own, or NaN.
MISSING = f"without masked entries|expected finite numbers|{NO_NUMBERS}|Python objects"
WRONG = (TypeError, ValueError)
# X, weight, the error, what the message says, and the row and column it names
BAD = {
    "NaN": (with_entry(np.nan), None, ValueError, "expected finite numbers", (7, 1)),
    "infinity": (with_entry(np.inf, 0), None, ValueError, "expected finite numbers", (0, 1)),
    "minus infinity": (with_entry(-np.inf, 9, 0), None, ValueError, "finite numbers", (9, 0)),
    "NaN in one feature": (
        np.r_[X[:5, 0], np.nan, X[6:, 0]],
        None,
        ValueError,
        "expected finite numbers",
        (5, 0),
    ),
    "too large": (with_entry(1e200, 4), None, ValueError, "magnitudes below 1e.150", (4, 1)),
    "masked": (
        np.ma.array(X, mask=X[5, 1] == X),
        None,
        WRONG,
        MISSING,
        None,
    ),
    "missing": (
        np.where(X[5, 1] == X, None, X),
        None,
        WRONG,
        MISSING,
        None,
    ),
    "complex": (X + 1j, None, TypeError, NO_NUMBERS, None),
    "words": (X.astype(str), None, TypeError, NO_NUMBERS, None),
    "truth values": (X > 5, None, TypeError, NO_NUMBERS, None),
    "dates": (
        np.full((10, 2), np.datetime64("2021-02-08", "us")),
        None,
        TypeError,
        NO_NUMBERS,
        None,
    ),
    "three dimensions": (
        np.ones((10, 2, 2)),
        None,
        ValueError,
        r"expected (shape \(m, d\)|a block of shape \(n, d\)).*\d, 2, 2\)",
        None,
    ),
    "no dimension": (np.array(3.0), None, ValueError, r"expected.* shape \(., d\).*\(\)", None),
    "no points": (X[:0], None, ValueError, "expected at least (1 point|one block)", None),
    "no features": (X[:, :0], None, ValueError, "expected at least.* feature", None),
    "ragged": (
        [[1.0, 2.0], [3.0, 4.0], [5.0], [6.0, 7.0]],
        None,
        ValueError,
        "rectangular array.*rows of different lengths",
        None,
    ),
    "negative weight": (X, weights_with(-1), ValueError, "no negative weight, got .*-1", 7),
    "NaN weight": (X, weights_with(np.nan), ValueError, "expected finite numbers", 7),
    "infinite weight": (X, weights_with(np.inf), ValueError, "expected finite numbers", 7),
    "all weights zero": (X, np.zeros(10), ValueError, "at least one positive weight", None),
    "too few weights": (X, np.ones(9), ValueError, "one weight a point", None),
    "too many weights": (X, np.ones(11), ValueError, "one weight a point", None),
    "weights of two dimensions": (X, np.ones((10, 1)), ValueError, "one weight a point", None),
    "weights that are words": (X, np.full(10, "a"), TypeError, NO_NUMBERS, None),
    "masked weight": (
        X,
        np.ma.array(np.ones(10), mask=np.arange(10) == 5),
        ValueError,
        MISSING,
        None,
    ),
}
HELD = [(door, what) for door in DOORS for what in BAD if what not in DOORS[door].without]
NOT_HELD = [(door, what) for door in DOORS for what in BAD if what in DOORS[door].without]


def fit_through(door, X, weight, folder):
    source, sample_weight = DOORS[door].make(X, weight, folder)
    fit(source, 2, rng=np.random.default_rng(0), sample_weight=sample_weight)


@pytest.mark.parametrize(("door", "what"), HELD)
def test_every_door_refuses_what_the_array_does(door, what, tmp_path):
    X, weight, error, message, place = BAD[what]
    with pytest.raises(error, match=message) as refusal:
        fit_through(door, X, weight, tmp_path)
    text = str(refusal.value)
    assert refusal.traceback[-1].path.parent.name == "gmm_lib", "refused by someone else"
    assert ": expected " in text
    assert ", got " in text
    assert "; " in text.split(", got ")[1]
    if isinstance(place, tuple):
        assert re.search(DOORS[door].place(*place), text), text
    elif place is not None:
        part = sum(place >= cut for cut in CUTS)
        row = place - [0, *CUTS][part]
        rows = rf"sample_weight\[{place}\]|weights: .* row ({place}|{row}) \(from 0\)"
        assert re.search(rows, text), text


@pytest.mark.parametrize(("door", "what"), NOT_HELD)
def test_what_a_door_is_said_not_to_hold_it_does_not(door, what, tmp_path):
    X, weight, *_ = BAD[what]
    try:
        source, sample_weight = DOORS[door].make(X, weight, tmp_path)
    except Exception as error:
        place = error.__traceback__
        while place.tb_next:
            place = place.tb_next
        assert "gmm_lib" not in place.tb_frame.f_globals["__name__"]
    else:
        pytest.fail(f"it holds it: {source!r}, {sample_weight!r}")


@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_more_components_than_points(door, tmp_path):
    source, sample_weight = DOORS[door].make(X, None, tmp_path)
    with pytest.raises(ValueError, match="k: expected at most .* got k = 11 for 10 points"):
        fit(source, 11, rng=np.random.default_rng(0), sample_weight=sample_weight)


@pytest.mark.parametrize("door", DOORS)
def test_every_door_counts_points_of_weight_zero_as_absent(door, tmp_path):
    source, sample_weight = DOORS[door].make(X, ZEROS_FIRST, tmp_path)
    with pytest.raises(ValueError, match="k: expected at most .* got k = 7 for 6 points"):
        fit(source, 7, rng=np.random.default_rng(0), sample_weight=sample_weight)


@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_a_start_of_other_features(door, tmp_path):
    source, sample_weight = DOORS[door].make(X, None, tmp_path)
    with pytest.raises(ValueError, match=r"X: expected 1 feature as in the mixture, got 2 .*10, 2"):
        fit(source, start_for(X[:, 0]), sample_weight=sample_weight)


# ------------------------------------------------------- what only one kind of source can get wrong


def lazy_sum():
    import dask

    return dask.delayed(sum)([1, 2])


def structured():
    return np.array([(1.0, 2.0)], dtype=[("length", float), ("width", float)])


def sparse():
    from scipy.sparse import csr_matrix

    return csr_matrix(np.eye(3))


def dask_frame():
    import dask.dataframe

    return dask.dataframe.from_pandas(pandas_frame(X), npartitions=2)


def with_columns(*names):
    """A table of pandas whose columns have these names."""
    return pandas.DataFrame(X, columns=names)


def renamed(*names):
    """A table of Arrow whose columns have these names."""
    return table(X).rename_columns(list(names))


def filtered(folder):
    return dataset.dataset(folder).filter(pyarrow.compute.field("a") > 4)


def saved(path, content):
    path.write_bytes(content)
    return path


NO_POINTS = {
    "None": (lambda folder: None, TypeError, "got None; pass an array"),
    "a number": (lambda folder: 3, ValueError, r"expected shape \(m, d\).* got shape \(\)"),
    "a set": (lambda folder: {1, 2}, TypeError, "got set; pass an array, or a list with a row"),
    "a dict": (
        lambda folder: {"a": [1, 2]},
        TypeError,
        r"got dict; pass one of its values, or np.column_stack\(list\(X",
    ),
    "a mixture": (
        lambda folder: GaussianMixture([1], [0], [1]),
        TypeError,
        "got GaussianMixture; pass an array",
    ),
    "a structured array": (
        lambda folder: structured(),
        TypeError,
        r"got a structured array with fields length, width; pass .*structured_to_unstructured\(X",
    ),
    "structured blocks": (
        lambda folder: lambda: iter([structured()]),
        TypeError,
        "block 0: .* got a structured array.*structured_to_unstructured.the array",
    ),
    "a sparse matrix": (lambda folder: sparse(), TypeError, r"got csr_matrix; pass X.toarray\(\)"),
    "a LazyFrame": (
        lambda folder: polars_frame(X).lazy(),
        TypeError,
        r"in memory, got a LazyFrame; pass X.collect\(\)",
    ),
    "a column of words": (lambda folder: polars.Series(["a"]), TypeError, "numeric columns, got"),
    "an Arrow array of words": (lambda folder: pyarrow.array(["a"]), TypeError, "numeric columns"),
    "a Dask table": (
        lambda folder: dask_frame(),
        TypeError,
        r"got a Dask DataFrame; .*to_dask_array\(lengths=True\)",
    ),
    "a Dask task": (lambda folder: lazy_sum(), TypeError, "got a Dask Delayed; pass a two-dimen"),
    "an iterator": (
        lambda folder: iter([X]),
        TypeError,
        "walked again.*pass the function that makes it",
    ),
    "batches read once": (
        lambda folder: table(X).to_reader(),
        TypeError,
        "read again, got RecordBatchReader; pass",
    ),
    "a function of a number": (
        lambda folder: lambda: 3,
        TypeError,
        "returns an iterator of blocks, got one that returns int",
    ),
    "a function of an array": (
        lambda folder: lambda: X,
        TypeError,
        "an iterator of blocks, got one that returns ndarray; make it yield arrays",
    ),
    "a function of a table": (
        lambda folder: lambda: polars_frame(X),
        TypeError,
        "an iterator of blocks, got one that returns DataFrame; make it yield arrays",
    ),
    "a function of one iterator": (
        lambda folder: (lambda blocks: lambda: blocks)(iter(np.split(X, CUTS))),
        ValueError,
        "the same 7 points in each walk, got 0 this time; .* a fresh iterator",
    ),
    "a filtered Dataset": (
        lambda folder: filtered(parquet_folder(X, None, folder)),
        ValueError,
        "got one that is filtered or projected; pass a function of its batches, lambda: X.to_b",
    ),
    "arrays by name": (
        lambda folder: np.load(np.savez(folder / "x.npz", a=X) or folder / "x.npz"),
        TypeError,
        "got NpzFile; pass one of its values",
    ),
    "numbers that only long doubles hold": (
        lambda folder: X.astype(np.longdouble) * np.longdouble("1e4000"),
        ValueError,
        "expected finite numbers",
    ),
    "a function of no blocks": (
        lambda folder: lambda: iter([]),
        ValueError,
        "at least one block with points, got none",
    ),
    "a function of rows": (
        lambda folder: lambda: iter(X),
        ValueError,
        r"block 0: expected a block of shape \(n, d\).* got shape \(2,\)",
    ),
    "a function of one column in pieces": (
        lambda folder: lambda: iter(np.split(X[:, 0], CUTS)),
        ValueError,
        r"block 0: .* got shape \(3,\); .*a single feature to \(n, 1\)",
    ),
    "points and weights as blocks": (
        lambda folder: [X, np.ones(10)],
        ValueError,
        r"block 1: .*got shape \(10,\); .*pass weights in a pair \(points, weights\)",
    ),
    "blocks that are lists of points and weights": (
        lambda folder: lambda: iter([[X, np.ones(10)]]),
        TypeError,
        r"block 0: .*got a list of 2; pass the tuple \(points, weights\)",
    ),
    "blocks that are triples": (
        lambda folder: [(X, np.ones(10), 3), (X, np.ones(10), 3)],
        TypeError,
        "block 0: .*got a tuple of 3",
    ),
    "blocks of other features": (
        lambda folder: [X, X[:, :1]],
        ValueError,
        "block 1: expected 2 features as in the blocks before, got 1",
    ),
    "a masked block": (
        lambda folder: [X, np.ma.array(X, mask=X == 6)],
        ValueError,
        "block 1: expected an array without masked entries, got 1 masked",
    ),
    "masked rows in a list": (
        lambda folder: [np.ma.array([1.0, 2], mask=[0, 1]), np.ma.array([1.0, 2], mask=[0, 0])],
        ValueError,
        "without masked entries, got 1 masked",
    ),
    "masked entries in a list of lists": (
        lambda folder: [[1.0, np.ma.masked], [1.0, 2.0], [np.ma.masked, 3.0]],
        ValueError,
        "X: expected an array without masked entries, got 2 masked",
    ),
    "infinities of both signs, every second row": (
        lambda folder: np.repeat([[1.0], [np.inf], [-np.inf]], 2, axis=0)[::2],
        ValueError,
        r"X: expected finite numbers, got 2 NaN or infinite, the first at X\[1, 0\]",
    ),
    "numbers whose sum is infinite, every second row": (
        lambda folder: np.full((6, 1), 1e308)[::2],
        ValueError,
        r"magnitudes below 1e\+150, got X\[0, 0\] = 1e\+308",
    ),
    "tables of other columns": (
        lambda folder: [with_columns("a", "b"), with_columns("b", "a")],
        ValueError,
        "block 1: expected columns a, b as in the blocks before, got b, a; choose the same",
    ),
    "a name twice, pandas": (
        lambda folder: with_columns("a", "a"),
        ValueError,
        "X: expected columns of different names, got 'a' twice; rename",
    ),
    "a name twice, Arrow": (
        lambda folder: renamed("a", "a"),
        ValueError,
        "columns: expected columns of different names, got 'a' twice; rename",
    ),
    "a name twice, in blocks": (
        lambda folder: lambda: iter([renamed("a", "a")]),
        ValueError,
        "block 0: expected columns of different names, got 'a' twice; rename",
    ),
    "no such file": (lambda folder: folder / "x.npy", FileNotFoundError, "expected the path of a"),
    "no such directory": (lambda folder: f"{folder}/x", FileNotFoundError, "there is no such"),
    "a text file": (
        lambda folder: saved(folder / "x.csv", b"1,2\n"),
        ValueError,
        r"x.csv: expected \.npy, .* got \.csv; read",
    ),
    "an .npz file": (
        lambda folder: np.savez(folder / "x.npz", X) or folder / "x.npz",
        ValueError,
        r"x.npz: expected .* got \.npz; .*np.load\(path\)\[name\]",
    ),
    "a directory of nothing": (lambda folder: folder, ValueError, "got no files; read"),
    "a directory of many things": (
        lambda folder: saved(parquet_folder(X, None, folder) / "x.csv", b"").parent,
        ValueError,
        r"got \.csv, \.parquet",
    ),
    "a file that is no .npy": (
        lambda folder: saved(folder / "x.npy", b"no numbers"),
        ValueError,
        r"x.npy: expected an array of numbers, got a file that cannot be mapped \(.*; save",
    ),
    "an empty .npy": (
        lambda folder: saved(folder / "x.npy", b""),
        ValueError,
        "got a file that cannot be mapped",
    ),
    "a file that is no Parquet": (
        lambda folder: saved(folder / "x.parquet", b"no numbers"),
        ValueError,
        r"x.parquet: expected parquet data, got a file that cannot be read \(.*; write it again",
    ),
}


@pytest.mark.parametrize("what", NO_POINTS)
def test_what_is_no_points_is_refused_with_what_to_do(what, tmp_path):
    make, error, message = NO_POINTS[what]
    points = make(tmp_path)
    with (
        pytest.raises(error, match=re.compile(message, re.DOTALL)) as refusal,
        warnings.catch_warnings(action="error"),
    ):
        fit(points, 2, rng=np.random.default_rng(0))
    assert re.search(r": expected .*, got .*; .*\.$", str(refusal.value), re.DOTALL)


def test_a_stored_index_is_no_feature(tmp_path):
    frame = with_columns("a", "b")
    frame = frame[frame.a != 9]
    frame.to_parquet(tmp_path / "frame.parquet")
    expected = fit(X[X[:, 0] != 9], start_for(X), max_iter=2)
    assert_same(fit(tmp_path / "frame.parquet", start_for(X), max_iter=2), expected)
    named = frame.reset_index(names="row").set_index(["row", "a"])
    named.to_parquet(tmp_path / "named.parquet")
    assert as_source(tmp_path / "named.parquet").d == 1
    batches = pyarrow.Table.from_pandas(frame).to_batches()
    assert batches[0].num_columns == 3
    assert_same(fit(lambda: iter(batches), start_for(X), max_iter=2), expected)
    assert_same(fit(batches[0], start_for(X), max_iter=2), expected)
    # Asked for by name it is a column like others.
    assert arrow(tmp_path / "named.parquet", ["row", "a"]).d == 2


def test_a_column_that_is_a_directory_is_a_feature_if_the_dataset_says_so(tmp_path):
    side = (X[:, :1] > 9).astype(int)
    schema = pyarrow.schema([("side", pyarrow.int64())])
    by_side = dataset.partitioning(schema, flavor="hive")
    whole = table(X).append_column("side", [side[:, 0]])
    dataset.write_dataset(whole, tmp_path, format="parquet", partitioning=by_side)
    assert_same(fit(tmp_path, start_for(X), max_iter=2), fit(X, start_for(X), max_iter=2))
    source = as_source(dataset.dataset(tmp_path, partitioning="hive"))
    np.testing.assert_array_equal(source.sample(10, None)[0], np.c_[X, side])


def test_batches_of_a_filtered_dataset_are_blocks(tmp_path):
    some = filtered(parquet_folder(X, None, tmp_path))
    found = fit(lambda: some.to_batches(), start_for(X), max_iter=2)
    assert_same(found, fit(X[X[:, 0] > 4], start_for(X), max_iter=2))


def test_columns_of_several_types_are_one_array():
    frame = pandas.DataFrame(
        {
            "a": pandas.array([1, 2, 3, 5], dtype="Int64"),
            "b": np.array([1, 2, 3, 5], dtype=np.float32),
            "c": pandas.array([0.5, 1, 2, 9], dtype="Float64"),
            "d": pandas.arrays.SparseArray([0, 0, 1, 4.0]),
        }
    )
    expected = np.array([[1, 1, 0.5, 0], [2, 2, 1, 0], [3, 3, 2, 1], [5, 5, 9, 4]])
    np.testing.assert_array_equal(as_source(frame).X, expected)
    np.testing.assert_array_equal(
        as_source(polars.from_pandas(frame[["a", "b"]])).X, expected[:, :2]
    )
    np.testing.assert_array_equal(as_source(frame["a"]).X, expected[:, :1])
    np.testing.assert_array_equal(as_source(pyarrow.array([1, 2])).X, [[1], [2]])
    frame.loc[2, "a"] = pandas.NA
    with pytest.raises(ValueError, match=r"got 1 NaN or infinite, the first at X\[2, 0\]"):
        as_source(frame)


def test_tables_are_taken_wherever_arrays_are():
    mixture = start_for(X)
    expected = mixture.log_density(X)
    for form in (pandas_frame(X).convert_dtypes(), polars_frame(X), table(X)):
        np.testing.assert_array_equal(mixture.log_density(form), expected)
    weight = pandas.Series(np.arange(10), dtype="Int64")
    found = fit(pandas_frame(X), mixture, sample_weight=weight, max_iter=2)
    assert_same(found, fit(X, mixture, sample_weight=np.arange(10), max_iter=2))


def test_a_table_of_floats_is_not_copied():
    frame = pandas_frame(X)
    assert np.shares_memory(as_source(frame).X, frame.to_numpy())


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"columns": []}, ValueError, "at least one feature, got none; choose from a, b, name, w"),
        ({"columns": "ab"}, TypeError, r"a list of names, got 'ab'; pass \['ab'\]"),
        ({"columns": 1}, TypeError, r"a list of names, got 1; pass \[1\]"),
        ({"columns": ["a", "a"]}, ValueError, "different names, got 'a' twice"),
        ({"columns": ["a"], "weight": "a"}, ValueError, "different names, got 'a' twice"),
        ({"columns": ["c"]}, ValueError, "columns: expected columns of the data, got 'c'; choose"),
        ({"columns": ["a"], "weight": "c"}, ValueError, "weight: expected columns of the data"),
        ({"columns": ["name"]}, TypeError, "numeric columns, got 'name' of type string"),
        ({"columns": ["a"], "weight": "name"}, TypeError, "got 'name' of type string"),
        ({}, TypeError, "numeric columns, got 'name' of type string; choose the columns"),
        ({"columns": ["a"], "threads": 0}, ValueError, "threads: expected at least 1, got 0"),
    ],
)
def test_arrow_refuses_columns_that_cannot_be_features(options, error, message):
    columns = table(X).append_column("name", [["x"] * 10]).append_column("w", [np.ones(10)])
    with pytest.raises(error, match=message):
        arrow(columns, **options)


def test_a_file_that_is_not_there_is_not_called_unreadable(tmp_path):
    with pytest.raises(FileNotFoundError, match="X: expected the path of a file, got .*no such"):
        arrow(tmp_path / "x.parquet")


def test_arguments_without_a_use_are_refused():
    for source, options, message in (
        (table(X), {"sample_weight": np.ones(10)}, "blocks, which bring their own weights"),
        (dask_array.ones((10, 2)), {"threads": 2}, "threads: expected None with Dask"),
        (arrow(table(X)), {"threads": 2}, "threads: expected None with a source"),
    ):
        with pytest.raises(TypeError, match=message):
            fit(source, start_for(X), **options)


def test_a_memory_map_of_a_file_without_a_name():
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, dtype=float, mode="w+", shape=X.shape)
        mapped[:] = X
        assert_same(fit(mapped, start_for(X), max_iter=2), fit(X, start_for(X), max_iter=2))
        mapped[7, 1] = np.inf
        with pytest.raises(ValueError, match="memory map: .*got inf in row 7, column 1"):
            fit(mapped, start_for(X))


# ------------------------------------------------------------------------------- starts of a sample


def test_a_sample_stands_for_the_weights_of_all():
    """Priority sampling: the estimate of each point's weight is right in the mean."""
    rng = np.random.default_rng(0)
    points = np.arange(40.0)[:, None]
    weight = np.r_[np.full(30, 0.5), np.arange(1, 10), 100.0]
    total, draws = np.zeros(40), 4000
    for _ in range(draws):
        parts = zip(np.split(points, [7, 25]), np.split(weight, [7, 25]), strict=True)
        samples = [Sample.of(*part, 10, rng.random) for part in parts]
        drawn, stands_for = (samples[0] + (samples[1] + samples[2])).drawn()
        assert len(drawn) == 10
        assert drawn[-1] == 39  # it weighs more than all the others
        total[drawn[:, 0].astype(int)] += stands_for
    # The variance of an estimate is below weight · Σ weight / (size - 1).
    error = np.sqrt(weight * weight.sum() / 9 / draws)
    assert (np.abs(total / draws - weight) < 4 * error).all()
    assert total[-1] / draws == pytest.approx(100)


@pytest.mark.parametrize("door", ["function", "Dask"])
def test_a_start_does_not_miss_few_points_that_weigh_much(door, tmp_path, monkeypatch):
    monkeypatch.setattr("gmm_lib.fitting.START_SAMPLE", 50)
    rng = np.random.default_rng(0)
    many = np.r_[rng.normal(size=(5000, 1)), 50 + rng.normal(size=(3, 1))]
    weight = np.r_[np.full(5000, 1e-3), np.full(3, 10.0)]
    source, sample_weight = DOORS[door].make(many, weight, tmp_path)
    found = fit(source, 2, rng=np.random.default_rng(0), sample_weight=sample_weight)
    np.testing.assert_allclose(np.sort(found.mixture.means[:, 0]), [0, 50], atol=1.5)


@pytest.mark.parametrize("door", ["function", ".npy", "Parquet folder"])
def test_a_sample_of_blocks_is_that_of_the_array(door, tmp_path):
    weight = None if door == ".npy" else np.linspace(0.1, 3, 10)
    source, sample_weight = DOORS[door].make(X, weight, tmp_path)
    drawn = as_source(source, sample_weight).sample(4, np.random.default_rng(3))
    expected = as_source(X, weight).sample(4, np.random.default_rng(3))
    assert len(drawn[0]) == 4
    np.testing.assert_array_equal(drawn[0], expected[0])
    if weight is not None:
        np.testing.assert_array_equal(drawn[1], expected[1])


def test_partitions_without_points_are_passed_over():
    array = dask_array.from_array(np.sort(X, axis=0), chunks=(3, 2))
    upper = array[array[:, 0] > 8]  # nobody is left in the first partition
    options = {"max_iter": 2, "covariance_type": "diag"}
    found = fit(upper, start_for(X), **options)
    assert_same(found, fit(np.sort(X, axis=0)[4:], start_for(X), **options))
    with pytest.raises(ValueError, match="X: expected at least 1 point of at least one feature"):
        fit(array[array[:, 0] > 99], start_for(X))


def test_a_bad_row_is_found_in_whichever_walk_it_comes():
    walks = iter([X, X, X, with_entry(np.nan)])
    with pytest.raises(ValueError, match="block 0: .* got nan in row 7, column 1"):
        fit(lambda: iter([next(walks)]), start_for(X), tol=0, covariance_type="tied")
    assert next(walks, None) is None


def test_a_stream_is_counted_when_it_is_asked():
    source = Blocks(lambda: iter([X[:3], X[3:]]))
    assert source.m == 10
    assert len(source.sample(4, np.random.default_rng(0))[0]) == 4
