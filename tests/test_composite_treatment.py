"""What is done to indicators before scoring: brute force, closed forms, and figures of COINr."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from barometre import composite
from barometre.base.errors import BarometreError
from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "golden" / "composite"
with_golden = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="reference files of the composite engine: absent here"
)
RNG = np.random.default_rng(7)
FRAME = pd.DataFrame(
    {
        "taux": np.exp(RNG.normal(size=40)),
        "rare": [0.0] * 30 + [1.0] * 5 + [np.nan] * 5,
        "vide": np.nan,
        "fixe": 3,
    },
    index=[f"u{i:02}" for i in range(40)],
)


def golden(name: str, index: str = "uCode") -> pd.DataFrame:
    return pd.read_csv(FOLDER / f"{name}.csv", index_col=index)


# ---- statistics ---------------------------------------------------------------------------------


def test_statistics_are_those_of_scipy() -> None:
    table = composite.statistics(FRAME)
    for name in ("taux", "rare"):
        known = FRAME[name].dropna()
        row = table.loc[name]
        assert row["n"] == len(known)
        assert row["n"] + row["manquants"] == len(FRAME)
        assert row["asymetrie"] == pytest.approx(stats.skew(known, bias=False), rel=1e-10)
        assert row["aplatissement"] == pytest.approx(stats.kurtosis(known, bias=False), rel=1e-10)
        assert row["ecart_type"] == pytest.approx(np.sqrt(stats.tvar(known)))
        assert (row["min"], row["max"]) == (min(known), max(known))
        assert row["mediane"] == pytest.approx(sorted(known)[len(known) // 2 - 1 :][:2][0], rel=0.2)
    assert table.loc["rare", "part_zeros"] == 30 / 35


def test_statistics_say_what_to_look_at() -> None:
    remarks = composite.statistics(FRAME)["remarque"]
    assert remarks["rare"] == "beaucoup de zéros"
    assert remarks["vide"] == "aucune valeur"
    assert remarks["fixe"] == "constant"
    assert composite.statistics(FRAME, available=0.9)["remarque"]["rare"].startswith("peu dispo")
    assert composite.statistics(FRAME.iloc[:0])["n"].tolist() == [0, 0, 0, 0]


def test_every_column_that_is_no_number_is_named() -> None:
    wrong = FRAME.assign(nom="x", oui=True, infini=np.inf)
    with pytest.raises(BarometreError, match="3 défauts") as error:
        composite.statistics(wrong)
    assert all(name in str(error.value) for name in ("nom", "oui", "infini"))
    with pytest.raises(BarometreError, match="available=2"):
        composite.statistics(FRAME, available=2)


@with_golden
def test_shapes_are_those_of_coinr() -> None:
    details = golden("01_pipeline/05_treat_details", "iCode")
    table = composite.statistics(golden("01_pipeline/04_screened"))
    for ours, theirs in (("asymetrie", "Skew"), ("aplatissement", "Kurt")):
        np.testing.assert_allclose(
            table.loc[details.index, ours], details[f"check_SkewKurt0.{theirs}"], rtol=1e-9
        )
    flagged = table["remarque"].str.contains("extrêmes")
    assert (~flagged[details.index] == details["check_SkewKurt0.Pass"]).all()


# ---- screen -------------------------------------------------------------------------------------


def test_units_at_the_limit_are_kept() -> None:
    frame = pd.DataFrame(np.ones((31, 30)))
    for i in range(31):
        frame.iloc[i, :i] = np.nan
    for share in np.arange(31) / 30:
        kept = composite.screen(frame, share).frame
        assert len(kept) == 31 - round(share * 30)
    assert composite.screen(FRAME, 0.75).frame.index.tolist() == FRAME.index[:35].tolist()


def test_screening_says_why() -> None:
    result = composite.screen(FRAME, 0.75, min_nonzero=0.8)
    assert result.table.loc["u39", "raison"] == "2 indicateurs sur 4"
    assert result.table.loc["u00", "raison"] == "1 zéro sur 3"
    assert (result.table["raison"] == "").equals(result.table["garde"])
    assert result.frame.index.tolist() == ["u30", "u31", "u32", "u33", "u34"]
    assert "et 30 de plus" in result.summary()
    with pytest.raises(BarometreError, match="min_share=75"):
        composite.screen(FRAME, 75)
    with pytest.raises(BarometreError, match="aucun indicateur"):
        composite.screen(FRAME[[]], 0.5)


@with_golden
def test_availability_is_that_of_coinr() -> None:
    theirs = golden("01_pipeline/01_raw_data_availability")
    table = composite.screen(golden("01_pipeline/01_raw"), 0.8).table.loc[theirs.index]
    assert (table["manquants"] == theirs["N_missing"]).all()
    assert (table["zeros"] == theirs["N_zero"]).all()
    np.testing.assert_allclose(table["disponibilite"], theirs["Dat_Avail"], rtol=1e-12)
    np.testing.assert_allclose(table["non_nuls"], theirs["Non_Zero"], rtol=1e-12)
