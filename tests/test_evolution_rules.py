"""What an evolution refuses: every rule, why, and how it is lifted."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

import barometre as bcs
from barometre.cards.listing import load_cards
from barometre.compare.years import RULES, evolution
from barometre.engine.perimeters import BREAK
from tests.test_evolution import POVERTY, WORK, row, tidy, two

C2S = "taux_couverture_c2s"
REFUSED = {
    "census, a year apart": ("recensement", "59172", WORK, 2018, 2019, "1 an"),
    "census, 4 years apart": ("recensement", "59172", WORK, 2015, 2019, "4 ans"),
    "complementary census": ("recensement", "59172", "taux_surpeuplement", 2016, 2020, "4 ans"),
    "census shares of a quarter": ("recensement", "QP059050", WORK, 2018, 2019, "enquêtes"),
    "Cnam, quarter": ("cnam", "QP059050", C2S, 2021, 2022, "millésimes consécutifs"),
    "Cnam, IRIS": ("cnam", "591720101", C2S, 2021, 2022, "millésimes consécutifs"),
    "Cnam, number": ("cnam", "QP059050", "beneficiaires_c2s", 2021, 2022, "Cnam"),
    "2015 quarter in 2024": ("perimetre", "QP059050", POVERTY, 2018, 2024, "remplacé en 2024"),
    "2024 quarter before": ("perimetre", "QN05950M", POVERTY, 2018, 2024, "n'existait pas en 2018"),
    "Corsican quarter": ("perimetre", "QP02A001", POVERTY, 2018, 2024, "périmètre de 2015"),
    "first vintage": ("rupture", "59172", C2S, 2018, 2020, "en 2020"),
    "overcrowding": ("rupture", "59172", "taux_surpeuplement", 2017, 2022, "rupture en 2022"),
    "CMU-C to C2S": ("rupture", "59172", C2S, 2019, 2022, "CMU-C"),
    "job-seekers": ("rupture", "59172", "demandeurs_emploi_abc", 2024, 2025, "plein emploi"),
    "wages": ("rupture", "59172", "ecart_salaire_horaire_femmes_hommes", 2015, 2016, "DSN"),
    "lone parents, quarter": (
        "rupture", "QP059050", "part_familles_monoparentales", 2010, 2018, "nombre de ménages",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_rule_refuses_says_why_and_can_be_lifted(case: tuple[Any, ...]) -> None:
    rule, code, indicator, start, end, said = case
    results = tidy((code, start, 20.0), (code, end, 26.0), indicator=indicator)
    found = row(evolution(results, start, end))
    assert found.statut == "non_comparable"
    assert said in found.note
    assert (found.valeur_debut, found.valeur_fin) == (20, 26)
    assert math.isnan(found.evolution)
    assert math.isnan(found.evolution_pct)
    assert pd.isna(found.appreciation)
    others = [other for other in RULES if other != rule]
    assert row(evolution(results, start, end, override=others)).statut == "non_comparable"
    for override in (rule, {rule}, RULES):
        lifted = row(evolution(results, start, end, override=override))
        assert (lifted.statut, lifted.evolution, lifted.qualite) == ("ok", 6, "douteux")
        assert f"malgré la règle « {rule} »" in lifted.note
        assert said in lifted.note


ADMITTED = {
    "census, 5 years apart": ("59172", WORK, 2014, 2019),
    "Filosofi, consecutive": ("59172", POVERTY, 2018, 2019),
    "Cnam, commune": ("59172", C2S, 2021, 2022),
    "Cnam, EPCI": ("200042190", C2S, 2021, 2022),
    "Cnam, quarter, 2 years apart": ("QP059050", C2S, 2020, 2022),
    "Caf, consecutive, quarter": ("QP059050", "part_familles_monoparentales_caf", 2020, 2021),
    "2015 quarter": ("QP059050", POVERTY, 2013, 2023),
    "2024 quarter": ("QN05950M", POVERTY, 2024, 2025),
    "a name like a quarter": ("QPV de la CA", POVERTY, 2018, 2024),
    "diplomas, codes renamed, same definition": ("59172", "part_non_diplomes", 2013, 2018),
    "lone parents, commune": ("59172", "part_familles_monoparentales", 2010, 2018),
    "lone parents, quarter, after": ("QP059050", "part_familles_monoparentales", 2011, 2018),
}


@pytest.mark.parametrize("case", ADMITTED.values(), ids=ADMITTED.keys())
def test_what_no_rule_refuses(case: tuple[str, str, int, int]) -> None:
    code, indicator, start, end = case
    found = two(20, 26, start, end, code=code, indicator=indicator)
    assert (found.statut, found.evolution) == ("ok", 6)
    assert pd.isna(found.note)
    assert pd.isna(found.qualite)


def test_every_break_of_every_card_is_applied() -> None:
    for card in load_cards().values():
        for change in card.ruptures:
            code = "QP059050" if change.niveaux == ("qpv",) else "59172"
            start, end = change.annee - 1, change.annee
            lifted: Any = {"recensement", "perimetre", "cnam"}
            found = two(20, 26, start, end, code=code, indicator=card.id, override=lifted)
            assert found.statut == "non_comparable", card.id
            assert change.motif in found.note


def test_several_rules_are_all_told() -> None:
    results = tidy(("59172", 2021, 20.0), ("59172", 2022, 26.0), indicator="taux_surpeuplement")
    found = row(evolution(results, 2021, 2022))
    assert "partagent des enquêtes" in found.note
    assert "rupture en 2022" in found.note
    half = row(evolution(results, 2021, 2022, override="rupture"))
    assert half.statut == "non_comparable"
    both = row(evolution(results, 2021, 2022, override=("rupture", "recensement")))
    assert (both.statut, both.evolution) == ("ok", 6)


def test_neighbourhoods_carried_over_are_refused() -> None:
    """As `to_2024` leaves them: the note of every value of 2015 tells the break."""
    frames = {
        "revenus": pd.DataFrame(
            {
                "code": ["QP059050", "QP059050", "QN05950M"],
                "annee": [2016, 2021, 2024],
                "taux_pauvrete": [47.0, 46.0, 45.0],
            }
        )
    }
    carried = bcs.to_2024(frames, accept_break=True)
    results = bcs.compute(carried, POVERTY)
    assert set(results["code"]) == {"QN05950M"}
    found = row(evolution(results, 2021, 2024))
    assert found.statut == "non_comparable"
    assert BREAK in found.note
    lifted = row(evolution(results, 2021, 2024, override="perimetre"))
    assert (lifted.evolution, lifted.qualite) == (-1, "douteux")
    # A union made of what was carried over has any name: its note tells the break all the same.
    union = results.assign(code="mes quartiers")
    assert row(evolution(union, 2021, 2024)).statut == "non_comparable"


def test_a_quarter_and_its_successor_are_no_series() -> None:
    results = tidy(("QP059050", 2018, 47.0), ("QN05950M", 2024, 45.0))
    found = evolution(results, 2018, 2024)
    assert found["statut"].tolist() == ["non_comparable"] * 2
    assert found["note"].str.contains("périmètre").all()
