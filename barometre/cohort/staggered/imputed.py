"""Effects by imputation: what the treated would have been, from those not treated (yet)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, UnknownNameError, counted
from barometre.base.face import Drawn
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.impact.event_time import event_study
from barometre.cohort.impact.sample import Sample, adjusting_columns, panel_sample
from barometre.cohort.inference.estimates import effect_sentence, interval_columns, make_estimate
from barometre.cohort.inference.permutations import uneven
from barometre.cohort.inference.pretrends import PreTrend, pretrend_test, untested
from barometre.cohort.rows.keys import positions
from barometre.cohort.rows.panel import PanelRows
from barometre.cohort.staggered.group_time_means import KEYS, Aggregation, Kind, mean_sentences
from barometre.cohort.staggered.group_time_people import gather_waves, whole_numbers
from barometre.cohort.staggered.group_time_result import cell_sentences

_SINGULAR = 1e-10  # eigenvalue of the system, relative, of a direction that is not there
_UNKNOWN = 1e-7  # part of an effect in such a direction from which it is not known
_ALONE = 1e-9  # share left to the other clusters below which one holds the cell
Write = Callable[[Sequence[float]], npt.NDArray[Any] | pd.Index]


@dataclass(frozen=True, eq=False)
class ImputedEffects(Drawn):
    """Effects by imputation.

    Attributes
    ----------
    table : Tidy
        ``group, wave, estimate, se, low, high, df, p, n``: the mean effect on the treated of each
        entry at each wave, ``n`` rows each.
    """

    chart: ClassVar[str] = "event_study_plot"
    table: Tidy
    _rows: _Rows = field(repr=False)

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: ``method``, ``convention``, counts, ``not_imputed``."""
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

    def aggregate(self, kind: Kind = "simple") -> Aggregation:
        """Average the effects over treated rows, each with its weight.

        Parameters
        ----------
        kind : {"simple", "dynamic", "group", "calendar"}
            All treated rows; by time since entry; by group of entry; by wave.

        Returns
        -------
        Aggregation
            ``table``, and ``overall``: the mean over all rows from the entry on, whatever the kind.

        Raises
        ------
        UnknownNameError
            Another kind.
        """
        if kind not in get_args(Kind):
            raise UnknownNameError("agrégation", str(kind), get_args(Kind))
        rows, named = self._rows, KEYS[kind]
        after = rows.since >= 0
        of_kind = {"dynamic": rows.since, "group": rows.group, "calendar": rows.wave}
        column = of_kind.get(kind, np.zeros(len(after)))
        among = rows.treated if kind == "dynamic" else after
        keys = np.unique(column[among & rows.known])
        means = [rows.mean(among & (column == key)) for key in keys]
        means.append(rows.mean(after))
        vcov = rows.vcov(means)
        write = rows.write if kind in ("group", "calendar") else whole_numbers
        index = pd.Index(write(keys.tolist()), name=named or kind)
        frame = _frame(means[:-1], vcov, rows.df)
        if named is not None:
            frame.insert(0, named, index)
        meta = {**self.meta, "aggregation": kind}
        overall, error = means[-1], float(np.sqrt(vcov[-1, -1]))
        return Aggregation(
            overall=make_estimate(overall.value, error, rows.df, rows.n_rows, meta),
            table=tidy(frame, sentences=mean_sentences, **meta),
            vcov=pd.DataFrame(vcov[:-1, :-1], index=index, columns=index),
            _influence=lambda: rows.influence(means, pd.Index([*index, "overall"], name=named)),
        )

    def pretrend(
        self,
        *,
        leads: int | None = None,
        alpha: float = 0.05,
        power: Sequence[float] = (0.5, 0.8),
        draws: int = 1999,
        seed: int = 0,
    ) -> PreTrend:
        """Test jointly that nothing moved before the treatment, on rows not treated (yet) only.

        Parameters
        ----------
        leads : int, optional
            Times before the treatment that are tested, the last ones; all but the first by default.
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
            Missing, with ``meta["reason"]``, when there is nothing to test or when clusters are too
            few.

        Raises
        ------
        BarometreError
            ``leads`` that is not positive, or leaves no time to compare with.

        Notes
        -----
        Borusyak, Jaravel and Spiess (2024), test of their equation (9): effects of the times before
        the treatment, compared with all earlier ones and with the never treated, in the regression
        that imputes. Effects after the entry do not enter it. The law is that of
        `EventStudy.pretrend`. A permutation of clusters asks that they enter at one
        date, and then leaves out the waves from it on; with several dates of entry and uneven
        clusters there is no p: test `att_gt`.
        """
        frame, columns = self._rows.untreated()
        times = np.unique((frame["wave"] - frame["first"])[np.isfinite(frame["first"])])
        number = len(times) - 1 if leads is None else leads
        if leads is not None and not 0 < leads < len(times):
            raise BarometreError(
                f"leads={leads} pour {counted(len(times), 'durée')} avant l'entrée : en tester au "
                "moins une, et en garder une à quoi les comparer"
            )
        nothing = pretrend_test([], [], [], alpha=alpha, power=power)
        if number < 1:
            return nothing
        start = float(times[-number - 1])
        if self._rows.uneven():
            dates = np.unique(frame["first"][np.isfinite(frame["first"])])
            if len(dates) > 1:
                why = "grappes trop peu nombreuses ou trop inégales pour plusieurs dates d'entrée"
                return untested(why, number, power, nothing.meta)
            frame = frame[frame["wave"] < dates[0]]
        own = self._rows.df == np.inf
        study = event_study(
            frame,
            "y",
            person="person",
            wave="wave",
            first_treated="first",
            base=start,
            window=(start, float(times[-1])),
            covariates=columns,
            cluster=None if own else "cluster",
            weight="weight",
        )
        return study.pretrend(alpha=alpha, power=power, draws=draws, seed=seed)


