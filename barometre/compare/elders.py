"""Risk factors that people of 75 or more accumulate, counted from individual rows (Compas)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.base.frames import absent_columns, repeated_columns
from barometre.compare.dispersion import as_weights
from barometre.secrecy.lines import hide_in_lines

FRAGILITY_FACTORS = (
    "logement_4_pieces_ou_plus",
    "collectif_sans_ascenseur",
    "logement_social",
    "vit_seul",
    "menage_sans_voiture",
    "bas_niveau_formation",
    "issu_immigration",
)
"""The seven factors of the Compas index, as columns of individual rows."""

MIN_AGE = 75


_TITLE = "indice de fragilité refusé"


def fragility_75(
    individuals: pd.DataFrame,
    *,
    factors: Sequence[str] = FRAGILITY_FACTORS,
    at_least: int = 5,
    exactly: int | None = None,
    weight: str | None = None,
    by: str | Iterable[str] | None = None,
    age: str | None = None,
    threshold: int = 11,
) -> pd.DataFrame:
    """Count the people of 75 or more who accumulate risk factors.

    Parameters
    ----------
    individuals : DataFrame
        One row per person of 75 or more; the factors are 0, 1, booleans, or missing.
    factors : sequence of str, default `FRAGILITY_FACTORS`
        Columns of the factors.
    at_least : int, default 5
        Number of factors from which a person is fragile.
    exactly : int, optional
        Number of factors that a person must have exactly; given, it replaces ``at_least``.
    weight : str, optional
        Column of the weights (census detail files); each row counts for one by default.
    by : str or iterable of str, optional
        Columns of the groups; a missing group is a group.
    age : str, optional
        Column of the ages: a younger person is then refused.
    threshold : int, default 11
        Number of rows under which a count is secret; 0 or 1 hides nothing.

    Returns
    -------
    DataFrame
        One row per group in the order of its values (one row without ``by``): the columns of
        ``by``, then

        - ``effectif``: people; ``effectif_fragile``: those who are fragile;
        - ``inconnus``: those of whom it cannot be told, a factor being missing; a person whose
          known factors settle the question either way is counted;
        - ``part``: fragile per 100 people whose factors are all known (counting those of whom it
          can be told sooner would bias it, downwards when most are not fragile); ``part_min`` and
          ``part_max``: share of all people, were all the unknown not fragile, or all fragile;
        - ``critere``, ``ponderation`` (column of the weights, or ``"égale"``), ``statut`` and
          ``note``. A part is missing (``non_defini``) when
          nobody has all factors known.

        Counts are sums of weights when there are weights. A group is ``secret``, all its figures
        hidden, when it has fewer rows than ``threshold``; ``effectif`` alone is shown when a count
        that the others would tell has fewer (0 excepted): fragile or not, with all factors known
        or not, or unknown. Without groups, an empty table gives one row; with groups, none.

    Raises
    ------
    FaultsError
        Absent columns; factors other than 0 and 1; ages under 75 or missing; columns given twice.
    BarometreError
        Weights that cannot weigh; numbers of factors out of range; a group named as an output.

    Notes
    -----
    Compas, June 2023, for the neighbourhoods of the Nord: 33 % "cumulent 5 indicateurs de l'indice
    de fragilité" of seven, without saying whether 5 is exact or a minimum: both can be asked for.
    The variables of the census detail file that give each factor were not checked. Groups are
    hidden one by one: where their total is published too, audit the table with ``suppress``.

    Examples
    --------
    >>> people = pd.DataFrame(1, index=range(30), columns=list(FRAGILITY_FACTORS))
    >>> people.loc[:14, ["logement_social", "vit_seul", "issu_immigration"]] = 0
    >>> fragility_75(people)[["effectif", "effectif_fragile", "part"]].loc[0].tolist()
    [30.0, 15.0, 50.0]
    """
    people = _People.of(individuals, factors, weight, by, age, threshold)
    k, number = at_least if exactly is None else exactly, len(people.factors)
    option, lowest = ("at_least", 1) if exactly is None else ("exactly", 0)
    if not is_whole(k) or not lowest <= k <= number:
        limits = f"donner un entier de {lowest} à {number}"
        raise BarometreError(f"{option}={k!r} refusé : {limits}, le nombre de facteurs")
    least, most = people.known, people.known + people.missing
    if exactly is None:
        fragile, sure = least >= k, (least >= k) | (most < k)
    else:
        fragile, sure = (least == k) & (most == k), (least > k) | (most < k) | (least == most)
    full = people.missing == 0
    flags = {
        "tous": sure | ~sure,
        "inconnus": ~sure,
        "fragiles": fragile,
        "autres": sure & ~fragile,
        "complets": full,
        "complets_fragiles": full & fragile,
        "complets_autres": full & ~fragile,
        "incomplets_fragiles": ~full & fragile,
        "incomplets_autres": ~full & sure & ~fragile,
    }
    rows, sums = people.count(flags), people.add(flags)
    told, whole = (sums[name].where(sums[name] > 0) for name in ("complets", "tous"))
    table = pd.DataFrame(
        {
            "effectif": sums["tous"],
            "effectif_fragile": sums["fragiles"],
            "inconnus": sums["inconnus"],
            "part": 100 * sums["complets_fragiles"] / told,
            "part_min": 100 * sums["fragiles"] / whole,
            "part_max": 100 * (sums["fragiles"] + sums["inconnus"]) / whole,
            "critere": counted(k, "facteur") + (" ou plus" if exactly is None else " exactement"),
            "ponderation": weight or "égale",
        }
    )
    small = (rows > 0) & (rows < threshold)
    tiny, hidden = small["tous"], small.any(axis=1)
    figures = ["effectif_fragile", "inconnus", "part", "part_min", "part_max"]
    table[figures] = table[figures].mask(hidden)
    table["effectif"] = table["effectif"].mask(tiny)
    table["statut"] = np.select([hidden, table["part"].isna()], ["secret", "non_defini"], "ok")
    said = f"moins de {threshold} personnes, fragiles, non fragiles ou inconnues"
    table["note"] = pd.Series(said, table.index, dtype="str").where(hidden)
    return people.labelled(table)


def fragility_scores(
    individuals: pd.DataFrame,
    *,
    factors: Sequence[str] = FRAGILITY_FACTORS,
    weight: str | None = None,
    by: str | Iterable[str] | None = None,
    age: str | None = None,
    threshold: int = 11,
) -> pd.DataFrame:
    """Distribute the people of 75 or more by their number of risk factors.

    Parameters
    ----------
    individuals : DataFrame
        One row per person.
    factors : sequence of str
        Columns of 0 and 1.
    weight, age : str, optional
        Columns of the weight and of the age.
    by : str or iterable of str, optional
        Columns of the groups.
    threshold : int, default 11
        Smallest count shown. All as for `fragility_75`.

    Returns
    -------
    DataFrame
        One row per group and score, from 0 to the number of factors: the columns of ``by``,
        ``score``, ``effectif``, ``part`` (per 100 people whose score is known), ``inconnus`` (of
        the group: a factor is missing), ``statut`` and ``note``. Scores and unknown are hidden as
        a line (see `cohort.hide_small_groups`): a count of fewer rows than ``threshold``, 0
        excepted, and those by which the total would give it back. Where ``inconnus`` is hidden the
        parts of the group are, since they would give it. Where no score is known the part is
        ``non_defini``.

    Raises
    ------
    FaultsError, BarometreError
        As for `fragility_75`.

    Notes
    -----
    The total of `fragility_75` may be published beside it; its count of the fragile, which adds
    scores up, may give one back: audit the two together with ``suppress``.

    Examples
    --------
    >>> people = pd.DataFrame(1, index=range(30), columns=list(FRAGILITY_FACTORS))
    >>> people.loc[:14, "vit_seul"] = 0
    >>> fragility_scores(people).set_index("score")["effectif"].to_dict()[6]
    15.0
    """
    people = _People.of(individuals, factors, weight, by, age, threshold)
    scores = range(len(people.factors) + 1)
    cells: dict[Any, Booleans] = {
        score: (people.known == score) & (people.missing == 0) for score in scores
    }
    cells["inconnus"] = people.missing > 0
    rows, sums = people.count(cells), people.add(cells)
    line = np.repeat(np.arange(len(rows)), rows.shape[1])
    flat = rows.to_numpy(np.float64).ravel()
    every = hide_in_lines(flat, line, threshold=threshold).rows.reshape(rows.shape)
    hidden, lost = every[:, :-1], every[:, -1:]
    unknown = sums.pop("inconnus").to_numpy()[:, None]
    total = sums.sum(axis=1)
    share = 100 * sums.div(total.where(total > 0), axis=0)
    long = pd.DataFrame(
        {
            "score": np.tile(np.arange(len(scores)), len(sums)),
            "effectif": np.where(hidden, np.nan, sums.to_numpy()).ravel(),
            "part": np.where(hidden | lost, np.nan, share.to_numpy()).ravel(),
            "inconnus": np.where(lost, np.nan, unknown).repeat(len(scores)),
        },
        index=sums.index.repeat(len(scores)),
    )
    secret = (hidden | lost).ravel()
    long["statut"] = np.select([secret, long["part"].isna()], ["secret", "non_defini"], "ok")
    said = f"moins de {threshold} personnes, ou de quoi les retrouver"
    long["note"] = pd.Series(said, long.index, dtype="str").where(secret)
    return people.labelled(long)


# ---- people, groups, secrecy --------------------------------------------------------------------


@dataclass(frozen=True)
class _People:
    """Checked persons: how many factors each has and lacks, its weight and its group."""

    factors: list[str]
    known: Integers
    missing: Integers
    weight: Floats
    group: Integers
    groups: pd.DataFrame

    @classmethod
    def of(
        cls,
        individuals: pd.DataFrame,
        factors: Sequence[str],
        weight: str | None,
        by: str | Iterable[str] | None,
        age: str | None,
        threshold: int,
    ) -> _People:
        names = [factors] if isinstance(factors, str) else list(factors)
        keys = [by] if isinstance(by, str) else list(by or [])
        if not is_whole(threshold):
            raise BarometreError(f"threshold={threshold!r} refusé : donner un entier positif")
        reserved = {"effectif", "effectif_fragile", "inconnus", "part", "part_min", "part_max",
                    "critere", "ponderation", "score", "statut", "note"}  # fmt: skip
        if clash := sorted(reserved.intersection(keys)):
            raise BarometreError(f"by : {', '.join(clash)} est une colonne du résultat ; renommer")
        for option, column in (("weight", weight), ("age", age)):
            if not isinstance(column, str | None):
                raise BarometreError(f"{option} refusé : donner le nom d'une colonne")
        used = [*names, *keys, *filter(None, [weight, age])]
        faults = _column_faults(individuals, names, used)
        if not faults:
            faults = [fault for name in names for fault in _factor_faults(individuals, name)]
            faults += _age_faults(individuals, age)
        if faults:
            raise FaultsError(_TITLE, faults)
        values = np.column_stack([_zero_or_one(individuals[name]) for name in names])
        whole = np.ones(len(individuals))
        if weight is not None:
            whole = as_weights(individuals[weight])
        groups = pd.DataFrame(index=range(1))
        group: Integers = np.zeros(len(individuals), np.int64)
        if keys:
            grouped = individuals.groupby(keys, dropna=False, observed=True)
            group = np.asarray(grouped.ngroup(), dtype=np.int64)
            first = individuals[keys].assign(_groupe=group).drop_duplicates("_groupe")
            groups = first.sort_values("_groupe")[keys].reset_index(drop=True)
        return cls(
            factors=names,
            known=np.nansum(values, axis=1).astype(np.int64),
            missing=np.isnan(values).sum(axis=1),
            weight=whole,
            group=group,
            groups=groups,
        )

    def count(self, flags: Mapping[Any, Booleans]) -> pd.DataFrame:
        """Count the flagged rows of each group."""
        return self._by_group(flags, np.ones(len(self.weight)))

    def add(self, flags: Mapping[Any, Booleans]) -> pd.DataFrame:
        """Add up the weights of the flagged rows of each group."""
        return self._by_group(flags, self.weight)

    def _by_group(self, flags: Mapping[Any, Booleans], weight: Floats) -> pd.DataFrame:
        number = len(self.groups)
        return pd.DataFrame(
            {
                name: np.bincount(self.group, np.where(flag, weight, 0.0), number)
                for name, flag in flags.items()
            }
        )

    def labelled(self, table: pd.DataFrame) -> pd.DataFrame:
        """Put the columns of the groups before those of a table, by group."""
        groups = self.groups.reindex(table.index).reset_index(drop=True)
        return pd.concat([groups, table.reset_index(drop=True)], axis=1)


def is_whole(number: object) -> bool:
    """Tell a whole number, 0 or more."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        return False
    return int(number) >= 0


