"""The page of people who were made up: that of any cohort, with the effect that is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError
from barometre.base.french import format_number
from barometre.cohort import Cohort, weighted_effect
from barometre.pages.people.asked import Wish
from barometre.pages.people.content import Section
from barometre.pages.people.effects import ARM, Effect, ends_of, losses
from barometre.pages.people.files import CohortPage, write_page
from barometre.pages.territory.facts.grids import grid

N, SMALLEST = 2400, 400
"""People by default; those under whom the methods shown would lack some in a neighbourhood."""

ENTRIES = (2026, 2028)
MOBILITY, ZONE_SHOCK = 0.08, 15.0
COVARIATES = ("income", "diploma", "age", "sex")
_OTHERS = 8  # cohorts drawn alike
_NAMES = {
    "income": "revenu", "age": "âge", "sex": "sexe", "diploma": "diplôme", "exit_reason": "raison",
}  # fmt: skip
_NOTICE = (
    "Aucun quartier n'est décrit ici. L'action s'adresse à ceux qui ont le moins, les revenus"
    " montent plus vite avec un diplôme, les plus aisés quittent les quartiers, et les pertes"
    " dépendent du revenu et du diplôme de départ : on voit ce que chaque méthode retrouve d'un"
    " effet connu, et où une comparaison naïve se trompe."
)


def write_cohort_page(path: str | Path, *, seed: int = 0, n: int = N) -> CohortPage:
    """Write the page of a synthetic cohort, and the workbook of its figures.

    Parameters
    ----------
    path : str or Path
        Page to write (``.html``).
    seed : int, default 0
        Seed of the cohort.
    n : int, default 2400
        People, at least 400.

    Returns
    -------
    CohortPage
        The page that `cohort_page` writes of any cohort, with the effect that is known, what the
        double difference would be had nobody been lost, and the same methods on other cohorts.

    Raises
    ------
    BarometreError
        Fewer than 400 people: too few for the methods shown.

    Notes
    -----
    The cohort is that of `datasets.make_cohort`, with two waves of entry.
    """
    if n < SMALLEST:
        raise BarometreError(f"n={n} : donner au moins {SMALLEST} personnes")
    frame = _drawn(seed, n)
    truth = float(frame.attrs["truth"]["effect"])
    wish = Wish("revenu", tuple(map(_named, COVARIATES)), "emploi", "raison", unit="€")
    return write_page(
        _cohort(frame),
        path,
        wish,
        title="Suivre des personnes, pas des lieux : une cohorte de synthèse",
        notice=_NOTICE,
        source=f"barometre, cohorte de synthèse de graine {seed}",
        truth=truth,
        effects=(_whole(seed, n),),
        sections=(_again(seed, n, truth),),
    )


def _named(name: str) -> str:
    return _NAMES.get(name, name)


def _drawn(seed: int, n: int, *, complete: bool = False) -> pd.DataFrame:
    return datasets.make_cohort(
        n, entries=ENTRIES, mobility=MOBILITY, zone_shock=ZONE_SHOCK, complete=complete, seed=seed
    )


def _cohort(frame: pd.DataFrame) -> Cohort:
    return Cohort(
        frame.rename(columns=_NAMES), person="person", wave="wave", arm="arm",
        first_treated="first_treated", cluster="baseline_zone", zone="zone", status="status",
    )  # fmt: skip


def _whole(seed: int, n: int) -> Effect:
    """Estimate the double difference had nobody been lost: what chance alone does."""
    cohort = _cohort(_drawn(seed, n, complete=True))
    ends = ends_of(cohort, "revenu")
    found = weighted_effect(ends.first, "change", ARM, cluster="baseline_zone", se="CR2")
    return Effect(
        "Pour mémoire",
        "si personne n'avait été perdu",
        "les mêmes personnes, aucune perte : l'écart à l'effet vrai est ce que fait le hasard seul",
        found,
    )


# ---- the same methods on other cohorts -----------------------------------------------------------


def _again(seed: int, n: int, truth: float) -> Section:
    """Tell what the method does from what chance does, on other cohorts drawn alike."""
    found = pd.DataFrame([_points(seed + 1 + i, n) for i in range(_OTHERS)])
    mean, error = found.mean(), found.std() / np.sqrt(_OTHERS)
    rows = [
        [
            str(name),
            format_number(middle, 0, signed=True),
            format_number(middle - truth, 0, signed=True),
            f"± {format_number(spread, 1)}",
        ]
        for name, middle, spread in zip(found, mean, error, strict=True)
    ]
    shown = grid(
        f"Moyenne des estimations sur {_OTHERS} autres cohortes tirées de même, en €",
        ("méthode", "moyenne", "écart à l'effet vrai", "erreur de simulation"),
        rows,
    )
    return Section(
        "hasard", "Le hasard ou la méthode ?", (), (shown,),
        reading="Un écart bien plus grand que l'erreur de simulation vient de la méthode, non du"
        " tirage : recommencer ne l'efface pas.",
    )  # fmt: skip


def _points(seed: int, n: int) -> dict[str, float]:
    first = ends_of(_cohort(_drawn(seed, n)), "revenu").first
    treated = first[ARM] == 1
    weight = losses(first, [_named(name) for name in COVARIATES]).weight

    def gap(column: str, weights: pd.Series[float] | None = None) -> float:
        known = first[column].notna() & (weights.notna() if weights is not None else True)
        means = [
            float(np.average(first.loc[known & side, column],
                             weights=None if weights is None else weights[known & side]))
            for side in (treated, ~treated)
        ]  # fmt: skip
        return means[0] - means[1]

    return {
        "avant/après des bénéficiaires": float(first.loc[treated, "change"].mean()),
        "bénéficiaires et comparaison, à la fin": gap("end"),
        "les mêmes personnes": gap("change"),
        "les mêmes personnes, repondérées": gap("change", weight),
    }
