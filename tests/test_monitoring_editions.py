"""Editions: the same bytes, nothing altered unseen, one writer wins, what changed and what it gives back."""

from __future__ import annotations

import datetime
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError
from barometre.base.files import TEMPORARY
from barometre.monitoring.editions import edition
from barometre.monitoring.editions import folder as edition_folder
from barometre.monitoring.editions.edition import Edition

monitoring = bcs.monitoring
RESULTS = bcs.compute(bcs.datasets.tables())
YEAR = {name: monitoring.example_year()[name] for name in ("objectifs", "actions")}


def create(folder: Path, results: pd.DataFrame = RESULTS, **options: object) -> Edition:
    given = {
        "tables": YEAR,
        "files": {"page.html": b"<p>"},
        "parameters": {"epci": "200042190"},
        "date": "2026-03-01",
        **options,
    }
    return monitoring.create_edition(folder, results=results, **given)  # type: ignore[arg-type] # one call for all


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_an_edition_is_read_back_and_is_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text("a")
    first = create(tmp_path / "a", inputs=[source])
    create(tmp_path / "b", inputs=[source])
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert first.date == datetime.date(2026, 3, 1)
    assert (first.state, first.parameters) == ("projet", {"epci": "200042190"})
    assert list(first.inputs) == ["source.csv"]
    for name, table in YEAR.items():
        pd.testing.assert_frame_equal(first.tables[name], table)
    ordered = RESULTS.sort_values(["code", "annee", "indicateur"], ignore_index=True)
    pd.testing.assert_frame_equal(first.results, ordered, check_dtype=False)
    assert "Édition du 01/03/2026 (projet)" in first.summary()


def test_a_draft_is_replaced_and_a_validated_edition_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "2026"
    create(folder)
    changed = RESULTS[RESULTS["annee"] > 2018]
    assert len(create(folder, changed).results) == len(changed)
    monitoring.validate_edition(folder, by="comité de pilotage du 12 mars 2026")
    before = content(folder)
    with pytest.raises(BarometreError, match="validée par comité de pilotage"):
        create(folder)
    with pytest.raises(BarometreError, match="déjà validée"):
        monitoring.validate_edition(folder, by="un autre")
    assert content(folder) == before
    assert [p.name for p in tmp_path.iterdir()] == ["2026"]  # nothing is left beside


def test_partial_altered_and_later_folders_are_refused_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "2026"
    create(folder)
    (folder / "resultats.csv").write_text("x")
    (folder / "fichiers" / "page.html").unlink()
    (folder / "en_trop.csv").write_text("x")
    before = content(folder)
    with pytest.raises(FaultsError) as refused:
        monitoring.open_edition(folder)
    for words in (
        "resultats.csv : modifié",
        "fichiers/page.html : absent",
        "en_trop.csv : en trop",
    ):
        assert words in str(refused.value)
    manifest = folder / "edition.toml"
    text = manifest.read_text(encoding="utf-8")
    for changed, words in (("schema = 1", "schema = 2"), "schéma 2"), (("etat = ", "etats = "), "champs absents"), ((text, "x ="), "illisible"):  # fmt: skip
        manifest.write_text(text.replace(*changed), encoding="utf-8")
        with pytest.raises(BarometreError, match=words):
            monitoring.open_edition(folder)
    manifest.write_text(text, encoding="utf-8")
    assert content(folder) == before
    (tmp_path / "vide").mkdir()
    with pytest.raises(BarometreError, match="aucune édition"):
        monitoring.open_edition(tmp_path / "vide")


def test_what_is_wrong_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FaultsError) as refused:
        create(tmp_path / "x", RESULTS.drop(columns="note"), inputs=[tmp_path / "absent.csv"], files={"../page.html": b"", "b.html": tmp_path / "absent.html"})  # fmt: skip
    for words in (
        "note : colonne absente",
        "absent.csv : source introuvable",
        "sort du dossier",
        "absent.html introuvable",
    ):
        assert words in str(refused.value)
    with pytest.raises(BarometreError, match="écrire 2026-03-01"):
        monitoring.create_edition(tmp_path / "x", date="mars", results=RESULTS)
    assert list(tmp_path.iterdir()) == []


