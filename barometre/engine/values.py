"""From tables to indicator values: one tidy row per territory, year and indicator."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, counted
from barometre.base.french import format_number
from barometre.cards.columns import MODELS
from barometre.cards.listing import expand_indicators, indicator_card, load_cards
from barometre.cards.schema import Card
from barometre.engine.alignment import Aligned, align, level_years, places_of, strata_of
from barometre.engine.limits import (
    ROUNDED,
    Places,
    Strata,
    bounds_of,
    fractions_of,
    input_columns,
)
from barometre.engine.results import COMPUTED_KEPT, LACKING, ORIGINS, Bounds, Notes, Values, stack
from barometre.engine.sampling import SurveyDesign
from barometre.engine.seen import ALONE, Facts, Seen, agreed
from barometre.tables.check import PUBLISHED
from barometre.tables.parts import Frames, tables_of_part
from barometre.tables.spread import DaskTables, as_spread, is_spread, listed, on_parts
from barometre.tables.table_set import STATUSES, Tables, as_tables

if TYPE_CHECKING:
    import dask.dataframe as dd

# When several reasons explain an absent value, the strongest is told; a value beats them all.
_STRENGTH = np.array(
    [
        ("non_disponible", "non_defini", "sans_objet", "secret", "ok").index(status)
        for status in STATUSES
    ]
)
_OK, _UNAVAILABLE, _UNDEFINED = (STATUSES.index(s) for s in ("ok", "non_disponible", "non_defini"))


class PublishedDifference(UserWarning):
    """A computed value differs from the published one by more than the rounding of the latter."""


@overload
def compute(
    tables: DaskTables,
    indicators: str | Iterable[str] | None = None,
    *,
    check_published: bool = False,
    intervals: bool | SurveyDesign = False,
) -> dd.DataFrame: ...


@overload
def compute(
    tables: Tables | Mapping[str, pd.DataFrame],
    indicators: str | Iterable[str] | None = None,
    *,
    check_published: bool = False,
    intervals: bool | SurveyDesign = False,
) -> pd.DataFrame: ...


def compute(
    tables: Tables | Mapping[str, pd.DataFrame] | DaskTables,
    indicators: str | Iterable[str] | None = None,
    *,
    check_published: bool = False,
    intervals: bool | SurveyDesign = False,
) -> pd.DataFrame | dd.DataFrame:
    """Compute the indicators that the tables allow.

    A value is computed from the counts when they are there; otherwise the value of the producer, if
    one is given in the table ``publies``, is taken as it is. Where both exist, the computed one is
    kept; ``note`` gives the published one when it differs beyond its rounding, or is doubtful.

    Parameters
    ----------
    tables : Tables, mapping of str to DataFrame, or DaskTables
        Input tables, by name. Frames of Dask are computed by part of territories.
    indicators : str or iterable of str, optional
        Identifiers to compute, or names of themes (``"revenus"``), that stand for those of their
        indicators that the tables allow. By default all those that the tables allow: an indicator
        appears for a level and a year as soon as one territory of that level has a value or a
        reason for having none. An indicator asked for by name that has none at all appears all the
        same, for every level and year of its table.
    check_published : bool, default False
        Compare computed and published values: a `PublishedDifference` warning lists the
        differences beyond the rounding of the published ones (``note`` tells them in any case).
    intervals : bool or SurveyDesign, default False
        Fill ``borne_inf``, ``borne_sup`` and the display grade ``qualite``. A `SurveyDesign` gives
        the design effects and the level; True stands for ``SurveyDesign()``: 1.5, 2.0 and 95 %.

    Returns
    -------
    DataFrame
        As described by `Results`, in the order asked for (else of the
        catalogue), then of the years, then of the territories as received. An absent value has a
        ``statut``: ``secret``, ``sans_objet`` or ``non_disponible`` as the tables say it,
        ``non_defini`` when all counts are there and their formula has no value (no household, no
        worker). ``origine`` is ``"calcule"``, ``"publie"``, or ``"deduit"`` for the first of two
        dates when only the second one and the evolution are printed (``note`` gives both).

        With ``intervals``, a census share of a commune or of an IRIS has a Wilson interval, a gap
        between two of them Newcombe's, a figure of a register whose counts are rounded the limits
        that rounding leaves open. ``note`` says why another value has none (union, no
        ``population``...); a statistic that is only ever published says nothing. ``qualite`` is
        ``"A"`` to ``"D"`` (`uncertainty.grade`), or ``"douteux"``, which wins. A value graded
        ``"D"`` is kept: it is for what prints it to write *nd*.

        With Dask frames, a Dask frame of the same rows, to the same bit: part by part, in each the
        order above, territories in the order of their codes. A first pass is run at once: it tells
        every fault of the tables, and what decides of the rows of all parts (the levels and years
        that have values). Values are computed when the frame is.

    Raises
    ------
    TableError
        A table is refused.
    UnknownNameError
        Neither an indicator nor a theme.
    BarometreError
        An indicator asked for by name whose tables are absent.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {"code": ["59172"], "annee": [2021], "logements": [80], "logements_vacants": [12]}
    ... )
    >>> compute({"logements": frame})[["code", "indicateur", "valeur", "origine"]]
        code              indicateur  valeur  origine
    0  59172  taux_logements_vacants    15.0  calcule
    """
    design = SurveyDesign() if intervals is True else intervals
    if not isinstance(design, SurveyDesign) and design is not False:
        raise BarometreError("intervals : donner True, False ou un SurveyDesign")
    if is_spread(tables):
        results, differences = _spread(as_spread(tables), indicators, design, check_published)
    else:
        results, differences = results_of(as_tables(tables), indicators, design)
    if check_published and differences:
        _warn(differences)
    return results


def _spread(
    tables: DaskTables,
    indicators: str | Iterable[str] | None,
    design: SurveyDesign | Literal[False],
    differences: bool,
) -> tuple[dd.DataFrame, list[str]]:
    """Look at what the parts show, then promise the results of each, told what the others show."""
    cards, _ = _asked(indicators, tables)
    options = {"indicators": indicators, "design": design}
    facts = agreed(lambda known: tables.look(_facts_of, known=known, **options))
    meta, parts = stack({}, Notes()), tables.parts()
    results = on_parts(parts, _results_of_part, meta=meta, facts=facts, **options)
    if not differences:
        return results, []
    order = {card.id: place for place, card in enumerate(cards)}
    lists = listed(on_parts(parts, _differences_of_part, facts=facts, indicators=indicators))
    said = [text for lines in lists for text in lines]
    return results, sorted(said, key=lambda text: order[text.partition(",")[0]])


def _facts_of(
    tables: Tables,
    *,
    known: Facts,
    indicators: str | Iterable[str] | None,
    design: SurveyDesign | Literal[False],
) -> Facts:
    """Say what a part shows that decides of the rows of the others."""
    seen = Seen("looking", known)
    filled, _, _ = filled_values(tables, indicators, seen)
    if design:
        rounded = {n: v for n, v in filled.items() if ROUNDED.keys() & indicator_card(n).entrees}
        for name, _, strata in _with_strata(tables, rounded, seen):
            if strata is not None:
                strata.rounding(indicator_card(name), seen)
    return seen.here


def _results_of_part(
    frames: Frames,
    *,
    facts: Facts,
    indicators: str | Iterable[str] | None,
    design: SurveyDesign | Literal[False],
) -> pd.DataFrame:
    return results_of(tables_of_part(frames), indicators, design, Seen("told", facts))[0]


def _differences_of_part(
    frames: Frames, *, facts: Facts, indicators: str | Iterable[str] | None
) -> list[str]:
    return filled_values(tables_of_part(frames), indicators, Seen("told", facts))[2]


def results_of(
    checked: Tables,
    indicators: str | Iterable[str] | None,
    design: SurveyDesign | Literal[False],
    seen: Seen = ALONE,
) -> tuple[pd.DataFrame, list[str]]:
    """Give the tidy results of some tables, and their differences with published values."""
    filled, notes, differences = filled_values(checked, indicators, seen)
    if not design:
        return stack(filled, notes), differences
    bounds: dict[str, Bounds] = {}
    for name, values, strata in _with_strata(checked, filled, seen):
        card = indicator_card(name)
        filled[name], bounds[name] = bounds_of(card, values, strata, design, notes, seen)
    return stack(filled, notes, bounds), differences


def _with_strata(
    checked: Tables, filled: Mapping[str, Values], seen: Seen
) -> Iterator[tuple[str, Values, Strata | None]]:
    """Give the values of each indicator with the counts that they come from."""
    known: list[tuple[pd.MultiIndex, Places]] = []  # many indicators share their keys
    frames = {name: checked[name] for name in checked}
    for name, values in filled.items():
        keys = values.keys
        places = next((places for one, places in known if one.equals(keys)), None)
        if places is None:
            places = places_of(checked, keys)
            known.append((keys, places))
        yield name, values, strata_of(indicator_card(name), frames, keys, None, places, seen)


def filled_values(
    checked: Tables, indicators: str | Iterable[str] | None, seen: Seen = ALONE
) -> tuple[dict[str, Values], Notes, list[str]]:
    """Give the values of each indicator, the notes, and the differences with published values."""
    cards, by_name = _asked(indicators, checked)
    notes = Notes()
    notes.of(checked.motifs)  # so that a motif of the tables is a note of the same position
    filled: dict[str, Values] = {}
    differences: list[str] = []
    frames = {name: checked[name] for name in checked}  # many indicators share a table
    for card in cards:
        published = _published(card, checked, notes)
        even_empty = card.id in by_name and published is None
        computed = _computed(card, checked, frames, notes, seen, even_empty=even_empty)
        values = computed or published
        if computed is not None and published is not None:
            values, differing = _merge(card, computed, published, notes, seen)
            differences += differing
        if values is not None and len(values.keys):
            filled[card.id] = values
    return filled, notes, differences


# ---- one indicator ------------------------------------------------------------------------------


def _asked(
    indicators: str | Iterable[str] | None, tables: Mapping[str, pd.DataFrame]
) -> tuple[list[Card], set[str]]:
    """List the indicators asked for, and tell those that are so by name; refuse them tableless."""
    names = [indicators] if isinstance(indicators, str) else list(indicators or ())
    by_name = set(names) & set(load_cards())
    asked = load_cards() if indicators is None else expand_indicators(names)
    cards = [indicator_card(name) for name in asked]
    _require_tables([card for card in cards if card.id in by_name], tables)
    return cards, by_name


def _require_tables(cards: Iterable[Card], tables: Mapping[str, pd.DataFrame]) -> None:
    published = set(tables[PUBLISHED].columns) if PUBLISHED in tables else set()
    lines = []
    for card in cards:
        absent = [name for name in card.entrees if name not in tables]
        if absent and card.id not in published:
            names = ", ".join(f"« {name} »" for name in absent)
            lines.append(f"\n  - {card.id} : table {names} absente, et aucune valeur publiée")
    if lines:
        given = ", ".join(tables) or "aucune"
        raise BarometreError(
            f"{counted(len(lines), 'indicateur demandé', 'indicateurs demandés')} sans données"
            f" (tables données : {given}){''.join(lines)}"
        )


def _computed(
    card: Card,
    tables: Tables,
    frames: Mapping[str, pd.DataFrame],
    notes: Notes,
    seen: Seen,
    *,
    even_empty: bool,
) -> Values | None:
    """Apply the function of the card to the rows of its first table."""
    if any(name not in tables for name in card.entrees):
        return None
    lead = tables.index_of(next(iter(card.entrees)))
    aligned = [align(card, table, frames, lead, seen) for table in card.entrees]
    inputs = [a.inputs() for a in aligned]
    function = card.fonction
    value = np.array(
        getattr(function, "__wrapped__", function)(*(a.frame for a in aligned)), dtype=np.float64
    )
    missing = np.isnan(value)
    status = np.zeros(len(value), dtype=np.int8)
    absent = np.flatnonzero(missing)
    if len(absent):
        unknown = np.stack([np.isnan(c[absent]) for columns in inputs for c in columns])
        status[absent] = np.where(unknown.any(axis=0), _UNAVAILABLE, _UNDEFINED)
    origin = ORIGINS.index("publie" if card.nature == "publie" else "calcule")
    values = Values(
        keys=lead,
        valeur=value,
        statut=status,
        origine=np.full(len(value), origin, dtype=np.int8),
        douteux=np.zeros(len(value), dtype=bool),
        note=np.full(len(value), -1, dtype=np.int64),
    )
    for a in aligned:
        values = _with_remarks(values, tables, a, notes)
    sourced = _sourced(card, aligned, inputs, tables, seen)
    kept = _explained(card, values, sourced, tables, seen, even_empty=even_empty)
    note = values.note
    if any(a.years is not None for a in aligned):
        note = notes.join(np.where(missing, -1, _vintages(aligned, lead, notes)), note)
    if len(absent):
        lacking = _denominators(card, unknown, notes)
        lacking[values.statut[absent] != _UNAVAILABLE] = -1  # a stronger reason is told
        note = note.copy()
        note[absent] = notes.join(note[absent], lacking)
    values = replace(values, note=note)
    return values if kept.all() else values.take(kept)


def _denominators(card: Card, unknown: Booleans, notes: Notes) -> Integers:
    """Say of each row whose counts are divided by one that is missing, which one it is.

    Parameters
    ----------
    card : Card
        The indicator.
    unknown : array of bool, input columns by rows
        The inputs that are missing, in the order of `input_columns`.
    notes : Notes
        Where the texts are added.
    """
    said = np.full(unknown.shape[1], -1, dtype=np.int64)
    half = unknown.any(axis=0) & ~unknown.all(axis=0)
    if not half.any():
        return said
    divisions = [d for d in fractions_of(card) if d.below is not None]
    for place, (table, column) in enumerate(input_columns(card)):
        above = [d.above for d in divisions if d.below is not None and d.below[place]]
        if above and not any(terms[place] for terms in above):
            counted = np.logical_or.reduce([terms != 0 for terms in above])
            lacking = unknown[place] & ~unknown[counted].any(axis=0)
            title = MODELS[table].to_schema().columns[column].title
            (text,) = notes.of([f"{LACKING}{title}, table {table}"])
            said = notes.join(said, np.where(lacking, text, -1))
    return said


def _explained(
    card: Card,
    values: Values,
    sourced: frozenset[int] | None,
    tables: Tables,
    seen: Seen,
    *,
    even_empty: bool,
) -> Booleans:
    """Tell the levels and years where some territory has a value or a reason for having none.

    Where none has, the source gives nothing of that level: reading the file of another level does
    not make its values missing.
    """
    told = (values.statut != _UNAVAILABLE) | (values.note >= 0)
    every = np.ones(len(told), dtype=bool)
    if seen.alone and told.all() and sourced is None:
        return every
    groups, names = seen.once(values.keys, lambda: level_years(tables, values.keys))
    known = seen.anywhere((card.id, "levels"), [names[at] for at in np.unique(groups[told])])
    explained = {name for name in known if sourced is None or name[1] in sourced}
    if seen.looking or (even_empty and not explained):
        return every  # what a part lacks, another may have
    kept = np.array([name in explained for name in names], dtype=bool)
    return kept[groups]


def _sourced(
    card: Card,
    aligned: Sequence[Aligned],
    inputs: Sequence[Sequence[Floats]],
    tables: Tables,
    seen: Seen,
) -> frozenset[int] | None:
    """Tell the years for which every input column has a cell, or a reason; None for all of them."""
    index = aligned[0].frame.index
    assert isinstance(index, pd.MultiIndex)  # so checked at the door
    place = index.names.index("annee")
    years, labels = np.asarray(index.codes[place]), index.levels[place]
    sourced: frozenset[int] | None = None
    for a, columns in zip(aligned, inputs, strict=True):
        for column, values in zip(a.columns, columns, strict=True):
            given = ~np.isnan(values)
            if seen.alone and given.all():
                continue
            held = np.bincount(years[given], minlength=len(labels)) > 0
            if seen.alone and held.all():
                continue
            said = None if held.all() else tables.remarks(a.table, column)
            if said is not None:
                said = said if a.rows is None else said.take(a.rows)
                known = (said.statut != _OK) | (said.motif >= 0)
                held |= np.bincount(years[known], minlength=len(labels)) > 0
            found = seen.anywhere((card.id, "years", a.table, column), labels[held].tolist())
            sourced = found if sourced is None else sourced & found
    return sourced


def _vintages(aligned: Sequence[Aligned], lead: pd.MultiIndex, notes: Notes) -> Integers:
    """Say of each value which of its tables is of an earlier year."""
    said = np.full(len(lead), -1, dtype=np.int64)
    for a in aligned:
        if a.years is None:
            continue
        wanted = lead.get_level_values("annee").to_numpy()
        years, inverse = np.unique(a.years, return_inverse=True)
        texts = notes.of(f"{a.table} : données de {year}" for year in years)
        said = notes.join(said, np.where(a.years == wanted, -1, texts[inverse]))
    return said


def _with_remarks(values: Values, tables: Tables, a: Aligned, notes: Notes) -> Values:
    """Carry what is said of input cells to the values they enter."""
    if all(tables.remarks(a.table, column) is None for column in a.columns):
        return values
    status, doubtful, note = values.statut.copy(), values.douteux.copy(), values.note.copy()
    origin = values.origine.copy()
    for column in a.columns:
        said = tables.remarks(a.table, column)
        if said is None:
            continue
        if a.rows is not None:
            said = said.take(a.rows)
        at = said.rows
        reason, known = said.statut[at], values.statut[at] == _OK
        stronger = (reason != _OK) & (status[at] != _OK)
        stronger &= _STRENGTH[reason] > _STRENGTH[status[at]]
        status[at[stronger]] = reason[stronger]
        doubtful[at] |= said.douteux[at]
        origin[at[said.deduit[at] & known]] = ORIGINS.index("deduit")
        origin[at[said.estime[at]]] = ORIGINS.index("estime")
        # What is said of a known cell explains no absent value.
        told = known | (reason != _OK)
        note[at] = notes.join(note[at], np.where(told, said.motif[at], -1))
    return replace(values, statut=status, douteux=doubtful, origine=origin, note=note)


def _published(card: Card, tables: Tables, notes: Notes) -> Values | None:
    """Take the producer's values of an indicator, and what is said of them."""
    if PUBLISHED not in tables or card.id not in tables[PUBLISHED].columns:
        return None
    frame = tables[PUBLISHED][[card.id]]
    value = frame[card.id].to_numpy(np.float64, copy=True)
    missing = np.isnan(value)
    values = Values(
        keys=tables.index_of(PUBLISHED),
        valeur=value,
        statut=np.where(missing, _UNAVAILABLE, _OK).astype(np.int8),
        origine=np.full(len(value), ORIGINS.index("publie"), dtype=np.int8),
        douteux=np.zeros(len(value), dtype=bool),
        note=np.full(len(value), -1, dtype=np.int64),
    )
    values = _with_remarks(values, tables, Aligned(PUBLISHED, (card.id,), frame, None), notes)
    return values.take(~missing | (values.statut != _UNAVAILABLE) | (values.note >= 0))


