"""The figures of the contract prove one another, the named anomalies excepted.

Every expected value is a printed one, or arithmetic on printed ones: never an output of the
library. An exception is a cell of `EXCUSED`, and it has to fail: one that would hold makes its
test fail, so that no figure is excused without need.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import pytest

import barometre as bcs
from tests.test_transcription import TABLES

WHOLE, EPCI = "ENSQP_200042190", "200042190"  # the QP of the agglomeration, the agglomeration
Cell = tuple[str, str, str]
Verdicts = dict[str, bool]
Rule = Callable[[pd.DataFrame], Verdicts]

# Anomaly, dataset, territory (or what stands for it), column, figure as printed; of a segment of
# inhabitants, the sum of its printed shares. R01 is on no list of anomalies: 13 estimates, each
# rounded, that make 10 624.
LISTED = """\
A01 defm_a_2022 QP059059 defm_a_t4_2022_nb 198
A02 defm_a_2022 ENSQP_200042190 defm_a_t4_2022_nb 4939
A03 defm_a_2022 ENSQP_200042190 evolution_defm_a_t4_2016_2022_pct -9.7
A04 nationalite_etrangere_2019 QP059059 evolution_2011_2019_pct -37.6
A05 nationalite_etrangere_2019 QP059057 evolution_2011_2019_pct -6.7
A06 nationalite_etrangere_2019 ENSQP_59 evolution_2011_2019_nb 11000
A07 c2s_2022 EPCI_AVEC_QP evolution_2020_2022_pct 28.9
A08 defm_a_2022 QP059058 evolution_defm_moins_26_ans_t4_2016_2022_pct -45.5
A09 defm_a_2022 ENSQP_METRO evolution_defm_moins_26_ans_t4_2016_2022_pct -13.6
A10 minima_sociaux_2021 200042190 evolution_2016_2021_nb 7469
A10 minima_sociaux_2021 200042190 evolution_2016_2021_pct 197.6
A11 idt_2011_2019 200042190 idt_2011_indice -202
A11 idt_2011_2019 200042190 evolution_2011_2019_pts 96
A12 indice_jeunesse_2019 ENSQP_200042190 moins_20_ans_2019_nb 14420
A13 indice_jeunesse_2019 ENSQP_200042190 pop_60_74_ans_2019_nb 6054
A13 indice_jeunesse_2019 ENSQP_200042190 pop_75_ans_plus_2019_nb 2959
A14 scolarisation_15_24_2019 ENSQP_200042190 scolarises_15_24_ans_2019_nb 3432
A15 minima_sociaux_2021 ENSQP_200042190 taux_couverture_menages_2021_pct 34.1
A15 minima_sociaux_2021 ENSQP_200042190 part_menages_rsa_2021_pct 22.8
A16 creation_etablissements_2020 ENSQP_200042190 auto_entrepreneurs_creations_2020_nb 324
A16 creation_etablissements_2020 ENSQP_200042190 part_auto_entrepreneurs_creations_2020_pct 71.8
A17 defm_abc_2021 200042190 part_moins_26_ans_2021_pct 33.6
A18 defm_abc_2021 59 part_moins_26_ans_2021_pct 10.8
A19 defm_abc_2021 METRO part_moins_26_ans_2021_pct 8.4
A20 defm_abc_2021 ENSQP_200042190 part_femmes_2021_pct 46.3
A23 segments_habitants s3_economiques part_habitants_pct 97
A24 segments_habitants s2_sante part_habitants_pct 97
A25 segments_habitants s7_cumul_handicap_eco_isolement_sante part_habitants_pct 95
A31 objectifs_etat part_adultes_mae_residant_qpv cible_valeur 40
R01 emploi_15_64_2019 ENSQP_200042190 emploi_15_64_ans_2019_nb 10620"""
EXCUSED: dict[Cell, tuple[str, float]] = {
    (dataset, code, column): (anomaly, float(figure))
    for line in LISTED.splitlines()
    for anomaly, dataset, code, column, figure in [line.split()]
}
DOUBTFUL = {cell: said for cell, said in EXCUSED.items() if said[0] != "R01"}


@functools.cache
def printed(name: str) -> pd.DataFrame:
    frame = bcs.datasets.load(name).frame
    return frame.set_index("code" if "code" in frame else "mesure")


def column(frame: pd.DataFrame, name: str | int = 0) -> dict[str, float]:
    values = frame[name] if isinstance(name, str) else frame.iloc[:, name]
    return {str(code): float(value) for code, value in values.items()}


def quarters(values: dict[str, float]) -> dict[str, float]:
    return {code: value for code, value in values.items() if code.startswith("QP0")}


def each(rule: Callable[..., bool]) -> Rule:
    """Apply a rule to the rows where all the columns are printed."""
    return lambda frame: {code: rule(*row) for code, *row in frame.dropna().itertuples()}


def percent(part: float, whole: float) -> float:
    return bcs.round_half_up(100 * part / whole, 1)


def evolution_of_estimates(value: float, change: float, rate: float) -> bool:
    """Estimates are no integers: printed value and change each hide half a unit."""
    halves = [(v, c) for v in (-0.5, 0.5) for c in (-0.5, 0.5)]
    possible = [100 * (change + c) / (value + v - change - c) for v, c in halves]
    return min(possible) - 0.05 - 1e-9 <= rate <= max(possible) + 0.05 + 1e-9


def creations(stock: float, rate: float) -> list[int]:
    """List the integer numbers of creations that a printed rate admits."""
    around = range(int(stock * (rate - 0.1) / 100), math.ceil(stock * (rate + 0.1) / 100) + 1)
    return [n for n in around if percent(n, stock) == rate]


def share_of_creations(stock: float, rate: float, part: float, share: float) -> bool:
    return any(percent(part, n) == share for n in creations(stock, rate))


def room(frame: pd.DataFrame) -> float:
    """Count the published quarters' part and all creations of the hidden ones."""
    stock, rate, part = (quarters(column(frame, position)) for position in range(3))
    return sum(max(creations(stock[c], rate[c])) if math.isnan(n) else n for c, n in part.items())


