"""One's own territory: what it is made of, what it is compared with, and what is kept."""

from __future__ import annotations

import functools
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.datasets.places.members import members
from barometre.tables.codes import level_of
from tests.test_places import HAINAUT, OF_HAINAUT

VALENCIENNES, AJACCIO, LYON, PARIS = "245901160", "242010056", "200046977", "200054781"
QPV_2024 = {f"QN0595{n}M" for n in range(9)} | {"QN05920M", "QN05921M", "QN05922M", "QN05930M"}
QP_2015 = {f"QP05905{n}" for n in range(10)} | {"QP059021", "QP059022", "QP059030"}
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


def frame(codes: list[str], **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"code": codes, "annee": 2021, **columns})


def results(*rows: tuple[str, int, str, float | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["code", "annee", "indicateur", "valeur"])


# ---- what a territory is made of ----------------------------------------------------------------


def test_la_porte_du_hainaut() -> None:
    """47 communes, the 13 neighbourhoods of 2015 and the 13 of 2024."""
    place = bcs.selection(epci="la porte du hainaut")
    assert place.codes["commune"] == OF_HAINAUT
    assert set(place.codes["qpv"]) == QPV_2024 | QP_2015
    assert {**place.references} == {
        "epci": (HAINAUT,),
        "ensemble_qpv": (
            f"ENSQP_{HAINAUT}", f"ENSQN_{HAINAUT}", "ENSQP_59", "ENSQN_59", "ENSQP_METRO",
            "ENSQN_METRO",
        ),
        "departement": ("59",),
        "region": ("R32",),
        "france_metropolitaine": ("METRO",),
    }  # fmt: skip
    assert place.titre == "CA de la Porte du Hainaut"
    assert place.libelles["59172"] == "Denain"


@pytest.mark.parametrize(
    ("asked", "communes", "references"),
    [
        ({"epci": VALENCIENNES}, 35, (VALENCIENNES, "59", "R32")),
        ({"epci": AJACCIO}, 10, (AJACCIO, "2A", "R94")),
        ({"epci": "Plaine Commune"}, 8, ("200057867", PARIS, "93", "R11")),
        ({"epci": LYON}, 67, (LYON, "69", "R84")),  # 58 communes, 9 districts
        ({"commune": "75056"}, 21, (PARIS, "75", "R11")),
        ({"commune": "75101"}, 1, ("75056", PARIS, "75", "R11")),
        ({"commune": "13055"}, 17, ("200054807", "13", "R93")),
        ({"commune": "97411"}, 1, ("249740119", "974", "R04")),
        ({"commune": "98735"}, 1, ("987",)),
        ({"commune": "29155"}, 1, ("29", "R53")),  # Ouessant, in no EPCI
        ({"dep": "2A"}, 124, ("2A", "R94")),
        ({"commune": "59070"}, 1, ("200043321", "59")),  # merged into 59006
        ({"qpv": "QN05950M"}, 0, ("59172", HAINAUT, "59", "R32")),
    ],
)
def test_any_territory_of_france(
    asked: dict[str, str], communes: int, references: tuple[str, ...]
) -> None:
    place = bcs.selection(**asked)  # type: ignore[arg-type]  # the names are those of the options
    assert len(place.codes.get("commune", ())) == communes
    assert set(references) <= {code for codes in place.references.values() for code in codes}
    assert place.references["france_metropolitaine"] == ("METRO",)


def test_every_epci_is_described_by_its_own_communes() -> None:
    france = bcs.communes()
    for epci, rows in list(france.groupby("epci"))[::60]:
        place = bcs.selection(epci=str(epci))
        assert set(place.codes["commune"]) == set(rows.index)
        assert set(place.references["departement"]) == set(rows["departement"])


def test_deleted_communes_and_districts_are_followed() -> None:
    place = bcs.selection(commune="59006")
    assert place.anciennes == {"59070": "59006"}
    codes = ["59006", "59070", "590700000", "590060000", "59172", None]
    assert place.keeps(codes).tolist() == [True, True, True, True, False, False]
    assert bcs.selection(commune="75056").keeps(["75113", "751135001"]).all()
    old = bcs.selection(commune="59070", vintage=2024)
    assert old.keeps(["59006", "59070"]).tolist() == [False, True]


def test_nine_digits_are_an_iris_or_an_epci() -> None:
    """An IRIS of the Dordogne whose code passes the SIREN check is one all the same."""
    dordogne = bcs.communes().query("departement == '24'").index
    iris = [f"{c}{n:04d}" for c in dordogne for n in (101, 102, 103)]
    twins = [code for code in iris if level_of(code) == "epci"]
    assert twins
    place = bcs.selection(dep="24")
    assert place.keeps(twins).all()
    assert place.keeps(twins, level="iris").all()
    assert not place.keeps(twins, level="epci").any()
    assert bcs.selection(commune="24322").keeps(["240100883"]).tolist() == [False]


@functools.cache
def hainaut() -> bcs.Selection:
    return bcs.selection(epci=HAINAUT)


@functools.cache
def hainaut_keeps(code: str) -> bool:
    return bool(hainaut().keeps([code])[0])


@given(st.lists(st.sampled_from([*OF_HAINAUT, "59606", HAINAUT, "59", "METRO", "x", "QP059001"])))
def test_what_is_kept_does_not_depend_on_the_other_codes(codes: list[str]) -> None:
    alone = [hainaut_keeps(code) for code in codes]
    assert hainaut().keeps(codes).tolist() == alone
    own = hainaut().keeps(codes, references=False)
    assert own.tolist() == [code in OF_HAINAUT for code in codes]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "donner epci=, dep=, commune=, qpv= ou zones="),
        ({"epci": "Denain"}, "« Denain » n'est pas de niveau epci"),
        ({"epci": ["200042199", "999"]}, "EPCI « 200042199 » inconnu.*\n.*« 999 » inconnu"),
        ({"commune": "Saint-Denis"}, "4 territoires de ce nom"),
        ({"epci": []}, "aucun code donné"), ({"zones": []}, "aucun code donné"),
        ({"zones": ["1001"]}, r"codes inconnus \(1001\) ; zéro initial perdu"),
        ({"zones": ["59999"]}, "codes inconnus"), ({"zones": "rien.csv"}, "introuvable"),
    ],
)  # fmt: skip
def test_what_is_not_a_territory_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        bcs.selection(**asked)


