"""Call the command line in this process, by the road that the program takes."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from barometre.cli import main
from barometre.cli.app import app
from barometre.cli.commands import register


@dataclass(frozen=True)
class Called:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """All that was printed, spaces and line breaks folded."""
        return " ".join((self.out + " " + self.err).split())


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run ``barometre`` as a program of its own."""
    return subprocess.run(
        [sys.executable, "-m", "barometre", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def call(*arguments: str | Path, cwd: Path | None = None, columns: int | None = None) -> Called:
    """Run ``barometre`` with some arguments in a folder."""
    out, err = io.StringIO(), io.StringIO()
    given, width = sys.argv, os.environ.pop("COLUMNS", None)
    if columns is not None:
        os.environ["COLUMNS"] = str(columns)
    sys.argv = ["barometre", *map(str, arguments)]
    code = 0
    try:
        with (
            contextlib.chdir(cwd or Path.cwd()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = given
        os.environ.pop("COLUMNS", None)
        if width is not None:
            os.environ["COLUMNS"] = width
    return Called(code, out.getvalue(), err.getvalue())


def commands() -> dict[str, TyperCommand]:
    """List every command of the program, those of a group by both names."""
    register()
    return dict(_inside(typer.main.get_command(app), ""))


def _inside(command: Any, name: str) -> Iterator[tuple[str, TyperCommand]]:
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for part, one in command.commands.items():
        yield from _inside(one, f"{name} {part}".strip())


def example_of(command: TyperCommand) -> list[str]:
    """Give the arguments of the example that the help of a command shows."""
    _, mark, text = (command.help or "").partition("Exemple : barometre ")
    return shlex.split(" ".join(text.split())) if mark else []
