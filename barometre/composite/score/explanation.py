"""How the raw values of one unit became its score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from barometre.composite.score.contributions import (
    Reference,
    available_shares,
    contributions_of,
    own_split,
)
from barometre.composite.score.levels import Levels
from barometre.composite.score.normalise import transformed
from barometre.composite.tree.shape import Tree


def explanation_of(
    scores: Levels, row: int, reference: Reference, remarks: pd.DataFrame
) -> pd.DataFrame:
    """Explain one row; `Scores.explain` says how."""
    tree, here = scores.tree, scores.table.iloc[row : row + 1]
    values = {str(name): here[name].to_numpy() for name in here}
    shares = {tree.root: np.ones(1)}
    for node in tree.nodes:
        shares |= available_shares(tree, node.id, values)
    names = _from_the_root(tree, tree.root)
    parts = {leaf.id: leaf for leaf in tree.leaves}
    nodes = {node.id: node for node in tree.nodes}
    raw = scores.raw.iloc[row]
    frame = pd.DataFrame({"noeud": names}, dtype="str")
    things = [nodes.get(name) or parts[name] for name in names]
    frame["parent"] = pd.Series([thing.parent for thing in things], dtype="str")
    frame["niveau"] = [tree.levels[name] for name in names]
    frame["valeur"] = [raw.get(name, np.nan) for name in names]
    frame["valeur_transformee"] = [
        float(transformed(np.array([raw[name]]), parts[name])[0]) if name in parts else np.nan
        for name in names
    ]
    frame = frame.join(scores.scales, on="noeud")
    frame["normalisation"] = pd.Series(
        [parts[name].normalise if name in parts else None for name in names], dtype="str"
    )
    frame["score"] = [values[name][0] for name in names]
    frame["agregation"] = pd.Series(
        [str(nodes[name].aggregate) if name in nodes else None for name in names], dtype="str"
    )
    frame["poids"] = [np.nan if np.isnan(values[n][0]) else shares[n][0] for n in names]
    frame["contribution"] = _contributions(scores, row, names, reference)
    ranks = scores.ranks.iloc[row]
    frame["rang"] = pd.array([ranks[name] for name in names], dtype="Int64")
    frame["remarque"] = _remarks(scores, remarks, row, names)
    return frame


def _from_the_root(tree: Tree, name: str) -> list[str]:
    below = tree.children.get(name, ())
    return [name] + [found for part in below for found in _from_the_root(tree, part)]


def _contributions(scores: Levels, row: int, names: list[str], reference: Reference) -> list[float]:
    """Give the part of every node in the root: that of a node is the sum of its leaves'."""
    tree, here = scores.tree, slice(row, row + 1)
    if reference is None:
        values = {str(n): scores.table[n].iloc[here].to_numpy() for n in scores.table}
        own = own_split(tree, tree.root, values)
        return [float(own[name][0]) for name in names]
    parts = contributions_of(scores, tree.root, reference, "leaves", here).iloc[0]
    inside = {name: [n for n in _from_the_root(tree, name) if n in parts.index] for name in names}
    return [float(parts[inside[name]].sum(skipna=False)) for name in names]


def _remarks(scores: Levels, told: pd.DataFrame, row: int, names: list[str]) -> pd.Series[str]:
    """Join the remarks of a unit, those of whole leaves included, by node."""
    units = told.columns[:-2]
    label = scores.table.index[row]
    keys = dict(zip(units, label if isinstance(label, tuple) else (label,), strict=True))
    own = np.logical_and.reduce([told[name] == value for name, value in keys.items()])
    whole = told[list(units)].isna().all(axis=1)
    texts = told[own | whole].groupby("noeud")["remarque"].agg(" ; ".join)
    return pd.Series([texts.get(name) for name in names], dtype="str")
