"""The sentence that says why an index is lower or higher than another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from barometre.base.french import format_number

_WORDS = {
    "sante": ("la ", "santé"),
    "education": ("l'", "éducation"),
    "niveau_de_vie": ("le ", "niveau de vie"),
    "emploi": ("l'", "emploi"),
    "formation": ("la ", "formation"),
    "revenu": ("le ", "revenu"),
}
_MAIN = 0.5  # share of what pulls one way above which a dimension is the main cause


def gap_sentence(
    index: str,
    territory: tuple[str, float],
    reference: tuple[str, float],
    parts: Mapping[str, float],
    *,
    missing: str = "",
    decimals: int = 2,
) -> str:
    """Say in French how far an index is from another, and which dimensions make the gap.

    Parameters
    ----------
    index : str
        Name of the index.
    territory, reference : tuple of str and float
        Name and value.
    parts : mapping of str to float
        Contribution of each dimension to the gap.
    missing : str, optional
        Why the territory has no value.
    decimals : int, default 2
        Decimals printed.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> gap_sentence("IDH-4", ("« CA »", 0.39), ("« Région »", 0.51),
    ...              {"sante": -0.07, "education": -0.02, "niveau_de_vie": -0.03})[:76]
    "L'IDH-4 de « CA » (0,39) est inférieur de 0,12 à celui de « Région » (0,51),"
    """
    (here, value), (there, other) = territory, reference
    if value != value:
        return f"L'{index} de {here} n'a pas de valeur{f' ({missing})' if missing else ''}."
    gap = value - other
    start = f"L'{index} de {here} ({format_number(value, decimals)})"
    end = f"celui de {there} ({format_number(other, decimals)})"
    order = sorted(parts, key=lambda name: -round(abs(parts[name]), 12))  # ties: as declared
    seen = [name for name in order if abs(parts[name]) >= 0.5 * 10**-decimals]
    if abs(gap) < 0.5 * 10**-decimals:
        near = format_number(10**-decimals, decimals)
        offset = f" : les dimensions se compensent ({_listed(seen, parts, decimals)})"
        return f"{start} est égal, à {near} près, à {end}{offset if seen else ''}."
    side, cause = ("inférieur", "à cause") if gap < 0 else ("supérieur", "grâce")
    same = [name for name in (seen or order[:1]) if parts[name] * gap > 0]
    against = [name for name in seen if parts[name] * gap < 0]
    total = sum(abs(part) for part in parts.values() if part * gap > 0)
    text = f"{start} est {side} de {format_number(abs(gap), decimals)} à {end}"
    if abs(parts[same[0]]) > _MAIN * total:
        of = "de" if gap < 0 else "à"
        text += f", principalement {cause} {of} la dimension"
        text += f" {_listed(same[:1], parts, decimals)}"
        if same[1:]:
            verb = "s'y ajoutent" if same[2:] else "s'y ajoute"
            text += f" ; {verb} {_listed(same[1:], parts, decimals, article=True)}"
    else:
        of = "des" if gap < 0 else "aux"
        text += f", {cause} {of} dimensions {_listed(same, parts, decimals)}"
    if against:
        verb = "jouent" if against[1:] else "joue"
        text += f" ; {_listed(against, parts, decimals, article=True)} {verb} en sens inverse"
    return text + "."


def _listed(
    names: Sequence[str], parts: Mapping[str, float], decimals: int, *, article: bool = False
) -> str:
    said = []
    for name in names:
        the, word = _WORDS.get(name, ("", f"« {name} »"))
        value = format_number(parts[name], decimals, signed=True)
        said.append(f"{the * article}{word} ({value})")
    return " et ".join([", ".join(said[:-1]), said[-1]] if said[1:] else said)
