"""The parts of a composite index: leaves, which are indicators, and nodes, which are means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Literal, TypeAlias

Normalise: TypeAlias = Literal["minmax", "zscore", "percentile", "goalposts"]
Clip: TypeAlias = Literal["both", "low", "high"]
Method: TypeAlias = Literal["arithmetic", "geometric", "harmonic"] | float

POWERS: Mapping[str, float] = {"arithmetic": 1.0, "geometric": 0.0, "harmonic": -1.0}
BOUNDED = ("minmax", "goalposts")  # what has a low and a high end


@dataclass(frozen=True)
class Leaf:
    """An indicator of an index, and how it is brought to the common scale.

    Parameters
    ----------
    id : str
        Column of the scored frame.
    parent : str
        The node it belongs to.
    direction : {1, -1}
        Whether more is better (1) or worse (-1). Applied before normalising; values already
        normalised (``normalise=None``) are taken as they are, oriented.
    weight : float, default 1
        Weight among its siblings, which share a total of any size.
    normalise : {"minmax", "zscore", "percentile", "goalposts", None}, default "goalposts"
        Observed bounds; observed mean and standard deviation (n - 1); (rank - 1) / (n - 1); fixed
        bounds; or nothing, the values being already normalised.
    transform : {"log", None}, optional
        Applied to values and goalposts alike, before normalising.
    low, high : float, optional
        Goalposts, in natural units whatever the direction and the transform.
    clip : {"both", "low", "high", None}, default "both"
        End of the scale at which values outside the bounds are held.
    out : tuple of float, default (0, 1)
        Where the bounds (or the ranks) go: (low, high); for a z-score, (mean, standard deviation).
    """

    id: str
    parent: str
    direction: int
    weight: float = 1.0
    normalise: Normalise | None = "goalposts"
    transform: Literal["log"] | None = None
    low: float | None = None
    high: float | None = None
    clip: Clip | None = "both"
    out: tuple[float, float] = (0.0, 1.0)

    @property
    def span(self) -> float:
        """The width of the scale: between its ends, or a standard deviation."""
        return self.out[1] if self.normalise == "zscore" else self.out[1] - self.out[0]

    def __post_init__(self) -> None:
        _as_floats(self, "weight", "low", "high")
        if isinstance(self.direction, Real) and self.direction in (1, -1):
            object.__setattr__(self, "direction", int(self.direction))
        if isinstance(self.out, Iterable) and not isinstance(self.out, str):
            pair = tuple(float(v) if isinstance(v, Real) else v for v in self.out)
            object.__setattr__(self, "out", pair)


@dataclass(frozen=True)
class Node:
    """An aggregate of an index: the mean of its components.

    Parameters
    ----------
    id : str
        Column of the scores.
    parent : str, optional
        The node it belongs to; None for the root.
    weight : float, default 1
        Weight among its siblings.
    aggregate : {"arithmetic", "geometric", "harmonic"} or float, default "arithmetic"
        The mean: a number is the power of a power mean.
    min_available : float, default 0
        Smallest share (0 to 1) of its direct components that makes a score; those missing leave
        their weight to the others.
    floor : float, optional
        What lower components are raised to in a geometric or harmonic mean (powers up to 0). By
        default a hundredth of the scale, so that a zero weighs without annihilating; 0 to let it.
    """

    id: str
    parent: str | None = None
    weight: float = 1.0
    aggregate: Method = "arithmetic"
    min_available: float = 0.0
    floor: float | None = None

    def __post_init__(self) -> None:
        _as_floats(self, "weight", "aggregate", "min_available", "floor")

    @property
    def power(self) -> float:
        """The power of the mean: 1 arithmetic, 0 geometric, -1 harmonic."""
        return POWERS[self.aggregate] if isinstance(self.aggregate, str) else self.aggregate


def _as_floats(thing: Leaf | Node, *names: str) -> None:
    for name in names:
        value = getattr(thing, name)
        if isinstance(value, Real) and not isinstance(value, bool):
            object.__setattr__(thing, name, float(value))
