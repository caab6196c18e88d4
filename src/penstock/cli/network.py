"""`penstock clear`: a network of the user's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from penstock.cli.documents import print_json
from penstock.cli.options import JsonOption
from penstock.cli.progress import progress
from penstock.cli.tables import show_rows

__all__ = ["clear"]


def clear(
    network: Annotated[
        Path,
        typer.Argument(metavar="NETWORK", help="A PyPSA network: netCDF, HDF5, or a folder of CSV tables."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Where it goes, replacing a file. Default: a new <network>-cleared.nc."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME", help="What solves it: auto, kernel or highs.")
    ] = "auto",
    gap: Annotated[
        float, typer.Option(metavar="SHARE", help="How far from the best it may be. [above 0, to 1]")
    ] = 1e-6,
    as_json: JsonOption = False,
) -> None:
    """Clear a PyPSA network and write it with its results; the file that is read stays as it is."""
    started = time.perf_counter()
    with progress() as report_step:
        from penstock.market.pypsa_files import clear_file, figures

        clearing, target = clear_file(network, output, engine=engine, gap=gap, progress=report_step)
    found = figures(clearing) | {"seconds": time.perf_counter() - started, "file": str(target)}
    if as_json:
        print_json(found)
        return
    from penstock.report.cleared import rows

    show_rows(f"{network.name}, {found['hours']} hours", rows(found))
    print(f"network  {target}")
