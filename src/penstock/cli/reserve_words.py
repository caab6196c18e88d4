"""A command line that holds a private key is refused whole, before any message could repeat a word of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click.core import Context

__all__ = ["RefusingGroup"]


class RefusingGroup(TyperGroup):
    """Commands whose words are looked at first: `typer.Typer(cls=RefusingGroup)`.

    A misplaced word, an unknown option or a wrong number is otherwise repeated in the message about it.
    """

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Raises ReserveError where a word, or the words in a row, are a secret."""
        from penstock.reserve.secrets import refuse_secrets

        for word in args:
            refuse_secrets(word, "command line")
        # A seed that was not quoted comes as a word for each of its words.
        refuse_secrets(" ".join(word for word in args if word.isalpha()), "command line")
        return super().parse_args(ctx, args)
