"""`penstock bitcoin paths`: text and JSON, the same numbers in any order, every bad input, and its page."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from penstock.bitcoin.history import load_history
from penstock.cli import main
from penstock.report.formats import number

Capture = pytest.CaptureFixture[str]
Faults = list[tuple[str, str | None]]
PAGE = Path(__file__).resolve().parent.parent / "docs" / "which-price-of-bitcoin.md"
GOOD = "date,price_usd,fees_btc\n2027-01-01,80000,1\n2027-01-02,90000,2\n2027-01-03,70000,3\n"


def document(capture: Capture, *words: str) -> dict[str, Any]:
    assert main(["bitcoin", "paths", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capture.readouterr().out)
    return found


def text(capture: Capture, *words: str) -> list[str]:
    assert main(["bitcoin", "paths", *words]) == 0
    return [re.sub(" +", " ", line).strip() for line in capture.readouterr().out.splitlines()]


def refused(capture: Capture, *words: str) -> list[dict[str, Any]]:
    """The faults, which the text names as well."""
    assert main(["bitcoin", "paths", *words, "--json"]) == 2
    shown = capture.readouterr()
    faults: list[dict[str, Any]] = json.loads(shown.out)["error"]["faults"]
    assert all(fault["problem"] in shown.err and fault["mend"] in shown.err for fault in faults)
    assert main(["bitcoin", "paths", *words]) == 2
    assert capture.readouterr().out == ""
    return faults


def own_file(folder: Path, content: str) -> str:
    (folder / "mine.csv").write_text(content, "utf-8")
    return str(folder / "mine.csv")


# --- drawn paths -----------------------------------------------------------------------------------------


def test_bootstrap_is_what_is_drawn_by_default(capsys: Capture) -> None:
    found = document(capsys)
    assert found == document(capsys, "--kind", "bootstrap", "--seed", "1", "--since", "2021-01-01")
    about = ("kind", "first_date", "last_date", "days", "samples", "seed", "start_price_usd")
    assert [found[key] for key in about] == [
        *("bootstrap", "2026-09-25", "2027-09-24", 365, 1000, 1),
        83_847.0,
    ]
    assert (found["first_height_blocks"], found["fees_filled_days"]) == (968_566, 0)
    assert found["past"] == {
        "since_date": "2021-01-01",
        "until_date": "2026-06-13",
        "used_days": 1851,
        "left_out_days": 138,
    }
    assert found["block_length_days"] > 1
    assert "calibration" not in found
    for key in ("price_at_end_usd", "mean_reward_usd_per_day", "mean_fees_satoshi_per_day"):
        figure = found[key]
        assert list(figure["quantiles"]) == [f"{percent}_percent" for percent in (5, 25, 50, 75, 95)]
        assert sorted(figure["quantiles"].values()) == list(figure["quantiles"].values())
        assert figure["samples"] == found["below_start_share"]["samples"] == 1000
        assert figure["standard_error"] > 0


def test_the_text_shows_the_figures(capsys: Capture) -> None:
    words = ("--samples", "50", "--days", "90", "--kind", "jumps")
    found, lines = document(capsys, *words), text(capsys, *words)
    price = found["price_at_end_usd"]
    cells = (price["mean"], price["standard_error"], *price["quantiles"].values())
    assert f"Price, last day 1000 USD {' '.join(number(cell / 1000, 1) for cell in cells)}" in lines
    reward = number(found["mean_reward_usd_per_day"]["mean"] / 1e6, 1)
    assert any(line.startswith(f"Miners' reward M USD/day {reward} ") for line in lines)
    below = number(100 * found["below_start_share"]["mean"], 1)
    assert any(line.startswith(f"Below the start at the end: {below}% of the paths") for line in lines)
    assert any(line.startswith("Volatility between jumps 1/√year 0.24693 0.026027") for line in lines)


def test_jumps_say_how_they_were_calibrated(capsys: Capture) -> None:
    found = document(capsys, "--kind", "jumps", "--samples", "5", "--days", "10")
    assert "block_length_days" not in found
    assert list(found["calibration"]) == [
        *("drift_per_year", "volatility_per_root_year", "jumps_per_year", "jump_mean_log", "jump_sd_log"),
        "fees_over_new_coins_share",
    ]
    assert all(value["standard_error"] > 0 for value in found["calibration"].values())
    # Every day has the same fees: a share of 144 x 3.125 BTC.
    share = found["calibration"]["fees_over_new_coins_share"]["value"]
    assert found["mean_fees_satoshi_per_day"]["mean"] == pytest.approx(share * 450e8, abs=1)
    assert found["mean_fees_satoshi_per_day"]["standard_error"] == 0.0


@pytest.mark.parametrize("kind", ["bootstrap", "jumps"])
def test_a_sample_does_not_depend_on_the_others(kind: str, capsys: Capture, tmp_path: Path) -> None:
    def rows(samples: int, seed: int) -> list[str]:
        out = tmp_path / "paths.csv"
        words = ("--kind", kind, "--days", "20", "--out", str(out), "--seed", str(seed))
        document(capsys, *words, "--samples", str(samples))
        return out.read_text("utf-8").splitlines()

    few, many = rows(3, 7), rows(8, 7)
    assert (len(few), len(many)) == (61, 161)
    assert many[:61] == few
    assert rows(3, 8) != few


def test_out_holds_what_the_figures_are_of(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "new" / "paths.csv"
    words = ("--samples", "4", "--days", "3", "--first", "2027-01-01", "--price", "1000", "--height", "0")
    found = document(capsys, *words, "--out", str(out))
    assert found["file"] == str(out)
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["sample", "date", "price_usd", "fees_satoshi"]
    assert [(row["sample"], row["date"]) for row in rows[2:4]] == [("0", "2027-01-03"), ("1", "2027-01-01")]
    assert {row["price_usd"] for row in rows[::3]} == {"1000.0"}
    ends = [float(row["price_usd"]) for row in rows[2::3]]
    assert found["price_at_end_usd"]["mean"] == pytest.approx(sum(ends) / 4, rel=1e-12)
    coins = [7200 + int(row["fees_satoshi"]) / 1e8 for row in rows]  # 144 x 50 BTC from block 0 on
    reward = sum(coin * float(row["price_usd"]) for coin, row in zip(coins, rows, strict=True)) / 12
    assert found["mean_reward_usd_per_day"]["mean"] == pytest.approx(reward, rel=1e-12)
    assert [path.name for path in out.parent.iterdir()] == ["paths.csv"]


def test_out_keeps_the_earlier_file_where_the_drawing_fails(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from penstock.bitcoin import path_summary

    out = tmp_path / "paths.csv"
    out.write_text("earlier", "utf-8")
    whole, calls = path_summary.outcome_of, []

    def fails_late(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(*given)

    monkeypatch.setattr(path_summary, "outcome_of", fails_late)
    assert main(["bitcoin", "paths", "--samples", "5", "--days", "2", "--out", str(out)]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert out.read_text("utf-8") == "earlier"
    assert list(tmp_path.iterdir()) == [out]


def test_progress_goes_to_standard_error(capsys: Capture) -> None:
    assert main(["bitcoin", "paths", "--samples", "2", "--days", "2", "--json"]) == 0
    shown = capsys.readouterr()
    assert "Drawing paths" in shown.err
    json.loads(shown.out)


# --- the price at the start ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "usd", "day", "said"),
    [
        ((), 83_847, "2026-09-25", "83,847 USD, the price of 2026-09-25 (the latest snapshot)."),
        (
            ("--first", "2027-09-26"),
            83_847,
            "2026-09-25",
            "83,847 USD, the price of 2026-09-25 (the latest snapshot), 366 days before the first day.",
        ),
        (
            ("--first", "2026-09-24"),
            83_847,
            "2026-09-25",
            "83,847 USD, the price of 2026-09-25 (the latest snapshot), 1 day after the first day.",
        ),
        (
            ("--first", "2030-01-01", "--price", "90000"),
            90_000,
            "2030-01-01",
            "90,000 USD, the price of 2030-01-01 as given with --price.",
        ),
    ],
)
@pytest.mark.parametrize("kind", ["bootstrap", "jumps"])
def test_drawn_paths_say_whose_price_they_start_from(
    kind: str, words: tuple[str, ...], usd: float, day: str, said: str, capsys: Capture
) -> None:
    words = (*words, "--kind", kind, "--samples", "2", "--days", "2")
    found = document(capsys, *words)
    assert (found["start_price_usd"], found["start_price_date"]) == (usd, day)
    assert f"The paths start from {said}" in text(capsys, *words)


def test_a_single_path_says_whose_price_it_starts_from(capsys: Capture, tmp_path: Path) -> None:
    words = ("--kind", "replay", "--first", "2022-01-01", "--days", "3")
    assert document(capsys, *words)["start_price_date"] == "2022-01-01"
    usd = number(load_history().price_usd[list(load_history().date.astype(str)).index("2022-01-01")])
    assert f"The path starts from {usd} USD, the price of 2022-01-01 on record." in text(capsys, *words)
    given = ("--file", own_file(tmp_path, GOOD))
    assert document(capsys, *given)["start_price_date"] == "2027-01-01"
    assert "The path starts from 80,000 USD, the price of 2027-01-01 in the file." in text(capsys, *given)


@pytest.mark.parametrize("kind", ["bootstrap", "jumps"])
def test_paths_that_begin_far_off_ask_for_a_price(kind: str, capsys: Capture) -> None:
    words = ("--kind", kind, "--samples", "2", "--days", "2", "--first")
    (fault,) = refused(capsys, *words, "2027-09-27")
    assert (fault["place"], fault["value"]) == ("--first", "2027-09-27")
    assert fault["problem"] == (
        "lies 367 days after 2026-09-25, whose price of 83847 USD the paths would start from; "
        "limit: 366 [days]"
    )
    assert fault["mend"] == "give the price on that day with --price, or a day up to 2027-09-26"
    document(capsys, *words, "2027-09-27", "--price", "90000")


# --- one path --------------------------------------------------------------------------------------------


def test_replay_is_the_past(capsys: Capture) -> None:
    words = ("--kind", "replay", "--first", "2024-11-30", "--days", "3")
    found = document(capsys, *words)
    history = load_history()
    at = [str(day) for day in history.date].index("2024-11-30")
    assert (found["samples"], found["seed"], found["first_height_blocks"]) == (1, None, None)
    assert found["price_at_end_usd"]["mean"] == history.price_usd[at + 2]
    assert found["price_at_end_usd"]["standard_error"] is None
    fees = history.fees_satoshi[[at, at + 2]].tolist()
    filled = (fees[0] + fees[1]) // 2  # those of 1 December 2024 are not known
    assert found["fees_filled_days"] == 1
    assert found["mean_fees_satoshi_per_day"]["mean"] == pytest.approx((sum(fees) + filled) / 3, rel=1e-12)
    assert "Fees of 1 day are not known and were filled in." in text(capsys, *words)


def test_a_path_of_ones_own_by_hand(capsys: Capture, tmp_path: Path) -> None:
    words = ("--file", own_file(tmp_path, GOOD), "--height", "1049900")
    found = document(capsys, *words)
    assert (found["kind"], found["days"], found["below_start_share"]["mean"]) == ("file", 3, 1.0)
    assert found["mean_fees_satoshi_per_day"]["mean"] == 2e8
    # 100 blocks of 3.125 and 44 of 1.5625 BTC on the first day, then 144 of 1.5625 BTC.
    usd = (312.5 + 68.75 + 1) * 80_000 + (225 + 2) * 90_000 + (225 + 3) * 70_000
    assert found["mean_reward_usd_per_day"]["mean"] == pytest.approx(usd / 3, rel=1e-12)
    assert found["price_at_end_usd"]["quantiles"] == dict.fromkeys(
        [f"{percent}_percent" for percent in (5, 25, 50, 75, 95)], 70_000.0
    )
    lines = text(capsys, *words)
    assert "It ends below the start." in lines
    assert "Price, last day 1000 USD 70.0 –" in lines


def test_a_bad_file_is_refused_with_every_fault(capsys: Capture, tmp_path: Path) -> None:
    bad = (
        "date,price_usd,fees_btc\n2027-01-01,80000,1\n2027-01-02,nan,2\n"
        "2027-01-04,81000,-1\n2027-01-04,81000,1\n2027-01-05,,1\n"
    )
    out = tmp_path / "out.csv"
    faults = refused(capsys, "--file", own_file(tmp_path, bad), "--out", str(out))
    assert {(fault["place"], fault["row"], fault["column"], fault["value"]) for fault in faults} == {
        ("mine.csv", 3, "price_usd", "nan"),
        ("mine.csv", 4, "fees_btc", "-1"),
        ("mine.csv", 4, "date", "2027-01-04"),
        ("mine.csv", 5, "date", "2027-01-04"),
        ("mine.csv", 6, "price_usd", ""),
    }
    assert any("1 day is missing between 2027-01-02 and 2027-01-04" in fault["problem"] for fault in faults)
    assert not out.exists()


# --- bad options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "faults"),
    [
        (
            ["--kind", "x", "--days", "0", "--samples", "-1", "--seed", "-1", "--height", "-1"],
            [("--kind", "x"), ("--days", "0"), ("--samples", "-1"), ("--seed", "-1"), ("--height", "-1")],
        ),
        (
            ["--days", "3651", "--samples", "100001", "--seed", str(2**63), "--price", "nan"],
            [("--days", "3651"), ("--samples", "100001"), ("--seed", str(2**63)), ("--price", "nan")],
        ),
        (["--samples", "9" * 400, "--price", "-5"], [("--samples", "9" * 400), ("--price", "-5")]),
        (["--first", "today", "--since", "2021-13-01"], [("--first", "today"), ("--since", "2021-13-01")]),
        (["--since", "2011-12-31"], [("--since", "2011-12-31")]),
        (["--since", "2026-01-01", "--days", "0"], [("--days", "0"), ("--since", "2026-01-01")]),
        (["--first", "1990-01-01"], [("--height", "1990-01-01")]),
        (["--kind", "replay"], [("--first", None)]),
        (["--kind", "replay", "--first", "2026-06-01"], [("--first", "2026-06-01")]),
        (["--kind", "replay", "--first", "2026-01-01", "--days", "90"], [("--first", None)]),
        (
            ["--kind", "replay", "--first", "2022-01-01", "--samples", "3", "--seed", "0", "--price", "1.5"],
            [("--samples", "3"), ("--seed", "0"), ("--price", "1.5")],
        ),
        (["--days", "3650", "--samples", "10000", "--out", "x.csv"], [("--out", "x.csv")]),
        (["--out", "."], [("--out", ".")]),
        (["--out", "/dev/null"], [("--out", "/dev/null")]),
        (["--out", "x" * 300], [("--out", "x" * 300)]),
    ],
)
def test_bad_options_are_all_named(words: list[str], faults: Faults, capsys: Capture) -> None:
    assert [(fault["place"], fault["value"]) for fault in refused(capsys, *words)] == faults


def test_a_seed_has_no_unit(capsys: Capture) -> None:
    (fault,) = refused(capsys, "--seed", "-1")
    assert fault["problem"] == f"must be a whole number from 0 to {2**63 - 1}"


def test_a_gap_in_the_fees_is_not_replayed(capsys: Capture) -> None:
    (fault,) = refused(capsys, "--kind", "replay", "--first", "2026-01-01", "--days", "90")
    assert "fees of 59 days are not known, the first is 2026-02-01" in fault["problem"]
    assert fault["mend"] == "choose other days"


def test_a_file_takes_no_options_of_drawing(capsys: Capture, tmp_path: Path) -> None:
    file = own_file(tmp_path, GOOD)
    given = {
        "--samples": "3",
        "--seed": "0",
        "--since": "2022-01-01",
        "--price": "5.0",
        "--kind": "jumps",
        "--days": "3",
        "--first": "2027-01-01",
    }
    words = [word for pair in given.items() for word in pair]
    found = refused(capsys, "--file", file, *words, "--out", file)
    assert {fault["place"]: fault["value"] for fault in found} == given | {"--out": file}
    assert Path(file).read_text("utf-8") == GOOD
    (fault,) = refused(capsys, "--file", str(tmp_path / "none.csv"))
    assert (fault["place"], fault["value"]) == ("none.csv", str(tmp_path / "none.csv"))
    assert fault["mend"] == "check the path"
    (fault,) = refused(capsys, "--file", str(tmp_path))  # it is there, but no file
    assert fault["mend"] != "check the path"


# --- the page --------------------------------------------------------------------------------------------


def page_row(first: str, table: int) -> list[str]:
    """Cells after the first of the row that starts so, in the page's table of that number."""
    tables = re.findall(r"(?:^\|.*\n)+", PAGE.read_text("utf-8"), re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables[table].splitlines()]
    (row,) = (row for row in rows if row[0] == first)
    return row[1:]


