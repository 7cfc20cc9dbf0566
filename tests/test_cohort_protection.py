"""Pseudonyms, k-anonymity, small groups."""

from __future__ import annotations

import re
import secrets
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError, FaultsError
from barometre.cohort.protection import count_people, hide_small_groups, k_anonymity
from barometre.cohort.pseudonyms import PseudonymWarning, create_key, pseudonymise


def test_rfc_4231_case_7(tmp_path: Path) -> None:
    """RFC 4231, test case 7: a key of 131 bytes 0xaa and a long message."""
    (tmp_path / "cle").write_bytes(b"\xaa" * 131)
    (tmp_path / "cle").chmod(0o600)
    message = (
        "This is a test using a larger than block-size key and a larger than block-size data. "
        "The key needs to be hashed before being used by the HMAC algorithm."
    )
    expected = "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    with pytest.warns(PseudonymWarning, match="facile à deviner"):
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
    assert re.fullmatch("[0-9a-f]{64}\n", (tmp_path / "cle").read_text())  # 32 bytes, as SHA-256
    with pytest.raises(BarometreError, match="existe déjà"):
        create_key(tmp_path / "cle")


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURTE", "abc")
    monkeypatch.setenv("CLE", secrets.token_hex(32))
    with pytest.raises(BarometreError, match="3 octets"):
        pseudonymise(["a"], key_variable="COURTE")
    with pytest.raises(BarometreError, match="l'un des deux"):
        pseudonymise(["a"])
    with pytest.raises(BarometreError, match="illisible"):
        pseudonymise(["a"], key_file=tmp_path / "rien")
    with pytest.raises(BarometreError, match=r"1 identifiant manquant\b"):
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
    declared = people.astype({"sexe": pd.CategoricalDtype(["F", "H", "X"])})
    nobody = k_anonymity(declared, ["sexe"])  # of a category that nobody has, nothing is told
    assert nobody["n"].tolist() == k_anonymity(people, ["sexe"])["n"].tolist()


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
        "publie", "secret", "secret", "publie", "publie",
    ]  # fmt: skip
    assert shown["n"].isna().tolist() == [False, True, True, False, False]
    assert shown["rate"].isna().tolist() == [False, True, True, False, True]
    assert table["n"].tolist() == [40, 5, 20, 30, 0]


def test_a_report_on_one_column_and_names_already_taken() -> None:
    people = pd.DataFrame({"sexe": ["F", "F", "H"], "n": [1, 2, 3]})
    assert k_anonymity(people, "sexe")["n"].tolist() == [1, 2]
    with pytest.raises(BarometreError, match="renommer"):
        k_anonymity(people, ["sexe", "n"])


def test_waves_stay_in_a_table_with_hidden_rows() -> None:
    table = pd.DataFrame({"wave": [2024, 2025, 2026], "n": [30, 5, 20], "rate": [0.1, 0.2, 0.3]})
    shown = hide_small_groups(table, keep="wave")
    assert shown["wave"].tolist() == [2024, 2025, 2026]
    assert shown["rate"].isna().tolist() == [False, True, True]
    with pytest.raises(BarometreError, match="effectif négatif"):
        hide_small_groups(table.assign(n=-1))
    with pytest.raises(BarometreError, match="date : colonne absente"):
        hide_small_groups(table, keep=["date"])
    with pytest.raises(BarometreError, match="status : nom d'une colonne du résultat"):
        hide_small_groups(table.assign(status="x"))
    with pytest.raises(BarometreError, match="valeurs de type list"):
        hide_small_groups(
            table.assign(zone=pd.Series([["a"], ["b"], ["b"]], dtype=object)), within="zone"
        )


