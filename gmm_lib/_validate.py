"""Checks at the library's doors: what was expected, what came, what to do about it.

Every public function passes its arguments through here once. Nothing is repaired: an input is
either taken as it is (as float64) or refused with a message.
"""

import operator
from collections.abc import Mapping

import numpy as np

from gmm_lib import tables

# Squares of larger numbers leave the range of float64, and with them every variance.
LARGEST = 1e150
# How far sums that should be 1 may be off: far above rounding, far below a mistake.
SUM_TOLERANCE = 1e-8


def as_real(values, name, largest=LARGEST, first_row=None) -> np.ndarray:
    """Return `values` as a float64 array, refusing what is not real, finite numbers.

    Parameters
    ----------
    values : array_like, or a table (`gmm_lib.tables`)
    name : str
        What to call them in messages.
    largest : float
        Magnitudes have to be below it.
    first_row : int, optional
        The number of the first row, if `values` are a part of something larger: messages then
        name an entry by its row and column there.

    Raises
    ------
    TypeError
        If `values` is not an array of real numbers.
    ValueError
        If it is ragged, masked, or holds NaN, infinity or numbers too large to square.
    """
    array = values if type(values) is np.ndarray else _as_array(values, name)
    if array.dtype.kind not in "iuf":
        _refuse_non_numbers(values, array, name)
    if array.dtype != float:  # it is not copied: the data may be large
        with np.errstate(over="ignore"):  # what leaves the range is found below
            array = array.astype(float)
    if not _plainly_fine(array):
        _refuse_extreme(array, name, largest, first_row)
    return array


def _as_array(values, name):
    """An array of whatever stands for one."""
    if tables.is_table(values):
        return tables.as_array(values, name)
    if isinstance(values, Mapping):  # numpy might take the keys
        return np.empty((), dtype=object)
    return as_plain_array(values, name)


def as_plain_array(values, name) -> np.ndarray:
    """Return np.asarray(values), with a word about what that drops without one: masks.

    Raises
    ------
    ValueError
        If `values` is ragged or masked.
    """
    masked = _count_masked(values)
    if masked:
        raise ValueError(
            f"{name}: expected an array without masked entries, got {masked} masked; drop those "
            "rows, or give fit_missing one masked array, in which they are missing values."
        )
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name}: expected a rectangular array of numbers, got rows of different lengths; "
            "make every row the same length."
        ) from error


def _count_masked(values):
    """How many entries are masked, in an array or in lists of such."""
    if isinstance(values, (list, tuple)):
        plain = {float, int}.issuperset(map(type, values))  # most often, and soon told
        return 0 if plain else sum(map(_count_masked, values))
    return int(np.ma.count_masked(values)) if isinstance(values, np.ma.MaskedArray) else 0


def _refuse_non_numbers(values, array, name):
    """Refuse what is no array of real numbers, with the call that makes one of it."""
    got, what = f"dtype {array.dtype}", name if name.isidentifier() else "the array"
    if array.dtype.names:
        got = f"a structured array with fields {', '.join(array.dtype.names)}"
        remedy = f"pass np.lib.recfunctions.structured_to_unstructured({what})"
    elif array.dtype.kind == "c":
        remedy = f"pass the real and imaginary parts as features, {what}.real and {what}.imag"
    elif array.dtype.kind == "b":
        remedy = f"if 0 and 1 are meant, pass np.asarray({what}, dtype=float)"
    elif array.ndim or isinstance(values, (str, bytes)):
        remedy = (
            f"convert the values with np.asarray({what}, dtype=float) and look at those that fail"
        )
    else:  # numpy took the whole for one object
        got = "None" if values is None else type(values).__name__
        if hasattr(values, "toarray"):  # a sparse matrix
            remedy = f"pass {what}.toarray(), for the zeros count as well"
        elif isinstance(values, Mapping):
            remedy = f"pass one of its values, or np.column_stack(list({what}.values()))"
        else:
            remedy = "pass an array, or a list with a row for each point"
    raise TypeError(f"{name}: expected real numbers, got {got}; {remedy}.")


def _plainly_fine(array):
    """Whether all entries are finite and not too large, told without a temporary of their size."""
    if array.flags.forc:  # one pass: a small sum of squares holds nothing else
        flat = array.ravel(order="K")
        return np.vdot(flat, flat) < LARGEST**2  # alone among products, it never warns
    with np.errstate(over="ignore", invalid="ignore"):  # a sum that is not finite is looked into
        finite = np.isfinite(array.sum())
    return not array.size or (finite and max(array.max(), -array.min()) < LARGEST)


