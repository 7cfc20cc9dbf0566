"""From the columns of a producer's file to cells of our tables, as its family says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from barometre.base.errors import Fault, FaultsError, counted
from barometre.sources.family import Family, Mapped, load_families, matches
from barometre.sources.text import Source
from barometre.sources.values import Parsed, parse_numbers
from barometre.tables.codes import level_of, repair_codes
from barometre.tables.table_set import STATUSES

_SECRET = STATUSES.index("secret")
_NO_TERRITORY = ("", "NR", "X{5}", "9{5}", "Z{5}", "Ensemble", "Total")


@dataclass(frozen=True)
class Plan:
    """Where one column of ours, for one year, comes from in a file."""

    mapped: Mapped
    annee: int | None  # None: the row gives it
    colonnes: tuple[str, ...]


@dataclass(frozen=True)
class Cells:
    """What a file gives: long cells, labels, and what had to be done to its rows.

    Attributes
    ----------
    cells : DataFrame
        ``code``, ``annee``, ``table``, ``colonne``, ``valeur``, ``statut`` (position in STATUSES),
        ``motif``.
    territoires : DataFrame
        ``code``, ``libelle``, ``niveau``.
    niveau : str
        Level of the territories.
    reparees, ignorees : int
        Codes given their zero back, rows that are no territory.
    """

    cells: pd.DataFrame
    territoires: pd.DataFrame
    niveau: str
    reparees: int
    ignorees: int


# ---- which family -------------------------------------------------------------------------------


def recognise(header: Sequence[str], stem: str) -> Family | None:
    """Find the family of a file: the one that maps most of its columns, then by its name.

    Parameters
    ----------
    header : sequence of str
        Column names.
    stem : str
        Name of the file, without suffix.

    Returns
    -------
    Family or None
        None when no family has its whole signature in the header.
    """
    fitting = [
        family
        for family in load_families().values()
        if all(matches(template, header) for template in family.signature)
    ]
    return max(
        fitting,
        key=lambda family: (
            sum(all(matches(t, header) for t in m.codes) for m in family.colonnes),
            named(family, stem) is not None,
        ),
        default=None,
    )


def named(family: Family, stem: str) -> re.Match[str] | None:
    """Search the name of a file for one of the names of a family."""
    hits = (re.search(name, stem, re.IGNORECASE) for name in family.noms)
    return next((hit for hit in hits if hit), None)


def unrecognised(source: Source) -> FaultsError:
    """Say what was looked for in a file of no family."""
    families = load_families().values()
    by_name = [family for family in families if named(family, source.stem)]

    def found(family: Family) -> float:
        return sum(bool(matches(t, source.entete)) for t in family.signature) / len(
            family.signature
        )

    nearest = by_name or [family for family in [max(families, key=found)] if found(family) >= 0.5]
    faults = [
        Fault(
            f"famille {family.nom}",
            "colonnes attendues absentes : "
            + ", ".join(t for t in family.signature if not matches(t, source.entete)),
            f"vérifier le fichier ({family.titre})",
        )
        for family in nearest
    ]
    shown = ", ".join(source.entete[:12]) + ", ..." * (len(source.entete) > 12)
    return FaultsError(
        f"fichier {source.nom} non reconnu (colonnes lues : {shown or 'aucune'})",
        faults
        or [Fault("famille", "aucune ne convient", "voir les familles lues : barometre families")],
    )


# ---- what to read -------------------------------------------------------------------------------


def file_year(family: Family, source: Source) -> int | None:
    """Find the year of a file in its header, else in its name."""
    vintages = {
        year
        for template in family.signature
        for year in matches(template, source.entete)
        if year is not None
    }
    if vintages:
        return max(vintages)
    hit = named(family, source.stem)
    text = hit.groupdict().get("annee") if hit else None
    if not text:
        return None
    return int(text) + (2000 if len(text) == 2 else 0)


def plans(family: Family, source: Source, year: int | None) -> list[Plan]:
    """List the columns of ours that a file gives, each for its years."""
    found: dict[tuple[str, int | None], Plan] = {}
    by_row = bool(_first(family.annee_colonne, source.entete))
    for mapped in family.colonnes:
        hits = [matches(template, source.entete) for template in mapped.codes]
        vintages = set(hits[0]).intersection(*hits[1:]) if hits else set()
        for vintage in vintages:
            base = vintage or year
            if base is not None and not mapped.depuis <= base <= mapped.jusqua:
                continue
            if mapped.annee is not None:
                when: int | None = mapped.annee
            elif base is None:
                if not by_row:
                    continue
                when = None
            else:
                when = None if by_row and vintage is None else base + mapped.decalage
            columns = tuple(column for hit in hits for column in hit[vintage])
            found.setdefault((mapped.vers, when), Plan(mapped, when, columns))
    return list(found.values())


def _first(candidates: Iterable[str], header: Iterable[str]) -> str | None:
    known = set(header)
    return next((name for name in candidates if name in known), None)


# ---- reading ------------------------------------------------------------------------------------


def read_cells(family: Family, source: Source) -> Cells:
    """Read what a file gives to our tables.

    Parameters
    ----------
    family : Family
        Its family.
    source : Source
        The file.

    Returns
    -------
    Cells

    Raises
    ------
    FaultsError
        No code, no year, or cells that are neither numbers nor known tokens.
    """
    code_column = _first(family.code, source.entete)
    year_column = _first(family.annee_colonne, source.entete)
    year = file_year(family, source)
    wanted = plans(family, source, year)
    faults = []
    if code_column is None:
        faults.append(Fault("code", f"aucune des colonnes {', '.join(family.code)}", "la rétablir"))
    if year is None and year_column is None and any(m.annee is None for m in family.colonnes):
        remedy = "mettre l'année dans le nom du fichier, comme le producteur"
        faults.append(Fault("année", "introuvable dans l'en-tête et dans le nom", remedy))
    if faults or code_column is None:
        raise FaultsError(f"fichier {source.nom} refusé", faults)
    label_column = _first(family.libelle, source.entete)
    notes = {p.mapped.note for p in wanted if p.mapped.note in source.entete}
    filters = {*family.garder, *(name for p in wanted for name in p.mapped.filtre)}
    columns = {c for p in wanted for c in p.colonnes}
    asked = {code_column, label_column, year_column, *notes, *filters, *columns} - {None, ""}
    texts = _kept(source.lire([name for name in source.entete if name in asked]), family.garder)
    niveau, codes, repaired = _codes(family, source, texts[code_column])
    keep = ~codes.str.fullmatch("|".join((*_NO_TERRITORY, *family.ignorer)), case=False)
    texts, codes = texts[keep].reset_index(drop=True), codes[keep].reset_index(drop=True)
    parsed = {name: parse_numbers(texts[name]) for name in sorted(columns)}
    _refuse_unreadable(source, texts, parsed)
    years = _row_years(source, texts, year_column)
    cells = [
        _cells(family, plan, texts, codes, years, parsed, year_column is not None)
        for plan in wanted
    ]
    labels = texts[label_column] if label_column else codes
    territories = pd.DataFrame({"code": codes, "libelle": labels, "niveau": niveau})
    return Cells(
        cells=pd.concat(cells, ignore_index=True) if cells else _no_cells(),
        territoires=territories.drop_duplicates("code", ignore_index=True),
        niveau=niveau if isinstance(niveau, str) else ", ".join(sorted(set(niveau))),
        reparees=repaired,
        ignorees=int((~keep).sum()),
    )


def _codes(
    family: Family, source: Source, texts: pd.Series[str]
) -> tuple[str, pd.Series[str], int]:
    """Give the codes their form: the zero a spreadsheet took away, the letter of a region."""
    codes = texts.replace(dict(family.recoder)) if family.recoder else texts
    level = _level(family, source, codes)
    codes, repaired = repair_codes(codes, level)
    if level == "region":
        codes = ("R" + codes.str.zfill(2)).where(codes.str.fullmatch(r"\d{1,2}"), codes)
    return level, codes, repaired


def _level(family: Family, source: Source, codes: pd.Series[str]) -> str:
    """Find the level in the family, in the name of the file, else in the form of the codes."""
    if family.niveau:
        return family.niveau
    hit = named(family, source.stem)
    said = (hit.groupdict().get("niveau") or "").upper() if hit else ""
    if said in family.niveaux:
        return family.niveaux[said]
    shape = codes[codes != ""].str.len()
    if shape.empty:
        return "union"
    # A code that lost its zero is shorter: the longest usual form is that of the level.
    usual = shape.value_counts(normalize=True)
    longest = usual[usual > 0.01].index.max()
    return level_of(codes[codes.str.len() == longest].iloc[0])


def _row_years(
    source: Source, texts: pd.DataFrame, column: str | None
) -> npt.NDArray[np.int64] | None:
    if column is None:
        return None
    # 2021, 2021-12-31, 31/12/2021, 2021-T4, 202112
    found = texts[column].str.extract(r"(?:^|\D)((?:19|20)\d{2})(?:\D|$|\d{2}$)")[0]
    if found.isna().any():
        bad = texts.loc[found.isna(), column].unique()
        raise FaultsError(
            f"fichier {source.nom} refusé",
            [Fault(column, f"années illisibles : {', '.join(bad[:5])}", "corriger la colonne")],
        )
    return np.array(found, dtype=np.int64)


def _refuse_unreadable(source: Source, texts: pd.DataFrame, parsed: dict[str, Parsed]) -> None:
    faults = []
    for name, values in parsed.items():
        bad = texts.loc[values.illisible, name].unique()
        if len(bad):
            shown = " ; ".join(map(str, bad[:5])) + " ; ..." * (len(bad) > 5)
            number = int(values.illisible.sum())
            problem = f"{counted(number, 'cellule illisible', 'cellules illisibles')} ({shown})"
            faults.append(Fault(name, problem, "un nombre, ou « nd », ou rien, est attendu"))
    if faults:
        raise FaultsError(f"fichier {source.nom} refusé", faults)


def _cells(
    family: Family,
    plan: Plan,
    texts: pd.DataFrame,
    codes: pd.Series[str],
    years: npt.NDArray[np.int64] | None,
    parsed: dict[str, Parsed],
    year_by_row: bool,
) -> pd.DataFrame:
    """Turn one plan into cells: add columns up, add rows up, say why cells are empty."""
    mapped = plan.mapped
    value = sum((parsed[c].valeur for c in plan.colonnes), np.zeros(len(codes))) * mapped.facteur
    status = np.zeros(len(codes), dtype=np.int8)
    motif = np.full(len(codes), "", dtype=object)
    for column in plan.colonnes:
        told = parsed[column].statut > 0
        status = np.where(told, parsed[column].statut, status)
        # The token itself: another column of the sum may hold a value that is not to be quoted.
        motif = np.where(told, "« " + texts[column] + " » dans le fichier", motif)
    when: Any = plan.annee
    if plan.annee is None and years is not None:
        when = years + mapped.decalage
    frame = pd.DataFrame({"code": codes, "annee": when, "valeur": value, "statut": status})
    frame["motif"] = motif
    if family.sommer:
        frame = _added_up(frame, texts, mapped, family.sans_ligne == "zero")
    else:
        empty = np.isnan(value) & (status == 0)
        if mapped.note in texts.columns:
            said = ~texts[mapped.note].isin(["", "0"]).to_numpy()
            frame.loc[empty & said, "statut"] = _SECRET
            frame.loc[empty & said, "motif"] = mapped.note + " = " + texts[mapped.note]
            empty &= ~said
        if family.vide == "secret" and not empty.all():
            frame.loc[empty, "statut"] = _SECRET
            frame.loc[empty, "motif"] = "cellule vide : secret statistique du producteur"
    if mapped.reserve:
        frame.loc[frame["valeur"].notna(), "motif"] = mapped.reserve
    return frame.assign(table=mapped.table, colonne=mapped.colonne)


def _added_up(
    frame: pd.DataFrame, texts: pd.DataFrame, mapped: Mapped, none_is_zero: bool
) -> pd.DataFrame:
    """Add up the rows of a territory that a filter keeps; an unknown row makes the sum unknown."""
    rows = frame.loc[_kept(texts, mapped.filtre).index]
    keys = ["code", "annee"]
    # Of several reasons secrecy, the first of STATUSES after ok, is the one to tell.
    reason = rows["statut"].where(rows["statut"] > 0, len(STATUSES))
    rows = rows.assign(inconnu=rows["valeur"].isna(), statut=reason)
    sums = rows.groupby(keys, sort=False).agg(
        valeur=("valeur", "sum"), inconnu=("inconnu", "any"), statut=("statut", "min")
    )
    said = rows[rows["motif"] != ""].drop_duplicates(keys).set_index(keys)["motif"]
    total = (
        frame[keys]
        .drop_duplicates()
        .merge(sums.join(said).reset_index(), how="left" if none_is_zero else "inner", on=keys)
    )
    known = ~total["inconnu"].eq(other=True)
    total["valeur"] = total["valeur"].fillna(0.0).where(known)
    total["statut"] = total["statut"].fillna(0).replace(len(STATUSES), 0).astype(np.int8)
    return total.assign(motif=total["motif"].fillna("")).drop(columns="inconnu")


def _kept(texts: pd.DataFrame, rules: Mapping[str, str]) -> pd.DataFrame:
    """Keep the rows whose cells match every rule whole."""
    for column, rule in rules.items():
        texts = texts[texts[column].str.fullmatch(rule, case=False)]
    return texts


def _no_cells() -> pd.DataFrame:
    columns = ["code", "annee", "valeur", "statut", "motif", "table", "colonne"]
    return pd.DataFrame(columns=columns)
