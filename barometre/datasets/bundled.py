"""The bundled data: every figured table of the contract, with provenance, and synthetic tables.

A dataset is a folder: a CSV file and ``dataset.toml``, which says what it is, where it comes from,
what each column holds and which input table it feeds. Nothing is corrected: a value contradicted
elsewhere is kept as printed and marked doubtful, an empty cell keeps its reason.
"""

from __future__ import annotations

import functools
import hashlib
import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from barometre.base.errors import DatasetError, Fault, UnknownNameError
from barometre.base.french import format_number
from barometre.base.rounding import round_half_up
from barometre.datasets.synthetic_cohort import draw_cohort
from barometre.datasets.synthetic_tables import make_tables
from barometre.tables.table_set import DEDUCED, DOUBTFUL, STATUTS_COLUMNS, Tables

__all__ = ["Column", "Dataset", "load", "make_cohort", "make_tables", "names", "tables"]

_FIELDS = ("titre", "producteur", "source", "millesime", "licence")
_TIDY = ("colonne", "unite", "valeur", "statut", "qualite", "motif")
_TEXT, _LINE, _YEAR = "texte", "ligne", "annee"


@dataclass(frozen=True)
class Column:
    """One column of a dataset.

    Attributes
    ----------
    nom, libelle, unite : str
        Name, label and unit (``"texte"`` for words, ``"ligne"`` for a line of the source,
        ``"annee"`` for a vintage).
    alimente : str or None
        The cell it gives: ``"table.colonne"``, or ``"publies.indicateur"``.
    annee : int or None
        Year of the data.
    reserve : str or None
        What must be said of every value of the column wherever it goes.
    depuis : str or None
        For a printed evolution: the column of the later date. What the column gives is the value of
        its first date, the later one minus the evolution.
    controle : str or None
        For a printed evolution: the column that prints it in per cent.
    """

    nom: str
    libelle: str
    unite: str
    alimente: str | None = None
    annee: int | None = None
    reserve: str | None = None
    depuis: str | None = None
    controle: str | None = None


@dataclass(frozen=True)
class Dataset:
    """A bundled dataset.

    Attributes
    ----------
    nom, titre, producteur, source, millesime, licence : str
        What it is and where it comes from.
    notes : tuple of str
        What a reader must know.
    colonnes : mapping of str to Column
        The columns, by name.
    frame : DataFrame
        The table as printed: text, float and integer columns, one row per line of the source.
    remarques : DataFrame
        What there is to say of single cells: ``ligne`` (row number in ``frame``), ``colonne``,
        ``statut`` (``ok``, ``secret``, ``sans_objet``, ``non_disponible``), ``qualite``
        (``"douteux"`` or missing) and ``motif``.
    """

    nom: str
    titre: str
    producteur: str
    source: str
    millesime: str
    licence: str
    notes: tuple[str, ...]
    colonnes: Mapping[str, Column]
    frame: pd.DataFrame
    remarques: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """One row per figure, its status, quality and reason beside it.

        Returns
        -------
        DataFrame
            The text columns of the dataset, then ``colonne``, ``unite``, ``valeur``, ``statut``,
            ``qualite`` and ``motif``.
        """
        columns = self.colonnes.values()
        words = [c.nom for c in columns if c.unite == _TEXT]
        figures = [c.nom for c in columns if c.unite not in (_TEXT, _LINE, _YEAR)]
        if not figures:
            return pd.DataFrame(columns=list(_TIDY))
        long = (
            self.frame[[*words, *figures]]
            .rename_axis("ligne")
            .reset_index()
            .melt(["ligne", *words], figures, var_name="colonne", value_name="_valeur")
            .rename(columns={"_valeur": "valeur"})  # a figure may itself be called "valeur"
        )
        long["unite"] = [self.colonnes[name].unite for name in long["colonne"]]
        long = long.merge(self.remarques, on=["ligne", "colonne"], how="left")
        absent = long["valeur"].isna().map({True: "non_disponible", False: "ok"})
        long["statut"] = long["statut"].fillna(absent)
        return long[[*words, *_TIDY]]


def names() -> list[str]:
    """List the bundled datasets.

    Returns
    -------
    list of str
        Names that `load` takes.
    """
    return sorted(path.parent.name for path in _folder().glob("*/dataset.toml"))


