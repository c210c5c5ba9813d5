"""Points that come block by block, as often as asked: too many for memory, or in a stream."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from gmm_lib import tables
from gmm_lib._validate import as_count, as_points, as_sample_weight, refuse_no_weight
from gmm_lib.rows import Rows, Workspace, add, present
from gmm_lib.sample import Sample


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows, where they are from, and the number of the first of them there."""

    points: object
    weight: object
    place: str
    first_row: int = 0

    def checked(self, d):
        """Return the points (n, d) as float64 and their weights, both without absent points.

        Raises
        ------
        TypeError, ValueError
            Naming the place and the row in it, if they are not what `as_points` takes.
        """
        here = {"name": self.place, "first_row": self.first_row}
        points = as_points(self.points, d, least=0, **here)
        here["name"] += ", weights"
        return present(points, as_sample_weight(self.weight, len(points), **here))


class Blocks:
    """Rows that come block by block.

    A block is checked each time it is read, for what a function or a file gives now need not be
    what it gave before.

    Parameters
    ----------
    walk : callable
        Returns a fresh iterator of blocks: arrays or tables (n, d), pairs (points (n, d), weights
        (n,)), or `Block`, which knows the file it is from.
    threads : int, optional
        How many threads share a block.

    Raises
    ------
    TypeError, ValueError
        At the first block that is not as described, naming it and the row. No row is ever dropped.
    """

    def __init__(self, walk, threads=None):
        self.walk = walk
        self.threads = None if threads is None else as_count(threads, "threads")
        self.workspaces = [Workspace()]
        self._m = self.d = None
        self.d = next(self.blocks())[0].shape[1]

    @property
    def m(self):
        """The number of points, known after the first walk."""
        if self._m is None:
            for _ in self.blocks():
                pass
        return self._m

    def blocks(self):
        """Yield (points, weight or None), checked, of each block that has points."""
        d, names, seen, absent = self.d, None, 0, 0
        for number, block in enumerate(self._walk()):
            block = block if isinstance(block, Block) else _located(block, number)
            names = _same_names(block, names)
            points, weight = block.checked(d)
            d, seen = points.shape[1], seen + len(points)
            absent += len(block.points) - len(points)
            if len(points):
                yield points, weight
        if self._m not in (None, seen):
            raise ValueError(
                f"X: expected the same {self._m} points in each walk, got {seen} this time; "
                "the function must return a fresh iterator over the same data each time."
            )
        if seen == 0:
            if absent:
                refuse_no_weight(0)
            raise ValueError(
                "X: expected at least one block with points, got none; look at what the file or "
                "function yields, and that it yields it in each walk."
            )
        self._m = seen

    def _walk(self):
        blocks = self.walk()
        whole = tables.is_table(blocks) or getattr(blocks, "ndim", 3) < 3
        if whole or not isinstance(blocks, Iterable):
            raise TypeError(
                "X: expected a function that returns an iterator of blocks, got one that returns "
                f"{type(blocks).__name__}; make it yield arrays of shape (n, d)."
            )
        return blocks

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
        """Return at most `size` points drawn from all (see `Sample`), and their weights or None.

        They are those that an array in memory would give.
        """
        draw = rng.random if self.m > size else np.zeros  # all of them: nothing to draw
        samples = (Sample.of(*block, size, draw) for block in self.blocks())
        return reduce(lambda a, b: a + b, samples).drawn()


def _located(block, number):
    """A block as a function or an iterable gives it."""
    place = f"block {number}"
    if isinstance(block, tuple) and len(block) == 2:
        return Block(*block, place)
    of_rows = isinstance(block, list) and all(getattr(row, "ndim", 1) < 2 for row in block[:1])
    if isinstance(block, (list, tuple)) and not of_rows:
        raise TypeError(
            f"{place}: expected an array of shape (n, d) or a pair (points, weights), got a "
            f"{type(block).__name__} of {len(block)}; pass the tuple (points, weights)."
        )
    return Block(block, None, place)


def _same_names(block, names):
    """The names of a table's columns, which must be those of the tables before it."""
    found = tables.column_names(block.points)
    if found is None or names is None or found == names:
        return found or names
    raise ValueError(
        f"{block.place}: expected columns {', '.join(map(str, names))} as in the blocks before, "
        f"got {', '.join(map(str, found))}; choose the same columns in the same order."
    )
