"""The dashboard of the contract: its follow-up at a year, on screen and as a workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from barometre import monitoring
from barometre.base.errors import BarometreError
from barometre.base.files import replacing
from barometre.base.french import format_number
from barometre.monitoring.money import cpo_share
from barometre.pages.frames_file import write_sheets

_LATE = ("en retard", "à l'opposé", "échu, sans donnée")
_NAMED = 8  # targets named on the screen


@dataclass(frozen=True)
class Dashboard:
    """The follow-up of the contract at a year.

    Attributes
    ----------
    year : int
        Year of the review.
    sheets : mapping of str to DataFrame
        Its tables, by title: targets, actions, the three followed closely, credits, commitments,
        abatement, agenda; those that the follow-up does not hold are not there.
    """

    year: int
    sheets: Mapping[str, pd.DataFrame]


def dashboard(tables: Mapping[str, pd.DataFrame], year: int | None = None) -> Dashboard:
    """Gather the follow-up of the contract at a year.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of the contract (`monitoring.read_records`).
    year : int, optional
        Year of the review, the latest of the tables by default.

    Returns
    -------
    Dashboard

    Raises
    ------
    BarometreError
        No table at all, or no year.
    """
    if not tables:
        raise BarometreError("aucune table de suivi : barometre template suivi --out suivi.xlsx")
    when = year if year is not None else _latest(tables)
    sheets: dict[str, pd.DataFrame] = {}
    if "objectifs" in tables:
        sheets["objectifs"] = monitoring.track(
            tables["objectifs"], tables.get("observations"), when
        )
    if "actions" in tables:
        sheets["actions"] = monitoring.actions(tables["actions"], year=when)
        blocks = monitoring.reinforced(tables["actions"], year=when)
        sheets["suivi renforcé"] = pd.concat(
            [block.assign(domaine=field) for field, block in blocks.items()], ignore_index=True
        )
    if "financements" in tables:
        sheets["crédits"] = monitoring.funding(tables["financements"], years=[when])
        sheets["part en CPO"] = pd.DataFrame(
            [
                cpo_share(tables["financements"], year=when, step=s)
                for s in ("prévu", "engagé", "payé")
            ]
        )
    if "engagements" in tables:
        sheets["engagements"] = monitoring.review(tables["engagements"], when)
    if "tfpb" in tables:
        sheets["tfpb"] = monitoring.tfpb(tables["tfpb"], year=when)
    sheets["calendrier"] = monitoring.agenda(when)
    return Dashboard(when, sheets)


def _latest(tables: Mapping[str, pd.DataFrame]) -> int:
    years = [int(table["annee"].max()) for table in tables.values() if _has_years(table)]
    if not years:
        raise BarometreError("year : donner l'année de la revue (--year)")
    return max(years)


def _has_years(table: pd.DataFrame) -> bool:
    return "annee" in table and bool(table["annee"].notna().any())


def print_dashboard(board: Dashboard, console: Console) -> None:
    """Print the main figures: targets by status and the late ones, actions, credits, answers."""
    console.print(f"Suivi du contrat en {board.year}", style="bold")
    if "objectifs" in board.sheets:
        _print_targets(board.sheets["objectifs"], console)
    if "actions" in board.sheets:
        table = _table("Actions", "orientation", "actions", "réalisées", "bénéficiaires")
        for row in board.sheets["actions"].to_dict("records"):
            people = row["beneficiaires"]
            told = format_number(people, 0) if people == people else "secret ou non connu"
            table.add_row(str(row["orientation"]), str(row["n"]), str(row["n_realisees"]), told)
        console.print(table)
    if "crédits" in board.sheets:
        keys = ["credits", "etape"]
        money = board.sheets["crédits"].groupby(keys, as_index=False)[["centimes"]].sum()
        table = _table("Crédits, en euros", "nature", "étape", "montant")
        for row in pd.DataFrame(money).to_dict("records"):
            nature = str(row["credits"]).replace("_", " ")
            table.add_row(nature, str(row["etape"]), format_number(row["centimes"] / 100, 0))
        console.print(table)
    if "engagements" in board.sheets:
        rows = board.sheets["engagements"]
        table = _table("Engagements", "partenaire", "engagements", "tenus", "réponses")
        for row in rows[rows["annee"] == rows["annee"].max()].to_dict("records"):
            share = f"{format_number(row['completude'], 0)} %"
            table.add_row(str(row["partenaire"]), str(row["n"]), str(row["n_tenus"]), share)
        console.print(table)


def _print_targets(targets: pd.DataFrame, console: Console) -> None:
    counts = targets["statut"].value_counts()
    told = ", ".join(f"{status} {number}" for status, number in counts.items())
    console.print(f"Objectifs : {told}", markup=False)
    late = targets[targets["statut"].isin(_LATE)]
    for row in late.head(_NAMED).to_dict("records"):
        console.print(
            f"  {row['statut']} : {row['mesure']} (échéance {row['echeance']})", markup=False
        )
    if len(late) > _NAMED:
        console.print(f"  et {len(late) - _NAMED} autres")


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place and "étape" not in heading else "left")
    return table


def write_dashboard(board: Dashboard, path: str | Path) -> Path:
    """Write the dashboard as a workbook, a sheet a table; the same content, the same bytes.

    Returns
    -------
    Path
        The file, written whole.
    """
    path = Path(path)
    with replacing(path) as temporary:
        write_sheets(dict(board.sheets), temporary)
    return path
