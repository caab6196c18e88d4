"""The loop over days, paths and policies, compiled. All policies see the same path, a path the same chance.

A path's price of a day is the day before's times exp(r). Of the diffusion with jumps (`bitcoin.paths`,
JumpDiffusion; Merton, 1976) r is normal around its drift, with a Poisson number of jumps; of the bootstrap it
is the return of a day of the past, days in blocks of geometric length (Politis and Romano, 1994). The
uniforms are SplitMix64's, one stream for each seed and path, so that a path is the same whoever computes it,
in any order; they are not those of `bitcoin.paths`, whose paths have the same distribution and other numbers.
Normals come in pairs by Box and Muller (1958).

Coins are whole satoshi. A purchase takes as many as the money buys, rounded down; a sale as many as the money
needs, rounded up.
"""

from __future__ import annotations

import numpy as np

from penstock.market.adequacy.sampling import GOLDEN, start_of_stream, uniform
from penstock.market.compiled import compiled, entry

__all__ = ["COLUMNS", "FIGURES", "STATE", "run_paths"]

SATOSHI = 1e8
_TWO_PI = 2.0 * np.pi
MONTHS = 12
#: Columns of the table of policies that the loop reads.
COLUMNS = ("rule", "amount", "cap_share", "payout_share", "coupon", "maturity_days", "ltv_limit", "own_share")
#: Figures of a path under a policy, the columns of its result.
FIGURES = (
    *("coins", "value", "cost_basis", "budget", "paid_out", "debt", "gain", "gain_first_year"),
    *("deepest_fall", "above_cap_days", "interest", "principal", "unpaid", "forced_sale", "bought", "sold"),
)
#: What a policy carries from day to day.
STATE = ("coins", "cost", "budget", "paid_out", "debt", "peak", "basis")
_COINS, _COST, _BUDGET, _PAID, _DEBT, _PEAK, _BASIS = range(len(STATE))
(
    _F_COINS,
    _F_VALUE,
    _F_COST,
    _F_BUDGET,
    _F_PAID,
    _F_DEBT,
    _F_GAIN,
    _F_FIRST,
    _F_FALL,
    _F_CAP,
    _F_INTEREST,
    _F_PRINCIPAL,
    _F_UNPAID,
    _F_FORCED,
    _F_BOUGHT,
    _F_SOLD,
) = range(len(FIGURES))
_NONE, _RECEIVE, _SELL, _DAILY, _MONTHLY, _DEBT_RULE, _BAND = range(7)


@compiled
def _buy(state, figures, usd, price, cap_usd):
    """Buys for at most so much, and no more than the cap allows; the budget pays."""
    room = cap_usd - state[_COINS] / SATOSHI * price
    spend = min(usd, max(room, 0.0)) if cap_usd >= 0.0 else usd
    coins = np.floor(spend / price * SATOSHI)
    if coins <= 0.0:
        return
    paid = coins / SATOSHI * price
    state[_COINS] += coins
    state[_COST] += paid
    state[_BUDGET] -= paid
    figures[_F_BOUGHT] += paid


@compiled
def _sell(state, figures, usd, price):
    """Sells for so much, or all there is; the budget gets it. Gives what it brought."""
    coins = min(np.ceil(usd / price * SATOSHI), state[_COINS])
    if coins <= 0.0:
        return 0.0
    brought = coins / SATOSHI * price
    state[_COST] -= state[_COST] * (coins / state[_COINS])
    state[_COINS] -= coins
    state[_BUDGET] += brought
    figures[_F_SOLD] += brought
    return brought


