"""Who is in what: the bundled memberships, and those that are given or read, which win."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias, cast

import pandas as pd

from barometre import datasets
from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.datasets.places.bundle import communes, former_communes
from barometre.datasets.places.gazetteer import folded
from barometre.tables.codes import check_codes, level_of, repair_codes
from barometre.tables.members import is_passage, read_membership, read_passage

Given: TypeAlias = (
    "pd.Series[str] | Mapping[str, str] | Mapping[str, Sequence[str]] | pd.DataFrame | str | Path"
)

# Columns of the lists that are distributed, case ignored; the first found serves.
_CODES = ("code_qp", "codeqpv", "code_qpv", "qp", "codgeo", "com", "code", "commune")
_NAMES = ("lib_qp", "libqpv", "lib_qpv", "libgeo", "nom", "libelle")
_COMMUNES = ("insee_com", "communes", "cog")
_EPCI = ("siren_epci", "epci")
_COMMUNE_NAMES = ("lib_com",)
NAMED_COMMUNES = ("CODGEO", "LIBGEO", "LIB_COM")
"""Columns by which SIG-Ville's files of data name the communes of each neighbourhood."""
_TITLE = "appartenance refusée"
_OUTLINES = (".geojson", ".json")

CONTRACT = "200042190"
"""CA de la Porte du Hainaut, whose neighbourhoods of 2015 are bundled."""

_NEIGHBOUR = "245901160"  # CA Valenciennes Métropole, in which three of these are also


@dataclass(frozen=True)
class Members:
    """Who is in what at one vintage.

    Attributes
    ----------
    vintage : int or None
        Vintage of the communes, None for the latest.
    communes : DataFrame
        As `communes` returns it, the EPCI being those given where some are.
    former : Series
        Current commune, by the code of a former one.
    quarters : DataFrame
        Priority neighbourhoods known, one row per neighbourhood and EPCI: ``code``, ``nom``,
        ``epci``, ``communes`` (codes separated by blanks, empty when not known).
    covered : frozenset of (str, str)
        Perimeters (``"QP"`` of 2015, ``"QN"`` of 2024) and departments or EPCI of which all the
        neighbourhoods are known.
    """

    vintage: int | None
    communes: pd.DataFrame
    former: pd.Series[str]
    quarters: pd.DataFrame
    covered: frozenset[tuple[str, str]]

    def whole(self, codes: Iterable[str], column: str) -> list[str]:
        """List the wholes that some communes are in, in the order of the communes."""
        found = self.communes[column].reindex(list(codes)).dropna()
        return list(dict.fromkeys(found))


def members(given: Given | Iterable[Given] | None = None, *, vintage: int | None = None) -> Members:
    """Gather the bundled memberships and those that are given, which win.

    Parameters
    ----------
    given : Series, mapping, DataFrame, path, or a list of these, optional
        Commune or neighbourhood to EPCI (or EPCI to the list of its parts); a list of the priority
        neighbourhoods (columns of the official one: ``code_qp``, ``insee_com``, ``siren_epci``;
        or what `read_qpv_members` gives); a table of passage (``DEPCOM_HIST`` and ``DEPCOM``, or
        ``CODGEO_INI``), by which former communes are followed; or a file of one of these kinds
        (Insee's table of communes, list of QPV in CSV, XLSX or GeoJSON).
    vintage : int, optional
        Vintage of the bundled memberships, the latest by default.

    Returns
    -------
    Members
        The communes of an EPCI that is given are those given and no other, and so are its
        neighbourhoods of a perimeter; a list of neighbourhoods (DataFrame or file) holds for the
        departments that it names.

    Raises
    ------
    BarometreError
        A membership that is none of these.
    FaultsError
        Columns absent, codes of another form.
    """
    base = _bundled(vintage)
    if given is None:
        return base
    alone = isinstance(given, (pd.Series, Mapping, pd.DataFrame, str, Path))
    several = [given] if alone or not isinstance(given, Iterable) else given
    for one in cast("Iterable[Given]", several):
        passage = _passage(one)
        if passage is not None:
            base = _following(base, passage)
            continue
        if isinstance(one, pd.DataFrame) and set(one.columns) == set(NAMED_COMMUNES):
            base = _completed(base, _pairs(one))
            continue
        base = _with(base, _pairs(one), is_list=isinstance(one, (pd.DataFrame, str, Path)))
    return base


