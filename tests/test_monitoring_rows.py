"""Money, actions, commitments, abatement, agenda, sheets: what adds up, what is hidden, what is told."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import barometre as bcs
from barometre.base.errors import BarometreError, FaultsError, TableError, UnknownNameError
from barometre.monitoring.editions.changes import CHANGES
from barometre.monitoring.indicator_sheet import EXAMPLE, FIELDS
from barometre.monitoring.money import BREAKDOWNS, cents_of
from barometre.monitoring.targets import Status
from barometre.monitoring.words import HEADINGS, VALUES, english, english_note, in_english
from barometre.pages.dashboard import TITLES, dashboard, write_dashboard
from barometre.tables.records import RECORDS, check_records, columns_of

monitoring = bcs.monitoring
YEAR = monitoring.example_year()


# ---- money --------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(0, 10**12), st.sampled_from(["eur", None])), min_size=1, max_size=20
    )
)
def test_cents_are_exact(cents: list[tuple[int, str | None]]) -> None:
    amounts = pd.Series([float(Decimal(c) / 100) for c, _ in cents])
    assert cents_of(amounts, pd.Series([u for _, u in cents], dtype="str")).tolist() == [
        c for c, _ in cents
    ]


def test_units_are_converted_through_the_printed_digits() -> None:
    amounts, units = (
        pd.Series([15.9, 3.13, 428416, 12.5]),
        pd.Series(["M_eur", "M_eur", "eur", "k_eur"]),
    )
    assert cents_of(amounts, units).tolist() == [1_590_000_000, 313_000_000, 42_841_600, 1_250_000]
    with pytest.raises(FaultsError, match=r"fractions de centime : 0\.001 ligne 2"):
        cents_of(pd.Series([0.001]), pd.Series(["eur"]))


@pytest.mark.parametrize(
    "by", [*([name] for name in BREAKDOWNS), *(list(p) for p in combinations(BREAKDOWNS, 2))]
)
def test_money_adds_up_over_every_breakdown(by: list[str]) -> None:
    table = YEAR["financements"]
    whole = sum(int(Decimal(str(amount)) * 100) for amount in table["montant"])
    summed = monitoring.funding(table, by)
    assert summed["centimes"].sum() == whole
    assert summed["n"].sum() == len(table)
    assert {"credits", "etape"} <= set(summed)  # steps and natures are never mixed


def test_euros_per_inhabitant_and_what_is_approximate() -> None:
    table = pd.DataFrame({"nomAttribuant": ["État"] * 3, "objet": ["a", "b", "c"], "montant": [1.5, 200, 50.5], "unite": ["M_eur", "eur", "eur"], "annee": [2025] * 3, "credits": ["specifique"] * 3, "etape": ["prévu", "payé", "payé"], "qpv": ["QN05950M", "QN05950M", None]})  # fmt: skip
    summed = monitoring.funding(table, "qpv", population=pd.Series({"QN05950M": 100.0}))
    assert summed["montant"].tolist() == [1_500_000, 200, 50.5]
    assert summed["approche"].tolist() == [True, False, False]
    assert summed["par_habitant"].tolist()[:2] == [15_000, 2]
    assert np.isnan(summed["par_habitant"].iloc[2])
    with pytest.raises(UnknownNameError, match="ventilation « quartier »"):
        monitoring.funding(table, "quartier")


def test_the_share_of_agreements_against_the_half_that_is_aimed_at() -> None:
    table = pd.DataFrame({"nomAttribuant": "État", "objet": ["a", "b", "c", "d"], "montant": [60, 40, 900, 10], "annee": 2025, "credits": ["specifique", "specifique", "droit_commun", "specifique"], "etape": ["engagé", "engagé", "engagé", "prévu"], "dispositifAide": ["CPO 2025-2027", "AAP", "CPO", "CPO"]})  # fmt: skip
    share = monitoring.cpo_share(table, year=2025)
    assert (share["part"], share["cible"], share["atteint"]) == (60.0, 50.0, True)
    assert np.isnan(monitoring.cpo_share(table, year=2024)["part"])


def test_the_amounts_of_the_contract() -> None:
    amounts = monitoring.contract_amounts()
    assert len(amounts) == 48
    summed = monitoring.funding(amounts, "credits")
    printed = bcs.datasets.load("financements_contrat").frame
    factor = {"eur": 100, "M_eur": 10**8}
    expected = sum(
        round(m * factor[u]) for m, u in zip(printed["montant"], printed["unite"], strict=True)
    )
    assert summed["centimes"].sum() == expected


# ---- actions, commitments, abatement ------------------------------------------------------------


def test_actions_by_hand() -> None:
    rows = pd.DataFrame({
        "id": list("abcd"), "annee": 2025, "intitule": "x", "porteur": "p",
        "orientation": ["emploi", "emploi", "emploi", "sante"], "etat": ["réalisée", "prévue", "Abandonnee", "réalisée"],
        "beneficiaires": [100, None, None, 50], "beneficiaires_femmes": [60, None, None, 25], "beneficiaires_qpv": [80, None, None, 20], "cout": [5000, 700, None, 1000],
    })  # fmt: skip
    work, health = monitoring.actions(rows, threshold=None).to_dict("records")
    assert (work["n"], work["n_realisees"], work["n_prevues"], work["n_arretees"]) == (3, 1, 1, 1)
    assert work["taux_realisation"] == pytest.approx(100 / 3)
    assert (work["part_femmes"], work["part_qpv"], work["cout"], work["cout_par_beneficiaire"]) == (
        60,
        80,
        5700,
        50,
    )
    assert work["n_sans_beneficiaires"] == 2
    assert (health["part_femmes"], health["cout_par_beneficiaire"]) == (50, 20)


def test_small_counts_of_beneficiaries_are_hidden_with_what_gives_them_back() -> None:
    rows = pd.DataFrame({"id": list("abcd"), "annee": 2025, "intitule": "x", "porteur": "p", "etat": "réalisée", "orientation": list("wxyz"), "beneficiaires": [5, 60, 70, 80], "beneficiaires_femmes": [2, 30, 69, 40]})  # fmt: skip
    shown = monitoring.actions(rows).set_index("orientation")
    assert shown.loc["w", "statut"] == "secret"
    assert shown["beneficiaires"].isna().sum() >= 2  # alone, it would be the total less the others
    assert (
        shown.loc[shown["statut"] == "secret", ["part_femmes", "cout_par_beneficiaire"]]
        .isna()
        .all(axis=None)
    )
    assert shown["part_femmes"].isna()["y"]  # one man


def test_the_three_actions_followed_closely_have_a_block_each() -> None:
    blocks = monitoring.reinforced(YEAR["actions"], year=2025)
    assert list(blocks) == ["santé", "emploi", "éducation"]
    assert [len(block) for block in blocks.values()] == [1, 1, 1]
    assert list(blocks["santé"].columns[4:8]) == ["moyens", "realisation", "resultat", "impact"]


def test_a_result_of_a_cohort_plugs_into_the_impact_of_an_action() -> None:
    people = bcs.datasets.make_cohort(400)
    effect = bcs.cohort.did(people, "income", 2030, person="person", wave="wave", arm="arm")
    work = monitoring.reinforced(YEAR["actions"], year=2025, impact={"A01": effect})["emploi"]
    row, told = work.iloc[0], effect.table.iloc[0]
    assert row["impact"] == effect.summary()
    assert (
        row[["effet", "effet_inf", "effet_sup"]].tolist()
        == told[["estimate", "low", "high"]].tolist()
    )
    words = monitoring.reinforced(YEAR["actions"], impact={"A08": "à mesurer en 2027"})["santé"]
    assert words["impact"].tolist() == ["à mesurer en 2027"]
    assert words["effet"].isna().all()
    with pytest.raises(FaultsError) as refused:
        monitoring.reinforced(YEAR["actions"], impact={"A02": "x", "A01": 12.0})  # type: ignore[dict-item]
    assert [fault.lieu for fault in refused.value.defauts] == ["A02", "A01"]


def test_credits_are_read_beside_needs() -> None:
    table = pd.DataFrame({"nomAttribuant": "État", "objet": list("abc"), "montant": [900.0, 100, 50], "annee": 2025, "credits": "specifique", "etape": "engagé", "qpv": ["QP1", "QP1", None]})  # fmt: skip
    rates = pd.DataFrame({"code": ["QP1", "QP2", "QP3"] * 2, "annee": [2020] * 3 + [2021] * 3, "indicateur": "taux_de_pauvrete", "valeur": [20.0, 45, 30, 50, 45, 30]})  # fmt: skip
    needs = bcs.priorities(rates, ["QP1", "QP2", "QP3"])
    heads = pd.Series({"QP1": 500.0, "QP2": 1000.0})
    found = monitoring.funding(table, "qpv", population=heads, needs=needs).set_index("qpv")
    columns = ["centimes", "n", "par_habitant", "rang_revenus"]
    rows = dict(zip(found.index, found[columns].itertuples(index=False, name=None), strict=True))
    assert rows["QP1"] == (100_000, 2, 2.0, 1.0)
    assert rows["QP2"] == (0, 0, 0.0, 2.0)
    assert found["centimes"].sum() == 105_000
    assert found["rang_revenus"].isna()["non précisé"]
    both = monitoring.funding(table, ["qpv", "nomAttribuant"], needs=needs)
    assert both["centimes"].sum() == 105_000
    with pytest.raises(BarometreError, match="QP1"):
        monitoring.funding(table, "qpv", needs=needs.assign(code="QN1"))
    with pytest.raises(BarometreError, match="ventiler par"):
        monitoring.funding(table, "orientation", needs=needs)
    with pytest.raises(BarometreError, match="rang_max"):
        monitoring.funding(table, "qpv", needs=needs.drop(columns="rang_max"))


def test_needs_of_2015_are_read_beside_the_credits_of_2024() -> None:
    old, new = ["QP059055", "QP059051", "QP059050"], ["QN05955M", "QN05951M", "QN05950M"]
    rates = pd.DataFrame({"code": old, "annee": 2021, "indicateur": "taux_de_pauvrete", "valeur": [20.0, 45, 50]})  # fmt: skip
    needs = bcs.priorities(rates, old)
    table = pd.DataFrame({"nomAttribuant": "État", "objet": "x", "montant": [10.0, 30, 7], "annee": 2025, "credits": "specifique", "etape": "payé", "qpv": [new[0], new[2], None]})  # fmt: skip
    with pytest.raises(BarometreError, match="au même périmètre"):
        monitoring.funding(table, "qpv", needs=needs)
    found = monitoring.funding(table, "qpv", needs=needs, bridge=True).set_index("qpv")
    assert found["centimes"].to_dict() == {
        "QN05955M": 1000,
        "QN05950M": 3000,
        "QN05951M": 0,
        "non précisé": 700,
    }
    ranks = found["rang_revenus"].dropna().to_dict()
    assert ranks == {"QN05955M": 3.0, "QN05951M": 2.0}  # QP059050 lost a part: no rank, and why
    assert found["besoins_de"].dropna().to_dict() == {"QN05955M": old[0], "QN05951M": old[1]}
    assert "une partie du quartier en est sortie" in found["note"]["QN05950M"]
    assert found["note"].drop("QN05950M").isna().all()
    told = in_english(found.reset_index()).set_index("neighbourhood")["note"]["QN05950M"]
    assert told == "needs of QP059050 not put beside: a part of the neighbourhood has left it"
    for wrong in ({"needs": None}, {"by": "nomAttribuant"}, {"bridge": needs}):
        asked: dict[str, Any] = {"by": "qpv", "needs": needs, "bridge": True} | wrong
        with pytest.raises(BarometreError, match="bridge"):
            monitoring.funding(table, **asked)


def test_the_dashboard_crosses_from_2015_to_2024() -> None:
    results = bcs.compute(bcs.datasets.tables(), "revenus")
    rows = dashboard(YEAR, 2025, results=results).sheets["crédits et besoins"]
    same = bcs.qpv_bridge().query("identique")
    assert set(rows["besoins_de"].dropna()) == set(same["code_2015"])
    assert rows["centimes"].sum() == monitoring.funding(YEAR["financements"], "qpv", years=[2025])["centimes"].sum()  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_what_is_drawn_adds_up_to_the_cent(seed: int) -> None:
    """Whatever is spent, to the cent, and whatever the keys, in any unit and with empty cells."""
    rng = np.random.default_rng(seed)
    n = 60

    def pick(*words: str) -> npt.NDArray[Any]:
        return rng.choice(np.array([*words, None], dtype=object), n)

    unit = rng.choice(["eur", "k_eur", "M_eur"], n)
    table = pd.DataFrame({
        "nomAttribuant": rng.choice(["État", "Caf", "Région"], n), "objet": "x", "unite": unit,
        "montant": np.where(unit == "eur", rng.integers(0, 10**9, n) / 100, rng.integers(0, 10**6, n) / 10),
        "annee": rng.integers(2023, 2026, n), "credits": rng.choice(["droit_commun", "specifique", "investissement", "autre"], n),
        "etape": rng.choice(["prévu", "engagé", "payé"], n), "orientation": pick("emploi", "sante"), "commune": pick("59172", "59491"),
        "qpv": pick("QN05950M", "QN05953M"), "dispositifAide": pick("CPO", "Appel à projets"),
    })  # fmt: skip
    scale = {"eur": 1, "k_eur": 1000, "M_eur": 10**6}
    exact = [Decimal(str(x)) * scale[u] * 100 for x, u in zip(table["montant"], unit, strict=True)]
    table_cents = pd.Series([int(x) for x in exact])
    by_step = table_cents.groupby([table["etape"], table["credits"]]).sum()
    for size in range(1, len(BREAKDOWNS) + 1, 2):
        names = rng.choice(BREAKDOWNS, size, replace=False).tolist()
        found = monitoring.funding(table, names)
        assert found.groupby(["etape", "credits"])["centimes"].sum().equals(by_step.sort_index())
        assert found["n"].sum() == n
        assert not found.duplicated([*names, "etape", "credits"]).any()
        coarse = monitoring.funding(table, names[:1])
        keys = list(dict.fromkeys([names[0], "credits", "etape"]))
        finer = found.groupby(keys)["centimes"].sum()
        assert finer.equals(coarse.set_index(keys)["centimes"].sort_index())


# ---- words --------------------------------------------------------------------------------------


def test_every_heading_and_closed_list_has_its_english() -> None:
    """A column or a word of a closed list without English is listed, as a missing translation."""
    board = dashboard(YEAR, 2025)
    assert set(board.sheets) <= set(TITLES)
    tables = [*board.sheets.values(), *YEAR.values()]
    missing = {name for table in board.sheets.values() for name in table if name not in HEADINGS}
    lists = {
        column: choices
        for model in RECORDS.values()
        for column, described in model.to_schema().columns.items()
        if (choices := described.metadata.get("choix"))
        and any(column in table for table in board.sheets.values())
    }
    lists["statut"] = [*get_args(Status), "ok", "secret"]
    lists["nature"] = [*lists["nature"], *CHANGES]
    symbols = set("=<>x") | {">=", "<=", "eur", "k_eur", "M_eur"}
    for column, choices in lists.items():
        words = {**VALUES.get(column, {}), **dict.fromkeys(symbols, "")}
        missing |= {f"{column}: {choice}" for choice in choices if choice not in words}
    assert missing == set()
    assert all(len(in_english(table)) == len(table) for table in tables)
    assert in_english(board.sheets["objectifs"])["status"].isin(VALUES["statut"].values()).all()


def test_notes_are_told_in_english() -> None:
    notes = dashboard(YEAR, 2025).sheets["objectifs"]["note"].dropna()
    assert len(notes)
    for note in notes:
        told = english_note(note)
        assert not re.search(r"donnée|intervalle|retard", told), told
    french = "l'intervalle de l'observation ne permet pas de trancher : atteint ou en retard"
    assert english_note(f"donnée de 2023 ; {french}") == (
        "data of 2023; the interval of the observation does not tell: reached or late"
    )


def test_review_by_hand() -> None:
    rows = pd.DataFrame({"id": list("abcd"), "annee": 2025, "partenaire": "SIGH", "engagement": "x", "type": "action", "prevu": [10, 4, None, 8], "realise": [5, 8, 3, None], "reponse": ["tenu", "en partie", "sans réponse", None]})  # fmt: skip
    row = monitoring.review(rows).iloc[0]
    assert row[["n", "n_tenus", "n_en_partie", "n_non_tenus", "n_sans_reponse"]].tolist() == [
        4,
        1,
        1,
        0,
        2,
    ]
    assert (row["completude"], row["taux_tenus"], row["part_realisee"], row["n_chiffres"]) == (
        50,
        50,
        75,
        2,
    )
    assert len(monitoring.review(monitoring.contract_commitments())) == 4


def test_abatement_by_hand() -> None:
    rows = pd.DataFrame({"annee": 2025, "bailleur": ["SIGH", "SIGH", "SIA"], "qpv": "QN05950M", "axe": [1, 1, 3], "action": list("abc"), "nature": ["renforcement", "specifique", "renforcement"], "montant_prevu": [100, 300, 50], "montant_depense": [100, 100, None]})  # fmt: skip
    first, third = monitoring.tfpb(rows).to_dict("records")
    assert (first["centimes_prevus"], first["centimes_depenses"], first["taux_depense"]) == (
        40_000,
        20_000,
        50,
    )
    assert (first["libelle"], third["libelle"]) == (
        "présence du personnel de proximité",
        "sur-entretien",
    )
    known = pd.DataFrame(
        {
            "bailleur": ["SIGH"],
            "montant_abattement": [800.0],
            "logements": [40],
            "source": ["DGFiP"],
        }
    )
    sigh = monitoring.tfpb(rows, "bailleur", abatement=known).set_index("bailleur").loc["SIGH"]
    assert (sigh["couverture"], sigh["par_logement"], sigh["source"]) == (25, 5, "DGFiP")


def test_agenda() -> None:
    due = monitoring.agenda(2026).set_index("id")
    assert due.loc["G07", "minimum_par_an"] == 2
    assert {"G01", "G02", "G13", "G17", "G23", "G30", "D2015-1118"} <= set(due.index)
    assert not {"G12", "G14", "G15", "G16", "G20", "G24"} & set(due.index)
    assert "G20" in set(monitoring.agenda(2027)["id"])
    assert "G23" not in set(monitoring.agenda(2025)["id"])


# ---- the door, files ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", RECORDS)
def test_templates_and_tables_go_round(name: str, tmp_path: Path) -> None:
    for suffix in (".csv", ".xlsx", ".parquet"):
        empty = monitoring.write_record_template(name, tmp_path / f"{name}{suffix}")
        assert list(monitoring.read_records(empty)[name].columns) == list(columns_of(name))
        path = monitoring.write_records({name: YEAR[name]}, tmp_path / f"{name}{suffix}")
        pd.testing.assert_frame_equal(monitoring.read_records(path)[name], YEAR[name])
        assert path.read_bytes() == monitoring.write_records({name: YEAR[name]}, path).read_bytes()


def test_a_workbook_is_as_good_as_a_folder(tmp_path: Path) -> None:
    book = monitoring.write_records(YEAR, tmp_path / "suivi.xlsx")
    folder = tmp_path / "suivi"
    folder.mkdir()
    for name, table in YEAR.items():
        monitoring.write_records({name: table}, folder / f"{name}.csv")
    (folder / "notes.txt").write_text("à relire")
    one, many = monitoring.read_records(book), monitoring.read_records(folder)
    assert list(one) == list(many) == list(YEAR)
    for name in YEAR:
        pd.testing.assert_frame_equal(one[name], many[name])


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "autre.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(BarometreError, match="aucune table de suivi reconnue"):
        monitoring.read_records(other)
    with pytest.raises(BarometreError, match="introuvable"):
        monitoring.read_records(tmp_path / "absent.csv")


def test_cells_are_read_as_people_write_them() -> None:
    table = check_records("financements", pd.DataFrame({"nomAttribuant": ["État "], "objet": ["x"], "montant": ["12\u202f500,50"], "annee": [2025.0], "credits": ["Droit_Commun"], "etape": ["ENGAGE"], "dateConvention": ["21/03/2025"]}))  # fmt: skip
    row = table.iloc[0]
    assert (row["montant"], row["annee"], row["credits"], row["etape"]) == (
        12500.5,
        2025,
        "droit_commun",
        "engagé",
    )
    assert (row["dateConvention"], row["nomAttribuant"]) == ("2025-03-21", "État")


def test_every_fault_of_a_table_is_told() -> None:
    rows = pd.DataFrame({"annee": [2025, 20255], "bailleur": ["SIGH", None], "qpv": "Q", "axe": [9, 1], "action": "a", "nature": ["x", "specifique"], "montant_prevu": [-5, "dix"]})  # fmt: skip
    with pytest.raises(TableError) as refused:
        check_records("tfpb", rows)
    told = str(refused.value)
    for words in (
        "« 20255 » ligne 3",
        "bailleur : 1 cellule vide (ligne 3)",
        "« 9 » ligne 2",
        "« x » ligne 2",
        "« -5 » ligne 2",
        "« dix » ligne 3",
    ):
        assert words in told
    with pytest.raises(TableError, match="colonne inconnue"):
        check_records("tfpb", rows.assign(autre=1))
    with pytest.raises(TableError, match="donné en double"):
        check_records("actions", pd.concat([YEAR["actions"].iloc[:1]] * 2))
    with pytest.raises(UnknownNameError):
        check_records("subventions", rows)


# ---- the indicator of an action -----------------------------------------------------------------

GOOD: dict[str, Any] = {
    "nom": "Taux d'accès à l'emploi à six mois",
    "population": "participants habitant un QPV de Denain, entrés en 2025",
    "numerateur": "participants en emploi six mois après l'entrée",
    "denominateur": "participants entrés depuis six mois ou plus",
    "unite": "%",
    "sens": "hausse",
    "source": "fichier de suivi du porteur",
    "frequence": "semestrielle",
    "reference": {"valeur": 32, "annee": 2024},
    "cible": 40,
    "echeance": 2027,
    "effectif_attendu": 45,
}
# Ten sheets with one fault each: the field, what it says, the word that must be told.
BAD: list[tuple[str, Any, str]] = [
    ("population", "publics concernés par l'action du quartier", "publics concernés"),
    ("numerateur", None, "absent"),
    ("denominateur", "aucun", "absent d'une part"),
    ("sens", "mieux", "n'est pas un sens"),
    ("source", "   ", "absent"),
    ("frequence", "régulièrement", "n'est pas une fréquence"),
    ("reference", 32, "sans année"),
    ("cible", 30, "alors que la référence est 32"),
    ("echeance", "bientôt", "n'est pas une date"),
    ("effectif_attendu", 6, "reconnaître quelqu'un"),
]


@pytest.mark.parametrize(("field", "value", "told"), BAD, ids=[field for field, *_ in BAD])
def test_a_defect_is_named_once_and_no_other_is_invented(field: str, value: Any, told: str) -> None:
    report = monitoring.check_indicator({**GOOD, field: value})
    assert [fault.lieu for fault in report.defauts] == [field]
    assert told in str(report.defauts[0])
    assert EXAMPLE in report.summary()


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"unite": "nombre", "denominateur": "aucun", "cible": 400},
        {"sens": "baisse", "cible": 20},
        {"frequence": "annuelle"},
        {"reference": {"valeur": 0, "annee": 2023}},
        {"echeance": "2027-06-30"},
        {"unite": "jours", "sens": "baisse", "cible": 12, "numerateur": "jours d'attente avant le premier rendez-vous", "denominateur": "premiers rendez-vous tenus"},
        {"effectif_attendu": 11},
        {"frequence": "à l'entrée et à la sortie"},
        {"nom": "Participantes au dépistage", "numerateur": "femmes de 50 à 74 ans venues au camion", "denominateur": "femmes de 50 à 74 ans invitées"},
    ],
)  # fmt: skip
def test_good_sheets_pass(changed: dict[str, Any]) -> None:
    assert monitoring.check_indicator({**GOOD, **changed}).defauts == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"echeance": "juin 2027"}, {"echeance": "31/12/2027"}, {"sens": "Hausse"},
        {"frequence": " Annuelle "}, {"denominateur": "aucune", "unite": "personnes", "numerateur": "arrivées moins départs"},
        {"unite": "pour 1 000", "cible": 180}, {"reference": {"valeur": 0, "annee": "2024"}},
    ],
)  # fmt: skip
def test_what_is_well_said_otherwise_passes(changed: dict[str, Any]) -> None:
    assert monitoring.check_indicator({**GOOD, **changed}).defauts == ()


# Others, of other kinds: words that define nothing, numbers that are none, units and dates.
OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"population": "les jeunes des quartiers et autres publics"}, "population"),
    ({"numerateur": "un maximum de jeunes touchés"}, "numerateur"),
    ({"source": "à voir avec les partenaires"}, "source"),
    ({"unite": "beaucoup"}, "unite"),
    ({"unite": "pour 1 000", "denominateur": "aucun", "cible": 180}, "denominateur"),
    ({"cible": float("nan")}, "cible"),
    ({"cible": True}, "cible"),
    ({"cible": 140}, "cible"),
    ({"reference": {"valeur": 320, "annee": 2024}}, "reference"),
    ({"reference": {"valeur": 32, "annee": 2031}}, "echeance"),
    ({"echeance": "2027 ou 2028"}, "echeance"),
    ({"echeance": 2150}, "echeance"),
    ({"effectif_attendu": 12.5}, "effectif_attendu"),
    ({"population": ["a", "b", "c"]}, "population"),
]


@pytest.mark.parametrize(("changed", "field"), OTHERS)
def test_other_defects_are_named_once(changed: dict[str, Any], field: str) -> None:
    report = monitoring.check_indicator({**GOOD, **changed})
    assert [fault.lieu for fault in report.defauts] == [field]


def test_what_is_said_of_a_sheet_has_its_english() -> None:
    sheets = [{}, *({field: value} for field, value, _ in BAD), *(changed for changed, _ in OTHERS)]
    sheets += [{"reference": {"annee": 2024}}, {"nom": "Part"}, {"reference": "x"}, {"numerateur": GOOD["denominateur"]}]  # fmt: skip
    for changed in sheets:
        report = monitoring.check_indicator({**GOOD, **changed} if changed else {})
        for fault in report.defauts:
            for text in (fault.probleme, fault.remede):
                quoted = re.sub("« .*? »", "", english(text).replace("mensuelle", ""))
                same = text in ("absent",) or "reference = {" in text or "trimestrielle" in text
                assert same or (english(text) != text and quoted.isascii()), text
        assert "point" in report.summary("en")
    assert monitoring.check_indicator(GOOD).summary("en") == "fiche: complete and well defined"


def test_sheets_are_files(tmp_path: Path) -> None:
    path = tmp_path / "fiche.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    assert monitoring.check_indicator(path).ok
    assert len(monitoring.check_indicator({}).defauts) == len(FIELDS)
    path.write_text("nom = ", encoding="utf-8")
    with pytest.raises(BarometreError, match="illisible"):
        monitoring.check_indicator(path)
    with pytest.raises(UnknownNameError, match="Vouliez-vous dire « cible »"):
        monitoring.check_indicator({"cibles": 3})


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_hostile_texts_stay_texts(tmp_path: Path, suffix: str) -> None:
    """No formula, no markup, nothing cut: what was typed is read back, and shown as text."""
    texts = ['=HYPERLINK("x","y")', "[/bold] [red]x", "<script>alert(1)</script>", "é" * 300, "\u202eabc", "+1", "@x"]  # fmt: skip
    table = pd.DataFrame({"id": [f"o{i}" for i in range(len(texts))], "mesure": texts, "nature": "chiffre", "sens": "hausse", "comparateur": "=", "cible": 20})  # fmt: skip
    path = monitoring.write_records({"objectifs": table}, tmp_path / f"o.{suffix}")
    read = monitoring.read_records(path)
    assert read["objectifs"]["mesure"].tolist() == texts
    book = write_dashboard(dashboard(read, 2025), tmp_path / "b.xlsx")
    cells = openpyxl.load_workbook(book)["objectifs"]["B"][1:]
    assert [(cell.value, cell.data_type) for cell in cells] == [(text, "s") for text in texts]
