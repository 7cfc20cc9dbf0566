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
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import barometre as bcs
from barometre import cohort_page
from barometre.cohort.estimates import make_estimate
from barometre.cohort_page import charts, drawn, write_cohort_page
from barometre.cohort_page.findings import compute_findings
from barometre.cohort_page.french import spaced
from barometre.errors import BarometreError
from barometre.plots import look

mpl.use("Agg")

import matplotlib.pyplot as plt

from barometre import plots

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


@pytest.fixture(autouse=True)
def _close_figures() -> object:
    yield
    plt.close("all")


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
    states = written.found["statuses"]["table"]
    assert not states["n"].between(1, 10).any()
    assert states.groupby(["group", "wave"])["share"].sum().to_numpy() == pytest.approx(1)
    # A wave hidden in a table is not told by the chart of the statuses.
    hidden = written.found["follow_up"]["hidden"]
    assert not hidden[hidden].index.isin(pd.MultiIndex.from_frame(states[["group", "wave"]])).any()


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


# ---- its charts ---------------------------------------------------------------------------------


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


EFFECTS = pd.DataFrame(
    {
        "group": ["naïve", "naïve", "corrigée"],
        "method": ["avant/après", "bornes", "DiD"],
        "estimate": [180.0, np.nan, 58.4],
        "low": [160.0, 20.0, 40.0],
        "high": [200.0, 90.0, 77.0],
    }
)


def test_forest_of_effects() -> None:
    ax = plots.effect_forest(EFFECTS, truth=60, title="Méthodes", label="€")
    ticks = [label.get_text() for label in ax.get_yticklabels()]
    assert ticks == ["naïve", "avant/après", "bornes", "corrigée", "DiD"]
    assert texts(ax)[:4] == ["effet vrai : 60", "180 [160 ; 200]", "[20 ; 90]", "58 [40 ; 77]"]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    colours = [to_hex(str(dot.get_color())) for dot in dots]
    assert colours == [look.UNFAVOURABLE, look.FAVOURABLE, look.FAVOURABLE]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # first method at the top
    assert "bornes" in texts(ax)[-1]
    assert ax.get_title(loc="left") == "Méthodes"


def test_forest_of_estimates_by_name() -> None:
    _, given = plt.subplots()
    both = {
        "DiD": make_estimate(2.5, 1.0, 10, 40, {}),
        "none": make_estimate(np.nan, np.nan, 10, 0, {}),
    }
    ax = plots.effect_forest(both, decimals=1, lang="en", ax=given)
    assert ax is given
    assert texts(ax) == ["2.5 [0.3, 4.7]", ""]
    assert ax.get_xlabel() == "Estimated effect"


def test_event_study_before_and_after() -> None:
    table = pd.DataFrame(
        {"event_time": [-2, -1, 0, 1], "att": [3.0, 0.0, 55.0, 61.0],
         "low": [-5, np.nan, 40, 45], "high": [11, np.nan, 70, 77]}
    )  # fmt: skip
    ax = plots.event_study_plot(table, truth=60)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["−2", "−1", "0", "+1"]
    assert texts(ax) == ["3", "0", "55", "61"]
    sides = {str(line.get_label()): list(np.asarray(line.get_xdata())) for line in ax.lines}
    assert sides["avant l'entrée"] == [-2, -1]
    assert sides["après l'entrée"] == [0, 1]
    legend = ax.get_legend()
    assert legend is not None
    assert "effet vrai : 60" in [text.get_text() for text in legend.get_texts()]
    other = table.rename(columns={"att": "estimate"})
    assert plots.event_study_plot(other, lang="en").get_ylabel() == "Estimated effect"


def _people(values: dict[str, float]) -> pd.Series[float]:
    return pd.Series(values, dtype="float64")


def test_change_bars_add_up() -> None:
    before = _people({f"s{i}": 100.0 for i in range(20)} | {f"x{i}": 160.0 for i in range(12)})
    after = _people({f"s{i}": 110.0 for i in range(20)} | {f"e{i}": 80.0 for i in range(15)})
    later = _people({f"x{i}": 170.0 for i in range(12)})
    change = bcs.cohort.decompose_change(before, after, leavers_after=later)
    ax = plots.change_bars(change, title="Quartier")
    boxes = [box for box in ax.patches if isinstance(box, Rectangle)]
    spans = [(box.get_y(), box.get_y() + box.get_height()) for box in boxes]
    assert spans[0][0] == 0
    assert [start for start, _ in spans[1:3]] == pytest.approx([end for _, end in spans[:2]])
    assert spans[3] == pytest.approx((0, change.total))
    assert spans[2][1] == pytest.approx(change.total)
    assert spans[4] == pytest.approx((0, change.people))
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "ceux qui restent\nn = 20"
    assert labels[4] == "les habitants\nde départ\nn = 32"
    unknown = plots.change_bars(bcs.cohort.decompose_change(before, after))
    assert len(unknown.get_xticklabels()) == 4


def test_change_bars_hide_small_groups() -> None:
    before = _people({f"s{i}": 100.0 for i in range(20)} | {f"x{i}": 160.0 for i in range(12)})
    after = _people({f"s{i}": 110.0 for i in range(20)} | {f"e{i}": 80.0 for i in range(3)})
    later = _people({f"x{i}": 170.0 for i in range(12)})
    change = bcs.cohort.decompose_change(before, after, leavers_after=later)
    ax = plots.change_bars(change, lang="en")
    assert texts(ax).count("hidden") == 2  # the few entrants, and what would give them back
    boxes = [box for box in ax.patches if isinstance(box, Rectangle)]
    assert {box.get_y() for box in boxes} == {0.0}
    assert not any(label.get_text().endswith("n = 3") for label in ax.get_xticklabels())
    assert len(ax.get_xticklabels()) == 4
    assert len(plots.change_bars(change, threshold=2).patches) == 5


def test_change_bars_without_anyone_who_stays() -> None:
    before, after = (_people({f"{c}{i}": 10.0 for i in range(15)}) for c in "xe")
    ax = plots.change_bars(bcs.cohort.decompose_change(before, after))
    assert texts(ax) == ["–", "–", "–", "0"]


def test_charts_of_nothing_are_refused() -> None:
    with pytest.raises(BarometreError, match="effets vides"):
        plots.effect_forest(EFFECTS.head(0))
    with pytest.raises(BarometreError, match="low"):
        plots.effect_forest(EFFECTS.drop(columns="low"))
    with pytest.raises(BarometreError, match="effets vides"):
        plots.effect_forest({})
    with pytest.raises(BarometreError, match="event_time"):
        plots.event_study_plot(EFFECTS)
    nobody = _people({})
    with pytest.raises(BarometreError, match="personne"):
        plots.change_bars(bcs.cohort.decompose_change(nobody, _people({"a": 1.0})))
