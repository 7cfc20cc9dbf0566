"""The effect of an action by every method that a cohort allows, each with what it assumes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.cohort import (
    AttritionWeights,
    Cohort,
    FewClustersWarning,
    attrition_weights,
    cluster_robust,
    combine_weights,
    lee_bounds,
    weighted_effect,
)
from barometre.cohort.inference.estimates import Estimate, make_estimate
from barometre.cohort.staggered.group_time import ComparisonWarning

ARM = "_bras"
"""Column of 1 (beneficiaries) and 0 in the frames made here."""

_NAIVE, _DID, _LOSSES = "Comparaisons naïves", "Doubles différences", "Corrigées des pertes"

Bounds: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Effect:
    """An effect by one method, or why the method does not serve.

    Attributes
    ----------
    group, method, caution : str
        Kind of method, the method, and what it assumes.
    estimate : Estimate or None
    bounds : tuple of float or None
        Of a method that gives no point.
    refused : str
        Why there is neither.
    """

    group: str
    method: str
    caution: str
    estimate: Estimate | None = None
    bounds: Bounds | None = None
    refused: str = ""

    @property
    def span(self) -> Bounds | None:
        """The interval at 95 %, or the bounds."""
        return self.bounds if self.estimate is None else (self.estimate.low, self.estimate.high)


@dataclass(frozen=True)
class Ends:
    """People at the two dates between which an effect is looked for.

    Attributes
    ----------
    before, last : object
        The last wave before anyone enters (the first wave when entries are not known), and the
        last wave.
    first : DataFrame
        People at the first wave, by person: their traits, `ARM`, ``seen`` at the last wave,
        ``end`` and ``change`` of the outcome.
    """

    before: Any
    last: Any
    first: pd.DataFrame = field(repr=False)


def ends_of(cohort: Cohort, outcome: str) -> Ends:
    """Set the first and the last date of a cohort side by side.

    Parameters
    ----------
    cohort : Cohort
        With arms.
    outcome : str
        Column of the result.
    """
    waves = list(cohort.waves)
    before, last = waves[0], waves[-1]
    if cohort.first_treated is not None:
        entries = cohort.frame[cohort.first_treated].dropna()
        entries = entries[entries.isin(waves)]
        earlier = [wave for wave in waves if not entries.empty and wave < entries.min()]
        before = earlier[-1] if earlier else before
    first = cohort.lost_at(last)
    treated = 1 if cohort.treated is None else cohort.treated
    base, end = (_outcome(cohort, outcome, wave).reindex(first.index) for wave in (before, last))
    return Ends(
        before,
        last,
        first.assign(
            **{ARM: (first[cohort.arm] == treated).astype("int64")},
            seen=1 - first["lost"],
            end=end,
            change=end - base,
        ),
    )


def _outcome(cohort: Cohort, outcome: str, wave: Any) -> pd.Series[float]:
    rows = cohort.frame[cohort.frame[cohort.wave] == wave].set_index(cohort.person)
    return pd.Series(pd.to_numeric(rows[outcome], errors="coerce"), rows.index, dtype="float64")


def effects_of(
    cohort: Cohort, outcome: str, covariates: Sequence[str], threshold: float
) -> Iterator[Effect]:
    """Estimate the effect by each method that the columns allow.

    Parameters
    ----------
    cohort : Cohort
        The people.
    outcome : str
        Column of the result.
    covariates : sequence of str
        Traits at the first wave.
    threshold : float
        Smallest number of people in an arm, on average, that an estimate may rest on.

    Yields
    ------
    Effect
        In the order of the page, from the naive to what corrects the losses.
    """
    if cohort.arm is None:
        refused = "aucune colonne ne dit qui bénéficie de l'action"
        yield Effect("", "Aucune méthode", "", refused=refused)
        return
    ends = ends_of(cohort, outcome)
    for group, method, caution, ask in _methods(cohort, ends, outcome, tuple(covariates)):
        yield _asked(group, method, caution, ask, threshold)


_Asked: TypeAlias = tuple[str, str, str, Callable[[], Estimate | Bounds]]


def _methods(
    cohort: Cohort, ends: Ends, outcome: str, covariates: tuple[str, ...]
) -> Iterator[_Asked]:
    first, cluster = ends.first, cohort.cluster
    two = like(cohort, cohort.frame[cohort.frame[cohort.wave].isin([ends.before, ends.last])])

    def by_arm(column: str, weight: pd.Series[float] | None = None) -> Estimate:
        return weighted_effect(first, column, ARM, weight=weight, cluster=cluster, se="CR2")

    yield (
        _NAIVE, "avant/après des bénéficiaires",
        "compte comme effet tout ce qui change pour tout le monde",
        lambda: _before_after(first, cluster),
    )  # fmt: skip
    yield (
        _NAIVE, "bénéficiaires et comparaison, à la fin",
        "compte comme effet la différence de départ entre les deux groupes",
        lambda: by_arm("end"),
    )  # fmt: skip
    if covariates:
        yield (
            _NAIVE, "à la fin, groupes et pertes repondérés",
            "suppose que tous les traits qui décident de l'entrée sont mesurés au départ",
            lambda: by_arm(
                "end",
                combine_weights(cohort.propensity_weights(covariates), losses(first, covariates)),
            ),
        )  # fmt: skip
    yield (
        _DID, "moyennes des présents (2 × 2)",
        "suppose que, sans l'action, les deux groupes auraient évolué de même ; ne corrige pas les"
        " pertes",
        lambda: two.did(outcome, ends.last, se="CR2"),
    )  # fmt: skip
    yield (
        _DID, "les mêmes personnes",
        "compare chacun à lui-même ; ceux qui restent peuvent différer de ceux qui sont partis",
        lambda: by_arm("change"),
    )  # fmt: skip
    if cohort.first_treated is not None:
        yield (
            _DID, "effets fixes, toutes les vagues",
            "compare aussi des entrées récentes à des anciennes : biaisé si l'effet change avec le"
            " temps",
            lambda: _fixed_effects(cohort, outcome),
        )  # fmt: skip
        yield (
            _DID, "entrées échelonnées, ATT(g,t)",
            "suppose des évolutions parallèles à chaque entrée ; laisse ceux qu'une date manque",
            lambda: cohort.att_gt(outcome).aggregate("simple").overall,
        )  # fmt: skip
    if covariates:
        yield (
            _LOSSES, "les mêmes personnes, repondérées",
            "suppose que tout ce qui fait partir est mesuré au départ",
            lambda: by_arm("change", losses(first, covariates).weight),
        )  # fmt: skip
    yield (
        _LOSSES, "bornes de Lee",
        "deux bornes sans intervalle, pour ceux qui seraient restés dans l'un et l'autre groupe ;"
        " suppose que l'action ne fait que retenir, ou que faire partir",
        lambda: _lee(first),
    )  # fmt: skip


def _asked(
    group: str,
    method: str,
    caution: str,
    ask: Callable[[], Estimate | Bounds],
    threshold: float,
) -> Effect:
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")  # each is on the page, or told again below
            found = ask()
    except (BarometreError, ValueError) as error:
        return Effect(group, method, caution, refused=str(error))
    cautions = (FewClustersWarning, ComparisonWarning)
    for other in told:
        if not issubclass(other.category, cautions):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    if isinstance(found, tuple):
        return Effect(group, method, caution, bounds=found)
    if int(found.n) < 2 * threshold:
        return Effect(group, method, caution, refused="trop peu de personnes pour être publié")
    few = [str(w.message) for w in told if issubclass(w.category, cautions)]
    return Effect(group, method, " ; ".join([caution, *dict.fromkeys(few)]), found)


def losses(first: pd.DataFrame, covariates: Sequence[str]) -> AttritionWeights:
    """Weight those still seen as those of their arm whom they resemble.

    Parameters
    ----------
    first : DataFrame
        That of `Ends`.
    covariates : sequence of str
        Traits: each has its own effect on losses in each arm.

    Returns
    -------
    AttritionWeights
    """
    columns: dict[str, pd.Series[Any]] = {ARM: first[ARM]}
    treated = first[ARM] == 1
    for name in covariates:
        column = columns[name] = first[name]
        if pd.api.types.is_numeric_dtype(column):
            columns[f"{name} (bénéficiaires)"] = column.where(treated, 0.0)
            continue
        for kind in sorted(column.dropna().unique(), key=str)[1:]:
            columns[f"{name} = {kind} (bénéficiaires)"] = ((column == kind) & treated).astype(float)
    frame = pd.DataFrame(columns).assign(seen=first["seen"])
    return attrition_weights(frame, "seen", list(columns), numerator=[ARM])


def _before_after(first: pd.DataFrame, cluster: str | None) -> Estimate:
    kept = first[(first[ARM] == 1) & first["change"].notna()].reset_index(drop=True)
    kept = kept.assign(_mean=1.0, _each=range(len(kept)))
    found = cluster_robust(kept, "change", "_mean", cluster=cluster or "_each", se="CR2")
    mean = found.table.iloc[0]
    return make_estimate(
        mean["estimate"], mean["se"], mean["df"], len(kept), {"method": "avant/après"}
    )


def _fixed_effects(cohort: Cohort, outcome: str) -> Estimate:
    first = cohort.frame[cohort.first_treated]
    treated = (cohort.frame[cohort.wave] >= first).fillna(False).astype("int64")
    name = "_traite"
    return like(cohort, cohort.frame.assign(**{name: treated})).twfe(outcome, name, se="CR2")


def _lee(first: pd.DataFrame) -> Bounds:
    found = lee_bounds(first, "change", ARM)
    return float(found.low), float(found.high)


def like(cohort: Cohort, frame: pd.DataFrame) -> Cohort:
    """Make a cohort of other rows with the same columns."""
    return Cohort(
        frame.reset_index(drop=True), person=str(cohort.person), wave=str(cohort.wave),
        arm=cohort.arm, treated=cohort.treated, first_treated=cohort.first_treated,
        cluster=cohort.cluster, zone=cohort.zone, weight=cohort.weight, status=cohort.status,
    )  # fmt: skip
