"""Comparisons of two million results against the pandas merge that brings the same columns."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import pandas as pd

import barometre as bcs
from barometre.tables.table_set import Tables
from benchmarks.timing import Measure, against

BOUND = 5.0


def repeated(communes: int, years: Iterable[int]) -> Tables:
    """Draw the tables of one year, and give them again for others."""
    base, when = bcs.datasets.make_tables(communes, 2021, seed=0), [*years]
    frames = {}
    for name in base:
        frame = base[name]
        codes = frame.index.get_level_values("code")
        keys = pd.MultiIndex.from_arrays(
            [codes.append([codes] * (len(when) - 1)), np.repeat(when, len(codes))],
            names=["code", "annee"],
        )
        frames[name] = pd.concat([frame] * len(when)).set_axis(keys)
    said = pd.concat([base.statuts.assign(annee=year) for year in when], ignore_index=True)
    return Tables(frames, statuts=said, territoires=base.territoires)


@functools.cache
def results(communes: int, years: tuple[int, ...]) -> pd.DataFrame:
    """Compute results as users do."""
    return bcs.compute(repeated(communes, years))


def measures(*, small: bool) -> list[Measure]:
    """List what is promised of comparisons."""
    rows, times = (1, 1) if small else (100, 3)

    def facing(verb: str) -> float:
        found = results(320 * rows, (2021,))
        code = found["code"].iloc[0]

        def ours() -> pd.DataFrame:
            return bcs.gap(found, code) if verb == "gap" else bcs.judge(found, code)

        def bare() -> pd.DataFrame:
            mine = found["code"] == code
            there = found[mine].drop(columns="code")
            keys = ["annee", "indicateur"]
            both = found[~mine].merge(there, on=keys, how="left", suffixes=("", "_reference"))
            both["ecart"] = both["valeur"] - both["valeur_reference"]
            both["rapport"] = both["valeur"] / both["valeur_reference"]
            return pd.DataFrame(both)

        return against(ours, bare, times)

    def years() -> float:
        found = results(160 * rows, (2015, 2021))

        def bare() -> pd.DataFrame:
            first, last = (found[found["annee"] == y].drop(columns="annee") for y in (2015, 2021))
            keys = ["code", "indicateur"]
            both = first.merge(last, on=keys, how="outer", suffixes=("_debut", "_fin"))
            both["evolution"] = both["valeur_fin"] - both["valeur_debut"]
            return both

        return against(lambda: bcs.evolution(found, 2015, 2021), bare, times)

    def series() -> float:
        found = results(32 * rows, tuple(range(2012, 2022)))
        keys = ["code", "indicateur"]

        def bare() -> pd.DataFrame:
            groups = found.dropna(subset="valeur").groupby(keys, sort=False)["valeur"]
            return found.merge(groups.agg(["size", "mean"]), left_on=keys, right_index=True)

        return against(lambda: bcs.trend(found), bare, times)

    def chosen() -> float:
        found = results(320 * rows, (2021,))
        codes = pd.DataFrame({"code": [c for c in found["code"].unique() if c[:2] == "59"]})
        return against(
            lambda: bcs.select(found, dep="59"), lambda: found.merge(codes, on="code"), times
        )

    return [
        Measure("gap / merge", BOUND, lambda: facing("gap")),
        Measure("judge / merge", BOUND, lambda: facing("judge")),
        Measure("evolution / merge", BOUND, years),
        Measure("trend / groupby and merge", BOUND, series),
        Measure("select / merge", BOUND, chosen),
    ]
