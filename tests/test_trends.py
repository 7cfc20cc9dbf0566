"""Trends: the figures of the neighbourhoods, each test against a closed form, what is refused."""

from __future__ import annotations

import itertools
import math
import os
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

import barometre as bcs
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.compare.proof.rank_trend import mann_kendall
from barometre.compare.proof.trends import count_trend, weighted_slope
from tests.conftest import ROOT

SLOW = os.environ.get("BAROMETRE_SLOW") == "1"
PANEL = ROOT.parent / "shared/data/insee/qpv/filosofi_qpv_panel_2012_2021.csv"
POVERTY, INCOME, WORK = "taux_de_pauvrete", "niveau_de_vie_median", "taux_emploi_15_64"
LONG = "part_plus_2_ans_defm"
CA_QUARTERS = [f"QP0590{n}" for n in (21, 22, 30, *range(50, 60))]


def tidy(values: list[float], start: int = 2012, **common: Any) -> pd.DataFrame:
    base = {"code": "QP059055", "indicateur": POVERTY, "origine": "publie"} | common
    step = int(base.pop("step", 1))
    years = range(start, start + step * len(values), step)
    return pd.DataFrame(
        [base | {"annee": y, "valeur": v} for y, v in zip(years, values, strict=True)]
    )


def one(frame: pd.DataFrame, *args: Any, **options: Any) -> Any:
    return next(bcs.trend(frame, *args, **options).itertuples())


def change_of(frame: pd.DataFrame, start: int, end: int, **options: Any) -> Any:
    return next(bcs.evolution(frame, start, end, **options).itertuples())


# ---- real figures --------------------------------------------------------------------------------


def test_poverty_of_the_13_neighbourhoods_2012_to_2021() -> None:
    if not PANEL.exists():
        pytest.skip("needs Insee's panel of the neighbourhoods, which is not part of the project")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = bcs.compute(bcs.read(PANEL), POVERTY)
    found = bcs.trend(results[results["code"].isin(CA_QUARTERS)]).set_index("code")
    up = {"QP059055", "QP059057"}  # Sabatier, Collinière
    assert set(found.index[found["tendance"] == "hausse"]) == up
    assert set(found["evolution"][list(up)]) == {"se_degrade"}
    assert (found["tendance"] == "baisse").sum() == 3
    assert (found["tendance"] == "sans_tendance").sum() == 8
    assert set(found["methode"]) == {"mann_kendall"}
    assert set(found["annee_fin"]) == {2020, 2021}


