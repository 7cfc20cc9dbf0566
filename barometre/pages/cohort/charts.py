"""The charts of the page, as PNG in base64, each marked as synthetic."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from barometre.pages.cohort.drawn import THRESHOLD
from barometre.pages.cohort.findings import ARMS
from barometre.pages.cohort.french import spaced
from barometre.plots import (
    change_bars,
    effect_forest,
    event_study_plot,
    state_bars,
    survival_curves,
)
from barometre.plots.look import UNFAVOURABLE

MARK = "DONNÉES SYNTHÉTIQUES"
_DPI = 160


def draw_charts(found: dict[str, Any]) -> dict[str, str]:
    """Draw the charts of the page.

    Parameters
    ----------
    found : dict
        Result of `compute_findings`.

    Returns
    -------
    dict of str to str
        PNG images in base64, by name.
    """
    drawn, truth = found["drawn"], found["truth"]
    statuses = found["statuses"]
    methods = found["methods"].assign(method=found["methods"]["method"].map(spaced))
    euros = "Effet sur le revenu mensuel (€)"
    return {
        "forest": _png(
            (9.6, 5.6),
            lambda ax: effect_forest(methods, truth=truth, label=euros, ax=ax),
        ),
        "event_study": _png(
            (8, 4.4),
            lambda ax: event_study_plot(
                found["staggered"]["dynamic"],
                truth=truth,
                label=euros,
                time_label="Années depuis l'entrée (0 : année d'entrée)",
                ax=ax,
            ),
        ),
        "job": _png((8, 4.6), lambda ax: _waiting(ax, found["job"], drawn.start)),
        "place": _png(
            (8, 4.4),
            lambda ax: change_bars(
                found["place"]["change"],
                threshold=THRESHOLD,
                label=f"Revenu mensuel moyen, {drawn.last} moins {drawn.start} (€)",
                ax=ax,
            ),
        ),
        **{f"statuses_{arm}": _png((8, 3.9), _states(statuses["table"], arm)) for arm in ARMS},
    }


def _waiting(ax: Axes, job: dict[str, Any], start: int) -> Axes:
    survival_curves(
        job["curve"],
        labels=ARMS,
        time_label=f"Années depuis {start}",
        at_risk=job["safe"],
        ax=ax,
    )
    ax.set_ylabel("Part n'ayant pas encore eu d'emploi (%)")
    return ax


def _states(table: pd.DataFrame, arm: int) -> Callable[[Axes], Axes]:
    return lambda ax: state_bars(table, group=arm, title=ARMS[arm], wave_label="Année", ax=ax)


def _png(size: tuple[float, float], draw: Callable[[Axes], Axes]) -> str:
    figure = Figure(figsize=size, layout="constrained")
    draw(figure.subplots())
    figure.suptitle(MARK, x=0.995, ha="right", fontsize=8.5, fontweight="bold", color=UNFAVOURABLE)
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_text(spaced(text.get_text()))
    content = io.BytesIO()
    # Without the version of the software: the same cohort gives the same file.
    figure.savefig(content, format="png", dpi=_DPI, metadata={"Software": None})
    return base64.b64encode(content.getvalue()).decode("ascii")