@compiled
def _month(policy, state, figures, price, income, cost, reserves):
    """What is done at the end of a month: income, costs, coupon, the rule."""
    rule, amount = int(policy[0]), policy[1]
    cap_usd = policy[2] * reserves if policy[2] >= 0.0 else -1.0
    state[_BUDGET] += income - cost
    if rule in (_RECEIVE, _SELL):
        _buy(state, figures, income * amount, price, cap_usd)
    if rule == _SELL:
        _sell(state, figures, cost, price)
    elif rule == _MONTHLY:
        _buy(state, figures, amount, price, cap_usd)
    elif rule == _BAND:
        value, target = state[_COINS] / SATOSHI * price, amount * reserves
        if value < 0.5 * target:
            _buy(state, figures, target - value, price, cap_usd)
        elif value > 1.5 * target:
            _sell(state, figures, value - target, price)
    if state[_DEBT] > 0.0:
        interest = state[_DEBT] * policy[4] / MONTHS
        state[_BUDGET] -= interest
        figures[_F_INTEREST] += interest


@compiled
def _repay(policy, state, figures, price, due):
    """The margin call of a day, and the end of the debt."""
    if state[_DEBT] <= 0.0:
        return
    value = state[_COINS] / SATOSHI * price
    if policy[6] >= 0.0 and state[_DEBT] > policy[6] * value and state[_COINS] > 0.0:
        wanted = min((state[_DEBT] - policy[6] * value) / (1.0 - policy[6]), state[_DEBT])
        brought = min(_sell(state, figures, wanted, price), state[_DEBT])
        state[_BUDGET] -= brought
        state[_DEBT] -= brought
        figures[_F_PRINCIPAL] += brought
        figures[_F_FORCED] += brought
    if due:
        brought = min(_sell(state, figures, state[_DEBT], price), state[_DEBT])
        figures[_F_UNPAID] += state[_DEBT] - brought
        figures[_F_PRINCIPAL] += state[_DEBT]
        state[_BUDGET] -= state[_DEBT]
        state[_DEBT] = 0.0


@compiled
def _pay_out(policy, state, figures, price):
    """The year's payout: of the worth above what it was after the last one, or above cost."""
    if policy[3] <= 0.0:
        return
    value = state[_COINS] / SATOSHI * price
    gain = value - max(state[_COST], state[_BASIS])
    if gain > 0.0:
        brought = _sell(state, figures, policy[3] * gain, price)
        state[_BUDGET] -= brought
        state[_PAID] += brought
        state[_BASIS] = state[_COINS] / SATOSHI * price


@compiled
def _day(policy, state, figures, price, income, cost, reserves, month_ends, year_ends, due, first):
    rule = int(policy[0])
    if first and rule == _DEBT_RULE:
        state[_DEBT] = policy[1]
        state[_BUDGET] += policy[1]
        cap_usd = policy[2] * reserves if policy[2] >= 0.0 else -1.0
        _buy(state, figures, policy[1] * (1.0 + policy[7]), price, cap_usd)
    if rule == _DAILY:
        cap_usd = policy[2] * reserves if policy[2] >= 0.0 else -1.0
        _buy(state, figures, policy[1] * price, price, cap_usd)
    if month_ends:
        _month(policy, state, figures, price, income, cost, reserves)
    _repay(policy, state, figures, price, due)
    if year_ends:
        _pay_out(policy, state, figures, price)


@compiled
def _keep_figures(state, figures, price, watch_cap, plain):
    """What is kept of a day: the gain, how far it fell from its peak, whether the coins are too many.

    plain: income less costs so far, what the budget would have without bitcoin. [USD]
    """
    value = state[_COINS] / SATOSHI * price
    gain = value + state[_BUDGET] + state[_PAID] - state[_DEBT] - plain
    state[_PEAK] = max(state[_PEAK], gain)
    figures[_F_FALL] = max(figures[_F_FALL], state[_PEAK] - gain)
    if watch_cap >= 0.0 and value > watch_cap:
        figures[_F_CAP] += 1.0
    return gain


