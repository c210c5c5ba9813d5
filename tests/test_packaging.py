"""What is installed: wheel, sdist, the library alone, the lock, and that all tell one version."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")
PLATFORMS = [("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The library's wheel, built with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "gmm_lib", source / "gmm_lib")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--verbose", "--no-deps", "--no-build-isolation"]
        + ["--wheel-dir", folder, source],
        check=True,
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    assert "is absent from the `packages` configuration" not in said, said
    return next(folder.glob("*.whl"))


@pytest.mark.xdist_group("the wheel")
def test_wheel_holds_code_and_data_and_nothing_else(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "gmm_lib").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == expected
    assert {"gmm_lib/data/old_faithful.csv", "gmm_lib/widgets/words.en.json"} <= names


def test_sdist_is_the_project_whole(tmp_path):
    """Its tests run: no file that they, the build or the Makefile read is left behind."""
    made = shutil.ignore_patterns(".*", "_build", "build", "dist", "*.egg-info", "__pycache__")
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=made)
    expected = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    for cache in ("chapters/.ruff_cache/0", "tests/__pycache__/a.pyc", ".venv/b", "_build/c"):
        (source / cache).parent.mkdir(exist_ok=True)
        (source / cache).touch()
    build = "import setuptools.build_meta as backend; backend.build_sdist('made')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    with tarfile.open(next(source.glob("made/*.tar.gz"))) as opened:
        names = {each.name.partition("/")[2] for each in opened if each.isfile()}
    added = {name for name in names if name.startswith("gmm_lib.egg-info/")}
    assert names - added - {"PKG-INFO", "setup.cfg"} == expected
    assert {"Makefile", "tests/conftest.py", "scripts/book.py"} <= expected


@pytest.mark.xdist_group("the wheel")
def test_library_imports_with_numpy_alone(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = """
import sys

class OnlyNumpy:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ("numpy", "gmm_lib"):
            raise ImportError(f"{name} is imported, but numpy alone may be needed")

sys.meta_path.insert(0, OnlyNumpy())
import gmm_lib
from gmm_lib import datasets
X = datasets.old_faithful().X
assert gmm_lib.__file__.startswith(sys.argv[1]), gmm_lib.__file__
import numpy as np
print(gmm_lib.fit(X, 2, rng=np.random.default_rng(0)).converged)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "True", done.stderr


def test_lock_names_packages_only():
    for line in LOCK.splitlines():
        assert line.startswith("#") or re.match(r"[a-z0-9.-]+==[\w.!+]+( ;.*)?$", line), line


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform[0])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_lock_meets_every_range(python, platform):
    """For each supported system the lock has one version of all that pyproject.toml asks for."""
    system = dict(zip(("sys_platform", "platform_system", "os_name"), platform, strict=True))
    here = system | {"python_version": python, "python_full_version": f"{python}.9"}
    here |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    locked = {}
    for line in LOCK.splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate(here):
                assert pin.name not in locked, f"{pin.name} is locked twice"
                locked[pin.name] = next(iter(pin.specifier)).version
    extras = PROJECT["optional-dependencies"].values()
    for text in [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]:
        wanted = Requirement(text)
        if wanted.name != PROJECT["name"]:
            assert wanted.specifier.contains(locked[wanted.name]), text


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    site = (ROOT / "_config.yml").read_text(encoding="utf-8")
    assert citation["version"] == PROJECT["version"]
    assert f"## {PROJECT['version']}" in changes
    assert f"version {PROJECT['version']}" in site
    assert citation["title"] == yaml.safe_load(site)["title"]


def test_make_offers_what_the_readme_names():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = set(re.findall(r"\bmake ([a-z-]+)", readme))
    assert {"serve", "test"} <= named
    assert named <= targets


def test_quick_start_of_the_readme_runs(capsys):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", readme, re.S)
    names = {}
    exec(program, names)
    assert names["fit"].converged
    iteration, log_likelihood = capsys.readouterr().out.split()
    assert int(iteration) == 0
    assert float(log_likelihood) == pytest.approx(names["fit"].log_likelihood)
