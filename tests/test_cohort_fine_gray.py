"""The regression of Fine and Gray: the Cox model it comes from, what must not change it."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.cohort import cumulative_incidence, fine_gray

SLOW = os.environ.get("BAROMETRE_SLOW") == "1"


def drawn(seed: int, n: int = 120, clusters: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "time": rng.integers(1, 12, n),
            "cause": rng.choice([0, 1, 1, 2], n),
            "arm": rng.permutation(np.arange(n) % 2),
            "age": rng.normal(40, 10, n),
            "zone": np.arange(n) % clusters,
        }
    )


def fitted(frame: pd.DataFrame, **options: object) -> Floats:
    model = fine_gray(frame, "time", "cause", by="arm", covariates=["age"], **options)  # type: ignore[arg-type]  # any option
    return np.asarray(model.table[["coefficient", "se"]], float)


@pytest.mark.parametrize("seed", range(4))
def test_names_order_and_scales_are_nothing(seed: int) -> None:
    frame = drawn(seed)
    expected = fitted(frame)
    shuffled = frame.sample(frac=1, random_state=seed)
    np.testing.assert_allclose(fitted(shuffled), expected, rtol=1e-9)
    np.testing.assert_allclose(
        fitted(frame.assign(time=np.exp(frame["time"]))), expected, rtol=1e-9
    )
    swapped = frame.assign(cause=frame["cause"].map({0: 0, 1: 2, 2: 1}))
    np.testing.assert_allclose(fitted(swapped, code=2), expected, rtol=1e-9)
    split = frame.assign(cause=frame["cause"].where(frame["cause"] < 2, 2 + frame["zone"] % 3))
    np.testing.assert_allclose(fitted(split), expected, rtol=1e-9)  # the others are one
    years = fitted(frame.assign(age=frame["age"] / 10))
    np.testing.assert_allclose(years[1], expected[1] * 10, rtol=1e-9)


def breslow(frame: pd.DataFrame) -> Floats:
    """Coefficients of the Cox model of statsmodels with Breslow's ties."""
    from statsmodels.duration.hazard_regression import PHReg

    x = frame[["arm", "age"]].to_numpy(float)
    x = (x - x.mean(axis=0)) / (scale := x.std(axis=0))
    model = PHReg(frame["time"].to_numpy(float), x, status=(frame["cause"] == 1).astype(float))
    return np.asarray(model.fit().params / scale, float)


def test_without_a_competing_event_it_is_a_cox_model() -> None:
    frame = drawn(5).replace({"cause": {2: 0}})
    np.testing.assert_allclose(fitted(frame)[:, 0], breslow(frame), rtol=1e-6)


def test_without_censoring_it_is_a_cox_model_that_keeps_the_others_in() -> None:
    frame = drawn(6).replace({"cause": {0: 2}})
    kept = frame.assign(time=frame["time"].where(frame["cause"] == 1, 99))
    np.testing.assert_allclose(fitted(frame)[:, 0], breslow(kept), rtol=1e-6)


def test_people_counted_twice_in_one_cluster_change_nothing() -> None:
    """Twice the scores and twice the information: the sandwich of clusters is that of people."""
    frame = drawn(7).assign(zone=range(120))
    once = fitted(frame, cluster="zone")
    twice = pd.concat([frame, frame], ignore_index=True)
    np.testing.assert_allclose(fitted(twice, cluster="zone"), once, rtol=1e-9)
    factor = np.sqrt(120 / 119)  # of clusters, none for people
    np.testing.assert_allclose(fitted(frame)[:, 1] * factor, once[:, 1], rtol=1e-9)


def test_the_errors_are_those_of_repeated_draws() -> None:
    """With a true ratio: the mean of the estimates, their spread beside the errors, coverage."""
    draws, found = 1000 if SLOW else 150, []
    rng = np.random.default_rng(8)
    true = 0.5
    for _ in range(draws):
        arm, n = np.arange(300) % 2, 300
        # Fine and Gray (1999, section 4): the incidence in the arm is 1 - (1 - p(1 - e^-t))^ratio.
        p, ratio = 0.5, np.exp(true * arm)
        share = 1 - (1 - p) ** ratio
        first = rng.random(n) < share
        u = rng.random(n) * share
        time = -np.log(1 - (1 - (1 - u) ** (1 / ratio)) / p)
        time = np.where(first, time, rng.exponential(1.0, n))
        stop = rng.uniform(0.5, 3, n)
        cause = np.where(stop < time, 0, np.where(first, 1, 2))
        frame = pd.DataFrame({"time": np.minimum(time, stop), "cause": cause, "arm": arm})
        found.append(fine_gray(frame, "time", "cause", by="arm").table.iloc[0])
    table = pd.DataFrame(found)
    spread = table["coefficient"].std()
    assert abs(table["coefficient"].mean() - true) < 4 * spread / np.sqrt(draws)
    noise = 4 / np.sqrt(2 * draws)
    assert table["se"].mean() / spread == pytest.approx(1, abs=noise)
    low, high = np.log(table["low"]), np.log(table["high"])
    covered = ((low < true) & (true < high)).mean()
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / draws))


def test_it_goes_the_way_of_the_incidences() -> None:
    """Equal hazards, unequal shares: the other event takes people away in one arm."""
    rng = np.random.default_rng(0)
    arm = np.repeat([0, 1], 400)
    one, other = rng.exponential(1.0, 800), rng.exponential(np.where(arm == 1, 0.3, 3.0))
    frame = pd.DataFrame({"time": np.minimum(one, other), "arm": arm})
    frame["cause"] = np.where(one < other, 1, 2)
    ratio = fine_gray(frame, "time", "cause", by="arm").table.iloc[0]
    assert ratio["high"] < 0.6
    said = fine_gray(frame, "time", "cause", by="arm").summary()
    assert "arm : rapport de risques de sous-distribution 0," in said
    assert f"{(frame['cause'] == 2).sum()} événements concurrents" in said
    ends = cumulative_incidence(frame["time"], frame["cause"], by=arm).query("cause == 1")
    assert ends.groupby("group")["cif"].last().diff().iloc[-1] < -0.3


def test_what_is_refused() -> None:
    frame = drawn(9)
    with pytest.raises(BarometreError, match="aucun événement"):
        fine_gray(frame, "time", "cause", by="arm", code=7)
    never = frame.assign(cause=frame["cause"].where((frame["arm"] == 0) | (frame["cause"] != 1), 0))
    with pytest.raises(BarometreError, match="rapport de risques infini"):
        fine_gray(never, "time", "cause", by="arm")
    with pytest.raises(BarometreError, match="ni by="):
        fine_gray(frame, "time", "cause")