def shown(figure: dict[str, Any], factor: float, decimals: int) -> list[str]:
    values = (figure["mean"], figure["standard_error"], *figure["quantiles"].values())
    return [number(value * factor, decimals) for value in values]


@pytest.mark.parametrize("kind", ["bootstrap", "jumps"])
def test_page_has_the_figures_of_the_default_call(kind: str, capsys: Capture) -> None:
    found = document(capsys, "--kind", kind)
    below = number(100 * found["below_start_share"]["mean"], 1)
    assert page_row(f"`{kind}`", 0) == [*shown(found["price_at_end_usd"], 1.0, 0), below]
    assert page_row(f"`{kind}`", 1) == shown(found["mean_reward_usd_per_day"], 1e-6, 1)
    page = " ".join(PAGE.read_text("utf-8").split())
    if kind == "jumps":
        drift = found["calibration"]["drift_per_year"]
        assert f"{drift['value']:.2f} a year with a standard error of {drift['standard_error']:.2f}" in page
        return
    assert f"blocks of {found['block_length_days']} days on average" in page
    assert f"not known on {found['past']['left_out_days']} days" in page
    low, high = (round(found["price_at_end_usd"]["quantiles"][f"{at}_percent"], -3) for at in (5, 95))
    assert f"between {low:,.0f} and {high:,.0f} USD, and in {float(below):.0f} of a hundred below" in page


