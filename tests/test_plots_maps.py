"""Maps: classes that hold every value once, codes that meet or are listed, the same bytes."""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

import barometre as bcs
from barometre.base.errors import BarometreError
from barometre.cards.listing import load_cards
from barometre.plots.look.colours import FAVOURABLE, SERIES, UNFAVOURABLE, ink_on, luminance, ramp
from barometre.plots.look.sheet import Size
from barometre.plots.maps.classing import classed
from barometre.plots.maps.squares import tiles_of
from tests.charts import faults, legend, texts

mpl.use("Agg")

from barometre import plots

EPCI, NAME = "200042190", "taux_emploi_15_64"
SIZES: tuple[Size, ...] = ("a4", "slide")
GEO = (
    Path(__file__).parents[2] / "shared" / "data" / "geo"
)  # beside some checkouts; not ours to publish


@pytest.fixture(scope="module")
def towns() -> pd.DataFrame:
    """Drawn values for the 47 communes, one of them secret."""
    codes = bcs.communes().query("epci == @EPCI").index
    drawn = bcs.compute(bcs.datasets.make_tables(47, 2021, seed=1), [NAME])
    drawn = drawn.assign(code=drawn["code"].map(dict(zip(drawn["code"], codes, strict=True))))
    hidden = drawn["code"] == "59172"
    return drawn.assign(
        valeur=drawn["valeur"].mask(hidden), statut=drawn["statut"].mask(hidden, "secret")
    )


def square(x: float, y: float) -> list[list[list[float]]]:
    return [[[x, y], [x + 0.05, y], [x + 0.05, y + 0.05], [x, y + 0.05], [x, y]]]


@pytest.fixture
def outlines(towns: pd.DataFrame, tmp_path: Path) -> Path:
    """Squares for the 47 communes but one, and for one that has no value."""
    codes = [*towns["code"][:-1], "59350"]
    features = [
        {
            "type": "Feature",
            "properties": {"rang": i, "INSEE_COM": code, "nom": f"n{i}"},
            "geometry": {"type": "Polygon", "coordinates": square(3 + i % 8 * 0.05, 50 + i // 8 * 0.05)},
        }
        for i, code in enumerate(codes)
    ]  # fmt: skip
    path = tmp_path / "communes.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


# ---- classes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["quantiles", "reference"])
@pytest.mark.parametrize(
    "name", [NAME, "taux_de_pauvrete", "part_femmes_defm", "rapport_interdecile"]
)
def test_each_territory_is_in_one_class(rule: str, name: str) -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"valeur": rng.uniform(2, 60, 47), "statut": "ok"}, index=[f"{i:05d}" for i in range(47)]
    )
    rows["statut"] = ["secret", "secret", "non_disponible"] + ["ok"] * 44
    rows["valeur"] = rows["valeur"].where(rows["statut"] == "ok")
    found = classed(rows, load_cards()[name], rule, reference=("la CA", 30.0))  # type: ignore[arg-type]
    codes = [code for item in found for code in item.codes]
    assert sorted(codes) == sorted(rows.index)
    assert [(i.text, len(i.codes)) for i in found if i.absent] == [("n.d.", 1), ("secret", 2)]
    ends = [rows.loc[item.codes, "valeur"].agg(["min", "max"]) for item in found if not item.absent]
    assert all(a["max"] < b["min"] for a, b in pairwise(ends))


def test_quantiles_have_equal_numbers_and_alike_values_one_class() -> None:
    card = load_cards()[NAME]
    rows = pd.DataFrame(
        {"valeur": np.arange(50.0), "statut": "ok"}, index=[str(i) for i in range(50)]
    )
    assert [len(item.codes) for item in classed(rows, card, "quantiles", number=5)] == [10] * 5
    alike = classed(rows.assign(valeur=[1.0] * 40 + [2.04, 2.01] * 5), card, "quantiles")
    assert [(item.text, len(item.codes)) for item in alike] == [("1,0", 40), ("2,0", 10)]
    assert classed(rows.assign(valeur=np.nan, statut="secret"), card, "quantiles")[0].absent


def test_sides_of_a_reference_follow_the_card() -> None:
    rows = pd.DataFrame({"valeur": [20.0, 30.5, 40.0], "statut": "ok"}, index=["a", "b", "c"])
    more, less, none, low = (
        [
            item.colour
            for item in classed(rows, load_cards()[name], "reference", reference=("r", 30.0))
        ]
        for name in (NAME, "taux_de_pauvrete", "part_femmes_defm", "rapport_interdecile")
    )
    assert (more[0], more[2]) == (UNFAVOURABLE, FAVOURABLE)
    assert (less[0], less[2]) == (FAVOURABLE, UNFAVOURABLE)
    assert not {UNFAVOURABLE, FAVOURABLE} & set(none)
    assert FAVOURABLE not in low
    with pytest.raises(BarometreError, match="pas de valeur non nulle"):
        classed(rows, load_cards()[NAME], "reference")
    with pytest.raises(BarometreError, match="donner verdicts="):
        classed(rows, load_cards()[NAME], "verdict")
    with pytest.raises(BarometreError, match="règle de classes « deciles » inconnu"):
        classed(rows, load_cards()[NAME], "deciles")  # type: ignore[arg-type]


