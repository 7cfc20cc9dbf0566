"""Read our own tables typed or exported as CSV: one file per table, French or English Excel's."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from barometre import datasets
from barometre.cards import load_cards
from barometre.errors import BarometreError, Fault, FaultsError, counted
from barometre.table_checks import PUBLISHED, check_table
from barometre.table_set import STATUTS_COLUMNS, Tables, combine
from barometre.tables import KEY, MODELS, columns_of

SECRET_TOKENS = frozenset({"nd", "n.d.", "n.d", "ns", "s", "secret"})
NOT_APPLICABLE_TOKENS = frozenset({"-", "so", "sans objet"})
_LABELS = ("libelle", "libelle_court", "niveau")
_SPACES = str.maketrans("", "", " \u00a0\u202f")


def read(*sources: str | Path) -> Tables:
    """Read tables from CSV files, folders of them, or bundled datasets.

    Parameters
    ----------
    *sources : str or Path
        A CSV file of one of our tables, recognised by its name (``logements.csv``,
        ``logements_2021.csv``) or by its columns; ``statuts.csv`` and ``territoires.csv``; a folder
        of such files; or the name of a bundled dataset.

    Returns
    -------
    Tables
        A cell written ``nd``, ``ns`` or ``s`` is secret, ``-`` or ``so`` is not applicable: both
        keep their reason in ``statuts``.

    Raises
    ------
    BarometreError
        A source that does not exist, is no table of ours or is refused; all faults of all files.
    """
    parts: list[Tables] = []
    refusals: list[str] = []
    for source in sources:
        try:
            items = _items(source)
        except BarometreError as error:
            refusals.append(str(error))
            continue
        for item in items:
            try:
                parts.append(_read_one(item) if isinstance(item, Path) else datasets.tables(item))
            except BarometreError as error:
                refusals.append(str(error))
    if refusals:
        raise BarometreError("\n".join(refusals))
    if not parts:
        raise BarometreError("aucune source : donner un fichier, un dossier ou un jeu de données")
    return combine(parts)


def _items(source: str | Path) -> Sequence[Path | str]:
    """List the files of a source, or the bundled dataset that it names."""
    path = Path(source)
    if path.is_dir():
        files = sorted(path.glob("*.csv"))
        if not files:
            raise BarometreError(f"le dossier {path.name} ne contient aucun fichier CSV")
        return files
    if path.exists():
        return [path]
    if source in datasets.names():
        return [str(source)]
    known = ", ".join(datasets.names())
    raise BarometreError(
        f"« {source} » n'est ni un fichier, ni un dossier, ni un jeu de données ({known})"
    )


def _read_one(path: Path) -> Tables:
    """Read one file, as a table, as statuses or as territories."""
    texts = _read_texts(path)
    if set(STATUTS_COLUMNS) - {"qualite", "motif"} <= set(texts.columns):
        said = texts.reindex(columns=list(STATUTS_COLUMNS)).replace("", None)
        return Tables({}, statuts=said)
    values = [column for column in texts.columns if column not in (*KEY, *_LABELS)]
    if not values and "niveau" in texts.columns:
        return Tables({}, territoires=texts)
    name = _recognise(path, values)
    frame, statuts = _parse(texts, name, values)
    checked = check_table(name, frame, source=path.name)
    territoires = None
    if "libelle" in texts.columns:
        labels = texts[["code", *(c for c in _LABELS if c in texts.columns)]].drop_duplicates(
            "code"
        )
        territoires = labels if "niveau" in labels else labels.assign(niveau="")
    return Tables({name: checked}, statuts=statuts, territoires=territoires)


def _read_texts(path: Path) -> pd.DataFrame:
    """Read every cell as text, whatever the encoding and the separator."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\x00" in text:
        raise BarometreError(f"{path.name} : ce n'est pas un fichier texte (CSV attendu)")
    header = text.lstrip("\n").split("\n", 1)[0]
    separator = max(";,\t", key=header.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    if len(rows) < 1 or not any(cell.strip() for cell in rows[0]):
        raise BarometreError(f"{path.name} : fichier vide")
    names = [cell.strip() for cell in rows[0]]
    width = max((i for i, name in enumerate(names) if name), default=0) + 1
    faults = list(_shape_faults(names[:width], rows[1:]))
    if faults:
        raise FaultsError(f"fichier {path.name} refusé", faults)
    cells = [[cell.strip() for cell in row[:width]] for row in rows[1:]]
    return pd.DataFrame(cells, columns=names[:width], dtype="str")


def _shape_faults(names: list[str], rows: list[list[str]]) -> Iterator[Fault]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        shown = ", ".join(name or "(sans nom)" for name in repeated)
        yield Fault("en-tête", f"colonnes en double ou sans nom : {shown}", "les renommer")
    odd = [
        number
        for number, row in enumerate(rows, start=2)
        if len(row) < len(names) or any(cell.strip() for cell in row[len(names) :])
    ]
    if odd:
        lines = ", ".join(map(str, odd[:5])) + ", ..." * (len(odd) > 5)
        yield Fault(
            "lignes",
            f"{counted(len(odd), 'ligne')} sans le nombre de colonnes de l'en-tête : {lines}",
            "vérifier le séparateur et les guillemets",
        )


def _recognise(path: Path, columns: Iterable[str]) -> str:
    """Find the table of a file by its name, else by its columns."""
    wanted = list(columns)
    known = {name: columns_of(name) for name in MODELS} | {PUBLISHED: tuple(load_cards())}
    named = [name for name in known if path.stem == name or path.stem.startswith(f"{name}_")]
    if named:
        return max(named, key=len)
    fitting = [name for name, admitted in known.items() if wanted and set(wanted) <= set(admitted)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        problem = f"ses colonnes conviennent à plusieurs tables ({', '.join(fitting)})"
        raise FaultsError(
            f"fichier {path.name} refusé",
            [Fault("table", problem, f"le nommer d'après sa table : {fitting[0]}.csv")],
        )
    shared = {name: len(set(wanted) & set(admitted)) for name, admitted in known.items()}
    nearest = max(shared, key=lambda name: shared[name])
    if not shared[nearest]:
        raise FaultsError(
            f"fichier {path.name} refusé",
            [Fault("table", "aucune colonne d'une de nos tables", f"tables : {', '.join(known)}")],
        )
    unknown = ", ".join(f"« {c} »" for c in wanted if c not in known[nearest])
    raise FaultsError(
        f"fichier {path.name} refusé",
        [Fault(f"table {nearest}", f"colonnes inconnues : {unknown}", "les corriger ou les ôter")],
    )


def _parse(
    texts: pd.DataFrame, name: str, values: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Turn texts into numbers and reasons; what is neither stays text, for the table's check."""
    frame = texts[[column for column in KEY if column in texts.columns]].copy()
    if "annee" in frame:
        years = pd.to_numeric(frame["annee"], errors="coerce")
        frame["annee"] = years if years.notna().all() else frame["annee"]
    absent = []
    for column in values:
        cells = texts[column]
        lower = cells.str.lower()
        for tokens, status in ((SECRET_TOKENS, "secret"), (NOT_APPLICABLE_TOKENS, "sans_objet")):
            told = lower.isin(tokens)
            if told.any() and set(KEY) <= set(frame.columns):
                where = frame.loc[told, list(KEY)]
                motifs = "« " + cells[told] + " » dans le fichier"
                absent.append(where.assign(table=name, colonne=column, statut=status, motif=motifs))
            cells = cells.mask(told, "")
        plain = cells.str.translate(_SPACES).str.replace(",", ".", regex=False)
        numbers = pd.to_numeric(plain.mask(plain == ""), errors="coerce")
        bad = numbers.isna() & (cells != "")
        frame[column] = numbers if not bad.any() else cells.mask(cells == "").astype(object)
    if not absent:
        return frame, None
    return frame, pd.concat(absent, ignore_index=True).assign(qualite=None)
