"""What needs more than numpy says which extra brings it."""

from contextlib import contextmanager


@contextmanager
def needing(extra: str, what: str):
    """Name the extra in the error, where an import inside finds no such module."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{what}: expected what the extra [{extra}] brings, got no module {error.name!r}; run "
            f"pip install 'gmm-lib[{extra}]'.",
            name=error.name,
        ) from error
