r"""Who gains and who pays: the change in system cost, split over parties so that nothing is left over.

A party's change is what it pays with the programme less what it pays without it: positive, it pays more or
earns less; negative, it gains. What the loads earn from mining or AI compute is outside the system's cost and
in no party's change.

In every hour and zone, with price π, plants' output g, stores' discharge s and charge c, unserved energy u,
net import n, energy accepted by the programme a, dumped energy w and demand d,

    g + s − c + u + n − a − w − d = r,                                                              (1)

where r is what a `Clearing` may miss its balance by (at most 1e-6 MWh; see `market.clearing`). The system's
cost is C = Σ k·g + V·Σ u + Σ f·q, with plants' marginal cost k, the value of lost load V, and the charge f
for sending q over a corridor.

Rule "marginal": everyone settles at the zone's price.

    consumers    Σ π·(d − u) + V·Σ u             pay for what is served, bear the loss of what is not
    programme    t·Σ a                           pays its tariff t
    plants       Σ k·g − Σ π·g                   less their margin
    stores       Σ π·c − Σ π·s                   less their margin
    state        Σ f·q − Σ π·n + Σ (π − t)·a + Σ π·w + Σ π·r

The state is the system operator and the programme's supplier. It earns what the corridors earn, for the sum
of π·n over the zones is, for every corridor, price at the receiving end x received − price at the sending
end x sent; it pays the charges f·q out of that (`corridor_surplus_usd` is what is left). It buys at the
zone's price what the programme takes and sells it at the tariff. It pays for must-run energy that nobody
takes (nothing where the price is 0), and settles the imbalance r. Adding up, the terms in t cancel, and so
do those in π by (1) times π; what is left is C. So the changes add up to the change in C.

Rule "pooled": one pool pays every plant its cost and passes all of it on. Plants, stores and state do not
change; the programme pays t·Σ a; consumers pay the rest of the change in C, which includes the value of lost
load that they bear.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from penstock.errors import BalanceError, Fault, ProgrammeError
from penstock.market.clearing import Clearing, energy_residual
from penstock.market.system import FloatArray, hour_series

__all__ = [
    "GROUPS",
    "RULES",
    "TOLERANCE_USD",
    "ConsumerClass",
    "Group",
    "Incidence",
    "PartyChange",
    "Rule",
    "corridor_surplus_usd",
    "programme_payment_usd",
    "who_pays",
]

#: Most by which the parties' changes may miss the change in system cost. [USD]
TOLERANCE_USD = 0.01
SHARE_TOLERANCE = 1e-6

Rule = Literal["pooled", "marginal"]
RULES: tuple[Rule, ...] = ("pooled", "marginal")
Group = Literal["consumers", "plants", "programme", "state"]
GROUPS: tuple[Group, ...] = ("consumers", "plants", "programme", "state")


class ConsumerClass(NamedTuple):
    """Who buys. sales_share: its share of the energy sold; the shares sum to 1. [1]"""

    key: str
    name: str
    sales_share: float


@dataclass(frozen=True, slots=True)
class PartyChange:
    """What changes for one party.

    party: key of the consumer class, fuel or kind of store; "programme"; "state". Unique within its group.
    change_usd: positive, it pays more or earns less; negative, it gains. [USD]
    """

    party: str
    group: Group
    name: str
    change_usd: float


@dataclass(frozen=True, slots=True)
class Incidence:
    """Every party's change under one rule.

    system_cost_change_usd: cost of the clearing with the programme less that without it. [USD]

    Raises BalanceError where the changes miss it by more than 0.01 USD.
    """

    rule: Rule
    parties: tuple[PartyChange, ...]
    system_cost_change_usd: float

    def __post_init__(self) -> None:
        if not abs(self.difference_usd) <= TOLERANCE_USD:  # also true for NaN
            raise BalanceError(
                Fault(
                    f"incidence, rule {self.rule}",
                    f"the parties' changes sum to {self.sum_usd:.4f} USD, the system's cost changes by "
                    f"{self.system_cost_change_usd:.4f} USD; they may differ by {TOLERANCE_USD:g} USD",
                    "report this with the two clearings: a cost does not follow from its dispatch",
                )
            )

    @property
    def by_group(self) -> dict[Group, float]:
        """Change of each group, in the order of `GROUPS`. [USD]"""
        return {
            group: math.fsum(party.change_usd for party in self.parties if party.group == group)
            for group in GROUPS
        }

    @property
    def sum_usd(self) -> float:
        """Sum of all changes. [USD]"""
        return math.fsum(party.change_usd for party in self.parties)

    @property
    def difference_usd(self) -> float:
        """Sum of all changes less the change in system cost: 0 but for rounding. [USD]"""
        return self.sum_usd - self.system_cost_change_usd


def who_pays(
    rule: Rule,
    base: Clearing,
    with_programme: Clearing,
    *,
    tariff_usd_per_mwh: float,
    consumer_classes: Sequence[ConsumerClass | tuple[str, str, float]],
    plant_groups: Sequence[str],
    store_groups: Sequence[str] | None = None,
    group_names: Mapping[str, str] | None = None,
) -> Incidence:
    """Who gains and who pays when the programme comes. The module's docstring derives the two rules.

    rule: "pooled" or "marginal".
    base, with_programme: the same system cleared without and with the programme; it makes all the bids.
    tariff_usd_per_mwh: what the programme pays for what it takes. [USD/MWh]
    consumer_classes: (key, name, sales_share); consumers' change is split by sales_share, and the last class
        takes what rounding leaves.
    plant_groups: for each of the system's plants, in their order, the party it belongs to (its fuel).
    store_groups: the same for its stores; None makes them one party, "store".
    group_names: names to show for these parties; a party without one shows its key.

    Raises ProgrammeError for an unknown rule, where the labels do not fit the systems, or where the shares do
    not sum to 1 within 1e-6; BalanceError where the changes do not sum to the change in system cost within
    0.01 USD.
    """
    classes = [ConsumerClass(*row) for row in consumer_classes]
    stores = ["store"] * len(base.system.stores) if store_groups is None else list(store_groups)
    faults = list(_faults(rule, base, with_programme, classes, plant_groups, stores))
    if faults:
        raise ProgrammeError(faults)
    cost_change = with_programme.cost - base.cost
    payment = programme_payment_usd(with_programme, tariff_usd_per_mwh) - programme_payment_usd(
        base, tariff_usd_per_mwh
    )
    keys = dict.fromkeys([*plant_groups, *stores])
    if rule == "pooled":
        consumers, state = cost_change - payment, 0.0
        margins = dict.fromkeys(keys, 0.0)
    else:
        consumers = _consumers_usd(with_programme) - _consumers_usd(base)
        state = _state_usd(with_programme, tariff_usd_per_mwh) - _state_usd(base, tariff_usd_per_mwh)
        columns = np.array([*plant_groups, *stores], dtype=object)
        change = _margins_usd(base) - _margins_usd(with_programme)
        margins = {key: math.fsum(change[columns == key]) for key in keys}
    names = group_names or {}
    return Incidence(
        rule,
        (
            *_split(consumers, classes),
            *(PartyChange(key, "plants", names.get(key, key), usd) for key, usd in margins.items()),
            PartyChange("programme", "programme", "Programme", payment),
            PartyChange("state", "state", "State", state),
        ),
        cost_change,
    )


def programme_payment_usd(clearing: Clearing, tariff_usd_per_mwh: float) -> float:
    """What the programme pays: its tariff for all energy it takes. [USD]"""
    return tariff_usd_per_mwh * float(clearing.accepted.sum())


def corridor_surplus_usd(clearing: Clearing) -> FloatArray:
    """What each corridor earns, losses and the charge for sending paid for, shape (corridors,). [USD]

    Price at the receiving end x energy received less price at the sending end x energy sent, less the charge
    x energy sent, over all hours.
    """
    system = clearing.system
    forward, backward = clearing.sent()
    start = clearing.price[:, system.zone_index(corridor.from_zone for corridor in system.corridors)]
    end = clearing.price[:, system.zone_index(corridor.to_zone for corridor in system.corridors)]
    kept = 1.0 - np.array([corridor.loss for corridor in system.corridors], dtype=np.float64)
    charge = np.array([corridor.cost for corridor in system.corridors], dtype=np.float64)
    earned = forward * (end * kept - start - charge) + backward * (start * kept - end - charge)
    return np.asarray(earned.sum(axis=0), dtype=np.float64)


def _consumers_usd(clearing: Clearing) -> float:
    served = np.asarray(clearing.system.demand) - clearing.unserved
    lost = clearing.system.value_of_lost_load * float(clearing.unserved.sum())
    return float((clearing.price * served).sum()) + lost


def _state_usd(clearing: Clearing, tariff: float) -> float:
    taken = clearing.by_zone(clearing.accepted, [bid.zone for bid in clearing.bids])
    return math.fsum(
        (
            -float(corridor_surplus_usd(clearing).sum()),
            float((clearing.price * taken).sum()),
            -programme_payment_usd(clearing, tariff),
            float((clearing.price * clearing.dumped).sum()),
            float((clearing.price * energy_residual(clearing)).sum()),
        )
    )


def _margins_usd(clearing: Clearing) -> FloatArray:
    """Revenue at the zone's price less cost of each plant, then of each store: (plants + stores,). [USD]"""
    system = clearing.system
    hours = system.hour_count
    plants = np.zeros(len(system.plants))
    zones = system.zone_index(plant.zone for plant in system.plants)
    # Plant by plant, as hours x plants of prices and of costs would be large.
    for index, plant in enumerate(system.plants):
        margin = clearing.price[:, zones[index]] - hour_series(plant.cost, hours)
        plants[index] = (margin * clearing.dispatch[:, index]).sum()
    price = clearing.price[:, system.zone_index(store.zone for store in system.stores)]
    stores = (price * (clearing.discharge - clearing.charge)).sum(axis=0)
    return np.concatenate([plants, stores])


