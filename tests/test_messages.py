"""Every message of the library is reached, and says what was expected, what came and what to do.

`CASES` holds, module by module, a call for each `raise` of the library that makes an error. Reading
the source with `ast` finds all of these, running the calls finds which of them are reached, and the
two must be the same. So a new `raise` needs a new line in `CASES`, under its module:

    lambda folder: the_function(an_argument_that_it_refuses),

`folder` is an empty directory. What another `raise` made is only passed on by `raise error`, and a
class alone (`raise TypeError`) is caught where it is raised; neither says anything.
"""

import ast
import re
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import gmm_lib
from gmm_lib import (
    CovariancePrior,
    DegenerateComponentError,
    GaussianMixture,
    acceleration,
    bound,
    check,
    compare,
    datasets,
    e_step,
    em_states,
    fit,
    fit_missing,
    from_labels,
    hard_states,
    held_out_log_likelihood,
    kmeans,
    kmeans_plus_plus,
    kmeans_states,
    m_step,
    missing_states,
    plotting,
    random_start,
    squarem_states,
    standard_errors,
    widgets,
)
from gmm_lib._extras import needing
from gmm_lib.online import incremental_states, stepwise_states
from gmm_lib.statistics import SufficientStatistics
from gmm_lib.stream import arrow
from gmm_lib.worksheet import em_worksheet

HOME = Path(gmm_lib.__file__).parent
TEN = datasets.ten_points().X
START = datasets.ten_points().start
PLANE = GaussianMixture([1.0], [[0.0, 0.0]], [np.eye(2)])
SPIKE = GaussianMixture([0.5, 0.5], [9, 20], [1e-6, 100])  # its first component has but one point
LINE = np.c_[TEN, 2 * TEN]


TWINS = GaussianMixture([0.3, 0.7], np.repeat(TEN.mean(), 2), np.repeat(TEN.var(), 2))


def vanishing():
    """Three mixtures of a geometric series that leads far below any weight."""
    return [GaussianMixture([p, 1 - p], [0, 5], [1, 1]) for p in (1e-20, 1e-60, 1.001e-100)]


def rng():
    return np.random.default_rng(0)


def table(**columns):
    import pyarrow

    return pyarrow.table(columns)


def lazy():
    return pytest.importorskip("polars").DataFrame({"a": [1.0, 2.0]}).lazy()


def task():
    import dask

    return dask.delayed(sum)([1, 2])


def axes():
    from matplotlib.figure import Figure

    return Figure().subplots()


def filtered(folder):
    import pyarrow.compute
    import pyarrow.dataset
    import pyarrow.parquet

    pyarrow.parquet.write_table(table(a=[1.0, 2.0]), folder / "x.parquet")
    return pyarrow.dataset.dataset(folder).filter(pyarrow.compute.field("a") > 1)


def saved(path, content=b"no numbers"):
    path.write_bytes(content)
    return path


def shrinking():
    """A function of blocks that gives less each time."""
    sizes = iter([10, 10, 9, 9])
    return lambda: iter([TEN[: next(sizes)]])


class Bare(widgets.Explorer, kind="jensen"):
    """An explorer that lacks what each must define."""


END = "\nexport default { render };\n"


def joined(folder, main):
    """The module `main`, joined with another that has x and z."""
    (folder / "main.js").write_text(main)
    (folder / "a.js").write_text("export const x = 1;\nconst z = 2;")
    return widgets.base.bundle("main.js", folder)


def without_tqdm(call):
    """The call where tqdm cannot be imported."""
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if name.startswith("tqdm")}
    sys.modules["tqdm.auto"] = None
    try:
        return call()
    finally:
        del sys.modules["tqdm.auto"]
        sys.modules.update(kept)


def without_matplotlib():
    """A drawing where matplotlib cannot be imported."""
    with needing("plot", "gmm_lib.plotting"):
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")


