"""The loads in the summary: what they are, who ran and who was stopped, and what the network made of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from penstock.bitcoin.effect_on_date import own_effect_on
from penstock.bitcoin.equilibrium import OwnEffect
from penstock.bitcoin.history import snapshots
from penstock.bitcoin.world import sources as world_sources
from penstock.bitcoin.world import world_parameters
from penstock.country import Country, Parameter
from penstock.loads.compute import interruption_table
from penstock.loads.compute_tables import compute_tables
from penstock.loads.defaults import parameters_for
from penstock.loads.defaults import sources as load_sources
from penstock.loads.elasticity import texas_check
from penstock.loads.investment import Investment, investment_range
from penstock.loads.mining import mining_tables
from penstock.programme.decision import ProgrammeBid, came
from penstock.programme.incidence import programme_payment_usd
from penstock.programme.months import contract_use, step_months
from penstock.programme.parts import longest_event
from penstock.programme.terms import load_terms, terms_sources

from .load_sums import bid_groups, by_load, by_month, by_step, month_rows, of_year, power_by_hour
from .results import Results

__all__ = ["all_sources", "describe_loads", "describe_programme", "jobs", "programme_assumptions"]

_MWH_PER_GWH = 1000.0
#: The fleet whose effect is shown: 2,000 MW of the machine that Penstock takes where it takes one (S21).
_OWN_EFFECT_MW, _OWN_EFFECT_J_PER_TH = 2000.0, 17.5


def describe_programme(results: Results) -> dict[str, Any]:
    """Size, tariff, energy and bids of the programme, and what it rests on."""
    plan, taken = results.programme, results.operation.taken
    energy = float(taken.sum()) / _MWH_PER_GWH
    hours = results.changed.system.hour_count
    most = plan.mw * hours / _MWH_PER_GWH
    bids = results.operation.bids
    worth = [_worth_usd(results, row, taken[:, index]) for index, row in enumerate(bids)]
    return {
        "mw": plan.mw,
        "mining_share": plan.mining_share,
        "firm": plan.firm,
        "tariff_per_kwh": plan.tariff_per_kwh,
        "tariff_usd_per_mwh": results.tariff,
        "energy_gwh": energy,
        "served_share": energy / most if most else 0.0,
        "payment_usd": programme_payment_usd(results.changed, results.tariff),
        "value_usd": float(sum(worth)),
        "sites": [
            {"zone": zone, "share": share, "mw": plan.mw * share} for zone, share in plan.sites.items()
        ],
        "bids": [_bid(results, index, row) for index, row in enumerate(bids)],
        "bid_groups": bid_groups(results),
        "by_load": by_load(results),
        "jobs": jobs(results.country, plan.mw * plan.mining_share, plan.mw * (1.0 - plan.mining_share)),
        "assumptions": programme_assumptions(results.country),
    }


def _worth_usd(results: Results, row: ProgrammeBid, taken: np.ndarray[Any, Any]) -> float:
    value = row.part.value(results.operation.answer.hashprice)
    return float((value[results.hours.month - 1] * taken).sum())


def _bid(results: Results, index: int, row: ProgrammeBid) -> dict[str, Any]:
    part, operation = row.part, results.operation
    used = float(results.operation.taken[:, index].sum()) / _MWH_PER_GWH
    comes = float(came(operation.plan, operation.decision, index).sum()) / _MWH_PER_GWH
    whole = float(part.offered.sum()) / _MWH_PER_GWH
    return {
        "name": row.bid.name,
        "zone": row.bid.zone,
        "load": row.load,
        "kind": part.kind,
        "mode": part.mode,
        "step": part.step,
        "mw": float(np.max(part.offered)),
        "value_usd_per_mwh": float(part.value(operation.answer.hashprice).mean()),
        "bid_usd_per_mwh": float(np.median(row.bid.value)),
        "came_share": comes / whole if whole else 0.0,
        "energy_gwh": used,
        "served_share": used / whole if whole else 0.0,
    }


def jobs(country: Country, mining_mw: float, ai_mw: float) -> dict[str, Any]:
    """Permanent jobs at the sites, with the low and high ends of what is published or assumed. [1]"""
    rows = parameters_for(country)
    found = {}
    for load, megawatts in (("mining", mining_mw), ("ai", ai_mw)):
        row = rows[f"{load}_jobs_per_mw"]
        low, high = (row.value if end is None else end for end in (row.low, row.high))
        found[load] = {"jobs": megawatts * row.value, "low": megawatts * low, "high": megawatts * high}
    total = {end: sum(row[end] for row in found.values()) for end in ("jobs", "low", "high")}
    return found | {"total": total}


def describe_loads(results: Results) -> dict[str, Any]:
    """Miners, AI centres, the Bitcoin network with them, and every month's steps of interruption."""
    operation = results.operation
    terms = operation.plan.terms
    rows = step_months(operation)
    year = by_step(rows)
    return {
        "network": _network(results),
        "own_effect": _own_effect(),
        "miners": _miners(results),
        "ai": _ai(results),
        "steps": [
            asdict(step) | {"load": terms.contracts[step.contract].load, "year": year[step.key]}
            for step in terms.steps.values()
        ],
        "months": month_rows(operation, rows),
        "by_month": by_month(operation, rows),
        "year": of_year(operation, rows),
        "contracts": [
            asdict(row)
            | {
                "title": terms.contracts[row.contract].title,
                "annual_share": terms.contracts[row.contract].annual_share,
            }
            for row in contract_use(operation)
        ],
        "windows_used": int(sum(used.sum() for used in operation.decision.windows.values())),
        "longest_event_hours": longest_event(operation.plan.centre),
        "elasticity": [asdict(row) for row in texas_check()],
    }


