"""Codes, memberships, communes that merge and neighbourhoods that are redrawn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.engine.perimeters import BREAK, apply_passage, qpv_correspondence, to_2024
from barometre.tables.codes import LEVELS, check_codes, level_of, mend_codes, repair_codes
from barometre.tables.members import RepairedCodes, membership, read_membership, read_passage
from barometre.tables.table_set import Tables

INSEE = Path(__file__).parent.parent.parent / "shared" / "data" / "insee"


@pytest.fixture
def insee() -> Path:
    if not INSEE.is_dir():
        pytest.skip("needs Insee's files, which are not distributed")
    return INSEE


def frame(years: list[int], **columns: Sequence[object]) -> pd.DataFrame:
    return pd.DataFrame(columns).assign(annee=years)


# ---- codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("59172", "commune"), ("01001", "commune"), ("2A004", "commune"), ("97101", "commune"),
        ("59", "departement"), ("2B", "departement"), ("971", "departement"), ("R32", "region"),
        ("200042190", "epci"), ("240100883", "epci"), ("591720101", "iris"), ("2A0040101", "iris"),
        ("250560101", "iris"), ("200042191", "union"), ("QP059050", "qpv"), ("QP02A001", "qpv"), ("QN02A01M", "qpv"), ("QP2A0001", "union"),
        ("QP971001", "qpv"), ("QN97101M", "qpv"),
        ("QN05950M", "qpv"), ("METRO", "france_metropolitaine"), ("ENSQP_59", "union"),
        ("", "union"), ("1001", "union"), ("00", "union"), ("59172\n", "union"), ("979", "union"),
    ],
)  # fmt: skip
def test_the_form_of_a_code_tells_its_level(code: str, level: str) -> None:
    assert level_of(code) == level
    assert level in LEVELS


def test_the_level_of_every_real_epci(insee: Path) -> None:
    communes = pd.read_csv(insee / "geo" / "communes_epci.csv", sep=";", dtype="str")
    codes = communes["EPCI"].unique()
    assert {code for code in codes if level_of(code) != "epci"} == {"ZZZZZZZZZ"}


def test_codes_of_another_level_are_named() -> None:
    assert check_codes(["59172", "2A004"], "commune") == []
    (fault,) = check_codes(pd.Series(["59172", "1001", "59"]), "commune")
    assert "2 codes" in str(fault)
    assert "« 1001 », « 59 »" in str(fault)
    assert fault.lignes is not None
    assert fault.lignes["code"].tolist() == ["1001", "59"]
    assert "R32" in str(check_codes(["32"], "region")[0])
    assert check_codes(["200042191"], "epci")  # wrong check digit
    assert check_codes(["200042190", "240370106"], "epci") == []
    assert check_codes(["240370106"], "iris") == []  # both forms: the caller says which
    assert check_codes(["anything"], "union") == []
    assert check_codes([], "commune") == []
    with pytest.raises(UnknownNameError, match="commune"):
        check_codes(["59172"], "communes")


@pytest.mark.parametrize(
    ("codes", "level", "repaired", "number"),
    [
        (["1001", "59172", "2A004", "1001.0"], "commune", ["01001", "59172", "2A004", "01001"], 2),
        ([1001, 59172], "commune", ["01001", "59172"], 1),
        (["10010101", "591720101"], "iris", ["010010101", "591720101"], 1),
        (["1", "59", "971", "2A"], "departement", ["01", "59", "971", "2A"], 1),
        (["101", "59172"], "commune", ["101", "59172"], 0),  # two digits lost: ambiguous
        (["20004219"], "epci", ["20004219"], 0),
        (["A001"], "commune", ["A001"], 0),
        ([], "commune", [], 0),
    ],
)
def test_lost_zeros_come_back(
    codes: list[object], level: str, repaired: list[str], number: int
) -> None:
    given = pd.Series(codes, dtype="int64" if codes and isinstance(codes[0], int) else "str")
    result, count = repair_codes(given, level)
    assert (result.tolist(), count) == (repaired, number)


def test_repairing_leaves_missing_codes_missing() -> None:
    result, count = repair_codes(pd.Series([1001.0, np.nan]), "commune")
    assert result.isna().tolist() == [False, True]
    assert (result[0], count) == ("01001", 1)


# ---- memberships --------------------------------------------------------------------------------


def test_a_part_in_two_wholes_is_refused() -> None:
    pairs = pd.DataFrame({"COM": ["a", "a", "b"], "EPCI": ["x", "y", "x"]})
    with pytest.raises(FaultsError, match="plusieurs ensembles"):
        membership(pairs, part="COM", whole="EPCI")
    with pytest.raises(FaultsError, match=r"« EPCI » \? colonnes présentes : COM, EPCI"):
        membership(pairs, part="COM", whole="EPC")
    with pytest.raises(FaultsError, match="sans code"):
        membership(pairs.replace("y", None), part="COM", whole="EPCI")
    assert membership(pairs.iloc[[0, 0, 2]], part="COM", whole="EPCI").to_dict() == {
        "a": "x",
        "b": "x",
    }


def test_reading_insees_table(tmp_path: Path) -> None:
    path = tmp_path / "communes.csv"
    path.write_text(
        "CODGEO,LIBGEO,EPCI,DEP,REG\n1001,Été,200069193,1,84\n2A004,A,ZZZZZZZZZ,2A,94\n97101,B,200018653,971,1\n",
        encoding="cp1252",
    )
    with pytest.warns(RepairedCodes, match=r"communes\.csv : 1 zéro"):
        assert read_membership(path, "epci").to_dict() == {
            "01001": "200069193",
            "97101": "200018653",
        }
    with pytest.warns(RepairedCodes):
        assert read_membership(path, "departement").to_dict() == {
            "01001": "01",
            "2A004": "2A",
            "97101": "971",
        }
    with pytest.warns(RepairedCodes):
        assert read_membership(path, "region").to_dict() == {
            "01001": "R84",
            "2A004": "R94",
            "97101": "R01",
        }
    with pytest.raises(UnknownNameError):
        read_membership(path, "qpv")  # type: ignore[arg-type]  # that is the point
    path.write_text("COM;EPCI\n59172;2000\n")
    with pytest.raises(FaultsError, match="« 2000 »"):
        read_membership(path, "epci")


def test_reading_tables_of_passage(tmp_path: Path) -> None:
    path = tmp_path / "passage.csv"
    path.write_text("CODGEO_INI;CODGEO_2023;CODGEO_2024\n01003;01003;01165\n01165;01165;01165\n")
    assert read_passage(path).to_dict() == {"01003": "01165", "01165": "01165"}
    path.write_text("CODGEO_INI;CODGEO_2024\n01003;01165\n01003;01166\n")
    with pytest.raises(FaultsError, match="plusieurs ensembles"):
        read_passage(path)
    path.write_text("DEPCOM_HIST,DEPCOM\n1003,01165\n")
    with pytest.warns(RepairedCodes):
        assert read_passage(path).to_dict() == {"01003": "01165"}


def test_the_real_files(insee: Path) -> None:
    with pytest.warns(RepairedCodes, match="3\u202f144 zéros"):
        epci = read_membership(insee / "geo" / "communes_epci.csv", "epci")
    assert len(epci) == 34_961  # 34 965 communes, four islands of no EPCI
    assert (epci == "200042190").sum() == 47
    with pytest.warns(RepairedCodes):
        regions = read_membership(insee / "geo" / "communes_epci.csv", "region")
    assert regions.nunique() == 18
    assert regions["59172"] == "R32"
    passage = read_passage(insee / "geo" / "table_passage_com_historique.csv")
    assert passage["01003"] == "01165"


def told(tables: Tables, code: str, year: int, column: str) -> pd.Series:
    keys = tables.statuts[["code", "annee", "colonne"]].apply(tuple, axis=1)
    cells = tables.statuts[keys == (code, year, column)]
    assert len(cells) == 1
    return cells.iloc[0]


# ---- communes that merge ------------------------------------------------------------------------

REVENUS = "niveau_de_vie_median"


@pytest.fixture
def communes() -> Tables:
    """In 2013, A and B, which have merged into A since, and C, renamed D; in 2021, A and D."""
    codes, years = ["59001", "59002", "59003", "59001", "59004"], [2013] * 3 + [2021] * 2
    return Tables(
        {
            "logements": frame(years, code=codes, logements=[10, 20, 30, 31, 32], logements_vacants=[1, np.nan, 3, 4, 5]),
            "revenus": frame(years, code=codes, niveau_de_vie_median=[15_000, 16_000, 17_000, 18_000, 19_000]),
        },
        statuts=pd.DataFrame(
            {"code": ["59002", "59003"], "annee": [2013, 2013], "table": "logements", "colonne": ["logements_vacants", "logements"],
             "statut": ["secret", "ok"], "qualite": ["", "douteux"], "motif": ["moins de 11", "relu"]}
        ),
    )  # fmt: skip


PASSAGE = {"59001": "59001", "59002": "59001", "59003": "59004", "59004": "59004", "59999": "59001"}


def test_merged_communes_have_the_sum_of_their_counts(communes: Tables) -> None:
    merged = apply_passage(communes, PASSAGE)
    logements = merged["logements"]
    assert logements["logements"].to_dict() == {
        ("59001", 2013): 30, ("59004", 2013): 30, ("59001", 2021): 31, ("59004", 2021): 32,
    }  # fmt: skip
    # 59999 disappeared before 2013: no table has it, it is not awaited.
    assert logements.loc[("59004", 2013), "logements_vacants"] == 3


def test_a_hidden_part_hides_the_merged_commune(communes: Tables) -> None:
    merged = apply_passage(communes, PASSAGE)
    assert np.isnan(merged["logements"]["logements_vacants"][("59001", 2013)])
    cell = told(merged, "59001", 2013, "logements_vacants")
    assert cell["statut"] == "secret"
    assert "sans 59002" in cell["motif"]
    assert merged["logements"].loc[("59001", 2021), "logements_vacants"] == 4


def test_statistics_of_merged_communes_are_left_out(communes: Tables) -> None:
    merged = apply_passage(communes, PASSAGE)
    medians = merged["revenus"][REVENUS]
    assert np.isnan(medians[("59001", 2013)])
    assert medians[("59001", 2021)] == 18_000
    cell = told(merged, "59001", 2013, REVENUS)
    assert cell["statut"] == "non_defini"
    assert cell["motif"] == "commune fusionnée : une médiane ne s'agrège pas"


def test_a_renamed_commune_keeps_everything(communes: Tables) -> None:
    renamed = apply_passage(communes, PASSAGE)
    assert renamed["revenus"].loc[("59004", 2013), REVENUS] == 17_000
    cell = told(renamed, "59004", 2013, "logements")
    assert (cell["qualite"], cell["motif"]) == ("douteux", "relu")


def test_what_the_passage_does_not_know_stays(communes: Tables) -> None:
    same = apply_passage(communes, {})
    for name in communes:
        pd.testing.assert_frame_equal(same[name], communes[name])
    assert len(same.statuts) == len(communes.statuts)


# ---- neighbourhoods of 2015 and 2024 ------------------------------------------------------------


@pytest.fixture(scope="module")
def contract_2024(contract: Tables) -> Tables:
    return to_2024(contract, accept_break=True)


def test_the_correspondence_says_what_is_broken() -> None:
    pairs = qpv_correspondence().set_index("code_2015")
    assert pairs["rupture"].all()
    assert pairs.index[pairs["partiel"]].tolist() == ["QP059021", "QP059030", "QP059022"]
    assert pairs.index[pairs["nature"] == "fusion"].tolist() == ["QP059022", "QP059056"]
    assert (pairs["nature"] == "un pour un").sum() == 12
    assert pairs.loc["QP059050", "code_2024"] == "QN05950M"


def test_the_break_must_be_accepted(contract: Tables) -> None:
    with pytest.raises(BarometreError, match="accept_break=True"):
        to_2024(contract)


def test_one_to_one_neighbourhoods_keep_their_values(
    contract: Tables, contract_2024: Tables
) -> None:
    old, new = contract["demandeurs_emploi"], contract_2024["demandeurs_emploi"]
    assert new["demandeurs_abc"][("QN05950M", 2021)] == old["demandeurs_abc"][("QP059050", 2021)]
    assert new["demandeurs_abc"][("200042190", 2021)] == old["demandeurs_abc"][("200042190", 2021)]
    assert not [code for code in new.index.unique("code") if code.startswith("QP")]


def test_every_cell_carried_over_tells_the_break(contract_2024: Tables) -> None:
    told = contract_2024.statuts.set_index(["code", "annee", "table", "colonne"])["motif"]
    for name in contract_2024:
        table = contract_2024[name]
        for code, year in table.index[table.index.get_level_values("code").str.startswith("QN")]:
            for column in table.columns[table.loc[(code, year)].notna()]:
                assert BREAK in told[(code, year, name, column)]
    results = bcs.compute(contract_2024)
    carried = results[results["code"].str.startswith("QN") & (results["statut"] == "ok")]
    assert carried["note"].str.contains("rupture").all()


def test_straddling_neighbourhoods_are_not_carried_over(
    contract: Tables, contract_2024: Tables
) -> None:
    abc = contract_2024["demandeurs_emploi"]["demandeurs_abc"]
    assert abc[["QN05921M", "QN05930M", "QN05922M"]].isna().all()
    told = contract_2024.statuts
    straddling = told[(told["code"] == "QN05921M") & (told["colonne"] == "demandeurs_abc")]
    assert straddling["statut"].tolist() == ["non_disponible"]
    assert straddling["motif"].str.contains("cheval").all()
    named = to_2024(contract, accept_break=True, partial=["QP059021", "QP059022"])
    old, new = (
        contract["demandeurs_emploi"]["demandeurs_abc"],
        named["demandeurs_emploi"]["demandeurs_abc"],
    )
    assert new[("QN05921M", 2021)] == old[("QP059021", 2021)]
    assert new[("QN05922M", 2021)] == old[("QP059022", 2021)] + old[("QP059056", 2021)]
    assert np.isnan(new[("QN05930M", 2021)])


def test_a_merger_has_no_statistic(contract: Tables) -> None:
    merged = to_2024(contract, accept_break=True, partial=["QP059022"])
    told = merged.statuts
    cell = told[(told["code"] == "QN05922M") & (told["colonne"] == "part_bac2_defm")]
    assert cell["statut"].tolist() == ["non_defini"]
    assert cell["motif"].str.startswith("quartiers fusionnés").all()
    # A merger needs both of its parts.
    alone = Tables({"population": frame([2018], code=["QP059022"], population=[100])})
    half = to_2024(alone, accept_break=True, partial=["QP059022"])
    assert np.isnan(half["population"]["population"][("QN05922M", 2018)])


WRONG = [
    (["59172"], []),  # nothing of 2015
    (["QP059050", "QN05950M"], []),  # the same year twice
    (["QP059050"], ["QP059050"]),  # it straddles nothing
]


@pytest.mark.parametrize(("codes", "partial"), WRONG)
def test_what_cannot_be_carried_over_is_refused(codes: list[str], partial: list[str]) -> None:
    population = frame([2018] * len(codes), code=list(codes), population=[100] * len(codes))
    with pytest.raises(BarometreError, match="non rapportés"):
        to_2024({"population": population}, accept_break=True, partial=partial)


def test_nothing_warns(contract: Tables) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        apply_passage(contract, {"59001": "59002"})


@pytest.mark.parametrize(
    ("code", "level", "mended", "words"),
    [
        ("2a004", "commune", "2A004", "majuscule"),
        ("'59172", "commune", "59172", "apostrophe"),
        ("\ufeff59172", "commune", "59172", "marque"),
        ('="01001"', "commune", "01001", "guillemet"),
        ("O1004", "commune", "01004", "lettre O"),
        ("1004", "commune", "01004", "zéro initial"),
        ("59 172", "commune", "59172", "espaces"),
        ("59172 - Denain", "commune", "59172", "libellé"),
        ("200 042 190", "epci", "200042190", "espaces"),
        ("qp02a001", "qpv", "QP02A001", "majuscule"),
        ("1", "departement", "01", "zéro initial"),
        ("'11", "region", "R11", "apostrophe"),
        ("\ufeff24", "region", "R24", "marque"),
        ("1 - Guadeloupe", "region", "R01", "libellé"),
        ("2,00042E+08", "epci", None, ""),
        ("200042191", "epci", None, ""),  # wrong check digit
        ("Source : Insee", "commune", None, ""),
        ("#####", "commune", None, ""),
        ("59172 2021", "commune", None, ""),
        ("101", "commune", None, ""),
    ],
)  # fmt: skip
def test_codes_are_put_right_when_that_is_certain(
    code: str, level: str, mended: str | None, words: str
) -> None:
    good = {
        "commune": "59446",
        "epci": "240100883",
        "qpv": "QP059050",
        "departement": "59",
        "region": "R32",
    }[level]
    result = mend_codes(pd.Series([good, code]), level)
    assert result.codes.tolist() == [good, mended or code]
    assert result.faux.tolist() == [False, mended is None]
    assert [words in " ".join(result.gestes), sum(result.gestes.values()) > 0] == [
        True,
        mended is not None,
    ]


def test_every_code_of_a_level_is_left_as_it_is() -> None:
    for level, codes in {
        "commune": ["01001", "2A004", "97101"],
        "region": ["R32"],
        "qpv": ["QN05950M", "QP02B005"],
        "union": ["ENSQP_59", "l'Écaillon"],
    }.items():
        result = mend_codes(pd.Series(codes), level)
        assert (result.codes.tolist(), dict(result.gestes)) == (codes, {})
    assert mend_codes(pd.Series(["32", "1"]), "region").codes.tolist() == ["R32", "R01"]


# ---- partial mergers and Insee's list of communes -------------------------------------------------


def test_a_partial_merger_is_noted_on_the_value() -> None:
    """59001 and 59002 merge into 59001 in 2020; a file of 2018 lacks 59002, one of 2019 lacks 59001."""
    years = [2018, 2019, 2020, 2021, 2017, 2017]
    codes = ["59001", "59002", "59001", "59001", "59001", "59002"]
    dwellings = frame(years, code=codes, logements=[10.0, 5.0, 15.0, 16.0, 9.0, 4.0])
    merged = apply_passage({"logements": dwellings}, {"59002": "59001", "59001": "59001"})
    values = merged["logements"]["logements"].droplevel("code").to_dict()
    assert values == {2017: 13.0, 2018: 10.0, 2019: 5.0, 2020: 15.0, 2021: 16.0}
    notes = merged.statuts.set_index("annee")["motif"].dropna().to_dict()
    assert notes == {
        2018: "fusion partielle : sans 59002, absente des tables cette année",
        2019: "fusion partielle : sans 59001, absente des tables cette année",
    }
    assert set(merged.statuts["statut"]) == {"ok"}


def test_insees_list_of_communes_keeps_communes_and_districts(tmp_path: Path) -> None:
    path = tmp_path / "v_commune_2024.csv"
    path.write_text(
        "TYPECOM,COM,REG,DEP,LIBELLE,COMPARENT\nCOM,75056,11,75,Paris,\n"
        "ARM,75101,11,75,Paris 1er,75056\nCOM,01015,84,01,Arboys,\n"
        "COMD,01015,,,Arbignieu,01015\nCOMA,59355,,,Lomme,59350\n",
        encoding="utf-8",
    )
    assert read_membership(path, "departement").to_dict() == {
        "75056": "75",
        "75101": "75",
        "01015": "01",
    }
