"""The boxes that people write in: one TOML file a territory, kept from one edition to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from barometre.base.errors import BarometreError
from barometre.base.files import write_text
from barometre.base.toml import read_toml

BOXES = (
    ("retenir", "Ce que nous retenons de ces chiffres", "What we take from these figures"),
    ("priorites", "Priorités de l'année à venir", "Priorities of the coming year"),
    ("moyens", "Moyens à mobiliser", "Means to be used"),
    ("conseil_citoyen", "Avis du conseil citoyen", "Opinion of the residents' council"),
    ("conseil_municipal", "Avis du conseil municipal", "Opinion of the municipal council"),
)
"""Key, French title and English title of the boxes of every territory."""

TOWN_BOXES = (
    ("carte", "Carte de la commune", "Map of the municipality"),
    ("equipements", "Équipements du quartier vécu", "Facilities of the lived neighbourhood"),
    ("services", "Services et dispositifs principaux", "Main services and schemes"),
    ("participation", "Participation citoyenne", "Participation of residents"),
    ("pilotage", "Organisation du pilotage", "Steering"),
    ("ingenierie", "Mobilisation de l'ingénierie", "Technical support"),
)
"""Those of a commune besides: what its document of priorities must hold and no figure gives."""

Boxes = tuple[tuple[str, str, str], ...]


def boxes_of(kind: str) -> Boxes:
    """Return the boxes of a kind of page: a commune has more.

    Examples
    --------
    >>> len(boxes_of("commune")) - len(boxes_of("qpv"))
    6
    """
    return (*TOWN_BOXES, *BOXES) if kind == "commune" else BOXES


_HEAD = (
    "# Perspectives : écrire entre les guillemets. Ce fichier n'est jamais effacé : chaque édition"
    " ajoute la sienne.\n\n"
)


@dataclass(frozen=True)
class Box:
    """A titled box: what was written for this edition, and for the one before.

    Attributes
    ----------
    key, title, text : str
        Anchor, title and text, empty until someone writes it.
    before, before_edition : str
        Text of the last edition that has one, and its name.
    """

    key: str
    title: str
    text: str
    before: str
    before_edition: str


def read_boxes(path: Path, edition: str, lang: str = "fr", boxes: Boxes = BOXES) -> tuple[Box, ...]:
    """Read the boxes of a territory for an edition.

    Parameters
    ----------
    path : Path
        File of the territory; it may be absent.
    edition : str
        Name of the edition.
    lang : {"fr", "en"}, default "fr"
        Language of the titles.
    boxes : tuple
        The boxes of this kind of page.

    Returns
    -------
    tuple of Box
    """
    written = _written(path)
    others = [name for name in written if name != edition]
    found = []
    for key, french, english in boxes:
        text = written.get(edition, {}).get(key, "")
        before = next((n for n in reversed(others) if written[n].get(key)), "")
        title = french if lang == "fr" else english
        found.append(Box(key, title, text, written[before][key] if before else "", before))
    return tuple(found)


def keep_boxes(path: Path, edition: str, boxes: Boxes = BOXES) -> Path:
    """Add the empty boxes of an edition to the file of a territory; nothing written is lost.

    Returns
    -------
    Path
        The file, left as it is when it has this edition.
    """
    if edition in _written(path):
        return path
    # What is there is kept as it was typed, comments included: the new edition is put below.
    before = path.read_text(encoding="utf-8").rstrip() + "\n\n" if path.exists() else _HEAD
    empty = {edition: {key: "\n" for key, _, _ in boxes}}
    return write_text(path, before + tomli_w.dumps(empty, multiline_strings=True))


def _written(path: Path) -> dict[str, dict[str, str]]:
    if not path.exists():
        return {}
    content = read_toml(path)
    faults = [
        f"{name} : donner des textes entre guillemets"
        for name, box in content.items()
        if not isinstance(box, Mapping) or not all(isinstance(t, str) for t in box.values())
    ]
    if faults:
        raise BarometreError(f"{path.name} refusé : {' ; '.join(faults)}")
    return {name: {k: t.strip() for k, t in box.items()} for name, box in content.items()}
