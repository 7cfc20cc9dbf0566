"""Hypothesis strategies: tables that respect their model."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from barometre.cards.columns import MODELS

CODES = ["59172", "01001", "2A004", "QP059050", "QN05950M", "200042190", "590020101", "METRO"]


@st.composite
def valid_tables(
    draw: st.DrawFn, names: tuple[str, ...], *, rows: int | None = None, missing: bool = False
) -> dict[str, pd.DataFrame]:
    """Draw tables of some models on the same keys: integers, parts within their wholes."""
    number = rows or draw(st.integers(1, 6))
    codes = draw(st.permutations(CODES))[:number]
    index = pd.MultiIndex.from_product([codes, [2021]], names=["code", "annee"])
    tables = {}
    for name in names:
        columns = MODELS[name].to_schema().columns
        seed = draw(st.integers(0, 2**32 - 1))
        rng = np.random.default_rng(seed)
        largest = draw(st.sampled_from([1, 10, 1000, 10**6]))
        frame = pd.DataFrame(
            rng.integers(0, largest + 1, (number, len(columns))).astype(float),
            index=index,
            columns=list(columns),
        )
        frame = within_limits(name, frame)
        if missing:
            frame = frame.mask(rng.random(frame.shape) < 0.2)
        tables[name] = frame
    return tables


def within_limits(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Raise wholes to the sum of their parts, order quantiles, bring percentages under 100."""
    columns = MODELS[name].to_schema().columns
    values = {column: frame[column].to_numpy(copy=True) for column in columns}
    for column, described in columns.items():
        if described.metadata["unite"] == "pourcent":
            values[column] = 5 + values[column] % 90
        if described.metadata["unite"] == "indice":
            values[column] = values[column] % 101 / 100
    ordered = [column for column in columns if column.startswith("niveau_de_vie")]
    if ordered:
        ranked = np.sort(np.stack([1000 + values[column] for column in ordered]), axis=0)
        values.update(zip(ordered, ranked, strict=True))
    for _ in range(4):  # wholes of wholes: the deepest chain has three levels
        for column, described in columns.items():
            for parts in described.metadata.get("parts", ()):
                values[column] = np.maximum(values[column], sum(values[part] for part in parts))
    return pd.DataFrame(values, index=frame.index)
