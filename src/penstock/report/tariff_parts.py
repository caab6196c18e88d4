"""The tariff's part of a page: the window between floors and ceilings as a chart, and its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cells import Cell, Column, Row, Table, row_of, source_anchors, source_cell, words
from .design_tables import CONSUMERS_NOTE, verdict_cell, year_cells, year_columns
from .formats import ABSENT, label, number
from .plots import Chart, Key, frame, rounded
from .proof_names import (
    BASES,
    LOADS,
    Document,
    and_list,
    clause_name,
    millions_text,
    price,
    price_key,
    size_text,
    whole_share,
)

__all__ = ["tariff_charts", "tariff_tables"]

# Floors in the order of BASES: colour and dash.
_LINES = (("#0072b2", "solid"), ("#a23b00", "dash"), ("#7a3d8f", "dot"))
_BAR, _DOT, _GOOD, _BAD = "#9fb4c7", "#1c2733", "#0b6b3a", "#a23b00"
#: A load whose ceiling starts above this multiple of all else that is drawn is told of, not drawn. [1]
_FAR = 2.0


def _currency(document: Document) -> str:
    return f"{document['country']['currency']}/kWh"


# --- the window as a chart --------------------------------------------------------------------------------


def _ranges(document: Document) -> list[tuple[str, float | None, float | None, float | None]]:
    """Name, low, central and high of what each load can pay."""
    unit = price_key(document)
    found: list[tuple[str, float | None, float | None, float | None]] = [
        (f"{LOADS.get(load, load)}, to run", row["low"], row["central"], row["high"])
        for load, row in document[f"ceiling_{unit}"].items()
    ]
    case = document[f"investor_ceiling_{unit}"]
    if document["programme"]["mining_share"] > 0.0:
        found.append(("miners, to buy machines", case["low"], case["central"], case["high"]))
    return found


def tariff_charts(document: Document) -> list[Chart]:
    """Floors as lines, what each load can pay as bars, the tariffs that were judged as marks."""
    unit = price_key(document)
    floors = [(basis, document[f"floor_{unit}"][basis]) for basis in BASES]
    known = [value for _, value in floors if value is not None]
    tariffs = [row[f"tariff_{unit}"] for row in document["judged"]]
    reach = _FAR * max([*known, *tariffs, 0.0])
    drawn = [row for row in _ranges(document) if row[3] is not None and (row[1] or 0.0) <= reach]
    far = [row for row in _ranges(document) if row[1] is not None and row[1] > reach]
    names = ["tariffs judged", *(name for name, *_ in reversed(drawn))]
    data = [
        _line(value, len(names), *_LINES[place])
        for place, (_, value) in enumerate(floors)
        if value is not None
    ]
    for place, (name, low, middle, high) in enumerate(reversed(drawn), start=1):
        data += _range(document, place, name, low, middle, high)
    data += _judged(document)
    keys = [
        Key(f"{BASES[basis]}: {price(document, value)}", *_LINES[place])
        for place, (basis, value) in enumerate(floors)
        if value is not None
    ]
    keys += [Key("what a load can pay, low to high", _BAR)]
    layout = frame(
        f"{_currency(document)}",
        "",
        hovermode="closest",
        barmode="overlay",
        bargap=0.45,
        xaxis={"tickformat": ",~r", "nticks": 7, "rangemode": "tozero"},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": [label(name).replace(", ", ",<br>") for name in names],
            "range": [-0.6, len(names) - 0.4],
            "zeroline": False,
            "showgrid": False,
        },
        margin={"l": 8},
    )
    alt = "Floors and ceilings of the tariff; the tables of floors and of ceilings hold the same numbers."
    note = "Dark dots: the central case. Green circles: tariffs that pass; orange crosses: refused."
    for name, low, _, high in far:
        note += f" Off the chart: {name}, {price(document, low)} to {price(document, high)}."
    for basis, value in floors:
        if value is None:
            note += f" No line for {BASES[basis]}: no tariff recovers it."
    return [
        Chart(
            "chart-window",
            "From what must be paid to what can be paid",
            _currency(document),
            alt,
            data,
            layout,
            tuple(keys),
            100 + 62 * len(names),
            note=note,
        )
    ]


def _line(value: float, rows: int, colour: str, dash: str) -> dict[str, Any]:
    (at,) = rounded([value], 4)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [at, at],
        "y": [-0.6, rows - 0.4],
        "line": {"color": colour, "width": 2.5, "dash": dash},
        "hovertemplate": "%{x:,.4~f}<extra></extra>",
    }


def _range(
    document: Document, place: int, name: str, low: float | None, middle: float | None, high: float | None
) -> list[dict[str, Any]]:
    start, centre, end = rounded([low or 0.0, middle or 0.0, high or 0.0], 4)
    text = f"{name}: {price(document, low)} to {price(document, high)}, central {price(document, middle)}"
    bar = {
        "type": "scatter",
        "mode": "lines",
        "x": [start, end],
        "y": [place, place],
        "line": {"color": _BAR, "width": 18},
        "hoverinfo": "text",
        "hovertext": label(text, 120),
    }
    dot = {
        "type": "scatter",
        "mode": "markers",
        "x": [centre],
        "y": [place],
        "marker": {"color": _DOT, "size": 11},
        "hoverinfo": "text",
        "hovertext": [label(text, 120)],
    }
    return [bar] if middle is None else [bar, dot]


def _judged(document: Document) -> list[dict[str, Any]]:
    unit = price_key(document)
    found = []
    for verdict, colour, symbol in (("passes", _GOOD, "circle"), ("refused", _BAD, "x")):
        rows = [row for row in document["judged"] if row["verdict"] == verdict]
        if rows:
            found.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": rounded([row[f"tariff_{unit}"] for row in rows], 4),
                    "y": [0] * len(rows),
                    "marker": {"color": colour, "size": 9, "symbol": symbol},
                    "hoverinfo": "text",
                    "hovertext": [
                        label(f"{price(document, row[f'tariff_{unit}'])}: {verdict}. {row['name']}", 120)
                        for row in rows
                    ],
                }
            )
    return found


# --- tables -----------------------------------------------------------------------------------------------


def tariff_tables(document: Document, names: Mapping[str, str]) -> dict[str, Table]:
    """Floors, ceilings, windows, tariffs judged, finer floors and forms of tariff."""
    return {
        "floors": _floors(document),
        "ceilings": _ceilings(document),
        "windows": _windows(document),
        "judged": _judged_table(document, names),
        "finer": _finer(document),
        "forms": _forms(document),
    }


def _floors(document: Document) -> Table:
    rows = []
    for basis, name in BASES.items():
        floor = document["floors"][basis]
        if floor is None:
            rows.append(row_of(name, Cell("no tariff does", tone="bad"), ABSENT, ABSENT))
        else:
            rows.append(
                row_of(
                    name,
                    price(document, floor["tariff_per_kwh"]),
                    price(document, floor["highest_seen_to_fail_per_kwh"]),
                    size_text(floor["energy_gwh"]),
                )
            )
    unit = _currency(document)
    columns = (
        words("What the tariff recovers"),
        Column("Floor", unit),
        Column("Seen to fail", unit),
        Column("Energy at the floor", "GWh"),
    )
    note = "Floor: the lowest tariff that recovers it, with the loads' own answer to that tariff."
    return Table("table-floors", "Floors of the tariff", columns, tuple(rows), note)


def _ceilings(document: Document) -> Table:
    unit = price_key(document)
    keys = ("low", "central", "high", "first_leaves", "last_leaves")
    rows = [
        row_of(f"{LOADS.get(load, load)}, to run", *(price(document, row[key]) for key in keys))
        for load, row in document[f"ceiling_{unit}"].items()
    ]
    if document["programme"]["mining_share"] > 0.0:
        case = document[f"investor_ceiling_{unit}"]
        cases = (
            "none" if case[key] is None else price(document, case[key]) for key in ("low", "central", "high")
        )
        rows.append(row_of("miners, to buy machines today", *cases, ABSENT, ABSENT))
    currency = _currency(document)
    columns = (
        words("Who pays"),
        *(Column(name, currency) for name in ("Low", "Central", "High", "First leaves", "Last leaves")),
    )
    hashprice = document["hashprice_usd_per_ph_day"]
    note = (
        "Miners, to run: what half of their power can pay at the least, mean and greatest hashprice "
        f"({number(hashprice['low'], 1)}, {number(hashprice['central'], 1)} and "
        f"{number(hashprice['high'], 1)} USD/(PH/s·day)). AI centres: gross rent of their machines per kWh, "
        "no price that anybody would sign. "
        "Where it says none, buying machines does not pay even with free power."
    )
    return Table("table-ceilings", "What the loads can pay", columns, tuple(rows), note)


def _windows(document: Document) -> Table:
    unit, currency = price_key(document), _currency(document)
    rows = []
    for row in document["windows"]:
        floor = row[f"floor_{unit}"]
        ceilings = [row[f"{key}_{unit}"] for key in ("ceiling_low", "ceiling", "ceiling_high")]
        rows.append(
            row_of(
                f"{BASES[row['basis']]}: {LOADS.get(row['load'], row['load'])}",
                "no tariff does" if floor is None else price(document, floor),
                *(price(document, ceiling) for ceiling in ceilings),
                _open(floor is not None and floor <= ceilings[0]),
                _open(row["open"]),
            )
        )
    columns = (
        words("Floor and load"),
        Column("Floor", currency),
        *(Column(name, currency) for name in ("Ceiling, low", "central", "high")),
        words("Window at the low"),
        words("at the central"),
    )
    return Table("table-windows", "Windows between floor and ceiling", columns, tuple(rows))


def _open(found: bool) -> Cell:
    return Cell("✓ open", tone="good") if found else Cell("✗ closed", tone="bad")


def _judged_table(document: Document, names: Mapping[str, str]) -> Table:
    unit, currency = price_key(document), _currency(document)
    anchors = source_anchors(dict(document))
    own = document["programme"]["tariff_per_kwh"]
    rows = []
    for row in document["judged"]:
        tariff = row[f"tariff_{unit}"]
        name = row["name"] or ("the programme's own" if tariff == own else "asked for")
        rows.append(
            row_of(
                price(document, tariff),
                name,
                verdict_cell(row["verdict"]),
                and_list(clause_name(ident, names) for ident in row["failed"]) or ABSENT,
                *(price(document, row[f"needs_{unit}"].get(basis)) for basis in BASES),
                *year_cells(document, row),
                source_cell(row["source"], anchors) if row["source"] else ABSENT,
            )
        )
    columns = (
        Column("Tariff", currency),
        words("Who proposed it"),
        words("Verdict"),
        words("Fails"),
        Column("Needs, marginal", currency),
        Column("Needs, full by energy", currency),
        Column("Needs, full by peak", currency),
        *year_columns(document),
        words("Source"),
    )
    return Table("table-judged", "Tariffs judged", columns, tuple(rows), CONSUMERS_NOTE)


def _finer(document: Document) -> Table:
    unit, currency = price_key(document), _currency(document)
    rows = tuple(
        row_of(
            "every month pays for itself" if row["over"] == "month" else "every hour pays for itself",
            price(document, row[f"tariff_{unit}"]),
            whole_share(row["share_of_energy_above_floor"]),
            "; ".join(f"{one['place']}: {price(document, one[f'cost_{unit}'])}" for one in row["binding"]),
        )
        for row in document["finer"]
    )
    columns = (
        words("If"),
        Column("Floor", currency),
        Column("Energy dearer than the year's floor"),
        words("Dearest", currency),
    )
    return Table("table-finer", "The marginal floor by month and by hour", columns, rows)


def _forms(document: Document) -> Table:
    currency = _currency(document)
    code = document["country"]["currency"]
    columns = (
        words("Form"),
        Column("Energy price", currency),
        Column("Charge", f"{code}/kW a month"),
        Column("Energy", "GWh"),
        Column("Paid in all", currency),
        Column("Short of full cost", currency),
        Column("Pays", "M USD"),
        Column("Adds to cost", "M USD"),
        Column("Consumers, pooled", currency),
        Column("Miners keep", "M USD"),
        Column("AI centres keep", "M USD"),
    )
    note = (
        "Short of full cost: capacity by energy, less all that is paid; minus is more than the full cost. "
        "Keep: worth of the energy less payment, before machines are paid; a load that loses does not sign."
    )
    return Table(
        "table-forms",
        "Forms of tariff",
        columns,
        tuple(_form(document, row) for row in document["forms"]),
        note,
    )


def _form(document: Document, row: Document) -> Row:
    def kept(usd: float) -> Cell:
        return Cell(millions_text(usd), tone="bad" if usd < 0.0 else "")

    return row_of(
        row["title"],
        price(document, row["energy_price_per_kwh"]),
        size_text(row["charge_per_kw_month"]),
        size_text(row["energy_gwh"]),
        price(document, row["paid_per_kwh"]),
        price(document, row["full_shortfall_per_kwh"], sign=True),
        millions_text(row["payment_usd"]),
        millions_text(row["added_cost_usd"]),
        price(document, row["consumer_change_per_kwh"], sign=True),
        kept(row["mining_margin_usd"]),
        kept(row["ai_margin_usd"]),
    )
