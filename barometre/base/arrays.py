"""The arrays that the numeric code takes and gives, named once."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
RowNumbers: TypeAlias = NDArray[np.intp]
"""Row numbers, as numpy's own functions give and take them."""
Booleans: TypeAlias = NDArray[np.bool_]
