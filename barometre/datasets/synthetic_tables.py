"""Synthetic tables: plausible communes for tests and benchmarks. They describe no place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Draw:
    """Draws the parts of wholes; disadvantage moves their shares."""

    rng: np.random.Generator
    disadvantage: Floats

    def part(self, whole: Floats, usual: float, slope: float = 0.0) -> Floats:
        """Draw a part whose share is usual when disadvantage is 0, and moves with it."""
        logit = np.log(usual / (1 - usual)) + slope * self.disadvantage
        noisy = 1 / (1 + np.exp(-logit - self.rng.normal(0, 0.15, len(whole))))
        return self.rng.binomial(whole.astype(np.int64), noisy).astype(float)

    def factor(self, low: float, high: float) -> Floats:
        """Draw one number per territory between two limits."""
        return self.rng.uniform(low, high, len(self.disadvantage))


def _one_year(
    rng: np.random.Generator, size: Floats, disadvantage: Floats
) -> dict[str, dict[str, Floats]]:
    """Draw the counts of one year, from wholes down to parts."""
    draw = _Draw(rng, disadvantage)
    whole = _residents(draw, size)
    whole |= _workers(draw, whole["population"])
    whole |= _homes(draw, whole["population"], whole["households"])
    whole |= _incomes(draw, whole["population"])
    tables = _tables_of_people(draw, whole)
    tables |= _tables_of_work(draw, whole)
    tables |= _tables_of_schools(draw, whole)
    tables |= _tables_of_homes(draw, whole)
    return tables | _other_tables(draw, whole)


def _residents(draw: _Draw, size: Floats) -> dict[str, Floats]:
    """Draw residents and households, from the whole down to the parts."""
    population = np.round(size)
    young, middle = draw.part(population, 0.24, 0.05), draw.part(population, 0.54)
    young, middle = young, np.minimum(middle, population - young)
    older = population - young - middle
    aged_60_74 = draw.part(older, 0.65)
    households = np.maximum(draw.part(population, 0.44), 1)
    families = draw.part(households, 0.62, -0.05)
    aged_80 = draw.part(older - aged_60_74, 0.6)
    under_3 = draw.part(young, 0.13)
    return {
        "population": population,
        "young": young,
        "older": older,
        "aged_60_74": aged_60_74,
        "households": households,
        "families": families,
        "aged_80": aged_80,
        "under_3": under_3,
    }


def _workers(draw: _Draw, population: Floats) -> dict[str, Floats]:
    """Draw adults at work, in search of work and at school."""
    adults = draw.part(population, 0.62)
    women = draw.part(adults, 0.5)
    men = adults - women
    active_women, active_men = draw.part(women, 0.70, -0.15), draw.part(men, 0.77, -0.10)
    employed_women, employed_men = (
        draw.part(active_women, 0.87, -0.35),
        draw.part(active_men, 0.87, -0.35),
    )
    active = active_women + active_men
    employed = employed_women + employed_men
    employed_15p = np.round(employed * 1.01)
    fixed_term, temporary = draw.part(employed, 0.09, 0.1), draw.part(employed, 0.02, 0.3)
    subsidised, apprentices = draw.part(employed, 0.01, 0.3), draw.part(employed, 0.03)

    seekers = np.minimum(np.round((active - employed) * draw.factor(1.0, 1.3)), adults)
    girls, boys = draw.part(women, 0.17), draw.part(men, 0.17)
    girls_in_school, boys_in_school = draw.part(girls, 0.66, -0.2), draw.part(boys, 0.62, -0.2)
    youth, in_school = girls + boys, girls_in_school + boys_in_school
    out_of_school = draw.part(population, 0.72)
    without_diploma = draw.part(out_of_school, 0.28, 0.35)
    return {
        "adults": adults,
        "women": women,
        "men": men,
        "active_women": active_women,
        "employed_women": employed_women,
        "employed_men": employed_men,
        "active": active,
        "employed": employed,
        "employed_15p": employed_15p,
        "fixed_term": fixed_term,
        "temporary": temporary,
        "subsidised": subsidised,
        "apprentices": apprentices,
        "seekers": seekers,
        "girls": girls,
        "boys": boys,
        "girls_in_school": girls_in_school,
        "boys_in_school": boys_in_school,
        "youth": youth,
        "in_school": in_school,
        "out_of_school": out_of_school,
        "without_diploma": without_diploma,
    }


def _homes(draw: _Draw, population: Floats, households: Floats) -> dict[str, Floats]:
    """Draw dwellings, and those who receive or are insured."""
    dwellings = np.round(households * draw.factor(1.05, 1.4))
    vacant = draw.part(dwellings - households, 0.5, 0.2)
    not_studio, known_date = draw.part(households, 0.97), draw.part(households, 0.98)
    recipients = draw.part(households, 0.40, 0.35)
    single_parents = draw.part(recipients, 0.15, 0.2)
    insured = draw.part(population, 0.88)
    under_18, aged_25_49, aged_50_59 = (draw.part(insured, one) for one in (0.21, 0.31, 0.13))
    insured_16p, women_50_74 = draw.part(insured, 0.8), draw.part(insured, 0.16)
    return {
        "dwellings": dwellings,
        "vacant": vacant,
        "not_studio": not_studio,
        "known_date": known_date,
        "recipients": recipients,
        "single_parents": single_parents,
        "insured": insured,
        "under_18": under_18,
        "aged_25_49": aged_25_49,
        "aged_50_59": aged_50_59,
        "insured_16p": insured_16p,
        "women_50_74": women_50_74,
    }


def _incomes(draw: _Draw, population: Floats) -> dict[str, Floats]:
    """Draw incomes, licences and establishments."""
    median = np.round(
        22_000
        * np.exp(-0.12 * draw.disadvantage + draw.rng.normal(0, 0.04, len(draw.disadvantage))),
        -1,
    )
    poverty = np.clip(np.round(14.5 * np.exp(0.45 * draw.disadvantage), 1), 5, 60)
    hourly_men = np.round(15.5 * np.exp(-0.08 * draw.disadvantage), 1)
    licences = draw.part(population, 0.22, -0.15)
    licences_women = draw.part(licences, 0.38)
    establishments = np.maximum(draw.part(population, 0.08), 1)
    creations = draw.part(establishments, 0.13)
    return {
        "median": median,
        "poverty": poverty,
        "hourly_men": hourly_men,
        "licences": licences,
        "licences_women": licences_women,
        "establishments": establishments,
        "creations": creations,
    }


def _tables_of_people(draw: _Draw, whole: dict[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Draw the tables of residents, families and incomes."""
    return {
        "population": {
            "population": whole["population"],
            "population_moins_20_ans": whole["young"],
            "population_60_74_ans": whole["aged_60_74"],
            "population_75_ans_plus": whole["older"] - whole["aged_60_74"],
            "population_etrangere": draw.part(whole["population"], 0.05, 0.3),
            "menages": whole["households"],
        },
        "familles": {
            "menages": whole["households"],
            "menages_une_personne": draw.part(whole["households"], 0.36),
            "familles": whole["families"],
            "familles_monoparentales": draw.part(whole["families"], 0.15, 0.35),
            "personnes_80_ans_plus": whole["aged_80"],
            "personnes_80_ans_plus_seules": draw.part(whole["aged_80"], 0.5),
        },
        "accueil_jeune_enfant": {
            "places_accueil": np.round(whole["under_3"] * draw.factor(0.3, 0.9)),
            "enfants_moins_3_ans": whole["under_3"],
        },
        "allocataires": {
            "allocataires": whole["recipients"],
            "allocataires_monoparents": whole["single_parents"],
            "allocataires_couples_avec_enfant": draw.part(
                whole["recipients"] - whole["single_parents"], 0.4
            ),
            "allocataires_aah": draw.part(whole["recipients"], 0.09, 0.2),
            "allocataires_rsa_socle": draw.part(whole["recipients"], 0.14, 0.5),
        },
        "revenus": {
            "menages_fiscaux": np.round(0.97 * whole["households"]),
            "personnes_menages_fiscaux": np.round(0.97 * whole["population"]),
            "niveau_de_vie_d1": np.round(whole["median"] * draw.factor(0.50, 0.58), -1),
            "niveau_de_vie_median": whole["median"],
            "niveau_de_vie_d9": np.round(whole["median"] * draw.factor(1.6, 2.0), -1),
            "taux_pauvrete": whole["poverty"],
            "part_prestations_sociales": np.clip(
                np.round(5.5 * np.exp(0.5 * draw.disadvantage), 1), 0.5, 60
            ),
        },
    }


