"""Diagnosis: what is given, what is refused, and the figures of the contract."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.cards.listing import load_cards
from barometre.cards.schema import Card
from barometre.compare.needs import diagnose
from barometre.tables.table_set import Tables
from tests.test_diagnostic import WEIGHTS, ZONES, one, results

# ---- what is given ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zones",
    [
        tuple(ZONES),
        pd.Series(ZONES),
        pd.Series({"A": "CA", "B": "CA", "C": "CA", "D": "autre"}),
        {"CA": ZONES, "autre": ["D"]},
        {"A": "CA", "B": "CA", "C": "CA"},
        (code for code in [*ZONES, "A"]),
    ],
)
def test_zones_as_codes_or_as_a_membership(zones: Any) -> None:
    frame = results(A=10, B=20, C=30, D=90, CA=24, R=16)
    expected = one(frame)
    pd.testing.assert_series_equal(one(frame, zones), expected)


def test_the_order_of_rows_and_zones_does_not_matter() -> None:
    frame = pd.concat(
        [
            results(A=10, B=20, C=30, CA=24, R=16),
            results("taux_emploi_15_64", A=1, B=2, C=3, CA=4, R=5),
        ]
    )
    kept = frame.copy()
    expected = diagnose(frame, ZONES, "CA", "R", WEIGHTS)
    assert expected["indicateur"].tolist() == ["taux_de_pauvrete", "taux_emploi_15_64"]
    pd.testing.assert_frame_equal(diagnose(frame[::-1], ZONES[::-1], "CA", "R", WEIGHTS), expected)
    pd.testing.assert_frame_equal(frame, kept)


def test_empty_results_give_an_empty_table() -> None:
    full = diagnose(results(A=10, B=20, C=30, CA=24, R=16), ZONES, "CA", "R", WEIGHTS)
    empty = diagnose(results().astype({"code": "str"}), ZONES, "CA", "R", WEIGHTS)
    assert empty.empty
    assert list(empty) == list(full)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level_threshold": -0.1}, "level_threshold=-0.1 refusé"),
        ({"dispersion_threshold": float("nan")}, "dispersion_threshold=nan refusé"),
        ({"dispersion_threshold": float("inf")}, "dispersion_threshold=inf refusé"),
        ({"min_coverage": 1.5}, "un nombre de 0 à 1"),
        ({"min_coverage": "1"}, "min_coverage='1' refusé"),
        ({"dispersion": "gini"}, "mesure de dispersion « gini » inconnu"),
        ({"without_grades": ["E"]}, "qualité « E » inconnu"),
        ({"indicators": "taux_pauvrete"}, "Vouliez-vous dire"),
        ({"indicators": []}, "liste vide"),
        ({"indicators": ["taux_emploi_15_64"]}, "aucun résultat de ces territoires"),
        ({"zones": []}, "zones : liste vide"),
        ({"zones": ["X"], "weights": None}, "aucune zone dans les résultats"),
        ({"zones": {"A": "autre"}}, "aucune n'est dans « CA »"),
        ({"zones": ["A", "CA"], "weights": None}, "il ne peut être une de ses zones"),
        ({"zones": ["A", "R"], "weights": None}, "elle ne peut être une des zones"),
        ({"weights": {"A": 1}}, r"weights refusé : 2 zones absentes \(B, C\)"),
        ({"weights": {"A": 1, "B": -1, "C": 2}}, "nombres finis ≥ 0"),
        ({"weights": {"A": 0, "B": 0, "C": 0}}, "tous nuls"),
        ({"weights": [1, 2, 3]}, "une Series par code"),
        (
            {"weights": pd.Series([1, 2, 3, 4], index=["A", "A", "B", "C"])},
            r"codes en double \(A\)",
        ),
        ({"groups": {"A": "x", "B": None, "C": "y"}}, r"groups refusé : 1 zone absente \(B\)"),
    ],
)
def test_what_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        one(results(A=10, B=20, C=30, CA=24, R=16), **options)


@pytest.mark.parametrize(("territory", "reference"), [(59, "R"), ("CA", ["R"])])
def test_a_territory_is_one_code(territory: Any, reference: Any) -> None:
    frame = results(A=10, B=20, C=30, CA=24, R=16)
    with pytest.raises(BarometreError, match="refusé : donner un code"):
        diagnose(frame, ZONES, territory, reference, WEIGHTS)


def test_territories_that_are_not_there_and_faulty_results() -> None:
    frame = results(A=10, B=20, C=30, CA=24, R=16)
    with pytest.raises(
        BarometreError, match=r"territoire absent des résultats : « XX » absent .* « YY » absent"
    ):
        diagnose(frame, ZONES, "XX", "YY", WEIGHTS)
    with pytest.raises(BarometreError, match="sa propre référence"):
        diagnose(frame, ZONES, "CA", "CA", WEIGHTS)
    with pytest.raises(FaultsError, match="clés en double"):
        one(pd.concat([frame, frame]))
    with pytest.raises(UnknownNameError):
        one(frame.assign(indicateur="indice_mystere"))


# ---- real figures -------------------------------------------------------------------------------


def test_the_agglomeration_against_the_department(contract: Tables) -> None:
    """Contract: employment 54.6 against 58.6 (-6.8 %), single parents 31.0 against 31.6."""
    computed = bcs.compute(contract)
    quarters = [code for code in computed["code"].unique() if code.startswith("QP")]
    population = contract["population"].xs(2018, level="annee")["population"]
    found = diagnose(computed, quarters, "200042190", "59", population).set_index("indicateur")
    assert found.loc["taux_emploi_15_64", "diagnostic"] == "généralisé"
    assert found.loc["taux_emploi_15_64", "ecart_relatif"] == pytest.approx((54.6 - 58.6) / 58.6)
    assert found.loc["part_familles_monoparentales_caf", "diagnostic"] == "ni l'un ni l'autre"
    cards: dict[str, Card] = dict(load_cards())
    assert all(cards[name].unite != "nombre" for name in found.index)
    assert (found["diagnostic"].isna() == (found["statut"] != "ok")).all()
    assert found.loc[found["statut"] != "ok", "note"].notna().all()
    values = computed[computed["indicateur"] == "taux_emploi_15_64"].set_index("code")["valeur"]
    spread = np.cov(values[quarters], aweights=population[quarters], ddof=0)
    mean = np.average(values[quarters], weights=population[quarters])
    assert found.loc["taux_emploi_15_64", "dispersion"] == pytest.approx(
        math.sqrt(float(spread)) / mean
    )
