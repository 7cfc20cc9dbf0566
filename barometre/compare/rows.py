"""Checked results by row numbers, and what to say of a figure made from two of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.base.frames import check_frame
from barometre.base.texts import Column, Texts
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card, Direction
from barometre.datasets.places.gazetteer import resolve
from barometre.engine.results import GRADES, ORIGINS
from barometre.tables.table_set import DOUBTFUL, STATUSES

# Between two reasons for an absent value the later one is told, and any of them beats a value.
REASONS = ("ok", "non_disponible", "non_defini", "sans_objet", "secret")
# Of two qualities the later one is told.
_QUALITIES = (*GRADES, DOUBTFUL)
_FROM_LESS_TO_MORE_MADE = ("publie", "calcule", "deduit", "estime")

# Values closer than this, relatively, are equal: 5.1000000000000005 is not above 5.1.
SAME = 1e-9
NOISE = 1e-12
"""What binary rounding leaves of a difference that is 0: no base for a ratio."""


@dataclass(frozen=True)
class Rows:
    """Checked results, one row per territory, year and indicator.

    Attributes
    ----------
    frame : DataFrame
        All columns of the results, on row numbers, statuses and bounds completed.
    codes, cards : sequence of str, of Card
        The territories and the indicators there are.
    code, card : ndarray of int
        Position in these, by row.
    """

    frame: pd.DataFrame
    codes: Sequence[str]
    cards: tuple[Card, ...]
    code: Integers
    card: Integers
    _texts: dict[str, Texts] = field(default_factory=dict, init=False, repr=False, compare=False)
    _figures: dict[str, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    def numbers(self, column: str, rows: Integers | None = None) -> Floats:
        """Take a column of numbers, at some rows (-1 gives a missing one)."""
        if column not in self._figures:
            self._figures[column] = self.frame[column].to_numpy(np.float64)
        values = self._figures[column]
        if rows is None:
            return values
        found = values[rows] if len(values) else np.full(len(rows), np.nan)
        none = rows < 0
        if none.any():
            found[none] = np.nan
        return found

    def bounded(self, rows: Integers) -> tuple[Floats, Floats, Floats]:
        """Take values, lower and upper bounds at some rows."""
        value, low, high = (self.numbers(c, rows) for c in ("valeur", "borne_inf", "borne_sup"))
        return value, low, high

    def certain(self, rows: Integers) -> Booleans:
        """Tell the rows whose bounds are those of a rounding, which cannot be left."""
        if not self.cards:
            return np.ones(len(rows), dtype=bool)
        measured = self.by_card(
            (c.exploitation == "exhaustif" for c in self.cards), self.card[rows]
        )
        estimated = self.texts("origine", rows).told(lambda origin: origin == "estime")
        found: Booleans = (measured.astype(bool) & ~estimated) | (rows < 0)
        return found

    def texts(self, column: str, rows: Integers | None = None) -> Texts:
        """Take a column of texts, at some rows (-1 gives a missing one)."""
        if column not in self._texts:
            self._texts[column] = Texts.of(self.frame[column])
        return self._texts[column] if rows is None else self._texts[column].take(rows)

    def column(self, column: str, rows: Integers) -> Column:
        """Write a column of texts at some rows."""
        return self.texts(column, rows).written()

    def positions(self, column: str, rows: Integers, admitted: Sequence[str]) -> Integers:
        """Take the positions of words in a closed list at some rows; -1 is none."""
        return self.texts(column, rows).places(admitted)

    def favour(self, values: Floats, cards: Integers) -> Floats:
        """Turn values into numbers that grow with how favourable they are, by their cards."""
        return favour_of([card.sens for card in self.cards], values, cards)

    def by_card(self, values: Iterable[object], cards: Integers) -> npt.NDArray[Any]:
        """Give each row what is said of its indicator, one value by card."""
        return np.array(list(values))[cards] if self.cards else np.zeros(0)


def checked_rows(results: pd.DataFrame) -> Rows:
    """Check results before they are compared; every fault is listed.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them; ``code``, ``annee``, ``indicateur`` and ``valeur`` are enough.

    Returns
    -------
    Rows
        A copy. A missing value said to be ``ok`` is ``non_disponible``.

    Raises
    ------
    FaultsError
        Columns absent, keys given twice or incomplete, values that are no numbers, a value whose
        status is a reason for absence, a value out of its bounds.
    UnknownNameError
        An indicator of no card.
    """
    title, keys = "résultats refusés", ["code", "annee", "indicateur"]
    check_frame(results, title)
    indexed = [name for name in keys if name in results.index.names]
    frame = results.reset_index(indexed) if indexed else results
    frame = frame.reset_index(drop=True)
    check_frame(frame, title, [*keys, "valeur"], remedy="donner les résultats de compute")
    frame, faults = frame.copy(deep=False), []
    for name in ("annee", "valeur", "borne_inf", "borne_sup"):
        values, lost = _numbers(frame, name)
        if name == "annee":
            lost = lost | np.isnan(values) | (values != np.floor(values))
        if lost.any():
            faults.append(Fault(name, "ce ne sont pas des nombres", "corriger", results[lost]))
        elif name == "annee":
            values = values.astype(np.int64)
        frame[name] = values
    for name in ("code", "indicateur"):
        text = pd.api.types.is_string_dtype(frame[name]) or frame[name].dtype == "category"
        if frame[name].isna().any() or not (text or frame.empty):
            faults.append(Fault(name, "valeurs absentes ou non textuelles", "relire en texte"))
    if faults:
        raise FaultsError(title, faults)
    return _completed(title, frame.astype({"code": "str", "indicateur": "str"}))


def _numbers(frame: pd.DataFrame, name: str) -> tuple[Floats, Booleans]:
    """Take a column as numbers, and tell the cells that are not; it may be absent."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan), np.zeros(len(frame), dtype=bool)
    if frame[name].dtype == np.float64:
        values: Floats = frame[name].to_numpy()
        return values, np.isinf(values)
    if isinstance(frame[name].dtype, np.dtype) and frame[name].dtype.kind == "i":
        return frame[name].to_numpy(np.float64), np.zeros(len(frame), dtype=bool)
    numbers = pd.to_numeric(frame[name], errors="coerce") + np.zeros(len(frame))
    values = pd.Series(numbers, index=frame.index).to_numpy(np.float64, na_value=np.nan)
    return values, np.isinf(values) | (np.isnan(values) & pd.notna(frame[name]).to_numpy())


