"""Convergence towards a reference: published figures, closed forms, agreement with `gap`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.compare.gaps import gap
from barometre.compare.years import evolution
from tests.test_evolution import CONVERGENCE, INCOME, POVERTY, WORK, tidy


def test_the_printed_thresholds_of_the_map_of_evolutions() -> None:
    """Around +2 240 €: 2 130 to 2 350 (l. 409), printed to the ten."""
    results = tidy(
        ("59", 2012, 18050), ("59", 2019, 20290),
        ("59172", 2012, 15000), ("59172", 2019, 17128),
        ("59484", 2012, 15000), ("59484", 2019, 17127),
        ("59491", 2012, 15000), ("59491", 2019, 17353),
        indicator=INCOME,
    )  # fmt: skip
    found = evolution(results, 2012, 2019, reference="59").set_index("code")
    one = found.loc["59172"]
    assert one["evolution_reference"] == 2240
    printed = bcs.round_half_up(one[["seuil_bas", "seuil_haut"]].to_numpy(float), -1).tolist()
    assert printed == [2130, 2350]
    assert found["classe"].drop("59").to_dict() == {
        "59172": "comparable",  # +2 128 exactly: inclusive
        "59484": "moins favorable",
        "59491": "plus favorable",
    }


def test_elnon_moved_away_from_the_agglomeration() -> None:
    """Printed 187 € a month in 2013 and 208 € in 2020 (l. 3259)."""
    results = tidy(
        ("QP059058", 2013, 14587), ("200042190", 2013, 16831),
        ("QP059058", 2020, 16500), ("200042190", 2020, 19000),
        indicator=INCOME,
    )  # fmt: skip
    found = evolution(results, 2013, 2020, reference="200042190", monthly=True).set_index("code")
    one = found.loc["QP059058"]
    gaps = (-bcs.round_half_up(one[["ecart_debut", "ecart_fin"]].to_numpy(float))).tolist()
    assert gaps == [187, 208]
    assert (one["unite_ecart"], one["convergence"]) == ("€ par mois et par UC", "éloignement")
    assert one["evolution"] * 12 == pytest.approx(1913)
    assert one["evolution_reference"] * 12 == pytest.approx(2169)
    assert one["unite"] == one["unite_ecart"]
    yearly = evolution(results, 2013, 2020, reference="200042190").set_index("code").loc["QP059058"]
    assert (yearly["evolution"], yearly["ecart_fin"]) == (1913, -2500)
    assert found.loc["200042190", CONVERGENCE[1:3]].isna().all()


def towards(
    mine: tuple[float, float], its: tuple[float, float], indicator: str = POVERTY, **options: Any
) -> Any:
    """The row of a territory compared with a reference."""
    results = tidy(
        ("a", 2014, mine[0]), ("a", 2019, mine[1]), ("ref", 2014, its[0]), ("ref", 2019, its[1]),
        indicator=indicator,
    )  # fmt: skip
    return next(evolution(results, 2014, 2019, reference="ref", **options).itertuples())


@pytest.mark.parametrize(
    ("mine", "its", "said"),
    [
        ((40, 30), (20, 20), "rapprochement"),
        ((40, 20), (20, 20), "rapprochement"),
        ((20, 40), (20, 20), "éloignement"),
        ((10, 5), (20, 20), "éloignement"),
        ((40, 41), (20, 21), "stable"),
        ((5.1, 5.3), (5.0, 5.2), "stable"),  # 0.1 at both ends, whatever the binary rounding
        ((40, 19), (20, 20), "inversion"),
        ((10, 90), (20, 20), "inversion"),
        ((20, 20), (20, 20), "stable"),
    ],
)
def test_did_the_gap_shrink(mine: Any, its: Any, said: str) -> None:
    found = towards(mine, its)
    assert found.convergence == said
    assert (found.ecart_debut, found.ecart_fin) == (mine[0] - its[0], mine[1] - its[1])


@pytest.mark.parametrize(
    ("indicator", "mine", "its", "said"),
    [
        (POVERTY, (40, 30), (20, 15), "plus favorable"),
        (POVERTY, (40, 38), (20, 15), "moins favorable"),
        (WORK, (40, 42), (50, 60), "moins favorable"),
        (WORK, (40, 49.5), (50, 60), "comparable"),  # +9.5 is 5 % less than +10
        (WORK, (40, 49.4), (50, 60), "moins favorable"),
        (WORK, (40, 50.5), (50, 60), "comparable"),
        (WORK, (40, 40), (50, 50), "comparable"),
        (WORK, (40, 40.1), (50, 50), "plus favorable"),
        ("part_menages_sans_voiture", (20, 30), (20, 25), "différente"),
        ("part_menages_sans_voiture", (20, 30), (30, 40), "comparable"),
        # Two points gained on 0 from either side.
        ("ecart_taux_emploi_femmes_hommes", (-10, -8), (10, 8), "comparable"),
        ("ecart_taux_emploi_femmes_hommes", (-10, -5), (10, 8), "plus favorable"),
    ],
)
def test_evolution_compared_with_that_of_the_reference(
    indicator: str, mine: Any, its: Any, said: str
) -> None:
    found = towards(mine, its, indicator)
    assert found.classe == said
    assert found.evolution_reference == its[1] - its[0]
    if indicator == WORK:
        assert (found.seuil_bas, found.seuil_haut) == pytest.approx(
            [(its[1] - its[0]) * factor for factor in (0.95, 1.05)]
        )


def test_gaps_are_those_of_gap() -> None:
    rng = np.random.default_rng(3)
    codes = ["a", "b", "c", "ref"]
    results = pd.concat(
        [tidy(*[(c, y, v) for y in (2014, 2019) for c, v in zip(codes, rng.uniform(5, 90, 4), strict=True)],
              indicator=i) for i in (INCOME, POVERTY, "population")]
    )  # fmt: skip
    found = evolution(results, 2014, 2019, reference="ref")
    gaps = gap(results, "ref").pivot(index=["code", "indicateur"], columns="annee", values="ecart")
    kept = found[found["code"] != "ref"].set_index(["code", "indicateur"])
    for column, year in (("ecart_debut", 2014), ("ecart_fin", 2019)):
        np.testing.assert_allclose(kept[column], gaps[year].reindex(kept.index), rtol=1e-12)


def test_a_reference_without_evolution_leaves_the_convergence_missing() -> None:
    results = tidy(("a", 2014, 20.0), ("a", 2019, 22.0), ("ref", 2019, 22.0))
    found = evolution(results, 2014, 2019, reference="ref").set_index("code")
    assert found.loc["a", "statut"] == "ok"
    assert found.loc["a", "evolution"] == 2
    assert found.loc["a", CONVERGENCE].drop(["reference", "unite_ecart"]).isna().all()
    assert found.loc["a", "note"] == "pas d'évolution de « ref »"
    refused = tidy(("a", 2018, 20.0), ("a", 2019, 22.0), ("ref", 2018, 2.0), ("ref", 2019, 2.0))
    found = evolution(refused.assign(indicateur=WORK), 2018, 2019, reference="ref")
    assert found["convergence"].isna().all()
    assert not found["note"].str.contains("pas d'évolution").any()
