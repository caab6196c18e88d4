"""`penstock bitcoin`: figures as published or by hand, as text and as JSON, and every bad input refused."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from penstock.bitcoin.history import load_history
from penstock.bitcoin.machines import load_machines
from penstock.cli import main
from penstock.cli.refusals import read_named
from penstock.errors import Fault
from penstock.programme.programme import MAXIMUM_MW

Capture = pytest.CaptureFixture[str]
DAY = "2026-09-25"
# 144 blocks of 3.125 BTC and 3.72922336 BTC of fees, at 83,847 USD, over 929,600 PH/s.
HASHPRICE = (144 * 3.125 + 3.72922336) * 83_847 / 929_600


def document(capture: Capture, *words: str) -> dict[str, Any]:
    assert main(["bitcoin", *words, "--json"]) == 0
    shown = capture.readouterr()
    assert shown.err == ""
    found: dict[str, Any] = json.loads(shown.out)
    return found


def text(capture: Capture, *words: str) -> list[str]:
    assert main(["bitcoin", *words]) == 0
    return [re.sub(" +", " ", line).strip() for line in capture.readouterr().out.splitlines()]


def refused(capture: Capture, *words: str) -> list[tuple[str, str | None]]:
    """Places and values of the faults, which the text names as well."""
    assert main(["bitcoin", *words, "--json"]) == 2
    shown = capture.readouterr()
    faults = json.loads(shown.out)["error"]["faults"]
    assert all(fault["problem"] in shown.err and fault["mend"] in shown.err for fault in faults)
    assert main(["bitcoin", *words]) == 2
    again = capture.readouterr()
    assert (again.out, again.err) == ("", shown.err)
    return [(fault["place"], fault["value"]) for fault in faults]


def test_the_group_alone_shows_its_help(capsys: Capture) -> None:
    assert main(["bitcoin"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Usage: penstock bitcoin")


# --- hashprice -------------------------------------------------------------------------------------------


def test_hashprice_of_a_day_counts_144_blocks(capsys: Capture) -> None:
    assert document(capsys, "hashprice", "--date", DAY) == {
        "date": DAY,
        "basis": "blocks",
        "hashprice_usd_per_ph_day": pytest.approx(HASHPRICE, rel=1e-12),
        "price_usd": 83847.0,
        "hashrate_ehs": 929.6,
        "difficulty": 132.76e12,
        "reward_satoshi_per_day": 45_372_922_336,
    }
    lines = text(capsys, "hashprice", "--date", DAY)
    assert lines[0] == f"Hashprice of {DAY}, basis: blocks"
    for line in (
        "Hashprice USD/(PH/s·day) 40.92",
        "Price of a bitcoin USD 83,847",
        "Hashrate EH/s 929.6",
        "Difficulty T 132.76",
        "Reward BTC/day 453.73",
    ):
        assert line in lines


def test_hashprice_on_another_basis_says_so(capsys: Capture) -> None:
    found = document(capsys, "hashprice", "--date", DAY, "--basis", "difficulty")
    assert found["basis"] == "difficulty"
    assert found["hashprice_usd_per_ph_day"] == pytest.approx(40.0, abs=0.05)
    found = document(capsys, "hashprice", "--date", "2025-01-31", "--basis", "observed")
    assert (found["date"], found["basis"]) == ("2025-01-31", "observed")
    reward_btc = found["reward_satoshi_per_day"] / 1e8
    income = reward_btc * found["price_usd"] / (1000 * found["hashrate_ehs"])
    assert found["hashprice_usd_per_ph_day"] == pytest.approx(income, rel=1e-12)


@pytest.mark.parametrize(("year", "published"), [(2022, 124.1), (2023, 74.7), (2024, 64.4), (2025, 50.6)])
def test_hashprice_of_a_year_is_the_published_mean(year: int, published: float, capsys: Capture) -> None:
    found = document(capsys, "hashprice", "--year", str(year))
    assert found["hashprice_usd_per_ph_day"] == pytest.approx(published, abs=0.05)
    # The fees of 1 December 2024 and of 6 to 10 August 2025 are not known.
    days = {2022: 365, 2023: 365, 2024: 365, 2025: 360}[year]
    assert (found["year"], found["days"], found["basis"]) == (year, days, "observed")
    assert "date" not in found
    lines = text(capsys, "hashprice", "--year", str(year))
    assert lines[0] == f"Hashprice of {year}: mean of {days} days as observed"


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (["--basis", "observed"], [("--basis", "observed")]),
        (["--date", "25.9.2026", "--basis", "x"], [("--basis", "x"), ("--date", "25.9.2026")]),
        (["--date", "2026-02-30"], [("--date", "2026-02-30")]),
        (["--date", "2026-09-24"], [("--date", "2026-09-24")]),
        (["--date", "2024-12-01"], [("--date", "2024-12-01")]),
        (["--date", DAY, "--basis", "observed"], [("--basis", "observed")]),
        (["--date", DAY, "--year", "1999"], [("--date and --year", None), ("--year", "1999")]),
        (["--year", "2025", "--basis", "blocks"], [("--basis", "blocks")]),
        (["--year", "9" * 30], [("--year", "9" * 30)]),
    ],
)
def test_hashprice_refuses_what_is_not_on_record(
    words: list[str], faults: list[tuple[str, str | None]], capsys: Capture
) -> None:
    assert refused(capsys, "hashprice", *words) == faults


def test_a_call_without_a_day_takes_the_newest_on_record(capsys: Capture) -> None:
    for words in (
        ("hashprice",),
        ("hashprice", "--basis", "difficulty"),
        ("breakeven", "--machine", "s21"),
        ("breakeven",),
        ("own-effect", "--mw", "2000", "--efficiency", "17.5"),
    ):
        found = document(capsys, *words)
        assert found == document(capsys, *words, "--date", DAY)
        assert found["date"] == DAY
        lines, dated = text(capsys, *words), text(capsys, *words, "--date", DAY)
        said = f"{DAY} (the newest day on record), basis: "
        assert [line.replace(said, f"{DAY}, basis: ") for line in lines] == dated
        assert lines != dated
        assert main(["bitcoin", words[0], "--help"]) == 0
        shown = " ".join(capsys.readouterr().out.split())
        assert "Default: the newest, that of the latest snapshot." in shown


@pytest.mark.parametrize(
    ("known", "headline"),
    [
        (["2026-01-01", "2026-01-02"], "2026, 2 days in January only: mean as observed"),
        (["2026-05-31"], "2026, 1 day in May only: mean as observed"),
        (
            ["2026-01-31", "2026-02-01", "2026-03-01"],
            "2026, 3 days in January to March only: mean as observed",
        ),
        (
            ["2025-12-31", "2026-01-01", "2026-03-01", "2026-04-01", "2027-02-01"],
            "2026, 3 days in January, March to April only: mean as observed",
        ),
    ],
)
def test_hashprice_of_a_part_of_a_year_names_its_months(
    known: list[str], headline: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = np.array(known, "datetime64[D]")
    several = np.full(len(days), 2.0)
    record = SimpleNamespace(
        date=days,
        fees_known=several > 0,
        hashprice_usd_per_ph_day=several,
        price_usd=several,
        hashrate_ehs=several,
        difficulty=several,
        issuance_satoshi=several,
        fees_satoshi=several,
    )
    monkeypatch.setattr("penstock.bitcoin.year_mean.load_history", lambda: record)
    monkeypatch.setattr("penstock.bitcoin.history.load_history", lambda: record)
    assert text(capsys, "hashprice", "--year", "2026")[0] == f"Hashprice of {headline}"


def test_hashprice_of_the_year_that_ends_the_record_says_so(capsys: Capture) -> None:
    found = document(capsys, "hashprice", "--year", "2026")
    assert (found["days"], found["months"]) == (31, [1])
    assert str(load_history().date[load_history().fees_known][-1]) == "2026-01-31"
    lines = text(capsys, "hashprice", "--year", "2026")
    assert lines[0] == "Hashprice of 2026, 31 days in January only: mean as observed"
    assert document(capsys, "hashprice", "--year", "2025")["months"] == list(range(1, 13))


# --- break-even ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("machine", "efficiency", "blocks", "difficulty"),
    [("s21-xp", 13.5, 126, 124), ("s21", 17.5, 97, 95), ("s19j-pro", 29.5, 58, 57)],
)
def test_break_even_is_the_published_one(
    machine: str, efficiency: float, blocks: int, difficulty: int, capsys: Capture
) -> None:
    found = document(capsys, "breakeven", "--machine", machine, "--date", DAY)
    assert found == {
        "hashprice_usd_per_ph_day": pytest.approx(HASHPRICE, rel=1e-12),
        "overhead_share": 0.0,
        "pool_fee_share": 0.0,
        "date": DAY,
        "basis": "blocks",
        "id": machine,
        "model": load_machines()[machine].model,
        "efficiency_j_per_th": efficiency,
        "break_even_usd_per_mwh": pytest.approx(HASHPRICE / (0.024 * efficiency), rel=1e-12),
        "break_even_usd_per_kwh": pytest.approx(HASHPRICE / (24 * efficiency), rel=1e-12),
    }
    assert round(found["break_even_usd_per_mwh"]) == blocks
    words = ("--efficiency", str(efficiency), "--date", DAY, "--basis", "difficulty")
    found = document(capsys, "breakeven", *words)
    assert round(found["break_even_usd_per_mwh"]) == difficulty
    assert "id" not in found


def test_break_even_takes_overhead_and_fee(capsys: Capture) -> None:
    # 42 x 0.98 = 41.16 USD a day for 24 x 17.5 x 1.05 = 441 kWh.
    words = ("--machine", "s21", "--hashprice", "42", "--overhead", "0.05", "--pool-fee", "0.02")
    found = document(capsys, "breakeven", *words)
    assert found["break_even_usd_per_mwh"] == pytest.approx(41.16 / 0.441, rel=1e-12)
    assert "date" not in found
    assert "basis" not in found
    lines = text(capsys, "breakeven", *words)
    assert "Antminer S21 (s21) 17.5 93.3 0.0933" in lines
    assert "At hashprice 42.00 USD/(PH/s·day), overhead 5.0 %, pool fee 2.0 %." in lines


def test_break_even_without_machine_lists_the_current_industrial_ones(capsys: Capture) -> None:
    found = document(capsys, "breakeven", "--date", DAY)
    listed = {row["id"]: row["break_even_usd_per_mwh"] for row in found["machines"]}
    assert list(listed) == [
        machine.id
        for machine in load_machines().values()
        if machine.status == "current" and machine.segment == "industrial"
    ]
    assert "s21" in listed
    assert "s19j-pro" not in listed
    assert listed["s21"] == pytest.approx(97.44, abs=0.005)
    lines = text(capsys, "breakeven", "--date", DAY)
    assert "Antminer S21 (s21) 17.5 97.4 0.0974" in lines
    assert f"At hashprice 40.92 USD/(PH/s·day) of {DAY}, basis: blocks, " in "\n".join(lines)


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (["--basis", "observed"], [("--basis", "observed")]),
        (["--date", DAY, "--hashprice", "40"], [("--date and --hashprice", None)]),
        (["--machine", "s2l", "--hashprice", "40"], [("--machine", "s2l")]),
        (
            ["--machine", "zzzz", "--hashprice", "40", "--basis", "blocks"],
            [("--machine", "zzzz"), ("--basis", "blocks")],
        ),
        (
            ["--machine", "s21", "--efficiency", "17.5", "--hashprice", "40"],
            [("--machine and --efficiency", None)],
        ),
        (
            [
                *("--efficiency", "0", "--date", "1999-01-01", "--basis", "y"),
                *("--overhead", "1.01", "--pool-fee", "nan"),
            ],
            [
                ("--efficiency", "0"),
                ("--overhead", "1.01"),
                ("--pool-fee", "nan"),
                ("--basis", "y"),
                ("--date", "1999-01-01"),
            ],
        ),
        (
            ["--efficiency", "inf", "--hashprice", "-1", "--overhead", "-0.1", "--pool-fee", "2"],
            [("--efficiency", "inf"), ("--hashprice", "-1"), ("--overhead", "-0.1"), ("--pool-fee", "2")],
        ),
    ],
)
def test_break_even_names_every_fault(
    words: list[str], faults: list[tuple[str, str | None]], capsys: Capture
) -> None:
    assert refused(capsys, "breakeven", *words) == faults


@pytest.mark.parametrize("efficiency", ["1e-3", "1e15"])
@pytest.mark.parametrize("hashprice", ["0", "1e12"])
def test_break_even_is_finite_at_the_limits(efficiency: str, hashprice: str, capsys: Capture) -> None:
    found = document(capsys, "breakeven", "--efficiency", efficiency, "--hashprice", hashprice)
    expected = float(hashprice) / (0.024 * float(efficiency))
    assert found["break_even_usd_per_mwh"] == pytest.approx(expected, rel=1e-12)
    for words in (("--efficiency", "9.9e-4"), ("--efficiency", "1.1e15")):
        assert refused(capsys, "breakeven", *words, "--hashprice", hashprice)[0][0] == "--efficiency"


@pytest.mark.parametrize("mw", ["1e-6", "50000"])
@pytest.mark.parametrize("efficiency", ["1e-3", "1e15"])
def test_own_effect_is_finite_at_the_limits(mw: str, efficiency: str, capsys: Capture) -> None:
    found = document(capsys, "own-effect", "--mw", mw, "--efficiency", efficiency, "--date", DAY)
    own = float(mw) / float(efficiency)
    assert found["own_ehs"] == pytest.approx(own, rel=1e-12)
    assert 0.0 <= found["share_of_network"]["value"] <= 1.0
    assert 0.0 < found["hashprice_after_usd_per_ph_day"]["value"] <= HASHPRICE * (1 + 1e-6)


def test_an_unknown_machine_is_answered_with_those_spelled_alike(capsys: Capture) -> None:
    assert main(["bitcoin", "breakeven", "--machine", "s21x", "--hashprice", "40"]) == 2
    assert re.search(
        r"--machine: is not known \(value: 's21x'\)\. Mend: give one of .*s21-xp", capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "named", ["s21", "S21", "Antminer S21", "antminer  s21 ", "ANTMINER S21", "Antminer S21 (s21)"]
)
def test_a_machine_is_known_by_its_id_and_its_model_whatever_the_case(named: str, capsys: Capture) -> None:
    found = document(capsys, "breakeven", "--machine", named, "--hashprice", "42")
    assert (found["id"], found["model"]) == ("s21", "Antminer S21")
    assert found["break_even_usd_per_mwh"] == pytest.approx(100.0, rel=1e-12)  # 42 / (24 x 17.5) = 0.1


def test_every_machine_of_the_catalogue_is_known_as_the_table_prints_it() -> None:
    machines = load_machines()
    names = {machine.id: machine.model for machine in machines.values()}
    faults: list[Fault] = []
    for key, name in names.items():
        for asked in (key, key.upper(), name, name.upper(), f"{name} ({key})"):
            assert read_named(faults, "--machine", asked, names) == key
    assert faults == []


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("S21x", "s21 (Antminer S21), s21-xp (Antminer S21 XP)"),
        ("Antminr S21", "s21 (Antminer S21)"),
        ("whatsminer m60ss", "m60s (Whatsminer M60S)"),
    ],
)
def test_a_machine_misspelled_is_answered_with_near_ids_and_names(
    asked: str, offered: str, capsys: Capture
) -> None:
    assert main(["bitcoin", "breakeven", "--machine", asked, "--hashprice", "40"]) == 2
    assert f"Mend: give one of {offered}" in capsys.readouterr().err


def test_a_share_outside_its_limits_is_called_a_share(capsys: Capture) -> None:
    assert main(["bitcoin", "breakeven", "--hashprice", "40", "--overhead", "2"]) == 2
    assert "--overhead: must be from 0 to 1 (a share) (value: '2')" in capsys.readouterr().err


# --- retarget --------------------------------------------------------------------------------------------

# Bitcoin Core, src/test/pow_tests.cpp: bits, times of the first and last block, next bits.
VECTORS = [
    ("0x1d00ffff", 1261130161, 1262152739, "0x1d00d86a"),
    ("0x1d00ffff", 1231006505, 1233061996, "0x1d00ffff"),
    ("0x1c05a3f4", 1279008237, 1279297671, "0x1c0168fd"),
    ("0x1c387f6f", 1263163443, 1269211443, "0x1d00e1fd"),
]


@pytest.mark.parametrize(("bits", "first", "last", "expected"), VECTORS)
def test_retarget_gives_the_bits_of_bitcoin_core(
    bits: str, first: int, last: int, expected: str, capsys: Capture
) -> None:
    found = document(capsys, "retarget", "--bits", bits, "--first", str(first), "--last", str(last))
    assert (found["bits"], found["next_bits"]) == (bits, expected)
    assert found["timespan_seconds"] == last - first
    assert found["clamped"] == (not 302_400 <= last - first <= 4_838_400)


def test_retarget_says_what_changes(capsys: Capture) -> None:
    words = ("retarget", "--bits", "0x1c05a3f4", "--first", "1279008237", "--last", "1279297671")
    assert document(capsys, *words) == {
        "bits": "0x1c05a3f4",
        "next_bits": "0x1c0168fd",
        "target": "0x" + "00000000" + "05a3f4" + "0" * 50,
        "next_target": "0x" + "00000000" + "0168fd" + "0" * 50,
        "difficulty": pytest.approx(0xFFFF * 256 / 0x05A3F4, rel=1e-12),
        "next_difficulty": pytest.approx(0xFFFF * 256 / 0x0168FD, rel=1e-12),
        "change_percent": pytest.approx(300.0, rel=1e-12),  # a quarter of two weeks: 4 x 0x0168fd = 0x05a3f4
        "timespan_seconds": 289_434,
        "counted_seconds": 302_400,
        "clamped": True,
    }
    lines = text(capsys, *words)
    assert "Change % +300.00" in lines
    assert "Bits, new 0x1c0168fd" in lines
    assert "Timespan s 289,434 (beyond the rule's limits)" in lines
    assert "Timespan counted s 302,400" in lines


@pytest.mark.parametrize(
    "first", ["2009-12-18T09:56:01Z", "2009-12-18T09:56:01", "2009-12-18T14:56:01+05:00", "1261130161"]
)
def test_retarget_reads_times_in_seconds_and_iso_8601(first: str, capsys: Capture) -> None:
    words = ("--bits", str(0x1D00FFFF), "--first", first, "--last", "2009-12-30T05:58:59Z")
    found = document(capsys, "retarget", *words)
    assert (found["next_bits"], found["timespan_seconds"]) == ("0x1d00d86a", 1_022_578)
    assert found["change_percent"] == pytest.approx(100 * (0xFFFF / 0xD86A - 1), rel=1e-12)
    assert found["clamped"] is False


@pytest.mark.parametrize(
    ("bits", "first", "last", "faults"),
    [
        ("zz", "10", "5", [("--bits", "zz"), ("--last", "5")]),
        ("0x04923456", "soon", "10", [("--first", "soon"), ("--bits", "0x04923456")]),  # negative
        ("0xff123456", "1", "2", [("--bits", "0xff123456")]),  # more than 256 bits
        ("0x1d010000", "1", "2", [("--bits", "0x1d010000")]),  # above the limit
        ("0x1d00ffff0", "1", "2", [("--bits", str(0x1D00FFFF0))]),  # more than 32 bits
        ("0x00000000", "1", "2", [("--bits", "0x00000000")]),
        ("-5", "1", "2", [("--bits", "-5")]),
        ("0x1d00ffff", "-1", "4294967296", [("--first", "-1"), ("--last", "4294967296")]),
        (
            "0x1d00ffff",
            "2021-01-01T00:00:00.5Z",
            "nan",
            [("--first", "2021-01-01T00:00:00.5Z"), ("--last", "nan")],
        ),
        ("0x1d00ffff", "2021-01-02", "2021-01-01", [("--last", "1609459200")]),
    ],
)
def test_retarget_names_every_fault(
    bits: str, first: str, last: str, faults: list[tuple[str, str | None]], capsys: Capture
) -> None:
    assert refused(capsys, "retarget", "--bits", bits, "--first", first, "--last", last) == faults


# --- own effect ------------------------------------------------------------------------------------------


def test_own_effect_lies_between_none_and_that_without_answer(capsys: Capture) -> None:
    words = ("own-effect", "--mw", "2000", "--efficiency", "17.5", "--date", DAY)
    found = document(capsys, *words)
    own = 2000 / 17.5  # 1 EH/s at e J/TH draws e MW
    alone = HASHPRICE * 929.6 / (929.6 + own)
    assert found["own_ehs"] == pytest.approx(own, rel=1e-12)
    assert found["hashprice_before_usd_per_ph_day"] == pytest.approx(HASHPRICE, rel=1e-12)
    assert found["hashprice_without_response_usd_per_ph_day"] == pytest.approx(alone, rel=1e-5)
    after = found["hashprice_after_usd_per_ph_day"]
    assert alone < after["low"] < after["value"] < after["high"] < HASHPRICE
    for end, other in (("value", "value"), ("low", "high"), ("high", "low")):
        fall = found["fall_share"][end]
        assert fall == pytest.approx(1 - after[other] / HASHPRICE, abs=1e-5)
        lost = 1000 * own * HASHPRICE * fall
        assert found["income_lost_usd_per_day"][end] == pytest.approx(lost, rel=1e-4)
        # The day's income is the same: hashrate times hashprice stays.
        network = 929.6 + own - found["others_left_ehs"][end]
        assert network * after[end] == pytest.approx(929.6 * HASHPRICE, rel=1e-4)
        assert found["share_of_network"][end] == pytest.approx(own / network, rel=1e-4)
    lines = text(capsys, *words)
    assert lines[0] == f"114.3 EH/s of one's own (2,000 MW) on {DAY}, basis: blocks"
    assert "Hashprice without the fleet USD/(PH/s·day) 40.92" in lines
    falls = " ".join(f"{100 * found['fall_share'][end]:.2f}" for end in ("value", "low", "high"))
    assert f"Fall of the hashprice % {falls}" in lines


def test_own_effect_counts_the_overhead_as_power_without_hash(capsys: Capture) -> None:
    words = ("own-effect", "--mw", "105", "--efficiency", "20", "--date", DAY, "--overhead", "0.05")
    assert document(capsys, *words)["own_ehs"] == pytest.approx(5.0, rel=1e-12)


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (
            [
                "--mw",
                "nan",
                "--efficiency",
                "-1",
                "--date",
                "1999-01-01",
                "--overhead",
                "1.1",
                "--basis",
                "x",
            ],
            [
                *(("--mw", "nan"), ("--efficiency", "-1"), ("--overhead", "1.1"), ("--basis", "x")),
                ("--date", "1999-01-01"),
            ],
        ),
        (["--mw", "5", "--efficiency", "20", "--date", "2015-06-01"], [("--date", "2015")]),  # no fleet known
    ],
)
def test_own_effect_names_every_fault(
    words: list[str], faults: list[tuple[str, str | None]], capsys: Capture
) -> None:
    assert refused(capsys, "own-effect", *words) == faults


def test_own_effect_needs_a_size(capsys: Capture) -> None:
    assert main(["bitcoin", "own-effect", "--efficiency", "20", "--date", DAY, "--json"]) == 2
    (fault,) = json.loads(capsys.readouterr().out)["error"]["faults"]
    assert fault["place"] == "--mw"


def test_own_effect_takes_no_more_power_than_a_programme(capsys: Capture) -> None:
    assert MAXIMUM_MW == 50_000.0
    words = ("own-effect", "--efficiency", "17.5", "--date", DAY, "--mw")
    assert document(capsys, *words, "50000")["mw"] == MAXIMUM_MW
    assert refused(capsys, *words, "50000.1") == [("--mw", "50000.1")]
    assert main(["bitcoin", *words, "2000000"]) == 2
    assert "--mw: must be from 1e-06 to 50000 [MW] (value: '2000000')" in capsys.readouterr().err
