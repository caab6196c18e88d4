"""Paths of the bitcoin price and of the fees of all blocks, one value a day.

A path is given by a user (`read_path`), taken from the past (`replayed`), or drawn by the generators of
`penstock.bitcoin.paths`.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from penstock.bitcoin.network import BLOCKS_PER_DAY, SATOSHI_PER_BTC, subsidy_satoshi
from penstock.country.faults import FaultList, choices_hint, shown
from penstock.country.read import Line, read_lines
from penstock.errors import BitcoinError, Fault

__all__ = [
    "DailyHistory",
    "Kind",
    "PricePath",
    "issuance_satoshi_per_day",
    "read_path",
    "replayed",
    "reward_usd_per_day",
]

Days = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Day = dt.date | np.datetime64 | str
Kind = Literal["file", "replayed", "bootstrapped", "jump_diffusion"]

ONE_DAY = np.timedelta64(1, "D")
LONGEST_FILL_DAYS = 7  # gaps in the known fees up to this long are filled by `replayed`
MOST_SATOSHI = 21_000_000 * SATOSHI_PER_BTC  # no more coins than this can ever be [satoshi]
FAULT_CAP = 20  # faults of one kind that a file's report lists
_COLUMNS = ("date", "price_usd", "fees_btc")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


class DailyHistory(Protocol):
    """What the paths need of the network's history: arrays of one length, a value for every day."""

    @property
    def date(self) -> Days:
        """UTC days."""

    @property
    def price_usd(self) -> Floats:
        """Price at the start of the day. [USD/BTC]"""

    @property
    def issuance_satoshi(self) -> Integers:
        """New coins of the day; below 1 where not known. [satoshi/day]"""

    @property
    def fees_satoshi(self) -> Integers:
        """Fees of the day's blocks; -1 where not known. [satoshi/day]"""


@dataclass(frozen=True, slots=True, eq=False)
class PricePath:
    """A price and the fees of all blocks for consecutive UTC days. The arrays are copied and read-only.

    dates: datetime64[D], shape (days,).
    price_usd: price at the start of each day, above 0, shape (days,). [USD/BTC]
    fees_satoshi_per_day: fees of the day's blocks, integers of 0 or more, shape (days,). [satoshi/day]
    kind: how the path came about.
    seed, sample: which stream of chance it was drawn from; both None where none was.
    fees_filled_days: days whose fees are not known and were filled in.

    Raises BitcoinError with every fault: gaps, repeats, NaN, prices of 0 or below, wrong lengths.
    """

    dates: Days
    price_usd: Floats
    fees_satoshi_per_day: Integers
    kind: Kind
    seed: int | None = None
    sample: int | None = None
    fees_filled_days: int = 0

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        dates = _days(self.dates, faults)
        price = _prices(self.price_usd, dates, faults)
        fees = _fees(self.fees_satoshi_per_day, dates, faults)
        _check_origin(self, faults)
        if faults:
            raise BitcoinError(faults)
        for name, array in (("dates", dates), ("price_usd", price), ("fees_satoshi_per_day", fees)):
            own = np.array(array)
            own.setflags(write=False)
            object.__setattr__(self, name, own)

    @property
    def days(self) -> int:
        """Length of the path. [days]"""
        return len(self.dates)


def is_count(number: object, least: int) -> bool:
    """Whether it is a whole number of `least` or more."""
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and int(number) >= least


_WRITTEN_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day_of(given: Day, argument: str) -> np.datetime64:
    """A day as datetime64[D]. Raises BitcoinError, naming the argument, for what is none."""
    try:
        # NumPy would read "today" and "now" from the clock.
        if isinstance(given, str) and not _WRITTEN_DAY.fullmatch(given):
            raise ValueError(given)
        day = np.array(given, dtype="datetime64[D]")
    except (TypeError, ValueError):
        day = np.array("NaT", dtype="datetime64[D]")
    if day.ndim or np.isnat(day):
        mend = "write it as YYYY-MM-DD"
        raise BitcoinError(
            Fault("argument", "is not a day of the calendar", mend, column=argument, value=str(given))
        )
    return np.datetime64(day.item(), "D")


def _fault(column: str, problem: str, mend: str, value: object = None) -> Fault:
    shown_value = None if value is None else shown(str(value))
    return Fault("price path", problem, mend, column=column, value=shown_value)


