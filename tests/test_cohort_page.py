"""The page of a synthetic cohort: that of a real one, said to be synthetic, its truth shown."""

from __future__ import annotations

import html
import re
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from openpyxl import load_workbook

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort
from barometre.pages.people import files, synthetic
from barometre.pages.people.asked import Wish, answers_of, arms_of
from barometre.pages.people.linked import Relation, relations_of, tie
from barometre.pages.people.synthetic import write_cohort_page
from tests.pages import Page

SEED, N, EFFECT = 1, 400, 137.0  # few people, so that some figures must be hidden


class Written(NamedTuple):
    shown: bcs.CohortPage
    raw: str
    text: str
    frame: pd.DataFrame


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A page whose true effect is not the usual one."""
    path = tmp_path_factory.mktemp("page") / "new" / "cohorte.html"
    draw = partial(bcs.datasets.make_cohort, effect=EFFECT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bcs.datasets, "make_cohort", draw)
        patch.setattr(synthetic, "_OTHERS", 2)
        shown = write_cohort_page(str(path), seed=SEED, n=N)
        frame = synthetic._drawn(SEED, N)
    raw = path.read_text(encoding="utf-8")
    bare = re.sub(r"<style>.*?</style>", " ", raw, flags=re.DOTALL)
    text = re.sub(r"[ \n\t]+", " ", html.unescape(re.sub(r"<[^>]*>", " ", bare)))
    return Written(shown, raw, text, frame)


def test_it_says_it_is_synthetic_first_and_on_every_chart(written: Written) -> None:
    body = written.text.split("Aller au contenu", 1)[1]
    assert body.lstrip().startswith("DONNÉES SYNTHÉTIQUES")
    charts = re.findall(r"<svg.*?</svg>", written.raw, flags=re.DOTALL)
    assert len(charts) == 8
    assert all("DONNÉES SYNTHÉTIQUES" in chart for chart in charts)
    assert all("graine 1" in chart for chart in charts)  # each with its source


def test_it_is_the_page_of_a_real_cohort(written: Written, tmp_path: Path) -> None:
    people = bcs.datasets.make_cohort(N, entries=(2026, 2028), mobility=0.08, seed=SEED)
    cohort = Cohort(
        people, person="person", wave="wave", arm="arm", first_treated="first_treated",
        cluster="baseline_zone", zone="zone", status="status",
    )  # fmt: skip
    real = bcs.cohort_page(
        cohort, tmp_path / "c.html", outcome="income", covariates=("income", "diploma", "age"),
        event="emploi", reason="exit_reason",
    )  # fmt: skip
    mine = {section.key: len(section.charts) for section in written.shown.sections}
    assert mine.pop("hasard") == 0
    assert mine == {section.key: len(section.charts) for section in real.sections}
    page = real.page.read_text(encoding="utf-8")
    assert "effet vrai" not in page
    assert "SYNTHÉTIQUES" not in page


def test_one_file_without_network_nor_script(written: Written) -> None:
    assert not re.search(r"<(script|link|iframe|object|img)", written.raw)
    assert not re.search(r"htt[p]s?:(?!//www\.w3\.org)|@import|url\((?!#)", written.raw)
    page = Page(written.raw)
    assert not page.faults
    names = re.findall(r'\sid="([^"]+)"', written.raw)
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', written.raw)) <= set(names)
    assert written.raw.count("<caption>") == written.raw.count("<table>")


def test_french_typography(written: Written) -> None:
    plain = re.sub(r"barometre \d\.\d\.\d", " ", written.text)
    for pattern in (r" [:;?!%»€]|« |\w'\w", r"\d\.\d", r"\bnan\b|\bNone\b|<NA>", r"\d{5}"):
        found = re.search(pattern, plain)
        assert found is None, plain[found.start() - 40 : found.end() + 20]


def test_the_truth_of_the_page_is_that_of_the_cohort(written: Written) -> None:
    assert f"L’effet vrai est de {EFFECT:.0f}" in written.text
    (effects,) = [s for s in written.shown.sections if s.key == "effet"]
    (table,) = effects.grids
    at = table.heads.index("effet vrai")
    sides = [row[at] for row in table.rows]
    for row, side in zip(table.rows, sides, strict=True):
        low, high = (float(x.replace("−", "-")) for x in row[2].strip("[]").split(" ; "))
        expected = "au-dessus" if low > EFFECT else "au-dessous" if high < EFFECT else "contenu"
        # A bound that rounds to the truth may be on either side of it.
        assert side == expected or EFFECT in (low, high), row
    assert f"{sides.count('contenu')}\xa0intervalles sur {len(sides)}" in written.text


def test_the_figures_are_those_of_the_people(written: Written) -> None:
    """Counts and means found again with pandas alone."""
    frame = written.frame
    first, last = (frame[frame["wave"] == wave].set_index("person") for wave in (2024, 2030))
    base = frame[frame["wave"] == 2025].set_index("person")["income"]
    arm = first["arm"]
    assert f"{N}\xa0personnes" in written.text
    (effects,) = [s for s in written.shown.sections if s.key == "effet"]
    shown = {row[0]: row[1] for row in effects.grids[0].rows}
    change = (last["income"] - base).dropna()
    treated = arm.reindex(change.index) == 1
    means = last.groupby("arm")["income"].mean()
    before = base.groupby(arm).mean()
    expected = {
        "avant/après des bénéficiaires": change[treated].mean(),
        "bénéficiaires et comparaison, à la fin": means[1] - means[0],
        "moyennes des présents (2 × 2)": means[1] - means[0] - before[1] + before[0],
        "les mêmes personnes": change[treated].mean() - change[~treated].mean(),
    }
    for name, value in expected.items():
        assert shown[name] == f"{value:+.0f}".replace("-", "−"), name
    book = load_workbook(written.shown.workbook)
    assert {"suivi", "pertes", "effets"} <= set(book.sheetnames)


def test_no_subtraction_gives_a_small_count(written: Written) -> None:
    cohort = synthetic._cohort(written.frame)
    for threshold in (11, 30):
        answers = answers_of(
            cohort, Wish("revenu", ("âge",), "emploi", "raison", threshold=threshold)
        )
        for relation in relations_of(answers.tables, "emploi", arms_of(cohort)):
            assert relation.rest == 0 or relation.rest >= threshold, relation
    assert "Audit des tableaux liés" in written.text


def test_a_table_that_gives_back_a_small_count_is_hidden() -> None:
    """Of 100 present, statuses of 96: four without status, which nobody decided to show."""
    follow = pd.DataFrame({"wave": [1, 2], "n_present": [100, 90], "status": "publie"})
    states = pd.DataFrame(
        {"wave": [1, 1, 2], "state": ["a", "b", "a"], "n": [60, 36, 90], "status": "publie"}
    )
    tables = {"suivi": follow, "statuts": states}
    leaks = [r for r in relations_of(tables) if 0 < r.rest < 11]
    assert leaks == [Relation(("suivi", "statuts"), "présents", {"wave": 1}, 4)]
    number, hidden = tie(tables, 11)
    assert list(tables["statuts"]["wave"]) == [2]
    assert number == 1
    assert "vague 1" in hidden[0]
    # Reasons of 47 of the 50 lost: three said nothing.
    lost = pd.DataFrame(
        {"group": ["treated", "control"], "n": [100, 100], "n_lost": [20, 30], "status": "publie"}
    )
    reasons = pd.DataFrame({"index": ["refus", "Ensemble"], "Ensemble": [47.0, 47.0]})
    held = {"suivi": follow, "pertes": lost, "raisons": reasons}
    _, hidden = tie(held, 11)
    assert "raisons" not in held
    assert hidden[0].startswith("raisons")


def test_nobody_is_listed(written: Written) -> None:
    assert not re.search(r"P0{2}\d", written.text)
    assert not any(zone in written.text for zone in written.frame["baseline_zone"].unique())


def test_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    path.write_text("avant", encoding="utf-8")
    monkeypatch.setattr(files, "render_people", lambda *_, **__: "\ud800")  # cannot be encoded
    people = pd.DataFrame({"person": [*range(30)] * 2, "wave": [1] * 30 + [2] * 30})
    with pytest.raises(BarometreError, match="impossible à écrire"):
        bcs.cohort_page(Cohort(people, person="person", wave="wave"), path)
    assert path.read_text(encoding="utf-8") == "avant"
    assert list(tmp_path.iterdir()) == [path]


def test_too_few_people_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match="au moins 400"):
        write_cohort_page(tmp_path / "page.html", n=399)
    assert list(tmp_path.iterdir()) == []
