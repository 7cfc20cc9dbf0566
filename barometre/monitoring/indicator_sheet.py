"""The indicator of an action, read before it is used: what is missing, what is ill-defined.

A project holder writes a small TOML file; each fault is named once, in plain French, with a
corrected example. What is judged is the definition, never the action.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from barometre.base.errors import BarometreError, Fault, UnknownNameError
from barometre.base.face import Face
from barometre.base.french import Lang
from barometre.monitoring.words import english

FIELDS: Mapping[str, str] = {
    "nom": "Nom de l'indicateur",
    "population": "Qui est compté : quelles personnes, où, quand",
    "numerateur": "Ce qui est compté",
    "denominateur": "Sur combien ; « aucun » pour un simple nombre",
    "unite": "Unité : %, nombre, euros, jours...",
    "sens": "Sens souhaité : hausse ou baisse",
    "source": "D'où vient la donnée, et qui la relève",
    "frequence": "Quand elle est relevée : mensuelle, trimestrielle, annuelle...",
    "reference": "Valeur de départ, et son année",
    "cible": "Valeur visée",
    "echeance": "Année ou date pour la cible",
    "effectif_attendu": "Combien de personnes, à peu près, dans la plus petite case publiée",
}
"""The fields of a sheet, and what each must say."""

EXAMPLE = """\
nom = "Taux d'accès à l'emploi à six mois"
population = "participants habitant un QPV de Denain, entrés dans l'action en 2025"
numerateur = "participants en emploi ou en formation six mois après l'entrée"
denominateur = "participants entrés dans l'action depuis six mois ou plus"
unite = "%"
sens = "hausse"
source = "fichier de suivi du porteur, rempli par la référente de parcours"
frequence = "semestrielle"
reference = { valeur = 32, annee = 2024 }
cible = 40
echeance = 2027
effectif_attendu = 45
"""
"""A sheet without fault."""

SMALL = 11
"""Number of people under which a published figure may tell who is in it."""

_FREQUENCIES = (
    *("mensuelle", "trimestrielle", "semestrielle", "annuelle", "en continu"),
    *("à l'entrée et à la sortie", "unique"),
)
_VAGUE = re.compile(
    r"\b(divers|plusieurs|certains|nombreux|etc|quelques|beaucoup|publics? concernés?|"
    r"tous? publics?|autres publics|à (?:définir|préciser|déterminer|voir|compléter)|"
    r"(?:un|le) maximum|le plus (?:grand nombre|possible)|selon (?:les )?besoins|mieux|"
    r"améliorer|favoriser|renforcer|"
    r"sensibiliser|satisfaisant|suffisant)\b",
    re.IGNORECASE,
)
_NONE = re.compile(
    r"\s*(aucune?|sans objet|sans(?: dénominateur)?|pas de dénominateur|néant|non)\s*",
    re.IGNORECASE,
)
_SHARE = re.compile(r"%|‰|pour ?cent|\bpour (?:mille|1\s?0+)|\bpart\b|\btaux\b", re.IGNORECASE)
_PERCENT = re.compile("%|pour ?cent", re.IGNORECASE)


@dataclass(frozen=True)
class SheetReport(Face):
    """What is said of a sheet.

    Attributes
    ----------
    fichier : str
        The sheet.
    defauts : tuple of Fault
        Each fault once: its field, what is wrong, how to write it.
    exemple : str
        A corrected example; empty when there is nothing to correct.
    """

    fichier: str
    defauts: tuple[Fault, ...]
    exemple: str

    @property
    def ok(self) -> bool:
        """Tell whether nothing is missing nor ill-defined."""
        return not self.defauts

    @property
    def table(self) -> pd.DataFrame:
        """What to correct, a row each: ``champ``, ``probleme``, ``remede``."""
        said = [(fault.lieu, fault.probleme, fault.remede) for fault in self.defauts]
        return pd.DataFrame(said, columns=["champ", "probleme", "remede"], dtype="str")

    def sentences(self) -> list[str]:
        """Say in French what is wrong, the example left out."""
        return self._said("fr").splitlines()

    def summary(self, lang: Lang = "fr") -> str:
        """Say it in plain words, with a corrected example.

        Parameters
        ----------
        lang : {"fr", "en"}, default "fr"
            Language; a sheet itself is written in French.

        Returns
        -------
        str
        """
        if self.ok:
            return self._said(lang)
        right = "A sheet without fault:" if lang == "en" else "Exemple sans défaut :"
        return f"{self._said(lang)}\n\n{right}\n\n{self.exemple}"

    def _said(self, lang: Lang) -> str:
        number = len(self.defauts)
        if lang == "en":
            if self.ok:
                return f"{self.fichier}: complete and well defined"
            title = f"{self.fichier}: {number} point{'s' if number > 1 else ''} to correct"
            return title + "".join(
                f"\n  - {fault.lieu}: {english(fault.probleme)}; {english(fault.remede)}"
                for fault in self.defauts
            )
        if self.ok:
            return f"{self.fichier} : indicateur complet et bien défini"
        title = f"{self.fichier} : {number} point{'s' if number > 1 else ''} à reprendre"
        return title + "".join(f"\n  - {fault}" for fault in self.defauts)


def check_indicator(sheet: str | Path | Mapping[str, Any]) -> SheetReport:
    """Say what is missing or ill-defined in the indicator of an action.

    Parameters
    ----------
    sheet : str, Path or mapping
        A TOML file, or its content: the fields of `FIELDS`.

    Returns
    -------
    SheetReport
        Each fault once, in the order of the fields, and a corrected example.

    Raises
    ------
    BarometreError
        A file that cannot be read.
    UnknownNameError
        A field that there is not.
    """
    name, content = _content(sheet)
    for field in content:
        if field not in FIELDS:
            raise UnknownNameError(f"champ de {name}", str(field), FIELDS)
    content = {field: _plain(field, value) for field, value in content.items()}
    faults: list[Fault] = []
    for field, about in FIELDS.items():
        value = content.get(field)
        if value is None or (isinstance(value, str) and not value.strip()):
            faults.append(Fault(field, "absent", f"dire : {about[0].lower()}{about[1:]}"))
        else:
            faults += [*_CHECKS[field](value, content)][:1]
    faults += _between(content, {fault.lieu for fault in faults})
    order = list(FIELDS)
    faults.sort(key=lambda fault: order.index(fault.lieu))
    return SheetReport(name, tuple(faults), EXAMPLE if faults else "")


def _plain(field: str, value: Any) -> Any:
    """Write a word of a closed list as the list does: « Hausse » is « hausse »."""
    closed = field in ("sens", "frequence") and isinstance(value, str)
    return value.strip().casefold() if closed else value


def _content(sheet: str | Path | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if isinstance(sheet, Mapping):
        return "fiche", sheet
    path = Path(sheet)
    try:
        return path.name, tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BarometreError(f"fiche {path.name} introuvable : vérifier le chemin") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BarometreError(
            f'fiche {path.name} illisible : {error} ; écrire « champ = "valeur" », en UTF-8'
        ) from error


# ---- one field ----------------------------------------------------------------------------------

Check = Callable[[Any, Mapping[str, Any]], Iterator[Fault]]


def _worded(field: str, least: int) -> Check:
    """Check a text: long enough to define something, without a word that defines nothing."""

    def check(value: Any, _content: Mapping[str, Any]) -> Iterator[Fault]:
        if not isinstance(value, str):
            yield Fault(field, f"« {value} » n'est pas un texte", "l'écrire entre guillemets")
            return
        if vague := _VAGUE.search(value):
            remedy = "dire précisément qui ou quoi, pour que deux personnes comptent pareil"
            yield Fault(field, f"« {vague[0]} » ne définit rien", remedy)
        elif len(value.split()) < least:
            about = FIELDS[field]
            yield Fault(
                field, f"« {value} » ne suffit pas", f"dire : {about[0].lower()}{about[1:]}"
            )

    return check


def _denominator(value: Any, content: Mapping[str, Any]) -> Iterator[Fault]:
    if isinstance(value, str) and _NONE.fullmatch(value):
        if _SHARE.search(str(content.get("unite", ""))):
            yield Fault("denominateur", "absent d'une part ou d'un taux", "dire sur combien")
        return
    yield from _worded("denominateur", 2)(value, content)


def _unit(value: Any, content: Mapping[str, Any]) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(
            "unite", f"« {value} » n'est pas une unité", "écrire %, nombre, euros, jours..."
        )
        return
    yield from _worded("unite", 1)(value, content)


def _way(value: Any, _content: Mapping[str, Any]) -> Iterator[Fault]:
    if value not in ("hausse", "baisse"):
        yield Fault("sens", f"« {value} » n'est pas un sens", "écrire « hausse » ou « baisse »")


def _frequency(value: Any, _content: Mapping[str, Any]) -> Iterator[Fault]:
    if value not in _FREQUENCIES:
        remedy = f"choisir parmi {', '.join(_FREQUENCIES)}"
        yield Fault("frequence", f"« {value} » n'est pas une fréquence", remedy)


def _reference(value: Any, _content: Mapping[str, Any]) -> Iterator[Fault]:
    form = "écrire reference = { valeur = 32, annee = 2024 }"
    if not isinstance(value, Mapping):
        yield Fault("reference", "sans année" if _number(value) else "illisible", form)
    elif not _number(value.get("valeur")):
        yield Fault("reference", "sans valeur", form)
    elif _year(value.get("annee")) is None:
        yield Fault("reference", "sans année", form)


def _target(value: Any, _content: Mapping[str, Any]) -> Iterator[Fault]:
    if not _number(value):
        yield Fault("cible", f"« {value} » n'est pas un nombre", "écrire la valeur visée, seule")


def _due(value: Any, _content: Mapping[str, Any]) -> Iterator[Fault]:
    if _year(value) is None:
        yield Fault("echeance", f"« {value} » n'est pas une date", "écrire 2027 ou 30/06/2027")


def _expected(value: Any, _content: Mapping[str, Any]) -> Iterator[Fault]:
    if not _number(value) or value < 0 or value != int(value):
        remedy = "écrire un nombre entier"
        yield Fault("effectif_attendu", f"« {value} » n'est pas un effectif", remedy)
    elif value < SMALL:
        remedy = "regrouper les quartiers, les années ou les publics avant de publier"
        problem = f"{value} personnes : à moins de {SMALL}, on peut reconnaître quelqu'un"
        yield Fault("effectif_attendu", problem, remedy)


_CHECKS: Mapping[str, Check] = {
    "nom": _worded("nom", 2),
    "population": _worded("population", 3),
    "numerateur": _worded("numerateur", 2),
    "denominateur": _denominator,
    "unite": _unit,
    "sens": _way,
    "source": _worded("source", 2),
    "frequence": _frequency,
    "reference": _reference,
    "cible": _target,
    "echeance": _due,
    "effectif_attendu": _expected,
}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _year(value: Any) -> int | None:
    """Read the one year of a date: 2027, 2027-06-30, 30/06/2027, « juin 2027 »."""
    found = set(re.findall(r"(?<!\d)(?:19|20)\d{2}(?!\d)", str(value)))
    return int(found.pop()) if len(found) == 1 else None


# ---- between fields -----------------------------------------------------------------------------


def _between(content: Mapping[str, Any], faulty: set[str]) -> Iterator[Fault]:
    """Find fields that contradict one another, where each is well written."""
    target, reference = content.get("cible"), content.get("reference")
    if "unite" not in faulty and _PERCENT.search(str(content["unite"])):
        numbers = {"cible": target}
        if isinstance(reference, Mapping):
            numbers["reference"] = reference.get("valeur")
        for field, value in numbers.items():
            if field not in faulty and not 0 <= float(str(value)) <= 100:
                yield Fault(field, f"{value} n'est pas un pourcentage", "écrire de 0 à 100")
                faulty = faulty | {field}
    if not {"cible", "reference", "sens"} & faulty:
        assert isinstance(reference, Mapping)
        start = reference["valeur"]
        wrong = target <= start if content["sens"] == "hausse" else target >= start
        if wrong:
            problem = (
                f"{target} alors que la référence est {start} et le sens « {content['sens']} »"
            )
            yield Fault("cible", problem, "corriger la cible, la référence ou le sens")
    if not {"echeance", "reference"} & faulty:
        assert isinstance(reference, Mapping)
        since, due = _year(reference["annee"]), _year(content["echeance"])
        assert since is not None
        assert due is not None
        if due <= since:
            yield Fault("echeance", f"{due} n'est pas après la référence ({since})", "la corriger")
    if not {"numerateur", "denominateur"} & faulty and (
        str(content["numerateur"]).strip().casefold()
        == str(content["denominateur"]).strip().casefold()
    ):
        yield Fault("denominateur", "identique au numérateur", "dire sur combien")
