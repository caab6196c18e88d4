"""Energy budgets on top of the kernel: Dantzig-Wolfe decomposition with a box around the prices.

The hours are bound only by the budgets. At given budget prices every hour is cleared on its own by the
kernel, which gives a lower bound (Lagrangian relaxation). A small linear programme, the master, mixes the
answers seen so far, by spans of hours, so that every budget holds: that mixture is feasible, an upper
bound, and its duals are the next prices, kept within a box around the best prices so far (Marsten, Hogan
and Blankenship, The Boxstep Method, 1975). Both bounds meet after finitely many rounds, since an hour has
finitely many answers; ties are shared by the weights of the mixture. A sample of the hours gives the first
prices at a fraction of the work.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from penstock.errors import SolverError

from .arrays import Arrays
from .kernel import COST, MOST, Staircase
from .pricing import Coupling, Priced, price_hours
from .system import BoolArray, FloatArray, IntArray

__all__ = ["Budgets", "Mixture", "budgets_of", "fixed", "mix", "priced"]

_INFINITY = highspy.kHighsInf
_SPAN = 168  # hours of one answer in the mixture
_SAMPLE = 11  # every so many hours; shares no divisor with 24
_ROUNDS = 250
_ROUGH = 1e-4  # gap of the sample, whose prices are off by more than that
_SAFETY = 0.02  # of the gap asked for: the last rounds are few, and the bounds then meet almost exactly
_GROW, _SHRINK, _AGREES = 4.0, 0.5, 0.7
_FIRST_BOX, _BOX = 1.0, 0.1  # half widths at the start, of the sample in price levels, of the year in USD/MWh


@dataclass(frozen=True, slots=True, eq=False)
class Budgets:
    """Budgets of a year in the form the kernel prices.

    staircase: the year with all members loose; coupling: its members and limits.
    uses: shape (budgets, members), sign of each member in each budget.
    minimum, maximum: of every period of every budget, shape (periods,). [MWh]
    """

    staircase: Staircase
    coupling: Coupling
    uses: FloatArray
    minimum: FloatArray
    maximum: FloatArray

    @property
    def hours(self) -> int:
        """Number of hours."""
        return len(self.staircase.need)


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """What the master ends with.

    price: of every period of every budget, shape (periods,). [USD/MWh]
    taken: amount of each member, shape (hours, members). [MW]
    """

    price: FloatArray
    taken: FloatArray


def budgets_of(arrays: Arrays, staircase: Staircase, loose: IntArray) -> Budgets:
    """The budgets of `arrays`, whose members are among the loose columns (segments `loose`, in order)."""
    members = np.unique(arrays.member)
    column = np.searchsorted(loose, members).astype(np.int64)
    uses = np.zeros((len(arrays.period), len(members)))
    for budget in range(len(arrays.period)):
        span = slice(arrays.member_start[budget], arrays.member_start[budget + 1])
        np.add.at(uses[budget], np.searchsorted(members, arrays.member[span]), arrays.member_sign[span])
    start, limit, sign = [0], list[int](), list[float]()
    for member in range(len(members)):
        held = np.flatnonzero(uses[:, member])
        limit.extend(held)
        sign.extend(uses[held, member])
        start.append(len(limit))
    costs = np.flatnonzero(staircase.loose_what == COST)
    coupling = Coupling(
        member=column,
        varies=(arrays.cost.row[members] >= 0).astype(np.int64),
        start=np.array(start, dtype=np.int64),
        limit=np.array(limit, dtype=np.int64),
        sign=np.array(sign, dtype=np.float64),
        cost_of=staircase.loose_of[costs],
        cost_row=staircase.loose_row[costs],
        period=arrays.period + arrays.period_start[:-1, None],
    )
    return Budgets(staircase, coupling, uses, arrays.minimum, arrays.maximum)


class _Year:
    """Clears hours at given budget prices, each hot from its own last basis."""

    def __init__(self, budgets: Budgets) -> None:
        self.budgets = budgets
        (hours, zones), count = budgets.staircase.need.shape, budgets.staircase.link.shape[1]
        members = len(budgets.coupling.member)
        self.kept = Priced(
            mark=np.empty((hours, 3, zones), dtype=np.int64),
            at=np.empty((hours, count), dtype=np.int64),
            inverse=np.empty((hours, zones, zones)),
            taken=np.empty((hours, members)),
            cost=np.empty(hours),
            solved=np.zeros(hours, dtype=np.int64),
        )
        self._room = (
            budgets.staircase.step.copy(),
            budgets.staircase.loose.copy(),
            np.zeros((5, zones)),
            np.zeros(members),
        )

    def clear(self, price: FloatArray, hours: IntArray) -> bool:
        """Clear; False where an hour could not be solved."""
        budgets = self.budgets
        return bool(
            price_hours(budgets.staircase, budgets.coupling, price, hours, self.kept, *self._room) < 0
        )


class _Master:
    """The linear programme that mixes answers: one row per span, one per budget period.

    Energy is in `unit` MWh and money in `unit` USD, so prices stay in USD/MWh.
    """

    def __init__(self, spans: int, minimum: FloatArray, maximum: FloatArray, unit: float) -> None:
        self.spans, self.rows, self.unit = spans, len(minimum), unit
        self._answers = 0
        low = np.where(np.isinf(minimum), -_INFINITY, minimum / unit)
        high = np.where(np.isinf(maximum), _INFINITY, maximum / unit)
        self._highs = highspy._core._Highs()  # its Python wrapper prints a banner when it is made
        for name, value in (
            ("output_flag", False),
            ("presolve", "off"),
            ("simplex_strategy", 4),  # primal: new answers are new columns
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-7),
        ):
            self._highs.setOptionValue(name, value)
        count = 2 * self.rows
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = count, spans + self.rows
        model.col_cost_, model.col_lower_ = np.zeros(count), np.zeros(count)
        model.col_upper_ = np.full(count, _INFINITY)
        model.row_lower_ = np.concatenate([np.ones(spans), low])
        model.row_upper_ = np.concatenate([np.ones(spans), high])
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = np.arange(count + 1, dtype=np.int32)
        row = spans + np.arange(self.rows, dtype=np.int32)
        model.a_matrix_.index_ = np.concatenate([row, row])
        model.a_matrix_.value_ = np.concatenate([np.ones(self.rows), -np.ones(self.rows)])
        self._highs.passModel(model)

    def box(self, low: FloatArray, high: FloatArray) -> None:
        """Keep the next prices within [low, high]: what a missing or surplus MWh costs in the mixture."""
        columns = np.arange(2 * self.rows, dtype=np.int32)
        self._highs.changeColsCost(len(columns), columns, np.concatenate([-low, high]))

    def add(self, span: IntArray, row: IntArray, cost: FloatArray, use: FloatArray) -> None:
        """Add answers: of each its span, cost, and use in each budget, whose row is `row`. [USD, MWh]"""
        count, budgets = use.shape
        index = np.empty((count, budgets + 1), dtype=np.int32)
        value = np.empty((count, budgets + 1))
        index[:, 0], value[:, 0] = span, 1.0
        index[:, 1:], value[:, 1:] = self.spans + row, use / self.unit
        start = np.arange(count, dtype=np.int32) * (budgets + 1)
        self._highs.addCols(
            count,
            cost / self.unit,
            np.zeros(count),
            np.full(count, _INFINITY),
            index.size,
            start,
            index.ravel(),
            value.ravel(),
        )
        self._answers += count

    def solve(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Worth of each span [USD], prices, weight of each answer, MWh that each row lacks."""
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise SolverError("HiGHS ended without an optimum of the master programme")
        solution = self._highs.getSolution()
        dual, value = np.array(solution.row_dual), np.array(solution.col_value)
        lacking = self.unit * (value[: self.rows] + value[self.rows : 2 * self.rows])
        return self.unit * dual[: self.spans], -dual[self.spans :], value[2 * self.rows :], lacking


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """Hours to be cleared, where each span starts among them, and the limits that go with them.

    Blocks of hours that no budget binds together are solved side by side: block of each hour, span and
    period of a budget.
    """

    hours: IntArray
    start: IntArray
    row: IntArray
    blocks: int
    hour_block: IntArray
    span_block: IntArray
    period_block: IntArray
    minimum: FloatArray
    maximum: FloatArray


