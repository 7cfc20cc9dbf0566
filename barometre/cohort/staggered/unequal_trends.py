"""Effects when trends were not parallel: bounds from the moves seen before the entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.base.face import (
    Drawn,
    decimals_of,
    interval_text,
    kept_sentences,
    level_text,
    number_text,
)
from barometre.base.french import format_number
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.impact.event_time import EventStudy
from barometre.cohort.inference.trend_bounds import EventLaw, Pieces
from barometre.cohort.staggered.group_time_result import AttGt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KEPT = (
    "outcome", "n_in", "n_used", "lost", "rows_used", "rows_lost", "n_clusters", "cluster",
    "weight", "unit", "caution",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class HonestBounds(Drawn):
    """What an effect may be if trends differed after the entry as they did before, or more.

    Attributes
    ----------
    table : Tidy
        ``magnitude, set_low, set_high, low, high``: how many times the largest move before the
        entry each move after it may be; the effects that agree with the estimates if these had no
        error; the interval that counts their errors. The first row, 0, is that of parallel trends.
    breakdown : float
        Magnitude up to which the interval excludes 0; missing when it holds 0 with parallel trends.
    moves : DataFrame
        ``start, end, estimate, se``: difference of trend from a time to the next one before the
        entry, per unit of time.
    """

    chart: ClassVar[str] = "effect_forest"
    table: Tidy
    breakdown: float
    moves: pd.DataFrame = field(repr=False)

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: ``method``, ``convention``, ``event_time``, ``level``, counts."""
        return self.table.meta

    def sentences(self) -> list[str]:
        """Say the effect with parallel trends, then with others, and up to which it is not 0."""
        table, level = self.table, level_text(self.meta["level"])
        first = table.iloc[0]
        digits = decimals_of((first["high"] - first["low"]) / 4)
        when = self.meta["event_time"]
        what = "Effet moyen après l'entrée" if when is None else f"Effet à {format_number(when)}"
        worst = self.moves.iloc[int(np.argmax(np.abs(self.moves["estimate"])))]
        lines = [
            f"{what} : {number_text(first['set_low'], digits)}, intervalle à {level} "
            f"{interval_text(first['low'], first['high'], digits)} si les tendances étaient "
            "parallèles.",
            "Plus grand écart de tendance avant l'entrée : "
            f"{number_text(worst['estimate'], digits)} par unité de temps, de "
            f"{format_number(worst['start'])} à {format_number(worst['end'])}.",
        ]
        for row in table.iloc[1:].to_dict("records"):
            lines.append(
                f"Écarts d'au plus {format_number(row['magnitude'])} fois celui-là après l'entrée "
                f": {interval_text(row['low'], row['high'], digits)} ; sans erreur d'estimation "
                f"{interval_text(row['set_low'], row['set_high'], digits)}."
            )
        return [*lines, self._broken(), *kept_sentences(self.meta)]

    def _broken(self) -> str:
        if np.isnan(self.breakdown):
            return "L'intervalle contient 0 même si les tendances étaient parallèles."
        if np.isinf(self.breakdown):
            return "L'intervalle exclut 0 quels que soient ces écarts."
        return (
            f"L'intervalle exclut 0 tant que ces écarts ne passent pas "
            f"{number_text(self.breakdown, 2)} fois le plus grand d'avant."
        )

    def drawn(self) -> pd.DataFrame:
        """Return the interval of each magnitude."""
        named = [
            f"écarts × {format_number(value)}" if value else "tendances parallèles"
            for value in self.table["magnitude"]
        ]
        bounds = pd.DataFrame(self.table[["low", "high"]])
        return bounds.assign(method=named, estimate=self.table["set_low"].iloc[0])

    def plot(self, *, title: str | None = None, ax: Axes | None = None) -> Axes:
        """Draw the intervals, one line per magnitude.

        Parameters
        ----------
        title : str, optional
            Title.
        ax : Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        Axes
        """
        return super().plot(title=title or "Si les tendances n'étaient pas parallèles", ax=ax)