def _merge(
    card: Card, computed: Values, published: Values, notes: Notes, seen: Seen
) -> tuple[Values, list[str]]:
    """Keep the computed value where there is one, the published one elsewhere; note which won."""
    place = computed.keys.get_indexer(published.keys)
    both = place >= 0
    rows, theirs = place[both], published.take(both)
    ours = computed.take(rows)
    loses = (ours.statut != _OK) & (_STRENGTH[ours.statut] < _STRENGTH[theirs.statut])
    # Where neither has a value, the reason given for this very indicator says more.
    loses |= (ours.statut == _UNAVAILABLE) & (theirs.statut == _UNAVAILABLE) & (theirs.note >= 0)
    two = (ours.statut == _OK) & (theirs.statut == _OK)
    decimals = seen.anywhere((card.id, "decimals"), [_decimals(published.valeur)])
    tolerance = float(0.5 * 10.0 ** -max(decimals) + 1e-9)
    said, differences = _compare(card, ours.take(two), theirs.take(two), tolerance, notes)
    columns = {name: column.copy() for name, column in vars(computed).items() if name != "keys"}
    columns["note"][rows[two]] = notes.join(columns["note"][rows[two]], said)
    for name, column in columns.items():
        column[rows[loses]] = getattr(theirs, name)[loses]
    return replace(computed, **columns).then(published.take(~both)), differences


