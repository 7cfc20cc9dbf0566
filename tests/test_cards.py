"""The cards: complete, consistent with their functions, and right on hand-worked examples."""

from __future__ import annotations

import csv
import inspect
import math
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import CardError, UnknownNameError
from barometre.cards.columns import columns_of
from barometre.cards.listing import load_cards
from barometre.cards.schema import THEMES, Card, Example
from tests.conftest import ROOT
from tests.strategies import valid_tables

CARDS = list(load_cards().values())
by_id = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
CONTEXT = {
    "population", "indice_jeunesse", "indice_evolution_generations_agees",
    "part_population_etrangere", "allocataires_minima_sociaux", "taux_couverture_aah",
    "taux_couverture_rsa", "beneficiaires_c2s", "taux_couverture_c2s_moins_18",
    "taux_couverture_c2s_25_49", "taux_couverture_c2s_50_59", "demandeurs_emploi_abc",
    "part_femmes_defm", "part_moins_26_ans_defm", "part_etrangers_defm", "part_bac2_defm",
    "part_plus_2_ans_defm", "part_monoparents_allocataires", "taux_creation_etablissements",
    "part_auto_entrepreneurs_creations", "ecart_taux_scolarisation_filles_garcons",
    "nombre_etrangers", "demandeurs_emploi_a", "demandeurs_emploi_moins_26_ans", "idt_compas", "idt",
    "idh4", "part_jeunes_non_inseres_16_25",
}  # fmt: skip


def test_the_barometer_has_36_indicators_in_9_themes_and_28_context_measures() -> None:
    barometer = [card for card in CARDS if card.theme != "contexte"]
    assert len(barometer) >= 36  # adding one touches no test
    assert {card.theme for card in barometer} == set(THEMES) - {"contexte"}
    assert {card.id for card in CARDS if card.theme == "contexte"} >= CONTEXT


def test_every_indicator_of_the_shared_catalogue_has_its_card() -> None:
    path = ROOT.parent / "shared" / "domain" / "CATALOGUE.csv"
    if not path.exists():
        pytest.skip("needs the shared catalogue, which is not part of the project")
    with path.open(encoding="utf-8") as file:
        expected = {(row["theme"], row["id"]) for row in csv.DictReader(file)}
    assert len(expected) == 36
    assert {(c.theme, c.id) for c in CARDS if c.theme != "contexte"} >= expected


@by_id
def test_labels_and_definitions_exist_in_both_languages(card: Card) -> None:
    for texts in (card.libelle, card.definition):
        assert set(texts) == {"fr", "en"}
        assert all(len(text.strip()) > 3 for text in texts.values())
        assert texts["fr"] != texts["en"]


@by_id
def test_the_function_takes_the_tables_of_the_card_in_order(card: Card) -> None:
    assert list(inspect.signature(card.fonction).parameters) == list(card.entrees)
    assert card.fonction.__doc__


def _row(values: dict[str, float], table: str) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples([("59172", 2021)], names=["code", "annee"])
    return pd.DataFrame([values], index=index, columns=list(columns_of(table)), dtype=float)


CASES = [(card, example) for card in CARDS for example in card.exemples]


@pytest.mark.parametrize(
    ("card", "example"), CASES, ids=[f"{card.id}-{example.nom}" for card, example in CASES]
)
def test_hand_worked_examples(card: Card, example: Example) -> None:
    frames = {table: _row(dict(values), table) for table, values in example.tables.items()}
    value = card.fonction(**frames)
    assert value.name == card.id
    assert value.index.equals(frames[next(iter(card.entrees))].index)
    assert value.iloc[0] == pytest.approx(example.attendu, rel=1e-12, abs=0, nan_ok=True)
    computed = bcs.compute(frames, card.id)
    assert computed["valeur"].iloc[0] == pytest.approx(
        example.attendu, rel=1e-12, abs=0, nan_ok=True
    )
    absent = "non_disponible" if any(map(_has_nan, example.tables.values())) else "non_defini"
    assert computed["statut"].iloc[0] == (absent if math.isnan(example.attendu) else "ok")


def _has_nan(values: Mapping[str, float]) -> bool:
    return any(math.isnan(value) for value in values.values())


