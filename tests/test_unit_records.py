"""Files of one row per thing, counted lot by lot, and lists of neighbourhoods."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.sources.files import stream
from barometre.sources.reading import SourceWarning, check_files

BPE24 = (
    "AN;NOMRS;CNOMRS;NUMVOIE;INDREP;TYPVOIE;LIBVOIE;CADR;CODPOS;DEPCOM;DEP;REG;LIBCOM;DOM;SDOM;TYPEQU;"
    "SIRET;LONGITUDE;LATITUDE"
)
BPE23 = BPE24.replace("CODPOS;DEPCOM;DEP;REG;LIBCOM", "LIBCOM;CODPOS;DEPCOM;DEP;REG")
RPLS = (
    "Code Commune;Code Postal;Libéllé Commune;Région - Code de la zone;Département - Code de la zone;"
    "EPCI - Code de la zone;Code IRIS - Code de la zone;Type de construction - Libellé;Nombre de pièces;"
    "Surface habitable;Année de construction;Financement initial - Libellé;Situation en QPV - Code;"
    "Code QPV 2024;Code QPV 2015"
)
SIRENE = (
    "siret;x;y;qualite_xy;epsg;plg_qp24;plg_iris;plg_zus;plg_qp15;plg_qva;plg_code_commune;"
    "distance_precision;qualite_qp24;qualite_iris;qualite_zus;qualite_qp15;qualite_qva;y_latitude;x_longitude"
)
STOCK = (
    "siren;nic;siret;dateCreationEtablissement;etatAdministratifEtablissement;"
    "activitePrincipaleEtablissement"
)

pytestmark = pytest.mark.filterwarnings("ignore:.*jamais vus dans un vrai fichier")


def write(folder: Path, name: str, header: str, rows: list[dict[str, str]]) -> Path:
    names = header.split(";")
    for row in rows:
        assert set(row) <= set(names)
    path = folder / name
    lines = [header, *(";".join(row.get(n, "") for n in names) for row in rows)]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def facilities(*types: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {
            "AN": "2024",
            "DEPCOM": code,
            "DOM": kind[0],
            "SDOM": kind[:2],
            "TYPEQU": kind,
            "NOMRS": "X",
        }
        for code, kind in types
    ]


@pytest.mark.parametrize(("name", "header"), [("BPE24.csv", BPE24), ("BPE23.csv", BPE23)])
def test_a_row_is_a_facility(tmp_path: Path, name: str, header: str) -> None:
    rows = facilities(
        ("59172", "F101"),
        ("59172", "F101"),
        ("59172", "F203"),
        ("59172", "F307"),
        ("59361", "A129"),
    )
    path = write(tmp_path, name, header, rows)
    table = bcs.read(path)["equipements"]
    assert table["equipements_sportifs"].to_dict() == {("59172", 2024): 2, ("59361", 2024): 0}
    assert table["equipements_culturels"].to_dict() == {("59172", 2024): 1, ("59361", 2024): 0}
    (report,) = check_files(path)
    assert report.famille == "bpe_par_equipement"


def test_a_file_with_numbers_of_facilities_is_of_another_family(tmp_path: Path) -> None:
    header = "AN;DEPCOM;DOM;SDOM;TYPEQU;NB_EQUIP"
    row = {"AN": "2021", "DEPCOM": "59172", "TYPEQU": "F101", "NB_EQUIP": "4"}
    table = bcs.read(write(tmp_path, "bpe21.csv", header, [row]))["equipements"]
    assert table["equipements_sportifs"]["59172", 2021] == 4


def test_lots_do_not_change_the_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted against pandas, on a file of many lots."""
    monkeypatch.setattr(stream, "_BLOCK", 2**12)
    monkeypatch.setattr("barometre.sources.forms.units.tally._HELD", 50)  # added up many times
    rng = np.random.default_rng(1)
    drawn = [(f"59{c:03d}", f"F{t}") for c, t in zip(rng.integers(1, 40, 3000),
                                                    rng.integers(101, 130, 3000), strict=True)]  # fmt: skip
    path = write(tmp_path, "BPE24.csv", BPE24, facilities(*drawn))
    expected = pd.DataFrame(drawn, columns=["code", "type"]).groupby("code").size()
    table = bcs.read(path)["equipements"]["equipements_sportifs"].droplevel("annee")
    pd.testing.assert_series_equal(
        table.sort_index(), expected.astype(float), check_names=False, check_index_type=False
    )


