"""Mutants: would the tests see it, were a sign, a bound or a constant of the code another?

``python -m benchmarks.mutants [--room ROOM] [--n 100] [--seed 0]``: draws places of a room where a
small change can be made (`benchmarks.mutation`), and runs, on each change alone, the tests and the
examples that pass through the changed line, quickest first, until one fails. What survives is
printed with its line: it changes nothing, or lacks a test.

Which test passes through which line is measured once per test file (coverage.py) and kept in the
folder of caches of the user; ``--only FILE:LINE`` tries the mutants of one line. Each run is a fork
of a process that has loaded the libraries, where the source of one module is read changed: no file
is written, and a mutant that is killed takes a few seconds.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

from benchmarks.mutation import Mutant, mutants, mutated

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "barometre-mutants"
# The modules of a room, and the files of tests where its lines are looked for.
ROOMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "themes": (
        "themes/*.py",
        ("cards", "shares", "households", "properties", "absent_values", "compute"),
    ),
    "engine": (
        "engine/*.py",
        (
            *("compute", "uncertainty", "intervals", "aggregate", "rounded_counts", "shrinkage"),
            *("union_intervals", "territories", "interval_plans", "absent_values", "result_rows"),
            *("deduced", "own_tables", "cards", "places"),
        ),
    ),
    "compare": (
        "compare/**/*.py",
        (
            *("compare", "evolution*", "rank*", "convergence", "diagnostic*", "dispersion"),
            *("disadvantage", "priorities", "fragility", "equivalent_year", "similar", "trends"),
            *("verdict*", "result_rows", "faces", "frames"),
        ),
    ),
    "composite": ("composite/**/*.py", ("composite_[!g]*", "idh4*", "idt", "calibration", "faces")),
    "secrecy": ("secrecy/*.py", ("secrecy*", "fragility", "cohort_publication")),
    "cohort": (
        "cohort/**/*.py",
        ("cohort_[!pr]*", "cohort_panel", "cohort_pr*", "cohort_publication", "faces"),
    ),
}
PAGES = {
    "engine": ("quickstart", "uncertainty"),
    "compare": ("compare", "verdicts"),
    "composite": ("composite", "robustness"),
    "secrecy": ("secrecy",),
    "cohort": ("cohort",),
}
PROOFS = ("composite", "cohort")  # rooms proved by `tests/proofs` too
HEAVY = (
    *("pandas", "scipy.stats", "scipy.optimize", "scipy.sparse.csgraph", "statsmodels.api"),
    *("matplotlib.pyplot", "pandera.pandas", "pyarrow.parquet", "hypothesis", "openpyxl"),
    *("xlsxwriter", "jinja2", "typer", "rich", "tomli_w", "pandera.pandas"),
)
SECONDS, MEMORY = 60, 8 << 30  # more than the tests took: a loop that does not end, a swollen table
# What looks at every module, for the lines done when imported.
EVERYWHERE = "tests/test_signatures.py"
CHUNKS = (15, 100)  # the quickest tests first: most mutants need no others


class Changed(importlib.abc.MetaPathFinder):
    """Finds one module of the package, with another source than that of its file."""

    def __init__(self, mutant: Mutant) -> None:
        parts = mutant.file.relative_to(ROOT).with_suffix("").parts
        self.name, self.path = ".".join(parts), str(mutant.file)
        self.code = compile(mutated(mutant), self.path, "exec", dont_inherit=True)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for the one module."""
        if fullname != self.name:
            return None
        loader = Compiled(fullname, self.path)
        loader.code = self.code
        return importlib.util.spec_from_file_location(fullname, self.path, loader=loader)


class Compiled(importlib.machinery.SourceFileLoader):
    """Loads a module from its code."""

    code: CodeType

    def get_code(self, fullname: str) -> CodeType:
        """Give the code."""
        return self.code