# ---- Mann-Kendall --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_mann_kendall_is_exact_with_ties(seed: int) -> None:
    """Brute force: every order of the values."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 5, 7).astype(float)
    found = mann_kendall(np.arange(7.0), values)
    scores = [
        sum(np.sign(order[j] - order[i]) for i in range(7) for j in range(i + 1, 7))
        for order in itertools.permutations(values)
    ]
    assert found.p == pytest.approx(np.mean(np.abs(scores) >= abs(found.statistic)), abs=1e-12)


@pytest.mark.parametrize("size", [8, 10, 25])
def test_mann_kendall_is_kendalls_tau_without_ties(size: int) -> None:
    values = np.random.default_rng(size).normal(size=size)
    expected = kendalltau(np.arange(size), values, method="exact")
    found = mann_kendall(np.arange(float(size)), values)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.statistic == pytest.approx(expected.statistic * size * (size - 1) / 2)


def test_fewer_than_8_dates_are_not_ranked() -> None:
    found = one(tidy([30, 31, 32, 33, 34, 35, 36]))
    assert (found.statut, found.points) == ("non_disponible", 7)
    assert "il en faut 8 sans intervalle" in found.note
    assert one(tidy([30, 31, 32, 33, 34, 35, 36, 37])).tendance == "hausse"


def test_the_size_of_the_test_is_at_most_5_percent() -> None:
    """Exact: the p-values of all orders are at most as small as they say."""
    draws = 2000 if SLOW else 300
    rng = np.random.default_rng(3)
    p = [mann_kendall(np.arange(9.0), rng.integers(0, 30, 9) / 1.0).p for _ in range(draws)]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / draws)


# ---- counts --------------------------------------------------------------------------------------


def test_cochran_armitage_is_the_correlation_of_people_with_time() -> None:
    """Closed form: z squared is N r squared, over the people one by one."""
    years, n, k = np.array([0.0, 1, 3, 4]), np.array([40, 60, 50, 30]), np.array([10, 18, 22, 12])
    when = np.repeat(years, n)
    state = np.concatenate([np.arange(m) < c for m, c in zip(n, k, strict=True)]).astype(float)
    r = np.corrcoef(when, state)[0, 1]
    slope, error, z = count_trend(years, k.astype(float), n.astype(float))
    assert z**2 == pytest.approx(len(when) * r**2)
    assert slope == pytest.approx(np.polyfit(when, state, 1)[0])
    assert error == pytest.approx(slope / z)


@pytest.mark.parametrize(
    ("years", "above"),
    [([1.0, 2, 3], [0.0, 0, 0]), ([1.0, 2, 3], [9.0, 9, 9]), ([2.0, 2, 2], [1.0, 2, 3])],
    ids=["nobody", "everybody", "one date"],
)
def test_counts_without_a_trend_to_test(years: list[float], above: list[float]) -> None:
    found = count_trend(np.array(years), np.array(above), np.full(3, 9.0))
    assert np.isnan(found).all()


def test_counts_of_a_register_are_tested_as_counts() -> None:
    frame = pd.DataFrame(
        {
            "code": "QP059050", "annee": range(2016, 2021), "demandeurs_abc": 1000.0,
            "demandeurs_abc_plus_2_ans": [250.0, 270, 290, 310, 330],
        }
    )  # fmt: skip
    tables = {"demandeurs_emploi": frame}
    results = bcs.compute(tables, LONG)
    found = one(results, tables=tables)
    assert (found.methode, found.tendance, found.evolution) == (
        "cochran_armitage",
        "hausse",
        "se_degrade",
    )
    assert found.pente == pytest.approx(2.0)
    assert found.pente_inf > 0
    assert "mêmes personnes" in found.note
    assert found.statistique == pytest.approx(0.02 / math.sqrt(0.29 * 0.71 / (1000 * 10)))
    assert one(results).statut == "non_disponible"  # without counts, 5 dates are too few


@pytest.mark.parametrize("p", [0.05 * i for i in range(1, 20)] if SLOW else [0.1, 0.5])
def test_false_trends_of_counts(p: float) -> None:
    rng = np.random.default_rng(round(p * 100))
    years = np.arange(6.0)
    draws = 10_000
    k = rng.binomial(600, p, (draws, 6)).astype(float)
    z = np.array([count_trend(years, row, np.full(6, 600.0))[2] for row in k])
    assert 0.04 <= np.mean(np.abs(z) > 1.959964) <= 0.06


# ---- intervals -----------------------------------------------------------------------------------


def test_the_weighted_slope_is_least_squares() -> None:
    years, values, sd = np.arange(5.0), np.array([1.0, 3, 2, 5, 4]), np.array([1.0, 2, 1, 3, 1])
    slope, error = weighted_slope(years, values, sd)
    design = np.column_stack([np.ones(5), years])
    inverse = np.linalg.inv(design.T @ np.diag(1 / sd**2) @ design)
    assert slope == pytest.approx((inverse @ design.T @ (values / sd**2))[1])
    assert error == pytest.approx(math.sqrt(inverse[1, 1]))


def test_sampled_values_have_a_weighted_slope() -> None:
    values = [50.0, 53, 56]
    frame = tidy(values, 2006, step=5, indicateur=WORK, code="59172")
    frame = frame.assign(borne_inf=frame["valeur"] - 2, borne_sup=frame["valeur"] + 2)
    found = one(frame, 3)
    assert (found.methode, found.tendance, found.evolution) == (
        "pente_ponderee",
        "hausse",
        "s_ameliore",
    )
    assert found.pente == pytest.approx(0.6)
    sd = 2 / 1.959964
    assert found.statistique == pytest.approx(0.6 / (sd / math.sqrt(50)), rel=1e-6)
    half = 2 / math.sqrt(50)
    assert (found.pente_inf, found.pente_sup) == pytest.approx((0.6 - half, 0.6 + half), rel=1e-6)
    wide = frame.assign(borne_inf=frame["valeur"] - 8, borne_sup=frame["valeur"] + 8)
    assert one(wide, 3).tendance == "sans_tendance"


# ---- what is refused -----------------------------------------------------------------------------


def rising(number: int) -> list[float]:
    return [30.0 + i for i in range(number)]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "census": (
        {"start": 2010, "indicateur": WORK, "code": "59172"},
        "recensement distants de 1 an",
    ),
    "cnam": ({"start": 2020, "indicateur": "taux_couverture_c2s"}, "consécutifs de la Cnam"),
    "old quarter": ({"start": 2016}, "périmètre de 2015, remplacé en 2024"),
    "new quarter": ({"start": 2016, "code": "QN05955M"}, "n'existait pas en 2016"),
    "break": ({"start": 2018, "code": "59172"}, "rupture en 2023"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_series_is_refused_with_the_reason(case: tuple[dict[str, Any], str]) -> None:
    options, reason = case
    frame = tidy(rising(9), **options)
    found = one(frame)
    assert (found.statut, pd.isna(found.tendance), pd.isna(found.p)) == (
        "non_comparable",
        True,
        True,
    )
    assert reason in found.note
    lifted = one(frame, override=["recensement", "cnam", "perimetre", "rupture"])
    assert (lifted.tendance, lifted.qualite) == ("hausse", "douteux")
    assert "malgré la règle" in lifted.note


def test_a_hole_is_told() -> None:
    whole = tidy(rising(10), code="QP059050")
    frame = pd.concat([whole, tidy(rising(10)).query("annee != 2016")])
    found = bcs.trend(frame).set_index("code").loc["QP059055"]
    assert (found["statut"], "aucune valeur en 2016" in found["note"]) == ("non_disponible", True)
    # A year that nobody has is no hole, nor are years missing at the ends.
    assert one(tidy(rising(10)).query("annee != 2016")).tendance == "hausse"
    ends = pd.concat([whole, tidy(rising(10)).query("annee < 2021")])
    assert bcs.trend(ends).set_index("code").loc["QP059055", "annee_fin"] == 2020


def test_too_few_dates_give_the_reason_of_the_absent_ones() -> None:
    frame = tidy([30.0, math.nan, math.nan, 31, 32]).assign(
        statut=["ok", "secret", "non_disponible", "ok", "ok"]
    )
    assert one(frame).statut == "secret"


# ---- euros ---------------------------------------------------------------------------------------


def test_nominal_euros_are_said_to_be_so_and_constant_ones_are_computed() -> None:
    """Prices up by 2 % a year, incomes by 1 %: up in current euros, down in constant ones."""
    incomes = tidy([10_000 * 1.01**i for i in range(9)], indicateur=INCOME)
    prices = pd.Series({year: 100 * 1.02 ** (year - 2012) for year in range(2012, 2022)})
    nominal, real = one(incomes), one(incomes, deflate=prices)
    assert (nominal.tendance, real.tendance) == ("hausse", "baisse")
    assert "euros courants" in nominal.note
    assert "signalé en 2018" in nominal.note
    to_2018 = tidy([10_000 * 1.01**i for i in range(9)], 2010, indicateur=INCOME)
    assert "signalé en 2018" in one(to_2018).note
    assert "euros courants" not in (real.note or "")
    change = change_of(incomes, 2014, 2019)
    assert change.appreciation == "favorable"
    assert "euros courants" in change.note
    assert "CSG" in change.note
    constant = change_of(incomes, 2014, 2019, deflate=prices)
    assert constant.appreciation == "defavorable"
    assert constant.valeur_debut == pytest.approx(10_000 * 1.01**2 * 1.02**5)
    assert constant.valeur_fin == pytest.approx(10_000 * 1.01**7)
    assert "euros constants de 2019" in constant.note
    with pytest.raises(BarometreError, match="années absentes : 2012"):
        bcs.trend(incomes, deflate=prices.drop(2012))


# ---- marks, bridge -------------------------------------------------------------------------------


def test_what_is_unfavourable_and_worsens_is_marked() -> None:
    frame = pd.concat(
        [tidy(rising(9)), tidy(rising(9)[::-1], code="QP059057"), tidy([20.0] * 9, code="59")]
    )
    found = bcs.trend(frame, reference="59").set_index("code")
    verdicts = found["verdict"].dropna().to_dict()
    assert verdicts == dict.fromkeys(("QP059055", "QP059057"), "defavorable")
    assert found["marque"].dropna().to_dict() == {"QP059055": "defavorable_et_se_degrade"}


def test_the_side_of_a_target_is_that_of_the_value_not_of_its_bounds() -> None:
    """From 60 to 52 % of women, closer to half; the lower bound goes from 45 to 37."""
    frame = tidy([60.0 - i for i in range(9)], indicateur="part_femmes_licences")
    bounds = frame.assign(borne_inf=frame["valeur"] - 15, borne_sup=frame["valeur"] + 1)
    for given in (frame, bounds):
        assert (one(given).tendance, one(given).evolution) == ("baisse", "s_ameliore")


def test_neighbourhoods_cross_2024_only_where_the_bridge_says_they_are_the_same() -> None:
    """Sabatier keeps 2 702 of 2 866 residents (94 %); Gambetta goes from 1 284 to 1 851."""
    bridge = bcs.qpv_bridge().set_index("code_2015")
    assert bridge.loc["QP059055", "identique"]
    assert bridge.loc["QP059055", "part_conservee"] == pytest.approx(2702 / 2866)
    refused = {
        "QP059054": "90 %",
        "QP059050": "sortie",
        "QP059021": "deux EPCI",
        "QP059056": "fusionnés",
    }
    for code, reason in refused.items():
        assert not bridge.loc[code, "identique"]
        assert reason in str(bridge.loc[code, "regle"])
    for old, new, crosses in (("QP059055", "QN05955M", True), ("QP059054", "QN05954M", False)):
        frame = pd.concat([tidy(rising(8), 2014, code=old), tidy([40.0, 41], 2024, code=new)])
        frame = frame[~frame["annee"].isin([2022, 2023])]
        found = bcs.trend(frame, bridge=True).set_index("code")
        points = found["points"].to_dict().get(new)
        assert (int(points or 0) == 10) is crosses
        change = bcs.evolution(frame, 2019, 2024, bridge=True).set_index("code")
        assert (change["statut"].to_dict()[new] == "ok") is crosses
        if crosses:
            assert "94 % de la population" in str(found.loc[new, "note"])
            assert "tenu pour celui de 2024" in str(change.loc[new, "note"])
    plain = bcs.evolution(frame, 2019, 2024)
    assert set(plain["statut"]) == {"non_comparable"}


def test_a_merger_of_communes_keeps_a_comparable_series() -> None:
    frame = pd.DataFrame(
        {
            "code": ["01033", "01018", "01033"], "annee": [2011, 2011, 2021],
            "population_15_64_ans": [100.0, 50, 160], "actifs_occupes_15_64_ans": [60.0, 30, 104],
        }
    )  # fmt: skip
    merged = bcs.apply_passage({"activite": frame}, {"01018": "01033"})
    found = bcs.evolution(bcs.compute(merged, WORK), 2011, 2021).iloc[0]
    assert (found["valeur_debut"], found["valeur_fin"]) == (60, 65)
    assert found["statut"] == "ok"


def test_refusals() -> None:
    frame = tidy(rising(9))
    for points in (2, 5.0, True):
        with pytest.raises(BarometreError, match="points="):
            bcs.trend(frame, points)  # type: ignore[arg-type]
    with pytest.raises(BarometreError, match="alpha="):
        bcs.trend(frame, alpha=5)
    with pytest.raises(UnknownNameError, match="règle à lever"):
        bcs.trend(frame, override="secret")  # type: ignore[arg-type]
    with pytest.raises(BarometreError, match="bridge refusé"):
        bcs.trend(frame, bridge=pd.DataFrame({"code_2015": ["QP059055"]}))
    for old, new in (("AA", "BC"), ("AB", "CC")):
        twice = pd.DataFrame({"code_2015": list(old), "code_2024": list(new)})
        with pytest.raises(BarometreError, match="un quartier tenu pour deux autres"):
            bcs.trend(frame, bridge=twice.assign(identique=True, part_conservee=1.0))
    with pytest.raises(BarometreError, match="kept="):
        bcs.qpv_bridge(kept=90)
    assert bcs.trend(frame.iloc[:0]).empty