def _passage(given: Given) -> pd.Series[str] | None:
    """Read a table of passage, if what is given is one."""
    if isinstance(given, pd.DataFrame):
        return read_passage(given) if is_passage(given.columns) else None
    if not isinstance(given, (str, Path)) or Path(given).suffix.lower() in _OUTLINES:
        return None
    path = Path(given)
    frame = read_text(path) if path.is_file() else pd.DataFrame()
    return read_passage(frame) if is_passage(frame.columns) else None


def _following(base: Members, passage: pd.Series[str]) -> Members:
    """Follow former communes as a passage says; what it leads to may itself be former."""
    led = passage.map(base.former).astype("str").fillna(passage)
    known = led.isin(base.communes.index) & ~led.index.isin(base.communes.index)
    former = led[known].combine_first(base.former).astype("str")
    former.name = base.former.name
    return replace(base, former=former)


@functools.cache
def _bundled(vintage: int | None) -> Members:
    former = former_communes(vintage)["commune"]
    quarters = datasets.load("qpv_2024_nord").frame
    quarters = quarters.assign(epci=quarters["epci"].str.split()).explode("epci")
    contract = datasets.load("territoires").frame
    old = contract[contract["geographie"] == "2015-2023"]
    places = communes(vintage)
    ours = old["code"].to_frame().assign(nom=old["libelle"], epci=CONTRACT)
    ours["communes"] = [_communes_of_label(name, places) for name in ours["nom"]]
    pairs = datasets.load("correspondance_qp2015_qpv2024").frame
    straddling = pairs.loc[pairs["fondement"].str.contains("chevauche"), "code_2015"]
    beyond = ours[ours["code"].isin(straddling)].assign(epci=_NEIGHBOUR)
    known = pd.concat([quarters, ours, beyond], ignore_index=True)
    return Members(
        vintage,
        places,
        former[former.index != former],
        known[["code", "nom", "epci", "communes"]].astype("str"),
        frozenset({("QN", "59"), ("QP", CONTRACT)}),
    )


def _communes_of_label(label: str, places: pd.DataFrame) -> str:
    """Read the communes of a neighbourhood in its label: ``QP Denain, Lourches - Centre``."""
    names = folded(label.removeprefix("QP ").split(" - ")[0].split(", "))
    nord = places[places["departement"] == "59"]
    return " ".join(nord.index[folded(nord["nom"]).isin(names).to_numpy()])


# ---- what is given ------------------------------------------------------------------------------


def _with(base: Members, pairs: pd.DataFrame, *, is_list: bool) -> Members:
    """Let given pairs of a part and its EPCI win."""
    is_quarter = pairs["code"].str.match(r"Q[PN]")
    quarters, parts = pairs[is_quarter], pairs[~is_quarter & (pairs["epci"] != "")]
    places = base.communes
    if len(parts):
        current = parts["code"].map(base.former).astype("str").fillna(parts["code"])
        epci = places["epci"].mask(places["epci"].isin(parts["epci"]))
        new = pd.Series(parts["epci"].to_numpy(), index=current, dtype="str")
        new = new[new.index.isin(places.index)]
        epci = new[~new.index.duplicated()].combine_first(epci).reindex(places.index)
        of_district = places["commune"].map(epci)
        places = places.assign(epci=epci.where(places["commune"].isna(), of_district).astype("str"))
    if quarters.empty:
        return replace(base, communes=places)
    quarters = _with_epci(quarters, places)
    kind, department = quarters["code"].str[:2], quarters["code"].map(department_of_quarter)
    covered = {*zip(kind, quarters["epci"], strict=True)}
    if is_list:
        covered |= {*zip(kind, department, strict=True)}
    lists, named = base.quarters, set(quarters["code"])
    stays = [
        code not in named
        and covered.isdisjoint({(code[:2], epci), (code[:2], department_of_quarter(code))})
        for code, epci in zip(lists["code"], lists["epci"], strict=True)
    ]
    known = pd.concat([quarters, lists[stays]], ignore_index=True)
    return replace(base, communes=places, quarters=known, covered=base.covered | covered)


