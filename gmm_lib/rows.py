"""Points in memory, walked by one thread or by several; and what a walk is made of.

A *kernel* is a function of (points, weight, workspace) that returns sums over the points, as a
tuple of things that can be added. Whatever holds points can therefore be walked in parts.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, reduce

import numpy as np

from gmm_lib.sample import Sample

# Multiply-adds a product may have: OpenBLAS runs up to 2^18 in the calling thread, which several
# threads of ours need, and up to a million by kernels without packing, where a processor has them.
ONE_THREAD_PRODUCT, SMALL_PRODUCT = 2**18, 10**6


class Workspace:
    """Arrays kept from one iteration to the next: making them anew costs more than filling them."""

    def __init__(self, product=SMALL_PRODUCT):
        self.product = product  # multiply-adds that a product may have
        self.shapes = self.buffers = None
        self.lifted = None  # the points that the first buffer is made of, if it holds them all

    def arrays(self, *shapes):
        """Return arrays of these shapes, those of the last call if they fit."""
        if shapes != self.shapes:
            self.shapes, self.buffers = shapes, [np.empty(shape) for shape in shapes]
            self.lifted = None
        return self.buffers


def add(a, b):
    """Add results of a kernel on two parts."""
    return tuple(x + y for x, y in zip(a, b, strict=True))


def present(points, weight):
    """Return the points that are there, and their weights: weight 0 is absence.

    Left in, a point of weight 0 would still be somewhere, perhaps so far away that digits are lost.
    """
    if weight is None or weight.all():
        return points, weight
    return points[weight > 0], weight[weight > 0]


def available_threads():
    """Processors this process may use, or OMP_NUM_THREADS if that is set and smaller."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(limit)) if limit.isdigit() and int(limit) else cores


@lru_cache(maxsize=1)
def pool(threads):
    """Threads that wait from one iteration to the next: starting them takes longer than a block."""
    return ThreadPoolExecutor(threads, thread_name_prefix="gmm_lib")


if hasattr(os, "register_at_fork"):  # a forked process inherits the pool without its threads
    os.register_at_fork(after_in_child=pool.cache_clear)


class Rows:
    """An array in memory, walked by one thread or by several, each over rows of its own.

    Input is trusted: `gmm_lib.stream.as_source` is the door.

    Parameters
    ----------
    X : ndarray, shape (m, d)
    weight : ndarray, shape (m,), optional
        Points of weight 0 are left out.
    threads : int, optional
        As many as there are processors, if not given. BLAS may use threads of its own besides.
    """

    # A thread that gets fewer points than this is busier handing over than working.
    LEAST = 48 * 1024

    def __init__(self, X, weight=None, threads=None):
        self.given, self._all_weights = len(X), weight
        self.X, self.weight = present(X, weight)
        self.m, self.d = self.X.shape
        self.threads = threads
        self.workspaces = [Workspace()]

    def total(self, kernel, *, shared=True):
        """Return the sum of kernel(points, weight, workspace) over all points.

        `shared` says whether the kernel's products can be cut small enough for BLAS to stay in the
        calling thread; if not, BLAS's own threads serve better than ours.
        """
        m = len(self.X)
        threads = m // self.LEAST if shared else 1
        if threads > 1:
            threads = min(threads, self.threads or available_threads())
        if threads <= 1:
            return kernel(self.X, self.weight, self.workspaces[0])
        while len(self.workspaces) <= threads:
            self.workspaces.append(Workspace(ONE_THREAD_PRODUCT))
        cuts = [m * t // threads for t in range(threads + 1)]

        def part(t):
            rows = slice(cuts[t], cuts[t + 1])
            weight = None if self.weight is None else self.weight[rows]
            return kernel(self.X[rows], weight, self.workspaces[t + 1])

        return reduce(add, pool(threads).map(part, range(threads)))

    def of_present(self, values):
        """Return of `values`, one row for each point given, the rows of those that are present."""
        return present(values, self._all_weights)[0]

    def sample(self, size, rng):
        """Return at most `size` points drawn from all (see `Sample`), and their weights or None."""
        if self.m <= size:
            return self.X, self.weight
        return Sample.of(self.X, self.weight, size, rng.random).drawn()