class Recorder:
    """Notes how long each test takes and, with coverage, the lines it passes through."""

    def __init__(self, coverage: Any) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}
        self.aside: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Give the lines to come to the test."""
        self.coverage.switch_context(item.nodeid)
        start = time.process_time()
        result = yield
        self.seconds[item.nodeid] = round(time.process_time() - start, 3)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Leave out what does not pass on the code as it is."""
        if not report.passed:
            self.aside.add(report.nodeid)


class Chosen:
    """Keeps the tests asked for, in their order, on a module changed."""

    def __init__(self, tests: Sequence[str], finder: Changed | None = None) -> None:
        self.order = {name: i for i, name in enumerate(tests)}
        self.finder = finder

    def pytest_configure(self) -> None:
        """Find the module before pytest, which reads again the files it is given."""
        if self.finder:
            sys.meta_path.insert(0, self.finder)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out the others."""
        kept = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(kept, key=lambda item: self.order[item.nodeid])


def forked(work: Callable[[], int], seconds: float) -> int:
    """Run in a process of its own, which ends beyond some seconds of processor; give its code."""
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status)
    code = 99
    try:
        quiet = os.open(
            CACHE / f"last_output_{os.getppid()}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        )
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        most = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.alarm(20 * most)
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def pytest_on(files: Iterable[str], plugin: object, *extra: str) -> int:
    """Run pytest here; examples are tests."""
    options = [*extra, "-s", "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["--doctest-modules", "--doctest-glob=*.md", "--continue-on-collection-errors"]
    options += ["--assert=plain", "-p", "_hypothesis_pytestplugin"]
    options += [f"--basetemp={CACHE / f'tmp_{os.getppid()}'}", f"--rootdir={ROOT}"]
    return int(pytest.main([*options, *files], plugins=[plugin]))


def record(file: str) -> dict[str, Any]:
    """Measure, or take from the cache, the tests of a file and the lines they pass through."""
    kept = CACHE / (file.replace("/", "+") + ".json")
    digest = hashlib.sha256((ROOT / file).read_bytes()).hexdigest()
    if kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text())
        if known["digest"] == digest:
            return known

    def work() -> int:
        from coverage import Coverage

        measure = Coverage(data_file=None, config_file=False, include=[f"{ROOT}/barometre/*"])
        recorder = Recorder(measure)
        measure.start()
        code = pytest_on([file], recorder)
        if code not in (0, 1, 5):  # passed, some failed (and are left out), none collected
            return code
        measure.stop()
        data = measure.get_data()
        lines = {
            str(Path(path).relative_to(ROOT)): data.contexts_by_lineno(path)
            for path in data.measured_files()
        }
        tests = {k: v for k, v in recorder.seconds.items() if k not in recorder.aside}
        sizes = {name: (ROOT / name).stat().st_size for name in lines}
        found = {"digest": digest, "tests": tests, "lines": lines, "sizes": sizes}
        kept.write_text(json.dumps(found))
        return 0

    start = time.monotonic()
    if forked(work, 900):
        raise SystemExit(f"{file}: could not be measured")
    print(f"  measured {file}: {time.monotonic() - start:.0f} s", flush=True)
    return json.loads(kept.read_text())  # type: ignore[no-any-return]  # written just above


def files_of(room: str) -> list[str]:
    """List what may test a room: its test files, its examples and the pages of documentation."""
    modules, names = ROOMS[room]
    found = {p for name in names for p in (ROOT / "tests").glob(f"test_{name}.py")}
    found |= {p for p in (ROOT / "barometre").glob(modules) if ">>>" in p.read_text("utf-8")}
    found |= {ROOT / "docs" / f"{page}.md" for page in PAGES.get(room, ())}
    if room in PROOFS:
        found |= set((ROOT / "tests" / "proofs").glob("test_*.py"))
    return sorted(str(p.relative_to(ROOT)) for p in found)


def tests_of(mutant: Mutant, records: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Give the tests that pass through the lines of a mutant, with their seconds."""
    file = str(mutant.file.relative_to(ROOT))
    first, last = mutant.lines
    found: dict[str, float] = {}
    for one in records:
        lines = one["lines"].get(file, {})
        if one["sizes"].get(file) != mutant.file.stat().st_size:
            wanted = lines.values()  # the file changed since: all that pass through it
        else:
            wanted = [lines.get(str(n), []) for n in range(first, last + 1)]
            if any("" in contexts for contexts in wanted):  # done when imported
                wanted = lines.values()
                found |= record(EVERYWHERE)["tests"]
        names = {name for contexts in wanted for name in contexts}
        found |= {name: one["tests"][name] for name in names if name in one["tests"]}
    return found


