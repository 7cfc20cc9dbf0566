"""Read one indicator card and say everything that is wrong with it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from barometre.base.errors import Fault
from barometre.cards.columns import MODELS, columns_of
from barometre.cards.schema import (
    Aggregation,
    Break,
    Card,
    Codes,
    Direction,
    Example,
    Level,
    Nature,
    Processing,
    State,
    Theme,
    Unit,
)


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

    def entries(self, field: str) -> list[Any]:
        """Take a list that may be empty."""
        if self.content.get(field) == []:
            del self.content[field]
            return []
        return list(self.take(field, list, ()))

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


def read_card(path: Path) -> tuple[Card | None, list[Fault]]:
    """Read a card, its place in the tree giving its identifier and its theme.

    Parameters
    ----------
    path : Path
        ``<theme>/<identifier>.toml``.

    Returns
    -------
    card : Card or None
        None when the file cannot be read as a card at all.
    faults : list of Fault
        Every fault found.
    """
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
        ruptures=_read_breaks(read),
        agregation=read.choice("agregation", Aggregation),
        regle_agregation=read.text("regle_agregation"),
        ecart_millesimes_max=read.number("ecart_millesimes_max"),
        lignes_contrat=read.texts("lignes_contrat"),
        entrees=inputs,
        codes=_read_codes(read),
        exemples=_read_examples(read, inputs),
        alertes=_read_breaks(read, "alertes") if "alertes" in content else (),
        reserve_favorable=read.languages("reserve_favorable")
        if "reserve_favorable" in content
        else MappingProxyType({}),
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


def _read_breaks(read: _Reader, field: str = "ruptures") -> tuple[Break, ...]:
    breaks = []
    for number, content in enumerate(read.entries(field), start=1):
        if not isinstance(content, dict):
            remedy = 'écrire { annee = 2017, motif = "..." }'
            read.fault(field, f"valeur {content!r} d'un autre type", remedy)
            continue
        one = _Reader(f"{read.place}, {field.removesuffix('s')} n° {number}", content, read.faults)
        levels = one.texts("niveaux", Level) if "niveaux" in content else ()
        breaks.append(Break(one.number("annee"), one.text("motif"), levels))
        one.end()
    return tuple(breaks)


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
