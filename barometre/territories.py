"""Codes of territories, who is in what, and territories that change.

The form of a code tells its level. A series of codes tells who is in what (commune to EPCI). When
communes merge or neighbourhoods are redrawn, counts follow; statistics do not.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from barometre import datasets
from barometre.aggregate import Rules, regroup
from barometre.card_schema import Level
from barometre.errors import BarometreError, Fault, FaultsError, UnknownNameError, counted
from barometre.table_set import Tables, as_tables, empty_statuts

LEVELS = (*get_args(Level), "union")
BREAK = "périmètre 2015 rapporté au QPV 2024 : rupture"
"""What is said of every cell of a 2015 neighbourhood carried over to a 2024 one."""

_COMMUNE = r"(?:0[1-9]|[1-8]\d|9[0-8]|2[AB])\d{3}"
_FORMS: dict[str, str] = {
    "commune": _COMMUNE,
    "departement": r"0[1-9]|1\d|2[1-9AB]|[3-8]\d|9[0-5]|97[1-8]",
    "region": r"R\d{2}",
    "qpv": r"QP(?:\d{6}|2[AB]\d{4})|QN[0-9A-Z]{5}[A-Z]",
    "france_metropolitaine": "METRO",
    "epci": r"2\d{8}",
    "iris": "(?!20)" + _COMMUNE + r"\d{4}",
}
_DIGITS: dict[str, int] = {"commune": 5, "iris": 9, "departement": 2}
_SHOWN = 5


class RepairedCodes(UserWarning):
    """Codes that had lost their leading zero were repaired."""


def level_of(code: str) -> str:
    """Tell the level of a territory from the form of its code.

    A region is written ``"R32"``: Insee's region 32 (Hauts-de-France) would else be department 32
    (Gers). Nine digits are an EPCI when they start with 20 or 24, as all those with own taxation
    do, and pass the SIREN check; else an IRIS. One IRIS in ten of the Dordogne (24) passes it too:
    where the level is known, ask `check_codes` instead.

    Parameters
    ----------
    code : str
        Code of a territory.

    Returns
    -------
    str
        A level of `LEVELS`; ``"union"`` for any other name.

    Examples
    --------
    >>> [level_of(c) for c in ("59172", "59", "R32", "200042190", "591720101", "QN05950M")]
    ['commune', 'departement', 'region', 'epci', 'iris', 'qpv']
    """
    if re.fullmatch(r"2[04]\d{7}", code) and _siren(pd.Series([code])).all():
        return "epci"
    forms = ((level, form) for level, form in _FORMS.items() if level != "epci")
    return next((level for level, form in forms if re.fullmatch(form, code)), "union")


def check_codes(codes: Iterable[str], level: str) -> list[Fault]:
    """List the codes that cannot be of a level.

    Parameters
    ----------
    codes : iterable of str
        Codes, as text.
    level : str
        A level of `LEVELS`; an ``"union"`` may have any name.

    Returns
    -------
    list of Fault
        At most one fault, that counts and quotes the codes and holds their rows.
    """
    if level not in LEVELS:
        raise UnknownNameError("niveau", level, LEVELS)
    texts = pd.Series(list(codes), dtype="object").astype("str").fillna("")
    good = texts.str.strip() != "" if level == "union" else texts.str.fullmatch(_FORMS[level])
    if level == "epci":
        good &= _siren(texts.where(good, "0"))
    bad = texts[~good]
    if bad.empty:
        return []
    cases = ", ".join(f"« {code} »" for code in bad.unique()[:_SHOWN])
    more = ", ..." * (bad.nunique() > _SHOWN)
    zero = "rétablir un zéro initial perdu (repair_codes), ou corriger le niveau"
    remedy = "écrire « R32 » (« 32 » est un département)" if level == "region" else zero
    problem = f"{counted(bad.nunique(), 'code')} d'une autre forme que {level} : {cases}{more}"
    return [Fault("code", problem, remedy, bad.to_frame("code"))]


def repair_codes(codes: pd.Series, level: str) -> tuple[pd.Series[str], int]:
    """Give codes back the leading zero that reading them as numbers has lost.

    Parameters
    ----------
    codes : Series
        Codes, as text or numbers (``1001``, ``"1001"``, ``"1001.0"``).
    level : str
        Their level. Only communes, IRIS and departments may start with a zero.

    Returns
    -------
    tuple of Series and int
        The codes as text, and how many were repaired: those one digit short. Others, and codes with
        letters, are left as they are.
    """
    texts = codes.astype("str")
    whole = texts.str.replace(r"^(\d+)\.0$", r"\1", regex=True)
    size = _DIGITS.get(level, 0)
    short = whole.str.fullmatch(rf"[1-9]\d{{{size - 2}}}") if size else whole.isna()
    repaired = whole.mask(short.fillna(False).astype(bool), "0" + whole)
    return repaired, int((repaired != texts)[codes.notna()].sum())


def _siren(codes: pd.Series[str]) -> pd.Series[bool]:
    """Luhn's check of numbers written with nine digits; nothing else passes."""
    nine = codes.str.fullmatch(r"\d{9}")
    written = [list(code) for code in codes.where(nine, "000000001")]
    digits = np.array(written, dtype=np.int64).reshape(-1, 9)
    digits[:, 1::2] *= 2
    return pd.Series((digits // 10 + digits % 10).sum(axis=1) % 10 == 0, index=codes.index)


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
    absent = [name for name in (part, whole) if name not in frame.columns]
    if absent:
        remedy = f"choisir parmi {', '.join(map(str, frame.columns))}"
        raise FaultsError(title, [Fault(name, "colonne absente", remedy) for name in absent])
    pairs = frame[[part, whole]].drop_duplicates()
    empty = pairs[pairs.isna().any(axis=1)]
    twice = pairs[pairs.duplicated(part, keep=False) & pairs[part].notna()]
    several = f"codes dans plusieurs ensembles ({', '.join(twice[part].unique()[:_SHOWN])})"
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


def read_passage(path: str | Path) -> pd.Series[str]:
    """Read Insee's table of passage: the current code of every commune that ever was.

    Parameters
    ----------
    path : str or Path
        Delimited file: ``DEPCOM_HIST`` and ``DEPCOM``, or ``CODGEO_INI`` and ``CODGEO_2024``...

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
    frame = _read(path)
    former = "CODGEO_INI" if "CODGEO_INI" in frame else "DEPCOM_HIST"
    dated = sorted(name for name in map(str, frame) if re.fullmatch(r"CODGEO_\d{4}", name))
    current = dated[-1] if dated else "DEPCOM"
    pairs = membership(frame, part=former, whole=current)
    both = _repaired(pd.concat([pairs.index.to_series(), pairs]), path)
    if faults := check_codes(both, "commune"):
        raise FaultsError(f"table de passage refusée ({Path(path).name})", faults)
    index = pd.Index(both.iloc[: len(pairs)], name="code")
    return pd.Series(both.iloc[len(pairs) :].to_numpy(), index=index, name="actuel", dtype="str")


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


def apply_passage(
    tables: Tables | Mapping[str, pd.DataFrame], passage: pd.Series[str] | Mapping[str, str]
) -> Tables:
    """Bring tables on the current communes.

    Parameters
    ----------
    tables : Tables or mapping of str to DataFrame
        Tables by commune; codes that the passage does not know are kept as they are.
    passage : Series or mapping
        Current code, by former code (`read_passage`).

    Returns
    -------
    Tables
        A renamed commune keeps everything. A commune born of a merger has the sum of the counts,
        missing where one of its parts is: once the whole is known, the sum of the others would
        give the hidden one back. Its parts are the former communes that some table has that year.
        Statistics of merged communes are missing (``non_defini``), with the reason.
    """
    checked = as_tables(tables)
    zones = _present(checked)
    zones["union"] = zones["zone"].map(dict(passage)).astype("str").fillna(zones["zone"])
    frames, statuts = regroup(checked, zones, Rules("commune fusionnée : {quoi} ne s'agrège pas"))
    labels = checked.territoires
    return Tables(frames, statuts=statuts, territoires=labels[labels.index.isin(zones["union"])])


def _present(tables: Tables) -> pd.DataFrame:
    """List the codes that some table has, year by year."""
    keys = [tables.index_of(name).to_frame(index=False) for name in tables]
    keys = keys or [empty_statuts()[["code", "annee"]]]
    return pd.concat(keys).drop_duplicates(ignore_index=True).rename(columns={"code": "zone"})


def qpv_correspondence() -> pd.DataFrame:
    """List the QPV of 2024 that take over those of 2015, for La Porte du Hainaut.

    Returns
    -------
    DataFrame
        ``code_2015``, ``code_2024``, ``nature`` (``un pour un``, ``fusion``, ``division``, ``sans
        équivalent``), ``rupture`` (always true: the perimeters differ), ``partiel`` (the 2015
        neighbourhood straddles another EPCI, the 2024 one is its part here) and ``fondement``.
    """
    pairs = datasets.load("correspondance_qp2015_qpv2024").frame.copy()
    several = {
        "division": pairs.duplicated("code_2015", keep=False) & pairs["code_2015"].notna(),
        "fusion": pairs.duplicated("code_2024", keep=False) & pairs["code_2024"].notna(),
        "sans équivalent": pairs[["code_2015", "code_2024"]].isna().any(axis=1),
    }
    nature = np.select(list(several.values()), list(several), "un pour un")
    partial = pairs["fondement"].str.contains("chevauche")
    pairs = pairs.assign(nature=nature, rupture=True, partiel=partial)
    return pairs[["code_2015", "code_2024", "nature", "rupture", "partiel", "fondement"]]


def to_2024(
    tables: Tables | Mapping[str, pd.DataFrame],
    *,
    accept_break: bool = False,
    partial: Collection[str] = (),
) -> Tables:
    """Carry neighbourhoods of 2015 over to those of 2024, a break being accepted.

    Parameters
    ----------
    tables : Tables or mapping of str to DataFrame
        Tables with codes of 2015 (``"QP059050"``).
    accept_break : bool, default False
        Accept that the perimeters differ.
    partial : collection of str, optional
        Neighbourhoods of 2015 to carry over although they straddle another EPCI.

    Returns
    -------
    Tables
        Codes of 2024; every cell carried over has the remark `BREAK`. A merger has the sum of the
        counts, and no statistic. A straddling neighbourhood that is not in ``partial`` gives
        nothing (``non_disponible``, with the reason), nor does the merger it enters. What has no
        correspondence is kept as it is.

    Raises
    ------
    BarometreError
        Break not accepted; nothing to carry over; year already given for 2024; wrong ``partial``.
    """
    if not accept_break:
        raise BarometreError(
            "QP de 2015 et QPV de 2024 n'ont pas les mêmes périmètres : les enchaîner rompt la"
            " série ; l'accepter par accept_break=True, ou garder deux séries"
        )
    checked, pairs = as_tables(tables), qpv_correspondence()
    pairs = pairs[~pairs["nature"].isin(["division", "sans équivalent"])]
    straddling = set(pairs.loc[pairs["partiel"], "code_2015"])
    here = _present(checked)
    carried = here.merge(pairs, left_on="zone", right_on="code_2015")[["code_2024", "annee"]]
    clash = carried.merge(here, left_on=["code_2024", "annee"], right_on=["zone", "annee"])
    if set(partial) - straddling or carried.empty or len(clash):
        raise BarometreError(
            f"quartiers non rapportés : {len(carried)} quartiers de 2015 dans les tables,"
            f" {len(clash)} déjà donnés en 2024 ({', '.join(clash['zone'][:_SHOWN])}, à retirer) ;"
            f" « partial » n'admet que {', '.join(sorted(straddling))}, à cheval sur deux EPCI"
        )
    parts = carried.drop_duplicates().merge(pairs, on="code_2024")  # all those of a merger
    parts = parts.rename(columns={"code_2015": "zone", "code_2024": "union"})
    others = here[~here["zone"].isin(pairs["code_2015"])]
    zones = pd.concat([parts[["zone", "annee", "union"]], others.assign(union=others["zone"])])
    withheld = _withhold(checked, straddling - set(partial))
    rules = Rules("quartiers fusionnés : {quoi} ne s'agrège pas")
    frames, statuts = regroup(withheld, zones.reset_index(drop=True), rules)
    marked = _cells(frames, parts["union"]).assign(rupture=BREAK)
    statuts = statuts.merge(marked, how="outer", on=["code", "annee", "table", "colonne"])
    said = (statuts["motif"].fillna("") + " ; " + statuts["rupture"].fillna("")).str.strip(" ;")
    statuts = statuts.assign(statut=statuts["statut"].fillna("ok"), motif=said.where(said != ""))
    labels = datasets.load("territoires").frame.set_index("code").drop(columns="geographie")
    labels = labels.combine_first(checked.territoires)
    return Tables(frames, statuts=statuts, territoires=labels[labels.index.isin(zones["union"])])


def _cells(frames: Mapping[str, pd.DataFrame], codes: Collection[str]) -> pd.DataFrame:
    """List the cells of some territories that hold a value."""
    rows = {name: f[f.index.isin(codes, level="code")].reset_index() for name, f in frames.items()}
    long = [f.melt(["code", "annee"], var_name="colonne").assign(table=n) for n, f in rows.items()]
    return pd.concat(long).dropna(subset="value").drop(columns="value")


def _withhold(tables: Tables, codes: Collection[str]) -> Tables:
    """Empty the cells of some territories, saying why."""
    told = tables.statuts
    motif = "quartier à cheval sur un autre EPCI, non rapporté (partial=)"
    lost = _cells(tables, codes).assign(statut="non_disponible", qualite=None, motif=motif)
    frames = {name: tables[name].copy() for name in tables}
    for frame in frames.values():
        frame.loc[frame.index.isin(codes, level="code")] = np.nan
    return Tables(frames, statuts=pd.concat([told[~told["code"].isin(codes)], lost]))
