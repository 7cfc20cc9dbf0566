"""What every room uses: errors, numbers in French, rounding, arguments, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barometre.base.public import attach

if TYPE_CHECKING:
    from barometre.base import errors as errors

__getattr__, __dir__, __all__ = attach(__name__, __file__)
