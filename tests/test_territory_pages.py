"""The yearly pages: what they say is what the verbs say, and they can be read by anyone."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs
from barometre.base.rounding import round_half_up
from barometre.cards.listing import load_cards
from barometre.datasets.places.members import members
from barometre.pages.territory import drawn
from barometre.pages.territory.facts.evidence import Evidence, gather
from barometre.pages.territory.facts.followed import followed_of, review_of
from barometre.pages.territory.facts.lines import ESTABLISHED, lines_of
from barometre.pages.territory.facts.questions import ANNEX
from barometre.pages.territory.facts.standing import spine_of
from barometre.pages.territory.language.grammar import share_words
from barometre.pages.territory.language.initials import INITIALS
from barometre.pages.territory.sentences import (
    change_sentence,
    finding,
    gap_sentence,
    trend_words,
    worsens,
)
from tests.pages import Page

QUARTER, SMALL, WHOLE = "QP059050", "QP059058", "200042190"
MOST = 1_500_000  # bytes of a page


@pytest.fixture(scope="module")
def tables() -> bcs.Tables:
    return bcs.datasets.tables()


@pytest.fixture(scope="module")
def results(tables: bcs.Tables) -> pd.DataFrame:
    return bcs.compute(tables)


@pytest.fixture(scope="module")
def evidence(results: pd.DataFrame, tables: bcs.Tables) -> Evidence:
    codes = [c for c in dict.fromkeys(results["code"]) if bcs.level_of(c) in ("qpv", "epci")]
    return gather(results, codes, tables=tables)


@pytest.fixture(scope="module")
def written(
    results: pd.DataFrame, tables: bcs.Tables, tmp_path_factory: pytest.TempPathFactory
) -> bcs.Report:
    return bcs.report(
        results,
        tmp_path_factory.mktemp("pages"),
        territories=[QUARTER, SMALL, WHOLE],
        tables=tables,
        records=bcs.monitoring.example_year(),
        edition="2026",
        date="1er mars 2026",
    )


def visible(page: str) -> str:
    """Give what a reader or a screen reader gets: texts and alternatives, no style nor address."""
    page = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    spoken = re.findall(r'\s(?:alt|aria-label|data-label)="([^"]*)"', page)
    return html.unescape(" ".join([*spoken, re.sub(r"<[^>]*>", " ", page)]))


@pytest.fixture(scope="module")
def texts(written: bcs.Report) -> Mapping[str, str]:
    return {
        path.name: visible(path.read_text(encoding="utf-8"))
        for path in (*written.pages.values(), written.index)
    }


# ---- what a reader must not meet -----------------------------------------------------------------


def test_no_page_shows_a_machine_word(texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        plain = re.sub(r"\b[0-9a-f]{64}\b|[\w.-]+\.(?:xlsx|html)|barometre \S+", " ", text)
        for what, pattern in {
            "nan": r"\bnan\b|\bNaN\b|\bNone\b|\bnull\b|\binf\b|<NA>",
            "decimal point": r"\d\.\d",
            "identifier": r"\b[a-z0-9]+_[a-z0-9_]+\b|\bENSQ[PN]_\w+",
            "hyphen for minus": r"(?<![\w\u202f’-])-\d",
            "double space in a sentence": r"[,;] ,|\(\)|« »",
        }.items():
            found = re.search(pattern, plain)
            assert found is None, f"{name}: {what}: {plain[found.start() - 60 : found.end() + 30]}"


def test_french_spaces_are_narrow_and_unbreakable(texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        found = re.search(r"\d[ \xa0]?%|\d %| [:;?!]|'", text)
        assert found is None, f"{name}: {text[found.start() - 40 : found.end() + 20]!r}"


def test_pages_are_light_and_whole(written: bcs.Report) -> None:
    for path in written.pages.values():
        page = path.read_text(encoding="utf-8")
        assert len(page.encode()) < MOST
        assert page.count("<img") <= 25
        assert not re.search(r"<(script|link|iframe)|https?:(?!//www\.w3\.org)", page)
        assert page.count("<table") == page.count("</table>") == page.count("<caption>")
        assert all(re.findall(r'<img src="data:image/svg[^"]*" alt="([^"]+)"', page))


def test_tags_nest(written: bcs.Report) -> None:
    assert written.review is not None
    for path in (*written.pages.values(), written.index, written.review):
        assert Page(path.read_text(encoding="utf-8")).faults == [], path.name


def test_headings_go_down_one_step_at_a_time(written: bcs.Report) -> None:
    for path in written.pages.values():
        levels = [int(n) for n in re.findall(r"<h([1-6])", path.read_text(encoding="utf-8"))]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_links_within_a_page_lead_somewhere(written: bcs.Report) -> None:
    for path in written.pages.values():
        page = path.read_text(encoding="utf-8")
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


# ---- what sentences say --------------------------------------------------------------------------


def test_only_what_is_judged_is_said_to_differ(evidence: Evidence) -> None:
    compared = re.compile(r"\b(plus|moins)( haut| bas)? que\b")
    seen = set()
    for code in evidence.references:
        for line in lines_of(evidence, code):
            sentence, title = gap_sentence(line), finding(line)
            established = line.verdict_name in ESTABLISHED and not line.is_count
            seen.add(line.verdict_name)
            body = sentence.replace(line.card.libelle["fr"], "")
            assert bool(compared.search(body)) == established, sentence
            assert ("écart établi" in body) == established, sentence
            assert bool(compared.search(title.replace(line.card.libelle["fr"], ""))) == established
    assert {"favorable", "defavorable", "comparable", "non_juge", "plus_bas"} <= seen


def test_every_sentence_has_value_year_reference_and_source(evidence: Evidence) -> None:
    for code in evidence.references:
        for line in lines_of(evidence, code):
            sentence = gap_sentence(line)
            assert str(line.year) in sentence
            assert "Source :" in sentence
            assert sentence.endswith(".")
            if line.known and line.first is not None and line.first.known and not line.is_count:
                assert line.first.place.within() in sentence


def test_a_secret_value_is_said_to_be_secret(evidence: Evidence) -> None:
    line = next(x for x in lines_of(evidence, SMALL) if x.card.id == "part_femmes_defm")
    assert gap_sentence(line).startswith(
        "Part des femmes parmi les demandeurs d'emploi (A, B, C) : valeur non diffusée (secret"
    )


@pytest.mark.parametrize("value", [32.4, 32.5, 33.3, 34.2, 34.3, 46.4, 49.95, 50.0, 50.6])
def test_shares_in_words_are_earned(value: float) -> None:
    card = load_cards()["taux_emploi_15_64"]
    words = {
        "un tiers": (32.5, 34.2), "près de la moitié": (46.5, 49.4), "la moitié": (49.5, 50.5),
    }  # fmt: skip
    told = share_words(value, card)
    right = [w for w, (low, high) in words.items() if low <= round_half_up(value, 1) <= high]
    assert told == (right[0] if right else None)


def test_the_reading_notes_of_the_contract_are_on_the_pages(evidence: Evidence) -> None:
    """Every reading note of a table gives a value, or an evolution, that a line of a page shows."""
    notes = bcs.datasets.load("lectures").frame.reset_index()
    notes = notes[~notes["tableau"].str.startswith("graphique:")]
    missing = []
    for note in notes.to_dict("records"):
        shown = [
            shown
            for line in lines_of(evidence, str(note["code"]))
            for shown in (
                line.value,
                line.row["effectif"],
                line.row["base"],
                *_changed(line.change),
            )
        ]
        decimals = 1 if float(note["valeur"]) % 1 else 0
        if not any(round_half_up(v, decimals) == float(note["valeur"]) for v in shown if v == v):
            missing.append((note["code"], note["mesure"], note["valeur"]))
    # The evolution of the population since 2013 is printed without its first value.
    assert missing in ([], [(QUARTER, "evolution_population", 0.0)])
    assert len(notes) == 25


def _changed(change: object) -> list[float]:
    return [] if change is None else [float(change["evolution_pct"])]  # type: ignore[index]


def test_what_gets_worse_needs_both_proofs(evidence: Evidence) -> None:
    for code in evidence.references:
        for line in lines_of(evidence, code):
            assert not worsens(line)  # two dates prove no trend
            sentence = change_sentence(line)
            assert sentence is None or "encourag" not in sentence


# ---- what is drawn -------------------------------------------------------------------------------


def test_a_spine_is_turned_so_that_left_is_unfavourable(evidence: Evidence) -> None:
    seen = 0
    for code in evidence.peers:
        for line in lines_of(evidence, code):
            spine = spine_of(line)
            if spine is None:
                continue
            marks = [spine.p5, spine.q1, spine.median, spine.q3, spine.p95, spine.dot]
            assert all(0 <= mark <= 100 for mark in marks)
            assert marks[:5] == sorted(marks[:5])
            if spine.diamond is not None and line.verdict_name == "defavorable":
                assert spine.dot <= spine.diamond
                seen += 1
    assert seen


def test_questions_hold_each_indicator_once_in_the_order_of_the_annex() -> None:
    asked = [name for question in ANNEX for name in question.indicators]
    assert sorted(asked) == sorted(load_cards())
    annex = bcs.datasets.load("annexe_questions").frame.reset_index()
    for question, row in zip(ANNEX, annex.to_dict("records"), strict=False):
        assert question.pillar[0].lower() == row["pilier"]
        assert question.question[0].lower() == row["question"]


# ---- files ---------------------------------------------------------------------------------------


def _bytes(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_results_write_the_same_bytes(
    results: pd.DataFrame, tables: bcs.Tables, tmp_path: Path
) -> None:
    folders = []
    for name in ("a", "b"):
        shuffled = results.sample(frac=1, random_state=1) if name == "b" else results
        bcs.report(shuffled, tmp_path / name, territories=[SMALL], tables=tables)
        folders.append(_bytes(tmp_path / name))
    assert folders[0] == folders[1]


def test_what_people_wrote_is_kept(results: pd.DataFrame, tmp_path: Path) -> None:
    rows = results[results["code"].isin([SMALL, WHOLE])]
    bcs.report(rows, tmp_path, territories=[SMALL], edition="2025")
    boxes = tmp_path / "perspectives" / f"{SMALL}.toml"
    text = boxes.read_text(encoding="utf-8")
    assert "[2025]" in text
    boxes.write_text(
        "# à moi\n" + text.replace('retenir = """\n', 'retenir = """\nLire <b>aux</b> enfants'),
        encoding="utf-8",
    )
    written = bcs.report(rows, tmp_path, territories=[SMALL], edition="2026")
    page = written.pages[SMALL].read_text(encoding="utf-8")
    assert "Lire &lt;b&gt;aux&lt;/b&gt; enfants" in page
    kept = boxes.read_text(encoding="utf-8")
    assert kept.startswith("# à moi\n")
    assert "[2026]" in kept
    bcs.report(rows, tmp_path, territories=[SMALL], edition="2026")
    assert boxes.read_text(encoding="utf-8") == kept


HOSTILE = {
    SMALL: "<script>alert(1)</script>[/bold]=HYPERLINK(\"x\")\u202e" + "long " * 60,
    WHOLE: "=1+1\" onload=\"x' {{ 7*7 }} & <b>",
}  # fmt: skip


def test_hostile_labels_are_texts(results: pd.DataFrame, tmp_path: Path) -> None:
    labels = pd.DataFrame({"libelle": HOSTILE, "libelle_court": HOSTILE})
    written = bcs.report(results, tmp_path, territories=[SMALL, WHOLE], labels=labels)
    for path in (*written.pages.values(), written.index):
        page = path.read_text(encoding="utf-8")
        tags = Page(page)
        assert tags.names.isdisjoint({"script", "iframe", "object"})
        assert not [name for name in tags.attributes if name.startswith("on")]
        assert "7*7" in page
        assert "\u202e" not in page  # it would turn what follows the name
        assert page.count("<b>") == page.count("<li><b>")  # those of the tiles


def test_nothing_but_secrets_and_one_indicator_alone(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        [
            ["59172", 2019, "taux_emploi_15_64", None, "secret"],
            ["59172", 2019, "population", None, "secret"],
            ["01001", 2019, "taux_emploi_15_64", 41.0, "ok"],
            ["75056", 2016, "taux_emploi_15_64", 66.0, "ok"],
        ],
        columns=["code", "annee", "indicateur", "valeur", "statut"],
    )  # fmt: skip
    none = {"borne_inf": None, "borne_sup": None, "qualite": None, "note": None}
    frame = rows.assign(origine="calcule", **none).astype(
        {"valeur": "float64", "borne_inf": "float64", "borne_sup": "float64"}
    )
    written = bcs.report(frame, tmp_path)
    secret, alone = (
        visible(written.pages[c].read_text(encoding="utf-8")) for c in ("59172", "01001")
    )
    assert "0\xa0valeur\u202f; 2\xa0secrètes" in secret
    assert secret.count("non diffusé (secret statistique)") == 2
    assert "41,0\u202f%" in alone
    # Paris has another year: that is no second date of this one.
    assert "Une seule date par indicateur" in alone


def test_a_territory_of_no_row_is_refused(results: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(bcs.BarometreError, match="sans aucune ligne dans les résultats : 59999"):
        bcs.report(results, tmp_path, territories=["59999"])
    with pytest.raises(bcs.BarometreError, match="processes=0 refusé"):
        bcs.report(results, tmp_path, processes=0)
    with pytest.raises(bcs.BarometreError, match="aucun quartier, EPCI ni commune"):
        bcs.report(results[results["code"] == "METRO"], tmp_path)


def test_one_territory_alone_has_a_page(results: pd.DataFrame, tmp_path: Path) -> None:
    written = bcs.report(results[results["code"] == SMALL], tmp_path)
    text = visible(written.pages[SMALL].read_text(encoding="utf-8"))
    assert "Aucun écart défavorable ne peut être établi avec ces données." in text
    assert "Moins de trois territoires semblables" in text


@pytest.mark.parametrize(("code", "shown"), [("59172", False), ("QP059050", True)])
def test_an_absent_index_is_that_of_the_territory(
    results: pd.DataFrame, tmp_path: Path, code: str, shown: bool
) -> None:
    """A commune has no commune of its own: only a neighbourhood names that around it."""
    rows = results[results["code"] == "QP059050"].assign(code=code)
    text = visible(bcs.report(rows, tmp_path, territories=code).pages[code].read_text("utf-8"))
    assert ("ni celui de sa commune" in text) is shown
    assert ("IDH-4 : il n'est pas" in text.replace("’", "'").replace("\u202f", " ")) is not shown


def test_an_undated_value_is_given_no_date(evidence: Evidence, texts: Mapping[str, str]) -> None:
    """The contract quotes an IDH-4 without its year: 2024 is the year of the document."""
    (line,) = [x for x in lines_of(evidence, "200042190") if x.card.id == "idh4"]
    said = gap_sentence(line)
    assert said.partition(" : ")[2].startswith("0,39 (sans date, dans un document de 2024)")
    assert "en 2024" not in said
    assert "Données de 2018-2022." in " ".join(texts["200042190.html"].split())


def test_what_is_established_is_beyond_something(evidence: Evidence) -> None:
    said = " ".join(
        gap_sentence(line)
        for code in ("QP059050", "200042190")
        for line in lines_of(evidence, code)
        if line.established
    )
    assert re.search(r"écart établi \(au-delà du hasard, 95\s%\)", said)
    assert "(hasard" not in said


def test_nothing_established_is_no_equality(evidence: Evidence) -> None:
    (line,) = [
        x
        for x in lines_of(evidence, "200042190")
        if x.card.libelle["fr"].startswith("Demandeurs d'emploi de moins de 26 ans")
    ]
    assert trend_words(line)[:2] == ("", "pas établie")


def test_the_states_of_actions_add_up(evidence: Evidence) -> None:
    """Done, under way, planned and dropped are all there: their sum is the number of actions."""
    review = review_of(bcs.monitoring.example_year(), 2025)
    assert review is not None
    followed = followed_of(review, WHOLE, evidence.members)
    (grid,) = [grid for grid in followed.grids if grid.caption.startswith("Actions de 2025")]
    assert len(grid.rows) > 3
    for _, number, *states in (row[:6] for row in grid.rows):
        assert int(number) == sum(map(int, states))


def test_every_target_is_in_one_tile(evidence: Evidence) -> None:
    """What is past without data is not late: each status is counted once."""
    review = review_of(bcs.monitoring.example_year(), 2025)
    assert review is not None
    found = followed_of(review, WHOLE, evidence.members)
    statuses = review.targets["statut"]
    tiles = (found.reached, found.on_path, found.late, found.overdue, found.without_data)
    assert sum(tiles) + found.other == len(statuses) == 114
    assert found.late == len(found.late_names) == statuses.isin(
        ["en retard", "à l'opposé", "non atteint"]
    ).sum()  # fmt: skip
    assert found.overdue == statuses.eq("échu, sans donnée").sum() > 0


# ---- charts and maps -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def towns() -> pd.DataFrame:
    """Three dates of the 47 communes, of the EPCI and of what is above."""
    known = members(None).communes
    codes = known.index[known["epci"] == WHOLE].tolist()
    rows = [
        {"code": code, "annee": year, "indicateur": name, "valeur": 30.0 + (i * 7 % 19) + 2 * k}
        for i, code in enumerate([*codes, WHOLE, "59", "METRO"])
        for k, year in enumerate((2010, 2015, 2020))
        for name in ("taux_emploi_15_64", "taux_logements_vacants")
    ]
    base = {"borne_inf": None, "borne_sup": None, "qualite": None, "origine": "calcule"}
    frame = pd.DataFrame(rows).assign(statut="ok", note=None, **base)
    return frame.astype({"borne_inf": "float64", "borne_sup": "float64"})


def test_maps_and_paths_are_where_they_serve(towns: pd.DataFrame, tmp_path: Path) -> None:
    written = bcs.report(towns, tmp_path, territories=[WHOLE, "59172"])
    whole, town = (written.pages[c].read_text(encoding="utf-8") for c in (WHOLE, "59172"))
    assert whole.count("Schéma, et non carte") == 2  # a question, a map of tiles
    assert town.count("Schéma, et non carte") == 1
    assert whole.count("2010 – 2020") >= 2  # a path for each indicator of three dates
    for page in (whole, town):
        assert page.count('<svg class="spine"') + 2 < page.count("<svg")


def test_a_page_has_a_bounded_number_and_weight_of_charts(
    towns: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawn, "MOST", 3)
    page = bcs.report(towns, tmp_path, territories=[WHOLE]).pages[WHOLE].read_text("utf-8")
    assert page.count("<figure>") == 3  # the bars of the two questions before the maps
    monkeypatch.setattr(drawn, "HEAVIEST", 60_000)
    light = bcs.report(towns, tmp_path, territories=[WHOLE]).pages[WHOLE].read_text("utf-8")
    assert 0 < light.count("<figure>") < 3
    assert len(light) < len(page)


# ---- two languages -------------------------------------------------------------------------------

FRENCH = (
    r"(?<![\w-])(des|les|dans|pour|avec|sans|est|sont|une|aux|leur|qui|que|établie?|hausse|baisse|"
    r"écart|taux|part des|ménages|valeur|année|année|indicateur|rang|lecture)(?![\w-])"
)
ENGLISH = r"(?<![\w-])(the|of|and|with|from|than|gap|share|rate|higher|lower|see|year|value|read)(?![\w-])"


def bare(page: str) -> str:
    """Give what a reader gets, but what is said to be in French on an English page."""
    page = re.sub(r"<style>.*?</style>", " ", page, flags=re.DOTALL)
    marked = r'<(ul|ol|p|div|dl|dd|tbody|table|span)\b[^>]* lang="fr"[^>]*>.*?</\1>'
    return visible(re.sub(marked, " ", page, flags=re.DOTALL))


def foreign(report: bcs.Report, words: str) -> list[str]:
    """Quote the first words of another language of each page."""
    assert report.review is not None
    found = []
    for path in (*report.pages.values(), report.index, report.review):
        text = re.sub(r"Licence Ouverte|Priority neigh\w+", " ", bare(path.read_text("utf-8")))
        if match := re.search(words, text, flags=re.IGNORECASE):
            found.append(f"{path.name}: {text[match.start() - 60 : match.end() + 40]!r}")
    return found


def test_french_pages_are_in_french(written: bcs.Report) -> None:
    assert foreign(written, ENGLISH) == []


def test_english_pages_are_in_english(
    results: pd.DataFrame, tables: bcs.Tables, tmp_path: Path
) -> None:
    report = bcs.report(
        results, tmp_path, territories=[SMALL, WHOLE], tables=tables, lang="en", edition="2026",
        records=bcs.monitoring.example_year(), previous=results.assign(valeur=results["valeur"] + 1),
    )  # fmt: skip
    assert foreign(report, FRENCH) == []
    assert foreign(report, r"\w [;:?!]") == []  # spaced as French is


# ---- what a reader asked -------------------------------------------------------------------------


def test_initials_and_signs_are_told_on_the_page(
    written: bcs.Report, texts: Mapping[str, str]
) -> None:
    for name in (f"{QUARTER}.html", f"{WHOLE}.html"):
        text = texts[name]
        assert "n.d.\u202f: non disponible" in text
        listed = text.partition(" Sigles ")[2].partition("Révisions")[0]
        body = text.partition(" Sigles ")[0]
        for initials, (words, _) in INITIALS.items():
            used = re.search(rf"(?<![\w-]){re.escape(initials)}(?![\w-])", body)
            if initials in ("CC", "CU"):
                continue
            told = f"{initials}\u202f: " in listed
            assert told or not used, initials
            assert not told or words[:20].replace("'", "’") in listed


def test_a_break_is_told_once(texts: Mapping[str, str]) -> None:
    text = texts[f"{QUARTER}.html"]
    assert text.count("Rupture en 2025 (") == 1
    assert text.count("Rupture en 2020 (") == 1


def test_a_share_of_one_case_says_so(evidence: Evidence) -> None:
    """One establishment of 46 in Elnon: 2,2 %."""
    (line,) = [x for x in lines_of(evidence, SMALL) if x.card.id == "taux_creation_etablissements"]
    assert "(sur 1\xa0cas seulement)" in gap_sentence(line)
    (other,) = [x for x in lines_of(evidence, QUARTER) if x.card.id == line.card.id]
    assert "seulement" not in gap_sentence(other)


def test_targets_have_their_units_and_sources(written: bcs.Report) -> None:
    assert written.review is not None
    text = re.sub(r"[ \n]+", " ", visible(written.review.read_text(encoding="utf-8")))
    assert "15\u202f% 13,3\u202f% en avance contrat Quartiers 2030, ligne 3658" in text
    assert "6\xa0logements" in text
    assert "exemple fictif" in text


def test_a_spine_is_told_in_figures(written: bcs.Report, texts: Mapping[str, str]) -> None:
    page = written.pages[QUARTER].read_text(encoding="utf-8")
    labels = re.findall(r'<svg class="spine"[^>]*aria-label="([^"]*)"', page)
    assert len(labels) > 20
    for word in ("minimum", "premier quartile", "médiane", "troisième quartile", "maximum"):
        assert all(word in label for label in labels)
    assert "non lu (zones de part et d’autre de zéro)" in texts[f"{QUARTER}.html"]