def _completed(title: str, frame: pd.DataFrame) -> Rows:
    texts = {name: Texts.of(frame[name]) for name in ("code", "indicateur")}
    value = frame["valeur"].to_numpy()
    known = ~np.isnan(value)
    given = _filled(frame, "statut", "ok")
    ok = given.told(lambda status: status == "ok")
    texts["statut"] = _unavailable(given, ~known & ok)
    texts["origine"] = _filled(frame, "origine", "calcule")
    for name in ("statut", "origine"):
        frame[name] = texts[name].written()
    for name in ("qualite", "note"):
        frame[name] = _column(frame, name)
    code, codes = _factorized(texts["code"])
    card, indicators = _factorized(texts["indicateur"])
    key = _keys(frame, (code, card), (len(codes), len(indicators)))
    low, high = frame["borne_inf"].to_numpy(), frame["borne_sup"].to_numpy()
    bad = {
        "statut": (
            given.told(lambda status: status not in STATUSES),
            "inconnu",
            f"choisir parmi {', '.join(STATUSES)}",
        ),
        "origine": (
            texts["origine"].told(lambda origin: origin not in ORIGINS),
            "inconnue",
            f"parmi {', '.join(ORIGINS)}",
        ),
        "valeur": (
            known & ~ok,
            "renseignée malgré son statut",
            "retirer la valeur, surtout si elle est secrète, ou le statut",
        ),
        "code, annee, indicateur": (_twice(key), "clés en double", "n'en garder qu'une ligne"),
        "borne_inf, borne_sup": (
            _above(low, value) | _above(value, high),
            "la valeur n'est pas entre ses bornes",
            "corriger les bornes",
        ),
    }
    faults = [
        Fault(place, f"{problem} ({counted(int(rows.sum()), 'ligne')})", remedy, frame[rows])
        for place, (rows, problem, remedy) in bad.items()
        if rows.any()
    ]
    if faults:
        raise FaultsError(title, faults)
    cards = tuple(indicator_card(name) for name in indicators)
    rows = Rows(frame, codes, cards, code, card)
    rows._texts.update(texts)
    return rows


def _column(frame: pd.DataFrame, name: str) -> pd.Series[str]:
    given = frame[name] if name in frame.columns else pd.Series(None, index=frame.index)
    return given.astype("str")


def _filled(frame: pd.DataFrame, name: str, default: str) -> Texts:
    """Take a column of texts, those that are missing being the default one."""
    if name not in frame.columns:
        return Texts.one(default, np.ones(len(frame), dtype=bool))
    texts = Texts.of(frame[name])
    none = texts.positions < 0
    if not none.any():
        return texts
    filled = np.where(none, np.int32(len(texts.known)), texts.positions)
    return Texts(filled, (*texts.known, default))


def _unavailable(status: Texts, rows: Booleans) -> Texts:
    """Say that a missing value, which was said to be there, is not available."""
    if not rows.any():
        return status
    told = np.where(rows, np.int32(len(status.known)), status.positions)
    return Texts(told, (*status.known, "non_disponible"))


def _factorized(texts: Texts) -> tuple[Integers, list[str]]:
    """Number the texts that rows have, in the order of the rows."""
    return texts.positions.astype(np.int64), list(texts.known)


def _keys(
    frame: pd.DataFrame, parts: tuple[Integers, Integers], sizes: tuple[int, int]
) -> tuple[Integers, int]:
    """Number the keys of the rows (territory, indicator, year), and say how many there may be."""
    year, years = pd.factorize(frame["annee"])
    (code, card), (codes, cards) = parts, sizes
    number = max(len(years), 1)
    return (code * max(cards, 1) + card) * number + year, codes * cards * number


