"""The page of every command, its arguments and options, written from the command line itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from markdown_parts import code, plain, table, target

from barometre.cli.app import app
from barometre.cli.commands import register


def commands_page() -> str:
    """Write the page in Markdown (MyST): one section per command."""
    register()
    parts = [
        "# Every command",
        "Written from the command line when the documentation is built, in the words of"
        " `barometre COMMAND --help`. [](command_line.md) tells how the commands go together, and"
        " what their exit codes mean.",
    ]
    for name, command in _inside(typer.main.get_command(app), ""):
        parts += _command(name, command)
    return "\n\n".join(parts) + "\n"


def _inside(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, one in command.commands.items():
        yield from _inside(one, f"{name} {part}".strip())


def _command(name: str, command: Any) -> Iterator[str]:
    about, _, example = (command.help or "").partition("Exemple : ")
    yield f"({target('commande', name.replace(' ', '-'))})="
    yield f"## {code(f'barometre {name}')}"
    yield "\n\n".join(plain(part) for part in about.strip().split("\n\n"))
    if example:
        yield f"```console\n$ {' '.join(example.split())}\n```"
    shown = [given for given in command.params if given.name != "help"]
    if shown:
        yield table(["Argument or option", "What it is", "By default"], [_row(g) for g in shown])


def _row(given: Any) -> list[str]:
    if given.param_type_name == "argument":
        name = (given.metavar or given.name).upper() + ("..." if given.nargs == -1 else "")
        name = name if given.required else f"[{name}]"
    else:
        name = ", ".join([*given.opts, *given.secondary_opts])
    return [code(name), plain(given.help or ""), _default(given)]


def _default(given: Any) -> str:
    if given.required:
        return "*required*"
    if given.default in (None, False, (), []) or callable(given.default):
        return ""
    return code(str(given.default))
