from .bundled import Column as Column
from .bundled import Dataset as Dataset
from .bundled import load as load
from .bundled import make_cohort as make_cohort
from .bundled import make_tables as make_tables
from .bundled import names as names
from .bundled import tables as tables
