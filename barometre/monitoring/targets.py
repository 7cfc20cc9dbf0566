"""Targets against what is observed: how far, on which path, and what cannot be judged."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.monitoring.deadlines import deadline_of, year_of
from barometre.tables.records import check_records

Status = Literal[
    "atteint",
    "en avance",
    "sur la trajectoire",
    "en retard",
    "à l'opposé",
    "non atteint",
    "échu, sans donnée",
    "sans donnée",
    "indéterminé",
    "référence à fournir",
    "relatif",
    "qualitatif",
    "sens ambigu",
]
ON_THE_PATH = 0.05
"""Share of the distance from reference to target within which a value is on the path."""

_DOCUMENTS = {"002": "contrat Quartiers 2030", "003": "CRTE du Valenciennois"}
_STARTS = {"002": 2024, "003": 2021}  # when the contract and the CRTE were signed


def contract_targets() -> pd.DataFrame:
    """Gather the targets of the contract and of the CRTE: the State's 63 lines and 51 others.

    Returns
    -------
    DataFrame
        A table ``objectifs``. Where the source does not say which way a target goes, ``sens`` is
        that of its comparator, else ``baisse`` for a target of zero or less or below its
        reference, else ``hausse``. A duration ("10 ans") becomes the year it leads to, from the
        reference or from the signature (contract 2024, CRTE 2021).
    """
    state = datasets.load("objectifs_etat_complet").frame
    local = datasets.load("objectifs_locaux_et_partenaires").frame
    first = state.rename(
        columns={
            "action": "mesure",
            "objectif_strategique": "orientation",
            "operateur_imprime": "operateur",
        }
    ).assign(territoire="Nord")
    second = local.rename(
        columns={
            "porteur": "operateur",
            "valeur": "cible",
            "valeur_max": "cible_max",
            "reference_annee": "reference_date",
        }
    ).assign(nature="chiffre")
    second["sens"] = [_way(row) for row in second.to_dict("records")]
    both = pd.concat([first, second], ignore_index=True)
    document = both["document"].map(lambda number: _DOCUMENTS.get(number, f"document {number}"))
    both["source"] = document + ", ligne " + both["ligne_source"].astype(str)
    starts = both["document"].map(_STARTS)
    both["reference_date"] = [_plain(date) for date in both["reference_date"]]
    both["echeance"] = [
        _dated(text, year_of(reference) or int(start))
        for text, reference, start in zip(
            both["echeance"], both["reference_date"], starts, strict=True
        )
    ]
    kept = ["id", "mesure", "orientation", "territoire", "operateur", "nature", "sens"]
    kept += ["comparateur", "cible", "cible_max", "unite", "reference", "reference_date"]
    return check_records("objectifs", both[[*kept, "echeance", "source"]])


def _plain(date: Any) -> str | None:
    """Write a year read as a number without decimal."""
    if isinstance(date, float):
        return None if np.isnan(date) else f"{date:.0f}"
    return None if date is None or pd.isna(date) else str(date)


def _dated(text: str | None, start: int) -> str | None:
    """Write the year that a duration leads to; leave any other deadline as it is."""
    if isinstance(text, str) and text.strip().endswith((" ans", " an")):
        return str(deadline_of(text, start).year)
    return text


def _way(row: Mapping[Hashable, Any]) -> str:
    """Tell which way a target goes from its comparator, its sign or its reference."""
    comparator, target, reference = str(row["comparateur"]), row["cible"], row["reference"]
    assert isinstance(target, float)
    if comparator in (">", ">="):
        return "hausse"
    if comparator in ("<", "<=") or target <= 0:
        return "baisse"
    if isinstance(reference, float) and not np.isnan(reference):
        return "hausse" if target > reference else "baisse"
    return "hausse"


@dataclass(frozen=True)
class Target:
    """One quantified target, ready to be compared: the line it follows, and when it is due."""

    low: float  # what must be reached
    strict: bool
    upward: bool
    reference: float
    since: int | None
    due: int | None
    lasting: bool
    tolerance: float

    def reached(self, value: float) -> bool:
        """Tell whether a value reaches the target."""
        if value == self.low:
            return not self.strict
        return value > self.low if self.upward else value < self.low

    @property
    def has_path(self) -> bool:
        """Tell whether there is a line from a reference to the target."""
        return not np.isnan(self.reference)

    def expected(self, year: int) -> float:
        """Give the value on the line from the reference to the target, at a year.

        Without deadline, the target itself: it is judged now. Missing without reference, or
        without the reference's year.
        """
        if not self.has_path:
            return np.nan
        if self.due is None:
            return self.low
        if self.since is None:
            return np.nan
        if self.due <= self.since:
            return self.low
        share = min(max((year - self.since) / (self.due - self.since), 0.0), 1.0)
        return self.reference + share * (self.low - self.reference)

    def status(self, value: float, year: int) -> Status:
        """Judge one value at a year."""
        if self.reached(value):
            return "atteint"
        if not self.has_path:
            return "référence à fournir"
        way = 1.0 if self.upward else -1.0
        if way * (value - self.reference) < 0:
            return "à l'opposé"
        if self.due is None:
            return "non atteint"
        expected = self.expected(year)
        if np.isnan(expected):
            return "référence à fournir"
        margin = way * (value - expected)
        allowed = self.tolerance * abs(self.low - self.reference)
        if abs(margin) <= allowed + 1e-12 * max(1.0, abs(expected)):
            return "sur la trajectoire"
        return "en avance" if margin > 0 else "en retard"


def track(
    objectifs: pd.DataFrame,
    observations: pd.DataFrame | None = None,
    year: int | None = None,
    *,
    results: pd.DataFrame | None = None,
    tolerance: float = ON_THE_PATH,
) -> pd.DataFrame:
    """Say where each target stands at a year.

    Parameters
    ----------
    objectifs : DataFrame
        Targets (table ``objectifs``).
    observations : DataFrame, optional
        What was observed (table ``observations``), in the unit of each target.
    year : int, optional
        Year of the review; by default the last one observed.
    results : DataFrame, optional
        Results of `compute`, for the targets that have an ``indicateur`` and a ``territoire`` that
        is its code. An observation given for the same target and year wins.
    tolerance : float, default 0.05
        Share of the distance from reference to target within which a value is on the path.

    Returns
    -------
    DataFrame
        The targets with ``annee`` (of the observation, the latest up to ``year``), ``valeur,
        borne_inf, borne_sup``, ``attendu`` (expected on the linear path), ``progres`` (percent of
        the way from reference to target), ``statut`` and ``note``. Statuses: `Status`. A target
        without deadline, yearly or permanent, is judged now and never late: ``atteint``, or
        ``non atteint`` when it has a reference. Without reference only ``atteint`` can be said,
        else ``référence à fournir``. ``indéterminé``: the interval of the observation holds values
        of different statuses. ``échu``: the year of the deadline is over.

    Raises
    ------
    TableError
        A table that is refused.
    FaultsError
        Observations of no target; no year.

    Examples
    --------
    >>> targets = pd.DataFrame({
    ...     "id": ["SNU"], "mesure": ["jeunes des QPV au SNU"], "nature": ["chiffre"],
    ...     "sens": ["hausse"], "comparateur": ["="], "cible": [20], "reference": [10],
    ...     "reference_date": ["2024"], "echeance": ["2027"],
    ... })
    >>> seen = pd.DataFrame({"id": ["SNU"], "annee": [2025], "valeur": [12]})
    >>> track(targets, seen, 2025)[["attendu", "statut"]].round(1).to_numpy().tolist()
    [[13.3, 'en retard']]
    """
    if not 0 <= tolerance < 1:
        raise BarometreError(f"tolerance : une part de 0 à 1 est attendue, pas {tolerance}")
    targets = check_records("objectifs", objectifs)
    seen = _observed(targets, observations, results)
    if year is None:
        if seen.empty:
            raise BarometreError("year : donner l'année de la revue, aucune n'est observée")
        year = int(seen["annee"].max())
    seen = seen[seen["annee"] <= year].sort_values("annee").groupby("id").last()
    found = seen.reindex(targets["id"]).reset_index(drop=True)
    rows = [
        _judge(target, row, year, tolerance)
        for target, row in zip(targets.to_dict("records"), found.to_dict("records"), strict=True)
    ]
    judged = pd.DataFrame(rows, index=targets.index).astype(
        {"attendu": "float64", "progres": "float64", "statut": "str", "note": "str"}
    )
    return pd.concat(
        [targets, found[["annee", "valeur", "borne_inf", "borne_sup"]], judged], axis=1
    )


def _observed(
    targets: pd.DataFrame, observations: pd.DataFrame | None, results: pd.DataFrame | None
) -> pd.DataFrame:
    """Gather what was observed, given or computed."""
    given = check_records(
        "observations",
        pd.DataFrame({"id": [], "annee": [], "valeur": []})
        if observations is None
        else observations,
    )
    unknown = given[~given["id"].isin(targets["id"])]
    if len(unknown):
        names = ", ".join(f"« {name} »" for name in unknown["id"].unique()[:5])
        fault = Fault("id", f"observations d'aucun objectif : {names}", "corriger", unknown)
        raise FaultsError("suivi des objectifs refusé", [fault])
    if results is None:
        return given
    known = results[results["statut"] == "ok"]
    computed = targets[["id", "indicateur", "territoire"]].merge(
        known, left_on=["indicateur", "territoire"], right_on=["indicateur", "code"]
    )
    computed = computed[["id", "annee", "valeur", "borne_inf", "borne_sup"]]
    both = pd.concat([given, computed.astype({"annee": "Int64"})], ignore_index=True)
    return both.drop_duplicates(["id", "annee"], keep="first")


def _target(row: Mapping[Hashable, Any], tolerance: float) -> Target:
    """Read a target from its row."""
    numbers = {
        name: np.nan if pd.isna(value := row[name]) else float(str(value))
        for name in ("cible", "cible_max", "reference")
    }
    deadline = deadline_of(_plain(row["echeance"]))
    comparator = row["comparateur"]
    upward = row["sens"] == "hausse" or (
        pd.isna(row["sens"])
        and (comparator in (">", ">=") or numbers["cible"] > numbers["reference"])
    )
    low = numbers["reference"] if np.isnan(numbers["cible"]) else numbers["cible"]
    if comparator == "entre" and not upward:
        low = numbers["cible_max"]  # coming down, the range is reached from above
    return Target(
        low=low,
        strict=comparator in (">", "<") or np.isnan(numbers["cible"]),  # better than the reference
        upward=bool(upward),
        reference=numbers["reference"],
        since=year_of(_plain(row["reference_date"])),
        due=deadline.year,
        lasting=deadline.lasting,
        tolerance=tolerance,
    )


def _judge(
    row: Mapping[Hashable, Any], seen: Mapping[Hashable, Any], year: int, tolerance: float
) -> dict[str, Any]:
    """Judge one target: its expected value, its progress, its status, and what to know."""
    blank: dict[str, Any] = {"attendu": np.nan, "progres": np.nan, "note": None}
    if status := _not_judged(row):
        return {**blank, "statut": status}
    target = _target(row, tolerance)
    expected = target.expected(year)
    value = seen["valeur"]
    if pd.isna(value):
        over = target.due is not None and year > target.due
        return {
            **blank,
            "attendu": expected,
            "statut": "échu, sans donnée" if over else "sans donnée",
        }
    assert isinstance(value, float)
    notes = []
    if seen["annee"] != year:
        notes.append(f"donnée de {seen['annee']}")
    status, why = _status_between(target, seen, value, year)
    notes += why
    distance = target.low - target.reference
    progress = 100 * (value - target.reference) / distance if distance else np.nan
    return {
        "attendu": expected,
        "progres": progress,
        "statut": status,
        "note": " ; ".join(notes) or None,
    }


def _not_judged(row: Mapping[Hashable, Any]) -> Status | None:
    """Tell why a target cannot be compared to a value, if it cannot."""
    if row["sens"] == "ambigu":
        return "sens ambigu"
    if row["nature"] == "qualitatif":
        return "qualitatif"
    if row["nature"] == "reference_relative":
        return "relatif"
    if pd.isna(row["cible"]) and pd.isna(row["reference"]):
        return "référence à fournir"
    return None


def _status_between(
    target: Target, seen: Mapping[Hashable, Any], value: float, year: int
) -> tuple[Status, list[str]]:
    """Judge a value with its interval: undetermined when its ends are judged otherwise."""
    status = target.status(value, year)
    ends = [float(str(seen[end])) for end in ("borne_inf", "borne_sup") if not pd.isna(seen[end])]
    others = {target.status(end, year) for end in ends} | {status}
    if len(others) == 1:
        return status, []
    told = " ou ".join(sorted(others))
    return "indéterminé", [f"l'intervalle de l'observation ne permet pas de trancher : {told}"]
