"""The "IDT reconstitué": a documented reconstruction of COMPAS's index, which has no formula."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.base.frames import absent_columns
from barometre.base.french import format_number
from barometre.composite.french.component_frame import keyed, numbers_of
from barometre.composite.french.reference_gaps import (
    COMPONENTS,
    ThreeNumbers,
    codes_of,
    gaps_to,
    is_three_numbers,
    three_numbers,
)
from barometre.composite.french.territorial import LinearSplit, TerritorialIndex

NAME = "IDT reconstitué"
WARNING = (
    "IDT reconstitué par la bibliothèque : COMPAS ne publie pas la formule de l'IDT© ; ce n'est pas"
    " un chiffre de COMPAS"
)
FRANCE = "METRO"
OBSERVED = (
    "dispersions observées sur les territoires donnés : l'indice change avec eux ; les garder"
    " (dispersion=) pour comparer deux années ou deux ensembles"
)
SCALE = 100.0  # of the published index: France = 0, and about -200 in the neighbourhoods
_SHORT = dict(zip(COMPONENTS, ("emploi", "formation", "revenu"), strict=True))
_SUM = 1e-9  # what rounding leaves of a sum of three weights


def idt(
    components: pd.DataFrame,
    reference: ThreeNumbers | Hashable = FRANCE,
    dispersion: ThreeNumbers | None = None,
    weights: ThreeNumbers = (1 / 3, 1 / 3, 1 / 3),
) -> TerritorialIndex:
    """Compute the "IDT reconstitué": weighted standardised gaps to a reference, times 100.

    It is a reconstruction: COMPAS does not publish its formula, and this is no figure of COMPAS.

    Parameters
    ----------
    components : DataFrame, territories x components
        Indexed by code or (code, annee), or with these as columns. ``part_emploi_25_54``: per cent
        of the 25-54 year-olds in employment; ``part_sup_bac``: per cent of people whose education
        is above the baccalaureate; ``revenu_median``: median household income, in euros. Three
        columns of other names are taken in this order.
    reference : mapping, Series, three numbers or code, default "METRO"
        Values of the reference, metropolitan France for COMPAS: by component or in their order, the
        same for every year; or the code of a row of ``components``, at the year of each row.
    dispersion : mapping, Series or three numbers, optional
        What a gap of 1 is: standard deviations over a reference set, or those of `calibrate_idt`.
        By default the standard deviations (n - 1) of the components of the territories given, the
        row of the reference left out: the index then changes with the set, and says so.
    weights : mapping, Series or three numbers, default (1/3, 1/3, 1/3)
        Not negative, of sum 1 (within 1e-9).

    Returns
    -------
    TerritorialIndex
        Its ``table`` has ``emploi``, ``formation``, ``revenu``: standardised gaps, times 100;
        ``idt_reconstitue``, their weighted mean; ``contribution_emploi``...: what each adds to it;
        ``remarques``: what is missing. A missing component leaves the index missing. The
        reference has exactly 0. No territory gives no row. Components of other names keep theirs.
        ``remarks`` says that it is a reconstruction.

    Raises
    ------
    BarometreError
        Columns absent or not numeric; shares in another unit than the reference; a reference that
        is absent or incomplete; a dispersion that is not positive; weights that are negative, or
        of another sum than 1.

    Notes
    -----
    IDT = 100 sum_j w_j (x_j - r_j) / s_j, income being taken as it is: the published values are
    close to linear in the three gaps to France (contract of La Porte du Hainaut, 2024, IDT table).

    Examples
    --------
    >>> components = pd.DataFrame(
    ...     [(52, 18, 13500), (80, 42, 22040)], index=["QP059050", "METRO"],
    ...     columns=["part_emploi_25_54", "part_sup_bac", "revenu_median"])
    >>> dispersion = {"part_emploi_25_54": 10, "part_sup_bac": 12, "revenu_median": 4000}
    >>> idt(components, "METRO", dispersion).table.iloc[:, :4].round(1)
              emploi  formation  revenu  idt_reconstitue
    QP059050  -280.0     -200.0  -213.5           -231.2
    METRO        0.0        0.0     0.0              0.0
    """
    frame = keyed(components)
    names = component_names(frame, reference, dispersion, weights)
    values = numbers_of(frame, names)
    observed = dispersion is None
    spread = (
        _spread_of(values, reference)
        if dispersion is None
        else three_numbers(dispersion, names, "dispersion")
    )
    share = three_numbers(weights, names, "weights")
    check_dispersion(names, spread)
    check_weights(names, share)
    gaps = SCALE * gaps_to(values, reference) / spread
    table = gaps.rename(columns=_SHORT)
    parts = share * gaps
    first, second, third = (parts[name] for name in names)
    table["idt_reconstitue"] = first + second + third
    for name in names:
        table[f"contribution_{_SHORT.get(name, name)}"] = parts[name]
    table["remarques"] = _remarks(values)
    table.attrs = {"indice": NAME, "avertissement": WARNING}
    if not is_three_numbers(reference):
        table.attrs["reference"] = str(reference)
    short = {name: _SHORT.get(name, name) for name in names}
    return TerritorialIndex(
        table=table,
        name="idt_reconstitue",
        title=NAME,
        dimensions=tuple(short.values()),
        decimals=0,
        remarks=(WARNING, OBSERVED) if observed else (WARNING,),
        reference=reference,
        split=LinearSplit(values, SCALE * share / spread, short),
    )


def _spread_of(values: pd.DataFrame, reference: object) -> pd.Series[float]:
    """Give the standard deviations of the territories, the reference left out."""
    codes = codes_of(values.index)
    others = values if is_three_numbers(reference) else values[codes != reference]
    spread = others.std()
    if not (spread > 0).all():
        raise BarometreError(
            "dispersion à donner : les territoires sont trop peu nombreux, ou tous égaux, pour"
            " l'observer ; par exemple celle de calibrate_idt"
        )
    return spread


def component_names(frame: pd.DataFrame, *given: object) -> list[str]:
    """Name the three components: the usual ones, those that an argument names, or the columns."""
    if set(COMPONENTS) <= set(frame.columns):
        return list(COMPONENTS)
    usual = ", ".join(COMPONENTS)
    for argument in given:
        if isinstance(argument, Mapping | pd.Series) and len(argument) == len(COMPONENTS):
            named = list(map(str, argument.keys()))
            if set(named) <= set(frame.columns):
                return [name for name in map(str, frame.columns) if name in named]
    if len(frame.columns) == len(COMPONENTS):
        return list(map(str, frame.columns))
    remedy = f"donner {usual}, ou trois colonnes dans cet ordre"
    raise FaultsError("composantes refusées", absent_columns(frame, COMPONENTS, remedy))


def check_dispersion(names: Sequence[str], dispersion: pd.Series[float]) -> None:
    """Refuse dispersions that are not positive."""
    if faults := [
        Fault(name, f"dispersion de {format_number(dispersion[name])}", "un nombre positif")
        for name in names
        if not dispersion[name] > 0
    ]:
        raise FaultsError("dispersions refusées", faults)


def check_weights(names: Sequence[str], weights: pd.Series[float]) -> None:
    """Refuse weights that are negative, or of another sum than 1."""
    faults = [
        Fault(name, f"poids de {format_number(weights[name])}", "un poids positif ou nul")
        for name in names
        if weights[name] < 0
    ]
    if abs(weights.sum() - 1) > _SUM:
        problem = f"somme de {format_number(weights.sum())}"
        faults.append(
            Fault("weights", problem, "des poids de somme 1 (les diviser par leur somme)")
        )
    if faults:
        raise FaultsError("poids refusés", faults)


def _remarks(values: pd.DataFrame) -> pd.Series[str]:
    names = np.array(list(values), dtype=object)
    said = [
        f"valeur manquante : {', '.join(names[missing])}" if missing.any() else None
        for missing in values.isna().to_numpy()
    ]
    return pd.Series(said, index=values.index, dtype="str")
