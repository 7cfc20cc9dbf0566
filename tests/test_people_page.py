"""The page of a real cohort: what is small is hidden, what fails is said, labels are texts."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre.cohort import Cohort
from barometre.pages.people.asked import Wish, answers_of
from barometre.pages.people.content import sections_of
from barometre.pages.people.protocol import COLUMNS

TRAITS = ("income", "age", "sex", "diploma")
HOSTILE = '<script>alert(1)</script>[/bold]=HYPERLINK("x")\u202e' + "long " * 60


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return bcs.datasets.make_cohort(400, entries=(2026, 2028), mobility=0.08, seed=1)


def made(frame: pd.DataFrame) -> Cohort:
    return Cohort(
        frame, person="person", wave="wave", arm="arm", first_treated="first_treated",
        cluster="baseline_zone", zone="zone", status="status",
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(people: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> bcs.CohortPage:
    return bcs.cohort_page(
        made(people), tmp_path_factory.mktemp("cohorte") / "c.html", outcome="income",
        covariates=TRAITS, event="emploi", reason="exit_reason", unit="€",
    )  # fmt: skip


def text_of(path: Path) -> str:
    page = re.sub(r"<style>.*?</style>", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]*>", " ", page))


def test_no_small_count_is_shown(page: bcs.CohortPage) -> None:
    counts = {"attendues", "présentes", "au départ", "perdus", "à risque", "événements",
              "personnes", "personnes-vagues"}  # fmt: skip
    seen = hidden = 0
    for section in page.sections:
        for table in section.grids:
            places = [at for at, head in enumerate(table.heads) if head in counts]
            for row in table.rows:
                for at in places:
                    hidden += row[at] == "secret"
                    if row[at] not in ("secret", "0", "–"):
                        number = int(re.sub(r"\D", "", row[at]))
                        assert number >= 11, (table.caption, row)
                        seen += 1
    assert seen > 50
    assert hidden


def test_a_wave_hidden_in_one_table_is_hidden_in_the_others(people: pd.DataFrame) -> None:
    kept = people.groupby("person")["wave"].transform("min") < 9999
    few = people[kept & ((people["wave"] < 2030) | (people["person"].rank(method="dense") > 9))]
    answers = answers_of(made(few.reset_index(drop=True)), Wish("income", TRAITS))
    follow, states = answers.tables["suivi"], answers.tables["statuts"]
    secret = follow.loc[follow["status"] == "secret", ["group", "wave"]]
    assert states.merge(secret, on=["group", "wave"]).empty
    last = follow[follow["wave"] == follow["wave"].max()]
    if (last["status"] == "secret").any():
        assert (answers.tables["pertes"]["status"] == "secret").all()


def test_effects_are_those_of_the_verbs(people: pd.DataFrame) -> None:
    cohort = made(people)
    answers = answers_of(cohort, Wish("income", TRAITS))
    found = {effect.method.split("(")[0]: effect.estimate for effect in answers.effects}
    whole = cohort.att_gt("income").aggregate("simple").overall
    staggered = found["entrées échelonnées, ATT"]
    assert staggered is not None
    assert staggered.estimate == pytest.approx(whole.estimate, rel=1e-12)
    assert len(found) == 9  # each kind of method, from the naive to what corrects the losses


def test_what_a_cohort_does_not_allow_is_said(people: pd.DataFrame) -> None:
    bare = people[["person", "wave"]]
    cohort = Cohort(bare, person="person", wave="wave")
    wish = Wish()
    sections = sections_of(cohort, wish, answers_of(cohort, wish), {})
    assert len(sections) == 9
    said = {section.key: section.texts for section in sections if not section.grids}
    assert "rien à estimer" in said["effet"][0]
    assert {"pertes", "equilibre", "durees", "passages", "lieu", "taille"} <= set(said)


def test_hostile_labels_are_texts(people: pd.DataFrame, tmp_path: Path) -> None:
    frame = people.assign(status=people["status"].replace("formation", HOSTILE))
    written = bcs.cohort_page(made(frame), tmp_path / "c.html", title=HOSTILE, event=HOSTILE)
    page = written.page.read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    from openpyxl import load_workbook

    book = load_workbook(written.workbook)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]


def test_the_page_of_a_territory_leads_to_its_cohorts(page: bcs.CohortPage, tmp_path: Path) -> None:
    results = bcs.compute(bcs.datasets.tables("minima_sociaux_2021"))
    said = page.finding()
    assert said.startswith("Suivi d'une cohorte. ")
    written = bcs.report(
        results, tmp_path, territories="QP059050", cohorts={'c.html"><script>': said}
    )
    text = written.pages["QP059050"].read_text(encoding="utf-8")
    assert 'href="c.html&#34;&gt;&lt;script&gt;"' in text
    assert "Les méthodes" in text or "méthode" in text


def test_the_same_cohort_writes_the_same_bytes(people: pd.DataFrame, tmp_path: Path) -> None:
    first, second = (
        bcs.cohort_page(made(people), tmp_path / name, outcome="income")
        for name in ("a.html", "b.html")
    )
    assert first.page.read_bytes() == second.page.read_bytes()
    assert first.workbook.read_bytes() == second.workbook.read_bytes()


def test_no_machine_word_nor_decimal_point(page: bcs.CohortPage) -> None:
    text = re.sub(r"barometre \S+", " ", text_of(page.page))
    for pattern in (r"\bnan\b|\bNone\b|<NA>", r"\d\.\d", r"\d[ \xa0]?%"):
        found = re.search(pattern, text)
        assert found is None, text[found.start() - 40 : found.end() + 40]


@pytest.mark.parametrize(
    ("separator", "encoding"), [(";", "cp1252"), (",", "utf-8"), ("\t", "utf-8-sig")]
)
def test_files_of_people_are_read_as_they_come(
    people: pd.DataFrame, tmp_path: Path, separator: str, encoding: str
) -> None:
    french = people.rename(columns={"person": "identifiant", "wave": "année", "income": "revenu"})
    decimal = "," if separator == ";" else "."
    path = tmp_path / "suivi.csv"
    french.round({"revenu": 2}).to_csv(
        path, sep=separator, index=False, encoding=encoding, decimal=decimal
    )
    read = bcs.read_people(path, needed=["identifiant", "année"], kept=["identifiant"])
    pd.testing.assert_series_equal(
        read["revenu"].astype("float64"), french["revenu"].round(2), check_index=False
    )
    assert read["année"].dtype == "int64"
    with pytest.raises(bcs.BarometreError, match="colonnes attendues personne"):
        bcs.read_people(path, needed=["personne"])


def test_codes_keep_their_zero(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("personne;vague;commune\nA;2024;01001\nB;2024;59172\n", encoding="utf-8")
    assert bcs.read_people(path, needed=["personne"])["commune"].tolist() == ["01001", "59172"]


def test_the_sheet_and_the_protocol(tmp_path: Path) -> None:
    prepared = bcs.prepare_cohort(tmp_path, people=300, zones=12)
    head = prepared.sheet.read_text(encoding="utf-8-sig").splitlines()[0]
    assert [name.strip('"') for name in head.split(";")] == [name for name, _, _ in COLUMNS]
    text = text_of(prepared.protocol)
    for word in ("HMAC-SHA256", "registre", "détruite", "12 quartiers entiers"):
        assert word in text
    with pytest.raises(bcs.BarometreError, match="people=3 refusé"):
        bcs.prepare_cohort(tmp_path, people=3)
