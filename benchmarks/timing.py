"""How durations and memory are measured: best of several, same process, both sides."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A promise: its name, the ratio it may not pass, how to measure it."""

    name: str
    bound: float
    ratio: Callable[[], float]


def best(run: Callable[[], object], times: int) -> float:
    """Return the shortest of several durations, in seconds."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        durations.append(time.perf_counter() - start)
    return min(durations)


def peak(run: Callable[[], object]) -> int:
    """Return the bytes that a call holds at its worst, beyond what was held before."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
