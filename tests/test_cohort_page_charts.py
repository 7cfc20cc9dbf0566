"""The charts of the cohort page: effects, event study, change of a place."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cohort.inference.estimates import make_estimate
from barometre.plots import look

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots
from tests.charts import legend
from tests.charts import texts as on_sheet

# ---- its charts ---------------------------------------------------------------------------------


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


EFFECTS = pd.DataFrame(
    {
        "group": ["naïve", "naïve", "corrigée"],
        "method": ["avant/après", "bornes", "DiD"],
        "estimate": [180.0, np.nan, 58.4],
        "low": [160.0, 20.0, 40.0],
        "high": [200.0, 90.0, 77.0],
    }
)


def test_forest_of_effects() -> None:
    ax = plots.effect_forest(EFFECTS, truth=60, title="Méthodes", label="€")
    ticks = [label.get_text() for label in ax.get_yticklabels()]
    assert ticks == ["naïve", "avant/après", "bornes", "corrigée", "DiD"]
    assert texts(ax)[:3] == ["180 [160 ; 200]", "[20 ; 90]", "58 [40 ; 77]"]
    assert "effet vrai : 60" in texts(ax)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    colours = [to_hex(str(dot.get_color())) for dot in dots]
    assert colours == [look.UNFAVOURABLE, look.FAVOURABLE, look.FAVOURABLE]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # first method at the top
    assert any("Trait sans point : bornes." in text for text in on_sheet(ax))
    assert ax.get_title(loc="left") == "Méthodes"


def test_forest_of_estimates_by_name() -> None:
    _, given = plt.subplots()
    both = {
        "DiD": make_estimate(2.5, 1.0, 10, 40, {}),
        "none": make_estimate(np.nan, np.nan, 10, 0, {}),
    }
    ax = plots.effect_forest(both, decimals=1, lang="en", ax=given)
    assert ax is given
    assert texts(ax) == ["2.5 [0.3, 4.7]", ""]
    assert ax.get_xlabel() == "Estimated effect"


def test_event_study_before_and_after() -> None:
    table = pd.DataFrame(
        {"event_time": [-2, -1, 0, 1], "estimate": [3.0, 0.0, 55.0, 61.0],
         "low": [-5, np.nan, 40, 45], "high": [11, np.nan, 70, 77]}
    )  # fmt: skip
    ax = plots.event_study_plot(table, truth=60)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["−2", "−1", "0", "+1"]
    assert texts(ax) == ["3", "0", "55", "61"]
    sides = {str(line.get_label()): list(np.asarray(line.get_xdata())) for line in ax.lines}
    assert sides["avant l'entrée"] == [-2]
    assert sides["vague de référence (0 par construction)"] == [-1]
    assert sides["après l'entrée"] == [0, 1]
    assert "effet vrai : 60" in legend(ax)
    without = plots.event_study_plot(table[table["event_time"] != -1])
    assert "vague de référence (0 par construction)" in legend(without)
    assert plots.event_study_plot(table, lang="en").get_ylabel() == "Estimated effect"


def _people(values: dict[str, float]) -> pd.Series[float]:
    return pd.Series(values, dtype="float64")


def test_change_bars_add_up() -> None:
    before = _people({f"s{i}": 100.0 for i in range(20)} | {f"x{i}": 160.0 for i in range(12)})
    after = _people({f"s{i}": 110.0 for i in range(20)} | {f"e{i}": 80.0 for i in range(15)})
    later = _people({f"x{i}": 170.0 for i in range(12)})
    change = bcs.cohort.decompose_change(before, after, leavers_after=later)
    ax = plots.change_bars(change, title="Quartier")
    boxes = [box for box in ax.patches if isinstance(box, Rectangle)]
    spans = [(box.get_y(), box.get_y() + box.get_height()) for box in boxes]
    assert spans[0][0] == 0
    assert [start for start, _ in spans[1:3]] == pytest.approx([end for _, end in spans[:2]])
    assert spans[3] == pytest.approx((0, change.total))
    assert spans[2][1] == pytest.approx(change.total)
    assert spans[4] == pytest.approx((0, change.people))
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "ceux qui restent\nn = 20"
    assert labels[4] == "les habitants\nde départ\nn = 32"
    unknown = plots.change_bars(bcs.cohort.decompose_change(before, after))
    assert len(unknown.get_xticklabels()) == 4


def test_change_bars_hide_small_groups() -> None:
    before = _people({f"s{i}": 100.0 for i in range(20)} | {f"x{i}": 160.0 for i in range(12)})
    after = _people({f"s{i}": 110.0 for i in range(20)} | {f"e{i}": 80.0 for i in range(3)})
    later = _people({f"x{i}": 170.0 for i in range(12)})
    change = bcs.cohort.decompose_change(before, after, leavers_after=later)
    ax = plots.change_bars(change, lang="en")
    assert texts(ax).count("hidden") == 2  # the few entrants, and what would give them back
    boxes = [box for box in ax.patches if isinstance(box, Rectangle)]
    assert {box.get_y() for box in boxes} == {0.0}
    assert not any(label.get_text().endswith("n = 3") for label in ax.get_xticklabels())
    assert len(ax.get_xticklabels()) == 4
    assert len(plots.change_bars(change, threshold=2).patches) == 5


def test_change_bars_without_anyone_who_stays() -> None:
    before, after = (_people({f"{c}{i}": 10.0 for i in range(15)}) for c in "xe")
    ax = plots.change_bars(bcs.cohort.decompose_change(before, after))
    assert texts(ax) == ["–", "–", "–", "0"]


def test_charts_of_nothing_are_refused() -> None:
    with pytest.raises(BarometreError, match="effets vides"):
        plots.effect_forest(EFFECTS.head(0))
    with pytest.raises(BarometreError, match="low"):
        plots.effect_forest(EFFECTS.drop(columns="low"))
    with pytest.raises(BarometreError, match="effets vides"):
        plots.effect_forest({})
    with pytest.raises(BarometreError, match="event_time"):
        plots.event_study_plot(EFFECTS)
    nobody = _people({})
    with pytest.raises(BarometreError, match="personne"):
        plots.change_bars(bcs.cohort.decompose_change(nobody, _people({"a": 1.0})))
