"""Measure an iteration of EM: the same work, the same result, another program.

Both programs get the same data, the same start, the same number of iterations, `reg_covar=0` and
`tol=0`. The time of one iteration is that of a call with n + 1 iterations less that of a call with
one, over n, so that set-up counts for neither; calls alternate, and medians of the ratios of
neighbors are printed, which a busy machine spoils least. With one thread it is processor time that
is compared, with more it must be time on the wall. Beside each ratio stand the largest differences
of the results, in units of the standard deviations of the components.

The limit is what the machine could do with this way of counting: both matrix products at the speed
of a large product measured here, one exp per point and component, one log per point and one
reading of the data. Nothing else, and nothing waiting for anything.

Other ratios are wanted where numpy has AVX-512 for exp than where it has not: without it exp takes
up to ten times as long, which is most of an iteration where d is small.

    python -m benchmarks            all of it
    python -m benchmarks --quick    fewer rounds
    python -m benchmarks starts     where fit starts from (see benchmarks/starts.py), and no more
"""

import argparse
import itertools
import platform
import statistics
import time
import tracemalloc
import warnings
from contextlib import nullcontext

import numpy as np
import sklearn
from sklearn.mixture import GaussianMixture as ScikitLearn
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks import starts
from gmm_lib import GaussianMixture, fit
from gmm_lib.features import FEATURES
from gmm_lib.rows import available_threads

# points, features, components, iterations to time, least ratios wanted: with AVX-512, without
ROWS = [
    (300, 2, 3, 200, (4, 4)),
    (100_000, 2, 5, 10, (15, 9)),
    (1_000_000, 2, 8, 3, (18, 13)),
    (100_000, 8, 16, 5, (12, 10)),
    (200_000, 32, 16, 1, (5, 4.5)),
    (50_000, 64, 32, 1, (3, 3)),
]
TYPE_ROWS = [(m, d, k, n, (5, 5)) for m, d, k, n in
             [(100_000, 2, 5, 10), (100_000, 8, 16, 5), (100_000, 32, 16, 2)]]  # fmt: skip
WHOLE_CALL = (10, 8)
INSTRUCTIONS = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
WITHOUT_AVX512 = not any(name == "X86_V4" or "AVX512" in name for name in INSTRUCTIONS)