@by_id
def test_examples_cover_a_defined_value(card: Card) -> None:
    defined = [example for example in card.exemples if not math.isnan(example.attendu)]
    assert len(defined) >= 1
    assert len(card.exemples) >= 2


@by_id
@settings(max_examples=15)
@given(data=st.data())
def test_the_card_names_exactly_the_columns_that_the_function_uses(
    card: Card, data: st.DataObject
) -> None:
    tables = data.draw(valid_tables(tuple(card.entrees), rows=3))
    bare = card.fonction.__wrapped__  # type: ignore[attr-defined]  # set by functools.wraps
    before = bare(**tables)
    for table, used in card.entrees.items():
        for column in columns_of(table):
            without = tables | {table: tables[table].assign(**{column: np.nan})}
            after = bare(**without)
            if column in used:
                assert after.isna().all(), f"{table}.{column} is listed but not used"
            else:
                pd.testing.assert_series_equal(after, before)


@by_id
def test_verification_state_of_codes(card: Card) -> None:
    assert card.codes
    assert set().union(*(codes.niveaux for codes in card.codes)) <= set(card.niveaux)


BREAKS = {
    "beneficiaires_c2s": 2020, "taux_couverture_c2s": 2020, "taux_couverture_c2s_25_49": 2020,
    "taux_couverture_c2s_50_59": 2020, "taux_couverture_c2s_moins_18": 2020,
    "demandeurs_emploi_abc": 2025, "demandeurs_emploi_a": 2025, "demandeurs_emploi_moins_26_ans": 2025,
    "part_bac2_defm": 2025, "part_etrangers_defm": 2025,
    "part_femmes_defm": 2025, "part_moins_26_ans_defm": 2025, "part_plus_2_ans_defm": 2025,
    "taux_demandeurs_emploi_abc": 2025, "equipements_culturels_10000": 2019,
    "equipements_sportifs_10000": 2019, "ecart_salaire_horaire_femmes_hommes": 2016,
    "part_familles_monoparentales": 2011, "taux_surpeuplement": 2022,
    "apl_medecins_generalistes": 2015,
}  # fmt: skip


def test_breaks_of_definition() -> None:
    """First vintages of the new definitions, by the cautions of the cards."""
    found = {card.id: tuple(change.annee for change in card.ruptures) for card in CARDS}
    assert {name: years for name, years in found.items() if name in BREAKS} == {
        name: (year,) for name, year in BREAKS.items()
    }
    assert bcs.indicator_card("part_familles_monoparentales").ruptures[0].niveaux == ("qpv",)


@by_id
def test_a_break_is_within_the_levels_of_the_card_and_has_a_reason(card: Card) -> None:
    years = [change.annee for change in card.ruptures]
    assert years == sorted(set(years))
    for change in card.ruptures:
        assert 1990 < change.annee < 2100
        assert len(change.motif) > 20
        assert set(change.niveaux) <= set(card.niveaux)


# ---- the schema refuses what is wrong ------------------------------------------------------------


def _one_card(folder: Path, text: str, theme: str = "logement") -> Path:
    (folder / theme).mkdir(parents=True)
    (folder / theme / "essai.toml").write_text(text, encoding="utf-8")
    return folder


