"""Comparisons of two million results against the pandas merge that brings the same columns."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pandas as pd

import barometre as bcs
from benchmarks.computing import tables_of
from benchmarks.timing import Run, Sized

BOUND = 5.0
ROWS = (3_200, 10_000, 32_000)
"""Territories and years of the results: 64 times as many rows."""


def measures() -> list[Sized]:
    """List what is promised of comparisons."""
    return [
        Sized("gap / merge", ROWS, facing(bcs.gap), BOUND),
        Sized("judge / merge", ROWS, facing(bcs.judge), BOUND),
        Sized("evolution / merge", ROWS, between_years, BOUND),
        Sized("trend / groupby and merge", ROWS, series, BOUND),
        Sized("select / merge", ROWS, chosen, BOUND),
    ]


@functools.lru_cache(maxsize=1)
def results(communes: int, years: tuple[int, ...]) -> pd.DataFrame:
    """Compute results as users do."""
    return bcs.compute(tables_of("commune", communes, years))


def facing(verb: Callable[[pd.DataFrame, str], pd.DataFrame]) -> Callable[[int], tuple[Run, Run]]:
    """Compare a verb that faces a reference with the merge that brings its columns."""

    def make(rows: int) -> tuple[Run, Run]:
        found = results(rows, (2021,))
        code = found["code"].iloc[0]

        def bare() -> pd.DataFrame:
            mine = found["code"] == code
            there = found[mine].drop(columns="code")
            keys = ["annee", "indicateur"]
            both = found[~mine].merge(there, on=keys, how="left", suffixes=("", "_reference"))
            both["ecart"] = both["valeur"] - both["valeur_reference"]
            both["rapport"] = both["valeur"] / both["valeur_reference"]
            return pd.DataFrame(both)

        return lambda: verb(found, code), bare

    return make


def between_years(rows: int) -> tuple[Run, Run]:
    """Compare `evolution` with the merge of two years."""
    found = results(rows // 2, (2015, 2021))

    def bare() -> pd.DataFrame:
        first, last = (found[found["annee"] == y].drop(columns="annee") for y in (2015, 2021))
        keys = ["code", "indicateur"]
        both = first.merge(last, on=keys, how="outer", suffixes=("_debut", "_fin"))
        both["evolution"] = both["valeur_fin"] - both["valeur_debut"]
        return both

    return lambda: bcs.evolution(found, 2015, 2021), bare


def series(rows: int) -> tuple[Run, Run]:
    """Compare `trend` over ten years with the sizes and means of series, brought to each row."""
    found = results(rows // 10, tuple(range(2012, 2022)))
    keys = ["code", "indicateur"]

    def bare() -> pd.DataFrame:
        groups = found.dropna(subset="valeur").groupby(keys, sort=False)["valeur"]
        return found.merge(groups.agg(["size", "mean"]), left_on=keys, right_index=True)

    return lambda: bcs.trend(found), bare


def chosen(rows: int) -> tuple[Run, Run]:
    """Compare `select` of a department with the merge of its codes."""
    found = results(rows, (2021,))
    codes = pd.DataFrame({"code": [c for c in found["code"].unique() if c[:2] == "59"]})
    return lambda: bcs.select(found, dep="59"), lambda: found.merge(codes, on="code")