def _zero_or_one(column: pd.Series[Any]) -> Floats:
    """Read a column of 0, 1, booleans and missing values, of any type."""
    return np.where(column.isna(), np.nan, column.isin([1]))


# ---- what is refused ----------------------------------------------------------------------------


def _column_faults(individuals: object, names: list[str], used: list[str]) -> list[Fault]:
    if not isinstance(individuals, pd.DataFrame):
        raise BarometreError(f"{_TITLE} : donner un DataFrame, une ligne par personne")
    if not names or len(set(used)) < len(used):
        twice = (
            ", ".join(sorted({name for name in used if used.count(name) > 1})) or "aucun facteur"
        )
        return [Fault("colonnes", twice, "donner chaque colonne une fois, un facteur au moins")]
    remedy = "créer la colonne, ou donner factors=, by=, weight=, age="
    return [*repeated_columns(individuals), *absent_columns(individuals, used, remedy)]


def _factor_faults(individuals: pd.DataFrame, name: str) -> list[Fault]:
    column = individuals[name]
    wrong = column.notna() & ~column.isin([0, 1])
    if not wrong.any():
        return []
    shown = ", ".join(f"« {value} »" for value in column[wrong].unique()[:3])
    problem = f"{counted(int(wrong.sum()), 'valeur autre', 'valeurs autres')} que 0 et 1 ({shown})"
    return [Fault(name, problem, "coder 0, 1 ou laisser vide", individuals[wrong])]


def _age_faults(individuals: pd.DataFrame, age: str | None) -> list[Fault]:
    if age is None:
        return []
    years = pd.to_numeric(individuals[age], errors="coerce").astype("float64")
    wrong = ~(years >= MIN_AGE)
    if not wrong.any():
        return []
    problem = f"{counted(int(wrong.sum()), 'personne')} de moins de {MIN_AGE} ans ou sans âge"
    return [Fault(age, problem, "les retirer", individuals[wrong])]
