"""Statistical secrecy: worked cases, totals and groups, shares, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.secrecy.intruder import audit_suppression
from barometre.secrecy.suppression import Suppressed, suppress

ZONES = pd.DataFrame({"F": [4, 30, 25], "H": [40, 35, 52]}, index=["Z1", "Z2", "Z3"])


def hidden(result: Suppressed) -> set[tuple[str, str]]:
    return {
        (row, column)
        for row, column in zip(result.audit["ligne"], result.audit["colonne"], strict=True)
    }


def bounds(audit: pd.DataFrame, row: str, column: str) -> tuple[float, float]:
    line = audit[(audit["ligne"] == row) & (audit["colonne"] == column)]
    assert len(line) == 1
    return line["borne_inf"].iloc[0], line["borne_sup"].iloc[0]


# ---- worked cases ------------------------------------------------------------------------------


def test_one_small_cell_takes_a_rectangle_of_four() -> None:
    result = suppress(ZONES)
    assert hidden(result) == {("Z1", "F"), ("Z1", "H"), ("Z2", "F"), ("Z2", "H")}
    assert result.method == "optimal"
    assert result.gap == 0
    assert result.status.loc["Z1", "F"] == "secret_primaire"
    assert result.status.loc["Z1", "H"] == "secret_secondaire"
    assert result.status.loc["Ensemble", "Ensemble"] == "publie"
    # Z1 F + Z1 H = 44 and Z1 F + Z2 F = 34, each at least 1 as zeros are published.
    assert bounds(result.audit, "Z1", "F") == (1, 33)
    assert bounds(result.audit, "Z1", "H") == (11, 43)
    assert list(result.audit) == ["ligne", "colonne", "nature", "borne_inf", "borne_sup", "protege"]


def test_a_published_pattern_is_audited() -> None:
    # Four hidden cells: II C + II A = 49 - 19 = 30, III C + II C = 44 - 10 = 34,
    # III A + III C = 61 - 32 = 29, hence II C between 34 - 29 = 5 and 30.
    seen = pd.DataFrame(
        {
            "A": [20, None, None, 45],
            "B": [50, 19, 32, 101],
            "C": [10, None, None, 44],
            "Ensemble": [80, 49, 61, 190],
        },
        index=["I", "II", "III", "Ensemble"],
    )
    audit = audit_suppression(seen)
    assert bounds(audit, "II", "C") == (5, 30)
    assert bounds(audit, "II", "A") == (0, 25)
    assert bounds(audit, "III", "A") == (0, 25)
    assert bounds(audit, "III", "C") == (4, 29)
    assert not audit["retrouvable"].any()
    seen.loc["II", "A"] = 8
    alone = audit_suppression(seen)
    assert alone["retrouvable"].all()
    assert bounds(alone, "II", "C") == (22, 22)


def test_one_dimension() -> None:
    result = suppress(pd.Series({"a": 3, "b": 50, "c": 60, "d": 20}, name="personnes"))
    assert list(result.table["personnes"].dropna()) == [50, 60, 133]
    assert hidden(result) == {("a", "personnes"), ("d", "personnes")}
    assert bounds(result.audit, "a", "personnes") == (1, 22)


def test_two_cells_whose_sum_says_all_need_a_third() -> None:
    # 1 + 1 = 2 with none at zero: the two would be known.
    result = suppress(pd.Series({"a": 1, "b": 1, "c": 20, "d": 30}))
    assert hidden(result) == {("a", "effectif"), ("b", "effectif"), ("c", "effectif")}
    # 5 + 6 = 11: each may be 1 to 10, which is what "under 11" says.
    result = suppress(pd.Series({"a": 5, "b": 6, "c": 20, "d": 30}))
    assert hidden(result) == {("a", "effectif"), ("b", "effectif")}
    assert bounds(result.audit, "a", "effectif") == (1, 10)


def test_a_total_under_the_threshold_is_hidden() -> None:
    result = suppress(pd.DataFrame({"F": [2, 40], "H": [3, 50]}, index=["petite", "grande"]))
    assert list(result.status.loc["petite"]) == ["secret_primaire"] * 3
    assert result.audit["protege"].all()
    # Two people at least, one by sex.
    assert bounds(result.audit, "petite", "Ensemble")[0] == 2


def test_zeros() -> None:
    table = pd.DataFrame({"F": [0, 30, 25], "H": [40, 35, 52]}, index=["Z1", "Z2", "Z3"])
    assert suppress(table).audit.empty
    result = suppress(table, zero="hide")
    assert ("Z1", "F") in hidden(result)
    assert result.status.loc["Z1", "F"] == "secret_primaire"
    assert bounds(result.audit, "Z1", "F")[0] == 0
    # A zero that is published protects nothing: it is never hidden in addition.
    kept = suppress(pd.DataFrame({"F": [4, 0, 25], "H": [40, 35, 52]}, index=["Z1", "Z2", "Z3"]))
    assert hidden(kept) == {("Z1", "F"), ("Z1", "H"), ("Z3", "F"), ("Z3", "H")}


def test_the_threshold_is_the_first_published_count() -> None:
    table = pd.Series({"a": 10, "b": 11, "c": 12, "d": 100})
    assert suppress(table).status["effectif"]["a"] == "secret_primaire"
    assert suppress(table, threshold=10).audit.empty
    assert suppress(table, threshold=10.5).status["effectif"]["a"] == "secret_primaire"
    low = suppress(pd.Series({"a": 1, "b": 20, "c": 30}), threshold=2)
    assert len(low.audit) == 2
    assert (low.audit["borne_sup"] > low.audit["borne_inf"]).all()


@pytest.mark.parametrize(
    ("protection", "low", "high"), [(3, 1, 7), ((2, 6), 2, 10), ((0, 1), 4, 5)]
)
def test_protection_is_a_distance_from_the_count(protection: Any, low: int, high: int) -> None:
    result = suppress(ZONES, protection=protection)
    least, most = bounds(result.audit, "Z1", "F")
    assert least <= low
    assert most >= high


def test_a_large_protection_hides_more() -> None:
    table = pd.Series({"a": 3, "b": 12, "c": 13, "d": 14, "e": 90})
    assert len(suppress(table).audit) == 2
    result = suppress(table, protection=(2, 30))
    assert bounds(result.audit, "a", "effectif")[1] >= 33
    assert result.audit["protege"].all()


# ---- totals and groups -------------------------------------------------------------------------


def with_margins(table: pd.DataFrame) -> pd.DataFrame:
    full = table.copy()
    full["Ensemble"] = full.sum(axis=1)
    full.loc["Ensemble"] = full.sum()
    return full


def test_totals_given_or_computed_are_the_same() -> None:
    pd.testing.assert_frame_equal(suppress(ZONES).table, suppress(with_margins(ZONES)).table)
    first = with_margins(ZONES).iloc[::-1, ::-1]
    pd.testing.assert_frame_equal(
        suppress(first).table, suppress(ZONES).table.loc[first.index, first.columns]
    )


def test_margins() -> None:
    none = suppress(ZONES, margins=False)
    assert hidden(none) == {("Z1", "F")}
    assert bounds(none.audit, "Z1", "F") == (1, np.inf)
    assert list(none.table.index) == ["Z1", "Z2", "Z3"]
    pd.testing.assert_frame_equal(suppress(with_margins(ZONES), margins=False).table, none.table)
    row = suppress(ZONES, margins="row")
    assert hidden(row) == {("Z1", "F"), ("Z3", "F")}
    assert list(row.table.columns) == ["F", "H"]
    assert hidden(suppress(ZONES, margins="column")) == {("Z1", "F"), ("Z1", "H")}
    # One total in the table: the other side may be of things that do not add up.
    given = suppress(with_margins(ZONES)[["F", "H"]])
    pd.testing.assert_frame_equal(given.table, row.table)


def test_a_table_of_crosstab() -> None:
    people = pd.DataFrame(
        {"zone": ["a"] * 14 + ["b"] * 30, "sexe": ["F"] * 4 + ["H"] * 25 + ["F"] * 15}
    )
    for frame in (people, people.astype("category")):
        result = suppress(
            pd.crosstab(frame["zone"], frame["sexe"], margins=True, margins_name="Ensemble")
        )
        assert hidden(result) == {("a", "F"), ("a", "H"), ("b", "F"), ("b", "H")}
        assert result.table.index.name == "zone"
        pd.testing.assert_frame_equal(
            suppress(pd.crosstab(frame["zone"], frame["sexe"])).table,
            result.table,
            check_index_type=False,
            check_column_type=False,
        )
    people["age"] = [1, 2] * 22
    compound = pd.crosstab(
        [people["zone"], people["age"]], people["sexe"], margins=True, margins_name="Ensemble"
    )
    plain = pd.crosstab([people["zone"], people["age"]], people["sexe"])
    pd.testing.assert_frame_equal(suppress(compound).table, suppress(plain).table)


def test_groups_of_zones() -> None:
    groups = {"CA": ["Z1", "Z2"]}
    result = suppress(ZONES, relations=groups)
    # The total of the CA gives back what leaves it: the rectangle is inside.
    assert hidden(result) == {("Z1", "F"), ("Z1", "H"), ("Z2", "F"), ("Z2", "H")}
    assert list(result.table.loc["CA"]) == [34, 75, 109]
    assert list(result.table.loc["Ensemble"]) == [59, 127, 186]
    other = suppress(ZONES, relations={"CA": ["Z1"], "hors CA": ["Z2", "Z3"]})
    assert other.audit["protege"].all()
    assert {("CA", "F"), ("Z1", "F")} <= hidden(other)
    given = ZONES.copy()
    given.loc["CA"] = [34, 75]
    pd.testing.assert_frame_equal(
        suppress(given, relations=groups).table, result.table, check_like=True
    )


def test_groups_in_both_directions_are_protected() -> None:
    draw = np.random.default_rng(5)
    table = pd.DataFrame(
        draw.poisson(draw.gamma(1, 40, (6, 5))), index=list("abcdef"), columns=list("vwxyz")
    )
    groups = {"AB": ["a", "b"], "CD": ["c", "d"], "ABCD": ["AB", "CD"], "VW": ["v", "w"]}
    result = suppress(table, relations=groups)
    assert result.method == "heuristic"
    assert np.isnan(result.gap)
    audit = audit_suppression(result.table, relations=groups, lowest=1)
    pd.testing.assert_frame_equal(
        audit[["ligne", "colonne", "borne_inf", "borne_sup"]],
        result.audit.drop(columns=["nature", "protege"]),
    )
    assert not audit["retrouvable"].any()
    with pytest.raises(BarometreError, match="emboîté"):
        suppress(table, relations=groups, method="optimal")
    crossed = suppress(table, relations={"AB": ["a", "b"], "BC": ["b", "c"]})
    assert crossed.audit["protege"].all()


# ---- costs -------------------------------------------------------------------------------------


def test_cells_of_infinite_cost_stay_published() -> None:
    cost = pd.DataFrame({"F": [1.0, np.inf, 1], "H": [1.0, 1, 1]}, index=ZONES.index)
    assert hidden(suppress(ZONES, cost=cost)) == {
        ("Z1", "F"),
        ("Z1", "H"),
        ("Z3", "F"),
        ("Z3", "H"),
    }
    everything = with_margins(ZONES).astype(float) * np.inf
    with pytest.raises(BarometreError, match="Z1 × F se déduit"):
        suppress(ZONES, cost=everything)


@pytest.mark.parametrize("wrong", [0, -1, np.nan, "x"])
def test_costs_are_positive_numbers(wrong: Any) -> None:
    cost = pd.DataFrame({"F": [1, wrong, 1]}, index=ZONES.index)
    with pytest.raises(BarometreError, match="coûts refusés"):
        suppress(ZONES, cost=cost)
    with pytest.raises(BarometreError, match="Z9"):
        suppress(ZONES, cost=pd.DataFrame({"F": [1.0]}, index=["Z9"]))


# ---- shares ------------------------------------------------------------------------------------


def test_shares_are_hidden_with_their_counts_and_their_bases() -> None:
    result = suppress(ZONES)
    by_row = result.shares()
    assert by_row.isna().equals(result.table.isna())
    assert by_row.loc["Z3", "F"] == pytest.approx(100 * 25 / 77)
    assert result.shares("column").loc["Z3", "F"] == pytest.approx(100 * 25 / 59)
    assert result.shares("total").loc["Z3", "F"] == pytest.approx(100 * 25 / 186)
    small = suppress(
        pd.DataFrame({"F": [2, 40, 0], "H": [0, 50, 0]}, index=["petite", "grande", "vide"])
    )
    shares = small.shares("row")
    assert shares.loc["petite"].isna().all()  # its zero is published, its base is not
    assert shares.loc["vide"].isna().all()  # 0 out of 0


def test_without_totals_a_base_is_known_if_all_its_parts_are() -> None:
    shares = suppress(ZONES, margins=False).shares("row")
    assert shares.loc["Z1"].isna().all()
    assert shares.loc["Z2", "F"] == pytest.approx(100 * 30 / 65)


def test_rates_computed_elsewhere_are_hidden_too() -> None:
    result = suppress(ZONES)
    rates = result.table.fillna(0) * 0 + 7.5
    placed = result.shares("column", values=rates.iloc[::-1])
    pd.testing.assert_frame_equal(placed, rates.mask(result.table.isna()))
    with pytest.raises(BarometreError, match="libellés"):
        result.shares(values=rates.iloc[1:])
    with pytest.raises(BarometreError, match="libellés"):
        result.shares(values=rates.rename(columns={rates.columns[0]: "autre"}))
    with pytest.raises(UnknownNameError, match="axe"):
        result.shares("rows")  # type: ignore[arg-type]  # that is the point


def test_text() -> None:
    text = suppress(ZONES).to_text("nd")
    assert text.splitlines()[1].split() == ["Z1", "nd", "nd", "44"]
    weighted = suppress(ZONES * 1.5).to_text(decimals=1)
    assert weighted.splitlines()[3].split() == ["Z3", "37,5", "78,0", "115,5"]


# ---- what a result says of itself ---------------------------------------------------------------


def test_a_summary_tells_nothing_of_the_small_cells() -> None:
    result = suppress(ZONES)
    text = result.summary()
    assert str(result) == text
    assert text.startswith("4 cellules cachées sur 12, au seuil de 11 :")
    assert "au moindre coût" in text
    assert "qui voit le tableau" in text
    page = result._repr_html_()
    assert "–" in page
    for said in (text, page, repr(result)):
        assert "primaire" not in said.replace("secret_primaire", "") or said == repr(result)
    assert "secret_primaire" not in text + page
    none = suppress(ZONES, threshold=4)
    assert none.summary().startswith("Aucune cellule cachée sur 12 :")
    decimal = suppress(ZONES * 1.5, threshold=10.5)
    assert "au seuil de 10,5" in decimal.summary()


# ---- costs that are drawn -----------------------------------------------------------------------


def test_drawn_costs_do_not_depend_on_the_counts() -> None:
    """The same seed hides the same cells of tables whose small cells are the same."""
    draw = np.random.default_rng(4)
    first = pd.DataFrame(draw.integers(200, 900, (6, 5)))
    first.iloc[2, 3] = 4
    patterns = set()
    for seed in range(8):
        second = (
            first.iloc[::-1]
            .set_axis(first.index)[first.columns[::-1]]
            .set_axis(first.columns, axis=1)
        )
        second = second.mask(second < 11, 500)
        second.iloc[2, 3] = 9
        both = [suppress(one, seed=seed) for one in (first, second)]
        assert both[0].table.isna().equals(both[1].table.isna())
        assert both[0].audit["protege"].all()
        assert both[0].method == "optimal"
        patterns.add(both[0].table.isna().to_numpy().tobytes())
    assert len(patterns) > 3  # without the seed, one could be any of them
    plain = suppress(first).table.isna()
    assert plain.equals(suppress(first).table.isna())
    cost = pd.DataFrame(np.inf, index=[0], columns=first.columns)
    kept = suppress(first, seed=1, cost=cost)
    assert kept.table.loc[0].notna().all()
    for wrong in (-1, 1.5, "x", True):
        with pytest.raises(BarometreError, match="seed refusé") as refused:
            suppress(first, seed=wrong)  # type: ignore[arg-type]  # that is the point
        assert str(wrong) not in str(refused.value)
