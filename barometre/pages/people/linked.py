"""What two tables of one page tell together: totals of one less the parts of another."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd

SECRET = "secret"
TOTAL = "Ensemble"


@dataclass(frozen=True)
class Relation:
    """A total that a table shows, and the parts of it that another one shows.

    Attributes
    ----------
    tables : tuple of str
        The table of the total, and that of the parts.
    what : str
        Which people.
    key : mapping
        Columns of the rows of the parts.
    rest : int
        The total less the parts shown: people that no table is meant to count.
    """

    tables: tuple[str, str]
    what: str
    key: Mapping[str, Any]
    rest: int


def relations_of(
    tables: Mapping[str, pd.DataFrame],
    event: str | None = None,
    arms: Mapping[str, Hashable] | None = None,
) -> Iterator[Relation]:
    """List the subtractions that a reader can make between the tables of a page.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Protected tables: ``suivi``, ``pertes``, ``statuts``, ``raisons``, ``durées``.
    event : str, optional
        Status whose first time is told in ``durées``.
    arms : mapping of str to object, optional
        Groups of ``suivi`` that ``pertes`` calls ``treated`` and ``control``.

    Yields
    ------
    Relation
        Present less their statuses, by wave; first and last people followed less the lost; the lost
        less the reasons; those present without the event less those at risk of it.
    """
    present = _present(tables.get("suivi"))
    yield from _statuses(present, tables.get("statuts"))
    lost = tables.get("pertes")
    if lost is not None and present:
        yield from _kept(present, lost, arms or {})
        if (reasons := tables.get("raisons")) is not None:
            yield from _reasons(lost, reasons)
    if (curve := tables.get("durées")) is not None and event is not None:
        yield from _at_risk(present, tables.get("statuts"), curve, event)


_Present: TypeAlias = Mapping[tuple[Any, Any], int]


def _present(follow: pd.DataFrame | None) -> _Present:
    if follow is None:
        return {}
    shown = follow[follow["status"] != SECRET]
    groups = shown["group"] if "group" in shown else pd.Series("", shown.index)
    return {
        (group, wave): int(n)
        for group, wave, n in zip(groups, shown["wave"], shown["n_present"], strict=True)
    }


def _statuses(present: _Present, states: pd.DataFrame | None) -> Iterator[Relation]:
    if states is None:
        return
    keys = [name for name in ("group", "wave") if name in states]
    for at, rows in states.groupby(keys, sort=False):
        where = (at[0], at[1]) if len(keys) == 2 else ("", at[0])
        if where in present:
            key = dict(zip(keys, at, strict=True))
            yield Relation(("suivi", "statuts"), "présents", key, present[where] - _sum(rows["n"]))


def _kept(
    present: _Present, lost: pd.DataFrame, arms: Mapping[str, Hashable]
) -> Iterator[Relation]:
    first, last = (choose(wave for _, wave in present) for choose in (min, max))
    for name, group in arms.items():
        row = lost[lost["group"] == name].iloc[0]
        if row["status"] != SECRET and {(group, first), (group, last)} <= set(present):
            rest = int(row["n"]) - int(row["n_lost"]) - present[group, last]
            yield Relation(("pertes", "suivi"), "encore suivis", {"group": name}, rest)


def _reasons(lost: pd.DataFrame, reasons: pd.DataFrame) -> Iterator[Relation]:
    arms = lost[lost["group"].isin(["treated", "control"])]
    if (arms["status"] == SECRET).any():
        return
    total = reasons.loc[reasons.iloc[:, 0] == TOTAL]
    if len(total) and TOTAL in reasons and pd.notna(known := total[TOTAL].iloc[0]):
        rest = int(arms["n_lost"].sum()) - int(known)
        yield Relation(("pertes", "raisons"), "perdus", {}, rest)


def _at_risk(
    present: _Present, states: pd.DataFrame | None, curve: pd.DataFrame, event: str
) -> Iterator[Relation]:
    if states is None or not len(states):
        return
    first = states["wave"].min()
    groups = curve["group"] if "group" in curve else pd.Series("", curve.index)
    for group, rows in curve.groupby(groups, sort=False):
        mine = states["wave"] == first
        mine &= (states["group"] == group) if "group" in states else True
        at = states[mine & (states["state"] == event)]
        risk = rows["n_risk"].iloc[0]
        if (group, first) in present and len(at) and pd.notna(risk) and at["n"].notna().all():
            rest = present[group, first] - _sum(at["n"]) - int(risk)
            yield Relation(("statuts", "durées"), "sans l'événement", {}, rest)


def _sum(column: pd.Series[Any]) -> int:
    return int(pd.to_numeric(column, errors="coerce").fillna(0).sum())


def tie(
    tables: dict[str, pd.DataFrame],
    threshold: float,
    event: str | None = None,
    arms: Mapping[str, Hashable] | None = None,
) -> tuple[int, tuple[str, ...]]:
    """Hide what another table gives back, and say how many subtractions were tried.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Protected tables; those that tell too much lose rows, or go.
    threshold : float
        Smallest number of people shown: a rest below it, but for nobody, is a small count.
    event : str, optional
        Status whose first time is told.
    arms : mapping of str to object, optional
        Groups of ``suivi`` that ``pertes`` calls ``treated`` and ``control``.

    Returns
    -------
    number : int
        Subtractions tried on the tables that stay.
    hidden : tuple of str
        What was hidden.
    """
    hidden: list[str] = []
    _hide_waves(tables, hidden)
    while True:
        tried = list(relations_of(tables, event, arms))
        leaks = [found for found in tried if found.rest and found.rest < threshold]
        if not leaks:
            return len(tried), tuple(hidden)
        for leak in leaks:
            _hide(tables, leak, hidden)


def _hide_waves(tables: dict[str, pd.DataFrame], hidden: list[str]) -> None:
    """Hide in the other tables the waves that the follow-up hides."""
    follow, lost, states = (tables.get(name) for name in ("suivi", "pertes", "statuts"))
    if follow is None:
        return
    last = follow["wave"] == follow["wave"].max()
    if lost is not None and (follow.loc[last, "status"] == SECRET).any():
        figures = {str(c): None for c in lost if c not in ("group", "status")}
        tables["pertes"] = lost.assign(**figures, status=SECRET)
        hidden.append("pertes, entièrement : la dernière vague du suivi est masquée")
    if states is None:
        return
    keys = [name for name in ("group", "wave") if name in states and name in follow]
    secret = follow.loc[follow["status"] == SECRET, keys].drop_duplicates()
    if len(secret):
        marked = states.merge(secret.assign(_hidden=True), on=keys, how="left")
        kept = states[marked["_hidden"].isna().to_numpy()]
        if len(kept) < len(states):
            hidden.append("statuts : les vagues que le suivi masque")
        tables["statuts"] = kept.reset_index(drop=True)


def _hide(tables: dict[str, pd.DataFrame], leak: Relation, hidden: list[str]) -> None:
    name = leak.tables[1]
    table = tables.get(name)
    if table is None:
        return
    if name == "statuts":
        mine = pd.Series(True, table.index)
        for column, value in leak.key.items():
            mine &= table[column] == value
        tables[name] = table[~mine].reset_index(drop=True)
        wave = leak.key["wave"]
        hidden.append(f"statuts de la vague {wave} : le suivi en donnerait un petit reste")
        return
    # The lost are hidden rather than the follow-up, which is read first.
    name = "pertes" if name == "suivi" else name
    if name == "pertes":
        lost = tables[name]
        figures = {str(c): None for c in lost if c not in ("group", "status")}
        tables[name] = lost.assign(**figures, status=SECRET)
    else:
        del tables[name]
    hidden.append(f"{name}, entièrement : « {leak.tables[0]} » en donnerait un petit reste")
