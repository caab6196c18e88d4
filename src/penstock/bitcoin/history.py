"""The record of the Bitcoin network, by day and on single days.

Hashprice on a day can be stated on three bases; every result says which.

- "blocks", the default: exactly 144 blocks a day. Reward = 144 · subsidy + the fees of the day (for a
  snapshot: the fees of the last 144 blocks).
- "difficulty": the blocks that the network's hashrate finds on average at the day's difficulty, each with
  its subsidy and the day's mean fees of a block.
- "observed": the subsidies and fees of the day as recorded.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from penstock.country import Table
from penstock.country.packaged import read_packaged
from penstock.errors import BitcoinError, Fault, TableError

from .daily import daily_schemas, read_daily
from .network import BLOCKS_PER_DAY, expected_blocks, hashprice_usd_per_ph_day

__all__ = [
    "BASES",
    "BLOCKS_PER_SNAPSHOT",
    "DailyPrices",
    "Hashprice",
    "History",
    "Snapshot",
    "YearOfNetwork",
    "hashprice_on",
    "load_history",
    "load_prices",
    "monthly",
    "read_history",
    "snapshots",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
DateArray = NDArray[np.datetime64]
Scalar = TypeVar("Scalar", bound=np.generic)

BASES = ("blocks", "difficulty", "observed")
#: Blocks over which a snapshot sums its fees.
BLOCKS_PER_SNAPSHOT = 144

_FOLDER = Path(__file__).parent / "tables"
_DAY_SECONDS = 86_400


# --- what is on record ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The network on one day, with a price of its own.

    price_usd: [USD]. hashrate_ehs: [EH/s]. difficulty: [1], a whole number of any length.
    fees_satoshi_144_blocks: fees of the last 144 blocks. [satoshi]. subsidy_satoshi: of a block. [satoshi]
    """

    date: dt.date
    height: int
    price_usd: float
    hashrate_ehs: float
    difficulty: int
    fees_satoshi_144_blocks: int
    subsidy_satoshi: int


@dataclass(frozen=True, slots=True)
class Hashprice:
    """What a PH/s earns in a day on one date, with all that it is computed from.

    basis: one of `BASES`. record: "snapshot" or "day".
    usd_per_ph_day: the hashprice. [USD/(PH/s·day)]
    price_usd: [USD]. hashrate_ehs: of the network. [EH/s]. difficulty: [1].
    subsidy_satoshi: of a block. [satoshi]. fees_satoshi: of the day, or of a snapshot's 144 blocks. [satoshi]
    blocks_per_day: blocks that the basis counts. reward_satoshi_per_day: what it counts as reward, to the
        nearest. [satoshi]
    """

    date: dt.date
    basis: str
    record: str
    usd_per_ph_day: float
    price_usd: float
    hashrate_ehs: float
    difficulty: float
    subsidy_satoshi: int
    fees_satoshi: int
    blocks_per_day: float
    reward_satoshi_per_day: int


