"""One sampled year: when every unit is up, drawn by its failures and repairs.

A unit that is up fails in an hour with the probability λ, one that is down is repaired with μ = 1 / repair
time; with the share of time q that it is down, λ = μ·q / (1 − q). It starts the year down with the
probability q, its share over a long time. So spells are geometric, and are drawn one by one:

    length = ⌈ln(u) / ln(1 − p)⌉,    u uniform in (0, 1), p = λ or μ.

The uniforms are those of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), one stream for each seed, year and
unit: a year is the same whoever computes it, in any order.
"""

from __future__ import annotations

import numpy as np

from penstock.market.compiled import compiled

__all__ = ["GOLDEN", "draw_outages", "start_of_stream", "uniform"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_UNIT = 1.0 / 9007199254740992.0  # 2^-53


@compiled
def _mix(state):
    state = (state ^ (state >> _S30)) * _FIRST
    state = (state ^ (state >> _S27)) * _SECOND
    return state ^ (state >> _S31)


@compiled
def start_of_stream(seed, year, unit):
    """State of the stream of a unit in a year. Each step hashes, so that near numbers start far apart."""
    state = _mix(np.uint64(seed) + GOLDEN)
    state = _mix(state ^ (np.uint64(year) * GOLDEN + _FIRST))
    return _mix(state ^ (np.uint64(unit) * GOLDEN + _SECOND))


@compiled
def uniform(state):
    """In (0, 1), of a state of the stream."""
    return (float(_mix(state) >> _S11) + 0.5) * _UNIT


@compiled
def _spell(state, log_stay, hours):
    """Hours that a spell lasts, at least 1, cut off beyond the year. log_stay: ln(1 − p), below 0 or −inf."""
    length = np.ceil(np.log(uniform(state)) / log_stay)
    return int(min(max(length, 1.0), float(hours)))


@compiled
def draw_outages(state, rate, log_stay_up, log_stay_down, hours, starts, ends):
    """Fills in the hours in which the unit goes down, and those in which it is back; gives their number.

    starts, ends: at least hours / 2 + 1 long.
    """
    count, hour = 0, 0
    state += GOLDEN
    down = uniform(state) < rate
    while hour < hours:
        state += GOLDEN
        if down:
            length = _spell(state, log_stay_down, hours)
            starts[count] = hour
            ends[count] = min(hour + length, hours)
            count += 1
        else:
            length = _spell(state, log_stay_up, hours)
        hour += length
        down = not down
    return count
