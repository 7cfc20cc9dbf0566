"""Records beyond memory: what a stream and Dask give is what `read` gives of the same file."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import dataset

import barometre as bcs
from barometre.base.errors import (
    BarometreError,
    Fault,
    FaultsError,
    NoTableError,
    UnknownNameError,
)
from barometre.sources import records as reading
from barometre.sources.reading import SourceWarning
from barometre.tables.table_set import Tables

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*jamais vus dans un vrai fichier"),
    pytest.mark.filterwarnings("ignore:.*zéro initial rétabli"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),  # Dask's, with pandas 3.1
]


def many(number: int) -> pd.DataFrame:
    """Draw facilities, some with a lost zero, some out of any commune."""
    rng = np.random.default_rng(3)
    codes = np.array(["59172", "59361", "1001", "01001", "", "XXXXX"])
    kinds = np.array(["F101", "F203", "F307", "A129"])
    kind = kinds[rng.integers(len(kinds), size=number)]
    drawn = {"AN": "2024", "DEPCOM": codes[rng.integers(len(codes), size=number)], "TYPEQU": kind,
             "DOM": [k[0] for k in kind], "SDOM": [k[:2] for k in kind]}  # fmt: skip
    return pd.DataFrame(drawn).astype("str")


def shown(tables: Tables) -> list[pd.DataFrame]:
    return [*(tables[name].sort_index() for name in tables), tables.territoires.sort_index()]


def same(one: Tables, other: Tables) -> bool:
    return all(a.equals(b) for a, b in zip(shown(one), shown(other), strict=True))


def parted(frame: pd.DataFrame, folder: Path, parts: int) -> Path:
    """Write records as several Parquet files."""
    folder.mkdir()
    size = -(-len(frame) // parts)
    for i in range(parts):
        frame.iloc[i * size : (i + 1) * size].to_parquet(folder / f"part-{i}.parquet", index=False)
    return folder


def test_a_dataset_of_records_is_counted_as_its_file(tmp_path: Path) -> None:
    records = many(900)
    folder = parted(records, tmp_path / "bpe", 4)
    found = bcs.count_records(dataset.dataset(folder), "BPE24")
    plain = records[records["DEPCOM"].str.len().between(4, 5) & (records["DEPCOM"] != "XXXXX")]
    code, kind = plain["DEPCOM"].str.zfill(5), plain["TYPEQU"]
    sport = kind.str.fullmatch("F1[0-9]{2}").groupby(code).sum().astype(float)
    column = found["equipements"]["equipements_sportifs"].droplevel("annee")
    assert column.to_dict() == sport.to_dict()
    path = tmp_path / "BPE24.csv"
    records.to_csv(path, sep=";", index=False)
    with pytest.warns(SourceWarning, match="zéro initial rétabli"):
        assert same(found, bcs.read(path))


def test_what_is_no_set_of_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match="DataFrame ; donner un Dataset"):
        bcs.count_records(many(3), "BPE24")
    other = dataset.dataset(pa.table({"a": [1]}))
    with pytest.raises(BarometreError, match="colonnes d'aucune famille"):
        bcs.count_records(other, "BPE24")
    social = dataset.dataset(pa.table({"Code Commune": ["59172"], "Code QPV 2024": [""],
                                       "Code QPV 2015": [""]}))  # fmt: skip
    with pytest.raises(BarometreError, match=r"année : introuvable|colonnes d'aucune"):
        bcs.count_records(social, "RPLS")


@pytest.mark.parametrize("parts", [1, 4, 12])
def test_dask_gives_the_same_counts(tmp_path: Path, parts: int) -> None:
    frames = pytest.importorskip("dask.dataframe", reason="dask n'est pas installé")
    folder = parted(many(900), tmp_path / "bpe", parts)
    streamed = bcs.count_records(dataset.dataset(folder), "BPE24")
    spread = bcs.count_records(frames.read_parquet(folder), "BPE24")
    assert all(spread[name].equals(streamed[name]) for name in streamed)
    assert spread.territoires.equals(streamed.territoires)


def test_a_file_without_one_of_the_places_is_counted_at_the_others(tmp_path: Path) -> None:
    columns = {"Code Commune": ["59172", "59172", "1001"], "Code QPV 2024": ["QN05906M", "HZ", ""]}
    found = bcs.count_records(dataset.dataset(pa.table(columns)), "RPLS 2025")
    path = tmp_path / "RPLS_2025.csv"
    pd.DataFrame(columns).to_csv(path, sep=";", index=False)
    with pytest.warns(SourceWarning):
        assert same(found, bcs.read(path))
    counted = found["logements"]["logements_sociaux"].droplevel("annee")
    assert counted.to_dict() == {"01001": 1, "59172": 2, "QN05906M": 1}


# ---- Melodi and Sirene ---------------------------------------------------------------------------

LOGEMENT = ("OCS", "L_STAY", "TDW", "CARS", "RP_MEASURE", "CARPARK", "NOR", "TSH", "BUILD_END",
            "NRG_SRC")  # fmt: skip


def cube(places: int = 40) -> pd.DataFrame:
    """Draw housing: what is asked for and what is not, hidden cells, rows left out, served twice."""
    rng = np.random.default_rng(5)
    asked: list[tuple[int, dict[str, Any]]] = [
        (1000, {}),
        (800, {"OCS": "DW_MAIN"}),
        (100, {"OCS": "DW_VAC"}),
        (300, {"OCS": "DW_MAIN", "TSH": "221"}),
        (350, {"OCS": "DW_MAIN", "CARS": "C1"}),
        (250, {"OCS": "DW_MAIN", "CARS": "C_GE2"}),
        (5, {"OCS": "DW_MAIN", "NOR": "R1"}),
    ]
    rows = [
        dict.fromkeys(LOGEMENT, "_T") | {"RP_MEASURE": "DWELLINGS"} | codes
        | {"GEO": str(1000 + i) if i else "75", "GEO_OBJECT": "COM" if i else "REG", "FREQ": "A",
           "TIME_PERIOD": str(year), "OBS_VALUE": middle + rng.integers(50) + 0.25}
        for i in range(places) for year in (2017, 2023) for middle, codes in asked
        if rng.random() < 0.9
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["OBS_STATUS"] = np.where(rng.random(len(frame)) < 0.1, "O", "A")
    frame["CONF_STATUS"] = np.where(rng.random(len(frame)) < 0.1, "C", "F")
    return pd.concat([frame, frame.iloc[::40]])


def sirene(number: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw establishments, and their stock in another order."""
    rng = np.random.default_rng(6)
    siret = pd.Series(range(number)).map("{:014d}".format)
    quarters = np.array(["QN05950M", "QN05951M", "HZ", ""])
    geo = pd.DataFrame({"siret": siret, "plg_qp24": quarters[rng.integers(4, size=number)],
                        "qualite_qp24": rng.integers(1, 4, number).astype(str)})  # fmt: skip
    days = pd.Series(rng.integers(2014, 2025, number).astype(str)) + "-05-01"
    stock = pd.DataFrame({"siret": siret, "dateCreationEtablissement": days})
    return geo, stock.sample(frac=1, random_state=0)


