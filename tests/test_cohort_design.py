"""Power and sample size: other programs' figures, closed forms, simulation."""

from __future__ import annotations

import csv
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from barometre.base.errors import BarometreError
from barometre.cohort.inference.power import achieved_power, minimum_detectable_effect, sample_size
from barometre.cohort.inference.power_plan import wave_variance
from tests.conftest import ROOT

RESULTS = ROOT.parent / "shared" / "golden" / "cohort" / "results"
PRINTED = 1e-9
# R's uniroot stops within 1.2e-4 of the root: the power it found for that size is not the one asked.
SOLVED = 1e-5


def test_figures_of_cohen() -> None:
    """Cohen (1988), as given by pwr 1.3: a medium effect, and 100 people in each arm."""
    assert achieved_power(30, 0.5) == pytest.approx(0.477896520760209, rel=PRINTED)
    assert float(minimum_detectable_effect(100)) == pytest.approx(0.398140733302118, rel=SOLVED)
    assert float(sample_size(0.1, proportion=0.3)) == pytest.approx(355.942812655066, rel=PRINTED)
    by_arcsine = sample_size(0.1, proportion=0.3, test="arcsine")
    assert by_arcsine.n == pytest.approx(355.419254161432, rel=SOLVED)
    assert by_arcsine.people == 712


