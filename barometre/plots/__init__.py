"""Charts of the results: matplotlib only; every function takes ``ax=`` and returns an Axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barometre.base.public import attach

if TYPE_CHECKING:
    from barometre.plots.bars import ranked_bars as ranked_bars
    from barometre.plots.change import change_bars as change_bars
    from barometre.plots.curves import survival_curves as survival_curves
    from barometre.plots.dimensions import gap_dimensions as gap_dimensions
    from barometre.plots.event_time import event_study_plot as event_study_plot
    from barometre.plots.forest import effect_forest as effect_forest
    from barometre.plots.heat import heat_table as heat_table
    from barometre.plots.needs import diagnostic_map as diagnostic_map
    from barometre.plots.rank_lines import rank_intervals as rank_intervals
    from barometre.plots.states import state_bars as state_bars

__getattr__, __dir__, __all__ = attach(__name__, __file__)