def hidden_have_room(frame: pd.DataFrame) -> Verdicts:
    return {WHOLE: column(frame, 2)[WHOLE] <= room(frame)}


def share_has_room(frame: pd.DataFrame) -> Verdicts:
    stock, rate, share = (column(frame, position)[WHOLE] for position in (0, 1, 3))
    return {WHOLE: share <= 100 * room(frame) / min(creations(stock, rate))}


def weight_of_women(low: float, high: float) -> Rule:
    """Below one point of gap, the rounding of the rates leaves the weight undetermined."""
    rule = each(lambda total, women, gap: low <= (total - women + gap) / gap <= high)
    return lambda frame: rule(frame[frame.iloc[:, 2].abs() >= 1])


def sum_of_quarters(frame: pd.DataFrame, within: float = 0) -> Verdicts:
    """A hidden quarter only says that the others are less than the whole."""
    counts, total = quarters(column(frame)).values(), column(frame)[WHOLE]
    assert len(counts) == 13
    shown = [count for count in counts if not math.isnan(count)]
    gap = total - sum(shown)
    return {WHOLE: abs(gap) <= within if len(shown) == 13 else gap > 0}


def mean_of_quarters(frame: pd.DataFrame, households: bool = False) -> Verdicts:
    """Households are recipients over their rate, then known to 0.2 %: 0.02 point at most."""
    counts, shares = quarters(column(frame)), column(frame, -1)
    rates = column(frame, 1) if households else dict.fromkeys(counts, 1)
    weights = {c: n / rates[c] for c, n in counts.items() if not math.isnan(shares[c])}
    mean = sum(shares[code] * weight for code, weight in weights.items()) / sum(weights.values())
    # A hidden quarter may differ from the others by some ten points.
    hidden = sum(n for code, n in counts.items() if code not in weights) / sum(counts.values())
    return {WHOLE: abs(mean - shares[WHOLE]) <= 0.12 + 10 * hidden}


def earlier_counts_fit(frame: pd.DataFrame) -> Verdicts:
    """The quarters of a territory had no more recipients than the territory."""
    before = {code: now - change for code, now, change, _ in frame.itertuples()}
    return {code: before[f"ENSQP_{code}"] <= before[code] for code in (EPCI, "59", "METRO")}


def near_next_table(frame: pd.DataFrame) -> Verdicts:
    """The under 26 of December 2021 are those of the end of 2022, within 30 %."""
    later = column(printed("defm_a_2022"), "defm_moins_26_ans_abc_t4_2022_nb")
    young = {code: number * share / 100 for code, number, share in frame.itertuples()}
    return {code: 0.7 <= young[code] / n <= 1.3 for code, n in later.items()}


