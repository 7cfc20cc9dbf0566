"""What an edition changes to the one before: revised, withdrawn, secret or not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from barometre.base.errors import UnknownNameError
from barometre.cards.listing import load_cards
from barometre.monitoring.editions import Edition

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
        Current code by former code (communes that merged, EPCI with a new number): a former code
        whose current one is in the new edition is followed, not withdrawn.
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


def _followed(
    changed: pd.DataFrame, after: pd.DataFrame, passage: Mapping[str, str] | pd.Series[str] | None
) -> pd.Series[str]:
    """Give the current code of a withdrawn one, where the new edition has it."""
    if passage is None:
        return pd.Series("", changed.index)
    current = changed["code"].map(dict(passage)).astype("str").fillna("")
    here = current.isin(after["code"]) & (current != changed["code"])
    return current.where(here & (changed["nature"] == "retirée"), "")


def disclosures(
    editions: Mapping[str, Edition | pd.DataFrame],
    membership: Mapping[str, str] | pd.Series[str] | None = None,
) -> pd.DataFrame:
    """Find the hidden cells that editions published together give back.

    Parameters
    ----------
    editions : mapping of str to Edition or DataFrame
        Editions, or their tidy results, by name.
    membership : mapping or Series, optional
        Whole by part, for territories that are nested without remainder (IRIS of a commune,
        communes of an EPCI): a count hidden in one part is the whole less the other parts.

    Returns
    -------
    DataFrame
        ``code, annee, indicateur, valeur`` (what can be deduced), ``moyen`` (how) and ``editions``.
        Empty when nothing is given back. Sums are followed for counts only: a rate has no sum.
    """
    rows = pd.concat(
        [_rows(edition).assign(edition=name) for name, edition in editions.items()],
        ignore_index=True,
    )
    hidden = rows[rows["statut"] == "secret"]
    known = rows[rows["statut"] == "ok"]
    direct = hidden.merge(known, on=KEY, suffixes=("", "_ailleurs"))
    told = direct.assign(
        moyen="publiée dans une autre édition",
        editions=direct["edition"] + " ; " + direct["edition_ailleurs"],
        valeur=direct["valeur_ailleurs"],
    )[[*KEY, "valeur", "moyen", "editions"]]
    parts = [told]
    if membership is not None:
        parts.append(_by_sums(known, hidden, dict(membership)))
    return pd.concat(parts, ignore_index=True).drop_duplicates(KEY).reset_index(drop=True)


def _by_sums(
    known: pd.DataFrame, hidden: pd.DataFrame, membership: Mapping[str, str]
) -> pd.DataFrame:
    """Find the counts that a whole less its other parts gives back, over all editions at once."""
    counts = [name for name, card in load_cards().items() if card.nature == "effectif"]
    shown = known[known["indicateur"].isin(counts)].drop_duplicates(KEY)
    keys = zip(shown["code"], shown["annee"], shown["indicateur"], strict=True)
    values = dict(zip(keys, shown["valeur"], strict=True))
    parts: dict[str, list[str]] = {}
    for part, whole in membership.items():
        parts.setdefault(whole, []).append(part)
    found = []
    for (whole, year, name), total in values.items():
        below = parts.get(whole, [])
        missing = [part for part in below if (part, year, name) not in values]
        if len(missing) != 1 or missing[0] not in set(hidden["code"]):
            continue
        others = sum(values[part, year, name] for part in below if part != missing[0])
        found.append(
            {
                "code": missing[0],
                "annee": year,
                "indicateur": name,
                "valeur": total - others,
                "moyen": f"{whole} moins ses autres parties",
                "editions": "",
            }
        )
    return pd.DataFrame(found, columns=[*KEY, "valeur", "moyen", "editions"])