def load(name: str) -> Dataset:
    """Read a bundled dataset.

    Parameters
    ----------
    name : str
        A name of `names`.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError
        No dataset of that name; the nearest ones are given.
    DatasetError
        The file and its description disagree: content, rows or columns.

    Examples
    --------
    >>> seuils = load("seuils_pauvrete_2020").frame
    >>> int(seuils["seuil_pauvrete_mensuel_2020_eur"].max())
    2351
    """
    if name not in names():
        raise UnknownNameError("jeu de données", name, names())
    described, frame = _read(name)
    columns = {c["nom"]: Column(**c) for c in described["colonnes"]}
    return Dataset(
        nom=name,
        **{field: described[field] for field in _FIELDS},
        notes=tuple(described["notes"]),
        colonnes=MappingProxyType(columns),
        frame=frame.copy(deep=False),
        remarques=_remarks(name, frame),
    )


def tables(*wanted: str) -> Tables:
    """Turn bundled datasets into the tables that `compute` takes.

    Parameters
    ----------
    *wanted : str
        Names of datasets; by default the key figures of the 13 priority neighbourhoods and their
        reference territories, that is all those that feed a table, the 2024 perimeters excepted.

    Returns
    -------
    Tables
        Counts in the tables they belong to, rates and medians among the published values, the
        reason of empty and doubtful cells in ``statuts``, labels and levels in ``territoires``.
        Where only the later of two dates is printed, with its evolution, the first one is deduced
        (``origine`` of ``statuts``), nothing being deduced from a secret cell.

    Raises
    ------
    UnknownNameError
        No dataset of that name.
    DatasetError
        A dataset that feeds no table.
    """
    chosen = wanted or tuple(name for name in names() if _feeds(name) and name != "qpv_2024")
    useless = [name for name in chosen if not _feeds(name)]
    if useless:
        admitted = ", ".join(name for name in names() if _feeds(name))
        raise DatasetError(
            "jeux de données refusés",
            [
                Fault(name, "n'alimente aucune table", f"choisir parmi {admitted}")
                for name in useless
            ],
        )
    cells = pd.concat([_cells(load(name)) for name in chosen], ignore_index=True)
    frames = {
        str(table): part.pivot(index=["code", "annee"], columns="colonne", values="valeur")
        for table, part in cells.groupby("table", sort=False)
    }
    order = cells[["code", "annee"]].drop_duplicates().set_index(["code", "annee"]).index
    told = (cells["statut"] != "ok") | cells["qualite"].notna() | cells["motif"].notna()
    return Tables(
        {table: frame.reindex(order[order.isin(frame.index)]) for table, frame in frames.items()},
        statuts=cells.loc[told, list(STATUTS_COLUMNS)],
        territoires=load("territoires").frame.drop(columns="geographie"),
    )


