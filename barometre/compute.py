"""From tables to indicator values: one tidy row per territory, year and indicator."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from barometre.cards import Card, indicator_card, load_cards
from barometre.errors import BarometreError, counted, french_number
from barometre.table_checks import PUBLISHED
from barometre.table_set import DOUBTFUL, STATUSES, Tables, as_tables
from barometre.tables import KEY

Origin = Literal["calcule", "publie", "estime"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)

# When several reasons explain an absent value, the strongest is told; a value beats them all.
_STRENGTH = np.array(
    [
        ("non_disponible", "non_defini", "sans_objet", "secret", "ok").index(status)
        for status in STATUSES
    ]
)

Codes = npt.NDArray[np.int8]
Booleans = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.intp]
Texts = npt.NDArray[np.object_]


class Results(pa.DataFrameModel):
    """The tidy frame of values: exactly one row per territory, year and indicator.

    ``valeur`` is missing exactly when ``statut`` is not ``ok``; ``qualite`` is ``"douteux"`` for a
    value kept as printed although contradicted, and ``note`` says why, or which vintage or origin
    a reader must know about.
    """

    code: str
    annee: int
    indicateur: str
    valeur: float = pa.Field(nullable=True)
    statut: str = pa.Field(isin=list(STATUSES))
    borne_inf: float = pa.Field(nullable=True)
    borne_sup: float = pa.Field(nullable=True)
    qualite: str = pa.Field(nullable=True)
    origine: str = pa.Field(isin=list(ORIGINS))
    note: str = pa.Field(nullable=True)

    class Config:
        """Nothing but these columns, in this order."""

        strict = True
        ordered = True
        unique = ["code", "annee", "indicateur"]  # noqa: RUF012 - pandera reads a plain list

    @pa.dataframe_check(name="valeur si et seulement si ok")
    def _value_when_ok(cls, frame: pd.DataFrame) -> pd.Series[bool]:  # noqa: N805 - pandera's
        return frame["valeur"].notna() == (frame["statut"] == "ok")


class PublishedDifference(UserWarning):
    """A computed value differs from the published one by more than the rounding of the latter."""


def compute(
    tables: Tables | Mapping[str, pd.DataFrame],
    indicators: str | Iterable[str] | None = None,
    *,
    check_published: bool = False,
) -> pd.DataFrame:
    """Compute the indicators that the tables allow.

    A value is computed from the counts when they are there; otherwise the value of the producer, if
    one is given in the table ``publies``, is taken as it is. Where both exist, the computed one is
    kept and ``note`` says so.

    Parameters
    ----------
    tables : Tables or mapping of str to DataFrame
        Input tables, by name.
    indicators : str or iterable of str, optional
        Identifiers to compute. By default all those that the tables allow: an indicator appears for
        a year as soon as one territory has a value or a reason for having none. An indicator asked
        for by name appears for every year of its table.
    check_published : bool, default False
        Compare computed and published values: a `PublishedDifference` warning lists the
        differences beyond the rounding of the published ones (``note`` tells them in any case).

    Returns
    -------
    DataFrame
        As described by `Results`, in the order of the catalogue, then of the years, then of the
        territories as received. An absent value has a ``statut``: ``secret``, ``sans_objet`` or
        ``non_disponible`` as the tables say it, ``non_defini`` when all counts are there and their
        formula has no value (no household, no worker).

    Raises
    ------
    TableError
        A table is refused.
    UnknownNameError
        An indicator of no card.
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
    checked = as_tables(tables)
    asked = [indicators] if isinstance(indicators, str) else indicators
    if asked is None:
        cards, by_name = list(load_cards().values()), False
    else:
        cards, by_name = [indicator_card(name) for name in dict.fromkeys(asked)], True
        _require_tables(cards, checked)
    blocks: dict[str, pd.DataFrame] = {}
    differences: list[str] = []
    for card in cards:
        computed, published = _computed(card, checked, by_name), _published(card, checked)
        values, differing = _merge(card, computed, published)
        differences += differing
        if values is not None and len(values):
            blocks[card.id] = values
    if check_published and differences:
        _warn(differences)
    return _assemble(blocks)


# ---- one indicator ------------------------------------------------------------------------------
#
# The values of one indicator travel as a frame on their keys: ``valeur``, ``statut`` and ``origine``
# (positions in STATUSES and ORIGINS), ``douteux``, and ``note`` when there is something to say.


def _require_tables(cards: Iterable[Card], tables: Tables) -> None:
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


def _values(value: pd.Series[float], status: Codes, origin: Origin) -> pd.DataFrame:
    position = np.full(len(value), ORIGINS.index(origin), dtype=np.int8)
    return pd.DataFrame({"valeur": value, "statut": status, "origine": position, "douteux": False})