def _refuse_extreme(array, name, largest, first_row):
    bad = ~(np.abs(array) < largest)
    if not bad.any():  # only the sum over many large, but acceptable, numbers was too large
        return
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    value = array[where]
    if not where and not np.isfinite(value):
        raise ValueError(f"{name}: expected finite numbers, got {value:g}; pass a finite one.")
    place = f"{name}[{', '.join(map(str, where))}] = {value:g}" if where else f"{name} = {value:g}"
    if first_row is not None:
        column = f", column {where[1]}" if len(where) > 1 else ""
        place = f"{value:g} in row {first_row + where[0]}{column} (from 0)"
    if np.isfinite(value):
        raise ValueError(
            f"{name}: expected magnitudes below {largest:g}, got {place}; its square overflows, so "
            "rescale the data (change the unit)."
        )
    if first_row is not None:
        raise ValueError(
            f"{name}: expected finite numbers, got {place}; mend or remove that row in the data: "
            "none is dropped here."
        )
    raise ValueError(
        f"{name}: expected finite numbers, got {int(bad.sum())} NaN or infinite, the first at "
        f"{place}; remove those rows or find out where they came from."
    )


def as_points(X, d=None, *, name="X", least=1, first_row=None) -> np.ndarray:
    """Return data as a float64 array of shape (m, d); a vector of length m becomes (m, 1).

    Parameters
    ----------
    X : array_like, shape (m, d) or (m,); or a table (`gmm_lib.tables`)
    d : int, optional
        The number of features expected; any if not given.
    name : str
        What to call it in messages.
    least : int
        The fewest points accepted.
    first_row : int, optional
        The number of the first row, if X is a block of rows of something larger. It must be
        (n, d) then: a vector might be a row as well as a column.

    Raises
    ------
    TypeError, ValueError
        If X is not such an array; the message says what was expected and what to do.
    """
    array = as_real(X, name, first_row=first_row)
    if array.ndim == 1 and first_row is None:
        array = array[:, None]
    if array.ndim != 2 and first_row is not None:
        raise ValueError(
            f"{name}: expected a block of shape (n, d), a few rows of the data, got shape "
            f"{array.shape}; reshape a single point to (1, d), a single feature to (n, 1), and "
            "pass weights in a pair (points, weights)."
        )
    like = " as in the mixture" if name == "X" else ""
    if first_row is not None:
        like = " as in the blocks before"
    refuse_shape(array.shape, d, name=name, least=least, like=like)
    return array


def refuse_shape(shape, d=None, *, name="X", least=1, like=" as in the mixture"):
    """Refuse a shape that is not (m, d) with at least `least` points and one feature.

    `like` says where a number of features d comes from.

    Raises
    ------
    ValueError
        If it is not.
    """
    if len(shape) != 2:
        raise ValueError(
            f"{name}: expected shape (m, d), one row a point, or (m,) for one feature, got shape "
            f"{shape}; reshape it, for a single point to (1, d)."
        )
    m, features = shape
    if m < least or features == 0:
        raise ValueError(
            f"{name}: expected at least {least} point{'s'[: least != 1]} of at least one feature, "
            f"got shape {shape}; pass the data, one row a point."
        )
    if d is not None and features != d:
        raise ValueError(
            f"{name}: expected {d} feature{'s'[: d != 1]}{like}, got {features} (shape {shape}); "
            "use the same columns."
        )


def as_sample_weight(
    sample_weight, m, *, name="sample_weight", first_row=None
) -> np.ndarray | None:
    """Return sample weights as a float64 array of shape (m,), or None for none.

    Weight 0 is absence and an integer weight is repetition.

    Parameters
    ----------
    sample_weight : array_like, shape (m,), or None
    m : int
        The number of points.
    name : str
        What to call them in messages.
    first_row : int, optional
        The number of the first row, if these are the weights of a block of rows of something
        larger; all of them may be 0 then.

    Raises
    ------
    TypeError, ValueError
        If they are not m finite, non-negative numbers of positive sum.
    """
    if sample_weight is None:
        return None
    weight = as_real(sample_weight, name, first_row=first_row)
    if weight.shape != (m,):
        raise ValueError(
            f"{name}: expected shape ({m},), one weight a point, got {weight.shape}; "
            "pass as many weights as there are points."
        )
    if (weight < 0).any():
        i = int(np.argmax(weight < 0))
        place = f"{name}[{i}] = {weight[i]:g}"
        if first_row is not None:
            place = f"{weight[i]:g} in row {first_row + i} (from 0)"
        raise ValueError(
            f"{name}: expected no negative weight, got {place}; use 0 to leave a point out."
        )
    if first_row is None:
        refuse_no_weight(weight.sum(), name)
    return weight


