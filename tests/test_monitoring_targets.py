"""Targets of the contract: which can be judged, the statuses worked by hand, the linear path."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import FaultsError, TableError
from barometre.monitoring.deadlines import Deadline, deadline_of, year_of
from barometre.monitoring.targets import Status

monitoring = bcs.monitoring

# Written by hand from the contract: the status of each of the 114 targets in 2026, nothing observed.
QUALITATIVE = [3, 4, *range(7, 16), *range(27, 34), 35, 36, 44, 52, 56, 57, 63]
OVERDUE = {
    *("E01", "E18", "E24", "E25", "E46", "E47", "E54", "E62"),
    *("L08", "L09", "L10", "L11", "L12", "L14"),
    *("C03", "C12", "C13", "C14", "C15", "C16", "C17", "C18", "C20", "C26"),
}
TO_COMPLETE = {"E40", "E41", "E42", "E43"}
# The eight that have a reference, with a value on each side: id, year, reached, ahead or not, worse.
WITH_REFERENCE = {"E16", "E17", "E18", "E48", "E49", "L02", "C07", "C08"}


def by_hand(name: str) -> str:
    if name in {f"E{number:02d}" for number in QUALITATIVE}:
        return "qualitatif"
    if name == "E38":
        return "relatif"
    if name == "E51":
        return "sens ambigu"
    if name in TO_COMPLETE:
        return "référence à fournir"
    return "échu, sans donnée" if name in OVERDUE else "sans donnée"


def test_every_target_of_the_contract_loads() -> None:
    targets = monitoring.contract_targets()
    assert len(targets) == 63 + 51
    state = targets[targets["id"].str.startswith("E")]
    assert state["nature"].value_counts().to_dict() == {
        "chiffre": 33,
        "qualitatif": 25,
        "reference_sans_chiffre": 4,
        "reference_relative": 1,
    }
    assert targets.loc[targets["nature"] == "chiffre", "cible"].notna().all()
    assert list(targets.loc[targets["sens"] == "ambigu", "id"]) == ["E51"]
    assert set(targets.loc[targets["reference"].notna(), "id"]) == WITH_REFERENCE | {"E51"}


@pytest.mark.parametrize("name", list(monitoring.contract_targets()["id"]))
def test_the_status_of_each_without_observation(name: str) -> None:
    tracked = monitoring.track(monitoring.contract_targets(), year=2026).set_index("id")
    assert tracked.loc[name, "statut"] == by_hand(name)


def test_the_status_of_each_when_the_target_is_met_or_missed() -> None:
    targets = monitoring.contract_targets()
    judged = targets[(targets["nature"] == "chiffre") & (targets["sens"] != "ambigu")]
    assert len(judged) == 83
    way = np.where(judged["sens"] == "hausse", 1.0, -1.0)
    low = judged["cible_max"].where(
        (judged["comparateur"] == "entre") & (judged["sens"] == "baisse"), judged["cible"]
    )
    strict = judged["comparateur"].isin([">", "<"])
    for shift, expected in ((0.0, "atteint"), (1.0, "atteint"), (-0.001, None)):
        seen = pd.DataFrame({"id": judged["id"], "annee": 2026, "valeur": low + way * shift})
        status = monitoring.track(targets, seen, 2026).set_index("id")["statut"]
        for name, is_strict in zip(judged["id"], strict, strict=True):
            if expected and not (is_strict and shift == 0):
                assert status[name] == expected, name
            elif name not in WITH_REFERENCE:
                assert status[name] == "référence à fournir", name


SNU: dict[str, Any] = {
    "id": ["SNU"], "mesure": ["part des jeunes des QPV au SNU"], "nature": ["chiffre"], "sens": ["hausse"],
    "comparateur": ["="], "cible": [20], "reference": [10], "reference_date": ["2024-04-08"], "echeance": ["2027"],
}  # fmt: skip


def status(value: float, year: int = 2025, **changed: Any) -> str:
    targets = pd.DataFrame({**SNU, **{name: [given] for name, given in changed.items()}})
    seen = pd.DataFrame({"id": ["SNU"], "annee": [year], "valeur": [value]})
    return str(monitoring.track(targets, seen, year)["statut"].item())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (15, "en avance"), (12, "en retard"), (20, "atteint"), (9, "à l'opposé"), (10, "en retard"),
        # expected 13.33; on the path within 5 % of the distance of 10, that is 0.5
        (13.84, "en avance"), (13.83, "sur la trajectoire"), (12.84, "sur la trajectoire"), (12.83, "en retard"),
    ],
)  # fmt: skip
def test_worked_example_of_the_contract(value: float, expected: str) -> None:
    assert status(value) == expected


def test_the_expected_value_is_on_the_line() -> None:
    targets = pd.DataFrame(SNU)
    for year, expected in (
        (2024, 10),
        (2025, 40 / 3),
        (2026, 50 / 3),
        (2027, 20),
        (2030, 20),
        (2020, 10),
    ):
        seen = pd.DataFrame({"id": ["SNU"], "annee": [year], "valeur": [11.0]})
        assert monitoring.track(targets, seen, year)["attendu"].item() == pytest.approx(expected)


def test_an_interval_that_holds_two_verdicts_is_undetermined() -> None:
    seen = pd.DataFrame(
        {"id": ["SNU"], "annee": [2025], "valeur": [12], "borne_inf": [10.5], "borne_sup": [14.5]}
    )
    row = monitoring.track(pd.DataFrame(SNU), seen, 2025).iloc[0]
    assert row["statut"] == "indéterminé"
    assert "en avance ou en retard" in row["note"]
    narrow = seen.assign(borne_inf=11.5, borne_sup=12.5)
    assert monitoring.track(pd.DataFrame(SNU), narrow, 2025)["statut"].item() == "en retard"


@pytest.mark.parametrize(
    ("changed", "value", "expected"),
    [
        # a ceiling of 24 pupils, from 28: 26.67 expected in 2025, within 0.2
        ({"sens": "baisse", "comparateur": "<=", "cible": 24, "reference": 28}, 24, "atteint"),
        ({"sens": "baisse", "comparateur": "<=", "cible": 24, "reference": 28}, 26.6, "sur la trajectoire"),
        ({"sens": "baisse", "comparateur": "<=", "cible": 24, "reference": 28}, 25, "en avance"),
        ({"sens": "baisse", "comparateur": "<=", "cible": 24, "reference": 28}, 27.5, "en retard"),
        ({"sens": "baisse", "comparateur": "<=", "cible": 24, "reference": 28}, 29, "à l'opposé"),
        ({"sens": "baisse", "comparateur": "<", "cible": 24, "reference": 28}, 24, "en avance"),
        # a range of 3 or 4, going up: 3 is enough
        ({"comparateur": "entre", "cible": 3, "cible_max": 4, "reference": 1}, 3, "atteint"),
        ({"comparateur": "entre", "cible": 3, "cible_max": 4, "reference": 1}, 5, "atteint"),
        ({"comparateur": "entre", "cible": 3, "cible_max": 4, "reference": 1}, 2, "en avance"),
        # a range going down: its upper end is enough
        ({"sens": "baisse", "comparateur": "entre", "cible": 3, "cible_max": 4, "reference": 10}, 4, "atteint"),
        # none left
        ({"sens": "baisse", "cible": 0, "reference": 49}, 0, "atteint"),
        ({"sens": "baisse", "cible": 0, "reference": 49}, 1, "en avance"),
        ({"sens": "baisse", "cible": 0, "reference": 49}, 50, "à l'opposé"),
        # yearly, permanent, undated: judged now, never late
        ({"echeance": "annuel"}, 12, "non atteint"),
        ({"echeance": "permanent"}, 20, "atteint"),
        ({"echeance": None}, 12, "non atteint"),
        ({"echeance": "2024 et suivantes"}, 9, "à l'opposé"),
        # no reference: reached, or to be given
        ({"reference": None}, 12, "référence à fournir"),
        ({"reference": None}, 21, "atteint"),
        ({"reference_date": None}, 12, "référence à fournir"),
        # better than a reference that carries no figure for the target
        ({"nature": "reference_sans_chiffre", "cible": None}, 11, "atteint"),
        ({"nature": "reference_sans_chiffre", "cible": None}, 9, "à l'opposé"),
    ],
)  # fmt: skip
def test_ceilings_ranges_zeros_and_lasting_targets(
    changed: dict[str, Any], value: float, expected: str
) -> None:
    assert status(value, **changed) == expected


def test_after_the_deadline() -> None:
    assert status(19, 2028) == "en retard"
    assert status(20, 2028) == "atteint"
    assert monitoring.track(pd.DataFrame(SNU), year=2027)["statut"].item() == "sans donnée"
    assert monitoring.track(pd.DataFrame(SNU), year=2028)["statut"].item() == "échu, sans donnée"


def test_an_older_observation_serves_and_says_its_year() -> None:
    seen = pd.DataFrame({"id": ["SNU", "SNU"], "annee": [2024, 2030], "valeur": [12, 20]})
    row = monitoring.track(pd.DataFrame(SNU), seen, 2025).iloc[0]
    assert row["annee"] == 2024
    assert row["note"] == "donnée de 2024"


def test_observations_come_from_results_too() -> None:
    results = bcs.compute(bcs.datasets.tables(), ["taux_emploi_15_64"])
    targets = pd.DataFrame({**SNU, "indicateur": ["taux_emploi_15_64"], "territoire": ["200042190"], "cible": [60], "reference": [54], "reference_date": ["2019"]})  # fmt: skip
    row = monitoring.track(targets, year=2023, results=results).iloc[0]
    assert (row["annee"], row["valeur"]) == (2019, 54.6)
    given = pd.DataFrame({"id": ["SNU"], "annee": [2019], "valeur": [61.0]})
    assert monitoring.track(targets, given, 2023, results=results)["statut"].item() == "atteint"


def test_what_is_wrong_is_said_at_once() -> None:
    with pytest.raises(FaultsError, match="observations d'aucun objectif : « XXX »"):
        monitoring.track(
            pd.DataFrame(SNU), pd.DataFrame({"id": ["XXX"], "annee": [2025], "valeur": [1]}), 2025
        )
    wrong = pd.DataFrame({"id": ["a", "a"], "mesure": ["m", None], "nature": ["chiffre", "chifre"], "cible": ["12 500,5", "douze"], "sens": ["Hausse", "haut"]})  # fmt: skip
    with pytest.raises(TableError) as refused:
        monitoring.track(wrong, year=2025)
    told = str(refused.value)
    for fault in (
        "mesure : 1 cellule vide (ligne 3)",
        "« chifre » ligne 3",
        "« douze » ligne 3",
        "« haut » ligne 3",
    ):
        assert fault in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027", (2027, False)), ("2026-03", (2026, False)), ("2e semestre 2024", (2024, False)),
        ("début 2022", (2022, False)), ("10 ans", (2034, False)), ("annuel", (None, True)),
        ("permanent", (None, True)), ("dès 2024", (None, True)), ("2024 et suivantes", (None, True)),
        ("non datée", (None, False)), ("à étudier", (None, False)), ("", (None, False)), (None, (None, False)),
        ("2024 (sensibilisation), 2025 (mammographie)", (2025, False)),
    ],
)  # fmt: skip
def test_deadlines(text: str | None, expected: tuple[int | None, bool]) -> None:
    assert deadline_of(text, 2024) == Deadline(*expected)


def test_years_of_references() -> None:
    assert [year_of(t) for t in ("2024-04-08", "fin 2023", "objectif 2023", "", None)] == [
        2024,
        2023,
        2023,
        None,
        None,
    ]


def test_the_example_shows_every_status() -> None:
    year = monitoring.example_year()
    tracked = monitoring.track(year["objectifs"], year["observations"], 2025)
    shown = set(tracked["statut"])
    assert shown == set(get_args(Status))
