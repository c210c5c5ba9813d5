"""Where points may live when they are not in memory: files, functions, clusters.

An `Engine` asks of its source four things: `m` and `d`, how many points and features; `total`, the
sum of a kernel's results over all points; `sample`, some points to start from. `Rows` in
`gmm_lib.engine` answers for an array in memory, `Blocks` for anything that yields rows block by
block and can be walked again, `Partitions` for a Dask array. Another system fits if it can map a
function over its parts and add up the results.
"""

import os
from collections.abc import Iterable, Iterator
from functools import reduce

import numpy as np

from gmm_lib._validate import as_points, as_sample_weight
from gmm_lib.engine import Rows, Workspace, add

# Numbers (8 MB of them) that are read from a file at a time.
READ = 2**20


def as_source(X, sample_weight=None, threads=None):
    """Return the source that answers for X.

    Parameters
    ----------
    X : array_like, shape (m, d) or (m,)
        Taken as it is, in memory; unless it is one of

        - `numpy.memmap`, or the path of an .npy file: read in blocks;
        - a path ending in .parquet, .arrow or .feather, a directory of such files, a pyarrow
          Dataset, Table or ParquetFile: read in batches (`arrow` chooses columns);
        - a function that returns an iterator of blocks, or an iterable of blocks that can be
          walked again; a block is an array (n, d), or a pair of one and its weights (n,);
        - a two-dimensional Dask array: summed where its partitions are.
    sample_weight : array_like, shape (m,), optional
        For an array in memory or a Dask array.
    threads : int, optional

    Raises
    ------
    TypeError, ValueError
        If X is none of these, or can be walked only once.
    """
    if type(X) is np.ndarray:  # most often, and not worth the questions below
        return _in_memory(X, sample_weight, threads)
    if isinstance(X, (Rows, Blocks, Partitions)):
        source = X
    elif isinstance(X, np.memmap):
        source = Blocks(lambda: _memory_map(X), threads=threads)
    elif isinstance(X, (str, os.PathLike)):
        source = _from_path(os.fspath(X), threads)
    elif _belongs_to(X, "dask"):
        return Partitions(X, sample_weight)
    elif _belongs_to(X, "pyarrow"):
        source = arrow(X, threads=threads)
    elif isinstance(X, Iterator):
        raise TypeError(
            f"X: expected data that can be walked again in each iteration, got {type(X).__name__}, "
            "which can be walked once; pass the function that makes it, without calling it."
        )
    elif callable(X):
        source = Blocks(X, threads=threads)
    elif _holds_blocks(X):
        source = Blocks(lambda: iter(X), threads=threads)
    else:
        return _in_memory(X, sample_weight, threads)
    if sample_weight is not None:
        raise TypeError(
            "sample_weight: expected None with blocks, which bring their own weights; "
            "yield pairs (points, weights), or name the column in arrow(..., weight=...)."
        )
    return source


def _in_memory(X, sample_weight, threads):
    """Rows of an array, checked."""
    X = as_points(X)
    return Rows(X, as_sample_weight(sample_weight, len(X)), threads)


def _belongs_to(X, package):
    """Whether X is of a class of that package, without importing it."""
    return type(X).__module__.partition(".")[0] == package


def _holds_blocks(X):
    """Whether X is a collection of blocks and not an array by another name."""
    if isinstance(X, (list, tuple)):
        return len(X) > 0 and all(getattr(block, "ndim", 0) == 2 for block in X)
    return isinstance(X, Iterable) and not hasattr(X, "__array__") and not hasattr(X, "__len__")


