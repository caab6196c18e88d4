"""The record of the network, and hashprice on three bases."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from penstock.bitcoin import daily, history
from penstock.bitcoin.epochs import epochs, read_epochs
from penstock.bitcoin.history import (
    BASES,
    History,
    hashprice_on,
    load_history,
    load_prices,
    monthly,
    read_history,
    snapshots,
)
from penstock.bitcoin.network import hashprice_from_difficulty
from penstock.errors import BitcoinError, TableError

TABLES = Path(history.__file__).parent / "tables"
SNAPSHOT = dt.date(2026, 9, 25)
ON_RECORD = (
    "on record are days from 2012-01-01 to 2026-06-13, without fees: 2024-12-01, 2025-08-06 to 2025-08-10, "
    "2026-02-01 to 2026-06-13; snapshots of 2026-09-25"
)


def year_of(year: int) -> NDArray[np.bool_]:
    this_year: NDArray[np.bool_] = load_history().date.astype("datetime64[Y]") == np.datetime64(str(year))
    return this_year & load_history().fees_known


# --- the shipped record --------------------------------------------------------------------------------


def test_the_days_are_whole() -> None:
    record = load_history()
    assert (str(record.date[0]), str(record.date[-1])) == ("2012-01-01", "2026-06-13")
    assert np.all(np.diff(record.date) == np.timedelta64(1, "D"))
    for values in (record.price_usd, record.hashrate_ehs, record.difficulty, record.blocks):
        assert values.shape == record.date.shape == (5278,)
        assert np.all(np.isfinite(values) & (values > 0))
    assert np.all(record.issuance_satoshi > 0)
    assert np.all(record.fees_satoshi >= -1)
    assert np.sum(~record.fees_known) == 139  # 133 of them in 2026
    for coins in (record.issuance_satoshi, record.fees_satoshi, record.subsidy_satoshi):
        assert coins.dtype == np.int64


def test_the_prices_reach_further_than_the_network() -> None:
    prices = load_prices()
    assert (str(prices.date[0]), str(prices.date[-1])) == ("2012-01-01", "2026-08-22")
    assert prices.price_usd[-1] == 78_293.71
    shared = prices.price_usd[: load_history().date.size]
    assert np.array_equal(shared, load_history().price_usd)


def test_the_record_is_read_only() -> None:
    for values in (load_history().price_usd, load_history().fees_satoshi, load_prices().price_usd):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1


def test_subsidies_halve_on_the_known_days() -> None:
    record = load_history()
    changes = np.flatnonzero(np.diff(record.subsidy_satoshi)) + 1
    assert [str(day) for day in record.date[changes]] == [
        "2012-11-28",
        "2016-07-09",
        "2020-05-12",  # in truth in the evening before: the record goes by the pace of the epoch
        "2024-04-20",
    ]
    assert np.all(record.subsidy_satoshi[changes - 1] == 2 * record.subsidy_satoshi[changes])


def test_issuance_is_blocks_times_subsidy() -> None:
    record = load_history()
    halving = np.diff(record.subsidy_satoshi, prepend=record.subsidy_satoshi[:1]) != 0
    ratio = record.issuance_satoshi / record.subsidy_satoshi / record.blocks
    assert np.abs(ratio[~halving] - 1).max() < 1e-4  # blocks are given to two decimals
    assert np.all((ratio[halving] > 1) & (ratio[halving] < 2))


def test_a_difficulty_outgrows_64_bits_and_nothing_overflows() -> None:
    difficulty = snapshots()[SNAPSHOT].difficulty
    assert isinstance(difficulty, int)
    assert difficulty * 2**32 > 2**64
    price = hashprice_on(SNAPSHOT, "difficulty")
    assert price.blocks_per_day == pytest.approx(929.6e18 * 86_400 / (difficulty * 2**32), rel=1e-12)
    assert load_history().difficulty.dtype == np.float64


# --- hashprice of one date -----------------------------------------------------------------------------


def test_the_snapshot_on_both_bases() -> None:
    blocks, difficulty = hashprice_on(SNAPSHOT), hashprice_on("2026-09-25", "difficulty")
    assert blocks.basis == "blocks"
    assert blocks.record == difficulty.record == "snapshot"
    assert blocks.usd_per_ph_day == pytest.approx(40.9, abs=0.2)
    assert f"{difficulty.usd_per_ph_day:.1f}" == "40.0"
    assert blocks.reward_satoshi_per_day == 45_000_000_000 + 372_922_336
    assert blocks.blocks_per_day == 144
    assert (blocks.price_usd, blocks.hashrate_ehs, blocks.difficulty) == (83_847, 929.6, 132.76e12)
    assert (blocks.subsidy_satoshi, blocks.fees_satoshi) == (312_500_000, 372_922_336)
    by_hand = hashprice_from_difficulty(312_500_000 + 372_922_336 / 144, 83_847, 132.76e12)
    assert difficulty.usd_per_ph_day == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(("basis", "per_mwh"), [("blocks", (126, 97, 58)), ("difficulty", (124, 95, 57))])
def test_break_even_without_cooling_and_fee(basis: str, per_mwh: tuple[int, ...]) -> None:
    price = hashprice_on(SNAPSHOT, basis).usd_per_ph_day
    assert tuple(round(1000 * price / (24 * e)) for e in (13.5, 17.5, 29.5)) == per_mwh


def test_a_day_on_three_bases() -> None:
    # 2025-06-15: 136 blocks counted, 3.125 BTC each, 2.629389 BTC of fees, 105,476 USD, 836.18 EH/s
    per_btc = 105_476 / 836_180
    assert hashprice_on("2025-06-15", "observed").usd_per_ph_day == pytest.approx(
        (136 * 3.125 + 2.629389) * per_btc, rel=1e-9
    )
    assert hashprice_on("2025-06-15").usd_per_ph_day == pytest.approx(
        (144 * 3.125 + 2.629389) * per_btc, rel=1e-9
    )
    assert hashprice_on("2025-06-15", "difficulty").usd_per_ph_day == pytest.approx(
        hashprice_from_difficulty(312_500_000 + 262_938_900 / 136, 105_476, 1.2641144e14), rel=1e-9
    )


@pytest.mark.parametrize("basis", BASES)
def test_a_result_can_be_computed_again_from_its_parts(basis: str) -> None:
    for date in ("2012-01-01", "2017-12-22", "2024-04-20", "2026-01-31"):
        found = hashprice_on(date, basis)
        assert (found.date, found.basis, found.record) == (dt.date.fromisoformat(date), basis, "day")
        again = found.reward_satoshi_per_day / 1e8 * found.price_usd / (found.hashrate_ehs * 1000)
        assert found.usd_per_ph_day == pytest.approx(again, rel=1e-9)


def test_the_bases_agree_over_a_year() -> None:
    days = [str(day) for day in load_history().date[year_of(2025)]]
    means = {b: np.mean([hashprice_on(day, b).usd_per_ph_day for day in days]) for b in BASES}
    assert means["difficulty"] == pytest.approx(means["observed"], rel=0.005)
    # blocks came 1.7 % faster than 144 a day
    assert means["blocks"] == pytest.approx(means["observed"], rel=0.03)


@pytest.mark.parametrize("date", ["2027-01-01", "2026-06-14", "2011-12-31", dt.date(2009, 1, 3)])
def test_a_date_off_record_is_refused_with_the_record(date: dt.date | str) -> None:
    with pytest.raises(BitcoinError) as refused:
        hashprice_on(date)
    assert f"date: is not on record; {ON_RECORD} (value: '{date}')" in str(refused.value)


@pytest.mark.parametrize("date", ["2024-12-01", "2025-08-06", "2025-08-10", "2026-02-01", "2026-06-13"])
@pytest.mark.parametrize("basis", BASES)
def test_a_day_without_fees_is_refused(date: str, basis: str) -> None:
    with pytest.raises(BitcoinError, match="the fees of that day are not known; on record are") as refused:
        hashprice_on(date, basis)
    assert ON_RECORD in str(refused.value)


@pytest.mark.parametrize("date", ["2025-02-29", "yesterday", "20250101", "2025-01", ""])
def test_what_is_no_date_is_refused(date: str) -> None:
    with pytest.raises(BitcoinError, match="date: is no date"):
        hashprice_on(date)


def test_an_unknown_basis_is_refused() -> None:
    for date in ("2025-01-01", "2026-09-25"):
        with pytest.raises(BitcoinError, match=r"must be one of blocks, difficulty, observed.*'mined'"):
            hashprice_on(date, "mined")


def test_a_snapshot_has_no_observed_day() -> None:
    with pytest.raises(BitcoinError, match="a snapshot has no observed day of blocks"):
        hashprice_on(SNAPSHOT, "observed")


# --- months and years ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("year", "published"), [(2022, 124.1), (2023, 74.7), (2024, 64.4), (2025, 50.6)])
def test_yearly_hashprice_with_fees(year: int, published: float) -> None:
    days = year_of(year)
    assert load_history().hashprice_usd_per_ph_day[days].mean() == pytest.approx(published, abs=0.05)
    months = monthly(year)
    assert months.days.sum() == days.sum() == {2024: 365, 2025: 360}.get(year, 365)
    weighted = np.average(months.hashprice_usd_per_ph_day, weights=months.days)
    assert weighted == pytest.approx(published, abs=0.05)


def test_months_of_2025() -> None:
    months = monthly(2025)
    assert months.days.tolist() == [31, 28, 31, 30, 31, 30, 31, 26, 30, 31, 30, 31]
    assert months.hashprice_usd_per_ph_day.min() == pytest.approx(37.55, abs=0.005)  # December
    assert months.hashprice_usd_per_ph_day.max() == pytest.approx(58.70, abs=0.005)  # July
    assert int(months.hashprice_usd_per_ph_day.argmax()) == 6
    for values in (months.revenue_usd_per_day, months.hashrate_ehs, months.hashprice_usd_per_ph_day):
        assert values.shape == (12,)
        assert not values.flags.writeable
    # a mean of ratios is near the ratio of means within a month
    ratio = months.revenue_usd_per_day / (1000 * months.hashrate_ehs)
    assert ratio == pytest.approx(months.hashprice_usd_per_ph_day, rel=0.01)


def test_a_month_by_hand() -> None:
    record = load_history()
    january = np.flatnonzero(record.date.astype("datetime64[M]") == np.datetime64("2025-01"))
    assert january.size == 31
    daily_usd = [
        (int(record.issuance_satoshi[i]) + int(record.fees_satoshi[i])) / 1e8 * float(record.price_usd[i])
        for i in january
    ]
    assert monthly(2025).revenue_usd_per_day[0] == pytest.approx(sum(daily_usd) / 31, rel=1e-12)
    assert monthly(2025).hashrate_ehs[0] == pytest.approx(record.hashrate_ehs[january].mean(), rel=1e-12)


def test_hashrate_of_the_cambridge_report() -> None:
    # 138 TWh a year at 28.2 J/TH is 559 EH/s; 2025 had about twice that
    of_the_report = 138e12 / 8760 / 28.2 / 1e6
    assert of_the_report == pytest.approx(559, abs=1)
    early_2024 = monthly(2024).hashrate_ehs[:6]
    assert early_2024.min() < of_the_report < early_2024.max()
    assert 28.2 * 1e6 * monthly(2025).hashrate_ehs.mean() * 8760 / 1e12 == pytest.approx(230, abs=4)


@pytest.mark.parametrize(
    ("year", "month"), [(2026, "2026-02, 2026-03"), (2011, "2011-01"), (2030, "2030-12")]
)
def test_a_year_with_an_empty_month_is_refused(year: int, month: str) -> None:
    with pytest.raises(BitcoinError) as refused:
        monthly(year)
    assert month in str(refused.value)
    assert ON_RECORD in str(refused.value)


# --- reading -------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TABLES, tmp_path / "tables"))


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), "utf-8")


def same(one: History, other: History) -> bool:
    names = [name for name in History.__slots__ if name != "snapshots"]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_a_copy_reads_the_same(folder: Path) -> None:
    assert same(read_history(folder), load_history())
    assert read_history(folder).snapshots == snapshots()


@pytest.mark.parametrize("name", ["network_daily", "price_daily"])
def test_reading_at_once_is_reading_by_row(name: str) -> None:
    place = TABLES / "share_alike" if name == "price_daily" else TABLES
    schema = daily.daily_schemas()[name]
    at_once, by_row = daily._read_at_once(place, schema), daily._read_by_row(place, schema)
    assert at_once is not None
    assert list(at_once) == list(by_row) == list(schema.names)
    for column in schema.names:
        assert at_once[column].dtype == by_row[column].dtype
        assert np.array_equal(at_once[column], by_row[column])


def test_columns_may_stand_in_another_order(folder: Path) -> None:
    file = folder / "share_alike" / "price_daily.csv"
    rows = [line.split(",") for line in file.read_text("utf-8").splitlines()]
    file.write_text("".join(f"{price},{date}\n" for date, price in rows), "utf-8")
    assert same(read_history(folder), load_history())


def test_a_missing_price_series_is_named_and_the_rest_works(folder: Path) -> None:
    (folder / "share_alike" / "price_daily.csv").unlink()
    with pytest.raises(BitcoinError) as refused:
        read_history(folder)
    message = str(refused.value)
    assert "share_alike/price_daily.csv: the price series is missing" in message
    assert "put price_daily.csv with the columns date, price_usd into" in message


def test_a_snapshot_needs_no_price_series(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> History:
        raise BitcoinError("no price series")

    monkeypatch.setattr(history, "load_history", missing)
    assert hashprice_on(SNAPSHOT).usd_per_ph_day == pytest.approx(40.9, abs=0.2)
    with pytest.raises(BitcoinError, match="no price series"):
        hashprice_on("2025-01-01")


def test_a_shorter_price_series_shortens_the_history(folder: Path) -> None:
    file = folder / "share_alike" / "price_daily.csv"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join([lines[0], *lines[367:732]]), "utf-8")
    record = read_history(folder)
    assert (str(record.date[0]), str(record.date[-1])) == ("2013-01-01", "2013-12-31")
    whole = load_history()
    assert np.array_equal(record.fees_satoshi, whole.fees_satoshi[366:731])
    assert record.hashprice_on("2013-06-01") == hashprice_on("2013-06-01")
    with pytest.raises(BitcoinError, match="days from 2013-01-01 to 2013-12-31; snapshots"):
        record.hashprice_on("2014-01-01")


def test_prices_of_other_days_are_refused(folder: Path) -> None:
    (folder / "share_alike" / "price_daily.csv").write_text("date,price_usd\n2010-01-01,0.1\n", "utf-8")
    with pytest.raises(BitcoinError, match=r"price_daily\.csv, column date: has no day in common"):
        read_history(folder)


PRICE, NETWORK = "share_alike/price_daily.csv", "network_daily.csv"


@pytest.mark.parametrize(
    ("file", "old", "new", "row", "column", "problem"),
    [
        (PRICE, "2012-01-03,5.0\n", "2012-01-03,nan\n", 4, "price_usd", "must be a finite number [USD]"),
        (PRICE, "2012-01-03,5.0\n", "2012-01-03,1e999\n", 4, "price_usd", "is too large for a finite number"),
        (PRICE, "2012-01-03,5.0\n", "2012-01-03,-1\n", 4, "price_usd", "is below the minimum of 0.01 [USD]"),
        (PRICE, "2012-01-03,5.0\n", "2012-01-03,0\n", 4, "price_usd", "is below the minimum of 0.01 [USD]"),
        (PRICE, "2012-01-03,5.0\n", "2012-01-03,5_0\n", 4, "price_usd", "must be a number [USD]"),
        (PRICE, "2012-01-03,5.0\n", "2012-01-03,\n", 4, "price_usd", "is blank and required"),
        (PRICE, "2012-01-03,5.0\n", "", 4, "date", "does not follow the day before it, 2012-01-02"),
        (PRICE, "2012-01-03,5.0\n", "2012-1-3,5.0\n", 4, "date", "is no date"),
        (PRICE, "2012-01-03,5.0\n", "NaT,5.0\n", 4, "date", "is no date"),
        (PRICE, "2012-01-03,5.0\n", "2012-01-02,5.0\n", 4, "date", "row 3 has the same key already"),
        (NETWORK, ",8.95e-06,5000000000,776095620000,3554", ",-1,5000000000,776095620000,3554", 2,
         "hashrate_ehs", "is below the minimum of 1e-12 [EH/s]"),
        (NETWORK, ",355428100,", ",-1,", 2, "fees_satoshi", "is below the minimum of 0 [satoshi]"),
        (NETWORK, ",776095620000,3554", ",77609562.5,3554", 2, "issuance_satoshi", "must be a whole number"),
        (NETWORK, ",776095620000,3554", ",,3554", 2, "issuance_satoshi", "is blank and required"),
        (NETWORK, "2012-01-02,1159929.5,", "2012-01-02,0.5,", 3, "difficulty", "below the minimum of 1 [1]"),
    ],
)  # fmt: skip
def test_a_fault_names_file_row_and_column(
    folder: Path, file: str, old: str, new: str, row: int, column: str, problem: str
) -> None:
    change(folder / file, old, new)
    with pytest.raises(TableError) as refused:
        read_history(folder)
    fault = refused.value.faults[0]
    assert (fault.place, fault.row, fault.column) == (Path(file).name, row, column)
    assert problem in fault.problem


def test_all_faults_of_a_series_are_named_at_once(folder: Path) -> None:
    file = folder / "share_alike" / "price_daily.csv"
    change(file, "2012-01-03,5.0\n", "2012-01-04,inf\n")
    change(file, "2012-01-06,", "2012-13-06,")
    with pytest.raises(TableError) as refused:
        read_history(folder)
    assert {fault.column for fault in refused.value.faults} == {"date", "price_usd"}
    assert len(refused.value.faults) >= 3


def test_a_series_without_rows_is_refused(folder: Path) -> None:
    (folder / "network_daily.csv").write_text(
        "date,difficulty,hashrate_ehs,subsidy_satoshi,issuance_satoshi,fees_satoshi,blocks\n", "utf-8"
    )
    with pytest.raises(TableError, match=r"network_daily\.csv, row 1, column date: the file has no row"):
        read_history(folder)


def test_a_bad_snapshot_is_refused_by_row(folder: Path) -> None:
    change(folder / "snapshots.csv", "2026-09-25,", "2026-09-31,")
    with pytest.raises(TableError, match=r"snapshots\.csv, row 2, column date: is no date"):
        read_history(folder)


def test_bad_bits_are_refused_by_row(folder: Path) -> None:
    assert read_epochs(folder) == epochs()
    change(folder / "difficulty_epochs.csv", f"{epochs()[-1].bits:08x}", "0x1d")
    with pytest.raises(TableError, match=r"difficulty_epochs\.csv, row 475, column bits_hex: must be 8"):
        read_epochs(folder)
