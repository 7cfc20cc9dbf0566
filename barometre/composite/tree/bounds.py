"""Bounds of the components of an index: fixed or observed, with where they come from."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.errors import Fault, FaultsError, counted
from barometre.base.face import Face
from barometre.base.files import write_text
from barometre.base.french import format_number
from barometre.base.toml import read_toml, toml_text
from barometre.composite.tree.leaves import read_leaves
from barometre.composite.tree.ties import TOLERANCE

_PROVENANCE = ("reference", "territories", "years", "date")
_LIMITS = "donner {composante: (bas, haut)}"


@dataclass(frozen=True)
class Bounds(Face):
    """Low and high of each component, and the set they were observed on.

    Observed bounds move with the set, the year and the secrecy: an index keeps its meaning from one
    year to the next only with bounds that are kept.

    Parameters
    ----------
    limits : mapping of str to (float, float)
        Low and high by component, in natural units (before any logarithm).
    reference : str, optional
        The reference set, or the text that fixes them: ``"communes des Hauts-de-France"``.
    territories : int, optional
        How many territories it has.
    years : iterable of int, optional
        Years observed.
    date : date, optional
        When they were observed or fixed.

    Raises
    ------
    FaultsError
        Bounds that are not two finite numbers in order, a provenance of another type, each said.

    Examples
    --------
    >>> bounds = Bounds({"revenu": (14090, 38860)}, reference="Hauts-de-France", years=[2019])
    >>> bounds.limits["revenu"]
    (14090.0, 38860.0)
    """

    limits: Mapping[str, tuple[float, float]]
    reference: str = ""
    territories: int | None = None
    years: tuple[int, ...] = ()
    date: datetime.date | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.limits, Mapping):
            fault = Fault("limits", f"un {type(self.limits).__name__}", _LIMITS)
            raise FaultsError("bornes refusées", [fault])
        limits = {
            name: tuple(pair) if isinstance(pair, np.ndarray) else pair
            for name, pair in self.limits.items()
        }
        faults = [fault for name, pair in limits.items() if (fault := _fault(name, pair))]
        if not limits:
            faults.append(Fault("limits", "aucune borne", _LIMITS))
        years = _years(self.years)
        faults += _provenance_faults(self.reference, self.territories, years, self.date)
        if faults:
            raise FaultsError("bornes refusées", faults)
        limits = {name: (float(pair[0]), float(pair[1])) for name, pair in limits.items()}
        object.__setattr__(self, "limits", MappingProxyType(limits))
        object.__setattr__(self, "years", years)
        if self.territories is not None:
            object.__setattr__(self, "territories", int(self.territories))

    def __reduce__(self) -> tuple[type[Bounds], tuple[object, ...]]:
        """Be kept with pickle, which read-only mappings cannot be."""
        said = (getattr(self, name) for name in _PROVENANCE)
        return type(self), (dict(self.limits), *said)

    @property
    def table(self) -> pd.DataFrame:
        """Low and high by component."""
        rows = dict(self.limits)
        columns = ["borne_basse", "borne_haute"]
        return pd.DataFrame.from_dict(rows, orient="index", columns=columns)

    def sentences(self) -> list[str]:
        """Say which components are bounded, on which set, which years and when."""
        where = [self.reference] if self.reference else []
        where += [counted(self.territories, "territoire")] if self.territories else []
        where += [", ".join(map(str, self.years))] if self.years else []
        where += [f"le {self.date:%d/%m/%Y}"] if self.date else []
        lines = [f"Bornes de {counted(len(self.limits), 'composante')}."]
        lines += [
            f"{name} : de {format_number(low)} à {format_number(high)}."
            for name, (low, high) in self.limits.items()
        ]
        return [*lines, f"Référence : {' ; '.join(where) if where else 'non dite'}."]

    @staticmethod
    def columns_of(frame: pd.DataFrame, components: Sequence[str]) -> pd.DataFrame:
        """Take the numeric columns of some components out of a frame.

        Parameters
        ----------
        frame : DataFrame, territories x components
            What is looked up.
        components : sequence of str
            Columns to take.

        Returns
        -------
        DataFrame
            Numbers, one column a component, in the order asked.
        """
        values, _ = read_leaves(components, frame)
        return pd.DataFrame(values.T, index=frame.index, columns=list(components))

    @classmethod
    def observed(
        cls,
        frame: pd.DataFrame,
        components: Sequence[str] | None = None,
        *,
        reference: str = "",
        years: Iterable[int] = (),
        date: datetime.date | None = None,
    ) -> Bounds:
        """Observe bounds on a reference set.

        Parameters
        ----------
        frame : DataFrame, territories x components
            The reference set, indexed by code or by (code, annee).
        components : list of str, optional
            Columns to observe; by default all.
        reference : str
            Name of the set.
        years : iterable of int, optional
            Its years; by default those of the index level ``annee``.
        date : date, optional
            When; by default today.

        Returns
        -------
        Bounds
            Smallest and largest known value of each component; ``territories`` counts those that
            have a value.

        Raises
        ------
        BarometreError
            A column missing or not numeric, or without two different values (one territory).
        """
        names = list(frame.columns if components is None else components)
        values = cls.columns_of(frame, names)
        limits = {name: (values[name].min(), values[name].max()) for name in names}
        known = values.index[values.notna().any(axis=1)]
        if "annee" in known.names:
            years = tuple(years) or sorted(set(known.get_level_values("annee")))
        if "code" in known.names:
            known = known.get_level_values("code")
        return cls(
            limits,
            reference=reference,
            territories=known.nunique(),
            years=tuple(years),
            date=date or datetime.date.today(),
        )

    @classmethod
    def from_toml(cls, path: str | Path) -> Bounds:
        """Read bounds from a TOML file written by `to_toml`, or by hand.

        Parameters
        ----------
        path : str or Path
            A file with a ``[limits]`` section (``component = [low, high]``) and, above it, the
            other fields.

        Returns
        -------
        Bounds
            The bounds.

        Raises
        ------
        BarometreError
            A file that cannot be read, an unknown field, bounds out of order.
        """
        content = read_toml(path)
        faults = [
            Fault(name, "champ inconnu", f"admis : {', '.join(_PROVENANCE)}, [limits]")
            for name in content
            if name not in ("limits", *_PROVENANCE)
        ]
        limits = content.get("limits")
        if not isinstance(limits, dict):
            faults.append(Fault("limits", "section absente", "[limits], composante = [bas, haut]"))
        if faults:
            raise FaultsError(f"{path} refusé", faults)
        return cls(**content)

    def to_toml(self, path: str | Path) -> Path:
        """Write the bounds and their provenance to a TOML file, whole.

        Parameters
        ----------
        path : str or Path
            File to write.

        Returns
        -------
        Path
            The file; `from_toml` gives the same bounds back.
        """
        provenance = {name: getattr(self, name) or None for name in _PROVENANCE}
        return write_text(path, toml_text({**provenance, "limits": self.limits}))


def _fault(name: str, pair: object) -> Fault | None:
    if not (
        isinstance(pair, Sequence)
        and len(pair) == 2
        and all(isinstance(bound, Real) and np.isfinite(float(bound)) for bound in pair)
    ):
        return Fault(name, f"bornes {pair}", "deux nombres, le bas puis le haut")
    low, high = float(pair[0]), float(pair[1])
    if high - low > TOLERANCE * max(abs(low), abs(high)):
        return None
    problem = (
        f"bornes égales ({format_number(low)})"
        if high == low
        else f"{format_number(low)} n'est pas sous {format_number(high)}"
    )
    remedy = "deux valeurs différentes : observer un autre ensemble de référence, ou les fixer"
    return Fault(name, problem, remedy)


def _years(given: Any) -> tuple[Any, ...]:
    """Give the years as integers, left as they are where they are none."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    return tuple(map(_year, given if several else [given]))


def _year(value: Any) -> Any:
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    whole = isinstance(value, Real) and not isinstance(value, bool) and float(value).is_integer()
    return int(value) if whole else value


def _provenance_faults(
    reference: object, territories: Any, years: tuple[Any, ...], date: object
) -> Iterator[Fault]:
    if not isinstance(reference, str):
        yield Fault("reference", f"{reference!r}", "le nom de l'ensemble de référence")
    number = isinstance(territories, Integral) and not isinstance(territories, bool)
    if territories is not None and not (number and territories > 0):
        yield Fault("territories", f"{territories!r}", "un nombre entier de territoires")
    for year in years:
        if type(year) is not int:
            yield Fault("years", f"{year!r}", "des années : [2019]")
    if date is not None and not isinstance(date, datetime.date):
        yield Fault("date", f"{date!r}", "une date, sans guillemets en TOML : 2024-05-06")
