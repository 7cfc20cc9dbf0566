"""The page of a synthetic cohort: said to be synthetic, computed, well formed; and its charts."""

from __future__ import annotations

import base64
import re
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cohort import Cohort, hide_small_groups, protect
from barometre.pages import cohort as cohort_page
from barometre.pages.cohort import charts, drawn, write_cohort_page
from barometre.pages.cohort.findings import _statuses, compute_findings
from barometre.pages.cohort.french import spaced

mpl.use("Agg")


SEED, N, EFFECT = 1, 400, 137.0  # few people, so that some figures must be hidden
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """What the page is made of; tags that do not nest are a failure."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data

    @property
    def text(self) -> str:
        return re.sub(r"[ \n\t]+", " ", "".join(self.words))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


class Written(NamedTuple):
    path: Path
    raw: str
    page: Page
    found: dict[str, Any]
    frame: pd.DataFrame


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A page whose true effect is not the usual one."""
    path = tmp_path_factory.mktemp("page") / "new" / "cohorte.html"
    draw = partial(bcs.datasets.make_cohort, effect=EFFECT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bcs.datasets, "make_cohort", draw)
        found = compute_findings(SEED, N)
        patch.setattr(cohort_page, "compute_findings", lambda seed, n: found)
        assert write_cohort_page(str(path), seed=SEED, n=N) == path
    frame = draw(
        N, entries=drawn.ENTRIES, mobility=drawn.MOBILITY, zone_shock=drawn.ZONE_SHOCK, seed=SEED
    )
    raw = path.read_text(encoding="utf-8")
    return Written(path, raw, Page(raw), found, frame)


# ---- the page -----------------------------------------------------------------------------------


def test_it_says_it_is_synthetic_first_and_on_every_chart(written: Written) -> None:
    page = written.page
    body = page.text.split("une cohorte de synthèse", 1)[1]  # after the title of the window
    assert body.lstrip().startswith("DONNÉES SYNTHÉTIQUES")
    assert len(page.of("img")) == len(page.of("figure")) == 6
    for image in page.of("img"):
        assert (image["alt"] or "").startswith("Données synthétiques. ")
    assert written.raw.count("<figcaption><strong>Données synthétiques.</strong>") == 6


