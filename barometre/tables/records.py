"""The tables of a contract: targets, actions, money, commitments, abatement; one row a fact.

Unlike the tables of `cards.columns`, keyed by territory and year, these hold texts, dates, choices
and amounts, one row per thing followed. Each has a pandera model; `check_records` is their door.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from barometre.base.errors import BarometreError, Fault, TableError, UnknownNameError, counted

_SHOWN = 5  # cases quoted per fault


def _column(title: str, kind: str, *, required: bool = False, **facts: Any) -> Any:
    """Describe a column: what it holds, whether each row must say it, its closed list."""
    metadata = {"genre": kind, "requis": required, **facts}
    return pa.Field(nullable=not required, title=title, metadata=metadata)


def _text(title: str, *, required: bool = False) -> Any:
    return _column(title, "texte", required=required)


def _number(title: str, *, required: bool = False, low: float = -np.inf) -> Any:
    return _column(title, "nombre", required=required, minimum=low)


def _choice(title: str, *choices: str, required: bool = False) -> Any:
    return _column(title, "choix", required=required, choix=choices)


class Record(pa.DataFrameModel):
    """What all tables of a contract share."""

    class Config:
        """Strict in columns: what is not described is refused."""

        strict = True


class Objectifs(Record):
    """Targets, quantified or not: what is measured, from where, to where, for when."""

    id: str = _text("Identifiant de l'objectif", required=True)
    mesure: str = _text("Ce qui est mesuré", required=True)
    orientation: str = _text("Orientation ou objectif stratégique")
    territoire: str = _text("Territoire (code ou nom)")
    operateur: str = _text("Qui en répond")
    priorite: str = _text("Priorité")
    nature: str = _choice(
        "Nature", "chiffre", "qualitatif", "reference_sans_chiffre", "reference_relative",
        required=True,
    )  # fmt: skip
    sens: str = _choice("Sens souhaité", "hausse", "baisse", "ambigu")
    comparateur: str = _choice("Comparateur", "=", ">=", ">", "<=", "<", "entre", "x")
    cible: float = _number("Cible")
    cible_max: float = _number("Cible, borne haute")
    unite: str = _text("Unité")
    reference: float = _number("Valeur de référence")
    reference_date: str = _text("Date de la référence")
    echeance: str = _text("Échéance : année, date, « annuel », « permanent » ou vide")
    indicateur: str = _text("Indicateur du baromètre, s'il y en a un")
    source: str = _text("Source")


class Observations(Record):
    """What was observed of targets, by year."""

    id: str = _text("Identifiant de l'objectif", required=True)
    annee: int = _column("Année de l'observation", "annee", required=True)
    valeur: float = _number("Valeur observée", required=True)
    borne_inf: float = _number("Borne basse de l'intervalle")
    borne_sup: float = _number("Borne haute de l'intervalle")
    source: str = _text("Source")


class Actions(Record):
    """Actions of the yearly programme, with the chain of their indicators."""

    id: str = _text("Identifiant de l'action", required=True)
    annee: int = _column("Année", "annee", required=True)
    intitule: str = _text("Intitulé", required=True)
    orientation: str = _text("Orientation", required=True)
    principe: str = _text("Principe transversal")
    echelle: str = _choice("Échelle", "agglomération", "commune", "quartier")
    commune: str = _text("Code de la commune")
    qpv: str = _text("Code du quartier")
    porteur: str = _text("Porteur", required=True)
    etat: str = _choice(
        "État", "prévue", "en cours", "réalisée", "reportée", "abandonnée", required=True
    )
    suivi_renforce: str = _choice("Suivi renforcé", "santé", "emploi", "éducation")
    beneficiaires_prevus: float = _number("Bénéficiaires prévus", low=0)
    beneficiaires: float = _number("Bénéficiaires", low=0)
    beneficiaires_femmes: float = _number("dont femmes", low=0)
    beneficiaires_qpv: float = _number("dont habitants des QPV", low=0)
    cout: float = _number("Coût, en euros", low=0)
    moyens: str = _text("Moyens")
    realisation: str = _text("Réalisation")
    resultat: str = _text("Résultat")
    impact: str = _text("Impact")


class Financements(Record):
    """Amounts: the columns of the French schema of subsidies (SCDL 2.1.1), and a review's own."""

    nomAttribuant: str = _text("Nom de l'attribuant", required=True)  # noqa: N815 - schema's name
    idAttribuant: str = _text("SIRET de l'attribuant")  # noqa: N815 - same
    dateConvention: str = _column("Date de la convention", "date")  # noqa: N815 - same
    referenceDecision: str = _text("Référence de la décision")  # noqa: N815 - same
    nomBeneficiaire: str = _text("Nom du bénéficiaire")  # noqa: N815 - same
    idBeneficiaire: str = _text("SIRET du bénéficiaire")  # noqa: N815 - same
    rnaBeneficiaire: str = _text("Numéro RNA du bénéficiaire")  # noqa: N815 - same
    objet: str = _text("Objet", required=True)
    montant: float = _number("Montant", required=True, low=0)
    nature: str = _text("Nature de la subvention (en numéraire, en nature)")
    conditionsVersement: str = _text("Conditions de versement")  # noqa: N815 - same
    datesPeriodeVersement: str = _text("Dates ou période de versement")  # noqa: N815 - same
    idRAE: str = _text("Référence au répertoire des aides")  # noqa: N815 - same
    notificationUE: str = _text("Notification à la Commission européenne")  # noqa: N815 - same
    pourcentageSubvention: float = _number("Part de la subvention", low=0)  # noqa: N815 - same
    dispositifAide: str = _text("Dispositif d'aide")  # noqa: N815 - same
    unite: str = _choice("Unité du montant", "eur", "k_eur", "M_eur")
    annee: int = _column("Année", "annee", required=True)
    orientation: str = _text("Orientation")
    credits: str = _choice(
        "Nature des crédits", "droit_commun", "specifique", "investissement", "autre", required=True
    )
    etape: str = _choice("Étape", "prévu", "engagé", "payé", required=True)
    commune: str = _text("Code de la commune")
    qpv: str = _text("Code du quartier")
    action: str = _text("Identifiant de l'action")


