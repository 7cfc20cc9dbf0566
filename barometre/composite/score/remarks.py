"""What happened to the values and scores of an index, told row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans
from barometre.base.errors import counted
from barometre.base.french import format_number
from barometre.composite.score.levels import Levels
from barometre.composite.tree.parts import BOUNDED


class _Told:
    """Remarks, kept as units, nodes and texts."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str, str]] = []  # -1: no unit in particular

    def add(self, where: Booleans, node: str, texts: Any) -> None:
        self.rows += [(int(i), node, texts(int(i))) for i in np.flatnonzero(where)]


def remarks_of(scores: Levels) -> pd.DataFrame:
    """List the remarks; `Scores.remarks` says which."""
    told = _Told()
    for leaf in scores.tree.leaves:
        _leaf_remarks(scores, leaf.id, told)
    for node in scores.tree.upward:
        _node_remarks(scores, node.id, told)
    units = scores.table.index
    names = [name or ("code" if i == 0 else f"code_{i}") for i, name in enumerate(units.names)]
    keys = units.to_frame(index=False).set_axis(names, axis=1)
    where = pd.Series([row[0] for row in told.rows], dtype="int64")
    frame = keys.reindex(where.where(where >= 0, len(keys))).reset_index(drop=True)
    frame["noeud"] = pd.Series([row[1] for row in told.rows], dtype="str")
    frame["remarque"] = pd.Series([row[2] for row in told.rows], dtype="str")
    return frame


def _leaf_remarks(scores: Levels, name: str, told: _Told) -> None:
    leaf = next(leaf for leaf in scores.tree.leaves if leaf.id == name)
    raw = scores.raw[name].to_numpy()
    present = ~np.isnan(raw)
    if leaf.transform == "log":
        lost = present & (np.where(present, raw, 1.0) <= 0)
        told.add(
            lost,
            name,
            lambda i: f"{format_number(float(raw[i]))} n'a pas de logarithme : valeur manquante",
        )
        present &= ~lost
    if present.any() and np.isnan(scores.normalised[name].to_numpy()[present]).all():
        text = "une seule valeur, ou toutes égales : pas d'échelle, feuille manquante"
        told.rows.append((-1, name, text))
    if leaf.normalise not in BOUNDED or leaf.low is None or leaf.high is None:
        return
    low, high = leaf.low, leaf.high
    for outside, end, held in (
        (present & (raw < low), low, "low" if leaf.direction > 0 else "high"),
        (present & (raw > high), high, "high" if leaf.direction > 0 else "low"),
    ):
        fate = "ramenée à la borne" if leaf.clip in ("both", held) else "gardée hors de l'échelle"
        side = "sous" if end == low else "au-dessus de"
        told.add(
            outside,
            name,
            lambda i, side=side, end=end, fate=fate: (
                f"{format_number(float(raw[i]))} {side} la borne {format_number(end)} : {fate}"
            ),
        )


def _node_remarks(scores: Levels, name: str, told: _Told) -> None:
    node = next(node for node in scores.tree.upward if node.id == name)
    names = scores.tree.children[name]
    parts = scores.table[list(names)].to_numpy()
    available = (~np.isnan(parts)).sum(axis=1)
    score = scores.table[name].to_numpy()
    lost = np.isnan(score) & (available > 0)
    limit = format_number(node.min_available)
    told.add(
        lost,
        name,
        lambda i: (
            f"{counted(int(available[i]), 'composante')} sur {len(names)} (seuil {limit}) :"
            " pas de score"
        ),
    )
    if node.power > 0:
        return
    floor = scores.tree.floors[name]
    for j, part in enumerate(names):
        values = parts[:, j]
        told.add(
            ~np.isnan(values) & (values < floor),
            part,
            lambda i, values=values: (
                f"{format_number(float(values[i]))} relevé au plancher {format_number(floor)}"
                f" dans « {name} »"
            ),
        )
