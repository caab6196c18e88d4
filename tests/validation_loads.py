"""What the model gives for the outside figures on Bitcoin and flexible loads, as a Markdown table.

Every number of the model in that chapter of docs/validation.md is made here, so that none can go stale.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from penstock.bitcoin.effect_on_date import own_effect_on
from penstock.bitcoin.epochs import epoch_times, epochs
from penstock.bitcoin.history import hashprice_on, load_history, load_prices
from penstock.bitcoin.network import (
    BLOCKS_PER_EPOCH,
    LONGEST_EPOCH_SECONDS,
    SHORTEST_EPOCH_SECONDS,
    next_bits,
    timespan_window,
)
from penstock.bitcoin.retarget import Retarget, retarget
from penstock.bitcoin.world import network_energy_twh_per_year, supply_range
from penstock.bitcoin.year_mean import mean_hashprice
from penstock.loads.compute import default_centre
from penstock.loads.elasticity import texas_check
from penstock.loads.trials import load_trials
from penstock.programme.terms import load_terms
from tests.validation_doc import number, table

SNAPSHOT = "2026-09-25"
MACHINES_J_PER_TH = (13.5, 17.5, 29.5)
# First and last block's time, old and new bits: Bitcoin Core, src/test/pow_tests.cpp.
CORE_VECTORS = (
    (1261130161, 1262152739, 0x1D00FFFF, 0x1D00D86A),
    (1231006505, 1233061996, 0x1D00FFFF, 0x1D00FFFF),
    (1279008237, 1279297671, 0x1C05A3F4, 0x1C0168FD),
    (1263163443, 1269211443, 0x1C387F6F, 0x1D00E1FD),
)
YEARS = {2022: 124.1, 2023: 74.7, 2024: 64.4, 2025: 50.6}
VOLCANO_MW, VOLCANO_J_PER_TH, VOLCANO_CLAIM_BTC = 1.5, 29.5, 473.5
VOLCANO_FIRST, VOLCANO_LAST = "2021-09-01", "2024-05-31"
RIOT_MONTH, RIOT_BTC = "2023-08", 333
RIOT_CURTAILED_USD, RIOT_RESPONSE_USD = 24.2e6, 7.4e6
# Norris et al.: share of energy curtailed -> GW opened, hours a year, hours of the mean event.
NORRIS = {0.0025: (76, 85, 1.7), 0.005: (98, 177, 2.1), 0.01: (126, 366, 2.5)}

Row = tuple[str, str, str, str]


def exact_retargets() -> tuple[int, int]:
    """Epochs whose last block's time is on record: how many come out exactly, and how many there are."""
    record = epochs()
    right = 0
    for times in epoch_times():
        following = (times.last_block_height + 1) // BLOCKS_PER_EPOCH
        found = next_bits(record[following - 1].bits, times.first_block_time_unix, times.last_block_time_unix)
        right += found == record[following].bits
    return right, len(epoch_times())


def implied_gaps() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """From each header-timed epoch's last block to the next one's first, as the bits imply it. [s]"""
    limits = {SHORTEST_EPOCH_SECONDS, LONGEST_EPOCH_SECONDS}
    gaps = []
    for before, after in pairwise(epochs()):
        window = timespan_window(before.bits, after.bits)
        if {before.time_basis, after.time_basis} == {"header"} and not limits & set(window):
            gaps.append(after.start_time_unix - before.start_time_unix - sum(window) / 2)
    return np.array(gaps, dtype=np.float64)


def gap_mean_and_error() -> tuple[float, float]:
    """Mean of the implied gaps and its standard error. [s]"""
    gaps = implied_gaps()
    return float(gaps.mean()), float(gaps.std(ddof=1) / math.sqrt(gaps.size))