class Engagements(Record):
    """Commitments of partners, and what was done of them, by year."""

    id: str = _text("Identifiant de l'engagement", required=True)
    annee: int = _column("Année", "annee", required=True)
    partenaire: str = _text("Partenaire", required=True)
    engagement: str = _text("Engagement", required=True)
    type: str = _choice("Type", "cible", "moyen", "action", required=True)
    orientation: str = _text("Orientation")
    prevu: float = _number("Prévu", low=0)
    realise: float = _number("Réalisé", low=0)
    unite: str = _text("Unité")
    reponse: str = _choice("Réponse du partenaire", "tenu", "en partie", "non tenu", "sans réponse")
    commentaire: str = _text("Commentaire")


class Tfpb(Record):
    """Use of the abatement of property tax: landlord, neighbourhood, axis, action, amounts."""

    annee: int = _column("Année", "annee", required=True)
    bailleur: str = _text("Bailleur", required=True)
    qpv: str = _text("Code du quartier", required=True)
    axe: int = _column("Axe, de 1 à 8", "entier", required=True, minimum=1, maximum=8)
    action: str = _text("Action", required=True)
    nature: str = _choice("Nature", "renforcement", "specifique", required=True)
    logements: float = _number("Logements concernés", low=0)
    montant_prevu: float = _number("Montant prévu, en euros", low=0)
    montant_depense: float = _number("Montant dépensé, en euros", low=0)