def test_codes_and_years_are_checked(tmp_path: Path) -> None:
    with pytest.warns(SourceWarning, match="1 code : zéro initial rétabli"):
        table = bcs.read(write(tmp_path, "BPE24.csv", BPE24, facilities(("1001", "F101"))))
    assert table["equipements"].index[0] == ("01001", 2024)
    with pytest.raises(BarometreError, match="« 591 »"):
        bcs.read(write(tmp_path, "BPE24.csv", BPE24, facilities(("591", "F101"))))
    wrong = [row | {"AN": "24"} for row in facilities(("59172", "F101"))]
    with pytest.raises(BarometreError, match="années illisibles : « 24 »"):
        bcs.read(write(tmp_path, "BPE24.csv", BPE24, wrong))


def test_social_dwellings_are_counted_by_commune_and_neighbourhood(tmp_path: Path) -> None:
    rows = [{"Code Commune": "59172", "Code QPV 2024": qn, "Code QPV 2015": qp}
            for qn, qp in (("QN05950M", "QP059050"), ("QN05950M", ""), ("", "QP059050"), ("", ""))]  # fmt: skip
    path = write(tmp_path, "RPLS_detail_2025-01.csv", RPLS, rows)
    tables = bcs.read(path)
    counts = tables["logements"]["logements_sociaux"].to_dict()
    assert counts == {("59172", 2025): 4, ("QN05950M", 2025): 2, ("QP059050", 2025): 2}
    assert dict(tables.territoires["niveau"]) == {
        "59172": "commune", "QN05950M": "qpv", "QP059050": "qpv",
    }  # fmt: skip
    with pytest.raises(BarometreError, match="année : introuvable"):
        bcs.read(path.rename(tmp_path / "detail.csv"))


# ---- Sirene --------------------------------------------------------------------------------------


def located(number: int, quarter: str, quality: str = "1") -> dict[str, str]:
    return {"siret": f"{number:014d}", "plg_qp24": quarter, "qualite_qp24": quality}


def created(number: int, day: str) -> dict[str, str]:
    return {"siret": f"{number:014d}", "dateCreationEtablissement": day}


GEO = [located(1, "QN05950M"), located(2, "QN05950M", "2"), located(3, "QN05950M", "3"),
       located(4, "QN05951M"), located(5, "HZ"), located(6, "")]  # fmt: skip
DATES = [created(1, "2023-03-01"), created(2, "2023-05-01"), created(3, "2023-05-01"),
         created(4, "2024-06-15"), created(5, "2024-01-01"), created(99, "2024-12-30"),
         created(6, "")]  # fmt: skip


@pytest.mark.parametrize("capitals", [False, True])
def test_creations_by_neighbourhood(tmp_path: Path, capitals: bool) -> None:
    header = SIRENE.upper() if capitals else SIRENE
    rows = [{k.upper() if capitals else k: v for k, v in row.items()} for row in GEO]
    geo = write(tmp_path, "GeolocalisationEtablissement.csv", header, rows)
    stock = write(tmp_path, "StockEtablissement_utf8.csv", STOCK, DATES)
    with pytest.warns(SourceWarning, match="1 établissement au quartier incertain"):
        tables = bcs.read(geo, stock)
    counts = tables["etablissements"]["creations"]
    assert counts["QN05950M", 2023] == 2  # neither the doubtful one, nor those outside
    assert counts["QN05951M", 2023] == 0
    assert counts["QN05951M", 2024] == 1
    assert set(counts.index.get_level_values("annee")) == set(range(2015, 2025))


