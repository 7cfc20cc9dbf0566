"""ATT(g,t): the test before treatment, who cannot be compared, and what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cohort import Cohort, CohortError
from barometre.cohort.inference.pretrends import pretrend_test
from barometre.cohort.inference.sandwich import StandardError
from barometre.cohort.staggered.group_time import ComparisonWarning
from barometre.cohort.staggered.group_time_result import AttGt
from tests.test_cohort_att_gt import KINDS, METHODS, effects, panel, same

# ---- before the treatment -----------------------------------------------------------------------


@pytest.mark.parametrize("anticipation", [0, 1])
@pytest.mark.parametrize("base", ["varying", "universal"])
def test_a_difference_of_trend_is_what_the_slopes_are_about(base: str, anticipation: int) -> None:
    rows = panel(12, n=300, groups=(0, 5))
    made = effects(rows, base=base, anticipation=anticipation)
    drifted = effects(
        rows.assign(y=rows["y"] + 0.25 * rows["t"] * (rows["g"] > 0)),
        base=base,
        anticipation=anticipation,
    )
    last = 4 - anticipation
    table = made.table
    start = (
        np.full(len(table), last) if base == "universal" else np.minimum(table["wave"] - 1, last)
    )
    chosen = (table["wave"] <= last) & (table["wave"] != start)
    times = (table["wave"] - start)[chosen]
    assert_allclose((drifted.table["estimate"] - table["estimate"])[chosen], 0.25 * times)
    psi = made.influence.to_numpy()[:, chosen.to_numpy()] / 300
    expected = pretrend_test(table["estimate"][chosen], psi.T @ psi, times)
    test = made.pretrend()
    assert test.df == last - 1
    assert_allclose([test.statistic, test.p], [expected.statistic, expected.p], rtol=1e-8)
    assert_allclose(test.slopes[0.8], expected.slopes[0.8], rtol=1e-8)


def test_pretrend_with_too_few_clusters_says_so() -> None:
    rows = panel(13, groups=(0, 3, 5)).assign(c=lambda r: r["id"] % 2)
    test = effects(rows, cluster="c").pretrend()
    assert np.isnan(test.p)
    assert "covariance non inversible" in test.meta["reason"]


# ---- who cannot be compared ---------------------------------------------------------------------


def test_treated_from_the_first_wave_on_are_left_out() -> None:
    rows = panel(14, groups=(0, 1, 3))
    made = effects(rows)
    assert made.table["group"].unique().tolist() == [3]
    assert made.meta["lost"] == {
        "traitées dès la première vague : aucune date avant le traitement": 20
    }
    assert (made.meta["n_in"], made.meta["n_used"], len(made.influence)) == (60, 40, 40)
    same(made, effects(rows[rows["g"] != 1]))


def test_without_never_treated_the_last_to_enter_only_compare() -> None:
    rows = panel(15, groups=(3, 4, 5))
    made = effects(rows, control="not_yet")
    assert made.table["group"].unique().tolist() == [3, 4]
    failed = {(cell["group"], cell["wave"]): cell["reason"] for cell in made.meta["not_estimated"]}
    assert failed == {(3, 5): "personne à comparer", (4, 5): "personne à comparer"}
    assert made.table["estimate"].isna().sum() == 2
    assert made.aggregate("calendar").table["wave"].tolist() == [3, 4]
    assert made.meta["n_used"] == 60
    with pytest.raises(BarometreError, match='control="not_yet"'):
        effects(rows)


def test_anticipation_keeps_those_about_to_enter_from_comparing() -> None:
    rows = panel(16, groups=(0, 3, 6))
    made = effects(rows, anticipation=1)
    assert made.table["group"].unique().tolist() == [3, 6]  # at 6, after the last wave: no effect
    assert made.table["n_control"].unique().tolist() == [20]
    assert made.aggregate("group").table["group"].tolist() == [3]


@pytest.mark.parametrize("method", METHODS)
def test_collinear_covariates_give_no_effect(method: str) -> None:
    rows = panel(17).assign(z=lambda r: 3 * r["x"] - 2)
    with pytest.warns(ComparisonWarning, match="colinéaires"):
        made = effects(rows, covariates=["x", "z"], method=method)
    assert made.table[["estimate", "se"]].isna().all(axis=None)
    assert made.meta["n_used"] == 0
    assert len(made.meta["not_estimated"]) == len(made.table) == 8
    assert "8 effets non estimés." in made.summary()
    for kind in KINDS:
        assert np.isnan(made.aggregate(kind).overall.estimate)
    assert made.influence.shape == (60, 0)


@pytest.mark.parametrize("method", ["dr", "ipw"])
def test_separation_gives_no_effect(method: str) -> None:
    rows = panel(18, groups=(0, 3)).assign(x=lambda r: r["g"] + r["id"] % 7)
    apart = rows.assign(x=rows["x"] + 20 * (rows["g"] > 0))
    with pytest.warns(ComparisonWarning, match="recouvrement insuffisant"):
        made = effects(apart, covariates=["x"], method=method)
    assert made.table["estimate"].isna().all()
    # Controls alone in a stratum weigh nothing: the effect is that of the other people.
    alone = rows.assign(x=((rows["g"] == 0) & (rows["id"] % 4 == 0)).astype(float))
    kept = effects(alone[alone["x"] == 0])
    made = effects(alone, covariates=["x"], method=method)
    assert_allclose(
        made.table["estimate"], kept.table["estimate"], atol=1e-7
    )  # the score tends to 0
    assert_allclose(made.table["se"], kept.table["se"], atol=1e-7)


def test_small_groups_are_told() -> None:
    rows = panel(19, n=24, groups=(0, 0, 0, 0, 3))
    with pytest.warns(ComparisonWarning, match="groupes de moins de 6 personnes pour 1 covariable"):
        effects(rows, covariates=["x"], method="reg")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        effects(rows)
        many = panel(19, n=60, groups=(0, 0, 0, 3))
        six = many["g"].eq(0) | many["id"].isin(many["id"][many["g"] == 3].unique()[:6])
        effects(many[six], covariates=["x"], method="reg")


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"control": "nevertreated"}, "control"),
        ({"base": "variable"}, "base"),
        ({"method": "ols"}, "method"),
        ({"missing": "drop"}, "missing"),
        ({"covariates": ["nothing"]}, "nothing"),
        ({"cluster": "nothing"}, "nothing"),
        ({"anticipation": -1}, "anticipation"),
        ({"anticipation": "one"}, "anticipation"),
        ({"anticipation": 9}, "aucune entrée entre la première et la dernière vague"),
        ({"cluster": "one"}, "au moins 2"),
        ({"cluster": "hole"}, "inconnue à la première vague pour 1 personne"),
    ],
)
def test_options_refused(options: dict[str, Any], said: str) -> None:
    rows = panel(20).assign(one=1, hole=lambda r: r["c"].where(r["id"] > 0))
    with pytest.raises(BarometreError, match=said):
        effects(rows, **options)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.assign(y="1"), "donner des nombres"),
        (lambda r: r.assign(y=r["y"].where(r["id"] > 0, np.inf)), "5 valeurs infinies"),
        (lambda r: r[r["t"] == 1], "une seule vague"),
        (lambda r: r.assign(g=0), "aucune entrée"),
        (lambda r: r.assign(g=3), "traité un jour"),
        (lambda r: r.assign(t=pd.to_datetime(r["t"], unit="D"), g=pd.NaT), "aucune entrée"),
    ],
)
def test_rows_refused(change: Any, said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        effects(change(panel(21)))


def test_what_a_cohort_refuses() -> None:
    rows = panel(22)
    with pytest.raises(CohortError, match="change d'une vague à l'autre"):
        effects(rows.assign(g=rows["t"]))
    with pytest.raises(CohortError, match="en double"):
        effects(pd.concat([rows, rows]))
    with pytest.raises(BarometreError, match="first_treated"):
        Cohort(rows, "id", "t").att_gt("y")
    with pytest.raises(BarometreError, match="tous entrent à la même vague"):
        effects(rows.assign(g=3), control="not_yet")
    with pytest.raises(UnknownNameError, match="agrégation"):
        effects(rows).aggregate("event")  # type: ignore[arg-type]  # that is the point


def test_groups_that_are_each_in_one_cluster() -> None:
    """Influences add up to 0 in each cluster: the error is unknown, not tiny."""
    rows = panel(3, n=90, groups=(0, 3, 5)).assign(qp=lambda t: t["g"])
    made = effects(rows, cluster="qp")
    assert made.table["estimate"].notna().all()
    assert made.table[["se", "low", "high"]].isna().all(axis=None)
    for kind in KINDS:
        overall = made.aggregate(kind).overall
        assert np.isfinite(overall.estimate)
        assert np.isnan(overall.se)
        assert np.isnan(overall.p)
    test = made.pretrend()
    assert np.isnan(test.p)
    assert "non inversible" in test.meta["reason"]
    assert "3, 5, jamais" in made.meta["caution"]
    assert "caution" not in effects(rows, cluster="id").meta


def written(numbers: pd.Series[Any], kind: str) -> Any:
    """Waves 1, 2... as months or labels; 0 is never. Entries fall in the month, not on its day."""
    months = pd.PeriodIndex([pd.Period("2024-01", "M") + int(t) for t in numbers])
    known = numbers.to_numpy() > 0
    if kind == "period":
        return pd.Series(months, numbers.index).where(known)
    if kind == "date":
        return pd.Series(months.to_timestamp(), numbers.index).where(known)
    labels = pd.Series("v" + numbers.astype(str), numbers.index).where(known)
    return labels.astype(pd.CategoricalDtype([f"v{t}" for t in range(1, 20)], ordered=True))


@pytest.mark.parametrize("kind", ["period", "date", "label"])
@pytest.mark.parametrize("anticipation", [0, 1])
def test_dates_periods_and_labels_count_in_waves(kind: str, anticipation: int) -> None:
    numbers = panel(5, n=120, groups=(0, 1, 3, 5))
    rows = numbers.assign(t=written(numbers["t"], kind), g=written(numbers["g"], kind))
    options: dict[str, Any] = {"anticipation": anticipation, "control": "not_yet"}
    plain, made = effects(numbers, **options), effects(rows, **options)
    values = ["estimate", "se", "n_treated", "n_control"]
    assert_allclose(made.table[values], plain.table[values])
    for name in ("group", "wave"):
        assert made.table[name].tolist() == written(plain.table[name], kind).tolist()
    for name in KINDS:
        ours, theirs = made.aggregate(name), plain.aggregate(name)
        assert_allclose([ours.overall.estimate, ours.overall.se],
                        [theirs.overall.estimate, theirs.overall.se])  # fmt: skip
        assert_allclose(ours.table[["estimate", "se"]], theirs.table[["estimate", "se"]])
    assert list(made.aggregate("dynamic").table["event_time"]) == (
        list(plain.aggregate("dynamic").table["event_time"])
    )
    by_group = made.aggregate("group").table["group"]
    assert by_group.tolist() == written(plain.aggregate("group").table["group"], kind).tolist()
    assert made.pretrend().slopes == pytest.approx(plain.pretrend().slopes)
    assert made.meta["lost"] == plain.meta["lost"]


def test_one_enters_at_the_first_wave_that_is_not_before_her_date() -> None:
    numbers = panel(5, n=120, groups=(0, 1, 3, 5))
    rows = numbers.assign(t=written(numbers["t"], "date"), g=written(numbers["g"], "date"))
    early = rows.assign(g=rows["g"] - pd.Timedelta(days=9))
    pd.testing.assert_frame_equal(effects(early).table, effects(rows).table)
    late = rows.assign(g=rows["g"].where(rows["g"] < rows["t"].max(), pd.Timestamp("2100-01-01")))
    never = rows.assign(g=rows["g"].where(rows["g"] < rows["t"].max()))
    pd.testing.assert_frame_equal(effects(late).table, effects(never).table)
    labels = numbers.assign(t=written(numbers["t"], "label"), g=written(numbers["g"] * 3, "label"))
    lowest = labels["id"] == labels["id"].min()
    for given in (labels, labels.assign(g=labels["g"].mask(lowest, "v1")).sort_values("id")):
        with pytest.raises(UnknownNameError, match=r"vague d'entrée.*v(9|15)"):
            effects(given)


def test_the_errors_differ_by_a_factor_only() -> None:
    """CR1 and HC1 multiply the variance by G / (G - 1), and have G - 1 degrees of freedom."""
    cohort = Cohort(panel(11), "id", "t", first_treated="g", cluster="c")
    plain = cohort.att_gt("y", se="CR0")
    groups, people = plain.meta["n_clusters"], cohort.att_gt("y", cluster="id").meta["n_clusters"]
    assert groups == cohort.frame["c"].nunique() < people
    cases: list[tuple[StandardError, AttGt, int]] = [
        ("CR1", plain, groups),
        ("HC1", cohort.att_gt("y", cluster="id", se="CR0"), people),
    ]
    for se, other, g in cases:
        errors = cohort.att_gt("y", se=se)
        factor = np.sqrt(g / (g - 1))
        assert_allclose(errors.table["se"], factor * other.table["se"])
        for kind in KINDS:
            ours, theirs = errors.aggregate(kind), other.aggregate(kind)
            assert_allclose(ours.table["se"], factor * theirs.table["se"])
            assert ours.overall.df == g - 1
            half = (ours.overall.high - ours.overall.low) / 2
            assert half == pytest.approx(stats.t.ppf(0.975, g - 1) * ours.overall.se)
    by_person, asymptotic = (other.pretrend() for _, other, _ in reversed(cases))
    assert cohort.att_gt("y", se="HC1").pretrend().statistic == pytest.approx(
        by_person.statistic * (people - 1) / people
    )
    assert "khi-deux" in asymptotic.meta["convention"]
    with pytest.raises(BarometreError, match="fonctions d'influence"):
        cohort.att_gt("y", se="CR3")