def _days(given: object, faults: list[Fault]) -> Days | None:
    def refuse(problem: str, mend: str, value: object = None) -> None:
        faults.append(_fault("dates", problem, mend, value))

    try:
        raw = np.asarray(given)
        if raw.dtype.kind in "OSU" and any(
            isinstance(day, str) and not _WRITTEN_DAY.fullmatch(day) for day in raw.ravel().tolist()
        ):
            raise ValueError("a text that is no day")
        exact = raw.astype("datetime64[us]")
    except (TypeError, ValueError):
        refuse("are not dates", "give UTC days as datetime64[D]", given)
        return None
    if exact.ndim != 1 or not exact.size:
        refuse(f"have the shape {exact.shape}, not (days,) with 1 day or more", "give one date a day")
        return None
    days = exact.astype("datetime64[D]")
    if np.isnat(days).any():
        count = int(np.isnat(days).sum())
        place = int(np.argmax(np.isnat(days)))
        refuse(f"{count} are no date (NaT), the first at index {place}", "give each day its date")
        return None
    if (days != exact).any():
        refuse("hold hours; a path has one value a day", "give whole UTC days", exact[days != exact][0])
        return None
    step = np.diff(days)
    if (step > ONE_DAY).any():
        first = int(np.argmax(step > ONE_DAY))
        count = int((step[step > ONE_DAY] - ONE_DAY).astype(np.int64).sum())
        refuse(
            f"{count} days are missing, the first is {days[first] + ONE_DAY} (after {days[first]}); "
            "limit: 0 missing days",
            "give every day from the first to the last one row",
        )
    if (step < ONE_DAY).any():
        count = int((step < ONE_DAY).sum())
        first = int(np.argmax(step < ONE_DAY)) + 1
        refuse(
            f"{count} days repeat or go back, the first is {days[first]} (after {days[first - 1]})",
            "sort the days and keep one value for each",
        )
    return days


def _named(dates: Days | None, wrong: npt.NDArray[np.bool_]) -> str:
    index = int(np.argmax(wrong))
    return f"index {index}" if dates is None else str(dates[index])


def _fits(given: npt.NDArray[np.generic], name: str, dates: Days | None, faults: list[Fault]) -> bool:
    if given.ndim == 1 and (dates is None or given.size == dates.size):
        return True
    days = "days" if dates is None else dates.size
    faults.append(_fault(name, f"have the shape {given.shape}; limit: ({days},)", "give one value a day"))
    return False


def _prices(given: object, dates: Days | None, faults: list[Fault]) -> Floats | None:
    try:
        price = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        faults.append(_fault("price_usd", "are not numbers", "give prices in USD/BTC", given))
        return None
    if not _fits(price, "price_usd", dates, faults):
        return None
    for wrong, what in (
        (~np.isfinite(price), "are NaN or infinite"),
        (price <= 0, "are 0 or below"),
    ):
        if wrong.any():
            faults.append(
                _fault(
                    "price_usd",
                    f"{int(wrong.sum())} prices {what}, the first on {_named(dates, wrong)}; "
                    "limit: a finite price above 0 USD/BTC",
                    "give the price of that day in USD/BTC",
                    price[wrong][0],
                )
            )
    return price


def _fees(given: object, dates: Days | None, faults: list[Fault]) -> Integers | None:
    fees = np.asarray(given)
    if not np.issubdtype(fees.dtype, np.integer):
        faults.append(
            _fault(
                "fees_satoshi_per_day",
                f"are {fees.dtype}, not integers; coins are counted in whole satoshi",
                "round them to whole satoshi",
            )
        )
        return None
    if not _fits(fees, "fees_satoshi_per_day", dates, faults):
        return None
    wrong = (fees < 0) | (fees > MOST_SATOSHI)
    if wrong.any():
        faults.append(
            _fault(
                "fees_satoshi_per_day",
                f"{int(wrong.sum())} days have fees outside the limits of 0 and {MOST_SATOSHI} satoshi/day, "
                f"the first {_named(dates, wrong)}",
                "give the fees of that day in satoshi; -1 (not known) must be filled first",
                fees[wrong][0],
            )
        )
    return fees.astype(np.int64)


def _check_origin(path: PricePath, faults: list[Fault]) -> None:
    if path.kind not in get_args(Kind):
        hint = choices_hint(str(path.kind), get_args(Kind), "kind")
        faults.append(_fault("kind", "there is no such kind of path", hint, path.kind))
    drawn = {"seed": path.seed, "sample": path.sample}
    faults.extend(
        _fault(name, "is not a whole number of 0 or more", "give 0, 1, 2, ...", number)
        for name, number in drawn.items()
        if number is not None and not is_count(number, 0)
    )
    if (path.seed is None) != (path.sample is None):
        problem = "a seed and a sample belong together"
        faults.append(_fault("seed", problem, "give both or neither", tuple(drawn.values())))


