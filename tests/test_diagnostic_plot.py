"""The map of needs: every indicator with a diagnosis is a named point in a named quadrant."""

from __future__ import annotations

import re

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cards.listing import indicator_card
from barometre.compare.needs import diagnose
from barometre.tables.table_set import Tables

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots
from tests.charts import texts, title


@pytest.fixture
def diagnosis(contract: Tables) -> pd.DataFrame:
    results = bcs.compute(contract)
    quarters = [code for code in results["code"].unique() if code.startswith("QP")]
    population = contract["population"].xs(2018, level="annee")["population"]
    return diagnose(results, quarters, "200042190", "METRO", population)


def points(ax: Axes) -> np.ndarray:
    drawn = [c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)]
    return np.concatenate([np.asarray(offsets, dtype=float) for offsets in drawn])


def test_every_indicator_with_a_diagnosis_is_a_named_point(
    diagnosis: pd.DataFrame, contract: Tables
) -> None:
    ax = plots.diagnostic_map(diagnosis, labels=contract.territoires["libelle_court"])
    shown = diagnosis.dropna(subset="diagnostic")
    expected = shown[["ecart_defavorable", "dispersion"]].to_numpy() * [100, 1]
    np.testing.assert_allclose(np.sort(points(ax), axis=0), np.sort(expected, axis=0))
    said = " ".join(text.replace("\n", " ") for text in texts(ax))
    assert all(indicator_card(name).libelle["fr"] in said for name in shown["indicateur"])
    numbers = [text.get_text() for text in ax.texts if text.get_text().isdigit()]
    assert sorted(map(int, numbers)) == sorted([*range(1, len(shown) + 1)] * 2)  # point and key
    assert title(ax) == "Besoins généralisés ou concentrés : CA Porte du Hainaut, 2019-2021"
    assert (
        re.sub(r"[\n\u00a0\u202f]", " ", ax.get_xlabel())
        == "Écart à « France métro. », en % de sa valeur (à droite : « CA Porte du Hainaut » moins favorable)"
    )
    assert "coefficient de variation" in ax.get_ylabel()
    assert f"sans diagnostic, non représentés : {len(diagnosis) - len(shown)}" in said
    assert "seuils (5 % ; 0,20) ; zones pondérées par : population" in said


def test_the_quadrants_are_named_and_bounded_by_the_thresholds(diagnosis: pd.DataFrame) -> None:
    ax = plots.diagnostic_map(diagnosis)
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    frame = ax.get_window_extent()
    middle = ax.transData.transform([5, 0.2])
    corners = {}
    for text in ax.texts:
        box = text.get_window_extent()
        if text.get_text().isupper() and box.x1 < frame.x1:
            corners[text.get_text()] = (bool(box.x0 > middle[0]), bool(box.y0 > middle[1]))
    assert corners == {
        "LES DEUX": (True, True), "GÉNÉRALISÉ": (True, False), "CONCENTRÉ": (False, True), "NI L'UN NI L'AUTRE": (False, False),
    }  # fmt: skip
    low, high = ax.get_xlim()
    assert (points(ax)[:, 0] > low).all()
    assert (points(ax)[:, 0] < high).all()


def test_numbers_do_not_overlap(diagnosis: pd.DataFrame) -> None:
    ax = plots.diagnostic_map(diagnosis)
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    frame = ax.get_window_extent()
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text().isdigit()]
    inside = [box for box in boxes if box.x1 < frame.x1]
    assert len(inside) == diagnosis["diagnostic"].notna().sum()
    clashes = [
        (a, b)
        for i, a in enumerate(inside)
        for b in inside[:i]
        if a.shrunk(0.7, 0.7).overlaps(b.shrunk(0.7, 0.7))
    ]
    assert not clashes


def test_english_theil_equal_weights_and_a_given_axes(contract: Tables) -> None:
    results = bcs.compute(contract)
    quarters = [code for code in results["code"].unique() if code.startswith("QP")]
    found = diagnose(results, quarters, "200042190", "59", None, dispersion="theil", year=2021)
    _, ax = plt.subplots()
    assert plots.diagnostic_map(found, lang="en", ax=ax) is ax
    assert title(ax) == "Widespread or concentrated needs: CA Porte du Hainaut, 2021"
    assert "Theil index" in ax.get_ylabel()
    said = texts(ax)
    assert {"WIDESPREAD", "NEITHER"} <= set(said)
    assert any("thresholds (5%; 0.02); zones of equal weight" in text for text in said)


def test_a_single_point_and_what_is_refused(diagnosis: pd.DataFrame) -> None:
    one = diagnosis[diagnosis["indicateur"] == "taux_emploi_15_64"]
    assert len(points(plots.diagnostic_map(one))) == 1
    flat = one.assign(ecart_defavorable=0.0, dispersion=0.0, diagnostic="ni l'un ni l'autre")
    assert points(plots.diagnostic_map(flat)).tolist() == [[0, 0]]
    with pytest.raises(BarometreError, match="aucun indicateur à placer"):
        plots.diagnostic_map(diagnosis[diagnosis["diagnostic"].isna()])
    with pytest.raises(BarometreError, match="aucun indicateur à placer"):
        plots.diagnostic_map(diagnosis.iloc[:0])
    with pytest.raises(BarometreError, match="plusieurs valeurs de seuil_niveau"):
        plots.diagnostic_map(pd.concat([one, one.assign(seuil_niveau=0.1)]))
    with pytest.raises(BarometreError, match="mesure : colonne absente"):
        plots.diagnostic_map(one.drop(columns="mesure"))
