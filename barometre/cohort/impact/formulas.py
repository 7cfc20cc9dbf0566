"""Regressions written as formulas, for those who think in them: ``"y ~ x1 + x2 | id + wave"``."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats, Integers
from barometre.base.errors import BarometreError, counted
from barometre.base.tidy import tidy
from barometre.cohort.impact.absorbed import fit_absorbed, singletons_of
from barometre.cohort.inference.estimates import student_interval, term_sentences
from barometre.cohort.inference.sandwich import (
    CONVENTIONS,
    UNCLUSTERED,
    LeastSquares,
    RobustFit,
    StandardError,
    check_standard_error,
    least_squares,
    sandwich,
)
from barometre.cohort.rows.columns import as_codes, as_numbers, as_weights, require_columns
from barometre.cohort.rows.keys import positions
from barometre.cohort.rows.panel import PanelRows

if TYPE_CHECKING:
    from formulaic import Formula

_FORM = "écrire « y ~ x1 + x2 » ou « y ~ x1 + x2 | effet1 + effet2 »"


def feols(
    formula: str,
    frame: pd.DataFrame,
    *,
    cluster: str | None = None,
    weight: str | None = None,
    se: StandardError = "CR1",
) -> RobustFit:
    """Least squares written as a formula, fixed effects after a bar, as ``feols`` of fixest.

    Parameters
    ----------
    formula : str
        ``"y ~ x1 + x2"``, or ``"y ~ x1 + x2 | id + wave"`` with fixed effects, of any number of
        levels. Formulas are those of formulaic: ``C(x)`` for indicators, ``a:b`` and ``a*b``,
        ``log(x)``, ``poly(x, 2)``. Effects are columns, or columns crossed (``zone^wave``).
    frame : DataFrame
        One row per observation. Rows with a missing value in a column of the model are left out,
        and counted column by column.
    cluster : str, optional
        Column of the cluster; the first fixed effect by default.
    weight : str, optional
        Column of positive weights.
    se : {"CR1", "CR2", "HC1", "iid", "CR0", "CR1S", "CR3"}, default "CR1"
        Standard error: see `twfe`. Without effects nor cluster, ``"HC1"`` or ``"iid"`` is asked
        for.

    Returns
    -------
    RobustFit
        As `cluster_robust`. ``meta["effects"]`` gives the levels of each effect,
        ``meta["dropped"]`` the terms that others or the effects explain, ``meta["singletons"]`` the
        rows alone in a level, which are kept and tell nothing.

    Raises
    ------
    BarometreError
        A formula that cannot be read, columns absent, an outcome that is not one column, nothing
        left to estimate, fewer than 2 clusters, instruments (a second bar).

    Notes
    -----
    Effects are removed exactly (Frisch, Waugh, 1933): see `barometre.cohort.impact.absorbed`. CR1
    counts as parameters the levels that are not nested in clusters, those that others determine
    left out; fixest, with three effects or more, counts the latter too. CR2 and CR3 keep as columns
    the effects that are not nested in clusters, and refuse more of them than memory holds.

    Examples
    --------
    >>> rows = pd.DataFrame({"id": list("aabbccdd"), "t": [0, 1] * 4,
    ...                      "on": [0, 0, 0, 0, 0, 1, 0, 1], "score": [1, 2, 1, 3, 1, 5, 2, 5]})
    >>> fit = feols("score ~ on | id + t", rows)
    >>> fit.table[["term", "estimate", "df"]].round(9).values.tolist()
    [['on', 2.0, 3.0]]
    """
    check_standard_error(se)
    parsed, effects = _parsed(formula)
    named = [name for effect in effects for name in effect]
    own = cluster is None and bool(effects) and se not in UNCLUSTERED
    if se in UNCLUSTERED:
        cluster = None
    elif own:
        cluster = _written(effects[0])
    wanted = [*_variables(parsed, frame), *named]
    columns = list(dict.fromkeys([*wanted, *([] if own or not cluster else [cluster])]))
    if weight is not None:
        columns = list(dict.fromkeys([*columns, weight]))
    require_columns(frame, columns)
    rows, lost = _complete(frame, columns)
    y, x, names = _matrices(parsed, rows, formula, constant=not effects)
    codes = [_effect(rows, effect) for effect in effects]
    groups = codes[0] if own else None if cluster is None else as_codes(rows[cluster], cluster)[0]
    mass = None if weight is None else as_weights(rows[weight], weight)
    fit = _fit(y, x, names, codes, groups, mass, se)
    dropped = [name for name in names if name not in fit.names]
    sizes = {
        _written(effect): int(code.max()) + 1 for effect, code in zip(effects, codes, strict=True)
    }
    shown = f"{cluster} (le premier effet fixe, faute de cluster=)" if own else cluster
    caution = {"caution": f"expliqués par les autres, écartés : {', '.join(dropped)}"}
    outcome = formula.partition("~")[0].strip()
    kind = "moindres carrés" + " à effets fixes" * bool(effects)
    meta: dict[str, Any] = {
        "method": f"{kind} sur « {outcome} »",
        "convention": CONVENTIONS[se],
        "formula": formula,
        "outcome": outcome,
        "n": len(y),
        "n_in": len(frame),
        "n_used": len(y),
        "unit": "ligne",
        "lost": lost,
        "cluster": shown,
        "weight": weight,
        "n_clusters": None if groups is None else int(groups.max()) + 1,
        "effects": sizes,
        "singletons": singletons_of(codes),
        "dropped": dropped,
        **(caution if dropped else {}),
    }
    return _result(fit, groups, se, meta)


def panel_feols(
    panel: PanelRows,
    formula: str,
    *,
    cluster: str | None = None,
    weight: str | None = None,
    se: StandardError = "CR1",
) -> RobustFit:
    """Estimate `feols` on a panel, whose cluster and weight are used unless others are named."""
    return feols(
        formula,
        panel.frame,
        cluster=cluster or panel.cluster or panel.person,
        weight=weight or panel.weight,
        se=se,
    )


def _parsed(formula: str) -> tuple[Formula, list[tuple[str, ...]]]:
    """Read a formula: its two sides, and the columns of each fixed effect."""
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    if not isinstance(formula, str) or formula.count("~") != 1:
        raise BarometreError(f"formule refusée : {formula!r} ; {_FORM}")
    left, *bars = formula.split("|")
    if len(bars) > 1:
        raise BarometreError(
            f"formule refusée : « {formula} » ; une seule barre, celle des effets fixes (pas de "
            "variables instrumentales)"
        )
    try:
        parsed = Formula(left)
        terms = list(Formula(bars[0].replace("^", ":") + " - 1")) if bars else []
    except FormulaicError:
        raise BarometreError(f"formule illisible : « {formula} » ; {_FORM}") from None
    if not hasattr(parsed, "lhs") or len(list(parsed.lhs)) != 1:
        raise BarometreError(f"formule refusée : « {formula} », un seul résultat ; {_FORM}")
    effects = [tuple(str(factor.expr) for factor in term.factors) for term in terms]
    odd = [name for effect in effects for name in effect if "(" in name]
    if odd or (bars and not effects):
        raise BarometreError(
            f"effets fixes refusés : {', '.join(odd) or 'aucun'} ; nommer des colonnes"
        )
    return parsed, effects


def _variables(parsed: Formula, frame: pd.DataFrame) -> list[str]:
    """Name the columns of a formula: those looked up, and those that its functions take."""
    found, functions = {str(name) for name in parsed.required_variables}, set()
    for side in (parsed.lhs, parsed.rhs):
        for factor in (factor for term in side for factor in term.factors):
            try:
                nodes = [*ast.walk(ast.parse(str(factor.expr), mode="eval"))]
            except SyntaxError:  # a name between backquotes, which is looked up
                continue
            called = {node.func for node in nodes if isinstance(node, ast.Call)}
            names = {node for node in nodes if isinstance(node, ast.Name)}
            functions |= {node.id for node in names & called}
            found |= {node.id for node in names - called if node.id in frame.columns}
    return sorted(name for name in found if name in frame.columns or name not in functions)


def _written(effect: Sequence[str]) -> str:
    return "^".join(effect)


def _complete(frame: pd.DataFrame, columns: Sequence[str]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep the rows complete in some columns, plain numbers where there are; count the others."""
    rows = frame[[*columns]].reset_index(drop=True)
    lost: dict[str, int] = {}
    missing = np.zeros(len(rows), np.bool_)
    for name in columns:
        absent = rows[name].isna().to_numpy() & ~missing
        if absent.any():
            lost[f"{name} manquant"] = int(absent.sum())
            missing |= absent
    if missing.all():
        raise BarometreError("aucune ligne complète : vérifier les colonnes de la formule")
    rows = rows[~missing].reset_index(drop=True) if missing.any() else rows
    plain: dict[str, pd.Series[Any]] = {}
    for name in columns:
        column = rows[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            plain[name] = column.cat.remove_unused_categories()
        elif pd.api.types.is_string_dtype(column.dtype):
            plain[name] = column.astype("category")
        elif pd.api.types.is_bool_dtype(column.dtype):
            plain[name] = column.astype(np.int64)
        elif pd.api.types.is_numeric_dtype(column.dtype) and not isinstance(column.dtype, np.dtype):
            plain[name] = column.astype(np.float64)
    return rows.assign(**plain), lost


def _matrices(
    parsed: Formula, rows: pd.DataFrame, formula: str, *, constant: bool
) -> tuple[Floats, Floats, list[str]]:
    """Evaluate both sides; the constant is left to the fixed effects, when there are."""
    from formulaic.errors import FormulaicError

    try:
        with np.errstate(all="ignore"):  # what is not finite is refused below
            made = parsed.get_model_matrix(rows, context={}, na_action="ignore")
    except FormulaicError:
        raise BarometreError(
            f"formule refusée : « {formula} » ; une fonction inconnue, ou un texte pris pour un "
            "nombre : C(colonne) en fait des indicatrices"
        ) from None
    left, right = pd.DataFrame(made.lhs), pd.DataFrame(made.rhs)
    if left.shape[1] != 1:
        raise BarometreError(f"formule refusée : « {formula} », le résultat n'est pas un nombre")
    right = right.rename(columns={"Intercept": "const"})
    if not constant:
        right = right.drop(columns="const", errors="ignore")
    if not right.shape[1]:
        raise BarometreError(f"formule refusée : « {formula} », rien à estimer ; {_FORM}")
    y = as_numbers(left.iloc[:, 0], str(left.columns[0]))
    x = np.column_stack([as_numbers(right[name], str(name)) for name in right.columns])
    return y, np.asfortranarray(x, float), [str(name) for name in right.columns]


def _effect(rows: pd.DataFrame, effect: Sequence[str]) -> Integers:
    """Number the levels of an effect, of one column or of several crossed."""
    code, _ = positions(rows[effect[0]])
    for name in effect[1:]:
        other, levels = positions(rows[name])
        code, _ = positions(pd.Series(code.astype(np.int64) * len(levels) + other))
    return code


def _fit(
    y: Floats,
    x: Floats,
    names: Sequence[str],
    codes: list[Integers],
    groups: Integers | None,
    weight: Floats | None,
    se: StandardError,
) -> LeastSquares:
    if codes:
        fit = fit_absorbed(
            y, list(x.T), names, codes, weight=weight, cluster=groups, columns=se in ("CR2", "CR3")
        )
    else:
        fit = least_squares(y, x, names, weight=weight, nuisance=len(names))
    if not fit.names:
        raise BarometreError(
            f"{', '.join(names)} : {counted(len(codes), 'effet fixe', 'effets fixes')} et le reste "
            "l'expliquent tout entier ; rien à estimer"
        )
    return fit


def _result(
    fit: LeastSquares, groups: Integers | None, se: StandardError, meta: dict[str, Any]
) -> RobustFit:
    vcov, df, satterthwaite = sandwich(fit, groups, meta["n_clusters"], se, details=False)
    root = np.sqrt(np.diag(vcov))
    statistic, p, low, high = student_interval(fit.coef, root, df)
    table = pd.DataFrame({"term": list(fit.names), "estimate": fit.coef, "se": root})
    table["statistic"], table["df"], table["p"] = statistic, df, p
    table["low"], table["high"], table["df_satterthwaite"] = low, high, satterthwaite
    shown = tidy(table, sentences=term_sentences, **meta)
    return RobustFit(shown, pd.DataFrame(vcov, index=fit.names, columns=fit.names))
