"""Charts of the results: matplotlib only; every function takes ``ax=`` and returns an Axes."""

from barometre.plots.change_bars import change_bars
from barometre.plots.diagnostic_map import diagnostic_map
from barometre.plots.effect_forest import effect_forest
from barometre.plots.event_study_plot import event_study_plot
from barometre.plots.gap_dimensions import gap_dimensions
from barometre.plots.heat_table import heat_table
from barometre.plots.rank_intervals import rank_intervals
from barometre.plots.ranked_bars import ranked_bars
from barometre.plots.state_bars import state_bars
from barometre.plots.survival_curves import survival_curves

__all__ = [
    "change_bars",
    "diagnostic_map",
    "effect_forest",
    "event_study_plot",
    "gap_dimensions",
    "heat_table",
    "rank_intervals",
    "ranked_bars",
    "state_bars",
    "survival_curves",
]
