"""Split a score, or its gap to a reference, between components, to the last digit."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from math import factorial, prod
from typing import TypeAlias

import numpy as np
import pandas as pd

from barometre.base.arrays import Floats
from barometre.base.errors import BarometreError, UnknownNameError
from barometre.composite.score.levels import Levels
from barometre.composite.score.means import aggregate_tree, power_mean
from barometre.composite.score.normalise import normalise_tree
from barometre.composite.tree.leaves import read_leaves
from barometre.composite.tree.shape import Tree

Values: TypeAlias = dict[str, Floats]
Reference: TypeAlias = "Hashable | Mapping[str, float] | pd.Series[float] | None"

MEAN = "mean"
_COALITIONS = 2**16  # states of the other components that an exact split may have to go through
_BLOCK = 2**21  # numbers held at once while going through them


def contributions_of(
    scores: Levels, node: str, reference: Reference, by: str, rows: slice = slice(None)
) -> pd.DataFrame:
    """Split the scores of a node; `Scores.contributions` says how."""
    if by not in ("leaves", "children"):
        raise UnknownNameError("choix by=", str(by), ("leaves", "children"))
    tree, table = scores.tree, scores.table.iloc[rows]
    values = {str(name): table[name].to_numpy() for name in table}
    players = _players(tree, node, by)
    if reference is None:
        split = own_split(tree, node, values)
    else:
        base = reference_values(scores, reference)
        if np.isnan(base[node]):
            raise BarometreError(f"référence refusée : elle n'a pas de score « {node} »")
        one = {name: np.array([value]) for name, value in base.items()}
        there = _completed(tree, node, one)
        split = _gap_split(tree, node, players, _completed(tree, node, values), there)
    scored = ~np.isnan(values[node])
    columns = {name: np.where(scored, split[name], np.nan) for name in players}
    return pd.DataFrame(columns, index=table.index)


def _players(tree: Tree, node: str, by: str) -> list[str]:
    if node not in tree.children:
        return [node]
    if by == "children":
        return list(tree.children[node])
    below = [leaf for name in tree.children[node] for leaf in _players(tree, name, by)]
    return [name for name in tree.columns if name in below]


def reference_values(scores: Levels, reference: Reference) -> dict[str, float]:
    """Score a reference on the scale of the others; `Scores.reference_scores` says how."""
    tree, normalised = scores.tree, scores.normalised
    names = [leaf.id for leaf in tree.leaves]
    if isinstance(reference, Mapping | pd.Series):
        if any(leaf.normalise == "percentile" for leaf in tree.leaves):
            raise BarometreError(
                "référence refusée : un rang percentile n'existe que parmi les territoires notés ;"
                " en prendre un, ou « mean »"
            )
        row = pd.DataFrame([dict(reference)], index=["référence"])
        values, _ = read_leaves(names, row)
        leaves = normalise_tree(tree, values.T, scores.fitted)
    elif isinstance(reference, str) and reference == MEAN and MEAN not in normalised.index:
        leaves = normalised.mean().to_numpy()[None, :]
    elif reference is None:
        raise BarometreError("référence manquante : un territoire, « mean », ou des valeurs")
    else:
        row_number = scores.position(reference)
        return {str(k): float(v) for k, v in scores.table.iloc[row_number].items()}
    nodes = aggregate_tree(tree, leaves)
    return {name: float(value[0]) for name, value in nodes.items()}


# ---- the score itself ---------------------------------------------------------------------------


def available_shares(tree: Tree, node: str, values: Values) -> Values:
    """Give the share of each direct component among those available, by unit."""
    shares = {
        name: np.where(np.isnan(values[name]), 0.0, share)
        for name, share in tree.shares(node).items()
    }
    total = np.sum([*shares.values()], axis=0)
    with np.errstate(invalid="ignore"):
        return {name: share / total for name, share in shares.items()}


def own_split(tree: Tree, node: str, values: Values) -> Values:
    """Split a score between all that is below: marginal effect times value (Euler).

    What is missing, or under a node that is, has no part (NaN).
    """
    amounts = {node: values[node]}
    effects = {node: np.ones_like(values[node])}  # of one more unit of a node on the whole
    for name in _downward(tree, node):
        power, floor, score = tree.powers[name], tree.floors[name], values[name]
        for part, share in available_shares(tree, name, values).items():
            value = np.maximum(values[part], floor) if power <= 0 else values[part]
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                slope = share if power == 1 else share * (value / score) ** (power - 1)
                slope = np.where(share == 0, 0.0, slope)  # whatever the power of nothing
                effect = np.where((score == 0) & (power != 1), 0.0, effects[name] * slope)
                # a node of zero raised to a floor has a part that no value below explains
                raised = (score == 0) & (amounts[name] != 0)
                amount = np.where(raised, amounts[name] * share, effect * value)
                actual = values[part]
                effects[part] = (
                    effect if power == 1 else np.where(actual == 0, effect, amount / actual)
                )
            missing = np.isnan(values[part]) | np.isnan(amounts[name])
            amounts[part] = np.where(missing, np.nan, amount)
    return amounts


def _downward(tree: Tree, node: str) -> list[str]:
    """List a node and those below it, from the top."""
    if node not in tree.children:
        return []
    return [node] + [name for part in tree.children[node] for name in _downward(tree, part)]


# ---- the gap to a reference ---------------------------------------------------------------------


def _completed(tree: Tree, node: str, values: Values) -> Values:
    """Give missing components the score of the node above: the mean that the others make.

    The weights of the tree then give the same scores.
    """
    found = {node: values[node]}
    unused = {node: np.zeros(len(values[node]), dtype=bool)}
    for name in _downward(tree, node):
        for part in tree.children[name]:
            unused[part] = unused[name] | np.isnan(values[part])
            found[part] = np.where(unused[part], found[name], values[part])
    return found


def _gap_split(
    tree: Tree, node: str, players: Sequence[str], values: Values, base: Values
) -> Values:
    """Split gaps: by weights, by logarithms, or by coalitions."""
    if node in players:
        return {node: values[node] - base[node]}
    inner = _downward(tree, node)
    shares = {node: 1.0}
    for name in inner:
        shares |= {part: s * shares[name] for part, s in tree.shares(name).items()}
    weights = {name: shares[name] for name in players}
    # decided on all that is below: the leaves of a component sum to its part, asked either way
    powers, floors = {tree.powers[name] for name in inner}, {tree.floors[n] for n in inner}
    if powers == {1.0}:
        return {name: weights[name] * (values[name] - base[name]) for name in players}
    if powers != {0.0} or len(floors) > 1:
        return _nested_shapley(tree, node, players, values, base)
    floor = floors.pop()
    raised = {name: np.maximum(values[name], floor) for name in players}
    start = {name: np.maximum(base[name], floor) for name in players}
    positive = np.all([raised[n] > 0 for n in players if weights[n]], axis=0)
    positive &= all(start[n][0] > 0 for n in players if weights[n])
    positive |= np.isnan(values[node])  # nothing to split
    split = _log_split(weights, raised, start, float(base[node][0]))
    if positive.all():
        return split
    zero = {name: value[~positive] for name, value in values.items()}
    with_zeros = _nested_shapley(tree, node, players, zero, base)
    for name in players:
        split[name][~positive] = with_zeros[name]
    return split


def _log_split(weights: Mapping[str, float], values: Values, base: Values, score: float) -> Values:
    """Split gaps of a geometric mean by logarithms."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = {
            name: weight * np.log(values[name] / base[name]) if weight else 0 * values[name]
            for name, weight in weights.items()
        }
        total = np.sum([*logs.values()], axis=0)
        mean = score * np.where(total == 0, 1.0, np.expm1(total) / total)
        return {name: mean * log for name, log in logs.items()}


