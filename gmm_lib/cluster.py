"""Points on a cluster: each partition makes its sums where it is, and only sums travel."""

from functools import reduce

import numpy as np

from gmm_lib._validate import as_sample_weight, refuse_no_weight, refuse_shape
from gmm_lib.blocks import Block
from gmm_lib.rows import Workspace, add
from gmm_lib.sample import Sample


class Partitions:
    """A Dask array, summed where its partitions are.

    Each partition makes its own sums with the same kernels as in memory, and they are added in a
    tree. A lost worker's partitions are computed again elsewhere by Dask, to the same sums. A
    partition is checked on its worker each time it is computed.

    Parameters
    ----------
    array : dask.array.Array, shape (m, d) or (m,)
        Cut by rows only, into parts that fit a worker's memory.
    weight : array_like or dask array, shape (m,), optional

    Raises
    ------
    TypeError, ValueError
        If the array has another rank or is none, or there are not as many weights as points.
    """

    FAN_IN = 8  # results added in one task

    def __init__(self, array, weight=None):
        import dask.array

        if not isinstance(array, dask.array.Array):
            remedy = "pass a two-dimensional dask.array"
            if hasattr(type(array), "to_dask_array"):  # a table, or a column of one
                remedy = "choose the columns that are features and pass to_dask_array(lengths=True)"
            raise TypeError(
                f"X: expected a Dask array, got a Dask {type(array).__name__}; {remedy}."
            )
        if array.ndim == 1:
            array = array[:, None]
        array = _of_known_length(array)
        refuse_shape(array.shape)
        self.array = array.rechunk({1: -1})
        self.m, self.d = array.shape
        self.weight = None
        if weight is not None:
            if not isinstance(weight, dask.array.Array):
                weight = dask.array.asarray(as_sample_weight(weight, self.m))
            weight = _of_known_length(weight)
            if weight.shape != (self.m,):
                as_sample_weight(np.ones(weight.shape), self.m)  # the message about shapes
            self.weight = weight.rechunk((self.array.chunks[0],))

    def total(self, kernel, *, shared=True):
        """Return the sum of kernel(points, weight, workspace) over all partitions."""
        import dask

        kernel = dask.delayed(kernel)  # once a worker, not once a partition
        return self._sum(_summed, lambda number: kernel)

    def sample(self, size, rng):
        """Return at most `size` points drawn from all (see `Sample`), and their weights or None."""
        n = len(self.array.chunks[0])
        seeds = rng.integers(2**63, size=n) if self.m > size else [None] * n
        return self._sum(_sampled, lambda number: (size, seeds[number]))[0].drawn()

    def _sum(self, function, argument):
        """Add up function(argument(number), points, weight) over the partitions."""
        import dask

        parts = self.array.to_delayed().ravel()
        weights = [None] * len(parts) if self.weight is None else self.weight.to_delayed()
        results = [
            dask.delayed(_partition)(function, argument(number), self.d, part, weight, number)
            for number, (part, weight) in enumerate(zip(parts, weights, strict=True))
        ]
        while len(results) > 1:
            results = [
                dask.delayed(_add_all)(results[i : i + self.FAN_IN])
                for i in range(0, len(results), self.FAN_IN)
            ]
        total = results[0].compute()
        if total is None:
            refuse_no_weight(0)
        return total


def _of_known_length(array):
    """The array, its parts counted if nobody knows how long they are: if a table was its source."""
    if np.isnan(array.shape).any():
        return array.copy().compute_chunk_sizes()  # which changes the array it is asked of
    return array


def _partition(function, argument, d, points, weight, number):
    """The function's result on one partition; None if no point is there."""
    points, weight = Block(points, weight, f"partition {number}").checked(d)
    return function(argument, points, weight) if len(points) else None


def _summed(kernel, points, weight):
    return kernel(points, weight, Workspace())


def _sampled(argument, points, weight):
    size, seed = argument  # without a seed all points are wanted, and there is nothing to draw
    draw = np.zeros if seed is None else np.random.default_rng(seed).random
    return (Sample.of(points, weight, size, draw),)


def _add_all(results):
    results = [result for result in results if result is not None]
    return reduce(add, results) if results else None