@pytest.mark.skipif(not RESULTS.exists(), reason="résultats de référence absents")
def test_every_row_of_pwr() -> None:
    with (RESULTS / "power__R-pwr-1.3.0.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 16
    for row in rows:
        n, power = float(row["n"]), float(row["power"])
        if row["fn"] == "pwr.t.test":
            d = float(row["d"])
            found = PRINTED if "Cohen" in row["case"] else SOLVED
            assert achieved_power(n, d) == pytest.approx(power, rel=found), row["case"]
            assert sample_size(d, power=power).n == pytest.approx(n, rel=2e-5), row["case"]
            assert minimum_detectable_effect(n, power=power).effect == pytest.approx(d, rel=SOLVED)
        else:
            found = SOLVED if power == 0.8 else PRINTED
            got = achieved_power(n, 0.1, proportion=0.3, test="arcsine")
            assert got == pytest.approx(power, rel=found)


@pytest.mark.skipif(not RESULTS.exists(), reason="résultats de référence absents")
def test_every_row_of_r_stats() -> None:
    with (RESULTS / "power__R-stats-4.2.2.csv").open() as file:
        rows = {row["fn"]: (float(row["n"]), float(row["power"])) for row in csv.DictReader(file)}
    n, _ = rows.pop("power.prop.test(p1=.30,p2=.40,power=.8)")
    assert sample_size(0.1, proportion=0.3).n == pytest.approx(n, rel=PRINTED)
    n, power = rows.pop("power.prop.test(n=200,p1=.30,p2=.40)")
    assert achieved_power(n, 0.1, proportion=0.3) == pytest.approx(power, rel=PRINTED)
    n, power = rows.pop("power.t.test(n=20,delta=1,sd=1)")
    # R leaves the other tail out: 2.3e-7 here.
    assert achieved_power(n, 1.0) == pytest.approx(power, abs=3e-7)
    assert not rows


@pytest.mark.parametrize(
    ("pre", "post", "correlation", "expected"),
    [
        (0, 1, 0.0, 1.0),
        (0, 4, 0.0, 0.25),
        (0, 3, 0.5, (1 + 2 * 0.5) / 3),  # mean of three equicorrelated measures
        (1, 1, 0.5, 1.0),  # Frison & Pocock (1992): 2 (1 - r)
        (2, 3, 0.6, 0.4 * (1 / 2 + 1 / 3)),  # McKenzie (2012): (1 - r)(1/m + 1/p)
    ],
)
def test_waves_by_closed_form(pre: int, post: int, correlation: float, expected: float) -> None:
    assert wave_variance(pre, post, correlation) == pytest.approx(expected, rel=1e-12)


def test_fading_correlation_by_hand() -> None:
    """One wave before, two after, r = 0.5: var(x2 + x3)/4 + var(x1) - cov(x1, x2 + x3)."""
    assert wave_variance(1, 2, 0.5, "ar1") == pytest.approx(3 / 4 + 1 - 0.75, rel=1e-12)


def test_clusters_by_closed_form() -> None:
    """Murray (1998): the error of a difference of cluster means, t with clusters less two."""
    from scipy import stats

    design = minimum_detectable_effect(200, cluster_size=40, icc=0.05, sd=2.0)
    assert (design.df, design.clusters, design.people) == (8, 10, 400)
    assert "Plus petit effet détectable" in design.summary()
    size = sample_size(design.effect, cluster_size=40, icc=0.05, sd=2.0)
    assert "inscrire 400 personnes" in size.summary()
    error = 2 * math.sqrt(2 * (1 + 39 * 0.05) / 200)
    critical = stats.t.isf(0.025, 8)
    assert stats.nct.sf(critical, 8, design.effect / error) == pytest.approx(0.8, abs=1e-6)


def test_power_by_simulation() -> None:
    """Whole clusters, waves before and after: share of rejections of the test itself."""
    rng = np.random.default_rng(20)
    draws, clusters, size, icc, effect = 4000, 6, 15, 0.1, 0.5
    change = math.sqrt(wave_variance(1, 2, 0.4))
    shape = (draws, 2, clusters)
    shared = rng.normal(0, change * math.sqrt(icc), shape)
    noise = rng.normal(0, change * math.sqrt((1 - icc) / size), shape)
    means = shared + noise + np.array([0, effect])[None, :, None]
    gap = means[:, 1].mean(1) - means[:, 0].mean(1)
    error = np.sqrt(means.var(axis=2, ddof=1).sum(1) / clusters)
    from scipy import stats

    found = (np.abs(gap / error) > stats.t.isf(0.025, 2 * clusters - 2)).mean()
    planned = achieved_power(
        clusters * size, effect, cluster_size=size, icc=icc, waves_pre=1, waves_post=2, correlation=0.4,
    )  # fmt: skip
    spread = math.sqrt(planned * (1 - planned) / draws)
    assert abs(found - planned) < 4 * spread


@given(
    st.floats(0.05, 2),
    st.floats(0.5, 0.95),
    st.floats(0.25, 4),
    st.floats(0, 0.5),
    st.sampled_from([None, 5.0, 40.0]),
)
def test_size_and_effect_are_inverse(
    effect: float, power: float, ratio: float, attrition: float, cluster: float | None
) -> None:
    options: Any = {
        "power": power,
        "attrition": attrition,
        "cluster_size": cluster,
        "icc": 0.02 if cluster else 0,
    }
    size = sample_size(effect, ratio=ratio, **options)
    assert achieved_power(
        size.n, effect, n_control=size.n_control, attrition=attrition, cluster_size=cluster, icc=options["icc"]
    ) >= power - 1e-9  # fmt: skip
    back = minimum_detectable_effect(size.n, size.n_control, **options)
    assert back.effect <= effect * (1 + 1e-7)


def test_losses_and_scale() -> None:
    assert sample_size(0.5, attrition=0.25).n * 0.75 == pytest.approx(sample_size(0.5).n, rel=1e-9)
    assert sample_size(1.0, sd=2.0).n == pytest.approx(sample_size(0.5).n, rel=1e-9)
    assert sample_size(-0.5).n == pytest.approx(sample_size(0.5).n, rel=1e-9)


def test_an_effect_out_of_reach_is_missing() -> None:
    assert math.isnan(float(minimum_detectable_effect(10, proportion=0.95)))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"power": 1.2}, "power"),
        ({"icc": 0.1}, "icc demande cluster_size"),
        ({"proportion": 0.4, "sd": 2.0}, "s'excluent"),
        ({"attrition": 1.0}, "attrition"),
        ({"correlation": 1.0, "alpha": 0.0}, "alpha.*correlation"),
    ],
)
def test_refusals_name_the_argument(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BarometreError, match=said):
        sample_size(0.3, **options)


def test_too_few_clusters() -> None:
    with pytest.raises(BarometreError, match="2 grappes"):
        minimum_detectable_effect(40, cluster_size=40)
    with pytest.raises(BarometreError, match="non nul"):
        sample_size(0.0)
    with pytest.raises(BarometreError, match="entre 0 et 1"):
        sample_size(0.8, proportion=0.4)


def test_a_share_of_nobody_or_of_everybody() -> None:
    """Nobody, then everybody, says yes: the difference is certain, and seen if the test can."""
    assert achieved_power(100, 1.0, proportion=0.0) == 1.0
    assert achieved_power(1, 1.0, proportion=0.0) == 0.0  # 1 < 1.96 sqrt(0.5 (1 + 1) / 2)
    assert achieved_power(100, 0.0, proportion=0.0) == 0.0
    found = float(minimum_detectable_effect(100, proportion=0.0))
    assert achieved_power(100, found, proportion=0.0) == pytest.approx(0.8, rel=1e-9)
    assert math.isnan(float(minimum_detectable_effect(100, proportion=1.0)))
    with pytest.raises(BarometreError, match="deux nombres positifs"):
        minimum_detectable_effect("100")  # type: ignore[arg-type]  # that is the point
