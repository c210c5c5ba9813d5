"""Build the book into _build/html, and serve it.

    python scripts/book.py build
    python scripts/book.py serve [--port 8000]

A build is all or nothing: pages are made in a folder of their own that takes the place of
_build/html only when every notebook ran and no warning was given. When nothing changed, nothing is
done. Executed notebooks are kept in a cache that belongs to one state of the code they import.
"""

import argparse
import hashlib
import http.server
import logging
import os
import shutil
import sys
import tempfile
import threading
import uuid
from functools import partial
from pathlib import Path

import yaml

from exclusive import exclusive

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / os.environ.get("BOOK_OUTPUT", "_build")
SITE = OUTPUT / "html"
# What executed cells depend on, beside their own text.
CODE = ["gmm_lib/**/*", "benchmarks/**/*", "requirements.txt"]
# What pages are made of, beside the code.
PAGES = ["index.md", "chapters/**/*", "depth/**/*", "appendices/**/*", "slides/*.yml"]
TEXT = ["*.yml", "*.bib", *PAGES, "images/**/*"]
MACHINERY = ["_ext/**/*", "_static/**/*", "_templates/**/*", "scripts/book.py"]


def fingerprint(patterns: list[str]) -> str:
    """A digest of the names and the bytes of the files of the project that match."""
    digest = hashlib.sha256(str(sys.version_info[:2]).encode())
    files = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    for path in sorted(files):
        name = path.relative_to(ROOT)
        # What editors, linters and Python leave behind makes no other book.
        if any(part == "__pycache__" or part.startswith(".") for part in name.parts):
            continue
        digest.update(f"{name.as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def contents() -> list[tuple[str | None, list[str]]]:
    """The parts of the book: a caption (None where it has none) and the names of its pages."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [
        (part.get("caption"), [each["file"] for each in part["chapters"]]) for part in toc["parts"]
    ]
    return [(None, [toc["root"]]), *parts]


def page_names() -> list[str]:
    """The names of all pages of the book, in the order of its contents."""
    return [name for _, names in contents() for name in names]


def prune_cache(cache: Path) -> None:
    """Drop the caches of earlier code, and one that an interruption left damaged."""
    for other in cache.parent.glob("*"):
        if other != cache:
            shutil.rmtree(other, ignore_errors=True)
    if not cache.exists():
        return
    from jupyter_cache import get_cache

    try:
        records = get_cache(str(cache))
        for record in records.list_cache_records():
            records.get_cache_bundle(record.pk)
    except Exception as error:
        print(f"The cache of executed notebooks is damaged ({error}); starting a new one")
        shutil.rmtree(cache)


def prepare_kernels() -> None:
    """Notebooks run with this very Python, whatever kernels and settings the user has elsewhere."""
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ["PYTHONPATH"] = str(ROOT)
    profile = OUTPUT / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    # A kernel warns that it talks without encryption: to this machine alone.
    settings = "c.IPKernelApp.log_level = 'ERROR'\n"
    (profile / "ipython_kernel_config.py").write_text(settings, encoding="utf-8")
    os.environ["IPYTHONDIR"] = str(profile.parent)


def hear_replies() -> None:
    """Look for a kernel's reply once a second.

    A client that sends while it waits, as for each output of ``interact``, may sleep through the
    reply: sending takes the wake-up of the socket (ipython/ipykernel#1554 tells of the same at the
    other end). The reply is found when the wait ends, which would be after minutes.
    """
    from queue import Empty

    from jupyter_client.channels import AsyncZMQSocketChannel

    wait = AsyncZMQSocketChannel.get_msg

    async def get_msg(self, timeout=None):
        while timeout is not None and timeout > 1:
            try:
                return await wait(self, 1)
            except Empty:
                timeout -= 1
        return await wait(self, timeout)

    AsyncZMQSocketChannel.get_msg = get_msg


def own_sockets() -> None:
    """Let each kernel listen at files of its own, where the system can, not at ports.

    Ports are chosen by taking free ones and giving them back, so two kernels that start at once may
    be told the same. jupyter_client removes the files when the kernel ends.
    """
    from jupyter_client.manager import KernelManager

    begin = KernelManager.__init__

    def __init__(self, *args, **options):
        place = os.path.join(tempfile.gettempdir(), f"kernel-{uuid.uuid4().hex}")
        if os.name == "posix" and len(os.fsencode(place)) < 100:  # a socket's name has 103 at most
            options = {"transport": "ipc", "ip": place} | options
        begin(self, *args, **options)

    KernelManager.__init__ = __init__


def run_notebooks(cache: Path) -> None:
    """Run what the cache lacks, as many notebooks at a time as there are cores.

    One that fails runs again when its page is made, which tells why; one that takes the time must
    run alone, and does then.
    """
    from jupyter_cache import get_cache
    from jupyter_cache.executors import load_executor

    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["execute"]
    quiet = logging.getLogger("notebooks")
    quiet.setLevel(logging.CRITICAL)
    store = get_cache(str(cache))
    for path in (ROOT / f"{name}.ipynb" for name in page_names()):
        if path.exists() and "perf_counter" not in path.read_text(encoding="utf-8"):
            store.add_nb_to_project(str(path))
    if store.list_unexecuted():
        print("Running notebooks …", flush=True)
        load_executor("local-parallel", store, logger=quiet).run_and_cache(
            timeout=settings["timeout"]
        )


def sphinx_build(work: Path, cache: Path) -> bool:
    """Make the site below ``work``; a warning is an error. True when it is whole."""
    from jupyter_book.sphinx import build_sphinx

    # Else it tells of every letter that it takes from another of its fonts.
    logging.getLogger("matplotlib.mathtext").setLevel(logging.WARNING)
    status = build_sphinx(
        ROOT,
        work / "html",
        noconfig=True,
        path_config=ROOT / "_config.yml",
        confoverrides={
            "external_toc_path": "_toc.yml",
            "latex_individualpages": False,
            "nb_execution_cache_path": str(cache),
            "nitpicky": True,
        },
        warningiserror=True,
        keep_going=True,
        freshenv=True,
        force_all=True,
    )
    return status == 0


def build() -> None:
    """Bring _build/html up to date, or end the process with the reason."""
    with exclusive(OUTPUT / "book.lock", "the book"):
        wanted = fingerprint(CODE + TEXT + MACHINERY)
        stamp = SITE / ".fingerprint"
        if stamp.exists() and stamp.read_text() == wanted:
            print(f"The book is up to date: {SITE.relative_to(ROOT)}")
            return
        cache = OUTPUT / "executed" / fingerprint(CODE)[:16]
        prune_cache(cache)
        work = OUTPUT / "work"
        shutil.rmtree(work, ignore_errors=True)
        prepare_kernels()
        own_sockets()
        hear_replies()
        run_notebooks(cache)
        if not sphinx_build(work, cache):
            sys.exit("The book was not built: mend what is told above (a warning is an error).")
        # Files that nobody asks for: Sphinx's own bookkeeping names the folder it worked in.
        (work / "html" / ".buildinfo").unlink(missing_ok=True)
        old = OUTPUT / "old"
        shutil.rmtree(old, ignore_errors=True)
        if SITE.exists():
            SITE.rename(old)
        (work / "html" / ".fingerprint").write_text(wanted)
        (work / "html").rename(SITE)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
        print(f"The book is ready: open {SITE.relative_to(ROOT) / 'index.html'}")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site as any static host would, without a line per request."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",  # the Windows registry may say otherwise
        ".ipynb": "application/x-ipynb+json",
    }

    def __init__(self, *args, directory=SITE, **kwargs):
        super().__init__(*args, directory=str(directory), **kwargs)

    def end_headers(self):
        self.send_header("Cache-Control", "no-cache")  # an edit shows at the next reload
        super().end_headers()

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    # On Windows "reuse" would let two servers share a port, each getting some of the requests.
    allow_reuse_address = os.name == "posix"
    daemon_threads = True


def served(folder: Path) -> str:
    """Serve a folder on a free port until the process ends; returns its address."""
    server = Server(("127.0.0.1", 0), partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def serve(port: int) -> None:
    """Build, then serve on 127.0.0.1 until interrupted."""
    try:
        # Before the build: a busy port is told at once.
        server = Server(("127.0.0.1", port), Handler)
    except (OSError, OverflowError) as error:
        other = port + 1 if 0 < port < 65535 else 8000
        sys.exit(f"Port {port} cannot be used ({error}). Choose another: make serve PORT={other}")
    with server:
        build()
        print(f"\n  The book: http://127.0.0.1:{server.server_port}/   (Ctrl+C ends)\n", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__mp_main__":  # the process of a notebook, where it inherits nothing
    own_sockets()
    hear_replies()

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="bring _build/html up to date")
    commands.add_parser("serve", help="build, then serve").add_argument(
        "--port", type=int, default=8000
    )
    arguments = parser.parse_args()
    if arguments.command == "build":
        build()
    else:
        serve(arguments.port)
