"""A sample of points to choose a start from, drawn while they are walked."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Sample:
    """A sample without replacement of the points seen so far; samples of parts add up.

    Each point draws a random number u and gets the key u / weight; the `size` points of smallest
    keys are the sample. So points of equal weight have equal chances, and a point that weighs as
    much as many others is not missed. With c the smallest key left out, max(weight, 1 / c) is what
    a point in the sample stands for: its expectation, 0 where the point is not drawn, is the
    weight [1]_.

    References
    ----------
    .. [1] N. Duffield, C. Lund and M. Thorup (2007), Priority sampling for estimation of arbitrary
       subset sums, Journal of the ACM 54(6), article 32.
    """

    size: int
    keys: np.ndarray  # shape (n,), n at most size + 1: one more, to know c
    points: np.ndarray  # shape (n, d), in the order they came
    weight: np.ndarray  # shape (n,)

    @classmethod
    def of(cls, points, weight, size, draw):
        """Return the sample of the points of one block; draw(n) makes the random numbers."""
        weight = np.ones(len(points)) if weight is None else weight
        return cls._smallest(size, draw(len(points)) / weight, points, weight)

    @classmethod
    def _smallest(cls, size, keys, points, weight):
        n = size + 1
        kept = np.sort(np.argpartition(keys, n)[:n]) if len(keys) > n else np.arange(len(keys))
        return cls(size, keys[kept], points[kept], weight[kept])

    def __add__(self, other):
        arrays = ("keys", "points", "weight")
        return self._smallest(
            self.size, *(np.concatenate([getattr(self, a), getattr(other, a)]) for a in arrays)
        )

    def drawn(self):
        """Return the points drawn (n, d), n at most `size`, and their weights (n,).

        The weights are None if all are alike.
        """
        points, weight = self.points, self.weight
        if len(self.keys) > self.size:
            last = int(self.keys.argmax())
            weight = np.delete(np.maximum(weight, 1 / self.keys[last]), last)
            points = np.delete(points, last, axis=0)
        return points, None if (weight == weight[0]).all() else weight
