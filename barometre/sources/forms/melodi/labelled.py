"""The catalogue's export "with labels": names of territories for codes, words for dimensions.

It holds no code. Dimensions are translated word for word; territories take the codes of the lists
of names read beside it, else of the bundled communes, EPCI, departments and regions of France. A
name that two territories bear is refused.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from barometre import datasets
from barometre.base.errors import Fault, FaultsError, counted
from barometre.sources.file_report import Reading
from barometre.sources.files.text import Source, stem_of
from barometre.sources.forms.melodi.cubes import LEVELS, Cube, find_cube, unread
from barometre.sources.forms.melodi.long_files import reading_of
from barometre.sources.kind import Beside, Kind, Waiting
from barometre.tables.codes import level_of

Names = Mapping[tuple[str, str], frozenset[str]]
"""Codes by level and folded name."""

_KEYS = frozenset({"GEO", "GEO_OBJECT", "TIME_PERIOD", "OBS_VALUE"})
_AGES = (
    (re.compile(r"de (\d+) a (\d+) ans"), r"Y\1T\2"),
    (re.compile(r"(\d+) ans (?:ou|et) plus"), r"Y_GE\1"),
    (re.compile(r"moins de (\d+) ans?"), r"Y_LT\1"),
    (re.compile(r"(\d+) ans?"), r"Y\1"),
)
_YEARS = (
    (re.compile(r"de (\d{4}) a (\d{4}|aaaa)"), r"Y\1T\2"),
    (re.compile(r"avant (\d{4})"), r"Y_LT\1"),
)
_RULES = {"AGE": _AGES, "BUILD_END": _YEARS}
_NATURES = re.compile(
    r"^(?:communaute d'agglomeration|communaute de communes|communaute urbaine|"
    r"metropole|ca|cc|cu) (?:de la |de l'|du |des |de |d')?"
)
_ARTICLE = re.compile(r"^(.*) \((l[ea]s?|l')\)$")
_SHOWN = 5


def folded(text: str) -> str:
    """Fold a label: no accent, capital, typographic apostrophe nor useless space."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("œ", "oe"))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(kept.casefold().split())


@functools.cache
def _words() -> tuple[Mapping[str, str], Mapping[str, Mapping[str, str]]]:
    content = tomllib.loads((Path(__file__).parent / "labels.toml").read_text(encoding="utf-8"))
    columns = {folded(label): name for label, name in content["colonnes"].items()}
    codes = {
        name: MappingProxyType({folded(label): code for label, code in labels.items()})
        for name, labels in content["codes"].items()
    }
    return MappingProxyType(columns), MappingProxyType(codes)


def code_of(dimension: str, label: str) -> str:
    """Translate a label; one that is not known is given back, and is no code of any data set.

    Examples
    --------
    >>> code_of("AGE", "De 15 à 64 ans"), code_of("TSH", "Total")
    ('Y15T64', '_T')
    """
    word = folded(label)
    known = _words()[1].get(dimension, {}).get(word)
    if known is not None or word in ("total", "hors champ", ""):
        return known or {"total": "_T", "hors champ": "_Z", "": ""}[word]
    for shape, written in _RULES.get(dimension, ()):
        hit = shape.fullmatch(word)
        if hit:
            return hit.expand(written).replace("aaaa", "AAAA")
    return label


# ---- recognition --------------------------------------------------------------------------------


def _coded_header(header: Sequence[str]) -> tuple[str, ...]:
    columns = _words()[0]
    return tuple(columns.get(folded(name), name) for name in header)


def _recognise(header: Sequence[str], nom: str) -> Waiting | None:
    coded = _coded_header(header)
    if not set(coded) >= _KEYS or set(header) & _KEYS:
        return None
    cube = find_cube(coded, stem_of(nom))
    return Waiting("melodi_libelles", cube.nom if cube else "", partial(_read, cube))


LABELLED = Kind("melodi_libelles", _recognise)


# ---- names --------------------------------------------------------------------------------------


def names_of(territories: pd.DataFrame) -> Names:
    """List the names of territories.

    Parameters
    ----------
    territories : DataFrame
        ``libelle``, ``libelle_court`` and ``niveau`` by code, as in `Tables.territoires`.

    Returns
    -------
    mapping of tuple to frozenset of str
        Codes, by level and folded name.
    """
    found: dict[tuple[str, str], set[str]] = {}
    columns = (territories[name] for name in ("niveau", "libelle", "libelle_court"))
    for code, told, *labels in zip(territories.index, *columns, strict=True):
        level = told if isinstance(told, str) and told else level_of(str(code))
        for label in labels:
            if isinstance(label, str) and label and label != code:
                for name in _spellings(label, level):
                    found.setdefault((level, name), set()).add(str(code))
    return MappingProxyType({key: frozenset(codes) for key, codes in found.items()})


@functools.cache
def _of_france() -> Names:
    """List the names of the bundled territories."""
    communes = datasets.load("communes").frame[["code", "nom"]].assign(niveau="commune")
    wholes = datasets.load("ensembles_de_communes").frame
    level = wholes["nature"].where(wholes["nature"].isin(["departement", "region"]), "epci")
    known = pd.concat([communes, wholes[["code", "nom"]].assign(niveau=level)])
    known = known.rename(columns={"nom": "libelle"}).drop_duplicates().set_index("code")
    return names_of(known.assign(libelle_court=known["libelle"]))


def _spellings(label: str, level: str) -> set[str]:
    word = folded(label)
    hit = _ARTICLE.fullmatch(word)
    if hit:
        word = f"{hit[2]} {hit[1]}".replace("l' ", "l'")
    return {word, _NATURES.sub("", word)} if level == "epci" else {word}


