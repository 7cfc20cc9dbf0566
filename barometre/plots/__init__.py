"""Charts of the results: matplotlib only; every function takes ``ax=`` and returns an Axes."""

from barometre.plots.diagnostic_map import diagnostic_map
from barometre.plots.gap_dimensions import gap_dimensions
from barometre.plots.heat_table import heat_table
from barometre.plots.ranked_bars import ranked_bars
from barometre.plots.state_bars import state_bars
from barometre.plots.survival_curves import survival_curves

__all__ = [
    "diagnostic_map",
    "gap_dimensions",
    "heat_table",
    "ranked_bars",
    "state_bars",
    "survival_curves",
]
