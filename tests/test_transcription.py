"""The bundled datasets against the transcription they come from, cell by cell, where it is there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
SHARED, FACTS = DATA / "quartiers_2030", DATA / "contrat"
# The facts of the contract and of the CRTE: rows, and the sum of the lines where they stand.
ROWS = {
    "annexe_questions": (11, 35518),
    "contenus_attendus": (35, 66647),
    "crte_contexte": (57, 39867),
    "crte_fiches_actions": (6, 784),
    "dispositifs_financiers": (5, 11307),
    "engagements_bailleurs": (64, 266263),
    "equipes_communes": (13, 24432),
    "financements_contrat": (48, 61972),
    "gouvernance_calendrier": (30, 48951),
    "graphiques_et_tableaux": (56, 108995),
    "indicateurs_bailleurs": (7, 28756),
    "moyens_droit_commun": (45, 98010),
    "objectifs_etat_complet": (63, 231516),
    "objectifs_locaux_et_partenaires": (51, 84858),
    "orientations_et_principes": (17, 26285),
    "partenaires_et_sources_de_donnees": (22, 41291),
    "signataires_et_copil": (18, 42957),
    "suivi_evaluation": (15, 33201),
    "tfpb_actions_cadre_national": (31, 74401),
    "tfpb_regles": (12, 27547),
}
# The transcription's name of a column and ours, its words and ours; what is not compared.
RENAMED = [
    *[("table", "tableau"), ("unite", "unite_valeur"), ("unite", "unite_cible")],
    *[("ligne_source", "lignes_source"), ("colonne", "colonne_lue"), ("segment", "libelle")],
    *[("code_qp_2015_2023", "code_2015"), ("code_qpv_2024", "code_2024"), ("code_segment", "code")],
    *[("libelle_norme", "libelle"), ("geographie_prioritaire", "geographie"), ("motif", "statut")],
]
STATUSES = {
    **dict.fromkeys(["nd_secret_statistique", "non_calcule_car_nd"], "secret"),
    **dict.fromkeys(["nd_motif_non_precise", "non_renseigne"], "non_disponible"),
    **dict.fromkeys(["vide_dans_la_source", "vide_car_nd"], "non_disponible"),
    "sans_objet_reference": "sans_objet",
}
# Memberships of communes and neighbourhoods: their proofs are elsewhere.
PLACES = {
    *("communes", "communes_anciennes", "ensembles_de_communes", "qpv_2024_nord"),
    "tuiles_porte_du_hainaut",
}
QUOTED = "idh4_contrat_2024"  # two facts of the text, as a table
TABLES = sorted({*bcs.datasets.names()} - {*ROWS} - PLACES - {QUOTED})
LEFT_OUT = {
    *("extrait_source", "libelle_source", "note", "explication", "decision", "cles_controle"),
    *("territoire", "code_officiel", "libelles_lus", "occurrences"),
}
OWN = {("anomalies", "motif"), ("cellules_vides", "motif"), ("territoires", "libelle_court")}
COMPLETED = ["A23", "A24", "A25", "A31"]  # anomalies whose column was not named


def as_text(*paths: Path) -> pd.DataFrame:
    return pd.read_csv(next(p for p in paths if p.is_file()), dtype="str", keep_default_na=False)


def bundled(name: str) -> pd.DataFrame:
    package, file = Path(bcs.__file__).parent, f"{name}/{name}.csv"
    return as_text(package / "_datasets" / file, package.parent / "datasets" / file)


@pytest.mark.parametrize("name", ROWS)
def test_every_fact_of_the_contract_is_there(name: str) -> None:
    frame = bundled(name)
    assert (len(frame), frame["ligne_source"].astype(int).sum()) == ROWS[name]
    assert set(frame["document"]) <= {"002", "003"}
    assert "ancre" not in frame  # words of the source


def test_the_facts_are_606() -> None:
    assert sum(rows for rows, _ in ROWS.values()) == 606


@pytest.mark.skipif(not FACTS.is_dir(), reason=f"no transcription in {FACTS}")
@pytest.mark.parametrize("name", ROWS)
def test_every_fact_is_the_transcription(name: str) -> None:
    theirs = as_text(FACTS / f"{name.removesuffix('_contrat')}.csv")
    pd.testing.assert_frame_equal(bundled(name), theirs.drop(columns="ancre"))


def test_the_index_quoted_is_in_the_facts_of_the_text() -> None:
    facts = bundled("faits_du_texte")
    facts = facts[facts["mesure"] == "idh_4"]
    ours = bundled(QUOTED)
    assert ours["idh4_2024"].tolist() == facts["valeur"].tolist() == ["0.39", "0.51"]
    assert ours["ligne_source"].tolist() == facts["ligne_source"].tolist() == ["611", "611"]


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no transcription in {SHARED}")
@pytest.mark.parametrize("name", TABLES)
def test_bundled_is_the_transcription(name: str) -> None:
    ours = bundled(name)
    if name == "territoires":  # the region of one of the facts of the text
        ours = ours[ours["code"] != "R32"].reset_index(drop=True)
    stem = "prose" if name == "faits_du_texte" else name
    theirs = as_text(SHARED / f"{stem}.csv", SHARED / f"_{stem}.csv")
    theirs = theirs.rename(columns={t: o for t, o in RENAMED if o in ours and o not in theirs})
    places = as_text(SHARED / "_territoires.csv").set_index("code")
    official = places["code_officiel"].mask(lambda codes: codes == "", places.index.to_series())
    theirs = theirs.replace({**official, "_prose": "faits_du_texte"}).replace({"statut": STATUSES})
    if "libelle" in ours:  # a total is named after what it adds up
        labels = theirs["code"].map(places.set_index(official)["libelle_norme"])
        labels = theirs.get("libelle", labels)
        theirs["libelle"] = labels.mask(labels == "TOTAL", ours["libelle"])
    if name == "anomalies":  # more cells may be blamed than the one it names
        ours = ours.drop_duplicates("id", ignore_index=True)
        ours["colonne"] = ours["colonne"].mask(ours["id"].isin(COMPLETED), "")
    if "code_2024" in ours:  # but the quarter of 2024 that the transcription pairs with none
        ours, theirs = (frame[frame["code_2024"] != "QN05920M"] for frame in (ours, theirs))
    assert {*theirs.columns} - {*ours.columns} <= LEFT_OUT
    kept = [figures for figures in ours.columns if (name, figures) not in OWN]
    pd.testing.assert_frame_equal(ours[kept], theirs[kept], check_dtype=False)
