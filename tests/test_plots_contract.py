"""The tables and charts that the contract prints for its neighbourhoods, drawn from its columns."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from tests.charts import faults

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots

QUARTERS = r"Q[PN]0"
LISTED = bcs.datasets.load("graphiques_et_tableaux").frame
# What the contract lists without the figures of its 13 neighbourhoods: single readings, other
# territories, or no column at all.
WITHOUT = {
    *(f"D{i:02d}" for i in range(1, 33) if i != 20),
    *("A02", "A06", "A07", "A08", "A09", "A10", "A11", "A15", "A16", "A18", "A21", "A24"),
}


def dataset_of(row: Any) -> str | None:
    """Return the dataset that has the figures of the 13 neighbourhoods, if there is one."""
    name = str(row.jeu_fourni).split(" ")[0]
    if name not in bcs.datasets.names():
        return None
    found = bcs.datasets.load(name)
    codes = found.frame["code"].astype(str) if "code" in found.frame else pd.Series(dtype=str)
    fed = any(column.alimente for column in found.colonnes.values())
    return name if fed and codes.str.match(QUARTERS).sum() == 13 else None


DRAWN = {str(row.id): name for row in LISTED.itertuples() if (name := dataset_of(row))}


def test_what_can_be_drawn_is_drawn() -> None:
    assert len(LISTED) == 56
    assert set(LISTED["id"]) - set(DRAWN) == WITHOUT
    tables = LISTED[LISTED["id"].str.startswith("A") & (LISTED["genre"] == "tableau")]
    assert set(tables["id"]) - set(DRAWN) == {"A24"}  # targets of the State, without territories


@pytest.mark.parametrize("name", DRAWN.values(), ids=DRAWN)
def test_a_table_of_the_contract_is_drawn_for_its_13_neighbourhoods(name: str) -> None:
    results = bcs.compute(bcs.datasets.tables(name))
    mine = results[results["code"].str.match(QUARTERS)]
    known = mine[mine["valeur"].notna()]
    codes = list(mine["code"].unique())
    assert len(codes) == 13
    others = [
        c for c in ("ENSQP_200042190", "200042190", "59", "METRO") if c in set(results["code"])
    ]
    whole = plots.heat_table(
        results, territories=codes, reference=(others or codes)[0], others=others[1:],
        indicators=list(known["indicateur"].unique()), title="Tableau",
    )  # fmt: skip
    assert faults(whole) == []
    for indicator, rows in known.groupby("indicateur", sort=False):
        years = sorted(rows["annee"].unique())
        if len(years) > 1:
            ax = plots.two_dates(results, str(indicator), territories=codes, references=others)
            shown = {years[0]: "debut", years[-1]: "fin"}
        else:
            ax = plots.ranked_bars(results, str(indicator), territories=codes, references=others)
            shown = {years[0]: "valeur"}
        assert faults(ax) == []
        data = plots.chart_data(ax)
        for year, column in shown.items():
            expected = rows[rows["annee"] == year].set_index("code")["valeur"]
            drawn = data[column].reindex(expected.index)
            np.testing.assert_array_equal(drawn, expected)
        assert "QP0590" not in plots.describe(ax)  # names, not codes
        plt.close(ax.figure)  # type: ignore[arg-type]


def test_printed_figures_are_those_of_the_chart() -> None:
    dataset = bcs.datasets.load("emploi_15_64_2019")
    (column,) = (c for c in dataset.colonnes.values() if c.alimente == "publies.taux_emploi_15_64")
    printed = dataset.frame.set_index("code")[column.nom]
    results = bcs.compute(bcs.datasets.tables("emploi_15_64_2019"))
    data = plots.chart_data(plots.ranked_bars(results, "taux_emploi_15_64"))
    assert len(data) == 13
    np.testing.assert_array_equal(data["valeur"], printed.reindex(data.index))
