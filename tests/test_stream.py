"""Data that are not in one array: files, functions, Arrow, Dask."""

import re

import numpy as np
import pytest

from gmm_lib import GaussianMixture, fit
from gmm_lib import statistics as st
from gmm_lib.stream import Blocks, arrow, as_source

START = GaussianMixture([0.5, 0.5], [[0.0, 0.0], [4.0, 4.0]], [np.eye(2), 2 * np.eye(2)])


@pytest.fixture
def X(rng):
    return rng.normal(size=(5000, 2)) + 4 * rng.integers(0, 2, size=(5000, 1))


@pytest.fixture
def in_memory(X):
    return fit(X, START, tol=0, max_iter=5)


def assert_same(found, expected, tolerance=1e-12):
    np.testing.assert_allclose(found.log_likelihoods, expected.log_likelihoods, rtol=tolerance)
    for name in ("weights", "means", "covariances"):
        ours, theirs = (getattr(f.mixture, name) for f in (found, expected))
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def blocks_of(X, *cuts):
    return np.split(X, cuts)


# ------------------------------------------------------------------------------ sources of blocks


def as_memory_map(X, folder):
    np.save(folder / "points.npy", X)
    return np.load(folder / "points.npy", mmap_mode="r")


def as_table(X):
    pyarrow = pytest.importorskip("pyarrow")
    return pyarrow.table({"a": X[:, 0], "b": X[:, 1]})


def as_parquet(X, folder):
    parquet = pytest.importorskip("pyarrow.parquet")
    for number, part in enumerate(blocks_of(X, 700, 3000)):
        parquet.write_table(as_table(part), folder / f"part-{number}.parquet", row_group_size=400)
    return folder


class Walkable:
    """Blocks that can be iterated over again and again."""

    def __init__(self, X):
        self.X = X

    def __iter__(self):
        return iter(blocks_of(self.X, 1, 1000, 1010))