def segments_make_100(frame: pd.DataFrame, topic: str) -> Verdicts:
    shown = frame[(frame["caracteristique"] == topic) & (frame["modalite"] != "TOTAL")]
    sums = shown.groupby(level=0)["part_habitants_pct"].sum()
    return {str(code): abs(total - 100) <= 2 for code, total in sums.items()}


@dataclass(frozen=True)
class Check:
    """A rule for columns of a dataset, how many verdicts it gives, the anomalies that break it."""

    dataset: str
    pattern: str
    rule: Rule
    verdicts: int
    but: str = ""

    @property
    def frame(self) -> pd.DataFrame:
        return printed(self.dataset).filter(regex=self.pattern)

    def failing(self) -> set[Cell]:
        known = {cell for cell, (anomaly, _) in EXCUSED.items() if anomaly in self.but.split()}
        return {cell for cell in known if cell[0] == self.dataset and cell[2] in self.frame}


MINIMA, ABC, ALIENS = "minima_sociaux_2021", "defm_abc_2021", "nationalite_etrangere_2019"
NEW, WORK, STUDY = "creation_etablissements_2020", "emploi_15_64_2019", "scolarisation_15_24_2019"
SEXES = each(lambda all_, f, gap: min(f, f - gap) - 0.1 <= all_ <= max(f, f - gap) + 0.1)
EVOLUTION = each(lambda value, change, rate: percent(change, value - change) == rate)
SHARES = {"femmes": "A20", "moins_26": "", "etrangers": "", "bac": "", "plus": ""}
TOPICS = {"Genre": "", "Situation": "A23", "Situation Professionnelle": "A24 A25"}
mean_of_households = functools.partial(mean_of_quarters, households=True)
CHECKS = [
    Check(MINIMA, "taux|part", each(lambda a, b, c: abs(b + c - a) <= 0.1 + 1e-9), 19),
    Check(MINIMA, "alloc|evol", EVOLUTION, 19),
    Check(MINIMA, "alloc|evol", earlier_counts_fit, 3, "A10"),
    Check(MINIMA, "alloc|taux", mean_of_households, 1, "A15"),
    Check(MINIMA, "alloc|taux|aah", mean_of_households, 1),
    Check(MINIMA, "alloc|taux|rsa", mean_of_households, 1, "A15"),
    Check("c2s_2022", "pop|evol", EVOLUTION, 17, "A07"),
    Check("defm_a_2022", "defm_a_", EVOLUTION, 17, "A01 A02 A03"),
    Check("defm_a_2022", "moins_26", EVOLUTION, 19, "A08 A09"),
    Check(ALIENS, "etrangers_2019_nb|evol", each(evolution_of_estimates), 16, "A04 A05 A06"),
    # A change is computed before rounding; the 15 other territories moved by 37 points at most.
    Check("idt_2011_2019", "indice|evol", each(lambda a, b, c: abs(b - a - c) <= 1), 16),
    Check("idt_2011_2019", "2011", each(lambda _, change: abs(change) <= 40), 16, "A11"),
    Check(NEW, "etab|taux", each(lambda stock, rate: bool(creations(stock, rate))), 17),
    Check(NEW, "etab|taux|auto", each(share_of_creations), 13),
    Check(NEW, "taux|nb$", hidden_have_room, 1, "A16"),
    Check(NEW, "etab|taux|auto", share_has_room, 1, "A16"),
    Check(WORK, "taux|ecart", SEXES, 19),
    Check(WORK, "taux|ecart", weight_of_women(0.49, 0.565), 19),
    Check(STUDY, "taux|ecart", SEXES, 18),
    Check(STUDY, "taux|ecart", weight_of_women(0.45, 0.56), 14),
    *(Check(ABC, f"nb$|part_{c}", mean_of_quarters, 1, but) for c, but in SHARES.items()),
    Check(ABC, "nb$|moins_26", near_next_table, 19, "A17 A18 A19"),
    Check("population_2018", "nb$|part", each(lambda n, part: percent(n, 45519) == part), 14),
    *(
        Check("segments_habitants", ".", functools.partial(segments_make_100, topic=t), 7, but)
        for t, but in TOPICS.items()
    ),
    Check("objectifs_etat", "e_valeur$", each(lambda to, now: to >= now), 7, "A31"),
    Check(WORK, "nb$", functools.partial(sum_of_quarters, within=13 * 0.5), 1),
]
# A hidden change may be of either sign: nothing can be said of the sum of the others.
UNSUMMED = (ALIENS, "evolution_2011_2019_nb")
SUMS = [
    Check(dataset.nom, f"^{field.nom}$", sum_of_quarters, 1, "A02 A12 A13 A14 R01")
    for dataset in map(bcs.datasets.load, TABLES)
    if "code" in dataset.frame and WHOLE in set(dataset.frame["code"])
    for field in dataset.colonnes.values()
    if field.unite == "nombre" and (dataset.nom, field.nom) != UNSUMMED
]


