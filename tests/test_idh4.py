"""IDH-4 and IDH-2: published figures, the formula written apart, and what cannot be computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.base.french import format_number
from barometre.composite import IDH2, IDH4, Bounds
from barometre.composite.french.development import DIMENSIONS, idh4
from barometre.composite.french.territorial import TerritorialIndex
from tests.conftest import ROOT

FILOSOFI = ROOT.parent / "shared" / "data" / "insee" / "filosofi" / "FILO2019_DISP_COM.csv"
COLUMNS = ["icm", "part_diplomes", "niveau_de_vie_median"]
BOUNDS: dict[str, tuple[float, float]] = {
    "icm": (60, 160),
    "part_diplomes": (50, 90),
    "niveau_de_vie_median": (14090, 38860),
}


def frame(*rows: tuple[Any, Any, Any], codes: Any = None, **columns: Any) -> pd.DataFrame:
    index = pd.Index(list("abcdefgh"[: len(rows)]) if codes is None else codes, name="code")
    return pd.DataFrame(list(rows), columns=COLUMNS, index=index).assign(**columns)


def panel() -> pd.DataFrame:
    return pd.concat(
        [
            frame((140, 62, 14320), (110, 75, 20360)).assign(annee=2018),
            frame((130, 64, 14820), (100, 80, 21000)).assign(annee=2019),
        ]
    ).reset_index()


def refusal(components: pd.DataFrame, bounds: Any = None, **options: Any) -> str:
    with pytest.raises(BarometreError) as refused:
        idh4(components, BOUNDS if bounds is None else bounds, **options)
    return str(refused.value)


# ---- published figures --------------------------------------------------------------------------

LIVING = {"59172": (14320, 0.0160), "CA": (18550, 0.2711), "59": (20290, 0.3595), "R32": (20360, 0.3628)}  # fmt: skip


@pytest.mark.parametrize("code", LIVING)
def test_published_living_standards(code: str) -> None:
    income, published = LIVING[code]
    result = idh4(frame((100, 70, income), codes=[code]), BOUNDS)
    assert round(float(result["niveau_de_vie"].iloc[0]), 4) == published


@pytest.mark.skipif(not FILOSOFI.exists(), reason="Insee's files are not ours to redistribute")
@pytest.mark.filterwarnings("ignore::barometre.sources.reading.SourceWarning")
def test_bounds_of_the_communes_of_hauts_de_france() -> None:
    medians = bcs.read(FILOSOFI)["revenus"][["niveau_de_vie_median"]]
    department = medians.index.get_level_values("code").str[:2]
    communes = medians[department.isin(["02", "59", "60", "62", "80"])].dropna()
    bounds = Bounds.observed(communes, reference="communes des Hauts-de-France")
    assert bounds.limits["niveau_de_vie_median"] == (14_090, 38_860)
    assert (bounds.years, bounds.territories) == ((2019,), len(communes))
    median = communes["niveau_de_vie_median"].droplevel("annee")
    assert median["59512"] == 14_090  # Roubaix
    assert median["60028"] == 38_860  # Aumont-en-Halatte
    # the extremes of the reference set are 0 and 1
    limits = {**BOUNDS, **bounds.limits}
    ends = communes.assign(icm=100.0, part_diplomes=70.0).loc[(["59512", "60028"], 2019), :]
    assert idh4(ends, limits)["niveau_de_vie"].to_list() == [0, 1]


def contract() -> TerritorialIndex:
    """The CA at 0.39 and the region at 0.51, with their known living standards."""
    return idh4(frame((160 - 35, 72, 18550), (160 - 56.7, 74, 20360), codes=["CA", "R32"]), BOUNDS)


def test_the_sentence_of_the_contract() -> None:
    result = contract()
    assert result["idh4"].round(2).to_list() == [0.39, 0.51]
    sentence = result.explain("CA", "R32", labels={"CA": "La Porte du Hainaut"})
    assert sentence == (
        "L'IDH-4 de « La Porte du Hainaut » (0,39) est inférieur de 0,12 à celui de « R32 » (0,51),"
        " principalement à cause de la dimension santé (−0,07) ; s'y ajoutent le niveau de vie"
        " (−0,03) et l'éducation (−0,02)."
    )


# ---- the formula --------------------------------------------------------------------------------

amounts = st.tuples(
    st.floats(40, 200), st.floats(0, 100).filter(lambda x: x > 1), st.floats(8_000, 60_000)
)


@settings(max_examples=40)
@given(rows=st.lists(amounts, min_size=1, max_size=8))
def test_the_formula_written_apart(rows: list[tuple[float, float, float]]) -> None:
    result = idh4(frame(*rows), BOUNDS)
    for (icm, share, income), (_, row) in zip(rows, result.table.iterrows(), strict=True):
        health = 1 - (icm - 60) / (160 - 60)
        education = (share - 50) / (90 - 50)
        living = (np.log(income) - np.log(14090)) / (np.log(38860) - np.log(14090))
        held = [min(max(part, 0), 1) for part in (health, education, living)]
        # two orders of the same operations: a few last digits of numbers near 1
        assert row[list(DIMENSIONS)].to_list() == pytest.approx(held, abs=1e-12)
        assert row["idh4"] == pytest.approx(sum(held) / 3, abs=1e-12)
        inside = 60 <= icm <= 160 and 50 <= share <= 90 and 14090 <= income <= 38860
        assert row["hors_bornes"] == (not inside)


@settings(max_examples=40)
@given(rows=st.lists(amounts, min_size=2, max_size=8), extra=amounts)
def test_a_territory_more_changes_nothing(
    rows: list[tuple[float, float, float]], extra: tuple[float, float, float]
) -> None:
    alone = idh4(frame(*rows[:7]), BOUNDS).table
    more = idh4(frame(*rows[:7], extra), BOUNDS).table
    columns = [*DIMENSIONS, "idh4"]
    pd.testing.assert_frame_equal(alone[columns], more[columns].iloc[:-1], check_exact=True)


@settings(max_examples=40)
@given(rows=st.lists(amounts, min_size=2, max_size=8))
def test_contributions_sum_to_the_gap(rows: list[tuple[float, float, float]]) -> None:
    result = idh4(frame(*rows), BOUNDS)
    parts = result.contributions("b")
    gap = result["idh4"] - result["idh4"]["b"]
    # sums of three numbers below 1
    assert parts[list(DIMENSIONS)].sum(axis=1).to_list() == pytest.approx(gap.to_list(), abs=1e-14)
    assert parts["ecart"].to_list() == gap.to_list()
    thirds = (result.table[list(DIMENSIONS)] - result.table.loc["b", list(DIMENSIONS)]) / 3
    np.testing.assert_allclose(parts[list(DIMENSIONS)], thirds.astype(float), atol=1e-15)
    assert (parts.loc["b"] == 0).all()


def test_idh2_takes_life_expectancy() -> None:
    components = pd.DataFrame(
        {"esperance_vie": [80.0, 84], "part_diplomes": [70, 90], "niveau_de_vie_median": [14090, 38860]},
        index=["a", "b"],
    )  # fmt: skip
    limits = {"esperance_vie": (78, 86), **{n: BOUNDS[n] for n in COLUMNS[1:]}}
    result = idh4(components, limits)
    assert result.name == "idh2"
    assert result["sante"].to_list() == [0.25, 0.75]
    assert result["idh2"].to_list() == pytest.approx([0.25, 2.75 / 3], abs=1e-15)
    assert result.explain("a", "b").startswith("L'IDH-2 de « a » (0,25) est inférieur de 0,67 à")
    assert idh4(components.assign(icm=100), limits, health="esperance_vie").name == "idh2"


def test_the_presets_are_the_same_index() -> None:
    result = idh4(frame((140, 62, 14320), (110, 75, 20360)), BOUNDS)
    scored = IDH4.with_bounds(Bounds(BOUNDS)).score(frame((140, 62, 14320), (110, 75, 20360)))
    assert scored.table["idh4"].to_list() == result["idh4"].to_list()
    assert [leaf.id for leaf in IDH2.leaves] == ["esperance_vie", *COLUMNS[1:]]


# ---- what pandas users give ---------------------------------------------------------------------


def test_codes_and_years_as_columns_or_index() -> None:
    columns = idh4(panel(), BOUNDS).table
    index = idh4(panel().set_index(["code", "annee"]), BOUNDS).table
    pd.testing.assert_frame_equal(columns, index)
    assert columns.index.names == ["code", "annee"]
    mixed = idh4(panel().set_index("code"), BOUNDS).table
    pd.testing.assert_frame_equal(columns, mixed)
    assert columns["rang"].to_list() == [2, 1, 2, 1]  # within the year


@pytest.mark.parametrize("dtype", ["Float64", "float32", "object"])
def test_types_of_numbers(dtype: Any) -> None:
    components = frame((140, 62, 14320), (110, 75, 20360))
    before = components.copy()
    result = idh4(components.astype(dtype), BOUNDS)
    pd.testing.assert_frame_equal(result.table, idh4(components, BOUNDS).table)
    pd.testing.assert_frame_equal(components, before)


def test_no_row_and_one_row() -> None:
    empty = idh4(frame((140, 62, 14320)).iloc[:0], BOUNDS)
    assert empty.table.empty
    assert list(empty.table)[:4] == ["sante", "education", "niveau_de_vie", "idh4"]
    one = idh4(frame((140, 62, 14090)), BOUNDS).table.iloc[0]
    assert (one["sante"], one["niveau_de_vie"], one["rang"], one["statut"]) == (0.2, 0, 1, "ok")
    assert idh4(panel(), BOUNDS)["idh4"].equals(idh4(panel(), BOUNDS).table["idh4"])
    with pytest.raises(BarometreError, match="idh4"):
        idh4(panel(), BOUNDS)["idh"]


def test_components_refused() -> None:
    good = frame((140, 62, 14320))
    assert "ni icm ni esperance_vie" in refusal(good.drop(columns="icm"))
    assert "à la fois" in refusal(good.assign(esperance_vie=80))
    assert "health" in refusal(good, health="sante")
    assert "part_diplomes" in refusal(good.drop(columns="part_diplomes"))
    assert "non numériques" in refusal(good.assign(icm="nd"))
    assert "infinies" in refusal(good.assign(icm=np.inf))
    assert "en double" in refusal(pd.concat([good, good]))
    assert "nombres" in refusal(good.reset_index().assign(code=59172))
    assert "de 0 à 1" in refusal(good.assign(part_diplomes=0.62))
    assert "hors de 0-100" in refusal(good.assign(part_diplomes=-1))
    shares = {**BOUNDS, "part_diplomes": (0.5, 0.9)}
    assert "de 0 à 1" in refusal(good, shares)
    assert idh4(good.assign(part_diplomes=0.62), shares)["education"].iloc[0] == pytest.approx(0.3)


# ---- bounds -------------------------------------------------------------------------------------


def test_bounds_are_needed() -> None:
    with pytest.raises(BarometreError, match=r"Bounds\.observed\(communes.*to_toml"):
        idh4(panel())


def test_bounds_refused() -> None:
    assert "mêmes bornes" in refusal(panel(), {2018: BOUNDS, 2019: BOUNDS})
    assert "bornes égales" in refusal(panel(), {**BOUNDS, "icm": (100, 100)})
    assert "icm : sans bornes" in refusal(panel(), {n: BOUNDS[n] for n in COLUMNS[1:]})
    assert "age : n'est pas une composante" in refusal(panel(), {**BOUNDS, "age": (0, 1)})
    assert "borne basse de 0" in refusal(panel(), {**BOUNDS, "niveau_de_vie_median": (0, 38860)})
    assert "entre 0 et 100" in refusal(panel(), {**BOUNDS, "part_diplomes": (50, 101)})
    assert "TOML" in refusal(panel(), 3)
    observed = Bounds.observed(frame((0, 60, 14090), (140, 70, 38860)), reference="communes")
    assert "ôter les zéros" in refusal(panel(), observed)
    # fixed by hand, zero is a goalpost like another
    assert idh4(frame((50, 62, 14320)), {**BOUNDS, "icm": (0, 200)})["sante"].iloc[0] == 0.75


def test_bounds_are_saved_with_where_they_come_from(tmp_path: Path) -> None:
    reference = frame((60, 50, 14090), (160, 90, 38860), (None, 70, 20000)).assign(annee=2019)
    reference = reference.set_index("annee", append=True)
    bounds = Bounds.observed(reference, COLUMNS, reference="communes des Hauts-de-France")
    assert (bounds.territories, bounds.years) == (3, (2019,))
    path = bounds.to_toml(tmp_path / "bornes.toml")
    result = idh4(panel(), path)
    assert result.bounds == bounds
    pd.testing.assert_frame_equal(result.table, idh4(panel(), BOUNDS).table)
    again = idh4(panel(), str(path)).bounds
    assert again is not None
    assert dict(again.limits) == BOUNDS


def test_values_outside_the_bounds_are_held_marked_and_told() -> None:
    result = idh4(frame((170, 95, 14000), (60, 50, 38860)), BOUNDS)
    assert result.table[list(DIMENSIONS)].to_numpy()[0].tolist() == [0, 1, 0]
    assert result["hors_bornes"].to_list() == [True, False]
    assert result["statut"].to_list() == ["ok", "ok"]
    said = result["remarques"]["a"]
    for words in (
        "170 au-dessus de la borne 160",
        "95 au-dessus de",
        "14\u202f000 sous la borne 14\u202f090",
    ):
        assert words in said
    assert pd.isna(result["remarques"]["b"])


# ---- what is missing or cannot be ---------------------------------------------------------------


def test_a_missing_component_leaves_the_index_missing() -> None:
    result = idh4(frame((None, 70, 20000), (110, 70, 20000)), BOUNDS)
    first = result.table.loc["a"]
    assert np.isnan(first["sante"])
    assert first["education"] == 0.5
    assert np.isnan(first["idh4"])
    assert pd.isna(first["rang"])
    assert first["statut"] == "non_disponible"
    assert first["remarques"] == "indice comparatif de mortalité : valeur manquante"
    assert result.contributions("b").loc["a"].isna().all()
    assert result.explain("a", "b").startswith("L'IDH-4 de « a » n'a pas de valeur (indice")
    with pytest.raises(BarometreError, match="pas de score"):
        result.contributions("a")


@pytest.mark.parametrize(
    ("column", "dimension"), [("icm", "sante"), ("niveau_de_vie_median", "niveau_de_vie")]
)
@pytest.mark.parametrize("value", [0, -5])
def test_what_cannot_be_is_missing_and_told(column: str, dimension: str, value: float) -> None:
    result = idh4(frame((110, 70, 20000)).assign(**{column: value}), BOUNDS).table.iloc[0]
    assert np.isnan(result[dimension])
    assert np.isnan(result["idh4"])
    assert result["statut"] == "non_defini"
    assert f"{format_number(value)} impossible" in result["remarques"]
    assert not result["hors_bornes"]


# ---- references and sentences -------------------------------------------------------------------


def test_a_code_is_taken_at_the_year_of_each_row() -> None:
    result = idh4(panel(), BOUNDS)
    by_year = result.contributions("b")
    fixed = result.contributions(("b", 2018))
    scores = result["idh4"]
    assert by_year["ecart"]["a", 2019] == scores["a", 2019] - scores["b", 2019]
    assert fixed["ecart"]["a", 2019] == scores["a", 2019] - scores["b", 2018]
    assert by_year.attrs == {"indice": "IDH-4", "reference": "b"}
    given_values = result.contributions(dict(zip(COLUMNS, (110, 75, 20360), strict=True)))
    pd.testing.assert_frame_equal(given_values, fixed)
    with pytest.raises(BarometreError, match="« c » n'a pas de ligne en 2018"):
        result.contributions("c")
    with pytest.raises(BarometreError, match="plusieurs années"):
        result.contributions("mean")
    assert "en 2019 (0,45)" not in result.explain(("a", 2018), "b")
    assert "à celui de « b » en 2018" in result.explain(("a", 2018), "b")
    turned = idh4(panel().set_index(["annee", "code"]), BOUNDS)
    assert turned.contributions("b")["ecart"].to_list() == by_year["ecart"].to_list()
    assert turned.explain((2018, "a"), "b") == result.explain(("a", 2018), "b")


def test_the_mean_of_the_territories_is_a_reference() -> None:
    result = idh4(frame((140, 62, 14320), (110, 75, 20360)), BOUNDS)
    gap = result.contributions("mean")["ecart"]
    assert gap.sum() == pytest.approx(0, abs=1e-15)
    assert "celui de la moyenne des territoires" in result.explain("a", "mean")


SENTENCES = [
    # sub-indices of a and b (health, education), living standards equal
    ((0.4, 0.5), (0.4, 0.5), "est égal, à 0,01 près, à celui de « b » (0,47)."),
    ((0.7, 0.2), (0.4, 0.5), "(0,47) : les dimensions se compensent (santé (+0,10) et éducation (−0,10))."),
    ((0.7, 0.5), (0.4, 0.5), "est supérieur de 0,10 à celui de « b » (0,47), principalement grâce à la dimension santé (+0,10)."),
    ((0.1, 0.2), (0.4, 0.5), "est inférieur de 0,20 à celui de « b » (0,47), à cause des dimensions santé (−0,10) et éducation (−0,10)."),
    ((0.1, 0.6), (0.4, 0.5), "principalement à cause de la dimension santé (−0,10) ; l'éducation (+0,03) joue en sens inverse."),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "end"), SENTENCES)
def test_sentences(first: tuple[float, float], second: tuple[float, float], end: str) -> None:
    rows = [(160 - 100 * h, 50 + 40 * e, np.sqrt(14090 * 38860)) for h, e in (first, second)]
    assert idh4(frame(*rows), BOUNDS).explain("a", "b").endswith(end)


def test_an_unknown_territory_is_named() -> None:
    with pytest.raises(BarometreError, match="zz"):
        contract().explain("zz", "R32")
