"""What the verbs say of all the territories of a report, asked once: verdicts, changes, trends."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from barometre.cards.listing import load_cards
from barometre.compare.proof.breaks import Bridge
from barometre.compare.proof.counts import counts_behind
from barometre.compare.proof.trends import trend
from barometre.compare.proof.verdicts import judge
from barometre.compare.rows import checked_rows
from barometre.compare.years import evolution
from barometre.datasets.places.members import Given, Members, members
from barometre.engine.results import displayed
from barometre.engine.sampling import normal_quantile
from barometre.pages.territory.facts.places import Place, peers_of, places_of, references_of
from barometre.tables.table_set import DOUBTFUL, Tables, as_tables

PROOFS = ("sondage", "arrondi", "hasard")
"""Proofs that a page admits: a class of 5 % establishes nothing."""

Row = Mapping[Hashable, Any]
Key = tuple[str, str]


@dataclass(frozen=True)
class Evidence:
    """Results and what is said of them, for every territory of a report.

    Attributes
    ----------
    results : DataFrame
        Tidy results, values of grade D hidden.
    places : mapping of str to Place
        The territories by code.
    references, peers : mapping of str to tuple of str
        What each is compared with, the one of the verdicts first; those it is placed among.
    cells : mapping of (code, indicator) to mapping of int to row
        Rows by year.
    verdicts : mapping of (code, indicator) to mapping of reference to row
        Verdicts at the last year that has a value.
    changes : mapping of (code, indicator) to row
        Change between the last year and the furthest one that may be compared with it; else the
        refusal.
    trends : mapping of (code, indicator) to row
        Trend of the series, marked against the first reference.
    members : Members
        Who is in what.
    tables : Tables, optional
        Tables the results come from.
    level : float
        Level of the proofs.
    """

    results: pd.DataFrame = field(repr=False)
    places: Mapping[str, Place]
    references: Mapping[str, tuple[str, ...]]
    peers: Mapping[str, tuple[str, ...]]
    cells: Mapping[Key, Mapping[int, Row]] = field(repr=False)
    verdicts: Mapping[Key, Mapping[str, Row]] = field(repr=False)
    changes: Mapping[Key, Row] = field(repr=False)
    trends: Mapping[Key, Row] = field(repr=False)
    members: Members = field(repr=False)
    tables: Tables | None = field(default=None, repr=False)
    level: float = 0.95

    def value(self, code: str, name: str, year: int) -> float | None:
        """Return a known value, None where there is none."""
        row = self.cells.get((code, name), {}).get(year)
        if row is None or row["valeur"] != row["valeur"]:
            return None
        return float(row["valeur"])

    def with_place(self, code: str) -> Evidence:
        """Add a territory that has no page: its references and peers, nothing judged."""
        there = list(self.places)
        above = {code: references_of(code, there, None, self.members)}
        return replace(
            self,
            references={**self.references, **above},
            peers={**self.peers, code: peers_of(code, there)},
        )


def gather(
    results: pd.DataFrame,
    territories: Sequence[str],
    *,
    references: Sequence[str] | None = None,
    tables: Tables | Mapping[str, pd.DataFrame] | None = None,
    labels: pd.DataFrame | None = None,
    membership: Given | Iterable[Given] | None = None,
    bridge: Bridge = None,
    level: float = 0.95,
) -> Evidence:
    """Ask the verbs all that the pages say, once for all territories.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them.
    territories : sequence of str
        Codes of the pages.
    references : sequence of str, optional
        Codes of what they are compared with, the one of the verdicts first.
    tables : Tables or mapping of DataFrame, optional
        Tables the results come from.
    labels : DataFrame, optional
        Labels and levels by code; those of the tables by default.
    membership : Series, mapping, DataFrame, path or list of these, optional
        Who is in what.
    bridge : bool or DataFrame, optional
        Follow the neighbourhoods of 2015 into those of 2024 where they are the same.
    level : float, default 0.95
        Level of the proofs.

    Returns
    -------
    Evidence
    """
    given = None if tables is None else as_tables(tables)
    if labels is None and given is not None:
        labels = given.territoires
    shown = _in_order(displayed(checked_rows(results).frame))
    there = list(dict.fromkeys(shown["code"].astype(str)))
    known = members(membership)
    refs = {
        code: references_of(code, _comparable(shown, code), references, known)
        for code in territories
    }
    rows = {} if shown.empty else _by_year(_counted(shown, given))
    return Evidence(
        shown,
        places_of(there, labels),
        refs,
        {code: peers_of(code, there) for code in territories},
        rows,
        _verdicts(shown, territories, refs, given, membership, level),
        _changes(shown, territories, bridge, level),
        _trends(shown, territories, refs, given, membership, bridge, level),
        known,
        given,
        level,
    )


def _in_order(shown: pd.DataFrame) -> pd.DataFrame:
    """Put rows in the order of the catalogue, whatever that received: a page follows from them.

    Ties are ranked, and what is chosen among equals is chosen, in this order.
    """
    place = {name: number for number, name in enumerate(load_cards())}
    rank = shown["indicateur"].astype(str).map(place).fillna(len(place))
    keys = pd.DataFrame({"rank": rank, **{k: shown[k].astype(str) for k in ("indicateur", "code")}})
    keys["annee"] = shown["annee"]
    order = keys.reset_index(drop=True).sort_values(["rank", "indicateur", "annee", "code"]).index
    return shown.iloc[order].reset_index(drop=True)


def _comparable(shown: pd.DataFrame, code: str) -> list[str]:
    """List the territories that have a value of an indicator of which this one has a value.

    A region of which the results know the IDH-4 alone is no reference of a neighbourhood.
    """
    known = shown[shown["statut"] == "ok"]
    mine = known.loc[known["code"] == code, "indicateur"]
    return list(dict.fromkeys(known.loc[known["indicateur"].isin(mine), "code"].astype(str)))


def _counted(shown: pd.DataFrame, tables: Tables | None) -> pd.DataFrame:
    """Put the counts behind each share beside it, and whether they were rebuilt from it."""
    counts = counts_behind(checked_rows(shown), tables)
    return shown.assign(
        effectif=counts.above,
        base=counts.below,
        effectif_approche=counts.above_rebuilt,
        base_approche=counts.below_rebuilt,
    )


def _by_year(frame: pd.DataFrame) -> dict[Key, dict[int, Row]]:
    found: dict[Key, dict[int, Row]] = {}
    for row in frame.to_dict("records"):
        found.setdefault((row["code"], row["indicateur"]), {})[int(row["annee"])] = row
    return found


def last_year(rows: Mapping[int, Row]) -> int:
    """Return the last year that has a value, else the last one."""
    known = [year for year, row in rows.items() if row["valeur"] == row["valeur"]]
    return max(known or rows)


def _latest_rows(shown: pd.DataFrame, codes: Iterable[str]) -> pd.DataFrame:
    """Keep the last known year of each territory and indicator."""
    mine = shown[shown["code"].isin(set(codes)) & shown["valeur"].notna()]
    last = mine.groupby(["code", "indicateur"])["annee"].transform("max")
    return mine[mine["annee"] == last]


def _verdicts(
    shown: pd.DataFrame,
    territories: Sequence[str],
    refs: Mapping[str, tuple[str, ...]],
    tables: Tables | None,
    membership: Given | Iterable[Given] | None,
    level: float,
) -> dict[Key, dict[str, Row]]:
    """Judge the last value of each indicator, reference by reference."""
    last = _latest_rows(shown, territories)
    asked: dict[str, list[str]] = {}
    for code, own in refs.items():
        for reference in own:
            asked.setdefault(reference, []).append(code)
    found: dict[Key, dict[str, Row]] = {}
    counts = shown[shown["indicateur"].map(_counts_others(shown)).fillna(False).astype(bool)]
    for reference, codes in asked.items():
        mine = last[last["code"].isin(codes)]
        theirs = shown[(shown["code"] == reference) & shown["indicateur"].isin(mine["indicateur"])]
        if mine.empty or theirs.empty:
            continue  # a region known by one index only, say
        helpers = counts[counts["code"].isin([*codes, reference])]
        rows = pd.concat([mine, theirs, helpers])
        rows = rows[~rows.duplicated(["code", "annee", "indicateur"])]
        judged = judge(
            rows.reset_index(drop=True),
            reference,
            proof=PROOFS,  # type: ignore[arg-type] # names of the closed list
            level=level,
            tables=tables,
            membership=membership,
        )
        wanted = set(zip(mine["code"], mine["indicateur"], mine["annee"], strict=True))
        for row in judged.to_dict("records"):
            if (row["code"], row["indicateur"], row["annee"]) in wanted:
                found.setdefault((row["code"], row["indicateur"]), {})[reference] = row
    return found


def _counts_others(shown: pd.DataFrame) -> dict[str, bool]:
    """Tell the indicators that are counts: the shares they are behind are judged by them."""
    from barometre.cards.listing import indicator_card

    return {
        name: indicator_card(name).nature == "effectif" for name in shown["indicateur"].unique()
    }


def _changes(
    shown: pd.DataFrame, territories: Sequence[str], bridge: Bridge, level: float
) -> dict[Key, Row]:
    """Compare the last year with the furthest one that may be, else say the refusal."""
    mine = shown[shown["code"].isin(set(territories))]
    known = mine[mine["valeur"].notna()]
    years = {
        str(name): sorted(set(part["annee"].astype(int)))
        for name, part in known.groupby("indicateur")
    }
    pairs: dict[tuple[int, int], list[str]] = {}
    for name, dates in years.items():
        for start in dates[:-1]:
            pairs.setdefault((start, dates[-1]), []).append(name)
    found: dict[Key, Row] = {}
    for (start, end), names in sorted(pairs.items()):
        rows = mine[mine["indicateur"].isin(names) & mine["annee"].isin((start, end))]
        compared = evolution(rows.reset_index(drop=True), start, end, bridge=bridge)
        counts = _with_chance(compared, level)
        for row in counts.to_dict("records"):
            key = (row["code"], row["indicateur"])
            if _better(row, found.get(key)):
                found[key] = row
    return found


def _better(row: Row, before: Row | None) -> bool:
    """Prefer a change that is allowed, then the furthest, which comes first."""
    if before is None:
        both = row["valeur_debut"] == row["valeur_debut"] and row["valeur_fin"] == row["valeur_fin"]
        return bool(
            row["statut"] in ("ok", "secret") or (row["statut"] == "non_comparable" and both)
        )
    return bool(row["statut"] == "ok" and before["statut"] != "ok")


def _with_chance(compared: pd.DataFrame, level: float) -> pd.DataFrame:
    """Say whether a change is more than chance alone would do; missing when nothing tells.

    Two counts of a register are seen as Poisson draws: the difference over the square root of
    their sum is compared with the normal quantile (Przyborowski and Wilenski, 1940, in its normal
    form). A sampled value has the bounds that `evolution` gives.
    """
    from barometre.cards.listing import indicator_card

    cards = {name: indicator_card(name) for name in compared["indicateur"].unique()}
    register = compared["indicateur"].map(
        lambda name: cards[name].nature == "effectif" and cards[name].exploitation == "exhaustif"
    )
    both = (compared["valeur_debut"] + compared["valeur_fin"]).to_numpy(np.float64)
    change = compared["evolution"].to_numpy(np.float64)
    low, high = (compared[name].to_numpy(np.float64) for name in ("evolution_inf", "evolution_sup"))
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.abs(change) / np.sqrt(both) > normal_quantile(level)
    told = np.where(register, drawn, (low > 0) | (high < 0)).astype(object)
    unknown = ~np.where(register, both > 0, ~np.isnan(low))
    unknown |= (compared["qualite"] == DOUBTFUL).to_numpy(bool)  # nothing rests on such an end
    told[unknown.astype(bool)] = None
    return compared.assign(etabli=told)


def _trends(
    shown: pd.DataFrame,
    territories: Sequence[str],
    refs: Mapping[str, tuple[str, ...]],
    tables: Tables | None,
    membership: Given | Iterable[Given] | None,
    bridge: Bridge,
    level: float,
) -> dict[Key, Row]:
    """Test the series, those of one first reference together."""
    by_first: dict[str | None, list[str]] = {}
    for code in territories:
        by_first.setdefault(next(iter(refs[code]), None), []).append(code)
    found: dict[Key, Row] = {}
    for reference, codes in by_first.items():
        rows = shown[shown["code"].isin([*codes, *([reference] if reference else [])])]
        tested = trend(
            rows.reset_index(drop=True),
            alpha=1 - level,
            reference=reference,
            tables=tables,
            bridge=bridge,
            membership=membership,
        )
        for row in tested[tested["code"].isin(codes)].to_dict("records"):
            found[(row["code"], row["indicateur"])] = row
    return found


def zones_of(evidence: Evidence, code: str) -> tuple[str, ...]:
    """List what a territory is drawn with: its peers, or what an EPCI is made of.

    Returns
    -------
    tuple of str
        For an EPCI, its neighbourhoods among the results (of the perimeter that has most), else
        its communes.
    """
    if evidence.places[code].level != "epci":
        return evidence.peers[code]
    quarters = evidence.members.quarters
    mine = set(quarters.loc[quarters["epci"] == code, "code"])
    groups = [tuple(c for c in evidence.places if c in mine and c[:2] == p) for p in ("QP", "QN")]
    return max(groups, key=len) or towns_of(evidence, code)


def towns_of(evidence: Evidence, code: str) -> tuple[str, ...]:
    """List the communes of an EPCI that are among the results."""
    towns = evidence.members.communes
    inside = set(towns.index[towns["epci"] == code])
    return tuple(c for c in evidence.places if c in inside)
