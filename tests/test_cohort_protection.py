"""Pseudonyms, k-anonymity, small groups."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.cohort.protection import hide_small_groups, k_anonymity
from barometre.cohort.pseudonyms import create_key, pseudonymise


def test_rfc_4231_case_7(tmp_path: Path) -> None:
    """RFC 4231, test case 7: a key of 131 bytes 0xaa and a long message."""
    (tmp_path / "cle").write_bytes(b"\xaa" * 131)
    message = (
        "This is a test using a larger than block-size key and a larger than block-size data. "
        "The key needs to be hashed before being used by the HMAC algorithm."
    )
    expected = "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    assert pseudonymise([message], key_file=tmp_path / "cle").tolist() == [expected]


def test_a_person_keeps_a_pseudonym(tmp_path: Path) -> None:
    create_key(tmp_path / "cle")
    waves = pd.Series(["0123", "456", "0123"], index=[5, 6, 7])
    found = pseudonymise(waves, key_file=tmp_path / "cle")
    assert found.index.equals(waves.index)
    assert found[5] == found[7] != found[6]
    create_key(tmp_path / "autre")
    assert pseudonymise(waves, key_file=tmp_path / "autre")[5] != found[5]
    assert pseudonymise(pd.Series([123]), key_file=tmp_path / "cle")[0] != found[5]


def test_the_key_is_private_and_never_replaced(tmp_path: Path) -> None:
    create_key(tmp_path / "cle")
    assert stat.S_IMODE((tmp_path / "cle").stat().st_mode) == 0o600
    with pytest.raises(BarometreError, match="existe déjà"):
        create_key(tmp_path / "cle")


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURTE", "abc")
    monkeypatch.setenv("CLE", "x" * 32)
    with pytest.raises(BarometreError, match="3 octets"):
        pseudonymise(["a"], key_variable="COURTE")
    with pytest.raises(BarometreError, match="l'un des deux"):
        pseudonymise(["a"])
    with pytest.raises(BarometreError, match="illisible"):
        pseudonymise(["a"], key_file=tmp_path / "rien")
    with pytest.raises(BarometreError, match="1 identifiant manquant"):
        pseudonymise(pd.Series(["a", None]), key_variable="CLE")
    with pytest.raises(BarometreError, match="dtype=str"):
        pseudonymise(pd.Series([1.0, 2.0]), key_variable="CLE")


def test_k_anonymity_by_hand() -> None:
    people = pd.DataFrame(
        {"sexe": ["F", "F", "H", None], "age": [1, 1, 2, 2], "revenu": ["a", "b", "a", "a"]}
    )
    report = k_anonymity(people, ["sexe", "age"], k=2, sensitive="revenu")
    assert report["n"].tolist() == [1, 1, 2]
    assert report["distinct"].tolist() == [1, 1, 2]
    assert {name: report.meta[name] for name in ("k", "n_small", "n_unique", "n_in", "l")} == {
        "k": 1, "n_small": 2, "n_unique": 2, "n_in": 4, "l": 1,
    }  # fmt: skip
    with pytest.raises(BarometreError, match="taille, poids : colonnes absentes"):
        k_anonymity(people, ["taille", "poids"])
    assert k_anonymity(people.iloc[:0], ["sexe"]).meta["k"] == 0


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=60), st.integers(1, 20))
def test_groups_of_a_report_add_up(values: list[str], k: int) -> None:
    report = k_anonymity(pd.DataFrame({"x": values}), ["x"], k=k)
    assert report["n"].sum() == len(values)
    assert report.meta["n_small"] == sum(n for n in pd.Series(values).value_counts() if n < k)


def test_a_lone_hidden_group_takes_another_with_it() -> None:
    table = pd.DataFrame(
        {
            "zone": ["A", "A", "A", "B", "B"],
            "arm": [0, 1, 2, 0, 1],
            "n": [40, 5, 20, 30, 0],
            "rate": [1.0, 2.0, 3.0, 4.0, np.nan],
        }
    )
    shown = hide_small_groups(table.drop(columns="arm"), within="zone")
    assert shown["status"].tolist() == [
        "publie", "secret_primaire", "secret_secondaire", "publie", "publie",
    ]  # fmt: skip
    assert shown["n"].isna().tolist() == [False, True, True, False, False]
    assert shown["rate"].isna().tolist() == [False, True, True, False, True]
    assert table["n"].tolist() == [40, 5, 20, 30, 0]


@given(st.lists(st.integers(0, 60), min_size=2, max_size=12), st.integers(2, 30))
def test_no_hidden_group_is_the_rest_of_a_total(counts: list[int], threshold: int) -> None:
    shown = hide_small_groups(pd.DataFrame({"n": counts}), threshold=threshold)
    hidden = [n for n, said in zip(counts, shown["status"], strict=True) if said != "publie"]
    assert all(n == 0 or n >= threshold for n in shown["n"].dropna())
    if any(0 < n < threshold for n in counts) and sum(n > 0 for n in counts) > 1:
        assert len(hidden) >= 2
        assert sum(hidden) >= threshold or sum(counts) == sum(hidden)


def test_a_report_on_one_column_and_names_already_taken() -> None:
    people = pd.DataFrame({"sexe": ["F", "F", "H"], "n": [1, 2, 3]})
    assert k_anonymity(people, "sexe")["n"].tolist() == [1, 2]
    with pytest.raises(BarometreError, match="renommer"):
        k_anonymity(people, ["sexe", "n"])


def test_waves_stay_in_a_table_with_hidden_rows() -> None:
    table = pd.DataFrame({"wave": [2024, 2025, 2026], "n": [5, 20, 30], "rate": [0.1, 0.2, 0.3]})
    shown = hide_small_groups(table, keep="wave")
    assert shown["wave"].tolist() == [2024, 2025, 2026]
    assert shown["rate"].isna().tolist() == [True, True, False]
    with pytest.raises(BarometreError, match="effectif négatif"):
        hide_small_groups(table.assign(n=-1))
    with pytest.raises(BarometreError, match="date : colonne absente"):
        hide_small_groups(table, keep=["date"])
