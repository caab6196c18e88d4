"""The command line: parses, calls, shows. Numbers are scaled for reading (USD to million USD), no more.

Standard output carries the result (tables, or with --json exactly one JSON document); progress and errors
go to standard error. Exit codes: 0 done, 1 a fault in Penstock (with traceback), 2 refused input or
options, 130 interrupted.

Everything heavy is imported inside the functions that need it, so that `penstock --help` is quick.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer
from typer.exceptions import TyperException

from penstock import __version__
from penstock.cli.adequacy import adequacy
from penstock.cli.bitcoin import bitcoin
from penstock.cli.borrow import borrow
from penstock.cli.compare import compare
from penstock.cli.country import check, countries
from penstock.cli.documents import error_document, print_json
from penstock.cli.inclusion import inclusion
from penstock.cli.mix import mix
from penstock.cli.network import clear
from penstock.cli.payout import payout
from penstock.cli.policy import policy
from penstock.cli.proof import design, hosting, tariff
from penstock.cli.reserve import reserve
from penstock.cli.study import run
from penstock.errors import Fault, PenstockError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = typer.Typer(
    name="penstock",
    help="Clears a country's electricity market with and without Bitcoin mining and AI loads.",
    epilog="Example: penstock run pakistan --mw 2000 --out out/pakistan",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: it does not wait for Rich
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and gives its exit code: 0, 2 for refused input or options, 130 interrupted.

    arguments: words after `penstock`; those of the process where None.

    What is neither a PenstockError nor a wrong option is a fault in Penstock and is raised as it is.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in (words[: words.index("--")] if "--" in words else words)
    _survive_narrow_encodings()
    try:
        # Outside standalone mode wrong options are raised here, and an interrupt comes back as 130.
        code = typer.main.get_command(app).main(words, prog_name="penstock", standalone_mode=False)
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        if as_json:
            print_json(error_document(error, str(error), error.faults))
        return 2
    except TyperException as error:
        message = error.format_message()
        context = getattr(error, "ctx", None)
        hint = f"{getattr(context, 'command_path', 'penstock')} --help"
        no_words = message.startswith("Usage: ")  # then the message is the help text
        print(message if no_words else f"penstock: {message}\nTry: {hint}", file=sys.stderr)
        if as_json:
            fault = Fault(place=_option_of(error), problem=message, mend=f"see {hint}")
            print_json(error_document(error, message, (fault,)))
        return 2
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("penstock: interrupted", file=sys.stderr)
    return code if isinstance(code, int) else 0


def _survive_narrow_encodings() -> None:
    # A terminal that cannot show a sign gets "?" instead of a traceback. JSON is pure ASCII anyway.
    with suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]


def _option_of(error: TyperException) -> str:
    """The option or argument that a wrong use is about."""
    parameter = getattr(error, "param", None)
    named = getattr(parameter, "opts", None) or [getattr(error, "option_name", None)]
    return str(named[0] or "command line")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
def penstock(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Clears a country's electricity market with and without Bitcoin mining and AI loads."""


_COMMANDS = (
    *(run, mix, tariff, hosting, design, adequacy, policy, compare, borrow, inclusion),
    *(countries, check, clear),
)
for command in _COMMANDS:
    app.command()(command)
app.add_typer(bitcoin)
app.add_typer(payout)
app.add_typer(reserve)