def refuse_no_weight(total, name="sample_weight"):
    """Refuse weights whose sum is 0.

    Raises
    ------
    ValueError
        If it is.
    """
    if total == 0:
        raise ValueError(
            f"{name}: expected at least one positive weight, got zero in all; "
            "leave the weights out to count every point once."
        )


def as_responsibilities(responsibilities, m=None, k=None) -> np.ndarray:
    """Return responsibilities as a float64 array of shape (m, k) whose rows sum to 1.

    Raises
    ------
    TypeError, ValueError
        If the shape differs, an entry is negative, or a row does not sum to 1.
    """
    w = as_real(responsibilities, "responsibilities")
    expected = ("m" if m is None else m, "k" if k is None else k)
    if w.ndim != 2 or w.shape[0] != (m or w.shape[0]) or w.shape[1] != (k or w.shape[1]):
        hint = "; did you transpose it?" if w.ndim == 2 and w.shape[1] == m else ""
        raise ValueError(
            f"responsibilities: expected shape ({expected[0]}, {expected[1]}), one row a point and "
            f"one column a component, got {w.shape}{hint or '; see e_step for the layout'}."
        )
    if w.size == 0:
        raise ValueError(
            f"responsibilities: expected at least one point and one component, got shape {w.shape};"
            " pass what e_step returns."
        )
    if (w < 0).any():
        i, j = (int(n) for n in np.argwhere(w < 0)[0])
        raise ValueError(
            f"responsibilities: expected probabilities, got responsibilities[{i}, {j}] = "
            f"{w[i, j]:g}; they come from Bayes' rule, each between 0 and 1."
        )
    off = np.abs(w.sum(axis=1) - 1)
    if (off > SUM_TOLERANCE).any():
        i = int(np.argmax(off))
        raise ValueError(
            f"responsibilities: expected rows that sum to 1, got {w[i].sum():.10g} in row {i}; "
            "divide each row (not each column) by its sum."
        )
    return w


def as_count(value, name, least=1):
    """Return `value` as an int of at least `least`.

    Raises
    ------
    TypeError
        If it is not a whole number.
    ValueError
        If it is smaller than `least`.
    """
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        count = operator.index(value)
    except TypeError:
        raise TypeError(
            f"{name}: expected a whole number, got {value!r}; pass an int of at least {least}."
        ) from None
    if count < least:
        raise ValueError(
            f"{name}: expected at least {least}, got {count}; pass a larger whole number."
        )
    return count


def as_number(value, name, *, least=0.0, strict=False):
    """Return `value` as a float that is at least (`strict`: greater than) `least`.

    Raises
    ------
    TypeError, ValueError
        If it is not one finite real number in that range.
    """
    # A plain number is the common case, and not worth an array.
    plain = type(value) in (int, float) and abs(value) < LARGEST
    try:
        number = value if plain else as_real(value, name)
    except TypeError:
        raise TypeError(f"{name}: expected real numbers, got {value!r}; pass a float.") from None
    if not plain and number.ndim:
        raise ValueError(f"{name}: expected one number, got shape {number.shape}; pass a float.")
    if number < least or (strict and number == least):
        relation = "greater than" if strict else "at least"
        raise ValueError(
            f"{name}: expected a number {relation} {least:g}, got {number:g}; pass such a number."
        )
    return float(number)


def as_components(k, m):
    """Return the number of components `k`, a whole number from 1 to the number of points `m`.

    Raises
    ------
    TypeError, ValueError
        If it is not.
    """
    k = as_count(k, "k")
    if k > m:
        raise ValueError(
            f"k: expected at most as many components as points, got k = {k} for {m} points; "
            "use a smaller k or more data."
        )
    return k


def as_function(value, name):
    """Return `value` if it can be called.

    Raises
    ------
    TypeError
        If it cannot.
    """
    if not callable(value):
        raise TypeError(
            f"{name}: expected a function, got {type(value).__name__}; pass the function itself, "
            "without calling it."
        )
    return value


def as_flag(value, name):
    """Return `value` if it is True or False.

    Raises
    ------
    TypeError
        If it is neither: of an array, a text or None nobody knows which is meant.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name}: expected True or False, got {type(value).__name__}; pass one of the two."
        )
    return bool(value)


def as_choice(value, name, choices):
    """Return `value` if it is one of `choices`.

    Raises
    ------
    ValueError
        If it is not; the message lists them.
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"{name}: expected one of {', '.join(map(repr, choices))}, got {value!r}; "
            "choose one of these."
        )
    return value


def as_rng(rng):
    """Return `rng` if it is a `numpy.random.Generator`.

    Raises
    ------
    TypeError
        If it is not: randomness is always the caller's, so that every result can be repeated.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng: expected a numpy.random.Generator, got {rng!r}; "
            "pass np.random.default_rng(seed)."
        )
    return rng
