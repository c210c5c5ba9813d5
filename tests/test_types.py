"""Types: all that is public has them, and mypy takes what the docstrings promise, no more."""

import inspect
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from conftest import ROOT
from test_docs import PUBLIC

FUNCTIONS = [
    (door, name)
    for door, name in PUBLIC
    if inspect.isfunction(getattr(import_module(door), name)) and door != "gmm_lib.widgets"
]
RIGHT = """
import numpy as np
import gmm_lib
from gmm_lib import GaussianMixture, CovariancePrior, datasets

start = GaussianMixture([0.5, 0.5], [3, 10], np.array([8.5, 15.7]))
found = gmm_lib.fit([1, 4, 5], start, prior=CovariancePrior(1, [[4.0]]))
means: np.ndarray = found.mixture.means
w, log_likelihood = gmm_lib.e_step(datasets.ten_points().X, start)
total: float = log_likelihood + found.log_likelihood
state = next(gmm_lib.em_states([1, 4, 5], start))
again: GaussianMixture = state.mixture.permuted([1, 0])
explorer = gmm_lib.widgets.EMExplorer()
version: str = gmm_lib.__version__
"""
WRONG = [
    ("gmm_lib.ft([1, 2], 2)", "has no attribute"),
    ("gmm_lib.fit([1, 2], 'two')", "incompatible type"),
    ("gmm_lib.fit([1, 2], 2, rng=0)", "incompatible type"),
    ("gmm_lib.e_step([1, 2], [3, 10])", "incompatible type"),
    ("gmm_lib.em_states([1, 2], gmm_lib.fit([1, 2], 2))", "incompatible type"),
    ("gmm_lib.fit([1, 2], 2).means", "has no attribute"),
    ("gmm_lib.aic('-32', 5)", "incompatible type"),
    ("gmm_lib.widgets.EmExplorer()", "has no attribute"),
]


@pytest.mark.parametrize(
    ("door", "name"), FUNCTIONS, ids=[f"{door}.{name}" for door, name in FUNCTIONS]
)
def test_public_functions_have_types(door, name):
    signature = inspect.signature(getattr(import_module(door), name))
    for parameter in signature.parameters.values():
        assert parameter.annotation is not parameter.empty, parameter.name
    assert signature.return_annotation is not signature.empty


def test_mypy_agrees_and_takes_no_misuse(tmp_path):
    pytest.importorskip("mypy")
    if np.lib.NumpyVersion(np.__version__) < "2.4.0":
        pytest.skip("the types that an older numpy tells are less exact")
    lines = [line for line, _ in WRONG]
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text("\n".join(["import gmm_lib", *lines]) + "\n")

    def mypy(*files):  # with what `make lint` has found of the files it knows
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--no-error-summary", *files],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        return done.stdout.splitlines()

    assert mypy() == []  # gmm_lib itself
    told = mypy(tmp_path / "right.py", tmp_path / "wrong.py")
    assert [each for each in told if "right.py" in each] == []
    for number, (line, complaint) in enumerate(WRONG, start=2):
        assert any(f"wrong.py:{number}: error" in each and complaint in each for each in told), line
