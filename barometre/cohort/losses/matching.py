"""Nearest-neighbour matching: for each treated person, the most alike of the comparison group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError
from barometre.base.face import Face, counted_text
from barometre.base.french import format_number
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.losses.alike import balance_table
from barometre.cohort.losses.logit import fit_logit
from barometre.cohort.rows.columns import as_numbers, require_columns
from barometre.cohort.rows.covariates import two_arms

Scale = Literal["logit", "score"]
Order = Literal["largest", "smallest", "data", "random"]


@dataclass(frozen=True)
class Matches(Face):
    """Pairs of treated people and their neighbours.

    Attributes
    ----------
    pairs : Tidy
        ``treated, control`` (labels of the frame's index), ``rank`` (1: the nearest), ``distance``.
    weight : Series
        1 for a matched treated person; for a matched comparison person, the sum over the treated
        they stand for of 1 over the number of neighbours of each, scaled so that these weights add
        up to the number of comparison people used; 0 for the others.
    balance : Tidy
        `balance_table` after matching, next to before.
    n_unmatched : int
        Treated people without a neighbour within the caliper.
    """

    pairs: Tidy = field(repr=False)
    weight: pd.Series[float] = field(repr=False)
    balance: Tidy = field(repr=False)
    n_unmatched: int

    @property
    def meta(self) -> dict[str, Any]:
        """What was used: see ``pairs``."""
        return self.pairs.meta

    @property
    def table(self) -> Tidy:
        """The pairs."""
        return self.pairs

    def sentences(self) -> list[str]:
        """Say how many were matched, how alike they are now, and who was left out."""
        title, *others = self.pairs.summary().splitlines()
        matched = counted_text(
            self.pairs["treated"].nunique(), "traité apparié", "traités appariés"
        )
        used = counted_text(self.pairs["control"].nunique(), "personne")
        balance = self.balance.summary().splitlines()[1:3]
        return [title, f"{matched} à {used} de la comparaison.", *balance, *others]


def nearest_match(
    frame: pd.DataFrame,
    arm: str,
    covariates: Sequence[str],
    *,
    k: int = 1,
    caliper: float | None = None,
    treated: object = None,
    replace: bool = False,
    scale: Scale = "logit",
    order: Order = "largest",
    score: str | None = None,
    seed: int = 0,
) -> Matches:
    """Match each treated person with the nearest of the comparison group.

    Parameters
    ----------
    frame : DataFrame
        One row per person, with an index of its own.
    arm : str
        Column of the arm, of two values.
    covariates : sequence of str
        Covariates of the propensity score, and of the balance table.
    k : int, default 1
        Neighbours of each treated person, at most.
    caliper : float, optional
        Largest distance, in standard deviations (square root of the mean variance of the arms) of
        the score on its scale; 0.2 on the logit is usual (Austin 2011).
    treated : object, optional
        Value of the treated; needed unless the arm is 0 and 1, or booleans.
    replace : bool, default False
        Whether someone may be the neighbour of several.
    scale : {"logit", "score"}
        Distance between logits of the scores, or between scores.
    order : {"largest", "smallest", "data", "random"}
        Who chooses first, without replacement: by falling score, rising score, order of the rows,
        or drawn.
    score : str, optional
        Column of a score of your own, between 0 and 1; by default a logistic regression.
    seed : int, default 0
        Seed of ``order="random"``.

    Returns
    -------
    Matches
        Ties go to the first row. The second neighbours are taken once everyone has a first one.

    Raises
    ------
    BarometreError
        Options out of their list, a score outside 0-1, an index with duplicates, nobody matched.

    Notes
    -----
    Greedy nearest neighbours: Rubin (1973), Stuart (2010). Standard errors of effects on matched
    samples should be clustered by pair (Abadie & Spiess 2022).
    """
    options = {
        "k : un entier positif": k >= 1 and int(k) == k,
        "caliper : positif": caliper is None or caliper > 0,
        "scale : « logit » ou « score »": scale in ("logit", "score"),
        "order : « largest », « smallest », « data » ou « random »": order
        in ("largest", "smallest", "data", "random"),
        "index avec des doublons : frame.reset_index(drop=True)": frame.index.is_unique,
    }
    refused = [rule for rule, holds in options.items() if not holds]
    if refused:
        raise BarometreError("appariement refusé : " + " ; ".join(refused))
    mine = two_arms(frame, arm, treated)
    frame = frame.assign(**{arm: mine.astype(np.int64)})
    p = _scores(frame, arm, covariates, score)
    position = np.log(p / (1 - p)) if scale == "logit" else p
    reach = np.inf
    if caliper is not None:
        if min(mine.sum(), (~mine).sum()) < 2:
            raise BarometreError("caliper : un bras d'une personne n'a pas d'écart-type ; l'ôter")
        spread = np.sqrt((position[mine].var(ddof=1) + position[~mine].var(ddof=1)) / 2)
        reach = caliper * spread
    turn = _turns(p[mine], order, seed)
    ones, zeros = np.flatnonzero(mine), np.flatnonzero(~mine)
    found = _greedy(position[ones], position[zeros], turn, k, reach, replace)
    pairs = pd.DataFrame(
        {
            "treated": frame.index[ones[found[:, 0].astype(np.int64)]],
            "control": frame.index[zeros[found[:, 1].astype(np.int64)]],
            "rank": found[:, 2].astype(np.int64),
            "distance": found[:, 3],
        }
    )
    if pairs.empty:
        raise BarometreError("personne n'est apparié ; élargir caliper")
    weight = _weights(frame, pairs)
    lost = int(mine.sum()) - pairs["treated"].nunique()
    return Matches(
        pairs=tidy(
            pairs,
            method=f"plus proche voisin 1:{k}, {'avec' if replace else 'sans'} remise",
            convention=f"distance : {scale}, ordre : {order}, "
            + ("sans caliper" if caliper is None else f"caliper : {format_number(caliper)}"),
            n_in=len(frame),
            n_used=int((weight > 0).sum()),
            lost={
                "traités sans voisin": lost,
                "comparaison non appariée": int((weight[~mine] == 0).sum()),
            },
        ),
        weight=weight,
        balance=balance_table(frame, arm, covariates, weight),
        n_unmatched=lost,
    )


def _scores(frame: pd.DataFrame, arm: str, covariates: Sequence[str], score: str | None) -> Floats:
    if score is None:
        return np.asarray(fit_logit(frame, arm, covariates).probability, np.float64)
    require_columns(frame, [score])
    p = as_numbers(frame[score], score)
    if not ((p > 0) & (p < 1)).all():
        raise BarometreError(f"{score} : un score est entre 0 et 1, bornes exclues")
    return p


def _turns(score: Floats, order: Order, seed: int) -> Integers:
    """Return the order in which treated people choose."""
    if order == "random":
        return np.random.default_rng(seed).permutation(len(score))
    if order == "data":
        return np.arange(len(score))
    return np.argsort(-score if order == "largest" else score, kind="stable")


def _greedy(
    ones: Floats,
    zeros: Floats,
    turn: Integers,
    k: int,
    reach: float,
    replace: bool,
) -> Floats:
    """Return rows of (treated, control, rank, distance), in the order of the choices."""
    free = np.ones(len(zeros), dtype=bool)
    mine: list[list[int]] = [[] for _ in ones]
    rows = []
    for rank in range(1, k + 1):
        for one in turn:
            gap = np.abs(zeros - ones[one])
            if replace:
                gap[mine[one]] = np.inf
            else:
                gap[~free] = np.inf
            best = int(np.argmin(gap))
            if gap[best] <= reach and np.isfinite(gap[best]):
                rows.append((one, best, rank, gap[best]))
                mine[one].append(best)
                free[best] = False
    return np.array(rows, np.float64).reshape(-1, 4)


def _weights(frame: pd.DataFrame, pairs: pd.DataFrame) -> pd.Series[float]:
    neighbours = pairs.groupby("treated")["control"].transform("size")
    stands_for = (1 / neighbours).groupby(pairs["control"]).sum()
    weight = pd.Series(0.0, index=frame.index, name="weight")
    weight[pairs["treated"].unique()] = 1.0
    weight[stands_for.index] = stands_for * len(stands_for) / stands_for.sum()
    return weight