def _own_effect() -> dict[str, Any]:
    """The whole programme as one fleet, cooling left out, on the latest snapshot of the network."""
    date = max(snapshots()).isoformat()
    found = own_effect_on(date, _OWN_EFFECT_MW, _OWN_EFFECT_J_PER_TH)
    central = found.central
    return {
        "date": date,
        "mw": _OWN_EFFECT_MW,
        "efficiency_j_per_th": _OWN_EFFECT_J_PER_TH,
        "own_ehs": found.own_ehs,
        "network_ehs": found.hashprice.hashrate_ehs,
        "price_usd": found.hashprice.price_usd,
        "hashprice_usd_per_ph_day": found.hashprice.usd_per_ph_day,
        "without_response": {
            "hashprice_usd_per_ph_day": central.hashprice_without_response,
            "share": central.share_without_response,
            "fall": central.fall_without_response,
            "income_lost_usd_per_day": central.income_lost_without_response_usd_per_day,
        },
        "with_response": _answered(central),
        "with_least_response": _answered(found.least),
        "with_most_response": _answered(found.most),
    }


def _answered(effect: OwnEffect) -> dict[str, Any]:
    return {
        "hashprice_usd_per_ph_day": effect.hashprice_after,
        "share": effect.share,
        "fall": effect.fall,
        "others_left_ehs": effect.others_left_ehs,
        "income_lost_usd_per_day": effect.income_lost_usd_per_day,
        "converged": effect.converged,
        "residual": effect.residual,
    }


def _network(results: Results) -> dict[str, Any]:
    operation = results.operation
    before = operation.network.hashprice
    months = []
    for index, month in enumerate(operation.answer.months):
        crowded = operation.network.hashrate_ehs[index] + month.own_ehs
        months.append(
            {
                "month": index + 1,
                "hashprice_alone_usd_per_ph_day": float(before[index]),
                "hashprice_usd_per_ph_day": month.hashprice_usd_per_ph_day,
                "hashprice_without_response_usd_per_ph_day": float(
                    operation.network.revenue_usd_per_day[index] / (1000.0 * crowded)
                ),
                "own_ehs": month.own_ehs,
                "others_left_ehs": month.others_left_ehs,
                "network_ehs": month.network_ehs,
                "share": month.own_ehs / month.network_ehs,
                "fall": 1.0 - month.hashprice_usd_per_ph_day / float(before[index]),
                "rounds": month.rounds,
                "converged": month.converged,
                "residual": month.residual,
            }
        )
    return {
        "year": operation.network.year,
        "rounds": operation.rounds,
        "settled": operation.settled,
        "moved": operation.moved,
        "months": months,
    }


