"""The rest of the world's miners: how much hashrate runs at a hashprice.

Machines are bought and their price is sunk: one runs while its break-even price of energy covers what its
owner pays for power. So the running hashrate is

    H(h) = K · Σ_i w_i · Φ((ln b_i(h) − ln m) / s),    b_i(h) = 1000·h·(1 − f) / (24·e_i·(1 + o)),

with h the hashprice [USD/(PH/s·day)], K the installed hashrate [EH/s], w_i the share of model i in it [1],
e_i its efficiency [J/TH], b_i its break-even [USD/MWh], o the overhead [1], f the pool's fee [1], and power
costs lognormal over the world with median m [USD/MWh] and spread s (standard deviation of the logarithm) [1].
Φ is the normal distribution function. Machines that idle come back when the hashprice rises; new ones are
not bought and old ones not scrapped.

Which models the world owns is not known. The weights have the form of greatest entropy for a given mean,
w_i ~ exp(−θ·e_i) over the models released by then (Jaynes, Physical Review 106, 1957); a published mean is of
the machines that run, weighted by hashrate, so θ is solved for that mean at the calibration point, where also
H(h) equals the observed hashrate: this gives K.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from penstock.country import Parameter, Table
from penstock.country.country import FloatArray
from penstock.country.packaged import parameters_of, read_packaged
from penstock.errors import BitcoinError, Fault

from .machines import Machine, load_machines

__all__ = [
    "HashSupply",
    "SupplyRange",
    "WorldAssumptions",
    "efficiencies_released_by",
    "network_energy_twh_per_year",
    "sources",
    "supply_range",
    "world_assumptions",
    "world_parameters",
    "world_supply",
]

_TABLES = Path(__file__).parent / "tables"
_MEAN_OF_YEAR = "world_fleet_efficiency_{year}_j_per_th"
#: Field of `WorldAssumptions`: its row of parameters.csv.
_ROWS = {
    "fleet_efficiency_j_per_th": _MEAN_OF_YEAR,
    "power_cost_median_usd_per_mwh": "world_power_cost_median_usd_per_mwh",
    "power_cost_spread": "world_power_cost_spread",
    "overhead_share": "world_overhead_share",
    "pool_fee_share": "world_pool_fee_share",
}
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


@dataclass(frozen=True, slots=True)
class WorldAssumptions:
    """What is taken for the miners of the rest of the world.

    fleet_efficiency_j_per_th: mean of the running machines, weighted by hashrate. [J/TH]
    power_cost_median_usd_per_mwh: median of what miners pay for power, delivered. [USD/MWh]
    power_cost_spread: standard deviation of the logarithm of that cost. [1]
    overhead_share: cooling and auxiliaries as a share of the machines' power. [1]
    pool_fee_share: share of the income that the pool keeps. [1]

    Raises BitcoinError with every value that is not a number or outside its limits.
    """

    fleet_efficiency_j_per_th: float
    power_cost_median_usd_per_mwh: float
    power_cost_spread: float
    overhead_share: float
    pool_fee_share: float

    def __post_init__(self) -> None:
        place = "miners of the rest of the world"
        faults = [
            *_positive(place, "fleet_efficiency_j_per_th", self.fleet_efficiency_j_per_th, "J/TH"),
            *_positive(place, "power_cost_median_usd_per_mwh", self.power_cost_median_usd_per_mwh, "USD/MWh"),
            *_positive(place, "power_cost_spread", self.power_cost_spread, "1"),
        ]
        for name, limit in (("overhead_share", math.inf), ("pool_fee_share", 1.0)):
            value = getattr(self, name)
            if not 0.0 <= value < limit:
                problem = f"must be at least 0 and below {limit:g} [1]"
                mend = "give a share, like 0.02 for 2 %"
                faults.append(Fault(place, problem, mend, column=name, value=repr(value)))
        if faults:
            raise BitcoinError(faults)


@dataclass(frozen=True, slots=True, eq=False)
class HashSupply:
    """Hashrate of the rest of the world as a function of the hashprice; equations in the module's docstring.

    efficiency_j_per_th: efficiencies of the models, shape (models,). [J/TH]
    weight: share of each model in the installed hashrate, sums to 1, shape (models,). [1]
    capacity_ehs: installed hashrate, running or idle. [EH/s]
    assumptions: power costs, overhead and fee.
    """

    efficiency_j_per_th: FloatArray
    weight: FloatArray
    capacity_ehs: float
    assumptions: WorldAssumptions

    def __post_init__(self) -> None:
        for name in ("efficiency_j_per_th", "weight"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        faults = [*_positive("supply of hashrate", "capacity_ehs", self.capacity_ehs, "EH/s")]
        faults += _model_faults(self.efficiency_j_per_th)
        weight = self.weight
        if (
            weight.shape != self.efficiency_j_per_th.shape
            or not (weight >= 0.0).all()
            or not math.isclose(float(weight.sum()), 1.0, rel_tol=1e-9)
        ):
            problem = "must be one share of at least 0 for each model, and sum to 1"
            faults.append(Fault("supply of hashrate", problem, "divide by the sum", column="weight"))
        if faults:
            raise BitcoinError(faults)

    @classmethod
    def calibrated(
        cls,
        *,
        hashrate_ehs: float,
        hashprice_usd_per_ph_day: float,
        efficiency_j_per_th: npt.ArrayLike,
        assumptions: WorldAssumptions,
    ) -> HashSupply:
        """The supply that gives the observed hashrate at the observed hashprice, at the given fleet mean.

        hashrate_ehs: hashrate of the network that day. [EH/s]
        hashprice_usd_per_ph_day: what 1 PH/s earned that day. [USD/(PH/s·day)]
        efficiency_j_per_th: models released by then, shape (models,). [J/TH]

        The mean of the running machines, Σ w_i·Φ_i·e_i / Σ w_i·Φ_i, falls in θ without a break, from the
        worst model to the best: there is one θ for every mean between them. An old fleet with dear power can
        only be had with much idle behind it: hold `capacity_ehs` against the most that ever ran.

        Raises BitcoinError with every fault: values not above 0, and a mean that no mix of the models has.
        """
        efficiency = np.asarray(efficiency_j_per_th, dtype=np.float64)
        place = "calibration of the rest of the world"
        faults = [
            *_positive(place, "hashrate_ehs", hashrate_ehs, "EH/s"),
            *_positive(place, "hashprice_usd_per_ph_day", hashprice_usd_per_ph_day, "USD/(PH/s·day)"),
            *_model_faults(efficiency),
        ]
        if faults:
            raise BitcoinError(faults)
        runs = _running(hashprice_usd_per_ph_day, efficiency, assumptions)
        mean = assumptions.fleet_efficiency_j_per_th
        could = efficiency[runs > 0.0]
        if not (could.size and (could.min() < mean < could.max() or could.min() == mean == could.max())):
            between = (
                f"strictly between {could.min():g} and {could.max():g}" if could.size else "of no mix at all"
            )
            raise BitcoinError(
                Fault(
                    place,
                    f"the mean efficiency of running machines must be {between} J/TH, those of the models "
                    f"released by then that can run at {hashprice_usd_per_ph_day:g} USD/(PH/s·day)",
                    "give another mean, or a later year of the catalogue",
                    column="fleet_efficiency_j_per_th",
                    value=repr(mean),
                )
            )
        weight = _weights(efficiency, runs, mean)
        return cls(efficiency, weight, hashrate_ehs / float(weight @ runs), assumptions)

    def hashrate_ehs(self, hashprice_usd_per_ph_day: npt.ArrayLike) -> FloatArray:
        """Hashrate that runs, in the shape of the hashprice (a number gives shape ()). [EH/s]

        hashprice_usd_per_ph_day: at least 0; at 0 nothing runs. [USD/(PH/s·day)]

        Raises BitcoinError for a hashprice that is negative or not a number.
        """
        hashprice = _hashprices(hashprice_usd_per_ph_day)
        runs = _running(hashprice, self.efficiency_j_per_th, self.assumptions)
        return np.asarray(self.capacity_ehs * (runs @ self.weight))

    def slope(self, hashprice_usd_per_ph_day: npt.ArrayLike) -> FloatArray:
        """Hashrate that one USD/(PH/s·day) more brings in, in the shape of the hashprice.

        [(EH/s)/(USD/(PH/s·day))]. dH/dh = K · Σ_i w_i · φ(z_i) / (s·h), with φ the normal density and z_i the
        argument of Φ. Raises BitcoinError for a hashprice that is negative or not a number.
        """
        hashprice = _hashprices(hashprice_usd_per_ph_day)
        spread = self.assumptions.power_cost_spread
        z = _z(hashprice, self.efficiency_j_per_th, self.assumptions)
        density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
        rise = self.capacity_ehs * (density @ self.weight) / spread
        return np.asarray(np.divide(rise, hashprice, out=np.zeros_like(rise), where=hashprice > 0.0))

    def elasticity(self, hashprice_usd_per_ph_day: npt.ArrayLike) -> FloatArray:
        """Per cent of hashrate that 1 % of hashprice brings in, in the shape of the hashprice. [1]

        It is also, with the opposite sign, the response to 1 % on everybody's power cost. NaN where the
        hashprice is so low that no hashrate is left to divide by.

        Raises BitcoinError for a hashprice that is negative or not a number.
        """
        hashprice = _hashprices(hashprice_usd_per_ph_day)
        hashrate = self.hashrate_ehs(hashprice)
        rise = self.slope(hashprice) * hashprice
        return np.asarray(np.divide(rise, hashrate, out=np.full_like(hashrate, np.nan), where=hashrate > 0.0))

    def mean_efficiency_j_per_th(self, hashprice_usd_per_ph_day: float) -> float:
        """Mean of the machines that run at a hashprice, weighted by hashrate. [J/TH]

        Raises BitcoinError for a hashprice that is not above 0, or at which nothing runs.
        """
        hashrate = float(self.hashrate_ehs(hashprice_usd_per_ph_day))
        if not hashrate > 0.0:
            problem = "must be high enough that some machine runs [USD/(PH/s·day)]"
            raise BitcoinError(
                Fault("hashprice", problem, "give a higher one", value=repr(hashprice_usd_per_ph_day))
            )
        runs = _running(hashprice_usd_per_ph_day, self.efficiency_j_per_th, self.assumptions)
        share = self.weight * runs
        return float(share @ self.efficiency_j_per_th / share.sum())

    def half_hashprice_usd_per_ph_day(self) -> float:
        """A hashprice at which at least half of the installed hashrate runs. [USD/(PH/s·day)]

        There the worst model breaks even at the median power cost, so at least half of each model runs.
        """
        taken = self.assumptions
        energy_kwh = 24.0 * float(self.efficiency_j_per_th.max()) * (1.0 + taken.overhead_share)
        return taken.power_cost_median_usd_per_mwh * energy_kwh / (1000.0 * (1.0 - taken.pool_fee_share))


@dataclass(frozen=True, slots=True, eq=False)
class SupplyRange:
    """The supply at the values used, and with one assumption at a time at its low or high end.

    central: every assumption at its value.
    each: field of `WorldAssumptions` to the supplies with it at its low and at its high end; assumptions
        without a range are left out.
    least, most: those of all these that answer least and most to the hashprice, at the calibration point.
    """

    central: HashSupply
    each: Mapping[str, tuple[HashSupply, HashSupply]]
    least: HashSupply
    most: HashSupply


def world_assumptions(year: int) -> WorldAssumptions:
    """The assumptions for a year, each at the value used; from parameters.csv.

    Raises BitcoinError for a year whose fleet mean the table lacks.
    """
    rows = _rows(year)
    return WorldAssumptions(**{name: row.value for name, row in rows.items()})


def efficiencies_released_by(year: int, machines: Iterable[Machine] | None = None) -> FloatArray:
    """Efficiencies of the industrial models released by the end of a year, shape (models,). [J/TH]

    machines: models to choose from; None for the catalogue. Announced ones are left out.
    """
    models = load_machines().values() if machines is None else machines
    return np.array(
        [
            model.efficiency_j_per_th
            for model in models
            if model.segment == "industrial" and model.status != "announced" and model.release_year <= year
        ],
        dtype=np.float64,
    )


def world_supply(
    year: int,
    *,
    hashrate_ehs: float,
    hashprice_usd_per_ph_day: float,
    assumptions: WorldAssumptions | None = None,
    machines: Iterable[Machine] | None = None,
) -> HashSupply:
    """The rest of the world in a year, calibrated on an observed hashrate and hashprice.

    hashrate_ehs: [EH/s]; hashprice_usd_per_ph_day: [USD/(PH/s·day)]; assumptions: None for those of
    parameters.csv; machines: None for the catalogue.

    Raises BitcoinError as `HashSupply.calibrated` and `world_assumptions` do.
    """
    return HashSupply.calibrated(
        hashrate_ehs=hashrate_ehs,
        hashprice_usd_per_ph_day=hashprice_usd_per_ph_day,
        efficiency_j_per_th=efficiencies_released_by(year, machines),
        assumptions=world_assumptions(year) if assumptions is None else assumptions,
    )


def supply_range(
    year: int,
    *,
    hashrate_ehs: float,
    hashprice_usd_per_ph_day: float,
    machines: Iterable[Machine] | None = None,
) -> SupplyRange:
    """`world_supply` over the low and high ends of the assumptions, one at a time.

    Not all at their ends together: an old fleet that pays dearly for power could hardly run at the observed
    hashprice, and the calibration would have to invent many times the network in idle machines.

    Raises BitcoinError as `world_supply` does.
    """
    models = None if machines is None else tuple(machines)
    base = world_assumptions(year)

    def supply(assumptions: WorldAssumptions) -> HashSupply:
        return world_supply(
            year,
            hashrate_ehs=hashrate_ehs,
            hashprice_usd_per_ph_day=hashprice_usd_per_ph_day,
            assumptions=assumptions,
            machines=models,
        )

    central = supply(base)
    each = {
        name: (supply(replace(base, **{name: row.low})), supply(replace(base, **{name: row.high})))
        for name, row in _rows(year).items()
        if row.low is not None and row.high is not None
    }
    ranked = sorted(
        [central, *(end for ends in each.values() for end in ends)],
        key=lambda candidate: float(candidate.elasticity(hashprice_usd_per_ph_day)),
    )
    return SupplyRange(central, MappingProxyType(each), ranked[0], ranked[-1])


def network_energy_twh_per_year(hashrate_ehs: float, efficiency_j_per_th: float) -> float:
    """Energy of a network's machines over 8,760 hours, without overhead. [TWh]

    hashrate_ehs: [EH/s]; efficiency_j_per_th: mean weighted by hashrate. [J/TH]

    1 EH/s is 10⁶ TH/s, so it draws e·10⁶ W, and over 8,760 h e·8.76·10⁻³ TWh.
    """
    return hashrate_ehs * efficiency_j_per_th * 8.76e-3


# --- the parts -----------------------------------------------------------------------------------------


def _z(hashprice: npt.ArrayLike, efficiency: FloatArray, taken: WorldAssumptions) -> FloatArray:
    """Argument of Φ, shape (..., models). [1]"""
    income = 1000.0 * np.asarray(hashprice, dtype=np.float64)[..., None] * (1.0 - taken.pool_fee_share)
    break_even = income / (24.0 * efficiency * (1.0 + taken.overhead_share))
    with np.errstate(divide="ignore"):
        relative = np.log(break_even / taken.power_cost_median_usd_per_mwh)
    return np.asarray(relative / taken.power_cost_spread)


def _running(hashprice: npt.ArrayLike, efficiency: FloatArray, taken: WorldAssumptions) -> FloatArray:
    """Share of each model that runs, shape (..., models). [1]"""
    return np.asarray(0.5 * _erfc(-_z(hashprice, efficiency, taken) / math.sqrt(2.0)))


def _weights(efficiency: FloatArray, runs: FloatArray, mean: float) -> FloatArray:
    """Shares exp(−θ·e), with θ such that the running machines have the mean: Newton inside a bracket."""
    away = efficiency - mean

    def gap(theta: float) -> tuple[float, float]:
        """Mean of the running machines less the target, and minus its slope: their variance."""
        power = -theta * away
        share = runs * np.exp(power - power[runs > 0.0].max())
        share = share / share.sum()
        first = float(share @ away)
        return first, float(share @ (away - first) ** 2)

    low, high = -0.1, 0.1
    while gap(low)[0] < 0.0:
        low *= 2.0
    while gap(high)[0] > 0.0:
        high *= 2.0
    theta = 0.0
    for _ in range(100):
        first, variance = gap(theta)
        if abs(first) <= 1e-12 * mean:
            break
        low, high = (theta, high) if first > 0.0 else (low, theta)
        step = theta + first / variance if variance > 0.0 else math.inf
        theta = step if low < step < high else 0.5 * (low + high)
    power = -theta * away
    weight = np.exp(power - power.max())
    return np.asarray(weight / weight.sum())


def _positive(place: str, column: str, value: float, unit: str) -> Iterable[Fault]:
    if not 0.0 < value < math.inf:
        yield Fault(place, f"must be a number above 0 [{unit}]", "give one", column=column, value=repr(value))


def _model_faults(efficiency: FloatArray) -> Iterable[Fault]:
    if efficiency.ndim != 1 or not efficiency.size:
        yield Fault("models of machines", "must be a row of at least one efficiency [J/TH]", "give one")
    elif not ((efficiency > 0.0) & np.isfinite(efficiency)).all():
        wrong = efficiency[~((efficiency > 0.0) & np.isfinite(efficiency))]
        yield Fault(
            "models of machines",
            "each efficiency must be a number above 0 [J/TH]",
            "mend the model",
            column="efficiency_j_per_th",
            value=repr(float(wrong[0])),
        )


def _hashprices(values: npt.ArrayLike) -> FloatArray:
    hashprice = np.asarray(values, dtype=np.float64)
    wrong = hashprice[~((hashprice >= 0.0) & np.isfinite(hashprice))]
    if wrong.size:
        problem = "must be a number of at least 0 [USD/(PH/s·day)]"
        raise BitcoinError(Fault("hashprice", problem, "give one", value=repr(float(wrong.flat[0]))))
    return hashprice


def _rows(year: int) -> Mapping[str, Parameter]:
    """Rows of parameters.csv, by field of `WorldAssumptions`."""
    parameters = world_parameters()
    wanted = _MEAN_OF_YEAR.format(year=year)
    if wanted not in parameters:
        before, after = _MEAN_OF_YEAR.split("{year}")
        known = [name for name in parameters if name.startswith(before) and name.endswith(after)]
        years = ", ".join(name.removeprefix(before).removesuffix(after) for name in known)
        problem = f"there is no mean efficiency of the world's machines for it; there is one for {years}"
        raise BitcoinError(
            Fault("year", problem, f"add a row {wanted} to parameters.csv [J/TH]", value=str(year))
        )
    names = (field.name for field in fields(WorldAssumptions))
    return {name: parameters[_ROWS[name].format(year=year)] for name in names}


@cache
def world_parameters() -> Mapping[str, Parameter]:
    """The assumptions about the rest of the world that ship with Penstock, by name."""
    return parameters_of(read_packaged(_TABLES)["parameters"])


@cache
def sources() -> Table:
    """The sources of this room's tables, with the columns of a country's `sources`."""
    return read_packaged(_TABLES)["sources"]
