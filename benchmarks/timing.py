"""How durations and memory are measured: processor time, best of several, both sides in turn."""

from __future__ import annotations

import math
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A promise: its name, the ratio it may not pass, how to measure it."""

    name: str
    bound: float
    ratio: Callable[[], float]


def best(run: Callable[[], object], times: int) -> float:
    """Return the shortest of several durations, in seconds of processor."""
    durations = []
    for _ in range(times):
        start = time.process_time()
        run()
        durations.append(time.process_time() - start)
    return min(durations)


def against(ours: Callable[[], object], bare: Callable[[], object], times: int) -> float:
    """Compare two runs done in turn, so that both meet the same machine: how many times longer."""
    pairs = [(best(ours, 1), best(bare, 1)) for _ in range(times)]
    return min(one for one, _ in pairs) / min(other for _, other in pairs)


def slope(sizes: Sequence[int], run: Callable[[int], Callable[[], object]], times: int) -> float:
    """Print the seconds at some sizes, and return the slope of time against size (1: linear)."""
    seconds = [best(run(size), times) for size in sizes]
    told = ", ".join(f"{size}: {s:.2f} s" for size, s in zip(sizes, seconds, strict=True))
    print(f"    {told}")
    return math.log(seconds[-1] / seconds[0]) / math.log(sizes[-1] / sizes[0])


# Linux keeps in ru_maxrss what the process that launched this one held: VmHWM is its own.
_PEAK = """
import pathlib, re, resource
status = pathlib.Path("/proc/self/status")
own = re.search(r"VmHWM:\\s*([0-9]+)", status.read_text()) if status.exists() else None
print(own.group(1) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak_of(program: str, *arguments: str) -> int:
    """Run a program apart, and return the megabytes that it held at its worst."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program + _PEAK, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(run.stdout.split()[-1]) // 1024


def peak(run: Callable[[], object]) -> int:
    """Return the bytes that a call holds at its worst, beyond what was held before."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
