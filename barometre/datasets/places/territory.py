"""One's own territory: its codes by level and its references, to filter what is read or kept."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans
from barometre.base.errors import BarometreError
from barometre.datasets.places.bundle import METRO, wholes, wholes_of_any_year
from barometre.datasets.places.gazetteer import resolve
from barometre.datasets.places.members import (
    Given,
    Members,
    department_of_quarter,
    members,
    read_text,
)
from barometre.tables.codes import level_of

Names: TypeAlias = "str | Iterable[str]"

_GROUPS = ("ENSQP_", "ENSQN_")  # all the neighbourhoods of a territory, of 2015 and of 2024


@dataclass(frozen=True)
class Selection:
    """A territory: what it is made of, and what it is compared with.

    Attributes
    ----------
    titre : str
        The territory in words.
    demandes : mapping of str to tuple of str
        The codes asked for, by level, names being resolved.
    codes : mapping of str to tuple of str
        Its own codes by level: ``"commune"`` (districts of Paris, Lyon and Marseille included),
        ``"qpv"``, ``"union"``. Its IRIS are those of its communes: their codes begin so.
    references : mapping of str to tuple of str
        Codes by level of what it is compared with, the nearest first: ``"epci"``, ``"ept"``,
        ``"ensemble_qpv"`` (all the neighbourhoods of a reference), ``"commune"`` (of a
        neighbourhood), ``"departement"``, ``"region"``, ``"france_metropolitaine"``.
    anciennes : mapping of str to str
        Current commune, by the code of the former ones that are part of it.
    departements : frozenset of str
        Departments that it holds whole: the code of a neighbourhood tells which it is in.
    libelles : mapping of str to str
        Labels by code.
    members : Members
        The memberships it was made with.
    """

    titre: str
    demandes: Mapping[str, tuple[str, ...]] = field(repr=False)
    codes: Mapping[str, tuple[str, ...]]
    references: Mapping[str, tuple[str, ...]]
    anciennes: Mapping[str, str] = field(repr=False)
    departements: frozenset[str] = field(repr=False)
    libelles: Mapping[str, str] = field(repr=False)
    members: Members = field(repr=False, compare=False)

    def keeps(
        self, codes: Iterable[str | None], *, level: str | None = None, references: bool = True
    ) -> Booleans:
        """Tell which codes are of the territory or of its references.

        Parameters
        ----------
        codes : iterable of str
            Codes of any level, as text; those of deleted communes are followed, and a missing one
            is not kept.
        level : str, optional
            Level of the codes when the file tells it: nine digits are then an IRIS or an EPCI
            without doubt.
        references : bool, default True
            Keep the references too.

        Returns
        -------
        array of bool
            One per code.
        """
        given = codes if isinstance(codes, (pd.Series, pd.Index)) else list(codes)
        rows, different = pd.factorize(pd.Index(given, dtype="str"))
        admitted = different.isin(self._own)
        if references:
            admitted |= different.isin(self._compared)
        if level in (None, "iris"):
            iris = np.ones(len(different), dtype=bool) if level == "iris" else are_iris(different)
            admitted |= iris & (different.str.len() == 9) & different.str[:5].isin(self._communes)
        if self.departements:
            quarters = different.str[:2].isin(["QP", "QN"])
            departments = different.where(quarters, "").map(department_of_quarter)
            admitted |= quarters & departments.isin(self.departements)
        return np.append(admitted, False)[rows]  # a missing code is at -1

    @functools.cached_property
    def _communes(self) -> frozenset[str]:
        return frozenset({*self.codes.get("commune", ()), *self.anciennes})

    @functools.cached_property
    def _own(self) -> frozenset[str]:
        return self._communes.union(*self.codes.values())

    @functools.cached_property
    def _compared(self) -> frozenset[str]:
        return frozenset().union(*self.references.values())

    def __repr__(self) -> str:
        own = ", ".join(f"{len(codes)} {level}" for level, codes in self.codes.items() if codes)
        compared = ", ".join(code for codes in self.references.values() for code in codes)
        return f"Selection({self.titre} : {own or 'rien'} ; références : {compared})"


def are_iris(codes: pd.Index[str]) -> Booleans:
    """Tell IRIS from EPCI: both have nine digits, and the EPCI that ever were are known."""
    form = codes.str.fullmatch(r"(?:[013-9]\d|2[1-9AB])\d{7}")
    return np.asarray(form, dtype=bool) & ~codes.isin(_epci_codes())


@functools.cache
def _epci_codes() -> frozenset[str]:
    codes = wholes_of_any_year().index
    return frozenset(codes[codes.str.len() == 9])


def selection(
    *,
    epci: Names | None = None,
    dep: Names | None = None,
    commune: Names | None = None,
    qpv: Names | None = None,
    zones: Names | Path | None = None,
    membership: Given | Iterable[Given] | None = None,
    vintage: int | None = None,
) -> Selection:
    """Describe a territory by the codes or the names of what it is made of.

    Parameters
    ----------
    epci : str or iterable of str, optional
        EPCI or EPT: their communes, their neighbourhoods, their IRIS.
    dep : str or iterable of str, optional
        Departments: the same.
    commune : str or iterable of str, optional
        Communes, or districts of Paris, Lyon and Marseille: themselves, their IRIS, and the
        neighbourhoods that are partly in them. A deleted commune is the one it is now part of.
    qpv : str or iterable of str, optional
        Priority neighbourhoods.
    zones : str, iterable of str or path, optional
        Any codes, those of unions of one's own included; or a CSV file with a column ``code``.
    membership : Series, mapping, DataFrame, path or list, optional
        Who is in what, that wins over what is bundled (`members`): commune to EPCI, list of
        neighbourhoods.
    vintage : int, optional
        Vintage of the memberships, 2021 to 2026, the latest by default.

    Returns
    -------
    Selection
        Several options add up. References: the EPCI (and EPT), all their neighbourhoods, the
        departments, the regions and metropolitan France; for ``qpv``, their communes too.

    Raises
    ------
    BarometreError
        Nothing asked for; a code or a name that is unknown or borne by several, with the nearest
        ones.

    Examples
    --------
    >>> selection(epci="La Porte du Hainaut")
    Selection(CA de la Porte du Hainaut : 47 commune, 26 qpv ; références : 200042190, \
ENSQP_200042190, ENSQN_200042190, ENSQP_59, ENSQN_59, ENSQP_METRO, ENSQN_METRO, 59, R32, METRO)
    """
    known = members(membership, vintage=vintage)
    asked = {"epci": epci, "departement": dep, "commune": commune, "qpv": qpv}
    if all(names is None for names in (*asked.values(), zones)):
        raise BarometreError("aucun territoire : donner epci=, dep=, commune=, qpv= ou zones=")
    wanted = {
        level: _resolved(names, level, known) for level, names in asked.items() if names is not None
    }
    free = _zones(zones, known)
    towns = _towns(known, wanted, free)
    own = {"commune": towns, "qpv": _quarters(known, wanted, free)}
    own["union"] = [code for code in free if code not in {*own["commune"], *own["qpv"]}]
    compared = _references(known, own, wanted)
    labels = _labels(known)
    named = _current([code for codes in wanted.values() for code in codes] or free, known)
    title = ", ".join(labels.get(code, code) for code in named[:3]) + "…" * (len(named) > 3)
    former = known.former[known.former.isin(set(towns))]
    return Selection(
        title,
        MappingProxyType({level: tuple(codes) for level, codes in wanted.items()}),
        MappingProxyType({level: tuple(codes) for level, codes in own.items() if codes}),
        MappingProxyType(compared),
        MappingProxyType(dict(former)),
        frozenset(wanted.get("departement", [])),
        MappingProxyType({c: labels[c] for c in _all(own, compared) if c in labels}),
        known,
    )


def _resolved(names: Names, level: str, known: Members) -> list[str]:
    """Resolve names; an EPCI that only the given memberships know is admitted."""
    listed = [names] if isinstance(names, str) or not isinstance(names, Iterable) else list(names)
    given = {"epci": set(known.communes["epci"].dropna()) | set(known.quarters["epci"])}
    found, refusals = [], []
    for name in map(str, listed):
        try:
            held = name in given.get(level, ())
            found.append(name if held else resolve(name, level, vintage=known.vintage))
        except BarometreError as error:
            refusals.append(str(error))
    if refusals or not found:
        raise BarometreError("\n".join(refusals) or f"{level} : aucun code donné")
    return found


def _current(codes: Iterable[str], known: Members) -> list[str]:
    """Follow communes that were deleted."""
    return [str(known.former.get(code, code)) for code in codes]


def _towns(known: Members, wanted: Mapping[str, list[str]], free: list[str]) -> list[str]:
    """List the communes of a territory, a city with its districts."""
    places, epci = known.communes, wanted.get("epci", [])
    named = _current([*wanted.get("commune", []), *free], known)
    towns = [code for code in named if code in places.index]
    for column, codes in (
        ("commune", towns),
        ("epci", epci),
        ("ept", epci),
        ("departement", wanted.get("departement", [])),
    ):
        towns += places.index[places[column].isin(codes)].tolist()
    return list(dict.fromkeys(towns))


def _quarters(known: Members, wanted: Mapping[str, list[str]], free: list[str]) -> list[str]:
    """List the neighbourhoods of EPCI and of departments, or that are partly in communes."""
    within = {level: codes for level, codes in wanted.items() if level != "epci"}
    ept = known.communes["ept"].isin(wanted.get("epci", []))
    towns = {*_towns(known, within, []), *known.communes.index[ept]}
    lists = known.quarters
    touched = [not towns.isdisjoint(cell.split()) for cell in lists["communes"]]
    held = lists["epci"].isin(wanted.get("epci", [])) | np.array(touched, dtype=bool)
    named = [code for code in free if code[:2] in ("QP", "QN")]
    return list(dict.fromkeys([*lists["code"][held], *wanted.get("qpv", []), *named]))


def _zones(zones: Names | Path | None, known: Members) -> list[str]:
    """List free codes; those that have the form of a commune must be one."""
    codes = _listed_zones(zones)
    towns = {*known.communes.index, *known.former.index}
    lost = [c for c in codes if re.fullmatch(r"\d|\d{4}|\d{8}", c)]
    lost += [c for c in codes if level_of(c) == "commune" and c not in towns]
    if lost:
        raise BarometreError(
            f"zones : codes inconnus ({', '.join(lost[:5])}) ; zéro initial perdu, ou autre"
            " millésime ?"
        )
    return codes


def _listed_zones(zones: Names | Path | None) -> list[str]:
    if zones is None:
        return []
    if isinstance(zones, Path) or (isinstance(zones, str) and Path(zones).suffix):
        path = Path(zones)
        if not path.exists():
            raise BarometreError(f"{path} : fichier de zones introuvable ; vérifier le chemin")
        frame = read_text(path)
        if "code" not in frame.columns:
            raise BarometreError(
                f"{path.name} : colonne « code » absente ; un code par ligne sous cet en-tête"
            )
        return list(dict.fromkeys(frame["code"].dropna()))
    codes = [zones] if isinstance(zones, str) else list(map(str, zones))
    if not codes:
        raise BarometreError("zones : aucun code donné")
    return list(dict.fromkeys(codes))


def _references(
    known: Members, own: Mapping[str, list[str]], wanted: Mapping[str, list[str]]
) -> dict[str, tuple[str, ...]]:
    """List what a territory is compared with, the nearest first."""
    places, lists = known.communes, known.quarters
    lists = lists[lists["code"].isin(own["qpv"])]
    alone = lists["code"].isin(wanted.get("qpv", []))
    around = [code for cell in lists.loc[alone, "communes"] for code in cell.split()]
    cities = known.whole(own["commune"], "commune")
    towns = [*own["commune"], *around]
    epci = [*wanted.get("epci", []), *known.whole(towns, "epci")]
    if not own["commune"]:
        epci += [code for code in lists["epci"] if code]
    ept = known.whole(towns, "ept")
    epci = [code for code in dict.fromkeys(epci) if code not in ept]
    of_quarters = pd.Series([department_of_quarter(code) for code in own["qpv"]], dtype="str")
    departments = known.whole(towns, "departement") or list(of_quarters.unique())
    inside = places.index[places["departement"].isin(departments)]
    groups = [f"{group}{code}" for code in (*epci, *ept, *departments, METRO) for group in _GROUPS]
    compared = {
        "commune": [c for c in dict.fromkeys([*around, *cities]) if c not in own["commune"]],
        "epci": epci,
        "ept": ept,
        "ensemble_qpv": groups,
        "departement": departments,
        "region": known.whole(inside, "region"),
        "france_metropolitaine": [METRO],
    }
    return {level: tuple(codes) for level, codes in compared.items() if codes}


def _labels(known: Members) -> dict[str, str]:
    above = wholes(known.vintage)["nom"]
    quarters = known.quarters[known.quarters["nom"] != ""].drop_duplicates("code")
    names = (known.communes["nom"], above, quarters.set_index("code")["nom"])
    labels = {code: name for named in names for code, name in zip(named.index, named, strict=True)}
    for code, name in above.items():
        labels |= {f"ENSQP_{code}": f"QP de {name}", f"ENSQN_{code}": f"QPV 2024 de {name}"}
    return labels | {METRO: "France métropolitaine", "ENSQP_METRO": "QP de France métropolitaine"}


def _all(*parts: Mapping[str, Sequence[str]]) -> list[str]:
    return [code for part in parts for codes in part.values() for code in codes]