def _split(total: float, classes: Sequence[ConsumerClass]) -> Iterable[PartyChange]:
    *others, last = classes
    parts = [total * row.sales_share for row in others]
    parts.append(total - math.fsum(parts))
    for row, part in zip((*others, last), parts, strict=True):
        yield PartyChange(row.key, "consumers", row.name, part)


def _faults(
    rule: str,
    base: Clearing,
    with_programme: Clearing,
    classes: Sequence[ConsumerClass],
    plant_groups: Sequence[str],
    store_groups: Sequence[str],
) -> Iterable[Fault]:
    if rule not in RULES:
        yield Fault(
            "incidence", "is no rule", f"use one of {', '.join(RULES)}", column="rule", value=str(rule)
        )
    total = math.fsum(row.sales_share for row in classes)
    if not abs(total - 1.0) <= SHARE_TOLERANCE:
        yield Fault(
            "consumer classes",
            f"the shares sum to {total:.9g}, not to 1 within {SHARE_TOLERANCE:g} [1]",
            "correct the shares so that they sum to 1",
            column="sales_share",
        )
    for side, clearing in (("base", base), ("with programme", with_programme)):
        system = clearing.system
        for what, groups, count in (
            ("plants", plant_groups, len(system.plants)),
            ("stores", store_groups, len(system.stores)),
        ):
            if len(groups) != count:
                yield Fault(
                    f"clearing {side}",
                    f"has {count} {what}, but {len(groups)} of them are given a party",
                    "give one party for each, in the system's order",
                    column=what,
                )
