"""Synthetic tables: plausible communes for tests and benchmarks. They describe no place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError
from barometre.cards.columns import columns_of
from barometre.tables.table_set import Tables

_SECRET = "secret statistique (données de synthèse)"


def make_tables(
    n_communes: int = 200,
    years: int | Sequence[int] = (2016, 2021),
    seed: int = 0,
    *,
    secrecy: bool = True,
) -> Tables:
    """Draw plausible and consistent tables, one of every model.

    Parameters
    ----------
    n_communes : int, default 200
        Number of communes, 1 to 90 000.
    years : int or sequence of int, default (2016, 2021)
        Years of data; the same for every source.
    seed : int, default 0
        Seed of the draw: the same arguments give the same tables.
    secrecy : bool, default True
        Hide cells as the producers do, and say so in ``statuts``; otherwise every cell has a value.

    Returns
    -------
    Tables
        Integer counts whose parts never exceed their whole. Populations follow the size
        distribution of French communes (log-normal, median about 460 residents), and one latent
        disadvantage, persistent over the years, moves every rate in its usual direction.

    Raises
    ------
    BarometreError
        No commune, too many, or no year.

    Notes
    -----
    Secrecy follows the producers' published rules: Filosofi gives nothing under 50 households and
    100 persons, only the median under 1 000 households and 2 000 persons, and prints poverty rates
    under 5 as 5; Caf files need 100 recipient households and 5 per cell; Cnam gives no value under
    10 000 residents; wages need 2 000 residents.

    Examples
    --------
    >>> make_tables(3, 2021)["logements"].shape
    (3, 9)
    """
    wanted = [years] if isinstance(years, int) else list(years)
    if not 1 <= n_communes <= 90_000 or not wanted:
        raise BarometreError("make_tables : donner de 1 à 90 000 communes et au moins une année")
    rng = np.random.default_rng(seed)
    codes = _codes(n_communes)
    size = np.clip(rng.lognormal(np.log(460), 1.45, n_communes), 20, 500_000)
    disadvantage = rng.normal(0.1 * np.log10(size / 460), 1.0)
    by_year = [
        _one_year(rng, size * rng.uniform(0.97, 1.03, n_communes), disadvantage + drift)
        for drift in rng.normal(0, 0.1, (len(wanted), n_communes))
    ]
    index = pd.MultiIndex.from_product([wanted, codes], names=["annee", "code"]).swaplevel()
    frames = {
        table: pd.DataFrame(
            {
                column: np.concatenate([year[table][column] for year in by_year])
                for column in columns_of(table)
            },
            index=index,
        )
        for table in by_year[0]
    }
    territoires = pd.DataFrame(
        {"libelle": [f"Commune fictive {code}" for code in codes], "niveau": "commune"},
        index=pd.Index(codes, name="code"),
    )
    statuts = _hide(frames) if secrecy else None
    return Tables(frames, statuts=statuts, territoires=territoires)


def _codes(number: int) -> list[str]:
    """Spread codes over the departments of metropolitan France, Corsica included."""
    departments = [f"{d:02d}" for d in range(1, 96) if d != 20] + ["2A", "2B"]
    return sorted(
        f"{departments[i % len(departments)]}{1 + i // len(departments):03d}" for i in range(number)
    )


def _one_year(
    rng: np.random.Generator, size: Floats, disadvantage: Floats
) -> dict[str, dict[str, Floats]]:
    """Draw the counts of one year, from wholes down to parts."""

    def part(whole: Floats, usual: float, slope: float = 0.0) -> Floats:
        """Draw a part whose share is usual when disadvantage is 0, and moves with it."""
        logit = np.log(usual / (1 - usual)) + slope * disadvantage
        noisy = 1 / (1 + np.exp(-logit - rng.normal(0, 0.15, len(whole))))
        return rng.binomial(whole.astype(np.int64), noisy).astype(float)

    population = np.round(size)
    young, middle = part(population, 0.24, 0.05), part(population, 0.54)
    young, middle = young, np.minimum(middle, population - young)
    older = population - young - middle
    aged_60_74 = part(older, 0.65)
    households = np.maximum(part(population, 0.44), 1)
    families = part(households, 0.62, -0.05)
    aged_80 = part(older - aged_60_74, 0.6)
    under_3 = part(young, 0.13)

    adults = part(population, 0.62)
    women = part(adults, 0.5)
    men = adults - women
    active_women, active_men = part(women, 0.70, -0.15), part(men, 0.77, -0.10)
    employed_women, employed_men = part(active_women, 0.87, -0.35), part(active_men, 0.87, -0.35)
    active = active_women + active_men
    employed = employed_women + employed_men
    employed_15p = np.round(employed * 1.01)
    fixed_term, temporary = part(employed, 0.09, 0.1), part(employed, 0.02, 0.3)
    subsidised, apprentices = part(employed, 0.01, 0.3), part(employed, 0.03)

    seekers = np.minimum(np.round((active - employed) * rng.uniform(1.0, 1.3, len(size))), adults)
    girls, boys = part(women, 0.17), part(men, 0.17)
    girls_in_school, boys_in_school = part(girls, 0.66, -0.2), part(boys, 0.62, -0.2)
    youth, in_school = girls + boys, girls_in_school + boys_in_school
    out_of_school = part(population, 0.72)
    without_diploma = part(out_of_school, 0.28, 0.35)

    dwellings = np.round(households * rng.uniform(1.05, 1.4, len(size)))
    vacant = part(dwellings - households, 0.5, 0.2)
    not_studio, known_date = part(households, 0.97), part(households, 0.98)
    recipients = part(households, 0.40, 0.35)
    single_parents = part(recipients, 0.15, 0.2)
    insured = part(population, 0.88)
    insured_by_age = [part(insured, share) for share in (0.21, 0.31, 0.13)]
    insured_16p, women_50_74 = part(insured, 0.8), part(insured, 0.16)

    median = np.round(22_000 * np.exp(-0.12 * disadvantage + rng.normal(0, 0.04, len(size))), -1)
    poverty = np.clip(np.round(14.5 * np.exp(0.45 * disadvantage), 1), 5, 60)
    hourly_men = np.round(15.5 * np.exp(-0.08 * disadvantage), 1)
    licences = part(population, 0.22, -0.15)
    licences_women = part(licences, 0.38)
    establishments = np.maximum(part(population, 0.08), 1)
    creations = part(establishments, 0.13)

    return {
        "population": {
            "population": population,
            "population_moins_20_ans": young,
            "population_60_74_ans": aged_60_74,
            "population_75_ans_plus": older - aged_60_74,
            "population_etrangere": part(population, 0.05, 0.3),
            "menages": households,
        },
        "familles": {
            "menages": households,
            "menages_une_personne": part(households, 0.36),
            "familles": families,
            "familles_monoparentales": part(families, 0.15, 0.35),
            "personnes_80_ans_plus": aged_80,
            "personnes_80_ans_plus_seules": part(aged_80, 0.5),
        },
        "accueil_jeune_enfant": {
            "places_accueil": np.round(under_3 * rng.uniform(0.3, 0.9, len(size))),
            "enfants_moins_3_ans": under_3,
        },
        "allocataires": {
            "allocataires": recipients,
            "allocataires_monoparents": single_parents,
            "allocataires_couples_avec_enfant": part(recipients - single_parents, 0.4),
            "allocataires_aah": part(recipients, 0.09, 0.2),
            "allocataires_rsa_socle": part(recipients, 0.14, 0.5),
        },
        "revenus": {
            "menages_fiscaux": np.round(0.97 * households),
            "personnes_menages_fiscaux": np.round(0.97 * population),
            "niveau_de_vie_d1": np.round(median * rng.uniform(0.50, 0.58, len(size)), -1),
            "niveau_de_vie_median": median,
            "niveau_de_vie_d9": np.round(median * rng.uniform(1.6, 2.0, len(size)), -1),
            "taux_pauvrete": poverty,
            "part_prestations_sociales": np.clip(
                np.round(5.5 * np.exp(0.5 * disadvantage), 1), 0.5, 60
            ),
        },
        "activite": {
            "population_15_64_ans": adults,
            "femmes_15_64_ans": women,
            "hommes_15_64_ans": men,
            "actifs_15_64_ans": active,
            "femmes_actives_15_64_ans": active_women,
            "chomeurs_15_64_ans": active - employed,
            "actifs_occupes_15_64_ans": employed,
            "femmes_actives_occupees_15_64_ans": employed_women,
            "hommes_actifs_occupes_15_64_ans": employed_men,
            "actifs_occupes_15_ans_plus": employed_15p,
            "salaries_cdd": fixed_term,
            "salaries_interim": np.minimum(temporary, employed - fixed_term),
            "salaries_emplois_aides": np.minimum(
                subsidised, np.maximum(employed - fixed_term - temporary, 0)
            ),
            "salaries_apprentis_stagiaires": np.minimum(
                apprentices, np.maximum(employed - fixed_term - temporary - subsidised, 0)
            ),
        },
        "demandeurs_emploi": {
            "demandeurs_abc": seekers,
            "demandeurs_a": np.round(0.6 * seekers),
            "demandeurs_abc_femmes": part(seekers, 0.5),
            "demandeurs_abc_moins_26_ans": part(seekers, 0.15, 0.1),
            "demandeurs_abc_etrangers": part(seekers, 0.1, 0.3),
            "demandeurs_abc_bac2": part(seekers, 0.3, -0.3),
            "demandeurs_abc_plus_2_ans": part(seekers, 0.28, 0.1),
        },
        "scolarisation": {
            "population_15_24_ans": youth,
            "scolarises_15_24_ans": in_school,
            "filles_15_24_ans": girls,
            "filles_scolarisees_15_24_ans": girls_in_school,
            "garcons_15_24_ans": boys,
            "garcons_scolarises_15_24_ans": boys_in_school,
            "jeunes_non_inseres_15_24_ans": part(youth - in_school, 0.45, 0.3),
        },
        "diplomes": {
            "non_scolarises_15_ans_plus": out_of_school,
            "sans_diplome_ou_brevet": without_diploma,
            "diplomes_cep_plus": out_of_school - part(without_diploma, 0.6),
            "diplomes_bac2_plus": part(out_of_school - without_diploma, 0.38, -0.3),
        },
        "deplacements": {
            "menages": households,
            "menages_avec_voiture": part(households, 0.86, -0.3),
            "actifs_occupes_15_ans_plus": employed_15p,
            "actifs_en_voiture": part(employed_15p, 0.8),
            "actifs_hors_commune": part(employed_15p, 0.78),
        },
        "logements": {
            "logements": dwellings,
            "logements_vacants": vacant,
            "residences_principales": households,
            "residences_principales_hlm": (social := part(households, 0.08, 0.6)),
            "logements_sociaux": np.ceil(social * 1.05),
            "residences_hors_studio_seul": not_studio,
            "residences_suroccupees": part(not_studio, 0.05, 0.3),
            "residences_date_connue": known_date,
            "residences_avant_1946": part(known_date, 0.35, 0.1),
        },
        "sante": {
            "apl_medecins_generalistes": np.round(rng.gamma(9, 0.35, len(size)), 2),
            "assures": insured,
            "beneficiaires_c2s": part(insured, 0.11, 0.5),
            "assures_moins_18_ans": insured_by_age[0],
            "beneficiaires_c2s_moins_18_ans": part(insured_by_age[0], 0.18, 0.5),
            "assures_25_49_ans": insured_by_age[1],
            "beneficiaires_c2s_25_49_ans": part(insured_by_age[1], 0.11, 0.5),
            "assures_50_59_ans": insured_by_age[2],
            "beneficiaires_c2s_50_59_ans": part(insured_by_age[2], 0.09, 0.5),
            "assures_16_ans_plus": insured_16p,
            "assures_sans_medecin_traitant": part(insured_16p, 0.11),
            "femmes_50_74_ans": women_50_74,
            "femmes_sans_mammographie": part(women_50_74, 0.4, 0.15),
        },
        "mortalite": {
            "icm": np.round(100 * np.exp(0.08 * disadvantage), 1),
            "esperance_vie_naissance": np.round(82 - 0.9 * disadvantage, 1),
        },
        "salaires": {
            "salaire_horaire_femmes": np.round(hourly_men * rng.uniform(0.80, 0.95, len(size)), 1),
            "salaire_horaire_hommes": hourly_men,
        },
        "licences": {
            "licences": licences,
            "licences_femmes": licences_women,
            "licences_hommes": part(licences - licences_women, 0.98),
        },
        "equipements": {
            "equipements_sportifs": rng.poisson(3 + population / 250).astype(float),
            "equipements_culturels": rng.poisson(0.5 + population / 1500).astype(float),
        },
        "etablissements": {
            "etablissements": establishments,
            "creations": creations,
            "creations_auto_entrepreneurs": part(creations, 0.6),
        },
        "indices": {
            "valeur_idh4": np.clip(np.round(0.45 - 0.1 * disadvantage, 2), 0, 1),
            "valeur_idt_compas": np.round(-20 - 60 * disadvantage),
            "valeur_idt": np.round(-20 - 60 * disadvantage),
        },
    }


def _hide(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Empty the cells that the producers would hide, and list them."""
    residents = frames["population"]["population"]
    households = frames["population"]["menages"]
    recipients = frames["allocataires"]["allocataires"]
    wages = frames["salaires"].columns
    incomes = frames["revenus"].columns.drop(["menages_fiscaux", "personnes_menages_fiscaux"])
    hidden: list[tuple[str, Iterable[str], pd.Series[bool]]] = [
        ("revenus", incomes, (households < 50) & (residents < 100)),
        (
            "revenus",
            incomes.drop("niveau_de_vie_median"),
            (households < 1000) & (residents < 2000),
        ),
        ("allocataires", frames["allocataires"].columns, recipients < 100),
        ("salaires", wages, residents < 2000),
        ("sante", [c for c in columns_of("sante") if "c2s" in c], residents < 10_000),
    ]
    hidden += [
        (table, [column], frames[table][column].lt(5))
        for table in ("allocataires", "demandeurs_emploi")
        for column in frames[table].columns
    ]
    cells = []
    for table, columns, where in hidden:
        for column in columns:
            keys = where.index[where & frames[table][column].notna()]
            frames[table].loc[keys, column] = np.nan
            cells.append(keys.to_frame(index=False).assign(table=table, colonne=column))
    return pd.concat(cells, ignore_index=True).assign(statut="secret", qualite=None, motif=_SECRET)
