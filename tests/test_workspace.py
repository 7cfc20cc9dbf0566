"""A working folder: its ``barometre.toml`` is written and read from the same description."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError
from barometre.pages.workspace import Config, config_text, find_config

HAINAUT = "200042190"


def sections() -> dict[str, type]:
    defaults = Config(Path())
    return {f.name: type(getattr(defaults, f.name)) for f in dataclasses.fields(Config)[1:]}


def test_a_folder_is_made_and_read_back(tmp_path: Path) -> None:
    file = bcs.init_folder(tmp_path / "mon dossier", epci="La Porte du Hainaut")
    folder = file.parent
    assert sorted(p.name for p in folder.iterdir()) == [
        "barometre.toml", "editions", "sources", "suivi",
    ]  # fmt: skip
    assert "CA de la Porte du Hainaut" in file.read_text("utf-8").splitlines()[0]
    config = bcs.load_config(folder)
    assert config == bcs.load_config(file)
    assert config.territoire.epci == (HAINAUT,)
    assert len(config.place().codes["commune"]) == 47
    assert config.path(config.sources.dossier) == folder / "sources"
    assert dataclasses.replace(config, dossier=Path(), territoire=Config(Path()).territoire) == Config(Path())  # fmt: skip
    assert find_config(folder / "sources") == file.resolve()


def test_every_kind_of_territory_can_be_that_of_a_folder(tmp_path: Path) -> None:
    asked = {"epci": "Plaine Commune", "dep": "2A", "commune": ["Denain", "75056"]}
    for option, names in asked.items():
        file = bcs.init_folder(tmp_path / option, **{option: names})  # type: ignore[arg-type]  # by name
        expected = bcs.selection(**{option: names})  # type: ignore[arg-type]  # same
        assert bcs.load_config(file).place() == expected


def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "a.csv").write_text("x", "utf-8")
    file = bcs.init_folder(tmp_path, dep="59")
    before = file.read_bytes()
    with pytest.raises(BarometreError, match="existe déjà"):
        bcs.init_folder(tmp_path, dep="62")
    assert file.read_bytes() == before
    assert (tmp_path / "sources" / "a.csv").read_text("utf-8") == "x"
    for nothing in ({}, {"epci": "Denain"}):
        with pytest.raises(BarometreError, match=r"donner epci=|n'est pas de niveau epci"):
            bcs.init_folder(tmp_path / "autre", **nothing)
    assert not (tmp_path / "autre").exists()


def test_every_key_is_explained_and_its_example_is_admitted(tmp_path: Path) -> None:
    """With the marks of comment taken off the examples, the file is one that is read."""
    text = config_text({})
    keys = {line.split(" = ")[0].removeprefix("# ") for line in text.splitlines() if " = " in line}
    expected = {f.name for kind in sections().values() for f in dataclasses.fields(kind)}
    assert keys == expected
    assert set(tomllib.loads(text)) == set(sections())
    opened = []
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        is_value = bare.split(" = ")[0] in expected or bare == "]" or bare.startswith("    ")
        opened.append(bare if is_value else line)
    (tmp_path / "barometre.toml").write_text("\n".join(opened), "utf-8")
    config = bcs.load_config(tmp_path)
    for name, kind in sections().items():
        for key in dataclasses.fields(kind):
            example, value = key.metadata["exemple"], getattr(getattr(config, name), key.name)
            wanted: object = example if key.default in (None, ()) else key.default
            if isinstance(value, tuple):
                wanted = tuple(wanted) if isinstance(wanted, list) else (wanted,)
            assert value == wanted


def test_all_faults_are_told_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "barometre.toml").write_text(
        'langue = "fr"\n[seuil]\n[seuils]\nsecrt = 11\nproche = 5\nsecret = 1.5\nconfiance = true\n'
        '[sorties]\nlangue = "de"\n[territoire]\nepci = 200042190\nmillesime = 2020\n'
        '[sources]\nfichier_fautif = "skip"\n',
        "utf-8",
    )
    with pytest.raises(FaultsError) as refused:
        bcs.load_config(tmp_path)
    told = {fault.lieu: f"{fault.probleme} ; {fault.remede}" for fault in refused.value.defauts}
    assert told == {
        "langue": "section inconnue ; choisir parmi [territoire], [references], [sources], [sorties], [editions], [seuils]",
        "seuil": "section inconnue ; vouliez-vous dire « [seuils] » ?",
        "seuils.secrt": "clé inconnue ; vouliez-vous dire « secret » ?",
        "seuils.proche": "5 refusé ; donner un nombre de 0 à 1 exclu",
        "seuils.secret": "1.5 refusé ; donner un entier d'au moins 2",
        "seuils.confiance": "true refusé ; donner un nombre entre 0 et 1",
        "sorties.langue": '"de" refusé ; donner « fr » ou « en »',
        "territoire.epci": "200042190 refusé ; donner un code ou un nom, ou une liste",
        "territoire.millesime": "2020 refusé ; donner une année, de 2021 à 2026",
        "sources.fichier_fautif": '"skip" refusé ; donner « refuser » ou « ignorer »',
    }


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match=r"illisible .*barometre init"):
        bcs.load_config(tmp_path)
    (tmp_path / "barometre.toml").write_text("[seuils\n", "utf-8")
    with pytest.raises(BarometreError, match="corriger la syntaxe TOML"):
        bcs.load_config(tmp_path)
    (tmp_path / "barometre.toml").write_bytes("epci = 'é'".encode("cp1252"))
    with pytest.raises(BarometreError, match="corriger la syntaxe TOML"):
        bcs.load_config(tmp_path)
    (tmp_path / "barometre.toml").write_text("", "utf-8")
    with pytest.raises(BarometreError, match="aucun territoire"):
        bcs.load_config(tmp_path).place()


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1), st.text())
def test_any_text_is_written_so_that_it_is_read_back(names: list[str], title: str) -> None:
    text = config_text({"territoire": {"epci": names}}, title=title)
    read = tomllib.loads(text)["territoire"]["epci"]
    assert ([read] if isinstance(read, str) else read) == names


def test_the_paths_of_the_file_start_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "zones.csv").write_text("code\n59172\n", "utf-8")
    (tmp_path / "ca.csv").write_text("COM;EPCI\n59172;245901160\n", "utf-8")
    (tmp_path / "barometre.toml").write_text(
        '[territoire]\nzones = "zones.csv"\nappartenances = "ca.csv"\nmillesime = 2025\n', "utf-8"
    )
    place = bcs.load_config(tmp_path).place()
    assert place.codes["commune"] == ("59172",)
    assert place.references["epci"] == ("245901160",)
    assert place.members.vintage == 2025
