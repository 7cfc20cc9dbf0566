"""Tables spread in parts of territories, as Dask frames: what fits in no memory is done by part.

A commune and what lies in it (IRIS) are in the same part: the parts are cut between the first five
characters of the codes. Everything is of Dask: `set_index`, `repartition`, `map_partitions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.tables.parts import (
    STATUTS,
    TERRITOIRES,
    Rows,
    Shown,
    gathered_rows,
    keyed,
    looked_at,
    refused,
)
from barometre.tables.table_set import Tables, empty_statuts

if TYPE_CHECKING:
    import dask.dataframe as dd

Spread: TypeAlias = "dd.DataFrame | pd.DataFrame"

COMMUNE = 5
"""Characters that an IRIS shares with its commune: no part begins between them."""

_LAST = "\U0010ffff"  # after every code
_PLACE = "_place"  # stands for a code that is no text, until its table is refused


class DaskTables(Mapping[str, "dd.DataFrame"]):
    """A set of tables in parts of territories, for those that memory does not hold.

    `compute` and `aggregate` take it as they take `Tables`, or a plain mapping of Dask frames when
    there are neither ``statuts`` nor ``territoires``.

    Parameters
    ----------
    frames : mapping of str to dask.dataframe.DataFrame
        Tables by name, with ``code`` as index and ``annee`` as a column, or both as columns. A
        table that memory holds may be a frame of pandas. Frames indexed by ``code`` whose divisions
        are known are repartitioned, which moves few rows; the others are shuffled by code.
    statuts : DataFrame of pandas or Dask, optional
        As `Tables` takes it.
    territoires : DataFrame, optional
        As `Tables` takes it.

    Attributes
    ----------
    divisions : tuple of str
        First code of each part, and a last one.
    territoires : DataFrame
        As given, checked.

    Raises
    ------
    BarometreError
        No frame of Dask nor pandas.

    Notes
    -----
    The codes are read when the set is made, to cut its parts, as many as the frame that has most.
    Tables are checked when `compute`, `aggregate` or `DaskTables.compute` reads them: their faults
    are then those that `Tables` tells of the whole, its rows in the order of codes and years.

    Examples
    --------
    >>> import dask.dataframe as dd  # doctest: +SKIP
    >>> tables = DaskTables({"logements": dd.read_parquet("logements/")})  # doctest: +SKIP
    """

    def __init__(
        self,
        frames: Mapping[str, Spread],
        *,
        statuts: Spread | None = None,
        territoires: pd.DataFrame | None = None,
    ) -> None:
        self.territoires = Tables({}, territoires=territoires).territoires
        said = empty_statuts() if statuts is None else statuts
        given = {name: _as_dask(name, frame) for name, frame in {**frames, STATUTS: said}.items()}
        codes = _codes(given)
        self.divisions = _divisions(given, codes)
        placed = {name: _placed(f, self.divisions, codes.get(name)) for name, f in given.items()}
        self._statuts = placed.pop(STATUTS)
        self._frames = placed

    @classmethod
    def placed(
        cls,
        frames: Mapping[str, dd.DataFrame],
        statuts: dd.DataFrame,
        territoires: pd.DataFrame,
        divisions: tuple[str, ...],
    ) -> DaskTables:
        """Take frames that have these divisions already.

        Parameters
        ----------
        frames : mapping of str to dask.dataframe.DataFrame
            Tables, indexed by ``code``.
        statuts : dask.dataframe.DataFrame
            What is said of cells, indexed by ``code``.
        territoires : DataFrame
            As `Tables` gives them.
        divisions : tuple of str
            Those of all frames.

        Returns
        -------
        DaskTables
        """
        made = cls.__new__(cls)
        made._frames, made._statuts = dict(frames), statuts
        made.territoires, made.divisions = territoires, divisions
        return made

    def __getitem__(self, name: str) -> dd.DataFrame:
        """Return a table."""
        return self._frames[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __repr__(self) -> str:
        return f"DaskTables({', '.join(self)} : {self.npartitions} parts)"

    @property
    def npartitions(self) -> int:
        """How many parts there are."""
        return len(self.divisions) - 1

    @property
    def statuts(self) -> dd.DataFrame:
        """What there is to say of single cells."""
        return self._statuts

    def parts(self) -> dict[str, dd.DataFrame]:
        """Return all frames, ``statuts`` and ``territoires`` among them, part for part.

        Returns
        -------
        dict of str to dask.dataframe.DataFrame
        """
        places = self.territoires.reset_index()
        known = _placed(_as_dask(TERRITOIRES, places), self.divisions, places["code"])
        return {**self._frames, STATUTS: self._statuts, TERRITOIRES: known}

    def compute(self) -> Tables:
        """Bring all parts in memory.

        Returns
        -------
        Tables
            Rows in the order of codes and years.

        Raises
        ------
        TableError
            A table is refused.
        """
        import dask

        names = [*self._frames, STATUTS]
        frames = dask.compute(*self._frames.values(), self._statuts)
        found = {name: keyed(frame) for name, frame in zip(names, frames, strict=True)}
        return Tables(found, statuts=found.pop(STATUTS), territoires=self.territoires)

    def look(self, function: Callable[..., Any], **options: Any) -> list[Any]:
        """Look at every part, now, and refuse the tables if they must be.

        Parameters
        ----------
        function : callable
            What to find in the `Tables` of a part.
        **options
            Its other arguments.

        Returns
        -------
        list
            What was found, part by part.

        Raises
        ------
        TableError
            As `Tables` says it of the whole.
        """
        parts = self.parts()
        shown = listed(on_parts(parts, looked_at, find=function, **options))
        refuse(parts, shown, self.territoires)
        return [one.found for one in shown]


# ---- running ------------------------------------------------------------------------------------


def on_parts(
    frames: Mapping[str, dd.DataFrame],
    function: Callable[..., Any],
    *,
    meta: pd.DataFrame | None = None,
    **options: Any,
) -> Any:
    """Run a function on the frames of each part.

    Parameters
    ----------
    frames : mapping of str to dask.dataframe.DataFrame
        Frames of the same divisions.
    function : callable
        Of the pandas frames of a part, by name.
    meta : DataFrame, optional
        What the function gives, empty. By default it gives any object.
    **options
        Its other arguments.

    Returns
    -------
    dask.dataframe.DataFrame, or dask.dataframe.Series of objects
    """
    import dask.dataframe as dd

    return dd.map_partitions(
        _run, *frames.values(), function=function, names=tuple(frames), boxed=meta is None,
        options=options, meta=pd.Series([], dtype=object) if meta is None else meta,
        align_dataframes=False, clear_divisions=True,
    )  # fmt: skip


def _run(
    *frames: pd.DataFrame,
    function: Callable[..., Any],
    names: tuple[str, ...],
    boxed: bool,
    options: Mapping[str, Any],
) -> Any:
    found = function(dict(zip(names, map(keyed, frames), strict=True)), **options)
    return pd.Series([found], dtype=object) if boxed else found


def listed(found: Any) -> list[Any]:
    """Compute the objects that `on_parts` gives, in the order of the parts."""
    return list(found.compute())


def refuse(
    frames: Mapping[str, dd.DataFrame], shown: list[Shown], territoires: pd.DataFrame
) -> None:
    """Refuse tables of which a part has a fault, or whose columns all together are off scale."""
    suspects = refused(shown)
    if suspects is None:
        return
    rows: list[Rows] = listed(on_parts(frames, gathered_rows, suspects=suspects))
    for lots in ([part.tables for part in rows], [part.told for part in rows]):
        names = dict.fromkeys(name for name in frames for lot in lots if name in lot)
        whole = {n: keyed(pd.concat([lot[n] for lot in lots if n in lot])) for n in names}
        Tables(whole, statuts=whole.pop(STATUTS, None), territoires=territoires)
    assert not any(part.faulty for part in shown), "what a part refuses, the whole does"


# ---- cutting in parts ---------------------------------------------------------------------------


def is_dask(frame: object) -> bool:
    """Tell a frame of Dask."""
    return hasattr(frame, "map_partitions") and hasattr(frame, "to_delayed")


def is_spread(tables: object) -> bool:
    """Tell a set of tables of which some are frames of Dask."""
    if isinstance(tables, DaskTables | Tables) or not isinstance(tables, Mapping):
        return isinstance(tables, DaskTables)
    return any(is_dask(frame) for frame in tables.values())


def as_spread(tables: Mapping[str, Any]) -> DaskTables:
    """Spread a plain mapping of frames; a `DaskTables` is returned as it is."""
    return tables if isinstance(tables, DaskTables) else DaskTables(tables)


def _as_dask(name: str, frame: object) -> dd.DataFrame:
    import dask.dataframe as dd

    if is_dask(frame):
        return frame
    if not isinstance(frame, pd.DataFrame):
        raise BarometreError(
            f"table {name} refusée : un DataFrame de Dask ou de pandas est attendu, pas"
            f" {type(frame).__name__}"
        )
    plain = frame.reset_index() if any(frame.index.names) else frame
    if len(plain) and "code" in plain and all(map(_is_text, plain["code"])):
        return dd.from_pandas(plain.set_index("code").sort_index(kind="stable"), npartitions=1)
    return dd.from_pandas(plain, npartitions=1, sort=False)


def _is_cut(frame: dd.DataFrame) -> bool:
    """Tell a frame whose parts are known to be of different codes."""
    return frame.index.name == "code" and frame.known_divisions and _is_text(frame.divisions[0])


def _is_text(code: object) -> bool:
    return isinstance(code, str)


def _codes(frames: Mapping[str, dd.DataFrame]) -> dict[str, pd.Series]:
    """Read the codes of the frames that are not cut by them; one without code has none."""
    import dask

    wanted = {}
    for name, frame in frames.items():
        if not _is_cut(frame) and (frame.index.name == "code" or "code" in frame.columns):
            codes = frame.index.to_series() if frame.index.name == "code" else frame["code"]
            wanted[name] = codes.drop_duplicates()
    found = dask.compute(*wanted.values())
    return {name: pd.Series(codes) for name, codes in zip(wanted, found, strict=True)}


def _divisions(
    frames: Mapping[str, dd.DataFrame], codes: Mapping[str, pd.Series]
) -> tuple[str, ...]:
    """Cut the codes in as many parts as the frame that has most."""
    most = max((frame.npartitions for frame in frames.values()), default=1)
    known = [frame for frame in frames.values() if _is_cut(frame)]
    if known and max(frame.npartitions for frame in known) == most:
        widest = max(known, key=lambda frame: frame.npartitions)
        starts = [code[:COMMUNE] for code in widest.divisions[1:-1]]
    else:
        texts = [_texts(one) for one in codes.values()]
        return cut(np.concatenate([np.zeros(0, dtype=object), *texts]), most)
    return ("", *sorted(set(starts) - {""}), _LAST)


def cut(codes: Iterable[str], number: int) -> tuple[str, ...]:
    """Cut codes in parts of as many, between communes: the first of each, and a last one."""
    every = sorted(code[:COMMUNE] for code in codes)
    at = np.linspace(0, len(every), number + 1).astype(int)[1:-1]
    return ("", *sorted({every[i] for i in at if i < len(every)} - {""}), _LAST)


def _texts(codes: pd.Series) -> pd.Series:
    """Write codes as texts, whatever they are: a code that is none is refused later."""
    return codes.astype(object).map(lambda code: "" if pd.isna(code) else str(code)).astype(object)


def _placed(
    frame: dd.DataFrame, divisions: tuple[str, ...], codes: pd.Series | None
) -> dd.DataFrame:
    """Give a frame the divisions of the set."""
    if _is_cut(frame):
        same = frame.divisions == divisions
        return frame if same else frame.repartition(divisions=list(divisions), force=True)
    if codes is None:  # no code: its table is refused from its columns
        return frame.repartition(npartitions=1).map_partitions(
            _with_place, meta=_with_place(frame._meta)
        ).set_index(_PLACE, divisions=list(divisions))  # fmt: skip
    plain = frame.reset_index() if frame.index.name == "code" else frame
    if all(map(_is_text, codes)):
        return plain.set_index("code", divisions=list(divisions))
    return plain.map_partitions(_with_place, meta=_with_place(plain._meta)).set_index(
        _PLACE, divisions=list(divisions)
    )


def _with_place(part: pd.DataFrame) -> pd.DataFrame:
    """Say where rows go whose codes are no texts."""
    place = _texts(part["code"]) if "code" in part.columns else pd.Series("", part.index)
    return part.assign(**{_PLACE: place.astype("str")})


def in_parts(frame: pd.DataFrame, number: int) -> dd.DataFrame:
    """Give a frame, indexed by the number of its part, to the parts."""
    import dask.dataframe as dd

    whole = dd.from_pandas(frame.sort_index(kind="stable"), npartitions=1)
    return whole.repartition(divisions=[*range(number + 1)], force=True)


def unpacked(
    packed: Any, metas: Mapping[str, pd.DataFrame], divisions: tuple[str, ...]
) -> dict[str, dd.DataFrame]:
    """Make a Dask frame of each of the frames that `on_parts` gives together.

    Parameters
    ----------
    packed : dask.dataframe.Series
        A dict of frames by part.
    metas : mapping of str to DataFrame
        The same frames, empty.
    divisions : tuple of str
        Those of the frames.

    Returns
    -------
    dict of str to dask.dataframe.DataFrame
    """
    import dask.dataframe as dd
    from dask import delayed

    lots = packed.to_delayed()
    taken = {name: [delayed(_taken)(lot, name) for lot in lots] for name in metas}
    return {
        name: dd.from_delayed(taken[name], meta=meta, divisions=divisions)
        for name, meta in metas.items()
    }


def _taken(lot: pd.Series, name: str) -> pd.DataFrame:
    found: pd.DataFrame = lot.iloc[0][name].sort_index(kind="stable")
    return found


def moved(tables: DaskTables, zones: pd.DataFrame, number: int) -> dict[str, dd.DataFrame]:
    """Bring the rows of territories to the parts that need them.

    Parameters
    ----------
    tables : DaskTables
        The set.
    zones : DataFrame
        ``code`` and ``part``: a territory may be needed by several.
    number : int
        How many parts there are.

    Returns
    -------
    dict of str to dask.dataframe.DataFrame
        Tables and ``statuts``, for `on_parts`.
    """
    found = {}
    for name, frame in {**tables, STATUTS: tables.statuts}.items():
        plain = frame.reset_index()
        wanted = zones.astype({"code": plain["code"].dtype})
        found[name] = plain.merge(wanted, on="code").set_index(
            "part", divisions=[*range(number + 1)]
        )
    return found
