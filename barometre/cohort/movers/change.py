"""Movers and stayers: what a neighbourhood's change owes to those who stay, leave and arrive."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.base.face import Drawn, counted_text, decimals_of, interval_text, number_text
from barometre.base.tidy import Tidy, tidy
from barometre.secrecy.lines import PUBLISHED, SECRET, coarse, hide_in_lines, least_told

Statistic = Literal["mean", "rate", "median"] | Callable[[Floats], float]
EQUAL = 1e-12  # of a share of the weight: sums of weights are rounded
COMPONENTS = ("total", "in_situ", "exits", "entries")


@dataclass(frozen=True)
class ChangeDecomposition(Drawn):
    """The change of a place between two dates, as a sum.

    Attributes
    ----------
    total : float
        Statistic of the place at the second date less that at the first one.
    in_situ, exits, entries : float
        What comes from the stayers' own change, from those who left, from those who arrived; their
        sum is ``total``. Missing when nobody stayed.
    people : float
        Change of the people present at the first date, wherever they are at the second: missing
        unless the later outcome of every leaver is known.
    composition_exit, composition_entry : float
        ``total`` = ``people`` + ``composition_exit`` + ``composition_entry``.
    n_stayers, n_exits, n_entries : int
        People of each group.
    table : Tidy
        ``component, value, n`` and, after a bootstrap, ``low, high``; ``meta`` says the statistic
        and who was left out.
    by_destination, by_origin : DataFrame or None
        ``destination`` (or ``origin``), ``n``, ``value``: their sum is ``exits`` (``entries``).
    """

    chart: ClassVar[str] = "change_bars"
    total: float
    in_situ: float
    exits: float
    entries: float
    people: float
    composition_exit: float
    composition_entry: float
    n_stayers: int
    n_exits: int
    n_entries: int
    table: Tidy
    by_destination: pd.DataFrame | None = None
    by_origin: pd.DataFrame | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: see ``table``."""
        return self.table.meta

    def sentences(self) -> list[str]:
        """Say the change and what makes it, for whom works on the data: see also `published`."""
        last = "À publier : published(), sans petit effectif."
        if self.meta.get("weighted", False):
            last = "Avec des poids : à ne pas publier, une personne peut y peser pour beaucoup."
        return [*self.table.summary().splitlines(), last]

    def drawn(self) -> ChangeDecomposition:
        """Return the decomposition itself, of which the chart hides the small groups."""
        return self

    def published(self, threshold: float = 11) -> pd.DataFrame:
        """Return what may be published: small groups hidden, and what would give them back.

        Parameters
        ----------
        threshold : float, default 11
            Smallest number of people that a published figure may rest on.

        Returns
        -------
        DataFrame
            ``component, value, n, status``, of a single kind when hidden (``secret``, else
            ``publie``): which group is small is not told. Zeros stay. Once a group is hidden the
            values that stay are rounded (three significant digits, nothing under the weight of one
            stayer in a rate): in full, a difference of means tells the numbers of people they are
            divided by.

        Raises
        ------
        BarometreError
            A decomposition with weights: the number of people of a group does not protect one who
            weighs as much as all the others.

        Notes
        -----
        Groups are hidden as a line (see `hide_small_groups`): exits and entries together, or all
        three with those who stay, against whom they are measured. The total is hidden where a date
        has too few people, or all three groups too few to be told together. ``by_destination`` and
        ``by_origin`` are not in it: they have no protected form.
        """
        if self.meta.get("weighted", False):
            raise BarometreError(
                "décomposition pondérée, sans forme protégée : une personne peut peser autant que"
                " toutes les autres ; publier ou dessiner la décomposition sans poids"
            )
        sizes = np.array([self.n_stayers, self.n_exits, self.n_entries], np.float64)
        hidden = hide_in_lines(sizes, np.zeros(3, np.intp), threshold=threshold).rows
        dates = sizes[[0, 1]], sizes[[0, 2]]
        few = any(0 < n.sum() < least_told(int((n > 0).sum()), threshold) for n in dates)
        few |= sizes.sum() <= 2 * threshold
        values = np.array([self.total, self.in_situ, self.exits, self.entries])
        secret = np.array([bool(hidden.any() and few), *hidden])
        if hidden.any():
            known = max(threshold, 0.0 if hidden[0] else self.n_stayers)
            values = np.array([coarse(value, known) for value in values])
        frame = pd.DataFrame(
            {
                "component": list(COMPONENTS),
                "value": np.where(secret, np.nan, values),
                "n": pd.array([int(sizes.sum()), *sizes.astype(int)], dtype="Int64"),
                "status": np.where(secret, SECRET, PUBLISHED),
            }
        )
        frame.loc[secret, "n"] = pd.NA
        return frame.astype({"status": "str"})


