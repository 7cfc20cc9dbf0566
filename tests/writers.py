"""Every writer of the library killed, short of room, forbidden and doubled.

``python -m tests.writers WRITER FOLDER TRIAL TIMES`` loads and prepares everything once, then forks:
each trial starts from the same state, without a start of Python. What goes wrong is printed.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort
from barometre.composite import Bounds, Index
from barometre.pages.dashboard import dashboard, write_dashboard
from barometre.pages.delimited import Dialect
from barometre.pages.frames_file import write_frame
from barometre.pages.results_file import write_template

Write = Callable[[Path, int], object]
"""Write in a folder the first or the second version: 0 or 1."""
Tree = dict[str, bytes]
NOBODY = 65_534
DAY = dt.date(2026, 3, 1)


def results() -> list[pd.DataFrame]:
    found = bcs.compute(bcs.datasets.make_tables(300, 2021, seed=1))
    return [found, found.iloc[::2].reset_index(drop=True)]


def of_results(name: str, csv: Dialect = "machine") -> Write:
    versions = results()
    return lambda folder, version: bcs.write_results(versions[version], folder / name, csv=csv)


def template(name: str) -> Write:
    tables = ("logements", "revenus")
    return lambda folder, version: write_template(tables[version], folder / name)


def frame(name: str) -> Write:
    versions = results()
    return lambda folder, version: write_frame(versions[version], folder / name, title="valeurs")


def records(name: str) -> Write:
    year = bcs.monitoring.example_year()
    whole = {"actions": year["actions"]}
    versions = [whole, {"actions": year["actions"].head(2)}]
    return lambda folder, version: bcs.monitoring.write_records(versions[version], folder / name)


def board() -> Write:
    year = bcs.monitoring.example_year()
    fewer = {**year, "actions": year["actions"].head(2)}
    boards = [dashboard(year, 2025), dashboard(fewer, 2025)]
    return lambda folder, version: write_dashboard(boards[version], folder / "b.xlsx")


def edition() -> Write:
    versions, files = results(), {f"{i}.bin": bytes(100_000) for i in range(20)}
    return lambda folder, version: bcs.monitoring.create_edition(
        folder / "2026", date="2026-03-01", results=versions[version], files=files
    )


def pages() -> Write:
    tables = bcs.datasets.tables()
    found = bcs.compute(tables, "revenus")
    days = ("2026-03-01", "2026-04-01")
    return lambda folder, version: bcs.report(
        found, folder, territories="QP059050", tables=tables, date=days[version]
    )


def people() -> Write:
    cohort = Cohort(
        bcs.datasets.make_cohort(400, seed=1), person="person", wave="wave", arm="arm",
        first_treated="first_treated", cluster="baseline_zone", zone="zone", status="status",
    )  # fmt: skip
    titles = ("Avant", "Après")
    return lambda folder, version: bcs.cohort_page(
        cohort, folder / "c.html", outcome="income", title=titles[version]
    )


def protocol() -> Write:
    sizes = (200, 300)
    return lambda folder, version: bcs.prepare_cohort(folder, people=sizes[version])


def chart(name: str) -> Write:
    found = bcs.compute(bcs.datasets.tables())
    indicators = ("taux_emploi_15_64", "part_femmes_defm")

    def write(folder: Path, version: int) -> None:
        chosen = found[found["indicateur"] == indicators[version]]
        drawn = bcs.plots.ranked_bars(chosen, indicators[version])
        bcs.plots.save_chart(drawn, folder / name, dpi=50)

    return write


def index() -> Write:
    def tree(weight: float) -> Index:
        rows = [(f"i{j}", "indice", 1.0 + weight * j) for j in range(200)]
        table = pd.DataFrame([*rows, ("indice", None, 1.0)], columns=["id", "parent", "weight"])
        return Index.from_table(table.assign(direction=1))

    versions = [tree(1.0), tree(2.0)]
    return lambda folder, version: versions[version].to_toml(folder / "i.toml")


def bounds() -> Write:
    given = pd.DataFrame(np.arange(600.0).reshape(2, 300)).rename(columns=str)
    versions = [Bounds.observed(given + v, reference="essai", date=DAY) for v in (0, 1)]
    return lambda folder, version: versions[version].to_toml(folder / "b.toml")


WRITERS: dict[str, Callable[[], Write]] = {
    "results.xlsx": lambda: of_results("r.xlsx"),
    "results.csv": lambda: of_results("r.csv"),
    "results.parquet": lambda: of_results("r.parquet"),
    "results for Excel": lambda: of_results("r.csv", "excel"),
    "template.xlsx": lambda: template("t.xlsx"),
    "template.csv": lambda: template("t.csv"),
    "frame.xlsx": lambda: frame("f.xlsx"),
    "frame.csv": lambda: frame("f.csv"),
    "frame.parquet": lambda: frame("f.parquet"),
    "records.xlsx": lambda: records("a.xlsx"),
    "records.csv": lambda: records("a.csv"),
    "records.parquet": lambda: records("a.parquet"),
    "dashboard": board,
    "edition": edition,
    "pages": pages,
    "people": people,
    "protocol": protocol,
    "chart.svg": lambda: chart("c.svg"),
    "chart.png": lambda: chart("c.png"),
    "chart.pdf": lambda: chart("c.pdf"),
    "index.toml": index,
    "bounds.toml": bounds,
}


def tree_of(folder: Path, *, hidden: bool = False) -> Tree:
    """Read the files of a folder: those that are seen, or those that are hidden."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder)
        if any(part.startswith(".") for part in name.parts) == hidden:
            found[str(name)] = path.read_bytes()
    return found