def did_imputation(
    frame: pd.DataFrame,
    outcome: str,
    *,
    person: str,
    wave: str,
    first_treated: str,
    covariates: Sequence[str] = (),
    anticipation: float = 0,
    cluster: str | None = None,
    weight: str | None = None,
    leave_one_out: bool = True,
) -> ImputedEffects:
    """Estimate effects by imputation (Borusyak, Jaravel and Spiess, 2024).

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    outcome : str
        Column of numbers; rows without it are left out and counted.
    person, wave, first_treated : str
        Columns, as in `att_gt`.
    covariates : sequence of str
        Columns that vary with time: numbers as they are, texts as one indicator per label.
    anticipation : float, default 0
        Time before the entry from which the treatment may act: these rows are imputed too.
    cluster : str, optional
        Column of the cluster, the same at all waves of a person; the person by default.
    weight : str, optional
        Column of positive weights.
    leave_one_out : bool, default True
        Centre the effects of a cluster on those of the others (their appendix A.9), of all other
        treated clusters where it is alone in its entry; False for the plain errors of the paper,
        smaller.

    Returns
    -------
    ImputedEffects
        ``table`` by entry and wave, and ``aggregate(...)``. Rows that nobody untreated tells of
        (wave where all are treated, person without a wave before) are left out and counted. The
        error is missing when one cluster holds all that is treated.

    Raises
    ------
    BarometreError
        Nobody treated, or nothing that can be imputed; an unknown column, fewer than 2 clusters;
        what `Cohort` refuses.

    Notes
    -----
    People and waves (and covariates) are fitted on the rows not treated (yet); an effect is what a
    treated row has more than this fit. It assumes parallel trends between all waves, before as
    after: more precise than ATT(g,t) where it holds, more exposed where it does not. Errors are
    those of their theorem 3: effects are linear in the outcome, the residuals of treated rows being
    their effect less the mean of their entry and wave, weighted as in their equation (8), summed by
    cluster; they are conservative when effects differ within those cells. Student's law with G - 1
    degrees when a cluster is given, the normal one else. With few clusters in one arm they are too
    small (*What holds its level*): `att_gt` is then the one to use.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": np.repeat([1, 2, 3, 4], 2), "t": [1, 2] * 4})
    >>> rows["g"], rows["y"] = [2] * 4 + [0] * 4, [0, 3, 0, 5, 0, 1, 0, 2]
    >>> effects = did_imputation(rows, "y", person="id", wave="t", first_treated="g")
    >>> round(effects.aggregate("simple").overall.estimate, 9)
    2.5
    """
    panel = PanelRows(
        frame, person, wave, first_treated=first_treated, cluster=cluster, weight=weight
    )
    return panel_did_imputation(
        panel,
        outcome,
        covariates=covariates,
        anticipation=anticipation,
        leave_one_out=leave_one_out,
    )