def _miners(results: Results) -> dict[str, Any]:
    plan, programme = results.operation.plan, results.programme
    megawatts = programme.mw * programme.mining_share
    fleet = plan.fleet.scaled_to(megawatts if megawatts > 0.0 else 1.0)
    hashprice = results.operation.answer.hashprice
    blocks = {(block.cohort, block.mode): block for block in fleet.blocks()}
    served = [_served_share(results, block.cohort, block.mode) for block in fleet.blocks()]
    cohorts = []
    for cohort in fleet.cohorts:
        machine = cohort.machine
        found = {mode: blocks.get((cohort.name, mode)) for mode in ("low", "full")}
        cohorts.append(
            {
                "cohort": cohort.name,
                "model": machine.model,
                "share": cohort.mw / fleet.mw,
                "machines": cohort.count if megawatts > 0.0 else 0.0,
                "age_years": cohort.age_years,
                "efficiency_j_per_th": machine.efficiency_j_per_th,
                "meter_j_per_th": cohort.energy_j_per_th,
                "price_usd": cohort.capital_usd_per_machine,
                "low_power_share": cohort.low_power_share,
                "low_hash_share": cohort.low_hash_share,
                "break_even_low_usd_per_mwh": _mean_break_even(found["low"], hashprice),
                "break_even_full_usd_per_mwh": _mean_break_even(found["full"], hashprice),
                "served_share_low": _served_share(results, cohort.name, "low") if found["low"] else None,
                "served_share_full": _served_share(results, cohort.name, "full"),
            }
        )
    cases = investment_range(
        fleet,
        hashprice_usd_per_ph_day=float(hashprice.mean()),
        tariff_usd_per_mwh=results.tariff,
        served_share=served,
    )
    return {
        "mw": megawatts,
        "hashrate_ehs": fleet.hashrate_ehs if megawatts > 0.0 else 0.0,
        "hashprice_mean_usd_per_ph_day": float(hashprice.mean()),
        "notice_minutes": fleet.notice_minutes,
        "ramp_minutes": fleet.ramp_minutes,
        "minimum_stop_hours": fleet.minimum_stop_hours,
        "restart_minutes": fleet.restart_minutes,
        "cohorts": cohorts,
        "investment": {name: _investment(case) for name, case in cases.items()} if megawatts > 0.0 else {},
    }


def _mean_break_even(block: Any, hashprice: np.ndarray[Any, Any]) -> float | None:
    return None if block is None else float(block.break_even_usd_per_mwh(hashprice).mean())


def _served_share(results: Results, kind: str, mode: str) -> float:
    """Share of the year's energy of these parts that they took. [1]"""
    plan, accepted = results.operation.plan, results.operation.taken
    members = [
        index
        for index, part in enumerate(plan.parts)
        if (part.load, part.kind, part.mode) == ("mining", kind, mode)
    ]
    whole = sum(float(plan.parts[index].offered.sum()) for index in members)
    return min(float(accepted[:, members].sum()) / whole, 1.0) if whole > 0.0 else 0.0


def _investment(case: Investment) -> dict[str, Any]:
    return {
        "capital_usd": case.capital_usd,
        "cash_usd": case.cash_usd.tolist(),
        "resale_usd": case.resale_usd,
        "net_present_usd": case.net_present_usd,
        "internal_rate_share_per_year": case.internal_rate_share_per_year,
        "payback_years": case.payback_years,
    }


