"""Checked results by row numbers, and what to say of a figure made from two of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.arrays import Booleans, Floats, Integers
from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.base.frames import check_frame
from barometre.cards.listing import indicator_card
from barometre.cards.schema import Card
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

    def numbers(self, column: str, rows: Integers | None = None) -> Floats:
        """Take a column of numbers, at some rows (-1 gives a missing one)."""
        values: Floats = self.frame[column].to_numpy(np.float64)
        return values if rows is None else np.append(values, np.nan)[rows]

    def bounded(self, rows: Integers) -> tuple[Floats, Floats, Floats]:
        """Take values, lower and upper bounds at some rows."""
        value, low, high = (self.numbers(c, rows) for c in ("valeur", "borne_inf", "borne_sup"))
        return value, low, high

    def certain(self, rows: Integers) -> Booleans:
        """Tell the rows whose bounds are those of a rounding, which cannot be left."""
        register = self.by_card((c.exploitation == "exhaustif" for c in self.cards), self.card)
        measured = register.astype(bool) & (self.frame["origine"] != "estime").to_numpy(bool)
        return np.append(measured, True)[rows]

    def words(self, column: str, rows: Integers) -> pd.Series[str]:
        """Take a column of words at some rows (-1 gives a missing one)."""
        return self.frame[column].reindex(rows).reset_index(drop=True)

    def positions(self, column: str, rows: Integers, admitted: Sequence[str]) -> Integers:
        """Take the positions of words in a closed list at some rows; -1 is none."""
        found = pd.Index(admitted).get_indexer(pd.Index(self.frame[column])).astype(np.int64)
        return np.append(found, -1)[rows]

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
    frame, faults = frame.copy(), []
    for name in ("annee", "valeur", "borne_inf", "borne_sup"):
        numbers = pd.to_numeric(frame.get(name, np.nan), errors="coerce") + np.zeros(len(frame))
        values = pd.Series(numbers, index=frame.index).to_numpy(np.float64, na_value=np.nan)
        lost = np.isinf(values) | (np.isnan(values) & pd.notna(frame.get(name, values)))
        if name == "annee":
            lost = lost | np.isnan(values) | (values != np.floor(values))
        if lost.any():
            faults.append(Fault(name, "ce ne sont pas des nombres", "corriger", results[lost]))
        frame[name] = values
    for name in ("code", "indicateur"):
        text = pd.api.types.is_string_dtype(frame[name]) or frame[name].dtype == "category"
        if frame[name].isna().any() or not (text or frame.empty):
            faults.append(Fault(name, "valeurs absentes ou non textuelles", "relire en texte"))
    if faults:
        raise FaultsError(title, faults)
    return _completed(title, frame.astype({"annee": np.int64, "code": "str", "indicateur": "str"}))


def _completed(title: str, frame: pd.DataFrame) -> Rows:
    known = frame["valeur"].notna()
    status = _column(frame, "statut", "ok").fillna("ok")
    frame["statut"] = status.mask(~known & (status == "ok"), "non_disponible")
    frame["origine"] = _column(frame, "origine", "calcule").fillna("calcule")
    for name in ("qualite", "note"):
        frame[name] = _column(frame, name, None)
    code, codes = pd.factorize(frame["code"])
    card, indicators = pd.factorize(frame["indicateur"])
    year, years = pd.factorize(frame["annee"])
    key = (code.astype(np.int64) * max(len(indicators), 1) + card) * max(len(years), 1) + year
    bad = {
        "statut": (~status.isin(STATUSES), "inconnu", f"choisir parmi {', '.join(STATUSES)}"),
        "origine": (~frame["origine"].isin(ORIGINS), "inconnue", f"parmi {', '.join(ORIGINS)}"),
        "valeur": (
            known & (status != "ok"),
            "renseignée malgré son statut",
            "retirer la valeur, surtout si elle est secrète, ou le statut",
        ),
        "code, annee, indicateur": (
            pd.Series(key).duplicated(keep=False),
            "clés en double",
            "n'en garder qu'une ligne",
        ),
        "borne_inf, borne_sup": (
            _above(frame["borne_inf"], frame["valeur"])
            | _above(frame["valeur"], frame["borne_sup"]),
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
    cards = tuple(indicator_card(str(name)) for name in indicators)
    return Rows(frame, list(codes), cards, code.astype(np.int64), card.astype(np.int64))


def _column(frame: pd.DataFrame, name: str, default: str | None) -> pd.Series[str]:
    given = frame[name] if name in frame.columns else pd.Series(default, index=frame.index)
    return given.astype("str")


def _above(low: pd.Series[float], high: pd.Series[float]) -> pd.Series[bool]:
    return low > high + SAME * high.abs() + SAME


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
    return pd.Series(pd.array(list(words), dtype="str").take(positions, allow_fill=True))


def worst_quality(rows: Rows, first: Integers, second: Integers) -> pd.Series[str]:
    """Return the worst quality of pairs of rows; that of one when the other has none."""
    others = sorted(set(rows.frame["qualite"].dropna().unique()) - set(_QUALITIES))
    known = [*_QUALITIES, *map(str, others)]
    both = (rows.positions("qualite", at, known) for at in (first, second))
    return named(np.maximum(*both), known)


def joint_origin(rows: Rows, first: Integers, second: Integers) -> pd.Series[str]:
    """Return ``publie`` for what rests on published values only, else the more made of the two."""
    both = (rows.positions("origine", at, _FROM_LESS_TO_MORE_MADE) for at in (first, second))
    return named(np.maximum(*both), _FROM_LESS_TO_MORE_MADE)


def joined(first: pd.Series[str], second: pd.Series[str], before: str = "") -> pd.Series[str]:
    """Append the second notes to the first ones, some words put before them."""
    added = before + second[second.notna()]
    told = first[added.index]
    said = first.copy()
    said[added.index] = (told + " ; " + added).where(told.notna(), added)
    return said
