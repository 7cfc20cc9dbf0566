"""The bundled datasets against the transcription they come from, cell by cell, where it is there."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import barometre as bcs

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "quartiers_2030"
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
LEFT_OUT = {
    *("extrait_source", "libelle_source", "note", "explication", "decision", "cles_controle"),
    *("territoire", "code_officiel", "libelles_lus", "occurrences"),
}
OWN = {("anomalies", "motif"), ("cellules_vides", "motif"), ("territoires", "libelle_court")}
COMPLETED = ["A23", "A24", "A25", "A31"]  # anomalies whose column was not named


def as_text(*paths: Path) -> pd.DataFrame:
    return pd.read_csv(next(p for p in paths if p.is_file()), dtype="str", keep_default_na=False)


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no transcription in {SHARED}")
@pytest.mark.parametrize("name", bcs.datasets.names())
def test_bundled_is_the_transcription(name: str) -> None:
    package, file = Path(bcs.__file__).parent, f"{name}/{name}.csv"
    ours = as_text(package / "_datasets" / file, package.parent / "datasets" / file)
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
