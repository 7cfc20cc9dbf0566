"""The input tables: one pandera model per source family, keyed by territory and year.

A table is a frame indexed by ``(code, annee)``. Its columns are float counts or producers'
statistics, missing where the producer gives nothing; a column that a source lacks is added, empty.
``check_table`` is the only door: it returns a frame that satisfies its model, or raises one
`TableError` that lists every fault.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.typing import Index

from barometre.base.arrays import Booleans, Floats

KEY = ("code", "annee")

# Parts and wholes are often rounded apart, or estimated by weights: up to one unit, a part larger
# than its whole is rounding, not a fault.
PART_TOLERANCE = 1.0


def _count(titre: str, parts: Sequence[str] = ()) -> Any:
    """Describe a column of counts; each of ``parts`` ("a + b") may not exceed it."""
    metadata = {"unite": "nombre", "parts": [group.split(" + ") for group in parts]}
    return pa.Field(nullable=True, ge=0, lt=np.inf, title=titre, metadata=metadata)


def _percent(titre: str, plausible: tuple[float, float]) -> Any:
    """Describe a column of published percentages (0-100), with the range real files show."""
    metadata = {"unite": "pourcent", "plausible": plausible}
    return pa.Field(nullable=True, ge=0, le=100, title=titre, metadata=metadata)


def _amount(titre: str, unite: str, at_most: Sequence[str] = ()) -> Any:
    """Describe a column of published statistics; none may exceed the columns ``at_most``."""
    metadata = {"unite": unite, "at_most": at_most}
    return pa.Field(nullable=True, ge=0, lt=np.inf, title=titre, metadata=metadata)


def _index(titre: str, bornes: tuple[float, float]) -> Any:
    """Describe a column of values of a composite index, which may be negative."""
    return pa.Field(
        nullable=True, ge=bornes[0], le=bornes[1], title=titre, metadata={"unite": "indice"}
    )


class Table(pa.DataFrameModel):
    """What all tables share: the key, and parts that never exceed their whole."""

    code: Index[str] = pa.Field(check_name=True)
    annee: Index[int] = pa.Field(check_name=True, ge=1900, le=2100)

    class Config:
        """Strict in columns and key: what is not described is refused."""

        strict = True
        coerce = True
        multiindex_strict = True
        multiindex_coerce = True
        multiindex_unique = list(KEY)  # noqa: RUF012 - pandera reads a plain list

    @pa.dataframe_check(name="relations")
    @classmethod
    def _relations_hold(cls, frame: pd.DataFrame) -> bool:
        return not any(broken.any() for _, broken in broken_relations(cls, frame))


def broken_relations(
    model: type[Table], frame: pd.DataFrame
) -> Iterator[tuple[tuple[list[str], str], Booleans]]:
    """Yield every relation ``(parts, whole)`` of a model with where the parts exceed the whole.

    A column that the frame lacks is an empty one.
    """
    for whole, column in model.to_schema().columns.items():
        if whole not in frame:
            continue
        for parts in column.metadata.get("parts", ()):
            if given := [part for part in parts if part in frame]:
                total = np.nansum([_numbers(frame, part) for part in given], axis=0)
                yield (parts, whole), total > _numbers(frame, whole) + PART_TOLERANCE
        for high in column.metadata.get("at_most", ()):
            if high in frame:
                yield ([whole], high), _numbers(frame, whole) > _numbers(frame, high)


def _numbers(frame: pd.DataFrame, column: str) -> Floats:
    return frame[column].to_numpy(np.float64, na_value=np.nan)


class Population(Table):
    """Residents by age and nationality, and households (census, main processing)."""

    population: float = _count(
        "Population municipale",
        parts=[
            "population_moins_20_ans + population_60_74_ans + population_75_ans_plus",
            "population_etrangere",
            "menages",
        ],
    )
    population_moins_20_ans: float = _count("Population de moins de 20 ans")
    population_60_74_ans: float = _count("Population de 60 à 74 ans")
    population_75_ans_plus: float = _count("Population de 75 ans ou plus")
    population_etrangere: float = _count("Population de nationalité étrangère")
    menages: float = _count("Ménages (exploitation principale)")


class Familles(Table):
    """Households, families and people aged 80 or more (census)."""

    menages: float = _count("Ménages (exploitation complémentaire)", parts=["menages_une_personne"])
    menages_une_personne: float = _count("Ménages d'une personne")
    familles: float = _count("Familles", parts=["familles_monoparentales"])
    familles_monoparentales: float = _count("Familles monoparentales")
    personnes_80_ans_plus: float = _count(
        "Personnes de 80 ans ou plus", parts=["personnes_80_ans_plus_seules"]
    )
    personnes_80_ans_plus_seules: float = _count("Personnes de 80 ans ou plus vivant seules")


class AccueilJeuneEnfant(Table):
    """Childcare places and children under three (Cnaf). Places may outnumber children."""

    places_accueil: float = _count("Places théoriques d'accueil formel")
    enfants_moins_3_ans: float = _count("Enfants de moins de 3 ans")


class Allocataires(Table):
    """Caf recipient households ("foyers allocataires") at 31 December."""

    allocataires: float = _count(
        "Foyers allocataires (A)",
        parts=[
            "allocataires_monoparents + allocataires_couples_avec_enfant",
            "allocataires_aah",
            "allocataires_rsa_socle",
        ],
    )
    allocataires_monoparents: float = _count("Foyers allocataires monoparents (AM)")
    allocataires_couples_avec_enfant: float = _count("Foyers allocataires en couple (ACAVENF)")
    allocataires_aah: float = _count("Foyers allocataires de l'AAH (AAAH)")
    allocataires_rsa_socle: float = _count("Foyers allocataires du RSA socle (ARSAS)")


class Revenus(Table):
    """Living standards as Filosofi publishes them: only the two counts can be summed."""

    menages_fiscaux: float = _count("Ménages fiscaux (Filosofi)")
    personnes_menages_fiscaux: float = _count(
        "Personnes des ménages fiscaux (Filosofi)", parts=["menages_fiscaux"]
    )
    niveau_de_vie_d1: float = _amount(
        "1er décile du niveau de vie", "euros_par_an", ["niveau_de_vie_median", "niveau_de_vie_d9"]
    )
    niveau_de_vie_median: float = _amount(
        "Médiane du niveau de vie", "euros_par_an", ["niveau_de_vie_d9"]
    )
    niveau_de_vie_d9: float = _amount("9e décile du niveau de vie", "euros_par_an")
    taux_pauvrete: float = _percent("Taux de pauvreté à 60 %", plausible=(5, 90))
    part_prestations_sociales: float = _percent(
        "Part des prestations sociales dans le revenu disponible", plausible=(0.2, 60)
    )


class Activite(Table):
    """Activity and employment of residents (census, main processing)."""

    population_15_64_ans: float = _count(
        "Population de 15 à 64 ans",
        parts=["femmes_15_64_ans + hommes_15_64_ans", "actifs_15_64_ans"],
    )
    femmes_15_64_ans: float = _count("Femmes de 15 à 64 ans", parts=["femmes_actives_15_64_ans"])
    hommes_15_64_ans: float = _count(
        "Hommes de 15 à 64 ans", parts=["hommes_actifs_occupes_15_64_ans"]
    )
    actifs_15_64_ans: float = _count(
        "Actifs de 15 à 64 ans", parts=["actifs_occupes_15_64_ans + chomeurs_15_64_ans"]
    )
    femmes_actives_15_64_ans: float = _count(
        "Femmes actives de 15 à 64 ans", parts=["femmes_actives_occupees_15_64_ans"]
    )
    chomeurs_15_64_ans: float = _count("Chômeurs de 15 à 64 ans (au sens du recensement)")
    actifs_occupes_15_64_ans: float = _count("Actifs occupés de 15 à 64 ans")
    femmes_actives_occupees_15_64_ans: float = _count("Femmes actives occupées de 15 à 64 ans")
    hommes_actifs_occupes_15_64_ans: float = _count("Hommes actifs occupés de 15 à 64 ans")
    actifs_occupes_15_ans_plus: float = _count(
        "Actifs occupés de 15 ans ou plus",
        parts=[
            "salaries_cdd + salaries_interim + salaries_emplois_aides"
            " + salaries_apprentis_stagiaires"
        ],
    )
    salaries_cdd: float = _count("Salariés en contrat à durée déterminée")
    salaries_interim: float = _count("Salariés placés par une agence d'intérim")
    salaries_emplois_aides: float = _count("Salariés en emploi aidé")
    salaries_apprentis_stagiaires: float = _count("Apprentis et stagiaires rémunérés")


class DemandeursEmploi(Table):
    """Registered job-seekers at the end of the month, categories A, B and C (France Travail)."""

    demandeurs_abc: float = _count(
        "Demandeurs d'emploi de catégories A, B, C",
        parts=[
            "demandeurs_a",
            "demandeurs_abc_femmes",
            "demandeurs_abc_moins_26_ans",
            "demandeurs_abc_etrangers",
            "demandeurs_abc_bac2",
            "demandeurs_abc_plus_2_ans",
        ],
    )
    demandeurs_a: float = _count("Demandeurs d'emploi de catégorie A")
    demandeurs_abc_femmes: float = _count("Femmes")
    demandeurs_abc_moins_26_ans: float = _count("Moins de 26 ans")
    demandeurs_abc_etrangers: float = _count("Nationalité étrangère")
    demandeurs_abc_bac2: float = _count("Niveau de formation supérieur au bac")
    demandeurs_abc_plus_2_ans: float = _count("Inscrits depuis plus de deux ans")


class Scolarisation(Table):
    """Schooling of 15-24 year-olds (census, main processing); 16-25 in neighbourhoods."""

    population_15_24_ans: float = _count(
        "Population de 15 à 24 ans",
        parts=[
            "scolarises_15_24_ans + jeunes_non_inseres_15_24_ans",
            "filles_15_24_ans + garcons_15_24_ans",
        ],
    )
    scolarises_15_24_ans: float = _count(
        "Scolarisés de 15 à 24 ans",
        parts=["filles_scolarisees_15_24_ans + garcons_scolarises_15_24_ans"],
    )
    filles_15_24_ans: float = _count(
        "Femmes de 15 à 24 ans", parts=["filles_scolarisees_15_24_ans"]
    )
    filles_scolarisees_15_24_ans: float = _count("Femmes scolarisées de 15 à 24 ans")
    garcons_15_24_ans: float = _count(
        "Hommes de 15 à 24 ans", parts=["garcons_scolarises_15_24_ans"]
    )
    garcons_scolarises_15_24_ans: float = _count("Hommes scolarisés de 15 à 24 ans")
    jeunes_non_inseres_15_24_ans: float = _count("15-24 ans ni en emploi ni scolarisés")
    population_16_25_ans: float = _count(
        "Population de 16 à 25 ans", parts=["jeunes_non_inseres_16_25_ans"]
    )
    jeunes_non_inseres_16_25_ans: float = _count("16-25 ans ni en emploi ni scolarisés")


class Diplomes(Table):
    """Highest diploma of people aged 15 or more out of school (census, main processing)."""

    non_scolarises_15_ans_plus: float = _count(
        "Population non scolarisée de 15 ans ou plus",
        parts=["sans_diplome_ou_brevet + diplomes_bac2_plus", "diplomes_cep_plus"],
    )
    sans_diplome_ou_brevet: float = _count("Sans diplôme, CEP, BEPC, brevet ou DNB")
    diplomes_cep_plus: float = _count("Diplôme au moins égal au CEP (IDH-4)")
    diplomes_bac2_plus: float = _count("Diplôme de niveau bac+2 ou plus")


class Deplacements(Table):
    """Cars of households, and how and where residents go to work (census)."""

    menages: float = _count("Ménages (résidences principales)", parts=["menages_avec_voiture"])
    menages_avec_voiture: float = _count("Ménages disposant d'au moins une voiture")
    actifs_occupes_15_ans_plus: float = _count(
        "Actifs occupés de 15 ans ou plus", parts=["actifs_en_voiture", "actifs_hors_commune"]
    )
    actifs_en_voiture: float = _count("Actifs occupés allant travailler en voiture")
    actifs_hors_commune: float = _count("Actifs occupés travaillant dans une autre commune")


class Logements(Table):
    """Dwellings: vacancy, social housing, overcrowding, age (census)."""

    logements: float = _count("Logements", parts=["logements_vacants + residences_principales"])
    logements_vacants: float = _count("Logements vacants")
    residences_principales: float = _count(
        "Résidences principales", parts=["residences_principales_hlm", "residences_date_connue"]
    )
    residences_principales_hlm: float = _count("Résidences principales HLM louées vides")
    logements_sociaux: float = _count("Logements du parc locatif social (RPLS), occupés ou non")
    residences_hors_studio_seul: float = _count(
        "Résidences principales hors studio d'une personne (exploitation complémentaire)",
        parts=["residences_suroccupees"],
    )
    residences_suroccupees: float = _count("Résidences principales suroccupées")
    residences_date_connue: float = _count(
        "Résidences principales dont la date d'achèvement est connue",
        parts=["residences_avant_1946"],
    )
    residences_avant_1946: float = _count("Résidences principales achevées avant 1946")


class Sante(Table):
    """Access to care and to complementary cover (Drees, Cnam)."""

    apl_medecins_generalistes: float = _amount(
        "Accessibilité potentielle localisée aux médecins généralistes", "consultations_par_an"
    )
    assures: float = _count(
        "Population couverte par le régime général", parts=["beneficiaires_c2s"]
    )
    beneficiaires_c2s: float = _count("Bénéficiaires de la C2S, participative ou non")
    assures_moins_18_ans: float = _count(
        "Assurés de moins de 18 ans", parts=["beneficiaires_c2s_moins_18_ans"]
    )
    beneficiaires_c2s_moins_18_ans: float = _count("Bénéficiaires de la C2S de moins de 18 ans")
    assures_25_49_ans: float = _count(
        "Assurés de 25 à 49 ans", parts=["beneficiaires_c2s_25_49_ans"]
    )
    beneficiaires_c2s_25_49_ans: float = _count("Bénéficiaires de la C2S de 25 à 49 ans")
    assures_50_59_ans: float = _count(
        "Assurés de 50 à 59 ans", parts=["beneficiaires_c2s_50_59_ans"]
    )
    beneficiaires_c2s_50_59_ans: float = _count("Bénéficiaires de la C2S de 50 à 59 ans")
    assures_16_ans_plus: float = _count(
        "Assurés de 16 ans ou plus", parts=["assures_sans_medecin_traitant"]
    )
    assures_sans_medecin_traitant: float = _count("Assurés sans médecin traitant déclaré")
    femmes_50_74_ans: float = _count(
        "Femmes assurées de 50 à 74 ans", parts=["femmes_sans_mammographie"]
    )
    femmes_sans_mammographie: float = _count("Femmes de 50 à 74 ans sans mammographie (24 mois)")


class Mortalite(Table):
    """Mortality of a territory, for the human development indices (ORS, Insee)."""

    icm: float = _amount("Indice comparatif de mortalité, toutes causes", "indice")
    esperance_vie_naissance: float = _amount("Espérance de vie à la naissance", "annees")


class Salaires(Table):
    """Mean net hourly wages as Insee publishes them (base Tous salariés)."""

    salaire_horaire_femmes: float = _amount("Salaire net horaire moyen des femmes", "euros")
    salaire_horaire_hommes: float = _amount("Salaire net horaire moyen des hommes", "euros")


class Licences(Table):
    """Sports licences by residence (Injep). A resident may hold several."""

    licences: float = _count(
        "Licences sportives, sexe connu ou non", parts=["licences_femmes + licences_hommes"]
    )
    licences_femmes: float = _count("Licences délivrées à des femmes")
    licences_hommes: float = _count("Licences délivrées à des hommes")


class Equipements(Table):
    """Sports facilities and cultural venues (Data ES, Basilic, BPE)."""

    equipements_sportifs: float = _count("Équipements sportifs hors sites de nature")
    equipements_culturels: float = _count("Lieux et équipements culturels")


class Etablissements(Table):
    """Establishments and their creations (Sirene)."""

    etablissements: float = _count("Établissements (stock)")
    creations: float = _count(
        "Établissements créés dans l'année", parts=["creations_auto_entrepreneurs"]
    )
    creations_auto_entrepreneurs: float = _count("Créations sous le régime d'auto-entrepreneur")


class Indices(Table):
    """Composite indices, as published by others or computed by ``barometre.composite``."""

    valeur_idh4: float = _index("Indice de développement humain (IDH-4)", (0, 1))
    valeur_idt_compas: float = _index(
        "Indice de développement des territoires (COMPAS)", (-1000, 1000)
    )
    valeur_idt: float = _index("IDT, reconstitution", (-1000, 1000))


MODELS: dict[str, type[Table]] = {
    "population": Population,
    "familles": Familles,
    "accueil_jeune_enfant": AccueilJeuneEnfant,
    "allocataires": Allocataires,
    "revenus": Revenus,
    "activite": Activite,
    "demandeurs_emploi": DemandeursEmploi,
    "scolarisation": Scolarisation,
    "diplomes": Diplomes,
    "deplacements": Deplacements,
    "logements": Logements,
    "sante": Sante,
    "mortalite": Mortalite,
    "salaires": Salaires,
    "licences": Licences,
    "equipements": Equipements,
    "etablissements": Etablissements,
    "indices": Indices,
}


def columns_of(table: str) -> tuple[str, ...]:
    """Return the value columns of a table, in the order of its model."""
    return tuple(MODELS[table].to_schema().columns)