def test_zones_come_from_a_file_or_a_list(tmp_path: Path) -> None:
    path = tmp_path / "zones.csv"
    path.write_text("\ufeffcode;libelle\n59172;Denain\nzone_1;Nord de la ville\n", "utf-8")
    for zones in (path, str(path), ["59172", "zone_1"]):
        place = bcs.selection(zones=zones)
        assert {**place.codes} == {"commune": ("59172",), "union": ("zone_1",)}
        assert place.references["epci"] == (HAINAUT,)
    path.write_text("commune\n59172\n", "utf-8")
    with pytest.raises(BarometreError, match="colonne « code » absente"):
        bcs.selection(zones=path)


# ---- memberships that are given -----------------------------------------------------------------


def test_a_membership_that_is_given_wins(tmp_path: Path) -> None:
    path = tmp_path / "communes.csv"
    path.write_text("COM;LIBGEO;EPCI;DEP;REG\n59172;Denain;245901160;59;32\n", "utf-8")
    pairs = {"59172": VALENCIENNES}
    for given_one in (pairs, pd.Series(pairs), {VALENCIENNES: ["59172"]}, path, [path]):
        place = bcs.selection(epci=VALENCIENNES, membership=given_one)
        assert place.codes["commune"] == ("59172",)
    rest = bcs.selection(epci=HAINAUT, membership=pairs)
    assert set(rest.codes["commune"]) == set(OF_HAINAUT) - {"59172"}


def test_a_list_of_neighbourhoods_that_is_given_wins(tmp_path: Path) -> None:
    """The columns of the official lists: codes, communes and EPCI, several in one cell."""
    facts = {
        "code_qp": "QN02A01M", "lib_qp": "Les Salines", "insee_com": "2A004, 2A006",
        "siren_epci": AJACCIO,
    }  # fmt: skip
    outlines = tmp_path / "qpv.geojson"
    features = [{"type": "Feature", "properties": facts, "geometry": None}]
    outlines.write_text(json.dumps({"features": features}), "utf-8")
    table = pd.DataFrame([facts])
    sigville = tmp_path / "DEMO_2021.csv"  # says the communes by their names
    sigville.write_text(
        "CODGEO;LIBGEO;POP_MUN;LIB_COM\nEnsemble;Ensemble;9;\n"
        "QP02A002;Salines;3 000;Ajaccio\nQP059002;Auby;900;Auby, Roost-Warendin\n", "utf-8",
    )  # fmt: skip
    long = pd.DataFrame(
        [("commune", "2A004"), ("commune", "2A006"), ("epci", AJACCIO), ("departement", "2A")],
        columns=["niveau", "ensemble"],
    ).assign(code="QN02A01M", libelle="Les Salines")  # as `read_qpv_members` gives it
    for lists in (table, outlines, long):
        place = bcs.selection(epci=AJACCIO, membership=lists)
        assert place.codes["qpv"] == ("QN02A01M",)
        assert bcs.selection(commune="2A006", membership=lists).codes["qpv"] == ("QN02A01M",)
    both = bcs.selection(epci=AJACCIO, membership=[outlines, sigville])
    assert set(both.codes["qpv"]) == {"QN02A01M", "QP02A002"}
    listed = bcs.selection(
        epci=HAINAUT, membership=pd.DataFrame({"code_qp": ["QN05950M"], "siren_epci": [HAINAUT]})
    )
    # of the perimeter of 2015 nothing was said
    assert set(listed.codes["qpv"]) == QP_2015 | {"QN05950M"}


