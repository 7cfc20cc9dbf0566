"""Several outcomes, several tests: p-values adjusted within declared families."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.base.face import counted_text, p_text
from barometre.base.frames import check_frame
from barometre.base.french import format_number
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.rows.columns import as_numbers

Method = Literal["holm", "bh", "bonferroni", "hochberg", "hommel", "by"]
METHODS: tuple[Method, ...] = get_args(Method)

_STATSMODELS: dict[Method, str] = {
    "holm": "holm",
    "bh": "fdr_bh",
    "bonferroni": "bonferroni",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "by": "fdr_by",
}
_OTHER_NAMES: dict[str, Method] = {
    "benjamini-hochberg": "bh",
    "benjamini_hochberg": "bh",
    "fdr": "bh",
    "fdr_bh": "bh",
    "benjamini-yekutieli": "by",
    "fdr_by": "by",
    "simes-hochberg": "hochberg",
}
_CONVENTIONS: dict[Method, str] = {
    "holm": "Holm (1979) : risque d'au moins une fausse découverte",
    "bh": "Benjamini, Hochberg (1995) : part attendue de fausses découvertes",
    "bonferroni": "Bonferroni : risque d'au moins une fausse découverte",
    "hochberg": "Hochberg (1988) : risque d'au moins une fausse découverte, tests indépendants",
    "hommel": "Hommel (1988) : risque d'au moins une fausse découverte, tests indépendants",
    "by": "Benjamini, Yekutieli (2001) : part attendue de fausses découvertes, dépendance libre",
}
_COLUMNS = ["family", "outcome", "p"]
_ONLY = "unique"  # name of the family when none is declared


def adjust_pvalues(families: Any, method: str = "holm") -> Tidy:
    """Adjust p-values for their number, within each declared family of outcomes.

    Parameters
    ----------
    families : mapping, DataFrame, Series or sequence
        Family to its p-values (a mapping or Series of outcome to p, or a sequence); or a frame with
        columns ``family, outcome, p``; or a Series indexed by (family, outcome); or the p-values of
        a single family (a mapping or Series of outcome to p, or a sequence).
    method : {"holm", "bh", "bonferroni", "hochberg", "hommel", "by"}, default "holm"
        ``"holm"`` bounds the risk of one false discovery in the family, ``"bh"`` (or
        ``"benjamini-hochberg"``) the expected share of false ones. Upper case is admitted.

    Returns
    -------
    DataFrame
        ``family, outcome, p, p_adjusted, method, m``, in the order received; ``m`` is the number of
        tests of the family. A missing p stays missing and is not counted in ``m`` (as in R). No row
        for an empty family; outcomes without name are numbered from 1; the family is ``"unique"``
        when none is declared. ``meta`` holds ``method``, ``convention``, ``n_in``, ``n_used``,
        ``lost``.

    Raises
    ------
    BarometreError
        A p-value outside 0-1 or not numeric, an outcome twice in a family, a missing name of family
        or outcome, columns that are absent, an unknown method.

    Notes
    -----
    Holm (1979), Benjamini and Hochberg (1995); computed by statsmodels. Families are declared
    before looking at the results: adjusting within families chosen afterwards protects nothing.

    Examples
    --------
    >>> families = {"emploi": {"cdi": 0.01, "salaire": 0.04}, "santé": {"renoncement": 0.03}}
    >>> adjust_pvalues(families)[["family", "outcome", "p_adjusted", "m"]]
       family      outcome  p_adjusted  m
    0  emploi          cdi        0.02  2
    1  emploi      salaire        0.04  2
    2   santé  renoncement        0.03  1
    """
    chosen = _method(method)
    frame = _frame(families)
    unnamed = frame[["family", "outcome"]].isna().any(axis=1)
    if unnamed.any():
        raise BarometreError("une famille ou un résultat n'a pas de nom : le compléter")
    twice = frame.duplicated(["family", "outcome"])
    if twice.any():
        who = frame.loc[twice, ["family", "outcome"]].iloc[0]
        raise BarometreError(
            f"famille « {who['family']} » : « {who['outcome']} » est donné deux fois ; nommer "
            "chaque résultat une seule fois"
        )
    p = as_numbers(frame["p"], "p", missing=True) if len(frame) else np.array([])
    wrong = np.flatnonzero((p < 0) | (p > 1))
    if len(wrong):
        place = frame.iloc[wrong[0]]
        raise BarometreError(
            f"famille « {place['family']} », résultat « {place['outcome']} » : p = "
            f"{format_number(p[wrong[0]])} ; une probabilité est entre 0 et 1"
        )
    adjusted, tests = np.full(len(p), np.nan), np.zeros(len(p), np.int64)
    for rows in frame.groupby("family", sort=False).indices.values():
        known = rows[~np.isnan(p[rows])]
        adjusted[known] = _adjusted(p[known], chosen)
        tests[rows] = len(known)
    result = frame[["family", "outcome"]].assign(p=p, p_adjusted=adjusted, method=chosen, m=tests)
    lost = int(np.isnan(p).sum())
    return tidy(
        result,
        sentences=_sentences,
        unit="test",
        method=chosen,
        convention=_CONVENTIONS[chosen],
        n_in=len(p),
        n_used=len(p) - lost,
        lost={"p manquant": lost} if lost else {},
    )


def _sentences(table: pd.DataFrame) -> list[str]:
    """Say each outcome: its p-value, adjusted for the tests of its family."""
    return [
        f"{row['family']}, {row['outcome']} : {p_text(row['p'])} ; ajusté, "
        f"{p_text(row['p_adjusted'])} ({counted_text(row['m'], 'test')})."
        for row in table.to_dict("records")
    ]


def _method(name: str) -> Method:
    asked = str(name).lower()
    for known in METHODS:
        if asked == known or _OTHER_NAMES.get(asked) == known:
            return known
    raise UnknownNameError("nom de méthode", str(name), METHODS)


def _adjusted(p: Floats, method: Method) -> Floats:
    from statsmodels.stats.multitest import multipletests

    if not len(p):
        return p
    return np.asarray(multipletests(p, method=_STATSMODELS[method])[1], float)


def _frame(families: Any) -> pd.DataFrame:
    """Put the admitted forms in columns family, outcome, p."""
    if isinstance(families, pd.DataFrame):
        check_frame(families, "tests refusés", _COLUMNS)
        return families[_COLUMNS].reset_index(drop=True)
    if isinstance(families, pd.Series) and families.index.nlevels == 2:
        keys = families.index
        parts = [keys.get_level_values(0), keys.get_level_values(1), families.array]
        return pd.DataFrame(dict(zip(_COLUMNS, parts, strict=True)))
    if isinstance(families, Mapping) and any(map(_is_family, families.values())):
        alone = [str(name) for name, values in families.items() if not _is_family(values)]
        if alone:
            raise BarometreError(
                f"{', '.join(alone)} : une p-valeur seule parmi des familles ; donner "
                "{famille: {résultat: p}}"
            )
        frames = [_one_family(name, values) for name, values in families.items()]
        filled = [frame for frame in frames if len(frame)]
        return pd.concat(filled, ignore_index=True) if filled else frames[0]
    return _one_family(_ONLY, families)


def _is_family(values: Any) -> bool:
    return isinstance(values, (Mapping, pd.Series)) or np.ndim(values) > 0


def _one_family(name: Any, values: Any) -> pd.DataFrame:
    if isinstance(values, (str, bytes)) or not _is_family(values):
        raise BarometreError(
            f"« {name} » : donner des p-valeurs (liste, Series ou dictionnaire), pas "
            f"{type(values).__name__}"
        )
    if isinstance(values, Mapping):
        outcomes: Sequence[Any] = list(values)
        p: Any = list(values.values())
    elif isinstance(values, pd.Series):
        plain = isinstance(values.index, pd.RangeIndex)
        outcomes = list(range(1, len(values) + 1)) if plain else list(values.index)
        p = values.array
    else:
        if np.ndim(values) != 1:
            raise BarometreError(f"« {name} » : donner les p-valeurs sur une seule dimension")
        p = list(values)
        outcomes = list(range(1, len(p) + 1))
    frame = pd.DataFrame({"outcome": pd.Series(outcomes, dtype=object), "p": p})
    return frame.assign(family=name)[_COLUMNS]