def _computed(card: Card, tables: Tables, by_name: bool) -> pd.DataFrame | None:
    """Apply the function of the card to the rows of its first table."""
    if any(name not in tables for name in card.entrees):
        return None
    frames, notes = _align(card, tables)
    function = card.fonction
    value = getattr(function, "__wrapped__", function)(**frames).astype(np.float64)
    missing = value.isna().to_numpy()
    status = np.zeros(len(value), dtype=np.int8)
    if missing.any():
        unknown = np.logical_or.reduce(
            [frames[t][list(columns)].isna().any(axis=1) for t, columns in card.entrees.items()]
        )
        status[missing & unknown] = STATUSES.index("non_disponible")
        status[missing & ~unknown] = STATUSES.index("non_defini")
    values = _values(value, status, "publie" if card.nature == "publie" else "calcule")
    if notes is not None:
        values["note"] = notes
    values, told = _apply_statuts(values, tables, card.entrees)
    if by_name or not missing.any():
        return values
    # A year where no territory has a value nor a reason for having none is a year without source.
    years = values.index.get_level_values("annee")
    explained = told | (values["statut"] != STATUSES.index("non_disponible")).to_numpy()
    return values[years.isin(years[explained].unique())]


def _align(card: Card, tables: Tables) -> tuple[dict[str, pd.DataFrame], Texts | None]:
    """Bring every table of an indicator on the rows of the first one.

    A table that lacks the year of the first gives its latest earlier year, no further back than
    the card admits (registers come out sooner than the census that gives their denominator).
    """
    names = list(card.entrees)
    lead = tables[names[0]]
    frames, notes = {names[0]: lead}, None
    for name in names[1:]:
        frame = tables[name][list(card.entrees[name])].dropna(how="all")
        if frame.index.equals(lead.index):
            frames[name] = frame
            continue
        keys = _latest_keys(lead.index, frame.index, card.ecart_millesimes_max)
        years, wanted = (index.get_level_values("annee").to_numpy() for index in (keys, lead.index))
        if (years != wanted).any():
            notes = np.full(len(lead), None, dtype=object)
            for year in np.unique(years[years != wanted]):
                notes[(years == year) & (years != wanted)] = f"{name} : données de {year}"
        frames[name] = frame.reindex(keys).set_axis(lead.index)
    return frames, notes


def _latest_keys(wanted: pd.MultiIndex, available: pd.MultiIndex, max_gap: int) -> pd.MultiIndex:
    """For each key, the same code at the latest available year, at most ``max_gap`` years back."""
    codes, years = wanted.get_level_values("code"), wanted.get_level_values("annee").to_numpy()
    found = np.asarray(wanted.isin(available))
    chosen = years.copy()
    for gap in range(1, max_gap + 1):
        if found.all():
            break
        earlier = pd.MultiIndex.from_arrays([codes, years - gap], names=KEY)
        here = ~found & np.asarray(earlier.isin(available))
        chosen[here] -= gap
        found |= here
    return pd.MultiIndex.from_arrays([codes, chosen], names=KEY)


def _published(card: Card, tables: Tables) -> pd.DataFrame | None:
    """Take the producer's values of an indicator, and what is said of them."""
    if PUBLISHED not in tables or card.id not in tables[PUBLISHED].columns:
        return None
    value = tables[PUBLISHED][card.id]
    missing = value.isna().to_numpy()
    status = np.where(missing, STATUSES.index("non_disponible"), 0).astype(np.int8)
    values = _values(value, status, "publie")
    values, told = _apply_statuts(values, tables, {PUBLISHED: (card.id,)})
    return values[~missing | told]


def _apply_statuts(
    values: pd.DataFrame, tables: Tables, inputs: Mapping[str, tuple[str, ...]]
) -> tuple[pd.DataFrame, Booleans]:
    """Carry what is said of input cells to the values they enter; return where something was."""
    told = np.zeros(len(values), dtype=bool)
    for table, columns in inputs.items():
        for column in columns:
            cells = tables.said_of(table, column)
            if cells is None:
                continue
            rows = values.index.get_indexer(pd.MultiIndex.from_frame(cells[list(KEY)]))
            cells, rows = cells[rows >= 0], rows[rows >= 0]
            told[rows] = True
            said = _positions(STATUSES, cells["statut"])
            status, doubtful = (
                values["statut"].to_numpy(copy=True),
                values["douteux"].to_numpy(copy=True),
            )
            absent = status[rows] != STATUSES.index("ok")
            stronger = absent & (_STRENGTH[said] > _STRENGTH[status[rows]])
            status[rows[stronger]] = said[stronger]
            doubtful[rows] |= (cells["qualite"] == DOUBTFUL).to_numpy(dtype=bool)
            values = values.assign(statut=status, douteux=doubtful)
            values = _add_notes(values, rows, cells["motif"].to_numpy(dtype=object))
    return values, told


