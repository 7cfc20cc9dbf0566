"""Frames given by users: columns that are absent or given twice are told in one way everywhere."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Iterable, Sequence

import pandas as pd

from barometre.base.errors import Fault, FaultsError

_SHOWN = 12  # columns quoted


def absent_columns(
    frame: pd.DataFrame, names: Iterable[Hashable], remedy: str = ""
) -> Sequence[Fault]:
    """Find the columns that a frame lacks.

    Parameters
    ----------
    frame : DataFrame
        As a user gives it.
    names : iterable of label
        Columns wanted.
    remedy : str, optional
        What to do, beside naming a column that is there.

    Returns
    -------
    sequence of Fault
        None, or one for all the absent columns: their names, the columns there are, the nearest.

    Examples
    --------
    >>> frame = pd.DataFrame({"code": ["59172"], "value": [1.0]})
    >>> print(*absent_columns(frame, ["code", "valeur"]))
    valeur : colonne absente ; vouliez-vous dire « value » ? colonnes présentes : code, value
    """
    present = list(map(str, frame.columns))
    lost = list(dict.fromkeys(str(name) for name in names if name not in frame.columns))
    if not lost:
        return ()
    near = [match for name in lost for match in difflib.get_close_matches(name, present, n=1)]
    hint = f"vouliez-vous dire {' et '.join(f'« {name} »' for name in dict.fromkeys(near))} ? "
    more = f"... ({len(present)} en tout)" if len(present) > _SHOWN else ""
    known = f"colonnes présentes : {', '.join(present[:_SHOWN]) or 'aucune'}{more}"
    problem = "colonne absente" if len(lost) == 1 else "colonnes absentes"
    told = f"{remedy} ; " if remedy else ""
    return [Fault(", ".join(lost), problem, f"{told}{hint if near else ''}{known}")]


def repeated_columns(frame: pd.DataFrame) -> Sequence[Fault]:
    """Find the column names given twice: none, or one fault for all of them."""
    if frame.columns.is_unique:
        return ()
    twice = list(map(str, frame.columns[frame.columns.duplicated()].unique()))
    problem = "colonne en double" if len(twice) == 1 else "colonnes en double"
    return [Fault(", ".join(twice), problem, "n'en garder qu'une, ou renommer l'autre")]


def check_frame(
    frame: object,
    title: str,
    names: Iterable[Hashable] = (),
    *,
    remedy: str = "",
    error: type[FaultsError] = FaultsError,
) -> None:
    """Refuse what is no frame, has a column twice, or lacks one.

    Parameters
    ----------
    frame : DataFrame
        As a user gives it.
    title : str
        What is refused: ``"résultats refusés"``.
    names : iterable of label, optional
        Columns that must be there.
    remedy : str, optional
        What to do when one is absent.
    error : type, default FaultsError
        The error to raise.

    Raises
    ------
    FaultsError
        All the columns concerned at once.

    Examples
    --------
    >>> check_frame(pd.DataFrame([[1, 2]], columns=["x", "x"]), "table refusée", ["x"])
    Traceback (most recent call last):
    barometre.base.errors.FaultsError: table refusée : 1 défaut
      - x : colonne en double ; n'en garder qu'une, ou renommer l'autre
    """
    if not isinstance(frame, pd.DataFrame):
        raise error(title, [Fault("entrée", f"un {type(frame).__name__}", "donner un DataFrame")])
    if faults := [*repeated_columns(frame), *absent_columns(frame, names, remedy)]:
        raise error(title, faults)