SOURCES = {
    "memory map": as_memory_map,
    "npy file": lambda X, folder: as_memory_map(X, folder).filename,
    "list of blocks": lambda X, folder: blocks_of(X, 10, 3000),
    "function": lambda X, folder: lambda: iter(blocks_of(X, 3, 4, 2000)),
    "generator function": lambda X, folder: lambda: (block for block in blocks_of(X, 2500)),
    "iterable": lambda X, folder: Walkable(X),
    "empty blocks between": lambda X, folder: [X[:100], X[:0], X[100:]],
    "table": lambda X, folder: as_table(X),
    "parquet folder": as_parquet,
    "parquet file": lambda X, folder: (
        pytest.importorskip("pyarrow.parquet").write_table(as_table(X), folder / "one.parquet")
        or folder / "one.parquet"
    ),
    "ParquetFile": lambda X, folder: pytest.importorskip("pyarrow.parquet").ParquetFile(
        as_parquet(X, folder) / "part-2.parquet"
    ),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_blocks_are_fitted_like_the_array_they_make_up(X, kind, in_memory, tmp_path):
    source = SOURCES[kind](X, tmp_path)
    if kind == "ParquetFile":
        in_memory = fit(X[3000:], START, tol=0, max_iter=5)
    assert_same(fit(source, START, tol=0, max_iter=5), in_memory)


def test_a_memory_map_of_one_block_is_fitted_to_the_last_bit(X, in_memory, tmp_path):
    found = fit(as_memory_map(X, tmp_path), START, tol=0, max_iter=5)
    assert found.log_likelihoods.tolist() == in_memory.log_likelihoods.tolist()


def test_one_buffer_filled_again_for_each_block(X, in_memory):
    def walk():
        buffer = np.empty((1000, 2))
        for start in range(0, 5000, 1000):
            buffer[:] = X[start : start + 1000]
            yield buffer

    assert_same(fit(walk, START, tol=0, max_iter=5), in_memory)


def test_numbers_of_one_column_and_of_other_types(tmp_path):
    x = np.arange(100, dtype=np.float32) % 17
    start = GaussianMixture([0.5, 0.5], [3, 12], [4, 4])
    expected = fit(x, start, tol=0, max_iter=3)
    for values in (x, x.astype(np.int32)):
        found = fit(as_memory_map(values, tmp_path), start, tol=0, max_iter=3)
        assert_same(found, expected)


def test_blocks_bring_their_weights(X):
    weight = np.arange(5000) % 3.0
    expected = fit(X, START, sample_weight=weight, tol=0, max_iter=4)

    def walk():
        for start in (0, 2000):
            yield (
                X[start : start + 3000 - 1000 * (start == 0)],
                weight[start : start + 3000 - 1000 * (start == 0)],
            )

    assert_same(fit(walk, START, tol=0, max_iter=4), expected)
    table = as_table(X).append_column("w", [weight])
    found = fit(arrow(table, weight="w"), START, tol=0, max_iter=4)
    assert_same(found, expected)


def test_columns_are_chosen_by_name_and_order(X):
    table = as_table(X)
    swapped = GaussianMixture(START.weights, START.means[:, ::-1], START.covariances)
    found = fit(arrow(table, ["b", "a"]), swapped, tol=0, max_iter=2)
    expected = fit(X[:, ::-1].copy(), swapped, tol=0, max_iter=2)
    assert_same(found, expected)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_share_a_block(X, in_memory, threads, monkeypatch):
    monkeypatch.setattr(st.Rows, "LEAST", 100)
    found = fit([X[:3000], X[3000:]], START, tol=0, max_iter=5, threads=threads)
    assert_same(found, in_memory)


def test_a_start_is_drawn_from_a_sample_of_all_blocks(X, monkeypatch):
    monkeypatch.setattr("gmm_lib.em.START_SAMPLE", 500)
    found = fit([X[:4000], X[4000:]], 2, rng=np.random.default_rng(0))
    assert found.converged
    np.testing.assert_allclose(np.sort(found.mixture.means[:, 0]), [0, 4], atol=0.15)


def test_the_sample_is_uniform():
    blocks = np.split(np.arange(1000.0)[:, None], [17, 400])
    source = as_source(blocks)
    drawn = np.concatenate([source.sample(50, np.random.default_rng(s))[0] for s in range(200)])
    assert len(drawn) == 10_000
    share = np.bincount((drawn[:, 0] // 100).astype(int), minlength=10) / len(drawn)
    np.testing.assert_allclose(share, 0.1, atol=5 * np.sqrt(0.09 / 10_000))


def test_memory_does_not_grow_with_the_number_of_blocks():
    import tracemalloc

    rng = np.random.default_rng(0)
    block = rng.normal(size=(20_000, 2)) + 4 * rng.integers(0, 2, size=(20_000, 1))
    peaks = []
    for n in (5, 20):
        tracemalloc.start()
        fit(lambda n=n: (block + 0 for _ in range(n)), START, tol=0, max_iter=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_progress_is_shown_on_request(X, capsys):
    pytest.importorskip("tqdm")
    fit([X], START, tol=0, max_iter=3)
    assert capsys.readouterr().err == ""
    fit([X], START, tol=0, max_iter=3, progress=True)
    assert "3/3" in capsys.readouterr().err


# --------------------------------------------------------------------------------------- refusals


def test_a_bad_row_stops_with_its_file_and_row(X, tmp_path):
    X[3210, 1] = np.nan
    folder = as_parquet(X, tmp_path)
    with pytest.raises(ValueError, match=r"part-2\.parquet: .*got nan in row 210, column 1"):
        fit(folder, START)
    path = SOURCES["npy file"](X, tmp_path)
    with pytest.raises(ValueError, match=re.escape(str(path)) + ".*got nan in row 3210, column 1"):
        fit(path, START)
    with pytest.raises(ValueError, match="block 1: .*got nan in row 210.*none is dropped"):
        fit([X[:3000], X[3000:]], START)


def test_a_missing_value_in_a_table_is_refused_as_well():
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({"a": [1.0, None, 2.0], "b": [1, 2, None]})
    with pytest.raises(ValueError, match="table: .*got nan in row 1, column 0"):
        fit(table, START)


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (lambda: iter([np.ones((3, 2))]), None, None),
        (iter([np.ones((3, 2))]), TypeError, "walked again.*pass the function"),
        (lambda: iter([]), ValueError, "expected at least one block"),
        ([np.ones((3, 2)), np.ones((3, 3))], ValueError, "block 1: expected 2 features"),
        (lambda: iter([np.array([["a"]])]), TypeError, "block 0: expected real numbers"),
        ([np.ones((3, 2)) * 1e200], ValueError, "block 0: expected magnitudes below"),
    ],
)
def test_what_cannot_be_walked_is_refused(source, error, message):
    if error is None:
        assert as_source(source).d == 2
        return
    with pytest.raises(error, match=message):
        fit(source, START)


def test_blocks_that_change_between_walks_are_refused(X):
    sizes = iter([5000, 5000, 4000, 4000])

    def walk():
        yield X[: next(sizes)]

    with pytest.raises(ValueError, match="same 5000 points in each walk, got 4000"):
        fit(walk, START)


def test_arrow_refusals(X):
    pyarrow = pytest.importorskip("pyarrow")
    table = as_table(X)
    with pytest.raises(ValueError, match="got 'c'; choose from a, b"):
        arrow(table, ["a", "c"])
    with pytest.raises(TypeError, match="numeric columns, got 'name' of type string"):
        arrow(pyarrow.table({"name": ["x"]}))
    with pytest.raises(TypeError, match="read again, got RecordBatchReader"):
        arrow(table.to_reader())
    with pytest.raises(TypeError, match="blocks, which bring their own weights"):
        fit(table, START, sample_weight=np.ones(5000))


def test_sources_pass_through():
    source = Blocks(lambda: iter([np.ones((3, 1))]))
    assert as_source(source) is source


# ---------------------------------------------------------------------------------------- cluster


def test_dask_array_without_a_cluster(X, in_memory):
    array = pytest.importorskip("dask.array")
    found = fit(array.from_array(X, chunks=(700, 1)), START, tol=0, max_iter=5)
    assert_same(found, in_memory, 1e-10)


def test_dask_weights_starts_and_refusals(X):
    array = pytest.importorskip("dask.array")
    weight = np.arange(5000) % 3.0
    chunked = array.from_array(X, chunks=(1200, 2))
    found = fit(chunked, START, sample_weight=weight, tol=0, max_iter=3)
    assert_same(found, fit(X, START, sample_weight=weight, tol=0, max_iter=3), 1e-10)
    assert fit(chunked, 2, rng=np.random.default_rng(0)).converged
    unknown = chunked[chunked[:, 0] > 0]
    assert_same(fit(unknown, START, max_iter=2), fit(X[X[:, 0] > 0], START, max_iter=2), 1e-10)
    with pytest.raises(ValueError, match="Dask array of shape .m, d., got 1 dimension;"):
        fit(chunked[:, 0], START)
    X[4000, 0] = np.inf
    with pytest.raises(ValueError, match="partition 3: .*got inf in row 400, column 0"):
        fit(array.from_array(X, chunks=(1200, 2)), START)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit="600MiB",
            dashboard_address=None,
            host="127.0.0.1",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def made_on_the_worker(number, n):
    rng = np.random.default_rng(number)
    return rng.normal(size=(n, 2)) + 4 * rng.integers(0, 2, size=(n, 1))


def chunked(parts, n):
    """A Dask array whose partitions are made where they are needed."""
    import dask
    import dask.array

    make = dask.delayed(made_on_the_worker)
    return dask.array.concatenate(
        [dask.array.from_delayed(make(i, n), (n, 2), float) for i in range(parts)]
    )


@pytest.mark.slow
@pytest.mark.xdist_group("the cluster")
def test_a_cluster_of_two_workers_agrees_with_memory(cluster):
    array = chunked(8, 20_000)
    whole = np.concatenate([made_on_the_worker(i, 20_000) for i in range(8)])
    found = fit(array, START, tol=0, max_iter=5)
    assert_same(found, fit(whole, START, tol=0, max_iter=5), 1e-10)


@pytest.mark.slow
@pytest.mark.xdist_group("the cluster")
def test_a_worker_killed_in_the_middle_changes_nothing(cluster):
    import os
    import signal

    array = chunked(8, 20_000).persist()
    expected = fit(array, START, tol=0, max_iter=8)
    seen = []

    class Killing(type(as_source(array))):
        """Kills one worker before the fourth pass over the data."""

        def total(self, kernel, *, shared=True):
            seen.append(1)
            if len(seen) == 4:
                address, pid = next(iter(cluster.run(os.getpid).items()))
                os.kill(pid, signal.SIGKILL)
            return super().total(kernel, shared=shared)

    found = fit(Killing(array), START, tol=0, max_iter=8)
    assert len(seen) >= 10
    assert_same(found, expected, 1e-12)


@pytest.mark.slow
@pytest.mark.xdist_group("the cluster")
def test_memory_of_a_worker_is_bounded_by_its_partitions(cluster):
    """Data of 960 MB pass through two workers that together may hold less."""
    import psutil

    def peak():
        return psutil.Process().memory_info().rss

    cluster.restart()
    before = max(cluster.run(peak).values())
    fit(chunked(30, 2_000_000), START, tol=0, max_iter=1)
    after = max(cluster.run(peak).values())
    assert after - before < 300e6
