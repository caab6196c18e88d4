"""The chapter "Bitcoin and flexible loads" of docs/validation.md: its figures, and what they are held to."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.bitcoin.effect_on_date import own_effect_on
from penstock.bitcoin.history import hashprice_on
from penstock.bitcoin.network import next_bits
from penstock.bitcoin.world import network_energy_twh_per_year
from penstock.bitcoin.year_mean import mean_hashprice
from penstock.loads.compute import default_centre
from penstock.loads.elasticity import texas_check
from penstock.programme.terms import load_terms
from tests import validation_loads as checks
from tests.validation_doc import LOADS_START, LOADS_STOP, PAGE, between

TEXT = " ".join(PAGE.read_text("utf-8").split())


def test_the_page_has_what_the_code_gives() -> None:
    page = PAGE.read_text("utf-8")
    assert between(page, LOADS_START, LOADS_STOP, checks.loads_figures()) == page


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks"):
        between("no marks", LOADS_START, LOADS_STOP, "text")


def test_rules_come_out_to_the_digit() -> None:
    assert checks.exact_retargets() == (17, 17)
    assert [next_bits(bits, first, last) for first, last, bits, _ in checks.CORE_VECTORS] == [
        0x1D00D86A,
        0x1D00FFFF,
        0x1C0168FD,
        0x1D00E1FD,
    ]
    fall = checks.greatest_fall()
    assert (int(fall.difficulty), int(fall.next_difficulty)) == (19_932_791_027_262, 14_363_025_673_659)
    assert round(100 * fall.change_share, 2) == -27.94


def test_gaps_between_epochs_are_one_block_long() -> None:
    gaps = checks.implied_gaps()
    mean, error = checks.gap_mean_and_error()
    assert gaps.size == 445
    assert np.abs(gaps).max() < 7200
    assert error == pytest.approx(gaps.std(ddof=1) / math.sqrt(445))
    assert abs(mean - 600) < 3 * error < 100


@pytest.mark.parametrize(
    ("basis", "hashprice", "ends"),
    [("blocks", 40.9, (126, 97, 58)), ("difficulty", 40.0, (124, 95, 57))],
)
def test_hashprice_and_break_evens(basis: str, hashprice: float, ends: tuple[float, ...]) -> None:
    assert hashprice_on(checks.SNAPSHOT, basis).usd_per_ph_day == pytest.approx(hashprice, abs=0.2)
    assert checks.break_evens(basis) == pytest.approx(ends, rel=0.01)


@pytest.mark.parametrize(("year", "published"), checks.YEARS.items())
def test_yearly_means(year: int, published: float) -> None:
    assert mean_hashprice(year).usd_per_ph_day == pytest.approx(published, rel=0.01)


def test_energy_of_the_network() -> None:
    assert network_energy_twh_per_year(559.0, 28.2) == pytest.approx(138.0, rel=0.01)
    assert network_energy_twh_per_year(mean_hashprice(2025).hashrate_ehs, 28.2) == pytest.approx(
        230.0, rel=0.01
    )


def test_own_effect_is_near_eleven_percent_before_the_others_answer() -> None:
    effect = own_effect_on(checks.SNAPSHOT, 2000.0, 17.5)
    assert effect.central.fall_without_response == pytest.approx(0.11, abs=0.002)
    # By hand: the fleet is 114.29 EH/s beside 929.6 EH/s that stay.
    assert effect.central.fall_without_response == pytest.approx(1 - 929.6 / (929.6 + 2000 / 17.5), rel=1e-6)
    answered = effect.ranged(lambda found: found.fall)
    assert 0.0 < answered.low < answered.value < answered.high < effect.central.fall_without_response


def test_the_others_answer_more_than_the_record_shows() -> None:
    before, recorded, (value, low, high) = checks.answer_of_others()
    assert low < value < high < recorded < before
    # The page on our own effect states the same figures.
    assert [round(x) for x in (before, recorded, value, low, high)] == [1081, 983, 777, 674, 935]


def test_texan_elasticities_are_as_the_page_says() -> None:
    rows = texas_check()
    assert [row.percentile for row in rows] == [25, 50, 75]
    assert [row.published for row in rows] == [-0.5, -0.3, 0.0]
    assert [row.low <= row.published <= row.high for row in rows] == [True, True, False]
    found = [row.responding for row in rows]
    assert found == sorted(found)
    assert all(row.responding < row.all_hours < 0 for row in rows)


def test_riot_earned_more_by_curtailing() -> None:
    mined = checks.riot_mined_usd()
    assert mined == pytest.approx(9.3e6, rel=0.01)
    curtailed = checks.RIOT_CURTAILED_USD + checks.RIOT_RESPONSE_USD
    assert curtailed == pytest.approx(31.6e6)
    assert 3 < curtailed / mined < 4
    assert "more than three times what it mined" in TEXT


def test_volcano_yields_a_third_of_what_is_claimed() -> None:
    found = checks.volcano_btc()
    assert found == pytest.approx(170.0, rel=0.06)
    assert checks.volcano_btc(with_fees=False) == pytest.approx(170.0, rel=0.02)
    assert found < 0.4 * checks.VOLCANO_CLAIM_BTC
    assert checks.volcano_needs_j_per_th() * checks.VOLCANO_CLAIM_BTC == pytest.approx(29.5 * found)
    # The best machine of 2021 took 29.5 J/TH; 11 came years later.
    assert checks.volcano_needs_j_per_th() < 12


def test_budgets_of_the_ai_contracts_are_the_shares_of_norris_and_others() -> None:
    shares = {key: row.annual_share for key, row in load_terms().contracts.items() if row.load == "ai"}
    assert set(shares.values()) == set(checks.NORRIS)
    for share in shares.values():
        # With at least half the load running in most hours, full stops fill a quarter of their hours.
        assert 8760 * share / checks.NORRIS[share][1] == pytest.approx(0.25, abs=0.02)


def test_no_cut_is_sold_that_was_not_shown() -> None:
    response = default_centre().response
    assert sum(response(3.0).values()) == pytest.approx(0.30)
    assert sum(response(10.0).values()) == pytest.approx(0.30)
