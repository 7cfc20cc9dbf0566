"""Tables spread on Dask: every number, row and error of the tables in one piece, whatever the parts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import dataset

import barometre as bcs
from barometre import BarometreError, DaskTables, Tables
from barometre.base.errors import TableError

dask = pytest.importorskip("dask", reason="dask n'est pas installé")
dd = pytest.importorskip("dask.dataframe", reason="dask n'est pas installé")

NAMES = ("population", "logements", "allocataires", "licences", "revenus")  # fmt: skip
SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
ORDER = ["indicateur", "annee", "code"]


@pytest.fixture(autouse=True)
def in_this_process() -> Iterator[None]:
    with dask.config.set(scheduler="sync"):
        yield


def flat(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Rows in the order of codes and years."""
    return {
        name: tables[name].reset_index().sort_values(["code", "annee"], ignore_index=True)
        for name in tables
    }


def spread(frames: Mapping[str, pd.DataFrame], parts: int, **options: Any) -> DaskTables:
    """Cut frames anyhow: rows shuffled, as many parts for none."""
    cut = {
        name: dd.from_pandas(frame.sample(frac=1, random_state=i), npartitions=1 + (i + parts - 1) % parts,
                             sort=False)
        for i, (name, frame) in enumerate(frames.items())
    }  # fmt: skip
    return DaskTables(cut, **options)


def ordered(results: pd.DataFrame) -> pd.DataFrame:
    return results.sort_values(ORDER, ignore_index=True)


def assert_same(spread_results: Any, results: pd.DataFrame) -> None:
    """The same rows, to the bit."""
    pd.testing.assert_frame_equal(
        ordered(spread_results.compute()), ordered(results), check_exact=True
    )


def damaged(seed: int) -> Tables:
    """Draw tables of which parts know different things: levels, years, columns, roundings."""
    rng = np.random.default_rng(seed)
    tables = bcs.datasets.make_tables(24, range(2019, 2022), seed=seed)
    frames = {name: frame for name, frame in flat(tables).items() if name in NAMES}
    codes = np.array(tables.territoires.index)
    for frame in frames.values():
        columns = frame.columns.drop(["code", "annee"])
        for column in rng.choice(columns, min(2, len(columns)), replace=False):
            year, kept = rng.choice([2019, 2020, 2021]), rng.choice(codes)
            frame.loc[(frame["annee"] == year) & (frame["code"] != kept), column] = np.nan
        lost = rng.random(len(frame)) < 0.15
        frame.loc[lost, columns] = np.nan
    frames = {name: f[rng.random(len(f)) > 0.1] for name, f in frames.items()}
    epci = frames["logements"].iloc[:3].assign(code="200042190", annee=[2019, 2020, 2021])
    frames["logements"] = pd.concat([frames["logements"], epci])
    caf = frames["allocataires"]
    caf.loc[caf["annee"] != 2020, "allocataires_aah"] = 5 * (
        caf["allocataires_aah"] // 5
    )  # rounded but one year
    said = tables.statuts[tables.statuts["table"].isin(NAMES)]
    held = Tables(frames)
    empty = [
        pd.isna(held[t][c].get((code, year), np.nan))
        for t, c, code, year in zip(said["table"], said["colonne"], said["code"], said["annee"],
                                    strict=True)
    ]  # fmt: skip
    said = said[np.array(empty) | (said["statut"] == "ok").to_numpy()]
    computed = bcs.compute(held, "taux_logements_vacants").dropna(subset="valeur")
    given = computed["valeur"].round(1).to_numpy(copy=True)
    given[-1] += 0.25  # the only one with two decimals
    frames["publies"] = computed[["code", "annee"]].assign(taux_logements_vacants=given)
    return Tables(flat(Tables(frames)), statuts=said, territoires=tables.territoires)


