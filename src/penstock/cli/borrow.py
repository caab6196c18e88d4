"""`penstock borrow`: a copy of a country's folder with a named piece of another country in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import print_json
from penstock.cli.files import disk_refusals, out_error, publish, staging
from penstock.cli.options import JsonOption
from penstock.cli.tables import console, show_titled, table

if TYPE_CHECKING:
    from penstock.borrow import Borrowed

__all__ = ["borrow"]


def borrow(
    origin: Annotated[
        str, typer.Argument(metavar="FROM", help="Country that lends: one that ships, or a folder of tables.")
    ],
    piece: Annotated[
        str,
        typer.Argument(
            metavar="PIECE",
            help="policy.SUBJECT, policy.CLAUSE, tariff, programme, uptake, or parameters.NAME.",
        ),
    ],
    into: Annotated[
        str,
        typer.Option("--into", metavar="INTO", help="Country that borrows. It is copied, never changed."),
    ],
    scale: Annotated[
        str,
        typer.Option(
            metavar="BY", help="Scale power, energy, coins and sums by: none, gdp, population, fx_reserves."
        ),
    ] = "none",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder to write. Default: out/<INTO>-with-<FROM>-<PIECE>."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put a named piece of one country into a copy of another, with its sources.

    Writes a folder of tables that every command takes. What was taken, from where, how it was scaled and what
    it replaced stands in borrowed.csv, and in the report of the study that is run on the folder.
    """
    from penstock.borrow import borrow as borrow_piece
    from penstock.country import load_country
    from penstock.study.policies import POLICY_FILE, load_policy

    folder = _default_folder(origin, piece, into) if out is None else out
    found = borrow_piece(origin, piece, into, folder_name=folder.resolve().name, scale=scale)
    _refuse_lost_files(folder, found)
    with staging(folder) as staged:
        whole = staged / found.id  # named as it will be: the policy names its country
        whole.mkdir()
        with disk_refusals(folder):
            for name, data in found.files.items():
                (whole / name).write_bytes(data)
        written = load_country(whole)
        if POLICY_FILE in found.files:
            load_policy(whole)
        publish(whole, folder, {name: name for name in found.files})
    if as_json:
        print_json(_document(found, folder, written.content_hash))
    else:
        _show(found, folder)


def _default_folder(origin: str, piece: str, into: str) -> Path:
    from penstock.country.load import country_folder

    names = (country_folder(into).name, "with", country_folder(origin).name, piece)
    return Path("out") / "-".join(name.replace(".", "-").replace("_", "-") for name in names)


def _refuse_lost_files(folder: Path, found: Borrowed) -> None:
    """Refuses a folder that holds anything but an earlier result of this command."""
    if not folder.is_dir():
        return
    there = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".penstock-"))
    if there and "borrowed.csv" not in there:
        raise out_error(folder, f"holds files of something else ({', '.join(there[:3])}), none is replaced")
    if left := [name for name in there if name not in found.files]:
        raise out_error(folder, f"holds files that would stay from before ({', '.join(left[:3])})")


def _document(found: Borrowed, folder: Path, content_hash: str) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "folder": str(folder),
        "id": found.id,
        "content_hash": content_hash,
        "scaling": found.scaling,
        "items": [asdict(item) for item in found.items],
        "files": sorted(found.files),
    }


def _show(found: Borrowed, folder: Path) -> None:
    from rich.text import Text

    shown = table("", ("item", "before", "now", "source"), numbers=False)
    for item in found.items:
        cells = (item.item, item.before or "nothing", item.after, item.source)
        shown.add_row(*(Text(cell) for cell in cells))
    first = found.items[0]
    title = f"Borrowed from {first.from_name} {first.from_year}: {first.piece}. {found.scaling}"
    show_titled(title, shown)
    screen = console()
    if rates := sorted({item.rate for item in found.items} - {1.0}):
        screen.print(Text(f"Money at the countries' own rates: times {rates[0]:g}."), soft_wrap=True)
    screen.print(Text(f"folder  {folder}"), soft_wrap=True)
    screen.print(Text(f"next    penstock run {folder}"), soft_wrap=True)
