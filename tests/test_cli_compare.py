"""The commands over values give what the functions give, and refuse in words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from tests.calls import call

NAMES = ["taux_emploi_15_64", "taux_demandeurs_emploi_abc", "taux_couverture_rsa"]
HAINAUT = "200042190"


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    return bcs.compute(bcs.datasets.tables(), NAMES, intervals=True)


@pytest.fixture(scope="module")
def folder(results: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("comparer")
    bcs.write_results(results, made / "resultats.csv", bcs.datasets.tables().territoires)
    return made


def codes(results: pd.DataFrame) -> list[str]:
    found = results["code"].drop_duplicates()
    return found[found.str.match("QP0|QN0")].tolist()


def written(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"code": "str", "reference": "str"})


def agrees(path: Path, expected: pd.DataFrame) -> None:
    """The file holds the same columns and numbers as the frame, labels aside."""
    plain = expected if isinstance(expected.index, pd.RangeIndex) else expected.reset_index()
    found = written(path)
    assert [name for name in found if name != "libelle"] == [n for n in plain if n != "libelle"]
    assert len(found) == len(plain)
    for name in plain.select_dtypes("float64"):
        left = found[name].astype("float64").round(9).tolist()
        right = plain[name].round(9).tolist()
        assert pd.Series(left).equals(pd.Series(right)), name


def test_gap(folder: Path, results: pd.DataFrame) -> None:
    options = ("--reference", "FRANCE", "--reference", HAINAUT, "--intervals", "--out", "g.csv")
    done = call("gap", "resultats.csv", *options, cwd=folder)
    assert done.code == 0, done.err
    agrees(folder / "g.csv", bcs.gap(results, ["METRO", HAINAUT]))
    assert done.out.startswith("g.csv : ")


def test_gap_of_one_indicator_on_the_screen(folder: Path) -> None:
    options = (
        "--reference",
        "METRO",
        "--indicator",
        NAMES[0],
        "--level",
        "qpv",
        "--year",
        "latest",
    )
    shown = call("gap", "resultats.csv", *options, cwd=folder)
    assert shown.code == 0, shown.err
    assert "QP059058" in shown.out
    assert shown.out.startswith("écarts, taux_emploi_15_64, ")  # what every row says is told once
    assert "Elnon" in shown.out  # names, though the file of results was read back without them
    assert "--out FICHIER" in shown.out
    assert "59172" not in shown.out


def test_evolution(folder: Path, results: pd.DataFrame) -> None:
    options = ("--start", "2016", "--end", "2021", "--reference", "METRO", "--out", "e.csv")
    done = call("evolution", "resultats.csv", *options, cwd=folder)
    assert done.code == 0, done.err
    agrees(folder / "e.csv", bcs.evolution(results, 2016, 2021, reference="METRO"))


def test_rank(folder: Path, results: pd.DataFrame) -> None:
    for option, intervals in (("--intervals", True), ("--no-intervals", False)):
        done = call("rank", "resultats.csv", "--level", "qpv", option, "--out", "r.csv", cwd=folder)
        assert done.code == 0, done.err
        kept = bcs.select(results, level="qpv")
        agrees(folder / "r.csv", bcs.rank(kept, intervals=intervals))


def test_diagnose(folder: Path, results: pd.DataFrame) -> None:
    options = ("--territory", "La Porte du Hainaut", "--theme", "emploi", "--out", "d.csv")
    done = call("diagnose", "resultats.csv", *options, cwd=folder)
    assert done.code == 0, done.err
    kept = bcs.select(results, indicators="emploi")
    zones = codes(kept)
    agrees(folder / "d.csv", bcs.diagnose(kept, zones, HAINAUT, "METRO"))


def test_priorities(folder: Path, results: pd.DataFrame) -> None:
    done = call("priorities", "resultats.csv", "--out", "p.csv", cwd=folder)
    assert done.code == 0, done.err
    agrees(folder / "p.csv", bcs.priorities(results, codes(results), year="latest"))


def test_from_sources_as_from_results(tmp_path: Path) -> None:
    text = "code;annee;logements;logements_vacants\n59172;2021;80;12\n59179;2021;90;9\nMETRO;2021;9;1\n"
    (tmp_path / "logements.csv").write_text(text, "utf-8")
    assert call("compute", "logements.csv", "--out", "r.csv", cwd=tmp_path).code == 0
    for source, out in (("logements.csv", "a.csv"), ("r.csv", "b.csv")):
        done = call("gap", source, "--reference", "METRO", "--out", out, cwd=tmp_path)
        assert done.code == 0, done.err
    first, second = written(tmp_path / "a.csv"), written(tmp_path / "b.csv")
    assert first[second.columns].equals(second)


def test_indices(folder: Path) -> None:
    (folder / "c.csv").write_text(
        "code;annee;icm;part_diplomes;niveau_de_vie_median\n59172;2019;140,5;62;14 320\n"
        "59;2019;110;75;20360\n", "utf-8"
    )  # fmt: skip
    bounds = {"icm": (60, 160), "part_diplomes": (50, 90), "niveau_de_vie_median": (14090, 38860)}
    bcs.Bounds(bounds).to_toml(folder / "b.toml")
    done = call("idh4", "c.csv", "--bounds", "b.toml", "--out", "i.csv", cwd=folder)
    assert done.code == 0, done.err
    frame = pd.DataFrame(
        [(140.5, 62.0, 14320.0), (110.0, 75.0, 20360.0)],
        columns=list(bounds),
        index=pd.MultiIndex.from_tuples([("59172", 2019), ("59", 2019)], names=["code", "annee"]),
    )
    index = bcs.idh4(frame, bounds)
    assert written(folder / "i.csv")["idh4"].round(9).tolist() == index["idh4"].round(9).tolist()


def test_suppress(folder: Path) -> None:
    (folder / "n.csv").write_text("quartier;F;H;T\nA;40;7;47\nB;50;60;110\nT;90;67;157\n")
    done = call(
        "suppress", "n.csv", "--threshold", "11", "--total", "T", "--out", "s.csv", cwd=folder
    )
    assert done.code == 0, done.err
    counts = pd.DataFrame(
        {"F": [40.0, 50, 90], "H": [7.0, 60, 67], "T": [47.0, 110, 157]}, index=["A", "B", "T"]
    )
    expected = bcs.suppress(counts, threshold=11, total="T").table
    found = pd.read_csv(folder / "s.csv", index_col=0)
    assert found.isna().to_numpy().tolist() == expected.isna().to_numpy().tolist()
    assert found.isna().to_numpy().any()


def test_indices_of_ones_own_territory_do_not_change(tmp_path: Path) -> None:
    text = "code;part_emploi_25_54;part_sup_bac;revenu_median\n"
    rows = ["59172;55;20;14 320", "59491;60;25;15 100", "2A004;71;31;18 600", "METRO;80;42;22 040"]
    (tmp_path / "c.csv").write_text("\n".join([text.strip(), *rows, ""]), "utf-8")
    for options, out in (((), "all.csv"), (("--epci", HAINAUT), "own.csv")):
        done = call("idt", "c.csv", *options, "--out", out, cwd=tmp_path)
        assert done.code == 0, done.err
    whole, own = written(tmp_path / "all.csv"), written(tmp_path / "own.csv")
    assert own["code"].tolist() == ["59172", "59491", "METRO"]  # the scale is that of all four
    assert own.equals(whole[whole["code"] != "2A004"].reset_index(drop=True))
    nowhere = call("idt", "c.csv", "--commune", "Denein", cwd=tmp_path)
    assert (nowhere.code, "Denain" in nowhere.err) == (1, True)


def test_a_part_of_a_table_is_hidden_as_the_whole(tmp_path: Path) -> None:
    text = "code;F;H;T\n59172;40;7;47\n59491;50;60;110\n2A004;60;70;130\nT;150;137;287\n"
    (tmp_path / "n.csv").write_text(text)
    (tmp_path / "z.csv").write_text("code\n59491\n59172\n")
    for options, out in (((), "all.csv"), (("--zones", "z.csv"), "own.csv")):
        done = call("suppress", "n.csv", "--total", "T", *options, "--out", out, cwd=tmp_path)
        assert done.code == 0, done.err
    whole, own = written(tmp_path / "all.csv"), written(tmp_path / "own.csv")
    assert own["code"].tolist() == ["59172", "59491", "T"]
    assert own.equals(whole[whole["code"] != "2A004"].reset_index(drop=True))
    assert own.isna().to_numpy().any()
    away = call("suppress", "n.csv", "--total", "T", "--commune", "Lille", cwd=tmp_path)
    assert (away.code, "rien de Lille" in away.err) == (1, True)


def test_an_index_shows_its_decimals(tmp_path: Path) -> None:
    text = "code;icm;part_diplomes;niveau_de_vie_median\n59172;140;62;14320\n59;110;75;20360\n"
    (tmp_path / "c.csv").write_text(text)
    bounds = {"icm": (60, 160), "part_diplomes": (50, 90), "niveau_de_vie_median": (14090, 38860)}
    bcs.Bounds(bounds).to_toml(tmp_path / "b.toml")
    shown = call("idh4", "c.csv", "--bounds", "b.toml", cwd=tmp_path)
    assert "0,200" in shown.out  # (160 - 140) / 100


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("gap", "resultats.csv"), 2, "--reference"),
        (("gap", "resultats.csv", "--reference", "Denein"), 1, "« Denein »"),
        (("gap", "resultats.csv", "--reference", "METRO", "--indicator", "taux_rsa"), 1, "taux_"),
        (("gap", "resultats.csv", "--reference", "METRO", "--out", "resultats.csv"), 1, "remplacé"),
        (("gap", "resultats.csv", "--reference", "METRO", "--out", "g.doc"), 2, ".parquet"),
        (
            ("gap", "resultats.csv", "--reference", "METRO", "--csv", "x", "--out", "g.csv"),
            1,
            "excel",
        ),
        (("gap", "resultats.csv", "resultats.csv", "--reference", "METRO"), 1, "se donne seul"),
        (("evolution", "resultats.csv", "--start", "2016"), 2, "--end"),
        (("rank", "resultats.csv", "--level", "canton"), 1, "canton"),
        (("rank", "resultats.csv", "--year", "1900"), 1, "rien à ces conditions"),
        (("rank", "resultats.csv", "--level", "iris"), 1, "de niveau departement, epci"),
        (("diagnose", "resultats.csv", "--territory", HAINAUT, "--level", "iris"), 1, "--level"),
        (("priorities", "resultats.csv", "--year", "hier"), 2, "latest"),
        (("idh4", "rien.csv", "--bounds", "b.toml"), 1, "rien.csv"),
        (("idh4", "faux.csv", "--bounds", "b.toml"), 1, "« douze »"),
        (("idt", "sans-code.csv"), 1, "« code »"),
        (("suppress", "faux.csv"), 1, "« douze »"),
        (("suppress", "faux.csv", "--out", "faux.csv"), 1, "remplacé"),
    ],
)
def test_refusals(folder: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    (folder / "faux.csv").write_text("code;icm;autre\n59172;douze;3\n", "utf-8")
    (folder / "sans-code.csv").write_text("nom;icm\nx;12\n", "utf-8")
    before = (folder / "resultats.csv").read_bytes()
    refused = call(*arguments, cwd=folder)
    assert refused.code == code, refused
    assert said in " ".join(refused.err.split())
    assert (folder / "resultats.csv").read_bytes() == before


def test_square_brackets_are_printed_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("quartier;[red]F[/red];:smile:\n[b]A[/b];40;47\n[/x];50;50\n")
    shown = call("suppress", "n.csv", cwd=tmp_path)
    assert shown.code == 0, shown.err
    for text in ("[red]F[/red]", ":smile:", "[b]A[/b]", "[/x]"):
        assert text in shown.out


def test_a_wide_table_fits_the_screen(folder: Path) -> None:
    shown = call("gap", "resultats.csv", "--reference", "METRO", cwd=folder, columns=80)
    assert max(map(len, shown.out.splitlines())) <= 80