@dataclass(frozen=True, slots=True, eq=False)
class YearOfNetwork:
    """Means by month over the days whose fees are known; arrays of shape (12,), read-only.

    days: days in each mean.
    revenue_usd_per_day: subsidies and fees of the whole network. [USD/day]
    hashrate_ehs: [EH/s]. hashprice_usd_per_ph_day: mean of the days' own, as recorded. [USD/(PH/s·day)]
    """

    year: int
    days: IntArray
    revenue_usd_per_day: FloatArray
    hashrate_ehs: FloatArray
    hashprice_usd_per_ph_day: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class DailyPrices:
    """Price of a bitcoin in the first minute of each UTC day; shape (days,), read-only. [USD]"""

    date: DateArray
    price_usd: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The network by UTC day, for the days that have a price as well; arrays of shape (days,), read-only.

    date: consecutive days. price_usd: [USD]. hashrate_ehs: from the pace of the epoch. [EH/s]
    difficulty: mean of the day. [1]. blocks: counted where known, else of the pace of the epoch. [1]
    issuance_satoshi: subsidies of the day. fees_satoshi: fees of the day, -1 where not known. [satoshi]
    subsidy_satoshi: of a block at the end of the day; halvings are placed by the pace of the epoch, which
        puts that of 2020-05-11 one day late. [satoshi]
    snapshots: by date, those of the same folder.
    """

    date: DateArray
    price_usd: FloatArray
    hashrate_ehs: FloatArray
    difficulty: FloatArray
    issuance_satoshi: IntArray
    fees_satoshi: IntArray
    subsidy_satoshi: IntArray
    blocks: FloatArray
    snapshots: Mapping[dt.date, Snapshot]

    @property
    def fees_known(self) -> NDArray[np.bool_]:
        """Whether the fees of each day are known."""
        return self.fees_satoshi >= 0

    @property
    def revenue_usd(self) -> FloatArray:
        """Subsidies and fees of each day in USD of the day; NaN where the fees are not known."""
        satoshi = (self.issuance_satoshi + self.fees_satoshi).astype(np.float64)
        return np.where(self.fees_known, satoshi / 1e8 * self.price_usd, np.nan)

    @property
    def hashprice_usd_per_ph_day(self) -> FloatArray:
        """Hashprice of each day, as observed; NaN where the fees are not known. [USD/(PH/s·day)]"""
        return self.revenue_usd / (1000.0 * self.hashrate_ehs)

    def hashprice_on(self, date: dt.date | str, basis: str = "blocks") -> Hashprice:
        """Hashprice on a date; of the snapshot of that date where there is one, unless "observed" is asked.

        date: a date, or text like "2025-01-31". basis: one of `BASES`.

        On the day of a halving, "blocks" and "difficulty" count the subsidy of the end of the day.

        Raises BitcoinError, naming what is on record, for a date without price, network or fees, and for a
        snapshot asked for "observed"; and for an unknown basis.
        """
        day = _as_date(date)
        if basis not in BASES:
            raise _refused("basis", basis, f"must be one of {', '.join(BASES)}", "choose one of them")
        if day in self.snapshots and basis != "observed":
            return _of_snapshot(self.snapshots[day], basis)
        return _of_day(self, self._index(day), basis)

    def monthly(self, year: int) -> YearOfNetwork:
        """The twelve months of a year. Raises BitcoinError naming the months that have no day with fees."""
        months = self.date.astype("datetime64[M]")
        wanted = np.datetime64(f"{year:04d}-01", "M") + np.arange(12)
        chosen = [np.flatnonzero((months == month) & self.fees_known) for month in wanted]
        if empty := [str(month) for month, days in zip(wanted, chosen, strict=True) if not days.size]:
            raise _refused(
                "year",
                year,
                f"no day with price, network and fees in {', '.join(empty)}; {self._on_record()}",
                "choose a year of which every month is on record",
            )

        def means(values: FloatArray) -> FloatArray:
            return _frozen(np.array([values[days].mean() for days in chosen]))

        return YearOfNetwork(
            year=year,
            days=_frozen(np.array([days.size for days in chosen], dtype=np.int64)),
            revenue_usd_per_day=means(self.revenue_usd),
            hashrate_ehs=means(self.hashrate_ehs),
            hashprice_usd_per_ph_day=means(self.hashprice_usd_per_ph_day),
        )

    def _index(self, day: dt.date) -> int:
        if day in self.snapshots and not self.date[0] <= np.datetime64(day, "D") <= self.date[-1]:
            raise _refused(
                "basis",
                "observed",
                f"a snapshot has no observed day of blocks; {self._on_record()}",
                'choose "blocks" or "difficulty"',
            )
        index = int((np.datetime64(day, "D") - self.date[0]).astype(np.int64))
        if not 0 <= index < self.date.size:
            raise _refused("date", day, f"is not on record; {self._on_record()}", "choose a date on record")
        if not self.fees_known[index]:
            raise _refused(
                "date", day, f"the fees of that day are not known; {self._on_record()}", "choose another date"
            )
        return index

    def _on_record(self) -> str:
        missing = self.date[~self.fees_known]
        breaks = np.flatnonzero(np.diff(missing) != np.timedelta64(1, "D")) + 1
        spans = [
            str(span[0]) if span.size == 1 else f"{span[0]} to {span[-1]}"
            for span in np.split(missing, breaks)
            if span.size
        ]
        text = f"days from {self.date[0]} to {self.date[-1]}"
        text += f", without fees: {', '.join(spans)}" if spans else ""
        if self.snapshots:
            text += f"; snapshots of {', '.join(map(str, self.snapshots))}"
        return f"on record are {text}"


# --- reading -------------------------------------------------------------------------------------------


@cache
def load_history() -> History:
    """The history that ships with Penstock.

    Raises BitcoinError where the price series was left out, naming the file.
    """
    return read_history(_FOLDER)


@cache
def load_prices() -> DailyPrices:
    """The whole price series that ships with Penstock; it may reach beyond the network's days.

    Raises BitcoinError where it was left out, naming the file.
    """
    return _read_prices(_FOLDER)


@cache
def snapshots() -> Mapping[dt.date, Snapshot]:
    """The snapshots that ship with Penstock, by date."""
    return _snapshots(_tables()["snapshots"])


def hashprice_on(date: dt.date | str, basis: str = "blocks") -> Hashprice:
    """`History.hashprice_on` of the history that ships with Penstock.

    A snapshot has a price of its own, so its dates work without the price series.
    """
    day = _as_date(date)
    if day in snapshots() and basis in ("blocks", "difficulty"):
        return _of_snapshot(snapshots()[day], basis)
    return load_history().hashprice_on(day, basis)


def monthly(year: int) -> YearOfNetwork:
    """`History.monthly` of the history that ships with Penstock."""
    return load_history().monthly(year)


def read_history(folder: Path) -> History:
    """The history of a folder with this room's tables, its prices in `share_alike/price_daily.csv`.

    Raises TableError for faults of the tables, with file, row and column; BitcoinError where the price series
    is missing, or has no day in common with the network's.
    """
    network = read_daily(folder, daily_schemas()["network_daily"])
    prices = _read_prices(folder)
    dates: DateArray = network["date"].astype("datetime64[D]")
    first, last = max(dates[0], prices.date[0]), min(dates[-1], prices.date[-1])
    if first > last:
        raise BitcoinError(
            Fault(
                "share_alike/price_daily.csv",
                f"has no day in common with network_daily.csv, {dates[0]} to {dates[-1]}",
                "give prices of those days",
                column="date",
                value=f"{prices.date[0]} to {prices.date[-1]}",
            )
        )
    days = (dates >= first) & (dates <= last)
    priced = (prices.date >= first) & (prices.date <= last)

    def floats(name: str) -> FloatArray:
        return _frozen(network[name][days].astype(np.float64))

    def whole(name: str) -> IntArray:
        return _frozen(network[name][days].astype(np.int64))

    return History(
        date=_frozen(dates[days]),
        price_usd=_frozen(prices.price_usd[priced]),
        hashrate_ehs=floats("hashrate_ehs"),
        difficulty=floats("difficulty"),
        issuance_satoshi=whole("issuance_satoshi"),
        fees_satoshi=whole("fees_satoshi"),
        subsidy_satoshi=whole("subsidy_satoshi"),
        blocks=floats("blocks"),
        snapshots=_snapshots((_tables() if folder == _FOLDER else read_packaged(folder))["snapshots"]),
    )


@cache
def _tables() -> Mapping[str, Table]:
    return read_packaged(_FOLDER)


def _read_prices(folder: Path) -> DailyPrices:
    schema = daily_schemas()["price_daily"]
    shelf = folder / "share_alike"
    if not (shelf / schema.file).is_file():
        raise BitcoinError(
            Fault(
                f"{folder.name}/share_alike/{schema.file}",
                "the price series is missing; it is under a share-alike licence and may have been left out",
                f"put {schema.file} with the columns {', '.join(schema.names)} into {shelf}",
            )
        )
    columns = read_daily(shelf, schema)
    return DailyPrices(
        _frozen(columns["date"].astype("datetime64[D]")), _frozen(columns["price_usd"].astype(np.float64))
    )


def _snapshots(table: Table) -> Mapping[dt.date, Snapshot]:
    found: dict[dt.date, Snapshot] = {}
    faults: list[Fault] = []
    for line, row in enumerate(table, start=2):
        day = _date_of(row["date"])
        if day is None:
            faults.append(
                Fault(
                    "snapshots.csv",
                    "is no date",
                    "write it like 2025-01-31",
                    row=line,
                    column="date",
                    value=row["date"],
                )
            )
            continue
        found[day] = Snapshot(
            date=day,
            height=row["height"],
            price_usd=row["price_usd"],
            hashrate_ehs=row["hashrate_ehs"],
            difficulty=row["difficulty"],
            fees_satoshi_144_blocks=row["fees_satoshi_144_blocks"],
            subsidy_satoshi=row["subsidy_satoshi"],
        )
    if faults:
        raise TableError(faults)
    return MappingProxyType(found)


# --- hashprice of one date -----------------------------------------------------------------------------


def _of_snapshot(snapshot: Snapshot, basis: str) -> Hashprice:
    fees, subsidy = snapshot.fees_satoshi_144_blocks, snapshot.subsidy_satoshi
    # As a float: times 2^32, the difficulty has more than 64 bits.
    difficulty = float(snapshot.difficulty)
    blocks = float(BLOCKS_PER_DAY)
    if basis == "difficulty":
        blocks = expected_blocks(snapshot.hashrate_ehs, difficulty, _DAY_SECONDS)
    reward = blocks * (subsidy + fees / BLOCKS_PER_SNAPSHOT)
    return Hashprice(
        date=snapshot.date,
        basis=basis,
        record="snapshot",
        usd_per_ph_day=hashprice_usd_per_ph_day(reward, snapshot.price_usd, snapshot.hashrate_ehs),
        price_usd=snapshot.price_usd,
        hashrate_ehs=snapshot.hashrate_ehs,
        difficulty=difficulty,
        subsidy_satoshi=subsidy,
        fees_satoshi=fees,
        blocks_per_day=blocks,
        reward_satoshi_per_day=round(reward),
    )


def _of_day(history: History, index: int, basis: str) -> Hashprice:
    fees, subsidy = int(history.fees_satoshi[index]), int(history.subsidy_satoshi[index])
    hashrate, difficulty = float(history.hashrate_ehs[index]), float(history.difficulty[index])
    price, recorded = float(history.price_usd[index]), float(history.blocks[index])
    if basis == "blocks":
        blocks, reward = float(BLOCKS_PER_DAY), float(BLOCKS_PER_DAY * subsidy + fees)
    elif basis == "difficulty":
        blocks = expected_blocks(hashrate, difficulty, _DAY_SECONDS)
        reward = blocks * (subsidy + fees / recorded)
    else:
        blocks, reward = recorded, float(int(history.issuance_satoshi[index]) + fees)
    return Hashprice(
        date=history.date[index].astype(dt.date),
        basis=basis,
        record="day",
        usd_per_ph_day=hashprice_usd_per_ph_day(reward, price, hashrate),
        price_usd=price,
        hashrate_ehs=hashrate,
        difficulty=difficulty,
        subsidy_satoshi=subsidy,
        fees_satoshi=fees,
        blocks_per_day=blocks,
        reward_satoshi_per_day=round(reward),
    )


def _as_date(date: dt.date | str) -> dt.date:
    day = _date_of(date) if isinstance(date, str) else date
    if day is None:
        raise _refused("date", date, "is no date", "write it like 2025-01-31")
    return day


def _date_of(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None


def _refused(name: str, value: object, problem: str, mend: str) -> BitcoinError:
    return BitcoinError(Fault(name, problem, mend, value=str(value)))


def _frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    array.flags.writeable = False
    return array