CASES = {
    "__init__": [lambda folder: gmm_lib.nothing],
    "_extras": [lambda folder: without_matplotlib()],
    "acceleration": [
        lambda folder: list(islice(squarem_states(TEN, SPIKE), 99)),
        lambda folder: acceleration.extrapolated(*vanishing(), np.ones(1)),
    ],
    "_validate": [
        lambda folder: fit(None, 2, rng=rng()),
        lambda folder: fit(TEN, START, progress=[True, False]),
        lambda folder: fit(np.ma.array([1.0, 2], mask=[True, False]), 1, rng=rng()),
        lambda folder: fit([[1, 2], [3]], 1, rng=rng()),
        lambda folder: fit([1e200, 1], 1, rng=rng()),
        lambda folder: fit([1, np.nan], 1, rng=rng()),
        lambda folder: fit(lambda: iter([[[1, np.nan]]]), 1, rng=rng()),
        lambda folder: fit(lambda: iter([[1, 2]]), 1, rng=rng()),
        lambda folder: fit(np.ones((2, 2, 2)), 1, rng=rng()),
        lambda folder: fit([], 1, rng=rng()),
        lambda folder: fit(TEN, PLANE),
        lambda folder: fit(TEN, START, sample_weight=[1, 2]),
        lambda folder: fit(TEN, START, sample_weight=-np.ones(10)),
        lambda folder: fit(TEN, START, sample_weight=np.zeros(10)),
        lambda folder: m_step(TEN, np.ones((2, 10)) / 2),
        lambda folder: m_step(TEN, np.ones((10, 0))),
        lambda folder: m_step(TEN, np.tile([1.5, -0.5], (10, 1))),
        lambda folder: m_step(TEN, np.full((10, 2), 0.6)),
        lambda folder: fit(TEN, 2.5, rng=rng()),
        lambda folder: fit(TEN, 0, rng=rng()),
        lambda folder: fit(TEN, START, tol=[1, 2]),
        lambda folder: fit(TEN, START, tol=None),
        lambda folder: fit(TEN, START, tol=np.nan),
        lambda folder: check.e_step(3.0),
        lambda folder: fit(TEN, START, tol=-1),
        lambda folder: fit(TEN, 11, rng=rng()),
        lambda folder: fit(TEN, START, covariance_type="round"),
        lambda folder: fit(TEN, 2, rng=1),
    ],
    "blocks": [
        lambda folder: fit(lambda: iter([]), START),
        lambda folder: fit(shrinking(), START),
        lambda folder: fit(lambda: 3, START),
        lambda folder: fit([(TEN, None, 3)], START),
        lambda folder: fit([table(a=[1.0], b=[2.0]), table(b=[1.0], a=[2.0])], START),
    ],
    "bound": [
        lambda folder: bound.bound_gradient([1e145], GaussianMixture([1], [0], [1e-290]), [[1]]),
        lambda folder: bound.kl_divergence([0.5, 0.5], [1.0]),
        lambda folder: bound.jensen_gap(np.log, []),
        lambda folder: bound.jensen_gap(np.log, [1, 2], [1.0]),
        lambda folder: bound.jensen_gap(lambda x: 1.0, [1, 2]),
        lambda folder: bound.jensen_gap(np.log, [0, 1]),
        lambda folder: bound.entropy([]),
        lambda folder: bound.entropy([0.5, 0.6]),
    ],
    "check": [lambda folder: check.number(8.5, 6.8, mistakes=[8.5])],
    "cluster": [lambda folder: fit(task(), START)],
    "covariance": [
        lambda folder: m_step(TEN, np.tile([1.0, 0.0], (10, 1))),
        lambda folder: m_step(np.ones(10), np.ones((10, 1))),
        lambda folder: m_step(LINE, np.ones((10, 1))),
    ],
    "em": [
        lambda folder: list(islice(em_states(TEN, SPIKE), 99)),
        lambda folder: e_step(TEN, None),
    ],
    "engine": [lambda folder: fit([1e145], GaussianMixture([1], [0], [1e-290]))],
    "files": [
        lambda folder: fit(folder / "x.npy", START),
        lambda folder: fit(saved(folder / "x.npy"), START),
        lambda folder: arrow(3),
        lambda folder: arrow(filtered(folder)),
        lambda folder: arrow(table(a=[1.0]), "a"),
        lambda folder: arrow(table(a=[1.0]), []),
        lambda folder: arrow(table(a=[1.0]), ["b"]),
        lambda folder: fit(saved(folder / "x.csv"), START),
        lambda folder: fit(saved(folder / "x.parquet"), START),
    ],
    "fitting": [
        lambda folder: fit(TEN, START, n_init=3),
        lambda folder: fit(TEN, 2),
        lambda folder: fit(TEN, SPIKE),
        lambda folder: fit(TEN, START, init="random"),
        lambda folder: fit(TEN, 2, init=START),
        lambda folder: fit(lambda: iter([TEN]), 2, init=[0] * 10),
        lambda folder: fit(TEN, 2, init=[2] * 10),
        lambda folder: fit(TEN, 2, init=7),
        lambda folder: without_tqdm(lambda: fit(TEN, START, progress=True)),
    ],
    "hard": [
        lambda folder: hard_states(TEN, START, ddof=2),
        lambda folder: list(islice(hard_states(TEN, SPIKE), 99)),
        lambda folder: list(islice(kmeans_states(TEN, [1, 1]), 99)),
        lambda folder: kmeans(TEN, [1, 20], n_init=2),
    ],
    "initial": [
        lambda folder: random_start([1, 1, 2], 3, rng=rng()),
        lambda folder: from_labels(TEN, np.ones(10)),
        lambda folder: from_labels(TEN, [0, 1]),
        lambda folder: from_labels(TEN, [-1] * 10),
        lambda folder: from_labels(TEN, [10] * 10),
    ],
    "missing": [
        lambda folder: list(islice(missing_states(TEN, SPIKE), 99)),
        lambda folder: fit_missing([1, np.nan], 1, rng=rng()),
        lambda folder: fit_missing([[1, np.nan], [2, np.nan]], 1, rng=rng()),
    ],
    "mixture": [
        lambda folder: START.permuted([0, 0]),
        lambda folder: GaussianMixture([], [], []),
        lambda folder: GaussianMixture([1, 0], [1, 2], [1, 1]),
        lambda folder: GaussianMixture([1, 1], [1, 2], [1, 1]),
        lambda folder: GaussianMixture([0.5, 0.5], [1], [1, 1]),
        lambda folder: GaussianMixture([1], [1], [1, 1]),
        lambda folder: GaussianMixture([1], [[0, 0]], [[[1, 0.5], [0.4, 1]]]),
        lambda folder: GaussianMixture([1], [1], [-1]),
        lambda folder: GaussianMixture([1], [0], [1e-290]).responsibilities([1e145]),
        lambda folder: PLANE.marginal([]),
        lambda folder: PLANE.marginal(0.5),
        lambda folder: PLANE.marginal(2),
        lambda folder: PLANE.marginal([0, 0]),
        lambda folder: PLANE.conditional([0, 1], [1, 2]),
        lambda folder: PLANE.conditional(0, [1, 2]),
    ],
    "online": [
        lambda folder: incremental_states(TEN, START, blocks=11, rng=rng()),
        lambda folder: stepwise_states(TEN, START, exponent=2, rng=rng()),
    ],
    "partition": [
        lambda folder: kmeans_plus_plus([1, 1, 2], 3, rng=rng()),
        lambda folder: kmeans_plus_plus([1e-180, 2e-180], 2, rng=rng()),
    ],
    "plotting": [
        lambda folder: plotting.draw_heights([1, 2, 3], [1, 2], ax=axes()),
        lambda folder: plotting.draw_surface(np.add, [1, 2], [1, 2], ax=axes()),
        lambda folder: plotting.draw_points(np.ones((2, 3)), ax=axes()),
        lambda folder: plotting.draw_points(TEN, ax=3),
        lambda folder: plotting.draw_density(PLANE, ax=axes()),
        lambda folder: plotting.draw_contour(np.add, [1, 1], [1, 2], ax=axes()),
    ],
    "prior": [
        lambda folder: CovariancePrior.from_data([1, 1, 1]),
        lambda folder: CovariancePrior(1, np.ones((2, 3))),
        lambda folder: fit(TEN, START, prior=3),
        lambda folder: fit(TEN, START, prior=CovariancePrior(1, np.eye(2))),
    ],
    "selection": [
        lambda folder: held_out_log_likelihood(TEN, 2, folds=11, rng=rng()),
        lambda folder: compare(TEN, [], rng=rng()),
        lambda folder: compare(TEN, [1.5], rng=rng()),
        lambda folder: compare(TEN, [1], rng=rng(), covariance_type=[]),
        lambda folder: compare(TEN, [1], rng=rng(), sample_weight=np.full(10, 0.01)),
        lambda folder: compare(TEN, [1], rng=rng()).best("held_out"),
        lambda folder: compare([1.0, 1, 2, 2], [3], rng=rng()).best(),
    ],
    "statistics": [
        lambda folder: (
            SufficientStatistics.of(TEN, [[1]] * 10) + SufficientStatistics.of(TEN, [[1, 0]] * 10)
        ),
    ],
    "stream": [
        lambda folder: fit(iter([TEN]), START),
        lambda folder: fit(table(a=[1.0]), START, sample_weight=[1]),
    ],
    "tables": [
        lambda folder: fit(table(a=[1.0], b=[2.0]).rename_columns(["a", "a"]), START),
        lambda folder: fit(table(a=["x"]), START),
        lambda folder: fit(lazy(), START),
    ],
    "widgets.__init__": [
        lambda folder: widgets.explorer_class("nothing"),
        lambda folder: widgets.Nothing,
    ],
    "widgets.base": [
        lambda folder: joined(folder, 'import { y } from "./main.js";' + END),
        lambda folder: joined(folder, 'import { x } from "./b.js";' + END),
        lambda folder: joined(folder, 'import { x as y } from "./a.js";' + END),
        lambda folder: joined(folder, 'import { y } from "./a.js";' + END),
        lambda folder: joined(folder, 'import x from "./a.js";' + END),
        lambda folder: joined(folder, "const { a, b } = c;" + END),
        lambda folder: joined(folder, 'import { x } from "./a.js";\nconst z = 1;' + END),
        lambda folder: joined(folder, "const render = 1;"),
        lambda folder: joined(folder, "const x = 1;\nexport { x };" + END),
        lambda folder: widgets.base.load_words("xx"),
        lambda folder: widgets.base.format_number(np.nan),
        lambda folder: widgets.EMExplorer(iteration=10**6),
        lambda folder: widgets.LabelsExplorer(iteration=31),
        lambda folder: widgets.PathsExplorer(iteration=61),
        lambda folder: widgets.ShardsExplorer(shuffle=10**7),
        lambda folder: widgets.ShardsExplorer(machines=9),
        lambda folder: widgets.ShardsExplorer(iteration=201),
        lambda folder: widgets.ShardsExplorer(machines=0),
        lambda folder: widgets.BoundExplorer(q="q"),
        lambda folder: widgets.BoundExplorer(q=[[1.0]]),
        lambda folder: widgets.BoundExplorer(q=[np.nan]),
        lambda folder: widgets.SoftHardExplorer(means=[[1.0], [1e9]]),
        lambda folder: widgets.BoundExplorer(selected=0.5),
        lambda folder: widgets.BoundExplorer(selected=-1),
        lambda folder: widgets.BoundExplorer(half="E"),
        lambda folder: widgets.LikelihoodExplorer("ten"),
        lambda folder: widgets.BoundExplorer(color="red"),
        lambda folder: widgets.BoundExplorer.from_link("#em=e30"),
        lambda folder: widgets.BoundExplorer.from_link("#bound=1"),
        lambda folder: Bare().still(),
        lambda folder: Bare().describe(),
    ],
    "widgets.bound": [
        lambda folder: widgets.BoundExplorer(weights=[0.5, 0.6]),
        lambda folder: widgets.BoundExplorer(q=[0.5]),
        lambda folder: widgets.BoundExplorer(selected=10),
        lambda folder: widgets.BoundExplorer(before=[np.nan, 0.0]),
    ],
    "widgets.break_it": [
        lambda folder: widgets.BreakItExplorer(iteration=2),
        lambda folder: widgets.BreakItExplorer(prediction="left"),
        lambda folder: widgets.BreakItExplorer(repair="nudge"),
    ],
    "widgets.clinic": [
        lambda folder: widgets.ClinicExplorer(19),
        lambda folder: widgets.ClinicExplorer(solved=[1, 1]),
        lambda folder: widgets.ClinicExplorer(cause="sd"),
        lambda folder: setattr(widgets.ClinicExplorer(), "mended", True),
    ],
    "widgets.em_explorer": [
        lambda folder: widgets.EMExplorer([1, np.nan]),
        lambda folder: widgets.EMExplorer(weights=[0.5, 0.6]),
        lambda folder: widgets.EMExplorer(
            start=GaussianMixture(np.full(7, 1 / 7), range(7), np.ones(7))
        ),
        lambda folder: widgets.EMExplorer(selected=10),
        lambda folder: widgets.EMExplorer(means=[[1e6]] * 2, covariances=[[[1e-300]]] * 2),
        lambda folder: setattr(widgets.EMExplorer(), "data", "iris"),
        lambda folder: widgets.EMExplorer("nothing"),
        lambda folder: widgets.EMExplorer("iris"),
        lambda folder: widgets.EMExplorer(start=[1, 2]),
    ],
    "widgets.jensen": [
        lambda folder: widgets.JensenExplorer(values=[0, 1]),
        lambda folder: widgets.JensenExplorer(found=["nothing"]),
        lambda folder: widgets.JensenExplorer(masses=[0, 0]),
    ],
    "widgets.labels": [
        lambda folder: widgets.LabelsExplorer(labels=[1, 2]),
        lambda folder: widgets.LabelsExplorer(means=[0, 50]),
        lambda folder: widgets.LabelsExplorer(ddof=2),
    ],
    "widgets.likelihood": [
        lambda folder: widgets.LikelihoodExplorer(points=[1, 2]),
        lambda folder: widgets.LikelihoodExplorer(mu=30.0),
        lambda folder: widgets.LikelihoodExplorer(factors=6),
    ],
    "widgets.paths": [
        lambda folder: widgets.PathsExplorer(start=[0, 40]),
        lambda folder: widgets.PathsExplorer(step_size=0.0),
        lambda folder: widgets.PathsExplorer(shown=["newton"]),
    ],
    "widgets.shards": [
        lambda folder: widgets.ShardsExplorer(cuts=[1.0]),
        lambda folder: widgets.ShardsExplorer(merged=4),
        lambda folder: widgets.ShardsExplorer(dead=[0, 1, 2, 3]),
        lambda folder: widgets.ShardsExplorer(dead=[1]),
    ],
    "widgets.soft_hard": [
        lambda folder: widgets.SoftHardExplorer(variance=0.0),
        lambda folder: widgets.SoftHardExplorer(means=[[1.0]]),
        lambda folder: widgets.SoftHardExplorer(means=[[1.0], [900.0]]),
    ],
    "uncertainty": [
        lambda folder: standard_errors(TEN, START, "tied"),
        lambda folder: standard_errors(TEN, GaussianMixture([0.5, 0.5], [3, 10], [900, 900])),
        lambda folder: standard_errors(TEN, fit(TEN, START, max_iter=5).mixture),
        lambda folder: standard_errors(TEN, TWINS),
        lambda folder: standard_errors([1.0], GaussianMixture([1], [1], [1e-150])),
    ],
    "worksheet": [lambda folder: em_worksheet([[0, 0]], PLANE)],
}
FORM = re.compile(r"\S[^\n]*?: expected .+?, got .+?; .+\.", re.DOTALL)
OTHER_FORMS = {
    # What happened to a component, and what to try.
    DegenerateComponentError: re.compile(r"component \d+ \(index \d+\) degenerated.*: .+\. .+\."),
    # Python's own words, which hasattr and others rely on.
    AttributeError: re.compile(r"module '[\w.]+' has no attribute '\w+'"),
}
NUMBERED = [(module, n) for module, calls in CASES.items() for n in range(len(calls))]


