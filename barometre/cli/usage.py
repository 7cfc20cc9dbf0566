"""What the command line parser says, in French: helps and faults of usage.

The parser writes English of its own around our French; what it may write is a short closed list.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import typer

from barometre.cli.app import harmless

USAGE = 2
"""Exit code of a fault of usage."""

INTERRUPTED = 130
"""Exit code of an interrupted run, as shells have it."""

_Fault: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")

_HELP = (
    (r"^Usage: ", "Usage : "),
    (r"^(Options|Arguments):", r"\1 :"),
    (r"^Commands:", "Commandes :"),
    (r"Show this message and exit\.", "Montrer cette aide."),
    (r"\[default:", "[défaut :"),
    (r"\[required\]", "[requis]"),
)
_FAULTS = (
    (r"Missing option '([^']+)'.*", r"option \1 absente ; la donner"),
    (r"Missing argument '([^']+)'.*", r"argument \1 absent ; le donner"),
    (r"Missing command\.", "commande absente"),
    (r"No such command '([^']*)'\.", r"commande « \1 » inconnue."),
    (r"No such option: (\S+?)\.?(?=\s|$)", r"option \1 inconnue."),
    (r"Did you mean (.+?)\?", r"Vouliez-vous dire \1 ?"),
    (r"\(?Possible options: ([^)]+)\)?", r"Options proches : \1"),
    (
        r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)",
        r"argument de trop (\1) ; un nom qui a des espaces se met entre guillemets",
    ),
    (r"Option '([^']+)' requires an argument\.", r"l'option \1 attend une valeur"),
    (r"Option '([^']+)' does not take a value\.", r"l'option \1 ne prend pas de valeur"),
    (r"Invalid value for '?([^':]+)'?(?: \(env var: .*?\))?: ", r"\1 : "),
    (r"Invalid value: ", ""),
    (r"'([^']*)' is not a valid integer\.?", r"« \1 » n'est pas un nombre entier"),
    (r"Input should be a valid integer.*", "un nombre entier est attendu"),
    (r"Input should be a valid number.*", "un nombre est attendu"),
    (r"'([^']*)' is not a valid float\.?", r"« \1 » n'est pas un nombre"),
)


def help_in_french(text: str) -> str:
    """Write what frames a help in French.

    Examples
    --------
    >>> help_in_french("  --help  Show this message and exit.")
    '  --help  Montrer cette aide.'
    """
    for english, french in _HELP:
        text = re.sub(english, french, text, flags=re.MULTILINE)
    return text


def fault_in_french(text: str) -> str:
    """Write a fault of usage in French.

    Examples
    --------
    >>> fault_in_french("No such command 'rnk'. Did you mean 'rank'?")
    "commande « rnk » inconnue. Vouliez-vous dire 'rank' ?"
    """
    for english, french in _FAULTS:
        text = re.sub(english, french, text)
    return text


def run(command: Any) -> None:
    """Run a command of the parser to its exit, what it says being in French.

    Parameters
    ----------
    command : command of the parser
        What `typer.main.get_command` makes of an application.

    Raises
    ------
    SystemExit
        At the end, with the exit code.
    KeyboardInterrupt
        Interrupted.
    """
    _speak_french(command)
    try:
        code = command.main(standalone_mode=False)
    except typer.Abort:  # how older parsers tell an interruption
        raise KeyboardInterrupt from None
    except _Fault as fault:
        if type(fault).__name__ == "NoArgsIsHelpError":
            print(help_in_french(fault.format_message()), file=sys.stderr)
        else:
            _tell(fault)
        raise SystemExit(USAGE) from None
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    raise SystemExit(code or 0)


def _tell(fault: Any) -> None:
    lines = [f"barometre : {fault_in_french(fault.format_message())}"]
    if fault.ctx is not None:
        lines += [help_in_french(fault.ctx.get_usage())]
        lines += [f"« {fault.ctx.command_path} --help » dit le reste"]
    print(harmless("\n".join(lines)), file=sys.stderr)


def _speak_french(command: Any) -> None:
    """Make a command and those below it print their help in French."""
    english: Callable[[Any], str] = command.get_help
    command.get_help = lambda context: help_in_french(english(context))
    for below in getattr(command, "commands", {}).values():
        _speak_french(below)