def assert_same(one: Tables, other: Tables) -> None:
    for name in other:
        pd.testing.assert_frame_equal(one[name].sort_index(), other[name].sort_index(),
                                      check_exact=True, check_like=True)  # fmt: skip
    order = ["code", "annee", "table", "colonne"]
    said, told = (t.statuts.sort_values(order, ignore_index=True) for t in (one, other))
    pd.testing.assert_frame_equal(said, told)
    pd.testing.assert_frame_equal(
        one.territoires.sort_index(), other.territoires.sort_index(), check_exact=True
    )


@pytest.fixture
def small_lots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_ROWS", 50)


def opened(frame: pd.DataFrame, folder: Path, how: str) -> Any:
    """Write records in several files, and open them one way or another."""
    parted(frame, folder, 3)
    if how == "stream":
        return dataset.dataset(folder)
    frames = pytest.importorskip("dask.dataframe", reason="dask n'est pas installé")
    return frames.read_parquet(folder)


@pytest.mark.usefixtures("small_lots")
@pytest.mark.parametrize("how", ["stream", "dask"])
def test_a_data_set_of_melodi_is_read_as_its_file(tmp_path: Path, how: str) -> None:
    rows = cube()
    path = tmp_path / "DS_RP_LOGEMENT_PRINC_2023_data.csv"
    rows.to_csv(path, sep=";", index=False)
    with pytest.warns(SourceWarning, match="zéro initial rétabli"):
        whole = bcs.read(path)
    found = bcs.count_records(opened(rows, tmp_path / "m", how), "DS_RP_LOGEMENT_PRINC")
    assert_same(found, whole)
    assert found["logements"].index.is_monotonic_increasing
    assert (found.statuts["statut"] == "secret").any()


