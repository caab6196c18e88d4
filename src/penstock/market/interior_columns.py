"""Column arithmetic of the interior-point solver: one column is x in [0, w] with slack s = w - x.

Its duals are lower >= 0 (of x >= 0) and upper >= 0 (of s >= 0); dual feasible: lower - upper = g, the reduced
cost c - A'y. With a target mu and the second-order products pa = dx dlower and pb = -dx dupper of the
predictor (Mehrotra, On the Implementation of a Primal-Dual Interior Point Method, SIAM J. Optim. 2, 1992),

    theta = 1 / (lower / x + upper / s)
    k = g - (mu - pa) / x + (mu - pb) / s
    dx = theta (A'dy - k).

The predictor has mu = pa = pb = 0, so that k = g. Each function handles `count` columns from `at` on;
arrays of the whole year are read at `at + j`, buffers of one step at j.
"""

from __future__ import annotations

import numpy as np

from .interior_linear import FloatArray, leaf

__all__ = ["column_final", "column_fresh", "column_predict", "column_right", "column_start", "column_update"]


# Largest share of x or s that one step uses up.
_STEP_SHARE = 0.99
# Weight of (new x - x)^2 / 2: no theta is above its inverse, so that the factors keep their digits.
_PROXIMAL = 1e-9
_BLOCK = 32


@leaf
def column_start(
    x: FloatArray,
    s: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    cost: FloatArray,
    at: int,
    count: int,
    dual: FloatArray,
    mu: float,
) -> None:
    """Point on the central path of each column alone; s holds the width on entry, dual is A'y."""
    x, s, lower, upper, cost = (
        x[at : at + count],
        s[at : at + count],
        lower[at : at + count],
        upper[at : at + count],
        cost[at : at + count],
    )
    for j in range(count):
        width = s[j]
        skew = (cost[j] - dual[j]) * width / (2.0 * mu)
        root = np.sqrt(1.0 + skew * skew)
        x[j] = width / (1.0 + skew + root) if skew > 0.0 else width - width / (1.0 - skew + root)
        s[j] = width / (1.0 - skew + root) if skew < 0.0 else width - width / (1.0 + skew + root)
        lower[j] = mu / x[j]
        upper[j] = mu / s[j]


@leaf
def column_update(
    x: FloatArray,
    s: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    at: int,
    count: int,
    predicted: FloatArray,
    final: FloatArray,
    mu: float,
    bend: float,
    centre: float,
    primal_step: float,
    dual_step: float,
) -> None:
    """Take the step whose A'dy was `predicted` and `final`."""
    x, s, lower, upper = (
        x[at : at + count],
        s[at : at + count],
        lower[at : at + count],
        upper[at : at + count],
    )
    for j in range(count):
        room = x[j] * s[j]
        stiff = lower[j] * s[j] + upper[j] * x[j] + _PROXIMAL * room
        both = 1.0 / (room * stiff)
        theta = room * room * both
        ix, iz = s[j] * stiff * both, x[j] * stiff * both
        g = lower[j] - upper[j]
        dxa = theta * (predicted[j] - g)
        low = mu + bend * dxa * lower[j] * (1.0 + dxa * ix)
        high = mu - bend * dxa * upper[j] * (1.0 - dxa * iz)
        dx = theta * (final[j] - g + low * ix - high * iz)
        below = lower[j] + dual_step * ((low - lower[j] * dx) * ix - lower[j])
        above = upper[j] + dual_step * ((high + upper[j] * dx) * iz - upper[j])
        move = primal_step * dx
        move = move if move > -_STEP_SHARE * x[j] else -_STEP_SHARE * x[j]
        move = move if move < _STEP_SHARE * s[j] else _STEP_SHARE * s[j]
        nx, ns = x[j] + move, s[j] - move
        least = centre / (nx * ns)
        lift, other = least * ns - below, least * nx - above
        lift = lift if lift > other else other
        lift = lift if lift > 0.0 else 0.0
        x[j], s[j] = nx, ns
        lower[j] = below + lift
        upper[j] = above + lift


@leaf
def column_fresh(
    x: FloatArray,
    s: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    cost: FloatArray,
    at: int,
    count: int,
    dual: FloatArray,
    theta: FloatArray,
    moved: FloatArray,
    sums: FloatArray,
) -> None:
    """theta and theta g at A'y = dual; adds complementarity, cost and the dual's bound part to sums[:3]."""
    x, s, lower, upper, cost = (
        x[at : at + count],
        s[at : at + count],
        lower[at : at + count],
        upper[at : at + count],
        cost[at : at + count],
    )
    gap = 0.0
    spent = 0.0
    bound = 0.0
    for j in range(count):
        g = cost[j] - dual[j]
        off = g - (lower[j] - upper[j])
        low = lower[j] + (off if lower[j] > upper[j] else 0.0)
        high = upper[j] - (off if lower[j] <= upper[j] else 0.0)
        low = low if low > 0.5 * lower[j] else 0.5 * lower[j]
        high = high if high > 0.5 * upper[j] else 0.5 * upper[j]
        lower[j] = low
        upper[j] = high
        room = x[j] * s[j]
        theta[j] = room / (low * s[j] + high * x[j] + _PROXIMAL * room)
        moved[j] = theta[j] * g
        gap += x[j] * low + s[j] * high
        spent += cost[j] * x[j]
        bound += (x[j] + s[j]) * (g if g < 0.0 else 0.0)
    sums[0] += gap
    sums[1] += spent
    sums[2] -= bound