def _add_notes(values: pd.DataFrame, rows: Integers, texts: Texts) -> pd.DataFrame:
    """Append texts to the notes of some rows, each given once."""
    written = np.array([isinstance(text, str) for text in texts], dtype=bool)
    rows, texts = rows[written], texts[written]
    if not len(rows):
        return values
    notes = (
        values["note"].to_numpy(copy=True)
        if "note" in values
        else np.full(len(values), None, dtype=object)
    )
    empty = pd.isna(notes[rows])
    notes[rows[empty]] = texts[empty]
    for row, text in zip(rows[~empty], texts[~empty], strict=True):
        if text not in notes[row]:
            notes[row] = f"{notes[row]} ; {text}"
    return values.assign(note=notes)


def _merge(
    card: Card, computed: pd.DataFrame | None, published: pd.DataFrame | None
) -> tuple[pd.DataFrame | None, list[str]]:
    """Keep the computed value where there is one, the published one elsewhere; note which won."""
    if computed is None or published is None:
        return (published if computed is None else computed), []
    place = computed.index.get_indexer(published.index)
    both = place >= 0
    ours, theirs = computed.iloc[place[both]], published[both]
    status, other = ours["statut"].to_numpy(), theirs["statut"].to_numpy()
    loses = (status != 0) & (_STRENGTH[status] < _STRENGTH[other])
    replacing = theirs[loses]
    two = (status == 0) & (other == 0)
    notes, differences = _compare(card, ours[two], theirs[two], _rounding(published["valeur"]))
    kept = _add_notes(computed, place[both][two], notes)
    # A published value takes the place of the absent computed one, among the territories.
    merged = pd.concat([kept.drop(replacing.index), replacing, published[~both]])
    return merged.reindex(computed.index.append(published.index[~both])), differences


def _compare(
    card: Card, ours: pd.DataFrame, theirs: pd.DataFrame, tolerance: float
) -> tuple[Texts, list[str]]:
    """Say of every cell with two values which one is kept, and list those that differ."""
    computed, published = ours["valeur"].to_numpy(), theirs["valeur"].to_numpy()
    notes = np.array(
        [f"calcul retenu ; valeur publiée : {french_number(v)}" for v in published], dtype=object
    )
    for row in np.flatnonzero(theirs["douteux"]):
        notes[row] += f" (douteuse : {theirs['note'].iloc[row]})"
    differing = np.flatnonzero(np.abs(computed - published) > tolerance)
    differences = []
    for row in differing:
        gap = french_number(round(computed[row] - published[row], 6))
        notes[row] += f", écart de {gap}"
        code, year = ours.index[row]
        differences.append(
            f"{card.id}, {code} en {year} : calculé {french_number(round(computed[row], 6))},"
            f" publié {french_number(published[row])}"
        )
    return notes, differences


def _positions(words: Sequence[str], texts: pd.Series[str]) -> Codes:
    return pd.Categorical(texts, categories=list(words)).codes.astype(np.int8)


def _rounding(published: pd.Series[float]) -> float:
    """Half a unit of the last decimal that a published column shows."""
    known = published.dropna().to_numpy()
    shown = (d for d in range(7) if np.allclose(known, known.round(d), rtol=0, atol=1e-9))
    return float(0.5 * 10.0 ** -next(shown, 7) + 1e-9)


# ---- all indicators -----------------------------------------------------------------------------


def _warn(differences: list[str]) -> None:
    shown = "".join(f"\n  - {case}" for case in differences[:10])
    more = f"\n  - et {len(differences) - 10} autres (colonne « note »)"
    warnings.warn(
        f"{counted(len(differences), 'valeur calculée', 'valeurs calculées')} hors de l'arrondi de"
        f" la valeur publiée :{shown}{more * (len(differences) > 10)}",
        PublishedDifference,
        stacklevel=3,
    )


def _assemble(blocks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack the indicators into the tidy frame, each by year, territories as received."""
    if not blocks:
        return Results.to_schema().coerce_dtype(
            pd.DataFrame(columns=list(Results.to_schema().columns))
        )
    parts = [
        block.reset_index().sort_values("annee", kind="stable", ignore_index=True)
        for block in blocks.values()
    ]
    values = pd.concat(parts, ignore_index=True)
    rows = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return pd.DataFrame(
        {
            "code": values["code"],
            "annee": values["annee"],
            "indicateur": _words(list(blocks), rows),
            "valeur": values["valeur"],
            "statut": _words(STATUSES, values["statut"]),
            "borne_inf": np.nan,
            "borne_sup": np.nan,
            "qualite": _words([DOUBTFUL], np.where(values["douteux"], 0, -1)),
            "origine": _words(ORIGINS, values["origine"]),
            "note": values["note"].astype("str")
            if "note" in values
            else _words([], np.full(len(values), -1)),
        }
    )


def _words(words: Sequence[str], positions: npt.ArrayLike) -> pd.Series[str]:
    """Write words for positions, -1 giving a missing value."""
    return pd.Series(pd.array(words, dtype="str").take(np.asarray(positions), allow_fill=True))
