"""What the proofs say: right for every outcome, and the unwelcome as plainly as the welcome."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.policy import METRICS
from penstock.report.proof_names import (
    METRIC_NAMES,
    amount_text,
    and_list,
    clause_name,
    limit_side,
    price,
    size_text,
    split_name,
    usd_text,
    whole_share,
)
from penstock.report.proof_words import design_sentences, hosting_sentences, tariff_sentences

from .example_proof import (
    a_design,
    case,
    example_design,
    example_hosting,
    example_tariff,
    finding,
    hosting_row,
    in_dollars,
    no_rule,
    nothing_passes,
)

MINUS = "\N{MINUS SIGN}"


def said(sentences: list[str], part: str) -> str:
    """The one sentence with these words in it."""
    (found,) = [sentence for sentence in sentences if part in sentence]
    return found


# --- names and numbers ------------------------------------------------------------------------------------


def test_every_metric_has_a_name_in_words() -> None:
    assert set(METRIC_NAMES) == set(METRICS)
    assert not any("_" in name for name in METRIC_NAMES.values())


def test_prices_have_two_decimals_or_four_and_never_hide_a_change() -> None:
    coins, dollars = example_tariff(), in_dollars(example_tariff())
    assert [price(coins, value) for value in (8.0, None, 0.0, 1e-15)] == ["8.00", "–", "0.00", "0.00"]
    assert [price(dollars, value) for value in (0.08, 1.0)] == ["0.0800", "1.0000"]
    assert price(coins, -0.0031, sign=True) == f"{MINUS}0.003"
    assert price(coins, 0.5, sign=True) == "+0.50"


@given(st.floats(-1e3, 1e3))
def test_a_price_is_shown_as_zero_only_where_it_is_nothing(value: float) -> None:
    shown = price(example_tariff(), value)
    assert (shown == "0.00") == (abs(value) < 1e-6)


def test_money_power_and_shares() -> None:
    assert [usd_text(usd) for usd in (896.02e6, 5.25e6, 52_000.0, -2e7)] == [
        "896.0 million USD",
        "5.25 million USD",
        "52,000 USD",
        f"{MINUS}20.0 million USD",
    ]
    assert [size_text(mw) for mw in (1.5, 0.25, 42.04, 2_000.0, 3_954.98, 1e-12)] == [
        *("1.5", "0.25", "42", "2,000", "3,955", "0"),
    ]
    assert [whole_share(share) for share in (0.0, 0.001, 0.41, 0.9997, 1.0)] == [
        *("0%", "less than 1%", "41%", "more than 99%", "100%"),
    ]
    assert amount_text(0.1, "h/year") == "0.1 h/year"
    assert amount_text(0.25, "1") == "0.25"
    assert [split_name(share) for share in (0.0, 0.25, 1.0)] == [
        *("AI", "Bitcoin mining (25%) and AI", "Bitcoin mining"),
    ]
    assert [and_list(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        *("", "a", "a and b", "a, b and c"),
    ]


def test_guardrails_are_called_by_their_titles_or_in_words() -> None:
    assert clause_name("full-cost", {"full-cost": "Full cost recovery"}) == "Full cost recovery"
    assert clause_name("full-cost_year", {}) == "Full cost year"
    assert clause_name("interruption", {}) == "the limit on cuts"
    assert clause_name(None, {}) == "nothing"


@pytest.mark.parametrize(
    ("metric", "value", "limit", "passed", "side"),
    [
        ("lole_change", 0.4, 0.1, False, "at most"),
        ("package_consumption", 35.0, 42.9, False, "at least"),
        ("package_consumption", 60.0, 53.7, False, "at most"),
        ("package_consumption", 45.0, 42.9, True, "at least"),
        ("package_consumption", 53.0, 53.7, True, "at most"),
    ],
)
def test_which_side_a_limit_is_on(metric: str, value: float, limit: float, passed: bool, side: str) -> None:
    row = finding("x", metric=metric, value=value, limit=limit, passed=passed)
    assert limit_side(row) == side


# --- the tariff -------------------------------------------------------------------------------------------


def with_tariff(tariff: float, **needs: float) -> dict[str, Any]:
    """The example at another tariff of its own."""
    document = example_tariff()
    document["programme"]["tariff_per_kwh"] = tariff
    row = document["judged"][1]
    row["tariff_xtc_per_kwh"] = tariff
    row["needs_xtc_per_kwh"] |= needs
    return document


def test_the_verdict_on_the_tariff_comes_first() -> None:
    first = tariff_sentences(example_tariff())[0]
    assert first == "The tariff of 8.00 XTC/kWh is refused; it fails: Full cost."
    document = example_tariff()
    document["judged"][1] |= {"verdict": "passes", "failed": []}
    assert "passes every guardrail that decides" in tariff_sentences(document)[0]
    document["judged"][1] |= {"verdict": "refused", "reason": "No clause is in force; nothing passes."}
    assert tariff_sentences(document)[0].endswith("is refused: No clause is in force; nothing passes.")


@pytest.mark.parametrize(
    ("tariff", "words"),
    [
        (4.0, "does not even pay for what the programme causes (5.00): it is a subsidy"),
        (6.0, "pays for what the programme causes (5.00) but not for its part of the capacity payments "
              "(9.00 per kWh, 7.00 per kW at the peak)"),
        (8.0, "where they are shared at the peak, not where they are shared by energy"),
        (9.5, "and for its part of the capacity payments (9.00 per kWh, 7.00 per kW at the peak)"),
    ],
)  # fmt: skip
def test_what_a_tariff_pays_for(tariff: float, words: str) -> None:
    assert words in tariff_sentences(with_tariff(tariff))[1]


def test_a_country_without_capacity_payments() -> None:
    document = with_tariff(6.0, full_per_kwh=5.0, full_per_kw=5.0)
    document["floor_xtc_per_kwh"] |= {"full_per_kwh": 5.0, "full_per_kw": 5.0}
    assert "capacity payments add nothing to that" in tariff_sentences(document)[1]


def test_a_tariff_at_which_nobody_comes() -> None:
    document = example_tariff()
    document["judged"][1] |= {"needs_xtc_per_kwh": {}, "energy_gwh": 0.0}
    found = tariff_sentences(document)
    assert "At 8.00 XTC/kWh no load comes" in found[1]
    assert not any("class of consumers" in sentence for sentence in found)


def test_no_floor_at_all() -> None:
    document = with_tariff(4.0)
    document["floor_xtc_per_kwh"] = dict.fromkeys(document["floor_xtc_per_kwh"])
    document |= {"finer": [], "forms": []}
    for row in document["windows"]:
        row |= {"floor_xtc_per_kwh": None, "open": False}
    found = tariff_sentences(document)
    assert "what the programme causes (no tariff does)" in found[1]
    assert any(
        sentence.startswith("No tariff recovers the full cost, so there is no window") for sentence in found
    )
    assert any("but no tariff recovers the full cost" in sentence for sentence in found)
    assert "The forms of tariff are not compared: no flat tariff recovers the cost." in found


@pytest.mark.parametrize(
    ("low", "middle", "words"),
    [
        (8.5, 12.0, "is closed. At the year's mean (50.0) they can pay 12.00 and it is open"),
        (5.0, 8.0, "is closed at both"),
        (9.5, 12.0, "is open at both"),
    ],
)
def test_the_window_of_miners(low: float, middle: float, words: str) -> None:
    document = example_tariff()
    for row in document["windows"]:
        if row["load"] == "mining":
            row |= {"ceiling_low_xtc_per_kwh": low, "ceiling_xtc_per_kwh": middle}
    found = said(tariff_sentences(document), "half of the miners' power")
    assert words in found
    assert "Nov 2025 (35.0 USD/(PH/s·day))" in found


@pytest.mark.parametrize(
    ("low", "central", "high", "words"),
    [
        (None, None, None, "Nobody who buys mining machines today earns them back, even with free power."),
        (None, None, 6.5, "it could pay 6.50 XTC/kWh"),
        (1.0, 4.0, 4.5, "even the marginal floor (5.00): a new site can pay 4.00 XTC/kWh (1.00 to 4.50)."),
        (None, 4.0, 6.5, "(nothing to 6.50). Only with every assumption at its good end could they."),
        (4.0, 6.0, 8.0, "can pay the marginal floor but not the full cost (9.00)"),
        (4.0, 9.5, 11.0, "Who buys machines today: a new site can pay 9.50 XTC/kWh"),
    ],
)  # fmt: skip
def test_who_buys_machines(low: float | None, central: float | None, high: float | None, words: str) -> None:
    document = example_tariff()
    document["investor_ceiling_xtc_per_kwh"] = {"low": low, "central": central, "high": high}
    assert words in said(tariff_sentences(document), "machines today")


def test_without_mining_no_miner_is_spoken_of() -> None:
    document = example_tariff()
    document["programme"]["mining_share"] = 0.0
    document["windows"] = [row for row in document["windows"] if row["load"] == "ai"]
    del document["ceiling_xtc_per_kwh"]["mining"]
    document["forms"] = document["forms"][:1]
    assert not any(
        "miner" in sentence or "machines today" in sentence for sentence in tariff_sentences(document)
    )


def test_months_hours_consumers_and_forms() -> None:
    found = tariff_sentences(example_tariff())
    finer = said(found, "hides the seasons")
    assert "6.00 month by month (June) and 7.50 hour by hour (2025-07-01 21:00)" in finer
    assert "40% is taken in months and more than 99% is taken in hours" in finer
    bills = said(found, "Under pooled billing")
    assert "every class of consumers pays less, at least 0.50 XTC/kWh" in bills
    assert "the class of consumers that fares worst would pay 1.25 XTC/kWh more" in bills
    assert said(found, "short of the full cost").endswith("Flat (1.00).")
    assert said(found, "Miners lose money").endswith("under: Two parts.")


def test_a_shortfall_that_reads_as_zero_is_none() -> None:
    document = example_tariff()
    document["forms"][0]["full_shortfall_per_kwh"] = 1e-9
    assert "Every form of tariff that was compared pays the full cost." in tariff_sentences(document)


def test_a_year_that_did_not_settle() -> None:
    document = example_tariff()
    document["judged"][0]["settled"] = False
    assert "In 1 of these years" in said(tariff_sentences(document), "did not settle")


# --- hosting capacity ---------------------------------------------------------------------------------------


def test_how_much_fits() -> None:
    found = hosting_sentences(example_hosting(), {"hours-short": "No longer cuts"})
    assert found[0] == (
        "In NORTH (75%) and SOUTH (25%), 3,000 MW of firm flat load fits; above that one guardrail "
        "fails: No longer cuts."
    )
    assert found[1] == "Without that guardrail the next to fail, above 3,321 MW, would be: Full cost."
    assert found[2] == "If 0.25% and 5% of its energy may be cut, 4,000 and 6,000 MW fit."
    assert "finds 400 and 1,500 MW at 0.25% and 5% of energy cut, and 0 MW firm" in found[3]
    assert found[4].startswith("It finds less, since")
    assert "from 0 MW (SOUTH) to 2,500 MW (NORTH)" in said(found, "do not add up")
    assert "200 years of plant outages" in found[-1]


def test_guardrails_that_do_not_decide_are_told_beside_them() -> None:
    document = example_hosting()
    document["rows"][0]["reported_mw"] = {"full-cost": 2_000.0, "hours-short": 1_500.0}
    assert said(hosting_sentences(document), "not decisive") == (
        "Shown beside them and not decisive, firm: Hours short (up to 1,500 MW) and Full cost "
        "(up to 2,000 MW) hold no further."
    )
    document["clauses"] = {"full-cost": "Full recovery"}
    document["rows"][0]["reported_mw"] = {"full-cost": 2_000.0}
    assert "Full recovery (up to 2,000 MW) holds no further" in said(
        hosting_sentences(document), "not decisive"
    )


def together(**changes: Any) -> dict[str, Any]:
    """Hosting of all sites together with other rows."""
    document = example_hosting()
    document["rows"] = [
        hosting_row("together", None, changes["firm"], changes.get("binding", "hours-short"), 0.0),
        hosting_row(
            "together", 0.01, changes["cut"], changes.get("loose", "interruption"), changes["simple"]
        ),
    ]
    return document


def test_nothing_fits_and_nothing_fails() -> None:
    nothing = hosting_sentences(together(firm=0.0, cut=10.0, simple=5.0))
    assert nothing[0].endswith(
        "no firm flat load fits: the smallest that was tried already fails: Hours short."
    )
    free = hosting_sentences(together(firm=20_000.0, cut=20_000.0, simple=5.0, binding=None, loose=None))
    assert "no guardrail fails up to 20,000 MW of firm flat load" in free[0]


def test_the_simple_method_may_find_more() -> None:
    found = hosting_sentences(together(firm=100.0, cut=200.0, simple=500.0))
    assert said(found, "It finds more").startswith("It finds more, since it looks at demand alone")


def test_each_level_may_differ_another_way() -> None:
    document = example_hosting()
    document["rows"][2]["headroom"]["mw"] = 9_000.0
    found = said(hosting_sentences(document), "At 5% it finds more")
    assert found.startswith("At 0.25% it finds less, since")


def test_less_may_fit_where_it_may_be_cut() -> None:
    found = hosting_sentences(together(firm=300.0, cut=200.0, simple=100.0))
    assert (
        said(found, "less than firm")
        == "At 1% that is less than firm: what binds there is the limit on cuts."
    )


# --- the design -------------------------------------------------------------------------------------------


def test_a_design_that_passes() -> None:
    found = design_sentences(example_design())
    assert found[0] == (
        "Passes: 800 MW of Bitcoin mining (50%) and AI in SOUTH, interruptible, at 10.00 XTC/kWh keeps all 2 "
        "guardrails that decide on 31 Dec 2025; all others together gain 300.0 million USD a year."
    )
    assert "No design that was tried passes with: Bitcoin mining." in found
    assert "With other splits, others gain at most 280.0 million USD with AI." in found
    assert said(found, "as it was proposed").endswith(
        "1,000 MW at 8.00 XTC/kWh, is refused; it fails: Full cost."
    )
    assert "0.08 h/year to its limit of 0.1 h/year" in said(found, "least room")
    assert said(found, "does not decide") == "Not kept, though it does not decide: Co2 cap."
    assert said(found, "not judged").endswith("Reserve limit.")
    assert "refused in 1 of 2 cases" in said(found, "other assumptions")
    assert said(found, "Next best").endswith("others gain 290.0 million USD.")


def test_the_highest_tariff_shows_no_need_of_a_special_one() -> None:
    document = example_design()
    document["search"]["highest_tariff_xtc_per_kwh"] = 10.0
    document["search"]["most_mw"] = 800.0
    found = design_sentences(document)
    assert said(found, "no special tariff is needed, or shown to be").startswith("It pays 10.00 XTC/kWh")
    assert "Its size is the largest that was tried, 800 MW." in found


def test_all_ai_all_mining_and_losses() -> None:
    document = example_design()
    document["design"] = a_design(mining_share=0.0, benefit_usd=-3e6)
    found = design_sentences(document)
    assert "The best design mines no bitcoin at all." in found
    assert "all others together lose 3.00 million USD a year" in found[0]
    document["design"] = a_design(mining_share=1.0, energy_gwh=0.0)
    found = design_sentences(document)
    assert "The best design has no AI at all." in found
    assert "It takes no energy: at that tariff no load comes." in found


def test_a_runner_up_that_is_as_good() -> None:
    document = example_design()
    document["runner_up"]["benefit_usd"] = document["design"]["benefit_usd"] + 1.0
    assert said(design_sentences(document), "As good").startswith("As good, by what others gain: 750 MW")


def test_nothing_passes() -> None:
    found = design_sentences(nothing_passes())
    assert found[0].startswith("Refused: of the 1,234 designs that were tried, none keeps every guardrail")
    assert said(found, "The nearest is").endswith("it fails: Hours short.")
    assert "Hours short, from 0.1 h/year to 0.4 h/year" in said(found, "least move")
    assert "The nearest design is refused in the one case with other assumptions as well." in found
    assert not any("Passes" in sentence for sentence in found)


def test_no_limit_would_help() -> None:
    document = nothing_passes()
    document["must_move"] = document["must_move"][1:]
    assert "Full cost alone stands in the way, and no limit would help" in " ".join(
        design_sentences(document)
    )
    document["must_move"] = []
    assert any("every design fails more than one" in sentence for sentence in design_sentences(document))


def test_without_a_rule_nothing_passes() -> None:
    found = design_sentences(no_rule())
    assert found[0] == (
        "Refused: no guardrail that decides is in force on 31 Dec 2025, and without a rule nothing passes."
    )
    assert "No other assumptions were tried." in found
    assert not any("more than one" in sentence for sentence in found)


def test_what_is_too_close_and_what_has_no_reading() -> None:
    document = nothing_passes()
    document["guardrails"] = [finding("hours-short", "no input"), finding("energy-short", significant=False)]
    found = design_sentences(document)
    assert "Without a reading, and therefore failed: Hours short." in found
    assert "Too close to call, within two standard errors of the limit: Energy short." in found


def test_a_design_that_holds_everywhere() -> None:
    document = example_design()
    document["sensitivity"] = [case("fuel_low", "Cheaper fuel"), case("fuel_high", "Dearer fuel")]
    assert "The design passes in all 2 cases with other assumptions as well." in design_sentences(document)


def test_small_numbers_in_dollars() -> None:
    first = design_sentences(in_dollars(example_design()))[0]
    assert "1.5 MW of Bitcoin mining (50%) and AI" in first
    assert "at 0.1000 USD/kWh" in first
    assert "gain 52,000 USD a year" in first


def test_no_proposal_is_said_where_the_tables_hold_none() -> None:
    document = example_tariff()
    assert not any("somebody proposed" in sentence for sentence in tariff_sentences(document))
    for row in document["judged"]:
        row["source"] = row["name"] = ""
    told = said(tariff_sentences(document), "somebody proposed")
    own = price(document, document["programme"]["tariff_per_kwh"])
    assert told.startswith("No tariff that somebody proposed is in the tables: " + own)