def _codes_by_name(
    source: Source, labels: Sequence[tuple[str, str]], names: Names
) -> tuple[dict[tuple[str, str], str], list[str]]:
    """Give the code of each territory of a file; homonyms refuse it, so do names all unknown."""
    found: dict[tuple[str, str], str] = {}
    twice, unknown = [], []
    for object_, label in labels:
        level = LEVELS[object_]
        if level == "france_metropolitaine":
            found[object_, label] = "FM" if folded(label) == "france metropolitaine" else "F"
            continue
        keys = [(level, spelling) for spelling in sorted(_spellings(label, level))]
        lists = (names, _of_france())  # what the user gives first: it may tell homonyms apart
        codes = next((known[key] for known in lists for key in keys if key in known), frozenset())
        if len(codes) == 1:
            found[object_, label] = next(iter(codes)).removeprefix("R")
        elif codes:
            twice.append(f"{label} ({', '.join(sorted(codes))})")
        else:
            unknown.append(label)
    faults = []
    again = "ou exporter à nouveau le jeu avec ses codes (et non ses libellés)"
    if twice:
        problem = f"homonymes : {' ; '.join(twice[:_SHOWN])}"
        faults.append(Fault("Géographie", problem, f"n'en donner que ceux du territoire, {again}"))
    if 2 * len(unknown) > len(labels):
        shown = ", ".join(unknown[:_SHOWN]) + ", ..." * (len(unknown) > _SHOWN)
        problem = f"noms dont le code est inconnu : {shown}"
        remedy = f"lire avec lui une table « code, libelle, niveau » du territoire, {again}"
        faults.append(Fault("Géographie", problem, remedy))
    if faults:
        raise FaultsError(f"fichier {source.nom} refusé (catalogue de l'Insee, libellés)", faults)
    return found, unknown


# ---- reading ------------------------------------------------------------------------------------


def _read(cube: Cube | None, source: Source, beside: Beside) -> Reading:
    from barometre.sources.forms.melodi.cells import read_cube  # loaded with the first such file

    coded = _coded_header(source.entete)
    if cube is None or cube.refus:
        raise unread(cube, coded, source.nom, source.stem)
    labels = _labels(source, coded)
    found, unknown = _codes_by_name(source, labels, names_of(beside.territoires))
    translated = Source(
        source.nom,
        coded,
        lambda columns, _: _translated(source, coded, found, columns),
        source.reconnu,
        lambda columns: _lots(source, coded, found, columns),
    )
    cells = read_cube(cube, translated)
    written = {code: label for (_, label), code in found.items()}
    bare = cells.territoires["code"].str.removeprefix("R").replace("METRO", "FM")
    labelled = cells.territoires.assign(libelle=bare.map(written))
    # Every label comes from real files, were the codes of the data set never seen.
    known = replace(cube, etat="verifie")
    reading = reading_of(known, replace(cells, territoires=labelled), source)
    warned = list(reading.report.avertissements)
    if unknown:
        shown = ", ".join(unknown[:_SHOWN]) + ", ..." * (len(unknown) > _SHOWN)
        warned.append(f"{counted(len(unknown), 'territoire')} sans code, non lus : {shown}")
    return replace(reading, report=replace(reading.report, avertissements=tuple(warned)))


def _labels(source: Source, coded: Sequence[str]) -> list[tuple[str, str]]:
    """List the territories of a file, by object and name."""
    place, kind = (source.entete[coded.index(name)] for name in ("GEO", "GEO_OBJECT"))
    pairs: dict[tuple[str, str], None] = {}
    for lot in source.lots([place, kind]):
        for row in lot.group_by([place, kind]).aggregate([]).to_pylist():
            object_ = code_of("GEO_OBJECT", row[kind])
            if object_ in LEVELS:
                pairs[object_, row[place].strip()] = None
    return list(pairs)


def _translated(
    source: Source,
    coded: Sequence[str],
    found: Mapping[tuple[str, str], str],
    columns: Sequence[str],
) -> pd.DataFrame:
    frames: list[pd.DataFrame] = [lot.to_pandas() for lot in _lots(source, coded, found, columns)]
    return pd.concat(frames, ignore_index=True)


def _lots(
    source: Source,
    coded: Sequence[str],
    found: Mapping[tuple[str, str], str],
    columns: Sequence[str],
) -> Iterator[Any]:
    """Yield the lots of a file with codes for labels."""
    wanted = list(dict.fromkeys([*columns, "GEO_OBJECT"]))
    written = [source.entete[coded.index(name)] for name in wanted]
    for lot in source.lots(written):
        cells = {
            name: _translate(lot.column(label), partial(code_of, name))
            if name not in ("GEO", "TIME_PERIOD", "OBS_VALUE")
            else lot.column(label)
            for name, label in zip(wanted, written, strict=True)
        }
        if "GEO" in cells:
            pairs = zip(cells["GEO_OBJECT"].to_pylist(), cells["GEO"].to_pylist(), strict=True)
            codes = [found.get((object_, label.strip()), "") for object_, label in pairs]
            cells["GEO"] = pa.chunked_array([pa.array(codes, pa.large_string())])
            unknown = pa.array([not code for code in codes])
            cells["GEO_OBJECT"] = pc.if_else(unknown, "OTHER", cells["GEO_OBJECT"])
        yield pa.table({name: cells[name] for name in columns})


def _translate(column: Any, translated: Any) -> Any:
    """Translate each distinct label once."""
    encoded = column.combine_chunks().dictionary_encode()
    words = pa.array([translated(word or "") for word in encoded.dictionary.to_pylist()],
                     pa.large_string())  # fmt: skip
    return words.take(encoded.indices)
