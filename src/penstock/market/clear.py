"""`clear(system, bids)`: the one verb of this room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from penstock.errors import BidError, Fault, SolverError

from .bid import Bid, check_bids
from .certificate import lower_bound
from .clearing import BALANCE_TOLERANCE_MWH, Clearing
from .engine import refusal, solve_compiled
from .ranges import price_range
from .reference import solve
from .solution import Solution
from .sums import add_up
from .system import FloatArray, System

__all__ = ["clear"]

ENGINES = ("auto", "kernel", "highs")
_FEW_HOURS = 500


def clear(system: System, bids: Sequence[Bid] = (), *, engine: str = "auto", gap: float = 1e-6) -> Clearing:
    """Clear every hour of a market at least cost.

    system: zones, plants, corridors, stores and budgets; see `System` for units.
    bids: flexible demand; each is served where its value covers the price.
    engine: "kernel", compiled and exact by the hour, with decomposition where stores or budgets bind the
        hours; "highs", the reference (a linear programme); "auto", the kernel where it can, else HiGHS.
    gap: largest share of the net cost by which the result may be above the best, in (0, 1]. [1]

    `Clearing.engine` and `Clearing.reason` say what solved it and why. With "auto", a result that misses
    `gap` is solved again with HiGHS.

    Raises BidError (bids that cannot be cleared, an unknown engine, a gap outside its range),
    InfeasibleError (limits that clash) and SolverError. The result balances in every hour and zone to
    1e-6 MWh, or BalanceError is raised.
    """
    faults = []
    if engine not in ENGINES:
        faults.append(
            Fault("clear", f"is not one of {', '.join(ENGINES)}", "choose one", column="engine", value=engine)
        )
    if not 0.0 < gap <= 1.0:
        faults.append(
            Fault("clear", "must lie in (0, 1]", "give a share of 1", column="gap", value=repr(gap))
        )
    if faults:
        raise BidError(faults)
    bids = tuple(bids)
    check_bids(system, bids)
    if engine == "highs":
        return _reference(system, bids, "asked for", gap)
    refused = refusal(system)
    if refused is None and engine == "auto" and system.stores and system.hour_count < _FEW_HOURS:
        refused = f"stores over fewer than {_FEW_HOURS} hours: the linear programme is exact and as quick"
    if refused is None:
        there = _with_power(system, bids)
        solution, refused = solve_compiled(system, [bids[index] for index in there], gap)
        if solution is not None:
            solution = _with_columns(solution, there, len(bids))
            reason = "asked for" if engine == "kernel" else "exact by the hour, certified"
            result = _clearing(system, bids, solution, "kernel", reason)
            if result.gap <= gap:
                return result
            refused = f"the kernel's gap of {result.gap:.1e} is above the {gap:.1e} asked for"
    if engine == "kernel":
        raise SolverError(
            Fault("clear", f"the kernel gives no result: {refused}", 'use engine="auto" or engine="highs"')
        )
    return _reference(system, bids, refused or "", gap)


def _reference(system: System, bids: tuple[Bid, ...], reason: str, gap: float) -> Clearing:
    """Cleared with HiGHS, whatever its gap; where that is above `gap`, the reason says so."""
    there = _with_power(system, bids)
    solution = _with_columns(solve(system, [bids[index] for index in there]), there, len(bids))
    result = _clearing(system, bids, solution, "highs", reason)
    if result.gap <= gap:
        return result
    return replace(result, reason=f"{reason}; HiGHS ends with a gap of {result.gap:.1e}")


def _with_power(system: System, bids: Sequence[Bid]) -> list[int]:
    """Places of the bids that can take anything, or that a budget counts.

    A bid of nothing is not shown to an engine: where several dispatches are best, it would choose among them.
    """
    counted = {name for budget in system.budgets for name in budget.members}
    return [index for index, bid in enumerate(bids) if np.any(bid.quantity) or bid.name in counted]


def _with_columns(solution: Solution, there: Sequence[int], count: int) -> Solution:
    """The solution with a column of nothing for every bid that was not shown."""
    if len(there) == count:
        return solution
    accepted = np.zeros((len(solution.accepted), count))
    accepted[:, there] = solution.accepted
    return replace(solution, accepted=accepted)


def _clearing(system: System, bids: tuple[Bid, ...], raw: Solution, engine: str, reason: str) -> Clearing:
    # Engines keep limits to their tolerance; what lies beyond it is no energy.
    dumped, unserved = np.maximum(raw.dumped, 0.0), np.maximum(raw.unserved, 0.0)
    forward, backward = np.maximum(raw.forward, 0.0), np.maximum(raw.backward, 0.0)
    _forget_rounding(system.disposal_cost, dumped)
    _forget_rounding(system.value_of_lost_load, unserved)
    _cancel_round_trips(system, forward, backward, dumped)
    low, high = raw.price_low, raw.price_high
    if engine == "highs" or system.stores or system.budgets:
        # Only hours on their own have the range that the kernel saw.
        low, high = price_range(system, bids, raw)
    zones = len(system.zones)
    generated = add_up(
        raw.dispatch,
        system.zone_index(plant.zone for plant in system.plants),
        zones,
        [plant.cost for plant in system.plants],
        [plant.curtailable for plant in system.plants],
    )
    served = add_up(
        raw.accepted, system.zone_index(bid.zone for bid in bids), zones, [bid.value for bid in bids]
    )
    cost = generated.worth
    if any(store.discharge_cost != 0.0 for store in system.stores):
        cost += float(raw.discharge.sum(axis=0) @ [store.discharge_cost for store in system.stores])
    if any(corridor.cost != 0.0 for corridor in system.corridors):
        cost += float((forward + backward).sum(axis=0) @ [corridor.cost for corridor in system.corridors])
    for price, energy in ((system.value_of_lost_load, unserved), (system.disposal_cost, dumped)):
        if price != 0.0 and energy.any():
            cost += price * float(energy.sum())
    return Clearing(
        system=system,
        bids=bids,
        cost=cost,
        bid_value=served.worth,
        lower_bound=lower_bound(system, bids, raw.price, raw.water_value, raw.budget_price, raw.line_price),
        price=raw.price,
        price_low=low,
        price_high=high,
        dispatch=raw.dispatch,
        accepted=raw.accepted,
        flow=forward - backward,
        unserved=unserved,
        curtailed=_curtailed(system, generated.flagged, dumped),
        dumped=dumped,
        charge=raw.charge,
        discharge=raw.discharge,
        level=raw.level,
        spill=raw.spill,
        water_value=raw.water_value,
        budget_price=raw.budget_price,
        line_price=raw.line_price,
        engine=engine,
        reason=reason,
        zone_sums=(generated.by_zone, served.by_zone),
    )


def _curtailed(system: System, used: FloatArray, dumped: FloatArray) -> FloatArray:
    """Energy that could have been had at no choice of price and was not, shape (hours, zones). [MWh]

    Unused output of curtailable plants, which gave `used`, plus must-run output that nobody took.
    """
    if len(used) == 0:
        return dumped.copy()
    available = np.zeros((len(system.zones), system.hour_count))
    zone = system.zone_index(plant.zone for plant in system.plants)
    for index, plant in zip(zone, system.plants, strict=True):
        if plant.curtailable:
            available[index] += plant.available
    return dumped + np.maximum(available.T - used, 0.0)


def _forget_rounding(price: float, energy: FloatArray) -> None:
    """Where none is allowed, what is below the tolerance of the balance is rounding: 0, in place. [MWh]"""
    if np.isinf(price):
        energy[energy <= BALANCE_TOLERANCE_MWH] = 0.0


def _cancel_round_trips(
    system: System, forward: FloatArray, backward: FloatArray, dumped: FloatArray
) -> None:
    """Turn power sent both ways over a lossy corridor at once into dumped energy, in place.

    It costs nothing only where the price is zero on both sides, so neither cost nor price changes.
    """
    order = {zone: index for index, zone in enumerate(system.zones)}
    for index, corridor in enumerate(system.corridors):
        both = np.minimum(forward[:, index], backward[:, index])
        if not both.any():
            continue
        forward[:, index] -= both
        backward[:, index] -= both
        dumped[:, order[corridor.from_zone]] += both * corridor.loss
        dumped[:, order[corridor.to_zone]] += both * corridor.loss