def panel_did_imputation(
    panel: PanelRows,
    outcome: str,
    *,
    covariates: Sequence[str] = (),
    anticipation: float = 0,
    cluster: str | None = None,
    weight: str | None = None,
    leave_one_out: bool = True,
) -> ImputedEffects:
    """Estimate `did_imputation` on a panel, whose cluster and weight are used unless named."""
    if not 0 <= anticipation < np.inf:
        raise BarometreError(f"anticipation={anticipation} ; donner une durée positive ou nulle")
    sample = panel_sample(panel, outcome, cluster=cluster, weight=weight, se="CR1")
    if sample.n_clusters is None or sample.n_clusters < 2:
        raise BarometreError("une seule grappe : il en faut au moins 2")
    others = adjusting_columns(panel, sample, covariates, ())
    _, entry, waves, write = gather_waves(panel, outcome)
    start = sample.take(entry[panel.codes.person])
    when = sample.take(waves[panel.codes.wave])
    if not np.isfinite(start).any():
        raise BarometreError("personne n'est traité : vérifier first_treated")
    own = cluster is None and panel.cluster is None
    rows = _Rows.of(
        sample, start, when, others.to_numpy(float), anticipation, leave_one_out, own, write, panel
    )
    cells, index = np.unique(rows.cell[rows.treated & rows.known], return_index=True)
    means = [rows.mean(rows.cell == cell) for cell in cells]
    found = _frame(means, rows.vcov(means, diagonal=True), rows.df)
    at = np.flatnonzero(rows.treated & rows.known)[index]
    found.insert(0, "group", write(rows.group[at].tolist()))
    found.insert(1, "wave", write(rows.wave[at].tolist()))
    order = np.lexsort([rows.wave[at], rows.group[at]])
    law = "loi normale" if own else "ddl G-1"
    lost = int((rows.treated & ~rows.known).sum())
    unknown = {"effets qui ne s'imputent pas, faute de non-traités": lost} if lost else {}
    meta = {
        **sample.meta,
        "method": "imputation de ce que les traités auraient été",
        "convention": "Borusyak, Jaravel et Spiess (2024), théorème 3"
        + (", effets centrés sur les autres grappes (A.9)" if leave_one_out else "")
        + f" ; {law}",
        "rows_used": len(sample.y) - lost,
        "rows_lost": sample.meta["rows_lost"] | unknown,
        "not_imputed": lost,
        "covariates": list(others.columns),
        "anticipation": anticipation,
        "n_rows": len(sample.y),
        **_caution(rows),
    }
    table = tidy(found.iloc[order].reset_index(drop=True), sentences=cell_sentences, **meta)
    return ImputedEffects(table, rows)


def _caution(rows: _Rows) -> dict[str, str]:
    """Say that clusters are few, or that entries are each in one."""
    if rows.df > _MANY:
        return {}
    return {
        "caution": f"{counted(int(rows.df) + 1, 'grappe')} : ces erreurs sont trop petites si les "
        "bras en ont des nombres inégaux ; préférer alors att_gt"
    }


_MANY = 28  # degrees of freedom up to which sizes over 7 % were measured with unequal arms


@dataclass(frozen=True)
class _Mean:
    """A weighted mean of effects: its value, its sums by cluster, its rows."""

    value: float
    sums: Floats
    n: int
    chosen: Booleans