def module_name(path):
    return ".".join(path.relative_to(HOME).with_suffix("").parts)


def raises_in(path):
    """The first and last lines of each `raise` in a file that makes an error."""
    return [
        (node.lineno, node.end_lineno)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]


def text_of(path, first, last):
    """Lines of a file as one."""
    return " ".join(
        " ".join(path.read_text(encoding="utf-8").splitlines()[first - 1 : last]).split()
    )


RAISES = {path: raises_in(path) for path in sorted(HOME.rglob("*.py"))}


def error_of(call, folder):
    """The error that a call ends with."""
    folder.mkdir()
    try:
        call(folder)
    except Exception as error:
        return error
    pytest.fail("nothing was raised")


def site_of(error):
    """Where an error was raised: the file and the first line of the `raise`; None if not here."""
    frame = error.__traceback__
    while frame.tb_next:
        frame = frame.tb_next
    path = Path(frame.tb_frame.f_code.co_filename)
    for first, last in RAISES.get(path, []):
        if first <= frame.tb_lineno <= last:
            return path, first
    return None


@pytest.mark.parametrize(("module", "n"), NUMBERED)
def test_a_message_says_what_was_expected_what_came_and_what_to_do(module, n, tmp_path):
    error = error_of(CASES[module][n], tmp_path / "case")
    site = site_of(error)
    assert site is not None, f"not raised by a raise of the library: {error!r}"
    assert module_name(site[0]) == module, f"raised elsewhere, so it belongs there: {error!r}"
    form = OTHER_FORMS.get(type(error), FORM)
    assert form.fullmatch(str(error)), f"not of the form {form.pattern!r}: {error}"


def test_every_raise_of_the_library_is_reached(tmp_path):
    errors = [error_of(CASES[module][n], tmp_path / f"{module}-{n}") for module, n in NUMBERED]
    reached = [site_of(error) for error in errors]
    missing = [
        f"{path.relative_to(HOME.parent)}:{first}: "
        + " ".join(
            " ".join(path.read_text(encoding="utf-8").splitlines()[first - 1 : last]).split()
        )
        for path, lines in RAISES.items()
        for first, last in lines
        if (path, first) not in reached
    ]
    assert not missing, (
        f"{len(missing)} of {sum(map(len, RAISES.values()))} messages are reached by no case. Add "
        "a call that ends there to CASES, under its module:\n" + "\n".join(missing)
    )
