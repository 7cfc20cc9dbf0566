"""Tidy frames that remember what made them: method, convention, who was kept and who was lost."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, ClassVar

import pandas as pd


class Tidy(pd.DataFrame):
    """A data frame with a ``meta``: what was used to make it.

    Whatever pandas derives from it (a selection, a sum, a copy) is a plain data frame: what was
    said of the whole is not said of a part.

    Attributes
    ----------
    meta : dict
        ``method``, ``convention``, ``n_in``, ``n_used``, ``lost`` (reason to number), and
        ``version`` of the library.
    """

    _metadata: ClassVar[list[str]] = ["meta"]
    meta: dict[str, Any]


def tidy(frame: pd.DataFrame, **meta: Any) -> Tidy:
    """Join to a frame what was used to make it.

    Parameters
    ----------
    frame : DataFrame
        The result; its data are not copied.
    **meta
        ``method``, ``convention``, ``n_in``, ``n_used``, ``lost`` and whatever else a reader needs.

    Returns
    -------
    Tidy
        The same frame with ``.meta``, to which ``version`` is added.

    Examples
    --------
    >>> result = tidy(pd.DataFrame({"n": [3]}), n_in=4, n_used=3, lost={"age": 1})
    >>> result.meta["lost"], type(result.head()).__name__
    ({'age': 1}, 'DataFrame')
    """
    result = Tidy(frame, copy=False)
    result.meta = {**meta, "version": version("barometre")}
    return result
