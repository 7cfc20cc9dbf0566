"""What is done to indicators before scoring: brute force, closed forms, and figures of COINr."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

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
    assert [*result.table.loc["x", ["traitement", "points"]]] == ["logarithme", 0]
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


def test_em_of_two_indicators_is_anderson_s() -> None:
    """One indicator known of all: maximum likelihood is the regression on it (Anderson, 1957)."""
    rng = np.random.default_rng(2)
    x = rng.normal(50, 10, 60)
    y = 3 + 0.4 * x + rng.normal(size=60)
    frame = pd.DataFrame({"x": x, "y": np.where(rng.random(60) < 0.4, np.nan, y)})
    result = composite.impute(frame, method="em")
    known = frame["y"].notna()
    slope, constant = np.polyfit(x[known], y[known], 1)
    np.testing.assert_allclose(result.frame["y"][~known], constant + slope * x[~known], rtol=1e-7)
    pd.testing.assert_series_equal(result.frame["y"][known], frame["y"][known])
    assert set(result.table["sur"]) == {1}


def test_em_is_at_the_top_of_the_likelihood() -> None:
    """Three indicators with holes anywhere: no other means or covariances are more likely."""
    rng = np.random.default_rng(3)
    full = rng.multivariate_normal([0, 0, 0], [[1, 0.6, 0.3], [0.6, 1, 0.5], [0.3, 0.5, 1]], 25)
    raw = np.where(rng.random(full.shape) < 0.25, np.nan, full)
    frame = pd.DataFrame(raw, columns=[*"abc"])

    def minus_log(p: Any) -> float:
        lower = np.zeros((3, 3))
        lower[np.tril_indices(3)] = p[3:]
        total = 0.0
        for row in raw:
            seen = ~np.isnan(row)
            if seen.any():
                within = (lower @ lower.T)[np.ix_(seen, seen)]
                gap = row[seen] - p[:3][seen]
                total += np.linalg.slogdet(within)[1] + gap @ np.linalg.solve(within, gap)
        return float(total)

    start = np.concatenate([np.nanmean(raw, axis=0), np.eye(3)[np.tril_indices(3)]])
    best = optimize.minimize(minus_log, start, method="BFGS", options={"gtol": 1e-6}).x
    lower = np.zeros((3, 3))
    lower[np.tril_indices(3)] = best[3:]
    covariance = lower @ lower.T
    result = composite.impute(frame, method="em").frame.to_numpy()
    for row, filled in zip(raw, result, strict=True):
        seen, gone = ~np.isnan(row), np.isnan(row)
        inner = np.linalg.pinv(covariance[np.ix_(seen, seen)])
        expected = best[:3][gone] + covariance[np.ix_(gone, seen)] @ inner @ (
            row[seen] - best[:3][seen]
        )
        np.testing.assert_allclose(filled[gone], expected, atol=1e-4)  # BFGS stops there
    scaled = composite.impute(frame * [10, 1, 0.1] + 5, method="em").frame
    np.testing.assert_allclose(scaled, result * [10, 1, 0.1] + 5, rtol=1e-6)
    tiny = composite.impute(frame * 1e-9, method="em").frame
    np.testing.assert_allclose(tiny, result * 1e-9, rtol=1e-6)


def test_em_is_refused_where_it_has_no_top() -> None:
    with pytest.raises(BarometreError, match="deux unités de plus"):
        composite.impute(FRAME.iloc[:5, [0, 1, 3]].assign(y=np.nan), method="em")
    with pytest.raises(BarometreError, match="4 unités pour 3 indicateurs"):
        composite.impute(pd.DataFrame(np.ones((4, 3))), method="em")
    with pytest.raises(BarometreError, match="by ne vaut pas"):
        composite.impute(FRAME.assign(zone="a"), by="zone", method="em")
    lone = pd.DataFrame({"a": [1.0, 2, 3, 4, np.nan], "b": [2.0, 1, 4, 3, np.nan]})
    # Nothing is known of the last unit: the means, those of maximum likelihood.
    assert composite.impute(lone, method="em").frame.iloc[4].tolist() == pytest.approx([2.5, 2.5])


def test_the_effect_of_imputation_on_ranks() -> None:
    tree = pd.DataFrame({"id": ["i", "x", "y"], "parent": [None, "i", "i"], "direction": 1})
    index = composite.Index.from_table(tree, normalise=None)
    frame = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [1.0, 2, 3, np.nan], "z": 0.0}, [*"abcd"])
    effect = composite.impute(frame).rank_effect(index)
    # Without y, d is worth 4; with the mean of y, 2, it is worth 3: tied with c.
    assert effect.table["score_avant"].tolist() == [1, 2, 3, 4]
    assert effect.table["score"].tolist() == [1, 2, 3, 3]
    assert effect.table["rang_avant"].tolist() == [4, 3, 2, 1]
    assert effect.table["rang"].tolist() == [4, 3, 1, 1]
    assert effect.table["imputees"].tolist() == [0, 0, 0, 1]
    assert "1 rang change sur 4 (écart moyen 0,3)." in effect.summary()
    assert "c 2 → 1" in effect.summary()
    with pytest.raises(BarometreError, match="composantes absentes"):
        composite.impute(frame[["x"]]).rank_effect(index)


# ---- annual_growth ------------------------------------------------------------------------------


def test_growth_compounded_gives_the_last_value() -> None:
    key = pd.MultiIndex.from_product([list("abc"), [2010, 2013, 2019]], names=["code", "annee"])
    frame = pd.DataFrame({"x": RNG.uniform(1, 9, 9), "y": RNG.uniform(1, 9, 9)}, index=key)
    frame.loc[("a", 2010), "x"] = np.nan
    frame.loc[("b", 2019), "y"] = np.nan
    shuffled = frame.iloc[RNG.permutation(9)]
    table = composite.annual_growth(shuffled).set_index(["indicateur", "unite"])
    assert [*table.loc[("x", "a"), ["debut", "fin"]]] == [2013, 2019]
    assert [*table.loc[("y", "b"), ["debut", "fin"]]] == [2010, 2013]
    for row in table.reset_index().to_dict("records"):
        unit, name = row["unite"], row["indicateur"]
        value = frame.loc[(unit, row["debut"]), name]
        for _ in range(row["fin"] - row["debut"]):
            value *= 1 + row["croissance"] / 100
        assert value == pytest.approx(frame.loc[(unit, row["fin"]), name])


def test_growth_has_a_reason_where_there_is_none() -> None:
    key = pd.MultiIndex.from_product([list("abcd"), [2010, 2012]], names=["code", "annee"])
    frame = pd.DataFrame({"x": [1, np.nan, 0, 2, -1, -2, 4, 0]}, index=key)
    table = composite.annual_growth(frame)
    assert table["croissance"].isna().tolist() == [True, True, True, False]
    assert (table["raison"] == "").tolist() == [False, False, False, True]
    assert table["croissance"].iloc[3] == -100
    with pytest.raises(BarometreError, match="a 2010 en double"):
        composite.annual_growth(pd.concat([frame, frame.iloc[:1]]))
    with pytest.raises(BarometreError, match="pas de niveau « annee »"):
        composite.annual_growth(FRAME)


# ---- reliability --------------------------------------------------------------------------------


@pytest.mark.parametrize(("k", "rho"), [(2, 0.3), (4, 0.6), (7, 0.1)])
def test_equal_correlations_have_a_closed_form(k: int, rho: float) -> None:
    noise = RNG.normal(size=(50, k))
    q, _ = np.linalg.qr(noise - noise.mean(axis=0))  # sample correlations exactly zero
    wanted = np.full((k, k), rho) + (1 - rho) * np.eye(k)
    data = q @ np.linalg.cholesky(wanted).T * np.arange(1, k + 1) + 100
    frame = pd.DataFrame(data, columns=[f"x{j}" for j in range(k)])
    result = composite.reliability(frame)
    assert result.alpha == pytest.approx(k * rho / (1 + (k - 1) * rho))
    first = 1 + (k - 1) * rho
    expected = [first] + [1 - rho] * (k - 1)
    np.testing.assert_allclose(result.components["valeur_propre"], expected)
    np.testing.assert_allclose(result.table["composante_1"], np.sqrt(first / k))
    np.testing.assert_allclose(
        result.table["correlation_reste"],
        (k - 1) * rho / np.sqrt((k - 1) * (1 + (k - 2) * rho)),
    )
    reverse = composite.reliability(frame.assign(x0=-frame["x0"]), direction={"x0": -1})
    assert reverse.alpha == pytest.approx(result.alpha)


def test_what_has_no_reliability_is_refused() -> None:
    with pytest.raises(BarometreError, match="0 unité complète"):
        composite.reliability(FRAME)
    with pytest.raises(BarometreError, match="fixe ne varie pas"):
        composite.reliability(FRAME[["taux", "fixe"]])
    with pytest.raises(BarometreError, match="direction de « taux » 0"):
        composite.reliability(FRAME[["taux", "rare"]], direction={"taux": 0})
