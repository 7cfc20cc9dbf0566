"""From zones to any union of them: counts add up, medians and rates do not.

A count of the union is known when it is known in every zone. Where a zone hides or lacks it, the
count of the union is absent: summing the others would give a wrong total, and completing it from a
published whole would give the hidden cell back. The indicator is then estimated on the zones that
have all its counts, which leave its numerator and its denominator together.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, overload

import numpy as np
import pandas as pd

from barometre.base.arguments import is_number
from barometre.base.errors import BarometreError, TableError
from barometre.base.french import format_number
from barometre.cards.columns import KEY, MODELS, PART_TOLERANCE, Table, broken_relations
from barometre.cards.listing import load_cards
from barometre.cards.schema import Card
from barometre.engine.alignment import (
    align,
    counted_once,
    expected_zones,
    latest_keys,
    some_known,
    strangers,
    zones_by_year,
)
from barometre.engine.seen import ALONE, Facts, Seen, agreed
from barometre.engine.zone_groups import SHOWN, Expected, Group, Weights
from barometre.tables.check import PUBLISHED, is_count
from barometre.tables.codes import DISTRICTS
from barometre.tables.parts import STATUTS, Frames, Shown, highest, tables_of_part
from barometre.tables.spread import (
    DaskTables,
    as_spread,
    cut,
    in_parts,
    is_spread,
    listed,
    moved,
    on_parts,
    refuse,
    unpacked,
)
from barometre.tables.table_set import (
    DEDUCED,
    DOUBTFUL,
    ESTIMATED,
    Tables,
    as_tables,
    empty_statuts,
)

MIN_COVERAGE = 0.5
"""Share of a union that its known zones must make for an indicator to be estimated on them."""

_WELL_COVERED = 0.9  # of the population: below, the share is told beside that of the denominator
_NOISE = 1e-9

WEIGHT_AGE = 3  # years by which the population that weighs a mean may be older than the values

Membership: TypeAlias = "pd.Series[str] | Mapping[str, str] | Mapping[str, Sequence[str]]"
Grouped = TypeVar("Grouped", pd.Series, pd.DataFrame)

_CELL = ["code", "annee", "colonne"]
_KINDS = {"median": "une médiane", "_d1": "un décile", "_d9": "un décile", "taux": "un taux"}


class DistrictsWarning(UserWarning):
    """Paris, Lyon or Marseille stands in a union beside its municipal districts."""


@dataclass(frozen=True)
class Rules:
    """What becomes of the cells that do not add up.

    ``refus`` says why a statistic is left out, ``poids`` weighs the zones, ``moyenne`` averages the
    statistics, ``nd_zero`` counts a missing cell as 0.
    """

    refus: str = "{quoi} ne s'agrège pas : prendre la valeur publiée du territoire"
    poids: pd.Series[float] | None = None
    moyenne: bool = False
    nd_zero: bool = False


@overload
def aggregate(
    tables: DaskTables,
    membership: Membership,
    *,
    weighted_mean: bool = False,
    nd_as_zero: bool = False,
    weights: pd.Series[float] | None = None,
    min_coverage: float = MIN_COVERAGE,
) -> DaskTables: ...


@overload
def aggregate(
    tables: Tables | Mapping[str, pd.DataFrame],
    membership: Membership,
    *,
    weighted_mean: bool = False,
    nd_as_zero: bool = False,
    weights: pd.Series[float] | None = None,
    min_coverage: float = MIN_COVERAGE,
) -> Tables: ...


def aggregate(
    tables: Tables | Mapping[str, pd.DataFrame] | DaskTables,
    membership: Membership,
    *,
    weighted_mean: bool = False,
    nd_as_zero: bool = False,
    weights: pd.Series[float] | None = None,
    min_coverage: float = MIN_COVERAGE,
) -> Tables | DaskTables:
    """Add zones up into unions: communes of an EPCI, neighbourhoods of an agglomeration.

    Parameters
    ----------
    tables : Tables, mapping of str to DataFrame, or DaskTables
        Tables of the zones; what belongs to no union is left out.
    membership : Series or mapping
        Zone to union, or union to the list of its zones (a zone may then be in several unions).
    weighted_mean : bool, default False
        Average the statistics (medians, deciles, rates, APL, published values). A mean of medians
        is not the median of the union, and several cards want the published value only.
    nd_as_zero : bool, default False
        Count missing cells as 0. Only to replicate a document that does so.
    weights : Series, optional
        Weights of the means, by code or by (code, annee): standardised population for an APL...
        By default ``population.population`` of the year, else of one of the three before.
    min_coverage : float, default 0.5
        Share of the union that the known zones must make for an estimate to be given: of the
        population where it is known, else of the denominator, else of the number of zones.

    Returns
    -------
    Tables
        The unions, by year. A count is the sum over all zones, missing as soon as it is missing in
        one (or its row is): ``statuts`` says how many zones are known and what they cover. (Where
        zones were rounded apart, a whole is raised to the sum of its parts, by 1 a zone at most.)
        ``publies`` then estimates the indicator on the zones that have all its counts, if they make
        ``min_coverage`` of the union (else it is ``non_disponible``, with the share); a count has
        no such estimate, as a partial sum is no total. Statistics are missing (``non_defini``) or
        means. Estimates, means and sums with ``nd_as_zero`` have the quality ``"estime"``. A union
        of one zone is that zone, statistics included.

        With Dask frames, a `DaskTables`: the zones of a union are brought in one part, and added up
        there in the order of the membership, to the same bit. Faults are told at once.

    Raises
    ------
    BarometreError
        A membership that is empty, mixed, gives a zone twice, or names no zone of the tables.
    TableError
        With ``nd_as_zero``, a whole that becomes smaller than its parts.

    Warns
    -----
    DistrictsWarning
        A commune (Paris, Lyon, Marseille) and its municipal districts are both in a table and a
        union: the commune is counted, its districts are not. Alone, districts are added up.

    Examples
    --------
    >>> zones = pd.DataFrame({"code": ["59172", "59446"], "annee": 2021, "logements": [80, 20]})
    >>> aggregate({"logements": zones}, {"CA": ["59172", "59446"]})["logements"].iloc[0, 0]
    np.float64(100.0)
    """
    if not is_number(min_coverage) or not 0 <= min_coverage <= 1:
        raise BarometreError(f"min_coverage={min_coverage!r} refusé : donner une part (0.5)")
    members = members_of(membership)
    asked = _Asked(weighted_mean, nd_as_zero, weights, min_coverage)
    united: Tables | DaskTables
    if is_spread(tables):
        united, twice = _spread(as_spread(tables), members, asked)
    else:
        checked = as_tables(tables)
        zones = expected_zones(checked, members)
        twice = _counted_twice(checked, zones)
        frames, statuts = _united(checked, zones, asked)
        united = Tables(frames, statuts=statuts, territoires=_among(checked.territoires, members))
    if twice:
        _warn_of_districts(twice)
    return united


@dataclass(frozen=True)
class _Asked:
    """The options of `aggregate`."""

    weighted_mean: bool
    nd_as_zero: bool
    weights: Weights
    min_coverage: float

    def rules(self, tables: Tables, zones: pd.DataFrame) -> Rules:
        """Weigh the zones."""
        poids = _weights(tables, zones, self.weights)
        return Rules(poids=poids, moyenne=self.weighted_mean, nd_zero=self.nd_as_zero)


def _among(territoires: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    return territoires[territoires.index.isin(members["union"].unique())]


def _united(
    checked: Tables, zones: pd.DataFrame, asked: _Asked, seen: Seen = ALONE
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Add zones up: tables of the unions, not checked yet, and their statuses."""
    rules = asked.rules(checked, zones)
    frames, statuts = regroup(checked, zones, rules)
    published = frames.pop(PUBLISHED, pd.DataFrame())
    part = checked.part
    counts = Tables(frames, statuts=statuts[statuts["table"] != PUBLISHED], part=part)
    columns = {str(name): published[name] for name in published}
    for name, cells in _settled(checked, counts, zones, rules.poids, asked.min_coverage, seen):
        old = columns.get(name, cells["valeur"].iloc[:0])
        merged = pd.concat([old[~old.index.isin(cells.index)], cells["valeur"]])
        some = bool(merged.notna().any() or cells["refus"].any())
        if name in columns or seen.anywhere((PUBLISHED, name), [name] * some):
            columns[name] = merged
            keys = pd.MultiIndex.from_frame(statuts[list(KEY)])
            here = (statuts["table"] == PUBLISHED) & (statuts["colonne"] == name)
            told = cells[cells["valeur"].notna() | cells["refus"]]
            said = told[["motif", "refus"]].reset_index()
            said = said.assign(table=PUBLISHED, colonne=name, statut="ok", qualite=ESTIMATED)
            refused = said.pop("refus").astype(bool)
            said["statut"] = said["statut"].mask(refused, "non_disponible")
            said["qualite"] = said["qualite"].mask(refused)
            statuts = _concat([statuts[~(here & keys.isin(cells.index))], said])
    if columns:
        frames[PUBLISHED] = pd.DataFrame(columns).rename_axis(list(KEY))
    return frames, statuts


