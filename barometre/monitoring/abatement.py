"""The abatement of property tax (TFPB): what landlords do with it, where, on which axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.base.errors import UnknownNameError
from barometre.monitoring.money import cents_of
from barometre.tables.records import check_records

_BY = ("annee", "bailleur", "qpv", "axe", "nature")


def axes() -> pd.Series[str]:
    """Name the eight axes of the national framework, by rank."""
    frame = datasets.load("tfpb_actions_cadre_national").frame
    named = frame.drop_duplicates("axe_rang").set_index("axe_rang")["axe"]
    return named.set_axis(named.index.astype("int64"))


def tfpb(
    table: pd.DataFrame,
    by: str | Sequence[str] = "axe",
    *,
    year: int | None = None,
    abatement: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Add up the use of the abatement, and compare it with the abatement itself.

    Parameters
    ----------
    table : DataFrame
        Table ``tfpb``.
    by : str or sequence of str, default "axe"
        Among ``annee, bailleur, qpv, axe, nature``.
    year : int, optional
        Year kept; all by default.
    abatement : DataFrame, optional
        References given with their source: columns among ``by``, with ``montant_abattement``
        (euros), ``logements`` (all dwellings abated) and ``source``.

    Returns
    -------
    DataFrame
        One row a breakdown: ``n`` actions, ``centimes_prevus, centimes_depenses`` (integer cents),
        ``taux_depense`` (percent of what was planned), and with references ``couverture``
        (percent: spent over abatement), ``par_logement`` (euros spent a dwelling) and ``source``.
        ``libelle`` names the axes.

    Raises
    ------
    TableError, FaultsError
        The table is refused; fractions of a cent.
    UnknownNameError
        A breakdown that there is not.
    """
    names = [by] if isinstance(by, str) else [*by]
    for name in names:
        if name not in _BY:
            raise UnknownNameError("ventilation", name, _BY)
    rows = check_records("tfpb", table)
    if year is not None:
        rows = rows[rows["annee"] == year].reset_index(drop=True)
    euros = pd.Series("eur", rows.index)
    for step in ("prevu", "depense"):
        amounts = rows[f"montant_{step}"].fillna(0.0)
        rows[f"centimes_{step}s"] = cents_of(amounts, euros)
    sums = (
        rows.groupby(names, sort=True)
        .agg(
            n=("action", "size"),
            centimes_prevus=("centimes_prevus", "sum"),
            centimes_depenses=("centimes_depenses", "sum"),
        )
        .reset_index()
    )
    planned = sums["centimes_prevus"].where(sums["centimes_prevus"] > 0)
    sums["taux_depense"] = 100 * sums["centimes_depenses"] / planned
    if "axe" in names:
        sums["libelle"] = sums["axe"].map(axes())
    return sums if abatement is None else _compared(sums, names, abatement)


def _compared(sums: pd.DataFrame, names: list[str], abatement: pd.DataFrame) -> pd.DataFrame:
    """Put the references given beside what was spent."""
    kept = [*names, "montant_abattement", "logements", "source"]
    given = abatement.reindex(columns=kept)
    merged = sums.merge(given, on=names, how="left")
    spent = merged["centimes_depenses"] / 100
    whole = merged["montant_abattement"].astype("float64")
    dwellings = merged["logements"].astype("float64")
    merged["couverture"] = 100 * spent / whole.where(whole > 0)
    merged["par_logement"] = spent / dwellings.where(dwellings > 0)
    merged["par_logement"] = merged["par_logement"].replace([np.inf], np.nan)
    return merged
