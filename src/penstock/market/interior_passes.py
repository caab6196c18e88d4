"""Passes of the interior-point solver over the steps of all pieces of the year.

Rows of a step are its zones, its stores and the budgets. They are eliminated in the order zones of an hour,
store rows along the chain of hours, border (see `interior_linear`). One pass forward updates the columns,
builds the blocks and factorises them; each further solution takes one pass forward with a right side and one
backward. Columns are read and written one step at a time, so that what a step needs stays in the cache.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from .interior_blocks import (
    advance_matrix,
    advance_rhs,
    back_step,
    distribute,
    eliminate_zones,
    forward_zones,
    gather,
    normal_matrix,
    product,
    split_levels,
)
from .interior_columns import (
    column_final,
    column_fresh,
    column_predict,
    column_right,
    column_start,
    column_update,
)
from .interior_linear import LANES, FloatArray, IntArray

__all__ = ["Blocks", "Columns", "Control", "Layout", "backward", "forward"]

START, STEP, RIGHT = 0, 1, 2

_njit: Any = numba.njit  # its types do not know the options below
_part: Any = _njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)


class Layout(NamedTuple):
    """What is where. T steps; R = Z + S + B rows a step; K budget periods; W border slots a lane.

    first: first step of each lane that is an hour (1: the lane is one hour shorter); previous: lane before.
    at: first column of each step, shape (T + 1,); segments: how many of its columns are segments.
    row, start: zone x lane of each segment; first segment of each (step, zone, lane).
    pattern_start, pattern_row, pattern_value: matrix entries of the columns that every hour has: members
        of budgets, arcs, charge, discharge and spill; in a step they follow the segments, one per lane.
        The levels before the step come last.
    link: share of the level before a lane that enters its first row, shape (S, LANES): 0 or 1.
    slot: border slot of each budget, shape (B, T, LANES); slot_period: budget period of each slot or -1.
    """

    first: IntArray
    previous: IntArray
    at: IntArray
    segments: IntArray
    row: IntArray
    start: IntArray
    pattern_start: IntArray
    pattern_row: IntArray
    pattern_value: FloatArray
    link: FloatArray
    slot: IntArray
    slot_period: IntArray


class Columns(NamedTuple):
    """Every column: x, slack, their duals, cost; the last K columns are the energies of budget periods."""

    x: FloatArray
    s: FloatArray
    lower: FloatArray
    upper: FloatArray
    cost: FloatArray


class Blocks(NamedTuple):
    """Duals, right sides and factors; (T, R, LANES) unless said otherwise.

    y, predicted, final: duals of the rows, the predictor's and the corrected step; the same for the budget
        periods, shape (K,), in y_budget, predicted_budget and final_budget.
    need, energy: right sides of the rows and of the budget periods' rows.
    gap, gap_budget: what the columns miss of them; rhs: right side of the present solution.
    inverse (T, packed, LANES), gain (T, S + B, Z, LANES): inverse zone blocks, and times their coupling.
    weight: of the level before each step, shape (T + 1, S, LANES).
    p, f: see `interior_linear`; border, border_rhs: by lane, over [level before the lane, slots].
    slack, slack_k: 1 / theta and k of the levels between lanes, shape (S, LANES).
    budget_theta, budget_moved: theta and theta k of the budget periods' energies.
    """

    y: FloatArray
    predicted: FloatArray
    final: FloatArray
    y_budget: FloatArray
    predicted_budget: FloatArray
    final_budget: FloatArray
    need: FloatArray
    energy: FloatArray
    gap: FloatArray
    gap_budget: FloatArray
    rhs: FloatArray
    inverse: FloatArray
    gain: FloatArray
    weight: FloatArray
    p: FloatArray
    f: FloatArray
    border: FloatArray
    border_rhs: FloatArray
    slack: FloatArray
    slack_k: FloatArray
    budget_theta: FloatArray
    budget_moved: FloatArray


class Control(NamedTuple):
    """mu and the weight of the second-order terms; the least complementarity; step lengths."""

    mu: float
    bend: float
    centre: float
    primal_step: float
    dual_step: float


@_part
def _aims(
    m: Layout, w: Blocks, t: int, mode: int, first_aim: FloatArray, second_aim: FloatArray, k: FloatArray
) -> tuple[int, int]:
    """What the duals ask of the columns of a step: its first column and their number.

    first_aim, second_aim: change of the reduced costs, predicted and final; k: the duals' part of the costs.
    """
    if t == len(w.y):
        size = len(w.y_budget)
        first_aim[:size] = -w.predicted_budget
        second_aim[:size] = -w.final_budget
        k[:size] = -w.y_budget
        return m.at[t], size
    zones, segments = w.gain.shape[2], m.segments[t]
    for pick in range(3):
        if (pick == 0 and mode == START) or (pick == 1 and mode != STEP) or (pick == 2 and mode == RIGHT):
            continue
        source = w.predicted if pick == 0 else (w.final if pick == 1 else w.y)
        gather(
            t,
            zones,
            segments,
            m.row,
            m.start[t * zones * LANES],
            m.pattern_start,
            m.pattern_row,
            m.pattern_value,
            m.first,
            m.previous,
            m.link,
            source,
            source.reshape(-1),
            first_aim if pick == 0 else (second_aim if pick == 1 else k),
        )
    return m.at[t], m.at[t + 1] - m.at[t]


@_part
def _move(
    c: Columns, control: Control, mode: int, at: int, size: int, buffer: FloatArray, sums: FloatArray
) -> None:
    """Columns of a step: onto the central path, a step on, or the corrector's right side."""
    first_aim, second_aim, moved, k = buffer[0], buffer[1], buffer[2], buffer[3]
    mu, bend = control.mu, control.bend
    if mode == RIGHT:
        column_right(c.x, c.s, c.lower, c.upper, at, size, first_aim, mu, bend, moved, k)
        return
    if mode == START:
        column_start(c.x, c.s, c.lower, c.upper, c.cost, at, size, k, mu)
    else:
        column_update(
            c.x,
            c.s,
            c.lower,
            c.upper,
            at,
            size,
            first_aim,
            second_aim,
            mu,
            bend,
            control.centre,
            control.primal_step,
            control.dual_step,
        )
    column_fresh(c.x, c.s, c.lower, c.upper, c.cost, at, size, k, second_aim, moved, sums)


