"""Writes the generated part of docs/cli.md from the commands themselves.

PYTHONPATH=src python -m tests.cli_reference
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
START = "<!-- From here on: generated from the program. Rewrite with: python -m tests.cli_reference -->"


def reference(app: typer.Typer) -> str:
    """Every command with its usage, arguments and options, as Markdown."""
    command: Any = typer.main.get_command(app)
    parts = [section("penstock", command)]
    parts += [section(path, inner) for path, inner in commands("penstock", command)]
    return "\n".join(parts)


def commands(path: str, group: Any) -> Iterator[tuple[str, Any]]:
    """The commands of a group with their paths; of a group in it, itself and then its commands."""
    for name, inner in group.commands.items():
        yield f"{path} {name}", inner
        if hasattr(inner, "commands"):
            yield from commands(f"{path} {name}", inner)


def section(path: str, command: Any) -> str:
    """One command: heading, help, table of its arguments and options."""
    rows = [f"| `{names(parameter)}` | {described(parameter)} |" for parameter in command.params]
    table = ["| argument or option | meaning |", "|---|---|", *rows, "| `--help` | Show the help and exit. |"]
    return "\n".join([f"## `{path}`", "", (command.help or "").strip(), "", *table, ""])


def names(parameter: Any) -> str:
    """How a parameter is typed, e.g. `--mw MW` or `--firm / --interruptible`."""
    if parameter.param_type_name == "argument":
        return str(parameter.metavar)
    spelled = " / ".join([*parameter.opts, *parameter.secondary_opts])
    return f"{spelled} {parameter.metavar}" if parameter.metavar else spelled


def described(parameter: Any) -> str:
    """Help of a parameter, which must have one."""
    text = str(parameter.help or "").strip().replace("<", "&lt;")  # Markdown would take it for a tag
    if not text:
        raise ValueError(f"{names(parameter)} has no help")
    return f"{text} Required." if parameter.required else text


def rewritten(page: str, app: typer.Typer) -> str:
    """The page with its generated part renewed. ValueError where the mark that starts it is missing."""
    written, mark, _ = page.partition(START)
    if not mark:
        raise ValueError(f"{PAGE.name} lacks the line {START!r}")
    return f"{written}{START}\n\n{reference(app)}"


if __name__ == "__main__":
    from penstock.cli import app as penstock_app

    PAGE.write_text(rewritten(PAGE.read_text("utf-8"), penstock_app), "utf-8")