def test_an_unfinished_year_says_so(tmp_path: Path) -> None:
    write(tmp_path, "geo.csv", SIRENE, [located(1, "QN05950M")])
    write(tmp_path, "stock.csv", STOCK, [created(1, "2025-08-31")])
    said = bcs.read(tmp_path).statuts.set_index("annee")["motif"]
    assert "année incomplète, dernière création le 2025-08-31" in said[2025]
    assert "incomplète" not in said[2024]


@pytest.mark.parametrize("written", ["3", "3.0", " 3,0 ", "3."])
def test_an_unsure_neighbourhood_counts_nowhere_however_it_is_written(
    tmp_path: Path, written: str
) -> None:
    rows = [located(1, "QN05950M", "1.0"), located(2, "QN05950M", written)]
    geo = write(tmp_path, "geo.csv", SIRENE, [{k: f'"{v}"' for k, v in r.items()} for r in rows])
    stock = write(tmp_path, "stock.csv", STOCK, [created(n, "2024-12-01") for n in (1, 2)])
    with pytest.warns(SourceWarning, match="1 établissement au quartier incertain"):
        tables = bcs.read(geo, stock)
    assert tables["etablissements"]["creations"]["QN05950M", 2024] == 1


def test_a_neighbourhood_of_unsure_establishments_has_no_value(tmp_path: Path) -> None:
    rows = [located(1, "QN05950M"), located(2, "QN05951M", "3")]
    geo = write(tmp_path, "geo.csv", SIRENE, rows)
    stock = write(tmp_path, "stock.csv", STOCK, [created(n, "2024-12-01") for n in (1, 2)])
    with pytest.warns(SourceWarning) as told:
        tables = bcs.read(geo, stock)
    texts = " ".join(str(one.message) for one in told)
    assert "QN05951M : aucun établissement sûrement situé, sans valeur" in texts
    codes = tables["etablissements"].index.get_level_values("code")
    assert set(codes) == {"QN05950M"}


def test_dates_and_numbers_of_the_stock_are_never_dropped_unsaid(tmp_path: Path) -> None:
    geo = write(tmp_path, "geo.csv", SIRENE, [located(n, "QN05950M") for n in (1, 2, 3, 4)])
    days = ["2024-12-01", "01/02/2024", "2024-13-45", "9999-12-31"]
    stock = write(tmp_path, "stock.csv", STOCK, [created(n, d) for n, d in enumerate(days, 1)])
    said = r"3 dates de création illisibles \(« 01/02/2024 », « 2024-13-45 », « 9999-12-31 »\)"
    with pytest.warns(SourceWarning, match=said):
        tables = bcs.read(geo, stock)
    counts = tables["etablissements"]["creations"]
    assert counts.sum() == counts["QN05950M", 2024] == 1
    french = write(tmp_path, "stock.csv", STOCK, [created(1, "01/02/2024")])
    with pytest.raises(BarometreError, match=r"1 date de création illisible .*comme 2024-03-31"):
        bcs.read(geo, french)
    twice = [created(n, "2024-12-01") for n in (1, 2, 1)]
    with pytest.raises(BarometreError, match="1 établissement en double"):
        bcs.read(geo, write(tmp_path, "stock.csv", STOCK, twice))


def test_what_geolocated_sirene_needs(tmp_path: Path) -> None:
    geo = write(tmp_path, "geo.csv", SIRENE, GEO)
    with pytest.raises(BarometreError, match="lire avec lui StockEtablissement"):
        bcs.read(geo)
    stock = write(tmp_path, "stock.csv", STOCK, DATES)
    with pytest.raises(BarometreError, match="aucune valeur à lire"):
        bcs.read(stock)
    twice = write(tmp_path, "geo.csv", SIRENE, [*GEO, GEO[0]])
    with pytest.raises(BarometreError, match="1 établissement en double"):
        bcs.read(twice, stock)
    wrong = write(tmp_path, "geo.csv", SIRENE, [located(1, "QN0595")])
    with pytest.raises(BarometreError, match="« QN0595 »"):
        bcs.read(wrong, stock)