@pytest.mark.parametrize("seed", [0, 1])
def test_results_are_those_of_one_piece(seed: int) -> None:
    whole = damaged(seed)
    cut = spread(flat(whole), 3, statuts=whole.statuts, territoires=whole.territoires)
    assert cut.npartitions == 3
    results = bcs.compute(cut, intervals=True)
    assert_same(results, bcs.compute(whole, intervals=True))
    assert isinstance(results, dd.DataFrame)
    assert results._meta.dtypes.equals(bcs.compute(whole).dtypes)


def test_parts_alone_would_lack_rows() -> None:
    """The rows of a part depend on the others: what this module is for."""
    whole = damaged(0)
    some = whole.territoires.index[:6]
    own = {name: whole[name][whole[name].index.isin(some, level="code")] for name in whole}
    alone, together = bcs.compute(own), bcs.compute(whole)
    assert len(alone) < together["code"].isin(some).sum()


def test_an_indicator_asked_for_by_name_has_its_rows_in_every_part() -> None:
    frame = pd.DataFrame({"code": [f"{i:02d}001" for i in range(1, 9)], "annee": 2021,
                          "logements": 100.0})  # fmt: skip
    tables = {"logements": frame}
    name = "taux_logements_vacants"
    assert_same(bcs.compute(spread(tables, 3), name), bcs.compute(tables, name))
    assert len(bcs.compute(spread(tables, 3), name).compute()) == 8
    assert len(bcs.compute(spread(tables, 3)).compute()) == 0
    with pytest.raises(BarometreError, match="table « population »"):
        bcs.compute(spread(tables, 3), "indice_jeunesse")


def test_an_iris_has_the_population_of_its_commune() -> None:
    codes = ["59172", "591720101", "591720102", "59173", "591730101", "59174"]
    frames = {
        "population": pd.DataFrame({"code": ["59172", "59173", "59174"], "annee": 2021,
                                    "population": [20_000.0, 900.0, 12_000.0]}),
        "logements": pd.DataFrame({"code": codes, "annee": 2021, "logements": 5_000.0,
                                   "logements_vacants": 400.0}),
    }  # fmt: skip
    for parts in (1, 4):
        cut = spread(frames, parts)
        assert all(len(code) <= 5 for code in cut.divisions)
        assert_same(bcs.compute(cut, intervals=True), bcs.compute(frames, intervals=True))


def test_a_table_that_lacks_a_year_in_one_part_does_in_all() -> None:
    """An empty row of a year takes the year before where the tables have not the same keys."""
    codes = [f"{i:02d}001" for i in range(1, 9)]
    keys = pd.MultiIndex.from_product([codes, [2020, 2021]], names=["code", "annee"])
    licences = pd.DataFrame({"licences": 200.0}, keys)
    population = pd.DataFrame({"population": 1_000.0}, keys)
    population.loc[(codes[0], 2021)] = np.nan
    for kept in (slice(None), slice(-1)):
        frames = flat({"licences": licences, "population": population[kept]})
        whole = bcs.compute(frames, "taux_licences_sportives")
        assert_same(bcs.compute(spread(frames, 4), "taux_licences_sportives"), whole)
        shuffled = {name: frame.iloc[::-1] for name, frame in frames.items()}
        shuffled["licences"] = frames["licences"]
        pd.testing.assert_frame_equal(bcs.compute(shuffled, "taux_licences_sportives"), whole)


def test_known_divisions_are_not_shuffled() -> None:
    whole = damaged(1)
    frames = {
        name: dd.from_pandas(frame.set_index("code"), npartitions=5)
        for name, frame in flat(whole).items()
    }
    assert_same(bcs.compute(frames), bcs.compute(flat(whole)))
    cut = DaskTables(frames)
    assert "Shuffle" not in str(cut["logements"].optimize().pprint)


def test_differences_with_published_values_are_all_told() -> None:
    whole = damaged(2)
    names = ["taux_logements_vacants"]
    with pytest.warns(bcs.PublishedDifference) as one:
        bcs.compute(whole, names, check_published=True)
    with pytest.warns(bcs.PublishedDifference) as many:
        bcs.compute(spread(flat(whole), 3, statuts=whole.statuts), names, check_published=True)
    assert str(many[0].message) == str(one[0].message)


