"""The territories of a report: names, levels, perimeters, references, peers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.french import Lang
from barometre.compare.proof.breaks import NEW_QPV
from barometre.datasets.places.bundle import METRO, communes, wholes
from barometre.datasets.places.members import Members, department_of_quarter
from barometre.pages.territory.language.grammar import within
from barometre.tables.codes import level_of, qpv_generation

_PAGED = ("qpv", "epci", "commune")
_ABOVE = ("epci", "departement", "region", "france_metropolitaine")
_KEPT = 5  # references: more do not fit a page


@dataclass(frozen=True)
class Place:
    """A territory as the pages name it.

    Attributes
    ----------
    code, name, short, level : str
        Its code, its full name, a name short enough for a table, its level.
    """

    code: str
    name: str
    short: str
    level: str

    def within(self, lang: Lang = "fr") -> str:
        """Say ``dans le Nord``."""
        return within(self.short if self.level == "qpv" else self.name, self.level, self.code, lang)

    @property
    def perimeter(self) -> int | None:
        """The generation of a priority neighbourhood, 2015 or 2024."""
        return qpv_generation(self.code)


def places_of(codes: Iterable[str], labels: pd.DataFrame | None) -> dict[str, Place]:
    """Name territories: by the labels given, else by those that are bundled, else by the code.

    Parameters
    ----------
    codes : iterable of str
        Codes.
    labels : DataFrame or None
        ``libelle``, ``libelle_court`` and ``niveau`` by code; each column may be absent.

    Returns
    -------
    dict of str to Place
    """
    given = labels if labels is not None else pd.DataFrame()
    columns = {name: given[name].dropna().to_dict() for name in given if name in _COLUMNS}
    names = _bundled_names()
    found = {}
    for code in codes:
        level = str(columns.get("niveau", {}).get(code) or level_of(code))
        name = str(columns.get("libelle", {}).get(code) or names.get(code, code))
        short = str(columns.get("libelle_court", {}).get(code) or name)
        found[code] = Place(code, name, short, level)
    return found


_COLUMNS = ("libelle", "libelle_court", "niveau")


def _bundled_names() -> dict[str, str]:
    named = communes()
    by_code = named.set_index("code")["nom"] if "code" in named else named["nom"]
    return {
        **{str(k): str(v) for k, v in by_code.items()},
        **{str(k): str(v) for k, v in wholes()["nom"].items()},
    }


def territories_of(results: pd.DataFrame, wanted: Iterable[str] | None) -> list[str]:
    """List the territories to write a page for.

    Parameters
    ----------
    results : DataFrame
        Tidy results.
    wanted : iterable of str or None
        Codes; by default every priority neighbourhood and every EPCI of the results, else every
        commune.

    Returns
    -------
    list of str
        In the order of the results.

    Raises
    ------
    BarometreError
        Codes that no row has, or nothing to write a page for.
    """
    there = list(dict.fromkeys(results["code"].astype(str)))
    if wanted is not None:
        asked = [wanted] if isinstance(wanted, str) else [str(code) for code in wanted]
        if absent := [code for code in asked if code not in set(there)]:
            raise BarometreError(
                f"sans aucune ligne dans les résultats : {', '.join(absent)} ;"
                " donner des codes qu'ils contiennent"
            )
        return list(dict.fromkeys(asked))
    levels = {code: level_of(code) for code in there}
    quarters = [code for code in there if levels[code] in ("qpv", "epci")]
    chosen = quarters or [code for code in there if levels[code] == "commune"]
    if not chosen:
        raise BarometreError(
            "aucun quartier, EPCI ni commune dans les résultats : donner territories="
        )
    return chosen


def references_of(
    code: str, there: Sequence[str], given: Sequence[str] | None, known: Members
) -> tuple[str, ...]:
    """Choose what a territory is compared with, the nearest first.

    Parameters
    ----------
    code : str
        The territory.
    there : sequence of str
        Codes of the results.
    given : sequence of str or None
        References asked for.
    known : Members
        Who is in what.

    Returns
    -------
    tuple of str
        At most five codes of the results: by default the EPCI, all its neighbourhoods (for a
        neighbourhood), the department, the region, metropolitan France.
    """
    held = set(there)
    if given is not None:
        return tuple(ref for ref in given if ref in held and ref != code)
    above = _above_of(code, known)
    if not above:
        return _alone(there, code)
    return tuple(dict.fromkeys(ref for ref in above if ref in held and ref != code))[:_KEPT]


def _above_of(code: str, known: Members) -> list[str]:
    """List what a territory is in, the nearest first; nothing for a code of one's own."""
    level = level_of(code)
    if level not in _PAGED:
        return []
    towns, epci = [code], []
    groups: list[str] = []
    if level == "qpv":
        rows = known.quarters[known.quarters["code"] == code]
        towns = list(communes_of(code, known))
        epci = [own for own in rows["epci"] if own]
        prefix = "ENSQN_" if qpv_generation(code) == NEW_QPV else "ENSQP_"
        groups = [f"{prefix}{own}" for own in epci]
    elif level == "epci":
        towns = known.communes.index[known.communes["epci"] == code].tolist()
    else:
        epci = known.whole(towns, "epci")
    departments = known.whole(towns, "departement")
    if level == "qpv" and not departments:
        departments = [department_of_quarter(code)]
    inside = known.communes.index[known.communes["departement"].isin(departments)]
    return [*epci, *groups, *departments, *known.whole(inside, "region"), METRO]


def _alone(there: Sequence[str], code: str) -> tuple[str, ...]:
    """Take what stands alone at its level, for a code that nothing tells of."""
    levels = {other: level_of(other) for other in there if other != code}
    found: list[str] = []
    for kind in _ABOVE:
        codes = [other for other, level in levels.items() if level == kind]
        found += codes if len(codes) == 1 else []
    return tuple(found)[:_KEPT]


def peers_of(code: str, there: Sequence[str]) -> tuple[str, ...]:
    """List the territories of the results like one: same level, same perimeter."""
    level, generation = level_of(code), qpv_generation(code)
    return tuple(
        other for other in there if level_of(other) == level and qpv_generation(other) == generation
    )


def communes_of(code: str, known: Members) -> tuple[str, ...]:
    """List the communes that a neighbourhood is in, as far as they are known."""
    rows = known.quarters[known.quarters["code"] == code]
    return tuple(dict.fromkeys(town for cell in rows["communes"] for town in cell.split()))