def decompose_change(
    before: pd.Series[float],
    after: pd.Series[float],
    statistic: Statistic = "mean",
    leavers_after: pd.Series[float] | None = None,
    *,
    destination: pd.Series[str] | Mapping[Any, str] | None = None,
    origin: pd.Series[str] | Mapping[Any, str] | None = None,
    household: pd.Series[Any] | Mapping[Any, Any] | None = None,
    weight: pd.Series[float] | Mapping[Any, float] | None = None,
    draws: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> ChangeDecomposition:
    """Split the change of a place into in situ change, exits and entries.

    Parameters
    ----------
    before, after : Series
        Outcome of the people present in the place at each date, indexed by person. Someone present
        with a missing outcome is left out of both dates, and counted in ``meta``.
    statistic : {"mean", "rate", "median"} or callable, default "mean"
        ``"rate"`` is the mean of an outcome of 0 and 1, checked. A callable takes an array and
        returns a number.
    leavers_after : Series, optional
        Outcome at the second date of people who left, indexed by person: gives the change of the
        people next to that of the place.
    destination, origin : Series or mapping, optional
        Where each leaver went, where each entrant came from (means and rates only).
    household : Series or mapping, optional
        Household of each person: the bootstrap draws whole households.
    weight : Series or mapping, optional
        Positive weight of each person, the same at both dates, such as that of `attrition_weights`
        for those still seen and 1 for entrants (not for a callable). Who has none is left out of
        both dates, and counted in ``meta``. The ``n`` stay numbers of people; the weights are taken
        as known by the bootstrap.
    draws : int, default 0
        Bootstrap draws; 0 for no interval.
    level : float, default 0.95
        Level of the percentile intervals.
    seed : int, default 0
        Seed of the draws.

    Returns
    -------
    ChangeDecomposition
        With nobody at one date every figure is missing. With nobody who stayed, ``total`` alone is
        known.

    Raises
    ------
    BarometreError
        A person given twice, outcomes that are not numbers, a rate of values other than 0 and 1, a
        later outcome for someone who did not leave, a weight that is not positive.

    Notes
    -----
    With S the stayers, X those who left, E those who arrived and T the statistic: exits are
    T(S, 1) - T(S+X, 1), in situ T(S, 2) - T(S, 1), entries T(S+E, 2) - T(S, 2). For a mean these
    are x (S1 - X1), S2 - S1 and e (E2 - S2), as in Melitz & Polanec (2015) and Diewert & Fox
    (2010) with one person for one unit; with weights, x and e are shares of the weight, and the
    means are weighted. People: T(S+X, 2) - T(S+X, 1).

    Examples
    --------
    >>> before = pd.Series({"a": 10.0, "b": 20.0})
    >>> after = pd.Series({"a": 12.0, "c": 8.0})
    >>> found = decompose_change(before, after)
    >>> found.total, found.in_situ, found.exits, found.entries
    (-5.0, 2.0, -5.0, -2.0)
    """
    if not 0 < level < 1 or draws < 0 or int(draws) != draws:
        raise BarometreError(
            f"level={level}, draws={draws} ; level entre 0 et 1, draws entier positif"
        )
    people = _people(before, after, leavers_after, rate=statistic == "rate")
    every = len(people)
    if weight is not None:
        people = _weighted(people, weight, statistic)
    of = _statistic(statistic)
    values = _components(people, of)
    counts = {name: int((people["group"] == name).sum()) for name in ("stay", "exit", "entry")}
    n = {
        "total": len(people), "in_situ": counts["stay"], "exits": counts["exit"],
        "entries": counts["entry"], "people": counts["stay"] + counts["exit"],
        "composition_exit": counts["exit"], "composition_entry": counts["entry"],
    }  # fmt: skip
    table = pd.DataFrame({"component": list(values), "value": list(values.values())})
    table["n"] = [n[name] for name in values]
    if draws:
        low, high = _bootstrap(people, of, household, draws, level, seed)
        # Draws without the leavers who were lost know what the cohort does not.
        known = table["value"].notna()
        table["low"], table["high"] = np.where(known, low, np.nan), np.where(known, high, np.nan)
    n_in = len(before.index.union(after.index))
    lost = {"résultat manquant": n_in - every, "sans poids": every - len(people)}
    return ChangeDecomposition(
        **values,
        n_stayers=counts["stay"],
        n_exits=counts["exit"],
        n_entries=counts["entry"],
        table=tidy(
            table,
            sentences=_sentences,
            method="décomposition sédentaires, sortants, entrants",
            convention="sorties mesurées à la date 1, entrées à la date 2",
            statistic=statistic if isinstance(statistic, str) else _name(statistic),
            n_in=n_in,
            n_used=len(people),
            lost={reason: number for reason, number in lost.items() if number},
            weighted=weight is not None,
            draws=draws,
            seed=seed if draws else None,
        ),
        by_destination=_split(people, "exit", destination, statistic, "destination"),
        by_origin=_split(people, "entry", origin, statistic, "origin"),
    )


_NAMES = {
    "total": "Évolution du lieu",
    "in_situ": "Ceux qui restent",
    "exits": "Départs",
    "entries": "Arrivées",
    "people": "Habitants de départ, où qu'ils soient",
}


def _sentences(table: pd.DataFrame) -> list[str]:
    """Say each component with its interval, if any, and its people."""
    largest = table["value"].abs().max()
    digits = decimals_of(float(largest) / 10)  # three digits of the largest component
    lines = []
    for row in table.to_dict("records"):
        if row["component"] not in _NAMES:
            continue
        value = number_text(row["value"], digits, signed=True)
        interval = f" {interval_text(row['low'], row['high'], digits)}" if "low" in row else ""
        many = counted_text(row["n"], "personne")
        lines.append(f"{_NAMES[row['component']]} : {value}{interval} ({many}).")
    return lines


# ---- people and their groups -------------------------------------------------------------------


def _people(
    before: pd.Series[float],
    after: pd.Series[float],
    leavers_after: pd.Series[float] | None,
    *,
    rate: bool,
) -> pd.DataFrame:
    """One row per person whose outcomes are known: group, outcome at both dates, later outcome."""
    given = {"before": before, "after": after}
    if leavers_after is not None:
        given["leavers_after"] = leavers_after
    faults = [
        Fault(name, f"un {type(series).__name__}", "donner une Series indexée par personne")
        for name, series in given.items()
        if not isinstance(series, pd.Series)
    ]
    if faults:
        raise FaultsError("décomposition refusée", faults)
    numbered = [pd.api.types.is_numeric_dtype(s.index) for s in (before, after) if len(s)]
    if len(set(numbered)) > 1:
        said = f"identifiants {before.index.dtype} et {after.index.dtype}"
        remedy = "les lire tous comme textes (dtype=str) : zéros initiaux perdus ?"
        faults.append(Fault("before, after", said, remedy))
    for name, series in given.items():
        twice = series.index[series.index.duplicated()].unique()
        if len(twice):
            shown = ", ".join(map(str, twice[:5]))
            faults.append(Fault(name, f"personnes en double : {shown}", "une ligne par personne"))
        if series.index.hasnans:
            faults.append(Fault(name, "personne sans identifiant", "donner un identifiant"))
        if not pd.api.types.is_numeric_dtype(series):
            faults.append(Fault(name, f"type {series.dtype}", "donner des nombres"))
            continue
        known = series.dropna().to_numpy(np.float64)
        if rate and not np.isin(known, (0.0, 1.0)).all():
            faults.append(Fault(name, "valeurs autres que 0 et 1", 'statistic="mean" ?'))
        if np.isinf(known).any():
            faults.append(Fault(name, "valeurs infinies", "les corriger ou les mettre à manquant"))
    if leavers_after is not None:
        strangers = leavers_after.index.difference(before.index.difference(after.index))
        if len(strangers):
            shown = ", ".join(map(str, strangers[:5]))
            faults.append(
                Fault("leavers_after", f"n'ont pas quitté le lieu : {shown}", "les retirer")
            )
    if faults:
        raise FaultsError("décomposition refusée", faults)
    everyone = before.index.union(after.index)
    people = pd.DataFrame(
        {
            "first": before.astype(np.float64).reindex(everyone),
            "last": after.astype(np.float64).reindex(everyone),
            "later": np.nan,
        }
    )
    if leavers_after is not None:
        people["later"] = leavers_after.astype(np.float64).reindex(everyone)
    here, there = everyone.isin(before.index), everyone.isin(after.index)
    people["group"] = np.where(here & there, "stay", np.where(here, "exit", "entry"))
    unknown = (here & people["first"].isna()) | (there & people["last"].isna())
    return people[~unknown]


def _weighted(
    people: pd.DataFrame,
    weight: pd.Series[float] | Mapping[Any, float],
    statistic: Statistic,
) -> pd.DataFrame:
    """Give each person its weight, and leave out who has none."""
    if callable(statistic):
        raise BarometreError(
            "weight : « mean », « rate » ou « median » ; une fonction ne prend pas de poids"
        )
    given = weight if isinstance(weight, pd.Series) else pd.Series(dict(weight), dtype=float)
    faults = []
    if not pd.api.types.is_numeric_dtype(given):
        faults.append(Fault("weight", f"type {given.dtype}", "donner des nombres"))
    elif not given.dropna().between(0, np.inf, inclusive="neither").all():
        faults.append(Fault("weight", "poids nuls, négatifs ou infinis", "les donner positifs"))
    twice = given.index[given.index.duplicated()].unique()
    if len(twice):
        shown = ", ".join(map(str, twice[:5]))
        faults.append(Fault("weight", f"personnes en double : {shown}", "un poids par personne"))
    if not faults and len(people) and not given.reindex(people.index).notna().any():
        faults.append(
            Fault("weight", "aucune personne n'a de poids", "l'indexer par les mêmes personnes")
        )
    if faults:
        raise FaultsError("décomposition refusée", faults)
    mass = given.reindex(people.index).astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return people.assign(weight=mass)[~np.isnan(mass)]


def _statistic(statistic: Statistic) -> Callable[[Floats, Floats | None], float]:
    """Return the statistic of values and of their weights, missing for nobody."""
    if callable(statistic):
        function = statistic
    elif statistic in ("mean", "rate"):
        function = np.mean
    elif statistic == "median":
        function = np.median
    else:
        raise BarometreError(
            f"statistic={statistic!r} ; « mean », « rate », « median » ou une fonction"
        )

    def of(values: Floats, mass: Floats | None) -> float:
        if not len(values):
            return math.nan
        if mass is None:
            return float(function(values))
        if statistic == "median":
            return _median(values, mass)
        return float(np.average(values, weights=mass))

    return of


def _median(values: Floats, mass: Floats) -> float:
    """Weighted median: the middle of the values that leave half of the weight on either side."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(mass[order]) / mass.sum()
    low, high = np.searchsorted(below, [0.5 - EQUAL, 0.5 + EQUAL], side="right")
    last = len(values) - 1
    return float(values[order[[min(low, last), min(high, last)]]].mean())


def _components(
    people: pd.DataFrame, statistic: Callable[[Floats, Floats | None], float]
) -> dict[str, float]:
    group = people["group"].to_numpy()
    mass = people["weight"].to_numpy() if "weight" in people else None
    first, last = people["first"].to_numpy(), people["last"].to_numpy()
    stay, leave, come = group == "stay", group == "exit", group == "entry"

    def of(values: Floats, who: Booleans) -> float:
        return statistic(values[who], None if mass is None else mass[who])

    place = of(first, stay | leave), of(last, stay | come)
    stayers = of(first, stay), of(last, stay)
    later = np.where(stay, last, people["later"].to_numpy())
    unknown = np.isnan(later[stay | leave]).any()
    followed = math.nan if unknown else of(later, stay | leave)
    return {
        "total": place[1] - place[0],
        "in_situ": stayers[1] - stayers[0],
        "exits": stayers[0] - place[0],
        "entries": place[1] - stayers[1],
        "people": followed - place[0],
        "composition_exit": stayers[1] - followed,
        "composition_entry": place[1] - stayers[1],
    }


def _split(
    people: pd.DataFrame,
    group: str,
    labels: pd.Series[str] | Mapping[Any, str] | None,
    statistic: Statistic,
    name: str,
) -> pd.DataFrame | None:
    """Share exits or entries out among destinations or origins: additive for a mean."""
    if labels is None:
        return None
    if statistic not in ("mean", "rate"):
        raise BarometreError(f"{name} : seule une moyenne ou un taux se répartit")
    movers = people[people["group"] == group]
    said = movers.index.map(dict(labels))
    if movers.empty:
        return pd.DataFrame({name: pd.Series(dtype=str), "n": [], "value": []})
    if said.hasnans:
        shown = ", ".join(map(str, movers.index[said.isna()][:5]))
        raise BarometreError(f"{name} inconnue pour : {shown} ; la donner pour chacun")
    date, sign = ("first", -1.0) if group == "exit" else ("last", 1.0)
    other = people.loc[people["group"] == "stay", date]
    if "weight" in people:
        mass = people["weight"]
        here = mass[other.index]
        mean = (other * here).sum() / here.sum() if len(other) else math.nan
        size = mass[movers.index].sum() + here.sum()
        gaps = sign * (movers[date] - mean) * mass[movers.index] / size
    else:
        gaps = sign * (movers[date] - other.mean()) / (len(movers) + len(other))
    by = gaps.groupby(np.asarray(said, dtype=object))
    value = by.sum(min_count=1)  # missing, not 0, when nobody stayed
    return pd.DataFrame({"n": by.size(), "value": value}).rename_axis(name).reset_index()


def _bootstrap(
    people: pd.DataFrame,
    of: Callable[[Floats, Floats | None], float],
    household: pd.Series[Any] | Mapping[Any, Any] | None,
    draws: int,
    level: float,
    seed: int,
) -> tuple[Floats, Floats]:
    """Percentile limits of every component, whole households drawn with replacement."""
    if household is None:
        homes = np.arange(len(people))
    else:
        said = people.index.map(dict(household))
        if said.hasnans:
            shown = ", ".join(map(str, people.index[said.isna()][:5]))
            raise BarometreError(f"ménage inconnu pour : {shown} ; le donner pour chacun")
        homes = pd.factorize(np.asarray(said, dtype=object))[0]
    order = np.argsort(homes, kind="stable")
    sizes = np.bincount(homes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rng = np.random.default_rng(seed)
    found = np.empty((draws, 7))
    for draw in range(draws):
        chosen = rng.integers(len(sizes), size=len(sizes))
        lengths = sizes[chosen]
        inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = order[np.repeat(starts[chosen], lengths) + inside]
        found[draw] = list(_components(people.iloc[rows], of).values())
    tail = (1 - level) / 2
    limits = np.full((2, 7), np.nan)
    # A draw without a stayer has no decomposition: limits are those of the draws that have one.
    known = ~np.isnan(found).all(axis=0)
    limits[:, known] = np.nanquantile(found[:, known], [tail, 1 - tail], axis=0)
    return limits[0], limits[1]


def _name(statistic: object) -> str:
    return getattr(statistic, "__name__", "fonction")
