"""Transitions between statuses: counts and rates, distribution at each wave, mean time in each.

People and waves are laid out as a table of small integers, one row per wave, and pairs of rows are
counted: no join, no pivot.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from barometre.base.arrays import Booleans, Floats
from barometre.base.errors import BarometreError, counted
from barometre.base.face import number_text, percent_text
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.follow.status_table import ABSENT, Missing, StatusTable, status_table
from barometre.cohort.rows.panel import PanelRows


def transition_counts(
    frame: pd.DataFrame,
    status: str,
    *,
    person: str,
    wave: str,
    by: str | None = None,
    weight: str | None = None,
    lag: int = 1,
    missing: Missing = "drop",
) -> Tidy:
    """Count the passages from a status to another.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave, in any order.
    status : str
        Column of the status. The states of a categorical column are all its categories, otherwise
        the values found, in order.
    person, wave : str
        Columns. Waves are numbers, dates, periods or ordered categories; they follow each other as
        the list of those of the data does: a year without any survey is no wave.
    by : str, optional
        Column of the group; a passage is in that of its origin.
    weight : str, optional
        Column of positive weights; a passage has that of its origin.
    lag : int, default 1
        Number of waves between the two statuses.
    missing : {"drop", "state"}, default "drop"
        What becomes of a wave at which a person has no row or no status: its passages are left out,
        or it is a state named ``"missing"``. It then takes the weight and the group of the person's
        first row.

    Returns
    -------
    Tidy
        One row per group, origin and destination: ``group`` (with ``by``), ``from``, ``to``, ``n``
        (a sum of weights with ``weight``), zeros included; no row without any status.
        ``.meta`` counts the people (``n_in``, ``n_used``, ``lost``), the passages counted
        (``pairs``) and those left out because one end is missing (``pairs_lost``).

    Raises
    ------
    BarometreError
        An unknown column, a lag that is not a positive integer, a status named ``"missing"`` when
        that is the name of a state; what `Cohort` refuses.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 1, 2, 2], "t": [1, 2, 3, 1, 3], "s": list("aabab")})
    >>> table = transition_counts(rows, "s", person="id", wave="t")
    >>> table[table["n"] > 0].to_numpy().tolist()
    [['a', 'a', 1], ['a', 'b', 1]]
    """
    panel = PanelRows(frame, person, wave, weight=weight, status=status)
    return panel_transition_counts(panel, by=by, lag=lag, missing=missing)


def panel_transition_counts(
    panel: PanelRows, by: str | None = None, *, lag: int = 1, missing: Missing = "drop"
) -> Tidy:
    """Count `transition_counts` on a panel, with its status and its weight."""
    return _passages(_statuses(panel, by, missing), lag, rates=False)


def transition_rates(
    frame: pd.DataFrame,
    status: str,
    *,
    person: str,
    wave: str,
    by: str | None = None,
    weight: str | None = None,
    lag: int = 1,
    missing: Missing = "drop",
) -> Tidy:
    """Share of those in a status who are in each status ``lag`` waves later.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    status, person, wave : str
        Columns of the status, of the person and of the wave.
    by, weight : str, optional
        Columns of the group and of the weight.
    lag : int, default 1
        Waves between the two statuses.
    missing : {"drop", "state"}, default "drop"
        Whether an unknown status is left out or counts as one.

    Returns
    -------
    Tidy
        Columns of `transition_counts`, and ``rate``: n over the sum of n from the same origin, all
        waves together, missing when that is 0.

    Raises
    ------
    BarometreError
        As `transition_counts`.

    Notes
    -----
    The rates of ``seqtrate`` of TraMineR (Gabadinho et al., 2011), time-homogeneous.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 1, 1, 2, 2], "t": [1, 2, 3, 1, 3], "s": list("aabab")})
    >>> transition_rates(rows, "s", person="id", wave="t")["rate"].tolist()
    [0.5, 0.5, nan, nan]
    """
    panel = PanelRows(frame, person, wave, weight=weight, status=status)
    return panel_transition_rates(panel, by=by, lag=lag, missing=missing)


def panel_transition_rates(
    panel: PanelRows, by: str | None = None, *, lag: int = 1, missing: Missing = "drop"
) -> Tidy:
    """Compute `transition_rates` on a panel, with its status and its weight."""
    return _passages(_statuses(panel, by, missing), lag, rates=True)


def _statuses(
    panel: PanelRows, by: str | None, missing: Missing, *, constant: bool = False
) -> StatusTable:
    return status_table(
        panel, panel.statuses, by=by, weight=panel.weight, missing=missing, constant=constant
    )


def _passages(table: StatusTable, lag: int, *, rates: bool) -> Tidy:
    if isinstance(lag, bool) or not isinstance(lag, (int, np.integer)) or lag < 1:
        raise BarometreError(f"lag {lag} : donner un nombre entier de vagues, au moins 1")
    size, used = len(table.states) + 1, np.zeros(table.n_people, np.bool_)
    counts, lost, pairs = np.zeros((len(table.groups), size * size)), 0, 0
    for wave in range(len(table.waves) - lag):
        start, end = table.state[wave], table.state[wave + lag]
        counts += table.cells(wave, start.astype(np.int64) * size + end, size * size)
        known = (start != ABSENT) & (end != ABSENT) & table.in_group(wave)
        used |= known
        pairs += int(np.count_nonzero(known))
        lost += int(np.count_nonzero(((start != ABSENT) | (end != ABSENT)) & ~known))
    kept = counts.reshape(-1, size, size)[:, 1:, 1:]  # without what starts or ends absent
    total = kept.sum(axis=2, keepdims=True)
    states = np.arange(len(table.states))
    columns = {
        "from": table.states.take(np.repeat(states, len(states))),
        "to": table.states.take(np.tile(states, len(states))),
        "n": table.as_counts(kept),
    }
    if rates:
        columns["rate"] = np.divide(kept, total, out=np.full_like(kept, np.nan), where=total > 0)
    meta = table.meta(
        f"transitions à {counted(lag, 'vague')} d'écart",
        used,
        "jamais deux statuts connus à cet écart",
    )
    return tidy(
        table.stacked(columns),
        sentences=_rate_sentences if rates else None,
        **meta,
        pairs=pairs,
        pairs_lost=lost,
    )


def _rate_sentences(table: pd.DataFrame) -> list[str]:
    """Say, from each status, where most go."""
    lines = []
    keys = ["group", "from"] if "group" in table else ["from"]
    for key, rows in table.dropna(subset=["rate"]).groupby(keys, sort=False, observed=True):
        top = rows.to_dict("records")[int(np.argmax(rows["rate"].to_numpy()))]
        start = " / ".join(map(str, key))
        lines.append(f"{start} : surtout vers {top['to']}, {percent_text(top['rate'])}.")
    return lines


# ---- distribution and time ----------------------------------------------------------------------


def state_distribution(
    frame: pd.DataFrame,
    status: str,
    *,
    person: str,
    wave: str,
    by: str | None = None,
    weight: str | None = None,
    missing: Missing = "drop",
) -> Tidy:
    """Share of people in each status, wave by wave.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    status, person, wave : str
        Columns of the status, of the person and of the wave.
    by, weight : str, optional
        Columns of the group and of the weight.
    missing : {"drop", "state"}, default "drop"
        Whether an unknown status is left out or counts as one.

    Returns
    -------
    Tidy
        One row per group, wave and state: ``group`` (with ``by``), ``wave``, ``state``, ``n``,
        ``share`` (of those whose status counts), ``entropy`` (of the wave, repeated). Share and
        entropy are missing at a wave without anybody.

    Raises
    ------
    BarometreError
        As `transition_counts`.

    Notes
    -----
    Entropy of Shannon (1948) over that of equal shares, -sum(p log p) / log(number of states): 0
    when all are in the same state, 1 when shares are equal, as ``seqstatd`` of TraMineR; 0 when
    there is one state only.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 2, 1, 2], "t": [1, 1, 2, 2], "s": list("aabb")})
    >>> state_distribution(rows, "s", person="id", wave="t")["share"].tolist()
    [1.0, 0.0, 0.0, 1.0]
    """
    panel = PanelRows(frame, person, wave, weight=weight, status=status)
    return panel_state_distribution(panel, by=by, missing=missing)


def panel_state_distribution(
    panel: PanelRows, by: str | None = None, *, missing: Missing = "drop"
) -> Tidy:
    """Compute `state_distribution` on a panel, with its status and its weight."""
    table = _statuses(panel, by, missing)
    counts = _by_wave(table)
    total = counts.sum(axis=2, keepdims=True)
    share = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    n_waves, n_states = len(table.waves), len(table.states)
    logs = np.log(np.where(share > 0, share, 1.0))
    scale = np.log(n_states) if n_states > 1 else 1.0
    entropy = np.abs((share * logs).sum(axis=2, keepdims=True)) / scale
    columns = {
        "wave": table.waves.take(np.repeat(np.arange(n_waves), n_states)),
        "state": table.states.take(np.tile(np.arange(n_states), n_waves)),
        "n": table.as_counts(counts),
        "share": share,
        "entropy": np.broadcast_to(entropy, share.shape),
    }
    used = _used(table)
    return tidy(
        table.stacked(columns),
        sentences=_share_sentences,
        chart="state_bars",
        **table.meta("distribution par vague", used, "groupe manquant"),
    )


def _share_sentences(table: pd.DataFrame) -> list[str]:
    """Say the shares of each status at the first wave and at the last one."""
    ends = table["wave"].iloc[[0, -1]].tolist()
    lines = []
    keys = ["group", "state"] if "group" in table else ["state"]
    for key, rows in table.groupby(keys, sort=False, observed=True):
        start, end = (rows.loc[rows["wave"] == wave, "share"].iloc[0] for wave in ends)
        name = " / ".join(map(str, key))
        first, last = percent_text(start), percent_text(end)
        lines.append(f"{name} : {first} à la première vague, {last} à la dernière.")
    return lines


def mean_time(
    frame: pd.DataFrame,
    status: str,
    *,
    person: str,
    wave: str,
    by: str | None = None,
    weight: str | None = None,
    missing: Missing = "drop",
) -> Tidy:
    """Mean number of waves that a person spends in each status.

    Parameters
    ----------
    frame : DataFrame
        One row per person and wave.
    status, person, wave : str
        Columns of the status, of the person and of the wave.
    by, weight : str, optional
        Columns of the group and of the weight; a person has those of the first row.
    missing : {"drop", "state"}, default "drop"
        Whether an unknown status is left out or counts as one.

    Returns
    -------
    Tidy
        One row per group and state: ``group`` (with ``by``), ``state``, ``mean_time`` (in waves),
        ``share`` (of the time whose status counts), ``n`` (people of the group with a status at one
        wave at least). With ``missing="state"`` the times add up to the number of waves; with
        ``"drop"``, to the mean number of waves known. Missing in a group without anybody.

    Raises
    ------
    BarometreError
        As `transition_counts`.

    Notes
    -----
    ``seqmeant`` of TraMineR (Gabadinho et al., 2011).

    Examples
    --------
    >>> rows = pd.DataFrame({"id": [1, 2, 1, 2], "t": [1, 1, 2, 2], "s": list("abbb")})
    >>> mean_time(rows, "s", person="id", wave="t")["mean_time"].tolist()
    [0.5, 1.5]
    """
    panel = PanelRows(frame, person, wave, weight=weight, status=status)
    return panel_mean_time(panel, by=by, missing=missing)


def panel_mean_time(panel: PanelRows, by: str | None = None, *, missing: Missing = "drop") -> Tidy:
    """Compute `mean_time` on a panel, with its status and its weight."""
    table = _statuses(panel, by, missing, constant=True)
    counts = _by_wave(table).sum(axis=1)
    total = table.cells(0, table.met.astype(np.int64), 2)[:, 1:]
    time, used = counts.sum(axis=1, keepdims=True), _used(table)
    people = np.bincount(table.group_at(0)[used], minlength=len(table.groups))
    columns = {
        "state": table.states,
        "mean_time": np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0),
        "share": np.divide(counts, time, out=np.full_like(counts, np.nan), where=time > 0),
        "n": np.repeat(people, len(table.states)),
    }
    return tidy(
        table.stacked(columns),
        sentences=_time_sentences,
        **table.meta("temps moyen", used, "groupe manquant"),
    )


def _time_sentences(table: pd.DataFrame) -> list[str]:
    """Say the mean number of waves in each status."""
    lines = []
    for row in table.to_dict("records"):
        name = f"{row['group']} / {row['state']}" if "group" in table else str(row["state"])
        lines.append(f"{name} : {number_text(row['mean_time'], 1)} vagues en moyenne.")
    return lines


def _by_wave(table: StatusTable) -> Floats:
    """Count by group, wave and state."""
    size = len(table.states) + 1
    counts = np.zeros((len(table.groups), len(table.waves), size))
    for wave, state in enumerate(table.state):
        counts[:, wave] = table.cells(wave, state.astype(np.int64), size)
    return counts[:, :, 1:]


def _used(table: StatusTable) -> Booleans:
    """Tell who has a status and a group at one wave at least."""
    used = np.zeros(table.n_people, np.bool_)
    for wave, state in enumerate(table.state):
        used |= (state != ABSENT) & table.in_group(wave)
    return used
