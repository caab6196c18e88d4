"""Mining machines: the catalogue, each machine checked against its own ratings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from penstock.country.packaged import read_packaged
from penstock.errors import BitcoinError, Fault

__all__ = ["EFFICIENCY_TOLERANCE_SHARE", "Machine", "load_machines", "read_machines"]

#: Power over hashrate may differ from the rated efficiency by this share of it: ratings are rounded.
EFFICIENCY_TOLERANCE_SHARE = 0.03

_FOLDER = Path(__file__).parent / "tables"


@dataclass(frozen=True, slots=True)
class Machine:
    """One model of mining machine, as rated.

    hashrate_ths: [TH/s]. power_w: at the wall, its own fans included, other cooling not. [W]
    efficiency_j_per_th: rated energy per hash. [J/TH]
    cooling: "air", "hydro" or "immersion". status: "current", "legacy" or "announced" (may not ship).
    segment: "industrial" or "home".
    price_usd: market price of one machine; None where there is none. [USD]
    price_basis: "new" or "used" (asked by sellers) or "index" (a price by TH/s times the hashrate).
    price_as_of: date of the price. note: how the price was found.

    Raises BitcoinError where a rating is not above 0, a price is below 0, or power over hashrate differs from
    the rated efficiency by more than 3 % of it.
    """

    id: str
    model: str
    maker: str
    release_year: int
    hashrate_ths: float
    power_w: float
    efficiency_j_per_th: float
    cooling: str
    status: str
    segment: str
    price_usd: float | None
    price_basis: str
    price_as_of: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if faults := [*self._out_of_range(), *self._contradiction()]:
            raise BitcoinError(faults)

    @property
    def power_per_hashrate_j_per_th(self) -> float:
        """Rated power over rated hashrate: what `efficiency_j_per_th` rounds. [J/TH]"""
        return self.power_w / self.hashrate_ths

    def _out_of_range(self) -> list[Fault]:
        ratings = (
            ("hashrate_ths", self.hashrate_ths, "TH/s"),
            ("power_w", self.power_w, "W"),
            ("efficiency_j_per_th", self.efficiency_j_per_th, "J/TH"),
        )
        faults = [
            Fault(
                f"machine {self.id}",
                f"must be above 0 and finite [{unit}]",
                "give its rating",
                column=name,
                value=f"{value:g}",
            )
            for name, value, unit in ratings
            if not (math.isfinite(value) and value > 0.0)
        ]
        if self.price_usd is not None and not (math.isfinite(self.price_usd) and self.price_usd >= 0.0):
            faults.append(
                Fault(
                    f"machine {self.id}",
                    "must be at least 0 and finite [USD]",
                    "give the price of one machine, or none",
                    column="price_usd",
                    value=f"{self.price_usd:g}",
                )
            )
        return faults

    def _contradiction(self) -> list[Fault]:
        if self._out_of_range():
            return []
        found, rated = self.power_per_hashrate_j_per_th, self.efficiency_j_per_th
        if abs(found - rated) <= EFFICIENCY_TOLERANCE_SHARE * rated:
            return []
        return [
            Fault(
                f"machine {self.id}",
                f"{self.power_w:g} W over {self.hashrate_ths:g} TH/s is {found:.4g} J/TH, which is "
                f"{abs(found / rated - 1.0):.1%} off the rated {rated:g} J/TH; the limit is "
                f"{EFFICIENCY_TOLERANCE_SHARE:.0%}",
                "check the three ratings and their units",
                column="efficiency_j_per_th",
                value=f"{rated:g}",
            )
        ]


@cache
def load_machines() -> Mapping[str, Machine]:
    """The machines of the catalogue that ships with Penstock, by `id`, in its order."""
    return read_machines(_FOLDER)


def read_machines(folder: Path) -> Mapping[str, Machine]:
    """Machines by `id`, from a folder with machines.csv as this room's `tables` has it.

    Raises TableError for faults of the tables, and BitcoinError with the faults of all machines.
    """
    machines: dict[str, Machine] = {}
    faults: list[Fault] = []
    for row in read_packaged(folder)["machines"]:
        values = {name: row[name] for name in row if name not in ("year", "source")}
        try:
            machines[row["id"]] = Machine(**values | {"release_year": row["year"], "note": row["note"] or ""})
        except BitcoinError as error:
            faults.extend(error.faults)
    if faults:
        raise BitcoinError(faults)
    return MappingProxyType(machines)
