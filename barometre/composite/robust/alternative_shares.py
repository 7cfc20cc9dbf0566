"""How much of the variance of scores and ranks each alternative makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import counted
from barometre.composite.robust.alternatives import Alternatives
from barometre.composite.robust.rank_draws import mean_shift, ranks_of
from barometre.composite.robust.replications import Replications, Scorer
from barometre.composite.robust.sobol import Spread
from barometre.composite.tree.ties import TOLERANCE

WORDS = {
    "weights": "poids",
    "normalise": "normalisation",
    "bounds": "bornes",
    "aggregate": "agrégation",
    "data": "données",
}
_OUTPUTS = ("part_score", "part_rang", "part_decalage")
_SCORES = 2**19  # scores held at once: 4 MB an array
_NOTHING, _NO_RANK = "ne change rien", "change des scores, mais aucun rang"


@dataclass(frozen=True, eq=False)
class Runs:
    """What it takes to run the replications again, units in the order of the scorer."""

    alternatives: Alternatives
    scorer: Scorer
    leaves: Sequence[str]
    base: Replications
    other: Replications
    nominal: Floats  # ranks
    centre: Floats  # scores

    @property
    def groups(self) -> list[str]:
        """The groups of coordinates that vary."""
        given = [name for name in WORDS if getattr(self.alternatives, name, None) is not None]
        return given if self.scorer.data.exact else [*given, "data"]

    def blocks(self) -> Iterator[slice]:
        """Cut the replications in blocks."""
        size = max(1, _SCORES // max(1, len(self.nominal)))
        for start in range(0, len(self.base), size):
            yield slice(start, min(start + size, len(self.base)))

    def remarks(self, shares: pd.DataFrame) -> Iterator[tuple[str, str]]:
        """Tell the alternatives that change nothing, and what is odd in the draws."""
        told = shares[shares["remarque"] != ""]
        yield from zip(told["alternative"], told["remarque"], strict=True)
        data = self.scorer.data
        if data.exact:
            return
        drawn = {*data.normal, *data.binomial}
        for j, name in enumerate(self.leaves):
            if j not in drawn:
                yield name, "absente de data_error : tenue pour exacte"


def shares_of(runs: Runs) -> pd.DataFrame:
    """Estimate the total-order shares; `Robustness.shares` says how."""
    groups = runs.groups
    designs = [runs.base.with_group(group, runs.other) for group in groups]
    centres = (runs.centre, np.nan_to_num(runs.nominal), np.zeros(1))
    sums = [Spread.empty(len(groups), centre) for centre in centres]
    moved = np.zeros((2, len(groups)), dtype=bool)  # scores, ranks
    for block in runs.blocks() if groups else ():
        base = runs.base.rows(block)
        scores = runs.scorer.scores(base)
        here = _outputs(scores, runs.nominal)
        there = []
        for g, design in enumerate(designs):
            changed = design.rows(block)
            rows = changed.moved(base)
            other = scores.copy()
            other[rows] = runs.scorer.scores(changed.rows(rows))
            there.append(_outputs(other, runs.nominal))
            moved[0, g] |= _differ(scores, other)
            moved[1, g] |= not np.array_equal(here[1], there[-1][1], equal_nan=True)
        for k, total in enumerate(sums):
            total.add(here[k], [outputs[k] for outputs in there])
    shares = np.array([total.shares() for total in sums]).T.reshape(len(groups), len(_OUTPUTS))
    nothing, no_rank = ~moved.any(axis=0), moved[0] & ~moved[1]
    shares[nothing] = 0.0  # not the rounding of scores computed in two ways
    frame = pd.DataFrame(shares, columns=list(_OUTPUTS))
    frame.insert(0, "alternative", pd.Series([WORDS[group] for group in groups], dtype="str"))
    texts = np.select([nothing, no_rank], [_NOTHING, _NO_RANK], "")
    frame["remarque"] = pd.Series(
        [_with_reason(runs, group, str(text)) for group, text in zip(groups, texts, strict=True)],
        dtype="str",
    )
    return frame


def _outputs(scores: Floats, nominal: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the three outputs of replications: scores, ranks, mean absolute rank shift."""
    ranks = ranks_of(scores)
    return scores, np.where(ranks > 0, ranks, np.nan), mean_shift(ranks, nominal)[:, None]


def _differ(one: Floats, two: Floats) -> bool:
    """Tell whether scores differ by more than rounding, or in being there."""
    if not one.size:
        return False
    largest = np.fmax.reduce(np.abs(one), axis=None, initial=0.0)
    gap = np.fmax.reduce(np.abs(one - two), axis=None, initial=0.0)
    return bool(gap > TOLERANCE * largest or (np.isnan(one) != np.isnan(two)).any())


def _with_reason(runs: Runs, group: str, text: str) -> str:
    options = getattr(runs.alternatives, group, None)
    if text == _NOTHING and isinstance(options, tuple) and len(options) == 1:
        return f"{text} : {counted(1, 'option')}, la même dans toutes les réplications"
    return text
