"""`penstock reserve`: the public reserve watched, stated and proved. No private key is ever asked for."""

from __future__ import annotations

import typer

from penstock.cli.reserve_proof import prove, verify
from penstock.cli.reserve_simulate import replay, simulate
from penstock.cli.reserve_statement import statement
from penstock.cli.reserve_watch import ledger, watch
from penstock.cli.reserve_words import RefusingGroup

__all__ = ["reserve"]

reserve = typer.Typer(
    name="reserve",
    help="The public reserve: simulate its policy, watch its wallets, prove what it holds.",
    no_args_is_help=True,
    rich_markup_mode=None,
    cls=RefusingGroup,
)
for command in (simulate, replay, watch, ledger, statement, prove, verify):
    reserve.command()(command)
