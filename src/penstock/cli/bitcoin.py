"""`penstock bitcoin`: hashprice, break-even, retarget and the effect of a fleet of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from penstock.cli.documents import print_json
from penstock.cli.options import JsonOption
from penstock.cli.paths import paths
from penstock.cli.refusals import (
    check_number,
    exactly_one,
    gather,
    read_bits,
    read_choice,
    read_named,
    read_time,
    refused,
)
from penstock.cli.tables import console, show_rows, show_titled, table
from penstock.errors import Fault

if TYPE_CHECKING:
    from penstock.bitcoin.history import Hashprice
    from penstock.bitcoin.machines import Machine
    from penstock.bitcoin.year_mean import YearMean

__all__ = ["bitcoin"]

HASHPRICE_UNIT = "USD/(PH/s·day)"
KWH_PER_MWH = 1000.0
SATOSHI_PER_BTC = 1e8
EASIEST_BITS = 0x1D00FFFF
# Far beyond all machines, prices and fleets, so that no figure that follows is beyond a float.
EFFICIENCY_LIMITS = (1e-3, 1e15)
HASHPRICE_LIMITS = (0.0, 1e12)
FLEET_LIMITS = (1e-6, 50_000.0)  # the most of a programme: above it, a unit is wrong [MW]
SHARE_LIMITS = (0.0, 1.0)
NEWEST = " (the newest day on record)"
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WORTH = ("efficiency_j_per_th", "break_even_usd_per_mwh", "break_even_usd_per_kwh")
# Key in the document, figure of the effect, label, unit, factor for display.
EFFECTS = (
    ("hashprice_after_usd_per_ph_day", "hashprice_after", "Hashprice with it", HASHPRICE_UNIT, 1.0),
    ("fall_share", "fall", "Fall of the hashprice", "%", 100.0),
    ("share_of_network", "share", "The fleet's share of the network", "%", 100.0),
    ("others_left_ehs", "others_left_ehs", "Other miners who stop", "EH/s", 1.0),
    ("income_lost_usd_per_day", "income_lost_usd_per_day", "Income lost by the fall", "M USD/day", 1e-6),
)
#: Option of what the rooms below call by another name.
PLACES = {
    "basis": "--basis",
    "bits": "--bits",
    "date": "--date",
    "efficiency_j_per_th": "--efficiency",
    "first_block_time": "--first",
    "last_block_time": "--last",
    "mw": "--mw",
    "overhead_share": "--overhead",
    "year": "--year",
}

bitcoin = typer.Typer(
    name="bitcoin",
    help="What the Bitcoin network pays, and what it asks.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DateOption = Annotated[
    str | None,
    typer.Option(
        metavar="DAY",
        help="Day on record, written as 2026-09-25. Default: the newest, that of the latest snapshot.",
    ),
]
BasisOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Whose reward counts: of 144 blocks (blocks, the default), difficulty, or observed.",
    ),
]
MachineOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A machine of the catalogue, as s21 or 'Antminer S21'; without it, all current ones.",
    ),
]
OverheadOption = Annotated[
    float,
    typer.Option(metavar="SHARE", help="Cooling and auxiliaries over the machines' power. [0 to 1]"),
]
PoolFeeOption = Annotated[
    float, typer.Option(metavar="SHARE", help="Part of the income that the pool keeps. [0 to 1]")
]


@bitcoin.command()
def hashprice(
    date: DateOption = None,
    year: Annotated[
        int | None,
        typer.Option(metavar="YEAR", help="Instead of a day: mean of the year's days whose fees are known."),
    ] = None,
    basis: BasisOption = None,
    as_json: JsonOption = False,
) -> None:
    """What 1 PH/s of machines earns in a day: subsidies and fees."""
    faults: list[Fault] = []
    newest = date is None and year is None
    if not newest:
        exactly_one(faults, {"--date": date, "--year": year})
    about: dict[str, Any] = {}
    found: YearMean | Hashprice | None = None
    if newest or date is not None:
        dated = found = _hashprice_on(faults, date, basis)
        about = {} if dated is None else _of_day(dated)
    if year is not None:
        _no_basis(faults, None if date else basis, "a year is the mean of its days as observed")
        from penstock.bitcoin.year_mean import mean_hashprice

        mean = found = gather(faults, PLACES, lambda: mean_hashprice(year))
        if mean is not None:
            months = _months_of(year)
            about = {"year": year, "days": mean.days, "months": months, "basis": "observed"}
    if faults or found is None:
        raise refused(faults)
    document = about | {
        "hashprice_usd_per_ph_day": found.usd_per_ph_day,
        "price_usd": found.price_usd,
        "hashrate_ehs": found.hashrate_ehs,
        "difficulty": found.difficulty,
        "reward_satoshi_per_day": found.reward_satoshi_per_day,
    }
    if as_json:
        print_json(document)
    else:
        _show_hashprice(document, newest)


@bitcoin.command()
def breakeven(
    machine: MachineOption = None,
    efficiency: Annotated[
        float | None, typer.Option(metavar="J_PER_TH", help="Efficiency, instead of a machine. [J/TH]")
    ] = None,
    date: DateOption = None,
    hashprice: Annotated[
        float | None,
        typer.Option(metavar="PRICE", help="Hashprice, instead of a day. [USD per PH/s and day]"),
    ] = None,
    overhead: OverheadOption = 0.0,
    pool_fee: PoolFeeOption = 0.0,
    basis: BasisOption = None,
    as_json: JsonOption = False,
) -> None:
    """Price of energy at which mining earns nothing; the machines are taken as bought."""
    from penstock.bitcoin.machines import load_machines
    from penstock.loads.mining import break_even_usd_per_mwh

    faults: list[Fault] = []
    catalogue = load_machines()
    if machine is not None:
        models = {model.id: model.model for model in catalogue.values()}
        machine = read_named(faults, "--machine", machine, models)
        if efficiency is not None:
            exactly_one(faults, {"--machine": machine, "--efficiency": efficiency})
    check_number(faults, "--efficiency", efficiency, "J/TH", *EFFICIENCY_LIMITS)
    check_number(faults, "--hashprice", hashprice, HASHPRICE_UNIT, *HASHPRICE_LIMITS)
    check_number(faults, "--overhead", overhead, "1", *SHARE_LIMITS)
    check_number(faults, "--pool-fee", pool_fee, "1", *SHARE_LIMITS)
    if date is not None:
        exactly_one(faults, {"--date": date, "--hashprice": hashprice})
    # Of both, the day is read too, so that its faults are named at once.
    by_day = date is not None or hashprice is None
    dated = _hashprice_on(faults, date, basis) if by_day else None
    if not by_day:
        _no_basis(faults, basis, "it belongs to --date")
    paid = hashprice if dated is None else dated.usd_per_ph_day
    if faults or paid is None:
        raise refused(faults)

    def worth(joules: float) -> dict[str, float]:
        usd = break_even_usd_per_mwh(paid, joules, overhead_share=overhead, pool_fee_share=pool_fee)
        return dict(zip(WORTH, (joules, usd, usd / KWH_PER_MWH), strict=True))

    taken = {"hashprice_usd_per_ph_day": paid, "overhead_share": overhead, "pool_fee_share": pool_fee}
    document: dict[str, Any] = taken | ({} if dated is None else _of_day(dated))
    if efficiency is not None:
        document |= worth(efficiency)
    elif machine is not None:
        document |= _named(catalogue[machine]) | worth(catalogue[machine].efficiency_j_per_th)
    else:
        document["machines"] = [
            _named(model) | worth(model.efficiency_j_per_th) for model in catalogue.values() if _sold(model)
        ]
    if as_json:
        print_json(document)
    else:
        _show_break_even(document, newest=date is None)


@bitcoin.command()
def retarget(
    bits: Annotated[
        str, typer.Option(metavar="BITS", help="Compact bits of the epoch that ends, 0x1d00ffff.")
    ],
    first: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Time of its first block: seconds since 1970, or ISO 8601 (UTC without a zone).",
        ),
    ],
    last: Annotated[str, typer.Option(metavar="TIME", help="Time of its last block.")],
    as_json: JsonOption = False,
) -> None:
    """Bits and difficulty of the epoch that follows."""
    from penstock.bitcoin import retarget as rule

    faults: list[Fault] = []
    compact = read_bits(faults, "--bits", bits)
    begin, end = read_time(faults, "--first", first), read_time(faults, "--last", last)
    # What could not be read has a stand-in without faults, so that the rest is looked at all the same.
    found = gather(
        faults,
        PLACES,
        lambda: rule.retarget(
            EASIEST_BITS if compact is None else compact,
            (end or 0) if begin is None else begin,
            (begin or 0) if end is None else end,
        ),
    )
    if faults or found is None:
        raise refused(faults)
    document = {
        "bits": f"{found.bits:#010x}",
        "next_bits": f"{found.next_bits:#010x}",
        "target": f"{found.target:#066x}",
        "next_target": f"{found.next_target:#066x}",
        "difficulty": found.difficulty,
        "next_difficulty": found.next_difficulty,
        "change_percent": 100.0 * found.change_share,
        "timespan_seconds": found.timespan_seconds,
        "counted_seconds": found.counted_seconds,
        "clamped": found.clamped,
    }
    if as_json:
        print_json(document)
    else:
        _show_retarget(document)


@bitcoin.command("own-effect")
def own_effect(
    mw: Annotated[
        float, typer.Option(metavar="MW", help="Power of the fleet at the meter, its overhead included. [MW]")
    ],
    efficiency: Annotated[float, typer.Option(metavar="J_PER_TH", help="Efficiency of its machines. [J/TH]")],
    date: DateOption = None,
    overhead: OverheadOption = 0.0,
    basis: BasisOption = None,
    as_json: JsonOption = False,
) -> None:
    """How far a fleet that always runs would lower the hashprice, once the other miners have answered."""
    from penstock.bitcoin.effect_on_date import own_effect_on

    faults: list[Fault] = []
    check_number(faults, "--mw", mw, "MW", *FLEET_LIMITS)
    check_number(faults, "--efficiency", efficiency, "J/TH", *EFFICIENCY_LIMITS)
    check_number(faults, "--overhead", overhead, "1", *SHARE_LIMITS)
    dated = _hashprice_on(faults, date, basis)
    if faults or dated is None:
        raise refused(faults)
    found = gather(
        faults,
        PLACES | {"year": "--date"},
        lambda: own_effect_on(
            dated.date.isoformat(), mw, efficiency, overhead_share=overhead, basis=dated.basis
        ),
    )
    if found is None:
        raise refused(faults)
    document = _of_day(dated) | {
        "mw": mw,
        "efficiency_j_per_th": efficiency,
        "overhead_share": overhead,
        "own_ehs": found.own_ehs,
        "hashprice_before_usd_per_ph_day": found.hashprice.usd_per_ph_day,
        "hashprice_without_response_usd_per_ph_day": found.central.hashprice_without_response,
        **{key: asdict(found.ranged(attrgetter(name))) for key, name, _, _, _ in EFFECTS},
    }
    if as_json:
        print_json(document)
    else:
        _show_own_effect(document, newest=date is None)


bitcoin.command()(paths)


# --- the same for several commands -----------------------------------------------------------------------


def _hashprice_on(faults: list[Fault], date: str | None, basis: str | None) -> Hashprice | None:
    """Hashprice of a day; of the latest snapshot where none is given."""
    from penstock.bitcoin.history import BASES, hashprice_on, snapshots

    chosen = BASES[0] if basis is None else read_choice(faults, "--basis", basis, BASES)
    return gather(faults, PLACES, lambda: hashprice_on(max(snapshots()) if date is None else date, chosen))


def _no_basis(faults: list[Fault], basis: str | None, why: str) -> None:
    if basis is not None:
        faults.append(Fault("--basis", f"has no meaning here: {why}", "leave it out", value=basis))


def _of_day(found: Hashprice) -> dict[str, Any]:
    return {"date": found.date.isoformat(), "basis": found.basis}


def _months_of(year: int) -> list[int]:
    """Months, 1 to 12, of the days that count in the mean of a year."""
    from penstock.bitcoin.history import load_history

    record = load_history()
    months = record.date[record.fees_known].astype("datetime64[M]").astype(int)
    return sorted({int(month) % 12 + 1 for month in months if int(month) // 12 + 1970 == year})


def _named(machine: Machine) -> dict[str, Any]:
    return {"id": machine.id, "model": machine.model}


def _sold(machine: Machine) -> bool:
    return (machine.segment, machine.status) == ("industrial", "current")


# --- shown as text ---------------------------------------------------------------------------------------


def _dated(document: Mapping[str, Any], newest: bool) -> str:
    """The day of a figure and its basis. newest: whether the day was taken because none was given."""
    return f"{document['date']}{NEWEST if newest else ''}, basis: {document['basis']}"


def _of_year(document: Mapping[str, Any]) -> str:
    """A year and its days; with the months that they are in, where those are not all."""
    year, days, months = document["year"], document["days"], document["months"]
    count = f"{days} day{'' if days == 1 else 's'}"
    if len(months) == len(MONTHS):
        return f"{year}: mean of {count} as observed"
    spans: list[list[int]] = []
    for month in months:
        if spans and month == spans[-1][-1] + 1:
            spans[-1].append(month)
        else:
            spans.append([month])
    named = (" to ".join(MONTHS[at - 1] for at in dict.fromkeys((span[0], span[-1]))) for span in spans)
    return f"{year}, {count} in {', '.join(named)} only: mean as observed"


def _show_hashprice(document: Mapping[str, Any], newest: bool) -> None:
    from penstock.report.formats import number

    title = f"Hashprice of {_of_year(document) if 'year' in document else _dated(document, newest)}"
    show_rows(
        title,
        (
            ("Hashprice", HASHPRICE_UNIT, number(document["hashprice_usd_per_ph_day"], 2)),
            ("Price of a bitcoin", "USD", number(document["price_usd"], 0)),
            ("Hashrate", "EH/s", number(document["hashrate_ehs"], 1)),
            ("Difficulty", "T", number(document["difficulty"] / 1e12, 2)),
            ("Reward", "BTC/day", number(document["reward_satoshi_per_day"] / SATOSHI_PER_BTC, 2)),
        ),
    )


def _show_break_even(document: Mapping[str, Any], newest: bool) -> None:
    from rich.text import Text

    from penstock.report.formats import number

    taken = ", ".join(
        (
            f"hashprice {number(document['hashprice_usd_per_ph_day'], 2)} {HASHPRICE_UNIT}",
            f"overhead {number(100.0 * document['overhead_share'], 1)} %",
            f"pool fee {number(100.0 * document['pool_fee_share'], 1)} %",
        )
    )
    shown = table("Break-even price of energy", ("machine", "J/TH", "USD/MWh", "USD/kWh"))
    for row in document.get("machines", [document]):
        efficiency, per_mwh, per_kwh = (
            number(row[key], decimals) for key, decimals in zip(WORTH, (1, 1, 4), strict=True)
        )
        name = f"{row['model']} ({row['id']})" if "id" in row else "as given"
        shown.add_row(*(Text(cell) for cell in (name, efficiency, per_mwh, per_kwh)))
    console().print(shown)
    dated = f" of {_dated(document, newest)}" if "date" in document else ""
    console().print(Text(f"At {taken.replace(HASHPRICE_UNIT, HASHPRICE_UNIT + dated, 1)}."), soft_wrap=True)


def _show_retarget(document: Mapping[str, Any]) -> None:
    from penstock.report.formats import number, signed

    note = " (beyond the rule's limits)" if document["clamped"] else ""
    show_rows(
        "Retarget",
        (
            ("Bits, old", "", document["bits"]),
            ("Bits, new", "", document["next_bits"]),
            ("Target, old", "", document["target"]),
            ("Target, new", "", document["next_target"]),
            ("Difficulty, old", "", number(document["difficulty"], 2)),
            ("Difficulty, new", "", number(document["next_difficulty"], 2)),
            ("Change", "%", signed(document["change_percent"], 2)),
            ("Timespan", "s", number(document["timespan_seconds"]) + note),
            ("Timespan counted", "s", number(document["counted_seconds"])),
        ),
    )


def _show_own_effect(document: Mapping[str, Any], newest: bool) -> None:
    from rich.text import Text

    from penstock.report.formats import number

    title = (
        f"{number(document['own_ehs'], 1)} EH/s of one's own ({number(document['mw'])} MW) "
        f"on {_dated(document, newest)}"
    )
    shown = table("", ("", "unit", "value", "low", "high"))
    before = number(document["hashprice_before_usd_per_ph_day"], 2)
    alone = number(document["hashprice_without_response_usd_per_ph_day"], 2)
    rows: list[tuple[str, ...]] = [
        ("Hashprice without the fleet", HASHPRICE_UNIT, before, "", ""),
        ("Hashprice with it, if no other miner stops", HASHPRICE_UNIT, alone, "", ""),
    ]
    for key, _, label, unit, scale in EFFECTS:
        cells = (number(document[key][end] * scale, 2) for end in ("value", "low", "high"))
        rows.append((label, unit, *cells))
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    show_titled(title, shown)
