"""The errors a user can meet: each names every fault, its place and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd


def counted(number: int, one: str, many: str | None = None) -> str:
    """Write a number and its noun: ``1 défaut``, ``2 défauts``."""
    return f"{number} {one}" if number < 2 else f"{number} {many or one + 's'}"


def french_number(value: float) -> str:
    """Write a number with a decimal comma and no useless digit: ``3,04``."""
    return f"{value:.10g}".replace(".", ",")


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
        super().__init__(f"{kind} « {name} » inconnu. {hint}")
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
