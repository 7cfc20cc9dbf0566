"""Indicator cards: one TOML file per indicator, every field required, every choice a closed list.

The file name is the identifier, the folder is the theme, and the function of that name in
``barometre.themes.<theme>`` computes it. Cards are read when asked, cached, and read-only.
"""

from __future__ import annotations

import functools
import importlib
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

import pandas as pd

from barometre.errors import CardError, Fault, UnknownNameError
from barometre.tables import MODELS, columns_of

Theme = Literal[
    "famille",
    "revenus",
    "emploi",
    "formation",
    "mobilite",
    "logement",
    "sante",
    "egalite_femmes_hommes",
    "culture_et_sport",
    "contexte",
]
Nature = Literal["part", "taux", "rapport", "ecart", "effectif", "publie"]
Unit = Literal[
    "pourcent",
    "points",
    "pour_100",
    "pour_10000",
    "euros_par_an",
    "consultations_par_an",
    "rapport",
    "nombre",
]
Direction = Literal[
    "hausse_favorable", "hausse_defavorable", "proche_de_zero", "proche_de_50", "neutre"
]
Level = Literal["iris", "commune", "qpv", "epci", "departement", "region", "france_metropolitaine"]
Aggregation = Literal["sommer", "moyenne_ponderee", "valeur_publiee"]
Processing = Literal["principale", "complementaire", "exhaustif", "autre"]
State = Literal["verifie", "non_verifie"]

THEMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "famille": ("Famille", "Family"),
        "revenus": ("Revenus", "Income"),
        "emploi": ("Emploi", "Employment"),
        "formation": ("Formation", "Education"),
        "mobilite": ("Mobilité", "Mobility"),
        "logement": ("Logement", "Housing"),
        "sante": ("Santé", "Health"),
        "egalite_femmes_hommes": ("Égalité femmes-hommes", "Gender equality"),
        "culture_et_sport": ("Culture et sport", "Culture and sport"),
        "contexte": ("Contexte", "Context"),
    }
)
UNITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "pourcent": ("%", "%"),
        "points": ("points", "points"),
        "pour_100": ("pour 100", "per 100"),
        "pour_10000": ("pour 10 000 habitants", "per 10,000 residents"),
        "euros_par_an": ("€ par an et par UC", "€ a year per CU"),
        "consultations_par_an": ("consultations par an", "consultations a year"),
        "rapport": ("rapport", "ratio"),
        "nombre": ("nombre", "number"),
    }
)


@dataclass(frozen=True)
class Codes:
    """The producer's column codes of an indicator in one family of files.

    Attributes
    ----------
    famille : str
        Family of files, as the producer names it; ``{yy}`` and ``{yyyy}`` stand for the vintage.
    niveaux : tuple of str
        Levels these files give.
    colonnes : tuple of str
        Column codes; ``{yy}`` is the two-digit vintage.
    formule : str
        The indicator written with these codes.
    etat : str
        ``"verifie"`` when the codes were seen in a real file.
    """

    famille: str
    niveaux: tuple[Level, ...]
    colonnes: tuple[str, ...]
    formule: str
    etat: State


@dataclass(frozen=True)
class Example:
    """A hand-worked case: input tables of one row and the value they must give.

    Attributes
    ----------
    nom : str
        The case in words.
    attendu : float
        The value, missing when the indicator is not defined.
    tables : mapping of str to mapping of str to float
        Values of the input columns, by table.
    """

    nom: str
    attendu: float
    tables: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Card:
    """What an indicator measures, how, from what, and how to read it.

    Attributes
    ----------
    id, theme : str
        Identifier (file name) and theme (folder).
    libelle, definition : mapping of str to str
        Label and definition, by language (``"fr"``, ``"en"``).
    nature : str
        ``part`` of a whole, ``taux`` between two fields, ``rapport``, ``ecart``, ``effectif``, or
        ``publie``: the producer's statistic, repeated as it is.
    unite, sens : str
        Unit and which way is favourable.
    decimales : int
        Decimals to print.
    bornes : tuple of float
        Limits the value cannot leave, whatever the data.
    plausible : tuple of float
        Range seen in real files; a value outside is to be looked at.
    univers, numerateur, denominateur : str
        Field of the indicator, in the producer's terms.
    source, producteur, millesime : str
        Where it comes from and how often.
    exploitation : str
        Census processing (``principale``, ``complementaire``), ``exhaustif`` for a register, else
        ``autre``: what uncertainty its value carries.
    niveaux : tuple of str
        Levels a value exists for.
    precautions : tuple of str
        What a reader must know.
    agregation, regle_agregation : str
        What to do with the parts of a union, as a choice and in words.
    ecart_millesimes_max : int
        Years by which the denominator's table may be older than the numerator's.
    lignes_contrat : tuple of str
        Lines of the contract that mention it.
    entrees : mapping of str to tuple of str
        Columns used, by table; the first table gives the index of the result.
    codes : tuple of Codes
        Producers' column codes, by family of files.
    exemples : tuple of Example
        Hand-worked cases, at least two: they are the tests.
    """

    id: str
    theme: Theme
    libelle: Mapping[str, str]
    definition: Mapping[str, str]
    nature: Nature
    unite: Unit
    sens: Direction
    decimales: int
    bornes: tuple[float, float]
    plausible: tuple[float, float]
    univers: str
    numerateur: str
    denominateur: str
    source: str
    producteur: str
    millesime: str
    exploitation: Processing
    niveaux: tuple[Level, ...]
    precautions: tuple[str, ...]
    agregation: Aggregation
    regle_agregation: str
    ecart_millesimes_max: int
    lignes_contrat: tuple[str, ...]
    entrees: Mapping[str, tuple[str, ...]]
    codes: tuple[Codes, ...]
    exemples: tuple[Example, ...]

    @property
    def fonction(self) -> Callable[..., pd.Series[float]]:
        """The function of that name in the module of the theme."""
        module = importlib.import_module(f"barometre.themes.{self.theme}")
        function: Callable[..., pd.Series[float]] = getattr(module, self.id)
        return function


