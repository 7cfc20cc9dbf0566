"""A column absent or given twice is told in one way, whatever the function; names agree in gender."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre import composite
from barometre.base.errors import FEMININE, FaultsError, UnknownNameError
from barometre.base.frames import check_frame
from tests.test_architecture import TREES

RESULTS = pd.DataFrame(
    {"code": ["A", "B"], "annee": 2021, "indicateur": "taux_de_pauvrete", "valeur": [1.0, 2.0]}
)
TREE = pd.DataFrame({"id": ["i", "a", "b"], "parent": [None, "i", "i"], "direction": [1, 1, -1]})
INDEX = composite.Index.from_table(TREE)
UNITS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [3.0, 1.0, 2.0]}, index=[*"xyz"])
IDH = pd.DataFrame({"icm": [110.0], "part_diplomes": 75.0, "niveau_de_vie_median": 20_000.0})
BOUNDS = {"icm": (60, 160), "part_diplomes": (50, 90), "niveau_de_vie_median": (14_090, 38_860)}
IDT = pd.DataFrame({"part_emploi_25_54": [52.0], "part_sup_bac": 18.0, "revenu_median": 13_500.0})
PEOPLE = pd.DataFrame({"vit_seul": [0, 1], "menage_sans_voiture": [1, 1]})
DWELLINGS = pd.DataFrame(
    {"code": ["59172"], "annee": 2021, "logements": 100.0, "logements_vacants": 8.0}
)
CANTONS = pd.DataFrame({"code": ["59172"], "canton": ["C5906"]})

CALLS: dict[str, tuple[Callable[[pd.DataFrame], object], pd.DataFrame]] = {
    "gap": (lambda f: bcs.gap(f, "A"), RESULTS),
    "evolution": (lambda f: bcs.evolution(f, 2016, 2021), RESULTS),
    "rank": (bcs.rank, RESULTS),
    "priorities": (bcs.priorities, RESULTS),
    "cumulative_disadvantage": (bcs.cumulative_disadvantage, RESULTS),
    "write_results": (lambda f: bcs.write_results(f, Path("absent.csv")), RESULTS),
    "from_table": (composite.Index.from_table, TREE),
    "score": (INDEX.score, UNITS),
    "observe": (INDEX.observe, UNITS),
    "audit": (lambda f: composite.audit(INDEX, f), UNITS),
    "robustness": (lambda f: composite.robustness(INDEX, f), UNITS),
    "idh4": (lambda f: bcs.idh4(f, BOUNDS), IDH),
    "idt": (lambda f: bcs.idt(f, (80, 42, 22_000), (10, 12, 4_000)), IDT),
    "calibrate_idt": (lambda f: bcs.calibrate_idt([1.0], f), IDT),
    "fragility_75": (lambda f: bcs.fragility_75(f, factors=[*PEOPLE]), PEOPLE),
    "fragility_scores": (lambda f: bcs.fragility_scores(f, factors=[*PEOPLE]), PEOPLE),
    "compute": (lambda f: bcs.compute({"logements": f}), DWELLINGS),
    "aggregate": (lambda f: bcs.aggregate({"logements": f}, {"CA": ["59172"]}), DWELLINGS),
    "membership": (lambda f: bcs.membership(f, part="code", whole="canton"), CANTONS),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_column_given_twice_is_refused_by_its_name(name: str) -> None:
    call, frame = CALLS[name]
    for column in frame:
        twice = pd.concat([frame, frame[[column]]], axis=1)
        with pytest.raises(FaultsError, match=rf"(?m)^  - {column} : colonne en double ; n'en"):
            call(twice)


@pytest.mark.parametrize("name", ["gap", "rank", "score", "idh4", "idt", "membership", "compute"])
def test_an_absent_column_is_told_with_those_there_are(name: str) -> None:
    call, frame = CALLS[name]
    column = "annee" if name == "compute" else str(frame.columns[-1])
    there = f"colonnes présentes : .*{frame.columns[0]}"
    with pytest.raises(FaultsError, match=rf"(?m)^  - {column} : colonne absente ; .*{there}"):
        call(frame.drop(columns=column))


def test_all_absent_columns_are_told_at_once_with_the_nearest() -> None:
    frame = pd.DataFrame(columns=["code", "anee", "value"])
    with pytest.raises(FaultsError) as refused:
        check_frame(frame, "table refusée", ["code", "annee", "valeur"])
    assert str(refused.value) == (
        "table refusée : 1 défaut\n  - annee, valeur : colonnes absentes ; vouliez-vous dire"
        " « anee » et « value » ? colonnes présentes : code, anee, value"
    )
    wide = pd.DataFrame(columns=[f"c{i}" for i in range(40)])
    with pytest.raises(FaultsError, match=r"c11\.\.\. \(40 en tout\)$"):
        check_frame(wide, "table refusée", ["zzz"])
    with pytest.raises(FaultsError, match="zzz : colonne absente ; colonnes présentes : aucune"):
        check_frame(pd.DataFrame(), "table refusée", ["zzz"])
    with pytest.raises(FaultsError, match="entrée : un list ; donner un DataFrame"):
        check_frame([1], "table refusée")


MASCULINE = {
    "axe", "champ", "choix", "critère", "indicateur", "indice", "intervalle", "jeu", "lien", "lissage", "niveau",
    "nom", "nœud", "ordre", "seuil", "statut", "thème", "traitement", "type",
}  # fmt: skip


def test_unknown_names_agree_in_gender() -> None:
    """The noun of every error of the package is in one list or the other."""
    nouns = {
        re.split(r"[ =]", str(node.args[0].value))[0]
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "UnknownNameError"
        and isinstance(node.args[0], ast.Constant)
    }
    assert nouns - FEMININE <= MASCULINE
    assert not FEMININE & MASCULINE
    assert "moyenne « m » inconnue." in str(UnknownNameError("moyenne", "m", ["a"]))
    assert "nom de moyenne « m » inconnu." in str(UnknownNameError("nom de moyenne", "m", ["a"]))