# ---- refusals ------------------------------------------------------------------------------------


def territories(number: int = 12) -> pd.DataFrame:
    return pd.DataFrame({
        "code": [f"{i:02d}001" for i in range(1, number + 1)], "annee": 2021,
        "logements": 100.0, "logements_vacants": 10.0, "residences_principales": 80.0,
    })  # fmt: skip


def refusals() -> dict[str, dict[str, pd.DataFrame]]:
    good = territories()
    many = good.copy()
    many.loc[[1, 5, 9], "logements_vacants"] = [500.0, 600.0, -1.0]
    twice = pd.concat([good, good.iloc[[2, 8]]])
    short = good.assign(code=good["code"].where(good.index != 7, "1001"))
    missing = good.assign(code=good["code"].where(good.index != 3))
    years = good.assign(annee=good["annee"].where(good.index != 10, 21))
    numbers = good.assign(code=good["code"].astype(int))
    text = good.assign(logements=good["logements"].astype(str).where(good.index != 4, "x"))
    revenus = good[["code", "annee"]].assign(taux_pauvrete=np.linspace(0.1, 0.4, len(good)) + 1e-3)
    return {
        "values": {"logements": many},
        "twice": {"logements": twice},
        "both": {"logements": pd.concat([many, twice.iloc[[-1]]])},
        "short": {"logements": short},
        "missing": {"logements": missing},
        "years": {"logements": years},
        "numbers": {"logements": numbers},
        "text": {"logements": text},
        "unknown": {"logements": good.assign(logement=1.0)},
        "no code": {"logements": good.drop(columns="code")},
        "no year": {"logements": good.drop(columns="annee")},
        "scale": {"revenus": revenus},
        "two tables": {"revenus": revenus, "logements": many},
    }


@pytest.mark.parametrize("case", refusals())
def test_a_refusal_is_that_of_one_piece(case: str) -> None:
    frames = refusals()[case]
    in_order = {
        name: f.sort_values([k for k in ("code", "annee") if k in f], kind="stable")
        for name, f in frames.items()
    }
    with pytest.raises(BarometreError) as one:
        bcs.compute(in_order)
    with pytest.raises(BarometreError) as many:
        bcs.compute(spread(frames, 4))
    assert str(many.value) == str(one.value)
    assert type(many.value) is type(one.value)


def test_fractions_in_one_part_only_are_no_fault() -> None:
    frame = territories()[["code", "annee"]].assign(taux_pauvrete=15.0)
    frame.loc[:3, "taux_pauvrete"] = 0.123
    with pytest.raises(TableError, match="multiplier la colonne par 100"):
        bcs.compute({"revenus": frame.iloc[:4]})
    tables = {"revenus": frame}
    assert_same(bcs.compute(spread(tables, 4)), bcs.compute(tables))


def test_statuses_that_lie_are_refused_together() -> None:
    frames = {"logements": territories()}
    said = pd.DataFrame({"code": ["02001", "11001"], "annee": 2021, "table": "logements",
                         "colonne": "logements", "statut": "secret", "qualite": None,
                         "motif": "secret statistique"})  # fmt: skip
    with pytest.raises(TableError, match="2 cellules sans valeur") as one:
        Tables(frames, statuts=said)
    with pytest.raises(TableError) as many:
        bcs.compute(spread(frames, 4, statuts=said))
    assert str(many.value) == str(one.value)


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(
        BarometreError, match="DataFrame de Dask ou de pandas est attendu, pas list"
    ):
        DaskTables({"logements": [1]})
    cut = spread({"logements": territories()}, 2)
    with pytest.raises(BarometreError, match="pas un cadre Dask, à ramener en mémoire"):
        Tables(cut)
    assert Tables(cut.compute())["logements"].shape[0] == 12


# ---- unions --------------------------------------------------------------------------------------


