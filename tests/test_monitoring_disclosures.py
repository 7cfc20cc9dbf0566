"""Hidden cells that editions give back together, against an enumeration of every table."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.monitoring.editions.changes import successors
from barometre.sources.reading import SourceWarning
from tests.conftest import ROOT

disclosures = bcs.monitoring.disclosures
NAME = "beneficiaires_c2s"


def edition(cells: dict[str, float | None], year: int = 2021, name: str = NAME) -> pd.DataFrame:
    """Results of one count: None is hidden."""
    frame = pd.DataFrame({"code": list(cells), "annee": year, "indicateur": name,
                          "valeur": pd.Series(list(cells.values()), dtype="float64")})  # fmt: skip
    return frame.assign(statut=np.where(frame["valeur"].isna(), "secret", "ok"))


def codes(found: pd.DataFrame) -> dict[str, float]:
    return dict(zip(found["code"], found["valeur"], strict=True))


# ---- by hand ------------------------------------------------------------------------------------


def test_the_difference_between_two_perimeters() -> None:
    """The neighbourhood loses an IRIS: its two totals give the hidden IRIS, neither does alone."""
    first = edition({"QP1": 60.0, "i1": None, "i2": None, "i3": None})
    second = edition({"QP1": 53.0})
    nested = {
        "2025": dict.fromkeys(["i1", "i2", "i3"], "QP1"),
        "2026": dict.fromkeys(["i1", "i2"], "QP1"),
    }
    found = disclosures({"2025": first, "2026": second}, nested)
    assert codes(found) == {"i3": 7}
    assert "2025 ; 2026" in set(found["editions"])
    for name, table in (("2025", first), ("2026", second)):
        assert disclosures({name: table}, {name: nested[name]}).empty


def test_the_difference_between_two_years() -> None:
    """2021 is hidden, 2022 is published, and so is the change between them."""
    then, now = edition({"QP1": None}), edition({"QP1": 19.0}, 2022)
    change = pd.DataFrame({"code": ["QP1"], "indicateur": [NAME], "annee_debut": [2021],
                           "annee_fin": [2022], "evolution": [10.0]})  # fmt: skip
    both = {"2025": then, "2026": now}
    assert disclosures(both).empty
    found = disclosures(both, evolutions=change)
    assert (codes(found), found["annee"].tolist()) == ({"QP1": 9}, [2021])
    assert "évolution 2021-2022" in found["moyen"].item()
    rate = disclosures({"2025": edition({"QP1": None}, name="taux_de_pauvrete"),
                        "2026": edition({"QP1": 19.0}, 2022, "taux_de_pauvrete")},
                       evolutions=change.assign(indicateur="taux_de_pauvrete", evolution=-3.5))  # fmt: skip
    assert codes(rate) == {"QP1": 22.5}
    with pytest.raises(BarometreError, match="annee_fin"):
        disclosures(both, evolutions=change.drop(columns="annee_fin"))


def test_a_change_of_the_whole_gives_a_part_of_the_other_year() -> None:
    """Two hidden parts in 2021; 2022 publishes one part and its change, and the total of 2021."""
    then = edition({"a": None, "b": None, "CA": 30.0})
    now = edition({"a": 12.0}, 2022)
    change = pd.DataFrame({"code": ["a"], "indicateur": [NAME], "annee_debut": [2021],
                           "annee_fin": [2022], "evolution": [4.0]})  # fmt: skip
    found = disclosures({"x": then, "y": now}, {"a": "CA", "b": "CA"}, evolutions=change)
    assert codes(found) == {"a": 8, "b": 22}


def test_nested_iris_communes_and_neighbourhoods() -> None:
    """An IRIS is in a commune and in a neighbourhood: each total alone leaves two unknown."""
    nested = {"i1": ["C1", "QP1"], "i2": ["C1", "QP1"], "i3": "C1", "C1": "CA", "C2": "CA"}
    parts = edition({"i1": None, "i2": None, "i3": None, "C2": 40.0})
    totals = edition({"CA": 100.0, "QP1": 51.0})
    found = disclosures({"iris": parts, "ensembles": totals}, nested)
    assert codes(found) == {"i3": 9}  # 100 - 40 - 51, through a commune that nobody publishes
    assert disclosures({"iris": parts}, nested).empty
    assert "sommes de" in found["moyen"].item()


def test_a_count_of_zero_gives_its_parts_back() -> None:
    """No count is negative: the parts of a total of zero are zero."""
    found = disclosures({"x": edition({"a": None, "b": None, "CA": 0.0})}, {"a": "CA", "b": "CA"})
    assert codes(found) == {"a": 0, "b": 0}


def test_a_narrow_range_is_listed_when_asked() -> None:
    table = {"x": edition({"a": None, "b": None, "CA": 4.0})}
    assert disclosures(table, {"a": "CA", "b": "CA"}).empty
    found = disclosures(table, {"a": "CA", "b": "CA"}, width=4)
    assert found[["minimum", "maximum"]].to_numpy().tolist() == [[0, 4], [0, 4]]
    assert found["valeur"].isna().all()
    with pytest.raises(BarometreError, match="width"):
        disclosures(table, width=-1)


def test_a_revised_total_does_not_hide_what_each_edition_gives() -> None:
    """The totals disagree: each edition is taken by itself, and both give their hidden part."""
    first = edition({"a": None, "b": 20.0, "CA": 27.0, "c": 5.0})
    second = edition({"a": None, "b": 20.0, "CA": 29.0, "c": 5.0})
    nested = {"a": "CA", "b": "CA"}
    found = disclosures({"2025": first, "2026": second}, nested)
    assert set(found["code"]) == {"a"}
    assert found["valeur"].isin([7.0, 9.0]).all()


def test_memberships_that_are_mixed_are_refused() -> None:
    with pytest.raises(BarometreError, match="par édition"):
        disclosures({"2025": edition({"a": 1.0})}, {"2024": {"a": "b"}})


def test_whole_numbers_are_told_where_fractions_would_hide_them() -> None:
    """a + b = 1, b + c = 1, a + c + d = 1: with fractions, a may be anything up to a half."""
    nested = {"a": ["W1", "W3"], "b": ["W1", "W2"], "c": ["W2", "W3"], "d": "W3"}
    shown = edition({"a": None, "b": None, "c": None, "d": None, "W1": 1.0, "W2": 1.0, "W3": 1.0})
    assert codes(disclosures({"x": shown}, nested)) == {"a": 0, "b": 1, "c": 0, "d": 1}
    half = edition({"a": None, "b": 2.5, "W": 4.0})
    assert codes(disclosures({"x": half}, {"a": "W", "b": "W"})) == {"a": 1.5}


# ---- by enumeration -----------------------------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, pd.DataFrame], dict[str, Any], list[dict[str, int]]]:
    """Two editions of four parts in overlapping wholes; every table that agrees with them."""
    parts = ["a", "b", "c", "d"]
    truth = {part: draw(st.integers(0, 3)) for part in parts}
    wholes = {
        whole: draw(st.sets(st.sampled_from(parts), min_size=1, max_size=4))
        for whole in ("W1", "W2", "W3")
    }
    truth |= {whole: sum(truth[part] for part in held) for whole, held in wholes.items()}
    states = {
        code: [draw(st.sampled_from(["ok", "secret", "absent"])) for _ in range(2)]
        for code in truth
    }
    editions = {}
    for number, name in enumerate(("2025", "2026")):
        shown = {
            c: (float(truth[c]) if s[number] == "ok" else None)
            for c, s in states.items()
            if s[number] != "absent"
        }
        editions[name] = edition(shown)
    known = {c: truth[c] for c, s in states.items() if "ok" in s}
    nested = {part: [w for w, held in wholes.items() if part in held] for part in parts}
    agreeing = []
    for values in itertools.product(range(13), repeat=len(parts)):
        table = dict(zip(parts, values, strict=True))
        table |= {whole: sum(table[p] for p in held) for whole, held in wholes.items()}
        if all(table[code] == value for code, value in known.items()):
            agreeing.append(table)
    return editions, nested, agreeing


@given(tables())
def test_what_is_given_back_is_what_an_enumeration_finds(
    drawn: tuple[dict[str, pd.DataFrame], dict[str, Any], list[dict[str, int]]],
) -> None:
    editions, nested, agreeing = drawn
    hidden = {c for e in editions.values() for c in e.loc[e["statut"] == "secret", "code"]}
    expected = {}
    for code in hidden:
        values = {table[code] for table in agreeing}
        if len(values) == 1:
            expected[code] = float(values.pop())
    found = codes(disclosures(editions, nested))
    assert set(found) == set(expected)
    assert all(math.isclose(found[code], value) for code, value in expected.items())


# ---- codes that change --------------------------------------------------------------------------


def values(cells: dict[str, float]) -> pd.DataFrame:
    return edition(dict(cells)).assign(qualite=None, origine="calcule")


def test_communes_that_merged_and_epci_are_followed() -> None:
    """Agen took in the Porte d'Aquitaine in 2022; Conques-en-Rouergue changed code."""
    old = values({"200035459": 10.0, "200036572": 5.0, "12076": 3.0, "59172": 8.0})
    new = values({"200096956": 15.0, "12218": 3.0, "59172": 8.0})
    found = bcs.monitoring.compare_editions(old, new).set_index("code")
    assert found.loc[["200035459", "200036572"], "nature"].tolist() == ["suivie", "suivie"]
    assert set(found.loc[["200035459", "200036572"], "suivi_par"]) == {"200096956"}
    assert "12076" not in found.index  # one territory under another number: no difference
    assert "12218" not in found.index
    revised = bcs.monitoring.compare_editions(old, values({"12218": 4.0, "59172": 8.0}))
    row = revised.set_index("code").loc["12218"]
    assert (row["nature"], row["avant"], row["apres"]) == ("révisée", 3, 4)
    alone = bcs.monitoring.compare_editions(old, values({"59172": 8.0})).set_index("code")
    assert alone.loc["12076", "nature"] == "retirée"  # its successor is not there either


