"""The IDH-4 and the IDT among the results, and what they lack when they cannot be there."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.base.files import replacing
from barometre.base.frames import absent_columns, check_frame
from barometre.base.french import format_number
from barometre.cards.columns import KEY
from barometre.composite.french.development import idh4
from barometre.composite.french.development_inputs import (
    Cantons,
    Diploma,
    as_diploma,
    idh4_components,
)
from barometre.composite.french.reconstructed import FRANCE, idt
from barometre.composite.french.reference_gaps import COMPONENTS, ThreeNumbers
from barometre.composite.french.territorial import TerritorialIndex
from barometre.composite.tree.bounds import Bounds
from barometre.datasets.places.bundle import communes
from barometre.engine.results import Results
from barometre.tables.codes import level_of
from barometre.tables.table_set import Tables, as_tables

_INDICES = ("idh4", "idt")
_IDH4 = ("icm", "part_diplomes", "niveau_de_vie_median")
_PUBLISHED_KEPT = "valeur publiée retenue ; calculée ici : "
_COLUMNS = tuple(Results.to_schema().columns)


@dataclass(frozen=True)
class _Lacking:
    """One thing without which an index cannot be computed."""

    index: str
    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.index} : {self.what} ; {self.where}"


class IndexWarning(UserWarning):
    """An index is not among the results: what it lacks, where that is found, how to type it."""


_MORTALITY = _Lacking(
    "IDH-4",
    "indice comparatif de mortalité absent (table mortalite, colonne icm)",
    "il vient de l'observatoire régional de la santé, par canton : le saisir dans le tableau que"
    " fait « barometre template mortalite --out mortalite.csv » (code C5906 pour un canton), avec"
    " une table commune-canton (cantons=)",
)
_DIPLOMAS = {
    "cep": _Lacking(
        "IDH-4",
        "part des diplômés absente (table diplomes, colonne diplomes_cep_plus)",
        "les recensements d'après 2012 ne séparent plus le CEP : saisir « barometre template"
        ' diplomes --out diplomes.csv », ou compter depuis le CAP (diploma="cap"), avec des bornes'
        " de même définition",
    ),
    "cap": _Lacking(
        "IDH-4",
        "part des diplômés absente (table diplomes, colonne sans_diplome_ou_brevet)",
        "lire le fichier de l'Insee base-cc-diplomes-formation, ou le dossier complet",
    ),
}
_INCOMES = _Lacking(
    "IDH-4",
    "niveau de vie médian absent (table revenus, colonne niveau_de_vie_median)",
    "lire les fichiers Filosofi de l'Insee par commune (FILOaaaa_DISP_COM)",
)
_BOUNDS = _Lacking(
    "IDH-4",
    "bornes absentes",
    "les observer sur les communes de la région et les garder :"
    ' bcs.composite.idh4_bounds(composantes, region="R32", out="bornes.toml"), puis'
    ' bounds="bornes.toml"',
)
_EMPLOYMENT = _Lacking(
    "IDT reconstitué",
    f"composantes absentes ({', '.join(COMPONENTS)})",
    "les saisir, une ligne par code et année, France métropolitaine (METRO) comprise : emploi des"
    " 25-54 ans (recensement, base-cc-emploi-pop-active, ACTOCC2554 et POP2554), diplômes"
    " au-dessus du bac, revenu médian (Filosofi)",
)
_SPREAD = _Lacking(
    "IDT reconstitué",
    "dispersion absente",
    "la donner (dispersion=) : celle de bcs.calibrate_idt, gardée d'une édition à l'autre",
)


def add_indices(
    results: pd.DataFrame,
    tables: Tables | Mapping[str, pd.DataFrame],
    *,
    bounds: Bounds | str | Path | Mapping[str, tuple[float, float]] | None = None,
    cantons: Cantons | None = None,
    diploma: Diploma = "cep",
    idt_components: pd.DataFrame | None = None,
    dispersion: ThreeNumbers | None = None,
    weights: ThreeNumbers = (1 / 3, 1 / 3, 1 / 3),
    only: Iterable[str] = _INDICES,
) -> pd.DataFrame:
    """Add the IDH-4, and the reconstructed IDT, to the results of `compute`.

    Parameters
    ----------
    results : DataFrame
        As `compute` returns them.
    tables : Tables or mapping of str to DataFrame
        Those that the results come from; the IDH-4 takes ``mortalite``, ``diplomes``, ``revenus``.
    bounds : Bounds, path or mapping, optional
        Of the IDH-4, as in `idh4`: observed once on the communes of the region, and kept
        (`idh4_bounds`).
    cantons : DataFrame, Series or mapping, optional
        Canton of each commune, as in `idh4_components`.
    diploma : {"cep", "cap"}, default "cep"
        From which diploma people are counted, as in `idh4_components`.
    idt_components : DataFrame, optional
        Components of `idt`, France among them, indexed by (code, annee) or with these as columns.
    dispersion, weights : three numbers, optional
        As in `idt`; the dispersion is not observed here, or the index would change with the set.
    only : iterable of {"idh4", "idt"}, default both
        The indices to add.

    Returns
    -------
    DataFrame
        The results, then the rows of ``idh4`` and ``idt`` of the territories that are in them, for
        the levels and years of which one has a value, with ``origine = "calcule"``; ``note`` says
        what `idh4` remarks, and what a value lacks. Where the results give a published value, it
        stays, and ``note`` gives the computed one beside it.

    Warns
    -----
    IndexWarning
        What an index lacks, where it is found and how to type it.

    Raises
    ------
    BarometreError
        Columns absent from the results; what `idh4` and `idt` refuse.

    Notes
    -----
    The bounds, dispersion and weights are those given: two editions compare only with the same.

    Examples
    --------
    >>> frames = {
    ...     "mortalite": pd.DataFrame({"code": ["C5906"], "annee": 2019, "icm": [131.0]}),
    ...     "diplomes": pd.DataFrame({"code": ["59172"], "annee": 2019,
    ...         "non_scolarises_15_ans_plus": [14000], "diplomes_cep_plus": [9100]}),
    ...     "revenus": pd.DataFrame({"code": ["59172"], "annee": 2019,
    ...         "niveau_de_vie_median": [14320]})}
    >>> results = pd.DataFrame({"code": ["59172"], "annee": 2019, "indicateur": "idh4",
    ...     "valeur": np.nan, "statut": "non_disponible", "borne_inf": np.nan, "borne_sup": np.nan,
    ...     "qualite": None, "origine": "calcule", "note": None})
    >>> bounds = {"icm": (60, 160), "part_diplomes": (50, 90),
    ...     "niveau_de_vie_median": (14090, 38860)}
    >>> cantons = {"59172": "C5906"}
    >>> found = add_indices(results, frames, bounds=bounds, cantons=cantons, only=["idh4"])
    >>> found[["code", "indicateur", "valeur"]].round(4).to_numpy().tolist()
    [['59172', 'idh4', 0.227]]
    """
    check_frame(results, "indices non ajoutés", _COLUMNS, remedy="donner des résultats de compute")
    checked = as_tables(tables)
    as_diploma(diploma)
    wanted = _wanted(only)
    no_idh4 = [*_lacking_idh4(checked, bounds, diploma)] if "idh4" in wanted else []
    no_idt = [*_lacking_idt(idt_components, dispersion)] if "idt" in wanted else []
    found = []
    if "idh4" in wanted and not no_idh4:
        components = idh4_components(checked, cantons, diploma=diploma)
        index = idh4(components, bounds, health="icm")
        found.append(_rows("idh4", index, index.table["statut"]))
    if "idt" in wanted and idt_components is not None and not no_idt:
        index = idt(idt_components, FRANCE, dispersion, weights)
        values = index.table["idt_reconstitue"]
        status = values.notna().map({True: "ok", False: "non_disponible"})
        found.append(_rows("idt", index, status))
    if lacking := no_idh4 + no_idt:
        lines = "".join(f"\n  - {one}" for one in lacking)
        warnings.warn(f"indices absents des résultats :{lines}", IndexWarning, stacklevel=2)
    return _joined(results, found)


def idh4_bounds(
    components: pd.DataFrame,
    *,
    region: str | None = None,
    out: str | Path | None = None,
    date: datetime.date | None = None,
) -> Bounds:
    """Observe the bounds of the IDH-4 on communes, and keep them in a file.

    Parameters
    ----------
    components : DataFrame, communes x components
        As `idh4_components` gives them: ``icm``, ``part_diplomes``, ``niveau_de_vie_median``. Only
        communes that have the three count: the bounds are those of communes that have an index.
    region : str, optional
        Code of a region (``"R32"``): its communes only, of any bundled vintage; by default all the
        communes given.
    out : path, optional
        TOML file to write, for `idh4` and `add_indices`.
    date : date, optional
        When they were observed; by default today.

    Returns
    -------
    Bounds

    Raises
    ------
    BarometreError
        No commune of that region with the three components; columns absent; a component without
        two different values.

    Examples
    --------
    >>> given = pd.DataFrame({"icm": [100, 150.0], "part_diplomes": [60, 80.0],
    ...     "niveau_de_vie_median": [14320, 22000.0]}, index=["59172", "59350"])
    >>> dict(idh4_bounds(given.rename_axis("code"), region="R32").limits)["icm"]
    (100.0, 150.0)
    """
    frame = (
        components
        if "code" not in components
        else components.set_index([name for name in KEY if name in components])
    )
    if faults := absent_columns(frame, _IDH4, "donner les composantes d'idh4_components"):
        raise FaultsError("bornes non observées", faults)
    codes = pd.Series(frame.index.get_level_values(0).astype("str"))
    kept = np.array(codes.map(level_of) == "commune")
    name = "communes données"
    if region is not None:
        kept &= codes.isin(_communes_of(region)).to_numpy()
        name = f"communes de la région {region}"
    kept &= frame[list(_IDH4)].notna().all(axis=1).to_numpy()
    if not kept.any():
        raise BarometreError(f"bornes non observées : aucune des {name} n'a les trois composantes")
    observed = Bounds.observed(frame[kept], list(_IDH4), reference=name, date=date)
    if out is not None:
        with replacing(Path(out)) as path:
            observed.to_toml(path)
    return observed


def _communes_of(region: str) -> set[str]:
    """List the communes that a region has or had, in the vintages bundled."""
    listed = communes()
    found = set(map(str, listed.index[listed["region"] == region]))
    if not found:
        known = ", ".join(sorted(set(listed["region"].dropna())))
        raise BarometreError(f"région « {region} » inconnue : donner l'une de {known}")
    return found


def _wanted(only: Iterable[str]) -> set[str]:
    wanted = {only} if isinstance(only, str) else set(only)
    if unknown := sorted(wanted - set(_INDICES)):
        raise UnknownNameError("indice", unknown[0], _INDICES)
    return wanted


def _lacking_idh4(tables: Tables, bounds: object, diploma: str) -> Iterator[_Lacking]:
    wanted = (
        ("mortalite", "icm", _MORTALITY),
        (
            "diplomes",
            "diplomes_cep_plus" if diploma == "cep" else "sans_diplome_ou_brevet",
            _DIPLOMAS[diploma],
        ),
        ("revenus", "niveau_de_vie_median", _INCOMES),
    )
    for table, column, what in wanted:
        if table not in tables or tables[table][column].isna().all():
            yield what
    if bounds is None:
        yield _BOUNDS


def _lacking_idt(components: pd.DataFrame | None, dispersion: object) -> Iterator[_Lacking]:
    if components is None:
        yield _EMPLOYMENT
    if dispersion is None:
        yield _SPREAD


def _rows(indicator: str, index: TerritorialIndex, status: pd.Series[str]) -> pd.DataFrame:
    """Lay an index out as rows of results."""
    table = index.table
    if list(table.index.names) != list(KEY):
        raise BarometreError(f"{index.title} : donner des composantes par code et année")
    rows = pd.DataFrame(
        {
            "indicateur": indicator,
            "valeur": table[index.name].to_numpy(np.float64),
            "statut": status.to_numpy(),
            "borne_inf": np.nan,
            "borne_sup": np.nan,
            "qualite": pd.Series(None, index=table.index, dtype="str"),
            "origine": "calcule",
            "note": table["remarques"],
        },
        index=table.index,
    ).reset_index()
    return rows[list(_COLUMNS)]


def _joined(results: pd.DataFrame, found: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Add the rows of indices; a published value stays, and says what was computed."""
    kept, keys = results, ["code", "annee", "indicateur"]
    for rows in found:
        mine = rows[rows["code"].isin(results["code"])]
        level = mine["code"].map(level_of)
        some = mine["valeur"].notna().groupby([level, mine["annee"]]).transform("any")
        mine = mine[some.to_numpy(bool)]
        place = pd.MultiIndex.from_frame(mine[keys])
        here = pd.MultiIndex.from_frame(kept[keys])
        told = kept["statut"].eq("ok").to_numpy() & here.isin(place)
        value = mine.set_index(place)["valeur"].reindex(here[told])
        beside = [
            None
            if np.isnan(x)
            else f"valeur publiée retenue ; calculée ici : {format_number(x, 2)}"
            for x in value
        ]
        note = kept["note"].astype(object).to_numpy(copy=True)
        note[told] = [
            " ; ".join(text for text in (old, new) if isinstance(text, str)) or None
            for old, new in zip(note[told], beside, strict=True)
        ]
        kept = kept.assign(note=pd.Series(note, index=kept.index, dtype="str"))
        mine = mine[~place.isin(here[told])]
        kept = kept[told | ~here.isin(place)]
        kept = pd.concat([kept, mine], ignore_index=True).astype(results.dtypes.to_dict())
    return kept