RECORDS: dict[str, type[Record]] = {
    "objectifs": Objectifs,
    "observations": Observations,
    "actions": Actions,
    "financements": Financements,
    "engagements": Engagements,
    "tfpb": Tfpb,
}
"""Model of each table of a contract, by name."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "objectifs": ("id",),
    "observations": ("id", "annee"),
    "actions": ("id", "annee"),
    "engagements": ("id", "annee"),
}


def columns_of(name: str) -> dict[str, pa.Column]:
    """Return the columns of a table of a contract, in order.

    Raises
    ------
    UnknownNameError
        No table of that name.
    """
    if name not in RECORDS:
        raise UnknownNameError("nom de table", name, RECORDS)
    return dict(RECORDS[name].to_schema().columns)


def check_records(name: str, frame: pd.DataFrame, source: str | None = None) -> pd.DataFrame:
    """Return a table of a contract that satisfies its model, or refuse it with every fault.

    Parameters
    ----------
    name : str
        Name of the table: ``objectifs``, ``observations``, ``actions``, ``financements``,
        ``engagements`` or ``tfpb``.
    frame : DataFrame
        One row a fact. Texts are stripped, numbers may be written in French ("12 500,50"), choices
        may differ by case or accents, dates may be ``2025-03-21`` or ``21/03/2025``.
    source : str, optional
        Where the frame comes from (a file), for the message.

    Returns
    -------
    DataFrame
        The columns of the model in their order, those not given empty: texts, floats, years as
        ``Int64``. Rows in the order received; wholly empty rows are left out.

    Raises
    ------
    TableError
        Column unknown or absent, cell that must be filled, number, year, date or choice that
        cannot be read, key given twice, part larger than its whole: every fault, with its lines.
    UnknownNameError
        No table of that name.
    """
    columns = columns_of(name)
    title = f"table {name} refusée" + (f" ({source})" if source else "")
    if not isinstance(frame, pd.DataFrame):
        raise BarometreError(f"{title} : un DataFrame est attendu, pas {type(frame).__name__}")
    faults = [*_column_faults(frame, columns)]
    if faults:
        raise TableError(title, faults)
    rows = frame.dropna(how="all").reset_index(drop=True)
    checked = {}
    for column, described in columns.items():
        given = rows[column] if column in rows else pd.Series(pd.NA, rows.index, dtype="str")
        checked[column], found = _read(given, described)
        faults += found
        if described.metadata["requis"] and column in rows:
            faults += _empty(checked[column], column, found)
    table = pd.DataFrame(checked, index=rows.index)
    if not faults:
        faults += [*_repeated(name, table), *_contradictions(name, table)]
    if faults:
        raise TableError(title, faults)
    return table


def _column_faults(frame: pd.DataFrame, columns: Mapping[str, pa.Column]) -> Iterator[Fault]:
    twice = frame.columns[frame.columns.duplicated()].unique()
    for name in twice:
        yield Fault(str(name), "colonne en double", "n'en garder qu'une")
    for name in frame.columns.difference(list(columns)):
        yield Fault(str(name), "colonne inconnue", f"colonnes admises : {', '.join(columns)}")
    for name, column in columns.items():
        if column.metadata["requis"] and name not in frame:
            yield Fault(name, "colonne absente", f"l'ajouter ({column.title})")


# ---- cells --------------------------------------------------------------------------------------


def _folded(text: str) -> str:
    """Write a text without accents nor case, to compare choices."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold().strip()


def _as_text(values: pd.Series) -> pd.Series[str]:
    """Write cells as texts, whole numbers without decimal, blanks as missing."""
    if pd.api.types.is_float_dtype(values.dtype):
        values = values.map(lambda v: f"{v:.15g}", na_action="ignore")
    texts = values.astype("str").str.strip()
    return texts.mask(texts.isin(["", "nan", "None", "<NA>"]))


def _number_of(text: str) -> float:
    plain = re.sub(r"[\s\u00a0\u202f]", "", text).replace("\u2212", "-").replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", plain, re.IGNORECASE):
        raise ValueError(text)
    return float(plain)


def _date_of(text: str) -> str:
    for pattern in ("%Y-%m-%d", "%d/%m/%Y", "%Y-%m-%d %H:%M:%S"):
        day = pd.to_datetime(text, format=pattern, errors="coerce")
        if not pd.isna(day):
            return f"{day:%Y-%m-%d}"
    raise ValueError(text)


def _choice_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    known = {_folded(choice): choice for choice in choices}

    def choose(text: str) -> str:
        if _folded(text) not in known:
            raise ValueError(text)
        return known[_folded(text)]

    return choose


def _whole(low: int, high: int) -> Callable[[str], float]:
    def whole(text: str) -> float:
        value = _number_of(text)
        if value != int(value) or not low <= value <= high:
            raise ValueError(text)
        return value

    return whole


