"""The bundled memberships, and territories found by name: facts checked by hand, and properties."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cards.schema import THEMES
from barometre.datasets.places.bundle import YEARS, wholes
from barometre.datasets.places.gazetteer import find_territory, folded, resolve
from barometre.datasets.rebuild_communes import runs
from barometre.tables.codes import level_of

HAINAUT = "200042190"
# The 47 communes of the contract.
OF_HAINAUT = tuple(
    """
59002 59038 59064 59092 59100 59109 59114 59144 59172 59179 59192 59205 59207 59238 59284 59285
59288 59292 59297 59302 59313 59335 59348 59361 59387 59391 59393 59403 59418 59429 59434 59440
59446 59491 59504 59511 59519 59526 59554 59564 59589 59594 59603 59632 59645 59651 59652
""".split()  # noqa: SIM905 - as the contract lists them
)
INSEE = Path(__file__).parent.parent.parent / "shared" / "data" / "insee"


def own(epci: str, vintage: int | None = None) -> pd.DataFrame:
    frame = bcs.communes(vintage)
    return frame[frame["epci"] == epci]


# ---- facts --------------------------------------------------------------------------------------


def test_the_47_communes_of_la_porte_du_hainaut() -> None:
    assert tuple(own(HAINAUT).index) == OF_HAINAUT
    for vintage in (2021, 2022, 2024, 2025):
        assert tuple(own(HAINAUT, vintage).index) == OF_HAINAUT
    # the list of 2023 has Émerchicourt elsewhere: kept as published
    assert set(OF_HAINAUT) - set(own(HAINAUT, 2023).index) == {"59192"}


def test_populations_are_those_in_force_on_1_january() -> None:
    """The published municipal populations of Paris (Insee), census after census."""
    published = [2175601, 2165423, 2145906, 2133111, 2113705, 2103778]
    assert [bcs.communes(y).loc["75056", "population"] for y in YEARS] == published
    # 158 351 in force in 2025 (census of 2022), 158 419 in 2026 (census of 2023)
    assert own(HAINAUT, 2025)["population"].sum() == 158351
    assert own(HAINAUT, 2026)["population"].sum() == 158419


def test_france_of_2026() -> None:
    france = bcs.communes()
    assert france["commune"].isna().sum() == 34969
    assert france["epci"].nunique() == 1255
    districts = france[france["commune"].notna()]
    assert districts["commune"].value_counts().to_dict() == {"75056": 20, "13055": 16, "69123": 9}
    lonely = france[france["epci"].isna() & france["region"].notna()]
    assert sorted(lonely["nom"]) == ["L'Île-d'Yeu", "Ouessant", "Île-de-Bréhat", "Île-de-Sein"]
    for epci, number in (("245901160", 35), ("242010056", 10), ("200057867", 0)):
        assert len(own(epci)) == number
    corsica = own("242010056").iloc[0]
    assert (corsica["departement"], corsica["region"]) == ("2A", "R94")
    assert (france.loc["97411", "departement"], france.loc["97411", "region"]) == ("974", "R04")
    assert france.loc["98735", "departement"] == "987"
    assert (france["ept"] == "200057867").sum() == 8  # Plaine Commune, Pierrefitte in Saint-Denis


def test_a_merger_between_2021_and_2026() -> None:
    """Bermeries and Amfroipret became L'Orée de Mormal on 1 January 2025."""
    before, after = bcs.communes(2024), bcs.communes(2025)
    assert {"59006", "59070"} <= set(before.index)
    assert before.loc["59006", "nom"] == "Amfroipret"
    assert "59070" not in after.index
    assert after.loc["59006", "nom"] == "L'Orée de Mormal"
    gone = bcs.former_communes(2026).loc["59070"]
    assert (gone["nom"], gone["commune"], gone["nature"]) == ("Bermeries", "59006", "deleguee")
    assert "59070" not in bcs.former_communes(2024).index