def texts(statuts: pd.DataFrame) -> pd.DataFrame:
    plain = statuts.astype({c: "str" for c in statuts if c != "annee"})
    return plain.sort_values(["table", "colonne", "annee", "code"], ignore_index=True)


def assert_same_tables(one: Tables, other: Tables) -> None:
    assert list(one) == list(other)
    for name in one:
        pd.testing.assert_frame_equal(one[name].sort_index(), other[name].sort_index(),
                                      check_exact=True)  # fmt: skip
    pd.testing.assert_frame_equal(texts(one.statuts), texts(other.statuts))
    assert one.territoires.equals(other.territoires)


@pytest.mark.parametrize("options", [{"weighted_mean": True}, *([{}] if SLOW else [])])
def test_unions_are_those_of_one_piece(options: dict[str, Any]) -> None:
    drawn = damaged(3)
    kept = ("population", "logements", "revenus", "publies")
    said = drawn.statuts[drawn.statuts["table"].isin(kept)]
    whole = Tables({n: drawn[n] for n in kept}, statuts=said, territoires=drawn.territoires)
    rng = np.random.default_rng(0)
    codes = list(whole.territoires.index)
    rng.shuffle(codes)
    members = {f"U{i}": codes[i::3] for i in range(3)} | {"seul": codes[:1], "tous": codes}
    cut = spread(flat(whole), 2, statuts=whole.statuts, territoires=whole.territoires)
    united, one = bcs.aggregate(cut, members, **options), bcs.aggregate(whole, members, **options)
    assert isinstance(united, DaskTables)
    assert_same_tables(united.compute(), one)
    if options:
        name = "taux_logements_vacants"
        assert_same(
            bcs.compute(united, name, intervals=True), bcs.compute(one, name, intervals=True)
        )


def test_sums_that_break_a_relation_are_refused_with_the_same_words() -> None:
    frame = territories()
    frame.loc[::3, "logements"] = np.nan  # counted as 0, the whole is smaller than its parts
    members = dict(zip(frame["code"], ["A", "A", "B", "B", "C", "C"] * 2, strict=True))
    with pytest.raises(TableError) as one:
        bcs.aggregate({"logements": frame}, members, nd_as_zero=True)
    with pytest.raises(TableError) as many:
        bcs.aggregate(spread({"logements": frame}, 3), members, nd_as_zero=True)
    assert str(many.value) == str(one.value)


def test_a_membership_of_other_zones_is_refused() -> None:
    frames = {"logements": territories()}
    with pytest.raises(BarometreError, match="aucune de ses zones") as one:
        bcs.aggregate(frames, {"99001": "A"})
    with pytest.raises(BarometreError) as many:
        bcs.aggregate(spread(frames, 3), {"99001": "A"})
    assert str(many.value) == str(one.value)


def test_paris_beside_its_districts_is_told() -> None:
    frame = territories(4).assign(code=["75056", "75101", "75102", "92001"])
    members = dict.fromkeys(frame["code"], "Métropole")
    with pytest.warns(bcs.DistrictsWarning, match="75056"):
        united = bcs.aggregate(spread({"logements": frame}, 3), members)
    assert united.compute()["logements"]["logements"].item() == 200


# ---- machines ------------------------------------------------------------------------------------


def test_importing_the_library_does_not_import_dask() -> None:
    code = "import sys, barometre as b; b.compute; b.DaskTables; sys.exit('dask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def stored(tables: Mapping[str, pd.DataFrame], folder: Path, files: int) -> dict[str, Any]:
    """Write tables as Parquet files that two machines can read, and open them."""
    for name, frame in tables.items():
        (folder / name).mkdir()
        for i in range(files):
            frame.iloc[i::files].to_parquet(folder / name / f"{i}.parquet", index=False)
    return {name: dd.read_parquet(folder / name) for name in tables}