def read_path(file: Path) -> PricePath:
    """A user's own path from a CSV file.

    Columns: `date` (YYYY-MM-DD, consecutive UTC days in order), `price_usd` [USD/BTC] and, if wanted,
    `fees_btc` (fees of the day's blocks together [BTC/day], at most 8 decimals). Without that column the fees
    are 0: miners earn the subsidy alone.

    Raises BitcoinError with every fault and its file, row and column: days that are missing, repeated or out
    of order, prices that are not above 0, and cells that cannot be read.
    """
    faults = FaultList(FAULT_CAP)
    file = file.resolve()
    lines, _ = read_lines(file.parent, file.name, faults)
    places = _header(lines[0], file.name, faults) if lines else {}
    body = lines[1:] if places else []
    if places and not body:
        faults.add("no rows", Fault(file.name, "there are no days", "give one row a day", row=2))
    rows = [_row(line, len(lines[0].cells), places, file.name, faults) for line in body]
    numbers = (line.number for line in body)
    _check_sequence(list(zip(numbers, (row[0] for row in rows), strict=True)), file.name, faults)
    if faults:
        raise BitcoinError(faults.all())
    days, prices, fees = zip(*rows, strict=True)
    return PricePath(np.array(days, "datetime64[D]"), np.array(prices), np.array(fees, np.int64), "file")


def _header(line: Line, file: str, faults: FaultList) -> dict[str, int]:
    """Where each column stands; empty where the header cannot be used."""
    before = len(faults.all())
    for name in dict.fromkeys(line.cells):
        if name not in _COLUMNS:
            problem, mend = "there is no such column in a price path", choices_hint(name, _COLUMNS, "column")
        elif line.cells.count(name) > 1:
            problem, mend = f"stands {line.cells.count(name)} times in the header", "keep one of them"
        else:
            continue
        faults.add("header", Fault(file, problem, mend, row=1, column=shown(name), value=shown(name)))
    for name in _COLUMNS[:2]:
        if name not in line.cells:
            faults.add("header", Fault(file, "the column is missing", f"add {name}", row=1, column=name))
    if len(faults.all()) > before:
        return {}
    return {name: line.cells.index(name) for name in _COLUMNS if name in line.cells}


def _row(
    line: Line, width: int, places: dict[str, int], file: str, faults: FaultList
) -> tuple[dt.date | None, float, int]:
    """Date (None where faulty), price [USD/BTC] and fees [satoshi/day] of one row."""
    if len(line.cells) != width:
        faults.add(
            "ragged row",
            Fault(
                file,
                f"the row has {len(line.cells)} cells where the header has {width}",
                "give each column one cell, and remove blank lines",
                row=line.number,
                value=shown(",".join(line.cells)),
            ),
        )
        return None, 0.0, 0

    def refuse(column: str, problem: str, mend: str) -> None:
        value = shown(line.cells[places[column]])
        faults.add(problem, Fault(file, problem, mend, row=line.number, column=column, value=value))

    day = None
    text = line.cells[places["date"]]
    try:
        day = dt.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        refuse("date", "is not a day of the calendar", "write it as YYYY-MM-DD")
    text = line.cells[places["price_usd"]]
    price = float(text) if _NUMBER.fullmatch(text) else 0.0
    if not 0.0 < price < float("inf"):
        refuse("price_usd", "is not a number above 0 USD/BTC", "give the day's price, such as 65000.5")
    fees = Decimal(0)
    if "fees_btc" in places:
        text = line.cells[places["fees_btc"]]
        fees = Decimal(text) * SATOSHI_PER_BTC if _NUMBER.fullmatch(text) else Decimal(-1)
        if not 0 <= fees <= MOST_SATOSHI:
            problem = "is not a number from 0 to 21,000,000 BTC/day"
            refuse("fees_btc", problem, "give the fees of the day in BTC")
        elif fees != int(fees):
            refuse("fees_btc", "is finer than a satoshi, 0.00000001 BTC", "give 8 decimals or fewer")
    return day, price, int(fees)


