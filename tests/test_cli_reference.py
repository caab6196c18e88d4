"""docs/cli.md lists every command and option, as the program has them now."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer

from penstock.cli import app

from .cli_reference import PAGE, START, reference, rewritten


def test_page_is_fresh() -> None:
    page = PAGE.read_text("utf-8")
    assert rewritten(page, app) == page, "stale; rewrite it with: python -m tests.cli_reference"


def test_reference_lists_what_the_command_line_takes() -> None:
    text = reference(app)
    for named in (
        "penstock run",
        "penstock countries",
        "penstock check",
        "penstock bitcoin retarget",
        "--version",
    ):
        assert f"`{named}`" in text
    for option in (
        "--mw MW",
        "--mining-share SHARE",
        "--tariff PRICE",
        "--firm / --interruptible",
        "--out DIR",
        "--bits BITS",
    ):
        assert f"| `{option}` |" in text


def small_app(with_option: bool, help_text: str | None = "A new thing.") -> typer.Typer:
    small = typer.Typer()

    def plain() -> None:
        """Does it."""

    def optioned(new: int = 1) -> None:
        """Does it."""

    optioned.__annotations__["new"] = Annotated[int, typer.Option(help=help_text)]

    small.command("first")(plain)
    small.command("second")(optioned if with_option else plain)
    group = typer.Typer(help="Those of a group.")
    group.command("inner")(optioned if with_option else plain)
    small.add_typer(group, name="group")
    return small


def test_a_new_option_or_command_makes_the_page_stale() -> None:
    page = rewritten(f"# Top\n\n{START}\n", small_app(with_option=False))
    assert rewritten(page, small_app(with_option=False)) == page
    renewed = rewritten(page, small_app(with_option=True))
    assert renewed != page
    assert renewed.count("| `--new` | A new thing. |") == 2  # of a command, and of one in a group
    for named in ("penstock second", "penstock group", "penstock group inner"):
        assert f"## `{named}`\n" in renewed
    assert rewritten(page, app) != page


def test_an_option_without_help_is_refused() -> None:
    with pytest.raises(ValueError, match="--new has no help"):
        reference(small_app(with_option=True, help_text=None))


def test_a_page_without_the_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the line"):
        rewritten("# Top\n", app)