def _stage(budgets: Budgets, step: int) -> _Stage:
    """Every `step`-th hour, with its share of each period's limits."""
    period = budgets.coupling.period
    hours = np.arange(step // 2, budgets.hours, step)
    turns = np.concatenate([[0], np.flatnonzero(np.any(np.diff(period, axis=1) != 0, axis=0)) + 1])
    start: list[int] = []
    for first, last in zip(turns, [*turns[1:], budgets.hours], strict=True):
        pieces = max(1, round((last - first) / (_SPAN if step == 1 else _SPAN * step)))
        start.extend(first + (last - first) * piece // pieces for piece in range(pieces))
    begin = np.unique(np.searchsorted(hours, start))
    begin = begin[begin < len(hours)]
    count = len(budgets.minimum)
    share = np.bincount(period[:, hours].ravel(), minlength=count) / np.bincount(
        period.ravel(), minlength=count
    )
    # A period without a sampled hour binds nothing there.
    empty = share == 0.0
    with np.errstate(invalid="ignore"):
        minimum = np.where(empty, -np.inf, budgets.minimum * share)
        maximum = np.where(empty, np.inf, budgets.maximum * share)
    apart = np.all(np.diff(period, axis=1) != 0, axis=0)
    block = np.concatenate([[0], np.cumsum(apart)])
    period_block = np.zeros(count, dtype=np.int64)
    period_block[period] = block
    return _Stage(
        hours=hours,
        start=begin,
        row=period[:, hours[begin]].T,
        blocks=int(block[-1]) + 1,
        hour_block=block[hours],
        span_block=block[hours[begin]],
        period_block=period_block,
        minimum=minimum,
        maximum=maximum,
    )


class _Rounds:
    """Rounds of clearing and mixing on one stage. Every block has its own box, and rests when it is done."""

    def __init__(self, year: _Year, stage: _Stage, unit: float, *, to_the_end: bool) -> None:
        """to_the_end: the mixture is wanted; else only prices, so it may still lack energy."""
        self._year, self._stage, self._to_the_end = year, stage, to_the_end
        self._master = _Master(len(stage.start), stage.minimum, stage.maximum, unit)
        self._worth: FloatArray | None = None
        self._keep: list[FloatArray] | None = [] if to_the_end else None
        self._source: list[tuple[int, IntArray]] = []
        self.weight = np.zeros(0)

    def run(self, price: FloatArray, width: float, gap: float, offset: float) -> tuple[FloatArray, bool]:
        """The best prices, and whether bounds met within `gap` of the cost.

        width: half the width of the first boxes. [USD/MWh]
        """
        stage, far = self._stage, self._year.budgets.staircase.beyond
        center, box = price, np.full(stage.blocks, width)
        bound, expected = np.full(stage.blocks, -np.inf), np.zeros(stage.blocks)
        live = np.ones(stage.blocks, dtype=bool)
        for turn in range(_ROUNDS):
            if not self._year.clear(price, stage.hours[live[stage.hour_block]]):
                return center, False
            value, fresh = self._answers(price, live)
            if turn > 0:
                known = np.isfinite(value) & np.isfinite(bound)
                rise = np.subtract(value, bound, out=np.zeros_like(bound), where=known)
                agrees = (fresh == 0) | (rise > _AGREES * expected)
                box[live & agrees] *= _GROW
                box[live & ~agrees & (value <= bound)] *= _SHRINK
            better = live & (value > bound)
            bound[better] = value[better]
            center = np.where(better[stage.period_block], price, center)
            if box.max() > far:
                return center, False  # no price brings forth what the budgets ask for
            price, expected, lacks = self._mix(center, box[stage.period_block], bound)
            enough = gap * max(1.0, abs(float(bound.sum()) + offset)) / stage.blocks
            short = (expected <= enough) & lacks & self._to_the_end
            if short.any():
                box[short] *= _GROW
                price, expected, lacks = self._mix(center, box[stage.period_block], bound)
            live = (expected > enough) | (lacks & self._to_the_end)
            if not live.any():
                return center, True
            price = np.where(live[stage.period_block], price, center)
        return center, False

    def _mix(
        self, center: FloatArray, width: FloatArray, bound: FloatArray
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Next prices; by block, what the mixture costs above the bound [USD] and whether it lacks energy."""
        stage = self._stage
        self._master.box(center - width, center + width)
        self._worth, price, self.weight, lacking = self._master.solve()
        # Rounding may leave a trace of a price against a limit that is not there.
        price = np.where(np.isinf(stage.maximum), np.minimum(price, 0.0), price)
        price = np.where(np.isinf(stage.minimum), np.maximum(price, 0.0), price)
        cost = np.bincount(stage.span_block, self._worth, stage.blocks) - self._limits_worth(price)
        missing = np.bincount(stage.period_block, lacking, stage.blocks)
        return price, cost - bound, missing > 1e-9 * self._master.unit

    def _limits_worth(self, price: FloatArray) -> FloatArray:
        """What the limits that the prices push against are worth, by block. [USD]"""
        stage = self._stage
        limit = np.where(price > 0.0, stage.maximum, stage.minimum)
        worth = price * np.where(price == 0.0, 0.0, limit)
        return np.bincount(stage.period_block, worth, stage.blocks).astype(np.float64)

    def _answers(self, price: FloatArray, live: BoolArray) -> tuple[FloatArray, IntArray]:
        """Lower bound of each block at these prices [USD], and its answers that were new to the master."""
        stage, kept = self._stage, self._year.kept
        whole = len(stage.hours) == len(kept.cost)
        taken = kept.taken if whole else kept.taken[stage.hours]
        cost = np.add.reduceat(kept.cost if whole else kept.cost[stage.hours], stage.start)
        use = np.add.reduceat(taken, stage.start, axis=0) @ self._year.budgets.uses.T
        worth = cost + np.sum(price[stage.row] * use, axis=1)
        value = np.bincount(stage.span_block, worth, stage.blocks) - self._limits_worth(price)
        is_new = live[stage.span_block]
        if self._worth is not None:
            is_new &= worth < self._worth - 1e-9 * (1.0 + np.abs(self._worth))
        new = np.flatnonzero(is_new)
        if len(new):
            self._master.add(new, stage.row[new], cost[new], use[new])
            if self._keep is not None:
                self._source.append((len(self._keep), new))
                self._keep.append(taken.copy())
        return value, np.bincount(stage.span_block[new], minlength=stage.blocks).astype(np.int64)

    def mixture(self) -> FloatArray:
        """Amount of each member in each hour, shape (hours, members). [MW]"""
        stage, at = self._stage, 0
        length = np.diff(np.append(stage.start, len(stage.hours)))
        result = np.zeros_like(self._year.kept.taken)
        for kept, spans in self._source:
            weight = np.zeros(len(stage.start))
            weight[spans] = np.maximum(self.weight[at : at + len(spans)], 0.0)
            at += len(spans)
            if weight.any() and self._keep is not None:
                result += np.repeat(weight, length)[:, None] * self._keep[kept]
        return result


def mix(budgets: Budgets, gap: float, offset: float = 0.0, price: FloatArray | None = None) -> Mixture | None:
    """Least-cost energy of every member in every hour; None where the bounds do not meet.

    gap: largest difference of the bounds, as a share of the cost. [1]
    offset: cost that comes on top of what the kernel counts. [USD]
    price: first prices, where some are known. [USD/MWh]
    """
    try:
        return _mix(_Year(budgets), gap, offset, price)
    except SolverError:
        return None


def _mix(year: _Year, gap: float, offset: float, price: FloatArray | None) -> Mixture | None:
    budgets = year.budgets
    widest = float(np.max(budgets.staircase.loose[MOST, budgets.coupling.member], initial=1.0))
    unit = max(widest, 1.0)
    first, box = price, _BOX
    if first is None:
        first = np.zeros(len(budgets.minimum))
        box = _price_level(budgets)
        if budgets.hours >= 100 * _SAMPLE:
            rounds = _Rounds(year, _stage(budgets, _SAMPLE), unit, to_the_end=False)
            first, _ = rounds.run(first, box, _ROUGH, offset / _SAMPLE)
            box = _BOX
    rounds = _Rounds(year, _stage(budgets, 1), unit, to_the_end=True)
    best, met = rounds.run(first, box, _SAFETY * gap, offset)
    return Mixture(best, rounds.mixture()) if met else None


def _price_level(budgets: Budgets) -> float:
    """A typical price: the middle of the costs. [USD/MWh]"""
    stairs = budgets.staircase
    cost = np.abs(np.concatenate([stairs.step[0], stairs.loose[COST]]))
    cost = cost[(cost > 0.0) & (cost < stairs.beyond)]
    return max(1.0, float(np.median(cost))) if len(cost) else 1.0


def fixed(budgets: Budgets, taken: FloatArray) -> Staircase:
    """The year with every member's amount given."""
    stairs, member = budgets.staircase, budgets.coupling.member
    need = stairs.need.copy()
    for index, column in enumerate(member):
        need[:, stairs.link[1, column]] -= taken[:, index]
    loose = stairs.loose.copy()
    loose[MOST, member] = 0.0
    stays = ~((stairs.loose_what == MOST) & np.isin(stairs.loose_of, member))
    return stairs._replace(
        need=need,
        loose=loose,
        loose_of=stairs.loose_of[stays],
        loose_what=stairs.loose_what[stays],
        loose_row=stairs.loose_row[stays],
    )


def priced(budgets: Budgets, price: FloatArray) -> Staircase:
    """The year with the budget prices on the cost of every member."""
    stairs, coupling = budgets.staircase, budgets.coupling
    added = (price[coupling.period].T @ budgets.uses).T
    series, rows = [stairs.loose_series], len(stairs.loose_series)
    own = np.full(len(coupling.member), -1)
    costs = np.flatnonzero(stairs.loose_what == COST)
    for index, column in enumerate(coupling.member):
        found = costs[stairs.loose_of[costs] == column]
        if len(found):
            own[index] = stairs.loose_row[found[0]]
            added[index] += stairs.loose_series[own[index]]
        else:
            added[index] += stairs.loose[COST, column]
    stays = ~((stairs.loose_what == COST) & np.isin(stairs.loose_of, coupling.member))
    count = len(coupling.member)
    return stairs._replace(
        loose_of=np.concatenate([stairs.loose_of[stays], coupling.member]),
        loose_what=np.concatenate([stairs.loose_what[stays], np.full(count, COST)]),
        loose_row=np.concatenate([stairs.loose_row[stays], rows + np.arange(count)]),
        loose_series=np.concatenate([*series, added]),
    )