def _read(values: pd.Series, column: pa.Column) -> tuple[pd.Series, list[Fault]]:
    """Read the cells of a column as what it holds, and list those that cannot be."""
    facts = column.metadata
    texts = _as_text(values)
    if facts["genre"] == "texte":
        return texts, []
    reader: Callable[[str], Any]
    reader, remedy = {
        "nombre": (_number_of, "écrire un nombre"),
        "date": (_date_of, "écrire 2025-03-21 ou 21/03/2025"),
        "annee": (_whole(1900, 2100), "écrire une année en quatre chiffres"),
        "entier": (
            _whole(facts.get("minimum", 0), facts.get("maximum", 10**9)),
            f"écrire un entier de {facts.get('minimum')} à {facts.get('maximum')}",
        ),
        "choix": (
            _choice_of(facts.get("choix", ())),
            f"choisir parmi {', '.join(facts.get('choix', ()))}",
        ),
    }[facts["genre"]]
    cells: list[Any] = []
    bad = []
    for text in texts:
        try:
            cells.append(None if pd.isna(text) else reader(text))
        except ValueError:
            cells.append(None)
            bad.append(len(cells) - 1)
    kinds: dict[str, Any] = {"nombre": "float64", "annee": "Int64", "entier": "Int64"}
    read = pd.Series(cells, values.index, dtype="object").astype(kinds.get(facts["genre"], "str"))
    faults = [_fault(column.name, "illisible", remedy, texts.iloc[bad])] if bad else []
    if facts["genre"] == "nombre":
        low = read < facts.get("minimum", -np.inf)
        if low.any():
            faults.append(_fault(column.name, "négative", "vérifier la saisie", texts[low]))
    return read, faults


def _fault(column: str, what: str, remedy: str, cells: pd.Series) -> Fault:
    """Say of some cells what is wrong, with the lines as a file numbers them."""
    shown = zip(cells.index[:_SHOWN].astype("int64"), cells.iloc[:_SHOWN], strict=True)
    cases = [f"« {text} » ligne {row + 2}" for row, text in shown]
    more = " ; ..." * (len(cells) > _SHOWN)
    problem = f"{counted(len(cells), f'valeur {what}', f'valeurs {what}s')} : {' ; '.join(cases)}"
    return Fault(column, problem + more, remedy, cells.to_frame(column))


def _empty(cells: pd.Series, column: str, found: list[Fault]) -> Iterator[Fault]:
    missing = cells[cells.isna()]
    if found or missing.empty:
        return
    lines = ", ".join(str(row + 2) for row in missing.index[:_SHOWN])
    more = ", ..." * (len(missing) > _SHOWN)
    problem = f"{counted(len(missing), 'cellule vide', 'cellules vides')} (ligne {lines}{more})"
    yield Fault(column, problem, "la remplir : chaque ligne doit la dire", missing.to_frame(column))


# ---- rows ---------------------------------------------------------------------------------------


def _repeated(name: str, table: pd.DataFrame) -> Iterator[Fault]:
    """Find the rows that no key tells apart; without a key, the identical ones."""
    key = list(_KEYS.get(name, table.columns))
    twice = table[table.duplicated(key, keep=False)]
    if len(twice):
        lines = ", ".join(str(row + 2) for row in twice.index[:_SHOWN])
        what = " et ".join(key) if name in _KEYS else "ligne entière"
        yield Fault(what, f"donné en double (lignes {lines})", "n'en garder qu'une", twice)


_PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "actions": (("beneficiaires_femmes", "beneficiaires"), ("beneficiaires_qpv", "beneficiaires")),
    "observations": (("borne_inf", "valeur"), ("valeur", "borne_sup")),
    "objectifs": (("cible", "cible_max"),),
}


def _contradictions(name: str, table: pd.DataFrame) -> Iterator[Fault]:
    for part, whole in _PARTS.get(name, ()):
        broken = table[table[part] > table[whole]]
        if len(broken):
            lines = ", ".join(str(row + 2) for row in broken.index[:_SHOWN])
            yield Fault(part, f"dépasse « {whole} » (lignes {lines})", "vérifier", broken)
    if name != "objectifs":
        return
    bare = table[(table["nature"] == "chiffre") & table["cible"].isna()]
    if len(bare):
        lines = ", ".join(str(row + 2) for row in bare.index[:_SHOWN])
        yield Fault("cible", f"absente d'un objectif chiffré (lignes {lines})", "la donner", bare)
    spread = table[(table["comparateur"] == "entre") & table["cible_max"].isna()]
    if len(spread):
        yield Fault("cible_max", "absente d'une fourchette (« entre »)", "la donner", spread)
