"""The charts of the page of a cohort, from what its tables show: nothing small is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from barometre.pages.people.asked import Answers, Wish
from barometre.pages.people.effects import Effect
from barometre.pages.territory.charts import Chart, chart_of
from barometre.plots import (
    Signed,
    change_bars,
    effect_forest,
    event_study_plot,
    love_plot,
    state_bars,
    survival_curves,
    waterfall,
)

MASKED = "effectifs masqués"
MARK = "DONNÉES SYNTHÉTIQUES : personne n'existe."
_SECRET = "secret"


def draw_charts(
    answers: Answers, wish: Wish, names: Mapping[Any, str], *, truth: float | None, source: str
) -> dict[str, tuple[Chart, ...]]:
    """Draw the charts of a page, by section.

    Parameters
    ----------
    answers : Answers
        What was found of the cohort.
    wish : Wish
        What is shown.
    names : mapping
        Names of the values of the arm.
    truth : float or None
        Effect that is known because people were made up: it is drawn, and each chart says so.
    source : str
        Source written under each chart.

    Returns
    -------
    dict of str to tuple of Chart
        By key of section; a section without chart is not there.
    """
    signed = Signed(source=source, note="" if truth is None else MARK)
    measure = wish.outcome or ""
    unit = f" ({wish.unit})" if wish.unit else ""
    drawn: dict[str, list[Chart]] = {}
    if any(effect.span for effect in answers.effects):
        label = f"Effet sur « {measure} »{unit}"
        forest = effect_forest(
            _methods(answers), truth=truth, label=label, decimals=decimals_of(answers.effects),
            **_titled(signed, "L'effet, méthode par méthode"),
        )  # fmt: skip
        drawn["effet"] = [chart_of(forest, "c-effet")]
        if (dynamic := answers.drawn.get("dynamic")) is not None:
            event = event_study_plot(
                dynamic, truth=truth, label=label, decimals=decimals_of(answers.effects),
                time_label="Vagues depuis l'entrée (0 : vague d'entrée)", **signed,
            )  # fmt: skip
            drawn["effet"].append(chart_of(event, "c-entrees"))
    if (balance := answers.tables.get("équilibre")) is not None:
        drawn["equilibre"] = [
            chart_of(love_plot(balance, names=_traits(balance), **signed), "c-equilibre")
        ]
    if (curve := _curve(answers)) is not None:
        survival = survival_curves(
            curve, time_label="Vagues depuis le départ",
            **_titled(signed, f"Part qui n'a pas encore connu « {wish.event} »", names),
        )  # fmt: skip
        drawn["durees"] = [chart_of(survival, "c-durees")]
    drawn["passages"] = _states(answers, names, signed)
    if (change := answers.drawn.get("change")) is not None:
        bars = change_bars(
            change, threshold=wish.threshold, label=f"Évolution de « {measure} »{unit}",
            decimals=_decimals(abs(change.total)), **signed,
        )  # fmt: skip
        people = waterfall(change, threshold=wish.threshold, **signed)
        drawn["lieu"] = [chart_of(bars, "c-lieu"), chart_of(people, "c-gens")]
    return {key: tuple(charts) for key, charts in drawn.items() if charts}


def decimals_of(effects: tuple[Effect, ...]) -> int:
    """Choose one number of decimals for all the effects of a page."""
    spans = [effect.span for effect in effects if effect.span is not None]
    return _decimals(max((max(map(abs, span)) for span in spans), default=0.0))


def _decimals(size: float) -> int:
    return 0 if size >= 50 else 1 if size >= 5 else 2


def _methods(answers: Answers) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "group": effect.group,
                "method": effect.method,
                "estimate": float("nan") if effect.estimate is None else effect.estimate.estimate,
                "low": effect.span[0],
                "high": effect.span[1],
            }
            for effect in answers.effects
            if effect.span is not None
        ]
    )


def _titled(signed: Signed, title: str, labels: Mapping[Any, str] | None = None) -> Signed:
    found = signed.copy()
    found["title"] = title
    if labels is not None:
        found["labels"] = labels
    return found


def _traits(balance: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(name).replace("=", " : ", 1) for name in balance["variable"]}


def _curve(answers: Answers) -> pd.DataFrame | None:
    """Keep the steps of the curve that are shown; None where a group has none."""
    table = answers.tables.get("durées")
    if table is None:
        return None
    shown = table[table["status"] != _SECRET].drop(columns="status")
    shown = shown[shown["survival"].notna()]
    counts = [name for name in ("n_risk", "n_event", "n_censor") if name in shown]
    shown = shown.astype(dict.fromkeys(counts, "float64"))
    return shown.reset_index(drop=True) if len(shown) else None


def _states(answers: Answers, names: Mapping[Any, str], signed: Signed) -> list[Chart]:
    """Draw the statuses shown of each group, those hidden of a wave added up."""
    table = answers.tables.get("statuts")
    if table is None or not len(table):
        return []
    keys = [name for name in ("group", "wave") if name in table]
    hidden = (table["status"] == _SECRET).to_numpy()
    shown = table.assign(
        n=pd.to_numeric(table["n"], errors="coerce").mask(hidden).fillna(0).astype("float64"),
        share=pd.to_numeric(table["share"], errors="coerce").mask(hidden).fillna(0.0),
    ).drop(columns="status")
    told = shown.groupby(keys, sort=False)["share"].transform("sum") > 0
    shown = shown[told.to_numpy()]
    if hidden.any() and len(shown):
        rest = 1 - shown.groupby(keys, as_index=False, sort=False)["share"].sum().set_index(keys)
        rest = rest.clip(lower=0).reset_index().assign(state=MASKED, n=0.0)
        shown = pd.concat([shown, rest], ignore_index=True)
    groups = list(shown["group"].unique()) if "group" in shown else [None]
    return [
        chart_of(
            state_bars(
                shown, group=group, wave_label="Vague",
                **_titled(
                    signed,
                    "Statuts des présents"
                    if group is None
                    else f"Statuts des présents : {names.get(group, str(group))}",
                ),
            ),
            f"c-statuts-{place}",
        )
        for place, group in enumerate(groups)
    ]  # fmt: skip