def _compare(
    card: Card, ours: Values, theirs: Values, tolerance: float, notes: Notes
) -> tuple[Integers, list[str]]:
    """Say of cells whose two values differ, or whose published one is doubtful, which is kept."""
    gaps = ours.valeur - theirs.valeur
    differing = np.abs(gaps) > tolerance
    said = np.full(len(gaps), -1, dtype=np.int64)
    differences = []
    for row in np.flatnonzero(differing | theirs.douteux):
        published = format_number(theirs.valeur[row])
        text = f"{COMPUTED_KEPT}{published}"
        if theirs.douteux[row]:
            reason = theirs.note[row]
            text += f" (douteuse : {notes.texts[reason]})" if reason >= 0 else " (douteuse)"
        if differing[row]:
            text += f", écart de {format_number(round(gaps[row], 6))}"
            code, year = ours.keys[int(row)]
            computed = format_number(round(ours.valeur[row], 6))
            differences.append(
                f"{card.id}, {code} en {year} : calculé {computed}, publié {published}"
            )
        (said[row],) = notes.of([text])
    return said, differences


def _decimals(published: Floats) -> int:
    """Tell how many decimals a published column shows."""
    known = published[~np.isnan(published)]
    shown = (d for d in range(7) if np.allclose(known, known.round(d), rtol=0, atol=1e-9))
    return next(shown, 7)


def _warn(differences: list[str]) -> None:
    shown = "".join(f"\n  - {case}" for case in differences[:10])
    more = f"\n  - et {len(differences) - 10} autres (colonne « note »)"
    warnings.warn(
        f"{counted(len(differences), 'valeur calculée', 'valeurs calculées')} hors de l'arrondi de"
        f" la valeur publiée :{shown}{more * (len(differences) > 10)}",
        PublishedDifference,
        stacklevel=3,
    )
