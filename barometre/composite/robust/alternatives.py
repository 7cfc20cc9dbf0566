"""What could have been chosen otherwise in an index: weights, normalisation, mean, bounds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Real
from typing import Any, TypeAlias, get_args

from barometre.base.errors import BarometreError, Fault, FaultsError, UnknownNameError
from barometre.base.french import format_number
from barometre.composite.tree.bounds import Bounds
from barometre.composite.tree.parts import BOUNDED, POWERS, Leaf, Method, Normalise
from barometre.composite.tree.shape import Tree

Mean: TypeAlias = "Method | Mapping[str, Method]"
Choice: TypeAlias = tuple[int, int, int]  # numbers of a normalisation, bounds and a mean

AS_DECLARED = "déclarée"
# A z-score of the alternatives is a T-score (McCall, 1922): the middle of the scale and a tenth of
# it, so that five standard deviations reach either end.
_REACH = 5.0


@dataclass(frozen=True)
class Alternatives:
    """Choices that could have been made otherwise; each is left as declared by default.

    Parameters
    ----------
    weights : float, optional
        Relative spread: 0.25 multiplies each weight by a factor drawn between 0.75 and 1.25, the
        shares of a node adding up to 1 again.
    normalise : iterable of {"minmax", "zscore", "percentile", "goalposts"}, optional
        Normalisations of all leaves, as likely as one another.
    aggregate : iterable of methods, optional
        Means of all nodes; or mappings of node to mean, the other nodes keeping theirs.
    bounds : iterable of Bounds, optional
        Bounds of the min-max and goalposts leaves.

    Raises
    ------
    BarometreError
        A spread that is not between 0 and 1, an option unknown or given twice, no option.

    Notes
    -----
    In a list, None stands for what the index declares. A z-score goes in the scale of the leaf: its
    mean in the middle, a standard deviation a tenth of it (50 and 10 between 0 and 100); under
    means other than arithmetic, it is held at the low end, five standard deviations down. Bounds
    move the leaves that have any: none of those that a z-score or a percentile rank normalises.

    Examples
    --------
    >>> Alternatives(weights=0.25, aggregate=["arithmetic", "geometric"]).aggregate
    ('arithmetic', 'geometric')
    """

    weights: float | None = None
    normalise: tuple[Normalise | None, ...] | None = None
    aggregate: tuple[Mean | None, ...] | None = None
    bounds: tuple[Bounds | None, ...] | None = None

    def __post_init__(self) -> None:
        spread = self.weights
        if spread is not None:
            number = isinstance(spread, Real) and not isinstance(spread, bool)
            if not number or not 0 <= spread <= 1:
                raise BarometreError(
                    f"alternative weights={spread!r} refusée : un écart relatif entre 0 et 1"
                    " (0.25 pour ± 25 %)"
                )
        for name, kinds in (
            ("normalise", str),
            ("aggregate", str | Real | Mapping),
            ("bounds", Bounds),
        ):
            object.__setattr__(self, name, _options(name, getattr(self, name), kinds))
        for option in self.normalise or ():
            if option is not None and option not in get_args(Normalise):
                raise UnknownNameError("normalisation", str(option), get_args(Normalise))
        for mean in self.aggregate or ():
            for method in mean.values() if isinstance(mean, Mapping) else (mean,):
                if isinstance(method, str) and method not in POWERS:
                    raise UnknownNameError("moyenne", method, POWERS)

    @classmethod
    def read(cls, given: Alternatives | Mapping[str, Any] | None) -> Alternatives:
        """Accept a mapping of the fields, or nothing.

        Parameters
        ----------
        given : Alternatives, mapping or None
            None is the choices as declared.

        Returns
        -------
        Alternatives

        Raises
        ------
        BarometreError, UnknownNameError
            Another type; a field that does not exist.
        """
        if given is None:
            return cls()
        if isinstance(given, Alternatives):
            return given
        if not isinstance(given, Mapping):
            raise BarometreError("alternatives refusées : donner Alternatives(...) ou un dict")
        admitted = [field.name for field in fields(cls)]
        for name in given:
            if name not in admitted:
                raise UnknownNameError("alternative", str(name), admitted)
        return cls(**given)

    @property
    def labels(self) -> dict[str, list[str]]:
        """The options of each choice, in words."""
        return {
            "normalise": [AS_DECLARED if x is None else x for x in self.normalise or (None,)],
            "bounds": [
                "déclarées" if x is None else x.reference or f"bornes {i}"
                for i, x in enumerate(self.bounds or (None,), start=1)
            ],
            "aggregate": [_mean_label(x) for x in self.aggregate or (None,)],
        }

    def variants(self, tree: Tree) -> dict[Choice, Tree]:
        """Give the index of every combination of choices.

        Parameters
        ----------
        tree : Tree
            The index as declared.

        Returns
        -------
        dict of Choice to Tree
            By the ranks of the normalisation, of the bounds and of the mean.

        Raises
        ------
        FaultsError
            A leaf already normalised that would be so otherwise, bounds that would move no leaf,
            a mean of an unknown node.
        """
        _check(self, tree)
        kinds, limits = self.normalise or (None,), self.bounds or (None,)
        means = self.aggregate or (None,)
        return {
            (i, j, k): _variant(tree, kinds[i], limits[j], means[k])
            for i, j, k in itertools.product(*map(range, map(len, (kinds, limits, means))))
        }


def low_end(leaf: Leaf) -> float:
    """Give the low end of the scale of a leaf; of a z-score, five standard deviations down."""
    return leaf.out[0] - _REACH * leaf.out[1] if leaf.normalise == "zscore" else leaf.out[0]


def _options(name: str, given: Any, kinds: Any) -> tuple[Any, ...] | None:
    if given is None:
        return None
    one = isinstance(given, str | Real | Bounds | Mapping)
    options = (given,) if one or not isinstance(given, Iterable) else tuple(given)
    problem = ""
    if not options:
        problem = "aucune option"
    elif wrong := [x for x in options if x is not None and not isinstance(x, kinds)]:
        problem = f"option {wrong[0]!r}"
    elif any(a == b for a, b in itertools.combinations(options, 2)):
        problem = "option en double"
    if problem:
        raise BarometreError(
            f"alternative {name} refusée : {problem} ; donner une liste d'options différentes"
        )
    return options


def _mean_label(mean: Mean | None) -> str:
    if mean is None:
        return AS_DECLARED
    if isinstance(mean, Mapping):
        return ", ".join(f"{node} : {method}" for node, method in mean.items())
    return mean if isinstance(mean, str) else f"puissance {format_number(mean)}"


def _check(alternatives: Alternatives, tree: Tree) -> None:
    faults = []
    options = alternatives.normalise or (None,)
    if any(options):
        faults += [
            Fault(leaf.id, "déjà normalisée (normalise=None)", "retirer normalise des alternatives")
            for leaf in tree.leaves
            if leaf.normalise is None
        ]
    kinds = {leaf.id: {option or leaf.normalise for option in options} for leaf in tree.leaves}
    for bounds in alternatives.bounds or ():
        for name in bounds.limits if bounds else ():
            if not kinds.get(name, set()) & set(BOUNDED):
                problem = "aucune feuille de ce nom n'a de bornes (min-max ou goalposts)"
                faults.append(Fault(str(name), problem, "retirer ces bornes"))
    nodes = {node.id for node in tree.nodes}
    for mean in alternatives.aggregate or ():
        for name in mean if isinstance(mean, Mapping) else ():
            if name not in nodes:
                faults.append(Fault(str(name), "pas un nœud", "corriger aggregate"))
    if faults:
        raise FaultsError("alternatives refusées", faults)


def _variant(tree: Tree, kind: Normalise | None, bounds: Bounds | None, mean: Mean | None) -> Tree:
    limits = bounds.limits if bounds else {}
    leaves = tuple(_leaf(leaf, kind or leaf.normalise, limits.get(leaf.id)) for leaf in tree.leaves)

    def chosen(node: str) -> Any:
        return mean.get(node) if isinstance(mean, Mapping) else mean

    nodes = tuple(
        node if chosen(node.id) is None else replace(node, aggregate=chosen(node.id))
        for node in tree.nodes
    )
    return Tree(leaves, nodes)


def _leaf(leaf: Leaf, kind: Normalise | None, limits: tuple[float, float] | None) -> Leaf:
    """Normalise a leaf otherwise, in its scale."""
    if kind != leaf.normalise:
        low = low_end(leaf)
        high = leaf.out[0] + _REACH * leaf.out[1] if leaf.normalise == "zscore" else leaf.out[1]
        out = ((low + high) / 2, (high - low) / (2 * _REACH)) if kind == "zscore" else (low, high)
        leaf = replace(
            leaf,
            normalise=kind,
            out=out,
            low=leaf.low if kind == "goalposts" else None,
            high=leaf.high if kind == "goalposts" else None,
        )
    if limits is None or kind not in BOUNDED:
        return leaf
    return replace(leaf, normalise="goalposts", low=limits[0], high=limits[1])
