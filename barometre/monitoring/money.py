"""Money of the contract, in integer cents: by whom, for what, where, at which step."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError, Fault, FaultsError, UnknownNameError
from barometre.engine.perimeters import qpv_bridge
from barometre.tables.records import check_records

STEPS = ("prévu", "engagé", "payé")
BREAKDOWNS = (
    "orientation",
    "nomAttribuant",
    "commune",
    "qpv",
    "annee",
    "credits",
    "dispositifAide",
)
UNKNOWN = "non précisé"
"""What stands for an empty cell in a breakdown: the amounts still add up."""

CPO_TARGET = 50.0
"""Percent of specific credits that the contract wants in agreements over several years (CPO)."""

_CENTS = {"eur": 100, "k_eur": 100_000, "M_eur": 100_000_000}
_CPO = ("cpo", "convention pluriannuelle")


def cents_of(amounts: pd.Series[float], units: pd.Series[str]) -> pd.Series[int]:
    """Convert amounts to whole cents, through the decimal digits that they show.

    Parameters
    ----------
    amounts : Series of float
        Amounts in the unit of their row.
    units : Series of str
        ``eur``, ``k_eur`` or ``M_eur``; euros where missing.

    Returns
    -------
    Series of int
        Cents. 15.9 million euros are 1 590 000 000 cents.

    Raises
    ------
    FaultsError
        An amount in euros with more than two decimals: it is no amount of money.

    Examples
    --------
    >>> cents_of(pd.Series([15.9, 0.1]), pd.Series(["M_eur", "eur"])).tolist()
    [1590000000, 10]
    """
    exact = [
        Decimal(repr(float(amount))) * _CENTS[unit]
        for amount, unit in zip(amounts, units.fillna("eur"), strict=True)
    ]
    broken = [cents != cents.to_integral_value() for cents in exact]
    if any(broken):
        rows = amounts[np.array(broken)][:5]
        lines = zip(rows.index.astype("int64"), rows, strict=True)
        cases = " ; ".join(f"{amount:.10g} ligne {row + 2}" for row, amount in lines)
        fault = Fault("montant", f"fractions de centime : {cases}", "arrondir au centime")
        raise FaultsError("table financements refusée", [fault])
    whole = [int(cents.quantize(Decimal(1), ROUND_HALF_UP)) for cents in exact]
    return pd.Series(whole, amounts.index, dtype="int64", name="centimes")


def funding(
    financements: pd.DataFrame,
    by: str | Sequence[str] = ("orientation", "nomAttribuant"),
    *,
    years: Sequence[int] | None = None,
    population: pd.Series[float] | None = None,
    needs: pd.DataFrame | None = None,
    bridge: bool | pd.DataFrame = False,
) -> pd.DataFrame:
    """Add up amounts by breakdown; planned, committed and paid are never mixed.

    Droit commun and specific credits stand on rows of their own as well: a breakdown always holds
    ``credits`` and ``etape``, so that nobody adds them without knowing.

    Parameters
    ----------
    financements : DataFrame
        Table ``financements``.
    by : str or sequence of str, default ("orientation", "nomAttribuant")
        Among ``orientation, nomAttribuant, commune, qpv, annee, credits, dispositifAide``.
    years : sequence of int, optional
        Years kept; all by default.
    population : Series, optional
        Inhabitants by ``commune`` or ``qpv``, when one of them is in ``by``: gives euros per
        inhabitant.
    needs : DataFrame, optional
        What `priorities` gives for the places of ``by`` (``commune`` or ``qpv``), to read amounts
        beside needs: adds ``rang_<theme>`` with ``rang_min_`` and ``rang_max_`` (1 is the most
        disadvantaged; the latest year of each theme). When ``by`` is the place alone, those that
        have no amount at all have rows of 0.
    bridge : bool or DataFrame, default False
        Whether needs of neighbourhoods of 2015 are read at those of 2024 that take them over:
        `qpv_bridge`, or a frame of the same columns.

    Returns
    -------
    DataFrame
        One row a breakdown, nature of credits and step: ``centimes`` (integer cents, exact),
        ``montant`` (euros), ``n`` rows, ``approche`` (an amount printed in millions or thousands is
        in it), and ``par_habitant`` (euros). An empty cell of a breakdown is `UNKNOWN`.

    Raises
    ------
    TableError, FaultsError
        A table that is refused; fractions of a cent.
    UnknownNameError
        A breakdown that there is not.
    BarometreError
        Inhabitants or needs without a breakdown by place; needs of other places altogether (of
        neighbourhoods of 2015 beside amounts of those of 2024, without ``bridge``); a bridge
        without needs, or not by ``qpv``, or that is none.
    """
    names = [by] if isinstance(by, str) else [*by]
    for name in names:
        if name not in BREAKDOWNS:
            raise UnknownNameError("ventilation", name, BREAKDOWNS)
    table = check_records("financements", financements)
    if years is not None:
        table = table[table["annee"].isin([*years])]
    keys = [*dict.fromkeys([*names, "credits", "etape"])]
    rows = table[keys].copy()
    for key in keys:
        if key != "annee":
            rows[key] = rows[key].fillna(UNKNOWN)
    rows["centimes"] = cents_of(table["montant"], table["unite"])
    rows["approche"] = table["unite"].isin(["k_eur", "M_eur"])
    grouped = rows.groupby(keys, sort=True)
    sums = grouped.agg(
        centimes=("centimes", "sum"), n=("centimes", "size"), approche=("approche", "any")
    ).reset_index()
    followed = None
    if bridge is not False:
        followed = _followed(needs, names, bridge)
        needs = _moved(needs, followed)
    if needs is not None:
        sums = _with_every_place(sums, names, needs)
    sums["montant"] = sums["centimes"] / 100
    sums["par_habitant"] = _per_head(sums, names, population)
    if needs is not None:
        sums = sums.join(_ranks(needs), on=_place_of(names, "needs"))
    if followed is not None:
        sums = sums.join(followed[["besoins_de", "note"]], on="qpv")
    order = {step: place for place, step in enumerate(STEPS)}
    return sums.sort_values(
        keys, key=lambda column: column.map(order) if column.name == "etape" else column
    ).reset_index(drop=True)


def _per_head(
    sums: pd.DataFrame, names: Sequence[str], population: pd.Series[float] | None
) -> pd.Series[float]:
    """Divide amounts by the inhabitants of the place of their row."""
    if population is None:
        return pd.Series(np.nan, sums.index)
    place = _place_of(names, "population")
    heads = sums[place].map(population).astype("float64")
    return (sums["montant"] / heads.where(heads > 0)).astype("float64")


def _place_of(names: Sequence[str], option: str) -> str:
    """Return the place of a breakdown."""
    place = next((name for name in ("qpv", "commune") if name in names), None)
    if place is None:
        raise BarometreError(f"{option} : ventiler par « commune » ou par « qpv » pour l'utiliser")
    return place


def _followed(
    needs: pd.DataFrame | None, names: Sequence[str], bridge: bool | pd.DataFrame
) -> pd.DataFrame:
    """Tell, by neighbourhood of 2024, whose needs are read beside it, or why none are."""
    if needs is None or "qpv" not in names:
        raise BarometreError("bridge : donner needs=, et ventiler par « qpv »")
    pairs = qpv_bridge() if bridge is True else bridge
    needed = {"code_2015", "code_2024", "identique", "regle"}
    if not isinstance(pairs, pd.DataFrame) or not needed <= set(pairs):
        raise BarometreError(f"bridge refusé : donner les colonnes {', '.join(sorted(needed))}")
    pairs = pairs.dropna(subset=["code_2015", "code_2024"])
    same = pairs["identique"].astype(bool)
    if (
        pairs.loc[same, "code_2015"].duplicated().any()
        or pairs.loc[same, "code_2024"].duplicated().any()
    ):
        raise BarometreError("bridge refusé : un quartier tenu pour deux autres")
    why = "besoins de " + pairs["code_2015"] + " non rapprochés : " + pairs["regle"]
    told = pairs.assign(besoins_de=pairs["code_2015"].where(same), note=why.mask(same))
    return told.groupby("code_2024").agg(
        besoins_de=("besoins_de", "first"),
        note=("note", lambda notes: " ; ".join(notes.dropna()) or None),
    )


def _moved(needs: pd.DataFrame | None, followed: pd.DataFrame) -> pd.DataFrame:
    """Give the needs of neighbourhoods of 2015 the codes of 2024, else leave them out."""
    assert needs is not None
    same = followed["besoins_de"].dropna()
    codes = needs["code"].map(dict(zip(same, same.index, strict=True)))
    old = needs["code"].str.startswith("QP")
    return needs.assign(code=codes.where(codes.notna(), needs["code"]))[codes.notna() | ~old]


_RANKS = ("rang", "rang_min", "rang_max")


def _with_every_place(
    sums: pd.DataFrame, names: Sequence[str], needs: pd.DataFrame
) -> pd.DataFrame:
    """Add rows of 0 for the places without amount; refuse needs of other places."""
    place = _place_of(names, "needs")
    absent = [name for name in ("theme", "code", "annee", *_RANKS) if name not in needs]
    if absent:
        remedy = "donner ce que rend priorities"
        raise BarometreError(f"needs : colonnes absentes ({', '.join(absent)}) ; {remedy}")
    spent = set(sums[place]) - {UNKNOWN}
    if spent and not spent & set(needs["code"]):
        raise BarometreError(
            f"needs : aucun lieu des montants ({min(spent)}...) n'y est"
            f" ({needs['code'].min()}...) ; classer les mêmes territoires, au même périmètre"
        )
    if [*names] != [place]:
        return sums
    places = pd.DataFrame({place: needs["code"].unique()})
    every = sums[["credits", "etape"]].drop_duplicates().merge(places, "cross")
    filled = sums.merge(every, "outer", on=[place, "credits", "etape"])
    filled = filled.fillna({"centimes": 0, "n": 0, "approche": False})
    return filled.astype({"centimes": "int64", "n": "int64", "approche": "bool"})


def _ranks(needs: pd.DataFrame) -> pd.DataFrame:
    """Lay the latest ranks of need out by place, three columns a theme."""
    last = needs.sort_values("annee", kind="stable").drop_duplicates(["theme", "code"], keep="last")
    ranks = {
        f"{rank}_{theme}": rows.set_index("code")[rank].astype("float64")
        for theme, rows in last.groupby("theme", sort=False)
        for rank in _RANKS
    }
    return pd.DataFrame(ranks)


def cpo_share(financements: pd.DataFrame, *, year: int, step: str = "engagé") -> pd.Series:
    """Compute the share of specific credits in agreements over several years (CPO).

    Parameters
    ----------
    financements : DataFrame
        Table ``financements``; an amount is in a CPO when its ``dispositifAide`` says so.
    year : int
        Year.
    step : {"prévu", "engagé", "payé"}, default "engagé"
        Step of the amounts.

    Returns
    -------
    Series
        ``centimes_cpo, centimes, part`` (percent; missing without specific credits), ``cible``
        (`CPO_TARGET`) and ``atteint``.

    Raises
    ------
    UnknownNameError
        A step that there is not.
    """
    if step not in STEPS:
        raise UnknownNameError("étape", step, STEPS)
    table = check_records("financements", financements)
    kept = (table["credits"] == "specifique") & (table["etape"] == step) & (table["annee"] == year)
    table = table[kept]
    cents = cents_of(table["montant"], table["unite"])
    device = table["dispositifAide"].fillna("").str.casefold()
    agreed = cents[device.map(lambda text: any(word in text for word in _CPO)).astype(bool)]
    whole, part = int(cents.sum()), int(agreed.sum())
    share = 100 * part / whole if whole else np.nan
    return pd.Series(
        {
            "annee": year,
            "etape": step,
            "centimes_cpo": part,
            "centimes": whole,
            "part": share,
            "cible": CPO_TARGET,
            "atteint": bool(share >= CPO_TARGET),
        },
        name="part en CPO",
    )


def contract_amounts() -> pd.DataFrame:
    """Give the amounts printed in the contract and the CRTE as a table ``financements``.

    Returns
    -------
    DataFrame
        The 48 amounts: the year is the first one given, else that of the signature; the nature of
        the source (``fonctionnement``, ``investissement``, ``fiscal``...) becomes that of the
        credits where it says it, else ``autre``. All are ``prévu``: no amount paid is printed.
    """
    frame = datasets.load("financements_contrat").frame
    credits_of = {
        "droit_commun": "droit_commun",
        "credits_specifiques": "specifique",
        "investissement": "investissement",
    }
    signed = frame["document"].map({"002": 2024, "003": 2021})
    first = pd.to_numeric(frame["annee_debut"], errors="coerce")
    table = pd.DataFrame(
        {
            "nomAttribuant": frame["financeur"].fillna(UNKNOWN),
            "objet": frame["objet"] + " (" + frame["territoire"] + ")",
            "montant": frame["montant"],
            "unite": frame["unite"],
            "annee": first.fillna(signed).astype("int64"),
            "orientation": frame["orientation"],
            "credits": frame["nature"].map(credits_of).fillna("autre"),
            "etape": "prévu",
        }
    )
    return check_records("financements", table)
