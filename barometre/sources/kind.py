"""What a file may be, and how a new kind of file is added.

Every file goes down one road: its container is opened (`sources.files`), the header of each of its
tables is found and *recognised once*, and what recognised it reads it:

    container -> text -> header -> recognised as a kind -> plan -> cells -> tables -> report

A **kind** is one entry of `barometre.sources.kinds.KINDS`, in a module of its own:

1. a function ``recognise(header, nom) -> Recognised | None``: it is given the names of the columns
   (spaces folded, ``""`` for an unnamed one) and the name of the source
   (``"archive.zip/DS_RP_2023_data.csv"``, ``"apl.xlsx [APL 2022]"``: see `files.text.stem_of` and
   `split_name`). It is asked of every line that may be the header, so that it must be quick and
   answer None for a line of data. It reads nothing;
2. what it returns holds ``read(source) -> Reading``, usually a `functools.partial` over what was
   recognised. It asks the source for its columns, by name: `Source.lire` gives a frame of texts,
   `Source.lots` gives Arrow tables of texts in bounded memory, for files of any size. It raises
   `BarometreError` (all faults at once), and returns checked tables and a report. Long cells
   (``code, annee, table, colonne, valeur, statut, motif``) become tables by
   `cell_tables.tables_of`, and tables their report by `file_report.described`;
   A file that cannot be read alone (names without codes, places without dates) is recognised as
   `Waiting`: it is read last, with what was read beside it;
3. ``Kind("name", recognise)`` in ``KINDS``. The first kind that recognises a header wins: the most
   particular come first.

A kind without values (a notice, a membership) returns `file_report.set_aside`: it is listed by
``barometre check``, and does not refuse the folder that it lies in.

A new **family** of producers' files with one row per territory is no kind: it is a TOML file in
``families``. A new **container** is an entry of ``files.text``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from barometre.sources.file_report import Reading
from barometre.sources.files.text import Source


@dataclass(frozen=True)
class Recognised:
    """A header recognised.

    Attributes
    ----------
    genre : str
        Name of the kind.
    nom : str
        What it is among its kind: the family, the table, the data set.
    read : callable
        Reads the source whose header it is.
    """

    genre: str
    nom: str
    read: Callable[[Source], Reading]


@dataclass(frozen=True)
class Beside:
    """What is read at the same time as a file that waits for it.

    Attributes
    ----------
    territoires : DataFrame
        ``libelle``, ``libelle_court`` and ``niveau`` of every territory read, by code.
    sources : tuple of Source
        Every source recognised.
    """

    territoires: pd.DataFrame
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Waiting:
    """A header recognised, of a file that is read after the others.

    Attributes
    ----------
    genre, nom : str
        As for `Recognised`.
    read : callable
        Reads the source whose header it is, with what lies beside it.
    """

    genre: str
    nom: str
    read: Callable[[Source, Beside], Reading]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    nom : str
        Name, told by ``barometre check``.
    recognise : callable
        What a header is, given the name of its source; None when it is of another kind.
    """

    nom: str
    recognise: Callable[[Sequence[str], str], Recognised | Waiting | None]