def _nested_shapley(
    tree: Tree, node: str, players: Sequence[str], values: Values, base: Values
) -> Values:
    """Split gaps by Shapley values at each node, in every state of the nodes above."""
    states = max(_states(tree, node, player) for player in players)
    if states > _COALITIONS:
        raise BarometreError(
            f"« {node} » a trop de composantes pour un partage exact par feuille ({states} états) ;"
            ' demander by="children", ou le partage de ses composantes une à une'
        )
    units = len(values[node])
    step = max(1, _BLOCK // states)
    found: Values = {name: np.empty(units) for name in players}
    for start in range(0, units, step):
        rows = slice(start, start + step)
        block = {name: value[rows] for name, value in values.items()}
        _descend(tree, node, players, (block, base), None, found, rows)
    return found


def _states(tree: Tree, node: str, player: str) -> int:
    """Count the states of the components beside a player, up to a node."""
    parents = {part: name for name, parts in tree.children.items() for part in parts}
    path = []
    while player != node:
        player = parents[player]
        path.append(2 ** (len(tree.children[player]) - 1))
    return prod(path)


def _descend(
    tree: Tree,
    node: str,
    players: Sequence[str],
    ends: tuple[Values, Values],
    outer: Callable[[Floats], Floats] | None,
    found: Values,
    rows: slice,
) -> None:
    """Write the parts of the players below a node.

    ``outer`` gives the whole (its mean over the states of the nodes above) from values of the node
    of shape (..., units), whose leading axes are the states met below; None at the top.
    """
    names, (values, base) = tree.children[node], ends
    weights = np.array([*tree.shares(node).values()])
    number = len(names)
    others_in = [*itertools.product([False, True], repeat=number - 1)]  # one, empty, without others
    taken = np.array(others_in, dtype=bool).reshape(len(others_in), number - 1)
    sizes = taken.sum(axis=1)
    orders = [factorial(s) * factorial(number - 1 - s) / factorial(number) for s in range(number)]
    chances = np.array(orders)[sizes]
    for part in names:
        others = [name for name in names if name != part]
        states = {
            name: np.where(taken[:, [j]], values[name], base[name]) for j, name in enumerate(others)
        }

        def whole(value: Floats, part: str = part, states: Values = states) -> Floats:
            shape = (len(taken), *[1] * (value.ndim - 1), value.shape[-1])
            components = [
                value[None] if name == part else states[name].reshape(shape) for name in names
            ]
            mean = power_mean(components, weights, power=tree.powers[node], floor=tree.floors[node])
            return np.tensordot(chances, mean if outer is None else outer(mean), axes=1)

        apart = None
        if outer is None and not np.isnan(values[part]).any():
            apart = _simple(tree, node, part, states, chances)
        within: Callable[[Floats], Floats] = apart or whole
        end = np.broadcast_to(base[part], values[part].shape)
        if part in players:
            found[part][rows] = within(values[part]) - within(end)
            continue
        _descend(tree, part, players, ends, within, found, rows)
        # a missing node may count for less than its own floor, which the states below do not
        under = np.minimum(values[part], end) < tree.floors[part]
        if tree.powers[part] <= 0 and under.any():
            below = [name for name in _players(tree, part, "leaves") if name in players]
            rest = within(values[part]) - within(end) - sum(found[name][rows] for name in below)
            for name in below:
                found[name][rows] += np.where(under, rest / len(below), 0.0)


def _simple(
    tree: Tree, node: str, part: str, states: Values, chances: Floats
) -> Callable[[Floats], Floats] | None:
    """Give the mean of a node over the states of the parts beside one, in one operation.

    A sum, or a product, is that of the part and of all the others, whose mean over their states is
    found once. There is none for other means, nor where a part is missing.
    """
    power, floor, shares = tree.powers[node], tree.floors[node], tree.shares(node)
    own = shares[part] / sum(shares.values())
    if power not in (0, 1) or any(np.isnan(values).any() for values in states.values()):
        return None
    others = {name: shares[name] / sum(shares.values()) for name in states if shares[name] > 0}
    if power == 1:
        terms = [share * states[name] for name, share in others.items()]
        rest = np.tensordot(chances, sum(terms, np.zeros((len(chances), 1))), axes=1)
        return lambda value: own * value + rest
    factors = [np.maximum(states[name], floor) ** share for name, share in others.items()]
    product = functools.reduce(operator.mul, factors, np.ones((len(chances), 1)))
    rest = np.tensordot(chances, product, axes=1)
    return lambda value: np.maximum(value, floor) ** own * rest
