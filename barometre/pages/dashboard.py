"""The dashboard of the contract: its follow-up at a year, on screen and as a workbook."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from barometre import monitoring
from barometre.base.errors import BarometreError
from barometre.base.files import replacing
from barometre.base.french import Lang, format_number
from barometre.compare.order import priorities
from barometre.datasets.places.territory import Selection
from barometre.engine.perimeters import qpv_bridge
from barometre.monitoring.action_rows import THRESHOLD
from barometre.monitoring.money import STEPS, cpo_share
from barometre.monitoring.words import VALUES, in_english
from barometre.pages.frames_file import write_sheets
from barometre.tables.codes import level_of

_LATE = ("à l'opposé", "en retard", "échu, sans donnée")  # the first ones are told first
_CREDITS = {
    "droit_commun": "droit commun", "specifique": "spécifiques",
    "investissement": "investissement", "autre": "autres",
}  # fmt: skip
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


def dashboard(
    tables: Mapping[str, pd.DataFrame],
    year: int | None = None,
    *,
    results: pd.DataFrame | None = None,
    threshold: int = THRESHOLD,
) -> Dashboard:
    """Gather the follow-up of the contract at a year.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of the contract (`monitoring.read_records`).
    year : int, optional
        Year of the review, the latest of the tables by default.
    results : DataFrame, optional
        Results of `compute`: observations of the targets that have an indicator, inhabitants and
        needs of the neighbourhoods beside the credits.
    threshold : int, default 11
        Counts of beneficiaries below are hidden.

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
            tables["objectifs"], tables.get("observations"), when, results=results
        )
    if "actions" in tables:
        sheets["actions"] = monitoring.actions(tables["actions"], year=when, threshold=threshold)
        blocks = monitoring.reinforced(tables["actions"], year=when)
        sheets["suivi renforcé"] = pd.concat(
            [block.assign(domaine=field) for field, block in blocks.items()], ignore_index=True
        )
    if "financements" in tables:
        sheets["crédits"] = monitoring.funding(tables["financements"], years=[when])
        if results is not None:
            sheets |= _beside_needs(tables["financements"], when, results)
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


def of_territory(tables: Mapping[str, pd.DataFrame], place: Selection) -> dict[str, pd.DataFrame]:
    """Keep what the follow-up says of a part of the territory.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of the contract.
    place : Selection
        Communes, neighbourhoods...

    Returns
    -------
    dict of str to DataFrame
        Actions, amounts and abatement in those places: rows that name a neighbourhood or a commune
        of it. Targets and commitments are those of the whole contract, and stay whole.

    Raises
    ------
    BarometreError
        No row at all in those places.
    """
    kept, rows = dict(tables), 0
    for name, table in tables.items():
        named = [column for column in ("qpv", "commune") if column in table]
        if named:
            codes = (
                table[named].bfill(axis="columns").iloc[:, 0]
            )  # the neighbourhood, else its commune
            kept[name] = table[place.keeps(codes, references=False)]
            rows += len(kept[name])
    if not rows:
        raise BarometreError(
            f"rien de {place.titre} dans le suivi ; les colonnes qpv et commune de ses tables"
            " disent de quel lieu est une ligne (quartiers de 2015 : QP..., de 2024 : QN...)"
        )
    return kept


