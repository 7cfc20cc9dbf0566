"""Protection of people: keyed pseudonyms, k-anonymity, small groups hidden in what is published."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError, Fault, FaultsError, counted
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.rows.columns import as_numbers

if TYPE_CHECKING:
    from barometre.secrecy.suppression import Suppressed

SHORTEST_KEY = 16
"""Bytes under which a key could be guessed."""


def create_key(path: str | Path) -> None:
    """Write a new random key to a file that only its owner can read.

    Parameters
    ----------
    path : str or Path
        A file that does not exist yet: replacing a key would change every pseudonym. Keep it away
        from the data, and out of version control.

    Raises
    ------
    BarometreError
        The file exists already.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BarometreError(
            f"{path} existe déjà ; changer de clé changerait tous les pseudonymes"
        ) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")


def pseudonymise(
    identifiers: pd.Series[Any] | Sequence[Any],
    *,
    key_file: str | Path | None = None,
    key_variable: str | None = None,
) -> pd.Series[str]:
    """Replace identifiers by keyed pseudonyms: the same person keeps the same one, wave after wave.

    Parameters
    ----------
    identifiers : Series or sequence of str
        Identifiers as texts, taken letter for letter: a number that lost its leading zero is
        another person. Integers are written in full.
    key_file : str or Path, optional
        File that holds the key; spaces and line ends around it do not count.
    key_variable : str, optional
        Environment variable that holds the key. Give one of the two.

    Returns
    -------
    Series of str
        64 hexadecimal digits each, on the index of the input. Neither the key nor the identifiers
        are kept.

    Raises
    ------
    BarometreError
        No key or two, a key under 16 bytes, a missing identifier, identifiers that are floats.

    Notes
    -----
    HMAC with SHA-256 (FIPS 198-1, RFC 2104) of the identifier in UTF-8. Whoever holds the key can
    find people again: this is pseudonymisation, not anonymisation (RGPD, article 4).
    """
    key = _key(key_file, key_variable)
    series = pd.Series(identifiers)
    missing = int(series.isna().sum())
    if missing:
        raise BarometreError(
            f"{counted(missing, 'identifiant manquant', 'identifiants manquants')} ;"
            " les compléter ou retirer ces lignes"
        )
    if pd.api.types.is_float_dtype(series):
        raise BarometreError(
            "identifiants lus comme nombres décimaux ; les lire comme textes (dtype=str)"
        )
    codes, known = pd.factorize(series)
    texts = [hmac.new(key, str(one).encode(), hashlib.sha256).hexdigest() for one in known]
    return pd.Series(np.array(texts, dtype=object)[codes], index=series.index, dtype="str")


def k_anonymity(
    frame: pd.DataFrame,
    quasi_identifiers: Sequence[str],
    *,
    k: int = 11,
    sensitive: str | None = None,
) -> Tidy:
    """Report how many people share each combination of quasi-identifiers.

    Parameters
    ----------
    frame : DataFrame
        One row per person.
    quasi_identifiers : sequence of str
        Columns by which someone could be recognised: age group, sex, neighbourhood... A missing
        value counts as a category of its own.
    k : int, default 11
        Smallest group wanted.
    sensitive : str, optional
        Column that must not be guessed: adds ``distinct``, its number of values in the group.

    Returns
    -------
    Tidy
        One row per combination, smallest groups first: the quasi-identifiers, ``n``, ``enough``.
        For internal use: it describes small groups. ``meta`` sums it up: ``k`` (smallest group),
        ``n_small`` (people in groups under ``k``), ``n_unique``, ``n_in``, ``l`` (fewest distinct
        sensitive values).

    Raises
    ------
    BarometreError
        A column absent, no quasi-identifier, one named as a column of the report.

    Notes
    -----
    k-anonymity: Sweeney (2002); distinct l-diversity: Machanavajjhala et al. (2007).

    Examples
    --------
    >>> people = pd.DataFrame({"sexe": ["F", "F", "H"], "age": ["15-24", "15-24", "65+"]})
    >>> report = k_anonymity(people, ["sexe", "age"], k=2)
    >>> report.meta["k"], report.meta["n_unique"]
    (1, 1)
    """
    named = isinstance(quasi_identifiers, str)
    columns = [str(quasi_identifiers)] if named else list(quasi_identifiers)
    wanted = columns + ([sensitive] if sensitive else [])
    faults = [
        Fault(name, "colonne absente", f"colonnes présentes : {', '.join(map(str, frame.columns))}")
        for name in wanted
        if name not in frame.columns
    ]
    taken = {"n", "enough", "distinct"}.intersection(columns)
    faults += [
        Fault(name, "nom d'une colonne du rapport", "renommer cette colonne")
        for name in sorted(taken)
    ]
    if not columns:
        faults.append(Fault("quasi_identifiers", "liste vide", "nommer au moins une colonne"))
    if faults:
        raise FaultsError("rapport refusé", faults)
    groups = frame.groupby(columns, dropna=False, observed=True, sort=False)
    table = groups.size().rename("n").to_frame()
    if sensitive:
        table["distinct"] = groups[sensitive].nunique(dropna=False)
    table["enough"] = table["n"] >= k
    table = table.sort_values("n", kind="stable").reset_index()
    return tidy(
        table,
        method="k-anonymat",
        convention="une valeur manquante est une catégorie",
        k=int(table["n"].min()) if len(table) else 0,
        wanted=k,
        n_small=int(table.loc[~table["enough"], "n"].sum()),
        n_unique=int((table["n"] == 1).sum()),
        n_in=len(frame),
        n_used=len(frame),
        lost={},
        l=int(table["distinct"].min()) if sensitive and len(table) else None,
    )


