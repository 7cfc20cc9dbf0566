"""What tests reject and intervals hold when nothing happens: draws by design, for a table of the docs.

People are drawn in clusters of unequal sizes that a whole arm holds, with a random effect of the
person and shocks of the cluster that last from one wave to the next; nobody is ever affected.
``python -m tests.sizes`` writes the table (some ten minutes); ``make slow`` checks it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from barometre.cohort import Cohort, FewClustersWarning, randomisation_test, wild_bootstrap

TABLE = Path(__file__).parents[1] / "docs" / "few_clusters.csv"
WAVES, FIRST_LEADS = 7, {2: 4, 5: 7}  # leads tested: wave of entry
LEVEL = 0.05


@dataclass(frozen=True)
class Design:
    """Clusters, and those of the treated arm."""

    clusters: int
    treated: int

    def people(self) -> pd.DataFrame:
        """Rows of a panel without outcome: 3 to 7 people a cluster, in turn within each arm."""
        size = 3 + 2 * (np.arange(self.clusters) % 3)
        cluster = np.repeat(np.arange(self.clusters), size)
        n = len(cluster)
        frame = pd.DataFrame(
            {
                "person": np.repeat(np.arange(n), WAVES),
                "wave": np.tile(np.arange(1, WAVES + 1), n),
                "cluster": np.repeat(cluster, WAVES),
            }
        )
        return frame.assign(arm=(frame["cluster"] < self.treated).astype(int))

    def outcomes(self, draws: int, seed: int) -> np.ndarray:
        """Outcomes without any effect, one column per draw."""
        rng = np.random.default_rng([seed, self.clusters, self.treated])
        rows = self.people()
        n = rows["person"].nunique()
        shock = np.empty((self.clusters, WAVES, draws))
        fresh = rng.standard_normal(shock.shape)
        shock[:, 0] = fresh[:, 0]
        for t in range(1, WAVES):
            shock[:, t] = 0.5 * shock[:, t - 1] + np.sqrt(0.75) * fresh[:, t]
        own = rng.standard_normal((n, 1, draws)) + rng.standard_normal((n, WAVES, draws))
        every = own.reshape(n * WAVES, draws)
        return 0.5 * shock[rows["cluster"], rows["wave"] - 1] + every


DESIGNS = [
    Design(g, t)
    for g, t in (
        (6, 3), (6, 2), (8, 4), (8, 2), (10, 5), (10, 3), (12, 6), (12, 3), (12, 2), (20, 10), (20, 5),
        (30, 15), (30, 6),
    )
]  # fmt: skip


def cohorts(design: Design, draws: int, seed: int) -> Iterator[dict[int, Cohort]]:
    """Yield the same draw with entries after 2 and after 5 leads; rows are checked once."""
    rows = design.people()
    outcomes = design.outcomes(draws, seed)
    made = {}
    for leads, entry in FIRST_LEADS.items():
        frame = rows.assign(first=entry * rows["arm"], y=0.0)
        made[leads] = Cohort(
            frame, "person", "wave", arm="arm", first_treated="first", cluster="cluster"
        )
    for draw in range(draws):
        for cohort in made.values():
            cohort.frame["y"] = outcomes[:, draw]
        yield made


def misses(low: float, high: float) -> float:
    """1 when an interval does not hold 0, missing when there is none."""
    return np.nan if np.isnan(low) else float(not low <= 0 <= high)


def rejects(p: float) -> float:
    return np.nan if np.isnan(p) else float(p <= LEVEL)


def two_arms(made: dict[int, Cohort]) -> dict[str, float]:
    """Tests of a difference in differences: before and after the entry."""
    cohort = made[2]
    found = {}
    for se in ("CR1", "CR2"):
        effect = cohort.did("y", FIRST_LEADS[2], se=se)
        found[f"did {se}"] = misses(effect.low, effect.high)
    boot = wild_bootstrap(
        *cohort.did_design("y", FIRST_LEADS[2]), term="effet", intercept=False, draws=399
    )
    found |= {"bootstrap p": rejects(boot.p), "bootstrap p_strict": rejects(boot.p_strict)}
    after = cohort.frame["wave"] >= FIRST_LEADS[2]
    means = cohort.frame["y"].groupby([cohort.frame["person"], after]).mean().unstack()
    first = cohort.frame.drop_duplicates("person").set_index("person")
    change = first.assign(change=means[True] - means[False])
    test = randomisation_test(change, "change", "arm", cluster="cluster", draws=399)
    return found | {"randomisation": rejects(test.p)}


def group_time(made: dict[int, Cohort]) -> dict[str, float]:
    """Intervals of the mean of ATT(g,t)."""
    found = {}
    for se in ("CR0", "CR1", "CR2"):
        overall = made[2].att_gt("y", se=se).aggregate("simple").overall
        found[f"att_gt {se}"] = misses(overall.low, overall.high)
    return found


def before(made: dict[int, Cohort]) -> dict[str, float]:
    """Tests of parallel trends."""
    found = {}
    for leads, cohort in made.items():
        effects, study = cohort.att_gt("y"), cohort.event_study("y")
        found[f"att_gt.pretrend, {leads}"] = rejects(effects.pretrend(draws=399).p)
        found[f"event_study.pretrend, {leads}"] = rejects(study.pretrend(draws=399).p)
    return found


TESTS: tuple[Callable[[dict[int, Cohort]], dict[str, float]], ...] = (two_arms, group_time, before)


def sizes(design: Design, draws: int, seed: int = 0) -> pd.Series:
    """Share of the draws in which each test rejects, or each interval misses; missing without p."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewClustersWarning)
        drawn = [
            {name: value for test in TESTS for name, value in test(made).items()}
            for made in cohorts(design, draws, seed)
        ]
    return pd.DataFrame(drawn).mean()


def written(designs: list[Design], draws: int) -> pd.DataFrame:
    """Make the table of some designs: one row each, percentages."""
    rows = {(d.clusters, d.treated): 100 * sizes(d, draws) for d in designs}
    return pd.DataFrame(rows).T.rename_axis(["clusters", "treated"]).round(1).reset_index()


if __name__ == "__main__":
    written(DESIGNS, 1000).to_csv(TABLE, index=False)
