"""The command line as people call it: output, exit codes, no traceback."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import typer

from barometre.cards.listing import load_cards
from barometre.cli.app import app
from tests.calls import call


def test_the_program_starts() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "barometre", "calcule"],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 2
    assert "calcule" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rnk",), "commande « rnk » inconnue."),
        (("rank",), "SOURCES : donner des fichiers ou un dossier"),
        (("rank", "a.csv", "--levle", "x"), "option --levle inconnue"),
        (("rank", "a.csv", "--out"), "l'option --out attend une valeur"),
        (("rank", "a.csv", "--quiet=oui"), "l'option --quiet ne prend pas de valeur"),
        (("evolution", "a.csv", "--start", "2016"), "option --end absente"),
        (("evolution", "a.csv", "--start", "deux", "--end", "2016"), "entier"),
        (("init",), "argument folder absent"),
        (("idt", "a", "b"), "argument de trop (b)"),
        (("edition",), "Fige une édition"),
    ],
)
def test_faults_of_usage_are_told_in_french(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    faulty = call(*arguments, cwd=tmp_path)
    assert faulty.code == 2
    assert said.casefold() in faulty.words.casefold()  # older parsers write FOLDER
    english = ("Usage: ", "Error", "Try ", "Missing", "such", "Got", "Invalid", "should", "Show")
    assert not [word for word in english if word in faulty.words]


def test_a_command_that_is_meant_is_suggested() -> None:
    if "suggest_commands" not in inspect.signature(typer.Typer.__init__).parameters:
        pytest.skip("older parsers suggest nothing")
    assert "commande « rnk » inconnue. Vouliez-vous dire 'rank' ?" in call("rnk").words


def test_an_interruption_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("barometre.sources.reading.families", stopped)
    told = call("families")
    assert (told.code, told.err.strip()) == (
        130,
        "barometre : interrompu, rien n'a été écrit à moitié",
    )


def test_helps_are_in_french() -> None:
    for name in ("gap", "init", "edition create", ""):
        told = call(*name.split(), "--help", columns=80).words
        assert "Montrer cette aide." in told
        for word in ("Usage: ", "Options:", "Commands:", "default:", "Show this"):
            assert word not in told


def test_the_catalogue_and_a_card() -> None:
    listed = call("indicators")
    assert listed.code == 0
    assert f"{len(load_cards())} indicateurs" in listed.out
    card = call("indicators", "taux_logements_vacants")
    assert card.code == 0
    for words in ("Taux de logements vacants", "Vacancy rate", "P{yy}_LOGVAC", "Précautions"):
        assert words in card.out


def test_compute_writes_a_file(tmp_path: Path) -> None:
    table = tmp_path / "logements.csv"
    table.write_text("code;annee;logements;logements_vacants\n59172;2021;80;12\n", encoding="utf-8")
    done = call("compute", str(table), "minima_sociaux_2021", "--out", str(tmp_path / "r.csv"))
    assert done.code == 0, done.err
    results = pd.read_csv(tmp_path / "r.csv", dtype={"code": str})
    assert (
        results.set_index(["code", "indicateur"])["valeur"]["59172", "taux_logements_vacants"] == 15
    )
    assert "QP059050" in set(results["code"])


def test_compute_gives_intervals_when_asked(tmp_path: Path) -> None:
    table, people = tmp_path / "logements.csv", tmp_path / "population.csv"
    table.write_text(
        "code;annee;logements;logements_vacants\n59172;2021;9000;900\n", encoding="utf-8"
    )
    people.write_text("code;annee;population\n59172;2021;20000\n", encoding="utf-8")
    options = (
        "--out",
        str(tmp_path / "r.csv"),
        "--indicator",
        "taux_logements_vacants",
        "--intervals",
    )
    done = call("compute", str(table), str(people), *options)
    assert done.code == 0, done.err
    row = pd.read_csv(tmp_path / "r.csv", dtype={"code": str}).iloc[0]
    assert row["borne_inf"] < 10 < row["borne_sup"]
    assert row["qualite"] == "A"


def test_differences_with_published_values_go_to_the_error_output(tmp_path: Path) -> None:
    (tmp_path / "revenus.csv").write_text(
        "code;annee;niveau_de_vie_d1;niveau_de_vie_d9\n59;2019;10000;30000\n", encoding="utf-8"
    )
    (tmp_path / "publies.csv").write_text(
        "code;annee;rapport_interdecile\n59;2019;3,4\n", encoding="utf-8"
    )
    out = tmp_path / "r.parquet"
    done = call("compute", str(tmp_path), "--out", str(out), "--check-published")
    assert done.code == 0, done.err
    assert "attention, 1 valeur calculée hors de l'arrondi" in done.err
    assert len(pd.read_parquet(out)) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("indicators", "taux_logement"), 1, "Vouliez-vous dire"),
        (("compute", "rien", "--out", "r.csv"), 1, "« rien » n'est ni un fichier"),
        (
            ("compute", "qpv_2024", "--out", "r.csv", "--indicator", "taux_chomage_rp"),
            1,
            "« activite »",
        ),
        (("compute", "poches_pauvrete", "--out", "r.csv"), 1, "n'alimente aucune table"),
        (("compute", "qpv_2024", "--out", "r.ods"), 2, ".parquet"),
        (("compute", "qpv_2024"), 2, "--out"),
        (("calcule",), 2, "calcule"),
    ],
)
def test_exit_codes(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = call(*arguments, cwd=tmp_path)
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_refused_table_writes_nothing(tmp_path: Path) -> None:
    table = tmp_path / "logements.csv"
    table.write_text("code;annee;logements\n1001;2021;80\n", encoding="utf-8")
    done = call("compute", str(table), "--out", str(tmp_path / "r.csv"))
    assert done.code == 1
    assert "zéro initial perdu" in done.err
    assert "Traceback" not in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["logements.csv"]


def test_the_demonstration(tmp_path: Path) -> None:
    done = call("demo", "--out", str(tmp_path / "demo"))
    assert done.code == 0, done.err
    assert done.err == ""
    lines = done.out.splitlines()
    (denain,) = [line for line in lines if line.startswith("Denain Centre")]
    assert denain.split()[2:] == ["34,5", "−13,8", "47,7", "40,1", "41,6", "40,0", "32,6", "1,6"]
    for name in ("CA Porte du Hainaut", "Nord", "France métro."):
        assert any(line.startswith(name) for line in lines)
    assert "34,1 (?)" in done.out
    written = {path.name for path in (tmp_path / "demo").iterdir()}
    assert written == {
        "results.csv", "results.xlsx", "taux_emploi_15_64.png", "tableau_des_quartiers.png",
        "cohorte_synthetique.html", "cohorte_synthetique.xlsx", "pages",
    }  # fmt: skip
    pages = {path.name for path in (tmp_path / "demo" / "pages").glob("*.html")}
    assert len(pages) == 14 + 2  # the index and the review
    assert "  cohorte_synthetique.html" in lines
    assert "données synthétiques" in lines[-1]
    assert str(tmp_path / "demo") in done.out.replace("\n", "")


def test_a_command_is_registered_once_however_often_it_is_called() -> None:
    call("indicators")
    call("indicators")
    names = [command.callback.__name__ for command in app.registered_commands if command.callback]
    assert len(names) == len(set(names))
