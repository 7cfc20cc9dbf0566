"""Models side by side, as a paper prints them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from barometre.base.errors import BarometreError
from barometre.base.face import Face, decimals_of, number_text
from barometre.cohort.impact.event_time import EventStudy
from barometre.cohort.inference.estimates import Estimate
from barometre.cohort.inference.sandwich import STANDARD_ERRORS, RobustFit
from barometre.cohort.staggered.group_time_means import Aggregation

Model = Estimate | RobustFit | EventStudy | Aggregation
_STARS = ((0.001, "***"), (0.01, "**"), (0.05, "*"))


@dataclass(frozen=True, eq=False)
class ModelTable(Face):
    """Models side by side.

    Attributes
    ----------
    long : DataFrame
        ``model, term, estimate, se, p``: the numbers.
    table : DataFrame
        One column per model, as printed: a row for each coefficient and one for its error between
        brackets, then what each model rests on.
    """

    long: pd.DataFrame
    table: pd.DataFrame

    def sentences(self) -> list[str]:
        """Write the table as text."""
        return self.table.to_string().splitlines()


def etable(
    models: Mapping[str, Model] | Sequence[Model],
    *,
    terms: Sequence[str] | None = None,
    stars: bool = False,
) -> ModelTable:
    """Put models side by side, as ``etable`` of fixest.

    Parameters
    ----------
    models : mapping or sequence
        Effects (`did`, `twfe`, an average of `att_gt`), regressions, event studies or averages of
        ATT(g,t), under their names; (1), (2)... without names.
    terms : sequence of str, optional
        Coefficients shown, in this order; all by default.
    stars : bool, default False
        Mark p under 0.05, 0.01 and 0.001 by one to three stars.

    Returns
    -------
    ModelTable
        ``table`` to print, ``long`` to compute with; ``summary()`` is the text, and a notebook
        shows HTML.

    Raises
    ------
    BarometreError
        No model, something else than a model, a term that no model has.

    Examples
    --------
    >>> from barometre.cohort.inference.estimates import make_estimate
    >>> one = make_estimate(2.0, 1.0, 10, 40, {"outcome": "score", "n_used": 20})
    >>> print(etable({"essai": one}).table.loc[["effet", ""], "essai"].tolist())
    ['2,0', '(1,0)']
    """
    if not isinstance(models, Mapping):
        models = {f"({k})": model for k, model in enumerate(models, 1)}
    wrong = [name for name, model in models.items() if not isinstance(model, Model)]
    if wrong or not models:
        raise BarometreError(
            f"modèles refusés : {', '.join(wrong) or 'aucun'} ; donner des résultats de did, twfe, "
            "event_study, feols, cluster_robust ou att_gt(...).aggregate(...)"
        )
    parts = [_coefficients(model).assign(model=name) for name, model in models.items()]
    long = pd.concat(parts, ignore_index=True)[["model", "term", "estimate", "se", "p"]]
    known = list(dict.fromkeys(long["term"]))
    shown = known if terms is None else list(terms)
    if set(shown) - set(known):
        missing = ", ".join(sorted(set(shown) - set(known)))
        raise BarometreError(f"coefficient inconnu : {missing} ; choisir parmi {', '.join(known)}")
    columns = {name: _column(long[long["model"] == name], shown, stars) for name in models}
    labels = [label for term in shown for label in (term, "")]
    facts = {name: _facts(model) for name, model in models.items()}
    words = list(dict.fromkeys(word for found in facts.values() for word in found))
    for name, found in facts.items():
        columns[name] += [found.get(word, "") for word in words]
    table = pd.DataFrame(columns, index=pd.Index([*labels, *words], name="coefficient"))
    return ModelTable(long[long["term"].isin(shown)].reset_index(drop=True), table)


def _coefficients(model: Model) -> pd.DataFrame:
    if isinstance(model, Estimate):
        return model.table.assign(term="effet")
    table = pd.DataFrame(model.table)
    if "term" in table:
        return table
    key = next((name for name in ("event_time", "group", "wave") if name in table), None)
    words = {"event_time": "durée", "group": "entrée", "wave": "vague"}
    names = "effet" if key is None else words[key] + " " + table[key].astype(str)
    return table.assign(term=names)


def _column(rows: pd.DataFrame, terms: Sequence[str], stars: bool) -> list[str]:
    """Write the coefficients of a model, and their errors."""
    written = []
    found = rows.set_index("term")
    for term in terms:
        if term not in found.index:
            written += ["", ""]
            continue
        value, error, p = (
            float(found.loc[term, name])  # type: ignore[arg-type]  # any cell of a frame
            for name in ("estimate", "se", "p")
        )
        digits = decimals_of(error)
        mark = next((mark for most, mark in _STARS if stars and p < most), "")
        written.append(number_text(value, digits) + mark)
        written.append("" if np.isnan(error) else f"({number_text(error, digits)})")
    return written


def _facts(model: Model) -> dict[str, str]:
    """Say what a model rests on."""
    meta: Mapping[str, Any] = model.meta
    rows = meta.get("n_rows", meta.get("n"))
    if isinstance(model, (Estimate, EventStudy)):
        rows = model.n
    facts = {
        "résultat": meta.get("outcome") or "",
        "lignes": "" if rows is None else number_text(rows),
        "personnes": number_text(meta["n_used"]) if meta.get("unit") != "ligne" else "",
        "grappes": number_text(meta["n_clusters"]) if meta.get("n_clusters") else "",
        "covariables": ", ".join(meta.get("adjusted") or meta.get("covariates") or []),
        "effets fixes": ", ".join(meta.get("effects") or []),
        "erreurs": next(
            (kind for kind in STANDARD_ERRORS if kind in _words(meta.get("convention"))), ""
        ),
    }
    return {word: text for word, text in facts.items() if text}


def _words(text: object) -> set[str]:
    return set(re.findall(r"\w+", str(text)))
