"""Call on plain columns what takes a frame and the names of its columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from barometre import cohort


def by_columns(function: Callable[..., Any], *parameters: str) -> Callable[..., Any]:
    """Return the function as called with columns: each becomes one of a frame, under its parameter.

    Series are taken in the order given, whatever their index.
    """

    def call(*given: Any, **options: Any) -> Any:
        named = dict(zip(parameters, given, strict=False)) | options
        columns, others = {}, {}
        for name, value in named.items():
            if name in parameters and value is not None:
                index = getattr(value, "array", value)
                columns[name] = index if np.ndim(value) else [value]
            elif name not in parameters:
                others[name] = value
        frame = pd.DataFrame(columns)
        return function(frame, **{name: name for name in columns}, **others)

    return call


KEYS = ("person", "wave")
gray_test = by_columns(cohort.gray_test, "duration", "cause", "by", "strata")
weighted_effect = by_columns(cohort.weighted_effect, "outcome", "arm", "weight", "cluster")
lee_bounds = by_columns(cohort.lee_bounds, "outcome", "arm", "cluster", "weight")
randomisation_test = by_columns(cohort.randomisation_test, "outcome", "arm", "cluster", "strata")
twfe = by_columns(cohort.twfe, "outcome", *KEYS, "treated", "cluster", "weight")
event_study = by_columns(cohort.event_study, "outcome", *KEYS, "first_treated", "cluster", "weight")
transition_counts = by_columns(cohort.transition_counts, *KEYS, "status", "weight", "by")
transition_rates = by_columns(cohort.transition_rates, *KEYS, "status", "weight", "by")
state_distribution = by_columns(cohort.state_distribution, *KEYS, "status", "weight", "by")
mean_time = by_columns(cohort.mean_time, *KEYS, "status", "weight", "by")
participation_patterns = by_columns(cohort.participation_patterns, *KEYS, "observed")
waves_per_person = by_columns(cohort.waves_per_person, *KEYS, "observed")
retention = by_columns(cohort.retention, *KEYS, "observed", "by")
exits = by_columns(cohort.exits, *KEYS, "reason", "observed", "by")


def did(outcome: Any, arm: Any, post: Any, **options: Any) -> Any:
    """Compare rows that are each of another person, whose wave is the side of ``post``."""
    rows = by_columns(cohort.did, "outcome", "arm", "post", "person", "wave", "cluster", "weight")
    return rows(outcome, arm, post, range(len(arm)), np.asarray(post) * 1, **options)


def with_design(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a regression as called with a matrix: its columns are ``x0, x1...`` or their names."""

    def call(outcome: Any, design: Any, cluster: Any = None, **options: Any) -> Any:
        terms = pd.DataFrame(design).reset_index(drop=True)
        if not isinstance(design, pd.DataFrame):
            terms.columns = pd.Index([f"x{j}" for j in range(terms.shape[1])])
        frame = terms.copy()
        frame["(y)"] = getattr(outcome, "array", outcome)
        named = {}
        for name, value in {"cluster": cluster, "weight": options.pop("weight", None)}.items():
            if value is not None:
                frame[f"({name})"] = getattr(value, "array", value)
                named[name] = f"({name})"
        return function(frame, "(y)", list(terms.columns), **named, **options)

    return call


cluster_robust = with_design(cohort.cluster_robust)
wild_bootstrap = with_design(cohort.wild_bootstrap)
