"""What has no peer among the programs, computed again by other means.

- Lee's bounds are two linear programs: among the laws that keep a share of the better observed
  arm, those of smallest and largest mean (scipy's HiGHS).
- The change of a place is split in exact fractions, person by person.
- A composite index is built from functions of scipy (ranks, z-scores, weighted power means).

Run with scipy installed: ``python tests/proofs/scripts/exact.py``.
"""

from __future__ import annotations

from fractions import Fraction
from importlib.metadata import version
from itertools import pairwise, product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

DATA = Path(__file__).parent.parent / "data"
RESULTS = DATA.parent / "results"


def write(frame: pd.DataFrame, name: str, maker: str) -> None:
    frame.to_csv(RESULTS / f"{name}__{maker}.csv", index=False, float_format="%.15g")


def scipy_name() -> str:
    return f"py-scipy-{version('scipy')}"


def read() -> pd.DataFrame:
    return pd.read_csv(DATA / "panel.csv").merge(pd.read_csv(DATA / "people.csv"), on="person")


def lee(panel: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for wave in (2023, 2024, 2025, 2026):
        people = panel[panel["wave"] == wave]
        for arm, sex in product(("arm", "zone_arm"), ("F", "H")):
            part = people[people["sex"] == sex]
            arms = {a: part[part[arm] == a] for a in (0, 1)}
            seen = {a: arms[a].loc[arms[a]["seen"] == 1, "income"].to_numpy() for a in (0, 1)}
            kept = {a: len(seen[a]) / len(arms[a]) for a in (0, 1)}
            more = int(kept[1] >= kept[0])
            y, share = seen[more], min(kept[0], kept[1]) / kept[more]
            total = share * len(y)
            ends = []
            for sign in (1, -1):
                found = optimize.linprog(
                    sign * y, A_eq=np.ones((1, len(y))), b_eq=[total], bounds=(0, 1)
                )
                ends.append(sign * found.fun / total)
            other = seen[1 - more].mean()
            low, high = (
                (ends[0] - other, ends[1] - other) if more else (other - ends[1], other - ends[0])
            )
            rows.append((wave, arm, sex, low, high, 1 - share, more))
    names = ["wave", "arm", "sex", "low", "high", "trimmed_share", "trimmed_arm"]
    return pd.DataFrame(rows, columns=names)


def mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def decomposition(panel: pd.DataFrame) -> pd.DataFrame:
    """T(S+X, 1) -> T(S, 1) -> T(S, 2) -> T(S+E, 2); incomes have one decimal: fractions are exact."""
    rows: list[tuple[Any, ...]] = []
    everyone: dict[int, dict[Any, tuple[Any, Fraction]]] = {
        wave: {
            row.person: (row.zone, Fraction(str(row.income)))
            for row in panel[(panel["wave"] == wave) & (panel["seen"] == 1)].itertuples()
        }
        for wave in (2021, 2026)
    }
    for zone in ("Z08", "Z10", "Z11", "Z12"):
        one, two = (
            {person: y for person, (place, y) in everyone[wave].items() if place == zone}
            for wave in (2021, 2026)
        )
        stayers = sorted(set(one) & set(two))
        gone, come = sorted(set(one) - set(two)), sorted(set(two) - set(one))
        for name, statistic in (("mean", mean), ("rate", mean), ("median", median)):
            a, b = (
                {k: Fraction(int(y > 1100)) for k, y in part.items()} if name == "rate" else part
                for part in (one, two)
            )
            steps = (
                statistic([*a.values()]),
                statistic([a[k] for k in stayers]),
                statistic([b[k] for k in stayers]),
                statistic([*b.values()]),
            )
            parts = [float(right - left) for left, right in pairwise(steps)]
            size = (len(stayers), len(gone), len(come))
            rows.append((zone, name, float(steps[3] - steps[0]), *parts, *size))
    names = ["total", "exits", "in_situ", "entries", "n_stayers", "n_exits", "n_entries"]
    return pd.DataFrame(rows, columns=["zone", "statistic", *names])


def normalise(tree: pd.DataFrame, frame: pd.DataFrame, method: str) -> pd.DataFrame:
    leaves = tree[tree["direction"].notna()].set_index("id")
    out = {}
    for name, leaf in leaves.iterrows():
        log = np.log if leaf["transform"] == "log" else (lambda values: values)
        x = leaf["direction"] * log(frame[name])
        if method == "zscore":
            out[name] = 100 + 10 * pd.Series(
                stats.zscore(x, ddof=1, nan_policy="omit"), index=x.index
            )
        elif method == "percentile":
            ranks = pd.Series(stats.rankdata(x, "min", nan_policy="omit"), index=x.index)
            out[name] = (ranks - 1) / (x.notna().sum() - 1)
        else:
            ends = leaf["direction"] * log(leaf[["low", "high"]].to_numpy(dtype=float))
            low, high = (x.min(), x.max()) if method == "minmax" else (min(ends), max(ends))
            bottom, top = (1.0, 100.0) if method == "minmax" else (0.0, 100.0)
            out[name] = (bottom + (top - bottom) * (x - low) / (high - low)).clip(bottom, top)
    return pd.DataFrame(out)


def aggregate(tree: pd.DataFrame, leaves: pd.DataFrame, power: float, least: float) -> pd.DataFrame:
    """scipy's weighted power mean of the children that are there, from the leaves up."""
    table: pd.DataFrame = leaves.copy()
    for node in ("niveau", "travail", "savoir", "indice"):
        children = tree[tree["parent"] == node].set_index("id")["weight"]
        values = table[[*children.index]]
        scores = []
        for _, row in values.iterrows():
            known = row.notna()
            if known.sum() == 0 or known.mean() < least:
                scores.append(np.nan)
            else:
                scores.append(stats.pmean(row[known], power, weights=children[known.to_numpy()]))
        table[node] = scores
    return table


def composite() -> pd.DataFrame:
    tree = pd.read_csv(DATA / "tree.csv")
    frame = pd.read_csv(DATA / "indicators.csv", index_col="code")
    rows = []
    cases: list[tuple[str, float, float]] = [
        ("goalposts", 1, 0),
        ("minmax", 1, 0),
        ("zscore", 1, 0),
        ("percentile", 1, 0),
    ]
    cases += [("minmax", power, 0) for power in (0, -1, 0.5, 2)]
    cases += [("goalposts", 1, 0.75), ("minmax", 0, 1)]
    for method, power, least in cases:
        table = aggregate(tree, normalise(tree, frame, method), power, least)
        # Highest first, the best rank for ties.
        ranks = table.apply(lambda x: stats.rankdata(-x, "min", nan_policy="omit"))
        key = pd.DataFrame({"method": method, "power": power, "least": least}, index=table.index)
        rows.append(pd.concat([key, table, ranks.add_prefix("rank_")], axis=1).reset_index())
    table_of_cases: pd.DataFrame = pd.concat(rows)
    return table_of_cases


def main() -> None:
    panel = read()
    write(lee(panel), "lee_bounds", scipy_name())
    write(decomposition(panel), "decomposition", "exact-fractions")
    write(composite(), "composite", scipy_name())


if __name__ == "__main__":
    main()