def test_the_files_of_sigville_give_the_13_of_the_contract() -> None:
    """Communes named by SIG-Ville, EPCI of the communes: the 13 that the contract prints."""
    path = SHARED / "insee" / "qpv" / "DEMO_2021.csv"
    if not path.exists():
        pytest.skip("needs the producers' files, which are not distributed")
    quarters = members(path).quarters
    old = quarters[quarters["code"].str.startswith("QP")]
    assert set(old.loc[old["epci"] == HAINAUT, "code"]) <= QP_2015
    assert len(QP_2015 - set(old.loc[old["epci"] == HAINAUT, "code"])) == 0


def test_the_bundled_neighbourhoods_of_2024_are_those_of_the_contract() -> None:
    quarters = bcs.datasets.load("qpv_2024_nord").frame
    ours = quarters[quarters["epci"].str.contains(HAINAUT)].set_index("code")
    assert set(ours.index) == QPV_2024
    printed = bcs.datasets.load("qpv_2024").frame.set_index("code")
    names = bcs.communes()["nom"]
    for code, cell in ours["communes"].items():
        told = printed.loc[str(code), "communes"]
        assert any(str(names[c]) in str(told) for c in cell.split()), code


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (5, "int ; donner une table"), (pd.DataFrame({"x": [1]}), "colonnes : absentes"),
        ({"59172": "200042191"}, "d'une autre forme que epci"), ({"xx": HAINAUT}, "que commune"),
        (pd.DataFrame({"code_qp": ["Ensemble"], "siren_epci": [HAINAUT]}), "que commune"),
        ({}, "aucune"),
    ],
)  # fmt: skip
def test_a_membership_that_is_none_is_refused(wrong: Any, said: str) -> None:
    with pytest.raises((BarometreError, FaultsError), match=said):
        bcs.selection(epci=HAINAUT, membership=wrong)


# ---- what is kept -------------------------------------------------------------------------------


def test_results_tables_and_mappings_are_cut_alike(contract: bcs.Tables) -> None:
    computed = bcs.compute(contract)
    kept = bcs.select(computed, epci=HAINAUT)
    assert set(computed["code"]) - set(kept["code"]) == {"EPCI_AVEC_QP"}
    assert kept.equals(computed[computed["code"] != "EPCI_AVEC_QP"])
    tables = bcs.select(contract, commune="Denain")
    assert isinstance(tables, bcs.Tables)
    again = bcs.compute(tables)
    direct = bcs.select(computed, commune="Denain")
    keys = ["code", "annee", "indicateur"]
    pd.testing.assert_frame_equal(
        again.sort_values(keys, ignore_index=True), direct.sort_values(keys, ignore_index=True)
    )
    frames = {name: contract[name] for name in contract}
    cut = bcs.select(frames, commune="Denain")
    assert {name: len(rows) for name, rows in cut.items()} == {n: len(tables[n]) for n in tables}
    assert bcs.select(kept, epci=HAINAUT).equals(kept)  # twice is once


def test_labels_that_tables_lacked_are_given() -> None:
    tables = bcs.Tables({"logements": frame(["59172", "59606", HAINAUT], logements=1.0)})
    kept = bcs.select(tables, epci=HAINAUT)
    assert kept.territoires["libelle"].to_dict() == {
        "59172": "Denain", HAINAUT: "CA de la Porte du Hainaut",
    }  # fmt: skip
    assert kept.territoires["niveau"].to_dict() == {"59172": "commune", HAINAUT: "epci"}


