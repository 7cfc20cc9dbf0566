"""Files are written whole or not at all, where and as their owner wants them; TOML is read back."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.base.files import TEMPORARY, replacing, write_text
from barometre.base.toml import read_toml, toml_text
from barometre.composite import HDI, Bounds, Leaf, Node


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_new_file_follows_the_umask(tmp_path: Path, umask: int) -> None:
    assert mode_of(write_text(tmp_path / "a.txt", "é")) == 0o666 & ~umask
    Bounds({"x": (0, 1)}).to_toml(tmp_path / "b.toml")
    bcs.write_results(bcs.compute(bcs.datasets.tables(), "taux_emploi_15_64"), tmp_path / "c.csv")
    assert {mode_of(p) for p in tmp_path.iterdir()} == {0o666 & ~umask}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o700])
def test_the_mode_of_a_file_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.txt"
    path.write_text("avant")
    path.chmod(mode)
    with replacing(path) as temporary:
        assert mode_of(temporary) & ~mode & 0o077 == 0  # never open to others in the meantime
        temporary.write_text("après")
    assert (path.read_text(), mode_of(path)) == ("après", mode)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "disque").mkdir()
    target = tmp_path / "disque" / "vrai.csv"
    link = tmp_path / "lien.csv"
    link.symlink_to(Path("disque") / "vrai.csv")  # to a file that does not exist yet
    for text in ("un", "deux"):
        assert write_text(link, text) == link
        assert link.is_symlink()
        assert target.read_text() == text
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["disque", "lien.csv", "vrai.csv"]


def test_links_in_a_ring_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(BarometreError, match=r"lien symbolique.*; corriger le lien"):
        write_text(tmp_path / "a", "x")


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, OSError, BarometreError])
def test_a_failure_leaves_what_was_there(tmp_path: Path, failure: type[BaseException]) -> None:
    path = write_text(tmp_path / "a.csv", "avant")
    expected = BarometreError if failure is OSError else failure

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_text("la moitié")
            raise failure

    with pytest.raises(expected):
        write_half()
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_text() == "avant"


def test_what_an_interrupted_run_left_is_hidden_known_and_in_no_ones_way(tmp_path: Path) -> None:
    path = tmp_path / "logements.csv"
    left = []
    for _ in range(3):
        writing = replacing(path)
        temporary = writing.__enter__()
        left.append(temporary)
        kept = temporary.read_bytes()
        writing.__exit__(None, None, None)
        temporary.write_bytes(kept)  # as if the process had been killed
    assert len(set(left)) == 3
    assert all(p.parent == tmp_path and p.name.startswith(".") for p in left)
    assert all(p.name.endswith(f"{TEMPORARY}.csv") for p in left)
    assert write_text(path, "fin").read_text() == "fin"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOSPC, "disque plein"), (errno.EDQUOT, "quota"), (errno.EACCES, "non autorisée"),
        (errno.EROFS, "lecture seule"), (errno.EIO, os.strerror(errno.EIO)),
    ],
)  # fmt: skip
def test_errors_of_a_disk_are_told(tmp_path: Path, code: int, message: str) -> None:
    path = tmp_path / "a.csv"

    def write() -> None:
        with replacing(path):
            raise OSError(code, os.strerror(code))

    with pytest.raises(BarometreError, match=rf"a\.csv : écriture imp.*\(.*{message}.*\) ; \w+"):
        write()
    assert [*tmp_path.iterdir()] == []


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "dossier.csv").mkdir()
    (tmp_path / "fichier").write_text("x")
    for place, message in (
        (tmp_path / "dossier.csv", "c'est un dossier"),
        (tmp_path / "fichier" / "a.csv", "un fichier porte le nom d'un dossier"),
        (tmp_path / ("a" * 300 + ".csv"), "nom trop long"),
        (Path("/dev/null"), "ce n'est pas un fichier"),
    ):
        with pytest.raises(BarometreError, match=message):
            write_text(place, "x")
    assert write_text(tmp_path / "deux" / "dossiers" / "a.csv", "x").read_text() == "x"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_what_is_protected_is_left(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a.csv", "gardé")
    path.chmod(0o444)
    with pytest.raises(BarometreError, match="non autorisée"):
        write_text(path, "x")
    path.chmod(0o644)
    tmp_path.chmod(0o555)
    with pytest.raises(BarometreError, match="non autorisée"):
        write_text(path, "x")
    tmp_path.chmod(0o755)
    assert path.read_text() == "gardé"


def test_a_text_that_utf8_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match=r"UTF-8 \('\\udc80'\)"):
        write_text(tmp_path / "a.txt", "abc\udc80")


# ---- TOML ---------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.booleans(),
    st.booleans().map(np.bool_),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**31), 2**31 - 1).map(np.int64),
    st.integers(0, 255).map(np.uint8),
    st.floats(allow_nan=False),
    st.floats(allow_nan=False).map(np.float64),
    st.floats(width=32, allow_nan=False).map(np.float32),
    st.text(st.characters(codec="utf-8")),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")).map(np.str_),
    st.dates(),
)
NAMES = st.text(st.characters(codec="utf-8"))
ENTRIES = st.dictionaries(
    NAMES,
    st.recursive(
        SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(NAMES, x, max_size=3)
    ),
)


@given(entries=ENTRIES)
def test_any_mapping_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "a.toml"
    assert read_toml(write_text(path, toml_text(entries))) == entries


def test_numbers_of_numpy_are_written_plain(tmp_path: Path) -> None:
    text = toml_text({"a": np.array([1.5, 2.0]), "b": np.int64(3), "c": np.True_, "d": None})
    assert text == "a = [\n    1.5,\n    2.0,\n]\nb = 3\nc = true\n"
    tree = HDI.with_weights({"education": np.float64(2)})
    path = tree.to_toml(tmp_path / "indice.toml")
    assert "np." not in path.read_text()
    assert type(tree).from_toml(path) == tree
    numbers: dict[str, Any] = {"direction": np.int64(1), "weight": np.float32(0.5)}
    leaf = Leaf(np.str_("a"), "r", low=0, high=np.float64(9), **numbers)
    one = type(tree)((leaf,), (Node("r", aggregate=np.float64(0.5)),))
    assert type(tree).from_toml(one.to_toml(path)) == one
    dated = Bounds({"x": (0, 1)}, date=pd.Timestamp("2024-05-06"))
    assert Bounds.from_toml(dated.to_toml(path)) == dated