WRITER = """
import sys, barometre as bcs
from pathlib import Path
results = bcs.compute(bcs.datasets.tables(), "revenus")
print("prêt", flush=True)
while True:
    bcs.monitoring.create_edition(sys.argv[1], date="2026-03-01", results=results,
        files={f"{i}.bin": bytes(100_000) for i in range(20)})
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_run_killed_on_the_way_leaves_an_edition(tmp_path: Path) -> None:
    folder = tmp_path / "2026"
    create(folder)
    for attempt in range(4):
        run = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE)
        assert run.stdout is not None
        run.stdout.readline()
        time.sleep(0.05 + 0.037 * attempt)
        run.send_signal(signal.SIGKILL)
        run.wait()
        run.stdout.close()
        assert monitoring.open_edition(folder).state == "projet"
    create(folder)
    assert monitoring.open_edition(folder).outputs["fichiers/page.html"]


def _race(folder: str, barrier: object) -> str:
    barrier.wait()  # type: ignore[attr-defined] # a multiprocessing barrier
    try:
        create(Path(folder))
    except BarometreError as error:
        return str(error)
    return "ok"


def test_of_two_runs_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(2) as pool:
        barrier = manager.Barrier(2)
        told = pool.starmap(_race, [(str(tmp_path / "2026"), barrier)] * 2)
    assert "ok" in told
    assert all(words == "ok" or "édition" in words for words in told)
    assert len(monitoring.open_edition(tmp_path / "2026").results) == len(RESULTS)


def test_an_edition_shows_itself(tmp_path: Path) -> None:
    edition = create(tmp_path / "2026")
    html = edition._repr_html_()
    assert edition.summary() in html.replace("&nbsp;", " ")
    assert RESULTS["code"].min() in html
    assert str(edition) == edition.summary()
    told = edition.summary("en")
    known = (RESULTS["statut"] == "ok").sum()
    assert told.startswith(f"Edition of 2026-03-01 (draft): values: {known}, indicators: ")
    signed = monitoring.validate_edition(tmp_path / "2026", by="COPIL")
    assert "(validated by COPIL)" in signed.summary("en")


@pytest.mark.parametrize("there", [True, False])
def test_the_work_of_another_run_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """Between the moment when a run begins and that when it writes, another one has written."""
    folder, other = tmp_path / "2026", RESULTS[RESULTS["annee"] > 2018]
    if there:
        create(folder)
    gathered = edition._content

    def meanwhile(*given: Any) -> dict[str, bytes]:
        monkeypatch.setattr(edition, "_content", gathered)
        create(folder, other)
        monitoring.validate_edition(folder, by="COPIL")
        return gathered(*given)

    monkeypatch.setattr(edition, "_content", meanwhile)
    with pytest.raises(BarometreError, match="une autre exécution"):
        create(folder)
    kept = monitoring.open_edition(folder)
    assert (kept.validated_by, len(kept.results)) == ("COPIL", len(other))
    assert [p.name for p in tmp_path.iterdir()] == ["2026"]


def test_what_is_replaced_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, other, read = tmp_path / "2026", RESULTS[RESULTS["annee"] > 2018], Path.read_bytes
    create(folder)

    def meanwhile(path: Path) -> bytes:
        data = read(path)
        if path.name == "page.html":
            monkeypatch.setattr(Path, "read_bytes", read)
            create(folder, other)
        return data

    monkeypatch.setattr(Path, "read_bytes", meanwhile)
    assert len(monitoring.open_edition(folder).results) == len(other)


def test_what_a_living_run_has_put_aside_is_not_thrown_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run takes the place as soon as this one has written, before this one tidies up."""
    folder, renamed = tmp_path / "2026", Path.rename
    create(folder)

    def then_another(path: Path, target: Path) -> Path:
        done = renamed(path, target)
        if target == folder:
            renamed(folder, tmp_path / f".2026.00000000{TEMPORARY}-ancienne")
        return done

    monkeypatch.setattr(Path, "rename", then_another)
    other = RESULTS[RESULTS["annee"] > 2018]
    assert len(create(folder, other).results) == len(other)
    monkeypatch.setattr(Path, "rename", renamed)
    assert len(monitoring.open_edition(folder).results) == len(other)
    assert [p.name for p in tmp_path.iterdir()] == ["2026"]


def aside(folder: Path, token: str = "0" * 8) -> Path:
    """Put an edition where a run that was killed leaves it."""
    return folder.rename(folder.with_name(f".{folder.name}.{token}{TEMPORARY}-ancienne"))


def test_what_a_killed_run_left_belongs_to_its_folder_alone(tmp_path: Path) -> None:
    create(tmp_path / "2026.1")
    left = aside(tmp_path / "2026.1")
    with pytest.raises(BarometreError, match="aucune édition"):
        monitoring.open_edition(tmp_path / "2026")
    create(tmp_path / "2026")
    assert left.is_dir()
    assert len(monitoring.open_edition(tmp_path / "2026.1").results) == len(RESULTS)


