"""Times of a cohort: from statuses to durations, and their curves."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.cohort import Cohort, kaplan_meier
from tests.columns import by_columns
from tests.test_cohort_panel import cohort

# ---- time to event ------------------------------------------------------------------------------


def event_times(person: Any, wave: Any, event: Any, **options: Any) -> pd.DataFrame:
    """Give the times of columns; an origin by row is that of the first treatment."""
    if isinstance(options.get("origin"), list):
        options |= {"first_treated": options["origin"], "origin": "first_treated"}
    names = ("person", "wave", "seen", "rival", "first_treated")
    competing = options.pop("competing", None)
    columns = {"person": person, "wave": wave, "seen": event, "rival": competing}

    def of_frame(frame: pd.DataFrame, **named: Any) -> pd.DataFrame:
        event, rival = named.pop("seen"), named.pop("rival", None)
        return bcs.cohort.time_to_event(frame, event, competing=rival, **named)

    times: pd.DataFrame = by_columns(of_frame, *names)(**columns, **options)
    return times


def test_times_from_entry() -> None:
    times = cohort().time_to_event("job")
    assert times["person"].tolist() == ["p1", "p2", "p3", "p4"]
    assert times["duration"].tolist() == [1, 2, 0, 0]  # p4: nothing is known in 2026
    assert times["event"].tolist() == [1, 0, 0, 0]
    assert times["weight"].tolist() == [1, 1, 1, 2]
    both = cohort().time_to_event(["job", "training"], competing="moved")
    assert both["event"].tolist() == [1, 0, 2, 1]
    assert "1 événement ; 3 sans événement" in times.summary()
    assert "2 événements, 1 événement concurrent ; 1 sans événement" in both.summary()
    every = cohort().time_to_event(["job", "training", "search", "moved"])
    assert "4 événements ; 0 sans événement" in every.summary()
    called = cohort().time_to_event(lambda frame: frame["status"] == "job")
    assert called["duration"].tolist() == [1, 2, 0, 1]


def test_times_from_other_origins() -> None:
    calendar = cohort().time_to_event("training", origin="calendar")
    assert calendar["entry"].tolist() == [0, 0, 0, 1]
    assert calendar["duration"].tolist() == [2, 2, 0, 1]
    treated = cohort().time_to_event("job", origin="first_treated")
    assert treated["person"].tolist() == ["p1"]
    assert treated["duration"].tolist() == [0]
    assert treated.meta["lost"] == {"sans origine": 2, "rien de connu depuis l'origine": 1}


def test_who_is_in_the_state_from_the_start_has_no_event() -> None:
    # 1: in it from the start; 2: comes to it; 3: never; 4: in the rival state from the start.
    rows = ([1, 1, 2, 2, 2, 3, 3, 4, 4], [0, 1, 0, 1, 2, 0, 1, 0, 1])
    event, rival = [1, 1, 0, 0, 1, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 1, 0]
    times = event_times(*rows, event, competing=rival, at_entry="exclude")
    assert times["person"].tolist() == [2, 3]
    assert times["duration"].tolist() == [2, 1]
    assert times.meta["lost"] == {"dans l'état dès l'entrée : pas d'événement observé": 2}
    kept = event_times(*rows, event, competing=rival)
    assert kept["duration"].tolist() == [0, 2, 1, 0]
    assert kept["event"].tolist() == [1, 1, 0, 2]

    frame = pd.DataFrame({"id": rows[0], "t": rows[1], "job": event})
    curve = Cohort(frame, "id", "t").kaplan_meier("job")
    assert "dans l'état dès l'entrée" in curve.summary()
    assert curve["n_risk"].iloc[0] == 3  # 1 is not at risk: 0 is no time of event
    # 2 at the third wave, 4 at the second one, which is its first without the event before.
    assert curve.loc[curve["n_event"] > 0, "time"].tolist() == [1, 2]
    assert curve.meta["lost"]["dans l'état dès l'entrée : pas d'événement observé"] == 1
    with pytest.raises(UnknownNameError, match="event, exclude"):
        event_times(*rows, event, at_entry="keep")


def test_an_entry_of_zero_is_none_even_where_zero_is_a_wave() -> None:
    rows = ([1, 1, 2, 2], [0, 1, 0, 1], [0, 1, 0, 0])
    assert event_times(*rows, origin=[0, 0, 0, 0]).empty
    years = ([1, 1, 2, 2], [2024, 2025, 2024, 2025], [0, 1, 0, 0])
    assert event_times(*years, origin=[0, 0, 2024, 2024])["person"].tolist() == [2]
    frame = pd.DataFrame({"id": rows[0], "t": rows[1], "job": rows[2]})
    for first in ([0, 0, 1, 1], pd.array([None, None, 1, 1], "Int64")):  # never treated, as said
        panel = Cohort(frame.assign(first=first), "id", "t", first_treated="first")
        assert panel.time_to_event("job", origin="first_treated")["person"].tolist() == [2]


def test_curves_of_a_cohort() -> None:
    panel = cohort(weight=None)
    times = panel.time_to_event("job", at_entry="exclude")
    curve = panel.kaplan_meier("job", by="arm")
    direct = kaplan_meier(times["duration"], times["event"], by=times["arm"])
    pd.testing.assert_frame_equal(curve, direct)
    assert curve.meta["n_in"] == 4
    late = panel.kaplan_meier("training", origin="calendar")
    # p4: in training when first seen
    assert late.meta["lost"] == {"dans l'état dès l'entrée : pas d'événement observé": 1}
    both = panel.cumulative_incidence("job", "moved", at_entry="event")
    assert both["cause"].unique().tolist() == [1, 2]


def test_dates_count_waves() -> None:
    waves = pd.Series(pd.period_range("2024-01", periods=3, freq="M"))
    times = event_times([1, 1, 1], waves, [False, None, True])
    assert times["duration"].item() == 2


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"event": [0, 2]}, "0 et 1"),
        ({"event": [1, 0], "competing": [1, 0]}, "s'exclure"),
        ({"event": [1, 0], "origin": "naissance"}, "origine"),
        ({"event": [1, 0], "origin": [1, 2]}, "change d'une vague"),
        ({"event": [1, 0], "wave": [1, 1]}, "en double"),
    ],
)
def test_times_refused(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(BarometreError, match=words):
        event_times(**({"person": [1, 1], "wave": [1, 2]} | columns))


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"« jobs » inconnu\. Vouliez-vous dire « job »"):
        cohort().time_to_event("jobs")
    with pytest.raises(BarometreError, match="cohorte sans status"):
        cohort(status=None).transition_rates()
    with pytest.raises(UnknownNameError, match="calendar, entry, first_treated"):
        cohort().time_to_event("job", origin="naissance")  # type: ignore[arg-type]  # that is the point


def test_rank_test_and_mean_time_are_those_of_the_times() -> None:
    people = bcs.datasets.make_cohort(300)
    cohort = bcs.cohort.Cohort(people, "person", "wave", arm="arm", status="status")
    times = cohort.time_to_event("emploi", at_entry="exclude")
    first = people.groupby("person")[["arm", "sex"]].first().loc[times["person"]].reset_index()
    found = cohort.logrank("emploi", "arm", strata="sex")
    plain = bcs.cohort.logrank(times["duration"], times["event"], first["arm"], first["sex"])
    assert (found.chisq, found.df) == (plain.chisq, plain.df)
    assert found.meta["n_in"] == 300
    mean = cohort.rmst("emploi", "arm", horizon=4)
    expected = bcs.cohort.rmst(times["duration"], times["event"], horizon=4, by=first["arm"])
    assert mean["estimate"].tolist() == expected["estimate"].tolist()
    weighted = bcs.cohort.Cohort(
        people.assign(w=2.0), "person", "wave", arm="arm", status="status", weight="w"
    )
    assert "sans les poids" in weighted.logrank("emploi", "arm").meta["convention"]