def test_a_map_of_verdicts(contract: bcs.Tables) -> None:
    name = "part_plus_2_ans_defm"
    results = bcs.compute(contract)
    found = bcs.judge(results, EPCI, proof="hasard")
    found = found[found["indicateur"] == name]
    ax = plots.choropleth(results, indicator=name, rule="verdict", verdicts=found, reference=EPCI)
    mine = found[found["code"].str.startswith("QP0")]
    counts = mine["verdict"].value_counts()
    assert set(legend(ax)) == {
        f"défavorable, établi ({counts['defavorable']})",
        f"écart non établi ({counts['comparable']})",
        f"favorable, établi ({counts['favorable']})",
    }


# ---- tiles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_without_outlines_a_scheme_that_says_so(towns: pd.DataFrame, size: Size) -> None:
    ax = plots.choropleth(towns, size=size)
    assert faults(ax) == []
    said = texts(ax)
    assert any(text.startswith("Schéma, et non carte") for text in said)
    assert len(ax.patches) == 47
    assert "Denain secret" in said
    counts = [int(n) for text in legend(ax) for n in re.findall(r"\((\d+)\)$", text)]
    assert sum(counts) == 47
    assert "secret (1)" in legend(ax)


def test_tiles_are_apart_and_keep_north_and_west() -> None:
    codes = list(bcs.communes().query("epci == @EPCI").index)
    found = tiles_of(codes, {})
    assert found.placed
    assert len(set(found.places.values())) == 47
    north, south = found.places["59418"], found.places["59038"]  # Mortagne-du-Nord, Avesnes-le-Sec
    assert north[0] < south[0]
    assert found.places["59207"][1] > found.places["59002"][1]  # Escautpont is east of Abscon


def test_elsewhere_tiles_are_sorted_and_a_file_is_asked_for() -> None:
    drawn = bcs.compute(bcs.datasets.make_tables(12, 2021, seed=1), [NAME])
    ax = plots.choropleth(drawn, lang="en", classes=3)
    assert faults(ax, french=False) == []
    assert any("give outlines" in text for text in texts(ax))
    assert [tuple(p) for p in (tiles_of(["b", "a", "c"], {"a": "A", "b": "B", "c": "C"}).places).values()] == [
        (0, 0), (0, 1), (1, 0),
    ]  # fmt: skip


def test_the_tiles_are_rebuilt_from_outlines(tmp_path: Path, checkout: Path) -> None:
    from barometre.datasets.rebuild_tiles import centre, rebuild, tiles

    assert centre({"type": "Polygon", "coordinates": square(3, 50)}) == pytest.approx(
        (3.025, 50.025)
    )
    grid = np.array([(x, y) for y in (50.2, 50.1, 50.0) for x in (3.0, 3.1, 3.2)])
    found = tiles(grid)
    assert len(set(found)) == 9
    assert [row for row, _ in found] == sorted(row for row, _ in found)
    if not GEO.exists():
        pytest.skip("needs the outlines of the communes")
    assert rebuild(GEO / "communes-59.geojson", EPCI, tmp_path) == 47
    kept = checkout / "datasets" / "tuiles_porte_du_hainaut"
    for name in ("tuiles_porte_du_hainaut.csv", "dataset.toml"):
        assert (tmp_path / kept.name / name).read_text() == (kept / name).read_text()


# ---- outlines ------------------------------------------------------------------------------------


def mapped(ax: Axes) -> list[str]:
    """Colours of the outlines that have a result."""
    return [to_hex(patch.get_facecolor()) for patch in ax.patches if patch.get_zorder() == 2]


def test_codes_that_do_not_meet_are_listed_both_ways(towns: pd.DataFrame, outlines: Path) -> None:
    pytest.importorskip("geopandas")
    lost = towns["code"].iloc[-1]
    with pytest.warns(plots.MapWarning, match=rf"1 codes .* sans contour : {lost} ; 1 .* : 59350"):
        ax = plots.choropleth(towns, outlines)
    assert len(mapped(ax)) == 46
    assert faults(ax) == []
    assert any(f"sans contour : {lost}" in text for text in texts(ax))
    hatched = [patch for patch in ax.patches if patch.get_hatch()]
    assert len(hatched) == 1
    with pytest.warns(plots.MapWarning):
        svgs = {plots.to_svg(plots.choropleth(towns, outlines)) for _ in range(2)}
    assert len(svgs) == 1


