"""One iteration of EM as a sheet to do by hand: the tables, blank or filled in."""

import numpy as np
from numpy.typing import ArrayLike

from gmm_lib._validate import as_flag, as_points
from gmm_lib.em import as_mixture, e_step, m_step
from gmm_lib.mixture import GaussianMixture

BLANK = "&emsp;" * 4  # room to write in; keeps an empty cell as tall as a full one


def em_worksheet(X: ArrayLike, mixture: GaussianMixture, *, filled: bool = True) -> str:
    """Return the two tables of one EM iteration on one-dimensional data, as Markdown.

    The first table has a row for each point: the weighted heights φ_j N(x; μ_j, σ_j²), their sum
    p(x), and the responsibilities. The second has the sums over the points and the parameters of
    the M step. Symbols only, no words. Who computes with the numbers as they stand on the sheet
    gets those that stand there, to four digits.

    Parameters
    ----------
    X : array_like, shape (m,) or (m, 1)
    mixture : GaussianMixture
        θ_t, the parameters to start the iteration from; one feature.
    filled : bool
        Whether the numbers stand in the tables; if not, only the points and the parameters do.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError
        If X is not data of one feature, mixture is not a mixture of one feature, or the M step
        degenerates.

    References
    ----------
    .. [1] A. Ng, CS229 lecture notes, "Mixtures of Gaussians and the EM algorithm", Stanford.

    Examples
    --------
    >>> from gmm_lib.worksheet import em_worksheet
    >>> ten = datasets.ten_points()
    >>> len(em_worksheet(ten.X, ten.start).splitlines())
    21
    """
    as_mixture(mixture)
    as_flag(filled, "filled")
    X = as_points(X, mixture.d)
    if mixture.d != 1:
        raise ValueError(
            f"mixture: expected one feature, got {mixture.d}; a sheet by hand is for numbers on a "
            "line, so pass one column of the data and a mixture of that column."
        )
    return "\n\n".join(
        [_e_table(X, mixture, filled), _m_table(X, e_step(X, mixture)[0], mixture, filled)]
    )


def _e_table(X, mixture, filled):
    components = range(1, mixture.k + 1)
    header = [
        "$i$",
        "$x^{(i)}$",
        *(rf"$\phi_{j}\,\mathcal{{N}}(x^{{(i)}}; \mu_{j}, \sigma_{j}^2)$" for j in components),
        "$p(x^{(i)})$",
        *(f"$w_{j}^{{(i)}}$" for j in components),
    ]
    joint, responsibilities = np.exp(mixture.component_log_density(X)), mixture.responsibilities(X)
    rows = []
    for i, x in enumerate(X[:, 0]):
        numbers = [
            *map(_figures, joint[i]),
            _figures(joint[i].sum()),
            *(f"{share:.5f}" for share in responsibilities[i]),
        ]
        rows.append([str(i + 1), f"{x:g}", *(numbers if filled else [BLANK] * len(numbers))])
    return _table(header, rows)


def _m_table(X, w, mixture, filled):
    new = m_step(X, w)
    counts, sums = w.sum(axis=0), w.T @ X[:, 0]
    variances = new.covariances[:, 0, 0]
    lines = {
        r"$N_j = \sum_i w_j^{(i)}$": counts,
        r"$\phi_j = N_j / m$": new.weights,
        r"$\sum_i w_j^{(i)} x^{(i)}$": sums,
        r"$\mu_j$": new.means[:, 0],
        r"$\sum_i w_j^{(i)} (x^{(i)} - \mu_j)^2$": counts * variances,
        r"$\sigma_j^2$": variances,
    }
    header = ["$j$", *(str(j) for j in range(1, mixture.k + 1))]
    rows = [
        [name, *((_figures(value) if filled else BLANK) for value in values)]
        for name, values in lines.items()
    ]
    return _table(header, rows)


def _figures(value):
    """Five significant figures: heights differ by many powers of ten."""
    return f"{value:#.5g}"


def _table(header, rows):
    rule = ["---:"] * len(header)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])