def _counted_twice(tables: Tables, zones: pd.DataFrame) -> set[str]:
    """Find the communes that stand in one union with their districts."""
    left: set[str] = set()
    if zones["zone"].isin(DISTRICTS).any():
        keys = pd.MultiIndex.from_frame(zones[["zone", "annee"]])
        indexes: list[pd.MultiIndex] = []  # tables often share their keys
        for name in tables:
            index = tables.index_of(name)
            if any(index.equals(known) for known in indexes):
                continue
            indexes.append(index)
            twice = zones.loc[keys.isin(index) & ~counted_once(zones, index), "zone"]
            left |= {DISTRICTS[zone] for zone in twice}
    return left


def _warn_of_districts(left: set[str]) -> None:
    """Say that a commune and its districts stand in one union: only one of them is counted."""
    warnings.warn(
        f"{', '.join(sorted(left))} et ses arrondissements municipaux (TYPECOM ARM de l'Insee)"
        " sont dans la même union : la commune est comptée, ses arrondissements ne le sont pas",
        DistrictsWarning,
        stacklevel=3,
    )


# ---- by part ------------------------------------------------------------------------------------

_MEMBERS = "_membres"  # among the frames of a part: its zones and unions


def _spread(
    tables: DaskTables, members: pd.DataFrame, asked: _Asked
) -> tuple[DaskTables, set[str]]:
    """Bring the zones of each union in one part, look at what is said of all, add up by part."""
    if not any(tables.look(some_known, members=members)):
        raise strangers(members)
    divisions = cut(members["union"].unique(), tables.npartitions)
    starts = np.array(divisions[1:-1], dtype=str)
    place = np.searchsorted(starts, members["union"].to_numpy(str), side="right")
    placed = members.assign(part=place, rang=np.arange(len(members)))
    needed = placed[["zone", "part"]].drop_duplicates().rename(columns={"zone": "code"})
    parts = moved(tables, needed, len(divisions) - 1)
    parts[_MEMBERS] = in_parts(placed.set_index("part"), len(divisions) - 1)
    shown: list[Shown] = []

    def look(known: Facts) -> Iterator[Facts]:
        shown[:] = listed(on_parts(parts, _look_at_part, asked=asked, known=known))
        return (one.found[0] for one in shown)

    facts = agreed(look)
    told = set().union(*(names for asked, names in facts.items() if asked[0] == PUBLISHED))
    old = [c for c in tables[PUBLISHED].columns if c not in KEY] if PUBLISHED in tables else []
    known = {name: [*MODELS[name].to_schema().columns] for name in tables if name != PUBLISHED}
    if old or told:
        known[PUBLISHED] = [*old, *(name for name in load_cards() if name in told - {*old})]
    made = on_parts(parts, _sums_of_part, asked=asked, facts=facts, known=known)
    metas = {name: _flat(pd.DataFrame(), name, columns) for name, columns in known.items()}
    frames = unpacked(made, {**metas, STATUTS: _flat(empty_statuts(), STATUTS)}, divisions)
    said, places = frames.pop(STATUTS), _among(tables.territoires, members)
    united = DaskTables.placed(frames, said, places, divisions)
    refuse(united.parts(), shown, places)
    return united, set().union(*(twice for _, twice in (one.found for one in shown)))