@_part
def _misses(
    m: Layout, c: Columns, w: Blocks, t: int, mode: int, moved: FloatArray, tails: FloatArray
) -> None:
    """Right side of the rows of a step, and what its columns miss of their right sides.

    tails: shape (2, S, LANES), parts of the row before a lane: of the right side, and of the misses.
    """
    zones, stores, rows = w.gain.shape[2], len(m.link), w.y.shape[1]
    for pick in range(1 if mode == RIGHT else 2):
        product(
            t,
            zones,
            m.segments[t],
            m.start,
            m.pattern_start,
            m.pattern_row,
            m.pattern_value,
            m.first,
            m.previous,
            m.link,
            moved if pick == 0 else c.x,
            0 if pick == 0 else m.at[t],
            1.0 if pick == 0 else -1.0,
            w.rhs if pick == 0 else w.gap,
            tails[pick],
        )
    if mode != RIGHT:
        for r in range(rows):
            for lane in range(LANES):
                w.gap[t, r, lane] += w.need[t, r, lane]
        for b in range(rows - zones - stores):
            for lane in range(LANES):
                period = m.slot_period[m.slot[b, t, lane], lane]
                if period >= 0:
                    w.gap_budget[period] += w.gap[t, zones + stores + b, lane]
    for z in range(zones):
        for lane in range(LANES):
            w.rhs[t, z, lane] += w.gap[t, z, lane]


@_part
def _chain(
    m: Layout, w: Blocks, t: int, mode: int, chain: FloatArray, after: FloatArray, work: FloatArray
) -> None:
    """Eliminate the store rows of the step before t; `after` takes what that leaves to step t."""
    zones, stores, before = w.gain.shape[2], len(m.link), t - 1
    if mode != RIGHT:
        advance_matrix(
            stores,
            w.weight[t],
            w.p[before],
            chain[(t + 1) % 2],
            w.f[before],
            chain[t % 2],
            w.f[t],
            w.border,
            work,
        )
    advance_rhs(
        stores,
        w.weight[t],
        w.p[before],
        w.f[before],
        w.rhs[before, zones : zones + stores],
        after,
        w.border_rhs,
        work,
    )


@_part
def _zones(
    m: Layout,
    w: Blocks,
    t: int,
    mode: int,
    theta: FloatArray,
    matrix: FloatArray,
    this: FloatArray,
    work: FloatArray,
) -> None:
    """Eliminate the zones of a step from its store rows and the border."""
    zones, rows, stores = w.gain.shape[2], w.y.shape[1], len(m.link)
    if mode != RIGHT:
        normal_matrix(
            t,
            zones,
            rows,
            m.segments[t],
            m.start,
            m.pattern_start,
            m.pattern_row,
            m.pattern_value,
            m.first,
            theta,
            matrix,
        )
        eliminate_zones(zones, rows, matrix, w.inverse[t], w.gain[t], work[0])
        distribute(t, zones, stores, matrix, m.first, m.link, m.slot, this, w.f[t], w.border)
    forward_zones(t, zones, stores, w.gain[t], m.first, m.slot, w.rhs[t], w.border_rhs)


@_part
def _begin(w: Blocks, mode: int, control: Control, sums: FloatArray) -> None:
    """Take the step of the duals and clear what is added up."""
    sums[:] = 0.0
    if mode == STEP:
        w.y[:] += control.dual_step * w.final
        w.y_budget[:] += control.dual_step * w.final_budget
    if mode != RIGHT:
        w.border[:] = 0.0
        w.f[0] = 0.0
        w.gap_budget[:] = w.energy
    w.border_rhs[:] = 0.0


