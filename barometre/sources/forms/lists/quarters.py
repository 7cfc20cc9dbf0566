"""Lists of priority neighbourhoods: the communes and EPCI they lie in, what they were in 2015."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.sources.file_report import Reading, described
from barometre.sources.files.text import Source, open_sources
from barometre.sources.kind import Kind, Recognised
from barometre.tables.codes import check_codes, repair_codes
from barometre.tables.members import pair_natures
from barometre.tables.table_set import Tables

_CODE = re.compile(r"code_?qp(v)?(_?2024)?|qp(_?2024)?", re.IGNORECASE)
_LABEL = re.compile(r"lib_?qp(v)?(_?2024)?", re.IGNORECASE)
_WHOLES = {
    "commune": re.compile(r"insee_com|liste_?dep_?com|list_com(_\d{4})?", re.IGNORECASE),
    "epci": re.compile(r"siren_epci|liste_?epci(_?\d{4})?", re.IGNORECASE),
    "departement": re.compile(r"insee_dep|liste_?dep", re.IGNORECASE),
}
_VALUES = re.compile(r"pop|indice|part|taux", re.IGNORECASE)
_QUARTER = r"Q[PN][0-9A-Z]{6}"
_FORMULA = re.compile(r'^="?(.*?)"?$')
_SEPARATORS = re.compile(r"[;,\s]+")


def _found(header: Iterable[str], name: re.Pattern[str]) -> str:
    return next((column for column in header if name.fullmatch(column)), "")


def is_qpv_list(header: Sequence[str]) -> bool:
    """Tell a list of neighbourhoods: a label, and communes or EPCI, and no value."""
    wholes = [_found(header, name) for name in _WHOLES.values()]
    valued = any(_VALUES.match(column) for column in header)
    return bool(_found(header, _LABEL)) and any(wholes) and not valued


def is_correspondence(header: Sequence[str]) -> bool:
    """Tell the list of the neighbourhoods of 2024 and of those of 2015 that they follow."""
    return {"qp2024", "qp2015_1"} <= {column.casefold() for column in header}


# ---- the public readers -------------------------------------------------------------------------


def read_qpv_members(path: str | Path) -> pd.DataFrame:
    """Read the communes, EPCI and departments that priority neighbourhoods lie in.

    Parameters
    ----------
    path : str or Path
        ANCT's list (``code_qp;lib_qp;...;insee_com;...;siren_epci``), Insee's passage table
        (``TAG_QPV2024``), its demographic estimations or the outlines of the neighbourhoods
        (GeoJSON).

    Returns
    -------
    DataFrame
        ``code`` and ``libelle`` of the neighbourhood, ``niveau`` (``"commune"``, ``"epci"``,
        ``"departement"``) and ``ensemble``, the code of the whole: one row each, since a
        neighbourhood may lie over several.

    Raises
    ------
    BarometreError
        Another file; codes of another form than their level.
    """
    source = _opened(path, lambda h: is_qpv_list(h) or bool(_found(h, _CODE)), "liste de quartiers")
    return _members(source)


def read_qpv_correspondence(path: str | Path) -> pd.DataFrame:
    """Read which neighbourhoods of 2015 those of 2024 follow. The perimeters differ: only shown.

    Parameters
    ----------
    path : str or Path
        ANCT's list (``QP2024;Label_QP2024;Statut;QP2015_1;Label_QP2015_1;QP2015_2;...``).

    Returns
    -------
    DataFrame
        ``code_2015``, ``code_2024``, ``nature`` (``un pour un``, ``fusion``, ``division``, ``sans
        équivalent``), ``rupture`` (always true), ``statut`` and ``libelle_2024`` as printed.

    Raises
    ------
    BarometreError
        Another file; codes of another form.
    """
    source = _opened(path, is_correspondence, "correspondance des quartiers")
    names = {column.casefold(): column for column in source.entete if column}
    earlier = sorted(name for name in names if re.fullmatch(r"qp2015_\d+", name))
    wanted = ["qp2024", *(name for name in ("label_qp2024", "statut") if name in names), *earlier]
    texts = source.lire([names[name] for name in wanted]).rename(
        columns={names[name]: name for name in wanted}
    )
    cleaned = texts.map(_bare)
    kept = ["qp2024", *(name for name in ("label_qp2024", "statut") if name in names)]
    pairs = cleaned.melt(kept, earlier, value_name="code_2015").drop(columns="variable")
    without = cleaned[(cleaned[earlier] == "").all(axis=1)][kept].assign(code_2015="")
    pairs = pd.concat([pairs[pairs["code_2015"] != ""], without], ignore_index=True)
    pairs = pairs.rename(columns={"qp2024": "code_2024", "label_qp2024": "libelle_2024"})
    codes = pd.concat([pairs["code_2015"], pairs["code_2024"]])
    if faults := check_codes(codes[codes != ""], "qpv"):
        raise FaultsError(f"fichier {source.nom} refusé", faults)
    empty = pairs[["code_2015", "code_2024"]].replace("", None)
    pairs = pairs.assign(code_2015=empty["code_2015"], code_2024=empty["code_2024"])
    pairs = pairs.assign(nature=pair_natures(pairs["code_2015"], pairs["code_2024"]), rupture=True)
    columns = ["code_2015", "code_2024", "nature", "rupture", "statut", "libelle_2024"]
    return pairs.reindex(columns=columns).sort_values("code_2024", ignore_index=True)


def _opened(path: str | Path, is_one: Callable[[Sequence[str]], bool], title: str) -> Source:
    """Open the only table of a file that is what is wanted."""
    sources = open_sources(Path(path), lambda header, nom: is_one(header) or None)
    fitting = [source for source in sources if source.reconnu]
    if len(fitting) != 1:
        shown = " ; ".join(", ".join(source.entete[:8]) for source in sources)
        raise BarometreError(f"{Path(path).name} : ce n'est pas une {title} (colonnes : {shown})")
    return fitting[0]


def _bare(text: str) -> str:
    """Strip what protects codes from spreadsheets: ``="60057"``."""
    hit = _FORMULA.match(text) if text.startswith("=") else None
    return (hit[1] if hit else text).strip().strip("'")


def _members(source: Source) -> pd.DataFrame:
    header = [column for column in source.entete if column]
    code, label = _found(header, _CODE), _found(header, _LABEL)
    wholes = {level: _found(header, name) for level, name in _WHOLES.items()}
    texts = source.lire(header).map(_bare)
    if not code:  # the passage table of 2024: the name of its column of codes is not known
        code = next((c for c in header if texts[c].str.fullmatch(_QUARTER).all()), "")
    if not code:
        fault = Fault("code", "aucune colonne de codes de quartiers", "la rétablir (code_qp)")
        raise FaultsError(f"fichier {source.nom} refusé", [fault])
    texts = texts[texts[code] != ""]
    faults = check_codes(texts[code], "qpv")
    labels = texts[label] if label else texts[code]
    parts = []
    for level, column in wholes.items():
        if column:
            split = texts[column].map(lambda text, level=level: _codes_in(text, level)).explode()
            split = split.dropna()
            codes, _ = repair_codes(split, level)
            faults += check_codes(codes, level)
            parts.append(
                pd.DataFrame(
                    {
                        "code": texts.loc[split.index, code].to_numpy(),
                        "libelle": labels.loc[split.index].to_numpy(),
                        "niveau": level,
                        "ensemble": codes.to_numpy(),
                    }
                )
            )
    if faults:
        raise FaultsError(f"fichier {source.nom} refusé", faults)
    columns = ["code", "libelle", "niveau", "ensemble"]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return found.drop_duplicates(ignore_index=True)


def _codes_in(text: str, level: str) -> list[str] | None:
    """Split a list of codes; those of communes may be glued five by five."""
    codes = [code for code in _SEPARATORS.split(text.strip("[] ")) if code]
    if level == "commune":
        codes = [
            part
            for code in codes
            for part in (re.findall(".{5}", code) if len(code) % 5 == 0 else [code])
        ]
    return codes or None


# ---- the kinds ----------------------------------------------------------------------------------


def _labels(source: Source) -> pd.DataFrame:
    members = _members(source).drop_duplicates("code")
    return members.assign(niveau="qpv")[["code", "libelle", "niveau"]]


def _read_list(source: Source) -> Reading:
    title = "liste de quartiers prioritaires, leurs communes et EPCI : read_qpv_members"
    tables = Tables({}, territoires=_labels(source), source=source.nom)
    report = replace(described(tables, source.nom, title), genre="quartiers", famille="quartiers")
    return Reading(tables, replace(report, manques={}), aside=True)


def _read_correspondence(source: Source) -> Reading:
    title = "correspondance des quartiers de 2024 et de 2015 : read_qpv_correspondence"
    report = described(Tables({}), source.nom, title)
    report = replace(report, genre="correspondance", famille="correspondance", manques={})
    return Reading(Tables({}), report, aside=True)


def _kind(
    nom: str, is_one: Callable[[Sequence[str]], bool], read: Callable[[Source], Reading]
) -> Kind:
    recognised = Recognised(nom, nom, read)
    return Kind(nom, lambda header, _: recognised if is_one(header) else None)


QPV_LISTS = _kind("quartiers", is_qpv_list, _read_list)
CORRESPONDENCES = _kind("correspondance", is_correspondence, _read_correspondence)
