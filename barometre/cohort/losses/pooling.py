"""Rubin's rules: one estimate from those of several completed data sets."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.base.face import decimals_of, interval_text, number_text, p_text, percent_text
from barometre.base.tidy import Tidy, tidy
from barometre.cohort.inference.estimates import student_interval

_KEYS = ("term", "group", "wave", "event_time", "variable")
_ONE = 1e-12  # relative variance between imputations that is rounding


def rubin(results: Iterable[Any]) -> Tidy:
    """Combine what one estimator gave on each completed data set (Rubin, 1987).

    Parameters
    ----------
    results : iterable
        At least two results of one estimator: `Estimate`, or anything whose ``table`` has the
        columns ``estimate`` and ``se``, and ``df`` where it is finite (coefficients, event times,
        groups...), in the same rows.

    Returns
    -------
    Tidy
        A row a coefficient: what names it in the results (``term``, ``event_time``...), then
        ``estimate, se, low, high, df, p`` (95 %), ``within`` and ``between`` (variances), and
        ``fmi``, the share of the information that is missing. Nothing between data sets gives the
        error and the degrees of freedom of one of them.

    Raises
    ------
    BarometreError
        Fewer than two results, no estimate and error in them, or other rows from one to the next.

    Notes
    -----
    Variance: mean of the variances plus (1 + 1/m) times the variance of the estimates. Degrees of
    freedom: Barnard & Rubin (1999, Biometrika 86), from those of the complete data, the smallest
    of the results. Missing information: Rubin (1987), (r + 2 / (df + 3)) / (r + 1).

    Examples
    --------
    >>> waves = [pd.DataFrame({"estimate": [x], "se": [1.0]}) for x in (2.0, 3.0, 4.0)]
    >>> rubin(waves)[["estimate", "se", "df"]].round(3).to_numpy().tolist()
    [[3.0, 1.528, 6.125]]
    """
    results = list(results)
    tables = [_table(one) for one in results]
    if len(tables) < 2:
        raise BarometreError("une seule imputation : les règles de Rubin en demandent deux ou plus")
    keys = [name for name in _KEYS if name in tables[0]]
    for other in tables[1:]:
        if len(other) != len(tables[0]) or not other.reindex(columns=keys).equals(
            tables[0].reindex(columns=keys)
        ):
            raise BarometreError(
                "les résultats n'ont pas les mêmes lignes d'une imputation à l'autre ; donner le"
                " même estimateur, dont les catégories ne changent pas"
            )
    estimate, se, df = (
        np.array([_numbers(one, name) for one in tables]) for name in ("estimate", "se", "df")
    )
    meta = dict(getattr(results[0], "meta", {}))
    pooled = pd.concat([tables[0][keys], _pooled(estimate, se, df.min(axis=0))], axis=1)
    return tidy(pooled, sentences=_sentences, **_said(meta, len(tables), pooled))


def _table(result: Any) -> pd.DataFrame:
    table = result if isinstance(result, pd.DataFrame) else getattr(result, "table", None)
    if not isinstance(table, pd.DataFrame) or not {"estimate", "se"} <= set(table.columns):
        raise BarometreError(
            f"{type(result).__name__} : ni « estimate » ni « se » à combiner ; donner des résultats"
            " d'un estimateur (did, twfe, weighted_effect...)"
        )
    return pd.DataFrame(table).reset_index(drop=True)


def _numbers(table: pd.DataFrame, name: str) -> Floats:
    if name not in table:
        return np.full(len(table), np.inf)
    return table[name].to_numpy(np.float64, na_value=np.nan)


def _pooled(estimate: Floats, se: Floats, complete: Floats) -> pd.DataFrame:
    """Combine estimates and errors: imputations x coefficients, and their degrees of freedom."""
    m = len(estimate)
    mean, within = estimate.mean(axis=0), (se**2).mean(axis=0)
    between = estimate.var(axis=0, ddof=1)
    between = np.where(between > _ONE * np.maximum(within, mean**2), between, 0.0)
    added = (1 + 1 / m) * between
    total = within + added
    with np.errstate(divide="ignore", invalid="ignore"):
        share = added / total  # of the variance that comes from the imputations
        of_draws = (m - 1) / share**2
        of_data = (complete + 1) / (complete + 3) * complete * (1 - share)
        finite = of_draws * of_data / (of_draws + of_data)
        df = np.where(np.isinf(complete), of_draws, finite)
        df = np.where(between > 0, df, complete)
        growth = added / within
        fmi = np.where(between > 0, (growth + 2 / (df + 3)) / (growth + 1), 0.0 * total)
    _, p, low, high = student_interval(mean, np.sqrt(total), df)
    columns = {"estimate": mean, "se": np.sqrt(total), "low": low, "high": high, "df": df, "p": p}
    return pd.DataFrame({**columns, "within": within, "between": between, "fmi": fmi})


def _said(meta: dict[str, Any], m: int, pooled: pd.DataFrame) -> dict[str, Any]:
    """Say what was combined, and when imputations are too few."""
    worst = float(pooled["fmi"].max()) if pooled["fmi"].notna().any() else 0.0
    names = ("outcome", "n_in", "n_used", "lost")
    kept: dict[str, Any] = {name: meta[name] for name in names if name in meta}
    kept["method"] = f"{meta.get('method', 'estimation')}, {m} imputations (règles de Rubin)"
    first = f"{meta['convention']} ; " if meta.get("convention") else ""
    kept["convention"] = f"{first}ddl de Barnard et Rubin (1999)"
    kept["imputations"] = m
    if 100 * worst > m:
        kept["caution"] = (
            f"{m} imputations pour {percent_text(worst)} d'information manquante : en tirer au"
            f" moins {math.ceil(100 * worst)} (White, Royston et Wood, 2011)"
        )
    return kept


def _sentences(table: pd.DataFrame) -> list[str]:
    keys = [name for name in _KEYS if name in table]
    lines = []
    for row in table.to_dict("records"):
        name = ", ".join(str(row[key]) for key in keys) or "Effet estimé"
        if math.isnan(row["se"]):
            lines.append(f"{name} : {number_text(row['estimate'])}, sans erreur.")
            continue
        digits = decimals_of(row["se"])
        lines.append(
            f"{name} : {number_text(row['estimate'], digits)}, intervalle à 95 %"
            f" {interval_text(row['low'], row['high'], digits)}, {p_text(row['p'])} ; information"
            f" manquante : {percent_text(row['fmi'])}."
        )
    return lines
