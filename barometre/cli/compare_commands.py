"""Commands over values: gaps, evolutions, ranks, needs, priorities, indices, secrecy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.cli.app import (
    Commune,
    Csv,
    Dep,
    Epci,
    Indicator,
    Level,
    OnError,
    Out,
    Qpv,
    Quiet,
    Same,
    Sources,
    Theme,
    Year,
    Zones,
    console,
)

Reference = Annotated[
    list[str] | None,
    typer.Option(
        help="Territoire de comparaison : code ou nom (plusieurs au besoin) ; par défaut les"
        " références du territoire."
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    for command in (gap, evolution, rank, diagnose, priorities, idh4, idt, suppress):
        app.command()(command)


def gap(
    sources: Sources = None,
    reference: Reference = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Level = None,
    year: Year = None,
    intervals: Annotated[bool, typer.Option(help="Donner les intervalles.")] = False,
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    same: Same = None,
    quiet: Quiet = False,
) -> None:
    """Écarts de chaque territoire à une référence.

    Exemple : barometre gap resultats.csv --reference METRO --indicator taux_emploi_15_64
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.gaps import gap as compared

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, None, year, on_error, quiet, same)
    wish = replace(wish, references=reference or ())
    _check_out(out, csv, wish.paths)
    if not reference and wish.place is None:
        raise typer.BadParameter(
            "aucun territoire n'en propose : la donner", param_hint="--reference"
        )
    done = results_of(wish, intervals=intervals)
    against = reference or _default_references(wish.compared(done.results))
    found = _of_level(compared(done.results, against, tolerance=wish.tolerance), level)
    _deliver(found, done, out, csv, "écarts")


def evolution(
    start: Annotated[int, typer.Option(help="Première année.")],
    end: Annotated[int, typer.Option(help="Dernière année.")],
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Level = None,
    reference: Annotated[str | None, typer.Option(help="Pour dire s'il y a convergence.")] = None,
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    same: Same = None,
    quiet: Quiet = False,
) -> None:
    """Évolutions entre deux années, refusées avec la raison où elles ne se lisent pas.

    Exemple : barometre evolution resultats.csv --start 2016 --end 2021
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.years import evolution as compared

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, None, None, on_error, quiet, same)
    _check_out(out, csv, wish.paths)
    wish = replace(wish, references=[reference] if reference else ())
    done = results_of(wish)
    changes = compared(done.results, start, end, reference=reference, tolerance=wish.tolerance)
    found = _of_level(changes, level)
    _deliver(found, done, out, csv, "évolutions")


def rank(
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Level = None,
    year: Year = None,
    intervals: Annotated[bool, typer.Option(help="Donner les intervalles des rangs.")] = True,
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    same: Same = None,
    quiet: Quiet = False,
) -> None:
    """Rangs des territoires d'un niveau, avec leurs intervalles.

    Exemple : barometre rank resultats.csv --level qpv --indicator taux_emploi_15_64
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.ranks import rank as ranked

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, level, year, on_error, quiet, same)
    _check_out(out, csv, wish.paths)
    done = results_of(wish, intervals=intervals)
    found = ranked(done.results, intervals=intervals, level=wish.design.level)
    _deliver(found, done, out, csv, "rangs")


