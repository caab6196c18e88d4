"""Who gains and who pays: a case solved by hand, and the identity on any pair of balanced clearings."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import BalanceError, ProgrammeError
from penstock.market.bid import Bid
from penstock.market.clearing import Clearing
from penstock.market.system import Corridor, Plant, Store, System
from penstock.programme import ConsumerClass, Incidence, PartyChange, who_pays
from penstock.programme.incidence import RULES, Rule, corridor_surplus_usd, programme_payment_usd

VALUE_OF_LOST_LOAD = 1000.0
TARIFF = 25.0
COSTS = np.array([0.0, 20.0, 60.0])
CLASSES = (ConsumerClass("home", "Homes", 0.5), ("industry", "Industry", 0.3), ("other", "Others", 0.2))
LABELS: dict[str, Any] = {
    "tariff_usd_per_mwh": TARIFF,
    "consumer_classes": CLASSES,
    "plant_groups": ("hydro", "coal", "gas"),
    "store_groups": ("battery",),
    "group_names": {"gas": "Natural gas"},
}
BIDS = (Bid("mining A", "A", 30.0, 25.0), Bid("ai B", "B", 5.0, 400.0))


def system(demand: Any) -> System:
    """Hydro (must-run) and coal in A, gas and a battery in B, a corridor from A to B that loses a tenth."""
    return System(
        hours=np.arange("2025-01-01T00", "2025-01-01T02", dtype="datetime64[h]"),
        zones=("A", "B"),
        demand=np.array(demand, dtype=float),
        value_of_lost_load=VALUE_OF_LOST_LOAD,
        plants=(
            Plant("hydro", "A", COSTS[0], 1000.0),
            Plant("coal", "A", COSTS[1], 1000.0),
            Plant("gas", "B", COSTS[2], 1000.0),
        ),
        corridors=(Corridor("AB", "A", "B", 500.0, 500.0, loss=0.1),),
        stores=(Store("battery", "B", 100.0, 50.0, 50.0),),
    )


def clearing(demand: Any, bids: tuple[Bid, ...] = (), **arrays: Any) -> Clearing:
    """A clearing of `system`: cost follows from dispatch and unserved energy; what is not given is zero."""
    found = {name: np.array(values, dtype=float) for name, values in arrays.items()}
    zero = {name: np.zeros((2, 1)) for name in ("flow", "charge", "discharge", "level", "spill")}
    zero |= {name: np.zeros((2, 2)) for name in ("unserved", "curtailed", "dumped")}
    filled: dict[str, Any] = zero | {"accepted": np.zeros((2, len(bids)))} | found
    cost = float((filled["dispatch"] @ COSTS).sum() + VALUE_OF_LOST_LOAD * filled["unserved"].sum())
    return Clearing(
        system=system(demand),
        bids=bids,
        cost=cost,
        bid_value=0.0,
        lower_bound=cost,
        price_low=filled["price"],
        price_high=filled["price"],
        water_value=np.zeros((2, 1)),
        budget_price=(),
        line_price=None,
        engine="by hand",
        reason="by hand",
        **filled,
    )


DEMAND = [[100, 50], [100, 80]]
# A: 160 - 40 sent - 20 dumped = 100;            140 - 40 = 100.
# B: 36 received + 24 - 10 charged = 50;          36 + 30 + 8 discharged + 6 unserved = 80.
BASE = clearing(
    DEMAND,
    price=[[2, 30], [20, 100]],
    dispatch=[[160, 0, 24], [60, 80, 30]],
    flow=[[40], [40]],
    dumped=[[20, 0], [0, 0]],
    unserved=[[0, 0], [0, 6]],
    charge=[[10], [0]],
    discharge=[[0], [8]],
)
# A: 170 - 40 - 30 mining = 100;                  160 - 40 - 20 mining = 100.
# B: 36 + 29 - 10 - 5 ai = 50;                    36 + 34 + 8 + 2 unserved = 80.
WITH = clearing(
    DEMAND,
    BIDS,
    price=[[20, 40], [20, 90]],
    dispatch=[[160, 10, 29], [60, 100, 34]],
    accepted=[[30, 5], [20, 0]],
    flow=[[40], [40]],
    unserved=[[0, 0], [0, 2]],
    charge=[[10], [0]],
    discharge=[[0], [8]],
)
# Cost: 80 x 20 + 54 x 60 + 6 x 1000 = 10,840; with: 110 x 20 + 63 x 60 + 2 x 1000 = 7,980.
COST_CHANGE = -2860.0
# Tariff: 25 x (30 + 5 + 20).
PAYMENT = 1375.0


def changes(incidence: Incidence) -> list[tuple[str, str, float]]:
    return [(row.group, row.party, round(row.change_usd, 6)) for row in incidence.parties]


def test_pooled_by_hand() -> None:
    incidence = who_pays("pooled", BASE, WITH, **LABELS)
    # Consumers: -2860 - 1375 = -4235.
    assert changes(incidence) == [
        ("consumers", "home", -2117.5),
        ("consumers", "industry", -1270.5),
        ("consumers", "other", -847.0),
        ("plants", "hydro", 0.0),
        ("plants", "coal", 0.0),
        ("plants", "gas", 0.0),
        ("plants", "battery", 0.0),
        ("programme", "programme", PAYMENT),
        ("state", "state", 0.0),
    ]
    assert incidence.system_cost_change_usd == COST_CHANGE
    assert incidence.by_group == pytest.approx(
        {"consumers": -4235.0, "plants": 0.0, "programme": PAYMENT, "state": 0.0}
    )


def test_marginal_by_hand() -> None:
    incidence = who_pays("marginal", BASE, WITH, **LABELS)
    # Consumers, base: 2x100 + 30x50 + 20x100 + 100x74 + 1000x6 = 17,100;
    #            with: 20x100 + 40x50 + 20x100 + 90x78 + 1000x2 = 15,020. Change -2,080.
    # Hydro earns 2x160 + 20x60 = 1,520, then 20x160 + 20x60 = 4,400.
    # Coal is always paid its cost.
    # Gas earns 24x(30-60) + 30x(100-60) = 480, then 29x(40-60) + 34x(90-60) = 440.
    # The battery earns 8x100 - 10x30 = 500, then 8x90 - 10x40 = 320.
    # State, base: dumped 2x20 = 40, corridor 30x36 - 2x40 + 100x36 - 20x40 = 3,800: -3,760;
    #        with: corridor 40x36 - 20x40 + 90x36 - 20x40 = 3,080; buys 20x30 + 40x5 + 20x20 = 1,200 and sells
    #        it for 1,375: -3,255. Change 505.
    assert changes(incidence) == [
        ("consumers", "home", -1040.0),
        ("consumers", "industry", -624.0),
        ("consumers", "other", -416.0),
        ("plants", "hydro", -2880.0),
        ("plants", "coal", 0.0),
        ("plants", "gas", 40.0),
        ("plants", "battery", 180.0),
        ("programme", "programme", PAYMENT),
        ("state", "state", 505.0),
    ]
    assert incidence.sum_usd == pytest.approx(COST_CHANGE, abs=1e-9)
    assert incidence.difference_usd == pytest.approx(0.0, abs=1e-9)
    assert [row.name for row in incidence.parties][4:7] == ["coal", "Natural gas", "battery"]


def test_corridors_by_hand() -> None:
    assert corridor_surplus_usd(BASE) == pytest.approx([3800.0])
    # Backwards: B sends 10 at 30 USD, A receives 9 at 2 USD.
    back = clearing(
        [[109, 40], [100, 80]],
        price=[[2, 30], [20, 100]],
        dispatch=[[100, 0, 50], [100, 0, 80]],
        flow=[[-10], [0]],
    )
    assert corridor_surplus_usd(back) == pytest.approx([9 * 2 - 10 * 30])


def test_payment_by_hand() -> None:
    assert programme_payment_usd(BASE, TARIFF) == 0.0
    assert programme_payment_usd(WITH, TARIFF) == PAYMENT


def test_plants_and_stores_of_one_group_are_one_party() -> None:
    labels = LABELS | {"plant_groups": ("water", "coal", "coal"), "store_groups": ("water",)}
    plants = [row for row in who_pays("marginal", BASE, WITH, **labels).parties if row.group == "plants"]
    assert [(row.party, round(row.change_usd, 6)) for row in plants] == [
        ("water", -2880.0 + 180.0),
        ("coal", 0.0 + 40.0),
    ]


def test_stores_without_a_group_are_one_party() -> None:
    store = who_pays("marginal", BASE, WITH, **(LABELS | {"store_groups": None})).parties[6]
    assert store == PartyChange("store", "plants", "store", store.change_usd)
    assert store.change_usd == pytest.approx(180.0)


@pytest.mark.parametrize("rule", RULES)
def test_no_change_is_no_change(rule: Rule) -> None:
    assert [row.change_usd for row in who_pays(rule, WITH, WITH, **LABELS).parties] == [0.0] * 9


def test_cost_that_does_not_follow_from_dispatch_is_refused() -> None:
    near = who_pays("marginal", BASE, replace(WITH, cost=WITH.cost + 0.009), **LABELS)
    assert near.difference_usd == pytest.approx(-0.009)
    with pytest.raises(
        BalanceError, match=r"sum to -2860\.0000 USD, the system's cost changes by -2859\.9880"
    ):
        who_pays("marginal", BASE, replace(WITH, cost=WITH.cost + 0.012), **LABELS)


def test_change_that_is_no_number_is_refused() -> None:
    with pytest.raises(BalanceError, match="nan"):
        who_pays("pooled", BASE, replace(WITH, cost=math.nan), **LABELS)


def test_labels_that_do_not_fit_are_all_named() -> None:
    labels = LABELS | {"plant_groups": ("hydro", "coal"), "consumer_classes": (("home", "Homes", 0.9),)}
    wrong: Any = "average"
    with pytest.raises(ProgrammeError) as caught:
        who_pays(wrong, BASE, WITH, **(labels | {"store_groups": ()}))
    assert [fault.column for fault in caught.value.faults] == [
        *("rule", "sales_share", "plants", "stores", "plants", "stores")
    ]
    assert "has 3 plants, but 2 of them" in caught.value.faults[2].problem


def test_imbalance_within_the_limit_is_settled() -> None:
    # A Clearing may miss its balance by 1e-6 MWh; at 30,000 USD/MWh that is 3 cents.
    dispatch = WITH.dispatch.copy()
    dispatch[0, 2] += 9e-7
    off = replace(
        WITH,
        dispatch=dispatch,
        price=np.array([[20.0, 30_000.0], [20.0, 90.0]]),
        cost=WITH.cost + 60 * 9e-7,
    )
    assert who_pays("marginal", BASE, off, **LABELS).difference_usd == pytest.approx(0.0, abs=1e-8)


def amounts(shape: tuple[int, int], low: float = 0.0, high: float = 500.0) -> st.SearchStrategy[Any]:
    size = shape[0] * shape[1]
    numbers = st.floats(low, high, allow_nan=False).map(lambda value: round(value, 3))
    return st.lists(numbers, min_size=size, max_size=size).map(lambda values: np.reshape(values, shape))


@st.composite
def balanced(draw: st.DrawFn, demand: Any, bids: tuple[Bid, ...]) -> Clearing:
    """A clearing in which what is left over is dumped and what lacks is unserved; prices are arbitrary."""
    dispatch, flow = draw(amounts((2, 3))), draw(amounts((2, 1), -500.0))
    charge, discharge = draw(amounts((2, 1), 0, 50)), draw(amounts((2, 1), 0, 50))
    accepted = draw(amounts((2, len(bids)), 0, 30)) if bids else np.zeros((2, 0))
    sent, returned = np.maximum(flow[:, 0], 0.0), np.maximum(-flow[:, 0], 0.0)
    supply = np.empty((2, 2))
    supply[:, 0] = dispatch[:, 0] + dispatch[:, 1] - sent + 0.9 * returned
    supply[:, 1] = dispatch[:, 2] + 0.9 * sent - returned + discharge[:, 0] - charge[:, 0]
    if bids:
        supply -= accepted
    left = supply - demand
    return clearing(
        demand,
        bids,
        price=draw(amounts((2, 2), -100.0, 1000.0)),
        dispatch=dispatch,
        accepted=accepted,
        flow=flow,
        dumped=np.maximum(left, 0.0),
        unserved=np.maximum(-left, 0.0),
        charge=charge,
        discharge=discharge,
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Clearing, Clearing]:
    demand = draw(amounts((2, 2)))
    return draw(balanced(demand, ())), draw(balanced(demand, BIDS))


@settings(max_examples=100, deadline=None)
@given(
    pair=pairs(),
    tariff=st.floats(0.0, 500.0),
    shares=st.tuples(st.integers(1, 1000), st.integers(1, 1000), st.integers(1, 1000)),
)
def test_changes_add_up_to_the_cent_whatever_the_prices(
    pair: tuple[Clearing, Clearing], tariff: float, shares: tuple[int, int, int]
) -> None:
    base, with_programme = pair
    classes = [(f"class{index}", "", share / sum(shares)) for index, share in enumerate(shares)]
    labels = LABELS | {"tariff_usd_per_mwh": tariff, "consumer_classes": classes}
    pooled = who_pays("pooled", base, with_programme, **labels)
    marginal = who_pays("marginal", base, with_programme, **labels)
    for incidence in (pooled, marginal):
        assert incidence.system_cost_change_usd == with_programme.cost - base.cost
        assert abs(incidence.difference_usd) < 0.001
        assert math.fsum(incidence.by_group.values()) == pytest.approx(incidence.sum_usd, abs=1e-6)
    assert pooled.by_group["programme"] == marginal.by_group["programme"]
    consumers = [row.change_usd for row in marginal.parties if row.group == "consumers"]
    total = marginal.by_group["consumers"]
    assert consumers == pytest.approx([total * row[2] for row in classes], abs=1e-6)
