"""Results of indices and comparisons say in French what they are, show their table, draw a chart."""

from __future__ import annotations

import datetime
import inspect
import pickle

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")
from matplotlib.axes import Axes

import barometre as bcs
from barometre import composite
from barometre.base.face import Drawn, Face

TREE = pd.DataFrame(
    {
        "id": ["cohesion", "emploi", "chomage"],
        "parent": [None, "cohesion", "cohesion"],
        "direction": [1, 1, -1],
    }
)
INDEX = composite.Index.from_table(TREE, out=(0, 100))
UNITS = pd.DataFrame(
    {"emploi": [60.0, 70.0, 50.0, np.nan], "chomage": [10.0, 20.0, 15.0, np.nan], "autre": 1.0},
    index=["Denain", "Raismes", "<b>Onnaing</b>", "Escaudain"],
)
IDT = pd.DataFrame(
    {"part_emploi_25_54": [52.0, 80.0, 60.0], "part_sup_bac": [18.0, 42.0, 25.0],
     "revenu_median": [13_500.0, 22_040.0, 15_000.0]}, index=["a", "METRO", "b"],
)  # fmt: skip
BOUNDS = bcs.Bounds(
    {"icm": (60, 160), "part_diplomes": (50, 90), "niveau_de_vie_median": (14_090, 38_860)},
    reference="communes des Hauts-de-France", territories=3_789, years=(2019,),
    date=datetime.date(2024, 5, 6),
)  # fmt: skip
IDH = pd.DataFrame(
    {"icm": [140.0, 110.0], "part_diplomes": [62.0, 75.0], "niveau_de_vie_median": [12_000.0, 20_360.0]},
    index=["59172", "R32"],
)  # fmt: skip


def calibration() -> composite.Calibration:
    rows = [(50, 15, 13000), (56, 22, 14200), (47, 17, 13800), (61, 20, 15100), (52, 24, 12900)]
    components = pd.DataFrame(rows, columns=list(IDT), index=list("abcde"))
    known = bcs.idt(components, (80, 42, 22000), (10, 12, 4000), (0.5, 0.2, 0.3))["idt_reconstitue"]
    return bcs.calibrate_idt(known, components, (80, 42, 22000), dispersion=(10, 12, 4000))


