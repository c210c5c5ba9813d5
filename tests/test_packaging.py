"""What is installed: wheel, sdist, the library alone, the lock, and that all tell one version."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement

import gmm_lib
import install

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
PLATFORMS = [("linux", "Linux", "posix"), ("darwin", "Darwin", "posix"), ("win32", "Windows", "nt")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The library's wheel, built with what is installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "PACKAGE.md", "LICENSE", "LICENSE-TEXT"):
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


def test_lock_names_packages_only_each_with_digests_of_its_files():
    pin = re.compile(r"[a-z0-9.-]+==[\w.!+]+( ; [^\\#]+?)?( +--hash=sha256:[0-9a-f]{64})+")
    pins = [line for line in LOCK if not line.startswith("#")]
    assert pins
    assert [line for line in pins if not pin.fullmatch(line)] == []


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform[0])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_lock_meets_every_range(python, platform):
    """For each supported system the lock has one version of all that pyproject.toml asks for."""
    system = dict(zip(("sys_platform", "platform_system", "os_name"), platform, strict=True))
    here = system | {"python_version": python, "python_full_version": f"{python}.9"}
    here |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    locked = {}
    for line in LOCK:
        if not line.startswith("#"):
            pin = Requirement(line.split("--hash=")[0])
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


def test_make_test_says_first_what_to_install_where_there_is_no_browser():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    steps = re.search(r"^browser: env\n(.*\n)\n(?:#.*\n)*test: browser .*\n(.*\n)", makefile, re.M)
    assert "scripts/browser.py" in steps[1]
    assert "-m pytest tests" in steps[2]  # the book is built there: nobody waits for it in vain
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "browser.py"],
        env=os.environ | {"CHROMIUM": "no-such-browser"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "apt-get install chromium" in done.stderr
    assert f"{sys.executable} -m playwright install chromium" in done.stderr
    assert "make test-fast" in done.stderr
    assert "Traceback" not in done.stderr


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


# What is missing


def without(*modules):
    """A Python program's start: the modules cannot be imported."""
    return f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"


@pytest.mark.parametrize(
    ("missing", "program", "extra"),
    [
        ("matplotlib", "import gmm_lib.plotting", "plot"),
        ("matplotlib", "import gmm_lib; gmm_lib.plotting.draw_points([1, 2])", "plot"),
        ("matplotlib", "from gmm_lib import plotting", "plot"),
        ("anywidget", "from gmm_lib.widgets import EMExplorer", "widgets"),
        ("traitlets", "import gmm_lib; gmm_lib.widgets.EMExplorer()", "widgets"),
        (
            "traitlets",
            "from gmm_lib.widgets import explorer_class; explorer_class('em')",
            "widgets",
        ),
        ("pyarrow", "import gmm_lib; gmm_lib.fit(sys.argv[1], 2)", "scale"),
    ],
)
def test_what_needs_an_extra_names_it(missing, program, extra, tmp_path):
    file = tmp_path / "points.parquet"
    file.touch()
    command = [sys.executable, "-c", without(missing) + program, file]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    told = done.stderr.splitlines()[-1]
    assert told.startswith("ModuleNotFoundError: ")
    assert f"extra [{extra}]" in told
    assert f"no module '{missing}" in told
    assert f"pip install 'gmm-lib[{extra}]'" in told
    assert extra in PROJECT["optional-dependencies"]


@pytest.mark.skipif(sys.version_info[:2] not in install.SUPPORTED, reason="another message comes")
def test_python_without_venv_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(install, "can_make_environments", lambda python: False)
    with pytest.raises(SystemExit, match="venv and ensurepip, got .*apt install python3-venv"):
        install.choose_python()


def test_python_that_can_make_environments_is_told_from_one_that_cannot(tmp_path):
    assert install.can_make_environments(sys.executable)
    if os.name == "posix":
        (tmp_path / "python").write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n')
        (tmp_path / "python").chmod(0o755)
        assert not install.can_make_environments(str(tmp_path / "python"))


# What is told


def test_supported_pythons_are_told_alike():
    """In the README, on the first page, by the installer, the metadata and the Makefile."""
    versions = [f"{major}.{minor}" for major, minor in sorted(install.SUPPORTED)]
    words = f"Python {', '.join(versions[:-1])} or {versions[-1]}"
    assert words in (ROOT / "README.md").read_text(encoding="utf-8")
    assert words in (ROOT / "index.md").read_text(encoding="utf-8")
    assert f"{versions[0]} to {versions[-1]}" in (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert named == versions
    assert PROJECT["requires-python"] == f">={versions[0]}"


def test_version_is_that_of_the_metadata(monkeypatch):
    assert gmm_lib.__version__ == metadata.version("gmm-lib")

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert gmm_lib.__version__ == "not installed"


def test_modules_that_need_numpy_alone_come_with_the_library():
    program = "import gmm_lib; print(*(getattr(gmm_lib, n).__name__ for n in sys.argv[1:]))"
    names = ["check", "datasets", "online", "stream", "worksheet"]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {program}", *names], capture_output=True, text=True
    )
    assert done.stdout.split() == [f"gmm_lib.{name}" for name in names]


def test_description_of_the_package_stands_alone():
    """A registry shows it beside nothing: no link of it is relative, and its program runs."""
    text = (ROOT / PROJECT["readme"]).read_text(encoding="utf-8")
    assert [
        link for link in re.findall(r"\]\((.*?)\)", text) if not link.startswith("https:")
    ] == []
    (program,) = re.findall(r"```python\n(.*?)```", text, re.S)
    names = {}
    exec(program, names)
    assert names["found"].converged