# ---- lists of neighbourhoods ---------------------------------------------------------------------

ANCT = "code_qp;lib_qp;insee_reg;lib_reg;insee_dep;lib_dep;insee_com;lib_com;siren_epci;lib_epci;;;"


def text(folder: Path, name: str, *lines: str, encoding: str = "utf-8-sig") -> Path:
    path = folder / name
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def wholes(members: pd.DataFrame, code: str, level: str) -> list[str]:
    kept = members[(members["code"] == code) & (members["niveau"] == level)]
    return kept["ensemble"].tolist()


def test_the_list_of_2024_gives_its_memberships(tmp_path: Path) -> None:
    path = text(
        tmp_path, "listeqp2024-cog2024.csv", ANCT,
        '"=""QN05950M""";"Denain ";"=""32""";HdF;"=""59""";Nord;"=""59172""";Denain;"=""200042190""";CA;;;',
        '"=""QN01301M""";Y;"=""93""";P;"=""13""";B;"=""13055;13070""";M;"=""200054807""";M;;;',
        '"=""QN00101M""";Z;"=""84""";A;"=""1""";A;"=""1053""";B;"=""200071751""";C;;;',
    )  # fmt: skip
    members = bcs.read_qpv_members(path)
    assert wholes(members, "QN05950M", "commune") == ["59172"]
    assert wholes(members, "QN05950M", "epci") == ["200042190"]
    assert wholes(members, "QN01301M", "commune") == ["13055", "13070"]
    assert wholes(members, "QN00101M", "commune") == ["01053"]
    with pytest.raises(BarometreError, match="read_qpv_members"):
        bcs.read(path)


def test_outlines_give_memberships_too(tmp_path: Path) -> None:
    quarter = {"fid": 1, "code_qp": "QN05930M", "lib_qp": "Dutemple", "insee_com": "59014, 59564, 59606",
               "lib_com": "Anzin, ...", "siren_epci": "200042190, 245901160"}  # fmt: skip
    outlines = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": quarter, "geometry": {"type": "Polygon"}}],
    }
    path = text(tmp_path, "qpv.geojson", json.dumps(outlines))
    members = bcs.read_qpv_members(path)
    assert wholes(members, "QN05930M", "commune") == ["59014", "59564", "59606"]
    assert wholes(members, "QN05930M", "epci") == ["200042190", "245901160"]
    outlines["features"][0]["properties"] = {"code": "59172", "nom": "Denain"}  # type: ignore[index]
    (report,) = check_files(text(tmp_path, "communes.geojson", json.dumps(outlines)))
    assert report.genre == "contours"


@pytest.mark.parametrize(
    ("header", "row", "code"),
    [
        ("qp;lib_qp;list_com_2023", "QP059050;Denain ;5917259205", "QP059050"),
        ("CODE_INCONNU;LIB_QP;LIST_COM_2025", "QN05950M;Denain;59172,59205", "QN05950M"),
        ("codeQPV;libQPV;listeDepCom;listeEPCI2022", "QN05950M;Denain;59172,59205;200042190", "QN05950M"),
    ],
)  # fmt: skip
def test_passage_tables_of_neighbourhoods(tmp_path: Path, header: str, row: str, code: str) -> None:
    members = bcs.read_qpv_members(text(tmp_path, "TAG_QPV.csv", header, row))
    assert wholes(members, code, "commune") == ["59172", "59205"]


def test_a_list_beside_data_gives_labels_and_refuses_nothing(tmp_path: Path) -> None:
    text(tmp_path, "liste.csv", "qp;lib_qp;list_com_2023", "QP059050;Denain;59172")
    text(tmp_path, "revenus.csv", "code;annee;niveau_de_vie_median", "QP059050;2021;14000")
    tables = bcs.read(tmp_path)
    assert tables["revenus"]["niveau_de_vie_median"]["QP059050", 2021] == 14_000
    assert tables.territoires.loc["QP059050", "libelle"] == "Denain"


