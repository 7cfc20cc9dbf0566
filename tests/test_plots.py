"""What the charts show: every value, its reason when it is absent, its doubt, its direction."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cards.listing import load_cards
from barometre.compare.proof.sides import favourable_gap
from barometre.plots.look.sides import side_colours, side_scores
from barometre.tables.table_set import Tables
from tests.charts import legend, texts

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
    assert widths == sorted(widths, reverse=True)  # the first at the top
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert (names[0], names[-1]) == ("Elnon", "Schneider")
    assert {"33,1", "48,7"} <= set(texts(ax))
    lines = {"CA Porte du Hainaut : 54,6", "Nord : 58,6", "France métro. : 64,7"}
    assert lines <= set(texts(ax))
    assert legend(ax) == ["moins favorable que « CA Porte du Hainaut »"]
    assert {mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches} == {look.UNFAVOURABLE}
    assert ax.get_title(loc="left").startswith("Taux d'emploi des 15-64 ans, 2019")
    assert any("Source : Insee, 2019" in text for text in texts(ax))


def test_absent_and_doubtful_values_are_told(results: pd.DataFrame) -> None:
    rows = [*quarters(results), "ENSQP_200042190"]
    ax = plots.ranked_bars(results, "part_femmes_defm", references=REFERENCES, territories=rows)
    assert "secret" in texts(ax)
    assert "46,3 (?)" in texts(ax)
    assert sum(bar.get_hatch() is not None for bar in ax.patches) == 1
    assert any("douteuse" in text for text in texts(ax))
    assert ax.get_yticklabels()[-1].get_text() == "Elnon"
    assert {mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches} == {look.NEUTRAL}


def test_imprecise_values_are_marked(results: pd.DataFrame) -> None:
    loose = results.assign(qualite=results["qualite"].where(results["qualite"].notna(), "C"))
    for ax in (
        plots.ranked_bars(loose, "taux_emploi_15_64"),
        plots.heat_table(loose, territories=quarters(loose), reference="200042190"),
    ):
        shown = texts(ax)
        assert any(text.endswith(" (C)") for text in shown)
        assert any("(C) valeur imprécise" in text for text in shown)


def test_english_and_a_given_axes(results: pd.DataFrame) -> None:
    _, ax = plt.subplots()
    drawn = plots.ranked_bars(results, "taux_emploi_15_64", references=["59"], lang="en", ax=ax)
    assert drawn is ax
    assert ax.get_title(loc="left").startswith("Employment rate (15-64), 2019")
    assert "48.7" in texts(ax)


def test_an_aggregate_is_not_ranked_among_its_parts(results: pd.DataFrame) -> None:
    ax = plots.ranked_bars(results, "taux_emploi_15_64", references=["59"])
    names = {label.get_text() for label in ax.get_yticklabels()}
    assert len(names) == 13
    assert not names & {"QP de la CA", "CA Porte du Hainaut", "France métro."}


def test_bars_take_the_colours_of_verdicts(results: pd.DataFrame) -> None:
    name = "part_plus_2_ans_defm"
    found = bcs.judge(results, "200042190", proof="hasard")
    ax = plots.ranked_bars(results, name, references=["200042190"], verdicts=found)
    mine = found[(found["indicateur"] == name) & found["code"].str.startswith("QP0")]
    mine = mine[mine["reference"] == "200042190"]
    drawn = [mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches]
    for verdict, colour in (("defavorable", look.UNFAVOURABLE), ("favorable", look.FAVOURABLE)):
        assert drawn.count(colour) == (mine["verdict"] == verdict).sum() > 0
    assert "écart non établi, ou non jugé" in legend(ax)


def test_a_low_interdecile_ratio_is_not_painted_favourable() -> None:
    card = load_cards()["rapport_interdecile"]
    values = np.array([2.5, 4.0])
    assert side_colours(values, 3.0, card) == [look.NEUTRAL, look.UNFAVOURABLE]
    assert side_scores(values, 3.0, card).tolist() == [0.0, -1.0]
    other = load_cards()["taux_de_pauvrete"]
    assert side_colours(values, 3.0, other) == [look.FAVOURABLE, look.UNFAVOURABLE]
    drawn = bcs.compute(bcs.datasets.make_tables(40, 2021, seed=3), ["rapport_interdecile"])
    known = drawn.dropna(subset="valeur").sort_values("valeur")["code"]
    ax = plots.ranked_bars(drawn, card.id, references=[known.iloc[len(known) // 2]])
    assert any("pauvreté homogène" in text for text in texts(ax))
    assert look.FAVOURABLE not in {mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches}


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
    there = results["code"].isin(rows) & (results["statut"] != "non_disponible")
    shown = [name for name in results.loc[there, "indicateur"].unique()
             if load_cards()[name].sens != "neutre" and load_cards()[name].unite != "nombre"]  # fmt: skip
    assert len(shown) == len(ax.get_yticklabels()) > 6  # beyond six, indicators are the rows
    assert len(ax.patches) == len(shown) * 17
    assert "secret" in texts(ax)
    assert "34,1 (?)" in texts(ax)
    names = [text for text in texts(ax) if text in set(contract.territoires["libelle_court"])]
    assert names[-4:] == ["QP de la CA", "CA Porte du Hainaut", "Nord", "France métro."]
    assert set(names[:13]) == set(contract.territoires.loc[rows, "libelle_court"])
    few = plots.heat_table(results, territories=rows, reference="59", indicators=shown[:3])
    names = [label.get_text() for label in few.get_yticklabels()]
    assert names[-1] == "Nord"
    assert len(few.patches) == 3 * 14


def test_colours_follow_the_direction_of_each_card() -> None:
    cards = load_cards()
    values = np.array([10.0, 30.0, -5.0, np.nan])
    gap = favourable_gap
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


def test_marks_of_quality_travel_to_maps_and_lines() -> None:
    drawn = bcs.compute(bcs.datasets.make_tables(6, 2021, seed=1), ["taux_emploi_15_64"])
    marked = drawn.assign(qualite=pd.Series(["C", "douteux"], index=drawn.index[:2]))
    for ax in (plots.choropleth(marked), plots.trajectory(marked, "taux_emploi_15_64")):
        said = texts(ax)
        assert sum("(C)" in text for text in said) >= 2  # a mark, and what it means
        assert sum("(?)" in text for text in said) >= 2


def test_a_figure_of_any_kind_is_drawn_on(results: pd.DataFrame) -> None:
    bare = Figure(figsize=(6, 8)).subplots()  # no pyplot: its canvas measures nothing
    drawn = plots.ranked_bars(results, "taux_emploi_15_64", ax=bare)
    assert drawn is bare
    assert "48,7" in texts(bare)