def _part_of(frames: Frames) -> tuple[Tables, pd.DataFrame]:
    members = frames.pop(_MEMBERS).sort_values("rang")
    tables = tables_of_part(frames)
    return tables, zones_by_year(tables, members[["zone", "union"]])


def _look_at_part(frames: Frames, *, asked: _Asked, known: Facts) -> Shown:
    """Say what the unions of a part show, and whether their sums are refused."""
    tables, zones = _part_of(frames)
    seen, twice = Seen("looking", known), _counted_twice(tables, zones)
    try:
        sums, statuts = _united(tables, zones, asked, seen)
        top = highest(Tables(sums, statuts=statuts, part=True))
    except TableError:
        return Shown(faulty=True, found=(seen.here, twice))
    return Shown(highest=top, found=(seen.here, twice))


def _sums_of_part(
    frames: Frames, *, asked: _Asked, facts: Facts, known: Mapping[str, list[str]]
) -> Frames:
    """Add up the unions of a part; what is refused is so with all the others, from its sums."""
    tables, zones = _part_of(frames)
    try:
        sums, statuts = _united(tables, zones, asked, Seen("told", facts))
    except TableError:
        sums, statuts = regroup(tables, zones, asked.rules(tables, zones))
    flat = {name: _flat(sums.get(name, pd.DataFrame()), name, columns)
            for name, columns in known.items()}  # fmt: skip
    return {**flat, STATUTS: _flat(statuts, STATUTS)}