def test_a_passage_that_is_given_wins() -> None:
    found = bcs.monitoring.compare_editions(
        values({"12076": 3.0}), values({"12218": 3.0, "X": 1.0}), passage={"12076": "X"}
    )
    row = found.set_index("code").loc["12076"]
    assert (row["nature"], row["suivi_par"]) == ("suivie", "X")


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("XYZ"), min_size=1))
def test_a_renumbered_whole_is_found_and_a_split_one_is_not(then: dict[str, str]) -> None:
    before = pd.Series(then)
    renamed = successors(before, before + "2", {})
    assert renamed["actuel"].to_dict() == {whole: whole + "2" for whole in set(then.values())}
    assert renamed["meme"].all()
    split = pd.Series({part: f"{whole}{i}" for i, (part, whole) in enumerate(then.items())})
    single = {w for w in set(then.values()) if list(then.values()).count(w) == 1}
    assert set(successors(before, split, {}).index) == single


# ---- what is not revised ------------------------------------------------------------------------

SHARED = ROOT.parent / "shared" / "data" / "insee" / "qpv"
MEDIANS = ["niveau_de_vie_median", "taux_de_pauvrete"]


def unrevised(panel: bcs.Tables, yearly: bcs.Tables, year: int) -> tuple[int, set[str]]:
    """Number of values of a year that both have, and the changes from one to the other."""
    first, second = (
        rows[(rows["annee"] == year) & (rows["statut"] == "ok")]
        for rows in (bcs.compute(tables, MEDIANS) for tables in (panel, yearly))
    )
    changes = bcs.monitoring.compare_editions(first, second)
    keys = ["code", "annee", "indicateur"]
    return len(first[keys].merge(second[keys])), set(changes["nature"])


