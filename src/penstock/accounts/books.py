"""The books of one cleared year: energy by fuel and month, cost, imports of fuel, emissions, capacity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from penstock.country import Country
from penstock.country.calendar import IntArray
from penstock.market import Clearing, hour_series
from penstock.market.system import FloatArray

from .trade import Trade, external_cost_usd, home_mask, home_plants, trade_of

__all__ = ["Books", "corridor_rows", "generation_by_fuel", "keep_books"]

_MWH_PER_GWH = 1000.0
_GJ_PER_MWH = 3.6
_KG_PER_T = 1000.0
_PER_BN = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """What a year cost and made in the country's own zones. Maps are in the order of the country's tables.

    generation_gwh: by fuel and local month, shape (12,). [GWh]
    cost_usd: generation at marginal cost plus unserved energy at the value of lost load, plus what is
        imported, less what exports earn. [USD]
    fuel_cost_usd: fuel of the dispatched energy. [USD]
    fuel_imports_usd: the part of it that is paid abroad, by the fuels' `imported_share`, plus what is
        imported as electricity, less what exports of it earn. [USD]
    emissions_t: CO2 = emission factor x 3.6 GJ/MWh / efficiency x energy. [t]
    capacity_payment_usd: fixed payments of the year, unchanged by dispatch. [USD]
    energy_served_gwh: firm demand served plus what the programme took. [GWh]
    pool_energy_gwh, pool_fuel_cost_usd: sent out by, and fuel of, the plants that the capacity payments are
        for: those of the pools with published generation. [GWh, USD]
    pooled_energy_cost_usd_per_mwh, pooled_cost_usd_per_mwh: the pools' fuel over the energy they send out,
        without and with their capacity payments. [USD/MWh]
    price_by_zone: mean of the hourly price, weighted by the zone's demand. [USD/MWh]
    trade: what crosses the border to external zones, hour by hour.
    """

    generation_gwh: Mapping[str, FloatArray]
    cost_usd: float
    fuel_cost_usd: float
    fuel_imports_usd: float
    emissions_t: float
    capacity_payment_usd: float
    energy_served_gwh: float
    pool_energy_gwh: float
    pool_fuel_cost_usd: float
    programme_energy_gwh: float
    unserved_gwh: float
    curtailed_gwh: float
    price_by_zone: Mapping[str, float]
    price_mean: float
    trade: Trade

    @property
    def pooled_energy_cost_usd_per_mwh(self) -> float:
        """Fuel of the pools' plants over what they send out, at marginal cost. [USD/MWh]"""
        return _per_mwh(self.pool_fuel_cost_usd, self.pool_energy_gwh)

    @property
    def capacity_payment_usd_per_mwh(self) -> float:
        """Capacity payments over the energy that their pools send out. [USD/MWh]"""
        return _per_mwh(self.capacity_payment_usd, self.pool_energy_gwh)

    @property
    def pooled_cost_usd_per_mwh(self) -> float:
        """What a pool that passes everything on bills for a MWh, fuel at marginal cost. [USD/MWh]"""
        return self.pooled_energy_cost_usd_per_mwh + self.capacity_payment_usd_per_mwh


def _per_mwh(usd: float, gwh: float) -> float:
    return usd / (gwh * _MWH_PER_GWH) if gwh > 0 else 0.0


def generation_by_fuel(country: Country, clearing: Clearing) -> dict[str, FloatArray]:
    """Hourly output of the country's plants of each fuel, each of shape (hours,). [MW]"""
    fuels = np.where(home_plants(country), country.table("plants").column("fuel"), "")
    return {
        fuel: clearing.dispatch[:, fuels == fuel].sum(axis=1)
        for fuel in country.table("fuels").column("fuel")
        if (fuels == fuel).any()
    }


