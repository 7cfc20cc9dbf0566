"""The memberships that lie among the files: who is in what, before any value is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from barometre.base.errors import BarometreError
from barometre.datasets.places.members import NAMED_COMMUNES
from barometre.sources.files.text import SUFFIXES, Source, is_hidden, open_sources, stem_of
from barometre.sources.forms.lists.aside import MEMBERSHIPS, PASSAGES
from barometre.sources.forms.lists.quarters import QPV_LISTS

_LARGEST = 20_000_000  # bytes: such lists are small, and opening a workbook is slow
_KINDS = (PASSAGES, MEMBERSHIPS, QPV_LISTS)


def find_memberships(*sources: str | Path) -> list[tuple[str, pd.DataFrame]]:
    """Find tables of communes and of passage and lists of neighbourhoods among files.

    Parameters
    ----------
    *sources : str or Path
        Files and folders, with their sub-folders.

    Returns
    -------
    list of (str, DataFrame)
        Name of the source and its columns as text: the communes that SIG-Ville's files give to
        neighbourhoods first (they add to what is known), then passages, communes and their EPCI,
        and lists of neighbourhoods, which win; within a kind by name, so that the latest vintage
        comes last. What cannot be opened is left to `read`, which refuses it.
    """
    found = []
    for path in _small_files(sources):
        try:
            opened = open_sources(path, _recognised)
            found += [(one, _texts(one)) for one in opened if one.reconnu is not None]
        except BarometreError:
            continue
    found.sort(key=lambda pair: (pair[0].reconnu, stem_of(pair[0].nom)))
    return [(source.nom, frame) for source, frame in found]


def _recognised(header: Sequence[str], nom: str) -> int | None:
    """Give the place of the kind that knows a header, a table without EPCI being of no use."""
    if {*NAMED_COMMUNES, "POP_COM_QP"} <= set(header):
        return _QUARTERS
    for place, kind in enumerate(_KINDS, start=_QUARTERS + 1):
        if kind.recognise(header, nom):
            return None if kind is MEMBERSHIPS and "EPCI" not in header else place
    return None


_QUARTERS = 1  # zero would be no answer


def _texts(source: Source) -> pd.DataFrame:
    if source.reconnu == _QUARTERS:
        frame = source.lire(list(NAMED_COMMUNES)).replace("", pd.NA)
        return frame[frame["CODGEO"].str.match(r"Q[PN]").fillna(False)].dropna()
    return source.lire([name for name in source.entete if name]).replace("", pd.NA)


def _small_files(sources: Sequence[str | Path]) -> Iterator[Path]:
    for source in map(Path, sources):
        inside = sorted(source.rglob("*")) if source.is_dir() else [source]
        for path in inside:
            below = path.relative_to(source).parts if source.is_dir() else (path.name,)
            known = path.suffix.lower() in SUFFIXES and not any(map(is_hidden, below))
            if known and path.is_file() and path.stat().st_size < _LARGEST:
                yield path