def _ai(results: Results) -> dict[str, Any]:
    plan, programme = results.operation.plan, results.programme
    names = {row["work_class"]: row["name"] for row in compute_tables()["work_classes"]}
    pue = plan.where.pue
    mean_pue = float(np.mean([series.mean() for series in pue.values()]))
    centre = plan.centre
    cuttable = centre.response(longest_event(centre))
    classes = []
    for work in centre.classes:
        members = [
            index for index, part in enumerate(plan.parts) if part.load == "ai" and part.kind == work.key
        ]
        classes.append(
            {
                "work_class": work.key,
                "name": names.get(work.key, work.key),
                "share": work.share,
                "step": work.step,
                "window_hours": work.window_hours,
                "rent_usd_per_gpu_hour": work.rent_usd_per_gpu_hour,
                "node_power_kw": work.node_power_kw,
                "value_usd_per_mwh": float(work.value_usd_per_mwh(mean_pue)),
                "cuttable_share_of_centre": cuttable[work.key],
                "energy_gwh": float(results.operation.taken[:, members].sum()) / _MWH_PER_GWH,
            }
        )
    return {
        "mw": programme.mw * (1.0 - programme.mining_share),
        "pue": [
            {"zone": zone, "mean": float(x.mean()), "low": float(x.min()), "high": float(x.max())}
            for zone, x in pue.items()
        ],
        "value_usd_per_mwh": _mean_worth(classes, float(centre.value_usd_per_mwh(mean_pue))),
        "slowing_cost_usd_per_mwh": float(centre.slowing_cost_usd_per_mwh(mean_pue)),
        "classes": classes,
        "power_by_hour": power_by_hour(results.operation),
        "trials": [asdict(trial) for trial in centre.trials],
        "cuts": [asdict(cut) for cut in interruption_table(centre, mean_pue)],
    }


def _mean_worth(classes: Iterable[Mapping[str, Any]], where_none: float) -> float:
    """Worth of the classes' energy over that energy; `where_none` where they took none. [USD/MWh]"""
    rows = [(row["energy_gwh"], row["value_usd_per_mwh"]) for row in classes]
    energy = math.fsum(row[0] for row in rows)
    return math.fsum(row[0] * row[1] for row in rows) / energy if energy > 0.0 else where_none


def programme_assumptions(country: Country) -> list[dict[str, Any]]:
    """What the loads rest on: each parameter with its range, unit, basis, source and note."""
    return [_parameter(row) for row in _assumptions(country)]


def _assumptions(country: Country) -> Iterable[Parameter]:
    """Parameters of the loads, shares of the fleet, the centre and the contracts; the rest of the world."""
    yield from parameters_for(country).values()
    terms = load_terms()
    yield from terms.parameters.values()
    for contract in terms.contracts.values():
        yield Parameter(
            f"interruption_{contract.key}_annual_share",
            contract.annual_share,
            contract.low,
            contract.high,
            "1",
            contract.basis,
            contract.source,
            contract.note,
        )
    for row in mining_tables()["cohorts"].where(fleet="new_site"):
        yield _share(f"mining_fleet_share_{row['machine']}", row)
    for row in compute_tables()["work_classes"]:
        yield _share(f"ai_share_{row['work_class']}", row)
    yield from _low_power_modes()
    yield from world_parameters().values()


def _low_power_modes() -> Iterable[Parameter]:
    """Shares of power and of hashrate in low-power mode; the range is of the hashrate at that power."""
    for row in mining_tables()["power_modes"]:
        stated = (row["basis"], row["source"], row["note"] or "")
        name = row["model"].lower().replace(" ", "_")
        power, hashes = row["low_power_share"], row["low_hash_share"]
        yield Parameter(f"mining_low_power_share_{name}", power, power, power, "1", *stated)
        yield Parameter(f"mining_low_hash_share_{name}", hashes, row["low"], row["high"], "1", *stated)


def _share(name: str, row: Any) -> Parameter:
    return Parameter(
        name, row["share"], row["low"], row["high"], "1", row["basis"], row["source"], row["note"] or ""
    )


def _parameter(row: Parameter) -> dict[str, Any]:
    return {
        "parameter": row.name,
        "value": row.value,
        "low": row.low,
        "high": row.high,
        "unit": row.unit,
        "basis": row.basis,
        "source": row.source,
        "note": row.note,
    }


def all_sources(country: Country) -> list[dict[str, str]]:
    """Sources of the country and of the loads, each key once for each of them."""
    keys = ("source", "title", "publisher", "url", "licence", "dated", "note")
    tables = (country.table("sources"), load_sources(), terms_sources(), world_sources())
    seen: dict[tuple[str, str], dict[str, str]] = {}
    for table in tables:
        for row in table:
            seen.setdefault((row["source"], row["title"]), {key: row[key] or "" for key in keys})
    return list(seen.values())
