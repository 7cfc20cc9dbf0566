"""What an edition changes to the one before: revised, withdrawn, secret or not, and why."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from barometre.base.errors import UnknownNameError
from barometre.cards.listing import load_cards
from barometre.datasets.places.bundle import YEARS, communes, former_communes
from barometre.monitoring.editions.edition import Edition

Reason = Literal["revision", "correction"]
REASONS = ("revision", "correction")
KEY = ["code", "annee", "indicateur"]
CHANGES = (
    "révisée",
    "dépendante",
    "suivie",
    "nouvelle",
    "retirée",
    "devenue secrète",
    "publiée après secret",
    "autre absence",
    "autre qualité",
    "autre méthode",
)
"""Kinds of changes between two editions."""


def compare_editions(
    old: Edition | pd.DataFrame,
    new: Edition | pd.DataFrame,
    *,
    reason: Reason | None = None,
    passage: Mapping[str, str] | pd.Series[str] | None = None,
    tolerance: float = 1e-9,
) -> pd.DataFrame:
    """List what differs between two editions, cell by cell.

    Parameters
    ----------
    old, new : Edition or DataFrame
        Editions, or their tidy results.
    reason : {"revision", "correction"}, optional
        Why values were revised: the producer published others, or ours were wrong. Without it the
        column says ``à préciser``.
    passage : mapping or Series, optional
        Current code by former code, that wins over the bundled ones (communes that merged, EPCI
        with a new number or that joined another one, since 2021): a former code whose current one
        is in the new edition is followed, not withdrawn. The same territory under a new number is
        one territory: its cells are compared, under that number.
    tolerance : float, default 1e-9
        Relative difference under which two values are the same.

    Returns
    -------
    DataFrame
        ``code, annee, indicateur, nature`` (a kind of `CHANGES`), ``avant, apres`` (values),
        ``statut_avant, statut_apres, raison, depend_de`` and ``suivi_par`` (current code). When one
        count is corrected, the indicators made from it move too: the count is ``révisée``, they are
        ``dépendante`` and ``depend_de`` names it. Empty when nothing differs.

    Raises
    ------
    UnknownNameError
        A reason that there is not.
    """
    if reason is not None and reason not in REASONS:
        raise UnknownNameError("raison", str(reason), REASONS)
    before, after = (_rows(edition) for edition in (old, new))
    passage, renumbered = _passages(before, after, passage)
    before = before.assign(code=before["code"].replace(renumbered))
    both = before.merge(after, on=KEY, how="outer", suffixes=("_avant", "_apres"), indicator=True)
    both["nature"] = _natures(both, tolerance)
    changed = both[both["nature"] != ""].copy()
    changed["raison"] = np.where(changed["nature"] == "révisée", reason or "à préciser", "")
    changed["depend_de"] = _depends(changed)
    changed.loc[changed["depend_de"] != "", "nature"] = "dépendante"
    changed["suivi_par"] = _followed(changed, after, passage)
    changed.loc[changed["suivi_par"] != "", "nature"] = "suivie"
    renamed = {"valeur_avant": "avant", "valeur_apres": "apres"}
    columns = [*KEY, "nature", "avant", "apres", "statut_avant", "statut_apres"]
    return (
        changed.rename(columns=renamed)[[*columns, "raison", "depend_de", "suivi_par"]]
        .sort_values(KEY)
        .reset_index(drop=True)
    )


def _rows(edition: Edition | pd.DataFrame) -> pd.DataFrame:
    results = edition.results if isinstance(edition, Edition) else edition
    return results[[*KEY, "valeur", "statut", "qualite", "origine"]]


def _natures(both: pd.DataFrame, tolerance: float) -> pd.Series[str]:
    """Name the change of each cell, empty where there is none; the first that fits."""
    old, new = both["valeur_avant"], both["valeur_apres"]
    was, became = both["statut_avant"], both["statut_apres"]
    known = (was == "ok") & (became == "ok")
    same = np.isclose(old.astype(float), new.astype(float), rtol=tolerance, atol=0.0)
    quality = both["qualite_avant"].fillna("") != both["qualite_apres"].fillna("")
    origin = both["origine_avant"] != both["origine_apres"]
    cases = [
        (both["_merge"] == "right_only", "nouvelle"),
        (both["_merge"] == "left_only", "retirée"),
        ((was != "secret") & (became == "secret"), "devenue secrète"),
        ((was == "secret") & (became != "secret"), "publiée après secret"),
        (known & ~same, "révisée"),
        (was != became, "autre absence"),
        (quality, "autre qualité"),
        (origin, "autre méthode"),
    ]
    names = np.select([case for case, _ in cases], [name for _, name in cases], default="")
    return pd.Series(names, both.index)


def _depends(changed: pd.DataFrame) -> pd.Series[str]:
    """Name, for each revised rate, the revised count of the same cell that it is made from."""
    cards = load_cards()
    inputs = {
        name: {(table, column) for table, columns in card.entrees.items() for column in columns}
        for name, card in cards.items()
    }
    counts = {name for name, card in cards.items() if card.nature == "effectif"}
    revised = changed[changed["nature"] == "révisée"]
    found = dict.fromkeys(changed.index, "")
    for _, rows in revised.groupby(["code", "annee"]):
        names = rows["indicateur"]
        roots = [name for name in names if name in counts]
        made = [
            [root for root in roots if inputs.get(root, set()) & inputs.get(name, set())]
            for name in names
        ]
        told = [
            "" if name in counts else ", ".join(some)
            for name, some in zip(names, made, strict=True)
        ]
        found |= dict(zip(rows.index, told, strict=True))
    return pd.Series(found, dtype="str")


def successors(
    before: pd.Series[str], after: pd.Series[str], former: Mapping[str, str] | pd.Series[str]
) -> pd.DataFrame:
    """Find what has become of the wholes that are gone: those that are, whole, in one of today.

    Parameters
    ----------
    before, after : Series
        Whole (EPCI) by part (commune), then and now.
    former : mapping or Series
        Current commune by former one.

    Returns
    -------
    DataFrame
        By code of a whole that is gone: ``actuel``, the one that now holds all its parts, and
        ``meme`` (True when it holds nothing else and is new: the same territory, renumbered). One
        that was split is not there.

    Examples
    --------
    >>> then = pd.Series({"a": "X", "b": "X", "c": "Y", "d": "Z"})
    >>> now = pd.Series({"a": "X2", "b": "X2", "c": "Z", "d": "Z"})
    >>> successors(then, now, {}).to_dict("index")
    {'X': {'actuel': 'X2', 'meme': True}, 'Y': {'actuel': 'Z', 'meme': False}}
    """
    before, after = before.dropna(), after.dropna()
    follow = dict(former)
    parts = pd.Series([follow.get(code, code) for code in before.index], before.index)
    today = parts.map(after).fillna("")
    gone = ~before.isin(set(after)).to_numpy()
    rows = {}
    for whole, now in today[gone].groupby(before[gone]):
        held = now.iloc[0]
        if held == "" or (now != held).any():
            continue
        same = set(parts[now.index]) == set(after.index[after == held])
        rows[str(whole)] = {"actuel": str(held), "meme": bool(same and held not in set(before))}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["actuel", "meme"])


@functools.cache
def _bundled_passages() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the current code of former communes and EPCI, and those that only changed number."""
    former, now = former_communes()["commune"], communes()
    former = former[former.index != former]
    current: dict[str, str] = dict(former)
    same: dict[str, str] = {}
    for year in YEARS[:-1]:
        then = communes(year)
        gone = former[former.index.isin(then.index)]
        alone = gone[~gone.duplicated(keep=False) & ~gone.isin(then.index)]
        same |= dict(alone)
        for column in ("epci", "ept"):
            if then[column].isna().all():
                continue
            found = successors(then[column], now[column], former)
            current |= dict(found["actuel"])
            same |= dict(found.loc[found["meme"].astype(bool), "actuel"])
    return MappingProxyType(current), MappingProxyType(same)


def _passages(
    before: pd.DataFrame, after: pd.DataFrame, given: Mapping[str, str] | pd.Series[str] | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the passages to follow, and the codes of the former edition that changed number."""
    own = {} if given is None else {str(old): str(now) for old, now in dict(given).items()}
    was, now = set(before["code"]), set(after["code"])
    if was <= now | set(own):
        return own, {}
    current, same = _bundled_passages()
    renumbered = {
        code: same[code]
        for code in was - now - set(own)
        if same.get(code) in now and same[code] not in was
    }
    return {**current, **own}, renumbered


def _followed(
    changed: pd.DataFrame, after: pd.DataFrame, passage: Mapping[str, str]
) -> pd.Series[str]:
    """Give the current code of a withdrawn one, where the new edition has it."""
    current = changed["code"].map(dict(passage)).astype("str").fillna("")
    here = current.isin(after["code"]) & (current != changed["code"])
    return current.where(here & (changed["nature"] == "retirée"), "")
