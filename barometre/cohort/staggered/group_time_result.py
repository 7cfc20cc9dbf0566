"""ATT(g,t) estimated: the table, its averages, its pre-trend test, the influence of each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.face import Drawn, counted_text, decimals_of, interval_text, number_text
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.inference.estimates import effect_sentence, interval_columns, make_estimate
from barometre.cohort.inference.hotelling import joint_means_df, means_df
from barometre.cohort.inference.permutations import exchanged, uneven
from barometre.cohort.inference.pretrends import PreTrend, permuted_pretrend, pretrend_test
from barometre.cohort.inference.trend_bounds import EventLaw
from barometre.cohort.staggered.group_time_cells import CANCELLED, Cell, Method
from barometre.cohort.staggered.group_time_means import (
    KEYS,
    Aggregation,
    Kind,
    Mean,
    mean_sentences,
    means,
)
from barometre.cohort.staggered.group_time_people import Gathered, whole_numbers
from barometre.cohort.staggered.group_time_repeated import any_cell
from barometre.cohort.staggered.permuted import labels_of_clusters, permuted_cells


@dataclass(frozen=True, eq=False)
class AttGt(Drawn):
    """Effects by group of entry and wave.

    Attributes
    ----------
    table : Tidy
        ``group, wave, estimate, se, low, high, df, p, n, n_treated, n_control``: one row per
        comparison. ``estimate`` is missing when there is none, and ``meta["not_estimated"]`` says
        why; ``se`` is missing at the base wave, where the effect is 0 by convention.
    """

    chart: ClassVar[str] = "event_study_plot"
    table: Tidy
    _gathered: Gathered = field(repr=False)
    _cells: tuple[Cell, ...] = field(repr=False)
    _method: Method = field(repr=False)

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: ``method``, ``convention``, counts, ``not_estimated`` and the options."""
        return self.table.meta

    def sentences(self) -> list[str]:
        """Say the average of all effects, then the effects, and what to fear."""
        return [
            effect_sentence(self.aggregate("simple").overall),
            *self.table.summary().splitlines()[1:],
        ]

    def drawn(self) -> pd.DataFrame:
        """Return the averages by time since entry."""
        return self.aggregate("dynamic").table

    @property
    def influence(self) -> pd.DataFrame:
        """Influence of each person on each estimate, one column per (group, wave).

        A standard error without clusters is ``sqrt(sum of squares) / n``, n the number of rows:
        people without a date before their treatment are left out. Computed when asked for.
        """
        chosen = np.flatnonzero([known.reason is None for known in self._cells])
        psi = self._influence(np.eye(len(self._cells))[chosen], None)
        keys = pd.MultiIndex.from_frame(self.table[["group", "wave"]].iloc[chosen])
        return self._by_person(psi, keys)

    def aggregate(self, kind: Kind = "simple") -> Aggregation:
        """Average the effects, with standard errors that count the estimation of the weights.

        Parameters
        ----------
        kind : {"simple", "dynamic", "group", "calendar"}
            All treated cells weighted by the people treated; by time since entry; by group; by
            wave.

        Returns
        -------
        Aggregation
            ``overall`` and ``table``. Cells that were not estimated are left out, as
            ``meta["not_estimated"]`` recalls; ``overall`` is missing when there is none after the
            treatment.

        Raises
        ------
        UnknownNameError
            Another kind.

        Notes
        -----
        Callaway and Sant'Anna (2021), section 3.2; standard errors of R's did 2.5, equal when no
        wave is missing. With missing waves the weight of a cell is the number of its treated people
        seen at both dates, and its own influence is that of this number.
        """
        if kind not in get_args(Kind):
            raise UnknownNameError("agrégation", str(kind), get_args(Kind))
        table = self.table
        group, wave = self._numbers
        att = table["estimate"].to_numpy(np.float64)
        treated = np.array([known.total for known in self._cells])
        keys, rows, overall = means(kind, group, wave, att, treated)
        both = [*rows, overall]
        spread = self._mean_influence(both)
        adjusted = self._gathered.people.adjusted
        scaled = self._mean_influence(both, scaled=True) if adjusted else spread
        vcov, df = self._vcov(scaled, spread), self._df(spread)
        reference = wave == self._base_waves
        unknown = np.isnan(table["se"].to_numpy()) & np.isfinite(att) & ~reference
        blind = np.array([(mean.cells[unknown] != 0).any() for mean in both])
        vcov[blind, :] = vcov[:, blind] = np.nan
        se = np.sqrt(np.diag(vcov))
        base_only = [reference[mean.cells != 0].all() for mean in both]
        se = np.where(base_only, np.nan, se)
        named = KEYS[kind]
        write = self._gathered.named if kind in ("group", "calendar") else whole_numbers
        index = pd.Index(write(keys), name=named or kind)
        frame = pd.DataFrame({"estimate": [mean.value for mean in rows], "se": se[:-1]})
        limits = interval_columns(frame["estimate"], se[:-1], df[:-1])
        frame[["low", "high", "df", "p"]] = limits
        used = np.array([mean.cells != 0 for mean in rows]).reshape(len(rows), len(table))
        frame["n"] = used @ table["n_treated"].to_numpy()
        if named is not None:
            frame.insert(0, named, index)
        meta = {**self.meta, "aggregation": kind}
        return Aggregation(
            overall=make_estimate(overall.value, se[-1], df[-1], self.meta["n_rows"], meta),
            table=tidy(frame, sentences=mean_sentences, **meta),
            vcov=pd.DataFrame(vcov[:-1, :-1], index=index, columns=index),
            _influence=lambda: self._by_person(
                self._mean_influence(both), pd.Index([*index, "overall"], name=named)
            ),
        )

    def pretrend(
        self,
        *,
        alpha: float = 0.05,
        power: Sequence[float] = (0.5, 0.8),
        draws: int = 1999,
        seed: int = 0,
    ) -> PreTrend:
        """Test jointly that the effects before treatment are 0, and say what the test could see.

        Parameters
        ----------
        alpha : float, default 0.05
            Size of the test.
        power : sequence of float, default (0.5, 0.8)
            Powers at which the detectable slope (per unit of wave) is given.
        draws : int, default 1999
            Permutations of clusters when there are more than 5 000.
        seed : int, default 0
            Their seed.

        Returns
        -------
        PreTrend
            Statistic, its df and p-value, and the slopes detected; missing, with
            ``meta["reason"]``, when no cell precedes the treatment or when clusters are too few.

        Notes
        -----
        The law depends on the clusters. By person, or with ``se="CR0"``: chi-squared, as R's did.
        With clusters that each hold one group of entry, when one group has fewer than 5 or 4 for 5
        of another: a permutation of the dates of entry between clusters (without covariates).
        Else the law of Hotelling with the degrees of freedom of the CR2 covariance (Tipton,
        Pustejovsky, 2015). The docs give the sizes measured (*What holds its level*).

        Cells before the treatment and its anticipation, base wave left out, as in R's did. The
        detectable slope is in outcome units per unit of wave: a difference of trend moves a cell
        by the slope times the distance of its two waves.
        """
        table = self.table
        group, wave = self._numbers
        before = wave < group - self.meta["anticipation"]
        compared = table["estimate"].notna().to_numpy() & (wave != self._base_waves)
        chosen = np.flatnonzero(before & compared)
        coef = table["estimate"].to_numpy()[chosen]
        times = (wave - self._base_waves)[chosen]
        people = self._gathered.people
        cells = np.eye(len(self._cells))[chosen]
        spread = self._influence(cells, None)
        if people.asymptotic:
            vcov = self._vcov(spread, spread)
            return pretrend_test(coef, vcov, times, alpha=alpha, power=power)
        labels = labels_of_clusters(people)
        planned = [self._gathered.comparisons[k] for k in chosen]
        if labels is not None and not people.covariates and uneven(labels):
            every, exact = exchanged(labels, draws=draws, seed=seed)
            own = permuted_cells(people, planned, labels[None, :])[1][0]
            permuted, errors = permuted_cells(people, planned, every)
            return permuted_pretrend(
                coef / own,
                permuted / errors,
                times / own,
                groups=len(people.groups),
                n_clusters=people.n_clusters,
                exact=exact,
                alpha=alpha,
                power=power,
            )
        vcov = self._vcov(self._influence(cells, None, scaled=True), spread, factor=1.0)
        eta = self._joint_df(spread)
        return pretrend_test(coef, vcov, times, alpha=alpha, power=power, df_covariance=eta)

    def event_law(self) -> EventLaw:
        """Return the averages by time since entry, with the law of any combination of them.

        Returns
        -------
        EventLaw
            What `honest_bounds` uses.

        Raises
        ------
        BarometreError
            Waves unevenly spaced, when groups have not the same time of reference.
        """
        group, wave = self._numbers
        base, start = self._base_waves, -float(self.meta["anticipation"])
        known = self.table["estimate"].notna().to_numpy()
        late = known & (wave - group >= start)
        times = np.unique((wave - group)[known])
        early = [(wave - base)[known & (wave - group == time)] for time in times[times < start]]
        varying = self.meta["base"] == "varying"
        uneven = varying and any(np.ptp(gaps) > 0 for gaps in early)
        if not late.any() or np.ptp((base - group)[late]) > 0 or uneven:
            raise BarometreError(
                "vagues inégalement espacées : les groupes ne se comparent pas à la même durée ; "
                "estimer un groupe d'entrée à la fois, ou des vagues régulières"
            )
        made = self.aggregate("dynamic")
        att = self.table["estimate"].to_numpy(np.float64)
        treated = np.array([cell.total for cell in self._cells])
        spread = self._mean_influence(means("dynamic", group, wave, att, treated)[1])
        people = self._gathered.people
        sums = np.stack([spread[:, run] @ spread[:, run].T for run in people.side_runs])

        def df(weights: Floats) -> Floats:
            if not people.adjusted:
                return np.full(len(weights), self._gathered.df)
            return means_df(np.einsum("wi,aij,wj->wa", weights, sums, weights), *people.traces)

        return EventLaw(
            times=times,
            distance=times,
            estimate=made.table["estimate"].to_numpy(np.float64),
            vcov=made.vcov.to_numpy(),
            df=df,
            start=start,
            base=float((base - group)[late][0]),
            gaps=np.array([gaps[0] for gaps in early]) if varying else None,
        )

    def _df(self, spread: Floats) -> Floats:
        """Degrees of freedom of estimates, from their influences (rows)."""
        people = self._gathered.people
        if not people.adjusted:
            return np.full(len(spread), self._gathered.df)
        squares = np.square(spread)
        sums = np.stack([squares[:, run].sum(axis=1) for run in people.side_runs], axis=1)
        return means_df(sums, *people.traces)

    def _joint_df(self, spread: Floats) -> float:
        people = self._gathered.people
        sums = np.stack([spread[:, run] @ spread[:, run].T for run in people.side_runs])
        return joint_means_df(sums, *people.traces) if len(spread) else 1.0

    @property
    def _numbers(self) -> tuple[Floats, Floats]:
        """Group and wave of each comparison, as numbers: positions when waves are dates."""
        people, planned = self._gathered.people, self._gathered.comparisons
        return (
            people.groups[[comparison.group for comparison in planned]],
            people.waves[[comparison.wave for comparison in planned]],
        )

    @property
    def _base_waves(self) -> Floats:
        waves = self._gathered.people.waves
        return waves[[comparison.base for comparison in self._gathered.comparisons]]

    def _mean_influence(self, rows: Sequence[Mean], *, scaled: bool = False) -> Floats:
        return self._influence(
            np.stack([row.cells for row in rows]),
            np.stack([row.people for row in rows]),
            scaled=scaled,
        )

    def _influence(self, cells: Floats, people: Floats | None, *, scaled: bool = False) -> Floats:
        """Influence of combinations of cells: one row each, one column per person as sorted.

        Scaled, their sums by cluster are those of CR2.

        Without covariates a cell is so cheap that its influence is computed again, not kept.
        """
        gathered = self._gathered
        psi = np.zeros((len(cells), gathered.people.outcome.shape[1]))
        for k, comparison in enumerate(gathered.comparisons):
            used = np.flatnonzero(cells[:, k])
            if not len(used):
                continue
            known = self._cells[k]
            if not known.influence:
                known = any_cell(gathered.people, comparison, self._method)
            for row in used:
                for place, (run, values) in enumerate(known.influence):
                    if scaled:
                        values = known.scaled(place, gathered.people.clusters[run])
                    psi[row, run] += cells[row, k] * values
                if people is not None and people[row, k]:
                    psi[row, known.influence[0][0]] += people[row, k] * known.shares
        return psi

    def _vcov(self, psi: Floats, spread: Floats, factor: float | None = None) -> Floats:
        """Covariance of estimates; missing where influences cancel in every cluster."""
        sums = self._gathered.people.sums_by_cluster(psi)
        scale = self._gathered.people.factor if factor is None else factor
        vcov: Floats = scale * (sums @ sums.T)
        size = np.square(spread).sum(axis=1)
        cancelled = (np.diag(vcov) <= CANCELLED**2 * size) & (size > 0)
        vcov[cancelled, :] = vcov[:, cancelled] = np.nan
        return vcov

    def _by_person(self, psi: Floats, columns: pd.Index) -> pd.DataFrame:
        order, labels = self._gathered.order, self._gathered.labels
        back = np.argsort(order)
        return pd.DataFrame(psi.T[back] * len(order), index=labels[np.sort(order)], columns=columns)


def cell_sentences(table: pd.DataFrame) -> list[str]:
    """Say the effect of each group at each wave, and how many could not be estimated."""
    lines = []
    known = table[table["estimate"].notna() & table["se"].notna()]
    for row in known.to_dict("records"):
        digits = decimals_of(row["se"])
        lines.append(
            f"Entrée {row['group']}, vague {row['wave']} : {number_text(row['estimate'], digits)} "
            f"{interval_text(row['low'], row['high'], digits)}."
        )
    missing = int(table["estimate"].isna().sum())
    if missing:
        lines.append(f"{counted_text(missing, 'effet non estimé', 'effets non estimés')}.")
    return lines
