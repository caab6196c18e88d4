"""Sampled years, one after another: draw the outages, find the hours that are short, settle them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.market.compiled import compiled, drop_stale, entry
from penstock.market.system import FloatArray, IntArray, hour_series

from .model import ExtraLoad, OutageModel, limits
from .sampling import draw_outages, start_of_stream
from .shortage import settle

__all__ = ["FIGURES", "Arrays", "arrays_of", "run_years"]

#: What a year gives for every case and zone; the last zone is the system: hours with unserved energy [h],
#: unserved energy [MWh], hours with a cut of the interruptible load [h], and energy cut of it [MWh].
FIGURES = ("short_h", "short_mwh", "cut_h", "cut_mwh")

drop_stale(Path(__file__).parent)

#: Less than this is rounding. [MW]
_LEAST = 1e-6
#: Links draw from streams of their own, so that one unit more leaves them as they are.
_FIRST_LINK = 1 << 32


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """A model and its cases as the loops take them.

    up: supply with everything up, shape (hours, zones). firm: demand of each case; soft: its interruptible
    load, shape (cases, hours, zones). profile: capacity of every unit, shape (profiles, hours), with the
    profile of each. tail, head, gain, room: arcs as in `shortage.settle`, room of shape (hours, arcs).
    rate, stay_up, stay_down: of units, then of links.
    """

    up: FloatArray
    firm: FloatArray
    soft: FloatArray
    profile: FloatArray
    profile_of: IntArray
    zone_of: IntArray
    tail: IntArray
    head: IntArray
    gain: FloatArray
    room: FloatArray
    rate: FloatArray
    stay_up: FloatArray
    stay_down: FloatArray


def arrays_of(model: OutageModel, cases: list[ExtraLoad]) -> Arrays:
    """The model with its cases: the loads that are added, in their order."""
    hours = model.hours
    order = {zone: index for index, zone in enumerate(model.zones)}
    up = np.array(model.steady, dtype=np.float64)
    rows: dict[bytes, int] = {}
    profiles: list[FloatArray] = []
    profile_of = []
    for unit in model.units:
        series = np.array(hour_series(unit.capacity, hours))
        up[:, order[unit.zone]] += series
        key = series.tobytes()
        if key not in rows:
            rows[key] = len(profiles)
            profiles.append(series)
        profile_of.append(rows[key])
    parts = [(unit.outage_rate, unit.repair_hours) for unit in model.units]
    parts += [(link.outage_rate, link.repair_hours) for link in model.links]
    rate = np.array([row[0] for row in parts], dtype=np.float64)
    repaired = 1.0 / np.array([row[1] for row in parts], dtype=np.float64)
    fails = repaired * rate / (1.0 - rate)
    both = [limits(link, hours) for link in model.links]
    with np.errstate(divide="ignore"):
        stay_up, stay_down = np.log1p(-fails), np.log1p(-repaired)
    return Arrays(
        up=up,
        firm=np.array([model.demand + case.firm for case in cases]),
        soft=np.array([case.interruptible for case in cases], dtype=np.float64),
        profile=np.array(profiles, dtype=np.float64).reshape(len(profiles), hours),
        profile_of=np.array(profile_of, dtype=np.int64),
        zone_of=np.array([order[unit.zone] for unit in model.units], dtype=np.int64),
        tail=np.array(
            [order[z] for link in model.links for z in (link.from_zone, link.to_zone)], dtype=np.int64
        ),
        head=np.array(
            [order[z] for link in model.links for z in (link.to_zone, link.from_zone)], dtype=np.int64
        ),
        gain=np.repeat([1.0 - link.loss for link in model.links], 2).astype(np.float64),
        room=np.array([side for pair in both for side in pair], dtype=np.float64).reshape(-1, hours).T.copy(),
        rate=rate,
        stay_up=stay_up,
        stay_down=stay_down,
    )


def run_years(arrays: Arrays, seed: int, years: npt.NDArray[np.int64]) -> FloatArray:
    """The years asked for, shape (years, cases, zones + 1, len(FIGURES)); each is the same in any company."""
    hours, zones = arrays.up.shape
    cases, arcs = arrays.firm.shape[0], len(arrays.tail)
    result = np.zeros((len(years), cases, zones + 1, len(FIGURES)))
    supply = np.empty((hours, zones))
    broken = np.empty((hours, max(arcs // 2, 1)))
    spells = np.empty((2, hours // 2 + 2), dtype=np.int64)
    scratch = np.empty((5, max(zones, arcs, 1)))
    via = np.empty(zones, dtype=np.int64)
    _run(
        seed,
        years,
        arrays.up,
        arrays.firm,
        arrays.soft,
        arrays.profile,
        arrays.profile_of,
        arrays.zone_of,
        arrays.tail,
        arrays.head,
        arrays.gain,
        arrays.room,
        arrays.rate,
        arrays.stay_up,
        arrays.stay_down,
        supply,
        broken,
        spells[0],
        spells[1],
        scratch[0, :zones],
        scratch[1, :zones],
        scratch[2, :zones],
        scratch[3, :arcs],
        scratch[4, :arcs],
        via,
        result,
    )
    return result


@entry
def _run(
    seed,
    years,
    up,
    firm,
    soft,
    profile,
    profile_of,
    zone_of,
    tail,
    head,
    gain,
    room,
    rate,
    stay_up,
    stay_down,
    supply,
    broken,
    starts,
    ends,
    margin,
    before,
    kept,
    sent,
    free,
    via,
    result,
):
    hours = up.shape[0]
    cases = firm.shape[0]
    for number in range(years.shape[0]):
        _supply(
            seed,
            years[number],
            up,
            profile,
            profile_of,
            zone_of,
            rate,
            stay_up,
            stay_down,
            supply,
            starts,
            ends,
        )
        _links(seed, years[number], zone_of.shape[0], rate, stay_up, stay_down, broken, starts, ends, hours)
        for case in range(cases):
            for hour in range(hours):
                if not _is_short(hour, case, supply, firm, soft):
                    continue
                _settle_hour(
                    hour, case, number, supply, firm, soft, tail, head, gain, room, broken,
                    margin, before, kept, sent, free, via, result,
                )  # fmt: skip


@compiled
def _supply(seed, year, up, profile, profile_of, zone_of, rate, stay_up, stay_down, supply, starts, ends):
    hours, zones = up.shape
    for hour in range(hours):
        for zone in range(zones):
            supply[hour, zone] = up[hour, zone]
    for unit in range(zone_of.shape[0]):
        if rate[unit] <= 0.0:
            continue
        state = start_of_stream(seed, year, unit)
        count = draw_outages(state, rate[unit], stay_up[unit], stay_down[unit], hours, starts, ends)
        row, zone = profile_of[unit], zone_of[unit]
        for spell in range(count):
            for hour in range(starts[spell], ends[spell]):
                supply[hour, zone] -= profile[row, hour]


@compiled
def _links(seed, year, units, rate, stay_up, stay_down, broken, starts, ends, hours):
    """1 in `broken` where a link is down."""
    for link in range(rate.shape[0] - units):
        for hour in range(hours):
            broken[hour, link] = 0.0
        if rate[units + link] <= 0.0:
            continue
        state = start_of_stream(seed, year, _FIRST_LINK + link)
        count = draw_outages(
            state, rate[units + link], stay_up[units + link], stay_down[units + link], hours, starts, ends
        )
        for spell in range(count):
            for hour in range(starts[spell], ends[spell]):
                broken[hour, link] = 1.0


@compiled
def _is_short(hour, case, supply, firm, soft):
    """Whether any zone needs help, were all loads served."""
    for zone in range(supply.shape[1]):
        if supply[hour, zone] - firm[case, hour, zone] - soft[case, hour, zone] < -_LEAST:
            return True
    return False


@compiled
def _open(hour, room, broken, free):
    for arc in range(free.shape[0]):
        free[arc] = room[hour, arc] * (1.0 - broken[hour, arc // 2])


@compiled
def _settle_hour(
    hour, case, number, supply, firm, soft, tail, head, gain, room, broken,
    margin, before, kept, sent, free, via, result,
):  # fmt: skip
    """People first: what they miss is short; what all miss beyond that is cut of the interruptible load."""
    zones = margin.shape[0]
    _open(hour, room, broken, free)
    for zone in range(zones):
        margin[zone] = supply[hour, zone] - firm[case, hour, zone]
    settle(margin, tail, head, gain, free, sent, kept, via)
    short = 0.0
    for zone in range(zones):
        before[zone] = min(margin[zone], 0.0)
        if before[zone] < -_LEAST:
            result[number, case, zone, 0] += 1.0
            result[number, case, zone, 1] -= before[zone]
            short -= before[zone]
    if short > 0.0:
        result[number, case, zones, 0] += 1.0
        result[number, case, zones, 1] += short
    _cut(hour, case, number, margin, before, soft, tail, head, gain, free, sent, kept, via, result)


@compiled
def _cut(hour, case, number, margin, before, soft, tail, head, gain, free, sent, kept, via, result):
    """What is left after people serves the interruptible load; what that misses is cut."""
    zones = margin.shape[0]
    some = False
    for zone in range(zones):
        margin[zone] = max(margin[zone], 0.0) - soft[case, hour, zone]
        some = some or soft[case, hour, zone] > 0.0
    if not some:
        return
    for arc in range(free.shape[0]):
        free[arc] = max(free[arc] - sent[arc], 0.0)
    settle(margin, tail, head, gain, free, sent, kept, via)
    whole = 0.0
    for zone in range(zones):
        missing = -margin[zone]
        if missing > _LEAST:
            result[number, case, zone, 2] += 1.0
            result[number, case, zone, 3] += missing
            whole += missing
    if whole > 0.0:
        result[number, case, zones, 2] += 1.0
        result[number, case, zones, 3] += whole
