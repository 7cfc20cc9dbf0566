"""The door of what compares results: what it refuses, and that it says everything at once."""

from __future__ import annotations

import math
from typing import Any

import pytest

from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.compare.gaps import gap
from tests.test_compare import tidy


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"valeur": "douze"}, "valeur : ce ne sont pas des nombres"),
        ({"valeur": math.inf}, "valeur : ce ne sont pas des nombres"),
        ({"annee": 2019.5}, "annee : ce ne sont pas des nombres"),
        ({"annee": math.nan}, "annee : ce ne sont pas des nombres"),
        ({"code": None}, "code : valeurs absentes ou non textuelles"),
        ({"statut": "secret"}, "renseignée malgré son statut"),
        ({"statut": "perdu"}, "statut : inconnu"),
        ({"origine": "rêve"}, "origine : inconnue"),
        ({"borne_inf": 3.0, "borne_sup": 4.0}, "pas entre ses bornes"),
        ({"valeur": 1.0, "borne_inf": -1.0, "borne_sup": 0.0}, "pas entre ses bornes"),
        ({"code": "ref"}, "clés en double"),
    ],
)
def test_wrong_results_are_refused(change: dict[str, Any], said: str) -> None:
    results = tidy([{"code": "a", "valeur": 2.0, **change}, {"code": "ref", "valeur": 5.0}])
    with pytest.raises(FaultsError, match=said):
        gap(results, "ref")


def test_every_fault_is_listed_and_columns_are_needed() -> None:
    results = tidy([{"code": "a", "valeur": 2.0, "statut": "secret", "origine": "rêve"}])
    with pytest.raises(FaultsError) as refused:
        gap(results, "a")
    assert len(refused.value.defauts) == 2
    with pytest.raises(FaultsError, match="annee, valeur : colonnes absentes"):
        gap(results[["code", "indicateur"]], "a")
    with pytest.raises(BarometreError, match="un list ; donner un DataFrame"):
        gap([1, 2], "a")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(UnknownNameError, match="taux_emploi_15_64"):
        gap(tidy([{"code": "a", "valeur": 2.0}], indicateur="taux_emploi_15_46"), "a")
    with pytest.raises(FaultsError, match="non textuelles"):
        gap(tidy([{"code": 59, "valeur": 2.0}]), "59")
