"""What the charts show: every value, its reason when it is absent, its doubt, its direction."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cards.listing import load_cards
from barometre.tables.table_set import Tables

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots
from barometre.plots import look

REFERENCES = ["200042190", "59", "METRO"]


@pytest.fixture
def results(contract: Tables) -> pd.DataFrame:
    return bcs.compute(contract)


def quarters(results: pd.DataFrame) -> list[str]:
    return [code for code in results["code"].unique() if code.startswith("QP")]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_bars_are_sorted_with_their_values(results: pd.DataFrame, contract: Tables) -> None:
    ax = plots.ranked_bars(
        results,
        "taux_emploi_15_64",
        references=REFERENCES,
        territories=quarters(results),
        labels=contract.territoires["libelle_court"],
    )
    widths = [bar.get_width() for bar in ax.patches if isinstance(bar, Rectangle)]
    assert len(widths) == 13
    assert widths == sorted(widths)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert (names[0], names[-1]) == ("Schneider", "Elnon")
    assert {"33,1", "48,7"} <= set(texts(ax))
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "CA Porte du Hainaut : 54,6", "Nord : 58,6", "France métro. : 64,7",
    ]  # fmt: skip
    assert {mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches} == {look.UNFAVOURABLE}
    assert ax.get_title(loc="left").startswith("Taux d'emploi des 15-64 ans, 2019")
    assert any("Source : Insee, 2019" in text for text in texts(ax))


def test_absent_and_doubtful_values_are_told(results: pd.DataFrame) -> None:
    ax = plots.ranked_bars(results, "part_femmes_defm", references=REFERENCES)
    assert "secret" in texts(ax)
    assert "46,3 (?)" in texts(ax)
    assert sum(bar.get_hatch() is not None for bar in ax.patches) == 1
    assert any("douteuse" in text for text in texts(ax))
    assert ax.get_yticklabels()[0].get_text() == "Elnon"
    assert {mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches} == {look.NEUTRAL}


def test_english_and_a_given_axes(results: pd.DataFrame) -> None:
    _, ax = plt.subplots()
    drawn = plots.ranked_bars(results, "taux_emploi_15_64", references=["59"], lang="en", ax=ax)
    assert drawn is ax
    assert ax.get_title(loc="left").startswith("Employment rate (15-64), 2019")
    assert "48.7" in texts(ax)


def test_a_chart_of_nothing_says_what_there_is(results: pd.DataFrame) -> None:
    with pytest.raises(BarometreError, match="aucun résultat pour « taux_chomage_rp »"):
        plots.ranked_bars(results, "taux_chomage_rp")
    with pytest.raises(BarometreError, match=r"pas de résultat en 2015 \(années : 2019\)"):
        plots.ranked_bars(results, "taux_emploi_15_64", year=2015)


def test_the_heat_table_shows_every_cell(results: pd.DataFrame, contract: Tables) -> None:
    rows = quarters(results)
    ax = plots.heat_table(
        results,
        territories=rows,
        reference="ENSQP_200042190",
        others=REFERENCES,
        labels=contract.territoires["libelle_court"],
    )
    columns = len(ax.get_xticklabels())
    shown = [name for name in results["indicateur"].unique()
             if load_cards()[name].sens != "neutre" and load_cards()[name].unite != "nombre"]  # fmt: skip
    assert columns == len(shown)
    assert len(ax.patches) == columns * 17
    assert "secret" in texts(ax)
    assert "34,1 (?)" in texts(ax)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names[-4:] == ["QP de la CA", "CA Porte du Hainaut", "Nord", "France métro."]
    assert set(names[:13]) == set(contract.territoires.loc[rows, "libelle_court"])


def test_colours_follow_the_direction_of_each_card() -> None:
    cards = load_cards()
    values = np.array([10.0, 30.0, -5.0, np.nan])
    gap = look.favourable_gap
    assert gap(values, 20.0, cards["taux_emploi_15_64"])[:2].tolist() == [-10.0, 10.0]
    assert gap(values, 20.0, cards["taux_de_pauvrete"])[:2].tolist() == [10.0, -10.0]
    zero = gap(values, -8.0, cards["ecart_taux_emploi_femmes_hommes"])
    assert zero[:3].tolist() == [-2.0, -22.0, 3.0]
    half = gap(np.array([45.0, 70.0]), 40.0, cards["part_femmes_licences"])
    assert half.tolist() == [5.0, -10.0]
    assert np.isnan(gap(values, 1.0, cards["part_menages_sans_voiture"])).all()
    assert np.isnan(gap(values, 20.0, cards["taux_emploi_15_64"])[3])


def test_a_heat_table_without_direction_is_refused() -> None:
    frame = pd.DataFrame({"code": ["A"], "annee": [2021], "population": [10.0]})
    with pytest.raises(BarometreError, match="donner indicators="):
        plots.heat_table(bcs.compute({"population": frame}), territories=["A"], reference="A")
