"""The demonstration: the barometer of 13 neighbourhoods, their yearly pages, a cohort."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from barometre import datasets
from barometre.base.french import absent_label, quality_mark
from barometre.cards.labels import format_value, unit_label
from barometre.cards.listing import indicator_card
from barometre.engine.values import compute
from barometre.monitoring import example_year
from barometre.pages.people.synthetic import write_cohort_page
from barometre.pages.results_file import write_results
from barometre.pages.territory.files import report

GROUP = "ENSQP_200042190"
REFERENCES = ("200042190", "59", "METRO")
BARS = "taux_emploi_15_64"
SHOWN = (
    "taux_emploi_15_64",
    "ecart_taux_emploi_femmes_hommes",
    "taux_scolarisation_15_24",
    "taux_couverture_minima_sociaux",
    "part_familles_monoparentales_caf",
    "taux_couverture_c2s",
    "part_plus_2_ans_defm",
    "indice_jeunesse",
)
_HEADINGS = {
    "taux_emploi_15_64": "Emploi 15-64",
    "ecart_taux_emploi_femmes_hommes": "Emploi, écart F-H",
    "taux_scolarisation_15_24": "Scolarisation 15-24",
    "taux_couverture_minima_sociaux": "Minima sociaux",
    "part_familles_monoparentales_caf": "Monoparents (Caf)",
    "taux_couverture_c2s": "C2S",
    "part_plus_2_ans_defm": "DEFM 2 ans et +",
    "indice_jeunesse": "Indice de jeunesse",
}


PAGES = "pages"
NOTICE = (
    "Démonstration. Les chiffres sont ceux du contrat Quartiers 2030 de La Porte du Hainaut ; les"
    " objectifs aussi ; les observations, actions, crédits, engagements et dépenses de TFPB sont"
    " fictifs."
)


def run_demo(
    out: Path, console: Console, *, territories: Sequence[str] | None = None, processes: int = 1
) -> None:
    """Compute the bundled contract data, print a compact table, write files, figures and pages.

    Parameters
    ----------
    out : Path
        Folder to write in, created if need be.
    console : Console
        Where to print.
    territories : sequence of str, optional
        Territories of the yearly pages, by default the 13 neighbourhoods and the agglomeration.
    processes : int, default 1
        Processes that write them.
    """
    tables = datasets.tables()
    results = compute(tables)
    last = results.groupby("indicateur")["annee"].transform("max")
    latest = results[results["annee"] == last]
    labels = tables.territoires["libelle_court"]
    neighbourhoods = [
        str(code)
        for code, level in tables.territoires["niveau"].items()
        if level == "qpv" and code in set(results["code"])
    ]
    console.print(_compact_table(latest, neighbourhoods, labels))
    console.print("(?) valeur publiée douteuse, reprise telle quelle ; – : absent de la source\n")
    written = [
        write_results(results, out / name, tables.territoires)
        for name in ("results.csv", "results.xlsx")
    ]
    written += _draw(latest, neighbourhoods, labels, out)
    cohort = write_cohort_page(out / "cohorte_synthetique.html")
    written += [cohort.page, cohort.workbook]
    pages = report(
        results,
        out / PAGES,
        territories=territories,
        tables=tables,
        records=example_year(),
        edition="2025 (exemple)",
        cohorts={f"../{cohort.page.name}": f"{cohort.finding()} (Personnes inventées.)"},
        notice=NOTICE,
        licence=bundled_licence(),
        processes=processes,
    )
    console.print(f"Baromètre écrit dans {out.resolve()} :")
    for path in written:
        console.print(f"  {path.name}")
    shown = f"{PAGES}/{pages.index.name} : {len(pages.pages)} pages annuelles et leur index"
    console.print(f"{shown}, à ouvrir dans un navigateur")
    console.print("cohorte_synthetique.html : données synthétiques, à ouvrir de même")


def bundled_licence() -> str:
    """Return what the bundled data say of their licence."""
    return f"{datasets.load('population_2018').licence}."


def _compact_table(
    results: pd.DataFrame, neighbourhoods: list[str], labels: pd.Series[str]
) -> Table:
    years = results.groupby("indicateur")["annee"].max()
    table = Table(
        title="Les 13 quartiers prioritaires de La Porte du Hainaut, et leurs références",
        title_justify="left",
        box=None,
        row_styles=["", "dim"],
        pad_edge=False,
    )
    table.add_column("", no_wrap=True)
    for name in SHOWN:
        unit = unit_label(indicator_card(name))
        table.add_column(f"{_HEADINGS[name]}\n{unit}, {years[name]}", justify="right", min_width=9)
    cells = results.set_index(["code", "indicateur"])
    for code in (*neighbourhoods, GROUP, *REFERENCES):
        style = "bold" if code not in neighbourhoods else None
        table.add_row(str(labels[code]), *(_cell(cells, code, n) for n in SHOWN), style=style)
        if code == neighbourhoods[-1]:
            table.add_section()
    return table


def _cell(cells: pd.DataFrame, code: str, indicator: str) -> str:
    if (code, indicator) not in cells.index:
        return "–"
    row = cells.loc[[(code, indicator)]].iloc[0]
    if math.isnan(row["valeur"]):
        return absent_label(row["statut"])
    doubt = quality_mark(row["qualite"])
    return format_value(row["valeur"], indicator_card(indicator)) + doubt


def _draw(
    results: pd.DataFrame, neighbourhoods: list[str], labels: pd.Series[str], out: Path
) -> list[Path]:
    import matplotlib as mpl

    mpl.use("Agg")
    from barometre.plots import heat_table, ranked_bars, save_chart

    charts = {
        f"{BARS}.png": ranked_bars(
            results, BARS, references=REFERENCES, territories=neighbourhoods, labels=labels
        ),
        "tableau_des_quartiers.png": heat_table(
            results, territories=neighbourhoods, reference=GROUP, others=REFERENCES, labels=labels
        ),
    }
    return [save_chart(axes, out / name) for name, axes in charts.items()]