def problem(m, d, k, separation=3.0, seed=0):
    """Points of k groups, some `separation` standard deviations from 0, and a start near them."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(0, separation, (k, d))
    X = centers[rng.integers(k, size=m)] + rng.normal(size=(m, d))
    means = centers + rng.normal(0, 0.3, (k, d))
    return X, GaussianMixture(np.full(k, 1 / k), means, np.tile(1.5 * np.eye(d), (k, 1, 1)))


def scikit_learn(X, start, n, covariance_type):
    """Run n iterations of scikit-learn from this start."""
    precisions = np.linalg.inv(start.covariances)
    precisions = {
        "full": precisions,
        "tied": precisions[0],
        "diag": np.einsum("kaa->ka", precisions),
        "spherical": precisions[:, 0, 0],
    }[covariance_type]
    return ScikitLearn(
        start.k,
        covariance_type=covariance_type,
        weights_init=start.weights,
        means_init=start.means,
        precisions_init=precisions,
        # The start is given; this is the cheapest of the ways it chooses one all the same.
        init_params="random_from_data",
        random_state=0,
        reg_covar=0,
        tol=0,
        max_iter=n,
    ).fit(X)


def seconds(call, clock=time.perf_counter):
    began = clock()
    call()
    return clock() - began


def differences(X, start, n, covariance_type, threads):
    """Largest differences of parameters (in standard deviations) and of the mean log-likelihood."""
    theirs = scikit_learn(X, start, n, covariance_type)
    found = fit(X, start, covariance_type=covariance_type, tol=0, max_iter=n, threads=threads)
    k, d = start.means.shape
    covariances = {
        "full": lambda c: c,
        "tied": lambda c: np.repeat(c[None], k, axis=0),
        "diag": lambda c: c[:, :, None] * np.eye(d),
        "spherical": lambda c: c[:, None, None] * np.eye(d),
    }[covariance_type](theirs.covariances_)
    ours = found.mixture
    sd = np.sqrt(np.einsum("kaa->ka", ours.covariances))
    parameters = max(
        np.abs(ours.weights - theirs.weights_).max(),
        (np.abs(ours.means - theirs.means_) / sd).max(),
        (np.abs(ours.covariances - covariances) / sd[:, :, None] / sd[:, None, :]).max(),
    )
    # Its lower_bound_ is the mean log-likelihood before the last M step.
    bound = found.log_likelihoods[n - 1] / len(X)
    return parameters, abs(theirs.lower_bound_ / bound - 1)


def rounds(budget):
    """Rounds of a measurement: three at least, then until `budget` seconds are spent."""
    began = time.perf_counter()
    for done in itertools.count():
        if done >= 3 and time.perf_counter() - began > budget:
            return
        yield done


def compare(m, d, k, n, covariance_type, threads, budget, separation=3.0):
    """Median seconds an iteration (theirs, ours), median ratio, and the differences."""
    X, start = problem(m, d, k, separation)
    clock = time.process_time if threads == 1 else time.perf_counter

    options = {"covariance_type": covariance_type, "tol": 0, "threads": threads}

    def ours(iterations):
        return seconds(lambda: fit(X, start, max_iter=iterations, **options), clock)

    def theirs(iterations):
        return seconds(lambda: scikit_learn(X, start, iterations, covariance_type), clock)

    ours(1)
    slow, fast = [], []
    for _ in rounds(budget):
        slow.append((theirs(n + 1) - theirs(1)) / n)
        fast.append((ours(3 * n + 1) - ours(1)) / (3 * n))
    return *medians(slow, fast), differences(X, start, min(n, 10), covariance_type, threads)


def medians(slow, fast):
    """Medians of two lists of times, and of the ratios of neighbors."""
    ratios = [a / b for a, b in zip(slow, fast, strict=True)]
    return [statistics.median(each) for each in (slow, fast, ratios)]


def whole_call(budget):
    """Median ratio and seconds of whole calls with one iteration, at teaching size."""
    X, start = problem(300, 2, 3)
    clock, slow, fast = time.process_time, [], []
    for _ in rounds(budget):
        theirs = seconds(lambda: [scikit_learn(X, start, 1, "full") for _ in range(5)], clock)
        ours = seconds(lambda: [fit(X, start, tol=0, max_iter=1) for _ in range(20)], clock)
        slow.append(theirs / 5)
        fast.append(ours / 20)
    return medians(slow, fast)


def extra_memory(run):
    """Most memory that numpy held during `run`, in MB."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


