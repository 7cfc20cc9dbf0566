"""What is asked of the page of a cohort, and what it gives: protected tables, estimates."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.french import format_number
from barometre.cohort import (
    Cohort,
    FewClustersWarning,
    count_people,
    k_anonymity,
    minimum_detectable_effect,
    protect,
)
from barometre.cohort.staggered.group_time import ComparisonWarning
from barometre.pages.people.effects import Effect, effects_of
from barometre.pages.people.linked import tie
from barometre.pages.territory.language.grammar import counted

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
class Answers:
    """What is found of a cohort: tables in their protected form, effects, refusals.

    Attributes
    ----------
    tables : mapping of str to DataFrame
        Protected tables by name.
    effects : tuple of Effect
    refusals : mapping of str to str
        Why a table is not there.
    people, waves : int
    audit : tuple of str
        What was hidden, in sentences.
    drawn : mapping of str to object
        What charts are made from and no table holds: ``dynamic`` (effects by time since entry),
        ``change`` (movers and stayers, which hides by itself).
    """

    tables: Mapping[str, pd.DataFrame] = field(repr=False)
    effects: tuple[Effect, ...]
    refusals: Mapping[str, str]
    people: int
    waves: int
    audit: tuple[str, ...]
    drawn: Mapping[str, Any] = field(default_factory=dict, repr=False)


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
    drawn: dict[str, Any] = {}
    for name, verb in _verbs(cohort, wish):
        try:
            found = verb()
            tables[name] = pd.DataFrame(protect(found, threshold=wish.threshold))
        except BarometreError as error:
            refusals[name] = str(error)
            continue
        if name == "lieu":
            drawn["change"] = found
    if wish.reason is not None:
        tables["raisons"] = _reasons(cohort, wish)
    whole = set(tables)
    tried, hidden = tie(tables, wish.threshold, wish.event, arms_of(cohort))
    for name in whole - set(tables):
        refusals[name] = "Masqué : avec un autre tableau, il redonnerait un petit effectif"
    return Answers(
        tables,
        tuple(effects_of(cohort, wish.outcome, wish.covariates, wish.threshold))
        if wish.outcome
        else (),
        refusals,
        cohort.n_people,
        len(cohort.waves),
        (*_audit(cohort, wish, tables), *_linked(tried, hidden)),
        drawn | _by_time(cohort, wish),
    )


def arms_of(cohort: Cohort) -> dict[str, Any]:
    """Name the values of the arm as the table of losses does."""
    if cohort.arm is None:
        return {}
    treated = 1 if cohort.treated is None else cohort.treated
    values = cohort.frame[cohort.arm].dropna().unique()
    return {"treated" if value == treated else "control": value for value in values}


def _linked(tried: int, hidden: Sequence[str]) -> Iterator[str]:
    """Say what the subtractions between tables would give back."""
    yield (
        f"audit des tableaux liés : {counted(tried, 'soustraction')} d'un tableau à l'autre"
        f" ({', '.join(_SUBTRACTIONS)}) ; aucune ne redonne un petit effectif"
    )
    yield from (f"masqué pour cela : {text}" for text in hidden)


_SUBTRACTIONS = (
    "présents moins statuts", "suivis moins perdus", "perdus moins raisons",
    "sans l'événement moins à risque",
)  # fmt: skip


def _by_time(cohort: Cohort, wish: Wish) -> dict[str, Any]:
    """Estimate effects by time since entry, where entries are known."""
    if cohort.first_treated is None or wish.outcome is None or cohort.arm is None:
        return {}
    try:
        with warnings.catch_warnings():
            # The table of effects says them: it rests on the same estimates.
            warnings.simplefilter("ignore", FewClustersWarning)
            warnings.simplefilter("ignore", ComparisonWarning)
            found = cohort.att_gt(wish.outcome).aggregate("dynamic")
    except (BarometreError, ValueError):
        return {}
    if int(found.overall.n) < 2 * wish.threshold:
        return {}
    return {"dynamic": found.table}


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


def _reasons(cohort: Cohort, wish: Wish) -> pd.DataFrame:
    frame, names = cohort.frame, [name for name in (cohort.arm,) if name is not None]
    lost = frame[frame[wish.reason].notna()]
    found = count_people(
        lost, str(cohort.person), str(wish.reason), *names, threshold=wish.threshold
    )
    return found.table.reset_index()


def _audit(cohort: Cohort, wish: Wish, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Say what was hidden, table by table, and how alone people are in their traits."""
    for name, table in tables.items():
        if "status" in table:
            hidden = int((table["status"] == "secret").sum())
            yield f"{name} : {counted(hidden, 'ligne masquée', 'lignes masquées')} sur {len(table)}"
    first = cohort.frame[cohort.frame[cohort.wave] == cohort.waves[0]]
    traits = [name for name in wish.covariates if not pd.api.types.is_float_dtype(first[name])]
    traits += [name for name in (cohort.zone,) if name is not None]
    if traits:
        report = k_anonymity(first, traits, k=int(wish.threshold)).meta
        shown = ", ".join(traits)
        yield (
            f"croisement de {shown} : {counted(report['n_small'], 'personne')} sur"
            f" {format_number(report['n_in'], 0)} dans un groupe de moins de"
            f" {int(wish.threshold)} ; le fichier des personnes ne se diffuse pas"
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