@pytest.mark.parametrize("vintage", YEARS)
def test_every_commune_is_in_one_place_that_exists(vintage: int) -> None:
    france, above = bcs.communes(vintage), wholes(vintage)
    assert france.index.is_unique
    assert above.index.is_unique
    for level in ("epci", "ept", "departement", "region"):
        codes = france.loc[france["region"].notna(), level].dropna()
        assert set(codes) == set(above.index[above["niveau"] == level]) - {"975", "977", "978"} - {
            code for code in above.index if code.startswith("98")
        }
    assert {level_of(code) for code in france["epci"].dropna().unique()} == {"epci"}
    assert {level_of(code) for code in france.index} == {"commune"}
    former = bcs.former_communes(vintage)
    assert former["commune"].isin(france.index).all()
    moved = former[former.index != former["commune"]]
    assert not moved.index.isin(france.index).any()
    # in a geography that follows, every commune is there or has become part of one that is
    for earlier in range(YEARS[0], vintage):
        there = bcs.communes(earlier).index
        assert there.isin(france.index.append(moved.index)).all()


def test_the_table_of_insee_gives_the_same_epci() -> None:
    """Insee's own table of communes (geography of 2021), commune by commune."""
    path = INSEE / "geo" / "communes_epci.csv"
    if not path.exists():
        pytest.skip("needs Insee's files, which are not distributed")
    with pytest.warns(bcs.RepairedCodes):
        insee = bcs.read_membership(path, "epci")
    france = bcs.communes(2021)
    ours = france.loc[france["commune"].isna(), "epci"].dropna()
    assert insee.sort_index().to_dict() == ours.sort_index().to_dict()


def test_a_vintage_that_is_not_bundled_is_refused() -> None:
    wrong: object
    for wrong in (2020, 2027, True, "2026"):
        with pytest.raises(BarometreError, match="donner une année de 2021 à 2026"):
            bcs.communes(wrong)  # type: ignore[arg-type]  # that is the point


def test_what_is_given_cannot_be_changed() -> None:
    frame = bcs.communes()
    frame["epci"] = "x"
    assert bcs.communes()["epci"].nunique() == 1255


@given(
    st.dictionaries(
        st.integers(2021, 2026),
        st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy")), unique=True),
        min_size=1,
    )
)
def test_runs_of_vintages_give_every_row_back(rows: dict[int, list[tuple[str, str]]]) -> None:
    found = runs(rows)
    for year in range(2021, 2027):
        held = [row[:2] for row in found if int(row[-2]) <= year <= int(row[-1])]
        assert sorted(held) == sorted(rows.get(year, []))
        assert len(held) == len(set(held))


def test_the_script_reads_a_package(tmp_path: Path) -> None:
    """A package made here, with the fields of the real ones."""
    from barometre.datasets import rebuild_communes as made

    lists = {
        "communes": [
            {"code": "01001", "nom": "A", "departement": "01", "region": "84", "type": "commune-actuelle", "population": 5, "anciensCodes": ["01900"]},
            {"code": "01901", "nom": "B", "chefLieu": "01001", "type": "commune-deleguee"},
        ],
        "epci": [{"code": "200069193", "nom": "CC A", "type": "CC", "membres": [{"code": "01001", "populationMunicipale": 4}]}],
        "departements": [{"code": "01", "nom": "Ain", "region": "84"}],
        "regions": [{"code": "84", "nom": "ARA"}],
    }  # fmt: skip
    archive = tmp_path / "p.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in lists.items():
            file = tmp_path / f"{name}.json"
            file.write_text(json.dumps(content), encoding="utf-8")
            tar.add(file, f"package/data/{name}.json")
    vintage = made.read_vintage(archive)
    assert vintage.ept == []
    assert made.commune_rows(vintage) == [("01001", "A", "200069193", "", "")]
    assert made.former_rows(vintage) == [
        ("01901", "B", "01001", "deleguee"), ("01900", "", "01001", "ancienne"),
    ]  # fmt: skip
    assert made.whole_rows(vintage) == [
        ("200069193", "CC A", "CC", ""), ("01", "Ain", "departement", "R84"),
        ("R84", "ARA", "region", ""),
    ]  # fmt: skip


