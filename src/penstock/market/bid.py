"""A bid: flexible demand with a value, served where the price does not exceed it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penstock.errors import BidError, Fault

from .system import Hourly, System, _frozen, series_faults

__all__ = ["Bid", "check_bids"]


@dataclass(frozen=True, slots=True, eq=False)
class Bid:
    """Demand that is served only while its value covers the price.

    name, zone: labels; a bid's name is unique among the bids and plants it is cleared with.
    quantity: most it takes, a number or shape (hours,). [MW]
    value: what a MWh is worth to it, a number or shape (hours,). [USD/MWh]
    """

    name: str
    zone: str
    quantity: Hourly
    value: Hourly

    def __post_init__(self) -> None:
        for name in ("quantity", "value"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))


def check_bids(system: System, bids: Sequence[Bid]) -> None:
    """Raise BidError with every fault: unknown zone, wrong length, NaN, negative quantity, a name twice;
    and members of energy budgets that are neither plants nor bids."""
    faults = list(_bid_faults(system, bids))
    if faults:
        raise BidError(faults)


def _bid_faults(system: System, bids: Sequence[Bid]) -> Iterable[Fault]:
    taken = {plant.name for plant in system.plants}
    for bid in bids:
        place = f"bid {bid.name}"
        if bid.name in taken:
            yield Fault(place, "is already the name of a plant or another bid", "give it its own name")
        taken.add(bid.name)
        if bid.zone not in system.zones:
            yield Fault(
                place,
                f"is not a zone of the system; its zones are {', '.join(system.zones)}",
                "use one of them",
                column="zone",
                value=bid.zone,
            )
        hours = system.hour_count
        yield from series_faults(place, "quantity", bid.quantity, hours, low=0.0, unit="MW")
        yield from series_faults(place, "value", bid.value, hours, low=float("-inf"), unit="USD/MWh")
    for budget in system.budgets:
        for member in budget.members:
            if member not in taken:
                yield Fault(
                    f"energy budget {budget.name}",
                    "is neither a plant nor a bid",
                    "name a plant of the system or a bid that is cleared with it",
                    column="members",
                    value=member,
                )
