"""Points in files, read in blocks: memory maps, .npy, Parquet, Arrow."""

import os

import numpy as np

from gmm_lib._extras import needing
from gmm_lib._validate import as_sample_weight, refuse_shape
from gmm_lib.blocks import Block, Blocks
from gmm_lib.tables import feature_names, is_arrow_number, refuse_non_numeric, refuse_repeated

# Numbers (8 MB of them) that are read from a file at a time.
READ = 2**20
# What pyarrow calls the formats of files with these endings.
FORMATS = {".parquet": "parquet", ".arrow": "arrow", ".feather": "feather"}


def open_path(path, sample_weight, threads):
    """Return the source that reads a file, or a directory of files.

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is none of that name, it cannot be read, or holds something else than numbers.
    """
    if os.path.splitext(path)[1].lower() != ".npy":
        return arrow(path, threads=threads)
    _refuse_absent(path)
    try:
        array = np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"{path}: expected an array of numbers, got a file that cannot be mapped ({error}); "
            "save the numbers with np.save."
        ) from error
    return memory_map(array, path, sample_weight, threads)


def memory_map(X, place, sample_weight, threads):
    """Return the source that reads an array on disk, called `place`, in blocks of rows."""
    X = X[:, None] if X.ndim == 1 else X
    refuse_shape(X.shape, name=place)
    weight = as_sample_weight(sample_weight, len(X))
    step = max(1, READ // X.shape[1])

    def walk():
        for start in range(0, len(X), step):
            rows = slice(start, start + step)
            yield Block(X[rows], None if weight is None else weight[rows], place, start)

    return Blocks(walk, threads)


def arrow(source, columns=None, *, weight=None, threads=None):
    """Return a source that reads Parquet or Arrow data in batches (needs pyarrow).

    Parameters
    ----------
    source : path, pyarrow Dataset, Table, RecordBatch or ParquetFile
        A path may name a file or a directory of files.
    columns : list of str, optional
        The features, in this order. If not given: all columns but `weight`, and but the index of
        a pandas table, which is stored as a column beside the others.
    weight : str, optional
        The column that says how often each row counts.
    threads : int, optional

    Returns
    -------
    Blocks

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    TypeError, ValueError
        If a column is missing or not numeric, or named twice. A missing value is refused when it
        is met, with its file and row.
    """
    with needing("scale", "X"):
        import pyarrow
        import pyarrow.parquet

    if isinstance(source, (str, os.PathLike)):
        source = _dataset(os.fspath(source))
    if isinstance(source, pyarrow.RecordBatch):
        source = pyarrow.Table.from_batches([source])
    schema = getattr(source, "schema_arrow", getattr(source, "schema", None))
    if isinstance(source, pyarrow.RecordBatchReader) or not isinstance(schema, pyarrow.Schema):
        raise TypeError(
            f"X: expected Arrow data that can be read again, got {type(source).__name__}; pass a "
            "path, a pyarrow Dataset, a Table or a ParquetFile."
        )
    fragments = _fragments(source)
    names = _features(schema, columns, weight)
    wanted = names + ([] if weight is None else [weight])
    rows = max(1, READ // len(wanted))

    def parts():
        """The files, or the one table, with an iterator over the batches of each."""
        if isinstance(source, pyarrow.Table):
            yield "table", source.select(wanted).to_batches(max_chunksize=rows)
        elif isinstance(source, pyarrow.parquet.ParquetFile):
            yield "Parquet file", source.iter_batches(batch_size=rows, columns=wanted)
        else:
            for number, part in enumerate(fragments):
                place = getattr(part, "path", None) or f"fragment {number}"
                yield place, part.to_batches(schema, columns=wanted, batch_size=rows)

    def walk():
        for place, batches in parts():
            first_row = 0
            for batch in batches:
                arrays = [np.asarray(batch.column(name), dtype=float) for name in wanted]
                points = np.stack(arrays[: len(names)], axis=1)
                yield Block(points, None if weight is None else arrays[-1], place, first_row)
                first_row += len(points)

    return Blocks(walk, threads)


def _fragments(source):
    """The files of a Dataset; none of what is no Dataset."""
    if not hasattr(source, "get_fragments"):
        return []
    try:
        return list(source.get_fragments())
    except ValueError as error:
        raise ValueError(
            "X: expected a Dataset as it was opened, got one that is filtered or projected; pass a "
            "function of its batches, lambda: X.to_batches()."
        ) from error


def _features(schema, columns, weight):
    """The names of the columns that are features; refused if they cannot be."""
    if columns is None:
        columns = [name for name in feature_names(schema) if name != weight]
    elif isinstance(columns, str) or not np.iterable(columns):
        raise TypeError(f"columns: expected a list of names, got {columns!r}; pass [{columns!r}].")
    columns = list(columns)
    if not columns:
        raise ValueError(
            f"columns: expected at least one feature, got none; choose from "
            f"{', '.join(schema.names)}."
        )
    wanted = columns + ([] if weight is None else [weight])
    for name in wanted:
        if name not in schema.names:
            raise ValueError(
                f"{'weight' if name == weight else 'columns'}: expected columns of the data, got "
                f"{name!r}; choose from {', '.join(schema.names)}."
            )
    refuse_repeated(wanted, "columns")
    refuse_repeated([name for name in schema.names if name in wanted], "columns")
    refuse_non_numeric({n: schema.field(n).type for n in wanted}, is_arrow_number, "columns")
    return columns


def _refuse_absent(path):
    if not os.path.exists(path) and "://" not in path:
        raise FileNotFoundError(f"X: expected the path of a file, got {path!r}; there is no such.")


def _dataset(path):
    """The pyarrow Dataset of a file or of a directory of files."""
    with needing("scale", "X"):
        import pyarrow
        import pyarrow.dataset

    _refuse_absent(path)
    files = [path]
    if os.path.isdir(path):
        files = [name for _, _, names in os.walk(path) for name in names if name[0] not in "._"]
    endings = sorted({os.path.splitext(name)[1].lower() for name in files})
    if len(endings) != 1 or endings[0] not in FORMATS:
        found = ", ".join(ending or "no ending" for ending in endings) or "no files"
        raise ValueError(
            f"{path}: expected .npy, .parquet, .arrow or .feather, or a directory of such files "
            f"(not of .npy), got {found}; read other files with what they are for, and pass the "
            "array (of an .npz file, np.load(path)[name])."
        )
    try:
        dataset = pyarrow.dataset.dataset(path, format=FORMATS[endings[0]])
        dataset.schema  # noqa: B018 (opens the first file)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(
            f"{path}: expected {FORMATS[endings[0]]} data, got a file that cannot be read "
            f"({error}); write it again."
        ) from error
    return dataset