def keep_books(country: Country, clearing: Clearing, month: IntArray) -> Books:
    """The books of a cleared year. month: local month of each hour, 1 to 12, shape (hours,)."""
    system = clearing.system
    own, home = home_plants(country), home_mask(country)
    trade = trade_of(country, clearing)
    energy = clearing.dispatch.sum(axis=0)
    cost = np.array(
        [
            np.dot(hour_series(plant.cost, system.hour_count), clearing.dispatch[:, index])
            for index, plant in enumerate(system.plants)
        ]
    )
    fuels = {row["fuel"]: row for row in country.table("fuels")}
    efficiency = {
        row["technology"]: row["value"]
        for row in country.table("technologies")
        if row["attribute"] == "efficiency"
    }
    imports, emissions = float((trade.import_cost - trade.export_income).sum()), 0.0
    for index, plant in enumerate(country.table("plants")):
        if not own[index]:
            continue
        fuel = fuels[plant["fuel"]]
        imports += float(cost[index]) * fuel["imported_share"]
        factor = fuel["emission_factor_kg_per_gj"]
        if factor > 0:
            heat = float(energy[index]) * _GJ_PER_MWH / efficiency[plant["technology"]]
            emissions += heat * factor / _KG_PER_T
    pools = set(country.table("monthly_generation").column("pool"))
    pooled = [index for index, row in enumerate(country.table("plants")) if row["pool"] in pools]
    payments = sum(row["amount_bn"] for row in country.table("capacity_payments"))
    served = (np.asarray(system.demand) - clearing.unserved)[:, home]
    weight = np.asarray(system.demand)
    return Books(
        generation_gwh={
            fuel: np.bincount(month - 1, output, minlength=12) / _MWH_PER_GWH
            for fuel, output in generation_by_fuel(country, clearing).items()
        },
        cost_usd=clearing.cost - external_cost_usd(country, clearing),
        fuel_cost_usd=float(cost[own].sum()),
        fuel_imports_usd=imports,
        emissions_t=emissions,
        capacity_payment_usd=payments * _PER_BN / country.usd_rate,
        energy_served_gwh=float(served.sum() + clearing.accepted.sum()) / _MWH_PER_GWH,
        pool_energy_gwh=float(energy[pooled].sum()) / _MWH_PER_GWH,
        pool_fuel_cost_usd=float(cost[pooled].sum()),
        programme_energy_gwh=float(clearing.accepted.sum()) / _MWH_PER_GWH,
        unserved_gwh=float(clearing.unserved[:, home].sum()) / _MWH_PER_GWH,
        curtailed_gwh=float(clearing.curtailed[:, home].sum()) / _MWH_PER_GWH,
        price_by_zone={
            zone: _mean_price(clearing.price[:, index], weight[:, index])
            for index, zone in enumerate(system.zones)
            if home[index]
        },
        price_mean=_mean_price(clearing.price[:, home], weight[:, home]),
        trade=trade,
    )


def _mean_price(price: FloatArray, demand: FloatArray) -> float:
    """Mean of the price weighted by demand; the plain mean where nothing is demanded. [USD/MWh]"""
    return float(np.average(price, weights=demand if demand.sum() > 0 else None))


def corridor_rows(clearing: Clearing, rent_usd: FloatArray) -> list[dict[str, float]]:
    """Limit, mean flow, use and congested hours of each corridor. [MW, 1, h]

    limit_mw: mean forward limit. use_share: mean of |flow| over it. An hour is congested where the flow
    stands within 1e-6 of its limit. rent_usd: what each corridor earns. [USD]
    """
    rows = []
    hours = clearing.system.hour_count
    for index, corridor in enumerate(clearing.system.corridors):
        flow = clearing.flow[:, index]
        forward = hour_series(corridor.forward_limit, hours)
        backward = hour_series(corridor.backward_limit, hours)
        full = ((flow > 0) & (flow >= forward - 1e-6)) | ((flow < 0) & (-flow >= backward - 1e-6))
        limit = float(forward.mean())
        rows.append(
            {
                "limit_mw": limit,
                "mean_mw": float(flow.mean()),
                "use_share": float(np.abs(flow).mean() / limit) if limit else 0.0,
                "congested_hours": int(full.sum()),
                "congestion_rent_usd": float(rent_usd[index]),
            }
        )
    return rows
