"""What is computed of the synthetic cohort: figures only, without the words of the page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from barometre.cohort import (
    Cohort,
    balance_test,
    count_people,
    decompose_change,
    hide_small_groups,
    k_anonymity,
    kaplan_meier,
    logrank,
    minimum_detectable_effect,
    protect,
    rmst,
    sample_size,
    stayers_and_lost,
    survival_quantile,
)
from barometre.datasets.synthetic_cohort import ELSEWHERE
from barometre.pages.cohort.drawn import COVARIATES, ENTRIES, THRESHOLD, Drawn, draw
from barometre.pages.cohort.effects import again, effects
from barometre.secrecy.lines import PUBLISHED

ARMS = {1: "Bénéficiaires", 0: "Comparaison"}
JOB = "emploi"
MASKED = "effectifs masqués"
ICC = 0.02
"""Correlation within neighbourhoods supposed when whole ones would be assigned."""

_NAMES = {
    "income": "revenu mensuel (€)",
    "age": "âge (ans)",
    "sex=F": "femmes (%)",
    "diploma=aucun diplôme": "aucun diplôme (%)",
    "diploma=CAP ou BEP": "CAP ou BEP (%)",
    "diploma=bac ou plus": "bac ou plus (%)",
}
_DRAWS = 300


def compute_findings(seed: int, n: int) -> dict[str, Any]:
    """Compute everything the page shows.

    Parameters
    ----------
    seed : int
        Seed of the cohort and of the draws.
    n : int
        People.

    Returns
    -------
    dict
        One entry per section of the page; nothing in it that rests on fewer people than the
        threshold goes out without being hidden.
    """
    drawn = draw(seed, n)
    found, follow_up = effects(drawn), _follow_up(drawn)
    return {
        "drawn": drawn,
        "truth": drawn.truth,
        "entries": ENTRIES,
        "n": drawn.cohort.n_people,
        "sizes": {name: int((drawn.first["arm"] == arm).sum()) for arm, name in ARMS.items()},
        "n_zones": int(drawn.first["baseline_zone"].nunique()),
        **found,
        "again": again(drawn),
        "follow_up": follow_up,
        "losses": _losses(drawn),
        "balance": _balance(drawn, found["weights"]["treatment"].balance),
        "job": _job(drawn, found["weights"]["treatment"].weight),
        "place": _place(drawn),
        "statuses": _statuses(drawn.cohort, follow_up["hidden"]),
        "size": _size(drawn),
        "protection": _protection(drawn),
    }


# ---- follow-up and losses -----------------------------------------------------------------------


def _follow_up(drawn: Drawn) -> dict[str, Any]:
    shown = pd.DataFrame(protect(drawn.cohort.retention("arm"), threshold=THRESHOLD))
    shown["hidden"] = shown["status"] != PUBLISHED
    lost = drawn.cohort.frame[drawn.cohort.frame["exit_reason"].notna()]
    people = lost.assign(bras=lost["arm"].map(ARMS))
    reasons = count_people(people, "person", "exit_reason", "bras", threshold=THRESHOLD)
    return {
        "retention": {
            wave: {ARMS[row["group"]]: row for _, row in rows.iterrows()}
            for wave, rows in shown.groupby("wave")
        },
        "hidden": shown.set_index(["group", "wave"])["hidden"],
        "any_hidden": bool(shown["hidden"].any()),
        "reasons": reasons.table,
    }


def _losses(drawn: Drawn) -> dict[str, Any]:
    rates = drawn.cohort.attrition().set_index("group")
    model = drawn.cohort.attrition_model(["arm", *COVARIATES])
    rows = {}
    for arm, name in ARMS.items():
        here = drawn.first[drawn.first["arm"] == arm]
        table = stayers_and_lost(here, "lost", list(COVARIATES)).set_index("variable")
        rows[name] = {
            "income": table.loc["income"],
            "diploma": table.loc["diploma=aucun diplôme"],
        }
    return {"rates": rates, "model": model, "who": rows}


def _balance(drawn: Drawn, weighted: pd.DataFrame) -> dict[str, Any]:
    rows = pd.DataFrame(weighted).set_index("variable").loc[list(_NAMES)]
    worst = rows["smd_before"].abs().idxmax()
    return {
        "rows": [(_NAMES[str(name)], 100 if "%" in _NAMES[str(name)] else 1, row)
                 for name, row in rows.iterrows()],
        "worst": _NAMES[str(worst)].split(" (")[0],
        "worst_smd": float(rows["smd_before"].abs().max()),
        "left_smd": float(rows["smd"].abs().max()),
        "test": balance_test(drawn.first, "arm", list(COVARIATES)),
    }  # fmt: skip


# ---- employment, statuses -----------------------------------------------------------------------


def _job(drawn: Drawn, weight: pd.Series[float]) -> dict[str, Any]:
    """Time to the first job of those without one at first, arms as they are and alike."""
    frame = drawn.cohort.frame
    idle = drawn.first.index[drawn.first["status"] != JOB]
    rows = frame[frame["person"].isin(idle)]
    cohort = Cohort(rows, person="person", wave="wave", arm="arm", status="status")
    times = cohort.time_to_event(JOB)
    curve = pd.DataFrame(cohort.kaplan_meier(JOB, "arm"))
    alike = kaplan_meier(
        times["duration"], times["event"], times["arm"],
        weight=weight.reindex(times["person"]).to_numpy(),
    )  # fmt: skip
    counts = curve[["n_risk", "n_event", "n_censor"]].to_numpy()
    return {
        "n": len(idle),
        "curve": curve[curve["n_risk"] >= THRESHOLD],
        "safe": not ((counts > 0) & (counts < THRESHOLD)).any(),
        "median": survival_quantile(curve).set_index("group")["quantile"],
        "without": curve.groupby("group")["survival"].last(),
        "without_alike": alike.groupby("group")["survival"].last(),
        "mean": rmst(times["duration"], times["event"], by=times["arm"]).set_index("group"),
        "test": logrank(times["duration"], times["event"], times["arm"]),
    }


def _statuses(cohort: Cohort, hidden_waves: pd.Series[bool]) -> dict[str, Any]:
    """Count the statuses at the waves shown of each arm: they tell how many are lost."""
    keys = ["group", "wave"]
    table = pd.DataFrame(cohort.state_distribution("arm", missing="state"))
    at = pd.MultiIndex.from_frame(table[keys])
    table = table[~hidden_waves.reindex(at).to_numpy()].drop(columns="entropy")
    table = table.reset_index(drop=True)
    status = hide_small_groups(table[[*keys, "state", "n"]], threshold=THRESHOLD, within=keys)
    # Where even the total of a wave is secret, adding its small states up would tell it.
    told = (status["total_status"] == PUBLISHED).to_numpy()
    table, status = table[told].reset_index(drop=True), status[told]
    hidden = (status["status"] != PUBLISHED).to_numpy()
    if hidden.any():
        # Small states of a wave are added up: what is hidden stays in the total.
        rest = table.assign(n=table["n"].where(hidden, 0), share=table["share"].where(hidden, 0.0))
        rest = rest.groupby(keys, as_index=False)[["n", "share"]].sum().assign(state=MASKED)
        table = table.assign(n=table["n"].mask(hidden, 0), share=table["share"].mask(hidden, 0.0))
        table = pd.concat([table, rest])
        table = table.sort_values(keys, kind="stable", ignore_index=True)
    jobs = table[table["state"] == JOB].set_index(["group", "wave"])["share"]
    return {"table": table, "jobs": jobs}


# ---- place --------------------------------------------------------------------------------------


def _place(drawn: Drawn) -> dict[str, Any]:
    """Decompose the change of the neighbourhood with most arrivals, among those still followed.

    Only then is the later income of every leaver known, and the place compared with its people.
    """
    frame = drawn.cohort.frame
    known = frame[frame["person"].isin(drawn.first.index[drawn.first["seen"] == 1])]
    first, last = (
        known[known["wave"] == wave].set_index("person") for wave in (drawn.start, drawn.last)
    )
    arrivals = last["zone"][(last["zone"] != first["zone"]) & (last["zone"] != ELSEWHERE)]
    zone = arrivals.value_counts().sort_index().idxmax()
    here, there = first["zone"] == zone, last["zone"] == zone
    change = decompose_change(
        first.loc[here, "income"],
        last.loc[there, "income"],
        leavers_after=last.loc[here & ~there, "income"],
        household=last["household"],
        draws=_DRAWS,
        seed=drawn.seed,
    )
    published = change.published(THRESHOLD).set_index("component")
    whole = bool((published["status"] == PUBLISHED).all())
    limits = change.table.set_index("component")[["low", "high"]]
    return {
        "change": change,
        # Values that stay beside a hidden group are rounded: their limits, in full, would tell it.
        "rows": published.join(limits if whole else limits * np.nan),
        "all_published": whole,
        "n_followed": int(drawn.first["seen"].sum()),
    }


# ---- size, protection ---------------------------------------------------------------------------


def _size(drawn: Drawn) -> dict[str, Any]:
    first = drawn.first
    both = drawn.two_dates.frame.pivot(index="person", columns="wave", values="income").dropna()
    n_treated, n_control = int((first["arm"] == 1).sum()), int((first["arm"] == 0).sum())
    plan: dict[str, Any] = {
        "sd": float(both[drawn.before].std()),
        "waves_pre": 1,
        "correlation": float(np.corrcoef(both.to_numpy().T)[0, 1]),
        "attrition": float(first["lost"].mean()),
    }
    zones: dict[str, Any] = {
        "cluster_size": len(first) / first["baseline_zone"].nunique(),
        "icc": ICC,
    }
    wanted = abs(drawn.truth) / 2 or plan["sd"] / 10
    ratio = n_control / n_treated
    return {
        **plan,
        "icc": ICC,
        "mde": minimum_detectable_effect(n_treated, n_control, **plan),
        "mde_zones": minimum_detectable_effect(n_treated, n_control, **plan, **zones),
        "half": wanted,
        "half_size": sample_size(wanted, ratio=ratio, **plan),
    }


def _protection(drawn: Drawn) -> dict[str, Any]:
    bands = pd.cut(drawn.first["age"], [0, 29, 44, 200]).astype("str")
    people = drawn.first.assign(band=bands)
    traits = ["baseline_zone", "sex", "band", "diploma"]
    return {"report": k_anonymity(people, traits, k=THRESHOLD).meta}