@pytest.mark.parametrize("check", [*CHECKS, *SUMS], ids=lambda c: f"{c.dataset}-{c.pattern}")
def test_printed_figures_hold_together(check: Check) -> None:
    verdicts = check.rule(check.frame)
    assert len(verdicts) == check.verdicts
    assert {c for c, holds in verdicts.items() if not holds} == {c for _, c, _ in check.failing()}


def test_every_exception_fails_a_check_and_every_count_is_summed() -> None:
    assert {cell for check in [*CHECKS, *SUMS] for cell in check.failing()} == set(EXCUSED)
    assert len(SUMS) == 19
    assert column(printed("population_2018"), "population_2018_nb")[WHOLE] == 45519
    assert printed(UNSUMMED[0])[UNSUMMED[1]].filter(like="QP0").isna().sum() == 3


@pytest.mark.parametrize(
    ("name", "parts", "unknown", "total"),
    [
        ("qpv_2024", 13, 0, 32305),
        ("poches_pauvrete", 8, 0, 7000),
        ("geographie_complementaire", 13, 1, 50697),
    ],
)
def test_totals(name: str, parts: int, unknown: int, total: int) -> None:
    *shown, last = column(printed(name).filter(regex="^pop.*nb$")).values()
    known = [value for value in shown if not math.isnan(value)]
    assert (len(shown), len(shown) - len(known)) == (parts, unknown)
    assert last == sum(known) == total


@pytest.fixture(scope="module")
def results(contract: bcs.Tables) -> pd.DataFrame:
    return bcs.compute(contract)


def rows(frame: pd.DataFrame, *names: str) -> list[tuple[str, ...]]:
    return list(frame[list(names)].itertuples(index=False, name=None))


@pytest.mark.parametrize("index", ["indice_jeunesse", "indice_evolution_generations_agees"])
def test_computed_index_is_the_printed_one(results: pd.DataFrame, index: str) -> None:
    found = results[results["indicateur"] == index].set_index("code")
    figures = f"{index.replace('evolution_', '')}_2019_ratio"
    assert found["origine"].to_list() == ["calcule"] * 19
    values = bcs.round_half_up(found["valeur"], 1)
    assert values.to_dict() == column(printed("indice_jeunesse_2019"), figures)


@pytest.mark.filterwarnings("error")  # a PublishedDifference is a warning
def test_computed_values_are_the_published_ones(contract: bcs.Tables) -> None:
    compared = bcs.compute(contract, check_published=True)
    # 38 cells have both; they agree, and a note is for what a reader must know
    keys = ["code", "annee", "indicateur"]
    given = {
        (code, year, name)
        for name in contract["publies"]
        for code, year in contract["publies"][name].dropna().index
    }
    computed = compared[compared["origine"] == "calcule"]
    assert sum(key in given for key in computed[keys].itertuples(index=False, name=None)) == 38
    assert not compared["note"].str.contains("valeur publiée", na=False).any()


@pytest.mark.parametrize("name", TABLES)
def test_doubtful_figures_stay_as_printed(name: str) -> None:
    tidy = bcs.datasets.load(name).tidy()
    doubtful = tidy[tidy["qualite"].notna()]
    if "modalite" in doubtful:  # a sum of shares is doubtful with its parts and its total of 100
        doubtful = doubtful[doubtful["modalite"] != "TOTAL"]
    found: Counter[tuple[str, ...]] = Counter()
    for cell in doubtful.to_dict("records"):
        found[cell.get("code") or cell["mesure"], cell["colonne"]] += cell["valeur"]
    assert found == {c[1:]: figure for c, (_, figure) in DOUBTFUL.items() if c[0] == name}
    assert {*rows(doubtful, "qualite", "statut")} <= {("douteux", "ok")}
    assert doubtful["motif"].notna().all()