def forked(run: Callable[[], object], reading: int) -> int:
    """Start a run in a process of its own: 0 when it succeeds, 1 refused in words, 3 by accident."""
    pid = os.fork()
    if pid:
        return pid
    code = 3
    try:
        run()
        code = 0
    except BarometreError as error:
        os.write(reading, str(error).encode())
        code = 1
    except BaseException:  # told, whatever it is
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


class Trial:
    """A writer and its two versions, written once each; what goes wrong is kept."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder, self.faults = name, folder, list[str]()
        self.write = WRITERS[name]()
        self.write(folder / "0", 0)
        start = time.perf_counter()
        self.write(folder / "1", 1)
        self.seconds = time.perf_counter() - start
        self.versions = [tree_of(folder / "0"), tree_of(folder / "1")]
        self.out = folder / "out"
        self.write(self.out, 0)
        self.reading, self.writing = os.pipe()
        assert self.versions[0] != self.versions[1]
        assert tree_of(self.out) == self.versions[0]

    def look(self, when: str) -> None:
        """See that each file is whole, and all of an edition of one version."""
        if self.name == "edition":  # whoever opens it puts back what a killed run had put aside
            bcs.monitoring.open_edition(self.out / "2026")
        seen = tree_of(self.out)
        if self.name == "edition" and seen not in self.versions:
            self.faults.append(f"{when} : édition mêlée")
        if seen.keys() != self.versions[0].keys():
            self.faults.append(f"{when} : {sorted(seen)}")
        for name, content in seen.items():
            if content not in [version.get(name) for version in self.versions]:
                self.faults.append(f"{when} : {name} entamé, {len(content)} octets")

    def leave_nothing(self, when: str) -> None:
        """See that no hidden file is left, there or among temporary ones."""
        left = [*tree_of(self.out, hidden=True), *tree_of(self.folder / "scratch")]
        if left:
            self.faults.append(f"{when} : restes {left}")

    def kill(self, times: int) -> None:
        """Kill the writer at moments drawn over two writings."""

        def forever() -> None:
            for version in itertools.cycle((1, 0)):
                self.write(self.out, version)
                os.write(self.writing, b".")

        draws, begun = np.random.default_rng(0), 0
        for number in range(10 * times):
            if number >= times and begun:
                break
            late = 1 + number // times  # a busy machine: later and later, until a writing has begun
            moment = late * draws.uniform(0.0, max(0.1, 2.2 * self.seconds))
            pid = forked(forever, self.writing)
            time.sleep(moment)
            os.kill(pid, signal.SIGKILL)
            status = os.waitpid(pid, 0)[1]
            if not os.WIFSIGNALED(status):
                self.faults.append(f"{moment:.3f} s : le processus s'est arrêté seul")
            self.look(f"tué à {moment:.3f} s")
            os.write(self.writing, b"!")
            begun += os.read(self.reading, 100_000) != b"!" or bool(tree_of(self.out, hidden=True))
        if not begun:
            self.faults.append("aucune écriture n'a commencé : la preuve ne dit rien")
        self.write(self.out, 0)
        if tree_of(self.out) != self.versions[0]:
            self.faults.append("la suite n'écrit pas ce qu'elle doit")

    def refused(self, when: str, prepare: Callable[[], None], words: str, *, always: bool) -> None:
        """Run once under a constraint: what was there stays, the reason is told."""

        def once() -> None:
            prepare()
            self.write(self.out, 1)

        status = os.waitpid(forked(once, self.writing), 0)[1]
        code = os.waitstatus_to_exitcode(status)
        if code == 1:
            told = os.read(self.reading, 100_000).decode()
            if words not in told:
                self.faults.append(f"{when} : dit « {told} »")
        elif code != 0 or always:
            self.faults.append(f"{when} : sortie {code}")
        self.look(when)
        self.leave_nothing(when)

    def full(self, times: int) -> None:
        """Limit the size of files: none, and less than the largest one."""
        largest = max(len(content) for content in self.versions[1].values())
        for limit in np.linspace(1, largest - 1, max(times, 2)).astype(int).tolist():

            def bound(limit: int = limit) -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

            self.refused(f"{limit} octets au plus", bound, "trop gros", always=True)

    def closed(self, times: int) -> None:
        """Forbid the folder and its files."""
        for path in [self.out, *self.out.rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)

        def leave() -> None:
            if os.geteuid() == 0:  # who may write everywhere
                os.setresuid(NOBODY, NOBODY, NOBODY)

        words = "protégé" if self.name == "edition" else "non autorisée"
        self.refused("lecture seule", leave, words, always=True)

    def race(self, times: int) -> None:
        """Write both versions at once, several times; an edition is read meanwhile."""

        def several(version: int) -> Callable[[], None]:
            def run() -> None:
                for _ in range(times):
                    self.write(self.out, version)

            return run

        def read() -> None:
            for _ in range(10 * times):
                bcs.monitoring.open_edition(self.out / "2026")

        started = [forked(several(version), self.writing) for version in (0, 1)]
        readers = [forked(read, self.writing)] if self.name == "edition" else []
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
        if any(os.waitpid(pid, 0)[1] for pid in readers):
            self.faults.append("lue pendant l'écriture : refusée")
        lost = {0, 1} if self.name == "edition" else {0}  # one wins, the other is told
        if set(codes) - lost or codes == [1, 1]:
            self.faults.append(f"deux à la fois : sorties {codes}")
        self.look("deux à la fois")
        if self.name == "edition":  # what both had put aside goes with the next writing
            self.write(self.out, 0)
        self.leave_nothing("deux à la fois")


def main(name: str, folder: str, trial: str, times: str) -> int:
    warnings.simplefilter("ignore")  # its error output must be empty: faults alone are told
    home = Path(folder)
    (home / "scratch").mkdir(parents=True)
    tempfile.tempdir = str(home / "scratch")
    tried = Trial(name, home)
    getattr(tried, trial)(int(times))
    print("\n".join(tried.faults))
    return int(bool(tried.faults))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
