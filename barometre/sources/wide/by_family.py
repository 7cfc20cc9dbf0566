"""Files of producers with one row per territory, or rows to add up: what their family says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from barometre.base.errors import Fault, FaultsError, counted
from barometre.sources.cell_tables import tables_of_columns
from barometre.sources.file_report import (
    FileReport,
    Reading,
    described,
    set_aside,
)
from barometre.sources.files.text import Source, stem_of
from barometre.sources.kind import Kind, Recognised
from barometre.sources.wide.cells import Cells, cells_of
from barometre.sources.wide.checks import (
    failed_formulas,
    implausible,
    other_years,
    refuse_repeated,
)
from barometre.sources.wide.family import Family, absent, family_of, first_of, load_families, named
from barometre.sources.wide.plan import Plan, plan_of
from barometre.tables.codes import SHOWN


def _recognise(header: Sequence[str], nom: str) -> Recognised | None:
    family = family_of(header, stem_of(nom))
    return Recognised("famille", family.nom, partial(_read, family)) if family else None


def _read(family: Family, source: Source) -> Reading:
    plan = plan_of(family, source.entete, source.nom)
    if family.colonnes and not plan.colonnes and not plan.non_etablies:
        title = _nothing_known(plan, source.entete)
        return set_aside(source.nom, "autre", title, told=title)
    whole = dict.fromkeys(name for name in source.entete if name) if family.sommer else plan.lues
    rows = source.lire([*whole], most=plan.lignes)
    refuse_repeated(plan, rows)
    rows = rows[[*plan.lues]]
    cells = cells_of(plan, rows)
    tables = tables_of_columns(cells.cells, cells.territoires, source.nom)
    report = described(tables, source.nom, family.titre)
    completed = _completed(report, plan, cells, source.entete)
    told = (*completed.avertissements, *other_years(plan, rows), *failed_formulas(plan, rows),
            *implausible(tables))  # fmt: skip
    return Reading(tables, replace(completed, avertissements=told))


def _nothing_known(plan: Plan, header: Sequence[str]) -> str:
    """Say which columns a file has and which ones are read in those of its family."""
    codes = (plan.code, plan.libelle, plan.annees)
    unknown = [name for name in header if name and name not in codes]
    read = sorted({code for mapped in plan.famille.colonnes for code in mapped.codes})
    shown, known = (
        ", ".join(names[:SHOWN]) + ", ..." * (len(names) > SHOWN) for names in (unknown, read)
    )
    return (
        f"{plan.famille.titre} : aucune des colonnes lues ({known}) ; colonnes de ce fichier :"
        f" {shown or 'aucune'}"
    )


def _completed(report: FileReport, plan: Plan, cells: Cells, header: Sequence[str]) -> FileReport:
    used = set(plan.nombres)
    warned = []
    if plan.famille.etat == "non_verifie":
        warned.append(f"codes de colonnes jamais vus dans un vrai fichier ({plan.famille.titre})")
    rows = cells.lignes
    if plan.manquantes:
        number = counted(
            len(plan.manquantes), "colonne attendue absente", "colonnes attendues absentes"
        )
        shown = " ; ".join(plan.manquantes[:SHOWN]) + " ; ..." * (len(plan.manquantes) > SHOWN)
        warned.append(f"{number} : {shown}")
    if cells.vides:
        number = counted(len(cells.vides), "colonne sans aucune", "colonnes sans aucune")
        shown = " ; ".join(cells.vides[:SHOWN]) + " ; ..." * (len(cells.vides) > SHOWN)
        warned.append(f"{number} valeur : {shown}")
    warned += plan.non_etablies
    if not plan.famille.colonnes:
        warned.append(plan.famille.notes[0])
    warned += [f"{counted(number, 'code')} : {words}" for words, number in rows.gestes.items()]
    warned += rows.ecartees
    return replace(
        report,
        famille=plan.famille.nom,
        niveau=", ".join(sorted(rows.niveaux.unique())),
        lignes=len(cells.territoires),
        ignorees=rows.ignorees,
        reparees=sum(rows.gestes.values()),
        utilisees=tuple(name for name in header if name in used),
        ignorees_colonnes=tuple(name for name in header if name and name not in used),
        avertissements=(*warned,),
    )


FAMILIES = Kind("famille", _recognise)


def unrecognised(source: Source) -> FaultsError:
    """Say what was looked for in a file that nothing recognises."""
    families = load_families().values()
    by_name = [family for family in families if named(family, source.stem)]

    def found(family: Family) -> float:
        return 1 - len(absent(family, source.entete)) / len(family.signature)

    def lacking(family: Family) -> tuple[str, ...]:
        code = () if first_of(family.code, source.entete) else (" ou ".join(family.code),)
        return tuple(dict.fromkeys((*code, *absent(family, source.entete)))) or family.signature

    others = [family for family in families if not family.nom_exige]
    nearest = by_name or [family for family in [max(others, key=found)] if found(family) >= 0.5]
    faults = [
        Fault(
            f"famille {family.nom}",
            "colonnes attendues absentes : " + ", ".join(lacking(family)),
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
