"""Territories that change: communes that merge, neighbourhoods that are redrawn.

Counts follow; statistics do not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.base.arguments import is_number
from barometre.base.errors import BarometreError
from barometre.base.frames import check_frame
from barometre.engine.unions import Rules, regroup
from barometre.tables.codes import SHOWN
from barometre.tables.members import pair_natures
from barometre.tables.table_set import Tables, as_tables, empty_statuts

BREAK = "périmètre 2015 rapporté au QPV 2024 : rupture"
"""What is said of every cell of a 2015 neighbourhood carried over to a 2024 one."""


def apply_passage(
    tables: Tables | Mapping[str, pd.DataFrame], passage: pd.Series[str] | Mapping[str, str]
) -> Tables:
    """Bring tables on the current communes.

    Parameters
    ----------
    tables : Tables or mapping of str to DataFrame
        Tables by commune; codes that the passage does not know are kept as they are.
    passage : Series or mapping
        Current code, by former code (`read_passage`).

    Returns
    -------
    Tables
        A renamed commune keeps everything. A commune born of a merger has the sum of the counts,
        missing where one of its parts is: once the whole is known, the sum of the others would
        give the hidden one back. Its parts are the former communes that some table has that year.
        Statistics of merged communes are missing (``non_defini``), with the reason.
    """
    checked = as_tables(tables)
    zones = _present(checked)
    zones["union"] = zones["zone"].map(dict(passage)).astype("str").fillna(zones["zone"])
    frames, statuts = regroup(checked, zones, Rules("commune fusionnée : {quoi} ne s'agrège pas"))
    labels = checked.territoires
    return Tables(frames, statuts=statuts, territoires=labels[labels.index.isin(zones["union"])])


def _present(tables: Tables) -> pd.DataFrame:
    """List the codes that some table has, year by year."""
    keys = [tables.index_of(name).to_frame(index=False) for name in tables]
    keys = keys or [empty_statuts()[["code", "annee"]]]
    return pd.concat(keys).drop_duplicates(ignore_index=True).rename(columns={"code": "zone"})


def qpv_correspondence() -> pd.DataFrame:
    """List the QPV of 2024 that take over those of 2015, for La Porte du Hainaut.

    Returns
    -------
    DataFrame
        ``code_2015``, ``code_2024``, ``nature`` (``un pour un``, ``fusion``, ``division``, ``sans
        équivalent``), ``rupture`` (always true: the perimeters differ), ``partiel`` (the 2015
        neighbourhood straddles another EPCI, the 2024 one is its part here) and ``fondement``.
    """
    pairs = datasets.load("correspondance_qp2015_qpv2024").frame.copy()
    nature = pair_natures(pairs["code_2015"], pairs["code_2024"])
    partial = pairs["fondement"].str.contains("chevauche")
    pairs = pairs.assign(nature=nature, rupture=True, partiel=partial)
    return pairs[["code_2015", "code_2024", "nature", "rupture", "partiel", "fondement"]]


def qpv_bridge(
    pairs: pd.DataFrame | None = None,
    populations: pd.DataFrame | None = None,
    *,
    kept: float = 0.9,
) -> pd.DataFrame:
    """Tell which neighbourhoods of 2015 are the same in 2024, so that a series may go on.

    Parameters
    ----------
    pairs : DataFrame, optional
        Pairs of neighbourhoods (`qpv_correspondence`, or `read_qpv_correspondence`); those of La
        Porte du Hainaut by default.
    populations : DataFrame, optional
        ``code`` and ``population`` of both generations; the printed ones by default.
    kept : float, default 0.9
        Share of the population that must be kept.

    Returns
    -------
    DataFrame
        The pairs, with ``part_conservee``, ``identique`` and ``regle``, the reason in words. A
        neighbourhood is the same when one takes over one, both within one EPCI, no part being known
        to have left, and the smaller population is at least ``kept`` of the larger.
        ``part_conservee`` is that ratio: the populations of both perimeters, not their overlap,
        which no list gives.

    Raises
    ------
    BarometreError
        ``kept`` out of ]0, 1]; frames without the columns.
    """
    if not is_number(kept) or not 0 < kept <= 1:
        raise BarometreError(f"kept={kept!r} refusé : donner une part entre 0 et 1 (0.9)")
    pairs = qpv_correspondence() if pairs is None else pairs
    people = _populations() if populations is None else populations
    check_frame(pairs, "pairs refusé", ("code_2015", "code_2024", "nature"))
    check_frame(people, "populations refusé", ("code", "population"))
    counts = people.drop_duplicates("code").set_index("code")["population"].astype("float64")
    before, after = (pairs[name].map(counts) for name in ("code_2015", "code_2024"))
    both = pd.concat([before, after], axis=1)
    share = both.min(axis=1, skipna=False) / both.max(axis=1, skipna=False)
    none = pd.Series(False, index=pairs.index)
    partial = pairs.get("partiel", none).fillna(False).astype(bool)
    reduced = pairs.get("fondement", none.astype("str")).str.contains(_REDUCED).fillna(False)
    reasons = [
        (pairs["nature"] != "un pour un", "périmètres fusionnés, divisés ou sans équivalent"),
        (partial, "à cheval sur deux EPCI"),
        (reduced, "une partie du quartier en est sortie"),
        (share.isna(), "population inconnue"),
        (share < kept, f"population conservée à moins de {100 * kept:.0f} %"),
    ]
    told = np.select([where for where, _ in reasons], [text for _, text in reasons], "identique")
    return pairs.assign(part_conservee=share, identique=told == "identique", regle=told)


_REDUCED = "réduit|sort de"


def _populations() -> pd.DataFrame:
    """Give the printed populations of the neighbourhoods of both generations."""
    old = datasets.load("population_2018").frame[["code", "population_2018_nb"]]
    new = datasets.load("qpv_2024").frame[["code", "population_qpv_2024_nb"]]
    return pd.concat([frame.set_axis(["code", "population"], axis=1) for frame in (old, new)])


def to_2024(
    tables: Tables | Mapping[str, pd.DataFrame],
    *,
    accept_break: bool = False,
    partial: Collection[str] = (),
) -> Tables:
    """Carry neighbourhoods of 2015 over to those of 2024, a break being accepted.

    Parameters
    ----------
    tables : Tables or mapping of str to DataFrame
        Tables with codes of 2015 (``"QP059050"``).
    accept_break : bool, default False
        Accept that the perimeters differ.
    partial : collection of str, optional
        Neighbourhoods of 2015 to carry over although they straddle another EPCI.

    Returns
    -------
    Tables
        Codes of 2024; every cell carried over has the remark `BREAK`. A merger has the sum of the
        counts, and no statistic. A straddling neighbourhood that is not in ``partial`` gives
        nothing (``non_disponible``, with the reason), nor does the merger it enters. What has no
        correspondence is kept as it is.

    Raises
    ------
    BarometreError
        Break not accepted; nothing to carry over; year already given for 2024; wrong ``partial``.
    """
    if not accept_break:
        raise BarometreError(
            "QP de 2015 et QPV de 2024 n'ont pas les mêmes périmètres : les enchaîner rompt la"
            " série ; l'accepter par accept_break=True, ou garder deux séries"
        )
    checked, pairs = as_tables(tables), qpv_correspondence()
    pairs = pairs[~pairs["nature"].isin(["division", "sans équivalent"])]
    straddling = set(pairs.loc[pairs["partiel"], "code_2015"])
    here = _present(checked)
    carried = here.merge(pairs, left_on="zone", right_on="code_2015")[["code_2024", "annee"]]
    clash = carried.merge(here, left_on=["code_2024", "annee"], right_on=["zone", "annee"])
    if set(partial) - straddling or carried.empty or len(clash):
        raise BarometreError(
            f"quartiers non rapportés : {len(carried)} quartiers de 2015 dans les tables,"
            f" {len(clash)} déjà donnés en 2024 ({', '.join(clash['zone'][:SHOWN])}, à retirer) ;"
            f" « partial » n'admet que {', '.join(sorted(straddling))}, à cheval sur deux EPCI"
        )
    parts = carried.drop_duplicates().merge(pairs, on="code_2024")  # all those of a merger
    parts = parts.rename(columns={"code_2015": "zone", "code_2024": "union"})
    others = here[~here["zone"].isin(pairs["code_2015"])]
    zones = pd.concat([parts[["zone", "annee", "union"]], others.assign(union=others["zone"])])
    withheld = _withhold(checked, straddling - set(partial))
    rules = Rules("quartiers fusionnés : {quoi} ne s'agrège pas")
    frames, statuts = regroup(withheld, zones.reset_index(drop=True), rules)
    marked = _cells(frames, parts["union"]).assign(rupture=BREAK)
    statuts = statuts.merge(marked, how="outer", on=["code", "annee", "table", "colonne"])
    said = (statuts["motif"].fillna("") + " ; " + statuts["rupture"].fillna("")).str.strip(" ;")
    statuts = statuts.assign(statut=statuts["statut"].fillna("ok"), motif=said.where(said != ""))
    labels = datasets.load("territoires").frame.set_index("code").drop(columns="geographie")
    labels = labels.combine_first(checked.territoires)
    return Tables(frames, statuts=statuts, territoires=labels[labels.index.isin(zones["union"])])


def _cells(frames: Mapping[str, pd.DataFrame], codes: Collection[str]) -> pd.DataFrame:
    """List the cells of some territories that hold a value."""
    rows = {name: f[f.index.isin(codes, level="code")].reset_index() for name, f in frames.items()}
    long = [f.melt(["code", "annee"], var_name="colonne").assign(table=n) for n, f in rows.items()]
    return pd.concat(long).dropna(subset="value").drop(columns="value")


def _withhold(tables: Tables, codes: Collection[str]) -> Tables:
    """Empty the cells of some territories, saying why."""
    told = tables.statuts
    motif = "quartier à cheval sur un autre EPCI, non rapporté (partial=)"
    lost = _cells(tables, codes).assign(statut="non_disponible", qualite=None, motif=motif)
    frames = {name: tables[name].copy() for name in tables}
    for frame in frames.values():
        frame.loc[frame.index.isin(codes, level="code")] = np.nan
    return Tables(frames, statuts=pd.concat([told[~told["code"].isin(codes)], lost]))
