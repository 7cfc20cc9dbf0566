"""Charts of the results: matplotlib only; every function takes ``ax=`` and returns an Axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barometre.base.public import attach

if TYPE_CHECKING:
    from barometre.plots.dates.classes import class_grid as class_grid
    from barometre.plots.dates.lines import trajectory as trajectory
    from barometre.plots.dates.pairs import two_dates as two_dates
    from barometre.plots.dates.panels import small_multiples as small_multiples
    from barometre.plots.index.dimensions import gap_dimensions as gap_dimensions
    from barometre.plots.index.needs import diagnostic_map as diagnostic_map
    from barometre.plots.index.rank_lines import rank_intervals as rank_intervals
    from barometre.plots.index.stack import index_bar as index_bar
    from barometre.plots.level.bars import ranked_bars as ranked_bars
    from barometre.plots.level.groups import grouped_bars as grouped_bars
    from barometre.plots.level.heat import heat_table as heat_table
    from barometre.plots.level.parts import share_bars as share_bars
    from barometre.plots.level.position import spine as spine
    from barometre.plots.level.position import spine_rows as spine_rows
    from barometre.plots.look.equivalent import chart_data as chart_data
    from barometre.plots.look.equivalent import describe as describe
    from barometre.plots.look.sheet import Signed as Signed
    from barometre.plots.look.vector import save_chart as save_chart
    from barometre.plots.look.vector import to_svg as to_svg
    from barometre.plots.maps.areas import choropleth as choropleth
    from barometre.plots.maps.outlines import MapWarning as MapWarning
    from barometre.plots.people.balance import love_plot as love_plot
    from barometre.plots.people.change import change_bars as change_bars
    from barometre.plots.people.curves import survival_curves as survival_curves
    from barometre.plots.people.event_time import event_study_plot as event_study_plot
    from barometre.plots.people.flows import waterfall as waterfall
    from barometre.plots.people.forest import effect_forest as effect_forest
    from barometre.plots.people.states import state_bars as state_bars

__getattr__, __dir__, __all__ = attach(__name__, __file__)
