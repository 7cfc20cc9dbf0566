"""One place for the look of the charts: colours, names, sizes, titles, sources, descriptions."""

from __future__ import annotations

from barometre.plots.look.colours import FAVOURABLE as FAVOURABLE
from barometre.plots.look.colours import GRID as GRID
from barometre.plots.look.colours import INK as INK
from barometre.plots.look.colours import NEUTRAL as NEUTRAL
from barometre.plots.look.colours import PALE as PALE
from barometre.plots.look.colours import SOFT as SOFT
from barometre.plots.look.colours import UNFAVOURABLE as UNFAVOURABLE