def _twice(keys: tuple[Integers, int]) -> Booleans:
    """Tell the rows whose key is that of another row."""
    numbers, beyond = keys
    if beyond > 8 * len(numbers) + 1000:  # few of those there may be
        return pd.Series(numbers).duplicated(keep=False).to_numpy()
    times = np.bincount(numbers, minlength=1)
    return times[numbers] > 1 if times.max() > 1 else np.zeros(len(numbers), dtype=bool)


def _above(low: Floats, high: Floats) -> Booleans:
    if np.isnan(low).all() or np.isnan(high).all():
        return np.zeros(len(low), dtype=bool)
    found: Booleans = low > high + SAME * np.abs(high) + SAME
    return found


def names_of(given: str | Iterable[str], option: str) -> list[str]:
    """List the names given as an option once each, a single one being a list of one."""
    if not isinstance(given, Iterable):
        raise BarometreError(f"{option}={given!r} refusé : donner un nom, ou une liste de noms")
    return [given] if isinstance(given, str) else [*dict.fromkeys(map(str, given))]


def check_references(rows: Rows, reference: str | Iterable[str]) -> list[str]:
    """List the codes of the reference territories, all of which must be in the results."""
    one = isinstance(reference, str) or not isinstance(reference, Iterable)
    asked = list(dict.fromkeys(map(str, [reference] if one else reference)))
    if not asked:
        raise BarometreError("aucune référence : donner un code présent dans les résultats")
    if not len(rows.codes):
        return asked
    codes, lines = [], []
    for name in asked:
        try:
            codes.append(code_in(rows.frame, name))
        except BarometreError as error:
            lines.append(str(error))
    if lines:
        raise BarometreError(f"référence hors des résultats : {' ; '.join(lines)}")
    return list(dict.fromkeys(codes))


def code_in(results: pd.DataFrame, name: str) -> str:
    """Return the code in the results that a code or a name (``"La Porte du Hainaut"``) stands for.

    The labels of the results, if they have any (``libelle``), come before those that are bundled.
    """
    labels = None
    if "libelle" in results.columns:
        labels = results.drop_duplicates("code").set_index("code")["libelle"].dropna()
    return resolve(name, among=[str(code) for code in results["code"].unique()], labels=labels)


# ---- figures made from two rows ------------------------------------------------------------------


def named(positions: npt.NDArray[np.integer], words: Sequence[str]) -> pd.Series[str]:
    """Write the words at some positions of a list, -1 giving a missing one."""
    return pd.Series(Texts(positions, tuple(words)).written())


def worst_quality(rows: Rows, first: Integers, second: Integers) -> Texts:
    """Return the worst quality of pairs of rows; that of one when the other has none."""
    texts = rows.texts("qualite")
    others = sorted(set(texts.known) - set(_QUALITIES))
    known = (*_QUALITIES, *others)
    if not texts.known:
        return Texts.none(len(first))
    both = (rows.positions("qualite", at, known) for at in (first, second))
    return Texts(np.maximum(*both), known)


def joint_origin(rows: Rows, first: Integers, second: Integers) -> Texts:
    """Return ``publie`` for what rests on published values only, else the more made of the two."""
    both = (rows.positions("origine", at, _FROM_LESS_TO_MORE_MADE) for at in (first, second))
    return Texts(np.maximum(*both), _FROM_LESS_TO_MORE_MADE)


def joined(first: pd.Series[str], second: pd.Series[str], before: str = "") -> pd.Series[str]:
    """Append the second notes to the first ones, some words put before them."""
    return pd.Series(Texts.of(first).then(Texts.of(second), before).written(), index=first.index)


def favour_of(ways: Sequence[Direction], values: Floats, which: Integers) -> Floats:
    """Turn values into numbers that grow with how favourable they are.

    Parameters
    ----------
    ways : sequence of str
        Directions of cards.
    values : ndarray of float
        Values.
    which : ndarray of int
        Position of the direction of each.

    Returns
    -------
    ndarray of float
        The value, its opposite, or minus its distance to 0 or 50; missing for a neutral indicator.
    """
    if not len(ways):
        return np.full(len(values), np.nan)
    signs, aims = _favoured(tuple(ways))
    turned = values * signs[which]
    if not np.isnan(aims).all():
        aim = aims[which]
        turned = np.where(np.isnan(aim), turned, -np.abs(values - aim))
    return np.asarray(turned, dtype=np.float64)


@functools.lru_cache(maxsize=8)
def _favoured(ways: tuple[Direction, ...]) -> tuple[Floats, Floats]:
    """Give the sign of what is better by each direction, and its target; missing where none is."""
    signs = {"hausse_favorable": 1.0, "hausse_defavorable": -1.0}
    targets = {"proche_de_zero": 0.0, "proche_de_50": 50.0}
    sides, aims = (np.array([known.get(way, np.nan) for way in ways]) for known in (signs, targets))
    return sides, aims
