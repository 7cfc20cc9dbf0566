"""Who is in what: memberships and tables of passage, read from frames and files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import Fault, FaultsError, UnknownNameError, counted
from barometre.base.frames import check_frame
from barometre.tables.codes import SHOWN, check_codes, repair_codes


class RepairedCodes(UserWarning):
    """Codes that had lost their leading zero were repaired."""


def membership(frame: pd.DataFrame, *, part: str, whole: str) -> pd.Series[str]:
    """Take who is in what from two columns of a frame.

    Parameters
    ----------
    frame : DataFrame
        One row per part, or more if they agree.
    part, whole : str
        Columns of the codes of parts and wholes.

    Returns
    -------
    Series
        Code of the whole, by code of the part.

    Raises
    ------
    FaultsError
        Unknown column, missing code, part in two wholes.
    """
    title = f"appartenance refusée ({part} dans {whole})"
    check_frame(frame, title, (part, whole))
    pairs = frame[[part, whole]].drop_duplicates()
    empty = pairs[pairs.isna().any(axis=1)]
    twice = pairs[pairs.duplicated(part, keep=False) & pairs[part].notna()]
    several = f"codes dans plusieurs ensembles ({', '.join(twice[part].unique()[:SHOWN])})"
    faults = [
        Fault(f"{part}, {whole}", "lignes sans code", "compléter ou retirer", empty),
        Fault(part, several, "n'en garder qu'un", twice),
    ]
    if len(empty) or len(twice):
        raise FaultsError(title, faults[len(empty) == 0 : 1 + (len(twice) > 0)])
    return pairs.set_index(part)[whole].astype("str")


def read_membership(
    path: str | Path, level: Literal["epci", "departement", "region"]
) -> pd.Series[str]:
    """Read Insee's table of communes: the EPCI, department or region of each.

    Parameters
    ----------
    path : str or Path
        Delimited file with columns ``COM`` or ``CODGEO``, and ``EPCI``, ``DEP`` or ``REG``.
    level : {"epci", "departement", "region"}
        Level of the wholes.

    Returns
    -------
    Series
        Code of the whole, by code of the commune; a region is written ``"R32"``. Communes of no
        EPCI (``ZZZZZZZZZ``) are left out. Codes that had lost their leading zero are repaired, with
        a `RepairedCodes` warning that counts them.

    Raises
    ------
    FaultsError
        Column absent, commune in two wholes, code of another form.
    """
    columns = {"epci": "EPCI", "departement": "DEP", "region": "REG"}
    if level not in columns:
        raise UnknownNameError("niveau", level, columns)
    frame = _read(path)
    pairs = membership(frame, part="CODGEO" if "CODGEO" in frame else "COM", whole=columns[level])
    pairs = "R" + pairs.str.zfill(2) if level == "region" else pairs
    pairs, _ = repair_codes(pairs[pairs != "ZZZZZZZZZ"], level)
    pairs.index = _repaired(pairs.index.to_series(), path).rename("code")
    if faults := [*check_codes(pairs.index, "commune"), *check_codes(pairs, level)]:
        raise FaultsError(f"appartenance refusée ({Path(path).name})", faults)
    return pairs.rename(level)


def read_passage(path: str | Path | pd.DataFrame) -> pd.Series[str]:
    """Read Insee's table of passage: the current code of every commune that ever was.

    Parameters
    ----------
    path : str, Path or DataFrame
        Delimited file, or the texts of one: ``DEPCOM_HIST`` and ``DEPCOM``, or ``CODGEO_INI`` and
        ``CODGEO_2024``...

    Returns
    -------
    Series
        Current code, by former code; a commune that never changed is its own. Codes are repaired
        as by `read_membership`.

    Raises
    ------
    FaultsError
        Column absent, commune with two current codes, code of another form.
    """
    if isinstance(path, pd.DataFrame):
        frame, nom = path, "tableau"
    else:
        frame, nom = _read(path), Path(path).name
    former = "CODGEO_INI" if "CODGEO_INI" in frame else "DEPCOM_HIST"
    dated = sorted(name for name in map(str, frame) if re.fullmatch(r"CODGEO_\d{4}", name))
    current = dated[-1] if dated else "DEPCOM"
    pairs = membership(frame, part=former, whole=current)
    both = _repaired(pd.concat([pairs.index.to_series(), pairs]), nom)
    if faults := check_codes(both, "commune"):
        raise FaultsError(f"table de passage refusée ({nom})", faults)
    index = pd.Index(both.iloc[: len(pairs)], name="code")
    return pd.Series(both.iloc[len(pairs) :].to_numpy(), index=index, name="actuel", dtype="str")


def is_passage(columns: Iterable[str]) -> bool:
    """Tell a table of passage by its columns."""
    names = set(columns)
    return {"DEPCOM_HIST", "DEPCOM"} <= names or "CODGEO_INI" in names


def pair_natures(former: pd.Series, current: pd.Series) -> npt.NDArray[np.str_]:
    """Say how territories became others: one for one, merged, divided, without equivalent.

    Parameters
    ----------
    former, current : Series of str
        Codes of each pair, missing when there is none.

    Returns
    -------
    array of str
        ``"un pour un"``, ``"fusion"``, ``"division"`` or ``"sans équivalent"``, pair by pair.
    """
    several = {
        "division": former.duplicated(keep=False) & former.notna(),
        "fusion": current.duplicated(keep=False) & current.notna(),
        "sans équivalent": former.isna() | current.isna(),
    }
    return np.select(list(several.values()), list(several), "un pour un")


def _read(path: str | Path) -> pd.DataFrame:
    with Path(path).open("rb") as file:
        header = file.readline()
    separator = ";" if header.count(b";") >= header.count(b",") else ","
    try:
        return pd.read_csv(path, dtype="str", sep=separator, encoding="utf-8-sig")
    except UnicodeDecodeError:
        return pd.read_csv(path, dtype="str", sep=separator, encoding="cp1252")


def _repaired(codes: pd.Series, path: str | Path) -> pd.Series[str]:
    repaired, number = repair_codes(codes, "commune")
    if number:
        said = counted(number, "zéro initial perdu et rétabli", "zéros initiaux perdus et rétablis")
        message = f"{Path(path).name} : {said} ; relire la source en texte"
        warnings.warn(message, RepairedCodes, stacklevel=3)
    return repaired