def _frame(means: Sequence[_Mean], vcov: Floats, df: float) -> pd.DataFrame:
    value = np.array([mean.value for mean in means])
    error = np.sqrt((np.diag(vcov) if vcov.ndim == 2 else vcov)[: len(means)])
    frame = pd.DataFrame({"estimate": value, "se": error})
    frame[["low", "high", "df", "p"]] = interval_columns(value, error, np.full(len(value), df))
    return frame.assign(n=[mean.n for mean in means])


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows used, and the fit on those that are not treated.

    ``system`` is the pseudo-inverse of the cross products of the columns (waves, covariates) net of
    people, on untreated rows; ``rest`` are those of covariates, ``base`` the means of the columns
    over the untreated rows of each person, ``mass`` their weights.
    """

    sample: Sample
    group: Floats
    wave: Floats
    x: Floats
    treated: Booleans
    known: Booleans
    effect: Floats
    mass: Floats
    base: Floats
    rest: Floats
    system: Floats
    df: float
    leave_one_out: bool
    write: Write
    panel: PanelRows

    @classmethod
    def of(
        cls,
        sample: Sample,
        group: Floats,
        wave: Floats,
        x: Floats,
        anticipation: float,
        leave_one_out: bool,
        own: bool,
        write: Write,
        panel: PanelRows,
    ) -> _Rows:
        ways = sample.ways
        treated = np.asarray(wave >= group - anticipation, np.bool_)
        scale = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0) if len(x) else np.ones(x.shape[1])
        x = (x - x.mean(axis=0)) / scale
        weight = np.ones(len(wave)) if sample.weight is None else sample.weight
        free = np.where(treated, 0.0, weight)
        mass = np.bincount(ways.person, free, ways.n_people).astype(float)
        over = np.where(mass > 0, mass, 1.0)

        def mean(column: Floats) -> Floats:
            return np.bincount(ways.person, free * column, ways.n_people) / over

        cell = ways.person.astype(np.int64) * ways.n_waves + ways.wave
        present = np.bincount(cell, free, ways.n_people * ways.n_waves)
        present = present.reshape(ways.n_people, ways.n_waves)
        shares = present / over[:, None]
        base = np.column_stack([shares, *(mean(column) for column in x.T)])
        rest = x - base[ways.person, ways.n_waves :]
        left = sample.y - mean(sample.y)[ways.person]
        crossed = np.column_stack(
            [np.bincount(ways.wave, free * column, ways.n_waves) for column in [*rest.T, left]]
        )
        k = x.shape[1]
        within = (rest * free[:, None]).T @ np.column_stack([rest, left])
        system = np.block(
            [
                [np.diag(present.sum(axis=0)) - present.T @ shares, crossed[:, :k]],
                [crossed[:, :k].T, within[:, :k]],
            ]
        )
        values, vectors = np.linalg.eigh(system)
        there = values > _SINGULAR * max(values[-1], 1e-300)
        inverse = (vectors[:, there] / values[there]) @ vectors[:, there].T
        slopes = inverse @ np.append(crossed[:, k], within[:, k])
        missing = vectors[:, ~there]

        def net(values: Floats) -> Floats:
            """Columns less their mean for the person, times some vectors."""
            mine = values[ways.wave] + x @ values[ways.n_waves :]
            return np.asarray(mine - (base @ values)[ways.person], float)

        odd = np.zeros(len(wave))
        for direction in missing.T:
            odd = np.maximum(odd, np.abs(net(direction)))
        known = (mass[ways.person] > 0) & (odd < _UNKNOWN)
        if not (treated & known).any():
            raise BarometreError(
                "aucun effet ne s'impute : il faut des personnes vues avant leur entrée, et des "
                "personnes non traitées aux mêmes vagues que les traitées"
            )
        effect = left - net(slopes)
        assert sample.n_clusters is not None  # checked before
        df = np.inf if own else sample.n_clusters - 1.0
        return cls(
            sample, group, wave, x, treated, known, effect, mass, base, rest, inverse, df,
            leave_one_out, write, panel,
        )  # fmt: skip

    @property
    def n_rows(self) -> int:
        return len(self.wave)

    @property
    def since(self) -> Floats:
        """Time since the entry; missing for rows whose effect is not to be averaged."""
        return np.where(self.treated, self.wave - self.group, np.nan)

    @cached_property
    def cell(self) -> Integers:
        """Entry and wave of treated rows, as a number; -1 for the others."""
        code = np.unique(self.group, return_inverse=True)[1]
        number = code * self.sample.ways.n_waves + self.sample.ways.wave
        return np.where(self.treated, number, -1).astype(np.int64)

    @cached_property
    def _pairs(self) -> tuple[Integers, Integers, Integers]:
        """Number of the (cluster, cell) of treated rows, cell and cluster of each number."""
        assert self.sample.cluster is not None
        many = int(self.cell.max()) + 1
        rows = np.flatnonzero(self.treated)
        key = np.asarray(self.sample.cluster, np.int64)[rows] * many + self.cell[rows]
        code, pairs = positions(pd.Series(key))
        found = pairs.to_numpy(np.int64)
        return code, found % many, found // many

    def untreated(self) -> tuple[pd.DataFrame, list[str]]:
        """Rows not treated (yet), and the names of their covariates."""
        sample, columns = self.sample, [f"x{k}" for k in range(self.x.shape[1])]
        frame = pd.DataFrame(self.x, columns=columns).assign(
            person=sample.ways.person,
            wave=self.wave,
            first=self.group,
            y=sample.y,
            cluster=sample.cluster,
            weight=1.0 if sample.weight is None else sample.weight,
        )
        return frame[~self.treated], columns

    def uneven(self) -> bool:
        """Whether clusters enter whole, too few or too unequal for the law of Hotelling."""
        if np.isinf(self.df):
            return False
        assert self.sample.cluster is not None
        code = np.unique(self.group, return_inverse=True)[1]
        pairs = np.unique(np.stack([self.sample.cluster, code]), axis=1)
        return pairs.shape[1] == self.sample.n_clusters and uneven(pairs[1])

    def mean(self, chosen: Booleans) -> _Mean:
        """Average effects over some rows, and add their influences up by cluster."""
        chosen = chosen & self.treated & self.known
        weights, total = self._weights(chosen)
        assert self.sample.cluster is not None
        assert self.sample.n_clusters is not None
        if not total > 0:
            sums = np.full(self.sample.n_clusters, np.nan)
            return _Mean(np.nan, sums, 0, chosen)
        value = float(weights[chosen] @ self.effect[chosen])
        influence = self._influence(weights)
        sums = np.bincount(self.sample.cluster, influence, self.sample.n_clusters)
        return _Mean(value, np.asarray(sums, float), int(chosen.sum()), chosen)

    def _weights(self, chosen: Booleans) -> tuple[Floats, float]:
        """Weights of the outcome of each row in the mean of some effects."""
        ways = self.sample.ways
        weight = np.ones(self.n_rows) if self.sample.weight is None else self.sample.weight
        target = np.where(chosen, weight, 0.0)
        total = float(target.sum())
        if not total > 0:
            return target, total
        target /= total
        mine = np.bincount(ways.person, target, ways.n_people)
        columns = np.append(np.bincount(ways.wave, target, ways.n_waves), target @ self.x)
        pull = self.system @ (columns - mine @ self.base)
        through = (
            pull[ways.wave] - (self.base[:, : ways.n_waves] @ pull[: ways.n_waves])[ways.person]
        )
        through = through + self.rest @ pull[ways.n_waves :]
        alone = mine / np.where(self.mass > 0, self.mass, 1.0)
        free = np.where(self.treated, 0.0, weight)
        return target - free * (alone[ways.person] + through), total

    def _influence(self, weights: Floats) -> Floats:
        """Weights times residuals, effects centred on the mean of their entry and wave."""
        code, cell, cluster = self._pairs
        rows = np.flatnonzero(self.treated)
        own = np.bincount(code, weights[rows], len(cell))
        effect = np.where(self.known, self.effect, 0.0)
        moved = np.bincount(code, (weights * effect)[rows], len(cell))
        below, above = np.bincount(cell, own * own)[cell], np.bincount(cell, own * moved)[cell]
        if self.leave_one_out:
            whole = below.copy()
            below, above = below - own * own, above - own * moved
            alone = below <= _ALONE * whole
            if alone.any():  # no other cluster in the cell: all the other treated ones instead
                square, product = np.bincount(cluster, own * own), np.bincount(cluster, own * moved)
                below = np.where(alone, square.sum() - square[cluster], below)
                above = np.where(alone, product.sum() - product[cluster], above)
            missing = (below <= _ALONE * np.square(own).sum()) & (own != 0)
        else:
            missing = np.zeros(len(cell), np.bool_)
        centre = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
        centre[missing] = np.nan
        residual = effect
        residual[rows] = effect[rows] - centre[code]
        residual[rows] = np.where(weights[rows] == 0, 0.0, residual[rows])
        return weights * residual

    def vcov(self, means: Sequence[_Mean], *, diagonal: bool = False) -> Floats:
        """Covariance of means; their variances only, when asked."""
        sums = np.stack([mean.sums for mean in means])
        return np.asarray(np.square(sums).sum(axis=1) if diagonal else sums @ sums.T, float)

    def influence(self, means: Sequence[_Mean], columns: pd.Index) -> pd.DataFrame:
        """Influences by person, scaled so that their root sum of squares over n is an error."""
        ways = self.sample.ways
        number = ways.n_people
        found = [
            np.bincount(ways.person, self._influence(self._weights(mean.chosen)[0]), number)
            * number
            for mean in means
        ]
        person = np.empty(number, np.int64)
        person[ways.person] = self.sample.take(self.panel.codes.person)
        return pd.DataFrame(np.stack(found, 1), index=self.panel.people[person], columns=columns)