def make_cohort(
    n: int = 1200,
    waves: Sequence[int] = tuple(range(2024, 2031)),
    *,
    effect: float = 60.0,
    entries: int | Sequence[int] = (2026,),
    share_treated: float = 0.4,
    attrition: float = 0.06,
    mobility: float = 0.05,
    zone_shock: float = 0.0,
    complete: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """Draw a synthetic cohort: beneficiaries and a comparison group in the 13 neighbourhoods.

    Nobody in it is real, and the effect is known: it shows what each method recovers, and what the
    naive comparisons get wrong. Beneficiaries start worse off; incomes rise for everyone, faster
    with a diploma; the better off leave the neighbourhoods; the comparison group loses its better
    off and least qualified, the beneficiaries their poorest.

    Parameters
    ----------
    n : int, default 1200
        People, at least 2.
    waves : sequence of int, default 2024 to 2030
        Yearly waves.
    effect : float, default 60.0
        Effect of the programme on monthly income, the same for all from the wave of entry on.
    entries : int or sequence of int, default (2026,)
        Waves of entry; several make a staggered entry.
    share_treated : float, default 0.4
        Share of beneficiaries.
    attrition : float, default 0.06
        Mean share lost at the second wave, and about as much at each later one. Who is lost
        depends on the first income, the diploma and the arm, all seen at the first wave. The lost
        do not come back.
    mobility : float, default 0.05
        Share who move at each wave, about; the better off move more.
    zone_shock : float, default 0.0
        Standard deviation of what happens to a whole neighbourhood at a wave.
    complete : bool, default False
        Keep everyone at every wave, as nobody can: the truth to compare with.
    seed : int, default 0
        Seed: the same arguments give the same people, complete or not.

    Returns
    -------
    DataFrame
        One row per person and wave seen: ``person, wave, arm`` (1 beneficiary), ``first_treated``
        (missing for the comparison), ``zone`` (where the person lives), ``baseline_zone``,
        ``household, sex, age, diploma, income, status, exit_reason`` (at the last wave of those
        lost). ``attrs["truth"]`` holds ``effect`` and ``trend``, the rise of income per wave.

    Raises
    ------
    BarometreError
        Arguments out of range, all named.

    Examples
    --------
    >>> people = make_cohort(300)
    >>> people["person"].nunique(), people["zone"].nunique(), people.attrs["truth"]["effect"]
    (300, 14, 60.0)
    """
    places = load("qpv_2024").frame
    return draw_cohort(
        places.loc[places["niveau"] == "qpv", "code"].tolist(),
        n,
        list(waves),
        effect=effect,
        entries=[entries] if isinstance(entries, int) else list(entries),
        share_treated=share_treated,
        attrition=attrition,
        mobility=mobility,
        zone_shock=zone_shock,
        complete=complete,
        seed=seed,
    )


def _feeds(name: str) -> bool:
    """Tell from its description alone: the large tables are read when they are asked for."""
    return any("alimente" in column for column in _described(name)["colonnes"])


def _cells(dataset: Dataset) -> pd.DataFrame:
    """List the cells that a dataset gives: code, year, table, column, value and what is said."""
    feeding = {c.nom: c for c in dataset.colonnes.values() if c.alimente}
    tidy = dataset.tidy()
    deduced = [_deduced(dataset, tidy, c) for c in feeding.values() if c.depuis]
    printed = [name for name, column in feeding.items() if not column.depuis]
    tidy = tidy[tidy["colonne"].isin(printed)].assign(origine=None)
    tidy = pd.concat([tidy, *deduced], ignore_index=True)
    targets = [str(feeding[name].alimente).split(".") for name in tidy["colonne"]]
    years = [feeding[name].annee for name in tidy["colonne"]]
    reserves = tidy["colonne"].map({name: c.reserve for name, c in feeding.items() if c.reserve})
    tidy = tidy.assign(motif=tidy["motif"].fillna(reserves.astype("str")))
    return pd.DataFrame(
        {
            "code": tidy["code"],
            "annee": pd.Series(years, index=tidy.index, dtype="int64"),
            "table": pd.Series([table for table, _ in targets], index=tidy.index),
            "colonne": pd.Series([column for _, column in targets], index=tidy.index),
            **{name: tidy[name] for name in ("valeur", "statut", "qualite", "motif", "origine")},
        }
    )


def _deduced(dataset: Dataset, tidy: pd.DataFrame, column: Column) -> pd.DataFrame:
    """Deduce the values of a first date from those of the later one and the printed evolutions.

    Nothing is deduced from a cell that is absent, and a doubt on either number is a doubt on what
    they give. So is a percentage that contradicts them, unless it is the one that was misread.
    """
    change, later = (
        tidy[tidy["colonne"] == name].reset_index(drop=True)
        for name in (column.nom, str(column.depuis))
    )
    end = dataset.colonnes[str(column.depuis)]
    digits, unit = (1, " %") if end.unite == "pourcent" else (0, "")
    known = change["valeur"].notna() & later["valeur"].notna()
    value = round_half_up(later["valeur"] - change["valeur"], digits).where(known)
    # A secret value comes before an evolution that is not available.
    reason = later["statut"].where(later["statut"] != "ok", change["statut"])
    motif = later["motif"].where(later["statut"] != "ok", change["motif"])
    doubtful = (later["qualite"] == DOUBTFUL) | (change["qualite"] == DOUBTFUL)
    points = "" if end.unite == "nombre" else " point"
    texts = pd.Series(
        [
            f"déduit de deux nombres imprimés : {format_number(v, digits)}{unit} en {end.annee},"
            f" {format_number(e, digits, signed=True)}{points} depuis {column.annee}"
            if ok
            else m
            for v, e, m, ok in zip(later["valeur"], change["valeur"], motif, known, strict=True)
        ],
        dtype="str",
    )
    reserve = pd.Series(column.reserve, index=change.index, dtype="str")
    for said in (later["motif"], change["motif"], reserve):
        texts = (texts + " ; " + said).where(known & said.notna(), texts)
    doubtful, texts = _controlled(dataset, tidy, column, doubtful, texts)
    return change.assign(
        valeur=value,
        statut=reason.where(~known, "ok"),
        qualite=pd.Series(None, index=change.index, dtype="str").mask(known & doubtful, DOUBTFUL),
        motif=texts,
        origine=pd.Series(None, index=change.index, dtype="str").mask(known, DEDUCED),
    )


def _controlled(
    dataset: Dataset,
    tidy: pd.DataFrame,
    column: Column,
    doubtful: pd.Series[bool],
    texts: pd.Series[str],
) -> tuple[pd.Series[bool], pd.Series[str]]:
    """Add what the printed percentage of the evolution is known to contradict."""
    if column.controle is None:
        return doubtful, texts
    control = tidy[tidy["colonne"] == column.controle].reset_index(drop=True)
    against = (control["qualite"] == DOUBTFUL) & texts.notna()
    listed = _read("anomalies")[1]
    listed = listed[(listed["tableau"] == dataset.nom) & (listed["colonne"] == column.controle)]
    misread = set(listed.loc[listed["nature"] == "ocr_probable", "code"])
    shown = control["valeur"].map(lambda v: format_number(v, 1, signed=True), na_action="ignore")
    said = texts + " ; évolution imprimée " + shown + " % : " + control["motif"]
    return doubtful | (against & ~control["code"].isin(misread)), said.where(against, texts)


# ---- reading ------------------------------------------------------------------------------------


def _folder() -> Path:
    """Find the datasets: in the installed package, or at the root of a checkout."""
    packaged = Path(__file__).parents[1] / "_datasets"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "datasets"


def _described(name: str) -> dict[str, Any]:
    return tomllib.loads((_folder() / name / "dataset.toml").read_text(encoding="utf-8"))


@functools.cache
def _read(name: str) -> tuple[dict[str, Any], pd.DataFrame]:
    folder, described = _folder() / name, _described(name)
    content = (folder / f"{name}.csv").read_bytes()
    units = {column["nom"]: column["unite"] for column in described["colonnes"]}
    kinds = {_TEXT: "str", _LINE: "int64", _YEAR: "int64"}
    header = content.split(b"\n", 1)[0].decode().split(",")
    faults = []
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        faults.append(Fault("sha256", "le fichier a changé", "mettre dataset.toml à jour"))
    if header != list(units):
        faults.append(Fault("colonnes", f"{header} au lieu de {list(units)}", "les accorder"))
    if faults:
        raise DatasetError(f"jeu de données {name} refusé", faults)
    frame = pd.read_csv(
        io.BytesIO(content),
        dtype={column: kinds.get(unit, "float64") for column, unit in units.items()},
        keep_default_na=False,
        na_values={column: [""] for column in units},
    )
    if len(frame) != described["lignes"]:
        fault = Fault("lignes", f"{len(frame)} au lieu de {described['lignes']}", "les accorder")
        raise DatasetError(f"jeu de données {name} refusé", [fault])
    return described, frame


def _remarks(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Find the cells of a table that the lists of empty and of doubtful cells name."""
    columns = ["ligne", "colonne", "statut", "qualite", "motif"]
    empty, doubtful = _read("cellules_vides")[1], _read("anomalies")[1]
    empty = empty[empty["tableau"] == name]
    doubtful = doubtful[(doubtful["tableau"] == name) & doubtful["colonne"].notna()]
    found: list[tuple[int, str, str, str | None, str]] = []
    told = empty[["ligne_source", "colonne", "statut", "motif"]]
    for line, column, status, reason in told.itertuples(index=False, name=None):
        rows = frame["ligne_source"] == line
        found += [(row, column, status, None, reason) for row in frame.index[rows]]
    told = doubtful[["lignes_source", "code", "colonne", "motif"]]
    for lines, code, column, reason in told.itertuples(index=False, name=None):
        first, _, last = lines.partition("-")
        rows = frame["ligne_source"].between(int(first), int(last or first))
        if isinstance(code, str):
            rows &= frame["code"] == code
        found += [(row, column, "ok", DOUBTFUL, reason) for row in frame.index[rows]]
    return pd.DataFrame(found, columns=columns).astype(
        {"ligne": "int64", "colonne": "str", "statut": "str", "qualite": "str", "motif": "str"}
    )