def test_doubtful_figures_are_the_listed_anomalies() -> None:
    listed = bcs.datasets.load("anomalies").frame.dropna(subset="colonne").to_dict("records")
    assert len(listed) == len(DOUBTFUL)
    for row, (cell, said) in zip(listed, DOUBTFUL.items(), strict=True):
        assert (row["id"], row["tableau"], row["colonne"]) == (said[0], cell[0], cell[2])
        if row["id"] != "A31":  # its territory is a measure, and what was read is a sentence
            assert (row["code"], float(row["valeur_lue"])) == (cell[1], said[1])


def test_doubt_reaches_tables_and_results(contract: bcs.Tables, results: pd.DataFrame) -> None:
    targets = [(code, bcs.datasets.load(name).colonnes[cell]) for name, code, cell in DOUBTFUL]
    printed = [(code, to) for code, to in targets if to.alimente and not to.depuis]
    fed = {(code, to.annee, *to.alimente.split(".")) for code, to in printed if to.alimente}
    said = contract.statuts.query("qualite == 'douteux'")
    assert len(fed) == 15
    assert set(rows(said[said["origine"].isna()], "code", "annee", "table", "colonne")) == fed
    doubtful = results.query("qualite == 'douteux' and origine != 'deduit'")
    assert set(rows(doubtful, "code", "indicateur")) == {
        *((WHOLE, f"taux_couverture_{part}") for part in ("minima_sociaux", "rsa")),
        *((WHOLE, f"indice_{of}") for of in ("jeunesse", "evolution_generations_agees")),
        *((WHOLE, f"part_{of}") for of in ("femmes_defm", "auto_entrepreneurs_creations")),
        *((code, "part_moins_26_ans_defm") for code in (EPCI, "59", "METRO")),
        *((code, "demandeurs_emploi_a") for code in ("QP059059", WHOLE)),
        (EPCI, "idt_compas"),
    }
    assert all(said["motif"].notna())
    assert all(doubtful["note"].notna())


@pytest.mark.parametrize("name", TABLES)
def test_empty_cells_keep_their_reason(name: str) -> None:
    dataset = bcs.datasets.load(name)
    listed = bcs.datasets.load("cellules_vides").frame.query("tableau == @name")
    assert dataset.remarques["statut"].ne("ok").sum() == len(listed)
    tidy = dataset.tidy()
    # No upper bound of a range, no reference of a target: nothing is missing there.
    optional = tidy["colonne"].isin(["valeur_max", "cible_valeur_max", "reference_valeur"])
    absent = tidy[tidy["statut"].ne("ok") & ~optional]
    assert absent["valeur"].isna().all()
    listed = listed[listed["colonne"].isin(tidy["colonne"])]
    wanted = [*(["code"] if "code" in tidy else []), "colonne", "statut", "motif"]
    assert Counter(rows(absent, *wanted)) == Counter(rows(listed, *wanted))


NOT_AVAILABLE = (
    "part_familles_monoparentales_caf", "part_monoparents_allocataires", "demandeurs_emploi_a",
)  # fmt: skip


def test_hidden_cells_stay_secret(results: pd.DataFrame) -> None:
    absent = results[results["valeur"].isna()]
    creators = "QP059053", "QP059030", "QP059056", "QP059058"
    assert set(rows(absent, "code", "indicateur", "statut")) == {
        *((code, "part_auto_entrepreneurs_creations", "secret") for code in creators),
        *((code, "part_population_etrangere", "secret") for code in ("QP059055", "QP059058")),
        *(("QP059058", f"part_{group}_defm", "secret") for group in ("femmes", "etrangers")),
        ("QP059058", "ecart_taux_scolarisation_filles_garcons", "secret"),
        *((code, "nombre_etrangers", "secret") for code in ("QP059054", "QP059055", "QP059058")),
        *((EPCI, name, "non_disponible") for name in NOT_AVAILABLE),
        ("METRO", "idt_compas", "sans_objet"),
    }
    assert all(absent["note"].notna())