class Blocks:
    """Rows that come block by block, as often as asked.

    Parameters
    ----------
    walk : callable
        Returns a fresh iterator of blocks: arrays (n, d), pairs (points (n, d), weights (n,)), or
        `Located` blocks, which know the file they are from.
    threads : int, optional
        How many threads share a block.

    Raises
    ------
    TypeError, ValueError
        At the first block that is not as described, naming it and the row. No row is ever dropped.
    """

    def __init__(self, walk, threads=None):
        self.walk, self.threads = walk, threads
        self.workspaces = [Workspace()]
        self.m = None  # how many points there were in the first walk
        first = next(self.blocks(), None)
        if first is None:
            raise ValueError(
                "X: expected at least one block with points, got none; look at what the function "
                "or file yields."
            )
        self.d = first[0].shape[1]

    def blocks(self):
        """Yield (points, weights or None), checked."""
        d, seen = None, 0
        for number, block in enumerate(self.walk()):
            if not isinstance(block, Located):
                points, weight = block if isinstance(block, tuple) else (block, None)
                block = Located(points, weight, f"block {number}", 0)
            if len(block.points) == 0:
                continue
            points, weight = block.checked(d)
            d, seen = points.shape[1], seen + len(points)
            yield points, weight
        if self.m is None:
            self.m = seen
        elif seen != self.m:
            raise ValueError(
                f"X: expected the same {self.m} points in each walk, got {seen} this time; "
                "the function must return a fresh iterator over the same data each time."
            )

    def total(self, kernel, *, shared=True):
        """Return the sum of kernel(points, weight, workspace) over all points."""

        def one(block):
            rows = Rows(*block, threads=self.threads)
            for work in self.workspaces:
                work.lifted = None  # the next block may come in the array of the last
            rows.workspaces = self.workspaces
            return rows.total(kernel, shared=shared)

        return reduce(add, map(one, self.blocks()))

    def sample(self, size, rng):
        """Return `size` points drawn from all with equal chances, and their weights or None.

        The points with the `size` smallest of as many random numbers are a sample without
        replacement, and the smallest can be kept while walking.
        """
        keys, points, weights = np.empty(0), np.empty((0, self.d)), np.empty(0)
        weighted = False
        for block, weight in self.blocks():
            weighted |= weight is not None
            keys = np.concatenate([keys, rng.random(len(block))])
            points = np.concatenate([points, block])
            weights = np.concatenate([weights, np.ones(len(block)) if weight is None else weight])
            if len(keys) > size:
                kept = np.sort(np.argpartition(keys, size)[:size])
                keys, points, weights = keys[kept], points[kept], weights[kept]
        return points, weights if weighted else None


class Located:
    """A block that knows where its rows are from, for messages."""

    def __init__(self, points, weight, place, first_row):
        self.points, self.weight = points, weight
        self.place, self.first_row = place, first_row

    def checked(self, d):
        """Return float64 points (n, d) and weights, refusing what is not finite.

        Raises
        ------
        TypeError, ValueError
            Naming the place and the row in it.
        """
        points = np.asarray(self.points)
        if points.dtype.kind == "f":
            points = np.asarray(points, dtype=float)
            if not np.isfinite(points.sum()):
                self._refuse(points)
        points = as_points(points, d, name=self.place)
        weight = as_sample_weight(self.weight, len(points)) if self.weight is not None else None
        return points, weight

    def _refuse(self, points):
        rows = points if points.ndim == 2 else points.reshape(len(points), -1)
        bad = ~np.isfinite(rows)
        if bad.any():
            row, column = (int(n) for n in np.argwhere(bad)[0])
            raise ValueError(
                f"{self.place}: expected finite numbers, got {rows[row, column]} in row "
                f"{self.first_row + row}, column {column} (from 0); mend or remove that row in the "
                "data: none is dropped here."
            )


# ------------------------------------------------------------------------------------------- files


def _from_path(path, threads):
    if path.endswith(".npy"):
        return as_source(np.load(path, mmap_mode="r"), threads=threads)
    return arrow(path, threads=threads)