def test_every_chart_bears_the_mark(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Figure] = []

    def recorded(*arguments: Any, **options: Any) -> Figure:
        made.append(Figure(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(charts, "Figure", recorded)
    assert len(charts.draw_charts(written.found)) == len(made) == 6
    assert {figure.get_suptitle() for figure in made} == {charts.MARK}


def test_one_file_without_network_nor_script(written: Written) -> None:
    page = written.page
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "href"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data:image/png;base64,"))
    assert not re.search(r"htt[p]s?:|@import|url\(", written.raw)
    for image in page.of("img"):
        content = base64.b64decode((image["src"] or "").split(",", 1)[1], validate=True)
        assert content.startswith(b"\x89PNG")


def test_it_can_be_read_without_seeing_it(written: Written) -> None:
    page = written.page
    assert page.of("html") == [{"lang": "fr"}]
    assert {"charset": "utf-8"} in page.of("meta")
    assert any(meta.get("name") == "viewport" for meta in page.of("meta"))
    assert len(page.of("h1")) == 1
    assert len(page.of("caption")) == len(page.of("table")) > 0
    assert all(head.get("scope") for head in page.of("th"))
    names = [a["id"] for _, a in page.tags if "id" in a]
    assert len(names) == len(set(names))
    assert {(link["href"] or "")[1:] for link in page.of("a")} <= set(names)
    assert {s["aria-labelledby"] for s in page.of("section")} <= set(names)


def test_french_typography(written: Written) -> None:
    alts = [image["alt"] or "" for image in written.page.of("img")]
    for text in (written.page.text, *alts):
        assert not re.search(r" [:;?!%»€]|« |\w'\w", text), re.search(r" [:;?!%»€]|« |\w'", text)
        assert not re.search(r"\d\.\d(?!\.)", text.replace(bcs.__name__, "").replace("0.1.0", ""))
        assert "nan" not in re.findall(r"\w+", text)
    assert spaced("60 %") == "60\u202f%"
    assert spaced("« l&#39;effet » : 5 €") == "«\u00a0l’effet\u00a0»\u202f: 5\u00a0€"


def test_no_figure_is_typed_in_the_template() -> None:
    text = (cohort_page._TEMPLATES / "cohorte.html.j2").read_text(encoding="utf-8")
    text = re.sub(
        r"<style>.*?</style>|\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", "", text, flags=re.S
    )
    conventions = r"95 %|5 %|2 × 2|CR[12]|SHA256|\((?:[\w' ]*, )?(?:2009|2021)\)|Sant'Anna, 2021|inférieur à 0,1"
    left = re.sub(conventions, "", text)
    assert not re.findall(r".{0,30}\d.{0,10}", left)


def test_the_truth_of_the_page_is_that_of_the_cohort(written: Written) -> None:
    text = written.page.text
    assert f"L’action ajoute exactement {EFFECT:.0f}\u00a0€" in text
    assert "exactement 60" not in text
    alt = written.page.of("img")[0]["alt"] or ""
    assert f"l’effet vrai de {EFFECT:.0f}\u00a0€" in alt
    trend = written.frame.attrs["truth"]["trend"]
    assert f"montent de {trend:.0f}\u00a0€ par an" in text


def test_the_figures_are_those_of_the_people(written: Written) -> None:
    """Counts and means found again with pandas alone."""
    frame, text, tables = written.frame, written.page.text, written.page.tables
    first, last = (frame[frame["wave"] == wave].set_index("person") for wave in (2024, 2030))
    base = frame[frame["wave"] == 2025].set_index("person")["income"]
    arm = first["arm"]
    assert f"{N} personnes inventées" in text
    assert f"{(arm == 1).sum()} entrent dans une action" in text
    gap = last.groupby("arm")["income"].mean()
    assert f"L’écart est de {_signed(gap[1] - gap[0])}\u00a0€" in text
    change = (last["income"] - base).dropna()
    assert f"a augmenté de {change[arm.reindex(change.index) == 1].mean():.0f}\u00a0€" in text
    before = base.groupby(arm).mean()
    did = gap[1] - gap[0] - (before[1] - before[0])
    assert f"La double différence sur les présents donne {did:.0f}\u00a0€" in text
    lost = ~first.index.isin(last.index)
    (who,) = [table for table in tables if table[0][1] == "revenu des perdus"]
    for row, side in zip(who[1:], (1, 0), strict=True):
        means = first["income"].groupby([arm == side, lost]).mean()[True]
        assert [_number(cell) for cell in row[1:3]] == [round(means[True]), round(means[False])]


def _signed(value: float) -> str:
    return f"{value:.0f}".replace("-", "−")


def _number(cell: str) -> int:
    return int(re.sub(r"[^\d−]", "", cell).replace("−", "-"))


def test_the_methods_are_those_of_the_library(written: Written) -> None:
    methods = written.found["methods"].set_index("method")
    cohort = bcs.cohort.Cohort(
        written.frame, person="person", wave="wave", arm="arm", first_treated="first_treated"
    )
    plain = cohort.att_gt("income").aggregate("simple").overall
    row = methods.loc["entrées échelonnées, ATT(g,t)"]
    assert (row["estimate"], row["low"], row["high"]) == (plain.estimate, plain.low, plain.high)
    alt = written.page.of("img")[0]["alt"] or ""
    assert f"ATT(g,t)\u202f: {plain.estimate:.0f}\u00a0€" in alt
    assert np.isnan(methods.loc["bornes de Lee", "estimate"])
    assert bool((methods["low"] <= methods["high"]).all())


def test_what_a_sentence_says_agrees_with_its_figures(written: Written) -> None:
    said = {
        "l’intervalle contient l’effet vrai": 0,
        "l’intervalle est tout entier au-dessus de l’effet vrai": 1,
        "l’intervalle est tout entier au-dessous de l’effet vrai": -1,
        "l’intervalle est tout entier négatif, alors que l’effet vrai est positif": -1,
    }
    pattern = r"\[(−?\d+)\u202f; (−?\d+)\]\u202f[:;] (" + "|".join(said) + ")"
    found = re.findall(pattern, written.page.text)
    assert len(found) >= 6
    for low, high, words in found:
        side = (_number(low) > EFFECT + 1) - (_number(high) < EFFECT - 1)
        assert side == said[words], (low, high, words)


def test_small_counts_are_hidden_with_what_would_give_them_back(written: Written) -> None:
    tables = written.page.tables
    (kept,) = [table for table in tables if table[0][0] == "Année"]
    assert any("secret" in cell for row in kept for cell in row)
    for column in (1, 3):
        shown = [int(row[column].split(" sur ")[0]) for row in kept[2:] if row[column] != "secret"]
        assert all(gap == 0 or gap >= 11 for gap in -np.diff(shown))
        assert kept[-1][column] != "secret"
    (reasons,) = [table for table in tables if table[0][0] == "Raison"]
    cells = [cell for row in reasons[1:] for cell in row[1:]]
    assert "secret" in cells
    assert all(cell == "secret" or int(cell) == 0 or int(cell) >= 11 for cell in cells)
    (place,) = [table for table in tables if table[0][0] == "Ce qui change"]
    change = written.found["place"]["change"]
    assert 0 < change.n_entries < 11
    rows = {row[0]: row[1:] for row in place[1:]}
    assert rows["les arrivées"] == ["secret"] * 3
    assert list(rows.values()).count(["secret"] * 3) >= 2
    # Nor is an interval told in full beside a hidden group.
    assert all(row[2] == "secret" for row in rows.values())
    assert written.found["place"]["rows"][["low", "high"]].isna().all(axis=None)
    states = written.found["statuses"]["table"]
    assert not states["n"].between(1, 10).any()
    assert states.groupby(["group", "wave"])["share"].sum().to_numpy() == pytest.approx(1)
    protected = protect(written.found["drawn"].cohort.retention("arm")).set_index(["group", "wave"])
    assert list(written.found["follow_up"]["hidden"]) == list(protected["status"] == "secret")
    # A wave hidden in a table is not told by the chart of the statuses.
    hidden = written.found["follow_up"]["hidden"]
    assert not hidden[hidden].index.isin(pd.MultiIndex.from_frame(states[["group", "wave"]])).any()


def test_a_wave_whose_total_is_secret_is_not_added_up() -> None:
    """Six people and five at one wave: their sum tells as much as they do."""
    waves = {2024: ["emploi"] * 11, 2025: ["emploi"] * 6 + ["sans"] * 5}
    rows = [(f"a{i}", wave, 0, state) for wave in waves for i, state in enumerate(waves[wave])]
    rows += [(f"b{i}", wave, 1, "emploi") for wave in waves for i in range(40)]
    frame = pd.DataFrame(rows, columns=["person", "wave", "arm", "status"])
    cohort = Cohort(frame, person="person", wave="wave", arm="arm", status="status")
    shown = pd.Series(False, pd.MultiIndex.from_product([[0, 1], list(waves)]))
    table = _statuses(cohort, shown)["table"]
    assert hide_small_groups(pd.DataFrame({"n": [6, 5]}))["total_status"].eq("secret").all()
    assert set(table.loc[table["group"] == 0, "wave"]) == {2024}
    assert set(table.loc[table["group"] == 1, "wave"]) == {2024, 2025}


def test_nobody_is_listed(written: Written) -> None:
    assert not re.search(r"P0{2}\d", written.page.text)
    assert not any(zone in written.page.text for zone in written.frame["baseline_zone"].unique())


def test_the_same_cohort_gives_the_same_page(written: Written) -> None:
    assert cohort_page._page(written.found) == written.raw


def test_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "page.html"
    path.write_text("avant", encoding="utf-8")

    def fail(found: object) -> str:
        raise RuntimeError("arrêt")

    monkeypatch.setattr(cohort_page, "compute_findings", lambda seed, n: {})
    monkeypatch.setattr(cohort_page, "_page", fail)
    with pytest.raises(RuntimeError, match="arrêt"):
        write_cohort_page(path)
    monkeypatch.setattr(cohort_page, "_page", lambda found: "\ud800")  # cannot be encoded
    with pytest.raises(UnicodeEncodeError):
        write_cohort_page(path)
    assert path.read_text(encoding="utf-8") == "avant"
    assert list(tmp_path.iterdir()) == [path]


def test_too_few_people_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BarometreError, match="au moins 400"):
        write_cohort_page(tmp_path / "page.html", n=399)
    assert list(tmp_path.iterdir()) == []
