"""Every chart at 13 and at 47 territories, on a page and on a slide: nothing over anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.base.french import Lang
from barometre.composite import TerritorialIndex
from barometre.plots import Signed
from barometre.plots.look.sheet import Size
from barometre.tables.table_set import Tables
from tests.charts import faults, figure_of, texts
from tests.columns import state_distribution

mpl.use("Agg")

from barometre import plots

REFERENCES = ["ENSQP_200042190", "200042190", "59", "METRO"]
EPCI = "200042190"
SIZES: tuple[Size, ...] = ("a4", "slide")
COUNTS = (13, 47)
SHARES = ["taux_emploi_15_64", "part_non_diplomes", "taux_logements_vacants"]


@pytest.fixture(scope="module")
def quarters(contract: Tables) -> pd.DataFrame:
    return bcs.compute(contract)


@pytest.fixture(scope="module")
def towns() -> pd.DataFrame:
    """Two years of drawn values for the 47 communes, and their mean as the agglomeration."""
    codes = bcs.communes().query("epci == @EPCI").index
    parts = []
    for year in (2015, 2021):
        drawn = bcs.compute(bcs.datasets.make_tables(47, year, seed=year), SHARES)
        names = dict(zip(drawn["code"].unique(), codes, strict=True))
        parts.append(drawn.assign(code=drawn["code"].map(names)))
    results = pd.concat(parts, ignore_index=True)
    mean = results.groupby(["annee", "indicateur"], as_index=False)["valeur"].mean()
    whole = results.drop_duplicates(["annee", "indicateur"]).drop(columns="valeur")
    whole = whole.merge(mean, on=["annee", "indicateur"]).assign(
        code=EPCI, statut="ok", qualite=np.nan
    )
    return pd.concat([results, whole[results.columns]], ignore_index=True)


def spine(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    codes = own(results, number)
    return plots.spine(plots.spine_rows(results, codes[0], peers=codes, reference=EPCI), **signed)


def own(results: pd.DataFrame, number: int) -> list[str]:
    codes = [c for c in results["code"].unique() if re.match(r"QP0|59\d{3}", c)]
    assert len(codes) == number
    return codes


def indicator(number: int) -> str:
    return "part_familles_monoparentales_caf" if number == 13 else "taux_emploi_15_64"


def three(number: int) -> list[str]:
    some = ["taux_emploi_15_64", "part_femmes_defm", "taux_couverture_minima_sociaux"]
    return some if number == 13 else SHARES


def known(results: pd.DataFrame) -> list[str]:
    return [code for code in REFERENCES if code in set(results["code"])]


def shares(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    draws = np.random.default_rng(0).dirichlet([4, 3, 5, 3, 2], number)
    ages = ["moins de 15 ans", "15-29 ans", "30-59 ans", "60-74 ans", "75 ans et plus"]
    table = pd.DataFrame(100 * draws, index=own(results, number), columns=ages)
    table.iloc[2, 1] = np.nan
    return plots.share_bars(table, ordered=True, **signed)


def grouped(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    two = ["taux_couverture_rsa", "taux_couverture_aah"] if number == 13 else SHARES[:2]
    return plots.grouped_bars(results, two, references=known(results)[-2:], **signed)


def grid(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    years = sorted(results.loc[results["indicateur"] == indicator(number), "annee"].unique())
    return plots.class_grid(
        results,
        indicator(number),
        start=years[0],
        end=years[-1],
        reference=known(results)[0],
        **signed,
    )


def scored(results: pd.DataFrame, number: int) -> TerritorialIndex:
    draws = np.random.default_rng(0).uniform(size=(number + 1, 3))
    components = pd.DataFrame(
        draws * [100, 40, 24770] + [60, 50, 14090],
        index=pd.Index([*own(results, number), EPCI], name="code"),
        columns=["icm", "part_diplomes", "niveau_de_vie_median"],
    )
    components.iloc[3, 0] = np.nan
    limits = {"icm": (60, 160), "part_diplomes": (50, 90), "niveau_de_vie_median": (14090, 38860)}
    return bcs.idh4(components, bounds=limits)


def index(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    return plots.index_bar(scored(results, number), references=[EPCI], **signed)


def love(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    rng = np.random.default_rng(0)
    people = pd.DataFrame(
        rng.normal(size=(90, number)), columns=[f"trait {i}" for i in range(number)]
    )
    people["arm"] = rng.integers(0, 2, 90)
    traits = [str(name) for name in people if name != "arm"]
    weight = pd.Series(rng.uniform(0.5, 2, 90))
    return plots.love_plot(bcs.cohort.balance_table(people, "arm", traits, weight=weight), **signed)


def flows(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    before = pd.Series(1.0, index=range(20 * number))
    after = pd.Series(2.0, index=range(5 * number, 24 * number))
    return plots.waterfall(bcs.cohort.decompose_change(before, after), **signed)


def ranked(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    return plots.ranked_bars(results, three(number)[0], references=known(results), **signed)


def heat(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    return plots.heat_table(
        results,
        territories=own(results, number),
        reference=EPCI,
        indicators=three(number),
        **signed,
    )


def heat_of_many(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    others = [code for code in known(results) if code != EPCI]
    return plots.heat_table(
        results, territories=own(results, number), reference=EPCI, others=others, **signed
    )


def ranks(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    name = three(number)[0]
    chosen = results[(results["indicateur"] == name) & results["code"].isin(own(results, number))]
    found = bcs.rank(chosen[chosen["annee"] == chosen["annee"].max()])
    wide = found["rang"].to_numpy(float)
    found = found.assign(rang_min=np.maximum(wide - 2, 1), rang_max=wide + 3)
    return plots.rank_intervals(found, **signed)


def needs(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    codes = own(results, number)
    zones = codes if number == 13 else codes[1:]
    people = pd.Series(np.arange(1.0, len(zones) + 1), index=zones)
    against = "METRO" if number == 13 else codes[0]
    return plots.diagnostic_map(bcs.diagnose(results, zones, EPCI, against, people), **signed)


def gaps(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    return plots.gap_dimensions(scored(results, number).contributions(EPCI), **signed)


def curves(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    rng = np.random.default_rng(number)
    times, events, arms = rng.integers(1, 13, 90), rng.integers(0, 2, 90), rng.integers(0, 2, 90)
    named: Signed = {**signed, "labels": {0: "Témoins", 1: "Bénéficiaires du parcours"}}
    return plots.survival_curves(bcs.cohort.kaplan_meier(times, events, by=arms), **named)


def by_time(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    times = [t for t in range(-3, number) if t != -1]
    effect = np.where(np.array(times) < 0, 2.0, 55.0)
    table = pd.DataFrame(
        {"event_time": times, "estimate": effect, "low": effect - 9, "high": effect + 9.0}
    )
    return plots.event_study_plot(table, truth=60, **signed)


def forest(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    table = pd.DataFrame({"method": [f"méthode {i}" for i in range(number)], "estimate": 5.0})
    return plots.effect_forest(table.assign(low=1.0, high=9.0), truth=6.0, **signed)


def change(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    before = pd.Series(1.0, index=range(20 * number))
    after = pd.Series(2.0, index=range(5 * number, 24 * number))
    return plots.change_bars(bcs.cohort.decompose_change(before, after), **signed)


def states(results: pd.DataFrame, number: int, signed: Signed) -> Axes:
    rng = np.random.default_rng(0)
    people, waves = np.repeat(np.arange(40), number), np.tile(np.arange(2000, 2000 + number), 40)
    status = rng.choice(["emploi", "formation", "recherche d'emploi"], 40 * number)
    return plots.state_bars(state_distribution(people, waves, status), **signed)


Drawing = Callable[[pd.DataFrame, int, Signed], Axes]
CHARTS: dict[str, Drawing] = {
    "spine": spine,
    "two_dates": lambda r, n, s: plots.two_dates(r, indicator(n), references=known(r), **s),
    "grouped_bars": grouped,
    "share_bars": shares,
    "small_multiples": lambda r, n, s: plots.small_multiples(
        r, three(n), reference=EPCI, highlight=own(r, n)[0], **s
    ),
    "small_multiples of nobody": lambda r, n, s: plots.small_multiples(
        r, three(n), reference=EPCI, **s
    ),
    "trajectory": lambda r, n, s: plots.trajectory(
        r, indicator(n), references=known(r), highlight=own(r, n)[0], targets={2026: 40}, **s
    ),
    "class_grid": grid,
    "index_bar": index,
    "love_plot": love,
    "waterfall": flows,
    "ranked_bars": ranked,
    "heat_table": heat,
    "heat_table of many": heat_of_many,
    "rank_intervals": ranks,
    "diagnostic_map": needs,
    "gap_dimensions": gaps,
    "survival_curves": curves,
    "event_study_plot": by_time,
    "effect_forest": forest,
    "change_bars": change,
    "state_bars": states,
}  # fmt: skip
LONG = "Dans neuf quartiers sur treize, les familles monoparentales sont plus nombreuses qu'en 2016"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("number", COUNTS)
@pytest.mark.parametrize("chart", CHARTS)
def test_nothing_is_over_anything(
    quarters: pd.DataFrame, towns: pd.DataFrame, chart: str, number: int, size: Size
) -> None:
    results = quarters if number == 13 else towns
    signed: Signed = {
        "size": size, "title": LONG, "source": "producteur d'essai", "licence": "Licence ouverte (Etalab)",
    }  # fmt: skip
    ax = CHARTS[chart](results, number, signed)
    assert faults(ax) == []
    said = texts(ax)
    assert LONG in said
    assert any(
        "Source : producteur d'essai. Licence : Licence ouverte (Etalab)." in text for text in said
    )
    width, height = figure_of(ax).get_size_inches()
    room = (6.7, 10.0) if size == "a4" else (7.5, 13.33)  # an A4 page may be taken in its length
    assert tuple(sorted((width, height))) <= (room[0] + 0.01, room[1] + 0.01)
    assert max(width, height) <= room[1] + 0.01


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_says_what_it_shows(quarters: pd.DataFrame, chart: str) -> None:
    ax = CHARTS[chart](quarters, 13, {})
    assert len(plots.chart_data(ax))
    english: Lang = "en"
    french, other = plots.describe(ax), plots.describe(ax, lang=english)
    assert french != other
    assert not re.search(r"\d\.\d|\bnan\b|QP0590", french)
    assert not re.search(r"\d,\d(?!\d\d)|\bnan\b|QP0590", other)
    assert french.endswith(".")


@pytest.mark.parametrize("chart", ["spine", "share_bars", "trajectory", "heat_table of many"])
def test_the_same_data_give_the_same_svg(quarters: pd.DataFrame, chart: str) -> None:
    first, second = (plots.to_svg(CHARTS[chart](quarters, 13, {}), name="g1") for _ in range(2))
    assert first == second
    assert len(first) < 160_000
    root = ElementTree.fromstring(first)
    names = [node.get("id") for node in root.iter() if node.get("id")]
    assert len(names) == len(set(names))
    assert all(name is not None and name.startswith("g1-") for name in names)
    assert not re.search(r"\d{4}-\d\d-\d\dT", first)
    used = re.findall(r'(?:href="#|url\(#)([^")]+)', first)
    assert set(used) <= set(names)


def test_files_are_written_in_three_kinds(quarters: pd.DataFrame, tmp_path: Path) -> None:
    def draw() -> Axes:
        return plots.two_dates(quarters, "idt_compas")

    for kind in ("png", "svg", "pdf"):
        one, two = (plots.save_chart(draw(), tmp_path / f"{i}.{kind}", dpi=50) for i in (1, 2))
        assert one.read_bytes() == two.read_bytes()
    with pytest.raises(BarometreError, match=r"\.png, \.svg ou \.pdf"):
        plots.save_chart(draw(), tmp_path / "x.jpg")


def test_hostile_names_are_texts(quarters: pd.DataFrame) -> None:
    names = {
        "QP059050": "<script>alert(1)</script>", "QP059051": "$x^2$ & co", "QP059052": "a\x07b\u202ec",
        "QP059053": "n" * 300, "QP059054": "=HYPERLINK(1)",
    }  # fmt: skip
    ax = plots.two_dates(quarters, "idt_compas", labels=names)
    assert faults(ax) == []
    said = texts(ax)
    assert {"<script>alert(1)</script>", "$x^2$ & co", "abc"} <= set(said)
    svg = plots.to_svg(ax)
    assert "<script" not in svg
    ElementTree.fromstring(svg)


def test_an_option_that_charts_do_not_have_is_refused(quarters: pd.DataFrame) -> None:
    with pytest.raises(
        BarometreError, match=r"option « tilte » inconnue\. Vouliez-vous dire « title »"
    ):
        plots.two_dates(quarters, "idt_compas", tilte="x")  # type: ignore[call-arg]
    with pytest.raises(BarometreError, match="option size= « a3 »"):
        plots.two_dates(quarters, "idt_compas", size="a3")  # type: ignore[arg-type]
    _, other = __import__("matplotlib.pyplot", fromlist=["subplots"]).subplots()
    with pytest.raises(BarometreError, match="rien à décrire"):
        plots.describe(other)


# ---- what is at the edge -------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_more_rows_than_a_page_make_a_longer_sheet(size: Size) -> None:
    drawn = bcs.compute(bcs.datasets.make_tables(130, 2021, seed=1), ["taux_emploi_15_64"])
    ax = plots.ranked_bars(drawn, "taux_emploi_15_64", size=size)
    assert faults(ax) == []
    many = pd.concat([drawn.assign(code=drawn["code"] + f"{i}") for i in range(5)])
    with pytest.raises(BarometreError, match="650 lignes, au plus 600"):
        plots.ranked_bars(many, "taux_emploi_15_64")


def test_without_a_value_a_chart_says_so(quarters: pd.DataFrame) -> None:
    none = quarters.assign(valeur=np.nan, statut="secret")
    codes = own(quarters, 13)
    drawn = [
        plots.ranked_bars(none, "idt_compas", references=["59"], year=2019),
        plots.two_dates(none, "idt_compas", start=2011, end=2019, references=["59"]),
        plots.grouped_bars(none, ["taux_couverture_rsa", "taux_couverture_aah"]),
        plots.small_multiples(none, ["idt_compas", "indice_jeunesse"], reference="59"),
        plots.heat_table(none, territories=codes, reference="59", indicators=["idt_compas"]),
        plots.spine(plots.spine_rows(none, codes[0], peers=codes, reference="59")),
        plots.trajectory(none, "idt_compas", references=["59"]),
        plots.choropleth(none, indicator="idt_compas"),
        plots.share_bars(pd.DataFrame({"a": [np.nan], "b": [np.nan]}, index=["59"])),
    ]
    for ax in drawn:
        assert faults(ax) == []
        assert "nan" not in plots.describe(ax).split()


def test_a_single_territory_and_a_single_year(quarters: pd.DataFrame) -> None:
    one = quarters[quarters["code"] == "QP059050"]
    drawn = [
        plots.ranked_bars(one, "taux_emploi_15_64"),
        plots.two_dates(one, "idt_compas"),
        plots.trajectory(one, "taux_emploi_15_64"),
        plots.choropleth(one, indicator="taux_emploi_15_64"),
        plots.spine(plots.spine_rows(one, "QP059050", peers=["QP059050"], reference="59")),
    ]
    for ax in drawn:
        assert faults(ax) == []
    assert drawn[2].get_title(loc="left").endswith(", 2019")


def test_what_charts_refuse(quarters: pd.DataFrame) -> None:
    with pytest.raises(BarometreError, match="n'a qu'une date"):
        plots.two_dates(quarters, "taux_emploi_15_64")
    with pytest.raises(BarometreError, match="de même unité"):
        plots.grouped_bars(quarters, ["taux_emploi_15_64", "idt_compas"])
    with pytest.raises(BarometreError, match="passe 100 %"):
        plots.share_bars(pd.DataFrame({"a": [80.0], "b": [40.0]}, index=["59"]))
    with pytest.raises(BarometreError, match="part négative"):
        plots.share_bars(pd.DataFrame({"a": [-1.0], "b": [40.0]}, index=["59"]))
    with pytest.raises(BarometreError, match="« 59172 » n'a pas de ligne"):
        plots.spine_rows(quarters, "59172", peers=[], reference="59", indicators=["idt_compas"])
    with pytest.raises(BarometreError, match="pas de valeur non nulle"):
        plots.class_grid(quarters, "idt_compas", start=2011, end=2019, reference="METRO")
    with pytest.raises(BarometreError, match="aucun territoire à dessiner"):
        plots.ranked_bars(quarters, "idt_compas", territories=["zz"])


def test_counts_make_shares() -> None:
    counts = pd.DataFrame({"a": [1.0, 0.0], "b": [3.0, 0.0]}, index=["59172", "59038"])
    table = plots.chart_data(plots.share_bars(counts, counts=True))
    assert table.loc["59172"].to_numpy().tolist() == [25.0, 75.0]
    assert np.isnan(table.loc["59038"].to_numpy(float)).all()  # nothing of nothing is no share


def test_positions_are_ordered_and_follow_the_card(quarters: pd.DataFrame) -> None:
    codes = own(quarters, 13)
    for code in codes:
        rows = plots.spine_rows(quarters, code, peers=codes, reference=EPCI)
        places = rows[["x_minimum", "x_p25", "x_mediane", "x_p75", "x_maximum"]].to_numpy(float)
        assert (np.diff(places, axis=1) >= 0).all()
        inside = rows.filter(like="x_").to_numpy(float)
        assert ((inside >= 0) & (inside <= 1) | np.isnan(inside)).all()
    emploi = quarters[(quarters["indicateur"] == "taux_couverture_minima_sociaux")].set_index(
        "code"
    )
    worst = emploi["valeur"].reindex(codes).idxmax()  # the highest is the least favourable
    row = plots.spine_rows(quarters, str(worst), peers=codes, reference=EPCI).set_index(
        "indicateur"
    )
    assert row.loc["taux_couverture_minima_sociaux", "x_valeur"] == 0
    known = emploi["valeur"].reindex(codes)
    assert row.loc["taux_couverture_minima_sociaux", "p25"] == known.quantile(0.25)
