"""The one door for points: whatever holds them becomes a source here, or is refused.

An `Engine` asks of a source four things: `m` and `d`, how many points and features; `total`, the
sum of a kernel's results over all points; `sample`, some points to start from. `Rows` answers for
an array in memory, `Blocks` for anything that yields rows block by block and can be walked again,
`Partitions` for a Dask array. Another system fits if it can map a function over its parts and add
up the results.

All of them keep one rule, `gmm_lib._validate.as_points`: what it takes as an array in memory is
taken from everywhere, and what it refuses is refused everywhere, with the file, block or partition
and the row. Points are looked at when they become float64 rows in memory: an array once, blocks
each time they are read. The engine trusts them.
"""

import os
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import as_count, as_points, as_sample_weight
from gmm_lib.blocks import Blocks
from gmm_lib.cluster import Partitions
from gmm_lib.files import arrow, memory_map, open_path
from gmm_lib.rows import Rows
from gmm_lib.tables import package_of


def as_source(
    X: Any, sample_weight: ArrayLike | None = None, threads: int | None = None
) -> Rows | Blocks | Partitions:
    """Return the source that answers for X.

    Parameters
    ----------
    X : array_like, shape (m, d) or (m,)
        Taken as it is, in memory, and so are tables of pandas and polars; unless it is one of

        - `numpy.memmap`, or the path of an .npy file: read in blocks;
        - a path ending in .parquet, .arrow or .feather, a directory of such files, a pyarrow
          Dataset, Table, RecordBatch or ParquetFile: read in batches (`arrow` chooses columns);
        - a function that returns an iterator of blocks, or an iterable of blocks that can be
          walked again; a block is an array or table (n, d), or a pair of one and its weights (n,);
        - a Dask array: summed where its partitions are.
    sample_weight : array_like, shape (m,), optional
        For arrays: in memory, on disk (memory map, .npy) or of Dask. Points of weight 0 are absent.
    threads : int, optional

    Raises
    ------
    TypeError, ValueError
        If X is none of these, or can be walked only once; or if it holds anything but numbers that
        are finite and not too large to square.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> from gmm_lib.stream import as_source
    >>> blocks = [np.zeros((3, 2)), np.ones((4, 2))]
    >>> source = as_source(lambda: iter(blocks))
    >>> source.m, source.d
    (7, 2)
    """
    if threads is not None:
        threads = as_count(threads, "threads")
    if type(X) is np.ndarray:  # most often, and not worth the questions below
        return _in_memory(X, sample_weight, threads)
    if isinstance(X, (Rows, Blocks, Partitions)):
        _refuse(sample_weight, "sample_weight", "a source, which has its own", "pass them before")
        _refuse(threads, "threads", "a source, which has its own", "pass them where it is made")
        return X
    if isinstance(X, np.memmap):
        return memory_map(X, str(X.filename or "memory map"), sample_weight, threads)
    if isinstance(X, (str, os.PathLike)) and os.fspath(X).lower().endswith(".npy"):
        return open_path(os.fspath(X), sample_weight, threads)
    if package_of(X) == "dask":
        _refuse(threads, "threads", "Dask, which has its own", "set them in its scheduler")
        return Partitions(X, sample_weight)
    if isinstance(X, (str, os.PathLike)):
        source = open_path(os.fspath(X), None, threads)
    elif package_of(X) == "pyarrow" and not hasattr(X, "type"):  # which an Array has
        source = arrow(X, threads=threads)
    elif isinstance(X, Iterator):
        raise TypeError(
            f"X: expected data that can be walked again in each iteration, got {type(X).__name__}, "
            "which can be walked once; pass the function that makes it, without calling it."
        )
    elif callable(X):
        source = Blocks(X, threads)
    elif _holds_blocks(X):
        source = Blocks(lambda: iter(X), threads)
    else:
        return _in_memory(X, sample_weight, threads)
    _refuse(
        sample_weight,
        "sample_weight",
        "blocks, which bring their own weights",
        "yield pairs (points, weights), or name the column in arrow(..., weight=...)",
    )
    return source


def _in_memory(X, sample_weight, threads):
    """Rows of an array, checked."""
    X = as_points(X)
    return Rows(X, as_sample_weight(sample_weight, len(X)), threads)


def _refuse(value, name, where, remedy):
    """Refuse an argument that has no place here."""
    if value is not None:
        raise TypeError(
            f"{name}: expected None with {where}, got {type(value).__name__}; {remedy}."
        )


def _holds_blocks(X):
    """Whether X is a collection of blocks and not an array by another name."""
    if isinstance(X, (list, tuple)):
        return any(_is_block(part) for part in X[:1])
    return isinstance(X, Iterable) and not hasattr(X, "__array__") and not hasattr(X, "__len__")


def _is_block(part):
    """Whether part is a table, an array of several dimensions, or one of these with weights."""
    if isinstance(part, (list, tuple)):
        return len(part) > 0 and _is_block(part[0])
    return getattr(part, "ndim", 0) > 1 or hasattr(part, "columns")
