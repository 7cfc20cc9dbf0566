"""The components of the IDH-4 out of the input tables; a canton gives its ICM to its communes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, FaultsError, UnknownNameError
from barometre.cards.columns import KEY
from barometre.engine.alignment import latest_keys
from barometre.tables.members import membership as members_in
from barometre.tables.table_set import Tables, as_tables
from barometre.themes.formulas import share

MAX_GAP = 3  # years by which a component may be older than incomes
Diploma: TypeAlias = Literal["cep", "cap"]
Cantons: TypeAlias = "pd.DataFrame | pd.Series[str] | Mapping[str, str]"
_HEALTH = {"icm": "icm", "esperance_vie": "esperance_vie_naissance"}
_FROM_CAP = "diplômés comptés à partir du CAP, et non du CEP"
_TABLES = ("mortalite", "diplomes", "revenus")


def idh4_components(
    tables: Tables | Mapping[str, pd.DataFrame],
    membership: Cantons | None = None,
    *,
    health: str = "icm",
    max_gap: int = MAX_GAP,
    diploma: Diploma = "cep",
) -> pd.DataFrame:
    """Build the components of `idh4` from tables.

    Parameters
    ----------
    tables : Tables or mapping of str to DataFrame
        With ``mortalite``, ``diplomes`` and ``revenus``.
    membership : DataFrame, Series or mapping, optional
        Canton of each commune: columns ``code`` and ``canton``, or canton by code. A commune
        without value of its own takes that of its canton. Tables refuse a code of four digits
        (a commune that lost its zero?): write ``C5906``, in both.
    health : {"icm", "esperance_vie"}, default "icm"
        Component of the health dimension.
    max_gap : int, default 3
        Years by which health and diplomas may be older than incomes, which is then said.
    diploma : {"cep", "cap"}, default "cep"
        From which diploma people are counted: at least the CEP, as the Région does
        (``diplomes_cep_plus``), which no file of the census separates after 2012; or at least the
        CAP (all but ``sans_diplome_ou_brevet``), which every vintage gives, and ``remarques`` says.
        Bounds of one are not those of the other.

    Returns
    -------
    DataFrame, indexed by (code, annee)
        The rows of ``revenus``; the health component, ``part_diplomes`` (per cent),
        ``niveau_de_vie_median``, ``statut`` (why a component is missing, else ``ok``) and
        ``remarques``. No people out of school: no share of diplomas.

    Raises
    ------
    BarometreError
        A table that is absent, an unknown option, a membership that is empty or puts a commune in
        two cantons.

    Examples
    --------
    >>> frames = {
    ...     "mortalite": pd.DataFrame({"code": ["C5906"], "annee": 2019, "icm": [131.0]}),
    ...     "diplomes": pd.DataFrame({"code": ["59172"], "annee": 2019,
    ...         "non_scolarises_15_ans_plus": [14000], "diplomes_cep_plus": [9100]}),
    ...     "revenus": pd.DataFrame({"code": ["59172"], "annee": 2019,
    ...         "niveau_de_vie_median": [14320]})}
    >>> components = idh4_components(frames, {"59172": "C5906"})
    >>> components.reset_index().iloc[:, :5]
        code  annee    icm  part_diplomes  niveau_de_vie_median
    0  59172   2019  131.0           65.0               14320.0
    >>> components["remarques"].item()
    'indice comparatif de mortalité du canton C5906'
    """
    checked = as_tables(tables)
    if absent := [name for name in _TABLES if name not in checked]:
        raise BarometreError(
            f"tables absentes : {', '.join(absent)} ; l'IDH demande mortalite, diplomes et revenus"
        )
    as_diploma(diploma)
    if health not in _HEALTH:
        raise BarometreError(f'health « {health} » refusé : "icm" ou "esperance_vie"')
    if isinstance(max_gap, bool) or not isinstance(max_gap, int) or max_gap < 0:
        raise BarometreError(f"max_gap {max_gap} refusé : donner un nombre d'années, 0 ou plus")
    lead = checked.index_of("revenus")
    told = _Told(checked, lead)
    codes = lead.get_level_values("code")
    cantons = codes.map(_cantons(membership).to_dict()).astype("str")
    column = _HEALTH[health]
    own, own_years = _latest(checked["mortalite"][column], codes, lead, max_gap)
    shared, shared_years = _latest(checked["mortalite"][column], cantons, lead, max_gap)
    taken = np.isnan(own) & ~np.isnan(shared)
    word = "espérance de vie" if health == "esperance_vie" else "indice comparatif de mortalité"
    told.add(taken, [f"{word} du canton {canton}" for canton in cantons])
    told.older("mortalite", np.where(taken, shared_years, own_years))
    frame = pd.DataFrame({health: np.where(taken, shared, own)}, index=lead)
    part, used = _graduates(checked["diplomes"], diploma)
    frame["part_diplomes"], years = _latest(part, codes, lead, max_gap)
    if diploma == "cap":
        told.add(frame["part_diplomes"].notna().to_numpy(), [_FROM_CAP] * len(lead))
    told.older("diplomes", years)
    frame["niveau_de_vie_median"] = checked["revenus"]["niveau_de_vie_median"].to_numpy()
    for name, table, columns in (
        (health, "mortalite", [column]),
        ("part_diplomes", "diplomes", used),
        ("niveau_de_vie_median", "revenus", ["niveau_de_vie_median"]),
    ):
        told.cells(table, columns, frame[name].isna().to_numpy())
    frame["statut"] = told.statuses(frame.isna().any(axis=1).to_numpy())
    frame["remarques"] = told.remarks()
    return frame


def as_diploma(name: str) -> Diploma:
    """Return the choice of a diploma, or refuse it."""
    if name not in get_args(Diploma):
        raise UnknownNameError("choix de diploma", str(name), get_args(Diploma))
    found: Diploma = "cap" if name == "cap" else "cep"
    return found


def _graduates(diplomas: pd.DataFrame, diploma: Diploma) -> tuple[pd.Series[float], list[str]]:
    """Give the share of people who have a diploma, and the columns that it comes from."""
    people = diplomas["non_scolarises_15_ans_plus"]
    if diploma == "cep":
        used, graduates = "diplomes_cep_plus", diplomas["diplomes_cep_plus"]
    else:
        used = "sans_diplome_ou_brevet"
        graduates = people - diplomas[used]
    return share(graduates, people), [used, "non_scolarises_15_ans_plus"]


class _Told:
    """What is said of each row."""

    def __init__(self, tables: Tables, lead: pd.MultiIndex) -> None:
        self.tables, self.lead = tables, lead
        self.texts: list[list[str]] = [[] for _ in range(len(lead))]
        self.status = np.full(len(lead), "non_disponible", dtype=object)

    def add(self, rows: np.ndarray, texts: list[str]) -> None:
        for i in np.flatnonzero(rows):
            self.texts[i].append(texts[i])

    def older(self, table: str, years: np.ndarray) -> None:
        rows = ~np.isnan(years) & (years != self.lead.get_level_values("annee").to_numpy())
        self.add(rows, [f"{table} : données de {year:.0f}" for year in years])

    def cells(self, table: str, columns: list[str], absent: np.ndarray) -> None:
        """Carry the remarks on cells of the same year; an absent one gives its status."""
        said = self.tables.statuts
        said = said[(said["table"] == table) & said["colonne"].isin(columns)]
        place = self.lead.get_indexer(pd.MultiIndex.from_frame(said[list(KEY)]))
        for i, status, reason, quality in zip(
            place, said["statut"], said["motif"], said["qualite"], strict=True
        ):
            if i < 0 or (status != "ok" and not absent[i]):
                continue
            if status != "ok":
                self.status[i] = status
            why = next(text for text in (reason, quality, status) if isinstance(text, str))
            if f"{table} : {why}" not in self.texts[i]:
                self.texts[i].append(f"{table} : {why}")

    def statuses(self, absent: np.ndarray) -> pd.Series[str]:
        return pd.Series(np.where(absent, self.status, "ok"), index=self.lead, dtype="str")

    def remarks(self) -> pd.Series[str]:
        joined = [" ; ".join(texts) or None for texts in self.texts]
        return pd.Series(joined, index=self.lead, dtype="str")


def _latest(
    values: pd.Series, codes: pd.Index, lead: pd.MultiIndex, max_gap: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give the values of codes at the year of each row, or a little earlier, and their year."""
    known = values.dropna()
    assert isinstance(known.index, pd.MultiIndex)  # a table is so keyed
    wanted = pd.MultiIndex.from_arrays([codes, lead.get_level_values("annee")], names=KEY)
    keys = latest_keys(wanted, known.index, max_gap)
    rows = known.index.get_indexer(keys)
    found = np.full(len(lead), np.nan)
    found[rows >= 0] = known.to_numpy()[rows[rows >= 0]]
    return found, np.where(rows >= 0, keys.get_level_values("annee").to_numpy(), np.nan)


def _cantons(membership: Cantons | None) -> pd.Series:
    if membership is None:
        return pd.Series(dtype="str")
    if isinstance(membership, pd.DataFrame):
        frame = membership if "code" in membership else membership.rename_axis("code").reset_index()
    else:
        given = pd.Series(membership, dtype="str")
        frame = pd.DataFrame({"code": given.index.astype("str"), "canton": given.to_numpy()})
    if frame.empty:
        raise FaultsError("appartenance aux cantons refusée : elle est vide", [])
    return members_in(frame, part="code", whole="canton")