@pytest.mark.parametrize("kind", ["gpkg", "shp", "frame", "lambert without a projection"])
def test_every_kind_of_outlines(towns: pd.DataFrame, outlines: Path, kind: str) -> None:
    geopandas = pytest.importorskip("geopandas")
    frame = geopandas.read_file(outlines)
    with pytest.warns(plots.MapWarning):
        expected = mapped(plots.choropleth(towns, outlines))
    given = frame
    if kind in ("gpkg", "shp"):
        given = outlines.with_suffix(f".{kind}")
        frame.to_file(given)
    elif kind.startswith("lambert"):
        given = frame.to_crs(2154).set_crs(None, allow_override=True)
    with pytest.warns(plots.MapWarning):
        assert mapped(plots.choropleth(towns, given)) == expected


def test_outlines_refused(towns: pd.DataFrame, outlines: Path, tmp_path: Path) -> None:
    geopandas = pytest.importorskip("geopandas")
    with pytest.raises(BarometreError, match="n'existe pas"):
        plots.choropleth(towns, tmp_path / "absent.geojson")
    broken = tmp_path / "broken.geojson"
    broken.write_text("{")
    with pytest.raises(BarometreError, match="contours illisibles"):
        plots.choropleth(towns, broken)
    frame = geopandas.read_file(outlines).drop(columns="INSEE_COM")
    with pytest.raises(BarometreError, match=r"aucun code commun .* colonnes des contours : rang"):
        plots.choropleth(towns, frame)
    numbers = geopandas.read_file(outlines)
    numbers["INSEE_COM"] = numbers["INSEE_COM"].astype(int)  # a zero at the left would be lost
    with pytest.warns(plots.MapWarning):
        assert len(mapped(plots.choropleth(towns, numbers))) == 46
    far = frame.set_crs(None, allow_override=True)
    far["geometry"] = far.geometry.scale(1e9, 1e9)
    with pytest.raises(BarometreError, match="sans projection connue"):
        plots.choropleth(towns, far.assign(code=towns["code"].to_numpy()))
    two = pd.concat([towns, towns.assign(indicateur="taux_de_pauvrete")])
    with pytest.raises(BarometreError, match="choisir indicator="):
        plots.choropleth(two)


def test_without_geopandas_the_error_says_what_to_do(
    towns: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(BarometreError, match=r"pip install 'barometre\[maps\]'"):
        plots.choropleth(towns, tmp_path / "x.geojson")
    plots.choropleth(towns)


@pytest.mark.skipif(
    not GEO.exists(), reason="needs the outlines of the communes and neighbourhoods"
)
@pytest.mark.parametrize("size", SIZES)
def test_the_true_outlines(towns: pd.DataFrame, size: Size) -> None:
    pytest.importorskip("geopandas")
    with pytest.warns(plots.MapWarning, match="601 contours sans résultat"):
        ax = plots.choropleth(
            towns,
            GEO / "communes-59.geojson",
            over={"QPV 2024": GEO / "qpv2024-59.geojson"},
            size=size,
        )
    assert faults(ax) == []
    assert len(mapped(ax)) == 47
    assert "QPV 2024 (13)" in legend(ax)


# ---- colours -------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes (2009), severity 1.0: protanopia, deuteranopia, tritanopia.
_BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def lab(colour: str, blind: str | None) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if blind:
        linear = np.clip(np.array(_BLIND[blind]) @ linear, 0, 1)
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ linear
    )
    t = xyz / [0.9505, 1.0, 1.089]
    f = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blind", [None, *_BLIND])
def test_colours_are_told_apart_by_everyone(blind: str | None) -> None:
    groups = {"sides": [UNFAVOURABLE, FAVOURABLE, "#e6dcc8", "#ffffff"], "series": list(SERIES[:6])}
    groups |= {f"ramp {n}": ramp(n) for n in (3, 5, 7)}
    for name, colours in groups.items():
        for i, one in enumerate(colours):
            for other in colours[:i]:
                far = float(np.linalg.norm(lab(one, blind) - lab(other, blind)))
                assert far > 10, (name, one, other, far)  # 2.3 is the least that is seen


def test_texts_are_read_on_every_colour() -> None:
    for colour in [*SERIES, *ramp(7), UNFAVOURABLE, FAVOURABLE, "#e6dcc8"]:
        light, ink = sorted((luminance(colour), luminance(ink_on(colour))))
        assert (ink + 0.05) / (light + 0.05) >= 4.5, colour
