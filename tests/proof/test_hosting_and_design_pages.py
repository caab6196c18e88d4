"""The numbers of docs/how-much-can-the-system-host.md and docs/which-design-passes.md, found again."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from penstock.policy import required_move, with_limit
from penstock.programme import Programme
from penstock.proof.design import Design, DesignSearch, highest_tariff_of, search_design
from penstock.proof.headroom import headroom
from penstock.proof.hosting import LEVELS, HostingRow, find_hosting, size_load
from penstock.proof.sensitivity import sensitivities
from penstock.proof.trials import Trial, Trials
from penstock.study.bills import home_weight

pytestmark = pytest.mark.xdist_group("pakistan-proof")

DOCS = Path(__file__).resolve().parents[2] / "docs"
HOSTING = (DOCS / "how-much-can-the-system-host.md").read_text("utf-8")
DESIGN = (DOCS / "which-design-passes.md").read_text("utf-8")
MILLION = 1e6


def plain(page: str) -> str:
    """A page as one line."""
    return " ".join(page.split())


def level(row: HostingRow) -> str:
    head = "none (firm)" if row.share is None else f"{100 * row.share:g} %"
    return f"| {head} | {row.mw:,.0f} | `{row.binding}` | {row.headroom.mw:,.0f} |"


# --- how much fits ------------------------------------------------------------------------------------------


@cache
def at_all_sites(trials: Trials, programme: Programme, share: float | None) -> HostingRow:
    return size_load(trials, "together", programme.sites, share, programme.tariff_per_kwh)


def test_firm_and_at_one_percent(trials: Trials, programme: Programme) -> None:
    firm, soft = at_all_sites(trials, programme, None), at_all_sites(trials, programme, 0.01)
    assert level(firm) in HOSTING
    assert level(soft) in HOSTING
    text = plain(HOSTING)
    assert f"MW firm: {firm.mw:,.0f} on the 200 drawn years" in text
    assert f"firm load would end at {firm.by_clause['adequacy-energy']:,.0f} MW" in text
    shown = firm.reported
    assert f"would pay more above {shown['price-neutrality-marginal']:.0f} MW" in text
    assert f"grow by a tenth at {shown['fuel-imports-share']:,.0f} MW" in text
    assert f"the power package lapses at {shown['package-lapse']:,.0f} MW" in text


def test_the_simple_method_on_the_same_hours(trials: Trials, programme: Programme) -> None:
    demand = trials.prepared.system.demand @ home_weight(trials.country)
    found = [headroom(demand, trials.prepared.hours.month, share) for share in (0.0025, 0.005, 0.01)]
    assert found[2] == at_all_sites(trials, programme, 0.01).headroom
    shares = [f"{100 * row.mw / demand.max():.1f} %" for row in found]
    hours = [row.hours for row in found]
    text = plain(HOSTING)
    assert f"{shares[0]}, {shares[1]} and {shares[2]} of the peak of {demand.max():,.0f} MW" in text
    assert f"cut in {hours[0]}, {hours[1]} and {hours[2]} hours" in text


@pytest.mark.long
def test_every_place_and_level(trials: Trials, programme: Programme) -> None:
    found = find_hosting(trials, programme.sites, tariff_per_kwh=programme.tariff_per_kwh)
    for share in (None, *LEVELS):
        assert level(found.row("together", share)) in HOSTING
    for zone in trials.country.home_zones:
        sizes = [f"{found.row(zone, share).mw:,.0f}" for share in (None, *LEVELS)]
        assert f"| {zone} | {' | '.join(sizes)} |" in HOSTING


# --- which design passes ----------------------------------------------------------------------------------


def design_rows() -> list[list[str]]:
    """Cells of the page's table of designs."""
    rows = [line for line in DESIGN.splitlines() if re.match(r"\| \d+ % \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


def millions(trial: Trial) -> str:
    return f"{trial.benefit_usd / MILLION:,.1f}"


@cache
def best(trials: Trials, programme: Programme) -> Programme:
    share, place, terms, mw, tariff, _ = design_rows()[0]
    return replace(
        programme,
        mw=float(mw.replace(",", "")),
        mining_share=float(share.split()[0]) / 100.0,
        tariff_per_kwh=float(tariff),
        sites={place: 1.0},
        firm=terms == "firm",
    )


@pytest.mark.parametrize("number", [0, 1, 2])
def test_designs_at_the_edge_of_what_is_searched(trials: Trials, programme: Programme, number: int) -> None:
    """Those at the greatest size and the highest tariff stand on the page as they were cleared."""
    share, place, terms, mw, tariff, gain = design_rows()[number]
    assert (place, terms, mw) == ("SOUTH", "interruptible", "2,000")
    assert float(tariff) == highest_tariff_of(trials.country)
    chosen = replace(best(trials, programme), mining_share=float(share.split()[0]) / 100.0)
    trial = trials.programme(chosen)
    assert trial.judgement.passed
    assert millions(trial) == gain


def test_the_best_design_in_words(trials: Trials, programme: Programme) -> None:
    trial, text = trials.programme(best(trials, programme)), plain(DESIGN)
    worst = {row.clause.id: row.worst.value for row in trial.judgement.findings if row.worst is not None}
    assert f"pay at least {-worst['price-neutrality']:.2f} PKR/kWh less under pooled billing" in text
    binding = trial.judgement.binding_clause
    assert binding is not None
    assert f"The guardrail with the least room is `{binding.clause.id}`" in text
    assert f"its fuel costs {worst['fuel-imports-covered']:.2f} of what it pays" in text
    fuel = trial.measures["fuel_imports_change"][0].value
    emitted = trial.measures["emissions_change"][0].value
    assert f"Fuel imports rise by {fuel:.1f} million USD a year, {emitted:.2f} Mt of CO₂" in text
    assert f"grow by {100 * worst['fuel-imports-share']:.1f} % (limit 10 %)" in text
    assert f"would pay {worst['price-neutrality-marginal']:.2f} PKR/kWh more" in text
    assert f"{trial.energy_mwh / 1e6:.1f} TWh a year" in text
    second = trials.programme(replace(best(trials, programme), sites=programme.sites))
    assert second.judgement.passed
    assert f"Runner-up: the same at the sites that were proposed (SOUTH and MID), {millions(second)}." in text


def test_what_was_proposed_falls_short(trials: Trials, programme: Programme) -> None:
    trial, text = trials.programme(programme), plain(DESIGN)
    (failed,) = [row for row in trial.judgement.findings if row.clause.binding and row.status != "passed"]
    assert failed.worst is not None
    assert f"`{failed.clause.id}`: it falls {failed.worst.value:.2f} PKR/kWh short of its full cost" in text
    assert f"Others gain {millions(trial)}." in text


def test_what_would_have_to_move_below_the_floor(trials: Trials, programme: Programme) -> None:
    text = plain(DESIGN)
    nearest = replace(best(trials, programme), mw=968.75, tariff_per_kwh=26.0, firm=True)
    assert f"with {nearest.mw:.0f} MW of AI in SOUTH, firm" in text
    (failed,) = [
        row
        for row in trials.programme(nearest).judgement.findings
        if row.clause.binding and row.status != "passed"
    ]
    move = required_move(failed)
    assert move is not None
    assert f"`{failed.clause.id}` from {failed.limit:.0f} to {move.limit:.2f} PKR/kWh" in text
    policy = with_limit(trials.policy, failed.clause.id, at_most=move.limit)
    assert replace(trials, policy=policy, _kept={}).programme(nearest).judgement.passed


@pytest.mark.long
def test_the_search_and_the_other_assumptions(trials: Trials, programme: Programme) -> None:
    found = search_design(trials, programme, highest_tariff_per_kwh=highest_tariff_of(trials.country))
    assert f"{found.tried} designs" in plain(DESIGN)
    assert [cells(row) for row in of_shares(found)] == design_rows()
    assert found.best is not None
    cases = {row.key: row.trial for row in sensitivities(trials, found.best.programme)}
    cases["none"] = found.best.trial
    assert all(trial.judgement.passed for trial in cases.values())
    assert f"passes in all {len(cases) - 1} cases" in DESIGN
    for key, name in CASES.items():
        assert f"| {name} | {millions(cases[key])} | {cases[key].needs['full_per_kwh']:.2f} |" in DESIGN


CASES = {
    "none": "as it is",
    "hashprice_low": "hashprice 30 % lower or higher",
    "hashprice_high": "hashprice 30 % lower or higher",
    "fuel_low": "imported fuel 20 % cheaper",
    "fuel_high": "imported fuel 20 % dearer",
    "capacity_low": "capacity payments 10 % lower",
    "capacity_high": "capacity payments 10 % higher",
    "low_take_or_pay": "take-or-pay at the low end",
    "stress_hydro_dry": "dry year",
    "stress_hot": "hot summer",
    "stress_dry_and_hot": "dry year and hot summer",
}


def of_shares(found: DesignSearch) -> list[Design]:
    rows = list(found.by_share.values())
    assert None not in rows
    return [row for row in rows if row is not None]


def cells(design: Design) -> list[str]:
    chosen = design.programme
    return [
        f"{100 * chosen.mining_share:g} %",
        design.place,
        "firm" if chosen.firm else "interruptible",
        f"{chosen.mw:,.0f}",
        f"{chosen.tariff_per_kwh:.2f}",
        millions(design.trial),
    ]
