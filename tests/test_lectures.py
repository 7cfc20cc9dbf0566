"""Every "Lecture" sentence of the contract: computed from its tables, or named with the reason.

The expected values are the printed ones. A sentence rounds to the unit what its table prints with
one decimal, half up.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

import barometre as bcs
from barometre.cards.listing import load_cards
from barometre.compare.years import evolution
from barometre.tables.table_set import Tables

LECTURES = bcs.datasets.load("lectures").frame

# Measures that are indicators: what `compute` gives from the bundled tables.
INDICATORS = {
    "population_municipale": "population",
    "indice_jeunesse": "indice_jeunesse",
    "indice_generations_agees": "indice_evolution_generations_agees",
    "part_familles_monoparentales_menages": "part_monoparents_allocataires",
    "part_familles_monoparentales_familles": "part_familles_monoparentales_caf",
    "allocataires_minima_sociaux": "allocataires_minima_sociaux",
    "population_c2s": "beneficiaires_c2s",
    "taux_c2s_assures": "taux_couverture_c2s",
    "taux_scolarisation_15_24_ans": "taux_scolarisation_15_24",
    "ecart_taux_scolarisation_filles_garcons": "ecart_taux_scolarisation_filles_garcons",
    "taux_emploi_15_64_ans": "taux_emploi_15_64",
    "ecart_taux_emploi_femmes_hommes": "ecart_taux_emploi_femmes_hommes",
    "defm_abc": "demandeurs_emploi_abc",
    "part_femmes_defm_abc": "part_femmes_defm",
    "taux_creation_etablissements": "taux_creation_etablissements",
}

# Measures that are counts of an input table.
COUNTS = {
    "personnes_nationalite_etrangere": ("population", "population_etrangere"),
    "scolarises_15_24_ans": ("scolarisation", "scolarises_15_24_ans"),
    "etablissements": ("etablissements", "etablissements"),
}

# Relative evolutions: columns of the end and of the change in number, and the count whose card
# serves (two of these counts are no indicator: the card of a count of the same kind).
EVOLUTIONS = {
    "evolution_personnes_nationalite_etrangere": (
        "etrangers_2019_nb", "evolution_2011_2019_nb", "population",
    ),
    "evolution_allocataires_minima_sociaux": (
        "allocataires_minima_sociaux_2021_nb", "evolution_2016_2021_nb",
        "allocataires_minima_sociaux",
    ),
    "evolution_population_c2s": (
        "population_c2s_2022_nb", "evolution_2020_2022_nb", "beneficiaires_c2s",
    ),
    "evolution_defm_a": (
        "defm_a_t4_2022_nb", "evolution_defm_a_t4_2016_2022_nb", "demandeurs_emploi_abc",
    ),
}  # fmt: skip

# Measures that no bundled table gives. The figures of a chart are nowhere else; the monthly gaps
# of Elnon follow from medians of Insee that the contract does not print (see test_compare).
IN_CHARTS = {
    "taux_pauvrete", "evolution_taux_pauvrete", "part_moins_15_ans", "part_actifs_occupes_voiture",
    "annee_france_au_meme_taux_activite_femmes", "part_emploi_precaire_15_64_ans",
    "part_menages_une_personne", "personnes_par_menage", "part_logements_3_4_pieces",
    "loyer_moyen_logement_social", "ecart_niveau_vie_avec_caph",
    "part_lyceens_filiere_professionnelle", "part_sans_diplome_15_ans_plus_non_scolarises",
    "part_bac_plus_2_15_ans_plus_non_scolarises",
}  # fmt: skip
NO_START = "evolution_population"  # the table gives 2018 only
ONLY_READ = {"idt", "defm_a"}  # an index without public formula; no table of category A alone

COMPUTED = {*INDICATORS, *COUNTS, *EVOLUTIONS}
EXCEPTIONS = {*IN_CHARTS, NO_START, *ONLY_READ}


def sentences(measures: set[str]) -> list[dict[str, Any]]:
    rows: Any = LECTURES[LECTURES["mesure"].isin(measures)].to_dict("records")
    return list(rows)


def by_sentence(measures: set[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "said", sentences(measures), ids=lambda s: f"{s['mesure']}-{s['code']}-{s['annee']}"
    )


def years(said: dict[str, Any]) -> list[int]:
    return [int(year) for year in re.findall(r"\d{4}", str(said["annee"]))]


def as_printed(value: float, said: dict[str, Any]) -> float:
    return bcs.round_half_up(float(value), 1 if said["unite_valeur"] == "ratio" else 0)


@pytest.fixture(scope="module")
def values(contract: Tables) -> pd.Series[float]:
    results = bcs.compute(contract)
    return results.set_index(["indicateur", "code", "annee"])["valeur"]


def test_every_sentence_is_computed_or_an_exception() -> None:
    assert len(LECTURES) == 43
    assert not LECTURES.duplicated(["code", "mesure", "annee"]).any()
    groups = [set(INDICATORS), set(COUNTS), set(EVOLUTIONS), IN_CHARTS, {NO_START}, ONLY_READ]
    told = [measure for group in groups for measure in group]
    assert len(told) == len(set(told))
    assert set(told) == set(LECTURES["mesure"])
    assert len(sentences(COMPUTED)) == 22
    assert len(sentences(EXCEPTIONS)) == 21


@by_sentence(set(INDICATORS))
def test_indicators(said: dict[str, Any], values: pd.Series[float]) -> None:
    (year,) = years(said)
    value = values[INDICATORS[str(said["mesure"])], said["code"], year]
    assert as_printed(value, said) == said["valeur"]


@by_sentence(set(COUNTS))
def test_counts(said: dict[str, Any], contract: Tables) -> None:
    table, column = COUNTS[str(said["mesure"])]
    (year,) = years(said)
    assert contract[table].loc[(said["code"], year), column] == said["valeur"]


@by_sentence(set(EVOLUTIONS))
def test_evolutions(said: dict[str, Any]) -> None:
    last, change, indicator = EVOLUTIONS[str(said["mesure"])]
    table = bcs.datasets.load(str(said["tableau"])).frame.set_index("code").loc[[said["code"]]]
    start, end = years(said)
    ends = [table.assign(annee=end, valeur=table[last]),
            table.assign(annee=start, valeur=table[last] - table[change])]  # fmt: skip
    counts = pd.concat(ends)[["annee", "valeur"]].assign(indicateur=indicator).reset_index()
    found = evolution(counts, start, end).iloc[0]
    assert found["statut"] == "ok"
    assert found["evolution"] == table[change].iloc[0]
    assert as_printed(found["evolution_pct"], said) == said["valeur"]


# ---- the exceptions cannot be computed -----------------------------------------------------------


def test_charts_are_in_no_dataset() -> None:
    charts = LECTURES[LECTURES["mesure"].isin(IN_CHARTS)]
    assert charts["tableau"].str.startswith("graphique:").all()
    assert charts["colonne_lue"].isna().all()
    assert not set(charts["tableau"].str.removeprefix("graphique:")) & set(bcs.datasets.names())
    others = LECTURES[~LECTURES["mesure"].isin(IN_CHARTS)]
    assert set(others["tableau"]) <= set(bcs.datasets.names())


def test_no_table_has_the_population_of_the_start(contract: Tables) -> None:
    (said,) = sentences({NO_START})
    assert years(said) == [2013, 2018]
    known = contract["population"]["population"].dropna().index.get_level_values("annee")
    assert set(known) == {2018}
    assert pd.isna(said["colonne_lue"])


def test_what_is_only_read_is_no_indicator_and_is_read_rightly() -> None:
    for said in sentences(ONLY_READ):
        card = load_cards().get(str(said["mesure"]))
        assert card is None or card.nature == "publie"
        dataset = bcs.datasets.load(str(said["tableau"]))
        column = dataset.colonnes[str(said["colonne_lue"])]
        assert dataset.frame.set_index("code").loc[said["code"], column.nom] == said["valeur"]
