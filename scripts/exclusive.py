"""One at a time: a lock between processes that no interruption leaves behind."""

import contextlib
import os
import sys
import time
from pathlib import Path


@contextlib.contextmanager
def exclusive(path: Path, waiting_for: str):
    """Hold the lock file ``path``; the system lets go of it when the process ends, in any way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+b") as handle:
        told = False
        while not _try_lock(handle):
            if not told:
                print(f"Waiting for another process to finish {waiting_for} ...", file=sys.stderr)
                told = True
            time.sleep(0.2)
        yield


def _try_lock(handle) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
