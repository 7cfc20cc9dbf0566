"""What an indicator card holds: its fields and their closed lists."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

import pandas as pd

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
    "indice",
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
        "indice": ("indice", "index"),
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
class Break:
    """A change of definition, across which an indicator is not compared.

    Attributes
    ----------
    annee : int
        First vintage of the new definition: what is earlier is not compared with it nor with later
        ones.
    motif : str
        What changed.
    niveaux : tuple of str
        Levels concerned; empty when all are.
    """

    annee: int
    motif: str
    niveaux: tuple[Level, ...]


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
    ruptures : tuple of Break
        Changes of definition; most cards have none.
    alertes : tuple of Break
        Changes that the producer signals without a new definition: a comparison across one is not
        refused, and says it. An optional field.
    reserve_favorable : mapping of str to str
        Why the favourable side is no good news by itself, by language: charts leave it uncoloured,
        and say it. An optional field.
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
    ruptures: tuple[Break, ...]
    agregation: Aggregation
    regle_agregation: str
    ecart_millesimes_max: int
    lignes_contrat: tuple[str, ...]
    entrees: Mapping[str, tuple[str, ...]]
    codes: tuple[Codes, ...]
    exemples: tuple[Example, ...]
    alertes: tuple[Break, ...] = ()
    reserve_favorable: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def fonction(self) -> Callable[..., pd.Series[float]]:
        """The function of that name in the module of the theme."""
        module = importlib.import_module(f"barometre.themes.{self.theme}")
        function: Callable[..., pd.Series[float]] = getattr(module, self.id)
        return function
