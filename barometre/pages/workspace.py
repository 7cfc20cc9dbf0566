"""A working folder and its ``barometre.toml``: the territory, its references, sources, thresholds.

What a key means is written once, on the field that holds it: the file that `init_folder` writes,
the keys that `load_config` admits and their checks all come from there.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import pandas as pd
import tomli_w

from barometre.base.arguments import is_number
from barometre.base.errors import BarometreError, Fault, FaultsError
from barometre.base.files import write_text
from barometre.datasets.places.bundle import LATEST, YEARS
from barometre.datasets.places.gazetteer import resolve
from barometre.datasets.places.territory import Selection, selection
from barometre.engine.sampling import SurveyDesign
from barometre.tables.codes import level_of

FILE = "barometre.toml"
Language = Literal["fr", "en"]
OnError = Literal["refuser", "ignorer"]
SameCell = Literal["refuser", "recente"]

Check = Callable[[Any], bool]
Section = TypeVar("Section")
_WIDTH = 92


def _key(admitted: str, check: Check, said: str, example: Any = None) -> dict[str, Any]:
    """Describe a key: what is admitted, in words and as a test, what it means, an example."""
    return {"admis": admitted, "check": check, "sens": said, "exemple": example}


def _text(value: object) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(_text(one) for one in value)


def _text_or_texts(value: object) -> bool:
    return _text(value) or _texts(value)


def _among(kind: Any) -> Check:
    return lambda value: value in get_args(kind)


def _between(low: float, high: float) -> Check:
    return lambda value: is_number(value) and low < value < high


def _whole(low: int) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= low


def _share(value: object) -> bool:
    return is_number(value) and 0 <= value < 1


_NAMES = "un code ou un nom, ou une liste"


@dataclass(frozen=True)
class Territory:
    """Section ``[territoire]``: what the barometer is about."""

    epci: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            _NAMES,
            _text_or_texts,
            "EPCI (ou EPT) : ses communes, ses IRIS, ses quartiers prioritaires.",
            "200042190",
        ),
    )
    departement: tuple[str, ...] = field(
        default=(), metadata=_key(_NAMES, _text_or_texts, "Départements, de même.", "59")
    )
    commune: tuple[str, ...] = field(
        default=(),
        metadata=_key(_NAMES, _text_or_texts, "Communes, avec leurs IRIS et quartiers.", "59172"),
    )
    quartier: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            _NAMES, _text_or_texts, "Quartiers prioritaires, de 2015 ou de 2024.", "QN05950M"
        ),
    )
    zones: str | None = field(
        default=None,
        metadata=_key(
            "un fichier CSV",
            _text,
            "Fichier de codes quelconques (colonne « code »), dont vos propres regroupements.",
            "zones.csv",
        ),
    )
    appartenances: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            "un fichier, ou une liste",
            _text_or_texts,
            "Fichiers d'appartenance qui priment sur ceux du paquet : table des communes de"
            " l'Insee, liste des quartiers prioritaires.",
            "sources/communes_epci.csv",
        ),
    )
    millesime: int | None = field(
        default=None,
        metadata=_key(
            f"une année, de {YEARS[0]} à {LATEST}",
            lambda year: isinstance(year, int) and year in YEARS,
            "Année des appartenances fournies (géographie au 1er janvier) ; la dernière par"
            " défaut.",
            LATEST,
        ),
    )


@dataclass(frozen=True)
class Comparison:
    """Section ``[references]``: what the territory is compared with."""

    codes: tuple[str, ...] = field(
        default=(),
        metadata=_key(
            _NAMES,
            _text_or_texts,
            "Territoires de comparaison ; par défaut l'EPCI, ses quartiers réunis, le département,"
            " la région et la France métropolitaine.",
            ["200042190", "59", "METRO"],
        ),
    )


@dataclass(frozen=True)
class Sources:
    """Section ``[sources]``: where the files are, and what becomes of those that are faulty."""

    dossier: str = field(
        default="sources",
        metadata=_key("un dossier", _text, "Dossier des fichiers téléchargés."),
    )
    fichier_fautif: OnError = field(
        default="refuser",
        metadata=_key(
            "« refuser » ou « ignorer »",
            _among(OnError),
            "Fichier reconnu mais fautif : « refuser » arrête tout ; « ignorer » le liste et"
            " continue.",
        ),
    )
    valeurs_differentes: SameCell = field(
        default="refuser",
        metadata=_key(
            "« refuser » ou « recente »",
            _among(SameCell),
            "La même case donnée avec deux valeurs : « refuser », ou garder l'édition « recente ».",
        ),
    )


@dataclass(frozen=True)
class Outputs:
    """Section ``[sorties]``: language of what is written."""

    langue: Language = field(
        default="fr",
        metadata=_key(
            "« fr » ou « en »",
            _among(Language),
            "Langue des classeurs et des pages ; les colonnes et les notes restent en français.",
        ),
    )


@dataclass(frozen=True)
class Editions:
    """Section ``[editions]``: what is kept from one year to the next."""

    dossier: str = field(
        default="editions",
        metadata=_key("un dossier", _text, "Dossier des éditions, une par année."),
    )
    suivi: str = field(
        default="suivi",
        metadata=_key(
            "un dossier", _text, "Dossier du suivi du contrat : actions, objectifs, crédits."
        ),
    )
    annee: int | None = field(
        default=None,
        metadata=_key(
            "une année",
            _whole(1990),
            "Année de la revue et de l'édition en cours ; par défaut celle de la dernière donnée"
            " suivie, et de la date de l'édition.",
            LATEST,
        ),
    )


@dataclass(frozen=True)
class Thresholds:
    """Section ``[seuils]``: the conventions of the calculations."""

    secret: int = field(
        default=11,
        metadata=_key(
            "un entier d'au moins 2",
            _whole(2),
            "Un effectif de personnes inférieur est masqué (suppress, monitor).",
        ),
    )
    proche: float = field(
        default=0.05,
        metadata=_key(
            "un nombre de 0 à 1 exclu",
            _share,
            "Écart relatif jusqu'auquel une valeur est « proche » de la référence (0.05 : 5 %).",
        ),
    )
    confiance: float = field(
        default=0.95,
        metadata=_key(
            "un nombre entre 0 et 1",
            _between(0, 1),
            "Niveau de confiance des intervalles, et des rangs.",
        ),
    )
    effet_plan_menages: float = field(
        default=1.5,
        metadata=_key(
            "un nombre positif",
            _between(0, math.inf),
            "Effet de plan supposé des parts de ménages au recensement.",
        ),
    )
    effet_plan_personnes: float = field(
        default=2.0,
        metadata=_key(
            "un nombre positif",
            _between(0, math.inf),
            "Effet de plan supposé des parts de personnes au recensement.",
        ),
    )


@dataclass(frozen=True)
class Config:
    """What a working folder says of the barometer that is made in it.

    Attributes
    ----------
    dossier : Path
        The folder; the paths of the sections start from it.
    territoire, references, sources, sorties, editions, seuils
        The sections of ``barometre.toml``: `Territory`, `Comparison`, `Sources`, `Outputs`,
        `Editions`, `Thresholds`.
    """

    dossier: Path
    territoire: Territory = Territory()
    references: Comparison = Comparison()
    sources: Sources = Sources()
    sorties: Outputs = Outputs()
    editions: Editions = Editions()
    seuils: Thresholds = Thresholds()

    def path(self, name: str) -> Path:
        """Return a path that the file gives, from the folder.

        Parameters
        ----------
        name : str
            Path, relative to the folder or absolute.

        Returns
        -------
        Path
        """
        return self.dossier / name

    def place(self, found: Sequence[pd.DataFrame] = ()) -> Selection:
        """Return the territory of the folder, as `selection` describes it.

        Parameters
        ----------
        found : sequence of DataFrame, optional
            Memberships that lie among the sources; those that the file names win over them.

        Returns
        -------
        Selection
        """
        chosen = self.territoire
        place = selection(
            epci=chosen.epci or None,
            dep=chosen.departement or None,
            commune=chosen.commune or None,
            qpv=chosen.quartier or None,
            zones=self.path(chosen.zones) if chosen.zones else None,
            membership=[*found, *(self.path(name) for name in chosen.appartenances)] or None,
            vintage=chosen.millesime,
        )
        if not self.references.codes:
            return place
        return compared_with(place, self.references.codes, alone=True)

    def plain(self) -> dict[str, dict[str, Any]]:
        """Return the sections as plain values, those that say nothing left out."""
        return {
            name: {key: _plain(value) for key, value in vars(getattr(self, name)).items()
                   if value not in (None, ())}
            for name in _SECTIONS
        }  # fmt: skip

    @property
    def design(self) -> SurveyDesign:
        """What is assumed of the census sample, and the level of the intervals."""
        given = self.seuils
        return SurveyDesign(
            given.effet_plan_menages, given.effet_plan_personnes, level=given.confiance
        )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def compared_with(place: Selection, names: Iterable[str], *, alone: bool) -> Selection:
    """Return a territory with the references named, so that what is read keeps them.

    Parameters
    ----------
    place : Selection
        The territory.
    names : iterable of str
        Codes or names of references.
    alone : bool
        The references named are the only ones; else they come after those there are, and a name
        that is of no territory known here is left to what reads the results.

    Returns
    -------
    Selection

    Raises
    ------
    BarometreError
        Unknown names, with the nearest ones: every one (``alone``).
    """
    own = {code for codes in place.codes.values() for code in codes}
    known = {code for codes in place.references.values() for code in codes}
    found, refusals = [] if alone else [c for codes in place.references.values() for c in codes], []
    for name in names:
        try:
            held = name in own | known or name.startswith(("ENSQP_", "ENSQN_"))
            found.append(name if held else resolve(name, vintage=place.members.vintage))
        except BarometreError as error:
            refusals.append(str(error))
    if refusals and alone:
        raise BarometreError(f"{FILE}, references.codes : " + "\n".join(refusals))
    levels: dict[str, tuple[str, ...]] = {}
    for code in dict.fromkeys(found):
        level = next((lvl for lvl, codes in place.references.items() if code in codes), "")
        level = level or level_of(code)
        levels[level] = (*levels.get(level, ()), code)
    return dataclasses.replace(place, references=MappingProxyType(levels))


_SECTIONS: Mapping[str, type] = {
    part.name: kind
    for part, kind in zip(
        dataclasses.fields(Config)[1:],
        (Territory, Comparison, Sources, Outputs, Editions, Thresholds),
        strict=True,
    )
}
_TITLES = {
    "territoire": "Le territoire. Un code, ou un nom s'il est sans homonyme.",
    "references": "À quoi il est comparé.",
    "sources": "Les fichiers des producteurs.",
    "sorties": "Ce qui est écrit.",
    "editions": "Ce qui est gardé d'une année à l'autre.",
    "seuils": "Les conventions de calcul.",
}


def init_folder(
    folder: str | Path,
    *,
    epci: str | None = None,
    dep: str | None = None,
    commune: str | list[str] | None = None,
) -> Path:
    """Create a working folder: ``barometre.toml``, ``sources/``, ``suivi/`` and ``editions/``.

    Parameters
    ----------
    folder : str or Path
        Folder, created when it does not exist; files that are there already are left alone.
    epci, dep, commune : str, optional
        Territory, by code or name; one at least.

    Returns
    -------
    Path
        The file ``barometre.toml``, in which every key is explained.

    Raises
    ------
    BarometreError
        A territory that is unknown, or none; a folder that has a ``barometre.toml`` already.
    """
    path = Path(folder) / FILE
    if path.exists():
        raise BarometreError(f"{path} existe déjà ; le modifier, ou choisir un autre dossier")
    place = selection(epci=epci, dep=dep, commune=commune)
    text = config_text({"territoire": dict(place.demandes)}, title=place.titre)
    for name in (Sources().dossier, Editions().suivi, Editions().dossier):
        (path.parent / name).mkdir(parents=True, exist_ok=True)
    return write_text(path, text)


def config_text(given: Mapping[str, Mapping[str, Any]], *, title: str = "") -> str:
    """Write a ``barometre.toml`` in which every key is explained.

    Parameters
    ----------
    given : mapping of str to mapping
        Values by section and key; a key that has neither value nor default is shown commented out.
    title : str, optional
        What the file is for, in its first line.

    Returns
    -------
    str
    """
    parts = [_comment(f"Baromètre de Cohésion Sociale : {title}".rstrip(" :"))]
    for section, kind in _SECTIONS.items():
        parts.append(f"\n{_comment(_TITLES[section])}[{section}]\n")
        for key in dataclasses.fields(kind):
            value = given.get(section, {}).get(key.name, key.default)
            value = list(value) if isinstance(value, tuple) else value
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            absent = value is None or value == []
            line = tomli_w.dumps({key.name: key.metadata["exemple"] if absent else value})
            # a list takes several lines: one comment mark each
            line = textwrap.indent(line, "# ") if absent else line
            parts.append(_comment(key.metadata["sens"]) + line)
    return "".join(parts)


def _comment(text: str) -> str:
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    lines = textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")
    return "\n".join(lines) + "\n"


# ---- reading ------------------------------------------------------------------------------------


def find_config(folder: str | Path = ".") -> Path | None:
    """Return the ``barometre.toml`` of a folder, or of the nearest one above it, or None."""
    start = Path(folder).resolve()
    return next((f / FILE for f in (start, *start.parents) if (f / FILE).is_file()), None)


def current_config() -> Config:
    """Return what the working folder that a command is run in says, else the defaults."""
    found = find_config()
    return Config(dossier=Path()) if found is None else load_config(found)


def load_config(path: str | Path) -> Config:
    """Read a ``barometre.toml``.

    Parameters
    ----------
    path : str or Path
        The file, or its folder.

    Returns
    -------
    Config
        What is absent has its default.

    Raises
    ------
    BarometreError
        No file, or one that is no TOML.
    FaultsError
        Unknown sections and keys, with the nearest ones, and values that are not admitted: every
        one of them.
    """
    file = Path(path) / FILE if Path(path).is_dir() else Path(path)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        remedy = "le créer par « barometre init », ou vérifier le chemin"
        raise BarometreError(f"{file} : illisible ({error.strerror}) ; {remedy}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BarometreError(
            f"{file} : illisible ({error}) ; corriger la syntaxe TOML (UTF-8)"
        ) from error
    faults = list(_faults(content))
    if faults:
        raise FaultsError(f"{file} refusé", faults)
    sections: dict[str, Any] = {
        name: _section(kind, content.get(name, {})) for name, kind in _SECTIONS.items()
    }
    return Config(dossier=file.parent, **sections)


def _faults(content: Mapping[str, Any]) -> Iterator[Fault]:
    for name, values in content.items():
        if name not in _SECTIONS:
            yield Fault(name, "section inconnue", _nearest(name, [f"[{s}]" for s in _SECTIONS]))
            continue
        if not isinstance(values, Mapping):
            yield Fault(name, "c'est une section", f"écrire [{name}] puis ses clés")
            continue
        fields = {key.name: key for key in dataclasses.fields(_SECTIONS[name])}
        for key, value in values.items():
            place = f"{name}.{key}"
            if key not in fields:
                yield Fault(place, "clé inconnue", _nearest(key, list(fields)))
            elif not fields[key].metadata["check"](value):
                given = tomli_w.dumps({"x": value}).removeprefix("x = ").strip()
                yield Fault(place, f"{given} refusé", f"donner {fields[key].metadata['admis']}")


def _nearest(name: str, admitted: list[str]) -> str:
    near = difflib.get_close_matches(name, admitted, n=1, cutoff=0.5)
    known = ", ".join(admitted)
    return f"vouliez-vous dire « {near[0]} » ?" if near else f"choisir parmi {known}"


def _section(kind: type[Section], values: Mapping[str, Any]) -> Section:
    """Build a section; one text where several may be given is a list of one."""
    hints = get_type_hints(kind)
    return kind(
        **{
            key: _listed(value) if get_origin(hints[key]) is tuple else value
            for key, value in values.items()
        }
    )


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
