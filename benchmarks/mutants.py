"""Mutants: would the tests see it, were a sign, a bound or a constant of the code another?

``python -m benchmarks.mutants [--room ROOM] [--n 100] [--seed 0]``: draws places of a room where a
small change can be made, makes each change alone in a copy of the package, and runs the tests of
the room until one fails. What survives is printed with its line: it is equal, or lacks a test.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The modules of a room, and the tests that are its own; mutants of a room are tried on these.
_VERBS = (
    *("did", "cluster", "survival", "transitions", "balance", "propensity", "attrition"),
    *("design", "multiplicity", "mobility", "matching", "bootstrap", "event_study", "att_gt"),
)
ROOMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "themes": (
        "themes/*.py",
        (
            "tests/test_cards.py",
            "tests/test_shares.py",
            "tests/test_households.py",
            "tests/test_properties.py",
        ),
    ),
    "engine": (
        "engine/*.py",
        (
            "tests/test_compute.py",
            "tests/test_uncertainty.py",
            "tests/test_intervals.py",
            "tests/test_aggregate.py",
            "tests/test_rounded_counts.py",
            "tests/test_shrinkage.py",
            "tests/test_union_intervals.py",
            "tests/test_territories.py",
            "tests/test_interval_plans.py",
        ),
    ),
    "compare": (
        "compare/*.py",
        (
            "tests/test_compare.py",
            "tests/test_evolution.py",
            "tests/test_evolution_rules.py",
            "tests/test_ranking.py",
            "tests/test_rank_intervals.py",
            "tests/test_convergence.py",
            "tests/test_diagnostic.py",
            "tests/test_dispersion.py",
            "tests/test_disadvantage.py",
            "tests/test_priorities.py",
            "tests/test_fragility.py",
            "tests/test_equivalent_year.py",
        ),
    ),
    "composite": (
        "composite/**/*.py",
        (
            "tests/test_composite_scores.py",
            "tests/test_composite_properties.py",
            "tests/test_composite_tree.py",
            "tests/test_composite_contributions.py",
            "tests/test_composite_audit.py",
            "tests/test_composite_audit_table.py",
            "tests/test_composite_sobol.py",
            "tests/test_composite_robustness.py",
            "tests/test_idh4.py",
            "tests/test_idt.py",
            "tests/test_calibration.py",
            "tests/proofs/test_composite.py",
        ),
    ),
    "secrecy": (
        "secrecy/*.py",
        (
            "tests/test_secrecy.py",
            "tests/test_secrecy_inputs.py",
            "tests/test_secrecy_properties.py",
            "tests/test_secrecy_lines.py",
        ),
    ),
    "cohort": (
        "cohort/**/*.py",
        ("tests/proofs", *(f"tests/test_cohort_{name}.py" for name in _VERBS)),
    ),
    "monitoring": (
        "monitoring/*.py",
        (
            "tests/test_monitoring_targets.py",
            "tests/test_monitoring_rows.py",
            "tests/test_monitoring_editions.py",
        ),
    ),
}
_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}


@dataclass(frozen=True)
class Mutant:
    """One change: the file, the place of the node in its walk, and what it becomes."""

    file: Path
    place: int
    line: int
    told: str


def changes(tree: ast.AST) -> Iterator[tuple[int, ast.AST, str]]:
    """Yield the nodes that can be changed, with what is done to each."""
    hints = {id(n) for one in ast.walk(tree) for n in _hints(one)}
    for place, node in enumerate(ast.walk(tree)):
        if id(node) in hints:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
            yield place, node, f"{_name(node.ops[0])} -> {_COMPARE[type(node.ops[0])].__name__}"
        elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
            if not any(_is_text(side) for side in (node.left, node.right)):
                yield place, node, f"{_name(node.op)} -> {_ARITHMETIC[type(node.op)].__name__}"
        elif isinstance(node, ast.BoolOp):
            yield place, node, "and <-> or"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
            yield place, node, "not dropped"
        elif isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)):
            yield place, node, f"{node.value} -> {_other(node.value)}"


def _hints(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below annotations: types are not run."""
    for name in ("annotation", "returns"):
        below = getattr(node, name, None)
        if isinstance(below, ast.AST):
            yield from ast.walk(below)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _name(node: ast.AST) -> str:
    return type(node).__name__


def _other(value: float | bool) -> float | bool:
    return not value if isinstance(value, bool) else value + 1


def change(node: ast.AST) -> ast.AST:
    """Return the node changed."""
    if isinstance(node, ast.Compare):
        node.ops[0] = _COMPARE[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp):
        node.op = _ARITHMETIC[type(node.op)]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.UnaryOp):
        return node.operand
    elif isinstance(node, ast.Constant):
        assert isinstance(node.value, (int, float))
        node.value = _other(node.value)
    return node


class _One(ast.NodeTransformer):
    """Changes one node of a tree."""

    def __init__(self, target: ast.AST) -> None:
        self.target = target

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.target:
            return change(node)
        self.generic_visit(node)
        return node


def drawn(room: str, n: int, seed: int) -> list[Mutant]:
    """Draw mutants of a room, each place once."""
    found = []
    for file in sorted((ROOT / "barometre").glob(ROOMS[room][0])):
        if file.name == "__init__.py":
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found += [
            Mutant(file, place, getattr(node, "lineno", 0), told)
            for place, node, told in changes(tree)
        ]
    return random.Random(seed).sample(found, min(n, len(found)))


def mutated(mutant: Mutant) -> str:
    """Write the source of a mutant."""
    tree = ast.parse(mutant.file.read_text(encoding="utf-8"))
    target = next(node for place, node in enumerate(ast.walk(tree)) if place == mutant.place)
    return ast.unparse(ast.fix_missing_locations(_One(target).visit(tree)))


def survives(mutant: Mutant, copy: Path, tests: tuple[str, ...]) -> bool:
    """Run the tests on a mutant, in a copy of the project that is then put right."""
    place = copy / mutant.file.relative_to(ROOT)
    original = place.read_text(encoding="utf-8")
    place.write_text(mutated(mutant), encoding="utf-8")
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
            cwd=copy, capture_output=True, timeout=600,
            env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False  # a loop that does not end is seen
    finally:
        place.write_text(original, encoding="utf-8")
    return run.returncode == 0


def main() -> None:
    """Print the survivors of each room asked, and the share killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--room", action="append", choices=sorted(ROOMS))
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        kept = ("barometre", "tests", "indicators", "datasets", "pyproject.toml")
        for name in kept:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name)
            else:
                shutil.copy(ROOT / name, copy / name)
        for room in asked.room or ROOMS:
            tests = tuple(name for name in ROOMS[room][1] if (ROOT / name).exists())
            left = []
            mutants = drawn(room, asked.n, asked.seed)
            for mutant in mutants:
                if survives(mutant, copy, tests):
                    left.append(mutant)
                    where = mutant.file.relative_to(ROOT)
                    print(f"  survivor: {where}:{mutant.line} {mutant.told}", flush=True)
            killed = len(mutants) - len(left)
            print(f"{room}: {killed} of {len(mutants)} killed", flush=True)


if __name__ == "__main__":
    main()
