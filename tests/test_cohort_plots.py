"""The charts of a cohort: every curve, its numbers at risk, every state."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from barometre.base.errors import BarometreError
from barometre.cohort import cumulative_incidence, kaplan_meier

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots
from barometre.plots.people.curves import number_at_risk
from tests.charts import legend
from tests.columns import state_distribution


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def bars(ax: Axes) -> list[Rectangle]:
    return [bar for bar in ax.patches if isinstance(bar, Rectangle)]


TIMES, EVENTS, ARMS = [2, 4, 4, 9, 3, 8], [1, 1, 0, 0, 1, 1], [0, 0, 0, 0, 1, 1]


def test_curves_with_their_intervals() -> None:
    curve = kaplan_meier(TIMES, EVENTS, by=ARMS)
    ax = plots.survival_curves(curve, labels={0: "Témoins", 1: "Bénéficiaires"}, title="Emploi")
    assert legend(ax) == ["Témoins", "Bénéficiaires"]
    assert len(ax.collections) == 2
    line = ax.lines[0]
    assert list(np.asarray(line.get_xdata())) == [0, 2, 4, 9]
    assert list(np.asarray(line.get_ydata())) == pytest.approx([100, 75, 50, 50])
    assert ax.get_ylabel() == "Part sans l'événement (%)"
    assert ax.get_title(loc="left") == "Emploi"
    assert "À risque" in texts(ax)


def test_numbers_at_risk_under_the_axis() -> None:
    curve = kaplan_meier(TIMES[:4], EVENTS[:4])
    assert [number_at_risk(curve, t) for t in (0, 2, 2.5, 4, 5, 9, 10)] == [4, 4, 3, 3, 1, 1, 0]
    ax = plots.survival_curves(curve)
    marks = len(ax.get_xticks())
    assert len(ax.texts) == 2 + marks  # a heading, a name, a number at each mark
    assert len(plots.survival_curves(curve, at_risk=False).texts) == 0


def test_causes_share_their_numbers_at_risk() -> None:
    curve = cumulative_incidence([1, 2, 3, 4], [1, 2, 0, 1])
    _, given = plt.subplots()
    ax = plots.survival_curves(curve, labels={1: "Job", 2: "Moved"}, lang="en", ax=given)
    assert ax is given
    assert legend(ax) == ["Job", "Moved"]
    assert ax.get_ylabel() == "Share with the event (%)"
    assert texts(ax).count("All") == 1
    both = cumulative_incidence([1, 2, 3, 4], [1, 2, 1, 2], by=list("aabb"))
    assert legend(plots.survival_curves(both)) == [
        "a, cause 1", "a, cause 2", "b, cause 1", "b, cause 2",
    ]  # fmt: skip


def test_late_entries_are_said() -> None:
    curve = kaplan_meier([2, 5, 6], [1, 1, 1], entry=[0, 3, 3])
    assert any("Entrées différées" in text for text in texts(plots.survival_curves(curve)))
    plain = kaplan_meier([2, 5, 6], [1, 1, 1])
    assert not any("Entrées" in text for text in texts(plots.survival_curves(plain)))


def test_states_are_stacked() -> None:
    status = ["a", "a", "b", None]
    table = state_distribution([1, 2, 1, 2], [2024, 2024, 2025, 2025], status, missing="state")
    ax = plots.state_bars(table, labels={"a": "Emploi"}, title="Statuts")
    assert legend(ax) == ["absent ou inconnu", "b", "Emploi"]
    tops = {bar.get_x(): bar.get_y() + bar.get_height() for bar in bars(ax)}
    assert list(tops.values()) == pytest.approx([100, 100])
    assert texts(ax).count("n = 2") == 2
    assert texts(ax).count("50") == 2
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2024", "2025"]
    assert ax.get_ylabel() == "Part des personnes (%)"


def test_one_group_at_a_time() -> None:
    table = state_distribution([1, 2], [1, 1], ["a", "b"], by=["x", "y"])
    with pytest.raises(BarometreError, match="choisir un groupe"):
        plots.state_bars(table)
    ax = plots.state_bars(table, group="y", lang="en")
    assert [bar.get_height() for bar in bars(ax)] == [0, 100]
    assert ax.get_xlabel() == "Wave"
    with pytest.raises(BarometreError, match="sans groupe"):
        plots.state_bars(table.drop(columns="group"), group="y")


def test_many_waves_are_not_all_named() -> None:
    waves = np.arange(40)
    ax = plots.state_bars(state_distribution(np.zeros(40, int), waves, ["a"] * 40))
    assert len(ax.get_xticklabels()) <= 15
    assert not texts(ax)


def test_a_chart_of_nothing_is_refused() -> None:
    with pytest.raises(BarometreError, match="courbe vide"):
        plots.survival_curves(kaplan_meier([], []))
    with pytest.raises(BarometreError, match="survival"):
        plots.survival_curves(pd.DataFrame({"time": [1]}))
    with pytest.raises(BarometreError, match="distribution vide"):
        plots.state_bars(state_distribution([1], [1], [None]))