def test_what_would_give_a_hidden_row_back_goes_with_it() -> None:
    table = pd.DataFrame(
        {
            "state": list("abcd"), "n": [40, 0, 5, 12], "share": [0.7, 0.0, 0.088, 0.212],
            "entropy": [0.6] * 4, "all": [57] * 4, "cumulative": [40, 40, 45, 57],
            "text": pd.Series([40, 0, 5, 12], dtype=object), "said": ["x"] * 4,
        }
    )  # fmt: skip
    shown = hide_small_groups(table)
    assert shown["n"].isna().tolist() == [False, False, True, True]
    assert shown["share"].isna().tolist() == [False, True, True, True]
    assert shown["entropy"].isna().all()
    assert shown["all"].isna().tolist() == [False, True, True, True]
    assert shown["cumulative"].isna().tolist() == [False, True, True, True]
    assert shown["text"].isna().tolist() == [False, True, True, True]
    assert shown["said"].tolist() == ["x"] * 4
    large = hide_small_groups(table.assign(n=[40, 0, 15, 12]))
    assert large.drop(columns=["status", "total_status"]).notna().all(axis=None)


# ---- identifiers and keys -----------------------------------------------------------------------


@pytest.fixture
def key(tmp_path: Path) -> Path:
    create_key(tmp_path / "cle")
    return tmp_path / "cle"


@pytest.mark.parametrize(
    ("identifiers", "problem"),
    [
        ([123.0, "x"], "ni texte ni entier .float."),
        ([True, 1], "ni texte ni entier .bool."),
        ([np.True_, 1], "ni texte ni entier .bool"),
        (["", " ", "x"], "2 identifiants vides"),
        ([["a"], ["b"]], "2 identifiants ni texte ni entier .list."),
        ([{"a": 1}], "ni texte ni entier .dict."),
        ([b"a"], "ni texte ni entier .bytes."),
        ([pd.Timestamp(2024, 1, 1)], "ni texte ni entier"),
        (["a\u200b", "b"], "1 identifiant avec un caractère invisible"),
        (["\ufeffa"], "caractère invisible"),
        (["a\n"], "caractère invisible"),
        ([None, np.nan, pd.NA, "x"], "3 identifiants manquants"),
    ],
)
def test_identifiers_that_could_be_two_people_or_none(
    identifiers: list[object], problem: str, key: Path
) -> None:
    with pytest.raises(FaultsError, match=problem):
        pseudonymise(pd.Series(identifiers, dtype=object), key_file=key)


def test_one_person_one_pseudonym_whatever_the_type(key: Path) -> None:
    texts = pseudonymise(["123", "é", "7"], key_file=key)
    assert pseudonymise(pd.Series([123, "é", 7], dtype=object), key_file=key).equals(texts)
    for dtype in ("int64", "Int64", "uint8"):
        assert pseudonymise(pd.Series([123, 7], dtype=dtype), key_file=key)[0] == texts[0]
    assert pseudonymise(pd.Series(["7", "é"], dtype="category"), key_file=key)[0] == texts[2]
    with pytest.warns(PseudonymWarning, match="1 identifiant aux accents décomposés"):
        assert pseudonymise(["e\u0301"], key_file=key)[0] == texts[1]
    with pytest.warns(PseudonymWarning, match="espaces autour"):
        assert pseudonymise([" 7"], key_file=key)[0] != texts[2]
    assert pseudonymise([], key_file=key).empty


