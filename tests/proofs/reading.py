"""The panel of `data`, and what other programs made of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.testing import assert_allclose

HERE = Path(__file__).parent
# Results are written with 15 digits; sums taken in another order change the last ones.
CLOSED = 1e-11


@cache
def _file(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def data(name: str) -> pd.DataFrame:
    return _file(HERE / "data" / f"{name}.csv").copy()


def result(name: str, program: str = "*") -> Any:
    """The results ``name`` of one program, a frame; empty texts are missing values."""
    (path,) = (HERE / "results").glob(f"{name}__{program}.csv")
    return _file(path).copy()


def panel(*, seen: bool = True) -> pd.DataFrame:
    """One row per person and wave, with what is known of the person."""
    rows = data("panel").merge(data("people"), on="person")
    return rows[rows["seen"] == 1].reset_index(drop=True) if seen else rows


def same(ours: Any, theirs: Any, *, rtol: float = CLOSED, atol: float = 0.0) -> None:
    """Compare numbers; missing ones must be missing on both sides."""
    assert len(ours) == len(theirs) > 0
    ours, theirs = (pd.to_numeric(pd.Series(side)).to_numpy(float) for side in (ours, theirs))
    assert_allclose(ours, theirs, rtol=rtol, atol=atol)