@pytest.mark.parametrize("since", ["2012-01-01", "2016-01-01", "2021-01-01", "2022-01-01", "2024-01-01"])
def test_page_has_the_figures_of_each_past(since: str, capsys: Capture) -> None:
    found = document(capsys, "--since", since)
    mean, _, low, _, middle, _, high = shown(found["price_at_end_usd"], 1.0, 0)
    below = number(100 * found["below_start_share"]["mean"], 1)
    assert page_row(since, 2) == [mean, low, middle, high, below]


@pytest.mark.parametrize("year", ["2022", "2023"])
def test_page_has_what_did_happen(year: str, capsys: Capture) -> None:
    found = document(capsys, "--kind", "replay", "--first", f"{year}-01-01")
    start, end = found["start_price_usd"], found["price_at_end_usd"]["mean"]
    reward = number(found["mean_reward_usd_per_day"]["mean"] / 1e6, 1)
    assert page_row(year, 3) == [number(start), number(end), reward]
    if year == "2022":
        assert f"lost {100 * (1 - end / start):.0f} % of it" in PAGE.read_text("utf-8")


def test_page_has_the_years_ahead_and_the_days_left_out(capsys: Capture) -> None:
    import numpy as np

    page = " ".join(PAGE.read_text("utf-8").split())
    ends = document(capsys, "--days", "1825")["price_at_end_usd"]["quantiles"]
    assert f"between {ends['5_percent']:,.0f} and {ends['95_percent']:,.0f} USD" in page
    history = load_history()
    since = history.date[:-1] >= np.datetime64("2021-01-01")
    growth = np.diff(np.log(history.price_usd))[since]
    known = history.fees_known[:-1][since]
    assert f"fell by {100 * -np.expm1(growth[~known].sum()):.0f} % together" in page
    used, whole = (365 * days.mean() for days in (growth[known], growth))
    assert f"log price {used:.2f} a year instead of {whole:.2f}." in page
    assert len(PAGE.read_text("utf-8").splitlines()) < 100