def test_the_latest_of_those_put_aside_comes_back(tmp_path: Path) -> None:
    folder, other = tmp_path / "2026", RESULTS[RESULTS["annee"] > 2018]
    create(folder)
    aside(folder, "f" * 8)
    create(tmp_path / "new", other).folder.rename(folder)
    aside(folder, "0" * 8)
    half = tmp_path / f".2026.{'a' * 8}{TEMPORARY}-ancienne"  # being removed: no manifest left
    (half / "fichiers").mkdir(parents=True)
    folder.mkdir()  # an empty folder is no edition
    assert len(monitoring.open_edition(folder).results) == len(other)
    create(folder)
    assert [p.name for p in tmp_path.iterdir()] == ["2026"]


def test_a_validated_edition_put_aside_is_never_thrown_away(tmp_path: Path) -> None:
    folder = tmp_path / "2026"
    create(folder)
    monitoring.validate_edition(folder, by="COPIL")
    left = aside(folder)
    create(tmp_path / "new").folder.rename(folder)
    create(folder)
    assert left.is_dir()
    with pytest.raises(BarometreError, match="une autre exécution"):
        edition_folder.replace(tmp_path / "2026", {}, None)


def test_what_was_half_written_long_ago_is_removed(tmp_path: Path) -> None:
    old, new = (tmp_path / f".2026.{t * 8}{TEMPORARY}" for t in "ab")
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, 0))
    create(tmp_path / "2026")
    assert sorted(p.name for p in tmp_path.iterdir()) == [new.name, "2026"]


