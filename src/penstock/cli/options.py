"""Arguments and options that several commands take."""

from __future__ import annotations

import math
from typing import Annotated

import typer

__all__ = ["CountryArgument", "JsonOption", "MwOption", "ShareOption", "TariffOption", "finite"]

CountryArgument = Annotated[
    str, typer.Argument(metavar="COUNTRY_OR_FOLDER", help="A country that ships, or a folder of tables.")
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document; all else goes to standard error."),
]


def finite(value: float | None) -> float | None:
    """The value of an option as it is. Raises BadParameter where it is NaN or an infinity."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a finite number")
    return value


TariffOption = Annotated[
    float | None,
    typer.Option(
        metavar="PRICE",
        callback=finite,
        help="Tariff of the programme. [the country's currency per kWh]",
    ),
]
MwOption = Annotated[
    float | None, typer.Option(metavar="MW", callback=finite, help="Size of the programme. [MW]")
]
ShareOption = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        callback=finite,
        help="Part of the programme that mines; the rest computes. [0 to 1]",
    ),
]