def test_levels_references_and_indexes() -> None:
    codes = ["59172", "59606", "QN05950M", "591720101", HAINAUT, "METRO"]
    rows = frame(codes, logements=1.0).set_index(["code", "annee"])
    by_level = {
        None: codes[:1] + codes[2:], "qpv": ["QN05950M", HAINAUT, "METRO"],
        "iris": ["591720101", HAINAUT, "METRO"],
    }  # fmt: skip
    for level, expected in by_level.items():
        kept = bcs.select({"logements": rows}, epci=HAINAUT, level=level)["logements"]
        assert kept.index.get_level_values("code").tolist() == expected
    own = bcs.select(rows, epci=HAINAUT, references=False)
    assert own.index.get_level_values("code").tolist() == ["59172", "QN05950M", "591720101"]
    place = bcs.selection(epci=HAINAUT)
    assert bcs.select(rows, place=place, references=False).equals(own)
    assert bcs.select(rows, level="commune").index.get_level_values("code").tolist() == codes[:2]


def test_the_latest_year_of_each_indicator_and_level() -> None:
    rate, other = "taux_de_pauvrete", "taux_logements_vacants"
    computed = results(
        ("59172", 2019, rate, 10.0), ("59172", 2020, rate, 11.0), ("59172", 2021, rate, None),
        ("QN05950M", 2018, rate, 40.0), ("QN05950M", 2019, rate, 41.0),
        (HAINAUT, 2019, rate, 20.0), (HAINAUT, 2020, rate, 21.0), (HAINAUT, 2021, rate, 22.0),
        ("METRO", 2018, other, 7.0), ("METRO", 2019, other, 8.0),
    )  # fmt: skip
    kept = bcs.select(computed, epci=HAINAUT, year="latest")
    assert kept[["code", "annee"]].to_numpy().tolist() == [
        ["59172", 2020], ["QN05950M", 2019], [HAINAUT, 2019], [HAINAUT, 2020], ["METRO", 2019],
    ]  # fmt: skip
    assert bcs.select(computed, year=[2018])["annee"].unique().tolist() == [2018]
    assert bcs.select(computed, indicators="logement")["code"].unique().tolist() == ["METRO"]
    assert len(bcs.select(computed, year=2019, indicators=[rate])) == 3


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"level": "ville"}, UnknownNameError, "niveau « ville » inconnu"),
        ({"indicators": "pauvrete"}, UnknownNameError, "indicateur ou thème « pauvrete » inconnu"),
        ({"year": "2019"}, BarometreError, "donner une année"),
        ({"year": True}, BarometreError, "donner une année"),
        ({"year": []}, BarometreError, "donner une année"),
        ({"epci": "242010056"}, BarometreError, "rien de CA du Pays Ajaccien dans ces données"),
        ({"epci": HAINAUT, "place": bcs.selection(epci=HAINAUT)}, BarometreError, "ne se cumulent"),
    ],
)
def test_wrong_choices_are_refused(
    asked: dict[str, Any], error: type[BarometreError], said: str
) -> None:
    with pytest.raises(error, match=said):
        bcs.select(results(("59172", 2019, "taux_de_pauvrete", 10.0)), **asked)


def test_years_and_themes_are_those_of_results() -> None:
    tables = bcs.Tables({"logements": frame(["59172"], logements=1.0)})
    for asked in ({"year": 2021}, {"indicators": "logement"}):
        with pytest.raises(BarometreError, match=r"pas d'une table .*compute"):
            bcs.select(tables, **asked)
    with pytest.raises(BarometreError, match="colonne « code » absente"):
        bcs.select(pd.DataFrame({"x": [1]}), epci=HAINAUT)
    with pytest.raises(BarometreError, match="int ; donner"):
        bcs.select(5, epci=HAINAUT)  # type: ignore[call-overload]  # that is the point


def test_what_cannot_be_told_is_said() -> None:
    codes = ["QP02A001", "2A004", "METRO"]
    with pytest.warns(bcs.PlacesWarning, match=r"1 quartier de 2A d'EPCI inconnu \(QP02A001"):
        kept = bcs.select(frame(codes), epci=AJACCIO)
    assert kept["code"].tolist() == ["2A004", "METRO"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bcs.select(frame(codes), dep="2A")["code"].tolist() == codes
        assert len(bcs.select(frame(["QP059001", "59172"]), epci=HAINAUT)) == 1
    with pytest.warns(bcs.PlacesWarning, match=r"seulement ses références"):
        bcs.select(frame(["METRO", "59"]), epci=HAINAUT)


def test_empty_frames_stay_empty() -> None:
    empty = frame([]).astype({"code": "str"})
    assert bcs.select(empty, epci=HAINAUT).empty
    assert bcs.select({}, epci=HAINAUT) == {}


def test_categories_and_repeated_rows_are_kept_as_they_are() -> None:
    rows = frame(["59172", "59172", "59606"], x=np.arange(3)).astype({"code": "category"})
    kept = bcs.select(rows, epci=HAINAUT)
    assert kept["x"].tolist() == [0, 1]
    assert kept["code"].dtype == "category"
