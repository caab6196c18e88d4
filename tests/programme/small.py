"""Programmes small enough to be solved by hand, and drawn at random for Hypothesis; no country in them.

At a hashprice of 48 USD/(PH/s·day) a machine of e J/TH earns 1000·48/(24·e) = 2000/e USD/MWh. A low-power
mode keeps 0.6 of the power and 0.8 of the hashrate: 0.75·e in it, and e·0.4/0.2 = 2·e for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from penstock.bitcoin.machines import Machine
from penstock.bitcoin.world import HashSupply, WorldAssumptions
from penstock.loads.compute import Centre
from penstock.loads.fleet import Cohort, Fleet
from penstock.loads.trials import Trial
from penstock.loads.work_class import WorkClass
from penstock.market import Plant, System
from penstock.market.system import FloatArray, Hourly
from penstock.programme.network import Network
from penstock.programme.operate import Operation
from penstock.programme.parts import Plan, Where, make_plan
from penstock.programme.terms import Terms, load_terms
from tests.market.strategies import markets

LOST_LOAD = 500.0
HASHPRICE = 48.0
#: So large a network that no fleet of these tests moves it. [EH/s]
ENDLESS = 1e9


def cohort(name: str, mw: float, joules: float, *, low: bool = False, fee: float = 0.0) -> Cohort:
    """Machines of `joules` J/TH at the meter: no overhead, no outage."""
    machine = Machine(
        id=name,
        model=name,
        maker="M",
        release_year=2024,
        hashrate_ths=100.0,
        power_w=100.0 * joules,
        efficiency_j_per_th=joules,
        cooling="air",
        status="current",
        segment="industrial",
        price_usd=1000.0,
        price_basis="new",
    )
    return Cohort(
        name=name,
        machine=machine,
        count=mw * 1e6 / machine.power_w,
        overhead_share=0.0,
        pool_fee_share=fee,
        outage_share=0.0,
        low_power_share=0.6 if low else None,
        low_hash_share=0.8 if low else None,
    )


def fleet(*cohorts: Cohort, minimum_stop: float = 0.0, restart_minutes: float = 0.0) -> Fleet:
    return Fleet(
        cohorts=cohorts or (cohort("m20", 1.0, 20.0, low=True),),
        notice_minutes=0.0,
        ramp_minutes=0.0,
        minimum_stop_hours=minimum_stop,
        restart_minutes=restart_minutes,
    )


#: Of 1 kW a node with one GPU, so a MWh at a PUE of 1 is worth 1000·rent.
BATCH = WorkClass(
    "batch", 0.4, "deferrable", 0.14, 1.0, 6.0, 1.0, idle_power_share=0.0, used_share=0.5, restart_hours=1.26
)
TRAINING = WorkClass("training", 0.2, "interruptible", 0.2, 1.0, None, 1.0, 0.0, restart_hours=0.21)
SERVING = WorkClass("serving", 0.4, "firm", 0.4, 1.0, None, 1.0, 0.0)


def centre(*classes: WorkClass, depth: float = 1.0, hours: float = 10.0) -> Centre:
    """A centre whose serving draws a quarter of its power in odd hours, with a trial of `depth` for `hours`.

    Of 10 MW, batch draws 4, training 2, serving 4 and 1 by turns. So in odd hours 3 MW are spare, of which
    late batch may take 2: half of its machines work, the other half waits.
    """
    trial = Trial("trial", "here", "2025", depth, hours, 100, 1.0)
    return Centre(classes or (BATCH, TRAINING, SERVING), (1.0, 0.25) * 12, (trial,))


def terms(**share: float) -> Terms:
    """The terms that ship, with the annual shares given by contract."""
    known = load_terms()
    contracts = {
        key: replace(row, annual_share=share.get(key, row.annual_share))
        for key, row in known.contracts.items()
    }
    return replace(known, contracts=MappingProxyType(contracts))


def twelve_months(hours: int) -> npt.NDArray[np.int64]:
    """Month of every hour: twelve in however few hours."""
    return np.asarray(np.arange(hours) * 12 // hours + 1, dtype=np.int64)


def plan(
    mw: Mapping[str, float],
    hours: int,
    *,
    mining_share: float = 0.5,
    tariff: float = 60.0,
    firm: bool = False,
    machines: Fleet | None = None,
    work: Centre | None = None,
    contracts: Terms | None = None,
    lost_load: float = LOST_LOAD,
    month: npt.NDArray[np.int64] | None = None,
) -> Plan:
    where = Where(
        mw=mw,
        pue={zone: np.ones(hours) for zone in mw},
        month=twelve_months(hours) if month is None else month,
        local_hour=np.arange(hours, dtype=np.int64) % 24,
    )
    return make_plan(
        where,
        terms() if contracts is None else contracts,
        fleet=fleet() if machines is None else machines,
        centre=centre() if work is None else work,
        mining_share=mining_share,
        tariff=tariff,
        value_of_lost_load=lost_load,
        firm=firm,
    )


def network(hashrate_ehs: float = ENDLESS, hashprice: float | Sequence[float] = HASHPRICE) -> Network:
    """Months of one hashrate, each with its own hashprice."""
    price = np.broadcast_to(np.asarray(hashprice, dtype=np.float64), (12,))
    assumptions = WorldAssumptions(25.0, 50.0, 0.5, 0.0, 0.0)
    supplies = tuple(
        HashSupply.calibrated(
            hashrate_ehs=hashrate_ehs,
            hashprice_usd_per_ph_day=float(one),
            efficiency_j_per_th=[25.0],
            assumptions=assumptions,
        )
        for one in price
    )
    return Network(2025, 1000.0 * price * hashrate_ehs, np.full(12, hashrate_ehs), supplies)


def one_zone(
    demand: npt.ArrayLike, steps: Sequence[tuple[Hourly, npt.ArrayLike]], lost_load: float = LOST_LOAD
) -> System:
    """A zone A. steps: cost [USD/MWh] and most output [MW] of each plant, numbers or by hour."""
    load = np.asarray(demand, dtype=np.float64)
    return System(
        hours=np.datetime64("2025-01-01T00") + np.arange(len(load)),
        zones=("A",),
        demand=load[:, None],
        value_of_lost_load=lost_load,
        plants=tuple(
            Plant(f"p{index}", "A", cost, np.asarray(most, dtype=np.float64))
            for index, (cost, most) in enumerate(steps)
        ),
    )


@dataclass(frozen=True)
class Case:
    system: System
    plan: Plan
    network: Network


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    zones: int = 2,
    hours: int = 48,
    firm: bool = False,
    events: bool = True,
    free: bool = False,
) -> Case:
    """A random market with a random programme, in which the contracts can be kept: there is some plant, as
    dear as need be, for all that comes.

    events: whether machines may have a shortest stop, and AI a longest event.
    free: no annual limit.
    """
    system, _ = draw(markets(hours=hours, zones=zones))
    relief = draw(st.sampled_from([150.0, 450.0, 600.0]))
    system = replace(
        system,
        plants=(*system.plants, *(Plant(f"relief {zone}", zone, relief, 400.0) for zone in system.zones)),
    )
    share = st.just(1.0) if free else st.sampled_from([0.0, 0.05, 0.2, 1.0])
    machines = [
        cohort("m16", 1.0, 16.0, low=draw(st.booleans())),
        cohort("m20", draw(st.sampled_from([0.5, 2.0])), 20.0, low=draw(st.booleans())),
        cohort("m30", 1.0, 30.0),
    ][: draw(st.integers(1, 3))]
    window = float(draw(st.sampled_from([1, 3, 6, 12])))
    batch = replace(BATCH, window_hours=window, restart_hours=draw(st.sampled_from([0.0, 1.26])))
    longest = float(draw(st.integers(1, 10))) if events else 1e6
    work = centre(batch, TRAINING, SERVING, depth=draw(st.sampled_from([0.3, 1.0])), hours=longest)
    loads = plan(
        {zone: draw(st.sampled_from([0.0, 10.0, 40.0])) for zone in system.zones},
        system.hour_count,
        mining_share=draw(st.sampled_from([0.0, 0.3, 0.5, 1.0])),
        tariff=draw(st.sampled_from([5.0, 30.0, 60.0, 90.0])),
        firm=firm,
        machines=fleet(
            *machines,
            minimum_stop=draw(st.sampled_from([0.0, 1.0, 2.5, 3.0, 3.0])) if events else 0.0,
            restart_minutes=10.0,
        ),
        work=work,
        contracts=terms(
            mining=draw(share), deferrable=draw(share), training=draw(share), serving=draw(share)
        ),
    )
    world = network(draw(st.sampled_from([0.5, 3.0, ENDLESS])), draw(st.sampled_from([20.0, 30.0, 48.0])))
    return Case(system, loads, world)


def own_hashrate_ehs(operation: Operation) -> FloatArray:
    """Hashrate of the programme by month, from what the market served, shape (12,). [EH/s]"""
    loads, month = operation.plan, operation.plan.where.month - 1
    hours = np.maximum(np.bincount(month, minlength=12), 1)
    own = np.zeros(12)
    for index, part in enumerate(loads.parts):
        most = float(part.offered.max())
        if part.load == "mining" and most > 0.0:
            own += part.hashrate_ehs * np.bincount(month, operation.taken[:, index], 12) / (most * hours)
    return own
