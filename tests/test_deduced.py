"""First dates deduced from printed evolutions: counted, checked by their percentages, told apart."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import TableError
from barometre.tables.table_set import Tables

DATED = {
    ("nombre_etrangers", 2011): 16,
    ("part_monoparents_allocataires", 2016): 18,
    ("part_familles_monoparentales_caf", 2016): 18,
    ("allocataires_minima_sociaux", 2016): 19,
    ("beneficiaires_c2s", 2020): 17,
    ("demandeurs_emploi_a", 2016): 18,
    ("demandeurs_emploi_moins_26_ans", 2016): 19,
}
# Each printed evolution, the value of the later date, and the percentage that checks both.
CHECKED = [
    ("minima_sociaux_2021", 2021, "evolution_2016_2021_nb"),
    ("c2s_2022", 2022, "evolution_2020_2022_nb"),
    ("defm_a_2022", 2022, "evolution_defm_a_t4_2016_2022_nb"),
    ("defm_a_2022", 2022, "evolution_defm_moins_26_ans_t4_2016_2022_nb"),
    ("nationalite_etrangere_2019", 2019, "evolution_2011_2019_nb"),
]


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return bcs.compute(bcs.datasets.tables())


@pytest.fixture(scope="module")
def deduced(results: pd.DataFrame) -> pd.DataFrame:
    return results[results["origine"] == "deduit"]


def test_125_values_of_a_first_date_are_deduced(deduced: pd.DataFrame) -> None:
    found = deduced.groupby(["indicateur", "annee"]).size().to_dict()
    assert found == DATED
    assert sum(found.values()) == 125
    assert deduced["valeur"].notna().all()
    assert deduced["note"].str.startswith("déduit de deux nombres imprimés : ").all()


def test_a_deduced_value_is_the_later_one_minus_the_evolution() -> None:
    """Printed at Denain: 2 117 and -154, 5 343 and +737, 41.6 and +1.8 points."""
    results = bcs.compute(bcs.datasets.tables()).query("code == 'QP059050' and origine == 'deduit'")
    found = results.set_index("indicateur")["valeur"]
    assert found["allocataires_minima_sociaux"] == 2117 + 154 == 2271
    assert found["beneficiaires_c2s"] == 5343 - 737 == 4606
    assert found["part_familles_monoparentales_caf"] == 39.8
    note = results.set_index("indicateur")["note"]["allocataires_minima_sociaux"]
    assert note.endswith("2\u202f117 en 2021, −154 depuis 2016")


@pytest.mark.parametrize(("name", "year", "column"), CHECKED, ids=lambda case: str(case))
def test_the_printed_percentage_checks_the_deduced_value(name: str, year: int, column: str) -> None:
    """Beyond the rounding of the three printed numbers, only listed anomalies differ."""
    data = bcs.datasets.load(name)
    to = data.colonnes[column]
    assert to.depuis is not None
    assert to.controle is not None
    assert data.colonnes[to.depuis].annee == year
    listed = bcs.datasets.load("anomalies").frame.query("tableau == @name")
    excused = {(row["code"], row["colonne"]) for row in listed.to_dict("records")}
    estimated = 0.5 if name == "nationalite_etrangere_2019" else 0.0
    frame = data.frame.dropna(subset=[to.depuis, column, to.controle])
    wrong = set()
    for row in frame.to_dict("records"):
        later, change, printed = row[to.depuis], row[column], row[to.controle]
        possible = [
            100 * (change + c) / (later + v - change - c)
            for v in (-estimated, estimated)
            for c in (-estimated, estimated)
        ]
        if not min(possible) - 0.05 - 1e-9 <= printed <= max(possible) + 0.05 + 1e-9:
            wrong.add(row["code"])
    cells = {
        code for code in wrong if excused & {(code, c) for c in (to.depuis, column, to.controle)}
    }
    assert wrong == cells
    assert len(frame) >= 16


def test_nothing_is_deduced_from_a_hidden_or_an_absent_cell(results: pd.DataFrame) -> None:
    at = results.set_index(["code", "indicateur", "annee"])
    for code in ("QP059054", "QP059055", "QP059058"):
        assert at.xs((code, "nombre_etrangers", 2011))["statut"] == "secret"
    assert at.xs(("QP059054", "nombre_etrangers", 2019))["valeur"] == 68
    absent = at.xs(("200042190", "demandeurs_emploi_a", 2016))
    assert absent["statut"] == "non_disponible"
    assert pd.isna(absent["valeur"])
    assert absent["origine"] != "deduit"


def test_what_is_doubtful_stays_doubtful(deduced: pd.DataFrame) -> None:
    """Either number is doubtful, or the percentage contradicts them and was not simply misread."""
    doubtful = deduced[deduced["qualite"] == "douteux"]
    assert set(doubtful[["code", "indicateur"]].itertuples(index=False, name=None)) == {
        ("200042190", "allocataires_minima_sociaux"),  # A10
        ("QP059059", "demandeurs_emploi_a"),  # A01
        ("ENSQP_200042190", "demandeurs_emploi_a"),  # A02
        ("ENSQP_59", "nombre_etrangers"),  # A06
        ("QP059057", "nombre_etrangers"),  # A05
        ("EPCI_AVEC_QP", "beneficiaires_c2s"),  # A07
        ("QP059058", "demandeurs_emploi_moins_26_ans"),  # A08
        ("ENSQP_METRO", "demandeurs_emploi_moins_26_ans"),  # A09
    }
    misread = deduced.query("code == 'QP059059' and indicateur == 'nombre_etrangers'").iloc[0]
    assert misread["valeur"] == 131 + 50  # A04: the percentage is the misread number
    assert "−37,6 %" in misread["note"]


def test_evolution_works_on_the_contract(results: pd.DataFrame) -> None:
    minima = bcs.evolution(results, 2016, 2021).query(
        "code == 'QP059050' and indicateur == 'allocataires_minima_sociaux'"
    )
    row = minima.iloc[0]
    assert (row["valeur_debut"], row["evolution"], row["statut"]) == (2271, -154, "ok")
    assert bcs.round_half_up(row["evolution_pct"], 1) == -6.8
    assert row["origine"] == "deduit"
    c2s = bcs.evolution(results, 2020, 2022).query(
        "code == 'QP059050' and indicateur == 'beneficiaires_c2s'"
    )
    row = c2s.iloc[0]
    assert (row["valeur_debut"], row["evolution"]) == (4606, 737)
    assert bcs.round_half_up(row["evolution_pct"], 1) == 16.0
    assert "Cnam" in row["note"]


def test_the_idt_of_both_years_are_rows(results: pd.DataFrame) -> None:
    idt = results[results["indicateur"] == "idt_compas"].set_index(["code", "annee"])
    assert idt.xs(("QP059050", 2011))["valeur"] == -219
    assert idt.xs(("QP059050", 2019))["valeur"] == -247
    assert idt.xs(("200042190", 2011))["qualite"] == "douteux"
    assert set(idt["origine"]) == {"publie"}
    change = bcs.evolution(results, 2011, 2019).query("indicateur == 'idt_compas'")
    assert change.set_index("code")["evolution"]["59"] == -1


def test_no_year_without_its_denominator(results: pd.DataFrame) -> None:
    """The foreign nationals of 2011 are known, not the residents: no row of their share."""
    assert set(results.query("indicateur == 'part_population_etrangere'")["annee"]) == {2019}


def test_a_deduced_cell_stays_so_in_a_union_and_has_no_interval() -> None:
    frame = pd.DataFrame({"code": ["59172", "59484"], "annee": 2016, "demandeurs_a": [10.0, 20.0]})
    said = pd.DataFrame(
        [("59172", 2016, "demandeurs_emploi", "demandeurs_a", "ok", None, "déduit", "deduit")],
        columns=["code", "annee", "table", "colonne", "statut", "qualite", "motif", "origine"],
    )
    tables = Tables({"demandeurs_emploi": frame}, statuts=said)
    union = bcs.aggregate(tables, {"U": ["59172", "59484"]})
    found = bcs.compute(union, "demandeurs_emploi_a").iloc[0]
    assert (found["valeur"], found["origine"], found["note"]) == (30, "deduit", "déduit")
    alone = bcs.compute(tables, "demandeurs_emploi_a", intervals=True)
    assert alone["origine"].tolist() == ["deduit", "calcule"]
    assert math.isnan(alone["borne_inf"].iloc[0])
    assert "déduite de deux nombres imprimés" in alone["note"].iloc[0]
    with pytest.raises(TableError, match="origine : inconnue : lu"):
        Tables({"demandeurs_emploi": frame}, statuts=said.assign(origine="lu"))
