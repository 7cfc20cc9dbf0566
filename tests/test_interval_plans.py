"""What each indicator divides by what, found by running it: the plan of its interval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.cards.columns import MODELS
from barometre.cards.listing import load_cards
from barometre.cards.schema import Card
from barometre.engine.limits import deff_of, fractions_of, input_columns, plan_of
from barometre.engine.results import Results
from barometre.engine.sampling import SurveyDesign
from barometre.themes import logement
from barometre.themes.formulas import rate, share

CARDS = list(load_cards().values())
VACANCY = "taux_logements_vacants"


def frame(codes: list[str], **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"code": codes, "annee": 2021, **columns})


def computed(tables: dict[str, pd.DataFrame], indicator: str) -> pd.Series[Any]:
    results = Results.validate(bcs.compute(tables, indicator, intervals=True))
    assert len(results) == 1
    return results.iloc[0]


TOWN = frame(["59172"], population=[20_000])
HOMES = frame(["59172"], logements=[9_000], logements_vacants=[900])


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_the_fractions_found_give_the_examples_of_the_card(card: Card) -> None:
    """The worked examples are independent of the way in which the fractions are found."""
    fractions, scale = fractions_of(card), 10_000 if card.unite == "pour_10000" else 100
    if not fractions:
        assert card.nature in ("publie", "rapport", "ecart")
        return
    for example in card.exemples:
        counts = np.array([example.tables[t][c] for t, c in input_columns(card)])
        wholes = [1.0 if f.below is None else counts @ f.below or np.nan for f in fractions]
        values = [counts @ f.above / whole for f, whole in zip(fractions, wholes, strict=True)]
        if card.nature in ("part", "ecart"):
            values = [np.clip(value, 0, 1) for value in values]
        found = values[0] if len(values) == 1 else values[0] - values[1]
        factor = {"effectif": 1, "rapport": 1}.get(card.nature, scale)
        assert factor * found == pytest.approx(example.attendu, nan_ok=True)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_every_share_of_the_census_has_a_method_and_others_a_reason(card: Card) -> None:
    plan, census = plan_of(card), card.exploitation in ("principale", "complementaire")
    expected = {"part": "wilson", "ecart": "newcombe"}
    if census:
        assert plan.method == expected.get(card.nature, "aucune")
    else:
        assert plan.method in ("arrondi", "aucune")
    assert (plan.method == "aucune") == bool(plan.reason) == (not plan.fractions)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_the_design_effect_is_that_of_what_is_counted(card: Card) -> None:
    """Read in the titles of the columns, where the package reads their names."""
    plan = plan_of(card)
    if plan.method not in ("wilson", "newcombe"):
        return
    design = SurveyDesign(deff_households=1.25, deff_persons=3.5)
    for fraction in plan.fractions:
        assert fraction.below is not None
        (title,) = [
            str(MODELS[table].to_schema().columns[name].title)
            for (table, name), c in zip(input_columns(card), fraction.below, strict=True)
            if c
        ]
        households = title.split()[0] in ("Ménages", "Familles", "Logements", "Résidences")
        assert deff_of(card, fraction, design) == (1.25 if households else 3.5)


def test_both_kinds_of_design_effect_are_there() -> None:
    """So that the test above cannot pass by being skipped everywhere."""
    plans = [(card, plan_of(card)) for card in CARDS]
    found = [
        deff_of(c, f, SurveyDesign()) for c, p in plans if p.method == "wilson" for f in p.fractions
    ]
    assert set(found) == {1.5, 2.0}


def test_an_indicator_that_is_no_simple_ratio_has_no_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new indicator never fails for lack of an interval."""
    card = load_cards()[VACANCY]

    def squared(logements: pd.DataFrame) -> pd.Series[float]:
        return share(logements["logements_vacants"] ** 2, logements["logements"] ** 2)

    def with_constant(logements: pd.DataFrame) -> pd.Series[float]:
        return share(logements["logements_vacants"] + 1, logements["logements"] + 1)

    def undivided(logements: pd.DataFrame) -> pd.Series[float]:
        return 100 * logements["logements_vacants"] / logements["logements"]

    for function in (squared, with_constant, undivided):
        monkeypatch.setattr(logement, VACANCY, function)
        assert plan_of(card).method == "aucune"
        row = computed({"logements": HOMES, "population": TOWN}, VACANCY)
        assert np.isnan(row["borne_inf"])
        assert "n'est pas un rapport simple d'effectifs" in row["note"]

    def complement(logements: pd.DataFrame) -> pd.Series[float]:
        return 100 - rate(logements["logements_vacants"], logements["logements"])

    monkeypatch.setattr(logement, VACANCY, complement)
    row = computed({"logements": HOMES, "population": TOWN}, VACANCY)
    assert np.isnan([row["borne_inf"], row["borne_sup"]]).all()
    assert row["note"] == "sans intervalle : les effectifs ne redonnent pas la valeur"
    assert plan_of(replace(card, nature="taux")).method == "aucune"


def test_one_input_that_is_no_count_is_enough_for_no_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mixed = replace(
        load_cards()[VACANCY], entrees={"revenus": ("menages_fiscaux", "niveau_de_vie_median")}
    )

    def households_per_euro(revenus: pd.DataFrame) -> pd.Series[float]:
        return rate(revenus["menages_fiscaux"], revenus["niveau_de_vie_median"])

    monkeypatch.setattr(logement, VACANCY, households_per_euro)
    assert fractions_of(mixed) == ()