def honest_bounds(
    result: AttGt | EventStudy,
    *,
    event_time: float | None = None,
    magnitudes: Sequence[float] = (0.5, 1.0, 1.5, 2.0),
    level: float = 0.95,
) -> HonestBounds:
    """Bound an effect when trends may differ after the entry as they did before.

    Parameters
    ----------
    result : AttGt or EventStudy
        Effects by time since the entry, with two times before it or more.
    event_time : float, optional
        Time since the entry of the effect; the mean of all from 0 on by default.
    magnitudes : sequence of float, default (0.5, 1, 1.5, 2)
        How many times the largest move before the entry those after it may be.
    level : float, default 0.95
        Coverage of the intervals.

    Returns
    -------
    HonestBounds
        Bounds by magnitude, and the magnitude up to which the interval excludes 0.

    Raises
    ------
    BarometreError
        A result without two times before the entry or without errors, an unknown time, magnitudes
        or a level out of bounds; waves unevenly spaced, where groups have not the same base.

    Notes
    -----
    Rambachan and Roth (2023), the restriction of relative magnitudes: from one time to the next,
    the trends of both arms differ after the entry by at most M times the largest difference before
    it (per unit of time, where times are not evenly spaced). The effects that agree with it are
    those within M times that move, added up over the times of the effect.

    The interval is the union, over the moves before the entry, of one that holds the effect if that
    move is the largest: both ends, effect less and plus what the move allows, carry the errors of
    all estimates, with the critical value of ends so correlated (between that of a one-sided and of
    a two-sided test) and Student's law with the degrees of freedom of each end. It holds the effect
    with at least the probability ``level``, whichever move is the largest, where R's HonestDiD
    inverts conditional tests. It is never shorter than that of parallel trends.

    Errors are those of the result: give `event_study` ``se="CR2"`` when clusters are few.
    ``att_gt(base="varying")`` and ``"universal"`` differ when groups are several: the former
    averages the moves of the groups seen at both times, the latter subtracts averages that need
    not be of the same groups.

    Examples
    --------
    >>> from barometre.cohort import event_study
    >>> rows = pd.DataFrame({"id": np.repeat(range(6), 4), "t": [1, 2, 3, 4] * 6})
    >>> rows["g"] = np.repeat([0, 3], 12)
    >>> rows["y"] = [1, 2, 2, 3, 2, 3, 3, 3, 1, 1, 2, 2, 1, 2, 9, 9, 2, 4, 8, 9, 1, 2, 8, 9]
    >>> study = event_study(rows, "y", person="id", wave="t", first_treated="g")
    >>> bounds = honest_bounds(study, event_time=0, magnitudes=[1])
    >>> bounds.table[["magnitude", "set_low", "set_high"]].round(3).values.tolist()
    [[0.0, 5.333, 5.333], [1.0, 4.667, 6.0]]
    """
    if not isinstance(result, (AttGt, EventStudy)):
        raise BarometreError(
            f"{type(result).__name__} ne dit rien d'avant l'entrée ; donner ce que rendent "
            "att_gt ou event_study"
        )
    wrong = [value for value in magnitudes if not 0 <= value < np.inf]
    if wrong or not len(magnitudes) or not 0 < level < 1:
        raise BarometreError(
            f"grandeurs {', '.join(map(format_number, magnitudes)) or 'absentes'} ou niveau "
            f"{format_number(level)} refusés : il faut des grandeurs positives et 0 < niveau < 1"
        )
    law = result.event_law()
    pieces, ends = _pieces(law, event_time, level)
    rows = []
    for value in sorted({0.0, *map(float, magnitudes)}):
        (set_low, set_high), (low, high) = pieces.identified(value), pieces.interval(value)
        rows.append((value, set_low, set_high, low, high))
    names = ["magnitude", "set_low", "set_high", "low", "high"]
    meta = {
        "method": "bornes d'un effet sans tendances parallèles",
        "convention": "Rambachan et Roth (2023), grandeurs relatives ; réunion des intervalles de "
        f"chaque écart antérieur ; {result.meta['convention']}",
        "event_time": event_time,
        "level": level,
        **{name: result.meta[name] for name in _KEPT if name in result.meta},
    }
    moves = pd.DataFrame(
        {
            "start": ends[:, 0],
            "end": ends[:, 1],
            "estimate": pieces.moves @ law.estimate,
            "se": np.sqrt(np.einsum("mi,ij,mj->m", pieces.moves, law.vcov, pieces.moves)),
        }
    )
    return HonestBounds(tidy(pd.DataFrame(rows, columns=names), **meta), pieces.breakdown(), moves)


def _pieces(law: EventLaw, event_time: float | None, level: float) -> tuple[Pieces, Floats]:
    """Take the effect and the moves of a law, whose errors must be known."""
    effect, carried = law.target(event_time)
    moves, ends = law.moves()
    if not len(moves):
        raise BarometreError(
            f"{counted(int(law.before.sum()), 'durée')} avant l'entrée : il en faut au moins deux, "
            "pour voir un écart de tendance ; ajouter des vagues antérieures"
        )
    used = (effect != 0) | (moves != 0).any(axis=0)
    unknown = used & ~np.isfinite(np.diag(law.vcov))
    if unknown.any():
        named = ", ".join(map(format_number, law.times[unknown]))
        raise BarometreError(
            f"erreur inconnue à la durée {named} : rien ne borne l'effet ; choisir event_time=, ou "
            "regrouper les grappes"
        )
    kept = np.outer(used, used)
    law = replace(
        law,
        estimate=np.where(used, law.estimate, 0.0),
        vcov=np.where(kept, law.vcov, 0.0),
    )
    if not effect @ law.vcov @ effect > 0:
        raise BarometreError("erreur nulle : rien n'est connu de l'incertitude de l'effet")
    return Pieces(law, effect, moves, carried, level), ends
