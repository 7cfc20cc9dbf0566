"""The bundled datasets: provenance, integrity, synthetic tables."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import barometre as bcs
from barometre import datasets
from barometre.base.errors import BarometreError, DatasetError, UnknownNameError
from barometre.cards.columns import MODELS, columns_of
from barometre.cards.listing import load_cards
from barometre.datasets import bundled

NAMES = datasets.names()


def test_every_table_of_the_contract_is_bundled() -> None:
    compas = {
        "population_2018", "indice_jeunesse_2019", "nationalite_etrangere_2019",
        "familles_monoparentales_caf_2021", "minima_sociaux_2021", "c2s_2022",
        "scolarisation_15_24_2019", "emploi_15_64_2019", "defm_abc_2021", "defm_a_2022",
        "creation_etablissements_2020", "idt_2011_2019",
    }  # fmt: skip
    others = {
        "qpv_2024", "poches_pauvrete", "geographie_complementaire", "segments_habitants",
        "objectifs_etat", "seuils_pauvrete_2020", "territoires", "correspondance_qp2015_qpv2024",
    }  # fmt: skip
    assert len(compas) == 12
    assert compas | others <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_provenance_is_complete(name: str) -> None:
    data = datasets.load(name)
    for field in ("titre", "producteur", "source", "millesime", "licence"):
        assert len(getattr(data, field)) > 3
    assert list(data.colonnes) == list(data.frame.columns)
    assert len(data.frame) > 0
    for column in data.colonnes.values():
        assert column.libelle
        assert column.unite
        if column.alimente:
            table, target = column.alimente.split(".")
            assert target in (load_cards() if table == "publies" else columns_of(table))
            assert column.annee is not None
            # The year of the data is written in the name of the column or of its dataset.
            assert re.search(str(column.annee), column.nom + name) or name == "qpv_2024"


def test_territories_are_named_by_official_codes() -> None:
    codes = set(datasets.tables().territoires.index)
    assert {"QP059050", "QN05950M", "200042190", "59", "METRO", "ENSQP_200042190"} <= codes
    for name in NAMES:
        frame = datasets.load(name).frame
        if "niveau" in frame.columns and name != "territoires":
            assert set(frame["code"]) <= codes
            assert frame["libelle"].notna().all()


def test_an_unknown_dataset_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="Vouliez-vous dire « c2s_2022 »"):
        datasets.load("c2s_2021")
    with pytest.raises(DatasetError, match="poches_pauvrete : n'alimente aucune table"):
        datasets.tables("poches_pauvrete")


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(bundled._folder() / "qpv_2024", tmp_path / "essai")
    (tmp_path / "essai" / "qpv_2024.csv").rename(tmp_path / "essai" / "essai.csv")
    monkeypatch.setattr(bundled, "_folder", lambda: tmp_path)
    assert len(bundled._read("essai")[1]) == 14
    bundled._read.cache_clear()
    with (tmp_path / "essai" / "essai.csv").open("a", encoding="utf-8") as file:
        file.write("X,Y,qpv,Z,1,2,3\n")
    with pytest.raises(DatasetError, match="sha256 : le fichier a changé"):
        bundled._read("essai")
    bundled._read.cache_clear()


def test_a_loaded_frame_is_a_copy() -> None:
    frame = datasets.load("qpv_2024").frame
    frame["code"] = "x"
    assert datasets.load("qpv_2024").frame["code"].iloc[0] == "QN05953M"


def test_what_must_be_said_of_a_column_goes_with_its_values() -> None:
    results = bcs.compute(datasets.tables("qpv_2024"))
    medians = results[results["indicateur"] == "niveau_de_vie_median"].set_index("code")
    published = medians[medians["statut"] == "ok"]
    assert len(published) == 13
    assert published["note"].str.contains("périmètre de 2015").all()


# ---- synthetic tables ---------------------------------------------------------------------------


def test_every_model_is_drawn_and_every_indicator_has_a_value() -> None:
    tables = datasets.make_tables(n_communes=1500, years=2021, seed=1)
    assert set(tables) == set(MODELS)
    results = bcs.compute(tables)
    known = results[results["statut"] == "ok"].groupby("indicateur").size()
    assert set(known.index) == set(load_cards())
    for name, card in load_cards().items():
        values = results.loc[results["indicateur"] == name, "valeur"].dropna()
        assert card.plausible[0] <= values.median() <= card.plausible[1], name


def test_the_draw_is_reproducible_and_the_seed_matters() -> None:
    first, same = (datasets.make_tables(50, (2016, 2021), seed=3) for _ in range(2))
    other = datasets.make_tables(50, (2016, 2021), seed=4)
    for name in MODELS:
        assert first[name].equals(same[name])
    assert not first["logements"].equals(other["logements"])


def test_secrecy_follows_the_producers_rules() -> None:
    hidden = datasets.make_tables(800, 2021, seed=2)
    full = datasets.make_tables(800, 2021, seed=2, secrecy=False)
    assert full.statuts.empty
    assert all(full[name].notna().all(axis=None) for name in MODELS)
    households, residents = (full["population"][c] for c in ("menages", "population"))
    large = (households >= 1000) | (residents >= 2000)
    present = (households >= 50) | (residents >= 100)
    assert (hidden["revenus"]["taux_pauvrete"].notna() == large).all()
    assert (hidden["revenus"]["niveau_de_vie_median"].notna() == present).all()
    assert full["revenus"]["taux_pauvrete"].min() >= 5.0
    recipients = hidden["allocataires"]
    assert recipients["allocataires"].min() >= 100
    assert recipients.min().min() >= 5
    assert (hidden["demandeurs_emploi"].min() >= 5).all()
    assert residents[hidden["sante"]["beneficiaires_c2s"].notna()].min() >= 10_000
    assert set(hidden.statuts["statut"]) == {"secret"}


def test_disadvantage_moves_indicators_together() -> None:
    tables = datasets.make_tables(3000, 2021, seed=5, secrecy=False)
    results = bcs.compute(tables)
    wide = results.pivot(index="code", columns="indicateur", values="valeur")
    large = wide[wide["population"] > 1000]
    assert large["niveau_de_vie_median"].corr(large["taux_de_pauvrete"]) < -0.5
    assert large["taux_emploi_15_64"].corr(large["taux_chomage_rp"]) < -0.5
    assert large["taux_couverture_rsa"].corr(large["taux_couverture_c2s"]) > 0.3


@settings(max_examples=5)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_any_size_and_seed_gives_valid_tables(number: int, seed: int) -> None:
    tables = datasets.make_tables(number, 2021, seed=seed)
    assert len(tables["population"]) == number


@pytest.mark.parametrize(("number", "years"), [(0, 2021), (10, ())])
def test_impossible_draws(number: int, years: int | tuple[int, ...]) -> None:
    with pytest.raises(BarometreError, match="make_tables"):
        datasets.make_tables(number, years)
