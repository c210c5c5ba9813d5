"""Groups to start EM from: k-means, quick and rough, for EM does the rest.

`gmm_lib.hard` has k-means as chapters show it, exact and step by step. Here runs are made side by
side on a sample of the points, for a few rounds, with distances as one matrix product; and groups
are traded, which mends what k-means alone cannot.
"""

import numpy as np

# How many runs compete, on how many points at most, for how many rounds, unless no center moves
# farther than STILL (in standard deviations of the data). Groups are traded while that saves PAYS
# times what it costs.
TRIES, ENOUGH, ROUNDS, STILL, PAYS = 2, 2000, 10, 0.01, 1.01


def partition(X, k, rng, weight=None, *, settled=True):
    """Return the groups (m,), from 0 to k - 1, that a rough k-means finds; input is trusted.

    Distances are taken after dividing each feature by its standard deviation, so that the choice of
    units does not matter. `settled`: the best of several runs, improved by trades of groups, which
    tends to be the same each time. Otherwise what a single round makes of new centers.

    Raises
    ------
    ValueError
        If there are fewer than k different points.
    """
    Z = standardized(X, weight)
    tries, rounds = (TRIES, ROUNDS) if settled else (1, 1)
    return _nearest(Z, _rough_kmeans(Z, weight, k, rng, tries, rounds))


def _rough_kmeans(Z, weight, k, rng, tries, rounds):
    """Centers (k, d) of the best of several runs of k-means; with one run, as it comes."""
    if len(Z) > ENOUGH:
        rows = rng.choice(len(Z), ENOUGH, replace=False)
        few = None if weight is None else weight[rows]
        try:
            return _rough_kmeans(Z[rows], few, k, rng, tries, rounds)
        except ValueError:  # too few different points there; there may be enough in all
            pass
    columns = np.ascontiguousarray(Z.T)
    runs = np.stack([Z[far_apart(Z, k, rng, weight)] for _ in range(tries)])
    runs = _rounds(Z, columns, weight, runs, rounds)
    if tries == 1:
        return runs[0]
    best = _sums(_heights(columns, runs).min(axis=1), weight).argmin()
    traded = _traded(Z, weight, runs[best])
    return runs[best] if traded is None else _rounds(Z, columns, weight, traded[None], rounds)[0]


def _rounds(Z, columns, weight, centers, rounds):
    """Centers (runs, k, d) after rounds of k-means, all runs side by side."""
    for _ in range(rounds):
        heights = _heights(columns, centers)  # (runs, k, n)
        owned = (heights == heights.min(axis=1, keepdims=True)).astype(float)
        if weight is not None:
            owned *= weight
        counts = owned.sum(axis=2)[:, :, None]
        # A center that has lost its points stays where it is.
        moved = np.where(counts > 0, owned @ Z / np.where(counts > 0, counts, 1), centers)
        still = np.abs(moved - centers).max() < STILL
        centers = moved
        if still:
            break
    return centers


def _traded(Z, weight, centers):
    """Centers after one group is cut in two and two are made one, as often as that pays; or None.

    k-means cannot do it: a center alone on a far point of a group that has another is stuck there,
    and in high dimension most are, while elsewhere one center serves two groups.
    """
    k = len(centers)
    weight = np.ones(len(Z)) if weight is None else weight
    labels = _nearest(Z, centers)
    groups = [np.flatnonzero(labels == j) for j in range(k)]
    if k < 3 or not all(map(len, groups)):
        return None
    cuts = [_cut(Z[own], weight[own]) for own in groups]
    traded = None
    for _ in range(k):
        counts = np.array([weight[own].sum() for own in groups])
        means = np.stack([weight[own] @ Z[own] for own in groups]) / counts[:, None]
        lost = _between(counts[:, None], counts, means[:, None] - means)  # (k, k), by merging
        j = int(np.argmax([saved for saved, _ in cuts]))
        lost[j], lost[:, j] = np.inf, np.inf
        np.fill_diagonal(lost, np.inf)
        a, b = (int(n) for n in np.unravel_index(lost.argmin(), lost.shape))
        if cuts[j][0] <= PAYS * lost[a, b]:
            break
        own, side = groups[j], cuts[j][1]
        groups[a], groups[b], groups[j] = np.append(groups[a], groups[b]), own[side], own[~side]
        for n in (a, b, j):
            cuts[n] = _cut(Z[groups[n]], weight[groups[n]])
        traded = groups
    if traded is None:
        return None
    return np.stack([np.average(Z[own], axis=0, weights=weight[own]) for own in groups])


def _cut(Z, weight):
    """What inertia is saved by cutting a group across its longest axis, and who is on one side."""
    total = weight.sum()
    centered = Z - weight @ Z / total
    side = centered @ np.linalg.eigh((centered.T * weight) @ centered)[1][:, -1] > 0
    one = weight[side].sum()
    if one in (0, total):
        return 0.0, side
    mean = weight[side] @ centered[side] / one
    return _between(one, total - one, mean * (total / (total - one))), side


def _between(a, b, difference):
    """The inertia that groups of weights a and b have more as one, their means that far apart."""
    return a * b / (a + b) * np.einsum("...a,...a->...", difference, difference)


def _heights(columns, centers):
    """(|c|² - 2 c · z) / 2 for centers (…, k, d) and points (d, n), as one product.

    That is half the squared distance, less |z|² / 2, which does not matter for which is nearest.
    """
    return 0.5 * np.einsum("...a,...a->...", centers, centers)[..., None] - centers @ columns


def _nearest(Z, centers):
    return _heights(Z.T, centers).argmin(axis=0)


def far_apart(X, k, rng, weight=None):
    """Return the indices (k,) of points drawn as in `kmeans_plus_plus`; input is trusted.

    Raises
    ------
    ValueError
        If there are fewer than k different points to draw, or none that are far enough apart.
    """
    chosen, nearest = [], np.inf  # squared distances to the nearest chosen point
    chance = np.ones(len(X)) if weight is None else weight
    for n in range(k):
        total = chance.cumsum()
        if total[-1] == 0:
            here = X if weight is None else X[weight > 0]
            if len(np.unique(here, axis=0)) > n:
                raise ValueError(
                    "X: expected points whose distances can be squared, got none more than "
                    f"{np.ptp(here, axis=0).max():.3g} apart, whose square is 0 in floats; rescale "
                    "the data (change the unit)."
                )
            raise too_few_different(k, n)
        # side="right": the first point at which the sum is larger, so one with a chance.
        drawn = int(total.searchsorted(rng.random() * total[-1], side="right"))
        chosen.append(min(drawn, len(X) - 1))
        difference = X - X[chosen[-1]]
        nearest = np.minimum(nearest, np.einsum("ia,ia->i", difference, difference))
        chance = nearest if weight is None else weight * nearest
    return np.array(chosen)


def _sums(values, weight):
    """Sums over the points (…, n), weighted."""
    return values.sum(axis=-1) if weight is None else values @ weight


def standardized(X, weight):
    """Points of mean 0 and standard deviation 1 in each feature; 0 in one that does not vary."""
    centered = X - np.average(X, axis=0, weights=weight)
    spread = np.sqrt(np.average(centered**2, axis=0, weights=weight))
    return centered / np.where(spread > 0, spread, 1)


class TooFewDifferentError(ValueError):
    """There are fewer different points than components: a fault of the data, not of a call."""


def too_few_different(k, different):
    return TooFewDifferentError(
        f"k: expected at most as many components as different points, got k = {k} for {different} "
        f"different point{'s'[: different != 1]}; use a smaller k."
    )