def survives(mutant: Mutant, records: Sequence[dict[str, Any]]) -> str:
    """Run the tests of a mutant; say why it is left, or nothing when a test fails."""
    tests = tests_of(mutant, records)
    if not tests:
        return "no test passes there"
    try:
        finder = Changed(mutant)
    except SyntaxError:
        return "not valid"
    names = sorted(tests, key=lambda name: tests[name])
    start = 0
    for size in (*CHUNKS, len(names)):
        chunk = names[start : start + size]
        start += size

        def work(chunk: Sequence[str] = chunk) -> int:
            sys.meta_path.insert(0, finder)
            files = sorted({name.split("::")[0] for name in chunk})
            return pytest_on(files, Chosen(chunk, finder), "-x")

        if chunk and forked(work, SECONDS + 3 * sum(tests[name] for name in chunk)):
            return ""
    return f"{len(names)} tests pass"


def drawn(room: str, n: int, seed: int) -> list[Mutant]:
    """Draw mutants of a room, each place once; a larger draw begins with a smaller one."""
    modules = sorted((ROOT / "barometre").glob(ROOMS[room][0]))
    found = [one for file in modules if file.name != "__init__.py" for one in mutants(file)]
    random.Random(seed).shuffle(found)
    return found[:n]


def main() -> None:
    """Print the survivors of each room asked, and the share killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", action="append", choices=sorted(ROOMS))
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="mutants of the draw to leave out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", help="FILE:LINE of the mutants to try")
    parser.add_argument("--measure", action="store_true", help="measure the tests, and stop")
    asked = parser.parse_args()
    os.environ.update(MPLBACKEND="agg", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in HEAVY:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a fork walks, and copies, all that was loaded
    for room in asked.room or ROOMS:
        records = [record(file) for file in files_of(room)]
        if not asked.measure:
            tried = drawn(room, 10**9 if asked.only else asked.n, asked.seed)[asked.first :]
            _try(room, [m for m in tried if not asked.only or _place(m) in asked.only], records)


def _place(mutant: Mutant) -> str:
    return f"{mutant.file.relative_to(ROOT)}:{mutant.line}"


def _try(room: str, tried: Sequence[Mutant], records: Sequence[dict[str, Any]]) -> None:
    quickest = [
        name
        for one in records
        for name in sorted(one["tests"], key=lambda name: one["tests"][name])[:20]
    ]
    files = sorted({name.split("::")[0] for name in quickest})
    if forked(lambda: pytest_on(files, Chosen(quickest), "-x"), 10 * SECONDS):
        raise SystemExit(f"{room}: tests fail on the code as it is")
    counts: dict[str, int] = defaultdict(int)
    start = time.monotonic()
    for number, mutant in enumerate(tried):
        if number and number % 10 == 0:
            print(f"  {number} of {len(tried)}, {time.monotonic() - start:.0f} s", flush=True)
        why = survives(mutant, records)
        counts["not valid" if why == "not valid" else "left" if why else "killed"] += 1
        if why:
            line = mutant.file.read_text("utf-8").splitlines()[mutant.line - 1].strip()
            print(f"  {_place(mutant)}: {mutant.told} ({why})\n      {line}", flush=True)
    valid = counts["left"] + counts["killed"]
    seconds = time.monotonic() - start
    print(f"{room}: {counts['killed']} of {valid} killed, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
