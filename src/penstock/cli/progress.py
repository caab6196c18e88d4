"""How far a command is, said on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress"]


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error; plain lines, one for each step, where that is no terminal."""
    if not sys.stderr.isatty():
        last: list[str] = []

        def say(step: str, fraction: float) -> None:
            if last != [step]:
                last[:] = [step]
                print(f"{fraction:4.0%} {step}", file=sys.stderr, flush=True)

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=Console(stderr=True, highlight=False), transient=True
    ) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, fraction: bar.update(task, description=step, completed=fraction)
