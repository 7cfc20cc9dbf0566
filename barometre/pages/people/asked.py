"""What is asked of the page of a cohort, and what it gives: protected tables, estimates."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.cohort import (
    Cohort,
    FewClustersWarning,
    count_people,
    k_anonymity,
    minimum_detectable_effect,
    protect,
)
from barometre.cohort.inference.estimates import Estimate
from barometre.cohort.staggered.group_time import ComparisonWarning

THRESHOLD = 11
"""Smallest number of people shown."""


@dataclass(frozen=True)
class Wish:
    """What the page is to show of a cohort.

    Attributes
    ----------
    outcome : str or None
        Column of the result whose effect is estimated.
    covariates : tuple of str
        Traits at the first wave: balance, losses, weights.
    event : str or None
        Status whose first time is told.
    reason : str or None
        Column that says why a person left.
    threshold : int
        Smallest number of people shown.
    unit : str
        Unit of the outcome, after its figures.
    """

    outcome: str | None = None
    covariates: tuple[str, ...] = ()
    event: str | None = None
    reason: str | None = None
    threshold: int = THRESHOLD
    unit: str = ""


@dataclass(frozen=True)
class Effect:
    """An effect by one method, or why the method does not serve.

    Attributes
    ----------
    method, caution : str
        The method, and what it assumes.
    estimate : Estimate or None
    refused : str
        Why there is none.
    """

    method: str
    caution: str
    estimate: Estimate | None
    refused: str = ""


@dataclass(frozen=True)
class Answers:
    """What is found of a cohort: tables in their protected form, effects, refusals.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        Protected tables by name.
    effects : tuple of Effect
    refusals : mapping of str to str
        Why a table is not there.
    people, waves, clusters : int
    audit : tuple of str
        What was hidden, in sentences.
    """

    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    effects: tuple[Effect, ...]
    refusals: Mapping[str, str]
    people: int
    waves: int
    audit: tuple[str, ...]


_CAUTIONS = {
    "did": (
        "Double différence, première et dernière vagues",
        "suppose que, sans l'action, les deux groupes auraient évolué de même ; ne corrige pas les"
        " pertes",
    ),
    "twfe": (
        "Effets fixes des personnes et des vagues",
        "compare aussi des entrées récentes à des anciennes : biaisé si l'effet change avec l'âge",
    ),
    "att_gt": (
        "Entrées échelonnées (ATT(g,t), jamais entrés pour témoins)",
        "suppose des évolutions parallèles à chaque entrée ; laisse ceux qu'une date manque",
    ),
    "weighted": (
        "Comparaison finale, pondérée par le score de propension",
        "suppose que tous les traits qui décident de l'entrée sont mesurés au départ",
    ),
}


def answers_of(cohort: Cohort, wish: Wish) -> Answers:
    """Ask a cohort all that its columns allow, in the protected form.

    Parameters
    ----------
    cohort : Cohort
        The people.
    wish : Wish
        What is to be shown.

    Returns
    -------
    Answers
        A verb that a cohort does not allow is a refusal in words, never a failure.
    """
    tables: dict[str, pd.DataFrame] = {}
    refusals: dict[str, str] = {}
    for name, verb in _verbs(cohort, wish):
        try:
            table = pd.DataFrame(protect(verb(), threshold=wish.threshold))
        except BarometreError as error:
            refusals[name] = str(error)
            continue
        tables[name] = table
    _tie(tables)
    if wish.reason is not None:
        tables["raisons"] = _reasons(cohort, wish)
    return Answers(
        tables,
        tuple(_effects(cohort, wish)) if wish.outcome else (),
        refusals,
        cohort.n_people,
        len(cohort.waves),
        tuple(_audit(cohort, wish, tables)),
    )


def _verbs(cohort: Cohort, wish: Wish) -> Iterator[tuple[str, Callable[[], Any]]]:
    arm = cohort.arm
    yield "suivi", lambda: cohort.retention(arm)
    if arm is not None:
        yield "pertes", lambda: cohort.attrition()
    if arm is not None and wish.covariates:
        yield "équilibre", lambda: cohort.balance_table(list(wish.covariates))
    if cohort.status is not None and wish.event is not None:
        event = wish.event
        yield "durées", lambda: cohort.kaplan_meier(event, arm)
    if cohort.status is not None:
        yield "passages", lambda: cohort.transition_rates()
        yield "statuts", lambda: cohort.state_distribution(arm, missing="drop")
    if cohort.zone is not None and wish.outcome is not None:
        zone = _busiest(cohort)
        outcome = wish.outcome
        if zone is not None:
            yield (
                "lieu",
                lambda: cohort.decompose_change(outcome, zone, cohort.waves[0], cohort.waves[-1]),
            )


def _busiest(cohort: Cohort) -> Any:
    """Return the place where most people are, at the first wave."""
    rows = cohort.frame[cohort.frame[cohort.wave] == cohort.waves[0]]
    counts = rows[cohort.zone].value_counts(sort=False).sort_index()
    return counts.idxmax() if len(counts) else None


def _tie(tables: dict[str, pd.DataFrame]) -> None:
    """Hide together what tells the same people: a wave hidden in one table is hidden in others."""
    follow, lost = tables.get("suivi"), tables.get("pertes")
    if follow is None:
        return
    last = follow["wave"] == follow["wave"].max()
    if lost is not None and (follow.loc[last, "status"] == "secret").any():
        figures = {str(c): None for c in lost if c not in ("group", "status")}
        tables["pertes"] = lost.assign(**figures, status="secret")
    states = tables.get("statuts")
    if states is not None:
        keys = [name for name in ("group", "wave") if name in states and name in follow]
        hidden = follow.loc[follow["status"] == "secret", keys].drop_duplicates()
        if len(hidden):
            marked = states.merge(hidden.assign(_hidden=True), on=keys, how="left")
            secret = marked["_hidden"].notna().to_numpy()
            tables["statuts"] = states[~secret].reset_index(drop=True)


def _reasons(cohort: Cohort, wish: Wish) -> pd.DataFrame:
    frame, names = cohort.frame, [name for name in (cohort.arm,) if name is not None]
    lost = frame[frame[wish.reason].notna()]
    found = count_people(
        lost, str(cohort.person), str(wish.reason), *names, threshold=wish.threshold
    )
    return found.table.reset_index()


def _effects(cohort: Cohort, wish: Wish) -> Iterator[Effect]:
    """Estimate the effect by each method that the columns allow."""
    outcome = wish.outcome
    assert outcome is not None  # asked so
    last = cohort.waves[-1]
    if cohort.arm is None:
        yield Effect("Aucune", "", None, "aucune colonne ne dit qui bénéficie de l'action")
        return
    ends = cohort.frame[cohort.frame[cohort.wave].isin([cohort.waves[0], last])]
    two = _like(cohort, ends.reset_index(drop=True))
    methods: list[tuple[str, Callable[[], Estimate]]] = [
        ("did", lambda: two.did(outcome, last, se="CR2"))
    ]
    if cohort.first_treated is not None:
        methods.append(("twfe", lambda: _fixed_effects(cohort, outcome)))
        methods.append(("att_gt", lambda: cohort.att_gt(outcome).aggregate("simple").overall))
    if wish.covariates:
        methods.append(("weighted", lambda: _weighted(cohort, wish, outcome)))
    for name, method in methods:
        title, caution = _CAUTIONS[name]
        yield _estimated(title, caution, method, wish.threshold)


def _estimated(
    title: str, caution: str, method: Callable[[], Estimate], threshold: float
) -> Effect:
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")  # each is on the page, or told again below
            estimate = method()
    except (BarometreError, ValueError) as error:
        return Effect(title, caution, None, str(error))
    cautions = (FewClustersWarning, ComparisonWarning)
    for other in told:
        if not issubclass(other.category, cautions):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
    if int(estimate.n) < 2 * threshold:
        return Effect(title, caution, None, "trop peu de personnes pour être publié")
    few = [str(w.message) for w in told if issubclass(w.category, cautions)]
    return Effect(title, "; ".join([caution, *few]), estimate)


def _fixed_effects(cohort: Cohort, outcome: str) -> Estimate:
    first = cohort.frame[cohort.first_treated]
    treated = (cohort.frame[cohort.wave] >= first).fillna(False).astype("int64")
    name = "_traite"
    return _like(cohort, cohort.frame.assign(**{name: treated})).twfe(outcome, name, se="CR2")


def _weighted(cohort: Cohort, wish: Wish, outcome: str) -> Estimate:
    weights = cohort.propensity_weights(list(wish.covariates))
    return cohort.weighted_effect(outcome, weight=weights.weight)


def _like(cohort: Cohort, frame: pd.DataFrame) -> Cohort:
    """Make a cohort of other rows with the same columns."""
    return Cohort(
        frame, person=str(cohort.person), wave=str(cohort.wave), arm=cohort.arm,
        treated=cohort.treated, first_treated=cohort.first_treated, cluster=cohort.cluster,
        zone=cohort.zone, weight=cohort.weight, status=cohort.status,
    )  # fmt: skip


def _audit(cohort: Cohort, wish: Wish, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Say what was hidden, table by table, and how alone people are in their traits."""
    for name, table in tables.items():
        if "status" in table:
            hidden = int((table["status"] == "secret").sum())
            yield f"{name} : {hidden} lignes masquées sur {len(table)}"
    first = cohort.frame[cohort.frame[cohort.wave] == cohort.waves[0]]
    traits = [name for name in wish.covariates if not pd.api.types.is_float_dtype(first[name])]
    traits += [name for name in (cohort.zone,) if name is not None]
    if traits:
        report = k_anonymity(first, traits, k=int(wish.threshold)).meta
        shown = ", ".join(traits)
        yield (
            f"croisement de {shown} : {report['n_small']} personnes sur {report['n_in']} sont dans"
            f" un groupe de moins de {int(wish.threshold)} ; le fichier des personnes ne se diffuse"
            " pas"
        )


def detectable(answers: Answers, cohort: Cohort, outcome: str) -> float | None:
    """Return the effect that so many people let be seen four times out of five.

    Returns
    -------
    float or None
        None without two arms or without a spread of the outcome.
    """
    if cohort.arm is None:
        return None
    first = cohort.frame[cohort.frame[cohort.wave] == cohort.waves[0]]
    sizes = first[cohort.arm].value_counts()
    spread = pd.to_numeric(first[outcome], errors="coerce").std()
    if len(sizes) < 2 or not spread > 0:
        return None
    found = minimum_detectable_effect(int(sizes.iloc[0]), int(sizes.iloc[1]), sd=float(spread))
    return float(found.effect)


def named(values: Sequence[Any], arms: Mapping[Any, str]) -> list[str]:
    """Name the arms as the page does."""
    return [arms.get(value, str(value)) for value in values]
