"""Tables and lines on standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["console", "show_rows", "show_titled", "table"]

PIPED_WIDTH = 100  # columns of a table that goes to a file or a pipe


def console() -> Console:
    """Standard output: as wide as the terminal, or PIPED_WIDTH where it is none; no markup, no colours."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    return Console(
        file=sys.stdout,
        force_terminal=terminal,
        width=None if terminal else PIPED_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )


def table(title: str, columns: Sequence[str], numbers: bool = True) -> Table:
    """An empty table with its title above it.

    numbers: whether all columns but the first hold numbers, and so stand to the right.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left")
    for place, column in enumerate(columns):
        made.add_column(Text(column), justify="right" if numbers and place else "left")
    return made


def show_rows(title: str, rows: Iterable[Sequence[str]]) -> None:
    """Prints figures, each a label, a unit and a value as it is to be read."""
    from rich.text import Text

    shown = table("", ("", "unit", ""))
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    show_titled(title, shown)


def show_titled(title: str, shown: Table) -> None:
    """Prints a table without a title of its own below a title that may be wider than it is."""
    from rich.text import Text

    screen = console()
    screen.print(Text(title, style="table.title"), soft_wrap=True)
    screen.print(shown)
