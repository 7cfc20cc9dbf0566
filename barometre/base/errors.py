"""The errors a user can meet: each names every fault, its place and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from barometre.base.french import format_number


def counted(number: float, one: str, many: str | None = None) -> str:
    """Write a number and its noun: ``1 défaut``, ``2 défauts``."""
    return f"{format_number(number)} {one if number < 2 else many or one + 's'}"


@dataclass(frozen=True)
class Fault:
    """One fault of a refused input.

    Parameters
    ----------
    lieu : str
        Where it is: a column, a card field, a file.
    probleme : str
        What is wrong, with the codes, years and values concerned.
    remede : str
        What to do about it.
    lignes : DataFrame, optional
        The rows concerned, as received.
    """

    lieu: str
    probleme: str
    remede: str
    lignes: pd.DataFrame | None = None

    def __str__(self) -> str:
        return f"{self.lieu} : {self.probleme} ; {self.remede}"


class BarometreError(ValueError):
    """Root of the errors raised on purpose by the library."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Back from another process as it was: its class may take more than its message.
        return _again, (type(self), self.args, vars(self))


def _again(
    kind: type[BarometreError], args: tuple[Any, ...], state: dict[str, Any]
) -> BarometreError:
    error = kind.__new__(kind, *args)
    vars(error).update(state)
    return error


FEMININE = frozenset(
    {"agrégation", "alternative", "colonne", "corrélation", "langue", "moyenne", "normalisation",
     "option", "raison", "règle", "sorte", "vague", "valeur", "ventilation", "étape"}
)  # fmt: skip
"""The kinds of names that are feminine in French; the others are masculine."""


class NoTableError(BarometreError):
    """A file that holds no table: a note, an empty file."""


class UnknownNameError(BarometreError):
    """A name that is in no closed list, with the nearest admitted ones."""

    def __init__(self, kind: str, name: str, admitted: Iterable[str]) -> None:
        known = sorted(admitted)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
        hint = (
            f"Vouliez-vous dire {' ou '.join(f'« {n} »' for n in near)} ?"
            if near
            else f"Valeurs admises : {', '.join(known)}."
        )
        unknown = "inconnue" if kind.split()[0].rstrip("=") in FEMININE else "inconnu"
        super().__init__(f"{kind} « {name} » {unknown}. {hint}")
        self.name = name


class FaultsError(BarometreError):
    """An input refused for one or several faults, all of them listed.

    Attributes
    ----------
    defauts : tuple of Fault
        Every fault found.
    lignes : DataFrame
        The faulty rows as received, with a column ``defaut``; empty when no row is concerned.
    """

    def __init__(self, title: str, faults: Iterable[Fault]) -> None:
        self.defauts = tuple(faults)
        lines = "".join(f"\n  - {fault}" for fault in self.defauts)
        super().__init__(f"{title} : {counted(len(self.defauts), 'défaut')}{lines}")
        rows = [
            fault.lignes.assign(defaut=f"{fault.lieu} : {fault.probleme}")
            for fault in self.defauts
            if fault.lignes is not None
        ]
        self.lignes = pd.concat(rows) if rows else pd.DataFrame()


class TableError(FaultsError):
    """A table that does not satisfy its model."""


class CardError(FaultsError):
    """An indicator card that does not satisfy the card schema."""


class DatasetError(FaultsError):
    """A bundled dataset whose files and description disagree."""