def _tables_of_work(draw: _Draw, whole: dict[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Draw the tables of work."""
    return {
        "activite": {
            "population_15_64_ans": whole["adults"],
            "femmes_15_64_ans": whole["women"],
            "hommes_15_64_ans": whole["men"],
            "actifs_15_64_ans": whole["active"],
            "femmes_actives_15_64_ans": whole["active_women"],
            "chomeurs_15_64_ans": whole["active"] - whole["employed"],
            "actifs_occupes_15_64_ans": whole["employed"],
            "femmes_actives_occupees_15_64_ans": whole["employed_women"],
            "hommes_actifs_occupes_15_64_ans": whole["employed_men"],
            "actifs_occupes_15_ans_plus": whole["employed_15p"],
            "salaries_cdd": whole["fixed_term"],
            "salaries_interim": np.minimum(
                whole["temporary"], whole["employed"] - whole["fixed_term"]
            ),
            "salaries_emplois_aides": np.minimum(
                whole["subsidised"],
                np.maximum(whole["employed"] - whole["fixed_term"] - whole["temporary"], 0),
            ),
            "salaries_apprentis_stagiaires": np.minimum(
                whole["apprentices"],
                np.maximum(
                    whole["employed"]
                    - whole["fixed_term"]
                    - whole["temporary"]
                    - whole["subsidised"],
                    0,
                ),
            ),
        },
        "demandeurs_emploi": {
            "demandeurs_abc": whole["seekers"],
            "demandeurs_a": np.round(0.6 * whole["seekers"]),
            "demandeurs_abc_femmes": draw.part(whole["seekers"], 0.5),
            "demandeurs_abc_moins_26_ans": draw.part(whole["seekers"], 0.15, 0.1),
            "demandeurs_abc_etrangers": draw.part(whole["seekers"], 0.1, 0.3),
            "demandeurs_abc_bac2": draw.part(whole["seekers"], 0.3, -0.3),
            "demandeurs_abc_plus_2_ans": draw.part(whole["seekers"], 0.28, 0.1),
        },
    }


def _tables_of_schools(draw: _Draw, whole: dict[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Draw the tables of schools, diplomas and journeys."""
    return {
        "scolarisation": {
            "population_15_24_ans": whole["youth"],
            "scolarises_15_24_ans": whole["in_school"],
            "filles_15_24_ans": whole["girls"],
            "filles_scolarisees_15_24_ans": whole["girls_in_school"],
            "garcons_15_24_ans": whole["boys"],
            "garcons_scolarises_15_24_ans": whole["boys_in_school"],
            "jeunes_non_inseres_15_24_ans": draw.part(
                whole["youth"] - whole["in_school"], 0.45, 0.3
            ),
            "population_16_25_ans": whole["youth"],  # one year older, as many
            "jeunes_non_inseres_16_25_ans": np.floor(0.5 * (whole["youth"] - whole["in_school"])),
        },
        "diplomes": {
            "non_scolarises_15_ans_plus": whole["out_of_school"],
            "sans_diplome_ou_brevet": whole["without_diploma"],
            "diplomes_cep_plus": whole["out_of_school"] - draw.part(whole["without_diploma"], 0.6),
            "diplomes_bac2_plus": draw.part(
                whole["out_of_school"] - whole["without_diploma"], 0.38, -0.3
            ),
        },
        "deplacements": {
            "menages": whole["households"],
            "menages_avec_voiture": draw.part(whole["households"], 0.86, -0.3),
            "actifs_occupes_15_ans_plus": whole["employed_15p"],
            "actifs_en_voiture": draw.part(whole["employed_15p"], 0.8),
            "actifs_hors_commune": draw.part(whole["employed_15p"], 0.78),
        },
    }


def _tables_of_homes(draw: _Draw, whole: dict[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Draw the tables of dwellings and health."""
    return {
        "logements": {
            "logements": whole["dwellings"],
            "logements_vacants": whole["vacant"],
            "residences_principales": whole["households"],
            "residences_principales_hlm": (social := draw.part(whole["households"], 0.08, 0.6)),
            "logements_sociaux": np.ceil(social * 1.05),
            "residences_hors_studio_seul": whole["not_studio"],
            "residences_suroccupees": draw.part(whole["not_studio"], 0.05, 0.3),
            "residences_date_connue": whole["known_date"],
            "residences_avant_1946": draw.part(whole["known_date"], 0.35, 0.1),
        },
        "sante": {
            "apl_medecins_generalistes": np.round(
                draw.rng.gamma(9, 0.35, len(draw.disadvantage)), 2
            ),
            "assures": whole["insured"],
            "beneficiaires_c2s": draw.part(whole["insured"], 0.11, 0.5),
            "assures_moins_18_ans": whole["under_18"],
            "beneficiaires_c2s_moins_18_ans": draw.part(whole["under_18"], 0.18, 0.5),
            "assures_25_49_ans": whole["aged_25_49"],
            "beneficiaires_c2s_25_49_ans": draw.part(whole["aged_25_49"], 0.11, 0.5),
            "assures_50_59_ans": whole["aged_50_59"],
            "beneficiaires_c2s_50_59_ans": draw.part(whole["aged_50_59"], 0.09, 0.5),
            "assures_16_ans_plus": whole["insured_16p"],
            "assures_sans_medecin_traitant": draw.part(whole["insured_16p"], 0.11),
            "femmes_50_74_ans": whole["women_50_74"],
            "femmes_sans_mammographie": draw.part(whole["women_50_74"], 0.4, 0.15),
        },
        "mortalite": {
            "icm": np.round(100 * np.exp(0.08 * draw.disadvantage), 1),
            "esperance_vie_naissance": np.round(82 - 0.9 * draw.disadvantage, 1),
        },
    }


def _other_tables(draw: _Draw, whole: dict[str, Floats]) -> dict[str, dict[str, Floats]]:
    """Draw the tables of wages, sport, establishments and indices."""
    return {
        "salaires": {
            "salaire_horaire_femmes": np.round(whole["hourly_men"] * draw.factor(0.80, 0.95), 1),
            "salaire_horaire_hommes": whole["hourly_men"],
        },
        "licences": {
            "licences": whole["licences"],
            "licences_femmes": whole["licences_women"],
            "licences_hommes": draw.part(whole["licences"] - whole["licences_women"], 0.98),
        },
        "equipements": {
            "equipements_sportifs": draw.rng.poisson(3 + whole["population"] / 250).astype(float),
            "equipements_culturels": draw.rng.poisson(0.5 + whole["population"] / 1500).astype(
                float
            ),
        },
        "etablissements": {
            "etablissements": whole["establishments"],
            "creations": whole["creations"],
            "creations_auto_entrepreneurs": draw.part(whole["creations"], 0.6),
        },
        "indices": {
            "valeur_idh4": np.clip(np.round(0.45 - 0.1 * draw.disadvantage, 2), 0, 1),
            "valeur_idt_compas": np.round(-20 - 60 * draw.disadvantage),
            "valeur_idt": np.round(-20 - 60 * draw.disadvantage),
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