def test_correspondence_of_2015_and_2024(tmp_path: Path) -> None:
    header = (
        "QP2024;Label_QP2024;Statut;QP2015_1;Label_QP2015_1;QP2015_2;Label_QP2015_2;QP2015_3;"
        "Label_QP2015_3"
    )
    path = text(
        tmp_path, "liste-correspondance-qp2024-qp2015.csv", header,
        "QN05950M;Denain ;Modifié;QP059050;Denain;;;;", "QN05922M;X;Fusion;QP059022;a;QP059056;b;;",
        "QN05998M;A;Modifié;QP059001;c;;;;", "QN05999M;B;Nouveau;;;;;;", "QN05997M;C;Modifié;QP059001;c;;;;",
    )  # fmt: skip
    pairs = bcs.read_qpv_correspondence(path)
    assert pairs["rupture"].all()
    assert dict(zip(pairs["code_2024"], pairs["nature"], strict=True)) == {
        "QN05950M": "un pour un", "QN05922M": "fusion", "QN05999M": "sans équivalent",
        "QN05998M": "division", "QN05997M": "division",
    }  # fmt: skip
    merged = pairs[pairs["code_2024"] == "QN05922M"]
    assert merged["code_2015"].tolist() == ["QP059022", "QP059056"]
    assert pairs.loc[pairs["code_2024"] == "QN05950M", "libelle_2024"].tolist() == ["Denain"]
    (report,) = check_files(path)
    assert report.genre == "correspondance"


def test_estimations_by_neighbourhood_of_2024(tmp_path: Path) -> None:
    header = (
        "codeQPV;libQPV;codeReg;codeUU2020;popMuniQPV;indiceJeunesse;partPopEt;partPopImmi;partMenImmi;"
        "partMenEt;partMen1p;partMen2p;partPop15_24;listeDepCom;listeLibDepCom;listeEPCI2022;listeDep"
    )
    row = "QN05950M;Denain;32;59701;4321;1,8;12,5;15,1;14;11;41,2;25;14;59172;Denain;200042190;59"
    path = text(tmp_path, "estimations-demographiques.csv", header, row)
    tables = bcs.read(path)
    assert tables["population"]["population"]["QN05950M", 2020] == 4321
    results = bcs.compute(tables).set_index("indicateur")["valeur"]
    assert results["indice_jeunesse"] == 1.8
    assert results["part_population_etrangere"] == 12.5
    assert results["part_menages_une_personne"] == 41.2
    assert tables.statuts["motif"].str.contains("année 2020 non écrite").all()
    assert wholes(bcs.read_qpv_members(path), "QN05950M", "epci") == ["200042190"]


def test_another_file_is_no_list(tmp_path: Path) -> None:
    path = text(tmp_path, "a.csv", "a;b", "1;2")
    with pytest.raises(BarometreError, match="pas une liste de quartiers"):
        bcs.read_qpv_members(path)
    with pytest.raises(BarometreError, match="pas une correspondance"):
        bcs.read_qpv_correspondence(path)
    with pytest.raises(BarometreError, match="« 591 »"):
        bcs.read_qpv_members(text(tmp_path, "a.csv", "qp;lib_qp;list_com", "QP059050;D;591"))


@pytest.mark.parametrize(
    "header",
    [
        "rentree_scolaire;academie;uai;code_insee_de_la_commune;secteur;ips;ecart_type_de_l_ips",
        "Rentrée scolaire;Code INSEE de la commune;UAI;Nom de l'établissement;IPS",
        "Session;Numero d'etablissement;Commune;Inscrits;Presents;Admis;Taux de réussite",
    ],
)
def test_schools_have_no_indicator_yet(tmp_path: Path, header: str) -> None:
    row = ";".join("1" for _ in header.split(";"))
    with pytest.raises(BarometreError, match="aucun indicateur n'est encore fait"):
        bcs.read(text(tmp_path, "ecoles.csv", header, row))
