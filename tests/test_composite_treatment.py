"""What is done to indicators before scoring: brute force, closed forms, and figures of COINr."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barometre import composite
from barometre.base.errors import BarometreError
from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "golden" / "composite"
with_golden = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="reference files of the composite engine: absent here"
)
RNG = np.random.default_rng(7)
FRAME = pd.DataFrame(
    {
        "taux": np.exp(RNG.normal(size=40)),
        "rare": [0.0] * 30 + [1.0] * 5 + [np.nan] * 5,
        "vide": np.nan,
        "fixe": 3,
    },
    index=[f"u{i:02}" for i in range(40)],
)


def golden(name: str, index: str = "uCode") -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", index_col=index)


# ---- statistics ---------------------------------------------------------------------------------


def test_statistics_are_those_of_scipy() -> None:
    table = composite.statistics(FRAME)
    for name in ("taux", "rare"):
        known = FRAME[name].dropna()
        row = table.loc[name]
        assert row["n"] == len(known)
        assert row["n"] + row["manquants"] == len(FRAME)
        assert row["asymetrie"] == pytest.approx(stats.skew(known, bias=False), rel=1e-10)
        assert row["aplatissement"] == pytest.approx(stats.kurtosis(known, bias=False), rel=1e-10)
        assert row["ecart_type"] == pytest.approx(np.sqrt(stats.tvar(known)))
        assert (row["min"], row["max"]) == (min(known), max(known))
        assert row["mediane"] == pytest.approx(sorted(known)[len(known) // 2 - 1 :][:2][0], rel=0.2)
    assert table.loc["rare", "part_zeros"] == 30 / 35


def test_statistics_say_what_to_look_at() -> None:
    remarks = composite.statistics(FRAME)["remarque"]
    assert remarks["rare"] == "beaucoup de zéros"
    assert remarks["vide"] == "aucune valeur"
    assert remarks["fixe"] == "constant"
    assert composite.statistics(FRAME, available=0.9)["remarque"]["rare"].startswith("peu dispo")
    assert composite.statistics(FRAME.iloc[:0])["n"].tolist() == [0, 0, 0, 0]


def test_every_column_that_is_no_number_is_named() -> None:
    wrong = FRAME.assign(nom="x", oui=True, infini=np.inf)
    with pytest.raises(BarometreError, match="3 défauts") as error:
        composite.statistics(wrong)
    assert all(name in str(error.value) for name in ("nom", "oui", "infini"))
    with pytest.raises(BarometreError, match="available=2"):
        composite.statistics(FRAME, available=2)


@with_golden
def test_shapes_are_those_of_coinr() -> None:
    details = golden("01_pipeline/05_treat_details", "iCode")
    table = composite.statistics(golden("01_pipeline/04_screened"))
    for ours, theirs in (("asymetrie", "Skew"), ("aplatissement", "Kurt")):
        np.testing.assert_allclose(
            table.loc[details.index, ours], details[f"check_SkewKurt0.{theirs}"], rtol=1e-9
        )
    flagged = table["remarque"].str.contains("extrêmes")
    assert (~flagged[details.index] == details["check_SkewKurt0.Pass"]).all()


# ---- screen -------------------------------------------------------------------------------------


def test_units_at_the_limit_are_kept() -> None:
    frame = pd.DataFrame(np.ones((31, 30)))
    for i in range(31):
        frame.iloc[i, :i] = np.nan
    for share in np.arange(31) / 30:
        kept = composite.screen(frame, share).frame
        assert len(kept) == 31 - round(share * 30)
    assert composite.screen(FRAME, 0.75).frame.index.tolist() == FRAME.index[:35].tolist()


def test_screening_says_why() -> None:
    result = composite.screen(FRAME, 0.75, min_nonzero=0.8)
    assert result.table.loc["u39", "raison"] == "2 indicateurs sur 4"
    assert result.table.loc["u00", "raison"] == "1 zéro sur 3"
    assert (result.table["raison"] == "").equals(result.table["garde"])
    assert result.frame.index.tolist() == ["u30", "u31", "u32", "u33", "u34"]
    assert "et 30 de plus" in result.summary()
    with pytest.raises(BarometreError, match="min_share=75"):
        composite.screen(FRAME, 75)
    with pytest.raises(BarometreError, match="aucun indicateur"):
        composite.screen(FRAME[[]], 0.5)


@with_golden
def test_availability_is_that_of_coinr() -> None:
    theirs = golden("01_pipeline/01_raw_data_availability")
    table = composite.screen(golden("01_pipeline/01_raw"), 0.8).table.loc[theirs.index]
    assert (table["manquants"] == theirs["N_missing"]).all()
    assert (table["zeros"] == theirs["N_zero"]).all()
    np.testing.assert_allclose(table["disponibilite"], theirs["Dat_Avail"], rtol=1e-12)
    np.testing.assert_allclose(table["non_nuls"], theirs["Non_Zero"], rtol=1e-12)


# ---- treat --------------------------------------------------------------------------------------


def by_hand(values: list[float], highest: int) -> list[float]:
    """Bring the highest values to the one under them, as many times as said."""
    for _ in range(highest):
        top = max(values)
        under = max(v for v in values if v < top)
        values = [min(v, under) for v in values]
    return values


def extreme(values: list[float]) -> bool:
    return bool(
        abs(stats.skew(values, bias=False)) > 2 and stats.kurtosis(values, bias=False) > 3.5
    )


@pytest.mark.parametrize("seed", range(10))
def test_the_fewest_points_are_brought_in(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = [*rng.normal(size=30), *rng.uniform(10, 60, size=3)]
    assert extreme(values)
    steps = next(k for k in range(1, 9) if not extreme(by_hand(values, k)))
    for sign in (1, -1):
        result = composite.treat(pd.DataFrame({"x": sign * np.array(values)}), points=9)
        np.testing.assert_array_equal(sign * result.frame["x"], by_hand(values, steps))
        assert result.table.loc["x", "points"] == steps == len(result.cells)
        assert set(result.cells["cote"]) == {"haut" if sign == 1 else "bas"}
        fewer = composite.treat(pd.DataFrame({"x": sign * np.array(values)}), points=steps - 1)
        assert fewer.table.loc["x", "traitement"] != "winsorisation"


def test_the_logarithm_keeps_the_order() -> None:
    values = np.exp(np.linspace(0, 12, 40))
    result = composite.treat(pd.DataFrame({"x": [*values, np.nan]}), points=0)
    low, high = values.min(), values.max()
    expected = np.log(values - low + (high - low) / 100)
    np.testing.assert_allclose(result.frame["x"], [*expected, np.nan])
    assert result.table.loc["x", ["traitement", "points"]].tolist() == ["logarithme", 0]
    assert result.frame["x"].dropna().is_monotonic_increasing


def test_nothing_becomes_constant_and_ties_stay_within_the_points() -> None:
    frame = pd.DataFrame({"deux": [0.0] * 30 + [1.0], "calme": np.arange(31.0)})
    result = composite.treat(frame)
    assert result.table["traitement"].tolist() == ["laissé", "aucun"]
    pd.testing.assert_frame_equal(result.frame, frame)
    assert "laissé tel quel" in result.summary()
    ties = pd.DataFrame({"x": [*np.linspace(0, 1, 60), 50.0, 50.0]})
    assert composite.treat(ties, points=2).table.loc["x", "points"] == 2
    assert composite.treat(ties, points=1).table.loc["x", "points"] == 0
    for wrong in (-1, 1.5, True):
        with pytest.raises(BarometreError, match="points="):
            composite.treat(ties, points=wrong)  # type: ignore[arg-type]


@with_golden
def test_treated_values_are_those_of_coinr() -> None:
    raw, theirs = golden("01_pipeline/04_screened"), golden("01_pipeline/05_treated")
    details = golden("01_pipeline/05_treat_details", "iCode")
    result = composite.treat(raw)
    np.testing.assert_allclose(result.frame[theirs.columns], theirs, rtol=1e-12)
    assert (result.table["points"] == details["winsorise.nwin"].fillna(0)).all()
    marks = golden("01_pipeline/05_treated_points").melt(ignore_index=False).dropna()
    words = marks["value"].map({"winhi": "haut", "winlo": "bas"})
    expected = set(zip(marks.index, marks["variable"], words, strict=True))
    found = result.cells[["unite", "indicateur", "cote"]].itertuples(index=False, name=None)
    assert set(found) == expected


# ---- impute -------------------------------------------------------------------------------------


def test_a_missing_value_is_that_of_its_group() -> None:
    frame = pd.DataFrame(
        {"zone": ["a", "a", "a", "b", "b", None], "x": [1.0, 3.0, np.nan, np.nan, np.nan, np.nan],
         "y": [1.0, 2.0, 9.0, 4.0, np.nan, 5.0]},
        index=["u", "u", "v", "w", "x", "y"],
    )  # fmt: skip
    for method, y in (("mean", 4.0), ("median", 4.0)):
        result = composite.impute(frame, by="zone", method=method)  # type: ignore[arg-type]
        assert result.table.to_numpy().tolist() == [["v", "x", "a", 2.0, 2], ["x", "y", "b", y, 1]]
        assert result.left == 3
        assert result.frame["zone"].equals(frame["zone"])
    assert composite.impute(frame[["y"]]).table["valeur"].tolist() == [21 / 5]
    assert composite.impute(frame[["y"]], method="median").table["valeur"].tolist() == [4.0]
    assert frame["y"].isna().sum() == 1  # the frame received is as it was
    with pytest.raises(BarometreError, match="moyenne « mode »"):
        composite.impute(frame, by="zone", method="mode")  # type: ignore[arg-type]
    with pytest.raises(BarometreError, match="colonne absente"):
        composite.impute(frame, by="zones")


@with_golden
def test_imputed_values_are_those_of_coinr() -> None:
    raw, theirs = golden("01_pipeline/02_denominated"), golden("01_pipeline/03_imputed")
    groups = golden("00_meta/units_groups_denominators")["EurAsia_group"]
    result = composite.impute(raw.assign(groupe=groups), by="groupe")
    np.testing.assert_allclose(result.frame[theirs.columns], theirs, rtol=1e-12)
    assert len(result.table) == raw.isna().sum().sum()
    assert result.left == 0
