"""Durations: edges, refusals, types, and cases by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from barometre.base.errors import BarometreError
from barometre.cohort import cumulative_incidence, kaplan_meier, logrank, rmst, survival_quantile
from tests.test_cohort_survival import sample

# ---- edges --------------------------------------------------------------------------------------


def test_events_at_time_zero_count() -> None:
    curve = kaplan_meier([0, 0, 3], [1, 0, 1])
    assert curve["time"].tolist() == [0, 3]
    assert curve["survival"].tolist() == pytest.approx([2 / 3, 0])


def test_times_that_rounding_tells_apart_are_one() -> None:
    """Of those who leave together, the censored are at risk, in whatever order they round."""
    near = 2024.3 - 2024.1  # 0.2 and 2e-13
    assert near > 0.2
    exact = kaplan_meier([0.2, 0.2, 0.5], [1, 0, 1], entry=[0, 0, 0.2])
    for duration, entry in (([near, 0.2, 0.5], [0, 0, 0.2]), ([0.2, near, 0.5], [0, 0, near])):
        pd.testing.assert_frame_equal(kaplan_meier(duration, [1, 0, 1], entry=entry), exact)
    apart = kaplan_meier([0.2, 0.2 + 1e-9], [1, 1])
    assert len(apart) == 2


def test_everyone_censored() -> None:
    curve = kaplan_meier([2, 5], [0, 0])
    assert curve[["survival", "se", "low", "high"]].to_numpy().tolist() == [[1, 0, 1, 1]] * 2
    assert np.isnan(survival_quantile(curve)["quantile"].item())
    assert cumulative_incidence([2, 5], [0, 0]).empty
    test = logrank([2, 5], [0, 0], ["a", "b"])
    assert np.isnan(test.chisq)
    assert np.isnan(test.p)


def test_one_person() -> None:
    curve = kaplan_meier([4], [True])
    assert curve["survival"].tolist() == [0]
    assert curve[["se", "low", "high"]].isna().all(axis=None)
    assert survival_quantile([4], [True])["quantile"].item() == 4
    assert rmst([4], [True])[["estimate", "se"]].to_numpy().tolist() == [[4, 0]]


def test_nobody() -> None:
    assert kaplan_meier([], []).columns[0] == "time"
    assert kaplan_meier([], [], by=[]).empty
    assert cumulative_incidence([], []).empty
    assert rmst([], []).empty
    assert survival_quantile([], [])["quantile"].isna().all()
    assert kaplan_meier([np.nan], [1]).meta["lost"] == {"durée manquante": 1}


def test_the_lost_are_counted_once() -> None:
    curve = kaplan_meier(
        [1, np.nan, 3, 4, 5], [1, np.nan, None, 0, 1],
        by=["a", "a", "a", None, "b"], entry=[0, 0, 0, 0, 5],
    )  # fmt: skip
    assert curve.meta["n_in"] == 5
    assert curve.meta["n_used"] == 1
    assert curve.meta["lost"] == {
        "durée manquante": 1, "événement manquant": 1, "groupe manquant": 1, "sortie avant l'entrée": 1,
    }  # fmt: skip
    assert curve["group"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"duration": [1, -2], "event": [1, 0]}, "négative"),
        ({"duration": [1, np.inf], "event": [1, 0]}, "infinie"),
        ({"duration": [1, 2], "event": [1, 2]}, "status == 2"),
        ({"duration": ["1", "2"], "event": [1, 0]}, "des nombres"),
        ({"duration": [1, 2, 3], "event": [1, 0]}, "longueurs différentes"),
        ({"duration": 3, "event": [1]}, "une colonne"),
        ({"duration": [1, 2], "event": [1, 0], "weight": [1, -1]}, "poids"),
        ({"duration": [1, 2], "event": [1, 0], "weight": [1, np.nan]}, "poids"),
        ({"duration": [1, 2], "event": [1, 0], "weight": [0, 0]}, "poids"),
        ({"duration": [1, 2], "event": [1, 0], "level": 95}, "niveau"),
        ({"duration": [1, 2], "event": [1, 0], "conf_type": "logit"}, "Vouliez-vous"),
        ({"duration": pd.Series([1, 2]), "event": pd.Series([1, 0], index=[1, 0])}, "index"),
    ],
)
def test_what_is_refused(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(BarometreError, match=words):
        kaplan_meier(**columns)


def test_other_refusals() -> None:
    with pytest.raises(BarometreError, match="cause"):
        cumulative_incidence([1, 2], [1, -1])
    with pytest.raises(BarometreError, match="un seul groupe"):
        logrank([1, 2], [1, 1], ["a", "a"])
    with pytest.raises(BarometreError, match="rho"):
        logrank([1, 2], [1, 1], ["a", "b"], rho=-1)
    with pytest.raises(BarometreError, match="quantile"):
        survival_quantile([1, 2], [1, 1], q=50)
    with pytest.raises(BarometreError, match="courbe sans"):
        survival_quantile(pd.DataFrame({"time": [1]}))
    with pytest.raises(BarometreError, match="horizon"):
        rmst([1, 2], [1, 0], horizon=3)
    with pytest.raises(BarometreError, match="horizon"):
        rmst([1, 2], [1, 0], horizon=0)
    with pytest.raises(BarometreError, match="horizon"):
        rmst([1, 2], [1, 0], horizon="fin")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(BarometreError, match="niveau"):
        kaplan_meier([1, 2], [1, 0], level="95")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(BarometreError, match="quantile"):
        survival_quantile([1, 2], [1, 1], q="médiane")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(BarometreError, match="event manquant"):
        survival_quantile([1, 2])
    with pytest.raises(BarometreError, match="cause : des nombres"):
        cumulative_incidence([1, 2], ["emploi", "départ"])


@pytest.mark.parametrize("given", [{"by": [1, 1]}, {"weight": [1, 1]}, {"level": 0.9}])
def test_a_curve_already_has_its_groups_and_interval(given: dict[str, Any]) -> None:
    with pytest.raises(BarometreError, match="ne donner que q="):
        survival_quantile(kaplan_meier([1, 2], [1, 1]), 0.5, **given)


def test_what_pandas_users_pass() -> None:
    expected = kaplan_meier([5, 8, 8, 12], [1, 1, 0, 1])
    for duration, event in [
        (pd.Series([5, 8, 8, 12], dtype="Int64"), pd.Series([True, True, False, True], dtype="boolean")),
        (np.array([5.0, 8, 8, 12]), np.array([True, True, False, True])),
        (pd.Series([5, 8, 8, 12], dtype=object), pd.Series([1, 1, 0, 1], dtype=object)),
        (pd.Index([5, 8, 8, 12]), (1, 1, 0, 1)),
    ]:  # fmt: skip
        pd.testing.assert_frame_equal(kaplan_meier(duration, event), expected)


def test_groups_keep_their_type_and_order() -> None:
    by = pd.Categorical(["b", "a", "b"], categories=["b", "a", "c"], ordered=True)
    curve = kaplan_meier([1, 2, 3], [1, 1, 1], by=by)
    assert curve["group"].tolist() == ["b", "b", "a"]
    assert kaplan_meier([1, 2], [1, 1], by=[2, 1])["group"].tolist() == [1, 2]


# ---- quantiles and means by hand ----------------------------------------------------------------


def test_a_quantile_on_a_flat_part_is_its_middle() -> None:
    curve = kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1])
    assert survival_quantile(curve, 0.5)["quantile"].item() == 2.5
    assert survival_quantile(curve, q=[0.25, 0.3])["quantile"].tolist() == [1.5, 2]
    still = kaplan_meier([1, 2, 7, 9], [1, 1, 0, 0])  # the curve stays at 0.5 until 9
    assert survival_quantile(still)["quantile"].item() == 5.5


def test_quantiles_of_a_curve_and_of_its_durations_agree() -> None:
    frame = sample(11, 80)
    event = frame["cause"] > 0
    curve = kaplan_meier(frame["time"], event, by=frame["group"], conf_type="plain", level=0.9)
    direct = survival_quantile(
        frame["time"], event, [0.2, 0.5], frame["group"], conf_type="plain", level=0.9
    )
    pd.testing.assert_frame_equal(survival_quantile(curve, [0.2, 0.5]), direct)
    assert direct.meta["n_used"] == 80


def test_restricted_mean_by_hand() -> None:
    """S = 1 until 2, 0.75 until 4, 0.5 until 6: area 2 + 1.5 + 1."""
    table = rmst([2, 4, 9, 9], [1, 1, 0, 0], horizon=6)
    assert table["estimate"].item() == pytest.approx(4.5)
    # areas that remain after each event: 2.5 and 1
    assert table["se"].item() == pytest.approx(np.sqrt(2.5**2 / (4 * 3) + 1 / (3 * 2)))
    assert rmst([2, 4], [1, 1], horizon=10)["estimate"].item() == 3


def test_inputs_are_not_changed() -> None:
    frame = sample(1)
    before = frame.copy()
    kaplan_meier(frame["time"], frame["cause"] > 0, frame["group"], frame["entry"], frame["weight"])
    cumulative_incidence(frame["time"], frame["cause"], frame["group"])
    pd.testing.assert_frame_equal(frame, before)