# ---- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("La Porte du Hainaut", HAINAUT), ("CA de la Porte du Hainaut", HAINAUT),
        ("ca porte du hainaut", HAINAUT), ("  PORTE-DU-HAINAUT ", HAINAUT), (HAINAUT, HAINAUT),
        ("Communauté d'agglomération de la Porte du Hainaut", HAINAUT),
        ("FRANCE", "METRO"), ("france métropolitaine", "METRO"), ("metro", "METRO"),
        ("Denain", "59172"), ("DENAIN", "59172"), ("valenciènnes", "59606"), ("Nord", "59"),
        ("St-Amand-les-Eaux", "59526"), ("l'hay les roses", "94038"), ("Hauts de France", "R32"),
        ("2a", "2A"), ("r32", "R32"), ("Pays Ajaccien", "242010056"), ("Plaine Commune", "200057867"),
        ("QP de la CA", "ENSQP_200042190"), ("Bermeries", "59070"), ("QP059050", "QP059050"),
        ("591720101", "591720101"), ("Paris 1er Arrondissement", "75101"), ("Papeete", "98735"),
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_written(name: str, code: str) -> None:
    assert resolve(name) == code


@pytest.mark.parametrize(
    ("name", "level", "said"),
    [
        ("Saint-Denis", None, r"4 territoires de ce nom ; donner le code : 11339 \(Saint-Denis, commune, Aude\).*97411 .*La Réunion"),
        ("Paris", None, r"75 \(Paris, département\), 75056 \(Paris, commune, Paris\)"),
        ("Valenciennes", "epci", r"n'est pas de niveau epci : 59606 .*Noms proches : 245901160 \(CA Valenciennes Métropole, EPCI\)"),
        ("Valencienne", None, r"inconnu. Noms proches : .*59606 \(Valenciennes, commune, Nord\)"),
        ("59172", "epci", r"« 59172 » n'est pas de niveau epci : 59172 \(Denain, commune, Nord\)"),
        ("1001", None, r"zéro initial perdu \? 01001 \(L'Abergement-Clémenciat, commune, Ain\)"),
        ("59999", None, "« 59999 » inconnu"), ("", None, "inconnu"), ("zzzzqqqq", None, "inconnu"),
    ],
)  # fmt: skip
def test_what_is_not_one_territory_is_refused_with_the_way_out(
    name: str, level: str | None, said: str
) -> None:
    with pytest.raises(BarometreError, match=said):
        resolve(name, level)


def test_an_epci_that_is_no_more_says_until_when_it_was() -> None:
    gone = min(set(bcs.communes(2021)["epci"].dropna()) - set(bcs.communes(2022)["epci"]))
    with pytest.raises(BarometreError, match=r"n'existe plus après 2021 .*vintage=2021"):
        resolve(gone, "epci")
    assert resolve(gone, "epci", vintage=2021) == gone


def test_levels_and_vintages_narrow_the_search() -> None:
    assert resolve("Paris", "departement") == "75"
    assert resolve("Paris", "commune") == "75056"
    assert resolve("Amfroipret", vintage=2024) == "59006"
    with pytest.raises(UnknownNameError, match="niveau « ville » inconnu"):
        find_territory("Denain", level="ville")


def test_labels_that_are_given_come_first_and_results_bound_the_search() -> None:
    labels = pd.Series({"zone_1": "Grand Denain", "59172": "Ville de Denain"})
    assert resolve("grand denain", labels=labels) == "zone_1"
    assert resolve("la ville de Denain", labels=labels) == "59172"
    assert resolve("Paris", among=["75", "METRO"]) == "75"
    assert resolve("France", among=["59", "METRO"]) == "METRO"
    with pytest.raises(BarometreError, match=r"« Denain » absent \(59172"):
        resolve("Denain", among=["75", "METRO"])