def count_people(
    frame: pd.DataFrame,
    person: str,
    rows: str,
    columns: str,
    *,
    threshold: int = 11,
) -> Suppressed:
    """Cross two columns in a table of people fit for publication.

    Parameters
    ----------
    frame : DataFrame
        Rows of people; someone is counted once in each cell.
    person, rows, columns : str
        Columns of the person and of the two variables; each person has one value of each.
    threshold : int, default 11
        Smallest cell published.

    Returns
    -------
    Suppressed
        As returned by `suppress`, with its margins.

    Raises
    ------
    BarometreError
        A column absent, a missing value, a person in two rows or columns of the table.
    """
    from barometre.secrecy.suppression import suppress

    absent = [name for name in (person, rows, columns) if name not in frame.columns]
    if absent:
        raise BarometreError(f"colonnes absentes : {', '.join(absent)}")
    people = frame[[person, rows, columns]].drop_duplicates()
    if people.isna().to_numpy().any():
        raise BarometreError(
            "valeurs manquantes dans le tableau ; les nommer (« non renseigné ») ou les retirer"
        )
    twice = people[person].duplicated()
    if twice.any():
        raise BarometreError(
            f"{counted(int(twice.sum()), 'personne')} dans plusieurs cases ;"
            " choisir une vague, ou une valeur par personne"
        )
    table = pd.crosstab(people[rows], people[columns]).rename_axis(index=None, columns=None)
    return suppress(table, threshold=threshold)


def hide_small_groups(
    table: pd.DataFrame,
    n: str = "n",
    *,
    threshold: int = 11,
    within: str | Sequence[str] | None = None,
    keep: str | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Hide the rows of a tidy table that rest on too few people.

    Parameters
    ----------
    table : DataFrame
        A tidy table with a count of people.
    n : str, default "n"
        Column of the count.
    threshold : int, default 11
        Smallest count published; zeros stay.
    within : str or sequence of str, optional
        Columns whose combinations each have a published total: where the hidden rows of such a
        group are one, or too few people together, the smallest other one is hidden too. Without
        it, the whole table is one group.
    keep : str or sequence of str, optional
        Other columns of numbers that name the rows, a wave or a duration, and stay.

    Returns
    -------
    DataFrame
        A copy with a column ``status`` (``publie``, ``secret_primaire``, ``secret_secondaire``);
        hidden rows have missing numbers, the other columns stay.

    Raises
    ------
    BarometreError
        A column absent, a count that is not a number or is negative.
    """
    keys = [within] if isinstance(within, str) else list(within or [])
    kept_as_is = {*keys, *([keep] if isinstance(keep, str) else keep or [])}
    absent = [name for name in [n, *keys, *kept_as_is] if name not in table.columns]
    if absent:
        raise BarometreError(f"colonnes absentes : {', '.join(map(str, absent))}")
    result = pd.DataFrame(table).reset_index(drop=True)
    count = as_numbers(result[n], n, missing=True)
    if (count < 0).any():
        raise BarometreError(f"{n} : un effectif négatif ; donner des nombres de personnes")
    status = np.where((count > 0) & (count < threshold), "secret_primaire", "publie").astype(object)
    groups = (
        result.groupby(keys, dropna=False, sort=False).ngroup()
        if keys
        else pd.Series(0, result.index)
    )
    for _, rows in groups.groupby(groups).groups.items():
        places = np.asarray(rows)
        hidden = places[status[places] != "publie"]
        others = places[(status[places] == "publie") & (count[places] > 0)]
        others = others[np.argsort(count[others], kind="stable")]
        # The total less what is shown gives the sum of what is hidden: neither one row nor a few
        # people. One more row is enough, since those left are above the threshold.
        if len(hidden) == 1 or 0 < count[hidden].sum() < threshold:
            status[others[:1]] = "secret_secondaire"
    result["status"] = pd.Series(status, index=result.index, dtype="str")
    numbers = [
        name
        for name in result.columns
        if pd.api.types.is_numeric_dtype(result[name]) and name not in kept_as_is
    ]
    kept = result["status"] == "publie"
    result[numbers] = result[numbers].astype("Float64").where(kept)
    return result


def _key(key_file: str | Path | None, key_variable: str | None) -> bytes:
    if (key_file is None) == (key_variable is None):
        raise BarometreError("clé : donner key_file ou key_variable, l'un des deux")
    if key_file is not None:
        try:
            key = Path(key_file).read_bytes().strip()
        except OSError as error:
            raise BarometreError(f"clé illisible : {key_file} ; voir create_key") from error
    else:
        assert key_variable is not None
        key = os.environ.get(key_variable, "").strip().encode()
        if not key:
            raise BarometreError(f"variable d'environnement {key_variable} absente ou vide")
    if len(key) < SHORTEST_KEY:
        raise BarometreError(
            f"clé de {counted(len(key), 'octet')} ; il en faut au moins {SHORTEST_KEY}"
            " (create_key en fait une)"
        )
    return key
