"""Make .venv hold exactly what requirements.txt locks, and gmm_lib itself; seconds when it does.

Runs with the system's Python and its standard library alone. For testing what pyproject.toml
allows, ``--newest`` makes .venv-newest with the newest versions, ``--lowest`` .venv-lowest with the
oldest.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from exclusive import exclusive

ROOT = Path(__file__).resolve().parents[1]
SUPPORTED = [(3, 13), (3, 12), (3, 11)]


def choose_python() -> str:
    """A Python the lock was made for: this one, or another one on the path."""
    if sys.version_info[:2] in SUPPORTED and can_make_environments(sys.executable):
        return sys.executable
    for major, minor in SUPPORTED:
        found = shutil.which(f"python{major}.{minor}")
        if found and can_make_environments(found):
            return found
    if sys.version_info[:2] in SUPPORTED:
        sys.exit(
            f"Expected a Python with venv and ensurepip, got {sys.executable} without. On Debian "
            "and Ubuntu: apt install python3-venv. Or name another: "
            "make PYTHON=/path/to/python3.12"
        )
    if sys.version_info[:2] > SUPPORTED[0]:
        print("Python 3.11 to 3.13 not found; trying {}.{}".format(*sys.version_info[:2]))
        return sys.executable
    sys.exit(
        "Expected Python 3.11, 3.12 or 3.13, got {}.{} ({}). Install one, or name it: "
        "make PYTHON=/path/to/python3.12".format(*sys.version_info[:2], sys.executable)
    )


def can_make_environments(python: str) -> bool:
    """Whether a Python runs and has all that `python -m venv` needs: some systems split it off."""
    asked = [python, "-c", "import ensurepip, venv"]
    return subprocess.run(asked, stderr=subprocess.DEVNULL).returncode == 0


def run(*command) -> None:
    command = [str(part) for part in command]
    print("+", " ".join(command), flush=True)
    status = subprocess.run(command, cwd=ROOT).returncode
    if status:
        sys.exit("Stopped: {} failed (status {})".format(" ".join(command[:4]), status))


def lowest() -> list[str]:
    """A constraint for each range of pyproject.toml: its lowest release, with that one's fixes."""
    import tomllib  # not there before 3.11, where main() says what is expected

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges = sum(project["optional-dependencies"].values(), project["dependencies"])
    found = [re.match(r"([\w.-]+)(?:\[.*\])?>=([\w.]+)", wanted) for wanted in ranges]
    return sorted(
        {
            f"{name}=={version}" + ("" if re.search("[a-z]", version) else ".*")
            for name, version in (match.groups() for match in found if match)
        }
    )


def main() -> None:
    only = next((end for end in ("newest", "lowest") if f"--{end}" in sys.argv), None)
    venv = ROOT / (f".venv-{only}" if only else ".venv")
    wanted = hashlib.sha256(
        b"".join((ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml"))
        + str(ROOT).encode()
    ).hexdigest()
    stamp = venv / "installed"
    bin_python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    with exclusive(ROOT / "_build" / (venv.name + ".lock"), "the installation"):
        if stamp.exists() and stamp.read_text() == wanted and bin_python.exists():
            return
        python = choose_python()
        # An environment without its stamp was interrupted, or left to rot: start again.
        clear = [] if stamp.exists() and bin_python.exists() else ["--clear"]
        if stamp.exists():
            stamp.unlink()
        run(python, "-m", "venv", *clear, venv)
        pip = [bin_python, "-m", "pip", "install", "--disable-pip-version-check"]
        if only:
            limits = ROOT / "_build" / "lowest.txt"
            limits.write_text("\n".join(lowest()), encoding="utf-8")
            held = ["--constraint", limits] if only == "lowest" else []
            run(*pip, "--upgrade", *held, "--editable", ".[dev]")
        else:
            run(*pip, "--requirement", "requirements.txt")
            run(*pip, "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
        stamp.write_text(wanted)


if __name__ == "__main__":
    main()