@pytest.mark.parametrize(
    ("text", "level", "among", "said"),
    [
        ("Norrd", None, ["59", "59172", HAINAUT], r"« Norrd » absent ; proches : 59 \(Nord, département\)$"),
        ("20042190", None, ["59", "59172", HAINAUT], r"proches : 200042190 \(CA de la Porte du Hainaut, EPCI\)$"),
        ("Hainot", None, ["59", HAINAUT], r"proches : 200042190 \(CA de la Porte du Hainaut, EPCI\)$"),
        ("zzz", None, ["A1", "59172", "METRO"], r"présents : METRO \(France, pays\), 59172 \(Denain, commune, Nord\), A1$"),
        ("20004219", "epci", None, r"EPCI « 20004219 » inconnu. Codes proches : 200042190 \(CA de la Porte"),
        ("Hainot", "epci", None, r"EPCI « Hainot » inconnu. Noms proches : 200042190"),
        ("QN05950", "qpv", None, r"QPV « QN05950 » inconnu. Codes proches : QN05950M \(Denain"),
        ("Denin", "commune", None, r"commune « Denin » inconnue. Noms proches : 59172"),
    ],
)  # fmt: skip
def test_what_is_misspelt_is_told_with_the_nearest_names_and_codes(
    text: str, level: str | None, among: list[str] | None, said: str
) -> None:
    with pytest.raises(BarometreError, match=said):
        resolve(text, level, among=among)


@given(st.sampled_from(list(bcs.communes().index)))
def test_every_commune_is_found_by_its_name_in_its_department(code: str) -> None:
    name = bcs.communes().loc[code, "nom"]
    found = find_territory(str(name).upper())
    assert (found["correspondance"] == "exacte").all()
    assert code in set(found["code"])


@given(st.text(max_size=12))
def test_any_text_is_answered(text: str) -> None:
    found = find_territory(text)
    assert list(found) == ["code", "nom", "niveau", "departement", "correspondance"]
    assert found["code"].is_unique
    assert folded([text])[0] == folded([folded([text])[0]])[0]  # folding twice changes nothing


def test_references_are_found_by_name_in_results(contract: bcs.Tables) -> None:
    results = bcs.compute(contract, "revenus")
    by_code = bcs.gap(results, [HAINAUT, "METRO"])
    assert bcs.gap(results, ["La Porte du Hainaut", "FRANCE"]).equals(by_code)
    with pytest.raises(BarometreError, match=r"référence hors des résultats : « Lille » absent"):
        bcs.gap(results, "Lille")
    quarters = [c for c in results["code"].unique() if level_of(c) == "qpv"]
    found = bcs.diagnose(results, quarters, "Porte du Hainaut", "le Nord", None)
    assert set(found["territoire"]) == {HAINAUT}
    assert set(found["reference"]) == {"59"}


# ---- themes -------------------------------------------------------------------------------------


def test_a_theme_stands_for_its_indicators(contract: bcs.Tables) -> None:
    everything = bcs.compute(contract)
    of_theme = bcs.catalogue(theme="revenus").index
    expected = everything[everything["indicateur"].isin(of_theme)].reset_index(drop=True)
    assert bcs.compute(contract, "revenus").equals(expected)
    both = bcs.compute(contract, ["emploi", "taux_couverture_rsa"])
    assert set(both["indicateur"]) == {
        *everything["indicateur"][
            everything["indicateur"].isin(bcs.catalogue(theme="emploi").index)
        ],
        "taux_couverture_rsa",
    }
    with pytest.raises(UnknownNameError, match=r"indicateur ou thème « revenu » .*« revenus »"):
        bcs.compute(contract, "revenu")
    with pytest.raises(UnknownNameError, match="thème « revenu » inconnu"):
        bcs.catalogue(theme="revenu")
    assert sum(len(bcs.catalogue(theme=theme)) for theme in THEMES) == len(bcs.catalogue())