def dwellings(folder: Path, files: int) -> Path:
    """Write dwellings, 100 000 a file, codes padded as software with columns of one width does."""
    rng = np.random.default_rng(0)
    drawn = {
        column: pa.array([code.ljust(80) for code in codes]).take(rng.integers(3, size=100_000))
        for column, codes in {"Code Commune": ["59172", "01001", "1001"],
                              "Code QPV 2024": ["QN05906M", "QN05901M", "HZ"]}.items()
    }  # fmt: skip
    folder.mkdir()
    pq.write_table(pa.table(drawn), folder / "0.parquet")
    for i in range(1, files):
        shutil.copy(folder / "0.parquet", folder / f"{i}.parquet")
    return folder


@pytest.fixture
def not_for_ever() -> Iterator[None]:
    """End a test whose workers wait for memory that never comes."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def end(*_: object) -> None:
        raise TimeoutError("les ouvriers n'avancent plus")

    former = signal.signal(signal.SIGALRM, end)
    signal.alarm(300)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, former)


@pytest.mark.usefixtures("not_for_ever")
@pytest.mark.filterwarnings("ignore:.*(jamais vus|zéro initial)")
@pytest.mark.filterwarnings("default")  # those of the cluster are not ours
def test_two_workers_give_the_same_results(tmp_path: Path) -> None:
    """Also of records that take more memory than both workers may: none is started again."""
    distributed = pytest.importorskip("distributed", reason="distributed n'est pas installé")
    limit = 400 * 2**20  # a worker that has read nothing holds 165 to 180, at most 220 are used
    folder = dwellings(tmp_path / "rpls", 50)
    frames = {"logements": territories(), "population": territories()[["code", "annee"]].assign(
        population=900.0)}  # fmt: skip
    members = dict(zip(frames["logements"]["code"], "ABCABCABCABC", strict=True))
    pool = {"distributed.nanny.pre-spawn-environ.ARROW_DEFAULT_MEMORY_POOL": "system"}
    with (
        dask.config.set(pool | {"scheduler": "distributed"}),
        distributed.LocalCluster(2, threads_per_worker=1, memory_limit=limit,
                                 dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):  # fmt: skip
        processes = client.run(os.getpid)
        cut = DaskTables(stored(frames, tmp_path, 3))
        results = bcs.compute(cut, intervals=True).compute()
        united = bcs.aggregate(cut, members).compute()
        records = dd.read_parquet(folder)
        assert records.memory_usage(deep=True).sum().compute() > 2 * limit
        counted = bcs.count_records(records, "RPLS 2025")
        assert client.run(os.getpid) == processes
    assert ordered(results).equals(ordered(bcs.compute(frames, intervals=True)))
    assert_same_tables(united, bcs.aggregate(frames, members))
    streamed = bcs.count_records(dataset.dataset(folder), "RPLS 2025")
    assert all(counted[name].equals(streamed[name]) for name in streamed)
    inside = pd.read_parquet(folder / "0.parquet")["Code Commune"].str.strip() == "59172"
    assert counted["logements"].loc[("59172", 2025), "logements_sociaux"] == 50 * inside.sum()


@pytest.mark.skipif(not SLOW, reason="deux minutes : make slow")
@pytest.mark.filterwarnings("default")  # those of the cluster are not ours
def test_tables_and_results_larger_than_two_workers(tmp_path: Path) -> None:
    """Ten years, all indicators, in less memory than they take: `benchmarks.spread`, smaller."""
    pytest.importorskip("distributed", reason="distributed n'est pas installé")
    spreading = pytest.importorskip("benchmarks.spread", reason="hors du dépôt")
    tables, one, other = (tmp_path / name for name in ("tables", "one", "other"))
    spreading.write(tables, 12_000)
    one.mkdir()
    spreading.by_years(tables, one)
    with dask.config.set(scheduler="distributed"):
        spreading.by_dask(tables, other, "600MB", "24")  # asserts that no worker was restarted
    assert spreading.gigabytes(tables) + spreading.gigabytes(one) > 2 * 0.6e9 / 2**30
    assert spreading.same(one, other)
