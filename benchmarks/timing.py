"""How durations and memory are measured: processor time and resident memory, both sides in turn."""

from __future__ import annotations

import ctypes
import gc
import math
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

Run = Callable[[], object]


@dataclass(frozen=True)
class Measure:
    """A promise of one figure: its name, what it may not pass, how to measure it."""

    name: str
    bound: float
    ratio: Callable[[], float]


@dataclass(frozen=True)
class Sized:
    """A promise against a reference, at growing sizes.

    ``make`` prepares ours and the bare one for a size. At the last size ours may take ``bound``
    times the duration of the bare one, ``seconds`` and ``megabytes`` at most; from the last size
    but one to the last, its duration may grow as the size to the power ``slope``.
    """

    name: str
    sizes: tuple[int, ...]
    make: Callable[[int], tuple[Run, Run]]
    bound: float
    slope: float = 1.2
    seconds: float = math.inf
    megabytes: float = math.inf


@dataclass(frozen=True)
class Found:
    """What a run gave: at each size the seconds of ours, at the last one everything else."""

    measure: Sized
    seconds: tuple[float, ...]
    bare: float
    megabytes: float
    bare_megabytes: float

    @property
    def ratio(self) -> float:
        """Times the duration of the reference, at the last size."""
        return self.seconds[-1] / self.bare

    @property
    def slope(self) -> float:
        """Power of the size as which the duration grows; 1 where it is linear."""
        if len(self.seconds) < 2:
            return math.nan
        sizes = self.measure.sizes
        return math.log(self.seconds[-1] / self.seconds[-2]) / math.log(sizes[-1] / sizes[-2])

    @property
    def memory(self) -> float:
        """Times the memory of the reference; under a megabyte, a megabyte is counted."""
        return max(self.megabytes, 1.0) / max(self.bare_megabytes, 1.0)

    def broken(self) -> list[str]:
        """Name the bounds that were passed."""
        m = self.measure
        facing = {
            "ratio": (self.ratio, m.bound),
            "slope": (self.slope, m.slope),
            "seconds": (self.seconds[-1], m.seconds),
            "memory": (self.megabytes, m.megabytes),
        }
        return [name for name, (value, bound) in facing.items() if value > bound]


def take(measure: Sized, *, small: bool) -> Found:
    """Measure at every size; at the first one, once, when small."""
    seconds: list[float] = []
    for size in measure.sizes[:1] if small else measure.sizes:
        ours, bare = measure.make(size)
        one, other = in_turn(ours, bare, 0.0 if small else 10.0)
        seconds.append(one[0])
    return Found(measure, tuple(seconds), other[0], one[1], other[1])


def in_turn(ours: Run, bare: Run, budget: float) -> tuple[tuple[float, float], ...]:
    """Run both in turn, five times or until the budget is spent: least seconds and megabytes."""
    start = time.process_time()
    taken: list[tuple[tuple[float, float], tuple[float, float]]] = []
    while not taken or (len(taken) < 5 and time.process_time() - start < budget):
        taken.append((cost(ours), cost(bare)))
    sides = zip(*taken, strict=True)
    return tuple((min(s for s, _ in side), min(m for _, m in side)) for side in sides)


def cost(run: Run) -> tuple[float, float]:
    """Return the seconds of processor of a call, and the megabytes it held at its worst."""
    gc.collect()
    before = _held()
    start = time.process_time()
    result = run()  # held until its memory is read
    seconds = time.process_time() - start
    after = _peak()
    del result
    return max(seconds, 1e-6), (after - before) / 1024


def _held() -> int:
    """Give back what is free, forget the former peak; return the kilobytes held."""
    if sys.platform != "linux":
        return 0
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts again from VmRSS
    return _peak()


def _peak() -> int:
    if sys.platform != "linux":
        return 0
    found = re.search(r"VmHWM:\s*([0-9]+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1))


def best(run: Run, times: int) -> float:
    """Return the shortest of several durations, in seconds of processor."""
    durations = []
    for _ in range(times):
        start = time.process_time()
        run()
        durations.append(time.process_time() - start)
    return min(durations)


def peak_of(program: str, *arguments: str) -> int:
    """Run a program apart, and return the megabytes that it held at its worst."""
    return told_by(program, *arguments)[1]


def told_by(program: str, *arguments: str) -> tuple[str, int]:
    """Run a program apart: the last line that it printed, the megabytes it held at its worst."""
    # Linux keeps in ru_maxrss what the process that launched this one held: VmHWM is its own.
    told = "\nfrom benchmarks.timing import _peak; print(_peak())"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program + told, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    *_, last, held = ["", *run.stdout.splitlines()]
    return last, int(held) // 1024