@numba.njit(nogil=True, cache=True, error_model="numpy")
def forward(m: Layout, c: Columns, w: Blocks, mode: int, control: Control, sums: FloatArray) -> None:
    """One pass forward. START: columns on the central path at mu; STEP: take the step found; both then
    factorise and eliminate the predictor's right side. RIGHT: eliminate the corrector's right side.

    sums[:3], but for RIGHT: complementarity, cost and bound part of the dual of the columns.
    """
    steps, rows, zones, stores = len(w.y), w.y.shape[1], w.gain.shape[2], len(m.link)
    buffer = np.zeros((4, max(np.max(m.at[1:] - m.at[:-1]), len(w.y_budget))))
    tails, unused = np.zeros((2, stores, LANES)), np.zeros((stores, LANES))
    work = np.zeros((rows + 2, LANES))
    matrix = np.zeros((rows * (rows + 1) // 2, LANES))
    chain = np.zeros((2, stores * (stores + 1) // 2, LANES))
    _begin(w, mode, control, sums)
    theta, moved, k = buffer[1], buffer[2], buffer[3]
    for t in range(steps + 1):
        at, size = _aims(m, w, t, mode, buffer[0], buffer[1], k)
        _move(c, control, mode, at, size, buffer, sums)
        if t == steps:
            w.budget_moved[:] = moved[:size]
            if mode != RIGHT:
                w.budget_theta[:] = theta[:size]
                w.gap_budget[:] += c.x[at:]
            break
        levels = size - stores * LANES
        if mode != RIGHT:
            for j in range(levels, size):
                k[j] = moved[j] / theta[j]
        split_levels(t, levels, m.first, mode != RIGHT, theta, moved, k, w.weight[t], w.slack, w.slack_k)
        _misses(m, c, w, t, mode, moved, tails)
        this = chain[t % 2]
        if mode != RIGHT:
            this[:] = 0.0
        if t > 0:
            for r in range(zones, zones + stores):
                for lane in range(LANES):
                    w.rhs[t - 1, r, lane] += w.gap[t - 1, r, lane]
            _chain(m, w, t, mode, chain, w.rhs[t, zones:], work)
        _zones(m, w, t, mode, theta, matrix, this, work)
    last = steps - 1
    for s in range(stores):
        for lane in range(LANES):
            w.gap[last, zones + s, lane] += tails[1, s, lane]
            w.rhs[last, zones + s, lane] += tails[0, s, lane] + w.gap[last, zones + s, lane]
    if mode != RIGHT:
        w.weight[steps] = 0.0
    _chain(m, w, steps, mode, chain, unused, work)


@_part
def _measure(
    m: Layout,
    c: Columns,
    w: Blocks,
    t: int,
    correcting: bool,
    control: Control,
    buffer: FloatArray,
    use: FloatArray,
    sums: FloatArray,
) -> None:
    """Measures of the step that the columns of step t would take."""
    steps, zones = len(w.y), w.gain.shape[2]
    at, size = m.at[t], m.at[t + 1] - m.at[t] if t < steps else len(w.y_budget)
    if t == steps:
        buffer[0, :size] = -w.predicted_budget
        buffer[1, :size] = -w.final_budget
    else:
        for pick in range(2 if correcting else 1):
            source = w.predicted if pick == 0 else w.final
            gather(
                t,
                zones,
                m.segments[t],
                m.row,
                m.start[t * zones * LANES],
                m.pattern_start,
                m.pattern_row,
                m.pattern_value,
                m.first,
                m.previous,
                m.link,
                source,
                source.reshape(-1),
                buffer[pick],
            )
    first, second, mu, bend = buffer[0], buffer[1], control.mu, control.bend
    if correcting:
        column_final(c.x, c.s, c.lower, c.upper, at, size, first, second, mu, bend, use, sums)
    else:
        column_predict(c.x, c.s, c.lower, c.upper, at, size, first, use, sums)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def backward(
    m: Layout,
    c: Columns,
    w: Blocks,
    correcting: bool,
    control: Control,
    border: FloatArray,
    right: FloatArray,
    sums: FloatArray,
) -> None:
    """One pass backward for the duals, then the measures of the step they give (see `column_predict`).

    border: levels before the lanes and multipliers of their slots; right: levels after the lanes.
    """
    out = w.final if correcting else w.predicted
    steps, rows, zones, stores = len(w.y), w.y.shape[1], w.gain.shape[2], len(m.link)
    longest = max(np.max(m.at[1:] - m.at[:-1]), len(w.y_budget), 64)
    buffer, use = np.zeros((2, longest)), np.zeros((4, longest))
    work, nothing = np.zeros((rows, LANES)), np.zeros((stores, LANES))
    sums[:] = 0.0
    last = steps - 1
    for s in range(stores):
        for lane in range(LANES):
            w.rhs[last, zones + s, lane] -= right[s, lane]
    for back in range(steps + 2):
        t = last - back
        if t >= 0:
            after = nothing if t == last else out[t + 1, zones:]
            back_step(
                t,
                zones,
                stores,
                w.inverse[t],
                w.gain[t],
                w.weight[t + 1],
                w.p[t],
                w.f[t],
                m.slot,
                w.rhs[t],
                border,
                after,
                out[t],
                work,
            )
        if t != last:
            _measure(m, c, w, t + 1 if t >= -1 else steps, correcting, control, buffer, use, sums)
