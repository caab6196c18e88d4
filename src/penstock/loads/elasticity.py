"""How a fleet's consumption answers the price of power, and a check against miners in ERCOT.

A miner runs a block of its fleet while the price does not exceed what the block earns. Over hours of prices
p(t), mean demand is D = mean_t Σ_b P_b·[v_b(h) ≥ p(t)], with P_b and v_b the power and the break-even of
block b at hashprice h. Its elasticity is that of D to all prices scaled by one factor s, taken at s = 1:

    ε = d ln D / d ln s.

It is never above 0. With prices whose distribution is F with density f, a single block has ε = −v·f(v)/F(v):
few hours lie near a break-even far above the usual price, so ε falls towards 0 as hashprice lifts v.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from penstock.errors import Fault, FleetError
from penstock.loads.fleet import Fleet, limit_faults
from penstock.loads.mining import mining_parameters, mining_tables, packaged_fleet

__all__ = [
    "CheckedElasticity",
    "demand_mw",
    "lognormal_prices",
    "mean_demand_mw",
    "price_elasticity",
    "texas_check",
]

FloatArray = npt.NDArray[np.float64]

#: Prices are scaled up and down by this share for the difference. [1]
STEP_SHARE = 0.05
#: Quantiles that stand for a distribution of prices: one for each hour of a year.
QUANTILES = 8760


def demand_mw(fleet: Fleet, price_usd_per_mwh: npt.ArrayLike, hashprice_usd_per_ph_day: float) -> FloatArray:
    """Power that a fleet takes at each price: its blocks whose break-even is not below it. [MW]

    price_usd_per_mwh: any shape; the result has it too. [USD/MWh]
    hashprice_usd_per_ph_day: [USD/(PH/s·day)]

    Raises FleetError for a price or hashprice that is no finite number, or a hashprice below 0.
    """
    prices = _checked(price_usd_per_mwh, hashprice_usd_per_ph_day)
    demand = np.zeros_like(prices)
    for block in fleet.blocks():
        demand += block.mw * (block.break_even_usd_per_mwh(hashprice_usd_per_ph_day) >= prices)
    return demand


def mean_demand_mw(fleet: Fleet, prices_usd_per_mwh: npt.ArrayLike, hashprice_usd_per_ph_day: float) -> float:
    """Mean of `demand_mw` over a set of hourly prices. [MW]"""
    demand = demand_mw(fleet, prices_usd_per_mwh, hashprice_usd_per_ph_day)
    return math.fsum(demand.ravel()) / demand.size


def price_elasticity(
    fleet: Fleet,
    prices_usd_per_mwh: npt.ArrayLike,
    hashprice_usd_per_ph_day: float,
    *,
    step_share: float = STEP_SHARE,
) -> float:
    """Elasticity of mean demand to all prices scaled by one factor. [1]

    prices_usd_per_mwh: hourly prices. [USD/MWh]
    step_share: prices are multiplied by 1 + step and 1 − step: with D± the demand there,

        ε = (ln D+ − ln D−) / (ln(1 + step) − ln(1 − step)).

    The step smooths over the gaps between prices. Where nothing is taken at the higher prices, ε has no
    finite value: −inf, or NaN where nothing is taken at the lower prices either.

    Raises FleetError for what is no finite number, a hashprice below 0 or a step not within 0 and 1.
    """
    faults = list(limit_faults("elasticity", "step_share", step_share, 1e-9, 1.0, "1", open_high=True))
    if faults:
        raise FleetError(faults)
    prices = _checked(prices_usd_per_mwh, hashprice_usd_per_ph_day)
    above = mean_demand_mw(fleet, prices * (1.0 + step_share), hashprice_usd_per_ph_day)
    below = mean_demand_mw(fleet, prices * (1.0 - step_share), hashprice_usd_per_ph_day)
    if above == 0.0:
        return -math.inf if below > 0.0 else math.nan
    # As ln D+ − ln D−, but exactly 0 and never −0 where nothing changes.
    change = math.log(above / below) if above != below else 0.0
    return change / (math.log1p(step_share) - math.log1p(-step_share))


def lognormal_prices(mean_usd_per_mwh: float, log_spread: float, *, quantiles: int = QUANTILES) -> FloatArray:
    """Prices that stand for a lognormal distribution: its quantiles at (i + 1/2)/n, in order. [USD/MWh]

    mean_usd_per_mwh: of the distribution. log_spread: standard deviation of the log price. [1]
    quantiles: how many, n. Shape (n,), read-only.

    Raises FleetError for a mean or a spread that is not above 0.
    """
    faults = [
        *limit_faults("elasticity", "mean_usd_per_mwh", mean_usd_per_mwh, 1e-9, math.inf, "USD/MWh"),
        *limit_faults("elasticity", "log_spread", log_spread, 1e-9, 100.0, "1"),
        *limit_faults("elasticity", "quantiles", quantiles, 1, 1e8, "1"),
    ]
    if faults:
        raise FleetError(faults)
    normal = NormalDist(math.log(mean_usd_per_mwh) - 0.5 * log_spread**2, log_spread)
    prices = np.exp([normal.inv_cdf((row + 0.5) / quantiles) for row in range(quantiles)])
    prices.setflags(write=False)
    return np.asarray(prices, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class CheckedElasticity:
    """Elasticities at one percentile of hashprice: the model's and the published ones. [1]

    responding: over the hours whose price is above the level at which the study's load answers at all.
    all_hours: over every hour.
    low, high: of `responding`, over the ends of the price level, the price spread, the responding price, and
        of the hashprice of the percentile, one at a time; low is the one furthest below 0.
    published, published_all_hours: of the study.
    """

    percentile: int
    hashprice_usd_per_ph_day: float
    responding: float
    all_hours: float
    low: float
    high: float
    published: float
    published_all_hours: float


def texas_check() -> tuple[CheckedElasticity, ...]:
    """The model beside published elasticities of miners in ERCOT, by percentile of hashprice.

    Published (arXiv 2606.00587, hourly load of 2021 and 2022): −0.5, −0.3 and about 0 at the 25th, 50th and
    75th percentile of hashprice, over hours matched by their conditions; over all hours the same study's
    estimates give −0.20, −0.11 and +0.02. No value is fitted here: the fleet, the price level and its spread
    come from other sources, each with a range. Two things do come from the study itself. The hashprices of
    the percentiles are not printed; they are worked back from its elasticities, so the check is of the size
    at a given hashprice and of how fast it fades, not of where the percentiles lie. And the price above which
    its load answers at all cuts out the hours of `responding`. That cut is our nearest like to its matched
    hours, which are not defined by price; it is the measure that comes closer to −0.5, so read `all_hours`
    beside it.

    Why the sizes differ. (1) What is held fixed: the study's −0.5 is of hours in which load answers; the
    model's nearest like is the elasticity over hours above the price where it begins to, and over all hours
    that is diluted by those in which no miner would stop. (2) The study's elasticity is a line in the log of
    hashprice and so reaches 0 and above; the model's fades towards 0 and never reaches it. (3) Real fleets
    are hedged and answer peaks of transmission charges, which adds answers that no price explains; contracts
    at fixed prices take others away. (4) The price distribution is lognormal with one spread, where ERCOT's
    has negative prices and a cap. (5) A fleet has more models than four, which smooths the answer.
    """
    rows = mining_tables()["texas_check"]
    known = mining_parameters()
    names = ("texas_price_mean_usd_per_mwh", "texas_price_log_spread", "texas_responding_price_usd_per_mwh")
    central = {name: known[name].value for name in names}
    fleet = packaged_fleet("texas", 1000.0)

    def elasticity(values: dict[str, float], hashprice: float) -> float:
        prices = lognormal_prices(values[names[0]], values[names[1]])
        return price_elasticity(fleet, prices[prices > values[names[2]]], hashprice)

    every_hour = lognormal_prices(central[names[0]], central[names[1]])
    ends = [
        central | {name: end}
        for name in names
        for end in (known[name].low, known[name].high)
        if end is not None
    ]
    found = []
    for row in rows:
        hashprice = row["hashprice_usd_per_ph_day"]
        range_found = [
            elasticity(central, hashprice),
            *(elasticity(values, hashprice) for values in ends),
            *(elasticity(central, row[end]) for end in ("low", "high") if row[end] is not None),
        ]
        found.append(
            CheckedElasticity(
                percentile=row["percentile"],
                hashprice_usd_per_ph_day=hashprice,
                responding=range_found[0],
                all_hours=price_elasticity(fleet, every_hour, hashprice),
                low=min(range_found),
                high=max(range_found),
                published=row["elasticity"],
                published_all_hours=row["elasticity_all_hours"],
            )
        )
    return tuple(found)


def _checked(prices: npt.ArrayLike, hashprice: object) -> FloatArray:
    """Prices as an array. Raises FleetError where a price or the hashprice cannot be one."""
    faults = list(
        limit_faults("elasticity", "hashprice_usd_per_ph_day", hashprice, 0.0, math.inf, "USD/(PH/s*day)")
    )
    array = np.asarray(prices, dtype=np.float64)
    if array.size == 0:
        faults.append(Fault("elasticity", "has no prices", "give at least one [USD/MWh]", column="prices"))
    elif not np.isfinite(array).all():
        faults.append(
            Fault(
                "elasticity",
                f"has {int((~np.isfinite(array)).sum())} prices that are no finite numbers [USD/MWh]",
                "fill or leave out those hours",
                column="prices",
            )
        )
    if faults:
        raise FleetError(faults)
    return array
