"""Trees: read from tables and files, written back equal, refused with every fault."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from barometre.base.errors import BarometreError, FaultsError
from barometre.composite import HDI, IDH2, IDH4, Bounds, Index, Leaf, Node

NESTED = pd.DataFrame(
    [
        ("emploi", "cohesion", 1, 1),
        ("chomage", "travail", -1, 3),
        ("cohesion", None, 1, 1),
        ("travail", "cohesion", 1, 2),
        ("salaire", "travail", 1, 1),
    ],
    columns=["id", "parent", "direction", "weight"],
)


def faults(tree: pd.DataFrame, **options: Any) -> str:
    with pytest.raises(FaultsError) as refused:
        Index.from_table(tree, **options)
    return str(refused.value)


def changed(row: int, **cells: Any) -> pd.DataFrame:
    """Give the nested tree with some cells of a row changed."""
    tree = NESTED.astype("object")
    for name, value in cells.items():
        if name not in tree:
            tree[name] = None
        tree.loc[row, name] = value
    return tree


# ---- shape --------------------------------------------------------------------------------------


def test_a_tree_whose_leaves_are_at_different_depths() -> None:
    index = Index.from_table(NESTED)
    assert index.root == "cohesion"
    assert index.levels == {"emploi": 1, "chomage": 1, "salaire": 1, "travail": 2, "cohesion": 3}
    assert index.columns == ("emploi", "chomage", "salaire", "travail", "cohesion")
    assert index.children == {"cohesion": ("emploi", "travail"), "travail": ("chomage", "salaire")}
    # 2/3 of travail, of which 3/4 and 1/4
    expected = {
        "emploi": 1 / 3,
        "chomage": 1 / 2,
        "salaire": 1 / 6,
        "travail": 2 / 3,
        "cohesion": 1,
    }
    pd.testing.assert_series_equal(
        index.effective_weights, pd.Series(expected, name="poids"), rtol=1e-15
    )


@pytest.mark.parametrize("none", [None, np.nan, "", pd.NA])
@pytest.mark.parametrize("direction", [int, float, str])
def test_what_pandas_users_write(none: object, direction: Any) -> None:
    tree = NESTED.assign(direction=NESTED["direction"].map(direction))
    tree["parent"] = tree["parent"].astype("object").where(tree["parent"].notna(), none)
    assert Index.from_table(tree) == Index.from_table(NESTED)


def test_weights_are_equal_without_a_column() -> None:
    assert Index.from_table(NESTED.drop(columns="weight")).weights.tolist() == [1] * 5


def test_a_node_needs_no_direction() -> None:
    assert Index.from_table(changed(3, direction=None)) == Index.from_table(NESTED)


def test_rows_rule_over_options() -> None:
    tree = pd.DataFrame(
        {
            "id": ["r", "a", "b"],
            "parent": [None, "r", "r"],
            "direction": 1,
            "transform": [None, "log", None],
            "low": [None, 1, None],
            "high": [None, 10, None],
            "clip": [None, "none", None],
            "normalise": [None, "goalposts", None],
            "aggregate": ["0.5", None, None],
            "min_available": [0.5, None, None],
            "floor": [0, None, None],
        }
    )
    index = Index.from_table(tree, normalise="minmax", aggregate="geometric", clip="high")
    assert index.leaves == (
        Leaf("a", "r", 1, 1, "goalposts", "log", 1, 10, clip=None),
        Leaf("b", "r", 1, 1, "minmax", clip="high"),
    )
    assert index.nodes == (Node("r", None, 1, 0.5, 0.5, 0.0),)


def test_means_by_level_or_node() -> None:
    index = Index.from_table(NESTED, aggregate={2: "harmonic", "cohesion": 0.5})
    assert {node.id: node.power for node in index.nodes} == {"cohesion": 0.5, "travail": -1}


# ---- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tree", "options", "said"),
    [
        (changed(0, parent="social"), {}, "emploi : son parent « social » n'est pas dans l'arbre"),
        (changed(2, parent="travail"), {}, "cohesion, travail : cycle de parents"),
        (changed(2, parent="travail"), {}, "racine : 0 au lieu d'une (aucune)"),
        (changed(3, parent=None), {}, "racine : 2 au lieu d'une (cohesion, travail)"),
        (changed(0, id="salaire"), {}, "salaire : identifiant donné 2 fois"),
        (changed(0, id=None), {}, "ligne 1 : sans identifiant"),
        (changed(0, id=3), {}, "3 : identifiant vide ou non textuel"),
        (changed(0, direction=2), {}, "emploi : direction 2"),
        (changed(0, direction="haut"), {}, "emploi : direction « haut »"),
        (changed(0, direction=None), {}, "emploi : direction manquante"),
        (changed(3, direction=-1), {}, "travail : un nœud n'a pas de direction -1"),
        (NESTED.drop(columns="direction"), {}, "emploi, chomage, salaire : direction manquante"),
        (changed(0, weight=-1), {}, "emploi : poids -1"),
        (changed(0, weight=None), {}, "emploi : poids manquant"),
        (changed(0, weight=np.inf), {}, "emploi : poids inf"),
        (NESTED.assign(weight=0), {}, "cohesion, travail : composantes toutes de poids nul"),
        (changed(0, transform="racine"), {}, "emploi : transform racine"),
        (changed(3, transform="log"), {}, "travail : transform sur un nœud"),
        (changed(0, aggregate="geometric"), {}, "emploi : aggregate sur une feuille"),
        (changed(0, clip="haut"), {}, "emploi : clip haut"),
        (changed(0, clip="low"), {"normalise": "zscore"}, "emploi : clip inutile"),
        (NESTED, {"normalise": "zscore", "clip": "low"}, "clip : aucune feuille n'a de bornes"),
        (changed(0, low=1, high=2), {}, "emploi : bornes inutiles avec normalise=minmax"),
        (changed(0, low=1, high=1), {"normalise": "goalposts"}, "low 1 n'est pas sous high 1"),
        (changed(0, low=1), {"normalise": "goalposts"}, "emploi : bornes 1.0 et None"),
        (changed(0, low="bas"), {"normalise": "goalposts"}, "emploi : low « bas »"),
        (changed(0, low=0, high=1, transform="log"), {"normalise": "goalposts"}, "low 0 n'a pas de"),
        (NESTED, {"normalise": "goalposts"}, "emploi, chomage, salaire : goalposts sans bornes"),
        (NESTED, {"normalise": "rang"}, "emploi, chomage, salaire : normalise rang"),
        (changed(0, transform="log"), {"normalise": None}, "transform sur des valeurs déjà"),
        (NESTED, {"out": (1, 1)}, "out (1.0, 1.0) ; le bas, puis le haut de l'échelle"),
        (NESTED, {"out": (1,)}, "out (1.0,) ; deux nombres"),
        (NESTED, {"out": (0, 0), "normalise": "zscore"}, "moyenne et écart-type positif"),
        (changed(0, normalise="zscore"), {"out": (0, 9)}, "z-scores et autres normalisations mêlés"),
        (NESTED, {"out": {"zscore": (0, 9)}}, "aucune feuille n'a normalise=zscore"),
        (NESTED, {"aggregate": "médiane"}, "cohesion, travail : aggregate médiane"),
        (NESTED, {"aggregate": float("nan")}, "cohesion, travail : aggregate nan"),
        (NESTED, {"aggregate": {2: "geometric"}}, "cohesion : aucune moyenne (niveau 3)"),
        (NESTED, {"aggregate": {1: 0, 2: 0, 3: 0}}, "ni niveau ni nœud « 1 »"),
        (NESTED, {"min_available": 80}, "min_available 80.0 ; une part, entre 0 et 1"),
        (NESTED, {"floor": -1}, "floor -1.0 ; un nombre positif"),
    ],
)  # fmt: skip
def test_a_fault_is_named(tree: pd.DataFrame, options: dict[str, Any], said: str) -> None:
    assert said in faults(tree, **options)


def test_every_fault_is_told_at_once() -> None:
    tree = changed(0, parent="social", weight=-1)
    tree.loc[1, "direction"] = 0
    message = faults(tree, normalise="rang")
    assert "4 défauts" in message
    assert all(said in message for said in ("social", "poids", "direction 0", "normalise rang"))


def test_an_unknown_column_is_not_ignored() -> None:
    with pytest.raises(BarometreError, match=r"« wieght » inconnu. Vouliez-vous dire « weight »"):
        Index.from_table(NESTED.rename(columns={"weight": "wieght"}))
    with pytest.raises(
        BarometreError, match="parent : colonne absente ; colonnes présentes : id, direction"
    ):
        Index.from_table(NESTED.drop(columns="parent"))
    with pytest.raises(BarometreError, match="donner un DataFrame"):
        Index.from_table([("a", "b")])  # type: ignore[arg-type]  # that is the point


def test_parts_are_checked_however_they_are_given() -> None:
    with pytest.raises(FaultsError, match="r : nœud sans composante"):
        Index((), (Node("r"),))
    with pytest.raises(FaultsError, match="son parent « a » est une feuille"):
        Index((Leaf("a", "r", 1), Leaf("b", "a", 1)), (Node("r"),))
    with pytest.raises(FaultsError, match="option"):
        HDI.with_weights({"life_exp": float("nan"), "gni_pc_2017ppp": "option"})  # type: ignore[dict-item]  # that is the point


# ---- changes ------------------------------------------------------------------------------------


def test_options_change_everywhere() -> None:
    index = HDI.with_options(normalise="minmax", out=(1, 100), aggregate="harmonic", floor=None)
    assert {(x.normalise, x.low, x.out) for x in index.leaves} == {("minmax", None, (1, 100))}
    assert {node.power for node in index.nodes} == {-1}
    assert index.leaves[3].transform == "log"
    with pytest.raises(BarometreError, match="« agregate » inconnu"):
        HDI.with_options(agregate="harmonic")  # type: ignore[call-arg]  # that is the point


def test_weights_change_by_name() -> None:
    index = HDI.with_weights({"life_exp": 2, "education": 1})
    assert index.shares("HDI") == {"life_exp": 0.5, "gni_pc_2017ppp": 0.25, "education": 0.25}
    with pytest.raises(BarometreError, match="« lifeexp » inconnu"):
        HDI.with_weights({"lifeexp": 2})


def test_presets() -> None:
    assert HDI.shares("education") == {"exp_sch": 0.5, "avg_sch": 0.5}
    for index, health in ((IDH4, "icm"), (IDH2, "esperance_vie")):
        weights = index.effective_weights
        assert [leaf.id for leaf in index.leaves] == [
            health,
            "part_diplomes",
            "niveau_de_vie_median",
        ]
        np.testing.assert_allclose(weights[["sante", "education", "niveau_de_vie"]], 1 / 3)
        with pytest.raises(BarometreError, match=f"bornes de « {health} » à fixer"):
            index.score(pd.DataFrame(1.0, index=["a"], columns=list(index.columns)))


# ---- bounds -------------------------------------------------------------------------------------


def test_bounds_are_observed_with_their_provenance() -> None:
    units = pd.MultiIndex.from_product([["a", "b"], [2018, 2019]], names=["code", "annee"])
    frame = pd.DataFrame({"x": [1, 2, 3, None], "y": [-5.0, 1, 2, 8], "z": "texte"}, index=units)
    bounds = Bounds.observed(frame, ["x", "y"], reference="deux communes")
    assert dict(bounds.limits) == {"x": (1, 3), "y": (-5, 8)}
    assert (bounds.territories, bounds.years) == (2, (2018, 2019))
    assert bounds.date == datetime.date.today()
    index = Index(
        (Leaf("x", "r", 1, normalise="minmax"), Leaf("y", "r", 1, transform="log")), (Node("r"),)
    )
    seen = index.observe(frame, years=[2030], date=datetime.date(2031, 1, 2))
    assert dict(seen.limits) == {"x": (1, 3), "y": (1, 8)}  # no logarithm of -5
    assert (seen.years, seen.date) == ((2030,), datetime.date(2031, 1, 2))
    fixed = index.with_bounds(seen)
    assert fixed.leaves[0] == Leaf("x", "r", 1, low=1, high=3)


def test_bounds_go_to_a_file_and_back(tmp_path: Path) -> None:
    bounds = Bounds(
        {"icm": (70, 130.5), "part diplômés": (0.1, 0.30000000000000004)},
        reference='communes des "Hauts-de-France"\n(2019)',
        territories=3789,
        years=[2019],  # type: ignore[arg-type]  # lists, arrays and numpy's integers are taken too
        date=datetime.date(2024, 5, 6),
    )
    path = bounds.to_toml(tmp_path / "bornes.toml")
    assert Bounds.from_toml(path) == bounds
    bare = Bounds({"x": (0, 1)})
    assert Bounds.from_toml(bare.to_toml(path)) == bare
    assert [file.name for file in tmp_path.iterdir()] == ["bornes.toml"]


@pytest.mark.parametrize("pair", [(1, 1), (2, 1), (0.1 + 0.2, 0.3), (np.nan, 1), (0,), "ab", 5])
def test_bounds_that_bound_nothing_are_refused(pair: Any) -> None:
    with pytest.raises(FaultsError, match="x : "):
        Bounds({"x": pair})


def test_bounds_are_refused_where_they_mean_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.0, 1.0]})
    with pytest.raises(FaultsError, match=r"x : bornes égales \(1\)"):
        Bounds.observed(frame)
    with pytest.raises(FaultsError, match="aucune borne"):
        Bounds({})
    with pytest.raises(FaultsError, match="life : ni min-max ni goalposts"):
        HDI.with_bounds(Bounds({"life": (20, 85)}))
    with pytest.raises(BarometreError, match="aucune feuille"):
        HDI.with_options(normalise="percentile").observe(frame)
    path = tmp_path / "bornes.toml"
    with pytest.raises(BarometreError, match="illisible"):
        Bounds.from_toml(path)
    path.write_text("annee = 2019")
    with pytest.raises(FaultsError, match=r"annee : champ inconnu(.|\n)*limits : section absente"):
        Bounds.from_toml(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [("reference", 3), ("territories", 0), ("territories", "12"), ("years", "deux mille"),
     ("years", [2019.5]), ("years", [True]), ("date", "2024-05-06")],
)  # fmt: skip
def test_a_provenance_is_not_kept_as_something_else(field: str, value: Any) -> None:
    with pytest.raises(FaultsError, match=f"{field} : "):
        Bounds({"x": (0, 1)}, **{field: value})


@pytest.mark.parametrize("years", [2019, np.int64(2019), "2019", ["2019"], [2019.0], {2019}])
def test_years_are_read_as_users_write_them(years: Any) -> None:
    bounds = Bounds({"x": np.array([0, 1])}, years=years, territories=np.int64(7))  # type: ignore[arg-type, dict-item]  # lists, arrays and numpy's integers are taken too
    assert (bounds.years, bounds.territories, bounds.limits["x"]) == ((2019,), 7, (0, 1))


def test_bounds_are_a_mapping_then_bounds() -> None:
    with pytest.raises(FaultsError, match="limits : un list ; donner"):
        Bounds([("x", 0, 1)])  # type: ignore[arg-type]  # that is the point
    with pytest.raises(BarometreError, match="donner Bounds"):
        HDI.with_bounds({"life_exp": (20, 85)})  # type: ignore[arg-type]  # that is the point


# ---- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [HDI, IDH4, IDH2, Index.from_table(NESTED)])
def test_an_index_goes_to_a_file_and_back(index: Index, tmp_path: Path) -> None:
    assert Index.from_toml(index.to_toml(tmp_path / "indice.toml")) == index


@st.composite
def indices(draw: st.DrawFn) -> Index:
    """Draw a tree of two levels with every option."""
    name = st.text(st.characters(codec="utf-8"), min_size=1)
    names = draw(st.lists(name, min_size=4, max_size=7, unique=True))
    number = st.floats(0.001, 1e6)
    low = st.tuples(number, number).filter(lambda p: p[0] < p[1])
    nodes = [Node(names[0], aggregate=draw(st.floats(-3, 3))), Node(names[1], names[0])]
    nodes[1] = replace(
        nodes[1],
        aggregate=draw(st.sampled_from(["arithmetic", "geometric", "harmonic"])),
        min_available=draw(st.floats(0, 1)),
        floor=draw(st.none() | number),
        weight=draw(number),
    )
    leaves = []
    for rank, leaf in enumerate(names[2:]):
        bounds = draw(st.none() | low)
        leaves.append(
            Leaf(
                leaf,
                names[rank % 2],
                draw(st.sampled_from([1, -1])),
                draw(number),
                draw(st.sampled_from(["minmax", "zscore", "percentile", None]))
                if bounds is None
                else "goalposts",
                low=bounds[0] if bounds else None,
                high=bounds[1] if bounds else None,
                clip=draw(st.sampled_from(["both", "low", "high", None])),
                out=draw(low),
            )
        )
    return Index(tuple(leaves), tuple(nodes))


@settings(max_examples=40)
@given(index=indices())
def test_any_index_goes_to_a_file_and_back(
    tmp_path_factory: pytest.TempPathFactory, index: Index
) -> None:
    path = tmp_path_factory.getbasetemp() / "indice.toml"
    assert Index.from_toml(index.to_toml(path)) == index


def test_a_file_is_refused_with_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "indice.toml"
    path.write_text('[[node]]\nid = "r"\n[[leaf]]\nid = "a"\nwieght = 2\n[[feuille]]\nid = "b"\n')
    with pytest.raises(FaultsError) as refused:
        Index.from_toml(path)
    said = ("feuille : section inconnue", "« wieght » inconnu", "« parent » manquant")
    assert all(text in str(refused.value) for text in said)
    path.write_text('[[node]]\nid = "r"\n[[leaf]]\nid = "a"\nparent = "x"\ndirection = 3\n')
    with pytest.raises(FaultsError, match=r"« x » n'est pas dans l'arbre(.|\n)*direction 3"):
        Index.from_toml(path)
    path.write_text('[leaf]\nid = "a"\n[[node]]\nid = 3\n')  # one bracket would be left out
    with pytest.raises(FaultsError, match=r"leaf : section mal écrite(.|\n)*id qui n'est pas un"):
        Index.from_toml(path)
