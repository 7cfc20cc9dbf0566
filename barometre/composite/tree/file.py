"""An index as a TOML file: one ``[[leaf]]`` or ``[[node]]`` each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from barometre.base.errors import Fault, FaultsError
from barometre.base.toml import read_toml, toml_text
from barometre.composite.tree.parts import Leaf, Node

_NONE = "none"  # TOML has no null
_KINDS: dict[str, type[Leaf] | type[Node]] = {"leaf": Leaf, "node": Node}


def toml_of(leaves: Sequence[Leaf], nodes: Sequence[Node]) -> str:
    """Write the parts of an index, without what keeps its default."""
    blocks = [f"[[node]]\n{toml_text(_given(node))}" for node in nodes]
    blocks += [f"[[leaf]]\n{toml_text(_given(leaf))}" for leaf in leaves]
    return "\n".join(blocks)


def _given(thing: Leaf | Node) -> dict[str, object]:
    values = {f.name: (getattr(thing, f.name), f.default) for f in fields(thing)}
    return {
        name: _NONE if value is None else value  # the default of a parent is None
        for name, (value, default) in values.items()
        if value != default
    }


def parts_of_toml(path: str | Path) -> tuple[tuple[Leaf, ...], tuple[Node, ...]]:
    """Read the parts of an index, refusing what is unknown or missing."""
    content, faults = read_toml(path), []
    for name in content:
        if name not in _KINDS:
            faults.append(Fault(name, "section inconnue", "admises : [[leaf]] et [[node]]"))
    parts: dict[str, list[Any]] = {kind: [] for kind in _KINDS}
    for kind, made in _KINDS.items():
        admitted = {f.name: f.default is MISSING for f in fields(made)}
        entries = content.get(kind, [])
        if not isinstance(entries, list) or not all(isinstance(x, dict) for x in entries):
            faults.append(Fault(kind, "section mal écrite", f"une section [[{kind}]] par élément"))
            continue
        for number, entry in enumerate(entries, start=1):
            place = f"{kind} {entry.get('id', number)}"
            texts = [n for n in ("id", "parent") if not isinstance(entry.get(n, ""), str)]
            for name in texts:
                faults.append(
                    Fault(place, f"{name} qui n'est pas un texte", "le mettre entre guillemets")
                )
            unknown = [name for name in entry if name not in admitted]
            lost = [name for name, needed in admitted.items() if needed and name not in entry]
            for name in unknown:
                faults.append(Fault(place, f"champ « {name} » inconnu", "le retirer"))
            for name in lost:
                faults.append(Fault(place, f"champ « {name} » manquant", "le remplir"))
            if not unknown and not lost and not texts:
                values = {n: _read(n, v) for n, v in entry.items()}
                parts[kind].append(made(**values))
    if faults:
        raise FaultsError(f"{path} refusé", faults)
    return tuple(parts["leaf"]), tuple(parts["node"])


def _read(name: str, value: object) -> Any:
    return None if value == _NONE and name not in ("id", "parent") else value
