"""Calibration of the "IDT reconstitué" on the values that COMPAS publishes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.base.arguments import as_numbers
from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, counted
from barometre.base.face import Face
from barometre.base.french import format_number
from barometre.cards.columns import KEY
from barometre.composite.french.component_frame import keyed, numbers_of
from barometre.composite.french.reconstructed import (
    FRANCE,
    SCALE,
    check_dispersion,
    component_names,
)
from barometre.composite.french.reference_gaps import (
    ThreeNumbers,
    codes_of,
    gaps_to,
    is_three_numbers,
    three_numbers,
)
from barometre.composite.french.weight_fit import WeightFit, combinations_in, left_out_error
from barometre.composite.score.years import YEAR
from barometre.tables.table_set import DOUBTFUL

Published: TypeAlias = "pd.Series[float] | Mapping[Hashable, float] | Sequence[float] | Floats"

# A weight is called identified when all good fits agree on it to ten points either way.
WIDEST = 0.2
_FEWEST = 4  # three unknowns, and one territory to judge by


@dataclass(frozen=True, eq=False)
class Calibration(Face):
    """What `calibrate_idt` returns.

    ``idt(components, fit.reference, fit.dispersion, fit.weights)`` gives ``fit.fitted``.

    Attributes
    ----------
    weights : Series
        Weight of each component; not negative, of sum 1.
    dispersion : Series
        Dispersion of each component, the common factor included: ``weights / dispersion`` is what
        the published values determine.
    reference : Series or label
        The reference, as given or estimated.
    scale : float
        Common factor by which the dispersions given (or the standard deviations) are divided.
    table : DataFrame
        ``publie``, ``ajuste`` and ``residu`` (published - fitted) of each territory used.
    rmse, r2 : float
        Root mean squared residual, and share of the variance of published values (missing when
        they are all equal).
    loo_error : float
        Root mean squared error of each territory predicted without it, all its years left out.
    weight_range : DataFrame
        ``poids_min`` and ``poids_max`` of each component among fits that are as good.
    identified : Series of bool
        Whether that range is narrower than 0.2 and the component no combination of the others.
    correlations : DataFrame
        Correlations between the components of the territories used.
    remarks : tuple of str
        What a reader must know, in French.
    """

    weights: pd.Series[float]
    dispersion: pd.Series[float]
    reference: pd.Series[float] | Hashable
    scale: float
    table: pd.DataFrame
    rmse: float
    r2: float
    loo_error: float
    weight_range: pd.DataFrame
    identified: pd.Series[bool]
    correlations: pd.DataFrame
    remarks: tuple[str, ...]

    def sentences(self) -> list[str]:
        """Say the weights, how good the fit is, and what a reader must know of it."""
        weights = ", ".join(
            f"{name} {format_number(weight, 2)} (de {format_number(low, 2)} à"
            f" {format_number(high, 2)})"
            for name, weight, (low, high) in zip(
                self.weights.index, self.weights, self.weight_range.to_numpy(), strict=True
            )
        )
        r2 = "" if np.isnan(self.r2) else f", R² de {format_number(self.r2, 3)}"
        return [
            f"Calage sur {counted(len(self.table), 'valeur publiée', 'valeurs publiées')}.",
            f"Poids : {weights}.",
            f"Écart quadratique moyen : {format_number(self.rmse, 1)}{r2} ;"
            f" chaque territoire prévu sans lui : {format_number(self.loo_error, 1)}.",
            *(f"{remark[:1].upper()}{remark[1:]}." for remark in self.remarks),
        ]

    @property
    def fitted(self) -> pd.Series[float]:
        """The fitted values."""
        values: pd.Series[float] = self.table["ajuste"]
        return values

    @property
    def residuals(self) -> pd.Series[float]:
        """Published less fitted values."""
        values: pd.Series[float] = self.table["residu"]
        return values


def published_idt(*, doubtful: bool = False) -> pd.Series[float]:
    """Give the IDT that COMPAS publishes for La Porte du Hainaut, 2011 and 2019.

    Parameters
    ----------
    doubtful : bool, default False
        Keep the values that the rest of the source contradicts (the CA in 2011).

    Returns
    -------
    Series, indexed by (code, annee)
        Published values. Metropolitan France, 0 by construction, has none.

    Examples
    --------
    >>> published_idt().loc["59"]
    annee
    2011   -33.0
    2019   -34.0
    Name: idt_publie, dtype: float64
    """
    tidy = datasets.load("idt_2011_2019").tidy()
    years = tidy["colonne"].str.extract(r"^idt_(\d{4})_indice$", expand=False)
    kept = years.notna() & tidy["valeur"].notna() & (doubtful | (tidy["qualite"] != DOUBTFUL))
    rows = tidy[kept].assign(annee=years[kept].astype("int64"))
    values: pd.Series[float] = rows.set_index(list(KEY))["valeur"]
    return values.rename("idt_publie")


def calibrate_idt(
    published: Published,
    components: pd.DataFrame,
    reference: ThreeNumbers | Hashable | None = None,
    *,
    dispersion: ThreeNumbers | None = None,
    tolerance: float = 0.1,
    unit: float = 1.0,
) -> Calibration:
    """Estimate the weights and dispersions of `idt` from published values.

    Parameters
    ----------
    published : Series, mapping, or sequence
        Published values, by code or (code, annee) (see `published_idt`), or in the order of
        ``components``.
    components : DataFrame, territories x components
        As for `idt`. Territories without published value, or without one of the components, and
        the reference itself are left out.
    reference : mapping, Series, three numbers or code, optional
        As for `idt`. By default the row ``METRO`` of ``components``; without one, the zero of the
        index is estimated too.
    dispersion : mapping, Series or three numbers, optional
        Dispersions up to a common factor; by default the standard deviations of the components
        over the territories used.
    tolerance : float, default 0.1
        A fit is as good as the best when its sum of squares is at most ``1 + tolerance`` times its.
    unit : float, default 1
        Unit to which published values are rounded: no fit is better than rounding makes it, a
        variance of ``unit ** 2 / 12``. 0 for exact values.

    Returns
    -------
    Calibration
        The fit, its errors, and how far the weights could be others.

    Raises
    ------
    BarometreError
        Fewer than 4 territories (5 when the zero is estimated); a component that does not vary;
        published values that go against every component; arguments as for `idt`.

    Notes
    -----
    Least squares of y = 100 sum_j b_j (x_j - r_j) with b_j >= 0 (Lawson and Hanson, 1974, ch. 23).
    Published values determine b_j = w_j / s_j only: weights are those of sum 1 once dispersions are
    given up to a common factor, which ``scale`` estimates. Other dispersions make other weights and
    the same index. The range of a weight is exact: fits with w_j = t are non-negative combinations
    of two vectors, and their best sum of squares is unimodal in t.

    Examples
    --------
    >>> from barometre.composite.french.reconstructed import idt
    >>> from barometre.composite.french.reference_gaps import COMPONENTS
    >>> rows = [(50, 15, 13000), (56, 22, 14200), (47, 17, 13800), (61, 20, 15100), (52, 24, 12900)]
    >>> components = pd.DataFrame(rows, columns=list(COMPONENTS), index=list("abcde"))
    >>> france, spread = (80, 42, 22000), (10, 12, 4000)
    >>> known = idt(components, france, spread, (0.5, 0.2, 0.3))["idt_reconstitue"]
    >>> fit = calibrate_idt(known, components, france, dispersion=spread)
    >>> fit.weights.round(6).tolist(), round(fit.scale, 6)
    ([0.5, 0.2, 0.3], 1.0)
    """
    frame = keyed(components)
    names = component_names(frame, reference, dispersion)
    values = numbers_of(frame, names)
    _check_options(tolerance, unit)
    known = _aligned(published, values.index)
    if reference is None and FRANCE in codes_of(values.index):
        reference = FRANCE
    if is_three_numbers(reference):
        reference = three_numbers(reference, names, "reference")
    free = reference is None
    used = known.notna() & values.notna().all(axis=1)
    gaps = values if free else gaps_to(values, reference)
    if not free:
        used &= (gaps != 0).any(axis=1)  # the reference itself says nothing
    _check_number(codes_of(values.index[used]), free)
    gaps, y = gaps[used], np.array(known[used], dtype=np.float64)
    spread = values[used].std() if dispersion is None else None
    if spread is None:
        spread = three_numbers(dispersion, names, "dispersion")
        check_dispersion(names, spread)
    _check_spread(gaps)
    design = SCALE * (gaps / spread).to_numpy()
    fit = WeightFit(design, y, free=free)
    if not fit.total > 0:
        raise BarometreError(
            "calage impossible : aucun poids positif ne suit les valeurs publiées, qui baissent"
            " quand les composantes montent ; vérifier leur appariement"
        )
    zero: Any = reference
    if free:  # of all the points where the index is 0, the one in the direction of the spreads
        centre = values[used].mean()
        zero = centre - y.mean() / (SCALE * fit.total) * spread
    left = _left(len(used) - int(used.sum()), free, dispersion is None)
    return _calibration(fit, gaps, spread, zero, tolerance=tolerance, unit=unit, remarks=left)


def _calibration(
    fit: WeightFit,
    gaps: pd.DataFrame,
    spread: pd.Series[float],
    zero: Any,
    *,
    tolerance: float,
    unit: float,
    remarks: tuple[str, ...],
) -> Calibration:
    """Judge a fit: its errors, and how far its weights could be others."""
    names = list(gaps)
    design, y = fit.given
    fitted = fit.predict(design)
    squares = float(np.sum((y - fitted) ** 2))
    around = float(np.sum((y - y.mean()) ** 2))
    limit = (1 + tolerance) * max(squares, len(y) * unit**2 / 12)
    ranges = pd.DataFrame(
        [fit.weight_range(j, limit) for j in range(len(names))],
        index=names,
        columns=["poids_min", "poids_max"],
    )
    narrow = (ranges["poids_max"] - ranges["poids_min"] <= WIDEST).to_numpy()
    identified: pd.Series[bool] = pd.Series(narrow & ~combinations_in(fit.design), index=names)
    correlations = gaps.corr()
    return Calibration(
        weights=pd.Series(fit.coefficients / fit.total, index=names),
        dispersion=spread / fit.total,
        reference=zero,
        scale=fit.total,
        table=pd.DataFrame({"publie": y, "ajuste": fitted, "residu": y - fitted}, index=gaps.index),
        rmse=float(np.sqrt(squares / len(y))),
        r2=1 - squares / around if around > 0 else float("nan"),
        loo_error=left_out_error(design, y, codes_of(gaps.index), free=fit.free),
        weight_range=ranges,
        identified=identified,
        correlations=correlations,
        remarks=_remarks(ranges, identified, correlations, tolerance) + remarks,
    )


# ---- arguments ----------------------------------------------------------------------------------


def _aligned(published: Published, index: pd.Index) -> pd.Series[float]:
    """Bring published values on the rows of the components."""
    if isinstance(published, Mapping):
        published = pd.Series(published, dtype="float64")
    if isinstance(published, pd.DataFrame):
        raise BarometreError(
            "valeurs publiées refusées : donner une Series par code ou (code, annee) ;"
            " published_idt() donne celles du contrat"
        )
    (numbers,) = as_numbers(published=published)
    if not isinstance(published, pd.Series):
        if numbers.shape != (len(index),):
            raise BarometreError(
                f"{numbers.size} valeurs publiées pour {counted(len(index), 'territoire')} : donner"
                " une Series par code"
            )
        return pd.Series(numbers, index=index)
    values = pd.Series(numbers, index=published.index)
    if not values.index.is_unique:
        raise BarometreError("valeurs publiées en double : une par code (et par année)")
    if values.index.nlevels == index.nlevels:
        return values.reindex(index)
    several, other = (values.index, index) if values.index.nlevels > 1 else (index, values.index)
    if YEAR not in several.names or len(several.get_level_values(YEAR).unique()) > 1:
        raise BarometreError(
            "valeurs publiées et composantes n'ont pas la même clé : donner (code, annee) aux deux,"
            " ou le code seul et une année"
        )
    if several is index:
        return values.reindex(codes_of(index)).set_axis(index)
    return values.set_axis(codes_of(values.index)).reindex(other)


def _check_options(tolerance: float, unit: float) -> None:
    for name, value in (("tolerance", tolerance), ("unit", unit)):
        (number,) = as_numbers(at_least=0, **{name: value})
        if number.ndim or np.isnan(number):
            raise BarometreError(f"{name} refusé : donner un nombre positif ou nul")


def _check_number(codes: pd.Index, free: bool) -> None:
    fewest = _FEWEST + free
    number = len(codes.unique())
    if number < fewest:
        zero = " (le zéro de l'indice étant à estimer, faute de référence)" if free else ""
        raise BarometreError(
            f"calage impossible : {counted(number, 'territoire')} avec une valeur publiée et les"
            f" trois composantes ; il en faut au moins {fewest}{zero}"
        )


def _check_spread(gaps: pd.DataFrame) -> None:
    """Refuse components that do not vary, to rounding: nothing tells their weight."""
    level = gaps.abs().max()
    flat = [name for name in map(str, gaps) if gaps[name].std() <= 1e-12 * level[name]]
    if flat:
        raise BarometreError(
            f"calage impossible : {', '.join(flat)} ne varie pas d'un territoire à l'autre"
        )


# ---- words --------------------------------------------------------------------------------------


def _remarks(
    ranges: pd.DataFrame,
    identified: pd.Series[bool],
    correlations: pd.DataFrame,
    tolerance: float,
) -> tuple[str, ...]:
    """Say of each weight that is not identified what it could be, and with what it is confused."""
    said = []
    for name in map(str, identified.index[~identified]):
        others = correlations[name].drop(name)
        nearest = str(others.abs().idxmax())
        low, high = (format_number(end, 2) for end in ranges.loc[[name]].to_numpy()[0])
        said.append(
            f"le poids de « {name} » n'est pas identifié : de {low} à {high}, l'ajustement est"
            f" aussi bon (à {format_number(100 * tolerance)} % près) ; sa corrélation avec"
            f" « {nearest} » est de {format_number(others[nearest], 2)}"
        )
    return tuple(said)


def _left(left: int, free: bool, by_default: bool) -> tuple[str, ...]:
    said = []
    if left:
        rows = counted(left, "ligne laissée de côté", "lignes laissées de côté")
        said.append(f"{rows} : sans valeur publiée, sans l'une des composantes, ou référence")
    if free:
        said.append(
            "aucune référence donnée : le zéro de l'indice est estimé, et la référence n'est qu'un"
            " des points où il vaut 0"
        )
    if by_default:
        said.append(
            "les poids valent pour ces dispersions (écarts-types des territoires, à un facteur"
            " près) : seuls les rapports poids / dispersion sont déterminés"
        )
    return tuple(said)
