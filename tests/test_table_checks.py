"""Every way for a table to be refused: the words, the place, the rows."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError, TableError, UnknownNameError
from barometre.cards.columns import MODELS, PART_TOLERANCE, columns_of
from barometre.cards.listing import load_cards
from barometre.tables import check
from barometre.tables.check import PUBLISHED, check_table
from tests.strategies import valid_tables


def logements(**columns: object) -> pd.DataFrame:
    base = {"code": ["59172", "01001"], "annee": [2021, 2021], "logements": [780.0, 100.0]}
    return pd.DataFrame(base | columns)


REFUSED: dict[str, tuple[Callable[[], pd.DataFrame], list[str]]] = {
    "lost zero": (
        lambda: logements(code=["59172", "1001"]),
        ["« 1001 » n'a que 4 caractères", "zéro initial perdu"],
    ),
    "codes as numbers": (
        lambda: logements(code=[59172, 1001]),
        ["codes lus comme des nombres (59172 ; 1001)", "dtype={'code': str}"],
    ),
    "codes as floats in text": (
        lambda: logements(code=["59172.0", "01001"]),
        ["codes d'aucune forme connue : 59172.0"],
    ),
    "missing code": (lambda: logements(code=["59172", None]), ["1 code manquant"]),
    "year with decimals": (
        lambda: logements(annee=[2021, 2021.5]),
        ["années illisibles : 2021,5"],
    ),
    "year as a word": (lambda: logements(annee=["2021", "N-1"]), ["années illisibles", "N-1"]),
    "key given twice": (
        lambda: logements(code=["59172", "59172"]),
        ["1 clé (code, annee) en double : 59172 en 2021"],
    ),
    "no key": (lambda: logements().drop(columns="annee"), ["annee : colonne absente"]),
    "unknown column": (
        lambda: logements(logement_vacants=[1.0, 2.0]),
        ["logement_vacants : colonne inconnue", "vouliez-vous dire « logements_vacants »"],
    ),
    "numbers as text": (
        lambda: logements(logements=["1 234", "100"]),
        ["logements : nombres lus comme du texte (1 234 ; 100)", "séparateur décimal"],
    ),
    "negative": (
        lambda: logements(logements_vacants=[-3.0, 2.0]),
        ["logements_vacants : 1 valeur hors des limites (minimum 0) : 59172 en 2021 : −3"],
    ),
    "infinite": (
        lambda: logements(logements=[np.inf, 2.0]),
        ["hors des limites", "59172 en 2021 : ∞"],
    ),
    "part over whole": (
        lambda: logements(logements_vacants=[812.0, 2.0]),
        ["logements_vacants : 1 valeur dépasse « logements » : 59172 en 2021 : 812 > 780"],
    ),
    "parts over whole together": (
        lambda: logements(logements_vacants=[400.0, 2.0], residences_principales=[400.0, 2.0]),
        ["logements_vacants + residences_principales : 1 valeur dépasse « logements »"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_fault_is_named_with_its_place_and_remedy(case: str) -> None:
    make, said = REFUSED[case]
    frame = make()
    before = frame.copy()
    with pytest.raises(TableError) as refused:
        check_table("logements", frame, source="commune_2021.csv")
    message = str(refused.value)
    assert message.startswith("table Logements refusée (commune_2021.csv) : 1 défaut\n")
    for words in said:
        assert words in message
    assert len(refused.value.defauts) == 1
    pd.testing.assert_frame_equal(frame, before)


def test_all_faults_at_once_with_their_rows() -> None:
    frame = pd.DataFrame(
        {
            "code": ["59172", "1001", "59002", "59002"],
            "annee": [2021] * 4,
            "logements": [780, 100, "1 234", 6],
            "logements_vacants": [1, 1, 2, -3],
            "vacants": [1, 1, 1, 1],
        }
    )
    with pytest.raises(TableError, match="5 défauts") as refused:
        check_table("logements", frame)
    assert {fault.lieu for fault in refused.value.defauts} == {
        "code", "clé", "vacants", "logements", "logements_vacants",
    }  # fmt: skip
    faulty = refused.value.lignes
    assert ("1001", 2021) in faulty.index
    assert "vacants : colonne inconnue" not in set(faulty["defaut"])
    assert (faulty["logements_vacants"] == -3).any()


@pytest.mark.parametrize(
    ("table", "column", "values", "said"),
    [
        ("revenus", "taux_pauvrete", [0.42, 0.30], "multiplier la colonne par 100"),
        ("revenus", "part_prestations_sociales", [0.24, 0.11, 0.31, 0.08, 0.19], "par 100"),
        ("publies", "taux_emploi_15_64", [0.487], "1 part entre 0 et 1 (0,487)"),
        ("publies", "indice_jeunesse", [220.0, 190.0], "diviser la colonne par 100"),
    ],
)
def test_a_wrong_scale_is_named(table: str, column: str, values: list[float], said: str) -> None:
    codes = [f"5900{i}" for i in range(len(values))]
    frame = pd.DataFrame({"code": codes, "annee": 2021, column: values})
    with pytest.raises(TableError) as refused:
        check_table(table, frame)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("taux_logements_vacants", [0.0, 0.0, 0.0]),
        ("part_population_etrangere", [0.4, 0.0, 0.9, 1.0, 0.7, 0.3]),
        ("taux_emploi_15_64", [48.7, 34.5]),
        ("indice_jeunesse", [2.2, 0.5]),
    ],
)
def test_small_percentages_are_not_mistaken_for_fractions(column: str, values: list[float]) -> None:
    codes = [f"5900{i}" for i in range(len(values))]
    frame = pd.DataFrame({"code": codes, "annee": 2021, column: values})
    assert check_table("publies", frame)[column].tolist() == values


def test_quantiles_in_disorder_are_refused() -> None:
    frame = pd.DataFrame(
        {"code": ["59"], "annee": [2021], "niveau_de_vie_d1": [30_000], "niveau_de_vie_d9": [9_000]}
    )
    with pytest.raises(TableError, match="dépasse « niveau_de_vie_d9 »"):
        check_table("revenus", frame)


def test_published_values_outside_the_bounds_of_their_card_are_refused() -> None:
    frame = pd.DataFrame({"code": ["59"], "annee": [2021], "taux_emploi_15_64": [130.0]})
    with pytest.raises(TableError, match=r"hors des limites \(minimum 0, maximum 100\)"):
        check_table("publies", frame)


def test_a_table_of_no_model_and_a_thing_that_is_no_frame() -> None:
    with pytest.raises(UnknownNameError, match="Vouliez-vous dire « logements »"):
        check_table("logement", logements())
    with pytest.raises(BarometreError, match="un DataFrame est attendu, pas list"):
        check_table("logements", [1, 2])  # type: ignore[arg-type]  # that is the point


def test_what_is_accepted() -> None:
    frame = logements(logements_vacants=[780.0 + PART_TOLERANCE, np.nan])
    checked = check_table("logements", frame)
    assert tuple(checked.columns) == columns_of("logements")
    assert checked.index.names == ["code", "annee"]
    assert checked["residences_principales"].isna().all()
    assert (checked.dtypes == "float64").all()
    again = check_table("logements", checked)
    pd.testing.assert_frame_equal(again, checked)
    assert check_table("logements", frame.iloc[:0]).empty
    assert check_table("logements", logements(logements=[None, None])).isna().all(axis=None)


@given(name=st.sampled_from(sorted(MODELS)), data=st.data())
def test_every_valid_table_passes_and_keeps_its_rows_in_order(
    name: str, data: st.DataObject
) -> None:
    frame = data.draw(valid_tables((name,), missing=True))[name]
    checked = check_table(name, frame)
    pd.testing.assert_frame_equal(checked, frame, check_dtype=False, check_index_type=False)


def test_numbers_are_numbers_whatever_holds_them() -> None:
    """Decimal from a database, None or NA beside numbers, nullable types: read right."""
    for values in (
        [Decimal("80"), None],
        [80, None],
        [80.0, pd.NA],
        pd.array([80, None], dtype="Int64"),
        pd.array([80.0, None], dtype="Float64"),
        pd.array([80, None], dtype="int64[pyarrow]"),
    ):
        column = (
            pd.Series(values) if not isinstance(values, list) else pd.Series(values, dtype=object)
        )
        frame = pd.DataFrame({"code": ["59172", "59446"], "annee": 2021, "logements": column})
        checked = check_table("logements", frame)["logements"]
        assert checked.dtype == "float64"
        assert checked.iloc[0] == 80
        assert np.isnan(checked.iloc[1])


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([80, "<5"], "logements : 1 cellule illisible (59446 en 2021 : <5)"),
        ([80, [1]], "logements : 1 cellule illisible (59446 en 2021 : [1])"),
        ([True, False], "logements : vrai et faux au lieu de nombres"),
        ([80, 90 + 1j], "logements : 2 cellules illisibles (59172 en 2021 : (80+0j)"),
        (["80", 90j], "logements : 1 cellule illisible (59446 en 2021 : 90j)"),
        ([80, True], "logements : 1 cellule illisible (59446 en 2021 : True)"),
        (["80", "90"], "logements : nombres lus comme du texte (80 ; 90)"),
    ],
)
def test_the_bad_cell_is_quoted_and_not_a_good_one(cells: list[object], said: str) -> None:
    frame = pd.DataFrame({"code": ["59172", "59446"], "annee": 2021, "logements": cells})
    with pytest.raises(TableError) as refused:
        check_table("logements", frame)
    assert said in str(refused.value)


def test_codes_read_as_floats_are_refused_in_any_frame() -> None:
    for codes in ([59172.0, 1001.0], pd.Series([59172.0, "01001"], dtype=object)):
        frame = pd.DataFrame({"code": codes, "annee": 2021, "logements": [80, 90]})
        with pytest.raises(TableError, match="code"):
            check_table("logements", frame)


def test_what_is_plainly_valid_is_so_for_the_schema() -> None:
    """The shortcut never says yes where pandera says no, at the ends and beyond them."""
    draw, agreed = np.random.default_rng(5), 0
    index = pd.MultiIndex.from_tuples([("59172", 2021), ("59446", 2021)], names=["code", "annee"])
    values = [-0.5, 0, 1, 40, 99.9, 100, 100.5, 1e9, np.inf, np.nan, -1000, 1000]
    for _ in range(60):
        name = str(draw.choice([*MODELS, PUBLISHED]))
        columns = list(columns_of(name) if name in MODELS else load_cards())
        kept = sorted(draw.choice(columns, size=min(3, len(columns)), replace=False))
        few = values if draw.random() < 0.3 else values[1:5]
        frame = pd.DataFrame(draw.choice(few, size=(2, len(kept))), index=index, columns=kept)
        frame = frame.dropna(axis=1, how="all")
        schema = check._schema(name, tuple(frame.columns))
        if check.is_plainly_valid(name, frame, schema):
            schema.validate(frame, lazy=True)
            agreed += 1
    assert agreed > 15