def _check_sequence(days: list[tuple[int, dt.date | None]], file: str, faults: FaultList) -> None:
    known = [(row, day) for row, day in days if day is not None]
    for (row_before, before), (row, day) in pairwise(known):
        step = (day - before).days
        passed = row - row_before  # rows between that have no readable date are faults of their own
        if step > passed:
            first = dt.date.fromordinal(before.toordinal() + 1)
            kind = "missing days"
            gap = "1 day is" if step - passed == 1 else f"{step - passed} days are"
            problem = f"{gap} missing between {before} and {day}, the first is {first}"
            mend = "give every day one row, from the first to the last"
        elif step < 1:
            kind = "repeated or out of order"
            problem = f"repeats or goes back before {before} of row {row_before}"
            mend = "sort the rows by date and keep one a day"
        else:
            continue
        faults.add(kind, Fault(file, problem, mend, row=row, column="date", value=str(day)))


def replayed(
    history: DailyHistory,
    first: Day,
    days: int,
    *,
    unknown_fees_satoshi_per_day: int | None = None,
) -> PricePath:
    """The past itself: price and fees of `days` days from `first` on.

    unknown_fees_satoshi_per_day: the fees of every day on which they are not known. [satoshi/day] Without
        it a gap of at most 7 such days, with known fees on both sides, takes the mean of the day before and
        the day after, and a longer gap is refused. `fees_filled_days` of the path counts these days.

    Raises BitcoinError where the history lacks a day of the window, or its fees.
    """
    start = day_of(first, "first")
    if days < 1:
        fault = Fault(
            "argument", "is below the limit of 1 day", "give 1 or more", column="days", value=str(days)
        )
        raise BitcoinError(fault)
    offset = int((start - history.date[0]).astype(np.int64))
    if offset < 0 or offset + days > len(history.date):
        raise BitcoinError(
            Fault(
                "history",
                f"has the days {history.date[0]} to {history.date[-1]}; asked for {days} from {start} on",
                "choose a first day and a number of days inside it",
                column="date",
                value=str(start),
            )
        )
    window = slice(offset, offset + days)
    fees = np.array(history.fees_satoshi, np.int64)
    unknown = fees < 0
    if unknown_fees_satoshi_per_day is not None:
        fees[unknown] = unknown_fees_satoshi_per_day
    else:
        _fill_short_gaps(fees)
    left = fees[window] < 0
    if left.any() and (unknown_fees_satoshi_per_day is None):
        raise BitcoinError(
            Fault(
                "history",
                f"the fees of {int(left.sum())} days are not known, the first is "
                f"{history.date[window][left][0]}; gaps of up to {LONGEST_FILL_DAYS} days are filled",
                "choose another window, or give unknown_fees_satoshi_per_day",
                column="fees_satoshi",
            )
        )
    return PricePath(
        history.date[window],
        history.price_usd[window],
        fees[window],
        "replayed",
        fees_filled_days=int(unknown[window].sum()),
    )


def _fill_short_gaps(fees: Integers) -> None:
    """Fills, in place, gaps of at most `LONGEST_FILL_DAYS` days between two known days."""
    known = np.flatnonzero(fees >= 0)
    for before, after in pairwise(known):
        if 1 < after - before <= LONGEST_FILL_DAYS + 1:
            fees[before + 1 : after] = (fees[before] + fees[after]) // 2


@lru_cache(maxsize=256)
def issuance_satoshi_per_day(first_height: int, days: int) -> Integers:
    """New coins of each of `days` days of 144 blocks, shape (days,), read-only. [satoshi/day]

    first_height: height of the first block of the first day. A halving inside a day counts from its block on.
    """
    issued = np.empty(days, np.int64)
    for day in range(days):
        low = first_height + day * BLOCKS_PER_DAY
        high = low + BLOCKS_PER_DAY
        subsidy = subsidy_satoshi(low)
        if subsidy == subsidy_satoshi(high - 1):
            issued[day] = subsidy * BLOCKS_PER_DAY
        else:
            issued[day] = sum(subsidy_satoshi(height) for height in range(low, high))
    issued.setflags(write=False)
    return issued


def reward_usd_per_day(path: PricePath, first_height: int) -> Floats:
    """What all miners together earn on each day, new coins and fees, shape (days,). [USD/day]

    first_height: height of the first block of the path's first day; 144 blocks a day follow.
    """
    coins = issuance_satoshi_per_day(first_height, path.days) + path.fees_satoshi_per_day
    return np.asarray(coins / SATOSHI_PER_BTC * path.price_usd, dtype=np.float64)
