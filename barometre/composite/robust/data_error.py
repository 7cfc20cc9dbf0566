"""How far the values of an index may be from the truth, and draws around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats, RowNumbers
from barometre.base.errors import BarometreError, Fault, FaultsError, UnknownNameError, counted
from barometre.base.french import format_number
from barometre.composite.tree.leaves import read_leaves

_SHOWN = 3  # units quoted


@dataclass(frozen=True, eq=False)
class DataError:
    """Errors of the values: standard errors, or the denominators of shares.

    Parameters
    ----------
    standard_errors : DataFrame, units x leaves, optional
        Standard error of each value, in its unit; 0 for an exact value. Values are drawn from a
        normal law.
    denominators : DataFrame, units x leaves, optional
        Number of observations under each share. Shares are drawn from a beta law.
    scale : float, default 100
        Value of a share of one: 100 for shares in per cent.

    Notes
    -----
    Every error is independent of the others. A share p out of n observations is drawn from
    Beta(np + 1/2, n(1 - p) + 1/2), the posterior law of Jeffreys (Brown, Cai and DasGupta, 2001,
    Statistical Science 16), which varies even at 0 and at 100 %.
    """

    standard_errors: pd.DataFrame | None = None
    denominators: pd.DataFrame | None = None
    scale: float = 100.0

    @classmethod
    def read(cls, given: DataError | pd.DataFrame | Mapping[str, Any]) -> DataError:
        """Accept a frame of standard errors, or a mapping of the fields.

        Parameters
        ----------
        given : DataError, DataFrame or mapping
            A frame is of standard errors: units x leaves, in the unit of the leaf.

        Returns
        -------
        DataError

        Raises
        ------
        BarometreError, UnknownNameError
            Another type; a field that does not exist.
        """
        if isinstance(given, DataError):
            return given
        if isinstance(given, pd.DataFrame):
            return cls(standard_errors=given)
        if not isinstance(given, Mapping):
            raise BarometreError(
                "data_error refusé : un DataFrame d'erreurs-types (territoires x feuilles), ou"
                " DataError(denominators=...) pour des parts"
            )
        admitted = [field.name for field in fields(cls)]
        for name in given:
            if name not in admitted:
                raise UnknownNameError("champ de data_error", str(name), admitted)
        return cls(**given)


@dataclass(frozen=True, eq=False)
class Draws:
    """Values and laws of their errors, one row a leaf."""

    observed: Floats  # (leaves, units)
    deviations: Floats  # (leaves, units), zero where exact
    normal: RowNumbers  # the leaves of each law
    binomial: RowNumbers
    alpha: Floats  # (binomial leaves, units)
    beta: Floats
    scale: float
    seed: int

    def ordered(self, order: RowNumbers) -> Draws:
        """Put the units in another order."""
        moved = {
            name: getattr(self, name)[:, order]
            for name in ("observed", "deviations", "alpha", "beta")
        }
        others = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in moved}
        return Draws(**moved, **others)

    @property
    def exact(self) -> bool:
        """Tell whether no value has an error."""
        return not len(self.normal) and not len(self.binomial)

    def take(self, numbers: Sequence[int] | RowNumbers) -> Floats:
        """Draw the values of some replications: each has its own stream, whatever the block.

        Returns
        -------
        array, shape (replications, leaves, units)
            Missing values stay missing.
        """
        result = np.empty((len(numbers), *self.observed.shape))
        every = len(self.normal) == len(self.observed)
        for number, drawn in zip(numbers, result, strict=True):
            stream = np.random.SFC64(np.random.SeedSequence([self.seed, 1, int(number)]))
            rng = np.random.Generator(stream)
            if every:
                rng.standard_normal(out=drawn)
                np.multiply(drawn, self.deviations, out=drawn)
                np.add(drawn, self.observed, out=drawn)
                continue
            drawn[:] = self.observed
            if len(self.normal):
                noise = rng.standard_normal((len(self.normal), drawn.shape[-1]))
                drawn[self.normal] += noise * self.deviations[self.normal]
            if len(self.binomial):
                missing = np.isnan(self.observed[self.binomial])
                shares = self.scale * rng.beta(self.alpha, self.beta)
                drawn[self.binomial] = np.where(missing, np.nan, shares)
        return result


def draws_of(
    leaves: Sequence[str],
    values: Floats,
    units: pd.Index,
    given: DataError | pd.DataFrame | Mapping[str, Any] | None,
    *,
    seed: int,
) -> Draws:
    """Read the errors of the values of an index.

    Raises
    ------
    FaultsError
        Leaves or units that are not those of the values, errors missing or negative, shares out of
        their limits, denominators that are not positive, a leaf given two laws.
    """
    error = DataError() if given is None else DataError.read(given)
    faults: list[Fault] = []
    normal, deviations = _read("standard_errors", error.standard_errors, leaves, units, faults)
    binomial, counts = _read("denominators", error.denominators, leaves, units, faults)
    for name in sorted({leaves[j] for j in normal} & {leaves[j] for j in binomial}):
        faults.append(Fault(name, "erreur-type et dénominateur", "garder l'un des deux"))
    scale = error.scale
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < np.inf:
        raise BarometreError(f"scale {scale!r} refusé : 100 pour des parts en pour cent, ou 1")
    known = ~np.isnan(values)
    _cells(faults, leaves, units, normal, known[normal] & ~(deviations >= 0),
           "sans erreur-type positive ou nulle", "0 pour une valeur exacte")  # fmt: skip
    _cells(faults, leaves, units, binomial, known[binomial] & ~(counts > 0),
           "sans dénominateur positif", "le remplir, ou vider la valeur")  # fmt: skip
    shares = values[binomial] / scale
    outside = known[binomial] & ~((shares >= 0) & (shares <= 1))
    _cells(faults, leaves, units, binomial, outside, f"hors de 0-{format_number(scale)}",
           "une part, dans l'échelle de scale")  # fmt: skip
    if faults:
        raise FaultsError("data_error refusé", faults)
    whole = np.zeros_like(values)
    whole[normal] = np.where(known[normal], deviations, 0.0)
    there = known[binomial]
    alpha = np.where(there, counts * shares + 0.5, 1.0)
    beta = np.where(there, counts * (1 - shares) + 0.5, 1.0)
    return Draws(values, whole, normal, binomial, alpha, beta, float(scale), seed)


def _read(
    field: str,
    frame: pd.DataFrame | None,
    leaves: Sequence[str],
    units: pd.Index,
    faults: list[Fault],
) -> tuple[RowNumbers, Floats]:
    """Read a frame of errors: the leaves that it has, their errors in the order of the units."""
    nothing = np.empty(0, dtype=np.intp), np.empty((0, len(units)))
    if frame is None:
        return nothing
    if not isinstance(frame, pd.DataFrame):
        faults.append(
            Fault(field, "pas un DataFrame", "territoires en lignes, feuilles en colonnes")
        )
        return nothing
    if unknown := [str(name) for name in frame.columns if name not in leaves]:
        faults.append(Fault(field, f"pas de feuille {', '.join(unknown)}", "retirer ces colonnes"))
        return nothing
    read, _ = read_leaves(list(frame.columns), frame)
    aligned = pd.DataFrame(read.T, index=frame.index).reindex(units)
    lost = units[~units.isin(frame.index)]
    added = frame.index[~frame.index.isin(units)]
    for what, codes in (("sans erreur", lost), ("absents du tableau", added)):
        if len(codes):
            shown = ", ".join(map(str, codes[:_SHOWN]))
            problem = f"{counted(len(codes), 'territoire')} {what} ({shown})"
            faults.append(Fault(field, problem, "les mêmes territoires des deux côtés"))
    if len(lost) or len(added):
        return nothing
    places = np.array([list(leaves).index(name) for name in frame.columns], dtype=np.intp)
    order = np.argsort(places)  # draws do not depend on the order of the columns
    return places[order], aligned.to_numpy().T[order]


def _cells(
    faults: list[Fault],
    leaves: Sequence[str],
    units: pd.Index,
    places: RowNumbers,
    wrong: Booleans,
    problem: str,
    remedy: str,
) -> None:
    for row, place in zip(wrong, places, strict=True):
        if row.any():
            shown = ", ".join(map(str, units[row][:_SHOWN]))
            number = counted(int(row.sum()), "valeur")
            faults.append(Fault(leaves[place], f"{number} {problem} ({shown})", remedy))