def _beside_needs(
    amounts: pd.DataFrame, year: int, results: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Put the credits of each neighbourhood beside its needs and inhabitants, if they are known."""
    given = {str(code) for code in amounts["qpv"].dropna()} if "qpv" in amounts else set()
    held = {c for c in results["code"].unique() if level_of(c) == "qpv"}
    codes = {code for code in held if code[:2] in {one[:2] for one in given}}  # of one generation
    bridge = not codes & given and bool(given & set(qpv_bridge()["code_2024"]))
    if bridge:  # the needs of 2015 beside the credits of 2024, where the neighbourhood is the same
        codes = held & set(qpv_bridge()["code_2015"])
    if not codes or not (bridge or codes & given):
        if given:
            warnings.warn(
                f"aucun quartier des crédits ({min(given)}...) dans les résultats : crédits et"
                " besoins ne sont pas rapprochés",
                stacklevel=3,
            )
        return {}
    here = results[results["code"].isin(codes)]
    needs = priorities(here, sorted(codes), year="latest")
    heads = here[(here["indicateur"] == "population") & (here["statut"] == "ok")]
    last = heads.sort_values("annee").drop_duplicates("code", keep="last").set_index("code")
    table = monitoring.funding(
        amounts, "qpv", years=[year], population=last["valeur"], needs=needs, bridge=bridge
    )
    return {"crédits et besoins": table}


def _latest(tables: Mapping[str, pd.DataFrame]) -> int:
    years = [int(table["annee"].max()) for table in tables.values() if _has_years(table)]
    if not years:
        raise BarometreError("year : donner l'année de la revue (--year)")
    return max(years)


def _has_years(table: pd.DataFrame) -> bool:
    return "annee" in table and bool(table["annee"].notna().any())


def print_dashboard(board: Dashboard, console: Console, lang: Lang = "fr") -> None:
    """Print the main figures: targets by status and the late ones, actions, credits, answers."""
    say = french if lang == "fr" else english
    title = say(f"Suivi du contrat en {board.year}", f"Follow-up of the contract in {board.year}")
    console.print(title, style="bold")
    if "objectifs" in board.sheets:
        _print_targets(board.sheets["objectifs"], console, lang)
    if "actions" in board.sheets:
        actions = board.sheets["actions"]
        people = [_people(number, lang) for number in actions["beneficiaires"]]
        shown = actions.assign(beneficiaires=people)
        _print_rows(
            shown[["orientation", "n", "n_realisees", "beneficiaires"]],
            say("Actions", "Actions"),
            ("orientation", "actions", "réalisées", "bénéficiaires"),
            console,
            lang,
        )
    if "crédits" in board.sheets:
        keys = ["credits", "etape"]  # steps in their order
        sums = board.sheets["crédits"].groupby(keys, sort=False)["centimes"].sum().reset_index()
        money = sums.iloc[sums["etape"].map(list(STEPS).index).argsort(kind="stable")]
        money = money.sort_values("credits", kind="stable")
        euros = [format_number(cents / 100, 0, lang) for cents in money["centimes"]]
        money = money.assign(montant=euros)[[*keys, "montant"]]
        if lang == "fr":
            money["credits"] = money["credits"].map(_CREDITS)
        titles = ("nature", "étape", "montant")
        _print_rows(money, say("Crédits, en euros", "Credits, in euros"), titles, console, lang)
    if "engagements" in board.sheets:
        rows = board.sheets["engagements"]
        rows = rows[rows["annee"] == rows["annee"].max()]
        space = " " if lang == "fr" else ""
        shares = [f"{format_number(share, 0, lang)}{space}%" for share in rows["completude"]]
        rows = rows.assign(completude=shares)[["partenaire", "n", "n_tenus", "completude"]]
        titles4 = ("partenaire", "engagements", "tenus", "réponses")
        _print_rows(rows, say("Engagements", "Commitments"), titles4, console, lang)


def french(words: str, _english: str) -> str:
    """Return the French words."""
    return words


def english(_french: str, words: str) -> str:
    """Return the English words."""
    return words


def _people(number: float, lang: Lang) -> str:
    if number == number:
        return format_number(number, 0, lang)
    return "secret ou non connu" if lang == "fr" else "secret or not known"


def _print_targets(targets: pd.DataFrame, console: Console, lang: Lang) -> None:
    counts = targets["statut"].value_counts()
    words = VALUES["statut"] if lang == "en" else {status: status for status in counts.index}
    told = ", ".join(f"{words[str(status)]} {number}" for status, number in counts.items())
    title, due = ("Objectifs :", "échéance") if lang == "fr" else ("Targets:", "due")
    console.print(f"{title} {told}", markup=False)
    rank = {status: place for place, status in enumerate(_LATE)}
    late = targets[targets["statut"].isin(_LATE)]
    late = late.loc[late["statut"].map(rank).sort_values(kind="stable").index]
    colon = " :" if lang == "fr" else ":"
    for row in late.head(_NAMED).to_dict("records"):
        console.print(
            f"  {words[row['statut']]}{colon} {row['mesure']} ({due} {row['echeance']})",
            markup=False,
        )
    if len(late) > _NAMED:
        more = len(late) - _NAMED
        plural = "s" * (more > 1)
        told = f"et {more} autre{plural}" if lang == "fr" else f"and {more} other{plural}"
        console.print(f"  {told}")


def _print_rows(
    rows: pd.DataFrame, title: str, headings: tuple[str, ...], console: Console, lang: Lang
) -> None:
    """Print rows under short headings, those of the columns in English."""
    shown = rows if lang == "fr" else in_english(rows)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    names = headings if lang == "fr" else list(map(str, shown.columns))
    for place, heading in enumerate(names):
        left = place == 0 or rows.columns[place] == "etape"
        table.add_column(heading, justify="left" if left else "right")
    for row in shown.itertuples(index=False, name=None):
        table.add_row(*map(str, row))
    console.print(table)


def write_dashboard(board: Dashboard, path: str | Path, lang: Lang = "fr") -> Path:
    """Write the dashboard as a workbook, a sheet a table; the same content, the same bytes.

    Parameters
    ----------
    board : Dashboard
        The dashboard.
    path : str or Path
        File to write, ``.xlsx``.
    lang : {"fr", "en"}, default "fr"
        Language of the titles, headings and closed lists; what people typed stays as it is.

    Returns
    -------
    Path
        The file, written whole.
    """
    path = Path(path)
    sheets = dict(board.sheets)
    if lang == "en":
        sheets = {TITLES[title]: in_english(table) for title, table in sheets.items()}
    with replacing(path) as temporary:
        write_sheets(sheets, temporary)
    return path


TITLES = {
    "objectifs": "targets",
    "actions": "actions",
    "suivi renforcé": "reinforced follow-up",
    "crédits": "credits",
    "crédits et besoins": "credits and needs",
    "part en CPO": "share in CPO",
    "engagements": "commitments",
    "tfpb": "tfpb",
    "calendrier": "calendar",
}
"""English title of each sheet."""
