"""A country: frozen tables of facts, every value with its unit and source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Country", "FloatArray", "Parameter", "Row", "Table"]

FloatArray = npt.NDArray[np.float64]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A single value with its range and source.

    low, high: range of an assumption, or of sources that disagree; None where neither applies.
    basis: "published", "derived" or "assumption".
    source: key in the `sources` table.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    unit: str
    basis: str
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a country: typed values, read-only.

    Values are `str`, `float`, `int`, `bool` or None (a blank cell of an optional column).
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def column(self, name: str) -> tuple[Any, ...]:
        """Values of one column, in row order. Raises KeyError for an unknown column."""
        if name not in self.columns:
            raise KeyError(f"table {self.name} has no column {name!r}; it has {', '.join(self.columns)}")
        return tuple(row[name] for row in self.rows)

    def where(self, **equal: object) -> Table:
        """The rows whose columns equal the given values, in order."""
        kept = tuple(row for row in self.rows if all(row[key] == value for key, value in equal.items()))
        return Table(self.name, self.columns, kept)

    def one(self, **equal: object) -> Row:
        """The single row that matches. Raises KeyError where there is none or more than one."""
        found = self.where(**equal).rows
        if len(found) != 1:
            raise KeyError(f"table {self.name}: {len(found)} rows match {equal}, expected 1")
        return found[0]


@dataclass(frozen=True, slots=True)
class Country:
    """A country's facts for one study year, as loaded from a folder of tables.

    id: the folder's name, e.g. "el_salvador"; a command takes "el-salvador" for it as well.
    year: local calendar year of the study.
    utc_offset_hours: local time less UTC. [h]
    tables: by name, as declared in `country/schema`.
    hourly: series from the optional hourly.csv, by column name, each of 8,760 hours; empty without it.
    content_hash: SHA-256 of the parsed content, independent of row endings and of the folder's place.
    """

    id: str
    name: str
    iso3: str
    currency: str
    year: int
    utc_offset_hours: int
    tables: Mapping[str, Table]
    content_hash: str
    hourly: Mapping[str, FloatArray] = field(default_factory=lambda: MappingProxyType({}))

    def table(self, name: str) -> Table:
        """A table by name; an optional table that the folder lacks is empty."""
        return self.tables[name]

    def parameter(self, name: str) -> Parameter:
        """A single value by name. Raises KeyError naming the parameters there are."""
        for row in self.tables["parameters"]:
            if row["parameter"] == name:
                return Parameter(
                    name=name,
                    value=row["value"],
                    low=row["low"],
                    high=row["high"],
                    unit=row["unit"],
                    basis=row["basis"],
                    source=row["source"],
                    note=row["note"] or "",
                )
        known = ", ".join(self.tables["parameters"].column("parameter"))
        raise KeyError(f"{self.id} has no parameter {name!r}; it has {known}")

    def parameter_or(self, name: str, absent: float) -> float:
        """The value of a parameter that a country need not have, or `absent`."""
        return self.parameter(name).value if name in self.table("parameters").column("parameter") else absent

    @property
    def usd_rate(self) -> float:
        """Units of the country's currency per USD, the one rate used everywhere."""
        return self.parameter("currency_per_usd").value

    @property
    def zones(self) -> tuple[str, ...]:
        """Zones in table order, those of neighbouring markets among them."""
        return self.tables["zones"].column("zone")

    @property
    def home_zones(self) -> tuple[str, ...]:
        """The country's own zones, in table order: what its totals count."""
        return tuple(row["zone"] for row in self.tables["zones"] if not row["external"])