@pytest.mark.parametrize(
    ("file", "year", "common"), [("REVN_2021.csv", 2017, 2588), ("REVN_2022.csv", 2018, 2587)]
)
def test_the_panel_and_the_yearly_files_of_income_agree(file: str, year: int, common: int) -> None:
    """Two producers' files of the same medians and poverty rates: nothing is revised."""
    if not SHARED.exists():
        pytest.skip("needs the producers' files, which are not distributed")
    panel = bcs.read(SHARED / "filosofi_qpv_panel_2012_2021.csv")
    number, natures = unrevised(panel, bcs.read(SHARED / file), year)
    assert number == common
    assert natures == {"nouvelle"}  # neighbourhoods that the panel lacks


def test_values_that_agree_are_no_revision_whatever_their_writing(tmp_path: Path) -> None:
    """The same rule on a file of our own: decimal commas, thousands, and one value that differs."""
    lines = {
        "QP059050": ("13 540", "46,2"),
        "QP059051": ("14 020", "41,0"),
        "QP059052": ("12 980", "49,9"),
    }
    (tmp_path / "panel.csv").write_text(
        "code,revenu_median,taux_pauvrete,gini,s80s20,annee\n"
        "QP059050,13540.0,46.2,0.25,3.1,2017\nQP059051,14020,41,0.24,3.0,2017\n", "utf-8"
    )  # fmt: skip
    for file, changed in (("REVN_2021.csv", "46,2"), ("autre/REVN_2021.csv", "46,3")):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        rows = "".join(f"{c};x;{q};{t.replace('46,2', changed)};0\n" for c, (q, t) in lines.items())
        path.write_text("CODGEO;LIBGEO;DISP_Q2;TP60;NOTE_FILO\n" + rows, "utf-8")
    panel = bcs.read(tmp_path / "panel.csv")
    with pytest.warns(SourceWarning, match="colonnes attendues absentes"):
        same = bcs.read(tmp_path / "REVN_2021.csv")
    with pytest.warns(SourceWarning):
        other = bcs.read(tmp_path / "autre" / "REVN_2021.csv")
    assert unrevised(panel, same, 2017) == (4, {"nouvelle"})
    _, natures = unrevised(panel, other, 2017)
    assert natures == {"nouvelle", "révisée"}