@pytest.mark.parametrize("name", ["key_file", "key_variable"])
@pytest.mark.parametrize(
    "secret",
    ["SUPERSECRETKEY0123456789", "SECRET/0123456789/abcdef==", "S" * 5000, "SEC\0RET", "SECRET=1"],
)
def test_a_key_given_by_mistake_is_not_quoted(name: str, secret: str) -> None:
    with pytest.raises(BarometreError, match="cl") as refused:
        pseudonymise(["a"], **{name: secret})
    assert "SEC" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_key_files_as_editors_and_systems_leave_them(key: Path, tmp_path: Path) -> None:
    whole = pseudonymise(["a"], key_file=key)[0]
    content = key.read_bytes()
    key.write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    with pytest.warns(PseudonymWarning, match="BOM"):
        assert pseudonymise(["a"], key_file=key)[0] == whole
    key.write_bytes(content.decode().encode("utf-16"))
    with pytest.raises(BarometreError, match="UTF-16"):
        pseudonymise(["a"], key_file=key)
    key.write_bytes(content)
    for mode in (0o644, 0o640, 0o602):
        key.chmod(mode)
        with pytest.warns(PseudonymWarning, match="chmod 600"):
            assert pseudonymise(["a"], key_file=key)[0] == whole
    key.chmod(0o600)
    for weak in ("x" * 32, "0123456789abcdef", "motdepassemotdepasse", "abababababababababab"):
        key.write_text(weak)
        with pytest.warns(PseudonymWarning, match="facile à deviner"):
            pseudonymise(["a"], key_file=key)
    with pytest.raises(BarometreError, match="le dossier de la clé n'existe pas") as refused:
        create_key(tmp_path / "absent" / "cle")
    assert "absent/" not in str(refused.value)
    with pytest.raises(BarometreError, match="illisible"):
        pseudonymise(["a"], key_file=tmp_path)


# ---- people counted once ------------------------------------------------------------------------


def test_rows_of_one_person_are_one_person() -> None:
    waves = pd.DataFrame({"id": ["a"] * 12 + ["b", "c"], "zone": ["Z"] * 13 + ["Y"]})
    assert k_anonymity(waves, ["zone"]).meta["n_small"] == 1  # fourteen rows: thirteen in Z
    report = k_anonymity(waves, ["zone"], person="id")
    assert report.set_index("zone")["n"].to_dict() == {"Y": 1, "Z": 2}
    assert (report.meta["n_small"], report.meta["n_in"]) == (3, 3)
    with pytest.raises(BarometreError, match="2 lignes sans personne"):
        k_anonymity(waves.assign(id=waves["id"].where(waves["id"] == "a")), ["zone"], person="id")


@pytest.mark.parametrize(
    ("columns", "options", "problem"),
    [
        (["liste"], {}, "liste : valeurs de type list"),
        (["zone"], {"person": "liste"}, "liste : valeurs de type list"),
        (["zone"], {"sensitive": "liste"}, "liste : valeurs de type list"),
        ([["zone"]], {}, "colonne absente"),
        (["zone", "zone"], {}, "colonne en double"),
        ([], {}, "liste vide"),
        (["zone"], {"k": 0}, "k=0 refusé"),
        (["zone"], {"k": "11"}, "refusé"),
        (["zone"], {"person": "absent"}, "absent : colonne absente"),
    ],
)
def test_reports_end_in_our_errors(
    columns: list[str], options: dict[str, Any], problem: str
) -> None:
    people = pd.DataFrame({"zone": ["a", "b"], "liste": [["x"], ["y"]]})
    with pytest.raises(BarometreError, match=problem):
        k_anonymity(people, columns, **options)


def test_tables_of_people_end_in_our_errors() -> None:
    people = pd.DataFrame({"id": [["a"], ["b"]], "zone": ["a", "b"], "sexe": ["F", "H"]})
    with pytest.raises(BarometreError, match="id : valeurs de type list"):
        count_people(people, "id", "zone", "sexe")
    with pytest.raises(BarometreError, match="âge : colonne absente"):
        count_people(people, "id", "zone", "âge")
    with pytest.raises(BarometreError, match="donner un DataFrame"):
        k_anonymity([1, 2], ["zone"])  # type: ignore[arg-type]  # that is the point
    for names in (None, 3, [["zone", "sexe"]]):
        with pytest.raises(BarometreError, match="colonne absente"):
            k_anonymity(people, names)  # type: ignore[arg-type]  # that is the point
    for frame in (people, {"a": "x"}):
        with pytest.raises(BarometreError, match=r"reçu ; donner une colonne"):
            pseudonymise(frame, key_variable="CLE")  # type: ignore[arg-type]  # that is the point
