"""The synthetic cohort of the page: the people, those left at the end, the same without losses."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort

N = 2400
SMALLEST = 400
"""People under which the methods shown would lack some in a neighbourhood or a wave of entry."""

ENTRIES = (2026, 2028)
MOBILITY = 0.08
ZONE_SHOCK = 15.0
COVARIATES = ("income", "diploma", "age", "sex")
THRESHOLD = 11


@dataclass(frozen=True)
class Drawn:
    """The cohort and what is known of it because it was made up.

    Attributes
    ----------
    cohort : Cohort
        Rows seen.
    first : DataFrame
        People at the first wave, by person: their traits, ``seen`` at the last wave, ``base``,
        ``end`` and ``change`` (income before any entry, at the last wave, and between), missing for
        those lost by then.
    start, before, last : int
        First wave, last wave before any entry, last wave.
    truth, trend : float
        Effect on monthly income; rise of income per wave without it.
    """

    seed: int
    n: int
    truth: float
    trend: float
    start: int
    before: int
    last: int
    cohort: Cohort = field(repr=False)
    first: pd.DataFrame = field(repr=False)

    @property
    def two_dates(self) -> Cohort:
        """The rows of the last wave before any entry and of the last wave."""
        return self._at_two_dates(self.cohort)

    @property
    def two_dates_whole(self) -> Cohort:
        """The same, had nobody been lost."""
        return self._at_two_dates(_cohort(_frame(self.seed, self.n, complete=True)))

    def _at_two_dates(self, cohort: Cohort) -> Cohort:
        rows = cohort.frame["wave"].isin([self.before, self.last])
        return _cohort(cohort.frame[rows].reset_index(drop=True))


def draw(seed: int, n: int) -> Drawn:
    """Draw the cohort of the page.

    Parameters
    ----------
    seed : int
        Seed.
    n : int
        People.

    Returns
    -------
    Drawn

    Raises
    ------
    BarometreError
        Too few people.
    """
    if n < SMALLEST:
        raise BarometreError(f"n={n} : donner au moins {SMALLEST} personnes")
    frame = _frame(seed, n)
    truth, cohort = frame.attrs["truth"], _cohort(frame)
    start, before, last = int(cohort.waves[0]), ENTRIES[0] - 1, int(cohort.waves[-1])
    first = cohort.lost_at(last)
    end, base = (_income(cohort, wave).reindex(first.index) for wave in (last, before))
    treated = first["arm"] == 1
    first = first.assign(
        seen=1 - first["lost"],
        base=base,
        end=end,
        change=end - base,
        # Losses depend on income and diploma in each arm in its own way.
        income_treated=first["income"].where(treated, 0.0),
        income_control=first["income"].where(~treated, 0.0),
        arm_diploma=first["arm"].astype("str") + " " + first["diploma"],
    )
    effect, trend = float(truth["effect"]), float(truth["trend"])
    return Drawn(seed, n, effect, trend, start, before, last, cohort, first)


def _frame(seed: int, n: int, *, complete: bool = False) -> pd.DataFrame:
    return datasets.make_cohort(
        n,
        entries=ENTRIES,
        mobility=MOBILITY,
        zone_shock=ZONE_SHOCK,
        complete=complete,
        seed=seed,
    )


def _income(cohort: Cohort, wave: int) -> pd.Series[float]:
    frame = cohort.frame
    incomes: pd.Series[float] = frame[frame["wave"] == wave].set_index("person")["income"]
    return incomes


def _cohort(frame: pd.DataFrame) -> Cohort:
    treated = (frame["wave"] >= frame["first_treated"]).astype("int64")
    return Cohort(
        frame.assign(treated=treated),
        person="person",
        wave="wave",
        arm="arm",
        first_treated="first_treated",
        cluster="baseline_zone",
        zone="zone",
        status="status",
    )