def _cards_folder() -> Path:
    """Find the cards: in the installed package, or at the root of a checkout."""
    packaged = Path(__file__).parent / "_indicators"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "indicators"


@functools.cache
def load_cards(folder: Path | None = None) -> Mapping[str, Card]:
    """Read every card, by identifier, in the order of the themes.

    Parameters
    ----------
    folder : Path, optional
        Where the cards are, the bundled ones by default.

    Returns
    -------
    mapping of str to Card
        Read-only.

    Raises
    ------
    CardError
        A card lacks a field, has an unknown one, or a value outside its closed list; every fault
        of every card is listed.
    """
    folder = folder or _cards_folder()
    cards: dict[str, Card] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*/*.toml")):
        card, wrong = _read(path)
        faults += wrong
        if card is not None:
            cards[card.id] = card
    if faults:
        raise CardError(f"fiches d'indicateurs refusées ({folder.name})", faults)
    order = list(get_args(Theme))
    return MappingProxyType(
        {card.id: card for card in sorted(cards.values(), key=lambda c: order.index(c.theme))}
    )


def indicator_card(identifier: str) -> Card:
    """Return the card of an indicator.

    Parameters
    ----------
    identifier : str
        Identifier of the indicator, for instance ``"taux_logements_vacants"``.

    Returns
    -------
    Card

    Raises
    ------
    UnknownNameError
        No indicator of that name; the nearest ones are given.
    """
    cards = load_cards()
    if identifier not in cards:
        raise UnknownNameError("indicateur", identifier, cards)
    return cards[identifier]


def catalogue(lang: Literal["fr", "en"] = "fr") -> pd.DataFrame:
    """List the indicators.

    Parameters
    ----------
    lang : {"fr", "en"}
        Language of labels, themes and units.

    Returns
    -------
    DataFrame
        One row per indicator, indexed by identifier: theme, label, unit, direction, producer,
        levels (joined by ", ").
    """
    column = 0 if lang == "fr" else 1
    cards = load_cards().values()
    return pd.DataFrame(
        {
            "theme": [THEMES[c.theme][column] for c in cards],
            "libelle": [c.libelle[lang] for c in cards],
            "unite": [UNITS[c.unite][column] for c in cards],
            "sens": [c.sens for c in cards],
            "producteur": [c.producteur for c in cards],
            "niveaux": [", ".join(c.niveaux) for c in cards],
        },
        index=pd.Index([c.id for c in cards], name="indicateur"),
    )


# ---- reading one card -------------------------------------------------------------------------


class _Reader:
    """Takes fields out of a TOML table one by one and notes what is wrong with each."""

    def __init__(self, place: str, content: dict[str, Any], faults: list[Fault]) -> None:
        self.place, self.content, self.faults = place, dict(content), faults

    def fault(self, field: str, problem: str, remedy: str) -> None:
        self.faults.append(Fault(f"{self.place}, {field}", problem, remedy))

    def take(self, field: str, kind: type | tuple[type, ...], default: Any) -> Any:
        if field not in self.content:
            self.fault(field, "champ absent", "tous les champs sont obligatoires")
            return default
        value = self.content.pop(field)
        if not isinstance(value, kind) or isinstance(value, bool):
            self.fault(field, f"valeur {value!r} d'un autre type", "voir une fiche voisine")
            return default
        if value in ("", [], {}):
            self.fault(field, "champ vide", "écrire « sans objet » si rien ne s'applique")
        return value

    def text(self, field: str) -> str:
        return str(self.take(field, str, ""))

    def number(self, field: str) -> int:
        return int(self.take(field, int, 0))

    def choice(self, field: str, admitted: Any) -> Any:
        value = self.text(field)
        return self._admitted(field, value, admitted) if value else value

    def texts(self, field: str, admitted: Any = None) -> tuple[Any, ...]:
        values = self.take(field, list, ())
        if admitted is not None:
            for value in values:
                self._admitted(field, value, admitted)
        return tuple(values)

    def interval(self, field: str) -> tuple[float, float]:
        values = self.take(field, list, [0, 0])
        if len(values) != 2 or not values[0] <= values[1]:
            self.fault(field, f"{values} n'est pas un intervalle", "écrire [minimum, maximum]")
            return (0.0, 0.0)
        return (float(values[0]), float(values[1]))

    def languages(self, field: str) -> Mapping[str, str]:
        table = _Reader(f"{self.place}, {field}", self.take(field, dict, {}), self.faults)
        texts = MappingProxyType({lang: table.text(lang) for lang in ("fr", "en")})
        table.end()
        return texts

    def end(self) -> None:
        for field in self.content:
            self.fault(field, "champ inconnu", "le retirer ou corriger son nom")

    def _admitted(self, field: str, value: Any, admitted: Any) -> Any:
        if value not in get_args(admitted):
            problem = f"« {value} » hors de la liste"
            self.fault(field, problem, f"choisir parmi {', '.join(get_args(admitted))}")
        return value


def _read(path: Path) -> tuple[Card | None, list[Fault]]:
    place = f"{path.parent.name}/{path.name}"
    faults: list[Fault] = []
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [Fault(place, f"illisible ({error})", "corriger la syntaxe TOML (UTF-8)")]
    if path.parent.name not in get_args(Theme):
        wrong = f"le dossier « {path.parent.name} » n'est pas un thème"
        return None, [Fault(place, wrong, f"choisir parmi {', '.join(get_args(Theme))}")]
    read = _Reader(place, content, faults)
    inputs = _read_inputs(read)
    card = Card(
        id=path.stem,
        theme=path.parent.name,  # type: ignore[arg-type]  # admitted just above
        libelle=read.languages("libelle"),
        definition=read.languages("definition"),
        nature=read.choice("nature", Nature),
        unite=read.choice("unite", Unit),
        sens=read.choice("sens", Direction),
        decimales=read.number("decimales"),
        bornes=read.interval("bornes"),
        plausible=read.interval("plausible"),
        univers=read.text("univers"),
        numerateur=read.text("numerateur"),
        denominateur=read.text("denominateur"),
        source=read.text("source"),
        producteur=read.text("producteur"),
        millesime=read.text("millesime"),
        exploitation=read.choice("exploitation", Processing),
        niveaux=read.texts("niveaux", Level),
        precautions=read.texts("precautions"),
        agregation=read.choice("agregation", Aggregation),
        regle_agregation=read.text("regle_agregation"),
        ecart_millesimes_max=read.number("ecart_millesimes_max"),
        lignes_contrat=read.texts("lignes_contrat"),
        entrees=inputs,
        codes=_read_codes(read),
        exemples=_read_examples(read, inputs),
    )
    read.end()
    if not (card.bornes[0] <= card.plausible[0] and card.plausible[1] <= card.bornes[1]):
        read.fault("plausible", f"{card.plausible} sort des bornes {card.bornes}", "resserrer")
    return card, faults


def _read_inputs(read: _Reader) -> Mapping[str, tuple[str, ...]]:
    inputs: dict[str, tuple[str, ...]] = {}
    for table, columns in read.take("entrees", dict, {}).items():
        if table not in MODELS:
            read.fault("entrees", f"table « {table} » inconnue", f"choisir parmi {sorted(MODELS)}")
            continue
        for column in columns:
            if column not in columns_of(table):
                admitted = ", ".join(columns_of(table))
                read.fault("entrees", f"« {table}.{column} » inconnu", f"choisir parmi {admitted}")
        inputs[table] = tuple(columns)
    return MappingProxyType(inputs)


def _read_codes(read: _Reader) -> tuple[Codes, ...]:
    families = []
    for number, content in enumerate(read.take("codes", list, ()), start=1):
        one = _Reader(f"{read.place}, codes n° {number}", content, read.faults)
        families.append(
            Codes(
                famille=one.text("famille"),
                niveaux=one.texts("niveaux", Level),
                colonnes=one.texts("colonnes"),
                formule=one.text("formule"),
                etat=one.choice("etat", State),
            )
        )
        one.end()
    return tuple(families)


def _read_examples(read: _Reader, inputs: Mapping[str, tuple[str, ...]]) -> tuple[Example, ...]:
    examples = []
    for number, content in enumerate(read.take("exemple", list, ()), start=1):
        one = _Reader(f"{read.place}, exemple n° {number}", content, read.faults)
        name = one.text("nom")
        expected = float(one.take("attendu", (int, float), math.nan))
        tables = {table: one.take(table, dict, {}) for table in inputs}
        for table, columns in inputs.items():
            if tables[table] and set(tables[table]) != set(columns):
                one.fault(table, f"donne {sorted(tables[table])}", f"donner {sorted(columns)}")
        one.end()
        examples.append(Example(name, expected, MappingProxyType(tables)))
    if len(examples) < 2:
        read.fault("exemple", f"{len(examples)} exemple", "en donner au moins deux, à la main")
    return tuple(examples)