def _flat(frame: pd.DataFrame, name: str, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Index rows by code, as Dask does; a frame of statuses has its texts as pandas writes them."""
    if name == STATUTS:
        return frame.astype({c: "str" for c in frame if c != "annee"}).set_index("code")
    if not len(frame):
        keys = [pd.Index([], dtype="str"), pd.Index([], dtype=np.int64)]
        empty = pd.MultiIndex.from_arrays(keys, names=list(KEY))
        frame = pd.DataFrame(index=empty, columns=list(columns or frame.columns), dtype=np.float64)
    plain = frame.reindex(columns=list(columns)) if columns else frame
    return plain.astype(np.float64).reset_index("annee")


# ---- who is in what -----------------------------------------------------------------------------


def members_of(membership: Membership) -> pd.DataFrame:
    """Write a membership as one row per zone and union (columns ``zone`` and ``union``)."""
    if not isinstance(membership, (pd.Series, Mapping)):
        raise BarometreError("appartenance refusée : donner {zone: union} ou {union: [zones]}")
    if isinstance(membership, pd.Series):  # which may have a zone twice: it is refused below
        pairs = membership.astype("object")
    else:
        pairs = pd.Series(dict(membership), dtype="object")
    listed = {not isinstance(value, str) for value in pairs}
    names = ["zone", "union"] if listed == {False} else ["union", "zone"]
    members = (
        pairs.explode().dropna().astype("str").rename_axis(names[0]).reset_index(name=names[1])
    )
    twice = members["zone"][members.duplicated(["zone"] if listed == {False} else None)]
    if len(listed) != 1 or members.empty or len(twice):
        raise BarometreError(
            "appartenance refusée : vide, mêlant les deux formes, ou avec des zones en double"
            f" ({', '.join(twice[:SHOWN]) or 'aucune'}) ; donner {{zone: union}}, ou"
            " {union: [zones]} pour mettre une zone dans plusieurs unions"
        )
    return members[["zone", "union"]]


def _weights(tables: Tables, zones: pd.DataFrame, given: Weights) -> Weights:
    """Weigh each zone and year expected."""
    wanted = pd.MultiIndex.from_frame(zones[["zone", "annee"]], names=list(KEY))
    if given is None:
        if "population" not in tables:
            return None
        given = tables["population"]["population"].dropna()
        assert isinstance(given.index, pd.MultiIndex)  # a table is so keyed
        wanted = latest_keys(wanted, given.index, WEIGHT_AGE)
    if not isinstance(given, pd.Series):
        kind = type(given).__name__
        raise BarometreError(f"poids refusés : {kind} ; donner une Series de nombres, par zone")
    try:
        given = given.astype("float64")
    except (TypeError, ValueError):
        raise BarometreError("poids refusés : des nombres sont attendus ; les convertir") from None
    if (given < 0).any() or not given.index.is_unique:
        raise BarometreError("poids refusés : négatifs ou code en double ; en donner un par zone")
    keys = wanted if given.index.nlevels > 1 else pd.Index(zones["zone"])
    return pd.Series(given.reindex(keys).to_numpy(np.float64), index=zones.index)


# ---- regrouping ---------------------------------------------------------------------------------


def regroup(
    tables: Tables, zones: pd.DataFrame, rules: Rules
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Add up each ``zone`` expected in a ``union`` and ``annee``: tables, and their statuses."""
    numbered = zones.assign(rang=np.arange(len(zones)))
    told = tables.statuts.rename(columns={"code": "zone"}).merge(numbered, on=["zone", "annee"])
    told = told.rename(columns={"union": "code"})
    frames, statuts = {}, [empty_statuts()]
    expected = Expected.of(zones)
    for name in tables:
        frame = tables[name]
        group = Group.of(frame, expected, rules.poids)
        held = expected.held(frame.index)[told["rang"].to_numpy()]
        said = told[(told["table"] == name) & held][list(empty_statuts())]
        frames[name], cells = _regroup_one(name, group, said, rules)
        statuts.append(cells.assign(table=name))
    return frames, _concat(statuts).reindex(columns=list(empty_statuts()))


def _concat(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    listed = [*parts]
    return pd.concat([part for part in listed if len(part)] or listed[:1], ignore_index=True)


def _sum(values: Grouped) -> Grouped:
    summed: Grouped = values.groupby(level=[0, 1], sort=False).sum()
    return summed


def _regroup_one(
    name: str, group: Group, said: pd.DataFrame, rules: Rules
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add up one table; a union of one zone keeps its cells and what is said of them."""
    number = group.size
    alone = (number.reindex(group.cells.index) == 1).to_numpy()
    passed = (number.reindex(pd.MultiIndex.from_frame(said[list(KEY)])) == 1).to_numpy()
    if alone.all():
        return group.cells, said
    many = Group(group.cells[~alone], group.zone[~alone], group.poids[~alone])
    remarks = _remarks_by_column(said[~passed])
    sums, told = pd.DataFrame(index=many.size.index), []
    nothing = pd.DataFrame(
        columns=["statut", "douteux", "deduit", "motif"], index=sums.index, dtype="object"
    )
    for column in map(str, many.cells):
        values, count = many.cells[column], is_count(name, column)
        if column not in remarks and (values.isna().all() or (count and values.notna().all())):
            sums[column] = many.total(values).where(many.total(values.notna()) > 0)
            continue  # nothing to say
        remark = remarks.get(column, nothing).reindex(sums.index)
        sums[column], cells = (_add if count else _average)(many, column, remark, rules)
        told.append(cells.assign(colonne=column))
    if name in MODELS:
        sums = _within_limits(MODELS[name], sums, many.size)
    for cells in told:  # after the withdrawals
        lost = sums[cells["colonne"].iloc[0]].isna() & (cells["statut"] == "ok")
        cells["statut"] = cells["statut"].mask(lost, "non_defini")
    kept = _concat([said[passed], *(c.dropna(subset="statut").reset_index() for c in told)])
    return pd.concat([group.cells[alone], sums]).reindex(number.index), kept


def _remarks_by_column(said: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Gather what is said of the zones: by column, one row per union and year."""
    flags = said.assign(
        statut=said["statut"].where(said["statut"] == "secret"),
        douteux=said["qualite"] == DOUBTFUL,
        deduit=said["origine"] == DEDUCED,
    )
    rules = {"statut": "first", "douteux": "any", "deduit": "any"}
    gathered = flags.groupby(_CELL, sort=False).agg(rules)
    texts = said.dropna(subset="motif").drop_duplicates([*_CELL, "motif"])
    gathered["motif"] = _first_texts(texts)
    columns = gathered.groupby("colonne")
    return {str(column): cells.droplevel("colonne") for column, cells in columns}


def _first_texts(texts: pd.DataFrame) -> pd.Series[str]:
    """Join the first texts of each cell; most have one, and pandas calls nothing for those."""
    rank = texts.groupby(_CELL, sort=False).cumcount()
    first, *others = (texts[rank == number].set_index(_CELL)["motif"] for number in range(SHOWN))
    for other in others:
        if len(other):
            first.loc[other.index] = first.loc[other.index] + " ; " + other
    return first


def _add(
    group: Group, column: str, remark: pd.DataFrame, rules: Rules
) -> tuple[pd.Series[float], pd.DataFrame]:
    """Sum a count; the sum is known where the count is in every zone."""
    values = group.cells[column]
    known, told = group.total(values.notna()), remark["douteux"].notna()
    whole = known == group.size
    as_zero = ~whole & (known > 0) & rules.nd_zero
    statut = remark["statut"].fillna("non_disponible").mask(whole | as_zero, "ok")
    said = group.coverage(values.notna()).mask(whole, "")
    cells = pd.DataFrame({"statut": statut.where(told | (~whole & (known > 0)))})
    quality = pd.Series(None, index=known.index, dtype="str").mask(as_zero, ESTIMATED)
    cells["qualite"] = quality.mask(whole & remark["douteux"].eq(True), DOUBTFUL)
    nothing = pd.Series(None, index=known.index, dtype="str")
    cells["origine"] = nothing.mask(remark["deduit"].eq(True), DEDUCED)
    cells["motif"] = _join(said.mask(as_zero, "nd compté comme 0 ; " + said), remark["motif"])
    return group.total(values).where(whole | as_zero), cells


def _average(
    group: Group, column: str, remark: pd.DataFrame, rules: Rules
) -> tuple[pd.Series[float], pd.DataFrame]:
    """Leave a statistic out, saying why, or average it."""
    values = group.cells[column]
    both = values.notna() & group.poids.notna() & rules.moyenne
    weights = group.poids.where(both, 0)
    weighed = group.total(weights)
    mean = group.total(weights * values.fillna(0)) / weighed.where(weighed > 0)
    quoi = next((kind for piece, kind in _KINDS.items() if piece in column), "une statistique")
    there = (group.total(values.notna()) > 0) | remark["douteux"].notna()
    cells = pd.DataFrame({"statut": mean.map(lambda _: "ok").astype("str")})
    cells["statut"] = cells["statut"].mask(mean.isna(), "non_defini").where(there)
    cells["qualite"] = pd.Series(ESTIMATED, index=mean.index).where(mean.notna())
    told = _join("moyenne pondérée, " + group.coverage(both), remark["motif"])
    cells["motif"] = told.where(mean.notna(), rules.refus.format(quoi=quoi))
    return mean, cells


def _join(first: pd.Series, second: pd.Series) -> pd.Series:
    both = (first.astype("str") + " ; " + second.astype("str").fillna("")).str.strip(" ;")
    return both.where(both != "")


def _within_limits(model: type[Table], sums: pd.DataFrame, number: pd.Series[int]) -> pd.DataFrame:
    """Raise a whole by the rounding its zones add up; withdraw means in the wrong order."""
    for _ in range(3):  # wholes of wholes
        changed = False
        for (parts, whole), broken in broken_relations(model, sums):
            if not broken.any():
                continue
            changed = True
            if model.to_schema().columns[whole].metadata["unite"] == "nombre":
                total = sums[parts].sum(axis=1)
                rounding = broken & (total - sums[whole] <= PART_TOLERANCE * number)
                sums[whole] = sums[whole].mask(rounding, total)
            else:
                sums.loc[broken, [*parts, whole]] = np.nan
        if not changed:
            break
    return sums


# ---- indicators of a union with missing cells ---------------------------------------------------


def _settled(
    tables: Tables,
    counts: Tables,
    zones: pd.DataFrame,
    weights: pd.Series[float] | None,
    least: float,
    seen: Seen,
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give, by indicator, the ``valeur``, ``motif`` and ``refus`` that counts put in ``publies``.

    The cell is empty where the counts of the union are all known: they give the indicator.
    """
    unions = zones.loc[zones.duplicated(["union", "annee"]), "union"].unique()
    several = zones["union"].isin(unions)
    weights = None if weights is None else weights[several]
    expected = Expected.of(zones[several])
    for card in load_cards().values():
        if card.agregation != "sommer" or any(table not in counts for table in card.entrees):
            continue
        lead = counts.index_of(next(iter(card.entrees)))
        whole = (
            _inputs(card, counts, lead, seen.of("unions"))
            .notna()
            .all(axis=1)[lead.isin(unions, level="code")]
        )
        blank = {"valeur": np.nan, "motif": "", "refus": False}
        cells = pd.DataFrame(blank, index=whole.index)[whole]
        if not whole.all() and card.nature != "effectif":
            partial = _estimate(card, tables, expected, weights, seen).dropna(subset="valeur")
            partial = _covered_enough(partial, least)
            partial = partial[partial.index.isin(whole.index[~whole])]
            cells = pd.concat([cells, partial]) if len(cells) else partial
        if len(cells):
            yield card.id, cells


def _inputs(card: Card, tables: Tables, lead: pd.MultiIndex, seen: Seen) -> pd.DataFrame:
    """Bring the input columns of an indicator on the rows of its first table."""
    aligned = {table: align(card, table, tables, lead, seen) for table in card.entrees}
    return pd.concat({table: a.frame[list(a.columns)] for table, a in aligned.items()}, axis=1)


def _estimate(
    card: Card, tables: Tables, zones: Expected, weights: Weights, seen: Seen
) -> pd.DataFrame:
    """Apply the formula of an indicator to the sums over the zones that have all its counts.

    Their coverage is that of the largest count known in all zones: the denominator, if it is.
    """
    lead = tables.index_of(next(iter(card.entrees)))
    group = Group.of(_inputs(card, tables, lead, seen.of("zones")), zones, weights)
    covered = group.cells.notna().all(axis=1)
    sums = _sum(group.cells[covered])
    formula = getattr(card.fonction, "__wrapped__", card.fonction)
    value = formula(*[sums[table] for table in card.entrees])
    wholes = group.cells.apply(group.whole)
    largest = wholes.eq(wholes.max(axis=1), axis=0)
    share = (100 * sums.reindex(wholes.index) / wholes).where(largest).max(axis=1)
    said = group.coverage(covered, share).reindex(sums.index)
    people = 100 * group.total(group.poids.where(covered, 0)) / group.weight
    number = 100 * group.total(covered) / group.size
    part = people.fillna(share).fillna(number).reindex(sums.index)
    people = people.reindex(sums.index)
    few = people < 100 * _WELL_COVERED
    words = [
        f", {format_number(share, 0)} % de la population" if told else ""
        for share, told in zip(people, few, strict=True)
    ]
    said = said + pd.Series(words, index=said.index, dtype="str")
    values = {"valeur": np.asarray(value, dtype=np.float64), "motif": said, "part": part}
    return pd.DataFrame(values)


def _covered_enough(cells: pd.DataFrame, least: float) -> pd.DataFrame:
    """Withdraw the estimates that rest on too small a part of the union, and say so."""
    few = cells["part"] < 100 * least * (1 - _NOISE)
    limit = f" : moins de {100 * least:.0f} %, pas d'estimation (min_coverage=)"
    return cells.assign(
        valeur=cells["valeur"].mask(few),
        motif=(cells["motif"] + limit).where(few, cells["motif"]),
        refus=few,
    ).drop(columns="part")
