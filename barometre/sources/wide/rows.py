"""Which rows of a file are territories, of which level, and what had to be done to their codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre.base.errors import Fault, FaultsError, counted
from barometre.base.texts import Texts
from barometre.sources.files.values import filled
from barometre.sources.wide.plan import Plan
from barometre.tables.codes import SHOWN, Mended, bare_codes, level_of, mend_codes

_NO_TERRITORY = ("", "NR", "X{5,9}", "9{5,9}", "Z{5,9}", "Ensemble", "Total")


@dataclass(frozen=True)
class Territories:
    """The rows of a file that are territories.

    Attributes
    ----------
    textes : DataFrame
        Their cells.
    codes, niveaux : Series
        Their codes, put right, and their levels.
    ignorees : int
        Rows that are no territory.
    gestes : mapping of str to int
        What was done to codes, and to how many.
    ecartees : tuple of str
        What must be told of the rows left out.
    """

    textes: pd.DataFrame
    codes: pd.Series[str]
    niveaux: pd.Series[str]
    ignorees: int
    gestes: Mapping[str, int]
    ecartees: tuple[str, ...]


def territories(plan: Plan, rows: pd.DataFrame) -> Territories:
    """Tell territories from notes, totals and rows without code.

    Parameters
    ----------
    plan : Plan
        What to read in the file.
    rows : DataFrame
        Its cells.

    Returns
    -------
    Territories
        Codes are put right as `mend_codes` does. A row whose code is words without digits (a total,
        another territory), or whose code is no code and that has no value (a note), is left out and
        told, as is a row with values and no code; codes that the family declares to be no territory
        are left out and counted.

    Raises
    ------
    FaultsError
        Codes of another form than the level of the file; more rows to leave out than to keep.
    """
    given = rows[plan.code]
    level = plan.niveau or _usual_level(given)
    changes = dict(plan.famille.recoder.get(level, {}))
    recoded = given.replace(changes) if changes else given
    none = recoded.str.fullmatch("|".join((*_NO_TERRITORY, *plan.famille.ignorer)), case=False)
    some = bool(none.any())
    mended = mend_codes(recoded[~none] if some else recoded, level)
    if not some and not mended.faux.any() and level != "union":
        return _all_of(plan, rows, mended, level)
    valued = ~none
    if plan.nombres:
        valued[:] = np.any([filled(rows[name]) for name in plan.nombres], axis=0)
    codes = mended.codes
    if some:
        codes = recoded.copy()
        codes[mended.codes.index] = mended.codes
    levels = pd.Series(level, index=rows.index, dtype="str")
    wrong = mended.faux.reindex(rows.index, fill_value=False)
    worded = pd.Series(data=False, index=codes.index)
    if wrong.any():
        others = codes[wrong].map(level_of)
        admitted = others.isin(plan.famille.aussi) if plan.niveau else others != "union"
        levels[others.index[admitted]] = others[admitted]
        wrong[others.index[admitted]] = False
        worded[wrong] = ~codes[wrong].str.contains(r"\d") & codes[wrong].str.contains(r"[^\W\d_]")
    note = wrong & (worded | ~valued)
    nameless = (codes == "") & valued & ("" not in plan.famille.ignorer)
    _refuse(plan, level, codes[wrong & ~note].drop_duplicates(), note | nameless, ~none & ~wrong)
    keep = ~none & ~wrong
    if not keep.all():
        rows, codes, levels = rows[keep], codes[keep], levels[keep]
    if plan.famille.prefixe:
        codes, levels = plan.famille.prefixe + codes, levels.map(_level_of_set)
    return Territories(
        rows.reset_index(drop=True),
        codes.reset_index(drop=True),
        levels.reset_index(drop=True),
        int((~keep).sum()),
        mended.gestes,
        tuple(_told(given[note], int(nameless.sum()))),
    )


def _all_of(plan: Plan, rows: pd.DataFrame, mended: Mended, level: str) -> Territories:
    """Give the rows of a file all of which are territories of its level."""
    word = _level_of_set(level) if plan.famille.prefixe else level
    levels = pd.Series(Texts(np.zeros(len(rows), np.int32), (word,)).written(), dtype="str")
    codes = plan.famille.prefixe + mended.codes if plan.famille.prefixe else mended.codes
    rows, codes = rows.reset_index(drop=True), codes.reset_index(drop=True)
    return Territories(rows, codes, levels, 0, mended.gestes, ())


def _level_of_set(level: str) -> str:
    """Give the level of the neighbourhoods of a territory, taken together."""
    return f"ensemble_qpv_{level}".replace("france_metropolitaine", "france")


def _usual_level(codes: pd.Series[str]) -> str:
    """Find the level in the form of the codes."""
    cells = pa.array(bare_codes(codes), type=pa.large_string(), from_pandas=True)
    cells = cells.filter(pc.match_substring_regex(cells, "[0-9]"))
    _, first, number = np.unique(
        pc.utf8_length(cells).to_numpy(zero_copy_only=False), return_index=True, return_counts=True
    )
    # A code that lost its zero is shorter: the longest usual form is that of the level.
    for place in reversed(np.flatnonzero(number / len(cells) > 0.01)):
        level = level_of(cells[int(first[place])].as_py())
        if level != "union":
            return level
    return "union"


def _refuse(
    plan: Plan, level: str, wrong: pd.Series[str], left_out: pd.Series[bool], kept: pd.Series[bool]
) -> None:
    faults = []
    if level == "union" and kept.any():
        remedy = "relire la source en texte (zéros initiaux perdus ?), une ligne par territoire"
        problem = "codes d'aucune forme connue (commune, EPCI, département, région, IRIS, quartier)"
        faults.append(Fault(plan.code, problem, remedy))
    if len(wrong):
        shown = " ; ".join(f"« {code} »" for code in wrong[:SHOWN]) + " ; ..." * (
            len(wrong) > SHOWN
        )
        problem = f"{counted(len(wrong), 'code')} d'une autre forme que {level} : {shown}"
        remedy = "relire la source en texte, ou corriger le niveau que dit le nom du fichier"
        faults.append(Fault(plan.code, problem, remedy))
    if left_out.sum() > kept.sum():
        problem = f"{int(left_out.sum())} lignes sur {len(kept)} sont sans code de {level}"
        faults.append(Fault(plan.code, problem, "vérifier la colonne des codes"))
    if faults:
        raise FaultsError(f"fichier {plan.nom} refusé", faults)


def _told(notes: pd.Series[str], nameless: int) -> list[str]:
    told = []
    if len(notes):
        quoted = " ; ".join(f"« {text[:60]} »" for text in notes[:SHOWN])
        more = " ; ..." * (len(notes) > SHOWN)
        lines = counted(len(notes), "ligne sans code écartée", "lignes sans code écartées")
        told.append(f"{lines} : {quoted}{more}")
    if nameless:
        lines = counted(nameless, "ligne a des valeurs", "lignes ont des valeurs")
        told.append(f"{lines} et un code vide : écartées")
    return told
