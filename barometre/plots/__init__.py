"""Charts of the results: matplotlib only; every function takes ``ax=`` and returns an Axes."""

from barometre.plots.heat_table import heat_table
from barometre.plots.ranked_bars import ranked_bars

__all__ = ["heat_table", "ranked_bars"]
