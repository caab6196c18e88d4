"""A primal-dual interior-point solver for a market year with energy stores and energy budgets.

The linear programme is that of `reference`, all hours at once: segments, arcs, stores and budgets as `Arrays`
describes them. Every column is brought to the form 0 <= x <= w, so that

    minimise c'x   subject to   A x = b (zone balances, level equations, energies of budget periods)

has the dual  max b'y - sum of w x max(0, A'y - c): any duals y of the rows give a lower bound. The method is
Mehrotra's predictor-corrector (SIAM J. Optim. 2, 1992) with dual feasible iterates; its normal equations
A theta A' are eliminated block by block (see `interior_passes`): zones within their hour, then the
store rows along the hours, then the levels between pieces of the year and the multipliers of the budgets.

A band of prices that is known to hold the optimum makes it much smaller: a segment whose cost lies below the
band runs at full width, one above it not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Arrays
from .interior_linear import LANES
from .interior_passes import RIGHT, START, STEP, Blocks, Control, backward, forward
from .interior_root import solve_root
from .interior_setup import Problem, set_up
from .system import FloatArray

__all__ = ["Interior", "solve_interior"]

# Share of the way to the nearest limit that a step takes.
_STEP_SHARE = 0.995
# Share of the columns that may stop short of a step, and the gap from which on fewer may.
_STOPPED_SHARE, _STOPPED_GAP = 1e-4, 1e-3
# Largest use of its room, by any but those columns, at which each step length is taken.
_USES = (1.0, 1.4, 2.0, 3.0)
_TARGET_POWER = 4.0
# Least complementarity of a column, over the target.
_CENTRE = 0.03
# Largest miss of a row over the typical power, and over the gap where that is wide.
_LARGEST_MISS, _MISS_PER_GAP = 1e-3, 200.0
# Growing misses of this size end the leave to stop columns short.
_GROWN_MISS = 2e-2
# An iterate so much worse than the last has lost its digits.
_WORSE = 100.0
# Complementarity that no step can lessen.
_NOTHING = 1e-100
# Least cost that gaps are measured by, over typical price x power.
_SMALL_SHARE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Interior:
    """A nearly optimal pair of primal and dual solutions.

    price: duals of the balances, shape (H, Z). [USD/MWh]
    water_value: what one more stored MWh after an hour saves, shape (H, S). [USD/MWh]
    budget_multiplier: what a MWh more under a budget period's limit costs, in the order of `Arrays.minimum`;
        at most 0 where the maximum binds, at least 0 where the minimum does. [USD/MWh]
    charge, discharge, level, spill: shape (H, S); level after the hour. [MW, MW, MWh, MW]
    primal, dual: objectives; `dual` is a lower bound on the optimum, whether or not it converged, wherever
        the band holds the optimal prices; `primal` misses the rows by `residual`. [USD]
    gap: complementarity over the objective. [1]
    residual: largest miss of any row over the typical power. [1]
    """

    price: FloatArray
    water_value: FloatArray
    budget_multiplier: FloatArray
    charge: FloatArray
    discharge: FloatArray
    level: FloatArray
    spill: FloatArray
    primal: float
    dual: float
    gap: float
    residual: float
    iterations: int
    converged: bool


def solve_interior(
    arrays: Arrays,
    *,
    band_low: FloatArray | None = None,
    band_high: FloatArray | None = None,
    price: FloatArray | None = None,
    gap: float = 1e-7,
    offset: float = 0.0,
    careful: bool = False,
    max_iterations: int = 60,
    mu: float = 0.1,
    trace: list[tuple[float, ...]] | None = None,
) -> Interior:
    """Solve a year at once.

    band_low, band_high: prices known to enclose the optimal ones, shape (H, Z); segments outside the band
        are fixed. Wrong bands give a wrong optimum: clear again with the water values to verify.
    price: first guess of the prices, shape (H, Z).
    gap: relative gap to stop at; relative to the cost with `offset` added. [1, USD]
    careful: let no column stop short of a step: more iterations, but it converges where losses are about.
    mu: complementarity to start from, over typical price x power.
    trace: gets (iteration, relative gap, residual, steps) of each iteration.

    `converged` is False where the gap is not reached in `max_iterations`, also where no solution exists.
    """
    p = set_up(arrays, band_low, band_high, price)
    w = p.blocks
    solver = _Solver(p)
    if careful:
        solver.lenience = 0.0
    scale = p.power * p.money
    largest = max(_LARGEST_MISS, _MISS_PER_GAP * gap)
    control, mode = Control(mu, 1.0, 0.0, 0.0, 0.0), START
    converged, iteration, last_score = False, 0, np.inf
    while True:
        sums = solver.advance(mode, control)
        complementarity = float(sums[0])
        primal = p.fixed_cost + scale * float(sums[1])
        dual = p.fixed_cost + scale * (_right_part(w) - float(sums[2]))
        size = max(abs(primal + offset), _SMALL_SHARE * scale)
        relative = scale * complementarity / size
        residual = _largest_miss(w)
        if trace is not None:
            trace.append((iteration, relative, residual, control[3], control[4], primal, dual))
        apart = abs(primal - dual) / size
        if not np.isfinite(relative + residual + apart):
            break
        converged = relative <= gap and residual <= largest and apart <= 10 * gap
        score = max(relative, apart, residual * gap / largest)
        if converged or iteration >= max_iterations or complementarity < _NOTHING:
            break
        if not score < _WORSE * last_score:
            w.y[:] -= control.dual_step * w.final
            w.y_budget[:] -= control.dual_step * w.final_budget
            break
        last_score = score
        iteration += 1
        control = solver.direction(complementarity, relative, residual)
        mode = STEP
    return _result(p, primal, dual, relative, residual, iteration, converged)


class _Solver:
    """One problem on its way."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        size = len(problem.blocks.border_rhs)
        self.left = np.zeros((size, LANES))
        self.right = np.zeros((len(problem.blocks.slack), LANES))
        self.sums = np.zeros(13)
        self.lenience, self.residual = 1.0, np.inf

    def advance(self, mode: int, control: Control) -> FloatArray:
        """Take the step, build and factorise."""
        p = self.problem
        forward(p.layout, p.columns, p.blocks, mode, control, self.sums)
        return self.sums

    def _solve(self, correcting: bool, control: Control) -> None:
        p, w = self.problem, self.problem.blocks
        zones, stores, last = w.gain.shape[2], len(w.slack), len(w.y) - 1
        out = w.final_budget if correcting else w.predicted_budget
        solve_root(
            p.root,
            not correcting,
            len(w.y),
            p.layout.first,
            p.layout.previous,
            p.layout.slot_period,
            w.border,
            w.border_rhs,
            w.slack,
            w.slack_k,
            w.p[last],
            w.f[last],
            w.rhs[last, zones : zones + stores],
            w.gap_budget - w.budget_moved,
            w.budget_theta,
            out,
            self.left,
            self.right,
        )
        backward(p.layout, p.columns, w, correcting, control, self.left, self.right, self.sums)

    def direction(self, complementarity: float, relative: float, residual: float) -> Control:
        """Predictor and corrector; the step to take."""
        p = self.problem
        count = len(p.columns.x)
        control = Control(0.0, 0.0, 0.0, 0.0, 0.0)
        self._solve(False, control)
        # Columns that stop short leave misses behind: where these grow, fewer may.
        if relative < _STOPPED_GAP and residual > max(self.residual, _GROWN_MISS):
            self.lenience *= 0.5
        self.residual = residual
        allowed = _STOPPED_SHARE * min(1.0, (relative / _STOPPED_GAP) ** 0.5) * self.lenience * count
        target = _target(complementarity, self.sums, count, allowed)
        control = Control(target, 1.0, _CENTRE * target, 0.0, 0.0)
        forward(p.layout, p.columns, p.blocks, RIGHT, control, self.sums)
        self._solve(True, control)
        return control._replace(
            primal_step=_step(self.sums, 0, allowed), dual_step=_step(self.sums, 1, allowed)
        )