def _completed(base: Members, pairs: pd.DataFrame) -> Members:
    """Add neighbourhoods that nothing tells of: a file of data is no list, it may be a part."""
    new = pairs[~pairs["code"].isin(base.quarters["code"])]
    if new.empty:
        return base
    known = pd.concat([base.quarters, _with_epci(new, base.communes)], ignore_index=True)
    return replace(base, quarters=known)


def _with_epci(quarters: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Give a neighbourhood of which only the communes are known the EPCI of these."""
    known = quarters[quarters["epci"] != ""]
    rest = quarters[quarters["epci"] == ""]
    epci = dict(zip(places.index, places["epci"].to_numpy(object, na_value=""), strict=True))
    among = [[epci.get(code, "") for code in codes.split()] for codes in rest["communes"]]
    lists = pd.Series(
        [list(dict.fromkeys(filter(None, found))) or [""] for found in among],
        index=rest.index,
        dtype="object",
    )
    return pd.concat([known, rest.assign(epci=lists).explode("epci")], ignore_index=True)


def department_of_quarter(code: str) -> str:
    """Read the department in the code of a neighbourhood.

    Examples
    --------
    >>> [department_of_quarter(c) for c in ("QP059050", "QN02A01M", "QN97101M", "QP001001")]
    ['59', '2A', '971', '01']
    """
    text = code[2:5]
    if text.startswith("97"):
        return text
    return text[1:] if text.startswith("0") else text[:2]


def _pairs(given: Given) -> pd.DataFrame:
    """Write what is given as rows ``code``, ``epci``, ``nom``, ``communes``; unknown is empty."""
    if isinstance(given, (str, Path)):
        return _of_file(Path(given))
    if isinstance(given, pd.DataFrame):
        return _of_frame(given, "tableau")
    if not isinstance(given, (pd.Series, Mapping)):
        kind = type(given).__name__
        raise BarometreError(f"{_TITLE} : {kind} ; donner une table, un fichier ou {{code: EPCI}}")
    long = pd.Series(dict(given), dtype="object").explode().dropna().astype("str")
    frame = long.rename_axis("code").rename("epci").reset_index().astype("str")
    if frame["code"].map(level_of).eq("epci").all() and len(frame):  # {EPCI: [communes]}
        frame = frame.rename(columns={"code": "epci", "epci": "code"})
    return _checked(frame.assign(nom="", communes=""), "appartenance")


def _of_file(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise BarometreError(f"{_TITLE} : fichier {path} introuvable ; vérifier le chemin")
    if path.suffix.lower() in _OUTLINES:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return _of_frame(pd.DataFrame([f["properties"] for f in features]), path.name)
    frame = read_text(path)
    if _column(frame, ("com", "codgeo")) and "EPCI" in frame.columns:
        epci = read_membership(path, "epci").rename("epci").reset_index()
        return _checked(epci.assign(nom="", communes=""), path.name)
    return _of_frame(frame, path.name)


def read_text(path: Path) -> pd.DataFrame:
    """Read a workbook, or a delimited file (UTF-8, else Windows), as text."""
    if path.suffix.lower() in (".xlsx", ".xls"):
        return pd.read_excel(path, dtype="str")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    header = text.split("\n", 1)[0]
    separator = max(";,\t", key=header.count)
    return pd.read_csv(io.StringIO(text), dtype="str", sep=separator)


def _column(frame: pd.DataFrame, names: Sequence[str]) -> str | None:
    columns = {str(column).lower(): str(column) for column in frame.columns}
    return next((columns[name] for name in names if name in columns), None)


def _of_frame(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Read a list of neighbourhoods, or of communes, from its columns."""
    if {"code", "niveau", "ensemble"} <= set(frame.columns):  # as `read_qpv_members` gives them
        wide = frame.groupby(["code", "niveau"])["ensemble"].agg(" ".join).unstack()
        frame = wide.reset_index().rename(columns={"commune": "communes"}).fillna("")
    code = _column(frame, _CODES)
    epci, insee = _column(frame, _EPCI), _column(frame, _COMMUNES)
    names = _column(frame, _COMMUNE_NAMES)
    if code is None or not (epci or insee or names):
        remedy = f"donner un code ({', '.join(_CODES)}) et un EPCI ({', '.join(_EPCI)})"
        raise FaultsError(f"{_TITLE} ({source})", [Fault("colonnes", "absentes", remedy)])
    rows = pd.DataFrame({"code": frame[code], "nom": ""})
    label = _column(frame, _NAMES)
    if label is not None:
        rows["nom"] = frame[label]
    rows["epci"] = frame[epci] if epci else ""
    rows["communes"] = frame[insee] if insee else ""
    rows = rows.astype("str").fillna("")[rows["code"].notna()]
    if not insee and names:
        rows["communes"] = _codes_of_names(rows["code"], frame[names].reindex(rows.index))
    # a commune code of four digits has lost its zero
    rows["communes"] = _listed(rows["communes"]).str.replace(r"\b(\d{4})\b", r"0\1", regex=True)
    if rows["code"].str.match(r"Q[PN]").any():  # one row per neighbourhood, or per part of one
        rows = rows.groupby("code", sort=False, as_index=False).agg(
            {"nom": "first", "epci": " ".join, "communes": " ".join}
        )
        rows["communes"] = rows["communes"].map(_once)
    cells = _listed(rows["epci"]).to_numpy(object)
    rows["epci"] = [list(dict.fromkeys(cell.split())) or [""] for cell in cells]
    quarters = rows["code"].str.match(r"Q[PN]")  # not the row "Ensemble" of a list of QPV
    return _checked(
        rows[quarters].explode("epci") if quarters.any() else rows.explode("epci"), source
    )


def _listed(cells: pd.Series[str]) -> pd.Series[str]:
    """Separate the codes of a cell by blanks: ``59112, 59207``, ``59112;59207``."""
    return cells.str.replace(r"[,;/|\s]+", " ", regex=True).str.strip()


def _once(cell: str) -> str:
    return " ".join(dict.fromkeys(cell.split()))


def _codes_of_names(quarters: pd.Series[str], names: pd.Series[str]) -> list[str]:
    """Find communes by their names in the department of the neighbourhood."""
    places = communes()
    keys = places["departement"] + " " + folded(places["nom"]).to_numpy()
    codes = pd.Series(places.index, index=keys.to_numpy(), dtype="str")
    codes = codes[~codes.index.duplicated()]
    is_quarter = quarters.str.match(r"Q[PN]")
    department = quarters.where(is_quarter).map(department_of_quarter, na_action="ignore")
    long = names.astype("str").fillna("").str.split(", ").reset_index(drop=True).explode()
    wanted = department.fillna("").to_numpy()[long.index] + " " + folded(long).to_numpy()
    found = pd.Series(codes.reindex(wanted).fillna("").to_numpy(), index=long.index)
    return [_once(cell) for cell in found.groupby(level=0).agg(" ".join)]


def _checked(rows: pd.DataFrame, source: str) -> pd.DataFrame:
    """Refuse codes of another form; communes get their zero back."""
    rows = rows[["code", "nom", "epci", "communes"]].reset_index(drop=True)
    quarters = rows["code"].str.match(r"Q[PN]")
    repaired, _ = repair_codes(rows["code"], "commune")
    rows["code"] = rows["code"].where(quarters, repaired)
    rows["epci"] = rows["epci"].mask(rows["epci"] == "ZZZZZZZZZ", "")
    faults = [
        *check_codes(rows.loc[quarters, "code"], "qpv"),
        *check_codes(rows.loc[~quarters, "code"], "commune"),
        *check_codes(rows.loc[rows["epci"] != "", "epci"], "epci"),
    ]
    if faults or rows.empty:
        faults = faults or [Fault("lignes", "aucune", "vérifier le contenu")]
        raise FaultsError(f"{_TITLE} ({source})", faults)
    return rows