def test_links_and_roundabout_paths_lead_to_the_folder(tmp_path: Path) -> None:
    create(tmp_path / "e")
    (tmp_path / "lien").symlink_to(tmp_path / "e", target_is_directory=True)
    create(tmp_path / "e" / ".." / "e")
    monitoring.validate_edition(tmp_path / "lien", by="COPIL")
    assert (tmp_path / "lien").is_symlink()
    assert monitoring.open_edition(tmp_path / "e").validated_by == "COPIL"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["e", "lien"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"files": {".htaccess": b""}}, "nom caché"),
        ({"files": {"sub/.x": b""}}, "nom caché"),
        ({"files": {".": b""}}, "d'aucun fichier"),
        ({"files": {"a": b"", "./a": b"1"}}, "donné deux fois"),
        ({"date": 20260301}, "écrire 2026-03-01"),
        ({"date": 3.5}, "écrire 2026-03-01"),
    ],
)
def test_what_could_not_be_opened_again_is_not_written(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(BarometreError, match=said):
        create(tmp_path / "x", **options)
    assert list(tmp_path.iterdir()) == []


def test_names_are_those_given(tmp_path: Path) -> None:
    files = {"edition.toml": b"x", "sub/edition.toml": b"y"}
    for part in ("2021", "2022"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "base.csv").write_text(part)
    inputs = [tmp_path / part / "base.csv" for part in ("2021", "2022")]
    made = create(tmp_path / "x", files=files, inputs=inputs)
    again = monitoring.open_edition(tmp_path / "x")
    assert again.outputs == made.outputs
    assert list(again.inputs) == [path.as_posix() for path in inputs]
    (tmp_path / "x" / "suivi" / "edition.toml").write_text("x")
    with pytest.raises(FaultsError, match=r"suivi/edition\.toml : en trop"):
        monitoring.open_edition(tmp_path / "x")


@pytest.mark.parametrize("blocked", ["2026", "made"])
def test_a_locked_folder_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocked: str
) -> None:
    """A folder opened elsewhere cannot be renamed: the edition stays, and the remedy is told."""
    folder = tmp_path / "2026"
    create(folder)
    before, renamed = content(folder), Path.rename

    def refused(path: Path, target: Path) -> Path:
        if path.name == blocked or (blocked == "made" and not path.name.endswith(("2026", "enne"))):
            raise PermissionError(13, "Permission denied")
        return renamed(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(BarometreError, match="ouvert, protégé ou plein"):
        create(folder, RESULTS[RESULTS["annee"] > 2018])
    with pytest.raises(BarometreError, match="non écrite"):
        monitoring.validate_edition(folder, by="COPIL")
    monkeypatch.setattr(Path, "rename", renamed)
    assert content(folder) == before
    assert [p.name for p in tmp_path.iterdir()] == ["2026"]


# ---- what changed -------------------------------------------------------------------------------


def test_no_difference_is_no_change() -> None:
    assert monitoring.compare_editions(RESULTS, RESULTS.sample(frac=1, random_state=1)).empty


def test_correcting_one_printed_value_revises_one_and_names_what_depends_on_it() -> None:
    tables = bcs.datasets.make_tables(30, years=(2021,), seed=3, secrecy=False)
    name, column = "demandeurs_emploi", "demandeurs_abc"
    changed = {table: tables[table].copy() for table in tables}
    key = changed[name].index[0]
    changed[name].loc[key, column] += 60
    found = monitoring.compare_editions(
        bcs.compute(tables), bcs.compute(changed), reason="correction"
    )
    (revised,) = found[found["nature"] == "révisée"].to_dict("records")
    assert (revised["code"], revised["indicateur"]) == (key[0], "demandeurs_emploi_abc")
    assert (revised["apres"] - revised["avant"], revised["raison"]) == (60, "correction")
    others = found[found["nature"] != "révisée"]
    assert set(others["nature"]) == {"dépendante"}
    assert set(others["depend_de"]) == {"demandeurs_emploi_abc"}
    assert "taux_demandeurs_emploi_abc" in set(others["indicateur"])
    assert set(found["code"]) == {key[0]}


def test_every_kind_of_change() -> None:
    columns = [
        "code",
        "annee",
        "indicateur",
        "valeur",
        "statut",
        "borne_inf",
        "borne_sup",
        "qualite",
        "origine",
        "note",
    ]

    def frame(*rows: tuple[object, ...]) -> pd.DataFrame:
        full = [
            (code, 2020, "x", value, status, None, None, quality, origin, None)
            for code, value, status, quality, origin in rows
        ]
        return pd.DataFrame(full, columns=columns)

    old = frame(("a", 1.0, "ok", None, "calcule"), ("b", None, "secret", None, "calcule"), ("c", 3.0, "ok", None, "calcule"), ("d", 4.0, "ok", None, "calcule"), ("e", 5.0, "ok", None, "calcule"), ("f", None, "non_disponible", None, "calcule"), ("g", 7.0, "ok", None, "calcule"), ("same", 8.0, "ok", None, "calcule"))  # fmt: skip
    new = frame(("a", 2.0, "ok", None, "calcule"), ("b", 2.0, "ok", None, "calcule"), ("c", None, "secret", None, "calcule"), ("d", 4.0, "ok", "douteux", "calcule"), ("e", 5.0, "ok", None, "publie"), ("f", None, "sans_objet", None, "calcule"), ("h", 9.0, "ok", None, "calcule"), ("same", 8.0, "ok", None, "calcule"))  # fmt: skip
    found = monitoring.compare_editions(old, new).set_index("code")["nature"].to_dict()
    assert found == {"a": "révisée", "b": "publiée après secret", "c": "devenue secrète", "d": "autre qualité", "e": "autre méthode", "f": "autre absence", "g": "retirée", "h": "nouvelle"}  # fmt: skip
    followed = monitoring.compare_editions(old, new, passage={"g": "h"}).set_index("code")
    assert (followed.loc["g", "nature"], followed.loc["g", "suivi_par"]) == ("suivie", "h")


def test_what_two_editions_give_back_together() -> None:
    shown = RESULTS[RESULTS["indicateur"] == "population"].head(4).copy()
    assert len(shown) == 4
    codes = list(shown["code"])
    hidden = shown.copy()
    hidden.loc[hidden["code"] == codes[0], ["valeur", "statut"]] = [None, "secret"]
    direct = monitoring.disclosures({"2025": hidden, "2026": shown})
    assert list(direct["code"]) == [codes[0]]
    assert direct["valeur"].item() == shown["valeur"].iloc[0]
    assert monitoring.disclosures({"2025": hidden, "2026": hidden}).empty
    whole = shown.tail(1).assign(code="TOUT", valeur=shown["valeur"].sum())
    membership = dict.fromkeys(codes, "TOUT")
    summed = monitoring.disclosures({"quartiers": hidden, "ensemble": whole}, membership)
    assert summed["code"].tolist() == [codes[0]]
    assert summed["valeur"].item() == pytest.approx(shown["valeur"].iloc[0])
    two = hidden.copy()
    two.loc[two["code"] == codes[1], ["valeur", "statut"]] = [None, "secret"]
    assert monitoring.disclosures({"quartiers": two, "ensemble": whole}, membership).empty
