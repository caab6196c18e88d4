"""Checks across the tables of a country.

A check is made only on values that could be read: what hangs on a faulty cell is left for the next run, so
that one slip in `zones` does not appear as a hundred faults elsewhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from penstock.country.faults import FaultList, choices_hint, shown
from penstock.country.read import ReadRow, ReadTable, Value
from penstock.country.row_checks import add_fault, check_rows
from penstock.country.schema import REQUIRED_FIELDS, REQUIRED_PARAMETERS, RequiredParameter

__all__ = ["SHARE_TOLERANCE", "CountryFacts", "check_tables"]

SHARE_TOLERANCE = 1e-6
MONTHS = range(1, 13)
HOURS = range(24)
_YEARS = (1990, 2100)
_OFFSETS = (-12, 14)
_NEED_ROWS = ("zones", "plants")
_SEASONS = ("summer", "winter")

Tables = Mapping[str, ReadTable]


@dataclass(frozen=True, slots=True)
class CountryFacts:
    """The rows of country.csv; None for one that is missing or faulty."""

    name: str | None = None
    iso3: str | None = None
    currency: str | None = None
    year: int | None = None
    utc_offset_hours: int | None = None


def check_tables(tables: Tables, faults: FaultList) -> CountryFacts:
    """Adds every fault across the tables, and returns what country.csv says."""
    for name in _NEED_ROWS:
        if tables[name].complete and not tables[name].rows:
            problem = f"the table has no rows; it holds: {tables[name].schema.description}"
            add_fault(faults, tables[name], "no rows", None, None, problem, "add at least one row")
    _references(tables, faults)
    facts = _facts(tables, faults)
    _parameters(tables["parameters"], faults)
    _technologies(tables["technologies"], faults)
    _pools(tables, faults)
    _demand_shares(tables["zones"], faults)
    _shares(tables["consumer_classes"], "sales_share", faults)
    _shares(tables["programme_sites"], "share", faults)
    _plants(tables, faults)
    _contracts(tables, faults)
    _capacity_payments(tables, faults)
    check_rows(tables, faults)
    _monthly_demand(tables, faults)
    _demand_shapes(tables, faults)
    _hydro_shapes(tables, faults)
    _wind_shapes(tables, faults)
    _temperatures(tables, faults)
    _monthly_generation(tables, faults)
    return facts


def _texts(values: Iterable[Value]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def _numbers(values: Iterable[Value]) -> list[float]:
    return [float(value) for value in values if isinstance(value, (int, float))]


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)


def _references(tables: Tables, faults: FaultList) -> None:
    for table in tables.values():
        for column in table.schema.columns:
            if column.references is None:
                continue
            target, target_column = column.references
            if not tables[target].sound(target_column):
                continue
            choices = dict.fromkeys(_texts(tables[target].column(target_column)))
            for row in table.rows_with(column.name):
                value = row.values[column.name]
                if isinstance(value, str) and value not in choices:
                    problem = f"there is no such row in {target}.csv, column {target_column}"
                    hint = choices_hint(value, choices, target_column)
                    add_fault(faults, table, "unknown reference", row, column.name, problem, hint)


def _facts(tables: Tables, faults: FaultList) -> CountryFacts:
    table = tables["country"]
    rows = {str(row.values["field"]): row for row in table.rows_with("field")}
    if table.sound("field"):
        for name in (name for name in REQUIRED_FIELDS if name not in rows):
            problem, mend = f"the row {name} is missing", f"add a row with field {name} and its value"
            add_fault(faults, table, "missing field", None, "field", problem, mend)
    known = {name: row for name, row in rows.items() if "value" in row.values}

    def text(name: str) -> str | None:
        return str(known[name].values["value"]) if name in known else None

    def code(name: str, example: str) -> str | None:
        value = text(name)
        if value is None or re.fullmatch("[A-Z]{3}", value):
            return value
        problem = f"{name} must be three capital letters, like {example}"
        mend = f"write the three letters of {name}"
        add_fault(faults, table, "not a code", known[name], "value", problem, mend)
        return None

    def whole(name: str, limits: tuple[int, int], unit: str) -> int | None:
        value = text(name)
        if value is None:
            return None
        if re.fullmatch("[+-]?[0-9]{1,4}", value) and limits[0] <= int(value) <= limits[1]:
            return int(value)
        problem = f"{name} must be a whole number from {limits[0]} to {limits[1]} [{unit}]"
        mend = "write a whole number within the limits"
        add_fault(faults, table, "out of limits", known[name], "value", problem, mend)
        return None

    zones = tables["zones"]
    pool = text("generation_pool")
    if pool is not None and zones.sound("pool") and pool not in zones.column("pool"):
        hint = choices_hint(pool, _texts(zones.column("pool")), "pool")
        add_fault(
            faults, table, "unknown pool", known["generation_pool"], "value", "no zone has this pool", hint
        )
    return CountryFacts(
        name=text("name"),
        iso3=code("iso3", "SLV"),
        currency=code("currency", "USD"),
        year=whole("year", _YEARS, "year"),
        utc_offset_hours=whole("utc_offset_hours", _OFFSETS, "h"),
    )


def _parameters(table: ReadTable, faults: FaultList) -> None:
    rows = {row.values["parameter"]: row for row in table.rows_with("parameter")}
    for needed in REQUIRED_PARAMETERS:
        row = rows.get(needed.name)
        if row is None:
            if table.sound("parameter"):
                problem = f"the parameter {needed.name} [{needed.unit}] is missing: {needed.description}"
                mend = f"add a row for {needed.name} with its value, unit and source"
                add_fault(faults, table, "missing parameter", None, "parameter", problem, mend)
            continue
        value = row.values.get("value")
        limit = _broken_limit(needed, value) if isinstance(value, float) else None
        if limit is not None:
            problem = f"{needed.name} must be {limit} [{needed.unit}]"
            add_fault(faults, table, "out of limits", row, "value", problem, "correct it; check its unit")


def _broken_limit(needed: RequiredParameter, value: float) -> str | None:
    if needed.above is not None and value <= needed.above:
        return f"greater than {needed.above:g}"
    if needed.minimum is not None and value < needed.minimum:
        return f"at least {needed.minimum:g}"
    if needed.maximum is not None and value > needed.maximum:
        return f"at most {needed.maximum:g}"
    return None


def _technologies(table: ReadTable, faults: FaultList) -> None:
    for row in table.rows_with("attribute", "value"):
        attribute, value = str(row.values["attribute"]), row.values["value"]
        # What is not a share of something carries its unit in its name.
        if not attribute.endswith(("_usd_per_mwh", "_h", "_mw")) and isinstance(value, float) and value > 1.0:
            problem = f"{attribute} is above the maximum of 1 [1]"
            add_fault(faults, table, "above maximum", row, "value", problem, "write a share: 0.05 for 5 %")


def _pools(tables: Tables, faults: FaultList) -> None:
    zones = tables["zones"]
    if not zones.sound("pool"):
        return
    pools = dict.fromkeys(_texts(zones.column("pool")))
    for table in tables.values():
        if table is zones or "pool" not in table.schema.names:
            continue
        for row in table.rows_with("pool"):
            if row.values["pool"] is not None and row.values["pool"] not in pools:
                hint = choices_hint(str(row.values["pool"]), pools, "pool")
                add_fault(faults, table, "unknown pool", row, "pool", "no zone has this pool", hint)


def _demand_shares(zones: ReadTable, faults: FaultList) -> None:
    if not zones.sound("pool", "demand_share"):
        return
    for pool in dict.fromkeys(zones.column("pool")):
        rows = [row for row in zones.rows if row.values["pool"] == pool]
        total = math.fsum(_numbers(row.values["demand_share"] for row in rows))
        _sums_to_one(zones, "demand_share", total, f"pool {pool}", rows, faults)


def _shares(table: ReadTable, column: str, faults: FaultList) -> None:
    if table.sound(column):
        total = math.fsum(_numbers(table.column(column)))
        _sums_to_one(table, column, total, "all rows", table.rows, faults)


def _sums_to_one(
    table: ReadTable, column: str, total: float, what: str, rows: Iterable[ReadRow], faults: FaultList
) -> None:
    if abs(total - 1.0) > SHARE_TOLERANCE:
        lines = _listed(row.line for row in rows) or "none"
        problem = f"{column} of {what} sums to {total:.9g}, not to 1 within {SHARE_TOLERANCE:g} [1]"
        mend = f"correct the shares (rows {lines}) so that they sum to 1"
        add_fault(faults, table, "sum", None, column, problem, mend)


def _plants(tables: Tables, faults: FaultList) -> None:
    plants, excluded = tables["plants"], tables["excluded_plants"]
    lines = {row.values["plant"]: row.line for row in excluded.rows_with("plant")}
    for row in plants.rows_with("plant"):
        if row.values["plant"] in lines:
            problem = f"the plant is also in {excluded.schema.file}, row {lines[row.values['plant']]}"
            mend = "keep it in one of the two tables"
            add_fault(faults, plants, "excluded plant", row, "plant", problem, mend)
    for row in plants.rows_with("first_month", "last_month"):
        first, last = _numbers((row.values["first_month"], row.values["last_month"]))
        if first > last:
            problem = f"is after last_month, which is {last:g} [month]"
            add_fault(faults, plants, "months", row, "first_month", problem, "give first_month <= last_month")


def _split(
    faults: FaultList, table: ReadTable, row: ReadRow, column: str, known: ReadTable, key: str
) -> None:
    """Checks a cell that lists keys of another table, separated by spaces."""
    listed = str(row.values[column]).split()
    for name in dict.fromkeys(listed):
        if listed.count(name) > 1:
            problem = f"{name} stands {listed.count(name)} times in the list"
            add_fault(faults, table, "repeated in list", row, column, problem, "name each once")
        if known.sound(key) and name not in known.column(key):
            problem = f"there is no {key} {shown(name)!r} in {known.schema.file}"
            hint = choices_hint(name, _texts(known.column(key)), key)
            add_fault(faults, table, "unknown reference", row, column, problem, hint)


def _contracts(tables: Tables, faults: FaultList) -> None:
    contracts = tables["contracts"]
    for row in contracts.rows_with("plants"):
        _split(faults, contracts, row, "plants", tables["plants"], "plant")
    for row in contracts.rows_with("minimum_share", "minimum_gwh", "maximum_gwh"):
        share, least, most = (row.values[name] for name in ("minimum_share", "minimum_gwh", "maximum_gwh"))
        if share is None and least is None and most is None:
            problem = "the contract has no limit: minimum_share, minimum_gwh and maximum_gwh are all blank"
            mend = "fill in at least one of them"
            add_fault(faults, contracts, "no limit", row, "minimum_share", problem, mend)
        if share is not None and least is not None:
            problem = f"both minimum_share ({row.cells['minimum_share']}) and minimum_gwh are given"
            add_fault(
                faults, contracts, "two minima", row, "minimum_gwh", problem, "leave one of the two blank"
            )
        if isinstance(least, float) and isinstance(most, float) and least > most:
            problem = f"is above maximum_gwh, which is {row.cells['maximum_gwh']} [GWh]"
            mend = "give minimum_gwh <= maximum_gwh"
            add_fault(faults, contracts, "minimum above maximum", row, "minimum_gwh", problem, mend)


def _capacity_payments(tables: Tables, faults: FaultList) -> None:
    payments = tables["capacity_payments"]
    for row in payments.rows_with("fuels"):
        _split(faults, payments, row, "fuels", tables["fuels"], "fuel")


def _known_pools(tables: Tables) -> list[str]:
    zones = tables["zones"]
    return list(dict.fromkeys(_texts(zones.column("pool")))) if zones.sound("pool") else []


def _monthly_demand(tables: Tables, faults: FaultList) -> None:
    demand = tables["monthly_demand"]
    if not demand.sound("pool", "month"):
        return
    there = set(zip(demand.column("pool"), demand.column("month"), strict=True))
    for pool in _known_pools(tables):
        missing = [month for month in MONTHS if (pool, month) not in there]
        if missing:
            problem = f"pool {pool} lacks the months {_listed(missing)}"
            add_fault(faults, demand, "missing months", None, "month", problem, "add a row for each of them")


def _demand_shapes(tables: Tables, faults: FaultList) -> None:
    shapes, demand = tables["demand_shapes"], tables["monthly_demand"]
    if not shapes.sound("pool", "season", "hour"):
        return
    there = set(zip(*(shapes.column(name) for name in ("pool", "season", "hour")), strict=True))
    in_table = set(shapes.column("season"))
    for pool in _known_pools(tables):
        # A winter_share of 1 gives summer no weight, one of 0 gives winter none.
        seasons = in_table | {
            season
            for row in demand.rows_with("pool", "winter_share")
            if row.values["pool"] == pool
            for season, weight in zip(_SEASONS, (1, 0), strict=True)
            if row.values["winter_share"] != weight
        }
        for season in (season for season in _SEASONS if season in seasons):
            missing = [hour for hour in HOURS if (pool, season, hour) not in there]
            if missing:
                problem = f"pool {pool}, season {season} lacks the hours {_listed(missing)}"
                add_fault(faults, shapes, "missing hours", None, "hour", problem, "add a row for each")


def _profiles(tables: Tables) -> dict[Value, Value]:
    return {row.values["fuel"]: row.values["profile"] for row in tables["fuels"].rows_with("fuel", "profile")}


def _hydro_shapes(tables: Tables, faults: FaultList) -> None:
    plants, shapes, profiles = tables["plants"], tables["hydro_shapes"], _profiles(tables)
    used: dict[str, ReadRow] = {}
    for row in plants.rows_with("fuel", "hydro_shape"):
        profile, shape = profiles.get(row.values["fuel"]), row.values["hydro_shape"]
        if profile == "hydro" and shape is None:
            problem = "is blank, but the plant's fuel has the profile hydro"
            mend = "name a shape of hydro_shapes.csv"
            add_fault(faults, plants, "hydro shape", row, "hydro_shape", problem, mend)
        elif profile not in (None, "hydro") and shape is not None:
            problem = f"only hydro plants have a shape; the plant's fuel has the profile {profile}"
            add_fault(faults, plants, "hydro shape", row, "hydro_shape", problem, "leave it blank")
        elif isinstance(shape, str):
            used.setdefault(shape, row)
    if not shapes.sound("shape", "month"):
        return
    there = set(zip(shapes.column("shape"), shapes.column("month"), strict=True))
    for shape, row in used.items():
        missing = [month for month in MONTHS if (shape, month) not in there]
        if len(missing) == len(MONTHS):
            hint = choices_hint(shape, _texts(shapes.column("shape")), "shape")
            problem = "there is no such shape in hydro_shapes.csv"
            add_fault(faults, plants, "unknown reference", row, "hydro_shape", problem, hint)
        elif missing:
            problem = f"shape {shape} lacks the months {_listed(missing)}"
            add_fault(faults, shapes, "missing months", None, "month", problem, "add a row for each of them")


def _wind_shapes(tables: Tables, faults: FaultList) -> None:
    plants, shapes, profiles = tables["plants"], tables["wind_shapes"], _profiles(tables)
    blowing = any(profiles.get(row.values["fuel"]) == "wind" for row in plants.rows_with("fuel"))
    if not blowing or not shapes.sound("month", "hour"):
        return
    there = set(zip(shapes.column("month"), shapes.column("hour"), strict=True))
    missing = [(month, hour) for month in MONTHS for hour in HOURS if (month, hour) not in there]
    if missing:
        months = dict.fromkeys(month for month, _ in missing)
        problem = f"there are wind plants, and {len(missing)} hours are missing, in months {_listed(months)}"
        mend = "add a row for each of the 24 hours of each month"
        add_fault(faults, shapes, "missing hours", None, "hour", problem, mend)


def _temperatures(tables: Tables, faults: FaultList) -> None:
    """No temperatures at all, or the 12 months of every zone of the country; minima never above maxima."""
    table, zones = tables["temperatures"], tables["zones"]
    for row in table.rows_with("mean_minimum_c", "mean_maximum_c"):
        low, high = _numbers((row.values["mean_minimum_c"], row.values["mean_maximum_c"]))
        if low > high:
            problem = f"is above mean_maximum_c, which is {high:g} [deg C]"
            add_fault(faults, table, "temperatures", row, "mean_minimum_c", problem, "correct one of the two")
    if not table.rows or not table.sound("zone", "month") or not zones.sound("zone"):
        return
    there = set(zip(table.column("zone"), table.column("month"), strict=True))
    home = [row.values["zone"] for row in zones.rows_with("zone", "external") if not row.values["external"]]
    for zone in _texts(home):
        missing = [month for month in MONTHS if (zone, month) not in there]
        if missing:
            problem = f"zone {zone} lacks the months {_listed(missing)}"
            add_fault(faults, table, "missing months", None, "month", problem, "add a row for each of them")


def _monthly_generation(tables: Tables, faults: FaultList) -> None:
    generation, profiles = tables["monthly_generation"], _profiles(tables)
    if not generation.sound("pool", "month", "fuel"):
        return
    there = set(zip(*(generation.column(name) for name in ("pool", "fuel", "month")), strict=True))
    spread = dict.fromkeys(
        (row.values["pool"], row.values["fuel"])
        for row in tables["plants"].rows_with("pool", "fuel")
        if profiles.get(row.values["fuel"]) not in (None, "dispatched")
    )
    for pool, fuel in spread:
        missing = [month for month in MONTHS if (pool, fuel, month) not in there]
        if missing:
            problem = f"fuel {fuel} of pool {pool} lacks the months {_listed(missing)}"
            mend = f"add their published energy: the profile {profiles[fuel]} spreads it over the hours"
            add_fault(faults, generation, "missing months", None, "month", problem, mend)