def diagnose(
    sources: Sources = None,
    territory: Annotated[
        str | None,
        typer.Option(help="Le territoire entier : code ou nom ; par défaut celui du dossier."),
    ] = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    reference: Annotated[
        str | None, typer.Option(help="À quoi il est comparé ; par défaut la France (METRO).")
    ] = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Annotated[str, typer.Option(help="Niveau des zones comparées entre elles.")] = "qpv",
    year: Year = None,
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    same: Same = None,
    quiet: Quiet = False,
) -> None:
    """Besoins généralisés ou concentrés : le territoire, et ses zones entre elles.

    Exemple : barometre diagnose resultats.csv --territory 200042190 --level qpv
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.needs import diagnose as told

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, None, year, on_error, quiet, same)
    _check_out(out, csv, wish.paths)
    wish = replace(wish, references=[name for name in (territory, reference) if name])
    whole = territory or _whole_of(wish)
    done = results_of(wish, intervals=True)
    against = reference or _widest(wish.compared(done.results))
    found = told(done.results, _codes(done, level, wish), whole, against)
    _deliver(found, done, out, csv, "diagnostic")


def priorities(
    sources: Sources = None,
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    indicator: Indicator = None,
    theme: Theme = None,
    level: Annotated[str, typer.Option(help="Niveau des zones à classer.")] = "qpv",
    year: Year = "latest",
    out: Out = None,
    csv: Csv = "machine",
    on_error: OnError = None,
    same: Same = None,
    quiet: Quiet = False,
) -> None:
    """Zones par ordre de priorité, thème par thème, et ce qui l'explique.

    Exemple : barometre priorities resultats.csv --level qpv --theme emploi
    """
    from barometre.cli.work import Wish, results_of
    from barometre.compare.order import priorities as ordered

    names = [*(indicator or []), *(theme or [])]
    wish = Wish(sources, epci, dep, commune, qpv, zones, names, None, None, on_error, quiet, same)
    _check_out(out, csv, wish.paths)
    when = replace(wish, year=year).years  # refused before anything is read
    done = results_of(wish, intervals=True)
    sure = wish.design.level
    zones_ordered = _codes(done, level, wish)
    found = ordered(done.results, zones_ordered, year=when, level=sure, bounds_level=sure)
    _deliver(found, done, out, csv, "priorités")


def idh4(
    components: Annotated[Path, typer.Argument(help="Table des composantes, une ligne un code.")],
    bounds: Annotated[Path, typer.Option(help="Bornes enregistrées (TOML).")],
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    out: Out = None,
    csv: Csv = "machine",
) -> None:
    """IDH-4 de territoires, de leurs composantes et de bornes enregistrées.

    Un territoire demandé choisit les lignes montrées, sans changer un chiffre.

    Exemple : barometre idh4 composantes.csv --bounds bornes.toml
    """
    from barometre.cli.frames import deliver
    from barometre.composite.french.development import idh4 as scored

    _check_out(out, csv, [components, bounds])
    index = scored(_components(components), bounds)
    table = _own(index.table, epci=epci, dep=dep, commune=commune, qpv=qpv, zones=zones)
    deliver(table, out, console(), title="IDH-4", csv=csv)


def idt(
    components: Annotated[Path, typer.Argument(help="Table des composantes, une ligne un code.")],
    reference: Annotated[str, typer.Option(help="Code de la référence, dans la table.")] = "METRO",
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    out: Out = None,
    csv: Csv = "machine",
) -> None:
    """IDT reconstitué, jamais un chiffre de COMPAS.

    Un territoire demandé choisit les lignes montrées ; l'échelle reste celle de toute la table.

    Exemple : barometre idt composantes.csv --reference METRO
    """
    from barometre.cli.frames import deliver
    from barometre.composite.french.reconstructed import idt as scored

    _check_out(out, csv, [components])
    index = scored(_components(components), reference)
    table = _own(index.table, epci=epci, dep=dep, commune=commune, qpv=qpv, zones=zones)
    deliver(table, out, console(), title="IDT reconstitué", csv=csv)


def suppress(
    table: Annotated[Path, typer.Argument(help="Tableau d'effectifs : libellés puis nombres.")],
    threshold: Annotated[
        int | None,
        typer.Option(help="Effectif en dessous duquel on masque : 11, ou celui du dossier."),
    ] = None,
    total: Annotated[
        str, typer.Option(help="Libellé de la ligne et de la colonne de total.")
    ] = "Ensemble",
    epci: Epci = None,
    dep: Dep = None,
    commune: Commune = None,
    qpv: Qpv = None,
    zones: Zones = None,
    out: Out = None,
    csv: Csv = "machine",
) -> None:
    """Masque les petits effectifs d'un tableau, et ce qui les redonnerait.

    Un territoire demandé choisit les lignes montrées, codes en première colonne : le tableau entier
    est masqué d'abord.

    Exemple : barometre suppress effectifs.csv --threshold 11 --out publiable.csv
    """
    from barometre.cli.frames import deliver
    from barometre.pages.workspace import current_config
    from barometre.secrecy.suppression import suppress as protected

    _check_out(out, csv, [table])
    counts = _counts(table)
    small = current_config().seuils.secret if threshold is None else threshold
    done = protected(counts, threshold=small, total=total)
    shown = _own(
        done.table, always=total, epci=epci, dep=dep, commune=commune, qpv=qpv, zones=zones
    )
    deliver(shown.reset_index(), out, console(), title="tableau publiable", csv=csv)


# ---- inputs and outputs -------------------------------------------------------------------------


def _check_out(out: Path | None, csv: str, sources: Iterable[str | Path]) -> None:
    """Refuse what cannot be written, before anything is read; a source is never replaced."""
    from barometre.cli.frames import check_suffix
    from barometre.pages.delimited import as_dialect
    from barometre.pages.results_file import check_destination

    check_suffix(out)
    as_dialect(csv)
    if out is not None:
        check_destination(out, sources)


def _deliver(frame: pd.DataFrame, done: Any, out: Path | None, csv: str, title: str) -> None:
    """Write or print what a command found, and end it."""
    from barometre.cli.frames import deliver
    from barometre.cli.work import leave

    deliver(frame, out, console(), title=title, labels=done.labels, csv=csv)
    leave(done.skipped)


def _of_level(frame: pd.DataFrame, level: list[str] | None) -> pd.DataFrame:
    """Keep the levels asked once compared: a reference is seldom of the same level."""
    from barometre.datasets.places.choose import select

    return frame if not level else select(frame, level=level)


def _own(frame: pd.DataFrame, *, always: str = "", **asked: Any) -> pd.DataFrame:
    """Keep the rows of the territory asked, and a row of totals; all of them when none is.

    A table typed by hand is not narrowed to the territory of the working folder.
    """
    from barometre.datasets.places.choose import select

    if not any(asked.values()):
        return frame
    labels = pd.Index(frame.index.get_level_values(0).astype("str"))
    coded = pd.DataFrame({"code": labels, "row": range(len(frame))})
    own: pd.DataFrame = select(coded[labels != always], **asked)
    kept = coded["row"].isin(own["row"])
    shown: pd.DataFrame = frame[kept.to_numpy(dtype=bool) | (labels == always)]
    return shown


def _default_references(held: list[str]) -> list[str]:
    """Return the references of a territory, some of which the results must have."""
    if not held:
        raise BarometreError(
            "aucune référence du territoire dans les résultats ; calculer aussi ses valeurs, ou en"
            " nommer une par --reference"
        )
    return held


def _widest(held: list[str]) -> str:
    """Return what a territory is compared with when nothing is said: France, else the widest."""
    return "METRO" if not held or "METRO" in held else held[-1]


def _whole_of(wish: Any) -> str:
    """Return the one place that the territory of a command was asked as."""
    asked = () if wish.place is None else [c for cs in wish.place.demandes.values() for c in cs]
    if len(asked) != 1:
        raise typer.BadParameter("donner le territoire entier", param_hint="--territory")
    return str(asked[0])


def _codes(done: Any, level: str, wish: Any) -> list[str]:
    """List the codes of a level in the results, references left out."""
    from barometre.tables.codes import level_of

    codes = pd.Series(done.results["code"].unique())
    if wish.place is not None:
        codes = codes[wish.place.keeps(codes, references=False)]
    kept = codes[codes.map(level_of) == level].tolist()
    if not kept:
        raise BarometreError(
            f"aucun territoire de niveau {level} dans les résultats ; changer --level"
        )
    return kept


def _components(path: Path) -> pd.DataFrame:
    """Read a table of components: a code, perhaps a year, then numbers."""
    frame = _texts(path)
    if "code" not in frame:
        raise BarometreError(
            f"{path.name} : colonne « code » absente ; les colonnes sont"
            f" {', '.join(map(str, frame))} ; un code par"
            " ligne sous cet en-tête, puis les composantes"
        )
    keys = [name for name in ("code", "annee") if name in frame]
    return pd.concat([frame[keys], _numbers(frame.drop(columns=keys), path)], axis=1).set_index(
        keys
    )


def _counts(path: Path) -> pd.DataFrame:
    """Read a table of counts: a first column of labels, then numbers."""
    frame = _texts(path)
    return _numbers(frame.set_index(frame.columns[0]), path)


def _numbers(texts: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Read numbers as they are written in French or in English; name the cells that are none."""
    plain = texts.replace(r"[\s\u00a0\u202f]", "", regex=True).replace(",", ".", regex=True)
    plain = plain.mask(plain == "")
    numbers = pd.DataFrame(plain.apply(pd.to_numeric, errors="coerce")).astype("float64")
    wrong = numbers.isna() & plain.notna()
    faults = [
        Fault(
            str(name),
            "cellules qui ne sont pas des nombres : "
            + ", ".join(f"« {text} »" for text in texts.loc[wrong[name], name].unique()[:5]),
            "corriger, ou laisser vide",
        )
        for name in texts.columns[wrong.any()]
    ]
    if faults:
        raise FaultsError(f"fichier {path.name} refusé", faults)
    return numbers


def _texts(path: Path) -> pd.DataFrame:
    """Read the one table of a file as texts, whatever its dialect."""
    from barometre.sources.files.text import open_sources

    if not path.is_file():
        raise BarometreError(f"{path} : introuvable ; vérifier le chemin")
    found = open_sources(path, lambda header, name: "table" if len(header) > 1 else None)
    known = [source for source in found if source.reconnu]
    if len(known) != 1:
        raise BarometreError(f"{path.name} : un tableau est attendu, {len(known)} trouvés")
    return known[0].lire([name for name in known[0].entete if name])
