"""Intervals of unions of communes: each commune is a stratum of the census sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from barometre.cards.columns import KEY
from barometre.cards.listing import indicator_card
from barometre.engine.alignment import counted_once, expected_zones, places_of, strata_of
from barometre.engine.limits import as_design, bounds_of
from barometre.engine.results import stack
from barometre.engine.sampling import SurveyDesign
from barometre.engine.unions import Membership, aggregate, members_of
from barometre.engine.values import filled_values
from barometre.tables.table_set import Tables, as_tables


def union_intervals(
    tables: Tables | Mapping[str, pd.DataFrame],
    membership: Membership,
    indicators: str | Iterable[str] | None = None,
    *,
    design: SurveyDesign | None = None,
) -> pd.DataFrame:
    """Compute the indicators of unions of communes, with their intervals.

    Parameters
    ----------
    tables : Tables or mapping of str to DataFrame
        Tables of the communes, ``population`` among them: it decides how each was surveyed.
    membership : Series or mapping
        Commune to union, or union to the list of its communes, as `aggregate` takes it.
    indicators : str or iterable of str, optional
        Identifiers to compute, as `compute` takes them.
    design : SurveyDesign, optional
        SurveyDesign effects and level; by default ``SurveyDesign()``.

    Returns
    -------
    DataFrame
        As described by `Results`, one row per union, year and indicator. The values are those of
        ``compute(aggregate(tables, membership))``. A census share has an interval when every
        commune has its counts and its population; the limits of a count summed from rounded ones
        suppose that all were rounded the same way. ``note`` says why a value has no interval, as an
        estimate on part of the communes has none.

    Raises
    ------
    BarometreError
        As `aggregate` and `compute`.

    Notes
    -----
    See `uncertainty.stratified_wilson` and, for gaps, `uncertainty.newcombe`.

    Examples
    --------
    >>> codes = ["59172", "59446"]
    >>> result = union_intervals(
    ...     {
    ...         "population": pd.DataFrame(
    ...             {"code": codes, "annee": 2021, "population": [20_000, 4_000]}
    ...         ),
    ...         "logements": pd.DataFrame(
    ...             {
    ...                 "code": codes,
    ...                 "annee": 2021,
    ...                 "logements": [9_000, 2_000],
    ...                 "logements_vacants": [900, 100],
    ...             }
    ...         ),
    ...     },
    ...     {"CA": codes},
    ...     "taux_logements_vacants",
    ... )
    >>> result[["code", "valeur", "borne_inf", "borne_sup", "qualite"]].round(2)
      code  valeur  borne_inf  borne_sup qualite
    0   CA    9.09       8.36       9.88       A
    """
    checked, assumed = as_tables(tables), as_design(design)
    zones = expected_zones(checked, members_of(membership))
    unions = aggregate(checked, membership)
    filled, notes, _ = filled_values(unions, indicators)
    keys = pd.MultiIndex.from_frame(zones[["zone", "annee"]], names=list(KEY))
    entered = pd.MultiIndex.from_frame(zones[["union", "annee"]], names=list(KEY))
    places = places_of(checked, keys)
    bounds = {}
    for name, values in filled.items():
        rows = values.keys.get_indexer(entered)
        card = indicator_card(name)
        lead = next(iter(card.entrees))
        once = counted_once(zones, checked.index_of(lead) if lead in checked else keys)
        here = np.flatnonzero((rows >= 0) & once)
        strata = strata_of(card, checked, keys[here], rows[here], places.take(here))
        filled[name], bounds[name] = bounds_of(card, values, strata, assumed, notes)
    return stack(filled, notes, bounds)
