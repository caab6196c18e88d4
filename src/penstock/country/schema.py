"""The tables of a country, declared once as data in `schema/*.csv`.

The loader, its checks and docs/tables.md all read these declarations. To write docs/tables.md again:

    python -c "from penstock.country.schema import tables_markdown; print(tables_markdown(), end='')"
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

__all__ = [
    "REQUIRED_FIELDS",
    "REQUIRED_PARAMETERS",
    "ColumnSchema",
    "RequiredParameter",
    "TableSchema",
    "schemas_in",
    "table_schemas",
    "tables_markdown",
]


@dataclass(frozen=True, slots=True)
class ColumnSchema:
    """One column of a table.

    type: "text", "number", "integer", "boolean" (yes or no in the file) or "enum".
    choices: the values of an enum, in order; empty for other types.
    unit: unit of the values; "1" for a share or ratio, "see unit" where the row's `unit` cell states it.
    required: "yes", "no", or "assumption" (filled where the row's basis is "assumption").
    minimum, maximum: limits, both allowed values themselves, in `unit`; None for no limit.
    references: (table, column) in which the value must occur; None for none.
    """

    name: str
    type: str
    choices: tuple[str, ...]
    unit: str
    required: str
    key: bool
    minimum: float | None
    maximum: float | None
    references: tuple[str, str] | None
    description: str


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One table: the file `<name>.csv` in a country's folder."""

    name: str
    required: bool
    description: str
    columns: tuple[ColumnSchema, ...]

    @property
    def file(self) -> str:
        """Name of the file in the country's folder."""
        return f"{self.name}.csv"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that together identify a row."""
        return tuple(column.name for column in self.columns if column.key)


@dataclass(frozen=True, slots=True)
class RequiredParameter:
    """A row that `parameters` must have, and its limits in the unit of its value.

    above: the value must be greater than this; minimum, maximum: it may equal these. None for no limit.
    """

    name: str
    unit: str
    description: str
    above: float | None = None
    minimum: float | None = None
    maximum: float | None = None


REQUIRED_PARAMETERS = (
    RequiredParameter("currency_per_usd", "currency/USD", "the one exchange rate used everywhere", above=0.0),
    RequiredParameter("value_of_lost_load_usd_per_mwh", "USD/MWh", "worth of unserved energy", above=0.0),
    RequiredParameter(
        "reserve_margin_share", "1", "capacity held above the load, as its share", minimum=0.0, maximum=1.0
    ),
    RequiredParameter("programme_mw", "MW", "size of the default programme", minimum=0.0, maximum=50_000.0),
    RequiredParameter(
        "programme_mining_share",
        "1",
        "share of the programme's MW for mining, the rest for AI compute",
        minimum=0.0,
        maximum=1.0,
    ),
    RequiredParameter(
        "programme_tariff_per_kwh", "currency/kWh", "what the default programme pays", minimum=0.0
    ),
)

# Rows that country.csv must have; it may have `generation_pool` as well.
REQUIRED_FIELDS = ("name", "iso3", "currency", "year", "utc_offset_hours")


@cache
def table_schemas() -> Mapping[str, TableSchema]:
    """Every table a country's folder may hold, by name, in the order of `schema/tables.csv`."""
    return schemas_in(files("penstock.country") / "schema")


def schemas_in(folder: Traversable) -> Mapping[str, TableSchema]:
    """The tables that a folder of declarations declares, by name, in the order of its `tables.csv`."""
    return MappingProxyType(
        {
            row["table"]: TableSchema(
                name=row["table"],
                required=row["required"] == "yes",
                description=row["description"],
                columns=tuple(_column(declared) for declared in _declarations(folder, row["table"])),
            )
            for row in _declarations(folder, "tables")
        }
    )


def _declarations(folder: Traversable, name: str) -> list[dict[str, str]]:
    text = (folder / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text), strict=True))


def _column(declared: Mapping[str, str]) -> ColumnSchema:
    kind, _, choices = declared["type"].partition(":")
    table, _, column = declared["references"].partition(".")
    return ColumnSchema(
        name=declared["column"],
        type=kind,
        choices=tuple(choices.split("|")) if choices else (),
        unit=declared["unit"],
        required=declared["required"],
        key=declared["key"] == "yes",
        minimum=float(declared["minimum"]) if declared["minimum"] else None,
        maximum=float(declared["maximum"]) if declared["maximum"] else None,
        references=(table, column) if table else None,
        description=declared["description"],
    )


