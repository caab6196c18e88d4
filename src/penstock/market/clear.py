"""`clear(system, bids)`: the one verb of this room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penstock.errors import BidError, Fault

from .bid import Bid, check_bids
from .clearing import Clearing, curtailment
from .reference import Solution, solve
from .system import FloatArray, System, hour_series

__all__ = ["clear"]

ENGINES = ("highs",)


def clear(system: System, bids: Sequence[Bid] = (), *, engine: str = "highs") -> Clearing:
    """Clear every hour of a market at least cost.

    system: zones, plants, corridors, stores and budgets; see `System` for units.
    bids: flexible demand; each is served where its value covers the price.
    engine: "highs", the reference engine (a linear programme).

    Raises BidError (bids that cannot be cleared, an unknown engine), InfeasibleError (limits that clash)
    and SolverError. The result balances in every hour and zone to 1e-6 MWh, or BalanceError is raised.
    """
    if engine not in ENGINES:
        raise BidError(
            Fault("clear", f"is not one of {', '.join(ENGINES)}", "choose one", column="engine", value=engine)
        )
    bids = tuple(bids)
    check_bids(system, bids)
    return _clearing(system, bids, solve(system, bids), engine)


def _clearing(system: System, bids: tuple[Bid, ...], raw: Solution, engine: str) -> Clearing:
    dumped = np.maximum(raw.dumped, 0.0)
    forward, backward = raw.forward, raw.backward
    _cancel_round_trips(system, forward, backward, dumped)
    cost = float(np.sum(raw.unserved)) * system.value_of_lost_load
    for index, plant in enumerate(system.plants):
        cost += float(np.dot(hour_series(plant.cost, system.hour_count), raw.dispatch[:, index]))
    value = sum(
        float(np.dot(hour_series(bid.value, system.hour_count), raw.accepted[:, index]))
        for index, bid in enumerate(bids)
    )
    return Clearing(
        system=system,
        bids=bids,
        cost=cost,
        bid_value=value,
        price=raw.price,
        dispatch=raw.dispatch,
        accepted=raw.accepted,
        flow=forward - backward,
        unserved=raw.unserved,
        curtailed=curtailment(system, raw.dispatch, dumped),
        dumped=dumped,
        charge=raw.charge,
        discharge=raw.discharge,
        level=raw.level,
        spill=raw.spill,
        engine=engine,
    )


def _cancel_round_trips(
    system: System, forward: FloatArray, backward: FloatArray, dumped: FloatArray
) -> None:
    """Turn power sent both ways over a lossy corridor at once into dumped energy, in place.

    It costs nothing only where the price is zero on both sides, so neither cost nor price changes.
    """
    order = {zone: index for index, zone in enumerate(system.zones)}
    for index, corridor in enumerate(system.corridors):
        both = np.minimum(forward[:, index], backward[:, index])
        forward[:, index] -= both
        backward[:, index] -= both
        dumped[:, order[corridor.from_zone]] += both * corridor.loss
        dumped[:, order[corridor.to_zone]] += both * corridor.loss
