"""From a cohort to people sorted by wave of entry, with the comparisons they allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.cohort.inference.sandwich import StandardError
from barometre.cohort.rows.columns import require_columns
from barometre.cohort.rows.panel import PanelRows
from barometre.cohort.staggered.group_time_cells import (
    Base,
    Comparison,
    Control,
    People,
    comparisons,
)

Missing = Literal["pairs", "balanced"]
TREATED_AT_ONCE = "traitées dès la première vague : aucune date avant le traitement"
NOT_EVERY_WAVE = "pas vues à toutes les vagues"


@dataclass(frozen=True, eq=False)
class Gathered:
    """People as sorted, their positions in the cohort, what can be compared, and who was lost.

    ``names`` are the waves as written in the cohort, when they are not numbers; ``df`` are the
    degrees of freedom of the intervals, missing when each estimate has its own.
    """

    people: People
    comparisons: list[Comparison]
    order: Integers
    labels: pd.Index
    lost: dict[str, int]
    n_rows: int
    names: pd.Index | None
    n_clusters: int
    df: float

    def named(self, waves: Sequence[float] | Floats) -> npt.NDArray[Any] | pd.Index:
        """Write waves as the cohort does: 2024, not 2024.0; dates, periods or labels."""
        if self.names is None:
            return whole_numbers(waves)
        return self.names[np.asarray(waves, dtype=np.int64) - 1]


def gather(
    panel: PanelRows,
    outcome: str,
    covariates: Sequence[str],
    control: Control,
    base: Base,
    cluster: str | None,
    missing: Missing,
    anticipation: float,
    se: StandardError | None,
    *,
    repeated: bool = False,
) -> Gathered:
    """Check what `att_gt` needs and arrange it by group of entry.

    Parameters
    ----------
    cohort : Cohort
        The people.
    outcome, covariates, control, base, cluster, missing, anticipation, se
        As in `att_gt`; the cluster is None for one person, one cluster. Without ``se``, that of
        few clusters when there are clusters.
    repeated : bool
        Whether each person is seen once.

    Returns
    -------
    Gathered
        Without the people treated from the first wave on, nor, when ``missing`` is
        ``"balanced"``, those not seen at every wave.

    Raises
    ------
    BarometreError
        As `att_gt`.
    """
    if not (isinstance(anticipation, Real) and 0 <= anticipation < np.inf):
        raise BarometreError(f"anticipation={anticipation} ; donner une durée positive ou nulle")
    require_columns(panel.frame, [outcome, *covariates, cluster])
    waves, names = _waves(panel)
    entry = _entries(panel, waves, names, anticipation)
    values = _by_wave(panel, _numbers(panel.frame[outcome], f"résultat « {outcome} »"))
    late = waves[0] + anticipation < entry
    lost = {TREATED_AT_ONCE: int((~late).sum())} if not late.all() else {}
    kept = late
    se = se or ("CR0" if cluster is None else "CR2")
    if se == "CR2" and cluster is None:
        cluster = panel.person
    if missing == "balanced":
        kept = late & np.isfinite(values).all(axis=0)
        if (late & ~kept).any():
            lost[NOT_EVERY_WAVE] = int((late & ~kept).sum())
    groups = np.sort(pd.unique(entry[kept]))
    _check_groups(groups, control, lost)
    rank = np.searchsorted(groups, entry).astype(np.int16)
    rank[~kept] = len(groups)
    order = np.argsort(rank, kind="stable")[: int(kept.sum())]  # a radix sort, on 16 bits
    sizes = np.bincount(rank[order], minlength=len(groups))
    sides = None
    if repeated:
        when = panel.codes.wave[panel.first_rows]
        order = np.lexsort([when, rank])[: int(kept.sum())]
        number = rank[order].astype(np.int64) * len(waves) + when[order]
        counts = np.bincount(number, minlength=len(groups) * len(waves))
        sides = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    values = np.take(values, order, axis=1)
    n_rows = int(np.isfinite(values).sum())
    clusters = None if cluster is None else _clusters(panel, cluster, order)
    n_clusters = len(order) if clusters is None else int(clusters.max()) + 1
    people = People(
        outcome=values,
        covariates=tuple(
            np.take(_by_wave(panel, column), order, axis=1)
            for name in covariates
            for column in _columns(panel.frame[name], name)
        ),
        weight=_weights(panel, order),
        cluster=clusters,
        groups=groups,
        bounds=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        waves=waves,
        complete=n_rows == values.size,
        kind=se,
        sides=sides,
    )
    planned = comparisons(groups, waves, control, base, anticipation)
    df = np.nan if people.adjusted else np.inf if se == "CR0" else n_clusters - 1.0
    return Gathered(people, planned, order, panel.people, lost, n_rows, names, n_clusters, df)


def gather_waves(
    panel: PanelRows, outcome: str
) -> tuple[Floats, Floats, Floats, Callable[[Sequence[float]], npt.NDArray[Any] | pd.Index]]:
    """Spread an outcome over waves and people, with the entries.

    Parameters
    ----------
    panel : PanelRows
        With ``first_treated``.
    outcome : str
        Column of numbers.

    Returns
    -------
    tuple
        Outcomes (waves, people), entry of each person (infinite: never), waves as numbers, and how
        to write these numbers as the waves of the panel.
    """
    require_columns(panel.frame, [outcome])
    waves, names = _waves(panel)
    values = _by_wave(panel, _numbers(panel.frame[outcome], f"résultat « {outcome} »"))

    def write(numbers: Sequence[float]) -> npt.NDArray[Any] | pd.Index:
        if names is None:
            return whole_numbers(numbers)
        return names[np.asarray(numbers, dtype=np.int64) - 1]

    return values, _entries(panel, waves, names, 0.0), waves, write


def whole_numbers(values: Sequence[float] | Floats) -> npt.NDArray[Any]:
    """Write 2024, not 2024.0, when all are whole."""
    numbers = np.array(values, dtype=np.float64)
    whole = np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()
    return numbers.astype(np.int64) if whole else numbers


def _waves(panel: PanelRows) -> tuple[Floats, pd.Index | None]:
    """Waves as numbers: themselves, or their ranks from 1 on and how they are written."""
    if len(panel.waves) < 2:
        raise BarometreError("une seule vague ; il en faut au moins 2 pour une évolution")
    if pd.api.types.is_numeric_dtype(panel.frame[panel.wave].dtype):
        return np.asarray(panel.waves, dtype=np.float64), None
    return np.arange(1.0, len(panel.waves) + 1), pd.Index(panel.waves)


def _entries(
    panel: PanelRows, waves: Floats, names: pd.Index | None, anticipation: float
) -> Floats:
    """Wave of entry of each person; infinite for the never treated within the waves."""
    first = panel.entries
    column = (
        first.to_numpy(np.float64, na_value=np.nan) if names is None else _entry_ranks(first, names)
    )
    entry = np.empty(panel.n_people)
    entry[panel.codes.person] = column  # the same at all the waves of a person
    never = ~np.isfinite(entry) | (entry == 0) | (entry > waves[-1] + anticipation)
    return np.where(never, np.inf, entry)


def _entry_ranks(first: pd.Series[Any], names: pd.Index) -> Floats:
    """Rank, from 1 on, of the first wave at or after each entry; infinite after the last wave."""
    codes, dates = pd.factorize(first)
    dates = pd.Index(dates)
    places = names.get_indexer(dates).astype(np.float64)
    if isinstance(names, (pd.DatetimeIndex, pd.PeriodIndex)):
        places = names.searchsorted(dates).astype(np.float64)
        places[places == len(names)] = np.inf
    elif (places < 0).any():
        raise UnknownNameError("vague d'entrée", str(dates[places < 0][0]), map(str, names))
    return np.append(places + 1, np.inf)[codes]  # the last one for a missing entry, of code -1


def _check_groups(groups: Floats, control: Control, lost: dict[str, int]) -> None:
    left = "".join(f" ({counted(n, 'personne')} {why})" for why, n in lost.items())
    treated = groups[np.isfinite(groups)]
    if not len(treated):
        raise BarometreError(
            f"aucune entrée entre la première et la dernière vague{left} ; vérifier les dates "
            "d'entrée, qui se comptent comme les vagues"
        )
    if len(treated) < len(groups):
        return
    if control == "never":
        raise BarometreError(
            f"tout le monde est traité un jour{left} ; comparer à ceux qui ne le sont pas encore : "
            'control="not_yet"'
        )
    if len(treated) == 1:
        raise BarometreError(
            f"tous entrent à la même vague{left} ; il faut des personnes jamais traitées, ou "
            "traitées plus tard"
        )


def _by_wave(panel: PanelRows, column: Floats) -> Floats:
    """Spread a column over waves (rows) and people (columns); missing where there is no row."""
    person, wave = panel.codes
    values = np.full(len(panel.waves) * panel.n_people, np.nan)
    values[wave.astype(np.int64) * panel.n_people + person] = column
    return values.reshape(len(panel.waves), panel.n_people)


def _numbers(column: pd.Series[Any], said: str) -> Floats:
    if not (
        pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column)
    ):
        raise BarometreError(f"{said} de type {column.dtype} ; donner des nombres")
    numbers = column.to_numpy(np.float64, na_value=np.nan)
    infinite = int(np.isinf(numbers).sum())
    if infinite:
        raise BarometreError(
            f"{said} : {counted(infinite, 'valeur infinie', 'valeurs infinies')} ; les corriger, "
            "ou les vider si elles manquent"
        )
    return numbers


def _columns(column: pd.Series[Any], name: str) -> list[Floats]:
    """Numbers as they are; labels as indicators, the first one left out."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return [_numbers(column, f"covariable « {name} »")]
    codes, labels = pd.factorize(column, sort=True)
    known = np.where(codes < 0, np.nan, codes)
    return [
        np.where(np.isnan(known), np.nan, known == code).astype(np.float64)
        for code in range(1, len(labels))
    ]


def _weights(panel: PanelRows, order: Integers) -> Floats | None:
    if panel.weight is None:
        return None
    first = panel.frame[panel.weight].to_numpy(np.float64)[panel.first_rows][order]
    weights: Floats = first / first.mean()  # the scale of weights means nothing
    return weights


def _clusters(panel: PanelRows, cluster: str, order: Integers) -> Integers:
    codes, _ = pd.factorize(panel.baseline(cluster).iloc[order])
    unknown = int((codes < 0).sum())
    if unknown:
        raise BarometreError(
            f"grappe « {cluster} » inconnue à la première vague pour "
            f"{counted(unknown, 'personne')} ; compléter, ou écarter ces personnes"
        )
    if codes.max() < 1:
        raise BarometreError(f"une seule grappe « {cluster} » ; il en faut au moins 2")
    return codes.astype(np.int64)
