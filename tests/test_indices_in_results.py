"""The IDH-4 and the IDT among the results: by hand, with what they lack, beside published ones."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.composite import IndexWarning, add_indices, idh4_bounds, idh4_components
from barometre.pages.results_file import write_template
from barometre.tables.table_set import Tables
from tests.calls import call

TOWNS = ["59172", "59350", "62041", "02691"]  # Denain, Lille, Arras, Saint-Quentin: all of R32
FAR = "13055"
CANTONS = {"59172": "C5906", "59350": "C5999", "62041": "C6201", "02691": "C0216"}
PUBLISHED = "cité au contrat (2024) sans millésime ni bornes : 2024 est l'année du document"


def tables(year: int = 2019) -> dict[str, pd.DataFrame]:
    def frame(codes: list[str], **columns: list[float]) -> pd.DataFrame:
        return pd.DataFrame({"code": codes, "annee": year, **columns})

    return {
        "mortalite": frame([*CANTONS.values(), FAR], icm=[140.0, 110.0, 100.0, 120.0, 60.0]),
        "diplomes": frame(
            [*TOWNS, FAR],
            non_scolarises_15_ans_plus=[1000.0] * 5,
            diplomes_cep_plus=[600.0, 800.0, 700.0, 650.0, 900.0],
            sans_diplome_ou_brevet=[500.0, 300.0, 400.0, 450.0, 200.0],
        ),
        "revenus": frame(
            [*TOWNS, FAR], niveau_de_vie_median=[14_320.0, 20_000, 18_000, 16_000, 40_000]
        ),
    }


def quiet(*args: Any, **options: Any) -> pd.DataFrame:
    """Add the indices whose inputs are given: nothing may be told to lack."""
    given = [name for name, key in (("idh4", "bounds"), ("idt", "dispersion")) if key in options]
    return add_indices(*args, **options, only=given)


def only(frame: pd.DataFrame, indicator: str) -> pd.DataFrame:
    return frame[frame["indicateur"] == indicator].set_index("code")


def test_from_the_tables_to_the_results_by_hand(tmp_path: Path) -> None:
    data = tables()
    file = tmp_path / "bornes.toml"
    day = datetime.date(2026, 1, 15)
    seen = idh4_bounds(idh4_components(data, CANTONS), region="R32", out=file, date=day)
    # Marseille is of another region: neither its mortality nor its incomes are bounds.
    assert dict(seen.limits) == {
        "icm": (100, 140), "part_diplomes": (60, 80), "niveau_de_vie_median": (14_320, 20_000),
    }  # fmt: skip
    assert (seen.territories, seen.reference) == (4, "communes de la région R32")
    results = bcs.compute(data)
    found = quiet(results, data, bounds=file, cantons=CANTONS)
    pd.testing.assert_frame_equal(found.iloc[: len(results)], results)
    rows = only(found, "idh4")
    assert set(rows.index) == {*TOWNS, FAR}
    living = math.log(16_000 / 14_320) / math.log(20_000 / 14_320)
    assert rows.loc["02691", "valeur"] == pytest.approx((0.5 + 0.25 + living) / 3)
    assert rows.loc[["59172", "59350"], "valeur"].tolist() == pytest.approx([0, (0.75 + 2) / 3])
    assert rows["statut"].eq("ok").all()
    assert rows["origine"].eq("calcule").all()
    assert rows.loc["59172", "note"] == "indice comparatif de mortalité du canton C5906"
    assert "60 sous la borne 100" in str(rows.loc[FAR, "note"])  # held at the bounds
    again = quiet(results, data, bounds=file, cantons=CANTONS)
    pd.testing.assert_frame_equal(again, found)


def test_diplomas_from_the_cap() -> None:
    data = tables()
    part = idh4_components(data, CANTONS, diploma="cap")["part_diplomes"].droplevel("annee")
    assert part[[*TOWNS, FAR]].tolist() == pytest.approx([50, 70, 60, 55, 80])
    data["diplomes"] = data["diplomes"].drop(columns="diplomes_cep_plus")
    options: dict[str, Any] = {
        "bounds": {"icm": (50, 150), "part_diplomes": (40, 90), "niveau_de_vie_median": (1e4, 5e4)},
        "cantons": CANTONS,
    }
    results = bcs.compute(data)
    with pytest.warns(IndexWarning, match=r"diplomes_cep_plus.*\n?.*diploma=\"cap\""):
        none = add_indices(results, data, **options)
    assert only(none, "idh4").empty
    found = only(quiet(results, data, diploma="cap", **options), "idh4")
    assert found["valeur"].notna().all()
    assert found["note"].str.contains("à partir du CAP, et non du CEP").all()


def test_what_is_missing_is_named_with_its_place_and_its_remedy() -> None:
    data = {"revenus": tables()["revenus"]}
    results = bcs.compute(data)
    with pytest.warns(IndexWarning) as caught:
        found = add_indices(results, data)
    pd.testing.assert_frame_equal(found, results)
    (said,) = [str(w.message) for w in caught]
    lines = said.splitlines()
    assert lines[0] == "indices absents des résultats :"
    assert len(lines) == 1 + 3 + 2  # mortality, diplomas, bounds; components, dispersion
    for words in (
        "barometre template mortalite --out mortalite.csv", "observatoire régional de la santé",
        "barometre template diplomes --out diplomes.csv", "idh4_bounds", "part_emploi_25_54",
        "calibrate_idt",
    ):  # fmt: skip
        assert words in said


def test_the_templates_told_exist(tmp_path: Path) -> None:
    for table, column in (("mortalite", "icm"), ("diplomes", "diplomes_cep_plus")):
        path = write_template(table, tmp_path / f"{table}.csv")
        assert column in path.read_text(encoding="utf-8-sig").splitlines()[0]


def test_the_figures_of_the_contract_are_published_values(contract: Tables) -> None:
    rows = only(bcs.compute(contract), "idh4")
    assert rows["valeur"].to_dict() == {"200042190": 0.39, "R32": 0.51}
    assert rows["origine"].eq("publie").all()
    assert rows["note"].eq(PUBLISHED).all()


def test_a_published_index_stays_and_the_computed_one_is_told() -> None:
    data = tables(2024)
    data["publies"] = pd.DataFrame({"code": ["59172"], "annee": 2024, "idh4": [0.39]})
    bounds = {"icm": (50, 150), "part_diplomes": (40, 90), "niveau_de_vie_median": (1e4, 5e4)}
    results = bcs.compute(data)
    found = only(quiet(results, data, bounds=bounds, cantons=CANTONS), "idh4")
    assert found[["valeur", "origine"]].loc[["59172"]].to_numpy().tolist() == [[0.39, "publie"]]
    health, school = 0.1, 0.4
    value = (health + school + math.log(1.432) / math.log(5)) / 3
    expected = f"{value:.2f}".replace(".", ",")
    assert found.loc["59172", "note"] == f"valeur publiée retenue ; calculée ici : {expected}"
    assert found.loc["59350", "origine"] == "calcule"
    assert not found.index.duplicated().any()


def test_the_reconstructed_idt_is_among_them() -> None:
    components = pd.DataFrame(
        {
            "code": ["59172", "METRO", "59350"], "annee": 2019,
            "part_emploi_25_54": [52.0, 80, np.nan], "part_sup_bac": [18.0, 42, 40],
            "revenu_median": [13_500.0, 22_040, 20_000],
        }
    )  # fmt: skip
    data = {"revenus": tables()["revenus"]}
    found = quiet(bcs.compute(data), data, idt_components=components, dispersion=(10, 12, 4000))
    rows = only(found, "idt")
    assert rows.loc["59172", "valeur"] == pytest.approx(-100 * (2.8 + 2 + 8540 / 4000) / 3)
    assert rows.loc["59350", "statut"] == "non_disponible"
    assert "part_emploi_25_54" in str(rows.loc["59350", "note"])
    assert "METRO" not in rows.index  # it is not in the results
    with pytest.warns(IndexWarning, match="dispersion absente"):
        none = add_indices(bcs.compute(data), data, idt_components=components)
    assert only(none, "idt").empty


def test_a_level_and_a_year_without_any_index_have_no_row() -> None:
    data = tables()
    older = data["revenus"].assign(annee=2012)
    data["revenus"] = pd.concat([data["revenus"], older])
    bounds = {"icm": (50, 150), "part_diplomes": (40, 90), "niveau_de_vie_median": (1e4, 5e4)}
    found = only(quiet(bcs.compute(data), data, bounds=bounds, cantons=CANTONS), "idh4")
    assert set(found["annee"]) == {2019}
    without = tables()
    without["mortalite"] = without["mortalite"].iloc[1:]
    rows = only(quiet(bcs.compute(without), without, bounds=bounds, cantons=CANTONS), "idh4")
    assert rows.loc["59172", "statut"] == "non_disponible"
    assert "valeur manquante" in str(rows.loc["59172", "note"])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: add_indices(pd.DataFrame({"code": []}), {}), "indices non ajoutés"),
        (lambda: add_indices(bcs.compute(tables()), tables(), only="idh"), "« idh » inconnu"),
        (lambda: add_indices(bcs.compute(tables()), tables(), diploma="bac"), "bac"),  # type: ignore[arg-type]  # that is the point
        (lambda: idh4_components(tables(), CANTONS, diploma="bac"), "bac"),  # type: ignore[arg-type]  # that is the point
        (lambda: idh4_bounds(idh4_components(tables(), CANTONS), region="32"), "R32"),
        (lambda: idh4_bounds(idh4_components(tables()), region="R32"), "trois composantes"),
        (lambda: idh4_bounds(pd.DataFrame({"icm": [1.0]}, index=["59172"])), "part_diplomes"),
    ],
)
def test_refusals(call: Any, said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        call()


def test_the_command_line_adds_the_index(tmp_path: Path) -> None:
    for name, frame in tables().items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    sources = [str(tmp_path / f"{name}.csv") for name in tables()]
    bounds = tmp_path / "b" / "bornes.toml"
    bounds.parent.mkdir()
    idh4_bounds(idh4_components(tables(), CANTONS), region="R32", out=bounds)
    cantons = tmp_path / "b" / "cantons.csv"
    pd.DataFrame({"code": list(CANTONS), "canton": list(CANTONS.values())}).to_csv(
        cantons, index=False, sep=";"
    )
    out = tmp_path / "b" / "resultats.csv"
    done = call("compute", *sources, "--bounds", bounds, "--cantons", cantons, "--out", out)
    assert done.code == 0, done.words
    rows = only(bcs.read_results(out), "idh4")
    living = math.log(16_000 / 14_320) / math.log(20_000 / 14_320)
    assert rows.loc["02691", "valeur"] == pytest.approx((0.5 + 0.25 + living) / 3)
    alone = call("compute", *sources, "--cantons", cantons, "--out", out)
    assert (alone.code, "--bounds" in alone.words) == (1, True)
    wrong = call("compute", *sources, "--bounds", bounds, "--diploma", "bac", "--out", out)
    assert (wrong.code, "« bac » inconnu" in wrong.words) == (1, True)
