"""What the indicator functions share: three divisions and the door that checks their tables."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.tables.check import check_table

P = ParamSpec("P")
Division: TypeAlias = "tuple[pd.Series[float], pd.Series[float]]"

_watched: ContextVar[list[Division] | None] = ContextVar("_watched", default=None)


@contextmanager
def divisions() -> Iterator[list[Division]]:
    """List the divisions done inside, as (numerator, denominator): what a share is a share of.

    Examples
    --------
    >>> with divisions() as done:
    ...     value = share(pd.Series([12.0]), pd.Series([80.0]))
    >>> [(above.tolist(), below.tolist()) for above, below in done]
    [([12.0], [80.0])]
    """
    done: list[Division] = []
    token = _watched.set(done)
    try:
        yield done
    finally:
        _watched.reset(token)


def ratio(numerator: pd.Series[float], denominator: pd.Series[float]) -> pd.Series[float]:
    """Divide, a zero denominator giving a missing value: nobody is concerned, nothing is defined.

    Examples
    --------
    >>> ratio(pd.Series([3.0, 0.0]), pd.Series([2.0, 0.0])).tolist()
    [1.5, nan]
    """
    return pd.Series(_divided(numerator, denominator), index=numerator.index)


def rate(numerator: pd.Series[float], denominator: pd.Series[float]) -> pd.Series[float]:
    """Units of the numerator per 100 of the denominator; may exceed 100 when the fields differ."""
    return pd.Series(100 * _divided(numerator, denominator), index=numerator.index)


def share(part: pd.Series[float], whole: pd.Series[float]) -> pd.Series[float]:
    """Per cent of a whole, kept within 0-100.

    Tables let a part exceed its whole by the rounding of both (`tables.PART_TOLERANCE`): such a
    part is the whole.
    """
    return pd.Series(np.clip(100 * _divided(part, whole), 0, 100), index=part.index)


def _divided(above: pd.Series[float], below: pd.Series[float]) -> Floats:
    if (watching := _watched.get()) is not None:
        watching.append((above, below))
    divisor = below.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(divisor == 0, np.nan, above.to_numpy() / divisor)


def indicator(function: Callable[P, pd.Series[float]]) -> Callable[P, pd.Series[float]]:
    """Check the tables given to an indicator function and name its result.

    Arguments are named after the tables. `compute`, which has checked its tables already, calls
    the bare function (``__wrapped__``).
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> pd.Series[float]:
        bound = signature.bind(*args, **kwargs)
        for name, frame in bound.arguments.items():
            bound.arguments[name] = check_table(name, frame)
        result = function(*bound.args, **bound.kwargs)
        return result.astype(np.float64).rename(function.__name__)

    return checked
