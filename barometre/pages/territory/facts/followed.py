"""The contract on a page: targets, actions, money, commitments and abatement."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from barometre import monitoring
from barometre.base.errors import BarometreError
from barometre.base.french import Lang, format_number
from barometre.datasets.places.members import Members
from barometre.engine.perimeters import qpv_correspondence
from barometre.monitoring.money import cpo_share
from barometre.pages.territory.facts.grids import Grid, grid
from barometre.pages.territory.language.words import in_words, pick, target_unit
from barometre.tables.codes import level_of

_ACTION_COUNTS = ("n", "n_realisees", "n_en_cours", "n_prevues", "n_arretees")

REACHED = ("atteint",)
ON_PATH = ("sur la trajectoire", "en avance")
LATE = ("en retard", "à l'opposé", "non atteint")
OVERDUE = ("échu, sans donnée",)
NO_DATA = ("sans donnée", "référence à fournir", "indéterminé")

_STATUSES = {
    "sens ambigu": "ambiguous direction",
    "qualitatif": "qualitative",
    "relatif": "relative",
    "référence à fournir": "reference to be given",
    "échu, sans donnée": "past, without data",
    "sans donnée": "without data",
    "atteint": "reached",
    "à l'opposé": "moved away",
    "non atteint": "not reached",
    "sur la trajectoire": "on the path",
    "en avance": "ahead",
    "en retard": "late",
    "indéterminé": "undetermined",
}

Records = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Followed:
    """The contract at a year, for a territory.

    Attributes
    ----------
    year : int
        Year of the review.
    reached, on_path, late, overdue, without_data, other : int
        Targets by where they stand: ``late`` are those behind, moved away or not reached;
        ``overdue`` those whose date is past and of which nothing is known.
    late_names : tuple of str
        The late ones, named.
    grids : tuple of Grid
        Tables, in the order of the page.
    states : Grid or None
        Where the targets stand, counted.
    scope : str
        What the tables are of: the whole contract, or this territory.
    """

    year: int
    reached: int
    on_path: int
    late: int
    overdue: int
    without_data: int
    other: int
    late_names: tuple[str, ...]
    grids: tuple[Grid, ...] = field(repr=False)
    states: Grid | None = field(repr=False)
    scope: str = ""


@dataclass(frozen=True)
class Review:
    """The contract at a year: its tables, and where its targets stand, asked once.

    Attributes
    ----------
    records : mapping of str to DataFrame
        Tables of `monitoring.read_records`.
    year : int
        Year of the review.
    targets : DataFrame
        Result of `monitoring.track`; empty without targets.
    """

    records: Records = field(repr=False)
    year: int
    targets: pd.DataFrame = field(repr=False)


def review_of(records: Records | None, year: int | None) -> Review | None:
    """Ask where the targets of a contract stand.

    Parameters
    ----------
    records : mapping of str to DataFrame or None
        Tables of the contract.
    year : int or None
        Year of the review, the latest of the tables by default.

    Returns
    -------
    Review or None
        None without any table or any year.
    """
    if not records:
        return None
    if year is None:
        years = [int(t["annee"].max()) for t in records.values() if "annee" in t and len(t)]
        if not years:
            return None
        year = max(years)
    return Review(records, year, _targets(records, year))


def followed_of(review: Review, code: str, known: Members, lang: Lang = "fr") -> Followed:
    """Read the follow-up of the contract for a territory.

    Parameters
    ----------
    review : Review
        The contract at a year.
    code : str
        The territory: rows of a neighbourhood or of a commune where the tables say it, else those
        of the whole contract.
    known : Members
        Who is in what: the neighbourhoods of a commune.
    lang : {"fr", "en"}, default "fr"
        Language.

    Returns
    -------
    Followed
    """
    records, year, status = review.records, review.year, review.targets
    counted = {
        name: int(status["statut"].isin(group).sum())
        for name, group in (
            ("reached", REACHED), ("on_path", ON_PATH), ("late", LATE), ("overdue", OVERDUE),
            ("none", NO_DATA),
        )
    }  # fmt: skip
    late = status[status["statut"].isin(LATE)]
    names = tuple(
        f"{row['mesure']} ({row['statut']}, {row['echeance']})" for row in late.to_dict("records")
    )
    own = _of_place(records, code, known)
    return Followed(
        year,
        counted["reached"],
        counted["on_path"],
        counted["late"],
        counted["overdue"],
        counted["none"],
        len(status) - sum(counted.values()),
        names,
        tuple(_grids(own, year, lang)),
        _target_grid(status, year, lang) if len(status) else None,
        _scope(code, lang),
    )


def _scope(code: str, lang: Lang) -> str:
    if level_of(code) in ("qpv", "commune"):
        return pick(
            (
                "Objectifs : ceux du contrat entier. Actions, crédits et TFPB : ceux de ce"
                " territoire.",
                "Targets: those of the whole contract. Actions, money and tax abatement: those of"
                " this territory.",
            ),
            lang,
        )
    return pick(("Contrat entier.", "Whole contract."), lang)


def _targets(records: Records, year: int) -> pd.DataFrame:
    if "objectifs" not in records:
        return pd.DataFrame({"statut": [], "mesure": [], "echeance": []})
    found = monitoring.track(records["objectifs"], records.get("observations"), year)
    seen = records.get("observations")
    if seen is None or "source" not in seen:
        return found
    sources = seen.drop_duplicates(["id", "annee"], keep="last").set_index(["id", "annee"])[
        "source"
    ]
    at = pd.MultiIndex.from_frame(found[["id", "annee"]])
    return found.assign(source_observation=sources.reindex(at).to_numpy())


def _of_place(records: Records, code: str, known: Members) -> dict[str, pd.DataFrame]:
    """Keep the rows of a neighbourhood or a commune; tables that do not tell are left out."""
    level = level_of(code)
    if level not in ("qpv", "commune"):
        return dict(records)
    names = {"qpv": _quarters(code, level, known), "commune": {code}}
    asked = ("qpv",) if level == "qpv" else ("commune", "qpv")
    found = {}
    for name, table in records.items():
        columns = [column for column in asked if column in table]
        if columns and name not in ("objectifs", "observations"):
            kept = pd.concat([table[c].isin(names[c]) for c in columns], axis=1).any(axis=1)
            found[name] = table[kept].reset_index(drop=True)
    return found


def _quarters(code: str, level: str, known: Members) -> set[str]:
    """Name a neighbourhood in both perimeters, or those that are in a commune."""
    if level == "qpv":
        return {code, *_same_quarter(code)}
    lists = known.quarters
    return {str(c) for c, towns in zip(lists["code"], lists["communes"], strict=True)
            if code in towns.split()}  # fmt: skip


def _same_quarter(code: str) -> set[str]:
    """Give the neighbourhoods of the other perimeter that one became, or came from."""
    try:
        pairs = qpv_correspondence()
    except BarometreError:
        return set()
    columns = [name for name in pairs if pairs[name].astype("str").str.match(r"Q[PN]\d").any()]
    rows = pairs[(pairs[columns].astype("str") == code).any(axis=1)]
    return {str(other) for name in columns for other in rows[name].dropna()} - {code}


def _grids(records: Mapping[str, pd.DataFrame], year: int, lang: Lang) -> list[Grid]:
    found: list[Grid] = []
    makers: Sequence[tuple[str, Callable[[pd.DataFrame, int, Lang], list[Grid]]]] = (
        ("actions", _action_grids),
        ("financements", _money_grids),
        ("engagements", _commitment_grids),
        ("tfpb", _tax_grids),
    )
    for name, make in makers:
        table = records.get(name)
        if table is not None and len(table) and (table["annee"] == year).any():
            found += make(table, year, lang)
    return found


def _number(value: object, lang: Lang, decimals: int = 0, unit: str = "") -> str:
    number = float(value)  # type: ignore[arg-type] # a cell of a numeric column
    return "–" if number != number else format_number(number, decimals, lang) + unit


def _target_grid(status: pd.DataFrame, year: int, lang: Lang) -> Grid:
    counts = status["statut"].value_counts()
    rows = [
        [pick((str(name), _STATUSES.get(str(name), str(name))), lang), _number(number, lang)]
        for name, number in counts.items()
    ]
    return grid(
        pick((f"Objectifs du contrat en {year}", f"Targets of the contract in {year}"), lang),
        [pick(("où ils en sont", "where they stand"), lang), pick(("objectifs", "targets"), lang)],
        rows,
    )


def _action_grids(table: pd.DataFrame, year: int, lang: Lang) -> list[Grid]:
    sums = monitoring.actions(table, year=year)
    hidden = pick(("secret", "secret"), lang)
    rows = [
        [
            in_words(row["orientation"]),
            *(_number(row[name], lang) for name in _ACTION_COUNTS),
            hidden if row["statut"] == "secret" else _number(row["beneficiaires"], lang),
            _number(row["cout"], lang, unit="\u00a0€"),
        ]
        for row in sums.to_dict("records")
    ]  # fmt: skip
    grids = [
        grid(
            pick((f"Actions de {year} par orientation", f"Actions of {year}"), lang),
            [
                pick(pair, lang)
                for pair in (
                    ("orientation", "priority"), ("actions", "actions"), ("réalisées", "done"),
                    ("en cours", "under way"), ("prévues", "planned"),
                    ("reportées ou abandonnées", "dropped or postponed"),
                    ("bénéficiaires", "beneficiaries"), ("coût", "cost"),
                )
            ],
            rows,
            foreign=True,
        )
    ]  # fmt: skip
    three = [
        [in_words(field_name), str(row["intitule"]), str(row["etat"]), _text(row["resultat"])]
        for field_name, block in monitoring.reinforced(table, year=year).items()
        for row in block.to_dict("records")
    ]
    if three:
        grids.append(
            grid(
                pick(("Les trois actions suivies de près", "The three actions followed"), lang),
                [
                    pick(("domaine", "field"), lang), pick(("action", "action"), lang),
                    pick(("état", "state"), lang), pick(("résultat", "result"), lang),
                ],
                three,
                texts=4,
                foreign=True,
            )
        )  # fmt: skip
    return grids


def _money_grids(table: pd.DataFrame, year: int, lang: Lang) -> list[Grid]:
    sums = monitoring.funding(table, "orientation", years=[year])
    steps = ("prévu", "engagé", "payé")
    rows = []
    for key, part in sums.groupby(["orientation", "credits"], sort=True):
        amounts = part.set_index("etape")["montant"]
        rows.append(
            [in_words(key[0]), in_words(key[1])]
            + [_number(amounts[s], lang, unit="\u00a0€") if s in amounts else "–" for s in steps]
        )
    share = cpo_share(table, year=year)
    target = _number(share["cible"], lang, unit=pick(("\u00a0%", "%"), lang))
    reached = _number(share["part"], lang, 1)
    told = pick(
        (
            f"part en CPO {reached} %, cible {target}",
            f"multi-year share {reached}%, target {target}",
        ),
        lang,
    )
    return [
        grid(
            pick((f"Crédits de {year} ; {told}", f"Money of {year}; {told}"), lang),
            [
                pick(("orientation", "priority"), lang), pick(("nature", "kind"), lang),
                *(pick(pair, lang) for pair in
                  (("prévu", "planned"), ("engagé", "committed"), ("payé", "paid"))),
            ],
            rows,
            texts=2,
            foreign=True,
        )
    ]  # fmt: skip


def _commitment_grids(table: pd.DataFrame, year: int, lang: Lang) -> list[Grid]:
    answers = monitoring.review(table, year)
    rows = [
        [
            str(row["partenaire"]), _number(row["n"], lang), _number(row["n_tenus"], lang),
            _number(row["n_en_partie"], lang), _number(row["n_non_tenus"], lang),
            _number(row["n_sans_reponse"], lang),
        ]
        for row in answers[answers["annee"] == year].to_dict("records")
    ]  # fmt: skip
    return [
        grid(
            pick((f"Engagements en {year}", f"Commitments in {year}"), lang),
            [
                pick(pair, lang)
                for pair in (
                    ("partenaire", "partner"), ("engagements", "commitments"), ("tenus", "kept"),
                    ("en partie", "in part"), ("non tenus", "not kept"),
                    ("sans réponse", "no answer"),
                )
            ],
            rows,
            foreign=True,
        )
    ]  # fmt: skip


def _tax_grids(table: pd.DataFrame, year: int, lang: Lang) -> list[Grid]:
    sums = monitoring.tfpb(table, year=year)
    rows = [
        [
            str(row["libelle"]), _number(row["n"], lang),
            _number(row["centimes_prevus"] / 100, lang, unit="\u00a0€"),
            _number(row["centimes_depenses"] / 100, lang, unit="\u00a0€"),
        ]
        for row in sums.to_dict("records")
    ]  # fmt: skip
    return [
        grid(
            pick((f"Abattement de TFPB en {year}, par axe", f"Tax abatement in {year}"), lang),
            [
                pick(pair, lang)
                for pair in (
                    ("axe", "line"), ("actions", "actions"), ("prévu", "planned"),
                    ("dépensé", "spent"),
                )
            ],
            rows,
            foreign=True,
        )
    ]  # fmt: skip


def _text(value: object) -> str:
    return value if isinstance(value, str) else "–"


def target_details(review: Review, lang: Lang = "fr", *, seen: bool = True) -> Grid | None:
    """List the targets that are counted: where they stand, what was expected and seen.

    Parameters
    ----------
    review : Review
        The contract at a year.
    lang : {"fr", "en"}, default "fr"
        Language.
    seen : bool, default True
        Those that were observed, else those that were not.

    Returns
    -------
    Grid or None
        None without such targets. Those that count nothing are left to their number.
    """
    if "cible" not in review.targets:
        return None
    kept = review.targets[~review.targets["statut"].isin(["qualitatif", "relatif"])]
    kept = kept[kept["valeur"].notna() == seen]
    if kept.empty:
        return None
    rows = [
        [
            str(row["mesure"]), in_words(row["orientation"]) if _told(row["orientation"]) else "–",
            _measured(row["cible"], row["unite"], lang),
            str(row["echeance"]) if _told(row["echeance"]) else "–",
            *(_measured(row[name], row["unite"], lang) for name in ("valeur", "attendu")),
            pick((str(row["statut"]), _STATUSES.get(str(row["statut"]), "")), lang),
            _sources(row),
        ]
        for row in kept.to_dict("records")
    ]  # fmt: skip
    heads = (
        ("objectif", "target"), ("orientation", "priority"), ("cible", "aim"),
        ("échéance", "deadline"), ("observé", "seen"), ("attendu", "expected"),
        ("où il en est", "where it stands"), ("source", "source"),
    )  # fmt: skip
    return grid(
        pick(
            (f"Objectifs observés en {review.year}", f"Targets observed in {review.year}")
            if seen
            else ("Objectifs sans observation", "Targets without observation"),
            lang,
        ),
        [pick(pair, lang) for pair in heads],
        rows,
        texts=(0, 1, 3, 6, 7),
        foreign=True,
    )


def agenda_grid(review: Review, lang: Lang = "fr") -> Grid:
    """List the meetings of the year that follows the review."""
    meetings = monitoring.agenda(review.year + 1)
    rows = [
        [_text(row["instance"]), _text(row["frequence"]), _text(row["role"])]
        for row in meetings.to_dict("records")
    ]
    heads = (("instance", "body"), ("fréquence", "frequency"), ("rôle", "role"))
    return grid(
        pick((f"Calendrier de {review.year + 1}", f"Calendar of {review.year + 1}"), lang),
        [pick(pair, lang) for pair in heads],
        rows,
        texts=3,
        foreign=True,
    )


def _told(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _measured(value: object, unit: object, lang: Lang) -> str:
    """Write a value of a target with its unit."""
    number = float(value)  # type: ignore[arg-type] # a cell of a numeric column
    if number != number:
        return "–"
    return _number(number, lang, _decimals(number)) + target_unit(unit, lang)


def _sources(row: Mapping[Hashable, object]) -> str:
    """Say where a target is written, and where what was observed comes from."""
    written, seen = (row.get(name) for name in ("source", "source_observation"))
    return " ; ".join(dict.fromkeys(str(text) for text in (written, seen) if _told(text))) or "–"


def _decimals(value: float) -> int:
    return 0 if value != value or float(value).is_integer() else 1