class Machine:
    """What this machine can do, with as many threads as BLAS has now."""

    def __init__(self, threads):
        square = np.random.default_rng(0).random((1200, 1200))
        block, out = -square[:100], np.empty_like(square[:100])
        large = np.ones(16 * 2**20 // 8 * 4)
        best = self.best
        self.flops = 2 * 1200**3 / best(lambda: square @ square)
        self.exp = best(lambda: np.exp(block, out=out)) / block.size / threads
        self.log = best(lambda: np.log(square[:100], out=out)) / block.size / threads
        self.bytes = large.nbytes / best(large.sum)

    @staticmethod
    def best(call):
        call()
        return min(seconds(call) for _ in range(15))

    def floor(self, m, d, k, covariance_type):
        """Seconds that an iteration must take."""
        products = 2 * 2 * m * k * FEATURES[covariance_type](d).size
        return products / self.flops + m * (k * self.exp + self.log) + m * d * 8 / self.bytes

    def __str__(self):
        return (
            f"products {self.flops / 1e9:.0f} Gflop/s, exp {self.exp * 1e9:.2f} ns, "
            f"log {self.log * 1e9:.2f} ns, reading {self.bytes / 1e9:.1f} GB/s"
        )


def exponents():
    """How the time of an iteration grows with m, k and d: slopes in logarithms, one thread."""
    found = {}
    for name, sizes in {
        "m": [(m, 8, 8) for m in (25_000, 50_000, 100_000, 200_000)],
        "k": [(40_000, 8, k) for k in (8, 16, 32, 64)],
        "d": [(10_000, d, 8) for d in (16, 32, 64, 96)],
    }.items():
        times = []
        for m, d, k in sizes:
            X, start = problem(m, d, k)

            def run(n, X=X, start=start):
                call = lambda: fit(X, start, tol=0, max_iter=n, threads=1)  # noqa: E731
                return seconds(call, time.process_time)

            times.append(min((run(4) - run(1)) / 3 for _ in range(6)))
        at = {"m": 0, "d": 1, "k": 2}[name]
        found[name] = np.polyfit(np.log([size[at] for size in sizes]), np.log(times), 1)[0]
    return found


def table(title, header, lines):
    print(f"\n## {title}\n\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for line in lines:
        print(f"| {' | '.join(line)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Measure gmm_lib against scikit-learn.")
    parser.add_argument("part", nargs="?", choices=["starts"], help="this part only")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments = parser.parse_args()
    seeds, budget = (3, 3) if arguments.quick else (5, 12)
    warnings.filterwarnings("ignore")  # scikit-learn: that it has not converged

    blas = next((i for i in threadpool_info() if i["user_api"] == "blas"), {})
    print(
        f"numpy {np.__version__}, scikit-learn {sklearn.__version__}, Python "
        f"{platform.python_version()}, {available_threads()} cores, {blas.get('internal_api')} "
        f"{blas.get('version')} for {blas.get('architecture')}, numpy with "
        f"{' '.join(INSTRUCTIONS)}"
    )
    with threadpool_limits(1):
        missed = starts.report(seeds)
    if arguments.part == "starts":
        return

    def verdict(name, ratio, wanted):
        least = wanted[WITHOUT_AVX512]
        if ratio < least:
            missed.append(f"{name}: {ratio:.1f}, wanted {least}")
        return f"{ratio:.1f} (wanted {least})"

    for threads, limit in ((1, threadpool_limits(1)), (None, nullcontext())):
        with limit:
            machine = Machine(threads or available_threads())
            name = "one thread each" if threads else "default threads"

            def lines(rows, types, threads=threads, machine=machine, name=name):
                for covariance_type in types:
                    for m, d, k, n, wanted in rows:
                        slow, fast, ratio, (parameters, bound) = compare(
                            m, d, k, n, covariance_type, threads, budget
                        )
                        row = f"{covariance_type} {m:,} x {d}, {k}"
                        yield (
                            row,
                            f"{slow * 1e3:.3g}",
                            f"{fast * 1e3:.3g}",
                            verdict(f"{row}, {name}", ratio, wanted),
                            f"{machine.floor(m, d, k, covariance_type) / fast:.0%}",
                            f"{parameters:.0e}",
                            f"{bound:.0e}",
                        )

            header = (
                "m x d, k", "scikit-learn, ms", "gmm_lib, ms", "ratio", "of the limit",
                "difference: parameters", "log-likelihood",
            )  # fmt: skip
            table(f"An iteration, {name}: {machine}", header, lines(ROWS, ["full"]))
            if threads:
                types = ("diag", "spherical", "tied")
                table(f"Other covariance types, {name}", header, lines(TYPE_ROWS, types))
                sharp = compare(100_000, 8, 16, 5, "full", 1, budget, separation=30.0)
                print(f"\nSharp responsibilities, 100,000 x 8, 16: ratio {sharp[2]:.1f}")
                slow, fast, ratio = whole_call(budget)
                print(
                    f"\nWhole call of one iteration, 300 x 2, 3: {slow * 1e3:.2f} ms against "
                    f"{fast * 1e3:.3f} ms, ratio {verdict('whole call', ratio, WHOLE_CALL)}"
                )

    print("\n## Memory beyond the data, MB\n\n| m x d, k | scikit-learn | gmm_lib |\n|---|---|---|")
    for m, d, k, _, _ in ROWS[1:]:
        X, start = problem(m, d, k)
        theirs = extra_memory(lambda X=X, start=start: scikit_learn(X, start, 1, "full"))
        ours = extra_memory(lambda X=X, start=start: fit(X, start, tol=0, max_iter=1))
        print(f"| {m:,} x {d}, {k} | {theirs:.1f} | {ours:.1f} |", flush=True)
        if (m, k) == (1_000_000, 8) and ours > 8:
            missed.append(f"memory at {m:,} x {d}, {k}: {ours:.1f} MB, wanted at most 8")

    with threadpool_limits(1):
        slopes = exponents()
    print("\n## Growth of the time: " + ", ".join(f"{n}^{s:.2f}" for n, s in slopes.items()))
    print("\nMissed: " + ("; ".join(missed) if missed else "nothing"))


if __name__ == "__main__":
    main()
