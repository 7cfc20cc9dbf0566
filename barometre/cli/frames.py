"""Show and write any table of figures: on the screen, as CSV, workbook or Parquet."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from barometre.base.french import absent_label, format_number
from barometre.pages.frames_file import write_frame

SUFFIXES = (".csv", ".xlsx", ".parquet")
SCREEN = {
    "écarts": (
        *("code", "libelle", "annee", "indicateur", "reference", "valeur", "valeur_reference"),
        *("ecart", "verdict"),
    ),
    "évolutions": (
        *("code", "libelle", "indicateur", "valeur_debut", "valeur_fin", "evolution"),
        *("appreciation", "statut"),
    ),
    "rangs": (
        *("code", "libelle", "annee", "indicateur", "valeur", "rang", "rang_min", "rang_max"),
        *("effectif",),
    ),
    "diagnostic": (
        *("indicateur", "annee", "valeur", "valeur_reference", "ecart", "dispersion"),
        *("diagnostic", "statut"),
    ),
    "priorités": (
        *("theme", "code", "libelle", "annee", "rang", "rang_min", "rang_max", "moteurs"),
    ),
}
"""What a screen shows of a table, by title; a file holds every column."""

_ONCE = ("theme", "indicateur", "annee", "reference")
_SHOWN = 40  # rows printed
_WIDE = 9  # columns that a screen holds


def check_suffix(out: Path | None) -> None:
    """Refuse a file of another suffix, as a fault of usage."""
    if out is not None and out.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(f"terminer par {', '.join(SUFFIXES)}", param_hint="--out")


def deliver(
    frame: pd.DataFrame,
    out: Path | None,
    console: Console,
    *,
    title: str,
    labels: pd.DataFrame | None = None,
    csv: str = "machine",
) -> None:
    """Write a table, or print it when no file was asked."""
    named = with_labels(frame, labels)
    if out is None:
        print_frame(named, console, title=title)
        return
    write_frame(named, out, title=title, csv=csv)
    console.print(f"{out} : {len(frame)} lignes")


def with_labels(frame: pd.DataFrame, labels: pd.DataFrame | None) -> pd.DataFrame:
    """Put the name of each territory beside its code."""
    plain = frame.reset_index(drop=frame.index.names == [None])
    if labels is None or "code" not in plain or "libelle" in plain:
        return pd.DataFrame(plain)
    named = pd.DataFrame(plain).copy()
    place = [*named.columns].index("code") + 1
    named.insert(place, "libelle", named["code"].map(labels["libelle"]))
    return named


def print_frame(frame: pd.DataFrame, console: Console, *, title: str) -> None:
    """Print the first rows of a table, numbers in French."""
    asked = [name for name in SCREEN.get(title, ()) if name in frame]
    shown = frame[asked] if asked else frame
    shown = shown.dropna(axis="columns", how="all")
    if asked and len(shown) > 1:  # what every row says is told once
        same = [
            name for name in _ONCE if name in shown and (shown[name] == shown[name].iloc[0]).all()
        ]
        title = ", ".join([title, *(str(shown[name].iloc[0]) for name in same)])
        shown = shown.drop(columns=same)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    if shown.shape[1] > _WIDE and len(shown) > 1:  # what every row says is left to the file
        shown = shown.loc[:, [name for name in shown if len(shown[name].unique()) > 1]]
    for name in shown.columns:
        numeric = pd.api.types.is_numeric_dtype(shown[name].dtype)
        table.add_column(str(name), justify="right" if numeric else "left")
    decimals = [_decimals(shown[name]) for name in shown]
    for row in shown.head(_SHOWN).itertuples(index=False, name=None):
        table.add_row(*map(_cell, row, decimals))
    console.print(table)
    if asked and len(asked) < frame.shape[1]:
        left = frame.shape[1] - len(asked)
        console.print(f"({left} autres colonnes : --out FICHIER les écrit toutes)")
    if len(shown) > _SHOWN:
        console.print(f"... {len(shown) - _SHOWN} autres lignes : --out FICHIER les écrit toutes")


def _decimals(column: pd.Series) -> int:
    """Tell how many decimals show a column: an index between 0 and 1 lives in its decimals."""
    if not pd.api.types.is_float_dtype(column.dtype):
        return 1
    return 3 if column.abs().max() <= 1 else 1


def _cell(value: object, decimals: int) -> str:
    """Write a cell as people read it."""
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, int):
        return str(value)  # years and ranks
    if isinstance(value, float):
        whole = value == int(value) if abs(value) < 1e15 else True
        return format_number(value, 0 if whole else decimals)
    return absent_label(value) if value in ("non_disponible", "non_defini") else str(value)