@leaf
def _measure(use: FloatArray, count: int, sums: FloatArray) -> None:
    """What a full step uses up of x or s (use[0]) and of the duals (use[1]): the largest share (sums[3] and
    sums[8]) and how many columns use more than 1, 1.4, 2, 3 times what they have (sums[4:8], sums[9:13])."""
    for side in range(2):
        values, most = use[side, :count], use[2 + side, :_BLOCK]
        for k in range(_BLOCK):
            most[k] = 0.0
        for block in range(count // _BLOCK):
            part = values[block * _BLOCK : (block + 1) * _BLOCK]
            for k in range(_BLOCK):
                most[k] = part[k] if part[k] > most[k] else most[k]
        for j in range(count - count % _BLOCK, count):
            most[0] = values[j] if values[j] > most[0] else most[0]
        for k in range(1, _BLOCK):
            most[0] = most[k] if most[k] > most[0] else most[0]
        place = 3 + 5 * side
        sums[place] = max(sums[place], most[0])
        if most[0] <= 1.0:
            continue
        c1, c2, c3, c4 = 0.0, 0.0, 0.0, 0.0
        for j in range(count):
            c1 += 1.0 if values[j] > 1.0 else 0.0
            c2 += 1.0 if values[j] > 1.4 else 0.0
            c3 += 1.0 if values[j] > 2.0 else 0.0
            c4 += 1.0 if values[j] > 3.0 else 0.0
        sums[place + 1] += c1
        sums[place + 2] += c2
        sums[place + 3] += c3
        sums[place + 4] += c4


@leaf
def column_predict(
    x: FloatArray,
    s: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    at: int,
    count: int,
    predicted: FloatArray,
    use: FloatArray,
    sums: FloatArray,
) -> None:
    """Predictor: change of complementarity per primal step, per dual step and per both (sums[:3]); see
    `_measure` for the rest."""
    x, s, lower, upper = (
        x[at : at + count],
        s[at : at + count],
        lower[at : at + count],
        upper[at : at + count],
    )
    first = 0.0
    second = 0.0
    cross = 0.0
    for j in range(count):
        room = x[j] * s[j]
        stiff = lower[j] * s[j] + upper[j] * x[j] + _PROXIMAL * room
        both = 1.0 / (room * stiff)
        theta = room * room * both
        ix, iz = s[j] * stiff * both, x[j] * stiff * both
        g = lower[j] - upper[j]
        dx = theta * (predicted[j] - g)
        up, down = dx * iz, dx * ix
        use[0, j] = up if up > -down else -down
        use[1, j] = 1.0 + (down if down > -up else -up)
        dlow, dhigh = -lower[j] * (1.0 + down), -upper[j] * (1.0 - up)
        first += dx * g
        second += x[j] * dlow + s[j] * dhigh
        cross += dx * (dlow - dhigh)
    _measure(use, count, sums)
    sums[0] += first
    sums[1] += second
    sums[2] += cross


@leaf
def column_right(
    x: FloatArray,
    s: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    at: int,
    count: int,
    predicted: FloatArray,
    mu: float,
    bend: float,
    moved: FloatArray,
    k: FloatArray,
) -> None:
    """k and theta k of the corrector."""
    x, s, lower, upper = (
        x[at : at + count],
        s[at : at + count],
        lower[at : at + count],
        upper[at : at + count],
    )
    for j in range(count):
        room = x[j] * s[j]
        stiff = lower[j] * s[j] + upper[j] * x[j] + _PROXIMAL * room
        both = 1.0 / (room * stiff)
        theta = room * room * both
        ix, iz = s[j] * stiff * both, x[j] * stiff * both
        g = lower[j] - upper[j]
        dxa = theta * (predicted[j] - g)
        low = mu + bend * dxa * lower[j] * (1.0 + dxa * ix)
        high = mu - bend * dxa * upper[j] * (1.0 - dxa * iz)
        k[j] = g - low * ix + high * iz
        moved[j] = theta * k[j]


@leaf
def column_final(
    x: FloatArray,
    s: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    at: int,
    count: int,
    predicted: FloatArray,
    final: FloatArray,
    mu: float,
    bend: float,
    use: FloatArray,
    sums: FloatArray,
) -> None:
    """What the corrected step uses up (see `_measure`)."""
    x, s, lower, upper = (
        x[at : at + count],
        s[at : at + count],
        lower[at : at + count],
        upper[at : at + count],
    )
    for j in range(count):
        room = x[j] * s[j]
        stiff = lower[j] * s[j] + upper[j] * x[j] + _PROXIMAL * room
        both = 1.0 / (room * stiff)
        theta = room * room * both
        ix, iz = s[j] * stiff * both, x[j] * stiff * both
        g = lower[j] - upper[j]
        dxa = theta * (predicted[j] - g)
        low = mu + bend * dxa * lower[j] * (1.0 + dxa * ix)
        high = mu - bend * dxa * upper[j] * (1.0 - dxa * iz)
        dx = theta * (final[j] - g + low * ix - high * iz)
        dlow = (low - lower[j] * dx) * ix - lower[j]
        dhigh = (high + upper[j] * dx) * iz - upper[j]
        up, down = dx * iz, -dx * ix
        use[0, j] = up if up > down else down
        up, down = dlow * upper[j], dhigh * lower[j]
        use[1, j] = -(up if up < down else down) / (lower[j] * upper[j])
    _measure(use, count, sums)
