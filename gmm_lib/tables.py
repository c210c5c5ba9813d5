"""Tables of other packages as arrays of numbers: pandas, polars, Arrow. None of them is imported.

A table is more than its numbers: columns have names and types, and rows may have an index, which is
no feature. An array made of it without a look at these would take truth values for numbers.
"""

import numpy as np


def package_of(value):
    """The package of the class of `value`; of a class it is derived from, if that is known here."""
    packages = [c.__module__.partition(".")[0] for c in type(value).__mro__]
    return next((p for p in packages if p in READERS or p == "dask"), packages[0])


def is_table(value):
    """Whether `value` is a table or a column of one of the packages known here."""
    package = package_of(value)
    kind = "type" if package == "pyarrow" else "dtype"
    return package in READERS and any(hasattr(value, a) for a in ("collect", "columns", kind))


def as_array(table, name):
    """Return the numbers of a table (m, d), or of a column (m,); a missing value is NaN.

    Raises
    ------
    TypeError
        If a column does not hold numbers.
    ValueError
        If two columns have the same name.
    """
    return READERS[package_of(table)](table, name)


def feature_names(schema):
    """The columns of an Arrow schema that are no index: pandas, if it wrote it, says which are."""
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    return [column for column in schema.names if column not in index]


def column_names(value):
    """The names of the columns that are features, if `value` is a table of several; else None."""
    if not is_table(value) or not hasattr(value, "columns"):
        return None
    is_arrow = package_of(value) == "pyarrow"
    return feature_names(value.schema) if is_arrow else list(value.columns)


def refuse_repeated(columns, name):
    """Refuse names of columns of which one occurs twice.

    Raises
    ------
    ValueError
        Naming the first that does.
    """
    seen = set()
    for column in columns:
        if column in seen:
            raise ValueError(
                f"{name}: expected columns of different names, got {column!r} twice; rename one "
                "of them or leave it out."
            )
        seen.add(column)


def refuse_non_numeric(types, numeric, name):
    """Refuse columns {name: type} whose type is not `numeric`, a function of a type.

    Raises
    ------
    TypeError
        Naming the first.
    """
    for column, kind in types.items():
        if not numeric(kind):
            raise TypeError(
                f"{name}: expected numeric columns, got {column!r} of type {kind}; choose the "
                "columns that are features, or convert it to floats if it stands for a number."
            )


def is_arrow_number(kind):
    """Whether an Arrow type is one of whole or floating-point numbers."""
    import pyarrow

    return pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)


def _types(table, name):
    """The types of the columns of a frame, or of a single column, by name."""
    if not hasattr(table, "columns"):
        return {getattr(table, "name", name): table.dtype}
    refuse_repeated(table.columns, name)
    return dict(zip(table.columns, table.dtypes, strict=True))


def _from_pandas(table, name):
    types = _types(table, name)
    refuse_non_numeric(types, lambda kind: kind.kind in "iuf", name)
    if all(isinstance(kind, np.dtype) for kind in types.values()):
        return np.asarray(table)  # without a copy, if all are of one type
    return table.to_numpy(dtype=float, na_value=np.nan)


def _from_polars(table, name):
    if hasattr(table, "collect"):
        raise TypeError(
            f"{name}: expected a table in memory, got a {type(table).__name__}; pass "
            f"{name}.collect()."
        )
    types = _types(table, name)
    refuse_non_numeric(types, lambda kind: kind.is_numeric(), name)
    return table.to_numpy() if types else np.empty((0, 0))


def _from_arrow(table, name):
    if not hasattr(table, "columns"):  # an Array or a ChunkedArray
        refuse_non_numeric({name: table.type}, is_arrow_number, name)
        return np.asarray(table)
    columns = feature_names(table.schema)
    refuse_repeated(columns, name)
    refuse_non_numeric({c: table.schema.field(c).type for c in columns}, is_arrow_number, name)
    arrays = [np.asarray(table.column(column), dtype=float) for column in columns]
    return np.stack(arrays, axis=1) if arrays else np.empty((len(table), 0))


READERS = {"pandas": _from_pandas, "polars": _from_polars, "pyarrow": _from_arrow}
