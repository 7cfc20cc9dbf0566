"""Every public function of `cohort` is compared here with another program, or says what proves it."""

from __future__ import annotations

from inspect import isfunction

from barometre import cohort
from tests.proofs.reading import HERE

NO_PEER = {
    # Computed another way in this folder all the same: see test_exact.py.
    "lee_bounds": "two linear programs",
    "decompose_change": "exact fractions",
    "discrete_hazard": "closed forms and its likelihood written out: test_cohort_periods.py",
    "cox": "its likelihood written out, and PHReg of statsmodels: test_cohort_cox.py",
    # Nothing to estimate, or a protection: proved by properties and enumeration in other tests.
    "exits": "counts that add up to the people of `retention`",
    "count_people": "secrecy: enumeration of the possible tables",
    "hide_small_groups": "secrecy: enumeration of the possible tables",
    "k_anonymity": "counts of combinations",
    "protect": "secrecy: enumeration and linear programs",
    "create_key": "writes a key",
    "pseudonymise": "HMAC-SHA256 of the standard library",
    "smallest_p": "closed form, and the enumerations of wild_bootstrap",
    "effective_size": "closed form of Kish, through the weights of people.R",
    "etable": "prints what models give: test_cohort_models.py",
    "did_design": "gives wild_bootstrap the regression of `did`",
    "twfe_design": "gives wild_bootstrap the regression of `twfe`",
}


def test_every_estimator_is_compared() -> None:
    text = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    public = {name for name in dir(cohort) if isfunction(getattr(cohort, name))}
    assert len(public) > 35
    assert NO_PEER.keys() <= public
    compared = {name for name in public if f"cohort.{name}(" in text}
    compared |= {"attrition_model", "balance_test"}  # one verb or the other, in test_people.py
    assert sorted(public - compared - NO_PEER.keys()) == []


def test_every_result_is_read() -> None:
    text = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    files = {path.name.split("__")[0] for path in (HERE / "results").glob("*.csv")}
    assert {name for name in files if f'"{name}"' not in text} == set()