RESULTS: dict[str, tuple[Face, list[str]]] = {
    "scores": (
        INDEX.score(UNITS),
        ["« cohesion » : 4 lignes, 3 avec un score", "Scores de 25 (<b>Onnaing</b>) à 75 (Denain).",
         "Échelles observées sur ces lignes (emploi, chomage)", "Colonnes laissées de côté : autre"],
    ),
    "robustness": (
        composite.robustness(INDEX, UNITS, {"weights": 0.25, "normalise": [None, "zscore"]}, draws=60),
        ["Rangs de 3 territoires dans 64 réplications (graine 0), intervalles à 90 %.",
         "60 réplications demandées, 64 faites", "Choix tirés : normalisation, poids."],
    ),
    "idt": (bcs.idt(IDT, dispersion=(10, 12, 4000)), ["De −231 (« a ») à 0 (« METRO »).", "COMPAS"]),
    "idh4": (
        bcs.idh4(IDH, BOUNDS),
        ["IDH-4 : 2 lignes, 2 avec une valeur.", "1 ligne hors des bornes", "Hauts-de-France (2019)"],
    ),
    "calibration": (calibration(), ["Calage sur 5 valeurs publiées.", "emploi_25_54 0,50 (de 0,", "R² de 1,000"]),
    "bounds": (
        BOUNDS,
        ["Bornes de 3 composantes.", "niveau_de_vie_median : de 14\u202f090 à 38\u202f860.",
         "Hauts-de-France ; 3\u202f789 territoires ; 2019 ; le 06/05/2024."],
    ),
    "screening": (
        composite.screen(UNITS, 0.5),
        ["4 unités examinées, 3 gardées (au moins 50,0 % des indicateurs).",
         "Laissées de côté : Escaudain (1 indicateur sur 3)."],
    ),
    "imputation": (
        composite.impute(UNITS, method="median"),
        ["2 valeurs imputées (médiane de toutes les unités).", "emploi 1, chomage 1."],
    ),
    "treatment": (
        composite.treat(pd.DataFrame({"taux": [*range(1, 11), 30, 100]})),
        ["1 indicateur examiné, 1 avec des valeurs extrêmes.", "« taux » : 1 point ramené (11)."],
    ),
    "reliability": (
        composite.reliability(pd.DataFrame({"a": [1, 2, 3, 4], "b": [2, 1, 4, 3], "c": [1, 3, 2, 4]})),
        ["Alpha de Cronbach : 0,72 (3 indicateurs, 4 unités complètes sur 4).", "Première composante"],
    ),
    "rank effect": (
        composite.impute(UNITS, method="median").rank_effect(INDEX),
        ["avec et sans valeurs imputées"],
    ),
    "balanced": (
        composite.balance_weights(
            composite.Index.from_table(
                pd.DataFrame({"id": ["i", "a", "b"], "parent": [None, "i", "i"], "direction": 1}),
                normalise=None,
            ),
            pd.DataFrame({"a": [1.0, 2, 3, 4, 5], "b": [3.0, 1, 9, 2, 8]}),
        ),
        ["« a » 50,0 % devient 69,8 %", "non ce qui importe."],
    ),
    "denominated": (
        composite.denominate(pd.DataFrame({"crimes": [20, 30], "hab": [10, 0]}), {"crimes": "hab"}),
        ["1 indicateur, dont 1 rapportés à une taille.", "Par « hab » : crimes."],
    ),
    "correlations": (
        composite.correlations(INDEX.score(UNITS)),
        ["Corrélations (Pearson) : "],
    ),
    "strengths": (INDEX.score(UNITS).strengths(UNITS.index[0]), ["Forces de ", "Faiblesses de "]),
    "year": (bcs.equivalent_year(15.0, {2010: 10.0, 2020: 20.0}), ["2015"]),
    "theil": (
        bcs.theil([1.0, 3.0, 2.0, 2.0], groups=["a", "a", "b", "b"]),
        ["Indice de Theil : 0,0654 (2 groupes).", "Entre les groupes : 0,0000 (0 %)"],
    ),
    "theil of equals": (
        bcs.theil([2.0, 2.0], groups=["a", "b"]),
        ["Indice de Theil : 0,0000 (2 groupes).", "Les zones ont toutes la même valeur."],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_says_what_it_is(name: str) -> None:
    result, words = RESULTS[name]
    text = result.summary()
    for word in words:
        assert word in text
    assert str(result) == text
    assert all(line.endswith(".") for line in text.splitlines())
    for english in ("None", "nan", "np.", "  "):
        assert english not in text
    assert isinstance(result.table, pd.DataFrame)
    page = result._repr_html_()
    assert "<table" in page
    assert "<b>Onnaing" not in page  # what users write is escaped


@pytest.mark.parametrize("name", [n for n, (r, _) in RESULTS.items() if isinstance(r, Drawn)])
def test_a_result_draws_its_chart(name: str) -> None:
    result, _ = RESULTS[name]
    assert isinstance(result, Drawn)
    ax = result.plot(title="Titre")
    assert isinstance(ax, Axes)
    assert ax.get_title(loc="left") == "Titre"


def test_drawn_results_are_those_with_one_natural_chart() -> None:
    drawn = {name for name, (result, _) in RESULTS.items() if isinstance(result, Drawn)}
    assert drawn == {"scores", "robustness", "idt", "idh4"}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_can_be_kept(name: str) -> None:
    result, _ = RESULTS[name]
    assert pickle.loads(pickle.dumps(result)).summary() == result.summary()


def test_empty_results_say_so() -> None:
    assert INDEX.score(UNITS.iloc[:0]).summary().startswith("Indice « cohesion » : 0 ligne, 0 avec")
    assert "0 territoire" in composite.robustness(INDEX, UNITS.iloc[:0], draws=2).summary()
    assert "0 ligne" in bcs.idt(IDT.iloc[:0], (80, 42, 22_040), (10, 12, 4_000)).summary()
    assert "non défini" in bcs.theil([0.0, 0.0], groups=["a", "b"]).summary()
    assert "même valeur" in bcs.theil([2.0, 2.0], groups=["a", "b"]).summary()
    assert bcs.equivalent_year(np.nan, {2010: 1.0, 2020: 2.0}).summary() == "Valeur absente."


def test_the_gaps_drawn_of_scores_are_those_to_their_mean() -> None:
    scores = INDEX.score(UNITS)
    parts = scores.drawn()
    mean = scores.reference_scores("mean")["cohesion"]
    np.testing.assert_allclose(parts["ecart"], scores.table["cohesion"] - mean, atol=1e-12)


# What scripts give or receive that is no result: data, options, declarations.
NO_RESULTS = {
    *(
        "Tables",
        "DaskTables",
        "Dataset",
        "Column",
        "Config",
        "Selection",
        "SurveyDesign",
        "Household",
        "Fault",
    ),
    *("Cohort", "Regression", "Index", "Leaf", "Node", "Alternatives", "DataError", "Signed"),
}
ONE_CHART = {
    *("Scores", "Robustness", "TerritorialIndex", "Estimate", "EventStudy", "AttGt", "Aggregation"),
    *("ChangeDecomposition", "Tidy"),
}


def public_classes() -> dict[str, type]:
    rooms = [bcs, *(room for name in dir(bcs) if inspect.ismodule(room := getattr(bcs, name)))]
    named = {name: getattr(room, name) for room in rooms for name in dir(room)}
    return {
        name: thing
        for name, thing in named.items()
        if inspect.isclass(thing)
        and thing.__module__.startswith("barometre.")
        and not issubclass(thing, Exception)
    }


def test_every_public_result_has_a_face() -> None:
    """A class that enters the public list is a result, or is said not to be one."""
    classes = public_classes()
    assert classes.keys() >= NO_RESULTS | ONE_CHART
    results = {name: cls for name, cls in classes.items() if name not in NO_RESULTS}
    assert len(results) >= 27
    for name, cls in results.items():
        for verb in ("summary", "_repr_html_"):
            assert callable(getattr(cls, verb)), name
        if not issubclass(cls, pd.DataFrame):  # which is its own table
            assert issubclass(cls, Face), name
            fields = getattr(cls, "__dataclass_fields__", {})
            assert "table" in fields or isinstance(getattr(cls, "table", None), property), name
            assert cls.sentences is not Face.sentences, name
    assert {name for name, cls in results.items() if hasattr(cls, "plot")} >= ONE_CHART