def _text(checkout: Path) -> str:
    path = checkout / "indicators" / "logement" / "taux_logements_vacants.toml"
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('unite = "pourcent"', 'unite = "pourcents"', "« pourcents » hors de la liste"),
        ('sens = "hausse_defavorable"', 'sens = "mauvais"', "hausse_defavorable"),
        ("decimales = 1\n", "", "decimales : champ absent"),
        ("decimales = 1", "decimales = 1\ncouleur = 3", "couleur : champ inconnu"),
        ("decimales = 1", 'decimales = "un"', "d'un autre type"),
        ("bornes = [0, 100]", "bornes = [100, 0]", "n'est pas un intervalle"),
        ("plausible = [0, 40]", "plausible = [0, 140]", "sort des bornes"),
        ('libelle.en = "Vacancy rate"\n', "", "libelle, en : champ absent"),
        ('univers = "Logements ordinaires"', 'univers = ""', "univers : champ vide"),
        ('etat = "verifie"', 'etat = "vu"', "codes n° 1, etat"),
        ("ruptures = []\n", "", "ruptures : champ absent"),
        ("ruptures = []", "ruptures = [2017]", "ruptures : valeur 2017 d'un autre type"),
        ("ruptures = []", "ruptures = [{ annee = 2017 }]", "rupture n° 1, motif : champ absent"),
        ("ruptures = []", 'ruptures = [{ annee = "2017", motif = "m" }]', "rupture n° 1, annee"),
        (
            "ruptures = []",
            'ruptures = [{ annee = 2017, motif = "m", niveaux = ["zone"] }]',
            "« zone »",
        ),
        (
            "ruptures = []",
            'ruptures = [{ annee = 2017, motif = "m", an = 1 }]',
            "an : champ inconnu",
        ),
        ('"commune", "epci", "iris", "qpv"', '"village"', "« village » hors de la liste"),
        ("logements_vacants = 12, logements = 80", "logements = 80", "donner ['logements'"),
        ('logements = ["logements_vacants"', 'logements = ["vides"', "« logements.vides » inconnu"),
        ("libelle.fr", "libelle.fr = ", "illisible"),
    ],
)
def test_a_wrong_card_is_refused_with_the_field_named(
    tmp_path: Path, checkout: Path, old: str, new: str, said: str
) -> None:
    text = _text(checkout)
    assert old in text
    with pytest.raises(CardError, match=r"logement/essai\.toml") as refused:
        load_cards(_one_card(tmp_path, text.replace(old, new)))
    assert said in str(refused.value)


def test_all_faults_of_all_cards_are_listed(tmp_path: Path, checkout: Path) -> None:
    text = _text(checkout).replace("decimales = 1\n", "").replace('nature = "part"\n', "")
    _one_card(tmp_path, text)
    _one_card(tmp_path, _text(checkout), theme="loisirs")
    with pytest.raises(CardError) as refused:
        load_cards(tmp_path)
    assert len(refused.value.defauts) == 3


def test_an_unknown_indicator_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="Vouliez-vous dire « taux_logements_vacants »"):
        bcs.indicator_card("taux_logement_vacants")


def test_the_registry_is_read_only() -> None:
    with pytest.raises(TypeError):
        load_cards()["essai"] = CARDS[0]  # type: ignore[index]  # that is the point


# ---- one card and one function are enough --------------------------------------------------------

NEW_FUNCTION = '''

@indicator
def part_residences_principales(logements: DataFrame[Logements]) -> pd.Series[float]:
    """Main homes per 100 dwellings."""
    return share(logements["residences_principales"], logements["logements"])
'''

PROGRAM = """
import pandas as pd, barometre as bcs
from catalogue_page import catalogue_page
frame = pd.DataFrame({"code": ["59172"], "annee": [2021], "logements": [80.0],
                      "residences_principales": [60.0]})
results = bcs.compute({"logements": frame})
print(bcs.__file__)
print("catalogue", "part_residences_principales" in bcs.catalogue().index)
print("compute", results.set_index("indicateur")["valeur"]["part_residences_principales"])
print("docs", "part_residences_principales" in catalogue_page())
"""


def test_adding_an_indicator_touches_one_card_and_one_function(
    tmp_path: Path, checkout: Path
) -> None:
    for folder in ("barometre", "indicators", "datasets", "docs"):
        shutil.copytree(
            checkout / folder, tmp_path / folder, ignore=shutil.ignore_patterns("_build")
        )
    card = (
        _text(checkout)
        .replace("Taux de logements vacants", "Part des résidences principales")
        .replace('"logements_vacants", "logements"', '"residences_principales", "logements"')
        .replace("logements_vacants = ", "residences_principales = ")
    )
    logement = tmp_path / "indicators" / "logement"
    (logement / "part_residences_principales.toml").write_text(card, encoding="utf-8")
    with (tmp_path / "barometre" / "themes" / "logement.py").open("a", encoding="utf-8") as file:
        file.write(NEW_FUNCTION)
    environment = {"PYTHONPATH": f"{tmp_path}:{tmp_path / 'docs'}", "PATH": ""}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    where, *found = run.stdout.splitlines()
    assert where.startswith(str(tmp_path))
    assert found == ["catalogue True", "compute 75.0", "docs True"]
    listed = subprocess.run(
        [sys.executable, "-m", "barometre", "indicators", "part_residences_principales"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Part des résidences principales" in listed.stdout, listed.stderr
