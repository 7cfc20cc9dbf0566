"""One grammar: a verb has one name and one calling style, an option one name and one meaning."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import barometre as bcs
from barometre.base.face import Face
from barometre.cohort import Cohort
from barometre.cohort.inference.sandwich import StandardError

mpl.use("Agg")

PUBLIC = {name: getattr(bcs.cohort, name) for name in dir(bcs.cohort)}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isfunction(value)}
METHODS = {
    name: value
    for name, value in inspect.getmembers(Cohort, inspect.isfunction)
    if not name.startswith("_") and name not in {"baseline", "column", "role"}
}
# Called with columns or numbers, as scripts do; their options may be positional.
ON_COLUMNS = {
    "kaplan_meier", "cumulative_incidence", "logrank", "survival_quantile", "balance_table",
    "decompose_change", "adjust_pvalues", "minimum_detectable_effect",
}  # fmt: skip
# Secrecy and pseudonyms have their own tests.
PROTECTION = {
    "hide_small_groups",
    "k_anonymity",
    "count_people",
    "create_key",
    "pseudonymise",
    "protect",
}
# `feols` takes its formula first, then the frame, as in R.
RAW = {"etable", "effective_size", "smallest_p", "pretrend_test", "achieved_power", "sample_size", "rmst",
       "combine_weights", "rubin", "honest_bounds",
       "feols"} | ON_COLUMNS | PROTECTION  # fmt: skip
CLUSTERED = ("did", "twfe", "event_study", "att_gt", "weighted_effect")


def options_of(function: Callable[..., Any]) -> Iterator[inspect.Parameter]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not inspect.Parameter.empty:
            yield parameter


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - ON_COLUMNS - PROTECTION))
def test_options_are_keyword_only(name: str) -> None:
    wrong = [p.name for p in options_of(FUNCTIONS[name]) if p.kind is not p.KEYWORD_ONLY]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - RAW))
def test_a_function_takes_a_frame_and_the_names_of_its_columns(name: str) -> None:
    first, *others = inspect.signature(FUNCTIONS[name]).parameters.values()
    assert first.name == "frame"
    columns = {"outcome", "arm", "person", "wave", "status", "cluster", "treated_at", "lost", "by"}
    for parameter in others:
        if parameter.name in columns:
            assert parameter.annotation in ("str", "str | None")


@pytest.mark.parametrize("name", sorted(FUNCTIONS | METHODS))
def test_types_are_real(name: str) -> None:
    for function in (FUNCTIONS.get(name), METHODS.get(name)):
        if function is None:
            continue
        signature = inspect.signature(function)
        assert "Any" not in str(signature.return_annotation).split("[")[0]
        kinds = {parameter.kind for parameter in signature.parameters.values()}
        assert inspect.Parameter.VAR_KEYWORD not in kinds


def test_a_verb_has_one_name_and_the_same_options() -> None:
    """A method is a function of that name; what they share has the same default and type."""
    alone = {"baseline_frame", "lost_at", "balance"}  # the first two are the cohort itself
    assert METHODS.keys() - FUNCTIONS.keys() == alone
    assert METHODS["balance"] is METHODS["balance_table"]
    for name in METHODS.keys() - alone:
        method, function = (
            inspect.signature(f).parameters for f in (METHODS[name], FUNCTIONS[name])
        )
        for option in method.keys() & function.keys():
            a, b = method[option], function[option]
            required = b.default is inspect.Parameter.empty  # the cohort knows it
            assert required or a.default == b.default, f"{name}({option})"


def test_help_shows_the_parameters() -> None:
    shown = str(inspect.signature(Cohort.did))
    for word in ("outcome: 'str'", "post", "cluster: 'str | None' = None", "se: 'StandardError'"):
        assert word in shown
    assert inspect.signature(Cohort.did).return_annotation == "Estimate"


@pytest.mark.parametrize("name", CLUSTERED)
def test_the_same_standard_errors_and_the_same_default_cluster(name: str) -> None:
    for function in (FUNCTIONS[name], METHODS[name]):
        expected = "StandardError | None" if name == "att_gt" else "StandardError"
        assert inspect.signature(function).parameters["se"].annotation == expected
    cohort = people()
    call: Callable[[Cohort], Any] = {
        "did": lambda c: c.did("income", 2027),
        "twfe": lambda c: c.twfe("income", "treated"),
        "event_study": lambda c: c.event_study("income"),
        "att_gt": lambda c: c.att_gt("income"),
        "weighted_effect": lambda c: c.weighted_effect("income"),
    }[name]
    assert call(cohort).meta["cluster"] == "baseline_zone"
    assert call(cohort).meta["n_clusters"] == cohort.frame["baseline_zone"].nunique()
    alone = Cohort(cohort.frame, "person", "wave", arm="arm", first_treated="first_treated")
    assert call(alone).meta["cluster"] == "person (la personne, faute de cluster=)"
    assert set(get_args(StandardError)) == {"iid", "HC1", "CR0", "CR1", "CR1S", "CR2", "CR3"}


def test_one_word_has_one_meaning() -> None:
    for name, function in (FUNCTIONS | METHODS).items():
        options = {parameter.name: parameter.default for parameter in options_of(function)}
        assert "weights" not in options, name
        assert options.get("level", 0.95) == 0.95, name  # a confidence level
        assert options.get("alpha", 0.05) == 0.05, name  # the size of a test
    names = {value.__name__ for value in PUBLIC.values() if inspect.isclass(value)}
    assert "Design" not in names
    assert not hasattr(bcs, "Design")


# ---- results ------------------------------------------------------------------------------------


def people() -> Cohort:
    frame = bcs.datasets.make_cohort(400, entries=(2026, 2028), mobility=0.1, seed=3)
    frame["treated"] = (frame["wave"] >= frame["first_treated"]).astype(int)
    frame["income"] = frame["income"].where(frame.index % 50 != 0)
    return Cohort(
        frame, "person", "wave", arm="arm", first_treated="first_treated", zone="zone",
        cluster="baseline_zone", status="status",
    )  # fmt: skip


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    cohort = people()
    first = cohort.lost_at().reset_index(drop=True)
    traits = ["diploma", "age"]
    effects = cohort.att_gt("income")
    study = cohort.event_study("income")
    design = cohort.did_design("income", 2028)
    imputed = cohort.multiple_imputation("income", covariates=traits, draws=2, iterations=1)
    return {
        "patterns": cohort.participation_patterns(),
        "waves": cohort.waves_per_person(),
        "retention": cohort.retention("arm"),
        "exits": cohort.exits(reason="exit_reason"),
        "times": cohort.time_to_event("emploi"),
        "curve": cohort.kaplan_meier("emploi", "arm"),
        "incidence": cohort.cumulative_incidence("emploi", "formation"),
        "median": bcs.cohort.survival_quantile(cohort.kaplan_meier("emploi")),
        "rmst": cohort.rmst("emploi"),
        "logrank": cohort.logrank("emploi", "arm"),
        "gray": cohort.gray_test("emploi", "formation", "arm"),
        "cox": cohort.cox("emploi", "arm"),
        "fine_gray": cohort.fine_gray("emploi", "formation", "arm"),
        "discrete": cohort.discrete_hazard("emploi", "arm"),
        "counts": cohort.transition_counts(),
        "rates": cohort.transition_rates("arm"),
        "distribution": cohort.state_distribution(),
        "mean_time": cohort.mean_time(),
        "attrition": cohort.attrition(),
        "attrition_model": cohort.attrition_model(traits),
        "attrition_weights": cohort.attrition_weights(traits),
        "balance": cohort.balance(traits),
        "propensity": cohort.propensity_weights(traits),
        "weighted_effect": cohort.weighted_effect("income"),
        "bacon": cohort.bacon_weights("income"),
        "icc": cohort.intraclass_correlation("income"),
        "etable": bcs.cohort.etable([cohort.did("income", 2028)]),
        "lee": cohort.lee_bounds("income", draws=20),
        "imputed": imputed,
        "pooled": imputed.pool(lambda data: data.did("income", 2028)),
        "shifted": imputed.tipping_point(lambda data: data.did("income", 2028), [0, -50]),
        "matches": bcs.cohort.nearest_match(first, "arm", traits, replace=True),
        "change": cohort.decompose_change("income", "QN05952M", 2024, 2027, draws=20),
        "did": cohort.did("income", 2028),
        "no interval": cohort.did("income", 2028, se="HC1"),
        "twfe": cohort.twfe("income", "treated"),
        "event_study": study,
        "pretrend": study.pretrend(),
        "att_gt": effects,
        **{kind: effects.aggregate(kind) for kind in ("simple", "dynamic", "group", "calendar")},
        "att_gt pretrend": effects.pretrend(),
        "filled": cohort.did_imputation("income"),
        "bounds": bcs.cohort.honest_bounds(effects),
        "formula": cohort.feols("income ~ treated | person + wave"),
        "robust": bcs.cohort.cluster_robust(first, "age", "arm", cluster="baseline_zone"),
        "bootstrap": bcs.cohort.wild_bootstrap(*design, term="effet", intercept=False, draws=99),
        "randomisation": bcs.cohort.randomisation_test(first, "age", "arm", draws=99),
        "plan": bcs.cohort.minimum_detectable_effect(100),
        "size": bcs.cohort.sample_size(0.3, cluster_size=20, icc=0.1),
        "adjusted": bcs.cohort.adjust_pvalues({"emploi": [0.01, 0.04, None]}),
    }


def test_every_result_of_the_cohort_is_shown(results: dict[str, Any]) -> None:
    """No class of results escapes the loops below."""
    classes = {value for value in PUBLIC.values() if dataclasses.is_dataclass(value)}
    shown = {type(result) for result in results.values()}
    assert {cls for cls in classes if isinstance(cls, type)} - shown == {
        bcs.cohort.Estimate
    } - shown
    assert all(issubclass(cls, (Face, bcs.Tidy)) for cls in shown)


def test_summaries_are_french_and_say_no_gibberish(results: dict[str, Any]) -> None:
    for name, result in results.items():
        text = result.summary()
        assert text.strip(), name
        assert not re.search(r"\d\.\d", text), (name, text)  # a decimal comma
        for word in ("nan", "NaN", "None", "True", "False", "np.", "{", "dtype"):
            assert word not in re.split(r"[\s,;.:()\[\]]+", text), (name, word, text)
        assert text[0] == text[0].upper(), (name, text)
        if not isinstance(result, bcs.Tidy):
            assert str(result) == text, name


def test_every_result_has_a_table_and_escaped_html(results: dict[str, Any]) -> None:
    for name, result in results.items():
        table = result if isinstance(result, pd.DataFrame) else result.table
        assert isinstance(table, pd.DataFrame), name
        page = result._repr_html_()
        assert "<table" in page, name
        assert "<p>" in page, name
        assert re.search(r"<(?!/?(div|p|table|thead|tbody|tr|th|td)\b)", page) is None, name


def test_estimates_have_one_vocabulary(results: dict[str, Any]) -> None:
    words = ["estimate", "se", "low", "high", "df", "p"]
    for name in ("did", "twfe", "weighted_effect", "event_study", "att_gt", "simple", "dynamic",
                 "group", "calendar"):  # fmt: skip
        assert [*words, "n"] == [c for c in results[name].table if c in (*words, "n")], name
    for name in ("robust", "attrition_model"):
        assert set(words) <= set(results[name].table), name


def test_one_chart_where_it_is_natural(results: dict[str, Any]) -> None:
    import matplotlib.pyplot as plt

    drawn = {name for name, result in results.items() if not isinstance(result, pd.DataFrame)
             and hasattr(result, "plot")}  # fmt: skip
    assert drawn == {
        "did", "no interval", "twfe", "weighted_effect", "event_study", "att_gt", "simple",
        "dynamic", "group", "calendar", "change", "filled", "bounds",
    }  # fmt: skip
    for name in (*sorted(drawn), "curve", "incidence", "distribution"):
        ax = results[name].plot(title="Titre")
        assert ax.get_title(loc="left") == "Titre", name
        plt.close(ax.figure)


def test_an_estimate_reads_as_a_report() -> None:
    rows = pd.DataFrame(
        {
            "id": np.repeat(range(4), 2),
            "an": [2024, 2025] * 4,
            "bras": np.repeat(["témoin", "aidé"], 4),
            "revenu": [1, 2, 1, 3, 1, 5, 2, np.nan],
        }
    )
    # Scores of the clusters ±1/4: their squares, times 4/3 × 6/3, make 2/3; Student with 3 df.
    effect = Cohort(rows, "id", "an", arm="bras", treated="aidé").did("revenu", 2025)
    assert str(effect).splitlines()[:3] == [
        "Différence de différences 2 × 2 sur « revenu » : effet estimé 2,00, intervalle à 95 % "
        "[−0,60 ; 4,60], erreur-type 0,82, ddl 3, p = 0,092.",
        "Base : 4 personnes, 7 lignes, 4 grappes.",
        "Hors du calcul : 1 ligne (résultat manquant).",
    ]
    assert effect.table.to_dict("records")[0]["n"] == 7
