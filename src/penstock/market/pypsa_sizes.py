"""Finite sizes for what PyPSA leaves unlimited (p_nom, s_nom or e_nom of inf).

Every bus balances exactly, so what one part gives to a bus is at most what the others there can take, and
what it takes is at most what they can give. These bounds cut off no dispatch. They are found part by part
until none is left or nothing new is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from penstock.errors import Fault

from .bid import Bid
from .system import Corridor, Hourly, Plant, Store

__all__ = ["Parts", "give_sizes"]


@dataclass(slots=True)
class Parts:
    """Parts of a system in the making; their limits may be inf."""

    plants: list[Plant] = field(default_factory=list)
    bids: list[Bid] = field(default_factory=list)
    corridors: list[Corridor] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)


def give_sizes(parts: Parts, demand: Mapping[str, float], hours: int) -> Iterator[Fault]:
    """Replace every infinite limit, in place, by one that no dispatch passes; a fault where none is found.

    demand: largest firm demand of each zone. [MW]
    """
    lines = [i for i, corridor in enumerate(parts.corridors) if corridor.reactance is not None]
    lines = [i for i in lines if np.isinf(_most(parts.corridors[i].forward_limit))]
    while _unlimited(parts):
        flows = _Flows(parts, demand)
        if not flows.tighten(hours) and not flows.tighten_all():
            break
    for index in lines:  # a line has one limit for both ways
        line = parts.corridors[index]
        limit = np.maximum(line.forward_limit, line.backward_limit)
        parts.corridors[index] = replace(line, forward_limit=limit, backward_limit=limit)
    for part in _unlimited(parts):
        kind, zone = type(part).__name__.lower(), part.from_zone if isinstance(part, Corridor) else part.zone
        yield Fault(
            f"{kind} {part.name}",
            f"has no size, and the other parts at {zone} have none that would bound it",
            "give it a finite nominal size",
            column="e_nom" if isinstance(part, Store) else "p_nom",
            value="inf",
        )


def _most(values: Hourly) -> float:
    return float(np.max(values))


def _cut(values: Hourly, bound: float) -> Hourly:
    array = np.asarray(values, dtype=float)
    cut = np.where(np.isinf(array), bound, array)
    return float(cut) if cut.ndim == 0 else cut


def _unlimited(parts: Parts) -> list[Plant | Bid | Corridor | Store]:
    return [
        *(plant for plant in parts.plants if np.isinf(_most(plant.available))),
        *(bid for bid in parts.bids if np.isinf(_most(bid.quantity))),
        *(
            corridor
            for corridor in parts.corridors
            if np.isinf(_most(corridor.forward_limit)) or np.isinf(_most(corridor.backward_limit))
        ),
        *(store for store in parts.stores if np.isinf(store.energy_limit)),
    ]


class _Flows:
    """What each part can at most give to and take from each zone. [MW]"""

    def __init__(self, parts: Parts, demand: Mapping[str, float]) -> None:
        self.parts = parts
        self.given: dict[str, dict[str, float]] = {zone: {} for zone in demand}
        self.taken: dict[str, dict[str, float]] = {zone: {"demand": most} for zone, most in demand.items()}
        for plant in parts.plants:
            self._add(self.given, plant.zone, f"plant {plant.name}", _most(plant.available))
        for bid in parts.bids:
            self._add(self.taken, bid.zone, f"bid {bid.name}", _most(bid.quantity))
        for store in parts.stores:
            self._add(self.given, store.zone, f"store {store.name}", store.discharge_limit)
            self._add(self.taken, store.zone, f"store {store.name}", store.charge_limit)
        for corridor in parts.corridors:
            key, kept = f"corridor {corridor.name}", 1.0 - corridor.loss
            forward, backward = _most(corridor.forward_limit), _most(corridor.backward_limit)
            self._add(self.taken, corridor.from_zone, key, forward)
            self._add(self.given, corridor.to_zone, key, forward * kept)
            self._add(self.taken, corridor.to_zone, key, backward)
            self._add(self.given, corridor.from_zone, key, backward * kept)

    @staticmethod
    def _add(side: dict[str, dict[str, float]], zone: str, key: str, most: float) -> None:
        if zone in side:
            side[zone][key] = most

    def others(self, side: dict[str, dict[str, float]], zone: str, key: str) -> float:
        """Sum of one side of a zone without one part."""
        return sum(most for name, most in side.get(zone, {}).items() if name != key)

    def tighten(self, hours: int) -> bool:
        """Replace the infinite limits that the others bound; False where there are none."""
        changed = False
        for index, plant in enumerate(self.parts.plants):
            bound = self.others(self.taken, plant.zone, f"plant {plant.name}")
            if np.isinf(_most(plant.available)) and np.isfinite(bound):
                # A least output above what can be taken is for the clearing to refuse.
                least = _cut(plant.minimum, bound)
                most = np.maximum(_cut(plant.available, bound), least)
                available = most if most.ndim else float(most)
                self.parts.plants[index] = replace(plant, available=available, minimum=least)
                changed = True
        for index, bid in enumerate(self.parts.bids):
            bound = self.others(self.given, bid.zone, f"bid {bid.name}")
            if np.isinf(_most(bid.quantity)) and np.isfinite(bound):
                self.parts.bids[index] = replace(bid, quantity=_cut(bid.quantity, bound))
                changed = True
        for index, corridor in enumerate(self.parts.corridors):
            changed |= self._tighten_corridor(index, corridor)
        for index, store in enumerate(self.parts.stores):
            if np.isinf(store.energy_limit):
                key = f"store {store.name}"
                charge, discharge = (
                    self.others(self.given, store.zone, key),
                    self.others(self.taken, store.zone, key),
                )
                if np.isfinite(charge) and np.isfinite(discharge):
                    level = (store.initial_level or 0.0) + hours * charge
                    self.parts.stores[index] = replace(
                        store, energy_limit=level, charge_limit=charge, discharge_limit=discharge
                    )
                    changed = True
        return changed

    def tighten_all(self) -> bool:
        """Replace infinite limits by what all zones together give or take; False where that bounds none.

        Where no corridor loses energy, and all or none obey Kirchhoff's law, no flow passes what all plants
        and stores give: a circulation on top of that earns nothing.
        """
        corridors = self.parts.corridors
        if any(corridor.loss for corridor in corridors) or len({c.reactance is None for c in corridors}) > 1:
            return False
        given, taken = (
            sum(
                most
                for side in sides.values()
                for key, most in side.items()
                if not key.startswith("corridor ")
            )
            for sides in (self.given, self.taken)
        )
        bound = min(given, taken)
        if np.isinf(bound) or any(np.isinf(store.energy_limit) for store in self.parts.stores):
            return False
        for index, plant in enumerate(self.parts.plants):
            least = _cut(plant.minimum, bound)
            most = np.maximum(_cut(plant.available, bound), least)
            available = most if most.ndim else float(most)
            self.parts.plants[index] = replace(plant, available=available, minimum=least)
        for index, bid in enumerate(self.parts.bids):
            self.parts.bids[index] = replace(bid, quantity=_cut(bid.quantity, bound))
        for index, corridor in enumerate(corridors):
            forward, backward = (_cut(corridor.forward_limit, bound), _cut(corridor.backward_limit, bound))
            corridors[index] = replace(corridor, forward_limit=forward, backward_limit=backward)
        return True

    def _tighten_corridor(self, index: int, corridor: Corridor) -> bool:
        changed, key = False, f"corridor {corridor.name}"
        for limit, start, end in (
            ("forward_limit", corridor.from_zone, corridor.to_zone),
            ("backward_limit", corridor.to_zone, corridor.from_zone),
        ):
            values = getattr(corridor, limit)
            if not np.isinf(_most(values)):
                continue
            bound = min(
                self.others(self.given, start, key),
                self.others(self.taken, end, key) / (1.0 - corridor.loss),
            )
            if np.isfinite(bound):
                cut = _cut(values, bound)
                corridor = (
                    replace(corridor, forward_limit=cut)
                    if limit == "forward_limit"
                    else replace(corridor, backward_limit=cut)
                )
                self.parts.corridors[index] = corridor
                changed = True
        return changed
