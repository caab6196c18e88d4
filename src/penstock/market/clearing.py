"""What clearing a market gives: prices, dispatch, flows, and the check that every zone balances."""

from __future__ import annotations

from dataclasses import InitVar, dataclass

import numpy as np

from penstock.errors import BalanceError, Fault

from .bid import Bid
from .sums import add_up
from .system import FloatArray, System

__all__ = ["BALANCE_TOLERANCE_MWH", "Clearing", "energy_residual"]

#: Largest imbalance of an hour and zone that a `Clearing` may carry. [MWh]
BALANCE_TOLERANCE_MWH = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Clearing:
    """A cleared market. Arrays are read-only and in the order of the system's labels.

    cost: generation at marginal cost plus unserved energy at the value of lost load; where the system
        prices them, also sending, discharging and disposal. [USD]
    bid_value: value of the accepted bids. [USD]
    lower_bound: net cost that no dispatch can beat, by weak duality from the prices below. [USD]
    price: cost of one more MWh of demand, a dual of the zone's balance, shape (hours, zones). [USD/MWh]
    price_low, price_high: least and greatest dual over all optima, around `price`; same shape. Where hours
        are cleared on their own, `price` is the middle, or the finite end; where stores or budgets bind
        them, the range is that of this dispatch and as near as `gap` is small. [USD/MWh]
    dispatch: output, shape (hours, plants). [MW]
    accepted: what each bid takes, shape (hours, bids). [MW]
    flow: net flow sent from `from_zone` (negative: sent from `to_zone`), shape (hours, corridors). [MW]
    unserved: firm demand that is not met, shape (hours, zones). [MW]
    curtailed: energy of curtailable plants not taken plus must-run output nobody takes (`dumped`),
        shape (hours, zones). [MW]
    dumped: must-run output nobody takes, shape (hours, zones). [MW]
    charge, discharge, level, spill: of each store, shape (hours, stores). [MW, MW, MWh, MW]
    water_value: worth of a MWh more in each store, shape (hours, stores). [USD/MWh]
    budget_price: of each budget, shape (periods,): what it adds to the cost of its members. [USD/MWh]
    line_price: what Kirchhoff's voltage law adds to the cost of each corridor's flow, shape
        (hours, corridors); None where no corridor has a reactance. [USD/MWh]
    engine: what solved it: "kernel" or "highs".
    reason: why that engine, in words.
    zone_sums: sums of `dispatch` and of `accepted` by zone, where they are at hand; not kept.
    """

    system: System
    bids: tuple[Bid, ...]
    cost: float
    bid_value: float
    lower_bound: float
    price: FloatArray
    price_low: FloatArray
    price_high: FloatArray
    dispatch: FloatArray
    accepted: FloatArray
    flow: FloatArray
    unserved: FloatArray
    curtailed: FloatArray
    dumped: FloatArray
    charge: FloatArray
    discharge: FloatArray
    level: FloatArray
    spill: FloatArray
    water_value: FloatArray
    budget_price: tuple[FloatArray, ...]
    line_price: FloatArray | None
    engine: str
    reason: str
    zone_sums: InitVar[tuple[FloatArray, FloatArray] | None] = None

    def __post_init__(self, zone_sums: tuple[FloatArray, FloatArray] | None) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        residual = energy_residual(self, zone_sums)
        worst = np.unravel_index(int(np.argmax(np.abs(residual))), residual.shape)
        if not abs(residual[worst]) <= BALANCE_TOLERANCE_MWH:
            hour, zone = int(worst[0]), self.system.zones[int(worst[1])]
            raise BalanceError(
                Fault(
                    f"zone {zone}, hour {self.system.hours[hour]}Z",
                    f"energy does not balance: {residual[worst]:.3e} MWh against a limit of "
                    f"{BALANCE_TOLERANCE_MWH:g} MWh",
                    "report this with the system: the engine is at fault",
                )
            )

    @property
    def net_cost(self) -> float:
        """Cost less the value of the accepted bids: what the clearing minimises. [USD]"""
        return self.cost - self.bid_value

    @property
    def gap(self) -> float:
        """How far the net cost may be from the best, as a share of it (of 1 USD where it is less). [1]

        A net cost *below* the bound is no better: it proves that something is not feasible.
        """
        apart = abs(self.net_cost - self.lower_bound) / max(1.0, abs(self.net_cost))
        return apart if np.isfinite(apart) else np.inf

    def sent(self) -> tuple[FloatArray, FloatArray]:
        """Energy sent forward and backward over each corridor, each of shape (hours, corridors). [MW]"""
        return np.maximum(self.flow, 0.0), np.maximum(-self.flow, 0.0)

    def net_import(self) -> FloatArray:
        """Energy that each zone receives over its corridors less what it sends, shape (hours, zones). [MW]"""
        result = np.zeros_like(self.unserved)
        forward, backward = self.sent()
        order = {zone: index for index, zone in enumerate(self.system.zones)}
        for index, corridor in enumerate(self.system.corridors):
            start, end, kept = order[corridor.from_zone], order[corridor.to_zone], 1.0 - corridor.loss
            result[:, start] += backward[:, index] * kept - forward[:, index]
            result[:, end] += forward[:, index] * kept - backward[:, index]
        return result

    def by_zone(self, values: FloatArray, zones: list[str]) -> FloatArray:
        """Columns of `values` added up by the zone of each column: shape (hours, zones)."""
        return add_up(values, self.system.zone_index(zones), len(self.system.zones)).by_zone


def energy_residual(clearing: Clearing, zone_sums: tuple[FloatArray, FloatArray] | None = None) -> FloatArray:
    """Supply less use of every hour and zone, computed from the published arrays alone. [MWh]

    dispatch + discharge + unserved + net import - charge - accepted - dumped - demand, shape (hours, zones).
    """
    system = clearing.system
    injected, taken = zone_sums or (
        clearing.by_zone(clearing.dispatch, [plant.zone for plant in system.plants]),
        clearing.by_zone(clearing.accepted, [bid.zone for bid in clearing.bids]),
    )
    residual = injected - taken
    residual += clearing.net_import()
    residual += clearing.unserved
    residual -= clearing.dumped
    residual -= np.asarray(system.demand)
    if system.stores:
        residual += clearing.by_zone(
            clearing.discharge - clearing.charge, [store.zone for store in system.stores]
        )
    return residual