def _step(sums: FloatArray, side: int, allowed: float) -> float:
    """Step of the primal (side 0) or dual (1) that stops no more than `allowed` columns short."""
    place = 3 + 5 * side
    step = min(1.0, _STEP_SHARE / max(float(sums[place]), 1e-30))
    for index, used in enumerate(_USES):
        if sums[place + 1 + index] <= allowed:
            return max(step, 1.0 / used)
    return step


def _target(complementarity: float, sums: FloatArray, count: int, allowed: float) -> float:
    """Mehrotra's target: a power of the share that the predictor would leave."""
    primal, dual = _step(sums, 0, allowed), _step(sums, 1, allowed)
    left = complementarity + primal * sums[0] + dual * sums[1] + primal * dual * sums[2]
    share = min(1.0, max(float(left) / complementarity, 0.0)) if np.isfinite(left) else 1.0
    return max(float(share**_TARGET_POWER), 1e-8) * complementarity / (2 * count)


def _right_part(w: Blocks) -> float:
    return float(np.vdot(w.need, w.y)) + float(np.dot(w.energy, w.y_budget))


def _largest_miss(w: Blocks) -> float:
    rows = w.gain.shape[2] + len(w.slack)
    miss = max(float(w.gap[:, :rows].max(initial=0.0)), -float(w.gap[:, :rows].min(initial=0.0)))
    return max(miss, float(np.abs(w.gap_budget).max(initial=0.0)))


def _result(
    p: Problem,
    primal: float,
    dual: float,
    relative: float,
    residual: float,
    iteration: int,
    converged: bool,
) -> Interior:
    w = p.blocks
    zones, stores = w.gain.shape[2], len(w.slack)
    return Interior(
        price=p.by_hour(w.y[:, :zones]) * p.money,
        water_value=-p.by_hour(w.y[:, zones : zones + stores]) * p.money,
        budget_multiplier=w.y_budget * p.money,
        charge=p.of_stores(0),
        discharge=p.of_stores(1),
        level=p.of_stores(3),
        spill=p.of_stores(2),
        primal=primal,
        dual=dual,
        gap=relative,
        residual=residual,
        iterations=iteration,
        converged=converged,
    )
