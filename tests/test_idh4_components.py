"""Components of the IDH-4 out of tables: the canton's index, memberships, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError
from barometre.composite.french.development import idh4
from barometre.composite.french.development_inputs import idh4_components
from tests.test_idh4 import BOUNDS

# ---- components out of tables -------------------------------------------------------------------


def tables(**options: Any) -> bcs.Tables:
    communes = {"code": ["59172", "59446", "59179"], "annee": 2019}
    return bcs.Tables(
        {
            "mortalite": pd.DataFrame(
                {"code": ["C5906", "C5907", "59179"], "annee": [2017, 2019, 2019], "icm": [131.0, 120, 99],
                 "esperance_vie_naissance": [77.0, 79, 81]}
            ),
            "diplomes": pd.DataFrame(
                {**communes, "non_scolarises_15_ans_plus": [14000, 100, 0], "diplomes_cep_plus": [9100, 80, 0]}
            ),
            "revenus": pd.DataFrame({**communes, "niveau_de_vie_median": [14320, None, 18000]}),
        },
        **options,
    )  # fmt: skip


CANTONS = pd.DataFrame({"code": ["59172", "59446", "59179"], "canton": ["C5906", "C5907", "C5907"]})


def test_the_icm_of_the_canton_is_that_of_its_communes() -> None:
    statuts = pd.DataFrame(
        [("59446", 2019, "revenus", "niveau_de_vie_median", "secret", None, "moins de 50 ménages")],
        columns=["code", "annee", "table", "colonne", "statut", "qualite", "motif"],
    )
    components = idh4_components(tables(statuts=statuts), CANTONS)
    assert components["icm"].to_list() == [131, 120, 99]  # its own value, where there is one
    assert components["part_diplomes"].to_list()[:2] == [65, 80]
    assert np.isnan(components["part_diplomes"].iloc[2])  # nobody out of school
    assert components["statut"].to_list() == ["ok", "secret", "non_disponible"]
    said = components["remarques"].droplevel("annee")
    assert (
        said["59172"]
        == "indice comparatif de mortalité du canton C5906 ; mortalite : données de 2017"
    )
    assert "moins de 50 ménages" in said["59446"]
    result = idh4(components, BOUNDS)
    assert result["statut"].to_list() == ["ok", "secret", "non_disponible"]
    assert result["remarques"].iloc[0] == said["59172"]
    assert result["sante"].to_list() == pytest.approx([0.29, 0.4, 0.61], abs=1e-15)


def test_the_first_territory_has_its_remarks_too() -> None:
    said = pd.DataFrame(
        [
            (
                "59172",
                2019,
                "diplomes",
                "diplomes_cep_plus",
                "ok",
                "douteux",
                "population légale revue",
            )
        ],
        columns=["code", "annee", "table", "colonne", "statut", "qualite", "motif"],
    )
    remarks = idh4_components(tables(statuts=said), CANTONS)["remarques"].droplevel("annee")
    assert remarks.index[0] == "59172"
    assert "diplomes : population légale revue" in remarks["59172"]
    assert "population légale" not in str(remarks["59446"])


@pytest.mark.parametrize(
    "membership", [CANTONS.set_index("code"), dict(CANTONS.to_numpy()), CANTONS.set_index("code")["canton"]]
)  # fmt: skip
def test_forms_of_the_membership(membership: Any) -> None:
    pd.testing.assert_frame_equal(
        idh4_components(tables(), membership), idh4_components(tables(), CANTONS)
    )


def test_components_without_membership_or_for_the_idh2() -> None:
    alone = idh4_components(tables())
    assert alone["icm"].isna().to_list() == [True, True, False]
    strict = idh4_components(tables(), CANTONS, max_gap=0)
    assert strict["icm"].isna().to_list() == [True, False, False]
    life = idh4_components(tables(), CANTONS, health="esperance_vie")
    assert life["esperance_vie"].to_list() == [77, 79, 81]


def test_components_refused_from_tables() -> None:
    twice = pd.concat([CANTONS, CANTONS.assign(canton="C1")])
    cases: Iterator[tuple[Any, Any, dict[str, Any], str]] = iter(
        [
            ({"revenus": tables()["revenus"].reset_index()}, None, {}, "mortalite, diplomes"),
            (tables(), twice, {}, "plusieurs ensembles"),
            (tables(), CANTONS.iloc[:0], {}, "vide"),
            (tables(), CANTONS.rename(columns={"canton": "epci"}), {}, "canton"),
            (tables(), CANTONS, {"health": "x"}, "health"),
            (tables(), CANTONS, {"max_gap": -1}, "max_gap"),
        ]
    )
    for given_tables, membership, options, words in cases:
        with pytest.raises(
            FaultsError if words in ("vide", "canton") else BarometreError, match=words
        ):
            idh4_components(given_tables, membership, **options)
