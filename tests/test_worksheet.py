"""The sheet for one EM iteration by hand shows the numbers of the library, and only when asked."""

import re
from itertools import islice

import numpy as np
import pytest

from gmm_lib import GaussianMixture, e_step, em_states, m_step
from gmm_lib.datasets import ten_points
from gmm_lib.worksheet import BLANK, em_worksheet

TEN = ten_points()


def cells(sheet):
    """The body cells of each table of a sheet, without header and rule."""
    tables = [
        [re.split(r"\s*\|\s*", line)[1:-1] for line in part.splitlines()[2:]]
        for part in sheet.split("\n\n")
    ]
    assert len(tables) == 2
    return tables


def test_filled_sheet_holds_the_e_and_the_m_step():
    points, sums = cells(em_worksheet(TEN.X, TEN.start))
    w, _ = e_step(TEN.X, TEN.start)
    new = m_step(TEN.X, w)
    assert [float(row[1]) for row in points] == TEN.X.ravel().tolist()
    assert np.allclose([[float(c) for c in row[5:7]] for row in points], w, atol=5e-6)
    assert np.allclose(
        [float(row[4]) for row in points], np.exp(TEN.start.log_density(TEN.X)), rtol=6e-5
    )
    table = np.array([[float(c) for c in row[1:]] for row in sums])
    assert np.allclose(table[0], w.sum(axis=0), atol=5e-5)
    assert np.allclose(table[1], new.weights, atol=5e-5)
    assert np.allclose(table[3], new.means[:, 0], rtol=5e-5)
    assert np.allclose(table[5], new.covariances[:, 0, 0], rtol=5e-5)


@pytest.mark.parametrize("iteration", range(3))
def test_a_readers_own_arithmetic_agrees_with_the_sheet(iteration):
    """From the numbers as they stand: the first four digits."""
    mixture = next(islice(em_states(TEN.X, TEN.start), iteration, None)).mixture
    points, sums = cells(em_worksheet(TEN.X, mixture))
    x, h1, h2, p, *w = np.array([[float(cell) for cell in row[1:]] for row in points]).T
    N, weights, total, means, scatter, variances = (
        np.array([float(cell) for cell in row[1:]]) for row in sums
    )
    w = np.column_stack(w)
    four_digits = {"rtol": 1e-4, "atol": 0}
    assert np.allclose(h1 + h2, p, **four_digits)
    assert np.allclose(np.column_stack([h1, h2]) / p[:, None], w, rtol=0, atol=5e-5)
    assert np.allclose(w.sum(axis=0), N, **four_digits)
    assert np.allclose(N / len(x), weights, **four_digits)
    assert np.allclose(w.T @ x, total, **four_digits)
    assert np.allclose(total / N, means, **four_digits)
    assert np.allclose((w * (x[:, None] - means) ** 2).sum(axis=0), scatter, **four_digits)
    assert np.allclose(scatter / N, variances, **four_digits)


def test_numbers_of_the_source_stand_on_the_sheet():
    sheet = em_worksheet(TEN.X, TEN.start)
    assert "| 5 | 9 | 0.0082317 | 0.048764 | 0.056996 | 0.14443 | 0.85557 |" in sheet


def test_blank_sheet_gives_points_and_no_answer():
    points, sums = cells(em_worksheet(TEN.X, TEN.start, filled=False))
    assert [row[1] for row in points] == [f"{x:g}" for x in TEN.X.ravel()]
    assert all(set(row[2:]) == {BLANK} for row in points)
    assert all(set(row[1:]) == {BLANK} for row in sums)


def test_three_components_get_their_columns():
    mixture = GaussianMixture([0.2, 0.3, 0.5], [0, 10, 25], [4, 4, 4])
    points, sums = cells(em_worksheet(TEN.X, mixture))
    assert {len(row) for row in points} == {2 + 3 + 1 + 3}
    assert {len(row) for row in sums} == {1 + 3}


def test_two_features_are_refused_with_a_remedy():
    mixture = GaussianMixture([1], [[0, 0]], [np.eye(2)])
    with pytest.raises(ValueError, match="one feature, got 2; .*one column"):
        em_worksheet(np.zeros((3, 2)), mixture)


def test_what_is_no_mixture_is_refused():
    with pytest.raises(TypeError, match="expected a GaussianMixture, got list"):
        em_worksheet(TEN.X, [1, 2])
