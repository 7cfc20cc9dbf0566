"""Ranks of territories, with the ranks that the uncertainty of the values leaves possible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers, RowNumbers
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.frames import check_frame
from barometre.compare.proof.rank_sets import told_apart
from barometre.compare.proof.sides import favour
from barometre.compare.rows import NOISE, SAME, Rows, checked_rows, joined, named, names_of
from barometre.engine.results import GRADES
from barometre.engine.sampling import normal_quantile
from barometre.tables.codes import level_of
from barometre.tables.table_set import DOUBTFUL

Ties = Literal["min", "max", "average", "dense"]
Method = Literal["marginal", "simultaneous", "overlap", "montecarlo"]

_CELLS = 2_000_000  # drawn at once: 16 MB a table
_FIXED = "territoires sans intervalle tenus pour exacts dans l'intervalle de rang"
_NEUTRAL = "sens neutre : rang par valeur décroissante"


def rank(
    results: pd.DataFrame,
    by: str | Iterable[str] = ("annee", "indicateur"),
    *,
    ties: Ties = "min",
    intervals: bool = True,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    unranked: str | Iterable[str] = ("C", "D"),
    method: Method = "marginal",
) -> pd.DataFrame:
    """Rank territories from the most favourable value (1) to the least one.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them.
    by : str or iterable of str, default ("annee", "indicateur")
        Columns whose common values make a ranking. Territories of several levels are always ranked
        apart, and ``note`` says so: the level is that of a column ``niveau``, else told from the
        codes (`level_of`).
    ties : {"min", "max", "average", "dense"}
        Rank of equal values: the best, the worst or the mean of their places, or one more than the
        rank of the previous value. Values that only differ by binary rounding are equal.
    intervals : bool, default True
        Give ``rang_min`` and ``rang_max``; they are missing else.
    level : float, default 0.95
        Level of the bounds of the values, and of the intervals of ranks.
    draws : int, default 2000
        Number of Monte-Carlo draws, for that method.
    seed : int, default 0
        Seed of these draws: the same call gives the same intervals, whatever the order of the rows.
    unranked : str or iterable of str, default ("C", "D")
        Values of ``qualite`` that are not ranked; ``()`` to rank them all.
    method : {"marginal", "simultaneous", "overlap", "montecarlo"}
        ``"marginal"``: the interval of each territory holds its true rank with probability
        ``level``, whatever the true values. ``"simultaneous"``: those of all territories do so
        together. ``"overlap"``: two territories are only told apart when their intervals do not
        meet. ``"montecarlo"``: quantiles of the rank when every value is drawn between its bounds;
        it says how ranks would move, and does not hold the true rank at ``level`` when territories
        hardly differ.

    Returns
    -------
    DataFrame
        The results, in their order, with four more columns; empty for empty results.

        - ``rang``: missing for an absent value, for a quality that is not ranked (``note`` says so)
          and where a column of ``by`` is missing. For an indicator without direction, values are
          ranked downwards, and ``note`` says so.
        - ``rang_min``, ``rang_max``: best and worst possible rank, ``rang`` included. Missing for a
          territory without bounds; the others then take it as exact, and ``note`` says so. Missing
          for ``ties="dense"``, whose ranks are not places.
        - ``effectif_classe``: number of ranked territories of the ranking; one territory is first
          of one.

    Raises
    ------
    BarometreError
        A ranking that mixes indicators or holds a territory twice; impossible options.
    FaultsError
        Results that are refused.
    UnknownNameError
        A column, option, quality or indicator of no list.

    Notes
    -----
    ``"marginal"`` and ``"simultaneous"``: Mogstad, Romano, Shaikh and Wilhelm (2024), from joint
    intervals of the differences between territories, whose errors are normal and independent; for
    an indicator that is best near 0 or 50, from joint intervals of the values (Klein, Wright,
    Wieczorek, 2020). Values of an exhaustive register are only told apart when the bounds that
    rounding allows do not meet, which is certain.

    ``"montecarlo"``: Goldstein and Spiegelhalter (1996). A value with sampling bounds is drawn from
    a normal law of each side, so that its bounds are quantiles of ``level``; one of an exhaustive
    register, uniformly between its bounds. The cost is ``draws`` sorts of each ranking.

    Examples
    --------
    >>> rates = pd.DataFrame(
    ...     {
    ...         "code": ["59172", "59484", "59491"],
    ...         "annee": 2021,
    ...         "indicateur": "taux_de_pauvrete",
    ...         "valeur": [38.0, 12.0, 27.0],
    ...     }
    ... )
    >>> rank(rates)["rang"].tolist()
    [3.0, 1.0, 2.0]
    """
    columns, grades = _check_options(by, ties, level, draws, seed, unranked, method)
    rows = checked_rows(results)
    frame = rows.frame
    if "niveau" in columns and "niveau" not in frame:
        frame = frame.assign(niveau=named(rows.code, [level_of(code) for code in rows.codes]))
    check_frame(frame, "classement refusé", columns)
    grouped = frame.groupby(columns, sort=False, dropna=True).ngroup()
    group = grouped.fillna(-1).to_numpy().astype(np.int64)  # no group where a column is missing
    group, levels, mixed = _by_level(rows, frame, group)
    _check_groups(rows, group)
    known = (frame["statut"] == "ok").to_numpy(bool) & (group >= 0)
    left_out = known & frame["qualite"].isin(grades).to_numpy(bool)
    field = _Field(rows, np.flatnonzero(known & ~left_out), group)
    found = np.full((4, len(frame)), np.nan)
    found[0, field.place], found[3, field.place] = field.ranks(ties), field.sizes
    if intervals and ties != "dense":
        if method == "overlap":
            limits = field.overlap()
        elif method == "montecarlo":
            limits = field.montecarlo(level, draws, seed)
        else:
            limits = field.sets(level, simultaneous=method == "simultaneous")
        # A value among the best of many is mostly drawn behind: its own place stays possible.
        found[1, field.place] = np.minimum(limits[0], found[0, field.place])
        found[2, field.place] = np.maximum(limits[1], found[0, field.place])
    neutral = rows.by_card((card.sens == "neutre" for card in rows.cards), rows.card)
    fixed = np.zeros(len(frame), dtype=bool)
    fixed[field.place] = field.beside_exact & ~np.isnan(found[1, field.place])
    note = frame["note"]
    for text, concerned in ((_NEUTRAL, ~np.isnan(found[0]) & (neutral == 1)), (_FIXED, fixed)):
        note = joined(note, named(np.where(concerned, 0, -1), [text]))
    note = joined(note, frame["qualite"].where(left_out), "non classé : qualité ")
    note = joined(note, levels.where(mixed & ~np.isnan(found[0])), "rang au sein du niveau ")
    names = ("rang", "rang_min", "rang_max", "effectif_classe")
    return frame.assign(note=note, **dict(zip(names, found, strict=True)))


def _by_level(
    rows: Rows, frame: pd.DataFrame, group: Integers
) -> tuple[Integers, pd.Series[str], Booleans]:
    """Split rankings by level: a commune is not ranked with its department.

    Returns
    -------
    tuple
        The ranking of each row, its level, and whether several levels were given together.
    """
    if "niveau" in frame:
        levels = frame["niveau"].astype("str")
    else:
        levels = named(rows.code, [level_of(code) for code in rows.codes])
    place, words = pd.factorize(levels)
    several = pd.Series(place).groupby(group).transform("nunique").to_numpy() > 1
    split = group * (len(words) + 1) + place + 1
    return np.where(group < 0, -1, split), levels, several & (group >= 0)


def _check_options(
    by: str | Iterable[str],
    ties: str,
    level: float,
    draws: int,
    seed: int,
    unranked: str | Iterable[str],
    method: str,
) -> tuple[list[str], list[str]]:
    columns, grades = names_of(by, "by"), names_of(unranked, "unranked")
    normal_quantile(level)
    closed = (("ex æquo", ties, get_args(Ties)), ("choix de méthode", method, get_args(Method)))
    for kind, name, admitted in [
        *closed,
        *(("nom de qualité", g, (*GRADES, DOUBTFUL)) for g in grades),
    ]:
        if name not in admitted:
            raise UnknownNameError(kind, str(name), admitted)
    for name, number, least in (("draws", draws, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < least:
            raise BarometreError(f"{name}={number!r} refusé : donner un entier d'au moins {least}")
    if not columns:
        raise BarometreError("by est vide : donner les colonnes qui font un classement")
    return columns, grades


def _check_groups(rows: Rows, group: Integers) -> None:
    """Refuse rankings that mix indicators, or where a territory would be against itself."""
    ranked = group >= 0
    frame = pd.DataFrame({"group": group, "card": rows.card, "code": rows.code})[ranked]
    mixed = frame.drop_duplicates(["group", "card"]).duplicated("group", keep=False)
    if mixed.any():
        some = rows.cards[frame["card"][mixed[mixed].index[0]]].id
        raise BarometreError(
            f"un même classement mêle plusieurs indicateurs (dont {some}) ;"
            " ajouter « indicateur » à by"
        )
    twice = frame.duplicated(["group", "code"], keep=False)
    if twice.any():
        code = rows.codes[frame["code"][twice].iloc[0]]
        raise BarometreError(
            f"« {code} » figure plusieurs fois dans un même classement ;"
            " ajouter « annee » à by, ou ne garder qu'une année"
        )


def _places(score: Floats, moving: RowNumbers, drawn: Floats) -> npt.NDArray[np.int32]:
    """Rank from the highest score, equal ones having the best place, some scores being drawn.

    Parameters
    ----------
    score : array of shape (territories,)
        Scores of those that do not move.
    moving : array of int
        Those that do.
    drawn : array of shape (draws, moving)
        Their scores, draw by draw.

    Returns
    -------
    array of shape (draws, territories)
        One more than the number of scores that are strictly higher.
    """
    fixed = np.delete(np.arange(len(score)), moving)
    order = fixed[np.argsort(score[fixed], kind="stable")]
    sorted_ = score[order]
    # Above the fixed one at each place: the fixed ones after its equals, and those drawn above it.
    own = len(order) - np.searchsorted(sorted_, sorted_, side="right")
    above = np.empty((len(drawn), len(score)), dtype=np.int32)
    for line, values in enumerate(drawn):
        rising = np.argsort(values)  # what is looked for in order is found near the one before
        ascending = values[rising]
        below = np.searchsorted(sorted_, ascending, side="right")
        higher = len(values) - np.searchsorted(ascending, ascending, side="right")
        above[line, moving[rising]] = len(order) - below + higher
        # A drawn score is above the fixed ones that come before the first one not below it.
        first = np.searchsorted(sorted_, ascending, side="left")
        counts = np.bincount(first, minlength=len(order) + 1)
        above[line, order] = own + np.cumsum(counts[::-1])[::-1][1:]
    return above + 1


class _Field:
    """The values to rank, ranking by ranking and the most favourable first."""

    def __init__(self, rows: Rows, place: Integers, group: Integers) -> None:
        value, low, high = rows.bounded(place)
        sens = rows.by_card((card.sens for card in rows.cards), rows.card[place])
        neutral = sens == "neutre"
        score = np.where(neutral, value, favour(value, sens))
        # Equal values in the order of the codes, for draws that do not depend on that of the rows.
        code = pd.Index(rows.codes).argsort().argsort()[rows.code[place]]
        order = np.lexsort((code, -score, group[place]))
        self.place, self.group = place[order], group[place][order]
        self.value, self.sens = value[order], np.where(neutral, "hausse_favorable", sens)[order]
        self.bounded = ~np.isnan(low + high)[order]
        self.low = np.where(self.bounded, np.minimum(low, value)[order], self.value)
        self.high = np.where(self.bounded, np.maximum(high, value)[order], self.value)
        self.certain = rows.certain(self.place)
        self.noise = SAME * np.abs(self.value) + NOISE
        # Equal values make a block, whose first score stands for all.
        number = np.arange(len(order))
        starts = np.append(True, self.group[1:] != self.group[:-1])[: len(order)]
        near = np.append(False, self._near(score[order]))[: len(order)]
        self.block = np.cumsum(starts | ~near) - 1
        self.start = np.maximum.accumulate(np.where(starts, number, 0)) if len(order) else number
        self.first = np.flatnonzero(starts | ~near)
        self.score = score[order][self.first][self.block]

    def _near(self, score: Floats) -> Booleans:
        near: Booleans = -np.diff(score) <= np.maximum(self.noise[1:], self.noise[:-1])
        return near

    @property
    def spans(self) -> list[slice]:
        """The rows of each ranking."""
        starts = np.unique(self.start)
        ends = np.append(starts, len(self.start))[1:]
        return [slice(a, b) for a, b in zip(starts, ends, strict=True)]

    @property
    def sizes(self) -> Integers:
        """The number of territories of the ranking of each."""
        sizes = np.unique(self.start, return_counts=True)[1]
        repeated: Integers = np.repeat(sizes, sizes)
        return repeated

    @property
    def beside_exact(self) -> Booleans:
        """Tell what is ranked with values taken as exact."""
        exact = pd.Series(~self.bounded).groupby(self.start).transform("any")
        return exact.to_numpy(bool)

    def ranks(self, ties: Ties) -> Floats:
        """Rank the values, equal ones as asked."""
        if ties == "dense":
            return np.asarray(1.0 + self.block - self.block[self.start])
        last = np.append(self.first[1:], len(self.start)) - 1
        best, worst = (1.0 + ends[self.block] - self.start for ends in (self.first, last))
        return np.asarray({"min": best, "max": worst, "average": (best + worst) / 2}[ties])

    def sets(self, level: float, *, simultaneous: bool) -> tuple[Floats, Floats]:
        """Count those told apart by joint intervals of differences, or of values."""
        limits = np.full((2, len(self.start)), np.nan)
        wide = np.ones(len(self.start))
        apart = np.zeros(len(self.start), bool)
        for span in self.spans:
            size = span.stop - span.start
            if self.certain[span].all():
                apart[span] = True
            elif str(self.sens[span][0]).startswith("proche"):
                apart[span] = True
                joint = normal_quantile(level ** (1 / size))
                wide[span] = joint / normal_quantile(level)
            else:
                limits[:, span] = self._told_apart(span, level, simultaneous=simultaneous)
        if apart.any():
            limits[:, apart] = self._overlap(wide)[:, apart]
        return self._own(limits)

    def _told_apart(self, span: slice, level: float, *, simultaneous: bool) -> Floats:
        value, low, high = self.value[span], self.low[span], self.high[span]
        below, above = value - low, high - value
        if self.sens[span][0] == "hausse_defavorable":
            below, above = above, below
        better, worse = told_apart(
            self.score[span], below, above, self.noise[span], level=level, simultaneous=simultaneous
        )
        return np.stack([1.0 + better, len(value) - worse])

    def overlap(self) -> tuple[Floats, Floats]:
        """Count the territories that are surely better, surely worse."""
        return self._own(self._overlap(np.ones(len(self.start))))

    def _overlap(self, wide: Floats) -> Floats:
        """Count them with bounds widened by some factors."""
        low = self.value - wide * (self.value - self.low)
        high = self.value + wide * (self.high - self.value)
        ends = [favour(end, self.sens) for end in (low, high)]
        target = np.where(self.sens == "proche_de_50", 50.0, 0.0)
        reached = np.char.startswith(self.sens.astype(str), "proche")
        reached &= (low <= target) & (target <= high)
        exact = ~self.bounded
        worst = np.where(exact, self.score, np.minimum(*ends))
        best = np.where(exact, self.score, np.where(reached, 0.0, np.maximum(*ends)))
        limits = np.full((2, len(self.start)), np.nan)
        for span in self.spans:
            lows, highs, noise = np.sort(worst[span]), np.sort(best[span]), self.noise[span]
            better = len(lows) - np.searchsorted(lows, best[span] + noise, side="right")
            worse = np.searchsorted(highs, worst[span] - noise, side="left")
            limits[:, span] = 1 + better, len(lows) - worse
        return limits

    def montecarlo(self, level: float, draws: int, seed: int) -> tuple[Floats, Floats]:
        """Take quantiles of the ranks of values drawn between their bounds."""
        limits = np.full((2, len(self.start)), np.nan)
        tail = (1 - level) / 2
        # The guard keeps 0.025 * 2000 = 50.00000000000004 from being the 51st.
        kept = [max(int(np.ceil(q * draws - 1e-9)) - 1, 0) for q in (tail, 1 - tail)]
        for span in self.spans:
            if self.bounded[span].any():
                ranks = self._drawn_ranks(span, level, draws, seed)
                ranks.partition(kept, axis=1)
                limits[:, span] = ranks[:, kept].T
        return self._own(limits)

    def _drawn_ranks(
        self, span: slice, level: float, draws: int, seed: int
    ) -> npt.NDArray[np.int32]:
        rng, z = np.random.default_rng(seed), normal_quantile(level)
        value, low, high = self.value[span], self.low[span], self.high[span]
        moving = np.flatnonzero(high - low > self.noise[span])
        size, certain, way = len(value), self.certain[span].all(), self.sens[span][0]
        value, low, high = value[moving], low[moving], high[moving]
        ranks = np.empty((size, draws), dtype=np.int32)
        step = max(_CELLS // size, 1)
        for begin in range(0, draws, step):
            shape = (min(step, draws - begin), size)
            if certain:
                drawn = low + (high - low) * rng.random(shape)[:, moving]
            else:
                normal = rng.standard_normal(shape)[:, moving]
                drawn = value + normal * np.where(normal > 0, high - value, value - low) / z
            places = _places(self.score[span], moving, favour(drawn, way))
            ranks[:, begin : begin + step] = places.T
        return ranks

    def _own(self, limits: Floats) -> tuple[Floats, Floats]:
        """Leave out the territories that have no bounds of their own."""
        low, high = np.where(self.bounded, limits, np.nan)
        return low, high
