"""What is public is written once: in the ``TYPE_CHECKING`` block of a package.

The same lines say where each name lives: it is loaded when first asked for, so that the import
stays light, and completion shows public names only.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lazy_loader


def attach(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Give a package the names of its ``TYPE_CHECKING`` block, loaded when first asked for.

    Parameters
    ----------
    package, file : str
        ``__name__`` and ``__file__`` of the package. Every import of the block is of one of its
        own modules, each name under itself: ``from barometre.engine.values import compute as
        compute``.

    Returns
    -------
    tuple
        ``__getattr__``, ``__dir__`` and ``__all__`` of the package.
    """
    modules: list[str] = []
    names: dict[str, list[str]] = {}
    for home, name in listed(Path(file)):
        if home == package:
            modules.append(name)
        else:
            names.setdefault(home.removeprefix(f"{package}."), []).append(name)
    load, _, every = lazy_loader.attach(package, submodules=modules, submod_attrs=names)
    return load, lambda: [*every], every


def listed(file: Path) -> list[tuple[str, str]]:
    """Read the names of a package from its file, each with the module where it lives."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return [
        (node.module or "", alias.name)
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
