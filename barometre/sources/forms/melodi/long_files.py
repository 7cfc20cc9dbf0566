"""The kind of Insee's long files: CSV, Parquet or answer of the API, told by three columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from barometre.base.errors import counted
from barometre.sources.cell_tables import tables_of
from barometre.sources.file_report import Reading, described
from barometre.sources.files.text import Source, stem_of
from barometre.sources.forms.melodi.cubes import Cube, find_cube, is_long, unread
from barometre.sources.kind import Kind, Recognised

if TYPE_CHECKING:
    from barometre.sources.forms.melodi.cells import CubeCells

_ANSWER = ".json"


def _recognise(header: Sequence[str], nom: str) -> Recognised | None:
    if not is_long(header):
        return None
    cube = find_cube(header, stem_of(nom))
    return Recognised("melodi", cube.nom if cube else "", partial(_read, cube))


def _read(cube: Cube | None, source: Source) -> Reading:
    if cube is None or cube.refus:
        raise unread(cube, source.entete, source.nom, source.stem)
    from barometre.sources.forms.melodi.cells import read_cube  # loaded with the first such file

    cells = read_cube(cube, source, whole=_ANSWER not in source.nom.lower())
    return reading_of(cube, cells, source)


def reading_of(cube: Cube, cells: CubeCells, source: Source) -> Reading:
    """Turn the cells of a data set into checked tables and their report.

    Parameters
    ----------
    cube : Cube
        The data set.
    cells : CubeCells
        What the file gives.
    source : Source
        The file.

    Returns
    -------
    Reading
    """
    tables = tables_of(cells.cells, cells.territoires, source.nom)
    warned = []
    if cube.etat == "non_verifie":
        warned.append(f"codes jamais vus sur de vraies lignes (Melodi, {cube.nom})")
    if cells.reparees:
        warned.append(f"{counted(cells.reparees, 'code')} : zéro initial rétabli")
    report = replace(
        described(tables, source.nom, f"{cube.titre}, fichier long de l'Insee"),
        famille=cube.nom,
        lignes=len(cells.territoires),
        ignorees=cells.ignorees,
        reparees=cells.reparees,
        utilisees=tuple(name for name in source.entete if name),
        avertissements=tuple(warned),
    )
    return Reading(tables, report)


LONG_FILES = Kind("melodi", _recognise)