@compiled
def _keep_end(state, figures, price, gain, plain):
    figures[_F_COINS] = state[_COINS]
    figures[_F_VALUE] = state[_COINS] / SATOSHI * price
    figures[_F_COST] = state[_COST]
    figures[_F_BUDGET] = state[_BUDGET] - plain
    figures[_F_PAID] = state[_PAID]
    figures[_F_DEBT] = state[_DEBT]
    figures[_F_GAIN] = gain


@compiled
def _normal(stream, spare):
    """Two normals of two steps of the stream; the first is given back, the second put by."""
    radius = np.sqrt(-2.0 * np.log(uniform(stream + GOLDEN)))
    angle = _TWO_PI * uniform(stream + GOLDEN + GOLDEN)
    spare[0] = radius * np.sin(angle)
    return radius * np.cos(angle)


@compiled
def _poisson(u, mean):
    """The number of jumps of a day, by the inverse of its distribution."""
    count, chance = 0, np.exp(-mean)
    total = chance
    while u > total and count < 50:
        count += 1
        chance *= mean / count
        total += chance
    return count


@entry
def run_paths(
    seed, first_path, model, past, block_days, policies, income, cost, facts, months,
    states, spare, figures, yearly,
):  # fmt: skip
    """Runs one path after the other, each under all policies.

    model: log drift and volatility of a day, jumps of a day, mean and deviation of a jump, shape (5,).
    past: log returns to draw from; empty for the diffusion. block_days: mean length of a block [days]; 0 for
        the past itself, in its order.
    policies: shape (policies, len(COLUMNS)). income, cost: of the twelve months, shape (12,). [USD/month]
    facts: price on the first day [USD/BTC], foreign exchange reserves [USD], watched cap [USD] or -1.
    months: day after which each month ends, shape (months,).
    states, spare: room to work in, shapes (policies, len(STATE)) and (1,).
    figures: result, shape (paths, policies, len(FIGURES)). yearly: worth of the coins and gain at the end of
        each year, shape (paths, policies, years, 2).
    """
    days = months[-1] + 1
    for path in range(figures.shape[0]):
        stream = start_of_stream(seed, first_path + path, 0)
        states[:] = 0.0
        log_price, plain, at, month, has_spare = 0.0, 0.0, -1, 0, False
        for day in range(days):
            if day > 0:
                stream += GOLDEN
                u = uniform(stream)
                if past.size:
                    stream += GOLDEN
                    fresh = block_days > 0.0 and (day == 1 or u * block_days < 1.0)
                    at = int(uniform(stream) * past.size) if fresh else (at + 1) % past.size
                    log_price += past[at]
                else:
                    if has_spare:
                        normal = spare[0]
                    else:
                        normal = _normal(stream, spare)
                        stream += GOLDEN + GOLDEN
                    has_spare = not has_spare
                    jumps = _poisson(u, model[2])
                    spread = np.sqrt(model[1] * model[1] + jumps * model[4] * model[4])
                    log_price += model[0] + jumps * model[3] + spread * normal
            price = facts[0] * np.exp(log_price)
            month_ends, of_year, last = day == months[month], month % MONTHS, day == days - 1
            year_ends = month_ends and of_year == MONTHS - 1
            if month_ends:
                plain += income[of_year] - cost[of_year]
            for index in range(policies.shape[0]):
                policy, state, found = policies[index], states[index], figures[path, index]
                due = last or day == int(policy[5])
                _day(
                    policy, state, found, price, income[of_year], cost[of_year], facts[1],
                    month_ends, year_ends, due, day == 0,
                )  # fmt: skip
                gain = _keep_figures(state, found, price, facts[2], plain)
                if year_ends:
                    yearly[path, index, month // MONTHS, 0] = state[_COINS] / SATOSHI * price
                    yearly[path, index, month // MONTHS, 1] = gain
                if day == 365 or (last and day < 365):
                    found[_F_FIRST] = gain
                if last:
                    _keep_end(state, found, price, gain, plain)
            if month_ends:
                month += 1