def greatest_fall() -> Retarget:
    """The retarget at block 689,472, from the bits and the times of the epoch before it."""
    times = next(row for row in epoch_times() if row.last_block_height == 689_471)
    epoch = epochs()[689_471 // BLOCKS_PER_EPOCH]
    return retarget(epoch.bits, times.first_block_time_unix, times.last_block_time_unix)


def break_evens(basis: str) -> list[float]:
    """Break-evens of the machines on the day of the snapshot, cooling and pool fee left out. [USD/MWh]"""
    hashprice = hashprice_on(SNAPSHOT, basis).usd_per_ph_day
    return [1000.0 * hashprice / (24.0 * energy) for energy in MACHINES_J_PER_TH]


def volcano_btc(*, with_fees: bool = True) -> float:
    """What the volcano's machines would have mined, running all the time at the record's network. [BTC]"""
    record = load_history()
    days = (record.date >= np.datetime64(VOLCANO_FIRST)) & (record.date <= np.datetime64(VOLCANO_LAST))
    if not record.fees_known[days].all():
        raise ValueError("the fees of some of these days are not known")
    reward = (record.issuance_satoshi + with_fees * record.fees_satoshi)[days] / 1e8
    return float((VOLCANO_MW / VOLCANO_J_PER_TH / record.hashrate_ehs[days] * reward).sum())


def volcano_needs_j_per_th() -> float:
    """Energy per hash at which the claim would be true; the yield is inverse to it. [J/TH]"""
    return VOLCANO_J_PER_TH * volcano_btc() / VOLCANO_CLAIM_BTC


def riot_mined_usd() -> float:
    """The bitcoin that Riot mined in August 2023 at the month's mean price. [USD]"""
    prices = load_prices()
    days = prices.date.astype("datetime64[M]") == np.datetime64(RIOT_MONTH)
    return RIOT_BTC * float(prices.price_usd[days].mean())


def month_without_fees(month: str) -> tuple[float, float]:
    """Hashprice without fees [USD/(PH/s*day)] and hashrate [EH/s], means of a month's days."""
    record = load_history()
    days = record.date.astype("datetime64[M]") == np.datetime64(month)
    earned = record.issuance_satoshi[days] / 1e8 * record.price_usd[days]
    hashrate = record.hashrate_ehs[days]
    return float((earned / (1000.0 * hashrate)).mean()), float(hashrate.mean())


def answer_of_others() -> tuple[float, float, tuple[float, float, float]]:
    """Hashrate of October 2025 and March 2026 on record, and the model's March: value, low, high. [EH/s]"""
    (october, hashrate), (march, recorded) = month_without_fees("2025-10"), month_without_fees("2026-03")
    supplies = supply_range(2025, hashrate_ehs=hashrate, hashprice_usd_per_ph_day=october)
    found = [
        float(supply.hashrate_ehs(march)) for supply in (supplies.central, supplies.most, supplies.least)
    ]
    return hashrate, recorded, (found[0], min(found), max(found))


def loads_figures() -> str:
    """The chapter's tables."""
    head = ("check", "model", "published", "they agree")
    return "\n\n".join(
        (
            "### Bitcoin, checked",
            table(head, [*_rule_rows(), *_hashprice_rows(), *_network_rows()]),
            "### Miners, checked",
            table(head, [*_elasticity_rows(), *_miner_rows()]),
            "### AI centres, checked",
            table(head, [*_budget_rows(), *_trial_rows()]),
        )
    )


def _rule_rows() -> Iterator[Row]:
    right, rows = exact_retargets()
    yield "retargets with both times on record", f"{right} exact", f"{rows}", "to the bit"
    good = sum(next_bits(bits, first, last) == new for first, last, bits, new in CORE_VECTORS)
    yield "vectors of Bitcoin Core", f"{good} exact", f"{len(CORE_VECTORS)}", "to the bit"
    mean, error = gap_mean_and_error()
    gaps = implied_gaps()
    yield (
        f"gap between epochs, mean of {gaps.size} with header times",
        f"{mean:.0f} s, standard error {error:.0f} s",
        "600 s",
        f"{abs(mean - 600) / error:.1f} standard errors off; a bug of 2,016 intervals would give 0",
    )
    largest = float(np.abs(gaps).max())
    yield "largest gap", f"{largest:,.0f} s", "below 7,200 s", "yes" if largest < 7200 else "no"
    found = greatest_fall()
    yield (
        "difficulty, block 689,471 to 689,472",
        f"{int(found.difficulty):,} to {int(found.next_difficulty):,} ({100 * found.change_share:+.2f} %)",
        "19,932,791,027,262 to 14,363,025,673,659 (-27.94 %)",
        "to the digit",
    )


def _hashprice_rows() -> Iterator[Row]:
    published = {"blocks": ("40.9", "126, 97, 58"), "difficulty": ("40.0", "124, 95, 57")}
    for basis, (hashprice, ends) in published.items():
        found = hashprice_on(SNAPSHOT, basis).usd_per_ph_day
        yield f"hashprice of {SNAPSHOT}, USD/PH/day, by {basis}", f"{found:.1f}", hashprice, "yes"
        yield (
            "its break-evens at 13.5, 17.5, 29.5 J/TH, USD/MWh",
            ", ".join(f"{value:.0f}" for value in break_evens(basis)),
            ends,
            "yes",
        )
    for year, value in YEARS.items():
        found = mean_hashprice(year).usd_per_ph_day
        yield f"mean hashprice of {year}, USD/PH/day", f"{found:.1f}", f"{value}", "within 1 %"


def _network_rows() -> Iterator[Row]:
    report = network_energy_twh_per_year(559.0, 28.2)
    yield "energy of 559 EH/s at 28.2 J/TH, TWh a year", f"{report:.0f}", "138 (Cambridge)", "yes"
    year = network_energy_twh_per_year(mean_hashprice(2025).hashrate_ehs, 28.2)
    yield "energy of 2025's hashrate at 28.2 J/TH, TWh a year", f"{year:.0f}", "230", "yes"
    effect = own_effect_on(SNAPSHOT, 2000.0, 17.5)
    yield (
        "fall of the hashprice by 2,000 MW of ours, if nobody stops",
        f"{100 * effect.central.fall_without_response:.1f} %",
        "near 11 %",
        "yes",
    )
    fall = effect.ranged(lambda found: found.fall)
    yield (
        "the same once others have answered",
        f"{100 * fall.value:.1f} % ({100 * fall.low:.1f} to {100 * fall.high:.1f})",
        "none",
        "see below",
    )
    before, recorded, (value, low, high) = answer_of_others()
    yield (
        f"hashrate of March 2026 from October 2025 ({number(before, 0)} EH/s), EH/s",
        f"{value:.0f} ({low:.0f} to {high:.0f})",
        f"{recorded:.0f} (record)",
        "no: our miners answer too much",
    )
    yield (
        f"El Salvador's volcano, {VOLCANO_MW} MW, September 2021 to May 2024, BTC",
        f"{volcano_btc():.0f}; without fees {volcano_btc(with_fees=False):.0f}",
        f"{VOLCANO_CLAIM_BTC} (claim)",
        f"no: it would take {volcano_needs_j_per_th():.1f} J/TH",
    )


def _elasticity_rows() -> Iterator[Row]:
    for row in texas_check():
        yield (
            f"elasticity of Texan miners, hashprice at the {row.percentile}th percentile",
            f"{row.responding:.2f} ({row.low:.2f} to {row.high:.2f}); all hours {row.all_hours:.2f}",
            f"{row.published:.1f}; all hours {row.published_all_hours:.2f}",
            "within our range" if row.low <= row.published <= row.high else "no: ours is larger",
        )


def _miner_rows() -> Iterator[Row]:
    curtailed = RIOT_CURTAILED_USD + RIOT_RESPONSE_USD
    yield (
        f"Riot, August 2023: {RIOT_BTC} BTC at the month's mean price, million USD",
        f"{riot_mined_usd() / 1e6:.1f}",
        "9.3 (reported: about 8.9)",
        "yes",
    )
    yield (
        "Riot, August 2023: earned by curtailing over earned by mining",
        f"{curtailed / riot_mined_usd():.1f}",
        "24.2 + 7.4 million USD",
        "see below",
    )


def _budget_rows() -> Iterator[Row]:
    for key, contract in load_terms().contracts.items():
        share = contract.annual_share
        hours = f"{100 * share:g} % of energy: {8760 * share:.0f} full hours a year"
        norris = NORRIS.get(share)
        if norris is None:
            yield f"budget of the contract {key}", hours, "none", "our assumption"
        else:
            gigawatts, published, event = norris
            yield (
                f"budget of the contract {key}",
                hours,
                f"{100 * share:g} %: {published} hours, events of {event} h, {gigawatts} GW opened",
                f"{8760 * share / published:.0%} of the hours: theirs are not all full",
            )


def _trial_rows() -> Iterator[Row]:
    centre = default_centre()
    for trial in load_trials():
        given = sum(centre.response(trial.hours).values())
        yield (
            f"cut of the default centre in events of {trial.hours:g} h",
            f"{100 * given:.0f} %",
            f"{100 * trial.depth_share:g} % for {trial.hours:g} h on {trial.gpus} GPUs ({trial.place})",
            "as in the trial"
            if abs(given - trial.depth_share) < 1e-9
            else "deeper: the longer trial covers it",
        )
