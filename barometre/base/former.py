"""Former places of modules that scripts import: each gives its new place, with a warning."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

FORMER = {
    "barometre.errors": "barometre.base.errors",
    "barometre.export": "barometre.pages.results_file",
    "barometre.territories": "barometre.tables.codes",
}
"""New place of a module, by its former name."""


class _Former(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a module under its former name, and loads the one that took its place."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Tell whether a name is a former one."""
        return importlib.machinery.ModuleSpec(name, self) if name in FORMER else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the module in its new place."""
        new = FORMER[spec.name]
        warnings.warn(f"{spec.name} est devenu {new}", DeprecationWarning, stacklevel=2)
        return importlib.import_module(new)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module as it is, loaded already; the import system has touched its spec."""
        module.__spec__ = importlib.machinery.PathFinder.find_spec(
            module.__name__, [str(Path(str(module.__file__)).parent)]
        )


def keep_former_names() -> None:
    """Let the import system find the modules under their former names."""
    if not any(isinstance(finder, _Former) for finder in sys.meta_path):
        sys.meta_path.append(_Former())