_INTRODUCTION = """\
# Tables of a country

This page is generated from `src/penstock/country/schema/`; change the declarations there, not this page.

A country is a folder of CSV files, one for each table below: UTF-8, comma-separated, with a header. A cell
is blank or holds a value without spaces around it. Numbers are written like `1234.5` or `1.2e-3`, booleans
`yes` or `no`. A file may have the columns in any order; a column that is never required may be left out.
Loading refuses the folder with one error that lists every fault.

Required: **yes**, the cell must be filled; **no**, it may be blank; **assumption**, it must be filled where
the row's `basis` is `assumption`. Limits are inclusive. The columns that form a table's key are marked.
"""

_RULES = """\
## Rules across tables

- `low` is at most `high`, and in a table with a `value` column the value lies between them; the same order
  holds for `loss_low` and `loss_high` and their like.
- `demand_share` in `zones` sums to 1 in each pool; `sales_share` in `consumer_classes` and `share` in
  `programme_sites` sum to 1. All within 1e-6.
- Every `pool` in another table is the pool of a zone; so is the country's `generation_pool` where given.
- Every pool has the 12 months in `monthly_demand`, and the 24 hours in `demand_shapes` of each season that
  the table holds or that a `winter_share` gives weight to.
- A hydro plant (its fuel has the profile `hydro`) names a `hydro_shape` that has the 12 months; others none.
- Where there are wind plants, `wind_shapes` has the 24 hours of each of the 12 months.
- `temperatures` has the 12 months of every zone, or no row; `mean_minimum_c` is at most `mean_maximum_c`.
- A fuel with a profile other than `dispatched` has the 12 months in `monthly_generation` for each pool that
  has plants of it.
- A plant is in `plants` or in `excluded_plants`, never in both; `first_month` is at most `last_month`.
- A corridor joins two different zones.
- A contract names plants of `plants`, each once, and has at least one limit, not both `minimum_share` and
  `minimum_gwh`, and `minimum_gwh` at most `maximum_gwh`. `capacity_payments` names fuels of `fuels`.
- Shares, rates, efficiencies and per-unit outputs in `technologies` are at most 1.
- `as_of` in `rooftop_solar` is written `YYYY-MM`.
- `zones` and `plants` have at least one row.
- `country` has the rows {fields};
  `year` is a whole number from 1990 to 2100, `utc_offset_hours` one from -12 to 14, `iso3` and `currency` are
  three capital letters.
"""

_HOURLY = """\
## Optional: `hourly.csv`

Measured or computed series that replace the made ones. The first column, `hour_utc`, holds the start of each
hour, like `2024-12-31T19:00Z`: 8,760 consecutive whole hours, the first of them 00:00 local time on
1 January of the study year. In a leap year the 24 hours of 29 February, local time, are left out. Every other
column is `demand_mw.<zone>` or `available_mw.<plant>`, in MW, at least 0, without a gap.
"""


def tables_markdown() -> str:
    """The page docs/tables.md: every table, column, unit and limit, and the rules across tables."""
    parts = [_INTRODUCTION]
    for table in table_schemas().values():
        parts.append(
            f"## `{table.file}`\n\n{_sentence(table.description)} "
            f"{'Required.' if table.required else 'Optional.'}\n\n{_table_markdown(table)}"
        )
    parts.append("## Parameters that must be there\n\n" + _parameters_markdown())
    parts.append(_RULES.format(fields=", ".join(f"`{field}`" for field in REQUIRED_FIELDS)))
    parts.append(_HOURLY)
    return "\n".join(parts)


def _table_markdown(table: TableSchema) -> str:
    lines = ["| column | type | unit | required | limits | description |", "|---|---|---|---|---|---|"]
    for column in table.columns:
        kind = ", ".join(f"`{choice}`" for choice in column.choices) if column.choices else column.type
        description = column.description
        if column.references and column.references[0] != "sources":
            description += f" (in `{column.references[0]}.csv`)"
        lines.append(
            f"| `{column.name}`{' (key)' if column.key else ''} | {kind} | {column.unit} | {column.required} "
            f"| {_limits(column.minimum, column.maximum)} | {description} |"
        )
    return "\n".join(lines) + "\n"


def _parameters_markdown() -> str:
    lines = ["| parameter | unit | limits | description |", "|---|---|---|---|"]
    for needed in REQUIRED_PARAMETERS:
        limits = _limits(needed.minimum, needed.maximum)
        if needed.above is not None:
            limits = f"above {needed.above:g}"
        lines.append(f"| `{needed.name}` | {needed.unit} | {limits} | {needed.description} |")
    return "\n".join(lines) + "\n"


def _limits(minimum: float | None, maximum: float | None) -> str:
    if minimum is None and maximum is None:
        return ""
    if maximum is None:
        return f"at least {minimum:g}"
    return f"at most {maximum:g}" if minimum is None else f"{minimum:g} to {maximum:g}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