def _memory_map(X):
    rows = X if X.ndim == 2 else X.reshape(len(X), -1)
    step = max(1, READ // rows.shape[1])
    place = str(X.filename)
    for start in range(0, len(rows), step):
        yield Located(rows[start : start + step], None, place, start)


def arrow(source, columns=None, *, weight=None, threads=None):
    """Return a source that reads Parquet or Arrow data in batches (needs pyarrow).

    Parameters
    ----------
    source : path, pyarrow Dataset, Table or ParquetFile
        A path may name a file or a directory of files.
    columns : list of str, optional
        The features, in this order; all columns but `weight` if not given.
    weight : str, optional
        The column that says how often each row counts.
    threads : int, optional

    Returns
    -------
    Blocks

    Raises
    ------
    TypeError, ValueError
        If a column is missing or not numeric. A missing value is refused when it is met, with its
        file and row.
    """
    import pyarrow
    import pyarrow.dataset
    import pyarrow.parquet

    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        form = "parquet" if os.path.isdir(path) else os.path.splitext(path)[1][1:]
        source = pyarrow.dataset.dataset(path, format=form)
    schema = getattr(source, "schema_arrow", None) or getattr(source, "schema", None)
    if isinstance(source, pyarrow.RecordBatchReader) or not isinstance(schema, pyarrow.Schema):
        raise TypeError(
            f"X: expected Arrow data that can be read again, got {type(source).__name__}; pass a "
            "path, a pyarrow Dataset, a Table or a ParquetFile."
        )
    names = [name for name in schema.names if name != weight] if columns is None else list(columns)
    for name in names + ([weight] if weight else []):
        if name not in schema.names:
            raise ValueError(
                f"columns: expected columns of the data, got {name!r}; "
                f"choose from {', '.join(schema.names)}."
            )
        kind = schema.field(name).type
        if not (pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)):
            raise TypeError(
                f"columns: expected numeric columns, got {name!r} of type {kind}; "
                "name the features in columns=[...]."
            )
    wanted = names + ([weight] if weight else [])
    rows = max(1, READ // len(wanted))

    def parts():
        """The files, or the one table, with an iterator over the batches of each."""
        if isinstance(source, pyarrow.Table):
            yield "table", source.select(wanted).to_batches(max_chunksize=rows)
        elif isinstance(source, pyarrow.parquet.ParquetFile):
            yield "Parquet file", source.iter_batches(batch_size=rows, columns=wanted)
        else:
            for number, part in enumerate(source.get_fragments()):
                place = getattr(part, "path", None) or f"fragment {number}"
                yield place, part.to_batches(columns=wanted, batch_size=rows)

    def walk():
        for place, batches in parts():
            first_row = 0
            for batch in batches:
                arrays = [batch.column(n).to_numpy(zero_copy_only=False) for n in wanted]
                points = np.column_stack(arrays[: len(names)]).astype(float, copy=False)
                yield Located(points, arrays[-1] if weight else None, place, first_row)
                first_row += len(points)

    return Blocks(walk, threads=threads)


# ----------------------------------------------------------------------------------------- cluster


class Partitions:
    """A Dask array, summed where its partitions are; only sums travel.

    Each partition makes its own sums with the same kernels as in memory, and they are added in a
    tree. A lost worker's partitions are computed again elsewhere by Dask, to the same sums.

    Parameters
    ----------
    array : dask.array.Array, shape (m, d)
        Cut by rows only, into parts that fit a worker's memory.
    weight : array_like or dask array, shape (m,), optional

    Raises
    ------
    ValueError
        If the array has another rank.
    """

    FAN_IN = 8  # results added in one task

    def __init__(self, array, weight=None):
        if array.ndim != 2:
            raise ValueError(
                f"X: expected a Dask array of shape (m, d), got {array.ndim} dimension"
                f"{'s'[: array.ndim != 1]}; reshape it, for one feature to (m, 1)."
            )
        import dask.array

        if np.isnan(array.shape[0]):  # made from a table of unknown length
            array = array.compute_chunk_sizes()
        self.array = array.rechunk({1: -1})
        self.m, self.d = array.shape
        self.weight = None
        if weight is not None:
            self.weight = dask.array.asarray(weight).rechunk((self.array.chunks[0],))

    def total(self, kernel, *, shared=True):
        """Return the sum of kernel(points, weight, workspace) over all partitions."""
        import dask

        parts = self.array.to_delayed().ravel()
        weights = [None] * len(parts) if self.weight is None else self.weight.to_delayed()
        kernel = dask.delayed(kernel)  # once a worker, not once a partition
        results = [
            dask.delayed(_partition)(kernel, part, weight, number)
            for number, (part, weight) in enumerate(zip(parts, weights, strict=True))
        ]
        while len(results) > 1:
            results = [
                dask.delayed(_add_all)(results[i : i + self.FAN_IN])
                for i in range(0, len(results), self.FAN_IN)
            ]
        return results[0].compute()

    def sample(self, size, rng):
        """Return at most `size` points drawn with equal chances, and their weights or None."""
        m = self.array.shape[0]
        rows = np.sort(rng.choice(m, size=min(size, m), replace=False))
        weight = None if self.weight is None else self.weight[rows].compute()
        return self.array[rows].compute(), weight


def _partition(kernel, points, weight, number):
    points, weight = Located(points, weight, f"partition {number}", 0).checked(None)
    return kernel(points, weight, Workspace())


def _add_all(results):
    return reduce(add, results)