@pytest.mark.usefixtures("small_lots")
@pytest.mark.parametrize("how", ["stream", "dask"])
def test_establishments_are_counted_with_their_stock(tmp_path: Path, how: str) -> None:
    geo, stock = sirene()
    paths = [tmp_path / "geo.csv", tmp_path / "stock.csv"]
    for frame, path in zip((geo, stock), paths, strict=True):
        frame.to_csv(path, sep=";", index=False)
    with pytest.warns(SourceWarning, match="quartier incertain"):
        whole = bcs.read(*paths)
    places, dates = opened(geo, tmp_path / "g", how), opened(stock, tmp_path / "s", how)
    with pytest.warns(SourceWarning, match="quartier incertain"):
        counted = bcs.count_records(places, "GeolocalisationEtablissement", stock=dates)
    assert_same(counted, whole)
    with pytest.raises(BarometreError, match="lire avec lui StockEtablissement"):
        bcs.count_records(places, "GeolocalisationEtablissement")
    with pytest.raises(BarometreError, match="ne va qu'avec Sirene"):
        bcs.count_records(dates, "StockEtablissement", stock=dates)


@pytest.mark.parametrize("how", ["stream", "dask"])
def test_the_faults_of_records_are_those_of_their_file(tmp_path: Path, how: str) -> None:
    rows = cube(3)
    rows["OBS_VALUE"] = rows["OBS_VALUE"].astype(str)
    rows.loc[rows.index[-1], "OBS_VALUE"] = "x"
    path = tmp_path / "DS_RP_LOGEMENT_PRINC.csv"
    rows.to_csv(path, sep=";", index=False)
    with pytest.raises(FaultsError) as one:
        bcs.count_records(opened(rows, tmp_path / "m", how), "DS_RP_LOGEMENT_PRINC.csv")
    with pytest.raises(BarometreError) as other:
        bcs.read(path)
    assert str(one.value) == str(other.value)


def test_records_without_a_row_are_told(tmp_path: Path) -> None:
    header = many(0)
    with pytest.warns(SourceWarning, match="BPE24 : aucun territoire dans le fichier"):
        assert list(bcs.count_records(dataset.dataset(pa.table(header)), "BPE24")) == []
    for name, end in (("BPE24.csv", ""), ("bpe24.csv", "\n\n")):
        (tmp_path / name).write_text(";".join(header.columns) + "\n" + end)
        with pytest.warns(SourceWarning, match="aucun territoire dans le fichier"):
            assert list(bcs.read(tmp_path / name)) == []


def test_a_refusal_travels_whole() -> None:
    """From a worker to the client: with its faults and its rows."""
    with pytest.raises(FaultsError) as one:
        bcs.Tables({"logements": pd.DataFrame({"code": ["1"], "annee": 2021, "logements": -1.0})})
    again = pickle.loads(pickle.dumps(one.value))
    assert str(again) == str(one.value)
    assert type(again) is type(one.value)
    assert again.lignes.equals(one.value.lignes)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_every_error_travels(again: Any) -> None:
    """Whatever the arguments of its class: a name unknown has three, and one message."""
    raised = [BarometreError("x"), NoTableError("y"), UnknownNameError("valeur", "a", ["aa", "b"]),
              *(kind("t", [Fault("l", "p", "r")]) for kind in FaultsError.__subclasses__())]  # fmt: skip
    assert len(raised) > 5
    for error in raised:
        other = again(error)
        assert (type(other), str(other), other.args) == (type(error), str(error), error.args)
        assert vars(other).keys() == vars(error).keys()
    assert again(raised[2]).name == "a"
