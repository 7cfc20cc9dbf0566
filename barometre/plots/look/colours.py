"""Colours: told apart by the three kinds of colour blindness, and in grey by their lightness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

# Orange against blue reads the same for colour-blind people and survives a grey print.
UNFAVOURABLE, FAVOURABLE, NEUTRAL = "#c8641e", "#2c6fa6", "#8a8f98"
INK, SOFT, PALE, GRID, PAPER = "#22262b", "#5f6672", "#dfe3e8", "#e5e7eb", "#ffffff"

SERIES = ("#2c6fa6", "#e69f00", "#1f2f46", "#56b4e9", "#a5421a", "#8fb3a0", "#7b5ea7", "#c9c2b4")
"""Categories without order (after Okabe and Ito, 2008), in the order in which they are taken."""

SIDES = LinearSegmentedColormap.from_list(
    "defavorable_favorable", [UNFAVOURABLE, "#f7f5f2", FAVOURABLE]
)
_CONTRAST = 4.5  # of texts, WCAG 2 level AA
_RAMP = LinearSegmentedColormap.from_list(
    "rampe", ["#e8f1f8", "#a3c8e2", "#4f90c1", "#1f5a93", "#0b2138"]
)


def ramp(number: int) -> list[str]:
    """Return colours of ordered categories, from light to dark."""
    return [to_hex(_RAMP(x)) for x in np.linspace(0, 1, max(number, 2))][:number]


def categories(number: int, *, ordered: bool = False) -> Sequence[str]:
    """Return the colours of some categories; beyond eight they are those of an order."""
    return ramp(number) if ordered or number > len(SERIES) else SERIES[:number]


def ink_on(colour: str) -> str:
    """Return the ink that is read on a colour: white or dark, with a contrast of 4.5 at least."""
    light = luminance(colour)
    if 1.05 / (light + 0.05) >= _CONTRAST:
        return PAPER
    dark = (light + 0.05) / (luminance(INK) + 0.05) >= _CONTRAST
    return INK if dark else "#000000"


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, from 0 to 1 (WCAG 2)."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
